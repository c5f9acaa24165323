//! Strings and counters.

use crate::kv::{Condition, SetOptions, Until};
use crate::limits;
use crate::server::redis::commands::keys::micros_of;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("append", append),
    command("decr", |call| incr_by(call, Some(-1))),
    command("decrby", decr_by),
    command("get", get),
    command("getdel", get_del),
    command("getex", get_ex),
    command("getrange", get_range),
    command("getset", get_set),
    command("incr", |call| incr_by(call, Some(1))),
    command("incrby", |call| incr_by(call, None)),
    command("incrbyfloat", incr_by_float),
    command("mget", mget),
    command("mset", mset),
    command("msetnx", mset_nx),
    command("psetex", |call| set_ex(call, 1)),
    command("set", set),
    command("setex", |call| set_ex(call, 1_000)),
    command("setnx", set_nx),
    command("setrange", set_range),
    command("strlen", strlen),
    command("substr", get_range),
];

fn get(call: &mut Call<'_>) -> Outcome {
    let (kv, key) = (call.kv(), call.word(1));
    let found = kv.get_with(key, |value| call.reply.bulk(value))?;
    call.door.counters.lookup(found.is_some());
    if found.is_none() {
        call.reply.nil();
    }
    Ok(())
}

fn mget(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let keys = call.rest(1);
    call.reply.array(keys.len());
    for key in keys {
        // A key of another kind has no string.
        let value = match kv.get(key) {
            Err(crate::error::Error::WrongType { .. }) => None,
            found => found?,
        };
        call.door.counters.lookup(value.is_some());
        call.reply.bulk_or_nil(value);
        call.reply.check()?;
    }
    Ok(())
}

fn set(call: &mut Call<'_>) -> Outcome {
    let (mut options, mut until, mut condition, mut previous) = (SetOptions::default(), None, None, false);
    let mut millis = None;
    let mut at = 3;
    while at < call.words.len() {
        let word = call.word(at);
        if is(word, "nx") || is(word, "xx") {
            let wanted = if is(word, "nx") { Condition::Absent } else { Condition::Present };
            if condition.replace(wanted).is_some_and(|before| before != wanted) {
                return Err(Refusal::syntax());
            }
        } else if is(word, "get") {
            previous = true;
        } else if is(word, "keepttl") {
            set_once(&mut until, Until::AsBefore)?;
        } else if let Some(unit) = unit(word) {
            at += 1;
            let deadline = *millis.insert(deadline(call, at, unit, "set")?);
            set_once(&mut until, Until::At(micros_of(deadline)))?;
        } else {
            return Err(Refusal::syntax());
        }
        at += 1;
    }
    if let Some(condition) = condition {
        options = options.on(condition);
    }
    if previous {
        options = options.previous();
    }
    let kv = call.kv();
    let outcome = kv.set_with(call.word(1), call.word(2), &options.until(until.unwrap_or_default()))?;
    if let Some(millis) = millis.filter(|_| outcome.written) {
        kv.keep_far_deadline(call.word(1), millis)?;
    }
    changes::note(call, 1);
    if previous {
        call.reply.bulk_or_nil(outcome.previous);
    } else if outcome.written {
        call.reply.ok();
    } else {
        call.reply.nil();
    }
    Ok(())
}

fn set_once(until: &mut Option<Until>, new: Until) -> Outcome {
    if until.replace(new).is_some() { Err(Refusal::syntax()) } else { Ok(()) }
}

/// How an option gives a deadline: in which unit, and from when.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    /// Milliseconds in one.
    millis: i64,
    is_absolute: bool,
}

/// The unit of `EX`, `PX`, `EXAT` or `PXAT`.
fn unit(word: &[u8]) -> Option<Unit> {
    let units = [("ex", 1_000, false), ("px", 1, false), ("exat", 1_000, true), ("pxat", 1, true)];
    let (_, millis, is_absolute) = units.into_iter().find(|(name, ..)| is(word, name))?;
    Some(Unit { millis, is_absolute })
}

/// The deadline in milliseconds that the word at a place gives, which has to be a time after the epoch and no overflow.
fn deadline(call: &Call<'_>, at: usize, unit: Unit, name: &str) -> Result<i64, Refusal> {
    if at >= call.words.len() {
        return Err(Refusal::syntax());
    }
    let time = integer(call.word(at)).ok_or_else(Refusal::not_an_integer)?;
    let invalid = || Refusal::Text(format!("ERR invalid expire time in '{name}' command"));
    let millis = time.checked_mul(unit.millis).filter(|_| time > 0).ok_or_else(invalid)?;
    let now = if unit.is_absolute { 0 } else { call.door.store.now().as_millis() };
    millis.checked_add(now).ok_or_else(invalid)
}

fn set_ex(call: &mut Call<'_>, millis: i64) -> Outcome {
    let name = if millis == 1 { "psetex" } else { "setex" };
    let deadline = deadline(call, 2, Unit { millis, is_absolute: false }, name)?;
    let (kv, until) = (call.kv(), Until::At(micros_of(deadline)));
    kv.set_with(call.word(1), call.word(3), &SetOptions::default().until(until))?;
    kv.keep_far_deadline(call.word(1), deadline)?;
    changes::note(call, 1);
    call.reply.ok();
    Ok(())
}

fn set_nx(call: &mut Call<'_>) -> Outcome {
    let options = SetOptions::default().on(Condition::Absent);
    let outcome = call.kv().set_with(call.word(1), call.word(2), &options)?;
    call.reply.flag(outcome.written);
    Ok(())
}

fn get_set(call: &mut Call<'_>) -> Outcome {
    let outcome = call.kv().set_with(call.word(1), call.word(2), &SetOptions::default().previous())?;
    call.reply.bulk_or_nil(outcome.previous);
    Ok(())
}

fn get_del(call: &mut Call<'_>) -> Outcome {
    let value = call.kv().get_and_remove(call.word(1))?;
    call.door.counters.lookup(value.is_some());
    call.reply.bulk_or_nil(value);
    Ok(())
}

fn get_ex(call: &mut Call<'_>) -> Outcome {
    let mut millis = None;
    let until = match call.rest(2) {
        [] => Until::AsBefore,
        [word] if is(word, "persist") => Until::Removed,
        [word, _] => match unit(word) {
            Some(unit) => Until::At(micros_of(*millis.insert(deadline(call, 3, unit, "getex")?))),
            None => return Err(Refusal::syntax()),
        },
        _ => return Err(Refusal::syntax()),
    };
    let kv = call.kv();
    let value = kv.get_and_expire(call.word(1), until)?;
    if let Some(millis) = millis.filter(|_| value.is_some()) {
        kv.keep_far_deadline(call.word(1), millis)?;
    }
    changes::note(call, 1);
    call.door.counters.lookup(value.is_some());
    call.reply.bulk_or_nil(value);
    Ok(())
}

fn mset(call: &mut Call<'_>) -> Outcome {
    let pairs = pairs(call, "mset")?;
    call.kv().set_all(&pairs)?;
    changes::note(call, pairs.len() as u64);
    call.reply.ok();
    Ok(())
}

fn mset_nx(call: &mut Call<'_>) -> Outcome {
    let pairs = pairs(call, "msetnx")?;
    let written = call.kv().set_all_if_absent(&pairs)?;
    changes::note(call, pairs.len() as u64);
    call.reply.flag(written);
    Ok(())
}

type Pair<'a> = (&'a [u8], &'a [u8]);

fn pairs<'a>(call: &Call<'a>, name: &str) -> Result<Vec<Pair<'a>>, Refusal> {
    let (pairs, rest) = call.rest(1).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(format!("ERR wrong number of arguments for '{name}' command").into());
    }
    Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
}

fn append(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().append(call.word(1), call.word(2))?;
    call.reply.count(len);
    Ok(())
}

fn strlen(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().value_len(call.word(1))?;
    call.reply.count(len);
    Ok(())
}

fn get_range(call: &mut Call<'_>) -> Outcome {
    let part = call.kv().get_range(call.word(1), call.integer(2)?, call.integer(3)?)?;
    call.reply.bulk(part);
    Ok(())
}

fn set_range(call: &mut Call<'_>) -> Outcome {
    let offset = call.integer(2)?;
    let offset = usize::try_from(offset).map_err(|_| Refusal::from("ERR offset is out of range"))?;
    if offset > limits::STRING_BYTES_MAX {
        return Err("ERR string exceeds maximum allowed size (proto-max-bulk-len)".into());
    }
    let len = call.kv().set_range(call.word(1), offset, call.word(3))?;
    call.reply.count(len);
    Ok(())
}

fn incr_by(call: &mut Call<'_>, by: Option<i64>) -> Outcome {
    let by = by.map_or_else(|| call.integer(2), Ok)?;
    let sum = call.kv().increment(call.word(1), by)?;
    call.reply.integer(sum);
    Ok(())
}

fn decr_by(call: &mut Call<'_>) -> Outcome {
    let by = call.integer(2)?.checked_neg().ok_or_else(|| Refusal::from("ERR decrement would overflow"))?;
    incr_by(call, Some(by))
}

fn incr_by_float(call: &mut Call<'_>) -> Outcome {
    let by = call.float(2)?;
    let sum = call.kv().increment_float(call.word(1), by)?;
    call.reply.bulk(sum);
    Ok(())
}
