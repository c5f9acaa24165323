//! What operations would cost, and how large collections of items are.

use std::collections::BTreeMap;

use crate::item::Item;

/// Capacity units, of which one is a write of 1 KB or a consistent read of 4 KB.
///
/// # Examples
/// ```
/// use larder::item::request::Capacity;
/// assert_eq!(Capacity::default().capacity_units, 0.0);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Capacity`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capacity {
    /// Of reads and writes together.
    pub capacity_units: f64,
    /// Of reads, where they are told apart.
    pub read_capacity_units: Option<f64>,
    /// Of writes, where they are told apart.
    pub write_capacity_units: Option<f64>,
}

/// What an operation would have cost on one table.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
/// use larder::item::request::{PutItem, ReturnConsumedCapacity};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let item = Item::from([("PK", "ann"), ("text", &"x".repeat(2_000))]);
/// let put = PutItem { table_name: "Users".into(), item, ..PutItem::default() };
/// let put = PutItem { return_consumed_capacity: ReturnConsumedCapacity::Total, ..put };
/// assert_eq!(store.items().put_item(&put)?.consumed_capacity.unwrap().capacity_units, 2.0);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ConsumedCapacity`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumedCapacity {
    /// The table.
    pub table_name: String,
    /// In all.
    pub capacity_units: f64,
    /// Of reads, in a transaction.
    pub read_capacity_units: Option<f64>,
    /// Of writes, in a transaction.
    pub write_capacity_units: Option<f64>,
    /// Of the table itself, when indexes are told apart.
    pub table: Option<Capacity>,
    /// Of each local index, by name.
    pub local_secondary_indexes: BTreeMap<String, Capacity>,
    /// Of each global index, by name.
    pub global_secondary_indexes: BTreeMap<String, Capacity>,
}

/// How large the collection of an item is: all items of its partition key, with their entries in local indexes.
///
/// # Examples
/// ```
/// use larder::item::request::ItemCollectionMetrics;
/// assert_eq!(ItemCollectionMetrics::default().size_estimate_range_gb, [0.0, 0.0]);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ItemCollectionMetrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemCollectionMetrics {
    /// The partition key.
    pub item_collection_key: Item,
    /// From how many to how many gigabytes, whole ones.
    pub size_estimate_range_gb: [f64; 2],
}
