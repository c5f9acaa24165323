//! Groups of a stream's consumers: making them, and what is pending in them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::kv::StreamId;
use crate::kv::stream::{AutoClaimed, ClaimOptions, GROUP, Group, GroupOptions, PendingEntry, PendingSummary, Start};
use crate::server::redis::commands::missing;
use crate::server::redis::commands::streams::{end, id, ids, start, unsigned, write_entries, write_ids};
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{
    Call, Handler, Outcome, Refusal, command, container, help, integer, is, unknown_option,
};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("xack", xack),
    command("xautoclaim", xautoclaim),
    command("xclaim", xclaim),
    container("xgroup", SUBCOMMANDS),
    command("xpending", xpending),
];

const SUBCOMMANDS: &[Handler] = &[
    command("create", create),
    command("createconsumer", create_consumer),
    command("delconsumer", delete_consumer),
    command("destroy", destroy),
    command("help", help),
    command("setid", set_id),
];

/// The group whose key and name are the words from a place on.
fn group<'a>(call: &Call<'a>, at: usize) -> Group<InTransaction<'a>> {
    call.kv().stream(call.word(at)).group(call.word(at + 1))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let (mut options, mut words) = (GroupOptions::default(), call.rest(5));
    loop {
        words = match words {
            [] => break,
            [word, rest @ ..] if is(word, "mkstream") => {
                options = options.make_stream();
                rest
            }
            [word, entries, rest @ ..] if is(word, "entriesread") => {
                if let Some(entries) = entries_read(entries)? {
                    options = options.entries_read(entries);
                }
                rest
            }
            _ => return Err(unknown_option(call)),
        };
    }
    let start = match call.word(4) {
        b"$" => Start::End,
        word => Start::After(id(word)?),
    };
    group(call, 2).create_with(start, options).map_err(missing::managing(call.word(2)))?;
    call.reply.ok();
    Ok(())
}

fn set_id(call: &mut Call<'_>) -> Outcome {
    let entries = match call.rest(5) {
        [] => None,
        [word, entries] if is(word, "entriesread") => entries_read(entries)?,
        _ => return Err(unknown_option(call)),
    };
    let start = match call.word(4) {
        b"$" => Start::End,
        b"-" => Start::After(StreamId::MIN),
        b"+" => Start::After(StreamId::MAX),
        word => Start::After(id(word)?),
    };
    group(call, 2).set_id(start, entries).map_err(missing::managing(call.word(2)))?;
    call.reply.ok();
    Ok(())
}

/// How many entries were read; -1 is that it is not known.
fn entries_read(word: &[u8]) -> Result<Option<u64>, Refusal> {
    match integer(word).ok_or_else(Refusal::not_an_integer)? {
        -1 => Ok(None),
        entries => match u64::try_from(entries) {
            Ok(entries) => Ok(Some(entries)),
            Err(_) => Err("ERR value for ENTRIESREAD must be positive or -1".into()),
        },
    }
}

fn destroy(call: &mut Call<'_>) -> Outcome {
    let destroyed = group(call, 2).remove().map_err(missing::managing(call.word(2)))?;
    call.reply.flag(destroyed);
    Ok(())
}

fn create_consumer(call: &mut Call<'_>) -> Outcome {
    let created = group(call, 2).create_consumer(call.word(4)).map_err(missing::managing(call.word(2)))?;
    call.reply.flag(created);
    Ok(())
}

fn delete_consumer(call: &mut Call<'_>) -> Outcome {
    let lost = group(call, 2).remove_consumer(call.word(4)).map_err(missing::managing(call.word(2)))?;
    call.reply.count(lost);
    Ok(())
}

fn xack(call: &mut Call<'_>) -> Outcome {
    let group = group(call, 1);
    // Redis looks at the ids only when there is a group.
    let acknowledged = if group.exists()? { group.acknowledge(ids(call.rest(3))?)? } else { 0 };
    call.reply.count(acknowledged);
    Ok(())
}

fn xpending(call: &mut Call<'_>) -> Outcome {
    let (min_idle, range) = match call.rest(3) {
        [] => {
            let pending = group(call, 1).pending().map_err(missing::pending(call.word(1), call.word(2)))?;
            write_summary(call.reply, &pending);
            return Ok(());
        }
        [word, idle, range @ ..] if is(word, "idle") => (unsigned(idle)?, range),
        // What follows the consumer is not looked at.
        range => (0, range.get(..4).unwrap_or(range)),
    };
    let (low, high, count, consumer) = match range {
        [low, high, count] => (low, high, count, None),
        [low, high, count, consumer] => (low, high, count, Some(consumer)),
        _ => return Err(Refusal::syntax()),
    };
    let count = unsigned(count)?;
    let bounds = (start(low)?, end(high)?);
    let group = group(call, 1);
    let mut query = group.pending_entries(bounds).idle(Duration::from_millis(min_idle)).limit(count);
    if let Some(consumer) = consumer {
        query = query.consumer(consumer);
    }
    let entries = query.entries().map_err(missing::pending(call.word(1), call.word(2)))?;
    write_pending(call.reply, &entries);
    Ok(())
}

fn write_summary(reply: &mut Reply, pending: &PendingSummary) {
    reply.array(4);
    reply.count(pending.count);
    reply.bulk_or_nil(pending.first.map(|id| id.to_string()));
    reply.bulk_or_nil(pending.last.map(|id| id.to_string()));
    if pending.count == 0 {
        return reply.nil_array();
    }
    reply.array(pending.consumers.len());
    for (name, count) in &pending.consumers {
        reply.bulks([name, count.to_string().as_bytes()]);
    }
}

fn write_pending(reply: &mut Reply, entries: &[PendingEntry]) {
    reply.array(entries.len());
    for entry in entries {
        reply.array(4);
        reply.bulk(entry.id.to_string());
        reply.bulk(&entry.consumer);
        reply.integer(i64::try_from(entry.idle.as_millis()).unwrap_or(i64::MAX));
        reply.count(entry.deliveries);
    }
}

fn xclaim(call: &mut Call<'_>) -> Outcome {
    let group = group(call, 1);
    require(call, &group)?;
    let (consumer, min_idle) = (call.word(3), min_idle(call, "XCLAIM")?);
    let count = call.rest(5).iter().take_while(|word| id(word).is_ok()).count();
    let ids = ids(call.rest(5).get(..count).unwrap_or_default())?;
    let (options, only_ids) = claim_options(call, call.rest(5 + count))?;
    let none = missing::pending(call.word(1), call.word(2));
    if only_ids {
        let claimed = group.claim_ids(consumer, min_idle, ids, &options).map_err(&none)?;
        changes::note(call, claimed.len() as u64);
        write_ids(call.reply, &claimed);
    } else {
        let claimed = group.claim(consumer, min_idle, ids, &options).map_err(&none)?;
        changes::note(call, claimed.len() as u64);
        write_entries(call.reply, &claimed);
    }
    Ok(())
}

/// Refuses a group that is not there before the words are looked at.
fn require(call: &Call<'_>, group: &Group<InTransaction<'_>>) -> Outcome {
    if group.exists()? {
        return Ok(());
    }
    Err(missing::pending(call.word(1), call.word(2))(Error::NotFound { what: GROUP, name: String::new() }))
}

fn min_idle(call: &Call<'_>, name: &str) -> Result<Duration, Refusal> {
    let millis = integer(call.word(4)).ok_or_else(|| format!("ERR Invalid min-idle-time argument for {name}"))?;
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

/// The options of `XCLAIM`, and whether only ids are wanted.
fn claim_options(call: &Call<'_>, mut words: &[&[u8]]) -> Result<(ClaimOptions, bool), Refusal> {
    let (mut options, mut only_ids) = (ClaimOptions::default(), false);
    let number = |name: &str, word: &[u8]| {
        integer(word).ok_or_else(|| Refusal::from(format!("ERR Invalid {name} option argument for XCLAIM")))
    };
    while let [name, rest @ ..] = words {
        words = match rest {
            rest if is(name, "force") => {
                options = options.force();
                rest
            }
            rest if is(name, "justid") => {
                only_ids = true;
                rest
            }
            [idle, rest @ ..] if is(name, "idle") => {
                // A time to come is now.
                let idle = u64::try_from(number("IDLE", idle)?).unwrap_or(0);
                options = options.idle(Duration::from_millis(idle));
                rest
            }
            [time, rest @ ..] if is(name, "time") => {
                let micros = number("TIME", time)?.checked_mul(1_000);
                let time = micros.map_or_else(|| call.door.store.now(), Timestamp::from_micros);
                options = options.time(time);
                rest
            }
            [count, rest @ ..] if is(name, "retrycount") => {
                // A negative one is as if it were not there.
                if let Ok(count) = u64::try_from(number("RETRYCOUNT", count)?) {
                    options = options.deliveries(count);
                }
                rest
            }
            [last, rest @ ..] if is(name, "lastid") => {
                options = options.last_id(id(last)?);
                rest
            }
            _ => {
                let name = String::from_utf8_lossy(name);
                return Err(format!("ERR Unrecognized XCLAIM option '{name}'").into());
            }
        };
    }
    Ok((options, only_ids))
}

/// Pending entries that an automatic claim takes unless it is said otherwise.
const AUTO_CLAIM_COUNT: u64 = 100;

fn xautoclaim(call: &mut Call<'_>) -> Outcome {
    let (consumer, min_idle) = (call.word(3), min_idle(call, "XAUTOCLAIM")?);
    let begin = match start(call.word(5))? {
        std::ops::Bound::Excluded(id) => id.next().ok_or("ERR invalid start ID for the interval")?,
        std::ops::Bound::Included(id) => id,
        std::ops::Bound::Unbounded => StreamId::MIN,
    };
    let (mut count, mut only_ids, mut words) = (AUTO_CLAIM_COUNT, false, call.rest(6));
    loop {
        words = match words {
            [] => break,
            [word, number, rest @ ..] if is(word, "count") => {
                let number = integer(number).and_then(|number| u64::try_from(number).ok());
                // As much as Redis could keep the ids of.
                let number = number.filter(|number| (1..=i64::MAX.unsigned_abs() / 16).contains(number));
                count = number.ok_or("ERR COUNT must be > 0")?;
                rest
            }
            [word, rest @ ..] if is(word, "justid") => {
                only_ids = true;
                rest
            }
            _ => return Err(Refusal::syntax()),
        };
    }
    let (group, none) = (group(call, 1), missing::pending(call.word(1), call.word(2)));
    if only_ids {
        let AutoClaimed { next, claimed, deleted } =
            group.auto_claim_ids(consumer, min_idle, begin, count).map_err(&none)?;
        changes::note(call, (claimed.len() + deleted.len()) as u64);
        write_claimed(call.reply, next, &deleted, |reply| write_ids(reply, &claimed));
    } else {
        let AutoClaimed { next, claimed, deleted } =
            group.auto_claim(consumer, min_idle, begin, count).map_err(&none)?;
        changes::note(call, (claimed.len() + deleted.len()) as u64);
        write_claimed(call.reply, next, &deleted, |reply| write_entries(reply, &claimed));
    }
    Ok(())
}

fn write_claimed(reply: &mut Reply, next: StreamId, deleted: &[StreamId], claimed: impl FnOnce(&mut Reply)) {
    reply.array(3);
    reply.bulk(next.to_string());
    claimed(reply);
    write_ids(reply, deleted);
}
