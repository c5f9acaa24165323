//! Reading: queries, counts, distinct values.

use bson::{RawArrayBuf, RawBson, RawDocumentBuf, rawdoc};

use crate::document::{self, Collection, Find};
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::cursors::{FIRST_BATCH, first_batch};
use crate::server::mongo::commands::write::HINT;
use crate::server::mongo::cursors::{Cursor, Rows};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, whole_of};

pub(super) const FIND: &[Field] = &[
    Field::new("filter", Types::OBJECT),
    Field::new("sort", Types::OBJECT),
    Field::new("projection", Types::OBJECT),
    HINT,
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

pub(super) const COUNT: &[Field] = &[
    Field::new("query", Types::OBJECT),
    Field::new("limit", Types::NUMBER).strict(code::BAD_VALUE),
    Field::new("skip", Types::NUMBER),
    HINT,
    Field::new("collation", Types::OBJECT),
    Field::any("fields"),
];

pub(super) const DISTINCT: &[Field] = &[
    Field::new("key", Types::STRING).required(),
    Field::new("query", Types::OBJECT),
    HINT,
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
        name: "count",
        aliases: &[],
        flags: Flags::READS,
        fields: COUNT,
        help: "Counts the documents of a collection that match a filter.",
        run: count,
    },
];

/// The collection `name`, whose documents stay bytes.
pub(super) fn raw_collection(call: &Call<'_>, name: &str) -> Collection<RawDocumentBuf> {
    call.door.store.database(call.database).collection(name)
}

fn find(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let limit = call.count("limit")?.filter(|limit| *limit > 0);
    let query = find_query(call, name)?;
    let is_single = call.arguments.truth("singleBatch") == Some(true);
    let size = call.count("batchSize")?;
    let is_true = |option: &str| call.arguments.truth(option) == Some(true);
    let cursor = match (is_true("tailable"), is_true("awaitData")) {
        (true, awaits) => Cursor::tailable(query.tail()?, awaits, call.namespace(name), call.session),
        (false, true) => {
            let message = "Cannot set 'awaitData' without also setting 'tailable'";
            return Err(Failure::new(code::FAILED_TO_PARSE, message));
        }
        (false, false) => Cursor::new(rows(query.run()?), limit, call.namespace(name), call.session),
    };
    first_batch(call, cursor, size.unwrap_or(FIRST_BATCH), is_single)
}

/// The query of a `find`.
pub(super) fn find_query(call: &Call<'_>, name: &str) -> Result<Find<RawDocumentBuf>> {
    let limit = call.count("limit")?.unwrap_or(0);
    let arguments = &call.arguments;
    let mut query = with_filter(call, name, "filter")?.skip(call.count("skip")?.unwrap_or(0)).limit(limit);
    if let Some(sort) = arguments.decoded("sort")? {
        query = query.sort(sort);
    }
    if let Some(projection) = arguments.decoded("projection")? {
        query = query.projection(projection);
    }
    if let Some(variables) = arguments.decoded("let")? {
        query = query.let_vars(variables);
    }
    if let Some(min) = arguments.decoded("min")? {
        query = query.min(min);
    }
    if let Some(max) = arguments.decoded("max")? {
        query = query.max(max);
    }
    let is_true = |option: &str| arguments.truth(option) == Some(true);
    Ok(query.return_key(is_true("returnKey")).show_record_id(is_true("showRecordId")))
}

/// The query whose filter is the field `filter`.
pub(super) fn with_filter(call: &Call<'_>, name: &str, filter: &str) -> Result<Find<RawDocumentBuf>> {
    let mut query = raw_collection(call, name).find(call.arguments.decoded(filter)?.unwrap_or_default());
    if let Some(collation) = call.arguments.collation()? {
        query = query.collation(collation);
    }
    Ok(match call.arguments.hint()? {
        Some(hint) => query.hint(hint),
        None => query,
    })
}

fn distinct(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let query = with_filter(call, call.collection()?, "query")?;
    let mut values = RawArrayBuf::new();
    for value in query.distinct(call.arguments.text("key").unwrap_or_default())? {
        let value = RawBson::try_from(value);
        values.push(value.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?);
    }
    Ok(rawdoc! { "values": values })
}

/// The rows of a cursor of the model.
pub(super) fn rows(cursor: document::Cursor<RawDocumentBuf>) -> Rows {
    Box::new(cursor.map(|row| row.map_err(Failure::from)))
}

fn count(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let counted = count_query(call, call.collection()?)?.count()?;
    if let Ok(counted) = i32::try_from(counted) {
        return Ok(rawdoc! { "n": counted });
    }
    Ok(rawdoc! { "n": i64::try_from(counted).unwrap_or(i64::MAX) })
}

/// The query of a `count`.
pub(super) fn count_query(call: &Call<'_>, name: &str) -> Result<Find<RawDocumentBuf>> {
    let skip = call.count("skip")?.unwrap_or(0);
    let limit = match call.arguments.get("limit") {
        None => 0,
        // A negative limit means the same number.
        Some(limit) => {
            let limit = whole_of(limit)
                .ok_or_else(|| Failure::new(code::FAILED_TO_PARSE, "limit has to be a whole number of 64 bits"))?;
            if limit == i64::MIN {
                return Err(Failure::new(code::BAD_VALUE, "limit has no counterpart without its sign"));
            }
            limit.unsigned_abs()
        }
    };
    Ok(with_filter(call, name, "query")?.skip(skip).limit(limit))
}
