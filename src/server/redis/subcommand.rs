//! Subcommands: what a command's first argument chooses, with a number of words of its own.

use crate::server::redis::command::{Call, Outcome, Refusal, is};

/// A subcommand of a command.
#[derive(Debug)]
pub(super) struct Subcommand {
    /// In lower case.
    pub(super) name: &'static str,
    /// Words with its name and the command's; negative for at least so many.
    pub(super) arity: i32,
    pub(super) run: fn(&mut Call<'_>) -> Outcome,
}

/// A table line.
pub(super) const fn subcommand(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Outcome) -> Subcommand {
    Subcommand { name, arity, run }
}

/// The subcommand of `command` that `words` choose.
pub(super) fn choose(
    command: &str,
    subcommands: &'static [Subcommand],
    words: &[&[u8]],
) -> Result<&'static Subcommand, Refusal> {
    let word = words.get(1).copied().unwrap_or_default();
    let Some(found) = subcommands.iter().find(|subcommand| is(word, subcommand.name)) else {
        let (word, command) = (String::from_utf8_lossy(word), command.to_uppercase());
        return Err(format!("ERR unknown subcommand '{word:.128}'. Try {command} HELP.").into());
    };
    if !has_arity(found.arity, words.len()) {
        return Err(format!("ERR wrong number of arguments for '{command}|{}' command", found.name).into());
    }
    Ok(found)
}

/// Whether so many words are enough, and not too many.
pub(super) fn has_arity(arity: i32, words: usize) -> bool {
    let words = i32::try_from(words).unwrap_or(i32::MAX);
    if arity < 0 { words >= -arity } else { words == arity }
}

/// What Redis says of a subcommand whose options it does not know.
pub(super) fn unknown_option(call: &Call<'_>) -> Refusal {
    let (command, word) = (String::from_utf8_lossy(call.word(0)).to_uppercase(), String::from_utf8_lossy(call.word(1)));
    format!("ERR unknown subcommand or wrong number of arguments for '{word:.128}'. Try {command} HELP.").into()
}

/// Answers a text for people, line by line.
pub(super) fn write_help(call: &mut Call<'_>, lines: &[&str]) {
    call.reply.array(lines.len());
    for line in lines {
        call.reply.simple(line);
    }
}
