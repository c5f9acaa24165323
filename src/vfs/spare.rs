//! Descriptors that are held for a store's own files.
//!
//! A process may have only a limited number of files open, and clients take one each. A store that gets none for its
//! next segment or checkpoint can write no more. So some are held that nothing is read from, and one is let go whenever
//! there is none left for a file of the store's. They are taken again when others have been closed.
//!
//! # Cost
//! [`ENGINE_FILES_HELD_BACK`](limits::ENGINE_FILES_HELD_BACK) descriptors for each open store. A call that succeeds
//! while all are held pays a lock that nobody else wants.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{File, Vfs};
use crate::limits;

/// What is opened to hold a descriptor.
const NOTHING: &str = "/dev/null";

/// Errors of the system: the process has, or all processes have, too many files open.
const TOO_MANY: [i32; 2] = [23, 24];

/// Files of another [`Vfs`], with descriptors in reserve.
pub(crate) struct SpareVfs {
    inner: Arc<dyn Vfs>,
    spares: Mutex<Vec<fs::File>>,
}

impl fmt::Debug for SpareVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpareVfs").field(&self.inner).finish()
    }
}

impl SpareVfs {
    /// Files of `inner`. As many descriptors are held as the system gives, up to the limit.
    pub(crate) fn new(inner: Arc<dyn Vfs>) -> Self {
        let vfs = Self { inner, spares: Mutex::default() };
        vfs.fill();
        vfs
    }

    /// Takes the descriptors again that were let go.
    fn fill(&self) {
        if !cfg!(unix) {
            return;
        }
        let mut spares = self.spares.lock();
        while spares.len() < limits::ENGINE_FILES_HELD_BACK {
            // Without one for itself there is none in reserve: the next call tries again.
            let Ok(file) = fs::File::open(NOTHING) else { return };
            spares.push(file);
        }
    }

    /// Calls `open`, again for each descriptor that can be let go while there is none for it.
    fn with_spares<T>(&self, open: impl Fn(&dyn Vfs) -> io::Result<T>) -> io::Result<T> {
        loop {
            match open(&*self.inner) {
                Err(error) if cfg!(unix) && error.raw_os_error().is_some_and(|code| TOO_MANY.contains(&code)) => {
                    if self.spares.lock().pop().is_none() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
                Ok(opened) => {
                    self.fill();
                    return Ok(opened);
                }
            }
        }
    }
}

impl Vfs for SpareVfs {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.inner.create_directory(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.with_spares(|vfs| vfs.names(path))
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
        self.with_spares(|vfs| vfs.open(path, writable))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.with_spares(|vfs| vfs.create(path))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.with_spares(|vfs| vfs.lock(path))
    }

    fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.with_spares(|vfs| vfs.lock_shared(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.with_spares(|vfs| vfs.sync_directory(path))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::vfs::SystemVfs;

    /// Files for which there are no descriptors at the first calls.
    #[derive(Debug)]
    struct Exhausted(AtomicUsize);

    impl Exhausted {
        fn check(&self) -> io::Result<()> {
            let left = self.0.load(Ordering::Relaxed);
            self.0.store(left.saturating_sub(1), Ordering::Relaxed);
            if left > 0 { Err(io::Error::from_raw_os_error(24)) } else { Ok(()) }
        }
    }

    impl Vfs for Exhausted {
        fn create_directory(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn names(&self, path: &Path) -> io::Result<Vec<String>> {
            self.check()?;
            SystemVfs.names(path)
        }
        fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
            self.check()?;
            SystemVfs.open(path, writable)
        }
        fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
            self.check()?;
            SystemVfs.create(path)
        }
        fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
            SystemVfs.lock(path)
        }
        fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>> {
            SystemVfs.lock_shared(path)
        }
        fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn remove(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn sync_directory(&self, path: &Path) -> io::Result<()> {
            self.check()?;
            SystemVfs.sync_directory(path)
        }
    }

    #[test]
    fn a_descriptor_is_let_go_for_each_call_that_gets_none_and_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let vfs = SpareVfs::new(Arc::new(Exhausted(AtomicUsize::new(2))));
        assert_eq!(vfs.spares.lock().len(), limits::ENGINE_FILES_HELD_BACK);
        drop(vfs.create(&dir.path().join("a")).unwrap());
        assert_eq!(vfs.spares.lock().len(), limits::ENGINE_FILES_HELD_BACK, "there are enough again");
        assert_eq!(vfs.names(dir.path()).unwrap(), ["a"]);
        let vfs = SpareVfs::new(Arc::new(Exhausted(AtomicUsize::new(1_000))));
        let error = vfs.sync_directory(dir.path()).unwrap_err();
        assert_eq!((error.raw_os_error(), vfs.spares.lock().len()), (Some(24), 0));
        assert!(vfs.open(&dir.path().join("nosuch"), false).is_err());
    }
}
