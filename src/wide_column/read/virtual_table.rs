//! Tables whose rows are made when they are read.

use std::fmt;

use crate::error::Result;
use crate::txn::View;
use crate::wide_column::schema::TableRecord;

/// A serialized value of each column of a virtual table, in the order of its columns.
pub(crate) type VirtualRow = Vec<Option<Vec<u8>>>;

/// A table that is not stored, such as those that describe the schema.
///
/// A query of one is the same plan as of any other: its rows come in token order and clustering order, and are restricted,
/// filtered, limited and paged alike.
pub(crate) trait VirtualTable: fmt::Debug + Send + Sync {
    /// Its definition.
    fn record(&self) -> &TableRecord;

    /// Its rows, in any order. Key columns have values.
    fn rows(&self, view: &View) -> Result<Vec<VirtualRow>>;
}
