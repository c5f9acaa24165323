//! The first words between a client and a door.

use bson::{DateTime, RawBsonRef, RawDocumentBuf, rawdoc};

use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::failure::Result;
use crate::server::mongo::fields::{Field, Types};

/// The newest protocol of which everything that a driver needs is here: that of 7.0.
const WIRE_VERSION_MAX: i32 = 21;

const HELLO: &[Field] = &[
    Field::any("helloOk"),
    Field::any("client"),
    Field::any("compression"),
    Field::any("saslSupportedMechs"),
    Field::any("speculativeAuthenticate"),
    Field::new("topologyVersion", Types::OBJECT),
    Field::new("maxAwaitTimeMS", Types::NUMBER),
    Field::any("loadBalanced"),
    Field::any("hostInfo"),
    Field::any("internalClient"),
    Field::any("forShell"),
];

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "hello",
        aliases: &[],
        flags: Flags::OPEN.union(Flags::TAKES_ANYTHING),
        fields: HELLO,
        help: "Describes the server to a client, which does so for each connection.",
        run: |call| greet(call, "isWritablePrimary"),
    },
    Command {
        name: "isMaster",
        aliases: &["ismaster"],
        flags: Flags::OPEN.union(Flags::TAKES_ANYTHING),
        fields: HELLO,
        help: "The older name of hello.",
        run: |call| greet(call, "ismaster"),
    },
    Command {
        name: "ping",
        aliases: &[],
        flags: Flags::OPEN,
        fields: &[],
        help: "Does nothing, and says so.",
        run: |_| Ok(RawDocumentBuf::new()),
    },
    Command {
        name: "whatsmyuri",
        aliases: &[],
        flags: Flags::OPEN,
        fields: &[],
        help: "The address from which the client comes.",
        run: |call| Ok(rawdoc! { "you": call.client.peer.as_str() }),
    },
];

fn greet(call: &Call<'_>, writable: &str) -> Result<RawDocumentBuf> {
    let (door, client) = (call.door, call.client);
    if let Some(metadata) = call.arguments.document("client") {
        client.set_metadata(metadata)?;
    }
    let now = door.now();
    let mut reply = rawdoc! {};
    if call.arguments.truth("helloOk") == Some(true) {
        reply.append(bson::raw::cstr!("helloOk"), true);
    }
    append(&mut reply, writable, RawBsonRef::Boolean(true));
    extend(&mut reply, &rawdoc! { "topologyVersion": door.topology.version() });
    extend(&mut reply, &door.topology.member(&client.reached, now));
    extend(
        &mut reply,
        &rawdoc! {
            "maxBsonObjectSize": number(limits::DOCUMENT_BYTES_MAX),
            "maxMessageSizeBytes": number(limits::MONGO_MESSAGE_BYTES_MAX),
            "maxWriteBatchSize": number(limits::MONGO_BATCH_WRITES_MAX),
            "localTime": DateTime::from_millis(now.as_millis()),
            "logicalSessionTimeoutMinutes": i32::try_from(limits::MONGO_SESSION_IDLE_SECONDS_MAX / 60).unwrap_or(30),
            "connectionId": client.id,
            "minWireVersion": 0,
            "maxWireVersion": WIRE_VERSION_MAX,
            "readOnly": door.store.failure().is_some(),
        },
    );
    if call.arguments.get("saslSupportedMechs").is_some() {
        extend(&mut reply, &rawdoc! { "saslSupportedMechs": ["SCRAM-SHA-256"] });
    }
    // A login that is sent ahead and cannot be begun is begun again by itself.
    if let Some(ahead) = call.arguments.document("speculativeAuthenticate")
        && let Ok(begun) = super::authentication::start(call, ahead)
    {
        extend(&mut reply, &rawdoc! { "speculativeAuthenticate": begun });
    }
    Ok(reply)
}

/// A limit as clients are told it.
fn number(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

fn append(reply: &mut RawDocumentBuf, name: &str, value: RawBsonRef<'_>) {
    if let Ok(name) = bson::raw::CString::try_from(name) {
        reply.append(name, value);
    }
}

fn extend(reply: &mut RawDocumentBuf, more: &RawDocumentBuf) {
    for (name, value) in more.iter().flatten() {
        reply.append(name, value);
    }
}
