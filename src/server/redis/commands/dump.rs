//! Dumps: carrying keys from one server to another.

use crate::clock::Timestamp;
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, integer, is};

const GROUP: &str = "generic";

pub(super) const COMMANDS: &[Command] = &[
    command("dump", 2, Flags::READ, Keys::ONE, GROUP, dump),
    command("migrate", -6, Flags::WRITE, Keys { first: 3, last: 3, step: 1 }, GROUP, migrate),
    command("restore", -4, Flags::WRITE, Keys::ONE, GROUP, restore),
];

fn dump(call: &mut Call<'_>) -> Outcome {
    let dump = call.kv().dump(call.word(1))?;
    call.door.counters.lookup(dump.is_some());
    call.reply.bulk_or_nil(dump);
    Ok(())
}

fn restore(call: &mut Call<'_>) -> Outcome {
    let options = options(call.rest(4))?;
    let busy = || Refusal::from("BUSYKEY Target key name already exists.");
    let (kv, key) = (call.kv(), call.word(1));
    if !options.replace && kv.exists(key)? {
        return Err(busy());
    }
    let deadline = deadline(call, options.is_absolute)?;
    if let Some(name) = options.unsupported {
        return Err(format!("ERR not supported: RESTORE {name}, the store does not keep when a key was used").into());
    }
    if !kv.restore(key, call.word(3), deadline, options.replace)? {
        return Err(busy());
    }
    call.reply.ok();
    Ok(())
}

#[derive(Debug, Default)]
struct Options {
    replace: bool,
    is_absolute: bool,
    /// An option that is known, and has nothing to act on here.
    unsupported: Option<&'static str>,
}

fn options(mut words: &[&[u8]]) -> Result<Options, Refusal> {
    let mut options = Options::default();
    loop {
        words = match words {
            [] => return Ok(options),
            [word, rest @ ..] if is(word, "replace") => {
                options.replace = true;
                rest
            }
            [word, rest @ ..] if is(word, "absttl") => {
                options.is_absolute = true;
                rest
            }
            // One of the two at most, each with a number.
            [word, number, rest @ ..] if is(word, "idletime") && options.unsupported != Some("FREQ") => {
                if integer(number).ok_or_else(Refusal::not_an_integer)? < 0 {
                    return Err("ERR Invalid IDLETIME value, must be >= 0".into());
                }
                options.unsupported = Some("IDLETIME");
                rest
            }
            [word, number, rest @ ..] if is(word, "freq") && options.unsupported != Some("IDLETIME") => {
                if !(0..=255).contains(&integer(number).ok_or_else(Refusal::not_an_integer)?) {
                    return Err("ERR Invalid FREQ value, must be >= 0 and <= 255".into());
                }
                options.unsupported = Some("FREQ");
                rest
            }
            _ => return Err(Refusal::syntax()),
        };
    }
}

/// Until when the key is to last: a time in milliseconds, of which 0 is for ever.
fn deadline(call: &Call<'_>, is_absolute: bool) -> Result<Option<Timestamp>, Refusal> {
    let invalid = || Refusal::from("ERR Invalid TTL value, must be >= 0");
    let time = call.integer(2)?;
    match time {
        ..0 => Err(invalid()),
        0 => Ok(None),
        _ => {
            let now = if is_absolute { 0 } else { call.door.store.now().as_millis() };
            let micros = time.checked_add(now).and_then(|millis| millis.checked_mul(1_000));
            micros.map(Timestamp::from_micros).map(Some).ok_or_else(invalid)
        }
    }
}

fn migrate(_: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: MIGRATE, the store opens no connections; DUMP here and RESTORE there".into())
}
