//! `system_schema`: keyspaces, tables, columns, types and indexes, those of the system too.

use std::collections::BTreeMap;

use super::shape::{Of, Seen, Shape, none, texts};
use crate::error::Result;
use crate::wide_column::Uuid;
use crate::wide_column::cql::ast::quoted_if_needed;
use crate::wide_column::schema::{
    self, Column, ColumnKind, IndexDefinition, IndexTarget, Order, TableRecord, ViewCondition, keyspace, user_types,
};
use crate::wide_column::value::CqlValue;

/// What is said of a column, here and of virtual tables.
pub(super) const COLUMNS: &[(&str, Of)] = &[
    ("keyspace_name", Of::Text),
    ("table_name", Of::Text),
    ("column_name", Of::Text),
    ("clustering_order", Of::Text),
    ("column_name_bytes", Of::Blob),
    ("kind", Of::Text),
    ("position", Of::Int),
    ("type", Of::Text),
];

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        keyspace: "system_schema",
        table: "keyspaces",
        clustering: 0,
        columns: &[("keyspace_name", Of::Text), ("durable_writes", Of::Boolean), ("replication", Of::Texts)],
        rows: keyspaces,
    },
    Shape {
        keyspace: "system_schema",
        table: "tables",
        clustering: 1,
        columns: &[
            ("keyspace_name", Of::Text),
            ("table_name", Of::Text),
            ("additional_write_policy", Of::Text),
            ("allow_auto_snapshot", Of::Boolean),
            ("bloom_filter_fp_chance", Of::Double),
            ("caching", Of::Texts),
            ("cdc", Of::Boolean),
            ("comment", Of::Text),
            ("compaction", Of::Texts),
            ("compression", Of::Texts),
            ("crc_check_chance", Of::Double),
            ("default_time_to_live", Of::Int),
            ("extensions", Of::Blobs),
            ("flags", Of::Set),
            ("gc_grace_seconds", Of::Int),
            ("id", Of::Uuid),
            ("incremental_backups", Of::Boolean),
            ("max_index_interval", Of::Int),
            ("memtable", Of::Text),
            ("memtable_flush_period_in_ms", Of::Int),
            ("min_index_interval", Of::Int),
            ("read_repair", Of::Text),
            ("speculative_retry", Of::Text),
        ],
        rows: tables,
    },
    Shape { keyspace: "system_schema", table: "columns", clustering: 2, columns: COLUMNS, rows: columns },
    Shape {
        keyspace: "system_schema",
        table: "dropped_columns",
        clustering: 2,
        columns: &[
            ("keyspace_name", Of::Text),
            ("table_name", Of::Text),
            ("column_name", Of::Text),
            ("dropped_time", Of::Timestamp),
            ("kind", Of::Text),
            ("type", Of::Text),
        ],
        rows: dropped_columns,
    },
    Shape {
        keyspace: "system_schema",
        table: "types",
        clustering: 1,
        columns: &[
            ("keyspace_name", Of::Text),
            ("type_name", Of::Text),
            ("field_names", Of::List),
            ("field_types", Of::List),
        ],
        rows: types,
    },
    Shape {
        keyspace: "system_schema",
        table: "indexes",
        clustering: 2,
        columns: &[
            ("keyspace_name", Of::Text),
            ("table_name", Of::Text),
            ("index_name", Of::Text),
            ("kind", Of::Text),
            ("options", Of::Texts),
        ],
        rows: indexes,
    },
    Shape {
        keyspace: "system_schema",
        table: "views",
        clustering: 1,
        columns: &[
            ("keyspace_name", Of::Text),
            ("view_name", Of::Text),
            ("additional_write_policy", Of::Text),
            ("allow_auto_snapshot", Of::Boolean),
            ("base_table_id", Of::Uuid),
            ("base_table_name", Of::Text),
            ("bloom_filter_fp_chance", Of::Double),
            ("caching", Of::Texts),
            ("cdc", Of::Boolean),
            ("comment", Of::Text),
            ("compaction", Of::Texts),
            ("compression", Of::Texts),
            ("crc_check_chance", Of::Double),
            ("default_time_to_live", Of::Int),
            ("extensions", Of::Blobs),
            ("gc_grace_seconds", Of::Int),
            ("id", Of::Uuid),
            ("include_all_columns", Of::Boolean),
            ("incremental_backups", Of::Boolean),
            ("max_index_interval", Of::Int),
            ("memtable", Of::Text),
            ("memtable_flush_period_in_ms", Of::Int),
            ("min_index_interval", Of::Int),
            ("read_repair", Of::Text),
            ("speculative_retry", Of::Text),
            ("where_clause", Of::Text),
        ],
        rows: views,
    },
    empty(
        "triggers",
        2,
        &[("keyspace_name", Of::Text), ("table_name", Of::Text), ("trigger_name", Of::Text), ("options", Of::Texts)],
    ),
    empty(
        "functions",
        2,
        &[
            ("keyspace_name", Of::Text),
            ("function_name", Of::Text),
            ("argument_types", Of::List),
            ("argument_names", Of::List),
            ("body", Of::Text),
            ("called_on_null_input", Of::Boolean),
            ("language", Of::Text),
            ("return_type", Of::Text),
        ],
    ),
    empty(
        "aggregates",
        2,
        &[
            ("keyspace_name", Of::Text),
            ("aggregate_name", Of::Text),
            ("argument_types", Of::List),
            ("final_func", Of::Text),
            ("initcond", Of::Text),
            ("return_type", Of::Text),
            ("state_func", Of::Text),
            ("state_type", Of::Text),
        ],
    ),
];

/// The keyspaces of the system whose tables this one lists. The others list theirs in `system_virtual_schema`.
const LISTED: [&str; 3] = ["system", "system_schema", "system_auth"];

/// A table of things that there are none of.
const fn empty(table: &'static str, clustering: usize, columns: &'static [(&'static str, Of)]) -> Shape {
    Shape { keyspace: "system_schema", table, clustering, columns, rows: none }
}

/// A table with its place and what it is told from others by.
struct Listed<'a> {
    keyspace: &'a str,
    name: &'a str,
    id: Uuid,
    record: &'a TableRecord,
}

/// The tables of the system that are listed here. They have numbers that no stored table comes to.
fn of_system(shapes: &[Shape]) -> impl Iterator<Item = (&Shape, Uuid)> {
    let listed = shapes.iter().filter(|shape| LISTED.contains(&shape.keyspace));
    listed.zip((0..=u128::MAX).rev().map(Uuid::from_u128))
}

/// What a table of the system is told from others by; `None` for one that is not listed here.
pub(super) fn id_of(shapes: &[Shape], keyspace: &str, name: &str) -> Option<Uuid> {
    of_system(shapes).find(|(shape, _)| (shape.keyspace, shape.table) == (keyspace, name)).map(|(_, id)| id)
}

/// A keyspace of the system whose tables are listed here.
pub(super) fn keyspace_of(name: &str) -> Option<keyspace::Keyspace> {
    let local = || BTreeMap::from([("class".to_owned(), "org.apache.cassandra.locator.LocalStrategy".to_owned())]);
    match name {
        "system_auth" => Some(keyspace::Keyspace::default()),
        name if LISTED.contains(&name) => {
            Some(keyspace::Keyspace { replication: local(), ..keyspace::Keyspace::default() })
        }
        _ => None,
    }
}

/// Every table, the system's first.
fn each_table(seen: &Seen<'_>, mut each: impl FnMut(&Listed<'_>)) -> Result<()> {
    for (shape, id) in of_system(seen.shapes) {
        let record = TableRecord::new(shape.schema());
        each(&Listed { keyspace: shape.keyspace, name: shape.table, id, record: &record });
    }
    for keyspace in keyspace::list(seen.view)?.into_keys() {
        for (name, table) in schema::tables(seen.view, &keyspace)? {
            let id = Uuid::from_u128(table.id.into());
            each(&Listed { keyspace: &keyspace, name: &name, id, record: &table.record });
        }
    }
    Ok(())
}

fn keyspaces(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let row = |(name, keyspace): (String, keyspace::Keyspace)| {
        vec![name.into(), CqlValue::Boolean(keyspace.durable_writes), texts(&keyspace.replication)]
    };
    let own = LISTED.map(|name| row((name.to_owned(), keyspace_of(name).unwrap_or_default())));
    Ok(own.into_iter().chain(keyspace::list(seen.view)?.into_iter().map(row)).collect())
}

fn int(number: u32) -> CqlValue {
    CqlValue::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

fn tables(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    each_table(seen, |&Listed { keyspace, name, id, record }| {
        if record.view.is_some() {
            return;
        }
        let options = record.schema.options();
        let flags = if record.shape().is_counter { vec!["compound", "counter"] } else { vec!["compound"] };
        rows.push(vec![
            keyspace.into(),
            name.into(),
            options.additional_write_policy.as_str().into(),
            CqlValue::Boolean(options.allow_auto_snapshot),
            CqlValue::Double(options.bloom_filter_fp_chance),
            texts(&options.caching),
            CqlValue::Boolean(options.cdc),
            options.comment.as_str().into(),
            texts(&options.compaction),
            texts(&options.compression),
            CqlValue::Double(options.crc_check_chance),
            int(options.default_time_to_live),
            CqlValue::Map(Vec::new()),
            CqlValue::Set(flags.into_iter().map(CqlValue::from).collect()),
            int(options.gc_grace_seconds),
            CqlValue::Uuid(id),
            CqlValue::Boolean(options.incremental_backups),
            int(options.max_index_interval),
            options.memtable.as_str().into(),
            int(options.memtable_flush_period_in_ms),
            int(options.min_index_interval),
            options.read_repair.as_str().into(),
            options.speculative_retry.as_str().into(),
        ]);
    })?;
    Ok(rows)
}

fn views(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    let mut ids = BTreeMap::new();
    each_table(seen, |&Listed { keyspace, name, id, .. }| {
        ids.insert((keyspace.to_owned(), name.to_owned()), id);
    })?;
    each_table(seen, |&Listed { keyspace, name, id, record }| {
        let Some(view) = &record.view else { return };
        let options = record.schema.options();
        let base = ids.get(&(keyspace.to_owned(), view.base.clone())).copied().unwrap_or_default();
        rows.push(vec![
            keyspace.into(),
            name.into(),
            options.additional_write_policy.as_str().into(),
            CqlValue::Boolean(options.allow_auto_snapshot),
            CqlValue::Uuid(base),
            view.base.as_str().into(),
            CqlValue::Double(options.bloom_filter_fp_chance),
            texts(&options.caching),
            CqlValue::Boolean(options.cdc),
            options.comment.as_str().into(),
            texts(&options.compaction),
            texts(&options.compression),
            CqlValue::Double(options.crc_check_chance),
            int(options.default_time_to_live),
            CqlValue::Map(Vec::new()),
            int(options.gc_grace_seconds),
            CqlValue::Uuid(id),
            CqlValue::Boolean(view.has_all_columns),
            CqlValue::Boolean(options.incremental_backups),
            int(options.max_index_interval),
            options.memtable.as_str().into(),
            int(options.memtable_flush_period_in_ms),
            int(options.min_index_interval),
            options.read_repair.as_str().into(),
            options.speculative_retry.as_str().into(),
            condition_of(record).into(),
        ]);
    })?;
    Ok(rows)
}

/// The kind of a column, its place among those of its kind (-1 for one that has none), and the order it gives rows.
fn place(record: &TableRecord, at: usize, column: &Column) -> (&'static str, i32, &'static str) {
    let nth = |place: Option<usize>| place.and_then(|place| i32::try_from(place).ok()).unwrap_or(-1);
    let shape = record.shape();
    match column.kind() {
        ColumnKind::PartitionKey => ("partition_key", nth(shape.partition.iter().position(|own| *own == at)), "none"),
        ColumnKind::Clustering(order) => {
            let order = if order == Order::Descending { "desc" } else { "asc" };
            ("clustering", nth(shape.clustering.iter().position(|(own, _)| *own == at)), order)
        }
        kind => (kind_name(kind), -1, "none"),
    }
}

fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::PartitionKey => "partition_key",
        ColumnKind::Clustering(_) => "clustering",
        ColumnKind::Static => "static",
        ColumnKind::Regular => "regular",
    }
}

fn columns(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    each_table(seen, |&Listed { keyspace, name, record, .. }| {
        rows.extend(columns_of(keyspace, name, record));
    })?;
    Ok(rows)
}

/// The columns of one table.
pub(super) fn columns_of(keyspace: &str, name: &str, record: &TableRecord) -> Vec<Vec<CqlValue>> {
    let row = |(at, column): (usize, &Column)| {
        let (kind, position, order) = place(record, at, column);
        vec![
            keyspace.into(),
            name.into(),
            column.name().into(),
            order.into(),
            CqlValue::Blob(column.name().as_bytes().to_vec()),
            kind.into(),
            CqlValue::Int(position),
            column.column_type().to_string().into(),
        ]
    };
    record.schema.columns().enumerate().map(row).collect()
}

fn dropped_columns(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    each_table(seen, |&Listed { keyspace, name, record, .. }| {
        for dropped in record.dropped() {
            rows.push(vec![
                keyspace.into(),
                name.into(),
                dropped.name.as_str().into(),
                CqlValue::Timestamp(dropped.at.div_euclid(1_000)),
                kind_name(dropped.kind).into(),
                dropped.cql_type.to_string().into(),
            ]);
        }
    })?;
    Ok(rows)
}

fn types(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    for keyspace in keyspace::list(seen.view)?.into_keys() {
        for user_type in user_types::list(seen.view, &keyspace)? {
            let list = |texts: Vec<String>| CqlValue::List(texts.into_iter().map(CqlValue::from).collect());
            let names = user_type.fields().iter().map(|(name, _)| name.clone()).collect();
            let types = user_type.fields().iter().map(|(_, cql_type)| cql_type.to_string()).collect();
            rows.push(vec![keyspace.as_str().into(), user_type.name().into(), list(names), list(types)]);
        }
    }
    Ok(rows)
}

fn indexes(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let mut rows = Vec::new();
    each_table(seen, |&Listed { keyspace, name, record, .. }| {
        for index in &record.indexes {
            let mut options = index.options.clone();
            options.insert("target".to_owned(), target_of(record, index));
            if index.is_storage_attached() {
                options.insert("class_name".to_owned(), index.class.clone());
            }
            rows.push(vec![
                keyspace.into(),
                name.into(),
                index.name.as_str().into(),
                if index.is_storage_attached() { "CUSTOM" } else { "COMPOSITES" }.into(),
                texts(&options),
            ]);
        }
    })?;
    Ok(rows)
}

/// The condition of a view, as its statement has it.
pub(in crate::wide_column::cql::plan) fn condition_of(view: &TableRecord) -> String {
    if !view.conditions.is_empty() {
        let name = |id: &u16| view.column_with(*id).map(|own| quoted_if_needed(own.name())).unwrap_or_default();
        let said = |own: &ViewCondition| {
            let names: Vec<_> = own.columns.iter().map(name).collect();
            match &names[..] {
                [name] => format!("{name}{}", own.said),
                several => format!("({}){}", several.join(", "), own.said),
            }
        };
        return view.conditions.iter().map(said).collect::<Vec<_>>().join(" AND ");
    }
    let keys = view.schema.columns().filter(|column| column.is_key());
    let conditions: Vec<_> = keys.map(|column| format!("{} IS NOT NULL", quoted_if_needed(column.name()))).collect();
    conditions.join(" AND ")
}

/// What an index is of, as `CREATE INDEX` says it.
pub(in crate::wide_column::cql::plan) fn target_of(record: &TableRecord, index: &IndexDefinition) -> String {
    let column = record.column_with(index.column).map(|column| quoted_if_needed(column.name())).unwrap_or_default();
    match index.target {
        IndexTarget::Value => column,
        IndexTarget::Elements => format!("values({column})"),
        IndexTarget::Keys => format!("keys({column})"),
        IndexTarget::Entries => format!("entries({column})"),
        IndexTarget::Full => format!("full({column})"),
    }
}
