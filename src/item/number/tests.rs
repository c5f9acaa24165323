use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;
use crate::encoding::ordered::Reader;

fn number(text: &str) -> Number {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> Fault {
    text.parse::<Number>().unwrap_err().item_fault().unwrap().clone()
}

/// What the service makes of a number that was computed without bounds.
fn bounded(exact: &BigDecimal) -> Result<Number, Fault> {
    let (digits, scale) = exact.normalized().into_bigint_and_exponent();
    let text = digits.magnitude().to_string();
    let magnitude = i64::try_from(text.len()).unwrap() - scale - 1;
    if text == "0" {
        Ok(Number::default())
    } else if text.len() > 38 {
        Err(Fault::NumberTooPrecise)
    } else if magnitude > 125 {
        Err(Fault::NumberOverflow)
    } else if magnitude < -130 {
        Err(Fault::NumberUnderflow)
    } else {
        Ok(number(&exact.to_string()))
    }
}

fn exact(number: Number) -> BigDecimal {
    number.to_string().parse().unwrap()
}

/// Numbers of few digits around zero, of any digits anywhere, and of the most digits.
fn numbers() -> impl Strategy<Value = Number> {
    let made = |coefficient: i128, exponent: i64| {
        Number::from_parts(coefficient < 0, coefficient.unsigned_abs() % COEFFICIENT_END, exponent).ok()
    };
    prop_oneof![
        (-30i128..30, -2i64..3).prop_filter_map("range", move |(n, e)| made(n, e)),
        (any::<i64>(), -120i64..100).prop_filter_map("range", move |(n, e)| made(n.into(), e)),
        (any::<i128>(), -40i64..40).prop_filter_map("range", move |(n, e)| made(n, e)),
        (any::<i128>(), -170i64..126).prop_filter_map("range", move |(n, e)| made(n, e)),
        (0..2i64, 36u32..39, -1i64..2, -3i64..3).prop_filter_map("range", move |(a, power, b, e)| made(
            i128::from(a) * 10i128.pow(power) + i128::from(b),
            e
        )),
    ]
}

fn key(number: &Number) -> Vec<u8> {
    let mut key = Vec::new();
    put_key(&mut key, number);
    key
}

fn record(number: &Number) -> Vec<u8> {
    let mut record = Vec::new();
    put_record(&mut record, number);
    record
}

#[test] // SEM: ITM-TYP-2
fn zeros_at_either_end_and_the_sign_of_zero_are_trimmed() {
    for (text, printed) in [
        ("1", "1"),
        ("1.0", "1"),
        ("01", "1"),
        ("01.500", "1.5"),
        ("-0", "0"),
        ("-0.00e7", "0"),
        ("0e125", "0"),
        ("+12e1", "120"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-1.5E-3", "-0.0015"),
        ("0.1e-5", "0.000001"),
        ("1001", "1001"),
        ("100.001", "100.001"),
    ] {
        assert_eq!(number(text).to_string(), printed, "{text}");
    }
    assert_eq!(number("1E125").to_string().len(), 126, "printed plainly");
    assert_eq!(number("100"), Number::from(100));
}

#[test] // SEM: ITM-TYP-2
fn thirty_eight_digits_count_after_trimming() {
    let digits = "12345678901234567890123456789012345678";
    assert_eq!(number(digits).to_string(), digits);
    assert_eq!(number(&format!("{digits}0")).to_string(), format!("{digits}0"));
    assert_eq!(number(&format!("0.0{digits}00")).to_string(), format!("0.0{digits}"));
    assert_eq!(refused(&format!("{digits}1")), Fault::NumberTooPrecise);
    assert_eq!(refused(&format!("1{}1", "0".repeat(37))), Fault::NumberTooPrecise);
    assert_eq!(refused(&format!("1{}1", "0".repeat(100_000))), Fault::NumberTooPrecise);
}

#[test] // SEM: ITM-TYP-2
fn the_range_ends_where_the_manual_says() {
    let nines = format!("9.{}E+125", "9".repeat(37));
    assert_eq!(number(&nines).to_string(), format!("{}{}", "9".repeat(38), "0".repeat(88)));
    number("1E-130");
    number("-1E-130");
    for above in ["1E126", "-1E126", "1e2147483648", "1e99999999999", "-1e99999999999", "0e126"] {
        assert_eq!(refused(above), Fault::NumberOverflow, "{above}");
    }
    for below in ["1E-131", "9.9E-131", "-1e-99999999999", "0e-131"] {
        assert_eq!(refused(below), Fault::NumberUnderflow, "{below}");
    }
}

#[test] // SEM: ITM-TYP-2
fn other_text_is_no_number() {
    let texts =
        ["", "-", ".", "1_000", " 1", "1 ", "0x1", "NaN", "Infinity", "1e", "1e+", "e1", "1.2.3", "--1", "1e1.5"];
    for text in texts.into_iter().chain(["1e9223372036854775808", "0e99999999999999999999", "١"]) {
        assert_eq!(refused(text), Fault::NotANumber(text.into()));
    }
}

#[test]
fn floats_become_their_shortest_decimal() {
    assert_eq!(Number::try_from(0.1).unwrap(), number("0.1"));
    assert_eq!(Number::try_from(-0.0).unwrap(), number("0"));
    assert_eq!(Number::try_from(1e125).unwrap(), number("1e125"));
    for beyond in [f64::NAN, f64::INFINITY, 1e126, f64::MIN_POSITIVE] {
        assert!(Number::try_from(beyond).is_err(), "{beyond}");
    }
}

#[test]
fn wide_integers_come_back() {
    assert_eq!(Number::try_from(-170 * 10i128.pow(36)).unwrap().to_i128(), Some(-170 * 10i128.pow(36)));
    assert_eq!(Number::try_from(u128::MAX).unwrap_err().item_fault(), Some(&Fault::NumberTooPrecise));
    assert_eq!(number("0.5").to_u128(), None);
    assert_eq!(number("-1").to_u128(), None);
}

#[test] // SEM: ITM-LIM-1
fn size_counts_pairs_of_digits_on_each_side_of_the_point() {
    for (text, bytes) in
        [("0", 1), ("27", 2), ("-27", 3), ("461", 3), ("1E125", 2), ("100", 2), ("1.5", 3), ("0.05", 2), ("100.25", 4)]
    {
        assert_eq!(number(text).size_bytes(), bytes, "{text}");
    }
}

#[test]
fn the_worked_examples_are_what_is_stored() {
    assert_eq!(key(&number("12.5")), [0x03, 0x83, 0x0d, 0x33, 0x00]);
    assert_eq!(key(&number("-1")), [0x01, 0x7d, 0xf4, 0xff]);
    assert_eq!(record(&number("0")), [0x00]);
    assert_eq!(record(&number("5")), [0x01, 0x05]);
    assert_eq!(record(&number("12.5")), [0x21, 0xff, 0x7d]);
    assert_eq!(size_of::<Number>(), 24);
}

proptest! {
    #[test]
    fn printing_and_reading_gives_the_number_back(a in numbers()) {
        prop_assert_eq!(number(&a.to_string()), a);
    }

    #[test]
    fn reading_agrees_with_arbitrary_precision(digits in "-?[0-9]{1,45}(\\.[0-9]{1,45})?", exponent in -200i64..200) {
        let text = format!("{digits}e{exponent}");
        let exact: BigDecimal = text.parse().unwrap();
        let found = text.parse::<Number>().map_err(|error| error.item_fault().unwrap().clone());
        // Zero is as large as its exponent.
        if found.is_ok() || exact.sign() != bigdecimal::num_bigint::Sign::NoSign {
            prop_assert_eq!(found, bounded(&exact));
        }
    }

    #[test]
    fn order_agrees_with_arbitrary_precision(a in numbers(), b in numbers()) {
        prop_assert_eq!(a.cmp(&b), exact(a).cmp(&exact(b)));
        prop_assert_eq!(a == b, exact(a) == exact(b));
        prop_assert_eq!(a.cmp(&a), std::cmp::Ordering::Equal);
    }

    #[test]
    fn arithmetic_agrees_with_arbitrary_precision(a in numbers(), b in numbers()) {
        prop_assert_eq!(a.checked_add(b), bounded(&(exact(a) + exact(b))));
        prop_assert_eq!(a.checked_sub(b), bounded(&(exact(a) - exact(b))));
    }

    #[test]
    fn a_key_comes_back_and_byte_order_is_numeric_order(a in numbers(), b in numbers(), tail: u8) {
        prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        let mut bytes = key(&a);
        bytes.push(tail);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(take_key(&mut reader).unwrap(), a);
        prop_assert_eq!(reader.rest(), &[tail]);
    }

    #[test]
    fn a_record_comes_back(a in numbers(), tail: u8) {
        let mut bytes = record(&a);
        bytes.push(tail);
        prop_assert_eq!(take_record(&bytes).unwrap(), (a, &[tail][..]));
        prop_assert_eq!(skip_record(&bytes).unwrap(), &[tail]);
    }

    #[test]
    fn bytes_that_are_read_are_the_only_ones(
        head in prop_oneof![0u8..4, 0x20u8..0x24, 0x40u8..0x44, 0x80u8..0x84],
        rest in prop::collection::vec(prop_oneof![0u8..12, 0x7cu8..0x86, 0xf0u8..], 0..8),
    ) {
        let bytes = [&[head][..], &rest].concat();
        let mut reader = Reader::new(&bytes);
        if let Ok(number) = take_key(&mut reader) {
            prop_assert_eq!(key(&number), &bytes[..bytes.len() - reader.rest().len()]);
        }
        if let Ok((number, rest)) = take_record(&bytes) {
            prop_assert_eq!(record(&number), &bytes[..bytes.len() - rest.len()]);
        }
    }

    #[test]
    fn integers_come_back(a: i64, b: u64) {
        prop_assert_eq!(Number::from(a).to_i64(), Some(a));
        prop_assert_eq!(Number::from(b).to_u64(), Some(b));
        prop_assert_eq!(Number::from(a), number(&a.to_string()));
    }

    #[test]
    fn floats_in_range_come_back(a in -1e100..1e100) {
        prop_assert_eq!(Number::try_from(a).unwrap().to_f64().total_cmp(&a), std::cmp::Ordering::Equal);
    }
}
