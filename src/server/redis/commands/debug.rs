//! `DEBUG`: what the tests of clients ask of a server.

use std::time::Duration;

use crate::kv::Kind;
use crate::limits;
use crate::server::redis::commands::keys::encoding;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, unknown_option, write_help};

pub(super) const COMMANDS: &[Handler] = &[command("debug", debug)];

/// Keys that `POPULATE` makes at once.
const POPULATED_KEYS_MAX: i64 = 1_000_000;

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ERROR <text>",
    "    This error.",
    "HELP",
    "    This text.",
    "LOG <text>",
    "    Writes a line to the log.",
    "OBJECT <key>",
    "    How a value is kept.",
    "POPULATE <count> [<prefix> [<bytes>]]",
    "    Makes strings.",
    "PROTOCOL <type>",
    "    A reply of this type.",
    "QUICKLIST-PACKED-THRESHOLD <bytes>, REPLYBUFFER <option> <value>, SET-ACTIVE-EXPIRE <0|1>,",
    "SET-DISABLE-DENY-SCRIPTS <0|1>, STRINGMATCH-LEN <bytes> <pattern>",
    "    Accepted: there is nothing here that they would change.",
    "RELOAD, LOADAOF",
    "    Makes a checkpoint.",
    "SLEEP <seconds>",
    "    Lets all clients wait.",
];

fn debug(call: &mut Call<'_>) -> Outcome {
    if !call.door.parameters.allows_debug() {
        return Err(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
                    from a local connection, otherwise you need to set this option in the configuration file, and then \
                    restart the server."
                .into(),
        );
    }
    let name = call.word(1).to_ascii_lowercase();
    match (&*name, call.rest(2)) {
        (b"error", [text]) => return Err(Refusal::Text(String::from_utf8_lossy(text).into_owned())),
        (b"help", []) => {
            write_help(call, HELP);
            return Ok(());
        }
        (b"log", [text]) => tracing::info!(text = %String::from_utf8_lossy(text), "a client has something to say"),
        (b"object", [key]) => return object(call, key),
        (b"populate", [_] | [_, _] | [_, _, _]) => populate(call)?,
        (b"protocol", [kind]) => return protocol(call, kind),
        (b"quicklist-packed-threshold", [bytes]) => {
            let is_size = bytes.first().is_some_and(u8::is_ascii_digit) && !bytes.ends_with(b"x");
            is_size.then_some(()).ok_or("ERR argument must be a memory value bigger than 1 and smaller than 4gb")?;
        }
        (b"reload", _) | (b"loadaof", []) => call.door.saves.save(&call.door.store)?,
        // What has expired is never seen, and no tables exist that could be packed or resized.
        (b"dict-resizing" | b"set-active-expire" | b"set-disable-deny-scripts", [_])
        | (b"replybuffer" | b"stringmatch-len", [_, _]) => {}
        (b"sleep", [_]) => sleep(call)?,
        // What becomes of a command that panics is to be tested.
        #[cfg(any(test, feature = "testing"))]
        (b"panic", []) => panic!("as a client asked"),
        (
            b"aof-flush-sleep"
            | b"assert"
            | b"change-repl-id"
            | b"config-rewrite-force-all"
            | b"digest"
            | b"digest-value"
            | b"htstats"
            | b"htstats-key"
            | b"jmap"
            | b"leak"
            | b"listpack"
            | b"mallctl"
            | b"mallctl-str"
            | b"oom"
            | b"panic"
            | b"pause-cron"
            | b"quicklist"
            | b"restart"
            | b"crash-and-recover"
            | b"sdslen"
            | b"segfault"
            | b"structsize",
            _,
        ) => {
            return Err(format!("ERR not supported: DEBUG {}", String::from_utf8_lossy(&name).to_uppercase()).into());
        }
        _ => return Err(unknown_option(call)),
    }
    call.reply.ok();
    Ok(())
}

fn sleep(call: &Call<'_>) -> Outcome {
    let seconds = float(call.word(2)).unwrap_or(0.0).max(0.0);
    let pause = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    std::thread::sleep(pause.min(Duration::from_mins(1)));
    Ok(())
}

fn object(call: &mut Call<'_>, key: &[u8]) -> Outcome {
    let kv = call.kv();
    let Some(kind) = kv.kind(key)? else { return Err("ERR no such key".into()) };
    let encoding = encoding(&call.door.parameters, &kv, kind, key)?;
    let (bytes, idle) = (kv.bytes_of(key)?.unwrap_or(0), kv.idle_seconds(key)?.unwrap_or(0));
    let clock = call.door.store.now().as_seconds() & 0x00ff_ffff;
    let mut text = format!(
        "Value at:0x0 refcount:1 encoding:{encoding} serializedlength:{bytes} lru:{clock} lru_seconds_idle:{idle}"
    );
    if kind == Kind::List && encoding == "quicklist" {
        text.push_str(" ql_nodes:1");
    }
    call.reply.simple(&text);
    Ok(())
}

/// Makes keys that are not there yet.
fn populate(call: &Call<'_>) -> Outcome {
    let count = call.integer(2)?;
    if !(0..=POPULATED_KEYS_MAX).contains(&count) {
        return Err("ERR value is out of range".into());
    }
    let prefix = call.rest(3).first().copied().unwrap_or(b"key");
    let bytes = match call.rest(4) {
        [] => None,
        _ => Some(usize::try_from(call.integer(4)?).unwrap_or(0).min(limits::STRING_BYTES_MAX)),
    };
    let kv = call.kv();
    for n in 0..count {
        let key = [prefix, b":", n.to_string().as_bytes()].concat();
        if kv.exists(&key)? {
            continue;
        }
        let mut value = format!("value:{n}").into_bytes();
        if let Some(bytes) = bytes {
            value.resize(bytes, 0);
        }
        kv.set(&key, value)?;
    }
    Ok(())
}

fn protocol(call: &mut Call<'_>, kind: &[u8]) -> Outcome {
    let reply = &mut *call.reply;
    match &*kind.to_ascii_lowercase() {
        b"string" => reply.bulk("Hello World"),
        b"integer" => reply.integer(12_345),
        b"double" => reply.decimal("3.141"),
        b"null" => reply.nil(),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"map" => {
            reply.map(3);
            for n in 0..3 {
                reply.integer(n);
                reply.boolean(n == 1);
            }
        }
        b"attrib" => {
            if reply.attribute(1) {
                reply.bulk("key-popularity");
                reply.array(2);
                reply.bulk("key:123");
                reply.integer(90);
            }
            reply.bulk("Some real reply following the attribute");
        }
        b"push" => {
            if reply.protocol == Protocol::Resp2 {
                return Err("ERR RESP2 is not supported by this command".into());
            }
            reply.push(2);
            reply.bulk("server-cpu-usage");
            reply.integer(42);
            reply.bulk("Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim("This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => {
            return Err("ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|\
                        null|array|set|map|attrib|push|verbatim|true|false"
                .into());
        }
    }
    Ok(())
}
