//! The engine on disk: the memory engine's tree, with every commit in a log and now and then a checkpoint of it all.
//!
//! ```text
//! shop.larder/
//! ├── larder                        what makes the directory a store: format version, identity
//! ├── lock                          locked by the process that has it open, as `larder` is
//! ├── closed                        the last commit when it was last closed
//! ├── 0000000000003a98.checkpoint   every entry after commit 15,000
//! ├── 0000000000000007.log          the commits since, in order
//! └── 0000000000000008.log          room for the next
//! ```
//!
//! Reads are those of the memory engine. A commit is one record appended to the log; with
//! [`Durability::Sync`] it is shown and acknowledged when the log is synced, by one sync for all commits that wait at that
//! moment. When the log has grown as large as the last checkpoint, a thread writes a new one from a snapshot, while writers
//! go on, and removes the log before it. Opening reads the checkpoint and then the log. `docs/format.md` has every byte of
//! the files, `docs/storage.md` the reasons.
//!
//! # Invariants
//! 1. Whatever happens to process or power, and at whatever moment: when the store is opened again it holds exactly the
//!    commits up to some number, among them every acknowledged one.
//! 2. Damage to what was synced is an error that names file and offset, never other data and never a panic.
//! 3. After a write or sync of the log has failed, nothing is written until the store is opened again. A file that could not
//!    be made refuses the commits that need it, and nothing else.
//!
//! # Cost
//! All entries are in memory: about 1.3 times their bytes. A commit costs one write to a file, and with `Sync` a share of
//! one `fdatasync`. Opening reads about a million entries per second.

mod background;
mod backup;
mod check;
mod checkpoint;
mod commits;
mod directory;
mod format;
mod log;
mod reading;
mod recover;
mod sync;

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;

pub use directory::{CONTROL_FILE, Existence};
pub use reading::ClosedStore;

use crate::clock::Stopwatch;
use crate::engine::interval::{IntervalSync, Syncs};
use crate::engine::{
    Changes, CheckReport, CommitNumber, Damage, Durability, Engine, EngineStats, MemoryEngine, Reads, Snapshot, Ticket,
    check_changes,
};
use crate::error::{Error, Result};
use crate::vfs::{SpareVfs, SystemVfs, Vfs};
use background::Signal;
use commits::{Commits, Room};
use directory::{Directory, Locks, checkpoint_name, segment_name};
use format::{CheckpointHeader, StoreId};
use log::{Log, Segments};

/// The engine's name, for errors and reports.
const ENGINE: &str = "durable";

/// Bytes of a segment of the log, unless the log grows fast.
const SEGMENT_BYTES: u64 = 4 << 20;

/// Bytes of the log from which a checkpoint is due, unless the last one is larger.
const CHECKPOINT_LOG_BYTES: u64 = 64 << 20;

/// Choices made before a [`DurableEngine`] is opened.
///
/// # Examples
/// ```
/// use larder::engine::durable::{DurableEngine, DurableOptions, Existence};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("shop.larder");
/// let options = DurableOptions::default().existence(Existence::Refused).checkpoint_log_bytes(16 << 20);
/// let engine = DurableEngine::open_with(&path, &options)?;
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until an engine is opened with them"]
pub struct DurableOptions {
    vfs: Arc<dyn Vfs>,
    existence: Existence,
    segment_bytes: u64,
    checkpoint_log_bytes: u64,
    threads: bool,
    store_id: Option<u128>,
}

impl Default for DurableOptions {
    fn default() -> Self {
        Self {
            vfs: Arc::new(SystemVfs),
            existence: Existence::default(),
            segment_bytes: SEGMENT_BYTES,
            checkpoint_log_bytes: CHECKPOINT_LOG_BYTES,
            threads: true,
            store_id: None,
        }
    }
}

impl DurableOptions {
    /// Takes files from `vfs` instead of the operating system.
    ///
    /// # Examples
    /// ```
    /// use larder::{engine::durable::DurableOptions, vfs::SystemVfs};
    /// use std::sync::Arc;
    /// let options = DurableOptions::default().vfs(Arc::new(SystemVfs));
    /// # let _ = options;
    /// ```
    pub fn vfs(self, vfs: Arc<dyn Vfs>) -> Self {
        Self { vfs, ..self }
    }

    /// Insists that the store is there, or that it is not.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::durable::{DurableEngine, DurableOptions, Existence};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let options = DurableOptions::default().existence(Existence::Required);
    /// assert!(DurableEngine::open_with(&dir.path().join("typo"), &options).is_err());
    /// ```
    pub fn existence(self, existence: Existence) -> Self {
        Self { existence, ..self }
    }

    /// Bytes of a segment of the log when the log is small; 4 MiB unless set, at least 4 KiB. Larger ones are used while the log
    /// grows fast, and for commits that need them.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::durable::DurableOptions;
    /// let options = DurableOptions::default().segment_bytes(1 << 20);
    /// # let _ = options;
    /// ```
    pub fn segment_bytes(self, bytes: u64) -> Self {
        Self { segment_bytes: bytes.max(4 << 10).next_multiple_of(format::RECORD_ALIGNMENT as u64), ..self }
    }

    /// Bytes of the log from which a checkpoint is due, as long as the last checkpoint is not larger; 64 MiB unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::durable::DurableOptions;
    /// let options = DurableOptions::default().checkpoint_log_bytes(1 << 30);
    /// # let _ = options;
    /// ```
    pub fn checkpoint_log_bytes(self, bytes: u64) -> Self {
        Self { checkpoint_log_bytes: bytes, ..self }
    }

    /// Has no work done by threads of the engine's own.
    ///
    /// Without them the commit that makes a checkpoint due makes it, the same calls in the same order touch the same files in
    /// the same order, and [`Durability::Interval`] is refused, for there is nobody to sync.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, durable::{DurableEngine, DurableOptions}};
    /// use std::time::Duration;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = DurableEngine::open_with(dir.path(), &DurableOptions::default().without_threads())?;
    /// let interval = Durability::Interval(Duration::from_secs(1));
    /// assert!(engine.commit(&Changes::putting("a", "1"), None, interval).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn without_threads(self) -> Self {
        Self { threads: false, ..self }
    }

    /// The identity a new store gets instead of a random one, so that its files can be made again byte for byte.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::durable::DurableOptions;
    /// let options = DurableOptions::default().store_id(7);
    /// # let _ = options;
    /// ```
    pub fn store_id(self, id: u128) -> Self {
        Self { store_id: Some(id), ..self }
    }
}

/// Keeps entries in memory, and every commit in the files of a directory.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, durable::DurableEngine};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("shop.larder");
/// let engine = DurableEngine::open(&path)?;
/// engine.commit(&Changes::putting("a", "1"), None, Durability::Sync)?.wait()?;
/// drop(engine);
/// assert!(DurableEngine::open(&path)?.snapshot()?.get(b"a")?.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct DurableEngine {
    shared: Arc<Shared>,
    interval: IntervalSync<Commits<Log>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    has_threads: bool,
    closed: AtomicBool,
}

/// What the engine and its thread work on.
#[derive(Debug)]
struct Shared {
    directory: Directory,
    id: StoreId,
    commits: Arc<Commits<Log>>,
    segments: Arc<Segments>,
    signal: Arc<Signal>,
    /// Held while a checkpoint is made or checked.
    checkpoint: Mutex<Checkpoint>,
    checkpoint_log_bytes: u64,
    segment_bytes: u64,
    /// Whether the store was closed before it was opened, which a file notes.
    has_close: bool,
    /// Held until the engine is closed.
    locks: Mutex<Option<Locks>>,
}

/// The newest checkpoint.
#[derive(Clone, Copy, Debug, Default)]
struct Checkpoint {
    commit: Option<CommitNumber>,
    bytes: u64,
}

impl DurableEngine {
    /// Opens the store in the directory `path`, or creates it there.
    ///
    /// # Errors
    /// [`Error::Open`] when the directory is not a store, is in use, may not be used or has a newer format;
    /// [`Error::Damaged`] when a file of it is; [`Error::Io`] for everything else.
    ///
    /// # Cost
    /// Reads the store: about a million entries per second.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Error, engine::{Engine, durable::DurableEngine}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = DurableEngine::open(dir.path())?;
    /// assert_eq!(engine.stats()?.commit.0, 0);
    /// assert!(matches!(DurableEngine::open(dir.path()), Err(Error::Open { .. })), "it is in use");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &DurableOptions::default())
    }

    /// As [`DurableEngine::open`], with other choices.
    ///
    /// # Errors
    /// As [`DurableEngine::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, durable::{DurableEngine, DurableOptions}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = DurableEngine::open_with(dir.path(), &DurableOptions::default().without_threads())?;
    /// assert!(engine.is_persistent());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open_with(path: &Path, options: &DurableOptions) -> Result<Self> {
        let watch = Stopwatch::start();
        let vfs = Arc::new(SpareVfs::new(Arc::clone(&options.vfs)));
        let directory = Directory { vfs, path: directory::absolute(path)? };
        let new_id = options.store_id.map_or_else(new_id, |id| StoreId(id.to_le_bytes()));
        let make = |id| log::make_segment(&directory, id, 1, options.segment_bytes).map(drop);
        // Locked before anything is read: another process may be writing, and recovery may have to write itself.
        let (id, locks) = directory.open(options.existence, new_id, make)?;
        let signal = Arc::new(Signal::default());
        let recovered = recover::recover(&directory, id, options.segment_bytes, &signal)?;
        tracing::debug!(
            target: "larder::open",
            path = %directory.path.display(),
            files = recovered.files as u64,
            entries = recovered.state.tree().len(),
            bytes = recovered.state.tree().bytes(),
            commit = recovered.state.commit().0,
            was_closed = recovered.was_closed,
            micros = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX),
        );
        let room = Arc::clone(&recovered.segments) as Arc<dyn Room>;
        let commits = Arc::new(Commits::new(recovered.log, room, recovered.state, options.threads));
        let checkpoint = recovered
            .checkpoint
            .map_or_else(Checkpoint::default, |(commit, bytes)| Checkpoint { commit: Some(commit), bytes });
        let shared = Arc::new(Shared {
            directory,
            id,
            commits: Arc::clone(&commits),
            segments: recovered.segments,
            signal: Arc::clone(&signal),
            checkpoint: Mutex::new(checkpoint),
            checkpoint_log_bytes: options.checkpoint_log_bytes,
            segment_bytes: options.segment_bytes,
            has_close: recovered.has_close,
            locks: Mutex::new(Some(locks)),
        });
        let thread = if options.threads {
            let shared = Arc::clone(&shared);
            // There is a next segment to make, and a checkpoint may be due.
            signal.wake();
            Some(background::spawn(signal, move || shared.tend())?)
        } else {
            None
        };
        let interval = IntervalSync::new(&commits);
        let (thread, closed) = (Mutex::new(thread), AtomicBool::new(false));
        Ok(Self { shared, interval, thread, has_threads: options.threads, closed })
    }
}

/// Makes a store of its own in the directory `path`, which must not be there or be empty, of what `snapshot` shows.
///
/// # Errors
/// [`Error::Open`] when something is there; [`Error::Io`] when it cannot be written. Then there is nothing at `path`.
///
/// # Cost
/// O(n). Nobody waits for it: the snapshot is read beside readers and writers.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, MemoryEngine, durable::{self, DurableEngine}};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("copy.larder");
/// let engine = MemoryEngine::new();
/// engine.commit(&Changes::putting("a", "1"), None, Durability::None)?.wait()?;
/// durable::backup(&*engine.snapshot()?, &path)?;
/// assert!(DurableEngine::open(&path)?.snapshot()?.get(b"a")?.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
pub fn backup(snapshot: &dyn Snapshot, path: &Path) -> Result<()> {
    backup::write_store(&(Arc::new(SystemVfs) as Arc<dyn Vfs>), path, snapshot)
}

/// Reads every byte of the store in the directory `path`, which nobody has open, and reports all the damage there is.
///
/// # Errors
/// [`Error::Open`] when the directory is not a store, is in use, may not be read or has a newer format; [`Error::Io`]
/// when a file cannot be read. Damage is not an error: it is in the report.
///
/// # Cost
/// Reads the checkpoint and the log, in little memory.
///
/// # Examples
/// ```
/// use larder::engine::durable::{self, DurableEngine};
/// # let dir = tempfile::tempdir().unwrap();
/// drop(DurableEngine::open(dir.path())?);
/// let report = durable::check(dir.path())?;
/// assert!(report.damage.is_empty() && report.files > 0);
/// # Ok::<(), larder::Error>(())
/// ```
pub fn check(path: &Path) -> Result<CheckReport> {
    check_with(path, &DurableOptions::default())
}

/// As [`check()`], with other choices.
///
/// # Errors
/// As [`check()`].
///
/// # Examples
/// ```
/// use larder::engine::durable::{self, DurableEngine, DurableOptions};
/// # let dir = tempfile::tempdir().unwrap();
/// drop(DurableEngine::open(dir.path())?);
/// assert!(durable::check_with(dir.path(), &DurableOptions::default())?.damage.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
pub fn check_with(path: &Path, options: &DurableOptions) -> Result<CheckReport> {
    let directory = Directory { vfs: Arc::clone(&options.vfs), path: directory::absolute(path)? };
    match directory.open_to_read() {
        Ok((id, _lock)) => check::check_files(&directory, id, None),
        Err(Error::Damaged { file, offset, detail }) => {
            Ok(CheckReport { damage: vec![Damage { file, offset, detail }], ..CheckReport::default() })
        }
        Err(error) => Err(error),
    }
}

impl Shared {
    /// Does what is due: a segment ahead of its use, a checkpoint.
    fn tend(&self) {
        if let Err(error) = self.segments.prepare() {
            // The writer that needs it will try again, and return what comes of it.
            tracing::warn!(%error, "a segment of the log could not be made ahead of its use");
        }
        if self.is_checkpoint_due()
            && let Err(error) = self.make_checkpoint()
        {
            tracing::error!(%error, "a checkpoint failed; the log grows until one succeeds");
        }
    }

    fn is_checkpoint_due(&self) -> bool {
        self.segments.record_bytes() >= self.checkpoint_log_bytes.max(self.checkpoint.lock().bytes)
    }

    /// Writes what is there now to a checkpoint, and removes the log before it.
    fn make_checkpoint(&self) -> Result<()> {
        let mut newest = self.checkpoint.lock();
        if newest.commit.unwrap_or_default() == self.commits.snapshot()?.commit() {
            return Ok(());
        }
        let watch = Stopwatch::start();
        // Small, so that little is left of the log when nobody writes; made before others have to wait for it.
        self.segments.note(self.segments.record_bytes(), self.segment_bytes);
        self.segments.prepare()?;
        let (state, first_segment) = self.commits.change_log(|log, state, synced| {
            let left = log.leave_segment(synced)?;
            Ok(left.map(|()| (Arc::clone(state), log.first_segment_after(state.commit()))))
        })?;
        let (commit, tree) = (state.commit(), state.tree());
        let header = CheckpointHeader { id: self.id, commit, entries: tree.len(), bytes: tree.bytes(), first_segment };
        let go_on = || {
            // Writers must not run out of segments meanwhile; should it fail, they try for themselves.
            if self.signal.take_wake() {
                let _ = self.segments.prepare();
            }
            !self.signal.is_stopped()
        };
        let Some(bytes) = checkpoint::write(&self.directory, &header, &*state, &go_on)? else { return Ok(()) };
        drop(state);
        let old = std::mem::replace(&mut *newest, Checkpoint { commit: Some(commit), bytes });
        let needless = self.commits.quietly(|log, _, _| Ok(log.forget_before(first_segment)))?;
        let mut names = old.commit.map(checkpoint_name).into_iter().chain(needless.into_iter().map(segment_name));
        names.try_for_each(|name| self.directory.remove(&name))?;
        self.directory.sync()?;
        let micros = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(target: "larder::checkpoint", commit = commit.0, entries = header.entries, bytes, micros);
        self.segments.prepare()
    }

    fn close(&self) -> Result<()> {
        let outcome = self.commits.close(Log::close);
        drop(self.locks.lock().take());
        outcome
    }
}

impl Syncs for Commits<Log> {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn sync(&self) -> Result<()> {
        Self::sync(self)
    }
}

impl Engine for DurableEngine {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(self.shared.commits.snapshot()?)
    }

    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(self.shared.commits.latest()?)
    }

    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.shared.commits.begin()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        self.commit_owned(changes.clone(), reads, durability)
    }

    fn commit_owned(&self, changes: Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        check_changes(&changes)?;
        let commits = &self.shared.commits;
        let ticket = match durability {
            Durability::Sync => commits.commit(changes, reads, true)?,
            Durability::None => commits.commit(changes, reads, false)?,
            Durability::Interval(_) if !self.has_threads => {
                return Err(Error::unsupported("Durability::Interval on an engine without threads"));
            }
            Durability::Interval(within) => {
                // First, because a commit that nothing will sync must not be acknowledged.
                self.interval.start()?;
                let ticket = commits.commit(changes, reads, false)?;
                self.interval.sync_within(within);
                ticket
            }
        };
        if !self.has_threads && self.shared.signal.take_wake() {
            self.shared.tend();
        }
        Ok(ticket)
    }

    fn is_persistent(&self) -> bool {
        true
    }

    fn fork(&self) -> Result<Arc<dyn Engine>> {
        Ok(Arc::new(MemoryEngine::from_snapshot(&*self.shared.commits.snapshot()?)))
    }

    fn sync(&self) -> Result<()> {
        self.shared.commits.sync()
    }

    fn checkpoint(&self) -> Result<()> {
        self.shared.make_checkpoint()
    }

    /// Waits for a checkpoint that is being made, and holds up others; readers and writers go on.
    fn check(&self) -> Result<CheckReport> {
        let _checkpoint = self.shared.checkpoint.lock();
        let end = self.shared.commits.quietly(|log, _, _| Ok(log.end()))?;
        let mut report = check::check_files(&self.shared.directory, self.shared.id, Some(end))?;
        let state = self.shared.commits.snapshot()?;
        if let Err(detail) = state.tree().check() {
            return Err(Error::corrupt("tree in memory", detail));
        }
        report.entries = state.tree().len();
        Ok(report)
    }

    fn stats(&self) -> Result<EngineStats> {
        let shared = &self.shared;
        let state = shared.commits.snapshot()?;
        let log_bytes = shared.commits.look(Log::bytes)?;
        let checkpoint = *shared.checkpoint.lock();
        Ok(EngineStats {
            commit: state.commit(),
            entries: Some(state.tree().len()),
            bytes: Some(state.tree().bytes()),
            disk_bytes: log_bytes + checkpoint.bytes + format::fixed_bytes(shared.has_close),
            log_bytes,
            checkpoint_bytes: checkpoint.bytes,
            last_checkpoint: checkpoint.commit,
            syncs: shared.commits.syncs(),
        })
    }

    fn failure(&self) -> Option<String> {
        self.shared.commits.failure()
    }

    fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        self.shared.signal.stop();
        self.interval.stop();
        if self.thread.lock().take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that makes checkpoints panicked");
        }
        self.shared.close()
    }
}

impl Drop for DurableEngine {
    fn drop(&mut self) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.close() {
            tracing::error!(%error, "the last sync of a store that was dropped failed");
        }
    }
}

/// An identity that no other store is likely to have.
fn new_id() -> StoreId {
    // The seeds of the standard library's hash maps are random; it only has to distinguish stores.
    let half = || RandomState::new().hash_one(std::process::id()).to_le_bytes();
    let mut id = [0; 16];
    for (place, byte) in id.iter_mut().zip(half().into_iter().chain(half())) {
        *place = byte;
    }
    StoreId(id)
}
