//! Runs the commands of those who wait for keys, once there is something for them.
//!
//! What a command gives to a key goes to those who wait for it before the next command runs, as in Redis: their
//! commands run for this key in the same transaction, one client after the other, if their users may still run them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use crate::clock::Stopwatch;
use crate::kv::Kind;
use crate::server::redis::acl::User;
use crate::server::redis::frame::reply::{Protocol, Reply};
use crate::server::redis::run::admission::permit;
use crate::server::redis::run::command::{Call, OpenDoor};
use crate::server::redis::run::{changes, slow};
use crate::server::redis::state::blocked::{Blocked, step};
use crate::server::redis::state::session::{Place, Session, Waiting, Wants};
use crate::store::Transaction;

/// A command that is to run again, for one of its keys.
struct Attempt {
    id: u64,
    user: Arc<User>,
    database: usize,
    protocol: Protocol,
    waiting: Rc<Waiting>,
    at: usize,
}

/// Tries for those who wait for the keys with these addresses, and for the keys that they give something to in their
/// turn.
pub(crate) fn serve(transaction: &Transaction, door: &OpenDoor, heads: Vec<Box<[u8]>>) {
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
fn serve_key(transaction: &Transaction, door: &OpenDoor, head: &[u8]) {
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
            slow::note(door, client.id, &client.sent, stopwatch.elapsed());
            blocked.found.push((place, client, reply));
        }
    }
}

impl Attempt {
    fn of(blocked: &Blocked, place: Place, at: usize) -> Option<Self> {
        let client = blocked.clients.get(&place)?;
        Some(Self {
            id: client.id,
            user: Arc::clone(&client.user),
            database: client.database,
            protocol: client.protocol,
            waiting: Rc::clone(&client.waiting),
            at,
        })
    }

    /// What the key has; `None` when it is not there.
    fn kind(&self, transaction: &Transaction, door: &OpenDoor) -> Option<Kind> {
        let key = &self.waiting.keys.get(self.at)?.key;
        // An engine that fails says so to the command that writes.
        transaction.kv_in(door.keyspace(self.database)).kind(key).ok().flatten()
    }

    /// Runs the command as if it came now; `None` when there is still nothing. What goes wrong is the reply.
    fn run(&self, transaction: &Transaction, door: &OpenDoor) -> Option<Reply> {
        // Whoever was a user that is removed is about to be disconnected.
        if !door.users.get(&self.user.name).is_some_and(|user| Arc::ptr_eq(&user, &self.user)) {
            return None;
        }
        let words = self.waiting.words(self.at);
        let command = door.registry.find(&words)?;
        let mut session = Session::new(self.id, Arc::clone(&self.user));
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
                door.count_error(&text);
                reply.clear();
                reply.error(&text);
                Some(reply)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::RedisOptions;
    use crate::server::redis::frame::request::Parser;
    use crate::server::redis::run::execute;
    use crate::server::redis::state::blocked::{Answer, STEPS};
    use crate::store::Store;

    fn run(door: &OpenDoor, session: &mut Session, request: &str) -> String {
        let (mut parser, mut reply) = (Parser::default(), Reply::default());
        let request = format!("{request}\r\n");
        let run = execute::run_now(door, session, &mut parser, request.as_bytes(), &mut reply).unwrap();
        run.outcome.unwrap().settle().unwrap();
        run.answers.into_iter().for_each(Answer::send);
        String::from_utf8(reply.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_write_costs_a_step_for_each_client_however_many_keys_each_waits_for() {
        let door = crate::server::redis::door_alone(Store::in_memory(), &RedisOptions::default());
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
