//! Whole primary keys: statements that name one row, by `=` on each column of its key, are bound without looking at their `WHERE` again.

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{Assignment, Comparison, Guard, Relation, Select, Term, Update};
use crate::wide_column::cql::plan::context::Context;
use crate::wide_column::cql::plan::value::{Receiver, compared};
use crate::wide_column::layout::join_partition;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::schema::{Column, ColumnKind, TableRecord};

/// A column and the place of its term in the statement.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: usize,
    relation: usize,
}

/// Which relation of a `WHERE` is about which column of a whole primary key.
#[derive(Debug)]
pub(super) struct Direct {
    partition: Vec<Place>,
    clustering: Vec<Place>,
}

impl Direct {
    /// Of a query that is for one row: without groups, an order and limits, which have rules of their own.
    pub(super) fn of(record: &TableRecord, select: &Select) -> Option<Self> {
        let is_plain = !select.distinct
            && select.group_by.is_empty()
            && select.order_by.is_empty()
            && select.limit.is_none()
            && select.per_partition_limit.is_none();
        let places = key_places(record, &select.relations).filter(|_| is_plain)?;
        let (partition, clustering) = places.split_at(record.shape().partition.len());
        Some(Self { partition: partition.to_vec(), clustering: clustering.to_vec() })
    }

    /// The serialized partition key, and a value of each clustering column.
    ///
    /// # Errors
    /// Cassandra's for values that are none of a key.
    pub(super) fn bind(
        &self,
        context: &Context<'_>,
        record: &TableRecord,
        relations: &[Relation],
    ) -> Result<(Bytes, SmallVec<[Bytes; 4]>)> {
        let value = |place: &Place| {
            let own = record.column(place.column)?;
            let term = relations.get(place.relation).and_then(term_of);
            let term = term.ok_or_else(|| Error::value("a relation is not there any more"))?;
            compared(context, term, Receiver::new(own.name(), own.column_type()))
        };
        let values = |places: &[Place]| places.iter().map(value).collect::<Result<SmallVec<[Bytes; 4]>>>();
        Ok((join_partition(&values(&self.partition)?)?, values(&self.clustering)?))
    }
}

/// The term of `column = term`.
pub(super) fn term_of(relation: &Relation) -> Option<&Term> {
    match relation {
        Relation::Column { comparison: Comparison::Equal, value, .. } => Some(value),
        _ => None,
    }
}

/// The place of each column of the primary key, when `relations` are `=` of each of them, once, and nothing else.
fn key_places(record: &TableRecord, relations: &[Relation]) -> Option<Vec<Place>> {
    let shape = record.shape();
    let key = shape.partition.iter().copied().chain(shape.clustering.iter().map(|(at, _)| *at));
    if relations.len() != shape.partition.len() + shape.clustering.len() {
        return None;
    }
    let place = |column: usize| {
        let name = record.column(column).ok()?.name();
        let is_of =
            |relation: &Relation| matches!(relation, Relation::Column { column, .. } if column.as_str() == name);
        let relation = relations.iter().position(|relation| is_of(relation) && term_of(relation).is_some())?;
        Some(Place { column, relation })
    };
    key.map(place).collect()
}

/// Of an `UPDATE` that sets regular columns of one row, each once and without a condition, the columns of its terms: those it sets,
/// and then those of its `WHERE`.
pub(super) fn set_columns(record: &TableRecord, update: &Update) -> Option<Vec<usize>> {
    if update.guard != Guard::None || record.shape().is_counter {
        return None;
    }
    let mut columns = Vec::with_capacity(update.assignments.len() + update.relations.len());
    for assignment in &update.assignments {
        let Assignment::Set(name, _) = assignment else { return None };
        let at = record.position(name.as_str())?;
        let is_regular = |own: &Column| own.kind() == ColumnKind::Regular;
        if columns.contains(&at) || !record.column(at).is_ok_and(is_regular) {
            return None;
        }
        columns.push(at);
    }
    let mut places = key_places(record, &update.relations)?;
    places.sort_by_key(|place| place.relation);
    columns.extend(places.iter().map(|place| place.column));
    Some(columns)
}

/// The term of an `UPDATE` at this place of [`set_columns`].
pub(super) fn set_term(update: &Update, nth: usize) -> Option<&Term> {
    match update.assignments.get(nth) {
        Some(Assignment::Set(_, term)) => Some(term),
        Some(_) => None,
        None => update.relations.get(nth - update.assignments.len()).and_then(term_of),
    }
}
