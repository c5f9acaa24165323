//! How updates and replacements are done.

use bson::Document;

/// How an update or replacement is done. The default: nothing is inserted, and which one of several matches is changed is not
/// fixed.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::{Bson, doc}, document::UpdateOptions};
/// let visits = Store::in_memory().collection::<Document>("visits");
/// let upsert = UpdateOptions::default().upsert(true);
/// let first = visits.update_one_with(doc! { "_id": "ann" }, doc! { "$inc": { "n": 1 } }, upsert.clone())?;
/// assert_eq!(first.upserted_id, Some(Bson::from("ann")));
/// let second = visits.update_one_with(doc! { "_id": "ann" }, doc! { "$inc": { "n": 1 } }, upsert)?;
/// assert_eq!((second.matched, second.upserted_id), (1, None));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `updateOne`, `updateMany`, `replaceOne`.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
#[doc(alias = "ReplaceOptions")]
pub struct UpdateOptions {
    pub(super) upsert: bool,
    pub(super) array_filters: Vec<Document>,
    pub(super) sort: Option<Document>,
}

impl UpdateOptions {
    /// Whether a document is inserted when none matches: what the filter compares for equality, changed by the update, or the
    /// replacement. `$setOnInsert` counts only then.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let update = doc! { "$set": { "seen": true }, "$setOnInsert": { "visits": 0 } };
    /// let options = UpdateOptions::default().upsert(true);
    /// people.update_one_with(doc! { "_id": 1, "city": "Rome", "age": { "$gt": 5 } }, update, options)?;
    /// assert_eq!(people.find_one(doc! {})?, Some(doc! { "_id": 1, "city": "Rome", "seen": true, "visits": 0 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn upsert(mut self, upsert: bool) -> Self {
        self.upsert = upsert;
        self
    }

    /// Which elements of arrays `$[name]` stands for in the paths of an update: those that meet the condition of this name.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let tests = Store::in_memory().collection::<Document>("tests");
    /// tests.insert_one(&doc! { "_id": 1, "grades": [80, 105, 110] })?;
    /// let options = UpdateOptions::default().array_filters([doc! { "high": { "$gt": 100 } }]);
    /// tests.update_one_with(doc! {}, doc! { "$set": { "grades.$[high]": 100 } }, options)?;
    /// assert_eq!(tests.find_one(doc! {})?, Some(doc! { "_id": 1, "grades": [80, 100, 100] }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "arrayFilters")]
    pub fn array_filters(mut self, filters: impl IntoIterator<Item = Document>) -> Self {
        self.array_filters = filters.into_iter().collect();
        self
    }

    /// Which document is changed when several match: the first in this order. An update of all of them takes none.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::UpdateOptions};
    /// let tasks = Store::in_memory().collection::<Document>("tasks");
    /// tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }])?;
    /// let options = UpdateOptions::default().sort(doc! { "due": 1 });
    /// tasks.update_one_with(doc! {}, doc! { "$set": { "done": true } }, options)?;
    /// assert_eq!(tasks.find_one(doc! { "done": true })?, Some(doc! { "_id": 2, "due": 3, "done": true }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sort(mut self, sort: Document) -> Self {
        self.sort = Some(sort).filter(|sort| !sort.is_empty());
        self
    }
}
