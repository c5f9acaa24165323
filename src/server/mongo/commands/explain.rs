//! `explain`: how a command would be done, and, when asked to, what that takes. Nothing is written.

use bson::raw::cstr;
use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, doc, rawdoc};
use sha2::{Digest, Sha256};

use crate::document::Find;
use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::diagnostics::VERSION;
use crate::server::mongo::commands::find::{count_query, find_query, raw_collection, with_filter};
use crate::server::mongo::commands::pipeline::Pipeline;
use crate::server::mongo::commands::sources;
use crate::server::mongo::commands::write::{DELETE_STATEMENT, UPDATE_STATEMENT, encode};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Arguments, Field, Types, integer_of, type_name};
use crate::server::mongo::wire::{Form, Request};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "explain",
    aliases: &[],
    flags: Flags::READS,
    fields: &[Field::new("verbosity", Types::STRING)],
    help: "How a command would be done.",
    run: explain,
}];

/// Commands that can be explained.
const EXPLAINABLE: &[&str] = &["aggregate", "count", "delete", "distinct", "find", "findAndModify", "update"];

/// How much an explanation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Only how it would be done.
    Plan,
    /// Also what it took, for which it is done.
    Stats,
}

fn explain(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let RawBsonRef::Document(body) = call.arguments.first() else {
        let found = type_name(call.arguments.first());
        let message = format!("BSON field 'explain.explain' is the wrong type '{found}', expected type 'object'");
        return Err(Failure::new(code::TYPE_MISMATCH, message));
    };
    let verbosity = match call.arguments.text("verbosity") {
        Some("queryPlanner") => Verbosity::Plan,
        // One plan is considered, so that all of them are what is shown with the statistics.
        None | Some("executionStats" | "allPlansExecution") => Verbosity::Stats,
        Some(other) => {
            let message = format!("Enumeration value '{other}' for field 'explain.verbosity' is not a valid value.");
            return Err(Failure::new(code::BAD_VALUE, message));
        }
    };
    let name = body.iter().next().and_then(std::result::Result::ok).map_or("", |(name, _)| name.as_str());
    let Some(command) = super::find(name) else {
        return Err(Failure::new(code::COMMAND_NOT_FOUND, format!("Explain failed due to unknown command: {name}")));
    };
    if !EXPLAINABLE.contains(&command.name) {
        let message = format!("Explain does not work with the command '{name}'");
        return Err(Failure::new(code::ILLEGAL_OPERATION, message));
    }
    let form = Form::Message { more_to_come: false, exhaust_allowed: false };
    let request = Request { id: 0, form, body, sequences: Vec::new(), is_too_deep: false };
    let arguments = Arguments::check(command.name, command.fields, false, &request)?;
    let inner = Call { command, body, arguments, ..*call };
    let collection = || inner.collection();
    match command.name {
        "aggregate" => pipeline(&inner, Pipeline::parse(&inner)?, verbosity),
        "find" => one(&inner, find_query(&inner, collection()?)?, None, verbosity),
        "count" => one(&inner, count_query(&inner, collection()?)?, Some("COUNT"), verbosity),
        "distinct" => one(&inner, with_filter(&inner, collection()?, "query")?, None, verbosity),
        "findAndModify" => {
            let removes = inner.arguments.truth("remove") == Some(true);
            let mut query = with_filter(&inner, collection()?, "query")?.limit(1);
            if let Some(sort) = inner.arguments.decoded("sort")? {
                query = query.sort(sort);
            }
            if let Some(variables) = inner.arguments.decoded("let")? {
                query = query.let_vars(variables);
            }
            one(&inner, query, Some(if removes { "DELETE" } else { "UPDATE" }), verbosity)
        }
        "update" => one(&inner, statement(&inner, "updates", UPDATE_STATEMENT)?, Some("UPDATE"), verbosity),
        _ => one(&inner, statement(&inner, "deletes", DELETE_STATEMENT)?, Some("DELETE"), verbosity),
    }
}

/// The query for what the one write of a command changes.
fn statement(call: &Call<'_>, list: &'static str, known: &'static [Field]) -> Result<Find<RawDocumentBuf>> {
    let statements = call.arguments.documents(list)?;
    let [statement] = statements.as_slice() else {
        let message = format!("explained write batches must be of size 1, and this one is of {}", statements.len());
        return Err(Failure::new(code::INVALID_LENGTH, message));
    };
    let fields = Arguments::within(list, known, statement)?;
    let is_of_one = if list == "updates" {
        fields.truth("multi") != Some(true)
    } else {
        fields.get("limit").and_then(integer_of) == Some(1)
    };
    let filter = fields.decoded("q")?.unwrap_or_default();
    let mut query = raw_collection(call, call.collection()?).find(filter).limit(u64::from(is_of_one));
    if let Some(collation) = fields.collation()? {
        query = query.collation(collation);
    }
    if let Some(hint) = fields.hint()? {
        query = query.hint(hint);
    }
    if let Some(sort) = fields.decoded("sort")? {
        query = query.sort(sort);
    }
    if let Some(variables) = call.arguments.decoded("let")? {
        query = query.let_vars(variables);
    }
    Ok(query)
}

/// A hash of what a command asks for, whatever values it compares with: equal for queries that differ in those alone.
fn shape_hash(call: &Call<'_>) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(call.command.name.as_bytes());
    hash.update([0]);
    hash.update(call.database.as_bytes());
    for element in call.body {
        let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
        if !NOT_OF_SHAPE.contains(&name.as_str()) && !name.as_str().starts_with('$') {
            let is_name = hash_name(&mut hash, name.as_str());
            hash_shape(&mut hash, value, is_name, limits::DOCUMENT_DEPTH_MAX);
        }
    }
    let digit = |half: u8| DIGITS.get(usize::from(half)).map_or('0', |digit| char::from(*digit));
    Ok(hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect())
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Fields that say how a command is run, and not what it asks for.
const NOT_OF_SHAPE: &[&str] = &[
    "batchSize",
    "comment",
    "cursor",
    "explain",
    "hint",
    "lsid",
    "maxTimeMS",
    "readConcern",
    "txnNumber",
    "writeConcern",
];

/// Adds the name of a field; returns whether its value is a name, too: of a collection or of a field.
fn hash_name(hash: &mut Sha256, name: &str) -> bool {
    hash.update(name.as_bytes());
    hash.update([0]);
    EXPLAINABLE.contains(&name) || matches!(name, "key" | "from" | "as" | "localField" | "foreignField" | "coll")
}

fn hash_shape(hash: &mut Sha256, value: RawBsonRef<'_>, is_name: bool, levels: usize) {
    let Some(below) = levels.checked_sub(1) else { return };
    match value {
        RawBsonRef::Document(document) => {
            hash.update([b'{']);
            for (name, value) in document.iter().flatten() {
                let is_name = hash_name(hash, name.as_str());
                hash_shape(hash, value, is_name, below);
            }
            hash.update([b'}']);
        }
        RawBsonRef::Array(array) => {
            hash.update([b'[']);
            array.into_iter().flatten().for_each(|value| hash_shape(hash, value, is_name, below));
            hash.update([b']']);
        }
        // A path or variable.
        RawBsonRef::String(text) if is_name || text.starts_with('$') => hash.update(text.as_bytes()),
        other => hash.update(type_name(other).as_bytes()),
    }
}

/// The explanation of a command that is one query, and a stage over it.
fn one(
    call: &Call<'_>,
    query: Find<RawDocumentBuf>,
    outer: Option<&str>,
    verbosity: Verbosity,
) -> Result<RawDocumentBuf> {
    let explained = query.explain_with(verbosity == Verbosity::Stats)?;
    let over = |document: &Document, name: &str| {
        let mut document = document.clone();
        if let (Some(stage), Some(inner)) = (outer, document.remove(name)) {
            document.insert(name, doc! { "stage": stage, "inputStage": inner });
        }
        document
    };
    let planner = explained.get_document("queryPlanner").cloned().unwrap_or_default();
    let mut reply = rawdoc! { "explainVersion": "1" };
    let planner = if outer.is_some() { over(&planner, "winningPlan") } else { planner };
    reply.append(cstr!("queryPlanner"), encode(&planner)?);
    if let Ok(stats) = explained.get_document("executionStats") {
        let stats = if outer.is_some() { over(stats, "executionStages") } else { stats.clone() };
        reply.append(cstr!("executionStats"), encode(&stats)?);
    }
    with_server(call, reply)
}

/// The explanation of a pipeline.
pub(super) fn pipeline(call: &Call<'_>, pipeline: Pipeline<'_>, verbosity: Verbosity) -> Result<RawDocumentBuf> {
    let executes = verbosity == Verbosity::Stats && !pipeline.writes();
    let Pipeline { name, stages, options } = pipeline;
    let explained = match name {
        Some(name) if !sources::is_source(&stages) => {
            raw_collection(call, name).explain_aggregate(stages, options, executes)?
        }
        // It reads no collection first.
        _ => doc! { "stages": stages },
    };
    let mut reply = rawdoc! { "explainVersion": "1" };
    for (name, value) in encode(&explained)?.iter().flatten() {
        reply.append(name, value);
    }
    with_server(call, reply)
}

/// Adds what explanations say of the command and of the server.
fn with_server(call: &Call<'_>, mut reply: RawDocumentBuf) -> Result<RawDocumentBuf> {
    let (host, port) = call.client.reached.rsplit_once(':').unwrap_or((call.client.reached.as_str(), "0"));
    let server = rawdoc! {
        "host": host,
        "port": port.parse::<i32>().unwrap_or(0),
        "version": VERSION,
        "gitVersion": concat!("larder ", env!("CARGO_PKG_VERSION")),
    };
    reply.append(cstr!("queryShapeHash"), shape_hash(call)?);
    reply.append(cstr!("command"), shown(call.body, call.database)?);
    reply.append(cstr!("serverInfo"), server);
    let sort = i32::try_from(limits::SORT_BYTES_MAX).unwrap_or(i32::MAX);
    reply.append(cstr!("serverParameters"), rawdoc! { "internalQueryMaxBlockingSortMemoryUsageBytes": sort });
    Ok(reply)
}

/// The command, without what the driver has added to it.
fn shown(body: &RawDocument, database: &str) -> Result<RawDocumentBuf> {
    let mut shown = RawDocumentBuf::new();
    for element in body {
        let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
        if !name.as_str().starts_with('$') && name != "lsid" {
            shown.append(name, value);
        }
    }
    shown.append(cstr!("$db"), database);
    Ok(shown)
}
