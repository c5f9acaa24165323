//! How indexes are made, and how they are told of.

use bson::Document;

use crate::document::schema::Index;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until an index is created with them"]
pub struct IndexOptions {
    pub(super) unique: bool,
    pub(super) name: Option<String>,
    in_background: bool,
}

impl IndexOptions {
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
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// Its keys: paths with 1 or −1.
    pub keys: Document,
    /// Whether no two documents may have the same key.
    pub unique: bool,
    /// Whether its entries are still being made: it does not serve queries yet.
    pub is_building: bool,
}

impl From<&Index> for IndexInfo {
    fn from(index: &Index) -> Self {
        let (keys, unique, is_building) = (index.pattern.to_document(), index.unique, index.building);
        Self { name: index.name.clone(), keys, unique, is_building }
    }
}
