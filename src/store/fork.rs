//! Forks: independent stores that start as another one is.

use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::Durability;
use crate::error::Result;
use crate::store::Store;
use crate::txn::Core;

impl Store {
    /// An independent store that starts as this one is now. What is written to either never shows in the other.
    ///
    /// The fork keeps its writes in memory, whatever this store keeps them in, and has no subscribers. Of a store on a
    /// [`ManualClock`](crate::ManualClock) it has a manual clock of its own, which shows the same moment:
    /// [`Store::manual_clock`] gives it. The identifiers it makes are its own, too.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// # Cost
    /// O(1). No thread is started: what the fork was given with a deadline is not shown past it, but takes room until the fork has
    /// something to do in the background: something new gets a deadline, events of keys are published, or a budget is set.
    ///
    /// # Examples
    /// ```
    /// let seeded = larder::Store::in_memory();
    /// seeded.kv().set("k", "v")?;
    /// let case = seeded.fork()?;
    /// case.kv().remove("k")?;
    /// assert!(seeded.kv().get("k")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    /// A test case with time of its own:
    /// ```
    /// use larder::{ManualClock, Store};
    /// use std::time::Duration;
    /// let seeded = Store::builder().clock(ManualClock::default()).in_memory();
    /// seeded.kv().set_with_ttl("session", "ann", Duration::from_secs(60))?;
    /// let case = seeded.fork()?;
    /// case.manual_clock().expect("as the store has").advance(Duration::from_secs(60));
    /// assert!(case.kv().get("session")?.is_none() && seeded.kv().get("session")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn fork(&self) -> Result<Self> {
        self.fork_on(self.clock_of_fork(), self.inner.core.seed_of_fork())
    }

    /// As [`Store::fork`], with a clock of the caller's choice.
    ///
    /// # Errors
    /// As [`Store::fork`].
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store};
    /// use std::time::Duration;
    /// let store = Store::in_memory(); // on the system's clock
    /// store.kv().set_with_ttl("session", "ann", Duration::from_secs(60))?;
    /// let clock = ManualClock::at(store.now());
    /// let tomorrow = store.fork_with_clock(clock.clone())?;
    /// clock.advance(Duration::from_secs(86_400));
    /// assert!(tomorrow.kv().get("session")?.is_none() && store.kv().get("session")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn fork_with_clock(&self, clock: impl Clock) -> Result<Self> {
        self.fork_on(Arc::new(clock), self.inner.core.seed_of_fork())
    }

    /// As [`Store::fork`], with identifiers that are the same in every run, as [`Builder::seed`](crate::Builder::seed) has them:
    /// for test cases that run in several threads, in whatever order.
    ///
    /// # Errors
    /// As [`Store::fork`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, ManualClock, Store, bson::doc};
    /// let seeded = Store::builder().clock(ManualClock::default()).in_memory();
    /// let first_id = |case: Store| {
    ///     case.collection::<Document>("people").insert_one(&doc! {}).map(|done| done.inserted_id)
    /// };
    /// assert_eq!(first_id(seeded.fork_with_seed(7)?)?, first_id(seeded.fork_with_seed(7)?)?);
    /// assert_ne!(first_id(seeded.fork()?)?, first_id(seeded.fork()?)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn fork_with_seed(&self, seed: u64) -> Result<Self> {
        self.fork_on(self.clock_of_fork(), Some(seed))
    }

    fn clock_of_fork(&self) -> Arc<dyn Clock> {
        let clock = self.inner.core.clock();
        clock.fork().unwrap_or_else(|| Arc::clone(clock))
    }

    fn fork_on(&self, clock: Arc<dyn Clock>, seed: Option<u64>) -> Result<Self> {
        let engine = self.inner.core.engine().fork()?;
        let commit = engine.latest()?.commit();
        let core = Core::new(engine, clock, Durability::None);
        core.set_seed(seed, commit);
        self.inner.core.lead_on(&core);
        Ok(Self::from_quiet_core(core))
    }
}
