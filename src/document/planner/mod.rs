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
//! # Collations
//! An index whose text is ordered by another collation than the query's serves only conditions on what is no text and has none
//! in it, and gives no sort.
//!
//! # Kinds and options of indexes
//! A hashed field serves equalities and `$in`. A wildcard index serves the conditions on one path, as if it were an index on the
//! fields before the wildcard, the path as text, the values there, and the fields behind it; conditions for null, whole objects and
//! arrays do not count, because entries do not show them. A sparse index is used when some condition on a field of it is not met by a
//! missing one, a partial index when the filter implies its own ([`implied`]), a hidden index never.
//!
//! # Hints
//! A hint is the index to use, whatever it finds: all entries of it, when no condition confines them. What a sparse or partial one has
//! no entry of is not found then. With a hint a query may be confined to the keys between two of an index, too ([`between`]).
//!
//! # Choice
//! Most fields with one value, then a range, then a sort that need not be made in memory; of equals the oldest index. No
//! statistics are kept.

mod between;
mod bounds;
mod explain;
mod found_key;
mod implied;

use std::ops::Bound;
use std::sync::Arc;

use bson::Bson;

pub(super) use between::{Between, Span};
pub use explain::{Explain, Stage};

use crate::document::code::Code;
use crate::document::filter::Filter;
use crate::document::hint::Hint;
use crate::document::index_key::{first_bytes, in_index};
use crate::document::index_kind::{Partial, Wildcard, is_below};
use crate::document::layout;
use crate::document::order::has_text;
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
    /// Between which keys it reads, when the caller says so.
    pub(super) span: Option<Arc<Span>>,
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

/// Stands for the fields that go through arrays, where a document has several entries for another reason. No index has so many fields
/// before a wildcard.
const SEVERAL_ENTRIES: u32 = 1 << 31;

/// Chooses how to find what matches `filter`, in the order of `sort`; with a hint only what that allows.
///
/// # Errors
/// Code 2 for a hint of an index that is not there or hidden, 291 for one of an index that cannot be used so, 27 for one of several
/// indexes.
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
    let mut choice = Choice { collection, filter, sort, best: None };
    if let Some(hint) = hint {
        choice.insist_on(meant(schema, hint)?)?;
    } else {
        if let Some(scan) = by_identity(collection, schema, filter)? {
            return Ok(Plan { access: Access::Index(scan), sort_in_memory: false });
        }
        for index in schema.indexes.iter().filter(|index| !index.building && !index.hidden) {
            let is_complete = |partial: &Partial| implied::by(filter, partial.filter());
            if index.partial.as_ref().map_or(Ok(true), is_complete)? {
                choice.consider(index)?;
            }
        }
    }
    Ok(match choice.best {
        Some((score, scan)) => Plan { access: Access::Index(scan), sort_in_memory: sort.is_some() && !score.sorted },
        None => Plan { access: Access::Collection(Direction::Forward), sort_in_memory: sort.is_some() },
    })
}

/// The index that `hint` means.
fn meant<'s>(schema: &'s Schema, hint: &Hint) -> Result<&'s Arc<Index>> {
    let is_shown = |index: &&Arc<Index>| !index.building && !index.hidden && hint.is_of(&index.name, &index.keys);
    let mut found = schema.indexes.iter().filter(is_shown);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (None, _) => Err(hint.unknown()),
        (Some(one), Some(other)) => {
            let message = format!("the hint means several indexes, {:?} and {:?} among them", one.name, other.name);
            Err(Code::INDEX_NOT_FOUND.value(message))
        }
    }
}

/// A choice that is being made.
struct Choice<'q> {
    collection: u32,
    filter: &'q Filter,
    sort: Option<&'q Pattern>,
    best: Option<(Score, IndexScan)>,
}

impl Choice<'_> {
    /// Looks at what `index` is good for.
    fn consider(&mut self, index: &Arc<Index>) -> Result<()> {
        let Some(wildcard) = index.kind.wildcard() else {
            if index.sparse && !self.needs_a_field_of(index) {
                return Ok(());
            }
            return self.offer(index, None, self.sort, false);
        };
        self.consider_paths(index, wildcard)?;
        // Every document has an entry, when there are fields beside the wildcard.
        let before = wildcard.before(&index.pattern);
        if !before.fields().is_empty() {
            let several = Index { pattern: before, multikey: SEVERAL_ENTRIES, ..index.as_ref().clone() };
            self.offer(&Arc::new(several), None, None, false)?;
        }
        Ok(())
    }

    /// Looks at what a wildcard index is good for, for each path that conditions are on.
    fn consider_paths(&mut self, index: &Arc<Index>, wildcard: &Wildcard) -> Result<()> {
        let mut seen: Vec<&str> = Vec::new();
        for (path, _) in self.filter.conjuncts() {
            let has_position = path.parts().iter().any(|part| part.position().is_some());
            if seen.contains(&path.as_str()) || has_position || !wildcard.covers(path.as_str()) {
                continue;
            }
            seen.push(path.as_str());
            let (pattern, place) = wildcard.pattern_of(&index.pattern, path)?;
            let is_array = |array: &String| is_below(path.as_str(), array);
            let multikey = if index.array_paths.iter().any(is_array) { 1 << (place + 1) } else { 0 };
            let on_path = Index { pattern, multikey, ..index.as_ref().clone() };
            self.offer(&Arc::new(on_path), Some(place), self.sort, false)?;
        }
        Ok(())
    }

    /// Uses `index`, whatever it is good for.
    fn insist_on(&mut self, index: &Arc<Index>) -> Result<()> {
        if index.kind.wildcard().is_some() {
            self.consider(index)?;
            let unusable =
                || Code::NO_QUERY_EXECUTION_PLANS.value("no condition can use the wildcard index of the hint");
            return self.best.is_some().then_some(()).ok_or_else(unusable);
        }
        self.offer(index, None, self.sort, true)
    }

    /// Takes `index` if it is useful, and better than what there is. The path of a wildcard is its field at `path_at`.
    fn offer(
        &mut self,
        index: &Arc<Index>,
        path_at: Option<usize>,
        sort: Option<&Pattern>,
        insists: bool,
    ) -> Result<()> {
        let bounds = field_bounds(index, self.filter, path_at)?;
        if path_at.is_some_and(|place| bounds.len() <= place + 1) {
            return Ok(());
        }
        let order = sort.and_then(|sort| sort_order(index, &bounds, sort));
        let points = bounds.iter().filter(|bounds| bounds.iter().all(Interval::is_point)).count();
        let score = Score {
            points: points - usize::from(path_at.is_some()),
            range: bounds.iter().any(|bounds| !bounds.iter().all(Interval::is_point)),
            sorted: order.is_some(),
        };
        let useful = insists || !bounds.is_empty() || order.is_some();
        if useful && self.best.as_ref().is_none_or(|(other, _)| score > *other) {
            self.best = Some((score, IndexScan::new(self.collection, index, bounds, order)));
        }
        Ok(())
    }

    /// Whether only documents match that have one of the fields of `index`.
    fn needs_a_field_of(&self, index: &Index) -> bool {
        let of_index = |path: &FieldPath| index.pattern.fields().iter().any(|field| field.path == *path);
        self.filter.conjuncts().iter().any(|(path, test)| of_index(path) && !test.accepts_missing())
    }
}

/// The scan for one `_id`, which finds at most one document: no other index is looked at, and no sort is needed.
fn by_identity(collection: u32, schema: &Schema, filter: &Filter) -> Result<Option<IndexScan>> {
    let (Some(value), Some(index)) = (filter.identity(), schema.index_of_id(0)) else { return Ok(None) };
    if index.pattern.collator().is_some() && has_text(value) {
        return Ok(None);
    }
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
        Self { index: Arc::clone(index), prefix, ranges, direction, sorted_fields, orders_ties, span: None, bounds }
    }
}

/// The bounds of the index's fields, from the first on; only the last of them may be ranges.
fn field_bounds(index: &Index, filter: &Filter, path_at: Option<usize>) -> Result<Vec<Bounds>> {
    let conjuncts = filter.conjuncts();
    let mut all: Vec<Bounds> = Vec::new();
    let mut scans = 1usize;
    let mut bounded_array = false;
    for (place, field) in index.pattern.fields().iter().enumerate() {
        let multikey = index.multikey >> place & 1 == 1;
        if multikey && bounded_array {
            break;
        }
        let is_of_wildcard = path_at.is_some_and(|path_at| path_at + 1 == place);
        let mut here: Option<Bounds> = None;
        if path_at == Some(place)
            && let Some(path) = index.pattern.fields().get(place + 1)
        {
            here = Some(bounds::equal(&Bson::String(path.path.as_str().to_owned()))?);
        }
        for (_, test) in conjuncts.iter().filter(|(path, _)| **path == field.path) {
            // By a position in an array null also means that the objects of the array have no such field: no entry says so.
            if test.accepts_missing() && field.path.parts().iter().skip(1).any(|part| part.position().is_some()) {
                continue;
            }
            if is_of_wildcard && !bounds::are_of_values(test) {
                continue;
            }
            let Some(mut next) = bounds::of(test, index.pattern.collator())? else { continue };
            if field.hashed {
                match bounds::hashed(next)? {
                    Some(hashed) => next = hashed,
                    None => continue,
                }
            }
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
    if index.pattern.collator() != sort.collator() {
        return None;
    }
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
        if next.path == field.path && !is_multikey(place) && !field.hashed {
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

/// The range of the entries of `index`, of one field, that are dates up to `last`.
pub(super) fn dates_until(collection: u32, index: &Index, last: i64) -> Result<KeyRange> {
    let descending = index.pattern.fields().first().is_some_and(|field| field.descending);
    Ok(range(&layout::index_prefix(collection, index.id), &Interval::dates_until(last)?, descending))
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
