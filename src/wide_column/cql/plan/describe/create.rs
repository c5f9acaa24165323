//! The statements that make what there is, in the form that Cassandra gives them.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::wide_column::Uuid;
use crate::wide_column::cql::ast::quoted_if_needed as quoted;
use crate::wide_column::cql::plan::selector::all_columns;
use crate::wide_column::cql::plan::system::{condition_of, target_of};
use crate::wide_column::schema::keyspace::Keyspace;
use crate::wide_column::schema::{
    Column, ColumnKind, Dropped, IndexDefinition, Order, TableOptions, TableRecord, ViewDefinition,
};
use crate::wide_column::types::{CqlType, UserType};

/// Text between quotes.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn map(entries: &BTreeMap<String, String>) -> String {
    let entries: Vec<_> = entries.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// `CREATE KEYSPACE`
pub(super) fn keyspace(name: &str, own: &Keyspace) -> String {
    let mut replication = own.replication.clone();
    if let Some(class) = replication.get_mut("class")
        && let Some(short) = class.strip_prefix("org.apache.cassandra.locator.")
    {
        *class = short.to_owned();
    }
    let (name, replication, durable) = (quoted(name), map(&replication), own.durable_writes);
    format!("CREATE KEYSPACE {name} WITH replication = {replication}  AND durable_writes = {durable};")
}

/// `CREATE TYPE`
pub(super) fn user_type(keyspace: &str, own: &UserType) -> String {
    let fields: Vec<_> = own.fields().iter().map(|(name, of)| format!("    {} {of}", quoted(name))).collect();
    format!("CREATE TYPE {}.{} (\n{}\n);", quoted(keyspace), quoted(own.name()), fields.join(",\n"))
}

/// A keyspace of the system that has this replication; without one, it is virtual.
pub(super) fn system_keyspace(name: &str, own: Option<&Keyspace>) -> String {
    let Some(own) = own else {
        return format!(
            "/*\nWarning: Keyspace {name} is a virtual keyspace and cannot be recreated with CQL.\nStructure, for reference:\n\
             VIRTUAL KEYSPACE {name};\n*/"
        );
    };
    keyspace(name, own)
}

/// `CREATE TABLE`; with an `id`, what is internal too: columns that were dropped, and when.
pub(super) fn table(keyspace: &str, name: &str, record: &TableRecord, id: Option<Uuid>) -> String {
    let place = format!("{}.{}", quoted(keyspace), quoted(name));
    let dropped = if id.is_some() { record.dropped() } else { &[] };
    let mut out = format!("CREATE TABLE {place} ({}) WITH ", columns(record, dropped));
    let id = id.map(|id| format!("ID = {id}"));
    out.push_str(&id.into_iter().chain(properties(record)).collect::<Vec<_>>().join("\n    AND "));
    out.push(';');
    for own in dropped {
        let _ = write!(out, "\nALTER TABLE {place} DROP {} USING TIMESTAMP {};", quoted(&own.name), own.at);
        // One that is there again comes after that.
        if let Some(again) = record.schema.column_named(&own.name) {
            let _ = write!(out, "\nALTER TABLE {place} ADD {};", column(again, false));
        }
    }
    out
}

/// A table whose rows are made when they are read.
pub(super) fn virtual_table(keyspace: &str, name: &str, record: &TableRecord, comment: &str) -> String {
    let mut properties: Vec<_> = clustering_order(record).into_iter().collect();
    properties.push(format!("comment = {}", text(comment)));
    format!(
        "/*\nWarning: Table {keyspace}.{name} is a virtual table and cannot be recreated with CQL.\nStructure, for reference:\n\
         VIRTUAL TABLE {keyspace}.{name} ({}) WITH {};\n*/",
        columns(record, &[]),
        properties.join("\n    AND "),
    )
}

/// What is between the parentheses.
fn columns(record: &TableRecord, dropped: &[Dropped]) -> String {
    let shape = record.shape();
    let is_lone = shape.partition.len() == 1 && shape.clustering.is_empty();
    let is_dropped = |own: &&Column| dropped.iter().any(|other| other.name == own.name());
    let columns = all_columns(record).into_iter().filter_map(|at| record.column(at).ok());
    let mut lines: Vec<_> = columns.filter(|own| !is_dropped(own)).map(|own| column(own, is_lone)).collect();
    lines.extend(dropped.iter().map(|own| definition(&own.name, &own.cql_type, own.kind, false)));
    if !is_lone {
        lines.push(primary_key(record));
    }
    let lines: Vec<_> = lines.into_iter().map(|line| format!("    {line}")).collect();
    format!("\n{}\n", lines.join(",\n"))
}

/// `CREATE MATERIALIZED VIEW`
pub(super) fn view(
    keyspace: &str,
    name: &str,
    record: &TableRecord,
    definition: &ViewDefinition,
    id: Option<Uuid>,
) -> String {
    let columns = if definition.has_all_columns {
        "*".to_owned()
    } else {
        let all: Vec<_> = all_columns(record).iter().map(|at| name_at(record, *at)).collect();
        all.join(", ")
    };
    let (keyspace, base) = (quoted(keyspace), quoted(&definition.base));
    format!(
        "CREATE MATERIALIZED VIEW {keyspace}.{} AS\n    SELECT {columns}\n    FROM {keyspace}.{base}\n    WHERE {}\n    {}\n WITH {};",
        quoted(name),
        condition_of(record),
        primary_key(record),
        id.map(|id| format!("ID = {id}")).into_iter().chain(properties(record)).collect::<Vec<_>>().join("\n    AND "),
    )
}

fn name_at(record: &TableRecord, at: usize) -> String {
    record.column(at).map(|own| quoted(own.name())).unwrap_or_default()
}

fn primary_key(record: &TableRecord) -> String {
    let shape = record.shape();
    let partition: Vec<_> = shape.partition.iter().map(|at| name_at(record, *at)).collect();
    let partition = match &partition[..] {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    };
    let clustering = shape.clustering.iter().map(|(at, _)| name_at(record, *at));
    let key: Vec<_> = std::iter::once(partition).chain(clustering).collect();
    format!("PRIMARY KEY ({})", key.join(", "))
}

/// The order of rows, and the options: all but the time to live, of a view, which has none of its own.
fn properties(record: &TableRecord) -> Vec<String> {
    let mut all: Vec<_> = clustering_order(record).into_iter().collect();
    let is_view = record.view.is_some();
    all.extend(options(record.schema.options()).into_iter().filter(|own| !is_view || !own.starts_with("default_time")));
    all
}

fn clustering_order(record: &TableRecord) -> Option<String> {
    let order = |(at, order): &(usize, Order)| {
        format!("{} {}", name_at(record, *at), if *order == Order::Descending { "DESC" } else { "ASC" })
    };
    let orders: Vec<_> = record.shape().clustering.iter().map(order).collect();
    (!orders.is_empty()).then(|| format!("CLUSTERING ORDER BY ({})", orders.join(", ")))
}

fn column(own: &Column, is_lone: bool) -> String {
    definition(own.name(), own.column_type(), own.kind(), is_lone)
}

fn definition(name: &str, cql_type: &CqlType, kind: ColumnKind, is_lone: bool) -> String {
    let behind = match kind {
        ColumnKind::PartitionKey if is_lone => " PRIMARY KEY",
        ColumnKind::Static => " static",
        _ => "",
    };
    format!("{} {cql_type}{behind}", quoted(name))
}

fn options(own: &TableOptions) -> Vec<String> {
    vec![
        format!("additional_write_policy = {}", text(&own.additional_write_policy)),
        format!("allow_auto_snapshot = {}", own.allow_auto_snapshot),
        format!("bloom_filter_fp_chance = {:?}", own.bloom_filter_fp_chance),
        format!("caching = {}", map(&own.caching)),
        format!("cdc = {}", own.cdc),
        format!("comment = {}", text(&own.comment)),
        format!("compaction = {}", map(&own.compaction)),
        format!("compression = {}", map(&own.compression)),
        format!("memtable = {}", text(&own.memtable)),
        format!("crc_check_chance = {:?}", own.crc_check_chance),
        format!("default_time_to_live = {}", own.default_time_to_live),
        format!("gc_grace_seconds = {}", own.gc_grace_seconds),
        format!("incremental_backups = {}", own.incremental_backups),
        format!("max_index_interval = {}", own.max_index_interval),
        format!("memtable_flush_period_in_ms = {}", own.memtable_flush_period_in_ms),
        format!("min_index_interval = {}", own.min_index_interval),
        format!("read_repair = {}", text(&own.read_repair)),
        format!("speculative_retry = {}", text(&own.speculative_retry)),
    ]
}

/// `CREATE INDEX`
pub(super) fn index(keyspace: &str, table: &str, record: &TableRecord, index: &IndexDefinition) -> String {
    let (name, target) = (quoted(&index.name), target_of(record, index));
    let place = format!("{}.{}", quoted(keyspace), quoted(table));
    if !index.is_storage_attached() {
        return format!("CREATE INDEX {name} ON {place} ({target});");
    }
    let options =
        if index.options.is_empty() { String::new() } else { format!(" WITH OPTIONS = {}", map(&index.options)) };
    format!("CREATE CUSTOM INDEX {name} ON {place} ({target}) USING {}{options};", text(&index.class))
}
