//! Which keys of a store are used, and what was counted of them: what eviction goes by.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::encoding::mix;
use crate::limits;
use crate::txn::{Mode, View};

/// Which keys were used when, which are evicted, and how often keys were found. Everything is read without a lock.
#[derive(Debug)]
pub(in crate::kv) struct Usage {
    /// The number of an [`EvictionPolicy`](crate::kv::EvictionPolicy).
    policy: AtomicU8,
    /// One of [`Tracking`].
    tracking: AtomicU8,
    /// When each key was used, or how often. Keys share a slot when their hashes agree; pages that no key falls into take no
    /// memory.
    slots: OnceLock<Box<[AtomicU32]>>,
    random: AtomicU64,
    counters: [AtomicU64; 4],
    samples: AtomicU32,
    decay_minutes: AtomicU32,
    growth_factor: AtomicU32,
}

/// What is kept of each use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kv) enum Tracking {
    Nothing = 0,
    /// The second of the last one.
    Recency = 1,
    /// The minute of the last one, and the logarithm of how many there were, which falls by one a minute.
    Frequency = 2,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(in crate::kv) enum Counted {
    /// Reads that found their key.
    Hits = 0,
    /// Reads that did not.
    Misses = 1,
    /// Keys removed at their deadline.
    Expired = 2,
    /// Keys removed to stay within the budget.
    Evicted = 3,
}

/// What a key that is new begins with, so that it is not the first to go.
const FREQUENCY_AT_FIRST: u32 = 5;

/// How keys to evict are searched for: what an [`EvictionPolicy`](crate::kv::EvictionPolicy) looks at.
///
/// # Examples
/// ```
/// use larder::kv::EvictionTuning;
/// let tuning = EvictionTuning::default();
/// assert_eq!((tuning.samples, tuning.decay_minutes, tuning.growth_factor), (5, 1, 10));
/// ```
///
/// # Source
/// Redis manual, key eviction; `maxmemory-samples`, `lfu-decay-time` and `lfu-log-factor` of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionTuning {
    /// Keys that are looked at to find one.
    pub samples: u32,
    /// Minutes after which a frequency falls by one; never at 0.
    pub decay_minutes: u32,
    /// The higher, the slower a frequency grows.
    pub growth_factor: u32,
}

impl Default for EvictionTuning {
    fn default() -> Self {
        Self { samples: 5, decay_minutes: 1, growth_factor: 10 }
    }
}

impl Default for Usage {
    fn default() -> Self {
        let EvictionTuning { samples, decay_minutes, growth_factor } = EvictionTuning::default();
        Self {
            policy: AtomicU8::new(0),
            tracking: AtomicU8::new(Tracking::Nothing as u8),
            slots: OnceLock::new(),
            random: AtomicU64::new(0),
            counters: Default::default(),
            samples: AtomicU32::new(samples),
            decay_minutes: AtomicU32::new(decay_minutes),
            growth_factor: AtomicU32::new(growth_factor),
        }
    }
}

impl Usage {
    /// Sets the policy; what was kept of uses is forgotten when something else is to be kept.
    pub(in crate::kv) fn set_policy(&self, policy: u8, tracking: Tracking) {
        let before = self.tracking.swap(tracking as u8, Ordering::Relaxed);
        if before != tracking as u8 {
            for slot in self.slots.get().into_iter().flatten() {
                slot.store(0, Ordering::Relaxed);
            }
        }
        self.policy.store(policy, Ordering::Relaxed);
    }

    pub(in crate::kv) fn tuning(&self) -> EvictionTuning {
        EvictionTuning {
            samples: self.samples.load(Ordering::Relaxed),
            decay_minutes: self.decay_minutes.load(Ordering::Relaxed),
            growth_factor: self.growth_factor.load(Ordering::Relaxed),
        }
    }

    pub(in crate::kv) fn set_tuning(&self, tuning: EvictionTuning) {
        self.samples.store(tuning.samples, Ordering::Relaxed);
        self.decay_minutes.store(tuning.decay_minutes, Ordering::Relaxed);
        self.growth_factor.store(tuning.growth_factor, Ordering::Relaxed);
    }

    /// The policy, which is kept without a budget too.
    pub(in crate::kv) fn policy(&self) -> u8 {
        self.policy.load(Ordering::Relaxed)
    }

    pub(in crate::kv) fn tracking(&self) -> Tracking {
        match self.tracking.load(Ordering::Relaxed) {
            1 => Tracking::Recency,
            2 => Tracking::Frequency,
            _ => Tracking::Nothing,
        }
    }

    /// Notes a use of the key whose head is kept at `head`, unless `view` looks at what is past, or otherwise makes no use of keys.
    #[inline]
    pub(in crate::kv) fn touch(&self, view: &View, head: &[u8]) {
        let tracking = self.tracking();
        if tracking != Tracking::Nothing && is_use(view) {
            self.note_use(tracking, head, view.now());
        }
    }

    fn note_use(&self, tracking: Tracking, head: &[u8], now: Timestamp) {
        match tracking {
            Tracking::Nothing => {}
            Tracking::Recency => self.slot(head).store(seconds(now), Ordering::Relaxed),
            Tracking::Frequency => {
                let (slot, minutes) = (self.slot(head), minutes(now));
                let before = slot.load(Ordering::Relaxed);
                let frequency = self.frequency_of(before, minutes);
                // The first use is the one that makes the key.
                let grows = before & 1 << 8 != 0 && frequency < 255 && {
                    let factor = u64::from(self.growth_factor.load(Ordering::Relaxed));
                    let odds = u64::from(frequency.saturating_sub(FREQUENCY_AT_FIRST)) * factor + 1;
                    self.random_below(odds) == 0
                };
                slot.store(minutes << 16 | 1 << 8 | (frequency + u32::from(grows)), Ordering::Relaxed);
            }
        }
    }

    /// Seconds since the key at `head` was used; `None` when that is not kept, or it was not.
    pub(in crate::kv) fn idle_seconds(&self, head: &[u8], now: Timestamp) -> Option<u32> {
        let last = (self.tracking() == Tracking::Recency).then(|| self.slot(head).load(Ordering::Relaxed))?;
        (last != 0).then(|| seconds(now).saturating_sub(last))
    }

    /// How often the key at `head` is used, from 0 to 255; `None` when that is not kept.
    pub(in crate::kv) fn frequency(&self, head: &[u8], now: Timestamp) -> Option<u32> {
        (self.tracking() == Tracking::Frequency)
            .then(|| self.frequency_of(self.slot(head).load(Ordering::Relaxed), minutes(now)))
    }

    /// Notes that the key at `head` was last used this many seconds ago, when that is kept.
    pub(in crate::kv) fn set_idle_seconds(&self, head: &[u8], idle: u64, now: Timestamp) {
        if self.tracking() == Tracking::Recency {
            let last = seconds(now).saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX));
            self.slot(head).store(last.max(1), Ordering::Relaxed);
        }
    }

    /// Notes how often the key at `head` is used, when that is kept.
    pub(in crate::kv) fn set_frequency(&self, head: &[u8], frequency: u8, now: Timestamp) {
        if self.tracking() == Tracking::Frequency {
            self.slot(head).store(minutes(now) << 16 | 1 << 8 | u32::from(frequency), Ordering::Relaxed);
        }
    }

    /// What a slot says of the frequency now. Bit 8 marks a slot that was written.
    fn frequency_of(&self, slot: u32, minutes: u32) -> u32 {
        if slot & 1 << 8 == 0 {
            return FREQUENCY_AT_FIRST;
        }
        let passed = minutes.wrapping_sub(slot >> 16) & 0xffff;
        let falls = passed.checked_div(self.decay_minutes.load(Ordering::Relaxed)).unwrap_or(0);
        (slot & 0xff).saturating_sub(falls)
    }

    /// A number below `end`, the same in every run.
    pub(in crate::kv) fn random_below(&self, end: u64) -> u64 {
        mix::mix(self.random.fetch_add(mix::STEP, Ordering::Relaxed)) % end.max(1)
    }

    pub(in crate::kv) fn count(&self, what: Counted) {
        if let Some(counter) = self.counters.get(what as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(in crate::kv) fn counted(&self, what: Counted) -> u64 {
        self.counters.get(what as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    fn slot(&self, head: &[u8]) -> &AtomicU32 {
        static NOWHERE: AtomicU32 = AtomicU32::new(0);
        let slots = self.slots.get_or_init(|| (0..limits::USAGE_SLOTS).map(|_| AtomicU32::new(0)).collect());
        let hash = mix::hash(head);
        let place = usize::try_from(hash % limits::USAGE_SLOTS as u64).unwrap_or(0);
        slots.get(place).unwrap_or(&NOWHERE)
    }
}

/// Whether what `view` reads is a use of it.
fn is_use(view: &View) -> bool {
    if view.has_mode(crate::kv::state::NO_USE) {
        return false;
    }
    !view.has_mode(Mode::PAST)
}

/// Seconds, from 1 so that 0 stands for never.
fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.as_seconds().max(0)).unwrap_or(u32::MAX).max(1)
}

fn minutes(now: Timestamp) -> u32 {
    u32::try_from((now.as_seconds() / 60).rem_euclid(1 << 16)).unwrap_or(0)
}
