//! The disk: names, files, locks and what is to go wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use super::content::Content;
use super::fault::{Call, Fault};
use super::rng::Rng;

/// Calls that a trace keeps.
const TRACE_CALLS: usize = 40;

/// A file or directory behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Directory,
    File(u64),
}

pub(super) type Names = BTreeMap<PathBuf, Node>;

/// A change of names that may not be on the medium.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Make(PathBuf, Node),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl NameChange {
    /// The name whose directory makes it durable when it is synced.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::Make(path, _) | Self::Rename(_, path) | Self::Remove(path) => path,
        }
    }

    pub(super) fn touches(&self) -> Vec<PathBuf> {
        match self {
            Self::Make(path, _) | Self::Remove(path) => vec![path.clone()],
            Self::Rename(from, to) => vec![from.clone(), to.clone()],
        }
    }

    pub(super) fn apply(&self, names: &mut Names) {
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

/// How a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Exclusive,
    /// By this many handles.
    Shared(usize),
}

#[derive(Clone)]
pub(super) struct Disk {
    pub(super) rng: Rng,
    pub(super) files: BTreeMap<u64, Content>,
    pub(super) next_file: u64,
    pub(super) names: Names,
    pub(super) durable_names: Names,
    pub(super) name_changes: Vec<NameChange>,
    /// Who has locked which file, whatever its name has become.
    pub(super) locks: BTreeMap<u64, Lock>,
    /// Handles of an earlier one are dead.
    pub(super) boot: u64,
    pub(super) is_off: bool,
    pub(super) calls: u64,
    pub(super) power_left: Option<u64>,
    pub(super) faults: Vec<Fault>,
    pub(super) short_writes: bool,
    pub(super) capacity: Option<u64>,
    pub(super) trace: VecDeque<String>,
}

impl Disk {
    /// An empty one.
    pub(super) fn new(seed: u64) -> Self {
        let names = Names::from([(PathBuf::from("/"), Node::Directory)]);
        Self {
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
        }
    }

    /// Counts a call, and returns the error that it is to fail with.
    pub(super) fn enter(&mut self, call: Call, what: impl FnOnce() -> String) -> io::Result<()> {
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

    pub(super) fn cut_power(&mut self) {
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

    pub(super) fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    pub(super) fn check_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent().and_then(|parent| self.names.get(parent)) {
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(simulated(io::ErrorKind::NotADirectory, "a file is in the way")),
            None => Err(simulated(io::ErrorKind::NotFound, "no such directory")),
        }
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Directory) => Err(simulated(io::ErrorKind::IsADirectory, "it is a directory")),
            None => {
                self.check_parent(path)?;
                Err(simulated(io::ErrorKind::NotFound, "no such file"))
            }
        }
    }

    pub(super) fn make_file(&mut self, path: &Path) -> io::Result<u64> {
        self.check_parent(path)?;
        self.next_file += 1;
        let id = self.next_file;
        self.files.insert(id, Content::default());
        self.change_names(NameChange::Make(path.to_owned(), Node::File(id)));
        Ok(id)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let sizes = self.names.values().filter_map(|node| match node {
            Node::File(id) => self.files.get(id).map(|content| content.written.len() as u64),
            Node::Directory => None,
        });
        sizes.sum()
    }
}

pub(super) fn simulated(kind: io::ErrorKind, what: &str) -> io::Error {
    io::Error::new(kind, format!("simulated: {what}"))
}
