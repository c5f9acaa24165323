//! Which words of a request are keys, and what the command does with each.
//!
//! # Source
//! Redis command reference, key specifications of version 7.2.

use std::ops::BitOr;

use crate::server::redis::command::{Command, Flags, integer, is};

/// What a command does with the value of a key: reads it, changes it, both, or only asks whether and how long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Access(u8);

impl Access {
    pub(super) const NONE: Self = Self(0);
    pub(super) const READ: Self = Self(1);
    pub(super) const WRITE: Self = Self(2);
    pub(super) const BOTH: Self = Self(3);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Access {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where keys are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// From a word to another, which counts from the end below 0, each so many words after the one before.
    Range(i32, i32, i32),
    /// Behind a word that says how many there are.
    Numbered(usize),
    /// The first half of what follows this word, which is at a place or after it.
    Streams(usize),
    /// The word behind this one, which is at a place or after it.
    Behind(&'static str, usize),
    /// The word at a place; when it is empty, all those behind this word.
    OneOrBehind(usize, &'static str),
}

use Place::{Behind, Numbered, OneOrBehind, Range, Streams};

const READ: Access = Access::READ;
const WRITE: Access = Access::WRITE;
const BOTH: Access = Access::BOTH;
const FIRST: Place = Range(1, 1, 1);
const SECOND: Place = Range(2, 2, 1);
const FROM_SECOND: Place = Range(2, -1, 1);

/// Calls `found` with each key of a request. The places are those that the command's words give, well formed or not.
pub(super) fn for_each<'a>(command: &Command, words: &[&'a [u8]], mut found: impl FnMut(&'a [u8], Access)) {
    for_each_in_place(command, words, |key, access, _| found(key, access));
}

/// As [`for_each`], with the place of the command's places for keys.
pub(super) fn for_each_in_place<'a>(
    command: &Command,
    words: &[&'a [u8]],
    mut found: impl FnMut(&'a [u8], Access, usize),
) {
    if command.name == "memory" && !words.get(1).is_some_and(|word| is(word, "usage")) {
        return;
    }
    if let Some(places) = places(command.name) {
        for (at, (place, access)) in places.iter().enumerate() {
            in_place(*place, words, |key| found(key, *access, at));
        }
    } else if command.keys.step > 0 {
        let access = access(command, words);
        let keys = command.keys;
        in_place(Range(keys.first, keys.last, keys.step), words, |key| found(key, access, 0));
    }
}

/// The keys of commands that have more than one place for them, or one that the command table cannot say.
fn places(name: &str) -> Option<&'static [(Place, Access)]> {
    Some(match name {
        "bitop" => &[(SECOND, WRITE), (Range(3, -1, 1), READ)],
        "blmpop" | "bzmpop" | "eval" | "evalsha" | "fcall" => &[(Numbered(2), BOTH)],
        "blmove" | "brpoplpush" | "lmove" | "rename" | "renamenx" | "rpoplpush" | "smove" => {
            &[(FIRST, BOTH), (SECOND, WRITE)]
        }
        "copy" => &[(FIRST, READ), (SECOND, WRITE)],
        "eval_ro" | "evalsha_ro" | "fcall_ro" => &[(Numbered(2), READ)],
        "georadius" => &[(FIRST, READ), (Behind("store", 6), WRITE), (Behind("storedist", 6), WRITE)],
        "georadiusbymember" => &[(FIRST, READ), (Behind("store", 5), WRITE), (Behind("storedist", 5), WRITE)],
        "geosearchstore" | "zrangestore" => &[(FIRST, WRITE), (SECOND, READ)],
        "memory" => &[(SECOND, Access::NONE)],
        "lmpop" | "zmpop" => &[(Numbered(1), BOTH)],
        "migrate" => &[(OneOrBehind(3, "keys"), BOTH)],
        "pfmerge" => &[(FIRST, BOTH), (FROM_SECOND, READ)],
        "sdiffstore" | "sinterstore" | "sunionstore" => &[(FIRST, WRITE), (FROM_SECOND, READ)],
        "sintercard" | "zdiff" | "zinter" | "zintercard" | "zunion" => &[(Numbered(1), READ)],
        "sort" => &[(FIRST, READ), (Behind("store", 2), WRITE)],
        "xread" => &[(Streams(1), READ)],
        "xreadgroup" => &[(Streams(4), READ)],
        "zdiffstore" | "zinterstore" | "zunionstore" => &[(FIRST, WRITE), (Numbered(2), READ)],
        _ => return None,
    })
}

/// What a command does with its keys, all in the same way.
fn access(command: &Command, words: &[&[u8]]) -> Access {
    match command.name {
        // The old value is given back, and so read.
        "set" if words.iter().skip(3).any(|word| is(word, "get")) => BOTH,
        "append" | "del" | "expire" | "expireat" | "geoadd" | "hdel" | "hmset" | "hset" | "hsetnx" | "linsert"
        | "lpush" | "lpushx" | "lrem" | "lset" | "ltrim" | "mset" | "msetnx" | "persist" | "pexpire" | "pexpireat"
        | "pfadd" | "psetex" | "restore" | "rpush" | "rpushx" | "sadd" | "set" | "setex" | "setnx" | "setrange"
        | "srem" | "unlink" | "xack" | "xadd" | "xautoclaim" | "xclaim" | "xdel" | "xgroup" | "xsetid" | "xtrim"
        | "zadd" | "zrem" | "zremrangebylex" | "zremrangebyrank" | "zremrangebyscore" => WRITE,
        "exists" | "hexists" | "hlen" | "hstrlen" | "llen" | "memory" | "object" | "scard" | "sismember" | "strlen"
        | "touch" | "type" | "watch" | "xlen" | "zcard" => Access::NONE,
        "bitfield" if !words.iter().skip(2).any(|word| is(word, "set") || is(word, "incrby")) => READ,
        _ if command.flags.has(Flags::WRITE) => BOTH,
        _ => READ,
    }
}

fn in_place<'a>(place: Place, words: &[&'a [u8]], mut found: impl FnMut(&'a [u8])) {
    match place {
        Range(first, last, step) => {
            let len = i32::try_from(words.len()).unwrap_or(i32::MAX);
            let last = if last < 0 { len + last } else { last }.min(len - 1);
            let places = (first..=last).step_by(usize::try_from(step).unwrap_or(1).max(1));
            places.filter_map(|at| words.get(usize::try_from(at).ok()?)).for_each(|key| found(key));
        }
        Numbered(at) => {
            let count = words.get(at).and_then(|word| usize::try_from(integer(word)?).ok()).unwrap_or(0);
            words.iter().skip(at + 1).take(count).for_each(|key| found(key));
        }
        Streams(from) => {
            let at = words.iter().skip(from).position(|word| is(word, "streams"));
            let behind = at.and_then(|at| words.get(from + at + 1..)).unwrap_or_default();
            behind.iter().take(behind.len() / 2).for_each(|key| found(key));
        }
        Behind(name, from) => {
            let pairs = words.iter().skip(from).zip(words.iter().skip(from + 1));
            pairs.filter(|(word, _)| is(word, name)).for_each(|(_, key)| found(key));
        }
        OneOrBehind(at, name) => {
            let one = words.get(at).copied().unwrap_or_default();
            if !one.is_empty() {
                return found(one);
            }
            let all = words.iter().skip(at + 1).skip_while(|word| !is(word, name)).skip(1);
            all.for_each(|key| found(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::command::find;

    fn keys(request: &str) -> String {
        let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
        let mut all = Vec::new();
        for_each(find(words[0]).unwrap(), &words, |key, access| {
            let access = ["-", "r", "w", "rw"][usize::from(access.0)];
            all.push(format!("{}:{access}", String::from_utf8_lossy(key)));
        });
        all.join(" ")
    }

    #[test]
    fn keys_are_found_where_the_command_has_them() {
        for (request, expected) in [
            ("get a", "a:r"),
            ("set a 1", "a:w"),
            ("set a 1 EX 10 get", "a:rw"),
            ("mset a 1 b 2", "a:w b:w"),
            ("exists a b", "a:- b:-"),
            ("rename a b", "a:rw b:w"),
            ("sinterstore d a b", "d:w a:r b:r"),
            ("zunionstore d 2 a b WEIGHTS 1 2", "d:w a:r b:r"),
            ("zinter 99 a b", "a:r b:r"),
            ("zinter x a b", ""),
            ("zinter -1 a", ""),
            ("incr n", "n:rw"),
            ("object encoding a", "a:-"),
            ("migrate h 1 k 0 5 copy", "k:rw"),
            ("migrate h 1  0 5 copy keys a b", "a:rw b:rw"),
            ("migrate h 1  0 5 copy", ""),
            ("ping", ""),
        ] {
            assert_eq!(keys(request), expected, "{request}");
        }
    }
}
