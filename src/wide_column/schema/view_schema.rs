//! Definitions of materialized views.

use crate::error::{Error, Result};
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::column::{Column, ColumnKind, Order};
use crate::wide_column::schema::options::TableOptions;
use crate::wide_column::schema::record::TableRecord;
use crate::wide_column::schema::table::TableSchema;
use crate::wide_column::schema::view::{ViewCondition, ViewDefinition};
use crate::wide_column::types::CqlType;

/// Definition of a materialized view: the key by which it has the rows of its base, and which other columns it shows.
///
/// Every column of the base's primary key has to be in the view's, and at most one other. A row of the base is in the view while
/// that one has a value. Everything is checked by [`WideTable::create_view`](crate::WideTable::create_view).
///
/// # Examples
/// ```
/// use larder::wide_column::{Order, ViewSchema};
/// let users_by_city = ViewSchema::new().partition_key("city").clustering("id", Order::Ascending).columns(["name"]);
/// assert_ne!(users_by_city, ViewSchema::new());
/// ```
///
/// # Source
/// CQL reference, `CREATE MATERIALIZED VIEW`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewSchema {
    partition: Vec<String>,
    clustering: Vec<(String, Order)>,
    /// Beside the key; `None` is all that the base has.
    columns: Option<Vec<String>>,
    options: TableOptions,
    conditions: Vec<ViewCondition>,
}

impl ViewSchema {
    /// A definition without a key, that shows all columns.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::ViewSchema;
    /// assert_eq!(ViewSchema::new(), ViewSchema::default());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next column of the partition key.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::ViewSchema;
    /// let view = ViewSchema::new().partition_key("country").partition_key("city");
    /// assert_ne!(view, ViewSchema::new().partition_key("country"));
    /// ```
    #[must_use]
    pub fn partition_key(mut self, name: &str) -> Self {
        self.partition.push(name.to_owned());
        self
    }

    /// Adds the next clustering column.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{Order, ViewSchema};
    /// let view = ViewSchema::new().partition_key("city").clustering("born", Order::Descending);
    /// assert_ne!(view, ViewSchema::new().partition_key("city"));
    /// ```
    #[must_use]
    pub fn clustering(mut self, name: &str, order: Order) -> Self {
        self.clustering.push((name.to_owned(), order));
        self
    }

    /// Shows these columns, beside those of the key, and none that the base gets later.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::ViewSchema;
    /// let keys_only = ViewSchema::new().partition_key("city").columns([]);
    /// assert_ne!(keys_only, ViewSchema::new().partition_key("city"));
    /// ```
    #[must_use]
    pub fn columns<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.columns = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// Sets the options of the view. What is in it lives as long as what it shows, so that there is no default time to live.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{TableOptions, ViewSchema};
    /// let mut options = TableOptions::default();
    /// options.comment = "who lives where".to_owned();
    /// assert_ne!(ViewSchema::new().with_options(options), ViewSchema::new());
    /// ```
    #[must_use]
    pub fn with_options(mut self, options: TableOptions) -> Self {
        self.options = options;
        self
    }

    /// Shows only rows whose key meets these conditions, which are of columns of the base's key.
    pub(in crate::wide_column) fn with_conditions(mut self, conditions: Vec<ViewCondition>) -> Self {
        self.conditions = conditions;
        self
    }

    /// The definition of the view `name` of a base.
    ///
    /// # Errors
    /// In Cassandra's words for what no view can be.
    pub(in crate::wide_column) fn record(
        &self,
        name: &str,
        (keyspace, base_name): (&str, &str),
        (base_storage, base): (u32, &TableRecord),
    ) -> Result<TableRecord> {
        if base.shape().is_counter {
            return Err(refused("Materialized views are not supported on counter tables"));
        }
        if base.view.is_some() {
            return Err(refused("Materialized views cannot be created against other materialized views"));
        }
        if base.grace() == 0 {
            return Err(refused(format!(
                "Cannot create materialized view '{name}' for base table '{base_name}' with gc_grace_seconds of 0, since this \
                 value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates \
                 to expire before being replayed."
            )));
        }
        let mut columns = Vec::new();
        for shown in self.columns.iter().flatten() {
            let column = base.schema.column_named(shown);
            let column =
                column.ok_or_else(|| refused(format!("Undefined column name {shown} in table {base_name}")))?;
            if column.kind == ColumnKind::Static {
                return Err(refused(format!("Cannot include static column '{shown}' in materialized view '{name}'")));
            }
        }
        let has_static = base.schema.columns.iter().find(|column| column.kind == ColumnKind::Static);
        if let (None, Some(column)) = (&self.columns, has_static) {
            let shown = &column.name;
            return Err(refused(format!("Cannot include static column '{shown}' in materialized view '{name}'")));
        }
        if self.partition.is_empty() {
            let message = format!("Must provide at least one partition key column for materialized view '{name}'");
            return Err(refused(message));
        }
        let partition = self.partition.iter().map(|column| (column, ColumnKind::PartitionKey));
        let clustering = self.clustering.iter().map(|(column, order)| (column, ColumnKind::Clustering(*order)));
        for (own, kind) in partition.chain(clustering) {
            let column = key_column(base, own, name)?;
            if columns.iter().any(|other: &Column| other.name == *own) {
                let message = format!("Duplicate column '{own}' in PRIMARY KEY clause for materialized view '{name}'");
                return Err(refused(message));
            }
            columns.push(Column { kind, ..column.clone() });
        }
        let missing = |column: &&Column| column.is_key() && columns.iter().all(|own| own.id != column.id);
        let missing: Vec<_> = base.schema.columns.iter().filter(missing).map(|column| column.name.as_str()).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(refused(format!(
                "Cannot create materialized view '{name}' without primary key columns {missing} from base table '{base_name}'"
            )));
        }
        let is_other = |column: &&Column| base.column_with(column.id).is_some_and(|own| !own.is_key());
        let others: Vec<_> = columns.iter().filter(is_other).collect();
        if others.len() > 1 {
            let names: Vec<_> = others.iter().map(|column| column.name.as_str()).collect();
            let names = names.join(", ");
            return Err(refused(format!(
                "Cannot include more than one non-primary key column in materialized view primary key (got {names})"
            )));
        }
        let key_column = others.first().map(|column| column.id);
        for column in &base.schema.columns {
            let is_shown = self.columns.as_ref().is_none_or(|shown| shown.contains(&column.name));
            if is_shown && columns.iter().all(|own| own.id != column.id) {
                columns.push(column.clone());
            }
        }
        if self.options.default_time_to_live > 0 {
            return Err(refused(
                "Cannot set default_time_to_live for a materialized view. Data in a materialized view always expire at the \
                 same time than the corresponding data in the parent table.",
            ));
        }
        let schema = TableSchema { columns, options: self.options.clone() };
        schema.validate()?;
        let mut record = TableRecord::new(schema);
        let has_all_columns = self.columns.is_none();
        let (keyspace, base) = (keyspace.to_owned(), base_name.to_owned());
        record.conditions.clone_from(&self.conditions);
        record.view = Some(ViewDefinition { keyspace, base, base_storage, has_all_columns, key_column });
        Ok(record)
    }
}

/// A column of the base that can be one of a view's key.
fn key_column<'b>(base: &'b TableRecord, own: &str, view: &str) -> Result<&'b Column> {
    let unknown =
        || refused(format!("Unknown column '{own}' referenced in PRIMARY KEY for materialized view '{view}'"));
    let column = base.schema.column_named(own).ok_or_else(unknown)?;
    let cql_type = &column.cql_type;
    if column.kind == ColumnKind::Static {
        return Err(refused(format!("Cannot include static column '{own}' in materialized view '{view}'")));
    }
    if cql_type.is_multi_cell() {
        let what = if cql_type.is_collection() { "collection" } else { "user-defined" };
        return Err(refused(format!("Invalid non-frozen {what} type '{cql_type}' for PRIMARY KEY column '{own}'")));
    }
    if cql_type.any(&mut |part| *part == CqlType::Duration) {
        return Err(refused(format!("duration type is not supported for PRIMARY KEY column '{own}'")));
    }
    Ok(column)
}

fn refused(message: impl Into<String>) -> Error {
    Exception::Invalid.error(message)
}

impl TableRecord {
    /// Of a view: takes over what has become of its base, columns that it has got and other names. Returns whether that is anything.
    pub(in crate::wide_column) fn follow(&mut self, before: &Self, base: &Self) -> bool {
        let mut is_changed = false;
        for column in &mut self.schema.columns {
            if let Some(own) = base.column_with(column.id)
                && own.name != column.name
            {
                column.name.clone_from(&own.name);
                is_changed = true;
            }
        }
        if self.view.as_ref().is_some_and(|view| view.has_all_columns) {
            let is_new =
                |column: &&Column| column.kind == ColumnKind::Regular && before.column_with(column.id).is_none();
            for column in base.schema.columns.iter().filter(is_new) {
                self.schema.columns.push(column.clone());
                is_changed = true;
            }
        }
        if is_changed {
            self.forget_shape();
        }
        is_changed
    }
}
