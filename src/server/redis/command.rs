//! What a command is, and what it is given when it runs.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::kv::Kv;
use crate::server::redis::acl::category;
use crate::server::redis::door::Door;
pub(super) use crate::server::redis::refusal::{Outcome, Refusal};
use crate::server::redis::reply::Reply;
use crate::server::redis::session::{Session, Waiting};
use crate::server::redis::subcommand::{self, Subcommand};
use crate::store::Transaction;
use crate::txn::InTransaction;

/// A command as clients know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    /// In lower case.
    pub(super) name: &'static str,
    /// Words with its name; negative for at least so many.
    pub(super) arity: i32,
    pub(super) flags: Flags,
    pub(super) keys: Keys,
    pub(super) group: &'static str,
    /// None unless its first argument chooses one.
    pub(super) subcommands: &'static [Subcommand],
    /// Given by the table.
    pub(super) slots: Slots,
    run: fn(&mut Call<'_>) -> Outcome,
}

/// Where what a command has done is counted: at the first slot, and behind it for each of its subcommands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    pub(super) first: usize,
    pub(super) subcommands: usize,
}

impl Slots {
    const NONE: Self = Self { first: usize::MAX, subcommands: 0 };
}

impl Command {
    /// Whether so many words are enough for it, and not too many.
    pub(super) fn has_arity(&self, words: usize) -> bool {
        subcommand::has_arity(self.arity, words)
    }

    /// Runs it, or the subcommand that the words choose.
    pub(super) fn run(&self, call: &mut Call<'_>) -> Outcome {
        if self.subcommands.is_empty() {
            return (self.run)(call);
        }
        let chosen = subcommand::choose(self.name, self.subcommands, call.words)?;
        if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
            client.last_subcommand.set((self.name, chosen.name));
        }
        (chosen.run)(call)
    }

    /// Refuses words that choose no subcommand of those there are.
    pub(super) fn check_subcommand(&self, words: &[&[u8]]) -> Outcome {
        if self.subcommands.is_empty() {
            return Ok(());
        }
        subcommand::choose(self.name, self.subcommands, words).map(drop)
    }
}

/// What a command does, as `COMMAND` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    pub(super) const READ: Self = Self(1);
    pub(super) const WRITE: Self = Self(1 << 1);
    pub(super) const FAST: Self = Self(1 << 2);
    pub(super) const PUBSUB: Self = Self(1 << 3);
    /// Cannot be queued by `MULTI`.
    pub(super) const NO_MULTI: Self = Self(1 << 4);
    /// Allowed before `AUTH`.
    pub(super) const NO_AUTH: Self = Self(1 << 5);
    pub(super) const ADMIN: Self = Self(1 << 6);
    /// [`Keys`] does not tell all of its keys.
    pub(super) const MOVABLE_KEYS: Self = Self(1 << 7);

    /// Has nothing to do with what is stored.
    pub(super) const NO_STORE: Self = Self(1 << 8);
    /// Only reads, and keeps something of what it found out.
    pub(super) const NOTES: Self = Self(1 << 9);
    /// Only reads, and waits when it is told to.
    pub(super) const MAY_WAIT: Self = Self(1 << 10);
    /// Its reply is how many changes it has made.
    pub(super) const REPLIES_CHANGES: Self = Self(1 << 11);
    /// Compares what is stored later.
    pub(super) const WATCHES: Self = Self(1 << 12);
    /// Runs what was queued.
    pub(super) const EXECUTES: Self = Self(1 << 13);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Their names in `COMMAND`.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let names = [
            (Self::READ, "readonly"),
            (Self::WRITE, "write"),
            (Self::FAST, "fast"),
            (Self::PUBSUB, "pubsub"),
            (Self::NO_MULTI, "no_multi"),
            (Self::NO_AUTH, "no_auth"),
            (Self::ADMIN, "admin"),
            (Self::MOVABLE_KEYS, "movablekeys"),
        ];
        names.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

/// Which of a command's words are keys: from the first to the last, each so many words after the one before. A last one below
/// 0 counts from the end; a step of 0 is a command without keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) first: i32,
    pub(super) last: i32,
    pub(super) step: i32,
}

impl Keys {
    pub(super) const NONE: Self = Self { first: 0, last: 0, step: 0 };
    pub(super) const ONE: Self = Self { first: 1, last: 1, step: 1 };
    /// The one after a subcommand's name.
    pub(super) const SECOND: Self = Self { first: 2, last: 2, step: 1 };
    pub(super) const TWO: Self = Self { first: 1, last: 2, step: 1 };
    pub(super) const ALL: Self = Self { first: 1, last: -1, step: 1 };
    pub(super) const PAIRS: Self = Self { first: 1, last: -1, step: 2 };
}

impl Command {
    /// Whether it can come with so many words, its name among them.
    pub(super) fn takes(&self, words: usize) -> bool {
        let words = i32::try_from(words).unwrap_or(i32::MAX);
        if self.arity < 0 { words >= -self.arity } else { words == self.arity }
    }
}

/// A table line.
pub(super) const fn command(
    name: &'static str,
    arity: i32,
    flags: Flags,
    keys: Keys,
    group: &'static str,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Command {
    Command { name, arity, flags, keys, group, subcommands: &[], slots: Slots::NONE, run }
}

/// A table line of a command that has subcommands.
pub(super) const fn container(
    name: &'static str,
    flags: Flags,
    keys: Keys,
    group: &'static str,
    subcommands: &'static [Subcommand],
) -> Command {
    Command { name, arity: -2, flags, keys, group, subcommands, slots: Slots::NONE, run: |_| Ok(()) }
}

/// Every command with its slots.
static LIST: LazyLock<Vec<Command>> = LazyLock::new(|| {
    let mut next = 0;
    let with_slots = |command: &Command| {
        let slots = Slots { first: next, subcommands: category::of_subcommands(command.name).count() };
        next += 1 + slots.subcommands;
        Command { slots, ..*command }
    };
    super::commands::all().map(with_slots).collect()
});

/// Every command, by its name.
static TABLE: LazyLock<FxHashMap<&'static [u8], &'static Command>> =
    LazyLock::new(|| LIST.iter().map(|command| (command.name.as_bytes(), command)).collect());

/// Every command.
pub(super) fn every() -> impl Iterator<Item = &'static Command> {
    LIST.iter()
}

/// The longest name of a command.
const NAME_BYTES_MAX: usize = 32;

/// The command of a name in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut buffer = [0; NAME_BYTES_MAX];
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    TABLE.get(&*lower).copied()
}

/// One run of a command.
pub(super) struct Call<'a> {
    pub(super) transaction: &'a Transaction,
    pub(super) door: &'a Door,
    pub(super) session: &'a mut Session,
    /// The command's name and what follows it.
    pub(super) words: &'a [&'a [u8]],
    pub(super) reply: &'a mut Reply,
}

impl<'a> Call<'a> {
    /// The word at a place; the arity has been checked.
    pub(super) fn word(&self, at: usize) -> &'a [u8] {
        self.words.get(at).copied().unwrap_or_default()
    }

    /// The words from a place on.
    pub(super) fn rest(&self, from: usize) -> &'a [&'a [u8]] {
        self.words.get(from..).unwrap_or_default()
    }

    /// The selected keyspace.
    pub(super) fn kv(&self) -> Kv<InTransaction<'a>> {
        self.kv_at(self.session.database)
    }

    /// The keyspace of a database's number.
    pub(super) fn kv_at(&self, database: usize) -> Kv<InTransaction<'a>> {
        self.transaction.kv_in(self.door.keyspace(database))
    }

    /// Makes the client wait until one of `waiting.keys` has something, and then runs the command for this key, as if it came
    /// only then. Within a transaction nothing waits: the reply is what the client gets there.
    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.session.waiting = Some(waiting);
    }

    pub(super) fn integer(&self, at: usize) -> Result<i64, Refusal> {
        integer(self.word(at)).ok_or_else(Refusal::not_an_integer)
    }

    pub(super) fn float(&self, at: usize) -> Result<f64, Refusal> {
        float(self.word(at)).ok_or_else(|| "ERR value is not a valid float".into())
    }
}

/// Whether a word is `name`, which is in lower case.
pub(super) fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// The integer that a word is the shortest spelling of.
pub(super) fn integer(word: &[u8]) -> Option<i64> {
    let text = match word {
        b"0" | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => std::str::from_utf8(word).ok()?,
        _ => return None,
    };
    text.parse().ok()
}

/// The number that a word spells, as C's `strtod` reads it: with words for infinity, and hexadecimal (SEM: KV-Z-3).
pub(super) fn float(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1.0, text.get(1..)?),
        [b'+', ..] => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    let number = match digits.get(..2) {
        Some("0x" | "0X") => hexadecimal(digits.get(2..)?)?,
        // `parse` would take a second sign.
        _ if digits.starts_with(['+', '-']) => return None,
        _ => digits.parse::<f64>().ok()?,
    };
    let is_spelled = digits.bytes().any(|byte| byte == b'i' || byte == b'I');
    // What is too large for a number is no way to spell infinity.
    (!number.is_nan() && (number.is_finite() || is_spelled)).then_some(sign * number)
}

fn hexadecimal(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P']).map_or((digits, "0"), |(m, e)| (m, e));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars() {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut place = 1.0 / 16.0;
    for digit in fraction.chars() {
        number += f64::from(digit.to_digit(16)?) * place;
        place /= 16.0;
    }
    Some(number * 2f64.powi(exponent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: KV-Z-3
    #[test]
    fn numbers_are_spelled_as_in_c() {
        for (text, number) in [
            ("inf", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("-0x1.8p1", -3.0),
            ("+5", 5.0),
            ("1e3", 1000.0),
            (".5", 0.5),
        ] {
            assert_eq!(float(text.as_bytes()), Some(number), "{text}");
        }
        for text in ["", " 1", "1 ", "1_0", "1e400", "nan", "--1", "+-1", "0x", "one"] {
            assert_eq!(float(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn every_command_is_found_by_its_name_in_any_case() {
        for command in super::super::commands::all() {
            assert_eq!(find(command.name.to_uppercase().as_bytes()).unwrap().name, command.name);
            assert!(command.arity != 0 && command.name.len() <= NAME_BYTES_MAX);
        }
        assert_eq!(super::super::commands::all().count(), TABLE.len(), "a name is twice in the table");
        assert!(find(b"nosuchcommand").is_none() && find(&[b'a'; 100]).is_none());
    }
}
