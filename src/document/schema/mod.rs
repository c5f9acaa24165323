//! What the catalogue keeps about a collection: its indexes, its options, and who it is.

mod collection_options;
mod index_options;
mod namespace;
mod record;

use std::sync::Arc;

use bson::Uuid;
use serde::{Deserialize, Serialize};

pub use self::collection_options::{CollectionInfo, CollectionOptions, ValidationAction, ValidationLevel};
pub use self::index_options::{IndexInfo, IndexOptions};
pub(super) use self::namespace::Namespace;
use self::record::Stored;
use crate::document::code::Code;
use crate::document::pattern::Pattern;
use crate::encoding::mix::mix;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// Name of the index every collection has.
pub(super) const ID_INDEX: &str = "_id_";

/// The definition of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct Schema {
    /// In order of creation; `_id_` first. Shared, because every plan and every write takes copies.
    pub(super) indexes: Vec<Arc<Index>>,
    /// Numbers are not given out again, so that a dropped index cannot be mistaken for its successor.
    next_index: u32,
    /// Who it is; of a collection whose definition is as the first version wrote it, unknown.
    uuid: Option<Uuid>,
    pub(super) options: CollectionOptions,
}

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) unique: bool,
    /// The fields that go through an array in some document, or once did: one bit each, the first lowest. As [`Namespace::get`] gives
    /// it, it has all of them; as it is stored, those that were known when the definition was last changed.
    pub(super) multikey: u32,
    /// Whether a job is still making its entries: it is maintained, and read by nobody.
    pub(super) building: bool,
}

impl Schema {
    /// A new collection: one index, on `_id`.
    pub(super) fn new(uuid: Option<Uuid>, options: CollectionOptions) -> Result<Self> {
        let pattern = Pattern::from_pairs(&[("_id".to_owned(), 1)])?;
        let id_index = Index { id: 0, name: ID_INDEX.to_owned(), pattern, unique: true, multikey: 0, building: false };
        Ok(Self { indexes: vec![Arc::new(id_index)], next_index: 1, uuid, options })
    }

    /// Who the collection is whose id is `id`.
    pub(super) fn uuid(&self, id: u32) -> Uuid {
        self.uuid.unwrap_or_else(|| uuid_of(u64::from(id)))
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

    /// Notes that `path` goes through an array in the index with the number `id`, if it has such a field.
    fn note_array(&mut self, id: u32, path: &str) {
        if let Some(index) = self.indexes.iter_mut().find(|index| index.id == id)
            && let Some(place) = index.pattern.fields().iter().position(|field| field.path.as_str() == path)
        {
            Arc::make_mut(index).multikey |= 1 << place;
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

/// The UUID of version 4 that follows from `number`.
fn uuid_of(number: u64) -> Uuid {
    let (first, second) = (mix(number), mix(!number));
    let mut bytes = (u128::from(first) << 64 | u128::from(second)).to_be_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Uuid::from_bytes(bytes)
}

fn default_name(pattern: &Pattern) -> String {
    let parts: Vec<_> = pattern.to_pairs().into_iter().map(|(path, direction)| format!("{path}_{direction}")).collect();
    parts.join("_")
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]
mod tests {
    use super::*;
    use bson::{Document, doc};

    fn pattern(keys: Document) -> Pattern {
        Pattern::parse(&keys).unwrap()
    }

    // SEM: DOC-IDX-10
    #[test]
    fn an_identical_index_is_not_added_again_and_conflicts_are_told_apart() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
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
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        for n in 1..64 {
            schema.add(&pattern(doc! { format!("f{n}"): 1 }), &IndexOptions::default()).unwrap();
        }
        let error = schema.add(&pattern(doc! { "more": 1 }), &IndexOptions::default()).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 64, found: 65, .. }));
    }

    #[test]
    fn numbers_of_dropped_indexes_are_not_given_out_again() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        schema.add(&pattern(doc! { "a": 1 }), &IndexOptions::default()).unwrap();
        assert_eq!(schema.remove("a_1").unwrap().unwrap().id, 1);
        let Added::New(index) = schema.add(&pattern(doc! { "a": 1 }), &IndexOptions::default()).unwrap() else {
            panic!()
        };
        assert_eq!(index.id, 2);
        assert!(schema.remove("_id_").is_err() && schema.remove("gone").unwrap().is_none());
    }

    #[test]
    fn a_uuid_is_of_version_4_and_another_for_each_number() {
        let text = |number| uuid_of(number).to_string();
        assert_eq!((&text(1)[14..15], &text(2)[14..15]), ("4", "4"));
        assert!("89ab".contains(&text(1)[19..20]) && text(1) != text(2));
    }
}
