//! Storage engines: ordered byte keys with snapshots and atomic commits.
//!
//! [`Engine`] is the whole contract between the models and what keeps their bytes. It assumes neither a local file nor a
//! single process: an ordered, transactional store elsewhere can meet it, by checking [`Reads`] itself and answering
//! [`Error::Conflict`]. Every engine here passes one conformance suite, `tests/engine`.
//!
//! # Invariants of every engine
//! 1. A commit is visible whole or not at all, to gets, ranges and counts alike.
//! 2. A [`Snapshot`] never changes, and blocks nobody.
//! 3. Commits are numbered from 1 without gaps; a snapshot's number is the last commit it holds.
//! 4. When a commit's [`Ticket`] has been waited for, it is as durable as it was asked to be, with every commit before it,
//!    and [`Engine::snapshot`] shows it. Until then only [`Engine::latest`] does.

mod changes;
pub mod durable;
#[cfg(feature = "fjall")]
#[cfg_attr(docsrs, doc(cfg(feature = "fjall")))]
pub mod fjall;
mod foreign;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod group;
pub(crate) mod history;
mod interval;
mod key;
mod local;
mod memory;
mod overlay;
mod range;
mod reads;
#[cfg(feature = "sled")]
#[cfg_attr(docsrs, doc(cfg(feature = "sled")))]
pub mod sled;
mod ticket;
pub(crate) mod tree;

use std::borrow::Cow;
use std::fmt;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use changes::{Change, Changes, Draft};
pub use key::Key;
pub use memory::MemoryEngine;
pub use overlay::{Overlay, OverlayEngine};
pub use range::{Direction, KeyRange};
pub use reads::Reads;
pub use ticket::{Settle, Ticket};

use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A stored value. Cheap to clone.
///
/// # Examples
/// ```
/// let value: larder::engine::Value = b"ann"[..].into();
/// assert_eq!(&*value, b"ann");
/// ```
pub type Value = Arc<[u8]>;

/// An entry that a cursor lends: key and value.
///
/// # Examples
/// ```
/// use larder::engine::Entry;
/// let bytes = |(key, value): Entry<'_>| key.len() + value.len();
/// assert_eq!(bytes((b"a", b"12")), 3);
/// ```
pub type Entry<'a> = (&'a [u8], &'a [u8]);

/// An entry that a snapshot lends, or hands over when it has no bytes to lend: key and value.
///
/// # Examples
/// ```
/// use larder::engine::LentEntry;
/// let bytes = |(key, value): LentEntry<'_>| key.len() + value.len();
/// assert_eq!(bytes((b"a"[..].into(), b"12"[..].into())), 3);
/// ```
pub type LentEntry<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// How far a commit has to get before it is acknowledged.
///
/// # Examples
/// ```
/// use larder::{Store, engine::Durability};
/// use std::time::Duration;
/// assert_eq!(Durability::default(), Durability::Sync);
/// let builder = Store::builder().durability(Durability::Interval(Duration::from_secs(1)));
/// # let _ = builder;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// On the medium: the commit survives power loss.
    #[default]
    Sync,
    /// With the operating system, and on the medium at most this much later: a crash of the process loses nothing, loss
    /// of power what was committed within this time.
    Interval(Duration),
    /// With the operating system, which writes it when it likes.
    None,
}

/// The place of a commit in the order of all commits, from 1; 0 is before the first.
///
/// # Examples
/// ```
/// use larder::{Store, engine::CommitNumber};
/// let store = Store::in_memory();
/// assert_eq!(store.snapshot()?.commit(), CommitNumber(0));
/// store.kv().set("k", "v")?;
/// assert_eq!(store.snapshot()?.commit().to_string(), "1");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitNumber(pub u64);

impl CommitNumber {
    /// The number of the commit after this one. [`u64::MAX`], which no store gets to, is its own next.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::CommitNumber;
    /// assert_eq!(CommitNumber(7).next(), CommitNumber(8));
    /// ```
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for CommitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an engine holds and has done.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// store.kv().set("k", "v")?;
/// let stats = store.stats()?;
/// assert_eq!((stats.commit.0, stats.disk_bytes), (1, 0));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// The last commit.
    pub commit: CommitNumber,
    /// Entries held; `None` when the engine would have to count them.
    pub entries: Option<u64>,
    /// Bytes of all keys and values; `None` when the engine does not know them.
    pub bytes: Option<u64>,
    /// Bytes on disk; 0 when nothing is.
    pub disk_bytes: u64,
    /// Bytes of the log on disk, with what is set aside for it; 0 when there is none.
    pub log_bytes: u64,
    /// Bytes of the newest checkpoint; 0 when there is none.
    pub checkpoint_bytes: u64,
    /// The last commit that the newest checkpoint holds.
    pub last_checkpoint: Option<CommitNumber>,
    /// How often the log has been synced since the store was opened.
    pub syncs: u64,
}

/// What was found by reading everything that a store consists of.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// store.kv().set("k", "v")?;
/// let report = store.check()?;
/// assert!(report.damage.is_empty() && report.entries > 0);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Files read.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Entries read: of an open store those that it holds. Of one that is closed those of the checkpoint and what the log
    /// puts; of one that is damaged those that can still be read.
    pub entries: u64,
    /// The last commit found.
    pub commit: CommitNumber,
    /// What is not as it was written, as far as can be known. Damage may hide other damage behind it.
    pub damage: Vec<Damage>,
}

/// A place in a file that does not hold what was written there.
///
/// # Examples
/// ```
/// let damage = larder::Store::in_memory().check()?.damage;
/// for damage in &damage {
///     println!("{}, byte {}: {}", damage.file.display(), damage.offset, damage.detail);
/// }
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where in it, in bytes from its start.
    pub offset: u64,
    /// What is wrong there.
    pub detail: String,
}

/// Keeps entries, takes commits, gives snapshots.
///
/// # Examples
/// A function that works on every engine:
/// ```
/// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
/// fn put(engine: &dyn Engine, key: &[u8], value: &[u8]) -> larder::Result<()> {
///     engine.commit(&Changes::putting(key, value), None, Durability::Sync)?.wait()
/// }
/// let engine = MemoryEngine::new();
/// put(&engine, b"a", b"1")?;
/// assert_eq!(engine.snapshot()?.get(b"a")?.as_deref(), Some(&b"1"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
pub trait Engine: fmt::Debug + Send + Sync {
    /// The engine's name, for errors and reports.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert_eq!(MemoryEngine::new().name(), "memory");
    /// ```
    fn name(&self) -> &'static str;

    /// The state after the last commit that is as durable as it was asked to be: what readers see. O(1).
    ///
    /// # Errors
    /// [`Error::Closed`] after [`Engine::close`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// let before = engine.snapshot()?;
    /// let changes = Changes::putting(b"a", b"1");
    /// engine.commit(&changes, None, Durability::None)?.wait()?;
    /// assert!(before.get(b"a")?.is_none() && engine.snapshot()?.get(b"a")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>>;

    /// The state after the last commit, durable or not: what the next writer goes on from. O(1).
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// let changes = Changes::putting(b"a", b"1");
    /// let ticket = engine.commit(&changes, None, Durability::Sync)?;
    /// assert_eq!(engine.latest()?.commit(), ticket.number(), "although nobody has waited for it");
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        self.snapshot()
    }

    /// A snapshot whose reads a later [`Engine::commit`] is to check.
    ///
    /// The engine remembers which keys are committed from here on for as long as the snapshot lives.
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine, Reads};
    /// let engine = MemoryEngine::new();
    /// let begun = engine.begin()?;
    /// let mut reads = Reads::at(begun.commit());
    /// reads.add_key(b"a");
    /// let changes = Changes::putting(b"a", b"1");
    /// engine.commit(&changes, None, Durability::None)?.wait()?;
    /// assert!(engine.commit(&changes, Some(&reads), Durability::None).unwrap_err().is_retryable());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn begin(&self) -> Result<Arc<dyn Snapshot>>;

    /// Applies `changes` as one commit and returns a ticket to wait for.
    ///
    /// With `reads`, first checks that nothing they hold was changed by a commit after the snapshot they were made on.
    /// Empty `changes` are checked but make no commit; the ticket is the last commit's.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the check fails; [`Error::Invalid`] or
    /// [`Error::LimitExceeded`] when the size of a key or value is outside
    /// [`limits`]; an I/O error when the changes cannot be kept. In every case nothing is applied.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// let changes = Changes::putting(b"a", b"1");
    /// assert_eq!(engine.commit(&changes, None, Durability::None)?.number().0, 1);
    /// assert_eq!(engine.commit(&Changes::new(), None, Durability::None)?.number().0, 1, "no commit of its own");
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket>;

    /// As [`Engine::commit`], for a caller that has no more use for `changes`: what keeps them until they are on the medium need not copy
    /// them.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// engine.commit_owned(Changes::putting(b"a", b"1"), None, Durability::None)?.wait()?;
    /// assert!(engine.snapshot()?.get(b"a")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn commit_owned(&self, changes: Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        self.commit(&changes, reads, durability)
    }

    /// Whether a commit can conflict although all of this process's writers take turns.
    ///
    /// `false` for an engine of this process alone: then an exclusive transaction passes no reads.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert!(!MemoryEngine::new().is_shared());
    /// ```
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether its entries outlive the process.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert!(!MemoryEngine::new().is_persistent());
    /// ```
    fn is_persistent(&self) -> bool;

    /// An independent engine that starts from the last acknowledged commit; nothing written to either shows in the other.
    ///
    /// The default keeps the fork's writes in memory over a snapshot. O(1).
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// let fork = engine.fork()?;
    /// let changes = Changes::putting(b"a", b"1");
    /// fork.commit(&changes, None, Durability::None)?.wait()?;
    /// assert!(fork.snapshot()?.get(b"a")?.is_some() && engine.snapshot()?.get(b"a")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn fork(&self) -> Result<Arc<dyn Engine>> {
        Ok(Arc::new(OverlayEngine::new(self.snapshot()?)))
    }

    /// Makes every commit so far survive power loss.
    ///
    /// # Errors
    /// An I/O error when the medium refuses; what is durable is then unknown.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// let engine = MemoryEngine::new();
    /// engine.sync()?;
    /// engine.close()?;
    /// assert!(engine.sync().is_err(), "nothing can be synced any more");
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn sync(&self) -> Result<()>;

    /// Brings what is on disk into the form that is smallest and opened fastest, and returns when that is done.
    ///
    /// The default only syncs.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// MemoryEngine::new().checkpoint()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn checkpoint(&self) -> Result<()> {
        self.sync()
    }

    /// Reads everything and reports what is damaged.
    ///
    /// The default reads every entry of a snapshot, and ends with the first error.
    ///
    /// # Errors
    /// An error that keeps it from reading. Damage is in the report, as far as the engine knows where it is.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert!(MemoryEngine::new().check()?.damage.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn check(&self) -> Result<CheckReport> {
        let snapshot = self.snapshot()?;
        let mut report = CheckReport { commit: snapshot.commit(), ..CheckReport::default() };
        let mut cursor = snapshot.range(&KeyRange::all(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            report.entries += 1;
            report.bytes += (key.len() + value.len()) as u64;
        }
        Ok(report)
    }

    /// What the engine holds and has done.
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// let stats = MemoryEngine::new().stats()?;
    /// assert_eq!((stats.commit.0, stats.entries, stats.disk_bytes), (0, Some(0), 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn stats(&self) -> Result<EngineStats>;

    /// Why nothing can be written any more ([`Error::ReadOnly`]); `None` while it can, as far as is known.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert_eq!(MemoryEngine::new().failure(), None);
    /// ```
    fn failure(&self) -> Option<String> {
        None
    }

    /// Syncs and lets go of files and locks. Later calls return [`Error::Closed`]; snapshots stay
    /// readable until they are dropped.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, engine::{Engine, MemoryEngine}};
    /// let engine = MemoryEngine::new();
    /// engine.close()?;
    /// assert!(matches!(engine.snapshot(), Err(Error::Closed)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn close(&self) -> Result<()>;
}

/// An engine's entries as they were after one commit.
///
/// # Examples
/// ```
/// # use larder::engine::{Changes, Durability, Engine, KeyRange, MemoryEngine};
/// # let engine = MemoryEngine::new();
/// # let changes = Changes::putting(b"user:7", b"ann");
/// # engine.commit(&changes, None, Durability::None)?.wait()?;
/// let snapshot = engine.snapshot()?;
/// assert_eq!(snapshot.count(&KeyRange::prefix(b"user:"))?, 1);
/// engine.commit(&Changes::removing(b"user:7"), None, Durability::None)?.wait()?;
/// assert_eq!(snapshot.count(&KeyRange::prefix(b"user:"))?, 1, "a snapshot never changes");
/// # Ok::<(), larder::Error>(())
/// ```
pub trait Snapshot: fmt::Debug + Send + Sync {
    /// The last commit the snapshot holds.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Engine, MemoryEngine};
    /// assert_eq!(MemoryEngine::new().snapshot()?.commit(), CommitNumber(0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn commit(&self) -> CommitNumber;

    /// The bytes of all keys and values; `None` on an engine that does not count them. With changes laid over a snapshot it is
    /// an upper bound: what they replace is not taken off.
    ///
    /// # Cost
    /// O(1).
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// # let engine = MemoryEngine::new();
    /// # engine.commit(&Changes::putting(b"a", b"12"), None, Durability::None)?.wait()?;
    /// assert_eq!(engine.snapshot()?.bytes(), Some(3));
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn bytes(&self) -> Option<u64> {
        None
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// An I/O or corruption error from the engine's files.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::{Changes, Durability, Engine, MemoryEngine};
    /// # let engine = MemoryEngine::new();
    /// # engine.commit(&Changes::putting(b"a", b"1"), None, Durability::None)?.wait()?;
    /// let snapshot = engine.snapshot()?;
    /// assert_eq!(snapshot.get(b"a")?.as_deref(), Some(&b"1"[..]));
    /// assert!(snapshot.get(b"b")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>>;

    /// A cursor over the entries of `range`, lowest key first or last. It owns what it needs.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Direction, Engine, KeyRange, MemoryEngine};
    /// # use larder::engine::{Changes, Durability, Key};
    /// # let engine = MemoryEngine::new();
    /// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
    /// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
    /// let mut cursor = engine.snapshot()?.range(&KeyRange::all(), Direction::Backward)?;
    /// assert_eq!(cursor.next()?, Some((&b"b"[..], &b"1"[..])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>>;

    /// How many entries are in `range`.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Cost
    /// The default walks the range.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, KeyRange, MemoryEngine};
    /// # use larder::engine::{Changes, Durability, Key};
    /// # let engine = MemoryEngine::new();
    /// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
    /// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
    /// assert_eq!(engine.snapshot()?.count(&KeyRange::all())?, 2);
    /// assert_eq!(engine.snapshot()?.count(&KeyRange::prefix(b"b"))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn count(&self, range: &KeyRange) -> Result<u64> {
        let mut cursor = self.range(range, Direction::Forward)?;
        let mut count = 0;
        while cursor.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// The entry of `range` that has `n` entries of it before it.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Cost
    /// The default walks over the first `n` entries.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, KeyRange, MemoryEngine};
    /// # use larder::engine::{Changes, Durability, Key};
    /// # let engine = MemoryEngine::new();
    /// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
    /// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
    /// let (key, _) = engine.snapshot()?.nth(&KeyRange::all(), 1)?.unwrap();
    /// assert_eq!(&*key, b"b");
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        let mut cursor = self.range(range, Direction::Forward)?;
        for _ in 0..n {
            if cursor.next()?.is_none() {
                return Ok(None);
            }
        }
        Ok(cursor.next()?.map(|(key, value)| (Key::from(key), Value::from(value))))
    }

    /// The entry at the end of `range` that `direction` starts from: what a cursor gives first, without a cursor.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Direction, Engine, KeyRange, MemoryEngine};
    /// # use larder::engine::{Changes, Durability, Key};
    /// # let engine = MemoryEngine::new();
    /// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
    /// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
    /// let (key, _) = engine.snapshot()?.first(&KeyRange::all(), Direction::Backward)?.unwrap();
    /// assert_eq!(&*key, b"b");
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        let mut cursor = self.range(range, direction)?;
        Ok(cursor.next()?.map(|(key, value)| (Key::from(key), Value::from(value))))
    }

    /// The first entry whose key is `key` or above it: lent where the engine can, without a cursor.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Cost
    /// As [`Snapshot::get`]; the default opens a cursor and copies what it finds.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// # use larder::engine::{Changes, Durability, Key};
    /// # let engine = MemoryEngine::new();
    /// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
    /// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"c")]), None, Durability::None)?.wait()?;
    /// let snapshot = engine.snapshot()?;
    /// assert_eq!(snapshot.seek(b"b")?.map(|(key, _)| key.into_owned()), Some(b"c".to_vec()));
    /// assert_eq!(snapshot.seek(b"d")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn seek(&self, key: &[u8]) -> Result<Option<LentEntry<'_>>> {
        let range = KeyRange::all().clamp(Bound::Included(Key::from(key)), Bound::Unbounded);
        let first = self.first(&range, Direction::Forward)?;
        Ok(first.map(|(key, value)| (Cow::Owned(key.to_vec()), Cow::Owned(value.to_vec()))))
    }

    /// Whether `range` holds no entries.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, KeyRange, MemoryEngine};
    /// assert!(MemoryEngine::new().snapshot()?.is_empty(&KeyRange::all())?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn is_empty(&self, range: &KeyRange) -> Result<bool> {
        Ok(self.first(range, Direction::Forward)?.is_none())
    }

    /// A private copy of the state, for a transaction with many changes to go on in; `None` where that is not a tree in memory.
    ///
    /// # Cost
    /// O(1).
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine, OverlayEngine};
    /// let engine = MemoryEngine::new();
    /// assert!(engine.snapshot()?.draft().is_some());
    /// assert!(OverlayEngine::new(engine.snapshot()?).snapshot()?.draft().is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn draft(&self) -> Option<Draft> {
        None
    }
}

/// Walks over entries and lends each until the next step.
///
/// # Examples
/// ```
/// use larder::engine::{Cursor, Direction, Engine, KeyRange, MemoryEngine};
/// # use larder::engine::{Changes, Durability, Key};
/// # let engine = MemoryEngine::new();
/// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
/// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
/// let (mut cursor, mut keys) = (engine.snapshot()?.range(&KeyRange::all(), Direction::Forward)?, Vec::new());
/// while let Some((key, _)) = cursor.next()? {
///     keys.extend_from_slice(key);
/// }
/// assert_eq!(keys, b"ab");
/// # Ok::<(), larder::Error>(())
/// ```
pub trait Cursor: fmt::Debug + Send {
    /// Steps to the next entry; `None` at the end, and from then on.
    ///
    /// # Errors
    /// An I/O or corruption error from the engine's files.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Cursor, Direction, Engine, KeyRange, MemoryEngine};
    /// let mut cursor = MemoryEngine::new().snapshot()?.range(&KeyRange::all(), Direction::Forward)?;
    /// assert!(cursor.next()?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    fn next(&mut self) -> Result<Option<Entry<'_>>>;
}

/// Refuses an entry that no engine could keep.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for an empty key, [`Error::LimitExceeded`](crate::Error::LimitExceeded) for
/// a key or value that is too long.
#[inline]
pub(crate) fn check_sizes(key: &[u8], value: &[u8]) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, "an engine key has at least one byte"));
    }
    limits::check("engine key bytes", limits::ENGINE_KEY_BYTES_MAX, key.len())?;
    limits::check("engine value bytes", limits::ENGINE_VALUE_BYTES_MAX, value.len())
}

/// Refuses a commit that puts an entry no engine could keep. Removing one changes nothing, and is allowed.
///
/// # Errors
/// As [`check_sizes`].
#[inline]
pub(crate) fn check_changes(changes: &Changes) -> Result<()> {
    if changes.may_exceed() { check_each(changes) } else { Ok(()) }
}

#[cold]
fn check_each(changes: &Changes) -> Result<()> {
    changes.try_each(|key, change| change.value().map_or(Ok(()), |value| check_sizes(key, value)))
}
