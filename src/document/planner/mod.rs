//! The planner: which index, if any, a filter and a sort use.
//!
//! # Which indexes can serve
//! Conditions at the top level and in `$and` confine the fields of an index from the first on: equalities and `$in`s on
//! any number of fields, then at most one range. A top-level `$or` is served by reading the whole collection, unless
//! other conditions beside it choose an index.
//!
//! An index gives a sort when it has the sort's fields in the sort's directions or all reversed, after fields that have
//! one value each. Ties come in record order, as from a sort in memory. Entries of long values that begin with the same
//! bytes are put in order by their documents ([`key`](crate::document::index_key)).
//!
//! # Arrays
//! On a field that goes through arrays a document has several keys. Each of two conditions may be met by another of
//! them, so only one condition bounds such a field, and only one such field is bounded; and it gives no sort order.
//! Records found twice are given once.
//!
//! # Choice
//! Most fields with one value, then a range, then a sort that need not be made in memory; of equals the oldest index. No
//! statistics are kept.

mod bounds;
mod explain;

use std::ops::Bound;
use std::sync::Arc;

pub use explain::{Explain, Stage};

use crate::document::filter::Filter;
use crate::document::hint::Hint;
use crate::document::index_key::{first_bytes, in_index};
use crate::document::layout;
use crate::document::path::FieldPath;
use crate::document::pattern::Pattern;
use crate::document::planner::bounds::{Bounds, Edge, Interval};
use crate::document::schema::{Index, Schema};
use crate::encoding::ordered::invert;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::limits;

/// How documents are found.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) access: Access,
    /// Whether what is found is still to be sorted.
    pub(super) sort_in_memory: bool,
}

/// Where documents are found.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// Every record of the collection, in record order or against it.
    Collection(Direction),
    /// Some entries of an index.
    Index(IndexScan),
}

/// Entries of one index to go through.
#[derive(Clone, Debug)]
pub(super) struct IndexScan {
    pub(super) index: Arc<Index>,
    /// What every entry of the index begins with.
    pub(super) prefix: Vec<u8>,
    /// Disjoint, in the order they are read.
    pub(super) ranges: Vec<KeyRange>,
    pub(super) direction: Direction,
    /// When the index gives the sort: how many fields, from the first, entries tie by.
    pub(super) sorted_fields: Option<usize>,
    /// Whether it gives the order of ties, too.
    pub(super) orders_ties: bool,
    /// The bounds of each bounded field, for `explain`.
    bounds: Vec<Bounds>,
}

/// How good a scan is; the greatest is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    points: usize,
    range: bool,
    sorted: bool,
}

/// Chooses how to find what matches `filter`, in the order of `sort`; with a hint only what that allows.
///
/// # Errors
/// Code 2 for a hint of an index that does not exist.
pub(super) fn choose(
    collection: u32,
    schema: &Schema,
    filter: &Filter,
    sort: Option<&Pattern>,
    hint: Option<&Hint>,
) -> Result<Plan> {
    if let Some(direction) = hint.map(Hint::natural).transpose()?.flatten() {
        return Ok(Plan { access: Access::Collection(direction), sort_in_memory: sort.is_some() });
    }
    if let Some(scan) = by_identity(collection, schema, filter)?.filter(|_| hint.is_none()) {
        return Ok(Plan { access: Access::Index(scan), sort_in_memory: false });
    }
    let mut best: Option<(Score, IndexScan)> = None;
    for index in schema.indexes.iter().filter(|index| !index.building && is_meant(index, hint)) {
        let bounds = field_bounds(index, filter)?;
        let order = sort.and_then(|sort| sort_order(index, &bounds, sort));
        let score = Score {
            points: bounds.iter().filter(|bounds| bounds.iter().all(Interval::is_point)).count(),
            range: bounds.iter().any(|bounds| !bounds.iter().all(Interval::is_point)),
            sorted: order.is_some(),
        };
        let useful = !bounds.is_empty() || order.is_some() || hint.is_some();
        if useful && best.as_ref().is_none_or(|(other, _)| score > *other) {
            best = Some((score, IndexScan::new(collection, index, bounds, order)));
        }
    }
    Ok(match best {
        Some((score, scan)) => Plan { access: Access::Index(scan), sort_in_memory: sort.is_some() && !score.sorted },
        None => match hint {
            Some(hint) => return Err(hint.unknown()),
            None => Plan { access: Access::Collection(Direction::Forward), sort_in_memory: sort.is_some() },
        },
    })
}

/// Whether `hint`, if there is one, lets `index` be used.
fn is_meant(index: &Index, hint: Option<&Hint>) -> bool {
    hint.is_none_or(|hint| hint.is_of(&index.name, &index.pattern.to_document()))
}

/// The scan for one `_id`, which finds at most one document: no other index is looked at, and no sort is needed.
fn by_identity(collection: u32, schema: &Schema, filter: &Filter) -> Result<Option<IndexScan>> {
    let (Some(value), Some(index)) = (filter.identity(), schema.index_of_id(0)) else { return Ok(None) };
    Ok(Some(IndexScan::new(collection, index, vec![bounds::equal(value)?], None)))
}

impl IndexScan {
    fn new(collection: u32, index: &Arc<Index>, bounds: Vec<Bounds>, order: Option<(Direction, usize)>) -> Self {
        let prefix = layout::index_prefix(collection, index.id);
        let direction = order.map_or(Direction::Forward, |(direction, _)| direction);
        let mut ranges = ranges(&prefix, index, &bounds);
        ranges.sort_by(|a, b| start_key(a).cmp(start_key(b)));
        if direction == Direction::Backward {
            ranges.reverse();
        }
        // Entries that tie by all fields are in record order already, when they are read forward.
        let sorted_fields = order.map(|(_, fields)| fields);
        let orders_ties = direction == Direction::Forward && sorted_fields == Some(index.pattern.fields().len());
        Self { index: Arc::clone(index), prefix, ranges, direction, sorted_fields, orders_ties, bounds }
    }
}

/// The bounds of the index's fields, from the first on; only the last of them may be ranges.
fn field_bounds(index: &Index, filter: &Filter) -> Result<Vec<Bounds>> {
    let conjuncts = filter.conjuncts();
    let mut all: Vec<Bounds> = Vec::new();
    let mut scans = 1usize;
    let mut bounded_array = false;
    for (place, field) in index.pattern.fields().iter().enumerate() {
        let multikey = index.multikey >> place & 1 == 1;
        if multikey && bounded_array {
            break;
        }
        let mut here: Option<Bounds> = None;
        for (_, test) in conjuncts.iter().filter(|(path, _)| **path == field.path) {
            // By a position in an array null also means that the objects of the array have no such field: no entry says so.
            if test.accepts_missing() && field.path.parts().iter().skip(1).any(|part| part.position().is_some()) {
                continue;
            }
            let Some(next) = bounds::of(test)? else { continue };
            here = Some(match here {
                None => next,
                Some(found) if !multikey => bounds::intersect(&found, &next),
                Some(found) if next.iter().all(Interval::is_point) && !found.iter().all(Interval::is_point) => next,
                Some(found) => found,
            });
        }
        let Some(here) = here else { break };
        scans = scans.saturating_mul(here.len().max(1));
        if scans > limits::INDEX_SCAN_RANGES_MAX {
            break;
        }
        bounded_array |= multikey;
        let points = here.iter().all(Interval::is_point);
        all.push(here);
        if !points {
            break;
        }
    }
    Ok(all)
}

/// In which direction the index gives `sort`, and by how many of its fields entries then tie.
fn sort_order(index: &Index, bounds: &[Bounds], sort: &Pattern) -> Option<(Direction, usize)> {
    let is_multikey = |place: usize| index.multikey >> place & 1 == 1;
    let has_one_value =
        |place: usize| bounds.get(place).is_some_and(|b| b.len() == 1 && b.iter().all(Interval::is_point));
    let fields = index.pattern.fields();
    let settled = |wanted: &FieldPath| {
        let place = fields.iter().position(|field| field.path == *wanted);
        place.is_some_and(|place| has_one_value(place) && !is_multikey(place))
    };
    let mut wanted = sort.fields().iter().filter(|field| !settled(&field.path)).peekable();
    let mut reversed: Option<bool> = None;
    let mut used = 0;
    for (place, field) in fields.iter().enumerate() {
        let Some(next) = wanted.peek() else { break };
        used = place + 1;
        if next.path == field.path && !is_multikey(place) {
            let opposite = next.descending != field.descending;
            if *reversed.get_or_insert(opposite) != opposite {
                return None;
            }
            wanted.next();
        } else if !has_one_value(place) {
            return None;
        }
    }
    if wanted.peek().is_some() {
        return None;
    }
    // Fields of one value tell no ties apart. With them a tie may have all fields of the index, and so be in record order.
    while used < fields.len() && has_one_value(used) {
        used += 1;
    }
    // A sort that is settled by the filter alone leaves ties only: one group, as far as the index tells them apart.
    let direction = if reversed.unwrap_or(false) { Direction::Backward } else { Direction::Forward };
    Some((direction, used))
}

/// The key ranges of every combination of the fields' bounds.
fn ranges(prefix: &[u8], index: &Index, bounds: &[Bounds]) -> Vec<KeyRange> {
    let mut prefixes = vec![prefix.to_vec()];
    let Some((last, points)) = bounds.split_last() else { return vec![KeyRange::prefix(prefix)] };
    let mut fields = index.pattern.fields().iter();
    for (bounds, field) in points.iter().zip(fields.by_ref()) {
        let extend = |prefix: &Vec<u8>| -> Vec<Vec<u8>> {
            bounds.iter().map(|point| joined(prefix, &in_index(&point.lower.bytes), field.descending)).collect()
        };
        prefixes = prefixes.iter().flat_map(extend).collect();
    }
    let descending = fields.next().is_some_and(|field| field.descending);
    let range = |prefix: &Vec<u8>| -> Vec<KeyRange> {
        last.iter().map(|interval| range(prefix, interval, descending)).collect()
    };
    prefixes.iter().flat_map(range).collect()
}

/// The keys that continue `prefix` with a value in `interval`.
fn range(prefix: &[u8], interval: &Interval, descending: bool) -> KeyRange {
    let (first, last) =
        if descending { (&interval.upper, &interval.lower) } else { (&interval.lower, &interval.upper) };
    if interval.is_point() {
        return KeyRange::prefix(&joined(prefix, &in_index(&first.bytes), descending));
    }
    // An edge stands for every key that begins with it: an included edge lets all of them in, an excluded one none. On which side of a
    // long value another one is that begins as it does, only the document tells: all of them are let in.
    let edge = |edge: &Edge| {
        let (first_bytes, is_long) = first_bytes(&edge.bytes);
        (KeyRange::prefix(&joined(prefix, first_bytes, descending)), edge.included || is_long)
    };
    let ((first_keys, first_included), (last_keys, last_included)) = (edge(first), edge(last));
    let start = if first_included { first_keys.start().clone() } else { after(first_keys.end()) };
    let end = if last_included { last_keys.end().clone() } else { before(last_keys.start()) };
    KeyRange::new(start, end)
}

fn joined(prefix: &[u8], field: &[u8], descending: bool) -> Vec<u8> {
    let mut field = field.to_vec();
    if descending {
        invert(&mut field);
    }
    [prefix, &field].concat()
}

fn after(end: &Bound<Key>) -> Bound<Key> {
    match end {
        Bound::Excluded(key) | Bound::Included(key) => Bound::Included(key.clone()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn before(start: &Bound<Key>) -> Bound<Key> {
    match start {
        Bound::Excluded(key) | Bound::Included(key) => Bound::Excluded(key.clone()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn start_key(range: &KeyRange) -> &[u8] {
    match range.start() {
        Bound::Included(key) | Bound::Excluded(key) => key,
        Bound::Unbounded => &[],
    }
}

#[cfg(test)]
mod tests;
