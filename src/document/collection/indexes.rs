//! Making, listing and dropping a collection's indexes.

#![expect(clippy::needless_pass_by_value, reason = "filters, updates and keys are written in place, with `doc!`")]

use std::sync::Arc;

use bson::Document;

use crate::catalog::job::{self, Allowance};
use crate::catalog::{Entry, fill};
use crate::document::build::{self, FILLING};
use crate::document::code::Code;
use crate::document::collection::Collection;
use crate::document::layout;
use crate::document::schema::{Added, Index, IndexChange, IndexInfo, IndexOptions, Schema};
use crate::document::stored;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Claim, Scope, View, WriteScope, Writer};

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
        let names = self.create_indexes([(keys, options)])?;
        Ok(names.into_iter().next().unwrap_or_default())
    }

    /// Makes an index for each of `indexes`, keys with options, and returns their names. They are there together or not at all: if
    /// one cannot be made, none is.
    ///
    /// # Errors
    /// As [`Collection::create_index_with`].
    ///
    /// # Isolation and cost
    /// Their definitions are one commit, whatever each takes to be built. O(n log n) in the documents there are, for each.
    ///
    /// # Examples
    /// ```
    /// use larder::document::IndexOptions;
    /// use larder::{Document, Store, bson::doc};
    /// let people = Store::in_memory().collection::<Document>("people");
    /// let unique = IndexOptions::default().unique(true);
    /// let names = people.create_indexes([(doc! { "name": 1 }, IndexOptions::default()), (doc! { "email": 1 }, unique)])?;
    /// assert_eq!(names, ["name_1", "email_1"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `createIndexes`.
    #[doc(alias = "createIndexes")]
    pub fn create_indexes(&self, indexes: impl IntoIterator<Item = (Document, IndexOptions)>) -> Result<Vec<String>> {
        let wanted: Vec<_> = indexes.into_iter().collect();
        for (keys, options) in &wanted {
            stored::check_values(keys)?;
            options.check_depths()?;
        }
        let store = self.scope.auto_commit();
        loop {
            let mut made = self.scope.write(self.operation("create_index"), |writer| {
                let entry = self.namespace.get_or_create(writer)?;
                let mut changed = entry.as_ref().clone();
                let mut allowance = Allowance::of_step();
                let mut made = Vec::with_capacity(wanted.len());
                for (keys, options) in &wanted {
                    made.push(self.begin_index(writer, &mut changed, (keys, options), &mut allowance)?);
                }
                Ok(made)
            })?;
            let names = made.iter().map(|made| made.index.name.clone()).collect();
            let Some(store) = store else { return Ok(names) };
            // Those of others are waited for without holding any back.
            made.sort_by_key(|made| !made.is_new);
            let mut waited_for_others = false;
            for place in 0..made.len() {
                let Some(one) = made.get_mut(place).filter(|made| made.is_awaited && !made.is_complete) else {
                    continue;
                };
                let claim = one.claim.take().unwrap_or_else(|| store.core().claims().claim(&one.target));
                let outcome = fill::run(store.core(), &one.target, FILLING);
                drop(claim);
                if !one.is_new {
                    // Another one's that could not be built is made anew, and the error found out about.
                    waited_for_others = true;
                } else if let Err(error) = outcome.and_then(|()| self.expect_index(&one.index)) {
                    // The one that failed is gone already, and others may have made another of that name.
                    let mut new = made.iter().filter(|made| made.is_new);
                    new.try_for_each(|made| self.drop_index_at(&made.index.name, Some(&made.target)).map(drop))?;
                    return Err(error);
                }
            }
            if !waited_for_others {
                return Ok(names);
            }
        }
    }

    /// Adds an index to `entry`, and begins to build it.
    fn begin_index<'c>(
        &'c self,
        writer: &mut Writer,
        entry: &mut Entry<Schema>,
        (keys, options): (&Document, &IndexOptions),
        allowance: &mut Allowance,
    ) -> Result<Made<'c>> {
        let (index, is_new) = match entry.record.add(keys, options)? {
            Added::Already(index) => (index, false),
            Added::New(index) => (index, true),
        };
        let target = layout::index_prefix(entry.storage, index.id);
        if index.expire_after.is_some() {
            let now = writer.now();
            writer.wake_at(now);
        }
        let store = self.scope.auto_commit();
        let is_awaited = store.is_some() && !options.is_in_background();
        let is_complete = match (is_new, store.is_some() || options.is_in_background()) {
            (true, true) => build::begin(writer, &self.namespace, entry, &index, allowance)?,
            (true, false) => build::begin(writer, &self.namespace, entry, &index, &mut Allowance::unbounded())?,
            (false, _) => !index.building,
        };
        let mut made = Made { index, target, is_new, is_complete, is_awaited, claim: None };
        if let (true, false, true, Some(store)) = (is_new, is_complete, is_awaited, store) {
            // Claimed before others see the job: what goes wrong with it is for this thread to know.
            made.claim = store.core().claims().try_claim(&made.target);
        }
        Ok(made)
    }

    /// # Errors
    /// [`Error::NotFound`] if `index` was dropped while it was being built.
    fn expect_index(&self, index: &Index) -> Result<()> {
        self.scope.read(self.operation("create_index"), |view| {
            let entry = self.namespace.get_collection(view)?;
            let is_there = entry.is_some_and(|entry| entry.record.index_of_id(index.id).is_some());
            let gone = || Error::NotFound { what: "index", name: index.name.clone() };
            is_there.then_some(()).ok_or_else(gone)
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
        self.drop_index_at(name, None)
    }

    /// Drops the index `name`, with `expected` only if that is where its entries are, and returns whether it did.
    pub(in crate::document) fn drop_index_at(&self, name: &str, expected: Option<&[u8]>) -> Result<bool> {
        self.scope.write(self.operation("drop_index").freeing(true), |writer| {
            let Some(entry) = self.namespace.get_collection(writer)? else { return Ok(false) };
            let mut changed = entry.as_ref().clone();
            let Some(index) = changed.record.remove(name)? else { return Ok(false) };
            let target = layout::index_prefix(changed.storage, index.id);
            if expected.is_some_and(|expected| expected != target) {
                return Ok(false);
            }
            self.namespace.update(writer, &changed)?;
            job::cancel(writer, &target)?;
            job::remove(writer, &target)?;
            job::remove(writer, &layout::index_arrays_prefix(changed.storage, index.id))?;
            Ok(true)
        })
    }
}

/// What [`Collection::create_indexes`] found or made.
struct Made<'c> {
    index: Arc<Index>,
    target: Vec<u8>,
    is_new: bool,
    is_complete: bool,
    /// Whether the call is to wait until it is complete.
    is_awaited: bool,
    claim: Option<Claim<'c>>,
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
