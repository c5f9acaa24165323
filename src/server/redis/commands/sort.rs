//! Sorting the values of a list, a set or a sorted set, by themselves or by what other keys hold.

use std::cmp::Ordering;

use crate::error::{self, Error};
use crate::kv::{End, Kind};
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, float, integer, is};

pub(super) const COMMANDS: &[Handler] =
    &[command("sort", |call| sort(call, true)), command("sort_ro", |call| sort(call, false))];

/// What is to be sorted how.
#[derive(Default)]
struct Options<'a> {
    by: Option<&'a [u8]>,
    /// Offset and count.
    limit: Option<(i64, i64)>,
    gets: Vec<&'a [u8]>,
    is_descending: bool,
    is_alphabetic: bool,
    destination: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(mut words: &[&'a [u8]], can_store: bool) -> Result<Self, Refusal> {
        let mut options = Self::default();
        while let [word, rest @ ..] = words {
            words = match rest {
                _ if is(word, "asc") || is(word, "desc") => {
                    options.is_descending = is(word, "desc");
                    rest
                }
                _ if is(word, "alpha") => {
                    options.is_alphabetic = true;
                    rest
                }
                [offset, count, rest @ ..] if is(word, "limit") => {
                    let number = |word: &[u8]| integer(word).ok_or_else(Refusal::not_an_integer);
                    options.limit = Some((number(offset)?, number(count)?));
                    rest
                }
                [key, rest @ ..] if can_store && is(word, "store") => {
                    options.destination = Some(key);
                    rest
                }
                [pattern, rest @ ..] if is(word, "by") => {
                    options.by = Some(pattern);
                    rest
                }
                [pattern, rest @ ..] if is(word, "get") => {
                    options.gets.push(pattern);
                    rest
                }
                _ => return Err(Refusal::syntax()),
            };
        }
        Ok(options)
    }
}

fn sort(call: &mut Call<'_>, can_store: bool) -> Outcome {
    let mut options = Options::parse(call.rest(2), can_store)?;
    let (kind, mut values) = values(call)?;
    // A pattern without a star names no other keys: the order stays.
    let mut is_sorted = options.by.is_none_or(|by| by.contains(&b'*'));
    if !is_sorted && kind == Some(Kind::Set) && options.destination.is_some() {
        // A list that is kept has an order, which a set has not.
        (is_sorted, options.is_alphabetic, options.by) = (true, true, None);
    }
    if is_sorted {
        values = sorted(call, values, &options)?;
    } else if options.is_descending {
        values.reverse();
    }
    let patterns: &[&[u8]] = if options.gets.is_empty() { &[b"#"] } else { &options.gets };
    let values: Vec<_> = limited(values, options.limit).collect();
    if let Some(destination) = options.destination {
        let mut parts = Vec::new();
        for value in &values {
            for pattern in patterns {
                parts.push(look_up(call, pattern, value)?);
            }
        }
        return store(call, destination, parts);
    }
    call.reply.array(values.len() * patterns.len());
    for value in &values {
        for pattern in patterns {
            let part = look_up(call, pattern, value)?;
            call.reply.bulk_or_nil(part);
            call.reply.check()?;
        }
    }
    Ok(())
}

fn values(call: &Call<'_>) -> Result<(Option<Kind>, Vec<Vec<u8>>), Refusal> {
    let (kv, key) = (call.kv(), call.word(1));
    let kind = kv.kind(key)?;
    let values = match kind {
        None => Vec::new(),
        Some(Kind::Set) => kv.unsorted_set(key).members()?,
        Some(Kind::SortedSet) => kv.sorted_set(key).range(0, -1)?.into_iter().map(|(member, _)| member).collect(),
        // It also refuses the other kinds.
        Some(_) => kv.list(key).range(0, -1)?,
    };
    Ok((kind, values))
}

/// By what a value is sorted.
enum Weight {
    Number(f64),
    /// `None` comes first.
    Text(Option<Vec<u8>>),
}

impl Weight {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

fn sorted(call: &Call<'_>, values: Vec<Vec<u8>>, options: &Options<'_>) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut weighted = Vec::with_capacity(values.len());
    for value in values {
        let text = match options.by {
            Some(pattern) => look_up(call, pattern, &value)?,
            None => Some(value.clone()),
        };
        let weight = if options.is_alphabetic {
            Weight::Text(text)
        } else {
            Weight::Number(
                text.map_or(Some(0.0), |text| number(&text))
                    .ok_or("ERR One or more scores can't be converted into double")?,
            )
        };
        weighted.push((weight, value));
    }
    weighted.sort_by(|(a, one), (b, two)| {
        let order = a.compare(b).then_with(|| one.cmp(two));
        if options.is_descending { order.reverse() } else { order }
    });
    Ok(weighted.into_iter().map(|(_, value)| value).collect())
}

/// The number that a value spells; C's `strtod` makes 0 of an empty one, and passes over spaces before it.
fn number(text: &[u8]) -> Option<f64> {
    if text.is_empty() { Some(0.0) } else { float(text.trim_ascii_start()) }
}

fn limited(values: Vec<Vec<u8>>, limit: Option<(i64, i64)>) -> impl Iterator<Item = Vec<u8>> {
    let (offset, count) = limit.unwrap_or((0, -1));
    let count = if count < 0 { usize::MAX } else { usize::try_from(count).unwrap_or(usize::MAX) };
    values.into_iter().skip(usize::try_from(offset.max(0)).unwrap_or(usize::MAX)).take(count)
}

/// What `pattern` names when `value` is put in the place of its star: a string, or with `->` a field of a hash.
fn look_up(call: &Call<'_>, pattern: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    if pattern == b"#" {
        return Ok(Some(value.to_vec()));
    }
    let Some(star) = pattern.iter().position(|byte| *byte == b'*') else { return Ok(None) };
    let (before, after) = pattern.split_at(star);
    let after = after.get(1..).unwrap_or_default();
    // An arrow with nothing behind it belongs to the key.
    let arrow = after.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < after.len());
    let (after, field) = match arrow {
        Some(at) => (after.get(..at).unwrap_or_default(), after.get(at + 2..)),
        None => (after, None),
    };
    let key = [before, value, after].concat();
    let found = match field {
        Some(field) => call.kv().hash(key).get(field),
        None => call.kv().get(key),
    };
    absent_if_other(found)
}

/// A key of another kind holds nothing that is looked for, and one that is too long nothing at all.
fn absent_if_other(found: error::Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>, Refusal> {
    match found {
        Err(Error::WrongType { .. } | Error::LimitExceeded { .. }) => Ok(None),
        found => Ok(found?),
    }
}

fn store(call: &mut Call<'_>, destination: &[u8], parts: Vec<Option<Vec<u8>>>) -> Outcome {
    let kv = call.kv();
    let count = parts.len();
    kv.remove(destination)?;
    kv.list(destination).push(End::Back, parts.into_iter().map(Option::unwrap_or_default))?;
    call.reply.count(count as u64);
    Ok(())
}
