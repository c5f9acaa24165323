//! Databases and collections: listed and dropped.

use bson::{RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::find::first_batch;
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

pub(super) const COMMANDS: &[Command] = &[
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
    Ok(if existed { rawdoc! { "dropped": call.database } } else { RawDocumentBuf::new() })
}

fn list_collections(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let wanted = name_in(call.arguments.document("filter"))?;
    let name_only = call.arguments.truth("nameOnly") == Some(true);
    let names = call.door.store.database(call.database).list_collection_names()?;
    let names = names.into_iter().filter(|name| wanted.is_none_or(|wanted| wanted == name));
    let about: Vec<_> = names.map(|name| Ok(describe(&name, name_only))).collect();
    let namespace = call.namespace("$cmd.listCollections");
    let cursor = Cursor::new(Box::new(about.into_iter()), None, namespace, call.session);
    first_batch(call, cursor, u64::MAX, false)
}

fn describe(name: &str, name_only: bool) -> RawDocumentBuf {
    if name_only {
        return rawdoc! { "name": name, "type": "collection" };
    }
    let index = rawdoc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" };
    rawdoc! { "name": name, "type": "collection", "options": {}, "info": { "readOnly": false }, "idIndex": index }
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
    let mut databases = RawArrayBuf::new();
    for name in call.door.store.list_database_names()? {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        if name_only {
            databases.push(rawdoc! { "name": name });
        } else {
            databases.push(rawdoc! { "name": name, "sizeOnDisk": 0_i64, "empty": false });
        }
    }
    if name_only {
        return Ok(rawdoc! { "databases": databases });
    }
    Ok(rawdoc! { "databases": databases, "totalSize": 0_i64, "totalSizeMb": 0_i64 })
}
