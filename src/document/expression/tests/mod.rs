#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]

use std::cmp::Ordering;

use bson::oid::ObjectId;
use bson::{Bson, DateTime, Decimal128, Document, RawDocumentBuf, Timestamp, bson, doc};
use proptest::prelude::*;

use super::{Context, Env, Expression, Names, Total};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::document::order::Order;
use crate::error::{Error, InvalidKind, Result};

mod dates;
mod functions;

/// The value of `text` over `document`; `None` when it is missing.
fn evaluate(text: impl Into<Bson>, document: &Document) -> Result<Option<Bson>> {
    let raw = RawDocumentBuf::try_from(document).unwrap();
    let expression = Expression::compile(&text.into(), &Names::default())?;
    let context = Context::new(DateTime::from_millis(1_000), 7, Vec::new());
    let value = expression.evaluate(&mut Env::new(&raw, &context))?.into_owned();
    Ok(value.map(|value| Bson::try_from(value).unwrap()))
}

fn value(text: impl Into<Bson>) -> Bson {
    evaluate(text, &doc! {}).unwrap().expect("a value")
}

fn over(text: impl Into<Bson>, document: Document) -> Option<Bson> {
    evaluate(text, &document).unwrap()
}

fn kind(text: impl Into<Bson>) -> InvalidKind {
    match evaluate(text, &doc! {}) {
        Err(Error::Invalid { kind, .. }) => kind,
        other => panic!("not invalid: {other:?}"),
    }
}

fn code(text: impl Into<Bson>) -> Code {
    let error = evaluate(text, &doc! {}).unwrap_err();
    Code::of(&error).unwrap_or_else(|| panic!("{error}"))
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse::<Decimal128>().unwrap())
}

fn date(text: &str) -> Bson {
    Bson::DateTime(DateTime::parse_rfc3339_str(text).unwrap())
}

#[test]
fn paths_lead_through_objects_and_the_objects_of_arrays() {
    let document = doc! { "a": { "b": 1 }, "c": [{ "d": 1 }, 5, { "d": 2 }, {}, [{ "d": 3 }]], "e": 7 };
    assert_eq!(over("$a.b", document.clone()), Some(bson!(1)));
    assert_eq!(over("$c.d", document.clone()), Some(bson!([1, 2])));
    assert_eq!(over("$c.0", document.clone()), Some(bson!([])), "a number is no position in an expression");
    assert_eq!(over("$e.x", document.clone()), None);
    assert_eq!(over("$zz", document.clone()), None);
    assert_eq!(over("$$ROOT.a.b", document.clone()), Some(bson!(1)));
    assert_eq!(over("$$CURRENT.e", document.clone()), Some(bson!(7)));
    assert_eq!(over("$$ROOT", document.clone()), Some(document.into()));
    assert_eq!(over("$$REMOVE", doc! {}), None);
}

#[test]
fn literals_objects_and_arrays_stand_for_themselves() {
    assert_eq!(value("text"), bson!("text"));
    assert_eq!(value(doc! { "$literal": "$a" }), bson!("$a"));
    assert_eq!(value(doc! { "$literal": { "$add": [1] } }), bson!({ "$add": [1] }));
    assert_eq!(
        over(doc! { "x": "$a", "y": "$zz", "z": { "w": 1 } }, doc! { "a": 5 }),
        Some(bson!({ "x": 5, "z": { "w": 1 } }))
    );
    assert_eq!(over(bson!(["$a", "$zz", 1]), doc! { "a": 5 }), Some(bson!([5, null, 1])));
}

// SEM: DOC-AGG-6
#[test]
fn arithmetic_widens_and_gives_null_for_null() {
    assert_eq!(value(doc! { "$add": [1, 2, 3] }), bson!(6));
    assert_eq!(value(doc! { "$add": [] }), bson!(0));
    assert_eq!(value(doc! { "$add": [i32::MAX, 1] }), bson!(i64::from(i32::MAX) + 1));
    assert_eq!(value(doc! { "$add": [i64::MAX, 1] }), bson!(9_223_372_036_854_775_808.0));
    assert_eq!(value(doc! { "$multiply": [2, 0.5] }), bson!(1.0));
    assert_eq!(value(doc! { "$multiply": [1i64 << 40, 1i64 << 40] }), bson!(2f64.powi(80)));
    assert_eq!(value(doc! { "$subtract": [5, 7i64] }), bson!(-2i64));
    assert_eq!(value(doc! { "$divide": [6, 3] }), bson!(2.0));
    assert_eq!(value(doc! { "$divide": [decimal("1.0"), 4] }), decimal("0.25"));
    assert_eq!(value(doc! { "$add": [decimal("0.1"), 1] }), decimal("1.1"));
    for operator in ["$add", "$multiply", "$subtract", "$divide", "$mod"] {
        assert_eq!(value(doc! { operator: [1, null] }), Bson::Null, "{operator}");
        assert_eq!(value(doc! { operator: ["$zz", 1] }), Bson::Null, "{operator}");
        assert_eq!(kind(doc! { operator: [1, "x"] }), InvalidKind::Type, "{operator}");
    }
}

// SEM: DOC-AGG-6
#[test]
fn dividing_by_zero_is_an_error() {
    for zero in [bson!(0), bson!(0i64), bson!(-0.0), decimal("0.00")] {
        assert_eq!(kind(doc! { "$divide": [1, zero.clone()] }), InvalidKind::Value);
        assert_eq!(kind(doc! { "$mod": [1, zero] }), InvalidKind::Value);
    }
}

#[test]
fn a_remainder_has_the_sign_of_the_dividend() {
    assert_eq!(value(doc! { "$mod": [-7, 3] }), bson!(-1));
    assert_eq!(value(doc! { "$mod": [7, -3i64] }), bson!(1i64));
    assert_eq!(value(doc! { "$mod": [-7.5, 2] }), bson!(-1.5));
    assert_eq!(value(doc! { "$mod": [i64::MIN, -1] }), bson!(0i64));
    assert_eq!(value(doc! { "$mod": [decimal("-7.5"), 2] }), decimal("-1.5"));
    assert_eq!(value(doc! { "$mod": [5, decimal("Infinity")] }), decimal("5"));
    assert_eq!(value(doc! { "$mod": [decimal("Infinity"), 5] }), decimal("NaN"));
}

#[test]
fn an_absolute_value_widens_where_it_must() {
    assert_eq!(value(doc! { "$abs": -3 }), bson!(3));
    assert_eq!(value(doc! { "$abs": [-2.5] }), bson!(2.5));
    assert_eq!(value(doc! { "$abs": i32::MIN }), bson!(1i64 << 31));
    assert_eq!(value(doc! { "$abs": decimal("-1.50") }), decimal("1.50"));
    assert_eq!(value(doc! { "$abs": null }), Bson::Null);
    assert_eq!(kind(doc! { "$abs": i64::MIN }), InvalidKind::Overflow);
}

#[test]
fn dates_move_by_milliseconds() {
    let noon = date("2026-03-01T12:00:00Z");
    let later = date("2026-03-01T12:00:01.500Z");
    assert_eq!(value(doc! { "$add": [noon.clone(), 1_500] }), later);
    assert_eq!(value(doc! { "$subtract": [later.clone(), 1_500] }), noon);
    assert_eq!(value(doc! { "$subtract": [later, noon.clone()] }), bson!(1_500i64));
    assert_eq!(kind(doc! { "$add": [noon.clone(), noon.clone()] }), InvalidKind::Type);
    assert_eq!(kind(doc! { "$add": [noon, i64::MAX] }), InvalidKind::Overflow);
}

// SEM: DOC-AGG-4
#[test]
fn comparisons_cross_types_and_do_not_look_into_arrays() {
    assert_eq!(value(doc! { "$gt": ["a", 5] }), bson!(true), "a filter would not match across types");
    assert_eq!(value(doc! { "$eq": [[1, 2], 1] }), bson!(false), "a filter would look at the elements");
    assert_eq!(value(doc! { "$eq": [1, 1.0] }), bson!(true));
    assert_eq!(value(doc! { "$cmp": [1, 2] }), bson!(-1));
    assert_eq!(value(doc! { "$lte": [null, false] }), bson!(true));
    assert_eq!(value(doc! { "$gt": ["$zz", null] }), bson!(false));
    assert_eq!(value(doc! { "$eq": ["$zz", null] }), bson!(false), "missing is not null in a comparison");
    assert_eq!(value(doc! { "$lt": ["$zz", null] }), bson!(true));
    assert_eq!(value(doc! { "$lt": [Bson::MinKey, "$zz"] }), bson!(true));
}

// SEM: DOC-AGG-5
#[test]
fn false_null_missing_and_zero_are_false_and_all_else_is_true() {
    let falsy =
        [bson!(false), bson!(null), Bson::Undefined, bson!("$zz"), bson!(0), bson!(0i64), bson!(-0.0), decimal("0.0")];
    for operand in falsy {
        assert_eq!(value(doc! { "$not": [operand.clone()] }), bson!(true), "{operand}");
    }
    for operand in
        [bson!(true), bson!(""), bson!([]), bson!({}), bson!(-1), bson!(f64::NAN), decimal("NaN"), Bson::MinKey]
    {
        assert_eq!(value(doc! { "$not": [operand.clone()] }), bson!(false), "{operand}");
    }
}

// SEM: DOC-AGG-5
#[test]
fn conditions_choose_and_stop_early() {
    assert_eq!(value(doc! { "$and": [] }), bson!(true));
    assert_eq!(value(doc! { "$or": [] }), bson!(false));
    let fails = doc! { "$divide": [1, 0] };
    assert_eq!(value(doc! { "$and": [0, fails.clone()] }), bson!(false));
    assert_eq!(value(doc! { "$or": [1, fails.clone()] }), bson!(true));
    assert_eq!(value(doc! { "$cond": [true, 1, fails.clone()] }), bson!(1));
    assert_eq!(value(doc! { "$cond": { "if": 0, "then": fails, "else": 2 } }), bson!(2));
    assert_eq!(value(doc! { "$ifNull": ["$zz", null, 3, 4] }), bson!(3));
    assert_eq!(value(doc! { "$ifNull": ["$zz", "none"] }), bson!("none"));
}

#[test]
fn text_is_joined_and_cased() {
    assert_eq!(value(doc! { "$concat": ["a", "b", "c"] }), bson!("abc"));
    assert_eq!(value(doc! { "$concat": ["a", null] }), Bson::Null);
    assert_eq!(kind(doc! { "$concat": ["a", 1] }), InvalidKind::Type);
    assert_eq!(value(doc! { "$toUpper": "aß1" }), bson!("Aß1"), "only ASCII letters have a defined case");
    assert_eq!(value(doc! { "$toLower": ["AbC"] }), bson!("abc"));
    assert_eq!(value(doc! { "$toLower": null }), bson!(""));
    assert_eq!(value(doc! { "$toUpper": 1.5 }), bson!("1.5"));
    assert_eq!(kind(doc! { "$toUpper": true }), InvalidKind::Type);
}

#[test]
fn values_become_text() {
    let id = ObjectId::parse_str("65f000000000000000000001").unwrap();
    for (operand, text) in [
        (bson!(true), "true"),
        (bson!(-5), "-5"),
        (bson!(2.5), "2.5"),
        (bson!(1.0), "1"),
        (bson!(1e21), "1e+21"),
        (bson!(1.5e-7), "1.5e-07"),
        (bson!(f64::NEG_INFINITY), "-Infinity"),
        (decimal("1.50"), "1.50"),
        (bson!(id), "65f000000000000000000001"),
        (date("2026-03-01T12:00:00Z"), "2026-03-01T12:00:00.000Z"),
        (bson!("x"), "x"),
    ] {
        assert_eq!(value(doc! { "$toString": operand }), bson!(text));
    }
    assert_eq!(value(doc! { "$toString": "$zz" }), Bson::Null);
    assert_eq!(kind(doc! { "$toString": [[1]] }), InvalidKind::Type);
}

#[test]
fn sums_and_extremes_look_at_arguments_or_into_one_array() {
    let document = doc! { "a": [1, 2.5, "x", null], "b": 4, "c": [] };
    assert_eq!(over(doc! { "$sum": "$a" }, document.clone()), Some(bson!(3.5)));
    assert_eq!(over(doc! { "$sum": ["$a", "$b", "$b"] }, document.clone()), Some(bson!(8)), "an array is no number");
    assert_eq!(over(doc! { "$sum": "$c" }, document.clone()), Some(bson!(0)));
    assert_eq!(over(doc! { "$avg": "$a" }, document.clone()), Some(bson!(1.75)));
    assert_eq!(over(doc! { "$avg": "$c" }, document.clone()), Some(Bson::Null));
    // Sums are exact where 64-bit integers do not fit a double: neither overflows, nor loses the last of both ends.
    assert_eq!(over(doc! { "$avg": [i64::MIN, i64::MAX] }, doc! {}), Some(bson!(-0.5)));
    assert_eq!(over(doc! { "$avg": [i64::MAX, i64::MAX] }, doc! {}), Some(bson!(9_223_372_036_854_775_807.0)));
    assert_eq!(over(doc! { "$avg": [i64::MIN, i64::MIN, 3i64] }, doc! {}), Some(bson!(-6_148_914_691_236_517_204.0)));
    assert_eq!(over(doc! { "$min": "$a" }, document.clone()), Some(bson!(1)));
    assert_eq!(over(doc! { "$max": "$a" }, document.clone()), Some(bson!("x")));
    assert_eq!(over(doc! { "$max": ["$zz", null] }, document), Some(Bson::Null));
}

// SEM: DOC-AGG-3
#[test]
fn dates_have_parts_and_text() {
    let moment = date("2026-03-01T23:04:05.006Z");
    for (operator, part) in [
        ("$year", 2026),
        ("$month", 3),
        ("$dayOfMonth", 1),
        ("$dayOfWeek", 1),
        ("$dayOfYear", 60),
        ("$hour", 23),
        ("$minute", 4),
        ("$second", 5),
        ("$millisecond", 6),
    ] {
        assert_eq!(value(doc! { operator: moment.clone() }), bson!(part), "{operator}");
    }
    assert_eq!(value(doc! { "$dayOfMonth": { "date": moment.clone(), "timezone": "+01:00" } }), bson!(2));
    assert_eq!(value(doc! { "$hour": { "date": moment.clone(), "timezone": "-0530" } }), bson!(17));
    assert_eq!(value(doc! { "$year": Bson::Timestamp(Timestamp { time: 0, increment: 1 }) }), bson!(1970));
    assert_eq!(value(doc! { "$year": null }), Bson::Null);
    assert_eq!(kind(doc! { "$year": "2026" }), InvalidKind::Type);

    let text = |format: &str, zone: &str| {
        value(doc! { "$dateToString": { "date": moment.clone(), "format": format, "timezone": zone } })
    };
    assert_eq!(
        text("%Y-%m-%d %H:%M:%S.%L %j %w %u %G-%V %z %Z %%", "UTC"),
        bson!("2026-03-01 23:04:05.006 060 1 7 2026-09 +0000 0 %")
    );
    assert_eq!(text("%Y-%m-%d %z %Z", "-05:30"), bson!("2026-03-01 -0530 -330"));
    assert_eq!(value(doc! { "$dateToString": { "date": moment.clone() } }), bson!("2026-03-01T23:04:05.006Z"));
    assert_eq!(value(doc! { "$dateToString": { "date": null, "onNull": "never" } }), bson!("never"));
}

// SEM: DOC-AGG-11
#[test]
fn a_date_without_a_year_of_four_digits_has_no_text() {
    for millis in [i64::MIN, i64::MAX] {
        let date = Bson::DateTime(DateTime::from_millis(millis));
        assert_eq!(kind(doc! { "$toString": date }), InvalidKind::Value);
    }
    let before_christ = Bson::DateTime(DateTime::from_millis(-70_000_000_000_000));
    assert_eq!(kind(doc! { "$dateToString": { "date": before_christ } }), InvalidKind::Value);
}

#[test]
fn sizes_of_values_in_bytes_and_extremes_of_arrays() {
    let cases = [
        (doc! { "$bsonSize": { "x": 1 } }, bson!(12)),
        (doc! { "$bsonSize": null }, Bson::Null),
        (doc! { "$binarySize": "h\u{e9}" }, bson!(3)),
        (doc! { "$maxN": { "input": [3, null, 5, 4], "n": 2 } }, bson!([5, 4])),
        (doc! { "$minN": { "input": [3, 1, null], "n": 2 } }, bson!([1, 3])),
        (doc! { "$stdDevPop": [2, 4, 4, 4, 5, 5, 7, 9] }, bson!(2.0)),
        (doc! { "$stdDevSamp": [1] }, Bson::Null),
        (doc! { "$median": { "input": [1, 2, 3, "x"], "method": "approximate" } }, bson!(2.0)),
        (doc! { "$percentile": { "input": [1, 2, 3, 4, 5], "p": [0.5], "method": "approximate" } }, bson!([3.0])),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text.clone()), expected, "{text}");
    }
}

#[test]
fn sigmoids_and_angles() {
    let cases = [
        (doc! { "$sigmoid": 0 }, bson!(0.5)),
        (doc! { "$sigmoid": f64::NEG_INFINITY }, bson!(0.0)),
        (doc! { "$sigmoid": decimal("0.5") }, decimal("0.6224593312018545646389005657455087")),
        (doc! { "$sigmoid": decimal("-Infinity") }, decimal("0E-6176")),
        (doc! { "$sigmoid": decimal("Infinity") }, decimal("1")),
        (doc! { "$sigmoid": decimal("1E-6176") }, decimal("0.5")),
        (doc! { "$sin": 0 }, bson!(0.0)),
        (doc! { "$atan2": [1, 0] }, bson!(std::f64::consts::FRAC_PI_2)),
        (doc! { "$cos": null }, Bson::Null),
        (doc! { "$ceil": decimal("Infinity") }, decimal("NaN")),
        (doc! { "$trunc": [decimal("1.1"), 2] }, decimal("1.10")),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text.clone()), expected, "{text}");
    }
    let mistakes = [
        (doc! { "$sigmoid": [1] }, 14),
        (doc! { "$asin": 2 }, 50_989),
        (doc! { "$sin": f64::INFINITY }, 50_989),
        (doc! { "$acosh": 0 }, 50_989),
        (doc! { "$sin": "x" }, 28_765),
        (doc! { "$round": [1, f64::NAN] }, 31_109),
    ];
    for (text, number) in mistakes {
        let error = evaluate(text.clone(), &doc! {}).unwrap_err();
        assert_eq!(Code::of(&error).map(Code::number), Some(number), "{text}");
    }
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    for (text, named) in [
        (bson!({ "$function": {} }), "expression operator $function"),
        (bson!({ "$meta": "textScore" }), "expression operator $meta"),
        (bson!("$$CLUSTER_TIME"), "variable $$CLUSTER_TIME"),
    ] {
        let error = Expression::compile(&text, &Names::default()).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature == named), "{text}: {error}");
    }
}

#[test]
fn malformed_expressions_are_found_when_compiling() {
    for text in [
        bson!("$"),
        bson!("$a..b"),
        bson!("$a.$b"),
        bson!({ "$add": [1], "$abs": 1 }),
        bson!({ "$subtract": [1] }),
        bson!({ "$not": [1, 2] }),
        bson!({ "$cond": [1, 2] }),
        bson!({ "$cond": { "if": 1, "then": 2 } }),
        bson!({ "$dateToString": [] }),
        bson!({ "$dateToString": { "format": "%Y" } }),
        bson!({ "a.b": 1 }),
        bson!({ "a": 1, "$b": 1 }),
    ] {
        assert!(
            matches!(
                Expression::compile(&text, &Names::default()),
                Err(Error::Invalid { kind: InvalidKind::Syntax, .. })
            ),
            "{text}"
        );
    }
    let deep = (0..101).fold(bson!("$a"), |inner, _| bson!({ "$not": [inner] }));
    assert!(matches!(Expression::compile(&deep, &Names::default()), Err(Error::LimitExceeded { .. })));
}

/// A sum that neither overflows nor rounds until the end.
fn total(values: &[Bson]) -> Total {
    let mut total = Total::default();
    for value in values {
        total.add(bson::RawBson::try_from(value.clone()).unwrap().as_raw_bson_ref());
    }
    total
}

// SEM: DOC-AGG-7
#[test]
fn sums_carry_their_rounding_errors_along() {
    let tenths = vec![bson!(0.1); 10];
    assert_eq!(Bson::from(total(&tenths).sum()), bson!(1.0));
    let cancelling = [bson!(1e100), bson!(1.0), bson!(-1e100)];
    assert_eq!(Bson::from(total(&cancelling).sum()), bson!(1.0));
    assert_eq!(Bson::from(total(&[bson!(f64::MAX), bson!(f64::MAX)]).sum()), bson!(f64::INFINITY));
    assert_eq!(Bson::from(total(&[bson!(f64::INFINITY), bson!(1.0)]).sum()), bson!(f64::INFINITY));
    let undefined = Bson::from(total(&[bson!(f64::INFINITY), bson!(f64::NEG_INFINITY)]).sum());
    assert!(undefined.as_f64().unwrap().is_nan());
}

// SEM: DOC-AGG-20
#[test]
fn a_decimal_that_is_no_number_keeps_its_sign() {
    let mut bytes = [0; 16];
    bytes[15] = 0xfc;
    let negative = Bson::Decimal128(Decimal128::from_bytes(bytes));
    let signs = |values: &[Bson]| {
        let total = total(values);
        [total.sum(), total.average().unwrap()].map(|number| match number {
            Number::Decimal(decimal) => decimal.bytes()[15] & 0x80 != 0,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(signs(&[negative.clone(), decimal("1")]), [true, true]);
    assert_eq!(signs(&[decimal("NaN"), negative]), [false, false]);
}

// SEM: DOC-AGG-7
#[test]
fn sums_have_the_widest_type_and_decimals_are_exact() {
    let sum = |values: &[Bson]| Bson::from(total(values).sum());
    assert_eq!(sum(&[]), bson!(0));
    assert_eq!(sum(&[bson!("x"), bson!(null)]), bson!(0));
    assert_eq!(sum(&[bson!(1), bson!(2)]), bson!(3));
    assert_eq!(sum(&[bson!(1), bson!(2i64)]), bson!(3i64));
    assert_eq!(sum(&[bson!(i32::MAX), bson!(1)]), bson!(1i64 << 31));
    assert_eq!(sum(&[bson!(i64::MAX), bson!(1)]), bson!(2f64.powi(63)));
    assert_eq!(sum(&[bson!(i64::MAX), bson!(1), bson!(-1)]), bson!(i64::MAX), "the sum fits, whatever the way there");
    assert_eq!(sum(&[bson!(1), bson!(0.5)]), bson!(1.5));
    assert_eq!(sum(&[decimal("0.10"), decimal("0.20")]), decimal("0.30"));
    assert_eq!(sum(&[decimal("1E+33"), decimal("0.4"), decimal("0.6")]), decimal("1000000000000000000000000000000001"));
    assert_eq!(sum(&[decimal("1"), bson!(2), bson!(0.5)]), decimal("3.5"));
    assert_eq!(sum(&[decimal("NaN"), bson!(1)]), decimal("NaN"));
    assert_eq!(sum(&[decimal("-Infinity"), bson!(1.0)]), decimal("-Infinity"));
    let average = |values: &[Bson]| total(values).average().map(Bson::from);
    assert_eq!(average(&[bson!("x")]), None);
    assert_eq!(average(&[bson!(1), bson!(2)]), Some(bson!(1.5)));
    assert_eq!(average(&[decimal("1"), bson!(2)]), Some(decimal("1.5")));
}

fn any_value() -> impl Strategy<Value = Bson> {
    prop_oneof![
        Just(Bson::Null),
        any::<bool>().prop_map(Bson::Boolean),
        (-2..3i32).prop_map(Bson::Int32),
        (-2..3i64).prop_map(Bson::Int64),
        (-4..5i32).prop_map(|half| Bson::Double(f64::from(half) / 2.0)),
        (-20..20i32).prop_map(|tenth| decimal(&format!("{tenth}E-1"))),
        "[ab]{0,2}".prop_map(Bson::String),
        prop::collection::vec((-1..2i32).prop_map(Bson::Int32), 0..3).prop_map(Bson::Array),
    ]
}

proptest! {
    // SEM: DOC-AGG-4
    #[test]
    fn comparisons_follow_the_order_of_values(a in any_value(), b in any_value()) {
        let order = Order::SIMPLE.compare_bson(&a, &b);
        let document = doc! { "a": a, "b": b };
        for (operator, expected) in [
            ("$eq", order == Ordering::Equal),
            ("$ne", order != Ordering::Equal),
            ("$gt", order == Ordering::Greater),
            ("$gte", order != Ordering::Less),
            ("$lt", order == Ordering::Less),
            ("$lte", order != Ordering::Greater),
        ] {
            prop_assert_eq!(over(doc! { operator: ["$a", "$b"] }, document.clone()), Some(expected.into()));
        }
    }

    // SEM: DOC-AGG-7
    #[test]
    fn integer_sums_are_those_of_wide_integers(values in prop::collection::vec(any::<i64>(), 0..9)) {
        let exact: i128 = values.iter().map(|value| i128::from(*value)).sum();
        let sum = Bson::from(total(&values.iter().copied().map(Bson::Int64).collect::<Vec<_>>()).sum());
        match i64::try_from(exact) {
            Ok(_) if values.is_empty() => prop_assert_eq!(sum, bson!(0)),
            Ok(exact) => prop_assert_eq!(sum, bson!(exact)),
            // The text of an integer reads as the nearest double.
            Err(_) => prop_assert_eq!(sum, bson!(exact.to_string().parse::<f64>().unwrap())),
        }
    }

    // SEM: DOC-AGG-7
    #[test]
    fn sums_do_not_depend_on_the_order_of_cents(cents in prop::collection::vec(-100_000i32..100_000, 0..50)) {
        let exact = f64::from(cents.iter().sum::<i32>()) / 100.0;
        let mut values: Vec<_> = cents.iter().map(|cent| Bson::Double(f64::from(*cent) / 100.0)).collect();
        let forwards = total(&values).sum().as_f64();
        values.reverse();
        // Both are within a rounding of the exact sum; plain addition drifts further with every value.
        prop_assert!((forwards - total(&values).sum().as_f64()).abs() < 1e-11);
        prop_assert!((forwards - exact).abs() < 1e-11);
    }
}
