//! How far a group has come, known without counting: entries read, and entries left (lag).
//!
//! A group's counter follows the entries it reads as long as no entry was deleted by name between where it stands and
//! the end, since entries added are counted and deleted ones are not. Past such a gap the number is unknown until the
//! group has come to a place whose number is known: the first entry, when nothing was deleted after it, or the last.

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::stream::id::StreamId;
use crate::kv::stream::layout;
use crate::kv::stream::record::{GroupState, State};
use crate::txn::View;

/// A stream's state, and where its entries begin and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) state: State,
    pub(super) len: u64,
    /// The id of the first entry; `0-0` without entries.
    pub(super) first: StreamId,
    /// The id of the last entry; `0-0` without entries.
    pub(super) top: StreamId,
}

impl Extent {
    pub(super) fn of(view: &View, stream: &Elements, state: State) -> Result<Self> {
        let entries = layout::entries(stream);
        let edge = |direction| match view.first(&entries, direction)? {
            Some((key, _)) => layout::id_of(&key),
            None => Ok(StreamId::MIN),
        };
        let (first, top) = (edge(Direction::Forward)?, edge(Direction::Backward)?);
        Ok(Self { state, len: view.count(&entries)?, first, top })
    }

    /// What reading the entry `id`, which is after all that the group has read, makes of the group.
    pub(super) fn advance(&self, group: GroupState, id: StreamId) -> GroupState {
        let counted = group.read.filter(|_| group.last >= self.first && !self.has_gap_from(group.last));
        let read = match counted {
            Some(read) => Some(read.saturating_add(1)),
            None if self.state.added > 0 => self.number_of(id),
            None => group.read,
        };
        GroupState { last: id, read, ..group }
    }

    /// How many entries the group has not read, when that is known; negative past the end.
    pub(super) fn lag(&self, group: GroupState) -> Option<i64> {
        if self.state.added == 0 || self.len == 0 {
            return Some(0);
        }
        if group.last < self.first && self.state.max_deleted < self.first {
            return Some(signed(self.len));
        }
        let counted = group.read.filter(|_| !self.has_gap_from(group.last));
        let read = counted.or_else(|| self.number_of(group.last))?;
        Some(signed(self.state.added).saturating_sub(signed(read)))
    }

    /// Whether an entry at or after `id` was deleted while there are entries at or before it.
    fn has_gap_from(&self, id: StreamId) -> bool {
        let deleted = self.state.max_deleted;
        self.len > 0 && deleted != StreamId::MIN && deleted >= self.first && deleted >= id
    }

    /// How many of the entries ever added are up to `id`, when that is known.
    fn number_of(&self, id: StreamId) -> Option<u64> {
        let State { last, max_deleted, added } = self.state;
        if added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= last {
            return Some(added);
        }
        if id >= last {
            return (id == last).then_some(added);
        }
        let before_first = added.saturating_sub(self.len);
        match id.cmp(&self.first) {
            _ if max_deleted != StreamId::MIN && max_deleted >= self.first => None,
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first.saturating_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
