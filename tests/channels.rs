//! Channels, as publishers and subscribers see them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_lite::future;
use larder::channel::{Message, QueueBounds, RecvError, RecvTimeoutError};
use larder::engine::CommitNumber;
use larder::limits::{CHANNEL_BYTES_MAX, SUBSCRIBER_QUEUE_MESSAGES};
use larder::{Error, Store, Subscriber};

/// Longest wait for another thread; it takes microseconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn payloads(inbox: &Subscriber) -> Vec<String> {
    let mut payloads = Vec::new();
    while let Some(message) = inbox.try_recv().expect("connected, nothing lost") {
        payloads.push(String::from_utf8(message.payload().to_vec()).expect("text"));
    }
    payloads
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

// SEM: KV-PUB-1
#[test]
fn messages_come_in_commit_order_from_many_publishers() {
    const PUBLISHERS: u64 = 4;
    const EACH: u64 = 100;
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    std::thread::scope(|threads| {
        for _ in 0..PUBLISHERS {
            threads.spawn(|| {
                for _ in 0..EACH {
                    // The number is given out inside the transaction, so its order is the order of the commits.
                    store
                        .transaction(|tx| {
                            let number = tx.kv().increment("number", 1)?;
                            tx.publish("c", number.to_string())?;
                            tx.publish("c", format!("{number} again"))
                        })
                        .unwrap();
                }
            });
        }
    });
    drop(store);
    let mut last_commit = CommitNumber(0);
    let mut received = inbox.map(|message| message.unwrap());
    for number in 1..=PUBLISHERS * EACH {
        let (one, two) = (received.next().unwrap(), received.next().unwrap());
        assert_eq!(one.payload(), number.to_string().as_bytes());
        assert_eq!(two.payload(), format!("{number} again").as_bytes());
        assert!(one.commit() > last_commit && one.commit() == two.commit());
        last_commit = one.commit();
    }
    assert!(received.next().is_none());
}

#[test]
fn a_transaction_publishes_when_it_has_committed_and_not_before() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let tx = store.begin().unwrap();
    tx.kv().set("k", "v").unwrap();
    assert_eq!(tx.publish("c", "1").unwrap(), 1);
    assert!(inbox.try_recv().unwrap().is_none());
    tx.commit().unwrap();
    let message = inbox.recv().unwrap();
    assert_eq!(message.payload(), b"1");
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.commit() >= message.commit() && snapshot.kv().exists("k").unwrap());
}

#[test]
fn what_rolls_back_publishes_nothing() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let outcome = store.transaction(|tx| {
        tx.publish("c", "rolled back")?;
        Err::<(), _>(Error::application("no"))
    });
    assert!(outcome.is_err());
    store.begin().unwrap().publish("c", "dropped").unwrap();
    let conflicting = store.begin().unwrap();
    conflicting.kv().increment("n", 1).unwrap();
    conflicting.publish("c", "conflicted").unwrap();
    store.kv().increment("n", 1).unwrap();
    assert!(conflicting.commit().is_err());
    store.publish("c", "last").unwrap();
    assert_eq!(payloads(&inbox), ["last"]);
}

#[test]
fn an_operation_that_fails_in_a_transaction_takes_only_its_own_message_back() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    store
        .transaction(|tx| {
            tx.publish("c", "1")?;
            assert!(tx.publish("c".repeat(CHANNEL_BYTES_MAX + 1), "2").is_err());
            tx.publish("c", "3")
        })
        .unwrap();
    assert_eq!(payloads(&inbox), ["1", "3"]);
}

// SEM: KV-PUB-1
#[test]
fn nothing_is_kept_for_who_subscribes_later() {
    let store = Store::in_memory();
    assert_eq!(store.publish("c", "1").unwrap(), 0);
    let inbox = store.subscribe("c").unwrap();
    assert_eq!(store.publish("c", "2").unwrap(), 1);
    assert_eq!(store.publish("other", "3").unwrap(), 0);
    assert_eq!(payloads(&inbox), ["2"]);
}

// SEM: KV-PUB-2
#[test]
fn each_matching_subscription_gets_the_message_once() {
    let store = Store::in_memory();
    let inbox = store.subscribe("news.art").unwrap();
    assert_eq!(inbox.subscribe_pattern("news.*").unwrap(), 2);
    assert_eq!(inbox.subscribe_pattern("news.[ab]rt").unwrap(), 3);
    assert_eq!(inbox.subscribe("news.art").unwrap(), 3, "subscribing twice is once");
    let other = store.subscribe_pattern("*").unwrap();
    assert_eq!(store.publish("news.art", "1").unwrap(), 4);
    let patterns = std::iter::from_fn(|| inbox.try_recv().unwrap()).map(|message: Message| {
        assert_eq!((message.channel(), message.payload()), (&b"news.art"[..], &b"1"[..]));
        message.pattern().map(<[u8]>::to_vec)
    });
    assert_eq!(patterns.collect::<Vec<_>>(), [None, Some(b"news.*".to_vec()), Some(b"news.[ab]rt".to_vec())]);
    assert_eq!(other.pending(), 1);
}

#[test]
fn unsubscribing_keeps_what_is_in_the_queue() {
    let store = Store::in_memory();
    let inbox = store.subscribe("a").unwrap();
    inbox.subscribe_pattern("a*").unwrap();
    store.publish("a", "1").unwrap();
    assert!(inbox.unsubscribe("a") && !inbox.unsubscribe("a") && !inbox.unsubscribe_pattern("a"));
    store.publish("a", "2").unwrap();
    assert!(inbox.unsubscribe_pattern("a*"));
    assert_eq!(store.publish("a", "3").unwrap(), 0);
    assert_eq!((inbox.subscriptions(), payloads(&inbox)), (0, vec!["1".into(), "1".into(), "2".into()]));
    drop(store);
    assert_eq!(inbox.recv().unwrap_err(), RecvError::Disconnected, "told although it subscribes to nothing");
}

// SEM: KV-PUB-4
#[test]
fn a_slow_subscriber_is_told_what_it_lost_and_where() {
    let store = Store::in_memory();
    let (slow, fast) = (store.subscribe("c").unwrap(), store.subscribe("c").unwrap());
    let publish = |from: usize, to: usize| {
        store.transaction(|tx| (from..to).try_for_each(|n| tx.publish("c", n.to_string()).map(drop))).unwrap();
    };
    publish(0, SUBSCRIBER_QUEUE_MESSAGES + 3);
    assert_eq!(fast.recv().unwrap().payload(), b"0");
    assert_eq!(slow.recv().unwrap().payload(), b"0");
    publish(SUBSCRIBER_QUEUE_MESSAGES + 3, SUBSCRIBER_QUEUE_MESSAGES + 5);
    drop(store);
    let mut next = 1;
    let mut gaps = Vec::new();
    for received in &slow {
        match received {
            Ok(message) => {
                assert_eq!(message.payload(), next.to_string().as_bytes());
                next += 1;
            }
            Err(lost) => {
                gaps.push((next, lost.messages));
                next += usize::try_from(lost.messages).unwrap();
            }
        }
    }
    assert_eq!(gaps, [(SUBSCRIBER_QUEUE_MESSAGES, 3), (SUBSCRIBER_QUEUE_MESSAGES + 4, 1)]);
    assert_eq!(next, SUBSCRIBER_QUEUE_MESSAGES + 5);
}

#[test]
fn a_waiting_thread_gets_what_another_publishes_and_the_end() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let (echo, back) = (store.clone(), store.subscribe("back").unwrap());
    let worker = std::thread::spawn(move || {
        let first = inbox.recv_timeout(PATIENCE).unwrap();
        echo.publish("back", first.payload()).unwrap();
        drop(echo);
        (first.payload().to_vec(), inbox.recv())
    });
    store.publish("c", "1").unwrap();
    assert_eq!(back.recv_timeout(PATIENCE).unwrap().payload(), b"1");
    drop(store);
    let (first, second) = worker.join().unwrap();
    assert_eq!((first, second.unwrap_err()), (b"1".to_vec(), RecvError::Disconnected));
    assert_eq!(back.recv_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Disconnected);
}

#[test]
fn one_subscriber_shared_by_threads_gives_each_message_to_one() {
    const MESSAGES: usize = 400;
    let store = Store::in_memory();
    let inbox = Arc::new(store.subscribe("c").unwrap());
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let inbox = Arc::clone(&inbox);
            std::thread::spawn(move || {
                inbox.iter().map(|message| message.unwrap().payload().to_vec()).collect::<Vec<_>>()
            })
        })
        .collect();
    for n in 0..MESSAGES {
        store.publish("c", n.to_string()).unwrap();
    }
    drop(store);
    let mut received: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    received.sort();
    let mut published: Vec<_> = (0..MESSAGES).map(|n| n.to_string().into_bytes()).collect();
    published.sort();
    assert_eq!(received, published);
}

#[test]
fn a_task_is_woken_by_a_message_and_by_the_end() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    let mut first = pin!(inbox.recv_async());
    assert!(first.as_mut().poll(&mut context).is_pending());
    store.publish("c", "1").unwrap();
    assert_eq!(bell.rings(), 1);
    let Poll::Ready(Ok(message)) = first.as_mut().poll(&mut context) else { panic!("woken without a message") };
    assert_eq!(message.payload(), b"1");
    let mut second = pin!(inbox.recv_async());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(store);
    assert_eq!(bell.rings(), 2);
    assert_eq!(future::block_on(second).unwrap_err(), RecvError::Disconnected);
}

#[test]
fn a_dropped_future_loses_no_message_and_wakes_nobody() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    {
        let mut cancelled = pin!(inbox.recv_async());
        assert!(cancelled.as_mut().poll(&mut context).is_pending());
    }
    store.publish("c", "1").unwrap();
    assert_eq!(bell.rings(), 0);
    {
        let mut woken_then_dropped = pin!(inbox.recv_async());
        let mut other = pin!(inbox.recv_async());
        assert!(woken_then_dropped.as_mut().poll(&mut context).is_ready());
        assert!(other.as_mut().poll(&mut context).is_pending());
        store.publish("c", "2").unwrap();
        assert_eq!(bell.rings(), 1);
    }
    assert_eq!(payloads(&inbox), ["2"]);
}

#[test]
fn tasks_receive_on_any_executor() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let publisher = std::thread::spawn(move || {
        for n in 0..100 {
            store.publish("c", n.to_string()).unwrap();
        }
    });
    let received = future::block_on(async {
        let mut received = 0;
        loop {
            match inbox.recv_async().await {
                Ok(message) => {
                    assert_eq!(message.payload(), received.to_string().as_bytes());
                    received += 1;
                }
                Err(RecvError::Disconnected) => return received,
                Err(lost) => panic!("{lost}"),
            }
        }
    });
    publisher.join().unwrap();
    assert_eq!(received, 100);
}

/// Owns a subscriber, and drops it when it is woken, as an executor that is shutting down does with its tasks.
struct Owner {
    _inbox: Subscriber,
}

impl Wake for Owner {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_may_own_a_subscriber_that_goes_when_it_is_woken() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    let waker = Waker::from(Arc::new(Owner { _inbox: store.subscribe("c").unwrap() }));
    let mut waiting = pin!(inbox.recv_async());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(store.publish("c", "1").unwrap(), 2);
    assert_eq!(store.publish("c", "2").unwrap(), 1, "the waker has gone, and its subscriber with it");
}

/// Publishes when it is woken, as a task does that is run at once.
struct Answerer(Store);

impl Wake for Answerer {
    fn wake(self: Arc<Self>) {
        self.0.publish("answers", "2").expect("the store is free");
    }
}

#[test]
fn a_waker_may_use_the_store() {
    let store = Store::in_memory();
    let (questions, answers) = (store.subscribe("questions").unwrap(), store.subscribe("answers").unwrap());
    let waker = Waker::from(Arc::new(Answerer(store.clone())));
    let mut waiting = pin!(questions.recv_async());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let asking = std::thread::spawn(move || store.publish("questions", "1").unwrap());
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap().payload(), b"2");
    assert_eq!(asking.join().unwrap(), 1);
}

#[test]
fn a_subscriber_does_not_keep_the_store_and_subscribing_ends_with_it() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    drop(store);
    assert!(matches!(inbox.subscribe("d"), Err(Error::Closed)));
    assert!(!inbox.unsubscribe("c") && inbox.subscriptions() == 0);
    assert_eq!(inbox.count(), 0);
}

#[test]
fn closing_the_store_ends_its_subscriptions_whoever_still_holds_it() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    store.publish("c", "1").unwrap();
    store.clone().close().unwrap();
    assert!(matches!(store.publish("c", "2"), Err(Error::Closed)));
    assert!(matches!(store.subscribe("c"), Err(Error::Closed)));
    assert_eq!(inbox.count(), 1);
}

#[test]
fn a_fork_has_no_subscribers() {
    let store = Store::in_memory();
    let inbox = store.subscribe("c").unwrap();
    assert_eq!(store.fork().unwrap().publish("c", "1").unwrap(), 0);
    assert!(inbox.try_recv().unwrap().is_none());
}

// SEM: ALL-7
#[test]
fn names_that_are_too_long_are_refused() {
    let store = Store::in_memory();
    let long = "c".repeat(CHANNEL_BYTES_MAX + 1);
    let inbox = store.subscribe(&long[1..]).unwrap();
    assert_eq!(store.publish(&long[1..], "").unwrap(), 1);
    for outcome in [
        store.publish(&long, ""),
        inbox.subscribe(&long),
        inbox.subscribe_pattern(&long),
        store.subscribe(&long).map(|_| 0),
        store.subscribe_pattern(&long).map(|_| 0),
    ] {
        assert!(matches!(outcome, Err(Error::LimitExceeded { found: 4_097, .. })), "{outcome:?}");
    }
}

#[test]
fn a_sharded_channel_is_another_one_and_matches_no_pattern() {
    let store = Store::in_memory();
    let (plain, sharded) = (store.subscribe("orders").unwrap(), store.subscriber(QueueBounds::default()).unwrap());
    plain.subscribe_pattern("*").unwrap();
    assert_eq!(sharded.subscribe_sharded("orders").unwrap(), 1);
    assert_eq!(store.publish_sharded("orders", "sharded").unwrap(), 1);
    assert_eq!(store.publish("orders", "plain").unwrap(), 2);
    let received = sharded.try_recv().unwrap().unwrap();
    assert_eq!((received.payload(), received.is_sharded(), received.pattern()), (&b"sharded"[..], true, None));
    assert!(sharded.try_recv().unwrap().is_none());
    let received = plain.try_recv().unwrap().unwrap();
    assert_eq!((received.payload(), received.is_sharded()), (&b"plain"[..], false));
    assert!(sharded.unsubscribe_sharded("orders") && !sharded.unsubscribe_sharded("orders"));
    assert_eq!(store.publish_sharded("orders", "sharded").unwrap(), 0);
}

// SEM: KV-PUB-1
#[test]
fn what_is_published_to_a_sharded_channel_comes_with_the_commit() {
    let store = Store::in_memory();
    let inbox = store.subscriber(QueueBounds::default()).unwrap();
    inbox.subscribe_sharded("orders").unwrap();
    let tx = store.begin().unwrap();
    assert_eq!(tx.publish_sharded("orders", "1").unwrap(), 1);
    assert!(inbox.try_recv().unwrap().is_none());
    tx.commit().unwrap();
    assert_eq!(payloads(&inbox), ["1"]);
    let tx = store.begin().unwrap();
    tx.publish_sharded("orders", "2").unwrap();
    tx.rollback();
    assert!(inbox.try_recv().unwrap().is_none());
    assert!(matches!(store.publish_sharded(vec![0; CHANNEL_BYTES_MAX + 1], ""), Err(Error::LimitExceeded { .. })));
}

#[test]
fn subscriptions_list_and_count_what_is_subscribed_to_now() {
    let store = Store::in_memory();
    let subscriptions = store.subscriptions();
    assert!(subscriptions.channels("*").is_empty() && subscriptions.patterns().is_empty());
    let (one, two) = (store.subscribe("b").unwrap(), store.subscribe("a").unwrap());
    one.subscribe("a").unwrap();
    one.subscribe_pattern("x*").unwrap();
    two.subscribe_pattern("x*").unwrap();
    two.subscribe_pattern("a").unwrap();
    two.subscribe_sharded("s").unwrap();
    assert_eq!(subscriptions.channels("*"), [b"a", b"b"]);
    assert_eq!(subscriptions.channels("[b-z]"), [b"b"]);
    assert_eq!(["a", "b", "s", "x"].map(|channel| subscriptions.subscribers(channel)), [2, 1, 0, 0]);
    assert_eq!(subscriptions.patterns(), [(b"a".to_vec(), 1), (b"x*".to_vec(), 2)]);
    assert_eq!(subscriptions.sharded_channels("*"), [b"s"]);
    assert_eq!(["a", "s"].map(|channel| subscriptions.sharded_subscribers(channel)), [0, 1]);
    assert_eq!((one.channels(), one.patterns()), (vec![b"a".to_vec(), b"b".to_vec()], vec![b"x*".to_vec()]));
    assert_eq!((two.sharded_channels(), two.subscriptions()), (vec![b"s".to_vec()], 4));
    drop(two);
    assert_eq!((subscriptions.channels("*").len(), subscriptions.patterns().len()), (2, 1));
    assert!(subscriptions.sharded_channels("*").is_empty());
    drop(store);
    assert!(one.channels().is_empty(), "the store has gone");
}

#[test]
fn a_task_learns_at_once_that_a_queue_has_overflowed_and_bounds_can_be_moved() {
    let store = Store::in_memory();
    let inbox = store.subscribe("ticks").unwrap();
    store.publish("ticks", [b'x'; 1_000]).unwrap();
    inbox.set_queue_bytes_max(1_500);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut overflowed = pin!(inbox.overflowed());
    assert!(overflowed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    store.publish("ticks", [b'x'; 1_000]).unwrap();
    assert_eq!(bell.rings(), 1);
    assert!(overflowed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(inbox.pending(), 1);
}
