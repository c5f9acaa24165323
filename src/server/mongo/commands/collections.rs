//! Databases and collections: listed and dropped.

use bson::{Binary, RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::document::CollectionInfo;
use crate::server::mongo::command::{Call, Command, Flags, check_collection, check_database};
use crate::server::mongo::commands::cursors::first_batch;
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

const CREATE: &[Field] = &[
    Field::any("autoIndexId"),
    Field::any("capped"),
    Field::any("changeStreamPreAndPostImages"),
    Field::any("clusteredIndex"),
    Field::any("collation"),
    Field::any("encryptedFields"),
    Field::any("expireAfterSeconds"),
    Field::any("indexOptionDefaults"),
    Field::any("max"),
    Field::any("pipeline"),
    Field::any("size"),
    Field::any("storageEngine"),
    Field::any("timeseries"),
    Field::any("validationAction"),
    Field::any("validationLevel"),
    Field::any("validator"),
    Field::any("viewOn"),
];

/// Options of a collection that are not modelled.
const REFUSED: &[&str] = &[
    "changeStreamPreAndPostImages",
    "clusteredIndex",
    "encryptedFields",
    "expireAfterSeconds",
    "indexOptionDefaults",
    "max",
    "pipeline",
    "size",
    "storageEngine",
    "timeseries",
    "validationAction",
    "validationLevel",
    "validator",
    "viewOn",
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "create",
        aliases: &[],
        flags: Flags::WRITES,
        fields: CREATE,
        help: "Makes a collection.",
        run: create,
    },
    Command {
        name: "renameCollection",
        aliases: &[],
        flags: Flags::WRITES.union(Flags::ADMIN),
        fields: &[Field::new("to", Types::STRING).required(), Field::new("dropTarget", Types::TRUTH)],
        help: "Renames a collection within its database.",
        run: rename,
    },
    Command {
        name: "drop",
        aliases: &[],
        flags: Flags::WRITES,
        fields: &[],
        help: "Drops a collection with its documents and indexes.",
        run: drop_collection,
    },
    Command {
        name: "dropDatabase",
        aliases: &[],
        flags: Flags::WRITES,
        fields: &[],
        help: "Drops every collection of a database.",
        run: drop_database,
    },
    Command {
        name: "listCollections",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[
            Field::new("filter", Types::OBJECT),
            Field::new("nameOnly", Types::TRUTH),
            Field::new("authorizedCollections", Types::TRUTH),
            Field::new("cursor", Types::OBJECT),
        ],
        help: "The collections of a database.",
        run: list_collections,
    },
    Command {
        name: "listDatabases",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[
            Field::new("filter", Types::OBJECT),
            Field::new("nameOnly", Types::TRUTH),
            Field::new("authorizedDatabases", Types::TRUTH),
        ],
        help: "The databases that have collections.",
        run: list_databases,
    },
];

fn create(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(REFUSED)?;
    if call.arguments.truth("capped") == Some(true) {
        return Err(Failure::new(code::NOT_IMPLEMENTED, "capped collections are not supported"));
    }
    call.check_collation()?;
    match call.write(|tx| tx.database(call.database).create_collection(name)) {
        Ok(()) => Ok(RawDocumentBuf::new()),
        // Without options, one that is there is as it was asked for.
        Err(failure) if failure.code == code::NAMESPACE_EXISTS => Ok(RawDocumentBuf::new()),
        Err(failure) => Err(failure),
    }
}

fn rename(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let from = call.arguments.first().as_str();
    let from = from.ok_or_else(|| Failure::new(code::TYPE_MISMATCH, "collection name has to be a string"))?;
    let to = call.arguments.text("to").unwrap_or_default();
    let (Some((database, from_name)), Some((target, to_name))) = (from.split_once('.'), to.split_once('.')) else {
        return Err(Failure::new(code::INVALID_NAMESPACE, format!("Invalid namespace specified '{from}' or '{to}'")));
    };
    check_database(database)?;
    check_database(target)?;
    check_collection(database, from_name)?;
    check_collection(target, to_name)?;
    if database != target {
        return Err(Failure::new(code::NOT_IMPLEMENTED, "renaming into another database is not supported"));
    }
    if from == to {
        return Err(Failure::new(code::ILLEGAL_OPERATION, "Can't rename a collection to itself"));
    }
    let drops = call.arguments.truth("dropTarget") == Some(true);
    call.write(|tx| {
        let database = tx.database(database);
        if drops && database.list_collection_names()?.iter().any(|name| name == from_name) {
            database.drop_collection(to_name)?;
        }
        database.rename_collection(from_name, to_name)
    })?;
    Ok(RawDocumentBuf::new())
}

fn drop_collection(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let indexes = super::find::raw_collection(call, name).list_indexes()?.len();
    let existed = call.write(|tx| tx.database(call.database).drop_collection(name))?;
    if !existed {
        // Since 7.0, dropping what is not there is a success.
        return Ok(RawDocumentBuf::new());
    }
    Ok(rawdoc! { "nIndexesWas": i32::try_from(indexes).unwrap_or(i32::MAX), "ns": call.namespace(name) })
}

fn drop_database(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let existed = call.write(|tx| {
        let database = tx.database(call.database);
        let names = database.list_collection_names()?;
        names.iter().try_for_each(|name| database.drop_collection(name).map(drop))?;
        Ok(!names.is_empty())
    })?;
    Ok(if existed {
        rawdoc! { "dropped": call.database }
    } else {
        RawDocumentBuf::new()
    })
}

fn list_collections(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let wanted = name_in(call.arguments.document("filter"))?;
    let name_only = call.arguments.truth("nameOnly") == Some(true);
    let collections = call.door.store.database(call.database).list_collections()?;
    let collections = collections.into_iter().filter(|about| wanted.is_none_or(|wanted| wanted == about.name));
    let about: Vec<_> = collections.map(|about| describe(&about, name_only)).collect();
    let namespace = call.namespace("$cmd.listCollections");
    let cursor = Cursor::new(Box::new(about.into_iter()), None, namespace, call.session);
    first_batch(call, cursor, u64::MAX, false)
}

fn describe(about: &CollectionInfo, name_only: bool) -> Result<RawDocumentBuf> {
    let name = about.name.as_str();
    if name_only {
        return Ok(rawdoc! { "name": name, "type": "collection" });
    }
    let options = RawDocumentBuf::try_from(&about.options.to_document());
    let options = options.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
    let index = rawdoc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" };
    let info = rawdoc! { "readOnly": false, "uuid": Binary::from(about.uuid) };
    Ok(rawdoc! { "name": name, "type": "collection", "options": options, "info": info, "idIndex": index })
}

/// The name that a filter over names asks for.
///
/// # Errors
/// Code 238 for a filter over something else.
fn name_in(filter: Option<&bson::RawDocument>) -> Result<Option<&str>> {
    let mut wanted = None;
    for (name, value) in filter.into_iter().flat_map(bson::RawDocument::iter).flatten() {
        match (name.as_str(), value) {
            ("name", RawBsonRef::String(name)) => wanted = Some(name),
            ("type", RawBsonRef::String("collection")) => {}
            _ => return Err(Failure::new(code::NOT_IMPLEMENTED, "only a filter by name is supported here")),
        }
    }
    Ok(wanted)
}

fn list_databases(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let wanted = name_in(call.arguments.document("filter"))?;
    let name_only = call.arguments.truth("nameOnly") == Some(true);
    let (mut databases, mut total) = (RawArrayBuf::new(), 0_i64);
    for name in call.door.store.list_database_names()? {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        if name_only {
            databases.push(rawdoc! { "name": name });
        } else {
            let (_, held) = super::stats::total(call, &name)?;
            let of_indexes: u64 = held.indexes.iter().map(|index| index.bytes).sum();
            let size = i64::try_from(held.bytes + of_indexes).unwrap_or(i64::MAX);
            total = total.saturating_add(size);
            databases.push(rawdoc! { "name": name, "sizeOnDisk": size, "empty": false });
        }
    }
    if name_only {
        return Ok(rawdoc! { "databases": databases });
    }
    Ok(rawdoc! { "databases": databases, "totalSize": total, "totalSizeMb": total >> 20 })
}
