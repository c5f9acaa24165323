//! What each family of functions makes of its arguments.

use bson::oid::ObjectId;
use bson::{Bson, DateTime, Document, Timestamp, bson, doc};

use super::{code, date, decimal, evaluate, over, value};
use crate::document::code::Code;
use crate::error::Error;

// SEM: DOC-AGG-3
#[test]
fn arrays_are_mapped_filtered_and_reduced_with_variables() {
    let document = doc! { "a": [1, 2, 3], "k": 10 };
    let value = |text: Bson| over(text, document.clone()).unwrap();
    let map = bson!({ "$map": { "input": "$a", "as": "x", "in": { "$add": ["$$x", "$k"] } } });
    assert_eq!(value(map), bson!([11, 12, 13]));
    assert_eq!(value(bson!({ "$map": { "input": "$a", "in": "$$this" } })), bson!([1, 2, 3]));
    assert_eq!(value(bson!({ "$filter": { "input": "$a", "cond": { "$gt": ["$$this", 1] } } })), bson!([2, 3]));
    assert_eq!(value(bson!({ "$filter": { "input": "$a", "cond": true, "limit": 2 } })), bson!([1, 2]));
    let sum = bson!({ "$reduce": { "input": "$a", "initialValue": 0, "in": { "$add": ["$$value", "$$this"] } } });
    assert_eq!(value(sum), bson!(6));
    let twice = bson!({ "$let": { "vars": { "x": "$k", "y": 2 }, "in": { "$multiply": ["$$x", "$$y", "$$x"] } } });
    assert_eq!(value(twice), bson!(200));
    let nested = bson!({ "$map": { "input": "$a", "as": "x", "in":
        { "$reduce": { "input": "$a", "initialValue": "$$x", "in": { "$add": ["$$value", "$$this", "$$x"] } } } } });
    assert_eq!(value(nested), bson!([10, 14, 18]));
    assert_eq!(code(bson!({ "$map": { "input": "x", "in": 1 } })), Code::MAP_INPUT_TYPE);
    assert_eq!(code(bson!("$$x")), Code::UNDEFINED_VARIABLE);
    assert_eq!(code(bson!({ "$let": { "vars": { "X": 1 }, "in": 1 } })), Code::FAILED_TO_PARSE);
}

#[test]
fn a_reduce_that_appends_is_linear_and_what_it_makes_is_bounded() {
    let appended = |count: i32| {
        bson!({ "$size": { "$reduce": { "input": { "$range": [0, count] }, "initialValue": [],
            "in": { "$concatArrays": ["$$value", ["$$this"]] } } } })
    };
    // Were it quadratic, this would copy some ten thousand million values.
    assert_eq!(value(appended(150_000)), bson!(150_000));
    let doubled = bson!({ "$reduce": { "input": { "$range": [0, 60] }, "initialValue": [1],
        "in": { "$concatArrays": ["$$value", "$$value"] } } });
    assert!(matches!(
        evaluate(doubled, &doc! {}),
        Err(Error::LimitExceeded { limit: "bytes of a computed value", .. })
    ));
    let deep = bson!({ "$reduce": { "input": { "$range": [0, 100_000] }, "initialValue": [], "in": ["$$value"] } });
    assert!(matches!(evaluate(deep, &doc! {}), Err(Error::LimitExceeded { .. })));
    let text = bson!({ "$reduce": { "input": { "$range": [0, 60] }, "initialValue": "x",
        "in": { "$concat": ["$$value", "$$value"] } } });
    assert_eq!(code(text), Code::STRING_TOO_LARGE);
}

// SEM: DOC-AGG-3
#[test]
fn arrays_are_taken_apart_and_put_together() {
    assert_eq!(value(doc! { "$arrayElemAt": [[1, 2, 3], -1] }), bson!(3));
    assert_eq!(over(doc! { "$arrayElemAt": [[1], 5] }, doc! {}), None);
    assert_eq!(value(doc! { "$first": [[1, 2]] }), bson!(1));
    assert_eq!(value(doc! { "$last": [[1, 2]] }), bson!(2));
    assert_eq!(value(doc! { "$slice": [[1, 2, 3], 2] }), bson!([1, 2]));
    assert_eq!(value(doc! { "$slice": [[1, 2, 3], -2] }), bson!([2, 3]));
    assert_eq!(value(doc! { "$slice": [[1, 2, 3], 1, 1] }), bson!([2]));
    assert_eq!(value(doc! { "$range": [5, 0, -2] }), bson!([5, 3, 1]));
    assert_eq!(value(doc! { "$reverseArray": [[1, 2]] }), bson!([2, 1]));
    assert_eq!(value(doc! { "$in": [2, [1, 2]] }), bson!(true));
    assert_eq!(value(doc! { "$indexOfArray": [[1, 2, 1], 1, 1] }), bson!(2));
    assert_eq!(value(doc! { "$concatArrays": [[1], [2, 3]] }), bson!([1, 2, 3]));
    assert_eq!(value(doc! { "$isArray": [[1]] }), bson!(true));
    let zipped = doc! { "$zip": { "inputs": [[1, 2], [3]], "useLongestLength": true, "defaults": [0, 9] } };
    assert_eq!(value(zipped), bson!([[1, 3], [2, 9]]));
    let pairs = bson!([["a", 1], ["b", 2], ["a", 3]]);
    assert_eq!(value(doc! { "$arrayToObject": [{ "$literal": pairs }] }), bson!({ "a": 3, "b": 2 }));
    assert_eq!(value(doc! { "$objectToArray": { "a": 1 } }), bson!([{ "k": "a", "v": 1 }]));
    assert_eq!(value(doc! { "$sortArray": { "input": [3, 1, 2], "sortBy": -1 } }), bson!([3, 2, 1]));
    let sorted = doc! { "$sortArray": { "input": [{ "a": 2 }, { "a": 1 }], "sortBy": { "a": 1 } } };
    assert_eq!(value(sorted), bson!([{ "a": 1 }, { "a": 2 }]));
    assert_eq!(value(doc! { "$firstN": { "input": [1, 2, 3], "n": 2 } }), bson!([1, 2]));
    assert_eq!(value(doc! { "$lastN": { "input": [1, 2, 3], "n": 2 } }), bson!([2, 3]));
    assert_eq!(code(doc! { "$size": "x" }), Code::SIZE_TYPE);
    assert_eq!(code(doc! { "$arrayElemAt": [[1], 1.5] }), Code::ARRAY_ELEM_AT_INDEX);
}

// SEM: DOC-AGG-3
#[test]
fn arrays_are_sets() {
    assert_eq!(value(doc! { "$setUnion": [[3, 1], [1.0, 2]] }), bson!([1, 2, 3]));
    assert_eq!(value(doc! { "$setIntersection": [[3, 1, 1], [1, 2, 3]] }), bson!([1, 3]));
    assert_eq!(value(doc! { "$setDifference": [[3, 1, 3, 2], [1]] }), bson!([3, 2]));
    assert_eq!(value(doc! { "$setIsSubset": [[1], [1, 2]] }), bson!(true));
    assert_eq!(value(doc! { "$setEquals": [[1, 2], [2, 1, 1]] }), bson!(true));
    assert_eq!(value(doc! { "$anyElementTrue": [[0, null, "x"]] }), bson!(true));
    assert_eq!(value(doc! { "$allElementsTrue": [[1, 0]] }), bson!(false));
    assert_eq!(value(doc! { "$setUnion": [[1], null] }), Bson::Null);
    assert_eq!(code(doc! { "$setIsSubset": [[1], 1] }), Code::SUBSET_SECOND_TYPE);
}

// SEM: DOC-AGG-3
#[test]
fn objects_are_merged_and_their_fields_got_and_set() {
    let document = doc! { "a": { "x": 1, "y.z": 2 } };
    let value = |text: Document| over(text, document.clone()).unwrap();
    assert_eq!(value(doc! { "$mergeObjects": ["$a", { "x": 3, "w": 4 }, null] }), bson!({ "x": 3, "y.z": 2, "w": 4 }));
    assert_eq!(value(doc! { "$getField": { "field": "y.z", "input": "$a" } }), bson!(2));
    assert_eq!(value(doc! { "$setField": { "field": "x", "input": "$a", "value": 9 } }), bson!({ "x": 9, "y.z": 2 }));
    assert_eq!(value(doc! { "$unsetField": { "field": "x", "input": "$a" } }), bson!({ "y.z": 2 }));
    assert_eq!(over(doc! { "$getField": "a" }, doc! { "a": 5 }), Some(bson!(5)));
    assert_eq!(code(doc! { "$mergeObjects": [1] }), Code::MERGE_OBJECTS_TYPE);
    assert_eq!(code(doc! { "$setField": { "field": "$a", "input": {}, "value": 1 } }), Code::SET_FIELD_FIELD_PATH);
}

// SEM: DOC-AGG-3
#[test]
fn text_is_cut_searched_and_replaced() {
    assert_eq!(value(doc! { "$substrCP": ["cafés", 3, 2] }), bson!("és"));
    assert_eq!(value(doc! { "$substrBytes": ["abc", 1, -1] }), bson!("bc"));
    assert_eq!(code(doc! { "$substrBytes": ["é", 1, 1] }), Code::SUBSTRING_STARTS_INSIDE);
    assert_eq!(value(doc! { "$trim": { "input": "  x " } }), bson!("x"));
    assert_eq!(value(doc! { "$ltrim": { "input": "xxaxx", "chars": "x" } }), bson!("axx"));
    assert_eq!(value(doc! { "$split": ["a-b-", "-"] }), bson!(["a", "b", ""]));
    assert_eq!(value(doc! { "$strLenCP": "é" }), bson!(1));
    assert_eq!(value(doc! { "$strLenBytes": "é" }), bson!(2));
    assert_eq!(value(doc! { "$strcasecmp": ["Ab", "aB"] }), bson!(0));
    assert_eq!(value(doc! { "$indexOfCP": ["éab", "b"] }), bson!(2));
    assert_eq!(value(doc! { "$indexOfBytes": ["éab", "b"] }), bson!(3));
    assert_eq!(value(doc! { "$replaceOne": { "input": "aa", "find": "a", "replacement": "b" } }), bson!("ba"));
    assert_eq!(value(doc! { "$replaceAll": { "input": "aa", "find": "a", "replacement": "b" } }), bson!("bb"));
    assert_eq!(value(doc! { "$regexMatch": { "input": "Ann", "regex": "^a", "options": "i" } }), bson!(true));
    let found = doc! { "$regexFind": { "input": "éab1", "regex": "([a-z])(x)?(\\d)" } };
    assert_eq!(value(found), bson!({ "match": "b1", "idx": 2, "captures": ["b", null, "1"] }));
    let all = value(doc! { "$regexFindAll": { "input": "a1b2", "regex": "\\d|x*" } });
    assert_eq!(all.as_array().unwrap().len(), 5, "{all}");
    assert_eq!(code(doc! { "$split": ["a", ""] }), Code::SPLIT_EMPTY_SEPARATOR);
    assert_eq!(code(doc! { "$concat": ["a", 1] }), Code::CONCAT_TYPE);
    assert_eq!(code(doc! { "$regexMatch": { "input": "a", "regex": "(" } }), Code::REGEX_COMPILE);
}

// SEM: DOC-AGG-3
#[test]
fn values_are_converted() {
    assert_eq!(value(doc! { "$toInt": "-12" }), bson!(-12));
    assert_eq!(value(doc! { "$toInt": 1.9 }), bson!(1));
    assert_eq!(value(doc! { "$toLong": DateTime::from_millis(7) }), bson!(7i64));
    assert_eq!(value(doc! { "$toDouble": "1e3" }), bson!(1000.0));
    assert_eq!(value(doc! { "$toDecimal": "1.10" }), decimal("1.10"));
    assert_eq!(value(doc! { "$toBool": "false" }), bson!(true));
    assert_eq!(value(doc! { "$toDate": "2026-03-01" }), date("2026-03-01T00:00:00Z"));
    assert_eq!(value(doc! { "$toDate": 5i64 }), Bson::DateTime(DateTime::from_millis(5)));
    assert_eq!(value(doc! { "$toObjectId": "0102030405060708090a0b0c" }).as_object_id().unwrap().bytes()[0], 1);
    assert_eq!(value(doc! { "$type": "$zz" }), bson!("missing"));
    assert_eq!(value(doc! { "$convert": { "input": "x", "to": "int", "onError": "bad" } }), bson!("bad"));
    assert_eq!(value(doc! { "$convert": { "input": null, "to": 16, "onNull": 0 } }), bson!(0));
    assert_eq!(code(doc! { "$toInt": "1.5" }), Code::CONVERSION_FAILURE);
    assert_eq!(code(doc! { "$toInt": 3e10 }), Code::CONVERSION_FAILURE);
    assert_eq!(code(doc! { "$toDate": 5 }), Code::CONVERSION_FAILURE);
}

// SEM: DOC-AGG-3
#[test]
fn numbers_are_rounded_and_raised() {
    assert_eq!(value(doc! { "$ceil": 1.2 }), bson!(2.0));
    assert_eq!(value(doc! { "$floor": decimal("-1.2") }), decimal("-2"));
    assert_eq!(value(doc! { "$round": [2.5] }), bson!(2.0));
    assert_eq!(value(doc! { "$round": [1250, -2] }), bson!(1200));
    assert_eq!(value(doc! { "$trunc": [-7.89, 1] }), bson!(-7.8));
    assert_eq!(value(doc! { "$sqrt": 9 }), bson!(3.0));
    assert_eq!(value(doc! { "$sqrt": decimal("9") }), decimal("3"));
    assert_eq!(value(doc! { "$pow": [2, 10] }), bson!(1024));
    assert_eq!(value(doc! { "$pow": [2, 40] }), bson!(1i64 << 40));
    assert_eq!(value(doc! { "$pow": [2, -1] }), bson!(0.5));
    assert_eq!(value(doc! { "$log10": 100 }), bson!(2.0));
    assert_eq!(value(doc! { "$bitAnd": [6, 3i64] }), bson!(2i64));
    assert_eq!(value(doc! { "$bitNot": 0 }), bson!(-1));
    assert_eq!(code(doc! { "$sqrt": -1 }), Code::SQRT_NEGATIVE);
    assert_eq!(code(doc! { "$round": [1, 101] }), Code::ROUND_PLACE);
    let random = value(doc! { "$rand": {} }).as_f64().unwrap();
    assert!((0.0..1.0).contains(&random));
    assert_eq!(value(doc! { "$rand": {} }), bson!(random), "it follows from the seed");
}

#[test]
fn switches_take_the_first_branch_that_holds() {
    let branches = bson!([{ "case": { "$gt": ["$a", 5] }, "then": "much" }, { "case": true, "then": "little" }]);
    assert_eq!(over(doc! { "$switch": { "branches": branches } }, doc! { "a": 9 }), Some(bson!("much")));
    let none = doc! { "$switch": { "branches": [{ "case": false, "then": 1 }], "default": 2 } };
    assert_eq!(value(none), bson!(2));
    assert_eq!(code(doc! { "$switch": { "branches": [{ "case": false, "then": 1 }] } }), Code::SWITCH_NO_MATCH);
}

// SEM: DOC-AGG-15
#[test]
fn products_of_decimals_keep_their_exponent() {
    assert_eq!(value(doc! { "$multiply": [decimal("1.10"), 3] }), decimal("3.30"));
    assert_eq!(value(doc! { "$multiply": [decimal("1.10"), 1] }), decimal("1.10"));
    assert_eq!(value(doc! { "$multiply": [decimal("1.10")] }), decimal("1.10"));
}

// SEM: DOC-AGG-16
#[test]
fn numbers_and_other_values_have_the_text_that_the_server_gives_them() {
    assert_eq!(value(doc! { "$toString": 1e16 }), bson!("1e+16"));
    assert_eq!(value(doc! { "$toString": 9e-5 }), bson!("9e-05"));
    assert_eq!(value(doc! { "$toUpper": 1e6 }), bson!("1E+06"));
    assert_eq!(value(doc! { "$toUpper": f64::INFINITY }), bson!("INF"));
    let code = Bson::JavaScriptCode("f()".to_owned());
    assert_eq!(value(doc! { "$toUpper": code }), bson!("F()"));
    assert_eq!(value(doc! { "$toUpper": Timestamp { time: 1, increment: 2 } }), bson!("JAN  1 00:00:01:2"));
    let binary = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: b"fo".to_vec() };
    assert_eq!(value(doc! { "$toString": binary }), bson!("Zm8="));
}

// SEM: DOC-AGG-11
#[test]
fn every_date_has_a_year() {
    let year = |millis| value(doc! { "$year": DateTime::from_millis(millis) });
    assert_eq!(year(253_402_300_799_999), bson!(9999));
    assert_eq!(year(253_402_300_800_000), bson!(10_000));
    assert_eq!((year(i64::MAX), year(i64::MIN)), (bson!(292_278_994), bson!(-292_275_055)));
    let mut bytes = [0; 12];
    bytes[0] = 0x80;
    assert_eq!(value(doc! { "$year": ObjectId::from_bytes(bytes) }), bson!(1901));
    assert_eq!(value(doc! { "$isoWeekYear": DateTime::from_millis(253_402_300_800_000) }), bson!(9999i64));
}

// SEM: DOC-AGG-13, DOC-AGG-17
#[test]
fn an_argument_that_leads_nowhere_is_not_one_that_was_not_written() {
    let date = date("2026-03-01T12:00:00Z");
    assert_eq!(value(doc! { "$hour": { "date": &date, "timezone": "$nope" } }), Bson::Null);
    assert_eq!(value(doc! { "$dateToString": { "date": &date, "format": "$nope" } }), Bson::Null);
    let text = |zone: &str, format: &str| {
        value(doc! { "$dateToString": { "date": &date, "timezone": zone, "format": format } })
    };
    assert_eq!((text("UTC", "%Z"), text("+0430", "%Z")), (bson!("0"), bson!("270")));
    assert_eq!(
        value(doc! { "$dateToString": { "date": &date, "timezone": "UTC" } }),
        bson!("2026-03-01T12:00:00.000Z")
    );
    assert_eq!(value(doc! { "$week": &date }), bson!(9));
}

// SEM: DOC-AGG-20
#[test]
fn a_constant_behind_a_value_that_is_not_null_raises_its_error() {
    let error = evaluate(doc! { "$ifNull": ["$a", { "$divide": [1, 0] }, "x"] }, &doc! { "a": 1 }).unwrap_err();
    assert_eq!(Code::of(&error), Some(Code::BAD_VALUE));
    let depends = doc! { "$ifNull": ["$a", { "$divide": [1, "$zero"] }, "x"] };
    assert_eq!(over(depends, doc! { "a": 1, "zero": 0 }), Some(bson!(1)));
}

#[test]
fn ids_and_uuids_are_made_and_hashed() {
    let ids = doc! { "$map": { "input": [1, 2], "in": { "$createObjectId": {} } } };
    let Bson::Array(ids) = value(ids) else { panic!("an array") };
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].as_object_id().unwrap().timestamp(), DateTime::from_millis(1_000));
    assert_eq!(code(doc! { "$createObjectId": { "a": 1 } }), Code::FAILED_TO_PARSE);
    let text = "12345678-1234-1234-1234-123456789012";
    let Bson::Binary(uuid) = value(doc! { "$toUUID": text }) else { panic!("binary data") };
    assert_eq!((uuid.subtype, uuid.bytes[0]), (bson::spec::BinarySubtype::Uuid, 0x12));
    assert_eq!(value(doc! { "$toUUID": { "$literal": uuid.clone() } }), Bson::Binary(uuid));
    assert_eq!(value(doc! { "$toUUID": null }), Bson::Null);
    for wrong in [bson!("12345678123412341234123456789012"), bson!(1)] {
        assert_eq!(code(doc! { "$toUUID": wrong }), Code::CONVERSION_FAILURE);
    }
    assert_eq!(value(doc! { "$toHashedIndexKey": "string to hash" }), bson!(763_543_691_661_428_748_i64));
}

// SEM: DOC-AGG-14
#[test]
fn a_constant_raises_its_error_when_it_is_evaluated_and_not_before() {
    assert_eq!(value(doc! { "$or": [true, { "$divide": [1, 0] }] }), bson!(true));
    assert_eq!(value(doc! { "$and": [false, { "$divide": [1, 0] }] }), bson!(false));
    assert_eq!(value(doc! { "$cond": [true, 1, { "$toInt": "x" }] }), bson!(1));
}
