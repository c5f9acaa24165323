//! Tailable reads of capped collections.

use std::thread;
use std::time::Duration;

use bson::{Document, doc};

use crate::document::{Code, Collection, CollectionOptions};
use crate::{Database, Error, Stopwatch, Store};

fn log(max: Option<i64>) -> (Database, Collection<Document>) {
    let database = Store::in_memory().database("d");
    database.create_collection_with("log", CollectionOptions::default().capped(1 << 20, max)).unwrap();
    let log = database.collection("log");
    (database, log)
}

fn insert(log: &Collection<Document>, ids: std::ops::RangeInclusive<i32>) {
    log.insert_many(ids.map(|id| doc! { "_id": id, "even": id % 2 == 0 })).unwrap();
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> Option<i32> {
    Code::of(&refused.unwrap_err()).map(Code::number)
}

fn rest(tail: &mut crate::document::Tail<Document>) -> Vec<i32> {
    std::iter::from_fn(|| tail.try_next().unwrap()).map(|document| document.get_i32("_id").unwrap()).collect()
}

#[test]
fn what_comes_is_seen_once_by_each_and_a_limit_counts_all() {
    let (_database, log) = log(None);
    insert(&log, 1..=3);
    let mut all = log.find(doc! {}).skip(1).tail().unwrap();
    let mut two = log.find(doc! { "even": true }).limit(2).projection(doc! { "_id": 1 }).tail().unwrap();
    assert_eq!((rest(&mut all), rest(&mut two)), (vec![2, 3], vec![2]));
    assert_eq!(all.try_next().unwrap(), None);
    insert(&log, 4..=8);
    assert_eq!((rest(&mut all), rest(&mut two)), (vec![4, 5, 6, 7, 8], vec![4]));
    insert(&log, 9..=10);
    assert_eq!((rest(&mut all), rest(&mut two)), (vec![9, 10], vec![]));
    assert_eq!(two.next_within(Duration::from_mins(1)).unwrap(), None, "nobody waits past a limit");
}

#[test]
fn a_position_that_was_trimmed_is_lost_and_one_that_was_not_goes_on() {
    let (_database, log) = log(Some(5));
    insert(&log, 1..=5);
    let mut tail = log.find(doc! {}).tail().unwrap();
    assert_eq!(rest(&mut tail).len(), 5);
    insert(&log, 6..=7);
    assert_eq!(rest(&mut tail), [6, 7]);
    insert(&log, 8..=12);
    assert_eq!(code(tail.try_next()), Some(136));
}

#[test]
fn a_collection_that_is_dropped_made_anew_or_renamed_ends_it() {
    let ends = |change: &dyn Fn(&Database)| {
        let (database, log) = log(None);
        insert(&log, 1..=1);
        let mut tail = log.find(doc! {}).tail().unwrap();
        assert_eq!(rest(&mut tail), [1]);
        change(&database);
        assert_eq!(code(tail.try_next()), Some(175));
    };
    ends(&|database| assert!(database.drop_collection("log").unwrap()));
    ends(&|database| database.rename_collection("log", "other").unwrap());
    ends(&|database| {
        database.drop_collection("log").unwrap();
        database.create_collection_with("log", CollectionOptions::default().capped(4_096, None)).unwrap();
    });
}

#[test]
fn only_capped_collections_in_their_order_are_followed() {
    let (database, log) = log(None);
    assert_eq!(code(database.collection::<Document>("none").find(doc! {}).tail()), Some(2));
    database.create_collection("plain").unwrap();
    assert_eq!(code(database.collection::<Document>("plain").find(doc! {}).tail()), Some(2));
    assert_eq!(code(log.find(doc! {}).sort(doc! { "_id": 1 }).tail()), Some(2));
    assert_eq!(code(log.find(doc! {}).sort(doc! { "$natural": -1 }).tail()), Some(2));
    assert!(log.find(doc! {}).sort(doc! { "$natural": 1 }).tail().is_ok());
}

#[test]
fn whoever_waits_is_woken_by_the_insert() {
    let (_database, log) = log(None);
    let mut tail = log.find(doc! {}).tail().unwrap();
    let begun = Stopwatch::start();
    assert_eq!(tail.next_within(Duration::from_millis(20)).unwrap(), None);
    assert!(begun.elapsed() >= Duration::from_millis(20));
    let waiting = thread::spawn(move || tail.next_within(Duration::from_mins(1)).unwrap());
    thread::sleep(Duration::from_millis(30));
    insert(&log, 1..=1);
    assert_eq!(waiting.join().unwrap(), Some(doc! { "_id": 1, "even": false }));
    assert!(begun.elapsed() < Duration::from_secs(50));
}
