//! From text to tokens, one at a time, without allocating.
//!
//! A token is the longest that begins where the last one ended, but for durations: `1WHERE` is the duration `1W` and a
//! word. Spaces and comments (`--`, `//`, `/* */`) lie between tokens; a comment of one line may end with the text.
//!
//! # Source
//! Cassandra 5.0, the rules of its lexer.

use std::borrow::Cow;

use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::{Kind, Token};

/// Reads the tokens of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'q> {
    text: &'q str,
    at: usize,
}

/// What may stand after digits to make them a duration, the longest first.
const DURATION_UNITS: [&str; 11] = ["mo", "ms", "us", "µs", "ns", "y", "w", "d", "h", "m", "s"];

impl<'q> Lexer<'q> {
    /// A lexer at the beginning of `text`.
    pub(super) fn new(text: &'q str) -> Self {
        Self { text, at: 0 }
    }

    /// Where it is, in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The byte `ahead` bytes on, 0 behind the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at.saturating_add(ahead)).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'q str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes one run of spaces or one comment; whether there was one.
    ///
    /// What is hidden from the parser is counted as tokens in the excerpts of errors.
    pub(super) fn skip_hidden(&mut self) -> bool {
        let start = self.at;
        match (self.byte(0), self.byte(1)) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {
                while matches!(self.byte(0), b' ' | b'\t' | b'\n' | b'\r') {
                    self.at += 1;
                }
            }
            (b'-', b'-') | (b'/', b'/') => {
                let rest = self.rest();
                self.at += rest.find(['\n', '\r']).map_or(rest.len(), |end| end + 1);
            }
            (b'/', b'*') => {
                // One that does not end is left, and is no token either.
                let end = self.rest().get(2..).and_then(|rest| rest.find("*/"));
                self.at += end.map_or(0, |end| end + 4);
            }
            _ => {}
        }
        self.at > start
    }

    /// The next token. Behind the last it is [`Kind::End`]; where none begins, [`Kind::Broken`] up to the end.
    pub(super) fn next(&mut self) -> Token {
        while self.skip_hidden() {}
        let start = self.at;
        let kind = self.token();
        if kind == Kind::Broken {
            self.at = self.text.len();
        }
        Token { kind, start, end: self.at }
    }

    fn token(&mut self) -> Kind {
        let first = self.byte(0);
        if self.at >= self.text.len() {
            return Kind::End;
        }
        // A UUID may begin as a number, a duration or a word.
        if first.is_ascii_hexdigit() && self.byte(8) == b'-' && self.is_uuid() {
            self.at += 36;
            return Kind::Uuid;
        }
        match first {
            b'a'..=b'z' | b'A'..=b'Z' => self.word(),
            b'0'..=b'9' => self.number(),
            b'-' => match self.byte(1) {
                b'0'..=b'9' => self.number(),
                b'n' | b'N' | b'i' | b'I' | b'P' => self.negative(),
                b'=' => self.take(2, Kind::MinusEqual),
                _ => self.take(1, Kind::Minus),
            },
            b'\'' => self.quoted(b'\'', Kind::String),
            b'"' if self.byte(1) == b'"' && self.byte(2) != b'"' => self.take(2, Kind::EmptyName),
            b'"' => self.quoted(b'"', Kind::QuotedName),
            b'$' if self.byte(1) == b'$' => self.dollars(),
            b'+' if self.byte(1) == b'=' => self.take(2, Kind::PlusEqual),
            b'!' if self.byte(1) == b'=' => self.take(2, Kind::NotEqual),
            b'<' if self.byte(1) == b'=' => self.take(2, Kind::LessOrEqual),
            b'>' if self.byte(1) == b'=' => self.take(2, Kind::GreaterOrEqual),
            b'.' if self.byte(1) == b'.' => self.take(2, Kind::Range),
            // A comment that does not end.
            b'/' if self.byte(1) == b'*' => Kind::Broken,
            _ => self.sign(first),
        }
    }

    fn sign(&mut self, first: u8) -> Kind {
        let kind = match first {
            b',' => Kind::Comma,
            b'.' => Kind::Dot,
            b':' => Kind::Colon,
            b';' => Kind::Semicolon,
            b'(' => Kind::Open,
            b')' => Kind::Close,
            b'[' => Kind::OpenBracket,
            b']' => Kind::CloseBracket,
            b'{' => Kind::OpenBrace,
            b'}' => Kind::CloseBrace,
            b'=' => Kind::Equal,
            b'<' => Kind::Less,
            b'>' => Kind::Greater,
            b'+' => Kind::Plus,
            b'*' => Kind::Star,
            b'/' => Kind::Slash,
            b'%' => Kind::Percent,
            b'?' => Kind::QuestionMark,
            _ => return Kind::Broken,
        };
        self.take(1, kind)
    }

    fn take(&mut self, bytes: usize, kind: Kind) -> Kind {
        self.at += bytes;
        kind
    }

    fn is_uuid(&self) -> bool {
        let Some(bytes) = self.text.as_bytes().get(self.at..self.at.saturating_add(36)) else { return false };
        bytes.iter().enumerate().all(|(number, byte)| match number {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or_default();
        if word.starts_with('P') {
            let end = self.at;
            self.at = start;
            if self.iso_duration() {
                return Kind::Duration;
            }
            self.at = end;
        }
        if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
            return Kind::Boolean;
        }
        Keyword::of(word).map_or(Kind::Identifier, Kind::Keyword)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    /// A token that begins with digits, or with a minus sign and digits.
    fn number(&mut self) -> Kind {
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X') {
            self.at += 2;
            while self.byte(0).is_ascii_hexdigit() {
                self.at += 1;
            }
            return Kind::Hex;
        }
        if self.byte(0) == b'-' {
            self.at += 1;
        }
        self.digits();
        if self.unit() {
            while self.duration_part() {}
            return Kind::Duration;
        }
        let mut kind = Kind::Integer;
        // `1..2` is a range of integers, `1...2` one that begins at a float.
        if self.byte(0) == b'.' && (self.byte(1) != b'.' || self.byte(2) == b'.') {
            self.at += 1;
            self.digits();
            kind = Kind::Float;
        }
        if matches!(self.byte(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if self.byte(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits();
                kind = Kind::Float;
            }
        }
        kind
    }

    /// Passes the unit of a duration, if there is one here.
    fn unit(&mut self) -> bool {
        let rest = self.rest();
        let is_here = |unit: &&&str| rest.get(..unit.len()).is_some_and(|start| start.eq_ignore_ascii_case(unit));
        let Some(unit) = DURATION_UNITS.iter().find(is_here) else { return false };
        self.at += unit.len();
        true
    }

    /// Passes digits and a unit, if both are here.
    fn duration_part(&mut self) -> bool {
        let start = self.at;
        let is_there = self.digits() > 0 && self.unit();
        if !is_there {
            self.at = start;
        }
        is_there
    }

    /// `-NaN`, `-Infinity`, a duration of ISO 8601, or a minus sign.
    fn negative(&mut self) -> Kind {
        let start = self.at;
        self.at += 1;
        if self.byte(0) == b'P' && self.iso_duration() {
            return Kind::Duration;
        }
        for (word, kind) in [("nan", Kind::NegativeNan), ("infinity", Kind::NegativeInfinity)] {
            let is_here = self.rest().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
            if is_here && !is_word(self.byte(word.len())) {
                return self.take(word.len(), kind);
            }
        }
        self.at = start;
        self.take(1, Kind::Minus)
    }

    /// Passes a duration of ISO 8601 that begins with the `P` here, if it is one up to where a word would end.
    fn iso_duration(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        let is_duration = self.iso_alternative() || self.iso_designators();
        if is_duration && !is_word(self.byte(0)) {
            return true;
        }
        self.at = start;
        false
    }

    /// `2020-01-02T03:04:05`, behind the `P`.
    fn iso_alternative(&mut self) -> bool {
        let pattern = b"dddd-dd-ddTdd:dd:dd";
        let Some(bytes) = self.text.as_bytes().get(self.at..self.at.saturating_add(pattern.len())) else {
            return false;
        };
        let fits =
            |(byte, expected): (&u8, &u8)| if *expected == b'd' { byte.is_ascii_digit() } else { byte == expected };
        let is_there = bytes.iter().zip(pattern).all(fits);
        if is_there {
            self.at += pattern.len();
        }
        is_there
    }

    /// Numbers with designators, behind the `P`: weeks alone, or years to days and hours to seconds, at least one of either.
    fn iso_designators(&mut self) -> bool {
        let start = self.at;
        if self.digits() > 0 && self.byte(0) == b'W' {
            self.at += 1;
            return true;
        }
        self.at = start;
        let mut parts = [b'Y', b'M', b'D'].into_iter().filter(|designator| self.designated(*designator)).count();
        if self.byte(0) == b'T' {
            self.at += 1;
            let times = [b'H', b'M', b'S'].into_iter().filter(|designator| self.designated(*designator)).count();
            if times == 0 {
                return false;
            }
            parts += times;
        }
        parts > 0
    }

    fn designated(&mut self, designator: u8) -> bool {
        let start = self.at;
        let is_there = self.digits() > 0 && self.byte(0) == designator;
        self.at = if is_there { self.at + 1 } else { start };
        is_there
    }

    /// Text up to the next `quote` that is not doubled.
    fn quoted(&mut self, quote: u8, kind: Kind) -> Kind {
        self.at += 1;
        loop {
            let Some(end) = self.rest().find(char::from(quote)) else { return Kind::Broken };
            self.at += end + 1;
            if self.byte(0) != quote {
                return kind;
            }
            self.at += 1;
        }
    }

    /// Text between `$$` and `$$`.
    fn dollars(&mut self) -> Kind {
        self.at += 2;
        let Some(end) = self.rest().find("$$") else { return Kind::Broken };
        self.take(end + 2, Kind::String)
    }
}

/// Whether `byte` may stand within a word.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What a token of kind `kind` says that is written as `source`: without quotes, and with those within it undoubled.
pub(super) fn unquoted(kind: Kind, source: &str) -> Cow<'_, str> {
    let inner = |bytes: usize| source.get(bytes..source.len().saturating_sub(bytes)).unwrap_or_default();
    match kind {
        Kind::String if source.starts_with('$') => Cow::Borrowed(inner(2)),
        Kind::String if inner(1).contains('\'') => Cow::Owned(inner(1).replace("''", "'")),
        Kind::QuotedName if inner(1).contains('"') => Cow::Owned(inner(1).replace("\"\"", "\"")),
        Kind::String | Kind::QuotedName | Kind::EmptyName => Cow::Borrowed(inner(1)),
        _ => Cow::Borrowed(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text);
        let mut found = Vec::new();
        loop {
            let token = lexer.next();
            if token.kind == Kind::End {
                return found;
            }
            found.push((token.kind, &text[token.start..token.end]));
            if token.kind == Kind::Broken {
                return found;
            }
        }
    }

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn numbers_durations_and_uuids_are_told_apart() {
        for (text, kind) in [
            ("1", Kind::Integer),
            ("-12", Kind::Integer),
            ("1.", Kind::Float),
            ("1.5", Kind::Float),
            ("-1.5e-7", Kind::Float),
            ("1E10", Kind::Float),
            ("0xCafe", Kind::Hex),
            ("0x", Kind::Hex),
            ("1h30m", Kind::Duration),
            ("-2mo", Kind::Duration),
            ("3µs", Kind::Duration),
            ("1y2mo3w4d5h6m7s8ms9us10ns", Kind::Duration),
            ("P1Y2M3DT4H5M6S", Kind::Duration),
            ("-PT5M", Kind::Duration),
            ("P3W", Kind::Duration),
            ("P0001-02-03T04:05:06", Kind::Duration),
            ("P", Kind::Identifier),
            ("PT", Kind::Identifier),
            ("p1y", Kind::Identifier),
            ("P1Yx", Kind::Identifier),
            ("P1DT", Kind::Identifier),
            ("deadbeef-dead-beef-dead-beefdeadbeef", Kind::Uuid),
            ("12345678-1234-1234-1234-123456789012", Kind::Uuid),
            ("1e345678-1234-1234-1234-123456789012", Kind::Uuid),
            ("true", Kind::Boolean),
            ("-nan", Kind::NegativeNan),
            ("-Infinity", Kind::NegativeInfinity),
            ("NaN", Kind::Keyword(Keyword::Nan)),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
        }
    }

    #[test]
    fn ranges_signs_and_units_end_a_number() {
        use Kind::{Duration, Float, Identifier, Integer, Keyword as Word, Minus, Range};
        assert_eq!(kinds("1..2"), [Integer, Range, Integer]);
        assert_eq!(kinds("1...2"), [Float, Range, Integer]);
        assert_eq!(kinds("1.5..2"), [Float, Range, Integer]);
        assert_eq!(kinds("a-1"), [Identifier, Integer]);
        assert_eq!(kinds("a - 1"), [Identifier, Minus, Integer]);
        assert_eq!(tokens("1WHERE"), [(Duration, "1W"), (Identifier, "HERE")]);
        assert_eq!(kinds("1d2"), [Duration, Integer]);
        assert_eq!(kinds("1e"), [Integer, Identifier]);
        assert_eq!(kinds("1 where"), [Integer, Word(Keyword::Where)]);
        assert_eq!(kinds("-nano"), [Minus, Identifier]);
        assert_eq!(kinds("x-=-1"), [Identifier, Kind::MinusEqual, Integer]);
    }

    #[test]
    fn quotes_are_undoubled_and_what_does_not_end_is_broken() {
        assert_eq!(unquoted(Kind::String, "'it''s'"), "it's");
        assert_eq!(unquoted(Kind::String, "''''"), "'");
        assert_eq!(unquoted(Kind::String, "$$it's $5$$"), "it's $5");
        assert_eq!(unquoted(Kind::QuotedName, "\"a\"\"b\""), "a\"b");
        assert_eq!(kinds("''"), [Kind::String]);
        assert_eq!(kinds("\"\""), [Kind::EmptyName]);
        assert_eq!(tokens("\"\"\"\""), [(Kind::QuotedName, "\"\"\"\"")]);
        assert_eq!(kinds("$$$$"), [Kind::String]);
        for broken in ["'a", "\"a", "$$a$", "/* a", "€", "$", "'''"] {
            assert_eq!(kinds(broken), [Kind::Broken], "{broken}");
        }
    }

    #[test]
    fn comments_and_spaces_are_hidden() {
        assert_eq!(kinds("a -- b\n, // c\r/* d\n * e */ f -- g"), [Kind::Identifier, Kind::Comma, Kind::Identifier]);
        assert_eq!(kinds("a/**/"), [Kind::Identifier]);
        assert_eq!(kinds("a /*/ b */"), [Kind::Identifier]);
        assert!(kinds("").is_empty());
    }
}
