//! Operations that are written as statements.

use crate::item::request::{ConsumedCapacity, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use crate::item::{AttributeValue, Item};

/// Runs a statement of `PartiQL`.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::ExecuteStatement}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// store.items().execute_statement(&ExecuteStatement::new("INSERT INTO \"Users\" VALUE {'PK': 'ann', 'age': 30}"))?;
/// let select = ExecuteStatement::new("SELECT age FROM \"Users\" WHERE PK = ?").parameter("ann");
/// assert_eq!(store.items().execute_statement(&select)?.items, [Item::from([("age", 30)])]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteStatement {
    /// The statement.
    pub statement: String,
    /// Values for its question marks.
    pub parameters: Vec<AttributeValue>,
    /// Whether the newest state has to be read.
    pub consistent_read: bool,
    /// Where to go on, as an earlier page of the same statement said.
    pub next_token: Option<String>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// How many rows are read at most.
    pub limit: Option<i64>,
    /// Whether a failed condition shows the item.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

impl ExecuteStatement {
    /// The statement without parameters.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ExecuteStatement;
    /// assert!(ExecuteStatement::new("SELECT * FROM t").parameters.is_empty());
    /// ```
    pub fn new(statement: impl Into<String>) -> Self {
        Self { statement: statement.into(), ..Self::default() }
    }

    /// The same, with `value` for its next question mark.
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::ExecuteStatement;
    /// assert_eq!(ExecuteStatement::new("SELECT * FROM t WHERE a = ?").parameter(5).parameters.len(), 1);
    /// ```
    #[must_use]
    pub fn parameter(mut self, value: impl Into<AttributeValue>) -> Self {
        self.parameters.push(value.into());
        self
    }
}

/// What [`ExecuteStatement`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ExecuteStatementOutput::default().items.is_empty());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExecuteStatementOutput {
    /// What a read found, or a write was asked to return.
    pub items: Vec<Item>,
    /// Where to go on; only its absence means that there is no more.
    pub next_token: Option<String>,
    /// The key behind which the next page begins.
    pub last_evaluated_key: Option<Item>,
    /// What it would cost, if that was asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}

/// Runs up to 25 statements, each of them about one item and by itself.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema, request::{BatchExecuteStatement, ExecuteStatement}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let insert = |name| ExecuteStatement::new("INSERT INTO \"Users\" VALUE {'PK': ?}").parameter(name);
/// let batch = BatchExecuteStatement { statements: vec![insert("ann"), insert("bob")], ..Default::default() };
/// let responses = store.items().batch_execute_statement(&batch)?;
/// assert!(responses.iter().all(|response| response.error.is_none()));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchExecuteStatement {
    /// The statements: all of them read, or all of them write. What each would cost is asked for all together.
    pub statements: Vec<ExecuteStatement>,
    /// Whether to say what each would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// What became of one statement of a [`BatchExecuteStatement`].
///
/// # Examples
/// ```
/// assert!(larder::item::request::BatchStatementResponse::default().error.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchStatementResponse`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatchStatementResponse {
    /// Why it failed, if it did.
    pub error: Option<BatchStatementError>,
    /// The table, unless the statement failed before it was run.
    pub table_name: Option<String>,
    /// What a read found, or a write was asked to return.
    pub item: Option<Item>,
    /// What it would cost, if that was asked for and it did not fail.
    pub consumed_capacity: Option<ConsumedCapacity>,
}

/// Why a statement of a [`BatchExecuteStatement`] failed.
///
/// # Examples
/// ```
/// use larder::item::request::BatchStatementError;
/// let error = BatchStatementError { code: "DuplicateItem".into(), message: "…".into() };
/// assert_eq!(error.code, "DuplicateItem");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchStatementError`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchStatementError {
    /// The name that the API has for it.
    pub code: String,
    /// The service's words.
    pub message: String,
}

/// Runs statements all or none: reads, or writes and checks.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema, request::{ExecuteStatement, ExecuteTransaction}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let insert = |name| ExecuteStatement::new("INSERT INTO \"Users\" VALUE {'PK': ?}").parameter(name);
/// let both = ExecuteTransaction { transact_statements: vec![insert("ann"), insert("bob")], ..Default::default() };
/// assert!(store.items().execute_transaction(&both)?.responses.is_empty(), "writes return nothing");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExecuteTransaction`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteTransaction {
    /// The statements: all of them read, or none.
    pub transact_statements: Vec<ExecuteStatement>,
    /// Says that it is the same request when it is sent again.
    pub client_request_token: Option<String>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// What [`ExecuteTransaction`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ExecuteTransactionOutput::default().responses.is_empty());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExecuteTransaction`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExecuteTransactionOutput {
    /// The items that were read, in the order of the statements; nothing of writes.
    pub responses: Vec<Option<Item>>,
    /// What it would cost, table by table, if that was asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
