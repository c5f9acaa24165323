//! What is wrong with a text that does not parse, in Cassandra's words.
//!
//! A message begins with the line, counted from 1, and the column, counted from 0 in UTF-16 code units, and ends with an
//! excerpt in which the token is in brackets. At the end of the text it is `line 0:-1`, without an excerpt.

use std::collections::VecDeque;

use crate::error::{Error, InvalidKind};
use crate::wide_column::cql::lexer::{Lexer, unquoted};
use crate::wide_column::cql::token::{Kind, Token};

/// The code of the protocol for text that does not parse.
pub(super) const SYNTAX_ERROR: i32 = 0x2000;

/// The code of the protocol for what parses and cannot be.
pub(super) const INVALID: i32 = 0x2200;

/// Tokens before the wrong one that an excerpt shows, spaces and comments included.
const EXCERPT_TOKENS: usize = 10;

/// What a parser finds wrong at a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    /// It had to be this one.
    Expecting(Kind),
    /// None of several may be here.
    NoAlternative,
    /// It had to be one of a set.
    OneOf,
}

/// Why something does not parse. The message is made of it only if that is not for the parser to try something else.
#[derive(Debug)]
pub(super) enum Fault {
    /// A token.
    Unexpected(Token, Problem),
    /// What is said of it.
    Said(String),
    /// What is said of it, where the text parses and says what cannot be.
    Refused(String),
    /// A limit.
    Limit(Box<Error>),
}

/// What parsing results in.
pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Limit(Box::new(error))
    }
}

impl Fault {
    /// A fault that says `message`.
    pub(super) fn said(message: impl Into<String>) -> Self {
        Self::Said(message.into())
    }

    /// The error of the text it was found in.
    pub(super) fn into_error(self, text: &str) -> Error {
        let message = match self {
            Self::Unexpected(token, problem) => unexpected(text, token, problem),
            Self::Said(message) => message,
            Self::Refused(message) => return Error::coded(InvalidKind::Value, INVALID, message),
            Self::Limit(error) => return *error,
        };
        Error::coded(InvalidKind::Syntax, SYNTAX_ERROR, message)
    }
}

/// What is said of `problem` at `token` of `text`.
fn unexpected(text: &str, token: Token, problem: Problem) -> String {
    if token.kind == Kind::Broken {
        return broken(text, token.start);
    }
    let source = text.get(token.start..token.end).unwrap_or_default();
    let (line, column) = if token.kind == Kind::End { (0, -1) } else { position(text, token.start) };
    let shown = if token.kind == Kind::End { "<EOF>".into() } else { unquoted(token.kind, source) };
    let shown = shown.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    let what = match problem {
        Problem::Expecting(kind) => format!("mismatched input '{shown}' expecting {}", kind.name()),
        Problem::OneOf => format!("mismatched input '{shown}' expecting set null"),
        Problem::NoAlternative => format!("no viable alternative at input '{shown}'"),
    };
    format!("line {line}:{column} {what}{}", excerpt(text, token))
}

/// Line and column of a byte of `text`.
fn position(text: &str, offset: usize) -> (usize, i64) {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, i64::try_from(last.encode_utf16().count()).unwrap_or(i64::MAX))
}

/// What is wrong where no token is.
fn broken(text: &str, offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    let unended = |expected: &str| {
        let (line, column) = position(text, text.len());
        format!("line {line}:{column} mismatched character '<EOF>' expecting {expected}")
    };
    let (line, column) = position(text, offset);
    match rest.chars().next() {
        Some('\'') => unended("'''"),
        Some('"') => unended("'\"'"),
        Some('$') if rest.starts_with("$$") => unended("'$'"),
        Some('/') => unended("set null"),
        Some('$' | '!') => {
            let (first, expected) =
                if rest.starts_with('$') { (rest.chars().nth(1), '$') } else { (rest.chars().nth(1), '=') };
            let found = first.map_or("<EOF>".to_owned(), String::from);
            format!("line {line}:{} mismatched character '{found}' expecting '{expected}'", column + 1)
        }
        Some(other) => format!("line {line}:{column} no viable alternative at character '{other}'"),
        None => format!("line {line}:{column} no viable alternative at character '<EOF>'"),
    }
}

/// The token in brackets, with what is before it.
fn excerpt(text: &str, token: Token) -> String {
    if token.kind == Kind::End {
        return String::new();
    }
    let mut starts = VecDeque::with_capacity(EXCERPT_TOKENS + 1);
    let mut lexer = Lexer::new(text);
    while lexer.position() <= token.start {
        if starts.len() > EXCERPT_TOKENS {
            starts.pop_front();
        }
        let start = lexer.position();
        starts.push_back(start);
        if !lexer.skip_hidden() {
            // Every round gets on, or ends the loop.
            let next = lexer.next();
            if next.kind == Kind::End || next.kind == Kind::Broken {
                break;
            }
        }
    }
    let start = starts.front().copied().unwrap_or(0).min(token.start);
    let before = text.get(start..token.start).unwrap_or_default();
    let source = text.get(token.start..token.end).unwrap_or_default();
    let after = text.get(token.end..).unwrap_or_default();
    let left = if start == 0 { "" } else { "..." };
    let right = if after.trim_end_matches('\n').is_empty() { "" } else { "..." };
    format!(" ({left}{before}[{source}]{right})").replace('\n', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, number: usize, problem: Problem) -> String {
        let mut lexer = Lexer::new(text);
        let token = (0..=number).map(|_| lexer.next()).last().unwrap();
        unexpected(text, token, problem)
    }

    #[test]
    fn messages_have_the_place_the_token_and_what_is_around_it() {
        let text = "SELECT\n  * FORM t";
        assert_eq!(
            message(text, 2, Problem::Expecting(Kind::Comma)),
            "line 2:4 mismatched input 'FORM' expecting ',' (SELECT  * [FORM]...)"
        );
        assert_eq!(
            message(text, 3, Problem::NoAlternative),
            "line 2:9 no viable alternative at input 't' (SELECT  * FORM [t])"
        );
        assert_eq!(message(text, 9, Problem::NoAlternative), "line 0:-1 no viable alternative at input '<EOF>'");
        let keyspace = "CREATE KEYSPACE IF NOT EXISTS my-project WITH";
        assert_eq!(
            message(keyspace, 6, Problem::NoAlternative),
            "line 1:32 no viable alternative at input '-' (... KEYSPACE IF NOT EXISTS my[-]...)"
        );
    }

    #[test]
    fn what_is_no_token_is_named() {
        assert_eq!(message("a 'b", 1, Problem::OneOf), "line 1:4 mismatched character '<EOF>' expecting '''");
        assert_eq!(message("é", 0, Problem::OneOf), "line 1:0 no viable alternative at character 'é'");
        assert_eq!(message("$;", 0, Problem::OneOf), "line 1:1 mismatched character ';' expecting '$'");
    }
}
