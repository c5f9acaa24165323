//! The tokens of CQL.

use crate::wide_column::cql::keyword::Keyword;

/// What kind of token something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, which may be a name all the same.
    Keyword(Keyword),
    /// A word that is no keyword.
    Identifier,
    /// A name in double quotes.
    QuotedName,
    /// `""`.
    EmptyName,
    /// Text in single quotes or between `$$`.
    String,
    /// Digits, perhaps with a minus sign.
    Integer,
    /// A number with a point or an exponent.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A duration in any of its three forms.
    Duration,
    /// A UUID.
    Uuid,
    /// `0x` and hexadecimal digits.
    Hex,
    /// `-NaN`.
    NegativeNan,
    /// `-Infinity`.
    NegativeInfinity,
    /// `?`
    QuestionMark,
    /// `..`
    Range,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `:`
    Colon,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `+=`
    PlusEqual,
    /// `-=`
    MinusEqual,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// The end of the text.
    End,
    /// No token begins here, or one that does not end.
    Broken,
}

impl Kind {
    /// What errors call it when it is expected.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keyword(keyword) => keyword.token_name(),
            Self::Identifier => "IDENT",
            Self::QuotedName => "QUOTED_NAME",
            Self::EmptyName => "EMPTY_QUOTED_NAME",
            Self::String => "STRING_LITERAL",
            Self::Integer => "INTEGER",
            Self::Float => "FLOAT",
            Self::Boolean => "BOOLEAN",
            Self::Duration => "DURATION",
            Self::Uuid => "UUID",
            Self::Hex => "HEXNUMBER",
            Self::NegativeNan => "K_NEGATIVE_NAN",
            Self::NegativeInfinity => "K_NEGATIVE_INFINITY",
            Self::QuestionMark => "QMARK",
            Self::Range => "RANGE",
            Self::Comma => "','",
            Self::Dot => "'.'",
            Self::Colon => "':'",
            Self::Semicolon => "';'",
            Self::Open => "'('",
            Self::Close => "')'",
            Self::OpenBracket => "'['",
            Self::CloseBracket => "']'",
            Self::OpenBrace => "'{'",
            Self::CloseBrace => "'}'",
            Self::Equal => "'='",
            Self::NotEqual => "'!='",
            Self::Less => "'<'",
            Self::LessOrEqual => "'<='",
            Self::Greater => "'>'",
            Self::GreaterOrEqual => "'>='",
            Self::Plus => "'+'",
            Self::Minus => "'-'",
            Self::PlusEqual => "'+='",
            Self::MinusEqual => "'-='",
            Self::Star => "'*'",
            Self::Slash => "'/'",
            Self::Percent => "'%'",
            Self::End | Self::Broken => "EOF",
        }
    }
}

/// A token, by where it is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends, in bytes.
    pub(super) end: usize,
}
