//! Batches of writes.

use std::sync::Arc;

use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::{AutoCommit, Scope, WriteScope};
use crate::wide_column::bind;
use crate::wide_column::change::RowChange;
use crate::wide_column::options::WriteOptions;
use crate::wide_column::prepared::{PreparedInsert, bind_again};
use crate::wide_column::schema::Definition;
use crate::wide_column::table::WideTable;
use crate::wide_column::target::{Target, is_same};
use crate::wide_column::value::{CqlValue, Values};
use crate::wide_column::write::plan::{CellOperation, Change, Plan};
use crate::wide_column::write::{Outcome, execute};

/// Writes to any number of wide-column tables, made as one: all of them or none.
///
/// Given by [`Store::wide_batch`](crate::Store::wide_batch) and
/// [`Transaction::wide_batch`](crate::Transaction::wide_batch). Statements are checked when they are added. They share
/// one timestamp, so of two that write the same cell not the last one wins, but the one that wins every tie: a
/// deletion, else an expiring value, else the larger value.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, TableSchema}};
/// let store = Store::in_memory();
/// let (users, names) = (store.wide_table("shop", "users"), store.wide_table("shop", "users_by_name"));
/// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
/// names.create(TableSchema::new().partition_key("name", CqlType::Text).column("id", CqlType::Int))?;
/// let insert = users.prepare_insert(&["id", "name"])?;
/// let mut batch = store.wide_batch();
/// batch.insert(&insert, (7, "Ann"))?;
/// batch.update(&names, &[("name", "Ann".into()), ("id", 7.into())])?;
/// batch.execute()?;
/// assert_eq!(names.select(("Ann",)).to_vec()?[0].get("id"), Some(&7.into()));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, `BATCH`.
#[derive(Debug)]
pub struct WideBatch<S = AutoCommit> {
    scope: S,
    statements: Vec<Statement>,
    timestamp: Option<i64>,
}

#[derive(Debug)]
struct Statement {
    target: Arc<Target>,
    plan: Plan,
    /// Of a prepared statement, what it is bound to again when the definition has changed.
    prepared: Option<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    columns: Arc<[String]>,
    values: Vec<CqlValue>,
    options: WriteOptions,
}

impl Statement {
    /// The write, by the definition that there is now.
    fn planned(&self, definition: &Definition) -> Result<Plan> {
        if is_same(definition, &self.plan.table) {
            return Ok(Plan { table: Arc::clone(definition), ..self.plan.clone() });
        }
        let Some(Prepared { columns, values, options }) = &self.prepared else {
            let label = self.target.label();
            let message = format!("table {label} has changed since the statement was added to the batch; add it again");
            return Err(Error::invalid(InvalidKind::Value, message));
        };
        bind_again(definition, columns, values, *options)
    }

    /// Whether it only deletes.
    fn deletes(&self) -> bool {
        match &self.plan.change {
            Change::Row { has_marker, cells, .. } => {
                !has_marker && cells.iter().all(|cell| matches!(cell.operation, CellOperation::Set(None)))
            }
            Change::DeleteRow(_) | Change::DeleteRange(_) | Change::DeletePartition => true,
        }
    }
}

impl<S: WriteScope> WideBatch<S> {
    pub(crate) fn new(scope: S) -> Self {
        Self { scope, statements: Vec::new(), timestamp: None }
    }

    /// Sets the timestamp of every statement in microseconds; the default is the store's clock, made unique.
    ///
    /// # Examples
    /// ```
    /// let mut batch = larder::Store::in_memory().wide_batch();
    /// batch.timestamp(1_700_000_000_000_000);
    /// batch.execute()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `BEGIN BATCH USING TIMESTAMP`.
    pub fn timestamp(&mut self, micros: i64) {
        self.timestamp = Some(micros);
    }

    /// Adds a prepared insert of `values`.
    ///
    /// # Errors
    /// As [`PreparedInsert::execute`] for values; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let insert = users.prepare_insert(&["id", "name"])?;
    /// let mut batch = store.wide_batch();
    /// batch.insert(&insert, (7, "Ann"))?;
    /// assert!(batch.insert(&insert, (8,)).is_err(), "a value too few");
    /// batch.execute()?;
    /// assert_eq!(users.scan().to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn insert<P>(&mut self, prepared: &PreparedInsert<P>, values: impl Values) -> Result<()> {
        self.insert_with(prepared, values, WriteOptions::default())
    }

    /// As [`insert`](Self::insert), with a time to live or timestamp of its own.
    ///
    /// # Errors
    /// As [`insert`](Self::insert); [`Error::LimitExceeded`] for a time to live over 20 years.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let insert = users.prepare_insert(&["id", "name"])?;
    /// let mut batch = store.wide_batch();
    /// batch.insert_with(&insert, (7, "Ann"), WriteOptions::default().timestamp(5))?;
    /// batch.execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].write_time("name"), Some(5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn insert_with<P>(
        &mut self,
        prepared: &PreparedInsert<P>,
        values: impl Values,
        options: WriteOptions,
    ) -> Result<()> {
        let (values, planned) = (values.into_values(), prepared.last());
        let plan = planned.bind(&values, options)?;
        let target = Arc::clone(prepared.target());
        let prepared = Some(Prepared { columns: Arc::clone(prepared.columns()), values, options });
        self.push(Statement { target, plan, prepared })
    }

    /// Adds [`WideTable::insert_with`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let mut batch = store.wide_batch();
    /// batch.insert_row(&users, &[("id", 7.into()), ("name", "Ann".into())], WriteOptions::default().ttl_seconds(60))?;
    /// batch.execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn insert_row<T: Scope>(
        &mut self,
        table: &WideTable<T>,
        row: &[(&str, CqlValue)],
        options: WriteOptions,
    ) -> Result<()> {
        self.add(table, |table| bind::write_row(table, row, true, options))
    }

    /// Adds [`WideTable::update`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let mut batch = store.wide_batch();
    /// batch.update(&users, &[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert!(batch.update(&users, &[("id", 7.into())]).is_err(), "no regular column");
    /// batch.execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn update<T: Scope>(&mut self, table: &WideTable<T>, row: &[(&str, CqlValue)]) -> Result<()> {
        self.update_with(table, row, WriteOptions::default())
    }

    /// Adds [`WideTable::update_with`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let mut batch = store.wide_batch();
    /// batch.update_with(&users, &[("id", 7.into()), ("name", "Ann".into())], WriteOptions::default().timestamp(5))?;
    /// batch.execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].write_time("name"), Some(5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn update_with<T: Scope>(
        &mut self,
        table: &WideTable<T>,
        row: &[(&str, CqlValue)],
        options: WriteOptions,
    ) -> Result<()> {
        self.add(table, |table| bind::write_row(table, row, false, options))
    }

    /// Adds [`WideTable::delete_row`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let store = Store::in_memory();
    /// let users = store.wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert(&[("id", 7.into())])?;
    /// let mut batch = store.wide_batch();
    /// batch.delete_row(&users, (7,))?;
    /// batch.execute()?;
    /// assert!(users.scan().to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_row<T: Scope>(&mut self, table: &WideTable<T>, primary_key: impl Values) -> Result<()> {
        let primary_key = primary_key.into_values();
        self.add(table, |table| bind::delete_row(table, &primary_key, WriteOptions::default()))
    }

    /// Adds [`WideTable::delete_columns`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// let mut batch = store.wide_batch();
    /// batch.delete_columns(&users, (7,), &["name"])?;
    /// batch.execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_columns<T: Scope>(
        &mut self,
        table: &WideTable<T>,
        primary_key: impl Values,
        columns: &[&str],
    ) -> Result<()> {
        let primary_key = primary_key.into_values();
        self.add(table, |table| bind::delete_columns(table, &primary_key, columns, WriteOptions::default()))
    }

    /// Adds [`WideTable::delete_partition`].
    ///
    /// # Errors
    /// As it; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let notes = store.wide_table("shop", "notes");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Int);
    /// # notes.create(schema.clustering("n", CqlType::Int, Order::Ascending))?;
    /// notes.insert(&[("user", 7.into()), ("n", 1.into())])?;
    /// notes.insert(&[("user", 8.into()), ("n", 1.into())])?;
    /// let mut batch = store.wide_batch();
    /// batch.delete_partition(&notes, (7,))?;
    /// batch.execute()?;
    /// assert_eq!(notes.scan().to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_partition<T: Scope>(&mut self, table: &WideTable<T>, partition: impl Values) -> Result<()> {
        let partition = partition.into_values();
        self.add(table, |table| bind::delete_partition(table, &partition, WriteOptions::default()))
    }

    /// Adds a change of a row. Its condition is looked at before anything of the batch is written, and if it does not hold nothing is.
    ///
    /// # Errors
    /// As [`RowChange::execute`]; [`Error::LimitExceeded`] for a statement too many.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let mut batch = store.wide_batch();
    /// batch.change(&users.change((7,)).set("name", "Ann"))?;
    /// batch.change(&users.change((8,)).set("name", "Bob").if_exists())?;
    /// assert!(!batch.execute_if()?);
    /// assert!(users.scan().to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn change<T: WriteScope>(&mut self, change: &RowChange<T>) -> Result<()> {
        let (target, plan) = change.planned()?;
        self.push(Statement { target, plan, prepared: None })
    }

    /// Statements added so far.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// let mut batch = store.wide_batch();
    /// batch.delete_row(&users, (7,))?;
    /// batch.delete_row(&users, (8,))?;
    /// assert_eq!(batch.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether no statement has been added.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().wide_batch().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Makes the writes, all at one moment and with one timestamp. An empty batch does nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a table has been dropped since its statement was added, [`Error::Invalid`] when it has been
    /// changed and the statement was not a prepared one, which is prepared again, or when both the batch and a statement of it have
    /// a timestamp, [`Error::ConditionFailed`] when the condition of a change does not hold. Nothing is written then.
    ///
    /// # Cost
    /// As the statements one by one, but one commit.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let store = Store::in_memory();
    /// # let users = store.wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// let insert = users.prepare_insert(&["id"])?;
    /// let mut batch = store.wide_batch();
    /// batch.insert(&insert, (7,))?;
    /// users.drop_table()?;
    /// assert!(batch.execute().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn execute(self) -> Result<()> {
        if self.execute_if()? {
            return Ok(());
        }
        Err(Error::ConditionFailed { target: "a batch of wide-column writes".to_owned() })
    }

    /// As [`execute`](Self::execute), of a batch with conditional changes: returns whether all conditions held, and so everything
    /// was written.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), but for a condition that does not hold; [`Error::Invalid`] when conditions are on more than one
    /// partition, or contradict each other.
    ///
    /// # Examples
    /// See [`change`](Self::change).
    pub fn execute_if(self) -> Result<bool> {
        if self.timestamp.is_some() && self.statements.iter().any(|statement| statement.plan.timestamp.is_some()) {
            let message = "a timestamp is set either on a batch or on its statements";
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        let Some(first) = self.statements.first() else { return Ok(true) };
        let target = Arc::clone(&first.target);
        let frees = self.statements.iter().all(Statement::deletes);
        self.scope.write(target.operation("batch").freeing(frees), |writer| {
            let mut plans = Vec::with_capacity(self.statements.len());
            let mut last: Option<(&Arc<Target>, Definition)> = None;
            for statement in &self.statements {
                let definition = match &last {
                    Some((target, definition)) if Arc::ptr_eq(target, &statement.target) => definition,
                    _ => &last.insert((&statement.target, statement.target.definition(writer)?)).1,
                };
                plans.push(statement.planned(definition)?);
            }
            Ok(execute(writer, &plans, self.timestamp)? == Outcome::Applied)
        })
    }

    fn add<T: Scope>(&mut self, table: &WideTable<T>, build: impl FnOnce(&Definition) -> Result<Plan>) -> Result<()> {
        let (target, plan) = table.check(build)?;
        self.push(Statement { target, plan, prepared: None })
    }

    fn push(&mut self, statement: Statement) -> Result<()> {
        limits::check("statements of a batch", limits::WIDE_BATCH_STATEMENTS_MAX, self.statements.len() + 1)?;
        self.statements.push(statement);
        Ok(())
    }
}
