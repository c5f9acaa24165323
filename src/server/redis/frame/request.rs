//! Requests as a client sends them: arrays of bulk strings, or one line of text.
//!
//! # Cost
//! A request may come in any number of pieces, and each of its bytes is looked at once, but for the ends of its lines:
//! a [`Parser`] keeps where it has come to.
//!
//! # Source
//! Redis serialization protocol specification, "Sending commands to a Redis server", "Inline commands".

use std::ops::Range;

use smallvec::SmallVec;

use crate::limits;

/// The places of a request's words in the bytes that were read.
pub(crate) type Words = SmallVec<[Range<usize>; WORDS_INLINE]>;

/// The words of a request.
pub(crate) type Slices<'a> = SmallVec<[&'a [u8]; WORDS_INLINE]>;

/// Words that take no allocation.
const WORDS_INLINE: usize = 6;

/// Words up to which a request is read at once if it is there as a whole.
const WORDS_AT_ONCE: usize = 64;

/// What the bytes read so far begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A request that takes this many bytes. The parser has its words; it may have none, and then asks for nothing.
    Whole(usize),
    /// The beginning of a request.
    Partial,
}

/// Why a connection cannot go on: the text that Redis gives after "Protocol error: ".
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProtocolError(pub(crate) String);

fn refuse<T>(reason: impl Into<String>) -> Result<T, ProtocolError> {
    Err(ProtocolError(reason.into()))
}

/// What a client may send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// One that has given no password sends little.
    pub(crate) is_authenticated: bool,
    /// Bytes of a word.
    pub(crate) word_bytes: usize,
}

/// How far a request has been read, and its words once it is whole. All places count from its first byte.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// How many words there will be; `None` before the line that says so.
    count: Option<usize>,
    words: Words,
    /// The words of a line of text, as they are meant.
    line: Vec<Vec<u8>>,
    /// The request is whole, and the next one begins anew.
    is_whole: bool,
    /// Where the next word begins.
    at: usize,
    /// Where the word at `at` begins and ends, once the line before it has come.
    word: Option<Range<usize>>,
    /// Up to here there is no end of the line that has begun.
    scanned: usize,
    /// Bytes that were looked at, for tests.
    #[cfg(test)]
    looked_at: usize,
}

impl Parser {
    /// Reads the request that `bytes` begin with: the same bytes as in the call before, unless that returned a whole
    /// one or an error, and perhaps more.
    ///
    /// # Errors
    /// [`ProtocolError`] for what can be no request, and for one that is larger than it may be; before anything is set
    /// aside for it.
    pub(crate) fn parse(&mut self, bytes: &[u8], allowed: Allowed) -> Result<Parsed, ProtocolError> {
        self.let_go();
        let parsed = match bytes.first() {
            None => return Ok(Parsed::Partial),
            Some(b'*') => {
                if let Some(length) = self.parse_at_once(bytes, allowed) {
                    Ok(Parsed::Whole(length))
                } else {
                    self.forget_places();
                    self.parse_array(bytes, allowed)
                }
            }
            Some(_) => {
                self.forget_places();
                self.parse_line(bytes)
            }
        };
        match parsed {
            Ok(Parsed::Whole(_)) => self.is_whole = true,
            Ok(Parsed::Partial) => {}
            Err(_) => self.reset(),
        }
        parsed
    }

    /// The word at a place of the whole request that `bytes` begin with.
    pub(crate) fn word<'a>(&'a self, bytes: &'a [u8], at: usize) -> Option<&'a [u8]> {
        if self.line.is_empty() {
            self.words.get(at).map(|word| bytes.get(word.clone()).unwrap_or_default())
        } else {
            self.line.get(at).map(Vec::as_slice)
        }
    }

    /// The words of the whole request that `bytes` begin with.
    pub(crate) fn words<'a>(&'a self, bytes: &'a [u8]) -> Slices<'a> {
        let word = |word: &Range<usize>| bytes.get(word.start..word.end).unwrap_or_default();
        if !self.line.is_empty() {
            self.line.iter().map(Vec::as_slice).collect()
        } else if self.words.spilled() {
            self.words.iter().map(word).collect()
        } else {
            // Without asking for each whether there is room.
            let mut slices: [&[u8]; WORDS_INLINE] = [&[]; WORDS_INLINE];
            slices.iter_mut().zip(&self.words).for_each(|(to, from)| *to = word(from));
            Slices::from_buf_and_len(slices, self.words.len())
        }
    }

    /// Forgets a request that is whole, with the memory that its words take; keeps what has come of the next one.
    pub(crate) fn let_go(&mut self) {
        if !self.is_whole {
            return;
        }
        if self.count.is_some() || !self.line.is_empty() || self.words.spilled() {
            self.reset();
        } else {
            // The next one has as many words as a rule, whose places take those of these.
            self.is_whole = false;
        }
    }

    /// Forgets the places of the words of the request before.
    fn forget_places(&mut self) {
        if self.count.is_none() {
            self.words.clear();
        }
    }

    /// How many bytes the request has up to the end of the word that is being read, as far as is known; 0 when it is not.
    pub(crate) fn wanted(&self) -> usize {
        self.word.as_ref().map_or(0, |word| word.end + 2)
    }

    /// Forgets what has been read of a request.
    pub(crate) fn reset(&mut self) {
        self.count = None;
        if self.words.spilled() {
            self.words = Words::new();
        } else {
            self.words.clear();
        }
        self.line = Vec::new();
        self.is_whole = false;
        self.at = 0;
        self.word = None;
        self.scanned = 0;
    }

    /// The memory that the places of the words take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        if self.words.spilled() { self.words.capacity() * size_of::<Range<usize>>() } else { 0 }
    }

    /// Reads a request that is there as a whole and is in nothing unusual, as nearly all are. `None` for every other, which
    /// leaves places of no meaning.
    fn parse_at_once(&mut self, bytes: &[u8], allowed: Allowed) -> Option<usize> {
        if self.count.is_some() || !allowed.is_authenticated {
            return None;
        }
        let (count, length) = short_number(bytes.get(1..)?)?;
        let count = usize::try_from(count).ok().filter(|count| *count <= WORDS_AT_ONCE)?;
        let mut at = 1 + length;
        self.words.resize(count, 0..0);
        for word in &mut self.words {
            let (length, before) = bytes.get(at..).and_then(|rest| rest.strip_prefix(b"$")).and_then(short_number)?;
            let start = at + 1 + before;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > allowed.word_bytes || bytes.len() - start < length.saturating_add(2) {
                return None;
            }
            *word = start..start + length;
            at = start + length + 2;
        }
        self.note(at);
        // Its first line may have come in pieces.
        self.scanned = 0;
        Some(at)
    }

    fn parse_array(&mut self, bytes: &[u8], allowed: Allowed) -> Result<Parsed, ProtocolError> {
        let Some(count) = self.word_count(bytes, allowed)? else { return Ok(Parsed::Partial) };
        while self.words.len() < count {
            let found = match self.word.take() {
                Some(word) => Some(word),
                None => self.word_at(bytes, allowed)?,
            };
            let Some(word) = found else { return Ok(Parsed::Partial) };
            if bytes.len() < word.end + 2 {
                self.word = Some(word);
                return Ok(Parsed::Partial);
            }
            self.at = word.end + 2;
            self.words.push(word);
        }
        Ok(Parsed::Whole(self.at))
    }

    /// How many words there will be; `None` while the line that says so has no end.
    fn word_count(&mut self, bytes: &[u8], allowed: Allowed) -> Result<Option<usize>, ProtocolError> {
        if self.count.is_some() {
            return Ok(self.count);
        }
        let Some((count, at)) = self.number(bytes, 1, "too big mbulk count string")? else { return Ok(None) };
        let count = match count {
            Some(count) if count <= limits::REQUEST_WORDS_MAX => usize::try_from(count).unwrap_or(0),
            _ => return refuse("invalid multibulk length"),
        };
        if count > limits::GUEST_REQUEST_WORDS_MAX && !allowed.is_authenticated {
            return refuse("unauthenticated multibulk length");
        }
        self.at = at;
        self.count = Some(count);
        Ok(self.count)
    }

    /// The place of the word whose line begins at `self.at`; `None` while the line has no end.
    fn word_at(&mut self, bytes: &[u8], allowed: Allowed) -> Result<Option<Range<usize>>, ProtocolError> {
        match bytes.get(self.at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => return refuse(format!("expected '$', got '{}'", other.escape_ascii())),
        }
        let Some((length, start)) = self.number(bytes, self.at + 1, "too big bulk count string")? else {
            return Ok(None);
        };
        let length = match length.and_then(|length| usize::try_from(length).ok()) {
            Some(length) if length <= allowed.word_bytes => length,
            _ => return refuse("invalid bulk length"),
        };
        if length > limits::GUEST_REQUEST_WORD_BYTES_MAX && !allowed.is_authenticated {
            return refuse("unauthenticated bulk length");
        }
        Ok(Some(start..start + length))
    }

    /// The number in the line from `from` on, if it is one, and where the next line begins; `None` while there is no
    /// end of the line.
    fn number(
        &mut self,
        bytes: &[u8],
        from: usize,
        too_long: &str,
    ) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
        let rest = bytes.get(from..).unwrap_or_default();
        self.note(rest.len().min(12));
        if let Some((number, length)) = short_number(rest) {
            return Ok(Some((Some(number), from + length)));
        }
        let Some(end) = self.find(bytes, from, b'\r') else {
            return if rest.len() > limits::REQUEST_LINE_BYTES_MAX { refuse(too_long) } else { Ok(None) };
        };
        if bytes.len() < end + 2 {
            return Ok(None);
        }
        let text = bytes.get(from..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        Ok(Some((text.parse().ok(), end + 2)))
    }

    fn parse_line(&mut self, bytes: &[u8]) -> Result<Parsed, ProtocolError> {
        let Some(end) = self.find(bytes, 0, b'\n') else {
            let is_long = bytes.len() > limits::REQUEST_LINE_BYTES_MAX;
            return if is_long { refuse("too big inline request") } else { Ok(Parsed::Partial) };
        };
        let line = bytes.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match split_words(line) {
            Some(words) => {
                self.line = words;
                Ok(Parsed::Whole(end + 1))
            }
            None => refuse("unbalanced quotes in request"),
        }
    }

    /// Where the first `wanted` from `from` on is. What was looked at in vain is not looked at again.
    fn find(&mut self, bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
        let start = from.max(self.scanned);
        let rest = bytes.get(start..).unwrap_or_default();
        let found = rest.iter().position(|byte| *byte == wanted);
        self.note(found.unwrap_or(rest.len()));
        // An end of a line that is not whole yet is found again at once.
        self.scanned = found.map_or(bytes.len(), |at| start + at);
        found.map(|at| start + at)
    }

    /// Counts bytes that are looked at.
    #[cfg(test)]
    fn note(&mut self, bytes: usize) {
        self.looked_at += bytes;
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "tests count")]
    fn note(&mut self, _: usize) {}
}

/// The number of a line of few digits, as nearly all are, and how long the line is.
#[inline]
fn short_number(line: &[u8]) -> Option<(i64, usize)> {
    // Words are seldom so many or so long that it takes three.
    match line {
        [digit @ b'0'..=b'9', b'\r', _, ..] => Some((i64::from(digit - b'0'), 3)),
        [tens @ b'0'..=b'9', digit @ b'0'..=b'9', b'\r', _, ..] => {
            Some((i64::from(tens - b'0') * 10 + i64::from(digit - b'0'), 4))
        }
        _ => less_short_number(line),
    }
}

fn less_short_number(line: &[u8]) -> Option<(i64, usize)> {
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

/// The words of a line. Between double quotes a backslash begins an escape, between single ones only `\'` is one;
/// `None` when a quote is open at the end, or closed within a word.
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

    const ALL: Allowed = Allowed { is_authenticated: true, word_bytes: limits::REQUEST_WORD_BYTES_MAX };

    fn parse(bytes: &[u8], is_authenticated: bool) -> Result<Parsed, ProtocolError> {
        Parser::default().parse(bytes, Allowed { is_authenticated, ..ALL })
    }

    fn words(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut parser = Parser::default();
        assert!(matches!(parser.parse(bytes, ALL), Ok(Parsed::Whole(_))));
        let words: Vec<_> = parser.words(bytes).into_iter().map(<[u8]>::to_vec).collect();
        assert!(words.iter().enumerate().all(|(at, word)| parser.word(bytes, at) == Some(word)));
        words
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
        assert_eq!(parse(b"*-1\r\n", true), Ok(Parsed::Whole(5)));
        assert!(words(b"*-1\r\n").is_empty());
    }

    /// Gives a parser a request byte by byte, and returns how many bytes it looked at for that.
    fn trickle(request: &[u8]) -> usize {
        let mut parser = Parser::default();
        for len in 1..request.len() {
            assert_eq!(parser.parse(&request[..len], ALL), Ok(Parsed::Partial));
        }
        assert!(!matches!(parser.parse(request, ALL), Ok(Parsed::Partial) | Err(_)));
        parser.looked_at
    }

    #[test]
    fn the_work_for_a_request_does_not_grow_with_its_pieces() {
        let word = |word: &str| word.as_bytes().to_vec();
        let many = encode(&vec![word("ab"); 5_000]);
        let long = encode(&[word("SET"), word("k"), vec![b'v'; 50_000]]);
        let line = [&b"SET k "[..], &*vec![b'v'; 50_000], b"\r\n"].concat();
        let count = [&b"*"[..], &*vec![b'0'; 20_000], b"1\r\n$1\r\na\r\n"].concat();
        for request in [many, long, line, count] {
            let looked_at = trickle(&request);
            assert!(looked_at <= 16 * request.len(), "{looked_at} bytes for {}", request.len());
        }
    }

    #[test]
    fn a_request_that_is_put_together_from_pieces_is_the_same() {
        let request = encode(&[b"SET".to_vec(), b"k".to_vec(), vec![b'v'; 300]]);
        let mut parser = Parser::default();
        for len in [1, 3, 5, 17, 40, 200, request.len() - 1] {
            assert_eq!(parser.parse(&request[..len], ALL), Ok(Parsed::Partial));
        }
        assert_eq!(parser.parse(&request, ALL), parse(&request, true));
        assert_eq!(parser.words(&request)[..2], [&b"SET"[..], b"k"]);
        // The parser is ready for the next one.
        assert_eq!(parser.parse(b"PING\r\n", ALL), Ok(Parsed::Whole(6)));
        assert_eq!(parser.words(b"PING\r\n")[..], [b"PING"]);
        assert_eq!(parser.parse(b"\r\n", ALL), Ok(Parsed::Whole(2)));
        assert!(parser.words(b"\r\n").is_empty() && parser.word(b"\r\n", 0).is_none());
        assert_eq!(parser.parse(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", ALL), Ok(Parsed::Whole(18)));
        assert_eq!(parser.parse(b"*-1\r\n", ALL), Ok(Parsed::Whole(5)));
        assert!(parser.words(b"*-1\r\n").is_empty());
        assert_eq!(parser.parse(b"*1\r\n$4\r\nTI", ALL), Ok(Parsed::Partial));
        parser.let_go();
        assert_eq!((parser.parse(b"*1\r\n$4\r\nTIME\r\n", ALL), parser.wanted()), (Ok(Parsed::Whole(14)), 0));
    }

    #[test]
    fn a_parser_that_has_read_others_reads_each_request_as_a_new_one_does() {
        let words = |count: usize| encode(&vec![b"word".to_vec(); count]);
        let requests = [
            words(3),
            words(1),
            words(6),
            words(7),
            b"PING a b\r\n".to_vec(),
            words(2),
            b"\r\n".to_vec(),
            words(5),
            b"*0\r\n".to_vec(),
            words(9),
            b"*-1\r\n".to_vec(),
            b"*003\r\n$1\r\na\r\n$01\r\nb\r\n$1\r\nc\r\n".to_vec(),
        ];
        let mut parser = Parser::default();
        for (first, second) in requests.iter().flat_map(|first| requests.iter().map(move |second| (first, second))) {
            for request in [first, second] {
                let mut alone = Parser::default();
                assert_eq!(alone.parse(request, ALL), Ok(Parsed::Whole(request.len())));
                // In two pieces, and at once.
                for cut in [1, request.len() / 2] {
                    assert_eq!(parser.parse(&request[..cut], ALL), Ok(Parsed::Partial));
                    assert_eq!(parser.parse(request, ALL), Ok(Parsed::Whole(request.len())));
                    assert_eq!(parser.words(request), alone.words(request));
                }
                assert_eq!(parser.parse(request, ALL), Ok(Parsed::Whole(request.len())));
                assert_eq!(parser.words(request), alone.words(request));
            }
        }
    }

    #[test]
    fn the_places_of_many_words_are_given_back() {
        let mut parser = Parser::default();
        let request = encode(&vec![b"ab".to_vec(); 5_000]);
        assert_eq!(parser.parse(&request, ALL), Ok(Parsed::Whole(request.len())));
        assert!(parser.bytes() >= 5_000 * size_of::<Range<usize>>());
        parser.let_go();
        assert_eq!(parser.bytes(), 0);
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
            let mut parser = Parser::default();
            if let Ok(Parsed::Whole(length)) = parser.parse(&bytes, ALL) {
                prop_assert!(length <= bytes.len() && parser.words.iter().all(|word| word.end <= length));
            }
        }
    }
}
