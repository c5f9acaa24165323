#![expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]

use bson::{RawDocumentBuf, Regex, bson, doc};

use super::*;
use crate::error::{Error, InvalidKind};

fn matches(filter: &Document, document: &Document) -> bool {
    let context = Context::new(bson::DateTime::from_millis(0), 0, Vec::new());
    let filter = Filter::compile(filter, &Names::default()).unwrap();
    filter.matches(&RawDocumentBuf::try_from(document).unwrap(), &context).unwrap()
}

/// Which of `documents` match, by position.
fn matching(filter: Document, documents: &[Document]) -> Vec<usize> {
    (0..documents.len()).filter(|place| matches(&filter, &documents[*place])).collect()
}

// SEM: DOC-FLT-1
#[test]
fn equality_looks_at_the_value_and_at_each_element() {
    let documents =
        [doc! { "a": 1 }, doc! { "a": [1, 2] }, doc! { "a": [[1, 2]] }, doc! { "a": [2] }, doc! { "a": "1" }];
    assert_eq!(matching(doc! { "a": 1.0 }, &documents), [0, 1]);
    assert_eq!(matching(doc! { "a": [1, 2] }, &documents), [1, 2]);
    assert_eq!(matching(doc! { "a": { "$in": [[2], "1"] } }, &documents), [3, 4]);
}

// SEM: DOC-ORD-5, DOC-FLT-1
#[test]
fn a_document_operand_is_compared_whole_and_in_field_order() {
    let documents = [doc! { "a": { "x": 1, "y": 2 } }, doc! { "a": { "y": 2, "x": 1 } }, doc! { "a": { "x": 1 } }];
    assert_eq!(matching(doc! { "a": { "x": 1, "y": 2 } }, &documents), [0]);
    assert_eq!(matching(doc! { "a.x": 1 }, &documents), [0, 1, 2]);
    assert_eq!(matching(doc! { "a": {} }, &[doc! { "a": {} }, doc! {}]), [0]);
}

// SEM: DOC-FLT-2
#[test]
fn null_matches_missing_too_and_exists_tells_them_apart() {
    let documents = [doc! { "a": null }, doc! {}, doc! { "a": 1 }, doc! { "a": [null] }, doc! { "a": [] }];
    assert_eq!(matching(doc! { "a": null }, &documents), [0, 1, 3]);
    assert_eq!(matching(doc! { "a": { "$in": [null] } }, &documents), [0, 1, 3]);
    assert_eq!(matching(doc! { "a": { "$ne": null } }, &documents), [2, 4]);
    assert_eq!(matching(doc! { "a": { "$exists": false } }, &documents), [1]);
    assert_eq!(matching(doc! { "a": { "$exists": 1 } }, &documents), [0, 2, 3, 4]);
}

// SEM: DOC-FLT-3
#[test]
fn ranges_stay_within_the_class_of_their_operand() {
    let documents = [
        doc! { "a": 4 },
        doc! { "a": 6i64 },
        doc! { "a": "6" },
        doc! { "a": null },
        doc! {},
        doc! { "a": f64::NAN },
        doc! { "a": Bson::MinKey },
        doc! { "a": Bson::MaxKey },
    ];
    assert_eq!(matching(doc! { "a": { "$gt": 5 } }, &documents), [1]);
    assert_eq!(matching(doc! { "a": { "$lt": 5 } }, &documents), [0]);
    assert_eq!(matching(doc! { "a": { "$lt": "z" } }, &documents), [2]);
    for operator in ["$gte", "$lte"] {
        assert_eq!(matching(doc! { "a": { operator: null } }, &documents), [3, 4]);
        assert_eq!(matching(doc! { "a": { operator: f64::NAN } }, &documents), [5]);
    }
    for operator in ["$gt", "$lt"] {
        assert!(matching(doc! { "a": { operator: null } }, &documents).is_empty());
        assert!(matching(doc! { "a": { operator: f64::NAN } }, &documents).is_empty());
    }
    assert_eq!(matching(doc! { "a": { "$gt": Bson::MinKey } }, &documents), [0, 1, 2, 3, 4, 5, 7]);
    assert_eq!(matching(doc! { "a": { "$lt": Bson::MaxKey } }, &documents), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(matching(doc! { "a": { "$gte": Bson::MaxKey } }, &documents), [7]);
}

// SEM: DOC-FLT-4, DOC-ORD-8
#[test]
fn conditions_may_be_met_by_different_elements() {
    assert!(matches(&doc! { "a": { "$gt": 15, "$lt": 20 } }, &doc! { "a": [10, 30] }));
    assert!(!matches(&doc! { "a": { "$gt": 15, "$lt": 20 } }, &doc! { "a": 30 }));
    let documents = [doc! { "a": [1] }, doc! { "a": [2, 0] }, doc! { "a": 9 }];
    assert_eq!(matching(doc! { "a": { "$gt": [1, 9] } }, &documents), [1]);
}

// SEM: DOC-FLT-5
#[test]
fn negations_are_the_complement_over_whole_documents() {
    let documents = [doc! { "a": 1 }, doc! { "a": [1, 2] }, doc! { "a": 3 }, doc! {}, doc! { "a": "x" }];
    assert_eq!(matching(doc! { "a": { "$ne": 1 } }, &documents), [2, 3, 4]);
    assert_eq!(matching(doc! { "a": { "$nin": [1, 3] } }, &documents), [3, 4]);
    assert_eq!(matching(doc! { "a": { "$not": { "$gt": 1 } } }, &documents), [0, 3, 4]);
    assert_eq!(matching(doc! { "a": { "$not": { "$gte": 2, "$lt": 3 } } }, &documents), [0, 2, 3, 4]);
    assert_eq!(matching(doc! { "$nor": [{ "a": 1 }, { "a": 3 }] }, &documents), [3, 4]);
}

// SEM: DOC-FLT-10
#[test]
fn clauses_combine() {
    let documents = [doc! { "a": 1, "b": 1 }, doc! { "a": 1, "b": 2 }, doc! { "a": 2, "b": 2 }];
    assert_eq!(matching(doc! {}, &documents), [0, 1, 2]);
    assert_eq!(matching(doc! { "$and": [{ "a": 1 }, { "b": 2 }] }, &documents), [1]);
    assert_eq!(matching(doc! { "$or": [{ "b": 1 }, { "a": 2 }] }, &documents), [0, 2]);
    assert_eq!(matching(doc! { "a": 1, "$or": [{ "b": 1 }, { "b": 2 }] }, &documents), [0, 1]);
    let filter = Filter::compile(
        &doc! { "a": 1, "$and": [{ "b": { "$gt": 1, "$lt": 3 } }], "$or": [{ "c": 1 }, { "d": 1 }] },
        &Names::default(),
    )
    .unwrap();
    let paths: Vec<_> = filter.conjuncts().iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a", "b", "b"]);
    let one = Filter::compile(&doc! { "$or": [{ "c": 1 }] }, &Names::default()).unwrap();
    assert_eq!(one.conjuncts().len(), 1, "one alternative has to hold");
}

// SEM: DOC-FLT-8, DOC-FLT-10
#[test]
fn what_is_not_modelled_is_refused_by_name() {
    let regex = Bson::RegularExpression(Regex { pattern: c("x"), options: c("") });
    for (filter, name) in [
        (doc! { "$where": "true" }, "query operator $where"),
        (doc! { "a": { "$gt": 1, "$near": 2 } }, "query operator $near"),
        (doc! { "$and": [{ "a": { "$not": { "$geoWithin": 1 } } }] }, "query operator $geoWithin"),
    ] {
        let error = Filter::compile(&filter, &Names::default()).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature == name), "{filter}: {error}");
    }
    assert!(matches(&doc! { "a": { "$eq": regex.clone() } }, &doc! { "a": regex }), "as a value");
}

fn c(text: &str) -> bson::raw::CString {
    text.try_into().unwrap()
}

// SEM: DOC-FLT-8
#[test]
fn operands_an_operator_does_not_take_are_refused() {
    let regex = Bson::RegularExpression(Regex { pattern: c("x"), options: c("") });
    for filter in [
        doc! { "$and": [] },
        doc! { "$or": { "a": 1 } },
        doc! { "$nor": [1] },
        doc! { "a": { "$in": 1 } },
        doc! { "a": { "$not": 1 } },
        doc! { "a": { "$not": {} } },
        doc! { "a": { "$gt": 1, "b": 2 } },
        doc! { "a": { "$gt": regex.clone() } },
        doc! { "a": { "$ne": regex } },
        doc! { "$nope": 1 },
        doc! { "a": { "$nope": 1 } },
        doc! { "a": { "$in": [{ "$gt": 1 }] } },
        doc! { "a": { "$options": "i" } },
        doc! { "a": { "$mod": [0, 1] } },
        doc! { "a": { "$all": [{ "$gt": 1 }] } },
    ] {
        let error = Filter::compile(&filter, &Names::default()).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Value, .. }), "{filter}: {error}");
    }
}

#[test]
fn nesting_is_bounded() {
    let clauses = (0..201).fold(doc! { "a": 1 }, |inner, _| doc! { "$and": [inner] });
    let elements = (0..101).fold(doc! { "a": 1 }, |inner, _| doc! { "a": { "$elemMatch": inner } });
    let deepest = (0..99).fold(doc! { "a": 1 }, |inner, _| doc! { "a": { "$elemMatch": inner } });
    assert!(Filter::compile(&deepest, &Names::default()).is_ok());
    let nots = (0..201).fold(bson!({ "$gt": 1 }), |inner, _| bson!({ "$not": inner }));
    let value = (0..201).fold(bson!(1), |inner, _| bson!([inner]));
    for filter in [clauses, elements, doc! { "a": nots }, doc! { "a": value }] {
        assert!(matches!(
            Filter::compile(&filter, &Names::default()).unwrap_err(),
            Error::LimitExceeded { max: 200, .. }
        ));
    }
}

fn regex(pattern: &str, options: &str) -> Bson {
    Bson::RegularExpression(Regex { pattern: c(pattern), options: c(options) })
}

// SEM: DOC-FLT-8, DOC-FLT-9
#[test]
fn regular_expressions_match_text_and_themselves() {
    let documents =
        [doc! { "a": "Ann" }, doc! { "a": ["bob", "ann"] }, doc! { "a": 7 }, doc! { "a": regex("^a", "i") }, doc! {}];
    assert_eq!(matching(doc! { "a": regex("^a", "") }, &documents), [1]);
    assert_eq!(matching(doc! { "a": regex("^a", "i") }, &documents), [0, 1, 3]);
    assert_eq!(matching(doc! { "a": { "$regex": "^A", "$options": "i" } }, &documents), [0, 1]);
    assert_eq!(matching(doc! { "a": { "$not": regex("^a", "i") } }, &documents), [2, 4]);
    assert_eq!(matching(doc! { "a": { "$in": [7, regex("^b", "")] } }, &documents), [1, 2]);
    assert_eq!(matching(doc! { "a": { "$nin": [7, regex("^b", "")] } }, &documents), [0, 3, 4]);
}

// SEM: DOC-FLT-4, DOC-FLT-8
#[test]
fn one_element_has_to_meet_all_conditions_of_an_elem_match() {
    let documents = [
        doc! { "a": [10, 30] },
        doc! { "a": [17] },
        doc! { "a": [{ "x": 1, "y": 1 }, { "x": 2, "y": 2 }] },
        doc! { "a": { "x": 1, "y": 2 } },
        doc! { "a": [[16, 18], "x"] },
    ];
    assert_eq!(matching(doc! { "a": { "$gt": 15, "$lt": 20 } }, &documents), [0, 1]);
    assert_eq!(matching(doc! { "a": { "$elemMatch": { "$gt": 15, "$lt": 20 } } }, &documents), [1]);
    assert_eq!(matching(doc! { "a": { "$elemMatch": { "x": 1, "y": 2 } } }, &documents), [] as [usize; 0]);
    assert_eq!(matching(doc! { "a": { "$elemMatch": { "x": 2, "y": 2 } } }, &documents), [2]);
    assert_eq!(
        matching(doc! { "a": { "$all": [{ "$elemMatch": { "x": 1 } }, { "$elemMatch": { "x": 2 } }] } }, &documents),
        [2]
    );
    assert_eq!(matching(doc! { "a": { "$all": [30, 10] } }, &documents), [0]);
    assert_eq!(matching(doc! { "a": { "$all": [] } }, &documents), [] as [usize; 0]);
    assert_eq!(matching(doc! { "a": { "$size": 2 } }, &documents), [0, 2, 4]);
    assert_eq!(matching(doc! { "a": { "$elemMatch": { "$ne": 10 } } }, &documents), [0, 1, 2, 4]);
}

// SEM: DOC-FLT-7, DOC-FLT-8
#[test]
fn types_remainders_and_bits_are_conditions() {
    let binary = Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0b101] });
    let documents = [doc! { "a": 5 }, doc! { "a": 5.5 }, doc! { "a": ["x", -3i64] }, doc! { "a": binary }, doc! {}];
    assert_eq!(matching(doc! { "a": { "$type": "number" } }, &documents), [0, 1, 2]);
    assert_eq!(matching(doc! { "a": { "$type": ["string", 16] } }, &documents), [0, 2]);
    assert_eq!(matching(doc! { "a": { "$type": "array" } }, &documents), [2]);
    assert_eq!(matching(doc! { "a": { "$mod": [4, 1] } }, &documents), [0, 1]);
    assert_eq!(matching(doc! { "a": { "$mod": [2, -1] } }, &documents), [2], "a remainder has the dividend's sign");
    assert_eq!(matching(doc! { "a": { "$bitsAllSet": 5 } }, &documents), [0, 2, 3]);
    assert_eq!(
        matching(doc! { "a": { "$bitsAllSet": [0, 100] } }, &documents),
        [2],
        "a negative number goes on with ones"
    );
    assert_eq!(matching(doc! { "a": { "$bitsAnyClear": [0, 1] } }, &documents), [0, 2, 3]);
    assert_eq!(matching(doc! { "a": { "$bitsAllClear": 2 } }, &documents), [0, 2, 3]);
    assert_eq!(matching(doc! { "a": { "$bitsAnySet": 2 } }, &documents), [] as [usize; 0]);
}

// SEM: DOC-FLT-10
#[test]
fn expressions_are_conditions_also_among_others() {
    let documents = [doc! { "a": 1, "b": 2 }, doc! { "a": 3, "b": 2 }, doc! { "a": 3 }];
    assert_eq!(matching(doc! { "$expr": { "$gt": ["$a", "$b"] } }, &documents), [1, 2]);
    assert_eq!(
        matching(doc! { "$or": [{ "a": 1 }, { "$expr": { "$eq": ["$b", "$$REMOVE"] } }], "$comment": "x" }, &documents),
        [0, 2]
    );
}

// SEM: DOC-FLT-11
#[test]
fn paths_with_empty_parts_match_the_empty_name_or_nothing() {
    let documents = [doc! { "a": 1 }, doc! { "": 1 }, doc! { "a": { "": { "b": 1 } } }, doc! { "a": { "": 1 } }];
    assert_eq!(matching(doc! { "": 1 }, &documents), [1]);
    assert_eq!(matching(doc! { "a..b": 1 }, &documents), [2]);
    assert_eq!(matching(doc! { "a.": 1 }, &documents), [3]);
    assert_eq!(matching(doc! { ".a": 1 }, &documents), [] as [usize; 0]);
}

#[test]
fn sizes_and_bits_are_asked_for_as_in_the_original() {
    use crate::document::code::Code;
    for size in [bson!(-1), bson!(1.5), bson!("1"), bson!(null), bson!(f64::NAN), bson!({ "$gt": 1 })] {
        let error = Filter::compile(&doc! { "a": { "$size": size.clone() } }, &Names::default()).unwrap_err();
        assert_eq!(Code::of(&error), Some(Code::BAD_VALUE), "{size}");
    }
    // A negative number goes on with ones for ever.
    assert_eq!(matching(doc! { "a": { "$bitsAnySet": [i32::MAX] } }, &[doc! { "a": 5 }, doc! { "a": -1 }]), [1]);
    // Old binary data begins with its length.
    let binary = |subtype| bson::Binary { subtype, bytes: vec![6] };
    let documents = [
        doc! { "a": binary(bson::spec::BinarySubtype::Generic) },
        doc! { "a": binary(bson::spec::BinarySubtype::BinaryOld) },
    ];
    assert_eq!(matching(doc! { "a": { "$bitsAllSet": 1 } }, &documents), [1]);
}
