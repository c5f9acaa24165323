//! Materialized views, as definitions keep them.

use serde::{Deserialize, Serialize};

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
