//! What statements return.

use std::ops::Deref;
use std::sync::Arc;

use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// What a statement returns: columns with their types, and rows.
#[derive(Clone, Debug, Default)]
pub(in crate::wide_column::cql) struct Answer {
    pub(in crate::wide_column::cql) columns: Columns,
    pub(in crate::wide_column::cql) rows: Vec<Vec<CqlValue>>,
    /// The table that the columns are of, behind its keyspace.
    pub(in crate::wide_column::cql) of: Option<Arc<(String, String)>>,
    /// Whether it was to change the schema, and there was nothing to do.
    pub(in crate::wide_column::cql) is_idle: bool,
    /// What clients are warned of.
    pub(in crate::wide_column::cql) warnings: Vec<String>,
}

/// The columns of an answer, each with its type: made once for all the times that a prepared statement runs. Of most writes there are
/// none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(Option<Arc<Named>>);

#[derive(Debug)]
struct Named {
    columns: Vec<(String, CqlType)>,
    names: Arc<[String]>,
}

impl Columns {
    /// Their names.
    pub(in crate::wide_column::cql) fn names(&self) -> Arc<[String]> {
        self.0.as_ref().map(|own| Arc::clone(&own.names)).unwrap_or_default()
    }

    /// Whether these are the ones that `other` was copied from, or it from them.
    #[allow(dead_code, reason = "not every door speaks CQL")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

impl From<Vec<(String, CqlType)>> for Columns {
    fn from(columns: Vec<(String, CqlType)>) -> Self {
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        Self(Some(Arc::new(Named { columns, names })))
    }
}

impl Deref for Columns {
    type Target = [(String, CqlType)];

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().map_or(&[], |own| &own.columns)
    }
}
