//! Which of a command's words are keys, also where that depends on the words.

use crate::server::redis::command::{Command, Refusal, find, integer, is};

/// The keys among the words of a command.
pub(super) fn keys_of<'a>(words: &[&'a [u8]]) -> Result<Vec<&'a [u8]>, Refusal> {
    let command = words.first().and_then(|name| find(name)).ok_or("ERR Invalid command specified")?;
    if !command.has_arity(words.len()) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let mut keys = fixed(command, words);
    match command.name {
        "sintercard" | "zdiff" | "zinter" | "zintercard" | "zunion" => keys.extend(numbered(words, 1)?),
        "zdiffstore" | "zinterstore" | "zunionstore" => keys.extend(numbered(words, 2)?),
        "xread" | "xreadgroup" => keys.extend(before_ids(words)?),
        "georadius" | "georadiusbymember" => keys.extend(targets(words)),
        _ if command.keys.step == 0 => return Err("ERR The command has no key arguments".into()),
        _ => {}
    }
    Ok(keys)
}

/// Those that stand where the table says.
fn fixed<'a>(command: &Command, words: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let keys = command.keys;
    let Some(step) = usize::try_from(keys.step).ok().filter(|step| *step > 0) else { return Vec::new() };
    let len = i32::try_from(words.len()).unwrap_or(i32::MAX);
    let last = if keys.last < 0 { len + keys.last } else { keys.last };
    let places = (keys.first..=last).step_by(step);
    places.filter_map(|at| words.get(usize::try_from(at).ok()?).copied()).collect()
}

/// Those that follow their number, which is the word at a place.
fn numbered<'a, 'w>(words: &'w [&'a [u8]], at: usize) -> Result<&'w [&'a [u8]], Refusal> {
    let count = words.get(at).and_then(|word| integer(word)).and_then(|count| usize::try_from(count).ok());
    let keys = count.filter(|count| *count > 0).and_then(|count| words.get(at + 1..)?.get(..count));
    keys.ok_or_else(invalid)
}

/// Those that follow `STREAMS`, before as many ids.
fn before_ids<'a, 'w>(words: &'w [&'a [u8]]) -> Result<&'w [&'a [u8]], Refusal> {
    let streams = words.iter().position(|word| is(word, "streams")).ok_or_else(invalid)?;
    let rest = words.get(streams + 1..).unwrap_or_default();
    rest.get(..rest.len() / 2).ok_or_else(invalid)
}

/// Those that follow `STORE` and `STOREDIST`.
fn targets<'a>(words: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let options = words.get(5..).unwrap_or_default();
    let pairs = options.iter().zip(options.iter().skip(1));
    pairs.filter(|(name, _)| is(name, "store") || is(name, "storedist")).map(|(_, key)| *key).collect()
}

fn invalid() -> Refusal {
    "ERR Invalid arguments specified for command".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_the_words_say_that_they_are() {
        let keys = |text: &str| {
            let words: Vec<_> = text.split(' ').map(str::as_bytes).collect();
            let keys = keys_of(&words).map_err(|refusal| refusal.text());
            keys.map(|keys| {
                keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>().join(" ")
            })
        };
        for (words, expected) in [
            ("get k", "k"),
            ("mset a 1 b 2", "a b"),
            ("bitop and d a b", "d a b"),
            ("zunion 2 a b weights 1 2", "a b"),
            ("zunionstore d 2 a b", "d a b"),
            ("sintercard 1 a limit 3", "a"),
            ("xread block 1 streams a b 0 0", "a b"),
            ("xreadgroup group g c streams a >", "a"),
            ("xgroup create k g 0", "k"),
            ("xinfo stream k", "k"),
            ("georadius a 1 1 1 m store b storedist c", "a b c"),
            ("georadiusbymember a m 1 m store b", "a b"),
        ] {
            assert_eq!(keys(words).as_deref(), Ok(expected), "{words}");
        }
        for (words, expected) in [
            ("nosuchcommand", "ERR Invalid command specified"),
            ("get", "ERR Invalid number of arguments specified for command"),
            ("ping", "ERR The command has no key arguments"),
            ("zunion 5 a b", "ERR Invalid arguments specified for command"),
            ("zunion x a b", "ERR Invalid arguments specified for command"),
            ("zunion 0 a b", "ERR Invalid arguments specified for command"),
            ("xread count 1 foo a 0", "ERR Invalid arguments specified for command"),
        ] {
            assert_eq!(keys(words), Err(expected.to_owned()), "{words}");
        }
    }
}
