//! Reading what comes after an id, for oneself or as one of a group's consumers.

use std::time::Duration;

use crate::kv::stream::Fields;
use crate::kv::{Kind, StreamId};
use crate::server::redis::commands::missing;
use crate::server::redis::commands::streams::{id, unsigned, write_entry};
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};
use crate::server::redis::state::session::{Awaited, Waiting, Wants};

pub(super) const COMMANDS: &[Handler] = &[command("xread", xread), command("xreadgroup", xreadgroup)];

/// What the words ask for.
#[derive(Default)]
struct Request<'a> {
    count: Option<u64>,
    block: Block,
    group: Option<(&'a [u8], &'a [u8])>,
    is_acknowledged: bool,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
}

/// Whether to wait when there is nothing, and for how long.
#[derive(Clone, Copy, Default)]
enum Block {
    #[default]
    Not,
    For(Duration),
    Forever,
}

/// Where reading one stream begins.
#[derive(Clone, Copy)]
enum From {
    After(StreamId),
    /// With what the group has not delivered yet.
    New,
}

/// What was read of one stream. An entry without fields is pending, but no longer in the stream.
type Part<'a> = (&'a [u8], Vec<(StreamId, Option<Fields>)>);

fn xread(call: &mut Call<'_>) -> Outcome {
    let request = Request::of(call, "xread")?;
    let from = request.keys.iter().zip(request.ids).map(|(key, word)| begin(call, key, word));
    let from = from.collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    for (key, after) in request.keys.iter().zip(&from) {
        let entries = call.kv().stream(key).read_after(*after, request.count)?;
        if !entries.is_empty() {
            parts.push((*key, entries.into_iter().map(|entry| (entry.id, Some(entry.fields))).collect()));
        }
    }
    if parts.is_empty() {
        // When it runs again, `$` must mean what it means now.
        wait(call, &request, from.iter().map(|id| id.to_string().into_bytes()).collect());
    } else {
        write(call, &parts);
    }
    Ok(())
}

fn begin(call: &Call<'_>, key: &[u8], word: &[u8]) -> Result<StreamId, Refusal> {
    // Also asked for when it is not needed: a key of another kind is refused.
    let last = call.kv().stream(key).last_id()?;
    match word {
        b"$" => Ok(last),
        b">" => Err("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> \
                     option."
            .into()),
        word => id(word),
    }
}

fn xreadgroup(call: &mut Call<'_>) -> Outcome {
    let request = Request::of(call, "xreadgroup")?;
    let (group, consumer) = request.group.ok_or("ERR Missing GROUP option for XREADGROUP")?;
    let from = request.keys.iter().zip(request.ids).map(|(key, word)| begin_in_group(call, key, group, word));
    let from = from.collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    for (key, from) in request.keys.iter().zip(from) {
        let group = call.kv().stream(key).group(group);
        let entries = match from {
            From::After(after) => {
                // What is pending for the consumer is answered at once, be it nothing.
                parts.push((*key, group.read_again(consumer, after, request.count)?));
                continue;
            }
            From::New if request.is_acknowledged => group.read_acknowledged(consumer, request.count)?,
            From::New => group.read(consumer, request.count)?,
        };
        if !entries.is_empty() {
            parts.push((*key, entries.into_iter().map(|entry| (entry.id, Some(entry.fields))).collect()));
        }
    }
    // That a consumer was there, and found nothing, is no change.
    changes::note(call, parts.len() as u64);
    if parts.is_empty() {
        wait(call, &request, request.ids.iter().map(|word| word.to_vec()).collect());
    } else {
        write(call, &parts);
    }
    Ok(())
}

fn begin_in_group(call: &Call<'_>, key: &[u8], group: &[u8], word: &[u8]) -> Result<From, Refusal> {
    if !call.kv().stream(key).group(group).exists()? {
        return Err(missing::reading(key, group));
    }
    match word {
        b">" => Ok(From::New),
        b"$" => Err("ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                     consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just \
                     return an empty result set."
            .into()),
        // Redis has the greatest id stand for `>`.
        word => id(word).map(|id| if id == StreamId::MAX { From::New } else { From::After(id) }),
    }
}

impl<'a> Request<'a> {
    fn of(call: &Call<'a>, name: &str) -> Result<Self, Refusal> {
        let (mut request, is_group) = (Self::default(), name == "xreadgroup");
        let mut words = call.rest(1);
        loop {
            words = match words {
                [word, time, rest @ ..] if is(word, "block") => {
                    request.block = block(call, time)?;
                    rest
                }
                [word, count, rest @ ..] if is(word, "count") => {
                    // 0 is no limit.
                    request.count = Some(unsigned(count)?).filter(|count| *count > 0);
                    rest
                }
                [word, rest @ ..] if is(word, "streams") && !rest.is_empty() => {
                    (request.keys, request.ids) = halves(rest, name)?;
                    return Ok(request);
                }
                [word, _, _, ..] if is(word, "group") && !is_group => {
                    return Err(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.".into()
                    );
                }
                [word, group, consumer, rest @ ..] if is(word, "group") => {
                    request.group = Some((group, consumer));
                    rest
                }
                [word, ..] if is(word, "noack") && !is_group => {
                    return Err(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.".into()
                    );
                }
                [word, rest @ ..] if is(word, "noack") => {
                    request.is_acknowledged = true;
                    rest
                }
                _ => return Err(Refusal::syntax()),
            };
        }
    }
}

type Words<'a> = &'a [&'a [u8]];

/// Keys, and as many ids.
fn halves<'a>(words: Words<'a>, name: &str) -> Result<(Words<'a>, Words<'a>), Refusal> {
    if words.len() % 2 == 1 {
        let symbol = if name == "xreadgroup" { '>' } else { '$' };
        return Err(format!(
            "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{symbol}' must be specified."
        )
        .into());
    }
    Ok(words.split_at(words.len() / 2))
}

fn block(call: &Call<'_>, word: &[u8]) -> Result<Block, Refusal> {
    let millis = integer(word).ok_or("ERR timeout is not an integer or out of range")?;
    if millis.checked_add(call.door.store.now().as_millis()).is_none() {
        return Err("ERR timeout is out of range".into());
    }
    let millis = u64::try_from(millis).map_err(|_| "ERR timeout is negative")?;
    Ok(if millis == 0 { Block::Forever } else { Block::For(Duration::from_millis(millis)) })
}

/// Answers that there is nothing, and waits where `BLOCK` says so; it runs again with these ids.
fn wait(call: &mut Call<'_>, request: &Request<'_>, ids: Vec<Vec<u8>>) {
    call.reply.nil_array();
    let timeout = match request.block {
        Block::Not => return,
        Block::For(time) => Some(time),
        Block::Forever => None,
    };
    let others = call.words.len().saturating_sub(2 * ids.len());
    let before = call.words.iter().take(others).map(|word| word.to_vec()).collect();
    let keys = request.keys.iter().zip(ids).map(|(key, id)| Awaited { key: key.to_vec(), id: Some(id) }).collect();
    // Whoever reads for a group learns that it is gone.
    let wants = if request.group.is_some() { Wants::Anything } else { Wants::Kind(Kind::Stream) };
    call.wait(Waiting { wants, before, after: Vec::new(), keys, timeout });
}

/// In RESP3 a map; in RESP2 pairs.
fn write(call: &mut Call<'_>, parts: &[Part<'_>]) {
    let is_map = call.reply.protocol == Protocol::Resp3;
    if is_map {
        call.reply.map(parts.len());
    } else {
        call.reply.array(parts.len());
    }
    for (key, entries) in parts {
        if !is_map {
            call.reply.array(2);
        }
        call.reply.bulk(key);
        call.reply.array(entries.len());
        for (id, fields) in entries {
            write_entry(call.reply, *id, fields.as_ref());
        }
    }
}
