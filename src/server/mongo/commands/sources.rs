//! Stages with which a pipeline begins that are about the collection or the server: what they give is made here, and the stages behind
//! them run over it.

use bson::{Bson, DateTime, Document, doc};

use crate::document::CollectionStats;
use crate::server::mongo::command::Call;
use crate::server::mongo::commands::find::raw_collection;
use crate::server::mongo::commands::operations;
use crate::server::mongo::commands::stats::{count, scale_of, storage};
use crate::server::mongo::failure::{Failure, Result, code};

/// The stages that give documents of their own; what they are about.
const SOURCES: &[(&str, About)] = &[
    ("$collStats", About::Collection),
    ("$currentOp", About::Server),
    ("$indexStats", About::Collection),
    ("$listLocalSessions", About::Server),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Collection,
    Server,
}

/// The stage that a pipeline begins with, if it is one of these.
fn first(stages: &[Document]) -> Option<(&str, &Bson, About)> {
    let (name, argument) = stages.first()?.iter().next()?;
    SOURCES.iter().find(|(source, _)| source == name).map(|(source, about)| (*source, argument, *about))
}

/// Whether the pipeline begins with one of these stages.
pub(super) fn is_source(stages: &[Document]) -> bool {
    first(stages).is_some()
}

/// The documents that the first stage of a pipeline gives, if it is one of these.
///
/// # Errors
/// For arguments that the stage does not take, and for a stage that is about something else than the pipeline.
pub(super) fn documents(call: &Call<'_>, name: Option<&str>, stages: &[Document]) -> Result<Option<Vec<Bson>>> {
    let Some((stage, argument, about)) = first(stages) else { return Ok(None) };
    let Bson::Document(argument) = argument else {
        let message = format!("the argument of {stage} has to be an object");
        return Err(Failure::new(not_an_object(stage), message));
    };
    match (about, name) {
        (About::Collection, Some(name)) if stage == "$collStats" => collection_stats(call, name, argument).map(Some),
        (About::Collection, Some(name)) => index_stats(call, name, argument).map(Some),
        (About::Server, None) if stage == "$currentOp" => operations::current(call, argument).map(Some),
        (About::Server, None) => sessions(call, argument).map(Some),
        (About::Collection, None) => {
            let message = format!("{stage} is only valid on a collection");
            Err(Failure::new(code::INVALID_NAMESPACE, message))
        }
        (About::Server, Some(_)) => {
            let message = format!("{stage} must be run against the database with {{aggregate: 1}}");
            Err(Failure::new(code::INVALID_NAMESPACE, message))
        }
    }
}

fn not_an_object(stage: &str) -> i32 {
    const COLL_STATS_NOT_OBJECT: i32 = 5_447_000;
    const INDEX_STATS_NOT_OBJECT: i32 = 28_803;
    match stage {
        "$collStats" => COLL_STATS_NOT_OBJECT,
        "$indexStats" => INDEX_STATS_NOT_OBJECT,
        _ => code::FAILED_TO_PARSE,
    }
}

fn collection_stats(call: &Call<'_>, name: &str, argument: &Document) -> Result<Vec<Bson>> {
    let mut document = doc! {
        "ns": call.namespace(name),
        "host": &call.client.reached,
        "localTime": DateTime::from_millis(call.door.now().as_millis()),
    };
    let stats = raw_collection(call, name).stats()?;
    for (part, options) in argument {
        let Bson::Document(options) = options else {
            let message = format!("BSON field '$collStats.{part}' is not an object");
            return Err(Failure::new(code::TYPE_MISMATCH, message));
        };
        match part.as_str() {
            "count" => {
                let Some(stats) = &stats else { return Err(missing(call, name)) };
                document.insert("count", count(stats.documents));
            }
            "storageStats" => {
                let scale = scale_of(options.get("scale"))?;
                document.insert("storageStats", storage(&stats.clone().unwrap_or_default(), scale));
            }
            "latencyStats" | "queryExecStats" => {
                let message = format!("{part} of $collStats is not supported");
                return Err(Failure::new(code::NOT_IMPLEMENTED, message));
            }
            _ => {
                let message = format!("BSON field '$collStats.{part}' is an unknown field.");
                return Err(Failure::new(code::UNKNOWN_FIELD, message));
            }
        }
    }
    Ok(vec![document.into()])
}

fn index_stats(call: &Call<'_>, name: &str, argument: &Document) -> Result<Vec<Bson>> {
    const INDEX_STATS_ARGUMENT: i32 = 28_803;
    if !argument.is_empty() {
        return Err(Failure::new(INDEX_STATS_ARGUMENT, "The $indexStats stage specification must be an empty object"));
    }
    let collection = raw_collection(call, name);
    let CollectionStats { indexes: sizes, .. } = collection.stats()?.unwrap_or_default();
    let since = since(call);
    let about = |index: crate::document::IndexInfo| {
        let size = sizes.iter().find(|size| size.name == index.name);
        let mut spec = doc! { "v": 2, "key": index.keys.clone(), "name": &index.name };
        if index.unique && index.name != "_id_" {
            spec.insert("unique", true);
        }
        doc! {
            "name": &index.name,
            "key": index.keys,
            "host": &call.client.reached,
            "accesses": {
                "ops": i64::try_from(call.door.usage.of_index(&call.namespace(name), &index.name)).unwrap_or(i64::MAX),
                "since": since,
            },
            "entries": count(size.map_or(0, |size| size.entries)),
            "bytes": count(size.map_or(0, |size| size.bytes)),
            "spec": spec,
        }
    };
    Ok(collection.list_indexes()?.into_iter().map(|index| about(index).into()).collect())
}

/// When the door was opened, from when on uses are counted.
fn since(call: &Call<'_>) -> DateTime {
    let open = i64::try_from(call.door.opened.elapsed().as_millis()).unwrap_or(i64::MAX);
    DateTime::from_millis(call.door.now().as_millis().saturating_sub(open))
}

fn sessions(call: &Call<'_>, argument: &Document) -> Result<Vec<Bson>> {
    if let Some(option) = argument.keys().find(|option| *option != "allUsers" && *option != "users") {
        let message = format!("BSON field '$listLocalSessions.{option}' is an unknown field.");
        return Err(Failure::new(code::UNKNOWN_FIELD, message));
    }
    if argument.contains_key("users") {
        return Err(Failure::new(code::NOT_IMPLEMENTED, "users of $listLocalSessions is not supported"));
    }
    let about = |(id, used): (bson::Uuid, crate::clock::Timestamp)| {
        doc! { "_id": { "id": id }, "lastUse": DateTime::from_millis(used.as_millis()) }.into()
    };
    Ok(call.door.sessions.list().into_iter().map(about).collect())
}

fn missing(call: &Call<'_>, name: &str) -> Failure {
    let message =
        format!("Unable to retrieve count in $collStats stage: Collection [{}] not found.", call.namespace(name));
    Failure::new(code::NAMESPACE_NOT_FOUND, message)
}
