//! Cursors: what is left of a result, batch by batch.

use std::sync::Arc;
use std::time::Duration;

use bson::{RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::cursors::{Batch, Cursor};
use crate::server::mongo::fail_points::FailPoints;
use crate::server::mongo::failure::{Failure, Result, code, out_of_time};
use crate::server::mongo::fields::{Arguments, Field, Types, type_name, wrong_type};

/// Documents of a first batch whose size the client left open.
pub(super) const FIRST_BATCH: u64 = 101;

const GET_MORE: &[Field] = &[
    Field::new("collection", Types::STRING).required(),
    Field::new("batchSize", Types::NUMBER),
    Field::new("term", Types::LONG),
    Field::new("lastKnownCommittedOpTime", Types::OBJECT),
];

/// What commands that reply with a cursor are told of it.
const CURSOR: &[Field] = &[Field::new("batchSize", Types::NUMBER)];

pub(super) const COMMANDS: &[Command] = &[
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
];

/// The size of the first batch, in what a command says of its cursor; as many as a reply holds where it says nothing.
///
/// # Errors
/// 2 for a size below zero, and those of [`Arguments::within`].
pub(super) fn batch_size(call: &Call<'_>, otherwise: u64) -> Result<u64> {
    let Some(cursor) = call.arguments.document("cursor") else { return Ok(otherwise) };
    let Some(size) = Arguments::within("cursor", CURSOR, cursor)?.integer("batchSize") else { return Ok(otherwise) };
    u64::try_from(size).map_err(|_| {
        Failure::new(
            code::BAD_VALUE,
            format!("BSON field 'cursor.batchSize' value must be >= 0, actual value '{size}'"),
        )
    })
}

/// The reply to a command that has found something: its first documents, and the cursor over the others.
pub(super) fn first_batch(call: &Call<'_>, mut cursor: Cursor, size: u64, is_single: bool) -> Result<RawDocumentBuf> {
    let namespace = cursor.namespace.clone();
    let Batch { documents, is_last } = cursor.batch(Some(size), Duration::ZERO)?;
    // Of a cursor that waits, the time is for how long.
    cursor.time_left = call.supervision.time_left().filter(|_| !cursor.awaits());
    let id = if is_last || is_single { 0 } else { call.door.cursors.open(cursor, call.door.now())? };
    Ok(rawdoc! { "cursor": { "firstBatch": documents, "id": id, "ns": namespace } })
}

fn get_more(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let id = match call.arguments.first() {
        RawBsonRef::Int64(id) => id,
        RawBsonRef::Null | RawBsonRef::Undefined => {
            let message = "BSON field 'getMore.getMore' is missing but a required field";
            return Err(Failure::new(code::MISSING_FIELD, message));
        }
        other => {
            let found = type_name(other);
            let message = format!("BSON field 'getMore.getMore' is the wrong type '{found}', expected type 'long'");
            return Err(Failure::new(code::TYPE_MISMATCH, message));
        }
    };
    let collection = call.arguments.text("collection").unwrap_or_default();
    let size = call.arguments.integer("batchSize").unwrap_or(0);
    let size = u64::try_from(size).map(|size| Some(size).filter(|size| *size > 0)).map_err(|_| {
        let message = format!("BSON field 'getMore.batchSize' value must be >= 0, actual value '{size}'");
        Failure::new(code::BAD_VALUE, message)
    })?;
    let cursors = &call.door.cursors;
    let mut cursor = cursors.take(id, call.door.now())?;
    let admitted = check_owner(call, &cursor, &call.namespace(collection)).and_then(|()| check_time(call, &cursor));
    if let Err(failure) = admitted {
        cursors.put_back(id, cursor, call.door.now());
        return Err(failure);
    }
    let namespace = cursor.namespace.clone();
    let waiting = if cursor.awaits() { cursors.place_to_wait() } else { None };
    let patience = if waiting.is_some() { patience(call) } else { Duration::ZERO };
    let batch = next_batch(call, &mut cursor, size, patience);
    drop(waiting);
    match &batch {
        Ok(Batch { is_last: false, .. }) => cursors.put_back(id, cursor, call.door.now()),
        _ => cursors.close(id),
    }
    let Batch { documents, is_last } = batch?;
    Ok(rawdoc! { "cursor": { "nextBatch": documents, "id": if is_last { 0 } else { id }, "ns": namespace } })
}

/// The next batch, within what is left of the query's time.
fn next_batch(call: &Call<'_>, cursor: &mut Cursor, size: Option<u64>, patience: Duration) -> Result<Batch> {
    let Some(time) = cursor.time_left else { return cursor.batch(size, patience) };
    if call.door.fail_points.as_ref().is_some_and(FailPoints::times_out) {
        return Err(out_of_time());
    }
    let supervision = Arc::new(call.supervision.within(time));
    let batch = supervision.guard(|| cursor.batch(size, patience));
    cursor.time_left = supervision.time_left();
    batch
}

/// Refuses a time for a cursor that does not wait: it has what its query was given.
fn check_time(call: &Call<'_>, cursor: &Cursor) -> Result<()> {
    if cursor.awaits() || call.arguments.integer("maxTimeMS").is_none_or(|millis| millis == 0) {
        return Ok(());
    }
    let message = "cannot set maxTimeMS on getMore command for a non-awaitData cursor";
    Err(Failure::new(code::BAD_VALUE, message))
}

/// For how long a request waits for documents.
fn patience(call: &Call<'_>) -> Duration {
    let wanted = call.arguments.integer("maxTimeMS").and_then(|millis| u64::try_from(millis).ok());
    let wanted = wanted.filter(|millis| *millis > 0).unwrap_or(limits::MONGO_WAIT_MILLIS);
    Duration::from_millis(wanted.min(limits::MONGO_WAIT_MILLIS_MAX))
}

/// Checks that a request, which is about `namespace`, may go on with `cursor`.
fn check_owner(call: &Call<'_>, cursor: &Cursor, namespace: &str) -> Result<()> {
    const OTHER_SESSION: i32 = 50738;
    if cursor.namespace != namespace {
        let own = &cursor.namespace;
        let message =
            format!("Requested getMore on namespace '{namespace}', but cursor belongs to a different namespace {own}");
        return Err(Failure::new(code::UNAUTHORIZED, message));
    }
    if cursor.session != call.session {
        return Err(Failure::new(OTHER_SESSION, "Cannot run getMore on a cursor that was created in another session"));
    }
    Ok(())
}

fn kill_cursors(call: &Call<'_>) -> Result<RawDocumentBuf> {
    // Cursors over lists, and over what a pipeline gives that reads no collection, have names of their own.
    if !call.arguments.first().as_str().is_some_and(|name| name.starts_with("$cmd.")) {
        call.collection()?;
    }
    let (mut killed, mut missing) = (RawArrayBuf::new(), RawArrayBuf::new());
    let mut ids = Vec::new();
    for (place, element) in call.arguments.array("cursors").into_iter().flatten().enumerate() {
        match element {
            Ok(RawBsonRef::Int64(id)) => ids.push(id),
            // As if it had not been written.
            Ok(RawBsonRef::Null | RawBsonRef::Undefined) => {}
            Ok(other) => return Err(wrong_type(&format!("killCursors.cursors.{place}"), other, Types::LONG)),
            Err(error) => return Err(Failure::new(code::FAILED_TO_PARSE, error.to_string())),
        }
    }
    for id in ids {
        if call.door.cursors.kill(id) {
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
