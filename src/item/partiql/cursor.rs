//! Steps through the words and signs of a statement.

use crate::error::{Error, Result};
use crate::item::partiql::token::{self, Lexeme, Token, unquoted};
use crate::item::{AttributeValue, Fault, Position, StatementFault};
use crate::limits;

/// A place in a statement, and in its parameters.
pub(super) struct Parser<'s> {
    lexemes: Vec<Lexeme<'s>>,
    at: usize,
    parameters: std::slice::Iter<'s, AttributeValue>,
    depth: usize,
}

/// What a word may not be where a name is meant.
const KEYWORDS: [&str; 29] = [
    "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "DELETE", "DESC", "EXISTS", "FALSE", "FROM", "IN", "INNER", "INSERT",
    "INTO", "IS", "LIKE", "MISSING", "NOT", "NULL", "OR", "ORDER", "REMOVE", "SELECT", "SET", "TRUE", "UPDATE",
    "VALUE", "WHERE",
];

/// Words that stand between operands.
const OPERATORS: [&str; 6] = ["AND", "BETWEEN", "IN", "IS", "LIKE", "OR"];

impl<'s> Parser<'s> {
    pub(super) fn new(statement: &'s str, parameters: &'s [AttributeValue]) -> Result<Self> {
        limits::check("statement bytes", limits::ITEM_STATEMENT_BYTES_MAX, statement.len())?;
        let lexemes = token::read(statement).map_err(refuse)?;
        Ok(Self { lexemes, at: 0, parameters: parameters.iter(), depth: 0 })
    }

    fn lexeme(&self, ahead: usize) -> Option<&Lexeme<'s>> {
        self.lexemes.get(self.at + ahead)
    }

    pub(super) fn token(&self) -> Token {
        self.lexeme(0).map_or(Token::End, |lexeme| lexeme.token)
    }

    pub(super) fn text(&self) -> &'s str {
        self.lexeme(0).map_or("", |lexeme| lexeme.text)
    }

    pub(super) fn position(&self) -> Position {
        self.lexeme(0).map_or(Position { line: 1, column: 1, length: 0 }, |lexeme| lexeme.position)
    }

    /// Goes on to the next lexeme, and returns the text of this one.
    pub(super) fn step(&mut self) -> &'s str {
        let text = self.text();
        self.at += 1;
        text
    }

    /// Whether `word` stands here, or so many lexemes further on.
    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.lexeme(ahead).is_some_and(|lexeme| lexeme.token == Token::Word && lexeme.text.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        self.lexeme(ahead).is_some_and(|lexeme| matches!(lexeme.token, Token::Sign(found) if found == sign))
    }

    /// Goes past `word` if it stands here.
    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str, detail: &'static str) -> Result<()> {
        if self.skip_word(word) { Ok(()) } else { Err(malformed(detail)) }
    }

    pub(super) fn expect_sign(&mut self, sign: &str, detail: &'static str) -> Result<()> {
        if self.skip_sign(sign) { Ok(()) } else { Err(malformed(detail)) }
    }

    /// Whether a word with a meaning of its own stands here.
    pub(super) fn is_keyword(&self) -> bool {
        self.token() == Token::Word && KEYWORDS.contains(&self.text().to_ascii_uppercase().as_str())
    }

    /// Whether a word that joins operands stands here.
    pub(super) fn is_operator(&self) -> bool {
        self.token() == Token::Word && OPERATORS.contains(&self.text().to_ascii_uppercase().as_str())
    }

    /// A name, in quotes or as it is.
    pub(super) fn name(&mut self, detail: &'static str) -> Result<String> {
        match self.token() {
            Token::Quoted => Ok(unquoted(self.step(), '"')),
            Token::Word if !self.is_keyword() => Ok(self.step().to_owned()),
            _ => Err(malformed(detail)),
        }
    }

    /// The next parameter, for a `?`.
    pub(super) fn parameter(&mut self) -> Result<AttributeValue> {
        self.parameters.next().cloned().ok_or_else(|| refuse(StatementFault::ParameterCount))
    }

    /// Reads something that is nested in what is being read.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        limits::check("nesting levels of a statement", limits::ITEM_STATEMENT_DEPTH_MAX, self.depth)?;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Things separated by commas.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut list = vec![read(self)?];
        while self.skip_sign(",") {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// Refuses what is left, a semicolon aside, and parameters that were not asked for.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.skip_sign(";");
        if self.token() != Token::End {
            return Err(malformed("Unexpected token after expression"));
        }
        if self.parameters.len() > 0 {
            return Err(refuse(StatementFault::ParameterCount));
        }
        Ok(())
    }
}

/// The error of a statement that cannot be read.
pub(super) fn malformed(detail: &'static str) -> Error {
    refuse(StatementFault::NotWellFormed(detail))
}

pub(super) fn refuse(fault: StatementFault) -> Error {
    Fault::Statement(fault).into_error()
}
