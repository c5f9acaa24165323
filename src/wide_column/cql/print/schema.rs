//! Statements that define what data is in, and `DESCRIBE`.

use std::fmt::{self, Display, Formatter};

use super::select::Where;
use super::{Joined, Pairs, Quoted, when};
use crate::wide_column::cql::ast::{
    AlterTable, AlterTableChange, AlterType, AlterTypeChange, ClusteringOrder, ColumnDefinition, CreateIndex,
    CreateKeyspace, CreateTable, CreateType, CreateView, Describe, Described, Drop, Dropped, IndexTarget, Mask,
    PrimaryKey, Property, PropertyValue, TableProperty, TargetKind,
};

impl Display for PropertyValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            // It has to be a keyword, and so without quotes.
            Self::Word(word) => f.write_str(word.as_str()),
            Self::Map(entries) => write!(f, "{{{}}}", Pairs(entries, ": ")),
        }
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl Display for ClusteringOrder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.column, if self.descending { "DESC" } else { "ASC" })
    }
}

impl Display for TableProperty {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(property) => property.fmt(f),
            Self::CompactStorage => f.write_str("COMPACT STORAGE"),
            Self::ClusteringOrder(order) => write!(f, "CLUSTERING ORDER BY ({})", Joined(order, ", ")),
        }
    }
}

/// `WITH` and properties, if there are any.
struct With<'a, T>(&'a [T]);

impl<T: Display> Display for With<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " WITH {}", Joined(self.0, " AND ")) }
    }
}

impl Display for CreateKeyspace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE KEYSPACE {guard}{}{}", self.name, With(&self.properties))
    }
}

impl Display for Mask {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("MASKED WITH DEFAULT"),
            Self::Function(function, arguments) => write!(f, "MASKED WITH {function}({})", Joined(arguments, ", ")),
        }
    }
}

impl Display for ColumnDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.name, self.column_type, when(self.is_static, " STATIC"))?;
        self.mask.iter().try_for_each(|mask| write!(f, " {mask}"))
    }
}

impl Display for PrimaryKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let comma = when(!self.clustering.is_empty(), ", ");
        let (partition, clustering) = (Joined(&self.partition, ", "), Joined(&self.clustering, ", "));
        write!(f, "PRIMARY KEY (({partition}){comma}{clustering})")
    }
}

impl Display for CreateTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE TABLE {guard}{} ({}", self.name, Joined(&self.columns, ", "))?;
        if let Some(primary_key) = &self.primary_key {
            write!(f, "{}{primary_key}", when(!self.columns.is_empty(), ", "))?;
        }
        write!(f, "){}", With(&self.properties))
    }
}

impl Display for AlterTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ALTER TABLE {}{} {}", when(self.if_exists, "IF EXISTS "), self.name, self.change)
    }
}

/// `RENAME` and what is behind it.
fn renames<T: Display>(f: &mut Formatter<'_>, if_exists: bool, renames: &[(T, T)]) -> fmt::Result {
    write!(f, "RENAME {}", when(if_exists, "IF EXISTS "))?;
    for (number, (from, to)) in renames.iter().enumerate() {
        write!(f, "{}{from} TO {to}", when(number > 0, " AND "))?;
    }
    Ok(())
}

impl Display for AlterTableChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(column, to) => write!(f, "ALTER {column} TYPE {to}"),
            Self::Mask { if_exists, column, mask } => {
                write!(f, "ALTER {}{column} ", when(*if_exists, "IF EXISTS "))?;
                match mask {
                    Some(mask) => mask.fmt(f),
                    None => f.write_str("DROP MASKED"),
                }
            }
            Self::Add { if_not_exists, columns } => {
                write!(f, "ADD {}({})", when(*if_not_exists, "IF NOT EXISTS "), Joined(columns, ", "))
            }
            Self::Drop { if_exists, columns, timestamp } => {
                write!(f, "DROP {}({})", when(*if_exists, "IF EXISTS "), Joined(columns, ", "))?;
                timestamp.iter().try_for_each(|timestamp| write!(f, " USING TIMESTAMP {timestamp}"))
            }
            Self::DropCompactStorage => f.write_str("DROP COMPACT STORAGE"),
            Self::Rename { if_exists, renames: all } => renames(f, *if_exists, all),
            Self::Properties(properties) => write!(f, "WITH {}", Joined(properties, " AND ")),
        }
    }
}

impl Display for CreateType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE TYPE {guard}{} ({})", self.name, Pairs(&self.fields, " "))
    }
}

impl Display for AlterType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ALTER TYPE {}{} ", when(self.if_exists, "IF EXISTS "), self.name)?;
        match &self.change {
            AlterTypeChange::Type(field, to) => write!(f, "ALTER {field} TYPE {to}"),
            AlterTypeChange::Add { if_not_exists, field, field_type } => {
                write!(f, "ADD {}{field} {field_type}", when(*if_not_exists, "IF NOT EXISTS "))
            }
            AlterTypeChange::Rename { if_exists, renames: all } => renames(f, *if_exists, all),
        }
    }
}

impl Display for IndexTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let column = &self.column;
        match self.kind {
            TargetKind::Simple => column.fmt(f),
            TargetKind::Values => write!(f, "VALUES({column})"),
            TargetKind::Keys => write!(f, "KEYS({column})"),
            TargetKind::Entries => write!(f, "ENTRIES({column})"),
            TargetKind::Full => write!(f, "FULL({column})"),
        }
    }
}

impl Display for CreateIndex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (custom, guard) = (when(self.is_custom, "CUSTOM "), when(self.if_not_exists, "IF NOT EXISTS "));
        write!(f, "CREATE {custom}INDEX {guard}")?;
        self.name.iter().try_for_each(|name| write!(f, "{name} "))?;
        write!(f, "ON {} ({})", self.table, Joined(&self.targets, ", "))?;
        self.class.iter().try_for_each(|class| write!(f, " USING {}", Quoted(class)))?;
        With(&self.properties).fmt(f)
    }
}

impl Display for CreateView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE MATERIALIZED VIEW {guard}{} AS SELECT {} FROM {}", self.name, self.selection, self.base)?;
        write!(f, "{} {}{}", Where(&self.relations), self.primary_key, With(&self.properties))
    }
}

impl Display for Drop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let guard = when(self.if_exists, "IF EXISTS ");
        match &self.dropped {
            Dropped::Keyspace(name) => write!(f, "DROP KEYSPACE {guard}{name}"),
            Dropped::Table(name) => write!(f, "DROP TABLE {guard}{name}"),
            Dropped::Type(name) => write!(f, "DROP TYPE {guard}{name}"),
            Dropped::Index(name) => write!(f, "DROP INDEX {guard}{name}"),
            Dropped::View(name) => write!(f, "DROP MATERIALIZED VIEW {guard}{name}"),
        }
    }
}

impl Display for Describe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("DESCRIBE ")?;
        match &self.described {
            Described::Cluster => f.write_str("CLUSTER"),
            Described::Schema { full } => write!(f, "{}SCHEMA", when(*full, "FULL ")),
            Described::Keyspaces => f.write_str("KEYSPACES"),
            Described::Keyspace { only, name } => {
                write!(f, "{}KEYSPACE", when(*only, "ONLY "))?;
                name.iter().try_for_each(|name| write!(f, " {name}"))
            }
            Described::Tables => f.write_str("TABLES"),
            Described::Table(name) => write!(f, "TABLE {name}"),
            Described::Index(name) => write!(f, "INDEX {name}"),
            Described::View(name) => write!(f, "MATERIALIZED VIEW {name}"),
            Described::Types => f.write_str("TYPES"),
            Described::Type(name) => write!(f, "TYPE {name}"),
            Described::Functions => f.write_str("FUNCTIONS"),
            Described::Function(name) => write!(f, "FUNCTION {name}"),
            Described::Aggregates => f.write_str("AGGREGATES"),
            Described::Aggregate(name) => write!(f, "AGGREGATE {name}"),
            Described::Named(name) => name.fmt(f),
        }?;
        f.write_str(when(self.internals, " WITH INTERNALS"))
    }
}
