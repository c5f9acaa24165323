//! The store's one clock: everything that depends on time reads it, and a test turns it by hand.
//!
//! This is the only module that asks the system for the time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment: microseconds since 1970-01-01T00:00:00Z, negative before.
///
/// # Examples
/// ```
/// use larder::Timestamp;
/// use std::time::Duration;
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!(start.saturating_add(Duration::from_secs(1)).as_millis(), 2_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_micros(2_000_000), Timestamp::from_seconds(2));
    /// ```
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the epoch; moments past ±292,000 years saturate.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_millis(2).as_micros(), 2_000);
    /// assert_eq!(Timestamp::from_millis(i64::MAX).as_micros(), i64::MAX);
    /// ```
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The moment `seconds` seconds after the epoch; moments past ±292,000 years saturate.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_seconds(-1).as_micros(), -1_000_000);
    /// ```
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_millis(3).as_micros(), 3_000);
    /// ```
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_micros(1_999).as_millis(), 1);
    /// assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
    /// ```
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// assert_eq!(Timestamp::from_millis(1_999).as_seconds(), 1);
    /// assert_eq!(Timestamp::from_millis(-1).as_seconds(), -1);
    /// ```
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `duration` later; saturates at the last representable one.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// use std::time::Duration;
    /// assert_eq!(Timestamp::from_seconds(1).saturating_add(Duration::from_millis(500)).as_millis(), 1_500);
    /// assert_eq!(Timestamp::default().saturating_add(Duration::MAX), Timestamp::from_micros(i64::MAX));
    /// ```
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    ///
    /// # Examples
    /// ```
    /// use larder::Timestamp;
    /// use std::time::Duration;
    /// let (earlier, later) = (Timestamp::from_seconds(1), Timestamp::from_seconds(3));
    /// assert_eq!(later.saturating_since(earlier), Duration::from_secs(2));
    /// assert_eq!(earlier.saturating_since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where a store reads the time.
///
/// # Examples
/// A clock that stands still:
/// ```
/// use larder::{Clock, Timestamp};
/// #[derive(Debug)]
/// struct Frozen;
/// impl Clock for Frozen {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_seconds(1_700_000_000)
///     }
/// }
/// let store = larder::Store::builder().clock(Frozen).in_memory();
/// assert_eq!(store.now().as_seconds(), 1_700_000_000);
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now. It may stand still or jump; the store copes with both.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_seconds(5));
    /// assert_eq!(clock.now().as_seconds(), 5);
    /// ```
    fn now(&self) -> Timestamp;

    /// Whether time passes by itself, so that a background thread can wait for a deadline.
    ///
    /// `false` (the default) means that somebody turns the clock, and calls [`crate::Store::sweep_expired`] after it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock, SystemClock};
    /// assert!(SystemClock.runs() && !ManualClock::default().runs());
    /// ```
    fn runs(&self) -> bool {
        false
    }

    /// The clock of a fork of the store; `None` (the default) when the fork is to read this one.
    ///
    /// A clock that somebody turns returns another one here, at the same moment: what is done to a fork must not move
    /// the time of the store that it comes from.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock, SystemClock, Timestamp};
    /// use std::time::Duration;
    /// let clock = ManualClock::at(Timestamp::from_seconds(5));
    /// let forked = clock.fork().unwrap();
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!((clock.now().as_seconds(), forked.now().as_seconds()), (6, 5));
    /// assert!(SystemClock.fork().is_none(), "there is one time for all");
    /// ```
    fn fork(&self) -> Option<Arc<dyn Clock>> {
        None
    }

    /// The manual clock that this is, for [`Store::manual_clock`](crate::Store::manual_clock); `None` (the default)
    /// when it is not one.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock, SystemClock};
    /// assert!(ManualClock::default().as_manual().is_some() && SystemClock.as_manual().is_none());
    /// ```
    fn as_manual(&self) -> Option<&ManualClock> {
        None
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn runs(&self) -> bool {
        (**self).runs()
    }

    fn fork(&self) -> Option<Arc<dyn Clock>> {
        (**self).fork()
    }

    fn as_manual(&self) -> Option<&ManualClock> {
        (**self).as_manual()
    }
}

/// The system's wall clock.
///
/// # Examples
/// ```
/// use larder::{Clock, SystemClock, Timestamp};
/// assert!(SystemClock.now() > Timestamp::from_seconds(1_700_000_000));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that reads the system's time")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = match since_epoch {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Timestamp(micros)
    }

    fn runs(&self) -> bool {
        true
    }
}

/// A clock that moves only when it is moved by hand. Clones share the one time; a fork of a store has a clock of its
/// own, which [`Store::manual_clock`](crate::Store::manual_clock) gives.
///
/// # Examples
/// ```
/// use larder::{ManualClock, Store, Timestamp};
/// use std::time::Duration;
/// let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
/// let store = Store::builder().clock(clock.clone()).in_memory();
/// store.kv().set_with_ttl("session", "7", Duration::from_secs(60))?;
/// clock.advance(Duration::from_secs(60));
/// assert!(store.kv().get("session")?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `start`.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, Timestamp};
    /// let store = Store::builder().clock(ManualClock::at(Timestamp::from_seconds(5))).in_memory();
    /// assert_eq!(store.now().as_seconds(), 5);
    /// ```
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.0)))
    }

    /// Moves the time forward by `duration`; saturates at the last representable moment.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock};
    /// use std::time::Duration;
    /// let clock = ManualClock::default();
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now().as_seconds(), 60);
    /// ```
    pub fn advance(&self, duration: Duration) {
        let step = |micros: i64| Some(Timestamp(micros).saturating_add(duration).0);
        // The closure never returns `None`, so the update cannot fail.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
    }

    /// Sets the time to `now`, forwards or backwards.
    ///
    /// # Examples
    /// ```
    /// use larder::{Clock, ManualClock, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_seconds(60));
    /// clock.set(Timestamp::from_seconds(5));
    /// assert_eq!(clock.now().as_seconds(), 5);
    /// ```
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn fork(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(Self::at(self.now())))
    }

    fn as_manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}

/// Measures how long something takes, for reports; not affected by [`ManualClock`].
///
/// # Examples
/// ```
/// let watch = larder::Stopwatch::start();
/// assert!(watch.elapsed().as_secs() < 3_600);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts measuring.
    ///
    /// # Examples
    /// ```
    /// let (first, second) = (larder::Stopwatch::start(), larder::Stopwatch::start());
    /// let shorter = second.elapsed();
    /// assert!(first.elapsed() >= shorter);
    /// ```
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that measures time")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    ///
    /// # Examples
    /// ```
    /// let watch = larder::Stopwatch::start();
    /// let so_far = watch.elapsed();
    /// assert!(watch.elapsed() >= so_far);
    /// ```
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The time since the start, from when on it measures anew.
    #[cfg(feature = "server")]
    pub(crate) fn restart(&mut self) -> Duration {
        let Self(now) = Self::start();
        now.saturating_duration_since(std::mem::replace(&mut self.0, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_micros(1_999).as_millis(), 1);
        assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
        assert_eq!(Timestamp::from_micros(-1).as_seconds(), -1);
    }

    #[test]
    fn the_manual_clock_moves_only_by_hand_and_saturates() {
        let clock = ManualClock::at(Timestamp::from_seconds(5));
        let other = clock.clone();
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(other.now(), Timestamp::from_millis(6_500));
        clock.advance(Duration::MAX);
        assert_eq!(other.now(), Timestamp::from_micros(i64::MAX));
        assert!(!clock.runs());
    }
}
