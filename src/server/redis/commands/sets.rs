//! Sets.

use std::collections::BTreeSet;

use crate::server::redis::commands::hashes::choose;
use crate::server::redis::commands::scan;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("sadd", sadd),
    command("scard", scard),
    command("sdiff", |call| answer(call, difference)),
    command("sdiffstore", |call| store(call, "sdiffstore", difference)),
    command("sinter", |call| answer(call, intersection)),
    command("sintercard", sintercard),
    command("sinterstore", |call| store(call, "sinterstore", intersection)),
    command("sismember", sismember),
    command("smembers", smembers),
    command("smismember", smismember),
    command("smove", smove),
    command("spop", spop),
    command("srandmember", srandmember),
    command("srem", srem),
    command("sscan", scan::sscan),
    command("sunion", |call| answer(call, union)),
    command("sunionstore", |call| store(call, "sunionstore", union)),
];

type Members = BTreeSet<Vec<u8>>;

fn sadd(call: &mut Call<'_>) -> Outcome {
    let new = call.kv().unsorted_set(call.word(1)).add_many(call.rest(2))?;
    call.reply.count(new);
    Ok(())
}

fn srem(call: &mut Call<'_>) -> Outcome {
    let removed = call.kv().unsorted_set(call.word(1)).remove_many(call.rest(2))?;
    call.reply.count(removed);
    Ok(())
}

fn scard(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().unsorted_set(call.word(1)).len()?;
    call.reply.count(len);
    Ok(())
}

fn sismember(call: &mut Call<'_>) -> Outcome {
    let found = call.kv().unsorted_set(call.word(1)).contains(call.word(2))?;
    call.reply.flag(found);
    Ok(())
}

fn smismember(call: &mut Call<'_>) -> Outcome {
    let set = call.kv().unsorted_set(call.word(1));
    let members = call.rest(2);
    call.reply.array(members.len());
    for member in members {
        let found = set.contains(member)?;
        call.reply.flag(found);
    }
    Ok(())
}

fn smembers(call: &mut Call<'_>) -> Outcome {
    let members = call.kv().unsorted_set(call.word(1)).members()?;
    write(call, &members);
    Ok(())
}

fn write<M: AsRef<[u8]>>(call: &mut Call<'_>, members: impl IntoIterator<Item = M, IntoIter: ExactSizeIterator>) {
    let members = members.into_iter();
    call.reply.set(members.len());
    members.for_each(|member| call.reply.bulk(member));
}

fn smove(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let (source, target, member) = (kv.unsorted_set(call.word(1)), kv.unsorted_set(call.word(2)), call.word(3));
    if source.is_empty()? {
        call.reply.flag(false);
        return Ok(());
    }
    // Looked at first: a member that cannot be put in must not be taken out.
    target.len()?;
    let moved = source.contains(member)?;
    if moved && call.word(1) != call.word(2) {
        source.remove(member)?;
        target.add(member)?;
    }
    call.reply.flag(moved);
    Ok(())
}

fn spop(call: &mut Call<'_>) -> Outcome {
    let set = call.kv().unsorted_set(call.word(1));
    let len = set.len()?;
    let count = match call.rest(2) {
        [] => None,
        [count] => {
            Some(integer(count).filter(|count| *count >= 0).ok_or("ERR value is out of range, must be positive")?)
        }
        _ => return Err(Refusal::syntax()),
    };
    let mut chosen = set.take_nth(&choose(call, len, count.unwrap_or(1))?)?;
    changes::note(call, chosen.len() as u64);
    match count {
        None => call.reply.bulk_or_nil(chosen.pop()),
        Some(_) => write(call, &chosen),
    }
    Ok(())
}

fn srandmember(call: &mut Call<'_>) -> Outcome {
    let set = call.kv().unsorted_set(call.word(1));
    match call.rest(2) {
        [] => {
            let member = set.pick(|len| call.door.random_below(len))?;
            call.reply.bulk_or_nil(member);
        }
        [count] => {
            let len = set.len()?;
            let count = integer(count).ok_or_else(Refusal::not_an_integer)?;
            let chosen = choose(call, len, count)?;
            call.reply.array(chosen.len());
            // Not all are in memory at once: one member may have been chosen many times.
            for n in chosen {
                call.reply.bulk_or_nil(set.nth(n)?);
                call.reply.check()?;
            }
        }
        _ => return Err(Refusal::syntax()),
    }
    Ok(())
}

fn members(call: &Call<'_>, key: &[u8]) -> Result<Members, Refusal> {
    Ok(call.kv().unsorted_set(key).members()?.into_iter().collect())
}

fn union(call: &Call<'_>, keys: &[&[u8]]) -> Result<Members, Refusal> {
    let mut all = Members::new();
    for key in keys {
        all.extend(members(call, key)?);
    }
    Ok(all)
}

fn difference(call: &Call<'_>, keys: &[&[u8]]) -> Result<Members, Refusal> {
    let Some((first, others)) = keys.split_first() else { return Ok(Members::new()) };
    let mut left = members(call, first)?;
    for key in others {
        let other = call.kv().unsorted_set(key);
        // Also looked at when nothing is left: a key of another kind is refused.
        other.len()?;
        for member in left.clone() {
            if other.contains(&member)? {
                left.remove(&member);
            }
        }
    }
    Ok(left)
}

fn intersection(call: &Call<'_>, keys: &[&[u8]]) -> Result<Members, Refusal> {
    let mut sets = Vec::new();
    for key in keys {
        let set = call.kv().unsorted_set(key);
        sets.push((set.len()?, set));
    }
    // Beginning with the smallest, there is least to look up.
    sets.sort_by_key(|(len, _)| *len);
    let Some(((_, smallest), others)) = sets.split_first() else { return Ok(Members::new()) };
    let mut common = Members::new();
    'members: for member in smallest.members()? {
        for (_, other) in others {
            if !other.contains(&member)? {
                continue 'members;
            }
        }
        common.insert(member);
    }
    Ok(common)
}

type Combine = fn(&Call<'_>, &[&[u8]]) -> Result<Members, Refusal>;

fn answer(call: &mut Call<'_>, combine: Combine) -> Outcome {
    let members = combine(call, call.rest(1))?;
    write(call, &members);
    Ok(())
}

fn store(call: &mut Call<'_>, event: &'static str, combine: Combine) -> Outcome {
    let members = combine(call, call.rest(2))?;
    let count = call.kv().unsorted_set(call.word(1)).replace_as(event, members)?;
    call.reply.count(count);
    Ok(())
}

fn sintercard(call: &mut Call<'_>) -> Outcome {
    if call.integer(1).is_ok_and(|keys| usize::try_from(keys).is_ok_and(|keys| keys > call.rest(2).len())) {
        return Err("ERR Number of keys can't be greater than number of args".into());
    }
    let none = "numkeys should be greater than 0";
    call.integer(1).map_err(|_| format!("ERR {none}"))?;
    let (keys, rest) = numbered_keys(call, 1, none)?;
    let limit = match rest {
        [] => 0,
        [word, limit] if is(word, "limit") => {
            integer(limit).and_then(|limit| u64::try_from(limit).ok()).ok_or("ERR LIMIT can't be negative")?
        }
        _ => return Err(Refusal::syntax()),
    };
    let count = intersection(call, keys)?.len() as u64;
    call.reply.count(if limit == 0 { count } else { count.min(limit) });
    Ok(())
}

type Words<'a> = &'a [&'a [u8]];

/// The keys whose number is the word at a place, and what follows them.
pub(super) fn numbered_keys<'a>(call: &Call<'a>, at: usize, none: &str) -> Result<(Words<'a>, Words<'a>), Refusal> {
    let count = call.integer(at)?;
    let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| format!("ERR {none}"))?;
    let rest = call.rest(at + 1);
    rest.split_at_checked(count).ok_or_else(Refusal::syntax)
}
