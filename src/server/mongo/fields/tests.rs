use bson::{RawDocumentBuf, rawdoc};

use super::*;
use crate::server::mongo::wire::Form;

const FIELDS: &[Field] = &[
    Field::new("filter", Types::OBJECT).required(),
    Field::new("limit", Types::NUMBER),
    Field::new("single", Types::TRUTH),
    Field::new("docs", Types::ARRAY),
];

fn check<T>(body: &RawDocumentBuf, then: impl FnOnce(Arguments<'_>) -> T) -> Result<T> {
    let form = Form::Message { more_to_come: false, exhaust_allowed: false };
    let request = Request { id: 1, form, body, sequences: Vec::new(), is_too_deep: false };
    Arguments::check("find", FIELDS, false, &request).map(then)
}

fn refusal(body: &RawDocumentBuf) -> (i32, String) {
    let failure = check(body, |_| ()).unwrap_err();
    (failure.code, failure.message)
}

#[test]
fn a_field_is_known_once_of_its_type_and_there() {
    let path = "BSON field 'find.";
    assert_eq!(
        refusal(&rawdoc! { "find": "c", "filter": {}, "nosuch": 1 }),
        (40415, format!("{path}nosuch' is an unknown field."))
    );
    assert_eq!(
        refusal(&rawdoc! { "find": "c", "filter": "x" }),
        (14, format!("{path}filter' is the wrong type 'string', expected type 'object'"))
    );
    assert_eq!(
        refusal(&rawdoc! { "find": "c", "filter": {}, "single": "x" }).1,
        format!("{path}single' is the wrong type 'string', expected types '[bool, long, int, decimal, double]'")
    );
    assert_eq!(refusal(&rawdoc! { "find": "c" }), (40414, format!("{path}filter' is missing but a required field")));
    assert_eq!(refusal(&rawdoc! { "find": "c", "filter": null }).0, 40414);
    assert_eq!(refusal(&rawdoc! { "find": "c", "filter": {}, "filter": {} }).0, 40413);
}

#[test]
fn a_strict_field_has_a_code_of_its_own_and_is_not_null() {
    const STRICT: &[Field] = &[Field::new("hint", Types::STRING).strict(9), Field::new("q", Types::OBJECT).required()];
    let code = |document: &RawDocumentBuf| Arguments::within("update.updates", STRICT, document).unwrap_err().code;
    assert_eq!((code(&rawdoc! { "q": {}, "hint": 1 }), code(&rawdoc! { "q": {}, "hint": null })), (9, 9));
    assert_eq!((code(&rawdoc! {}), code(&rawdoc! { "q": {}, "lsid": {} })), (40414, 40415));
    let known = rawdoc! { "q": {}, "hint": "a" };
    assert_eq!(Arguments::within("update.updates", STRICT, &known).unwrap().text("hint"), Some("a"));
}

#[test]
fn what_every_command_takes_is_taken() {
    let body = rawdoc! { "find": "c", "$db": "d", "filter": {}, "lsid": {}, "comment": [1], "$whatever": 1 };
    assert!(check(&body, |_| ()).is_ok());
    assert_eq!(refusal(&rawdoc! { "find": "c", "filter": {}, "lsid": 1 }).0, 14);
}

#[test]
fn values_are_read_as_what_they_are_asked_for() {
    let body = rawdoc! { "find": "c", "filter": { "a": 1 }, "limit": 2.9, "single": 0.5, "docs": [{ "b": 1 }] };
    check(&body, |arguments| {
        assert_eq!(arguments.first().as_str(), Some("c"));
        assert_eq!(arguments.document("filter"), Some(&*rawdoc! { "a": 1 }));
        assert_eq!((arguments.integer("limit"), arguments.truth("single")), (Some(2), Some(true)));
        assert_eq!(arguments.documents("docs").unwrap(), [&*rawdoc! { "b": 1 }]);
        assert_eq!((arguments.integer("skip"), arguments.get("nosuch")), (None, None));
    })
    .unwrap();
    let body = rawdoc! { "find": "c", "filter": {}, "docs": [{}, 1] };
    let failure = check(&body, |arguments| arguments.documents("docs").unwrap_err()).unwrap();
    assert_eq!(failure.message, "BSON field 'find.docs.1' is the wrong type 'int', expected type 'object'");
}

#[test]
fn numbers_beyond_the_ends_are_the_ends() {
    assert_eq!(integer_of(RawBsonRef::Double(1e300)), Some(i64::MAX));
    assert_eq!(integer_of(RawBsonRef::Double(f64::NAN)), Some(0));
    assert_eq!(integer_of(RawBsonRef::Double(-2.5)), Some(-2));
    let decimal = |text: &str| RawBsonRef::Decimal128(text.parse().unwrap());
    assert_eq!((integer_of(decimal("1.5")), integer_of(decimal("2.5"))), (Some(2), Some(2)));
    assert_eq!(
        (integer_of(decimal("0.5")), integer_of(decimal("0.5000000000000000000000000000000001"))),
        (Some(0), Some(1))
    );
    assert_eq!((integer_of(decimal("1E6000")), integer_of(decimal("NaN"))), (Some(i64::MAX), Some(0)));
    assert_eq!(integer_of(decimal("9223372036854775807")), Some(i64::MAX));
    assert_eq!((integer_of(decimal("-0.9")), integer_of(RawBsonRef::Double(-0.9))), (Some(-1), Some(0)));
    assert_eq!((whole_of(decimal("30E-1")), whole_of(decimal("3.1"))), (Some(3), None));
    assert_eq!((whole_of(RawBsonRef::Double(f64::INFINITY)), whole_of(RawBsonRef::Double(1e19))), (None, None));
    assert_eq!(whole_of(RawBsonRef::Boolean(true)), None);
}
