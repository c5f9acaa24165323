//! Functions, aggregates and triggers.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{CreateAggregate, CreateFunction, CreateTrigger, DropFunction, Name, Statement};
use crate::wide_column::cql::fault::Result;
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// `CREATE FUNCTION`, behind those words.
    pub(super) fn create_function(&mut self, or_replace: bool) -> Result<CreateFunction> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.function_name()?;
        self.expect(Kind::Open)?;
        let arguments = self.list_until(Kind::Close, |parser| {
            let argument = parser.name()?;
            Ok((argument, parser.type_name()?))
        })?;
        let called_on_null = self.eat_word(Keyword::Called)?;
        if !called_on_null {
            if !self.eat_word(Keyword::Returns)? {
                return Err(self.no_alternative());
            }
            self.expect_word(Keyword::Null)?;
        }
        self.expect_words(&[Keyword::On, Keyword::Null, Keyword::Input, Keyword::Returns])?;
        let returns = self.type_name()?;
        self.expect_word(Keyword::Language)?;
        let language = self.expect(Kind::Identifier)?;
        let language = Name::folded(self.source(language));
        self.expect_word(Keyword::As)?;
        let body = self.string()?;
        Ok(CreateFunction { or_replace, if_not_exists, name, arguments, called_on_null, returns, language, body })
    }

    /// `CREATE AGGREGATE`, behind those words.
    pub(super) fn create_aggregate(&mut self, or_replace: bool) -> Result<CreateAggregate> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.function_name()?;
        self.expect(Kind::Open)?;
        let arguments = self.list_until(Kind::Close, Self::type_name)?;
        self.expect_word(Keyword::Sfunc)?;
        let state_function = self.plain_function_name()?;
        self.expect_word(Keyword::Stype)?;
        let state_type = self.type_name()?;
        let final_function = if self.eat_word(Keyword::Finalfunc)? { Some(self.plain_function_name()?) } else { None };
        let initial = if self.eat_word(Keyword::Initcond)? { Some(self.term()?) } else { None };
        Ok(CreateAggregate {
            or_replace,
            if_not_exists,
            name,
            arguments,
            state_function,
            state_type,
            final_function,
            initial,
        })
    }

    /// `DROP FUNCTION` or `DROP AGGREGATE`, behind `DROP`.
    pub(super) fn drop_function(&mut self) -> Result<DropFunction> {
        let is_aggregate = self.eat_word(Keyword::Aggregate)?;
        if !is_aggregate {
            self.expect_word(Keyword::Function)?;
        }
        let if_exists = self.if_exists()?;
        let name = self.function_name()?;
        let mut arguments = None;
        if self.eat(Kind::Open)? {
            arguments = Some(self.list_until(Kind::Close, Self::type_name)?);
        }
        Ok(DropFunction { is_aggregate, if_exists, name, arguments })
    }

    /// `CREATE TRIGGER`, behind those words.
    pub(super) fn create_trigger(&mut self) -> Result<CreateTrigger> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.name()?;
        self.expect_word(Keyword::On)?;
        let table = self.table_name()?;
        self.expect_word(Keyword::Using)?;
        Ok(CreateTrigger { if_not_exists, name, table, class: self.string()? })
    }

    /// `DROP TRIGGER`, behind those words.
    pub(super) fn drop_trigger(&mut self) -> Result<Statement> {
        let if_exists = self.if_exists()?;
        let name = self.name()?;
        self.expect_word(Keyword::On)?;
        Ok(Statement::DropTrigger { if_exists, name, table: self.table_name()? })
    }

    /// What a statement that may be said to `OR REPLACE` what is there is about, behind `CREATE`.
    pub(super) fn or_replace(&mut self) -> Result<bool> {
        let or_replace = self.eat_words(Keyword::Or, &[Keyword::Replace])?;
        if or_replace && !self.is_word(Keyword::Function) && !self.is_word(Keyword::Aggregate) {
            return Err(self.no_alternative());
        }
        Ok(or_replace)
    }
}
