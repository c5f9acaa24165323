//! Sessions and cursors: what a client keeps open between its requests.

use bson::spec::BinarySubtype;
use bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf, Uuid, rawdoc};

use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::failure::{Failure, Result, code};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "startSession",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[],
        help: "Begins a session, whose identifier the server chooses.",
        run: start,
    },
    Command {
        name: "endSessions",
        aliases: &[],
        flags: Flags::OPEN,
        fields: &[],
        help: "Ends sessions, and what they have open.",
        run: end,
    },
    Command {
        name: "killSessions",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[],
        help: "Ends sessions, and what they have open.",
        run: end,
    },
    Command {
        name: "refreshSessions",
        aliases: &[],
        flags: Flags::empty(),
        fields: &[],
        help: "Keeps sessions from ending for half an hour more.",
        run: refresh,
    },
];

fn start(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let id = call.door.new_session_id();
    call.door.sessions.touch(id, call.door.now())?;
    let id = Binary { subtype: BinarySubtype::Uuid, bytes: id.bytes().to_vec() };
    Ok(rawdoc! { "id": { "id": id }, "timeoutMinutes": 30 })
}

fn end(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let ids = ids(call)?;
    call.door.cursors.kill_of_sessions(&ids);
    call.door.sessions.end(&ids);
    Ok(RawDocumentBuf::new())
}

fn refresh(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let now = call.door.now();
    ids(call)?.into_iter().try_for_each(|id| call.door.sessions.touch(id, now))?;
    Ok(RawDocumentBuf::new())
}

/// The sessions that the command lists.
fn ids(call: &Call<'_>) -> Result<Vec<Uuid>> {
    let RawBsonRef::Array(list) = call.arguments.first() else {
        return Err(Failure::new(code::TYPE_MISMATCH, "an array of sessions is needed"));
    };
    let id = |element: bson::error::Result<RawBsonRef<'_>>| {
        element.ok().and_then(|element| element.as_document().and_then(session_id))
    };
    let ids: Option<Vec<_>> = list.into_iter().map(id).collect();
    ids.ok_or_else(|| Failure::new(code::TYPE_MISMATCH, "a session is a document with an id of type UUID"))
}

/// The identifier in what a request names its session by.
pub(in crate::server::mongo) fn session_id(session: &RawDocument) -> Option<Uuid> {
    let id = session.get("id").ok().flatten()?.as_binary()?;
    let bytes = <[u8; 16]>::try_from(id.bytes).ok()?;
    (id.subtype == BinarySubtype::Uuid).then(|| Uuid::from_bytes(bytes))
}
