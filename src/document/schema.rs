//! What the catalogue keeps about a collection: its indexes.

use std::sync::Arc;

use bson::Document;
use serde::{Deserialize, Serialize};

use crate::catalog::{Entry, Kind, Target, growing};
use crate::document::code::Code;
use crate::document::pattern::Pattern;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::{Operation, View, Writer};

/// Name of the index every collection has.
pub(super) const ID_INDEX: &str = "_id_";

/// The indexes of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct Schema {
    /// In order of creation; `_id_` first. Shared, because every plan and every write takes copies.
    pub(super) indexes: Vec<Arc<Index>>,
    /// Numbers are not given out again, so that a dropped index cannot be mistaken for its successor.
    next_index: u32,
}

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) unique: bool,
    /// The fields that go through an array in some document, or once did: one bit each, the first lowest.
    pub(super) multikey: u32,
    /// Whether a job is still making its entries: it is maintained, and read by nobody.
    pub(super) building: bool,
}

/// The stored form. A later one is another variant.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stored {
    V1 {
        #[serde(with = "growing")]
        indexes: Vec<StoredIndex>,
        next_index: u32,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredIndex {
    id: u32,
    name: String,
    keys: Vec<(String, i8)>,
    unique: bool,
    multikey: u32,
    building: bool,
}

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
    unique: bool,
    name: Option<String>,
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
    pub(super) fn is_in_background(&self) -> bool {
        self.in_background
    }
}

impl Schema {
    /// A new collection: one index, on `_id`.
    pub(super) fn new() -> Result<Self> {
        let pattern = Pattern::from_pairs(&[("_id".to_owned(), 1)])?;
        let id_index = Index { id: 0, name: ID_INDEX.to_owned(), pattern, unique: true, multikey: 0, building: false };
        Ok(Self { indexes: vec![Arc::new(id_index)], next_index: 1 })
    }

    /// The index with the number `id`.
    pub(super) fn index_of_id(&self, id: u32) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| index.id == id)
    }

    /// Sets whether the index with the number `id` is being built.
    pub(super) fn set_building(&mut self, id: u32, building: bool) {
        if let Some(index) = self.indexes.iter_mut().find(|index| index.id == id) {
            Arc::make_mut(index).building = building;
        }
    }

    /// The index named `name`.
    pub(super) fn index(&self, name: &str) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// Adds an index and returns it, or the identical one that exists.
    ///
    /// # Errors
    /// [`InvalidKind::OptionsConflict`] for keys that are indexed under other options, [`Error::AlreadyExists`] for a name
    /// that is in use for other keys, [`Error::LimitExceeded`] for too many indexes.
    pub(super) fn add(&mut self, pattern: &Pattern, options: &IndexOptions) -> Result<Added> {
        if matches!(pattern.fields(), [field] if field.path.as_str() == "_id" && field.descending) {
            return Err(Code::BAD_VALUE.value("the index on _id is ascending"));
        }
        let name = options.name.clone().unwrap_or_else(|| default_name(pattern));
        limits::check("index name bytes", limits::NAME_BYTES_MAX, name.len())?;
        // Indexes with the same keys stand side by side when their options differ. `_id_` is unique without saying so.
        let is_same = |index: &Arc<Index>| {
            index.pattern == *pattern && (index.unique == options.unique || index.name == ID_INDEX)
        };
        if let Some(same) = self.indexes.iter().find(|index| is_same(index)) {
            if options.name.as_ref().is_some_and(|name| *name != same.name) {
                let message = format!("index {:?} has the same keys and options under another name", same.name);
                return Err(Error::invalid(InvalidKind::OptionsConflict, message));
            }
            return Ok(Added::Already(Arc::clone(same)));
        }
        if self.index(&name).is_some() {
            return Err(Error::AlreadyExists { what: "index", name });
        }
        limits::check("indexes of a collection", limits::COLLECTION_INDEXES_MAX, self.indexes.len() + 1)?;
        let (id, pattern, unique) = (self.next_index, pattern.clone(), options.unique);
        let index = Arc::new(Index { id, name, pattern, unique, multikey: 0, building: false });
        self.next_index = self.next_index.saturating_add(1);
        self.indexes.push(Arc::clone(&index));
        Ok(Added::New(index))
    }

    /// Takes out the index named `name`, if there is one.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for the index on `_id`, which a collection always has.
    pub(super) fn remove(&mut self, name: &str) -> Result<Option<Arc<Index>>> {
        if name == ID_INDEX {
            return Err(Error::value("the index on _id cannot be dropped"));
        }
        let place = self.indexes.iter().position(|index| index.name == name);
        Ok(place.map(|place| self.indexes.remove(place)))
    }
}

/// What [`Schema::add`] did.
#[derive(Clone, Debug)]
pub(super) enum Added {
    New(Arc<Index>),
    Already(Arc<Index>),
}

impl TryFrom<Stored> for Schema {
    type Error = Error;

    fn try_from(Stored::V1 { indexes, next_index }: Stored) -> Result<Self> {
        let index = |StoredIndex { id, name, keys, unique, multikey, building }| {
            Ok(Arc::new(Index { id, name, pattern: Pattern::from_pairs(&keys)?, unique, multikey, building }))
        };
        Ok(Self { indexes: indexes.into_iter().map(index).collect::<Result<_>>()?, next_index })
    }
}

impl From<Schema> for Stored {
    fn from(Schema { indexes, next_index }: Schema) -> Self {
        let index = |index: Arc<Index>| {
            let Index { id, ref name, ref pattern, unique, multikey, building } = *index;
            StoredIndex { id, name: name.clone(), keys: pattern.to_pairs(), unique, multikey, building }
        };
        Self::V1 { indexes: indexes.into_iter().map(index).collect(), next_index }
    }
}

/// The name of a collection, and what the catalogue says of it.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    in_catalogue: Target<Schema>,
    /// `database.name`, as errors and records of operations name it.
    target: String,
}

impl Namespace {
    pub(super) fn new(database: &str, name: &str) -> Self {
        let target = format!("{database}.{name}");
        Self { in_catalogue: Target::new(Kind::Collection, database, name), target }
    }

    pub(super) fn database(&self) -> &str {
        self.in_catalogue.namespace()
    }

    pub(super) fn name(&self) -> &str {
        self.in_catalogue.name()
    }

    /// `collection "shop"."orders"`, for an error.
    pub(super) fn label(&self) -> String {
        format!("collection {:?}.{:?}", self.database(), self.name())
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The operation `verb` on the collection, for the record that is made of it.
    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("document", verb, &self.target)
    }

    /// The collection's entry; `None` when it does not exist.
    pub(super) fn get(&self, view: &View) -> Result<Option<Arc<Entry<Schema>>>> {
        self.in_catalogue.get(view)
    }

    /// The collection's entry; creates the collection when it does not exist.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for a name that no collection can have, [`Error::LimitExceeded`] for one too long.
    pub(super) fn get_or_create(&self, writer: &mut Writer) -> Result<Arc<Entry<Schema>>> {
        if let Some(entry) = self.get(writer)? {
            return Ok(entry);
        }
        self.check_name()?;
        self.in_catalogue.create(writer, Schema::new()?)
    }

    /// Refuses a name that no collection can have.
    pub(super) fn check_name(&self) -> Result<()> {
        let clean = |text: &str| !text.is_empty() && !text.contains('\0');
        if !clean(self.database()) || !clean(self.name()) || self.name().contains('$') {
            let message = format!("a collection cannot be named {:?}", self.target);
            return Err(Error::value(message));
        }
        Ok(())
    }

    /// Replaces the collection's entry.
    pub(super) fn update(&self, writer: &mut Writer, entry: &Entry<Schema>) -> Result<()> {
        self.in_catalogue.update(writer, entry)
    }

    /// Takes the collection out of the catalogue.
    pub(super) fn remove(&self, writer: &mut Writer) {
        self.in_catalogue.remove(writer);
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

fn default_name(pattern: &Pattern) -> String {
    let parts: Vec<_> = pattern.to_pairs().into_iter().map(|(path, direction)| format!("{path}_{direction}")).collect();
    parts.join("_")
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]
mod tests {
    use super::*;
    use bson::doc;

    fn pattern(keys: Document) -> Pattern {
        Pattern::parse(&keys).unwrap()
    }

    // SEM: DOC-IDX-10
    #[test]
    fn an_identical_index_is_not_added_again_and_conflicts_are_told_apart() {
        let mut schema = Schema::new().unwrap();
        let (keys, plain) = (pattern(doc! { "a": 1, "b": -1 }), IndexOptions::default());
        let Added::New(index) = schema.add(&keys, &plain).unwrap() else { panic!("new") };
        assert_eq!((index.id, index.name.as_str()), (1, "a_1_b_-1"));
        assert!(matches!(schema.add(&keys, &plain).unwrap(), Added::Already(index) if index.name == "a_1_b_-1"));
        assert!(matches!(schema.add(&pattern(doc! { "_id": 1 }), &plain).unwrap(), Added::Already(_)));
        let error = schema.add(&keys, &plain.clone().name("other")).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::OptionsConflict, .. }));
        // Class 19 of the wrong answers: other options make another index, under another name.
        let error = schema.add(&keys, &plain.clone().unique(true)).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { what: "index", .. }));
        let Added::New(unique) = schema.add(&keys, &plain.clone().unique(true).name("u")).unwrap() else {
            panic!("new")
        };
        assert_eq!((unique.name.as_str(), unique.unique, schema.indexes.len()), ("u", true, 3));
        let error = schema.add(&pattern(doc! { "c": 1 }), &plain.name("a_1_b_-1")).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { what: "index", .. }));
    }

    // SEM: DOC-IDX-10
    #[test]
    fn a_collection_has_at_most_64_indexes() {
        let mut schema = Schema::new().unwrap();
        for n in 1..64 {
            schema.add(&pattern(doc! { format!("f{n}"): 1 }), &IndexOptions::default()).unwrap();
        }
        let error = schema.add(&pattern(doc! { "more": 1 }), &IndexOptions::default()).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 64, found: 65, .. }));
    }

    #[test]
    fn numbers_of_dropped_indexes_are_not_given_out_again() {
        let mut schema = Schema::new().unwrap();
        schema.add(&pattern(doc! { "a": 1 }), &IndexOptions::default()).unwrap();
        assert_eq!(schema.remove("a_1").unwrap().unwrap().id, 1);
        let Added::New(index) = schema.add(&pattern(doc! { "a": 1 }), &IndexOptions::default()).unwrap() else {
            panic!()
        };
        assert_eq!(index.id, 2);
        assert!(schema.remove("_id_").is_err() && schema.remove("gone").unwrap().is_none());
    }

    #[test]
    fn a_schema_comes_back_from_its_stored_form() {
        let mut schema = Schema::new().unwrap();
        schema.add(&pattern(doc! { "a.b": -1 }), &IndexOptions::default().unique(true)).unwrap();
        assert_eq!(Schema::try_from(Stored::from(schema.clone())).unwrap(), schema);
        let bad = StoredIndex { id: 1, name: "x".into(), keys: vec![], unique: false, multikey: 0, building: false };
        assert!(Schema::try_from(Stored::V1 { indexes: vec![bad], next_index: 2 }).is_err());
    }
}
