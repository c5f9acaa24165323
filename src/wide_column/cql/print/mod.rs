//! From a syntax tree to text.
//!
//! The text parses to an equal tree. Names that are keywords are in quotes, whether they have to be or not.

mod function;
mod modify;
mod name;
mod role;
mod schema;
mod select;
mod term;
mod types;

use std::fmt::{self, Display, Formatter};

use crate::wide_column::cql::ast::{Parsed, Statement};

/// Several of a kind, with something between them.
struct Joined<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, item) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(self.1)?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

/// Pairs, with something between the two of each and commas between them.
struct Pairs<'a, A, B>(&'a [(A, B)], &'static str);

impl<A: Display, B: Display> Display for Pairs<'_, A, B> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, (first, second)) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{first}{}{second}", self.1)?;
        }
        Ok(())
    }
}

/// `text` if `is_there`, for what may be left out.
fn when(is_there: bool, text: &'static str) -> &'static str {
    if is_there { text } else { "" }
}

/// Text in single quotes.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

impl Display for Parsed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.statement.fmt(f)
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Modification(modification) => modification.fmt(f),
            Self::Batch(batch) => batch.fmt(f),
            Self::Use(keyspace) => write!(f, "USE {keyspace}"),
            Self::Truncate(table) => write!(f, "TRUNCATE {table}"),
            Self::CreateKeyspace(create) => create.fmt(f),
            Self::AlterKeyspace { if_exists, name, properties } => {
                let properties = Joined(properties, " AND ");
                write!(f, "ALTER KEYSPACE {}{name} WITH {properties}", when(*if_exists, "IF EXISTS "))
            }
            Self::CreateTable(create) => create.fmt(f),
            Self::AlterTable(alter) => alter.fmt(f),
            Self::CreateType(create) => create.fmt(f),
            Self::AlterType(alter) => alter.fmt(f),
            Self::CreateIndex(create) => create.fmt(f),
            Self::CreateView(create) => create.fmt(f),
            Self::AlterView { if_exists, name, properties } => {
                let properties = Joined(properties, " AND ");
                write!(f, "ALTER MATERIALIZED VIEW {}{name} WITH {properties}", when(*if_exists, "IF EXISTS "))
            }
            Self::CreateTrigger(create) => create.fmt(f),
            Self::DropTrigger { if_exists, name, table } => {
                write!(f, "DROP TRIGGER {}{name} ON {table}", when(*if_exists, "IF EXISTS "))
            }
            Self::CreateFunction(create) => create.fmt(f),
            Self::CreateAggregate(create) => create.fmt(f),
            Self::DropFunction(drop) => drop.fmt(f),
            Self::Drop(drop) => drop.fmt(f),
            Self::Describe(describe) => describe.fmt(f),
            Self::Role(role) => role.fmt(f),
        }
    }
}
