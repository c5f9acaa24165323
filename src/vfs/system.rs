//! The operating system's files.

use std::fs;
use std::io;
use std::path::Path;

use super::{File, Vfs};

/// The operating system's files.
///
/// # Examples
/// ```
/// use larder::vfs::{SystemVfs, Vfs};
/// assert!(SystemVfs.names(&std::env::temp_dir()).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemVfs;

impl Vfs for SystemVfs {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
        builder.recursive(true).create(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
        Ok(Box::new(open_file(path, fs::OpenOptions::new().read(true).write(writable))?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(open_file(path, writing().truncate(true))?))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = open_file(path, writing().truncate(false))?;
        let locked = file.try_lock();
        had(file, locked)
    }

    fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = open_file(path, fs::OpenOptions::new().read(true))?;
        let locked = file.try_lock_shared();
        had(file, locked)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Windows opens no directories as files, and orders its names itself.
        if cfg!(windows) { Ok(()) } else { fs::File::open(path)?.sync_all() }
    }
}

/// Who may look into what is made: its owner.
#[cfg(unix)]
const DIRECTORY_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// To read and write a file that is made where it is missing.
fn writing() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

/// Opens a file, and nothing else: to open a pipe means to wait for whoever is at its other end.
fn open_file(path: &Path, options: &fs::OpenOptions) -> io::Result<fs::File> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        // What keeps it from being looked at is reported by what follows.
        Ok(_) | Err(_) => {}
    }
    options.open(path)
}

/// The file, if it is locked.
fn had(file: fs::File, locked: Result<(), fs::TryLockError>) -> io::Result<Box<dyn File>> {
    match locked {
        Ok(()) => Ok(Box::new(Locked(file))),
        Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A file that is locked until this is dropped.
///
/// A lock would end with the last descriptor of the file, and a child that the program starts has them all for the moment between
/// its fork and its exec: it is given up by name, so that the file can be locked again at once.
#[derive(Debug)]
struct Locked(fs::File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file does it, too.
        let _ = self.0.unlock();
    }
}

impl File for Locked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

impl File for fs::File {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match std::os::windows::fs::FileExt::seek_read(self, buffer, offset) {
            // ERROR_HANDLE_EOF
            Err(error) if error.raw_os_error() == Some(38) => Ok(0),
            read => read,
        }
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(self, bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A child has the descriptors of its parent until it runs its own program.
    #[test]
    fn a_file_can_be_locked_again_at_once_while_children_are_started() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
            let mut refused = 0;
            for _ in 0..20_000 {
                refused += usize::from(SystemVfs.lock(&path).is_err());
            }
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(refused, 0);
        });
    }
}
