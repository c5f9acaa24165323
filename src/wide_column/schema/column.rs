//! Columns.

use serde::{Deserialize, Serialize};

use crate::wide_column::types::CqlType;

/// Direction in which a clustering column orders the rows of a partition.
///
/// # Examples
/// ```
/// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
/// let events = Store::in_memory().wide_table("analytics", "events");
/// let schema = TableSchema::new().partition_key("user", CqlType::Text);
/// events.create(schema.clustering("at", CqlType::Int, Order::Descending))?;
/// for at in [1, 2] {
///     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
/// }
/// assert_eq!(events.select(("ann",)).to_vec()?[0].get("at"), Some(&2.into()));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// What a column is to its table.
///
/// # Examples
/// ```
/// use larder::wide_column::{ColumnKind, CqlType, TableSchema};
/// let schema = TableSchema::new().partition_key("user", CqlType::Text).column("name", CqlType::Text);
/// let kinds: Vec<_> = schema.columns().map(|column| column.kind()).collect();
/// assert_eq!(kinds, [ColumnKind::PartitionKey, ColumnKind::Regular]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[non_exhaustive]
pub enum ColumnKind {
    /// Part of the partition key.
    PartitionKey,
    /// Orders the rows of a partition.
    Clustering(Order),
    /// Holds a value per row.
    Regular,
    /// Holds a value per partition.
    Static,
}

impl From<ColumnKind> for u8 {
    // Stored in the catalogue; never reuse a number.
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::PartitionKey => 0x01,
            ColumnKind::Clustering(Order::Ascending) => 0x02,
            ColumnKind::Clustering(Order::Descending) => 0x03,
            ColumnKind::Regular => 0x04,
            ColumnKind::Static => 0x05,
        }
    }
}

impl TryFrom<u8> for ColumnKind {
    type Error = String;

    fn try_from(tag: u8) -> Result<Self, String> {
        match tag {
            0x01 => Ok(Self::PartitionKey),
            0x02 => Ok(Self::Clustering(Order::Ascending)),
            0x03 => Ok(Self::Clustering(Order::Descending)),
            0x04 => Ok(Self::Regular),
            0x05 => Ok(Self::Static),
            other => Err(format!("column kind {other:02x}")),
        }
    }
}

/// A column of a table.
///
/// # Examples
/// ```
/// use larder::wide_column::{ColumnKind, CqlType, TableSchema};
/// let schema = TableSchema::new().partition_key("day", CqlType::Date);
/// let day = schema.column_named("day").unwrap();
/// assert_eq!((day.name(), day.column_type(), day.kind()), ("day", &CqlType::Date, ColumnKind::PartitionKey));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// What cells are stored under. Never given to another column of the table.
    pub(super) id: u16,
    pub(super) name: String,
    pub(super) cql_type: CqlType,
    pub(super) kind: ColumnKind,
    /// When a column of this name was last dropped: a cell that is not younger is hidden.
    pub(super) hidden_up_to: Option<i64>,
}

impl Column {
    /// The name.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("day", CqlType::Date);
    /// assert_eq!(schema.columns().next().unwrap().name(), "day");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("day", CqlType::Date);
    /// assert_eq!(schema.column_named("day").unwrap().column_type(), &CqlType::Date);
    /// ```
    #[must_use]
    pub fn column_type(&self) -> &CqlType {
        &self.cql_type
    }

    /// What it is to its table.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{ColumnKind, CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("day", CqlType::Date).column("visits", CqlType::Int);
    /// assert_eq!(schema.column_named("visits").unwrap().kind(), ColumnKind::Regular);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    pub(in crate::wide_column) fn id(&self) -> u16 {
        self.id
    }

    /// Whether a cell that is written to it at `timestamp` is hidden, because a column of its name was dropped later.
    #[inline]
    pub(in crate::wide_column) fn hides(&self, timestamp: i64) -> bool {
        self.hidden_up_to.is_some_and(|hidden| timestamp <= hidden)
    }

    /// Whether it is part of the primary key.
    pub(crate) fn is_key(&self) -> bool {
        matches!(self.kind, ColumnKind::PartitionKey | ColumnKind::Clustering(_))
    }
}
