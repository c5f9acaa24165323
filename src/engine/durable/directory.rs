//! The directory of a store: which files it holds, who may open it, how it is made.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::CommitNumber;
use crate::engine::durable::format::{self, Refused, StoreId};
use crate::error::{Error, OpenProblem, Result};
use crate::vfs::{File, Vfs};

/// Makes a directory a store.
pub(super) const IDENTITY_FILE: &str = "larder";
/// Locked by the process that has the store open; holds its number.
pub(super) const LOCK_FILE: &str = "lock";
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
    has_identity: bool,
    has_lock: bool,
    /// A name that no store has.
    foreign: Option<String>,
}

impl Directory {
    /// Locks the directory and answers what tells its files from those of others, making it a store if it is none.
    ///
    /// `make` writes what a store has besides its identity, which makes it one and so comes last.
    pub(super) fn open(
        &self,
        existence: Existence,
        new_id: StoreId,
        make: impl FnOnce(StoreId) -> Result<()>,
    ) -> Result<(StoreId, Box<dyn File>)> {
        let found = self.look(existence)?;
        if found == Found::Nothing {
            self.make()?;
        }
        let lock = self.lock()?;
        // Looked at again, because another process may have made it, or a part of it, before the lock was had.
        match self.look(existence)? {
            Found::Store => Ok((self.read_identity()?, lock)),
            Found::Nothing | Found::Unfinished => {
                self.clear()?;
                make(new_id)?;
                self.write_whole(IDENTITY_FILE, &format::encode_identity(new_id))?;
                Ok((new_id, lock))
            }
        }
    }

    /// Makes the directory and those above it that are missing, to stay.
    fn make(&self) -> Result<()> {
        let is_missing = |path: &Path| self.vfs.names(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let missing: Vec<_> = self.path.ancestors().take_while(|path| is_missing(path)).collect();
        self.vfs.create_directory(&self.path).map_err(|error| self.refuse_io(error))?;
        let parents = missing.into_iter().filter_map(Path::parent);
        parents
            .into_iter()
            .try_for_each(|parent| self.vfs.sync_directory(parent).map_err(|source| Error::io("sync", parent, source)))
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
        let checkpoints = listing.checkpoints.into_iter().map(checkpoint_name);
        let segments = listing.segments.into_iter().map(segment_name);
        let mut names = listing.unfinished.into_iter().chain(identity).chain(checkpoints).chain(segments);
        names.try_for_each(|name| self.remove(&name))
    }

    /// The names in the directory.
    pub(super) fn list(&self) -> Result<Listing> {
        let names = self.vfs.names(&self.path).map_err(|error| self.refuse_io(error))?;
        let mut listing = Listing::default();
        for name in names {
            let number = |suffix| u64::from_str_radix(name.strip_suffix(suffix)?, 16).ok();
            // Only as it is written: `1.log` is no name of a segment.
            let segment = number(SEGMENT_SUFFIX).filter(|sequence| segment_name(*sequence) == name);
            let checkpoint = number(CHECKPOINT_SUFFIX).map(CommitNumber).filter(|n| checkpoint_name(*n) == name);
            if let Some(sequence) = segment {
                listing.segments.push(sequence);
            } else if let Some(commit) = checkpoint {
                listing.checkpoints.push(commit);
            } else if name == IDENTITY_FILE {
                listing.has_identity = true;
            } else if name == LOCK_FILE {
                listing.has_lock = true;
            } else if name.ends_with(UNFINISHED_SUFFIX) {
                listing.unfinished.push(name);
            } else {
                listing.foreign.get_or_insert(name);
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
        self.vfs.open(&path, false).map_err(|source| Error::io("open", &path, source))
    }

    /// Reads a whole file, of which no more than `bytes_max` are taken.
    pub(super) fn read_whole(&self, name: &str, bytes_max: usize) -> Result<Vec<u8>> {
        let file = self.open_file(name)?;
        let read_error = |source| Error::io("read", &self.file(name), source);
        let size = usize::try_from(file.size().map_err(read_error)?).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size.min(bytes_max)).map_err(|_| read_error(io::ErrorKind::OutOfMemory.into()))?;
        bytes.resize(size.min(bytes_max), 0);
        file.read_exact_at(&mut bytes, 0).map_err(read_error)?;
        Ok(bytes)
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
        // A segment that is not the first, or a checkpoint, is made after the identity: then that has been lost.
        if !listing.checkpoints.is_empty() || listing.segments.iter().any(|sequence| *sequence > 1) {
            return Err(self.damaged(IDENTITY_FILE, 0, "the file is missing"));
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
        let path = self.file(LOCK_FILE);
        match self.vfs.lock(&path) {
            Ok(file) => {
                // Only for the message to others: that it is locked does not depend on it.
                let text = format!("{:<width$}", std::process::id(), width = LOCK_TEXT_BYTES_MAX - 1);
                let _ = file.write_all_at(format!("{text}\n").as_bytes(), 0);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let holder = self.read_whole(LOCK_FILE, LOCK_TEXT_BYTES_MAX).unwrap_or_default();
                let holder = String::from_utf8_lossy(&holder).trim().parse::<u32>();
                let who = match holder {
                    Ok(id) if id == std::process::id() => "this process has it open already".to_owned(),
                    Ok(id) => format!("process {id} has it open"),
                    Err(_) => "another process has it open".to_owned(),
                };
                Err(self.refuse(OpenProblem::InUse, format!("it is in use: {who}; close it there first")))
            }
            Err(error) => Err(self.refuse_io(error)),
        }
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
