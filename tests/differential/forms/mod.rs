//! What the differential test sends: forms of commands, one file for each family.
//!
//! A letter in braces stands for a word of a kind, with a star for one to three of them.

mod bitmaps;
mod connection;
mod geo;
mod hashes;
mod hyperloglogs;
mod keys;
mod lists;
#[cfg(feature = "lua")]
mod scripting;
mod sets;
mod sort;
mod sorted_sets;
mod streams;
mod strings;

use crate::judge::Random;

const FAMILIES: &[(&str, &[&str])] = &[
    ("bitmaps", bitmaps::FORMS),
    ("connection", connection::FORMS),
    ("geo", geo::FORMS),
    ("hashes", hashes::FORMS),
    ("hyperloglogs", hyperloglogs::FORMS),
    ("keys", keys::FORMS),
    ("lists", lists::FORMS),
    #[cfg(feature = "lua")]
    ("scripting", scripting::FORMS),
    ("sets", sets::FORMS),
    ("sort", sort::FORMS),
    ("sorted_sets", sorted_sets::FORMS),
    ("streams", streams::FORMS),
    ("strings", strings::FORMS),
];

/// The families of the rounds: all of them in turn, or the one that `LARDER_DIFFERENTIAL_FAMILY` names.
pub(crate) fn families() -> Vec<usize> {
    let wanted = std::env::var("LARDER_DIFFERENTIAL_FAMILY").ok();
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let families: Vec<_> = (0..FAMILIES.len()).filter(|at| is_wanted(FAMILIES[*at].0)).collect();
    assert!(!families.is_empty(), "there is no family {wanted:?}");
    families
}

fn word(random: &mut Random, kind: &str) -> String {
    match kind {
        "k" => random.pick(&["k1", "k2", "k3", "k4", "k5", "k6"]),
        "H" => random.pick(&["h1", "h2", "h3"]),
        "P" => random.pick(&["p1", "p2", "p3"]),
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
        #[cfg(feature = "lua")]
        "script" => random.pick(scripting::SCRIPTS),
        // An id that is there, perhaps; one to come; one end of an interval.
        "d" => random.pick(&["0", "1", "1-1", "1-2", "2-1", "2-3", "3", "3-1", "4-2", "5-0", "x", "0-0", "7-1"]),
        "w" => return format!("{}-{}", random.below(9), random.pick(&["0", "1", "2", "3", "*", "*", "*"])),
        "o" => random.pick(&["-", "+", "1", "(1", "2-1", "(2-1", "3", "(3-1", "5", "x", "(", "(-", "0-0"]),
        "g" => random.pick(&["g1", "g2", "g1"]),
        // A bit, and one of an array of integers; the type of an integer.
        "q" => random.pick(&["0", "1", "2", "5", "7", "8", "9", "15", "16", "23", "40", "61", "100"]),
        "u" => random.pick(&["0", "3", "#0", "#1", "#2", "#3", "#-1", "#x", "17"]),
        "y" => random.pick(&["u1", "u2", "u7", "u8", "i8", "i5", "u16", "i64", "u63", "i1", "u64", "i65", "u0", "x8"]),
        // One of many elements.
        "h" => return format!("element{}", random.below(100_000)),
        // Degrees; a length and its unit.
        "t" => random.pick(&["0", "15", "37.5", "-122.4", "84", "-85.05", "179.995", "-179.99", "181", "x", "1.5"]),
        "r" => random.pick(&["0", "1", "150", "200", "1000", "5000", "12000", "30000", "-1", "x", "0.5"]),
        "j" => random.pick(&["m", "km", "ft", "MI", "q"]),
        other => panic!("no kind {other}"),
    }
    .to_owned()
}

/// A command: three of four are of one family, so that it gets beyond keys of the wrong kind.
pub(crate) fn request(random: &mut Random, of_the_round: usize) -> Vec<String> {
    let family = if random.below(4) == 0 { random.below(FAMILIES.len()) } else { of_the_round };
    let forms = FAMILIES[family].1;
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
