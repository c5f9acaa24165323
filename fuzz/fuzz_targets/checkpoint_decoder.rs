//! A checkpoint that opens holds what its blocks say, and the store goes on from there; one as it should be opens.
//!
//! The input is a checkpoint with deviations, under checksums that are right but where one is not meant to be. With
//! `-malloc_limit_mb=32` a length that is declared and not there is found by the memory it takes.

#![no_main]

use arbitrary::Arbitrary;
use larder_fuzz::{BLOCK_SEAL_AT, FORMAT, ID, Map, disk, header, open, path, salt, seal, segment};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    commit: u64,
    blocks: Vec<Block>,
    deviation: Option<Whole>,
    has_segment: bool,
}

#[derive(Arbitrary, Debug)]
enum Whole {
    Entries(u64),
    Bytes(u64),
    FirstSegment(u64),
    Id(u8),
    Format(u32),
    Flags(u32),
    Checksum(u32),
    Name(u64),
    /// The first byte of each key is what the input says, so that they need not be in order.
    Unordered,
    /// The last block is not there.
    NoLast,
    CutAt(u16),
    After(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Block {
    content: Content,
    is_compressed: bool,
    deviation: Option<Deviation>,
}

#[derive(Arbitrary, Debug)]
enum Content {
    Entries(Vec<Entry>),
    /// What entries should be.
    Raw(Vec<u8>, u32),
    /// What compressed entries should be.
    Stored(Vec<u8>, u32, u32),
}

#[derive(Arbitrary, Debug)]
struct Entry {
    key: Vec<u8>,
    /// Bytes that could be shared with the key before and are not.
    unshared: u8,
    value: (u8, u16),
}

#[derive(Arbitrary, Debug)]
enum Deviation {
    StoredBytes(u32),
    RawBytes(u32),
    RawBytesBy(i8),
    Count(u32),
    CountBy(i8),
    Codec(u8),
    Reserved(u8),
    Place(u32),
    Checksum(u32),
    Salt(u64),
}

/// Entries as bytes, and how many they are.
#[derive(Default)]
struct Entries {
    raw: Vec<u8>,
    count: u32,
    last_key: Vec<u8>,
}

impl Entries {
    fn put(&mut self, key: &[u8], unshared: u8, (byte, length): (u8, u16)) {
        let shared = self.last_key.iter().zip(key).take_while(|(a, b)| a == b).count();
        let shared = shared.saturating_sub(unshared.into());
        self.raw.extend(u16::try_from(shared).unwrap().to_le_bytes());
        self.raw.extend(u16::try_from(key.len() - shared).unwrap().to_le_bytes());
        self.raw.extend(u32::from(length).to_le_bytes());
        self.raw.extend(&key[shared..]);
        self.raw.resize(self.raw.len() + usize::from(length), byte);
        self.count += 1;
        self.last_key = key.to_vec();
    }
}

/// Adds the entries of a block to `map`, or answers `None` when that is not what it holds.
fn read(mut rest: &[u8], count: u32, map: &mut Map) -> Option<()> {
    let mut key = Vec::new();
    for _ in 0..count {
        let (lengths, after) = rest.split_at_checked(8)?;
        let shared = u16::from_le_bytes(lengths[..2].try_into().ok()?);
        let rest_bytes = u16::from_le_bytes(lengths[2..4].try_into().ok()?);
        let value_bytes = u32::from_le_bytes(lengths[4..].try_into().ok()?);
        let (key_rest, after) = after.split_at_checked(rest_bytes.into())?;
        let (value, after) = after.split_at_checked(value_bytes as usize)?;
        key = [key.get(..usize::from(shared))?, key_rest].concat();
        if key.is_empty() || map.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return None;
        }
        map.insert(key.clone(), value.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(())
}

/// A block; its header is `fields` and the checksum but where `deviation` says otherwise.
fn block(
    commit: u64,
    stored: &[u8],
    mut fields: [u32; 3],
    codec: u8,
    place: u32,
    deviation: Option<&Deviation>,
) -> Vec<u8> {
    let (mut codec, mut place, mut salted) = ([codec, 0, 0, 0], place, salt(commit));
    let mut stored_bytes = u32::try_from(stored.len()).unwrap();
    match deviation {
        Some(Deviation::StoredBytes(other)) => stored_bytes = *other,
        Some(Deviation::RawBytes(other)) => fields[1] = *other,
        Some(Deviation::RawBytesBy(by)) => fields[1] = fields[1].wrapping_add_signed((*by).into()),
        Some(Deviation::Count(other)) => fields[2] = *other,
        Some(Deviation::CountBy(by)) => fields[2] = fields[2].wrapping_add_signed((*by).into()),
        Some(Deviation::Codec(other)) => codec[0] = *other,
        Some(Deviation::Reserved(other)) => codec[1] = *other,
        Some(Deviation::Place(other)) => place = *other,
        Some(Deviation::Salt(other)) => salted = salt(*other),
        Some(Deviation::Checksum(_)) | None => {}
    }
    fields[0] = stored_bytes;
    let fields = [fields[0], 0, fields[1], fields[2], u32::from_le_bytes(codec), place, 0];
    let mut block = [&fields.map(u32::to_le_bytes).concat(), stored].concat();
    seal(salted, &mut block, BLOCK_SEAL_AT);
    if let Some(Deviation::Checksum(other)) = deviation {
        block[4..8].copy_from_slice(&other.to_le_bytes());
    }
    block
}

fuzz_target!(|input: Input| {
    let commit = input.commit.max(1);
    let is_ordered = !matches!(input.deviation, Some(Whole::Unordered));
    // Nobody counts so far.
    let mut has_deviation = input.deviation.is_some() || !input.has_segment || commit > 1 << 60;
    // What it holds, unless that is for the crate to tell.
    let mut expected = Some(Map::new());
    let (mut blocks, mut place, mut number) = (Vec::new(), 0, 0u16);
    let (mut entries, mut bytes) = (0u64, 0u64);
    for Block { content, is_compressed, deviation } in &input.blocks {
        let mut made = Entries::default();
        let compress = |raw: &[u8]| {
            if *is_compressed { (lz4_flex::block::compress(raw), 1) } else { (raw.to_vec(), 0) }
        };
        let (raw, count, (stored, codec)) = match content {
            Content::Entries(list) if list.is_empty() => continue,
            Content::Entries(list) => {
                for Entry { key, unshared, value } in list {
                    number += 1;
                    let place = if is_ordered { &number.to_be_bytes()[..] } else { &[] };
                    made.put(&[place, key].concat(), *unshared, *value);
                }
                let stored = compress(&made.raw);
                (Some(made.raw), made.count, stored)
            }
            Content::Raw(raw, count) => (Some(raw.clone()), *count, compress(raw)),
            Content::Stored(stored, _, count) => (None, *count, (stored.clone(), 1)),
        };
        let raw_bytes = match content {
            Content::Stored(_, raw_bytes, _) => *raw_bytes,
            _ => u32::try_from(raw.as_ref().map_or(0, Vec::len)).unwrap(),
        };
        has_deviation |= deviation.is_some() || !matches!(content, Content::Entries(_));
        // What does not gain is not compressed.
        has_deviation |= stored.len() > raw_bytes as usize;
        // A deviation shows, or it is in bytes that say nothing.
        expected = expected.zip(raw).and_then(|(mut map, raw)| {
            let before = map.len();
            read(&raw, count, &mut map)?;
            entries += (map.len() - before) as u64;
            Some(map)
        });
        blocks.push(block(commit, &stored, [0, raw_bytes, count], codec, place, deviation.as_ref()));
        place += 1;
    }
    if let Some(map) = &expected {
        bytes = map.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
    }
    let (mut id, mut format, mut flags, mut first_segment) = (ID, FORMAT, 1, 1);
    match &input.deviation {
        Some(Whole::Entries(other)) => entries = *other,
        Some(Whole::Bytes(other)) => bytes = *other,
        Some(Whole::FirstSegment(other)) => first_segment = *other,
        Some(Whole::Id(other)) => id[0] = *other,
        Some(Whole::Format(other)) => format = *other,
        Some(Whole::Flags(other)) => flags = *other,
        Some(Whole::NoLast) => {}
        _ => {}
    }
    if !matches!(input.deviation, Some(Whole::NoLast)) {
        blocks.push(block(commit, &[], [0; 3], 0, place, None));
    }
    let numbers = [commit, entries, bytes, first_segment].map(u64::to_le_bytes).concat();
    let mut file = header(b"LARDERCP", format, flags, &[&id[..], &numbers, &[0; 4]].concat());
    if let Some(Whole::Checksum(other)) = input.deviation {
        file[68..72].copy_from_slice(&other.to_le_bytes());
    }
    file.extend(blocks.concat());
    match &input.deviation {
        Some(Whole::CutAt(length)) => file.truncate((*length).into()),
        Some(Whole::After(bytes)) => file.extend(bytes),
        _ => {}
    }
    let disk = disk();
    let name = if let Some(Whole::Name(other)) = input.deviation { other } else { commit };
    disk.write(&path(&format!("{name:016x}.checkpoint")), file);
    if input.has_segment {
        disk.write(&path(&format!("{first_segment:016x}.log")), segment(first_segment, &[], 4 << 10));
    }
    let found = open(&disk);
    assert!(found.is_some() || has_deviation, "a checkpoint as it should be opens");
    if let (Some(found), Some(expected)) = (found, expected) {
        assert_eq!(found, (commit, expected), "it holds what its blocks say");
    }
});
