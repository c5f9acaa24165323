//! Transactions on an engine whose commits become durable when the test says so.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use parking_lot::Condvar;

use super::*;
use crate::engine::{Settle, Snapshot};

/// An engine in memory that shows a commit only once it has been settled.
#[derive(Debug)]
struct HeldEngine {
    inner: MemoryEngine,
    medium: Arc<Medium>,
}

#[derive(Debug)]
struct Medium {
    state: Mutex<State>,
    decided: Condvar,
    events: Sender<Event>,
}

#[derive(Debug)]
struct State {
    shown: Arc<dyn Snapshot>,
    /// The state after each commit.
    commits: BTreeMap<CommitNumber, Arc<dyn Snapshot>>,
    /// Whether a commit reached the medium, once that is decided.
    outcomes: BTreeMap<CommitNumber, bool>,
}

/// What the test waits for.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Waits(u64),
    Answers(&'static str),
}

impl Medium {
    fn decide(&self, number: u64, outcome: bool) {
        self.state.lock().outcomes.insert(CommitNumber(number), outcome);
        self.decided.notify_all();
    }
}

impl Settle for Medium {
    fn settle(&self, number: CommitNumber) -> Result<()> {
        self.events.send(Event::Waits(number.0)).unwrap();
        let mut state = self.state.lock();
        self.decided.wait_while(&mut state, |state| !state.outcomes.contains_key(&number));
        if !state.outcomes[&number] {
            return Err(refusal());
        }
        state.shown = Arc::clone(&state.commits[&number]);
        Ok(())
    }
}

impl Engine for HeldEngine {
    fn name(&self) -> &'static str {
        "held"
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(Arc::clone(&self.medium.state.lock().shown))
    }

    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        self.inner.snapshot()
    }

    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.snapshot()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        let number = self.inner.commit(changes, reads, durability)?.number();
        self.medium.state.lock().commits.insert(number, self.inner.snapshot()?);
        Ok(Ticket::pending(number, Arc::clone(&self.medium) as Arc<dyn Settle>))
    }

    fn is_persistent(&self) -> bool {
        true
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn stats(&self) -> Result<EngineStats> {
        self.inner.stats()
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }
}

fn held() -> (Arc<Core>, Arc<Medium>, Receiver<Event>) {
    let inner = MemoryEngine::new();
    let (events, seen) = channel();
    let state = State { shown: inner.snapshot().unwrap(), commits: BTreeMap::default(), outcomes: BTreeMap::default() };
    let medium = Arc::new(Medium { state: Mutex::new(state), decided: Condvar::new(), events });
    (core_on(HeldEngine { inner, medium: Arc::clone(&medium) }), medium, seen)
}

#[test]
fn a_transaction_that_wrote_nothing_answers_only_once_what_it_saw_is_durable() {
    for fails in [false, true] {
        let (core, medium, events) = held();
        thread::scope(|threads| {
            let writer = threads.spawn(|| put(&AutoCommit::new(Arc::clone(&core)), "a", "1"));
            assert_eq!(events.recv().unwrap(), Event::Waits(1));
            let reader = threads.spawn(|| {
                let seen: Result<()> = transaction(&core, |tx| {
                    assert_eq!(get(tx, "a")?.as_deref(), Some("1"), "a writer goes on from the newest state");
                    if fails { Err(refusal()) } else { Ok(()) }
                });
                medium.events.send(Event::Answers("reader")).unwrap();
                seen
            });
            let next = events.recv().unwrap();
            medium.decide(1, true);
            assert_eq!(next, Event::Waits(1));
            assert_eq!(reader.join().unwrap().is_err(), fails);
            writer.join().unwrap().unwrap();
            assert_eq!(get(&AutoCommit::new(Arc::clone(&core)), "a").unwrap().as_deref(), Some("1"));
        });
    }
}

#[test]
fn what_a_transaction_saw_and_the_medium_lost_is_an_error_and_no_answer() {
    let (core, medium, events) = held();
    thread::scope(|threads| {
        let writer = threads.spawn(|| put(&AutoCommit::new(Arc::clone(&core)), "a", "1"));
        assert_eq!(events.recv().unwrap(), Event::Waits(1));
        medium.decide(1, false);
        assert!(transaction(&core, |tx| get(tx, "a")).is_err());
        assert!(writer.join().unwrap().is_err());
    });
}

#[test]
fn a_failed_commit_drops_its_own_effects_and_none_of_a_durable_one_before_it() {
    let (core, medium, events) = held();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let write = |number: u32| {
        transaction(&core, |tx| {
            tx.write(op(), |writer| {
                writer.note(Slot::Test, Noted(number, Arc::clone(&notes)));
                writer.put(&b"a"[..], &b""[..])
            })
        })
    };
    thread::scope(|threads| {
        let first = threads.spawn(|| write(1));
        assert_eq!(events.recv().unwrap(), Event::Waits(1));
        medium.decide(2, false);
        assert!(write(2).is_err(), "before the first has learnt that it is durable");
        medium.decide(1, true);
        first.join().unwrap().unwrap();
    });
    assert_eq!(*notes.lock(), [(CommitNumber(1), 1)]);
}
