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
/// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
/// let engine = MemoryEngine::new();
/// let changes = Changes::putting(b"a", b"1");
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
///
/// # Examples
/// A medium that has gone:
/// ```
/// use larder::{Error, engine::{CommitNumber, Settle, Ticket}};
/// use std::sync::Arc;
/// #[derive(Debug)]
/// struct Gone;
/// impl Settle for Gone {
///     fn settle(&self, _number: CommitNumber) -> larder::Result<()> {
///         Err(Error::Closed)
///     }
/// }
/// assert!(matches!(Ticket::pending(CommitNumber(1), Arc::new(Gone)).wait(), Err(Error::Closed)));
/// ```
pub trait Settle: fmt::Debug + Send + Sync {
    /// Returns when `number` and every commit before it are durable and shown by [`Engine::snapshot`](super::Engine::snapshot).
    ///
    /// # Errors
    /// The I/O error that keeps them from it.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Settle};
    /// # #[derive(Debug)]
    /// # struct AtOnce;
    /// # impl Settle for AtOnce {
    /// #     fn settle(&self, _number: CommitNumber) -> larder::Result<()> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// let medium: &dyn Settle = &AtOnce;
    /// assert!(medium.settle(CommitNumber(1)).is_ok());
    /// ```
    fn settle(&self, number: CommitNumber) -> Result<()>;
}

impl Ticket {
    /// A commit that is as durable as it was asked to be.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Ticket};
    /// assert!(Ticket::settled(CommitNumber(1)).wait().is_ok());
    /// ```
    pub fn settled(number: CommitNumber) -> Self {
        Self { number, pending: None }
    }

    /// A commit that `pending` has yet to make durable.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Settle, Ticket};
    /// use std::sync::Arc;
    /// # #[derive(Debug)]
    /// # struct AtOnce;
    /// # impl Settle for AtOnce {
    /// #     fn settle(&self, _number: CommitNumber) -> larder::Result<()> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// let ticket = Ticket::pending(CommitNumber(1), Arc::new(AtOnce));
    /// assert!(ticket.wait().is_ok());
    /// ```
    pub fn pending(number: CommitNumber, pending: Arc<dyn Settle>) -> Self {
        Self { number, pending: Some(pending) }
    }

    /// The commit's place in the order of all.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Ticket};
    /// assert_eq!(Ticket::settled(CommitNumber(7)).number(), CommitNumber(7));
    /// ```
    #[must_use]
    pub fn number(&self) -> CommitNumber {
        self.number
    }

    /// Whether [`Ticket::wait`] will not have to wait.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Ticket};
    /// assert!(Ticket::settled(CommitNumber(1)).is_settled());
    /// ```
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.pending.is_none()
    }

    /// Blocks until the commit is as durable as it was asked to be, and visible to every reader.
    ///
    /// # Errors
    /// The I/O error that keeps it from that. Whether the commit survives a crash is then unknown.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// let changes = Changes::putting(b"a", b"1");
    /// engine.commit(&changes, None, Durability::Sync)?.wait()?;
    /// assert!(engine.snapshot()?.get(b"a")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn wait(&self) -> Result<()> {
        self.pending.as_ref().map_or(Ok(()), |pending| pending.settle(self.number))
    }
}
