//! Batch writes: up to 25 puts and deletes in one call, some of which may come back unprocessed.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::catalog::Entry;
use crate::error::{Error, InvalidKind, Result};
use crate::item::schema::TableRecord;
use crate::item::write::Change;
use crate::item::{Item, ItemTable, Key};
use crate::limits;
use crate::txn::{Scope, WriteScope};

// A batch's bytes need no check of their own: the largest items that one can hold stay below the limit.
const _: () = assert!(limits::ITEM_BATCH_WRITES_MAX * limits::ITEM_BYTES_MAX <= limits::ITEM_BATCH_BYTES_MAX);

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

    fn prepare(&self, table: &Entry<TableRecord>) -> Result<Change> {
        match self {
            Self::Put(item) => Change::put(table, item),
            Self::Delete(key) => Change::delete(table, key),
        }
    }
}

/// What became of a batch write.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, KeyType, TableSchema, WriteRequest}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", KeyType::S))?;
/// let request = WriteRequest::put(Item::from([("PK", "a")]));
/// let outcome = table.with_batch_admission(|_| false).batch_write([request.clone()])?;
/// assert_eq!(outcome.unprocessed, [request]);
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

/// Decides which entries of a handle's batch writes are processed.
#[derive(Clone)]
pub(super) struct Admission(Arc<dyn Fn(&WriteRequest) -> bool + Send + Sync>);

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}

impl<S: Scope> ItemTable<S> {
    /// The handle with `admit` deciding which entries of its batch writes are processed.
    ///
    /// This simulates a table that throttles, so that a caller can test the code that sends unprocessed entries again;
    /// no other handle is concerned, and without it nothing is ever unprocessed. `admit` is called once for each entry,
    /// in the order of the call, before the call checks or writes anything.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, KeyType, TableSchema, WriteRequest}};
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// let asked = AtomicUsize::new(0);
    /// let every_other = table.with_batch_admission(move |_| asked.fetch_add(1, Relaxed) % 2 == 0);
    /// let mut requests: Vec<_> = ["a", "b", "c", "d"].map(|id| WriteRequest::put(Item::from([("PK", id)]))).into();
    /// let mut calls = 0;
    /// while !requests.is_empty() {
    ///     requests = every_other.batch_write(requests)?.unprocessed;
    ///     calls += 1;
    /// }
    /// assert_eq!(calls, 3, "4, then 2, then 1");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn with_batch_admission(mut self, admit: impl Fn(&WriteRequest) -> bool + Send + Sync + 'static) -> Self {
        self.admission = Some(Admission(Arc::new(admit)));
        self
    }
}

impl<S: WriteScope> ItemTable<S> {
    /// Processes 1 to 25 puts and deletes of distinct items, in one transaction.
    ///
    /// All of them are processed, unless [`ItemTable::with_batch_admission`] holds some back.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::LimitExceeded`] when there are none or too many, two are about the same item, or one
    /// could not be written alone, whether it was admitted or not. Nothing is written then.
    ///
    /// # Atomicity and cost
    /// What is processed is committed together, which the imitated product does not promise. As that many puts.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, KeyType, TableSchema, WriteRequest}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// let outcome = table.batch_write([
    ///     WriteRequest::put(Item::from([("PK", "a")])),
    ///     WriteRequest::delete(("b",)),
    /// ])?;
    /// assert!(outcome.unprocessed.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `BatchWriteItem`.
    #[doc(alias = "BatchWriteItem")]
    pub fn batch_write(&self, requests: impl Into<Vec<WriteRequest>>) -> Result<BatchWriteOutcome> {
        let requests = requests.into();
        if requests.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "a batch write has at least one request"));
        }
        limits::check("requests of a batch write", limits::ITEM_BATCH_WRITES_MAX, requests.len())?;
        // Asked here, because the transaction may run its body again.
        let admits = |request: &WriteRequest| self.admission.as_ref().is_none_or(|Admission(admit)| admit(request));
        let admitted: Vec<bool> = requests.iter().map(admits).collect();
        let frees = requests.iter().all(|request| matches!(request, WriteRequest::Delete(_)));
        self.scope.write(self.operation("batch_write").freeing(frees), |writer| {
            let table = self.open(writer)?;
            let changes = requests.iter().map(|request| request.prepare(&table)).collect::<Result<Vec<_>>>()?;
            let mut keys = HashSet::new();
            if !changes.iter().all(|change| keys.insert(change.key())) {
                return Err(Error::invalid(
                    InvalidKind::Value,
                    "two requests of a batch write are about the same item",
                ));
            }
            for (change, _) in changes.into_iter().zip(&admitted).filter(|(_, admitted)| **admitted) {
                change.apply(writer, &table)?;
            }
            Ok(())
        })?;
        let held_back = requests.into_iter().zip(admitted).filter(|(_, admitted)| !admitted);
        Ok(BatchWriteOutcome { unprocessed: held_back.map(|(request, _)| request).collect() })
    }
}
