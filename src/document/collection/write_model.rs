//! The writes of a bulk write.

use bson::{Document, RawDocumentBuf};
use serde::Serialize;

use crate::document::collection::options::{DeleteOptions, UpdateOptions};
use crate::document::stored;
use crate::document::update::UpdateModifications;
use crate::error::Result;

/// One write of a [`bulk_write`](crate::Collection::bulk_write).
///
/// What is wrong with its filter or update is reported when its turn comes, as what became of it.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::{UpdateOptions, WriteModel}};
/// let stock = Store::in_memory().collection::<Document>("stock");
/// let done = stock.bulk_write([
///     WriteModel::insert_one(&doc! { "_id": 1, "n": 1 })?,
///     WriteModel::update_one(doc! { "_id": 1 }, doc! { "$inc": { "n": 1 } }, UpdateOptions::default()),
///     WriteModel::replace_one(doc! { "_id": 2 }, &doc! { "n": 7 }, UpdateOptions::default().upsert(true))?,
///     WriteModel::delete_many(doc! { "n": { "$lt": 5 } }),
/// ]);
/// let done = done.run()?;
/// assert_eq!((done.inserted(), done.modified(), done.upserted().count(), done.deleted()), (1, 1, 1, 1));
/// assert_eq!(stock.find(doc! {}).to_vec()?, [doc! { "_id": 2, "n": 7 }]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `bulkWrite`.
#[derive(Clone, Debug)]
pub struct WriteModel(Model);

/// What a write is to do.
#[derive(Clone, Debug)]
pub(super) enum Model {
    Insert(RawDocumentBuf),
    UpdateOne(Document, UpdateModifications, UpdateOptions),
    UpdateMany(Document, UpdateModifications, UpdateOptions),
    Replace(Document, RawDocumentBuf, UpdateOptions),
    DeleteOne(Document, DeleteOptions),
    DeleteMany(Document, DeleteOptions),
}

impl WriteModel {
    /// Inserts `document`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what does not serialize to a document.
    ///
    /// # Examples
    /// See [`WriteModel`].
    pub fn insert_one(document: &(impl Serialize + ?Sized)) -> Result<Self> {
        stored::serialize(document).map(Self::insert_raw)
    }

    /// Inserts a document that is encoded already; nothing is serialized.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::rawdoc, bson::doc, document::WriteModel};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.bulk_write([WriteModel::insert_raw(rawdoc! { "_id": 1 })]).run()?.into_result()?;
    /// assert_eq!(events.find_one(doc! {})?, Some(doc! { "_id": 1 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn insert_raw(document: RawDocumentBuf) -> Self {
        Self(Model::Insert(document))
    }

    /// Changes one document that matches `filter`.
    ///
    /// # Examples
    /// See [`WriteModel`].
    #[must_use]
    pub fn update_one(filter: Document, update: impl Into<UpdateModifications>, options: UpdateOptions) -> Self {
        Self(Model::UpdateOne(filter, update.into(), options))
    }

    /// Changes every document that matches `filter`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{UpdateOptions, WriteModel}};
    /// let stock = Store::in_memory().collection::<Document>("stock");
    /// stock.insert_many([doc! { "n": 1 }, doc! { "n": 2 }])?;
    /// let update = WriteModel::update_many(doc! {}, doc! { "$mul": { "n": 2 } }, UpdateOptions::default());
    /// assert_eq!(stock.bulk_write([update]).run()?.modified(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn update_many(filter: Document, update: impl Into<UpdateModifications>, options: UpdateOptions) -> Self {
        Self(Model::UpdateMany(filter, update.into(), options))
    }

    /// Replaces one document that matches `filter`.
    ///
    /// # Errors
    /// As [`WriteModel::insert_one`].
    ///
    /// # Examples
    /// See [`WriteModel`].
    pub fn replace_one(
        filter: Document,
        replacement: &(impl Serialize + ?Sized),
        options: UpdateOptions,
    ) -> Result<Self> {
        Ok(Self::replace_raw(filter, stored::serialize(replacement)?, options))
    }

    /// Replaces one document that matches `filter` by one that is encoded already.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::rawdoc, bson::doc, document::{UpdateOptions, WriteModel}};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let options = UpdateOptions::default().upsert(true);
    /// let replacement = WriteModel::replace_raw(doc! { "_id": 1 }, rawdoc! { "n": 5 }, options);
    /// events.bulk_write([replacement]).run()?.into_result()?;
    /// assert_eq!(events.find_one(doc! {})?, Some(doc! { "_id": 1, "n": 5 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn replace_raw(filter: Document, replacement: RawDocumentBuf, options: UpdateOptions) -> Self {
        Self(Model::Replace(filter, replacement, options))
    }

    /// Removes one document that matches `filter`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::WriteModel};
    /// let stock = Store::in_memory().collection::<Document>("stock");
    /// stock.insert_many([doc! { "n": 1 }, doc! { "n": 1 }])?;
    /// assert_eq!(stock.bulk_write([WriteModel::delete_one(doc! { "n": 1 })]).run()?.deleted(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn delete_one(filter: Document) -> Self {
        Self::delete_one_with(filter, DeleteOptions::default())
    }

    /// As [`WriteModel::delete_one`], with `options`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::{DeleteOptions, WriteModel}};
    /// let delete = WriteModel::delete_one_with(doc! { "n": 1 }, DeleteOptions::default().hint("n_1"));
    /// ```
    #[must_use]
    pub fn delete_one_with(filter: Document, options: DeleteOptions) -> Self {
        Self(Model::DeleteOne(filter, options))
    }

    /// Removes every document that matches `filter`.
    ///
    /// # Examples
    /// See [`WriteModel`].
    #[must_use]
    pub fn delete_many(filter: Document) -> Self {
        Self::delete_many_with(filter, DeleteOptions::default())
    }

    /// As [`WriteModel::delete_many`], with `options`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{bson::doc, document::{DeleteOptions, WriteModel}};
    /// let delete = WriteModel::delete_many_with(doc! { "n": 1 }, DeleteOptions::default().hint("n_1"));
    /// ```
    #[must_use]
    pub fn delete_many_with(filter: Document, options: DeleteOptions) -> Self {
        Self(Model::DeleteMany(filter, options))
    }

    pub(super) fn model(&self) -> &Model {
        &self.0
    }
}
