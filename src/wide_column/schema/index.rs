//! Definitions of secondary indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An index of a table's column. Its entries are kept by every write (`wide_column::index`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexDefinition {
    pub(crate) name: String,
    /// Id of the column.
    pub(crate) column: u16,
    pub(crate) target: IndexTarget,
    /// The class that was asked for, empty for Cassandra's own.
    pub(crate) class: String,
    pub(crate) options: BTreeMap<String, String>,
    /// What its entries are stored under.
    pub(crate) storage: u32,
    /// Whether rows that were there before it are still to be entered: reads do not use it.
    pub(crate) is_building: bool,
}

impl IndexDefinition {
    /// Whether it is a storage-attached index: there is no other class.
    pub(crate) fn is_storage_attached(&self) -> bool {
        !self.class.is_empty()
    }
}

/// An index that is to be.
#[derive(Debug)]
pub(crate) struct NewIndex<'a> {
    pub(crate) name: &'a str,
    pub(crate) column: &'a str,
    pub(crate) target: IndexTarget,
    /// The class that was asked for, empty for Cassandra's own.
    pub(crate) class: &'a str,
    pub(crate) options: BTreeMap<String, String>,
}

impl NewIndex<'_> {
    /// Whether an index is the same but for its name, of the column with this id.
    pub(crate) fn is_like(&self, index: &IndexDefinition, column: u16) -> bool {
        index.column == column
            && index.target == self.target
            && index.is_storage_attached() != self.class.is_empty()
            && index.options == self.options
    }
}

/// What of a column is indexed.
///
/// # Examples
/// See [`WideTable::create_index`](crate::WideTable::create_index).
// Their order is stored: a new one goes to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IndexTarget {
    /// The value.
    Value,
    /// Each element of a list or set, or value of a map.
    Elements,
    /// Each key of a map.
    Keys,
    /// Each key of a map with its value.
    Entries,
    /// A frozen collection, as one value.
    Full,
}
