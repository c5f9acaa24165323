//! Parameters that the store and the door act on, in the types in which they are read.
//!
//! # Invariants
//! 1. Each [`Number`] has a getter of [`Parameters`], made by the same line: one that nothing reads is dead code, which
//!    the lints refuse.
//! 2. What else is live is applied by an exhaustive match.

use std::cell::Cell;

use crate::server::password::Credentials;
use crate::server::redis::acl::rights::NewUsersHear;
use crate::server::redis::acl::{DEFAULT, Users};
use crate::server::redis::config::Parameters;
use crate::server::redis::frame::refusal::Refusal;
use crate::server::saves::SavePoint;
use crate::store::Store;

/// What acts on a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// Whoever reads this number.
    Number(Number),
    /// The store's budget of bytes.
    Budget,
    /// The store's choice of keys to evict.
    Policy,
    /// How the store finds keys to evict.
    Eviction(Tuned),
    /// The store's publishing of events.
    Events,
    /// The user `default`.
    Password,
    /// The connections, by [`Parameters::output_limit`].
    OutputLimits,
    /// The checkpoints that the door makes by itself, by [`Parameters::save_points`].
    SavePoints,
    /// `INFO latencystats`, by [`Parameters::percentiles`].
    Percentiles,
}

/// Settings of the search for keys to evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tuned {
    Samples,
    DecayMinutes,
    GrowthFactor,
}

macro_rules! numbers {
    ($($(#[$attribute:meta])* $number:ident => $getter:ident: $type:ty,)*) => {
        /// A parameter that is kept as a number: a flag is 0 or 1, a word its place among those there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Number {
            $($number,)*
        }

        impl Number {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$number,)*];
            const COUNT: usize = [$(stringify!($number),)*].len();
        }

        impl Parameters {
            $($(#[$attribute])*
            pub(crate) fn $getter(&self) -> $type {
                <$type as FromNumber>::from_number(self.numbers.get(Number::$number))
            })*
        }
    };
}

numbers! {
    /// Whether a new user has every channel.
    NewUsersHearAll => new_users_hear: NewUsersHear,
    /// Entries of `ACL LOG`.
    DenialsKept => denials_kept: usize,
    /// Milliseconds after which others are refused as `BUSY` because of a script.
    BusyReplyMillis => busy_reply_ms: u64,
    /// Bytes that one client may have sent and that wait to be run.
    QueryBufferBytes => query_buffer_bytes: usize,
    /// Bytes of one word of a request.
    BulkBytes => bulk_bytes: usize,
    /// Seconds after which the system asks a silent peer whether it is there; 0 for never.
    KeepaliveSeconds => keepalive_seconds: u64,
    /// Bytes that the connections of all clients may take up.
    ClientsMemory => clients_memory: ClientsMemory,
    /// Seconds after which a client that sends nothing is disconnected; never at 0.
    IdleSeconds => idle_seconds: u64,
    /// Clients that are let in.
    ClientsMax => clients_max: usize,
    /// Microseconds from which a command is slow; none is below 0.
    SlowMicros => slow_micros: i64,
    /// Entries of the slow log.
    SlowLogLen => slow_log_len: usize,
    /// Milliseconds from which a latency is kept; none is at 0.
    LatencyMillis => latency_ms: u64,
    /// Whether `INFO latencystats` has anything.
    TracksLatency => tracks_latency: bool,
    /// Whether `DEL` removes as `UNLINK` does.
    DeletesLazily => deletes_lazily: bool,
    /// Whether `FLUSHDB` and `FLUSHALL` remove as with `ASYNC`.
    FlushesLazily => flushes_lazily: bool,
    /// Entries of a node of a stream, of which `~` trims whole ones; 0 for no bound.
    StreamNodeEntries => stream_node_entries: u64,
    /// Bytes of a node of a stream; 0 for no bound.
    StreamNodeBytes => stream_node_bytes: u64,
    /// Values of a node of a list, or below 0 a class of bytes.
    ListNodeSize => list_node_size: i64,
    /// Fields of a hash that is a listpack.
    SmallHashFields => small_hash_fields: u64,
    /// Bytes of a field, and of a value, of a hash that is a listpack.
    SmallHashBytes => small_hash_bytes: usize,
    /// Members of a set that is an intset.
    SmallSetIntegers => small_set_integers: u64,
    /// Members of a set that is a listpack.
    SmallSetMembers => small_set_members: u64,
    /// Bytes of a member of a set that is a listpack.
    SmallSetBytes => small_set_bytes: usize,
    /// Members of a sorted set that is a listpack.
    SmallSortedSetMembers => small_sorted_set_members: u64,
    /// Bytes of a member of a sorted set that is a listpack.
    SmallSortedSetBytes => small_sorted_set_bytes: usize,
}

/// A type in which a number is read.
trait FromNumber {
    fn from_number(number: i64) -> Self;
}

impl FromNumber for i64 {
    fn from_number(number: i64) -> Self {
        number
    }
}

impl FromNumber for u64 {
    fn from_number(number: i64) -> Self {
        number.try_into().unwrap_or(0)
    }
}

impl FromNumber for usize {
    fn from_number(number: i64) -> Self {
        number.max(0).try_into().unwrap_or(Self::MAX)
    }
}

impl FromNumber for bool {
    fn from_number(number: i64) -> Self {
        number != 0
    }
}

impl FromNumber for NewUsersHear {
    fn from_number(number: i64) -> Self {
        if number == 0 { Self::All } else { Self::None }
    }
}

/// Bytes that the connections of all clients may take up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientsMemory {
    /// As many as there are.
    Unlimited,
    Bytes(u64),
    /// Of the store's budget.
    Percent(u64),
}

impl FromNumber for ClientsMemory {
    fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Unlimited,
            1.. => Self::Bytes(number.unsigned_abs()),
            _ => Self::Percent(number.unsigned_abs()),
        }
    }
}

impl ClientsMemory {
    /// The number of bytes beside a store with this budget; `None` for no bound.
    pub(crate) fn bytes(self, budget: Option<u64>) -> Option<u64> {
        match self {
            Self::Unlimited => None,
            Self::Bytes(bytes) => Some(bytes),
            // As in Redis a share of no budget is no bound.
            Self::Percent(percent) => budget.map(|budget| budget / 100 * percent + budget % 100 * percent / 100),
        }
    }
}

/// Classes of clients that have limits for what waits to be sent to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputClass {
    Normal = 0,
    // Between them is the class of replicas, of which a door has none.
    Subscriber = 2,
}

/// Bytes that may wait to be sent to one client; 0 is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputLimit {
    /// Never more than this.
    pub(crate) hard_bytes: u64,
    /// More than this for no longer than [`Self::soft_seconds`].
    pub(crate) soft_bytes: u64,
    pub(super) soft_seconds: u64,
}

/// The numbers, in the order of [`Number`].
#[derive(Debug)]
pub(super) struct Numbers([Cell<i64>; Number::COUNT]);

impl Default for Numbers {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Cell::new(0)))
    }
}

impl Numbers {
    fn get(&self, number: Number) -> i64 {
        self.0.get(number as usize).map_or(0, Cell::get)
    }

    pub(super) fn set(&self, number: Number, value: i64) {
        if let Some(cell) = self.0.get(number as usize) {
            cell.set(value);
        }
    }
}

impl Parameters {
    /// What may wait to be sent to a client of a class.
    pub(super) fn output_limit(&self, class: OutputClass) -> OutputLimit {
        let text = self.text("client-output-buffer-limit");
        let words: Vec<_> = text.split(' ').collect();
        let number = |at: usize| words.get(class as usize * 4 + at).and_then(|word| word.parse().ok()).unwrap_or(0);
        OutputLimit { hard_bytes: number(1), soft_bytes: number(2), soft_seconds: number(3) }
    }

    /// When checkpoints are made.
    pub(crate) fn save_points(&self) -> Vec<SavePoint> {
        let text = self.text("save");
        let numbers: Vec<u64> = text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        numbers
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[seconds, changes]| SavePoint { seconds: *seconds, changes: *changes })
            .collect()
    }

    /// The percentiles of `INFO latencystats`, as they are written.
    pub(crate) fn percentiles(&self) -> String {
        self.text("latency-tracking-info-percentiles")
    }
}

/// A parameter that is live, with the new value as it is given back and as a number.
pub(super) struct Change<'a> {
    pub(super) live: Live,
    pub(super) value: &'a [u8],
    pub(super) number: i64,
}

/// Makes the store and the door act on the changes. What can be refused comes first.
pub(super) fn apply(
    parameters: &Parameters,
    changes: &[Change<'_>],
    store: &Store,
    users: &Users,
) -> Result<(), Refusal> {
    apply_budget(changes, store)?;
    for Change { live, value, number } in changes {
        match live {
            Live::Number(place) => parameters.numbers.set(*place, *number),
            Live::Eviction(tuned) => {
                let mut tuning = store.eviction_tuning();
                let number = u32::try_from(*number).unwrap_or(u32::MAX);
                match tuned {
                    Tuned::Samples => tuning.samples = number,
                    Tuned::DecayMinutes => tuning.decay_minutes = number,
                    Tuned::GrowthFactor => tuning.growth_factor = number,
                }
                store.set_eviction_tuning(tuning);
            }
            Live::Events => store.publish_key_events(String::from_utf8_lossy(value).parse()?),
            Live::Password => set_password(value, users),
            // Read where they are needed; the budget was set before.
            Live::OutputLimits | Live::SavePoints | Live::Percentiles | Live::Budget | Live::Policy => {}
        }
    }
    Ok(())
}

fn apply_budget(changes: &[Change<'_>], store: &Store) -> Result<(), Refusal> {
    let (mut budget, mut policy) = store.memory_budget();
    let before = (budget, policy);
    for change in changes {
        match change.live {
            Live::Budget => budget = u64::try_from(change.number).ok().filter(|bytes| *bytes > 0),
            Live::Policy => policy = String::from_utf8_lossy(change.value).parse().unwrap_or(policy),
            _ => {}
        }
    }
    if (budget, policy) != before {
        store.set_memory_budget(budget, policy)?;
    }
    Ok(())
}

fn set_password(password: &[u8], users: &Users) {
    let mut account = users.default_user().account().clone();
    account.has_no_password = password.is_empty();
    account.credentials = if password.is_empty() { Credentials::default() } else { Credentials::of(password) };
    users.set(DEFAULT, account);
}
