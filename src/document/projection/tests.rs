#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]

use bson::{Bson, DateTime, Document, RawDocumentBuf, bson, doc};
use proptest::prelude::*;

use super::Projection;
use crate::document::expression::{Context, Names};
use crate::error::{Error, Result};

fn context() -> Context {
    Context::new(DateTime::from_millis(0), 0, Vec::new())
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn project(document: Document, text: Document) -> Result<Document> {
    let new = Projection::compile(&text, &Names::default())?.apply(&raw(&document), &context())?;
    Ok(Document::try_from(&new).unwrap())
}

fn add(document: Document, text: Document) -> Document {
    let new =
        Projection::compile_addition(&text, &Names::default()).unwrap().apply(&raw(&document), &context()).unwrap();
    Document::try_from(&new).unwrap()
}

fn order() -> Document {
    doc! { "_id": 1, "b": 2, "a": 1, "c": { "y": 1, "x": 2 }, "d": [{ "p": 1, "q": 2 }, 5, [{ "p": 3 }], { "q": 4 }] }
}

/// Equality that sees the order of fields.
fn assert_same(left: Document, right: Document) {
    assert_eq!(raw(&left).as_bytes(), raw(&right).as_bytes(), "{left} is not {right}");
}

// SEM: DOC-PRJ-1
#[test]
fn inclusion_keeps_the_order_of_the_document_and_the_id() {
    assert_same(project(order(), doc! { "a": 1, "b": true }).unwrap(), doc! { "_id": 1, "b": 2, "a": 1 });
    assert_same(project(order(), doc! { "a": 1, "_id": 0 }).unwrap(), doc! { "a": 1 });
    assert_same(project(order(), doc! { "_id": 1 }).unwrap(), doc! { "_id": 1 });
    assert_same(project(order(), doc! { "c.x": 1, "_id": 0 }).unwrap(), doc! { "c": { "x": 2 } });
    assert_same(project(order(), doc! { "c": { "x": 1 }, "_id": 0 }).unwrap(), doc! { "c": { "x": 2 } });
    assert_same(project(order(), doc! { "a.x": 1, "zz": 1 }).unwrap(), doc! { "_id": 1 });
}

// SEM: DOC-PRJ-1
#[test]
fn exclusion_drops_what_it_names() {
    let rest = doc! { "_id": 1, "b": 2, "c": { "y": 1 } };
    assert_same(project(order(), doc! { "a": 0, "c.x": false, "d": 0 }).unwrap(), rest);
    let without_id = project(doc! { "_id": 1, "a": 1 }, doc! { "_id": 0 }).unwrap();
    assert_same(without_id, doc! { "a": 1 });
    assert_same(project(doc! { "_id": 1, "a": 1 }, doc! { "_id": 1, "a": 0 }).unwrap(), doc! { "_id": 1 });
    assert_same(project(order(), doc! {}).unwrap(), order());
}

// SEM: DOC-PRJ-1
#[test]
fn paths_lead_through_arrays() {
    let included = project(order(), doc! { "_id": 0, "d.p": 1 }).unwrap();
    assert_same(included, doc! { "d": [{ "p": 1 }, [{ "p": 3 }], {}] });
    let excluded = project(order(), doc! { "_id": 0, "a": 0, "b": 0, "c": 0, "d.p": 0 }).unwrap();
    assert_same(excluded, doc! { "d": [{ "q": 2 }, 5, [{}], { "q": 4 }] });
}

// SEM: DOC-PRJ-1
#[test]
fn inclusion_and_exclusion_do_not_mix() {
    for text in [doc! { "a": 1, "b": 0 }, doc! { "a": { "b": 1, "c": 0 } }, doc! { "a": 0, "t": "$b" }] {
        assert!(matches!(Projection::compile(&text, &Names::default()), Err(Error::Invalid { .. })), "{text}");
    }
    for text in [doc! { "a": 1, "a.b": 1 }, doc! { "a.b": 1, "a": { "b": 1 } }, doc! { "a": {} }, doc! { "a.": 1 }] {
        assert!(matches!(Projection::compile(&text, &Names::default()), Err(Error::Invalid { .. })), "{text}");
    }
}

// SEM: DOC-PRJ-1, DOC-AGG-10
#[test]
fn computed_fields_come_last_and_are_left_out_without_a_value() {
    let text = doc! { "total": { "$add": ["$a", "$b"] }, "a": 1, "none": "$zz", "b": "$c.y", "word": "plain" };
    let expected = doc! { "_id": 1, "a": 1, "total": 3, "b": 1, "word": "plain" };
    assert_same(project(order(), text).unwrap(), expected);
    assert_same(project(order(), doc! { "x": "$a", "_id": "$b" }).unwrap(), doc! { "_id": 2, "x": 1 });
    let nested = project(doc! { "a": [{ "b": 1 }, 7], "k": 9 }, doc! { "a.n": "$k", "z.y": "$k" }).unwrap();
    assert_same(nested, doc! { "a": [{ "n": 9 }, { "n": 9 }], "z": { "y": 9 } });
    assert_same(project(doc! { "a": [1, 2, 3] }, doc! { "s": { "$sum": "$a" } }).unwrap(), doc! { "s": 6 });
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    for (text, named) in [
        (doc! { "a": { "$elemMatch": { "b": 1 } } }, "projection operator $elemMatch"),
        (doc! { "a": { "$meta": "textScore" } }, "projection operator $meta"),
        (doc! { "a.$": 1 }, "positional operator $"),
        (doc! { "a": { "$function": {} } }, "expression operator $function"),
    ] {
        let error = Projection::compile(&text, &Names::default()).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature == named), "{text}: {error}");
    }
}

#[test]
fn an_addition_replaces_in_place_and_appends_what_is_new() {
    let added =
        add(doc! { "_id": 1, "a": 1, "b": 2 }, doc! { "a": "$b", "c": { "d": { "$add": ["$a", 1] } }, "e": "$zz" });
    assert_same(added, doc! { "_id": 1, "a": 2, "b": 2, "c": { "d": 2 } });
    assert_same(add(doc! { "a": [1, { "x": 1 }] }, doc! { "a.y": 2 }), doc! { "a": [{ "y": 2 }, { "x": 1, "y": 2 }] });
    assert_same(add(doc! { "a": 1 }, doc! { "a": "$$REMOVE" }), doc! {});
}

#[test]
fn a_removal_is_an_exclusion() {
    let projection = Projection::compile_removal(["a", "c.x"]).unwrap();
    let new =
        Document::try_from(&projection.apply(&raw(&doc! { "a": 1, "c": { "x": 1, "y": 2 } }), &context()).unwrap())
            .unwrap();
    assert_same(new, doc! { "c": { "y": 2 } });
    assert!(Projection::compile_removal(["a", "a.b"]).is_err());
    let endless = vec!["a"; 1_000_000].join(".");
    assert!(matches!(Projection::compile_removal([&*endless]), Err(Error::LimitExceeded { .. })));
}

#[test]
fn the_result_keeps_the_limits_of_a_document() {
    let deep = (0..198).fold(bson!({}), |inner, _| bson!({ "a": inner }));
    let document = doc! { "a": deep };
    assert!(project(document.clone(), doc! { "r": "$a" }).is_ok());
    let deeper = project(document, doc! { "r": { "s": "$$ROOT" } });
    assert!(matches!(deeper, Err(Error::LimitExceeded { .. })));
    let wide = doc! { "a": "x".repeat(9 << 20) };
    assert!(matches!(project(wide, doc! { "a": 1, "b": "$a" }), Err(Error::LimitExceeded { .. })));
}

fn value() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![Just(Bson::Null), (0..3).prop_map(Bson::Int32)];
    leaf.prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
            prop::collection::vec(("[abc]", inner), 0..4)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

/// Inclusion or exclusion of one path, on an owned value.
fn modelled(value: &Bson, parts: &[&str], include: bool) -> Option<Bson> {
    match value {
        Bson::Array(elements) => {
            Some(Bson::Array(elements.iter().filter_map(|element| modelled(element, parts, include)).collect()))
        }
        Bson::Document(document) => {
            let mut new = Document::new();
            for (name, value) in document {
                let kept = match (name == parts[0], parts.len()) {
                    (false, _) => (!include).then(|| value.clone()),
                    (true, 1) => include.then(|| value.clone()),
                    (true, _) => modelled(value, &parts[1..], include),
                };
                new.extend(kept.map(|value| (name.clone(), value)));
            }
            Some(new.into())
        }
        scalar => (!include).then(|| scalar.clone()),
    }
}

proptest! {
    // SEM: DOC-PRJ-1
    #[test]
    fn one_path_agrees_with_the_same_on_an_owned_document(
        document in prop::collection::vec(("[abc]", value()), 0..4),
        parts in prop::collection::vec("[abc]", 1..4),
        include: bool,
    ) {
        let document: Document = document.into_iter().collect();
        let new = project(document.clone(), doc! { parts.join("."): include }).unwrap();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        prop_assert_eq!(Some(Bson::Document(new)), modelled(&document.into(), &parts, include));
    }
}

#[test]
fn a_find_shows_parts_of_arrays() {
    use std::sync::Arc;

    use crate::document::code::Code;
    let document = doc! { "_id": 1, "a": [1, 2, 3, 4], "b": [{ "k": 1 }, { "k": 2, "v": 5 }], "c": 7 };
    let raw = RawDocumentBuf::try_from(&document).unwrap();
    let context = Context::new(bson::DateTime::from_millis(0), 0, Vec::new());
    let filter = Arc::new(crate::document::filter::Filter::compile(&doc! { "b.k": 2 }, &Names::default()).unwrap());
    let shown = |text: bson::Document| {
        let projection = Projection::compile_query(&text, &Names::default(), &filter)?;
        projection.apply(&raw, &context).map(|shown| bson::Document::try_from(&shown).unwrap())
    };
    let b = document.get_array("b").unwrap().clone();
    let cases = [
        (doc! { "a": { "$slice": 2 } }, doc! { "_id": 1, "a": [1, 2], "b": b.clone(), "c": 7 }),
        (doc! { "a": { "$slice": -1 }, "c": 0, "b": 0 }, doc! { "_id": 1, "a": [4] }),
        (doc! { "a": { "$slice": [-3, 2] }, "c": 1 }, doc! { "_id": 1, "a": [2, 3], "c": 7 }),
        (doc! { "c": { "$slice": 1 }, "a": 1 }, doc! { "_id": 1, "a": [1, 2, 3, 4], "c": 7 }),
        (
            doc! { "b": { "$elemMatch": { "k": { "$gt": 1 } } }, "c": 1 },
            doc! { "_id": 1, "c": 7, "b": [{ "k": 2, "v": 5 }] },
        ),
        (doc! { "b": { "$elemMatch": { "k": 9 } } }, doc! { "_id": 1 }),
        (doc! { "a": { "$elemMatch": { "$gte": 3 } } }, doc! { "_id": 1, "a": [3] }),
        (doc! { "b.$": 1 }, doc! { "_id": 1, "b": [{ "k": 2, "v": 5 }] }),
        (doc! { "a.$": 1, "c": 1 }, doc! { "_id": 1, "a": [2], "c": 7 }),
        (doc! { "s": { "$slice": ["$a", 1] } }, doc! { "_id": 1, "s": [1] }),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text.clone()).unwrap(), expected, "{text}");
    }
    let mistakes = [
        (doc! { "a": { "$slice": [1, 0] } }, Code::SLICE_TYPE),
        (doc! { "a.b": { "$elemMatch": {} } }, Code::ELEM_MATCH_NESTED),
        (doc! { "a": { "$elemMatch": 1 } }, Code::ELEM_MATCH_NOT_OBJECT),
        (doc! { "a.$": 1, "b.$": 1 }, Code::POSITIONAL_TWICE),
        (doc! { "a.$.b": 1 }, Code::POSITIONAL_IN_MIDDLE),
        (doc! { "x": { "a.$": 1 } }, Code::POSITIONAL_IN_MIDDLE),
        (doc! { "a.$": 0 }, Code::POSITIONAL_IN_EXCLUSION),
        (doc! { "a.$": "$c" }, Code::POSITIONAL_VALUE),
        (doc! { "a.$": 1, "b": { "$elemMatch": { "k": 1 } } }, Code::POSITIONAL_AND_ELEM_MATCH),
    ];
    for (text, code) in mistakes {
        assert_eq!(Code::of(&shown(text.clone()).unwrap_err()), Some(code), "{text}");
    }
}
