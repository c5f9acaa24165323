//! Clients that wait until a key has something, in the order in which they came.
//!
//! What a command gives to a key goes to those who wait for it before the next command runs, as in Redis: their
//! commands run for this key in the same transaction, one client after the other, if their users may still run them.
//! They get their replies when that transaction is durable; until then their places are kept, for it may fail. What
//! others than the door's clients do to a key comes here by a [`Bell`].
//!
//! # Cost
//! A key that is written to costs a step for each client that waits for it, however many keys each of them waits for. A
//! client that is served is taken out of all its keys, once.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::kv::Bell;
use crate::server::ears::Ears;
use crate::server::redis::acl::User;
use crate::server::redis::frame::reply::{Protocol, Reply};
use crate::server::redis::state::session::{Place, Session, Waiting};
use crate::store::Store;

/// Those who wait.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    pub(crate) clients: BTreeMap<Place, Client>,
    /// By the address of a key: who waits for it, and which of the client's keys it is.
    by_key: HashMap<Rc<[u8]>, BTreeMap<Place, usize>>,
    last: Place,
    /// Those that something was found for in the current transaction, with their replies.
    pub(crate) found: Vec<(Place, Client, Reply)>,
    /// While there are any, others that write are heard.
    bell: Option<u64>,
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) user: Arc<User>,
    pub(crate) database: usize,
    pub(crate) protocol: Protocol,
    pub(crate) waiting: Rc<Waiting>,
    /// Of the keys that are waited for, in their order.
    heads: Vec<Rc<[u8]>>,
    /// The words that the client sent, as the slow log keeps them.
    pub(crate) sent: Vec<Vec<u8>>,
    answer: oneshot::Sender<Vec<u8>>,
}

/// A reply to a client that has waited.
#[derive(Debug)]
pub(crate) struct Answer {
    to: oneshot::Sender<Vec<u8>>,
    reply: Vec<u8>,
}

impl Answer {
    pub(crate) fn send(self) {
        // The client may have gone.
        let _ = self.to.send(self.reply);
    }

    /// Sends an error instead: what was found could not be committed.
    pub(crate) fn fail(self, text: &str) {
        let mut reply = Reply::default();
        reply.error(text);
        let _ = self.to.send(reply.bytes().to_vec());
    }
}

impl Blocked {
    /// Gives a client a place, and returns where its reply will come.
    pub(crate) fn insert(
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
            user: Arc::clone(&session.user),
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

    /// Removes a client, and returns whether it was still waiting; one that something was found for is not.
    pub(crate) fn remove(&mut self, place: Place) -> bool {
        self.take(place).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Ends the waiting of the client with this id, and returns whether it was waiting. Without an error, as if its
    /// time were over.
    pub(crate) fn release(&mut self, id: u64, error: Option<&str>) -> bool {
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

    /// Takes the replies of the transaction that was committed.
    pub(crate) fn committed(&mut self) -> Vec<Answer> {
        let found = std::mem::take(&mut self.found).into_iter();
        found.map(|(_, client, reply)| Answer { to: client.answer, reply: reply.bytes().to_vec() }).collect()
    }

    /// Gives those that something was found for their places back, since nothing of it was committed.
    pub(crate) fn rolled_back(&mut self) {
        for (place, client, _) in std::mem::take(&mut self.found) {
            self.put(place, client);
        }
    }

    /// Hears what others do to keys as long as somebody waits, and no longer.
    pub(crate) fn listen(&mut self, store: &Store, ears: &Arc<Ears>) {
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

    pub(crate) fn take(&mut self, place: Place) -> Option<Client> {
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

    /// The keys that are waited for and may have what something happened to at `head`, in their order. What happens to
    /// a whole keyspace comes as the address of its empty key, which ends in the two zeros behind the name; who waits
    /// for other keys that begin so is tried once too often.
    pub(crate) fn waited_at(&self, head: &[u8]) -> Vec<Rc<[u8]>> {
        if !head.ends_with(&[0, 0]) {
            return self.by_key.get_key_value(head).map(|(head, _)| Rc::clone(head)).into_iter().collect();
        }
        let mut heads: Vec<_> = self.by_key.keys().filter(|other| other.starts_with(head)).map(Rc::clone).collect();
        heads.sort_unstable();
        heads
    }

    /// Those who wait for the key with the address `head`, in their order, and which of their keys it is.
    pub(crate) fn of_key(&self, head: &[u8]) -> Vec<(Place, usize)> {
        self.by_key.get(head).into_iter().flatten().map(|(place, at)| (*place, *at)).collect()
    }
}

#[cfg(not(test))]
pub(crate) fn step() {}

#[cfg(test)]
thread_local! {
    /// Looks at a client, or at one of the keys that it waits for.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
pub(crate) fn step() {
    STEPS.set(STEPS.get() + 1);
}
