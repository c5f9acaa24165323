//! Several items in one call.

use std::collections::BTreeMap;

use crate::item::Item;
use crate::item::request::{
    ConsumedCapacity, ExpressionAttributeNames, ItemCollectionMetrics, ReturnConsumedCapacity,
    ReturnItemCollectionMetrics,
};

/// One entry of a [`BatchWriteItem`].
///
/// # Examples
/// ```
/// use larder::item::{Item, request::WriteRequest};
/// let _put = WriteRequest::Put(Item::from([("id", "a")]));
/// let _delete = WriteRequest::Delete(Item::from([("id", "b")]));
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `WriteRequest`.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteRequest {
    /// Puts the item in the place of the one with its primary key.
    Put(Item),
    /// Removes the item with these attributes of the primary key, if there is one.
    Delete(Item),
}

/// Puts and deletes up to 25 items of any tables.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{BatchWriteItem, WriteRequest}}};
/// let store = Store::in_memory();
/// for name in ["Users", "Orders"] {
///     store.item_table(name).create(TableSchema::new("id", ScalarAttributeType::S))?;
/// }
/// let put = || vec![WriteRequest::Put(Item::from([("id", "a")]))];
/// let request_items = [("Users".to_owned(), put()), ("Orders".to_owned(), put())].into();
/// let done = store.items().batch_write_item(&BatchWriteItem { request_items, ..BatchWriteItem::default() })?;
/// assert!(done.unprocessed_items.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchWriteItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWriteItem {
    /// What to do in each table, by name or ARN.
    pub request_items: BTreeMap<String, Vec<WriteRequest>>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// Whether to say how large the collections are.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

/// What [`BatchWriteItem`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::BatchWriteItemOutput::default().unprocessed_items.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use = "unprocessed requests are to be sent again"]
pub struct BatchWriteItemOutput {
    /// What was not done, to be sent again.
    pub unprocessed_items: BTreeMap<String, Vec<WriteRequest>>,
    /// How large the collections are, by table, if that was asked for.
    pub item_collection_metrics: BTreeMap<String, Vec<ItemCollectionMetrics>>,
    /// What it would cost, for each table, if that was asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

/// Reads up to 100 items of any tables.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{BatchGetItem, KeysAndAttributes}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// store.item_table("Users").put(&Item::from([("id", "a")]))?;
/// let keys = ["a", "b"].map(|id| Item::from([("id", id)])).to_vec();
/// let keys = KeysAndAttributes { keys, ..KeysAndAttributes::default() };
/// let get = BatchGetItem { request_items: [("Users".to_owned(), keys)].into(), ..BatchGetItem::default() };
/// assert_eq!(store.items().batch_get_item(&get)?.responses["Users"], [Item::from([("id", "a")])]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchGetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetItem {
    /// What to read of each table, by name or ARN.
    pub request_items: BTreeMap<String, KeysAndAttributes>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// Which items of a table to read, and what of them.
///
/// # Examples
/// ```
/// assert!(larder::item::request::KeysAndAttributes::default().keys.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeysAndAttributes {
    /// The attributes of their primary keys.
    pub keys: Vec<Item>,
    /// Legacy: the attributes to read, instead of a projection.
    pub attributes_to_get: Option<Vec<String>>,
    /// Whether the newest state has to be read.
    pub consistent_read: bool,
    /// What to read of each item.
    pub projection_expression: Option<String>,
    /// Names in the expression.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
}

/// What [`BatchGetItem`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::BatchGetItemOutput::default().responses.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use = "unprocessed keys are to be asked for again"]
pub struct BatchGetItemOutput {
    /// The items that there are, by table, in no promised order.
    pub responses: BTreeMap<String, Vec<Item>>,
    /// What was not read, to be asked for again.
    pub unprocessed_keys: BTreeMap<String, KeysAndAttributes>,
    /// What it would cost, for each table, if that was asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
