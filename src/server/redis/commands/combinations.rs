//! Sorted sets: unions, intersections and differences.

use crate::kv::Aggregate;
use crate::server::redis::commands::sets::numbered_keys;
use crate::server::redis::commands::sorted_sets::write;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, integer, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("zdiff", |call| combine(call, Which::Difference, false)),
    command("zdiffstore", |call| combine(call, Which::Difference, true)),
    command("zinter", |call| combine(call, Which::Intersection, false)),
    command("zintercard", zintercard),
    command("zinterstore", |call| combine(call, Which::Intersection, true)),
    command("zunion", |call| combine(call, Which::Union, false)),
    command("zunionstore", |call| combine(call, Which::Union, true)),
];

/// How sorted sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Union,
    Intersection,
    Difference,
}

/// What follows the keys.
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    fn parse(mut words: &[&[u8]], keys: usize, which: Which, is_stored: bool) -> Result<Self, Refusal> {
        let mut options = Self { weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false };
        let is_weighted = which != Which::Difference;
        while let [word, rest @ ..] = words {
            words = if is(word, "withscores") && !is_stored {
                options.with_scores = true;
                rest
            } else if is(word, "weights") && is_weighted {
                let (given, rest) = rest.split_at_checked(keys).ok_or_else(Refusal::syntax)?;
                let weight = |word: &&[u8]| float(word).ok_or("ERR weight value is not a float");
                options.weights = given.iter().map(weight).collect::<Result<_, _>>()?;
                rest
            } else if is(word, "aggregate") && is_weighted {
                let (how, rest) = rest.split_first().ok_or_else(Refusal::syntax)?;
                options.aggregate = aggregate(how)?;
                rest
            } else {
                return Err(Refusal::syntax());
            };
        }
        Ok(options)
    }
}

fn aggregate(word: &[u8]) -> Result<Aggregate, Refusal> {
    let ways = [("sum", Aggregate::Sum), ("min", Aggregate::Min), ("max", Aggregate::Max)];
    ways.into_iter().find(|(name, _)| is(word, name)).map(|(_, way)| way).ok_or_else(Refusal::syntax)
}

fn combine(call: &mut Call<'_>, which: Which, is_stored: bool) -> Outcome {
    let name = String::from_utf8_lossy(call.word(0)).to_lowercase();
    let at = if is_stored { 2 } else { 1 };
    let (keys, rest) = numbered_keys(call, at, &format!("at least 1 input key is needed for '{name}' command"))?;
    let options = Options::parse(rest, keys.len(), which, is_stored)?;
    let kv = call.kv();
    let combination = match which {
        Which::Union => kv.union(keys),
        Which::Intersection => kv.intersection(keys),
        Which::Difference => kv.difference(keys),
    };
    let combination = combination.weights(options.weights).aggregate(options.aggregate);
    if is_stored {
        let count = combination.store_at(call.word(1))?;
        call.reply.count(count);
    } else {
        let entries = combination.entries()?;
        write(call, &entries, options.with_scores);
    }
    Ok(())
}

fn zintercard(call: &mut Call<'_>) -> Outcome {
    let (keys, rest) = numbered_keys(call, 1, "at least 1 input key is needed for 'zintercard' command")?;
    let limit = match rest {
        [] => 0,
        [word, limit] if is(word, "limit") => {
            integer(limit).and_then(|limit| u64::try_from(limit).ok()).ok_or("ERR LIMIT can't be negative")?
        }
        _ => return Err(Refusal::syntax()),
    };
    let count = call.kv().intersection(keys).count((limit > 0).then_some(limit))?;
    call.reply.count(count);
    Ok(())
}
