//! Types.

use super::cursor::Parser;
use crate::wide_column::cql::ast::{NativeType, TypeName};
use crate::wide_column::cql::fault::{Fault, Result};
use crate::wide_column::cql::keyword::Keyword;
use crate::wide_column::cql::token::Kind;

/// The scalar type that `keyword` names.
fn native_type(keyword: Keyword) -> Option<NativeType> {
    Some(match keyword {
        Keyword::Ascii => NativeType::Ascii,
        Keyword::Bigint => NativeType::Bigint,
        Keyword::Blob => NativeType::Blob,
        Keyword::Boolean => NativeType::Boolean,
        Keyword::Counter => NativeType::Counter,
        Keyword::Date => NativeType::Date,
        Keyword::Decimal => NativeType::Decimal,
        Keyword::Double => NativeType::Double,
        Keyword::Duration => NativeType::Duration,
        Keyword::Float => NativeType::Float,
        Keyword::Inet => NativeType::Inet,
        Keyword::Int => NativeType::Int,
        Keyword::Smallint => NativeType::Smallint,
        Keyword::Text => NativeType::Text,
        Keyword::Time => NativeType::Time,
        Keyword::Timestamp => NativeType::Timestamp,
        Keyword::Timeuuid => NativeType::Timeuuid,
        Keyword::Tinyint => NativeType::Tinyint,
        Keyword::Uuid => NativeType::Uuid,
        Keyword::Varchar => NativeType::Varchar,
        Keyword::Varint => NativeType::Varint,
        _ => return None,
    })
}

impl Parser<'_> {
    /// A scalar type.
    pub(super) fn native_type(&mut self) -> Result<NativeType> {
        let found = self.keyword().and_then(native_type).ok_or_else(|| self.no_alternative())?;
        self.advance()?;
        Ok(found)
    }

    /// Any type.
    pub(super) fn type_name(&mut self) -> Result<TypeName> {
        self.nested(Self::type_here)
    }

    fn type_here(&mut self) -> Result<TypeName> {
        if self.is(Kind::String) {
            return self.string().map(TypeName::Custom);
        }
        // A keyspace may have the name of a type.
        if let Some(native) = self.keyword().and_then(native_type).filter(|_| self.next_kind() != Kind::Dot) {
            self.advance()?;
            return Ok(TypeName::Native(native));
        }
        if self.next_kind() == Kind::Less {
            match self.keyword() {
                Some(Keyword::Map) => {
                    let [key, value] = self.two_parameters()?;
                    return Ok(TypeName::Map(Box::new(key), Box::new(value)));
                }
                Some(Keyword::List) => return Ok(TypeName::List(Box::new(self.parameter()?))),
                Some(Keyword::Set) => return Ok(TypeName::Set(Box::new(self.parameter()?))),
                Some(Keyword::Frozen) => return self.frozen(),
                Some(Keyword::Tuple) => {
                    self.advance()?;
                    self.advance()?;
                    let types = self.list(Self::type_name)?;
                    self.expect(Kind::Greater)?;
                    return Ok(TypeName::Tuple(types));
                }
                Some(Keyword::Vector) => return self.vector(),
                _ => {}
            }
        }
        self.user_type_name().map(TypeName::User)
    }

    fn parameter(&mut self) -> Result<TypeName> {
        self.advance()?;
        self.advance()?;
        let parameter = self.type_name()?;
        self.expect(Kind::Greater)?;
        Ok(parameter)
    }

    fn two_parameters(&mut self) -> Result<[TypeName; 2]> {
        self.advance()?;
        self.advance()?;
        let first = self.type_name()?;
        self.expect(Kind::Comma)?;
        let second = self.type_name()?;
        self.expect(Kind::Greater)?;
        Ok([first, second])
    }

    fn frozen(&mut self) -> Result<TypeName> {
        let inner = self.parameter()?;
        if let TypeName::Native(native) = inner {
            let name = native.name();
            return Err(Fault::said(format!(
                "frozen<> is only allowed on collections, tuples, and user-defined types (got {name})"
            )));
        }
        Ok(TypeName::Frozen(Box::new(inner)))
    }

    fn vector(&mut self) -> Result<TypeName> {
        self.advance()?;
        self.advance()?;
        let element = self.type_name()?;
        self.expect(Kind::Comma)?;
        let token = self.expect(Kind::Integer)?;
        let dimension = self.source(token);
        let is_positive = |dimension: &u32| *dimension > 0 && i32::try_from(*dimension).is_ok();
        let Some(dimension) = dimension.parse().ok().filter(is_positive) else {
            return Err(Fault::said(format!("vectors may only have positive dimensions; given {dimension}")));
        };
        self.expect(Kind::Greater)?;
        Ok(TypeName::Vector(Box::new(element), dimension))
    }
}
