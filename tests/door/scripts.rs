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
fn functions_are_kept() {
    let served = Served::new();
    let mut connection = served.connect();
    let library = "#!lua name=lib\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)";
    let name: String = redis::cmd("FUNCTION").arg("LOAD").arg(library).query(&mut connection).unwrap();
    assert_eq!(name, "lib");
    let twice: i64 = ask(&mut served.connect(), "FCALL twice 0 21").unwrap();
    assert_eq!(twice, 42);
}
