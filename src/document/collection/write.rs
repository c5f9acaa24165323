//! Changing a collection.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use std::borrow::Borrow;

use bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf};
use serde::Serialize;

use crate::document::bulk::{Change, EachMatch, InsertEach, Tally};
use crate::document::collection::{Collection, InsertManyResult, InsertOneResult, UpdateResult};
use crate::document::describe;
use crate::document::filter::Filter;
use crate::document::maintain::Records;
use crate::document::order::compare;
use crate::document::planner;
use crate::document::raw::{self, corrupt};
use crate::document::scan::{Match, Scan};
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::update::Update;
use crate::error::{Error, InvalidKind, Result};
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
            Ok(InsertOneResult { inserted_id: insert(writer, &self.namespace, &document)? })
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
            |writer: &mut Writer, document: &RawDocument| insert(writer, &self.namespace, document),
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
        let (filter, replacement) = (Filter::compile(&filter)?, serialize(replacement)?);
        if let Some(operator) = stored::operator(&replacement)? {
            let message = format!("replacement document must not contain update operators such as {operator}");
            return Err(Error::value(message));
        }
        self.change("replace_one", &filter, One::First, |before| {
            let id = raw::field(before, "_id")?.unwrap_or(RawBsonRef::Null);
            if raw::field(&replacement, "_id")?.is_some_and(|new| compare(id, new).is_ne()) {
                return Err(new_id());
            }
            let after = stored::id_first(id, &replacement)?;
            Ok((after.as_bytes() != before.as_bytes()).then_some(after))
        })
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
    pub fn update_one(&self, filter: Document, update: Document) -> Result<UpdateResult> {
        self.update("update_one", &filter, &update, One::First)
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
    pub fn update_many(&self, filter: Document, update: Document) -> Result<UpdateResult> {
        self.update("update_many", &filter, &update, One::All)
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
        self.delete("delete_one", &filter, One::First)
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
        self.delete("delete_many", &filter, One::All)
    }

    fn update(&self, verb: &'static str, filter: &Document, update: &Document, which: One) -> Result<UpdateResult> {
        let (filter, update) = (Filter::compile(filter)?, Update::compile(update)?);
        self.change(verb, &filter, which, |before| update.apply(before))
    }

    fn delete(&self, verb: &'static str, filter: &Document, which: One) -> Result<u64> {
        let filter = Filter::compile(filter)?;
        let operation = self.operation(verb).freeing(true);
        let tally = self.each_match(operation, &filter, which, &|records, Match { id, document }| {
            records.remove(id, &document).map(|()| true)
        })?;
        Ok(tally.changed)
    }

    /// Replaces what matches by what `apply` makes of it; `None` leaves a document as it is.
    fn change(
        &self,
        verb: &'static str,
        filter: &Filter,
        which: One,
        apply: impl Fn(&RawDocument) -> Result<Option<RawDocumentBuf>>,
    ) -> Result<UpdateResult> {
        let tally =
            self.each_match(self.operation(verb), filter, which, &|records, Match { id, document: before }| {
                let mut change = || {
                    let Some(after) = apply(&before)? else { return Ok(false) };
                    stored::check(&after)?;
                    refuse_new_id(&before, &after)?;
                    records.replace(id, &before, &after).map(|()| true)
                };
                change().map_err(|error| error.at(|| describe::document_of(&before, &self.namespace.label())))
            })?;
        Ok(UpdateResult { matched: tally.matched, modified: tally.changed })
    }

    /// Calls `change` for what matches.
    fn each_match(&self, operation: Operation<'_>, filter: &Filter, which: One, change: Change<'_>) -> Result<Tally> {
        if which == One::All {
            let mut each = EachMatch::new(&self.namespace, filter, change);
            self.scope.write_steps(operation, &mut each)?;
            return Ok(each.tally());
        }
        self.scope.write(operation, |writer| {
            let Some(entry) = self.namespace.get(writer)? else { return Ok(Tally::default()) };
            let plan = planner::choose(entry.storage, &entry.record, filter, None)?;
            let mut scan = Scan::start(&writer.search(), entry.storage, filter.clone(), plan, None, None)?;
            let Some(found) = scan.advance()? else { return Ok(Tally::default()) };
            let mut records = Records::new(writer, &self.namespace, &entry);
            Ok(Tally { matched: 1, changed: u64::from(change(&mut records, found)?) })
        })
    }
}

/// Which of the matching documents an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum One {
    First,
    All,
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

fn insert(writer: &mut Writer, namespace: &Namespace, document: &RawDocument) -> Result<Bson> {
    let entry = namespace.get_or_create(writer)?;
    let mut records = Records::new(writer, namespace, &entry);
    let id = records.next_id()?;
    let writer = records.writer();
    let (stored, inserted_id) = stored::with_id(document, || stored::object_id(writer.now(), writer.unique_number()))?;
    // An `_id` may have been added to what was checked.
    stored::check_size(&stored)?;
    records.insert(id, &stored).map_err(|error| error.at(|| describe::document_of(&stored, &namespace.label())))?;
    Ok(inserted_id)
}

fn refuse_new_id(before: &RawDocument, after: &RawDocument) -> Result<()> {
    match (raw::field(before, "_id")?, raw::field(after, "_id")?) {
        (Some(old), Some(new)) if compare(old, new).is_eq() => Ok(()),
        _ => Err(new_id()),
    }
}

fn new_id() -> Error {
    Error::invalid(InvalidKind::ImmutableField, "_id never changes")
}
