//! What the differential test sends: forms of commands, one file for each family.
//!
//! A letter in braces stands for a word of a kind, with a star for one to three of them.

mod connection;
mod hashes;
mod keys;
mod lists;
mod sets;
mod sort;
mod sorted_sets;
mod strings;

use crate::redis::Random;

const FAMILIES: &[&[&str]] = &[
    connection::FORMS,
    hashes::FORMS,
    keys::FORMS,
    lists::FORMS,
    sets::FORMS,
    sort::FORMS,
    sorted_sets::FORMS,
    strings::FORMS,
];

fn word(random: &mut Random, kind: &str) -> String {
    match kind {
        "k" => random.pick(&["k1", "k2", "k3", "k4", "k5", "k6"]),
        "c" => random.pick(&["c1", "c2"]),
        "m" => random.pick(&["a", "b", "c", "d", "aa", "1"]),
        "v" => random.pick(&["a", "b", "10", "-3", "1.5", "", "hello world", "007", "3.0e3"]),
        "n" => random.pick(&["1", "-1", "0", "7", "100", "x", "1.5", " 1", "-0"]),
        "i" => random.pick(&["0", "1", "2", "3", "-1", "-2", "-3", "-100", "100", "x"]),
        // Such that sums are exact in 64 bits: Redis adds in 80 (SEM: KV-STR-2).
        "f" => random.pick(&["0.5", "-2.25", "1", "3.0e3", "x", "inf", "nan", "0"]),
        // Not -0, which is 0 here (SEM: KV-Z-4).
        "s" => random.pick(&["1", "2", "-1", "0", "2.5", "inf", "-inf", "0x10", "+5", "nan", "1e400", "1_0"]),
        "b" => random.pick(&["-inf", "+inf", "0", "(1", "2", "(2.5", "x", "-1"]),
        "l" => random.pick(&["-", "+", "[a", "(a", "[b", "(c", "[d", "x"]),
        "x" => random.pick(&["NX", "XX"]),
        "e" | "z" => random.pick(&["NX", "XX", "GT", "LT"]),
        "p" => random.pick(&["*", "k*", "?1", "[ck]2", "[^k]*", "\\k1"]),
        other => panic!("no kind {other}"),
    }
    .to_owned()
}

/// A command: three of four are of the family of the round, so that it gets beyond keys of the wrong kind.
pub(crate) fn request(random: &mut Random, round: u64) -> Vec<String> {
    let of_the_round = usize::try_from(round % FAMILIES.len() as u64).unwrap();
    let family = if random.below(4) == 0 { random.below(FAMILIES.len()) } else { of_the_round };
    let forms = FAMILIES[family];
    let mut words = Vec::new();
    for part in forms[random.below(forms.len())].split(' ') {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => words.push(part.to_owned()),
            Some(kind) => match kind.strip_suffix('*') {
                None => words.push(word(random, kind)),
                Some(kind) => (0..=random.below(3)).for_each(|_| words.push(word(random, kind))),
            },
        }
    }
    words
}
