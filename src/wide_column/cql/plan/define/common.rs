//! What statements that define things have in common.

use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::cql::ast::QualifiedName;
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES, invalid};
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::{self, keyspace};

/// Refuses a name that no keyspace, table or index can have.
pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > limits::WIDE_NAME_CHARS_MAX || !name.chars().all(is_word) {
        let max = limits::WIDE_NAME_CHARS_MAX;
        return Err(invalid(format!(
            "{what} name must not be empty, more than {max} characters long, or contain non-alphanumeric-underscore \
             characters (got \"{name}\")"
        )));
    }
    Ok(())
}

pub(super) fn check_not_system(name: &str) -> Result<()> {
    if SYSTEM_KEYSPACES.contains(&name) {
        return Err(Exception::Unauthorized.error(format!("{name} keyspace is not user-modifiable.")));
    }
    Ok(())
}

pub(super) fn already_exists(message: String) -> Error {
    Exception::AlreadyExists.error(message)
}

/// The table that `ALTER` or `CREATE INDEX` names; `None` where it may be missing and is.
pub(super) fn found(
    context: &Context<'_>,
    name: &QualifiedName,
    if_exists: bool,
) -> Result<Option<schema::Definition>> {
    let (keyspace, own) = (context.keyspace(name)?, name.name.as_str());
    check_not_system(keyspace)?;
    match schema::table(context.view, keyspace, own)? {
        Some(table) => Ok(Some(table)),
        None if if_exists => Ok(None),
        None => Err(invalid(format!("Table '{keyspace}.{own}' doesn't exist"))),
    }
}

/// Refuses a keyspace that is not there.
pub(super) fn require_keyspace(context: &Context<'_>, name: &str) -> Result<()> {
    match keyspace::get(context.view, name)? {
        Some(_) => Ok(()),
        None => Err(invalid(format!("Keyspace '{name}' doesn't exist"))),
    }
}
