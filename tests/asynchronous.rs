//! The store in tasks: what is awaited keeps no thread. Shown by what could not go on if it did: whatever a task waits for here is
//! done by another task of the one thread.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

use futures_lite::StreamExt;
use futures_lite::future::{block_on, poll_once};
use larder::bson::doc;
use larder::engine::{Changes, CommitNumber, Durability, Engine, MemoryEngine, Reads, Settle, Ticket};
use larder::{Document, Error, Isolation, Result, Store};

use common::{Commits, Watched};

/// Ends a test that hangs.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    is_broken: bool,
    /// The threads that waited, and how often one did.
    threads: HashSet<ThreadId>,
    waits: u64,
}

impl Gate {
    fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.changed.notify_all();
    }

    fn break_down(&self) {
        let mut state = self.state.lock().unwrap();
        (state.is_open, state.is_broken) = (true, true);
        self.changed.notify_all();
    }
}

impl Settle for Gate {
    fn settle(&self, _number: CommitNumber) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        state.threads.insert(thread::current().id());
        state.waits += u64::from(!state.is_open);
        let (state, timeout) = self.changed.wait_timeout_while(state, PATIENCE, |state| !state.is_open).unwrap();
        assert!(!timeout.timed_out(), "the gate was never opened");
        if state.is_broken { Err(Error::Closed) } else { Ok(()) }
    }
}

/// Commits settle when the test opens the gate.
impl Commits for Arc<Gate> {
    fn commit(
        &self,
        inner: &MemoryEngine,
        changes: &Changes,
        reads: Option<&Reads>,
        durability: Durability,
    ) -> Result<Ticket> {
        let ticket = inner.commit(changes, reads, durability)?;
        Ok(Ticket::pending(ticket.number(), Arc::clone(self) as Arc<dyn Settle>))
    }
}

fn gated() -> (Store, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let engine = Watched::new(Arc::clone(&gate));
    (Store::builder().engine(Arc::new(engine)).unwrap(), gate)
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// Holds the turn to write from when this returns until the sender is used or dropped.
fn hold_the_turn(store: &Store) -> (Sender<()>, thread::JoinHandle<()>) {
    let (release, released): (Sender<()>, Receiver<()>) = channel();
    let (inside, entered) = channel();
    let store = store.clone();
    let writer = thread::spawn(move || {
        store
            .transaction(|tx| {
                inside.send(()).unwrap();
                let _ = released.recv_timeout(PATIENCE);
                tx.kv().set("bulk", "done")
            })
            .unwrap();
    });
    entered.recv_timeout(PATIENCE).unwrap();
    (release, writer)
}

#[test]
fn a_task_that_waits_for_the_sync_keeps_no_thread() {
    let (store, gate) = gated();
    one_thread().block_on(async {
        let tx = store.begin_with(Isolation::Snapshot).unwrap();
        tx.kv().set("optimistic", "1").unwrap();
        let ((), pending) = store.transaction_pending(|tx| tx.kv().set("pending", "1")).unwrap();
        let waits = async {
            store.transaction_async(|tx| tx.kv().set("exclusive", "1")).await.unwrap();
            tx.commit_async().await.unwrap();
            pending.await.unwrap();
        };
        // The same thread opens the gate: it would not come to that if the first task kept it.
        let opens = async {
            tokio::task::yield_now().await;
            gate.open();
        };
        tokio::join!(waits, opens);
    });
    for key in ["optimistic", "pending", "exclusive"] {
        assert!(store.kv().exists(key).unwrap(), "{key}");
    }
    assert!(!gate.state.lock().unwrap().threads.contains(&thread::current().id()), "this thread waited for a sync");
}

#[test]
fn a_task_that_waits_for_another_writer_keeps_no_thread() {
    let store = Store::in_memory();
    let (release, writer) = hold_the_turn(&store);
    one_thread().block_on(async {
        let tx = store.begin().unwrap();
        tx.kv().set("optimistic", "1").unwrap();
        let waits = async {
            let body = |tx: &larder::Transaction| tx.kv().get("bulk");
            let (seen, committed) = tokio::join!(store.transaction_async(body), tx.commit_async());
            committed.unwrap();
            seen.unwrap()
        };
        let goes_on = async {
            for _ in 0..10 {
                assert!(store.kv().get("bulk").unwrap().is_none(), "readers never wait");
                tokio::task::yield_now().await;
            }
            release.send(()).unwrap();
        };
        let (seen, ()) = tokio::join!(waits, goes_on);
        assert_eq!(seen.as_deref(), Some(&b"done"[..]), "it ran after the other writer");
    });
    writer.join().unwrap();
    assert!(store.kv().exists("optimistic").unwrap());
}

#[test]
fn many_tasks_and_threads_take_turns_and_lose_nothing() {
    const TASKS: i64 = 50;
    const EACH: i64 = 20;
    let store = Store::in_memory();
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| (0..TASKS * EACH).for_each(|_| assert!(store.kv().increment("threads", 1).unwrap() > 0)));
        }
        for _ in 0..2 {
            threads.spawn(|| {
                one_thread().block_on(async {
                    let tasks: Vec<_> = (0..TASKS)
                        .map(|_| {
                            let store = store.clone();
                            async move {
                                for _ in 0..EACH {
                                    store.transaction_async(|tx| tx.kv().increment("tasks", 1)).await.unwrap();
                                    tokio::task::yield_now().await;
                                }
                            }
                        })
                        .collect();
                    let mut set = tokio::task::JoinSet::new();
                    let local = tokio::task::LocalSet::new();
                    local
                        .run_until(async {
                            for task in tasks {
                                set.spawn_local(task);
                            }
                            while let Some(done) = set.join_next().await {
                                done.unwrap();
                            }
                        })
                        .await;
                });
            });
        }
    });
    let count = |key| String::from_utf8(store.kv().get(key).unwrap().unwrap()).unwrap().parse::<i64>().unwrap();
    assert_eq!((count("threads"), count("tasks")), (2 * TASKS * EACH, 2 * TASKS * EACH));
}

#[test]
fn commits_that_are_awaited_together_share_a_sync() {
    let (store, gate) = gated();
    block_on(async {
        let commits: Vec<_> =
            (0..100).map(|_| store.transaction_pending(|tx| tx.kv().increment("visits", 1)).unwrap()).collect();
        let mut commits: Vec<_> = commits.into_iter().map(|(_, commit)| Box::pin(commit)).collect();
        for commit in &mut commits {
            assert!(poll_once(commit.as_mut()).await.is_none());
        }
        gate.open();
        for commit in commits {
            commit.await.unwrap();
        }
    });
    // The thread may have been waiting for the first when the others came; each later call finds the gate open.
    assert!(gate.state.lock().unwrap().waits <= 1);
}

#[test]
fn messages_of_a_commit_are_heard_when_it_has_settled_and_not_before() {
    let (store, gate) = gated();
    let inbox = store.subscribe("orders").unwrap();
    let (_, commit) = store.transaction_pending(|tx| tx.publish("orders", "1")).unwrap();
    assert!(inbox.try_recv().unwrap().is_none());
    gate.open();
    commit.wait().unwrap();
    assert_eq!(inbox.try_recv().unwrap().unwrap().payload(), b"1");
}

#[test]
fn a_commit_that_is_dropped_becomes_durable_all_the_same() {
    let (store, gate) = gated();
    let inbox = store.subscribe("orders").unwrap();
    let publish = |tx: &larder::Transaction| {
        tx.kv().increment("orders", 1)?;
        tx.publish("orders", "1")
    };
    drop(store.transaction_pending(publish).unwrap());
    block_on(async {
        // Ordered, and then nobody waits for it any more.
        let mut abandoned = Box::pin(store.transaction_async(publish));
        assert!(poll_once(abandoned.as_mut()).await.is_none());
        drop(abandoned);
    });
    gate.open();
    for _ in 0..2 {
        assert_eq!(inbox.recv_timeout(PATIENCE).unwrap().payload(), b"1");
    }
}

#[test]
fn a_task_that_gives_up_before_its_turn_has_done_nothing_and_holds_nobody_up() {
    let store = Store::in_memory();
    let (release, writer) = hold_the_turn(&store);
    block_on(async {
        let write = |key: &'static str| Box::pin(store.transaction_async(move |tx| tx.kv().set(key, "1")));
        let (mut first, mut second, mut third) = (write("first"), write("second"), write("third"));
        for task in [&mut first, &mut second, &mut third] {
            assert!(poll_once(task.as_mut()).await.is_none());
        }
        drop(second);
        release.send(()).unwrap();
        writer.join().unwrap();
        // The first has been woken and goes without its turn: the third is woken in its stead, or it would never end.
        drop(first);
        third.await.unwrap();
    });
    let there = ["first", "second", "third"].map(|key| store.kv().exists(key).unwrap());
    assert_eq!(there, [false, false, true]);
}

#[test]
fn an_error_is_told_when_what_it_tells_of_is_durable() {
    #[derive(Debug, PartialEq)]
    enum Mine {
        Refused,
        Store,
    }
    impl From<Error> for Mine {
        fn from(_: Error) -> Self {
            Self::Store
        }
    }
    let (store, gate) = gated();
    block_on(async {
        let mut refused = Box::pin(store.transaction_async(|tx| {
            tx.kv().set("k", "v")?;
            Err::<(), _>(Mine::Refused)
        }));
        // The gated engine shows everything at once, so that what it saw is durable.
        assert_eq!(poll_once(refused.as_mut()).await, Some(Err(Mine::Refused)));
        gate.break_down();
        let broken = store.transaction_async(|tx| tx.kv().set("k", "v").map_err(Mine::from)).await;
        assert_eq!(broken, Err(Mine::Store));
        let wrong = store.transaction_async(|tx| tx.kv().sorted_set("k").add("m", 1.0)).await;
        assert!(matches!(wrong, Err(Error::WrongType { .. })));
    });
}

#[test]
fn inside_an_exclusive_transaction_of_the_thread_it_is_refused() {
    let store = Store::in_memory();
    store
        .transaction(|tx| {
            let nested = block_on(store.transaction_async(|tx| tx.kv().set("k", "v")));
            assert!(matches!(nested, Err(Error::NestedTransaction)));
            tx.kv().set("k", "outer")
        })
        .unwrap();
}

#[test]
fn a_store_is_closed_when_its_last_commit_has_been_awaited() {
    let directory = tempfile::tempdir().unwrap();
    for round in 1..=20 {
        let store = Store::open(directory.path()).unwrap();
        let visits = block_on(store.transaction_async(|tx| tx.kv().increment("visits", 1))).unwrap();
        assert_eq!(visits, round);
        // Nobody waits for this one; it is durable before the directory can be opened again.
        drop(store.transaction_pending(|tx| tx.kv().set("last", round.to_string())).unwrap());
        drop(store);
    }
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.kv().get("last").unwrap().as_deref(), Some(&b"20"[..]));
}

#[test]
fn a_transaction_can_be_held_over_awaits_and_sent_between_threads() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let store = Store::in_memory();
    block_on(sendable(async move {
        let tx = store.begin().unwrap();
        futures_lite::future::yield_now().await;
        tx.kv().increment("visits", 1).unwrap();
        sendable(tx.commit_async()).await.unwrap();
        sendable(store.transaction_async(|tx| tx.kv().increment("visits", 1))).await.unwrap();
    }));
}

#[test]
fn a_subscriber_is_a_stream_whose_task_is_woken() {
    let store = Store::in_memory();
    let mut inbox = store.subscribe("orders").unwrap().into_stream();
    let (received, seen) = channel();
    let reader = thread::spawn(move || {
        one_thread().block_on(async {
            while let Some(message) = inbox.next().await {
                received.send(message.unwrap().payload().to_vec()).unwrap();
            }
        });
    });
    for payload in ["1", "2"] {
        store.publish("orders", payload).unwrap();
        assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), payload.as_bytes());
    }
    drop(store);
    reader.join().unwrap();
}

#[test]
fn a_stream_tells_what_is_lost_in_its_place() {
    let store = Store::in_memory();
    let inbox = store.subscribe("orders").unwrap();
    let limit = larder::limits::SUBSCRIBER_QUEUE_MESSAGES;
    (0..=limit).for_each(|_| assert_eq!(store.publish("orders", "1").unwrap(), 1));
    drop(store);
    let ends: Vec<_> = block_on(inbox.into_stream().collect());
    assert_eq!(ends.len(), limit + 1);
    assert_eq!(ends.last().unwrap().as_ref().unwrap_err().messages, 1);
}

/// What an application does, on one thread, beside a bulk write of another: orders come in as tasks, each is written and told of,
/// and who listens hears of them. Nothing of it may keep the thread, or the bulk write, which that thread lets go on only when
/// everything waits, would never end.
#[test]
fn a_program_on_one_thread_goes_on_beside_a_bulk_write() {
    const ORDERS: i32 = 20;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (release, released) = channel::<()>();
    let (inside, entered) = channel();
    let bulk = {
        let store = store.clone();
        thread::spawn(move || {
            store.transaction(|tx| {
                let stock = tx.collection::<Document>("stock");
                stock.insert_many((0..10_000).map(|n| doc! { "_id": n, "left": 1 }))?;
                inside.send(()).unwrap();
                released.recv_timeout(PATIENCE).unwrap();
                stock.update_many(doc! {}, doc! { "$set": { "checked": true } })
            })
        })
    };
    entered.recv_timeout(PATIENCE).unwrap();
    one_thread().block_on(async {
        let mut inbox = store.subscribe("orders").unwrap().into_stream();
        let mut orders = tokio::task::JoinSet::new();
        for id in 0..ORDERS {
            let store = store.clone();
            orders.spawn(async move {
                store
                    .transaction_async(move |tx| {
                        tx.collection::<Document>("orders").insert_one(&doc! { "_id": id })?;
                        tx.kv().increment("orders", 1)?;
                        tx.publish("orders", id.to_string())
                    })
                    .await
            });
        }
        // Everything that can go on does so, and all of it waits for the bulk write.
        let mut heard = pin!(inbox.next());
        for _ in 0..5 * ORDERS {
            tokio::task::yield_now().await;
            assert!(poll_fn(|context| Poll::Ready(heard.as_mut().poll(context).is_pending())).await);
        }
        assert_eq!(store.collection::<Document>("orders").count_documents(doc! {}).unwrap(), 0);
        release.send(()).unwrap();
        heard.await.unwrap().unwrap();
        for _ in 1..ORDERS {
            inbox.next().await.unwrap().unwrap();
        }
        while let Some(done) = orders.join_next().await {
            done.unwrap().unwrap();
        }
    });
    assert_eq!(bulk.join().unwrap().unwrap().modified, 10_000);
    assert_eq!(store.collection::<Document>("orders").count_documents(doc! {}).unwrap(), 20);
}
