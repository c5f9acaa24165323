use super::*;
use proptest::prelude::*;

thread_local! {
    /// Bytes of which this thread has made checksums.
    pub(in crate::engine::durable) static HASHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

const ID: StoreId = StoreId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

/// The example `name` of `docs/format.md`: the bytes before each line's comment.
fn example(name: &str) -> Vec<u8> {
    let page = include_str!("../../../../docs/format.md");
    let block = page.split(&format!("```text {name}\n")).nth(1).unwrap_or_else(|| panic!("no example {name}"));
    let lines = block.split("```").next().unwrap().lines();
    let bytes = lines.flat_map(|line| line.split("  ").next().unwrap().split(' '));
    bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// `bytes` as the page shows them, to copy from a failure.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn assert_example(name: &str, bytes: &[u8]) {
    assert!(example(name) == bytes, "{name} is\n{}", hex(bytes));
}

fn segment() -> SegmentHeader {
    SegmentHeader { id: ID, sequence: 1, size: 4 << 20 }
}

fn checkpoint() -> CheckpointHeader {
    let commit = CommitNumber(2);
    CheckpointHeader { id: ID, commit, entries: 2, bytes: 18, first_segment: 2 }
}

fn record(kind: RecordKind, number: u64, synced: u64, changes: &Changes) -> Vec<u8> {
    let mut records = Records::default();
    match kind {
        RecordKind::Commit => assert!(records.push_commit(CommitNumber(number), changes)),
        RecordKind::End | RecordKind::Mark => records.push_sign(kind, CommitNumber(number)),
    }
    records.seal(0, usize::MAX, segment().salt(), CommitNumber(synced)).0.to_vec()
}

fn operations(record: &Record<'_>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let operations = record.operations().map(Result::unwrap);
    operations.map(|(key, change)| (key.to_vec(), change.value().map(<[u8]>::to_vec))).collect()
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn read_block(header: &BlockHeader, block: &[u8], reader: &mut BlockReader) -> Result<Entries, Refused> {
    let mut entries = Vec::new();
    reader.open(header, block)?;
    reader.each(header, block, |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        Ok(())
    })?;
    Ok(entries)
}

#[test]
fn the_page_shows_the_bytes_that_are_written() {
    assert_example("identity", &encode_identity(ID));
    assert_example("close", &encode_close(ID, CommitNumber(7)));
    assert_example("segment", &segment().encode());
    let changes = Changes::from_iter([("user:1", Some("ann")), ("user:2", None)]);
    assert_example("commit", &record(RecordKind::Commit, 7, 6, &changes));
    assert_example("end", &record(RecordKind::End, 7, 6, &changes));
    assert_example("mark", &record(RecordKind::Mark, 7, 7, &changes));
    assert_example("checkpoint", &checkpoint().encode());
    let mut blocks = BlockWriter::new(checkpoint().salt());
    assert!(blocks.push(b"user:1", b"ann").is_none());
    assert!(blocks.push(b"user:3", b"bob").is_none());
    assert_example("block", blocks.finish_block());
    assert_example("last block", blocks.finish_block());
}

#[test]
fn the_page_shows_bytes_that_are_read() {
    assert_eq!(decode_identity(&example("identity")), Ok(ID));
    assert_eq!(decode_close(&example("close")), Ok((ID, CommitNumber(7))));
    assert_eq!(SegmentHeader::decode(&example("segment")), Ok(segment()));
    let bytes = example("commit");
    let read = Record::decode(&bytes, segment().salt()).unwrap();
    assert_eq!((read.kind, read.number.0, read.synced.0, read.length), (RecordKind::Commit, 7, 6, bytes.len()));
    assert_eq!(operations(&read), [(b"user:1".to_vec(), Some(b"ann".to_vec())), (b"user:2".to_vec(), None)]);
    assert_eq!(CheckpointHeader::decode(&example("checkpoint")), Ok(checkpoint()));
    let (block, mut reader) = (example("block"), BlockReader::new(checkpoint().salt()));
    let header = BlockHeader::decode(block.first_chunk().unwrap(), checkpoint().salt()).unwrap();
    let read = read_block(&header, &block, &mut reader).unwrap();
    assert_eq!(read, [(b"user:1".to_vec(), b"ann".to_vec()), (b"user:3".to_vec(), b"bob".to_vec())]);
    assert!(BlockHeader::decode(example("last block").first_chunk().unwrap(), checkpoint().salt()).unwrap().is_last());
}

#[test]
fn a_newer_version_and_unknown_flags_are_told_from_damage() {
    type Refusal = fn(&[u8]) -> Option<Refused>;
    let headers: [(Vec<u8>, Refusal); 4] = [
        (encode_identity(ID).to_vec(), |bytes| decode_identity(bytes).err()),
        (encode_close(ID, CommitNumber(7)).to_vec(), |bytes| decode_close(bytes).err()),
        (segment().encode().to_vec(), |bytes| SegmentHeader::decode(bytes).err()),
        (checkpoint().encode().to_vec(), |bytes| CheckpointHeader::decode(bytes).err()),
    ];
    for (header, refusal) in headers {
        let changed = |at: usize, byte: u8, seal: bool| {
            let mut bytes = header.clone();
            bytes[at] = byte;
            if seal {
                let end = bytes.len() - 4;
                let checksum = crc32c::crc32c(&bytes[..end]);
                bytes[end..].copy_from_slice(&checksum.to_le_bytes());
            }
            refusal(&bytes)
        };
        assert_eq!(refusal(&header), None);
        assert!(matches!(changed(8, 3, true), Some(Refused::Newer(_))));
        assert!(matches!(changed(8, 3, false), Some(Refused::Newer(_))), "its checksum may be elsewhere");
        assert!(matches!(changed(8, 1, true), Some(Refused::Older(_))));
        assert!(matches!(changed(8, 1, false), Some(Refused::Damaged(_))), "one bit of this version's is another's");
        assert!(matches!(changed(8, 0, true), Some(Refused::Damaged(_))));
        assert!(matches!(changed(15, 0x80, true), Some(Refused::Newer(_))));
        assert!(matches!(changed(12, 0x40, false), Some(Refused::Damaged(_))));
        assert!(matches!(changed(0, b'l', true), Some(Refused::Damaged(_))));
        for length in 0..header.len() {
            assert!(matches!(refusal(&header[..length]), Some(Refused::Damaged(_))));
        }
    }
}

#[test]
fn a_record_of_another_segment_or_store_is_no_record() {
    let bytes = record(RecordKind::Commit, 1, 0, &Changes::putting("a", "1"));
    let other_segment = SegmentHeader { sequence: 2, ..segment() };
    let other_store = SegmentHeader { id: StoreId([9; 16]), ..segment() };
    assert!(Record::decode(&bytes, segment().salt()).is_ok());
    assert!(Record::decode(&bytes, other_segment.salt()).is_err());
    assert!(Record::decode(&bytes, other_store.salt()).is_err());
}

#[test]
fn a_header_before_the_operations_of_another_record_is_no_record() {
    let mut bytes = record(RecordKind::Commit, 1, 0, &Changes::putting("a", "1"));
    let other = record(RecordKind::Commit, 2, 0, &Changes::putting("b", "1"));
    bytes[RECORD_HEADER_BYTES..].copy_from_slice(&other[RECORD_HEADER_BYTES..]);
    assert!(Record::decode(&bytes, segment().salt()).is_err());
    // Also with the checksum that goes with those: it is that of the other's header as well.
    bytes[4..8].copy_from_slice(&other[4..8]);
    let checksum = header_checksum(segment().salt(), &bytes, RECORD_HEADER_CHECKSUM_AT);
    put_at(&mut bytes, RECORD_HEADER_CHECKSUM_AT, &checksum.to_le_bytes());
    assert!(Record::decode(&bytes, segment().salt()).is_err());
}

#[test]
fn a_block_in_the_place_of_another_is_refused() {
    let mut blocks = BlockWriter::new(1);
    blocks.push(b"a", b"1");
    let _first = blocks.finish_block().to_vec();
    blocks.push(b"b", b"2");
    let second = blocks.finish_block().to_vec();
    let header = BlockHeader::decode(second.first_chunk().unwrap(), 1).unwrap();
    let outcome = read_block(&header, &second, &mut BlockReader::new(1));
    assert_eq!(outcome, Err(Refused::Damaged("block 1 is in the place of block 0".to_owned())));
}

#[test]
fn a_number_that_cannot_be_counted_on_from_is_refused() {
    let damaged = |number| Refused::Damaged(format!("no store counts to {number}"));
    for number in [NUMBER_MAX, NUMBER_MAX + 1, u64::MAX] {
        let expected = if number > NUMBER_MAX { Some(damaged(number)) } else { None };
        let header = SegmentHeader { sequence: number, ..segment() };
        assert_eq!(SegmentHeader::decode(&header.encode()).err(), expected);
        let header = CheckpointHeader { commit: CommitNumber(number), ..checkpoint() };
        assert_eq!(CheckpointHeader::decode(&header.encode()).err(), expected);
        let header = CheckpointHeader { first_segment: number, ..checkpoint() };
        assert_eq!(CheckpointHeader::decode(&header.encode()).err(), expected);
    }
}

#[test]
fn a_segment_has_room_for_its_end_at_least() {
    let least = (SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) as u64;
    assert!(SegmentHeader::decode(&SegmentHeader { size: least, ..segment() }.encode()).is_ok());
    assert!(SegmentHeader::decode(&SegmentHeader { size: least - 1, ..segment() }.encode()).is_err());
}

#[test]
fn a_block_asks_for_no_more_memory_than_its_bytes_can_fill() {
    let header = |stored: u32, raw: u32, codec: u8| {
        let mut bytes = [0; BLOCK_HEADER_BYTES];
        put_at(&mut bytes, 0, &stored.to_le_bytes());
        put_at(&mut bytes, 8, &raw.to_le_bytes());
        put_at(&mut bytes, 16, &[codec]);
        let checksum = header_checksum(1, &bytes, BLOCK_HEADER_CHECKSUM_AT);
        put_at(&mut bytes, BLOCK_HEADER_CHECKSUM_AT, &checksum.to_le_bytes());
        BlockHeader::decode(&bytes, 1).is_ok()
    };
    assert!(header(100, 100, 0) && !header(100, 101, 0) && !header(100, 99, 0));
    let most = u32::try_from(COMPRESSED_BLOCK_BYTES_MAX).unwrap();
    assert!(header(most / 200, most, 1) && !header(most / 200, most + 1, 1) && header(most + 1, most + 1, 0));
    assert!(header(100, 25_500, 1) && !header(100, 25_501, 1) && !header(0, 1, 1));
    // What compresses best comes back.
    let mut blocks = BlockWriter::new(1);
    let block = blocks.push(b"a", &vec![0; 1 << 20]).unwrap().to_vec();
    let header = BlockHeader::decode(block.first_chunk().unwrap(), 1).unwrap();
    assert_eq!(read_block(&header, &block, &mut BlockReader::new(1)).unwrap().len(), 1);
}

#[test]
fn a_large_value_is_alone_in_its_block_as_it_is() {
    let mut blocks = BlockWriter::new(1);
    let small = {
        blocks.push(b"a1", b"small");
        blocks.finish_block().to_vec()
    };
    let value: Vec<u8> = (0..=255).cycle().take(LARGE_VALUE_BYTES + 1).collect();
    let block = [blocks.begin_large_block(b"a2", &value), &value].concat();
    blocks.push(b"a3", b"small");
    let mut reader = BlockReader::new(1);
    let mut read = Vec::new();
    for block in [&small, &block, &blocks.finish_block().to_vec()] {
        let header = BlockHeader::decode(block.first_chunk().unwrap(), 1).unwrap();
        assert_eq!(header.stored_bytes + BLOCK_HEADER_BYTES, block.len());
        read.extend(read_block(&header, block, &mut reader).unwrap());
    }
    assert!(read.iter().map(|(key, _)| &key[..]).eq([b"a1", b"a2", b"a3"]) && read[1].1 == value);
    let header = BlockHeader::decode(block.first_chunk().unwrap(), 1).unwrap();
    for at in [4, BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + 9, block.len() - 1] {
        let mut changed = block.clone();
        changed[at] ^= 1;
        let header = BlockHeader::decode(changed.first_chunk().unwrap(), 1).unwrap_or(header);
        let mut reader = BlockReader::new(1);
        reader.go_on_at(1);
        assert!(at == 4 || read_block(&header, &changed, &mut reader).is_err(), "byte {at}");
    }
}

#[test]
fn what_gains_nothing_by_it_is_not_compressed() {
    let mut blocks = BlockWriter::new(1);
    blocks.push(b"a", &[7; 4_000]);
    assert!(blocks.finish_block().len() < 100);
    // A permutation of the bytes repeats nothing.
    let permutation: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(167)).collect();
    blocks.push(b"a", &permutation);
    assert_eq!(blocks.finish_block().len(), BLOCK_HEADER_BYTES + ENTRY_HEADER_BYTES + 1 + 256);
}

fn changes() -> impl Strategy<Value = Changes> {
    let bytes = |length| prop::collection::vec(any::<u8>(), length);
    let change = (bytes(1..40), prop::option::of(bytes(0..300)));
    prop::collection::vec(change, 0..12).prop_map(|changes| changes.into_iter().collect())
}

#[test]
fn the_removal_of_what_cannot_be_stored_is_not_recorded() {
    let mut changes = Changes::removing("");
    changes.remove(vec![7; limits::ENGINE_KEY_BYTES_MAX + 1]);
    changes.remove("a");
    let bytes = record(RecordKind::Commit, 1, 0, &changes);
    assert_eq!(operations(&Record::decode(&bytes, segment().salt()).unwrap()), [(b"a".to_vec(), None)]);
}

#[test]
fn looking_for_a_header_costs_the_same_whatever_the_bytes_say() {
    // A value that is full of what may be headers of records as long as the rest of it.
    let mut value = Vec::new();
    for at in 0..1_000u32 {
        let mut header = [0; RECORD_HEADER_BYTES];
        put_at(&mut header, 0, &(40_000 - 40 * at).to_le_bytes());
        put_at(&mut header, 8, &(1u64 << 40).to_le_bytes());
        put_at(&mut header, 16, &(1u64 << 40).to_le_bytes());
        put_at(&mut header, 24, &[1]);
        value.extend_from_slice(&header);
    }
    HASHED.set(0);
    for at in (0..value.len()).step_by(RECORD_ALIGNMENT) {
        assert!(RecordHeader::decode(&value[at..], 7).is_err());
    }
    assert!(HASHED.get() <= 4 * value.len() as u64, "{} of {}", HASHED.get(), value.len());
}

proptest! {
    #[test]
    fn records_come_back_as_they_went(batches in prop::collection::vec(changes(), 1..5), synced in 0..9u64) {
        let mut records = Records::default();
        for (number, changes) in (1..).zip(&batches) {
            let before = records.len();
            prop_assert!(records.push_commit(CommitNumber(number), changes));
            prop_assert!(records.len() - before <= record_bytes(changes), "the limit is checked against what it takes");
        }
        let (mut bytes, last) = records.seal(0, usize::MAX, 5, CommitNumber(synced));
        prop_assert_eq!(last.0, batches.len() as u64);
        for (number, changes) in (1..).zip(&batches) {
            let record = Record::decode(bytes, 5).unwrap();
            prop_assert_eq!((record.number, record.synced), (CommitNumber(number), CommitNumber(synced)));
            let expected: Vec<_> = changes.iter().map(|(key, change)| (key.to_vec(), change.value().map(<[u8]>::to_vec))).collect();
            prop_assert_eq!(operations(&record), expected);
            bytes = &bytes[record.length..];
        }
        prop_assert!(bytes.is_empty());
    }

    #[test]
    fn only_whole_records_go_into_the_room_there_is(batches in prop::collection::vec(changes(), 1..6), room in 0..2_000usize) {
        let mut records = Records::default();
        for (number, changes) in (1..).zip(&batches) {
            prop_assert!(records.push_commit(CommitNumber(number), changes));
        }
        let mut from = 0;
        while from < records.len() {
            let next = records.length_at(from);
            let sealed = records.seal(from, room.max(next), 1, CommitNumber(0)).0.len();
            prop_assert!(sealed >= next && sealed <= room.max(next));
            from += sealed;
        }
        prop_assert_eq!(from, records.len());
    }

    #[test]
    fn blocks_come_back_as_they_went(
        entries in prop::collection::btree_map(prop::collection::vec(any::<u8>(), 1..30), prop::collection::vec(0..3u8, 0..9_000), 0..60),
    ) {
        let mut blocks = BlockWriter::new(3);
        let mut out = Vec::new();
        for (key, value) in &entries {
            out.extend(blocks.push(key, value).map(<[u8]>::to_vec));
        }
        if blocks.has_entries() {
            out.push(blocks.finish_block().to_vec());
        }
        let (mut reader, mut read) = (BlockReader::new(3), Vec::new());
        for block in &out {
            let header = BlockHeader::decode(block.first_chunk().unwrap(), 3).unwrap();
            prop_assert_eq!(header.stored_bytes + BLOCK_HEADER_BYTES, block.len());
            read.extend(read_block(&header, block, &mut reader).unwrap());
        }
        prop_assert!(read.into_iter().eq(entries));
    }

    #[test]
    fn a_changed_record_is_no_record(changes in changes(), at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let mut bytes = record(RecordKind::Commit, 3, 2, &changes);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(matches!(Record::decode(&bytes, segment().salt()), Err(Refused::Damaged(_))));
    }

    #[test]
    fn nothing_that_is_read_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), salt: u32, seal: bool) {
        let mut bytes = bytes;
        if seal && bytes.len() >= RECORD_HEADER_BYTES {
            // Past the checksum, so that what is behind it is reached.
            let length = bytes.len() / RECORD_ALIGNMENT * RECORD_ALIGNMENT;
            bytes.truncate(length);
            put_at(&mut bytes, 0, &length_u32(&vec![0; length]).to_le_bytes());
            super::seal(salt, &mut bytes, RECORD_HEADER_CHECKSUM_AT);
        }
        let _ = decode_identity(&bytes);
        let _ = decode_close(&bytes);
        let _ = SegmentHeader::decode(&bytes);
        let _ = CheckpointHeader::decode(&bytes);
        if let Ok(record) = Record::decode(&bytes, salt) {
            record.operations().for_each(drop);
        }
        if let Some(header) = bytes.first_chunk().and_then(|header| BlockHeader::decode(header, salt).ok()) {
            let _ = read_block(&header, &bytes, &mut BlockReader::new(salt));
        }
    }
}
