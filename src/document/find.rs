//! Queries: a filter, and how its matches are ordered, cut and shown.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bson::{Document, RawDocumentBuf};
use serde::de::DeserializeOwned;

use crate::document::filter::Filter;
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::document::planner::{self, Access, Explain, Plan};
use crate::document::projection::Projection;
use crate::document::scan::{Match, Scan};
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::error::Result;
use crate::txn::{AutoCommit, Meter, Scope, View};

/// A query that has not run yet. Given by [`Collection::find`](crate::Collection::find). It owns what it needs: it can be built in steps, kept in a struct
/// and returned from a function.
///
/// Whatever the order of the calls, matches are filtered, sorted, skipped, limited and then projected
/// (SEM: DOC-CUR-1). Without a sort their order is not fixed.
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
    scope: S,
    namespace: Arc<Namespace>,
    query: Query,
    document: PhantomData<fn(T) -> T>,
}

/// What a query asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Document,
    pub(super) sort: Option<Document>,
    pub(super) skip: u64,
    pub(super) limit: Option<u64>,
    pub(super) projection: Option<Document>,
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

    /// Answers at most `documents` of them. 0 is no limit, as in the original.
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

    /// Answers only some fields: `{path: 1, …}` those and `_id`, `{path: 0, …}` all but those.
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

    /// Runs the query and answers how it was done, and what it took. The documents are found, but not answered.
    ///
    /// # Errors
    /// As [`Find::run`], except for what does not deserialize.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// # let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..4).map(|n| doc! { "n": n }))?;
    /// let explain = events.find(doc! { "n": 3 }).explain()?;
    /// assert_eq!((explain.documents_examined, explain.returned), (4, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `explain` with verbosity `executionStats`.
    pub fn explain(self) -> Result<Explain> {
        let namespace = &*self.namespace;
        self.scope.read(namespace.operation("explain"), |view| {
            let sort = self.query.sort.as_ref().map(|sort| Pattern::parse_sort(sort, Number::as_i64)).transpose()?;
            let plan = self.query.plan(view, namespace, sort.as_ref())?;
            let stage = plan.stage(sort.as_ref());
            let mut rows = self.query.start(view, namespace)?;
            let mut returned = 0;
            while rows.advance()?.is_some() {
                returned += 1;
            }
            let (keys_examined, documents_examined) = rows.examined();
            Ok(Explain { stage, keys_examined, documents_examined, returned })
        })
    }
}

impl<T: DeserializeOwned + 'static, S: Scope> Find<T, S> {
    /// Runs the query and answers a cursor over what it finds.
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
            let rows = self.query.start(view, namespace)?;
            let collection = namespace.label();
            Ok(Cursor::new(rows.map(move |row| stored::deserialize(&row?, || collection.clone()))))
        })
    }

    /// Runs the query and answers all it finds.
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

impl Query {
    /// Starts to find what it asks for.
    pub(super) fn start(&self, view: &View, namespace: &Namespace) -> Result<Rows> {
        let filter = Filter::compile(&self.filter)?;
        let sort = self.sort.as_ref().map(|sort| Pattern::parse_sort(sort, Number::as_i64)).transpose()?;
        let projection = self.projection.as_ref().map(Projection::compile).transpose()?;
        let scan = match namespace.get(view)? {
            Some(entry) => {
                let plan = planner::choose(entry.storage, &entry.record, &filter, sort.as_ref())?;
                let wanted = self.limit.map(|limit| limit.saturating_add(self.skip));
                Some(Scan::start(view, entry.storage, filter, plan, sort.as_ref(), wanted)?)
            }
            None => None,
        };
        view.meter().returned(0);
        Ok(Rows { scan, skip: self.skip, limit: self.limit, projection, meter: view.meter().clone() })
    }

    /// How it would be done; a collection that does not exist is read to its end.
    fn plan(&self, view: &View, namespace: &Namespace, sort: Option<&Pattern>) -> Result<Plan> {
        let filter = Filter::compile(&self.filter)?;
        match namespace.get(view)? {
            Some(entry) => planner::choose(entry.storage, &entry.record, &filter, sort),
            None => Ok(Plan { access: Access::Collection, sort_in_memory: sort.is_some() }),
        }
    }
}

/// The documents of a query, not yet deserialized.
#[derive(Debug)]
pub(super) struct Rows {
    /// `None` when the collection does not exist.
    scan: Option<Scan>,
    skip: u64,
    limit: Option<u64>,
    projection: Option<Projection>,
    meter: Meter,
}

impl Rows {
    fn advance(&mut self) -> Result<Option<RawDocumentBuf>> {
        let Some(scan) = &mut self.scan else { return Ok(None) };
        if self.limit == Some(0) {
            return Ok(None);
        }
        while self.skip > 0 {
            self.skip -= 1;
            if scan.advance()?.is_none() {
                return Ok(None);
            }
        }
        let Some(Match { document, .. }) = scan.advance()? else { return Ok(None) };
        self.limit = self.limit.map(|limit| limit - 1);
        self.meter.returned(1);
        match &self.projection {
            Some(projection) => projection.apply(&document).map(Some),
            None => Ok(Some(document)),
        }
    }

    /// Index entries and documents read so far.
    fn examined(&self) -> (u64, u64) {
        self.scan.as_ref().map_or((0, 0), |scan| (scan.keys_examined, scan.documents_examined()))
    }
}

impl Iterator for Rows {
    type Item = Result<RawDocumentBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            self.limit = Some(0);
        }
        next
    }
}

/// The documents a query or a pipeline answers, one after the other. It owns all it needs.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_one(&doc! { "_id": 1 })?;
/// for event in events.find(doc! {}).run()? {
///     assert_eq!(event?, doc! { "_id": 1 });
/// }
/// # Ok::<(), larder::Error>(())
/// ```
pub struct Cursor<T> {
    documents: Box<dyn Iterator<Item = Result<T>> + Send>,
}

impl<T> Cursor<T> {
    /// A cursor over `documents`, which ends with the first error.
    pub(super) fn new(documents: impl Iterator<Item = Result<T>> + Send + 'static) -> Self {
        Self { documents: Box::new(documents) }
    }
}

impl<T> fmt::Debug for Cursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").finish_non_exhaustive()
    }
}

impl<T> Iterator for Cursor<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.documents.next()
    }
}
