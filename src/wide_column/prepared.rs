//! Prepared inserts.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Result;
use crate::txn::{AutoCommit, View, WriteScope};
use crate::wide_column::bind::Binding;
use crate::wide_column::options::WriteOptions;
use crate::wide_column::schema::Definition;
use crate::wide_column::target::Target;
use crate::wide_column::value::{CqlValue, Values};
use crate::wide_column::write::execute;
use crate::wide_column::write::plan::Plan;

/// An insert whose columns have been checked, to be executed with any number of rows of values.
///
/// Given by [`WideTable::prepare_insert`](crate::WideTable::prepare_insert). It runs in the scope of its table's
/// handle, and can be put into a [`WideBatch`](crate::WideBatch) of any. When the table has been changed since, or dropped and
/// created again, it is prepared again unasked.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
/// let users = Store::in_memory().wide_table("shop", "users");
/// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
/// let insert = users.prepare_insert(&["id", "name"])?;
/// insert.execute((7, "Ann"))?;
/// insert.execute_with((8, "Bob"), WriteOptions::default().ttl_seconds(60))?;
/// assert!(insert.execute((7, 7)).unwrap_err().to_string().contains("name"));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedInsert<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    columns: Arc<[String]>,
    /// The plan for the definition that was last met.
    last: Arc<Mutex<Arc<Planned>>>,
}

/// A plan for one definition.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) definition: Definition,
    binding: Binding,
}

impl Planned {
    fn new(definition: Definition, columns: &[String]) -> Result<Arc<Self>> {
        let names: Vec<_> = columns.iter().map(String::as_str).collect();
        // Counters are only added to: there is no inserting them.
        let has_marker = !definition.record.shape().is_counter;
        let binding = Binding::new(&definition.record, &names, has_marker)?;
        Ok(Arc::new(Self { definition, binding }))
    }

    /// The write of `values`.
    pub(super) fn bind(&self, values: &[CqlValue], options: WriteOptions) -> Result<Plan> {
        self.binding.bind(&self.definition, values, options)
    }
}

impl<S> PreparedInsert<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, definition: Definition, columns: &[&str]) -> Result<Self> {
        let columns: Arc<[String]> = columns.iter().map(|name| (*name).to_owned()).collect();
        let last = Arc::new(Mutex::new(Planned::new(definition, &columns)?));
        Ok(Self { scope, target, columns, last })
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The plan that was last used.
    pub(super) fn last(&self) -> Arc<Planned> {
        Arc::clone(&self.last.lock())
    }

    pub(super) fn columns(&self) -> &Arc<[String]> {
        &self.columns
    }

    /// The plan for the definition that `view` shows.
    fn planned(&self, view: &View) -> Result<Arc<Planned>> {
        let definition = self.target.definition(view)?;
        let mut last = self.last.lock();
        if !Arc::ptr_eq(&last.definition, &definition) {
            *last = Planned::new(definition, &self.columns)?;
        }
        Ok(Arc::clone(&last))
    }
}

/// The write of a row of `values` of `columns`, for a definition that was met later.
pub(super) fn bind_again(
    definition: &Definition,
    columns: &[String],
    values: &[CqlValue],
    options: WriteOptions,
) -> Result<Plan> {
    Planned::new(Arc::clone(definition), columns)?.bind(values, options)
}

impl<S: WriteScope> PreparedInsert<S> {
    /// Writes a row of `values`, one of each prepared column.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when there are too few or many values, when one does not fit its
    /// column, which is named, or when the table needs other columns by now; [`Error::NotFound`](crate::Error::NotFound)
    /// when it, or a column, has been dropped; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// One lookup of the row and one write of O(log n), and the size of the row; up to two lookups more where partitions or ranges of
    /// the table have been deleted.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let insert = users.prepare_insert(&["id", "name"])?;
    /// insert.execute((7, "Ann"))?;
    /// insert.execute((8, "Bob"))?;
    /// assert_eq!(users.scan().to_vec()?.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn execute(&self, values: impl Values) -> Result<()> {
        self.execute_with(values, WriteOptions::default())
    }

    /// As [`execute`](Self::execute), with a time to live or timestamp of its own.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a time to live over 20
    /// years.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let insert = users.prepare_insert(&["id", "name"])?;
    /// insert.execute_with((7, "Ann"), WriteOptions::default().timestamp(5))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].write_time("name"), Some(5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn execute_with(&self, values: impl Values, options: WriteOptions) -> Result<()> {
        let values = values.into_values();
        self.scope.write(self.target.operation("insert"), |writer| {
            let planned = self.planned(writer)?;
            execute(writer, &[planned.bind(&values, options)?], None).map(drop)
        })
    }
}
