//! The definition of a collection as the catalogue keeps it.
//!
//! # Storage
//! Record 2 is a BSON document, in which what has its default is left out:
//!
//! | field       | type     | meaning                                                                       |
//! |-------------|----------|-------------------------------------------------------------------------------|
//! | `indexes`   | array    | a document for each index, oldest first                                       |
//! | `nextIndex` | int64    | the number of the next index                                                  |
//! | `uuid`      | binary   | who the collection is, for clients; subtype 4                                 |
//! | `options`   | document | what it was created with, in the words of `listCollections`                   |
//!
//! An index has `id`, `name`, `key`, and, as far as they are not the default, `unique`, `sparse`, `partialFilterExpression`,
//! `wildcardProjection`, `expireAfterSeconds`, `hidden`, `prepareUnique`, `building`, `background` (as it was
//! given), `collation` (in the words of requests, with `keys`: what made the sort keys) and `arrays`: the bits of the fields that were
//! known to go through arrays when the definition was last changed. Those found since are under keys of their own
//! ([`layout`](crate::document::layout)).
//!
//! Record 1 had the same indexes, `nextIndex` and the bits in bincode. It is read, and replaced when the definition changes.
//!
//! # Growing
//! A later version adds fields. A definition with a field that this version does not know is refused by the name of the field,
//! instead of being misunderstood.

use std::sync::Arc;

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use crate::catalog::growing;
use crate::document::collation::{Collation, Collator, KEYS};
use crate::document::index_kind::Partial;
use crate::document::schema::collection_options::{CollectionOptions, unknown};
use crate::document::schema::{Index, Schema};
use crate::error::{Error, Result};

/// The stored form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Stored {
    V1 {
        #[serde(with = "growing")]
        indexes: Vec<IndexV1>,
        next_index: u32,
    },
    V2 {
        /// BSON.
        definition: Vec<u8>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct IndexV1 {
    id: u32,
    name: String,
    keys: Vec<(String, i8)>,
    unique: bool,
    multikey: u32,
    building: bool,
}

impl TryFrom<Stored> for Schema {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        match stored {
            Stored::V1 { indexes, next_index } => {
                let indexes = indexes.into_iter().map(|index| index.read().map(Arc::new)).collect::<Result<_>>()?;
                Ok(Self { indexes, next_index, ..Self::empty() })
            }
            Stored::V2 { definition } => {
                let definition = Document::from_reader(&*definition).map_err(|error| damaged(error.to_string()))?;
                read(definition)
            }
        }
    }
}

impl From<Schema> for Stored {
    fn from(schema: Schema) -> Self {
        // What is too long or too deep for BSON was refused when it was given.
        Self::V2 { definition: write(&schema).to_vec().unwrap_or_default() }
    }
}

impl IndexV1 {
    fn read(self) -> Result<Index> {
        let Self { id, name, keys, unique, multikey, building } = self;
        let keys = keys.into_iter().map(|(path, direction)| (path, Bson::Int32(direction.into()))).collect();
        Ok(Index { unique, multikey, building, ..Index::plain(id, name, keys, None)? })
    }
}

fn read(definition: Document) -> Result<Schema> {
    let mut schema = Schema::empty();
    for (name, value) in definition {
        match (name.as_str(), value) {
            ("indexes", Bson::Array(indexes)) => {
                for index in indexes {
                    let Bson::Document(index) = index else { return Err(damaged("an index is no document")) };
                    schema.indexes.push(Arc::new(read_index(index)?));
                }
            }
            ("nextIndex", value) => schema.next_index = number(&name, &value)?,
            ("uuid", Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes })) => {
                let bytes = bytes.try_into().map_err(|_| damaged("its UUID has not 16 bytes"))?;
                schema.uuid = Some(Uuid::from_bytes(bytes));
            }
            ("options", Bson::Document(options)) => {
                schema.set_options(CollectionOptions::from_document(options)?)?;
            }
            _ => return Err(unknown(&name)),
        }
    }
    Ok(schema)
}

fn read_index(mut definition: Document) -> Result<Index> {
    let mut take = |name: &str| definition.remove(name);
    let (Some(id), Some(Bson::String(name)), Some(Bson::Document(keys))) = (take("id"), take("name"), take("key"))
    else {
        return Err(damaged("an index has no number, no name or no keys"));
    };
    let projection = match take("wildcardProjection") {
        Some(Bson::Document(projection)) => Some(projection),
        None => None,
        Some(_) => return Err(unknown("wildcardProjection")),
    };
    let collator = match take("collation") {
        Some(Bson::Document(collation)) => Some(read_collation(collation)?),
        None => None,
        Some(_) => return Err(unknown("collation")),
    };
    let mut index = Index::plain(number("id", &id)?, name, keys, projection)?.collated(collator.as_ref());
    for (name, value) in definition {
        match (name.as_str(), value) {
            ("unique", Bson::Boolean(value)) => index.unique = value,
            ("sparse", Bson::Boolean(value)) => index.sparse = value,
            ("hidden", Bson::Boolean(value)) => index.hidden = value,
            ("prepareUnique", Bson::Boolean(value)) => index.prepare_unique = value,
            ("building", Bson::Boolean(value)) => index.building = value,
            ("background", Bson::Boolean(value)) => index.background = Some(value),
            ("partialFilterExpression", Bson::Document(filter)) => {
                index.partial = Some(Partial::compile(filter, collator.as_ref())?);
            }
            ("expireAfterSeconds", value) => index.expire_after = Some(number(&name, &value)?),
            ("arrays", value) => index.multikey = number(&name, &value)?,
            _ => return Err(unknown(&name)),
        }
    }
    Ok(index)
}

/// What orders the text of an index: its collation, with what made its sort keys.
fn read_collation(mut collation: Document) -> Result<Arc<Collator>> {
    let keys = collation.remove("keys");
    let collator = Collation::from_document(&collation)?.compile()?;
    let collator = collator.ok_or_else(|| damaged("an index has the simple collation"))?;
    match keys {
        Some(Bson::String(keys)) if keys == KEYS => Ok(collator),
        Some(Bson::String(keys)) => Err(Error::unsupported(format!("an index with the sort keys of {keys}"))),
        _ => Err(damaged("the collation of an index does not say what made its keys")),
    }
}

fn write(schema: &Schema) -> Document {
    let mut definition = doc! {
        "indexes": schema.indexes.iter().map(|index| write_index(index)).collect::<Vec<_>>(),
        "nextIndex": i64::from(schema.next_index),
    };
    if let Some(uuid) = schema.uuid {
        definition.insert("uuid", uuid);
    }
    let options = schema.options.to_document();
    if !options.is_empty() {
        definition.insert("options", options);
    }
    definition
}

fn write_index(index: &Index) -> Document {
    let mut definition = doc! { "id": i64::from(index.id), "name": &index.name, "key": index.keys.clone() };
    let set = [
        ("unique", index.unique),
        ("sparse", index.sparse),
        ("hidden", index.hidden),
        ("prepareUnique", index.prepare_unique),
        ("building", index.building),
    ];
    for (name, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        definition.insert(name, true);
    }
    if let Some(background) = index.background {
        definition.insert("background", background);
    }
    if let Some(partial) = &index.partial {
        definition.insert("partialFilterExpression", partial.text().clone());
    }
    if let Some(projection) = &index.wildcard_projection {
        definition.insert("wildcardProjection", projection.clone());
    }
    if let Some(seconds) = index.expire_after {
        definition.insert("expireAfterSeconds", i64::from(seconds));
    }
    if let Some(collator) = index.pattern.collator() {
        let mut collation = collator.collation().to_document();
        collation.insert("keys", KEYS);
        definition.insert("collation", collation);
    }
    if index.multikey != 0 {
        definition.insert("arrays", i64::from(index.multikey));
    }
    definition
}

fn number(name: &str, value: &Bson) -> Result<u32> {
    let number = value.as_i64().and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| damaged(format!("{name:?} is no number of 32 bits")))
}

fn damaged(why: impl Into<String>) -> Error {
    Error::corrupt("definition of a collection", why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::schema::IndexOptions;

    fn indexed() -> Schema {
        let mut schema = Schema::new(Some(Uuid::from_bytes([7; 16])), CollectionOptions::default()).unwrap();
        let (plain, a_day) = (IndexOptions::default(), std::time::Duration::from_hours(24));
        let partial = plain.clone().unique(true).partial_filter(doc! { "c": { "$gt": 1 } }).hidden(true);
        for (keys, options) in [
            (doc! { "a.b": -1, "c": 2.5 }, partial),
            (doc! { "at": 1 }, plain.clone().sparse(true).expire_after(a_day)),
            (doc! { "d": "hashed" }, plain.clone()),
            (doc! { "$**": 1 }, plain.clone().wildcard_projection(doc! { "e": 0 })),
            (doc! { "f": 1 }, plain.clone().prepare_unique(true)),
            (doc! { "g": 1 }, plain.note_background(false)),
        ] {
            schema.add(&keys, &options).unwrap();
        }
        schema
    }

    fn of_document(definition: &Document) -> Result<Schema> {
        Schema::try_from(Stored::V2 { definition: definition.to_vec().unwrap() })
    }

    #[test]
    fn a_schema_comes_back_from_its_stored_form() {
        let schema = indexed();
        assert_eq!(Schema::try_from(Stored::from(schema.clone())).unwrap(), schema);
    }

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let keys = vec![("a".to_owned(), -1)];
        let index = IndexV1 { id: 1, name: "x".into(), keys, unique: true, multikey: 1, building: false };
        let read = Schema::try_from(Stored::V1 { indexes: vec![index.clone()], next_index: 2 }).unwrap();
        assert_eq!((read.indexes[0].multikey, &read.indexes[0].keys, read.uuid), (1, &doc! { "a": -1 }, None));
        assert_eq!(Schema::try_from(Stored::from(read.clone())).unwrap(), read, "also once it is written again");
        let bad = IndexV1 { keys: Vec::new(), ..index };
        assert!(Schema::try_from(Stored::V1 { indexes: vec![bad], next_index: 2 }).is_err());
    }

    #[test]
    fn what_a_later_version_wrote_is_refused_by_its_name() {
        let definition = write(&indexed());
        assert!(of_document(&definition).is_ok());
        let mut later = definition.clone();
        later.insert("shardKey", doc! { "a": 1 });
        assert!(of_document(&later).unwrap_err().to_string().contains("\"shardKey\""));
        let mut later = definition.clone();
        later.insert("options", doc! { "timeseries": {} });
        assert!(of_document(&later).unwrap_err().to_string().contains("\"timeseries\""));
        let mut later = definition;
        later.get_array_mut("indexes").unwrap()[0].as_document_mut().unwrap().insert("bloom", true);
        assert!(of_document(&later).unwrap_err().to_string().contains("\"bloom\""));
    }

    #[test]
    fn damage_is_an_error() {
        let definition = write(&indexed());
        for field in ["id", "name", "key"] {
            let mut damaged = definition.clone();
            damaged.get_array_mut("indexes").unwrap()[1].as_document_mut().unwrap().remove(field);
            assert!(matches!(of_document(&damaged), Err(Error::Corruption { .. })), "{field}");
        }
        let bytes = definition.to_vec().unwrap();
        for cut in 0..bytes.len() {
            assert!(Schema::try_from(Stored::V2 { definition: bytes[..cut].to_vec() }).is_err(), "cut at {cut}");
        }
    }
}
