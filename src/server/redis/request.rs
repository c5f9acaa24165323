//! Requests as a client sends them: arrays of bulk strings, or one line of text.
//!
//! # Source
//! Redis serialization protocol specification, "Sending commands to a Redis server", "Inline commands".

use std::ops::Range;

use smallvec::SmallVec;

use crate::limits;

/// The places of a request's words in the bytes that were read.
pub(super) type Words = SmallVec<[Range<usize>; 6]>;

/// What the bytes read so far begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A request that takes so many bytes. It may have no words, and then asks for nothing.
    Whole(Words, usize),
    /// A line of text that takes so many bytes, with its words as they are meant.
    Line(Vec<Vec<u8>>, usize),
    /// The beginning of a request.
    Partial,
}

/// Why a connection cannot go on: the text that Redis gives after "Protocol error: ".
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProtocolError(pub(super) String);

fn refuse<T>(reason: impl Into<String>) -> Result<T, ProtocolError> {
    Err(ProtocolError(reason.into()))
}

/// Reads the request that `bytes` begin with.
///
/// # Errors
/// [`ProtocolError`] for what can be no request, and for one that is larger than it may be; before anything is set aside for it.
pub(super) fn parse(bytes: &[u8], is_authenticated: bool) -> Result<Parsed, ProtocolError> {
    match bytes.first() {
        None => Ok(Parsed::Partial),
        Some(b'*') => parse_array(bytes, is_authenticated),
        Some(_) => parse_line(bytes),
    }
}

fn parse_array(bytes: &[u8], is_authenticated: bool) -> Result<Parsed, ProtocolError> {
    let Some((count, mut at)) = number(bytes, 1, "too big mbulk count string")? else { return Ok(Parsed::Partial) };
    let count = match count {
        Some(count) if count <= limits::REQUEST_WORDS_MAX => usize::try_from(count).unwrap_or(0),
        _ => return refuse("invalid multibulk length"),
    };
    if count > 10 && !is_authenticated {
        return refuse("unauthenticated multibulk length");
    }
    let mut words = Words::new();
    for _ in 0..count {
        match bytes.get(at) {
            None => return Ok(Parsed::Partial),
            Some(b'$') => {}
            Some(other) => return refuse(format!("expected '$', got '{}'", other.escape_ascii())),
        }
        let Some((length, start)) = number(bytes, at + 1, "too big bulk count string")? else {
            return Ok(Parsed::Partial);
        };
        let length = match length.and_then(|length| usize::try_from(length).ok()) {
            Some(length) if length <= limits::REQUEST_WORD_BYTES_MAX => length,
            _ => return refuse("invalid bulk length"),
        };
        if length > 16_384 && !is_authenticated {
            return refuse("unauthenticated bulk length");
        }
        let end = start + length;
        if bytes.len() < end + 2 {
            return Ok(Parsed::Partial);
        }
        words.push(start..end);
        at = end + 2;
    }
    Ok(Parsed::Whole(words, at))
}

/// The number in the line from `from` on, if it is one, and where the next line begins; `None` while there is no end of the line.
fn number(bytes: &[u8], from: usize, too_long: &str) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
    let rest = bytes.get(from..).unwrap_or_default();
    if let Some((number, length)) = short_number(rest) {
        return Ok(Some((Some(number), from + length)));
    }
    let Some(end) = rest.iter().position(|byte| *byte == b'\r') else {
        return if rest.len() > limits::REQUEST_LINE_BYTES_MAX { refuse(too_long) } else { Ok(None) };
    };
    if rest.len() < end + 2 {
        return Ok(None);
    }
    let text = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    Ok(Some((text.parse().ok(), from + end + 2)))
}

/// The number of a line of few digits, as nearly all are, and how long the line is.
fn short_number(line: &[u8]) -> Option<(i64, usize)> {
    let mut number = 0;
    for (at, byte) in line.iter().take(10).enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'\r' if at > 0 && line.len() > at + 1 => return Some((number, at + 2)),
            _ => return None,
        }
    }
    None
}

fn parse_line(bytes: &[u8]) -> Result<Parsed, ProtocolError> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        let is_long = bytes.len() > limits::REQUEST_LINE_BYTES_MAX;
        return if is_long { refuse("too big inline request") } else { Ok(Parsed::Partial) };
    };
    let line = bytes.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match split_words(line) {
        Some(words) => Ok(Parsed::Line(words, end + 1)),
        None => refuse("unbalanced quotes in request"),
    }
}

/// The words of a line. Between double quotes a backslash begins an escape, between single ones only `\'` is one; `None` when
/// a quote is open at the end, or closed within a word.
fn split_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    // A NUL ends the words: Redis does not find the end of such a line at all.
    let mut rest = line.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = split_word(rest)?;
        words.push(word);
        rest = after.trim_ascii_start();
    }
    Some(words)
}

fn split_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut word, mut quote) = (Vec::new(), None);
    loop {
        match (quote, rest) {
            (None, [] | [b' ' | b'\t' | b'\n' | b'\r', ..]) => return Some((word, rest)),
            (Some(_), []) => return None,
            (None, [open @ (b'"' | b'\''), after @ ..]) => {
                quote = Some(*open);
                rest = after;
            }
            (Some(b'"'), [b'\\', b'x', high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                word.push(digit(high)? << 4 | digit(low)?);
                rest = after;
            }
            (Some(b'"'), [b'\\', escaped, after @ ..]) => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = after;
            }
            (Some(b'\''), [b'\\', b'\'', after @ ..]) => {
                word.push(b'\'');
                rest = after;
            }
            (Some(open), [byte, after @ ..]) if *byte == open => {
                // A closing quote has to end the word.
                if !matches!(after, [] | [b' ' | b'\t' | b'\n' | b'\r', ..]) {
                    return None;
                }
                return Some((word, after));
            }
            (_, [byte, after @ ..]) => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(bytes: &[u8]) -> Vec<Vec<u8>> {
        match parse(bytes, true).unwrap() {
            Parsed::Whole(words, _) => words.into_iter().map(|word| bytes[word].to_vec()).collect(),
            Parsed::Line(words, _) => words,
            Parsed::Partial => panic!("partial"),
        }
    }

    fn encode(words: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    #[test]
    fn lines_are_split_as_redis_splits_them() {
        assert_eq!(words(b"SET k v\r\n"), [b"SET".to_vec(), b"k".to_vec(), b"v".to_vec()]);
        assert_eq!(words(b"  GET  \"a b\" 'c\\'d' \"\\x41\\n\"\n"), [&b"GET"[..], b"a b", b"c'd", b"A\n"]);
        assert_eq!(words(b"\r\n"), Vec::<Vec<u8>>::new());
        for unbalanced in [&b"GET \"a\n"[..], b"GET 'a\n", b"GET \"a\"b\n"] {
            assert_eq!(parse(unbalanced, true), refuse("unbalanced quotes in request"));
        }
    }

    #[test]
    fn what_is_no_request_is_refused_with_the_texts_of_redis() {
        for (bytes, reason) in [
            (&b"*a\r\n"[..], "invalid multibulk length"),
            (b"*99999999999\r\n", "invalid multibulk length"),
            (b"*1\r\n+OK\r\n", "expected '$', got '+'"),
            (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1\r\n$99999999999\r\n", "invalid bulk length"),
        ] {
            assert_eq!(parse(bytes, true), refuse(reason));
        }
        assert_eq!(parse(b"*11\r\n", false), refuse("unauthenticated multibulk length"));
        assert_eq!(parse(b"*1\r\n$16385\r\n", false), refuse("unauthenticated bulk length"));
        let endless = vec![b'a'; limits::REQUEST_LINE_BYTES_MAX + 1];
        assert_eq!(parse(&endless, true), refuse("too big inline request"));
        assert_eq!(
            parse(&[b"*", &vec![b'1'; limits::REQUEST_LINE_BYTES_MAX + 1][..]].concat(), true),
            refuse("too big mbulk count string")
        );
        assert_eq!(parse(b"*-1\r\n", true), Ok(Parsed::Whole(Words::new(), 5)));
    }

    #[test]
    fn a_nul_ends_a_line() {
        assert_eq!(words(b"a b\0c\n"), [b"a".to_vec(), b"b".to_vec()]);
        assert!(words(b"\0\n").is_empty());
    }

    proptest! {
        #[test]
        fn a_request_comes_back_and_its_beginnings_are_partial(sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..5)) {
            let bytes = encode(&sent);
            prop_assert_eq!(words(&bytes), sent);
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut], true), Ok(Parsed::Partial));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'*'), Just(b'$'), Just(b'\r'), Just(b'\n'), Just(b'1'), Just(b'"')], 0..60)) {
            if let Ok(Parsed::Whole(words, length)) = parse(&bytes, true) {
                prop_assert!(length <= bytes.len() && words.iter().all(|word| word.end <= length));
            }
        }
    }
}
