//! Changing a collection.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use std::borrow::Borrow;
use std::sync::Arc;

use bson::{Document, RawDocument, RawDocumentBuf};
use serde::Serialize;

use crate::document::bulk::{
    Action, BulkWrite, EachMatch, FindOneAndDelete, FindOneAndUpdate, InsertEach, Modify, Selection, Tally,
    UpdateOptions, UpdateResult, WriteModel, insert, remove_first,
};
use crate::document::collection::{Collection, InsertManyResult, InsertOneResult};
use crate::document::raw::corrupt;
use crate::document::stored;
use crate::document::update::UpdateModifications;
#[cfg(doc)]
use crate::error::{Error, InvalidKind};
use crate::error::Result;
use crate::txn::{Operation, WriteScope, Writer};

impl<T: Serialize, S: WriteScope> Collection<T, S> {
    /// Inserts `document`.
    ///
    /// `_id` is stored first. A document without one gets an `ObjectId` of the store's time in seconds and a number of eight bytes
    /// that no other store and no fork gives out. [`Builder::seed`](crate::Builder::seed) has the same run make the same ids.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] when a unique index holds its key; [`Error::LimitExceeded`] for a document over 16 MiB or
    /// 100 levels; [`Error::Invalid`] for an `_id` that is an array, a regular expression or undefined, for parallel arrays
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
            Ok(InsertOneResult { inserted_id: insert(writer, &self.namespace, &document)?.0 })
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
    /// MongoDB manual, `insertMany`, ordered (SEM: DOC-UPD-10).
    #[doc(alias("insertMany", "InsertManyResult", "bulkWrite"))]
    pub fn insert_many(&self, documents: impl IntoIterator<Item = impl Borrow<T>>) -> Result<InsertManyResult> {
        let mut all = Serialized::default();
        documents
            .into_iter()
            .try_for_each(|document| serialize(document.borrow()).map(|document| all.push(&document)))?;
        let (at, insert) = (
            |place| all.get(place),
            |writer: &mut Writer, document: &RawDocument| insert(writer, &self.namespace, document).map(|(id, _)| id),
        );
        let mut each = InsertEach::new(&at, &insert);
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

    /// Replaces one document that matches `filter` by `replacement` as `options` say.
    ///
    /// A document that is inserted because none matches has the `_id` that the filter asks for, when it asks for one.
    ///
    /// # Errors
    /// As [`Collection::replace_one`]; [`Error::Invalid`] for array filters, which a replacement does not take.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let options = UpdateOptions::default().upsert(true);
    /// let done = people.replace_one_with(doc! { "_id": 1 }, &doc! { "name": "Ann" }, options)?;
    /// assert_eq!(done.upserted_id, Some(1.into()));
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1, "name": "Ann" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `replaceOne`.
    pub fn replace_one_with(&self, filter: Document, replacement: &T, options: UpdateOptions) -> Result<UpdateResult> {
        self.first("replace_one", &Modify::replacement(&filter, serialize(replacement)?, &options)?)
    }

    /// Replaces one document that matches `filter`, and returns what it was or what it is now.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "name": "Ann" })?;
    /// let before = people.find_one_and_replace(doc! { "_id": 1 }, &doc! { "name": "Bob" })?.run()?;
    /// assert_eq!(before, Some(doc! { "_id": 1, "name": "Ann" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not serialize to a document.
    ///
    /// # Source
    /// MongoDB manual, `findOneAndReplace`.
    #[doc(alias("findOneAndReplace", "findAndModify"))]
    pub fn find_one_and_replace(&self, filter: Document, replacement: &T) -> Result<FindOneAndUpdate<T, S>> {
        let replacement = serialize(replacement)?;
        Ok(FindOneAndUpdate::replacement(self.scope.clone(), Arc::clone(&self.namespace), filter, replacement))
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

    /// Applies `update` to one document that matches `filter`, as `options` say.
    ///
    /// # Errors
    /// As [`Collection::update_one`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let options = UpdateOptions::default().upsert(true);
    /// people.update_one_with(doc! { "_id": 1 }, doc! { "$push": { "seen": "today" } }, options)?;
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1, "seen": ["today"] }));
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
        self.first("update_one", &Modify::update(&filter, &update.into(), &options)?)
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
    /// MongoDB manual, `updateMany` (SEM: DOC-UPD-10).
    #[doc(alias = "updateMany")]
    pub fn update_many(&self, filter: Document, update: impl Into<UpdateModifications>) -> Result<UpdateResult> {
        self.update_many_with(filter, update, UpdateOptions::default())
    }

    /// Applies `update` to every document that matches `filter`, as `options` say.
    ///
    /// # Errors
    /// As [`Collection::update_many`]; [`Error::Invalid`] for a sort.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let options = UpdateOptions::default().upsert(true);
    /// let done = people.update_many_with(doc! { "city": "Rome" }, doc! { "$set": { "seen": true } }, options)?;
    /// assert_eq!((done.matched, done.upserted_id.is_some()), (0, true));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `updateMany`.
    pub fn update_many_with(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
        options: UpdateOptions,
    ) -> Result<UpdateResult> {
        let modify = Modify::update_many(&filter, &update.into(), &options)?;
        let Tally { matched, changed, upserted_id } =
            self.each(self.operation("update_many"), Action::Modify(&modify))?;
        Ok(UpdateResult { matched, modified: changed, upserted_id })
    }

    /// Changes one document that matches `filter`, and returns what it was or what it is now.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::ReturnDocument};
    /// let counters = Store::in_memory().collection::<Document>("counters");
    /// let next = || {
    ///     let update = doc! { "$inc": { "n": 1 } };
    ///     let query = counters.find_one_and_update(doc! { "_id": "orders" }, update);
    ///     query.upsert(true).return_document(ReturnDocument::After).run()
    /// };
    /// assert_eq!(next()?, Some(doc! { "_id": "orders", "n": 1 }));
    /// assert_eq!(next()?, Some(doc! { "_id": "orders", "n": 2 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOneAndUpdate`.
    #[doc(alias("findOneAndUpdate", "findAndModify"))]
    pub fn find_one_and_update(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> FindOneAndUpdate<T, S> {
        FindOneAndUpdate::update(self.scope.clone(), Arc::clone(&self.namespace), filter, update.into())
    }

    /// Removes one document that matches `filter`, and returns it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let tasks = Store::in_memory().collection::<Document>("tasks");
    /// tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }])?;
    /// let task = tasks.find_one_and_delete(doc! {}).sort(doc! { "due": 1 }).run()?;
    /// assert_eq!(task, Some(doc! { "_id": 2, "due": 3 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOneAndDelete`.
    #[doc(alias("findOneAndDelete", "findAndModify"))]
    pub fn find_one_and_delete(&self, filter: Document) -> FindOneAndDelete<T, S> {
        FindOneAndDelete::new(self.scope.clone(), Arc::clone(&self.namespace), filter)
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

    /// Removes one document that matches `filter`, and answers how many that were: 0 or 1.
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
        let selection = Selection::compile(&filter, None)?;
        let removed = self.scope.write(self.operation("delete_one").freeing(true), |writer| {
            remove_first(&selection, writer, &self.namespace)
        })?;
        Ok(removed.is_some().into())
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
        let selection = Selection::compile(&filter, None)?;
        Ok(self.each(self.operation("delete_many").freeing(true), Action::Remove(&selection))?.changed)
    }

    fn first(&self, verb: &'static str, modify: &Modify) -> Result<UpdateResult> {
        self.scope.write(self.operation(verb), |writer| modify.first(writer, &self.namespace)).map(UpdateResult::from)
    }

    fn each(&self, operation: Operation<'_>, action: Action<'_>) -> Result<Tally> {
        let mut each = EachMatch::new(&self.namespace, action);
        self.scope.write_steps(operation, &mut each)?;
        Ok(each.into_tally())
    }
}

/// Serializes and checks what is to be inserted, before the operation begins.
fn serialize<T: Serialize>(document: &T) -> Result<RawDocumentBuf> {
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
    fn push(&mut self, document: &RawDocument) {
        self.bytes.extend_from_slice(document.as_bytes());
        self.ends.push(self.bytes.len());
    }

    /// The document that was added after `place` others.
    fn get(&self, place: usize) -> Result<Option<&RawDocument>> {
        let Some(end) = self.ends.get(place) else { return Ok(None) };
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        let bytes = self.bytes.get(*start..*end).unwrap_or_default();
        RawDocument::from_bytes(bytes).map(Some).map_err(corrupt)
    }
}
