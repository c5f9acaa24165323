//! What single words of a request spell.

/// Whether a word is `name`, which is in lower case.
pub(crate) fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// The integer that a word is the shortest spelling of.
pub(crate) fn integer(word: &[u8]) -> Option<i64> {
    let text = match word {
        b"0" | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => std::str::from_utf8(word).ok()?,
        _ => return None,
    };
    text.parse().ok()
}

/// The number that a word spells, as C's `strtod` reads it: with words for infinity, and hexadecimal.
pub(crate) fn float(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1.0, text.get(1..)?),
        [b'+', ..] => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    let number = match digits.get(..2) {
        Some("0x" | "0X") => hexadecimal(digits.get(2..)?)?,
        // `parse` would take a second sign.
        _ if digits.starts_with(['+', '-']) => return None,
        _ => digits.parse::<f64>().ok()?,
    };
    let is_spelled = digits.bytes().any(|byte| byte == b'i' || byte == b'I');
    // What is too large for a number is no way to spell infinity.
    (!number.is_nan() && (number.is_finite() || is_spelled)).then_some(sign * number)
}

fn hexadecimal(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P']).map_or((digits, "0"), |(m, e)| (m, e));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars() {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut place = 1.0 / 16.0;
    for digit in fraction.chars() {
        number += f64::from(digit.to_digit(16)?) * place;
        place /= 16.0;
    }
    Some(number * 2f64.powi(exponent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: KV-Z-3
    #[test]
    fn numbers_are_spelled_as_in_c() {
        for (text, number) in [
            ("inf", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("-0x1.8p1", -3.0),
            ("+5", 5.0),
            ("1e3", 1000.0),
            (".5", 0.5),
        ] {
            assert_eq!(float(text.as_bytes()), Some(number), "{text}");
        }
        for text in ["", " 1", "1 ", "1_0", "1e400", "nan", "--1", "+-1", "0x", "one"] {
            assert_eq!(float(text.as_bytes()), None, "{text:?}");
        }
    }
}
