//! What the engines on a database of another make have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::group::{GroupCommit, Log, Opened};
use crate::engine::interval::IntervalSync;
use crate::engine::{Changes, Durability, EngineStats, Reads, Snapshot, Ticket, check_changes};
use crate::error::Result;

/// Commits to `L` in groups, and syncs it in the background where that was asked for. Dropping it closes it.
///
/// The methods are those of [`Engine`](crate::engine::Engine).
#[derive(Debug)]
pub(in crate::engine) struct GroupEngine<L: Log> {
    commits: Arc<GroupCommit<L>>,
    interval: IntervalSync<GroupCommit<L>>,
    closed: AtomicBool,
}

impl<L: Log> GroupEngine<L> {
    /// Goes on where `log` stands.
    pub(in crate::engine) fn new(log: L, opened: Opened) -> Self {
        let commits = Arc::new(GroupCommit::new(log, opened));
        let interval = IntervalSync::new(&commits);
        Self { commits, interval, closed: AtomicBool::new(false) }
    }

    pub(in crate::engine) fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        self.commits.snapshot()
    }

    pub(in crate::engine) fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        self.commits.latest()
    }

    pub(in crate::engine) fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.commits.begin()
    }

    pub(in crate::engine) fn commit(
        &self,
        changes: &Changes,
        reads: Option<&Reads>,
        durability: Durability,
    ) -> Result<Ticket> {
        check_changes(changes)?;
        match durability {
            Durability::Sync => self.commits.commit(changes, reads, true),
            Durability::None => self.commits.commit(changes, reads, false),
            Durability::Interval(within) => {
                // First, because a commit that nothing will sync must not be acknowledged.
                self.interval.start()?;
                let ticket = self.commits.commit(changes, reads, false)?;
                self.interval.sync_within(within);
                Ok(ticket)
            }
        }
    }

    pub(in crate::engine) fn sync(&self) -> Result<()> {
        self.commits.sync()
    }

    /// Waits for a write in progress.
    pub(in crate::engine) fn stats(&self) -> Result<EngineStats> {
        let commit = self.snapshot()?.commit();
        let disk_bytes = self.commits.with_log(L::disk_bytes)??;
        Ok(EngineStats { commit, disk_bytes, ..EngineStats::default() })
    }

    pub(in crate::engine) fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        self.interval.stop();
        self.commits.close()
    }
}

impl<L: Log> Drop for GroupEngine<L> {
    fn drop(&mut self) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.close() {
            tracing::error!(%error, "the last sync of a store that was dropped failed");
        }
    }
}
