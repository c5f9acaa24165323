//! Collections and views are made, converted and cloned.

use bson::{Document, RawBsonRef, RawDocumentBuf};

use crate::document::{Collation, CollectionChange, CollectionOptions, ValidationAction, ValidationLevel};
use crate::server::mongo::command::{Call, Command, Flags, check_collection};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, wrong_type};

const CREATE: &[Field] = &[
    Field::new("autoIndexId", Types::TRUTH),
    Field::new("capped", Types::TRUTH),
    Field::new("changeStreamPreAndPostImages", Types::OBJECT),
    Field::any("clusteredIndex"),
    Field::new("collation", Types::OBJECT),
    Field::any("encryptedFields"),
    Field::any("expireAfterSeconds"),
    Field::any("idIndex"),
    Field::any("indexOptionDefaults"),
    Field::new("max", Types::NUMBER),
    Field::new("pipeline", Types::ARRAY),
    Field::new("size", Types::NUMBER),
    Field::any("storageEngine"),
    Field::any("timeseries"),
    Field::new("validationAction", Types::STRING),
    Field::new("validationLevel", Types::STRING),
    Field::new("validator", Types::OBJECT),
    Field::new("viewOn", Types::STRING),
];

const CONVERT: &[Field] = &[Field::new("size", Types::NUMBER).required(), Field::any("max")];

const CLONE: &[Field] =
    &[Field::new("toCollection", Types::STRING).required(), Field::new("size", Types::NUMBER).required()];

/// Names that begin with `system.` and that a clone may have.
const SYSTEM: &[&str] = &["system.js", "system.profile", "system.users", "system.views"];

/// Options of a collection that are not modelled.
const REFUSED: &[&str] = &[
    "changeStreamPreAndPostImages",
    "clusteredIndex",
    "encryptedFields",
    "expireAfterSeconds",
    "idIndex",
    "indexOptionDefaults",
    "storageEngine",
    "timeseries",
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "create",
        aliases: &[],
        flags: Flags::WRITES,
        fields: CREATE,
        help: "Makes a collection or a view.",
        run: create,
    },
    Command {
        name: "convertToCapped",
        aliases: &[],
        flags: Flags::WRITES,
        fields: CONVERT,
        help: "Makes a collection capped.",
        run: convert,
    },
    Command {
        name: "cloneCollectionAsCapped",
        aliases: &[],
        flags: Flags::WRITES,
        fields: CLONE,
        help: "Copies a collection to a capped one.",
        run: clone,
    },
];

fn create(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let options = options(call)?;
    match call.write(|tx| tx.database(call.database).create_collection_with(name, options.clone())) {
        Ok(()) => Ok(RawDocumentBuf::new()),
        // One that is there as it was asked for is a success.
        Err(failure) if failure.code == code::NAMESPACE_EXISTS => {
            let collections = call.door.store.database(call.database).list_collections()?;
            let is_same = collections.iter().any(|about| about.name == name && about.options.is_as_asked(&options));
            if is_same { Ok(RawDocumentBuf::new()) } else { Err(failure) }
        }
        Err(failure) => Err(failure),
    }
}

fn options(call: &Call<'_>) -> Result<CollectionOptions> {
    let arguments = &call.arguments;
    let refused = |message: &str| Err(Failure::new(code::INVALID_OPTIONS, message));
    let mut options = CollectionOptions::default();
    if let Some(collation) = arguments.decoded("collation")? {
        options = options.collation(Collation::from_document(&collation)?);
    }
    if let Some(on) = arguments.text("viewOn") {
        // As documented by its absence: a view takes the options of collections and does nothing with them.
        return Ok(options.view_on(on, pipeline(call)?.unwrap_or_default()));
    }
    if arguments.get("pipeline").is_some() {
        return refused("'pipeline' cannot be specified without 'viewOn'");
    }
    call.refuse(REFUSED)?;
    let is_capped = arguments.truth("capped") == Some(true);
    match (is_capped, arguments.integer("size"), arguments.integer("max")) {
        (true, Some(size), max) => options = options.capped(size, max),
        (true, None, _) => return refused("the 'size' field is required when 'capped' is true"),
        (false, None, None) => {}
        (false, ..) => {
            return refused("the 'capped' field needs to be true when either the 'size' or 'max' is present");
        }
    }
    if let Some(validator) = arguments.decoded("validator")? {
        options = options.validator(validator);
    }
    if let Some(level) = level(call)? {
        options = options.validation_level(level);
    }
    if let Some(action) = action(call)? {
        options = options.validation_action(action);
    }
    Ok(options)
}

fn level(call: &Call<'_>) -> Result<Option<ValidationLevel>> {
    enumeration(call, "validationLevel", ValidationLevel::named)
}

fn action(call: &Call<'_>) -> Result<Option<ValidationAction>> {
    enumeration(call, "validationAction", ValidationAction::named)
}

fn enumeration<T>(call: &Call<'_>, field: &str, named: fn(&str) -> Option<T>) -> Result<Option<T>> {
    let Some(name) = call.arguments.text(field) else { return Ok(None) };
    named(name).map(Some).ok_or_else(|| {
        let command = call.command.name;
        let message = format!("Enumeration value '{name}' for field '{command}.{field}' is not a valid value.");
        Failure::new(code::BAD_VALUE, message)
    })
}

/// The stages of a view; nulls among them count as not written.
fn pipeline(call: &Call<'_>) -> Result<Option<Vec<Document>>> {
    let Some(stages) = call.arguments.array("pipeline") else { return Ok(None) };
    let mut all = Vec::new();
    for (place, stage) in stages.into_iter().enumerate() {
        match stage.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))? {
            RawBsonRef::Document(stage) => all.push(decode(stage)?),
            RawBsonRef::Null | RawBsonRef::Undefined => {}
            other => {
                let path = format!("{}.pipeline.{place}", call.command.name);
                return Err(wrong_type(&path, other, Types::OBJECT));
            }
        }
    }
    Ok(Some(all))
}

/// What `collMod` changes of a collection or view.
///
/// # Errors
/// For options that are not what the command takes.
pub(super) fn change(call: &Call<'_>) -> Result<CollectionChange> {
    let arguments = &call.arguments;
    let mut change = CollectionChange::default();
    if let Some(validator) = arguments.decoded("validator")? {
        change = change.validator(validator);
    }
    if let Some(level) = level(call)? {
        change = change.validation_level(level);
    }
    if let Some(action) = action(call)? {
        change = change.validation_action(action);
    }
    if let Some(size) = arguments.integer("cappedSize") {
        change = change.capped_size(size);
    }
    if let Some(max) = arguments.integer("cappedMax") {
        change = change.capped_max(max);
    }
    match (arguments.text("viewOn"), pipeline(call)?) {
        (Some(on), Some(stages)) => change = change.view_on(on, stages),
        (None, None) => {}
        _ => {
            let message = "Must specify both 'viewOn' and 'pipeline' when modifying a view";
            return Err(Failure::new(code::INVALID_OPTIONS, message));
        }
    }
    Ok(change)
}

fn convert(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let size = call.arguments.integer("size").unwrap_or(0);
    call.write(|tx| tx.database(call.database).convert_to_capped(name, size))?;
    Ok(RawDocumentBuf::new())
}

fn clone(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let to = call.arguments.text("toCollection").unwrap_or_default();
    check_collection(call.database, to)?;
    if to.starts_with("system.") && !SYSTEM.contains(&to) {
        return Err(Failure::new(code::INVALID_NAMESPACE, format!("cannot clone to the system collection {to}")));
    }
    let size = call.arguments.integer("size").unwrap_or(0);
    call.write(|tx| tx.database(call.database).clone_as_capped(name, to, size))?;
    Ok(RawDocumentBuf::new())
}
