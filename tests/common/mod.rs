//! An engine in memory whose commits a test sees, counts or holds up.

use std::sync::Arc;

use larder::Result;
use larder::engine::{Changes, Durability, Engine, EngineStats, MemoryEngine, Reads, Snapshot, Ticket};

/// What a test does about the commits of its engine.
pub(crate) trait Commits: std::fmt::Debug + Send + Sync + 'static {
    /// Commits `changes` to `inner`, or does not.
    fn commit(
        &self,
        inner: &MemoryEngine,
        changes: &Changes,
        reads: Option<&Reads>,
        durability: Durability,
    ) -> Result<Ticket>;
}

/// The engine in memory, but for its commits.
#[derive(Debug)]
pub(crate) struct Watched<C> {
    pub(crate) inner: MemoryEngine,
    pub(crate) commits: C,
}

impl<C: Commits> Watched<C> {
    pub(crate) fn new(commits: C) -> Self {
        Self { inner: MemoryEngine::new(), commits }
    }
}

impl<C: Commits> Engine for Watched<C> {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        self.inner.snapshot()
    }

    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        self.inner.latest()
    }

    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.inner.begin()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        self.commits.commit(&self.inner, changes, reads, durability)
    }

    fn is_persistent(&self) -> bool {
        false
    }

    fn fork(&self) -> Result<Arc<dyn Engine>> {
        self.inner.fork()
    }

    fn sync(&self) -> Result<()> {
        self.inner.sync()
    }

    fn stats(&self) -> Result<EngineStats> {
        self.inner.stats()
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }
}
