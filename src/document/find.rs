//! Queries: a filter, and how its matches are ordered, cut and shown.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bson::raw::cstr;
use bson::{Bson, DateTime, Document, RawDocument, RawDocumentBuf};
use serde::de::DeserializeOwned;

use crate::catalog::Entry;
use crate::document::code::Code;
use crate::document::distinct;
use crate::document::expression::{Context, Names, Variables};
use crate::document::filter::Filter;
use crate::document::hint::{self, Hint};
use crate::document::number::Number;
use crate::document::path::{FieldPath, For};
use crate::document::pattern::Pattern;
use crate::document::planner::{self, Access, Plan};
use crate::document::projection::Projection;
use crate::document::rows::{Input, Rows, lent};
use crate::document::scan::Scan;
use crate::document::schema::{Namespace, Schema};
use crate::document::stored;
use crate::engine::Direction;
use crate::error::Result;
use crate::txn::{AutoCommit, Meter, Scope, View};

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

/// What a query asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Document,
    pub(super) sort: Option<Document>,
    pub(super) skip: u64,
    pub(super) limit: Option<u64>,
    pub(super) projection: Option<Document>,
    pub(super) hint: Option<Hint>,
    pub(super) shows_record_id: bool,
    /// The values of variables (`let`).
    pub(super) variables: Document,
}

/// A query that is compiled.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) filter: Arc<Filter>,
    pub(super) sort: Option<Pattern>,
    pub(super) skip: u64,
    pub(super) limit: Option<u64>,
    pub(super) projection: Option<Projection>,
    pub(super) hint: Option<Hint>,
    pub(super) shows_record_id: bool,
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

    /// Which index the query uses, or in which direction it reads the collection, whatever the planner would choose.
    ///
    /// # Examples
    /// See [`Hint`].
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.query.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
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
        self.scope.read(namespace.operation("count_documents"), |view| {
            let (prepared, context) = self.query.prepare(view)?;
            prepared.count(view, namespace, context)
        })
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
            let (prepared, context) = self.query.prepare(view)?;
            distinct::values(prepared.start(view, namespace, context)?, &path)
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
            let (prepared, context) = self.query.prepare(view)?;
            let rows = prepared.start(view, namespace, context)?;
            Ok(Cursor::decoding(Box::new(rows), namespace.label()))
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

impl Query {
    /// Compiles the query, for an operation at the moment of `view`.
    pub(super) fn prepare(&self, view: &View) -> Result<(Prepared, Arc<Context>)> {
        let variables = Variables::evaluate(&self.variables, &context(view, Vec::new()))?;
        let prepared = self.compile(&variables.names)?;
        Ok((prepared, Arc::new(context(view, variables.values))))
    }

    /// Compiles the query, whose expressions may use the variables `names`.
    pub(super) fn compile(&self, names: &Names) -> Result<Prepared> {
        let natural = self.sort.as_ref().map(hint::natural).transpose()?.flatten();
        if natural.is_some() && self.hint.is_some() {
            return Err(Code::BAD_VALUE.syntax("a sort by $natural goes with no hint"));
        }
        let sort = self.sort.as_ref().filter(|_| natural.is_none());
        Ok(Prepared {
            filter: Arc::new(Filter::compile(&self.filter, names)?),
            sort: sort.map(|sort| Pattern::parse_sort(sort, Number::as_i64)).transpose()?,
            hint: if natural.is_some() { self.sort.clone().map(Hint::from) } else { self.hint.clone() },
            skip: self.skip,
            limit: self.limit,
            projection: self.projection.as_ref().map(|text| Projection::compile(text, names)).transpose()?,
            shows_record_id: self.shows_record_id,
        })
    }
}

/// What the expressions of an operation at the moment of `view` are evaluated in.
pub(super) fn context(view: &View, outer: Vec<Option<bson::raw::RawBson>>) -> Context {
    let now = DateTime::from_millis(view.now().as_millis());
    Context::new(now, view.unique_number(), outer)
}

impl Prepared {
    /// A query for all documents that `filter` lets through.
    pub(super) fn all(filter: Arc<Filter>) -> Self {
        Self { filter, sort: None, skip: 0, limit: None, projection: None, hint: None, shows_record_id: false }
    }

    /// Starts to find what it asks for.
    pub(super) fn start(&self, view: &View, namespace: &Namespace, context: Arc<Context>) -> Result<Found> {
        let scan = match namespace.get(view)? {
            Some(entry) => {
                let plan = self.choose(&entry)?;
                let wanted = self.limit.map(|limit| limit.saturating_add(self.skip));
                let sieve = (Arc::clone(&self.filter), Arc::clone(&context));
                Some(Scan::start(view, entry.storage, sieve, plan, self.sort.as_ref(), wanted)?)
            }
            None => None,
        };
        view.meter().returned(0);
        let (skip, limit, projection) = (self.skip, self.limit, self.projection.clone());
        let shows_record_id = self.shows_record_id;
        let meter = view.meter().clone();
        Ok(Found { scan, skip, limit, projection, shows_record_id, context, made: None, meter })
    }

    /// How many documents it asks for: those are not copied, and without conditions not even read.
    pub(super) fn count(&self, view: &View, namespace: &Namespace, context: Arc<Context>) -> Result<u64> {
        let Some(entry) = namespace.get(view)? else { return Ok(0) };
        // A hint can be wrong, or mean an index that has not all documents.
        if self.filter.is_empty() && self.hint.is_none() {
            let all = view.count(&crate::document::layout::records(entry.storage))?;
            return Ok(all.saturating_sub(self.skip).min(self.limit.unwrap_or(u64::MAX)));
        }
        let plan = planner::choose(entry.storage, &entry.record, &self.filter, None, self.hint.as_ref())?;
        let sieve = (Arc::clone(&self.filter), context);
        let mut scan = Scan::start(view, entry.storage, sieve, plan, None, None)?.without_documents();
        let (mut count, most) = (0, self.limit.map(|limit| limit.saturating_add(self.skip)));
        while most != Some(count) && scan.advance_id()?.is_some() {
            count += 1;
        }
        Ok(count.saturating_sub(self.skip))
    }

    /// How it would be done; a collection that does not exist is read to its end.
    pub(super) fn plan(&self, view: &View, namespace: &Namespace) -> Result<Plan> {
        match namespace.get(view)? {
            Some(entry) => self.choose(&entry),
            None => Ok(Plan { access: Access::Collection(Direction::Forward), sort_in_memory: self.sort.is_some() }),
        }
    }

    fn choose(&self, entry: &Entry<Schema>) -> Result<Plan> {
        planner::choose(entry.storage, &entry.record, &self.filter, self.sort.as_ref(), self.hint.as_ref())
    }
}

/// The documents of a query.
#[derive(Debug)]
pub(super) struct Found {
    /// `None` when the collection does not exist.
    scan: Option<Scan>,
    skip: u64,
    limit: Option<u64>,
    projection: Option<Projection>,
    shows_record_id: bool,
    context: Arc<Context>,
    /// What is shown instead of the document.
    made: Option<RawDocumentBuf>,
    meter: Meter,
}

impl Found {
    /// Index entries and documents read so far.
    pub(super) fn examined(&self) -> (u64, u64) {
        self.scan.as_ref().map_or((0, 0), |scan| (scan.keys_examined, scan.documents_examined()))
    }
}

impl Rows for Found {
    fn advance(&mut self) -> Result<bool> {
        let Some(scan) = &mut self.scan else { return Ok(false) };
        if self.limit == Some(0) {
            return Ok(false);
        }
        while self.skip > 0 {
            self.skip -= 1;
            if scan.advance_id()?.is_none() {
                return Ok(false);
            }
        }
        let Some(id) = scan.advance_id()? else { return Ok(false) };
        self.limit = self.limit.map(|limit| limit - 1);
        self.meter.returned(1);
        self.made = match &self.projection {
            Some(projection) => Some(projection.apply(scan.document()?, &self.context)?),
            None => self.shows_record_id.then(|| scan.document().map(ToOwned::to_owned)).transpose()?,
        };
        if let Some(made) = self.made.as_mut().filter(|_| self.shows_record_id) {
            made.append(cstr!("$recordId"), i64::try_from(id).unwrap_or(i64::MAX));
        }
        Ok(true)
    }

    fn row(&self) -> Result<&RawDocument> {
        match (&self.made, &self.scan) {
            (None, Some(scan)) => scan.document(),
            (made, _) => lent(made.as_deref()),
        }
    }
}

/// The documents a query or a pipeline returns, one after the other. It owns all it needs.
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
    /// `None` after the end.
    rows: Option<Input>,
    decode: Decode<T>,
    /// What the rows are of, for an error.
    source: String,
}

type Decode<T> = fn(&RawDocument, &str) -> Result<T>;

impl<T: DeserializeOwned + 'static> Cursor<T> {
    /// A cursor over `rows`, which are of `source`. It ends with the first error of theirs.
    pub(super) fn decoding(rows: Input, source: String) -> Self {
        Self { rows: Some(rows), decode: |row, source| stored::decode(row, || source.to_owned()), source }
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
        let rows = self.rows.as_mut()?;
        match rows.advance() {
            // A document that does not decode is no reason to keep the next one back.
            Ok(true) => Some(rows.row().and_then(|row| (self.decode)(row, &self.source))),
            Ok(false) => {
                self.rows = None;
                None
            }
            Err(error) => {
                self.rows = None;
                Some(Err(error))
            }
        }
    }
}
