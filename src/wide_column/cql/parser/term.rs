//! Terms.

use super::cursor::Parser;
use super::names::{is_function_name, is_name};
use crate::wide_column::cql::ast::{Call, Comparison, InTuples, InValues, Literal, LiteralKind, Marker, Term};
use crate::wide_column::cql::fault::{Problem, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// A constant, if one is here.
    pub(super) fn literal(&mut self) -> Result<Option<Literal>> {
        let kind = match self.kind() {
            Kind::String => LiteralKind::String,
            Kind::Integer => LiteralKind::Integer,
            Kind::Float => LiteralKind::Float,
            Kind::Boolean => LiteralKind::Boolean,
            Kind::Duration => LiteralKind::Duration,
            Kind::Uuid => LiteralKind::Uuid,
            Kind::Hex => LiteralKind::Hex,
            Kind::NegativeNan | Kind::Keyword(Keyword::Nan) => return self.special("NaN"),
            Kind::Keyword(Keyword::Infinity) => return self.special("Infinity"),
            Kind::NegativeInfinity => return self.special("-Infinity"),
            _ => return Ok(None),
        };
        let token = self.advance()?;
        Ok(Some(Literal { kind, text: self.says(token) }))
    }

    fn special(&mut self, text: &str) -> Result<Option<Literal>> {
        self.advance()?;
        Ok(Some(Literal { kind: LiteralKind::Float, text: text.into() }))
    }

    /// A marker, if one is here.
    pub(super) fn marker(&mut self) -> Result<Option<Marker>> {
        if self.eat(Kind::QuestionMark)? {
            return self.new_marker(None).map(Some);
        }
        if self.eat(Kind::Colon)? {
            let name = self.name()?;
            return self.new_marker(Some(name)).map(Some);
        }
        Ok(None)
    }

    /// An integer or a marker.
    pub(super) fn integer_term(&mut self) -> Result<Term> {
        if self.is(Kind::Integer) {
            return self.simple_term();
        }
        self.marker()?.map(Term::Marker).ok_or_else(|| self.no_alternative())
    }

    /// A term.
    pub(super) fn term(&mut self) -> Result<Term> {
        self.sum(false)
    }

    /// A term that may have `+ column` behind it, which is left there.
    pub(super) fn term_before_column(&mut self) -> Result<Term> {
        self.sum(true)
    }

    fn sum(&mut self, before_column: bool) -> Result<Term> {
        let sign = |parser: &mut Self| {
            let is_left = before_column && parser.is(Kind::Plus) && parser.column_is_behind();
            parser.sign_of_sum().filter(|_| !is_left)
        };
        self.chain(Self::product, sign, Term::Operation)
    }

    fn product(&mut self) -> Result<Term> {
        self.chain(Self::signed, Self::sign_of_product, Term::Operation)
    }

    fn signed(&mut self) -> Result<Term> {
        if self.eat(Kind::Minus)? {
            return Ok(Term::Negation(Box::new(self.simple_term()?)));
        }
        self.simple_term()
    }

    /// Whether the name behind the token here is that of a column: no function is called by it.
    fn column_is_behind(&mut self) -> bool {
        if self.next_kind() == Kind::EmptyName {
            return true;
        }
        if !is_name(self.next_kind()) {
            return false;
        }
        let place = self.place();
        let is_column = self.advance().is_ok()
            && !self.is_call()
            && !(self.is_word(Keyword::Cast) && self.next_kind() == Kind::Open);
        self.go_back(place);
        is_column
    }

    /// Whether a function is called here.
    pub(super) fn is_call(&mut self) -> bool {
        if is_function_name(self.kind()) && self.next_kind() == Kind::Open {
            return true;
        }
        if !is_name(self.kind()) || self.next_kind() != Kind::Dot {
            return false;
        }
        let place = self.place();
        let is_behind = self.advance().and_then(|_| self.advance()).is_ok();
        let is_call = is_behind && is_function_name(self.kind()) && self.next_kind() == Kind::Open;
        self.go_back(place);
        is_call
    }

    fn simple_term(&mut self) -> Result<Term> {
        self.nested(Self::simple_term_here)
    }

    fn simple_term_here(&mut self) -> Result<Term> {
        match self.kind() {
            Kind::OpenBracket => {
                self.advance()?;
                return self.list_until(Kind::CloseBracket, Self::term).map(Term::List);
            }
            Kind::OpenBrace => {
                self.advance()?;
                return self.braces();
            }
            Kind::Open => return self.parentheses(),
            Kind::Keyword(Keyword::Null) => {
                self.advance()?;
                return Ok(Term::Null);
            }
            Kind::Keyword(Keyword::Cast) if self.next_kind() == Kind::Open => {
                self.advance()?;
                self.advance()?;
                let term = self.simple_term()?;
                self.expect_word(Keyword::As)?;
                let to = self.native_type()?;
                self.expect(Kind::Close)?;
                return Ok(Term::Cast(Box::new(term), to));
            }
            _ => {}
        }
        if let Some(literal) = self.literal()? {
            return Ok(Term::Literal(literal));
        }
        if let Some(marker) = self.marker()? {
            return Ok(Term::Marker(marker));
        }
        if self.is_call() {
            let function = self.function_name()?;
            self.expect(Kind::Open)?;
            let arguments = self.list_until(Kind::Close, Self::term)?;
            return Ok(Term::Call(Call { function, arguments }));
        }
        Err(self.no_alternative())
    }

    /// A set, map or user-defined type, behind its `{`.
    fn braces(&mut self) -> Result<Term> {
        if self.eat(Kind::CloseBrace)? {
            return Ok(Term::Set(Vec::new()));
        }
        if is_name(self.kind()) && self.next_kind() == Kind::Colon {
            let fields = self.list(|parser| {
                let field = parser.name()?;
                parser.expect(Kind::Colon)?;
                Ok((field, parser.value(Self::term)?))
            })?;
            self.expect(Kind::CloseBrace)?;
            return Ok(Term::UserType(fields));
        }
        let first = self.key(Self::term)?;
        if self.eat(Kind::Colon)? {
            let mut entries = vec![(first, self.value(Self::term)?)];
            while self.eat(Kind::Comma)? {
                entries.push(self.map_entry()?);
            }
            self.expect(Kind::CloseBrace)?;
            return Ok(Term::Map(entries));
        }
        let mut elements = vec![first];
        while self.eat(Kind::Comma)? {
            elements.push(self.term()?);
        }
        self.expect(Kind::CloseBrace)?;
        Ok(Term::Set(elements))
    }

    fn map_entry(&mut self) -> Result<(Term, Term)> {
        let key = self.key(Self::term)?;
        self.expect(Kind::Colon)?;
        Ok((key, self.value(Self::term)?))
    }

    /// `{… : …}`, perhaps empty.
    pub(super) fn full_map(&mut self) -> Result<Vec<(Term, Term)>> {
        self.expect(Kind::OpenBrace)?;
        self.list_until(Kind::CloseBrace, Self::map_entry)
    }

    /// A term behind its type, or a tuple.
    fn parentheses(&mut self) -> Result<Term> {
        let place = self.place();
        self.advance()?;
        // A type in parentheses with a term behind it is a hint; nothing else that begins a term is a type.
        let hint = self.type_name().ok().filter(|_| self.is(Kind::Close));
        if let Some(hint) = hint {
            self.advance()?;
            if self.begins_term() {
                return Ok(Term::Hint(hint, Box::new(self.simple_term()?)));
            }
        }
        self.go_back(place);
        self.tuple()
    }

    /// Whether a term without a sign can begin here.
    fn begins_term(&self) -> bool {
        match self.kind() {
            Kind::String
            | Kind::Integer
            | Kind::Float
            | Kind::Boolean
            | Kind::Duration
            | Kind::Uuid
            | Kind::Hex
            | Kind::NegativeNan
            | Kind::NegativeInfinity
            | Kind::QuestionMark
            | Kind::Open
            | Kind::OpenBracket
            | Kind::OpenBrace
            | Kind::Keyword(Keyword::Nan | Keyword::Infinity | Keyword::Null) => true,
            Kind::Colon => self.colon_is_marker(),
            Kind::Keyword(Keyword::Cast) => self.next_kind() == Kind::Open,
            kind => is_function_name(kind) && matches!(self.next_kind(), Kind::Open | Kind::Dot),
        }
    }

    /// `(…)`
    pub(super) fn tuple(&mut self) -> Result<Term> {
        self.in_parentheses(Self::term).map(Term::Tuple)
    }

    /// An operator that compares, if one is here.
    pub(super) fn comparison(&mut self) -> Result<Option<Comparison>> {
        let comparison = match self.kind() {
            Kind::Equal => Comparison::Equal,
            Kind::NotEqual => Comparison::NotEqual,
            Kind::Less => Comparison::Less,
            Kind::LessOrEqual => Comparison::LessOrEqual,
            Kind::Greater => Comparison::Greater,
            Kind::GreaterOrEqual => Comparison::GreaterOrEqual,
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(comparison))
    }

    /// An operator that compares, which has to be here.
    pub(super) fn expect_comparison(&mut self) -> Result<Comparison> {
        self.comparison()?.ok_or_else(|| self.unexpected(Problem::OneOf))
    }

    /// What is behind the `IN` of one column.
    pub(super) fn in_values(&mut self) -> Result<InValues> {
        if let Some(marker) = self.marker()? {
            return Ok(InValues::Marker(marker));
        }
        if !self.is(Kind::Open) {
            return Err(self.no_alternative());
        }
        self.advance()?;
        self.list_until(Kind::Close, Self::term).map(InValues::List)
    }

    /// What is behind the `IN` of several columns.
    pub(super) fn in_tuples(&mut self) -> Result<InTuples> {
        if let Some(marker) = self.marker()? {
            return Ok(InTuples::Marker(marker));
        }
        if !self.is(Kind::Open) {
            return Err(self.no_alternative());
        }
        self.advance()?;
        let of_markers = matches!(self.kind(), Kind::QuestionMark | Kind::Colon);
        let tuples =
            self.list_until(
                Kind::Close,
                |parser| {
                    if of_markers { parser.expect_marker() } else { parser.expect_tuple() }
                },
            )?;
        Ok(InTuples::List(tuples))
    }

    fn expect_marker(&mut self) -> Result<Term> {
        self.marker()?.map(Term::Marker).ok_or_else(|| self.no_alternative())
    }

    fn expect_tuple(&mut self) -> Result<Term> {
        if self.is(Kind::Open) { self.tuple() } else { Err(self.unexpected(Problem::Expecting(Kind::Open))) }
    }

    /// What several columns are compared with.
    pub(super) fn tuple_or_marker(&mut self) -> Result<Term> {
        if self.is(Kind::Open) { self.tuple() } else { self.expect_marker() }
    }
}
