//! What an operation reads and writes.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Timestamp;
use crate::encoding::owner::Slot;
use crate::engine::{
    self, Change, Changes, CommitNumber, Direction, Entry, Key, KeyRange, Overlay, Reads, Snapshot, Value,
};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::core::Core;
use crate::txn::epoch;
use crate::txn::isolation::Isolation;
use crate::txn::leases::{Sequence, Taken};
use crate::txn::meter::Meter;
use crate::txn::mode::{Mode, Modes};
use crate::txn::note::{Note, Notes, NotesMark};
use crate::txn::operation::Operation;
use crate::txn::record::Record;
use crate::txn::state::State;
use crate::txn::undo::Undo;

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
#[expect(unnameable_types, reason = "public for the sealed methods of `Scope`, and named by nobody outside")]
pub struct View {
    core: Arc<Core>,
    pub(super) overlay: Overlay,
    /// Where an optimistic transaction notes what it read.
    reads: Option<Arc<Mutex<Reads>>>,
    now: OnceCell<Timestamp>,
    /// What models have chosen for the operations of the transaction.
    modes: Modes,
    /// The epoch of the transaction itself, once it has changed the catalogue.
    own_epoch: Option<u64>,
    /// Whether it is of an operation that reads the newest state and belongs to no transaction.
    is_newest: bool,
    meter: Meter,
}

impl View {
    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    pub(crate) fn new(core: Arc<Core>, base: Arc<dyn Snapshot>, reads: Option<Arc<Mutex<Reads>>>) -> Self {
        let overlay = Overlay::new(base, Changes::new());
        Self {
            core,
            overlay,
            reads,
            now: OnceCell::new(),
            modes: Modes::default(),
            own_epoch: None,
            is_newest: false,
            meter: Meter::default(),
        }
    }

    /// Says that it is of an operation that reads the newest state and belongs to no transaction.
    pub(super) fn set_newest(&mut self) {
        self.is_newest = true;
    }

    /// Whether it is of an operation that reads the newest state and belongs to no transaction: a model that promises no more
    /// than an older state may read that instead.
    pub(crate) fn is_newest(&self) -> bool {
        self.is_newest
    }

    /// The entries of `base`, at the moment of this operation, which counts what is read of them.
    pub(crate) fn of_snapshot(&self, base: &Arc<dyn Snapshot>) -> Self {
        let view = Self::new(Arc::clone(&self.core), Arc::clone(base), None);
        Self { now: OnceCell::from(self.now()), meter: self.meter.clone(), ..view }
    }

    /// The entries of `base` as they are at `moment`, however often they are read.
    pub(super) fn at(core: Arc<Core>, base: Arc<dyn Snapshot>, moment: Timestamp) -> Self {
        let modes = Modes::default().with(Mode::PAST, true);
        Self { now: OnceCell::from(moment), modes, ..Self::new(core, base, None) }
    }

    /// Counts what follows with `meter`.
    pub(super) fn set_meter(&mut self, meter: &Meter) {
        self.meter.clone_from(meter);
    }

    /// What counts for the operation: models report to it how much they return, and which index they go through.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The same entries and the same moment, for a reader that outlives the operation; later writes do not show in it.
    pub(crate) fn fork(&self) -> Self {
        Self { now: OnceCell::from(self.now()), ..self.at_next_moment() }
    }

    /// The same entries, for what does not depend on them: what is read is not noted.
    pub(crate) fn unnoted(&self) -> Self {
        Self { reads: None, ..self.fork() }
    }

    /// The same entries for the next operation, which reads the clock itself.
    pub(super) fn at_next_moment(&self) -> Self {
        let (core, overlay, reads) = (Arc::clone(&self.core), self.overlay.fork(), self.reads.clone());
        let (modes, own_epoch, meter) = (self.modes, self.own_epoch, self.meter.clone());
        Self { core, overlay, reads, now: OnceCell::new(), modes, own_epoch, is_newest: false, meter }
    }

    /// What the model whose state `T` is keeps for the store.
    pub(crate) fn state<T: State>(&self) -> &T {
        self.core.state()
    }

    /// What the models do on behalf of any transaction.
    pub(super) fn models(&self) -> Option<Models> {
        self.core.models()?.downcast_ref().copied()
    }

    /// How many bytes of keys and values may be held, over all models, unless that is not limited.
    pub(crate) fn budget(&self) -> Option<u64> {
        self.core.budget()
    }

    /// The bytes of all keys and values, at most.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on an engine that does not count them.
    pub(crate) fn bytes(&self) -> Result<u64> {
        self.overlay.bytes().ok_or_else(|| Error::unsupported("a budget of bytes"))
    }

    /// Whether `mode` was chosen.
    pub(crate) fn has_mode(&self, mode: Mode) -> bool {
        self.modes.has(mode)
    }

    /// The last commit of the snapshot.
    pub(super) fn commit(&self) -> CommitNumber {
        self.overlay.commit()
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        self.note(key);
        let found = self.overlay.get(key)?;
        if let Some(value) = &found {
            self.meter.read(key, value);
        }
        Ok(found)
    }

    /// Notes that what is at `key` is relied on, which a caller knows without looking.
    #[inline]
    pub(crate) fn note(&self, key: &[u8]) {
        if let Some(reads) = &self.reads {
            self.note_in(reads, key);
        }
    }

    fn note_in(&self, reads: &Mutex<Reads>, key: &[u8]) {
        // What the transaction wrote itself is not a read of the store.
        if self.overlay.changes().get(key).is_none() {
            reads.lock().add_key(key);
        }
    }

    /// Whether what is read is noted, to be checked when the transaction commits.
    pub(crate) fn is_tracked(&self) -> bool {
        self.reads.is_some()
    }

    /// The number of the state that the catalogue is in, for a caller that keeps what it says; without one nothing kept
    /// may be used.
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
        Ok(Cursor { inner, track, meter: self.meter.clone() })
    }

    /// The entry at the end of `range` that `direction` starts from.
    pub(crate) fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        if self.reads.is_none() {
            return self.overlay.first(range, direction).inspect(|found| self.meter_entry(found.as_ref()));
        }
        // A cursor notes how far it has gone.
        let mut cursor = self.range(range, direction)?;
        Ok(cursor.next()?.map(|(key, value)| (Key::from(key), Value::from(value))))
    }

    /// The key of the first entry that begins with `prefix`.
    pub(crate) fn seek_prefix(&self, prefix: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        // A cursor notes how far it has gone; and where there are changes, those of the range are merged with it.
        if self.reads.is_some() || !self.overlay.changes().is_empty() {
            let first = self.first(&KeyRange::prefix(prefix), Direction::Forward)?;
            return Ok(first.map(|(key, _)| Cow::Owned(key.to_vec())));
        }
        let found = self.overlay.seek(prefix)?.filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| {
            self.meter.read(&key, &value);
            key
        }))
    }

    /// Whether `range` holds no entries.
    pub(crate) fn is_empty(&self, range: &KeyRange) -> Result<bool> {
        if self.reads.is_none() && !self.meter.is_on() {
            return self.overlay.is_empty(range);
        }
        Ok(self.first(range, Direction::Forward)?.is_none())
    }

    /// How many entries `range` holds.
    pub(crate) fn count(&self, range: &KeyRange) -> Result<u64> {
        self.note_range(range);
        self.overlay.count(range)
    }

    /// The entry of `range` that has `n` entries of it before it.
    pub(crate) fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        self.note_range(range);
        self.overlay.nth(range, n).inspect(|found| self.meter_entry(found.as_ref()))
    }

    /// The moment of the operation: the store's time, read once, so that everything in one operation happens at one moment; on a
    /// snapshot, when that was taken.
    pub(crate) fn now(&self) -> Timestamp {
        *self.now.get_or_init(|| self.core.now())
    }

    /// A number for an identifier, which no other call gets, on this store, a fork of it or another one. Numbers of transactions that
    /// roll back are not used again.
    pub(crate) fn unique_number(&self) -> u64 {
        self.core.ids().next()
    }

    fn meter_entry(&self, found: Option<&(Key, Value)>) {
        if let Some((key, value)) = found {
            self.meter.read(key, value);
        }
    }

    /// Notes that what is in `range`, and that there is no more, is relied on, without looking.
    pub(crate) fn note_range(&self, range: &KeyRange) {
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
    meter: Meter,
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
        if let Some((key, value)) = entry {
            self.meter.read(key, value);
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
///     tx.kv().increment("k", 1)
/// });
/// assert!(outcome.is_err() && store.kv().get("k")?.is_none(), "what was written is buffered until the commit");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[expect(unnameable_types, reason = "public for the sealed methods of `Scope`, and named by nobody outside")]
pub struct Writer {
    pub(super) view: View,
    pub(super) notes: Notes,
    /// Bytes that its changes take in a commit, at most: what was changed again counts twice until that is too much.
    commit_bytes: usize,
    pub(super) wake_at: Option<Timestamp>,
    /// Which sequences it was given numbers of.
    pub(super) taken: Taken,
    /// Changes of single keys so far, and operations that have changed something.
    changed: u64,
    pub(super) operations: u64,
    /// Whether every operation that would write is refused.
    reads_only: bool,
    /// What to put back when the operation that runs inside a transaction fails; `None` when nothing can be undone alone.
    undo: Option<Undo>,
    /// What is checked at the commit of an optimistic transaction, and what of its reads is noted there.
    pub(super) tracked: Option<(Arc<Mutex<Reads>>, Isolation)>,
    /// The record of the transaction, while somebody listens.
    pub(super) record: Option<Box<Record>>,
}

/// Where a transaction stood before an operation: everything that a [`Writer`] notes beside its changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    notes: NotesMark,
    commit_bytes: usize,
    operations: u64,
    own_epoch: Option<u64>,
    wake_at: Option<Timestamp>,
    taken: Taken,
}

impl Deref for Writer {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Writer {
    #[expect(clippy::inline_always, reason = "made where it stays: it is long to copy")]
    #[inline(always)]
    pub(super) fn begin(view: View, tracked: Option<Isolation>, record: Option<Box<Record>>) -> Self {
        let tracked = tracked.map(|isolation| (Arc::new(Mutex::new(Reads::at(view.commit()))), isolation));
        let view = View { reads: tracked.as_ref().map(|(reads, _)| Arc::clone(reads)), ..view };
        Self {
            view,
            notes: Notes::default(),
            commit_bytes: limits::COMMIT_OVERHEAD_BYTES,
            wake_at: None,
            taken: Taken::default(),
            changed: 0,
            operations: 0,
            reads_only: false,
            undo: None,
            tracked,
            record,
        }
    }

    /// Runs an operation: makes room for it if it needs any, and refuses it when it has changed more than a commit takes.
    ///
    /// # Errors
    /// Those of `body`; [`Error::OutOfMemory`] when the budget is spent and no room can be made; [`Error::LimitExceeded`].
    pub(super) fn run<R>(
        &mut self,
        operation: &Operation<'_>,
        body: &mut impl FnMut(&mut Self) -> Result<R>,
    ) -> Result<R> {
        if self.reads_only {
            return Err(Error::unsupported("a write where others write beside it"));
        }
        if !operation.frees
            && self.budget().is_some()
            && let Some(models) = self.view.models()
        {
            (models.make_room)(self)?;
        }
        let before = self.changed;
        let value = body(self)?;
        self.check_commit()?;
        self.operations += u64::from(self.changed != before);
        Ok(value)
    }

    /// Refuses every operation that would write.
    #[cfg(feature = "server")]
    pub(super) fn refuse_writes(&mut self) {
        self.reads_only = true;
    }

    /// How many operations have changed something, as the commit will count them.
    #[cfg(feature = "server")]
    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    /// Sets how many the commit will count: what one operation does may be several changes to the caller.
    #[cfg(feature = "server")]
    pub(super) fn set_operations(&mut self, operations: u64) {
        self.operations = operations;
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

    /// As [`Writer::put`], of a key that the transaction has not changed before, as one with a number is that was just given out:
    /// its changes are not searched for it.
    ///
    /// # Errors
    /// As [`Writer::put`].
    pub(crate) fn put_new(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        engine::check_sizes(key, value)?;
        self.change_to(key, Change::Put(value), How::New);
        self.check_commit()
    }

    /// As [`Writer::put`], of a large value that is kept as it is: it is not copied.
    ///
    /// # Errors
    /// As [`Writer::put`].
    pub(crate) fn put_shared(&mut self, key: impl AsRef<[u8]>, value: &Arc<[u8]>) -> Result<()> {
        let key = key.as_ref();
        engine::check_sizes(key, value)?;
        self.change_to(key, Change::Put(value), How::Shared(value));
        self.check_commit()
    }

    /// Removes `key`, which need not exist. That the changes have not become too many is checked when the operation ends.
    pub(crate) fn remove(&mut self, key: impl AsRef<[u8]>) {
        self.change(key.as_ref(), Change::Remove);
    }

    /// Removes every entry of `range` and returns how many there were.
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

    /// Releases `note`, of the model whose slot it is, once the transaction is durable.
    pub(crate) fn note(&mut self, slot: Slot, note: impl Note) {
        self.notes.push(slot, Box::new(note));
    }

    /// The last note of a slot, if it is an `N`.
    pub(crate) fn last_note<N: Note>(&self, slot: Slot) -> Option<&N> {
        self.notes.last(slot)
    }

    /// How many notes there are, of all models.
    #[cfg(feature = "server")]
    pub(crate) fn notes(&self) -> usize {
        self.notes.len()
    }

    /// The notes of type `N` behind the first `from` of all.
    #[cfg(feature = "server")]
    pub(crate) fn notes_since<N: Note>(&self, from: usize) -> impl Iterator<Item = &N> {
        self.notes.since(from)
    }

    /// Asks the store's background work to look at `at` or earlier, once the transaction is committed.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// A number that no other call with this `name` gets, counting from what `start` returns.
    ///
    /// While the store is open `start` is asked for one transaction, and the larger one counts of what it returns for the state that
    /// the transaction has come to, and for that it began with: what it has removed comes back when it rolls back, and must find its
    /// number free. Reads are not checked at commit: numbers are given out beside the transactions, so that two of them that insert
    /// at the same time do not conflict over a counter. Numbers of transactions that roll back are not used again.
    pub(crate) fn next_in_sequence(&mut self, name: &[u8], start: impl Fn(&View) -> Result<u64>) -> Result<u64> {
        let View { core, overlay, .. } = &self.view;
        core.next_in_sequence(name, || {
            let before = start(&View::new(Arc::clone(core), Arc::clone(overlay.base()), None))?;
            if overlay.changes().is_empty() {
                return Ok(before);
            }
            let now = start(&View { reads: None, ..self.view.at_next_moment() })?;
            Ok(before.max(now))
        })
    }

    /// The store's time in microseconds, moved on where needed so that no call gets a time twice or an earlier one,
    /// even after the store was closed and the clock set back.
    pub(crate) fn unique_micros(&mut self) -> Result<i64> {
        self.next_leased(Sequence::Times, self.view.now().as_micros())
    }

    /// A number that no other call gets, whatever becomes of the transaction, for something that is stored under it.
    pub(crate) fn next_storage_id(&mut self) -> Result<u64> {
        Ok(self.next_leased(Sequence::StorageIds, 0)?.unsigned_abs())
    }

    /// A number of `sequence` that no other call gets, whatever becomes of the transaction: `at_least`, or the one behind the last.
    /// Two transactions that take some do not conflict over it.
    pub(crate) fn next_leased(&mut self, sequence: Sequence, at_least: i64) -> Result<i64> {
        self.taken.note(sequence);
        // What the transaction wrote, and what it read, does not matter: the end of the lease was stored by an earlier run, or is known.
        let stored = || Ok(self.view.overlay.get(&sequence.key())?.map(Cow::into_owned));
        self.view.core.leases().next(sequence, at_least, stored)
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
        let Some(models) = self.view.models() else { return Ok((0, false)) };
        // Nobody depends on what was dropped: that somebody else removes it meanwhile is not a conflict.
        let reads = self.view.reads.take();
        let outcome = (models.reclaim)(self);
        self.view.reads = reads;
        outcome
    }

    /// Counts what follows with `meter`.
    pub(super) fn set_meter(&mut self, meter: &Meter) {
        self.view.set_meter(meter);
    }

    /// Begins an operation of a longer transaction that reads only.
    pub(super) fn move_on(&mut self) {
        self.view.now = OnceCell::new();
        if self.tracked.is_some() {
            self.view.reads = self.reads_of_readers();
        }
    }

    /// Sets a mode of the operations that follow, and returns whether it was set.
    pub(crate) fn set_mode(&mut self, mode: Mode, is_set: bool) -> bool {
        let before = self.view.modes;
        self.view.modes = before.with(mode, is_set);
        before.has(mode)
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
            notes: self.notes.mark(),
            commit_bytes: self.commit_bytes,
            operations: self.operations,
            own_epoch: self.view.own_epoch,
            wake_at: self.wake_at,
            taken: self.taken,
        }
    }

    /// Undoes what was written since `mark`, and forgets what was noted.
    pub(crate) fn undo_to(&mut self, mark: Mark) {
        if let Some(undo) = &mut self.undo {
            undo.take_back(self.view.overlay.changes_mut());
        }
        // Taken apart without `..`: what is noted later has to be put back here.
        let Mark { notes, commit_bytes, operations, own_epoch, wake_at, taken } = mark;
        self.notes.cut_back(notes);
        self.commit_bytes = commit_bytes;
        self.operations = operations;
        self.view.own_epoch = own_epoch;
        self.wake_at = wake_at;
        self.taken = taken;
    }

    /// Whether it has changed the catalogue.
    pub(super) fn changes_catalogue(&self) -> bool {
        self.view.own_epoch.is_some()
    }

    /// Refuses changes that are more than the engine commits at once.
    #[inline]
    fn check_commit(&mut self) -> Result<()> {
        let max = self.view.core.commit_bytes_max();
        if self.commit_bytes > max { self.check_commit_again(max) } else { Ok(()) }
    }

    #[cold]
    fn check_commit_again(&mut self, max: usize) -> Result<()> {
        let changes = self.view.overlay.changes();
        let overhead = changes.len().saturating_mul(limits::CHANGE_OVERHEAD_BYTES);
        self.commit_bytes = changes.bytes().saturating_add(overhead).saturating_add(limits::COMMIT_OVERHEAD_BYTES);
        limits::check("commit bytes", max, self.commit_bytes)
    }

    /// Changes `key`, and keeps what `undo_to` would put back.
    fn change(&mut self, key: &[u8], change: Change<'_>) {
        self.change_to(key, change, How::Copied);
    }

    /// As [`Writer::change`], done in one of several ways.
    #[inline]
    fn change_to(&mut self, key: &[u8], change: Change<'_>, how: How<'_>) {
        let bytes = key.len().saturating_add(change.value().map_or(0, <[u8]>::len));
        self.commit_bytes = self.commit_bytes.saturating_add(bytes).saturating_add(limits::CHANGE_OVERHEAD_BYTES);
        self.changed += 1;
        self.view.meter.wrote(key, change.value().unwrap_or_default());
        let undo = &mut self.undo;
        let before = |before: Option<Change<'_>>| {
            if let Some(undo) = undo {
                undo.note(key, before);
            }
        };
        match (how, change) {
            (How::Shared(value), _) => self.view.overlay.put_shared(key, value, before),
            (How::New, Change::Put(value)) => self.view.overlay.put_new(key, value, before),
            (How::New | How::Copied, change) => self.view.overlay.change(key, change, before),
        }
        // What is committed later, when others may have written, is made before the turn to write is taken.
        if self.tracked.is_some() {
            self.view.overlay.draft_when_large();
        }
    }
}

/// How a change is made.
#[derive(Clone, Copy, Debug)]
enum How<'a> {
    /// The value is copied.
    Copied,
    /// So is this one, and nothing was done to the key before.
    New,
    /// The value is kept as it is.
    Shared(&'a Arc<[u8]>),
}

/// What the models do on behalf of any transaction. The store, which knows all of them, sets it once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Models {
    /// Stays within the budget of bytes before an operation that may need more: makes room, or refuses.
    pub(crate) make_room: fn(&mut Writer) -> Result<()>,
    /// Names what is kept at a key, for a person.
    pub(crate) describe: fn(&View, &[u8]) -> Option<String>,
    /// Removes a bounded amount of what was dropped and not removed yet. Returns the bytes of it, and whether there is more.
    pub(crate) reclaim: fn(&mut Writer) -> Result<(u64, bool)>,
}
