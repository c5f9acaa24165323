#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]

mod arrays;
mod model;
mod operators;
mod positional;

use bson::{Bson, Decimal128, Document, RawDocumentBuf, bson, doc};

use super::{Circumstances, Update, UpdateModifications};
use crate::clock::Timestamp;
use crate::document::code::Code;
use crate::error::{Error, InvalidKind, Result};

/// A moment of the store, in seconds.
const NOW: i64 = 1_700_000_000;

fn update(document: Document, text: impl Into<UpdateModifications>) -> Result<Option<Document>> {
    filtered(document, text, &[], None)
}

/// The document after an update with array filters, whose filter found the element `matched`.
fn filtered(
    document: Document,
    text: impl Into<UpdateModifications>,
    filters: &[Document],
    matched: Option<usize>,
) -> Result<Option<Document>> {
    let raw = RawDocumentBuf::try_from(&document).unwrap();
    let circumstances = Circumstances { now: Timestamp::from_seconds(NOW), matched, inserts: false };
    let new = Update::compile(&text.into(), filters)?.apply(&raw, circumstances)?;
    Ok(new.map(|new| Document::try_from(&new).unwrap()))
}

fn compile(text: &Document) -> Result<Update> {
    Update::compile(&text.clone().into(), &[])
}

/// The number of the mistake that `result` is.
fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
    let error = result.unwrap_err();
    Code::of(&error).unwrap_or_else(|| panic!("{error}")).number()
}

/// The updated document, which must differ.
fn updated(document: Document, text: Document) -> Document {
    update(document, text).unwrap().expect("a change")
}

fn kind(result: Result<Option<Document>>) -> InvalidKind {
    match result {
        Err(Error::Invalid { kind, .. }) => kind,
        other => panic!("not invalid: {other:?}"),
    }
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse::<Decimal128>().unwrap())
}

#[test]
fn fields_keep_their_order_and_new_ones_follow() {
    let new = updated(doc! { "_id": 1, "b": 1, "a": 2 }, doc! { "$set": { "z": 9, "c": 3, "b": 5 } });
    assert_eq!(new, doc! { "_id": 1, "b": 5, "a": 2, "c": 3, "z": 9 });
    assert_eq!(new.keys().collect::<Vec<_>>(), ["_id", "b", "a", "c", "z"]);
}

// SEM: DOC-UPD-2
#[test]
fn two_changes_of_one_path_conflict_before_anything_is_read() {
    let conflicts = [
        doc! { "$set": { "a": 1 }, "$inc": { "a": 1 } },
        doc! { "$set": { "a": 1, "a.b": 1 } },
        doc! { "$set": { "a.b.c": 1 }, "$unset": { "a.b": "" } },
        doc! { "$unset": { "a.0": "" }, "$inc": { "a": 1 } },
    ];
    for text in conflicts {
        let error = compile(&text).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::ConflictingUpdate, .. }), "{text}: {error}");
    }
    assert!(compile(&doc! { "$set": { "a.b": 1, "a.c": 1 }, "$inc": { "ab": 1 } }).is_ok());
}

// SEM: DOC-UPD-2
#[test]
fn the_id_never_changes_but_may_be_set_to_itself() {
    let old = doc! { "_id": 1, "a": 1 };
    for text in [doc! { "$set": { "_id": 2 } }, doc! { "$unset": { "_id": "" } }, doc! { "$inc": { "_id": 1 } }] {
        assert_eq!(kind(update(old.clone(), text)), InvalidKind::ImmutableField);
    }
    assert_eq!(kind(update(doc! { "_id": { "a": 1 } }, doc! { "$set": { "_id.b": 2 } })), InvalidKind::ImmutableField);
    assert_eq!(update(old.clone(), doc! { "$set": { "_id": 1 } }).unwrap(), None);
    assert_eq!(update(old.clone(), doc! { "$set": { "_id": 1.0 } }).unwrap(), None, "its representation stays");
    assert_eq!(updated(old, doc! { "$set": { "_id": 1, "a": 2 } }), doc! { "_id": 1, "a": 2 });
    let created = updated(doc! { "a": 1 }, doc! { "$set": { "_id": 7 } });
    assert_eq!(created.keys().next().unwrap(), "_id", "where there is none it can be set, and comes first");
}

// SEM: DOC-UPD-3
#[test]
fn created_fields_come_in_the_order_of_names_and_of_numbers() {
    let text = doc! { "$set": { "b": 1, "a.10": 1, "a.2": 1, "10": 1, "9": 1, "a.x": 1, "a.02": 1 } };
    let new = updated(doc! {}, text);
    assert_eq!(new.keys().collect::<Vec<_>>(), ["9", "10", "a", "b"]);
    assert_eq!(new.get_document("a").unwrap().keys().collect::<Vec<_>>(), ["2", "10", "02", "x"]);
}

// SEM: DOC-UPD-4
#[test]
fn missing_parents_are_objects_and_arrays_are_padded_with_null() {
    assert_eq!(updated(doc! {}, doc! { "$set": { "a.0.b": 1 } }), doc! { "a": { "0": { "b": 1 } } });
    let new = updated(doc! { "a": [1] }, doc! { "$set": { "a.3": 4, "a.0": 0, "a.5.x": 6 } });
    assert_eq!(new, doc! { "a": [0, null, null, 4, null, { "x": 6 }] });
    let far = update(doc! { "a": [] }, doc! { "$set": { "a.1500001": 1 } });
    assert!(matches!(far, Err(Error::LimitExceeded { limit: "array padding in elements", .. })));
}

// SEM: DOC-UPD-4
#[test]
fn a_path_does_not_lead_through_a_scalar() {
    for old in [doc! { "a": 1 }, doc! { "a": "x" }, doc! { "a": null }, doc! { "a": [1] }, doc! { "a": { "b": 1 } }] {
        let path = if old.get_array("a").is_ok() { "a.b" } else { "a.b.c" };
        assert_eq!(kind(update(old.clone(), doc! { "$set": { path: 1 } })), InvalidKind::PathNotViable, "{old}");
        assert_eq!(kind(update(old.clone(), doc! { "$inc": { path: 1 } })), InvalidKind::PathNotViable, "{old}");
        assert_eq!(update(old, doc! { "$unset": { path: 1 } }).unwrap(), None, "nothing there to remove");
    }
}

// SEM: DOC-UPD-5
#[test]
fn an_increment_widens_int32_and_refuses_past_int64() {
    let inc = |old: Bson, by: Bson| update(doc! { "a": old }, doc! { "$inc": { "a": by } });
    let sum = |old: Bson, by: Bson| inc(old, by).unwrap().unwrap().remove("a").unwrap();
    assert_eq!(sum(bson!(1), bson!(2)), bson!(3));
    assert_eq!(sum(bson!(i32::MAX), bson!(1)), bson!(i64::from(i32::MAX) + 1));
    assert_eq!(sum(bson!(1), bson!(1i64)), bson!(2i64));
    assert_eq!(sum(bson!(1), bson!(0.5)), bson!(1.5));
    assert_eq!(sum(decimal("0.10"), decimal("0.20")), decimal("0.30"));
    assert_eq!(sum(bson!(1), decimal("0.1")), decimal("1.1"));
    assert_eq!(kind(inc(bson!(i64::MAX), bson!(1))), InvalidKind::Overflow);
    assert_eq!(code(inc(bson!(i64::MAX), bson!(1))), 2);
    for old in [bson!(null), bson!("1"), bson!(true), bson!([1]), bson!({})] {
        assert_eq!(kind(inc(old, bson!(1))), InvalidKind::Type);
    }
    assert_eq!(kind(inc(bson!(1), bson!("1"))), InvalidKind::Type);
    assert_eq!(updated(doc! {}, doc! { "$inc": { "a.b": 5i64 } }), doc! { "a": { "b": 5i64 } });
}

// SEM: DOC-UPD-6
#[test]
fn unset_removes_a_field_and_leaves_null_in_an_array() {
    let old = doc! { "a": 1, "b": { "c": 1, "d": 2 }, "e": [1, { "f": 1 }] };
    let new = updated(old, doc! { "$unset": { "a": "", "b.c": "", "e.0": "", "e.1.f": "", "e.7": "", "x.y": "" } });
    assert_eq!(new, doc! { "b": { "d": 2 }, "e": [null, {}] });
}

// SEM: DOC-UPD-7
#[test]
fn an_update_that_changes_nothing_says_so() {
    let old = doc! { "_id": 1, "a": { "b": [1, 2.5] } };
    for text in [
        doc! { "$set": { "a.b": [1, 2.5] } },
        doc! { "$set": {} },
        doc! { "$inc": { "a.b.0": 0 } },
        doc! { "$unset": { "a.c": "" } },
    ] {
        assert_eq!(update(old.clone(), text).unwrap(), None);
    }
    let retyped = updated(old, doc! { "$set": { "a.b.0": 1.0 } });
    assert_eq!(retyped, doc! { "_id": 1, "a": { "b": [1.0, 2.5] } }, "another representation is a change");
}

// SEM: DOC-UPD-9
#[test]
fn the_result_keeps_the_limits_of_a_document() {
    let deep = vec!["a"; 200].join(".");
    assert!(compile(&doc! { "$set": { &deep: 1 } }).is_ok());
    assert!(matches!(compile(&doc! { "$set": { &deep: {} } }), Err(Error::LimitExceeded { .. })));
    assert!(matches!(compile(&doc! { "$set": { format!("{deep}.a"): 1 } }), Err(Error::LimitExceeded { .. })));
    let half = "x".repeat(9 << 20);
    let text = doc! { "$set": { "b": &half } };
    assert!(matches!(update(doc! { "a": &half }, text), Err(Error::LimitExceeded { limit: "document bytes", .. })));
}

#[test]
fn what_is_no_update_is_refused_with_the_number_for_it() {
    for (text, number) in [
        (doc! { "$set": { "a": 1 }, "b": 1 }, 9),
        (doc! { "$set": 1 }, 9),
        (doc! { "$sett": { "a": 1 } }, 9),
        (doc! { "$set": { "a..b": 1 } }, 56),
        (doc! { "$set": { "a.": 1 } }, 56),
        (doc! { "$set": { ".a": 1 } }, 56),
        (doc! { "$set": { "": 1 } }, 56),
        (doc! { "$set": { "$a": 1 } }, 52),
        (doc! { "$set": { "$": 1 } }, 2),
        (doc! { "$set": { "$[]": 1 } }, 2),
        (doc! { "$set": { "a.$.b.$": 1 } }, 2),
        (doc! { "$set": { "a\0": 1 } }, 2),
        (doc! {}, 2),
        (doc! { "a": 1 }, 2),
    ] {
        assert_eq!(code(compile(&text)), number, "{text}");
    }
}

// Class 9 of the review: `$set: {"a.$bad": 1}`.
// SEM: DOC-UPD-11
#[test]
fn a_name_below_the_top_may_begin_with_a_dollar_sign() {
    assert_eq!(updated(doc! {}, doc! { "$set": { "a.$bad": 1 } }), doc! { "a": { "$bad": 1 } });
    let counted = updated(doc! { "a": { "$n": 5 } }, doc! { "$inc": { "a.$n": 1 }, "$set": { "a.b": { "$c": 1 } } });
    assert_eq!(counted, doc! { "a": { "$n": 6, "b": { "$c": 1 } } });
}

#[test]
fn operators_without_fields_change_nothing() {
    let names = ["$set", "$unset", "$inc", "$push", "$pull", "$rename", "$currentDate", "$bit", "$setOnInsert"];
    for name in names {
        assert_eq!(update(doc! { "a": 1 }, doc! { name: {} }).unwrap(), None, "{name}");
    }
}

#[test]
fn a_pipeline_makes_one_document_of_one_and_keeps_its_id() {
    let old = doc! { "_id": 1, "a": 2, "b": 3 };
    let new = |stages: Vec<Document>| update(old.clone(), stages);
    let sum = doc! { "$set": { "c": { "$add": ["$a", "$b"] } } };
    assert_eq!(new(vec![sum, doc! { "$unset": "a" }]).unwrap(), Some(doc! { "_id": 1, "b": 3, "c": 5 }));
    assert_eq!(new(vec![doc! { "$replaceWith": { "x": "$a" } }]).unwrap(), Some(doc! { "_id": 1, "x": 2 }));
    assert_eq!(new(vec![doc! { "$set": { "a": 2 } }]).unwrap(), None, "nothing has changed");
    assert_eq!(new(vec![]).unwrap(), None);
    assert_eq!(code(new(vec![doc! { "$set": { "_id": 2 } }])), 66);
    assert_eq!(code(new(vec![doc! { "$match": { "a": 2 } }])), 72);
    assert_eq!(code(new(vec![doc! { "$nothing": 1 }])), 40_324);
    let filters = [doc! { "x": 1 }];
    assert_eq!(code(filtered(doc! {}, vec![doc! { "$set": { "a": 1 } }], &filters, None)), 9);
}
