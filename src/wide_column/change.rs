//! Changes of one row, part by part.

use std::sync::Arc;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::{AutoCommit, View, WriteScope};
use crate::wide_column::bind::{Bound, bind, split_key};
use crate::wide_column::filter::{Filter, element_type, entry_types, field_of, find, nullable, part};
use crate::wide_column::options::WriteOptions;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::row::Row;
use crate::wide_column::schema::{Column, ColumnKind, Definition};
use crate::wide_column::target::Target;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::plan::{CellChange, CellOperation, Change, Condition, Plan};
use crate::wide_column::write::{Outcome, execute};

/// A change of a row, or of the static columns of a partition: columns, elements of collections, counters; on conditions.
///
/// Given by [`WideTable::change`](crate::WideTable::change). Nothing is written before [`execute`](Self::execute).
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
/// let users = Store::in_memory().wide_table("shop", "users");
/// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text);
/// users.create(schema.column("tags", CqlType::set(CqlType::Text)))?;
/// users.change((7,)).set("name", "Ann").append("tags", CqlValue::Set(vec!["new".into()])).execute()?;
/// users.change((7,)).append("tags", CqlValue::Set(vec!["paying".into()])).execute()?;
/// let tags = users.select((7,)).to_vec()?[0].get("tags").cloned();
/// assert_eq!(tags, Some(CqlValue::Set(vec!["new".into(), "paying".into()])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, `UPDATE` and `INSERT`.
#[derive(Clone, Debug)]
#[must_use = "a change does nothing until it is executed"]
pub struct RowChange<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    key: Vec<CqlValue>,
    has_marker: bool,
    is_deletion: bool,
    changes: Vec<(String, Asked)>,
    condition: Option<Asking>,
    options: WriteOptions,
}

#[derive(Clone, Debug)]
enum Asked {
    Set(CqlValue),
    SetElement(CqlValue, CqlValue),
    SetField(String, CqlValue),
    Append(CqlValue),
    Prepend(CqlValue),
    Remove(CqlValue),
    Add(i64),
}

#[derive(Clone, Debug)]
enum Asking {
    NotExists,
    Exists,
    Columns(Vec<Filter>),
}

/// What came of a conditional write.
///
/// # Examples
/// ```
/// # use larder::{Store, wide_column::{CqlType, TableSchema}};
/// # let users = Store::in_memory().wide_table("shop", "users");
/// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
/// let insert = |name: &str| users.change((7,)).insert().set("name", name).if_not_exists().execute();
/// assert!(insert("Ann")?.is_applied());
/// let refused = insert("Bob")?;
/// assert!(!refused.is_applied());
/// assert_eq!(refused.current().and_then(|row| row.get("name")), Some(&"Ann".into()));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Applied {
    is_applied: bool,
    current: Option<Row>,
}

impl Applied {
    /// Whether the condition held, and the change was made.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// assert!(!users.change((7,)).set("name", "Ann").if_exists().execute()?.is_applied());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.is_applied
    }

    /// The row as it is, when the condition did not hold; `None` when there is none.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// assert!(users.change((7,)).set("name", "Ann").if_exists().execute()?.current().is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn current(&self) -> Option<&Row> {
        self.current.as_ref()
    }
}

impl<S: WriteScope> RowChange<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, key: Vec<CqlValue>) -> Self {
        Self {
            scope,
            target,
            key,
            has_marker: false,
            is_deletion: false,
            changes: Vec::new(),
            condition: None,
            options: WriteOptions::default(),
        }
    }

    /// Makes the row exist even when every column of it is null, as an INSERT does.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.change((7,)).insert().execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn insert(mut self) -> Self {
        self.has_marker = true;
        self
    }

    /// Deletes the row instead of changing it.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Filter, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert!(!users.change((7,)).delete().only_if(Filter::equal("name", "Bob")).execute()?.is_applied());
    /// assert!(users.change((7,)).delete().only_if(Filter::equal("name", "Ann")).execute()?.is_applied());
    /// assert!(users.select((7,)).to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete(mut self) -> Self {
        self.is_deletion = true;
        self
    }

    /// Sets a column; null deletes it, and a value that is not set leaves it.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.change((7,)).set("name", "Ann").execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn set(self, column: &str, value: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::Set(value.into()))
    }

    /// Sets the value of a key of a map, or, by its position (an `i32`), an element of a list; null deletes it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// let map = CqlType::map(CqlType::Text, CqlType::Int);
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("scores", map))?;
    /// users.change((7,)).set_element("scores", "chess", 3).execute()?;
    /// users.change((7,)).set_element("scores", "go", 5).set_element("scores", "chess", CqlValue::Null).execute()?;
    /// let scores = users.select((7,)).to_vec()?[0].get("scores").cloned();
    /// assert_eq!(scores, Some(CqlValue::Map(vec![("go".into(), 5.into())])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn set_element(self, column: &str, key: impl Into<CqlValue>, value: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::SetElement(key.into(), value.into()))
    }

    /// Sets a field of a user's type; null deletes it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema, UserType}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// let address = UserType::new("shop", "address").field("city", CqlType::Text).field("street", CqlType::Text);
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("home", CqlType::udt(address)))?;
    /// users.change((7,)).set_field("home", "city", "Graz").execute()?;
    /// let home = users.select((7,)).to_vec()?[0].get("home").cloned();
    /// let fields = vec![("city".to_owned(), "Graz".into()), ("street".to_owned(), CqlValue::Null)];
    /// assert_eq!(home, Some(CqlValue::Udt(fields)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn set_field(self, column: &str, field: &str, value: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::SetField(field.to_owned(), value.into()))
    }

    /// Adds elements to a collection: to a list behind those that are there.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// let list = CqlType::list(CqlType::Text);
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("visits", list))?;
    /// let list = |visits: &[&str]| CqlValue::List(visits.iter().map(|visit| (*visit).into()).collect());
    /// users.change((7,)).append("visits", list(&["home", "shop"])).execute()?;
    /// users.change((7,)).prepend("visits", list(&["search"])).execute()?;
    /// let visits = users.select((7,)).to_vec()?[0].get("visits").cloned();
    /// assert_eq!(visits, Some(list(&["search", "home", "shop"])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn append(self, column: &str, elements: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::Append(elements.into()))
    }

    /// Puts elements before those of a list, in their order.
    ///
    /// # Examples
    /// See [`append`](Self::append).
    pub fn prepend(self, column: &str, elements: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::Prepend(elements.into()))
    }

    /// Takes elements out of a list or set (each as often as it is there), or keys, given as a set, out of a map.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// let set = CqlType::set(CqlType::Int);
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("wins", set))?;
    /// users.change((7,)).append("wins", CqlValue::Set(vec![1.into(), 2.into()])).execute()?;
    /// users.change((7,)).remove("wins", CqlValue::Set(vec![1.into()])).execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("wins"), Some(&CqlValue::Set(vec![2.into()])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn remove(self, column: &str, elements: impl Into<CqlValue>) -> Self {
        self.with(column, Asked::Remove(elements.into()))
    }

    /// Adds to a counter.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let pages = Store::in_memory().wide_table("site", "pages");
    /// pages.create(TableSchema::new().partition_key("url", CqlType::Text).column("views", CqlType::Counter))?;
    /// pages.change(("/",)).add("views", 2).execute()?;
    /// pages.change(("/",)).add("views", -1).execute()?;
    /// assert_eq!(pages.select(("/",)).to_vec()?[0].get("views"), Some(&CqlValue::Counter(1)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn add(self, column: &str, amount: i64) -> Self {
        self.with(column, Asked::Add(amount))
    }

    /// Makes the change only if there is no such row.
    ///
    /// # Examples
    /// See [`Applied`].
    #[doc(alias = "IF NOT EXISTS")]
    pub fn if_not_exists(mut self) -> Self {
        self.condition = Some(Asking::NotExists);
        self
    }

    /// Makes the change only if there is such a row.
    ///
    /// # Examples
    /// See [`Applied::is_applied`].
    #[doc(alias = "IF EXISTS")]
    pub fn if_exists(mut self) -> Self {
        self.condition = Some(Asking::Exists);
        self
    }

    /// Makes the change only if a column meets a condition; of several calls, only if all are met.
    ///
    /// # Examples
    /// See [`delete`](Self::delete).
    #[doc(alias = "IF")]
    pub fn only_if(mut self, filter: Filter) -> Self {
        match &mut self.condition {
            Some(Asking::Columns(filters)) => filters.push(filter),
            condition => *condition = Some(Asking::Columns(vec![filter])),
        }
        self
    }

    /// Sets a time to live or timestamp.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.change((7,)).set("name", "Ann").with_options(WriteOptions::default().timestamp(5)).execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].write_time("name"), Some(5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn with_options(mut self, options: WriteOptions) -> Self {
        self.options = options;
        self
    }

    /// Makes the change, if its condition holds.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown table, column or field; [`Error::Invalid`] for a value that does not fit, an operation that a
    /// column does not have, a position that a list does not have, and a timestamp of a conditional change;
    /// [`Error::LimitExceeded`].
    ///
    /// # Cost
    /// As an insert. A condition costs one more read of the row, and so does an element of a list by its position.
    ///
    /// # Examples
    /// See [`RowChange`].
    pub fn execute(&self) -> Result<Applied> {
        let verb = if self.is_deletion { "delete_row" } else { "change" };
        self.scope.write(self.target.operation(verb).freeing(self.is_deletion), |writer| {
            let table = self.target.definition(writer)?;
            let plan = self.plan(&table)?;
            match execute(writer, &[plan], None)? {
                Outcome::Applied => Ok(Applied { is_applied: true, current: None }),
                Outcome::NotApplied(rows) => {
                    let row = rows.into_iter().next().flatten();
                    let current = row.map(|row| Row::of_values(&table.record, &row)).transpose()?;
                    Ok(Applied { is_applied: false, current })
                }
            }
        })
    }

    /// The change as the table is defined now.
    pub(super) fn planned(&self) -> Result<(Arc<Target>, Plan)> {
        let plan = |view: &View| self.plan(&self.target.definition(view)?);
        Ok((Arc::clone(&self.target), self.scope.read(self.target.operation("prepare"), plan)?))
    }

    fn with(mut self, column: &str, asked: Asked) -> Self {
        self.changes.push((column.to_owned(), asked));
        self
    }

    fn plan(&self, table: &Definition) -> Result<Plan> {
        let record = &table.record;
        let (partition, clustering) = split_key(table, &self.key, true)?;
        let mut cells = Vec::with_capacity(self.changes.len());
        for (name, asked) in &self.changes {
            let (at, column) = find(record, name)?;
            if column.is_key() {
                return Err(Error::invalid(InvalidKind::Value, format!("key column {name:?} cannot be changed")));
            }
            if clustering.is_none() && column.kind() != ColumnKind::Static {
                let message = format!("column {name:?} needs the row's clustering columns");
                return Err(Error::invalid(InvalidKind::Value, message));
            }
            if let Some(operation) = operation(column, asked)? {
                cells.push((column.id(), CellChange { column: at, operation }));
            }
        }
        cells.sort_by_key(|(id, _)| *id);
        let condition = match &self.condition {
            None => None,
            Some(_) if self.options.timestamp.is_some() => {
                return Err(Error::invalid(InvalidKind::Value, "a conditional change takes no timestamp"));
            }
            Some(Asking::NotExists) => Some(Condition::NotExists),
            Some(Asking::Exists) => Some(Condition::Exists),
            Some(Asking::Columns(filters)) => {
                Some(Condition::Columns(filters.iter().map(|filter| filter.of_write(record)).collect::<Result<_>>()?))
            }
        };
        let change = match clustering {
            Some(clustering) if self.is_deletion => Change::DeleteRow(clustering),
            None if self.is_deletion => Change::DeletePartition,
            clustering => Change::Row {
                has_marker: self.has_marker && clustering.is_some(),
                clustering,
                cells: cells.into_iter().map(|(_, cell)| cell).collect(),
            },
        };
        if !self.has_marker
            && matches!(&change, Change::Row { cells, .. } if cells.is_empty())
            && self.changes.is_empty()
        {
            return Err(Error::invalid(InvalidKind::Value, "a change sets at least one column"));
        }
        let WriteOptions { ttl_seconds: ttl, timestamp } = self.options;
        Ok(Plan { table: Arc::clone(table), partition, change, ttl, timestamp, now: None, condition })
    }
}

/// What is done to a column; `None` is nothing.
fn operation(column: &Column, asked: &Asked) -> Result<Option<CellOperation>> {
    let cql_type = column.column_type();
    let refused = |what: &str| {
        Error::invalid(InvalidKind::Type, format!("column {:?} is {cql_type} and cannot be {what}", column.name()))
    };
    let is_counter = *cql_type == CqlType::Counter;
    let elements = |value: &CqlValue| match bind(column, value)? {
        Bound::Value(bytes) => Ok(Some(bytes)),
        Bound::Unset => Ok(None),
        Bound::Null => Err(refused("added null to")),
    };
    Ok(Some(match asked {
        Asked::Set(CqlValue::Null) => CellOperation::Set(None),
        Asked::Set(CqlValue::Unset) => return Ok(None),
        Asked::Set(_) if is_counter => return Err(refused("set, only added to")),
        Asked::Set(value) => CellOperation::Set(elements(value)?),
        Asked::Add(amount) if is_counter => CellOperation::Add(*amount),
        Asked::Add(_) => return Err(refused("added to: it is no counter")),
        _ if !cql_type.is_multi_cell() => return Err(refused("changed in part")),
        Asked::SetElement(key, value) => {
            if let (CqlType::List(_), CqlValue::Int(index)) = (cql_type, key) {
                CellOperation::SetIndex(*index, nullable(column, element_type(column)?, value)?)
            } else {
                let (key_type, value_type) = entry_types(column)?;
                let key: Bytes = part(column, key_type, key)?;
                CellOperation::SetElement(key, nullable(column, value_type, value)?)
            }
        }
        Asked::SetField(field, value) => {
            let (nth, field_type) = field_of(column, field)?;
            CellOperation::SetField(nth, nullable(column, field_type, value)?)
        }
        Asked::Append(_) | Asked::Prepend(_) | Asked::Remove(_) if matches!(cql_type, CqlType::Udt(_)) => {
            return Err(refused("added to or taken from"));
        }
        Asked::Append(value) => match elements(value)? {
            Some(value) => CellOperation::Append(value),
            None => return Ok(None),
        },
        Asked::Prepend(_) if !matches!(cql_type, CqlType::List(_)) => return Err(refused("prepended to")),
        Asked::Prepend(value) => match elements(value)? {
            Some(value) => CellOperation::Prepend(value),
            None => return Ok(None),
        },
        Asked::Remove(value) => match cql_type {
            CqlType::Map(both) => {
                let keys = CqlType::set(both.0.clone());
                CellOperation::Remove(part(column, &keys, value)?)
            }
            _ => match elements(value)? {
                Some(value) => CellOperation::Remove(value),
                None => return Ok(None),
            },
        },
    }))
}
