//! The line of `CLIENT LIST` that describes a client.

use crate::channel::Gauge;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::run::command::Call;
use crate::server::redis::state::client::{Client, Seen};
use crate::server::stream::Peer;

/// Bytes of replies up to which they are in the small buffer that Redis has for each client.
const SMALL_BUFFER_BYTES: usize = 16 << 10;

/// The line of the client that the call is of.
pub(crate) fn own_line(call: &Call<'_>) -> String {
    call.door.clients.get(call.session.id).map(|client| line(&client, call)).unwrap_or_default()
}

/// A client's line in `CLIENT LIST`. What is not counted here is 0.
pub(crate) fn line(client: &Client, call: &Call<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (id, now) = (client.id, call.door.store.now());
    let is_own = id == call.session.id;
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
    let [address, local] = call.door.addresses_of(client);
    let (name, user) = (text(&client.name.borrow()), text(&client.user.borrow().name));
    let age = now.saturating_since(client.since).as_secs();
    let idle = now.saturating_since(seen.at).as_secs();
    let protocol = if seen.protocol == Protocol::Resp3 { 3 } else { 2 };
    format!(
        "id={id} addr={} laddr={} fd={} name={name} age={age} idle={idle} flags={} db={} sub={} psub={} ssub={} \
         multi={queued} watch={} qbuf={} qbuf-free={} argv-mem={argument_bytes} multi-mem={queued_bytes} rbs={rbs} rbp={rbs} \
         obl={small_bytes} oll={messages} omem={outbox_bytes} tot-mem={total} events=r cmd={} user={user} redir=-1 resp={protocol} \
         lib-name={} lib-ver={}\n",
        address,
        local,
        client.socket_number,
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
        (client.peer == Peer::Unix, 'U'),
        (!client.is_evictable.get(), 'e'),
        (client.is_not_touching.get(), 'T'),
    ];
    let text: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect();
    if text.is_empty() { "N".to_owned() } else { text }
}
