//! Streams: adding, removing and asking for entries. Reading on: `stream_reads.rs`; groups: `stream_groups.rs`.

use std::ops::Bound;

use crate::engine::Direction;
use crate::kv::stream::{AddOptions, Entry, Fields, NewId, Trim};
use crate::kv::{Stream, StreamId};
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("xadd", xadd),
    command("xdel", xdel),
    command("xlen", xlen),
    command("xrange", |call| xrange(call, Direction::Forward)),
    command("xrevrange", |call| xrange(call, Direction::Backward)),
    command("xsetid", xsetid),
    command("xtrim", xtrim),
];

/// The stream that the word after the command's name is the key of.
pub(super) fn stream<'a>(call: &Call<'a>) -> Stream<InTransaction<'a>> {
    call.kv().stream(call.word(1))
}

/// What the words of `XADD` and `XTRIM` say, up to the id or to the end.
#[derive(Default)]
struct Changes {
    trim: Option<Trim>,
    only_existing: bool,
    id: NewId,
    /// The first word behind them.
    end: usize,
}

fn xadd(call: &mut Call<'_>) -> Outcome {
    let changes = changes(call, true)?;
    let (pairs, rest) = call.rest(changes.end).as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err("ERR wrong number of arguments for 'xadd' command".into());
    }
    let mut options = AddOptions::default();
    if changes.only_existing {
        options = options.only_existing();
    }
    if let Some(trim) = changes.trim {
        options = options.trim(trim);
    }
    let id = stream(call).add_with(changes.id, pairs.iter().map(|[name, value]| (name, value)), &options)?;
    call.reply.bulk_or_nil(id.map(|id| id.to_string()));
    Ok(())
}

fn xtrim(call: &mut Call<'_>) -> Outcome {
    let Some(trim) = changes(call, false)?.trim else {
        return Err("ERR syntax error, XTRIM must be called with a trimming strategy".into());
    };
    let removed = stream(call).trim(trim)?;
    call.reply.count(removed);
    Ok(())
}

/// Nodes that `~` trims at once unless there is a `LIMIT`.
const TRIMMED_NODES: u64 = 100;

/// Entries that it trims where nodes have no bound.
const TRIMMED_ENTRIES: u64 = 10_000;

/// Entries that it trims at most.
const TRIMMED_ENTRIES_MAX: u64 = 1_000_000;

fn changes(call: &Call<'_>, is_add: bool) -> Result<Changes, Refusal> {
    let mut changes = Changes { end: 2, ..Changes::default() };
    let (mut is_approximate, mut limit) = (false, None);
    loop {
        let rest = call.rest(changes.end);
        changes.end += match rest {
            [] => break,
            [name, value, ..] if is(name, "maxlen") || is(name, "minid") => {
                if changes.trim.is_some() {
                    let text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
                    return Err(text.into());
                }
                let has_sign = rest.len() > 2 && (*value == b"~" || *value == b"=");
                is_approximate = has_sign && *value == b"~";
                let threshold = rest.get(if has_sign { 2 } else { 1 }).copied().unwrap_or_default();
                changes.trim = Some(trim(threshold, is(name, "maxlen"))?);
                if has_sign { 3 } else { 2 }
            }
            [name, value, ..] if is(name, "limit") => {
                let value = integer(value).ok_or_else(Refusal::not_an_integer)?;
                limit = Some(u64::try_from(value).map_err(|_| "ERR The LIMIT argument must be >= 0.")?);
                2
            }
            [name, ..] if is_add && is(name, "nomkstream") => {
                changes.only_existing = true;
                1
            }
            [id, ..] if is_add => {
                changes.id = text(id)?.parse()?;
                changes.end += 1;
                break;
            }
            _ => return Err(Refusal::syntax()),
        };
    }
    if limit.is_some_and(|limit| limit > 0) && changes.trim.is_none() {
        return Err("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy".into());
    }
    if limit.is_some() && !is_approximate && (is_add || changes.trim.is_some()) {
        return Err("ERR syntax error, LIMIT cannot be used without the special ~ option".into());
    }
    if is_approximate {
        let parameters = &call.door.parameters;
        let entries = parameters.stream_node_entries();
        // Unless it is said otherwise, a command trims no more than this at once.
        let limit = limit.unwrap_or(match entries.saturating_mul(TRIMMED_NODES) {
            0 => TRIMMED_ENTRIES,
            entries => entries.min(TRIMMED_ENTRIES_MAX),
        });
        let bytes = parameters.stream_node_bytes();
        changes.trim = changes.trim.map(|trim| trim.approximate().whole_nodes(entries, bytes).limit(limit));
    }
    Ok(changes)
}

fn trim(threshold: &[u8], is_len: bool) -> Result<Trim, Refusal> {
    if !is_len {
        return Ok(Trim::min_id(id(threshold)?));
    }
    let len = integer(threshold).ok_or_else(Refusal::not_an_integer)?;
    Ok(Trim::max_len(u64::try_from(len).map_err(|_| "ERR The MAXLEN argument must be >= 0.")?))
}

fn xlen(call: &mut Call<'_>) -> Outcome {
    let len = stream(call).len()?;
    call.reply.count(len);
    Ok(())
}

fn xdel(call: &mut Call<'_>) -> Outcome {
    let stream = stream(call);
    // Redis looks at the ids only when there is a stream.
    stream.len()?;
    let removed = if call.kv().exists(call.word(1))? { stream.remove(ids(call.rest(2))?)? } else { 0 };
    call.reply.count(removed);
    Ok(())
}

fn xrange(call: &mut Call<'_>, direction: Direction) -> Outcome {
    // Backwards the higher bound comes first.
    let (low, high) = match direction {
        Direction::Forward => (call.word(2), call.word(3)),
        Direction::Backward => (call.word(3), call.word(2)),
    };
    let bounds = (start(low)?, end(high)?);
    let mut count = None;
    let (options, rest) = call.rest(4).as_chunks::<2>();
    for [name, value] in options {
        if !is(name, "count") {
            return Err(Refusal::syntax());
        }
        count = Some(unsigned(value)?);
    }
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    let stream = stream(call);
    let entries = match direction {
        Direction::Forward => stream.range(bounds, count)?,
        Direction::Backward => stream.reverse_range(bounds, count)?,
    };
    if count == Some(0) && call.kv().exists(call.word(1))? {
        call.reply.nil_array();
        return Ok(());
    }
    write_entries(call.reply, &entries);
    Ok(())
}

fn xsetid(call: &mut Call<'_>) -> Outcome {
    let last = id(call.word(2))?;
    let (mut added, mut max_deleted) = (None, None);
    let (options, rest) = call.rest(3).as_chunks::<2>();
    for [name, value] in options {
        if is(name, "entriesadded") {
            let number = integer(value).ok_or_else(Refusal::not_an_integer)?;
            added = Some(u64::try_from(number).map_err(|_| "ERR entries_added must be positive")?);
        } else if is(name, "maxdeletedid") {
            max_deleted = Some(id(value)?);
        } else {
            return Err(Refusal::syntax());
        }
    }
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    stream(call).set_id(last, added, max_deleted)?;
    call.reply.ok();
    Ok(())
}

/// A word that is to be an id, which has no other bytes than letters of ASCII.
pub(super) fn text(word: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(word).map_err(|_| "ERR Invalid stream ID specified as stream command argument".into())
}

pub(super) fn id(word: &[u8]) -> Result<StreamId, Refusal> {
    Ok(text(word)?.parse()?)
}

pub(super) fn ids(words: &[&[u8]]) -> Result<Vec<StreamId>, Refusal> {
    words.iter().map(|word| id(word)).collect()
}

/// The number of a word; a negative one counts as 0.
pub(super) fn unsigned(word: &[u8]) -> Result<u64, Refusal> {
    Ok(u64::try_from(integer(word).ok_or_else(Refusal::not_an_integer)?).unwrap_or(0))
}

/// Where an interval begins: a time alone stands for its first id.
pub(super) fn start(word: &[u8]) -> Result<Bound<StreamId>, Refusal> {
    bound(word, 0)
}

/// Where an interval ends: a time alone stands for its last id.
pub(super) fn end(word: &[u8]) -> Result<Bound<StreamId>, Refusal> {
    bound(word, u64::MAX)
}

fn bound(word: &[u8], seq: u64) -> Result<Bound<StreamId>, Refusal> {
    let whole = |word: &[u8]| {
        let id = id(word)?;
        Ok::<_, Refusal>(if word.contains(&b'-') { id } else { StreamId { seq, ..id } })
    };
    match word {
        b"-" => Ok(Bound::Included(StreamId::MIN)),
        b"+" => Ok(Bound::Included(StreamId::MAX)),
        [b'(', word @ ..] => whole(word).map(Bound::Excluded),
        word => whole(word).map(Bound::Included),
    }
}

pub(super) fn write_entries(reply: &mut Reply, entries: &[Entry]) {
    reply.array(entries.len());
    for entry in entries {
        write_entry(reply, entry.id, Some(&entry.fields));
    }
}

/// An entry, which has no fields when it is only pending.
pub(super) fn write_entry(reply: &mut Reply, id: StreamId, fields: Option<&Fields>) {
    reply.array(2);
    reply.bulk(id.to_string());
    let Some(fields) = fields else { return reply.nil_array() };
    reply.array(fields.len() * 2);
    for (name, value) in fields {
        reply.bulk(name);
        reply.bulk(value);
    }
}

pub(super) fn write_ids(reply: &mut Reply, ids: &[StreamId]) {
    reply.array(ids.len());
    for id in ids {
        reply.bulk(id.to_string());
    }
}
