//! Reading a collection.

#![expect(clippy::needless_pass_by_value, reason = "filters and options are written in place, with `doc!`")]

use std::sync::Arc;

use bson::{Bson, Document, RawDocument, doc};
use serde::de::DeserializeOwned;

use crate::document::aggregate::{Pipeline, Place};
use crate::document::collation::{Collation, Collator};
use crate::document::collection::options::AggregateOptions;
use crate::document::collection::{Collection, Find, merge, source};
use crate::document::express::Equality;
use crate::document::expression::Variables;
use crate::document::find::{self, Cursor, Query};
use crate::document::raw::corrupt;
use crate::document::rows::gathered;
use crate::document::stored;
use crate::error::Result;
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
        self.scope.read(self.operation("count_documents"), |view| source::count(&query, view, &self.namespace))
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

    /// As [`Collection::aggregate`], with `options`, and with documents as the type `U`. As `RawDocumentBuf` they are not decoded.
    ///
    /// # Errors
    /// As [`Collection::aggregate`], and for a hint of an index that does not exist.
    ///
    /// # Examples
    /// See [`AggregateOptions`].
    pub fn aggregate_with<U: DeserializeOwned + 'static>(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<Cursor<U>> {
        let stages: Vec<_> = pipeline.into_iter().collect();
        self.scope.read(self.operation("aggregate"), |view| {
            let collator = find::collator(options.collation.as_ref(), view, &self.namespace)?;
            let context = |values| find::context(view, values).collated(collator.as_ref());
            let variables = Variables::evaluate(&options.variables, &context(Vec::new()))?;
            let mut pipeline = Pipeline::compile(stages, Place::Collection, &variables.names)?;
            if let Some(output) = pipeline.split_out() {
                return Err(output.refuse("aggregate, which only reads: use aggregate_out"));
            }
            let context = Arc::new(context(variables.values).until(&options.until));
            let rows = pipeline.run_over(
                view,
                &self.namespace,
                &context,
                &variables.names,
                options.hint,
                options.served.as_ref(),
            )?;
            Ok(Cursor::decoding(rows, self.namespace.label()))
        })
    }
}

impl<T, S: WriteScope> Collection<T, S> {
    /// Runs a pipeline that ends with `$out` or `$merge`, and returns how many documents it gives. Those of `$out` take the
    /// place of what the collection named there had, whose indexes stay; those of `$merge` go into it one by one.
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

    /// As [`Collection::aggregate_out`], with `options`.
    ///
    /// # Errors
    /// As [`Collection::aggregate_out`], and for a hint of an index that does not exist.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::AggregateOptions};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 5 }])?;
    /// let few = doc! { "$match": { "$expr": { "$lt": ["$n", "$$most"] } } };
    /// let options = AggregateOptions::default().let_vars(doc! { "most": 3 });
    /// assert_eq!(events.aggregate_out_with([few, doc! { "$out": "few" }], options)?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn aggregate_out_with(
        &self,
        pipeline: impl IntoIterator<Item = Document>,
        options: AggregateOptions,
    ) -> Result<u64> {
        let stages: Vec<_> = pipeline.into_iter().collect();
        let compile = |collator: Option<&Arc<Collator>>| -> Result<_> {
            let variables = options.constant_variables(collator)?;
            let mut pipeline = Pipeline::compile(stages.clone(), Place::Collection, &variables.names)?;
            let output = pipeline.split_out();
            Ok((pipeline, output, variables))
        };
        let own = options.collation.as_ref().map(Collation::compile).transpose()?.flatten();
        let (_, output, _) = compile(own.as_ref())?;
        let output = output.ok_or_else(merge::without_output)?;
        self.scope.write(self.operation("aggregate_out").freeing(true), |writer| {
            let search = writer.search();
            let collator = find::collator(options.collation.as_ref(), &search, &self.namespace)?;
            let (pipeline, _, Variables { names, values }) = compile(collator.as_ref())?;
            let context = find::context(writer, values).collated(collator.as_ref()).until(&options.until);
            let context = Arc::new(context);
            let rows = pipeline.run_over(
                &search,
                &self.namespace,
                &context,
                &names,
                options.hint.clone(),
                options.served.as_ref(),
            )?;
            let documents = gathered(rows)?;
            merge::write(writer, &self.namespace, &output, &documents, &context)?;
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
        self.find(filter).distinct(path)
    }
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
        self.scope.read(self.operation("find_one"), |view| {
            let express = Equality::of(&filter).map(|equality| self.express(view, equality));
            match express.transpose()?.flatten() {
                Some(found) => Ok(found),
                None => self.first(view, filter),
            }
        })
    }

    /// The document whose `_id` is `id`, or `None`.
    ///
    /// As [`Collection::find_one`] with that as its filter, which it does without. `id` is a value and never a condition, whatever
    /// its fields are called.
    ///
    /// # Errors
    /// As [`Collection::find_one`].
    ///
    /// # Cost
    /// Two look-ups.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "_id": 1, "name": "Ann" }, doc! { "_id": "b", "name": "Bob" }])?;
    /// assert_eq!(people.find_by_id("b")?, Some(doc! { "_id": "b", "name": "Bob" }));
    /// assert!(people.find_by_id(1.0)?.is_some(), "1.0 equals 1");
    /// assert_eq!(people.find_by_id(2)?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("findById", "get", "get_by_id"))]
    pub fn find_by_id(&self, id: impl Into<Bson>) -> Result<Option<T>> {
        let id = id.into();
        self.scope.read(self.operation("find_by_id"), |view| {
            let express = Equality::with("_id", &id).map(|equality| self.express(view, equality));
            match express.transpose()?.flatten() {
                Some(found) => Ok(found),
                None => self.first(view, doc! { "_id": { "$eq": id } }),
            }
        })
    }

    /// The document that `equality` is about, found the express way; `None` when that does not lead to it.
    #[inline]
    #[expect(clippy::option_option, reason = "no way, or nothing at its end")]
    fn express(&self, view: &View, equality: Equality<'_>) -> Result<Option<Option<T>>> {
        let Some(entry) = self.namespace.get(view)? else { return Ok(Some(None)) };
        if entry.record.is_view() {
            return Ok(None);
        }
        let Some(found) = equality.find(view, &entry)? else { return Ok(None) };
        let Some((_, bytes)) = found else { return Ok(Some(None)) };
        view.meter().returned(1);
        let document = RawDocument::from_bytes(&*bytes).map_err(corrupt)?;
        stored::decode(document, || self.namespace.label()).map(|document| Some(Some(document)))
    }

    /// The first document that a query for `filter` finds.
    fn first(&self, view: &View, filter: Document) -> Result<Option<T>> {
        let query = Query { filter, limit: Some(1), ..Query::default() };
        let mut found = source::open(&query, view, &self.namespace)?;
        if !found.advance()? {
            return Ok(None);
        }
        stored::decode(found.row()?, || self.namespace.label()).map(Some)
    }
}
