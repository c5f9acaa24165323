//! Clients that wait until a key has something, in the order in which they came.
//!
//! What a command gives to a key goes to those who wait for it before the next command runs, as in Redis: it is tried in the
//! same transaction, for one client after the other. They are told when that transaction is durable; until then their
//! places are kept, for it may fail. What others than the door's clients do to a key comes here by a [`Bell`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::server::redis::acl::User;
use crate::server::redis::command::{Call, Refusal, find};
use crate::server::redis::door::Door;
use crate::server::redis::reply::{Protocol, Reply};
use crate::server::redis::session::{Session, Waiting};
use crate::store::{Store, Transaction};
use crate::txn::Bell;

/// A place in the order of arrival.
pub(super) type Place = u64;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    clients: BTreeMap<Place, Client>,
    by_key: HashMap<Vec<u8>, BTreeSet<Place>>,
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
    words: Vec<Vec<u8>>,
    heads: Vec<Vec<u8>>,
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
        heads: Vec<Vec<u8>>,
    ) -> (Place, oneshot::Receiver<Vec<u8>>) {
        let (answer, answered) = oneshot::channel();
        self.last += 1;
        let client = Client {
            id: session.id,
            user: Rc::clone(&session.user),
            database: session.database,
            protocol: session.protocol,
            words: waiting.words,
            heads,
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
        for head in &client.heads {
            self.by_key.entry(head.clone()).or_default().insert(place);
        }
        self.clients.insert(place, client);
    }

    /// Those who wait for the key with the address `head`. What happens to a whole keyspace comes as the address of its empty key,
    /// which ends in the two zeros behind the name; who waits for other keys that begin so is tried once too often.
    fn places_of(&self, head: &[u8]) -> Vec<Place> {
        if !head.ends_with(&[0, 0]) {
            return self.by_key.get(head).into_iter().flatten().copied().collect();
        }
        let all = self.by_key.iter().filter(|(other, _)| other.starts_with(head));
        let places: BTreeSet<_> = all.flat_map(|(_, places)| places).copied().collect();
        places.into_iter().collect()
    }

    fn take(&mut self, place: Place) -> Option<Client> {
        let client = self.clients.remove(&place)?;
        for head in &client.heads {
            if let Some(places) = self.by_key.get_mut(head) {
                places.remove(&place);
                if places.is_empty() {
                    self.by_key.remove(head);
                }
            }
        }
        Some(client)
    }
}

/// Tries for those who wait for the keys at `heads`, and for the keys that they give something to in their turn.
pub(super) fn serve(transaction: &Transaction, door: &Door, mut heads: Vec<Box<[u8]>>) {
    while let Some(head) = heads.pop() {
        let places = door.blocked.borrow().places_of(&head);
        // What found nothing finds nothing for those behind either, unless it depends on more than the key.
        let mut in_vain = BTreeSet::new();
        for place in places {
            let Some(client) = door.blocked.borrow_mut().take(place) else { continue };
            let name = client.words.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
            let reply = if in_vain.contains(&name) { None } else { attempt(transaction, door, &client) };
            let mut blocked = door.blocked.borrow_mut();
            if let Some(reply) = reply {
                blocked.found.push((place, client, reply));
            } else {
                if !name.starts_with(b"xread") {
                    in_vain.insert(name);
                }
                blocked.put(place, client);
            }
        }
        heads.extend(transaction.take_touched());
    }
}

/// Runs what a client waits for; `None` when there is still nothing.
fn attempt(transaction: &Transaction, door: &Door, client: &Client) -> Option<Reply> {
    let words: Vec<&[u8]> = client.words.iter().map(Vec::as_slice).collect();
    let command = find(words.first()?)?;
    let mut session = Session::new(client.id, Rc::clone(&client.user));
    (session.database, session.protocol) = (client.database, client.protocol);
    let mut reply = Reply::default();
    reply.protocol = client.protocol;
    let outcome = command.run(&mut Call { transaction, door, session: &mut session, words: &words, reply: &mut reply });
    match outcome {
        Ok(()) => session.waiting.is_none().then_some(reply),
        // A key of another kind is no reason to stop waiting, but for the groups of a stream that is no more.
        Err(refusal) if refusal.is_wrong_type() && command.name != "xreadgroup" => None,
        Err(refusal) => {
            reply.clear();
            reply.error(&refusal.text());
            Some(reply)
        }
    }
}

impl Refusal {
    fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Store(crate::error::Error::WrongType { .. }))
    }
}
