//! Commands that took long.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Stopwatch, Timestamp};
use crate::server::redis::command::is;

/// Words of a request that are kept.
const WORDS_MAX: usize = 32;

/// Bytes of a word that are kept.
const WORD_BYTES_MAX: usize = 128;

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// A command that took long.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) micros: u64,
    pub(super) words: Vec<Vec<u8>>,
    pub(super) address: String,
    pub(super) name: Vec<u8>,
}

impl SlowLog {
    /// Keeps an entry, and no more than `most`.
    pub(super) fn push(&mut self, mut entry: Entry, most: usize) {
        entry.id = self.next_id;
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(most);
    }

    /// From the newest on.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Measures one command after another, with one look at the clock for each.
#[derive(Debug)]
pub(super) struct Laps {
    watch: Stopwatch,
    last: Duration,
}

impl Laps {
    pub(super) fn start() -> Self {
        Self { watch: Stopwatch::start(), last: Duration::ZERO }
    }

    /// The time since the call before.
    pub(super) fn lap(&mut self) -> Duration {
        let now = self.watch.elapsed();
        let lap = now.saturating_sub(self.last);
        self.last = now;
        lap
    }
}

/// The words of a request as they are kept: without secrets, and no more of them than are read.
pub(super) fn cut(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let secret = secrets(words);
    let cut_word = |(at, word): (usize, &&[u8])| match word.split_at_checked(WORD_BYTES_MAX) {
        _ if secret.contains(&at) => b"(redacted)".to_vec(),
        Some((kept, rest)) if !rest.is_empty() => {
            [kept, format!("... ({} more bytes)", rest.len()).as_bytes()].concat()
        }
        _ => word.to_vec(),
    };
    let kept = if words.len() > WORDS_MAX { WORDS_MAX - 1 } else { words.len() };
    let mut all: Vec<_> = words.iter().enumerate().take(kept).map(cut_word).collect();
    if words.len() > kept {
        all.push(format!("... ({} more arguments)", words.len() - kept).into_bytes());
    }
    all
}

/// Which words nobody but their sender may see.
pub(super) fn secrets(words: &[&[u8]]) -> std::ops::Range<usize> {
    let name = words.first().copied().unwrap_or_default();
    let second = words.get(1).copied().unwrap_or_default();
    if is(name, "auth") {
        return 1..words.len();
    }
    if is(name, "acl") && is(second, "setuser") || is(name, "config") && is(second, "set") {
        return 2..words.len();
    }
    let auth = words.iter().position(|word| is(word, "auth")).filter(|_| is(name, "hello"));
    auth.map_or(0..0, |at| at + 1..at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(request: &str) -> Vec<String> {
        let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
        cut(&words).into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn long_requests_are_cut() {
        assert_eq!(words(&"x ".repeat(40))[31], "... (10 more arguments)");
        assert_eq!(words(&"x ".repeat(31)).len(), 32);
        assert_eq!(words(&"y".repeat(130))[0], format!("{}... (2 more bytes)", "y".repeat(128)));
        assert_eq!(words(&"y".repeat(128))[0].len(), 128);
    }

    #[test]
    fn secrets_are_not_kept() {
        assert_eq!(words("AUTH ann secret"), ["AUTH", "(redacted)", "(redacted)"]);
        assert_eq!(
            words("HELLO 3 AUTH a b SETNAME c"),
            ["HELLO", "3", "AUTH", "(redacted)", "(redacted)", "SETNAME", "c"]
        );
        assert_eq!(words("config set requirepass x"), ["config", "set", "(redacted)", "(redacted)"]);
    }
}
