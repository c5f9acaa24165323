//! Prepared inserts.

use std::sync::Arc;

use crate::error::Result;
use crate::txn::{AutoCommit, Operation, WriteScope};
use crate::wide_column::mutation::{Mutation, WriteOptions};
use crate::wide_column::plan::Plan;
use crate::wide_column::target::{Definition, Target};
use crate::wide_column::value::Values;

/// An insert whose columns have been checked, to be executed with any number of rows of values.
///
/// Given by [`WideTable::prepare_insert`](crate::WideTable::prepare_insert). It runs in the scope of its table's
/// handle, and can be put into a [`WideBatch`](crate::WideBatch) of any. When the table has been dropped or defined
/// anew since, it is an error to execute it.
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
    definition: Definition,
    plan: Plan,
}

impl<S> PreparedInsert<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, definition: Definition, plan: Plan) -> Self {
        Self { scope, target, definition, plan }
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The write of `values`.
    pub(super) fn bind(&self, values: impl Values, options: WriteOptions) -> Result<Mutation> {
        self.plan.bind(&self.definition.record, &values.into_values(), options)
    }
}

impl<S: WriteScope> PreparedInsert<S> {
    /// Writes a row of `values`, one of each prepared column.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when there are too few or many values, when one does not fit its
    /// column, which is named, or when the table has been defined anew; [`Error::NotFound`](crate::Error::NotFound)
    /// when it has been dropped; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// Three reads (definition, partition, row) and one write of O(log n), and the size of the row.
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
        self.scope.write(Operation::new("wide_column", "insert", self.target.label()), |writer| {
            let storage = self.target.confirm(writer, &self.definition)?;
            let mutation = self.plan.bind(&self.definition.record, &values, options)?;
            let timestamp = writer.unique_micros()?;
            mutation.apply(writer, storage, timestamp)
        })
    }
}
