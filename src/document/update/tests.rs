#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]

use bson::{Bson, Decimal128, Document, RawDocumentBuf, bson, doc};
use proptest::prelude::*;

use super::{Occasion, Update};
use crate::document::expression::{Context, Names};
use crate::document::filter::Filter;
use crate::error::{Error, InvalidKind, Result};

fn compile(text: &Document) -> Result<Update> {
    Update::compile(&text.clone().into(), &[], &Names::default())
}

fn update(document: Document, text: Document) -> Result<Option<Document>> {
    let raw = RawDocumentBuf::try_from(&document).unwrap();
    let context = Context::new(bson::DateTime::from_millis(0), 0, Vec::new());
    let occasion = Occasion { context: &context, filter: &Filter::all(), inserts: false };
    let new = compile(&text)?.apply(&raw, occasion)?;
    Ok(new.map(|new| Document::try_from(&new).unwrap()))
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
fn what_is_no_update_is_refused() {
    for text in [
        doc! { "$nope": { "a": 1 } },
        doc! { "$set": { "a.$[x]": 1 } },
        doc! { "$set": { "a.$.b.$": 1 } },
        doc! { "$pop": { "a": 2 } },
        doc! { "$rename": { "a": "a" } },
        doc! { "$push": { "a": { "$each": [1], "$nope": 1 } } },
        doc! {},
        doc! { "a": 1 },
        doc! { "$set": { "a": 1 }, "b": 1 },
        doc! { "$set": 1 },
        doc! { "$set": { "a..b": 1 } },
        doc! { "$set": { "": 1 } },
        doc! { "$set": { "$b": 1 } },
        doc! { "$set": { "a\0": 1 } },
    ] {
        assert!(matches!(compile(&text), Err(Error::Invalid { .. })), "{text}");
    }
}

/// `$set` and `$unset` of one path, on an owned document, part by part.
fn set(value: &mut Bson, parts: &[&str], new: Option<&Bson>) -> Result<(), InvalidKind> {
    let (first, rest) = parts.split_first().unwrap();
    match value {
        Bson::Document(document) => match (document.get_mut(first), new) {
            (None, None) => {}
            (Some(_), None) if rest.is_empty() => drop(document.remove(first)),
            (_, Some(new)) if rest.is_empty() => drop(document.insert(*first, new.clone())),
            (Some(inner), _) => set(inner, rest, new)?,
            (None, Some(_)) => {
                let mut inner = Bson::Document(doc! {});
                set(&mut inner, rest, new)?;
                document.insert(*first, inner);
            }
        },
        Bson::Array(elements) => match (first.parse::<usize>(), new) {
            (Err(_), Some(_)) => return Err(InvalidKind::PathNotViable),
            (Err(_), None) => {}
            (Ok(position), None) if position >= elements.len() => {}
            (Ok(position), _) => {
                let missing = position >= elements.len();
                elements.resize(elements.len().max(position + 1), Bson::Null);
                if rest.is_empty() {
                    elements[position] = new.cloned().unwrap_or(Bson::Null);
                } else {
                    if missing {
                        elements[position] = Bson::Document(doc! {});
                    }
                    set(&mut elements[position], rest, new)?;
                }
            }
        },
        _ if new.is_some() => return Err(InvalidKind::PathNotViable),
        _ => {}
    }
    Ok(())
}

fn value() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![Just(Bson::Null), (0..3).prop_map(Bson::Int32), Just(Bson::from("x"))];
    leaf.prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
            prop::collection::vec(("[ab01]", inner), 0..3)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab01]", 1..4).prop_map(|parts| parts.join("."))
}

proptest! {
    #[test]
    fn a_single_change_agrees_with_the_same_on_an_owned_document(
        old in prop::collection::vec(("[ab01]", value()), 0..4),
        path in path(),
        new in prop::option::of(value()),
    ) {
        let old: Document = old.into_iter().collect();
        let unset = doc! { "$unset": { &path: "" } };
        let text = new.as_ref().map_or(unset, |new| doc! { "$set": { &path: new.clone() } });
        let mut model = Bson::Document(old.clone());
        let modelled = set(&mut model, &path.split('.').collect::<Vec<_>>(), new.as_ref()).map(|()| model);
        match (update(old.clone(), text), modelled) {
            (Ok(new), Ok(Bson::Document(model))) => prop_assert_eq!(new.unwrap_or(old), model),
            (Err(Error::Invalid { kind, .. }), Err(model)) => prop_assert_eq!(kind, model),
            (new, model) => prop_assert!(false, "{:?} but {:?}", new, model),
        }
    }

    // SEM: DOC-UPD-3
    #[test]
    fn several_changes_are_single_ones_in_the_order_of_their_paths(
        old in prop::collection::vec(("[ab01]", value()), 0..4),
        changes in prop::collection::btree_map(path(), prop::option::of(value()), 1..4),
    ) {
        let old: Document = old.into_iter().collect();
        let (mut sets, mut unsets) = (Document::new(), Document::new());
        let mut model = Ok(Bson::Document(old.clone()));
        // With one-character parts the order of the text is the order of the paths.
        for (path, new) in &changes {
            match new {
                Some(new) => drop(sets.insert(path.clone(), new.clone())),
                None => drop(unsets.insert(path.clone(), "")),
            }
            model = model.and_then(|mut model| {
                set(&mut model, &path.split('.').collect::<Vec<_>>(), new.as_ref()).map(|()| model)
            });
        }
        let prefixed = changes.keys().any(|a| changes.keys().any(|b| b.starts_with(&format!("{a}."))));
        match (update(old.clone(), doc! { "$set": sets, "$unset": unsets }), model) {
            (Err(Error::Invalid { kind: InvalidKind::ConflictingUpdate, .. }), _) => prop_assert!(prefixed),
            (Ok(new), Ok(Bson::Document(model))) => prop_assert_eq!(new.unwrap_or(old), model),
            (Err(Error::Invalid { kind, .. }), Err(model)) => prop_assert_eq!(kind, model),
            (new, model) => prop_assert!(false, "{:?} but {:?}", new, model),
        }
    }
}

fn code(document: Document, text: Document) -> Option<i32> {
    use crate::document::code::Code;
    let error = update(document.clone(), text.clone()).expect_err(&format!("{text} of {document}"));
    Code::of(&error).map(Code::number)
}

#[test]
fn paths_that_lead_nowhere_have_their_numbers() {
    let cases = [
        (doc! { "_id": 1, "a": 1 }, doc! { "$rename": { "a": "_id" } }, 66),
        (doc! { "x": 1, "a": [1] }, doc! { "$rename": { "x": "a.0" } }, 2),
        (doc! { "a": 1 }, doc! { "$rename": { "a.b": "c" } }, 28),
        (doc! { "a": 1 }, doc! { "$rename": { "a": "$b" } }, 52),
        (doc! { "a": 1 }, doc! { "$rename": { "a": "b\0" } }, 9_867_600),
        (doc! { "a": "text" }, doc! { "$pop": { "a.b": 1 } }, 28),
        (doc! { "a": [{ "b": [1] }] }, doc! { "$pop": { "a.b": 1 } }, 28),
        (doc! { "a": 5 }, doc! { "$set": { "a.$[]": 1 } }, 2),
        (doc! { "a": 5 }, doc! { "$max": { "$": 1 } }, 2),
        (doc! { "a": [] }, doc! { "$addToSet": { "a": { "$each": 1 } } }, 14),
        (doc! { "a": [] }, doc! { "$push": { "a": { "$each": 1 } } }, 2),
    ];
    for (document, text, number) in cases {
        assert_eq!(code(document, text.clone()), Some(number), "{text}");
    }
}

#[test]
fn modifiers_without_each_are_pushed_and_pulls_take_conditions() {
    assert_eq!(
        updated(doc! { "a": [1] }, doc! { "$push": { "a": { "$slice": -2 } } }),
        doc! { "a": [1, { "$slice": -2 }] }
    );
    let pulls = [
        (
            bson!([{ "x": 1, "y": 5 }, { "x": 3, "y": 8 }]),
            bson!({ "$and": [{ "x": { "$gte": 3 } }, { "y": 8 }] }),
            bson!([{ "x": 1, "y": 5 }]),
        ),
        (bson!([{ "x": 1 }, { "x": 5 }]), bson!({ "$or": [{ "x": { "$lt": 2 } }, { "x": 9 }] }), bson!([{ "x": 5 }])),
        (bson!([[1, 2], [1, 2, 3], [2, 3]]), bson!({ "$all": [1, 2] }), bson!([[2, 3]])),
    ];
    for (array, condition, rest) in pulls {
        let pulled = updated(doc! { "a": array }, doc! { "$pull": { "a": condition.clone() } });
        assert_eq!(pulled, doc! { "a": rest }, "{condition}");
    }
}

#[test]
fn paths_that_meet_at_an_element_change_it_together() {
    let raw = RawDocumentBuf::try_from(&doc! { "a": [{ "x": 1, "y": 1 }, { "x": 2, "y": 2 }] }).unwrap();
    let context = Context::new(bson::DateTime::from_millis(0), 0, Vec::new());
    let apply = |text: Document| {
        let filters = [doc! { "p.x": { "$gte": 1 } }, doc! { "q.y": { "$gte": 2 } }];
        let update = Update::compile(&text.into(), &filters, &Names::default()).unwrap();
        let occasion = Occasion { context: &context, filter: &Filter::all(), inserts: false };
        update.apply(&raw, occasion).map(|new| Document::try_from(&new.unwrap()).unwrap())
    };
    let both = doc! { "$set": { "a.$[p].x": 9, "a.$[q].y": 9 } };
    assert_eq!(apply(both).unwrap(), doc! { "a": [{ "x": 9, "y": 1 }, { "x": 9, "y": 9 }] });
    let same = doc! { "$set": { "a.$[p].x": 9, "a.$[q].x": 9 } };
    assert!(matches!(apply(same), Err(Error::Invalid { kind: InvalidKind::ConflictingUpdate, .. })));
}
