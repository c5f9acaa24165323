//! Walking over positions, from either end, behind those that are skipped.

use std::ops::Bound;

use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::txn::View;

/// Up to `take` members of the positions in `range`, after the first `skip`, in `direction`.
pub(super) fn collect(
    view: &View,
    set: &Elements,
    range: &KeyRange,
    direction: Direction,
    skip: u64,
    take: u64,
) -> Result<Vec<(Vec<u8>, f64)>> {
    let mut entries = Vec::new();
    let Some(range) = after_skipping(view, range, direction, skip)? else { return Ok(entries) };
    let mut cursor = view.range(&range, direction)?;
    for _ in 0..take {
        let Some((position, value)) = cursor.next()? else { break };
        let (score, member) = set.read_position(position, value)?;
        entries.push((member.to_vec(), score));
    }
    Ok(entries)
}

/// What `range` has left behind its first `skip` entries in `direction`; `None` when that is nothing.
fn after_skipping(view: &View, range: &KeyRange, direction: Direction, skip: u64) -> Result<Option<KeyRange>> {
    if skip == 0 {
        return Ok(Some(range.clone()));
    }
    let n = match direction {
        Direction::Forward => Some(skip),
        // The last entry that is kept has this many before it.
        Direction::Backward => view.count(range)?.checked_sub(1).and_then(|last| last.checked_sub(skip)),
    };
    let Some(n) = n else { return Ok(None) };
    let Some((edge, _)) = view.nth(range, n)? else { return Ok(None) };
    let edge = Bound::Included(edge);
    Ok(Some(match direction {
        Direction::Forward => range.clone().clamp(edge, Bound::Unbounded),
        Direction::Backward => range.clone().clamp(Bound::Unbounded, edge),
    }))
}

/// How many members to skip and how many to take for the ranks `start` to `stop`; negative ones count from the end of
/// `len` members, which matters to them only.
pub(super) fn ranks(start: i64, stop: i64, len: u64) -> Option<(u64, u64)> {
    let from_end = |rank: i64| len.checked_sub(rank.unsigned_abs());
    let start = if start < 0 { from_end(start).unwrap_or(0) } else { start.unsigned_abs() };
    let stop = if stop < 0 { from_end(stop)? } else { stop.unsigned_abs() };
    Some((start, stop.checked_sub(start)?.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        // SEM: KV-Z-5
        #[test]
        fn ranks_select_what_walking_over_all_of_them_selects(start in -6i64..6, stop in -6i64..6, len in 0i64..5) {
            let (first, last) = (if start < 0 { start + len } else { start }, if stop < 0 { stop + len } else { stop });
            let expected: Vec<i64> = (0..len).filter(|rank| (first..=last).contains(rank)).collect();
            let (skip, take) = ranks(start, stop, len.unsigned_abs()).unwrap_or_default();
            let selected = (0..len).skip(usize::try_from(skip).unwrap()).take(usize::try_from(take).unwrap());
            prop_assert_eq!(selected.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_widest_ranks_do_not_overflow() {
        assert_eq!(ranks(i64::MIN, i64::MAX, 3), Some((0, i64::MAX.unsigned_abs() + 1)));
        assert_eq!(ranks(i64::MAX, i64::MIN, 3), None);
    }
}
