//! Queries that callers put together.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document};
use serde::de::DeserializeOwned;

use crate::document::cancel::CancelToken;
use crate::document::collation::Collation;
use crate::document::collection::source;
use crate::document::distinct;
use crate::document::find::{self, Cursor, Query};
use crate::document::hint::Hint;
use crate::document::order::Order;
use crate::document::path::{FieldPath, For};
use crate::document::schema::Namespace;
use crate::error::Result;
use crate::txn::{AutoCommit, Scope};

/// A query that has not run yet. Given by [`Collection::find`](crate::Collection::find). It owns what it needs: it can be built in steps, kept in a struct
/// and returned from a function.
///
/// Whatever the order of the calls, matches are filtered, sorted, skipped, limited and then projected. Without a sort
/// their order is not fixed.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many((0..10).map(|n| doc! { "_id": n, "user_id": n % 2 }))?;
/// let query = events.find(doc! { "user_id": 1 }).sort(doc! { "_id": -1 }).skip(1).limit(2);
/// assert_eq!(query.projection(doc! { "user_id": 0 }).to_vec()?, [doc! { "_id": 7 }, doc! { "_id": 5 }]);
/// # Ok::<(), larder::Error>(())
/// ```
/// Built in steps:
/// ```
/// use larder::{Document, Store, bson::doc, document::Find};
/// fn page(store: &Store, newest_first: bool, after: Option<i32>) -> Find<Document> {
///     let filter = after.map_or(doc! {}, |id| doc! { "_id": { "$gt": id } });
///     let mut query = store.collection::<Document>("events").find(filter);
///     if newest_first {
///         query = query.sort(doc! { "_id": -1 });
///     }
///     query.limit(20)
/// }
/// let store = Store::in_memory();
/// store.collection::<Document>("events").insert_many((0..3).map(|n| doc! { "_id": n }))?;
/// assert_eq!(page(&store, true, Some(0)).to_vec()?, [doc! { "_id": 2 }, doc! { "_id": 1 }]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Find<T, S = AutoCommit> {
    pub(super) scope: S,
    pub(super) namespace: Arc<Namespace>,
    pub(super) query: Query,
    document: PhantomData<fn(T) -> T>,
}

impl<T, S: Scope> Find<T, S> {
    pub(super) fn new(scope: S, namespace: Arc<Namespace>, filter: Document) -> Self {
        Self { scope, namespace, query: Query { filter, ..Query::default() }, document: PhantomData }
    }

    /// Sorts by paths, each 1 (ascending) or −1 (descending). Equal documents come in order of insertion.
    ///
    /// A sort that no index gives is made in memory, within [`SORT_BYTES_MAX`](crate::limits::SORT_BYTES_MAX). An empty
    /// document sorts by nothing.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "_id": 1, "at": 5 }, doc! { "_id": 2, "at": 7 }])?;
    /// assert_eq!(events.find(doc! {}).sort(doc! { "at": -1 }).limit(1).to_vec()?, [doc! { "_id": 2, "at": 7 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sort(mut self, sort: Document) -> Self {
        self.query.sort = Some(sort).filter(|sort| !sort.is_empty());
        self
    }

    /// Leaves out the first `documents` of them, which are found all the same.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "_id": n }))?;
    /// assert_eq!(events.find(doc! {}).sort(doc! { "_id": 1 }).skip(3).to_vec()?, [doc! { "_id": 3 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn skip(mut self, documents: u64) -> Self {
        self.query.skip = documents;
        self
    }

    /// Returns at most `documents` of them. 0 is no limit, as in the original.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "_id": n }))?;
    /// assert_eq!(events.find(doc! {}).limit(3).to_vec()?.len(), 3);
    /// assert_eq!(events.find(doc! {}).limit(0).to_vec()?.len(), 4);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn limit(mut self, documents: u64) -> Self {
        self.query.limit = Some(documents).filter(|documents| *documents > 0);
        self
    }

    /// Returns only some fields: `{path: 1, …}` those and `_id`, `{path: 0, …}` all but those.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_one(&doc! { "_id": 1, "user_id": 7, "kind": "order" })?;
    /// assert_eq!(events.find(doc! {}).projection(doc! { "kind": 1 }).to_vec()?, [doc! { "_id": 1, "kind": "order" }]);
    /// assert_eq!(events.find(doc! {}).projection(doc! { "kind": 0 }).to_vec()?, [doc! { "_id": 1, "user_id": 7 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn projection(mut self, projection: Document) -> Self {
        self.query.projection = Some(projection);
        self
    }

    /// Gives variables to the expressions of the query, which use them as `$$name`. A value is a constant expression.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "_id": n }))?;
    /// let query = events.find(doc! { "$expr": { "$gt": ["$_id", "$$least"] } }).let_vars(doc! { "least": 2 });
    /// assert_eq!(query.to_vec()?, [doc! { "_id": 3 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "let")]
    pub fn let_vars(mut self, variables: Document) -> Self {
        self.query.variables = variables;
        self
    }

    /// How text is compared and ordered: in the filter, the sort, expressions, and what is distinct. Without it the collation
    /// of the collection applies.
    ///
    /// # Examples
    /// See [`Collation`].
    pub fn collation(mut self, collation: Collation) -> Self {
        self.query.collation = Some(collation);
        self
    }

    /// Which index the query uses, or in which direction it reads the collection, whatever the planner would choose.
    ///
    /// # Examples
    /// See [`Hint`].
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.query.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// Reads only the entries from `key` on of the index that the [hint](Find::hint) names: `key` has a value for each of its fields, in
    /// their order. What comes after what is the order of the index, in which a descending field begins with its greatest value.
    ///
    /// Unlike a condition, a bound is about whole keys and about values of every type. The filter applies all the same. Without a
    /// sort documents come in the order of the index. An empty document is no bound.
    ///
    /// # Errors
    /// When the query is run: code 291 without a hint of an index, unless the filter asks for one `_id`, whose index it is then; 51174
    /// for an index with other fields, for one that is hashed or has a wildcard, and for text in a bound that the query and the index
    /// order by different collations; 51175 when [`max`](Find::max) does not come after it, 51176 when that has other fields.
    ///
    /// # Cost
    /// The entries between the bounds are read, and their documents. Where values of a bound are longer than
    /// [`INDEX_COMPONENT_BYTES_MAX`](crate::limits::INDEX_COMPONENT_BYTES_MAX) the keys of each of these are made anew.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::Code};
    /// # let stock = Store::in_memory().collection::<Document>("stock");
    /// stock.create_index(doc! { "item": 1, "price": -1 })?;
    /// stock.insert_many([
    ///     doc! { "_id": 1, "item": "apple", "price": 2 },
    ///     doc! { "_id": 2, "item": "apple", "price": 1 },
    ///     doc! { "_id": 3, "item": "pear", "price": 3 },
    /// ])?;
    /// let ids = |found: Vec<Document>| found.iter().map(|found| found.get_i32("_id").unwrap()).collect::<Vec<_>>();
    /// let by_item = || stock.find(doc! {}).hint("item_1_price_-1");
    /// assert_eq!(ids(by_item().min(doc! { "item": "apple", "price": 1 }).to_vec()?), [2, 3]);
    /// assert_eq!(ids(by_item().max(doc! { "item": "apple", "price": 1 }).to_vec()?), [1]);
    /// let error = stock.find(doc! {}).min(doc! { "item": "apple", "price": 1 }).run().unwrap_err();
    /// assert_eq!(Code::of(&error), Some(Code::NO_QUERY_EXECUTION_PLANS));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `cursor.min()`.
    pub fn min(mut self, key: Document) -> Self {
        self.query.between.min = Some(key).filter(|key| !key.is_empty());
        self
    }

    /// Reads only the entries before `key` of the index that the [hint](Find::hint) names, as [`Find::min`] those from a key on.
    ///
    /// # Errors
    /// As [`Find::min`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..9).map(|n| doc! { "_id": n }))?;
    /// let some = events.find(doc! {}).hint("_id_").min(doc! { "_id": 3 }).max(doc! { "_id": 5 });
    /// assert_eq!(some.to_vec()?, [doc! { "_id": 3 }, doc! { "_id": 4 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `cursor.max()`.
    pub fn max(mut self, key: Document) -> Self {
        self.query.between.max = Some(key).filter(|key| !key.is_empty());
        self
    }

    /// Whether the query gives, instead of each document, the key in the index by which it was found, with a value for each path of
    /// the index; an empty document when no index was used. A projection and [`show_record_id`](Find::show_record_id) have no effect
    /// then.
    ///
    /// A missing field is null there, an array without elements undefined, and a hashed field the hash. Of several keys that a document
    /// has because of an array it is the first that the query comes to.
    ///
    /// # Cost
    /// The documents are read all the same.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.create_index(doc! { "user.id": 1, "at": 1 })?;
    /// events.insert_one(&doc! { "user": { "id": 7 }, "at": 5, "kind": "login" })?;
    /// let keys = |filter| events.find(filter).return_key(true).to_vec();
    /// assert_eq!(keys(doc! { "user.id": 7 })?, [doc! { "user.id": 7, "at": 5 }]);
    /// assert_eq!(keys(doc! { "kind": "login" })?, [doc! {}]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `cursor.returnKey()`.
    #[doc(alias = "returnKey")]
    pub fn return_key(mut self, returns: bool) -> Self {
        self.query.returns_key = returns;
        self
    }

    /// Whether each document gets the number of its record, in order of insertion, as its field `$recordId`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_one(&doc! { "_id": "a" })?;
    /// assert_eq!(events.find(doc! {}).show_record_id(true).to_vec()?, [doc! { "_id": "a", "$recordId": 1_i64 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `showRecordId`.
    #[doc(alias = "showRecordId")]
    pub fn show_record_id(mut self, shows: bool) -> Self {
        self.query.shows_record_id = shows;
        self
    }

    /// Ends the query with an error when it takes longer, its cursor included. The time is that of the machine, whatever clock
    /// the store has; it is looked at every [`ROWS_BETWEEN_CLOCK_READINGS`](crate::limits::ROWS_BETWEEN_CLOCK_READINGS)
    /// documents.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::Code};
    /// # use std::time::Duration;
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_one(&doc! { "_id": 1 })?;
    /// let query = |time| events.find(doc! {}).max_time(time).to_vec();
    /// assert_eq!(query(Duration::from_secs(60))?.len(), 1);
    /// assert_eq!(Code::of(&query(Duration::ZERO).unwrap_err()), Some(Code::MAX_TIME_EXPIRED));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `maxTimeMS`. There the time between two batches of a cursor does not count.
    #[doc(alias = "maxTimeMS")]
    pub fn max_time(mut self, time: Duration) -> Self {
        self.query.until.time = Some(time);
        self
    }

    /// Has the query end with an error once `token` is cancelled, its cursor included.
    ///
    /// # Examples
    /// See [`CancelToken`].
    ///
    /// # Source
    /// MongoDB manual, `killOp`.
    #[doc(alias = "killOp")]
    pub fn cancel_token(mut self, token: &CancelToken) -> Self {
        self.query.until.token = Some(token.clone());
        self
    }

    /// How many documents the query gives, within its skip and limit.
    ///
    /// # Errors
    /// As [`Find::run`].
    ///
    /// # Cost
    /// As [`Collection::count_documents`](crate::Collection::count_documents).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "n": n }))?;
    /// assert_eq!(events.find(doc! { "n": { "$gt": 0 } }).skip(1).count()?, 2);
    /// assert_eq!(events.find(doc! {}).limit(3).count()?, 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `count`.
    pub fn count(self) -> Result<u64> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("count_documents"), |view| source::count(&self.query, view, namespace))
    }

    /// The distinct values of the field at `path` among the documents that the query gives, in their order. Of an array each
    /// element counts.
    ///
    /// # Errors
    /// As [`Find::run`], and [`Error::LimitExceeded`](crate::Error::LimitExceeded) for more than 16 MiB of values.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::{Bson, doc}};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "tags": ["b", "a"] }, doc! { "tags": "b" }, doc! {}])?;
    /// assert_eq!(events.find(doc! {}).hint("_id_").distinct("tags")?, [Bson::from("a"), Bson::from("b")]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `distinct`.
    pub fn distinct(self, path: &str) -> Result<Vec<Bson>> {
        let path = FieldPath::parse(path, For::Filter)?;
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("distinct"), |view| {
            let collator = find::collator(self.query.collation.as_ref(), view, namespace)?;
            let order = Order::of(collator.as_deref());
            distinct::values(source::open(&self.query, view, namespace)?, &path, order)
        })
    }
}

impl<T: DeserializeOwned + 'static, S: Scope> Find<T, S> {
    /// Runs the query and returns a cursor over what it finds.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) names an operator that is not modelled,
    /// [`Error::Invalid`](crate::Error::Invalid) says what is wrong with filter, sort or projection,
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when a sort in memory is too large.
    ///
    /// # Isolation and cost
    /// The cursor reads the snapshot of this moment for its whole life, inside a transaction with the writes so far. It
    /// streams, unless it sorts in memory.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "n": 1 }, doc! { "n": 2 }])?;
    /// let cursor = events.find(doc! {}).run()?;
    /// events.delete_many(doc! {})?;
    /// assert_eq!(cursor.count(), 2, "as it was when the cursor was opened");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `find`.
    pub fn run(self) -> Result<Cursor<T>> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("find"), |view| {
            Ok(Cursor::decoding(source::open(&self.query, view, namespace)?, namespace.label()))
        })
    }

    /// Runs the query and returns all it finds.
    ///
    /// # Errors
    /// As [`Find::run`], and [`Error::Invalid`](crate::Error::Invalid) for a document that is no `T`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "_id": 1, "user_id": 7 }, doc! { "_id": 2, "user_id": 8 }])?;
    /// assert_eq!(events.find(doc! { "user_id": 8 }).to_vec()?, [doc! { "_id": 2, "user_id": 8 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_vec(self) -> Result<Vec<T>> {
        self.run()?.collect()
    }
}
