//! Clients that wait until a key has something, in the order in which they came.
//!
//! What a command gives to a key goes to those who wait for it before the next command runs, as in Redis: their commands run
//! for this key in the same transaction, one client after the other, if their users may still run them. They are told when
//! that transaction is durable; until then their places are kept, for it may fail. What others than the door's clients do to
//! a key comes here by a [`Bell`].
//!
//! # Cost
//! A key that is written to costs a step for each client that waits for it, however many keys each of them waits for. A
//! client that is served is taken out of all its keys, once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::clock::Stopwatch;
use crate::kv::Bell;
use crate::kv::Kind;
use crate::server::redis::acl::User;
use crate::server::redis::command::{Call, find};
use crate::server::redis::commands::permit;
use crate::server::redis::door::Door;
use crate::server::redis::reply::{Protocol, Reply};
use crate::server::redis::session::{Session, Waiting, Wants};
use crate::server::redis::slow_log;
use crate::server::redis::tally::changes;
use crate::store::{Store, Transaction};

/// A place in the order of arrival.
pub(super) type Place = u64;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    clients: BTreeMap<Place, Client>,
    /// By the address of a key: who waits for it, and which of the client's keys it is.
    by_key: HashMap<Rc<[u8]>, BTreeMap<Place, usize>>,
    last: Place,
    /// Those for whom something was found in the transaction that runs, with their replies.
    found: Vec<(Place, Client, Reply)>,
    /// While there are any, others that write are heard.
    bell: Option<u64>,
}

/// One who waits.
#[derive(Debug)]
struct Client {
    id: u64,
    user: Rc<User>,
    database: usize,
    protocol: Protocol,
    waiting: Rc<Waiting>,
    /// Of the keys that are waited for, in their order.
    heads: Vec<Rc<[u8]>>,
    /// The words that the client sent, as the slow log keeps them.
    sent: Vec<Vec<u8>>,
    answer: oneshot::Sender<Vec<u8>>,
}

/// A reply to a client that has waited.
#[derive(Debug)]
pub(super) struct Answer {
    to: oneshot::Sender<Vec<u8>>,
    reply: Vec<u8>,
}

impl Answer {
    pub(super) fn send(self) {
        // The client may have gone.
        let _ = self.to.send(self.reply);
    }

    /// Sends an error instead: what was found could not be committed.
    pub(super) fn fail(self, text: &str) {
        let mut reply = Reply::default();
        reply.error(text);
        let _ = self.to.send(reply.bytes().to_vec());
    }
}

/// Hears what others do to keys.
#[derive(Debug, Default)]
pub(super) struct Ears {
    heads: Mutex<BTreeSet<Vec<u8>>>,
    pub(super) heard: Notify,
}

impl Bell for Ears {
    fn ring(&self, head: &[u8]) {
        self.heads.lock().insert(head.to_vec());
        self.heard.notify_one();
    }
}

impl Ears {
    /// The keys that something happened to.
    pub(super) fn take(&self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut *self.heads.lock()).into_iter().map(Vec::into_boxed_slice).collect()
    }
}

impl Blocked {
    /// Gives a client a place, and answers where its reply will come.
    pub(super) fn insert(
        &mut self,
        session: &Session,
        waiting: Waiting,
        heads: Vec<Rc<[u8]>>,
        sent: Vec<Vec<u8>>,
    ) -> (Place, oneshot::Receiver<Vec<u8>>) {
        let (answer, answered) = oneshot::channel();
        self.last += 1;
        let client = Client {
            id: session.id,
            user: Rc::clone(&session.user),
            database: session.database,
            protocol: session.protocol,
            waiting: Rc::new(waiting),
            heads,
            sent,
            answer,
        };
        self.put(self.last, client);
        (self.last, answered)
    }

    /// Takes a client out, and answers whether it was still waiting; one for whom something was found is not.
    pub(super) fn remove(&mut self, place: Place) -> bool {
        self.take(place).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Ends the waiting of the client with this id, and answers whether it was waiting. Without an error, as if its time
    /// were over.
    pub(super) fn release(&mut self, id: u64, error: Option<&str>) -> bool {
        let place = self.clients.iter().find_map(|(place, client)| (client.id == id).then_some(*place));
        let Some(client) = place.and_then(|place| self.take(place)) else { return false };
        let mut reply = Reply::default();
        if let Some(error) = error {
            reply.error(error);
        }
        // An empty answer stands for the end of the time.
        let _ = client.answer.send(reply.bytes().to_vec());
        true
    }

    /// The answers of the transaction that was committed.
    pub(super) fn committed(&mut self) -> Vec<Answer> {
        let found = std::mem::take(&mut self.found).into_iter();
        found.map(|(_, client, reply)| Answer { to: client.answer, reply: reply.bytes().to_vec() }).collect()
    }

    /// Gives those for whom something was found their places back, for nothing of it was committed.
    pub(super) fn rolled_back(&mut self) {
        for (place, client, _) in std::mem::take(&mut self.found) {
            self.put(place, client);
        }
    }

    /// Hears what others do to keys as long as somebody waits, and no longer.
    pub(super) fn listen(&mut self, store: &Store, ears: &Arc<Ears>) {
        match (self.clients.is_empty(), self.bell) {
            (false, None) => self.bell = Some(store.add_bell(Arc::clone(ears) as Arc<dyn Bell>)),
            (true, Some(id)) => {
                store.remove_bell(id);
                self.bell = None;
            }
            _ => {}
        }
    }

    fn put(&mut self, place: Place, client: Client) {
        for (at, head) in client.heads.iter().enumerate() {
            step();
            // A key that is named twice is waited for once.
            self.by_key.entry(Rc::clone(head)).or_default().entry(place).or_insert(at);
        }
        self.clients.insert(place, client);
    }

    fn take(&mut self, place: Place) -> Option<Client> {
        let client = self.clients.remove(&place)?;
        for head in &client.heads {
            step();
            if let Some(places) = self.by_key.get_mut(head) {
                places.remove(&place);
                if places.is_empty() {
                    self.by_key.remove(head);
                }
            }
        }
        Some(client)
    }

    /// The keys that are waited for and may have what something happened to at `head`, in their order. What happens to a whole
    /// keyspace comes as the address of its empty key, which ends in the two zeros behind the name; who waits for other keys that
    /// begin so is tried once too often.
    fn waited_at(&self, head: &[u8]) -> Vec<Rc<[u8]>> {
        if !head.ends_with(&[0, 0]) {
            return self.by_key.get_key_value(head).map(|(head, _)| Rc::clone(head)).into_iter().collect();
        }
        let mut heads: Vec<_> = self.by_key.keys().filter(|other| other.starts_with(head)).map(Rc::clone).collect();
        heads.sort_unstable();
        heads
    }

    /// Those who wait for the key with the address `head`, in their order, and which of their keys it is.
    fn of_key(&self, head: &[u8]) -> Vec<(Place, usize)> {
        self.by_key.get(head).into_iter().flatten().map(|(place, at)| (*place, *at)).collect()
    }
}

/// A command that is to run again, for one of its keys.
struct Attempt {
    id: u64,
    user: Rc<User>,
    database: usize,
    protocol: Protocol,
    waiting: Rc<Waiting>,
    at: usize,
}

/// Tries for those who wait for the keys with these addresses, and for the keys that they give something to in their turn.
pub(super) fn serve(transaction: &Transaction, door: &Door, heads: Vec<Box<[u8]>>) {
    let mut heads = VecDeque::from(heads);
    while let Some(head) = heads.pop_front() {
        let waited = door.blocked.borrow().waited_at(&head);
        for head in &waited {
            serve_key(transaction, door, head);
        }
        heads.extend(transaction.take_touched());
    }
}

/// Tries for those who wait for the key with the address `head`.
fn serve_key(transaction: &Transaction, door: &Door, head: &[u8]) {
    let places = door.blocked.borrow().of_key(head);
    // What the key has, until a client takes something.
    let mut kind = None;
    for (place, at) in places {
        step();
        let Some(attempt) = Attempt::of(&door.blocked.borrow(), place, at) else { continue };
        let has = *kind.get_or_insert_with(|| attempt.kind(transaction, door));
        if matches!(attempt.waiting.wants, Wants::Kind(wanted) if has != Some(wanted)) {
            continue;
        }
        let stopwatch = Stopwatch::start();
        let Some(reply) = attempt.run(transaction, door) else { continue };
        kind = None;
        let mut blocked = door.blocked.borrow_mut();
        if let Some(client) = blocked.take(place) {
            slow_log::note(door, client.id, &client.sent, stopwatch.elapsed());
            blocked.found.push((place, client, reply));
        }
    }
}

impl Attempt {
    fn of(blocked: &Blocked, place: Place, at: usize) -> Option<Self> {
        let client = blocked.clients.get(&place)?;
        Some(Self {
            id: client.id,
            user: Rc::clone(&client.user),
            database: client.database,
            protocol: client.protocol,
            waiting: Rc::clone(&client.waiting),
            at,
        })
    }

    /// What the key has; `None` when it is not there.
    fn kind(&self, transaction: &Transaction, door: &Door) -> Option<Kind> {
        let key = &self.waiting.keys.get(self.at)?.key;
        // An engine that fails says so to the command that writes.
        transaction.kv_in(door.keyspace(self.database)).kind(key).ok().flatten()
    }

    /// Runs the command as if it came now; `None` when there is still nothing. What goes wrong is the reply.
    fn run(&self, transaction: &Transaction, door: &Door) -> Option<Reply> {
        // Whoever was a user that is removed is about to be disconnected.
        if !door.users.get(&self.user.name).is_some_and(|user| Rc::ptr_eq(&user, &self.user)) {
            return None;
        }
        let words = self.waiting.words(self.at);
        let command = find(&words)?;
        let mut session = Session::new(self.id, Rc::clone(&self.user));
        (session.database, session.protocol) = (self.database, self.protocol);
        let mut reply = Reply::default();
        reply.protocol = self.protocol;
        let mut call =
            Call { transaction, door, session: &mut session, command: Some(command), words: &words, reply: &mut reply };
        let is_permitted = if self.user.is_unrestricted() { Ok(()) } else { permit(&mut call, command.spec) };
        match is_permitted.and_then(|()| changes::run_unseen(&mut call, command)) {
            Ok(()) => session.waiting.is_none().then_some(reply),
            Err(refusal) => {
                let text = refusal.text();
                door.meter.errors.add(1);
                door.tally.error(&text);
                reply.clear();
                reply.error(&text);
                Some(reply)
            }
        }
    }
}

#[cfg(not(test))]
fn step() {}

#[cfg(test)]
thread_local! {
    /// Looks at a client, or at one of the keys that it waits for.
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn step() {
    STEPS.set(STEPS.get() + 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::request::Parser;
    use crate::server::redis::{RedisOptions, execute};

    fn run(door: &Door, session: &mut Session, request: &str) -> String {
        let (mut parser, mut reply) = (Parser::default(), Reply::default());
        let request = format!("{request}\r\n");
        let run = execute::run_now(door, session, &mut parser, request.as_bytes(), &mut reply).unwrap();
        run.outcome.unwrap().settle().unwrap();
        run.answers.into_iter().for_each(Answer::send);
        String::from_utf8(reply.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_write_costs_a_step_for_each_client_however_many_keys_each_waits_for() {
        let address = ([127, 0, 0, 1], 0).into();
        let door =
            crate::server::redis::door(Store::in_memory(), &RedisOptions::default(), address, Default::default());
        let mut sessions: Vec<_> = (1..=30).map(|id| Session::new(id, door.users.default_user())).collect();
        let keys: Vec<_> = (0..1_000).map(|n| format!("k{n}")).collect();
        for session in &mut sessions {
            assert_eq!(run(&door, session, &format!("BLPOP {} 0", keys.join(" "))), "");
        }
        let mut writer = Session::new(99, door.users.default_user());
        let mut cost = |request: &str| {
            STEPS.set(0);
            let reply = run(&door, &mut writer, request);
            (reply, STEPS.get())
        };
        assert_eq!(cost("SET k6 x"), ("+OK\r\n".to_owned(), 30));
        // The one that is served is taken out of all its keys; what it takes are two events more.
        assert_eq!(cost("RPUSH k7 x"), (":1\r\n".to_owned(), 30 + 1_000 + 2 * 29));
        assert_eq!(cost("SET other x"), ("+OK\r\n".to_owned(), 0));
        let served = sessions[0].blocked.take().unwrap().answered.try_recv().unwrap();
        assert_eq!(served, b"*2\r\n$2\r\nk7\r\n$1\r\nx\r\n");
    }
}
