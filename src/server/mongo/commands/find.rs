//! Reading: queries, pipelines, and the cursors over what they find.

use bson::{Document, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{self, Collection, Find};
use crate::server::mongo::command::{Call, Command, Flags, check_collection};
use crate::server::mongo::cursors::{Batch, Cursor, Rows};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{
    Arguments, Field, Types, decode, integer_of, is_negative, is_one, type_name, type_of, wrong_type,
};
use crate::server::mongo::wire::{Form, Request};

/// Documents of a first batch whose size the client left open.
const FIRST_BATCH: u64 = 101;

const FIND: &[Field] = &[
    Field::new("filter", Types::OBJECT),
    Field::new("sort", Types::OBJECT),
    Field::new("projection", Types::OBJECT),
    Field::new("hint", Types::STRING.union(Types::OBJECT)),
    Field::new("skip", Types::NUMBER),
    Field::new("limit", Types::NUMBER),
    Field::new("batchSize", Types::NUMBER),
    Field::new("singleBatch", Types::TRUTH),
    Field::new("max", Types::OBJECT),
    Field::new("min", Types::OBJECT),
    Field::new("returnKey", Types::TRUTH),
    Field::new("showRecordId", Types::TRUTH),
    Field::new("tailable", Types::TRUTH),
    Field::new("awaitData", Types::TRUTH),
    Field::new("oplogReplay", Types::TRUTH),
    Field::new("noCursorTimeout", Types::TRUTH),
    Field::new("allowPartialResults", Types::TRUTH),
    Field::new("allowDiskUse", Types::TRUTH),
    Field::new("mirrored", Types::TRUTH),
    Field::new("collation", Types::OBJECT),
    Field::new("let", Types::OBJECT),
];

/// Options of `find` that are not modelled.
const NOT_MODELLED: &[&str] = &["hint", "max", "min", "returnKey", "showRecordId", "tailable", "awaitData"];

const GET_MORE: &[Field] = &[
    Field::new("collection", Types::STRING).required(),
    Field::new("batchSize", Types::NUMBER),
    Field::new("term", Types::LONG),
    Field::new("lastKnownCommittedOpTime", Types::OBJECT),
];

const COUNT: &[Field] = &[
    Field::new("query", Types::OBJECT),
    Field::new("limit", Types::NUMBER),
    Field::new("skip", Types::NUMBER),
    Field::new("hint", Types::STRING.union(Types::OBJECT)),
    Field::new("collation", Types::OBJECT),
    Field::any("fields"),
];

const AGGREGATE: &[Field] = &[
    Field::new("pipeline", Types::ARRAY).required(),
    Field::new("cursor", Types::OBJECT),
    Field::any("explain"),
    Field::new("allowDiskUse", Types::BOOL),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("hint", Types::STRING.union(Types::OBJECT)),
    Field::new("collation", Types::OBJECT),
    Field::new("let", Types::OBJECT),
];

const DISTINCT: &[Field] = &[
    Field::new("key", Types::STRING).required(),
    Field::new("query", Types::OBJECT),
    Field::new("hint", Types::STRING.union(Types::OBJECT)),
    Field::new("collation", Types::OBJECT),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "distinct",
        aliases: &[],
        flags: Flags::READS,
        fields: DISTINCT,
        help: "The distinct values of a field.",
        run: distinct,
    },
    Command {
        name: "find",
        aliases: &[],
        flags: Flags::READS,
        fields: FIND,
        help: "Finds the documents of a collection that match a filter.",
        run: find,
    },
    Command {
        name: "explain",
        aliases: &[],
        flags: Flags::READS,
        fields: &[Field::new("verbosity", Types::STRING)],
        help: "How a query would be done.",
        run: explain,
    },
    Command {
        name: "getMore",
        aliases: &[],
        flags: Flags::empty(),
        fields: GET_MORE,
        help: "The next documents of a cursor.",
        run: get_more,
    },
    Command {
        name: "killCursors",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[Field::new("cursors", Types::ARRAY).required()],
        help: "Ends cursors.",
        run: kill_cursors,
    },
    Command {
        name: "count",
        aliases: &[],
        flags: Flags::READS,
        fields: COUNT,
        help: "Counts the documents of a collection that match a filter.",
        run: count,
    },
    Command {
        name: "aggregate",
        aliases: &[],
        flags: Flags::READS,
        fields: AGGREGATE,
        help: "Runs an aggregation pipeline.",
        run: aggregate,
    },
];

/// The collection `name`, whose documents stay bytes.
pub(super) fn raw_collection(call: &Call<'_>, name: &str) -> Collection<RawDocumentBuf> {
    call.door.store.database(call.database).collection(name)
}

fn find(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(NOT_MODELLED)?;
    call.check_collation()?;
    let limit = call.count("limit")?.filter(|limit| *limit > 0);
    let query = query(call, name)?.limit(limit.unwrap_or(0));
    let is_single = call.arguments.truth("singleBatch") == Some(true);
    let size = call.count("batchSize")?;
    let cursor = Cursor::new(rows(query.run()?), limit, call.namespace(name), call.session);
    first_batch(call, cursor, size.unwrap_or(FIRST_BATCH), is_single)
}

/// The query of a `find`, without its limit.
fn query(call: &Call<'_>, name: &str) -> Result<Find<RawDocumentBuf>> {
    let arguments = &call.arguments;
    let filter = arguments.decoded("filter")?.unwrap_or_default();
    let mut query = raw_collection(call, name).find(filter).skip(call.count("skip")?.unwrap_or(0));
    if let Some(sort) = arguments.decoded("sort")? {
        query = query.sort(sort);
    }
    if let Some(projection) = arguments.decoded("projection")? {
        query = query.projection(projection);
    }
    if let Some(variables) = arguments.decoded("let")? {
        query = query.let_vars(variables);
    }
    Ok(query)
}

fn explain(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let RawBsonRef::Document(body) = call.arguments.first() else {
        return Err(Failure::new(code::TYPE_MISMATCH, "explain takes a command"));
    };
    if body.iter().next().and_then(std::result::Result::ok).is_none_or(|(name, _)| name != "find") {
        return Err(Failure::new(code::NOT_IMPLEMENTED, "only the command find can be explained"));
    }
    let form = Form::Message { more_to_come: false, exhaust_allowed: false };
    let request = Request { id: 0, form, body, sequences: Vec::new() };
    let arguments = Arguments::check("find", FIND, false, &request)?;
    let find = Call { body, arguments, ..*call };
    let name = find.collection()?;
    find.refuse(NOT_MODELLED)?;
    let query = || Ok::<_, Failure>(query(&find, name)?.limit(find.count("limit")?.unwrap_or(0)));
    let encoded = |document: &Document| {
        RawDocumentBuf::try_from(document).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
    };
    let mut reply = rawdoc! { "explainVersion": "1", "queryPlanner": encoded(&query()?.explain_plan()?)? };
    match call.arguments.text("verbosity") {
        Some("queryPlanner") => {}
        None | Some("executionStats" | "allPlansExecution") => {
            let explained = query()?.explain()?;
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            let stats = rawdoc! {
                "executionSuccess": true,
                "nReturned": number(explained.returned),
                "totalKeysExamined": number(explained.keys_examined),
                "totalDocsExamined": number(explained.documents_examined),
            };
            reply.append(bson::raw::cstr!("executionStats"), stats);
        }
        Some(other) => return Err(Failure::new(code::BAD_VALUE, format!("verbosity {other:?} is not known"))),
    }
    reply.append(bson::raw::cstr!("command"), body.to_owned());
    Ok(reply)
}

fn distinct(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(&["hint"])?;
    call.check_collation()?;
    let filter = call.arguments.decoded("query")?.unwrap_or_default();
    let found = raw_collection(call, name).distinct(call.arguments.text("key").unwrap_or_default(), filter)?;
    let mut values = RawArrayBuf::new();
    for value in found {
        let value = RawBson::try_from(value);
        values.push(value.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?);
    }
    Ok(rawdoc! { "values": values })
}

fn aggregate(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let arguments = &call.arguments;
    call.refuse(&["hint", "let", "explain"])?;
    call.check_collation()?;
    let name = match arguments.first() {
        RawBsonRef::String(name) => Some(name),
        number if Types::NUMBER.intersects(type_of(number)) => {
            if !is_one(number) {
                let message = "Invalid command format: the 'aggregate' field must specify a collection name or 1";
                return Err(Failure::new(code::BAD_VALUE, message));
            }
            None
        }
        other => {
            let message = format!("collection name has invalid type {}", type_name(other));
            return Err(Failure::new(code::INVALID_NAMESPACE, message));
        }
    };
    name.map_or(Ok(()), |name| check_collection(call.database, name))?;
    let Some(cursor) = arguments.document("cursor") else {
        let message = "The 'cursor' option is required, except for aggregate with the explain argument";
        return Err(Failure::new(code::FAILED_TO_PARSE, message));
    };
    let size = batch_size(cursor)?.unwrap_or(FIRST_BATCH);
    let stages = arguments.documents("pipeline")?.into_iter().map(decode).collect::<Result<Vec<_>>>()?;
    let writes = stages.last().is_some_and(|stage| stage.contains_key("$out") || stage.contains_key("$merge"));
    let (rows, namespace) = match name {
        None => (pipeline_rows(call.door.store.database(call.database).aggregate(stages)?), "$cmd.aggregate"),
        Some(name) if writes => {
            call.write(|tx| {
                let collection = tx.database(call.database).collection::<RawDocumentBuf>(name);
                collection.aggregate_out(stages.clone())
            })?;
            (Box::new(std::iter::empty()) as Rows, name)
        }
        Some(name) => (pipeline_rows(raw_collection(call, name).aggregate(stages)?), name),
    };
    first_batch(call, Cursor::new(rows, None, call.namespace(namespace), call.session), size, false)
}

/// The size of the first batch, in what a pipeline says of its cursor.
fn batch_size(cursor: &RawDocument) -> Result<Option<u64>> {
    let mut size = None;
    for (name, value) in cursor.iter().flatten() {
        if name != "batchSize" {
            let message = format!("BSON field 'cursor.{name}' is an unknown field.");
            return Err(Failure::new(code::UNKNOWN_FIELD, message));
        }
        if !Types::NUMBER.intersects(type_of(value)) {
            return Err(wrong_type("cursor.batchSize", value, Types::NUMBER));
        }
        if is_negative(value) {
            let message = "BSON field 'cursor.batchSize' value must be >= 0";
            return Err(Failure::new(code::BAD_VALUE, message));
        }
        size = integer_of(value).and_then(|size| u64::try_from(size).ok());
    }
    Ok(size)
}

/// The rows of a pipeline.
fn pipeline_rows(found: document::Cursor<Document>) -> Rows {
    Box::new(found.map(|document| {
        RawDocumentBuf::try_from(&document?).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
    }))
}

/// The rows of a cursor of the model.
fn rows(cursor: document::Cursor<RawDocumentBuf>) -> Rows {
    Box::new(cursor.map(|row| row.map_err(Failure::from)))
}

/// The reply to a command that has found something: its first documents, and the cursor over the others.
pub(super) fn first_batch(call: &Call<'_>, mut cursor: Cursor, size: u64, is_single: bool) -> Result<RawDocumentBuf> {
    let namespace = cursor.namespace.clone();
    let Batch { documents, is_last } = cursor.batch(Some(size))?;
    let id = if is_last || is_single { 0 } else { call.door.cursors.open(cursor, call.door.now())? };
    Ok(rawdoc! { "cursor": { "firstBatch": documents, "id": id, "ns": namespace } })
}

fn get_more(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let RawBsonRef::Int64(id) = call.arguments.first() else {
        return Err(Failure::new(
            code::TYPE_MISMATCH,
            "BSON field 'getMore.getMore' is the wrong type, expected type 'long'",
        ));
    };
    let collection = call.arguments.text("collection").unwrap_or_default();
    let size = call.count("batchSize")?.filter(|size| *size > 0);
    let cursors = &call.door.cursors;
    let mut cursor = cursors.take(id, call.door.now())?;
    let namespace = cursor.namespace.clone();
    if namespace != call.namespace(collection) {
        cursors.put_back(id, cursor, call.door.now());
        let message = format!(
            "Requested getMore on namespace '{}', but cursor belongs to a different namespace {namespace}",
            call.namespace(collection)
        );
        return Err(Failure::new(code::UNAUTHORIZED, message));
    }
    let batch = cursor.batch(size);
    match &batch {
        Ok(Batch { is_last: false, .. }) => cursors.put_back(id, cursor, call.door.now()),
        _ => cursors.close(id),
    }
    let Batch { documents, is_last } = batch?;
    Ok(rawdoc! { "cursor": { "nextBatch": documents, "id": if is_last { 0 } else { id }, "ns": namespace } })
}

fn kill_cursors(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let namespace = call.namespace(call.collection()?);
    let (mut killed, mut missing) = (RawArrayBuf::new(), RawArrayBuf::new());
    for element in call.arguments.array("cursors").into_iter().flatten() {
        let Ok(RawBsonRef::Int64(id)) = element else {
            return Err(Failure::new(
                code::TYPE_MISMATCH,
                "Field 'cursors' contains an element that is not of type long",
            ));
        };
        if call.door.cursors.kill(id, &namespace) {
            killed.push(id);
        } else {
            missing.push(id);
        }
    }
    Ok(rawdoc! {
        "cursorsKilled": killed,
        "cursorsNotFound": missing,
        "cursorsAlive": RawArrayBuf::new(),
        "cursorsUnknown": RawArrayBuf::new(),
    })
}

fn count(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(&["hint"])?;
    call.check_collation()?;
    let filter = call.arguments.decoded("query")?.unwrap_or_default();
    let skip = call.count("skip")?.unwrap_or(0);
    // A negative limit means the same number.
    let limit = call.arguments.integer("limit").map(i64::unsigned_abs).filter(|limit| *limit > 0);
    let found = raw_collection(call, name).count_documents(filter)?.saturating_sub(skip);
    let counted = limit.map_or(found, |limit| found.min(limit));
    if let Ok(counted) = i32::try_from(counted) {
        return Ok(rawdoc! { "n": counted });
    }
    Ok(rawdoc! { "n": i64::try_from(counted).unwrap_or(i64::MAX) })
}
