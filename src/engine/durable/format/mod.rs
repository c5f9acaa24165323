//! The bytes of a store's files; `docs/format.md` gives each with an example.
//!
//! Everything is little-endian. Every header has a version and a word of flags, and is refused when it is newer than
//! this code or has a flag set that this code does not know: flags are how compression of records and encryption will
//! come in. Every piece ends up under a CRC-32C that starts from the place it belongs to (store, segment or
//! checkpoint), so that a piece that has strayed from another file does not pass for one of this. The headers of
//! records and blocks have a second one of their own, so that it takes constant time to see whether some bytes begin a
//! piece, whatever length they give.

use crate::engine::{Change, Changes, CommitNumber};
use crate::limits;

/// The version of everything here.
pub(super) const VERSION: u32 = 2;

const IDENTITY_MAGIC: [u8; 8] = *b"LARDERID";
const SEGMENT_MAGIC: [u8; 8] = *b"LARDERLG";
const CHECKPOINT_MAGIC: [u8; 8] = *b"LARDERCP";
const CLOSE_MAGIC: [u8; 8] = *b"LARDERCL";

/// Bytes of the file that makes a directory a store.
pub(super) const IDENTITY_BYTES: usize = 36;
/// Bytes of the note that a store was closed.
pub(super) const CLOSE_BYTES: usize = 44;
/// Bytes before the first record of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes before the first block of a checkpoint.
pub(super) const CHECKPOINT_HEADER_BYTES: usize = 72;
/// Bytes of a record before its operations.
pub(super) const RECORD_HEADER_BYTES: usize = 40;
/// Bytes of a block before its entries.
pub(super) const BLOCK_HEADER_BYTES: usize = 28;
/// Where in the header of a record its own checksum is, and where in that of a block.
const RECORD_HEADER_CHECKSUM_AT: usize = 32;
const BLOCK_HEADER_CHECKSUM_AT: usize = 24;
/// Records begin at multiples of this.
pub(super) const RECORD_ALIGNMENT: usize = 8;

/// Highest number of a commit or segment that a header can give. No store gets there, so that counting on from it
/// cannot overflow.
const NUMBER_MAX: u64 = u64::MAX / 2;

/// Bytes that one byte of LZ4 can stand for at most.
const LZ4_RATIO_MAX: usize = 255;

/// Bytes of entries after which a block ends. An entry is never split, so that a block with one large value is larger.
pub(super) const BLOCK_BYTES: usize = 64 << 10;
/// Bytes of a value beyond which its entry is alone in its block, which is neither compressed nor copied.
pub(super) const LARGE_VALUE_BYTES: usize = 64 << 20;
/// Bytes of entries no block has more of.
const BLOCK_BYTES_MAX: usize = block_bytes_max(limits::ENGINE_VALUE_BYTES_MAX);
/// Bytes of entries no compressed block has more of: what they are decompressed to is made room for.
const COMPRESSED_BLOCK_BYTES_MAX: usize = block_bytes_max(LARGE_VALUE_BYTES);

const fn block_bytes_max(value_bytes_max: usize) -> usize {
    BLOCK_BYTES + value_bytes_max + limits::ENGINE_KEY_BYTES_MAX + ENTRY_HEADER_BYTES
}

/// Bytes of an operation beside its key and value: kind, key length, value length.
const PUT_HEADER_BYTES: usize = 7;
/// Bytes of an entry beside the key and value: shared key bytes, other key bytes, value length.
const ENTRY_HEADER_BYTES: usize = 8;

const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// What distinguishes the files of one store from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreId(pub(super) [u8; 16]);

/// Why a header or a piece is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A later version of this crate wrote it.
    Newer(String),
    /// An earlier version wrote it, in a format that is read no more.
    Older(String),
    /// It is not what was written.
    Damaged(String),
}

impl Refused {
    fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

/// Bytes of a store's files beside checkpoints and log.
pub(super) fn fixed_bytes(has_close: bool) -> u64 {
    let close = if has_close { CLOSE_BYTES } else { 0 };
    (IDENTITY_BYTES + close) as u64
}

/// The file that makes a directory a store.
pub(super) fn encode_identity(id: StoreId) -> [u8; IDENTITY_BYTES] {
    let mut out = Fields::new();
    out.put(&IDENTITY_MAGIC);
    out.put(&VERSION.to_le_bytes());
    out.put(&0u32.to_le_bytes());
    out.put(&id.0);
    out.finish()
}

/// Reads what [`encode_identity`] wrote.
pub(super) fn decode_identity(bytes: &[u8]) -> Result<StoreId, Refused> {
    let (_, mut rest) = open_header::<IDENTITY_BYTES>(bytes, IDENTITY_MAGIC, 0)?;
    Ok(StoreId(take(&mut rest)?))
}

/// The note that a store was closed when `commit`, its last, was on the medium.
///
/// It stays true whatever happens to the store later: a log that ends before that commit has lost something.
pub(super) fn encode_close(id: StoreId, commit: CommitNumber) -> [u8; CLOSE_BYTES] {
    let mut out = Fields::new();
    out.put(&CLOSE_MAGIC);
    out.put(&VERSION.to_le_bytes());
    out.put(&0u32.to_le_bytes());
    out.put(&id.0);
    out.put(&commit.0.to_le_bytes());
    out.finish()
}

/// Reads what [`encode_close`] wrote.
pub(super) fn decode_close(bytes: &[u8]) -> Result<(StoreId, CommitNumber), Refused> {
    let (_, mut rest) = open_header::<CLOSE_BYTES>(bytes, CLOSE_MAGIC, 0)?;
    Ok((StoreId(take(&mut rest)?), CommitNumber(take_number(&mut rest)?)))
}

/// Begins a segment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) id: StoreId,
    /// The segment's place in the log, from 1.
    pub(super) sequence: u64,
    /// Bytes of the whole file.
    pub(super) size: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut out = Fields::new();
        out.put(&SEGMENT_MAGIC);
        out.put(&VERSION.to_le_bytes());
        out.put(&0u32.to_le_bytes());
        out.put(&self.id.0);
        out.put(&self.sequence.to_le_bytes());
        out.put(&self.size.to_le_bytes());
        out.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let (_, mut rest) = open_header::<SEGMENT_HEADER_BYTES>(bytes, SEGMENT_MAGIC, 0)?;
        let (id, sequence, size) = (StoreId(take(&mut rest)?), take_number(&mut rest)?, take_u64(&mut rest)?);
        if size < (SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) as u64 {
            return Err(Refused::damaged(format!("a segment cannot have {size} bytes")));
        }
        Ok(Self { id, sequence, size })
    }

    /// Where the checksums of the segment's records start from.
    pub(super) fn salt(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.id.0), &self.sequence.to_le_bytes())
    }
}

/// What a record of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    /// A commit, with its operations.
    Commit,
    /// The last record of its segment: the log goes on in the next one.
    End,
    /// Says only what is on the medium: the last record of a store that was closed.
    Mark,
}

/// A record as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) kind: RecordKind,
    /// The commit, or the last one before a record that has none.
    pub(super) number: CommitNumber,
    /// The last commit that was known to be on the medium when the record was written.
    pub(super) synced: CommitNumber,
    /// Bytes from its start to that of the next.
    pub(super) length: usize,
    operations: &'a [u8],
    operation_count: u32,
}

/// Records on their way to the log. Their checksums are put in by [`Records::seal`], when it is known where they go.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    commits: usize,
}

/// How many bytes the record of `changes` takes.
pub(super) fn record_bytes(changes: &Changes) -> usize {
    // What a transaction was let buffer is never too much for a record.
    const { assert!(PUT_HEADER_BYTES <= limits::CHANGE_OVERHEAD_BYTES) };
    const { assert!(RECORD_HEADER_BYTES + RECORD_ALIGNMENT <= limits::COMMIT_OVERHEAD_BYTES) };
    let operations = changes.bytes().saturating_add(changes.len().saturating_mul(PUT_HEADER_BYTES));
    operations.saturating_add(RECORD_HEADER_BYTES + RECORD_ALIGNMENT)
}

impl Records {
    /// Adds a commit, or returns `false` when the memory for it cannot be had.
    #[must_use]
    pub(super) fn push_commit(&mut self, number: CommitNumber, changes: &Changes) -> bool {
        if self.bytes.try_reserve(record_bytes(changes)).is_err() {
            return false;
        }
        self.push(RecordKind::Commit, number, changes);
        self.commits += 1;
        true
    }

    /// Adds a record without operations.
    pub(super) fn push_sign(&mut self, kind: RecordKind, number: CommitNumber) {
        self.push(kind, number, &Changes::new());
    }

    fn push(&mut self, kind: RecordKind, number: CommitNumber, changes: &Changes) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
        let mut operation_count = 0u32;
        // What cannot be stored need not be removed.
        let is_storable = |key: &[u8]| !key.is_empty() && key.len() <= limits::ENGINE_KEY_BYTES_MAX;
        for (key, change) in changes.iter().filter(|(key, _)| is_storable(key)) {
            let (kind, value) = match change {
                Change::Put(value) => (PUT, Some(value)),
                Change::Remove => (REMOVE, None),
            };
            self.bytes.push(kind);
            self.bytes.extend_from_slice(&length_u16(key).to_le_bytes());
            self.bytes.extend_from_slice(key);
            if let Some(value) = value {
                self.bytes.extend_from_slice(&length_u32(value).to_le_bytes());
                self.bytes.extend_from_slice(value);
            }
            operation_count += 1;
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(RECORD_ALIGNMENT), 0);
        let kind = match kind {
            RecordKind::Commit => 1,
            RecordKind::End => 2,
            RecordKind::Mark => 3,
        };
        let record = self.bytes.get_mut(start..).unwrap_or_default();
        let length = length_u32(record);
        put_at(record, 0, &length.to_le_bytes());
        put_at(record, 8, &number.0.to_le_bytes());
        put_at(record, 24, &[kind, 0, 0, 0]);
        put_at(record, 28, &operation_count.to_le_bytes());
    }

    /// Completes the records from byte `from` on that fit into `room` bytes, for the segment with `salt`. Returns their
    /// bytes and the last commit among them.
    pub(super) fn seal(&mut self, from: usize, room: usize, salt: u32, synced: CommitNumber) -> (&[u8], CommitNumber) {
        let (mut end, mut last) = (from, CommitNumber(0));
        loop {
            let length = self.length_at(end);
            if length == 0 || end + length - from > room {
                break;
            }
            let record = self.bytes.get_mut(end..end + length).unwrap_or_default();
            put_at(record, 16, &synced.0.to_le_bytes());
            seal(salt, record, RECORD_HEADER_CHECKSUM_AT);
            let number = record.get(8..).and_then(<[u8]>::first_chunk);
            last = CommitNumber(number.map_or(0, |number| u64::from_le_bytes(*number)));
            end += length;
        }
        (self.bytes.get(from..end).unwrap_or_default(), last)
    }

    /// Bytes of the record at byte `at`; 0 when there is none.
    pub(super) fn length_at(&self, at: usize) -> usize {
        let length = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        length.map_or(0, |length| u32::from_le_bytes(*length) as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many commits there are among them.
    pub(super) fn commits(&self) -> usize {
        self.commits
    }

    /// Takes back the commit that was added last, from byte `start` on.
    pub(super) fn cut(&mut self, start: usize) {
        self.bytes.truncate(start);
        self.commits -= 1;
    }

    /// Empties it, and keeps its memory unless that is large.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(limits::COMMIT_GROUP_BYTES_MAX);
        self.commits = 0;
    }
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`, which go on to the end of its segment.
    pub(super) fn decode(bytes: &'a [u8], salt: u32) -> Result<Self, Refused> {
        let header = RecordHeader::decode(bytes, salt)?;
        let record = header.of(bytes)?;
        if piece_checksum(salt, record, RECORD_HEADER_CHECKSUM_AT) != header.checksum {
            return Err(Refused::damaged("the checksum of a record does not fit it"));
        }
        if header.flags != 0 {
            return Err(Refused::Newer(format!("a record has the unknown flags {:#04x}", header.flags)));
        }
        let kind = match header.kind {
            1 => RecordKind::Commit,
            2 => RecordKind::End,
            3 => RecordKind::Mark,
            other => return Err(Refused::Newer(format!("a record is of the unknown kind {other}"))),
        };
        let RecordHeader { number, synced, length, operation_count, .. } = header;
        let operations = record.get(RECORD_HEADER_BYTES..).unwrap_or_default();
        Ok(Self { kind, number, synced, length, operations, operation_count })
    }

    /// What the commit does, in the order of its keys. Ends after the first error.
    pub(super) fn operations(&self) -> impl Iterator<Item = Result<(&'a [u8], Change<'a>), Refused>> {
        let (mut rest, mut left) = (self.operations, self.operation_count);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let operation = take_operation(&mut rest);
            if operation.is_err() {
                left = 0;
            }
            Some(operation)
        })
    }
}

/// The header of a record, whole; what follows it may not be.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordHeader {
    pub(super) number: CommitNumber,
    pub(super) synced: CommitNumber,
    pub(super) length: usize,
    checksum: u32,
    kind: u8,
    flags: u8,
    operation_count: u32,
}

impl RecordHeader {
    /// Reads the header at the start of `bytes`. What cannot be one is found without a checksum, what may be by that of
    /// [`RECORD_HEADER_BYTES`], so that looking for headers costs the same whatever the bytes say.
    pub(super) fn decode(bytes: &[u8], salt: u32) -> Result<Self, Refused> {
        let mut rest = bytes;
        let (length, checksum) = (take_u32(&mut rest)? as usize, take_u32(&mut rest)?);
        if length < RECORD_HEADER_BYTES || !length.is_multiple_of(RECORD_ALIGNMENT) {
            return Err(Refused::damaged(format!("a record cannot have {length} bytes")));
        }
        let (number, synced) = (CommitNumber(take_u64(&mut rest)?), CommitNumber(take_u64(&mut rest)?));
        let [kind, flags, ..] = take::<4>(&mut rest)?;
        let operation_count = take_u32(&mut rest)?;
        let (own, _zero) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
        if header_checksum(salt, bytes, RECORD_HEADER_CHECKSUM_AT) != own {
            return Err(Refused::damaged("the checksum of a record's header does not fit it"));
        }
        Ok(Self { number, synced, length, checksum, kind, flags, operation_count })
    }

    /// The record that it is the header of, at the start of `bytes`.
    fn of<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Refused> {
        bytes.get(..self.length).ok_or_else(|| Refused::damaged("a record goes on after its segment's end"))
    }
}

fn take_operation<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], Change<'a>), Refused> {
    let [kind] = take::<1>(rest)?;
    let key_bytes = u16::from_le_bytes(take(rest)?).into();
    let key = take_slice(rest, key_bytes)?;
    if key.is_empty() {
        return Err(Refused::damaged("an operation has an empty key"));
    }
    match kind {
        PUT => {
            let value_bytes = take_u32(rest)? as usize;
            if value_bytes > limits::ENGINE_VALUE_BYTES_MAX {
                return Err(Refused::damaged(format!("a value cannot have {value_bytes} bytes")));
            }
            Ok((key, Change::Put(take_slice(rest, value_bytes)?)))
        }
        REMOVE => Ok((key, Change::Remove)),
        other => Err(Refused::Newer(format!("an operation is of the unknown kind {other}"))),
    }
}

/// Begins a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckpointHeader {
    pub(super) id: StoreId,
    /// The last commit it holds.
    pub(super) commit: CommitNumber,
    pub(super) entries: u64,
    /// Bytes of all keys and values.
    pub(super) bytes: u64,
    /// The first segment of the log that may hold later commits.
    pub(super) first_segment: u64,
}

/// The blocks of a checkpoint may be compressed with LZ4.
const FLAG_LZ4: u32 = 1;

impl CheckpointHeader {
    pub(super) fn encode(&self) -> [u8; CHECKPOINT_HEADER_BYTES] {
        let mut out = Fields::new();
        out.put(&CHECKPOINT_MAGIC);
        out.put(&VERSION.to_le_bytes());
        out.put(&FLAG_LZ4.to_le_bytes());
        out.put(&self.id.0);
        out.put(&self.commit.0.to_le_bytes());
        out.put(&self.entries.to_le_bytes());
        out.put(&self.bytes.to_le_bytes());
        out.put(&self.first_segment.to_le_bytes());
        out.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let (_, mut rest) = open_header::<CHECKPOINT_HEADER_BYTES>(bytes, CHECKPOINT_MAGIC, FLAG_LZ4)?;
        Ok(Self {
            id: StoreId(take(&mut rest)?),
            commit: CommitNumber(take_number(&mut rest)?),
            entries: take_u64(&mut rest)?,
            bytes: take_u64(&mut rest)?,
            first_segment: take_number(&mut rest)?,
        })
    }

    /// Where the checksums of the checkpoint's blocks start from.
    pub(super) fn salt(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.id.0), &self.commit.0.to_le_bytes())
    }
}

/// Begins a block of a checkpoint. The last block holds nothing, so that a checkpoint that was cut off shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    /// Bytes that follow the header.
    pub(super) stored_bytes: usize,
    checksum: u32,
    raw_bytes: usize,
    pub(super) entries: u32,
    is_compressed: bool,
    /// The block's place, from 0.
    pub(super) number: u32,
}

impl BlockHeader {
    /// Reads a header of the checkpoint with `salt`.
    pub(super) fn decode(bytes: &[u8; BLOCK_HEADER_BYTES], salt: u32) -> Result<Self, Refused> {
        let mut rest = &bytes[..];
        let (stored_bytes, checksum) = (take_u32(&mut rest)? as usize, take_u32(&mut rest)?);
        let (raw_bytes, entries) = (take_u32(&mut rest)? as usize, take_u32(&mut rest)?);
        let [codec, ..] = take::<4>(&mut rest)?;
        let (number, own) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
        if codec > 1 || raw_bytes > BLOCK_BYTES_MAX || header_checksum(salt, bytes, BLOCK_HEADER_CHECKSUM_AT) != own {
            return Err(Refused::damaged("the checksum of a block's header does not fit it"));
        }
        let is_compressed = match codec {
            0 => false,
            1 => true,
            other => return Err(Refused::damaged(format!("a block has the unknown codec {other}"))),
        };
        // What is made room for is in proportion to what the file holds.
        let gain_max = if is_compressed { LZ4_RATIO_MAX } else { 1 };
        let can_be = (stored_bytes..=stored_bytes.saturating_mul(gain_max)).contains(&raw_bytes);
        let raw_bytes_max = if is_compressed { COMPRESSED_BLOCK_BYTES_MAX } else { BLOCK_BYTES_MAX };
        if raw_bytes > raw_bytes_max || !can_be {
            return Err(Refused::damaged(format!("a block cannot have {stored_bytes} bytes for {raw_bytes}")));
        }
        Ok(Self { stored_bytes, checksum, raw_bytes, entries, is_compressed, number })
    }

    /// Whether it says that no block comes after it.
    pub(super) fn is_last(&self) -> bool {
        self.entries == 0
    }
}

/// Entries on their way to a checkpoint.
#[derive(Debug)]
pub(super) struct BlockWriter {
    salt: u32,
    number: u32,
    entries: u32,
    raw: Vec<u8>,
    last_key: Vec<u8>,
    out: Vec<u8>,
}

impl BlockWriter {
    /// Nothing yet, for the checkpoint with `salt`.
    pub(super) fn new(salt: u32) -> Self {
        Self { salt, number: 0, entries: 0, raw: Vec::new(), last_key: Vec::new(), out: Vec::new() }
    }

    /// Adds an entry after all before it. Returns a block when one is full.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Option<&[u8]> {
        let shared = self.last_key.iter().zip(key).take_while(|(a, b)| a == b).count();
        let rest = key.get(shared..).unwrap_or_default();
        put_entry_key(&mut self.raw, shared, rest, value);
        self.raw.extend_from_slice(value);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.entries += 1;
        (self.raw.len() >= BLOCK_BYTES).then(|| self.finish_block())
    }

    /// Adds an entry with a large value, after all before it, whose blocks are finished. Returns its block up to the value, which is
    /// to follow as it is.
    pub(super) fn begin_large_block(&mut self, key: &[u8], value: &[u8]) -> &[u8] {
        self.out.clear();
        self.out.resize(BLOCK_HEADER_BYTES, 0);
        put_entry_key(&mut self.out, 0, key, value);
        let bytes = self.out.len() - BLOCK_HEADER_BYTES + value.len();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        put_at(&mut self.out, 0, &bytes);
        put_at(&mut self.out, 8, &bytes);
        put_at(&mut self.out, 12, &1u32.to_le_bytes());
        put_at(&mut self.out, 20, &self.number.to_le_bytes());
        let checksum = append_checksum(piece_checksum(self.salt, &self.out, BLOCK_HEADER_CHECKSUM_AT), value);
        put_checksums(self.salt, &mut self.out, BLOCK_HEADER_CHECKSUM_AT, checksum);
        self.number += 1;
        &self.out
    }

    /// Whether entries wait for their block to be finished.
    pub(super) fn has_entries(&self) -> bool {
        self.entries > 0
    }

    /// The block of the entries since the last one; without such, the last block of all.
    pub(super) fn finish_block(&mut self) -> &[u8] {
        let bound = lz4_flex::block::get_maximum_output_size(self.raw.len());
        self.out.resize(BLOCK_HEADER_BYTES + bound, 0);
        let (header, body) = self.out.split_at_mut(BLOCK_HEADER_BYTES);
        // Where it gains nothing, reading it back is faster without.
        let compressed = lz4_flex::block::compress_into(&self.raw, body).ok();
        let compressed = compressed.filter(|bytes| *bytes < self.raw.len() - self.raw.len() / 16);
        if compressed.is_none() {
            put_at(body, 0, &self.raw);
        }
        let stored_bytes = compressed.unwrap_or(self.raw.len());
        put_at(header, 0, &u32::try_from(stored_bytes).unwrap_or(u32::MAX).to_le_bytes());
        put_at(header, 8, &length_u32(&self.raw).to_le_bytes());
        put_at(header, 12, &self.entries.to_le_bytes());
        put_at(header, 16, &[u8::from(compressed.is_some()), 0, 0, 0]);
        put_at(header, 20, &self.number.to_le_bytes());
        self.out.truncate(BLOCK_HEADER_BYTES + stored_bytes);
        seal(self.salt, &mut self.out, BLOCK_HEADER_CHECKSUM_AT);
        self.number += 1;
        self.entries = 0;
        self.raw.clear();
        self.raw.shrink_to(2 * BLOCK_BYTES);
        self.last_key.clear();
        &self.out
    }
}

/// Reads the blocks of a checkpoint, in order.
#[derive(Debug)]
pub(super) struct BlockReader {
    salt: u32,
    /// The place of the next block.
    number: u32,
    raw: Vec<u8>,
    key: Vec<u8>,
}

impl BlockReader {
    /// Expects the first block of the checkpoint with `salt`.
    pub(super) fn new(salt: u32) -> Self {
        Self { salt, number: 0, raw: Vec::new(), key: Vec::new() }
    }

    /// The place of the next block.
    pub(super) fn place(&self) -> u32 {
        self.number
    }

    /// Expects the block at `place` next: those before it are lost.
    pub(super) fn go_on_at(&mut self, place: u32) {
        self.number = place;
    }

    /// Checks and takes in `block`, header included. Its entries are then read with [`BlockReader::each`].
    ///
    /// Whatever comes of it, the next block is the one after it.
    pub(super) fn open(&mut self, header: &BlockHeader, block: &[u8]) -> Result<(), Refused> {
        let place = std::mem::replace(&mut self.number, header.number.saturating_add(1));
        if header.number != place {
            return Err(Refused::Damaged(format!("block {} is in the place of block {place}", header.number)));
        }
        if piece_checksum(self.salt, block, BLOCK_HEADER_CHECKSUM_AT) != header.checksum {
            return Err(Refused::damaged("the checksum of a block does not fit it"));
        }
        self.raw.clear();
        self.raw.shrink_to(2 * BLOCK_BYTES);
        if header.is_compressed {
            self.raw.resize(header.raw_bytes, 0);
            let length = lz4_flex::block::decompress_into(stored(block), &mut self.raw);
            if length.ok() != Some(header.raw_bytes) {
                return Err(Refused::damaged("a block does not decompress to its length"));
            }
        }
        Ok(())
    }

    /// Calls `take` with every entry of `block`, the one that was opened last.
    pub(super) fn each(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut rest = if header.is_compressed { &*self.raw } else { stored(block) };
        self.key.clear();
        for _ in 0..header.entries {
            let shared: usize = u16::from_le_bytes(self::take(&mut rest)?).into();
            let key_bytes = u16::from_le_bytes(self::take(&mut rest)?).into();
            let value_bytes = take_u32(&mut rest)? as usize;
            if shared > self.key.len() || value_bytes > limits::ENGINE_VALUE_BYTES_MAX {
                return Err(Refused::damaged("an entry's lengths cannot be"));
            }
            self.key.truncate(shared);
            self.key.extend_from_slice(take_slice(&mut rest, key_bytes)?);
            if self.key.is_empty() || self.key.len() > limits::ENGINE_KEY_BYTES_MAX {
                return Err(Refused::damaged("an entry's key has a length that none can have"));
            }
            take(&self.key, take_slice(&mut rest, value_bytes)?)?;
        }
        if rest.is_empty() { Ok(()) } else { Err(Refused::damaged("a block has more in it than its entries")) }
    }
}

/// What follows the header of a block.
fn stored(block: &[u8]) -> &[u8] {
    block.get(BLOCK_HEADER_BYTES..).unwrap_or_default()
}

/// Puts an entry of a block up to its value: `key` goes on after `shared` bytes of the key before it.
fn put_entry_key(out: &mut Vec<u8>, shared: usize, key: &[u8], value: &[u8]) {
    out.extend_from_slice(&u16::try_from(shared).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(&length_u16(key).to_le_bytes());
    out.extend_from_slice(&length_u32(value).to_le_bytes());
    out.extend_from_slice(key);
}

/// Puts its checksums into a record or block, whose header has its own at `header_at`.
fn seal(salt: u32, piece: &mut [u8], header_at: usize) {
    put_checksums(salt, piece, header_at, piece_checksum(salt, piece, header_at));
}

/// As [`seal`], of a piece with this checksum, which need not be there whole.
fn put_checksums(salt: u32, piece: &mut [u8], header_at: usize, checksum: u32) {
    put_at(piece, 4, &checksum.to_le_bytes());
    let checksum = header_checksum(salt, piece, header_at);
    put_at(piece, header_at, &checksum.to_le_bytes());
}

/// The checksum of a record or block, of everything but the two checksums.
///
/// That of the header is left out because a CRC that goes over some bytes and then over their CRC forgets them: it
/// would not distinguish the header of one record before the operations of another.
fn piece_checksum(salt: u32, piece: &[u8], header_at: usize) -> u32 {
    let part = |from: usize, to: usize| piece.get(from..to).unwrap_or_default();
    [part(0, 4), part(8, header_at), part(header_at + 4, piece.len())].into_iter().fold(salt, append_checksum)
}

/// The checksum of the header of a record or block, of everything before it, which has the checksum of the whole.
fn header_checksum(salt: u32, piece: &[u8], header_at: usize) -> u32 {
    append_checksum(salt, piece.get(..header_at).unwrap_or_default())
}

fn append_checksum(checksum: u32, bytes: &[u8]) -> u32 {
    #[cfg(test)]
    tests::HASHED.with(|hashed| hashed.set(hashed.get() + bytes.len() as u64));
    crc32c::crc32c_append(checksum, bytes)
}

/// A header of `N` bytes, the last four of which are the checksum of the others.
struct Fields<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Fields<N> {
    fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    fn put(&mut self, field: &[u8]) {
        put_at(&mut self.bytes, self.at, field);
        self.at += field.len();
    }

    fn finish(mut self) -> [u8; N] {
        let checksum = crc32c::crc32c(self.bytes.get(..N - 4).unwrap_or_default());
        put_at(&mut self.bytes, N - 4, &checksum.to_le_bytes());
        self.bytes
    }
}

/// Checks a header of `N` bytes and returns its flags and the fields after them.
fn open_header<const N: usize>(bytes: &[u8], magic: [u8; 8], known_flags: u32) -> Result<(u32, &[u8]), Refused> {
    let header = bytes.get(..N).ok_or_else(|| Refused::damaged("a header is cut off"))?;
    let mut rest = header;
    if take::<8>(&mut rest)? != magic {
        return Err(Refused::damaged("it does not begin as such a file does"));
    }
    // A newer version may have another header; its first fields stay where they are.
    let version = take_u32(&mut rest)?;
    let (fields, checksum) = header.split_last_chunk().ok_or_else(|| Refused::damaged("a header is cut off"))?;
    let is_whole = crc32c::crc32c(fields) == u32::from_le_bytes(*checksum);
    match version {
        VERSION if is_whole => {}
        version if version > VERSION && version < VERSION + 1_000 => {
            return Err(Refused::Newer(format!("format {version} is newer than {VERSION}")));
        }
        version if (1..VERSION).contains(&version) && is_whole => {
            return Err(Refused::Older(format!("format {version} is older than {VERSION}, and is not read any more")));
        }
        _ => return Err(Refused::damaged("the checksum of a header does not fit it")),
    }
    let flags = take_u32(&mut rest)?;
    if flags & !known_flags != 0 {
        return Err(Refused::Newer(format!("the flags {flags:#x} are not all known")));
    }
    Ok((flags, rest))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Refused> {
    let (field, after) = rest.split_first_chunk().ok_or_else(|| Refused::damaged("it ends too early"))?;
    *rest = after;
    Ok(*field)
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, Refused> {
    take(rest).map(u32::from_le_bytes)
}

fn take_u64(rest: &mut &[u8]) -> Result<u64, Refused> {
    take(rest).map(u64::from_le_bytes)
}

/// The number of a commit or segment that others are counted from.
fn take_number(rest: &mut &[u8]) -> Result<u64, Refused> {
    let number = take_u64(rest)?;
    if number > NUMBER_MAX {
        return Err(Refused::damaged(format!("no store counts to {number}")));
    }
    Ok(number)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Refused> {
    let (slice, after) = rest.split_at_checked(length).ok_or_else(|| Refused::damaged("it ends too early"))?;
    *rest = after;
    Ok(slice)
}

/// Puts `field` at `at` of `piece`, which has the room.
fn put_at(piece: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = piece.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}

/// The length of a key, which `check_sizes` has bounded.
fn length_u16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

/// The length of a value, record or block, all of which are bounded.
fn length_u32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(super) mod tests;
