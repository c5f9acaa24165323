//! Deletions of partitions and ranges of rows.
//!
//! What is deleted is hidden at once, by the partition's header or an entry of the range; what is stored of it goes at once when that is
//! little, else by a job.

use std::ops::Bound;

use crate::clock::Timestamp;
use crate::engine::{Key, KeyRange};
use crate::error::Result;
use crate::expiry;
use crate::txn::Writer;
use crate::wide_column::cell::Deletion;
use crate::wide_column::layout;
use crate::wide_column::read::{Bounds, DeletedRange, overlapping};
use crate::wide_column::record::Builder;
use crate::wide_column::schema::Definition;
use crate::wide_column::write::listed;
use crate::wide_column::write::store;
use crate::wide_column::write::tidy::{tidy_later_or_now, tidy_row};

/// Deletes a partition, with its static values. A deletion that is not later than the one there is changes nothing.
pub(super) fn partition(writer: &mut Writer, table: &Definition, partition: &[u8], deletion: Deletion) -> Result<()> {
    let key = layout::header(partition);
    let before = store::deletion_of(writer, &table.record, partition)?;
    if before >= Some(deletion) {
        return Ok(());
    }
    let grace = table.record.grace();
    let mut header = Builder::new(grace);
    header.set_deletion(Some(deletion));
    let scheduled = before.map(|before| Timestamp::from_seconds(before.deadline(grace)));
    // No index has entries of a header.
    store::put_entry(writer, &key, scheduled, &header.build())?;
    if before.is_none() {
        listed::enter(writer, table, &key)?;
    }
    let statics = layout::statics(partition);
    if let Some(row) = writer.get(&statics)?.map(std::borrow::Cow::into_owned) {
        tidy_row(writer, &table.record, &statics, &row, Some(deletion))?;
    }
    tidy_later_or_now(writer, table, partition, &KeyRange::prefix(&layout::rows(partition)))
}

/// Deletes the rows of a partition that are within bounds.
pub(super) fn range(
    writer: &mut Writer,
    table: &Definition,
    partition: &[u8],
    bounds: &Bounds,
    deletion: Deletion,
) -> Result<()> {
    let Bounds { start, end, .. } = bounds;
    let old = overlapping(writer, partition, start, end.as_deref())?;
    let new = laid_over(&old, DeletedRange { start: start.clone(), end: end.clone(), deletion });
    if new == old {
        return Ok(());
    }
    let grace = table.record.grace();
    let deadline = |range: &DeletedRange| Timestamp::from_seconds(range.deletion.deadline(grace));
    for range in old.iter().filter(|range| !new.contains(range)) {
        let key = layout::range(partition, &range.start);
        expiry::cancel(writer, deadline(range), &key);
        writer.remove(&key);
        listed::replaced(writer, table, &key)?;
    }
    for range in new.iter().filter(|range| !old.contains(range)) {
        let key = layout::range(partition, &range.start);
        writer.put(&key, range.encode())?;
        expiry::schedule(writer, deadline(range), &key)?;
        listed::enter(writer, table, &key)?;
    }
    let first = Bound::Included(Key::from(&layout::row(partition, start)[..]));
    let last =
        end.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(Key::from(&layout::row(partition, end)[..])));
    let rows = KeyRange::prefix(&layout::rows(partition)).clamp(first, last);
    tidy_later_or_now(writer, table, partition, &rows)
}

/// Lays a range over those that it overlaps: where both are, the later deletion counts. They come in order, and none overlaps another.
fn laid_over(old: &[DeletedRange], new: DeletedRange) -> Vec<DeletedRange> {
    let earlier = |a: &Option<Vec<u8>>, b: &Option<Vec<u8>>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b).clone()),
        (a, b) => a.clone().or_else(|| b.clone()),
    };
    let is_empty = |from: &Vec<u8>, to: &Option<Vec<u8>>| to.as_ref().is_some_and(|to| from >= to);
    let mut out: Vec<DeletedRange> = Vec::new();
    let mut push = |start: Vec<u8>, end: Option<Vec<u8>>, deletion: Deletion| {
        if is_empty(&start, &end) {
            return;
        }
        match out.last_mut() {
            // What was one range stays one.
            Some(last) if last.deletion == deletion && last.end.as_ref() == Some(&start) => last.end = end,
            _ => out.push(DeletedRange { start, end, deletion }),
        }
    };
    let mut uncovered = Some(new.start.clone());
    for range in old {
        let Some(at) = uncovered.clone() else { break };
        if range.start < new.start {
            push(range.start.clone(), Some(new.start.clone()), range.deletion);
        }
        let both = range.start.clone().max(new.start.clone());
        push(at, Some(both.clone()), new.deletion);
        let end = earlier(&range.end, &new.end);
        push(both, end.clone(), range.deletion.max(new.deletion));
        if let Some(own) = &new.end
            && range.end.as_ref().is_none_or(|end| end > own)
        {
            push(own.clone(), range.end.clone(), range.deletion);
        }
        uncovered = end;
    }
    if let Some(at) = uncovered {
        push(at, new.end, new.deletion);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range() -> impl Strategy<Value = DeletedRange> {
        let deletion = (0i64..3, 0i64..2).prop_map(|(timestamp, deleted)| Deletion { timestamp, deleted });
        (0u8..6, prop::option::of(1u8..4), deletion).prop_map(|(start, length, deletion)| DeletedRange {
            start: vec![start],
            end: length.map(|length| vec![start + length]),
            deletion,
        })
    }

    proptest! {
        /// Against the latest deletion of each place, of every range that was laid.
        #[test]
        fn ranges_stay_disjoint_and_say_the_latest_deletion(ranges in prop::collection::vec(range(), 1..8)) {
            let covers = |range: &DeletedRange, at: u8| range.start <= vec![at] && range.end.as_ref().is_none_or(|end| vec![at] < *end);
            let mut stored: Vec<DeletedRange> = Vec::new();
            for new in &ranges {
                let overlaps = |own: &DeletedRange| {
                    own.end.as_ref().is_none_or(|end| *end > new.start) && new.end.as_ref().is_none_or(|end| own.start < *end)
                };
                let (hit, rest): (Vec<_>, Vec<_>) = stored.into_iter().partition(|own| overlaps(own));
                stored = rest.into_iter().chain(laid_over(&hit, new.clone())).collect();
                stored.sort_by(|a, b| a.start.cmp(&b.start));
            }
            for at in 0..12u8 {
                let expected = ranges.iter().filter(|range| covers(range, at)).map(|range| range.deletion).max();
                let found: Vec<_> = stored.iter().filter(|range| covers(range, at)).map(|range| range.deletion).collect();
                prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "at {}", at);
            }
        }
    }
}
