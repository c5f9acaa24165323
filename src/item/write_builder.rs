//! Operations on one item that are put together: expressions, and what to return.

use std::sync::Arc;

use crate::error::Result;
use crate::item::expression::Condition;
use crate::item::reads::read;
use crate::item::request::{
    DeleteItem, GetItem, PutItem, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure, UpdateItem, WriteItemOutput,
};
use crate::item::run_item::{self, KeyOf};
use crate::item::target::Target;
use crate::item::{AttributeValue, ExpressionKind, Item, Key};
use crate::txn::{AutoCommit, Scope, WriteScope};

/// Reading an item, with more said than [`ItemTable::get`](crate::ItemTable::get) takes.
///
/// Given by [`ItemTable::get_item`](crate::ItemTable::get_item).
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
/// # let table = Store::in_memory().item_table("Users");
/// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
/// table.put(&Item::from([("id", "a")]).with("size", 30))?;
/// let size = table.get_item("a").projection("#s").name("#s", "size").consistent().run()?;
/// assert_eq!(size, Some(Item::from([("size", 30)])));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `GetItem`.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until it is run"]
pub struct GetBuilder<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    key: Key,
    request: GetItem,
}

impl<S: Scope> GetBuilder<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, key: Key) -> Self {
        let request = GetItem { table_name: target.name().to_string(), ..GetItem::default() };
        Self { scope, target, key, request }
    }

    /// Reads the newest state, also when the store was told to lag.
    ///
    /// # Examples
    /// See [`GetBuilder`].
    #[doc(alias = "ConsistentRead")]
    pub fn consistent(mut self) -> Self {
        self.request.consistent_read = true;
        self
    }

    /// Returns only what `expression` names.
    ///
    /// # Examples
    /// See [`GetBuilder`].
    #[doc(alias = "ProjectionExpression")]
    pub fn projection(mut self, expression: impl Into<String>) -> Self {
        self.request.projection_expression = Some(expression.into());
        self
    }

    /// Has `placeholder`, which begins with `#`, stand for an attribute in the expression.
    ///
    /// # Examples
    /// See [`GetBuilder`].
    #[doc(alias = "ExpressionAttributeNames")]
    pub fn name(mut self, placeholder: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.request.expression_attribute_names.get_or_insert_default().insert(placeholder.into(), attribute.into());
        self
    }

    /// Reads the item.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) for a key that no item of the table can have, an expression that is none, and
    /// a table that does not exist.
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// See [`GetBuilder`].
    pub fn run(self) -> Result<Option<Item>> {
        let prepared = self.request.prepare()?;
        let operation = self.target.operation("get_item");
        read(&self.scope, operation, self.request.consistent_read, |names, items| {
            let key = KeyOf::Values(&self.key);
            Ok(run_item::get_by(names, items, &self.target, key, &self.request, &prepared)?.item)
        })
    }
}

/// What builders of writes have in common.
macro_rules! write_builder {
    ($builder:ident, $request:ident, $subject:ident: $subject_type:ty, $verb:literal, $frees:literal, $run:expr) => {
        impl<S: WriteScope> $builder<S> {
            pub(super) fn new(scope: S, target: Arc<Target>, $subject: $subject_type) -> Self {
                let request = $request { table_name: target.name().to_string(), ..$request::default() };
                Self { scope, target, $subject, request, typed: None }
            }

            /// Writes only if `expression` holds for the item that is there.
            ///
            /// # Examples
            #[doc = concat!("See [`", stringify!($builder), "`].")]
            #[doc(alias = "ConditionExpression")]
            pub fn condition(mut self, expression: impl Into<String>) -> Self {
                self.request.condition_expression = Some(expression.into());
                self
            }

            /// As `condition`, with a typed one.
            ///
            /// # Examples
            /// ```
            /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, path}};
            /// # let table = Store::in_memory().item_table("Users");
            /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
            /// let put = || table.put_item(Item::from([("id", "a")])).only_if(path("id").not_exists()).run();
            /// assert!(put().is_ok() && put().is_err());
            /// # Ok::<(), larder::Error>(())
            /// ```
            pub fn only_if(mut self, condition: Condition) -> Self {
                self.typed = Some(condition);
                self
            }

            /// Has `placeholder`, which begins with `#`, stand for an attribute in the expressions.
            ///
            /// # Examples
            #[doc = concat!("See [`", stringify!($builder), "`].")]
            #[doc(alias = "ExpressionAttributeNames")]
            pub fn name(mut self, placeholder: impl Into<String>, attribute: impl Into<String>) -> Self {
                let names = self.request.expression_attribute_names.get_or_insert_default();
                names.insert(placeholder.into(), attribute.into());
                self
            }

            /// Has `placeholder`, which begins with `:`, stand for `value` in the expressions.
            ///
            /// # Examples
            #[doc = concat!("See [`", stringify!($builder), "`].")]
            #[doc(alias = "ExpressionAttributeValues")]
            pub fn value(mut self, placeholder: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
                let values = self.request.expression_attribute_values.get_or_insert_default();
                values.insert(placeholder.into(), value.into());
                self
            }

            /// Returns `values` of the item.
            ///
            /// # Examples
            #[doc = concat!("See [`", stringify!($builder), "`].")]
            #[doc(alias = "ReturnValues")]
            pub fn return_values(mut self, values: ReturnValues) -> Self {
                self.request.return_values = values;
                self
            }

            /// Has the fault of a condition that does not hold show the item.
            ///
            /// # Examples
            /// See [`FailedItem`](crate::item::FailedItem).
            #[doc(alias = "ReturnValuesOnConditionCheckFailure")]
            pub fn return_old_on_failure(mut self) -> Self {
                self.request.return_values_on_condition_check_failure = ReturnValuesOnConditionCheckFailure::AllOld;
                self
            }

            /// Says what it would cost.
            ///
            /// # Examples
            /// See [`ConsumedCapacity`](crate::item::request::ConsumedCapacity).
            #[doc(alias = "ReturnConsumedCapacity")]
            pub fn return_consumed_capacity(mut self, asked: ReturnConsumedCapacity) -> Self {
                self.request.return_consumed_capacity = asked;
                self
            }

            /// Says how large the collection of the item is.
            ///
            /// # Examples
            /// See [`ItemCollectionMetrics`](crate::item::request::ItemCollectionMetrics).
            #[doc(alias = "ReturnItemCollectionMetrics")]
            pub fn return_item_collection_metrics(mut self) -> Self {
                self.request.return_item_collection_metrics = ReturnItemCollectionMetrics::Size;
                self
            }

            /// Writes.
            ///
            /// # Errors
            /// [`Fault::ConditionalCheckFailed`](crate::item::Fault::ConditionalCheckFailed) when the condition does not
            /// hold; other faults for what is wrong with the request, the table or the item. Nothing is written then.
            ///
            /// # Cost
            /// O(log n) for the table, and again for each index entry that changes.
            ///
            /// # Examples
            #[doc = concat!("See [`", stringify!($builder), "`].")]
            pub fn run(self) -> Result<WriteItemOutput> {
                let mut prepared = self.request.prepare()?;
                if let Some(condition) = &self.typed {
                    condition.check(ExpressionKind::Condition)?;
                }
                prepared.condition = self.typed.clone().or(prepared.condition);
                self.scope.write(self.target.operation($verb).freeing($frees), |writer| {
                    let run: fn(&mut crate::txn::Writer, &Self, &_) -> Result<WriteItemOutput> = $run;
                    run(writer, &self, &prepared)
                })
            }
        }
    };
}

/// Putting an item, with more said than [`ItemTable::put`](crate::ItemTable::put) takes.
///
/// Given by [`ItemTable::put_item`](crate::ItemTable::put_item).
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::ReturnValues}};
/// # let table = Store::in_memory().item_table("Users");
/// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let ann = |version| Item::from([("id", "a")]).with("version", version);
/// table.put(&ann(1))?;
/// let put = table.put_item(ann(2)).condition("#v = :expected").name("#v", "version").value(":expected", 1);
/// assert_eq!(put.return_values(ReturnValues::AllOld).run()?.attributes, Some(ann(1)));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `PutItem`.
#[derive(Clone, Debug)]
#[must_use = "nothing is written until it is run"]
pub struct PutBuilder<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    item: Item,
    request: PutItem,
    typed: Option<Condition>,
}

/// Removing an item, with more said than [`ItemTable::delete`](crate::ItemTable::delete) takes.
///
/// Given by [`ItemTable::delete_item`](crate::ItemTable::delete_item).
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::ReturnValues}};
/// # let table = Store::in_memory().item_table("Users");
/// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let ann = Item::from([("id", "a")]).with("size", 0);
/// table.put(&ann)?;
/// let delete = table.delete_item("a").condition("#s = :none").name("#s", "size").value(":none", 0);
/// assert_eq!(delete.return_values(ReturnValues::AllOld).run()?.attributes, Some(ann));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `DeleteItem`.
#[derive(Clone, Debug)]
#[must_use = "nothing is written until it is run"]
pub struct DeleteBuilder<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    key: Key,
    request: DeleteItem,
    typed: Option<Condition>,
}

/// Changing attributes of an item.
///
/// Given by [`ItemTable::update`](crate::ItemTable::update).
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::ReturnValues}};
/// # let table = Store::in_memory().item_table("Users");
/// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let visit = table.update("a").expression("SET #n = if_not_exists(#n, :zero) + :one").name("#n", "visits");
/// let visit = visit.value(":zero", 0).value(":one", 1).return_values(ReturnValues::UpdatedNew);
/// visit.clone().run()?;
/// assert_eq!(visit.run()?.attributes, Some(Item::from([("visits", 2)])));
/// assert!(table.update("b").expression("REMOVE x").condition("attribute_exists(id)").run().is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UpdateItem`.
#[derive(Clone, Debug)]
#[must_use = "nothing is written until it is run"]
pub struct UpdateBuilder<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    key: Key,
    request: UpdateItem,
    typed: Option<Condition>,
}

impl<S: WriteScope> UpdateBuilder<S> {
    /// Does what `expression` says: `SET`, `REMOVE`, `ADD` and `DELETE`.
    ///
    /// # Examples
    /// See [`UpdateBuilder`].
    #[doc(alias = "UpdateExpression")]
    pub fn expression(mut self, expression: impl Into<String>) -> Self {
        self.request.update_expression = Some(expression.into());
        self
    }
}

write_builder!(PutBuilder, PutItem, item: Item, "put_item", false, |writer, put, prepared| {
    run_item::put_by(writer, &put.target, &put.item, put.request.return_values, &put.request, prepared)
});
write_builder!(DeleteBuilder, DeleteItem, key: Key, "delete_item", true, |writer, delete, prepared| {
    run_item::delete_by(writer, &delete.target, KeyOf::Values(&delete.key), &delete.request, prepared)
});
write_builder!(UpdateBuilder, UpdateItem, key: Key, "update_item", false, |writer, update, prepared| {
    run_item::update_by(writer, &update.target, KeyOf::Values(&update.key), &update.request, prepared)
});
