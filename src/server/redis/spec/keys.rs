//! Which words of a request are keys, and what the command does with each.
//!
//! # Source
//! Redis command reference, key specifications of version 7.2.

use crate::server::redis::frame::words::{integer, is};
use crate::server::redis::spec::{Begin, Find, KeySpec, Spec};

/// Calls `found` with each key of a request, and its place among those of the command. The places are those that the
/// words give, well formed or not.
pub(crate) fn for_each<'a>(spec: &'static Spec, words: &[&'a [u8]], mut found: impl FnMut(&'a [u8], &'static KeySpec)) {
    // Where the place before began.
    let mut before = 0;
    for place in spec.keys.iter().filter(|place| !place.has_flag("not_key")) {
        let mut found = |key| found(key, place);
        match place.begin {
            Begin::Index(index) => {
                before = at(index).unwrap_or(words.len());
                // One that is empty has others stand for it.
                let stands = spec.keys.iter().any(|other| other.has_flag("incomplete"));
                if !(stands && words.get(before).is_some_and(|word| word.is_empty())) {
                    go_on(place.find, before, words, &mut found);
                }
            }
            Begin::Keyword(name, from) => {
                let from = match at(from) {
                    Some(from) => from,
                    None if words.get(before).is_some_and(|word| !word.is_empty()) => continue,
                    None => before + 1,
                };
                let reaches_end = matches!(place.find, Find::Range { last, .. } if last < 0);
                let given = words.iter().enumerate().skip(from).filter(|(_, word)| is(word, name));
                for (at, _) in given.take(if reaches_end { 1 } else { usize::MAX }) {
                    go_on(place.find, at + 1, words, &mut found);
                }
            }
            Begin::Unknown => {}
        }
    }
}

/// The first and the last word that are keys in the form that clients got before there were places, and the distance
/// between them; none are all 0. Places that follow one another are one.
pub(crate) fn range(spec: &Spec) -> [i64; 3] {
    let ranges = spec.keys.iter().map(KeySpec::range).filter(|range| *range != [0; 3]);
    let joined =
        ranges.reduce(|[first, last, step], [next, to, _]| [first, if next == last + 1 { to } else { last }, step]);
    joined.unwrap_or_default()
}

/// Whether keys may be named by patterns, which are not looked up before the command runs.
pub(crate) fn may_have_hidden(spec: &Spec) -> bool {
    spec.keys.iter().any(|place| place.begin == Begin::Unknown)
}

/// Calls `found` with the keys from a place on.
fn go_on<'a>(find: Find, from: usize, words: &[&'a [u8]], found: &mut impl FnMut(&'a [u8])) {
    let rest = words.get(from..).unwrap_or_default();
    match find {
        Find::Range { last, step, limit } => {
            let count = match at(last) {
                Some(last) => last + 1,
                // -1 is the last word.
                None => rest.len().saturating_sub(at(-1 - last).unwrap_or(0)),
            };
            let count = if limit > 1 { count / at(limit).unwrap_or(1) } else { count };
            rest.iter().take(count).step_by(at(step).unwrap_or(1).max(1)).for_each(|key| found(key));
        }
        Find::Numbered { number, first, step } => {
            let number = at(number).and_then(|at| rest.get(at)).and_then(|word| integer(word));
            let count = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
            let keys = rest.iter().skip(at(first).unwrap_or(0)).step_by(at(step).unwrap_or(1).max(1));
            keys.take(count).for_each(|key| found(key));
        }
        Find::Unknown => {}
    }
}

fn at(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::spec::{Access, find};

    fn keys(request: &str) -> String {
        let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
        let command = find(words[0]).unwrap();
        let spec = words.get(1).and_then(|word| command.subcommand(word)).unwrap_or(command);
        let mut all = Vec::new();
        for_each(spec, &words, |key, place| {
            let access = place.access(&words);
            let access = match (access.contains(Access::READ), access.contains(Access::WRITE)) {
                (true, true) => "rw",
                (true, false) => "r",
                (false, true) => "w",
                (false, false) => "-",
            };
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
            ("bitfield a get u8 0", "a:r"),
            ("bitfield a incrby u8 0 1", "a:rw"),
            ("mset a 1 b 2", "a:w b:w"),
            ("exists a b", "a:- b:-"),
            ("blpop a b 0", "a:rw b:rw"),
            ("rename a b", "a:rw b:w"),
            ("sinterstore d a b", "d:w a:r b:r"),
            ("zunionstore d 2 a b WEIGHTS 1 2", "d:w a:r b:r"),
            ("zinter 99 a b", "a:r b:r"),
            ("zinter x a b", ""),
            ("zinter -1 a", ""),
            ("incr n", "n:rw"),
            ("object encoding a", "a:-"),
            ("memory usage a", "a:-"),
            ("memory stats", ""),
            ("xgroup create a g $", "a:w"),
            ("xread count 1 streams a b 0 0", "a:r b:r"),
            ("sort a by x* store b", "a:r b:w"),
            ("georadius a 0 0 1 m store b", "a:r b:w"),
            ("migrate h 1 k 0 5 copy", "k:rw"),
            ("migrate h 1 k 0 5 keys a", "k:rw"),
            ("migrate h 1  0 5 copy keys a b", "a:rw b:rw"),
            ("migrate h 1  0 5 copy", ""),
            ("ping", ""),
            ("spublish a b", ""),
        ] {
            assert_eq!(keys(request), expected, "{request}");
        }
    }
}
