//! Expressions as words and signs.

/// A kind of word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name of an attribute or function.
    Name,
    /// `#name`
    NamePlaceholder,
    /// `:value`
    ValuePlaceholder,
    /// The index of a list's element.
    Integer,
    Keyword(Keyword),
    Comparator(Comparator),
    Plus,
    Minus,
    Open,
    Close,
    OpenIndex,
    CloseIndex,
    Comma,
    Dot,
    /// What no expression has.
    Unknown,
    End,
}

/// A word with a meaning, in letters of either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Between,
    In,
    Set,
    Remove,
    Add,
    Delete,
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The one that holds when its operands change places.
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            symmetric => symmetric,
        }
    }

    /// Whether it asks which operand is the larger one.
    pub(crate) fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A word or sign, and where in the text it stands, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

const KEYWORDS: [(&str, Keyword); 9] = [
    ("AND", Keyword::And),
    ("OR", Keyword::Or),
    ("NOT", Keyword::Not),
    ("BETWEEN", Keyword::Between),
    ("IN", Keyword::In),
    ("SET", Keyword::Set),
    ("REMOVE", Keyword::Remove),
    ("ADD", Keyword::Add),
    ("DELETE", Keyword::Delete),
];

/// The words and signs of `text`, with [`Token::End`] behind the last.
pub(super) fn read(text: &str) -> Vec<Lexeme> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (token, length) = first(rest);
        if let Some(token) = token {
            lexemes.push(Lexeme { token, start: at, end: at + length });
        }
        at += length;
    }
    lexemes.push(Lexeme { token: Token::End, start: text.len(), end: text.len() });
    lexemes
}

/// What `text`, which is not empty, begins with, and its length; space is nothing.
fn first(text: &str) -> (Option<Token>, usize) {
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let run = |from: usize| from + bytes.iter().skip(from).take_while(|byte| is_word(byte)).count();
    let pair = |second: u8| bytes.get(1) == Some(&second);
    let comparator = |comparator: Comparator| (Some(Token::Comparator(comparator)), comparator.as_str().len());
    let placeholder = |token| match run(1) {
        1 => (Some(Token::Unknown), 1),
        length => (Some(token), length),
    };
    let token = match bytes.first() {
        Some(b' ' | b'\t' | b'\r' | b'\n') => return (None, 1),
        Some(b'a'..=b'z' | b'A'..=b'Z') => {
            let word = text.get(..run(0)).unwrap_or_default();
            let keyword = KEYWORDS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
            return (Some(keyword.map_or(Token::Name, |(_, keyword)| Token::Keyword(keyword))), word.len());
        }
        Some(b'#') => return placeholder(Token::NamePlaceholder),
        Some(b':') => return placeholder(Token::ValuePlaceholder),
        Some(b'1'..=b'9') => {
            return (Some(Token::Integer), bytes.iter().take_while(|byte| byte.is_ascii_digit()).count());
        }
        Some(b'<') if pair(b'>') => return comparator(Comparator::NotEqual),
        Some(b'<') if pair(b'=') => return comparator(Comparator::LessOrEqual),
        Some(b'>') if pair(b'=') => return comparator(Comparator::GreaterOrEqual),
        Some(b'<') => return comparator(Comparator::Less),
        Some(b'>') => return comparator(Comparator::Greater),
        Some(b'=') => return comparator(Comparator::Equal),
        Some(b'0') => Token::Integer,
        Some(b'+') => Token::Plus,
        Some(b'-') => Token::Minus,
        Some(b'(') => Token::Open,
        Some(b')') => Token::Close,
        Some(b'[') => Token::OpenIndex,
        Some(b']') => Token::CloseIndex,
        Some(b',') => Token::Comma,
        Some(b'.') => Token::Dot,
        _ => Token::Unknown,
    };
    (Some(token), text.chars().next().map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<(Token, &str)> {
        read(text).into_iter().map(|lexeme| (lexeme.token, &text[lexeme.start..lexeme.end])).collect()
    }

    #[test]
    fn words_and_signs_are_told_apart() {
        let expected = vec![
            (Token::Name, "a_1"),
            (Token::Dot, "."),
            (Token::NamePlaceholder, "#n"),
            (Token::OpenIndex, "["),
            (Token::Integer, "10"),
            (Token::CloseIndex, "]"),
            (Token::Comparator(Comparator::NotEqual), "<>"),
            (Token::ValuePlaceholder, ":0v"),
            (Token::Keyword(Keyword::And), "aNd"),
            (Token::End, ""),
        ];
        assert_eq!(tokens(" a_1.#n[10]<>:0v\taNd "), expected);
    }

    #[test]
    fn what_no_expression_has_is_one_sign_each() {
        for (text, sign) in [("€", "€"), ("#", "#"), (": ", ":"), ("_a", "_"), ("'a'", "'"), ("*", "*")] {
            assert_eq!(tokens(text)[0], (Token::Unknown, sign), "{text}");
        }
        assert_eq!(tokens("007").len(), 4, "zeros stand alone");
    }

    proptest! {
        #[test]
        fn everything_but_space_is_part_of_a_token(text: String) {
            let read: String = tokens(&text).into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(read, text.replace([' ', '\t', '\r', '\n'], ""));
        }
    }
}
