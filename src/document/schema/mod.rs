//! What the catalogue keeps about a collection: its indexes, its options, and who it is.

mod collection_change;
mod collection_options;
mod index;
mod index_options;
mod namespace;
mod record;
mod validation;

use std::sync::Arc;

use bson::{Document, Uuid, doc};
use serde::{Deserialize, Serialize};

pub use self::collection_change::CollectionChange;
pub use self::collection_options::{Capped, CollectionInfo, CollectionOptions, ValidationAction, ValidationLevel};
pub(super) use self::index::Index;
use self::index::{missing, seconds};
pub use self::index_options::{IndexChange, IndexInfo, IndexOptions};
pub(super) use self::namespace::Namespace;
use self::record::Stored;
use self::validation::Validator;
use crate::document::code::Code;
use crate::document::collation::{Collation, Collator};
use crate::document::index_kind::IndexKind;
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
    /// Shared, because every write takes a copy.
    options: Arc<CollectionOptions>,
    /// What the options demand of documents.
    pub(super) validator: Option<Arc<Validator>>,
}

impl Schema {
    /// A new collection: one index, on `_id`.
    pub(super) fn new(uuid: Option<Uuid>, options: CollectionOptions) -> Result<Self> {
        let collator = options.collation.as_ref().map(Collation::compile).transpose()?.flatten();
        let id_index = Index::plain(0, ID_INDEX.to_owned(), doc! { "_id": 1 }, None)?.collated(collator.as_ref());
        let id_index = Index { unique: true, ..id_index };
        let mut schema = Self { indexes: vec![Arc::new(id_index)], next_index: 1, uuid, ..Self::empty() };
        schema.set_options(options)?;
        Ok(schema)
    }

    fn empty() -> Self {
        Self { indexes: Vec::new(), next_index: 0, uuid: None, options: Arc::default(), validator: None }
    }

    /// Whether it has no documents of its own.
    pub(super) fn is_view(&self) -> bool {
        self.options.view.is_some()
    }

    pub(super) fn options(&self) -> &CollectionOptions {
        &self.options
    }

    /// Gives the collection other options.
    ///
    /// # Errors
    /// Those of its validator, when that does not compile.
    pub(super) fn set_options(&mut self, options: CollectionOptions) -> Result<()> {
        self.validator = Validator::of(&options)?.map(Arc::new);
        self.options = Arc::new(options);
        Ok(())
    }

    /// What orders text in the collection unless an operation or an index says otherwise, and always in the index on `_id`.
    pub(super) fn collator(&self) -> Option<&Arc<Collator>> {
        self.indexes.first().and_then(|index| index.pattern.collator())
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

    /// Notes that `path` goes through an array in the index with the number `id`.
    fn note_array(&mut self, id: u32, path: &str) {
        let Some(index) = self.indexes.iter_mut().find(|index| index.id == id) else { return };
        if index.kind.wildcard().is_some() {
            let paths = &mut Arc::make_mut(index).array_paths;
            if let Err(place) = paths.binary_search_by(|known| known.as_str().cmp(path)) {
                paths.insert(place, path.to_owned());
            }
        } else if let Some(place) = index.pattern.fields().iter().position(|field| field.path.as_str() == path) {
            Arc::make_mut(index).multikey |= 1 << place;
        }
    }

    /// Changes options of the index named `name`, and returns it as it was and as it is. Whether there are documents that stand in
    /// the way of its being unique is the caller's affair.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Invalid`] for an option that it cannot have.
    pub(super) fn change(&mut self, name: &str, change: &IndexChange) -> Result<(Arc<Index>, Arc<Index>)> {
        let index = self.indexes.iter_mut().find(|index| index.name == name).ok_or_else(|| missing(name))?;
        let before = Arc::clone(index);
        let after = Arc::make_mut(index);
        if let Some(hidden) = change.hidden {
            if after.is_on_id() {
                return Err(Code::BAD_VALUE.value("the index on _id cannot be hidden"));
            }
            after.hidden = hidden;
        }
        if let Some(expire_after) = change.expire_after {
            after.check_expiring().map_err(|_| {
                Code::INVALID_OPTIONS.value("an index that expires documents has one field, which is not _id")
            })?;
            after.expire_after =
                Some(seconds(expire_after).map_err(|error| Code::INVALID_OPTIONS.value(error.to_string()))?);
        }
        if change.prepare_unique.is_some() || change.unique {
            if after.is_on_id() || after.kind != IndexKind::Ordered {
                return Err(Code::INVALID_OPTIONS.value("an index of this kind cannot become unique"));
            }
            if change.unique && !after.prepare_unique && !after.unique {
                return Err(Code::INVALID_OPTIONS.value("an index has to be prepared before it becomes unique"));
            }
            after.prepare_unique = change.prepare_unique.unwrap_or(after.prepare_unique) && !change.unique;
            after.unique |= change.unique;
        }
        Ok((before, Arc::clone(index)))
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
    pub(super) fn add(&mut self, keys: &Document, options: &IndexOptions) -> Result<Added> {
        let wanted = Index::with(self.next_index, keys.clone(), options, self.collator())?;
        if wanted.is_on_id() && wanted.pattern.collator() != self.collator() {
            return Err(Code::BAD_VALUE.value("the index on _id has the collation of the collection"));
        }
        limits::check("index name bytes", limits::NAME_BYTES_MAX, wanted.name.len())?;
        if wanted.name.is_empty() || wanted.name.contains('\0') || wanted.name == "*" {
            let message = format!("an index cannot be named {:?}", wanted.name);
            return Err(Code::CANNOT_CREATE_INDEX.value(message));
        }
        // Indexes with the same keys stand side by side when other options than these differ.
        if let Some(same) = self.indexes.iter().find(|index| index.is_like(&wanted)) {
            let has_name = options.name.as_ref().is_none_or(|name| *name == same.name) || same.is_on_id();
            if !has_name {
                let message = format!("index {:?} has the same keys and options under another name", same.name);
                return Err(Error::invalid(InvalidKind::OptionsConflict, message));
            }
            if !same.has_options_of(&wanted) {
                let message = format!("index {:?} exists with other options", same.name);
                return Err(Error::invalid(InvalidKind::OptionsConflict, message));
            }
            return Ok(Added::Already(Arc::clone(same)));
        }
        if self.index(&wanted.name).is_some() {
            return Err(Error::AlreadyExists { what: "index", name: wanted.name });
        }
        limits::check("indexes of a collection", limits::COLLECTION_INDEXES_MAX, self.indexes.len() + 1)?;
        let index = Arc::new(wanted);
        self.next_index = self.next_index.saturating_add(1);
        self.indexes.push(Arc::clone(&index));
        Ok(Added::New(index))
    }

    /// Takes out all indexes but that on `_id`, and returns them.
    pub(super) fn remove_secondary(&mut self) -> Vec<Arc<Index>> {
        let (kept, removed) = self.indexes.drain(..).partition(|index| index.name == ID_INDEX);
        self.indexes = kept;
        removed
    }

    /// Takes out the index named `name`, if there is one.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for the index on `_id`, which a collection always has.
    pub(super) fn remove(&mut self, name: &str) -> Result<Option<Arc<Index>>> {
        if name == ID_INDEX {
            return Err(Code::INVALID_OPTIONS.value("the index on _id cannot be dropped"));
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

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: DOC-IDX-10
    #[test]
    fn an_identical_index_is_not_added_again_and_conflicts_are_told_apart() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        let (keys, plain) = (doc! { "a": 1, "b": -1 }, IndexOptions::default());
        let Added::New(index) = schema.add(&keys, &plain).unwrap() else { panic!("new") };
        assert_eq!((index.id, index.name.as_str()), (1, "a_1_b_-1"));
        assert!(matches!(schema.add(&keys, &plain).unwrap(), Added::Already(index) if index.name == "a_1_b_-1"));
        assert!(matches!(schema.add(&doc! { "_id": 1 }, &plain).unwrap(), Added::Already(_)));
        let error = schema.add(&keys, &plain.clone().name("other")).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::OptionsConflict, .. }));
        // Other options make another index, under another name.
        let error = schema.add(&keys, &plain.clone().unique(true)).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { what: "index", .. }));
        let Added::New(unique) = schema.add(&keys, &plain.clone().unique(true).name("u")).unwrap() else {
            panic!("new")
        };
        assert_eq!((unique.name.as_str(), unique.unique, schema.indexes.len()), ("u", true, 3));
        let error = schema.add(&doc! { "c": 1 }, &plain.name("a_1_b_-1")).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { what: "index", .. }));
    }

    // SEM: DOC-IDX-10
    #[test]
    fn a_collection_has_at_most_64_indexes() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        for n in 1..64 {
            schema.add(&doc! { format!("f{n}"): 1 }, &IndexOptions::default()).unwrap();
        }
        let error = schema.add(&doc! { "more": 1 }, &IndexOptions::default()).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 64, found: 65, .. }));
    }

    #[test]
    fn numbers_of_dropped_indexes_are_not_given_out_again() {
        let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
        schema.add(&doc! { "a": 1 }, &IndexOptions::default()).unwrap();
        assert_eq!(schema.remove("a_1").unwrap().unwrap().id, 1);
        let Added::New(index) = schema.add(&doc! { "a": 1 }, &IndexOptions::default()).unwrap() else { panic!() };
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
