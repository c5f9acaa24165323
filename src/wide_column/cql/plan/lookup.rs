//! Which indexes find what a `WHERE` asks for.

use std::ops::Bound;

use crate::error::Result;
use crate::wide_column::cql::plan::slices::{Clustered, One, Several};
use crate::wide_column::index::{Sought, finds_ranges};
use crate::wide_column::read::plan::{Comparison, Filter, IndexLookup, Test};
use crate::wide_column::schema::{IndexTarget, TableRecord};

/// What of indexes answers one restriction; nothing when a filter has to.
pub(super) type Lookups = Vec<IndexLookup>;

/// The lookups of each restriction of single columns.
pub(super) fn of_each(table: &TableRecord, said: &[(usize, One)]) -> Result<Vec<Lookups>> {
    said.iter().map(|(at, one)| of_one(table, *at, one)).collect()
}

/// The lookups of each restriction of clustering columns.
pub(super) fn of_clustered(table: &TableRecord, clustered: &Clustered) -> Result<Vec<Lookups>> {
    let mut all = of_each(table, &clustered.single)?;
    for (columns, said) in &clustered.several {
        let Several::Compare(Comparison::Equal, values) = said else {
            all.push(Lookups::new());
            continue;
        };
        let mut own = Lookups::new();
        for (at, value) in columns.iter().zip(values) {
            own.extend(of_one(table, *at, &One::Equal(value.clone()))?);
        }
        all.push(own);
    }
    Ok(all)
}

fn of_one(table: &TableRecord, at: usize, one: &One) -> Result<Lookups> {
    let id = table.column(at)?.id();
    let mut found = Lookups::new();
    for (nth, index) in table.indexes.iter().enumerate() {
        if index.column != id || index.is_building {
            continue;
        }
        let sought = match (index.target, one) {
            (IndexTarget::Value | IndexTarget::Full, One::Equal(value))
            | (IndexTarget::Elements, One::Other(Test::Contains(value)))
            | (IndexTarget::Keys, One::Other(Test::ContainsKey(value))) => Sought::Value(value.to_vec()),
            (IndexTarget::Entries, One::Other(Test::Entry(key, Comparison::Equal, value))) => {
                Sought::Entry(key.to_vec(), value.to_vec())
            }
            (IndexTarget::Value, One::Range(comparison, value)) if finds_ranges(table, index) => {
                let value = value.to_vec();
                match comparison {
                    Comparison::Greater => Sought::Range(Bound::Excluded(value), Bound::Unbounded),
                    Comparison::GreaterOrEqual => Sought::Range(Bound::Included(value), Bound::Unbounded),
                    Comparison::Less => Sought::Range(Bound::Unbounded, Bound::Excluded(value)),
                    Comparison::LessOrEqual => Sought::Range(Bound::Unbounded, Bound::Included(value)),
                    Comparison::Equal | Comparison::NotEqual => continue,
                }
            }
            _ => continue,
        };
        found.push(IndexLookup { index: nth, sought });
    }
    Ok(found)
}

/// Whether indexes find all that is asked for: one of Cassandra's own a single thing, storage-attached ones any number together.
pub(super) fn finds_all(table: &TableRecord, asked: &[Lookups]) -> bool {
    let is_storage_attached = |lookup: &IndexLookup| {
        table.indexes.get(lookup.index).is_some_and(crate::wide_column::schema::IndexDefinition::is_storage_attached)
    };
    match asked {
        [] => true,
        [only] => !only.is_empty(),
        several => several.iter().all(|own| own.iter().any(is_storage_attached)),
    }
}

/// The lookup to begin with, of one value if there is such a one; the rest is asked of the rows that it finds.
pub(super) fn first(asked: Vec<Lookups>) -> Option<IndexLookup> {
    let (ranges, values): (Vec<_>, Vec<_>) =
        asked.into_iter().flatten().partition(|lookup| matches!(lookup.sought, Sought::Range(..)));
    if let Some(lookup) = values.into_iter().next() {
        return Some(lookup);
    }
    let mut ranges = ranges.into_iter();
    let mut first = ranges.next()?;
    for other in ranges.filter(|other| other.index == first.index) {
        // The other end of the same range.
        if let (Sought::Range(start, end), Sought::Range(other_start, other_end)) = (&mut first.sought, other.sought) {
            if matches!(start, Bound::Unbounded) {
                *start = other_start;
            }
            if matches!(end, Bound::Unbounded) {
                *end = other_end;
            }
        }
    }
    Some(first)
}

/// What rows have to meet, of texts as an index that finds them has them.
pub(super) fn filter(table: &TableRecord, at: usize, one: One) -> Result<Filter> {
    let id = table.column(at)?.id();
    let own = table.indexes.iter().filter(|index| index.column == id && !index.is_building);
    Ok(Filter::Column(at, own.fold(one.into_test(), Test::by)))
}
