//! Batch writes: up to 25 puts and deletes in one call, some of which may come back unprocessed.

use crate::item::run_item::{Action, KeyOf};
use crate::item::{Item, Key};

/// One entry of a batch write.
///
/// # Examples
/// ```
/// use larder::item::{Item, WriteRequest};
/// let put = WriteRequest::put(Item::from([("PK", "USER#7"), ("SK", "EVENT#1")]));
/// let delete = WriteRequest::delete(("USER#7", "EVENT#2"));
/// assert_ne!(put, delete);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `WriteRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteRequest {
    /// Puts the item in the place of the one with its primary key.
    Put(Item),
    /// Removes the item with the primary key, if there is one.
    Delete(Key),
}

impl WriteRequest {
    /// A request to put `item`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Item, WriteRequest};
    /// let item = Item::from([("PK", "USER#7")]);
    /// assert_eq!(WriteRequest::put(item.clone()), WriteRequest::Put(item));
    /// ```
    #[must_use]
    pub fn put(item: Item) -> Self {
        Self::Put(item)
    }

    /// A request to remove the item with `key`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Key, WriteRequest};
    /// assert_eq!(WriteRequest::delete(("USER#7",)), WriteRequest::Delete(Key::from(("USER#7",))));
    /// ```
    #[must_use]
    pub fn delete(key: impl Into<Key>) -> Self {
        Self::Delete(key.into())
    }

    /// What it does.
    pub(super) fn action(&self) -> Action<'_> {
        match self {
            Self::Put(item) => Action::Put(item),
            Self::Delete(key) => Action::Delete(KeyOf::Values(key)),
        }
    }
}

/// What became of a batch write.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, WriteRequest}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// let outcome = table.batch_write([WriteRequest::put(Item::from([("PK", "a")]))])?;
/// assert!(outcome.unprocessed.is_empty(), "unless somebody asked for that");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `BatchWriteItem`: `UnprocessedItems`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "unprocessed requests are to be sent again"]
pub struct BatchWriteOutcome {
    /// The requests that were not processed, in the order of the call, ready to be sent again.
    #[doc(alias = "UnprocessedItems")]
    pub unprocessed: Vec<WriteRequest>,
}
