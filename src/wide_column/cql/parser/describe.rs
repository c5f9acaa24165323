//! `DESCRIBE`.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{Describe, Described};
use crate::wide_column::cql::fault::Result;
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

impl Parser<'_> {
    /// `DESCRIBE`
    pub(super) fn describe(&mut self) -> Result<Describe> {
        if !self.eat_word(Keyword::Desc)? {
            self.expect_word(Keyword::Describe)?;
        }
        let described = self.described()?;
        let internals = self.eat_words(Keyword::With, &[Keyword::Internals])?;
        Ok(Describe { described, internals })
    }

    fn described(&mut self) -> Result<Described> {
        // With a point behind it, any of these words is a keyspace.
        let Some(word) = self.keyword().filter(|_| self.next_kind() != Kind::Dot) else {
            return self.table_name().map(Described::Named);
        };
        let ends = matches!(self.next_kind(), Kind::End | Kind::Semicolon | Kind::Keyword(Keyword::With));
        let plain = match word {
            Keyword::Cluster => Some(Described::Cluster),
            Keyword::Schema => Some(Described::Schema { full: false }),
            Keyword::Keyspaces => Some(Described::Keyspaces),
            Keyword::Tables => Some(Described::Tables),
            Keyword::Types => Some(Described::Types),
            Keyword::Functions => Some(Described::Functions),
            Keyword::Aggregates => Some(Described::Aggregates),
            _ => None,
        };
        if let Some(plain) = plain {
            self.advance()?;
            return Ok(plain);
        }
        match word {
            Keyword::Full => {
                self.advance()?;
                self.expect_word(Keyword::Schema)?;
                Ok(Described::Schema { full: true })
            }
            Keyword::Only if !ends => {
                self.advance()?;
                self.expect_word(Keyword::Keyspace)?;
                self.described_keyspace(true)
            }
            Keyword::Keyspace => {
                self.advance()?;
                self.described_keyspace(false)
            }
            Keyword::Table => {
                self.advance()?;
                self.table_name().map(Described::Table)
            }
            Keyword::Index => {
                self.advance()?;
                self.table_name().map(Described::Index)
            }
            Keyword::Materialized => {
                self.advance()?;
                self.expect_word(Keyword::View)?;
                self.table_name().map(Described::View)
            }
            Keyword::Type if !ends => {
                self.advance()?;
                self.user_type_name().map(Described::Type)
            }
            Keyword::Function if !ends => {
                self.advance()?;
                self.function_name().map(Described::Function)
            }
            Keyword::Aggregate if !ends => {
                self.advance()?;
                self.function_name().map(Described::Aggregate)
            }
            _ => self.table_name().map(Described::Named),
        }
    }

    fn described_keyspace(&mut self, only: bool) -> Result<Described> {
        let ends = matches!(self.kind(), Kind::End | Kind::Semicolon | Kind::Keyword(Keyword::With));
        let name = if ends { None } else { Some(self.keyspace_name()?) };
        Ok(Described::Keyspace { only, name })
    }
}
