//! Definitions of tables.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::{Entry, growing};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::cell::StoredRow;
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
}

impl From<ColumnKind> for u8 {
    // Stored in the catalogue; never reuse a number.
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::PartitionKey => 0x01,
            ColumnKind::Clustering(Order::Ascending) => 0x02,
            ColumnKind::Clustering(Order::Descending) => 0x03,
            ColumnKind::Regular => 0x04,
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
/// assert_eq!((day.name(), day.column_type(), day.kind()), ("day", CqlType::Date, ColumnKind::PartitionKey));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// What cells are stored under. Never given to another column of the table.
    id: u16,
    name: String,
    cql_type: CqlType,
    kind: ColumnKind,
    /// When a column of this name was last dropped: a cell that is not younger is hidden.
    hidden_up_to: Option<i64>,
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
    /// assert_eq!(schema.column_named("day").unwrap().column_type(), CqlType::Date);
    /// ```
    #[must_use]
    pub fn column_type(&self) -> CqlType {
        self.cql_type
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

    pub(super) fn id(&self) -> u16 {
        self.id
    }
}

/// Definition of a table: its columns, and how long what is written to it lives.
///
/// Partition columns and clustering columns count in the order they are named in. Everything is checked by
/// [`WideTable::create`](crate::WideTable::create).
///
/// # Examples
/// ```
/// use larder::wide_column::{CqlType, Order, TableSchema};
/// let events_by_day = TableSchema::new()
///     .partition_key("date", CqlType::Date)
///     .clustering("event_time", CqlType::Timestamp, Order::Descending)
///     .clustering("user_id", CqlType::Text, Order::Ascending)
///     .column("event_type", CqlType::Text)
///     .default_ttl(30 * 86_400);
/// assert_eq!(events_by_day.columns().count(), 4);
/// ```
///
/// # Source
/// CQL reference, `CREATE TABLE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    #[serde(with = "growing")]
    columns: Vec<Column>,
    default_ttl_seconds: u32,
}

impl TableSchema {
    /// A definition without columns.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::TableSchema;
    /// assert_eq!(TableSchema::new().columns().count(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next column of the partition key.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{ColumnKind, CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("country", CqlType::Text).partition_key("day", CqlType::Date);
    /// assert!(schema.columns().all(|column| column.kind() == ColumnKind::PartitionKey));
    /// ```
    #[must_use]
    pub fn partition_key(self, name: &str, column_type: CqlType) -> Self {
        self.with(name, column_type, ColumnKind::PartitionKey)
    }

    /// Adds the next clustering column.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{ColumnKind, CqlType, Order, TableSchema};
    /// let schema = TableSchema::new().clustering("at", CqlType::Int, Order::Descending);
    /// assert_eq!(schema.column_named("at").unwrap().kind(), ColumnKind::Clustering(Order::Descending));
    /// ```
    #[must_use]
    #[doc(alias = "CLUSTERING ORDER BY")]
    pub fn clustering(self, name: &str, column_type: CqlType, order: Order) -> Self {
        self.with(name, column_type, ColumnKind::Clustering(order))
    }

    /// Adds a regular column.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{ColumnKind, CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text);
    /// assert_eq!(schema.column_named("name").unwrap().kind(), ColumnKind::Regular);
    /// ```
    #[must_use]
    pub fn column(self, name: &str, column_type: CqlType) -> Self {
        self.with(name, column_type, ColumnKind::Regular)
    }

    /// Sets how many seconds what is written without a time to live of its own lives; 0, the default, is for ever.
    ///
    /// # Examples
    /// ```
    /// # use larder::{ManualClock, Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::builder().clock(ManualClock::default()).in_memory().wide_table("shop", "users");
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text);
    /// users.create(schema.default_ttl(60))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].ttl("name"), Some(60));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, table option `default_time_to_live`.
    #[must_use]
    #[doc(alias = "default_time_to_live")]
    pub fn default_ttl(mut self, seconds: u32) -> Self {
        self.default_ttl_seconds = seconds;
        self
    }

    /// Every column, in the order they were added.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text);
    /// assert!(schema.columns().map(|column| column.name()).eq(["id", "name"]));
    /// ```
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }

    /// The column `name`. Names are case-sensitive.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, TableSchema};
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int);
    /// assert!(schema.column_named("id").is_some() && schema.column_named("ID").is_none());
    /// ```
    #[must_use]
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Seconds that what is written without a time to live of its own lives; 0 is for ever.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::TableSchema;
    /// assert_eq!(TableSchema::new().default_ttl_seconds(), 0);
    /// assert_eq!(TableSchema::new().default_ttl(60).default_ttl_seconds(), 60);
    /// ```
    #[must_use]
    pub fn default_ttl_seconds(&self) -> u32 {
        self.default_ttl_seconds
    }

    pub(super) fn partition_columns(&self) -> impl Iterator<Item = &Column> + Clone {
        self.columns.iter().filter(|column| column.kind == ColumnKind::PartitionKey)
    }

    pub(super) fn clustering_columns(&self) -> impl Iterator<Item = (&Column, Order)> + Clone {
        self.columns.iter().filter_map(|column| match column.kind {
            ColumnKind::Clustering(order) => Some((column, order)),
            _ => None,
        })
    }

    /// The column `name`, or an error that names it.
    pub(super) fn require(&self, name: &str) -> Result<&Column> {
        self.column_named(name).ok_or_else(|| Error::NotFound { what: "column", name: name.to_owned() })
    }

    /// Refuses a definition that no table can have.
    pub(super) fn validate(&self) -> Result<()> {
        limits::check("columns of a table", limits::WIDE_COLUMNS_MAX, self.columns.len())?;
        check_ttl(self.default_ttl_seconds)?;
        let mut names = HashSet::new();
        for Column { name, .. } in &self.columns {
            check_name("column", name)?;
            if !names.insert(name) {
                return Err(Error::invalid(InvalidKind::Value, format!("column {name:?} is defined twice")));
            }
        }
        if self.partition_columns().next().is_none() {
            return Err(Error::invalid(InvalidKind::Value, "a table needs a partition key"));
        }
        Ok(())
    }

    fn with(mut self, name: &str, cql_type: CqlType, kind: ColumnKind) -> Self {
        // Past 65,536 columns ids would repeat, but so many are refused by `validate`.
        let id = u16::try_from(self.columns.len()).unwrap_or(u16::MAX);
        self.columns.push(Column { id, name: name.to_owned(), cql_type, kind, hidden_up_to: None });
        self
    }
}

/// A table's ids and definition as an operation found them.
pub(super) type Definition = Arc<Entry<TableRecord>>;

/// What the catalogue holds of a table. Rows keep their bytes when it changes: cells go by the ids of columns, which are not given
/// out again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableRecord {
    pub(super) schema: TableSchema,
    /// The last column of each name that was dropped.
    #[serde(with = "growing")]
    dropped: Vec<Dropped>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Dropped {
    name: String,
    id: u16,
    /// When, as a timestamp of cells.
    at: i64,
}

impl TableRecord {
    pub(super) fn new(schema: TableSchema) -> Self {
        Self { schema, dropped: Vec::new() }
    }

    /// The definition as one that created the table would say it.
    pub(super) fn declared(&self) -> TableSchema {
        let schema = TableSchema::new().default_ttl(self.schema.default_ttl_seconds);
        let columns = self.schema.columns.iter();
        columns.fold(schema, |schema, column| schema.with(&column.name, column.cql_type, column.kind))
    }

    /// Adds a regular column; returns whether it is new.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is another of that name.
    pub(super) fn add_column(&mut self, name: &str, cql_type: CqlType) -> Result<bool> {
        if let Some(column) = self.schema.column_named(name) {
            let is_same = column.cql_type == cql_type && column.kind == ColumnKind::Regular;
            let taken = || Error::AlreadyExists { what: "column", name: name.to_owned() };
            return if is_same { Ok(false) } else { Err(taken()) };
        }
        let ids = self.schema.columns.iter().map(|column| column.id).chain(self.dropped.iter().map(|column| column.id));
        let id = ids.max().map_or(Some(0), |last| last.checked_add(1));
        let max = u64::from(u16::MAX);
        let id = id.ok_or(Error::LimitExceeded { limit: "columns that a table has had", max, found: max + 1 })?;
        let hidden_up_to = self.dropped.iter().find(|dropped| dropped.name == name).map(|dropped| dropped.at);
        let kind = ColumnKind::Regular;
        self.schema.columns.push(Column { id, name: name.to_owned(), cql_type, kind, hidden_up_to });
        self.schema.validate()?;
        Ok(true)
    }

    /// Drops a regular column at the timestamp `at`; returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is part of the primary key.
    pub(super) fn drop_column(&mut self, name: &str, at: i64) -> Result<bool> {
        let Some(column) = self.schema.column_named(name).cloned() else { return Ok(false) };
        if column.kind != ColumnKind::Regular {
            return Err(Error::invalid(InvalidKind::Value, format!("key column {name:?} cannot be dropped")));
        }
        self.schema.columns.retain(|other| other.id != column.id);
        self.dropped.retain(|other| other.name != name);
        self.dropped.push(Dropped { name: column.name, id: column.id, at });
        Ok(true)
    }

    /// Renames a column of the primary key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::AlreadyExists`] when the name is taken, [`Error::Invalid`] when it is no
    /// column of the primary key, or the name cannot be one.
    pub(super) fn rename_column(&mut self, from: &str, to: &str) -> Result<()> {
        if self.schema.require(from)?.kind == ColumnKind::Regular {
            let message = format!("column {from:?} is no part of the primary key, and only those can be renamed");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        if self.schema.column_named(to).is_some() {
            return Err(Error::AlreadyExists { what: "column", name: to.to_owned() });
        }
        if let Some(column) = self.schema.columns.iter_mut().find(|column| column.name == from) {
            to.clone_into(&mut column.name);
        }
        self.schema.validate()
    }

    /// Sets the time to live of values that are written without one.
    pub(super) fn set_default_ttl(&mut self, seconds: u32) -> Result<()> {
        self.schema.default_ttl_seconds = seconds;
        self.schema.validate()
    }

    /// Keeps of `row` the cells of columns that there are.
    pub(super) fn retain_columns(&self, row: &mut StoredRow) {
        if !self.dropped.is_empty() {
            row.retain_columns(|id| self.schema.columns.iter().any(|column| column.id == id));
        }
    }

    /// Whether a cell that is written to the column with this id at `timestamp` is hidden, because the column was dropped later.
    pub(super) fn hides(&self, id: u16, timestamp: i64) -> bool {
        let of = |column: &&Column| column.id == id && column.hidden_up_to.is_some_and(|hidden| timestamp <= hidden);
        !self.dropped.is_empty() && self.schema.columns.iter().any(|column| of(&column))
    }
}

/// Refuses a time to live over the limit.
pub(super) fn check_ttl(seconds: u32) -> Result<()> {
    let (max, found) = (limits::WIDE_TTL_SECONDS_MAX, seconds);
    if found > max {
        return Err(Error::LimitExceeded { limit: "time to live in seconds", max: max.into(), found: found.into() });
    }
    Ok(())
}

/// Refuses a name of a keyspace or table that is not 1 to 48 ASCII letters, digits and underscores.
pub(super) fn check_identifier(what: &str, name: &str) -> Result<()> {
    check_name(what, name)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("{what} name {name:?} has characters other than letters, digits and underscores");
        return Err(Error::invalid(InvalidKind::Value, message));
    }
    Ok(())
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, format!("a {what} needs a name")));
    }
    limits::check("characters of a keyspace, table or column name", limits::WIDE_NAME_CHARS_MAX, name.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed() -> TableSchema {
        TableSchema::new().partition_key("p", CqlType::Int)
    }

    #[test]
    fn a_definition_needs_a_partition_key_and_distinct_names() {
        assert!(keyed().column("v", CqlType::Text).validate().is_ok());
        assert!(TableSchema::new().column("v", CqlType::Text).validate().is_err());
        assert!(keyed().column("p", CqlType::Text).validate().is_err());
        assert!(keyed().column("", CqlType::Text).validate().is_err());
    }

    // SEM: WID-QRY-2
    #[test]
    fn names_have_at_most_48_characters() {
        assert!(keyed().column(&"ä".repeat(48), CqlType::Text).validate().is_ok());
        let error = keyed().column(&"ä".repeat(49), CqlType::Text).validate().unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 48, found: 49, .. }), "{error}");
        assert!(check_identifier("table", "events_2").is_ok());
        assert!(check_identifier("table", "events-2").is_err());
    }

    // SEM: WID-TTL-1
    #[test]
    fn a_default_time_to_live_is_at_most_twenty_years() {
        assert!(keyed().default_ttl(630_720_000).validate().is_ok());
        assert!(matches!(keyed().default_ttl(630_720_001).validate(), Err(Error::LimitExceeded { .. })));
    }

    #[test]
    fn columns_are_limited() {
        let wide = (0..1_000).fold(keyed(), |schema, n| schema.column(&format!("c{n}"), CqlType::Int));
        assert!(matches!(wide.validate(), Err(Error::LimitExceeded { max: 1_000, found: 1_001, .. })));
    }
}
