//! What an operator does at the end of its path.

use std::cmp::Ordering;

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef};

use super::arrays::{AddToSet, Pop, Pull, Push};
use super::bits::Bits;
use super::moment::Moment;
use super::rename::Rename;
use crate::document::code::Code;
use crate::document::expression::Value;
use crate::document::number::Number;
use crate::document::order::compare;
use crate::error::Result;

/// What happens at the end of a path.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(RawBson),
    SetOnInsert(RawBson),
    Unset,
    Increment(Number),
    Multiply(Number),
    /// `$min` and `$max`: the value is set where it compares so with what is there.
    Extreme(Ordering, RawBson),
    /// `$currentDate`: as a timestamp, or as a date.
    Now { timestamp: bool },
    /// The target of a `$rename`.
    Rename(Rename),
    Bits(Bits),
    Push(Box<Push>),
    AddToSet(AddToSet),
    Pop(Pop),
    Pull(Box<Pull>),
}

/// A new value, or that there is none.
#[derive(Debug)]
pub(super) enum Outcome<'a> {
    /// What was there stays, or nothing comes into being.
    Unchanged,
    Removed,
    Value(Value<'a>),
}

impl Outcome<'_> {
    pub(super) fn array(array: RawArrayBuf) -> Self {
        Self::Value(Value::Owned(RawBson::Array(array)))
    }
}

impl Change {
    /// Whether a path that leads through what is neither object nor array is a mistake. Otherwise nothing happens.
    pub(super) fn needs_path(&self, moment: &Moment<'_>) -> bool {
        match self {
            Self::Unset => false,
            Self::SetOnInsert(_) => moment.inserts,
            Self::Rename(rename) => rename.has_source(moment),
            _ => true,
        }
    }

    /// Whether it writes something where nothing is yet.
    pub(super) fn creates(&self, moment: &Moment<'_>) -> bool {
        match self {
            Self::Unset | Self::Pop(_) | Self::Pull(_) => false,
            Self::SetOnInsert(_) => moment.inserts,
            Self::Rename(rename) => rename.has_source(moment),
            _ => true,
        }
    }

    /// What becomes of `value`, the last part of whose path is `name`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a value of a type that the operator does not take, and a result that
    /// does not fit its type.
    pub(super) fn changed<'a>(
        &'a self,
        name: &str,
        value: RawBsonRef<'a>,
        moment: &Moment<'a>,
    ) -> Result<Outcome<'a>> {
        match self {
            Self::Unset => Ok(Outcome::Removed),
            Self::Increment(amount) => arithmetic("$inc", name, value, |number| number.checked_add(*amount)),
            Self::Multiply(factor) => arithmetic("$mul", name, value, |number| number.checked_multiply(*factor)),
            Self::Extreme(wanted, new) => {
                let replaces = compare(new.as_raw_bson_ref(), value) == *wanted;
                Ok(if replaces { Outcome::Value(Value::Borrowed(new.as_raw_bson_ref())) } else { Outcome::Unchanged })
            }
            Self::Bits(bits) => bits.changed(name, value),
            Self::Push(push) => push.changed(name, Some(value)),
            Self::AddToSet(add) => add.changed(name, Some(value)),
            Self::Pop(pop) => pop.changed(name, value),
            Self::Pull(pull) => pull.changed(name, value),
            Self::Set(_) | Self::SetOnInsert(_) | Self::Now { .. } | Self::Rename(_) => self.created(name, moment),
        }
    }

    /// What comes into being where nothing is.
    ///
    /// # Errors
    /// As [`Change::changed`].
    pub(super) fn created<'a>(&'a self, name: &str, moment: &Moment<'a>) -> Result<Outcome<'a>> {
        let set = |value: &'a RawBson| Ok(Outcome::Value(Value::Borrowed(value.as_raw_bson_ref())));
        match self {
            Self::Set(value) | Self::Extreme(_, value) => set(value),
            Self::SetOnInsert(value) if moment.inserts => set(value),
            Self::SetOnInsert(_) | Self::Unset | Self::Pop(_) | Self::Pull(_) => Ok(Outcome::Unchanged),
            Self::Increment(amount) => Ok(Outcome::Value((*amount).into())),
            // A zero of the operand's type: infinity makes it NaN, as arithmetic has it.
            Self::Multiply(factor) => Ok(Outcome::Value(factor.multiply(Number::Int32(0)).into())),
            Self::Now { timestamp: true } => {
                Ok(Outcome::Value(Value::Borrowed(RawBsonRef::Timestamp(moment.timestamp()))))
            }
            Self::Now { timestamp: false } => Ok(Outcome::Value(Value::Borrowed(RawBsonRef::DateTime(moment.date())))),
            Self::Rename(rename) => {
                Ok(rename.source(moment)?.map_or(Outcome::Unchanged, |value| Outcome::Value(Value::Borrowed(value))))
            }
            Self::Bits(bits) => Ok(Outcome::Value(bits.created().into())),
            Self::Push(push) => push.changed(name, None),
            Self::AddToSet(add) => add.changed(name, None),
        }
    }
}

/// Applies `operation`, in the type that holds the result: int32 widens, int64 overflows. A result that is equal and of the
/// same type leaves what is there as it is, its sign and its zeros behind the point too.
fn arithmetic<'a>(
    operator: &str,
    name: &str,
    value: RawBsonRef<'a>,
    operation: impl Fn(Number) -> Option<Number>,
) -> Result<Outcome<'a>> {
    let Some(number) = Number::from_raw(value) else {
        let message = format!("{operator} needs a number in {name:?}, which is a value of type {:?}", value.element_type());
        return Err(Code::TYPE_MISMATCH.wrong_type(message));
    };
    let result = operation(number).ok_or_else(|| {
        Code::BAD_VALUE.overflow(format!("the result of {operator} in {name:?} leaves the 64-bit integers"))
    })?;
    Ok(unless_same(number, result))
}

/// The number `new`, unless it is equal to `old` and of the same type.
pub(super) fn unless_same<'a>(old: Number, new: Number) -> Outcome<'a> {
    let same_type = std::mem::discriminant(&old) == std::mem::discriminant(&new);
    if same_type && old.compare(new).is_eq() { Outcome::Unchanged } else { Outcome::Value(new.into()) }
}
