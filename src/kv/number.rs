//! Numbers as text: how counters are kept.

use crate::error::{Error, InvalidKind, Result};

/// The integer that `text` is the shortest spelling of.
///
/// # Errors
/// [`Error::Invalid`] for every other text.
pub(super) fn parse_integer(text: &[u8]) -> Result<i64> {
    let canonical = match text {
        b"0" | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => std::str::from_utf8(text).ok(),
        _ => None,
    };
    canonical
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::invalid(InvalidKind::Type, "value is not an integer or out of range"))
}

/// The finite number, or infinity, that `text` spells; `None` for a text that is not one, and for not-a-number.
pub(super) fn parse_float(text: &[u8]) -> Option<f64> {
    // `parse` takes more words than the store does, and no space.
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// The sum as it is kept: the shortest text that reads as the same number, without an exponent.
///
/// # Errors
/// [`Error::Invalid`] when the sum is not finite.
pub(super) fn add_float(number: f64, by: f64) -> Result<String> {
    let sum = number + by;
    if !sum.is_finite() {
        return Err(Error::invalid(InvalidKind::Value, "increment would produce NaN or Infinity"));
    }
    Ok(if sum == 0.0 { "0".to_owned() } else { sum.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // SEM: KV-STR-1
    #[test]
    fn only_the_shortest_spelling_is_an_integer() {
        for (text, number) in
            [("0", 0), ("-1", -1), ("10", 10), ("9223372036854775807", i64::MAX), ("-9223372036854775808", i64::MIN)]
        {
            assert_eq!(parse_integer(text.as_bytes()).unwrap(), number);
        }
        for text in
            ["", " 1", "1 ", "+1", "-", "-0", "00", "01", "-01", "1.5", "1e3", "0x10", "9223372036854775808", "1_0"]
        {
            assert!(parse_integer(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(parse_integer(b"1\xff").is_err());
    }

    // SEM: KV-STR-2
    #[test]
    fn sums_have_no_exponent_and_no_trailing_zeros() {
        for (number, by, sum) in [(3.0, 0.0, "3"), (10.5, 0.1, "10.6"), (5.0e3, 200.0, "5200"), (-1.0, 1.0, "0")] {
            assert_eq!(add_float(number, by).unwrap(), sum);
        }
        assert_eq!(add_float(1e20, 0.0).unwrap(), "100000000000000000000");
        assert!(add_float(f64::MAX, f64::MAX).is_err());
    }

    proptest! {
        #[test]
        fn what_parses_is_written_in_the_same_way(text in "-?[0-9]{0,20}") {
            if let Ok(number) = parse_integer(text.as_bytes()) {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }
}
