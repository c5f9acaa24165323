//! Aggregation pipelines, over a collection or over documents of their own.

use bson::{Document, RawBsonRef, RawDocumentBuf, doc};

use crate::document::AggregateOptions;
use crate::server::mongo::command::{Call, Command, Flags, check_collection};
use crate::server::mongo::commands::cursors::{FIRST_BATCH, batch_size, first_batch};
use crate::server::mongo::commands::explain::{self, Verbosity};
use crate::server::mongo::commands::find::{raw_collection, rows};
use crate::server::mongo::commands::sources;
use crate::server::mongo::commands::write::HINT;
use crate::server::mongo::cursors::{Cursor, Rows};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode, is_one, type_name, type_of};

pub(super) const AGGREGATE: &[Field] = &[
    Field::new("pipeline", Types::ARRAY).required().strict(code::TYPE_MISMATCH),
    Field::new("cursor", Types::OBJECT).strict(code::TYPE_MISMATCH),
    Field::new("explain", Types::BOOL).strict(code::TYPE_MISMATCH),
    Field::new("allowDiskUse", Types::BOOL),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("collation", Types::OBJECT),
    Field::new("let", Types::OBJECT),
    HINT,
];

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "aggregate",
    aliases: &[],
    flags: Flags::READS,
    fields: AGGREGATE,
    help: "Runs an aggregation pipeline.",
    run: aggregate,
}];

/// A pipeline, as it was asked for.
pub(super) struct Pipeline<'a> {
    /// The collection, unless it has documents of its own.
    pub(super) name: Option<&'a str>,
    pub(super) stages: Vec<Document>,
    pub(super) options: AggregateOptions,
}

impl<'a> Pipeline<'a> {
    /// # Errors
    /// For fields that are not what the command takes.
    pub(super) fn parse(call: &Call<'a>) -> Result<Self> {
        let arguments = &call.arguments;
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
        let stages = arguments.documents("pipeline")?.into_iter().map(decode).collect::<Result<Vec<_>>>()?;
        let mut options = AggregateOptions::default();
        if let Some(variables) = arguments.decoded("let")? {
            options = options.let_vars(variables);
        }
        if let Some(hint) = arguments.hint()? {
            options = options.hint(hint);
        }
        Ok(Self { name, stages, options })
    }

    /// Whether what it gives is written.
    pub(super) fn writes(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.contains_key("$out") || stage.contains_key("$merge"))
    }
}

fn aggregate(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let size = batch_size(call, FIRST_BATCH)?;
    let pipeline = Pipeline::parse(call)?;
    if call.arguments.truth("explain") == Some(true) {
        if call.arguments.get("writeConcern").is_some() {
            let message = "Aggregation explain does not support the 'writeConcern' option";
            return Err(Failure::new(code::FAILED_TO_PARSE, message));
        }
        return explain::pipeline(call, pipeline, Verbosity::Plan);
    }
    if call.arguments.get("cursor").is_none() {
        let message = "The 'cursor' option is required, except for aggregate with the explain argument";
        return Err(Failure::new(code::FAILED_TO_PARSE, message));
    }
    let namespace = call.namespace(pipeline.name.unwrap_or("$cmd.aggregate"));
    first_batch(call, Cursor::new(run(call, pipeline)?, None, namespace, call.session), size, false)
}

/// The documents that a pipeline gives.
fn run(call: &Call<'_>, pipeline: Pipeline<'_>) -> Result<Rows> {
    let writes = pipeline.writes();
    let Pipeline { name, stages, options } = pipeline;
    let database = call.door.store.database(call.database);
    if let Some(documents) = sources::documents(call, name, &stages)? {
        let source = doc! { "$documents": { "$literal": documents } };
        let stages = std::iter::once(source).chain(stages.into_iter().skip(1));
        return Ok(rows(database.aggregate_with(stages, options)?));
    }
    match name {
        None => Ok(rows(database.aggregate_with(stages, options)?)),
        Some(name) if writes => {
            call.collection_to_write(name).aggregate_out_with(stages, options)?;
            Ok(Box::new(std::iter::empty()))
        }
        Some(name) => Ok(rows(raw_collection(call, name).aggregate_with(stages, options)?)),
    }
}
