//! Dumps: carrying keys from one server to another.

use crate::server::redis::commands::keys::micros_of;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};

pub(super) const COMMANDS: &[Handler] =
    &[command("dump", dump), command("migrate", migrate), command("restore", restore)];

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
    let at = deadline.map(micros_of);
    if options.replace {
        kv.restore(key, call.word(3), at)?;
    } else if !kv.restore_if_absent(key, call.word(3), at)? {
        return Err(busy());
    }
    if let Some(millis) = deadline {
        kv.keep_far_deadline(key, millis)?;
    }
    match options.used {
        Some(Used::Idle(seconds)) => kv.set_idle_seconds(key, seconds)?,
        Some(Used::Frequency(frequency)) => kv.set_use_frequency(key, frequency)?,
        None => {}
    }
    call.reply.ok();
    Ok(())
}

#[derive(Debug, Default)]
struct Options {
    replace: bool,
    is_absolute: bool,
    used: Option<Used>,
}

/// How the key was used where it comes from.
#[derive(Debug)]
enum Used {
    /// Seconds since the last time.
    Idle(u64),
    Frequency(u8),
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
            [word, number, rest @ ..] if is(word, "idletime") && !matches!(options.used, Some(Used::Frequency(_))) => {
                let seconds = u64::try_from(integer(number).ok_or_else(Refusal::not_an_integer)?);
                options.used = Some(Used::Idle(seconds.map_err(|_| "ERR Invalid IDLETIME value, must be >= 0")?));
                rest
            }
            [word, number, rest @ ..] if is(word, "freq") && !matches!(options.used, Some(Used::Idle(_))) => {
                let frequency = u8::try_from(integer(number).ok_or_else(Refusal::not_an_integer)?);
                let invalid = "ERR Invalid FREQ value, must be >= 0 and <= 255";
                options.used = Some(Used::Frequency(frequency.map_err(|_| invalid)?));
                rest
            }
            _ => return Err(Refusal::syntax()),
        };
    }
}

/// Until when the key is to last: a time in milliseconds, of which 0 is for ever.
fn deadline(call: &Call<'_>, is_absolute: bool) -> Result<Option<i64>, Refusal> {
    let invalid = || Refusal::from("ERR Invalid TTL value, must be >= 0");
    let time = call.integer(2)?;
    match time {
        ..0 => Err(invalid()),
        0 => Ok(None),
        _ => {
            let now = if is_absolute { 0 } else { call.door.store.now().as_millis() };
            time.checked_add(now).map(Some).ok_or_else(invalid)
        }
    }
}

fn migrate(_: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: MIGRATE, the store opens no connections; DUMP here and RESTORE there".into())
}
