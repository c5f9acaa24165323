//! Batch writes: up to 25 puts and deletes in one call, some of which may come back unprocessed.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::catalog::Entry;
use crate::error::{Error, InvalidKind, Result};
use crate::item::schema::TableRecord;
use crate::item::write::Change;
use crate::item::{Item, Key};
use crate::limits;
use crate::txn::Writer;

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

impl Admission {
    pub(super) fn new(admit: impl Fn(&WriteRequest) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(admit))
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}

/// The requests of one call.
#[derive(Debug)]
pub(super) struct Batch {
    requests: Vec<WriteRequest>,
    /// Of each request, whether it is processed. Asked once, because the transaction may run its body again.
    admitted: Vec<bool>,
}

impl Batch {
    /// A batch of `requests`, of which those are processed that are admitted.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::LimitExceeded`] for none or too many, and for an item that no table stores.
    pub(super) fn new(requests: Vec<WriteRequest>, admission: Option<&Admission>) -> Result<Self> {
        if requests.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "a batch write has at least one request"));
        }
        limits::check("requests of a batch write", limits::ITEM_BATCH_WRITES_MAX, requests.len())?;
        let admits = |request: &WriteRequest| admission.is_none_or(|Admission(admit)| admit(request));
        let admitted = requests.iter().map(admits).collect();
        for request in &requests {
            if let WriteRequest::Put(item) = request {
                item.check()?;
            }
        }
        Ok(Self { requests, admitted })
    }

    /// Whether it only deletes.
    pub(super) fn frees(&self) -> bool {
        self.requests.iter().all(|request| matches!(request, WriteRequest::Delete(_)))
    }

    /// Checks every request, and makes those that are admitted.
    pub(super) fn apply(&self, writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
        let changes = self.requests.iter().map(|request| request.prepare(table)).collect::<Result<Vec<_>>>()?;
        let mut keys = HashSet::new();
        if !changes.iter().all(|change| keys.insert(change.key())) {
            return Err(Error::invalid(InvalidKind::Value, "two requests of a batch write are about the same item"));
        }
        for (change, _) in changes.into_iter().zip(&self.admitted).filter(|(_, admitted)| **admitted) {
            change.apply(writer, table)?;
        }
        Ok(())
    }

    pub(super) fn outcome(self) -> BatchWriteOutcome {
        let held_back = self.requests.into_iter().zip(self.admitted).filter(|(_, admitted)| !admitted);
        BatchWriteOutcome { unprocessed: held_back.map(|(request, _)| request).collect() }
    }
}
