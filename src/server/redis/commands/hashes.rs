//! Hashes.

use crate::server::redis::commands::scan;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("hdel", hdel),
    command("hexists", hexists),
    command("hget", hget),
    command("hgetall", hgetall),
    command("hincrby", hincrby),
    command("hincrbyfloat", hincrbyfloat),
    command("hkeys", hkeys),
    command("hlen", hlen),
    command("hmget", hmget),
    command("hmset", |call| hset(call, "hmset")),
    command("hrandfield", hrandfield),
    command("hscan", scan::hscan),
    command("hset", |call| hset(call, "hset")),
    command("hsetnx", hsetnx),
    command("hstrlen", hstrlen),
    command("hvals", hvals),
];

fn hset(call: &mut Call<'_>, name: &str) -> Outcome {
    let (pairs, rest) = call.rest(2).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(format!("ERR wrong number of arguments for '{name}' command").into());
    }
    let new = call.kv().hash(call.word(1)).set_many(pairs.iter().map(|[field, value]| (field, value)))?;
    changes::note(call, pairs.len() as u64);
    if name == "hset" {
        call.reply.count(new);
    } else {
        call.reply.ok();
    }
    Ok(())
}

fn hsetnx(call: &mut Call<'_>) -> Outcome {
    let written = call.kv().hash(call.word(1)).set_if_absent(call.word(2), call.word(3))?;
    call.reply.flag(written);
    Ok(())
}

fn hget(call: &mut Call<'_>) -> Outcome {
    let value = call.kv().hash(call.word(1)).get(call.word(2))?;
    call.door.counters.lookup(value.is_some());
    call.reply.bulk_or_nil(value);
    Ok(())
}

fn hmget(call: &mut Call<'_>) -> Outcome {
    let hash = call.kv().hash(call.word(1));
    let fields = call.rest(2);
    call.reply.array(fields.len());
    for field in fields {
        let value = hash.get(field)?;
        call.reply.bulk_or_nil(value);
        call.reply.check()?;
    }
    Ok(())
}

fn hgetall(call: &mut Call<'_>) -> Outcome {
    let entries = call.kv().hash(call.word(1)).entries()?;
    call.reply.map(entries.len());
    for (field, value) in entries {
        call.reply.bulk(field);
        call.reply.bulk(value);
    }
    Ok(())
}

fn hkeys(call: &mut Call<'_>) -> Outcome {
    let entries = call.kv().hash(call.word(1)).entries()?;
    call.reply.bulks(entries.iter().map(|(field, _)| field));
    Ok(())
}

fn hvals(call: &mut Call<'_>) -> Outcome {
    let entries = call.kv().hash(call.word(1)).entries()?;
    call.reply.bulks(entries.iter().map(|(_, value)| value));
    Ok(())
}

fn hlen(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().hash(call.word(1)).len()?;
    call.reply.count(len);
    Ok(())
}

fn hexists(call: &mut Call<'_>) -> Outcome {
    let found = call.kv().hash(call.word(1)).contains(call.word(2))?;
    call.reply.flag(found);
    Ok(())
}

fn hstrlen(call: &mut Call<'_>) -> Outcome {
    let value = call.kv().hash(call.word(1)).get(call.word(2))?;
    call.reply.count(value.map_or(0, |value| value.len() as u64));
    Ok(())
}

fn hdel(call: &mut Call<'_>) -> Outcome {
    let removed = call.kv().hash(call.word(1)).remove_many(call.rest(2))?;
    call.reply.count(removed);
    Ok(())
}

fn hincrby(call: &mut Call<'_>) -> Outcome {
    let sum = call.kv().hash(call.word(1)).increment(call.word(2), call.integer(3)?)?;
    call.reply.integer(sum);
    Ok(())
}

fn hincrbyfloat(call: &mut Call<'_>) -> Outcome {
    let by = call.float(3)?;
    if !by.is_finite() {
        return Err("ERR value is NaN or Infinity".into());
    }
    let sum = call.kv().hash(call.word(1)).increment_float(call.word(2), by)?;
    call.reply.bulk(sum);
    Ok(())
}

fn hrandfield(call: &mut Call<'_>) -> Outcome {
    let hash = call.kv().hash(call.word(1));
    let len = hash.len()?;
    if call.words.len() == 2 {
        let field = hash.nth(call.door.random_below(len))?.map(|(field, _)| field);
        call.reply.bulk_or_nil(field);
        return Ok(());
    }
    let with_values = match call.rest(3) {
        [] => false,
        [word] if is(word, "withvalues") => true,
        _ => return Err(Refusal::syntax()),
    };
    let chosen = choose(call, len, call.integer(2)?)?;
    let is_nested = with_values && call.reply.protocol == crate::server::redis::frame::reply::Protocol::Resp3;
    call.reply.array(if with_values && !is_nested { chosen.len() * 2 } else { chosen.len() });
    // Not all are in memory at once: one field may have been chosen many times.
    for n in chosen {
        let Some((field, value)) = hash.nth(n)? else { continue };
        if is_nested {
            call.reply.array(2);
        }
        call.reply.bulk(field);
        if with_values {
            call.reply.bulk(value);
        }
        call.reply.check()?;
    }
    Ok(())
}

/// Random places among `len`: that many different ones for a positive count, as many as asked for, and perhaps the
/// same, for a negative one.
pub(super) fn choose(call: &Call<'_>, len: u64, count: i64) -> Result<Vec<u64>, Refusal> {
    /// More is not answered at once.
    const CHOICES_MAX: u64 = 1 << 20;
    if count == i64::MIN {
        return Err(Refusal::without_negative());
    }
    if len == 0 {
        return Ok(Vec::new());
    }
    if count < 0 {
        let count = count.unsigned_abs();
        if count > CHOICES_MAX {
            return Err("ERR value is out of range".into());
        }
        return Ok((0..count).map(|_| call.door.random_below(len)).collect());
    }
    let count = count.unsigned_abs();
    if count >= len {
        return Ok((0..len).collect());
    }
    // Robert Floyd's way: each subset is equally likely, with one draw for each of its members.
    let mut chosen = std::collections::BTreeSet::new();
    for last in len - count..len {
        let place = call.door.random_below(last + 1);
        if !chosen.insert(place) {
            chosen.insert(last);
        }
    }
    Ok(chosen.into_iter().collect())
}
