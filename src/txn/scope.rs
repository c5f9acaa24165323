//! Where a model's operation runs.

#[cfg(feature = "server")]
use std::cell::RefCell;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::engine::Snapshot;
#[cfg(feature = "server")]
use crate::error::Error;
use crate::error::Result;
#[cfg(feature = "server")]
use crate::txn::commit::Pending;
use crate::txn::core::Core;
use crate::txn::operation::Operation;
use crate::txn::steps::{self, Room, Steps};
use crate::txn::view::{View, Writer};

/// Where a handle's operations run: on the store, in a transaction, or on a snapshot.
///
/// Handles are generic over it, so that every operation is written once. Implemented by [`AutoCommit`],
/// [`InTransaction`](crate::txn::InTransaction) and [`AtSnapshot`]; its methods are the store's own affair.
///
/// # Examples
/// A function that works on the store and inside a transaction alike:
/// ```
/// use larder::{Kv, Result, Store, WriteScope};
/// fn visit<S: WriteScope>(kv: &Kv<S>) -> Result<i64> {
///     kv.increment("visits", 1)
/// }
/// let store = Store::in_memory();
/// visit(&store.kv())?;
/// store.transaction(|tx| visit(&tx.kv()))?;
/// assert_eq!(visit(&store.kv())?, 3);
/// # Ok::<(), larder::Error>(())
/// ```
pub trait Scope: Clone {
    /// Runs a reading operation.
    #[doc(hidden)]
    fn read<R>(&self, operation: Operation<'_>, body: impl FnOnce(&View) -> Result<R>) -> Result<R>;
}

/// A [`Scope`] that can be written to.
///
/// # Examples
/// A function that writes on the store and inside a transaction, but not on a snapshot:
/// ```
/// use larder::{Kv, Result, Store, WriteScope};
/// fn open<S: WriteScope>(doors: &Kv<S>) -> Result<()> {
///     doors.set("front", "open")
/// }
/// let store = Store::in_memory();
/// store.transaction(|tx| open(&tx.kv()))?;
/// assert_eq!(store.kv().get("front")?.as_deref(), Some(&b"open"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
pub trait WriteScope: Scope {
    /// Runs a writing operation. `body` may run more than once; only its last run counts.
    #[doc(hidden)]
    fn write<R>(&self, operation: Operation<'_>, body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R>;

    /// Runs a writing operation that can be done in steps: several commits on the store, one step in a transaction.
    #[doc(hidden)]
    fn write_steps(&self, operation: Operation<'_>, steps: &mut impl Steps) -> Result<()> {
        let done = self.write(operation, |writer| steps.step(writer, Room::Unbounded))?;
        steps.committed(done).map(drop)
    }

    /// The store, when each operation is a transaction of its own there.
    #[doc(hidden)]
    fn auto_commit(&self) -> Option<&AutoCommit> {
        None
    }
}

/// Runs each operation as a transaction of its own, on the store. Owned, cheap to clone, shareable between threads.
///
/// # Examples
/// ```
/// use larder::{AutoCommit, Kv, Store};
/// struct Sessions { kv: Kv<AutoCommit> }
/// let sessions = Sessions { kv: Store::in_memory().kv() };
/// sessions.kv.set("7", "ann")?;
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AutoCommit(Arc<Core>);

impl AutoCommit {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// What is shared with every other handle of the store.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0
    }
}

impl Scope for AutoCommit {
    fn read<R>(&self, operation: Operation<'_>, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        operation.record(|meter| {
            let mut view = self.0.view()?;
            view.set_newest();
            view.set_meter(meter);
            body(&view)
        })
    }
}

impl WriteScope for AutoCommit {
    fn write<R>(&self, operation: Operation<'_>, mut body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        operation.record(|meter| {
            self.0.exclusive_in_place(|writer| {
                writer.set_meter(meter);
                writer.run(&operation, &mut body)
            })
        })
    }

    fn write_steps(&self, operation: Operation<'_>, steps: &mut impl Steps) -> Result<()> {
        operation.record(|meter| steps::run(&self.0, &operation, meter, steps))
    }

    fn auto_commit(&self) -> Option<&AutoCommit> {
        Some(self)
    }
}

/// As [`AutoCommit`], for a door: operations do not wait until what they did is durable. The last commit is kept for whoever made
/// this, and nobody may learn of what the operations returned before that one has settled.
#[cfg(feature = "server")]
#[derive(Clone, Debug)]
pub(crate) struct Unsettled<'a> {
    store: AutoCommit,
    last: &'a RefCell<Option<Pending>>,
}

#[cfg(feature = "server")]
impl<'a> Unsettled<'a> {
    /// Operations on `store` whose commits are left in `last`.
    pub(crate) fn new(store: AutoCommit, last: &'a RefCell<Option<Pending>>) -> Self {
        Self { store, last }
    }
}

#[cfg(feature = "server")]
impl Scope for Unsettled<'_> {
    fn read<R>(&self, operation: Operation<'_>, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        self.store.read(operation, body)
    }
}

#[cfg(feature = "server")]
impl WriteScope for Unsettled<'_> {
    fn write<R>(&self, operation: Operation<'_>, mut body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        operation.record(|meter| {
            let attempted = self.store.0.exclusive_pending(|mut writer| {
                writer.set_meter(meter);
                let value = writer.run(&operation, &mut body)?;
                Ok::<_, Error>((value, writer))
            })?;
            // What is refused depends on a state that has to be durable, too.
            self.last.replace(Some(attempted.pending));
            attempted.outcome
        })
    }

    fn write_steps(&self, operation: Operation<'_>, steps: &mut impl Steps) -> Result<()> {
        operation.record(|meter| {
            let (last, outcome) = steps::run_unsettled(&self.store.0, &operation, meter, steps);
            if last.is_some() {
                self.last.replace(last);
            }
            outcome
        })
    }

    fn auto_commit(&self) -> Option<&AutoCommit> {
        Some(&self.store)
    }
}

/// Runs operations on one snapshot, at the moment when it was taken. Owned, cheap to clone.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let before = store.snapshot()?;
/// store.kv().set("k", "v")?;
/// assert!(before.kv().get("k")?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AtSnapshot {
    core: Arc<Core>,
    snapshot: Arc<dyn Snapshot>,
    taken_at: Timestamp,
}

impl AtSnapshot {
    /// The newest snapshot of the store that is `core`, and this moment.
    pub(crate) fn take(core: &Arc<Core>) -> Result<Self> {
        let snapshot = core.engine().snapshot()?;
        Ok(Self { core: Arc::clone(core), snapshot, taken_at: core.now() })
    }

    pub(crate) fn snapshot(&self) -> &Arc<dyn Snapshot> {
        &self.snapshot
    }
}

impl Scope for AtSnapshot {
    fn read<R>(&self, operation: Operation<'_>, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        operation.record(|meter| {
            let mut view = View::at(Arc::clone(&self.core), Arc::clone(&self.snapshot), self.taken_at);
            view.set_meter(meter);
            body(&view)
        })
    }
}
