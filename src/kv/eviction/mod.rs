//! Staying within a budget of bytes by removing keys.
//!
//! # What is counted
//! The bytes of all keys and values that the engine holds, of every model, as
//! [`EngineStats::bytes`](crate::engine::EngineStats) counts them: exactly, and the same in every run. Only keys of
//! keyspaces are evicted. What the process takes beyond that is in `docs/performance.md` as a factor.
//!
//! # When
//! Before each operation of any model that may make something larger; one that only removes is let through. One
//! operation may go past the budget by what it writes itself; the next one makes room for it. What was dropped and is
//! not removed yet counts until it is: a writer that needs room first removes as much of it as a step of a job may, and
//! goes on when there is more, whatever the policy. Within a transaction what it wrote counts as if nothing had been
//! there before.
//!
//! # Which
//! The least recently or least frequently used, or that with the nearest deadline, of a few that are drawn at random
//! (the nearest deadline is exact); what is kept of each use is shared by keys whose hashes agree
//! (`kv/state/usage.rs`).
//!
//! # Source
//! Redis manual, key eviction.

use std::fmt;
use std::str::FromStr;

use crate::catalog::job;
use crate::clock::Timestamp;
use crate::encoding::owner::KEYS;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::expiry;
use crate::kv::entry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::stored;
use crate::kv::record::{Head, named};
use crate::kv::state::{self, Counted, EvictionTuning, Keys, Tracking, note_freed, note_removed};
use crate::txn::{Core, View, Writer};

#[cfg(test)]
mod tests;

/// For each key that is looked at, draws that may miss before the policy is said to find nothing: deadlines of other models
/// are in the way.
const DRAWS_PER_SAMPLE: u32 = 12;

/// Which keys are removed when a budget is spent.
///
/// # Examples
/// ```
/// use larder::kv::EvictionPolicy;
/// assert_eq!("allkeys-lru".parse::<EvictionPolicy>()?, EvictionPolicy::AllKeysLru);
/// assert_eq!(EvictionPolicy::VolatileTtl.to_string(), "volatile-ttl");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis manual, key eviction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EvictionPolicy {
    /// None: writes are refused.
    #[default]
    NoEviction,
    /// The least recently used.
    AllKeysLru,
    /// The least frequently used.
    AllKeysLfu,
    /// Any.
    AllKeysRandom,
    /// The least recently used of those that have a deadline.
    VolatileLru,
    /// The least frequently used of those that have a deadline.
    VolatileLfu,
    /// Any that has a deadline.
    VolatileRandom,
    /// The one whose deadline comes first.
    VolatileTtl,
}

impl EvictionPolicy {
    /// All policies.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::EvictionPolicy::ALL.len(), 8);
    /// ```
    pub const ALL: [Self; 8] = [
        Self::NoEviction,
        Self::AllKeysLru,
        Self::AllKeysLfu,
        Self::AllKeysRandom,
        Self::VolatileLru,
        Self::VolatileLfu,
        Self::VolatileRandom,
        Self::VolatileTtl,
    ];

    /// The name that Redis gives it.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::EvictionPolicy;
    /// assert_eq!(EvictionPolicy::default().name(), "noeviction");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEviction => "noeviction",
            Self::AllKeysLru => "allkeys-lru",
            Self::AllKeysLfu => "allkeys-lfu",
            Self::AllKeysRandom => "allkeys-random",
            Self::VolatileLru => "volatile-lru",
            Self::VolatileLfu => "volatile-lfu",
            Self::VolatileRandom => "volatile-random",
            Self::VolatileTtl => "volatile-ttl",
        }
    }

    fn tracking(self) -> Tracking {
        match self {
            Self::AllKeysLru | Self::VolatileLru => Tracking::Recency,
            Self::AllKeysLfu | Self::VolatileLfu => Tracking::Frequency,
            _ => Tracking::Nothing,
        }
    }

    fn is_volatile(self) -> bool {
        matches!(self, Self::VolatileLru | Self::VolatileLfu | Self::VolatileRandom | Self::VolatileTtl)
    }

    fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }
}

impl FromStr for EvictionPolicy {
    type Err = Error;

    /// Reads a name of Redis's, in any case; another is [`Error::Invalid`].
    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::invalid(InvalidKind::Value, format!("{name:?} is no policy: give one of {names}"))
        })
    }
}

impl fmt::Display for EvictionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`Store::key_stats`](crate::Store::key_stats) counts.
///
/// # Examples
/// ```
/// assert_eq!(larder::Store::in_memory().key_stats(), larder::kv::KeyStats::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys that were removed because their deadline had passed.
    pub expired: u64,
    /// Keys that were removed to stay within the budget.
    pub evicted: u64,
}

/// Removes keys until what is held is within the budget, if there is one.
///
/// # Errors
/// [`Error::OutOfMemory`] when there is no key left that the policy lets go.
pub(crate) fn make_room(writer: &mut Writer) -> Result<()> {
    let Some(budget) = writer.budget() else { return Ok(()) };
    if writer.has_mode(state::EXCEEDS_MEMORY) {
        return Ok(());
    }
    let policy = writer.state::<Keys>().policy();
    let mut used = bytes(writer)?;
    if used > budget {
        // What was dropped already goes first. While there is more of it than one writer removes, nobody is refused.
        let (freed, has_more) = writer.reclaim()?;
        used = used.saturating_sub(freed);
        note_freed(writer, freed);
        if has_more {
            return Ok(());
        }
    }
    while used > budget {
        let victim = if policy == EvictionPolicy::NoEviction { None } else { victim(writer, policy)? };
        let Some(key) = victim else { return Err(Error::OutOfMemory { budget, used }) };
        let Some(Victim { key, head, bytes }) = size_of_few(writer, &key)? else {
            return Err(Error::OutOfMemory { budget, used });
        };
        entry::remove(writer, &key, head)?;
        note_removed(writer, Counted::Evicted);
        tell(writer, KeyEvents::EVICTED, "evicted", &key);
        let freed = match bytes {
            Some(bytes) => bytes,
            // It is large, and leaves a job: the writer removes some of it, and whoever comes next some more.
            None => match writer.reclaim()? {
                (freed, false) => freed,
                (freed, true) => {
                    note_freed(writer, freed);
                    return Ok(());
                }
            },
        };
        used = used.saturating_sub(freed);
        note_freed(writer, freed);
    }
    Ok(())
}

/// The bytes of all keys and values as the transaction leaves them, at most.
fn bytes(writer: &Writer) -> Result<u64> {
    Ok(writer.bytes()?.saturating_sub(state::freed(writer)))
}

fn usage(view: &View) -> &state::Usage {
    &view.state::<Keys>().usage
}

impl Keys {
    fn policy(&self) -> EvictionPolicy {
        EvictionPolicy::of(self.usage.policy())
    }

    /// What was counted since the store was opened.
    pub(crate) fn stats(&self) -> KeyStats {
        let counted = |what| self.usage.counted(what);
        KeyStats {
            hits: counted(Counted::Hits),
            misses: counted(Counted::Misses),
            expired: counted(Counted::Expired),
            evicted: counted(Counted::Evicted),
        }
    }

    /// How keys to evict are searched for.
    pub(crate) fn tuning(&self) -> EvictionTuning {
        self.usage.tuning()
    }

    pub(crate) fn set_tuning(&self, tuning: EvictionTuning) {
        self.usage.set_tuning(tuning);
    }
}

/// Sets the budget of a store, and which keys are evicted.
pub(crate) fn set_budget(core: &Core, budget: Option<u64>, policy: EvictionPolicy) {
    core.state::<Keys>().usage.set_policy(policy as u8, policy.tracking());
    core.set_budget(budget);
}

/// The budget of a store, and which keys are evicted.
pub(crate) fn budget(core: &Core) -> (Option<u64>, EvictionPolicy) {
    (core.budget(), core.state::<Keys>().policy())
}

/// Whether the budget is used up, and nothing may be evicted.
pub(crate) fn is_out_of_memory(writer: &Writer) -> bool {
    let keeps_all = || writer.state::<Keys>().policy() == EvictionPolicy::NoEviction;
    writer.budget().is_some_and(|budget| keeps_all() && bytes(writer).is_ok_and(|used| used > budget))
}

/// The head of the key to evict next.
fn victim(view: &View, policy: EvictionPolicy) -> Result<Option<Vec<u8>>> {
    if policy == EvictionPolicy::VolatileTtl {
        return expiry::first_of(view, KEYS);
    }
    let range = if policy.is_volatile() { expiry::all() } else { KeyRange::prefix(&[KEYS]) };
    let count = view.count(&range)?;
    let samples = usage(view).tuning().samples.min(u32::try_from(count).unwrap_or(u32::MAX));
    let (mut best, mut looked_at) = (None, 0);
    for _ in 0..samples.saturating_mul(DRAWS_PER_SAMPLE) {
        let Some((drawn, _)) = view.nth(&range, usage(view).random_below(count))? else { break };
        let head = if policy.is_volatile() { expiry::target(&drawn)? } else { drawn.to_vec() };
        if head.first() != Some(&KEYS) {
            continue;
        }
        looked_at += 1;
        let worth = worth(view, policy, &head, view.now());
        if best.as_ref().is_none_or(|(least, _)| worth < *least) {
            best = Some((worth, head));
        }
        if looked_at == samples || matches!(policy, EvictionPolicy::AllKeysRandom | EvictionPolicy::VolatileRandom) {
            break;
        }
    }
    Ok(best.map(|(_, head)| head))
}

/// How much a key is worth keeping.
fn worth(view: &View, policy: EvictionPolicy, head: &[u8], now: Timestamp) -> u32 {
    match policy.tracking() {
        Tracking::Nothing => 0,
        Tracking::Recency => u32::MAX - usage(view).idle_seconds(head, now).unwrap_or(u32::MAX),
        Tracking::Frequency => usage(view).frequency(head, now).unwrap_or(0),
    }
}

/// A key that is to go.
struct Victim {
    /// The name of its head.
    key: Vec<u8>,
    head: Head,
    /// Of everything that belongs to it; `None` when that is more than is removed at once.
    bytes: Option<u64>,
}

/// The key whose head is kept at `stored`.
fn size_of_few(view: &View, stored: &[u8]) -> Result<Option<Victim>> {
    let Some(record) = view.get(stored)? else { return Ok(None) };
    let (head, _) = Head::decode(&record)?;
    let key = named(stored, &record)?.into_owned();
    if let Some(elements) = head.elements()
        && job::few(view, &elements.all())?.is_none()
    {
        return Ok(Some(Victim { key, head, bytes: None }));
    }
    Ok(size(view, &key)?.map(|(head, bytes)| Victim { key, head, bytes: Some(bytes) }))
}

/// The bytes of everything that belongs to the key whose head has this name, and its head.
pub(super) fn size(view: &View, key: &[u8]) -> Result<Option<(Head, u64)>> {
    let key = &*stored(key);
    let Some(record) = view.get(key)? else { return Ok(None) };
    let (head, _) = Head::decode(&record)?;
    let mut bytes = (key.len() + record.len()) as u64;
    if head.deadline.is_some() {
        bytes += expiry::ENTRY_BYTES + key.len() as u64;
    }
    if let Some(elements) = head.elements() {
        let mut cursor = view.range(&elements.all(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            bytes += (key.len() + value.len()) as u64;
        }
    }
    Ok(Some((head, bytes)))
}
