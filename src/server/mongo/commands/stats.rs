//! How much there is: of a collection, a database, all of them.

use bson::{Bson, Document, RawBsonRef, RawDocumentBuf, doc, rawdoc};

use crate::document::{Code, CollectionStats};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::find::raw_collection;
use crate::server::mongo::commands::write::encode;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "collStats",
        aliases: &["collstats"],
        flags: Flags::empty(),
        fields: &[Field::new("scale", Types::NUMBER)],
        help: "How much a collection holds.",
        run: of_collection,
    },
    Command {
        name: "dbStats",
        aliases: &["dbstats"],
        flags: Flags::empty(),
        fields: &[Field::new("scale", Types::NUMBER), Field::new("freeStorage", Types::NUMBER)],
        help: "How much a database holds.",
        run: of_database,
    },
    Command {
        name: "dataSize",
        aliases: &["datasize"],
        flags: Flags::empty(),
        fields: &[
            Field::new("keyPattern", Types::OBJECT),
            Field::any("min"),
            Field::any("max"),
            Field::new("estimate", Types::TRUTH),
        ],
        help: "How many bytes the documents of a collection have.",
        run: data_size,
    },
    Command {
        name: "validate",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[
            Field::new("full", Types::TRUTH),
            Field::new("scandata", Types::TRUTH),
            Field::new("background", Types::TRUTH),
            Field::new("repair", Types::TRUTH),
            Field::new("metadata", Types::TRUTH),
            Field::new("checkBSONConformance", Types::TRUTH),
        ],
        help: "Reads all documents and index entries of a collection.",
        run: validate,
    },
];

/// A count as replies have it.
pub(super) fn count(number: u64) -> Bson {
    i32::try_from(number).map_or_else(|_| i64::try_from(number).unwrap_or(i64::MAX).into(), Bson::Int32)
}

/// The number that sizes are divided by.
///
/// # Errors
/// 2 for one below 1.
fn checked_scale(number: Option<i64>) -> Result<u64> {
    let scale = number.map_or(Some(1), |number| u64::try_from(number).ok()).filter(|scale| *scale > 0);
    scale.ok_or_else(|| Failure::new(code::BAD_VALUE, "BSON field 'scale' value must be >= 1"))
}

fn of_collection(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let scale = checked_scale(call.arguments.integer("scale"))?;
    let stats = raw_collection(call, name).stats()?.unwrap_or_default();
    let mut reply = doc! { "ns": call.namespace(name) };
    reply.extend(stats.to_document(scale));
    encode(&reply)
}

/// What the collections of a database hold together, and how many of them and how many views there are.
pub(super) fn total(call: &Call<'_>, database: &str) -> Result<(u64, u64, CollectionStats)> {
    let database = call.door.store.database(database);
    let mut total = CollectionStats::default();
    let (mut collections, mut views) = (0, 0);
    for about in database.list_collections()? {
        if about.options.is_view() {
            views += 1;
            continue;
        }
        let Some(stats) = database.collection::<RawDocumentBuf>(&about.name).stats()? else { continue };
        collections += 1;
        total.documents += stats.documents;
        total.bytes += stats.bytes;
        total.indexes.extend(stats.indexes);
    }
    Ok((collections, views, total))
}

fn of_database(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let scale = checked_scale(call.arguments.integer("scale"))?;
    let (collections, views, total) = total(call, call.database)?;
    let of_indexes: u64 = total.indexes.iter().map(|index| index.bytes).sum();
    let average = total.bytes.checked_div(total.documents).unwrap_or(0);
    encode(&doc! {
        "db": call.database,
        "collections": count(collections),
        "views": count(views),
        "objects": count(total.documents),
        "avgObjSize": count(average),
        "dataSize": count(total.bytes / scale),
        "storageSize": count(total.bytes / scale),
        "indexes": count(total.indexes.len() as u64),
        "indexSize": count(of_indexes / scale),
        "totalSize": count((total.bytes + of_indexes) / scale),
        "scaleFactor": count(scale),
    })
}

fn data_size(call: &Call<'_>) -> Result<RawDocumentBuf> {
    call.refuse(&["keyPattern", "min", "max"])?;
    let RawBsonRef::String(namespace) = call.arguments.first() else {
        return Err(Failure::new(code::TYPE_MISMATCH, "dataSize takes the name of a database and a collection"));
    };
    let Some((database, name)) = namespace.split_once('.') else {
        return Err(Failure::new(code::INVALID_NAMESPACE, format!("Invalid namespace specified '{namespace}'")));
    };
    let stats = call.door.store.database(database).collection::<RawDocumentBuf>(name).stats()?.unwrap_or_default();
    encode(&doc! { "size": count(stats.bytes), "numObjects": count(stats.documents) })
}

/// Reads everything once: what does not decode is an error, and an index whose entries are fewer than the documents is found.
fn validate(call: &Call<'_>) -> Result<RawDocumentBuf> {
    call.refuse(&["repair"])?;
    let name = call.collection()?;
    // Of one moment, whatever is written meanwhile.
    let snapshot = call.door.store.snapshot()?;
    let collection = snapshot.database(call.database).collection::<RawDocumentBuf>(name);
    let Some(stats) = collection.stats()? else {
        let message = format!("Collection '{}' does not exist to validate.", call.namespace(name));
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, message));
    };
    let mut records = 0_u64;
    for document in collection.find(Document::new()).run()? {
        document?;
        records += 1;
    }
    let keys: Document = stats.indexes.iter().map(|index| (index.name.clone(), count(index.entries))).collect();
    let mut details = Document::new();
    let mut errors = Vec::new();
    for index in &stats.indexes {
        // Through the index, so that every entry leads to its document.
        let found = match collection.find(Document::new()).hint(index.name.as_str()).count() {
            Ok(found) => found,
            // An index that no query can be told to use.
            Err(error) if Code::of(&error) == Some(Code::BAD_VALUE) => continue,
            Err(error) => return Err(error.into()),
        };
        let is_whole = found <= records && (index.name != "_id_" || found == records);
        details.insert(&index.name, doc! { "valid": is_whole });
        if !is_whole {
            errors.push(Bson::from(format!("the index {} leads to {found} of {records} documents", index.name)));
        }
    }
    let mut reply = rawdoc! { "ns": call.namespace(name), "nInvalidDocuments": 0 };
    let about = doc! {
        "nrecords": count(records),
        "nIndexes": count(stats.indexes.len() as u64),
        "keysPerIndex": keys,
        "indexDetails": details,
        "valid": errors.is_empty(),
        "repaired": false,
        "warnings": [],
        "errors": errors,
    };
    for (field, value) in encode(&about)?.iter().flatten() {
        reply.append(field, value);
    }
    Ok(reply)
}
