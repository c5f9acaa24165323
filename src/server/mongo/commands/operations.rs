//! What the door is doing, and ending it.

use bson::{Bson, DateTime, Document, RawBsonRef, RawDocumentBuf, doc, rawdoc};

use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::commands::write::encode;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types, decode};
use crate::server::mongo::operations::Operation;
use crate::server::mongo::usage::{Cost, KINDS};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "currentOp",
        aliases: &["currentop"],
        flags: Flags::ADMIN,
        fields: &[Field::any("$ownOps"), Field::any("$all")],
        help: "The commands that are running.",
        run: current_op,
    },
    Command {
        name: "top",
        aliases: &[],
        flags: Flags::ADMIN,
        fields: &[],
        help: "What commands have cost, by collection.",
        run: top,
    },
    Command {
        name: "killOp",
        aliases: &["killop"],
        flags: Flags::ADMIN,
        fields: &[Field::new("op", Types::NUMBER).required()],
        help: "Ends a command.",
        run: |call| Ok(kill_op(call)),
    },
];

fn current_op(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let running: Vec<_> =
        call.door.operations.all().iter().map(|(id, one)| Bson::from(about(call, *id, one))).collect();
    encode(&doc! { "inprog": running })
}

/// What `$currentOp` gives.
///
/// # Errors
/// For options that the stage does not take.
pub(super) fn current(call: &Call<'_>, options: &Document) -> Result<Vec<Bson>> {
    const KNOWN: &[&str] =
        &["allUsers", "idleConnections", "idleCursors", "idleSessions", "localOps", "backtrace", "targetAllNodes"];
    for (name, value) in options {
        if !KNOWN.contains(&name.as_str()) {
            let message = format!("BSON field '$currentOp.{name}' is an unknown field.");
            return Err(Failure::new(code::UNKNOWN_FIELD, message));
        }
        let Bson::Boolean(asks) = value else {
            let message = format!("BSON field '$currentOp.{name}' is the wrong type, expected type 'bool'");
            return Err(Failure::new(code::TYPE_MISMATCH, message));
        };
        if *asks && name.starts_with("idle") && name != "idleSessions" {
            return Err(Failure::new(code::NOT_IMPLEMENTED, format!("{name} of $currentOp is not supported")));
        }
    }
    Ok(call.door.operations.all().iter().map(|(id, one)| about(call, *id, one).into()).collect())
}

fn about(call: &Call<'_>, id: i32, one: &Operation) -> Document {
    let elapsed = one.supervision.elapsed();
    let began = call.door.now().as_millis() - i64::try_from(elapsed.as_millis()).unwrap_or(0);
    let first = one.body.iter().next().and_then(std::result::Result::ok).map(|(_, value)| value);
    let collection = first.and_then(RawBsonRef::as_str).unwrap_or("$cmd");
    doc! {
        "type": "op",
        "host": &call.client.reached,
        "desc": format!("conn{}", one.connection),
        "connectionId": one.connection,
        "client": &one.peer,
        "appName": one.app_name.clone().unwrap_or_default(),
        "active": true,
        "currentOpTime": DateTime::from_millis(began).try_to_rfc3339_string().unwrap_or_default(),
        "opid": id,
        "secs_running": i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX),
        "microsecs_running": i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX),
        "op": kind(one.command),
        "ns": format!("{}.{collection}", one.database),
        "command": decode(&one.body).unwrap_or_default(),
    }
}

/// What kind of operation a command is.
fn kind(command: &str) -> &'static str {
    match command {
        "find" => "query",
        "insert" => "insert",
        "update" => "update",
        "delete" => "remove",
        "getMore" => "getmore",
        _ => "command",
    }
}

fn top(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let mut totals = doc! { "note": "all times in microseconds" };
    for (namespace, used) in call.door.usage.all() {
        let shown = |cost: Cost| {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            doc! { "time": number(cost.micros), "count": number(cost.count) }
        };
        let sum = |kinds: &[&str]| {
            let chosen = KINDS.iter().zip(used.kinds).filter(|(kind, _)| kinds.contains(kind));
            shown(chosen.fold(Cost::default(), |sum, (_, cost)| Cost {
                count: sum.count + cost.count,
                micros: sum.micros.saturating_add(cost.micros),
            }))
        };
        let mut one = doc! {
            "total": sum(KINDS),
            "readLock": sum(&["queries", "getmore"]),
            "writeLock": sum(&["insert", "update", "remove"]),
        };
        one.extend(KINDS.iter().zip(used.kinds).map(|(kind, cost)| ((*kind).to_owned(), shown(cost).into())));
        totals.insert(namespace, one);
    }
    encode(&doc! { "totals": totals })
}

fn kill_op(call: &Call<'_>) -> RawDocumentBuf {
    if let Some(id) = call.arguments.integer("op").and_then(|id| i32::try_from(id).ok()) {
        call.door.operations.kill(id);
    }
    rawdoc! { "info": "attempting to kill op" }
}
