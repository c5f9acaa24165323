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

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{File, Vfs};

/// What the medium writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

/// Calls that a trace keeps.
const TRACE_CALLS: usize = 40;

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimVfs(Arc<Mutex<Disk>>);

/// A kind of call, for a [`Fault`].
///
/// # Examples
/// ```
/// use larder::vfs::sim::{Call, Fault, SimVfs};
/// SimVfs::new(1).fail(Fault::at(Call::Sync, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Any of them.
    Any,
    /// [`Vfs::create_directory`] and [`Vfs::create`].
    Create,
    /// [`Vfs::open`], [`Vfs::lock`], [`Vfs::lock_shared`] and [`Vfs::names`].
    Open,
    /// [`File::read_at`] and [`File::size`].
    Read,
    /// [`File::write_at`].
    Write,
    /// [`File::sync`].
    Sync,
    /// [`Vfs::rename`].
    Rename,
    /// [`Vfs::remove`].
    Remove,
    /// [`Vfs::sync_directory`].
    SyncDirectory,
}

/// A call that is to fail.
///
/// # Examples
/// ```
/// use larder::vfs::{Vfs, sim::{Call, Fault, SimVfs}};
/// use std::{io::ErrorKind, path::Path};
/// let disk = SimVfs::new(1);
/// disk.fail(Fault::at(Call::Create, 1).with(ErrorKind::PermissionDenied));
/// let error = disk.create_directory(Path::new("/data")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::PermissionDenied);
/// assert!(disk.create_directory(Path::new("/data")).is_ok(), "once");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a fault does nothing until it is given to a disk"]
pub struct Fault {
    call: Call,
    left: u64,
    error: io::ErrorKind,
    forever: bool,
}

impl Fault {
    /// The `nth` call of this kind from now on fails, counted from 1.
    ///
    /// # Examples
    /// ```
    /// let fault = larder::vfs::sim::Fault::at(larder::vfs::sim::Call::Write, 1);
    /// # let _ = fault;
    /// ```
    pub fn at(call: Call, nth: u64) -> Self {
        Self { call, left: nth, error: io::ErrorKind::Other, forever: false }
    }

    /// With this kind of error; [`Other`](io::ErrorKind::Other) unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::vfs::sim::{Call, Fault};
    /// let fault = Fault::at(Call::Write, 1).with(std::io::ErrorKind::StorageFull);
    /// # let _ = fault;
    /// ```
    pub fn with(self, error: io::ErrorKind) -> Self {
        Self { error, ..self }
    }

    /// So do all calls of this kind after it.
    ///
    /// # Examples
    /// ```
    /// # use larder::vfs::sim::{Call, Fault};
    /// let fault = Fault::at(Call::Sync, 1).forever();
    /// # let _ = fault;
    /// ```
    pub fn forever(self) -> Self {
        Self { forever: true, ..self }
    }
}

/// A file or directory behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Directory,
    File(u64),
}

type Names = BTreeMap<PathBuf, Node>;

/// A change of names that may not be on the medium.
#[derive(Clone, Debug)]
enum NameChange {
    Make(PathBuf, Node),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl NameChange {
    /// The name whose directory makes it durable when it is synced.
    fn name(&self) -> &Path {
        match self {
            Self::Make(path, _) | Self::Rename(_, path) | Self::Remove(path) => path,
        }
    }

    fn touches(&self) -> Vec<PathBuf> {
        match self {
            Self::Make(path, _) | Self::Remove(path) => vec![path.clone()],
            Self::Rename(from, to) => vec![from.clone(), to.clone()],
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Make(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Rename(from, to) => {
                let below: Vec<_> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in below {
                    if let (Some(node), Ok(rest)) = (names.remove(&path), path.strip_prefix(from)) {
                        // Joining with an empty path would add a separator.
                        let renamed = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                        names.insert(renamed, node);
                    }
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

/// Where a write has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The next sync brings it to the medium.
    Dirty,
    /// A sync failed: it may be on the medium, and no sync will bring it there.
    Abandoned,
    /// On the medium, but after one that was abandoned.
    Synced,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate,
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => put(content, *offset, bytes),
            Self::Truncate => content.clear(),
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// What every handle sees.
    written: Vec<u8>,
    /// What was synced before `changes`.
    medium: Vec<u8>,
    changes: Vec<(State, Change)>,
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.written);
        self.changes.push((State::Dirty, change));
    }

    fn sync(&mut self) {
        for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
            *state = State::Synced;
        }
        let durable = self.changes.iter().take_while(|(state, _)| *state == State::Synced).count();
        for (_, change) in self.changes.drain(..durable) {
            change.apply(&mut self.medium);
        }
    }

    fn abandon(&mut self) {
        for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
            *state = State::Abandoned;
        }
    }

    /// What the medium holds when the power is cut.
    fn survive(&mut self, rng: &mut Rng) {
        let mut content = std::mem::take(&mut self.medium);
        let (whole, fate) = (self.written.len(), rng.below(5));
        for (state, change) in self.changes.drain(..) {
            if state == State::Synced {
                change.apply(&mut content);
                continue;
            }
            match (fate, change) {
                (0, _) => {}
                (1, change) => change.apply(&mut content),
                (_, Change::Truncate) if rng.one_in(2) => content.clear(),
                (_, Change::Truncate) => {}
                // Whole writes, in any order.
                (2, change) => {
                    if rng.one_in(2) {
                        change.apply(&mut content);
                    }
                }
                // The beginning of each, more often than not of one only.
                (3, Change::Write(offset, bytes)) => {
                    let kept = usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap_or(0);
                    put(&mut content, offset, bytes.get(..kept).unwrap_or_default());
                }
                (_, Change::Write(offset, bytes)) => {
                    let mut at = offset;
                    while at < offset + bytes.len() {
                        let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(offset + bytes.len());
                        if rng.one_in(2) {
                            put(&mut content, at, bytes.get(at - offset..end - offset).unwrap_or_default());
                        }
                        at = end;
                    }
                }
            }
        }
        if content.len() < whole && rng.one_in(2) {
            content.resize(whole, 0);
        }
        self.written.clone_from(&content);
        self.medium = content;
    }
}

/// How a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Exclusive,
    /// By so many handles.
    Shared(usize),
}

#[derive(Clone)]
struct Disk {
    rng: Rng,
    files: BTreeMap<u64, Content>,
    next_file: u64,
    names: Names,
    durable_names: Names,
    name_changes: Vec<NameChange>,
    /// Who has locked which file, whatever its name has become.
    locks: BTreeMap<u64, Lock>,
    /// Handles of an earlier one are dead.
    boot: u64,
    is_off: bool,
    calls: u64,
    power_left: Option<u64>,
    faults: Vec<Fault>,
    short_writes: bool,
    capacity: Option<u64>,
    trace: VecDeque<String>,
}

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
        let names = Names::from([(PathBuf::from("/"), Node::Directory)]);
        Self(Arc::new(Mutex::new(Disk {
            rng: Rng::new(seed),
            files: BTreeMap::new(),
            next_file: 0,
            durable_names: names.clone(),
            names,
            name_changes: Vec::new(),
            locks: BTreeMap::new(),
            boot: 0,
            is_off: false,
            calls: 0,
            power_left: None,
            faults: Vec::new(),
            short_writes: false,
            capacity: None,
            trace: VecDeque::new(),
        })))
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

    /// Has a call fail.
    ///
    /// # Examples
    /// ```
    /// use larder::vfs::sim::{Call, Fault, SimVfs};
    /// SimVfs::new(7).fail(Fault::at(Call::Any, 10).forever());
    /// ```
    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Has calls succeed again that were asked to fail.
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
        Box::new(SimFile { disk: self.clone(), id, boot, has_lock })
    }
}

impl Disk {
    /// Counts a call, and answers the error that it is to fail with.
    fn enter(&mut self, call: Call, what: impl FnOnce() -> String) -> io::Result<()> {
        if self.is_off {
            return Err(simulated(io::ErrorKind::Other, "the power is off"));
        }
        self.calls += 1;
        if self.trace.len() == TRACE_CALLS {
            self.trace.pop_front();
        }
        self.trace.push_back(format!("{:>5} {}", self.calls, what()));
        if let Some(left) = &mut self.power_left {
            *left -= 1;
            if *left == 0 {
                self.cut_power();
                return Err(simulated(io::ErrorKind::Other, "the power was cut"));
            }
        }
        let mut error = None;
        for fault in self.faults.iter_mut().filter(|fault| fault.call == call || fault.call == Call::Any) {
            fault.left = fault.left.saturating_sub(1);
            if fault.left == 0 {
                error = Some(fault.error);
            }
        }
        self.faults.retain(|fault| fault.left > 0 || fault.forever);
        match error {
            Some(kind) => {
                self.trace.push_back(format!("      fails: {kind}"));
                Err(simulated(kind, "as asked"))
            }
            None => Ok(()),
        }
    }

    fn cut_power(&mut self) {
        if self.is_off {
            return;
        }
        self.is_off = true;
        self.trace.push_back("      the power is cut".to_owned());
        let mut lost = BTreeSet::new();
        for change in std::mem::take(&mut self.name_changes) {
            let touched = change.touches();
            // It hangs on those before it that touched the same names.
            if touched.iter().any(|name| lost.contains(name)) || self.rng.one_in(2) {
                lost.extend(touched);
            } else {
                change.apply(&mut self.durable_names);
            }
        }
        let mut names = self.durable_names.clone();
        let is_directory = |names: &Names, path: &Path| names.get(path) == Some(&Node::Directory);
        let all = names.clone();
        names.retain(|path, _| path.ancestors().skip(1).all(|above| is_directory(&all, above)));
        for content in self.files.values_mut() {
            content.survive(&mut self.rng);
        }
        let kept: BTreeSet<u64> =
            names.values().filter_map(|node| if let Node::File(id) = node { Some(*id) } else { None }).collect();
        self.files.retain(|id, _| kept.contains(id));
        self.names.clone_from(&names);
        self.durable_names = names;
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn check_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent().and_then(|parent| self.names.get(parent)) {
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(simulated(io::ErrorKind::NotADirectory, "a file is in the way")),
            None => Err(simulated(io::ErrorKind::NotFound, "no such directory")),
        }
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Directory) => Err(simulated(io::ErrorKind::IsADirectory, "it is a directory")),
            None => {
                self.check_parent(path)?;
                Err(simulated(io::ErrorKind::NotFound, "no such file"))
            }
        }
    }

    fn make_file(&mut self, path: &Path) -> io::Result<u64> {
        self.check_parent(path)?;
        self.next_file += 1;
        let id = self.next_file;
        self.files.insert(id, Content::default());
        self.change_names(NameChange::Make(path.to_owned(), Node::File(id)));
        Ok(id)
    }

    fn used_bytes(&self) -> u64 {
        let sizes = self.names.values().filter_map(|node| match node {
            Node::File(id) => self.files.get(id).map(|content| content.written.len() as u64),
            Node::Directory => None,
        });
        sizes.sum()
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

/// An open file of a simulated disk.
struct SimFile {
    disk: SimVfs,
    id: u64,
    boot: u64,
    /// Whether the file is locked while this is open.
    has_lock: bool,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut disk = self.disk.0.lock();
        if !self.has_lock || disk.boot != self.boot {
            return;
        }
        match disk.locks.get_mut(&self.id) {
            Some(Lock::Shared(handles)) if *handles > 1 => *handles -= 1,
            _ => drop(disk.locks.remove(&self.id)),
        }
    }
}

impl SimFile {
    /// Runs `use_it` on what the file holds, unless the call is to fail.
    fn call<T>(
        &self,
        call: Call,
        what: impl FnOnce() -> String,
        use_it: impl FnOnce(&mut Disk, Result<(), io::Error>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut disk = self.disk.0.lock();
        if disk.boot != self.boot {
            return Err(simulated(io::ErrorKind::Other, "the file was opened before the restart"));
        }
        let id = self.id;
        let entered = disk.enter(call, || format!("{} (file {id})", what()));
        use_it(&mut disk, entered)
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let wanted = buffer.len();
        self.call(
            Call::Read,
            || format!("read {wanted} at {offset}"),
            |disk, entered| {
                entered?;
                let content = disk.files.get(&self.id).map_or(&[][..], |content| &content.written);
                let rest = usize::try_from(offset).ok().and_then(|offset| content.get(offset..)).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
                    to.copy_from_slice(from);
                }
                Ok(length)
            },
        )
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.call(
            Call::Write,
            || format!("write {} at {offset}", bytes.len()),
            |disk, entered| {
                entered?;
                let offset =
                    usize::try_from(offset).map_err(|_| simulated(io::ErrorKind::FileTooLarge, "too large"))?;
                let mut length = bytes.len();
                if disk.short_writes && length > 1 {
                    length = usize::try_from(disk.rng.below(length as u64)).unwrap_or(0) + 1;
                }
                let used = disk.used_bytes();
                let content = disk.files.entry(self.id).or_default();
                if let Some(capacity) = disk.capacity {
                    let room = capacity.saturating_sub(used).saturating_add(content.written.len() as u64);
                    let room = usize::try_from(room).unwrap_or(usize::MAX).saturating_sub(offset);
                    if room == 0 && length > 0 {
                        return Err(simulated(io::ErrorKind::StorageFull, "the disk is full"));
                    }
                    length = length.min(room);
                }
                content.change(Change::Write(offset, bytes.get(..length).unwrap_or_default().to_vec()));
                Ok(length)
            },
        )
    }

    fn size(&self) -> io::Result<u64> {
        self.call(
            Call::Read,
            || "size".to_owned(),
            |disk, entered| {
                entered?;
                Ok(disk.files.get(&self.id).map_or(0, |content| content.written.len() as u64))
            },
        )
    }

    fn sync(&self) -> io::Result<()> {
        self.call(
            Call::Sync,
            || "sync".to_owned(),
            |disk, entered| {
                let is_off = disk.is_off;
                let content = disk.files.entry(self.id).or_default();
                match &entered {
                    Ok(()) => content.sync(),
                    Err(_) if is_off => {}
                    Err(_) => content.abandon(),
                }
                entered
            },
        )
    }
}

fn simulated(kind: io::ErrorKind, what: &str) -> io::Error {
    io::Error::new(kind, format!("simulated: {what}"))
}

/// Numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests;
