//! Patterns 3 and 4: a cache beside the collection, and a rate limit.

use std::time::Duration;

use larder::bson::doc;
use larder::{Error, Kv, ManualClock, Result, Store, WriteScope};
use serde::{Deserialize, Serialize};

use super::events::Event;

/// How long a profile is kept.
pub(crate) const PROFILE_TTL: Duration = Duration::from_hours(1);

/// Length of a rate limit's window.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);

/// What is cached of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// The customer.
    pub(crate) user_id: String,
    /// Events stored of the customer.
    pub(crate) purchases: u64,
    /// All the customer paid.
    pub(crate) total_cents: i64,
}

/// Key of a customer's cached profile.
pub(crate) fn profile_key(user_id: &str) -> String {
    format!("user:{user_id}:profile")
}

/// Pattern 3: the profile from the cache, or from the collection and then into the cache. Returns whether it was a hit,
/// too.
pub(crate) fn get_profile(store: &Store, user_id: &str) -> Result<(Profile, bool)> {
    let (kv, key) = (store.kv(), profile_key(user_id));
    if let Some(cached) = kv.get(&key)? {
        return Ok((serde_json::from_slice(&cached).map_err(Error::application)?, true));
    }
    let profile = load_profile(store, user_id)?;
    kv.set_with_ttl(&key, serde_json::to_vec(&profile).map_err(Error::application)?, PROFILE_TTL)?;
    Ok((profile, false))
}

fn load_profile(store: &Store, user_id: &str) -> Result<Profile> {
    let mut profile = Profile { user_id: user_id.to_owned(), purchases: 0, total_cents: 0 };
    for event in store.collection::<Event>("events").find(doc! { "user_id": user_id }).run()? {
        profile.purchases += 1;
        profile.total_cents += event?.amount_cents;
    }
    Ok(profile)
}

/// Cache reads that found something, before and after the clock was turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheReport {
    /// Reads made.
    pub(crate) reads: u64,
    /// Hits of the first read of each profile: none.
    pub(crate) cold_hits: u64,
    /// Hits of the second read: all.
    pub(crate) warm_hits: u64,
    /// Hits after the hour has passed: none.
    pub(crate) expired_hits: u64,
}

/// Reads each profile twice, turns the clock past the hour, and reads it again.
pub(crate) fn run_cache(store: &Store, clock: &ManualClock, user_ids: &[String]) -> Result<CacheReport> {
    for user_id in user_ids {
        // An earlier run may have left it.
        store.kv().remove(profile_key(user_id))?;
    }
    let hits = || -> Result<u64> {
        user_ids.iter().try_fold(0, |hits, user_id| Ok(hits + u64::from(get_profile(store, user_id)?.1)))
    };
    let (cold_hits, warm_hits) = (hits()?, hits()?);
    clock.advance(PROFILE_TTL);
    Ok(CacheReport { reads: 3 * user_ids.len() as u64, cold_hits, warm_hits, expired_hits: hits()? })
}

/// Pattern 4: counts a call, and returns whether it is within `limit` of this window.
pub(crate) fn check_rate_limit<S: WriteScope>(
    kv: &Kv<S>,
    now: larder::Timestamp,
    user_id: &str,
    limit: i64,
) -> Result<bool> {
    let key = rate_key(now, user_id);
    let calls = kv.increment(&key, 1)?;
    if calls == 1 {
        kv.expire(&key, WINDOW)?;
    }
    Ok(calls <= limit)
}

fn rate_key(now: larder::Timestamp, user_id: &str) -> String {
    format!("rate:{user_id}:{}", now.as_seconds() / i64::try_from(WINDOW.as_secs()).unwrap_or(i64::MAX))
}

/// What the rate limit let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateReport {
    /// Calls made.
    pub(crate) calls: u64,
    /// Calls allowed in the first window.
    pub(crate) allowed: u64,
    /// Calls refused in the first window.
    pub(crate) refused: u64,
    /// Calls allowed in the next window, out of one for each customer.
    pub(crate) allowed_next: u64,
}

/// Makes `calls` calls for each customer within one window and one more in the next.
pub(crate) fn run_rate_limit(
    store: &Store,
    clock: &ManualClock,
    user_ids: &[String],
    calls: u64,
    limit: i64,
) -> Result<RateReport> {
    let kv = store.kv();
    let mut report = RateReport { calls: user_ids.len() as u64 * (calls + 1), ..RateReport::default() };
    for user_id in user_ids {
        // An earlier run may have counted in this window.
        kv.remove(rate_key(store.now(), user_id))?;
        for _ in 0..calls {
            let within = check_rate_limit(&kv, store.now(), user_id, limit)?;
            *(if within { &mut report.allowed } else { &mut report.refused }) += 1;
        }
    }
    clock.advance(WINDOW);
    for user_id in user_ids {
        kv.remove(rate_key(store.now(), user_id))?;
        report.allowed_next += u64::from(check_rate_limit(&kv, store.now(), user_id, limit)?);
    }
    Ok(report)
}
