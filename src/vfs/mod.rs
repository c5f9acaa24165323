//! Files, as the storage engines use them: the operating system's, or simulated ones that fail on demand.
//!
//! An engine that takes its files from a [`Vfs`] can be run on a disk that loses power at any call. The contract is what
//! a journalling file system on an honest disk gives, and no more:
//! - what was written to a file survives loss of power once [`File::sync`] has returned; until then any part of it may,
//!   in any order;
//! - a name that was made, changed or removed in a directory is sure to stay so once [`Vfs::sync_directory`] has returned;
//! - after a call that failed, what the medium holds of it is unknown.

#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod sim;
mod spare;
mod system;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub(crate) use spare::SpareVfs;
pub use system::SystemVfs;

/// Directories and the names in them.
///
/// # Examples
/// ```
/// use larder::vfs::{SystemVfs, Vfs};
/// # let dir = tempfile::tempdir().unwrap();
/// let vfs = SystemVfs;
/// let file = vfs.create(&dir.path().join("a"))?;
/// file.write_all_at(b"text", 0)?;
/// assert_eq!(vfs.names(dir.path())?, ["a"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Vfs: Debug + Send + Sync {
    /// Creates the directory `path` and those above it, where they do not exist yet, for this user alone.
    ///
    /// # Errors
    /// The system's. [`NotADirectory`](io::ErrorKind::NotADirectory) or
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) when a file is in the way.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// SystemVfs.create_directory(&dir.path().join("a/b"))?;
    /// assert_eq!(SystemVfs.names(dir.path())?, ["a"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// The names of the files and directories in the directory `path`, sorted. A name that is not UTF-8 has U+FFFD
    /// where it is not.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory), or what else the system
    /// returns.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert!(SystemVfs.names(dir.path())?.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Opens the file `path`, to read and write when `writable`.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound), [`PermissionDenied`](io::ErrorKind::PermissionDenied), or what else the
    /// system returns. [`IsADirectory`](io::ErrorKind::IsADirectory) or [`InvalidInput`](io::ErrorKind::InvalidInput)
    /// for what is not a file, such as a pipe, which is not waited for.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert!(SystemVfs.open(&dir.path().join("missing"), false).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>>;

    /// Creates the file `path` to read and write, for this user alone, and empties it if it exists.
    ///
    /// # Errors
    /// As [`Vfs::open`], and [`StorageFull`](io::ErrorKind::StorageFull).
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert_eq!(SystemVfs.create(&dir.path().join("a"))?.size()?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens the file `path`, creates it where it does not exist, and locks it for this handle alone until it is dropped.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when another handle, of this process or another, has locked it;
    /// otherwise as [`Vfs::create`].
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let path = dir.path().join("lock");
    /// let held = SystemVfs.lock(&path)?;
    /// assert_eq!(SystemVfs.lock(&path).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// drop(held);
    /// assert!(SystemVfs.lock(&path).is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens the file `path` to read it, and locks it together with others who only read, until the handle is dropped.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when a handle, of this process or another, has it for itself by
    /// [`Vfs::lock`]; otherwise as [`Vfs::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let path = dir.path().join("lock");
    /// drop(SystemVfs.create(&path)?);
    /// let (first, second) = (SystemVfs.lock_shared(&path)?, SystemVfs.lock_shared(&path)?);
    /// assert_eq!(SystemVfs.lock(&path).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives the file or directory `from` the name `to`, in the place of a file that has it.
    ///
    /// # Errors
    /// As [`Vfs::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// SystemVfs.create(&dir.path().join("a"))?;
    /// SystemVfs.rename(&dir.path().join("a"), &dir.path().join("b"))?;
    /// assert_eq!(SystemVfs.names(dir.path())?, ["b"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes the file `path`. Handles that are open stay usable.
    ///
    /// # Errors
    /// As [`Vfs::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// SystemVfs.create(&dir.path().join("a"))?;
    /// SystemVfs.remove(&dir.path().join("a"))?;
    /// assert!(SystemVfs.names(dir.path())?.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in the directory `path` survive loss of power.
    ///
    /// # Errors
    /// The system's; what is on the medium is then unknown.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// SystemVfs.create(&dir.path().join("a"))?;
    /// SystemVfs.sync_directory(dir.path())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// An open file. Handles of the same file see each other's writes at once.
///
/// # Examples
/// ```
/// use larder::vfs::{File, SystemVfs, Vfs};
/// # let dir = tempfile::tempdir().unwrap();
/// let file = SystemVfs.create(&dir.path().join("a"))?;
/// file.write_all_at(b"text", 4)?;
/// file.sync()?;
/// let mut bytes = [1; 8];
/// file.read_exact_at(&mut bytes, 0)?;
/// assert_eq!(&bytes, b"\0\0\0\0text");
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait File: Debug + Send + Sync {
    /// Reads up to `buffer.len()` bytes from `offset` and returns how many; 0 only at the end of the file.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let file = SystemVfs.create(&dir.path().join("a"))?;
    /// assert_eq!(file.read_at(&mut [0; 8], 0)?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes `bytes` at `offset`, and returns how many of them; what lies between the end of the file and `offset`
    /// reads as zero.
    ///
    /// # Errors
    /// [`StorageFull`](io::ErrorKind::StorageFull), or what else the system returns.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert_eq!(SystemVfs.create(&dir.path().join("a"))?.write_at(b"", 0)?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert_eq!(SystemVfs.create(&dir.path().join("a"))?.size()?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn size(&self) -> io::Result<u64>;

    /// Makes what was written to the file survive loss of power, its length included.
    ///
    /// # Errors
    /// The system's. What is on the medium is then unknown, and a second sync that succeeds says nothing about the first.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// SystemVfs.create(&dir.path().join("a"))?.sync()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn sync(&self) -> io::Result<()>;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the file ends before, otherwise as [`File::read_at`].
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let file = SystemVfs.create(&dir.path().join("a"))?;
    /// assert_eq!(file.read_exact_at(&mut [0], 0).unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = buffer.get_mut(read..).unwrap_or_default();
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// As [`File::write_at`]; some of the bytes may then be written.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{File, SystemVfs, Vfs};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let file = SystemVfs.create(&dir.path().join("a"))?;
    /// file.write_all_at(b"text", 0)?;
    /// assert_eq!(file.size()?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
