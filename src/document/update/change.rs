//! What happens at the end of a path, and how operators and their operands are read.

use bson::Bson;
use bson::raw::RawBson;

use super::array::{Pull, Push, each, only};
use crate::document::code::Code;
use crate::document::expression::{Names, constant};
use crate::document::number::Number;
use crate::error::Result;

/// What happens at the end of a path.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(RawBson),
    /// Set when an upsert inserts the document.
    SetOnInsert(RawBson),
    Increment(Number),
    Multiply(Number),
    Min(RawBson),
    Max(RawBson),
    Unset,
    /// The moment, as a date or as a timestamp.
    CurrentDate {
        is_timestamp: bool,
    },
    /// The value that the rename of this number takes from elsewhere, if there is one.
    Renamed(usize),
    /// The value is taken away by the rename of this number.
    Moved(usize),
    Bit(Vec<(Bit, Number)>),
    Push(Box<Push>),
    AddToSet(Vec<RawBson>),
    /// Takes off the first element, or the last.
    Pop {
        first: bool,
    },
    Pull(Box<Pull>),
}

/// An operation on the bits of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bit {
    And,
    Or,
    Xor,
}

/// Reads one operand: a value, the levels it may nest, and what orders its text.
type Reader = fn(&Bson, usize, &Names) -> Result<Change>;

/// How to read one operand of `operator`.
pub(super) fn reader(operator: &str) -> Result<Reader> {
    Ok(match operator {
        "$set" => |value, levels, _| Ok(Change::Set(constant(value, levels)?)),
        "$setOnInsert" => |value, levels, _| Ok(Change::SetOnInsert(constant(value, levels)?)),
        "$unset" | "$rename" => |_, _, _| Ok(Change::Unset),
        "$inc" => |value, _, _| number("$inc", value).map(Change::Increment),
        "$mul" => |value, _, _| number("$mul", value).map(Change::Multiply),
        "$min" => |value, levels, _| Ok(Change::Min(constant(value, levels)?)),
        "$max" => |value, levels, _| Ok(Change::Max(constant(value, levels)?)),
        "$currentDate" => |value, _, _| current_date(value),
        "$bit" => |value, _, _| bits(value),
        "$push" => |value, levels, names| Ok(Change::Push(Box::new(Push::compile(value, levels, names)?))),
        "$addToSet" => |value, levels, _| added(value, levels),
        "$pop" => |value, _, _| pop(value),
        "$pull" => |value, _, names| Ok(Change::Pull(Box::new(Pull::compile(value, names)?))),
        "$pullAll" => |value, levels, _| Ok(Change::Pull(Box::new(Pull::compile_all(value, levels)?))),
        other if other.starts_with('$') => {
            return Err(Code::FAILED_TO_PARSE.value(format!("there is no update operator {other}")));
        }
        other => {
            let message = format!("{other:?} is not an update operator; an update and a replacement do not mix");
            return Err(Code::FAILED_TO_PARSE.value(message));
        }
    })
}

/// The path that `$rename` moves a value to.
pub(super) fn rename_target(path: &str, value: &Bson) -> Result<String> {
    let Bson::String(target) = value else {
        return Err(Code::BAD_VALUE.wrong_type(format!("$rename of {path:?} takes a path to move it to")));
    };
    if target == path {
        return Err(Code::BAD_VALUE.value(format!("$rename moves {path:?} to itself")));
    }
    if target.contains('\0') {
        return Err(Code::RENAME_NUL.value(format!("$rename of {path:?} to a name with a NUL character")));
    }
    let is_dynamic = |part: &str| part == "$" || part.starts_with("$[");
    if [path, target].iter().any(|path| path.split('.').any(is_dynamic)) {
        return Err(Code::BAD_VALUE.value("$rename does not lead through arrays"));
    }
    if path.starts_with('$') {
        return Err(Code::BAD_VALUE.value("$rename from a name that begins with a dollar sign"));
    }
    Ok(target.clone())
}

impl Change {
    /// Whether it writes where nothing is yet. Only such changes need their path to exist.
    pub(super) fn creates(&self, inserts: bool, is_taken: impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Unset | Self::Moved(_) | Self::Pop { .. } | Self::Pull(_) => false,
            Self::SetOnInsert(_) => inserts,
            Self::Renamed(number) => is_taken(*number),
            _ => true,
        }
    }
}

fn number(operator: &str, value: &Bson) -> Result<Number> {
    Number::from_bson(value)
        .ok_or_else(|| Code::TYPE_MISMATCH.wrong_type(format!("{operator} by a value that is not a number")))
}

/// `true`, or `{$type: "date"}` or `{$type: "timestamp"}`.
fn current_date(value: &Bson) -> Result<Change> {
    let wrong = || Code::BAD_VALUE.value("$currentDate takes true or {$type: \"date\" or \"timestamp\"}");
    match value {
        Bson::Boolean(_) => Ok(Change::CurrentDate { is_timestamp: false }),
        Bson::Document(options) => match (options.get_str("$type"), options.len()) {
            (Ok("date"), 1) => Ok(Change::CurrentDate { is_timestamp: false }),
            (Ok("timestamp"), 1) => Ok(Change::CurrentDate { is_timestamp: true }),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// `{and: n, or: n, xor: n}`.
fn bits(value: &Bson) -> Result<Change> {
    let operations = value.as_document().filter(|operations| !operations.is_empty());
    let operations = operations.ok_or_else(|| Code::BAD_VALUE.value("$bit takes an object of and, or and xor"))?;
    let operation = |(name, operand): (&String, &Bson)| {
        let bit = match name.as_str() {
            "and" => Bit::And,
            "or" => Bit::Or,
            "xor" => Bit::Xor,
            other => return Err(Code::BAD_VALUE.value(format!("$bit has no operation {other:?}"))),
        };
        match Number::from_bson(operand) {
            Some(operand @ (Number::Int32(_) | Number::Int64(_))) => Ok((bit, operand)),
            _ => Err(Code::BAD_VALUE.wrong_type("$bit takes integers")),
        }
    };
    Ok(Change::Bit(operations.iter().map(operation).collect::<Result<_>>()?))
}

/// A value, or `{$each: […]}`.
fn added(value: &Bson, levels: usize) -> Result<Change> {
    let each = match value {
        Bson::Document(modifiers) if modifiers.keys().next().is_some_and(|key| key == "$each") => {
            only(modifiers, &["$each"], "$addToSet")?;
            each(modifiers, Code::TYPE_MISMATCH)?
        }
        single => std::slice::from_ref(single),
    };
    let levels = levels.saturating_sub(1);
    Ok(Change::AddToSet(each.iter().map(|value| constant(value, levels)).collect::<Result<_>>()?))
}

fn pop(value: &Bson) -> Result<Change> {
    let number = Number::from_bson(value);
    let number = number.ok_or_else(|| Code::FAILED_TO_PARSE.wrong_type("$pop takes 1 or -1"))?;
    match number.as_i64() {
        Some(1) => Ok(Change::Pop { first: false }),
        Some(-1) => Ok(Change::Pop { first: true }),
        _ => Err(Code::FAILED_TO_PARSE.value("$pop takes 1 or -1")),
    }
}
