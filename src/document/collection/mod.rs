//! The handle on a collection.

mod bulk_write;
mod explain;
mod find;
mod find_one_and;
mod indexes;
mod many;
pub(super) mod merge;
mod modify;
mod options;
mod outcome;
mod read;
mod source;
mod stats;
mod tail;
mod write;
mod write_model;

use std::marker::PhantomData;
use std::sync::Arc;

use bson::Bson;

pub use self::bulk_write::BulkWrite;
pub use self::find::Find;
pub use self::find_one_and::{FindAndModifyResult, Modify};
pub use self::options::{AggregateOptions, DeleteOptions, FindOneAndOptions, ReturnDocument, UpdateOptions};
pub use self::outcome::{BulkWriteResult, WriteOutcome};
pub use self::tail::Tail;
pub use self::write_model::WriteModel;
use crate::document::schema::Namespace;
use crate::txn::{AutoCommit, Operation, Scope};

/// A collection of documents of type `T`: any serde type that becomes a document, or [`Document`](crate::Document).
///
/// Given by [`Store::collection`](crate::Store::collection), and by databases, transactions and snapshots; on a snapshot it
/// offers the methods that read. It need not exist: the first insert or index creates it.
///
/// # Examples
/// ```
/// use larder::{Store, bson::doc};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Account { _id: String, balance: i64 }
///
/// let store = Store::in_memory();
/// let accounts = store.collection::<Account>("accounts");
/// accounts.insert_many([Account { _id: "ann".into(), balance: 10 }, Account { _id: "bob".into(), balance: 0 }])?;
/// store.transaction(|tx| {
///     let accounts = tx.collection::<Account>("accounts");
///     accounts.update_one(doc! { "_id": "ann" }, doc! { "$inc": { "balance": -5 } })?;
///     accounts.update_one(doc! { "_id": "bob" }, doc! { "$inc": { "balance": 5 } })
/// })?;
/// assert_eq!(accounts.find_one(doc! { "_id": "bob" })?.unwrap().balance, 5);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct Collection<T, S = AutoCommit> {
    scope: S,
    namespace: Arc<Namespace>,
    document: PhantomData<fn(T) -> T>,
}

// Derived, it would ask for `T: Clone`.
impl<T, S: Clone> Clone for Collection<T, S> {
    fn clone(&self) -> Self {
        // A cache of its own: clones are most often for other threads.
        let namespace = Arc::new(Namespace::clone(&self.namespace));
        Self { scope: self.scope.clone(), namespace, document: PhantomData }
    }
}

/// What [`Collection::insert_one`] did.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::{Bson, doc}};
/// let events = Store::in_memory().collection::<Document>("events");
/// assert_eq!(events.insert_one(&doc! { "_id": 1 })?.inserted_id, Bson::Int32(1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InsertOneResult {
    /// The `_id` of the new document.
    pub inserted_id: Bson,
}

/// What [`Collection::insert_many`] did.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::{Bson, doc}};
/// let events = Store::in_memory().collection::<Document>("events");
/// let done = events.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
/// assert_eq!(done.inserted_ids, [Bson::Int32(1), Bson::Int32(2)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InsertManyResult {
    /// The `_id`s of the new documents, in the order they were given.
    pub inserted_ids: Vec<Bson>,
}

/// What an update did.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many([doc! { "seen": true }, doc! { "seen": false }])?;
/// let done = events.update_many(doc! {}, doc! { "$set": { "seen": true } })?;
/// assert_eq!((done.matched, done.modified), (2, 1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UpdateResult {
    /// Documents that matched the filter.
    #[doc(alias("matched_count", "matchedCount"))]
    pub matched: u64,
    /// Documents that were changed by it; fewer, when the update left some as they were.
    #[doc(alias("modified_count", "modifiedCount"))]
    pub modified: u64,
    /// The `_id` of the document that an upsert inserted.
    #[doc(alias = "upsertedId")]
    pub upserted_id: Option<Bson>,
}

impl<T, S: Scope> Collection<T, S> {
    pub(super) fn new(scope: S, namespace: Namespace) -> Self {
        Self { scope, namespace: Arc::new(namespace), document: PhantomData }
    }

    /// The collection's name.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store};
    /// assert_eq!(Store::in_memory().collection::<Document>("events").name(), "events");
    /// ```
    pub fn name(&self) -> &str {
        self.namespace.name()
    }

    /// The name of the database it belongs to.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store};
    /// assert_eq!(Store::in_memory().collection::<Document>("events").database_name(), "default");
    /// ```
    pub fn database_name(&self) -> &str {
        self.namespace.database()
    }

    /// The same collection, its documents seen as another type.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// #[derive(serde::Deserialize)]
    /// struct Id { _id: i32 }
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_one(&doc! { "_id": 1, "kind": "login" })?;
    /// assert_eq!(events.with_type::<Id>().find_one(doc! {})?.unwrap()._id, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "clone_with_type")]
    pub fn with_type<U>(&self) -> Collection<U, S> {
        Collection::new(self.scope.clone(), Namespace::clone(&self.namespace))
    }

    /// The same collection, through which documents may be written that its validator refuses, if `bypasses`. A pipeline's `$out` may
    /// then write such documents, too.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::CollectionOptions};
    /// let shop = Store::in_memory().database("shop");
    /// let options = CollectionOptions::default().validator(doc! { "price": { "$gt": 0 } });
    /// shop.create_collection_with("orders", options)?;
    /// let orders = shop.collection::<Document>("orders");
    /// assert!(orders.insert_one(&doc! { "price": 0 }).is_err());
    /// assert!(orders.bypass_document_validation(true).insert_one(&doc! { "price": 0 }).is_ok());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `bypassDocumentValidation`.
    #[must_use]
    #[doc(alias = "bypassDocumentValidation")]
    pub fn bypass_document_validation(&self, bypasses: bool) -> Self {
        Self::new(self.scope.clone(), Namespace::clone(&self.namespace).bypassing_validation(bypasses))
    }

    /// The operation `verb` on the collection, for the record that is made of it.
    fn operation(&self, verb: &'static str) -> Operation<'_> {
        self.namespace.operation(verb)
    }

    #[cfg(test)]
    pub(super) fn scope(&self) -> &S {
        &self.scope
    }

    #[cfg(test)]
    pub(super) fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

#[cfg(test)]
mod tests;
