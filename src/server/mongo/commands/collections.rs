//! Databases and collections: listed and dropped.

use bson::raw::RawBinaryRef;
use bson::spec::BinarySubtype;
use bson::{Bson, Document, RawArrayBuf, RawBsonRef, RawDocumentBuf, Uuid, doc, rawdoc};

use crate::document::{AggregateOptions, CollectionInfo};
use crate::server::mongo::command::{Call, Command, Flags, check_collection, check_database};
use crate::server::mongo::commands::cursors::{batch_size, first_batch};
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

const RENAME: &[Field] = &[
    Field::new("to", Types::STRING).required(),
    Field::new("dropTarget", Types::BOOL.union(Types::BINARY)).strict(code::TYPE_MISMATCH),
    Field::new("collectionUUID", Types::BINARY),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "renameCollection",
        aliases: &[],
        flags: Flags::WRITES.union(Flags::ADMIN),
        fields: RENAME,
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
        flags: Flags::LISTS,
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
        flags: Flags::ADMIN.union(Flags::LISTS),
        fields: &[
            Field::new("filter", Types::OBJECT),
            Field::new("nameOnly", Types::TRUTH),
            Field::new("authorizedDatabases", Types::BOOL),
        ],
        help: "The databases that have collections.",
        run: list_databases,
    },
];

fn rename(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let from = call.arguments.first().as_str();
    let from = from.ok_or_else(|| Failure::new(code::TYPE_MISMATCH, "collection name has to be a string"))?;
    let to = call.arguments.text("to").unwrap_or_default();
    let (Some((database, from_name)), Some((target, to_name))) = (from.split_once('.'), to.split_once('.')) else {
        return Err(Failure::new(code::INVALID_NAMESPACE, format!("Invalid namespace specified '{from}' or '{to}'")));
    };
    if from.contains('$') || to.contains('$') {
        return Err(Failure::new(code::ILLEGAL_OPERATION, "source and target must not contain '$'"));
    }
    check_database(database)?;
    check_database(target)?;
    check_collection(database, from_name)?;
    check_collection(target, to_name)?;
    let dropped = call.arguments.get("dropTarget").and_then(uuid);
    if database != target {
        if dropped.is_some() {
            return Err(Failure::new(code::INVALID_OPTIONS, "dropTarget cannot be a UUID when the database changes"));
        }
        return Err(Failure::new(code::NOT_IMPLEMENTED, "renaming into another database is not supported"));
    }
    if from == to {
        return Err(Failure::new(code::ILLEGAL_OPERATION, "Can't rename a collection to itself"));
    }
    let renamed = call.arguments.get("collectionUUID").and_then(uuid);
    let (renamed, dropped) = (renamed.transpose()?, dropped.transpose()?);
    let drops = dropped.is_some() || call.arguments.truth("dropTarget") == Some(true);
    call.write(|tx| {
        let database = tx.database(database);
        let collections = database.list_collections()?;
        let about = |name: &str| collections.iter().find(|about| about.name == name);
        for (name, wanted) in [(from_name, renamed), (to_name, dropped)] {
            if wanted.is_some() && wanted != about(name).map(|about| about.uuid) {
                return Ok(Some(name));
            }
        }
        if drops && about(from_name).is_some() && about(to_name).is_some_and(|about| !about.options.is_view()) {
            database.drop_collection(to_name)?;
        }
        database.rename_collection(from_name, to_name).map(|()| None)
    })?
    .map_or(Ok(RawDocumentBuf::new()), |name| {
        let message = format!("the collection {name} does not have the UUID that was given");
        Err(Failure::new(code::COLLECTION_UUID_MISMATCH, message))
    })
}

/// The UUID that a binary value is; `None` for any other value.
fn uuid(value: RawBsonRef<'_>) -> Option<Result<Uuid>> {
    let RawBsonRef::Binary(RawBinaryRef { subtype, bytes }) = value else { return None };
    let bytes = <[u8; 16]>::try_from(bytes).ok().filter(|_| subtype == BinarySubtype::Uuid);
    let wrong = || Failure::new(code::INVALID_UUID, "a UUID has 16 bytes, of subtype 4");
    Some(bytes.map(Uuid::from_bytes).ok_or_else(wrong))
}

fn drop_collection(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let database = call.door.store.database(call.database);
    let is_view = database.list_collections()?.iter().any(|about| about.name == name && about.options.is_view());
    let indexes = if is_view { 0 } else { super::find::raw_collection(call, name).list_indexes()?.len() };
    let existed = call.write(|tx| tx.database(call.database).drop_collection(name))?;
    if !existed {
        // Since 7.0, dropping what is not there is a success.
        return Ok(RawDocumentBuf::new());
    }
    if is_view {
        return Ok(rawdoc! { "ns": call.namespace(name) });
    }
    Ok(rawdoc! { "nIndexesWas": i32::try_from(indexes).unwrap_or(i32::MAX), "ns": call.namespace(name) })
}

fn drop_database(call: &Call<'_>) -> Result<RawDocumentBuf> {
    if call.database == "admin" {
        return Err(Failure::new(code::ILLEGAL_OPERATION, "Dropping the 'admin' database is prohibited."));
    }
    call.write(|tx| {
        let database = tx.database(call.database);
        database.list_collection_names()?.iter().try_for_each(|name| database.drop_collection(name).map(drop))
    })?;
    Ok(RawDocumentBuf::new())
}

fn list_collections(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let size = batch_size(call, u64::MAX)?;
    let name_only = call.arguments.truth("nameOnly") == Some(true);
    let collections = call.door.store.database(call.database).list_collections()?;
    let described = collections.iter().map(|about| describe(about, name_only)).collect();
    let about = matching(call, described)?;
    let namespace = call.namespace("$cmd.listCollections");
    let number = about.len() as u64;
    let cursor = Cursor::new(Box::new(about.into_iter().map(Ok)), Some(number), namespace, call.session);
    first_batch(call, cursor, size, false)
}

/// Those of `documents` that the field `filter` of the command lets through.
fn matching(call: &Call<'_>, documents: Vec<Document>) -> Result<Vec<RawDocumentBuf>> {
    let filter = call.arguments.decoded("filter")?.unwrap_or_default();
    let stages = [doc! { "$documents": { "$literal": documents } }, doc! { "$match": filter }];
    let database = call.door.store.database(call.database);
    let found = database.aggregate_with::<RawDocumentBuf>(stages, AggregateOptions::default())?;
    Ok(found.collect::<std::result::Result<Vec<_>, _>>()?)
}

fn describe(about: &CollectionInfo, name_only: bool) -> Document {
    let name = about.name.as_str();
    let is_view = about.options.is_view();
    let kind = if is_view { "view" } else { "collection" };
    if name_only {
        return doc! { "name": name, "type": kind };
    }
    let mut options = about.options.to_document();
    for bound in ["size", "max"] {
        // As small as clients wrote them.
        if let Some(number) = options.get_mut(bound)
            && let Some(small) = number.as_i64().and_then(|number| i32::try_from(number).ok())
        {
            *number = small.into();
        }
    }
    if options.contains_key("validator") {
        for (option, otherwise) in [("validationLevel", "strict"), ("validationAction", "error")] {
            options.entry(option.to_owned()).or_insert_with(|| otherwise.into());
        }
    }
    if is_view {
        options.entry("pipeline".to_owned()).or_insert_with(|| Bson::Array(Vec::new()));
        return doc! { "name": name, "type": kind, "options": options, "info": { "readOnly": true } };
    }
    let mut index = doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" };
    if let Some(collation) = options.get("collation") {
        index.insert("collation", collation.clone());
    }
    let info = doc! { "readOnly": false, "uuid": about.uuid };
    doc! { "name": name, "type": kind, "options": options, "info": info, "idIndex": index }
}

fn list_databases(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name_only = call.arguments.truth("nameOnly") == Some(true);
    let (mut databases, mut total) = (Vec::new(), 0_i64);
    for name in call.door.store.list_database_names()? {
        if name_only {
            databases.push(doc! { "name": name });
        } else {
            let (_, _, held) = super::stats::total(call, &name)?;
            let of_indexes: u64 = held.indexes.iter().map(|index| index.bytes).sum();
            let size = i64::try_from(held.bytes + of_indexes).unwrap_or(i64::MAX);
            total = total.saturating_add(size);
            databases.push(doc! { "name": name, "sizeOnDisk": size, "empty": false });
        }
    }
    let mut shown = RawArrayBuf::new();
    matching(call, databases)?.into_iter().for_each(|database| shown.push(database));
    let databases = shown;
    if name_only {
        return Ok(rawdoc! { "databases": databases });
    }
    Ok(rawdoc! { "databases": databases, "totalSize": total, "totalSizeMb": total >> 20 })
}
