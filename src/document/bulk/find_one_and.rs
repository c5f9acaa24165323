//! Changing one document and returning it.

use std::marker::PhantomData;
use std::sync::Arc;

use bson::{Bson, Document, RawDocumentBuf};
use serde::de::DeserializeOwned;

use crate::document::bulk::modify::{Modified, Modify, remove_first};
use crate::document::bulk::options::UpdateOptions;
use crate::document::bulk::selection::Selection;
use crate::document::projection::Projection;
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::update::UpdateModifications;
use crate::error::Result;
use crate::txn::{AutoCommit, WriteScope};

/// Which image of a document is returned that was changed.
///
/// # Examples
/// See [`FindOneAndUpdate::return_document`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReturnDocument {
    /// What it was; nothing when it was inserted.
    #[default]
    Before,
    /// What it is now.
    After,
}

/// What a find-and-change found and did.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let people = Store::in_memory().collection::<Document>("people");
/// let update = doc! { "$set": { "name": "Ann" } };
/// let result = people.find_one_and_update(doc! { "_id": 1 }, update).upsert(true).run_with_result()?;
/// assert_eq!((result.matched, result.upserted_id, result.document), (false, Some(1.into()), None));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `findAndModify`, `lastErrorObject`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FindOneAndResult<T> {
    /// The image that was asked for.
    pub document: Option<T>,
    /// Whether a document matched.
    #[doc(alias = "updatedExisting")]
    pub matched: bool,
    /// The `_id` of a document that was inserted because none matched.
    pub upserted_id: Option<Bson>,
}

/// A change or replacement of one document that has not run yet. Given by
/// [`Collection::find_one_and_update`](crate::Collection::find_one_and_update) and
/// [`Collection::find_one_and_replace`](crate::Collection::find_one_and_replace).
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let tasks = Store::in_memory().collection::<Document>("tasks");
/// tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }])?;
/// let take = tasks.find_one_and_update(doc! { "taken": null }, doc! { "$set": { "taken": true } });
/// let task = take.sort(doc! { "due": 1 }).projection(doc! { "due": 1 }).run()?;
/// assert_eq!(task, Some(doc! { "_id": 2, "due": 3 }));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "it does nothing until it is run"]
#[doc(alias = "FindOneAndReplace")]
pub struct FindOneAndUpdate<T, S = AutoCommit> {
    scope: S,
    namespace: Arc<Namespace>,
    filter: Document,
    change: Change,
    options: UpdateOptions,
    projection: Option<Document>,
    image: ReturnDocument,
    document: PhantomData<fn(T) -> T>,
}

#[derive(Debug)]
enum Change {
    Update(UpdateModifications),
    Replacement(RawDocumentBuf),
}

impl<T, S> FindOneAndUpdate<T, S> {
    pub(in crate::document) fn update(
        scope: S,
        namespace: Arc<Namespace>,
        filter: Document,
        update: UpdateModifications,
    ) -> Self {
        Self::new(scope, namespace, filter, Change::Update(update))
    }

    pub(in crate::document) fn replacement(
        scope: S,
        namespace: Arc<Namespace>,
        filter: Document,
        replacement: RawDocumentBuf,
    ) -> Self {
        Self::new(scope, namespace, filter, Change::Replacement(replacement))
    }

    fn new(scope: S, namespace: Arc<Namespace>, filter: Document, change: Change) -> Self {
        let (options, image) = (UpdateOptions::default(), ReturnDocument::default());
        Self { scope, namespace, filter, change, options, projection: None, image, document: PhantomData }
    }

    /// Which document is changed when several match: the first in this order.
    ///
    /// # Examples
    /// See [`FindOneAndUpdate`].
    pub fn sort(mut self, sort: Document) -> Self {
        self.options = self.options.sort(sort);
        self
    }

    /// What of the document is returned, as [`Find::projection`](crate::document::Find::projection).
    ///
    /// # Examples
    /// See [`FindOneAndUpdate`].
    #[doc(alias = "fields")]
    pub fn projection(mut self, projection: Document) -> Self {
        self.projection = Some(projection);
        self
    }

    /// Whether a document is inserted when none matches, as [`UpdateOptions::upsert`].
    ///
    /// # Examples
    /// See [`FindOneAndResult`].
    pub fn upsert(mut self, upsert: bool) -> Self {
        self.options = self.options.upsert(upsert);
        self
    }

    /// Which elements `$[name]` stands for, as [`UpdateOptions::array_filters`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let tests = Store::in_memory().collection::<Document>("tests");
    /// tests.insert_one(&doc! { "grades": [80, 105] })?;
    /// let update = tests.find_one_and_update(doc! {}, doc! { "$set": { "grades.$[high]": 100 } });
    /// update.array_filters([doc! { "high": { "$gt": 100 } }]).run()?;
    /// assert_eq!(tests.count_documents(doc! { "grades": [80, 100] })?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "arrayFilters")]
    pub fn array_filters(mut self, filters: impl IntoIterator<Item = Document>) -> Self {
        self.options = self.options.array_filters(filters);
        self
    }

    /// Which image is returned: what the document was, which is the default, or what it is now.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::ReturnDocument};
    /// let stock = Store::in_memory().collection::<Document>("stock");
    /// stock.insert_one(&doc! { "_id": 1, "n": 1 })?;
    /// let add = || stock.find_one_and_update(doc! {}, doc! { "$inc": { "n": 1 } });
    /// assert_eq!(add().run()?, Some(doc! { "_id": 1, "n": 1 }));
    /// assert_eq!(add().return_document(ReturnDocument::After).run()?, Some(doc! { "_id": 1, "n": 3 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("returnDocument", "new", "returnNewDocument"))]
    pub fn return_document(mut self, image: ReturnDocument) -> Self {
        self.image = image;
        self
    }
}

impl<T: DeserializeOwned, S: WriteScope> FindOneAndUpdate<T, S> {
    /// Makes the change, and returns the image that was asked for.
    ///
    /// # Errors
    /// As [`Collection::update_one`](crate::Collection::update_one) and
    /// [`Collection::replace_one`](crate::Collection::replace_one); those of a projection. A document that is no `T` is an
    /// error after the change.
    ///
    /// # Examples
    /// See [`FindOneAndUpdate`].
    pub fn run(self) -> Result<Option<T>> {
        self.run_with_result().map(|result| result.document)
    }

    /// Makes the change, and returns with the image whether there was one to change.
    ///
    /// # Errors
    /// As [`FindOneAndUpdate::run`].
    ///
    /// # Examples
    /// See [`FindOneAndResult`].
    pub fn run_with_result(self) -> Result<FindOneAndResult<T>> {
        let projection = self.projection.as_ref().map(Projection::compile).transpose()?;
        let (verb, modify) = match self.change {
            Change::Update(update) => ("find_one_and_update", Modify::update(&self.filter, &update, &self.options)?),
            Change::Replacement(document) => {
                ("find_one_and_replace", Modify::replacement(&self.filter, document, &self.options)?)
            }
        };
        let namespace = &*self.namespace;
        let image = self.image;
        let (shown, matched, upserted_id) = self.scope.write(namespace.operation(verb), |writer| {
            let Modified { matched, upserted_id, before, after, .. } = modify.first(writer, namespace)?;
            let image = if image == ReturnDocument::After { after } else { before };
            // A projection that fails fails all of it.
            Ok((projected(projection.as_ref(), image)?, matched, upserted_id))
        })?;
        let document = shown.map(|document| stored::deserialize(&document, || namespace.label())).transpose()?;
        Ok(FindOneAndResult { document, matched, upserted_id })
    }
}

/// A removal of one document that has not run yet. Given by
/// [`Collection::find_one_and_delete`](crate::Collection::find_one_and_delete).
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let tasks = Store::in_memory().collection::<Document>("tasks");
/// tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }])?;
/// let delete = tasks.find_one_and_delete(doc! {}).sort(doc! { "due": -1 }).projection(doc! { "due": 1, "_id": 0 });
/// assert_eq!(delete.run()?, Some(doc! { "due": 5 }));
/// assert_eq!(tasks.count_documents(doc! {})?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "it does nothing until it is run"]
pub struct FindOneAndDelete<T, S = AutoCommit> {
    scope: S,
    namespace: Arc<Namespace>,
    filter: Document,
    sort: Option<Document>,
    projection: Option<Document>,
    document: PhantomData<fn(T) -> T>,
}

impl<T, S> FindOneAndDelete<T, S> {
    pub(in crate::document) fn new(scope: S, namespace: Arc<Namespace>, filter: Document) -> Self {
        Self { scope, namespace, filter, sort: None, projection: None, document: PhantomData }
    }

    /// Which document is removed when several match: the first in this order.
    ///
    /// # Examples
    /// See [`FindOneAndDelete`].
    pub fn sort(mut self, sort: Document) -> Self {
        self.sort = Some(sort);
        self
    }

    /// What of the document is returned, as [`Find::projection`](crate::document::Find::projection).
    ///
    /// # Examples
    /// See [`FindOneAndDelete`].
    #[doc(alias = "fields")]
    pub fn projection(mut self, projection: Document) -> Self {
        self.projection = Some(projection);
        self
    }
}

impl<T: DeserializeOwned, S: WriteScope> FindOneAndDelete<T, S> {
    /// Removes the document, and returns what it was.
    ///
    /// # Errors
    /// As [`Find::run`](crate::document::Find::run). A document that is no `T` is an error after the removal.
    ///
    /// # Examples
    /// See [`FindOneAndDelete`].
    pub fn run(self) -> Result<Option<T>> {
        let projection = self.projection.as_ref().map(Projection::compile).transpose()?;
        let selection = Selection::compile(&self.filter, self.sort.as_ref())?;
        let namespace = &*self.namespace;
        let shown = self.scope.write(namespace.operation("find_one_and_delete").freeing(true), |writer| {
            projected(projection.as_ref(), remove_first(&selection, writer, namespace)?)
        })?;
        shown.map(|document| stored::deserialize(&document, || namespace.label())).transpose()
    }
}

fn projected(projection: Option<&Projection>, document: Option<RawDocumentBuf>) -> Result<Option<RawDocumentBuf>> {
    match (projection, document) {
        (Some(projection), Some(document)) => projection.apply(&document).map(Some),
        (_, document) => Ok(document),
    }
}
