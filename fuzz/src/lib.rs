//! The files of a store as `docs/format.md` gives them, made by code that shares nothing with the crate's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder::engine::durable::{self, DurableEngine, DurableOptions, Existence};
use larder::engine::{Changes, Direction, Durability, Engine, KeyRange, Snapshot};
use larder::vfs::sim::SimVfs;

/// The identity of every store here.
pub const ID: [u8; 16] = *b"a store's number";

pub const SEGMENT_HEADER_BYTES: usize = 64;
pub const RECORD_HEADER_BYTES: usize = 40;
pub const BLOCK_HEADER_BYTES: usize = 28;

/// Of the files' headers.
pub const FORMAT: u32 = 2;
/// Where the header of a record has its own checksum, and that of a block.
pub const RECORD_SEAL_AT: usize = 32;
pub const BLOCK_SEAL_AT: usize = 24;

/// The entries of a store.
pub type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The file `name` of the store.
pub fn path(name: &str) -> PathBuf {
    Path::new("/store").join(name)
}

/// A disk with nothing on it but what makes a directory a store.
pub fn disk() -> SimVfs {
    let disk = SimVfs::new(1);
    disk.write(&path("larder"), header(b"LARDERID", FORMAT, 0, &ID));
    disk
}

/// A header: what the file is, its format, flags and fields, and the checksum of them.
pub fn header(magic: &[u8; 8], format: u32, flags: u32, fields: &[u8]) -> Vec<u8> {
    let mut header = [magic, &format.to_le_bytes()[..], &flags.to_le_bytes(), fields].concat();
    header.extend(crc32c::crc32c(&header).to_le_bytes());
    header
}

/// Where the checksums begin of the segment with the sequence `number`, or of the checkpoint of that commit.
pub fn salt(number: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&ID), &number.to_le_bytes())
}

/// The checksum of a record or block, which covers all of it but bytes 4 to 8 and the checksum of its header at `seal_at`.
pub fn checksum(salt: u32, piece: &[u8], seal_at: usize) -> u32 {
    [&piece[..4], &piece[8..seal_at], &piece[seal_at + 4..]].into_iter().fold(salt, crc32c::crc32c_append)
}

/// Puts its checksums into a record or block.
pub fn seal(salt: u32, piece: &mut [u8], seal_at: usize) {
    let checksum = checksum(salt, piece, seal_at);
    piece[4..8].copy_from_slice(&checksum.to_le_bytes());
    let of_header = crc32c::crc32c_append(salt, &piece[..seal_at]);
    piece[seal_at..seal_at + 4].copy_from_slice(&of_header.to_le_bytes());
}

/// A segment of the log that takes `size` bytes, or as many as `records` need with an end record.
pub fn segment(sequence: u64, records: &[u8], size: usize) -> Vec<u8> {
    let size = size.max(SEGMENT_HEADER_BYTES + records.len() + RECORD_HEADER_BYTES);
    let fields = [&ID[..], &sequence.to_le_bytes(), &(size as u64).to_le_bytes(), &[0; 12]].concat();
    let mut segment = header(b"LARDERLG", FORMAT, 0, &fields);
    segment.extend(records);
    segment.resize(size, 0);
    segment
}

/// Everything that `snapshot` shows.
pub fn entries(snapshot: &dyn Snapshot) -> Map {
    let mut cursor = snapshot.range(&KeyRange::all(), Direction::Forward).unwrap();
    let mut entries = Map::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.insert(key.to_vec(), value.to_vec());
    }
    entries
}

/// Checks the store on `disk`, opens it, goes on with it and opens it again. Answers the last commit and the entries that
/// it had at first, or `None` when it was refused.
pub fn open(disk: &SimVfs) -> Option<(u64, Map)> {
    let options = DurableOptions::default()
        .vfs(Arc::new(disk.clone()))
        .existence(Existence::Required)
        .without_threads()
        .segment_bytes(4 << 10);
    let report = durable::check_with(&path(""), &options);
    let opened = DurableEngine::open_with(&path(""), &options);
    let is_sound = report.as_ref().is_ok_and(|report| report.damage.is_empty());
    assert_eq!(is_sound, opened.is_ok(), "a check finds what keeps a store from being opened: {report:?}, {opened:?}");
    let engine = opened.ok()?;
    let commit = engine.stats().unwrap().commit.0;
    assert_eq!(report.unwrap().commit.0, commit);
    let found = entries(&*engine.snapshot().unwrap());
    assert_clean(&engine);

    let mut expected = found.clone();
    for number in 0..2u8 {
        let mut changes = Changes::new();
        changes.put(b"another", [number; 100]);
        engine.commit(&changes, None, Durability::Sync).unwrap().wait().unwrap();
        expected.insert(b"another".to_vec(), vec![number; 100]);
    }
    assert_eq!(entries(&*engine.snapshot().unwrap()), expected);
    assert_clean(&engine);
    // Opened again as after loss of power, and then as after it was closed.
    disk.cut_power();
    drop(engine);
    disk.restart();
    for _ in 0..2 {
        let again = DurableEngine::open_with(&path(""), &options).unwrap();
        assert_eq!(again.stats().unwrap().commit.0, commit + 2);
        assert_eq!(entries(&*again.snapshot().unwrap()), expected);
        assert_clean(&again);
        again.close().unwrap();
    }
    Some((commit, found))
}

fn assert_clean(engine: &DurableEngine) {
    let damage = engine.check().unwrap().damage;
    assert!(damage.is_empty(), "{damage:?}");
}
