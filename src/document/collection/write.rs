//! Changing a collection.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use std::borrow::Borrow;
use std::sync::Arc;

use bson::{Document, RawDocument, RawDocumentBuf};
use serde::Serialize;

use crate::document::bulk::InsertEach;
use crate::document::collection::bulk_write::{self, BulkWrite, Writes};
use crate::document::collection::many;
use crate::document::collection::modify::{Modification, One, Outcome};
use crate::document::collection::options::{DeleteOptions, UpdateOptions};
use crate::document::collection::write_model::WriteModel;
use crate::document::collection::{BulkWriteResult, Collection, InsertManyResult, InsertOneResult, UpdateResult};
use crate::document::insert::Insertions;
use crate::document::raw::corrupt;
use crate::document::stored;
use crate::document::update::UpdateModifications;
use crate::error::Result;
#[cfg(doc)]
use crate::error::{Error, InvalidKind};
use crate::txn::WriteScope;

impl<T: Serialize, S: WriteScope> Collection<T, S> {
    /// Inserts `document`.
    ///
    /// `_id` is stored first. A document without one gets an `ObjectId` of the store's time in seconds and a number of eight bytes
    /// that no other store and no fork gives out. [`Builder::seed`](crate::Builder::seed) has the same run make the same ids.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] when a unique index holds its key; [`Error::LimitExceeded`] for a document over 16 MiB or
    /// 180 levels; [`Error::Invalid`] for an `_id` that is an array, a regular expression or undefined, for parallel arrays
    /// in a compound index, and for a `T` that does not serialize to a document.
    ///
    /// # Cost
    /// O(log n) for each index entry.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// assert_eq!(people.insert_one(&doc! { "name": "Ann", "_id": 1 })?.inserted_id, 1.into());
    /// assert!(people.insert_one(&doc! { "_id": 1.0 }).unwrap_err().is_duplicate_key(), "1.0 equals 1");
    /// assert!(people.insert_one(&doc! { "name": "Bob" })?.inserted_id.as_object_id().is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `insertOne`.
    #[doc(alias("insertOne", "InsertOneResult"))]
    pub fn insert_one(&self, document: &T) -> Result<InsertOneResult> {
        let document = serialize(document)?;
        self.scope.write(self.operation("insert_one"), |writer| {
            Ok(InsertOneResult { inserted_id: Insertions::begin(writer, &self.namespace)?.insert(&document)? })
        })
    }

    /// Inserts `documents`, in their order.
    ///
    /// On the store this is one commit, or several between which others write, when there are many. In a transaction it is
    /// one operation: all of them, or none.
    ///
    /// # Errors
    /// As [`Collection::insert_one`], for the first document that is refused. On the store those before it are inserted: then the
    /// error is in an [`Error::Partial`], which says how many there are. What does not serialize is refused before anything is inserted.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// assert_eq!(people.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?.inserted_ids.len(), 2);
    /// let error = people.insert_many([doc! { "_id": 3 }, doc! { "_id": 1 }, doc! { "_id": 4 }]).unwrap_err();
    /// assert!(error.is_duplicate_key());
    /// assert_eq!(people.count_documents(doc! {})?, 3, "the one before it is there");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `insertMany`, ordered.
    #[doc(alias("insertMany", "InsertManyResult", "bulkWrite"))]
    pub fn insert_many(&self, documents: impl IntoIterator<Item = impl Borrow<T>>) -> Result<InsertManyResult> {
        let mut all = Serialized::default();
        documents.into_iter().try_for_each(|document| all.push(document.borrow()))?;
        let at = |place| all.get(place);
        let mut each = InsertEach::new(&self.namespace, &at);
        self.scope.write_steps(self.operation("insert_many"), &mut each)?;
        Ok(InsertManyResult { inserted_ids: each.into_ids() })
    }

    /// Replaces one document that matches `filter` by `replacement`, which takes over its `_id`.
    ///
    /// # Errors
    /// As [`Collection::update_one`]; [`InvalidKind::ImmutableField`] for a `replacement` with another `_id`, and
    /// [`InvalidKind::Value`] for one with a field such as `$set` at its top, which is an update.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "name": "Ann" })?;
    /// assert_eq!(people.replace_one(doc! { "_id": 1 }, &doc! { "name": "Bob" })?.modified, 1);
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1, "name": "Bob" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `replaceOne`.
    #[doc(alias = "replaceOne")]
    pub fn replace_one(&self, filter: Document, replacement: &T) -> Result<UpdateResult> {
        self.replace_one_with(filter, replacement, UpdateOptions::default())
    }

    /// As [`Collection::replace_one`], with `options`: with an upsert, `replacement` is inserted when nothing matches.
    ///
    /// # Errors
    /// As [`Collection::replace_one`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let options = UpdateOptions::default().upsert(true);
    /// let done = people.replace_one_with(doc! { "_id": 1 }, &doc! { "name": "Bob" }, options)?;
    /// assert_eq!(done.upserted_id, Some(1.into()));
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1, "name": "Bob" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn replace_one_with(&self, filter: Document, replacement: &T, options: UpdateOptions) -> Result<UpdateResult> {
        let modification = Modification::replacement(serialize(replacement)?)?;
        self.modify("replace_one", One { filter, modification, options, sort: None }).map(Outcome::result)
    }
}

impl<T, S: WriteScope> Collection<T, S> {
    /// Applies `update` to one document that matches `filter`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names an operator that is not modelled; [`Error::Invalid`] says what is wrong with filter or
    /// update, or what in the document the update cannot do; [`Error::DuplicateKey`] and [`Error::LimitExceeded`] as
    /// [`Collection::insert_one`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "visits": 1 })?;
    /// let result = people.update_one(doc! { "_id": 1 }, doc! { "$inc": { "visits": 1 } })?;
    /// assert_eq!((result.matched, result.modified), (1, 1));
    /// let same = people.update_one(doc! { "_id": 1 }, doc! { "$set": { "visits": 2 } })?;
    /// assert_eq!((same.matched, same.modified), (1, 0), "it is 2 already");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `updateOne`.
    #[doc(alias = "updateOne")]
    pub fn update_one(&self, filter: Document, update: impl Into<UpdateModifications>) -> Result<UpdateResult> {
        self.update_one_with(filter, update, UpdateOptions::default())
    }

    /// As [`Collection::update_one`], with `options`.
    ///
    /// With an upsert, a document is inserted when nothing matches: what the filter demands to be equal, with the
    /// update applied to it.
    ///
    /// # Errors
    /// As [`Collection::update_one`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let pages = Store::in_memory().collection::<Document>("pages");
    /// let visit = || {
    ///     let update = doc! { "$inc": { "visits": 1 }, "$setOnInsert": { "since": 2026 } };
    ///     pages.update_one_with(doc! { "_id": "/" }, update, UpdateOptions::default().upsert(true))
    /// };
    /// assert_eq!(visit()?.upserted_id, Some("/".into()));
    /// assert_eq!(visit()?.modified, 1);
    /// assert_eq!(pages.find_one(doc! {})?, Some(doc! { "_id": "/", "visits": 2, "since": 2026 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `updateOne`.
    pub fn update_one_with(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
        options: UpdateOptions,
    ) -> Result<UpdateResult> {
        let modification = Modification::Update(update.into());
        self.modify("update_one", One { filter, modification, options, sort: None }).map(Outcome::result)
    }

    /// Applies `update` to every document that matches `filter`.
    ///
    /// On the store this is one commit, or several between which others write, when there are many. The documents are those that
    /// match at the beginning and, each of them, still match when they come to be changed; none is changed twice. In a
    /// transaction it is one operation: all of them, or none.
    ///
    /// # Errors
    /// As [`Collection::update_one`]. On the store the documents that were changed before stay so: then the error is in an
    /// [`Error::Partial`], which says how many there are.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "n": 1 }, doc! { "n": 2 }, doc! { "n": 3 }])?;
    /// assert_eq!(people.update_many(doc! { "n": { "$lt": 3 } }, doc! { "$inc": { "n": 10 } })?.modified, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `updateMany`.
    #[doc(alias = "updateMany")]
    pub fn update_many(&self, filter: Document, update: impl Into<UpdateModifications>) -> Result<UpdateResult> {
        self.update_many_with(filter, update, UpdateOptions::default())
    }

    /// As [`Collection::update_many`], with `options`. With an upsert, a document is inserted when nothing matches.
    ///
    /// # Errors
    /// As [`Collection::update_many`]; [`Error::Invalid`] for a sort.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let boards = Store::in_memory().collection::<Document>("boards");
    /// boards.insert_one(&doc! { "_id": 1, "scores": [3, 12, 40] })?;
    /// let options = UpdateOptions::default().array_filters([doc! { "high": { "$gt": 10 } }]);
    /// boards.update_many_with(doc! {}, doc! { "$set": { "scores.$[high]": 10 } }, options)?;
    /// assert_eq!(boards.find_one(doc! {})?, Some(doc! { "_id": 1, "scores": [3, 10, 10] }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn update_many_with(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
        options: UpdateOptions,
    ) -> Result<UpdateResult> {
        let update = update.into();
        let tally = many::update(&self.namespace, &filter, &update, &options, |each| {
            self.scope.write_steps(self.operation("update_many"), each)
        })?;
        if tally.matched == 0 && options.upsert {
            // Somebody may have inserted one meanwhile: then that one is updated.
            let modification = Modification::Update(update);
            let outcome = self.modify("update_many", One { filter, modification, options, sort: None })?;
            return Ok(outcome.result());
        }
        Ok(UpdateResult { matched: tally.matched, modified: tally.changed, upserted_id: None })
    }

    /// Removes one document that matches `filter`, and returns how many that were: 0 or 1.
    ///
    /// # Errors
    /// As [`Find::run`](crate::document::Find::run).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "n": 1 }, doc! { "n": 1 }])?;
    /// assert_eq!(people.delete_one(doc! { "n": 1 })?, 1);
    /// assert_eq!(people.count_documents(doc! {})?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `deleteOne`.
    #[doc(alias("deleteOne", "DeleteResult", "deleted_count"))]
    pub fn delete_one(&self, filter: Document) -> Result<u64> {
        self.delete_one_with(filter, DeleteOptions::default())
    }

    /// As [`Collection::delete_one`], with `options`.
    ///
    /// # Errors
    /// As [`Collection::delete_one`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::DeleteOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
    /// let last = DeleteOptions::default().hint(doc! { "$natural": -1 });
    /// assert_eq!(people.delete_one_with(doc! {}, last)?, 1);
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_one_with(&self, filter: Document, options: DeleteOptions) -> Result<u64> {
        let one = One { filter, modification: Modification::Delete, options: options.of_one(), sort: None };
        self.modify("delete_one", one).map(|outcome| outcome.matched())
    }

    /// Removes every document that matches `filter`, and returns how many there were. On the store this is one commit, or several, as
    /// [`Collection::update_many`].
    ///
    /// # Errors
    /// As [`Find::run`](crate::document::Find::run). On the store what was removed before stays so: then the error is in an
    /// [`Error::Partial`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "n": 1 }, doc! { "n": 2 }])?;
    /// assert_eq!(people.delete_many(doc! {})?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `deleteMany`.
    #[doc(alias("deleteMany", "DeleteResult", "deleted_count"))]
    pub fn delete_many(&self, filter: Document) -> Result<u64> {
        self.delete_many_with(filter, DeleteOptions::default())
    }

    /// As [`Collection::delete_many`], with `options`.
    ///
    /// # Errors
    /// As [`Collection::delete_many`].
    ///
    /// # Examples
    /// See [`DeleteOptions`].
    pub fn delete_many_with(&self, filter: Document, options: DeleteOptions) -> Result<u64> {
        let operation = self.operation("delete_many").freeing(true);
        Ok(many::remove(&self.namespace, &filter, &options, |each| self.scope.write_steps(operation, each))?.changed)
    }

    /// Writes of any kinds, to be done one after the other; each has an outcome of its own.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{UpdateOptions, WriteModel}};
    /// let stock = Store::in_memory().collection::<Document>("stock");
    /// let done = stock.bulk_write([
    ///     WriteModel::insert_one(&doc! { "_id": 1 })?,
    ///     WriteModel::insert_one(&doc! { "_id": 1 })?,
    ///     WriteModel::update_one(doc! { "_id": 1 }, doc! { "$set": { "n": 1 } }, UpdateOptions::default()),
    /// ]);
    /// let done = done.ordered(false).run()?;
    /// assert_eq!((done.inserted(), done.modified(), done.errors().count()), (1, 1, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `bulkWrite`.
    #[doc(alias("bulkWrite", "insert_many_unordered"))]
    pub fn bulk_write(&self, writes: impl IntoIterator<Item = WriteModel>) -> BulkWrite<S> {
        BulkWrite::new(self.scope.clone(), Arc::clone(&self.namespace), writes.into_iter().collect())
    }

    /// Inserts `documents`, which are encoded already, one after the other; each has an outcome of its own. Unless they are
    /// `ordered`, those behind one that is refused are tried too.
    ///
    /// As [`Collection::bulk_write`] of as many [`WriteModel::insert_raw`], whose copies it does without.
    ///
    /// # Errors
    /// As [`BulkWrite::run`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::rawdoc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let (a, b) = (rawdoc! { "_id": 1 }, rawdoc! { "_id": 2 });
    /// let done = events.insert_many_raw(&[&a, &a, &b], false)?;
    /// assert_eq!((done.inserted(), done.errors().count()), (2, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `insertMany`.
    pub fn insert_many_raw(&self, documents: &[&RawDocument], ordered: bool) -> Result<BulkWriteResult> {
        bulk_write::run(&self.scope, &self.namespace, Writes::Documents(documents), ordered)
    }

    /// Modifies one document in an operation of its own.
    pub(super) fn modify(&self, verb: &'static str, one: One) -> Result<Outcome> {
        let frees = matches!(one.modification, Modification::Delete);
        let prepared = one.prepare()?;
        let operation = self.operation(verb);
        let operation = if frees { operation.freeing(true) } else { operation };
        self.scope.write(operation, |writer| prepared.run(writer, &self.namespace))
    }
}

/// Serializes and checks what is to be inserted, before the operation begins.
pub(super) fn serialize<T: Serialize>(document: &T) -> Result<RawDocumentBuf> {
    let document = stored::serialize(document)?;
    stored::check(&document)?;
    Ok(document)
}

/// Documents one behind the other: a thousand allocations that live side by side cost more than all their bytes.
#[derive(Default)]
struct Serialized {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Serialized {
    /// Serializes and checks a document.
    fn push<T: Serialize>(&mut self, document: &T) -> Result<()> {
        stored::check(stored::serialize_to(&mut self.bytes, document)?)?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// The document that was added after `place` others.
    fn get(&self, place: usize) -> Result<Option<&RawDocument>> {
        let Some(end) = self.ends.get(place) else { return Ok(None) };
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        let bytes = self.bytes.get(*start..*end).unwrap_or_default();
        RawDocument::from_bytes(bytes).map(Some).map_err(corrupt)
    }
}
