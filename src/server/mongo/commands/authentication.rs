//! Logging in, by SCRAM-SHA-256.
//!
//! A login is a conversation of two messages each way: the client names itself and draws a number, the door adds one and says how the
//! password is hashed; the client proves that it knows the password, and the door that it has its hash. A client that names somebody who
//! does not exist is led through the same conversation, with a salt that is always the same for the name.
//!
//! # Source
//! MongoDB manual, `saslStart` and `saslContinue`; RFC 5802 and 7677.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bson::spec::BinarySubtype;
use bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};
use sha2::{Digest, Sha256};

use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::conversation::Conversation;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Field, Types};
use crate::server::scram::ScramKeys;

/// Bytes that the door draws for a login.
const NONCE_BYTES: usize = 18;

/// The number of a client's one conversation.
const CONVERSATION: i32 = 1;

/// Iterations that a client is asked for which names nobody: as many as users have.
const ITERATIONS: u32 = 15_000;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "saslStart",
        aliases: &[],
        flags: Flags::OPEN.union(Flags::SECRET),
        fields: &[
            Field::new("mechanism", Types::STRING).required(),
            Field::any("payload"),
            Field::any("autoAuthorize"),
            Field::new("options", Types::OBJECT),
        ],
        help: "Begins to log in.",
        run: |call| start(call, call.body),
    },
    Command {
        name: "saslContinue",
        aliases: &[],
        flags: Flags::OPEN.union(Flags::SECRET),
        fields: &[Field::new("conversationId", Types::INT).required(), Field::any("payload")],
        help: "Goes on with logging in.",
        run: go_on,
    },
    Command {
        name: "logout",
        aliases: &[],
        flags: Flags::OPEN,
        fields: &[],
        help: "Forgets as whom the client has logged in.",
        run: |call| {
            call.client.set_user(None);
            Ok(RawDocumentBuf::new())
        },
    },
];

/// Begins the login that `request` asks for: `saslStart`, or the same within `hello`.
///
/// # Errors
/// Code 18 for what is not SCRAM-SHA-256.
pub(super) fn start(call: &Call<'_>, request: &RawDocument) -> Result<RawDocumentBuf> {
    let mechanism = request.get("mechanism").ok().flatten().and_then(RawBsonRef::as_str);
    if mechanism != Some("SCRAM-SHA-256") {
        let message = format!("the mechanism '{}' is not supported, only SCRAM-SHA-256 is", mechanism.unwrap_or(""));
        return Err(Failure::new(code::AUTHENTICATION_FAILED, message));
    }
    let first = payload(request)?;
    let bare = first.strip_prefix("n,").and_then(|rest| rest.split_once(',')).map(|(_, bare)| bare);
    let bare = bare.ok_or_else(malformed)?;
    let name = field(bare, 'n').ok_or_else(malformed)?.replace("=2C", ",").replace("=3D", "=");
    let drawn = field(bare, 'r').filter(|drawn| !drawn.is_empty()).ok_or_else(malformed)?;
    let mut random = [0; NONCE_BYTES];
    getrandom::fill(&mut random).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
    let nonce = format!("{drawn}{}", BASE64.encode(random));
    let known = keys_of(call, &name);
    let is_known = known.is_some();
    let keys = known.unwrap_or_else(|| keys_of_nobody(call, &name));
    let reply = format!("r={nonce},s={},i={}", BASE64.encode(&keys.salt), keys.iterations);
    let options = request.get("options").ok().flatten().and_then(RawBsonRef::as_document);
    let skips_last = options.and_then(|options| options.get_bool("skipEmptyExchange").ok()).unwrap_or(false);
    let messages = format!("{bare},{reply}");
    let begun = Conversation { user: name, keys, is_known, messages, nonce, is_proven: false, skips_last };
    call.client.set_conversation(Some(begun));
    Ok(said(&reply, false))
}

fn go_on(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let begun = call.client.take_conversation().filter(|_| call.arguments.integer("conversationId") == Some(1));
    let Some(mut begun) = begun else {
        return Err(Failure::new(code::PROTOCOL_ERROR, "No SASL session state found"));
    };
    if begun.is_proven {
        call.client.set_user(Some(begun.user));
        return Ok(said("", true));
    }
    let last = payload(call.body)?;
    let (unproven, proof) = last.rsplit_once(",p=").ok_or_else(malformed)?;
    let proof = BASE64.decode(proof).map_err(|_| malformed())?;
    let is_own = field(unproven, 'r') == Some(begun.nonce.as_str());
    let message = format!("{},{unproven}", begun.messages);
    // Computed whatever else is true, so that the time tells nothing of it.
    let is_proof = begun.keys.is_proof(message.as_bytes(), &proof);
    if !(is_proof && is_own && begun.is_known) {
        return Err(Failure::new(code::AUTHENTICATION_FAILED, "Authentication failed."));
    }
    let reply = format!("v={}", BASE64.encode(begun.keys.server_signature(message.as_bytes())));
    if begun.skips_last {
        call.client.set_user(Some(begun.user));
        return Ok(said(&reply, true));
    }
    begun.is_proven = true;
    call.client.set_conversation(Some(begun));
    Ok(said(&reply, false))
}

/// The keys of a user who may log in.
fn keys_of(call: &Call<'_>, name: &str) -> Option<ScramKeys> {
    let user = call.door.users.get(name.as_bytes())?;
    let account = user.account();
    account.credentials.scram.clone().filter(|_| account.is_on)
}

/// What a client gets that names nobody: keys of which nobody has the password.
fn keys_of_nobody(call: &Call<'_>, name: &str) -> ScramKeys {
    let mut hash = Sha256::new();
    hash.update(call.door.secret.to_le_bytes());
    hash.update(name);
    let digest: [u8; 32] = hash.finalize().into();
    let salt = digest.iter().take(28).copied().collect();
    ScramKeys { salt, iterations: ITERATIONS, stored_key: digest, server_key: digest }
}

/// The text that a client has sent.
fn payload(request: &RawDocument) -> Result<String> {
    let bytes = match request.get("payload").ok().flatten() {
        Some(RawBsonRef::Binary(binary)) => binary.bytes.to_vec(),
        Some(RawBsonRef::String(text)) => BASE64.decode(text).map_err(|_| malformed())?,
        _ => return Err(malformed()),
    };
    String::from_utf8(bytes).map_err(|_| malformed())
}

/// The value of a field of a message: what stands behind `name` and an equals sign.
fn field(message: &str, name: char) -> Option<&str> {
    message.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

fn said(text: &str, is_done: bool) -> RawDocumentBuf {
    let payload = Binary { subtype: BinarySubtype::Generic, bytes: text.as_bytes().to_vec() };
    rawdoc! { "conversationId": CONVERSATION, "done": is_done, "payload": payload }
}

fn malformed() -> Failure {
    Failure::new(code::AUTHENTICATION_FAILED, "a message of SCRAM-SHA-256 that does not parse")
}
