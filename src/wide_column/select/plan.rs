//! From a query to its plan.

use std::ops::Bound;

use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::Scope;
use crate::wide_column::bind::{bind_key, partition_key};
use crate::wide_column::filter::part;
use crate::wide_column::index::Sought;
use crate::wide_column::order::compare;
use crate::wide_column::read::Fetch;
use crate::wide_column::read::plan::{
    self as read, Bytes, Comparison, Edge, IndexLookup, Partitions, Plan, Slice, Source, Test,
};
use crate::wide_column::row::Selection;
use crate::wide_column::schema::{Column, ColumnKind, Definition, IndexTarget, Order, TableRecord};
use crate::wide_column::select::{From, Restriction, Select};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

impl<S: Scope> Select<S> {
    /// The plan of the query.
    pub(super) fn plan(&self, definition: Definition, selection: &Selection) -> Result<Plan> {
        if self.limit == Some(0) || self.limit_per_partition == Some(0) {
            return Err(Error::invalid(InvalidKind::Value, "a limit is at least 1"));
        }
        let table = &definition.record;
        self.check_restrictions(table)?;
        let mut filters = self.filters.iter().map(|filter| filter.of_query(table)).collect::<Result<Vec<_>>>()?;
        let (partitions, lookup) = match &self.from {
            From::Partitions(several) => {
                let mut keys: Vec<Vec<u8>> = Vec::with_capacity(several.len());
                for values in several {
                    let key = partition_key(table, values)?.into_vec();
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                (Partitions::Keys(keys), None)
            }
            From::Tokens(start, end) => (Partitions::Tokens(*start, *end), None),
            From::Index(name, value) => {
                let (lookup, filter) = lookup(table, name, value)?;
                filters.push(filter);
                (Partitions::ALL, Some(lookup))
            }
        };
        if !matches!(partitions, Partitions::Keys(_)) {
            self.check_scan()?;
        }
        let slices = self.slices(table)?;
        let is_clustering = |of: &Fetch| table.shape().clustering.iter().any(|(own, _)| *own == of.at());
        let fetches_clustering = !filters.is_empty() || selection.columns().iter().any(is_clustering);
        Ok(Plan {
            fetches_clustering,
            with_static_rows: slices == [Slice::ALL],
            source: match lookup {
                None => Source::Table(definition),
                Some(lookup) => Source::Index(definition, lookup),
            },
            partitions,
            slices,
            filters,
            is_reversed: self.is_reversed,
            is_distinct: self.is_distinct,
            limit: self.limit,
            limit_per_partition: self.limit_per_partition,
            now: None,
            resume: self.after.clone(),
        })
    }

    pub(super) fn check_restrictions(&self, table: &TableRecord) -> Result<()> {
        for (at, (name, _)) in self.restrictions.iter().enumerate() {
            check_restrictable(table.schema.require(name)?)?;
            if self.restrictions.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(InvalidKind::Value, format!("column {name:?} is restricted twice")));
            }
        }
        Ok(())
    }

    fn check_scan(&self) -> Result<()> {
        if let Some((name, _)) = self.restrictions.first() {
            let message = format!("column {name:?} can only be restricted within one partition");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        if self.is_reversed {
            return Err(Error::invalid(InvalidKind::Value, "only the rows of one partition can be reversed"));
        }
        Ok(())
    }

    /// The rows that the restrictions let in, disjoint and in clustering order.
    pub(super) fn slices(&self, table: &TableRecord) -> Result<Vec<Slice>> {
        let restriction = |name: &str| self.restrictions.iter().find(|(of, _)| of == name).map(|(_, r)| r);
        // Values of the first columns, in their order.
        let mut equal: Vec<Vec<Bytes>> = vec![Vec::new()];
        let mut ranges = None;
        // The first column without equality: after it nothing can be restricted.
        let mut last: Option<&str> = None;
        for (column, order) in table.schema.clustering_columns() {
            let restriction = restriction(column.name());
            if let (Some(last), Some(_)) = (last, restriction) {
                let name = column.name();
                let message =
                    format!("column {name:?} cannot be restricted: {last:?} before it is not restricted by equality");
                return Err(Error::invalid(InvalidKind::Value, message));
            }
            match restriction {
                Some(Restriction::Equal(value)) => {
                    let value = bind_key(column, value)?;
                    for values in &mut equal {
                        values.push(value.clone());
                    }
                }
                Some(Restriction::In(several)) => {
                    let bound = several.iter().map(|value| bind_key(column, value));
                    let bound = in_order(column, order, bound.collect::<Result<_>>()?);
                    limits::check("rows that IN asks for", limits::WIDE_IN_ROWS_MAX, equal.len() * bound.len())?;
                    let with = |values: &Vec<Bytes>| {
                        let values = values.clone();
                        bound.iter().map(move |value| [&values[..], std::slice::from_ref(value)].concat())
                    };
                    equal = equal.iter().flat_map(with).collect();
                }
                Some(Restriction::Range(lower, upper)) => {
                    let (first, end) = if order == Order::Descending { (upper, lower) } else { (lower, upper) };
                    ranges = Some((column, first, end));
                    last = Some(column.name());
                }
                None => last = last.or(Some(column.name())),
            }
        }
        let slice = |values: Vec<Bytes>| match ranges {
            None => Ok(Slice::prefix(values)),
            Some((column, first, end)) => {
                Ok(Slice { start: edge(&values, column, first)?, end: edge(&values, column, end)? })
            }
        };
        equal.into_iter().map(slice).collect()
    }
}

/// Values in the order of a clustering column, each once.
fn in_order(column: &Column, order: Order, mut values: Vec<Bytes>) -> Vec<Bytes> {
    let cql_type = column.column_type();
    values.sort_by(|a, b| match order {
        Order::Ascending => compare(cql_type, a, b),
        Order::Descending => compare(cql_type, b, a),
    });
    values.dedup_by(|a, b| compare(cql_type, a, b).is_eq());
    values
}

/// The entries of an index for a value, and the condition that rows which they name still have to meet.
fn lookup(table: &TableRecord, name: &str, value: &CqlValue) -> Result<(IndexLookup, read::Filter)> {
    let found = table.indexes.iter().enumerate().find(|(_, index)| index.name == name && !index.is_building);
    let missing = || Error::NotFound { what: "index", name: name.to_owned() };
    let (at, index) = found.ok_or_else(missing)?;
    let column = table.column_with(index.column).ok_or_else(missing)?;
    let place = table.schema.columns().position(|own| own.id() == index.column).unwrap_or_default();
    let parts = |what: &str| Error::invalid(InvalidKind::Type, format!("index {name:?} is of {what}"));
    let whole = |bytes: Bytes, test: fn(Bytes) -> Test| (Sought::Value(bytes.to_vec()), test(bytes));
    let equal = |bytes| Test::Compare(Comparison::Equal, bytes);
    let (sought, test) = match (index.target, column.column_type().thawed(), value) {
        (IndexTarget::Value | IndexTarget::Full, ..) => whole(bind_key(column, value)?, equal),
        (IndexTarget::Elements, CqlType::List(element) | CqlType::Set(element), _) => {
            whole(part(column, element, value)?, Test::Contains)
        }
        (IndexTarget::Elements, CqlType::Map(both), _) => whole(part(column, &both.1, value)?, Test::Contains),
        (IndexTarget::Keys, CqlType::Map(both), _) => whole(part(column, &both.0, value)?, Test::ContainsKey),
        (IndexTarget::Entries, CqlType::Map(both), CqlValue::Tuple(entry)) => {
            let [key, value] = &entry[..] else { return Err(parts("entries: a tuple of key and value")) };
            let (key, value) = (part(column, &both.0, key)?, part(column, &both.1, value)?);
            (Sought::Entry(key.to_vec(), value.to_vec()), Test::Entry(key, Comparison::Equal, value))
        }
        _ => return Err(parts("something else than the value is of")),
    };
    Ok((IndexLookup { index: at, sought }, read::Filter::Column(place, test.by(index))))
}

/// An end of a slice of the rows that agree in `equal` and whose next column is within a bound.
fn edge(equal: &[Bytes], column: &Column, bound: &Bound<CqlValue>) -> Result<Edge> {
    let mut values = equal.to_vec();
    let mut with = |value: &CqlValue| {
        values.push(bind_key(column, value)?);
        Ok(values.clone())
    };
    match bound {
        Bound::Unbounded => Ok(Edge::including(values)),
        Bound::Included(value) => with(value).map(Edge::including),
        Bound::Excluded(value) => with(value).map(Edge::excluding),
    }
}

fn check_restrictable(column: &Column) -> Result<()> {
    let name = column.name();
    match column.kind() {
        ColumnKind::Clustering(_) => Ok(()),
        ColumnKind::PartitionKey => {
            let message = format!("partition column {name:?} is given to `select`, not restricted afterwards");
            Err(Error::invalid(InvalidKind::Value, message))
        }
        ColumnKind::Regular | ColumnKind::Static => {
            Err(Error::unsupported(format!("restricting {name:?}, which is not a clustering column and has no index")))
        }
    }
}
