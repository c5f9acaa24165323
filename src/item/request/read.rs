//! Reading many items.

use std::collections::BTreeMap;

use crate::item::Item;
use crate::item::request::{
    Condition, ConditionalOperator, ConsumedCapacity, ExpressionAttributeNames, ExpressionAttributeValues,
    ReturnConsumedCapacity, Select,
};

/// Reads items of one partition key, of the table or of an index.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::Query}};
/// let store = Store::in_memory();
/// let events = store.item_table("Events");
/// events.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
/// for n in 0..5 {
///     events.put(&Item::from([("PK", "ann")]).with("SK", n))?;
/// }
/// let query = Query {
///     table_name: "Events".into(),
///     key_condition_expression: Some("PK = :who AND SK > :n".into()),
///     expression_attribute_values: Some([(":who".to_owned(), "ann".into()), (":n".to_owned(), 1.into())].into()),
///     limit: Some(2),
///     ..Query::default()
/// };
/// let page = store.items().query(&query)?;
/// assert_eq!((page.count, page.last_evaluated_key.is_some()), (2, true));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The index to read.
    pub index_name: Option<String>,
    /// What to return; all that is there, unless it is said.
    pub select: Option<Select>,
    /// Legacy: the attributes to read, instead of a projection.
    pub attributes_to_get: Option<Vec<String>>,
    /// How many items to read, at least 1, before any filter.
    pub limit: Option<i64>,
    /// Whether the newest state has to be read.
    pub consistent_read: bool,
    /// Legacy: which items, instead of an expression.
    pub key_conditions: Option<BTreeMap<String, Condition>>,
    /// Legacy: which of them, instead of an expression.
    pub query_filter: Option<BTreeMap<String, Condition>>,
    /// Legacy: how the filter is put together.
    pub conditional_operator: Option<ConditionalOperator>,
    /// Whether the lowest sort key comes first; it does, unless it is said.
    pub scan_index_forward: Option<bool>,
    /// Behind which item to begin.
    pub exclusive_start_key: Option<Item>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What to read of each item.
    pub projection_expression: Option<String>,
    /// Which of the items that are read to return.
    pub filter_expression: Option<String>,
    /// Which items to read.
    pub key_condition_expression: Option<String>,
    /// Names in the expressions.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expressions.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
}

/// Reads every item of a table or an index, or of a segment of it.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::Scan}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::N))?;
/// for n in 0..20 {
///     store.item_table("Users").put(&Item::from([("PK", n)]))?;
/// }
/// let segment = |segment| Scan {
///     table_name: "Users".into(),
///     segment: Some(segment),
///     total_segments: Some(2),
///     ..Scan::default()
/// };
/// let (one, other) = (store.items().scan(&segment(0))?, store.items().scan(&segment(1))?);
/// assert_eq!(one.count + other.count, 20);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Scan`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The index to read.
    pub index_name: Option<String>,
    /// Legacy: the attributes to read, instead of a projection.
    pub attributes_to_get: Option<Vec<String>>,
    /// How many items to read, at least 1, before any filter.
    pub limit: Option<i64>,
    /// What to return; all that is there, unless it is said.
    pub select: Option<Select>,
    /// Legacy: which items to return, instead of an expression.
    pub scan_filter: Option<BTreeMap<String, Condition>>,
    /// Legacy: how the filter is put together.
    pub conditional_operator: Option<ConditionalOperator>,
    /// Behind which item to begin.
    pub exclusive_start_key: Option<Item>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// How many segments there are.
    pub total_segments: Option<i64>,
    /// Which of them to read, from 0.
    pub segment: Option<i64>,
    /// What to read of each item.
    pub projection_expression: Option<String>,
    /// Which of the items that are read to return.
    pub filter_expression: Option<String>,
    /// Names in the expressions.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expressions.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
    /// Whether the newest state has to be read.
    pub consistent_read: bool,
}

/// One page of a [`Query`] or [`Scan`].
///
/// # Examples
/// ```
/// assert!(larder::item::request::ReadOutput::default().items.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`: response elements.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[doc(alias("QueryOutput", "ScanOutput"))]
pub struct ReadOutput {
    /// The items, unless only their number was asked for.
    pub items: Option<Vec<Item>>,
    /// How many items passed the filter.
    pub count: u64,
    /// How many were read.
    pub scanned_count: u64,
    /// Where to go on; only its absence means that there is no more.
    pub last_evaluated_key: Option<Item>,
    /// What it would cost, if that was asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}
