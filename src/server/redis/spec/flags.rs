//! What is true of a command, each a word of its paragraph.

bitflags::bitflags! {
    /// What `COMMAND` says of a command, in the order in which it does. The names are those of redis-server, in upper
    /// case.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u32 {
        const WRITE = 1;
        const READONLY = 1 << 1;
        /// Refused when the budget of bytes is spent.
        const DENYOOM = 1 << 2;
        /// Only administrators use it.
        const ADMIN = 1 << 3;
        const PUBSUB = 1 << 4;
        /// No script may call it.
        const NOSCRIPT = 1 << 5;
        /// It may wait.
        const BLOCKING = 1 << 6;
        const LOADING = 1 << 7;
        const STALE = 1 << 8;
        /// `MONITOR` shows it before what it runs.
        const SKIP_MONITOR = 1 << 9;
        /// What it runs has its own entries in the slow log.
        const SKIP_SLOWLOG = 1 << 10;
        const FAST = 1 << 11;
        /// Allowed before `AUTH`.
        const NO_AUTH = 1 << 12;
        const NO_MANDATORY_KEYS = 1 << 13;
        const NO_ASYNC_LOADING = 1 << 14;
        /// Cannot be queued by `MULTI`.
        const NO_MULTI = 1 << 15;
        const MOVABLEKEYS = 1 << 16;
        /// Not refused because a script runs.
        const ALLOW_BUSY = 1 << 17;
    }

    /// What the door has to know of a command and clients do not see.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Traits: u16 {
        /// What it does is for others too, though it may write to no key.
        const REPLICATES = 1;
        /// Allowed to those who listen to channels by the old protocol.
        const SUBSCRIBERS = 1 << 1;
        /// It takes effect although `MULTI` queues others.
        const UNQUEUED = 1 << 2;
        /// It runs what was queued.
        const RUNS_QUEUE = 1 << 3;
        /// It has a transaction to itself.
        const ALONE = 1 << 4;
        /// `CLIENT PAUSE` does not hold it.
        const UNPAUSED = 1 << 5;
        /// It counts as a use of keys even for those who asked that nothing does.
        const TOUCHES = 1 << 6;
        /// While a script runs it is run on a stand-in for the connection's state.
        const REPLAYED = 1 << 7;
        /// Cannot be queued by `MULTI`, though clients do not see that.
        const NO_QUEUE = 1 << 8;
        /// Has nothing to do with what is stored.
        const NO_STORE = 1 << 9;
        /// Only reads, and keeps something of what it found out.
        const NOTES = 1 << 10;
        /// Only reads, and waits when an option asks for it.
        const MAY_WAIT = 1 << 11;
        /// Its reply is how many changes it has made.
        const REPLIES_CHANGES = 1 << 12;
    }
}

impl Flags {
    /// The names of those that are set.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| name.to_ascii_lowercase())
    }
}

/// The flag of a name in any case.
pub(super) fn named<F: bitflags::Flags>(name: &str) -> Option<F> {
    let mut all = F::FLAGS.iter();
    let found = all.find(|flag| flag.name().eq_ignore_ascii_case(name))?;
    Some(F::from_bits_retain(found.value().bits()))
}
