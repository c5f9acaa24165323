//! Aggregation pipelines, over a collection or over documents of their own.

use bson::{Document, RawDocumentBuf, doc};

use crate::document::AggregateOptions;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::cursors::{FIRST_BATCH, batch_size, first_batch};
use crate::server::mongo::commands::explain::{self, Verbosity};
use crate::server::mongo::commands::find::{raw_collection, rows};
use crate::server::mongo::commands::pipeline::Pipeline;
use crate::server::mongo::commands::sources;
use crate::server::mongo::commands::write::HINT;
use crate::server::mongo::concerns;
use crate::server::mongo::cursors::{Cursor, Rows};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};

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

fn aggregate(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let size = batch_size(call, FIRST_BATCH)?;
    let pipeline = Pipeline::parse(call)?;
    if pipeline.writes() && concerns::level(&call.arguments) == Some("linearizable") {
        let message = "$out and $merge cannot be used with a 'linearizable' read concern level";
        return Err(Failure::new(code::INVALID_OPTIONS, message));
    }
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
    let Pipeline { name, stages, mut options } = pipeline;
    if let Some(documents) = sources::documents(call, name, &stages)? {
        let source = doc! { "$documents": { "$literal": documents } };
        let stages = std::iter::once(source).chain(stages.into_iter().skip(1)).collect();
        return on_database(call, stages, options, writes);
    }
    if let Some(served) = name.and_then(|name| sources::served(call, name, &stages)) {
        options = options.served(served);
    }
    match name {
        None => on_database(call, stages, options, writes),
        Some(name) if writes => {
            call.collection_to_write(name).aggregate_out_with(stages, options)?;
            Ok(Box::new(std::iter::empty()))
        }
        Some(name) => Ok(rows(raw_collection(call, name).aggregate_with(stages, options)?)),
    }
}

/// As [`run`], of a pipeline that reads no collection of its own.
fn on_database(call: &Call<'_>, stages: Vec<Document>, options: AggregateOptions, writes: bool) -> Result<Rows> {
    if !writes {
        return Ok(rows(call.door.store.database(call.database).aggregate_with(stages, options)?));
    }
    call.refuse(&["bypassDocumentValidation"])?;
    call.door.store.database_unsettled(call.database, call.commit).aggregate_out_with(stages, options)?;
    Ok(Box::new(std::iter::empty()))
}
