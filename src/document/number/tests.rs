use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Number {
    Number::Decimal(text.parse().unwrap())
}

fn text(number: Number) -> String {
    match number {
        Number::Decimal(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

// SEM: DOC-ORD-2
#[test]
fn integers_and_doubles_compare_exactly_past_2_to_53() {
    let (int, double) = (Number::Int64((1 << 53) + 1), Number::Double(9_007_199_254_740_992.0));
    assert_eq!(int.compare(double), Ordering::Greater);
    assert_eq!(double.compare(int), Ordering::Less);
    assert_eq!(Number::Int64(i64::MAX).compare(Number::Double(TWO_TO_63)), Ordering::Less);
    assert_eq!(Number::Int64(i64::MIN).compare(Number::Double(-TWO_TO_63)), Ordering::Equal);
    assert_eq!(decimal("0.1").compare(Number::Double(0.1)), Ordering::Less);
}

// SEM: DOC-ORD-3
#[test]
fn nan_is_lowest_and_zeros_are_equal() {
    for nan in [Number::Double(f64::NAN), decimal("NaN")] {
        assert_eq!(nan.compare(Number::Double(f64::NAN)), Ordering::Equal);
        for other in [Number::Double(f64::NEG_INFINITY), decimal("-Infinity"), Number::Int32(0)] {
            assert_eq!(nan.compare(other), Ordering::Less);
            assert_eq!(other.compare(nan), Ordering::Greater);
        }
    }
    assert_eq!(Number::Double(-0.0).compare(decimal("0E+5")), Ordering::Equal);
    assert_eq!(decimal("1.00").compare(Number::Int32(1)), Ordering::Equal);
    assert_eq!(decimal("Infinity").compare(Number::Double(f64::INFINITY)), Ordering::Equal);
    assert_eq!(decimal("9E+6111").compare(Number::Double(f64::INFINITY)), Ordering::Less);
}

// SEM: DOC-AGG-6, DOC-UPD-5
#[test]
fn results_widen_to_the_narrowest_type_that_holds_them() {
    assert_eq!(Number::Int32(2).add(Number::Int32(3)), Number::Int32(5));
    assert_eq!(Number::Int32(i32::MAX).add(Number::Int32(1)), Number::Int64(2_147_483_648));
    assert_eq!(Number::Int32(2).multiply(Number::Int64(3)), Number::Int64(6));
    assert_eq!(Number::Int64(i64::MAX).add(Number::Int32(1)), Number::Double(TWO_TO_63));
    assert_eq!(Number::Int64(i64::MAX).checked_add(Number::Int32(1)), None);
    assert_eq!(Number::Int64(i64::MIN).checked_subtract(Number::Int32(1)), None);
    assert_eq!(Number::Int64(i64::MAX).checked_multiply(Number::Int32(2)), None);
    assert_eq!(Number::Int32(3).subtract(Number::Double(0.5)), Number::Double(2.5));
    assert_eq!(Number::Int32(6).divide(Number::Int32(4)), Some(Number::Double(1.5)));
    assert_eq!(Number::Int32(6).divide(decimal("-0")), None);
}

// SEM: ALL-1
#[test]
fn decimals_keep_their_exponents_and_round_half_to_even() {
    assert_eq!(text(decimal("1.10").add(decimal("2.20"))), "3.30");
    assert_eq!(text(decimal("1.20").multiply(Number::Int32(2))), "2.40");
    assert_eq!(text(decimal("6.00").divide(Number::Int32(2)).unwrap()), "3.00");
    assert_eq!(text(decimal("1").divide(decimal("8")).unwrap()), "0.125");
    assert_eq!(text(decimal("1").divide(decimal("3")).unwrap()), "0.3333333333333333333333333333333333");
    assert_eq!(text(decimal("-2").divide(decimal("3")).unwrap()), "-0.6666666666666666666666666666666667");
    let nines = "9".repeat(34);
    assert_eq!(text(decimal(&nines).add(decimal("0.5"))), "1.000000000000000000000000000000000E+34");
    assert_eq!(text(decimal(&nines).add(decimal("0.4"))), nines);
    assert_eq!(text(decimal("2").subtract(Number::Double(0.1))), "1.900000000000000");
}

// SEM: ALL-1
#[test]
fn decimal_specials_follow_the_standard() {
    assert_eq!(text(decimal("Infinity").add(Number::Int32(1))), "Infinity");
    assert_eq!(text(decimal("Infinity").subtract(decimal("Infinity"))), "NaN");
    assert_eq!(text(decimal("-Infinity").multiply(Number::Int32(-2))), "Infinity");
    assert_eq!(text(decimal("Infinity").multiply(Number::Int32(0))), "NaN");
    assert_eq!(text(decimal("1").divide(decimal("Infinity")).unwrap()), "0");
    assert_eq!(text(decimal("9E+6111").multiply(decimal("1E+40"))), "Infinity");
    assert_eq!(text(decimal("1E-6176").divide(Number::Int32(4)).unwrap()), "0E-6176");
    assert_eq!(text(decimal("-0").add(decimal("-0"))), "-0");
    assert_eq!(text(decimal("1").add(decimal("-1"))), "0");
}

#[test]
fn an_integer_that_a_double_holds_needs_no_exact_part() {
    for n in [0, -7, 1 << 53, -(1 << 60), i64::MIN] {
        assert_eq!(Number::Int64(n).truncate().exact, None, "{n}");
    }
    for n in [(1 << 53) + 1, i64::MIN + 1, i64::MAX] {
        assert!(Number::Int64(n).truncate().exact.is_some(), "{n}");
    }
}

#[test]
fn integers_are_told_from_fractions() {
    assert_eq!(decimal("1E+3").as_i64(), Some(1_000));
    assert_eq!(decimal("1E+6000").as_i64(), None);
    assert_eq!(decimal("1.5").as_i64(), None);
    assert_eq!(Number::Double(-3.0).as_i64(), Some(-3));
    assert_eq!(Number::Double(TWO_TO_63).as_i64(), None);
    assert_eq!(Number::Double(f64::NAN).as_i64(), None);
}

fn parts() -> impl Strategy<Value = (i128, i64)> {
    let coefficient = prop_oneof![-200i128..200, -(10i128.pow(34) - 1)..10i128.pow(34)];
    (coefficient, prop_oneof![-40i64..40, -6_176i64..=6_111])
}

proptest! {
    #[test]
    fn unpacking_and_packing_a_decimal_gives_its_bytes_back((coefficient, exponent) in parts()) {
        let packed: Decimal128 = format!("{coefficient}E{exponent}").parse().unwrap();
        prop_assert_eq!(Decimal::unpack(packed).pack().bytes(), packed.bytes());
    }

    #[test]
    fn truncation_brackets_the_value(
        number in prop_oneof![
            any::<i64>().prop_map(Number::Int64),
            any::<f64>().prop_map(Number::Double),
            parts().prop_map(|(c, e)| decimal(&format!("{c}E{e}"))),
        ],
    ) {
        let Truncated { toward_zero, exact } = number.truncate();
        let order = Number::Double(toward_zero).compare(number);
        if exact.is_none() {
            prop_assert_eq!(order, Ordering::Equal);
        } else {
            let negative = number.compare(Number::Int32(0)).is_lt();
            prop_assert_eq!(order, if negative { Ordering::Greater } else { Ordering::Less });
            let away = f64::from_bits(toward_zero.to_bits() + 1);
            let away = if negative && toward_zero == 0.0 { -away } else { away };
            prop_assert_eq!(Number::Double(away).compare(number), order.reverse());
        }
    }
}

fn dec(text: &str) -> Number {
    Number::Decimal(text.parse().unwrap())
}

fn shown(number: Number) -> String {
    match number {
        Number::Decimal(decimal) => decimal.to_string(),
        other => panic!("no decimal: {other:?}"),
    }
}

/// Expected digits: computed by another library with 80 digits.
#[test]
fn functions_of_decimals_have_34_digits() {
    let cases = [
        (dec("1").exp(), "2.718281828459045235360287471352662"),
        (dec("-0.5").exp(), "0.6065306597126334236037995349911805"),
        (dec("0").exp(), "1"),
        (dec("1E-6176").exp(), "1.000000000000000000000000000000000"),
        (dec("20000").exp(), "Infinity"),
        (dec("-20000").exp(), "0E-6176"),
        (dec("2").ln(), "0.6931471805599453094172321214581766"),
        (dec("10").ln(), "2.302585092994045684017991454684364"),
        (dec("1").ln(), "0"),
        (dec("1.000000000000000000000000000000001").ln(), "9.999999999999999999999999999999995E-34"),
        (dec("1E-6176").log10(), "-6176"),
        (dec("1000").log10(), "3"),
        (dec("2").log10(), "0.3010299956639811952137388947244930"),
        (dec("1.5").power(Number::Int32(2)), "2.25"),
        (dec("2").power(dec("0.5")), "1.414213562373095048801688724209698"),
        (dec("-2").power(Number::Int32(3)), "-8"),
        (dec("-2").power(dec("0.5")), "NaN"),
        (dec("2").power(Number::Int32(-1)), "0.5"),
        (dec("1").sin().unwrap(), "0.8414709848078965066525023216302990"),
        (dec("1").cos().unwrap(), "0.5403023058681397174009366074429766"),
        (dec("1").tan().unwrap(), "1.557407724654902230506974807458360"),
        (dec("1000000").sin().unwrap(), "-0.3499935021712929521176524867807715"),
        (dec("1").atan(), "0.7853981633974483096156608458198757"),
        (dec("0.5").asin(), "0.5235987755982988730771072305465838"),
        (dec("0.5").acos(), "1.047197551196597746154214461093168"),
        (dec("1").sinh(), "1.175201193643801456882381850595601"),
        (dec("1").cosh(), "1.543080634815243778477905620757062"),
        (dec("1").tanh(), "0.7615941559557648881194582826047936"),
        (dec("1").asinh(), "0.8813735870195430252326093249797923"),
        (dec("2").acosh(), "1.316957896924816708625046347307968"),
        (dec("0.5").atanh(), "0.5493061443340548456976226184612629"),
        (dec("180").to_radians(), "3.141592653589793238462643383279503"),
    ];
    for (place, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(shown(found), expected, "case {place}");
    }
    assert!(dec("1E+41").sin().is_none());
    assert!(shown(dec("-1").atan2(dec("-1"))).starts_with("-2.356194490192344928846982537459627"));
}
