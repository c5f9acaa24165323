//! The longest common subsequence of two strings.

use crate::error::Error;
use crate::limits;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, integer, is};

pub(super) const COMMANDS: &[Handler] = &[command("lcs", lcs)];

/// What is asked for besides the subsequence itself.
#[derive(Default)]
struct Options {
    length: bool,
    matches: bool,
    match_bytes_min: usize,
    with_match_len: bool,
}

impl Options {
    fn parse(mut words: &[&[u8]]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        while let [word, rest @ ..] = words {
            words = rest;
            if is(word, "len") {
                options.length = true;
            } else if is(word, "idx") {
                options.matches = true;
            } else if is(word, "withmatchlen") {
                options.with_match_len = true;
            } else if is(word, "minmatchlen") {
                let (least, rest) = rest.split_first().ok_or_else(Refusal::syntax)?;
                let least = integer(least).ok_or_else(Refusal::not_an_integer)?;
                options.match_bytes_min = usize::try_from(least).unwrap_or(0);
                words = rest;
            } else {
                return Err(Refusal::syntax());
            }
        }
        if options.length && options.matches {
            return Err("ERR If you want both the length and indexes, please just use IDX.".into());
        }
        Ok(options)
    }
}

fn lcs(call: &mut Call<'_>) -> Outcome {
    let string = |key: &[u8]| match call.kv().get(key) {
        Err(Error::WrongType { .. }) => Err("ERR The specified keys must contain string values".into()),
        found => Ok::<_, Refusal>(found?.unwrap_or_default()),
    };
    let (a, b) = (string(call.word(1))?, string(call.word(2))?);
    let options = Options::parse(call.rest(3))?;
    let table = Table::fill(&a, &b)?;
    if options.length {
        call.reply.count(table.len().into());
        return Ok(());
    }
    let matches = table.matches();
    if !options.matches {
        let parts: Vec<&[u8]> = matches.iter().rev().filter_map(|found| a.get(found.a..found.a + found.len)).collect();
        call.reply.bulk(parts.concat());
        return Ok(());
    }
    let wanted: Vec<_> = matches.into_iter().filter(|found| found.len >= options.match_bytes_min).collect();
    call.reply.map(2);
    call.reply.bulk("matches");
    call.reply.array(wanted.len());
    for found in wanted {
        call.reply.array(if options.with_match_len { 3 } else { 2 });
        for start in [found.a, found.b] {
            call.reply.array(2);
            call.reply.count(start as u64);
            call.reply.count((start + found.len - 1) as u64);
        }
        if options.with_match_len {
            call.reply.count(found.len as u64);
        }
    }
    call.reply.bulk("len");
    call.reply.count(table.len().into());
    Ok(())
}

/// A run of bytes that both strings have.
#[derive(Debug, PartialEq, Eq)]
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

/// For each pair of beginnings of two strings, how long their longest common subsequence is.
struct Table<'a> {
    a: &'a [u8],
    b: &'a [u8],
    /// By rows: one for each beginning of `a`, the empty one first.
    lengths: Vec<u32>,
}

impl<'a> Table<'a> {
    fn fill(a: &'a [u8], b: &'a [u8]) -> Result<Self, Refusal> {
        let cells = (a.len() + 1).checked_mul(b.len() + 1);
        let cells = cells.filter(|cells| cells.saturating_mul(4) <= limits::LCS_TABLE_BYTES_MAX);
        let cells = cells.ok_or("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")?;
        let mut table = Self { a, b, lengths: Vec::with_capacity(cells) };
        table.lengths.resize(b.len() + 1, 0);
        for (i, x) in a.iter().enumerate() {
            let mut left = 0;
            table.lengths.push(left);
            for (j, y) in b.iter().enumerate() {
                left = if x == y { table.at(i, j) + 1 } else { left.max(table.at(i, j + 1)) };
                table.lengths.push(left);
            }
        }
        Ok(table)
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths.get(i * (self.b.len() + 1) + j).copied().unwrap_or(0)
    }

    fn len(&self) -> u32 {
        self.at(self.a.len(), self.b.len())
    }

    /// The runs that the subsequence consists of, the last first.
    fn matches(&self) -> Vec<Match> {
        let (mut matches, mut run) = (Vec::new(), None::<Match>);
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while let (Some(x), Some(y)) = (i.checked_sub(1), j.checked_sub(1)) {
            if self.a.get(x) == self.b.get(y) {
                let len = run.map_or(1, |run| run.len + 1);
                run = Some(Match { a: x, b: y, len });
                (i, j) = (x, y);
            } else {
                matches.extend(run.take());
                if self.at(x, j) > self.at(i, y) { i = x } else { j = y }
            }
        }
        matches.extend(run);
        matches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Obviously right: every subset of the bytes of `a`.
    fn slow(a: &[u8], b: &[u8]) -> usize {
        let is_in_b = |chosen: &[u8]| {
            let mut rest = b.iter();
            chosen.iter().all(|byte| rest.any(|other| other == byte))
        };
        let chosen = |bits: u32| a.iter().enumerate().filter(move |(n, _)| bits >> n & 1 == 1).map(|(_, byte)| *byte);
        let subsets = (0..1u32 << a.len()).map(|bits| chosen(bits).collect::<Vec<_>>());
        subsets.filter(|chosen| is_in_b(chosen)).map(|chosen| chosen.len()).max().unwrap()
    }

    proptest! {
        #[test]
        fn the_matches_are_a_longest_common_subsequence(
            a in prop::collection::vec(0u8..3, 0..9), b in prop::collection::vec(0u8..3, 0..9),
        ) {
            let table = Table::fill(&a, &b).unwrap();
            prop_assert_eq!(table.len() as usize, slow(&a, &b));
            let matches = table.matches();
            prop_assert_eq!(matches.iter().map(|found| found.len).sum::<usize>(), slow(&a, &b));
            for found in &matches {
                prop_assert_eq!(&a[found.a..found.a + found.len], &b[found.b..found.b + found.len]);
            }
            let follows = |pair: &[Match]| pair[1].a + pair[1].len <= pair[0].a && pair[1].b + pair[1].len <= pair[0].b;
            prop_assert!(matches.windows(2).all(follows));
        }
    }
}
