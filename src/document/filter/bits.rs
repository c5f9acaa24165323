//! `$bitsAllSet`, `$bitsAnySet`, `$bitsAllClear` and `$bitsAnyClear`.

use bson::spec::BinarySubtype;
use bson::{Bson, RawBsonRef};

use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

/// A condition on bits of an integer or of binary data.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    /// The positions that count, the lowest bit being 0.
    positions: Vec<usize>,
    /// Whether they are to be set.
    set: bool,
    /// Whether all of them are, or one.
    all: bool,
}

impl Bits {
    /// Compiles the operand of `operator`: a mask (a number that is not negative, or binary data) or an array of positions.
    pub(super) fn compile(operator: &str, operand: &Bson) -> Result<Self> {
        let positions = match operand {
            Bson::Array(positions) => {
                positions.iter().map(|position| place(operator, position)).collect::<Result<_>>()?
            }
            Bson::Binary(binary) => positions(&binary.bytes),
            mask => {
                let Some(number) = Number::from_bson(mask) else {
                    return Err(Code::BAD_VALUE.wrong_type(format!("{operator} takes a mask or an array of positions")));
                };
                let mask = number.as_i64().and_then(|mask| u64::try_from(mask).ok()).ok_or_else(|| {
                    Code::FAILED_TO_PARSE
                        .value(format!("the mask of {operator} is a 64-bit integer that is not negative"))
                })?;
                positions(&mask.to_le_bytes())
            }
        };
        let (set, all) = (operator.ends_with("Set"), operator.starts_with("$bitsAll"));
        Ok(Self { positions, set, all })
    }

    /// Whether it holds for `value`; for what has no bits it does not.
    pub(super) fn holds(&self, value: RawBsonRef<'_>) -> bool {
        match value {
            RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::BinaryOld => {
                // What is stored begins with the length.
                let length = u32::try_from(binary.bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
                self.of(|place| length.get(place).or_else(|| binary.bytes.get(place.checked_sub(4)?)).copied(), false)
            }
            RawBsonRef::Binary(binary) => self.of(|place| binary.bytes.get(place).copied(), false),
            value => match Number::from_raw(value).and_then(Number::as_i64) {
                // A negative number goes on with ones.
                Some(number) => self.of(|place| number.to_le_bytes().get(place).copied(), number < 0),
                None => false,
            },
        }
    }

    fn of(&self, byte_at: impl Fn(usize) -> Option<u8>, beyond: bool) -> bool {
        let is_set = |position: usize| byte_at(position / 8).map_or(beyond, |byte| byte >> (position % 8) & 1 == 1);
        let mut wanted = self.positions.iter().map(|position| is_set(*position) == self.set);
        if self.all { wanted.all(|holds| holds) } else { wanted.any(|holds| holds) }
    }
}

fn positions(bytes: &[u8]) -> Vec<usize> {
    let bits = (0..bytes.len() * 8)
        .filter(|position| bytes.get(position / 8).is_some_and(|byte| byte >> (position % 8) & 1 == 1));
    bits.collect()
}

fn place(operator: &str, position: &Bson) -> Result<usize> {
    let number = Number::from_bson(position).and_then(Number::as_i64).and_then(|position| i32::try_from(position).ok());
    let place = number.and_then(|position| usize::try_from(position).ok());
    let place = place.ok_or_else(|| {
        Code::BAD_VALUE.value(format!("the positions of {operator} are integers that are not negative"))
    })?;
    Ok(place)
}
