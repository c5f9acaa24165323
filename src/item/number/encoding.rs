//! Numbers as bytes: in keys, where byte order is numeric order, and in records, where they are read fast.
//!
//! In a key:
//!
//! | bytes | field     | encoding                                                                             |
//! |-------|-----------|--------------------------------------------------------------------------------------|
//! | 1     | sign      | `01` negative, `02` zero, `03` positive; zero ends here                              |
//! | 1     | magnitude | power of ten of the first digit, plus 130                                            |
//! | 1..   | digits    | without leading and trailing zeros, two to a byte (plus 1), padded with a zero digit |
//! | 1     | end       | `00`                                                                                 |
//!
//! In a negative number everything behind the sign is inverted. 12.5 is `03 83 0d33 00`.
//!
//! In a record:
//!
//! | bytes | field       | encoding                                                                           |
//! |-------|-------------|------------------------------------------------------------------------------------|
//! | 1     | head        | bits 0 to 4: bytes of the coefficient; 5, 6: bytes of the exponent; 7: is negative |
//! | 0..2  | exponent    | power of ten of the last digit, little-endian, signed, as few bytes as it needs    |
//! | 0..16 | coefficient | little-endian, unsigned, as few bytes as it needs                                  |
//!
//! The coefficient does not end in the digit 0. Zero is `00`, 5 is `01 05`, 12.5 is `21 ff 7d`.

use crate::encoding::ordered::{self, Buffer, Reader};
use crate::error::{Error, Result};
use crate::item::number::{MAGNITUDE_MIN, Number, is_multiple_of_ten};
use crate::limits;

const NEGATIVE: u8 = 0x01;
const ZERO: u8 = 0x02;
const POSITIVE: u8 = 0x03;

/// Bits of a record's head: how many bytes the coefficient has.
const COEFFICIENT_BYTES: u8 = 0x1f;

/// Bits of a record's head: how many bytes the exponent has.
const EXPONENT_BYTES: u8 = 0x60;

/// Bit of a record's head: whether the number is negative.
const IS_NEGATIVE: u8 = 0x80;

/// Pairs of digits of the longest coefficient.
const PAIRS_MAX: usize = limits::ITEM_NUMBER_DIGITS_MAX / 2;

/// Appends `number` so that byte order is numeric order.
pub(in crate::item) fn put_key(out: &mut impl Buffer, number: &Number) {
    if number.is_zero() {
        return out.append(&[ZERO]);
    }
    // Sign, magnitude, digits and end.
    let mut bytes = [0; PAIRS_MAX + 3];
    let [sign, magnitude, pairs @ ..] = &mut bytes;
    *sign = if number.is_negative() { NEGATIVE } else { POSITIVE };
    *magnitude = u8::try_from(number.magnitude() - MAGNITUDE_MIN).unwrap_or(u8::MAX);
    let mut digits = number.coefficient().unsigned_abs();
    if !number.digits().is_multiple_of(2) {
        digits *= 10;
    }
    let used = number.digits().div_ceil(2);
    for pair in pairs.iter_mut().take(used).rev() {
        *pair = u8::try_from(digits % 100).unwrap_or(0) + 1;
        digits /= 100;
    }
    let field = bytes.get_mut(..used + 3).unwrap_or_default();
    if number.is_negative()
        && let Some((_, rest)) = field.split_first_mut()
    {
        ordered::invert(rest);
    }
    out.append(field);
}

/// Takes what [`put_key`] put.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early or are not an encoding.
pub(in crate::item) fn take_key(reader: &mut Reader<'_>) -> Result<Number> {
    let flip = match reader.u8()? {
        ZERO => return Ok(Number::default()),
        POSITIVE => 0,
        NEGATIVE => 0xff,
        other => return Err(corrupt(format!("sign byte {other:02x}"))),
    };
    let magnitude = i64::from(reader.u8()? ^ flip) + MAGNITUDE_MIN;
    let (mut coefficient, mut digits, mut first, mut last) = (0u128, 0i64, 0, 0);
    loop {
        match reader.u8()? ^ flip {
            0 => break,
            pair @ 1..=100 if digits < 38 => {
                last = pair - 1;
                first = if digits == 0 { last } else { first };
                coefficient = coefficient * 100 + u128::from(last);
                digits += 2;
            }
            other => return Err(corrupt(format!("digit byte {other:02x}"))),
        }
    }
    // Neither the first digit nor the last is 0; the last byte may hold one digit, and a 0.
    if first < 10 || last == 0 {
        return Err(corrupt("its digits are not canonical"));
    }
    if last.is_multiple_of(10) {
        coefficient /= 10;
        digits -= 1;
    }
    Number::from_parts(flip != 0, coefficient, magnitude - digits + 1).map_err(|fault| corrupt(fault.to_string()))
}

/// Appends `number` as it is stored in records.
pub(in crate::item) fn put_record(out: &mut Vec<u8>, number: &Number) {
    let coefficient = number.coefficient().unsigned_abs();
    let coefficient_bytes = (u128::BITS - coefficient.leading_zeros()).div_ceil(8) as usize;
    let exponent_bytes: usize = match number.exponent {
        0 => 0,
        -128..=127 => 1,
        _ => 2,
    };
    // Both counts are far below 256.
    let [coefficient_count, ..] = coefficient_bytes.to_le_bytes();
    let [exponent_count, ..] = exponent_bytes.to_le_bytes();
    out.push(coefficient_count | exponent_count << 5 | if number.is_negative() { IS_NEGATIVE } else { 0 });
    out.extend_from_slice(number.exponent.to_le_bytes().get(..exponent_bytes).unwrap_or_default());
    out.extend_from_slice(coefficient.to_le_bytes().get(..coefficient_bytes).unwrap_or_default());
}

/// Takes what [`put_record`] put; returns what follows.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early or are not an encoding.
pub(in crate::item) fn take_record(bytes: &[u8]) -> Result<(Number, &[u8])> {
    let (&head, rest) = bytes.split_first().ok_or_else(too_short)?;
    let coefficient_bytes = usize::from(head & COEFFICIENT_BYTES);
    let exponent_bytes = usize::from((head & EXPONENT_BYTES) >> 5);
    let (exponent, rest) = rest.split_at_checked(exponent_bytes).ok_or_else(too_short)?;
    let (digits, rest) = rest.split_at_checked(coefficient_bytes).ok_or_else(too_short)?;
    let exponent = match *exponent {
        [] => 0,
        [low] if low != 0 => i16::from(low.cast_signed()),
        [low, high] if !(-128..128).contains(&i16::from_le_bytes([low, high])) => i16::from_le_bytes([low, high]),
        _ => return Err(corrupt("its exponent is not canonical")),
    };
    if digits.len() > 16 || digits.last() == Some(&0) {
        return Err(corrupt("its coefficient is not canonical"));
    }
    // Most have few bytes, which are put together sooner than copied.
    let coefficient = if digits.len() <= 8 {
        u128::from(digits.iter().rev().fold(0u64, |coefficient, digit| coefficient << 8 | u64::from(*digit)))
    } else {
        digits.iter().rev().fold(0u128, |coefficient, digit| coefficient << 8 | u128::from(*digit))
    };
    if coefficient == 0 {
        return if head == 0 { Ok((Number::default(), rest)) } else { Err(corrupt("zero has one encoding")) };
    }
    if is_multiple_of_ten(coefficient) {
        return Err(corrupt("its coefficient is not canonical"));
    }
    let is_negative = head & IS_NEGATIVE != 0;
    let number = Number::from_trimmed(is_negative, coefficient, i64::from(exponent));
    Ok((number.map_err(|fault| corrupt(fault.to_string()))?, rest))
}

/// What follows a number in a record.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early.
pub(in crate::item) fn skip_record(bytes: &[u8]) -> Result<&[u8]> {
    let (&head, rest) = bytes.split_first().ok_or_else(too_short)?;
    let length = (head & COEFFICIENT_BYTES) + ((head & EXPONENT_BYTES) >> 5);
    rest.get(usize::from(length)..).ok_or_else(too_short)
}

fn too_short() -> Error {
    corrupt("it ends early")
}

fn corrupt(detail: impl Into<String>) -> Error {
    Error::corrupt("item number", detail)
}
