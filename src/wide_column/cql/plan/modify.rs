//! `INSERT`, `UPDATE`, `DELETE` and batches of them.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::bind::{Binding, Bound};
use crate::wide_column::cql::ast::{
    Delete, Guard, Insert, InsertJson, JsonValue, Modification, Relation, Term, Update, Using,
};
use crate::wide_column::cql::plan::assign::{assigned, condition, deleted};
use crate::wide_column::cql::plan::authorize;
use crate::wide_column::cql::plan::context::{Context, column, invalid, sample};
use crate::wide_column::cql::plan::direct;
use crate::wide_column::cql::plan::named::{Keep, Named, kept};
use crate::wide_column::cql::plan::restrict::{Said, keys, said};
use crate::wide_column::cql::plan::slices::slices;
use crate::wide_column::cql::plan::value::{Number, Receiver, bound, integer, present, serialized};
use crate::wide_column::cql::text;
use crate::wide_column::read::plan::{Bytes, Slice};
use crate::wide_column::schema::{Column, ColumnKind, Definition, TableRecord};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::plan::{CellChange, Change, Condition, Plan};

/// Seconds that what is written lives and its timestamp, as `USING` says them.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    ttl: Option<u32>,
    timestamp: Option<i64>,
}

/// The plans of `modifications`, one after the other.
///
/// # Errors
/// Cassandra's for what it refuses; [`Error::Unsupported`] for what is not modelled.
pub(in crate::wide_column::cql) fn modifications<'m>(
    context: &Context<'_>,
    modifications: impl IntoIterator<Item = &'m Modification>,
) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for (nth, modification) in modifications.into_iter().enumerate() {
        let checked = kept(context, (nth, modification.table()), || Checked::new(context, modification))?;
        if !context.is_asking() {
            let named = (checked.named.keyspace(), modification.table().name.as_str());
            authorize::write(context, named, &checked.named.table.record, modification.is_conditional())?;
        }
        match modification {
            Modification::Insert(own) => plans.push(insert(context, own, &checked)?),
            Modification::InsertJson(own) => plans.push(insert_json(context, own, &checked)?),
            Modification::Update(own) => update(context, own, &checked, &mut plans)?,
            Modification::Delete(own) => delete(context, own, &checked, &mut plans)?,
        }
        limits::check("writes of a statement", limits::WIDE_BATCH_STATEMENTS_MAX, plans.len())?;
    }
    Ok(plans)
}

/// The timestamp that `USING` says, in microseconds; `None` when it says none.
pub(in crate::wide_column::cql) fn timestamp(context: &Context<'_>, term: &Term) -> Result<Option<i64>> {
    match integer(context, term, "[timestamp]", &CqlType::Bigint)? {
        Number::Unset => Ok(None),
        Number::Null => Err(invalid("Invalid null value of timestamp")),
        Number::Is(i64::MIN) => {
            let (min, max) = (i64::MIN + 1, i64::MAX);
            Err(invalid(format!("Out of bound timestamp, must be in [{min}, {max}]")))
        }
        Number::Is(timestamp) => Ok(Some(timestamp)),
    }
}

fn ttl(context: &Context<'_>, term: &Term) -> Result<Option<u32>> {
    let seconds = match integer(context, term, "[ttl]", &CqlType::Int)? {
        Number::Unset => return Ok(None),
        Number::Null => 0,
        Number::Is(seconds) => seconds,
    };
    if seconds < 0 {
        return Err(invalid(format!("A TTL must be greater or equal to 0, but was {seconds}")));
    }
    let max = limits::WIDE_TTL_SECONDS_MAX;
    match u32::try_from(seconds) {
        Ok(seconds) if seconds <= max => Ok(Some(seconds)),
        _ => Err(invalid(format!("ttl is too large. requested ({seconds}) maximum ({max})"))),
    }
}

fn options(context: &Context<'_>, table: &TableRecord, using: &[Using], guarded: bool) -> Result<Options> {
    let mut options = Options::default();
    let is_counter = table.shape().is_counter;
    for using in using {
        match using {
            Using::Timestamp(_) if guarded => {
                return Err(invalid("Cannot provide custom timestamp for conditional updates"));
            }
            Using::Timestamp(_) if is_counter => {
                return Err(invalid("Cannot provide custom timestamp for counter updates"));
            }
            Using::Timestamp(term) => options.timestamp = timestamp(context, term)?,
            Using::Ttl(_) if is_counter => return Err(invalid("Cannot provide custom TTL for counter updates")),
            Using::Ttl(term) => options.ttl = ttl(context, term)?,
        }
    }
    if is_counter && guarded {
        return Err(invalid("Conditional updates are not supported on counter tables"));
    }
    Ok(options)
}

/// What of a write can be told by its text and its table.
#[derive(Debug)]
struct Checked {
    named: Named,
    /// Where the values of its terms go, of an `INSERT`, and of an `UPDATE` of one row that sets columns.
    binding: Option<Binding>,
}

impl Keep for Checked {
    fn named(&self) -> &Named {
        &self.named
    }
}

impl Checked {
    fn new(context: &Context<'_>, modification: &Modification) -> Result<Self> {
        let named = Named::find(context, modification.table())?;
        let record = &named.table.record;
        if record.view.is_some() {
            return Err(invalid("Cannot directly modify a materialized view"));
        }
        let mut binding = None;
        match modification {
            Modification::Insert(own) => {
                check_insert(record)?;
                let mut columns = Vec::with_capacity(own.columns.len());
                if own.columns.len() != own.values.len() {
                    return Err(invalid("Unmatched column names/values"));
                }
                for name in &own.columns {
                    let (at, _) = column(record, &named.label, name)?;
                    if columns.contains(&at) {
                        return Err(invalid("The column names contains duplicates"));
                    }
                    columns.push(at);
                }
                binding = Some(insert_binding(record, columns)?);
            }
            Modification::InsertJson(_) => check_insert(record)?,
            Modification::Update(own) => {
                let columns = direct::set_columns(record, own);
                binding = columns.map(|columns| Binding::of(record, columns, false)).transpose()?;
            }
            // Values decide what most of its clauses come to.
            Modification::Delete(_) => {}
        }
        Ok(Self { named, binding })
    }
}

fn names(table: &TableRecord, places: impl Iterator<Item = usize>) -> String {
    let name = |at| table.column(at).map(|column| column.name().to_owned()).unwrap_or_default();
    places.map(name).collect::<Vec<_>>().join(", ")
}

/// Cells in the order in which they are stored.
fn in_order(table: &TableRecord, mut cells: Vec<CellChange>) -> Vec<CellChange> {
    cells.sort_by_key(|cell| table.column(cell.column).map_or(u16::MAX, crate::wide_column::schema::Column::id));
    cells
}

fn insert(context: &Context<'_>, insert: &Insert, checked: &Checked) -> Result<Plan> {
    let Some(binding) = &checked.binding else { return Err(Error::value("an INSERT without its columns")) };
    let value = |nth: usize, own: &Column| {
        let term = insert.values.get(nth).ok_or_else(|| invalid("Unmatched column names/values"))?;
        bound(context, term, Receiver::new(own.name(), own.column_type()))
    };
    let options = options(context, &checked.named.table.record, &insert.using, insert.if_not_exists)?;
    let condition = insert.if_not_exists.then_some(Condition::NotExists);
    written(context, &checked.named.table, binding, value, options, condition)
}

/// Where the values of the columns at these positions go.
///
/// # Errors
/// Cassandra's, for columns of the key that are not among them.
fn insert_binding(record: &TableRecord, columns: Vec<usize>) -> Result<Binding> {
    let shape = record.shape();
    let left_out = |at: &usize| !columns.contains(at);
    let mut missing = shape.partition.iter().copied().filter(left_out).peekable();
    if missing.peek().is_some() {
        return Err(invalid(format!("Some partition key parts are missing: {}", names(record, missing))));
    }
    let is_static = |at: &usize| record.column(*at).is_ok_and(|own| own.is_key() || own.kind() == ColumnKind::Static);
    let has_values = columns.len() > shape.partition.len();
    let is_of_partition = shape.clustering.iter().all(|(at, _)| left_out(at)) && columns.iter().all(is_static);
    let mut missing = shape.clustering.iter().map(|(at, _)| *at).filter(left_out).peekable();
    if missing.peek().is_some() && !(is_of_partition && has_values) {
        return Err(invalid(format!("Some clustering keys are missing: {}", names(record, missing))));
    }
    Binding::of(record, columns, true)
}

fn check_insert(record: &TableRecord) -> Result<()> {
    if record.shape().is_counter {
        return Err(invalid("INSERT statements are not allowed on counter tables, use UPDATE instead"));
    }
    Ok(())
}

/// `INSERT JSON`: what the object does not name is null, or not set.
fn insert_json(context: &Context<'_>, insert: &InsertJson, checked: &Checked) -> Result<Plan> {
    let table = &checked.named.table;
    let record = &table.record;
    let given_text;
    let text: Option<&str> = match &insert.json {
        JsonValue::Text(text) => Some(text),
        JsonValue::Marker(marker) => {
            given_text = context.given(marker.index, "[json]", || CqlType::Text)?;
            given_text.as_text()
        }
    };
    let options = options(context, record, &insert.using, insert.if_not_exists)?;
    let columns: Vec<_> = record.schema.columns().enumerate().collect();
    if context.is_asking() {
        let sampled = columns.iter().map(|(at, own)| {
            let (name, of) = (own.name(), own.column_type());
            Ok((*at, serialized(&sample(of), Receiver::new(name, of))?))
        });
        return inserted_json(context, table, sampled.collect::<Result<Vec<_>>>()?, options, insert.if_not_exists);
    }
    let Some(text) = text else { return Err(invalid("Got null for INSERT JSON values")) };
    let undecoded = |why: &str| invalid(format!("Could not decode JSON string as a map: {why}. (String was: {text})"));
    let fields = match text::Json::read(text).map_err(|why| undecoded(&why))? {
        text::Json::Object(fields) => fields,
        text::Json::Null => return Err(invalid("Got null for INSERT JSON values")),
        _ => return Err(undecoded("it is no map")),
    };
    let mut by_column: Vec<Option<text::Json>> = Vec::new();
    by_column.resize_with(columns.len(), || None);
    let mut unknown = None;
    for (field, json) in fields {
        match record.position(&text::column_name(&field)).and_then(|at| by_column.get_mut(at)) {
            // Of a name that is there twice the last one counts.
            Some(place) => *place = Some(json),
            None => unknown = unknown.or(Some(field)),
        }
    }
    let mut given = Vec::with_capacity(columns.len());
    for ((at, own), json) in columns.into_iter().zip(by_column) {
        let (name, of) = (own.name(), own.column_type());
        let value = match json {
            Some(json) => text::value_of_json(of, json)
                .map_err(|why| invalid(format!("Error decoding JSON value for {name}: {why}")))?,
            None if insert.default_unset => CqlValue::Unset,
            None => CqlValue::Null,
        };
        let value = serialized(&value, Receiver::new(name, of))?;
        let is_left_out = own.is_key() || (own.kind() == ColumnKind::Static && matches!(value, Bound::Unset));
        if !(is_left_out && matches!(value, Bound::Unset)) {
            given.push((at, value));
        }
    }
    if let Some(unknown) = unknown {
        return Err(invalid(format!("JSON values map contains unrecognized column: {unknown}")));
    }
    inserted_json(context, table, given, options, insert.if_not_exists)
}

fn inserted_json(
    context: &Context<'_>,
    table: &Definition,
    given: Vec<(usize, Bound)>,
    options: Options,
    if_not_exists: bool,
) -> Result<Plan> {
    let (columns, values): (Vec<_>, Vec<_>) = given.into_iter().unzip();
    let binding = insert_binding(&table.record, columns)?;
    let value = |nth: usize, _: &Column| Ok(values.get(nth).cloned().unwrap_or(Bound::Unset));
    let condition = if_not_exists.then_some(Condition::NotExists);
    written(context, table, &binding, value, options, condition)
}

/// The plan of writing the values that `value` gives to a row, or to the static columns of a partition.
fn written(
    context: &Context<'_>,
    table: &Definition,
    binding: &Binding,
    value: impl Fn(usize, &Column) -> Result<Bound>,
    options: Options,
    condition: Option<Condition>,
) -> Result<Plan> {
    let key = |nth: usize, own: &Column| present(value(nth, own)?, own.name());
    let (partition, change) = binding.bind_with(&table.record, key, &value)?;
    let Options { ttl, timestamp } = options;
    Ok(Plan { table: Arc::clone(table), partition, change, ttl, timestamp, now: context.now, condition })
}

/// What a `WHERE` of a write says: partitions and slices.
struct Where {
    keys: Vec<Vec<u8>>,
    slices: Vec<Slice>,
    /// Whether it says anything of clustering columns.
    is_clustered: bool,
}

fn whole_key(
    context: &Context<'_>,
    record: &TableRecord,
    label: &str,
    relations: &[Relation],
    verb: &str,
) -> Result<Where> {
    let Said { partition, clustered, others, tokens } = said(context, record, label, relations)?;
    if tokens.is_some() {
        return Err(invalid(format!("The token function cannot be used in WHERE clauses for {verb} statements")));
    }
    if !others.is_empty() {
        let mut places: Vec<_> = others.iter().map(|(at, _)| *at).collect();
        places.dedup();
        let names = names(record, places.into_iter());
        return Err(invalid(format!("Non PRIMARY KEY columns found in where clause: {names} ")));
    }
    let missing = record.shape().partition.iter().copied().filter(|at| !partition.iter().any(|(own, _)| own == at));
    let missing = names(record, missing);
    if !missing.is_empty() {
        return Err(invalid(format!("Some partition key parts are missing: {missing}")));
    }
    let Some(keys) = keys(record, &partition)? else {
        return Err(invalid(
            "Only EQ and IN relation are supported on the partition key (unless you use the token() function)",
        ));
    };
    let is_clustered = !clustered.single.is_empty() || !clustered.several.is_empty();
    let sliced = slices(record, clustered, false)?;
    if !sliced.filters.is_empty() {
        return Err(invalid(format!("Cannot use a non-contiguous range of clustering columns for {verb} statements")));
    }
    Ok(Where { keys, slices: sliced.slices, is_clustered })
}

/// The clustering values of a slice that is one row.
fn row_of<'s>(record: &TableRecord, slice: &'s Slice) -> Option<&'s [Bytes]> {
    let is_row = slice.start == slice.end
        && slice.start.is_inclusive
        && slice.start.values.len() == record.shape().clustering.len();
    is_row.then_some(&slice.start.values)
}

fn guard_of(context: &Context<'_>, record: &TableRecord, label: &str, guard: &Guard) -> Result<Option<Condition>> {
    Ok(match guard {
        Guard::None => None,
        Guard::Exists => Some(Condition::Exists),
        Guard::Conditions(written) => {
            let conditions = written.iter().map(|written| condition(context, record, label, written));
            Some(Condition::Columns(conditions.collect::<Result<_>>()?))
        }
    })
}

fn check_guarded(found: &Where, condition: Option<&Condition>) -> Result<()> {
    if condition.is_some() && found.keys.len() > 1 {
        return Err(invalid("IN on the partition key is not supported with conditional updates"));
    }
    if condition.is_some() && found.slices.len() > 1 {
        return Err(invalid("IN on the clustering key columns is not supported with conditional updates"));
    }
    Ok(())
}

fn update(context: &Context<'_>, update: &Update, checked: &Checked, plans: &mut Vec<Plan>) -> Result<()> {
    let Named { table, label, .. } = &checked.named;
    let record = &table.record;
    if let Some(binding) = &checked.binding {
        let value = |nth: usize, own: &Column| {
            let term = direct::set_term(update, nth).ok_or_else(|| Error::value("a term is not there any more"))?;
            bound(context, term, Receiver::new(own.name(), own.column_type()))
        };
        let options = options(context, record, &update.using, false)?;
        plans.push(written(context, table, binding, value, options, None)?);
        return Ok(());
    }
    let mut cells = Vec::with_capacity(update.assignments.len());
    let mut is_static = true;
    for assignment in &update.assignments {
        is_static &= column(record, label, assignment.column())?.1.kind() == ColumnKind::Static;
        cells.extend(assigned(context, record, label, assignment)?);
    }
    let cells = in_order(record, cells);
    let found = whole_key(context, record, label, &update.relations, "UPDATE")?;
    let condition = guard_of(context, record, label, &update.guard)?;
    let Options { ttl, timestamp } = options(context, record, &update.using, condition.is_some())?;
    check_guarded(&found, condition.as_ref())?;
    let rows = if is_static && !record.shape().clustering.is_empty() {
        if found.is_clustered && condition.is_none() {
            return Err(invalid(
                "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns",
            ));
        }
        if found.is_clustered { rows_of(record, &found)? } else { vec![None] }
    } else {
        rows_of(record, &found)?
    };
    for key in &found.keys {
        for clustering in &rows {
            let change = Change::Row { clustering: clustering.clone(), has_marker: false, cells: cells.clone() };
            let (partition, condition) = (Bytes::from_slice(key), condition.clone());
            plans.push(Plan {
                table: Arc::clone(table),
                partition,
                change,
                ttl,
                timestamp,
                now: context.now,
                condition,
            });
        }
    }
    Ok(())
}

/// The rows that a `WHERE` of `UPDATE` names, each by all of its key.
fn rows_of(record: &TableRecord, found: &Where) -> Result<Vec<Option<Vec<Bytes>>>> {
    let row = |slice: &Slice| match row_of(record, slice) {
        Some(values) => Ok(Some(values.to_vec())),
        None if slice.start != slice.end => {
            Err(invalid("Slice restrictions are not supported on the clustering columns in UPDATE statements"))
        }
        None => {
            let missing = record.shape().clustering.iter().skip(slice.start.values.len()).map(|(at, _)| *at);
            Err(invalid(format!("Some clustering keys are missing: {}", names(record, missing))))
        }
    };
    found.slices.iter().map(row).collect()
}

fn delete(context: &Context<'_>, delete: &Delete, checked: &Checked, plans: &mut Vec<Plan>) -> Result<()> {
    let Named { table, label, .. } = &checked.named;
    let record = &table.record;
    let mut cells = Vec::with_capacity(delete.deletions.len());
    let mut is_static = !delete.deletions.is_empty();
    for deletion in &delete.deletions {
        if let Some(cell) = deleted(context, record, label, deletion)? {
            is_static &= record.column(cell.column)?.kind() == ColumnKind::Static;
            cells.push(cell);
        }
    }
    let cells = in_order(record, cells);
    let found = whole_key(context, record, label, &delete.relations, "DELETE")?;
    let condition = guard_of(context, record, label, &delete.guard)?;
    let using: Vec<_> = delete.timestamp.iter().cloned().map(Using::Timestamp).collect();
    let Options { timestamp, .. } = options(context, record, &using, condition.is_some())?;
    check_guarded(&found, condition.as_ref())?;
    for key in &found.keys {
        for slice in &found.slices {
            let row = row_of(record, slice).map(<[Bytes]>::to_vec);
            let change = match row {
                _ if is_static && !record.shape().clustering.is_empty() && !found.is_clustered => {
                    Change::Row { clustering: None, has_marker: false, cells: cells.clone() }
                }
                Some(_) if is_static && !record.shape().clustering.is_empty() && condition.is_none() => {
                    return Err(invalid(
                        "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns",
                    ));
                }
                Some(row) if !delete.deletions.is_empty() => {
                    Change::Row { clustering: Some(row), has_marker: false, cells: cells.clone() }
                }
                Some(_) if record.shape().clustering.is_empty() => Change::DeletePartition,
                Some(row) => Change::DeleteRow(row),
                None if condition.is_some() => {
                    return Err(invalid(
                        "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to use IF conditions",
                    ));
                }
                None if !delete.deletions.is_empty() => {
                    return Err(invalid("Range deletions are not supported for specific columns"));
                }
                None if *slice == Slice::ALL => Change::DeletePartition,
                None => Change::DeleteRange(slice.clone()),
            };
            let (partition, condition) = (Bytes::from_slice(key), condition.clone());
            plans.push(Plan {
                table: Arc::clone(table),
                partition,
                change,
                ttl: Some(0),
                timestamp,
                now: context.now,
                condition,
            });
        }
    }
    Ok(())
}
