//! How one request is run: found, checked, admitted, run, replied to.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bson::raw::cstr;
use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, Uuid, rawdoc};

use crate::document::Supervision;
use crate::error::Error;
use crate::limits;
use crate::server::mongo::api;
use crate::server::mongo::client::Client;
use crate::server::mongo::command::{Call, Command, Flags, check_database};
use crate::server::mongo::commands::{self, session_id};
use crate::server::mongo::concerns;
use crate::server::mongo::fail_points::{FailPoints, Fault};
use crate::server::mongo::failure::{Failure, Result, code, out_of_time};
use crate::server::mongo::fields::Arguments;
use crate::server::mongo::operations::Operation;
use crate::server::mongo::sessions::Attempt;
use crate::server::mongo::state::State;
use crate::server::mongo::wire::{self, Form, Malformed, Request};
use crate::txn::Pending;

/// Commands that the original has, and that run what clients write in JavaScript.
const NEED_JAVASCRIPT: &[&str] = &["mapReduce", "mapreduce"];

/// Codes of failures that pass: of the network, of members that stop or are not the primary any more.
///
/// # Source
/// MongoDB manual, retryable writes; error codes.
const RETRYABLE: &[i32] = &[6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

/// What became of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) next: Next,
    /// The slot of its command, and the code with which that failed; `None` for a command that is not known.
    pub(super) command: Option<(usize, Option<i32>)>,
    /// The client has been told that another reply follows, which running the same message again gives.
    pub(super) goes_on: bool,
}

/// What the connection does next.
#[derive(Debug)]
pub(super) enum Next {
    /// It waits until the commit is durable, where there is one, sends what was written, and goes on. If the commit fails, the client
    /// gets [`refuse_commit`] instead.
    GoOn(Option<Pending>),
    /// It waits for this long, and runs the same message again, with what is to become of it then.
    WaitFor(Duration, Fault),
    /// It ends, without a reply.
    End,
}

/// Runs the request that `message` holds, and writes its reply behind what `output` holds.
///
/// `waited` is there when the message was run before, and asked for a wait that is over now: what it gave with that.
///
/// # Errors
/// [`Malformed`] for bytes that are not a request: the connection has to end.
pub(super) fn run(
    door: &State,
    client: &Client,
    message: &[u8],
    waited: Option<Fault>,
    output: &mut Vec<u8>,
) -> Result<Outcome, Malformed> {
    let request = Request::parse(message)?;
    let name = command_name(&request);
    let wants_reply = !matches!(request.form, Form::Message { more_to_come: true, .. });
    let has_waited = waited.is_some();
    let fault = waited.or_else(|| fault(door, client, &request, name)).unwrap_or_default();
    let patience = if fault.failure.is_some() { None } else { patience(door, &request, name) };
    let time = fault.delay.unwrap_or_default() + patience.unwrap_or_default();
    if !has_waited && !time.is_zero() {
        return Ok(Outcome { next: Next::WaitFor(time, fault), command: None, goes_on: false });
    }
    if fault.closes_connection {
        return Ok(Outcome { next: Next::End, command: None, goes_on: false });
    }
    let Reply { body, code, commit, is_cut_off } = reply(door, client, &request, name, fault);
    if is_cut_off {
        return Ok(Outcome { next: Next::End, command: None, goes_on: false });
    }
    let goes_on = wants_reply && code.is_none() && goes_on(door, &request, name, &body);
    if wants_reply {
        wire::write_reply(output, request.id, &request, &body, goes_on);
    }
    Ok(Outcome { next: Next::GoOn(commit), command: commands::slot(name).map(|slot| (slot, code)), goes_on })
}

/// Whether more replies follow without another request, for a client that takes them: the batches of a cursor up to its last one, and
/// news of the server.
fn goes_on(door: &State, request: &Request<'_>, name: &str, reply: &RawDocument) -> bool {
    if !matches!(request.form, Form::Message { exhaust_allowed: true, .. }) {
        return false;
    }
    let cursor = || reply.get_document("cursor").and_then(|cursor| cursor.get_i64("id"));
    if name == "getMore" { cursor().is_ok_and(|id| id != 0) } else { patience(door, request, name).is_some() }
}

/// Writes the reply to a request whose commit did not become durable.
///
/// # Errors
/// As [`run`].
pub(super) fn refuse_commit(message: &[u8], error: Error, output: &mut Vec<u8>) -> Result<(), Malformed> {
    let request = Request::parse(message)?;
    if !matches!(request.form, Form::Message { more_to_come: true, .. }) {
        let reply = raw(&Failure::from(error).reply());
        wire::write_reply(output, request.id, &request, &reply, false);
    }
    Ok(())
}

/// The name of the command in `request`; of a request without a field, no name at all.
fn command_name<'a>(request: &Request<'a>) -> &'a str {
    request.body.iter().next().and_then(std::result::Result::ok).map_or("", |(name, _)| name.as_str())
}

fn fault(door: &State, client: &Client, request: &Request<'_>, name: &str) -> Option<Fault> {
    let points = door.fail_points.as_ref()?;
    // A client's first request says what the client is.
    let says = || request.body.get_document("client").and_then(|metadata| metadata.get_document("application"));
    let app_name = client.app_name().or_else(|| says().ok()?.get_str("name").ok().map(str::to_owned));
    points.fault(name, app_name.as_deref())
}

/// For how long a client that knows the server waits for news of it. There never are any.
fn patience(door: &State, request: &Request<'_>, name: &str) -> Option<Duration> {
    if !matches!(name, "hello" | "isMaster" | "ismaster") {
        return None;
    }
    let known = request.body.get("topologyVersion").ok().flatten()?.as_document()?;
    let time = request.body.get("maxAwaitTimeMS").ok().flatten().and_then(super::fields::integer_of)?;
    let time = Duration::from_millis(u64::try_from(time).ok()?.min(crate::limits::MONGO_AWAIT_MS_MAX));
    door.topology.is_known(known).then_some(time)
}

/// A reply, and what has to be durable before it is sent.
struct Reply {
    body: RawDocumentBuf,
    /// Of a command that failed.
    code: Option<i32>,
    commit: Option<Pending>,
    /// A test has asked that the client does not get it.
    is_cut_off: bool,
}

/// The whole reply, whatever happens, and what has to be durable before it is sent.
fn reply(door: &State, client: &Client, request: &Request<'_>, name: &str, fault: Fault) -> Reply {
    let (commit, cut_off) = (RefCell::new(None), Cell::new(false));
    let outcome = match fault.failure {
        Some(failure) => Err(failure),
        None => catch_unwind(AssertUnwindSafe(|| dispatch(door, client, request, name, (&commit, &cut_off))))
            .unwrap_or_else(|_| {
                tracing::error!(command = name, "a command panicked");
                Err(Failure::new(code::INTERNAL_ERROR, "the command failed inside of the server"))
            }),
    };
    let code = outcome.as_ref().err().map(|failure| failure.code);
    // A test that has labels of its own has no others.
    let labels = |code: Option<i32>| fault.labels.clone().or_else(|| retry_label(door, request, code));
    let mut reply = match outcome {
        Ok(mut reply) => {
            if let Some(error) = &fault.write_concern_error
                && let Ok(raw) = RawDocumentBuf::try_from(error)
            {
                reply.append(cstr!("writeConcernError"), raw);
                if let Some(labels) = labels(error.get_i32("code").ok()) {
                    reply.append(cstr!("errorLabels"), labels.into_iter().collect::<bson::RawArrayBuf>());
                }
            }
            reply.append(cstr!("ok"), 1.0);
            reply
        }
        Err(mut failure) => {
            if let Some(labels) = labels(code) {
                failure.labels = labels;
            }
            raw(&failure.reply())
        }
    };
    if !door.topology.is_standalone() {
        let time = door.topology.time();
        let signature = rawdoc! { "hash": zeros(20), "keyId": 0_i64 };
        reply.append(bson::raw::cstr!("$clusterTime"), rawdoc! { "clusterTime": time, "signature": signature });
        reply.append(bson::raw::cstr!("operationTime"), time);
    }
    Reply { body: reply, code, commit: commit.into_inner(), is_cut_off: cut_off.get() }
}

/// What tells a client that a write with a transaction number, which has failed with `code`, can be sent again.
fn retry_label(door: &State, request: &Request<'_>, code: Option<i32>) -> Option<Vec<String>> {
    let has_number = matches!(request.body.get("txnNumber"), Ok(Some(_))) && !door.topology.is_standalone();
    let is_retryable = has_number && code.is_some_and(|code| RETRYABLE.contains(&code));
    is_retryable.then(|| vec!["RetryableWriteError".to_owned()])
}

fn zeros(bytes: usize) -> bson::Binary {
    bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0; bytes] }
}

/// A document of the door's own, as bytes.
fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap_or_else(|_| rawdoc! { "ok": 0.0, "code": code::INTERNAL_ERROR })
}

fn dispatch(
    door: &State,
    client: &Client,
    request: &Request<'_>,
    name: &str,
    (commit, cut_off): (&RefCell<Option<Pending>>, &Cell<bool>),
) -> Result<RawDocumentBuf> {
    if request.is_too_deep {
        let message = format!("a command is nested more than {} levels deep", limits::MONGO_COMMAND_DEPTH_MAX);
        return Err(Failure::new(code::OVERFLOW, message));
    }
    let command = find(door, name)?;
    if matches!(request.form, Form::Query { .. }) && !matches!(command.name, "hello" | "isMaster") {
        let message = format!("Unsupported OP_QUERY command: {name}. The client driver may require an upgrade.");
        return Err(Failure::new(code::UNSUPPORTED_OP_QUERY, message));
    }
    if !command.flags.contains(Flags::OPEN) && client.user().is_none() && !door.users.default_user().is_open() {
        return Err(Failure::new(code::UNAUTHORIZED, format!("Command {name} requires authentication")));
    }
    let database = database(request)?;
    if command.flags.contains(Flags::ADMIN) && database != "admin" {
        let message = format!("{name} may only be run against the admin database.");
        return Err(Failure::new(code::UNAUTHORIZED, message));
    }
    door.counts.note(command.name);
    let takes_anything = command.flags.contains(Flags::TAKES_ANYTHING);
    let arguments = Arguments::check(command.name, command.fields, takes_anything, request)?;
    check_generic(&arguments)?;
    if arguments.truth("apiStrict") == Some(true) {
        api::check(command.name, &arguments)?;
    }
    concerns::check(&arguments, command.flags)?;
    let session = session(door, &arguments)?;
    let number = arguments.integer("txnNumber").filter(|_| command.flags.contains(Flags::RETRYABLE));
    let unmet = arguments.document("writeConcern").and_then(concerns::unmet);
    if let Some(failure) = &unmet
        && door.topology.is_standalone()
    {
        return Err(Failure::new(code::BAD_VALUE, format!("a server that stands alone: {}", failure.message)));
    }
    let attempt = match session.zip(number) {
        Some((session, number)) => door.sessions.begin_write(session, number)?,
        None => None,
    };
    let begun = match attempt {
        Some(Attempt::Again(reply, written)) => {
            // It may still be on its way to the disk, or lost there.
            commit.replace(written);
            return Ok(reply);
        }
        Some(Attempt::First(begun)) => Some(begun),
        None => None,
    };
    if begun.is_some()
        && let Some(points) = &door.fail_points
        && let Some(fault) = points.write_fault(number_of_writes(&arguments))
    {
        cut_off.set(fault.closes_connection);
        if let Some(code) = fault.code {
            return Err(Failure::new(code, "onPrimaryTransactionalWrite failpoint: fails before the commit"));
        }
    }
    let time =
        arguments.integer("maxTimeMS").and_then(|millis| u64::try_from(millis).ok()).filter(|millis| *millis > 0);
    if time.is_some() && door.fail_points.as_ref().is_some_and(FailPoints::times_out) {
        return Err(out_of_time());
    }
    let supervision = Arc::new(Supervision::new(time.map(Duration::from_millis)));
    let _listed =
        door.operations.list(client, |client| operation(command, database, request.body, client, &supervision));
    let (body, supervised) = (request.body, &supervision);
    let call = Call { door, client, command, database, body, arguments, session, supervision: supervised, commit };
    let outcome = supervision.guard(|| (command.run)(&call));
    if let Some(collection) = collection(&call) {
        let namespace = format!("{database}.{collection}");
        door.usage.note(&namespace, command.name, supervision.elapsed(), supervision.used_indexes());
    }
    let mut reply = outcome?;
    if let Some(failure) = unmet.filter(|_| writes(&call)) {
        reply.append(cstr!("writeConcernError"), raw(&failure.write_concern_error()));
    }
    if command.flags.contains(Flags::WRITES) {
        door.topology.tick(door.now());
    }
    if let Some(begun) = begun {
        begun.done(&reply, commit.borrow().clone());
    }
    Ok(reply)
}

/// How many writes a command asks for.
fn number_of_writes(arguments: &Arguments<'_>) -> usize {
    let lists = ["documents", "updates", "deletes", "ops"];
    lists
        .iter()
        .find_map(|name| arguments.documents(name).ok())
        .filter(|list| !list.is_empty())
        .map_or(1, |list| list.len())
}

/// Whether a command writes: one that is made for it, or a pipeline that ends so.
fn writes(call: &Call<'_>) -> bool {
    let last = call.arguments.array("pipeline").and_then(|stages| stages.into_iter().flatten().last());
    let last = last.and_then(RawBsonRef::as_document).and_then(|stage| stage.iter().next()?.ok());
    let ends_so = last.is_some_and(|(name, _)| matches!(name.as_str(), "$out" | "$merge"));
    call.command.flags.contains(Flags::WRITES) || (call.command.name == "aggregate" && ends_so)
}

/// The collection that a command is about.
fn collection<'a>(call: &Call<'a>) -> Option<&'a str> {
    let named = if call.command.name == "getMore" { call.arguments.text("collection") } else { None };
    let is_of_one =
        call.command.flags.intersects(Flags::READS | Flags::WRITES) && !call.command.flags.contains(Flags::ADMIN);
    named.or_else(|| call.arguments.first().as_str().filter(|_| is_of_one))
}

/// What others are shown of a command while it runs.
fn operation(
    command: &'static Command,
    database: &str,
    body: &RawDocument,
    client: &Client,
    supervision: &Arc<Supervision>,
) -> Operation {
    let is_short = body.as_bytes().len() <= limits::MONGO_SHOWN_COMMAND_BYTES_MAX;
    let is_shown = is_short && !command.flags.contains(Flags::SECRET);
    Operation {
        command: command.name,
        database: database.to_owned(),
        body: if is_shown { body.to_owned() } else { RawDocumentBuf::new() },
        connection: client.id,
        peer: client.peer.clone(),
        app_name: client.app_name(),
        supervision: Arc::clone(supervision),
    }
}

fn find(door: &State, name: &str) -> Result<&'static Command> {
    let is_offered = |command: &&Command| door.fail_points.is_some() || !command.flags.contains(Flags::TEST);
    commands::find(name).filter(is_offered).ok_or_else(|| {
        if NEED_JAVASCRIPT.contains(&name) {
            let message = format!("{name} is not supported: there is no JavaScript engine; aggregate does the same");
            return Failure::new(code::COMMAND_NOT_SUPPORTED, message);
        }
        let failure = Failure::new(code::COMMAND_NOT_FOUND, format!("no such command: '{name}'"));
        tracing::debug!(command = name, "a command that is not known");
        failure
    })
}

/// The database that a request is for.
fn database<'a>(request: &Request<'a>) -> Result<&'a str> {
    let name = match request.form {
        Form::Query { namespace } => namespace.split('.').next().unwrap_or_default(),
        Form::Message { .. } => match request.body.get("$db").ok().flatten() {
            Some(RawBsonRef::String(name)) => name,
            Some(_) => return Err(Failure::new(code::TYPE_MISMATCH, "$db is not a string")),
            None => return Err(Failure::new(code::MISSING_FIELD, "OP_MSG requests require a $db argument")),
        },
    };
    check_database(name).map(|()| name)
}

fn session(door: &State, arguments: &Arguments<'_>) -> Result<Option<Uuid>> {
    let Some(session) = arguments.document("lsid") else { return Ok(None) };
    let wrong = || Failure::new(code::TYPE_MISMATCH, "BSON field 'lsid.id' has to be a UUID");
    let id = session_id(session).ok_or_else(wrong)?;
    door.sessions.touch(id, door.now())?;
    Ok(Some(id))
}

/// Checks what every command takes.
fn check_generic(arguments: &Arguments<'_>) -> Result<()> {
    match arguments.text("apiVersion") {
        None if arguments.get("apiStrict").is_some() || arguments.get("apiDeprecationErrors").is_some() => {
            let message = "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion";
            return Err(Failure::new(code::INVALID_OPTIONS, message));
        }
        None | Some("1") => {}
        Some(_) => return Err(Failure::new(code::API_VERSION_ERROR, "API version must be \"1\"")),
    }
    if arguments.get("autocommit").is_some() || arguments.get("startTransaction").is_some() {
        let message = "transactions of drivers are not supported";
        return Err(Failure::new(code::NOT_IMPLEMENTED, message));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use bson::{doc, rawdoc};

    use super::*;
    use crate::server::mongo::options::MongoOptions;
    use crate::store::Store;

    pub(in crate::server::mongo) fn door(is_for_tests: bool) -> (State, Client) {
        let options = MongoOptions { is_for_tests, ..MongoOptions::default() };
        let door = State::new(Store::in_memory(), &options, options.users().unwrap());
        (door, Client::new(1, "127.0.0.1:5".to_owned(), "127.0.0.1:27017".to_owned()))
    }

    pub(in crate::server::mongo) fn call((door, client): &(State, Client), body: &RawDocumentBuf) -> Document {
        let form = Form::Message { more_to_come: false, exhaust_allowed: false };
        let request = Request { id: 1, form, body, sequences: Vec::new(), is_too_deep: false };
        let name = command_name(&request);
        let reply = reply(door, client, &request, name, fault(door, client, &request, name).unwrap_or_default()).body;
        Document::try_from(reply.as_ref()).unwrap()
    }

    /// `body` in an `OP_MSG` with these flags.
    fn message(flags: i32, body: &RawDocument) -> Vec<u8> {
        let mut message = vec![0; 4];
        for word in [7, 0, 2013, flags] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        message.push(0);
        message.extend_from_slice(body.as_bytes());
        let length = i32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_le_bytes());
        message
    }

    #[test]
    fn a_driver_is_greeted_by_a_replica_set_of_one() {
        let door = door(false);
        let reply = call(&door, &rawdoc! { "hello": 1, "helloOk": true, "$db": "admin" });
        assert_eq!(reply.get("ok"), Some(&1.0.into()));
        let expected =
            doc! { "maxWireVersion": 21, "isWritablePrimary": true, "setName": "larder", "me": "127.0.0.1:27017" };
        assert!(expected.iter().all(|(name, value)| reply.get(name) == Some(value)), "{reply}");
        assert!(reply.contains_key("$clusterTime") && reply.contains_key("operationTime"));
    }

    #[test]
    fn what_is_not_known_or_not_for_this_database_is_refused_by_its_code() {
        let door = door(false);
        let code = |body: RawDocumentBuf| call(&door, &body).get_i32("code").unwrap();
        assert_eq!(code(rawdoc! { "nosuch": 1, "$db": "d" }), 59);
        assert_eq!(code(rawdoc! { "mapReduce": "c", "map": "", "reduce": "", "$db": "d" }), 115);
        assert_eq!(code(rawdoc! { "getLog": "global", "$db": "d" }), 13);
        assert_eq!(code(rawdoc! { "ping": 1, "$db": "a.b" }), 73);
        assert_eq!(code(rawdoc! { "ping": 1 }), 40414);
        assert_eq!(code(rawdoc! { "ping": 1, "$db": "d", "nosuch": 1 }), 40415);
        assert_eq!(code(rawdoc! { "ping": 1, "$db": "d", "apiVersion": "2" }), 322);
        assert_eq!(code(rawdoc! { "configureFailPoint": "failCommand", "$db": "admin" }), 59, "not for tests");
    }

    #[test]
    fn a_command_fails_as_a_test_has_asked() {
        let door = door(true);
        let data = rawdoc! { "failCommands": ["ping"], "errorCode": 10107, "errorLabels": ["L"] };
        let set = rawdoc! { "configureFailPoint": "failCommand", "mode": { "times": 1 }, "data": data, "$db": "admin" };
        assert_eq!(call(&door, &set).get("ok"), Some(&1.0.into()));
        let failed = call(&door, &rawdoc! { "ping": 1, "$db": "d" });
        assert_eq!(failed.get("code"), Some(&10107.into()));
        assert_eq!(failed.get("codeName"), Some(&"NotWritablePrimary".into()));
        assert_eq!(failed.get_array("errorLabels").unwrap().len(), 1);
        assert_eq!(call(&door, &rawdoc! { "ping": 1, "$db": "d" }).get("ok"), Some(&1.0.into()));
    }

    #[test]
    fn a_client_that_knows_the_server_waits_for_news() {
        let (door, client) = door(false);
        let version = door.topology.version();
        let body = rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": version, "maxAwaitTimeMS": 10_000 };
        let message = message(0, &body);
        let mut output = Vec::new();
        let next = run(&door, &client, &message, None, &mut output).unwrap().next;
        assert!(matches!(next, Next::WaitFor(time, _) if time == Duration::from_secs(10)) && output.is_empty());
        let next = run(&door, &client, &message, Some(Fault::default()), &mut output).unwrap().next;
        assert!(matches!(next, Next::GoOn(None)));
        assert!(output.len() > 100);
        assert!(run(&door, &client, &message[..20], None, &mut output).is_err());
    }

    /// Client and server have agreed that replies may follow without requests (`exhaustAllowed`).
    #[test]
    fn batches_and_news_follow_without_requests_for_a_client_that_takes_them() {
        const EXHAUST_ALLOWED: i32 = 1 << 16;
        let (door, client) = door(false);
        let door = (door, client);
        let documents: Vec<_> = (0..7).map(|n| doc! { "_id": n }).collect();
        let insert = doc! { "insert": "c", "documents": documents, "$db": "d" };
        call(&door, &RawDocumentBuf::try_from(&insert).unwrap());
        let found = call(&door, &rawdoc! { "find": "c", "batchSize": 2, "$db": "d" });
        let id = found.get_document("cursor").unwrap().get_i64("id").unwrap();
        let more = rawdoc! { "getMore": id, "collection": "c", "batchSize": 3, "$db": "d" };
        let goes_on = |flags, body: &RawDocument| {
            let mut output = Vec::new();
            let message = message(flags, body);
            let Outcome { next, goes_on, .. } = run(&door.0, &door.1, &message, None, &mut output).unwrap();
            let waited = if let Next::WaitFor(_, fault) = next { Some(fault) } else { None };
            let outcome = waited.map(|fault| run(&door.0, &door.1, &message, Some(fault), &mut output).unwrap());
            let goes_on = outcome.map_or(goes_on, |outcome| outcome.goes_on);
            assert_eq!(output[16] & 2 != 0, goes_on, "the reply says so");
            goes_on
        };
        assert!(goes_on(EXHAUST_ALLOWED, &more), "four are left, and it is not known whether that is all");
        assert!(
            !goes_on(0, &rawdoc! { "ping": 1, "$db": "d" })
                && !goes_on(EXHAUST_ALLOWED, &rawdoc! { "ping": 1, "$db": "d" })
        );
        assert!(!goes_on(EXHAUST_ALLOWED, &more), "the last two");
        assert!(!goes_on(EXHAUST_ALLOWED, &more), "the cursor is not there any more");
        let hello = rawdoc! {
            "hello": 1, "$db": "admin", "topologyVersion": door.0.topology.version(), "maxAwaitTimeMS": 10,
        };
        assert!(goes_on(EXHAUST_ALLOWED, &hello) && !goes_on(0, &hello));
        let strange = rawdoc! { "processId": bson::oid::ObjectId::new(), "counter": 0_i64 };
        let hello = rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": strange, "maxAwaitTimeMS": 10 };
        assert!(!goes_on(EXHAUST_ALLOWED, &hello), "a client that knows another server is told at once");
    }

    #[test]
    fn a_write_that_is_cut_off_is_made_once() {
        let door = door(true);
        let insert = |number: i64, id: i32| {
            let session = rawdoc! { "id": bson::Binary::from_uuid(bson::Uuid::from_bytes([7; 16])) };
            let body = rawdoc! {
                "insert": "c", "documents": [{ "_id": id }], "lsid": session, "txnNumber": number, "$db": "d",
            };
            let (mut output, message) = (Vec::new(), message(0, &body));
            let next = run(&door.0, &door.1, &message, None, &mut output).unwrap().next;
            matches!(next, Next::GoOn(_))
        };
        let count = || call(&door, &rawdoc! { "count": "c", "$db": "d" }).get_i32("n").unwrap();
        let set = |data: RawDocumentBuf| {
            let point = "onPrimaryTransactionalWrite";
            call(&door, &rawdoc! { "configureFailPoint": point, "mode": { "times": 1 }, "data": data, "$db": "admin" });
        };
        set(rawdoc! {});
        assert!(!insert(1, 1) && count() == 1, "made, and the client has no reply");
        assert!(insert(1, 1) && count() == 1, "sent again, and not made again");
        set(rawdoc! { "failBeforeCommitExceptionCode": 1 });
        assert!(!insert(2, 2) && count() == 1, "not made");
        assert!(insert(2, 2) && count() == 2);
    }

    #[test]
    fn a_write_that_can_be_sent_again_says_so_when_it_fails() {
        let door = door(true);
        let labels = |data: RawDocumentBuf, more: RawDocumentBuf| {
            let point = rawdoc! { "mode": { "times": 1 } };
            door.0.fail_points.as_ref().unwrap().set(point.get("mode").unwrap(), Some(&data)).unwrap();
            let mut body = rawdoc! { "insert": "c", "documents": [{}], "$db": "d" };
            more.iter().flatten().for_each(|(name, value)| body.append(name, value));
            let reply = call(&door, &body);
            reply.get_array("errorLabels").map(Vec::len).ok()
        };
        let id = rawdoc! { "id": bson::Binary::from_uuid(bson::Uuid::from_bytes([7; 16])) };
        let numbered = |number: i64| rawdoc! { "lsid": id.clone(), "txnNumber": number };
        let concern = rawdoc! { "failCommands": ["insert"], "writeConcernError": { "code": 91, "errmsg": "" } };
        assert_eq!(labels(concern.clone(), numbered(1)), Some(1));
        assert_eq!(labels(concern, rawdoc! {}), None, "without a number it is not known again");
        let failed = |code: i32| rawdoc! { "failCommands": ["insert"], "errorCode": code };
        assert_eq!((labels(failed(91), numbered(2)), labels(failed(2), numbered(3))), (Some(1), None));
        let own = rawdoc! { "failCommands": ["insert"], "errorCode": 91, "errorLabels": ["A", "B"] };
        assert_eq!(labels(own, numbered(4)), Some(2));
    }

    #[test]
    fn a_client_is_known_by_the_name_in_its_first_request() {
        let door = door(true);
        let data = rawdoc! { "failCommands": ["hello"], "errorCode": 91, "appName": "shop" };
        let mode = rawdoc! { "mode": "alwaysOn" };
        door.0.fail_points.as_ref().unwrap().set(mode.get("mode").unwrap(), Some(&data)).unwrap();
        let hello = |name: &str| {
            let metadata = rawdoc! { "application": { "name": name } };
            call(&door, &rawdoc! { "hello": 1, "client": metadata, "$db": "admin" }).get_i32("code").ok()
        };
        assert_eq!((hello("shop"), hello("other")), (Some(91), None));
    }

    #[test]
    fn a_command_that_is_held_up_fails_when_that_is_over() {
        let (door, client) = door(true);
        let data = rawdoc! { "failCommands": ["ping"], "blockConnection": true, "blockTimeMS": 5, "errorCode": 91 };
        let mode = rawdoc! { "mode": { "times": 1 } };
        door.fail_points.as_ref().unwrap().set(mode.get("mode").unwrap(), Some(&data)).unwrap();
        let message = message(0, &rawdoc! { "ping": 1, "$db": "d" });
        let mut output = Vec::new();
        let Next::WaitFor(_, fault) = run(&door, &client, &message, None, &mut output).unwrap().next else {
            panic!("it is not held up");
        };
        let outcome = run(&door, &client, &message, Some(fault), &mut output).unwrap();
        assert_eq!(outcome.command.unwrap().1, Some(91));
    }
}
