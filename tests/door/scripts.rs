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
fn no_script_harms_the_door() {
    let served = Served::new();
    let mut connection = served.connect();
    for script in [
        "local t = {} while true do t[#t + 1] = string.rep('x', 1000000) .. #t end",
        "local function f() return f() + 1 end return f()",
        "return unpack({}, 0, 2147483647)",
        "table.insert({}, -2147483648, 1)",
        "return redis.call('GET')",
        "x = 1",
    ] {
        assert!(eval::<redis::Value>(&mut connection, script).is_err(), "{script}");
        let alive: String = ask(&mut connection, "PING").unwrap();
        assert_eq!(alive, "PONG", "after {script}");
    }
}

/// Asks until the reply is another than that the door has not noticed yet that it is busy.
fn kill(connection: &mut redis::Connection, command: &str) -> redis::RedisResult<String> {
    loop {
        match ask(connection, command) {
            Err(error) if error.code() == Some("NOTBUSY") => std::thread::yield_now(),
            reply => return reply,
        }
    }
}

/// The error's code and text.
fn refused(connection: &mut redis::Connection, command: &str) -> String {
    let error = ask::<redis::Value>(connection, command).unwrap_err();
    format!("{} {}", error.code().unwrap_or_default(), error.detail().unwrap_or_default())
}

/// A client whose script runs until it is ended, and what it is told then.
fn looping(served: &Served, words: &[&str]) -> std::thread::JoinHandle<String> {
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "SET started 0").unwrap();
    let mut request = redis::Cmd::new();
    request.arg(words);
    let thread = std::thread::spawn(move || {
        let error = request.query::<redis::Value>(&mut connection).unwrap_err();
        format!("{} {}", error.code().unwrap_or_default(), error.detail().unwrap_or_default())
    });
    // It has the door once the door says so.
    let mut other = served.connect();
    loop {
        match ask::<redis::Value>(&mut other, "PING") {
            Ok(_) if thread.is_finished() => panic!("it has ended: {}", thread.join().unwrap()),
            Ok(_) => std::thread::yield_now(),
            Err(error) if error.code() == Some("BUSY") => return thread,
            Err(error) => panic!("{error}"),
        }
    }
}

fn busy_soon(served: &Served) -> redis::Connection {
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CONFIG SET busy-reply-threshold 1").unwrap();
    connection
}

#[test]
fn others_are_told_of_a_long_script_and_end_it() {
    let served = Served::new();
    let mut connection = busy_soon(&served);
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(redis.call, 'GET', 'k') end",
        "while true do pcall(cjson.decode, string.rep('[', 1000)) end",
        "local co = coroutine.wrap(function() while true do end end) co()",
    ] {
        let looping = looping(&served, &["EVAL", script, "0"]);
        let busy = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
        assert_eq!(refused(&mut connection, "GET k"), busy);
        assert_eq!(refused(&mut connection, "FUNCTION KILL"), busy);
        assert!(refused(&mut connection, "NOSUCH").contains("unknown command"));
        assert!(refused(&mut connection, "GET").contains("wrong number of arguments"));
        // Who comes now is let in, and told.
        let mut newcomer =
            redis::Client::open(format!("redis://{}", served.server.address())).unwrap().get_connection().unwrap();
        newcomer.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
        assert_eq!(kill(&mut newcomer, "SCRIPT KILL").unwrap(), "OK");
        let told = looping.join().unwrap();
        assert!(told.starts_with("ERR Script killed by user with SCRIPT KILL... script: "), "{told}");
        let alive: String = ask(&mut connection, "PING").unwrap();
        assert_eq!(alive, "PONG");
    }
    for command in ["SCRIPT KILL", "FUNCTION KILL"] {
        assert_eq!(refused(&mut connection, command), "NOTBUSY No scripts in execution right now.");
    }
}

#[test]
fn a_long_function_is_told_of_by_its_name() {
    let served = Served::new();
    let mut connection = busy_soon(&served);
    let library = "#!lua name=lib\nredis.register_function('loop', function() while true do end end)";
    let _: String = redis::cmd("FUNCTION").arg("LOAD").arg(library).query(&mut connection).unwrap();
    let looping = looping(&served, &["FCALL", "LOOP", "0"]);
    let busy = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    assert_eq!(refused(&mut connection, "SCRIPT KILL"), busy);
    let stats = format!("{:?}", ask::<redis::Value>(&mut connection, "FUNCTION STATS").unwrap());
    assert!(stats.contains("loop") && stats.contains("FCALL") && stats.contains("duration_ms"), "{stats}");
    assert_eq!(kill(&mut connection, "FUNCTION KILL").unwrap(), "OK");
    let told = looping.join().unwrap();
    assert!(told.contains("script: loop, on @user_function:2."), "{told}");
}

#[test]
fn a_script_that_has_written_is_not_killed_but_the_door_can_be_closed() {
    let served = Served::new();
    let mut connection = busy_soon(&served);
    let looping = looping(&served, &["EVAL", "redis.call('SET', KEYS[1], 'v') while true do end", "1", "k"]);
    let told = kill(&mut connection, "SCRIPT KILL").unwrap_err();
    assert_eq!(told.code(), Some("UNKILLABLE"));
    let store = served.store.clone();
    served.server.close();
    let told = looping.join().unwrap();
    assert!(told.contains("the server is closing") || told.trim().is_empty(), "{told}");
    // As with any error, what it wrote stays.
    assert_eq!(store.kv_named("0").get("k").unwrap().as_deref(), Some(&b"v"[..]));
}

#[test]
fn passwords_are_asked_for_while_a_script_runs() {
    use larder::server::redis::{RedisOptions, RedisServer};
    let store = larder::Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default().password("sesame")).unwrap();
    let connect = |password: &str| {
        let client = redis::Client::open(format!("redis://{password}{}", server.address())).unwrap();
        let connection = client.get_connection().unwrap();
        connection.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
        connection
    };
    let mut first = connect(":sesame@");
    let _: () = ask(&mut first, "CONFIG SET busy-reply-threshold 1").unwrap();
    let looping = std::thread::spawn({
        let mut connection = connect(":sesame@");
        move || eval::<redis::Value>(&mut connection, "while true do end").unwrap_err().to_string()
    });
    while ask::<redis::Value>(&mut first, "PING").is_ok() {
        std::thread::yield_now();
    }
    let mut stranger = connect("");
    assert_eq!(refused(&mut stranger, "SCRIPT KILL"), "NOAUTH Authentication required.");
    assert!(refused(&mut stranger, "AUTH wrong").starts_with("WRONGPASS"));
    let ok: String = ask(&mut stranger, "AUTH sesame").unwrap();
    assert_eq!(ok, "OK");
    assert_eq!(kill(&mut stranger, "SCRIPT KILL").unwrap(), "OK");
    assert!(looping.join().unwrap().contains("killed by user"));
    // What it did while the script ran holds afterwards.
    let ok: String = ask(&mut stranger, "SET k v").unwrap();
    assert_eq!(ok, "OK");
}

#[test]
fn what_a_client_sent_in_pieces_while_a_script_ran_is_put_together() {
    use std::io::{Read, Write};
    let served = Served::new();
    let mut connection = busy_soon(&served);
    let looping = looping(&served, &["EVAL", "while true do end", "0"]);
    let mut raw = std::net::TcpStream::connect(served.server.address().socket_addr().unwrap()).unwrap();
    raw.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    raw.write_all(b"PING\r\n*3\r\n$3\r\nSET\r\n$1\r\n").unwrap();
    let mut busy = [0; 5];
    raw.read_exact(&mut busy).unwrap();
    assert_eq!(&busy, b"-BUSY");
    assert_eq!(kill(&mut connection, "SCRIPT KILL").unwrap(), "OK");
    looping.join().unwrap();
    raw.write_all(b"k\r\n$1\r\nv\r\nMULTI\r\nGET k\r\nEXEC\r\nQUIT\r\n").unwrap();
    let mut rest = String::new();
    raw.read_to_string(&mut rest).unwrap();
    let (_, replies) = rest.split_once("\r\n").unwrap();
    assert_eq!(replies, "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\nv\r\n+OK\r\n");
}

#[test]
fn a_transaction_that_is_refused_during_a_script_is_not_run_after_it() {
    use std::io::{Read, Write};
    let served = Served::new();
    let mut connection = busy_soon(&served);
    let looping = looping(&served, &["EVAL", "while true do end", "0"]);
    let mut raw = std::net::TcpStream::connect(served.server.address().socket_addr().unwrap()).unwrap();
    raw.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    raw.write_all(b"PING\r\nMULTI\r\nSET k v\r\nEXEC\r\nQUIT\r\n").unwrap();
    let mut busy = [0; 5];
    raw.read_exact(&mut busy).unwrap();
    assert_eq!(&busy, b"-BUSY");
    assert_eq!(kill(&mut connection, "SCRIPT KILL").unwrap(), "OK");
    looping.join().unwrap();
    let mut rest = String::new();
    raw.read_to_string(&mut rest).unwrap();
    let (_, replies) = rest.split_once("\r\n").unwrap();
    let text = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    let refused = format!("+OK\r\n-{text}\r\n-EXECABORT Transaction discarded because of: {text}\r\n+OK\r\n");
    assert_eq!(replies, refused);
    assert!(!served.store.kv().exists("k").unwrap());
}

#[test]
fn thousands_of_arguments_go_through_one_call() {
    let served = Served::new();
    let mut connection = served.connect();
    let script = "local t = {} for i = 1, 7000 do t[i] = 'v' .. i end return redis.call('RPUSH', KEYS[1], unpack(t))";
    assert_eq!(eval::<i64>(&mut connection, script).unwrap(), 7_000);
    // However many scripts are kept.
    for n in 0..4_100 {
        let _: i64 = eval(&mut connection, &format!("return {n}")).unwrap();
    }
    assert_eq!(eval::<i64>(&mut connection, script).unwrap(), 14_000);
    let all: Vec<String> = eval(&mut connection, "return redis.call('LRANGE', KEYS[1], 0, -1)").unwrap();
    assert_eq!(all.len(), 14_000);
}

#[test]
fn acl_check_cmd_tells_what_the_user_may() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "ACL SETUSER bob on nopass ~a* +eval +get +config|get").unwrap();
    let _: () = ask(&mut connection, "AUTH bob any").unwrap();
    let mut check = |words: &str| {
        let script = format!("return tostring(redis.acl_check_cmd({words}))");
        redis::cmd("EVAL").arg(script).arg(0).query::<String>(&mut connection).map_err(|error| error.to_string())
    };
    for (words, may) in [
        ("'GET', 'a1'", "true"),
        ("'GET', 'z1'", "false"),
        ("'set', 'a1', 1", "false"),
        ("'config', 'get', 'x'", "true"),
        ("'config', 'set', 'x', 'y'", "false"),
    ] {
        assert_eq!(check(words).unwrap(), may, "{words}");
    }
    assert!(check("'nosuch'").unwrap_err().contains("Invalid command passed to redis.acl_check_cmd()"));
    assert!(check("").unwrap_err().contains("Please specify at least one argument"));
    assert!(check("{}").unwrap_err().contains("must be strings or integers"));
}

#[test]
fn flags_decide_whether_a_script_runs_when_memory_is_used_up() {
    let served = Served::new();
    let mut connection = served.connect();
    let functions = "#!lua name=lib
        redis.register_function('plain', function() return 1 end)
        redis.register_function{function_name='reads', callback=function() return redis.pcall('GET', 'k') end, flags={'no-writes'}}
        redis.register_function{function_name='writes', callback=function() return redis.call('SET', 'k', 'v') end, flags={'allow-oom'}}";
    let _: String = redis::cmd("FUNCTION").arg("LOAD").arg(functions).query(&mut connection).unwrap();
    let _: () = ask(&mut connection, "SET big aaaaaaaaaaaaaaaa").unwrap();
    let _: () = ask(&mut connection, "CONFIG SET maxmemory 1").unwrap();
    for (script, is_refused) in [
        ("return redis.call('SET', KEYS[1], 'v')", true),
        ("return redis.call('GET', KEYS[1])", false),
        ("redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'v')", false),
        ("#!lua\nreturn 1", true),
        ("#!lua flags=\nreturn 1", true),
        ("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", false),
        ("#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 'v')", false),
        ("#!lua flags=no-cluster,allow-stale\nreturn 1", true),
    ] {
        let outcome = eval::<redis::Value>(&mut connection, script);
        assert_eq!(outcome.is_err(), is_refused, "{script}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), Some("OOM"), "{script}");
        }
    }
    for (function, is_refused) in [("plain", true), ("reads", false), ("writes", false)] {
        let outcome = ask::<redis::Value>(&mut connection, &format!("FCALL {function} 0"));
        assert_eq!(outcome.is_err(), is_refused, "{function}: {outcome:?}");
    }
    let forbidden =
        eval::<redis::Value>(&mut connection, "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 'v')");
    assert!(forbidden.unwrap_err().to_string().contains("Write commands are not allowed from read-only scripts"));
}

#[test]
fn a_library_finds_what_redis_gives_it_while_it_is_loaded() {
    let served = Served::new();
    let mut connection = served.connect();
    for (body, name) in [
        ("math.random()", "math"),
        ("redis.setresp(3)", "setresp"),
        ("redis.call('PING')", "call"),
        ("getmetatable('')", "getmetatable"),
        ("loadstring('')", "loadstring"),
        ("pcall(1)", "pcall"),
        ("KEYS[1] = 1", "KEYS"),
    ] {
        let library = format!("#!lua name=lib\n{body}");
        let refused = redis::cmd("FUNCTION").arg("LOAD").arg(library).query::<String>(&mut connection).unwrap_err();
        let wanted = format!("user_function:2: Script attempted to access nonexistent global variable '{name}'");
        assert!(refused.to_string().contains(&wanted), "{body}: {refused}");
    }
    let endless = "#!lua name=lib\nwhile true do end";
    let refused = redis::cmd("FUNCTION").arg("LOAD").arg(endless).query::<String>(&mut connection).unwrap_err();
    assert!(refused.to_string().contains("FUNCTION LOAD timeout"), "{refused}");
    // What it finds when a function runs is the rest.
    let whole = "#!lua name=lib
        local kept = redis.LOG_NOTICE
        redis.register_function('f', function() return {type(math.random), type(redis.call), type(loadstring), kept} end)";
    let _: String = redis::cmd("FUNCTION").arg("LOAD").arg(whole).query(&mut connection).unwrap();
    let found: (String, String, String, i64) = ask(&mut connection, "FCALL F 0").unwrap();
    assert_eq!(found, ("function".to_owned(), "function".to_owned(), "function".to_owned(), 2));
    let other = "#!lua name=other\nredis.register_function('F', function() end)";
    let refused = redis::cmd("FUNCTION").arg("LOAD").arg(other).query::<String>(&mut connection).unwrap_err();
    assert!(refused.to_string().contains("Function F already exists"), "{refused}");
}

#[test]
fn what_waits_does_not_wait_in_a_script() {
    let served = Served::new();
    let mut connection = served.connect();
    assert_eq!(eval::<i64>(&mut connection, "return redis.call('WAIT', 1, 0)").unwrap(), 0);
    for call in [
        "'BLPOP', 'l', 0",
        "'BRPOP', 'l', 0",
        "'BRPOPLPUSH', 'l', 'to', 0",
        "'BLMOVE', 'l', 'to', 'LEFT', 'RIGHT', 0",
        "'BLMPOP', 0, 1, 'l', 'LEFT'",
        "'BZPOPMIN', 'z', 0",
        "'BZPOPMAX', 'z', 0",
        "'BZMPOP', 0, 1, 'z', 'MIN'",
    ] {
        let script = |before: &str| format!("{before} return redis.call({call}) and 'found'");
        assert_eq!(eval::<Option<String>>(&mut connection, &script("")).unwrap(), None, "{call}");
        let before = "redis.call('RPUSH', 'l', 'v') redis.call('ZADD', 'z', 1, 'm')";
        assert_eq!(
            eval::<Option<String>>(&mut connection, &script(before)).unwrap().as_deref(),
            Some("found"),
            "{call}"
        );
        let _: i64 = ask(&mut connection, "DEL l z to").unwrap();
    }
    // As in 7.2: that scripts may wait for the log came later.
    let refused =
        eval::<redis::Value>(&mut connection, "return redis.call('WAITAOF', 0, 0, 0)").unwrap_err().to_string();
    assert!(refused.contains("This Redis command is not allowed from script"), "{refused}");
    for (call, name) in [
        ("'xread', 'COUNT', 1, 'BLOCK', 0, 'STREAMS', 's', '$'", "XREAD"),
        ("'XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 's', '>'", "XREADGROUP"),
    ] {
        let refused =
            eval::<redis::Value>(&mut connection, &format!("return redis.call({call})")).unwrap_err().to_string();
        let wanted = format!("{name} command is not allowed with BLOCK option from scripts");
        assert!(refused.contains(&wanted), "{refused}");
    }
    let _: () = ask(&mut connection, "XADD BLOCK 1-1 f v").unwrap();
    let read = eval::<redis::Value>(&mut connection, "return redis.call('XREAD', 'STREAMS', 'BLOCK', '0')");
    assert!(read.is_ok(), "a stream may have that name: {read:?}");
}

#[test]
fn what_functions_keep_is_bounded() {
    let served = Served::new();
    let mut connection = served.connect();
    let library = "#!lua name=lib\nlocal kept = {}
        redis.register_function('keep', function() kept[#kept + 1] = string.rep('x', 20000000) .. #kept return #kept end)
        redis.register_function('count', function() return #kept end)";
    let _: String = redis::cmd("FUNCTION").arg("LOAD").arg(library).query(&mut connection).unwrap();
    let counts: Vec<i64> = (0..12).map(|_| ask(&mut connection, "FCALL keep 0").unwrap()).collect();
    assert!(counts.iter().all(|count| *count <= 4), "{counts:?}");
    let kept: i64 = ask(&mut connection, "FCALL count 0").unwrap();
    assert!(kept <= 3, "{kept}");
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

#[test]
fn a_command_of_a_script_takes_as_many_words_as_unpack_gives() {
    let served = Served::new();
    let mut client = served.connect();
    let body = "local t = {} for i = 1, 7997 do t[i] = i end \
                local kept = redis.call('RPUSH', 'l', unpack(t)) \
                local again = redis.pcall('RPUSH', 'l', unpack(t)) \
                local few = redis.call('SADD', 's', unpack(t, 1, 4001)) \
                return {kept, again, few, redis.call('LINDEX', 'l', -1), redis.acl_check_cmd('DEL', unpack(t)) and 1}";
    let replies: Vec<String> = redis::cmd("EVAL").arg(body).arg(0).query(&mut client).unwrap();
    assert_eq!(replies, ["7997", "15994", "4001", "7997", "1"]);
    let body =
        "local t = {} for i = 1, 5000 do t[i] = i end t[4500] = false return redis.call('DEL', unpack(t, 1, 5000))";
    let refused = redis::cmd("EVAL").arg(body).arg(0).query::<i64>(&mut client).unwrap_err().to_string();
    assert!(refused.contains("arguments must be strings or integers"), "{refused}");
}

#[test]
fn what_a_command_gives_a_script_is_its_own() {
    let served = Served::new();
    let mut client = served.connect();
    let body = "local one, two = redis.call('SET', 'a', 1), redis.call('SET', 'b', 2) one.ok = 'changed' \
                local none = redis.call('MGET', 'a', 'nosuch', 'b') \
                local empty = redis.call('KEYS', 'nosuch*') \
                return {two.ok, redis.call('TYPE', 'a').ok, #none, none[1], tostring(none[2]), none[3], #empty, \
                tostring(redis.call('GET', 'nosuch')), redis.pcall('INCR', 'a', 'b').err}";
    let replies: Vec<String> = redis::cmd("EVAL").arg(body).arg(0).query(&mut client).unwrap();
    let refused = "ERR Wrong number of args calling Redis command from script";
    assert_eq!(replies, ["OK", "string", "3", "1", "false", "2", "0", "false", refused]);
}
