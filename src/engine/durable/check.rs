//! Reads every byte of a store's files, and answers all the damage there is.

use crate::engine::durable::checkpoint;
use crate::engine::durable::directory::{Directory, Listing, checkpoint_name, segment_name};
use crate::engine::durable::format::StoreId;
use crate::engine::durable::recover::scan_log;
use crate::engine::{CheckReport, CommitNumber, Damage};
use crate::error::{Error, Result};

/// Checks the newest checkpoint and the log after it, which ends at `until` or where it is found to end.
pub(super) fn check_files(directory: &Directory, id: StoreId, until: Option<(u64, u64)>) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    let listing = directory.list()?;
    let (mut first, mut after) = (1, CommitNumber(0));
    if let Some(commit) = listing.checkpoints.last() {
        after = *commit;
        match note(&mut report, checkpoint::Reader::open(directory, *commit))? {
            Some(mut reader) => {
                report.files += 1;
                report.bytes += reader.size();
                first = reader.header().first_segment;
                if reader.header().id != id {
                    let name = checkpoint_name(*commit);
                    note(&mut report, Err::<(), _>(directory.damaged(&name, 0, "the file belongs to another store")))?;
                }
                loop {
                    let entries = &mut report.entries;
                    let block = reader.next_block(|_, _| *entries += 1);
                    let is_last = note(&mut report, block)?.map_or(reader.is_at_end(), |has_more| !has_more);
                    if is_last {
                        break;
                    }
                }
            }
            // Without its header it is unknown where the log begins that goes with it.
            None => return Ok(report),
        }
    }
    check_log(directory, id, &listing, (first, after), until, &mut report)?;
    report.commit = report.commit.max(after);
    Ok(report)
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
        let size = directory.open_file(&segment_name(*sequence)).and_then(|file| {
            let path = directory.file(&segment_name(*sequence));
            file.size().map_err(|source| Error::io("read", &path, source))
        });
        report.files += 1;
        report.bytes += size?;
    }
    let mut last = after;
    let scan = scan_log(directory, id, listing, first, after, until, |record| {
        last = record.number;
        record.operations().try_for_each(|operation| operation.map(drop))
    });
    note(report, scan)?;
    report.commit = last;
    Ok(())
}

/// Keeps damage for the report; any other error ends the check.
fn note<T>(report: &mut CheckReport, outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::Damaged { file, offset, detail }) => {
            report.damage.push(Damage { file, offset, detail });
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
