//! `collMod`: options of collections, views and indexes, changed.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::document::{Code, IndexChange, IndexInfo};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::find::raw_collection;
use crate::server::mongo::commands::indexes::{seconds, with_keys};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, truth_of, type_of, wrong_type};

const MODIFY: &[Field] = &[
    Field::new("cappedMax", Types::NUMBER),
    Field::new("cappedSize", Types::NUMBER),
    Field::new("changeStreamPreAndPostImages", Types::OBJECT),
    Field::new("dryRun", Types::BOOL),
    Field::any("expireAfterSeconds"),
    Field::new("index", Types::OBJECT),
    Field::new("pipeline", Types::ARRAY),
    Field::any("timeseries"),
    Field::new("validationAction", Types::STRING),
    Field::new("validationLevel", Types::STRING),
    Field::new("validator", Types::OBJECT),
    Field::new("viewOn", Types::STRING),
];

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "collMod",
    aliases: &[],
    flags: Flags::WRITES,
    fields: MODIFY,
    help: "Changes the options of a collection or view, and of an index.",
    run: modify,
}];

fn modify(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(NOT_MODIFIED)?;
    let of_collection = super::create::change(call)?;
    let Some(wanted) = call.arguments.document("index") else {
        // Without anything to change, there only has to be a collection.
        call.write(|tx| tx.database(call.database).modify_collection(name, of_collection.clone()))?;
        return Ok(RawDocumentBuf::new());
    };
    let Modified { index, keys, change, asked } = Modified::parse(wanted)?;
    let indexes = raw_collection(call, name).list_indexes().map_err(|error| match Code::of(&error) {
        Some(Code::COMMAND_NOT_SUPPORTED_ON_VIEW) => {
            Failure::new(code::INVALID_OPTIONS, "a view has no indexes to change")
        }
        _ => error.into(),
    })?;
    if indexes.is_empty() {
        let message = format!("ns does not exist: {}", call.namespace(name));
        return Err(Failure::new(code::NAMESPACE_NOT_FOUND, message));
    }
    let found = match (&index, &keys) {
        (Some(name), _) => indexes.iter().filter(|found| found.name == *name).collect(),
        (None, Some(keys)) => with_keys(&indexes, keys),
        (None, None) => Vec::new(),
    };
    let index = match found.as_slice() {
        [index] => index.name.clone(),
        [] => return Err(Failure::new(code::INDEX_NOT_FOUND, "cannot find the index for the collMod")),
        _ => return Err(Failure::new(code::AMBIGUOUS_INDEX_KEY_PATTERN, "several indexes have these keys")),
    };
    let (before, after) = call.write(|tx| {
        let database = tx.database(call.database);
        database.modify_collection(name, of_collection.clone())?;
        let collection = database.collection::<RawDocumentBuf>(name);
        collection.modify_index(&index, change.clone())
    })?;
    Ok(changes(&before, &after, &asked))
}

/// Options of `collMod` that are not modelled.
const NOT_MODIFIED: &[&str] = &["changeStreamPreAndPostImages", "dryRun", "expireAfterSeconds", "timeseries"];

/// What `collMod` is to change of an index.
#[derive(Default)]
struct Modified {
    index: Option<String>,
    keys: Option<bson::Document>,
    change: IndexChange,
    /// The options that are to be changed.
    asked: Vec<&'static str>,
}

impl Modified {
    fn parse(wanted: &RawDocument) -> Result<Self> {
        let mut modified = Self::default();
        for item in wanted {
            let (name, value) = item.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            // As if it had not been written.
            if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
                continue;
            }
            let path = format!("collMod.index.{}", name.as_str());
            let typed = |types: Types| {
                let fits = types.intersects(type_of(value));
                fits.then_some(()).ok_or_else(|| wrong_type(&path, value, types))
            };
            let change = std::mem::take(&mut modified.change);
            modified.change = match name.as_str() {
                "name" => {
                    typed(Types::STRING)?;
                    modified.index = value.as_str().map(str::to_owned);
                    change
                }
                "keyPattern" => {
                    typed(Types::OBJECT)?;
                    modified.keys = value.as_document().map(decode).transpose()?;
                    change
                }
                "hidden" => {
                    typed(Types::TRUTH)?;
                    modified.asked.push("hidden");
                    change.hidden(truth_of(value).unwrap_or(false))
                }
                "expireAfterSeconds" => {
                    typed(Types::NUMBER)?;
                    modified.asked.push("expireAfterSeconds");
                    change.expire_after(seconds(value, code::INVALID_OPTIONS)?)
                }
                "prepareUnique" => {
                    typed(Types::TRUTH)?;
                    modified.asked.push("prepareUnique");
                    change.prepare_unique(truth_of(value).unwrap_or(false))
                }
                "unique" => {
                    typed(Types::TRUTH)?;
                    if truth_of(value) != Some(true) {
                        return Err(Failure::new(code::BAD_VALUE, "an index cannot be made non-unique"));
                    }
                    modified.asked.push("unique");
                    change.unique()
                }
                _ => {
                    return Err(Failure::new(code::UNKNOWN_FIELD, format!("BSON field '{path}' is an unknown field.")));
                }
            };
        }
        let refused = |message: &str| Err(Failure::new(code::INVALID_OPTIONS, message));
        match (&modified.index, &modified.keys) {
            (Some(_), Some(_)) => refused("collMod takes the name of an index or its keys, not both"),
            (None, None) => refused("collMod needs the name of an index or its keys"),
            _ if modified.asked.is_empty() => {
                refused("collMod changes hidden, expireAfterSeconds, prepareUnique or unique of an index")
            }
            _ => Ok(modified),
        }
    }
}

/// What was changed, as clients are told.
fn changes(before: &IndexInfo, after: &IndexInfo, asked: &[&str]) -> RawDocumentBuf {
    let mut reply = RawDocumentBuf::new();
    if before.hidden != after.hidden {
        reply.append(bson::raw::cstr!("hidden_old"), before.hidden);
        reply.append(bson::raw::cstr!("hidden_new"), after.hidden);
    }
    let seconds = |index: &IndexInfo| index.expire_after.and_then(|after| i64::try_from(after.as_secs()).ok());
    if asked.contains(&"expireAfterSeconds") {
        if let Some(seconds) = seconds(before) {
            reply.append(bson::raw::cstr!("expireAfterSeconds_old"), seconds);
        }
        if let Some(seconds) = seconds(after) {
            reply.append(bson::raw::cstr!("expireAfterSeconds_new"), seconds);
        }
    }
    if before.prepare_unique != after.prepare_unique && asked.contains(&"prepareUnique") {
        reply.append(bson::raw::cstr!("prepareUnique_old"), before.prepare_unique);
        reply.append(bson::raw::cstr!("prepareUnique_new"), after.prepare_unique);
    }
    if !before.unique && after.unique {
        reply.append(bson::raw::cstr!("unique_new"), true);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn parse(wanted: &bson::Document) -> Result<Modified> {
        Modified::parse(&RawDocumentBuf::try_from(wanted).unwrap())
    }

    #[test]
    fn an_index_is_named_once_and_something_is_changed_of_it() {
        let code = |wanted: bson::Document| parse(&wanted).err().map(|failure| failure.code);
        assert_eq!(code(doc! { "name": "a_1", "hidden": 1.0 }), None);
        assert_eq!(code(doc! { "name": "a_1" }), Some(72));
        assert_eq!(code(doc! { "hidden": true }), Some(72));
        assert_eq!(code(doc! { "name": "a_1", "hidden": bson::Bson::Null }), Some(72));
        assert_eq!(code(doc! { "name": "a_1", "keyPattern": { "a": 1 }, "hidden": true }), Some(72));
        assert_eq!(code(doc! { "name": 1, "hidden": true }), Some(14));
        assert_eq!(code(doc! { "name": "a_1", "hidden": "x" }), Some(14));
        assert_eq!(code(doc! { "name": "a_1", "expireAfterSeconds": -1 }), Some(72));
        assert_eq!(code(doc! { "name": "a_1", "unique": false }), Some(2));
        assert_eq!(code(doc! { "name": "a_1", "sparse": true }), Some(40_415));
        let parsed = parse(&doc! { "keyPattern": { "a": 1 }, "prepareUnique": true }).unwrap();
        assert_eq!((parsed.keys, parsed.asked), (Some(doc! { "a": 1 }), vec!["prepareUnique"]));
        assert_eq!(parsed.change, IndexChange::default().prepare_unique(true));
    }
}
