//! `INSERT`, `UPDATE`, `DELETE` and batches.

use std::fmt::{self, Display, Formatter};

use super::select::Where;
use super::{Joined, Quoted, when};
use crate::wide_column::cql::ast::{
    Assignment, Batch, BatchKind, Condition, ConditionTarget, ConditionTest, Delete, Deletion, Guard, Insert,
    InsertJson, JsonValue, Modification, Update, Using,
};

impl Display for Using {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timestamp(term) => write!(f, "TIMESTAMP {term}"),
            Self::Ttl(term) => write!(f, "TTL {term}"),
        }
    }
}

/// `USING` and what is behind it, if there is anything.
struct AllUsing<'a>(&'a [Using]);

impl Display for AllUsing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " USING {}", Joined(self.0, " AND ")) }
    }
}

impl Display for Insert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (columns, values) = (Joined(&self.columns, ", "), Joined(&self.values, ", "));
        let guard = when(self.if_not_exists, " IF NOT EXISTS");
        write!(f, "INSERT INTO {} ({columns}) VALUES ({values}){guard}{}", self.table, AllUsing(&self.using))
    }
}

impl Display for InsertJson {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "INSERT INTO {} JSON ", self.table)?;
        match &self.json {
            JsonValue::Text(text) => Quoted(text).fmt(f)?,
            JsonValue::Marker(marker) => marker.fmt(f)?,
        }
        f.write_str(when(self.default_unset, " DEFAULT UNSET"))?;
        f.write_str(when(self.if_not_exists, " IF NOT EXISTS"))?;
        AllUsing(&self.using).fmt(f)
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(column, value) => write!(f, "{column} = {value}"),
            Self::Add(column, value) => write!(f, "{column} = {column} + {value}"),
            Self::Subtract(column, value) => write!(f, "{column} = {column} - {value}"),
            Self::Prepend(column, value) => write!(f, "{column} = {value} + {column}"),
            Self::SetElement(column, key, value) => write!(f, "{column}[{key}] = {value}"),
            Self::SetField(column, field, value) => write!(f, "{column}.{field} = {value}"),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)?;
        match &self.target {
            ConditionTarget::Column => {}
            ConditionTarget::Element(key) => write!(f, "[{key}]")?,
            ConditionTarget::Field(field) => write!(f, ".{field}")?,
        }
        match &self.test {
            ConditionTest::Compare(comparison, value) => write!(f, " {comparison} {value}"),
            ConditionTest::In(values) => write!(f, " IN {values}"),
            ConditionTest::Contains { key, value } => write!(f, " CONTAINS {}{value}", when(*key, "KEY ")),
        }
    }
}

impl Display for Guard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Exists => f.write_str(" IF EXISTS"),
            Self::Conditions(conditions) => write!(f, " IF {}", Joined(conditions, " AND ")),
        }
    }
}

impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "UPDATE {}{} SET {}", self.table, AllUsing(&self.using), Joined(&self.assignments, ", "))?;
        write!(f, "{}{}", Where(&self.relations), self.guard)
    }
}

impl Display for Deletion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Element(column, key) => write!(f, "{column}[{key}]"),
            Self::Field(column, field) => write!(f, "{column}.{field}"),
        }
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let space = when(!self.deletions.is_empty(), " ");
        write!(f, "DELETE {}{space}FROM {}", Joined(&self.deletions, ", "), self.table)?;
        self.timestamp.iter().try_for_each(|timestamp| write!(f, " USING TIMESTAMP {timestamp}"))?;
        write!(f, "{}{}", Where(&self.relations), self.guard)
    }
}

impl Display for Modification {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(insert) => insert.fmt(f),
            Self::InsertJson(insert) => insert.fmt(f),
            Self::Update(update) => update.fmt(f),
            Self::Delete(delete) => delete.fmt(f),
        }
    }
}

impl Display for Batch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BatchKind::Logged => "",
            BatchKind::Unlogged => "UNLOGGED ",
            BatchKind::Counter => "COUNTER ",
        };
        write!(f, "BEGIN {kind}BATCH{}", AllUsing(&self.using))?;
        self.statements.iter().try_for_each(|statement| write!(f, " {statement};"))?;
        f.write_str(" APPLY BATCH")
    }
}
