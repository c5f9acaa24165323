//! Making, listing and dropping a collection's indexes.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use bson::Document;

use crate::catalog::job;
use crate::document::collection::Collection;
use crate::document::layout;
use crate::document::maintain::Records;
use crate::document::pattern::Pattern;
use crate::document::schema::{Added, IndexInfo, IndexOptions};
use crate::error::{Error, Result};
use crate::txn::{Operation, Scope, WriteScope};

impl<T, S: Scope> Collection<T, S> {
    /// The collection's indexes, oldest first: `_id_`, then those made. Empty when the collection does not exist.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the catalogue does not decode.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.create_index(doc! { "user_id": 1 })?;
    /// let names: Vec<_> = events.list_indexes()?.into_iter().map(|index| index.name).collect();
    /// assert_eq!(names, ["_id_", "user_id_1"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `listIndexes`.
    #[doc(alias("getIndexes", "list_index_names"))]
    pub fn list_indexes(&self) -> Result<Vec<IndexInfo>> {
        self.scope.read(Operation::new("document", "list_indexes", self.namespace.target()), |view| {
            let entry = self.namespace.get(view)?;
            Ok(entry.map_or_else(Vec::new, |entry| {
                entry.record.indexes.iter().map(|index| IndexInfo::from(&**index)).collect()
            }))
        })
    }
}

impl<T, S: WriteScope> Collection<T, S> {
    /// Makes an index on `keys`, paths with 1 (ascending) or −1 (descending), and answers its name. An identical index that
    /// exists is left as it is.
    ///
    /// # Errors
    /// As [`Collection::create_index_with`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// assert_eq!(events.create_index(doc! { "user_id": 1, "timestamp": -1 })?, "user_id_1_timestamp_-1");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `createIndex`.
    #[doc(alias("createIndex", "ensureIndex"))]
    pub fn create_index(&self, keys: Document) -> Result<String> {
        self.create_index_with(keys, IndexOptions::default())
    }

    /// Makes an index on `keys` as `options` say, and answers its name.
    ///
    /// # Errors
    /// [`InvalidKind::OptionsConflict`](crate::InvalidKind::OptionsConflict) when the same keys are indexed under other
    /// options, [`Error::AlreadyExists`] when the name is in use for other keys; [`Error::DuplicateKey`] when documents have
    /// one key in an index that is to be unique; [`Error::Unsupported`] for another kind of index;
    /// [`Error::LimitExceeded`] past 64 indexes or 32 keys.
    ///
    /// # Cost
    /// O(n log n): the documents there are get their entries at once.
    ///
    /// # Examples
    /// ```
    /// use larder::document::IndexOptions;
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true))?;
    /// people.insert_one(&doc! { "email": "ann@example.org" })?;
    /// let error = people.insert_one(&doc! { "email": "ann@example.org" }).unwrap_err();
    /// assert!(error.is_duplicate_key());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `createIndex`.
    #[doc(alias = "IndexModel")]
    pub fn create_index_with(&self, keys: Document, options: IndexOptions) -> Result<String> {
        let pattern = Pattern::parse(&keys)?;
        self.scope.write(Operation::new("document", "create_index", self.namespace.target()), |writer| {
            let entry = self.namespace.get_or_create(writer)?;
            let mut changed = entry.as_ref().clone();
            let index = match changed.record.add(&pattern, &options)? {
                Added::Already(name) => return Ok(name),
                Added::New(index) => index,
            };
            self.namespace.update(writer, &changed)?;
            Records::new(writer, &self.namespace, &changed).build(&index)?;
            Ok(index.name.clone())
        })
    }

    /// Drops the index `name`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such index; [`Error::Invalid`] for `_id_`, which every collection has.
    ///
    /// # Cost
    /// O(log n). Its entries are removed in the background, when there are many ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let name = events.create_index(doc! { "user_id": 1 })?;
    /// events.drop_index(&name)?;
    /// assert!(events.drop_index(&name).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `dropIndexes`.
    #[doc(alias = "dropIndex")]
    pub fn drop_index(&self, name: &str) -> Result<()> {
        self.scope.write(Operation::new("document", "drop_index", self.namespace.target()).freeing(true), |writer| {
            let Some(entry) = self.namespace.get(writer)? else {
                return Err(Error::NotFound { what: "index", name: name.to_owned() });
            };
            let mut changed = entry.as_ref().clone();
            let index = changed.record.remove(name)?;
            self.namespace.update(writer, &changed)?;
            job::remove(writer, &layout::index_prefix(changed.storage, index.id))
        })
    }
}
