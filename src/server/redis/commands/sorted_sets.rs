//! Sorted sets.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::engine::Direction;
use crate::glob;
use crate::kv::{Kind, SortedSet};
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, float, integer, is};
use crate::server::redis::commands::hashes::choose;
use crate::server::redis::commands::keys::direction;
use crate::server::redis::commands::sets::numbered_keys;
use crate::server::redis::reply::{Protocol, format_double};
use crate::txn::InTransaction;

const READ: Flags = Flags::READ;
const WRITE: Flags = Flags::WRITE.and(Flags::FAST);
const GROUP: &str = "sorted-set";
/// Their number is a word before them.
const NUMBERED: Keys = Keys::NONE;
const NUMBERED_READ: Flags = READ.and(Flags::MOVABLE_KEYS);
const NUMBERED_WRITE: Flags = Flags::WRITE.and(Flags::MOVABLE_KEYS);

pub(super) const COMMANDS: &[Command] = &[
    command("zadd", -4, WRITE, Keys::ONE, GROUP, zadd),
    command("zcard", 2, READ.and(Flags::FAST), Keys::ONE, GROUP, zcard),
    command("zcount", 4, READ.and(Flags::FAST), Keys::ONE, GROUP, zcount),
    command("zdiff", -3, NUMBERED_READ, NUMBERED, GROUP, |call| combine(call, Combination::Difference, false)),
    command("zdiffstore", -4, NUMBERED_WRITE, Keys::ONE, GROUP, |call| combine(call, Combination::Difference, true)),
    command("zincrby", 4, WRITE, Keys::ONE, GROUP, zincrby),
    command("zinter", -3, NUMBERED_READ, NUMBERED, GROUP, |call| combine(call, Combination::Intersection, false)),
    command("zintercard", -3, NUMBERED_READ, NUMBERED, GROUP, zintercard),
    command("zinterstore", -4, NUMBERED_WRITE, Keys::ONE, GROUP, |call| combine(call, Combination::Intersection, true)),
    command("zlexcount", 4, READ.and(Flags::FAST), Keys::ONE, GROUP, zlexcount),
    command("zmscore", -3, READ.and(Flags::FAST), Keys::ONE, GROUP, zmscore),
    command("zpopmax", -2, WRITE, Keys::ONE, GROUP, |call| pop(call, Direction::Backward)),
    command("zpopmin", -2, WRITE, Keys::ONE, GROUP, |call| pop(call, Direction::Forward)),
    command("zrandmember", -2, READ, Keys::ONE, GROUP, zrandmember),
    command("zrange", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Rank, false, true)),
    command("zrangebylex", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Lex, false, false)),
    command("zrangebyscore", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Score, false, false)),
    command("zrangestore", -5, Flags::WRITE, Keys::TWO, GROUP, |call| zrange(call, 2, By::Rank, false, true)),
    command("zrank", -3, READ.and(Flags::FAST), Keys::ONE, GROUP, |call| rank(call, Direction::Forward)),
    command("zrem", -3, WRITE, Keys::ONE, GROUP, zrem),
    command("zremrangebylex", 4, Flags::WRITE, Keys::ONE, GROUP, |call| remove_range(call, By::Lex)),
    command("zremrangebyrank", 4, Flags::WRITE, Keys::ONE, GROUP, |call| remove_range(call, By::Rank)),
    command("zremrangebyscore", 4, Flags::WRITE, Keys::ONE, GROUP, |call| remove_range(call, By::Score)),
    command("zrevrange", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Rank, true, false)),
    command("zrevrangebylex", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Lex, true, false)),
    command("zrevrangebyscore", -4, READ, Keys::ONE, GROUP, |call| zrange(call, 1, By::Score, true, false)),
    command("zrevrank", -3, READ.and(Flags::FAST), Keys::ONE, GROUP, |call| rank(call, Direction::Backward)),
    command("zscan", -3, READ, Keys::ONE, GROUP, zscan),
    command("zscore", 3, READ.and(Flags::FAST), Keys::ONE, GROUP, zscore),
    command("zunion", -3, NUMBERED_READ, NUMBERED, GROUP, |call| combine(call, Combination::Union, false)),
    command("zunionstore", -4, NUMBERED_WRITE, Keys::ONE, GROUP, |call| combine(call, Combination::Union, true)),
];

type Entries = Vec<(Vec<u8>, f64)>;
type Set<'a> = SortedSet<InTransaction<'a>>;

fn set<'a>(call: &Call<'a>) -> Set<'a> {
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

fn zadd(call: &mut Call<'_>) -> Outcome {
    let mut flags = AddFlags::default();
    let mut at = 2;
    loop {
        let word = call.word(at);
        let names = [
            ("nx", &mut flags.nx),
            ("xx", &mut flags.xx),
            ("gt", &mut flags.gt),
            ("lt", &mut flags.lt),
            ("ch", &mut flags.ch),
            ("incr", &mut flags.incr),
        ];
        let Some((_, flag)) = names.into_iter().find(|(name, _)| is(word, name)) else { break };
        *flag = true;
        at += 1;
    }
    let (pairs, rest) = call.rest(at).as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    if flags.nx && flags.xx {
        return Err("ERR XX and NX options at the same time are not compatible".into());
    }
    if (flags.gt && flags.lt) || (flags.nx && (flags.gt || flags.lt)) {
        return Err("ERR GT, LT, and/or NX options at the same time are not compatible".into());
    }
    if flags.incr && pairs.len() > 1 {
        return Err("ERR INCR option supports a single increment-element pair".into());
    }
    let mut entries = Vec::with_capacity(pairs.len());
    for [score, member] in pairs {
        entries.push((float(score).ok_or("ERR value is not a valid float")?, *member));
    }
    let set = set(call);
    let (mut added, mut changed, mut last) = (0, 0, None);
    for (score, member) in entries {
        let before = set.score(member)?;
        last = add(&set, member, score, before, &flags)?;
        added += u64::from(before.is_none() && last.is_some());
        changed += u64::from(before.is_some() && last.is_some() && last != before);
    }
    if flags.incr {
        match last {
            Some(score) => call.reply.double(score),
            None => call.reply.nil(),
        }
    } else {
        call.reply.count(if flags.ch { added + changed } else { added });
    }
    Ok(())
}

/// Adds or changes a member as the flags allow, and answers its score then; `None` when they do not (SEM: KV-Z-2).
fn add(
    set: &Set<'_>,
    member: &[u8],
    score: f64,
    before: Option<f64>,
    flags: &AddFlags,
) -> Result<Option<f64>, Refusal> {
    let wanted = match before {
        Some(before) if flags.incr => before + score,
        _ => score,
    };
    if wanted.is_nan() {
        return Err("ERR resulting score is not a number (NaN)".into());
    }
    let allowed = match before {
        None => !flags.xx,
        Some(before) => !flags.nx && (!flags.gt || wanted > before) && (!flags.lt || wanted < before),
    };
    if !allowed {
        return Ok(None);
    }
    set.add(member, wanted)?;
    Ok(Some(if wanted == 0.0 { 0.0 } else { wanted }))
}

fn zincrby(call: &mut Call<'_>) -> Outcome {
    let by = call.float(2)?;
    let set = set(call);
    let flags = AddFlags { incr: true, ..AddFlags::default() };
    let before = set.score(call.word(3))?;
    let score = add(&set, call.word(3), by, before, &flags)?;
    call.reply.double(score.unwrap_or_default());
    Ok(())
}

fn zrem(call: &mut Call<'_>) -> Outcome {
    let set = set(call);
    let mut removed = 0;
    for member in call.rest(2) {
        removed += u64::from(set.remove(member)?);
    }
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
    let set = set(call);
    let members = call.rest(2);
    call.reply.array(members.len());
    for member in members {
        let score = set.score(member)?;
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
    let (set, member) = (set(call), call.word(2));
    let rank = match direction {
        Direction::Forward => set.rank(member)?,
        Direction::Backward => set.reverse_rank(member)?,
    };
    match rank {
        None if with_score => call.reply.nil_array(),
        None => call.reply.nil(),
        Some(rank) => {
            if with_score {
                call.reply.array(2);
            }
            call.reply.count(rank);
            if with_score {
                let score = set.score(member)?;
                write_score(call, score);
            }
        }
    }
    Ok(())
}

fn zcount(call: &mut Call<'_>) -> Outcome {
    let bounds = score_bounds(call.word(2), call.word(3))?;
    let count = set(call).count_by_score(bounds)?;
    call.reply.count(count);
    Ok(())
}

fn zlexcount(call: &mut Call<'_>) -> Outcome {
    let (low, high) = lex_bounds(call.word(2), call.word(3))?;
    let count = by_lex(&set(call), &low, &high)?.len();
    call.reply.count(count as u64);
    Ok(())
}

/// How a range is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// What of a range is wanted.
struct Part {
    by: By,
    direction: Direction,
    offset: i64,
    count: i64,
    with_scores: bool,
}

/// A range of the sorted set whose key is the word at a place. The old commands have fewer options than `ZRANGE`.
fn zrange(call: &mut Call<'_>, at: usize, by: By, is_reverse: bool, is_general: bool) -> Outcome {
    let is_stored = at == 2;
    let mut part = Part { by, direction: direction(is_reverse), offset: 0, count: -1, with_scores: false };
    let (mut has_limit, mut next) = (false, at + 3);
    while next < call.words.len() {
        let word = call.word(next);
        if is(word, "withscores") && !is_stored {
            part.with_scores = true;
        } else if is(word, "limit") && next + 2 < call.words.len() {
            (part.offset, part.count) = (call.integer(next + 1)?, call.integer(next + 2)?);
            has_limit = true;
            next += 2;
        } else if is_general && is(word, "byscore") {
            part.by = By::Score;
        } else if is_general && is(word, "bylex") {
            part.by = By::Lex;
        } else if is_general && is(word, "rev") {
            part.direction = Direction::Backward;
        } else {
            return Err(Refusal::syntax());
        }
        next += 1;
    }
    if has_limit && part.by == By::Rank {
        return Err("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX".into());
    }
    if part.with_scores && part.by == By::Lex {
        return Err("ERR syntax error, WITHSCORES not supported in combination with BYLEX".into());
    }
    let source = call.kv().sorted_set(call.word(at));
    let entries = select(&source, &part, call.word(at + 1), call.word(at + 2))?;
    if is_stored {
        return replace(call, call.word(1), &entries);
    }
    write(call, &entries, part.with_scores);
    Ok(())
}

/// The entries of a range (SEM: KV-Z-5, KV-Z-6).
fn select(set: &Set<'_>, part: &Part, start: &[u8], stop: &[u8]) -> Result<Entries, Refusal> {
    if part.by == By::Rank {
        let rank = |word: &[u8]| integer(word).ok_or_else(Refusal::not_an_integer);
        let (start, stop) = (rank(start)?, rank(stop)?);
        return Ok(match part.direction {
            Direction::Forward => set.range(start, stop)?,
            Direction::Backward => set.reverse_range(start, stop)?,
        });
    }
    // Backwards the higher bound comes first.
    let (low, high) = match part.direction {
        Direction::Forward => (start, stop),
        Direction::Backward => (stop, start),
    };
    let offset = u64::try_from(part.offset).ok();
    let limit = u64::try_from(part.count).unwrap_or(u64::MAX);
    if part.by == By::Score {
        let bounds = score_bounds(low, high)?;
        // A negative offset is behind everything.
        let Some(offset) = offset else { return set.len().map(|_| Entries::new()).map_err(Refusal::from) };
        let query = set.by_score(bounds).offset(offset).limit(limit);
        let query = if part.direction == Direction::Backward { query.reverse() } else { query };
        return Ok(query.entries()?);
    }
    let (low, high) = lex_bounds(low, high)?;
    let mut entries = by_lex(set, &low, &high)?;
    if part.direction == Direction::Backward {
        entries.reverse();
    }
    let Some(offset) = offset else { return Ok(Entries::new()) };
    let (offset, limit) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(entries.into_iter().skip(offset).take(limit).collect())
}

fn write(call: &mut Call<'_>, entries: &Entries, with_scores: bool) {
    let is_nested = with_scores && call.session.protocol == Protocol::Resp3;
    call.reply.array(if with_scores && !is_nested { entries.len() * 2 } else { entries.len() });
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

/// Puts entries in the place of what a key holds, and answers how many; none remove it.
fn replace(call: &mut Call<'_>, key: &[u8], entries: &Entries) -> Outcome {
    let kv = call.kv();
    kv.delete(key)?;
    let set = kv.sorted_set(key);
    for (member, score) in entries {
        set.add(member, *score)?;
    }
    call.reply.count(entries.len() as u64);
    Ok(())
}

fn score_bounds(low: &[u8], high: &[u8]) -> Result<(Bound<f64>, Bound<f64>), Refusal> {
    let bound = |word: &[u8]| {
        let (number, is_open) = word.strip_prefix(b"(").map_or((word, false), |rest| (rest, true));
        let number = float(number).ok_or("ERR min or max is not a float")?;
        Ok::<_, Refusal>(if is_open { Bound::Excluded(number) } else { Bound::Included(number) })
    };
    Ok((bound(low)?, bound(high)?))
}

/// A bound of a range of members: `-` and `+` are before and behind all of them.
#[derive(Debug)]
enum LexBound {
    Before,
    At(Vec<u8>, bool),
    Behind,
}

fn lex_bounds(low: &[u8], high: &[u8]) -> Result<(LexBound, LexBound), Refusal> {
    let bound = |word: &[u8]| match word {
        b"-" => Ok(LexBound::Before),
        b"+" => Ok(LexBound::Behind),
        [b'[', member @ ..] => Ok(LexBound::At(member.to_vec(), true)),
        [b'(', member @ ..] => Ok(LexBound::At(member.to_vec(), false)),
        _ => Err(Refusal::from("ERR min or max not valid string range item")),
    };
    Ok((bound(low)?, bound(high)?))
}

fn by_lex(set: &Set<'_>, low: &LexBound, high: &LexBound) -> Result<Entries, Refusal> {
    let is_above = |member: &[u8]| match low {
        LexBound::Before => true,
        LexBound::At(low, true) => member >= low.as_slice(),
        LexBound::At(low, false) => member > low.as_slice(),
        LexBound::Behind => false,
    };
    let is_below = |member: &[u8]| match high {
        LexBound::Before => false,
        LexBound::At(high, true) => member <= high.as_slice(),
        LexBound::At(high, false) => member < high.as_slice(),
        LexBound::Behind => true,
    };
    let entries = set.range(0, -1)?;
    Ok(entries.into_iter().filter(|(member, _)| is_above(member) && is_below(member)).collect())
}

fn remove_range(call: &mut Call<'_>, by: By) -> Outcome {
    let set = set(call);
    let part = Part { by, direction: Direction::Forward, offset: 0, count: -1, with_scores: false };
    let entries = select(&set, &part, call.word(2), call.word(3))?;
    for (member, _) in &entries {
        set.remove(member)?;
    }
    call.reply.count(entries.len() as u64);
    Ok(())
}

fn pop(call: &mut Call<'_>, direction: Direction) -> Outcome {
    let count = match call.rest(2) {
        [] => None,
        [count] => Some(
            integer(count)
                .and_then(|count| u64::try_from(count).ok())
                .ok_or("ERR value is out of range, must be positive")?,
        ),
        _ => return Err(Refusal::syntax()),
    };
    let set = set(call);
    // Also looked at when nothing is wanted: a key of another kind is refused.
    set.len()?;
    let last = i64::try_from(count.unwrap_or(1)).unwrap_or(i64::MAX) - 1;
    let entries = match direction {
        _ if last < 0 => Entries::new(),
        Direction::Forward => set.range(0, last)?,
        Direction::Backward => set.reverse_range(0, last)?,
    };
    for (member, _) in &entries {
        set.remove(member)?;
    }
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

fn zrandmember(call: &mut Call<'_>) -> Outcome {
    let set = set(call);
    let len = set.len()?;
    let at = |n: u64| {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        set.range(n, n)
    };
    if call.words.len() == 2 {
        let found = if len == 0 { Entries::new() } else { at(call.door.random_below(len))? };
        call.reply.bulk_or_nil(found.first().map(|(member, _)| member));
        return Ok(());
    }
    let with_scores = match call.rest(3) {
        [] => false,
        [word] if is(word, "withscores") => true,
        _ => return Err(Refusal::syntax()),
    };
    let mut entries = Entries::new();
    for n in choose(call, len, call.integer(2)?)? {
        entries.extend(at(n)?);
    }
    write(call, &entries, with_scores);
    Ok(())
}

fn zscan(call: &mut Call<'_>) -> Outcome {
    let (mut pattern, mut count) = (None, 10);
    let (pairs, rest) = call.rest(3).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    for [name, value] in pairs {
        if is(name, "match") {
            pattern = Some(*value);
        } else if is(name, "count") {
            count = integer(value).filter(|count| *count > 0).ok_or_else(Refusal::syntax)?;
        } else {
            return Err(Refusal::syntax());
        }
    }
    let text = std::str::from_utf8(call.word(2)).ok();
    let cursor = text.and_then(|text| text.parse::<u64>().ok()).ok_or("ERR invalid cursor")?;
    let after = match cursor {
        0 => None,
        cursor => {
            Some(call.door.scans.borrow().get(cursor).ok_or("ERR invalid cursor: the scan is forgotten, begin again")?)
        }
    };
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let part = set(call).members_after(after.as_deref(), limit)?;
    let cursor = match part.last() {
        Some((last, _)) if part.len() == limit => call.door.scans.borrow_mut().insert(last.clone()),
        _ => 0,
    };
    let wanted: Entries =
        part.into_iter().filter(|(member, _)| pattern.is_none_or(|pattern| glob::matches(pattern, member))).collect();
    call.reply.array(2);
    call.reply.bulk(cursor.to_string());
    call.reply.array(wanted.len() * 2);
    for (member, score) in wanted {
        call.reply.bulk(member);
        call.reply.bulk(format_double(score));
    }
    Ok(())
}

/// How sorted sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Combination {
    Union,
    Intersection,
    Difference,
}

#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            // Infinities of both signs cancel each other (SEM: KV-Z-8).
            Self::Sum if (a + b).is_nan() => 0.0,
            Self::Sum => a + b,
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }
}

fn combine(call: &mut Call<'_>, combination: Combination, is_stored: bool) -> Outcome {
    let name = String::from_utf8_lossy(call.word(0)).to_lowercase();
    let at = if is_stored { 2 } else { 1 };
    let (keys, mut options) = numbered_keys(call, at, &format!("at least 1 input key is needed for '{name}' command"))?;
    let (mut weights, mut aggregate, mut with_scores) = (vec![1.0; keys.len()], Aggregate::Sum, false);
    loop {
        options = match options {
            [] => break,
            [word, rest @ ..] if is(word, "withscores") && !is_stored => {
                with_scores = true;
                rest
            }
            [word, rest @ ..] if is(word, "weights") && combination != Combination::Difference => {
                let (given, rest) = rest.split_at_checked(keys.len()).ok_or_else(Refusal::syntax)?;
                for (weight, word) in weights.iter_mut().zip(given) {
                    *weight = float(word).ok_or("ERR weight value is not a float")?;
                }
                rest
            }
            [word, how, rest @ ..] if is(word, "aggregate") && combination != Combination::Difference => {
                let ways = [("sum", Aggregate::Sum), ("min", Aggregate::Min), ("max", Aggregate::Max)];
                aggregate =
                    ways.into_iter().find(|(name, _)| is(how, name)).map(|(_, way)| way).ok_or_else(Refusal::syntax)?;
                rest
            }
            _ => return Err(Refusal::syntax()),
        };
    }
    let mut entries = combined(call, keys, &weights, aggregate, combination)?;
    if is_stored {
        return replace(call, call.word(1), &entries);
    }
    entries.sort_by(|(m, a), (n, b)| a.total_cmp(b).then_with(|| m.cmp(n)));
    write(call, &entries, with_scores);
    Ok(())
}

fn combined(
    call: &Call<'_>,
    keys: &[&[u8]],
    weights: &[f64],
    aggregate: Aggregate,
    combination: Combination,
) -> Result<Entries, Refusal> {
    let mut result: Option<BTreeMap<Vec<u8>, f64>> = None;
    for (key, weight) in keys.iter().zip(weights) {
        let other = weighted(call, key, *weight)?;
        result = Some(match result {
            None => other,
            Some(mut result) => {
                match combination {
                    Combination::Union => {
                        for (member, score) in other {
                            let place = result.entry(member);
                            place.and_modify(|before| *before = aggregate.of(*before, score)).or_insert(score);
                        }
                    }
                    Combination::Intersection => {
                        result = result
                            .into_iter()
                            .filter_map(|(member, score)| {
                                let score = aggregate.of(score, *other.get(&member)?);
                                Some((member, score))
                            })
                            .collect();
                    }
                    Combination::Difference => result.retain(|member, _| !other.contains_key(member)),
                }
                result
            }
        });
    }
    Ok(result.unwrap_or_default().into_iter().collect())
}

/// A sorted set's members with their scores times a weight; a set's have a score of 1.
fn weighted(call: &Call<'_>, key: &[u8], weight: f64) -> Result<BTreeMap<Vec<u8>, f64>, Refusal> {
    let kv = call.kv();
    let entries = match kv.kind(key)? {
        Some(Kind::Set) => kv.unsorted_set(key).members()?.into_iter().map(|member| (member, 1.0)).collect(),
        _ => kv.sorted_set(key).range(0, -1)?,
    };
    let times = |score: f64| {
        let product = score * weight;
        // Nothing times infinity is nothing.
        if product.is_nan() { 0.0 } else { product }
    };
    Ok(entries.into_iter().map(|(member, score)| (member, times(score))).collect())
}

fn zintercard(call: &mut Call<'_>) -> Outcome {
    let (keys, rest) = numbered_keys(call, 1, "numkeys should be greater than 0")?;
    let limit = match rest {
        [] => 0,
        [word, limit] if is(word, "limit") => {
            integer(limit).and_then(|limit| u64::try_from(limit).ok()).ok_or("ERR LIMIT can't be negative")?
        }
        _ => return Err(Refusal::syntax()),
    };
    let weights = vec![1.0; keys.len()];
    let count = combined(call, keys, &weights, Aggregate::Sum, Combination::Intersection)?.len() as u64;
    call.reply.count(if limit == 0 { count } else { count.min(limit) });
    Ok(())
}
