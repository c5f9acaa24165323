//! A disk in memory that fails on demand: the same seed, the same failures.
//!
//! A [`SimVfs`] keeps apart what was written, which every handle sees, and what is on the medium. When the power is cut, at a
//! moment that a test chooses or at the n-th call, the seed decides what of the unsynced writes the medium got:
//! - of each write any of its sectors of 512 bytes, whatever became of the writes before it;
//! - of a file that grew, the old length or the new one, with zeros where nothing arrived;
//! - of the names that were made, changed and removed since their directory was synced, any that do not hang on one that was
//!   lost; a rename is there whole or not at all.
//!
//! Any call can be made to fail, writes can be cut short, the disk can fill up, and bits can rot. After a sync that
//! failed, the writes it was for count as clean, as with a system that drops them: a later sync that succeeds does not
//! bring them to the medium.
//!
//! What it does not simulate: sectors that are torn themselves, a medium that lies about a sync, directories that lose
//! synced names, time.
//!
//! # Examples
//! ```
//! use larder::vfs::{Vfs, sim::SimVfs};
//! use std::path::Path;
//! let disk = SimVfs::new(7);
//! disk.create_directory(Path::new("/data"))?;
//! let file = disk.create(Path::new("/data/a"))?;
//! file.write_all_at(b"text", 0)?;
//! file.sync()?;
//! disk.sync_directory(Path::new("/data"))?;
//! disk.sync_directory(Path::new("/"))?;
//! disk.cut_power();
//! assert!(disk.names(Path::new("/data")).is_err(), "nothing answers until the power is back");
//! disk.restart();
//! assert_eq!(disk.read(Path::new("/data/a")).as_deref(), Some(&b"text"[..]));
//! # Ok::<(), std::io::Error>(())
//! ```

mod content;
mod disk;
mod fault;
mod file;
mod rng;

use std::collections::btree_map::Entry;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{File, Vfs};
use content::{Change, Content};
use disk::{Disk, Lock, NameChange, Node, simulated};
pub use fault::{Call, Fault};
use file::SimFile;

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimVfs(Arc<Mutex<Disk>>);

impl fmt::Debug for SimVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = self.0.lock();
        f.debug_struct("SimVfs").field("files", &disk.names.len()).field("calls", &disk.calls).finish_non_exhaustive()
    }
}

impl SimVfs {
    /// An empty disk. Everything that is left to chance follows from `seed`.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// assert!(SimVfs::new(7).names(std::path::Path::new("/")).unwrap().is_empty());
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk::new(seed))))
    }

    /// Cuts the power now: every call fails until [`SimVfs::restart`], and of what was not synced the medium has what it has.
    ///
    /// # Examples
    /// ```
    /// let disk = larder::vfs::sim::SimVfs::new(7);
    /// disk.cut_power();
    /// assert!(disk.is_off());
    /// ```
    pub fn cut_power(&self) {
        self.0.lock().cut_power();
    }

    /// Cuts the power at the `nth` call from now on, counted from 1, instead of answering it.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// use std::path::Path;
    /// let disk = SimVfs::new(7);
    /// disk.cut_power_at(2);
    /// assert!(disk.names(Path::new("/")).is_ok());
    /// assert!(disk.names(Path::new("/")).is_err());
    /// ```
    pub fn cut_power_at(&self, nth: u64) {
        self.0.lock().power_left = Some(nth);
    }

    /// Whether the power is cut.
    ///
    /// # Examples
    /// ```
    /// assert!(!larder::vfs::sim::SimVfs::new(7).is_off());
    /// ```
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.lock().is_off
    }

    /// Starts again: handles and locks of before are gone, faults are forgotten. Without a cut of the power before, as after the
    /// death of a process, everything written is there.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// use std::path::Path;
    /// let disk = SimVfs::new(7);
    /// let file = disk.create(Path::new("/a"))?;
    /// disk.restart();
    /// assert!(file.size().is_err());
    /// assert_eq!(disk.names(Path::new("/"))?, ["a"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn restart(&self) {
        let mut disk = self.0.lock();
        disk.boot += 1;
        disk.is_off = false;
        disk.power_left = None;
        disk.short_writes = false;
        disk.faults.clear();
        disk.locks.clear();
    }

    /// Makes a call fail.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::sim::{Call, Fault, SimVfs};
    /// SimVfs::new(7).fail(Fault::at(Call::Any, 10).forever());
    /// ```
    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Lets calls succeed again that were asked to fail.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::{Call, Fault, SimVfs}};
    /// let disk = SimVfs::new(7);
    /// disk.fail(Fault::at(Call::Any, 1).forever());
    /// assert!(disk.names(std::path::Path::new("/")).is_err());
    /// disk.heal();
    /// assert!(disk.names(std::path::Path::new("/")).is_ok());
    /// ```
    pub fn heal(&self) {
        self.0.lock().faults.clear();
    }

    /// Whether writes take a part of what they are given.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// let disk = SimVfs::new(7);
    /// disk.write_short(true);
    /// let file = disk.create(std::path::Path::new("/a"))?;
    /// file.write_all_at(&[1; 1_000], 0)?;
    /// assert!(disk.calls() > 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_short(&self, short: bool) {
        self.0.lock().short_writes = short;
    }

    /// Bytes that all files together may have; as many as they like unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// let disk = SimVfs::new(7);
    /// disk.set_capacity(Some(10));
    /// let file = disk.create(std::path::Path::new("/a"))?;
    /// assert_eq!(file.write_all_at(&[1; 11], 0).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// How many calls there have been.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::vfs::sim::SimVfs::new(7).calls(), 0);
    /// ```
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// The last calls, one in a line.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// let disk = SimVfs::new(7);
    /// disk.create(std::path::Path::new("/a"))?;
    /// assert!(disk.trace().contains("create /a"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn trace(&self) -> String {
        self.0.lock().trace.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    /// The paths of all files.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::{Vfs, sim::SimVfs};
    /// let disk = SimVfs::new(7);
    /// disk.create(std::path::Path::new("/a"))?;
    /// assert_eq!(disk.files(), [std::path::Path::new("/a")]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let disk = self.0.lock();
        disk.names.iter().filter(|(_, node)| **node != Node::Directory).map(|(path, _)| path.clone()).collect()
    }

    /// What is in a file, or `None` when there is none.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::vfs::sim::SimVfs::new(7).read(std::path::Path::new("/a")).is_none());
    /// ```
    #[must_use]
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.0.lock();
        let Some(Node::File(id)) = disk.names.get(path) else { return None };
        disk.files.get(id).map(|content| content.written.clone())
    }

    /// Puts `bytes` in the place of what is in a file, synced, as a decaying or meddled-with medium would. Makes the file, and
    /// its directory, where there is none.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::sim::SimVfs;
    /// use std::path::Path;
    /// let disk = SimVfs::new(7);
    /// disk.write(Path::new("/data/a"), b"text".to_vec());
    /// assert_eq!(disk.read(Path::new("/data/a")).as_deref(), Some(&b"text"[..]));
    /// ```
    pub fn write(&self, path: &Path, bytes: Vec<u8>) {
        let mut disk = self.0.lock();
        let Disk { names, durable_names, files, next_file, .. } = &mut *disk;
        for directory in path.ancestors().skip(1) {
            names.entry(directory.to_owned()).or_insert(Node::Directory);
            durable_names.entry(directory.to_owned()).or_insert(Node::Directory);
        }
        let id = if let Some(Node::File(id)) = names.get(path) {
            *id
        } else {
            *next_file += 1;
            *next_file
        };
        names.insert(path.to_owned(), Node::File(id));
        durable_names.insert(path.to_owned(), Node::File(id));
        files.insert(id, Content { written: bytes.clone(), medium: bytes, changes: Vec::new() });
    }

    /// Turns over one bit of a file, counted from the lowest of its first byte; `false` when there is no such bit.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::sim::SimVfs;
    /// use std::path::Path;
    /// let disk = SimVfs::new(7);
    /// disk.write(Path::new("/a"), vec![0, 0]);
    /// assert!(disk.flip_bit(Path::new("/a"), 9));
    /// assert_eq!(disk.read(Path::new("/a")), Some(vec![0, 2]));
    /// ```
    pub fn flip_bit(&self, path: &Path, bit: u64) -> bool {
        let Some(mut bytes) = self.read(path) else { return false };
        let place = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at));
        let Some(byte) = place else { return false };
        *byte ^= 1 << (bit % 8);
        self.write(path, bytes);
        true
    }

    /// Another disk with the same content, for trying several continuations.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::sim::SimVfs;
    /// use std::path::Path;
    /// let disk = SimVfs::new(7);
    /// let other = disk.fork();
    /// other.write(Path::new("/a"), vec![]);
    /// assert!(disk.read(Path::new("/a")).is_none());
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().clone())))
    }

    fn handle(&self, id: u64, boot: u64, has_lock: bool) -> Box<dyn File> {
        Box::new(SimFile { disk: Arc::clone(&self.0), id, boot, has_lock })
    }
}

impl Vfs for SimVfs {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Call::Create, || format!("create directory {}", path.display()))?;
        let above: Vec<_> = path.ancestors().collect();
        for directory in above.into_iter().rev() {
            match disk.names.get(directory) {
                Some(Node::Directory) => {}
                Some(Node::File(_)) => {
                    let kind =
                        if directory == path { io::ErrorKind::AlreadyExists } else { io::ErrorKind::NotADirectory };
                    return Err(simulated(kind, "a file is in the way"));
                }
                None => disk.change_names(NameChange::Make(directory.to_owned(), Node::Directory)),
            }
        }
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut disk = self.0.lock();
        disk.enter(Call::Open, || format!("names in {}", path.display()))?;
        match disk.names.get(path) {
            Some(Node::Directory) => {}
            Some(Node::File(_)) => return Err(simulated(io::ErrorKind::NotADirectory, "it is a file")),
            None => {
                disk.check_parent(path)?;
                return Err(simulated(io::ErrorKind::NotFound, "no such directory"));
            }
        }
        let inside = disk.names.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.filter_map(|name| Some(name.file_name()?.to_str()?.to_owned())).collect())
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(Call::Open, || format!("open {}{}", path.display(), if writable { " to write" } else { "" }))?;
        let (id, boot) = (disk.file(path)?, disk.boot);
        drop(disk);
        Ok(self.handle(id, boot, false))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(Call::Create, || format!("create {}", path.display()))?;
        let id = match disk.names.get(path) {
            Some(Node::File(id)) => {
                let id = *id;
                disk.files.entry(id).or_default().change(Change::Truncate);
                id
            }
            Some(Node::Directory) => return Err(simulated(io::ErrorKind::IsADirectory, "it is a directory")),
            None => disk.make_file(path)?,
        };
        let boot = disk.boot;
        drop(disk);
        Ok(self.handle(id, boot, false))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(Call::Open, || format!("lock {}", path.display()))?;
        let id = match disk.file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.make_file(path)?,
            id => id?,
        };
        match disk.locks.entry(id) {
            Entry::Vacant(place) => place.insert(Lock::Exclusive),
            Entry::Occupied(_) => return Err(simulated(io::ErrorKind::WouldBlock, "it is locked")),
        };
        let boot = disk.boot;
        drop(disk);
        Ok(self.handle(id, boot, true))
    }

    fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(Call::Open, || format!("lock {} to read", path.display()))?;
        let id = disk.file(path)?;
        match disk.locks.entry(id).or_insert(Lock::Shared(0)) {
            Lock::Shared(handles) => *handles += 1,
            Lock::Exclusive => return Err(simulated(io::ErrorKind::WouldBlock, "it is locked")),
        }
        let boot = disk.boot;
        drop(disk);
        Ok(self.handle(id, boot, true))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Call::Rename, || format!("rename {} to {}", from.display(), to.display()))?;
        let Some(node) = disk.names.get(from).copied() else {
            disk.check_parent(from)?;
            return Err(simulated(io::ErrorKind::NotFound, "no such file"));
        };
        disk.check_parent(to)?;
        match (node, disk.names.get(to)) {
            (_, None) | (Node::File(_), Some(Node::File(_))) => {}
            (Node::File(_), Some(Node::Directory)) => {
                return Err(simulated(io::ErrorKind::IsADirectory, "a directory is in the way"));
            }
            (Node::Directory, Some(Node::File(_))) => {
                return Err(simulated(io::ErrorKind::NotADirectory, "a file is in the way"));
            }
            (Node::Directory, Some(Node::Directory)) => {
                if disk.names.keys().any(|name| name.parent() == Some(to)) {
                    return Err(simulated(io::ErrorKind::DirectoryNotEmpty, "a directory is in the way"));
                }
            }
        }
        disk.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Call::Remove, || format!("remove {}", path.display()))?;
        disk.file(path)?;
        disk.change_names(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Call::SyncDirectory, || format!("sync directory {}", path.display()))?;
        if disk.names.get(path) != Some(&Node::Directory) {
            return Err(simulated(io::ErrorKind::NotFound, "no such directory"));
        }
        let Disk { name_changes, durable_names, .. } = &mut *disk;
        name_changes.retain(|change| {
            let is_here = change.name().parent() == Some(path);
            if is_here {
                change.apply(durable_names);
            }
            !is_here
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
