//! A note beside a database of how far it was synced.
//!
//! Databases cut their log at the first record that they cannot read, and say nothing. The commit that is found is therefore
//! compared with the last that is known to have been on the medium.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::engine::CommitNumber;
use crate::error::{Error, Result};

/// The file's name in the directory of the store.
const FILE: &str = "larder.synced";

/// The number of the last commit known to be on the medium, then its complement, both big-endian.
#[derive(Debug)]
pub(in crate::engine) struct Mark {
    file: File,
    path: PathBuf,
}

impl Mark {
    /// Opens the mark of the store in `directory`, or makes one.
    pub(in crate::engine) fn open(directory: &Path) -> std::io::Result<Self> {
        let path = directory.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { file, path })
    }

    /// Whether `name` is that of a mark.
    #[cfg(feature = "sled")]
    pub(in crate::engine) fn is_named(name: &std::ffi::OsStr) -> bool {
        name == FILE
    }

    /// The commit it notes; 0 when the file is new, or was torn by a loss of power.
    fn read(&mut self) -> Result<CommitNumber> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(17).read_to_end(&mut bytes);
        read.map_err(|source| Error::io("read", &self.path, source))?;
        let numbers = <[u8; 16]>::try_from(bytes).map(|bytes| split(&bytes));
        Ok(numbers.ok().flatten().unwrap_or_default())
    }

    /// Compares with `found`, the last commit of the database below `directory`, and returns the last that is known to
    /// be on the medium.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the database ends earlier.
    pub(in crate::engine) fn compare(&mut self, directory: &Path, found: CommitNumber) -> Result<CommitNumber> {
        let synced = self.read()?;
        if synced <= found {
            return Ok(synced);
        }
        let detail = format!(
            "it ends at commit {found}, although commit {synced} was synced; restore a copy of {}, or remove {} to accept the loss",
            directory.display(),
            self.path.display(),
        );
        Err(Error::corrupt("journal", detail))
    }

    /// Notes that `commit` is on the medium.
    ///
    /// The note itself is left to the operating system: after a loss of power it may be older than the log, and then merely
    /// notices less.
    pub(in crate::engine) fn write(&mut self, commit: CommitNumber) -> Result<()> {
        let mut bytes = [0; 16];
        let (number, complement) = bytes.split_at_mut(8);
        number.copy_from_slice(&commit.0.to_be_bytes());
        complement.copy_from_slice(&(!commit.0).to_be_bytes());
        let written = self.file.rewind().and_then(|()| self.file.write_all(&bytes));
        written.map_err(|source| Error::io("write", &self.path, source))
    }
}

/// The number of a mark, unless it is torn.
fn split(bytes: &[u8; 16]) -> Option<CommitNumber> {
    let (number, complement) = bytes.split_first_chunk::<8>()?;
    let complement: [u8; 8] = complement.try_into().ok()?;
    let number = u64::from_be_bytes(*number);
    (number == !u64::from_be_bytes(complement)).then_some(CommitNumber(number))
}
