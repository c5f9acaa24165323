//! Sharded channels, which are a namespace of their own.

use std::sync::mpsc;
use std::time::Duration;

use redis::{Connection, PushInfo, PushKind, Value};

use crate::{Served, ask};

/// A connection in RESP3, and what is pushed to it.
fn connect(served: &Served) -> (Connection, mpsc::Receiver<PushInfo>) {
    let client = redis::Client::open(format!("redis://{}/?protocol=resp3", served.server.address())).unwrap();
    let mut connection = client.get_connection().unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (sender, receiver) = mpsc::channel();
    connection.set_push_sender(sender);
    (connection, receiver)
}

fn text(bytes: &str) -> Value {
    Value::BulkString(bytes.into())
}

#[test]
fn channels_of_both_namespaces_are_apart() {
    let served = Served::new();
    let (mut listener, pushed) = connect(&served);
    let mut connection = served.connect();
    for command in ["SUBSCRIBE a b", "PSUBSCRIBE *", "SSUBSCRIBE a"] {
        listener
            .send_packed_command(
                &redis::cmd(command.split(' ').next().unwrap())
                    .arg(command.split(' ').skip(1).collect::<Vec<_>>())
                    .get_packed_command(),
            )
            .unwrap();
    }
    for (kind, name, count) in [
        (PushKind::Subscribe, "a", 1),
        (PushKind::Subscribe, "b", 2),
        (PushKind::PSubscribe, "*", 3),
        (PushKind::SSubscribe, "a", 1),
    ] {
        let _ = listener.recv_response().unwrap();
        let push = pushed.recv().unwrap();
        assert_eq!((push.kind, push.data), (kind, vec![text(name), Value::Int(count)]));
    }
    let reached: (u64, u64) =
        (ask(&mut connection, "PUBLISH a usual").unwrap(), ask(&mut connection, "SPUBLISH a sharded").unwrap());
    assert_eq!(reached, (2, 1));
    for (kind, data) in [
        (PushKind::Message, vec![text("a"), text("usual")]),
        (PushKind::PMessage, vec![text("*"), text("a"), text("usual")]),
        (PushKind::SMessage, vec![text("a"), text("sharded")]),
    ] {
        let _ = listener.recv_response().unwrap();
        let push = pushed.recv().unwrap();
        assert_eq!((push.kind, push.data), (kind, data));
    }
    let channels: Vec<String> = ask(&mut connection, "PUBSUB SHARDCHANNELS").unwrap();
    assert_eq!(channels, ["a"]);
    let counts: Value = ask(&mut connection, "PUBSUB SHARDNUMSUB a b").unwrap();
    assert_eq!(counts, Value::Array(vec![text("a"), Value::Int(1), text("b"), Value::Int(0)]));
    let list: String = ask(&mut connection, "CLIENT LIST TYPE pubsub").unwrap();
    assert!(list.contains(" flags=P db=0 sub=2 psub=1 ssub=1 ") && list.contains(" resp=3 "), "{list}");
}

#[test]
fn reset_forgets_subscriptions() {
    let served = Served::new();
    let mut listener = served.connect();
    let _: Value = ask(&mut listener, "SSUBSCRIBE a").unwrap();
    let _: Value = ask(&mut listener, "RESET").unwrap();
    let mut connection = served.connect();
    let channels: Vec<String> = ask(&mut connection, "PUBSUB SHARDCHANNELS").unwrap();
    assert!(channels.is_empty());
    let list: String = ask(&mut connection, "CLIENT LIST TYPE pubsub").unwrap();
    assert!(list.is_empty(), "{list}");
}
