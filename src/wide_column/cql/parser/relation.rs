//! `WHERE` and `IF`.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{Condition, ConditionTarget, ConditionTest, Guard, Name, Relation};
use crate::wide_column::cql::fault::Result;
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// What is behind `WHERE`.
    pub(super) fn relations(&mut self) -> Result<Vec<Relation>> {
        let mut relations = vec![self.relation_or_expression()?];
        while self.eat_word(Keyword::And)? {
            relations.push(self.relation_or_expression()?);
        }
        Ok(relations)
    }

    /// `WHERE` and what is behind it, if it is here.
    pub(super) fn where_clause(&mut self) -> Result<Vec<Relation>> {
        if self.eat_word(Keyword::Where)? { self.relations() } else { Ok(Vec::new()) }
    }

    fn relation_or_expression(&mut self) -> Result<Relation> {
        if self.is(Kind::Identifier) && self.next_kind() == Kind::Open {
            let name = self.advance()?;
            if self.source(name) != "expr" {
                return Err(self.no_alternative());
            }
            self.advance()?;
            let index = self.plain_index_name()?;
            self.expect(Kind::Comma)?;
            let value = self.term()?;
            self.expect(Kind::Close)?;
            return Ok(Relation::Expression { index, value });
        }
        self.relation()
    }

    fn relation(&mut self) -> Result<Relation> {
        if self.eat_word(Keyword::Token)? {
            let columns = self.in_parentheses(Self::column)?;
            let comparison = self.expect_comparison()?;
            return Ok(Relation::Token { columns, comparison, value: self.term()? });
        }
        if !self.is(Kind::Open) {
            return self.column_relation();
        }
        // Columns in parentheses, or a relation.
        let place = self.place();
        let columns = self.in_parentheses(Self::column);
        let Ok(columns) = columns else {
            self.go_back(place);
            return self.nested(|parser| {
                parser.advance()?;
                let relation = parser.relation()?;
                parser.expect(Kind::Close)?;
                Ok(relation)
            });
        };
        if self.eat_word(Keyword::In)? {
            return Ok(Relation::ColumnsIn { columns, values: self.in_tuples()? });
        }
        let Some(comparison) = self.comparison()? else { return Err(self.no_alternative()) };
        Ok(Relation::Columns { columns, comparison, value: self.tuple_or_marker()? })
    }

    fn column_relation(&mut self) -> Result<Relation> {
        let column = self.column()?;
        if let Some(comparison) = self.comparison()? {
            return Ok(Relation::Column { column, comparison, value: self.term()? });
        }
        match self.kind() {
            Kind::Keyword(Keyword::Like) => {
                self.advance()?;
                Ok(Relation::Like { column, pattern: self.term()? })
            }
            Kind::Keyword(Keyword::Is) => {
                self.advance()?;
                self.expect_words(&[Keyword::Not, Keyword::Null])?;
                Ok(Relation::IsNotNull(column))
            }
            Kind::Keyword(Keyword::In) => {
                self.advance()?;
                Ok(Relation::In { column, values: self.in_values()? })
            }
            Kind::Keyword(Keyword::Contains) => {
                self.advance()?;
                let key = self.eat_word(Keyword::Key)?;
                Ok(Relation::Contains { column, key, value: self.term()? })
            }
            Kind::OpenBracket => {
                self.advance()?;
                let key = self.term()?;
                self.expect(Kind::CloseBracket)?;
                let comparison = self.expect_comparison()?;
                Ok(Relation::Element { column, key, comparison, value: self.term()? })
            }
            _ => Err(self.no_alternative()),
        }
    }

    /// `IF` and what is behind it, if it is here.
    pub(super) fn guard(&mut self) -> Result<Guard> {
        if !self.eat_word(Keyword::If)? {
            return Ok(Guard::None);
        }
        // A column may be called `exists`.
        let ends = matches!(
            self.next_kind(),
            Kind::End
                | Kind::Semicolon
                | Kind::Broken
                | Kind::Keyword(Keyword::Apply | Keyword::Insert | Keyword::Update)
        ) || self.is_next_word(Keyword::Delete);
        if self.is_word(Keyword::Exists) && ends {
            self.advance()?;
            return Ok(Guard::Exists);
        }
        let mut conditions = vec![self.condition()?];
        while self.eat_word(Keyword::And)? {
            conditions.push(self.condition()?);
        }
        Ok(Guard::Conditions(conditions))
    }

    fn condition(&mut self) -> Result<Condition> {
        let column = self.column()?;
        if self.eat(Kind::OpenBracket)? {
            let key = self.term()?;
            self.expect(Kind::CloseBracket)?;
            return self.condition_on(column, ConditionTarget::Element(key));
        }
        if self.eat(Kind::Dot)? {
            let field = self.name()?;
            return self.condition_on(column, ConditionTarget::Field(field));
        }
        if self.eat_word(Keyword::Contains)? {
            let key = self.eat_word(Keyword::Key)?;
            let test = ConditionTest::Contains { key, value: self.term()? };
            return Ok(Condition { column, target: ConditionTarget::Column, test });
        }
        self.condition_on(column, ConditionTarget::Column)
    }

    fn condition_on(&mut self, column: Name, target: ConditionTarget) -> Result<Condition> {
        if self.eat_word(Keyword::In)? {
            return Ok(Condition { column, target, test: ConditionTest::In(self.in_values()?) });
        }
        let Some(comparison) = self.comparison()? else { return Err(self.no_alternative()) };
        let test = ConditionTest::Compare(comparison, self.term()?);
        Ok(Condition { column, target, test })
    }
}
