//! What subscribers hear: of messages, and of keys.

use std::thread;

use crate::{Served, ask};

#[test]
fn clients_hear_of_keys_in_order() {
    let served = Served::new();
    served.store.publish_key_events("KEA".parse().unwrap());
    let mut connection = served.connect();
    let mut heard = connection.as_pubsub();
    heard.psubscribe("__keyspace@0__:*").unwrap();
    let mut writer = served.connect();
    for command in [
        "SET k 1",
        "INCRBYFLOAT k 1.5",
        "EXPIRE k 100",
        "PERSIST k",
        "RENAME k n",
        "LPUSH l a b",
        "LMOVE l m LEFT RIGHT",
        "LTRIM m 5 6",
        "SADD s a",
        "SPOP s",
        "HSET h f 1",
        "HINCRBY h f 1",
        "HDEL h f",
        "ZADD z 1 m",
        "ZINCRBY z 1 m",
        "ZPOPMIN z",
        "XADD x 1-1 f v",
        "XTRIM x MAXLEN 0",
        "PFADD p a",
        "SETBIT b 1 1",
        "GEOADD g 1 1 m",
        "SUNIONSTORE t s",
        "COPY b c",
        "DEL c b",
    ] {
        let _: redis::Value = ask(&mut writer, command).unwrap();
    }
    let expected = [
        "k set",
        "k incrbyfloat",
        "k expire",
        "k persist",
        "k rename_from",
        "n rename_to",
        "l lpush",
        "m rpush",
        "l lpop",
        "m ltrim",
        "m del",
        "s sadd",
        "s spop",
        "s del",
        "h hset",
        "h hincrby",
        "h hdel",
        "h del",
        "z zadd",
        "z zincr",
        "z zpopmin",
        "z del",
        "x xadd",
        "x xtrim",
        "p pfadd",
        "b setbit",
        "g zadd",
        "c copy_to",
        "c del",
        "b del",
    ];
    for expected in expected {
        let message = heard.get_message().unwrap();
        let key = message.get_channel_name().trim_start_matches("__keyspace@0__:");
        let event: String = message.get_payload().unwrap();
        assert_eq!(format!("{key} {event}"), expected);
    }
}

#[test]
fn a_subscriber_that_keeps_up_hears_everything_once_and_in_order() {
    const MESSAGES: usize = 2_000;
    let served = Served::new();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let listeners: Vec<_> = (0..4)
        .map(|n| {
            let (mut connection, ready) = (served.connect(), ready.clone());
            thread::spawn(move || {
                let mut heard = connection.as_pubsub();
                if n % 2 == 0 {
                    heard.subscribe("news").unwrap();
                } else {
                    heard.psubscribe("n*").unwrap();
                }
                ready.send(()).unwrap();
                (0..MESSAGES).map(|_| heard.get_message().unwrap().get_payload().unwrap()).collect::<Vec<usize>>()
            })
        })
        .collect();
    (0..4).for_each(|_| is_ready.recv().unwrap());
    let mut connection = served.connect();
    for n in 0..MESSAGES {
        let reached: u64 = ask(&mut connection, &format!("PUBLISH news {n}")).unwrap();
        assert_eq!(reached, 4);
    }
    for listener in listeners {
        assert!(listener.join().unwrap().into_iter().eq(0..MESSAGES));
    }
}
