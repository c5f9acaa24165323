//! Transactions: how a store runs them, and what the caller waits for.
//!
//! | | waits for other writers | waits for the sync | the body |
//! |---|---|---|---|
//! | [`Store::transaction`] | the thread | the thread | runs once |
//! | [`Store::transaction_watching`] | the thread | the thread | runs once, or not at all |
//! | [`Store::transaction_retrying`] | the thread | the thread | may run again, on an engine that others write to |
//! | [`Store::transaction_pending`] | the thread | the holder of the [`Commit`] | runs once |
//! | [`Store::transaction_async`] | the task | the task | runs once, when the task has the turn |
//! | [`Store::begin`], [`Store::begin_with`] | at the commit | at the commit | is the caller's |

use std::future::Future;
#[cfg(feature = "server")]
use std::sync::Arc;

#[cfg(feature = "server")]
use crate::document::Database;
use crate::engine::Ticket;
use crate::error::{Error, Result};
#[cfg(feature = "server")]
use crate::item::Items;
use crate::kv::Watch;
use crate::store::{Commit, Store, Transaction};
use crate::txn::{Attempted, Isolation, Running, Start};
#[cfg(feature = "server")]
use crate::txn::{AutoCommit, Pending, Turn, Unsettled};
#[cfg(feature = "server")]
use crate::wide_column::cql::Cql;

impl Store {
    /// Runs `body` as one transaction over every model: all of it is committed, or nothing. An error or a panic rolls back.
    ///
    /// Writers take turns, so that `body` cannot conflict on an engine of this process, and runs once. It may return an error of
    /// the caller's own, anything that a [`larder::Error`](crate::Error) turns into with `?`.
    ///
    /// # Errors
    /// What `body` returns, or why the commit failed.
    /// [`Error::NestedTransaction`] from any of the store's own handles that `body` uses instead of the transaction's.
    /// [`Error::Conflict`] on an engine that other processes write to, where
    /// [`Store::transaction_retrying`] runs it again.
    ///
    /// # Cost
    /// Keeps the thread until other writers are done and the commit is durable. From a task, use
    /// [`Store::transaction_async`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let store = Store::in_memory();
    /// store.transaction(|tx| {
    ///     tx.collection::<Document>("orders").insert_one(&doc! { "_id": 1, "amount": 30 })?;
    ///     tx.kv().remove("user:7:profile")?;
    ///     tx.kv().sorted_set("leaderboard").increment("user:7", 30.0)?;
    ///     tx.publish("orders", "1")
    /// })?;
    /// assert_eq!(store.kv().sorted_set("leaderboard").score("user:7")?, Some(30.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    /// With an error of one's own, and a value moved out:
    /// ```
    /// #[derive(Debug)]
    /// enum Refused { SoldOut, Store(larder::Error) }
    /// impl From<larder::Error> for Refused {
    ///     fn from(error: larder::Error) -> Self {
    ///         Self::Store(error)
    ///     }
    /// }
    /// let store = larder::Store::in_memory();
    /// let buyer = String::from("ann");
    /// let bought = store.transaction(|tx| {
    ///     if tx.kv().increment("stock", -1)? < 0 {
    ///         return Err(Refused::SoldOut);
    ///     }
    ///     Ok(buyer)
    /// });
    /// assert!(matches!(bought, Err(Refused::SoldOut)));
    /// assert!(store.kv().get("stock")?.is_none(), "rolled back");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn transaction<R, E: From<Error>>(&self, body: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        self.inner.core.exclusive_once(|start| self.run_and_commit(start, body))?.settle()
    }

    /// As [`Store::transaction`], but `body` runs again, at most [`TRANSACTION_ATTEMPTS_MAX`] times, when another process has
    /// changed what it read. It should have no effects of its own.
    ///
    /// [`TRANSACTION_ATTEMPTS_MAX`]: crate::limits::TRANSACTION_ATTEMPTS_MAX
    ///
    /// # Errors
    /// As [`Store::transaction`]; [`Error::Conflict`] when the last attempt met one, too.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// assert_eq!(store.transaction_retrying(|tx| tx.kv().increment("visits", 1))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn transaction_retrying<R, E: From<Error>>(
        &self,
        mut body: impl FnMut(&Transaction) -> Result<R, E>,
    ) -> Result<R, E> {
        self.inner.core.exclusive_retrying(|start| self.run_and_commit(start, &mut body))?.settle()
    }

    /// As [`Store::transaction`], unless something that is watched has changed, or expired, since [`Kv::watch`](crate::Kv::watch): then
    /// `body` does not run, and `None` is returned.
    ///
    /// # Errors
    /// As [`Store::transaction`]; [`Error::Invalid`] when it was watched on another store.
    ///
    /// # Cost
    /// As [`Store::transaction`], and O(log n) for each key that is watched.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("stock", "3")?;
    /// let sell = || {
    ///     let watch = store.kv().watch(["stock"])?;
    ///     let stock = store.kv().get("stock")?.unwrap_or_default();
    ///     let left: i64 = String::from_utf8_lossy(&stock).parse().unwrap_or(0);
    ///     // … what takes long …
    ///     store.transaction_watching(watch, |tx| tx.kv().set("stock", (left - 1).to_string()))
    /// };
    /// while sell()?.is_none() {}
    /// assert_eq!(store.kv().get("stock")?.as_deref(), Some(&b"2"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, transactions: optimistic locking using check-and-set.
    #[doc(alias("WATCH", "EXEC"))]
    pub fn transaction_watching<R, E: From<Error>>(
        &self,
        watch: Watch,
        body: impl FnOnce(&Transaction) -> Result<R, E>,
    ) -> Result<Option<R>, E> {
        self.transaction(|tx| {
            let is_unchanged = tx.is_unchanged(&watch)?;
            drop(watch);
            if is_unchanged { body(tx).map(Some) } else { Ok(None) }
        })
    }

    /// As [`Store::transaction`], without waiting for the commit to become durable: what `body` returned, and the
    /// [`Commit`] to wait for or to await. Acknowledge the first to nobody before the second is done.
    ///
    /// Many of these, and then one wait for the last, share one sync.
    ///
    /// # Errors
    /// As [`Store::transaction`], but for those of the sync. An error of `body` is returned when what it saw is
    /// durable.
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = larder::Store::open(dir.path())?;
    /// let commits: Vec<_> =
    ///     (0..100).map(|_| store.transaction_pending(|tx| tx.kv().increment("visits", 1))).collect::<larder::Result<_>>()?;
    /// for (visits, commit) in commits.into_iter().rev() {
    ///     commit.wait()?;
    ///     println!("visit {visits} is counted");
    /// }
    /// assert!(store.stats()?.syncs < 50, "and not a sync for each");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn transaction_pending<R, E: From<Error>>(
        &self,
        body: impl FnOnce(&Transaction) -> Result<R, E>,
    ) -> Result<(R, Commit), E> {
        let Attempted { outcome, pending } =
            self.inner.core.exclusive_once(|start| self.run_and_commit(start, body))?;
        match outcome {
            Ok(value) => Ok((value, Commit::new(pending))),
            Err(error) => {
                pending.settle()?;
                Err(error)
            }
        }
    }

    /// As [`Store::transaction`], for a task: neither the wait for other writers nor that for the sync keeps the thread. Works
    /// with every executor.
    ///
    /// `body` runs at once, on the thread that polls, when the task has come to its turn; what takes long in it belongs into
    /// a thread of its own (`spawn_blocking` and its like). A future that is dropped before its turn has done nothing; one that is dropped
    /// later has committed, and that becomes durable all the same.
    ///
    /// # Errors
    /// As [`Store::transaction`]. [`Error::NestedTransaction`] when polled inside an exclusive transaction of the thread.
    ///
    /// # Examples
    /// ```
    /// # let store = larder::Store::in_memory();
    /// # futures_lite::future::block_on(async {
    /// let seat = store.transaction_async(|tx| tx.kv().increment("seats", 1)).await?;
    /// assert_eq!(seat, 1);
    /// # Ok::<(), larder::Error>(())
    /// # })?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn transaction_async<R, E: From<Error>, F>(&self, body: F) -> impl Future<Output = Result<R, E>> + use<R, E, F>
    where
        F: FnOnce(&Transaction) -> Result<R, E>,
    {
        let store = self.clone();
        async move {
            let Attempted { outcome, pending } = {
                let turn = store.inner.core.turn().await?;
                store.inner.core.attempt(turn, |start| store.run_and_commit(start, body))?
            };
            Commit::new(pending).await?;
            outcome
        }
    }

    /// Starts an optimistic transaction, to be held as long as the caller likes.
    ///
    /// It reads the snapshot of this moment and its own writes; [`Transaction::commit`] fails with a conflict when
    /// anything it read has been changed since. Dropping it rolls it back.
    ///
    /// What shares a head conflicts as one: two transactions that add different members to one sorted set, set different fields of one
    /// hash or push to one list. Documents, items, rows and strings do not.
    ///
    /// # Errors
    /// [`Error::NestedTransaction`] inside an exclusive transaction of this thread.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let tx = store.begin()?;
    /// let seen = tx.kv().increment("visits", 1)?;
    /// store.kv().increment("visits", 1)?;
    /// assert!(tx.commit().unwrap_err().is_retryable());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("MULTI", "startTransaction", "start_transaction"))]
    pub fn begin(&self) -> Result<Transaction> {
        self.begin_with(Isolation::Serializable)
    }

    /// As [`Store::begin`], with an isolation of the caller's choice.
    ///
    /// # Errors
    /// As [`Store::begin`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Isolation, Store};
    /// let store = Store::in_memory();
    /// let tx = store.begin_with(Isolation::Snapshot)?;
    /// let rate = tx.kv().get("rate")?;
    /// tx.kv().set("report", "…")?;
    /// store.kv().set("rate", "7")?;
    /// tx.commit()?; // it did not write what was changed
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "SnapshotIsolation")]
    pub fn begin_with(&self, isolation: Isolation) -> Result<Transaction> {
        let start = self.inner.core.begin(isolation)?;
        Ok(Transaction::new(self.clone(), Running::new(start)))
    }

    /// The turn to write, for [`Store::transaction_unsettled`], if nobody has it.
    #[cfg(feature = "server")]
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        self.inner.core.try_turn()
    }

    /// The turn to write, for which a task waits.
    ///
    /// # Errors
    /// [`Error::NestedTransaction`] inside an exclusive transaction of the thread.
    #[cfg(feature = "server")]
    pub(crate) async fn turn(&self) -> Result<Turn<'_>> {
        self.inner.core.turn().await
    }

    /// The turn to write, for which the thread waits.
    #[cfg(feature = "server")]
    pub(crate) fn wait_for_turn(&self) -> Turn<'_> {
        self.inner.core.take_turn()
    }

    /// As [`Store::transaction_retrying`], for a door that has waited for its turn, and waits for the commit in its own way.
    #[cfg(feature = "server")]
    pub(crate) fn transaction_unsettled<R>(
        &self,
        turn: Turn<'_>,
        mut body: impl FnMut(&Transaction) -> Result<R>,
    ) -> Result<(R, Pending)> {
        let core = &self.inner.core;
        let attempted = match core.attempt(turn, |start| self.run_and_commit(start, &mut body)) {
            Err(error) if error.is_retryable() => {
                core.exclusive_retrying(|start| self.run_and_commit(start, &mut body))
            }
            attempted => attempted,
        };
        unsettled(attempted?)
    }

    /// A number that this store gives out once; [`Builder::seed`](crate::Builder::seed) has the same run give out the same.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door gives out numbers")]
    pub(crate) fn unique_number(&self) -> u64 {
        self.inner.core.ids().next()
    }

    /// The database `name`, for a door that waits for commits in its own way: the last of them is left in `last`.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door serves documents")]
    pub(crate) fn database_unsettled<'a>(
        &self,
        name: &str,
        last: &'a std::cell::RefCell<Option<Pending>>,
    ) -> Database<Unsettled<'a>> {
        Database::new(Unsettled::new(AutoCommit::new(Arc::clone(&self.inner.core)), last), name)
    }

    /// The item tables, for a door that waits for commits in its own way: the last of them is left in `last`.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door serves items")]
    pub(crate) fn items_unsettled<'a>(&self, last: &'a std::cell::RefCell<Option<Pending>>) -> Items<Unsettled<'a>> {
        Items::new(Unsettled::new(AutoCommit::new(Arc::clone(&self.inner.core)), last))
    }

    /// A session of CQL in a keyspace, for a door that waits for commits in its own way: the last of them is left in `last`.
    #[cfg(feature = "server")]
    #[allow(dead_code, reason = "not every door speaks CQL")]
    pub(crate) fn cql_unsettled<'a>(
        &self,
        keyspace: Option<String>,
        last: &'a std::cell::RefCell<Option<Pending>>,
    ) -> Cql<Unsettled<'a>> {
        Cql::within(Unsettled::new(AutoCommit::new(Arc::clone(&self.inner.core)), last), keyspace)
    }

    /// Runs `body`, which may only read, on the newest state and without the turn to write. Nobody may learn of what it
    /// returns before what it saw has settled.
    #[cfg(feature = "server")]
    pub(crate) fn reading_unsettled<R>(&self, body: impl FnOnce(&Transaction) -> Result<R>) -> Result<(R, Pending)> {
        unsettled(self.inner.core.read_latest(|start| body(&Transaction::new(self.clone(), Running::reading(start))))?)
    }

    #[inline]
    fn run_and_commit<R, E>(
        &self,
        start: Start,
        body: impl FnOnce(&Transaction) -> Result<R, E>,
    ) -> Result<(R, Result<Ticket>), E> {
        let transaction = Transaction::new(self.clone(), Running::new(start));
        let value = body(&transaction)?;
        Ok((value, transaction.commit_in_turn()))
    }
}

#[cfg(feature = "server")]
fn unsettled<R>(Attempted { outcome, pending }: Attempted<R, Error>) -> Result<(R, Pending)> {
    match outcome {
        Ok(value) => Ok((value, pending)),
        Err(error) => {
            pending.settle()?;
            Err(error)
        }
    }
}
