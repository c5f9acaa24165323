//! All or nothing.

use std::collections::BTreeMap;

use crate::item::Item;
use crate::item::request::{
    ConsumedCapacity, ExpressionAttributeNames, ExpressionAttributeValues, ItemCollectionMetrics,
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};

/// Writes up to 100 items of any tables, or none of them.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}, item::request::*};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let put = |id| TransactWrite {
///     condition_expression: Some("attribute_not_exists(id)".into()),
///     ..TransactWrite::new("Users", TransactAction::Put(Item::from([("id", id)])))
/// };
/// let both = TransactWriteItems { transact_items: vec![put("a"), put("b")], ..TransactWriteItems::default() };
/// store.items().transact_write_items(&both)?;
/// let one_new = TransactWriteItems { transact_items: vec![put("c"), put("a")], ..TransactWriteItems::default() };
/// assert!(store.items().transact_write_items(&one_new).is_err());
/// assert!(store.item_table("Users").get("c")?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `TransactWriteItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWriteItems {
    /// What to do, to distinct items.
    pub transact_items: Vec<TransactWrite>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// Whether to say how large the collections are.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
    /// Makes it happen once within ten minutes, however often it is sent.
    pub client_request_token: Option<String>,
}

/// What a transaction does to one item.
///
/// # Examples
/// ```
/// use larder::item::{Item, request::{TransactAction, TransactWrite}};
/// let delete = TransactWrite::new("Users", TransactAction::Delete(Item::from([("id", "a")])));
/// assert!(delete.condition_expression.is_none());
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `TransactWriteItem`.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactWrite {
    /// The table, by name or ARN.
    pub table_name: String,
    /// What to do.
    pub action: TransactAction,
    /// What has to hold of the item that is there.
    pub condition_expression: Option<String>,
    /// Names in the expressions.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
    /// Values in the expressions.
    pub expression_attribute_values: Option<ExpressionAttributeValues>,
    /// Whether a failed condition shows the item.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

impl TransactWrite {
    /// `action` in the table `table_name`, without a condition.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Item, request::{TransactAction, TransactWrite}};
    /// let put = TransactWrite::new("Users", TransactAction::Put(Item::from([("id", "a")])));
    /// assert_eq!(put.table_name, "Users");
    /// ```
    #[must_use]
    pub fn new(table_name: impl Into<String>, action: TransactAction) -> Self {
        Self {
            table_name: table_name.into(),
            action,
            condition_expression: None,
            expression_attribute_names: None,
            expression_attribute_values: None,
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::None,
        }
    }
}

/// The action of a transaction on one item.
///
/// # Examples
/// ```
/// use larder::item::{Item, request::TransactAction};
/// let _check = TransactAction::ConditionCheck(Item::from([("id", "a")]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TransactAction {
    /// Puts this item in the place of the one with its key.
    Put(Item),
    /// Removes the item with this key.
    Delete(Item),
    /// Changes the item with this key by an update expression.
    Update {
        /// The attributes of the primary key.
        key: Item,
        /// What to do.
        update_expression: String,
    },
    /// Does nothing to the item with this key, whose condition has to hold.
    ConditionCheck(Item),
}

/// What [`TransactWriteItems`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::TransactWriteItemsOutput::default().consumed_capacity.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TransactWriteItemsOutput {
    /// What it would cost, for each table, if that was asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
    /// How large the collections are, by table, if that was asked for.
    pub item_collection_metrics: BTreeMap<String, Vec<ItemCollectionMetrics>>,
}

/// Reads up to 100 items of any tables, as they are at one moment.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{TransactGet, TransactGetItems}}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// store.item_table("Users").put(&Item::from([("id", "a")]))?;
/// let get = |id| TransactGet { table_name: "Users".into(), key: Item::from([("id", id)]), ..TransactGet::default() };
/// let both = TransactGetItems { transact_items: vec![get("a"), get("b")], ..TransactGetItems::default() };
/// assert_eq!(store.items().transact_get_items(&both)?.responses, [Some(Item::from([("id", "a")])), None]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `TransactGetItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGetItems {
    /// What to read.
    pub transact_items: Vec<TransactGet>,
    /// Whether to say what it would cost.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// An item that a transaction reads.
///
/// # Examples
/// ```
/// assert!(larder::item::request::TransactGet::default().key.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGet {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The attributes of the primary key.
    pub key: Item,
    /// What to read of it.
    pub projection_expression: Option<String>,
    /// Names in the expression.
    pub expression_attribute_names: Option<ExpressionAttributeNames>,
}

/// What [`TransactGetItems`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::TransactGetItemsOutput::default().responses.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TransactGetItemsOutput {
    /// The items, or that there is none, in the order in which they were asked for.
    pub responses: Vec<Option<Item>>,
    /// What it would cost, for each table, if that was asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
