//! The directory of a store: what may be opened, what is written, what must be found again.

use std::fmt;
use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};

use crate::engine::fjall::FjallOptions;
use crate::engine::fjall::failure::{self, refuse};
use crate::engine::fjall::snapshot::FjallSnapshot;
use crate::engine::foreign::reason_in;
use crate::engine::group::{Group, Log, Mark, Opened};
use crate::engine::{Change, CommitNumber, Snapshot};
use crate::error::{Error, OpenProblem, Result};
use crate::vfs::{SystemVfs, Vfs};

/// Version of the layout that the module's header describes.
const FORMAT_VERSION: u32 = 1;

/// Begins the entry `format`.
const MAGIC: &[u8; 6] = b"larder";

const ENTRIES: &str = "entries";
const META: &str = "meta";
const FORMAT_KEY: &str = "format";
const COMMIT_KEY: &str = "commit";

/// Old versions of the counter that `meta` gathers in memory before they are dropped, in bytes.
const META_MEMTABLE_BYTES: u64 = 4 << 20;

/// What fjall may hold in memory and has yet to write to its tables, in bytes: three of its memtables. It makes writers wait
/// too, but only by the number of tables, and lets more pass when its threads fall behind.
const WRITE_BUFFER_BYTES_MAX: u64 = 192 << 20;

/// How long, and how often, a writer waits for that. After all of it the write goes on: memory is the lesser evil.
const FLUSH_PAUSE: Duration = Duration::from_millis(2);
const FLUSH_PAUSES_MAX: u32 = 5_000;

/// How often whoever tidies up waits so: five minutes in all.
const TIDY_PAUSES_MAX: u32 = 150_000;

/// The file that fjall writes last when it creates a directory.
const VERSION_FILE: &str = "version";
const LOCK_FILE: &str = "lock";

/// Ends the names of fjall's journals.
const JOURNAL_EXTENSION: &str = "jnl";

/// What a creation that was interrupted leaves behind, beside the lock.
const UNFINISHED: (&str, &str) = ("0.jnl", "keyspaces");

/// An open directory.
pub(super) struct Disk {
    // Dropped first: the database waits for its threads, and the keyspaces hold the lock.
    database: Database,
    entries: Keyspace,
    meta: Keyspace,
    mark: Mark,
    path: Arc<PathBuf>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens or creates the directory `path`.
    pub(super) fn open(path: &Path, options: &FjallOptions) -> Result<(Self, Opened)> {
        let path = std::path::absolute(path).map_err(|source| Error::open_io(path, source))?;
        prepare_directory(&path)?;
        let database = open_database(&path, options)?;
        check_owner(&path, &database)?;
        let open_error = |error| failure::convert_open(&path, error);
        let entries = database.keyspace(ENTRIES, KeyspaceCreateOptions::default).map_err(open_error)?;
        let meta_options = || KeyspaceCreateOptions::default().max_memtable_size(META_MEMTABLE_BYTES);
        let meta = database.keyspace(META, meta_options).map_err(open_error)?;
        let mark = Mark::open(&path).map_err(|source| Error::open_io(&path, source))?;
        let mut disk = Self { database, entries, meta, mark, path: Arc::new(path) };
        let format = disk.read_format()?;
        let commit = if format.is_some() { disk.read_commit()? } else { CommitNumber(0) };
        let synced = disk.mark.compare(&disk.path, commit)?;
        if format.is_none() {
            disk.claim()?;
        }
        let snapshot = disk.snapshot(commit);
        Ok((disk, Opened { snapshot, synced }))
    }

    /// The state after `commit`, which must be the last one written.
    fn snapshot(&self, commit: CommitNumber) -> Arc<dyn Snapshot> {
        let path = Arc::clone(&self.path);
        Arc::new(FjallSnapshot::new(self.database.snapshot(), self.entries.clone(), commit, path))
    }

    /// The format of the entries, if it is one that this version reads; `None` in a new directory.
    fn read_format(&self) -> Result<Option<u32>> {
        let Some(format) = self.read_meta(FORMAT_KEY)? else { return Ok(None) };
        let version = format.strip_prefix(MAGIC).and_then(|version| version.try_into().ok()).map(u32::from_be_bytes);
        match version {
            Some(FORMAT_VERSION) => Ok(version),
            Some(version) if version > FORMAT_VERSION => {
                let reason = format!("format {version} is newer than {FORMAT_VERSION}: open it with a newer version");
                Err(refuse(OpenProblem::NewerFormat, &self.path, reason))
            }
            _ => Err(Error::corrupt("format entry", format!("{format:?}, below {}", self.path.display()))),
        }
    }

    /// The last commit, 0 before the first.
    fn read_commit(&self) -> Result<CommitNumber> {
        let Some(commit) = self.read_meta(COMMIT_KEY)? else { return Ok(CommitNumber(0)) };
        let commit = commit.as_ref().try_into().map(u64::from_be_bytes).map(CommitNumber);
        commit
            .map_err(|_| Error::corrupt("commit counter", format!("it has not 8 bytes, below {}", self.path.display())))
    }

    fn read_meta(&self, key: &str) -> Result<Option<fjall::UserValue>> {
        self.meta.get(key).map_err(|error| failure::convert("read", &self.path, error))
    }

    /// Writes the format into a directory that has none.
    fn claim(&self) -> Result<()> {
        let write_error = |error| failure::convert("write", &self.path, error);
        if !self.entries.is_empty().map_err(write_error)? {
            return Err(refuse(
                OpenProblem::NotAStore,
                &self.path,
                "it is another program's fjall database: choose a new or an empty directory",
            ));
        }
        let format = [&MAGIC[..], &FORMAT_VERSION.to_be_bytes()].concat();
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&self.meta, FORMAT_KEY, format);
        batch.commit().map_err(write_error)
    }

    /// Waits while fjall has too much in memory.
    fn wait_for_room(&self) {
        for _ in 0..FLUSH_PAUSES_MAX {
            if self.database.write_buffer_size() <= WRITE_BUFFER_BYTES_MAX {
                return;
            }
            std::thread::sleep(FLUSH_PAUSE);
        }
    }

    fn write(&self, group: &Group) -> fjall::Result<()> {
        // Even the weakest level hands every commit to the operating system, so that a crash of the process loses none.
        let mode = if group.sync { PersistMode::SyncAll } else { PersistMode::Buffer };
        if group.changes.is_empty() {
            return self.database.persist(mode);
        }
        self.wait_for_room();
        let batch = OwnedWriteBatch::with_capacity(self.database.clone(), group.changes.len() + 1);
        let mut batch = batch.durability(Some(mode));
        for (key, change) in group.changes.iter() {
            match change {
                Change::Put(value) => batch.insert(&self.entries, key, value),
                Change::Remove if is_storable(key) => batch.remove(&self.entries, key),
                Change::Remove => {}
            }
        }
        batch.insert(&self.meta, COMMIT_KEY, group.last.0.to_be_bytes());
        batch.commit()
    }
}

/// What is left to do when fjall is to be opened fast.
impl Disk {
    /// Asks fjall to write everything that it holds in memory to its tables, which makes what its journals hold
    /// needless.
    fn flush(&self) -> Result<()> {
        let error = |error| failure::convert("write", &self.path, error);
        for keyspace in [&self.entries, &self.meta] {
            keyspace.rotate_memtable().map_err(error)?;
        }
        // What fjall has to wait with does not look whether the thread that is waited for has failed.
        for _ in 0..TIDY_PAUSES_MAX {
            if self.entries.sealed_memtable_count() + self.meta.sealed_memtable_count() == 0 {
                return Ok(());
            }
            self.database.persist(PersistMode::Buffer).map_err(error)?;
            std::thread::sleep(FLUSH_PAUSE);
        }
        Err(failure::engine("what it holds in memory did not get to its tables; it is in the journal"))
    }

    /// Empties the journals, of which nothing is needed: all of it is in the tables, and nothing is written any more.
    ///
    /// fjall would read them again whole when it is opened, to find that it has everything.
    fn empty_journals(&self) -> Result<()> {
        let is_in_tables = |keyspace: &Keyspace| keyspace.tree.get_highest_memtable_seqno().is_none();
        if !is_in_tables(&self.entries) || !is_in_tables(&self.meta) {
            return Ok(());
        }
        for entry in fs::read_dir(&*self.path).map_err(|source| Error::io("read", &self.path, source))? {
            let path = entry.map_err(|source| Error::io("read", &self.path, source))?.path();
            if path.extension().is_some_and(|extension| extension == JOURNAL_EXTENSION) {
                let emptied = OpenOptions::new().write(true).open(&path).and_then(|file| {
                    file.set_len(0)?;
                    file.sync_all()
                });
                emptied.map_err(|source| Error::io("write", &path, source))?;
            }
        }
        Ok(())
    }
}

impl Log for Disk {
    const ENGINE: &'static str = failure::ENGINE;

    fn append(&mut self, group: &Group) -> Result<Arc<dyn Snapshot>> {
        let action = if group.sync { "sync" } else { "write" };
        self.write(group).map_err(|error| failure::convert(action, &self.path, error))?;
        if group.sync {
            self.mark.write(group.last)?;
        }
        Ok(self.snapshot(group.last))
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn disk_bytes(&self) -> Result<u64> {
        self.database.disk_space().map_err(|error| failure::convert("measure", &self.path, error))
    }

    fn log_bytes(&self) -> Result<u64> {
        self.database.journal_disk_space().map_err(|error| failure::convert("measure", &self.path, error))
    }

    fn tidy(&mut self) -> Result<()> {
        self.flush()?;
        if self.database.journal_count() > 1 {
            // fjall removes journals when a table in memory is full, not when it is written: so there is one more.
            let commit = self.read_commit()?;
            let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
            batch.insert(&self.meta, COMMIT_KEY, commit.0.to_be_bytes());
            batch.commit().map_err(|error| failure::convert("write", &self.path, error))?;
            self.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.flush()?;
        self.empty_journals()
    }
}

/// Whether fjall can hold `key`; what it cannot hold need not be removed.
fn is_storable(key: &[u8]) -> bool {
    crate::engine::check_sizes(key, &[]).is_ok()
}

/// Checks that fjall may create or open a store in `path`, and clears away what an interrupted creation left.
fn prepare_directory(path: &Path) -> Result<()> {
    let io_error = |source| Error::open_io(path, source);
    match fs::metadata(path) {
        // fjall would let others of this machine look into it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return SystemVfs.create_directory(path).map_err(io_error);
        }
        Err(error) => return Err(io_error(error)),
        Ok(metadata) if !metadata.is_dir() => {
            return Err(refuse(
                OpenProblem::NotAStore,
                path,
                "it is a file: give the path of a directory, or of one to create",
            ));
        }
        Ok(_) => {}
    }
    let mut unfinished = false;
    let mut foreign = None;
    for entry in fs::read_dir(path).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name();
        if name == VERSION_FILE {
            return Ok(());
        }
        let known = name == LOCK_FILE || name == UNFINISHED.0 || name == UNFINISHED.1;
        unfinished |= known;
        foreign = foreign.or((!known).then_some(name));
    }
    if foreign.is_some()
        && let Some(reason) = reason_in(path)
    {
        return Err(refuse(OpenProblem::NotAStore, path, reason));
    }
    if let Some(name) = foreign {
        let files = format!("it is not a store and holds other files, such as {}", name.display());
        let reason = format!("{files}: choose a new or an empty directory");
        return Err(refuse(OpenProblem::NotAStore, path, reason));
    }
    if unfinished { clear_unfinished(path) } else { Ok(()) }
}

/// Removes the beginnings of a store that was never finished, and so never held a commit.
fn clear_unfinished(path: &Path) -> Result<()> {
    let io_error = |source| Error::open_io(path, source);
    // Whoever is creating the store at this moment holds the lock.
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK_FILE)).map_err(io_error)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(failure::convert_open(path, fjall::Error::Locked)),
        Err(TryLockError::Error(source)) => return Err(io_error(source)),
    }
    let absent_is_fine = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(error)),
        _ => Ok(()),
    };
    absent_is_fine(fs::remove_file(path.join(UNFINISHED.0)))?;
    absent_is_fine(fs::remove_dir_all(path.join(UNFINISHED.1)))
}

fn open_database(path: &Path, options: &FjallOptions) -> Result<Database> {
    let open = || {
        let builder = Database::builder(path).cache_size(options.cache_bytes);
        builder.max_journaling_size(options.journal_bytes).open()
    };
    // Over some kinds of damage fjall's recovery panics where it could return an error.
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| failure::convert_open(path, error)),
        Err(_) => {
            Err(Error::corrupt("store", format!("fjall cannot make sense of the files below {}", path.display())))
        }
    }
}

/// Refuses a fjall database that another program made, before anything is added to it.
fn check_owner(path: &Path, database: &Database) -> Result<()> {
    let names = database.list_keyspace_names();
    let foreign = names.iter().find(|name| ![ENTRIES, META].contains(&&***name));
    match foreign {
        Some(name) => {
            let reason = format!("it is another program's fjall database, with a keyspace {:?}", &**name);
            Err(refuse(OpenProblem::NotAStore, path, format!("{reason}: choose a new or an empty directory")))
        }
        None => Ok(()),
    }
}
