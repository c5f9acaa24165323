//! From a text to its syntax tree, by recursive descent.

mod cursor;
mod describe;
mod function;
mod modify;
mod names;
mod relation;
mod role;
mod schema;
mod select;
mod term;
mod types;

use self::cursor::Parser;
use crate::error;
use crate::wide_column::cql::ast::{Name, Parsed, Statement};
use crate::wide_column::cql::fault::Result;
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

/// Parses one statement, with or without semicolons behind it.
///
/// # Errors
/// [`Error::Invalid`](error::Error::Invalid) with the protocol's code 0x2000 and Cassandra's message for what is no statement;
/// [`Error::LimitExceeded`](error::Error::LimitExceeded) for one that is too long, too deep or has too many markers.
pub(crate) fn parse(text: &str) -> error::Result<Parsed> {
    whole(text, statement).map(|(statement, markers)| Parsed { statement, markers })
}

/// Parses the name of a type.
///
/// # Errors
/// As [`parse`].
#[cfg(test)]
pub(crate) fn parse_type(text: &str) -> error::Result<crate::wide_column::cql::ast::TypeName> {
    whole(text, Parser::type_name).map(|(parsed, _)| parsed)
}

/// What `parse` makes of all of `text`, and the markers in it.
fn whole<'q, T>(
    text: &'q str,
    parse: impl FnOnce(&mut Parser<'q>) -> Result<T>,
) -> error::Result<(T, Vec<Option<Name>>)> {
    let parsed = Parser::new(text).and_then(|mut parser| {
        let parsed = parse(&mut parser)?;
        while parser.eat(Kind::Semicolon)? {}
        parser.expect(Kind::End)?;
        Ok((parsed, parser.into_markers()))
    });
    parsed.map_err(|fault| fault.into_error(text))
}

fn statement(parser: &mut Parser<'_>) -> Result<Statement> {
    match parser.keyword() {
        Some(Keyword::Select) => parser.select().map(Box::new).map(Statement::Select),
        Some(Keyword::Insert | Keyword::Update | Keyword::Delete) => parser.modification().map(Statement::Modification),
        Some(Keyword::Begin) => parser.batch().map(Statement::Batch),
        Some(Keyword::Use) => {
            parser.advance()?;
            parser.keyspace_name().map(Statement::Use)
        }
        Some(Keyword::Truncate) => {
            parser.advance()?;
            parser.eat_word(Keyword::Table)?;
            parser.table_name().map(Statement::Truncate)
        }
        Some(Keyword::Create) => {
            parser.advance()?;
            create(parser)
        }
        Some(Keyword::Alter) => {
            parser.advance()?;
            match parser.keyword() {
                Some(Keyword::Role | Keyword::User) => parser.alter_role().map(Statement::Role),
                _ => parser.alter(),
            }
        }
        Some(Keyword::Drop) => {
            parser.advance()?;
            drop_statement(parser)
        }
        Some(Keyword::Grant) => parser.grant().map(Statement::Role),
        Some(Keyword::Revoke) => parser.revoke().map(Statement::Role),
        Some(Keyword::List) => parser.list_roles().map(Statement::Role),
        Some(Keyword::Add) => parser.add_identity().map(Statement::Role),
        Some(Keyword::Describe | Keyword::Desc) => parser.describe().map(Statement::Describe),
        _ => Err(parser.no_alternative()),
    }
}

/// What is behind `CREATE`.
fn create(parser: &mut Parser<'_>) -> Result<Statement> {
    let or_replace = parser.or_replace()?;
    match parser.keyword() {
        Some(Keyword::Keyspace | Keyword::Schema) => {
            parser.advance()?;
            parser.create_keyspace().map(Statement::CreateKeyspace)
        }
        Some(Keyword::Table) => {
            parser.advance()?;
            parser.create_table().map(Box::new).map(Statement::CreateTable)
        }
        Some(Keyword::Type) => {
            parser.advance()?;
            parser.create_type().map(Statement::CreateType)
        }
        Some(Keyword::Custom | Keyword::Index) => parser.create_index().map(Box::new).map(Statement::CreateIndex),
        Some(Keyword::Materialized) => {
            parser.advance()?;
            parser.expect_word(Keyword::View)?;
            parser.create_view().map(Box::new).map(Statement::CreateView)
        }
        Some(Keyword::Trigger) => {
            parser.advance()?;
            parser.create_trigger().map(Statement::CreateTrigger)
        }
        Some(Keyword::Function) => {
            parser.advance()?;
            parser.create_function(or_replace).map(Box::new).map(Statement::CreateFunction)
        }
        Some(Keyword::Aggregate) => {
            parser.advance()?;
            parser.create_aggregate(or_replace).map(Box::new).map(Statement::CreateAggregate)
        }
        Some(Keyword::Role | Keyword::User) => parser.create_role().map(Statement::Role),
        _ => Err(parser.no_alternative()),
    }
}

/// What is behind `DROP`.
fn drop_statement(parser: &mut Parser<'_>) -> Result<Statement> {
    if let Some(dropped) = parser.drop_data()? {
        return Ok(Statement::Drop(dropped));
    }
    match parser.keyword() {
        Some(Keyword::Function | Keyword::Aggregate) => parser.drop_function().map(Statement::DropFunction),
        Some(Keyword::Trigger) => {
            parser.advance()?;
            parser.drop_trigger()
        }
        Some(Keyword::Role | Keyword::User | Keyword::Identity) => parser.drop_role().map(Statement::Role),
        _ => Err(parser.no_alternative()),
    }
}
