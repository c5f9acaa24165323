//! The clients of the door: `CLIENT LIST`, `INFO` and `KILL`.

use std::rc::Rc;

use crate::channel::Gauge;
use crate::server::redis::command::{Call, Outcome, Refusal, integer, is};
use crate::server::redis::door::{Client, Seen};
use crate::server::redis::reply::Protocol;

/// Bytes of replies up to which they are in the small buffer that Redis has for each client.
const SMALL_BUFFER_BYTES: usize = 16 << 10;

/// Which clients are meant.
#[derive(Debug, Default)]
struct Filter {
    ids: Option<Vec<u64>>,
    kind: Option<Kind>,
    user: Option<Vec<u8>>,
    address: Option<String>,
    local: Option<String>,
    /// Those that have been there for so many seconds.
    age: Option<u64>,
    skips_own: bool,
}

/// What a client is there for. There are no replicas, and no master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Subscriber,
    Replication,
}

impl Kind {
    fn parse(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            word if is(word, "normal") => Ok(Self::Normal),
            word if is(word, "pubsub") => Ok(Self::Subscriber),
            word if is(word, "master") || is(word, "replica") || is(word, "slave") => Ok(Self::Replication),
            _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(word)).into()),
        }
    }

    fn of(client: &Client) -> Self {
        if client.topics.borrow().is_empty() { Self::Normal } else { Self::Subscriber }
    }
}

impl Filter {
    fn has(&self, id: u64, client: &Client, call: &Call<'_>) -> bool {
        let age = || call.door.store.now().saturating_since(client.since).as_secs();
        let has_address = |wanted: &String, address: std::net::SocketAddr| *wanted == address.to_string();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && self.kind.is_none_or(|kind| kind == Kind::of(client))
            && self.user.as_ref().is_none_or(|user| *user == client.user.borrow().name)
            && self.address.as_ref().is_none_or(|wanted| has_address(wanted, client.address))
            && self.local.as_ref().is_none_or(|wanted| has_address(wanted, client.local))
            && self.age.is_none_or(|least| age() >= least)
            && !(self.skips_own && id == call.session.id)
    }
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let filter = match call.rest(2) {
        [] => Filter::default(),
        [word, kind] if is(word, "type") => Filter { kind: Some(Kind::parse(kind)?), ..Filter::default() },
        [word, ids @ ..] if is(word, "id") && !ids.is_empty() => {
            let ids: Option<Vec<_>> =
                ids.iter().map(|id| integer(id).map(|id| u64::try_from(id).unwrap_or(0))).collect();
            Filter { ids: Some(ids.ok_or("ERR Invalid client ID")?), ..Filter::default() }
        }
        _ => return Err(Refusal::syntax()),
    };
    let lines: String = {
        let clients = call.door.clients.borrow();
        let meant = clients.iter().filter(|(id, client)| filter.has(**id, client, call));
        meant.map(|(id, client)| line(*id, client, call)).collect()
    };
    call.reply.verbatim(&lines);
    Ok(())
}

pub(super) fn info(call: &mut Call<'_>) -> Outcome {
    let line = own_line(call);
    call.reply.verbatim(&line);
    Ok(())
}

/// The line of the client that the call is of.
pub(super) fn own_line(call: &Call<'_>) -> String {
    let clients = call.door.clients.borrow();
    clients.get(&call.session.id).map(|client| line(call.session.id, client, call)).unwrap_or_default()
}

/// A client's line in `CLIENT LIST`. What is not counted here is 0.
fn line(id: u64, client: &Client, call: &Call<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (now, is_own) = (call.door.store.now(), id == call.session.id);
    let before = client.seen.get();
    // What others were like when they had nothing more to run is what they are like.
    let seen = if is_own {
        Seen { received: before.received, reply_bytes: call.reply.capacity(), ..Seen::of(call.session, now) }
    } else {
        before
    };
    let argument_bytes = if is_own { call.words.iter().map(|word| word.len()).sum() } else { 0 };
    let waiting_bytes = if is_own { call.reply.waiting().len() } else { client.waiting_bytes.get() };
    let (messages, message_bytes) = client.inbox.borrow().as_ref().map_or((0, 0), Gauge::read);
    // As in Redis, a small buffer, and what is waiting beyond it.
    let (small_bytes, large_bytes) =
        if waiting_bytes <= SMALL_BUFFER_BYTES { (waiting_bytes, 0) } else { (0, waiting_bytes) };
    let outbox_bytes = large_bytes + message_bytes + call.door.monitors.waiting(id);
    let (queued, queued_bytes) = seen.queued.map_or((-1, 0), |(commands, bytes)| (commands.cast_signed(), bytes));
    let total = seen.received.0 + seen.received.1 + argument_bytes + queued_bytes + seen.reply_bytes + outbox_bytes
        - large_bytes;
    let (topics, library) = (client.topics.borrow(), client.library.borrow());
    let (name, user) = (text(&client.name.borrow()), text(&client.user.borrow().name));
    let age = now.saturating_since(client.since).as_secs();
    let idle = now.saturating_since(seen.at).as_secs();
    let protocol = if seen.protocol == Protocol::Resp3 { 3 } else { 2 };
    format!(
        "id={id} addr={} laddr={} fd={} name={name} age={age} idle={idle} flags={} db={} sub={} psub={} ssub={} \
         multi={queued} watch={} qbuf={} qbuf-free={} argv-mem={argument_bytes} multi-mem={queued_bytes} rbs={rbs} rbp={rbs} \
         obl={small_bytes} oll={messages} omem={outbox_bytes} tot-mem={total} events=r cmd={} user={user} redir=-1 resp={protocol} \
         lib-name={} lib-ver={}\n",
        client.address,
        client.local,
        client.socket,
        flags(client, seen, !topics.is_empty()),
        seen.database,
        topics.channels.len(),
        topics.patterns.len(),
        topics.shards.len(),
        seen.watched_keys,
        seen.received.0,
        seen.received.1,
        client.last_command.get(),
        text(&library.0),
        text(&library.1),
        rbs = seen.reply_bytes,
    )
}

fn flags(client: &Client, seen: Seen, is_subscriber: bool) -> String {
    let flags = [
        (seen.is_monitor, 'O'),
        (is_subscriber, 'P'),
        (seen.queued.is_some(), 'x'),
        (seen.is_waiting, 'b'),
        (client.is_not_evicted.get(), 'e'),
        (client.is_not_touching.get(), 'T'),
    ];
    let text: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect();
    if text.is_empty() { "N".to_owned() } else { text }
}

pub(super) fn kill(call: &mut Call<'_>) -> Outcome {
    let options = call.rest(2);
    let is_old_form = options.len() == 1;
    let filter = match options {
        [address] => Filter { address: Some(String::from_utf8_lossy(address).into_owned()), ..Filter::default() },
        options => parse_filters(call, options)?,
    };
    let meant: Vec<_> = {
        let clients = call.door.clients.borrow();
        let meant = clients.iter().filter(|(id, client)| filter.has(**id, client, call));
        meant.map(|(id, client)| (*id, Rc::clone(client))).collect()
    };
    for (id, client) in &meant {
        if *id == call.session.id {
            call.session.is_closing = true;
        } else {
            client.end();
        }
    }
    match (is_old_form, meant.len()) {
        (true, 0) => return Err("ERR No such client".into()),
        (true, _) => call.reply.ok(),
        (false, killed) => call.reply.count(killed as u64),
    }
    Ok(())
}

fn parse_filters(call: &Call<'_>, options: &[&[u8]]) -> Result<Filter, Refusal> {
    let (pairs, rest) = options.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() {
        return Err(Refusal::syntax());
    }
    let positive =
        |word: &[u8]| integer(word).and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    let mut filter = Filter { skips_own: true, ..Filter::default() };
    for [name, value] in pairs {
        let text = String::from_utf8_lossy(value).into_owned();
        match &*name.to_ascii_lowercase() {
            b"id" => filter.ids = Some(vec![positive(value).ok_or("ERR client-id should be greater than 0")?]),
            b"type" => filter.kind = Some(Kind::parse(value)?),
            b"user" => {
                call.door.users.get(value).ok_or_else(|| format!("ERR No such user '{text}'"))?;
                filter.user = Some(value.to_vec());
            }
            b"addr" => filter.address = Some(text),
            b"laddr" => filter.local = Some(text),
            b"maxage" => filter.age = Some(positive(value).ok_or("ERR maxage should be greater than 0")?),
            b"skipme" if is(value, "yes") => filter.skips_own = true,
            b"skipme" if is(value, "no") => filter.skips_own = false,
            _ => return Err(Refusal::syntax()),
        }
    }
    Ok(filter)
}
