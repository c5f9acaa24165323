//! Names.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{Name, QualifiedName};
use crate::wide_column::cql::fault::{Fault, Result};
use crate::wide_column::cql::keyword::{Class, Keyword, RESERVED_TYPES};
use crate::wide_column::cql::token::Kind;

/// Whether a token of `kind` may be a name.
pub(super) fn is_name(kind: Kind) -> bool {
    match kind {
        Kind::Identifier | Kind::QuotedName => true,
        Kind::Keyword(keyword) => keyword.class() != Class::Reserved,
        _ => false,
    }
}

/// Whether a token of `kind` may be the name of a function.
pub(super) fn is_function_name(kind: Kind) -> bool {
    match kind {
        Kind::Identifier | Kind::QuotedName | Kind::Keyword(Keyword::Token | Keyword::Count) => true,
        Kind::Keyword(keyword) => matches!(keyword.class(), Class::Basic | Class::Type),
        _ => false,
    }
}

impl Parser<'_> {
    /// The token here as a name, whatever it is.
    fn take_name(&mut self) -> Result<Name> {
        let token = self.advance()?;
        Ok(match token.kind {
            Kind::QuotedName | Kind::EmptyName | Kind::String => Name::exact(self.says(token)),
            _ => Name::folded(self.source(token)),
        })
    }

    /// A name.
    pub(super) fn name(&mut self) -> Result<Name> {
        if is_name(self.kind()) { self.take_name() } else { Err(self.no_alternative()) }
    }

    /// The name of a column; `""` is one.
    pub(super) fn column(&mut self) -> Result<Name> {
        if self.is(Kind::EmptyName) { self.take_name() } else { self.name() }
    }

    /// The name of `what`, which may not be a marker.
    fn name_of(&mut self, what: &str) -> Result<Name> {
        if self.is(Kind::QuestionMark) {
            return Err(Fault::said(format!("Bind variables cannot be used for {what} names")));
        }
        self.name()
    }

    /// The name of a keyspace.
    pub(super) fn keyspace_name(&mut self) -> Result<Name> {
        self.name_of("keyspace")
    }

    /// The name of an index, without a keyspace.
    pub(super) fn plain_index_name(&mut self) -> Result<Name> {
        self.name_of("index")
    }

    fn qualified(&mut self, what: &str) -> Result<QualifiedName> {
        // What is before a point is a keyspace.
        let first = self.name_of(if self.next_kind() == Kind::Dot { "keyspace" } else { what })?;
        if self.eat(Kind::Dot)? {
            return Ok(QualifiedName { keyspace: Some(first), name: self.name_of(what)? });
        }
        Ok(QualifiedName { keyspace: None, name: first })
    }

    /// The name of a table or view.
    pub(super) fn table_name(&mut self) -> Result<QualifiedName> {
        self.qualified("table")
    }

    /// The name of an index.
    pub(super) fn index_name(&mut self) -> Result<QualifiedName> {
        self.qualified("index")
    }

    /// The name of a function.
    pub(super) fn function_name(&mut self) -> Result<QualifiedName> {
        let mut keyspace = None;
        if self.next_kind() == Kind::Dot && is_name(self.kind()) {
            keyspace = Some(self.take_name()?);
            self.advance()?;
        }
        Ok(QualifiedName { keyspace, name: self.plain_function_name()? })
    }

    /// The name of a function, without a keyspace.
    pub(super) fn plain_function_name(&mut self) -> Result<Name> {
        if is_function_name(self.kind()) { self.take_name() } else { Err(self.no_alternative()) }
    }

    /// The name of a user-defined type: no scalar type's.
    pub(super) fn user_type_name(&mut self) -> Result<QualifiedName> {
        let mut keyspace = None;
        if self.next_kind() == Kind::Dot {
            keyspace = Some(self.name()?);
            self.advance()?;
        }
        let name = match self.kind() {
            Kind::Identifier => {
                let name = self.take_name()?;
                if RESERVED_TYPES.contains(&name.as_str()) {
                    let name = name.as_str();
                    return Err(Fault::said(format!("Invalid (reserved) user type name {name}")));
                }
                name
            }
            Kind::QuotedName | Kind::Keyword(Keyword::Key) => self.take_name()?,
            Kind::Keyword(keyword) if keyword.class() == Class::Basic => self.take_name()?,
            _ => return Err(self.no_alternative()),
        };
        Ok(QualifiedName { keyspace, name })
    }

    /// The name of a role.
    pub(super) fn role_name(&mut self) -> Result<Name> {
        if self.is(Kind::String) { self.take_name() } else { self.name_of("role") }
    }

    /// The name of a user.
    pub(super) fn user_name(&mut self) -> Result<Name> {
        match self.kind() {
            // Unlike other names, its case counts without quotes.
            Kind::Identifier => {
                let token = self.advance()?;
                Ok(Name::exact(self.says(token)))
            }
            Kind::String => self.take_name(),
            Kind::QuotedName => Err(Fault::said(
                "Quoted strings are are not supported for user names and USER is deprecated, please use ROLE",
            )),
            _ => Err(self.no_alternative()),
        }
    }
}
