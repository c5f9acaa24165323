//! `SELECT`.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{Relation, Select, Term};
use crate::wide_column::cql::plan::answer::{Answer, Columns};
use crate::wide_column::cql::plan::authorize;
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES, column, invalid};
use crate::wide_column::cql::plan::direct::Direct;
use crate::wide_column::cql::plan::expression::{Aggregated, At, Expression, State};
use crate::wide_column::cql::plan::group::{grouped, is_fixed};
use crate::wide_column::cql::plan::json::as_json;
use crate::wide_column::cql::plan::named::{Keep, Named, kept};
use crate::wide_column::cql::plan::restrict::{Restricted, restrict};
use crate::wide_column::cql::plan::selector::{Outputs, outputs};
use crate::wide_column::cql::plan::system::{SystemTable, system_table};
use crate::wide_column::cql::plan::value::{Number, integer};
use crate::wide_column::order::compare;
use crate::wide_column::read::plan::{Filter, Plan, Slice, Source};
use crate::wide_column::read::{Flow, FoundRow, Reader, get};
use crate::wide_column::schema::{ColumnKind, Definition, Order, TableRecord};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Plans and runs a query.
///
/// # Errors
/// Cassandra's for what it refuses; [`Error::Unsupported`] for what is not modelled; those of reading.
pub(in crate::wide_column::cql) fn select(context: &Context<'_>, select: &Select) -> Result<Answer> {
    let (checked, system) = checked(context, select)?;
    let Checked { named: Named { table, label, .. }, outputs, groups, columns, direct, of } = &*checked;
    let record = &table.record;
    if !context.is_asking() {
        authorize::read(context, checked.named.keyspace(), select.table.name.as_str(), record)?;
    }
    let of = Some(Arc::clone(of));
    if let Some(direct) = direct.as_ref().filter(|_| !context.is_asking() && !context.is_resumed()) {
        let rows = row_of_key(context, table, direct, &select.relations, outputs)?;
        let answer = Answer { columns: columns.clone(), rows, of, ..Answer::default() };
        return if select.json { as_json(answer) } else { Ok(answer) };
    }
    let restricted = restrict(context, table, label, select)?;
    let order = order(record, label, select, &restricted)?;
    let limit = limit(context, select.limit.as_ref(), "LIMIT")?;
    let limit_per_partition = limit_of_partition(context, select)?;
    let is_aggregate = !groups.is_empty() || !outputs.aggregates.is_empty();
    if groups.is_empty() && is_aggregate && select.per_partition_limit.is_some() {
        return Err(invalid("PER PARTITION LIMIT is not allowed with aggregate queries."));
    }
    if !groups.is_empty() && order.is_sorted {
        return Err(Error::unsupported("GROUP BY with ORDER BY and several partitions"));
    }
    // Of groups, both limits count groups.
    let of_rows = limit_per_partition.filter(|_| !is_aggregate);
    let plan = plan(table, restricted, (order.is_reversed, select.distinct), of_rows);
    let plan = match system {
        Some(system) => Plan { source: Source::Virtual(system), ..plan },
        None => plan,
    };
    let limit_of_rows = limit.filter(|_| !is_aggregate && !order.is_sorted);
    let plan = Plan { limit: limit_of_rows, now: context.now, ..plan };
    let mut answer = if context.is_asking() {
        // Columns are all that is asked for: nothing is read.
        Answer::default()
    } else if is_aggregate {
        aggregated(context, plan, outputs, groups, limit_per_partition)?
    } else {
        run(context, record, plan, outputs, &order)?
    };
    answer.columns = columns.clone();
    if (order.is_sorted || !groups.is_empty())
        && let Some(limit) = limit
    {
        answer.rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let answer = if select.json { as_json(answer)? } else { answer };
    Ok(Answer { of, ..answer })
}

/// The row that a whole primary key names, if it is there.
fn row_of_key(
    context: &Context<'_>,
    table: &Definition,
    direct: &Direct,
    relations: &[Relation],
    outputs: &Outputs,
) -> Result<Vec<Vec<CqlValue>>> {
    let (partition, clustering) = direct.bind(context, &table.record, relations)?;
    let row = get(context.view, table, &partition, &clustering, context.now, |row| {
        let at = At { context, row: Some(row), aggregates: &[] };
        outputs.columns.iter().map(|column| column.value(&at)).collect::<Result<Vec<_>>>()
    })?;
    let rows = Vec::from_iter(row);
    context.view.meter().returned(rows.len() as u64);
    Ok(rows)
}

/// What of a query can be told by its text and its table.
#[derive(Debug)]
struct Checked {
    named: Named,
    outputs: Outputs,
    columns: Columns,
    groups: Vec<Expression>,
    /// What its `WHERE` says when that is one row.
    direct: Option<Direct>,
    /// The table, behind its keyspace.
    of: Arc<(String, String)>,
}

impl Keep for Checked {
    fn named(&self) -> &Named {
        &self.named
    }
}

impl Checked {
    fn new(context: &Context<'_>, named: Named, select: &Select) -> Result<Self> {
        let record = &named.table.record;
        let place = (named.keyspace(), named.label.as_str());
        let outputs = outputs(context, record, place, &select.selection)?;
        if select.distinct {
            check_distinct(record, select, &outputs)?;
        }
        let groups = grouped(context, record, place, select)?;
        let columns = outputs.names().into();
        let is_of_rows = groups.is_empty() && outputs.aggregates.is_empty();
        let direct = Direct::of(record, select).filter(|_| is_of_rows);
        let of = Arc::new((named.keyspace().to_owned(), select.table.name.as_str().to_owned()));
        Ok(Self { named, outputs, columns, groups, direct, of })
    }
}

/// The query, checked: as it was the last time, if that still holds. Those of the system's tables are checked each time.
fn checked(context: &Context<'_>, select: &Select) -> Result<(Arc<Checked>, Option<Arc<SystemTable>>)> {
    let keyspace = context.keyspace(&select.table)?;
    if SYSTEM_KEYSPACES.contains(&keyspace) {
        let system = system_table(keyspace, select.table.name.as_str())?.seen_by(context.actor);
        let named = Named::of(context, keyspace, &select.table, system.definition());
        let checked = Checked { direct: None, ..Checked::new(context, named, select)? };
        return Ok((Arc::new(checked), Some(system)));
    }
    let check = || Checked::new(context, Named::find(context, &select.table)?, select);
    Ok((kept(context, (0, &select.table), check)?, None))
}

fn plan(
    table: &Definition,
    restricted: Restricted,
    (is_reversed, is_distinct): (bool, bool),
    limit_per_partition: Option<u64>,
) -> Plan {
    let partitions = restricted.partitions();
    let Restricted { slices, filters, lookup, .. } = restricted;
    let asks_rows = |filter: &Filter| {
        let is_row = |at: &usize| {
            let kind = table.record.column(*at).map(crate::wide_column::schema::Column::kind);
            matches!(kind, Ok(ColumnKind::Clustering(_) | ColumnKind::Regular))
        };
        match filter {
            Filter::Column(at, _) => is_row(at),
            Filter::Columns(columns, ..) | Filter::ColumnsIn(columns, _) => columns.iter().any(is_row),
        }
    };
    Plan {
        with_static_rows: slices == [Slice::ALL] && !filters.iter().any(asks_rows),
        source: match lookup {
            None => Source::Table(Arc::clone(table)),
            Some(lookup) => Source::Index(Arc::clone(table), lookup),
        },
        partitions,
        slices,
        filters,
        is_reversed,
        is_distinct,
        limit: None,
        fetches_clustering: true,
        limit_per_partition,
        now: None,
        resume: None,
    }
}

fn run(context: &Context<'_>, table: &TableRecord, plan: Plan, outputs: &Outputs, order: &Ordered) -> Result<Answer> {
    // What is sorted is there at once.
    let page = context.page.filter(|_| !order.is_sorted);
    let plan = Plan { resume: page.and_then(|page| page.behind.clone()), ..plan };
    let mut reader = Reader::new(context.view, plan)?;
    let mut rows = Vec::new();
    let mut keys: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut add = |row: &FoundRow<'_>| {
        let at = At { context, row: Some(row), aggregates: &[] };
        rows.push(outputs.columns.iter().map(|column| column.value(&at)).collect::<Result<Vec<_>>>()?);
        if order.is_sorted {
            let own = table.shape().clustering.iter();
            let key = own.map(|(at, _)| Ok(row.value(*at)?.map_or(Vec::new(), std::borrow::Cow::into_owned)));
            keys.push(key.collect::<Result<_>>()?);
        }
        Ok(if page.is_some_and(|page| rows.len() >= page.rows) { Flow::Stop } else { Flow::Continue })
    };
    let mut has_more = reader.run(context.view, &mut add)?;
    match page {
        Some(page) if has_more => *page.end.borrow_mut() = reader.position(),
        Some(_) => {}
        None => {
            while has_more {
                has_more = reader.run(context.view, &mut add)?;
            }
        }
    }
    if order.is_sorted {
        rows = sorted(table, order, rows, &keys);
    }
    context.view.meter().returned(rows.len() as u64);
    Ok(Answer { rows, ..Answer::default() })
}

/// The values that rows of a group agree in.
type GroupKey = Vec<Option<Vec<u8>>>;

/// Rows that are made one: what their aggregates have come to, and the columns as the first of them has them.
struct Group {
    key: GroupKey,
    states: Vec<State>,
    columns: Vec<Expression>,
}

impl Group {
    fn finish(self, context: &Context<'_>, outputs: &Outputs) -> Result<Vec<CqlValue>> {
        let states = self.states.into_iter().zip(&outputs.aggregates);
        let aggregates = states.map(|(state, own)| state.finish(own)).collect::<Result<Vec<_>>>()?;
        let at = At { context, row: None, aggregates: &aggregates };
        self.columns.iter().map(|column| column.value(&at)).collect()
    }
}

/// One row for each run of rows that agree in `groups`, of each partition so many; without groups one in all, of no rows too.
fn aggregated(
    context: &Context<'_>,
    plan: Plan,
    outputs: &Outputs,
    groups: &[Expression],
    limit_per_partition: Option<u64>,
) -> Result<Answer> {
    let none = || outputs.aggregates.iter().map(State::new).collect::<Vec<_>>();
    let mut rows = Vec::new();
    let mut current: Option<Group> = None;
    // The partition of the last group, and how many groups of it came before.
    let (mut partition, mut count) = (Vec::new(), 0);
    let mut add = |row: &FoundRow<'_>| {
        let at = At { context, row: Some(row), aggregates: &[] };
        let bytes = |of: &Expression| Ok(of.bytes(&at)?.map(std::borrow::Cow::into_owned));
        let key = groups.iter().map(bytes).collect::<Result<GroupKey>>()?;
        let own = &row.table().shape().partition;
        let value = |at: &usize| Ok(row.value(*at)?.map(std::borrow::Cow::into_owned));
        // Only groups end where a partition does, so that a count over all rows need not look.
        let of_partition =
            if groups.is_empty() { Vec::new() } else { own.iter().map(value).collect::<Result<GroupKey>>()? };
        if current.as_ref().is_some_and(|group| group.key != key || partition != of_partition)
            && let Some(group) = current.take()
        {
            count += 1;
            rows.push(group.finish(context, outputs)?);
        }
        if partition != of_partition {
            (partition, count) = (of_partition, 0);
        }
        if current.is_none() && limit_per_partition.is_some_and(|limit| count >= limit) {
            return Ok(Flow::Continue);
        }
        if current.is_none() {
            let columns = outputs.columns.iter().map(|column| column.fixed(&at)).collect::<Result<_>>()?;
            current = Some(Group { key, states: none(), columns });
        }
        let states = current.iter_mut().flat_map(|group| group.states.iter_mut()).zip(&outputs.aggregates);
        for (state, own) in states {
            state.add(own, &at)?;
        }
        Ok(Flow::Continue)
    };
    let mut reader = Reader::new(context.view, plan)?;
    while reader.run(context.view, &mut add)? {}
    match current {
        Some(group) => rows.push(group.finish(context, outputs)?),
        None if groups.is_empty() => {
            let group = Group { key: Vec::new(), states: none(), columns: outputs.columns.clone() };
            rows.push(group.finish(context, outputs)?);
        }
        None => {}
    }
    context.view.meter().returned(rows.len() as u64);
    Ok(Answer { rows, ..Answer::default() })
}

/// Rows of several partitions in the order of their clustering columns.
fn sorted(table: &TableRecord, order: &Ordered, rows: Vec<Vec<CqlValue>>, keys: &[Vec<Vec<u8>>]) -> Vec<Vec<CqlValue>> {
    let compare_keys = |a: &[Vec<u8>], b: &[Vec<u8>]| {
        for ((at, way), (a, b)) in table.shape().clustering.iter().zip(a.iter().zip(b)) {
            let Ok(column) = table.column(*at) else { continue };
            let found = compare(column.column_type(), a, b);
            if found.is_ne() {
                return if (*way == Order::Descending) == order.is_reversed { found } else { found.reverse() };
            }
        }
        Ordering::Equal
    };
    let mut rows: Vec<_> = keys.iter().zip(rows).collect();
    rows.sort_by(|(a, _), (b, _)| compare_keys(a, b));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// What `ORDER BY` comes to.
struct Ordered {
    is_reversed: bool,
    /// Whether rows of several partitions have to be brought into one order.
    is_sorted: bool,
}

fn order(table: &TableRecord, label: &str, select: &Select, restricted: &Restricted) -> Result<Ordered> {
    let mut is_reversed = None;
    if select.order_by.iter().any(|ordering| ordering.ann_of.is_some()) {
        return Err(Error::unsupported("ORDER BY … ANN OF"));
    }
    if select.order_by.is_empty() {
        return Ok(Ordered { is_reversed: false, is_sorted: false });
    }
    if restricted.uses_index {
        return Err(invalid("ORDER BY with 2ndary indexes is not supported, except for ANN queries."));
    }
    let Some(keys) = &restricted.keys else {
        return Err(invalid("ORDER BY is only supported when the partition key is restricted by an EQ or an IN."));
    };
    // What is restricted to one value need not be named.
    let mut left = table.shape().clustering.iter().map(|(at, _)| *at);
    for (nth, ordering) in select.order_by.iter().enumerate() {
        if select.order_by.iter().take(nth).any(|earlier| earlier.column == ordering.column) {
            continue;
        }
        // Of a column that is there again the last direction counts, in the place of the first, as in Cassandra.
        let last = select.order_by.iter().rev().find(|other| other.column == ordering.column).unwrap_or(ordering);
        let (at, own) = column(table, label, &ordering.column)?;
        let ColumnKind::Clustering(way) = own.kind() else {
            let name = own.name();
            return Err(invalid(format!(
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got {name}"
            )));
        };
        if left.by_ref().find(|own| *own == at || !is_fixed(table, select, *own)) != Some(at) {
            return Err(invalid(
                "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY",
            ));
        }
        let reverses = last.descending != (way == Order::Descending);
        if is_reversed.is_some_and(|before| before != reverses) {
            return Err(invalid("Unsupported order by relation"));
        }
        is_reversed = Some(reverses);
    }
    Ok(Ordered { is_reversed: is_reversed.unwrap_or_default(), is_sorted: keys.len() > 1 })
}

fn limit(context: &Context<'_>, term: Option<&Term>, name: &str) -> Result<Option<u64>> {
    let Some(term) = term else { return Ok(None) };
    let number = match integer(context, term, &format!("[{}]", name.to_lowercase()), &CqlType::Int)? {
        Number::Unset => return Ok(None),
        Number::Null => return Err(invalid(format!("Invalid null value of {}", name.to_lowercase()))),
        Number::Is(number) => number,
    };
    match u64::try_from(number) {
        Ok(limit) if limit > 0 => Ok(Some(limit)),
        _ => Err(invalid(format!("{name} must be strictly positive"))),
    }
}

fn limit_of_partition(context: &Context<'_>, select: &Select) -> Result<Option<u64>> {
    if select.distinct && select.per_partition_limit.is_some() {
        return Err(invalid("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries"));
    }
    limit(context, select.per_partition_limit.as_ref(), "PER PARTITION LIMIT")
}

fn check_distinct(table: &TableRecord, select: &Select, outputs: &Outputs) -> Result<()> {
    let aggregated = outputs.aggregates.iter().flat_map(Aggregated::columns);
    let columns: Vec<usize> = outputs.columns.iter().flat_map(Expression::columns).chain(aggregated).collect();
    for at in columns.iter().copied() {
        let own = table.column(at)?;
        if !matches!(own.kind(), ColumnKind::PartitionKey | ColumnKind::Static) {
            let name = own.name();
            return Err(invalid(format!(
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not {name})"
            )));
        }
    }
    if let Some(missing) = table.shape().partition.iter().find(|at| !columns.contains(at)) {
        let name = table.column(*missing)?.name();
        return Err(invalid(format!(
            "SELECT DISTINCT queries must request all the partition key columns (missing {name})"
        )));
    }
    if !select.order_by.is_empty() {
        return Err(Error::unsupported("ORDER BY with SELECT DISTINCT"));
    }
    Ok(())
}
