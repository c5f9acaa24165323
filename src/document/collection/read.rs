//! Reading a collection.

use std::sync::Arc;

use bson::Document;
use serde::de::DeserializeOwned;

use crate::document::aggregate::Pipeline;
use crate::document::collection::Collection;
use crate::document::filter::Filter;
use crate::document::find::{Cursor, Find, Query};
use crate::document::layout;
use crate::document::stored;
use crate::error::Result;
use crate::txn::Scope;

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
            if Filter::compile(&query.filter)?.is_empty() {
                return self.namespace.get(view)?.map_or(Ok(0), |entry| view.count(&layout::records(entry.storage)));
            }
            query.start(view, &self.namespace)?.try_fold(0, |count, row| row.map(|_| count + 1))
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
        let (leading, rest) = Pipeline::compile(pipeline.into_iter().collect())?.split_leading();
        let query = Query {
            filter: leading.filter.unwrap_or_default(),
            sort: leading.sort,
            limit: leading.limit,
            ..Query::default()
        };
        self.scope.read(self.operation("aggregate"), |view| {
            let rows = query.start(view, &self.namespace)?;
            Ok(Cursor::new(rest.run(Box::new(rows))?))
        })
    }
}

impl<T: DeserializeOwned, S: Scope> Collection<T, S> {
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
            let found = query.start(view, &self.namespace)?.next().transpose()?;
            found.map(|document| stored::deserialize(&document, || self.namespace.label())).transpose()
        })
    }
}
