//! Where a parser is: the token it looks at, the one behind it, and what it has counted.

use crate::error::Error;
use crate::limits;
use crate::wide_column::cql::ast::{Arithmetic, Marker, Name};
use crate::wide_column::cql::fault::{Fault, Problem, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::lexer::{Lexer, unquoted};
use crate::wide_column::cql::token::{Kind, Token};

/// A parser of one text. What it parses are its methods, a file for each part of the language.
///
/// Two tokens are known at any time. The few places where two do not tell what follows go back to a [`Place`].
#[derive(Debug)]
pub(super) struct Parser<'q> {
    text: &'q str,
    place: Place<'q>,
    tokens: usize,
    depth: usize,
    in_key: bool,
    markers: Vec<Option<Name>>,
}

/// A place in a text to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'q> {
    lexer: Lexer<'q>,
    here: Token,
    after: Token,
    markers: usize,
    depth: usize,
    in_key: bool,
}

impl<'q> Parser<'q> {
    /// A parser at the beginning of `text`.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] of a text that is too long.
    pub(super) fn new(text: &'q str) -> Result<Self> {
        limits::check("bytes of a CQL statement", limits::CQL_STATEMENT_BYTES_MAX, text.len())?;
        let mut lexer = Lexer::new(text);
        let (here, after) = (lexer.next(), lexer.next());
        let place = Place { lexer, here, after, markers: 0, depth: 0, in_key: false };
        Ok(Self { text, place, tokens: 0, depth: 0, in_key: false, markers: Vec::new() })
    }

    /// The markers that were met, by their names.
    pub(super) fn into_markers(self) -> Vec<Option<Name>> {
        self.markers
    }

    /// The kind of the token here.
    pub(super) fn kind(&self) -> Kind {
        self.place.here.kind
    }

    /// The kind of the token behind the one here.
    pub(super) fn next_kind(&self) -> Kind {
        self.place.after.kind
    }

    /// The keyword here, if it is one.
    pub(super) fn keyword(&self) -> Option<Keyword> {
        match self.kind() {
            Kind::Keyword(keyword) => Some(keyword),
            _ => None,
        }
    }

    /// Whether the token here is of `kind`.
    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kind() == kind
    }

    /// Whether the keyword `word` is here.
    pub(super) fn is_word(&self, word: Keyword) -> bool {
        self.is(Kind::Keyword(word))
    }

    /// Whether the keyword `word` is behind the token here.
    pub(super) fn is_next_word(&self, word: Keyword) -> bool {
        self.next_kind() == Kind::Keyword(word)
    }

    /// Passes the token here.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when there were too many.
    pub(super) fn advance(&mut self) -> Result<Token> {
        let passed = self.place.here;
        self.tokens += 1;
        limits::check("tokens of a CQL statement", limits::CQL_TOKENS_MAX, self.tokens)?;
        self.place.here = self.place.after;
        self.place.after = self.place.lexer.next();
        Ok(passed)
    }

    /// Passes the token here if it is of `kind`; whether it was.
    pub(super) fn eat(&mut self, kind: Kind) -> Result<bool> {
        let is_here = self.is(kind);
        if is_here {
            self.advance()?;
        }
        Ok(is_here)
    }

    /// Passes the keyword `word` if it is here; whether it was.
    pub(super) fn eat_word(&mut self, word: Keyword) -> Result<bool> {
        self.eat(Kind::Keyword(word))
    }

    /// Passes a token of `kind`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when another is here.
    pub(super) fn expect(&mut self, kind: Kind) -> Result<Token> {
        if self.is(kind) { self.advance() } else { Err(self.unexpected(Problem::Expecting(kind))) }
    }

    /// Passes the keyword `word`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when something else is here.
    pub(super) fn expect_word(&mut self, word: Keyword) -> Result<()> {
        self.expect(Kind::Keyword(word)).map(drop)
    }

    /// Passes the keywords `words`, one after the other.
    ///
    /// # Errors
    /// [`Error::Invalid`] when something else is there.
    pub(super) fn expect_words(&mut self, words: &[Keyword]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect_word(*word))
    }

    /// Passes `first` and the keywords `rest` behind it, if `first` is here; whether it was.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `first` is here and the rest is not.
    pub(super) fn eat_words(&mut self, first: Keyword, rest: &[Keyword]) -> Result<bool> {
        let is_here = self.eat_word(first)?;
        if is_here {
            self.expect_words(rest)?;
        }
        Ok(is_here)
    }

    /// `IF NOT EXISTS`, if it is here.
    pub(super) fn if_not_exists(&mut self) -> Result<bool> {
        self.eat_words(Keyword::If, &[Keyword::Not, Keyword::Exists])
    }

    /// `IF EXISTS`, if it is here.
    pub(super) fn if_exists(&mut self) -> Result<bool> {
        self.eat_words(Keyword::If, &[Keyword::Exists])
    }

    /// What is wrong with the token here.
    pub(super) fn unexpected(&self, problem: Problem) -> Fault {
        Fault::Unexpected(self.place.here, problem)
    }

    /// What is wrong with a token that none of several things can begin with.
    pub(super) fn no_alternative(&self) -> Fault {
        self.unexpected(Problem::NoAlternative)
    }

    /// As it is written.
    pub(super) fn source(&self, token: Token) -> &'q str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// What a token says, without its quotes.
    pub(super) fn says(&self, token: Token) -> Box<str> {
        unquoted(token.kind, self.source(token)).into()
    }

    /// The text of a string that has to be here.
    ///
    /// # Errors
    /// [`Error::Invalid`] when something else is here.
    pub(super) fn string(&mut self) -> Result<Box<str>> {
        let token = self.expect(Kind::String)?;
        Ok(self.says(token))
    }

    /// This place, to come back to.
    pub(super) fn place(&self) -> Place<'q> {
        Place { markers: self.markers.len(), depth: self.depth, in_key: self.in_key, ..self.place }
    }

    /// Goes back to `place`.
    pub(super) fn go_back(&mut self, place: Place<'q>) {
        self.markers.truncate(place.markers);
        self.depth = place.depth;
        self.in_key = place.in_key;
        self.place = place;
    }

    /// Counts one more marker.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when there are too many.
    pub(super) fn new_marker(&mut self, name: Option<Name>) -> Result<Marker> {
        let index =
            u16::try_from(self.markers.len()).ok().filter(|index| usize::from(*index) < limits::CQL_MARKERS_MAX);
        let Some(index) = index else {
            let (max, found) = (limits::CQL_MARKERS_MAX as u64, self.markers.len() as u64 + 1);
            return Err(Error::LimitExceeded { limit: "markers of a CQL statement", max, found }.into());
        };
        self.markers.push(name.clone());
        Ok(Marker { index, name })
    }

    /// Parses what is within what is being parsed.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] where it is too deep, and those of `parse`.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deepen(1)?;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Parses operands with operators between them, which bind to the left; `operator` says which one is here, if any is.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] where it is too deep, and those of `operand`.
    pub(super) fn chain<T>(
        &mut self,
        operand: fn(&mut Self) -> Result<T>,
        operator: impl Fn(&mut Self) -> Option<Arithmetic>,
        join: fn(Box<T>, Arithmetic, Box<T>) -> T,
    ) -> Result<T> {
        let mut left = operand(self)?;
        let mut levels = 0;
        while let Some(found) = operator(self) {
            self.advance()?;
            self.deepen(1)?;
            levels += 1;
            left = join(Box::new(left), found, Box::new(operand(self)?));
        }
        self.shallow(levels);
        Ok(left)
    }

    /// The sign of a sum that is here.
    pub(super) fn sign_of_sum(&mut self) -> Option<Arithmetic> {
        match self.kind() {
            Kind::Plus => Some(Arithmetic::Add),
            Kind::Minus => Some(Arithmetic::Subtract),
            _ => None,
        }
    }

    /// The sign of a product that is here.
    pub(super) fn sign_of_product(&mut self) -> Option<Arithmetic> {
        match self.kind() {
            Kind::Star => Some(Arithmetic::Multiply),
            Kind::Slash => Some(Arithmetic::Divide),
            Kind::Percent => Some(Arithmetic::Remainder),
            _ => None,
        }
    }

    /// Counts levels that what comes one behind the other adds; [`shallow`](Self::shallow) takes them away.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] where it is too deep.
    pub(super) fn deepen(&mut self, levels: usize) -> Result<()> {
        limits::check("levels of a CQL statement", limits::CQL_DEPTH_MAX, self.depth + levels)?;
        self.depth += levels;
        Ok(())
    }

    /// Takes levels away that [`deepen`](Self::deepen) counted.
    pub(super) fn shallow(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// Parses what may be the key of a map, with a colon behind it.
    pub(super) fn key<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.in_key, true);
        let parsed = parse(self);
        self.in_key = outer;
        parsed
    }

    /// Parses the value of an entry of a map.
    pub(super) fn value<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.in_key, false);
        let parsed = parse(self);
        self.in_key = outer;
        parsed
    }

    /// Whether a `:` here begins a marker, rather than ending the key of a map.
    pub(super) fn colon_is_marker(&self) -> bool {
        !self.in_key
    }

    /// What is between commas: one `item` and perhaps more.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(Kind::Comma)? {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// What is between commas up to `end`, which is passed: perhaps nothing.
    pub(super) fn list_until<T>(&mut self, end: Kind, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if self.eat(end)? {
            return Ok(Vec::new());
        }
        let items = self.list(item)?;
        self.expect(end)?;
        Ok(items)
    }

    /// What is between parentheses and commas: one `item` and perhaps more.
    pub(super) fn in_parentheses<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(Kind::Open)?;
        let items = self.list(item)?;
        self.expect(Kind::Close)?;
        Ok(items)
    }
}
