//! Definitions: keyspaces, tables with their columns, options and indexes, views, user-defined types.
//!
//! # Storage
//! A table's definition ([`TableRecord`]) is an entry of the catalogue, and so are keyspaces and user-defined types. Indexes are in the
//! definition of their table; a view is a table that says what it is of, and its table knows of it.
//!
//! # Invariants
//! 1. The types of a table's columns have the fields of user-defined types with them; they are those of the type's own entry.
//! 2. Ids of columns are not given out again while a table lives, so that rows need not be rewritten when it changes.

mod check;
mod column;
mod index;
pub(crate) mod keyspace;
mod options;
mod record;
mod table;
pub(crate) mod user_types;
mod view;
mod view_schema;

use std::sync::Arc;

pub(in crate::wide_column) use check::{check_identifier, check_ttl};
pub use column::{Column, ColumnKind, Order};
pub use index::IndexTarget;
pub(crate) use index::{IndexDefinition, NewIndex};
pub use options::TableOptions;
pub(crate) use record::{Dropped, TableRecord};
pub use table::TableSchema;
pub(crate) use view::{ViewCondition, ViewDefinition, ViewOf, ViewTest};
pub use view_schema::ViewSchema;

use crate::catalog::{self, Entry, Kind};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{View, Writer};
use crate::wide_column::types::{CqlType, UserType};

/// A table's ids and definition as an operation found them.
pub(crate) type Definition = Arc<Entry<TableRecord>>;

/// Every table of a keyspace with its name, in byte order.
pub(crate) fn tables(view: &View, keyspace: &str) -> Result<Vec<(String, Definition)>> {
    let found = catalog::list::<TableRecord>(view, Kind::WideTable, keyspace)?;
    Ok(found.into_iter().map(|(name, entry)| (name, Arc::new(entry))).collect())
}

/// The table `name` of a keyspace. One who asks often keeps a [`catalog::Target`].
pub(crate) fn table(view: &View, keyspace: &str, name: &str) -> Result<Option<Definition>> {
    catalog::Target::new(Kind::WideTable, keyspace, name).get(view)
}

/// Refuses a type that cannot be: without fields, or with two of a name, or with parts that cannot be parts.
pub(crate) fn check_type(user_type: &UserType) -> Result<()> {
    let fields = user_type.fields();
    limits::check("fields of a type", limits::WIDE_COLUMNS_MAX, fields.len())?;
    if fields.is_empty() {
        return Err(Error::value(format!("type {} needs a field", user_type.name())));
    }
    for (nth, (name, _)) in fields.iter().enumerate() {
        check::check_name("field", name)?;
        if fields.iter().take(nth).any(|(other, _)| other == name) {
            return Err(Error::value(format!("Duplicate field name {name} in type {}", user_type.name())));
        }
    }
    // Where a column of it is not frozen, more is asked.
    check::check_type(&CqlType::frozen(CqlType::udt(user_type.clone())))
}

/// Whether a user-defined type is a type, or a part of it.
fn has_type(cql_type: &CqlType, keyspace: &str, name: &str) -> bool {
    cql_type.any(&mut |part| {
        matches!(part, CqlType::Udt(user_type) if user_type.keyspace() == keyspace && user_type.name() == name)
    })
}

/// What has a user-defined type among its own types: a table, or another type.
pub(crate) fn user_of_type(view: &View, keyspace: &str, name: &str) -> Result<Option<String>> {
    for other in user_types::list(view, keyspace)? {
        if other.fields().iter().any(|(_, field)| has_type(field, keyspace, name)) {
            return Ok(Some(format!("type {}", other.name())));
        }
    }
    for (table, definition) in tables(view, keyspace)? {
        if definition.record.schema.columns().any(|column| has_type(column.column_type(), keyspace, name)) {
            return Ok(Some(format!("table {table}")));
        }
    }
    Ok(None)
}

/// Creates a user-defined type, or changes it, with the types and tables that have it among their own.
///
/// # Errors
/// [`Error::Invalid`] for a field more of a type that is in a primary key, whose rows would be elsewhere then.
///
/// # Cost
/// O(types and tables of the keyspace).
pub(crate) fn change_type(writer: &mut Writer, to: &UserType) -> Result<()> {
    let (keyspace, name) = (to.keyspace(), to.name());
    let before = user_types::get(writer, keyspace, name)?;
    if before.is_some_and(|before| before.fields().len() != to.fields().len()) {
        for (table, definition) in tables(writer, keyspace)? {
            let mut keys = definition.record.schema.columns().filter(|column| column.is_key());
            if keys.any(|column| has_type(column.column_type(), keyspace, name)) {
                let what = format!("Cannot add new field to user type {keyspace}.{name}");
                return Err(Error::value(format!(
                    "{what} as the type is being used in the primary key of table {table}"
                )));
            }
        }
    }
    user_types::put(writer, to)?;
    for other in user_types::list(writer, to.keyspace())? {
        if other.name() == to.name() {
            continue;
        }
        let mut changed = other.clone();
        changed.fields_mut().iter_mut().for_each(|(_, field)| *field = field.with_user_type(to));
        if changed != other {
            user_types::put(writer, &changed)?;
        }
    }
    for (name, table) in tables(writer, to.keyspace())? {
        let mut changed = table.as_ref().clone();
        if changed.record.change_type(to) {
            catalog::Target::new(Kind::WideTable, to.keyspace(), &name).update(writer, &changed)?;
        }
    }
    Ok(())
}
