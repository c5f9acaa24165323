//! What storage-attached indexes can be of, and their options.
//!
//! # Source
//! Cassandra 5.0, `StorageAttachedIndex.validateOptions`, in whose order it is checked.

use crate::error::{Error, Result};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::exception::Exception;
use crate::wide_column::index::Analysis;
use crate::wide_column::schema::{Column, IndexTarget, NewIndex, TableRecord};
use crate::wide_column::types::CqlType;

/// Refuses an index that cannot be.
///
/// # Errors
/// In Cassandra's words.
pub(super) fn check(table: &TableRecord, column: &Column, new: &NewIndex<'_>) -> Result<()> {
    let unknown: Vec<_> = new.options.keys().filter(|name| !Analysis::OPTIONS.contains(&name.as_str())).collect();
    if !unknown.is_empty() {
        let names = unknown.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("Properties specified [{names}] are not understood by StorageAttachedIndex");
        return Err(Exception::Config.error(message));
    }
    let mut others = table.indexes.iter().filter(|index| index.is_storage_attached());
    let name = column.name();
    if others.any(|index| index.column == column.id() && index.target == new.target) {
        return Err(invalid(format!("Cannot create more than one storage-attached index on the same column: {name}")));
    }
    let parts = match (new.target, column.column_type().thawed()) {
        (IndexTarget::Entries, CqlType::Map(both)) => vec![&both.0, &both.1],
        (IndexTarget::Keys, CqlType::Map(both)) => vec![&both.0],
        (IndexTarget::Elements, CqlType::Map(both)) => vec![&both.1],
        (IndexTarget::Elements, CqlType::List(element) | CqlType::Set(element)) => vec![&**element],
        _ => vec![column.column_type()],
    };
    if let Some(vector) = parts.iter().find(|part| matches!(part.thawed(), CqlType::Vector(..))) {
        return Err(Error::unsupported(format!("an index of {vector} in the column {name:?}")));
    }
    if let Some(part) = parts.iter().find(|part| !is_supported(part)) {
        return Err(invalid(format!("Unsupported type: {part}")));
    }
    check_analysis(column, &parts, new)
}

/// Whether an index can be of values of the type: of one without parts, or frozen.
fn is_supported(cql_type: &CqlType) -> bool {
    match cql_type.thawed() {
        CqlType::Blob | CqlType::Counter | CqlType::Duration => false,
        _ => !cql_type.is_multi_cell(),
    }
}

/// Refuses options of texts where there are none, or in the key.
fn check_analysis(column: &Column, parts: &[&CqlType], new: &NewIndex<'_>) -> Result<()> {
    if new.options.is_empty() {
        return Ok(());
    }
    if column.is_key() {
        let all: Vec<_> = new.options.iter().map(|(name, value)| format!("'{name}': '{value}'")).collect();
        let all = all.join(", ");
        return Err(invalid(format!("Analysis options are not supported on primary key columns, but found {{{all}}}")));
    }
    let is_text = matches!(parts, [CqlType::Text | CqlType::Ascii]);
    if !is_text {
        let shown = parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(invalid(format!("CQL type {shown} cannot be analyzed.")));
    }
    for (name, value) in &new.options {
        if value.is_empty() {
            return Err(invalid(format!("Empty value for boolean option '{name}'")));
        }
        if !["true", "false"].iter().any(|is| value.eq_ignore_ascii_case(is)) {
            return Err(invalid(format!("Illegal value for boolean option '{name}': {value}")));
        }
    }
    Ok(())
}
