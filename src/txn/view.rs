//! What an operation reads and writes.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Timestamp;
use crate::engine::{
    self, Change, Changes, CommitNumber, Direction, Entry, Key, KeyRange, Overlay, Reads, Snapshot, Value,
};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::core::{Core, Effect, LAST_MICROS_KEY, STORAGE_IDS_KEY};
use crate::txn::epoch;
use crate::txn::isolation::Isolation;
use crate::txn::observe::{KeyEvent, Told, ToldAll};
use crate::txn::operation::Operation;
use crate::txn::undo::Undo;
use crate::txn::usage::{Counted, Removed, Usage};

/// The entries an operation reads: one snapshot, with the running transaction's changes laid over it.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// store.transaction(|tx| {
///     tx.kv().set("k", "v")?;
///     assert!(tx.kv().get("k")?.is_some(), "a read sees the writes before it");
///     Ok(())
/// })?;
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct View {
    core: Arc<Core>,
    overlay: Overlay,
    /// Where an optimistic transaction notes what it read.
    reads: Option<Arc<Mutex<Reads>>>,
    now: OnceCell<Timestamp>,
    /// Whether what is read counts as used, for eviction.
    counts_uses: bool,
    /// The epoch of the transaction itself, once it has changed the catalogue.
    own_epoch: Option<u64>,
}

impl View {
    pub(crate) fn new(core: Arc<Core>, base: Arc<dyn Snapshot>, reads: Option<Arc<Mutex<Reads>>>) -> Self {
        let overlay = Overlay::new(base, Changes::new());
        Self { core, overlay, reads, now: OnceCell::new(), counts_uses: true, own_epoch: None }
    }

    /// The entries of `base` as they are at `moment`, however often they are read. To look at the past is no use of it.
    pub(super) fn at(core: Arc<Core>, base: Arc<dyn Snapshot>, moment: Timestamp) -> Self {
        Self { now: OnceCell::from(moment), counts_uses: false, ..Self::new(core, base, None) }
    }

    /// The same entries and the same moment, for a reader that outlives the operation; later writes do not show in it.
    pub(crate) fn fork(&self) -> Self {
        Self { now: OnceCell::from(self.now()), ..self.at_next_moment() }
    }

    /// The same entries for the next operation, which reads the clock itself.
    pub(super) fn at_next_moment(&self) -> Self {
        let (core, overlay, reads) = (Arc::clone(&self.core), self.overlay.fork(), self.reads.clone());
        let (counts_uses, own_epoch) = (self.counts_uses, self.own_epoch);
        Self { core, overlay, reads, now: OnceCell::new(), counts_uses, own_epoch }
    }

    /// How much may be held, and what of it is used.
    pub(crate) fn usage(&self) -> &Usage {
        self.core.usage()
    }

    /// Notes that the key whose head is kept at `head` is used.
    pub(crate) fn touch(&self, head: &[u8]) {
        if self.counts_uses {
            self.core.usage().touch(head, || self.now());
        }
    }

    /// The last commit of the snapshot.
    pub(super) fn commit(&self) -> CommitNumber {
        self.overlay.commit()
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        self.note(key);
        self.overlay.get(key)
    }

    /// Notes that what is at `key` is relied on, which a caller knows without looking.
    pub(crate) fn note(&self, key: &[u8]) {
        // What the transaction wrote itself is not a read of the store.
        if let Some(reads) = self.reads.as_ref().filter(|_| self.overlay.changes().get(key).is_none()) {
            reads.lock().add_key(key);
        }
    }

    /// Whether what is read is noted, to be checked when the transaction commits.
    pub(crate) fn is_tracked(&self) -> bool {
        self.reads.is_some()
    }

    /// The number of the state that the catalogue is in, for who keeps what it says; without one nothing kept may be used.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.own_epoch.or_else(|| self.core.epoch_at(self.commit()))
    }

    /// A cursor over `range`. It owns what it needs, and does not see writes made after it was opened.
    pub(crate) fn range(&self, range: &KeyRange, direction: Direction) -> Result<Cursor> {
        let inner = self.overlay.range(range, direction)?;
        let track = self.reads.as_ref().map(|reads| {
            let place = reads.lock().open_cursor();
            Track { reads: Arc::clone(reads), place, range: range.clone(), direction }
        });
        Ok(Cursor { inner, track })
    }

    /// The entry at the end of `range` that `direction` starts from.
    pub(crate) fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        if self.reads.is_none() {
            return self.overlay.first(range, direction);
        }
        // A cursor notes how far it has gone.
        let mut cursor = self.range(range, direction)?;
        Ok(cursor.next()?.map(|(key, value)| (Key::from(key), Value::from(value))))
    }

    /// How many entries `range` holds.
    pub(crate) fn count(&self, range: &KeyRange) -> Result<u64> {
        self.note_range(range);
        self.overlay.count(range)
    }

    /// The entry of `range` that has `n` entries of it before it.
    pub(crate) fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        self.note_range(range);
        self.overlay.nth(range, n)
    }

    /// The moment of the operation: the store's time, read once, so that everything in one operation happens at one moment; on a
    /// snapshot, when that was taken.
    pub(crate) fn now(&self) -> Timestamp {
        *self.now.get_or_init(|| self.core.now())
    }

    fn note_range(&self, range: &KeyRange) {
        if let Some(reads) = &self.reads {
            reads.lock().add_range(range.clone());
        }
    }
}

/// Walks over entries; in an optimistic transaction, notes how far.
#[derive(Debug)]
pub(crate) struct Cursor {
    inner: Box<dyn engine::Cursor>,
    track: Option<Track>,
}

#[derive(Debug)]
struct Track {
    reads: Arc<Mutex<Reads>>,
    place: usize,
    range: KeyRange,
    direction: Direction,
}

impl Cursor {
    /// Steps to the next entry and lends it until the next step.
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let entry = self.inner.next()?;
        if let Some(track) = &self.track {
            let last = entry.map(|(key, _)| key);
            track.reads.lock().advance_cursor(track.place, &track.range, track.direction, last);
        }
        Ok(entry)
    }
}

/// A [`View`] that can be written to.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let outcome = store.transaction(|tx| {
///     tx.kv().set("k", "text")?;
///     tx.kv().incr("k")
/// });
/// assert!(outcome.is_err() && store.kv().get("k")?.is_none(), "what was written is buffered until the commit");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    view: View,
    effects: Vec<Box<dyn Effect>>,
    /// Bytes of the messages among the effects.
    message_bytes: usize,
    /// Keys that something happened to while somebody waits for keys.
    touched: Vec<Box<[u8]>>,
    /// Bytes of what was evicted.
    freed: u64,
    /// Keys that were removed without having been asked for.
    removed: Removed,
    /// Bytes that its changes take in a commit, at most: what was changed again counts twice until that is too much.
    commit_bytes: usize,
    wake_at: Option<Timestamp>,
    /// Changes of single keys so far, and operations that have changed something.
    steps: u64,
    operations: u64,
    /// Whether every operation that would write is refused.
    reads_only: bool,
    /// Whether its operations may take more memory than the budget.
    exceeds_memory: bool,
    /// Whether it was given unique times.
    took_times: bool,
    /// Whether it was given storage ids.
    took_storage_ids: bool,
    /// What to put back when the operation that runs inside a transaction fails; `None` when nothing can be undone alone.
    undo: Option<Undo>,
    /// What is checked at the commit of an optimistic transaction, and what of its reads is noted there.
    tracked: Option<(Arc<Mutex<Reads>>, Isolation)>,
}

/// Where a transaction stood before an operation: everything that a [`Writer`] notes beside its changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    effects: usize,
    message_bytes: usize,
    touched: usize,
    freed: u64,
    removed: Removed,
    commit_bytes: usize,
    operations: u64,
    own_epoch: Option<u64>,
    wake_at: Option<Timestamp>,
    took_times: bool,
    took_storage_ids: bool,
}

impl Deref for Writer {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Writer {
    pub(crate) fn new(view: View) -> Self {
        Self {
            view,
            effects: Vec::new(),
            message_bytes: 0,
            touched: Vec::new(),
            freed: 0,
            removed: Removed::default(),
            commit_bytes: limits::COMMIT_OVERHEAD_BYTES,
            wake_at: None,
            steps: 0,
            operations: 0,
            reads_only: false,
            exceeds_memory: false,
            took_times: false,
            took_storage_ids: false,
            undo: None,
            tracked: None,
        }
    }

    /// Runs an operation: makes room for it if it needs any, and refuses it when it has changed more than a commit takes.
    ///
    /// # Errors
    /// Those of `body`; [`Error::OutOfMemory`] when the budget is spent and nothing can be evicted; [`Error::LimitExceeded`].
    pub(super) fn run<R>(
        &mut self,
        operation: &Operation<'_>,
        body: &mut impl FnMut(&mut Self) -> Result<R>,
    ) -> Result<R> {
        if self.reads_only {
            return Err(Error::unsupported("a write where others write beside it"));
        }
        if !operation.frees
            && self.usage().budget().is_some()
            && let Some(models) = self.view.core.models()
        {
            (models.make_room)(self)?;
        }
        let before = self.steps;
        let value = body(self)?;
        self.check_commit()?;
        self.operations += u64::from(self.steps != before);
        Ok(value)
    }

    /// One whose operations may only read, because it has no turn to write.
    #[cfg(feature = "redis")]
    pub(super) fn reading(view: View) -> Self {
        Self { reads_only: true, ..Self::new(view) }
    }

    /// How many operations have changed something, as the commit will count them.
    #[cfg(feature = "redis")]
    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    /// Sets how many the commit will count: what one operation does may be several changes to who asked for it.
    #[cfg(feature = "redis")]
    pub(super) fn set_operations(&mut self, operations: u64) {
        self.operations = operations;
    }

    /// The writer of an optimistic transaction.
    pub(super) fn tracked(view: View, isolation: Isolation) -> Self {
        let tracked = view.reads.clone().map(|reads| (reads, isolation));
        Self { tracked, ..Self::new(view) }
    }

    /// The same entries, for finding what is to be changed. What it only looks at is not checked at commit unless the transaction
    /// is serializable.
    pub(crate) fn search(&self) -> View {
        View { reads: self.reads_of_readers(), ..self.view.fork() }
    }

    /// Where an operation that only reads notes what it does.
    fn reads_of_readers(&self) -> Option<Arc<Mutex<Reads>>> {
        let noted = self.tracked.as_ref().filter(|(_, isolation)| *isolation == Isolation::Serializable);
        noted.map(|(reads, _)| Arc::clone(reads))
    }

    /// Puts `value` at `key`.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when either is longer than an engine takes, or the transaction's changes are more than it commits
    /// at once.
    pub(crate) fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        engine::check_sizes(key, value)?;
        self.change(key, Change::Put(value));
        self.check_commit()
    }

    /// Removes `key`, which need not exist. That the changes have not become too many is checked when the operation ends.
    pub(crate) fn remove(&mut self, key: impl AsRef<[u8]>) {
        self.change(key.as_ref(), Change::Remove);
    }

    /// Removes every entry of `range` and answers how many there were.
    pub(crate) fn remove_range(&mut self, range: &KeyRange) -> Result<u64> {
        let mut cursor = self.range(range, Direction::Forward)?;
        let mut removed = 0;
        while let Some((key, _)) = cursor.next()? {
            self.remove(key);
            self.check_commit()?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Releases `effect` once the transaction is durable.
    pub(crate) fn on_commit(&mut self, effect: impl Effect + 'static) {
        self.effects.push(Box::new(effect));
    }

    /// As [`Writer::on_commit`], for a message of this many bytes.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when the messages of the transaction take more than they may.
    pub(crate) fn publish_on_commit(&mut self, message: impl Effect + 'static, bytes: usize) -> Result<()> {
        let bytes = self.message_bytes.saturating_add(bytes);
        limits::check("message bytes of a transaction", limits::TRANSACTION_MESSAGE_BYTES_MAX, bytes)?;
        self.message_bytes = bytes;
        self.on_commit(message);
        Ok(())
    }

    /// Whether anybody wants to know of events of a class.
    pub(crate) fn is_heard(&self, class: u32) -> bool {
        self.view.core.observed().wants(class)
    }

    /// Tells those who wait, once the transaction is durable, that something happened to every key whose address begins with
    /// `prefix`.
    pub(crate) fn tell_all(&mut self, prefix: &[u8]) {
        if self.view.core.observed().is_waited_for() {
            self.touched.push(prefix.into());
            self.effects.push(Box::new(ToldAll { core: Arc::clone(&self.view.core), prefix: prefix.into() }));
        }
    }

    /// Tells those who want to know, once the transaction is durable, that `name` happened to the key with the address `head`.
    pub(crate) fn tell(&mut self, class: u32, name: &'static str, head: &[u8]) {
        if !self.is_heard(class) {
            return;
        }
        if self.view.core.observed().is_waited_for() {
            self.touched.push(head.into());
        }
        let event = KeyEvent { class, name, head: head.into() };
        self.effects.push(Box::new(Told { core: Arc::clone(&self.view.core), event }));
    }

    /// The keys that something happened to since this was last asked. Empty while nobody waits for keys.
    #[cfg(feature = "redis")]
    pub(crate) fn take_touched(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.touched)
    }

    /// The bytes of all keys and values as the transaction leaves them, at most.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on an engine that does not count them.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let bytes = self.view.overlay.bytes().ok_or_else(|| Error::unsupported("a budget of bytes"))?;
        Ok(bytes.saturating_sub(self.freed))
    }

    /// Notes that so many bytes were removed to make room.
    pub(crate) fn note_freed(&mut self, bytes: u64) {
        self.freed += bytes;
    }

    /// Counts a key that is removed without having been asked for, once the transaction is committed.
    pub(crate) fn note_removed(&mut self, what: Counted) {
        self.removed.note(what);
    }

    /// Asks the store's background work to look at `at` or earlier, once the transaction is committed.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// A number that no other call with this `name` gets, counting from what `start` answers.
    ///
    /// `start` is asked once while the store is open, with a view whose reads are not checked at commit: numbers are given
    /// out beside the transactions, so that two of them that insert at the same time do not conflict over a counter.
    /// Numbers of transactions that roll back are not used again.
    pub(crate) fn next_in_sequence(&mut self, name: &[u8], start: impl FnOnce(&View) -> Result<u64>) -> Result<u64> {
        self.view.core.next_in_sequence(name, || start(&View { reads: None, ..self.view.at_next_moment() }))
    }

    /// A number for an identifier, which no other call gets, on this store, a fork of it or another one. Numbers of transactions that
    /// roll back are not used again.
    pub(crate) fn unique_number(&self) -> u64 {
        self.view.core.ids().next()
    }

    /// The store's time in microseconds, moved on where needed so that no call gets a time twice or an earlier one, even
    /// after the store was closed and the clock set back (SEM: WID-LWW-3).
    pub(crate) fn unique_micros(&mut self) -> Result<i64> {
        self.took_times = true;
        let stored = || {
            let stored = self.view.overlay.get(&LAST_MICROS_KEY)?;
            let micros = |bytes: Cow<'_, [u8]>| bytes.as_ref().try_into().map(i64::from_be_bytes);
            stored.map(micros).transpose().map_err(|_| Error::corrupt("last time", "it has not 8 bytes"))
        };
        self.view.core.unique_micros(self.view.now(), stored)
    }

    /// A number that no other call gets, whatever becomes of the transaction, for something that is stored under it.
    pub(crate) fn next_storage_id(&mut self) -> Result<u64> {
        self.took_storage_ids = true;
        let stored = || {
            let stored = self.view.overlay.get(&STORAGE_IDS_KEY)?;
            let end = |bytes: Cow<'_, [u8]>| bytes.as_ref().try_into().map(u64::from_be_bytes);
            let end =
                stored.map(end).transpose().map_err(|_| Error::corrupt("last storage id", "it has not 8 bytes"))?;
            Ok(end.unwrap_or(0))
        };
        self.view.core.next_storage_id(stored)
    }

    /// Notes that the transaction has changed the catalogue.
    pub(crate) fn note_catalogue_changed(&mut self) {
        self.view.own_epoch = Some(epoch::fresh());
    }

    /// How many keys the transaction changes so far, and the bytes of that.
    pub(crate) fn size(&self) -> (usize, usize) {
        let changes = self.view.overlay.changes();
        (changes.len(), changes.bytes())
    }

    /// Removes a bounded amount of what was dropped and not removed yet. Returns the bytes of it, and whether there is more.
    pub(crate) fn reclaim(&mut self) -> Result<(u64, bool)> {
        let Some(models) = self.view.core.models() else { return Ok((0, false)) };
        // Nobody depends on what was dropped: that somebody else removes it meanwhile is no conflict.
        let reads = self.view.reads.take();
        let outcome = (models.reclaim)(self);
        self.view.reads = reads;
        outcome
    }

    /// Begins an operation of a longer transaction that reads only.
    pub(super) fn move_on(&mut self) {
        self.view.now = OnceCell::new();
        if self.tracked.is_some() {
            self.view.reads = self.reads_of_readers();
        }
    }

    /// Sets whether the operations that follow count as uses of their keys, and returns what it was.
    #[cfg(feature = "redis")]
    pub(super) fn set_counts_uses(&mut self, counts_uses: bool) -> bool {
        std::mem::replace(&mut self.view.counts_uses, counts_uses)
    }

    /// Whether the operations that follow may take more memory than the budget.
    #[cfg(feature = "lua")]
    pub(super) fn set_exceeds_memory(&mut self, exceeds_memory: bool) {
        self.exceeds_memory = exceeds_memory;
    }

    /// Whether they may.
    pub(crate) fn exceeds_memory(&self) -> bool {
        self.exceeds_memory
    }

    /// Begins an operation of a longer transaction; [`Writer::undo_to`] takes it back.
    pub(crate) fn mark(&mut self) -> Mark {
        self.move_on();
        // Whatever the isolation: what a write goes by is a definition, the kind of a key, a unique value. Under another one than
        // it saw, it would leave entries that do not fit together.
        if let Some((reads, _)) = &self.tracked {
            self.view.reads = Some(Arc::clone(reads));
        }
        self.undo.get_or_insert_default().clear();
        Mark {
            effects: self.effects.len(),
            message_bytes: self.message_bytes,
            touched: self.touched.len(),
            freed: self.freed,
            removed: self.removed,
            commit_bytes: self.commit_bytes,
            operations: self.operations,
            own_epoch: self.view.own_epoch,
            wake_at: self.wake_at,
            took_times: self.took_times,
            took_storage_ids: self.took_storage_ids,
        }
    }

    /// Undoes what was written since `mark`, and forgets what was noted.
    pub(crate) fn undo_to(&mut self, mark: Mark) {
        if let Some(undo) = &mut self.undo {
            undo.take_back(self.view.overlay.changes_mut());
        }
        // Taken apart without `..`: what is noted later has to be put back here.
        let Mark {
            effects,
            message_bytes,
            touched,
            freed,
            removed,
            commit_bytes,
            operations,
            own_epoch,
            wake_at,
            took_times,
            took_storage_ids,
        } = mark;
        self.effects.truncate(effects);
        self.message_bytes = message_bytes;
        self.touched.truncate(touched);
        self.freed = freed;
        self.removed = removed;
        self.commit_bytes = commit_bytes;
        self.operations = operations;
        self.view.own_epoch = own_epoch;
        self.wake_at = wake_at;
        self.took_times = took_times;
        self.took_storage_ids = took_storage_ids;
    }

    /// What the whole transaction amounts to.
    pub(super) fn into_parts(self) -> Parts {
        let Self { view, effects, removed, operations, wake_at, took_times, took_storage_ids, tracked, .. } = self;
        let changed_catalogue = view.own_epoch.is_some();
        let (base, changes) = view.overlay.into_layers();
        let (reads, isolation) = tracked.unzip();
        let isolation = isolation.unwrap_or_default();
        Parts {
            base,
            changes,
            effects,
            removed,
            operations,
            wake_at,
            took_times,
            took_storage_ids,
            changed_catalogue,
            reads,
            isolation,
        }
    }

    /// Refuses changes that are more than the engine commits at once.
    fn check_commit(&mut self) -> Result<()> {
        let max = self.view.core.commit_bytes_max();
        if self.commit_bytes > max {
            let changes = self.view.overlay.changes();
            let overhead = changes.len().saturating_mul(limits::CHANGE_OVERHEAD_BYTES);
            self.commit_bytes = changes.bytes().saturating_add(overhead).saturating_add(limits::COMMIT_OVERHEAD_BYTES);
        }
        limits::check("commit bytes", max, self.commit_bytes)
    }

    /// Changes `key`, and keeps what `undo_to` would put back.
    fn change(&mut self, key: &[u8], change: Change<'_>) {
        let bytes = key.len().saturating_add(change.value().map_or(0, <[u8]>::len));
        self.commit_bytes = self.commit_bytes.saturating_add(bytes).saturating_add(limits::CHANGE_OVERHEAD_BYTES);
        self.steps += 1;
        let undo = &mut self.undo;
        self.view.overlay.change(key, change, |before| {
            if let Some(undo) = undo {
                undo.note(key, before);
            }
        });
    }
}

/// What a transaction amounts to when it ends.
#[derive(Debug)]
pub(super) struct Parts {
    /// What it read; the engine remembers later changes for as long as it is held.
    pub(super) base: Arc<dyn Snapshot>,
    pub(super) changes: Changes,
    pub(super) effects: Vec<Box<dyn Effect>>,
    pub(super) removed: Removed,
    /// Operations that have changed something.
    pub(super) operations: u64,
    pub(super) wake_at: Option<Timestamp>,
    /// Whether it was given unique times.
    pub(super) took_times: bool,
    /// Whether it was given storage ids.
    pub(super) took_storage_ids: bool,
    pub(super) changed_catalogue: bool,
    pub(super) reads: Option<Arc<Mutex<Reads>>>,
    pub(super) isolation: Isolation,
}
