//! The directory of a store: what may be opened, what is written, what must be found again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::engine::foreign::reason_in;
use crate::engine::group::{Group, Log, Mark, Opened};
use crate::engine::sled::SledOptions;
use crate::engine::sled::failure::{self, ENGINE};
use crate::engine::sled::shared::{LOG_FILE, Shared};
use crate::engine::sled::snapshot::SledSnapshot;
use crate::engine::{Change, CommitNumber, Key, Snapshot};
use crate::error::{Error, OpenProblem, Result};
use crate::vfs::{SystemVfs, Vfs};

/// Version of the layout that the module's header describes.
const FORMAT_VERSION: u32 = 1;

/// Begins the store's own entry.
const MAGIC: &[u8; 6] = b"larder";

/// Where that entry is: no key of a store is empty.
const OWN_KEY: &[u8] = b"";

/// sled's files beside the log: the settings, values too large for the log.
const SETTINGS_FILE: &str = "conf";
const BLOBS: &str = "blobs";
/// Begins the names of sled's indexes of the log, which it makes again when they are gone.
const INDEX_PREFIX: &str = "snap.";

/// An open directory.
#[derive(Debug)]
pub(super) struct Disk {
    shared: Arc<Shared>,
    mark: Mark,
    log: File,
    /// The files of large values that are on the medium.
    synced_blobs: BTreeSet<OsString>,
}

impl Disk {
    /// Opens or creates the directory `path`.
    pub(super) fn open(path: &Path, options: &SledOptions) -> Result<(Self, Opened)> {
        let path = std::path::absolute(path).map_err(|source| Error::open_io(path, source))?;
        check_directory(&path)?;
        // Commits are handed to the system one by one, so that there is nothing to flush in the background.
        let config = sled::Config::new().path(&path).cache_capacity(options.cache_bytes).flush_every_ms(None);
        let database =
            failure::call("open", &path, || config.open()).map_err(|error| failure::opening(&path, error))?;
        let io_error = |source| Error::open_io(&path, source);
        let (mark, log) = (Mark::open(&path).map_err(io_error)?, File::open(path.join(LOG_FILE)).map_err(io_error)?);
        let shared = Arc::new(Shared::new(database, path));
        let mut disk = Self { shared, mark, log, synced_blobs: BTreeSet::new() };
        let found = disk.read_own_entry()?;
        let commit = found.unwrap_or_default();
        let synced = disk.mark.compare(disk.shared.path(), commit)?;
        if found.is_none() {
            disk.claim()?;
        }
        let snapshot = disk.snapshot(commit);
        Ok((disk, Opened { snapshot, synced }))
    }

    fn snapshot(&self, commit: CommitNumber) -> Arc<dyn Snapshot> {
        Arc::new(SledSnapshot::new(&self.shared, commit))
    }

    /// The last commit; `None` in a new directory.
    fn read_own_entry(&self) -> Result<Option<CommitNumber>> {
        let Some(entry) = self.shared.get(OWN_KEY)? else { return Ok(None) };
        let path = self.shared.path();
        let parts = entry.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<4>());
        let Some((version, commit)) = parts.map(|(version, commit)| (u32::from_be_bytes(*version), commit)) else {
            return Err(foreign(path));
        };
        if version > FORMAT_VERSION {
            let reason = format!("format {version} is newer than {FORMAT_VERSION}: open it with a newer version");
            return Err(Error::open(OpenProblem::NewerFormat, path, reason));
        }
        let commit = commit.try_into().ok().filter(|_| version == FORMAT_VERSION).map(u64::from_be_bytes);
        let detail = || format!("{entry:?}, below {}", path.display());
        commit.map(|commit| Some(CommitNumber(commit))).ok_or_else(|| Error::corrupt("the store's own entry", detail()))
    }

    fn own_entry(commit: CommitNumber) -> Vec<u8> {
        [&MAGIC[..], &FORMAT_VERSION.to_be_bytes(), &commit.0.to_be_bytes()].concat()
    }

    /// Makes a store of a directory that is not one yet.
    fn claim(&mut self) -> Result<()> {
        let database = self.shared.database()?;
        if !database.is_empty() || database.tree_names().len() > 1 {
            return Err(foreign(self.shared.path()));
        }
        self.shared.call("write", |tree| tree.insert(OWN_KEY, Self::own_entry(CommitNumber(0))))?;
        self.flush()?;
        self.sync()?;
        let path = self.shared.path();
        let parent = path.parent().map_or_else(|| Ok(()), sync_directory);
        parent.map_err(|source| Error::io("sync", path, source))
    }

    /// Hands everything to the operating system.
    fn flush(&self) -> Result<()> {
        self.shared.call("write", sled::Tree::flush).map(drop)
    }

    /// Puts everything that was handed over on the medium: sled's own `flush` waits for the system to write, and does
    /// not ask the disk for more.
    fn sync(&mut self) -> Result<()> {
        let path = self.shared.path();
        let blobs = path.join(BLOBS);
        let blob_error = |source| Error::io("sync", &blobs, source);
        let mut present = BTreeSet::new();
        let mut is_new = false;
        for entry in fs::read_dir(&blobs).map_err(blob_error)? {
            let name = entry.map_err(blob_error)?.file_name();
            if !self.synced_blobs.contains(&name) {
                is_new = true;
                match File::open(blobs.join(&name)) {
                    Ok(file) => file.sync_data().map_err(blob_error)?,
                    // sled removes what nothing refers to any more.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(blob_error(error)),
                }
            }
            present.insert(name);
        }
        if is_new {
            sync_directory(&blobs).map_err(blob_error)?;
        }
        self.log.sync_data().map_err(|source| Error::io("sync", &path.join(LOG_FILE), source))?;
        // A new store's files have to be found again too.
        sync_directory(path).map_err(|source| Error::io("sync", path, source))?;
        self.synced_blobs = present;
        Ok(())
    }

    /// Applies `group`, having noted what its keys held before.
    fn write(&self, group: &Group) -> Result<()> {
        let mut batch = sled::Batch::default();
        let mut before = Vec::with_capacity(group.changes.len());
        for (key, change) in group.changes.iter().filter(|(key, _)| !key.is_empty()) {
            before.push((Key::from(key), self.shared.get(key)?));
            match change {
                Change::Put(value) => batch.insert(key, value),
                Change::Remove => batch.remove(key),
            }
        }
        batch.insert(OWN_KEY, Self::own_entry(group.last));
        self.shared.undo.record(group.last, before);
        self.shared.call("write", |tree| tree.apply_batch(batch))
    }
}

impl Log for Disk {
    const ENGINE: &'static str = ENGINE;

    fn append(&mut self, group: &Group) -> Result<Arc<dyn Snapshot>> {
        if !group.changes.is_empty() {
            self.write(group)?;
            // Even the weakest level hands every commit to the operating system, so that a crash of the process loses none. It
            // also keeps sled's pool of threads from falling behind, which is what can stop it (the module's documentation).
            self.flush()?;
        }
        if group.sync {
            self.sync()?;
            self.mark.write(group.last)?;
        }
        Ok(self.snapshot(group.last))
    }

    fn path(&self) -> &Path {
        self.shared.path()
    }

    fn disk_bytes(&self) -> Result<u64> {
        let database = self.shared.database()?;
        failure::call("measure", self.shared.path(), || database.size_on_disk())
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn foreign(path: &Path) -> Error {
    let reason = "it is another program's sled database: choose a new or an empty directory";
    Error::open(OpenProblem::NotAStore, path, reason)
}

/// Checks that sled may create or open a store in `path`, before it adds anything to it.
fn check_directory(path: &Path) -> Result<()> {
    let io_error = |source| Error::open_io(path, source);
    match fs::metadata(path) {
        // sled would let others of this machine look into it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return SystemVfs.create_directory(path).map_err(io_error);
        }
        Err(error) => return Err(io_error(error)),
        Ok(metadata) if !metadata.is_dir() => {
            let reason = "it is a file: give the path of a directory, or of one to create";
            return Err(Error::open(OpenProblem::NotAStore, path, reason));
        }
        Ok(_) => {}
    }
    let mut foreign = None;
    for entry in fs::read_dir(path).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name();
        if name == LOG_FILE {
            return Ok(());
        }
        // What an interrupted creation leaves behind sled goes on with.
        let is_known = name == SETTINGS_FILE || name == BLOBS || Mark::is_named(&name);
        let is_index = name.to_str().is_some_and(|name| name.starts_with(INDEX_PREFIX));
        if !is_known && !is_index {
            foreign.get_or_insert(name);
        }
    }
    if foreign.is_some()
        && let Some(reason) = reason_in(path)
    {
        return Err(Error::open(OpenProblem::NotAStore, path, reason));
    }
    match foreign {
        None => Ok(()),
        Some(name) => {
            let files = format!("it is not a store and holds other files, such as {}", name.display());
            let reason = format!("{files}: choose a new or an empty directory");
            Err(Error::open(OpenProblem::NotAStore, path, reason))
        }
    }
}
