//! Scans: a part of a collection at a time, from where the last part ended.
//!
//! A cursor stands for the key, field or member after which the scan goes on, so that what was there all the time is
//! given exactly once, whatever comes and goes meanwhile.

use crate::error::Error;
use crate::glob;
use crate::server::redis::commands::kind;
use crate::server::redis::frame::reply::format_double;
use crate::server::redis::run::command::{Call, Outcome, Refusal, is};

/// What a scan is asked for.
struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    kind: Option<&'a [u8]>,
}

impl Options<'_> {
    fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

pub(super) fn scan(call: &mut Call<'_>) -> Outcome {
    let (after, options) = begin(call, 1)?;
    let part = call.kv().keys_after(after.as_deref(), options.count)?;
    let cursor = end(call, part.len() < options.count, part.last().map(|(key, _)| key));
    let wanted: Vec<_> = part
        .into_iter()
        .filter(|(key, kind)| options.matches(key) && options.kind.is_none_or(|wanted| is(wanted, kind::name(*kind))))
        .map(|(key, _)| key)
        .collect();
    call.reply.array(2);
    call.reply.bulk(cursor);
    call.reply.bulks(wanted);
    Ok(())
}

pub(super) fn hscan(call: &mut Call<'_>) -> Outcome {
    let Some((after, options)) = begin_in(call, |call| call.kv().hash(call.word(1)).is_empty())? else { return Ok(()) };
    let part = call.kv().hash(call.word(1)).entries_after(after.as_deref(), options.count)?;
    let cursor = end(call, part.len() < options.count, part.last().map(|(field, _)| field));
    let wanted = part.into_iter().filter(|(field, _)| options.matches(field));
    let flat: Vec<_> = wanted.flat_map(|(field, value)| [field, value]).collect();
    call.reply.array(2);
    call.reply.bulk(cursor);
    call.reply.bulks(flat);
    Ok(())
}

pub(super) fn sscan(call: &mut Call<'_>) -> Outcome {
    let Some((after, options)) = begin_in(call, |call| call.kv().unsorted_set(call.word(1)).is_empty())? else {
        return Ok(());
    };
    let part = call.kv().unsorted_set(call.word(1)).members_after(after.as_deref(), options.count)?;
    let cursor = end(call, part.len() < options.count, part.last());
    let wanted: Vec<_> = part.into_iter().filter(|member| options.matches(member)).collect();
    call.reply.array(2);
    call.reply.bulk(cursor);
    call.reply.bulks(wanted);
    Ok(())
}

pub(super) fn zscan(call: &mut Call<'_>) -> Outcome {
    let Some((after, options)) = begin_in(call, |call| call.kv().sorted_set(call.word(1)).is_empty())? else {
        return Ok(());
    };
    let part = call.kv().sorted_set(call.word(1)).members_after(after.as_deref(), options.count)?;
    let cursor = end(call, part.len() < options.count, part.last().map(|(member, _)| member));
    let wanted: Vec<_> = part.into_iter().filter(|(member, _)| options.matches(member)).collect();
    call.reply.array(2);
    call.reply.bulk(cursor);
    call.reply.array(wanted.len() * 2);
    for (member, score) in wanted {
        call.reply.bulk(member);
        call.reply.bulk(format_double(score));
    }
    Ok(())
}

type Begun<'a> = (Option<Vec<u8>>, Options<'a>);

/// As [`begin`], of a collection. As in Redis the options of one that is not there are not looked at: `None` when the
/// reply is written.
fn begin_in<'a>(
    call: &mut Call<'a>,
    is_empty: impl FnOnce(&Call<'a>) -> Result<bool, Error>,
) -> Result<Option<Begun<'a>>, Refusal> {
    cursor(call, 2)?;
    if is_empty(call)? {
        call.reply.array(2);
        call.reply.bulk("0");
        call.reply.array(0);
        return Ok(None);
    }
    begin(call, 2).map(Some)
}

fn cursor(call: &Call<'_>, at: usize) -> Result<u64, Refusal> {
    let text = std::str::from_utf8(call.word(at)).ok();
    text.and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| "ERR invalid cursor".into())
}

/// Where the scan goes on, and its options. The cursor is the word at a place.
fn begin<'a>(call: &Call<'a>, at: usize) -> Result<Begun<'a>, Refusal> {
    let cursor = cursor(call, at)?;
    let mut options = Options { pattern: None, count: 10, kind: None };
    let (pairs, rest) = call.rest(at + 1).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    for [name, value] in pairs {
        if is(name, "match") {
            options.pattern = Some(value);
        } else if is(name, "count") {
            let count = crate::server::redis::run::command::integer(value).ok_or_else(Refusal::not_an_integer)?;
            options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(Refusal::syntax)?;
        } else if is(name, "type") && at == 1 {
            options.kind = Some(value);
        } else {
            return Err(Refusal::syntax());
        }
    }
    let after = match cursor {
        0 => None,
        cursor => {
            Some(call.door.scans.borrow().get(cursor).ok_or("ERR invalid cursor: the scan is forgotten, begin again")?)
        }
    };
    Ok((after, options))
}

/// The cursor of what comes next: 0 at the end.
fn end(call: &Call<'_>, is_done: bool, last: Option<&Vec<u8>>) -> String {
    match last {
        Some(last) if !is_done => call.door.scans.borrow_mut().insert(last.clone()).to_string(),
        _ => "0".to_owned(),
    }
}
