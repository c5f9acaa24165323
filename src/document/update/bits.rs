//! `$bit`.

use bson::{Bson, RawBsonRef};

use super::change::{Outcome, unless_same};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

/// Operations on the bits of an integer, in their order.
#[derive(Clone, Debug)]
pub(super) struct Bits(Vec<(Operation, Number)>);

#[derive(Clone, Copy, Debug)]
enum Operation {
    And,
    Or,
    Xor,
}

impl Bits {
    /// Compiles `{and: n, or: n, xor: n}`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for anything else.
    pub(super) fn compile(operand: &Bson) -> Result<Self> {
        let Bson::Document(operations) = operand else {
            return Err(Code::BAD_VALUE.wrong_type("$bit takes an object: {and: n}, {or: n} or {xor: n}"));
        };
        if operations.is_empty() {
            return Err(Code::BAD_VALUE.value("$bit takes at least one operation"));
        }
        let compiled = operations.iter().map(|(name, value)| {
            let operation = match name.as_str() {
                "and" => Operation::And,
                "or" => Operation::Or,
                "xor" => Operation::Xor,
                other => return Err(Code::BAD_VALUE.value(format!("$bit has no operation {other:?}"))),
            };
            match Number::from_bson(value) {
                Some(number @ (Number::Int32(_) | Number::Int64(_))) => Ok((operation, number)),
                _ => Err(Code::BAD_VALUE.wrong_type(format!("the operand of {name:?} in $bit is not an integer"))),
            }
        });
        Ok(Self(compiled.collect::<Result<_>>()?))
    }

    pub(super) fn changed<'a>(&self, name: &str, value: RawBsonRef<'a>) -> Result<Outcome<'a>> {
        match Number::from_raw(value) {
            Some(number @ (Number::Int32(_) | Number::Int64(_))) => Ok(unless_same(number, self.apply(number))),
            _ => {
                let message = format!("$bit needs an integer in {name:?}, which is of type {:?}", value.element_type());
                Err(Code::BAD_VALUE.wrong_type(message))
            }
        }
    }

    /// The bits of a field that was not there, which counts as zero.
    pub(super) fn created(&self) -> Number {
        self.apply(Number::Int32(0))
    }

    fn apply(&self, number: Number) -> Number {
        self.0.iter().fold(number, |number, (operation, operand)| operation.apply(number, *operand))
    }
}

impl Operation {
    fn apply(self, number: Number, operand: Number) -> Number {
        match (number, operand) {
            (Number::Int32(a), Number::Int32(b)) => Number::Int32(match self {
                Self::And => a & b,
                Self::Or => a | b,
                Self::Xor => a ^ b,
            }),
            (a, b) => {
                let (a, b) = (a.as_i64().unwrap_or(0), b.as_i64().unwrap_or(0));
                Number::Int64(match self {
                    Self::And => a & b,
                    Self::Or => a | b,
                    Self::Xor => a ^ b,
                })
            }
        }
    }
}
