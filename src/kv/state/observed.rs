//! Who wants to know what happens to keys: those who asked learn of it once it is durable.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use crate::engine::CommitNumber;
use crate::kv::state::note::KeyEvent;
use crate::kv::state::waiters::Waiters;
use crate::txn::States;

/// Called with an event of a durable commit and what is published; as [`Note::release`](crate::txn::Note::release), it must not
/// block, fail or use the store.
pub(crate) type Publish = fn(&States, &KeyEvent, u32, CommitNumber, &mut Vec<Waker>);

/// Who wants to know what. An operation asks with one load whether anybody does.
#[derive(Default)]
pub(in crate::kv) struct Observed {
    /// The classes of events that are published, and [`WAITED_FOR`].
    wanted: AtomicU32,
    publish: OnceLock<Publish>,
    pub(super) waiters: Waiters,
}

/// Somebody waits for keys: every event counts.
const WAITED_FOR: u32 = 1 << 31;

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Observed {
    /// Publishes events of these classes from now on, and no others. Only the first `publish` counts.
    pub(in crate::kv) fn set_published(&self, classes: u32, publish: Publish) {
        self.publish.get_or_init(|| publish);
        let classes = classes & !WAITED_FOR;
        // The closure never declines.
        let _ = self
            .wanted
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wanted| Some(wanted & WAITED_FOR | classes));
    }

    /// What publishes events of a class, if they are published.
    pub(super) fn publisher_of(&self, class: u32) -> Option<Publish> {
        (self.published() & class != 0).then(|| self.publish.get().copied()).flatten()
    }

    pub(super) fn published(&self) -> u32 {
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
