//! Stages with which a pipeline begins that are about the server: what they give is made here, and the stages behind them run over it.
//! To those about a collection, which the model has, the door adds what it knows.

use bson::{Bson, DateTime, Document, doc};

use crate::document::Served;
use crate::server::mongo::command::Call;
use crate::server::mongo::commands::operations;
use crate::server::mongo::failure::{Failure, Result, code};

/// The stages that give documents about the server.
const SOURCES: &[&str] = &["$currentOp", "$listLocalSessions"];

/// The stages that give documents about the collection.
const ABOUT_COLLECTION: &[&str] = &["$collStats", "$indexStats"];

/// The stage that a pipeline begins with.
fn first(stages: &[Document]) -> Option<(&str, &Bson)> {
    stages.first()?.iter().next().map(|(name, argument)| (name.as_str(), argument))
}

/// The documents that the first stage of a pipeline gives, if it is about the server.
///
/// # Errors
/// For arguments that the stage does not take, and for a pipeline over a collection.
pub(super) fn documents(call: &Call<'_>, name: Option<&str>, stages: &[Document]) -> Result<Option<Vec<Bson>>> {
    let Some((stage, argument)) = first(stages).filter(|(stage, _)| SOURCES.contains(stage)) else { return Ok(None) };
    let Bson::Document(argument) = argument else {
        return Err(Failure::new(code::FAILED_TO_PARSE, format!("the argument of {stage} has to be an object")));
    };
    match name {
        None if stage == "$currentOp" => operations::current(call, argument).map(Some),
        None => sessions(call, argument).map(Some),
        Some(_) => {
            let message = format!("{stage} must be run against the database with {{aggregate: 1}}");
            Err(Failure::new(code::INVALID_NAMESPACE, message))
        }
    }
}

/// Whether the pipeline begins with documents about the server.
pub(super) fn is_source(stages: &[Document]) -> bool {
    first(stages).is_some_and(|(stage, _)| SOURCES.contains(&stage))
}

/// What the door knows of the collection `name`, if the pipeline begins with documents about it.
pub(super) fn served(call: &Call<'_>, name: &str, stages: &[Document]) -> Option<Served> {
    first(stages).filter(|(stage, _)| ABOUT_COLLECTION.contains(stage))?;
    let uses = call.door.usage.of_indexes(&call.namespace(name));
    Some(Served { host: call.client.reached.clone(), since: since(call), uses })
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
