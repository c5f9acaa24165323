//! What the files of a store say: the newest checkpoint, then the log in order, up to where it ends.
//!
//! # Where the log ends
//! A commit is acknowledged when its record and every record before it are synced, so that loss of power takes only
//! records that were not acknowledged. It may take any of them: the medium writes in what order it likes, and a later
//! record can be whole where an earlier one is torn. So the first piece that is not a record ends the log, *unless*
//! some record after it says that the missing commit was on the medium, for every record says how far that was when it
//! was written. Then it is damage, and an error. The header of a record is enough to say so, and has a checksum of its
//! own: to look for such a record costs the same whatever bytes are looked at, which clients have chosen. So it is
//! damage, too, when the log ends before the commit that the store was closed with. Unless the store was closed, the
//! log goes on in a new segment: what follows the end is never read again, and so cannot come back behind a new record.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::durable::background::Signal;
use crate::engine::durable::checkpoint;
use crate::engine::durable::directory::{Directory, Listing, checkpoint_name, segment_name};
use crate::engine::durable::format::{
    RECORD_ALIGNMENT, RECORD_HEADER_BYTES, Record, RecordHeader, RecordKind, Refused, SEGMENT_HEADER_BYTES,
    SegmentHeader, StoreId,
};
use crate::engine::durable::log::{Left, Log, Segment, Segments};
use crate::engine::memory::TreeSnapshot;
use crate::engine::tree::{Builder, Tree};
use crate::engine::{Change, CommitNumber, Snapshot};
use crate::error::{Error, Result};
use crate::vfs::File;

/// A store as it was found.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) log: Log,
    pub(super) segments: Arc<Segments>,
    pub(super) state: TreeSnapshot,
    /// The newest checkpoint and its bytes.
    pub(super) checkpoint: Option<(CommitNumber, u64)>,
    /// Whether there is a note of a close.
    pub(super) has_close: bool,
    /// How many files were found, checkpoints and segments.
    pub(super) files: usize,
    /// Whether it was closed, and not left by a process that died.
    pub(super) was_closed: bool,
}

/// What the files of a store say.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) listing: Listing,
    pub(super) state: TreeSnapshot,
    /// The newest checkpoint and its bytes.
    pub(super) checkpoint: Option<(CommitNumber, u64)>,
    /// The segment that the log begins in.
    first: u64,
    scan: Scan,
}

/// Reads the store `id` in `directory`, and leaves there what the log can go on from.
pub(super) fn recover(
    directory: &Directory,
    id: StoreId,
    segment_bytes: u64,
    signal: &Arc<Signal>,
) -> Result<Recovered> {
    let Found { listing, state, checkpoint, first, scan } = find(directory, id)?;
    let covered = checkpoint.map_or(CommitNumber(0), |(commit, _)| commit);
    let (files, was_closed) = (listing.checkpoints.len() + listing.segments.len(), scan.is_clean);
    let (log, segments) = settle(directory, id, &listing, (first, covered), scan, segment_bytes, signal)?;
    Ok(Recovered { log, segments, state, checkpoint, has_close: listing.has_close, files, was_closed })
}

/// Reads the store `id` in `directory`, and changes nothing.
pub(super) fn find(directory: &Directory, id: StoreId) -> Result<Found> {
    let listing = directory.list()?;
    let newest = listing.checkpoints.last().map(|commit| read_checkpoint(directory, id, *commit)).transpose()?;
    let checkpoint = newest.as_ref().map(|newest| (newest.state.commit(), newest.size));
    let (mut state, first) = match newest {
        Some(newest) => (newest.state, newest.first_segment),
        None => (TreeSnapshot::new(Tree::default(), CommitNumber(0)), 1),
    };
    let commit = state.commit();
    let (mut tree, mut last) = (state.into_tree(), commit);
    let scan = scan_log(directory, id, &listing, first, commit, None, |record| {
        for operation in record.operations() {
            match operation? {
                (key, Change::Put(value)) => tree.put(key, value),
                (key, Change::Remove) => tree.remove(key),
            }
        }
        last = record.number;
        Ok(())
    })?;
    state = TreeSnapshot::new(tree, last);
    Ok(Found { listing, state, checkpoint, first, scan })
}

/// Brings the directory into the state the invariants of the log ask for.
fn settle(
    directory: &Directory,
    id: StoreId,
    listing: &Listing,
    (first, covered): (u64, CommitNumber),
    scan: Scan,
    segment_bytes: u64,
    signal: &Arc<Signal>,
) -> Result<(Log, Arc<Segments>)> {
    let next = scan.end.sequence + 1;
    let ready = scan.later.first().filter(|(header, is_empty)| header.sequence == next && *is_empty);
    let needless_later = scan.later.iter().skip(usize::from(ready.is_some())).map(|(header, _)| header.sequence);
    let needless = listing.segments.iter().copied().filter(|sequence| *sequence < first).chain(needless_later);
    let older = listing.checkpoints.split_last().map_or(&[][..], |(_, older)| older);
    let needless: Vec<_> = (needless.map(segment_name))
        .chain(older.iter().copied().map(checkpoint_name))
        .chain(listing.unfinished.iter().cloned())
        .collect();
    // What was found may have its name in memory only.
    directory.sync()?;
    if !needless.is_empty() {
        needless.iter().try_for_each(|name| directory.remove(name))?;
        directory.sync()?;
    }
    let current = rewrite(directory, id, &scan, covered)?;
    let ready = match ready {
        Some((header, _)) => {
            let file = open_segment(directory, header.sequence)?;
            Some(Segment { file, header: *header, offset: SEGMENT_HEADER_BYTES as u64 })
        }
        None => None,
    };
    let segments = Arc::new(Segments::new(directory.clone(), id, next, ready, Arc::clone(signal)));
    let mut log = Log::new(directory.clone(), Arc::clone(&segments), current, scan.left, scan.last, segment_bytes);
    if !scan.is_clean {
        log.abandon_segment();
    }
    Ok((log, segments))
}

/// Writes again, and syncs, what may not be on the medium although it can be read, and opens the segment that the log ends in.
///
/// A process that was killed leaves it to the system to write; and after a sync that failed, the system takes what it could
/// not write for written, and a later sync alone would not bring it there. Records of commits that the checkpoint covers count
/// as synced to those behind them, and may be just as little on the medium: the log is read through them.
fn rewrite(directory: &Directory, id: StoreId, scan: &Scan, covered: CommitNumber) -> Result<Segment> {
    let is_doubtful = |commit: CommitNumber| commit >= scan.claimed || (!scan.is_clean && commit <= covered);
    let ended = (scan.end.sequence, scan.last);
    let segments = scan.left.iter().map(|left| (left.sequence, left.last)).chain([ended]);
    let (mut end, mut before) = (None, CommitNumber(0));
    for (sequence, last) in segments {
        // The first commit of a segment is not before the last of the one before it.
        let first = std::mem::replace(&mut before, last);
        if !is_doubtful(last) && !is_doubtful(first) {
            continue;
        }
        let (header, bytes) = read_segment(directory, id, sequence)?;
        let (mut from, mut to) = (None, SEGMENT_HEADER_BYTES);
        while sequence != scan.end.sequence || (to as u64) < scan.offset {
            let Ok(record) = Record::decode(bytes.get(to..).unwrap_or_default(), header.salt()) else { break };
            if is_doubtful(record.number) {
                from.get_or_insert(to);
            }
            to += record.length;
            if record.kind == RecordKind::End {
                break;
            }
        }
        let file = open_segment(directory, sequence)?;
        let from = from.unwrap_or(to);
        let again = bytes.get(from..to).unwrap_or_default();
        let written = file.write_all_at(again, from as u64).and_then(|()| file.sync());
        written.map_err(|source| Error::io("write", &directory.file(&segment_name(sequence)), source))?;
        end = Some(file);
    }
    let file = match end {
        Some(file) => file,
        None => open_segment(directory, scan.end.sequence)?,
    };
    Ok(Segment { file, header: scan.end, offset: scan.offset })
}

/// Opens a segment to write to it.
fn open_segment(directory: &Directory, sequence: u64) -> Result<Arc<dyn File>> {
    let path = directory.file(&segment_name(sequence));
    let file = directory.vfs.open(&path, true).map_err(|source| Error::io("open", &path, source))?;
    Ok(file.into())
}

struct Checkpoint {
    state: TreeSnapshot,
    first_segment: u64,
    size: u64,
}

fn read_checkpoint(directory: &Directory, id: StoreId, commit: CommitNumber) -> Result<Checkpoint> {
    let mut reader = checkpoint::Reader::open(directory, commit)?;
    if reader.header().id != id {
        return Err(directory.damaged(&checkpoint_name(commit), 0, "the file belongs to another store"));
    }
    let mut tree = Builder::new();
    while reader.next_block(|key, value| tree.push(key, value))? {}
    let state = TreeSnapshot::new(tree.finish(), commit);
    Ok(Checkpoint { state, first_segment: reader.header().first_segment, size: reader.size() })
}

/// What the log holds.
#[derive(Debug)]
pub(super) struct Scan {
    /// The last commit.
    pub(super) last: CommitNumber,
    /// The segments before the one it ends in.
    left: VecDeque<Left>,
    /// The segment it ends in.
    end: SegmentHeader,
    /// Where in that segment.
    offset: u64,
    /// The last commit that a record, or the checkpoint, says to be on the medium.
    claimed: CommitNumber,
    /// Whether the store was closed, or is new: nothing follows, and no write was interrupted.
    is_clean: bool,
    /// The segments after that one, and whether each is empty.
    later: Vec<(SegmentHeader, bool)>,
}

/// Reads the log from the segment `first` on, and calls `apply` with every commit after `after`, in order.
///
/// With `until`, a segment and an offset in it, the log is known to end there.
pub(super) fn scan_log(
    directory: &Directory,
    id: StoreId,
    listing: &Listing,
    first: u64,
    after: CommitNumber,
    until: Option<(u64, u64)>,
    mut apply: impl FnMut(&Record<'_>) -> Result<(), Refused>,
) -> Result<Scan> {
    let mut left = VecDeque::new();
    let mut sequence = first;
    let (mut last, mut previous) = (after, None);
    let (mut claimed, mut ends_with_mark) = (after, true);
    // A turn for each segment; the one in which the log ends returns.
    loop {
        if !listing.segments.contains(&sequence) {
            let why = if sequence == 1 {
                "the file is missing, or the checkpoint that makes it needless"
            } else {
                "the file is missing"
            };
            return Err(directory.damaged(&segment_name(sequence), 0, why));
        }
        let (header, bytes) = read_segment(directory, id, sequence)?;
        let mut offset = SEGMENT_HEADER_BYTES;
        // Up to the first piece that is not a record. A write that was cut off looks no different from damage, so that what
        // it means is decided below, by what lies behind it.
        let gap = loop {
            if until == Some((sequence, offset as u64)) {
                break Gap::Known;
            }
            let damaged = |why: &str| directory.damaged(&segment_name(sequence), offset as u64, why);
            let record = match Record::decode(bytes.get(offset..).unwrap_or_default(), header.salt()) {
                Ok(record) => record,
                Err(Refused::Damaged(why)) => break Gap::Found(why),
                Err(newer) => return Err(directory.refuse_file(&segment_name(sequence), offset as u64, newer)),
            };
            if record.kind == RecordKind::Commit {
                // Also records of what the checkpoint holds have to follow one another: a gap among them is damage.
                if !follows(previous, after, record.number) {
                    let before = previous.unwrap_or(after);
                    return Err(damaged(&format!("commit {} comes after commit {before}", record.number)));
                }
                previous = Some(record.number);
                if record.number > after {
                    let applied = apply(&record);
                    applied
                        .map_err(|refused| directory.refuse_file(&segment_name(sequence), offset as u64, refused))?;
                    last = record.number;
                }
            }
            offset += record.length;
            claimed = claimed.max(record.synced);
            ends_with_mark = record.kind == RecordKind::Mark && record.synced == last;
            if record.kind == RecordKind::End {
                break Gap::None;
            }
        };
        let why = match gap {
            Gap::None => {
                left.push_back(Left { sequence, size: header.size, last });
                sequence += 1;
                continue;
            }
            Gap::Known => String::new(),
            // Where it ends is known, and this is before that.
            Gap::Found(why) if until.is_some() => {
                return Err(directory.damaged(&segment_name(sequence), offset as u64, &why));
            }
            Gap::Found(why) => why,
        };
        let rest = bytes.get(offset..).unwrap_or_default();
        if rest.len() < RECORD_HEADER_BYTES {
            // The log could not leave it: whoever wrote it has kept room for that.
            let why = "the segment has no room for its end";
            return Err(directory.damaged(&segment_name(sequence), offset as u64, why));
        }
        // A record names the last commit that was known to be on the medium when it was written. One that names a commit
        // which cannot be read proves that this had been there: it was lost to damage. Without such a record it may have
        // been lost with the power, unacknowledged, together with whatever was written after it.
        let mut has_remains = rest.iter().any(|byte| *byte != 0);
        let mut is_contradicted = has_remains && claims(&header, &bytes, offset, last.next());
        let mut later = Vec::new();
        for sequence in listing.segments.iter().copied().filter(|other| *other > sequence && until.is_none()) {
            let (header, bytes) = read_segment(directory, id, sequence)?;
            let records = bytes.get(SEGMENT_HEADER_BYTES..).unwrap_or_default();
            let is_empty = records.iter().all(|byte| *byte == 0);
            has_remains |= !is_empty;
            is_contradicted |= !is_empty && claims(&header, &bytes, SEGMENT_HEADER_BYTES, last.next());
            later.push((header, is_empty));
        }
        if is_contradicted {
            return Err(directory.damaged(&segment_name(sequence), offset as u64, &why));
        }
        // Closing a store syncs it: no loss of power explains a log that is shorter.
        let closed = directory.read_close(id, listing)?;
        if last < closed {
            let why = format!("the log ends at commit {last}, although the store was closed after commit {closed}");
            return Err(directory.damaged(&segment_name(sequence), offset as u64, &why));
        }
        let is_clean = ends_with_mark && !has_remains;
        return Ok(Scan { last, left, end: header, offset: offset as u64, claimed, is_clean, later });
    }
}

/// Whether `number` may come after the record of the commit `previous`, where `after` is the checkpoint's.
///
/// Records of what the checkpoint holds may be missing at the end: loss of power took them, and the log went on in their
/// place.
fn follows(previous: Option<CommitNumber>, after: CommitNumber, number: CommitNumber) -> bool {
    match previous {
        None => number <= after.next(),
        Some(previous) => number == previous.next() || (previous < after && number == after.next()),
    }
}

/// What is behind the last record that could be read of a segment.
enum Gap {
    /// The log goes on in the next segment.
    None,
    /// The end, as the caller says.
    Known,
    /// No record, for this reason: the end, or damage.
    Found(String),
}

/// Whether some record from `offset` on says that `missing` was on the medium. That is so from when its header was written.
fn claims(header: &SegmentHeader, bytes: &[u8], offset: usize, missing: CommitNumber) -> bool {
    headers(header, bytes, offset).any(|(_, header)| header.synced >= missing)
}

/// Where a record may begin from `offset` on, by its header.
pub(super) fn headers<'a>(
    header: &SegmentHeader,
    bytes: &'a [u8],
    offset: usize,
) -> impl Iterator<Item = (usize, RecordHeader)> + 'a {
    let (salt, places) = (header.salt(), (offset..bytes.len()).step_by(RECORD_ALIGNMENT));
    places.filter_map(move |at| Some((at, RecordHeader::decode(bytes.get(at..)?, salt).ok()?)))
}

/// Reads a whole segment and checks its header, and before all of it that it is as long as that says.
pub(super) fn read_segment(directory: &Directory, id: StoreId, sequence: u64) -> Result<(SegmentHeader, Vec<u8>)> {
    let name = segment_name(sequence);
    let (start, size) = directory.read_start(&name, SEGMENT_HEADER_BYTES)?;
    let header = SegmentHeader::decode(&start).map_err(|refused| directory.refuse_file(&name, 0, refused))?;
    let wrong = if header.id != id {
        "the file belongs to another store"
    } else if header.sequence != sequence {
        "the file has the name of another"
    } else if header.size > size {
        "the file is cut off"
    } else if header.size < size {
        "something follows the segment"
    } else {
        return Ok((header, directory.read_whole(&name, usize::try_from(size).unwrap_or(usize::MAX))?));
    };
    Err(directory.damaged(&name, size, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::durable::directory::IDENTITY_FILE;
    use crate::engine::durable::format::tests::HASHED;
    use crate::engine::durable::format::{Records, encode_identity};
    use crate::engine::durable::{DurableEngine, check};
    use crate::engine::{Changes, Durability, Engine};
    use crate::vfs::SystemVfs;

    /// A store of one segment with a commit in it and `free` bytes after that.
    fn store(free: usize) -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let directory = Directory { vfs: Arc::new(SystemVfs), path: dir.path().to_owned() };
        let id = StoreId([7; 16]);
        let mut records = Records::default();
        assert!(records.push_commit(CommitNumber(1), &Changes::putting("a", "1")));
        let size = SEGMENT_HEADER_BYTES + records.len() + free;
        let header = SegmentHeader { id, sequence: 1, size: size as u64 };
        let (sealed, _) = records.seal(0, usize::MAX, header.salt(), CommitNumber(0));
        let segment = [&header.encode(), sealed, &vec![0; free]].concat();
        directory.write_whole(&segment_name(1), &segment).unwrap();
        directory.write_whole(IDENTITY_FILE, &encode_identity(id)).unwrap();
        (dir, directory)
    }

    #[test]
    fn a_store_opens_at_the_same_cost_whatever_values_say() {
        let dir = tempfile::tempdir().unwrap();
        let engine = DurableEngine::open(dir.path()).unwrap();
        // What may begin a record as long as the rest, at every place.
        let bytes = 2u32 << 20;
        let header = |at: u32| {
            let mut header = [0; RECORD_HEADER_BYTES];
            header[..4].copy_from_slice(&(bytes - at).to_le_bytes());
            header[8..16].copy_from_slice(&(1u64 << 40).to_le_bytes());
            header[16..24].copy_from_slice(&(1u64 << 40).to_le_bytes());
            header[24] = 1;
            header
        };
        let value: Vec<u8> = (0..bytes).step_by(RECORD_HEADER_BYTES).flat_map(header).collect();
        for key in ["a", "b"] {
            let ticket = engine.commit(&Changes::putting(key, &value), None, Durability::Sync).unwrap();
            ticket.wait().unwrap();
        }
        engine.close().unwrap();
        let path = dir.path().join(segment_name(1));
        let mut segment = std::fs::read(&path).unwrap();
        segment[200] ^= 1;
        std::fs::write(&path, &segment).unwrap();
        for open in [true, false] {
            HASHED.set(0);
            let damaged = if open {
                matches!(DurableEngine::open(dir.path()), Err(Error::Damaged { .. }))
            } else {
                check(dir.path()).unwrap().damage.len() == 1
            };
            assert!(damaged);
            assert!(HASHED.get() <= 12 * segment.len() as u64, "{} of {}", HASHED.get(), segment.len());
        }
    }

    #[test]
    fn a_checkpoint_named_for_the_last_number_there_is_is_damaged() {
        let (dir, directory) = store(RECORD_HEADER_BYTES);
        let name = checkpoint_name(CommitNumber(u64::MAX));
        directory.write_whole(&name, b"no checkpoint").unwrap();
        assert!(matches!(DurableEngine::open(dir.path()), Err(Error::Damaged { .. })));
        let damage = check(dir.path()).unwrap().damage;
        assert_eq!(damage.first().map(|damage| damage.file.clone()), Some(directory.file(&name)));
    }

    #[test]
    fn a_segment_that_the_log_could_not_leave_is_damaged() {
        let (dir, directory) = store(RECORD_HEADER_BYTES);
        drop(DurableEngine::open(&directory.path).unwrap());
        assert!(check(dir.path()).unwrap().damage.is_empty());

        let (dir, directory) = store(RECORD_HEADER_BYTES - RECORD_ALIGNMENT);
        let error = DurableEngine::open(&directory.path).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert_eq!(check(dir.path()).unwrap().damage.len(), 1);
    }
}
