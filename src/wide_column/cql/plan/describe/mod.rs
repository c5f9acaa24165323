//! `DESCRIBE`: names of what there is, and the statements that make it again.

mod create;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::wide_column::Uuid;
use crate::wide_column::cql::ast::{Describe, Described, Name, QualifiedName, quoted_if_needed as quoted};
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES, invalid};
use crate::wide_column::cql::plan::system;
use crate::wide_column::schema::{self, Definition, TableRecord, keyspace, user_types};
use crate::wide_column::types::{CqlType, UserType};
use crate::wide_column::value::CqlValue;

/// What is described: in which keyspace, what kind of thing it is, what it is called and the statement that makes it.
type Element = (String, &'static str, String, String);

/// Runs `DESCRIBE`.
///
/// # Errors
/// Cassandra's for what is not there.
pub(in crate::wide_column::cql) fn describe(context: &Context<'_>, describe: &Describe) -> Result<Answer> {
    let with = With { context, internals: describe.internals };
    let statements = |elements: Vec<Element>| {
        let row = |(keyspace, kind, name, statement): Element| {
            vec![quoted(&keyspace).into(), kind.into(), quoted(&name).into(), statement.into()]
        };
        answer(&["keyspace_name", "type", "name", "create_statement"], elements.into_iter().map(row).collect())
    };
    let names = |elements: Vec<(String, &'static str, String)>| {
        let row = |(keyspace, kind, name): (String, &'static str, String)| {
            vec![quoted(&keyspace).into(), kind.into(), quoted(&name).into()]
        };
        answer(&["keyspace_name", "type", "name"], elements.into_iter().map(row).collect())
    };
    Ok(match &describe.described {
        Described::Cluster => answer(
            &["cluster", "partitioner", "snitch"],
            vec![vec![system::CLUSTER.into(), last(system::PARTITIONER).into(), last(system::SNITCH).into()]],
        ),
        Described::Schema { full } => {
            let mut all = Vec::new();
            for keyspace in keyspaces(context, *full)? {
                all.extend(with.whole_keyspace(&keyspace)?);
            }
            statements(all)
        }
        Described::Keyspaces => {
            names(keyspaces(context, true)?.into_iter().map(|name| (name.clone(), "keyspace", name)).collect())
        }
        Described::Keyspace { only, name } => {
            let name = own_keyspace(context, name.as_ref())?;
            let all = with.whole_keyspace(&name)?;
            statements(if *only { all.into_iter().take(1).collect() } else { all })
        }
        Described::Tables => names(listed(context, |keyspace| {
            if SYSTEM_KEYSPACES.contains(&keyspace) {
                let tables = system::tables(keyspace).into_iter();
                return Ok(tables.map(|name| (keyspace.to_owned(), "table", name.to_owned())).collect());
            }
            let tables = schema::tables(context.view, keyspace)?.into_iter();
            let tables = tables.filter(|(_, table)| table.record.view.is_none());
            let mut all: Vec<_> = tables.map(|(name, _)| (keyspace.to_owned(), "table", name)).collect();
            all.sort_by(|(.., a), (.., b)| in_order(a, b));
            Ok(all)
        })?),
        Described::Types => names(listed(context, |keyspace| {
            let types = user_types::list(context.view, keyspace)?;
            Ok(types.into_iter().map(|own| (keyspace.to_owned(), "type", own.name().to_owned())).collect())
        })?),
        Described::Functions | Described::Aggregates => names(Vec::new()),
        Described::Table(name) => {
            let keyspace = keyspace_of(context, name)?;
            let missing = || not_found("Table", name, &keyspace, "in keyspace");
            let own = name.name.as_str();
            statements(match with.table(&keyspace, own)? {
                Some(found) => found,
                None => vec![with.view(&keyspace, own)?.ok_or_else(missing)?],
            })
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
            let missing = || not_found("Materialized view", name, &keyspace, "in");
            statements(vec![with.view(&keyspace, name.name.as_str())?.ok_or_else(missing)?])
        }
        Described::Function(name) => {
            let keyspace = keyspace_of(context, name)?;
            return Err(not_found("User defined function", name, &keyspace, "in"));
        }
        Described::Aggregate(name) => {
            let keyspace = keyspace_of(context, name)?;
            return Err(not_found("User defined aggregate", name, &keyspace, "in"));
        }
        Described::Named(name) => statements(with.named(name)?),
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

/// The name of a class, without its package.
fn last(class: &str) -> &str {
    class.rsplit_once('.').map_or(class, |(_, name)| name)
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

/// The keyspaces in the order of their names, those of the system too if they are wanted.
fn keyspaces(context: &Context<'_>, with_system: bool) -> Result<Vec<String>> {
    let mut all: Vec<String> = keyspace::list(context.view)?.into_keys().collect();
    if with_system {
        all.extend(system::keyspaces());
    }
    all.sort_by(|a, b| in_order(a, b));
    Ok(all)
}

/// The order in which names are listed, which does not tell letters of either case.
fn in_order(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b))
}

/// What there is in the session's keyspace, or without one in every keyspace.
fn listed<T>(context: &Context<'_>, each: impl Fn(&str) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let keyspaces = match context.session_keyspace() {
        Some(own) => vec![own.to_owned()],
        None => keyspaces(context, true)?,
    };
    let mut all = Vec::new();
    for keyspace in keyspaces {
        all.extend(each(&keyspace)?);
    }
    Ok(all)
}

/// What is described, and whether with what is internal of it.
#[derive(Clone, Copy)]
struct With<'a> {
    context: &'a Context<'a>,
    internals: bool,
}

impl With<'_> {
    /// A keyspace, the types in it, each behind those it is made of, and the tables with their indexes and views.
    fn whole_keyspace(self, name: &str) -> Result<Vec<Element>> {
        let Some(own) = keyspace::get(self.context.view, name)? else { return Ok(self.of_system(name)) };
        let mut all = vec![(name.to_owned(), "keyspace", name.to_owned(), create::keyspace(name, &own))];
        let mut left = user_types::list(self.context.view, name)?;
        while !left.is_empty() {
            let uses = |own: &UserType, other: &UserType| {
                own.fields().iter().any(|(_, of)| {
                    of.any(&mut |part| matches!(part, CqlType::Udt(used) if used.name() == other.name()))
                })
            };
            let is_ready = |own: &UserType| !left.iter().any(|other| other.name() != own.name() && uses(own, other));
            // Types are not made of one another in a ring; were they, they would come as they are.
            let next = left.iter().position(is_ready).unwrap_or_default();
            let own = left.remove(next);
            all.push(of_type(name, &own));
        }
        let mut tables = schema::tables(self.context.view, name)?;
        tables.sort_by(|(a, _), (b, _)| in_order(a, b));
        for (table_name, found) in tables {
            all.extend(self.table(name, &table_name)?.unwrap_or_default());
            let mut views: Vec<_> = found.record.views.iter().map(|view| view.name.as_str()).collect();
            views.sort_by(|a, b| in_order(a, b));
            for view in views {
                all.extend(self.view(name, view)?);
            }
        }
        Ok(all)
    }

    /// A keyspace of the system.
    fn of_system(self, name: &str) -> Vec<Element> {
        let statement = create::system_keyspace(name, system::keyspace(name).as_ref());
        let mut all = vec![(name.to_owned(), "keyspace", name.to_owned(), statement)];
        for table in system::tables(name) {
            all.extend(self.system_table(name, table));
        }
        all
    }

    fn system_table(self, keyspace: &str, name: &str) -> Option<Element> {
        let definition = system::system_table(keyspace, name).ok()?.definition();
        let statement = if keyspace == system::VIRTUAL {
            create::virtual_table(keyspace, name, &definition.record, &system::comment_of(name))
        } else {
            let id = system::id_of(keyspace, name).filter(|_| self.internals);
            create::table(keyspace, name, &definition.record, id)
        };
        Some((keyspace.to_owned(), "table", name.to_owned(), statement))
    }

    /// A table and its indexes; `None` for a view, too.
    fn table(self, keyspace: &str, name: &str) -> Result<Option<Vec<Element>>> {
        if SYSTEM_KEYSPACES.contains(&keyspace) {
            return Ok(self.system_table(keyspace, name).map(|found| vec![found]));
        }
        let found = schema::table(self.context.view, keyspace, name)?.filter(|found| found.record.view.is_none());
        let Some(found) = found else { return Ok(None) };
        let record: &TableRecord = &found.record;
        let statement = create::table(keyspace, name, record, self.id(&found));
        let mut all = vec![(keyspace.to_owned(), "table", name.to_owned(), statement)];
        let mut indexes: Vec<_> = record.indexes.iter().collect();
        indexes.sort_by(|a, b| in_order(&a.name, &b.name));
        for index in indexes {
            let statement = create::index(keyspace, name, record, index);
            all.push((keyspace.to_owned(), "index", index.name.clone(), statement));
        }
        Ok(Some(all))
    }

    fn view(self, keyspace: &str, name: &str) -> Result<Option<Element>> {
        let Some(found) = schema::table(self.context.view, keyspace, name)? else { return Ok(None) };
        let Some(view) = &found.record.view else { return Ok(None) };
        let statement = create::view(keyspace, name, &found.record, view, self.id(&found));
        Ok(Some((keyspace.to_owned(), "materialized_view", name.to_owned(), statement)))
    }

    /// The id of a table, when it is to be shown.
    fn id(self, found: &Definition) -> Option<Uuid> {
        self.internals.then(|| Uuid::from_u128(found.id.into()))
    }

    /// A keyspace, or a table, an index or a view of one: whatever has the name, in this order.
    fn named(self, name: &QualifiedName) -> Result<Vec<Element>> {
        let (context, own) = (self.context, name.name.as_str());
        if name.keyspace.is_none() && (SYSTEM_KEYSPACES.contains(&own) || keyspace::get(context.view, own)?.is_some()) {
            return self.whole_keyspace(own);
        }
        let keyspace = match context.session_keyspace() {
            // Cassandra takes a name for that of a keyspace when there is none to look for it in.
            None if name.keyspace.is_none() => own_keyspace(context, Some(&name.name))?,
            _ => keyspace_of(context, name)?,
        };
        if let Some(found) = self.table(&keyspace, own)? {
            return Ok(found);
        }
        let found = match index(context, &keyspace, own)? {
            Some(index) => Some(index),
            None => self.view(&keyspace, own)?,
        };
        found.map(|found| vec![found]).ok_or_else(|| invalid(format!("'{own}' not found in keyspace '{keyspace}'")))
    }
}

fn of_type(keyspace: &str, own: &UserType) -> Element {
    (keyspace.to_owned(), "type", own.name().to_owned(), create::user_type(keyspace, own))
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
