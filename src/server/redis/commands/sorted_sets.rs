//! Sorted sets: members and scores. Ranges and combinations have files of their own.

use crate::engine::Direction;
use crate::kv::{AddOptions, Condition, End, Kind, ScoreChange, SortedSet};
use crate::server::redis::commands::hashes::choose;
use crate::server::redis::commands::{scan, waiting};
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, integer, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("bzmpop", |call| mpop(call, true)),
    command("bzpopmax", |call| pop_or_wait(call, End::Back)),
    command("bzpopmin", |call| pop_or_wait(call, End::Front)),
    command("zadd", zadd),
    command("zcard", zcard),
    command("zincrby", zincrby),
    command("zmpop", |call| mpop(call, false)),
    command("zmscore", zmscore),
    command("zpopmax", |call| pop(call, End::Back)),
    command("zpopmin", |call| pop(call, End::Front)),
    command("zrandmember", zrandmember),
    command("zrank", |call| rank(call, Direction::Forward)),
    command("zrem", zrem),
    command("zrevrank", |call| rank(call, Direction::Backward)),
    command("zscan", scan::zscan),
    command("zscore", zscore),
];

pub(super) type Entries = Vec<(Vec<u8>, f64)>;

fn set<'a>(call: &Call<'a>) -> SortedSet<InTransaction<'a>> {
    call.kv().sorted_set(call.word(1))
}

/// What `ZADD` may do to a member.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the command's")]
struct AddFlags {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

impl AddFlags {
    /// Takes the flags from the words from a place on, and returns where they end.
    fn take(&mut self, call: &Call<'_>, mut at: usize) -> usize {
        loop {
            let names = [
                ("nx", &mut self.nx),
                ("xx", &mut self.xx),
                ("gt", &mut self.gt),
                ("lt", &mut self.lt),
                ("ch", &mut self.ch),
                ("incr", &mut self.incr),
            ];
            let Some((_, flag)) = names.into_iter().find(|(name, _)| is(call.word(at), name)) else { return at };
            *flag = true;
            at += 1;
        }
    }

    /// Refuses flags that exclude each other.
    fn options(&self) -> Result<AddOptions, Refusal> {
        if self.nx && self.xx {
            return Err("ERR XX and NX options at the same time are not compatible".into());
        }
        if (self.gt && self.lt) || (self.nx && (self.gt || self.lt)) {
            return Err("ERR GT, LT, and/or NX options at the same time are not compatible".into());
        }
        let options = match (self.nx, self.xx) {
            (true, _) => AddOptions::default().on(Condition::Absent),
            (_, true) => AddOptions::default().on(Condition::Present),
            _ => AddOptions::default(),
        };
        Ok(match (self.gt, self.lt) {
            (true, _) => options.only(ScoreChange::Greater),
            (_, true) => options.only(ScoreChange::Less),
            _ => options,
        })
    }
}

fn zadd(call: &mut Call<'_>) -> Outcome {
    let mut flags = AddFlags::default();
    let at = flags.take(call, 2);
    let (pairs, rest) = call.rest(at).as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    let options = flags.options()?;
    if flags.incr && pairs.len() > 1 {
        return Err("ERR INCR option supports a single increment-element pair".into());
    }
    let mut entries = Vec::with_capacity(pairs.len());
    for [score, member] in pairs {
        entries.push((*member, float(score).ok_or("ERR value is not a valid float")?));
    }
    if flags.incr {
        let [(member, by)] = entries[..] else { return Err(Refusal::syntax()) };
        let score = set(call).increment_if(member, by, options)?;
        write_score(call, score);
        return Ok(());
    }
    let done = set(call).add_many(entries, options)?;
    changes::note(call, done.total());
    call.reply.count(if flags.ch { done.total() } else { done.added });
    Ok(())
}

fn zincrby(call: &mut Call<'_>) -> Outcome {
    let score = set(call).increment(call.word(3), call.float(2)?)?;
    call.reply.double(score);
    Ok(())
}

fn zrem(call: &mut Call<'_>) -> Outcome {
    let removed = set(call).remove_many(call.rest(2))?;
    call.reply.count(removed);
    Ok(())
}

fn zcard(call: &mut Call<'_>) -> Outcome {
    let len = set(call).len()?;
    call.reply.count(len);
    Ok(())
}

fn zscore(call: &mut Call<'_>) -> Outcome {
    let score = set(call).score(call.word(2))?;
    write_score(call, score);
    Ok(())
}

fn zmscore(call: &mut Call<'_>) -> Outcome {
    let scores = set(call).scores(call.rest(2))?;
    call.reply.array(scores.len());
    for score in scores {
        write_score(call, score);
    }
    Ok(())
}

fn write_score(call: &mut Call<'_>, score: Option<f64>) {
    match score {
        Some(score) => call.reply.double(score),
        None => call.reply.nil(),
    }
}

fn rank(call: &mut Call<'_>, direction: Direction) -> Outcome {
    let with_score = match call.rest(3) {
        [] => false,
        [word] if is(word, "withscore") => true,
        _ => return Err(Refusal::syntax()),
    };
    match (set(call).rank_with_score(call.word(2), direction)?, with_score) {
        (None, true) => call.reply.nil_array(),
        (None, false) => call.reply.nil(),
        (Some((rank, _)), false) => call.reply.count(rank),
        (Some((rank, score)), true) => {
            call.reply.array(2);
            call.reply.count(rank);
            call.reply.double(score);
        }
    }
    Ok(())
}

fn take(call: &Call<'_>, key: &[u8], end: End, count: u64) -> Result<Entries, Refusal> {
    Ok(call.kv().sorted_set(key).pop_many(end, count)?)
}

fn pop(call: &mut Call<'_>, end: End) -> Outcome {
    let count = match call.rest(2) {
        [] => None,
        [count] => Some(
            integer(count)
                .and_then(|count| u64::try_from(count).ok())
                .ok_or("ERR value is out of range, must be positive")?,
        ),
        _ => return Err(Refusal::syntax()),
    };
    let entries = take(call, call.word(1), end, count.unwrap_or(1))?;
    changes::note(call, entries.len() as u64);
    // With a count RESP3 has pairs; without one the one pair is flat.
    if count.is_some() {
        write(call, &entries, true);
    } else {
        call.reply.array(entries.len() * 2);
        for (member, score) in &entries {
            call.reply.bulk(member);
            call.reply.double(*score);
        }
    }
    Ok(())
}

/// `BZPOPMIN` and `BZPOPMAX`.
fn pop_or_wait(call: &mut Call<'_>, end: End) -> Outcome {
    let (keys, timeout) = waiting::keys_and_timeout(call)?;
    for key in keys {
        if let Some((member, score)) = take(call, key, end, 1)?.pop() {
            call.reply.array(3);
            call.reply.bulk(key);
            call.reply.bulk(member);
            call.reply.double(score);
            return Ok(());
        }
    }
    call.reply.nil_array();
    waiting::wait(call, Kind::SortedSet, 1, keys.len(), timeout);
    Ok(())
}

/// `ZMPOP`, and `BZMPOP`, which has a timeout before the rest.
fn mpop(call: &mut Call<'_>, is_waiting: bool) -> Outcome {
    let timeout = if is_waiting { waiting::timeout(call.word(1))? } else { None };
    let pop = waiting::MultiplePop::parse(call, if is_waiting { 2 } else { 1 })?;
    let direction = match pop.side {
        side if is(side, "min") => End::Front,
        side if is(side, "max") => End::Back,
        _ => return Err(Refusal::syntax()),
    };
    for key in pop.keys {
        let entries = take(call, key, direction, pop.count)?;
        if entries.is_empty() {
            continue;
        }
        changes::note(call, entries.len() as u64);
        call.reply.array(2);
        call.reply.bulk(key);
        call.reply.array(entries.len());
        for (member, score) in entries {
            call.reply.array(2);
            call.reply.bulk(member);
            call.reply.double(score);
        }
        return Ok(());
    }
    call.reply.nil_array();
    if is_waiting {
        waiting::wait_numbered(call, Kind::SortedSet, 3, pop.keys.len(), timeout);
    }
    Ok(())
}

/// Members that are read at once when many are drawn.
const CHOSEN_AT_ONCE: usize = 128;

fn zrandmember(call: &mut Call<'_>) -> Outcome {
    let set = set(call);
    let len = set.len()?;
    if call.words.len() == 2 {
        let found = set.nth(call.door.random_below(len))?;
        call.reply.bulk_or_nil(found.map(|(member, _)| member));
        return Ok(());
    }
    let with_scores = match call.rest(3) {
        [] => false,
        [word] if is(word, "withscores") => true,
        _ => return Err(Refusal::syntax()),
    };
    let chosen = choose(call, len, call.integer(2)?)?;
    write_head(call, chosen.len(), with_scores);
    // Not all are in memory at once: one member may have been chosen many times.
    for part in chosen.chunks(CHOSEN_AT_ONCE) {
        write_entries(call, &set.nths(part.iter().copied())?, with_scores);
        call.reply.check()?;
    }
    Ok(())
}

/// Writes members, with their scores or without.
pub(super) fn write(call: &mut Call<'_>, entries: &Entries, with_scores: bool) {
    write_head(call, entries.len(), with_scores);
    write_entries(call, entries, with_scores);
}

fn write_head(call: &mut Call<'_>, members: usize, with_scores: bool) {
    let is_flat = with_scores && call.reply.protocol == Protocol::Resp2;
    call.reply.array(if is_flat { members * 2 } else { members });
}

fn write_entries(call: &mut Call<'_>, entries: &Entries, with_scores: bool) {
    let is_nested = with_scores && call.reply.protocol == Protocol::Resp3;
    for (member, score) in entries {
        if is_nested {
            call.reply.array(2);
        }
        call.reply.bulk(member);
        if with_scores {
            call.reply.double(*score);
        }
    }
}
