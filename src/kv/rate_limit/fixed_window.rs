//! Fixed window: a counter that is gone at the end of its window.
//!
//! What is kept is the number in decimal, with the end of the window as the deadline. Clients of the Redis door that count at
//! the same key with `INCR` share the limit.

use crate::clock::Timestamp;
use crate::error::Result;
use crate::kv::number::parse_integer;
use crate::kv::rate_limit::{Checked, Decision, Keep, Kept, moment};

/// The moment at which the window began that `now` is in.
pub(super) fn start(window: u64, now: Timestamp) -> Timestamp {
    let into = now.as_micros().rem_euclid(i64::try_from(window).unwrap_or(i64::MAX));
    Timestamp::from_micros(now.as_micros().saturating_sub(into))
}

pub(super) fn check(limit: u64, window: u64, found: Option<Kept<'_>>, now: Timestamp, count: u64) -> Result<Checked> {
    // The counter is a number of 64 bits with a sign.
    let limit = limit.min(i64::MAX.cast_unsigned());
    let end = moment(start(window, now), window)?;
    let used = match found {
        Some(kept) => u64::try_from(parse_integer(kept.payload)?).unwrap_or(0),
        None => 0,
    };
    // A counter without a deadline is one whose client did not come to set it; a longer window may have been counted before.
    let end = found.and_then(|kept| kept.deadline).map_or(end, |deadline| deadline.min(end));
    let after = used.checked_add(count).filter(|after| *after <= limit);
    let (allowed, used) = (after.is_some(), after.unwrap_or(used));
    let left = end.saturating_since(now);
    let decision = Decision {
        allowed,
        remaining: limit.saturating_sub(used),
        retry_after: (!allowed && count <= limit).then_some(left),
        reset_at: if used == 0 { now } else { end },
    };
    let keep = (allowed && count > 0).then(|| Keep { payload: used.to_string().into_bytes(), deadline: end });
    Ok(Checked { decision, keep })
}
