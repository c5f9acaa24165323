//! `WHERE`: which partitions, which of their rows, and what they have to meet.

use std::borrow::Cow;
use std::ops::Bound as End;

use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::cql::ast::{self, InTuples, InValues, Name, Relation, Term};
use crate::wide_column::cql::plan::context::{Context, column, invalid};
use crate::wide_column::cql::plan::lookup;
use crate::wide_column::cql::plan::slices::{Clustered, One, Several, Sliced, slices};
use crate::wide_column::cql::plan::value::{Receiver, compared, given_list, present, serialized, value_of};
use crate::wide_column::layout::join_partition;
use crate::wide_column::order::compare;
use crate::wide_column::read::plan::{Bytes, Comparison, Filter, IndexLookup, Partitions, Slice, Test};
use crate::wide_column::schema::{Column, ColumnKind, Definition, TableRecord};
use crate::wide_column::token::token;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// What Cassandra says of a query that would look at more than it returns.
pub(super) const NEEDS_FILTERING: &str = "Cannot execute this query as it might involve data filtering and thus may have \
    unpredictable performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING";

/// What a `WHERE` comes to.
#[derive(Debug)]
pub(super) struct Restricted {
    /// One set of values for each column of the partition key, when all are restricted by equality.
    pub(super) keys: Option<Vec<Vec<u8>>>,
    pub(super) tokens: Option<(End<i64>, End<i64>)>,
    pub(super) slices: Vec<Slice>,
    pub(super) filters: Vec<Filter>,
    /// Where rows are found; without one they are all looked at.
    pub(super) lookup: Option<IndexLookup>,
    /// Whether it is a query by an index, as Cassandra sees it.
    pub(super) uses_index: bool,
}

impl Restricted {
    pub(super) fn partitions(&self) -> Partitions {
        match (&self.keys, self.tokens) {
            (Some(keys), _) => Partitions::Keys(keys.clone()),
            (None, Some((start, end))) => Partitions::Tokens(start, end),
            (None, None) => Partitions::ALL,
        }
    }
}

/// What is said of each column, before it is put together.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) partition: Vec<(usize, One)>,
    pub(super) clustered: Clustered,
    pub(super) others: Vec<(usize, One)>,
    pub(super) tokens: Option<(End<i64>, End<i64>)>,
}

/// Looks the columns of `relations` up, and makes values of their terms.
pub(super) fn said(context: &Context<'_>, table: &TableRecord, label: &str, relations: &[Relation]) -> Result<Said> {
    let mut found = Said::default();
    for relation in relations {
        match relation {
            Relation::Column { column: name, comparison: written, value } => {
                let (at, own) = column(table, label, name)?;
                check_comparable(own, *written, relation)?;
                let value = compared(context, value, Receiver::new(own.name(), own.column_type()))?;
                let one = match *written {
                    Comparison::Equal => One::Equal(value),
                    other => One::Range(other, value),
                };
                found.add(own, at, one)?;
            }
            Relation::In { column: name, values } => {
                let (at, own) = column(table, label, name)?;
                if own.column_type().is_multi_cell() {
                    return Err(collection(own, "IN"));
                }
                found.add(own, at, One::In(in_values(context, own, values)?))?;
            }
            Relation::Contains { column: name, key, value } => {
                let (at, own) = column(table, label, name)?;
                let (part, test): (_, fn(Bytes) -> Test) = match (own.column_type().thawed(), key) {
                    (CqlType::List(element) | CqlType::Set(element), false) => (element.as_ref(), Test::Contains),
                    (CqlType::Map(both), false) => (&both.1, Test::Contains),
                    (CqlType::Map(both), true) => (&both.0, Test::ContainsKey),
                    (_, true) => {
                        return Err(invalid(format!("Cannot use CONTAINS KEY on non-map column {}", own.name())));
                    }
                    (_, false) => {
                        return Err(invalid(format!("Cannot use CONTAINS on non-collection column {}", own.name())));
                    }
                };
                let value = compared(context, value, Receiver::new(own.name(), part))?;
                found.add(own, at, One::Other(test(value)))?;
            }
            Relation::Element { column: name, key, comparison: written, value } => {
                let (at, own) = column(table, label, name)?;
                let CqlType::Map(both) = own.column_type().thawed() else {
                    return Err(invalid(format!("Column {} cannot be used as a map", own.name())));
                };
                if *written != Comparison::Equal {
                    return Err(invalid("Only EQ relations are supported on map entries"));
                }
                let key = compared(context, key, Receiver::new(own.name(), &both.0))?;
                let value = compared(context, value, Receiver::new(own.name(), &both.1))?;
                found.add(own, at, One::Other(Test::Entry(key, Comparison::Equal, value)))?;
            }
            Relation::Columns { columns, comparison: written, value } => {
                let places = clustering(table, label, columns, relation)?;
                let values = tuple(context, table, &places, value)?;
                if *written == Comparison::NotEqual {
                    return Err(invalid(format!("Unsupported \"!=\" relation: {relation}")));
                }
                found.add_bound(table, places, *written, values)?;
            }
            Relation::ColumnsIn { columns, values } => {
                let places = clustering(table, label, columns, relation)?;
                let tuples = match values {
                    InTuples::List(terms) => {
                        terms.iter().map(|term| tuple(context, table, &places, term)).collect::<Result<_>>()?
                    }
                    InTuples::Marker(marker) => match &*in_tuples(context, table, &places, marker.index)? {
                        CqlValue::List(tuples) => {
                            tuples.iter().map(|value| tuple_of(table, &places, value)).collect::<Result<_>>()?
                        }
                        _ => return Err(invalid("Invalid null value for IN restriction")),
                    },
                };
                found.clustered.several.push((places, Several::In(tuples)));
            }
            Relation::Token { columns, comparison: written, value } => {
                found.add_token(context, table, label, columns, (*written, value))?;
            }
            Relation::IsNotNull(_) => return Err(invalid(format!("Unsupported restriction: {relation}"))),
            Relation::Like { column: name, .. } => {
                column(table, label, name)?;
                return Err(invalid(format!(
                    "LIKE restriction is only supported on properly indexed columns. {relation} is not valid."
                )));
            }
            Relation::Expression { .. } => {
                return Err(Error::unsupported(format!("custom index expressions: {relation}")));
            }
        }
    }
    Ok(found)
}

impl Said {
    fn add(&mut self, column: &Column, at: usize, one: One) -> Result<()> {
        let list = match column.kind() {
            ColumnKind::PartitionKey => &mut self.partition,
            ColumnKind::Clustering(_) => &mut self.clustered.single,
            ColumnKind::Regular | ColumnKind::Static => &mut self.others,
        };
        let name = column.name();
        for (_, earlier) in list.iter().filter(|(own, _)| *own == at) {
            match (earlier, &one) {
                (One::Other(_), One::Other(_)) => {}
                (One::Range(first, _), One::Range(second, _)) if is_lower(*first) != is_lower(*second) => {}
                (One::Range(first, _), One::Range(..)) => return Err(two_bounds(is_lower(*first), name)),
                (One::In(_), _) | (_, One::In(_))
                    if !matches!((earlier, &one), (One::Equal(_), _) | (_, One::Equal(_))) =>
                {
                    let message = format!("{name} cannot be restricted by more than one relation if it includes a IN");
                    return Err(invalid(message));
                }
                (One::Other(_), _) | (_, One::Other(_)) if column.is_key() => {}
                _ => {
                    let message =
                        format!("{name} cannot be restricted by more than one relation if it includes an Equal");
                    return Err(invalid(message));
                }
            }
        }
        list.push((at, one));
        Ok(())
    }

    /// What one relation says of several columns. Two that begin with the same column are the two ends of a slice.
    fn add_bound(
        &mut self,
        table: &TableRecord,
        places: Vec<usize>,
        comparison: Comparison,
        values: Vec<Bytes>,
    ) -> Result<()> {
        for (earlier, said) in &self.clustered.several {
            let Several::Compare(other, _) = said else { continue };
            let are_bounds = ![comparison, *other].contains(&Comparison::Equal);
            if are_bounds && earlier.first() == places.first() && is_lower(comparison) == is_lower(*other) {
                let mut shared = Vec::new();
                for at in places.iter().filter(|at| earlier.contains(at)) {
                    shared.push(table.column(*at)?.name());
                }
                return Err(two_bounds(is_lower(comparison), &shared.join(", ")));
            }
        }
        self.clustered.several.push((places, Several::Compare(comparison, values)));
        Ok(())
    }

    fn add_token(
        &mut self,
        context: &Context<'_>,
        table: &TableRecord,
        label: &str,
        columns: &[Name],
        (comparison, value): (Comparison, &Term),
    ) -> Result<()> {
        let mut places = Vec::with_capacity(columns.len());
        for name in columns {
            places.push(column(table, label, name)?.0);
        }
        if places != table.shape().partition {
            let names: Vec<_> = table.schema.partition_columns().map(Column::name).collect();
            if places.iter().any(|at| !table.shape().partition.contains(at)) || places.len() != names.len() {
                return Err(invalid(
                    "The token() function must be applied to all partition key components or none of them",
                ));
            }
            return Err(invalid(format!(
                "The token function arguments must be in the partition key order: {}",
                names.join(", ")
            )));
        }
        let at = match value {
            Term::Call(call) if call.function.name.as_str() == "token" => {
                if call.arguments.len() != places.len() {
                    let (needs, got) = (places.len(), call.arguments.len());
                    return Err(invalid(format!(
                        "Invalid number of arguments in call to function system.token: {needs} required but {got} provided"
                    )));
                }
                let mut values = Vec::with_capacity(places.len());
                for (place, argument) in places.iter().zip(&call.arguments) {
                    let own = table.column(*place)?;
                    values.push(compared(context, argument, Receiver::new(own.name(), own.column_type()))?);
                }
                token(&join_partition(&values)?)
            }
            other => {
                let receiver = Receiver::new("partition key token", &CqlType::Bigint);
                match value_of(context, other, receiver)? {
                    CqlValue::Bigint(token) => token,
                    _ => return Err(invalid("Invalid null token value in condition")),
                }
            }
        };
        let (start, end) = self.tokens.unwrap_or((End::Unbounded, End::Unbounded));
        let names = || table.schema.partition_columns().map(Column::name).collect::<Vec<_>>().join(", ");
        let is_one = matches!((start, end), (End::Included(start), End::Included(end)) if start == end);
        if is_one || self.tokens.is_some() && comparison == Comparison::Equal {
            let names = names();
            return Err(invalid(format!(
                "{names} cannot be restricted by more than one relation if it includes an Equal"
            )));
        }
        let taken = if is_lower(comparison) { start } else { end };
        if !matches!(taken, End::Unbounded) {
            return Err(two_bounds(is_lower(comparison), &names()));
        }
        self.tokens = Some(match comparison {
            Comparison::Equal => (End::Included(at), End::Included(at)),
            Comparison::Greater => (End::Excluded(at), end),
            Comparison::GreaterOrEqual => (End::Included(at), end),
            Comparison::Less => (start, End::Excluded(at)),
            Comparison::LessOrEqual => (start, End::Included(at)),
            Comparison::NotEqual => return Err(invalid("Unsupported \"!=\" relation on a token")),
        });
        Ok(())
    }
}

fn is_lower(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
}

/// The error for two lower ends, or two upper ones.
fn two_bounds(are_lower: bool, names: &str) -> Error {
    let end = if are_lower { "start" } else { "end" };
    invalid(format!("More than one restriction was found for the {end} bound on {names}"))
}

fn check_comparable(column: &Column, written: Comparison, relation: &Relation) -> Result<()> {
    let (name, cql_type) = (column.name(), column.column_type());
    if written == Comparison::NotEqual {
        return Err(invalid(format!("Unsupported \"!=\" relation: {relation}")));
    }
    if matches!(cql_type, CqlType::Udt(_)) {
        return Err(invalid(format!(
            "Non-frozen UDT column '{name}' ({cql_type}) cannot be restricted by any relation"
        )));
    }
    if cql_type.is_multi_cell() {
        return Err(collection(column, &written.to_string()));
    }
    if written != Comparison::Equal && cql_type.any(&mut |part| *part == CqlType::Duration) {
        let what = if *cql_type == CqlType::Duration { "duration columns" } else { "collections containing durations" };
        return Err(invalid(format!("Slice restrictions are not supported on {what}")));
    }
    Ok(())
}

fn collection(column: &Column, operator: &str) -> Error {
    let (name, cql_type) = (column.name(), column.column_type());
    invalid(format!("Collection column '{name}' ({cql_type}) cannot be restricted by a '{operator}' relation"))
}

fn in_values(context: &Context<'_>, column: &Column, values: &InValues) -> Result<Vec<Bytes>> {
    let receiver = Receiver::new(column.name(), column.column_type());
    match values {
        InValues::List(terms) => terms.iter().map(|term| compared(context, term, receiver)).collect(),
        InValues::Marker(marker) => match &*given_list(context, marker.index, receiver)? {
            CqlValue::List(values) => {
                values.iter().map(|value| present(serialized(value, receiver)?, receiver.name)).collect()
            }
            CqlValue::Unset => Err(invalid(format!("Invalid unset value for column {}", column.name()))),
            _ => Err(invalid(format!("Invalid null value in condition for column {}", column.name()))),
        },
    }
}

/// The clustering columns that a relation of several names, which have to be neighbours in their order.
fn clustering(table: &TableRecord, label: &str, columns: &[Name], relation: &Relation) -> Result<Vec<usize>> {
    let own = &table.shape().clustering;
    let mut places: Vec<usize> = Vec::with_capacity(columns.len());
    let mut before = None;
    for name in columns {
        let (at, found) = column(table, label, name)?;
        let Some(place) = own.iter().position(|(own, _)| *own == at) else {
            let name = found.name();
            return Err(invalid(format!(
                "Multi-column relations can only be applied to clustering columns but was applied to: {name}"
            )));
        };
        if places.contains(&at) {
            return Err(invalid(format!("Column \"{}\" appeared twice in a relation: {relation}", found.name())));
        }
        if before.is_some_and(|before: usize| place != before + 1) {
            return Err(invalid(format!(
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: {relation}"
            )));
        }
        before = Some(place);
        places.push(at);
    }
    Ok(places)
}

fn tuple(context: &Context<'_>, table: &TableRecord, places: &[usize], term: &Term) -> Result<Vec<Bytes>> {
    match term {
        Term::Tuple(terms) => {
            if terms.len() != places.len() {
                let (expected, found) = (places.len(), terms.len());
                return Err(invalid(format!("Expected {expected} elements in value tuple, but got {found}: {term}")));
            }
            let value = |(at, term): (&usize, &Term)| {
                let own = table.column(*at)?;
                compared(context, term, Receiver::new(own.name(), own.column_type()))
            };
            places.iter().zip(terms).map(value).collect()
        }
        Term::Marker(marker) => {
            let (name, of) = tuple_type(table, places)?;
            tuple_of(table, places, &*context.given(marker.index, &format!("({name})"), || of)?)
        }
        other => Err(invalid(format!("Invalid tuple literal: {other}"))),
    }
}

/// The names of these columns, and the type of a tuple of their values.
fn tuple_type(table: &TableRecord, places: &[usize]) -> Result<(String, CqlType)> {
    let (mut names, mut types) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
    for at in places {
        let own = table.column(*at)?;
        names.push(own.name());
        types.push(own.column_type().clone());
    }
    Ok((names.join(","), CqlType::tuple(types)))
}

/// What was given for the tuples that these columns may be.
fn in_tuples<'a>(
    context: &Context<'a>,
    table: &TableRecord,
    places: &[usize],
    marker: u16,
) -> Result<Cow<'a, CqlValue>> {
    let (name, of) = tuple_type(table, places)?;
    context.given(marker, &format!("in({name})"), || CqlType::list(of))
}

fn tuple_of(table: &TableRecord, places: &[usize], value: &CqlValue) -> Result<Vec<Bytes>> {
    let CqlValue::Tuple(values) = value else { return Err(invalid("Invalid null value in condition for columns")) };
    if values.len() != places.len() {
        let (expected, found) = (places.len(), values.len());
        return Err(invalid(format!("Expected {expected} elements in value tuple, but got {found}")));
    }
    let value = |(at, value): (&usize, &CqlValue)| {
        let own = table.column(*at)?;
        present(serialized(value, Receiver::new(own.name(), own.column_type()))?, own.name())
    };
    places.iter().zip(values).map(value).collect()
}

/// Every partition key that is said, when each of its columns is restricted by equality.
pub(super) fn keys(table: &TableRecord, partition: &[(usize, One)]) -> Result<Option<Vec<Vec<u8>>>> {
    let mut all: Vec<Vec<Bytes>> = vec![Vec::new()];
    for at in &table.shape().partition {
        let mut own = partition.iter().filter(|(of, _)| of == at).map(|(_, one)| one);
        let mut values = match (own.next(), own.next()) {
            (Some(One::Equal(value)), None) => vec![value.clone()],
            (Some(One::In(values)), None) => values.clone(),
            _ => return Ok(None),
        };
        let cql_type = table.column(*at)?.column_type();
        values.sort_by(|a, b| compare(cql_type, a, b));
        values.dedup_by(|a, b| compare(cql_type, a, b).is_eq());
        limits::check("partitions that IN asks for", limits::WIDE_IN_ROWS_MAX, all.len().saturating_mul(values.len()))?;
        let with = |key: Vec<Bytes>| {
            values.iter().map(move |value| [&key[..], std::slice::from_ref(value)].concat()).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(with).collect();
    }
    all.iter().map(|values| Ok(join_partition(values)?.into_vec())).collect::<Result<_>>().map(Some)
}

/// The `WHERE` of a query.
///
/// # Errors
/// Cassandra's, for what is not there, is of another type, or would need `ALLOW FILTERING`.
pub(super) fn restrict(
    context: &Context<'_>,
    table: &Definition,
    label: &str,
    select: &ast::Select,
) -> Result<Restricted> {
    let record = &table.record;
    let allowed = select.allow_filtering;
    let Said { partition, clustered, others, tokens } = said(context, record, label, &select.relations)?;
    let keys = keys(record, &partition)?;
    let is_clustered = !clustered.single.is_empty() || !clustered.several.is_empty();
    let of_partition = if keys.is_none() { lookup::of_each(record, &partition)? } else { Vec::new() };
    let of_clustering = lookup::of_clustered(record, &clustered)?;
    let mut asked = lookup::of_each(record, &others)?;
    let is_indexed = [&of_partition, &of_clustering, &asked].into_iter().flatten().any(|own| !own.is_empty());
    let mut filters = Vec::new();
    let has_in = partition.iter().any(|(_, one)| matches!(one, One::In(_)));
    let of_part = keys.is_none() && !partition.is_empty();
    if of_part && tokens.is_some() {
        return Err(invalid(
            "Columns of the partition key cannot be restricted by both a normal relation and a token relation",
        ));
    }
    if !is_indexed && !allowed && (of_part || keys.is_none() && is_clustered) {
        return Err(invalid(NEEDS_FILTERING));
    }
    if keys.is_none() {
        let test = |(at, one): (usize, One)| Filter::Column(at, one.into_test());
        filters.extend(partition.into_iter().map(test));
    }
    let Sliced { slices, filters: own, skips } = slices(record, clustered, allowed || is_indexed)?;
    let is_filtered = skips || own.iter().any(|filter| !matches!(filter, Filter::Columns(..)));
    filters.extend(own);
    let uses_index = is_indexed && (keys.is_none() || is_filtered || !others.is_empty());
    if keys.is_none() || is_filtered {
        asked.extend(of_clustering);
    }
    asked.extend(of_partition);
    if uses_index && has_in {
        return Err(invalid("Select on indexed columns and with IN clause for the PRIMARY KEY are not supported"));
    }
    if !allowed && !lookup::finds_all(record, &asked) {
        return Err(invalid(NEEDS_FILTERING));
    }
    for (at, one) in others {
        filters.push(lookup::filter(record, at, one)?);
    }
    Ok(Restricted { keys, tokens, slices, filters, lookup: lookup::first(asked), uses_index })
}
