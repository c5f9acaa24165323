//! Finding one document and changing it at the same moment.

use std::sync::Arc;

use bson::{Bson, DateTime, Document, RawDocumentBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::document::collation::{Collation, Collator};
use crate::document::collection::modify::{Modification, One};
use crate::document::collection::options::{FindOneAndOptions, ReturnDocument};
use crate::document::collection::{Collection, write};
use crate::document::expression::Context;
use crate::document::filter::Filter;
use crate::document::projection::Projection;
use crate::document::stored;
use crate::document::update::UpdateModifications;
use crate::error::Result;
use crate::txn::WriteScope;

impl<T: DeserializeOwned + 'static, S: WriteScope> Collection<T, S> {
    /// Applies `update` to one document that matches `filter`, and returns the document as it was, or `None`.
    ///
    /// # Errors
    /// As [`Collection::update_one`], and [`Error::Invalid`](crate::Error::Invalid) for a document that is no `T`; it is
    /// changed all the same.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let jobs = Store::in_memory().collection::<Document>("jobs");
    /// jobs.insert_one(&doc! { "_id": 1, "tries": 0 })?;
    /// let before = jobs.find_one_and_update(doc! { "_id": 1 }, doc! { "$inc": { "tries": 1 } })?;
    /// assert_eq!(before, Some(doc! { "_id": 1, "tries": 0 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOneAndUpdate`.
    #[doc(alias("findOneAndUpdate", "findAndModify"))]
    pub fn find_one_and_update(&self, filter: Document, update: impl Into<UpdateModifications>) -> Result<Option<T>> {
        self.find_one_and_update_with(filter, update, FindOneAndOptions::default())
    }

    /// As [`Collection::find_one_and_update`], with `options`.
    ///
    /// # Errors
    /// As [`Collection::find_one_and_update`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{FindOneAndOptions, ReturnDocument, UpdateOptions}};
    /// let counters = Store::in_memory().collection::<Document>("counters");
    /// let next = || {
    ///     let upsert = UpdateOptions::default().upsert(true);
    ///     let options = FindOneAndOptions::default().return_document(ReturnDocument::After).update(upsert);
    ///     counters.find_one_and_update_with(doc! { "_id": "orders" }, doc! { "$inc": { "n": 1 } }, options)
    /// };
    /// assert_eq!(next()?, Some(doc! { "_id": "orders", "n": 1 }));
    /// assert_eq!(next()?, Some(doc! { "_id": "orders", "n": 2 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn find_one_and_update_with(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
        options: FindOneAndOptions,
    ) -> Result<Option<T>> {
        self.find_and_modify(filter, Modify::Update(update.into()), options).map(|found| found.document)
    }

    /// Removes one document that matches `filter`, and returns it, or `None`.
    ///
    /// # Errors
    /// As [`Collection::delete_one`], and [`Error::Invalid`](crate::Error::Invalid) for a document that is no `T`; it is
    /// removed all the same.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let jobs = Store::in_memory().collection::<Document>("jobs");
    /// jobs.insert_one(&doc! { "_id": 1 })?;
    /// assert_eq!(jobs.find_one_and_delete(doc! {})?, Some(doc! { "_id": 1 }));
    /// assert_eq!(jobs.find_one_and_delete(doc! {})?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOneAndDelete`.
    #[doc(alias("findOneAndDelete", "findAndModify"))]
    pub fn find_one_and_delete(&self, filter: Document) -> Result<Option<T>> {
        self.find_one_and_delete_with(filter, FindOneAndOptions::default())
    }

    /// As [`Collection::find_one_and_delete`], with the sort and the projection of `options`.
    ///
    /// # Errors
    /// As [`Collection::find_one_and_delete`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::FindOneAndOptions};
    /// let jobs = Store::in_memory().collection::<Document>("jobs");
    /// jobs.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
    /// let last = FindOneAndOptions::default().sort(doc! { "_id": -1 });
    /// assert_eq!(jobs.find_one_and_delete_with(doc! {}, last)?, Some(doc! { "_id": 2 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn find_one_and_delete_with(&self, filter: Document, options: FindOneAndOptions) -> Result<Option<T>> {
        self.find_and_modify(filter, Modify::Delete, options).map(|found| found.document)
    }

    /// Changes, replaces or removes one document that matches `filter`, and returns it together with what was done. When the
    /// document is removed, it is always the one before that is returned, and upserts and array filters mean nothing.
    ///
    /// # Errors
    /// As [`Collection::find_one_and_update`] and [`Collection::find_one_and_replace`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// use larder::document::{FindOneAndOptions, Modify, UpdateOptions};
    /// let jobs = Store::in_memory().collection::<Document>("jobs");
    /// let upsert = FindOneAndOptions::default().update(UpdateOptions::default().upsert(true));
    /// let made = jobs.find_and_modify(doc! { "_id": 7 }, doc! { "$set": { "n": 1 } }.into(), upsert)?;
    /// assert_eq!((made.document, made.matched, made.upserted_id), (None, false, Some(7.into())));
    /// let gone = jobs.find_and_modify(doc! {}, Modify::Delete, FindOneAndOptions::default())?;
    /// assert_eq!(gone.document, Some(doc! { "_id": 7, "n": 1 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findAndModify`.
    #[doc(alias = "findAndModify")]
    pub fn find_and_modify(
        &self,
        filter: Document,
        modify: Modify,
        options: FindOneAndOptions,
    ) -> Result<FindAndModifyResult<T>> {
        match modify {
            Modify::Update(update) => {
                self.find_one_and("find_one_and_update", filter, Modification::Update(update), options)
            }
            Modify::Replace(document) => {
                stored::check(&document)?;
                let modification = Modification::replacement(document)?;
                self.find_one_and("find_one_and_replace", filter, modification, options)
            }
            Modify::Delete => {
                let options = FindOneAndOptions {
                    returns: ReturnDocument::Before,
                    update: options.update.upsert(false).array_filters([]),
                    ..options
                };
                self.find_one_and("find_one_and_delete", filter, Modification::Delete, options)
            }
        }
    }

    fn find_one_and(
        &self,
        verb: &'static str,
        filter: Document,
        modification: Modification,
        options: FindOneAndOptions,
    ) -> Result<FindAndModifyResult<T>> {
        let FindOneAndOptions { update, sort, projection, returns } = options;
        let options_of_image = update.clone();
        let own = update.collated().map(Collation::compile).transpose()?.flatten();
        let conditions = projection.is_some().then(|| filter.clone());
        let compile = |collator: Option<&Arc<Collator>>| -> Result<_> {
            let variables = options_of_image.variables(collator)?;
            let (Some(text), Some(filter)) = (&projection, &conditions) else { return Ok((None, variables)) };
            let filter = Arc::new(Filter::compile(filter, &variables.names)?);
            Ok((Some(Projection::compile_query(text, &variables.names, &filter)?), variables))
        };
        // What is wrong with it is said before anything is changed.
        compile(own.as_ref())?;
        let mut outcome = self.modify(verb, One { filter, modification, options: update, sort })?;
        let (matched, upserted_id) = (outcome.matched() > 0, outcome.upserted_id.clone());
        let image = if returns == ReturnDocument::Before { outcome.before } else { outcome.after };
        let collator = outcome.collator.take();
        let (projection, variables) = compile(collator.as_ref())?;
        let shown = |image: RawDocumentBuf| match &projection {
            Some(projection) => {
                let context = Context::new(DateTime::from_millis(0), 0, variables.values.clone());
                projection.apply(&image, &context.collated(collator.as_ref()))
            }
            None => Ok(image),
        };
        let image = image.map(shown).transpose()?;
        let document = image.map(|image| stored::decode(&image, || self.namespace.label())).transpose()?;
        Ok(FindAndModifyResult { document, matched, upserted_id })
    }
}

/// What [`Collection::find_and_modify`] does to a document.
///
/// # Examples
/// ```
/// use larder::{bson::{doc, rawdoc}, document::Modify};
/// let changes = [Modify::from(doc! { "$inc": { "n": 1 } }), Modify::Replace(rawdoc! { "n": 1 }), Modify::Delete];
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Modify {
    /// Applies operators, or a pipeline.
    Update(UpdateModifications),
    /// Puts this in its place; its `_id` stays.
    Replace(RawDocumentBuf),
    /// Removes it.
    Delete,
}

impl<U: Into<UpdateModifications>> From<U> for Modify {
    fn from(update: U) -> Self {
        Self::Update(update.into())
    }
}

/// What [`Collection::find_and_modify`] found and did.
///
/// # Examples
/// See [`Collection::find_and_modify`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FindAndModifyResult<T> {
    /// The document as it was, or as it is now, whichever was asked for.
    pub document: Option<T>,
    /// Whether a document matched.
    pub matched: bool,
    /// The `_id` of the document that an upsert inserted.
    pub upserted_id: Option<Bson>,
}

impl<T: Serialize + DeserializeOwned + 'static, S: WriteScope> Collection<T, S> {
    /// Replaces one document that matches `filter` by `replacement`, and returns the document as it was, or `None`.
    ///
    /// # Errors
    /// As [`Collection::replace_one`], and [`Error::Invalid`](crate::Error::Invalid) for a document that is no `T`; it is
    /// replaced all the same.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "name": "Ann" })?;
    /// let before = people.find_one_and_replace(doc! { "_id": 1 }, &doc! { "name": "Bob" })?;
    /// assert_eq!(before, Some(doc! { "_id": 1, "name": "Ann" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `findOneAndReplace`.
    #[doc(alias("findOneAndReplace", "findAndModify"))]
    pub fn find_one_and_replace(&self, filter: Document, replacement: &T) -> Result<Option<T>> {
        self.find_one_and_replace_with(filter, replacement, FindOneAndOptions::default())
    }

    /// As [`Collection::find_one_and_replace`], with `options`.
    ///
    /// # Errors
    /// As [`Collection::find_one_and_replace`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{FindOneAndOptions, ReturnDocument}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_one(&doc! { "_id": 1, "name": "Ann" })?;
    /// let options = FindOneAndOptions::default().return_document(ReturnDocument::After);
    /// let after = people.find_one_and_replace_with(doc! {}, &doc! { "name": "Bob" }, options)?;
    /// assert_eq!(after, Some(doc! { "_id": 1, "name": "Bob" }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn find_one_and_replace_with(
        &self,
        filter: Document,
        replacement: &T,
        options: FindOneAndOptions,
    ) -> Result<Option<T>> {
        let modification = Modification::replacement(write::serialize(replacement)?)?;
        self.find_one_and("find_one_and_replace", filter, modification, options).map(|found| found.document)
    }
}
