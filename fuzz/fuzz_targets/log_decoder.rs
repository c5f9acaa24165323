//! A log that opens holds what its records say, and the store goes on from there; a log as it should be opens.
//!
//! The input is a log with deviations. All checksums are right but where one is not meant to be, so that whatever is behind
//! them is reached. What the records say is read a second time here, up to where the log ends; whether what follows the end
//! makes it damaged is left to the crate, which must refuse nothing that has no deviation.

#![no_main]

use arbitrary::Arbitrary;
use larder_fuzz::{
    BLOCK_SEAL_AT, FORMAT, ID, Map, RECORD_HEADER_BYTES, RECORD_SEAL_AT, SEGMENT_HEADER_BYTES, checksum, disk, header, open,
    path, salt, seal,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    /// The checkpoint before the log.
    checkpoint: Option<Checkpoint>,
    first: Vec<Record>,
    others: Vec<Segment>,
    deviation: Option<HeaderDeviation>,
    /// Bytes of a segment that records leave free.
    free: u16,
}

#[derive(Arbitrary, Debug)]
struct Checkpoint {
    commit: Number,
    first_segment: Number,
    /// Commits of the log that the checkpoint holds too.
    overlap: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(u8),
    Large(u8),
    Middle(u64),
}

impl Number {
    fn get(self) -> u64 {
        match self {
            Self::Small(number) => u64::from(number).max(1),
            Self::Large(below) => u64::MAX - u64::from(below),
            Self::Middle(number) => number.max(1),
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Segment {
    records: Vec<Record>,
    deviation: Option<HeaderDeviation>,
    /// Whether the segment before it leads here.
    is_led_to: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum HeaderDeviation {
    Id(u8),
    Sequence(Number),
    Size(i16),
    SizeOf(u64),
    Format(u32),
    Flags(u32),
    Checksum(u32),
    CutAt(u16),
    Full,
    Missing,
    Name(Number),
}

#[derive(Arbitrary, Debug)]
struct Record {
    what: What,
    /// How far the medium is behind.
    behind: u8,
    deviation: Option<Deviation>,
}

#[derive(Arbitrary, Debug)]
enum What {
    Commit(Vec<Operation>),
    Mark,
    Operations {
        bytes: Vec<u8>,
        count: u8,
    },
    /// No record.
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Operation {
    key: Key,
    value: Option<(u8, u16)>,
}

#[derive(Arbitrary, Debug)]
enum Key {
    Byte(u8),
    Bytes(Vec<u8>),
    Long(u8, u16),
}

impl Key {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Byte(byte) => vec![*byte],
            Self::Bytes(bytes) => bytes.clone(),
            Self::Long(byte, length) => vec![*byte; usize::from(*length)],
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Deviation {
    Number(Number),
    NumberBy(i8),
    Synced(Number),
    SyncedBy(i8),
    Kind(u8),
    Flags(u8),
    Reserved(u16),
    Count(u32),
    Length(u32),
    LengthBy(i8),
    Padding(Vec<u8>),
    Checksum(u32),
    Salt(Number),
}

/// A log on its way to the disk.
#[derive(Default)]
struct Log {
    last: u64,
    has_deviation: bool,
}

impl Log {
    fn record(&mut self, salt: u32, record: &Record, out: &mut Vec<u8>) {
        let (kind, operations, count) = match &record.what {
            What::Commit(operations) => {
                let mut sorted = Map::new();
                let mut count = 0;
                for Operation { key, value } in operations {
                    let key = key.bytes();
                    if key.is_empty() || sorted.contains_key(&key) {
                        continue;
                    }
                    let length = u16::try_from(key.len()).unwrap().to_le_bytes();
                    let mut bytes = [&[if value.is_some() { 1 } else { 2 }], &length[..], &key].concat();
                    if let Some((byte, length)) = value {
                        bytes.extend(u32::from(*length).to_le_bytes());
                        bytes.resize(bytes.len() + usize::from(*length), *byte);
                    }
                    sorted.insert(key, bytes);
                    count += 1;
                }
                (1, sorted.into_values().flatten().collect(), count)
            }
            What::Mark => (3, Vec::new(), 0),
            What::Operations { bytes, count } => {
                self.has_deviation = true;
                (1, bytes.clone(), (*count).into())
            }
            What::Bytes(bytes) => {
                self.has_deviation = true;
                out.extend(bytes);
                out.resize(out.len().next_multiple_of(8), 0);
                return;
            }
        };
        // A number above all has no successor; the crate refuses it long before.
        let number = if kind == 1 { self.last.saturating_add(1) } else { self.last };
        self.last = number;
        let behind = u64::from(record.behind).saturating_add(u64::from(kind == 1));
        self.put(salt, kind, number, number.saturating_sub(behind), &operations, count, record.deviation.as_ref(), out);
    }

    fn put(
        &mut self,
        salt: u32,
        kind: u8,
        number: u64,
        synced: u64,
        operations: &[u8],
        count: u32,
        deviation: Option<&Deviation>,
        out: &mut Vec<u8>,
    ) {
        self.has_deviation |= deviation.is_some();
        let mut record = vec![0; RECORD_HEADER_BYTES];
        record[8..16].copy_from_slice(&number.to_le_bytes());
        record[16..24].copy_from_slice(&synced.to_le_bytes());
        record[24] = kind;
        record[28..32].copy_from_slice(&count.to_le_bytes());
        record.extend(operations);
        if let Some(Deviation::Padding(padding)) = deviation {
            record.extend(padding);
        }
        record.resize(record.len().next_multiple_of(8), 0);
        let length = u32::try_from(record.len()).unwrap();
        record[0..4].copy_from_slice(&length.to_le_bytes());
        let mut salted = salt;
        match deviation {
            Some(Deviation::Number(other)) => record[8..16].copy_from_slice(&other.get().to_le_bytes()),
            Some(Deviation::NumberBy(by)) => {
                record[8..16].copy_from_slice(&number.wrapping_add_signed((*by).into()).to_le_bytes());
            }
            Some(Deviation::Synced(other)) => record[16..24].copy_from_slice(&other.get().to_le_bytes()),
            Some(Deviation::SyncedBy(by)) => {
                record[16..24].copy_from_slice(&synced.wrapping_add_signed((*by).into()).to_le_bytes());
            }
            Some(Deviation::Kind(kind)) => record[24] = *kind,
            Some(Deviation::Flags(flags)) => record[25] = *flags,
            Some(Deviation::Reserved(bits)) => record[26..28].copy_from_slice(&bits.to_le_bytes()),
            Some(Deviation::Count(count)) => record[28..32].copy_from_slice(&count.to_le_bytes()),
            Some(Deviation::Length(length)) => record[0..4].copy_from_slice(&length.to_le_bytes()),
            Some(Deviation::LengthBy(by)) => {
                record[0..4].copy_from_slice(&length.wrapping_add_signed((*by).into()).to_le_bytes());
            }
            Some(Deviation::Salt(other)) => salted = larder_fuzz::salt(other.get()),
            Some(Deviation::Padding(_) | Deviation::Checksum(_)) | None => {}
        }
        seal(salted, &mut record, RECORD_SEAL_AT);
        if let Some(Deviation::Checksum(bits)) = deviation {
            record[4..8].copy_from_slice(&bits.to_le_bytes());
        }
        out.extend(record);
    }
}

/// The bytes of a segment.
fn segment(sequence: u64, records: &[u8], free: usize, deviation: Option<HeaderDeviation>) -> Vec<u8> {
    use HeaderDeviation as Of;
    let room = if matches!(deviation, Some(Of::Full)) { 0 } else { RECORD_HEADER_BYTES + free };
    let size = SEGMENT_HEADER_BYTES + records.len() + room;
    let (mut id, mut inside, mut declared, mut format, mut flags) = (ID, sequence, size as u64, FORMAT, 0);
    match deviation {
        Some(Of::Id(byte)) => id[0] = byte,
        Some(Of::Sequence(other)) => inside = other.get(),
        Some(Of::Size(by)) => declared = declared.wrapping_add_signed(by.into()),
        Some(Of::SizeOf(other)) => declared = other,
        Some(Of::Format(other)) => format = other,
        Some(Of::Flags(other)) => flags = other,
        _ => {}
    }
    let fields = [&id[..], &inside.to_le_bytes(), &declared.to_le_bytes(), &[0; 12]].concat();
    let mut bytes = header(b"LARDERLG", format, flags, &fields);
    if let Some(Of::Checksum(other)) = deviation {
        bytes[60..64].copy_from_slice(&other.to_le_bytes());
    }
    bytes.extend(records);
    bytes.resize(size, 0);
    if let Some(Of::CutAt(length)) = deviation {
        bytes.truncate(length.into());
    }
    bytes
}

/// A checkpoint of one entry, `base` = `1`.
fn checkpoint(commit: u64, first_segment: u64) -> Vec<u8> {
    let fields = [commit, 1, 5, first_segment, 0].map(u64::to_le_bytes).concat();
    let fields = [&ID[..], &fields[..fields.len() - 4]].concat();
    let mut bytes = header(b"LARDERCP", FORMAT, 1, &fields);
    let entry = [&[0, 0, 4, 0, 1, 0, 0, 0], &b"base1"[..]].concat();
    for (number, entries) in [&entry[..], &[]].into_iter().enumerate() {
        let length = u32::try_from(entries.len()).unwrap();
        let fields = [length, 0, length, length.min(1), 0, u32::try_from(number).unwrap(), 0].map(u32::to_le_bytes);
        let mut block = [&fields.concat(), entries].concat();
        seal(salt(commit), &mut block, BLOCK_SEAL_AT);
        bytes.extend(block);
    }
    bytes
}

/// What the records say up to where the log ends, after the checkpoint of the commit `after`: the last commit, and what
/// was made of `map`. `None` where a record that is whole cannot be read.
fn read(segments: &[(u64, Vec<u8>)], first: u64, after: u64, mut map: Map) -> Option<(u64, Map)> {
    let (mut sequence, mut last) = (first, after);
    'segments: loop {
        let (_, bytes) = segments.iter().find(|(name, _)| *name == sequence)?;
        let mut rest = bytes.get(SEGMENT_HEADER_BYTES..)?;
        loop {
            let length = rest.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
            let is_record = length >= RECORD_HEADER_BYTES && length % 8 == 0 && length <= rest.len();
            if !is_record || rest[4..8] != checksum(salt(sequence), &rest[..length], RECORD_SEAL_AT).to_le_bytes() {
                return Some((last, map));
            }
            let (record, after_it) = rest.split_at(length);
            rest = after_it;
            let number = u64::from_le_bytes(record[8..16].try_into().unwrap());
            match record[24] {
                1 if number > after => {
                    let count = u32::from_le_bytes(record[28..32].try_into().unwrap());
                    apply(&record[RECORD_HEADER_BYTES..], count, &mut map)?;
                    last = number;
                }
                1 | 3 => {}
                2 => {
                    sequence = sequence.checked_add(1)?;
                    continue 'segments;
                }
                _ => return None,
            }
        }
    }
}

fn apply(mut rest: &[u8], count: u32, map: &mut Map) -> Option<()> {
    fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
        let (field, after) = rest.split_at_checked(length)?;
        *rest = after;
        Some(field)
    }
    for _ in 0..count {
        let kind = take(&mut rest, 1)?[0];
        let key_bytes = u16::from_le_bytes(take(&mut rest, 2)?.try_into().ok()?);
        let key = take(&mut rest, key_bytes.into())?.to_vec();
        if kind == 1 {
            let value_bytes = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
            let value = take(&mut rest, value_bytes as usize)?.to_vec();
            map.insert(key, value);
        } else {
            map.remove(&key);
        }
    }
    Some(())
}

fuzz_target!(|input: Input| {
    let disk = disk();
    let mut log = Log::default();
    let (mut first, mut after, mut map) = (1, 0, Map::new());
    if let Some(Checkpoint { commit, first_segment, overlap }) = &input.checkpoint {
        (first, after) = (first_segment.get(), commit.get());
        disk.write(&path(&format!("{after:016x}.checkpoint")), checkpoint(after, first));
        map.insert(b"base".to_vec(), b"1".to_vec());
        log.last = after.saturating_sub((*overlap).into());
        // Nobody counts so far.
        log.has_deviation |= first > 1 << 60 || after > 1 << 60;
    }
    let mut segments: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut sequence = first;
    let mut add = |log: &mut Log, records: &[Record], deviation: Option<HeaderDeviation>, is_left: bool| {
        let mut bytes = Vec::new();
        for record in records {
            log.record(salt(sequence), record, &mut bytes);
        }
        if is_left {
            log.put(salt(sequence), 2, log.last, log.last, &[], 0, None, &mut bytes);
        }
        log.has_deviation |= deviation.is_some();
        let name = if let Some(HeaderDeviation::Name(other)) = deviation { other.get() } else { sequence };
        if !matches!(deviation, Some(HeaderDeviation::Missing)) {
            segments.retain(|(other, _)| *other != name);
            segments.push((name, segment(sequence, &bytes, input.free.into(), deviation)));
        }
        sequence = sequence.wrapping_add(1);
    };
    let others = input.others.get(..2).unwrap_or(&input.others);
    let mut is_led_to = others.iter().map(|segment| segment.is_led_to).chain([false]);
    // What the log has not led to is ahead of its use and empty.
    let ahead = others.iter().skip_while(|segment| segment.is_led_to);
    log.has_deviation |= ahead.clone().any(|segment| segment.is_led_to || !segment.records.is_empty());
    add(&mut log, &input.first, input.deviation, is_led_to.next().unwrap_or(false));
    for segment in others {
        add(&mut log, &segment.records, segment.deviation, is_led_to.next().unwrap_or(false));
    }
    for (name, bytes) in &segments {
        disk.write(&path(&format!("{name:016x}.log")), bytes.clone());
    }
    let found = open(&disk);
    assert!(found.is_some() || log.has_deviation, "a log as it should be opens");
    if let Some(found) = found {
        assert_eq!(Some(found), read(&segments, first, after, map), "it holds what its records say");
    }
});
