//! Observing keys: what an operation does to one is told to those who asked, once it is durable.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use crate::engine::CommitNumber;
use crate::txn::core::{Core, Effect};
use crate::txn::waiters::Waiters;

/// Something that happened to a key.
#[derive(Debug)]
pub(crate) struct KeyEvent {
    /// One bit, whose meaning is the model's.
    pub(crate) class: u32,
    pub(crate) name: &'static str,
    /// The key's address: what the model calls it, wherever it is stored.
    pub(crate) head: Box<[u8]>,
}

/// Called with an event of a durable commit and what is published; as [`Effect::release`], it must not block, fail or use the store.
type Publish = Box<dyn Fn(&KeyEvent, u32, CommitNumber, &mut Vec<Waker>) + Send + Sync>;

/// Who wants to know what. An operation asks with one load whether anybody does.
#[derive(Default)]
pub(crate) struct Observed {
    /// The classes of events that are published, and [`WAITED_FOR`].
    wanted: AtomicU32,
    publish: OnceLock<Publish>,
    pub(crate) waiters: Waiters,
}

/// Somebody waits for keys: every event counts.
const WAITED_FOR: u32 = 1 << 31;

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Observed {
    /// Sets what publishes events. Only the first call counts.
    pub(crate) fn set_publish(
        &self,
        publish: impl Fn(&KeyEvent, u32, CommitNumber, &mut Vec<Waker>) + Send + Sync + 'static,
    ) {
        // A second setting would be a mistake of the store, which sets it once, right after it is made.
        let _ = self.publish.set(Box::new(publish));
    }

    /// Publishes events of these classes from now on, and no others.
    pub(crate) fn set_published(&self, classes: u32) {
        let classes = classes & !WAITED_FOR;
        // The closure never declines.
        let _ = self
            .wanted
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wanted| Some(wanted & WAITED_FOR | classes));
    }

    pub(crate) fn published(&self) -> u32 {
        self.wanted.load(Ordering::Relaxed) & !WAITED_FOR
    }

    /// Says whether somebody waits. Called with the waiters' lock, before they look whether there is something.
    pub(super) fn set_waited_for(&self, waited_for: bool) {
        if waited_for {
            self.wanted.fetch_or(WAITED_FOR, Ordering::Relaxed);
        } else {
            self.wanted.fetch_and(!WAITED_FOR, Ordering::Relaxed);
        }
    }

    pub(super) fn wants(&self, class: u32) -> bool {
        self.wanted.load(Ordering::Relaxed) & (class | WAITED_FOR) != 0
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) & WAITED_FOR != 0
    }
}

/// An event that is told when its commit is durable.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) core: Arc<Core>,
    pub(super) event: KeyEvent,
}

impl Effect for Told {
    fn release(self: Box<Self>, commit: CommitNumber, woken: &mut Vec<Waker>) {
        let observed = self.core.observed();
        if observed.published() & self.event.class != 0
            && let Some(publish) = observed.publish.get()
        {
            publish(&self.event, observed.published(), commit, woken);
        }
        if observed.is_waited_for() {
            observed.waiters.ring(&self.event.head, woken);
        }
    }
}

/// Something that happened to every key whose address begins in one way.
#[derive(Debug)]
pub(super) struct ToldAll {
    pub(super) core: Arc<Core>,
    pub(super) prefix: Box<[u8]>,
}

impl Effect for ToldAll {
    fn release(self: Box<Self>, _: CommitNumber, woken: &mut Vec<Waker>) {
        let observed = self.core.observed();
        if observed.is_waited_for() {
            observed.waiters.ring_all(&self.prefix, woken);
        }
    }
}
