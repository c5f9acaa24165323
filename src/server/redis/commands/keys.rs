//! Keys whatever they hold.

use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::Error;
use crate::kv::{End, EvictionPolicy, Kind, Kv, Ttl};
use crate::server::redis::commands::{kind, scan};
use crate::server::redis::config::Parameters;
use crate::server::redis::options::DATABASES;
use crate::server::redis::run::changes;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, container, help, integer, is};
use crate::txn::InTransaction;

pub(super) const COMMANDS: &[Handler] = &[
    command("copy", copy),
    command("dbsize", dbsize),
    command("del", del),
    command("exists", exists),
    command("expire", |call| expire(call, "expire", 1_000, false)),
    command("expireat", |call| expire(call, "expireat", 1_000, true)),
    command("expiretime", |call| expire_time(call, 1_000)),
    command("flushall", flush_all),
    command("flushdb", flush_db),
    command("keys", keys),
    command("move", move_key),
    container("object", OBJECT),
    command("persist", persist),
    command("pexpire", |call| expire(call, "pexpire", 1, false)),
    command("pexpireat", |call| expire(call, "pexpireat", 1, true)),
    command("pexpiretime", |call| expire_time(call, 1)),
    command("pttl", |call| ttl(call, 1)),
    command("randomkey", random_key),
    command("rename", rename),
    command("renamenx", rename_nx),
    command("scan", scan::scan),
    command("touch", touch),
    command("ttl", |call| ttl(call, 1_000)),
    command("type", kind),
    command("unlink", |call| remove(call, true)),
];

fn del(call: &mut Call<'_>) -> Outcome {
    let is_lazy = call.door.parameters.deletes_lazily();
    remove(call, is_lazy)
}

/// Elements from which on Redis leaves the removal of a value to a thread.
const LAZY_ELEMENTS: u64 = 64;

/// Removes keys. A removal that Redis would leave to a thread is counted; here it is done before the reply.
fn remove(call: &mut Call<'_>, is_lazy: bool) -> Outcome {
    let kv = call.kv();
    let mut removed = 0;
    for key in call.rest(1) {
        let is_large = is_lazy && effort(&kv, key)? > LAZY_ELEMENTS;
        if kv.remove(key)? {
            removed += 1;
            call.door.counters.lazily_freed(u64::from(is_large));
        }
    }
    call.reply.count(removed);
    Ok(())
}

/// Steps that Redis takes to remove a value: one for each element, of a list for each node.
fn effort(kv: &Kv<InTransaction<'_>>, key: &[u8]) -> Result<u64, Error> {
    /// Values of a node of a list, more or less.
    const NODE_VALUES: u64 = 128;
    Ok(match kv.kind(key)? {
        None | Some(Kind::String) => 0,
        Some(Kind::List) => kv.entries_of(key)? / NODE_VALUES,
        // Each member is there twice.
        Some(Kind::SortedSet) => kv.entries_of(key)? / 2,
        Some(Kind::Hash | Kind::Set | Kind::Stream) => kv.entries_of(key)?,
    })
}

fn touch(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let mut found = 0;
    for key in call.rest(1) {
        let exists = kv.touch(key)?;
        call.door.counters.lookup(exists);
        found += u64::from(exists);
    }
    call.reply.count(found);
    Ok(())
}

fn exists(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let mut found = 0;
    for key in call.rest(1) {
        let exists = kv.exists(key)?;
        call.door.counters.lookup(exists);
        found += u64::from(exists);
    }
    call.reply.count(found);
    Ok(())
}

fn kind(call: &mut Call<'_>) -> Outcome {
    let kind = call.kv().kind(call.word(1))?;
    call.reply.simple(kind.map_or("none", kind::name));
    Ok(())
}

fn ttl(call: &mut Call<'_>, unit: i64) -> Outcome {
    let kv = call.kv();
    let left = match kv.ttl(call.word(1))? {
        Ttl::Missing => -2,
        Ttl::Persistent => -1,
        // To the nearest unit, as Redis rounds.
        Ttl::Expires(left) => {
            let now = call.door.store.now();
            let millis = if now.saturating_add(left) == LAST {
                kv.deadline_millis(call.word(1))?.map_or(0, |millis| millis.saturating_sub(now.as_millis()))
            } else {
                i64::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX)
            };
            if unit == 1 { millis } else { millis.saturating_add(unit / 2) / unit }
        }
    };
    call.reply.integer(left);
    Ok(())
}

fn expire_time(call: &mut Call<'_>, unit: i64) -> Outcome {
    let kv = call.kv();
    let time = match kv.deadline_millis(call.word(1))? {
        // To the nearest unit, as Redis rounds.
        Some(millis) => millis.saturating_add(unit / 2) / unit,
        None if kv.exists(call.word(1))? => -1,
        None => -2,
    };
    call.reply.integer(time);
    Ok(())
}

fn expire(call: &mut Call<'_>, name: &str, unit: i64, is_absolute: bool) -> Outcome {
    let time = call.integer(2)?;
    let (mut only_new, mut only_old, mut later, mut earlier) = (false, false, false, false);
    for word in call.rest(3) {
        let flag = [("nx", &mut only_new), ("xx", &mut only_old), ("gt", &mut later), ("lt", &mut earlier)];
        let Some((_, flag)) = flag.into_iter().find(|(name, _)| is(word, name)) else {
            return Err(format!("ERR Unsupported option {}", String::from_utf8_lossy(word)).into());
        };
        *flag = true;
    }
    if only_new && (only_old || later || earlier) {
        return Err("ERR NX and XX, GT or LT options at the same time are not compatible".into());
    }
    if later && earlier {
        return Err("ERR GT and LT options at the same time are not compatible".into());
    }
    let invalid = || Refusal::Text(format!("ERR invalid expire time in '{name}' command"));
    let now = if is_absolute { 0 } else { call.door.store.now().as_millis() };
    let millis = time.checked_mul(unit).and_then(|millis| millis.checked_add(now)).ok_or_else(invalid)?;
    let kv = call.kv();
    let key = call.word(1);
    let before = kv.deadline(key)?;
    // Without a deadline a key lasts for ever (SEM: KV-EXP-4).
    let holds = match before {
        None => !only_old && !later,
        Some(before) => {
            let order = if before == LAST {
                Some(millis).cmp(&kv.deadline_millis(key)?)
            } else {
                micros_of(millis).cmp(&before)
            };
            !only_new && (!later || order.is_gt()) && (!earlier || order.is_lt())
        }
    };
    let done = holds && kv.expire_at(key, micros_of(millis))?;
    if done {
        kv.keep_far_deadline(key, millis)?;
    }
    changes::note(call, 1);
    call.reply.flag(done);
    Ok(())
}

/// The last moment that microseconds can express, which stands for all after it.
const LAST: Timestamp = Timestamp::from_micros(i64::MAX);

/// A moment in milliseconds as the store goes by it. One that microseconds cannot express is the last, or first, that
/// they can: it is hundreds of thousands of years away. [`Kv::keep_far_deadline`] keeps the milliseconds of it.
pub(super) fn micros_of(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis.saturating_mul(1_000))
}

fn persist(call: &mut Call<'_>) -> Outcome {
    let done = call.kv().persist(call.word(1))?;
    call.reply.flag(done);
    Ok(())
}

fn rename(call: &mut Call<'_>) -> Outcome {
    if !call.kv().rename(call.word(1), call.word(2))? {
        return Err("ERR no such key".into());
    }
    call.reply.ok();
    Ok(())
}

fn rename_nx(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    if !kv.exists(call.word(1))? {
        return Err("ERR no such key".into());
    }
    let is_free = !kv.exists(call.word(2))?;
    if is_free {
        kv.rename(call.word(1), call.word(2))?;
    }
    call.reply.flag(is_free);
    Ok(())
}

fn copy(call: &mut Call<'_>) -> Outcome {
    let (mut database, mut replace, mut at) = (call.session.database, false, 3);
    while at < call.words.len() {
        if is(call.word(at), "replace") {
            replace = true;
        } else if is(call.word(at), "db") && at + 1 < call.words.len() {
            at += 1;
            database = database_of(call, at)?;
        } else {
            return Err(Refusal::syntax());
        }
        at += 1;
    }
    let (from, to) = (call.word(1), call.word(2));
    if database == call.session.database && from == to {
        return Err("ERR source and destination objects are the same".into());
    }
    let (kv, target) = (call.kv(), call.kv_at(database));
    let copied = if replace { kv.copy(from, &target, to)? } else { kv.copy_if_absent(from, &target, to)? };
    call.reply.flag(copied);
    Ok(())
}

fn move_key(call: &mut Call<'_>) -> Outcome {
    let database = database_of(call, 2)?;
    if database == call.session.database {
        return Err("ERR source and destination objects are the same".into());
    }
    let moved = call.kv().move_to(call.word(1), &call.kv_at(database))?;
    call.reply.flag(moved);
    Ok(())
}

/// The database that the word at a place names.
pub(super) fn database_of(call: &Call<'_>, at: usize) -> Result<usize, Refusal> {
    let number = call.integer(at)?;
    let database = usize::try_from(number).ok().filter(|number| *number < DATABASES.len());
    database.ok_or_else(|| "ERR DB index is out of range".into())
}

fn keys(call: &mut Call<'_>) -> Outcome {
    let keys = call.kv().keys_matching(call.word(1))?;
    call.reply.bulks(keys);
    Ok(())
}

fn random_key(call: &mut Call<'_>) -> Outcome {
    let kv = call.kv();
    let mut found = kv.nth_key(call.door.random_below(kv.len()?))?;
    if found.is_none() {
        // Behind that place all have expired; before it there may be one.
        found = kv.nth_key(0)?;
    }
    call.reply.bulk_or_nil(found);
    Ok(())
}

fn dbsize(call: &mut Call<'_>) -> Outcome {
    let len = call.kv().len()?;
    call.reply.count(len);
    Ok(())
}

fn flush_db(call: &mut Call<'_>) -> Outcome {
    let database = call.session.database;
    flush(call, database..=database)
}

fn flush_all(call: &mut Call<'_>) -> Outcome {
    flush(call, 0..=DATABASES.len() - 1)
}

/// Both ways are the same here: what is flushed is gone before the reply. The keys that Redis would leave to a thread
/// are counted.
fn flush(call: &mut Call<'_>, databases: std::ops::RangeInclusive<usize>) -> Outcome {
    let is_lazy = match call.rest(1) {
        [] => call.door.parameters.flushes_lazily(),
        [word] if is(word, "async") => true,
        [word] if is(word, "sync") => false,
        _ => return Err(Refusal::syntax()),
    };
    let mut changes = call.transaction.changes();
    for database in databases {
        let removed = call.kv_at(database).clear()?;
        changes += removed;
        call.door.counters.lazily_freed(if is_lazy { removed } else { 0 });
    }
    call.transaction.set_changes(changes);
    call.reply.ok();
    Ok(())
}

const OBJECT: &[Handler] = &[
    command("encoding", object),
    command("freq", |call| used(call, |kv, key| kv.use_frequency(key), true)),
    command("help", help),
    command("idletime", |call| used(call, |kv, key| kv.idle_seconds(key), false)),
    command("refcount", object),
];

fn object(call: &mut Call<'_>) -> Outcome {
    let subcommand = call.word(1);
    let kv = call.kv();
    let Some(kind) = kv.kind(call.word(2))? else {
        call.reply.nil();
        return Ok(());
    };
    if is(subcommand, "encoding") {
        // To ask is no use of the key.
        let counts_uses = call.transaction.set_counts_uses(false);
        let encoding = encoding(&call.door.parameters, &kv, kind, call.word(2));
        call.transaction.set_counts_uses(counts_uses);
        call.reply.bulk(encoding?);
    } else {
        call.reply.integer(1);
    }
    Ok(())
}

type Used<'a> = fn(&Kv<InTransaction<'a>>, &[u8]) -> Result<Option<u64>, Error>;

/// How a key is used, unless the policy has something else kept.
fn used<'a>(call: &mut Call<'a>, ask: Used<'a>, by_frequency: bool) -> Outcome {
    let Some(used) = ask(&call.kv(), call.word(2))? else {
        call.reply.nil();
        return Ok(());
    };
    let policy = call.door.store.memory_budget().1;
    let keeps_frequency = matches!(policy, EvictionPolicy::AllKeysLfu | EvictionPolicy::VolatileLfu);
    if keeps_frequency != by_frequency {
        let (is_selected, what) =
            if by_frequency { ("is not selected", "access frequency") } else { ("is selected", "idle time") };
        return Err(format!(
            "ERR An LFU maxmemory policy {is_selected}, {what} not tracked. Please note that when switching between policies \
             at runtime LRU and LFU data will take some time to adjust."
        )
        .into());
    }
    call.reply.count(used);
    Ok(())
}

/// What Redis would keep the value as, by the thresholds that are set.
pub(super) fn encoding(
    parameters: &Parameters,
    kv: &Kv<InTransaction<'_>>,
    kind: Kind,
    key: &[u8],
) -> Result<&'static str, Error> {
    Ok(match kind {
        Kind::Stream => "stream",
        Kind::String => {
            let value = kv.get(key)?.unwrap_or_default();
            match integer(&value) {
                Some(_) => "int",
                None if value.len() <= 44 => "embstr",
                None => "raw",
            }
        }
        Kind::Hash => {
            let (hash, longest) = (kv.hash(key), parameters.small_hash_bytes());
            let is_small = hash.len()? <= parameters.small_hash_fields()
                && hash.entries()?.iter().all(|(field, value)| field.len() <= longest && value.len() <= longest);
            if is_small { "listpack" } else { "hashtable" }
        }
        Kind::List => {
            let list = kv.list(key);
            let (most, bytes_max) = listpack_size(parameters.list_node_size());
            let is_small = list.len()? <= most
                && list.range(0, -1)?.iter().map(|value| value.len() as u64 + 11).sum::<u64>() <= bytes_max;
            if is_small { "listpack" } else { "quicklist" }
        }
        Kind::Set => {
            let set = kv.unsorted_set(key);
            let (integers, members) = (parameters.small_set_integers(), parameters.small_set_members());
            let len = set.len()?;
            if len > integers.max(members) {
                return Ok("hashtable");
            }
            let all = set.members_after(None, usize::try_from(len).unwrap_or(usize::MAX))?;
            if len <= integers && all.iter().all(|member| integer(member).is_some()) {
                "intset"
            } else if len <= members && all.iter().all(|member| member.len() <= parameters.small_set_bytes()) {
                "listpack"
            } else {
                "hashtable"
            }
        }
        Kind::SortedSet => {
            let set = kv.sorted_set(key);
            let is_small = set.len()? <= parameters.small_sorted_set_members()
                && set.range(0, -1)?.iter().all(|(member, _)| member.len() <= parameters.small_sorted_set_bytes());
            if is_small { "listpack" } else { "skiplist" }
        }
    })
}

/// How many values a node of a list may have, and how many bytes: a limit below 0 stands for a number of bytes.
fn listpack_size(limit: i64) -> (u64, u64) {
    match limit {
        0.. => (limit.unsigned_abs().max(1), 8 << 10),
        -4..0 => (u64::MAX, 2 << (10 + limit.unsigned_abs())),
        _ => (u64::MAX, 64 << 10),
    }
}

/// `LEFT` or `RIGHT`.
pub(super) fn end(word: &[u8]) -> Result<End, Refusal> {
    if is(word, "left") {
        Ok(End::Front)
    } else if is(word, "right") {
        Ok(End::Back)
    } else {
        Err(Refusal::syntax())
    }
}

/// The direction that `REV` turns round.
pub(super) fn direction(is_reverse: bool) -> Direction {
    if is_reverse { Direction::Backward } else { Direction::Forward }
}
