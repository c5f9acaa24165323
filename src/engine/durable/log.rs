//! The log: segments of a fixed size that records are appended to.
//!
//! A segment is written full of zeros and synced before it gets its name, so that a record later changes nothing but
//! bytes that are there already: a sync has no metadata to write, and the disk cannot be full in the middle of a commit.
//!
//! # Invariants
//! 1. A segment under its name has a whole header and its whole size on the medium, before a record goes into it.
//! 2. A record is in one segment. The last record of a segment that the log has left is an end record.
//! 3. What follows the last record that was written is zero, unless a write of it failed.
//! 4. A commit is ordered once there is room for its record: files are made before, so that what keeps one from being made, a
//!    full disk or too many open files, refuses that commit and leaves no trace. `Segments::reserve` gives the room out
//!    in the order in which `Log::append` uses it, and by the same rule.
//! 5. A sync that is reported to have succeeded covers every record written before it, in whichever segment.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::CommitNumber;
use crate::engine::durable::background::Signal;
use crate::engine::durable::commits::{self, Room};
use crate::engine::durable::directory::{Directory, segment_name};
use crate::engine::durable::format::{
    RECORD_HEADER_BYTES, RecordKind, Records, SEGMENT_HEADER_BYTES, SegmentHeader, StoreId,
};
use crate::engine::durable::sync::Mutex;
use crate::error::{Error, Result};
use crate::vfs::File;

/// Largest segment, unless a record needs a larger one, in bytes.
const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// A segment that records can go into.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Arc<dyn File>,
    pub(super) header: SegmentHeader,
    /// Where the next record goes.
    pub(super) offset: u64,
}

impl Segment {
    /// Bytes that records can still take, with an end record after them.
    fn room(&self) -> usize {
        let free = self.header.size.saturating_sub(self.offset + RECORD_HEADER_BYTES as u64);
        usize::try_from(free).unwrap_or(usize::MAX)
    }

    fn name(&self) -> String {
        segment_name(self.header.sequence)
    }
}

/// Makes the log's segments, ahead of their use where somebody asks for that.
#[derive(Debug)]
pub(super) struct Segments {
    directory: Directory,
    id: StoreId,
    next: Mutex<Next>,
    plan: Mutex<Plan>,
    /// How large the next segment should be, in bytes.
    wanted_bytes: AtomicU64,
    /// Bytes of records in the log when it last changed its segment.
    record_bytes: AtomicU64,
    /// Told when the log has taken a segment.
    signal: Arc<Signal>,
}

/// Where records go that are ordered and not written yet. Locked before `next`, which is held while a file is made.
#[derive(Debug, Default)]
struct Plan {
    /// Bytes that records can still take in the last segment that has any.
    room: usize,
    /// The segments after the one that the log is in, which ordered records need.
    reserved: VecDeque<Segment>,
}

#[derive(Debug)]
struct Next {
    sequence: u64,
    /// The segment `sequence`, when it is made already.
    ready: Option<Segment>,
}

impl Segments {
    /// Goes on after the segment before `sequence`; `ready` is that segment, if it is there.
    pub(super) fn new(
        directory: Directory,
        id: StoreId,
        sequence: u64,
        ready: Option<Segment>,
        signal: Arc<Signal>,
    ) -> Self {
        let (wanted_bytes, record_bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let (next, plan) = (Mutex::new(Next { sequence, ready }), Mutex::new(Plan::default()));
        Self { directory, id, next, plan, wanted_bytes, record_bytes, signal }
    }

    /// Makes the next segment of the log, unless one is made already that is not far too large.
    pub(super) fn prepare(&self) -> Result<()> {
        let wanted = self.wanted_bytes.load(Ordering::Relaxed);
        let mut next = self.next.lock();
        next.ready = next.ready.take().filter(|segment| segment.header.size <= wanted.saturating_mul(2));
        if next.ready.is_none() {
            // In the place of one that is too large, under the same name.
            next.ready = Some(make_segment(&self.directory, self.id, next.sequence, wanted)?);
        }
        Ok(())
    }

    /// Bytes of records in the log when it last changed its segment.
    pub(super) fn record_bytes(&self) -> u64 {
        self.record_bytes.load(Ordering::Relaxed)
    }

    /// Notes what is in the log, and how large the next segment should be.
    pub(super) fn note(&self, record_bytes: u64, wanted_bytes: u64) {
        self.record_bytes.store(record_bytes, Ordering::Relaxed);
        self.wanted_bytes.store(wanted_bytes, Ordering::Relaxed);
    }

    /// Bytes of the segments that are made already.
    fn ready_bytes(&self) -> u64 {
        let reserved: u64 = self.plan.lock().reserved.iter().map(|segment| segment.header.size).sum();
        reserved + self.next.lock().ready.as_ref().map_or(0, |segment| segment.header.size)
    }

    /// The segment that the log leaves the current one for, as it was reserved.
    fn leave(&self) -> Option<Segment> {
        self.plan.lock().reserved.pop_front()
    }

    /// Lets the next record go into a segment with `room` bytes for records; everything ordered before is written.
    fn go_on_with(&self, room: usize) {
        self.plan.lock().room = room;
    }

    /// The next segment, with room for a record of `room` bytes. Waits for one that is being made.
    fn take(&self, room: usize, size: u64) -> Result<Segment> {
        let mut next = self.next.lock();
        // One that is too small is let go of first: should making another fail half-way, its name may be gone.
        let ready = next.ready.take().filter(|segment| segment.room() >= room);
        let size = size.max((room + SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) as u64);
        let segment = match ready {
            Some(segment) => segment,
            // In the place of one that is too small, under the same name.
            None => make_segment(&self.directory, self.id, next.sequence, size)?,
        };
        next.sequence += 1;
        Ok(segment)
    }
}

impl Room for Segments {
    fn reserve(&self, bytes: usize) -> Result<()> {
        let mut plan = self.plan.lock();
        if bytes > plan.room {
            let segment = self.take(bytes, self.wanted_bytes.load(Ordering::Relaxed))?;
            plan.room = segment.room();
            plan.reserved.push_back(segment);
        }
        plan.room -= bytes;
        Ok(())
    }
}

/// Makes the segment `sequence` of `size` bytes.
pub(super) fn make_segment(directory: &Directory, id: StoreId, sequence: u64, size: u64) -> Result<Segment> {
    let header = SegmentHeader { id, sequence, size };
    let file = directory.create_whole(&segment_name(sequence), |file| {
        file.write_all_at(&header.encode(), 0)?;
        write_zeros(file, SEGMENT_HEADER_BYTES as u64, size)
    })?;
    Ok(Segment { file: file.into(), header, offset: SEGMENT_HEADER_BYTES as u64 })
}

/// Writes zeros from `start` to `end`.
fn write_zeros(file: &dyn File, start: u64, end: u64) -> std::io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut at = start;
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all_at(ZEROS.get(..length).unwrap_or_default(), at)?;
        at += length as u64;
    }
    Ok(())
}

/// A segment that the log has left, and that a checkpoint has not yet made needless.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) sequence: u64,
    pub(super) size: u64,
    /// The last commit in it or before it.
    pub(super) last: CommitNumber,
}

/// The log of an open store.
#[derive(Debug)]
pub(super) struct Log {
    directory: Directory,
    segments: Arc<Segments>,
    current: Segment,
    /// Whether `current` has records that are not synced.
    is_dirty: bool,
    /// Whether nothing is to be written to `current` any more.
    is_abandoned: bool,
    left: VecDeque<Left>,
    /// Segments of `left` with records that are not synced, by their sequence.
    unsynced: Vec<(u64, Arc<dyn File>)>,
    /// The last commit written.
    written: CommitNumber,
    /// Smallest segment in bytes.
    segment_bytes: u64,
}

impl Log {
    /// Goes on in `current` after the commit `written`, everything before being synced.
    pub(super) fn new(
        directory: Directory,
        segments: Arc<Segments>,
        current: Segment,
        left: VecDeque<Left>,
        written: CommitNumber,
        segment_bytes: u64,
    ) -> Self {
        let (is_dirty, is_abandoned, unsynced) = (false, false, Vec::new());
        let log = Self { directory, segments, current, is_dirty, is_abandoned, left, unsynced, written, segment_bytes };
        log.segments.go_on_with(log.current.room());
        log.note();
        log
    }

    /// Shows the others how the log has grown.
    fn note(&self) {
        self.segments.note(self.record_bytes(), self.next_segment_bytes());
    }

    /// Bytes of records that a checkpoint would make needless.
    pub(super) fn record_bytes(&self) -> u64 {
        let left: u64 = self.left.iter().map(|segment| segment.size).sum();
        left + self.current.offset - SEGMENT_HEADER_BYTES as u64
    }

    /// Bytes of all segments on disk.
    pub(super) fn bytes(&self) -> u64 {
        let left: u64 = self.left.iter().map(|segment| segment.size).sum();
        left + self.current.header.size + self.segments.ready_bytes()
    }

    /// How large the next segment is to be: a log that grows fast is cut into fewer pieces.
    pub(super) fn next_segment_bytes(&self) -> u64 {
        (self.record_bytes() / 2).clamp(self.segment_bytes, SEGMENT_BYTES_MAX.max(self.segment_bytes))
    }

    /// Where the log ends: the segment and the offset in it.
    pub(super) fn end(&self) -> (u64, u64) {
        (self.current.header.sequence, self.current.offset)
    }

    /// The first segment with commits after `commit`, or that later ones will go into.
    pub(super) fn first_segment_after(&self, commit: CommitNumber) -> u64 {
        let needed = self.left.iter().find(|segment| segment.last > commit);
        needed.map_or(self.current.header.sequence, |segment| segment.sequence)
    }

    /// Forgets the segments before `first`, and returns their sequences.
    pub(super) fn forget_before(&mut self, first: u64) -> Vec<u64> {
        let needless = self.left.iter().take_while(|segment| segment.sequence < first).count();
        let forgotten = self.left.drain(..needless).map(|segment| segment.sequence).collect();
        // The checkpoint has been synced in their place.
        self.unsynced.retain(|(sequence, _)| *sequence >= first);
        self.note();
        forgotten
    }

    /// Leaves the current segment, unless it is empty, so that a checkpoint of now makes all of it needless. No record is
    /// ordered that is not written.
    ///
    /// The outer error says that nothing was done, the inner one that it is not known what was.
    pub(super) fn leave_segment(&mut self, synced: CommitNumber) -> Result<Result<()>> {
        if self.current.offset == SEGMENT_HEADER_BYTES as u64 && !self.is_abandoned {
            return Ok(Ok(()));
        }
        let next = self.segments.take(0, self.segment_bytes)?;
        self.segments.go_on_with(next.room());
        Ok(self.advance(next, synced))
    }

    /// Sends the next record to a new segment, because something may follow the last one of this.
    ///
    /// Not at once: a store on a full disk can still be opened and read.
    pub(super) fn abandon_segment(&mut self) {
        self.is_abandoned = true;
        self.segments.go_on_with(0);
    }

    /// Writes a record that says what is on the medium, and syncs it; then notes the same beside the log, so that it is known
    /// also when the end of the log has been destroyed, record and all.
    pub(super) fn close(&mut self, synced: CommitNumber) -> Result<()> {
        let mut mark = Records::default();
        mark.push_sign(RecordKind::Mark, self.written);
        if !self.is_abandoned {
            // Without room for it the store is one that was not closed: nothing is lost by that.
            if let Err(error) = self.segments.reserve(mark.len()) {
                tracing::warn!(%error, "the log has no room for the mark of a store that is closed");
                return Ok(());
            }
            commits::Log::append(self, &mut mark, synced)?;
            commits::Unsynced::sync(&commits::Log::unsynced(self))?;
        }
        if synced == self.written
            && let Err(error) = self.directory.write_close(self.current.header.id, synced)
        {
            tracing::warn!(%error, "it could not be noted that the store is closed");
        }
        Ok(())
    }

    /// Leaves the current segment for `next`.
    fn advance(&mut self, next: Segment, synced: CommitNumber) -> Result<()> {
        let mut end = Records::default();
        end.push_sign(RecordKind::End, self.written);
        let sealed = end.seal(0, usize::MAX, self.current.header.salt(), synced).0;
        self.current.write(&self.directory, sealed)?;
        let left = std::mem::replace(&mut self.current, next);
        self.left.push_back(Left { sequence: left.header.sequence, size: left.header.size, last: self.written });
        self.unsynced.push((left.header.sequence, left.file));
        (self.is_dirty, self.is_abandoned) = (false, false);
        self.note();
        self.segments.signal.wake();
        Ok(())
    }

    /// Leaves the current segment for the one that was reserved for the next record.
    fn advance_to_reserved(&mut self, synced: CommitNumber) -> Result<()> {
        let unreserved =
            || Error::Engine { engine: super::ENGINE, message: "a record has no room reserved".to_owned() };
        let next = self.segments.leave().ok_or_else(unreserved)?;
        self.advance(next, synced)
    }
}

impl Segment {
    fn write(&mut self, directory: &Directory, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all_at(bytes, self.offset);
        written.map_err(|source| Error::io("write", &directory.file(&self.name()), source))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// Segments with records that are not synced.
#[derive(Debug)]
pub(super) struct Unsynced {
    files: Vec<(u64, Arc<dyn File>)>,
    last: CommitNumber,
    directory: Directory,
}

impl commits::Unsynced for Unsynced {
    fn last(&self) -> CommitNumber {
        self.last
    }

    fn sync(&self) -> Result<()> {
        self.files.iter().try_for_each(|(sequence, file)| {
            let synced = file.sync();
            synced.map_err(|source| Error::io("sync", &self.directory.file(&segment_name(*sequence)), source))
        })
    }
}

impl commits::Log for Log {
    type Unsynced = Unsynced;

    fn append(&mut self, records: &mut Records, synced: CommitNumber) -> Result<()> {
        if self.is_abandoned && records.len() > 0 {
            self.advance_to_reserved(synced)?;
        }
        let mut from = 0;
        while from < records.len() {
            let (sealed, last) = records.seal(from, self.current.room(), self.current.header.salt(), synced);
            if sealed.is_empty() {
                self.advance_to_reserved(synced)?;
                continue;
            }
            from += sealed.len();
            self.current.write(&self.directory, sealed)?;
            self.written = last;
            self.is_dirty = true;
        }
        Ok(())
    }

    fn unsynced(&mut self) -> Unsynced {
        let mut files = std::mem::take(&mut self.unsynced);
        if std::mem::take(&mut self.is_dirty) {
            files.push((self.current.header.sequence, Arc::clone(&self.current.file)));
        }
        Unsynced { files, last: self.written, directory: self.directory.clone() }
    }
}
