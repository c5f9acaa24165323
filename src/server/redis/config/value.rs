//! Values of parameters: what each kind takes, and how it is given back.

use crate::kv::KeyEvents;
use crate::server::redis::frame::words::{float, integer, is};

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    YesNo,
    /// From the first to the second.
    Integer(i64, i64),
    /// Bytes with a unit, from the first to the second.
    Memory(i64, i64),
    MemoryOrPercent,
    /// One of these words.
    Choice(&'static [&'static str]),
    Text,
    /// Classes of events of keys.
    Events,
    /// Seconds and numbers of changes.
    SavePoints,
    /// Classes of clients, each with two limits and seconds.
    OutputLimits,
    Percentiles,
    /// Three numbers.
    Scores,
    /// Cannot be set while the server runs.
    Immutable,
    /// Cannot be set by clients.
    Protected,
}

/// The classes of clients that have limits, in their order.
const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

impl Kind {
    /// A value as it is given back, or why it is not valid. `before` is the value until now.
    pub(super) fn parse(self, value: &[u8], before: &[u8]) -> Result<Vec<u8>, String> {
        let text = String::from_utf8_lossy(value);
        match self {
            Self::YesNo if is(value, "yes") || is(value, "no") => Ok(value.to_ascii_lowercase()),
            Self::YesNo => Err("argument must be 'yes' or 'no'".to_owned()),
            Self::Integer(least, most) => {
                let number = integer(value).ok_or("argument couldn't be parsed into an integer")?;
                within(number, least, most)
            }
            Self::Memory(least, most) => within(bytes(&text).ok_or("argument must be a memory value")?, least, most),
            Self::MemoryOrPercent => match text.strip_suffix('%').map(|digits| integer(digits.as_bytes())) {
                // As in Redis no share is the same as no bytes.
                Some(Some(0)) => Ok(b"0".to_vec()),
                Some(Some(1..=100)) => Ok(value.to_vec()),
                Some(Some(101..)) => Err("percentage argument must be less or equal to 100".to_owned()),
                Some(_) => Err("argument must be a memory or percent value".to_owned()),
                None => within(bytes(&text).ok_or("argument must be a memory or percent value")?, 0, i64::MAX),
            },
            Self::Choice(names) => match names.iter().find(|name| is(value, name)) {
                Some(name) => Ok(name.as_bytes().to_vec()),
                None => Err(format!("argument(s) must be one of the following: {}", names.join(", "))),
            },
            Self::Text => Ok(value.to_vec()),
            Self::Events => events(&text),
            Self::SavePoints => save_points(&text),
            Self::OutputLimits => output_limits(&text, &String::from_utf8_lossy(before)),
            Self::Percentiles => percentiles(&text),
            Self::Scores => scores(&text),
            Self::Immutable => Err("can't set immutable config".to_owned()),
            Self::Protected => Err("can't set protected config".to_owned()),
        }
    }
}

impl Kind {
    /// A value, as [`Kind::parse`] gives it back, as a number: a flag is 0 or 1, a word its place, a share below 0; 0
    /// for what is no number.
    pub(super) fn number(self, value: &[u8]) -> i64 {
        match self {
            Self::YesNo => i64::from(value == b"yes"),
            Self::Choice(names) => {
                let at = names.iter().position(|name| name.as_bytes() == value);
                at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
            }
            Self::MemoryOrPercent => match value.strip_suffix(b"%") {
                Some(percent) => -integer(percent).unwrap_or(0),
                None => integer(value).unwrap_or(0),
            },
            Self::Integer(..) | Self::Memory(..) => integer(value).unwrap_or(0),
            _ => 0,
        }
    }
}

fn within(number: i64, least: i64, most: i64) -> Result<Vec<u8>, String> {
    if (least..=most).contains(&number) {
        return Ok(number.to_string().into_bytes());
    }
    Err(format!("argument must be between {least} and {most} inclusive"))
}

/// A number of bytes with a unit: `k` is 1000, `kb` is 1024.
fn bytes(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn events(text: &str) -> Result<Vec<u8>, String> {
    if let Some(flag) = text.chars().find(|flag| "mnd".contains(*flag)) {
        return Err(format!("not supported: events of the class '{flag}'"));
    }
    let events =
        text.parse::<KeyEvents>().map_err(|_| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned())?;
    Ok(events.to_string().into_bytes())
}

fn save_points(text: &str) -> Result<Vec<u8>, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let (pairs, rest) = words.as_chunks::<2>();
    let is_pair = |[seconds, changes]: &[&str; 2]| {
        integer(seconds.as_bytes()).is_some_and(|seconds| seconds >= 1)
            && integer(changes.as_bytes()).is_some_and(|changes| changes >= 0)
    };
    if !rest.is_empty() || !pairs.iter().all(is_pair) {
        return Err("Invalid save parameters".to_owned());
    }
    Ok(words.join(" ").into_bytes())
}

/// The limits of the classes that are named; those of the others stay.
fn output_limits(text: &str, before: &str) -> Result<Vec<u8>, String> {
    let (before, words): (Vec<_>, Vec<_>) =
        (before.split_ascii_whitespace().collect(), text.split_ascii_whitespace().collect());
    let (quads, rest) = words.as_chunks::<4>();
    if !rest.is_empty() || quads.is_empty() {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    let mut limits: Vec<String> = before.as_chunks::<4>().0.iter().map(|quad| quad.join(" ")).collect();
    for [class, hard, soft, seconds] in quads {
        let class = if class.eq_ignore_ascii_case("replica") { "slave" } else { class };
        let at = CLASSES.iter().position(|known| known.eq_ignore_ascii_case(class));
        let Some((name, limit)) = at.and_then(|at| CLASSES.get(at).zip(limits.get_mut(at))) else {
            return Err("Invalid client class specified in buffer limit configuration.".to_owned());
        };
        let seconds = integer(seconds.as_bytes()).filter(|seconds| *seconds >= 0);
        let (Some(hard), Some(soft), Some(seconds)) = (bytes(hard), bytes(soft), seconds) else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_owned());
        };
        *limit = format!("{name} {hard} {soft} {seconds}");
    }
    Ok(limits.join(" ").into_bytes())
}

fn percentiles(text: &str) -> Result<Vec<u8>, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    for word in &words {
        let number = float(word.as_bytes()).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned());
        }
    }
    Ok(words.join(" ").into_bytes())
}

fn scores(text: &str) -> Result<Vec<u8>, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    if words.len() != 3 {
        return Err("wrong number of arguments".to_owned());
    }
    let is_score = |word: &&str| integer(word.as_bytes()).is_some_and(|score| (-2_000..=2_000).contains(&score));
    if !words.iter().all(is_score) {
        return Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned());
    }
    Ok(words.join(" ").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, number) in
            [("0", 0), ("12", 12), ("1k", 1_000), ("1KB", 1_024), ("2mb", 2 << 20), ("1gb", 1 << 30), ("3B", 3)]
        {
            assert_eq!(bytes(text), Some(number), "{text}");
        }
        for text in ["", "-1", "1.5gb", "1 gb", "gb", "1tb", "9999999999999gb", "é"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn the_limits_of_classes_that_are_not_named_stay() {
        let before = b"normal 0 0 0 slave 9 9 9 pubsub 1 2 3";
        let set = |text: &str| Kind::OutputLimits.parse(text.as_bytes(), before);
        assert_eq!(set("replica 1mb 1 2").unwrap(), b"normal 0 0 0 slave 1048576 1 2 pubsub 1 2 3");
        assert!(set("").is_err() && set("normal 1 2").is_err() && set("other 1 2 3").is_err());
        assert!(set("normal x 2 3").is_err());
    }
}
