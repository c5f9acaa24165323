//! Scripts through the door: what they do is one transaction, and none of them holds it up.

use crate::{Served, ask};

fn eval<T: redis::FromRedisValue>(connection: &mut redis::Connection, script: &str) -> redis::RedisResult<T> {
    redis::cmd("EVAL").arg(script).arg(1).arg("k").query(connection)
}

#[test]
fn a_script_reads_writes_and_is_found_by_its_digest() {
    let served = Served::new();
    let mut connection = served.connect();
    let sum: i64 = eval(&mut connection, "redis.call('SET', KEYS[1], 41) return redis.call('INCR', KEYS[1])").unwrap();
    assert_eq!(sum, 42);
    let script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    let digest: String = redis::cmd("SCRIPT").arg("LOAD").arg(script).query(&mut connection).unwrap();
    let sum: i64 = ask(&mut connection, &format!("EVALSHA {digest} 1 k 8")).unwrap();
    assert_eq!(sum, 50);
    assert_eq!(served.store.kv_named("0").get("k").unwrap().as_deref(), Some(&b"50"[..]));
}

#[test]
fn no_script_holds_the_door_up() {
    let served = Served::new();
    let mut connection = served.connect();
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local co = coroutine.wrap(function() while true do end end) co()",
        "local t = {} while true do t[#t + 1] = string.rep('x', 1000000) end",
        "local function f() return f() + 1 end return f()",
        "return redis.call('GET')",
        "x = 1",
    ] {
        assert!(eval::<redis::Value>(&mut connection, script).is_err(), "{script}");
        let alive: String = ask(&mut connection, "PING").unwrap();
        assert_eq!(alive, "PONG", "after {script}");
    }
}

#[test]
fn a_script_sees_the_old_shapes_until_it_asks_for_the_new() {
    let served = Served::new();
    let client = redis::Client::open(format!("redis://{}/?protocol=resp3", served.server.address())).unwrap();
    for mut connection in [served.connect(), client.get_connection().unwrap()] {
        let _: () = ask(&mut connection, "ZADD k 42 member").unwrap();
        let script = "local old = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES') redis.setresp(3)
            local new = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES') return {#old, old[2], #new, #new[1]}";
        let shapes: (u8, String, u8, u8) = eval(&mut connection, script).unwrap();
        assert_eq!(shapes, (2, "42".to_owned(), 1, 2));
    }
}

#[test]
fn the_flags_of_a_function_come_in_an_order_of_their_own() {
    let served = Served::new();
    let mut connection = served.connect();
    let library = "#!lua name=lib\nredis.register_function{function_name='f', callback=function() return 1 end,
        flags={'allow-oom', 'no-writes', 'allow-oom'}}";
    for replaces in [&["REPLACE"][..], &["replace", "REPLACE"]] {
        let name: String =
            redis::cmd("FUNCTION").arg("LOAD").arg(replaces).arg(library).query(&mut connection).unwrap();
        assert_eq!(name, "lib");
    }
    let listed = format!("{:?}", ask::<redis::Value>(&mut connection, "FUNCTION LIST").unwrap());
    let places = ["no-writes", "allow-oom"].map(|flag| listed.find(flag).unwrap());
    assert!(places[0] < places[1] && listed.matches("allow-oom").count() == 1, "{listed}");
    let refused = ask::<redis::Value>(&mut connection, "FUNCTION FLUSH SYNC SYNC").unwrap_err();
    assert!(refused.to_string().contains("unknown subcommand or wrong number of arguments"), "{refused}");
}

#[test]
fn functions_are_kept() {
    let served = Served::new();
    let mut connection = served.connect();
    let library = "#!lua name=lib\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)";
    let name: String = redis::cmd("FUNCTION").arg("LOAD").arg(library).query(&mut connection).unwrap();
    assert_eq!(name, "lib");
    let twice: i64 = ask(&mut served.connect(), "FCALL twice 0 21").unwrap();
    assert_eq!(twice, 42);
}
