//! Materialized views, as definitions keep them.

use serde::{Deserialize, Serialize};

use crate::wide_column::comparison::Comparison;

/// What a table shows of another one, its base.
///
/// A view's rows are a table's: it has columns and a storage id of its own. Its columns have the ids of those of the base that they
/// show. This is the rest of its definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewDefinition {
    pub(crate) keyspace: String,
    /// Name of the base, in the same keyspace.
    pub(crate) base: String,
    /// What the base's rows are stored under.
    pub(crate) base_storage: u32,
    /// Whether all columns of the base are in it, those that are added later too.
    pub(crate) has_all_columns: bool,
    /// Id of the column of its key that is none of the base's key. A row is there for as long as that has a value.
    pub(crate) key_column: Option<u16>,
}

/// What a base knows of a view of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewOf {
    pub(crate) name: String,
    pub(crate) storage: u32,
    /// Whether rows that were there before it are still to be shown.
    pub(crate) is_building: bool,
}

/// What a `WHERE` of a view says: of columns of the base's primary key, as far as it decides which rows are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewCondition {
    /// Ids of the columns that it is about.
    pub(crate) columns: Vec<u16>,
    /// What the statement has behind their names.
    pub(crate) said: String,
    pub(crate) test: ViewTest,
}

/// What is asked of the values of these columns, all of which are serialized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ViewTest {
    /// Columns of the view's key always have a value, and what is said of others decides nothing.
    IsNotNull,
    /// They compare so with these, from left to right.
    Compare(Comparison, Vec<Vec<u8>>),
    /// They are one of these.
    In(Vec<Vec<Vec<u8>>>),
    /// The collection has this element.
    Contains(Vec<u8>),
    /// The map has this key.
    ContainsKey(Vec<u8>),
    /// The map has this value at this key.
    Entry(Vec<u8>, Vec<u8>),
}
