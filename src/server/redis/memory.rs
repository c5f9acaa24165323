//! The limit of memory, and what is to give way to it.

use std::fmt;
use std::str::FromStr;

/// Which keys are removed when there is no memory left, by the names of Redis's `maxmemory-policy`.
///
/// # Examples
/// ```
/// use larder::server::redis::MaxmemoryPolicy;
/// let policy: MaxmemoryPolicy = "allkeys-lru".parse()?;
/// assert_eq!(policy, MaxmemoryPolicy::AllKeysLru);
/// assert!("lru".parse::<MaxmemoryPolicy>().unwrap_err().contains("allkeys-lru"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MaxmemoryPolicy {
    /// None: writing is refused.
    #[default]
    NoEviction,
    /// Those not used for longest.
    AllKeysLru,
    /// Those used least often.
    AllKeysLfu,
    /// Any.
    AllKeysRandom,
    /// Of those with a deadline, the ones not used for longest.
    VolatileLru,
    /// Of those with a deadline, the ones used least often.
    VolatileLfu,
    /// Of those with a deadline, any.
    VolatileRandom,
    /// Those whose deadline is next.
    VolatileTtl,
}

impl MaxmemoryPolicy {
    const NAMES: [(Self, &str); 8] = [
        (Self::NoEviction, "noeviction"),
        (Self::AllKeysLru, "allkeys-lru"),
        (Self::AllKeysLfu, "allkeys-lfu"),
        (Self::AllKeysRandom, "allkeys-random"),
        (Self::VolatileLru, "volatile-lru"),
        (Self::VolatileLfu, "volatile-lfu"),
        (Self::VolatileRandom, "volatile-random"),
        (Self::VolatileTtl, "volatile-ttl"),
    ];
}

impl fmt::Display for MaxmemoryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(policy, _)| policy == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for MaxmemoryPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(policy, _)| *policy).ok_or_else(|| {
            let names = Self::NAMES.map(|(_, name)| name).join(", ");
            format!("{text:?} is no policy: give one of {names}")
        })
    }
}
