//! `$type`: the types that a condition allows.

use bson::{Bson, RawBsonRef};

use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

/// A set of types, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u32);

/// The types with the numbers and names that they have in a filter.
const KINDS: [(i64, &str); 21] = [
    (1, "double"),
    (2, "string"),
    (3, "object"),
    (4, "array"),
    (5, "binData"),
    (6, "undefined"),
    (7, "objectId"),
    (8, "bool"),
    (9, "date"),
    (10, "null"),
    (11, "regex"),
    (12, "dbPointer"),
    (13, "javascript"),
    (14, "symbol"),
    (15, "javascriptWithScope"),
    (16, "int"),
    (17, "timestamp"),
    (18, "long"),
    (19, "decimal"),
    (-1, "minKey"),
    (127, "maxKey"),
];

impl Kinds {
    /// The types that the operand of `$type` names: one or several, each by number or name.
    pub(super) fn compile(operand: &Bson) -> Result<Self> {
        match operand {
            Bson::Array(all) if all.is_empty() => Err(Code::FAILED_TO_PARSE.value("$type takes at least one type")),
            Bson::Array(all) => {
                all.iter().try_fold(Self(0), |Self(all), one| Self::one(one).map(|Self(bits)| Self(all | bits)))
            }
            one => Self::one(one),
        }
    }

    fn one(operand: &Bson) -> Result<Self> {
        let place = match operand {
            Bson::String(name) if name == "number" => {
                let all = ["double", "int", "long", "decimal"].iter().filter_map(|name| bit(|(_, held)| held == name));
                return Ok(Self(all.fold(0, |bits, bit| bits | bit)));
            }
            Bson::String(name) => bit(|(_, held)| held == name),
            other => match Number::from_bson(other) {
                Some(number) => number.as_i64().and_then(|number| bit(|(held, _)| *held == number)),
                None => return Err(Code::TYPE_MISMATCH.wrong_type("a type is a number or a name")),
            },
        };
        place.map(Self).ok_or_else(|| Code::BAD_VALUE.value(format!("there is no type {operand}")))
    }

    /// Whether the type of `value` is among them.
    pub(super) fn contains(self, value: RawBsonRef<'_>) -> bool {
        let name = crate::document::order::type_name(value);
        bit(|(_, held)| *held == name).is_some_and(|bit| self.0 & bit != 0)
    }
}

/// The bit of the first type that `is_it` holds for.
fn bit(is_it: impl Fn(&(i64, &str)) -> bool) -> Option<u32> {
    KINDS.iter().position(is_it).map(|place| 1 << place)
}
