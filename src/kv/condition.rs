//! What has to hold for a write, and until when it holds.

use crate::clock::Timestamp;

/// What has to hold for a write.
///
/// # Examples
/// ```
/// use larder::kv::{Condition, SetOptions};
/// let update = SetOptions::default().on(Condition::Present);
/// assert!(!larder::Store::in_memory().kv().set_with("k", "v", &update)?.written);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// There is nothing at the key: Redis's `NX`.
    Absent,
    /// There is something at the key: Redis's `XX`.
    Present,
}

impl Condition {
    /// Whether a write on `condition` is made where there is something, or nothing.
    pub(super) fn holds(condition: Option<Self>, is_present: bool) -> bool {
        match condition {
            None => true,
            Some(Self::Absent) => !is_present,
            Some(Self::Present) => is_present,
        }
    }
}

/// What becomes of the deadline of a key that is written.
///
/// # Examples
/// ```
/// use larder::kv::{SetOptions, Ttl, Until};
/// let kv = larder::Store::in_memory().kv();
/// kv.set_with_ttl("k", "v", std::time::Duration::from_secs(60))?;
/// kv.set_with("k", "w", &SetOptions::default().until(Until::AsBefore))?;
/// assert!(matches!(kv.ttl("k")?, Ttl::Expires(_)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Until {
    /// It is dropped.
    #[default]
    Removed,
    /// It stays.
    AsBefore,
    /// It is this one.
    At(Timestamp),
}
