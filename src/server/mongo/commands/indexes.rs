//! Indexes: made, listed, dropped.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{IndexInfo, IndexOptions};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::cursors::first_batch;
use crate::server::mongo::commands::find::raw_collection;
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, integer_of};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "createIndexes",
        aliases: &[],
        flags: Flags::WRITES,
        fields: &[
            Field::new("indexes", Types::ARRAY).required(),
            Field::any("commitQuorum"),
            Field::new("ignoreUnknownIndexOptions", Types::TRUTH),
        ],
        help: "Makes indexes.",
        run: create,
    },
    Command {
        name: "listIndexes",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[Field::new("cursor", Types::OBJECT), Field::any("includeBuildUUIDs")],
        help: "The indexes of a collection.",
        run: list,
    },
    Command {
        name: "dropIndexes",
        aliases: &["deleteIndexes"],
        flags: Flags::WRITES,
        fields: &[Field::any("index")],
        help: "Drops indexes.",
        run: drop_indexes,
    },
];

/// One of the indexes that a command asks for.
struct Wanted {
    keys: bson::Document,
    options: IndexOptions,
}

impl Wanted {
    fn parse(specification: &RawDocument) -> Result<Self> {
        let (mut keys, mut options, mut has_name) = (None, IndexOptions::default(), false);
        for (name, value) in specification.iter().flatten() {
            match (name.as_str(), value) {
                ("key", RawBsonRef::Document(value)) => keys = Some(decode(value)?),
                ("name", RawBsonRef::String(name)) => {
                    has_name = true;
                    options = options.name(name);
                }
                ("unique", value) => options = options.unique(integer_of(value).unwrap_or(0) != 0),
                // How it is built is the store's affair, and there is one version.
                ("v" | "background" | "ns", _) => {}
                (name, _) => {
                    let message = format!("the index option '{name}' is not supported");
                    return Err(Failure::new(code::NOT_IMPLEMENTED, message));
                }
            }
        }
        let missing = |name: &str| {
            let message = format!("BSON field 'createIndexes.indexes.{name}' is missing but a required field");
            Failure::new(code::MISSING_FIELD, message)
        };
        if !has_name {
            return Err(missing("name"));
        }
        Ok(Self { keys: keys.ok_or_else(|| missing("key"))?, options })
    }
}

fn create(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let wanted = call.arguments.documents("indexes")?;
    if wanted.is_empty() {
        return Err(Failure::new(code::BAD_VALUE, "Must specify at least one index to create"));
    }
    let wanted = wanted.into_iter().map(Wanted::parse).collect::<Result<Vec<_>>>()?;
    let collection = raw_collection(call, name);
    let before = collection.list_indexes()?.len();
    for Wanted { keys, options } in wanted {
        collection.create_index_with(keys, options)?;
    }
    let after = collection.list_indexes()?.len();
    let number = |indexes: usize| i32::try_from(indexes).unwrap_or(i32::MAX);
    let mut reply = rawdoc! {
        "numIndexesBefore": number(before.max(1)),
        "numIndexesAfter": number(after),
        "createdCollectionAutomatically": before == 0,
    };
    if before == after {
        reply.append(bson::raw::cstr!("note"), "all indexes already exist");
    }
    Ok(reply)
}

fn list(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let indexes = raw_collection(call, name).list_indexes()?;
    if indexes.is_empty() {
        let message = format!("ns does not exist: {}", call.namespace(name));
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, message));
    }
    let about = indexes.into_iter().map(|index| describe(&index));
    let cursor = Cursor::new(Box::new(about), None, call.namespace(name), call.session);
    first_batch(call, cursor, u64::MAX, false)
}

fn describe(index: &IndexInfo) -> Result<RawDocumentBuf> {
    let keys = RawDocumentBuf::try_from(&index.keys);
    let keys = keys.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
    let mut about = rawdoc! { "v": 2, "key": keys, "name": index.name.as_str() };
    if index.unique && index.name != "_id_" {
        about.append(bson::raw::cstr!("unique"), true);
    }
    Ok(about)
}

fn drop_indexes(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let indexes = raw_collection(call, name).list_indexes()?;
    if indexes.is_empty() {
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, format!("ns not found {}", call.namespace(name))));
    }
    let dropped = chosen(call, &indexes)?;
    if dropped.iter().any(|index| index.name == "_id_") {
        return Err(Failure::new(code::INVALID_OPTIONS, "cannot drop _id index"));
    }
    call.write(|tx| {
        let collection = tx.database(call.database).collection::<RawDocumentBuf>(name);
        dropped.iter().try_for_each(|index| collection.drop_index(&index.name).map(drop))
    })?;
    Ok(rawdoc! { "nIndexesWas": i32::try_from(indexes.len()).unwrap_or(i32::MAX) })
}

/// The indexes that `index` names: one by its name or keys, several by their names, or all but `_id_`.
fn chosen<'i>(call: &Call<'_>, indexes: &'i [IndexInfo]) -> Result<Vec<&'i IndexInfo>> {
    let missing = |what: String| Failure::new(code::INDEX_NOT_FOUND, format!("index not found with {what}"));
    let by_name =
        |name: &str| indexes.iter().find(|index| index.name == name).ok_or_else(|| missing(format!("name [{name}]")));
    match call.arguments.get("index") {
        Some(RawBsonRef::String("*")) => Ok(indexes.iter().filter(|index| index.name != "_id_").collect()),
        Some(RawBsonRef::String(name)) => Ok(vec![by_name(name)?]),
        Some(RawBsonRef::Document(keys)) => {
            let keys = decode(keys)?;
            let found = indexes.iter().find(|index| index.keys == keys);
            Ok(vec![found.ok_or_else(|| missing(format!("keys {keys}")))?])
        }
        Some(RawBsonRef::Array(names)) => {
            let name = |element: bson::error::Result<RawBsonRef<'_>>| match element {
                Ok(RawBsonRef::String(name)) => by_name(name),
                _ => Err(Failure::new(code::TYPE_MISMATCH, "dropIndexes takes an array of strings")),
            };
            names.into_iter().map(name).collect()
        }
        _ => Err(Failure::new(code::TYPE_MISMATCH, "dropIndexes needs 'index': a name, keys, or an array of names")),
    }
}
