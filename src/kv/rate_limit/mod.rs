//! Rate limits: how often something may be done, counted at a key.
//!
//! # Storage
//! A limiter is a string with a deadline. That of a fixed window is a number, as `INCR` and `EXPIRE` would leave it; those of the
//! two others are in the headers of their files.
//!
//! # Invariants
//! 1. A limiter that is not there has all of its limit left, and the deadline is never before all of it is: an idle one leaves
//!    nothing behind.
//! 2. What is denied changes nothing.
//!
//! # Isolation and cost
//! A check is one transaction, or part of one: one lookup, and one put when it is allowed. The deadline moves with a new
//! window; that of a bucket at most once in the time in which it fills.
//!
//! # Source
//! Redis command reference, `INCR`, "Pattern: Rate limiter" (fixed window). ITU-T I.371, continuous-state leaky bucket (token bucket).

mod fixed_window;
mod sliding_window;
mod token_bucket;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, deadline, entry};
use crate::txn::{AutoCommit, Scope, WriteScope};

#[cfg(test)]
mod tests;

/// How often something may be done. Given to [`Kv::rate_limit`], which says where it is counted.
///
/// | limit              | allows                                             | at the edge of a window             | bytes kept      |
/// |--------------------|----------------------------------------------------|-------------------------------------|-----------------|
/// | fixed window       | a number in each window of the clock               | up to twice the number around it    | the number      |
/// | sliding window     | a number in any window, the one before estimated   | nothing special                     | 33              |
/// | token bucket       | a burst, and then a steady rate                    | has none                            | 25              |
///
/// # Examples
/// ```
/// use larder::kv::RateLimit;
/// use std::time::Duration;
/// let per_minute = RateLimit::fixed_window(100, Duration::from_secs(60));
/// let limiter = larder::Store::in_memory().kv().rate_limit("api:7", per_minute);
/// assert!(limiter.try_acquire(1)?.allowed);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit(Rule);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rule {
    FixedWindow { limit: u64, window: Duration },
    SlidingWindow { limit: u64, window: Duration },
    TokenBucket { capacity: u64, refill: u64, per: Duration },
}

impl RateLimit {
    /// At most `limit` in each window. Windows lie side by side from the epoch on, so that all limiters of one length change
    /// at the same moment.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, Timestamp, kv::RateLimit};
    /// use std::time::Duration;
    /// let clock = ManualClock::at(Timestamp::from_seconds(119));
    /// let kv = Store::builder().clock(clock.clone()).in_memory().kv();
    /// let limiter = kv.rate_limit("api:7", RateLimit::fixed_window(2, Duration::from_secs(60)));
    /// assert!(limiter.try_acquire(2)?.allowed && !limiter.try_acquire(1)?.allowed);
    /// assert_eq!(kv.get("api:7")?.as_deref(), Some(&b"2"[..]), "a counter, as INCR would leave it");
    /// clock.advance(Duration::from_secs(1));
    /// assert!(limiter.try_acquire(2)?.allowed, "the next minute has begun");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub const fn fixed_window(limit: u64, window: Duration) -> Self {
        Self(Rule::FixedWindow { limit, window })
    }

    /// At most `limit` in any stretch of the length of `window`: what was acquired in the window before is weighted with the
    /// part of it that the stretch still covers, as if it had been acquired evenly.
    ///
    /// A log of the moments would be exact, but keeps an entry for each of them; two counters have one size, whatever the limit.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, Timestamp, kv::RateLimit};
    /// use std::time::Duration;
    /// let clock = ManualClock::at(Timestamp::from_seconds(119));
    /// let kv = Store::builder().clock(clock.clone()).in_memory().kv();
    /// let limiter = kv.rate_limit("api:7", RateLimit::sliding_window(2, Duration::from_secs(60)));
    /// assert!(limiter.try_acquire(2)?.allowed);
    /// clock.advance(Duration::from_secs(1));
    /// assert!(!limiter.try_acquire(1)?.allowed, "a new minute, but the last one weighs as much as before");
    /// clock.advance(Duration::from_secs(30));
    /// assert!(limiter.try_acquire(1)?.allowed, "half of it does");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub const fn sliding_window(limit: u64, window: Duration) -> Self {
        Self(Rule::SlidingWindow { limit, window })
    }

    /// At most `capacity` at once, from a bucket that fills by `refill` in each `per`, continuously.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, kv::RateLimit};
    /// use std::time::Duration;
    /// let clock = ManualClock::default();
    /// let kv = Store::builder().clock(clock.clone()).in_memory().kv();
    /// let limiter = kv.rate_limit("mail", RateLimit::token_bucket(5, 2, Duration::from_secs(1)));
    /// assert!(limiter.try_acquire(5)?.allowed, "the burst");
    /// assert_eq!(limiter.try_acquire(1)?.retry_after, Some(Duration::from_millis(500)));
    /// clock.advance(Duration::from_millis(500));
    /// assert!(limiter.try_acquire(1)?.allowed);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub const fn token_bucket(capacity: u64, refill: u64, per: Duration) -> Self {
        Self(Rule::TokenBucket { capacity, refill, per })
    }

    /// Decides on `count` at `now`, by what is kept.
    fn check(&self, found: Option<Kept<'_>>, now: Timestamp, count: u64) -> Result<Checked> {
        match self.0 {
            Rule::FixedWindow { limit, window } => fixed_window::check(limit, micros(window)?, found, now, count),
            Rule::SlidingWindow { limit, window } => sliding_window::check(limit, micros(window)?, found, now, count),
            Rule::TokenBucket { capacity, refill, per } => {
                token_bucket::check(token_bucket::Bucket::new(capacity, refill, micros(per)?)?, found, now, count)
            }
        }
    }
}

/// What became of asking for some of a limit.
///
/// # Examples
/// ```
/// use larder::kv::RateLimit;
/// use std::time::Duration;
/// let kv = larder::Store::in_memory().kv();
/// let decision = kv.rate_limit("api:7", RateLimit::fixed_window(100, Duration::from_secs(60))).try_acquire(30)?;
/// assert_eq!((decision.allowed, decision.remaining, decision.retry_after), (true, 70, None));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "what is not allowed must not be done"]
pub struct Decision {
    /// Whether it was acquired: all of it, or nothing.
    pub allowed: bool,
    /// How much could be acquired right after this.
    pub remaining: u64,
    /// How long to wait until as much would be allowed, if nobody acquires any in between. `None` when it was allowed, and
    /// when it is more than is ever allowed at once.
    pub retry_after: Option<Duration>,
    /// When all of the limit is left again, if nobody acquires any before.
    pub reset_at: Timestamp,
}

/// A rate limit that is counted at one key, given by [`Kv::rate_limit`].
///
/// # Examples
/// In a transaction, what was acquired is given back when the transaction rolls back:
/// ```
/// use larder::{Error, Store, kv::RateLimit};
/// use std::time::Duration;
/// let store = Store::in_memory();
/// let limit = RateLimit::token_bucket(10, 1, Duration::from_secs(1));
/// let outcome = store.transaction(|tx| {
///     assert!(tx.kv().rate_limit("orders:ann", limit).try_acquire(1)?.allowed);
///     Err::<(), _>(Error::application("sold out"))
/// });
/// assert!(outcome.is_err());
/// assert_eq!(store.kv().rate_limit("orders:ann", limit).peek()?.remaining, 10);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter<S = AutoCommit> {
    kv: Kv<S>,
    key: Vec<u8>,
    limit: RateLimit,
}

impl<S: Scope> Kv<S> {
    /// The limiter at `key`. It need not exist; the first acquisition creates it.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::RateLimit;
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let limiter = kv.rate_limit("api:7", RateLimit::sliding_window(100, Duration::from_secs(60)));
    /// assert_eq!(limiter.peek()?.remaining, 100);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn rate_limit(&self, key: impl AsRef<[u8]>, limit: RateLimit) -> RateLimiter<S> {
        RateLimiter { kv: self.clone(), key: key.as_ref().to_vec(), limit }
    }
}

impl<S: Scope> RateLimiter<S> {
    /// What acquiring nothing would return: how much is left, and until when.
    ///
    /// # Errors
    /// As [`RateLimiter::try_acquire`].
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::RateLimit;
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let limiter = kv.rate_limit("api:7", RateLimit::fixed_window(3, Duration::from_secs(60)));
    /// assert_eq!((limiter.peek()?.remaining, limiter.peek()?.remaining), (3, 3));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn peek(&self) -> Result<Decision> {
        self.kv.read("rate_limit.peek", &self.key, |view, key| {
            let now = view.now();
            let found = entry::look(view, key, |head, payload| {
                head.expect(Kind::String, key)?;
                self.limit.check(Some(Kept { payload, deadline: head.deadline }), now, 0)
            })?;
            Ok(found.map_or_else(|| self.limit.check(None, now, 0), Ok)?.decision)
        })
    }
}

impl<S: WriteScope> RateLimiter<S> {
    /// Acquires `count` of the limit now if there is so much left, and none of it otherwise.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a window or refill time of less than a microsecond, one that ends after the last representable
    /// moment, a refill of 0, and when the key holds a string that is not a limiter of this kind. [`Error::WrongType`] when the
    /// key holds no string, [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup and one put, and two more writes when the deadline moves; one lookup when it is denied.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::RateLimit;
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let limiter = kv.rate_limit("login:ann", RateLimit::token_bucket(3, 1, Duration::from_secs(60)));
    /// let decision = limiter.try_acquire(4)?;
    /// assert!(!decision.allowed && decision.retry_after.is_none(), "more than the bucket ever holds");
    /// assert!(limiter.try_acquire(3)?.allowed);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn try_acquire(&self, count: u64) -> Result<Decision> {
        self.kv.write("rate_limit.try_acquire", &self.key, |writer, key| {
            let now = writer.now();
            let found = entry::claim(writer, key, |head, payload| {
                head.expect(Kind::String, key)?;
                Ok((head, self.limit.check(Some(Kept { payload, deadline: head.deadline }), now, count)?))
            })?;
            let (before, checked) = match found {
                Some((head, checked)) => (Some(head), checked),
                None => (None, self.limit.check(None, now, count)?),
            };
            if let Some(Keep { payload, deadline }) = checked.keep {
                let head = Head::string(Some(deadline));
                match before {
                    Some(before) if before == head => entry::replace(writer, key, head, &payload)?,
                    Some(before) => deadline::change(writer, key, before, Some(deadline), &payload)?,
                    None => entry::create(writer, key, head, &payload)?,
                }
            }
            Ok(checked.decision)
        })
    }

    /// Gives back all that was acquired, and returns whether there was any.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::RateLimit;
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let limiter = kv.rate_limit("api:7", RateLimit::fixed_window(1, Duration::from_secs(60)));
    /// assert!(limiter.try_acquire(1)?.allowed && limiter.reset()? && limiter.try_acquire(1)?.allowed);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn reset(&self) -> Result<bool> {
        self.kv.remove(&self.key)
    }
}

/// What is kept at the key.
#[derive(Clone, Copy, Debug)]
struct Kept<'a> {
    payload: &'a [u8],
    deadline: Option<Timestamp>,
}

/// What is to be kept instead.
#[derive(Debug)]
struct Keep {
    payload: Vec<u8>,
    deadline: Timestamp,
}

/// A decision, and what it leaves at the key: `None` when that stays as it is.
#[derive(Debug)]
struct Checked {
    decision: Decision,
    keep: Option<Keep>,
}

fn micros(duration: Duration) -> Result<u64> {
    let micros = i64::try_from(duration.as_micros()).ok().filter(|micros| *micros > 0);
    let micros = micros.and_then(|micros| u64::try_from(micros).ok());
    micros.ok_or_else(|| {
        invalid(format!("the window of a rate limit, {duration:?}, is not between 1 µs and 292,000 years"))
    })
}

/// The moment `micros` after `start`.
fn moment(start: Timestamp, micros: u64) -> Result<Timestamp> {
    let moment = start.as_micros().checked_add_unsigned(micros).map(Timestamp::from_micros);
    moment.ok_or_else(|| invalid("the window of a rate limit ends after the last representable moment"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::invalid(InvalidKind::Value, message)
}

/// Refuses a string that is not a limiter of the kind `what`.
fn foreign(what: &str) -> Error {
    Error::invalid(InvalidKind::Type, format!("value is not the state of a {what}"))
}
