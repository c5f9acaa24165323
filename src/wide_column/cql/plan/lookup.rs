//! Which indexes find what a `WHERE` asks for.

use crate::error::Result;
use crate::wide_column::cql::plan::slices::{Clustered, One, Several};
use crate::wide_column::index::entry_value;
use crate::wide_column::read::plan::{Bytes, Comparison, IndexLookup, Test};
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
        let value = match (index.target, one) {
            (IndexTarget::Value | IndexTarget::Full, One::Equal(value))
            | (IndexTarget::Elements, One::Other(Test::Contains(value)))
            | (IndexTarget::Keys, One::Other(Test::ContainsKey(value))) => value.clone(),
            (IndexTarget::Entries, One::Other(Test::Entry(key, Comparison::Equal, value))) => {
                Bytes::from_vec(entry_value(key, value))
            }
            _ => continue,
        };
        found.push(IndexLookup { index: nth, value });
    }
    Ok(found)
}

/// Whether an index finds all that is asked for, so that no row is looked at in vain.
pub(super) fn finds_all(asked: &[Lookups]) -> bool {
    match asked {
        [] => true,
        [only] => !only.is_empty(),
        _ => false,
    }
}

/// The lookup to begin with; the rest is asked of the rows that it finds.
pub(super) fn first(asked: Vec<Lookups>) -> Option<IndexLookup> {
    asked.into_iter().flatten().next()
}
