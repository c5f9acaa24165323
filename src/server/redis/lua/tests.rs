//! What scripts may do, and how each of them ends.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mlua::{Lua, MultiValue, Value};

use super::allowance::Allowance;
use super::convert::{self, Writer, format_number};
use super::interpreter::{CompileError, Interpreter};
use crate::server::redis::frame::reply::{Protocol, Reply};

const ALLOWANCE: Allowance = Allowance {
    instructions: 3_000_000,
    bytes: 16 << 20,
    time: Duration::from_mins(1),
    load_time: Duration::from_secs(30),
    kept_bytes: 8 << 20,
};

fn interpreter(allowance: Allowance) -> Interpreter {
    Interpreter::new(allowance, Arc::default()).unwrap()
}

fn compiled(interpreter: &Interpreter, code: &str) -> Result<mlua::Function, String> {
    interpreter.compile(code.as_bytes(), false).map_err(|error| match error {
        CompileError::Code(text) | CompileError::Over(text) => text,
    })
}

/// What a script returns, as a reply; or its error.
fn eval_in(interpreter: &Interpreter, code: &str) -> Result<String, String> {
    let function = compiled(interpreter, code)?;
    interpreter.begin().map_err(|error| error.to_string())?;
    match interpreter.run(&function, (&[], &[]), true, None) {
        Ok(Ok(value)) => {
            let mut reply = Reply::in_protocol(Protocol::Resp3);
            Writer::new(&mut reply, &interpreter.shared).write(&value, 0).map_err(|error| error.to_string())?;
            Ok(String::from_utf8_lossy(reply.bytes()).into_owned())
        }
        Ok(Err(Value::Table(error))) => Err(error.raw_get::<Option<String>>("err").unwrap().unwrap_or_default()),
        Ok(Err(error)) => Err(error.to_string().unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

fn eval(code: &str) -> Result<String, String> {
    eval_in(&interpreter(ALLOWANCE), code)
}

#[test]
fn values_have_the_replies_that_redis_gives_them() {
    for (code, reply) in [
        ("return 1.9", ":1\r\n"),
        ("return -1.9", ":-1\r\n"),
        ("return 1e300", ":-9223372036854775808\r\n"),
        ("return nil", "_\r\n"),
        ("return false", "_\r\n"),
        ("redis.setresp(3) return false", "#f\r\n"),
        ("return {1, 2, nil, 4}", "*2\r\n:1\r\n:2\r\n"),
        ("return {ok = 'fine'}", "+fine\r\n"),
        ("return {err = 'My err\\nx'}", "-My err x\r\n"),
        ("return redis.error_reply('-CODE x')", "-CODE x\r\n"),
        ("return redis.error_reply('x')", "-ERR x\r\n"),
        ("return redis.status_reply()", "-ERR wrong number or type of arguments\r\n"),
        ("return {double = 1.5}", ",1.5\r\n"),
        ("return {map = {a = 1}}", "%1\r\n$1\r\na\r\n:1\r\n"),
        ("return {set = {a = true}}", "~1\r\n$1\r\na\r\n"),
        ("return {big_number = '123'}", "(123\r\n"),
        ("return {verbatim_string = {format = 'txt', string = 'hi'}}", "=6\r\ntxt:hi\r\n"),
        ("return {function() end, 1}", "*2\r\n_\r\n:1\r\n"),
        ("return setmetatable({}, {__index = function() return 1 end})", "*0\r\n"),
    ] {
        assert_eq!(eval(code).as_deref(), Ok(reply), "{code}");
    }
    assert!(eval("local t = {} t[1] = t return t").unwrap().ends_with("-ERR reached lua stack limit\r\n"));
    assert_eq!(format_number(0.1, 17), "0.10000000000000001");
    assert_eq!(format_number(1e20, 17), "1e+20");
    assert_eq!(format_number(-0.0, 17), "-0");
    assert_eq!(format_number(1.0 / 3.0, 14), "0.33333333333333");
    assert_eq!(format_number(123_456.0, 14), "123456");
    assert_eq!(format_number(1e-5, 14), "1e-05");
}

/// A reply of a command, and what a script makes of it that returns it.
fn handed_over(reply: &str) -> String {
    let interpreter = interpreter(ALLOWANCE);
    let function = compiled(&interpreter, "return redis.call('anything')").unwrap();
    interpreter.begin().unwrap();
    let (shared, bytes) = (Rc::clone(&interpreter.shared), reply.as_bytes().to_vec());
    let answer = move |lua: &Lua, _: MultiValue| convert::answer(lua, &shared, &bytes);
    let service = interpreter.lua.create_function(answer).unwrap();
    let value = interpreter.run(&function, (&[], &[]), true, Some(&service)).unwrap().unwrap();
    let mut reply = Reply::in_protocol(Protocol::Resp3);
    Writer::new(&mut reply, &interpreter.shared).write(&value, 0).unwrap();
    String::from_utf8(reply.bytes().to_vec()).unwrap()
}

#[test]
fn a_list_is_the_same_in_whatever_way_it_is_handed_over() {
    let text = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let many = |count: usize| format!("*{count}\r\n{}", (0..count).map(|n| text(&n.to_string())).collect::<String>());
    let long = text(&"long ".repeat(5_000));
    for reply in [
        "*0\r\n".to_owned(),
        "*1\r\n$0\r\n\r\n".to_owned(),
        "*3\r\n$1\r\na\r\n$0\r\n\r\n$4\r\n\r\n$1\r\n".to_owned(),
        "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n".to_owned(),
        "*2\r\n$2\r\n17\r\n*0\r\n".to_owned(),
        "*3\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n".to_owned(),
        "*2\r\n*1\r\n$1\r\na\r\n$1\r\nb\r\n".to_owned(),
        "*2\r\n:7\r\n$1\r\na\r\n".to_owned(),
        "*2\r\n$1\r\na\r\n:7\r\n".to_owned(),
        many(255),
        many(256),
        many(257),
        format!("*2\r\n$1\r\n0\r\n{}", many(255)),
        format!("*2\r\n$1\r\n0\r\n{}", many(256)),
        format!("*2\r\n{}{long}", text("short")),
    ] {
        assert_eq!(handed_over(&reply), reply);
    }
    assert_eq!(handed_over("*2\r\n$1\r\na\r\n$-1\r\n"), "*2\r\n$1\r\na\r\n_\r\n");
}

#[test]
fn nothing_that_scripts_share_can_be_changed() {
    let interpreter = interpreter(ALLOWANCE);
    for code in [
        "x = 1",
        "_G.x = 1",
        "rawset(_G, 'x', 1)",
        "setmetatable(_G, {})",
        "string.rep = nil",
        "rawset(string, 'rep', nil)",
        "redis.call = 1",
        "table.insert(string, 1)",
        "getmetatable('').__index = nil",
        "getmetatable('').x = 1",
        "setmetatable(getmetatable(''), {})",
        "getmetatable(_G).__index = nil",
        "local f, t = pairs(_G) t.rep = 1",
        "local f, t = pairs(string) rawset(t, 'rep', 1)",
        "string.__index = 1",
        "coroutine.wrap(function() x = 1 end)()",
        "loadstring('x = 1')()",
        "KEYS = 1",
    ] {
        assert!(eval_in(&interpreter, code).is_err(), "{code}");
    }
    let seen = "return {string.rep('a', 2), type(string.len), ('x'):upper(), rawget(_G, 'x') == nil}";
    assert_eq!(eval_in(&interpreter, seen).unwrap(), "*4\r\n$2\r\naa\r\n$8\r\nfunction\r\n$1\r\nX\r\n:1\r\n");
}

#[test]
fn what_reaches_out_of_the_sandbox_is_not_there() {
    for name in
        ["io", "debug", "package", "require", "module", "loadfile", "dofile", "print", "newproxy", "getfenv", "setfenv"]
    {
        let error = eval(&format!("return {name}")).unwrap_err();
        assert!(error.contains(&format!("nonexistent global variable '{name}'")), "{error}");
    }
    for code in ["return string.dump", "return os.execute", "return os.exit", "return os.getenv", "return math.x"] {
        assert_eq!(eval(code).as_deref(), Ok("_\r\n"), "{code}");
    }
    assert_eq!(eval("return {loadstring('\\27Lua')}").unwrap(), "*0\r\n");
    assert_eq!(
        eval("local n = 0 return load(function() n = n + 1 return ({'retu', 'rn 5'})[n] end)()").unwrap(),
        ":5\r\n"
    );
}

#[test]
fn every_script_ends() {
    let interpreter = interpreter(ALLOWANCE);
    for code in [
        "while true do end",
        "repeat until false",
        "local function f() return f() end return f()",
        "while true do pcall(function() while true do end end) end",
        "local function f() while true do pcall(f) end end f()",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local function f() while true do coroutine.resume(coroutine.create(f)) end end f()",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do string.rep('', 1e15) end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "return setmetatable({}, {__index = function() while true do end end}).x",
        "('a'):gsub('a', function() while true do end end)",
        "return string.find(string.rep('a', 20000), '.-.-.-.-.-b')",
        "return string.rep('(', 20000):find('%b()')",
        "return string.find(string.rep('a', 100000), string.rep('a', 50000) .. 'b', 1, true) or string.find(string.rep('a', 9000), string.rep('a?', 100) .. string.rep('a', 100))",
        "while true do redis.sha1hex('x') end",
        "loadstring('while true do end')()",
        "load(function() return ' ' end)",
    ] {
        let outcome = eval_in(&interpreter, code);
        if code.contains("%b()") || code.contains(", 1, true)") {
            continue;
        }
        assert!(outcome.is_err(), "{code}: {outcome:?}");
        assert_eq!(eval_in(&interpreter, "return 1").as_deref(), Ok(":1\r\n"), "after {code}");
    }
}

#[test]
fn strings_that_a_script_is_given_leave_its_memory_bounded() {
    let interpreter = interpreter(ALLOWANCE);
    let (lua, shared) = (&interpreter.lua, &interpreter.shared);
    for len in [0, 100, ALLOWANCE.bytes / 4] {
        assert!(
            matches!(shared.string(lua, &vec![b'x'; len]), Ok(Value::String(text)) if text.as_bytes().len() == len)
        );
        let limit = lua.set_memory_limit(1).unwrap();
        assert!(limit >= ALLOWANCE.bytes, "after {len} bytes the limit is {limit}");
        lua.set_memory_limit(limit).unwrap();
    }
    assert!(shared.string(lua, &vec![b'x'; 2 * ALLOWANCE.bytes]).is_err());
    assert!(eval_in(&interpreter, "local s = 'x' while true do s = s .. s end").is_err());
    // Some of it is in use, so that there is no room for as much again.
    let held: Vec<_> = (0..3).map(|n| shared.string(lua, &vec![n; ALLOWANCE.bytes / 4]).unwrap()).collect();
    assert!(shared.string(lua, &vec![b'z'; ALLOWANCE.bytes / 2]).is_err());
    drop(held);
}

#[test]
fn memory_is_bounded() {
    let interpreter = interpreter(ALLOWANCE);
    for code in [
        "return string.rep('x', 1e9)",
        "return ('x'):rep(2^40)",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} while true do t[#t + 1] = string.rep('x', 1e5) .. #t end",
        "collectgarbage('stop') local t = {} while true do t[#t + 1] = {} end",
        "local function f() return 1 + f() end return f()",
        "return (string.rep('x', 1e6)):gsub('.', string.rep('y', 1e3))",
        "return table.concat({}, 'x', 1, 1e9)",
        "return unpack({}, 1, 1e8)",
        "return string.byte(string.rep('x', 1e7), 1, -1)",
        "return cjson.encode(setmetatable({}, {})) .. cjson.decode(string.rep('[', 1e6))",
        "local t = {} t[1] = t return cjson.encode(t)",
        "return cmsgpack.unpack(string.rep('\\145', 1e6))",
        "return cmsgpack.unpack('\\221\\255\\255\\255\\255')",
        "return struct.pack('c99999999999', 'x')",
        "return loadstring(string.rep('(', 1e5))()",
        "local f = loadstring('return ' .. string.rep('{', 1e5)) return f()",
    ] {
        let outcome = eval_in(&interpreter, code);
        assert!(outcome.is_err(), "{code}: {outcome:?}");
        assert_eq!(eval_in(&interpreter, "return 1").as_deref(), Ok(":1\r\n"), "after {code}");
    }
}

#[test]
fn errors_that_are_caught_are_as_in_redis() {
    assert_eq!(eval("return {pcall(error, {err = 'q'})}").unwrap(), "*2\r\n_\r\n$1\r\nq\r\n");
    assert_eq!(eval("return select(2, pcall(redis.sha1hex))").unwrap(), "$29\r\nERR wrong number of arguments\r\n");
    assert_eq!(eval("\n\nerror('boom')").unwrap_err(), "ERR user_script:3: boom");
    assert_eq!(eval("error({err = 'boom'})").unwrap_err(), "boom");
    assert_eq!(eval("error()").unwrap_err(), "ERR nil");
    assert_eq!(eval("x y").unwrap_err(), "user_script:1: '=' expected near 'y'");
    assert_eq!(eval("return select(2, pcall(function() error('deep', 2) end))").unwrap(), "$4\r\ndeep\r\n");
    assert_eq!(eval("return select('#', pcall(function() return nil, 1, nil end))").unwrap(), ":4\r\n");
    assert_eq!(eval("return select('#', pcall(unpack, {}, 1, 5000))").unwrap(), ":5001\r\n");
    assert_eq!(
        eval("return select('#', xpcall(function() return unpack({}, 1, 5000) end, error))").unwrap(),
        ":5001\r\n"
    );
    let co = "local co = coroutine.create(function(...) local a = coroutine.yield(...) return a, unpack({}, 1, 3000) end)
        local n = select('#', coroutine.resume(co, unpack({}, 1, 2000)))
        return {n, select('#', coroutine.resume(co, 7)), coroutine.status(co), select('#', coroutine.wrap(function() return 1, nil end)())}";
    assert_eq!(eval(co).unwrap(), "*4\r\n:2001\r\n:3002\r\n$4\r\ndead\r\n:2\r\n");
}

#[test]
fn libraries_give_what_they_are_known_for() {
    for (code, reply) in [
        ("return bit.band(0xff, 0x0f)", ":15\r\n"),
        ("return bit.bnot(0)", ":-1\r\n"),
        ("return bit.tohex(255, 4)", "$4\r\n00ff\r\n"),
        ("return bit.lshift(1, 31)", ":-2147483648\r\n"),
        ("return bit.arshift(-8, 1)", ":-4\r\n"),
        ("return cjson.encode({1, 2, {a = 'b/c'}})", "$18\r\n[1,2,{\"a\":\"b\\/c\"}]\r\n"),
        ("return cjson.encode({})", "$2\r\n{}\r\n"),
        ("return cjson.encode({1.5, 1e20, true, cjson.null})", "$21\r\n[1.5,1e+20,true,null]\r\n"),
        ("return cjson.decode('{\"a\": [1, \"\\\\u00e9\\\\n\"]}').a[2]", "$3\r\n\u{e9}\n\r\n"),
        ("return cjson.decode('[null]')[1] == cjson.null", ":1\r\n"),
        (
            "return {cmsgpack.unpack(cmsgpack.pack(1, 'a', {1, 2}, true, -500))}",
            "*5\r\n:1\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n:1\r\n:-500\r\n",
        ),
        ("return cmsgpack.unpack(cmsgpack.pack({a = 1.5})).a * 2", ":3\r\n"),
        ("return {struct.unpack('>Hb', struct.pack('>Hb', 300, -2))}", "*3\r\n:300\r\n:-2\r\n:4\r\n"),
        ("return {struct.unpack('s', struct.pack('s', 'abc'))}", "*2\r\n$3\r\nabc\r\n:5\r\n"),
        ("return struct.size('!4bi4')", ":8\r\n"),
        (
            "math.randomseed(7) return {math.random(1000000), math.random(10), math.random() * 1e9, math.random(5, 9)}",
            "*4\r\n:266445\r\n:7\r\n:265490593\r\n:5\r\n",
        ),
        ("return {string.find('hello world', 'o (w)')}", "*3\r\n:5\r\n:7\r\n$1\r\nw\r\n"),
        ("return {('k=v, x=y'):gsub('(%w)=(%w)', '%2=%1')}", "*2\r\n$8\r\nv=k, y=x\r\n:2\r\n"),
        ("local t = {} for k in ('a,b,,c'):gmatch('([^,]*)') do t[#t + 1] = k end return #t", ":7\r\n"),
        ("return {('  trim  '):match('^%s*(.-)%s*$')}", "*1\r\n$4\r\ntrim\r\n"),
        ("return {('THE (quick) fox'):find('%((%a+)%)')}", "*3\r\n:5\r\n:11\r\n$5\r\nquick\r\n"),
        ("return {('abc'):gsub('', '-')}", "*2\r\n$7\r\n-a-b-c-\r\n:4\r\n"),
        ("return redis.sha1hex('')", "$40\r\nda39a3ee5e6b4b0d3255bfef95601890afd80709\r\n"),
        ("return os.clock() >= 0", ":1\r\n"),
    ] {
        assert_eq!(eval(code).as_deref(), Ok(reply), "{code}");
    }
}

/// The public faults of the Lua in Redis, by their numbers.
mod known_faults {
    use super::*;

    /// `bit.tohex` wrote beyond its buffer when the number of digits could not be negated.
    #[test]
    fn cve_2024_31449_bit_tohex_takes_any_number_of_digits() {
        for (digits, reply) in [("-2147483648", "00000001"), ("2147483648", "00000001"), ("-1e300", ""), ("0", "")] {
            let found = eval(&format!("return bit.tohex(1, {digits})")).unwrap();
            assert_eq!(found.lines().nth(1).unwrap_or_default(), reply, "{digits}");
        }
    }

    /// A script could have the collector run what it left behind, while the interpreter was being closed: by
    /// `newproxy`, and by steering the collector.
    #[test]
    fn cve_2024_46981_scripts_neither_leave_finalizers_nor_steer_the_collector() {
        assert!(eval("return newproxy(true)").is_err());
        for what in ["stop", "restart", "collect", "step", "setpause", "setstepmul"] {
            assert_eq!(eval(&format!("return collectgarbage('{what}', 1)")).as_deref(), Ok(":0\r\n"), "{what}");
        }
        let interpreter = interpreter(ALLOWANCE);
        eval_in(&interpreter, "collectgarbage('stop') local t = setmetatable({}, {__gc = function() x = 1 end})")
            .unwrap();
        drop(interpreter);
    }

    /// `unpack` counted its results in an `int` that wrapped around, and wrote beyond the stack.
    #[test]
    fn cve_2025_46817_unpack_does_not_wrap_around() {
        for range in ["0, 2147483647", "-2147483648, -1", "-2147483648, 2147483647", "1, 8000", "-2147483648, 0"] {
            let error = eval(&format!("return unpack({{}}, {range})")).unwrap_err();
            assert!(error.contains("too many results to unpack"), "{range}: {error}");
            assert_eq!(eval(&format!("return pcall(unpack, {{}}, {range})")).as_deref(), Ok("_\r\n"), "{range}");
        }
        assert_eq!(eval("return #{unpack({1, 2, 3}, '2')}").as_deref(), Ok(":2\r\n"));
        assert_eq!(eval("return select('#', unpack({1}, 1, 7997))").as_deref(), Ok(":7997\r\n"));
        assert_eq!(eval("return select('#', unpack({}, 2147483646, 2147483647))").as_deref(), Ok(":2\r\n"));
    }

    /// The metatables of basic types could be changed, so that code ran as somebody else.
    #[test]
    fn cve_2025_46818_metatables_of_basic_types_cannot_be_changed() {
        let interpreter = interpreter(ALLOWANCE);
        for code in [
            "getmetatable('').__index = function() return 1 end",
            "getmetatable('').__len = function() return 1 end",
            "rawset(getmetatable(''), '__len', 1)",
            "setmetatable(getmetatable(''), {})",
            "getmetatable(1).__index = 1",
            "getmetatable(nil).__index = 1",
            "getmetatable(print).__index = 1",
            "getmetatable(cjson.null).__index = 1",
            "getmetatable(coroutine.create(function() end)).__index = 1",
        ] {
            assert!(eval_in(&interpreter, code).is_err(), "{code}");
        }
        assert_eq!(eval_in(&interpreter, "return {#'abc', ('x'):upper()}").as_deref(), Ok("*2\r\n:3\r\n$1\r\nX\r\n"));
    }

    /// The reader of long brackets counted their signs in an `int`, and read beyond its buffer.
    #[test]
    fn cve_2025_46819_long_brackets_have_any_number_of_signs() {
        let signs = "=".repeat(100_000);
        assert_eq!(eval(&format!("return #[{signs}[abc]{signs}]")).as_deref(), Ok(":3\r\n"));
        for code in [format!("return [{signs}[abc"), format!("return [{signs}"), format!("return [{signs}[abc]{signs}")]
        {
            assert!(eval(&code).is_err());
        }
        // More of them than fit an `int` do not fit the memory of a script.
        assert!(eval("return loadstring('return [' .. string.rep('=', 2^31) .. '[')").is_err());
    }

    /// The compiler had the name of what it compiles where the collector did not see it.
    #[test]
    fn cve_2025_49844_nothing_is_collected_while_code_is_compiled() {
        let mut allowance = ALLOWANCE;
        allowance.instructions = 100_000_000;
        let interpreter = interpreter(allowance);
        let code = "local n = 0 for i = 1, 300 do
                local name = string.rep('n', 100) .. i
                local code = 'return ' .. string.rep('{\"' .. i .. '\"},', 300):sub(1, -2)
                local f, e = loadstring(code, name) if f and #{f()} == 0 then n = n + 1 end
                local ok, message = pcall(loadstring('error(1)', name .. 'x'))
                local g, message = loadstring('x x', '=' .. name) if not message:find('nnn') then error(message) end
            end
            local pieces, at = {'return ', '1'}, 0
            local f = load(function() at = at + 1 collectgarbage() local junk = {} for i = 1, 1000 do junk[i] = {} end
                return pieces[at] end, string.rep('m', 1000))
            return {n, f()}";
        assert_eq!(eval_in(&interpreter, code).as_deref(), Ok("*2\r\n:0\r\n:1\r\n"));
        // And afterwards it is again.
        let collected = "for i = 1, 10000 do local t = string.rep('x', 10000) .. i end return 1";
        assert_eq!(eval_in(&interpreter, collected).as_deref(), Ok(":1\r\n"));
    }

    /// Nested `cjson` and `cmsgpack` values overflowed their buffers or the stack; bytecode could be loaded; functions
    /// with many parameters wrote beyond the stack.
    #[test]
    fn older_ones_are_not_there_either() {
        for code in [
            "return cmsgpack.pack(unpack({}, 1, 7900)) and 1",
            "return cjson.encode(setmetatable({}, {__index = 1})) and 1",
            "local t = {} for i = 1, 900 do t = {t} end return cjson.encode(t) and cmsgpack.pack(t) and 1",
            "local p = {} for i = 1, 190 do p[i] = 'a' .. i end
             local f = loadstring('return function(' .. table.concat(p, ',') .. ', ...) return select(\"#\", ...) end')()
             local function deep(n) if n == 0 then return f() end return (deep(n - 1)) end
             for i = 1, 150 do deep(i) end return f() + 1",
        ] {
            assert_eq!(eval(code).as_deref(), Ok(":1\r\n"), "{code}");
        }
        for code in [
            "struct.unpack('i', 'abcd', 2147483647)",
            "struct.pack('i4294967297', 1)",
            "struct.size('i2147483647i2147483647')",
            "struct.unpack('c4294967295', 'a')",
            "loadstring('\\27Lua\\81')()",
            "cmsgpack.unpack_limit('abc', 2147483647, 4294967295)",
        ] {
            assert!(eval(code).is_err(), "{code}");
        }
    }
}

#[test]
fn no_number_is_too_strange_for_a_library() {
    let mut allowance = ALLOWANCE;
    allowance.instructions = 400_000_000;
    allowance.bytes = 64 << 20;
    let interpreter = interpreter(allowance);
    let code = "local numbers = {0, -0, 1, -1, 2, 0.5, 255, 256, 7997, 8000, 65536, 2147483647, -2147483648, 2147483648, 4294967295,
            -4294967296, 2^53, -2^53, 2^63, -2^63, 2^64, 1e300, -1e300, 1/0, -1/0, 0/0, '1e300', '-2147483648', 'x', ''}
        local calls = 0
        local skip = {collectgarbage = true, gcinfo = true, _G = true, redis = true, KEYS = true, ARGV = true, error = true}
        local function try(f, ...) calls = calls + 1 pcall(f, ...) end
        local function each(f)
            for _, a in ipairs(numbers) do
                try(f, a) try(f, {1, 2, 3}, a) try(f, 'abc', a) try(f, 'I4', a) try(f, 'abc', 'b', a)
                for _, b in ipairs(numbers) do
                    try(f, a, b) try(f, {1, 2, 3}, a, b) try(f, 'abc', a, b) try(f, '%d %s', a, b) try(f, {3, 1, 2}, ',', a, b)
                end
            end
        end
        for name, value in pairs(_G) do
            if not skip[name] then
                if type(value) == 'function' then each(value) end
                if type(value) == 'table' then
                    for inner, f in pairs(value) do if type(f) == 'function' then each(f) end end
                end
            end
        end
        return calls";
    let outcome = eval_in(&interpreter, code);
    let calls = outcome.unwrap().trim_start_matches(':').trim_end().parse::<u64>().unwrap();
    assert!(calls > 300_000, "{calls}");
    assert_eq!(eval_in(&interpreter, "return 1").as_deref(), Ok(":1\r\n"));
}

#[test]
fn what_libraries_do_is_spent_from_the_allowance() {
    let mut allowance = ALLOWANCE;
    (allowance.bytes, allowance.instructions) = (256 << 20, 2_500_000);
    let interpreter = interpreter(allowance);
    for code in [
        "local t={} for i=1,60 do t={t,t} end return t",
        "local t={} for i=1,60 do t={t,t} end return cjson.encode(t)",
        "local t={} for i=1,16 do t={t,t,t,t,t,t,t,t} end return #cmsgpack.pack(t)",
        "cjson.encode_sparse_array(false,0) return cjson.encode({[2000000000]=1})",
        "return string.find(string.rep('a',1000000),'['..string.rep('b',30*1024*1024)..']')",
        "local p='b'..string.rep('a',1023) local s=string.rep(p,60000) while true do
            string.find(s,string.rep('a',1023)..string.rep(p,30000)..'c',1,true) end",
        "return loadstring('if a then '..string.rep('elseif a then ',100000)..' end')",
        "table.insert({},-2147483648,1)",
        "local s=string.rep('a',60*1024*1024) while true do redis.sha1hex(s) end",
        "local s=string.rep('[1],',1e6) while true do pcall(cjson.decode, '['..s..'1]') end",
        "local s=string.rep('i',1e6) while true do pcall(struct.size, s) end",
        "local s=string.rep('a',3e7) while true do struct.pack('sss', s, s, s) end",
        "local s=string.rep('a',3e7) while true do s:gsub('b', '') end",
        "local s=string.rep('\\\\', 3e7) while true do cjson.encode({s}) end",
        "while true do string.rep('a', 3e7) end",
        "local t={} for i=1,100000 do t[i]='x' end local r={} for i=1,1000 do r[i]=t end return r",
        "local t={} for i=1,60 do t={set={[t]=true,[{t}]=true}} end return t",
        "local t={} for i=1,60 do t={map={[t]=t}} end return t",
    ] {
        let outcome = eval_in(&interpreter, code);
        assert!(outcome.is_err(), "{code}: {outcome:?}");
        assert_eq!(eval_in(&interpreter, "return 1").as_deref(), Ok(":1\r\n"), "after {code}");
    }
}

#[test]
fn the_time_of_a_script_ends_what_its_instructions_do_not() {
    let mut allowance = ALLOWANCE;
    allowance.instructions = u64::MAX;
    allowance.bytes = 256 << 20;
    allowance.time = Duration::from_millis(50);
    let interpreter = interpreter(allowance);
    for code in [
        "local s=string.rep('a',60*1024*1024) while true do local t = s:upper() end",
        "local s=string.rep('a',60*1024*1024) while true do local t = s .. 'b' end",
        "local s=string.rep('a',60*1024*1024) while true do local t = s:reverse():lower():sub(2) end",
        "local a,b=string.rep('a',5e7)..'a',string.rep('a',5e7)..'b' while true do local t = a < b end",
        "local t={} for i=1,1e6 do t[i]=i end while true do table.insert(t,1,1) end",
        "local t={} for i=1,1e6 do t[i]='x' end while true do table.concat(t) end",
        "local t={} for i=1,1e6 do t[i]=i end while true do table.maxn(t) end",
        "local t={} for i=1,1e6 do t[i]=i end while true do table.sort(t) end",
        "local co = coroutine.wrap(function() local s=string.rep('a',6e7) while true do local t = s:upper() end end) co()",
        "local n = {} for i=1,190 do n[i] = 'local a' .. i end
         local head = table.concat(n, ' ') .. ' '
         local code = string.rep(head .. 'return function() ', 100) .. string.rep('x=x ', 1e6)
         while true do loadstring(code) end",
    ] {
        let error = eval_in(&interpreter, code).unwrap_err();
        assert!(error.contains("longer than a script may") || error.contains("not enough memory"), "{code}: {error}");
    }
}

#[test]
fn compiling_is_bounded_too() {
    let interpreter = interpreter(Allowance { instructions: 1_000_000, ..ALLOWANCE });
    for code in [
        "return 1 ".to_owned() + &" ".repeat(4_000_000),
        format!("if a then {} end", "elseif a then ".repeat(300_000)),
        format!("return {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("local t = {{{}}}", "{},".repeat(1_000_000)),
    ] {
        assert!(compiled(&interpreter, &code).is_err());
        assert_eq!(eval_in(&interpreter, "return 1").as_deref(), Ok(":1\r\n"));
    }
    assert_eq!(eval_in(&interpreter, "").as_deref(), Ok("_\r\n"));
}

#[test]
fn a_script_ends_when_the_door_is_being_closed() {
    let closing = Arc::<std::sync::atomic::AtomicBool>::default();
    let mut allowance = ALLOWANCE;
    (allowance.instructions, allowance.time) = (u64::MAX, Duration::from_hours(1));
    let interpreter = Interpreter::new(allowance, Arc::clone(&closing)).unwrap();
    closing.store(true, Ordering::Relaxed);
    // What ends by itself is let.
    assert_eq!(eval_in(&interpreter, "for i = 1, 10000 do end return 1").as_deref(), Ok(":1\r\n"));
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local t={} for i=1,60 do t={t,t} end return t",
    ] {
        let error = eval_in(&interpreter, code).unwrap_err();
        assert!(error.contains("the server is closing"), "{error}");
    }
}

#[test]
fn a_script_sees_nothing_of_the_one_before() {
    let interpreter = interpreter(ALLOWANCE);
    let first = "return {math.random(1e6), cjson.encode(3.14159), cjson.encode_max_depth(), cjson.decode_max_depth()}";
    let seen = eval_in(&interpreter, first).unwrap();
    let changes = "math.randomseed(3) math.random() cjson.encode_number_precision(1) cjson.encode_max_depth(1)
        cjson.decode_max_depth(1) cjson.encode_invalid_numbers(true) cjson.decode_invalid_numbers(false)
        cjson.encode_sparse_array(true) cjson.encode_keep_buffer(false) redis.setresp(3)";
    eval_in(&interpreter, changes).unwrap();
    assert_eq!(eval_in(&interpreter, first).unwrap(), seen);
    // What Redis draws after a seed of 0.
    assert_eq!(eval_in(&interpreter, "return math.random(1000000)").as_deref(), Ok(":170829\r\n"));
    let defaults = "return {tostring(cjson.encode_invalid_numbers()), tostring(cjson.decode_invalid_numbers()),
        tostring(cjson.encode_sparse_array()), tostring(cjson.encode_keep_buffer()), false}";
    let expected = "*5\r\n$5\r\nfalse\r\n$4\r\ntrue\r\n$5\r\nfalse\r\n$4\r\ntrue\r\n_\r\n";
    assert_eq!(eval_in(&interpreter, defaults).as_deref(), Ok(expected));
}

#[test]
fn a_library_does_not_find_the_keys_of_a_script() {
    let interpreter = interpreter(ALLOWANCE);
    let script = compiled(&interpreter, "return #KEYS + #ARGV").unwrap();
    interpreter.begin().unwrap();
    interpreter.run(&script, (&[b"k"], &[b"secret"]), true, None).unwrap().unwrap();
    for code in [
        "return ARGV[1]",
        "return loadstring('return ARGV[1]')()",
        "return load(function() return 'return KEYS' end)()",
    ] {
        let function = interpreter.compile(code.as_bytes(), true).unwrap();
        interpreter.begin().unwrap();
        let outcome = interpreter.run(&function, (&[], &[]), false, None).unwrap();
        assert!(outcome.is_err(), "{code}: {outcome:?}");
    }
}

#[test]
fn hundreds_of_thousands_of_words_go_in_and_out() {
    let mut allowance = ALLOWANCE;
    (allowance.bytes, allowance.instructions) = (256 << 20, 1 << 32);
    let interpreter = interpreter(allowance);
    let words = vec![&b"word"[..]; 300_000];
    let script = compiled(&interpreter, "return {#KEYS, #ARGV, KEYS[300000]}").unwrap();
    interpreter.begin().unwrap();
    let found = interpreter.run(&script, (&words, &words), true, None).unwrap().unwrap();
    let mut reply = Reply::in_protocol(Protocol::Resp3);
    Writer::new(&mut reply, &interpreter.shared).write(&found, 0).unwrap();
    assert_eq!(reply.bytes(), b"*3\r\n:300000\r\n:300000\r\n$4\r\nword\r\n");
    let many = "local t = {} for i = 1, 200000 do t[i] = 'v' .. i end return t";
    assert!(eval_in(&interpreter, many).unwrap().starts_with("*200000\r\n$2\r\nv1\r\n"));
}

#[test]
fn json_is_as_in_lua_cjson() {
    for (code, reply) in [
        ("return {cjson.encode_max_depth(), cjson.encode_max_depth(2), cjson.encode({{1}})}", "1000 2 [[1]]"),
        ("cjson.encode_max_depth(2) return cjson.encode({{{1}}})", "!Cannot serialise, excessive nesting (3)"),
        (
            "return cjson.encode_max_depth(0)",
            "!bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)",
        ),
        ("return cjson.encode_max_depth('x')", "!bad argument #1 to 'encode_max_depth' (number expected, got string)"),
        ("return cjson.encode_max_depth(1, 2)", "!bad argument #2 to 'encode_max_depth' (found too many arguments)"),
        (
            "cjson.decode_max_depth(2) return cjson.decode('[[[1]]]')",
            "!Found too many nested data structures (3) at character 3",
        ),
        ("return #cjson.decode(string.rep('[', 1000) .. string.rep(']', 1000))", "1"),
        (
            "return cjson.decode(string.rep('[', 1001) .. string.rep(']', 1001))",
            "!Found too many nested data structures (1001) at character 1001",
        ),
        ("local t = {} t[1] = t return cjson.encode(t)", "!Cannot serialise, excessive nesting (1001)"),
        ("cjson.encode_invalid_numbers(true) return cjson.encode({0/0, 1/0, -1/0})", "[nan,inf,-inf]"),
        ("cjson.encode_invalid_numbers('null') return cjson.encode({0/0, 1/0})", "[null,null]"),
        ("return cjson.encode({0/0})", "!Cannot serialise number: must not be NaN or Inf"),
        (
            "return cjson.encode_invalid_numbers('foo')",
            "!bad argument #1 to 'encode_invalid_numbers' (invalid option 'foo')",
        ),
        ("return tostring(cjson.decode('[0x10]')[1])", "16"),
        ("return tostring(cjson.decode('[0x1p3]')[1])", "8"),
        ("return tostring(cjson.decode('[-inf]')[1])", "-inf"),
        ("return tostring(cjson.decode('[+1]')[1])", "1"),
        (
            "cjson.decode_invalid_numbers(false) return cjson.decode('[0x10]')",
            "!Expected value but found invalid number at character 2",
        ),
        (
            "cjson.decode_invalid_numbers(false) return cjson.decode('[nan]')",
            "!Expected value but found invalid token at character 2",
        ),
        ("return cjson.decode('[1.5.5]')", "!Expected comma or array end but found invalid token at character 5"),
        ("return cjson.decode('[1e]')", "!Expected comma or array end but found invalid token at character 3"),
        ("return cjson.decode('[-]')", "!Expected value but found invalid number at character 2"),
        ("return cjson.decode('[1,]')", "!Expected value but found T_ARR_END at character 4"),
        ("return cjson.decode('{\"a\" 1}')", "!Expected colon but found T_NUMBER at character 6"),
        ("return cjson.decode('{\"a\":1')", "!Expected comma or object end but found T_END at character 7"),
        ("return cjson.decode('\"abc')", "!Expected value but found unexpected end of string at character 5"),
        ("return cjson.decode('\"a\\\\x\"')", "!Expected value but found invalid escape code at character 3"),
        (
            "return cjson.decode('\"\\\\ud800\"')",
            "!Expected value but found invalid unicode escape code at character 2",
        ),
        ("return cjson.decode('')", "!Expected value but found T_END at character 1"),
        ("return cjson.decode('[1] x')", "!Expected the end but found invalid token at character 5"),
        ("return cjson.decode('{1:2}')", "!Expected object key string but found T_NUMBER at character 2"),
        ("return cjson.decode()", "!bad argument #1 to 'decode' (expected 1 argument)"),
        ("return cjson.decode({})", "!bad argument #1 to 'decode' (string expected, got table)"),
        ("return cjson.encode()", "!bad argument #1 to 'encode' (expected 1 argument)"),
        ("return cjson.encode({[1000] = 1})", "!Cannot serialise table: excessively sparse array"),
        ("cjson.encode_sparse_array(true, 3, 5) return cjson.encode({[1000] = 1})", "{\"1000\":1}"),
        ("cjson.encode_sparse_array(false, 0) return cjson.encode({[3] = 1})", "[null,null,1]"),
        ("return cjson.encode({[1.5] = 1})", "{\"1.5\":1}"),
        ("return cjson.encode({[2^53] = 1})", "{\"9.007199254741e+15\":1}"),
        ("return cjson.encode({[true] = 1})", "!Cannot serialise boolean: table key must be a number or string"),
        ("return cjson.encode(function() end)", "!Cannot serialise function: type not supported"),
        (
            "return cjson.encode_number_precision(17)",
            "!bad argument #1 to 'encode_number_precision' (expected integer between 1 and 14)",
        ),
        ("cjson.encode_number_precision(3) return cjson.encode({1.23456, 123456})", "[1.23,1.23e+05]"),
        ("return cjson.encode({cjson.null, false, 'a\\127b/\"'})", "[null,false,\"a\\u007fb\\/\\\"\"]"),
        (
            "local c = cjson.new() c.encode_max_depth(1) local ok, e = pcall(c.encode, {{1}})
             return {e, cjson.encode({{1}}), type(c.new)}",
            "user_script:1: Cannot serialise, excessive nesting (2) [[1]] function",
        ),
        ("return cjson.encode(cjson.decode('{\"a\":[1,{\"b\":[]}],\"c\":\"x\"}').a)", "[1,{\"b\":{}}]"),
    ] {
        let found = match eval(code) {
            Ok(found) => {
                let parts = found.split("\r\n").filter(|part| !part.is_empty() && !part.starts_with(['$', '*']));
                parts.map(|part| part.trim_start_matches(':')).collect::<Vec<_>>().join(" ")
            }
            Err(error) => format!("!{}", error.trim_start_matches("ERR user_script:1: ")),
        };
        assert_eq!(found, reply, "{code}");
    }
}
