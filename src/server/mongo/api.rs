//! The stable API: what clients who ask for it strictly may use.
//!
//! # Source
//! MongoDB manual, Stable API, version 1.

use bson::RawBsonRef;

use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::Arguments;

/// The commands of version 1.
const COMMANDS: &[&str] = &[
    "abortTransaction",
    "aggregate",
    "bulkWrite",
    "collMod",
    "commitTransaction",
    "count",
    "create",
    "createIndexes",
    "delete",
    "drop",
    "dropDatabase",
    "dropIndexes",
    "endSessions",
    "explain",
    "find",
    "findAndModify",
    "getMore",
    "hello",
    "insert",
    "killCursors",
    "listCollections",
    "listDatabases",
    "listIndexes",
    "ping",
    "refreshSessions",
    "update",
];

/// Stages that are not in it.
const OTHER_STAGES: &[&str] = &[
    "$currentOp",
    "$indexStats",
    "$listLocalSessions",
    "$listSessions",
    "$planCacheStats",
    "$search",
    "$searchMeta",
    "$vectorSearch",
];

/// Checks that a command with these fields is in version 1.
///
/// # Errors
/// Code 323, which names what is not.
pub(super) fn check(command: &str, arguments: &Arguments<'_>) -> Result<()> {
    let refused = |what: String| {
        Err(Failure::new(
            code::API_STRICT_ERROR,
            format!("{what} is not in API Version 1, which was asked for strictly"),
        ))
    };
    if !COMMANDS.contains(&command) {
        return refused(format!("the command {command}"));
    }
    if command != "aggregate" {
        return Ok(());
    }
    if arguments.get("explain").is_some() {
        return refused("the field explain of aggregate".to_owned());
    }
    for stage in arguments.documents("pipeline")? {
        let Some(Ok((name, argument))) = stage.iter().next() else { continue };
        if OTHER_STAGES.contains(&name.as_str()) {
            return refused(format!("the stage {name}"));
        }
        if name == "$collStats"
            && let RawBsonRef::Document(parts) = argument
            && let Some((part, _)) = parts.iter().flatten().find(|(part, _)| *part != "count")
        {
            return refused(format!("{part} of the stage $collStats"));
        }
    }
    Ok(())
}
