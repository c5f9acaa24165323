//! How the tables of the system are defined.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::txn::View;
use crate::wide_column::schema::{Order, TableSchema};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// The type of a column, in few words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Blob,
    Boolean,
    Double,
    Inet,
    Int,
    Text,
    Timestamp,
    Uuid,
    /// `frozen<map<text, text>>`
    Texts,
    /// `frozen<map<text, blob>>`
    Blobs,
    /// `frozen<list<text>>`
    List,
    /// `frozen<set<text>>`
    Set,
}

impl Of {
    fn cql_type(self) -> CqlType {
        match self {
            Self::Blob => CqlType::Blob,
            Self::Boolean => CqlType::Boolean,
            Self::Double => CqlType::Double,
            Self::Inet => CqlType::Inet,
            Self::Int => CqlType::Int,
            Self::Text => CqlType::Text,
            Self::Timestamp => CqlType::Timestamp,
            Self::Uuid => CqlType::Uuid,
            Self::Texts => CqlType::frozen(CqlType::map(CqlType::Text, CqlType::Text)),
            Self::Blobs => CqlType::frozen(CqlType::map(CqlType::Text, CqlType::Blob)),
            Self::List => CqlType::frozen(CqlType::list(CqlType::Text)),
            Self::Set => CqlType::frozen(CqlType::set(CqlType::Text)),
        }
    }
}

/// A table: the first column is its partition key, so many behind it order the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) keyspace: &'static str,
    pub(super) table: &'static str,
    pub(super) clustering: usize,
    pub(super) columns: &'static [(&'static str, Of)],
    pub(super) rows: fn(&Seen<'_>) -> Result<Vec<Vec<CqlValue>>>,
}

/// What rows are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The store, as the query sees it.
    pub(super) view: &'a View,
    /// The tables of the system, which list themselves.
    pub(super) shapes: &'a [Shape],
    /// The roles that are there from the start.
    pub(super) configured: &'a BTreeSet<String>,
}

impl Shape {
    /// Its definition.
    pub(super) fn schema(&self) -> TableSchema {
        let columns = self.columns.iter().enumerate();
        columns.fold(TableSchema::new(), |schema, (nth, (name, of))| match nth {
            0 => schema.partition_key(name, of.cql_type()),
            nth if nth <= self.clustering => schema.clustering(name, of.cql_type(), Order::Ascending),
            _ => schema.column(name, of.cql_type()),
        })
    }
}

/// No rows.
#[expect(clippy::unnecessary_wraps, reason = "as the rows of other tables are made")]
pub(super) fn none(_: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    Ok(Vec::new())
}

/// A map of texts.
pub(super) fn texts<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> CqlValue {
    let entry = |(name, value): (&String, &String)| (name.as_str().into(), value.as_str().into());
    CqlValue::Map(entries.into_iter().map(entry).collect())
}
