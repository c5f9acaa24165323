//! The `redis` crate: one connection that waits, and one that many tasks share.

use std::time::Duration;

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};
use redis::{AsyncCommands, Client, Commands, Connection, ErrorKind, RedisResult};

/// For how long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn open() -> (RedisServer, Client) {
    let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default()).unwrap();
    let client = Client::open(format!("redis://{}/", server.address())).unwrap();
    (server, client)
}

fn connect(client: &Client) -> Connection {
    let connection = client.get_connection_with_timeout(PATIENCE).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

#[test]
fn typed_commands_read_what_they_wrote() -> RedisResult<()> {
    let (_server, client) = open();
    let mut redis = connect(&client);
    let () = redis.set("name", "ann")?;
    assert_eq!(redis.get::<_, Option<String>>("name")?.as_deref(), Some("ann"));
    assert_eq!(redis.get::<_, Option<String>>("none")?, None);
    let () = redis.set_ex("cached", 7, 3600)?;
    assert!((1..=3600).contains(&redis.ttl::<_, i64>("cached")?));
    assert_eq!(redis.incr::<_, _, i64>("cached", 35)?, 42);
    assert_eq!(redis.hset_multiple::<_, _, _, String>("hash", &[("a", 1), ("b", 2)])?, "OK");
    let hash: std::collections::BTreeMap<String, i64> = redis.hgetall("hash")?;
    assert_eq!(hash.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    assert_eq!(redis.rpush::<_, _, u64>("list", &["x", "y"])?, 2);
    assert_eq!(redis.lrange::<_, Vec<String>>("list", 0, -1)?, ["x", "y"]);
    assert_eq!(redis.sadd::<_, _, u64>("set", &["m", "n", "m"])?, 2);
    assert_eq!(redis.zadd_multiple::<_, _, _, u64>("board", &[(1.5, "ann"), (2.5, "bob")])?, 2);
    let best: Vec<(String, f64)> = redis.zrevrange_withscores("board", 0, 0)?;
    assert_eq!(best, [("bob".to_owned(), 2.5)]);
    let mut found: Vec<String> = redis.scan_match::<_, String>("*a*")?.collect::<RedisResult<_>>()?;
    found.sort();
    assert_eq!(found, ["board", "cached", "hash", "name"]);
    let error = redis.lpush::<_, _, u64>("name", "x").unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
    Ok(())
}

#[test]
fn pipelines_and_transactions_keep_their_order() -> RedisResult<()> {
    let (_server, client) = open();
    let mut redis = connect(&client);
    let (first, value, second): (i64, i64, i64) = redis::pipe().incr("n", 1).get("n").incr("n", 1).query(&mut redis)?;
    assert_eq!((first, value, second), (1, 1, 2));
    let (count, name): (i64, String) =
        redis::pipe().atomic().incr("n", 1).set("name", "ann").ignore().get("name").query(&mut redis)?;
    assert_eq!((count, &*name), (3, "ann"));
    let mut pipe = redis::pipe();
    for _ in 0..5_000 {
        pipe.incr("many", 1);
    }
    let many: Vec<i64> = pipe.query(&mut redis)?;
    assert!(many.into_iter().eq(1..=5_000));
    Ok(())
}

#[test]
fn a_watched_key_that_changes_makes_the_transaction_run_again() -> RedisResult<()> {
    let (_server, client) = open();
    let (mut redis, mut other) = (connect(&client), connect(&client));
    let () = redis.set("stock", 10)?;
    let mut attempts = 0;
    let left: Vec<i64> = redis::transaction(&mut redis, &["stock"], |redis, pipe| {
        attempts += 1;
        let stock: i64 = redis.get("stock")?;
        if attempts == 1 {
            let () = other.set("stock", 5)?;
        }
        pipe.set("stock", stock - 1).ignore().get("stock").query(redis)
    })?;
    assert_eq!((attempts, left), (2, vec![4]));
    Ok(())
}

#[test]
fn messages_reach_channels_and_patterns() -> RedisResult<()> {
    let (_server, client) = open();
    let (mut listening, mut redis) = (connect(&client), connect(&client));
    let mut subscriber = listening.as_pubsub();
    subscriber.set_read_timeout(Some(PATIENCE))?;
    subscriber.subscribe("orders")?;
    subscriber.psubscribe("ord*")?;
    assert_eq!(redis.publish::<_, _, u64>("orders", "one")?, 2);
    for pattern in [None, Some("ord*")] {
        let message = subscriber.get_message()?;
        let found: Option<String> = if message.from_pattern() { message.get_pattern()? } else { None };
        assert_eq!((found.as_deref(), message.get_payload::<String>()?), (pattern, "one".to_owned()));
    }
    Ok(())
}

#[test]
fn resp3_is_spoken_when_asked_for() -> RedisResult<()> {
    let (server, _) = open();
    let client = Client::open(format!("redis://{}/3?protocol=resp3", server.address()))?;
    let mut redis = connect(&client);
    assert_eq!(redis.hset::<_, _, _, u64>("hash", "a", 1)?, 1);
    let reply: redis::Value = redis::cmd("HGETALL").arg("hash").query(&mut redis)?;
    assert!(matches!(reply, redis::Value::Map(_)), "{reply:?}");
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut redis)?;
    assert!(clients.contains(" db=3 ") && clients.contains("lib-name="), "{clients}");
    Ok(())
}

#[test]
fn a_user_comes_in_by_the_url_and_nobody_else_does() {
    let options = RedisOptions::default().login("ann", "secret");
    let server = RedisServer::start(&Store::in_memory(), &options).unwrap();
    let client = |user: &str| Client::open(format!("redis://{user}{}/", server.address())).unwrap();
    assert_eq!(connect(&client("ann:secret@")).incr::<_, _, i64>("n", 1).unwrap(), 1);
    let refused = client("ann:wrong@").get_connection_with_timeout(PATIENCE).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    let metrics = server.metrics();
    assert!(metrics.connections >= 2 && metrics.errors >= 1 && metrics.read_bytes > 0, "{metrics:?}");
}

#[test]
fn tasks_share_a_multiplexed_connection() {
    let (_server, client) = open();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let total = runtime.block_on(async {
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        let tasks: Vec<_> = (0..32)
            .map(|task| {
                let mut redis = redis.clone();
                tokio::spawn(async move {
                    for _ in 0..50 {
                        let _: i64 = redis.incr("hits", 1).await.unwrap();
                    }
                    let () = redis.set(format!("task:{task}"), task).await.unwrap();
                    assert_eq!(redis.get::<_, i64>(format!("task:{task}")).await.unwrap(), task);
                })
            })
            .collect();
        let all = async {
            for task in tasks {
                task.await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap();
        redis.clone().get::<_, i64>("hits").await.unwrap()
    });
    assert_eq!(total, 32 * 50);
}

#[test]
fn a_script_runs_when_the_door_has_any() -> RedisResult<()> {
    let (_server, client) = open();
    let mut redis = connect(&client);
    let known: redis::Value = redis::cmd("COMMAND").arg("INFO").arg("eval").query(&mut redis)?;
    if matches!(&known, redis::Value::Array(found) if found.iter().all(|one| *one == redis::Value::Nil)) {
        println!("skipped: the door runs no scripts");
        return Ok(());
    }
    let sum: i64 = redis::cmd("EVAL").arg("return ARGV[1] + ARGV[2]").arg(0).arg(1).arg(2).query(&mut redis)?;
    assert_eq!(sum, 3);
    Ok(())
}
