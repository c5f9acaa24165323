//! Sorted sets: ranges by rank, by score and by bytes.

use std::ops::Bound;

use crate::kv::{RangeQuery, SortedSet};
use crate::server::redis::commands::sorted_sets::write;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, integer, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("zcount", |call| zcount(call, By::Score)),
    command("zlexcount", |call| zcount(call, By::Lex)),
    command("zrange", |call| zrange(call, 1, By::Rank, false, true)),
    command("zrangebylex", |call| zrange(call, 1, By::Lex, false, false)),
    command("zrangebyscore", |call| zrange(call, 1, By::Score, false, false)),
    command("zrangestore", |call| zrange(call, 2, By::Rank, false, true)),
    command("zremrangebylex", |call| remove_range(call, By::Lex)),
    command("zremrangebyrank", |call| remove_range(call, By::Rank)),
    command("zremrangebyscore", |call| remove_range(call, By::Score)),
    command("zrevrange", |call| zrange(call, 1, By::Rank, true, false)),
    command("zrevrangebylex", |call| zrange(call, 1, By::Lex, true, false)),
    command("zrevrangebyscore", |call| zrange(call, 1, By::Score, true, false)),
];

type Set<'a> = SortedSet<InTransaction<'a>>;
type Query<'a> = RangeQuery<InTransaction<'a>>;

/// How a range is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

fn zcount(call: &mut Call<'_>, by: By) -> Outcome {
    let set = call.kv().sorted_set(call.word(1));
    let count = query(&set, by, false, call.word(2), call.word(3))?.count()?;
    call.reply.count(count);
    Ok(())
}

fn remove_range(call: &mut Call<'_>, by: By) -> Outcome {
    let set = call.kv().sorted_set(call.word(1));
    let removed = query(&set, by, false, call.word(2), call.word(3))?.remove()?;
    call.reply.count(removed);
    Ok(())
}

/// What of a range is wanted.
struct Part {
    by: By,
    is_reverse: bool,
    /// Offset and count.
    limit: Option<(i64, i64)>,
    with_scores: bool,
}

impl Part {
    /// Reads the options from a place on. The old commands have fewer than `ZRANGE`.
    fn parse(mut self, call: &Call<'_>, mut at: usize, is_stored: bool, is_general: bool) -> Result<Self, Refusal> {
        while at < call.words.len() {
            let word = call.word(at);
            if is(word, "withscores") && !is_stored {
                self.with_scores = true;
            } else if is(word, "limit") && at + 2 < call.words.len() {
                self.limit = Some((call.integer(at + 1)?, call.integer(at + 2)?));
                at += 2;
            } else if is_general && is(word, "byscore") {
                self.by = By::Score;
            } else if is_general && is(word, "bylex") {
                self.by = By::Lex;
            } else if is_general && is(word, "rev") {
                self.is_reverse = true;
            } else {
                return Err(Refusal::syntax());
            }
            at += 1;
        }
        if self.limit.is_some() && self.by == By::Rank {
            return Err("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX".into());
        }
        if self.with_scores && self.by == By::Lex {
            return Err("ERR syntax error, WITHSCORES not supported in combination with BYLEX".into());
        }
        Ok(self)
    }
}

/// A range of the sorted set whose key is the word at a place; the one before it, if any, is where it is stored.
fn zrange(call: &mut Call<'_>, at: usize, by: By, is_reverse: bool, is_general: bool) -> Outcome {
    let is_stored = at == 2;
    let part = Part { by, is_reverse, limit: None, with_scores: false };
    let part = part.parse(call, at + 3, is_stored, is_general)?;
    let source = call.kv().sorted_set(call.word(at));
    let mut query = query(&source, part.by, part.is_reverse, call.word(at + 1), call.word(at + 2))?;
    if let Some((offset, count)) = part.limit {
        query = match u64::try_from(offset) {
            Ok(offset) => query.offset(offset).limit(u64::try_from(count).unwrap_or(u64::MAX)),
            // A negative offset is behind everything.
            Err(_) => query.limit(0),
        };
    }
    if is_stored {
        let count = query.copy_to(call.word(1))?;
        call.reply.count(count);
    } else {
        let entries = query.entries()?;
        write(call, &entries, part.with_scores);
    }
    Ok(())
}

/// The members from one word to another.
fn query<'a>(set: &Set<'a>, by: By, is_reverse: bool, start: &[u8], stop: &[u8]) -> Result<Query<'a>, Refusal> {
    // Backwards the higher bound comes first.
    let (low, high) = if is_reverse { (stop, start) } else { (start, stop) };
    let query = match by {
        By::Rank => {
            let rank = |word: &[u8]| integer(word).ok_or_else(Refusal::not_an_integer);
            set.by_rank(rank(start)?, rank(stop)?)
        }
        By::Score => set.by_score((score_bound(low)?, score_bound(high)?)),
        By::Lex => {
            let (low, high) = (lex_bound(low, b"-")?, lex_bound(high, b"+")?);
            match (low, high) {
                (Some(low), Some(high)) => set.by_lex::<&[u8]>((low, high)),
                _ => set.by_lex::<&[u8]>((Bound::Excluded(&b""[..]), Bound::Excluded(&b""[..]))),
            }
        }
    };
    Ok(if is_reverse { query.reverse() } else { query })
}

fn score_bound(word: &[u8]) -> Result<Bound<f64>, Refusal> {
    let (number, is_open) = word.strip_prefix(b"(").map_or((word, false), |rest| (rest, true));
    let number = float(number).ok_or("ERR min or max is not a float")?;
    Ok(if is_open { Bound::Excluded(number) } else { Bound::Included(number) })
}

/// A bound of bytes, of which `outermost` is no bound; `None` when nothing is within it.
fn lex_bound<'a>(word: &'a [u8], outermost: &[u8]) -> Result<Option<Bound<&'a [u8]>>, Refusal> {
    Ok(match word {
        b"-" | b"+" => (word == outermost).then_some(Bound::Unbounded),
        [b'[', member @ ..] => Some(Bound::Included(member)),
        [b'(', member @ ..] => Some(Bound::Excluded(member)),
        _ => return Err("ERR min or max not valid string range item".into()),
    })
}
