//! `DESCRIBE`: names of what there is, and the statements that make it again.

mod create;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::{Describe, Described, Name, QualifiedName};
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES, invalid};
use crate::wide_column::cql::plan::system;
use crate::wide_column::schema::{self, TableRecord, keyspace, user_types};
use crate::wide_column::types::{CqlType, UserType};
use crate::wide_column::value::CqlValue;

/// What is described: in which keyspace, what kind of thing it is, what it is called and the statement that makes it.
type Element = (String, &'static str, String, String);

/// Runs `DESCRIBE`.
///
/// # Errors
/// Cassandra's for what is not there; [`Error::Unsupported`] for the schema of the system, and what is internal.
pub(in crate::wide_column::cql) fn describe(context: &Context<'_>, describe: &Describe) -> Result<Answer> {
    if describe.internals {
        return Err(Error::unsupported("DESCRIBE … WITH INTERNALS"));
    }
    let statements = |elements: Vec<Element>| {
        let row = |(keyspace, kind, name, statement): Element| {
            vec![keyspace.into(), kind.into(), name.into(), statement.into()]
        };
        answer(&["keyspace_name", "type", "name", "create_statement"], elements.into_iter().map(row).collect())
    };
    let names = |elements: Vec<(String, &'static str, String)>| {
        let row =
            |(keyspace, kind, name): (String, &'static str, String)| vec![keyspace.into(), kind.into(), name.into()];
        answer(&["keyspace_name", "type", "name"], elements.into_iter().map(row).collect())
    };
    Ok(match &describe.described {
        Described::Cluster => answer(
            &["cluster", "partitioner", "snitch"],
            vec![vec![system::CLUSTER.into(), system::PARTITIONER.into(), system::SNITCH.into()]],
        ),
        Described::Schema { full: true } => return Err(Error::unsupported("DESCRIBE FULL SCHEMA")),
        Described::Schema { full: false } => {
            let mut all = Vec::new();
            for keyspace in keyspace::list(context.view)?.into_keys() {
                all.extend(whole_keyspace(context, &keyspace)?);
            }
            statements(all)
        }
        Described::Keyspaces => {
            let mut all: Vec<String> = keyspace::list(context.view)?.into_keys().collect();
            all.extend(system::keyspaces());
            all.sort_unstable();
            names(all.into_iter().map(|name| (name.clone(), "keyspace", name)).collect())
        }
        Described::Keyspace { only, name } => {
            let name = own_keyspace(context, name.as_ref())?;
            let all = whole_keyspace(context, &name)?;
            statements(if *only { all.into_iter().take(1).collect() } else { all })
        }
        Described::Tables => names(listed(context, |keyspace| {
            let tables = schema::tables(context.view, keyspace)?.into_iter();
            let tables = tables.filter(|(_, table)| table.record.view.is_none());
            Ok(tables.map(|(name, _)| (keyspace.to_owned(), "table", name)).collect())
        })?),
        Described::Types => names(listed(context, |keyspace| {
            let types = user_types::list(context.view, keyspace)?;
            Ok(types.into_iter().map(|own| (keyspace.to_owned(), "type", own.name().to_owned())).collect())
        })?),
        Described::Functions | Described::Aggregates => names(Vec::new()),
        Described::Table(name) => {
            let keyspace = keyspace_of(context, name)?;
            let missing = || not_found("Table", name, &keyspace, "in keyspace");
            statements(table(context, &keyspace, name.name.as_str())?.ok_or_else(missing)?)
        }
        Described::Type(name) => {
            let keyspace = keyspace_of(context, name)?;
            let own = user_types::get(context.view, &keyspace, name.name.as_str())?;
            let own = own.ok_or_else(|| not_found("User defined type", name, &keyspace, "in"))?;
            statements(vec![of_type(&keyspace, &own)])
        }
        Described::Index(name) => {
            let keyspace = keyspace_of(context, name)?;
            let missing = || not_found("Table for existing index", name, &keyspace, "in");
            statements(vec![index(context, &keyspace, name.name.as_str())?.ok_or_else(missing)?])
        }
        Described::View(name) => {
            let keyspace = keyspace_of(context, name)?;
            let missing = || not_found("Materialized view", name, &keyspace, "in keyspace");
            statements(vec![view(context, &keyspace, name.name.as_str())?.ok_or_else(missing)?])
        }
        Described::Function(name) => {
            let keyspace = keyspace_of(context, name)?;
            return Err(not_found("User defined function", name, &keyspace, "in"));
        }
        Described::Aggregate(name) => {
            let keyspace = keyspace_of(context, name)?;
            return Err(not_found("User defined aggregate", name, &keyspace, "in"));
        }
        Described::Named(name) => statements(named(context, name)?),
    })
}

fn answer(names: &[&str], rows: Vec<Vec<CqlValue>>) -> Answer {
    let columns: Vec<_> = names.iter().map(|name| ((*name).to_owned(), CqlType::Text)).collect();
    Answer {
        columns: columns.into(),
        rows,
        of: Some(Arc::new(("system".to_owned(), "describe".to_owned()))),
        ..Answer::default()
    }
}

fn not_found(what: &str, name: &QualifiedName, keyspace: &str, within: &str) -> Error {
    invalid(format!("{what} '{}' not found {within} '{keyspace}'", name.name.as_str()))
}

const NO_KEYSPACE: &str = "No keyspace specified and no current keyspace";

fn keyspace_of(context: &Context<'_>, name: &QualifiedName) -> Result<String> {
    own_keyspace(context, name.keyspace.as_ref())
}

/// The keyspace `name`, or the session's.
fn own_keyspace(context: &Context<'_>, name: Option<&Name>) -> Result<String> {
    let name = name.map(Name::as_str).or(context.session_keyspace()).ok_or_else(|| invalid(NO_KEYSPACE))?;
    if !SYSTEM_KEYSPACES.contains(&name) && keyspace::get(context.view, name)?.is_none() {
        return Err(invalid(format!("'{name}' not found in keyspaces")));
    }
    Ok(name.to_owned())
}

/// What there is in the session's keyspace, or without one in every keyspace.
fn listed<T>(context: &Context<'_>, each: impl Fn(&str) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let keyspaces = match context.session_keyspace() {
        Some(own) => vec![own.to_owned()],
        None => keyspace::list(context.view)?.into_keys().collect(),
    };
    let mut all = Vec::new();
    for keyspace in keyspaces {
        all.extend(each(&keyspace)?);
    }
    Ok(all)
}

/// A keyspace, the types in it, each behind those it is made of, and the tables with their indexes and views.
fn whole_keyspace(context: &Context<'_>, name: &str) -> Result<Vec<Element>> {
    let own = keyspace::get(context.view, name)?;
    let own = own.ok_or_else(|| Error::unsupported(format!("DESCRIBE of the system's keyspace {name}")))?;
    let mut all = vec![(name.to_owned(), "keyspace", name.to_owned(), create::keyspace(name, &own))];
    let mut left = user_types::list(context.view, name)?;
    while !left.is_empty() {
        let uses = |own: &UserType, other: &UserType| {
            own.fields()
                .iter()
                .any(|(_, of)| of.any(&mut |part| matches!(part, CqlType::Udt(used) if used.name() == other.name())))
        };
        let is_ready = |own: &UserType| !left.iter().any(|other| other.name() != own.name() && uses(own, other));
        // Types are not made of one another in a ring; were they, they would come as they are.
        let next = left.iter().position(is_ready).unwrap_or_default();
        let own = left.remove(next);
        all.push(of_type(name, &own));
    }
    for (table_name, _) in schema::tables(context.view, name)? {
        all.extend(table(context, name, &table_name)?.unwrap_or_default());
    }
    Ok(all)
}

fn of_type(keyspace: &str, own: &UserType) -> Element {
    (keyspace.to_owned(), "type", own.name().to_owned(), create::user_type(keyspace, own))
}

/// A table, its indexes and its views; `None` for a view, too.
fn table(context: &Context<'_>, keyspace: &str, name: &str) -> Result<Option<Vec<Element>>> {
    if SYSTEM_KEYSPACES.contains(&keyspace) {
        let Ok(found) = system::system_table(keyspace, name) else { return Ok(None) };
        let statement = create::table(keyspace, name, &found.definition().record);
        return Ok(Some(vec![(keyspace.to_owned(), "table", name.to_owned(), statement)]));
    }
    let found = schema::table(context.view, keyspace, name)?.filter(|found| found.record.view.is_none());
    let Some(found) = found else { return Ok(None) };
    let record: &TableRecord = &found.record;
    let mut all = vec![(keyspace.to_owned(), "table", name.to_owned(), create::table(keyspace, name, record))];
    for index in &record.indexes {
        let statement = create::index(keyspace, name, record, index);
        all.push((keyspace.to_owned(), "index", index.name.clone(), statement));
    }
    for of in &record.views {
        all.extend(view(context, keyspace, &of.name)?);
    }
    Ok(Some(all))
}

fn view(context: &Context<'_>, keyspace: &str, name: &str) -> Result<Option<Element>> {
    let Some(found) = schema::table(context.view, keyspace, name)? else { return Ok(None) };
    let statement = found.record.view.as_ref().map(|view| create::view(keyspace, name, &found.record, view));
    Ok(statement.map(|statement| (keyspace.to_owned(), "view", name.to_owned(), statement)))
}

fn index(context: &Context<'_>, keyspace: &str, name: &str) -> Result<Option<Element>> {
    for (table, found) in schema::tables(context.view, keyspace)? {
        if let Some(index) = found.record.indexes.iter().find(|index| index.name == name) {
            let statement = create::index(keyspace, &table, &found.record, index);
            return Ok(Some((keyspace.to_owned(), "index", name.to_owned(), statement)));
        }
    }
    Ok(None)
}

/// A keyspace, or a table, a view or an index of one: whatever has the name.
fn named(context: &Context<'_>, name: &QualifiedName) -> Result<Vec<Element>> {
    let own = name.name.as_str();
    if name.keyspace.is_none() && keyspace::get(context.view, own)?.is_some() {
        return whole_keyspace(context, own);
    }
    let keyspace = keyspace_of(context, name)?;
    if let Some(found) = table(context, &keyspace, own)? {
        return Ok(found);
    }
    let found = match view(context, &keyspace, own)? {
        Some(view) => Some(view),
        None => index(context, &keyspace, own)?,
    };
    found.map(|found| vec![found]).ok_or_else(|| invalid(format!("'{own}' not found in keyspace '{keyspace}'")))
}
