//! What a statement has to be permitted.
//!
//! It is looked at each time that a statement runs, with what roles may do in the state of the store that it sees, whatever is kept
//! of its plan.
//!
//! # Source
//! Cassandra 5.0, *Database roles*, *Permissions*; `authorize` of its statements.

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{Drop, Dropped, QualifiedName, Statement};
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES};
use crate::wide_column::role::{Permission, Resource};
use crate::wide_column::schema::{self, TableRecord, keyspace};

/// Keyspaces that everybody may read: drivers do, when they connect.
const READABLE: [&str; 3] = ["system", "system_schema", "system_virtual_schema"];

fn table_of(keyspace: &str, name: &str) -> Resource {
    Resource::Table(keyspace.to_owned(), name.to_owned())
}

/// Checks that the table `name` may be read.
pub(super) fn read(context: &Context<'_>, keyspace: &str, name: &str, table: &TableRecord) -> Result<()> {
    if context.actor.role().is_none() || READABLE.contains(&keyspace) {
        return Ok(());
    }
    // A view shows what its base has.
    let name = table.view.as_ref().map_or(name, |view| &view.base);
    context.actor.ensure(context.view, Permission::Select, &table_of(keyspace, name))
}

/// Checks that the table `name` may be written to. A condition reads it, and so do its views, which are written to as well.
pub(super) fn write(
    context: &Context<'_>,
    (keyspace, name): (&str, &str),
    table: &TableRecord,
    is_conditional: bool,
) -> Result<()> {
    if context.actor.role().is_none() {
        return Ok(());
    }
    let own = table_of(keyspace, name);
    context.actor.ensure(context.view, Permission::Modify, &own)?;
    if is_conditional || !table.views.is_empty() {
        context.actor.ensure(context.view, Permission::Select, &own)?;
    }
    for view in &table.views {
        context.actor.ensure(context.view, Permission::Modify, &table_of(keyspace, &view.name))?;
    }
    Ok(())
}

/// Checks that what a statement defines may be defined.
pub(super) fn definition(context: &Context<'_>, statement: &Statement) -> Result<()> {
    if context.actor.role().is_none() {
        return Ok(());
    }
    let Some((permission, resource)) = needed(context, statement)? else { return Ok(()) };
    if let Resource::Keyspace(keyspace) | Resource::AllTables(keyspace) | Resource::Table(keyspace, _) = &resource
        && SYSTEM_KEYSPACES.contains(&keyspace.as_str())
    {
        // Nobody may, which is said elsewhere.
        return Ok(());
    }
    context.actor.ensure(context.view, permission, &resource)
}

fn needed(context: &Context<'_>, statement: &Statement) -> Result<Option<(Permission, Resource)>> {
    let table = |name: &QualifiedName| Ok::<_, Error>(table_of(context.keyspace(name)?, name.name.as_str()));
    let tables = |name: &QualifiedName| Ok::<_, Error>(Resource::AllTables(context.keyspace(name)?.to_owned()));
    let keyspace = |name: &str| Resource::Keyspace(name.to_owned());
    Ok(Some(match statement {
        Statement::CreateKeyspace(_) => (Permission::Create, Resource::AllKeyspaces),
        Statement::AlterKeyspace { name, .. } => (Permission::Alter, keyspace(name.as_str())),
        Statement::CreateTable(create) => (Permission::Create, tables(&create.name)?),
        Statement::AlterTable(alter) => (Permission::Alter, table(&alter.name)?),
        Statement::CreateType(create) => (Permission::Create, tables(&create.name)?),
        Statement::AlterType(alter) => (Permission::Alter, tables(&alter.name)?),
        Statement::CreateIndex(create) => (Permission::Alter, table(&create.table)?),
        Statement::CreateView(create) => (Permission::Alter, table(&create.base)?),
        Statement::Truncate(name) => (Permission::Modify, table(name)?),
        Statement::AlterView { name, .. } => return base(context, name),
        Statement::Drop(Drop { dropped, .. }) => match dropped {
            Dropped::Keyspace(name) => (Permission::Drop, keyspace(name.as_str())),
            Dropped::Table(name) => (Permission::Drop, table(name)?),
            Dropped::Type(name) => (Permission::Drop, tables(name)?),
            Dropped::View(name) => return base(context, name),
            Dropped::Index(name) => {
                let (keyspace, own) = (context.keyspace(name)?, name.name.as_str());
                let has = |table: &TableRecord| table.indexes.iter().any(|index| index.name == own);
                let mut all = schema::tables(context.view, keyspace)?.into_iter();
                let Some((indexed, _)) = all.find(|(_, table)| has(&table.record)) else { return Ok(None) };
                (Permission::Alter, table_of(keyspace, &indexed))
            }
        },
        _ => return Ok(None),
    }))
}

/// What is needed to change a view, of its base; nothing when there is no such view.
fn base(context: &Context<'_>, name: &QualifiedName) -> Result<Option<(Permission, Resource)>> {
    let keyspace = context.keyspace(name)?;
    let found = schema::table(context.view, keyspace, name.name.as_str())?;
    let view = found.as_ref().and_then(|found| found.record.view.as_ref());
    Ok(view.map(|view| (Permission::Alter, table_of(keyspace, &view.base))))
}

/// What a statement makes that was not there, and that its maker may do everything with from then on.
pub(super) fn made(context: &Context<'_>, statement: &Statement) -> Result<Option<Resource>> {
    Ok(match statement {
        Statement::CreateKeyspace(create) => {
            let name = create.name.as_str();
            keyspace::get(context.view, name)?.is_none().then(|| Resource::Keyspace(name.to_owned()))
        }
        Statement::CreateTable(create) => {
            let (keyspace, name) = (context.keyspace(&create.name)?, create.name.name.as_str());
            schema::table(context.view, keyspace, name)?.is_none().then(|| table_of(keyspace, name))
        }
        _ => None,
    })
}
