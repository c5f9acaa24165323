//! Secondary indexes.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::limits;
use crate::txn::Writer;
use crate::wide_column::cql::ast::{self, CreateIndex, TargetKind};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{check_name, found};
use crate::wide_column::cql::plan::define::properties::map;
use crate::wide_column::cql::plan::define::storage_attached;
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::{self, Column, ColumnKind, IndexTarget, NewIndex, TableRecord};
use crate::wide_column::target::Target;
use crate::wide_column::types::CqlType;

/// `CREATE INDEX`, in the order in which Cassandra checks it.
pub(super) fn create_index(writer: &mut Writer, session: Option<&str>, create: &CreateIndex) -> Result<()> {
    let class = Class::of(create)?;
    let options = options(create, class)?;
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&create.table)?.to_owned();
    let table_name = create.table.name.as_str();
    let Some(table) = found(&context, &create.table, false)? else { return Ok(()) };
    let record = &table.record;
    if let Some(name) = &create.name {
        let name = name.as_str();
        check_name("Index", name)?;
        for (_, other) in schema::tables(context.view, &keyspace)? {
            if other.record.indexes.iter().any(|index| index.name == name) {
                let message = format!("Index '{name}' already exists");
                return if create.if_not_exists { Ok(()) } else { Err(invalid(message)) };
            }
        }
    }
    if record.shape().is_counter {
        return Err(invalid("Secondary indexes on counter tables aren't supported"));
    }
    if record.view.is_some() {
        return Err(invalid("Secondary indexes on materialized views aren't supported"));
    }
    let only = class.only_target(&create.targets)?;
    let column = only.column.as_str();
    let Some(own) = record.schema.column_named(column) else {
        return Err(invalid(format!("Column '{column}' doesn't exist")));
    };
    class.check_column(column)?;
    check_indexable(record, own)?;
    let target = index_target(column, own.column_type(), only.kind)?;
    let name = match &create.name {
        Some(name) => name.as_str().to_owned(),
        None => free_name(&context, &keyspace, &format!("{table_name}_{column}_idx"))?,
    };
    check_name("Index", &name)?;
    let new = NewIndex { name: &name, column, target, class: class.name(), options };
    if let Some(other) = record.indexes.iter().find(|index| new.is_like(index, own.id())) {
        let message = format!("Index {name} is a duplicate of existing index {}", other.name);
        return if create.if_not_exists { Ok(()) } else { Err(invalid(message)) };
    }
    if class.is_storage_attached() {
        storage_attached::check(record, own, &new)?;
    }
    Target::new(&keyspace, table_name).create_index(writer, &new)
}

/// The options of an index.
fn options(create: &CreateIndex, class: Class<'_>) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    for property in &create.properties {
        match property.name.as_str() {
            "options" => options = map(property)?,
            other => return Err(Exception::Syntax.error(format!("Unknown property '{other}'"))),
        }
    }
    if !class.is_storage_attached() && !create.properties.is_empty() {
        return Err(invalid("Cannot specify options for a non-CUSTOM index"));
    }
    for own in ["class_name", "target"] {
        if options.contains_key(own) {
            return Err(invalid(format!("Cannot specify {own} as a CUSTOM option")));
        }
    }
    Ok(options)
}

/// What keeps an index.
#[derive(Clone, Copy, Debug)]
enum Class<'c> {
    /// Cassandra's own.
    Own,
    /// A storage-attached index, by the name that was given.
    StorageAttached(&'c str),
}

impl<'c> Class<'c> {
    /// The class that a statement names.
    fn of(create: &'c CreateIndex) -> Result<Self> {
        const OWN: &str = "legacy_local_table";
        let class = match (&create.class, create.is_custom) {
            (None, false) => return Ok(Self::Own),
            (Some(class), false) if class.eq_ignore_ascii_case(OWN) => return Ok(Self::Own),
            (Some(class), _) => class,
            (None, true) => OWN,
        };
        let is = |short: &str, name: &str| class.eq_ignore_ascii_case(short) || class == name;
        if is("StorageAttachedIndex", "org.apache.cassandra.index.sai.StorageAttachedIndex") || is("sai", "sai") {
            return Ok(Self::StorageAttached(class));
        }
        if is("SASIIndex", "org.apache.cassandra.index.sasi.SASIIndex") {
            return Err(invalid("SASI indexes are disabled. Enable in cassandra.yaml to use."));
        }
        Err(Exception::Config.error(format!("Unable to find custom indexer class '{class}'")))
    }

    fn is_storage_attached(self) -> bool {
        matches!(self, Self::StorageAttached(_))
    }

    /// As it is kept: empty for Cassandra's own.
    fn name(self) -> &'c str {
        match self {
            Self::Own => "",
            Self::StorageAttached(class) => class,
        }
    }

    /// The one thing that an index of the class is of.
    fn only_target(self, targets: &[ast::IndexTarget]) -> Result<&ast::IndexTarget> {
        let names = || targets.iter().map(|target| target.column.to_string()).collect::<Vec<_>>().join(", ");
        match (targets, self) {
            ([only], _) => Ok(only),
            ([], Self::Own) => Err(invalid("Only CUSTOM indexes can be created without specifying a target column")),
            ([], Self::StorageAttached(_)) => Err(invalid("Failed to retrieve target column for: ")),
            (_, Self::Own) => Err(invalid("Only CUSTOM indexes support multiple columns")),
            (several, Self::StorageAttached(_)) => {
                for (nth, target) in several.iter().enumerate() {
                    if several.iter().take(nth).any(|earlier| earlier.column == target.column) {
                        let column = target.column.as_str();
                        return Err(invalid(format!("Duplicate column '{column}' in index target list")));
                    }
                }
                let names = names();
                Err(invalid(format!("A storage-attached index cannot be created over multiple columns: {names}")))
            }
        }
    }

    /// Refuses a name of a column that indexes of the class cannot be of.
    fn check_column(self, column: &str) -> Result<()> {
        let max = limits::WIDE_NAME_CHARS_MAX;
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !self.is_storage_attached() || (column.len() <= max && column.chars().all(is_word)) {
            return Ok(());
        }
        Err(invalid(format!(
            "Column '{column}' is longer than the permissible name length of {max} characters or contains \
             non-alphanumeric-underscore characters"
        )))
    }
}

/// Refuses a column that no index can be of.
fn check_indexable(table: &TableRecord, column: &Column) -> Result<()> {
    let (name, cql_type) = (column.name(), column.column_type());
    if cql_type.any(&mut |part| *part == CqlType::Duration) {
        let what = match cql_type.thawed() {
            whole if whole.is_collection() => "collections containing durations",
            CqlType::Tuple(_) => "tuples containing durations",
            CqlType::Udt(_) => "UDTs containing durations",
            _ => "duration columns",
        };
        return Err(invalid(format!("Secondary indexes are not supported on {what}")));
    }
    if column.kind() == ColumnKind::PartitionKey && table.shape().partition.len() == 1 {
        return Err(invalid(format!("Cannot create secondary index on the only partition key column {name}")));
    }
    if matches!(cql_type.thawed(), CqlType::Vector(..)) {
        return Err(Error::unsupported(format!("an index of the vector column {name:?}")));
    }
    Ok(())
}

/// What of a column an index is, in the order in which Cassandra refuses.
fn index_target(column: &str, cql_type: &CqlType, kind: TargetKind) -> Result<IndexTarget> {
    let is_multi_cell = cql_type.is_multi_cell();
    let is_frozen = cql_type.is_collection() && !is_multi_cell;
    // The values of a collection need not be named.
    let kind = if kind == TargetKind::Simple && cql_type.is_collection() { TargetKind::Values } else { kind };
    let shown = match kind {
        TargetKind::Simple => "",
        TargetKind::Values => "values",
        TargetKind::Keys => "keys",
        TargetKind::Entries => "entries",
        TargetKind::Full => "full",
    };
    if is_frozen && kind != TargetKind::Full {
        return Err(invalid(format!(
            "Cannot create {shown}() index on frozen column {column}. Frozen collections are immutable and must be fully indexed by using the 'full({column})' modifier"
        )));
    }
    if !is_frozen && kind == TargetKind::Full {
        return Err(invalid("full() indexes can only be created on frozen collections"));
    }
    if !cql_type.is_collection() && kind != TargetKind::Simple {
        return Err(invalid(format!(
            "Cannot create {shown}() index on {column}. Non-collection columns only support simple indexes"
        )));
    }
    let is_map = matches!(cql_type, CqlType::Map(_));
    if !is_map && matches!(kind, TargetKind::Keys | TargetKind::Entries) {
        return Err(invalid(format!("Cannot create index on {shown} of column {column} with non-map type")));
    }
    if is_multi_cell && matches!(cql_type, CqlType::Udt(_)) {
        return Err(invalid(format!("Cannot create index on non-frozen UDT column {column}")));
    }
    Ok(match kind {
        TargetKind::Simple => IndexTarget::Value,
        TargetKind::Values => IndexTarget::Elements,
        TargetKind::Keys => IndexTarget::Keys,
        TargetKind::Entries => IndexTarget::Entries,
        TargetKind::Full => IndexTarget::Full,
    })
}

/// `name`, or with a number behind it the first one that no index of the keyspace has.
fn free_name(context: &Context<'_>, keyspace: &str, name: &str) -> Result<String> {
    let tables = schema::tables(context.view, keyspace)?;
    let is_taken =
        |name: &str| tables.iter().any(|(_, table)| table.record.indexes.iter().any(|index| index.name == name));
    let mut free = name.to_owned();
    let mut number = 0u32;
    while is_taken(&free) {
        number += 1;
        free = format!("{name}_{number}");
    }
    Ok(free)
}
