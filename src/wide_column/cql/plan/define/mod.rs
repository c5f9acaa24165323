//! Statements that define what data is in.

mod alter;
mod common;
mod index;
mod keyspace;
mod options;
mod properties;
mod remove;
mod storage_attached;
mod table;
mod user_type;
mod view;

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::Statement;
use crate::wide_column::cql::plan::authorize;
use crate::wide_column::cql::plan::context::Context;
use crate::wide_column::role::{Actor, grants};
use crate::wide_column::target::Target;

/// Runs a statement that defines something; `false` for one that does not.
///
/// # Errors
/// Cassandra's for what it refuses; [`Error::Unsupported`] for what is not modelled.
pub(in crate::wide_column::cql) fn define(
    writer: &mut Writer,
    (session, actor): (Option<&str>, &Actor),
    statement: &Statement,
) -> Result<bool> {
    let context = Context::new(writer, session, &[]).by(actor);
    authorize::definition(&context, statement)?;
    let made = match actor.role() {
        Some(role) => authorize::made(&context, statement)?.map(|made| (role, made)),
        None => None,
    };
    let is_definition = run(writer, session, statement)?;
    if let Some((role, made)) = made {
        grants::grant(writer, &role.name, &made, made.applicable())?;
    }
    Ok(is_definition)
}

fn run(writer: &mut Writer, session: Option<&str>, statement: &Statement) -> Result<bool> {
    match statement {
        Statement::CreateKeyspace(create) => keyspace::create_keyspace(writer, create)?,
        Statement::AlterKeyspace { if_exists, name, properties } => {
            keyspace::alter_keyspace(writer, *if_exists, name, properties)?;
        }
        Statement::CreateTable(create) => table::create_table(writer, session, create)?,
        Statement::AlterTable(alter) => alter::alter_table(writer, session, alter)?,
        Statement::CreateType(create) => user_type::create_type(writer, session, create)?,
        Statement::AlterType(alter) => user_type::alter_type(writer, session, alter)?,
        Statement::CreateIndex(create) => index::create_index(writer, session, create)?,
        Statement::Truncate(name) => {
            let context = Context::new(writer, session, &[]);
            context.table(name)?;
            Target::new(context.keyspace(name)?, name.name.as_str()).empty(writer)?;
        }
        Statement::Drop(drop) => remove::remove(writer, session, drop.if_exists, &drop.dropped)?,
        Statement::CreateView(create) => view::create_view(writer, session, create)?,
        Statement::AlterView { if_exists, name, properties } => {
            view::alter_view(writer, session, *if_exists, name, properties)?;
        }
        Statement::CreateTrigger(_) | Statement::DropTrigger { .. } => return Err(Error::unsupported("triggers")),
        Statement::CreateFunction(create) => {
            return Err(Error::unsupported(format!("functions in {}", create.language.as_str())));
        }
        Statement::CreateAggregate(_) => return Err(Error::unsupported("user-defined aggregates")),
        Statement::DropFunction(_) => return Err(Error::unsupported("user-defined functions and aggregates")),
        Statement::Select(_)
        | Statement::Modification(_)
        | Statement::Batch(_)
        | Statement::Use(_)
        | Statement::Role(_)
        | Statement::Describe(_) => return Ok(false),
    }
    Ok(true)
}
