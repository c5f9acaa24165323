//! How a string is set, and what that did.

use crate::kv::condition::{Condition, Until};

/// How [`Kv::set_with`](crate::Kv::set_with) sets: on which condition, until when.
///
/// # Examples
/// ```
/// use larder::kv::{Condition, SetOptions};
/// let kv = larder::Store::in_memory().kv();
/// let lock = SetOptions::default().on(Condition::Absent);
/// assert!(kv.set_with("lock", "me", &lock)?.written);
/// assert!(!kv.set_with("lock", "you", &lock)?.written);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until something is set with them"]
pub struct SetOptions {
    pub(super) condition: Option<Condition>,
    pub(super) until: Until,
    pub(super) wants_previous: bool,
}

impl SetOptions {
    /// Sets only when `condition` holds.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{Condition, SetOptions};
    /// assert_ne!(SetOptions::default().on(Condition::Absent), SetOptions::default());
    /// ```
    pub fn on(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Says until when the key holds the value.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{SetOptions, Until};
    /// assert_eq!(SetOptions::default().until(Until::Removed), SetOptions::default());
    /// ```
    pub fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }

    /// Returns what was there, and refuses a key that does not hold a string.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::SetOptions;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "old")?;
    /// assert_eq!(kv.set_with("k", "new", &SetOptions::default().previous())?.previous.as_deref(), Some(&b"old"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn previous(mut self) -> Self {
        self.wants_previous = true;
        self
    }
}

/// What [`Kv::set_with`](crate::Kv::set_with) did.
///
/// # Examples
/// ```
/// use larder::kv::SetOptions;
/// let outcome = larder::Store::in_memory().kv().set_with("k", "v", &SetOptions::default())?;
/// assert!(outcome.written && outcome.previous.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetOutcome {
    /// Whether the condition held.
    pub written: bool,
    /// What was there, if that was asked for.
    pub previous: Option<Vec<u8>>,
}
