//! The directory of a store: which files it holds, who may open it, how it is made.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::durable::format::{self, Refused, StoreId};
use crate::engine::{CommitNumber, foreign};
use crate::error::{Error, OpenProblem, Result};
use crate::vfs::{File, Vfs};

/// Makes a directory a store.
pub(super) const IDENTITY_FILE: &str = "larder";
/// Locked by the process that has the store open, as the identity is; holds the process's number.
pub(super) const LOCK_FILE: &str = "lock";
/// Says with which commit the store was last closed.
pub(super) const CLOSE_FILE: &str = "closed";
/// The name in a store's directory that the engine leaves alone: a process that serves the store may have a socket there.
///
/// # Examples
/// ```
/// use larder::engine::durable::{CONTROL_FILE, DurableEngine};
/// # let dir = tempfile::tempdir().unwrap();
/// std::fs::write(dir.path().join(CONTROL_FILE), "")?;
/// assert!(DurableEngine::open(dir.path()).is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
pub const CONTROL_FILE: &str = "control";
const SEGMENT_SUFFIX: &str = ".log";
const CHECKPOINT_SUFFIX: &str = ".checkpoint";
/// Ends the name of a file that is being made. It gets its real name once it is whole and synced.
const UNFINISHED_SUFFIX: &str = ".new";

/// Longest text of a lock file that is read.
const LOCK_TEXT_BYTES_MAX: usize = 64;

/// Whether a store has to be there already.
///
/// # Examples
/// ```
/// use larder::engine::durable::{DurableEngine, DurableOptions, Existence};
/// # let dir = tempfile::tempdir().unwrap();
/// let options = DurableOptions::default().existence(Existence::Required);
/// assert!(DurableEngine::open_with(&dir.path().join("missing"), &options).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existence {
    /// It is opened where it is, and created where it is not.
    #[default]
    Either,
    /// It is an error if it is not there.
    Required,
    /// It is an error if it is there.
    Refused,
}

/// A store's directory, and what its files are reached through.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) path: PathBuf,
}

/// What the names in a directory say.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Sequences of the log's segments, ascending.
    pub(super) segments: Vec<u64>,
    /// Commits of the checkpoints, ascending.
    pub(super) checkpoints: Vec<CommitNumber>,
    /// Names of files that were never finished.
    pub(super) unfinished: Vec<String>,
    /// Whether there is a note of a close.
    pub(super) has_close: bool,
    has_identity: bool,
    has_lock: bool,
    /// A name that no store has.
    foreign: Option<String>,
    /// Why it is another engine's to open.
    other_engine: Option<String>,
}

/// Keeps others from opening the store, until it is dropped.
///
/// The lock file alone would not do: whoever takes it for stale removes it, and makes the next process lock another
/// one. What makes the directory a store is not removed by mistake.
#[derive(Debug)]
pub(super) struct Locks {
    _lock: Box<dyn File>,
    _identity: Box<dyn File>,
}

impl Directory {
    /// Locks the directory and returns what distinguishes its files from those of others, making it a store if it is
    /// not one.
    ///
    /// `make` writes what a store has besides its identity, which makes it one and so comes last.
    pub(super) fn open(
        &self,
        existence: Existence,
        new_id: StoreId,
        make: impl FnOnce(StoreId) -> Result<()>,
    ) -> Result<(StoreId, Locks)> {
        let found = self.look(existence)?;
        if found != Found::Store {
            self.make()?;
        }
        let lock = self.lock()?;
        // Looked at again, because another process may have made it, or a part of it, before the lock was had.
        let id = match self.look(existence)? {
            Found::Store => None,
            Found::Nothing | Found::Unfinished => {
                self.clear()?;
                make(new_id)?;
                self.write_whole(IDENTITY_FILE, &format::encode_identity(new_id))?;
                Some(new_id)
            }
        };
        let identity = self.lock_identity()?;
        // Only for the message to others: that it is locked does not depend on it.
        let text = format!("{:<width$}", std::process::id(), width = LOCK_TEXT_BYTES_MAX - 1);
        let _ = lock.write_all_at(format!("{text}\n").as_bytes(), 0);
        let id = id.map_or_else(|| self.read_identity(), Ok)?;
        Ok((id, Locks { _lock: lock, _identity: identity }))
    }

    /// Keeps others from writing to a store that is only read, and returns what distinguishes its files from those of
    /// others. Nothing in the directory is changed: it may be one that cannot be written to.
    ///
    /// Where the system knows no locks, such as on some network file systems, whether somebody has it open is not
    /// known.
    pub(super) fn open_to_read(&self) -> Result<(StoreId, Option<Box<dyn File>>)> {
        self.look(Existence::Required)?;
        let lock = match self.vfs.lock_shared(&self.file(IDENTITY_FILE)) {
            Ok(file) => Some(file),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Err(self.in_use()),
                io::ErrorKind::PermissionDenied => return Err(self.refuse_io(error)),
                _ => None,
            },
        };
        Ok((self.read_identity()?, lock))
    }

    /// Makes the directory and those above it that are missing, to stay.
    ///
    /// Directories that are there may have been made by an attempt that ended before it could sync them, so that every
    /// directory above is synced, but for those that this process may not open: it has made nothing in them.
    fn make(&self) -> Result<()> {
        let is_missing = |path: &Path| self.vfs.names(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let missing = self.path.ancestors().take_while(|path| is_missing(path)).count();
        self.vfs.create_directory(&self.path).map_err(|error| self.refuse_io(error))?;
        for (above, parent) in self.path.ancestors().skip(1).enumerate() {
            // A path of one name is below the directory that the process is in.
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            match self.vfs.sync_directory(parent) {
                Err(error) if above >= missing && error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced.map_err(|source| Error::io("sync", parent, source))?,
            }
        }
        Ok(())
    }

    /// Makes the directory, or removes from it what an earlier attempt has left.
    pub(super) fn begin_again(&self) -> Result<()> {
        self.make()?;
        let listing = self.list()?;
        if let Some(name) = listing.foreign {
            let reason = format!("a backup is made there first, and it holds other files, such as {name}: remove it");
            return Err(self.refuse(OpenProblem::NotAStore, reason));
        }
        let identity = listing.has_identity.then(|| IDENTITY_FILE.to_owned());
        let close = listing.has_close.then(|| CLOSE_FILE.to_owned());
        let checkpoints = listing.checkpoints.into_iter().map(checkpoint_name);
        let segments = listing.segments.into_iter().map(segment_name);
        let mut names = listing.unfinished.into_iter().chain(identity).chain(close).chain(checkpoints).chain(segments);
        names.try_for_each(|name| self.remove(&name))
    }

    /// The names in the directory.
    pub(super) fn list(&self) -> Result<Listing> {
        let names = self.vfs.names(&self.path).map_err(|error| self.refuse_io(error))?;
        let mut listing = Listing { other_engine: foreign::reason(&names), ..Listing::default() };
        for name in names {
            match Name::parse(&name) {
                Some(Name::Segment(sequence)) => listing.segments.push(sequence),
                Some(Name::Checkpoint(commit)) => listing.checkpoints.push(commit),
                Some(Name::Identity) => listing.has_identity = true,
                Some(Name::Close) => listing.has_close = true,
                // Only what would have become a file of the store: what else is there is somebody's.
                None if name.strip_suffix(UNFINISHED_SUFFIX).and_then(Name::parse).is_some() => {
                    listing.unfinished.push(name);
                }
                None if name == LOCK_FILE => listing.has_lock = true,
                None if name == CONTROL_FILE => {}
                None => {
                    listing.foreign.get_or_insert(name);
                }
            }
        }
        listing.segments.sort_unstable();
        listing.checkpoints.sort_unstable();
        Ok(listing)
    }

    /// The file `name` in the directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a file to read it.
    pub(super) fn open_file(&self, name: &str) -> Result<Box<dyn File>> {
        let path = self.file(name);
        self.vfs.open(&path, false).map_err(|source| self.refuse_entry(name, source))
    }

    /// The error for a name of the directory that cannot be opened.
    pub(super) fn refuse_entry(&self, name: &str, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
                self.damaged(name, 0, "it is not a regular file")
            }
            _ => Error::io("open", &self.file(name), source),
        }
    }

    /// Reads a whole file, of which no more than `bytes_max` are taken.
    pub(super) fn read_whole(&self, name: &str, bytes_max: usize) -> Result<Vec<u8>> {
        self.read_start(name, bytes_max).map(|(bytes, _)| bytes)
    }

    /// Reads the first `bytes_max` bytes of a file, or as many as it has, and returns them and how many it has.
    pub(super) fn read_start(&self, name: &str, bytes_max: usize) -> Result<(Vec<u8>, u64)> {
        let file = self.open_file(name)?;
        let read_error = |source| Error::io("read", &self.file(name), source);
        let file_size = file.size().map_err(read_error)?;
        let size = usize::try_from(file_size).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size.min(bytes_max)).map_err(|_| read_error(io::ErrorKind::OutOfMemory.into()))?;
        bytes.resize(size.min(bytes_max), 0);
        file.read_exact_at(&mut bytes, 0).map_err(read_error)?;
        Ok((bytes, file_size))
    }

    /// Makes the file `name` of what `write` writes: whole and synced, or not at all.
    pub(super) fn create_whole(
        &self,
        name: &str,
        write: impl FnOnce(&dyn File) -> io::Result<()>,
    ) -> Result<Box<dyn File>> {
        let (path, unfinished) = (self.file(name), self.file(&format!("{name}{UNFINISHED_SUFFIX}")));
        let file = self.vfs.create(&unfinished).map_err(|source| Error::io("create", &unfinished, source))?;
        let written = write(&*file).map_err(|source| Error::io("write", &unfinished, source));
        let synced = written.and_then(|()| file.sync().map_err(|source| Error::io("sync", &unfinished, source)));
        let renamed = synced
            .and_then(|()| self.vfs.rename(&unfinished, &path).map_err(|source| Error::io("rename", &path, source)));
        match renamed.and_then(|()| self.sync()) {
            Ok(()) => Ok(file),
            Err(error) => {
                // As well as it can be: what is left of it is removed when the store is opened again.
                let _ = self.vfs.remove(&unfinished);
                Err(error)
            }
        }
    }

    /// Makes the file `name` of `bytes`.
    pub(super) fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.create_whole(name, |file| file.write_all_at(bytes, 0)).map(drop)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let path = self.file(name);
        self.vfs.remove(&path).map_err(|source| Error::io("remove", &path, source))
    }

    /// Makes the names survive loss of power.
    pub(super) fn sync(&self) -> Result<()> {
        self.vfs.sync_directory(&self.path).map_err(|source| Error::io("sync", &self.path, source))
    }

    /// The error for a header or piece of the file `name` that is not taken.
    pub(super) fn refuse_file(&self, name: &str, offset: u64, refused: Refused) -> Error {
        match refused {
            Refused::Newer(what) => {
                let reason = format!("{what}, in {}: open it with a newer version", self.file(name).display());
                self.refuse(OpenProblem::NewerFormat, reason)
            }
            Refused::Older(what) => {
                let reason =
                    format!("{what}, in {}: copy it with the version that wrote it", self.file(name).display());
                self.refuse(OpenProblem::OlderFormat, reason)
            }
            Refused::Damaged(what) => self.damaged(name, offset, &what),
        }
    }

    /// The error for damage at `offset` of the file `name`.
    pub(super) fn damaged(&self, name: &str, offset: u64, what: &str) -> Error {
        Error::Damaged { file: self.file(name), offset, detail: what.to_owned() }
    }

    /// The error for a directory that is not opened.
    pub(super) fn refuse(&self, problem: OpenProblem, reason: impl Into<String>) -> Error {
        Error::open(problem, &self.path, reason)
    }

    /// Looks whether a store may be opened or made here.
    fn look(&self, existence: Existence) -> Result<Found> {
        let listing = match self.vfs.names(&self.path) {
            Ok(_) => self.list()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && existence == Existence::Required => {
                return Err(self.refuse(OpenProblem::Missing, "there is no store: check the path, or create one"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(self.refuse_io(error)),
        };
        if listing.has_identity {
            return match existence {
                Existence::Refused => {
                    Err(self.refuse(OpenProblem::Exists, "there is a store already: choose another directory"))
                }
                Existence::Either | Existence::Required => Ok(Found::Store),
            };
        }
        // A segment that is not the first, a checkpoint and a note are made after the identity: then that has been lost.
        let has_more = listing.has_close || !listing.checkpoints.is_empty();
        if has_more || listing.segments.iter().any(|sequence| *sequence > 1) {
            return Err(self.damaged(IDENTITY_FILE, 0, "the file is missing"));
        }
        if let Some(reason) = listing.other_engine {
            return Err(self.refuse(OpenProblem::NotAStore, reason));
        }
        if let Some(name) = listing.foreign {
            let reason = format!("it is not a store and holds other files, such as {name}: choose an empty directory");
            return Err(self.refuse(OpenProblem::NotAStore, reason));
        }
        if existence == Existence::Required {
            return Err(self.refuse(OpenProblem::Missing, "there is no store: check the path, or create one"));
        }
        let nothing = listing.segments.is_empty() && listing.unfinished.is_empty() && !listing.has_lock;
        Ok(if nothing { Found::Nothing } else { Found::Unfinished })
    }

    fn lock(&self) -> Result<Box<dyn File>> {
        let locked = self.vfs.lock(&self.file(LOCK_FILE));
        locked.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => self.in_use(),
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => self.refuse_entry(LOCK_FILE, error),
            _ => self.refuse_io(error),
        })
    }

    /// Locks what makes the directory a store.
    fn lock_identity(&self) -> Result<Box<dyn File>> {
        let path = self.file(IDENTITY_FILE);
        self.vfs.lock(&path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                let is_read = self.vfs.lock_shared(&path).is_ok();
                let who = if is_read {
                    "it is being checked or copied"
                } else {
                    "a process has it open, without its lock file"
                };
                self.refuse(OpenProblem::InUse, format!("it is in use: {who}; wait for that, or end it, first"))
            }
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => self.refuse_entry(IDENTITY_FILE, error),
            _ => self.refuse_io(error),
        })
    }

    /// The error for a store that somebody has open.
    fn in_use(&self) -> Error {
        let holder = self.read_whole(LOCK_FILE, LOCK_TEXT_BYTES_MAX).unwrap_or_default();
        let who = match String::from_utf8_lossy(&holder).trim().parse::<u32>() {
            Ok(id) if id == std::process::id() => "this process has it open already".to_owned(),
            Ok(id) => format!("process {id} has it open"),
            Err(_) => "another process has it open".to_owned(),
        };
        self.refuse(OpenProblem::InUse, format!("it is in use: {who}; close it there first"))
    }

    /// Notes that `commit` was the store's last one when it was closed.
    pub(super) fn write_close(&self, id: StoreId, commit: CommitNumber) -> Result<()> {
        self.write_whole(CLOSE_FILE, &format::encode_close(id, commit))
    }

    /// The last commit of the store when it was last closed; 0 when it never was.
    pub(super) fn read_close(&self, id: StoreId, listing: &Listing) -> Result<CommitNumber> {
        if !listing.has_close {
            return Ok(CommitNumber(0));
        }
        let bytes = self.read_whole(CLOSE_FILE, format::CLOSE_BYTES + 1)?;
        let (of, commit) = format::decode_close(&bytes).map_err(|refused| self.refuse_file(CLOSE_FILE, 0, refused))?;
        let wrong = if of != id {
            "the file belongs to another store"
        } else if bytes.len() > format::CLOSE_BYTES {
            "the file is too long"
        } else {
            return Ok(commit);
        };
        Err(self.damaged(CLOSE_FILE, 0, wrong))
    }

    fn read_identity(&self) -> Result<StoreId> {
        // One byte more than it has, so that a longer one shows.
        let bytes = self.read_whole(IDENTITY_FILE, format::IDENTITY_BYTES + 1)?;
        let id = format::decode_identity(&bytes).map_err(|refused| self.refuse_file(IDENTITY_FILE, 0, refused))?;
        if bytes.len() > format::IDENTITY_BYTES {
            return Err(self.damaged(IDENTITY_FILE, format::IDENTITY_BYTES as u64, "the file is too long"));
        }
        Ok(id)
    }

    /// Removes the beginnings of a store that was never finished, and so never held a commit.
    fn clear(&self) -> Result<()> {
        let listing = self.list()?;
        let segments = listing.segments.into_iter().map(segment_name);
        listing.unfinished.into_iter().chain(segments).try_for_each(|name| self.remove(&name))
    }

    pub(super) fn refuse_io(&self, error: io::Error) -> Error {
        Error::open_io(&self.path, error)
    }
}

/// The name of a file that a store consists of.
enum Name {
    Identity,
    Close,
    Segment(u64),
    Checkpoint(CommitNumber),
}

impl Name {
    /// Only as it is written: `1.log` is not the name of a segment.
    fn parse(name: &str) -> Option<Self> {
        let number = |suffix| u64::from_str_radix(name.strip_suffix(suffix)?, 16).ok();
        match name {
            IDENTITY_FILE => Some(Self::Identity),
            CLOSE_FILE => Some(Self::Close),
            _ => {
                let segment = number(SEGMENT_SUFFIX).filter(|sequence| segment_name(*sequence) == name);
                let checkpoint = number(CHECKPOINT_SUFFIX).map(CommitNumber).filter(|n| checkpoint_name(*n) == name);
                segment.map(Self::Segment).or(checkpoint.map(Self::Checkpoint))
            }
        }
    }
}

/// What there is before a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// No directory, or an empty one.
    Nothing,
    /// The beginnings of a store.
    Unfinished,
    Store,
}

/// The name of the log's segment `sequence`.
pub(super) fn segment_name(sequence: u64) -> String {
    format!("{sequence:016x}{SEGMENT_SUFFIX}")
}

/// The name of the checkpoint that ends with `commit`.
pub(super) fn checkpoint_name(commit: CommitNumber) -> String {
    format!("{:016x}{CHECKPOINT_SUFFIX}", commit.0)
}

/// `path`, and where a relative one begins.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::io("open", path, source))
}
