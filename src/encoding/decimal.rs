//! Order-preserving bytes for decimals of any size.
//!
//! The three decimal families of the models share this encoding and the arithmetic of [`BigDecimal`]; their
//! ranges, roundings and specials are their own. Equal values have one encoding, whatever their trailing zeros.
//!
//! | bytes | field     | encoding                                                                               |
//! |-------|-----------|----------------------------------------------------------------------------------------|
//! | 1     | sign      | `01` negative, `02` zero, `03` positive; zero ends here                                 |
//! | 4     | magnitude | number of digits before the point (negative: leading zeros after it), as an ordered i32 |
//! | 0..   | digits    | without leading and trailing zeros, two to a byte (plus 1), padded with a zero digit    |
//! | 1     | end       | `00`                                                                                   |
//!
//! In a negative decimal everything after the sign is inverted. 12.5 is `03 80000002 0d33 00`.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};

use crate::encoding::ordered::{self, Reader};
use crate::error::{Error, Result};

const NEGATIVE: u8 = 0x01;
const ZERO: u8 = 0x02;
const POSITIVE: u8 = 0x03;

/// Appends `value` so that byte order is numeric order.
///
/// # Errors
/// [`Error::LimitExceeded`] when the magnitude is beyond 10^±2,147,483,647.
///
/// # Examples
/// ```
/// use larder::internals::decimal::put_decimal;
/// let encode = |text: &str| { let mut key = Vec::new(); put_decimal(&mut key, &text.parse().unwrap()).map(|()| key) };
/// assert_eq!(encode("12.5")?, [3, 0x80, 0, 0, 2, 13, 51, 0]);
/// assert_eq!(encode("1.0")?, encode("1.00")?);
/// assert!(encode("-2")? < encode("-1.5")?);
/// # Ok::<(), larder::Error>(())
/// ```
pub fn put_decimal(out: &mut Vec<u8>, value: &BigDecimal) -> Result<()> {
    let (integer, scale) = value.as_bigint_and_exponent();
    if integer.sign() == Sign::NoSign {
        out.push(ZERO);
        return Ok(());
    }
    let text = integer.magnitude().to_str_radix(10);
    let digits = text.trim_end_matches('0').as_bytes();
    let magnitude = i64::try_from(text.len()).unwrap_or(i64::MAX).saturating_sub(scale);
    let magnitude = i32::try_from(magnitude).map_err(|_| Error::LimitExceeded {
        limit: "decimal magnitude in digits",
        max: i32::MAX.unsigned_abs().into(),
        found: magnitude.unsigned_abs(),
    })?;
    let negative = integer.sign() == Sign::Minus;
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let start = out.len();
    ordered::put_i32(out, magnitude);
    for pair in digits.chunks(2) {
        let (high, low) = (pair.first().map_or(0, |d| d - b'0'), pair.get(1).map_or(0, |d| d - b'0'));
        out.push(high * 10 + low + 1);
    }
    out.push(0);
    if negative && let Some(field) = out.get_mut(start..) {
        ordered::invert(field);
    }
    Ok(())
}

/// Takes what [`put_decimal`] put, with as few digits as the value needs.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early or are not an encoding.
///
/// # Examples
/// ```
/// use larder::internals::{decimal::{put_decimal, take_decimal}, ordered::Reader};
/// let mut key = Vec::new();
/// put_decimal(&mut key, &"-0.0150".parse().unwrap())?;
/// assert_eq!(take_decimal(&mut Reader::new(&key))?.to_string(), "-0.015");
/// # Ok::<(), larder::Error>(())
/// ```
pub fn take_decimal(reader: &mut Reader<'_>) -> Result<BigDecimal> {
    let mut flip = 0;
    let sign = match reader.u8()? {
        ZERO => return Ok(BigDecimal::default()),
        POSITIVE => Sign::Plus,
        NEGATIVE => {
            flip = 0xff;
            Sign::Minus
        }
        other => return Err(Error::corrupt("decimal", format!("sign byte {other:02x}"))),
    };
    let mut magnitude = reader.array::<4>()?;
    for byte in &mut magnitude {
        *byte ^= flip;
    }
    let magnitude = Reader::new(&magnitude).i32()?;
    let mut digits = Vec::new();
    loop {
        match reader.u8()? ^ flip {
            0 => break,
            pair @ 1..=100 => digits.extend([(pair - 1) / 10, (pair - 1) % 10]),
            other => return Err(Error::corrupt("decimal", format!("digit byte {other:02x}"))),
        }
    }
    if digits.last() == Some(&0) {
        digits.pop();
    }
    let canonical = digits.first().is_some_and(|d| *d != 0) && digits.last().is_some_and(|d| *d != 0);
    let integer = BigInt::from_radix_be(sign, &digits, 10).filter(|_| canonical);
    let integer = integer.ok_or_else(|| Error::corrupt("decimal", "its digits are not canonical"))?;
    let scale = i64::try_from(digits.len()).unwrap_or(i64::MAX) - i64::from(magnitude);
    Ok(BigDecimal::new(integer, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: &BigDecimal) -> Vec<u8> {
        let mut out = Vec::new();
        put_decimal(&mut out, value).unwrap();
        out
    }

    fn decimal() -> impl Strategy<Value = BigDecimal> {
        let integer = prop_oneof![-200i128..200, any::<i128>()];
        (integer, -45i64..45).prop_map(|(integer, scale)| BigDecimal::new(integer.into(), scale))
    }

    proptest! {
        #[test]
        fn byte_order_is_numeric_order(a in decimal(), b in decimal()) {
            prop_assert_eq!(encoded(&a).cmp(&encoded(&b)), a.cmp(&b));
        }

        #[test]
        fn a_decimal_comes_back_and_has_one_encoding(a in decimal(), tail in any::<u8>()) {
            let mut key = encoded(&a);
            key.push(tail);
            let mut reader = Reader::new(&key);
            let back = take_decimal(&mut reader).unwrap();
            prop_assert_eq!(&back, &a);
            prop_assert_eq!(reader.rest(), &[tail]);
            prop_assert_eq!(encoded(&back), encoded(&a));
        }

        #[test]
        fn bytes_that_decode_are_the_encoding(bytes in prop::collection::vec(0u8..5, 0..9)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = take_decimal(&mut reader) {
                let used = bytes.len() - reader.rest().len();
                prop_assert_eq!(encoded(&value), &bytes[..used]);
            }
        }
    }
}
