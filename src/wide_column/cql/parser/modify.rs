//! `INSERT`, `UPDATE`, `DELETE` and batches.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cursor::Parser;
use super::names::is_name;
use crate::wide_column::cql::ast::{
    Assignment, Batch, BatchKind, Delete, Deletion, Insert, InsertJson, JsonValue, Literal, LiteralKind, Modification,
    Name, QualifiedName, Term, Update, Using,
};
use crate::wide_column::cql::fault::{Fault, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// `INSERT`, `UPDATE` or `DELETE`.
    pub(super) fn modification(&mut self) -> Result<Modification> {
        match self.keyword() {
            Some(Keyword::Insert) => self.insert(),
            Some(Keyword::Update) => self.update().map(Box::new).map(Modification::Update),
            Some(Keyword::Delete) => self.delete().map(Box::new).map(Modification::Delete),
            _ => Err(self.no_alternative()),
        }
    }

    fn insert(&mut self) -> Result<Modification> {
        self.expect_words(&[Keyword::Insert, Keyword::Into])?;
        let table = self.table_name()?;
        if self.eat_word(Keyword::Json)? {
            return self.insert_json(table);
        }
        if !self.is(Kind::Open) {
            return Err(self.no_alternative());
        }
        let columns = self.in_parentheses(Self::column)?;
        self.expect_word(Keyword::Values)?;
        let values = self.in_parentheses(Self::term)?;
        let if_not_exists = self.if_not_exists()?;
        let using = self.using()?;
        Ok(Modification::Insert(Box::new(Insert { table, columns, values, if_not_exists, using })))
    }

    fn insert_json(&mut self, table: QualifiedName) -> Result<Modification> {
        let json = if self.is(Kind::String) {
            JsonValue::Text(self.string()?)
        } else {
            self.marker()?.map(JsonValue::Marker).ok_or_else(|| self.no_alternative())?
        };
        let mut default_unset = false;
        if self.eat_word(Keyword::Default)? {
            default_unset = self.eat_word(Keyword::Unset)?;
            if !default_unset && !self.eat_word(Keyword::Null)? {
                return Err(self.no_alternative());
            }
        }
        let if_not_exists = self.if_not_exists()?;
        let using = self.using()?;
        Ok(Modification::InsertJson(Box::new(InsertJson { table, json, default_unset, if_not_exists, using })))
    }

    /// `USING`, if it is here.
    fn using(&mut self) -> Result<Vec<Using>> {
        if !self.eat_word(Keyword::Using)? {
            return Ok(Vec::new());
        }
        let mut using = vec![self.using_part()?];
        while self.eat_word(Keyword::And)? {
            using.push(self.using_part()?);
        }
        Ok(using)
    }

    fn using_part(&mut self) -> Result<Using> {
        if self.eat_word(Keyword::Timestamp)? {
            return self.integer_term().map(Using::Timestamp);
        }
        if self.eat_word(Keyword::Ttl)? {
            return self.integer_term().map(Using::Ttl);
        }
        Err(self.no_alternative())
    }

    fn update(&mut self) -> Result<Update> {
        self.expect_word(Keyword::Update)?;
        let table = self.table_name()?;
        let using = self.using()?;
        self.expect_word(Keyword::Set)?;
        let assignments = self.list(Self::assignment)?;
        check_assignments(&assignments)?;
        self.expect_word(Keyword::Where)?;
        let relations = self.relations()?;
        let guard = self.guard()?;
        Ok(Update { table, using, assignments, relations, guard })
    }

    fn assignment(&mut self) -> Result<Assignment> {
        let column = self.column()?;
        match self.kind() {
            Kind::Equal => {
                self.advance()?;
                self.assigned(column)
            }
            Kind::PlusEqual => {
                self.advance()?;
                Ok(Assignment::Add(column, self.term()?))
            }
            Kind::MinusEqual => {
                self.advance()?;
                Ok(Assignment::Subtract(column, self.term()?))
            }
            Kind::OpenBracket => {
                self.advance()?;
                let key = self.term()?;
                self.expect(Kind::CloseBracket)?;
                self.expect(Kind::Equal)?;
                Ok(Assignment::SetElement(column, key, self.term()?))
            }
            Kind::Dot => {
                self.advance()?;
                let field = self.name()?;
                self.expect(Kind::Equal)?;
                Ok(Assignment::SetField(column, field, self.term()?))
            }
            _ => Err(self.no_alternative()),
        }
    }

    /// What is behind `column =`.
    fn assigned(&mut self, column: Name) -> Result<Assignment> {
        let is_column = self.is(Kind::EmptyName) || is_name(self.kind());
        let has_operator = matches!(self.next_kind(), Kind::Plus | Kind::Minus | Kind::Integer);
        if is_column && has_operator {
            let other = self.column()?;
            // `x - 3` is three tokens, `x -3` two.
            if self.is(Kind::Integer) {
                let token = self.advance()?;
                let text = self.says(token);
                let sign = if text.starts_with('-') { '-' } else { '+' };
                if other != column {
                    let message = format!("Only expressions of the form X = X {sign} <value> are supported.");
                    return Err(Fault::said(message));
                }
                let literal = Literal { kind: LiteralKind::Integer, text };
                return Ok(Assignment::Add(column, Term::Literal(literal)));
            }
            let is_sum = self.eat(Kind::Plus)?;
            if !is_sum {
                self.expect(Kind::Minus)?;
            }
            let value = self.term()?;
            if other != column {
                let sign = if is_sum { '+' } else { '-' };
                let message = format!("Only expressions of the form X = X {sign}<value> are supported.");
                return Err(Fault::said(message));
            }
            return Ok(if is_sum { Assignment::Add(column, value) } else { Assignment::Subtract(column, value) });
        }
        let value = self.term_before_column()?;
        if !self.eat(Kind::Plus)? {
            return Ok(Assignment::Set(column, value));
        }
        if self.column()? != column {
            return Err(Fault::said("Only expressions of the form X = <value> + X are supported."));
        }
        Ok(Assignment::Prepend(column, value))
    }

    fn delete(&mut self) -> Result<Delete> {
        self.expect_word(Keyword::Delete)?;
        let deletions = if self.is_word(Keyword::From) { Vec::new() } else { self.list(Self::deletion)? };
        self.expect_word(Keyword::From)?;
        let table = self.table_name()?;
        let mut timestamp = None;
        if self.eat_words(Keyword::Using, &[Keyword::Timestamp])? {
            timestamp = Some(self.integer_term()?);
        }
        self.expect_word(Keyword::Where)?;
        let relations = self.relations()?;
        let guard = self.guard()?;
        Ok(Delete { deletions, table, timestamp, relations, guard })
    }

    fn deletion(&mut self) -> Result<Deletion> {
        let column = self.column()?;
        if self.eat(Kind::OpenBracket)? {
            let key = self.term()?;
            self.expect(Kind::CloseBracket)?;
            return Ok(Deletion::Element(column, key));
        }
        if self.eat(Kind::Dot)? {
            return Ok(Deletion::Field(column, self.name()?));
        }
        Ok(Deletion::Column(column))
    }

    /// `BEGIN BATCH … APPLY BATCH`
    pub(super) fn batch(&mut self) -> Result<Batch> {
        self.expect_word(Keyword::Begin)?;
        let kind = if self.eat_word(Keyword::Unlogged)? {
            BatchKind::Unlogged
        } else if self.eat_word(Keyword::Counter)? {
            BatchKind::Counter
        } else {
            BatchKind::Logged
        };
        self.expect_word(Keyword::Batch)?;
        let using = self.using()?;
        let mut statements = Vec::new();
        while !self.is_word(Keyword::Apply) {
            statements.push(self.modification()?);
            self.eat(Kind::Semicolon)?;
        }
        self.expect_words(&[Keyword::Apply, Keyword::Batch])?;
        Ok(Batch { kind, using, statements })
    }
}

/// Refuses to set a column, or a field of one, that another assignment changes as well.
fn check_assignments(assignments: &[Assignment]) -> Result<()> {
    let mut columns = FxHashMap::default();
    let mut fields = FxHashSet::default();
    for assignment in assignments {
        let column = assignment.column();
        let sets_all = matches!(assignment, Assignment::Set(..));
        let is_taken = columns.insert(column, sets_all).is_some_and(|was_set| was_set || sets_all);
        let is_field_taken = matches!(assignment, Assignment::SetField(_, field, _) if !fields.insert((column, field)));
        if is_taken || is_field_taken {
            let column = column.as_str();
            return Err(Fault::said(format!("Multiple incompatible setting of column {column}")));
        }
    }
    Ok(())
}
