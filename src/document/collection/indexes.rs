//! Making, listing and dropping a collection's indexes.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use std::sync::Arc;

use bson::Document;

use crate::catalog::fill;
use crate::catalog::job::{self, Allowance};
use crate::document::build::{self, FILLING};
use crate::document::code::Code;
use crate::document::collection::Collection;
use crate::document::layout;
use crate::document::schema::{Added, Index, IndexChange, IndexInfo, IndexOptions};
use crate::document::stored;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Claim, Scope, View, WriteScope};

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
        self.scope.read(self.operation("list_indexes"), |view| {
            let entry = self.namespace.get_collection(view)?;
            Ok(entry.map_or_else(Vec::new, |entry| {
                entry.record.indexes.iter().map(|index| IndexInfo::from(&**index)).collect()
            }))
        })
    }
}

impl<T, S: WriteScope> Collection<T, S> {
    /// Makes an index on `keys`, paths with 1 (ascending), −1 (descending) or "hashed", or `$**` for all paths, and returns its name. An identical index that
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

    /// Makes an index on `keys` as `options` say, and returns its name.
    ///
    /// On the store, the index of a large collection is built in several commits, between which others read and write; queries use
    /// it when it is complete. This waits until then, unless the options say
    /// [`in_background`](IndexOptions::in_background). Writers meanwhile maintain it, and are refused where they
    /// break uniqueness with what is indexed already. A build that was interrupted goes on when the store is opened again. In a
    /// transaction the index is complete at once.
    ///
    /// # Errors
    /// [`InvalidKind::OptionsConflict`](crate::InvalidKind::OptionsConflict) when the same keys are indexed under other
    /// options, [`Error::AlreadyExists`] when the name is in use for other keys; [`Error::DuplicateKey`] when documents have
    /// one key in an index that is to be unique, which is then taken away again; [`Error::NotFound`] when it was dropped before it was
    /// complete; [`Error::Unsupported`] for another kind of index; [`Error::LimitExceeded`] past 64 indexes or 32 keys.
    ///
    /// # Cost
    /// O(n log n) in the documents there are.
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
        stored::check_values(&keys)?;
        options.check_depths()?;
        let waits_on = self.scope.auto_commit().filter(|_| !options.is_in_background());
        loop {
            // Claimed before others see the job: what goes wrong with it is for this thread to know.
            let mut claim: Option<Claim<'_>> = None;
            let made = self.scope.write(self.operation("create_index"), |writer| {
                claim = None;
                let entry = self.namespace.get_or_create(writer)?;
                let mut changed = entry.as_ref().clone();
                let (index, is_new) = match changed.record.add(&keys, &options)? {
                    Added::Already(index) => (index, false),
                    Added::New(index) => (index, true),
                };
                let target = layout::index_prefix(changed.storage, index.id);
                if index.expire_after.is_some() {
                    let now = writer.now();
                    writer.wake_at(now);
                }
                let is_complete = if is_new {
                    let in_steps = waits_on.is_some() || options.is_in_background();
                    let mut allowance = if in_steps { Allowance::of_step() } else { Allowance::unbounded() };
                    build::begin(writer, &self.namespace, &mut changed, &index, &mut allowance)?
                } else {
                    !index.building
                };
                if let (true, false, Some(store)) = (is_new, is_complete, waits_on) {
                    claim = store.core().claims().try_claim(&target);
                }
                Ok(Made { index, target, is_new, is_complete })
            })?;
            let Some(store) = waits_on.filter(|_| !made.is_complete) else { return Ok(made.index.name.clone()) };
            let claim = claim.take().unwrap_or_else(|| store.core().claims().claim(&made.target));
            let outcome = fill::run(store.core(), &made.target, FILLING);
            drop(claim);
            // Another one's index that could not be built is made anew, and the error found out about.
            if made.is_new {
                outcome?;
                return self.expect_index(&made.index);
            }
        }
    }

    /// The name of `index`, unless it was dropped while it was being built.
    fn expect_index(&self, index: &Index) -> Result<String> {
        self.scope.read(self.operation("create_index"), |view| {
            let entry = self.namespace.get_collection(view)?;
            let is_there = entry.is_some_and(|entry| entry.record.index_of_id(index.id).is_some());
            let gone = || Error::NotFound { what: "index", name: index.name.clone() };
            is_there.then(|| index.name.clone()).ok_or_else(gone)
        })
    }

    /// Changes options of the index `name`, and returns it as it was and as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such index, or no collection; [`Error::Invalid`] for an option that it cannot have, and
    /// for an index that is to be unique while documents have the same key.
    ///
    /// # Cost
    /// O(log n). Making it unique reads its entries.
    ///
    /// # Examples
    /// ```
    /// use larder::document::IndexChange;
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let name = events.create_index(doc! { "user_id": 1 })?;
    /// let (before, after) = events.modify_index(&name, IndexChange::default().hidden(true))?;
    /// assert_eq!((before.hidden, after.hidden), (false, true));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `collMod`.
    #[doc(alias = "collMod")]
    pub fn modify_index(&self, name: &str, change: IndexChange) -> Result<(IndexInfo, IndexInfo)> {
        self.scope.write(self.operation("modify_index"), |writer| {
            let missing = || Error::NotFound { what: "collection", name: self.namespace.name().to_owned() };
            let entry = self.namespace.get_collection(writer)?.ok_or_else(missing)?;
            let mut changed = entry.as_ref().clone();
            let (before, after) = changed.record.change(name, &change)?;
            if after.unique && !before.unique {
                refuse_duplicates(writer, &layout::index_prefix(changed.storage, after.id), name)?;
            }
            if before != after {
                self.namespace.update(writer, &changed)?;
            }
            if after.expire_after.is_some() {
                let now = writer.now();
                writer.wake_at(now);
            }
            Ok((IndexInfo::from(&*before), IndexInfo::from(&*after)))
        })
    }

    /// Drops the index `name`, and returns whether it existed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `_id_`, which every collection has.
    ///
    /// # Cost
    /// O(log n). Its entries are removed in the background, when there are many ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let name = events.create_index(doc! { "user_id": 1 })?;
    /// assert!(events.drop_index(&name)?);
    /// assert!(!events.drop_index(&name)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `dropIndexes`.
    #[doc(alias = "dropIndex")]
    pub fn drop_index(&self, name: &str) -> Result<bool> {
        self.scope.write(self.operation("drop_index").freeing(true), |writer| {
            let Some(entry) = self.namespace.get_collection(writer)? else { return Ok(false) };
            let mut changed = entry.as_ref().clone();
            let Some(index) = changed.record.remove(name)? else { return Ok(false) };
            self.namespace.update(writer, &changed)?;
            let target = layout::index_prefix(changed.storage, index.id);
            job::cancel(writer, &target)?;
            job::remove(writer, &target)?;
            job::remove(writer, &layout::index_arrays_prefix(changed.storage, index.id))?;
            Ok(true)
        })
    }
}

/// What [`Collection::create_index_with`] found or made.
struct Made {
    index: Arc<Index>,
    target: Vec<u8>,
    is_new: bool,
    is_complete: bool,
}

/// Refuses to make the index whose entries begin with `prefix` unique when two of them have the same key.
fn refuse_duplicates(view: &View, prefix: &[u8], name: &str) -> Result<()> {
    let mut cursor = view.range(&KeyRange::prefix(prefix), Direction::Forward)?;
    let mut last: Option<Vec<u8>> = None;
    while let Some((key, _)) = cursor.next()? {
        let fields = layout::entry_fields(prefix, key)?;
        if last.as_deref() == Some(fields) {
            let message = format!("index {name:?} cannot be unique: there are documents with the same key");
            return Err(Code::CANNOT_CONVERT_INDEX_TO_UNIQUE.value(message));
        }
        let kept = last.get_or_insert_default();
        kept.clear();
        kept.extend_from_slice(fields);
    }
    Ok(())
}
