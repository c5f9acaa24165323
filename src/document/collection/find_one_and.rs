//! Finding one document and changing it at the same moment.

use std::sync::Arc;

use bson::{DateTime, Document, RawDocumentBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::document::collection::modify::{Modification, One, Outcome};
use crate::document::collection::options::{FindOneAndOptions, ReturnDocument, UpdateOptions};
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
        self.find_one_and("find_one_and_update", filter, Modification::Update(update.into()), options)
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
        let options =
            FindOneAndOptions { returns: ReturnDocument::Before, update: UpdateOptions::default(), ..options };
        self.find_one_and("find_one_and_delete", filter, Modification::Delete, options)
    }

    fn find_one_and(
        &self,
        verb: &'static str,
        filter: Document,
        modification: Modification,
        options: FindOneAndOptions,
    ) -> Result<Option<T>> {
        let FindOneAndOptions { update, sort, projection, returns } = options;
        let projection = match projection {
            None => None,
            Some(text) => {
                let names = update.variables()?.names;
                let filter = Arc::new(Filter::compile(&filter, &names)?);
                Some(Projection::compile_query(&text, &names, &filter)?)
            }
        };
        let Outcome { before, after, .. } = self.modify(verb, One { filter, modification, options: update, sort })?;
        let image: Option<RawDocumentBuf> = if returns == ReturnDocument::Before { before } else { after };
        let Some(mut image) = image else { return Ok(None) };
        if let Some(projection) = projection {
            image = projection.apply(&image, &Context::new(DateTime::from_millis(0), 0, Vec::new()))?;
        }
        stored::decode(&image, || self.namespace.label()).map(Some)
    }
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
        self.find_one_and("find_one_and_replace", filter, modification, options)
    }
}
