use bson::oid::ObjectId;
use bson::raw::CString;
use bson::{Binary, DateTime, JavaScriptCodeWithScope, RawDocumentBuf, Regex, doc};
use proptest::prelude::*;

use super::*;

fn regex(pattern: &str, options: &str) -> Bson {
    let text = |text: &str| CString::try_from(text).unwrap();
    Bson::RegularExpression(Regex { pattern: text(pattern), options: text(options) })
}

fn binary(subtype: u8, bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: subtype.into(), bytes: bytes.to_vec() })
}

fn scoped(code: &str, scope: Document) -> Bson {
    Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: code.into(), scope })
}

/// Values of every class, few of each so that ties are common.
pub(crate) fn value() -> impl Strategy<Value = Bson> {
    let text = prop_oneof![Just(""), Just("a"), Just("a\0"), Just("a\0b"), Just("ab"), Just("b"), Just("\u{ff}")];
    let scalar = prop_oneof![
        Just(Bson::MinKey),
        Just(Bson::MaxKey),
        Just(Bson::Null),
        Just(Bson::Undefined),
        number(),
        number(),
        text.clone().prop_map(|text| Bson::String(text.into())),
        Just(Bson::Symbol("a".into())),
        (0u8..3, prop::collection::vec(any::<u8>(), 0..3)).prop_map(|(subtype, bytes)| {
            // Subtype 2 carries an inner length that is not part of its bytes.
            binary(if subtype == 2 { 5 } else { subtype }, &bytes)
        }),
        any::<bool>().prop_map(|bit| Bson::ObjectId(ObjectId::from_bytes([u8::from(bit); 12]))),
        any::<bool>().prop_map(Bson::Boolean),
        (-2i64..3).prop_map(|ms| Bson::DateTime(DateTime::from_millis(ms))),
        (0u32..2, 0u32..2).prop_map(|(time, increment)| Bson::Timestamp(Timestamp { time, increment })),
        (prop_oneof![Just("a"), Just("ab")], prop_oneof![Just(""), Just("i")]).prop_map(|(p, o)| regex(p, o)),
        text.prop_map(|text| Bson::JavaScriptCode(text.into())),
        (0i32..2).prop_map(|n| scoped("a", doc! { "x": n })),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
            prop::collection::vec((prop_oneof![Just("a"), Just("ab"), Just("b")], inner), 0..3).prop_map(|fields| {
                Bson::Document(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Numbers of all four types around the places where they meet.
pub(crate) fn number() -> impl Strategy<Value = Bson> {
    let near = prop_oneof![Just(0i64), Just(1 << 53), Just(i64::MAX), Just(i64::MIN), Just(-(1 << 60))];
    let decimals = prop_oneof![
        Just("NaN"),
        Just("Infinity"),
        Just("-Infinity"),
        Just("-0"),
        Just("0.1"),
        Just("0.10"),
        Just("-0.1"),
        Just("1E-6000"),
        Just("-1E-6000"),
        Just("1E+6000"),
        Just("-1E+6000"),
        Just("9007199254740993"),
        Just("9007199254740992.5"),
        Just("1"),
    ];
    let doubles = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        Just(0.1),
        Just(-0.1),
        Just(5e-324),
        Just(f64::MAX),
        Just(9_007_199_254_740_992.0),
        Just(9_223_372_036_854_775_808.0),
        -2.0..2.0,
    ];
    prop_oneof![
        (-2i32..3).prop_map(Bson::Int32),
        (near, -2i64..3).prop_map(|(n, by)| Bson::Int64(n.saturating_add(by))),
        doubles.prop_map(Bson::Double),
        decimals.prop_map(|text| Bson::Decimal128(text.parse().unwrap())),
    ]
}

fn raw(value: &Bson) -> RawDocumentBuf {
    RawDocumentBuf::try_from(&doc! { "v": value.clone() }).unwrap()
}

#[track_caller]
fn ascending(values: &[Bson]) {
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            assert_eq!(Order::SIMPLE.compare_bson(a, b), i.cmp(&j), "{a:?} against {b:?}");
        }
    }
}

// SEM: DOC-ORD-1
#[test]
fn classes_come_in_the_documented_order() {
    ascending(&[
        Bson::MinKey,
        Bson::Null,
        Bson::Double(f64::NAN),
        Bson::Int64(i64::MAX),
        "".into(),
        doc! {}.into(),
        Bson::Array(vec![]),
        binary(0, b""),
        ObjectId::from_bytes([0; 12]).into(),
        false.into(),
        DateTime::from_millis(i64::MAX).into(),
        Bson::Timestamp(Timestamp { time: 0, increment: 0 }),
        regex("", ""),
        Bson::JavaScriptCode(String::new()),
        scoped("", doc! {}),
        Bson::MaxKey,
    ]);
}

// SEM: DOC-ORD-4
#[test]
fn strings_compare_by_bytes_and_symbols_are_strings() {
    ascending(&["".into(), "B".into(), "a".into(), "ab".into(), "é".into()]);
    assert_eq!(Order::SIMPLE.compare_bson(&"a".into(), &Bson::Symbol("a".into())), Ordering::Equal);
}

// SEM: DOC-ORD-5
#[test]
fn objects_compare_classes_then_names_then_values() {
    ascending(&[
        doc! {}.into(),
        doc! { "b": 1 }.into(),
        doc! { "b": 1, "a": 1 }.into(),
        doc! { "b": 2 }.into(),
        doc! { "a": "x" }.into(),
    ]);
    assert!(Order::SIMPLE.compare_bson(&doc! { "a": 1, "b": 2 }.into(), &doc! { "b": 2, "a": 1 }.into()).is_ne());
}

// SEM: DOC-ORD-6
#[test]
fn binary_compares_length_then_subtype_then_bytes() {
    ascending(&[binary(5, b"z"), binary(0, b"aa"), binary(0, b"ab"), binary(5, b"aa"), binary(0, b"aaa")]);
    ascending(&[false.into(), true.into()]);
}

// SEM: DOC-ORD-7
#[test]
fn dates_before_1970_come_first_and_timestamps_last() {
    let date = |ms| Bson::DateTime(DateTime::from_millis(ms));
    let timestamp = |time, increment| Bson::Timestamp(Timestamp { time, increment });
    ascending(&[date(-1), date(0), date(1), timestamp(0, 1), timestamp(1, 0), timestamp(u32::MAX, 0)]);
}

// SEM: DOC-ORD-8
#[test]
fn regexes_compare_pattern_then_flags_and_arrays_by_element() {
    ascending(&[regex("a", ""), regex("a", "i"), regex("b", "")]);
    let array = |elements: &[i32]| Bson::Array(elements.iter().map(|n| Bson::Int32(*n)).collect());
    ascending(&[array(&[]), array(&[1]), array(&[1, 2]), array(&[2])]);
}

proptest! {
    // SEM: DOC-ORD-1
    #[test]
    fn the_order_is_total_and_the_same_for_stored_and_owned_values(a in value(), b in value(), c in value()) {
        let order = Order::SIMPLE.compare_bson(&a, &b);
        prop_assert_eq!(Order::SIMPLE.compare_bson(&b, &a), order.reverse());
        prop_assert!(Order::SIMPLE.compare_bson(&a, &a).is_eq());
        if order.is_le() && Order::SIMPLE.compare_bson(&b, &c).is_le() {
            prop_assert!(Order::SIMPLE.compare_bson(&a, &c).is_le());
        }
        let (raw_a, raw_b) = (raw(&a), raw(&b));
        let (raw_a, raw_b) = (raw_a.get("v").unwrap().unwrap(), raw_b.get("v").unwrap().unwrap());
        prop_assert_eq!(compare(raw_a, raw_b), order);
        prop_assert_eq!(Value::from(raw_a).compare_in(&Value::from(&b), Order::SIMPLE), order);
    }
}
