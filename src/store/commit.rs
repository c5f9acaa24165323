//! A commit on its way to the medium, to be waited for or awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::CommitNumber;
use crate::error::Result;
use crate::txn::{Pending, Settling};

/// A commit that is ordered and may still have to become durable. Given by [`Store::transaction_pending`] and
/// [`Transaction::commit_pending`].
///
/// It is acknowledged by [`Commit::wait`], which keeps the thread, or by awaiting it, which does not and works with
/// every executor. Until then nobody else is shown what it wrote, its messages are held back, and loss of power may
/// undo it: acknowledge it to nobody of it before. Commits that are waited for side by side share one sync.
///
/// Dropping it does not undo the commit: it becomes durable all the same, and nobody learns of an error of that.
///
/// # Cost
/// Awaiting needs no thread of the caller's: the store has one of its own, started with the first commit that has to be
/// waited for, and resting while there is none. A store that does not sync each commit never starts it.
///
/// # Examples
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// let store = larder::Store::open(dir.path())?;
/// let (visits, commit) = store.transaction_pending(|tx| tx.kv().increment("visits", 1))?;
/// // … other work, while the log is synced …
/// futures_lite::future::block_on(commit)?;
/// assert_eq!((visits, store.kv().get("visits")?.as_deref()), (1, Some(&b"1"[..])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// [`Store::transaction_pending`]: crate::Store::transaction_pending
/// [`Transaction::commit_pending`]: crate::Transaction::commit_pending
#[derive(Debug)]
#[must_use = "a commit is acknowledged when it has been waited for"]
pub struct Commit {
    number: CommitNumber,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody waits for it yet.
    Ordered(Pending),
    /// The store's thread waits for it.
    Given(Settling),
    /// It has been acknowledged, or its error returned.
    Ended,
}

impl Commit {
    pub(super) fn new(pending: Pending) -> Self {
        Self { number: pending.number(), state: State::Ordered(pending) }
    }

    /// Its place in the order of all commits; of a transaction that wrote nothing, the last commit that it saw.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let ((), commit) = store.transaction_pending(|tx| tx.kv().set("k", "v"))?;
    /// assert_eq!(commit.number().0, 1);
    /// commit.wait()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn number(&self) -> CommitNumber {
        self.number
    }

    /// Whether [`Commit::wait`] will not have to wait, as on a store in memory.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let ((), commit) = store.transaction_pending(|tx| tx.kv().set("k", "v"))?;
    /// assert!(commit.is_durable());
    /// commit.wait()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn is_durable(&self) -> bool {
        match &self.state {
            State::Ordered(pending) => pending.is_durable(),
            State::Given(_) => false,
            State::Ended => true,
        }
    }

    /// Keeps the thread until the commit is as durable as the store promises, and its messages are sent.
    ///
    /// # Errors
    /// The I/O error that keeps it from that. Whether the commit survives a crash is then unknown.
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = larder::Store::open(dir.path())?;
    /// let ((), first) = store.transaction_pending(|tx| tx.kv().set("a", "1"))?;
    /// let ((), second) = store.transaction_pending(|tx| tx.kv().set("b", "2"))?;
    /// second.wait()?; // one sync for both
    /// first.wait()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn wait(mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ordered(pending) => pending.settle(),
            State::Given(settling) => settling.wait(),
            State::Ended => Ok(()),
        }
    }
}

impl Future for Commit {
    type Output = Result<()>;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ordered(pending) if pending.is_durable() => return Poll::Ready(pending.settle()),
                State::Ordered(pending) => self.state = State::Given(pending.settle_later()),
                State::Given(settling) => {
                    let polled = settling.poll(context);
                    if polled.is_pending() {
                        self.state = State::Given(settling);
                    }
                    return polled;
                }
                State::Ended => panic!("a commit was polled after it was ready"),
            }
        }
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        let State::Ordered(pending) = std::mem::replace(&mut self.state, State::Ended) else { return };
        if !pending.is_durable() {
            pending.settle_later();
        } else if let Err(error) = pending.settle() {
            tracing::error!(%error, "a commit that nobody waits for has failed");
        }
    }
}
