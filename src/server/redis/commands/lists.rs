//! Lists.

use crate::engine::Direction;
use crate::kv::{End, Kind};
use crate::server::redis::commands::keys::{direction, end};
use crate::server::redis::commands::waiting;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("blmove", blmove),
    command("blmpop", |call| mpop(call, true)),
    command("blpop", |call| pop_or_wait(call, End::Front)),
    command("brpop", |call| pop_or_wait(call, End::Back)),
    command("brpoplpush", brpoplpush),
    command("lindex", lindex),
    command("linsert", linsert),
    command("llen", llen),
    command("lmove", lmove),
    command("lmpop", |call| mpop(call, false)),
    command("lpop", |call| pop(call, End::Front)),
    command("lpos", lpos),
    command("lpush", |call| push(call, End::Front, false)),
    command("lpushx", |call| push(call, End::Front, true)),
    command("lrange", lrange),
    command("lrem", lrem),
    command("lset", lset),
    command("ltrim", ltrim),
    command("rpop", |call| pop(call, End::Back)),
    command("rpoplpush", rpoplpush),
    command("rpush", |call| push(call, End::Back, false)),
    command("rpushx", |call| push(call, End::Back, true)),
];

fn push(call: &mut Call<'_>, end: End, if_present: bool) -> Outcome {
    let list = call.kv().list(call.word(1));
    let values = call.rest(2);
    let len = if if_present { list.push_if_present(end, values)? } else { list.push(end, values)? };
    changes::note(call, values.len() as u64);
    call.reply.count(len);
    Ok(())
}

fn pop(call: &mut Call<'_>, end: End) -> Outcome {
    let list = call.kv().list(call.word(1));
    let count = match call.rest(2) {
        [] => {
            let value = list.pop(end)?;
            call.reply.bulk_or_nil(value);
            return Ok(());
        }
        [count] => integer(count).and_then(|count| u64::try_from(count).ok()),
        _ => return Err(format!("ERR wrong number of arguments for '{}' command", name(call)).into()),
    };
    let count = count.ok_or("ERR value is out of range, must be positive")?;
    if list.is_empty()? {
        call.reply.nil_array();
        return Ok(());
    }
    let values = list.pop_many(end, count)?;
    changes::note(call, values.len() as u64);
    call.reply.bulks(values);
    Ok(())
}

/// `BLPOP` and `BRPOP`.
fn pop_or_wait(call: &mut Call<'_>, end: End) -> Outcome {
    let (keys, timeout) = waiting::keys_and_timeout(call)?;
    for key in keys {
        if let Some(value) = call.kv().list(key).pop(end)? {
            call.reply.bulks([*key, &*value]);
            return Ok(());
        }
    }
    call.reply.nil_array();
    waiting::wait(call, Kind::List, 1, keys.len(), timeout);
    Ok(())
}

/// `LMPOP`, and `BLMPOP`, which has a timeout before the rest.
fn mpop(call: &mut Call<'_>, is_waiting: bool) -> Outcome {
    let timeout = if is_waiting { waiting::timeout(call.word(1))? } else { None };
    let pop = waiting::MultiplePop::parse(call, if is_waiting { 2 } else { 1 })?;
    let end = end(pop.side)?;
    for key in pop.keys {
        let values = call.kv().list(key).pop_many(end, pop.count)?;
        if !values.is_empty() {
            call.reply.array(2);
            call.reply.bulk(key);
            call.reply.bulks(values);
            return Ok(());
        }
    }
    call.reply.nil_array();
    if is_waiting {
        waiting::wait_numbered(call, Kind::List, 3, pop.keys.len(), timeout);
    }
    Ok(())
}

fn name(call: &Call<'_>) -> String {
    String::from_utf8_lossy(call.word(0)).to_lowercase()
}

fn llen(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().list(call.word(1)).len()?;
    call.reply.count(len);
    Ok(())
}

fn lindex(call: &mut Call<'_>) -> Outcome {
    let list = call.kv().list(call.word(1));
    // Redis looks at the index only when there is a list.
    let value = if list.is_empty()? { None } else { list.get(call.integer(2)?)? };
    call.reply.bulk_or_nil(value);
    Ok(())
}

/// Values that are read at once, so that those of a long range are not all in memory beside their reply.
const READ_AT_ONCE: i64 = 128;

fn lrange(call: &mut Call<'_>) -> Outcome {
    let list = call.kv().list(call.word(1));
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let len = i64::try_from(list.len()?).unwrap_or(i64::MAX);
    let from_front = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let (mut at, end) = (from_front(start).max(0), from_front(stop).min(len - 1).saturating_add(1));
    call.reply.array(usize::try_from(end.saturating_sub(at)).unwrap_or(0));
    while at < end {
        let next = end.min(at + READ_AT_ONCE);
        list.range(at, next - 1)?.iter().for_each(|value| call.reply.bulk(value));
        call.reply.check()?;
        at = next;
    }
    Ok(())
}

fn lset(call: &mut Call<'_>) -> Outcome {
    let list = call.kv().list(call.word(1));
    let index = call.integer(2)?;
    if list.is_empty()? {
        return Err("ERR no such key".into());
    }
    if !list.set(index, call.word(3))? {
        return Err("ERR index out of range".into());
    }
    call.reply.ok();
    Ok(())
}

fn ltrim(call: &mut Call<'_>) -> Outcome {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let removed = call.kv().list(call.word(1)).cut(start, end)?;
    changes::note(call, removed);
    call.reply.ok();
    Ok(())
}

fn lrem(call: &mut Call<'_>) -> Outcome {
    let count = call.integer(2)?;
    let limit = if count == 0 { u64::MAX } else { count.unsigned_abs() };
    let removed = call.kv().list(call.word(1)).remove(call.word(3), direction(count < 0), limit)?;
    call.reply.count(removed);
    Ok(())
}

fn linsert(call: &mut Call<'_>) -> Outcome {
    let side = match call.word(2) {
        word if is(word, "before") => End::Front,
        word if is(word, "after") => End::Back,
        _ => return Err(Refusal::syntax()),
    };
    let list = call.kv().list(call.word(1));
    let len = match list.insert(side, call.word(3), call.word(4))? {
        Some(len) => i64::try_from(len).unwrap_or(i64::MAX),
        None if list.is_empty()? => 0,
        None => -1,
    };
    call.reply.integer(len);
    Ok(())
}

fn lpos(call: &mut Call<'_>) -> Outcome {
    let (mut rank, mut count, mut compared) = (1, None, 0);
    let (pairs, rest) = call.rest(3).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    for [option, value] in pairs {
        let number = integer(value).ok_or_else(Refusal::not_an_integer)?;
        if is(option, "rank") {
            if number == 0 {
                return Err(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                            negative to start from the end of the list"
                        .into(),
                );
            }
            // Its negative has to be a number too.
            if number == i64::MIN {
                return Err(Refusal::without_negative());
            }
            rank = number;
        } else if is(option, "count") {
            count = Some(u64::try_from(number).map_err(|_| Refusal::from("ERR COUNT can't be negative"))?);
        } else if is(option, "maxlen") {
            compared = u64::try_from(number).map_err(|_| Refusal::from("ERR MAXLEN can't be negative"))?;
        } else {
            return Err(Refusal::syntax());
        }
    }
    let unlimited = |number: u64| if number == 0 { u64::MAX } else { number };
    let limit = count.map_or(1, unlimited);
    let list = call.kv().list(call.word(1));
    let way = if rank < 0 { Direction::Backward } else { Direction::Forward };
    let found = list.positions(call.word(2), way, rank.unsigned_abs() - 1, limit, unlimited(compared))?;
    if count.is_some() {
        call.reply.array(found.len());
        for place in found {
            call.reply.count(place);
        }
    } else if let Some(place) = found.first() {
        call.reply.count(*place);
    } else {
        call.reply.nil();
    }
    Ok(())
}

fn lmove(call: &mut Call<'_>) -> Outcome {
    let value = transfer(call, end(call.word(3))?, end(call.word(4))?)?;
    call.reply.bulk_or_nil(value);
    Ok(())
}

fn rpoplpush(call: &mut Call<'_>) -> Outcome {
    let value = transfer(call, End::Back, End::Front)?;
    call.reply.bulk_or_nil(value);
    Ok(())
}

fn blmove(call: &mut Call<'_>) -> Outcome {
    let (from, to) = (end(call.word(3))?, end(call.word(4))?);
    transfer_or_wait(call, from, to, 5)
}

fn brpoplpush(call: &mut Call<'_>) -> Outcome {
    transfer_or_wait(call, End::Back, End::Front, 3)
}

/// Moves a value, or waits for one as long as the word at a place says.
fn transfer_or_wait(call: &mut Call<'_>, from: End, to: End, at: usize) -> Outcome {
    let timeout = waiting::timeout(call.word(at))?;
    let value = transfer(call, from, to)?;
    let is_waiting = value.is_none();
    call.reply.bulk_or_nil(value);
    if is_waiting {
        waiting::wait(call, Kind::List, 1, 1, timeout);
    }
    Ok(())
}

fn transfer(call: &Call<'_>, from: End, to: End) -> Result<Option<Vec<u8>>, Refusal> {
    let kv = call.kv();
    let (source, target) = (kv.list(call.word(1)), kv.list(call.word(2)));
    let edge = if from == End::Front { 0 } else { -1 };
    let Some(value) = source.get(edge)? else { return Ok(None) };
    // Put in first, as in Redis: a value that cannot be must not be taken out, and a list of one value keeps its deadline.
    target.push(to, [&value])?;
    source.pop(from)?;
    changes::note(call, 1);
    Ok(Some(value))
}
