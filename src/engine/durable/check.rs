//! Reads every byte of a store's files, and returns all the damage there is.
//!
//! One damaged byte is one damage: what follows it is found again by the checksums of headers, and counts.

use crate::engine::durable::checkpoint;
use crate::engine::durable::directory::{Directory, Listing, checkpoint_name, segment_name};
use crate::engine::durable::format::{RECORD_ALIGNMENT, Record, RecordKind, Refused, SEGMENT_HEADER_BYTES, StoreId};
use crate::engine::durable::recover::{headers, read_segment, scan_log};
use crate::engine::{Change, CheckReport, CommitNumber, Damage};
use crate::error::{Error, Result};

/// Checks the newest checkpoint and the log after it, which ends at `until` or where it is found to end.
pub(super) fn check_files(directory: &Directory, id: StoreId, until: Option<(u64, u64)>) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    let listing = directory.list()?;
    let (mut first, mut after) = (1, CommitNumber(0));
    if let Some(commit) = listing.checkpoints.last() {
        after = *commit;
        // Without its header it is unknown where the log begins that goes with it: with what there is.
        first = listing.segments.first().copied().unwrap_or(1);
        if let Some(header_says) = check_checkpoint(directory, id, *commit, &mut report)? {
            first = header_says;
        }
    }
    check_log(directory, id, &listing, (first, after), until, &mut report)?;
    report.commit = report.commit.max(after);
    Ok(report)
}

/// Reads a checkpoint, and returns the first segment of the log after it.
fn check_checkpoint(
    directory: &Directory,
    id: StoreId,
    commit: CommitNumber,
    report: &mut CheckReport,
) -> Result<Option<u64>> {
    let opened = note(report, checkpoint::Reader::open(directory, commit))?;
    let first = opened.as_ref().map(|reader| reader.header().first_segment);
    let mut reader = match opened {
        Some(reader) => reader,
        None => match checkpoint::Reader::open_damaged(directory, commit, id) {
            Ok(reader) => reader,
            // It is noted already.
            Err(Error::Damaged { .. }) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    report.files += 1;
    report.bytes += reader.size();
    if reader.header().id != id {
        let name = checkpoint_name(commit);
        note(report, Err::<(), _>(directory.damaged(&name, 0, "the file belongs to another store")))?;
        return Ok(None);
    }
    loop {
        let entries = &mut report.entries;
        let block = reader.next_block(|_, _| *entries += 1);
        if note(report, block)?.map_or(reader.is_at_end(), |has_more| !has_more) {
            return Ok(first);
        }
    }
}

fn check_log(
    directory: &Directory,
    id: StoreId,
    listing: &Listing,
    (first, after): (u64, CommitNumber),
    until: Option<(u64, u64)>,
    report: &mut CheckReport,
) -> Result<()> {
    for sequence in listing.segments.iter().filter(|sequence| **sequence >= first) {
        let name = segment_name(*sequence);
        if let Some((_, size)) = note(report, directory.read_start(&name, 0))? {
            report.files += 1;
            report.bytes += size;
        }
    }
    let (mut puts, mut last) = (0, after);
    let scan = scan_log(directory, id, listing, first, after, until, |record| {
        last = record.number;
        puts += count_puts(record)?;
        Ok(())
    });
    match scan {
        Ok(_) => (report.entries, report.commit) = (report.entries + puts, last),
        Err(Error::Damaged { file, offset, detail }) => {
            add(report, Damage { file, offset, detail });
            survey(directory, id, listing, (first, after), report)?;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Counts what can be read of a log that is damaged, and notes what else is.
fn survey(
    directory: &Directory,
    id: StoreId,
    listing: &Listing,
    (first, after): (u64, CommitNumber),
    report: &mut CheckReport,
) -> Result<()> {
    report.commit = after;
    for sequence in listing.segments.iter().copied().filter(|sequence| *sequence >= first) {
        let (header, bytes) = match read_segment(directory, id, sequence) {
            Ok(segment) => segment,
            Err(Error::Damaged { file, offset, detail }) => {
                add(report, Damage { file, offset, detail });
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut offset = SEGMENT_HEADER_BYTES;
        loop {
            let why = match Record::decode(bytes.get(offset..).unwrap_or_default(), header.salt()) {
                Ok(record) => {
                    if record.kind == RecordKind::Commit && record.number > after {
                        report.entries += count_puts(&record).unwrap_or(0);
                        report.commit = report.commit.max(record.number);
                    }
                    offset += record.length;
                    if record.kind == RecordKind::End {
                        break;
                    }
                    continue;
                }
                Err(Refused::Damaged(why)) => why,
                Err(newer) => return Err(directory.refuse_file(&segment_name(sequence), offset as u64, newer)),
            };
            // What nothing comes after is the end of the log, or of what was written before it was left.
            let Some((at, _)) = headers(&header, &bytes, offset + RECORD_ALIGNMENT).next() else { break };
            let Error::Damaged { file, offset: place, detail } =
                directory.damaged(&segment_name(sequence), offset as u64, &why)
            else {
                break;
            };
            add(report, Damage { file, offset: place, detail });
            offset = at;
        }
    }
    Ok(())
}

/// How many entries a commit puts.
fn count_puts(record: &Record<'_>) -> Result<u64, Refused> {
    record.operations().try_fold(0, |puts, operation| Ok(puts + u64::from(matches!(operation?.1, Change::Put(_)))))
}

/// Adds a damage, unless another one is known at the same place.
fn add(report: &mut CheckReport, damage: Damage) {
    let is_known = report.damage.iter().any(|known| (&known.file, known.offset) == (&damage.file, damage.offset));
    if !is_known {
        report.damage.push(damage);
    }
}

/// Keeps damage for the report; any other error ends the check.
fn note<T>(report: &mut CheckReport, outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::Damaged { file, offset, detail }) => {
            add(report, Damage { file, offset, detail });
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
