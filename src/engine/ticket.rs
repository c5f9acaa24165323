//! The promise that a commit will be durable.

use std::fmt;
use std::sync::Arc;

use crate::engine::CommitNumber;
use crate::error::Result;

/// A commit that is ordered and applied, and may still have to reach the medium.
///
/// Dropping a ticket does not undo the commit. Writers take their tickets in turn and wait for them side by side, so that
/// many commits share one sync.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, Key, MemoryEngine};
/// let engine = MemoryEngine::new();
/// let changes = Changes::unit(Key::from(&b"a"[..]), Some(b"1"[..].into()));
/// let ticket = engine.commit(&changes, None, Durability::None)?;
/// ticket.wait()?;
/// assert_eq!(ticket.number().0, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a commit is acknowledged when its ticket has been waited for"]
pub struct Ticket {
    number: CommitNumber,
    pending: Option<Arc<dyn Settle>>,
}

/// Makes commits durable on behalf of the tickets that wait for them.
pub trait Settle: fmt::Debug + Send + Sync {
    /// Returns when `number` and every commit before it are durable and shown by [`Engine::snapshot`](super::Engine::snapshot).
    ///
    /// # Errors
    /// The I/O error that keeps them from it.
    fn settle(&self, number: CommitNumber) -> Result<()>;
}

impl Ticket {
    /// A commit that is as durable as it was asked to be.
    pub fn settled(number: CommitNumber) -> Self {
        Self { number, pending: None }
    }

    /// A commit that `pending` has yet to make durable.
    pub fn pending(number: CommitNumber, pending: Arc<dyn Settle>) -> Self {
        Self { number, pending: Some(pending) }
    }

    /// The commit's place in the order of all.
    #[must_use]
    pub fn number(&self) -> CommitNumber {
        self.number
    }

    /// Blocks until the commit is as durable as it was asked to be, and visible to every reader.
    ///
    /// # Errors
    /// The I/O error that keeps it from that. Whether the commit survives a crash is then unknown.
    pub fn wait(&self) -> Result<()> {
        self.pending.as_ref().map_or(Ok(()), |pending| pending.settle(self.number))
    }
}
