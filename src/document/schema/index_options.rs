//! How indexes are made, and how they are told of.

use std::time::Duration;

use bson::{Bson, Document, doc};

use crate::document::collation::Collation;
use crate::document::order::Order;
use crate::document::schema::ID_INDEX;
use crate::document::stored;
use crate::error::Result;

/// How an index is to be made.
///
/// # Examples
/// ```
/// use larder::document::IndexOptions;
/// use larder::{Document, Store, bson::doc};
/// let people = Store::in_memory().collection::<Document>("people");
/// let options = IndexOptions::default().unique(true).name("by_email");
/// assert_eq!(people.create_index_with(doc! { "email": 1 }, options)?, "by_email");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until an index is created with them"]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct IndexOptions {
    pub(super) unique: bool,
    pub(super) name: Option<String>,
    pub(super) sparse: bool,
    pub(super) hidden: bool,
    pub(super) prepare_unique: bool,
    pub(super) partial_filter: Option<Document>,
    pub(super) wildcard_projection: Option<Document>,
    pub(super) expire_after: Option<Duration>,
    pub(super) collation: Option<Collation>,
    in_background: bool,
    pub(super) background: Option<bool>,
}

impl IndexOptions {
    /// Checks that nothing in it is nested more deeply than a document can be, before it is copied.
    pub(in crate::document) fn check_depths(&self) -> Result<()> {
        self.partial_filter.iter().chain(&self.wildcard_projection).try_for_each(stored::check_values)
    }

    /// Whether no two documents may have the same key. A missing field counts as null.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true))?;
    /// people.insert_one(&doc! { "name": "ann" })?;
    /// assert!(people.insert_one(&doc! { "name": "bob" }).unwrap_err().is_duplicate_key(), "both emails are null");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn unique(mut self, unique: bool) -> Self {
        self.unique = unique;
        self
    }

    /// The index's name, at most [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX) bytes. Without it, the name is made of
    /// the keys: `user_id_1_timestamp_-1`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "email": 1 }, IndexOptions::default().name("by_email"))?;
    /// people.drop_index("by_email")?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl IndexOptions {
    /// Whether documents that have none of the fields have no entry. Queries use such an index only where that loses nothing, and
    /// a unique one may have many documents without the fields.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true).sparse(true))?;
    /// people.insert_many([doc! { "name": "ann" }, doc! { "name": "bob" }])?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Sparse Indexes.
    pub fn sparse(mut self, sparse: bool) -> Self {
        self.sparse = sparse;
        self
    }

    /// Which documents have entries: those that match `filter`, in which a field may have `$eq`, `$in`, `$all`, `$gt`, `$gte`, `$lt`,
    /// `$lte`, `$type` and `$exists: true`, and conditions may be joined by `$and` and `$or`. Queries use the index only if they ask
    /// for nothing else, and uniqueness is among these documents.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let orders = Store::in_memory().collection::<Document>("orders");
    /// orders.create_index_with(doc! { "due": 1 }, IndexOptions::default().partial_filter(doc! { "open": true }))?;
    /// let plan = |filter| orders.find(filter).explain().unwrap().stage.to_string();
    /// assert_eq!(plan(doc! { "due": 7 }), "COLLSCAN");
    /// assert!(plan(doc! { "due": 7, "open": true }).contains("IXSCAN due_1"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Partial Indexes.
    #[doc(alias = "partialFilterExpression")]
    pub fn partial_filter(mut self, filter: Document) -> Self {
        self.partial_filter = Some(filter);
        self
    }

    /// How long after the date in its field a document is kept; of several dates in an array the earliest counts, and a document
    /// without a date is kept for ever. It is removed in the background, or by [`Store::sweep_expired`](crate::Store::sweep_expired) on a clock that is
    /// turned by hand, and read until then. Whole seconds count.
    ///
    /// # Examples
    /// ```
    /// # use std::time::Duration;
    /// # use larder::{Document, ManualClock, Store, bson::{DateTime, doc}, document::IndexOptions};
    /// let clock = ManualClock::default();
    /// let store = Store::builder().clock(clock.clone()).in_memory();
    /// let sessions = store.collection::<Document>("sessions");
    /// sessions.create_index_with(doc! { "at": 1 }, IndexOptions::default().expire_after(Duration::from_mins(30)))?;
    /// sessions.insert_one(&doc! { "at": DateTime::from_millis(0) })?;
    /// clock.advance(Duration::from_mins(31));
    /// store.sweep_expired()?;
    /// assert_eq!(sessions.count_documents(doc! {})?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, TTL Indexes.
    #[doc(alias("expireAfterSeconds", "ttl"))]
    pub fn expire_after(mut self, after: Duration) -> Self {
        self.expire_after = Some(after);
        self
    }

    /// Whether no query goes by the index. It is maintained, unique and expires documents all the same.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "age": 1 }, IndexOptions::default().hidden(true))?;
    /// assert_eq!(people.find(doc! { "age": 7 }).explain()?.stage.to_string(), "COLLSCAN");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Hidden Indexes.
    pub fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// Whether no key gets a second document, though there may be such: the step before the index becomes unique
    /// ([`IndexChange::unique`]).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.insert_many([doc! { "age": 7 }, doc! { "age": 7 }])?;
    /// people.create_index_with(doc! { "age": 1 }, IndexOptions::default().prepare_unique(true))?;
    /// assert!(people.insert_one(&doc! { "age": 7 }).unwrap_err().is_duplicate_key());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Convert an Existing Index to a Unique Index.
    #[doc(alias = "prepareUnique")]
    pub fn prepare_unique(mut self, prepare: bool) -> Self {
        self.prepare_unique = prepare;
        self
    }

    /// Which paths an index on `$**` has, or has not: `{path: 1, …}` or `{path: 0, …}`. Without it, all but `_id`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let options = IndexOptions::default().wildcard_projection(doc! { "attributes": 1 });
    /// events.create_index_with(doc! { "$**": 1 }, options)?;
    /// let plan = |filter| events.find(filter).explain().unwrap().stage.to_string();
    /// assert!(plan(doc! { "attributes.color": "red" }).contains("IXSCAN $**_1"));
    /// assert_eq!(plan(doc! { "kind": "login" }), "COLLSCAN");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Wildcard Indexes.
    #[doc(alias = "wildcardProjection")]
    pub fn wildcard_projection(mut self, projection: Document) -> Self {
        self.wildcard_projection = Some(projection);
        self
    }

    /// Whether to return before a large index is complete, and have it be built in the background, or by
    /// [`Store::run_jobs`](crate::Store::run_jobs) on a clock that is turned by hand. Queries use it once it is complete, which
    /// [`IndexInfo::is_building`] tells. If the documents cannot be indexed so, the index is taken away again, and a warning logged.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, ManualClock, Store, bson::doc, document::IndexOptions};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let people = store.collection::<Document>("people");
    /// people.insert_many((0..2_000).map(|n| doc! { "age": n % 90 }))?;
    /// people.create_index_with(doc! { "age": 1 }, IndexOptions::default().in_background(true))?;
    /// assert!(people.list_indexes()?[1].is_building);
    /// store.run_jobs()?;
    /// assert!(!people.list_indexes()?[1].is_building);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "background")]
    pub fn in_background(mut self, in_background: bool) -> Self {
        self.in_background = in_background;
        self
    }

    /// What `background` said where the index was asked for: [`IndexInfo::background`] keeps it for clients that look for it, and it
    /// does nothing. To have an index built in the background there is [`IndexOptions::in_background`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "age": 1 }, IndexOptions::default().note_background(true))?;
    /// assert_eq!(people.list_indexes()?[1].background, Some(true));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `createIndexes`: the option is deprecated, and shown by `listIndexes`.
    pub fn note_background(mut self, background: bool) -> Self {
        self.background = Some(background);
        self
    }

    /// How text is compared in the index: what is unique, and which queries it serves, namely those with the same collation, and those
    /// whose conditions compare no text. Without it the collation of the collection applies.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "collation")] {
    /// use larder::{Document, Store, bson::doc, document::{Collation, IndexOptions}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let options = IndexOptions::default().unique(true).collation(Collation::new("en").strength(2));
    /// people.create_index_with(doc! { "email": 1 }, options)?;
    /// people.insert_one(&doc! { "email": "ann@example.com" })?;
    /// assert!(people.insert_one(&doc! { "email": "Ann@Example.com" }).is_err());
    /// # }
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, Case-Insensitive Indexes.
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation);
        self
    }

    /// Whether the index may be completed later.
    pub(in crate::document) fn is_in_background(&self) -> bool {
        self.in_background
    }
}

/// An index as [`Collection::list_indexes`](crate::Collection::list_indexes) tells it.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc};
/// let people = Store::in_memory().collection::<Document>("people");
/// people.create_index(doc! { "email": 1 })?;
/// let by_email = people.list_indexes()?.remove(1);
/// assert_eq!((by_email.name.as_str(), by_email.keys, by_email.unique), ("email_1", doc! { "email": 1 }, false));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// Its keys: paths with 1 or −1, or the name of a kind, as they were written.
    pub keys: Document,
    /// Whether no two documents may have the same key.
    pub unique: bool,
    /// Whether documents without its fields have no entry.
    pub sparse: bool,
    /// The filter that documents with entries match.
    pub partial_filter: Option<Document>,
    /// Which paths it has, of an index on all.
    pub wildcard_projection: Option<Document>,
    /// How long after their date documents are kept.
    pub expire_after: Option<Duration>,
    /// Whether no query goes by it.
    pub hidden: bool,
    /// Whether no key gets a second document, though there may be such.
    pub prepare_unique: bool,
    /// Whether its entries are still being made: it does not serve queries yet.
    pub is_building: bool,
    /// What `background` said where it was asked for; it does nothing ([`IndexOptions::note_background`]).
    pub background: Option<bool>,
    /// How text is compared in it, if not by its bytes.
    pub collation: Option<Collation>,
}

impl IndexInfo {
    /// Whether its keys are `keys`, in this order, whatever the types of numbers.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index(doc! { "age": 1 })?;
    /// let index = people.list_indexes()?.remove(1);
    /// assert!(index.has_keys(&doc! { "age": 1.0 }) && !index.has_keys(&doc! { "age": -1 }));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn has_keys(&self, keys: &Document) -> bool {
        same_values(&self.keys, keys)
    }

    /// The index in the words of `listIndexes`, without options that have their default.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::IndexOptions};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true))?;
    /// let about = people.list_indexes()?[1].to_document();
    /// assert_eq!(about, doc! { "v": 2, "key": { "email": 1 }, "name": "email_1", "unique": true });
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `listIndexes`.
    #[must_use]
    pub fn to_document(&self) -> Document {
        let mut about = doc! { "v": 2, "key": self.keys.clone(), "name": &self.name };
        let set = [
            ("unique", self.unique && self.name != ID_INDEX),
            ("sparse", self.sparse),
            ("hidden", self.hidden),
            ("prepareUnique", self.prepare_unique),
        ];
        for (name, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
            about.insert(name, true);
        }
        if let Some(after) = self.expire_after {
            about.insert("expireAfterSeconds", i32::try_from(after.as_secs()).unwrap_or(i32::MAX));
        }
        if let Some(filter) = &self.partial_filter {
            about.insert("partialFilterExpression", filter.clone());
        }
        if let Some(projection) = &self.wildcard_projection {
            about.insert("wildcardProjection", projection.clone());
        }
        if let Some(background) = self.background {
            about.insert("background", background);
        }
        if let Some(collation) = &self.collation {
            about.insert("collation", collation.to_document());
        }
        about
    }
}

/// What is to be changed of an index: [`Collection::modify_index`](crate::Collection::modify_index).
///
/// # Examples
/// ```
/// use larder::document::IndexChange;
/// use larder::{Document, Store, bson::doc};
/// let people = Store::in_memory().collection::<Document>("people");
/// people.create_index(doc! { "age": 1 })?;
/// people.modify_index("age_1", IndexChange::default().hidden(true))?;
/// assert!(people.list_indexes()?[1].hidden);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `collMod`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a change does nothing until an index is modified by it"]
#[doc(alias = "collMod")]
pub struct IndexChange {
    pub(super) hidden: Option<bool>,
    pub(super) expire_after: Option<Duration>,
    pub(super) prepare_unique: Option<bool>,
    pub(super) unique: bool,
}

impl IndexChange {
    /// Hides the index from queries, or shows it again.
    ///
    /// # Examples
    /// ```
    /// # use larder::document::IndexChange;
    /// assert_ne!(IndexChange::default().hidden(true), IndexChange::default());
    /// ```
    pub fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = Some(hidden);
        self
    }

    /// Sets how long after their date documents are kept, also of an index that kept them for ever.
    ///
    /// # Examples
    /// ```
    /// # use std::time::Duration;
    /// # use larder::document::IndexChange;
    /// assert_ne!(IndexChange::default().expire_after(Duration::from_secs(1)), IndexChange::default());
    /// ```
    #[doc(alias = "expireAfterSeconds")]
    pub fn expire_after(mut self, after: Duration) -> Self {
        self.expire_after = Some(after);
        self
    }

    /// Refuses second documents for a key from now on, or lets them in again ([`IndexOptions::prepare_unique`]).
    ///
    /// # Examples
    /// ```
    /// # use larder::document::IndexChange;
    /// assert_ne!(IndexChange::default().prepare_unique(true), IndexChange::default());
    /// ```
    #[doc(alias = "prepareUnique")]
    pub fn prepare_unique(mut self, prepare: bool) -> Self {
        self.prepare_unique = Some(prepare);
        self
    }

    /// Makes an index that is prepared for it unique, if no two documents have the same key.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Document, Store, bson::doc, document::{IndexChange, IndexOptions}};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "age": 1 }, IndexOptions::default().prepare_unique(true))?;
    /// people.modify_index("age_1", IndexChange::default().unique())?;
    /// assert!(people.list_indexes()?[1].unique);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// Whether two documents of keys have the same values, whatever the types of their numbers.
pub(in crate::document) fn same_values(a: &Document, b: &Document) -> bool {
    let same =
        |(a, b): ((&String, &Bson), (&String, &Bson))| a.0 == b.0 && Order::SIMPLE.compare_bson(a.1, b.1).is_eq();
    a.len() == b.len() && a.iter().zip(b).all(same)
}
