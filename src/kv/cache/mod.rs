//! Cache-aside: a value from its key, or computed and then kept there for a while.
//!
//! # Invariants
//! 1. Of the threads of this process that miss the same key at once, one computes; the others take its value. When it
//!    fails or panics, one of them computes next.
//! 2. Nothing of the store is held while computing: other keys are read, written and computed meanwhile.
//! 3. What was put at the key while its value was computed stays, and is what is returned.
//!
//! # Cost
//! A hit is one lookup. A miss is two, the computation and one put with a deadline.

use std::time::Duration;

use crate::encoding::mix;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::state::{Boarding, Keys};
use crate::kv::{Condition, Kv, SetOptions, Until, deadline};
use crate::txn::AutoCommit;

#[cfg(test)]
mod tests;

/// For how long a computed value is kept.
///
/// # Examples
/// ```
/// use larder::{Store, kv::CacheOptions};
/// use std::time::Duration;
/// let kv = Store::in_memory().kv();
/// let options = CacheOptions::new(Duration::from_secs(3_600)).jitter(0.1);
/// assert_eq!(kv.get_or_insert_with("user:7:profile", options, || "ann")?, b"ann");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheOptions {
    ttl: Duration,
    jitter: f64,
}

impl CacheOptions {
    /// Keeps a value for `ttl`.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::CacheOptions;
    /// use std::time::Duration;
    /// assert_eq!(CacheOptions::new(Duration::from_secs(60)), Duration::from_secs(60).into());
    /// ```
    #[must_use]
    pub const fn new(ttl: Duration) -> Self {
        Self { ttl, jitter: 0.0 }
    }

    /// Takes up to this `fraction` of the time off, as much as the key and the moment of keeping say, so that what was kept
    /// together does not expire together. From 0, for nothing, to 1.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::{CacheOptions, Ttl}};
    /// use std::time::Duration;
    /// let kv = Store::in_memory().kv();
    /// kv.get_or_insert_with("k", CacheOptions::new(Duration::from_secs(1_000)).jitter(0.2), || "v")?;
    /// assert!(matches!(kv.ttl("k")?, Ttl::Expires(left) if left.as_secs() >= 799));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub const fn jitter(mut self, fraction: f64) -> Self {
        self.jitter = fraction;
        self
    }

    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(invalid(format!("a jitter of {}: it is a fraction, from 0 to 1", self.jitter)));
        }
        if self.ttl < Duration::from_micros(1) {
            return Err(invalid("invalid expire time: less than a microsecond"));
        }
        Ok(())
    }

    /// The time that a value is kept which is put in at `micros`.
    fn ttl_of(&self, head: &[u8], micros: i64) -> Duration {
        if self.jitter == 0.0 {
            return self.ttl;
        }
        let [a, b, c, d, ..] = spread(head, micros).to_be_bytes();
        let part = f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX);
        let seconds = self.ttl.as_secs_f64() * (1.0 - self.jitter * part);
        let ttl = Duration::try_from_secs_f64(seconds).unwrap_or(self.ttl);
        ttl.clamp(Duration::from_micros(1), self.ttl)
    }
}

impl From<Duration> for CacheOptions {
    fn from(ttl: Duration) -> Self {
        Self::new(ttl)
    }
}

impl Kv<AutoCommit> {
    /// The string at `key`, or what `compute` makes, which is then kept there.
    ///
    /// Threads that ask for the same missing key at once wait for the one that computes, as those of other handles and
    /// clones of the store do; threads that ask for other keys do not.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time to live or jitter out of its domain, and where a computation asks for the very key it
    /// computes, itself or over others that wait for each other. [`Error::WrongType`] when the key holds no string,
    /// [`Error::LimitExceeded`] for a key or value that is too long.
    ///
    /// # Panics
    /// When `compute` does. Nothing is kept, and of the threads that wait one computes.
    ///
    /// # Cost
    /// A hit is one lookup; a miss is two and one put with a deadline.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let hour = Duration::from_secs(3_600);
    /// assert_eq!(kv.get_or_insert_with("user:7:profile", hour, || "computed")?, b"computed");
    /// assert_eq!(kv.get_or_insert_with("user:7:profile", hour, || "not called")?, b"computed");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn get_or_insert_with<V: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        options: impl Into<CacheOptions>,
        compute: impl FnOnce() -> V,
    ) -> Result<Vec<u8>> {
        self.try_get_or_insert_with(key, options, || Ok(compute()))
    }

    /// As [`Kv::get_or_insert_with`], with a computation that may fail with an error of the caller's. Nothing is kept then, and of
    /// the threads that wait one computes next.
    ///
    /// # Errors
    /// Those of [`Kv::get_or_insert_with`], converted, and that of `compute`.
    ///
    /// # Panics
    /// When `compute` does.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let fetch = || Err::<Vec<u8>, _>(Box::<dyn std::error::Error>::from("the database is away"));
    /// assert!(kv.try_get_or_insert_with("user:7:profile", Duration::from_secs(60), fetch).is_err());
    /// assert!(!kv.exists("user:7:profile")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn try_get_or_insert_with<V: AsRef<[u8]>, E: From<Error>>(
        &self,
        key: impl AsRef<[u8]>,
        options: impl Into<CacheOptions>,
        compute: impl FnOnce() -> std::result::Result<V, E>,
    ) -> std::result::Result<Vec<u8>, E> {
        let (key, options) = (key.as_ref(), options.into());
        options.check()?;
        let head = self.keyspace.address(key)?;
        loop {
            if let Some(found) = self.get(key)? {
                return Ok(found);
            }
            match self.scope.core().state::<Keys>().flights.board(&head) {
                Boarding::Made(value) => return Ok(value.to_vec()),
                Boarding::Failed => {}
                Boarding::Closed => return Err(Error::Closed.into()),
                Boarding::Ring => {
                    return Err(invalid("the computation of a key waits for itself to compute that key").into());
                }
                Boarding::Maker(flight) => {
                    // Another may have landed between the lookup and the boarding.
                    let value = match self.get(key)? {
                        Some(found) => found,
                        None => self.keep(key, &options, compute()?.as_ref())?,
                    };
                    flight.land(&value);
                    return Ok(value);
                }
            }
        }
    }

    /// Puts `value` at `key` unless there is something, and returns what is there then.
    fn keep(&self, key: &[u8], options: &CacheOptions, value: &[u8]) -> Result<Vec<u8>> {
        let now = self.scope.core().now();
        let ttl = options.ttl_of(&self.keyspace.address(key)?, now.as_micros());
        let until = Until::At(deadline::after(now, ttl)?);
        let unless_there = SetOptions::default().on(Condition::Absent).until(until).previous();
        let outcome = self.set_with(key, value, &unless_there)?;
        Ok(outcome.previous.unwrap_or_else(|| value.to_vec()))
    }
}

/// 64 bits without order, of a key and a moment.
fn spread(key: &[u8], micros: i64) -> u64 {
    mix::mix(mix::hash(key) ^ mix::mix(micros.cast_unsigned()))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::invalid(InvalidKind::Value, message)
}
