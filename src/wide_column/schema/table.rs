//! Definitions of tables, as users write them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::catalog::growing;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::check::{check_name, check_type};
use crate::wide_column::schema::column::{Column, ColumnKind, Order};
use crate::wide_column::schema::options::TableOptions;
use crate::wide_column::types::CqlType;

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    #[serde(with = "growing")]
    pub(super) columns: Vec<Column>,
    pub(super) options: TableOptions,
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

    /// Adds a static column: its value belongs to the partition, and all rows of it show it.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{ColumnKind, CqlType, Order, TableSchema};
    /// let schema = TableSchema::new()
    ///     .partition_key("country", CqlType::Text)
    ///     .clustering("city", CqlType::Text, Order::Ascending)
    ///     .static_column("capital", CqlType::Text);
    /// assert_eq!(schema.column_named("capital").unwrap().kind(), ColumnKind::Static);
    /// ```
    ///
    /// # Source
    /// CQL reference, *Static columns*.
    #[must_use]
    #[doc(alias = "STATIC")]
    pub fn static_column(self, name: &str, column_type: CqlType) -> Self {
        self.with(name, column_type, ColumnKind::Static)
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
        self.options.default_time_to_live = seconds;
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
        self.options.default_time_to_live
    }

    /// Sets the options of the table.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{TableOptions, TableSchema};
    /// let mut options = TableOptions::default();
    /// options.comment = "what people did".to_owned();
    /// assert_eq!(TableSchema::new().with_options(options).options().comment, "what people did");
    /// ```
    ///
    /// # Source
    /// CQL reference, *Table options*.
    #[must_use]
    pub fn with_options(mut self, options: TableOptions) -> Self {
        self.options = options;
        self
    }

    /// The options of the table.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::TableSchema;
    /// assert_eq!(TableSchema::new().options().gc_grace_seconds, 864_000);
    /// ```
    #[must_use]
    pub fn options(&self) -> &TableOptions {
        &self.options
    }

    pub(crate) fn partition_columns(&self) -> impl Iterator<Item = &Column> + Clone {
        self.columns.iter().filter(|column| column.kind == ColumnKind::PartitionKey)
    }

    pub(crate) fn clustering_columns(&self) -> impl Iterator<Item = (&Column, Order)> + Clone {
        self.columns.iter().filter_map(|column| match column.kind {
            ColumnKind::Clustering(order) => Some((column, order)),
            _ => None,
        })
    }

    /// The column `name`, or an error that names it.
    pub(crate) fn require(&self, name: &str) -> Result<&Column> {
        self.column_named(name).ok_or_else(|| Error::NotFound { what: "column", name: name.to_owned() })
    }

    /// Refuses a definition that no table can have.
    pub(in crate::wide_column) fn validate(&self) -> Result<()> {
        limits::check("columns of a table", limits::WIDE_COLUMNS_MAX, self.columns.len())?;
        self.options.validate()?;
        let mut names = HashSet::new();
        for column in &self.columns {
            check_name("column", &column.name)?;
            if !names.insert(&column.name) {
                let message = format!("column {:?} is defined twice", column.name);
                return Err(Error::invalid(InvalidKind::Value, message));
            }
            validate_column(column)?;
        }
        if self.partition_columns().next().is_none() {
            return Err(Error::invalid(InvalidKind::Value, "a table needs a partition key"));
        }
        let is = |kind: ColumnKind| self.columns.iter().any(|column| column.kind == kind);
        if is(ColumnKind::Static) && self.clustering_columns().next().is_none() {
            let message =
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column";
            return Err(Exception::Invalid.error(message));
        }
        self.validate_counters()
    }

    /// In a table that has a counter every column beside the key is one.
    fn validate_counters(&self) -> Result<()> {
        let mut values = self.columns.iter().filter(|column| !column.is_key());
        let counters = values.clone().filter(|column| column.cql_type == CqlType::Counter).count();
        if counters == 0 {
            return Ok(());
        }
        if values.any(|column| column.cql_type != CqlType::Counter) {
            return Err(Exception::Invalid.error("Cannot mix counter and non counter columns in the same table"));
        }
        if self.options.default_time_to_live > 0 {
            return Err(Exception::Invalid.error("Cannot set default_time_to_live on a table with counters"));
        }
        Ok(())
    }

    /// Whether its values are counters.
    pub(crate) fn is_counter(&self) -> bool {
        self.columns.iter().any(|column| column.cql_type == CqlType::Counter)
    }

    pub(super) fn with(mut self, name: &str, cql_type: CqlType, kind: ColumnKind) -> Self {
        // Past 65,536 columns ids would repeat, but so many are refused by `validate`.
        let id = u16::try_from(self.columns.len()).unwrap_or(u16::MAX);
        self.columns.push(Column { id, name: name.to_owned(), cql_type, kind, hidden_up_to: None });
        self
    }
}

fn validate_column(column: &Column) -> Result<()> {
    let (name, cql_type) = (&column.name, &column.cql_type);
    check_type(cql_type)?;
    if column.is_key() {
        let message = |what: &str| format!("Invalid {what} type {cql_type} for PRIMARY KEY component {name:?}");
        if *cql_type == CqlType::Counter {
            return Err(
                Exception::Invalid.error(format!("counter type is not supported for PRIMARY KEY column '{name}'"))
            );
        }
        if cql_type.is_multi_cell() {
            return Err(Exception::Invalid.error(message("non-frozen collection")));
        }
        if cql_type.any(&mut |part| *part == CqlType::Duration) {
            return Err(
                Exception::Invalid.error(format!("duration type is not supported for PRIMARY KEY column '{name}'"))
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::schema::check_identifier;

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
