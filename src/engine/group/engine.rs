//! What the engines on a database of another make have in common.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::group::{GroupCommit, Log, Opened};
use crate::engine::interval::IntervalSync;
use crate::engine::{
    Changes, CheckReport, Damage, Direction, Durability, EngineStats, KeyRange, Reads, Snapshot, Ticket, check_changes,
};
use crate::error::{Error, Result};

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
        let log_bytes = self.commits.with_log(L::log_bytes)??;
        let syncs = self.commits.syncs.load(Ordering::Relaxed);
        Ok(EngineStats { commit, disk_bytes, log_bytes, syncs, ..EngineStats::default() })
    }

    pub(in crate::engine) fn checkpoint(&self) -> Result<()> {
        self.commits.tidy()
    }

    /// Reads every entry. What the database says to be damaged is in the report, up to the first of it.
    pub(in crate::engine) fn check(&self) -> Result<CheckReport> {
        let snapshot = self.snapshot()?;
        let path = self.commits.with_log(|log| log.path().to_owned())?;
        let mut report = CheckReport { commit: snapshot.commit(), ..CheckReport::default() };
        (report.files, report.bytes) = measure(&path).map_err(|source| Error::io("read", &path, source))?;
        let read = snapshot.range(&KeyRange::all(), Direction::Forward).and_then(|mut cursor| {
            while cursor.next()?.is_some() {
                report.entries += 1;
            }
            Ok(())
        });
        match read {
            Err(Error::Corruption { what, detail }) => {
                report.damage.push(Damage { file: path, offset: 0, detail: format!("{what}: {detail}") });
                Ok(report)
            }
            read => read.map(|()| report),
        }
    }

    pub(in crate::engine) fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        self.interval.stop();
        self.commits.close()
    }
}

/// How many files there are in and below the directory `path`, and their bytes.
fn measure(path: &Path) -> std::io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            // It may have been removed meanwhile.
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                directories.push(entry.path());
            } else if found.is_file() {
                (files, bytes) = (files + 1, bytes + found.len());
            }
        }
    }
    Ok((files, bytes))
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
