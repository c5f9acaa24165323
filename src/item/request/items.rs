//! Operations on one item.

use std::collections::BTreeMap;

use crate::item::request::{
    AttributeValueUpdate, ConditionalOperator, ConsumedCapacity, ExpectedAttributeValue, ItemCollectionMetrics,
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
};
use crate::item::{AttributeValue, Item};

/// Names that stand for attributes in expressions: `#name`.
pub type ExpressionAttributeNames = BTreeMap<String, String>;

/// Names that stand for values in expressions: `:value`.
pub type ExpressionAttributeValues = BTreeMap<String, AttributeValue>;

/// Reads an item.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::GetItem}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// store.item_table("Users").put(&Item::from([("PK", "ann")]).with("age", 30))?;
/// let get = GetItem { table_name: "Users".into(), key: Item::from([("PK", "ann")]), ..GetItem::default() };
/// let get = GetItem { projection_expression: Some("age".into()), ..get };
/// assert_eq!(store.items().get_item(&get)?.item, Some(Item::from([("age", 30)])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `GetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetItem {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The attributes of the primary key.
    pub key: Item,
    /// Legacy: the attributes to read, instead of a projection.
    pub attributes_to_get: Option<Vec<String>>,
    /// Whether the newest state has to be read.
    pub consistent_read: bool,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What to read of the item; all of it unless it is said.
    pub projection_expression: Option<String>,
    /// Names in the expression.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
}

/// What [`GetItem`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::GetItemOutput::default().item.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `GetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GetItemOutput {
    /// The item, if there is one.
    pub item: Option<Item>,
    /// What it would cost, if that was asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}

/// Puts an item in the place of the one with its primary key.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::PutItem}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let put = PutItem { table_name: "Users".into(), item: Item::from([("PK", "ann")]), ..PutItem::default() };
/// let put = PutItem { condition_expression: Some("attribute_not_exists(PK)".into()), ..put };
/// store.items().put_item(&put)?;
/// assert!(store.items().put_item(&put).is_err(), "it is there");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `PutItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PutItem {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The item, with the attributes of its primary key.
    pub item: Item,
    /// Legacy: what has to hold, instead of a condition.
    pub expected: Option<BTreeMap<String, ExpectedAttributeValue>>,
    /// Legacy: how that is put together.
    pub conditional_operator: Option<ConditionalOperator>,
    /// What to return of the item: nothing, or all as it was.
    pub return_values: ReturnValues,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// Whether to say how large the collection is.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
    /// What has to hold of the item that is there.
    pub condition_expression: Option<String>,
    /// Names in the expression.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expression.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
    /// Whether a failed condition shows the item.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// What a write of one item returns: [`PutItem`], [`UpdateItem`], [`DeleteItem`].
///
/// # Examples
/// ```
/// assert!(larder::item::request::WriteItemOutput::default().attributes.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `PutItem`: response elements.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[doc(alias("PutItemOutput", "UpdateItemOutput", "DeleteItemOutput"))]
pub struct WriteItemOutput {
    /// What was asked to be returned of the item.
    pub attributes: Option<Item>,
    /// What it would cost, if that was asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
    /// How large the collection is, if that was asked for and the table has local indexes.
    pub item_collection_metrics: Option<ItemCollectionMetrics>,
}

/// Removes an item.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{DeleteItem, ReturnValues}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// store.item_table("Users").put(&Item::from([("PK", "ann")]))?;
/// let delete = DeleteItem { table_name: "Users".into(), key: Item::from([("PK", "ann")]), ..DeleteItem::default() };
/// let delete = DeleteItem { return_values: ReturnValues::AllOld, ..delete };
/// assert_eq!(store.items().delete_item(&delete)?.attributes, Some(Item::from([("PK", "ann")])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `DeleteItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteItem {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The attributes of the primary key.
    pub key: Item,
    /// Legacy: what has to hold, instead of a condition.
    pub expected: Option<BTreeMap<String, ExpectedAttributeValue>>,
    /// Legacy: how that is put together.
    pub conditional_operator: Option<ConditionalOperator>,
    /// What to return of the item: nothing, or all as it was.
    pub return_values: ReturnValues,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// Whether to say how large the collection is.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
    /// What has to hold of the item that is there.
    pub condition_expression: Option<String>,
    /// Names in the expression.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expression.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
    /// Whether a failed condition shows the item.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// Changes attributes of an item, which is made when there is none.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{ReturnValues, UpdateItem}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let update = UpdateItem { table_name: "Users".into(), key: Item::from([("PK", "ann")]), ..UpdateItem::default() };
/// let update = UpdateItem {
///     update_expression: Some("ADD visits :one".into()),
///     expression_attribute_values: Some([(":one".to_owned(), 1.into())].into()),
///     return_values: ReturnValues::UpdatedNew,
///     ..update
/// };
/// store.items().update_item(&update)?;
/// assert_eq!(store.items().update_item(&update)?.attributes, Some(Item::from([("visits", 2)])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UpdateItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateItem {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The attributes of the primary key.
    pub key: Item,
    /// Legacy: what to do to attributes, instead of an expression.
    pub attribute_updates: Option<BTreeMap<String, AttributeValueUpdate>>,
    /// Legacy: what has to hold, instead of a condition.
    pub expected: Option<BTreeMap<String, ExpectedAttributeValue>>,
    /// Legacy: how that is put together.
    pub conditional_operator: Option<ConditionalOperator>,
    /// What to return of the item.
    pub return_values: ReturnValues,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// Whether to say how large the collection is.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
    /// What to do.
    pub update_expression: Option<String>,
    /// What has to hold of the item that is there.
    pub condition_expression: Option<String>,
    /// Names in the expressions.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expressions.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
    /// Whether a failed condition shows the item.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}
