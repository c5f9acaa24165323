//! What commands that wait, and those that take from the first of several keys, have in common.

use std::time::Duration;

use crate::kv::Kind;
use crate::server::redis::commands::sets::numbered_keys;
use crate::server::redis::run::command::{Call, Refusal, float, integer, is};
use crate::server::redis::state::session::{Awaited, Waiting, Wants};

/// How long to wait: seconds, 0 without an end.
pub(super) fn timeout(word: &[u8]) -> Result<Option<Duration>, Refusal> {
    let seconds = float(word).ok_or("ERR timeout is not a float or out of range")?;
    if seconds < 0.0 {
        return Err("ERR timeout is negative".into());
    }
    // Redis counts in milliseconds of 64 bits, and takes up what is not a whole one.
    let millis = (seconds * 1_000.0).ceil();
    if millis >= 9.2e18 {
        return Err("ERR timeout is out of range".into());
    }
    Ok((millis > 0.0).then(|| Duration::from_secs_f64(millis / 1_000.0)))
}

/// The keys of a command whose last word is the timeout.
pub(super) fn keys_and_timeout<'a>(call: &Call<'a>) -> Result<(&'a [&'a [u8]], Option<Duration>), Refusal> {
    let (last, keys) = call.rest(1).split_last().ok_or_else(Refusal::syntax)?;
    Ok((keys, timeout(last)?))
}

/// Makes the client wait until one of `count` keys, the first of which is the word at a place, has a value of `kind`.
pub(super) fn wait(call: &mut Call<'_>, kind: Kind, first: usize, count: usize, timeout: Option<Duration>) {
    let owned = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect();
    let (before, rest) = call.words.split_at(first.min(call.words.len()));
    let (keys, after) = rest.split_at(count.min(rest.len()));
    let keys = keys.iter().map(|key| Awaited { key: key.to_vec(), id: None }).collect();
    let (before, after) = (owned(before), owned(after));
    call.wait(Waiting { wants: Wants::Kind(kind), before, after, keys, timeout });
}

/// As [`wait`], for a command that has the number of its keys in front of them.
pub(super) fn wait_numbered(call: &mut Call<'_>, kind: Kind, first: usize, count: usize, timeout: Option<Duration>) {
    wait(call, kind, first, count, timeout);
    // It runs for one key.
    if let Some(number) = call.session.waiting.as_mut().and_then(|waiting| waiting.before.last_mut()) {
        *number = b"1".to_vec();
    }
}

/// What `LMPOP`, `ZMPOP` and those of them that wait are asked for.
pub(super) struct MultiplePop<'a> {
    pub(super) keys: &'a [&'a [u8]],
    /// The word for an end.
    pub(super) side: &'a [u8],
    pub(super) count: u64,
}

impl<'a> MultiplePop<'a> {
    /// Reads the words from the number of keys on, which is at a place.
    pub(super) fn parse(call: &Call<'a>, at: usize) -> Result<Self, Refusal> {
        let none = "numkeys should be greater than 0";
        integer(call.word(at)).ok_or_else(|| format!("ERR {none}"))?;
        let (keys, rest) = numbered_keys(call, at, none)?;
        let (side, count) = match rest {
            [side] => (*side, 1),
            [side, word, count] if is(word, "count") => {
                let count = integer(count).and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0);
                (*side, count.ok_or("ERR count should be greater than 0")?)
            }
            _ => return Err(Refusal::syntax()),
        };
        Ok(Self { keys, side, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_in_seconds_and_0_is_none() {
        for (word, millis) in [("0", None), ("1", Some(1_000)), ("0.25", Some(250)), ("0.0001", Some(1)), ("-0", None)]
        {
            assert_eq!(timeout(word.as_bytes()).unwrap(), millis.map(Duration::from_millis), "{word}");
        }
        for (word, text) in [
            ("x", "ERR timeout is not a float or out of range"),
            ("", "ERR timeout is not a float or out of range"),
            ("-1", "ERR timeout is negative"),
            ("inf", "ERR timeout is out of range"),
        ] {
            assert_eq!(timeout(word.as_bytes()).unwrap_err().text(), text);
        }
    }
}
