//! Reading a collection.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use bson::{Bson, Document, RawBsonRef, RawDocument};
use serde::de::DeserializeOwned;

use crate::document::aggregate::{Exec, Output, Pipeline, Place};
use crate::document::code::Code;
use crate::document::collection::options::AggregateOptions;
use crate::document::collection::{Collection, merge, modify};
use crate::document::expression::{Context, Names};
use crate::document::find::{Cursor, Find, Query};
use crate::document::index_key::canonical;
use crate::document::path::{FieldPath, For, Reached, elements};
use crate::document::raw::corrupt;
use crate::document::rows::{Input, Rows, gathered};
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{Scope, View, WriteScope};

impl<T, S: Scope> Collection<T, S> {
    /// A query for the documents that match `filter`, to be sorted, cut, projected and then run.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "_id": 1, "n": 5 }, doc! { "_id": 2, "n": 15 }])?;
    /// assert_eq!(events.find(doc! { "n": { "$gt": 10 } }).to_vec()?, [doc! { "_id": 2, "n": 15 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `find` and Query and Projection Operators: `$eq $ne $gt $gte $lt $lte $in $nin $and $or $nor $not
    /// $exists`. Other operators are refused by name.
    #[doc(alias("findMany", "find_many"))]
    pub fn find(&self, filter: Document) -> Find<T, S> {
        Find::new(self.scope.clone(), Arc::clone(&self.namespace), filter)
    }

    /// How many documents match `filter`.
    ///
    /// # Errors
    /// As [`Find::run`].
    ///
    /// # Cost
    /// O(log n) without conditions; otherwise as the query.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "n": 1 }, doc! { "n": null }, doc! {}])?;
    /// assert_eq!(events.count_documents(doc! {})?, 3);
    /// assert_eq!(events.count_documents(doc! { "n": null })?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `countDocuments`.
    #[doc(alias("count", "countDocuments"))]
    pub fn count_documents(&self, filter: Document) -> Result<u64> {
        let query = Query { filter, ..Query::default() };
        self.scope.read(self.operation("count_documents"), |view| {
            let (prepared, context) = query.prepare(view)?;
            prepared.count(view, &self.namespace, context)
        })
    }

    /// Runs an aggregation pipeline over the collection.
    ///
    /// A `$match` at its head, and a `$sort` and `$limit` after it, use indexes as a query does.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) names a stage or operator that is not modelled,
    /// [`Error::Invalid`](crate::Error::Invalid) says what is wrong with one;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when a sort or group is too large.
    ///
    /// # Isolation and cost
    /// As [`Find::run`]; stages stream, except those that need all of their input.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "user": 7, "n": 1 }, doc! { "user": 7, "n": 2 }, doc! { "user": 8, "n": 4 }])?;
    /// let totals = events.aggregate([
    ///     doc! { "$group": { "_id": "$user", "total": { "$sum": "$n" } } },
    ///     doc! { "$sort": { "_id": 1 } },
    /// ])?;
    /// let totals = totals.collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(totals, [doc! { "_id": 7, "total": 3 }, doc! { "_id": 8, "total": 4 }]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Aggregation Stages.
    #[doc(alias = "pipeline")]
    pub fn aggregate(&self, pipeline: impl IntoIterator<Item = Document>) -> Result<Cursor<Document>> {
        self.aggregate_with(pipeline, AggregateOptions::default())
    }

    /// As [`Collection::aggregate`], with variables and a limit of time.
    ///
    /// # Errors
    /// As [`Collection::aggregate`], and [`Code::MAX_TIME_EXPIRED`] when it takes too long.
    ///
    /// # Examples
    /// See [`AggregateOptions`].
    pub fn aggregate_with(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<Cursor<Document>> {
        let stages = pipeline.into_iter().collect();
        let variables = options.variables()?;
        let mut pipeline = Pipeline::compile(stages, Place::Collection, &variables.names)?;
        if let Some(output) = pipeline.split_out() {
            return Err(output.refuse("aggregate, which only reads: use aggregate_out"));
        }
        self.scope.read(self.operation("aggregate"), |view| {
            let context = options.context(view, &variables);
            let rows = run(view, &self.namespace, pipeline.clone(), &variables.names, &context)?;
            Ok(Cursor::decoding(rows, self.namespace.label()))
        })
    }
}

impl<T, S: WriteScope> Collection<T, S> {
    /// Runs a pipeline that ends with `$out` or `$merge`, and returns how many documents it gives. Those of `$out` take the place
    /// of what the collection named there had, whose indexes stay; those of `$merge` go into it one by one.
    ///
    /// # Errors
    /// As [`Collection::aggregate`] and [`Collection::insert_one`]; then nothing has changed.
    ///
    /// # Isolation and cost
    /// One transaction. What the pipeline gives is held in memory, within [`SORT_BYTES_MAX`](crate::limits::SORT_BYTES_MAX).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let store = Store::in_memory();
    /// let events = store.collection::<Document>("events");
    /// events.insert_many([doc! { "user": 7 }, doc! { "user": 7 }, doc! { "user": 8 }])?;
    /// let group = doc! { "$group": { "_id": "$user", "n": { "$count": {} } } };
    /// assert_eq!(events.aggregate_out([group, doc! { "$out": "totals" }])?, 2);
    /// let totals = store.collection::<Document>("totals");
    /// assert_eq!(totals.find_one(doc! { "_id": 7 })?, Some(doc! { "_id": 7, "n": 2 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `$out` and `$merge`.
    #[doc(alias = "$out")]
    pub fn aggregate_out(&self, pipeline: impl IntoIterator<Item = Document>) -> Result<u64> {
        self.aggregate_out_with(pipeline, AggregateOptions::default())
    }

    /// As [`Collection::aggregate_out`], with variables and a limit of time.
    ///
    /// # Errors
    /// As [`Collection::aggregate_out`], and [`Code::MAX_TIME_EXPIRED`] when the pipeline takes too long.
    ///
    /// # Examples
    /// See [`AggregateOptions`].
    pub fn aggregate_out_with(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<u64> {
        let stages = pipeline.into_iter().collect();
        let variables = options.variables()?;
        let mut pipeline = Pipeline::compile(stages, Place::Collection, &variables.names)?;
        let Some(output) = pipeline.split_out() else {
            return Err(Code::BAD_VALUE.value("the pipeline does not end with $out or $merge"));
        };
        self.scope.write(self.operation("aggregate_out").freeing(true), |writer| {
            let context = options.context(writer, &variables);
            let rows = run(&writer.search(), &self.namespace, pipeline.clone(), &variables.names, &context)?;
            let documents = gathered(rows)?;
            let here = self.namespace.database();
            match &output {
                Output::Merge(merge) => merge::run(writer, here, merge, &documents, &context)?,
                Output::Out { database, collection } => {
                    let target = Namespace::new(database.as_deref().unwrap_or(here), collection);
                    modify::clear(writer, &target)?;
                    for document in &documents {
                        stored::check(document)?;
                        modify::insert(writer, &target, document)?;
                    }
                }
            }
            Ok(documents.len() as u64)
        })
    }
}

impl<T, S: Scope> Collection<T, S> {
    /// The distinct values of the field at `path` among the documents that match `filter`, in their order. Of an array each
    /// element counts.
    ///
    /// # Errors
    /// As [`Find::run`], and [`Error::LimitExceeded`](crate::Error::LimitExceeded) for more than 16 MiB of values.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::{Bson, doc}};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "tags": ["b", "a"] }, doc! { "tags": "b" }, doc! {}])?;
    /// assert_eq!(events.distinct("tags", doc! {})?, [Bson::from("a"), Bson::from("b")]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `distinct`.
    pub fn distinct(&self, path: &str, filter: Document) -> Result<Vec<Bson>> {
        let path = FieldPath::parse(path, For::Filter)?;
        let query = Query { filter, ..Query::default() };
        self.scope.read(self.operation("distinct"), |view| {
            let (prepared, context) = query.prepare(view)?;
            let mut rows = prepared.start(view, &self.namespace, context)?;
            let (mut values, mut bytes) = (BTreeMap::new(), 0);
            while rows.advance()? {
                for value in reached(rows.row()?, &path)? {
                    let key = canonical(value)?;
                    if let Entry::Vacant(place) = values.entry(key) {
                        bytes += place.key().len();
                        limits::check("document bytes", limits::DOCUMENT_BYTES_MAX, bytes)?;
                        place.insert(Bson::try_from(value).map_err(corrupt)?);
                    }
                }
            }
            Ok(values.into_values().collect())
        })
    }
}

/// The values that `path` reaches in `document`; of an array its elements.
fn reached<'a>(document: &'a RawDocument, path: &FieldPath) -> Result<Vec<RawBsonRef<'a>>> {
    let mut values = Vec::new();
    let mut failure = None;
    path.any(document, |reached| {
        match reached {
            Reached::Missing => {}
            Reached::Field(RawBsonRef::Array(array)) => match elements(array).collect::<Result<Vec<_>>>() {
                Ok(elements) => values.extend(elements),
                Err(error) => failure = Some(error),
            },
            Reached::Field(value) | Reached::Element(value) => values.push(value),
        }
        false
    })?;
    failure.map_or(Ok(values), Err)
}

/// Runs `pipeline` over a collection: its head by the planner, and the rest over what that finds.
pub(super) fn run(
    view: &View,
    namespace: &Namespace,
    pipeline: Pipeline,
    names: &Names,
    context: &Arc<Context>,
) -> Result<Input> {
    let (leading, rest) = pipeline.rewritten().split_leading();
    let query = Query {
        filter: leading.filter.unwrap_or_default(),
        sort: leading.sort,
        limit: leading.limit,
        ..Query::default()
    };
    let rows = query.compile(names)?.start(view, namespace, Arc::clone(context))?;
    rest.run(Box::new(rows), &Exec::new(view, namespace.database(), Arc::clone(context)))
}

impl<T: DeserializeOwned + 'static, S: Scope> Collection<T, S> {
    /// A document that matches `filter`, or `None`. Which one, when several do, is not fixed.
    ///
    /// # Errors
    /// As [`Find::run`], and [`Error::Invalid`](crate::Error::Invalid) for a document that is no `T`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "name": "Ann" })?;
    /// assert_eq!(people.find_one(doc! { "name": "Ann" })?, Some(doc! { "_id": 1, "name": "Ann" }));
    /// assert_eq!(people.find_one(doc! { "name": "Bob" })?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOne`.
    #[doc(alias = "findOne")]
    pub fn find_one(&self, filter: Document) -> Result<Option<T>> {
        let query = Query { filter, limit: Some(1), ..Query::default() };
        self.scope.read(self.operation("find_one"), |view| {
            let (prepared, context) = query.prepare(view)?;
            let mut found = prepared.start(view, &self.namespace, context)?;
            if !found.advance()? {
                return Ok(None);
            }
            stored::decode(found.row()?, || self.namespace.label()).map(Some)
        })
    }
}
