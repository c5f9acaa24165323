use std::collections::BTreeSet;
use std::thread;

use futures_lite::future::{block_on, poll_once};

use super::*;
use crate::error::Error;
use crate::kv::StreamId;
use crate::kv::stream::NewId;
use crate::store::Store;

#[test]
fn threads_that_wait_take_everything_once() {
    const VALUES: u32 = 500;
    let kv = Store::in_memory().kv();
    let takers: Vec<_> = (0..4)
        .map(|_| {
            let queue = kv.list("queue");
            thread::spawn(move || {
                let next = || queue.pop_wait(End::Front, None).unwrap().filter(|value| value != b"end");
                std::iter::from_fn(next).collect::<Vec<_>>()
            })
        })
        .collect();
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let queue = kv.list("queue");
            thread::spawn(move || {
                for n in 0..VALUES {
                    queue.push(End::Back, [format!("{writer}:{n}")]).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    for _ in &takers {
        kv.list("queue").push(End::Back, ["end"]).unwrap();
    }
    let taken: Vec<_> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    assert_eq!(taken.len(), 3 * VALUES as usize);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
    assert!(kv.list("queue").is_empty().unwrap());
}

#[test]
fn what_goes_wrong_ends_the_waiting_and_leaves_no_place_behind() {
    let store = Store::in_memory();
    let kv = store.kv();
    kv.set("k", "text").unwrap();
    assert!(matches!(kv.list("k").pop_wait(End::Front, None), Err(Error::WrongType { .. })));
    let panicked = thread::spawn({
        let kv = kv.clone();
        move || kv.wait_for(["queue"], None, || -> Result<Option<()>> { panic!("on purpose") })
    });
    assert!(panicked.join().is_err());
    let inside = store.transaction(|_| kv.list("queue").pop_wait(End::Front, None));
    assert!(matches!(inside, Err(Error::NestedTransaction)));
    // A place that was left behind would get the turn, and keep it.
    let thread = thread::spawn({
        let kv = kv.clone();
        move || kv.list("queue").pop_wait(End::Front, None).unwrap()
    });
    kv.list("queue").push(End::Back, ["a"]).unwrap();
    assert_eq!(thread.join().unwrap(), Some(b"a".to_vec()));
}

#[test]
fn a_member_goes_to_one_of_those_who_wait() {
    const MEMBERS: u32 = 200;
    let kv = Store::in_memory().kv();
    let takers: Vec<_> = (0..4)
        .map(|taker| {
            let kv = kv.clone();
            thread::spawn(move || {
                let next = || {
                    let popped = match taker % 2 {
                        0 => kv.pop_sorted_wait(["a", "b", "end"], End::Front, 3, None).unwrap(),
                        _ => Some(block_on(kv.pop_sorted_async(["a", "b", "end"], End::Back, 1)).unwrap()),
                    };
                    popped.filter(|(key, _)| key != b"end").map(|(_, members)| members)
                };
                std::iter::from_fn(next).flatten().map(|(member, _)| member).collect::<Vec<_>>()
            })
        })
        .collect();
    for n in 0..MEMBERS {
        let key = if n % 3 == 0 { "a" } else { "b" };
        kv.sorted_set(key).add(format!("{n}"), f64::from(n % 7)).unwrap();
    }
    for n in 0..u32::MAX {
        // The end comes behind everything: each has a member of its own to take, also who takes several.
        if takers.iter().all(thread::JoinHandle::is_finished) {
            break;
        }
        kv.sorted_set("end").add(format!("{n}"), 0.0).unwrap();
        thread::yield_now();
    }
    let mut taken: Vec<_> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    // A taker that found nothing before the last member came may have found the end after it.
    let left = ["a", "b"].map(|key| kv.sorted_set(key).pop_many(End::Front, u64::from(MEMBERS)).unwrap());
    taken.extend(left.into_iter().flatten().map(|(member, _)| member));
    assert_eq!(taken.len(), MEMBERS as usize);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
}

#[test]
fn all_readers_get_an_entry_and_one_consumer_does() {
    let kv = Store::in_memory().kv();
    let stream = kv.stream("s");
    stream.add(NewId::Auto, [("n", "0")]).unwrap();
    let last = stream.last_id().unwrap();
    stream.group("g").create(last).unwrap();
    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let stream = stream.clone();
            thread::spawn(move || match reader % 2 {
                0 => stream.read_after_wait(last, Some(1), None).unwrap(),
                _ => block_on(stream.read_after_async(last, Some(1))).unwrap(),
            })
        })
        .collect();
    let consumers: Vec<_> = (0..4)
        .map(|consumer| {
            let group = stream.group("g");
            thread::spawn(move || match consumer % 2 {
                0 => group.read_wait("ann", Some(1), None).unwrap(),
                _ => block_on(group.read_async("bob", Some(1))).unwrap(),
            })
        })
        .collect();
    let added: Vec<_> = (0..4).map(|n| stream.add(NewId::Auto, [("n", n.to_string())]).unwrap()).collect();
    for reader in readers {
        assert_eq!(reader.join().unwrap().first().map(|entry| entry.id), added.first().copied());
    }
    let delivered: BTreeSet<StreamId> =
        consumers.into_iter().flat_map(|consumer| consumer.join().unwrap()).map(|entry| entry.id).collect();
    assert!(delivered.iter().eq(&added));
    assert_eq!(stream.group("g").pending().unwrap().count, 4);
}

#[test]
fn a_task_that_is_dropped_loses_nothing() {
    let kv = Store::in_memory().kv();
    let queue = kv.list("queue");
    let mut first = Box::pin(queue.pop_async(End::Front));
    let mut second = Box::pin(queue.pop_async(End::Front));
    assert!(block_on(poll_once(&mut first)).is_none() && block_on(poll_once(&mut second)).is_none());
    queue.push(End::Back, ["a"]).unwrap();
    // The turn is the first one's: it goes on with it, or else it is the second one's.
    assert!(block_on(poll_once(&mut second)).is_none());
    drop(first);
    assert_eq!(block_on(second).unwrap(), b"a");
    assert!(queue.is_empty().unwrap());
}

#[test]
fn tasks_and_threads_have_one_queue() {
    let kv = Store::in_memory().kv();
    let queue = kv.list("queue");
    let mut task = Box::pin(queue.pop_async(End::Front));
    assert!(block_on(poll_once(&mut task)).is_none());
    let behind = thread::spawn({
        let queue = queue.clone();
        move || queue.pop_wait(End::Front, None).unwrap()
    });
    queue.push(End::Back, ["a", "b"]).unwrap();
    assert_eq!(block_on(task).unwrap(), b"a");
    assert_eq!(behind.join().unwrap(), Some(b"b".to_vec()));
}

#[test]
fn a_task_inside_a_transaction_is_refused() {
    let store = Store::in_memory();
    let kv = store.kv();
    let inside = store.transaction(|_| block_on(kv.list("queue").pop_async(End::Front)));
    assert!(matches!(inside, Err(Error::NestedTransaction)));
    kv.set("k", "text").unwrap();
    assert!(matches!(block_on(kv.sorted_set("k").pop_async(End::Front)), Err(Error::WrongType { .. })));
    assert!(kv.stream("s").group("g").read_wait("ann", None, None).is_err());
}
