#![expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]

use bson::{RawDocumentBuf, doc};

use super::*;
use crate::document::index_key;

fn parse(keys: Document) -> Result<(IndexKind, Pattern)> {
    IndexKind::parse(&keys, None)
}

fn with(keys: Document, projection: Document) -> Result<(IndexKind, Pattern)> {
    IndexKind::parse(&keys, Some(&projection))
}

fn keys((kind, pattern): &(IndexKind, Pattern), document: Document) -> Result<Keys> {
    kind.keys(pattern, &RawDocumentBuf::try_from(&document).unwrap(), false)
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> i32 {
    Code::of(&outcome.unwrap_err()).unwrap().number()
}

#[test]
fn a_kind_follows_from_the_keys() {
    assert_eq!(parse(doc! { "a": 1, "b": -2.5 }).unwrap().0, IndexKind::Ordered);
    assert_eq!(parse(doc! { "a": "hashed", "b": f64::INFINITY }).unwrap().0, IndexKind::Hashed);
    assert!(matches!(parse(doc! { "$**": -1 }).unwrap().0, IndexKind::Wildcard(_)));
    assert!(matches!(parse(doc! { "a.b.$**": 1, "c": 1 }).unwrap().0, IndexKind::Wildcard(_)));
}

#[test]
fn keys_that_no_index_has_are_refused() {
    for refused in [
        doc! { "a": 0 },
        doc! { "a": f64::NAN },
        doc! { "a": true },
        doc! { "a": {} },
        doc! { "a": "sorted" },
        doc! { "$a": 1 },
        doc! { "": 1 },
        doc! {},
        doc! { "$**": "hashed" },
        doc! { "$**": 1, "a.$**": 1 },
        doc! { "a.$**": 1, "b": "hashed" },
        doc! { "a": 1, "$**": 1 },
        doc! { "a.b": 1, "a.$**": 1 },
    ] {
        assert_eq!(code(parse(refused.clone())), 67, "{refused}");
    }
    assert_eq!(code(parse(doc! { "a": "hashed", "b": "hashed" })), 31_303);
    for kind in UNMODELLED {
        assert!(matches!(parse(doc! { "a": kind }), Err(Error::Unsupported { .. })), "{kind}");
    }
}

#[test]
fn a_projection_is_for_all_fields_and_of_one_kind() {
    for (index, projection) in [
        (doc! { "a": 1 }, doc! { "b": 1 }),
        (doc! { "a.$**": 1 }, doc! { "b": 1 }),
        (doc! { "$**": 1 }, doc! {}),
        (doc! { "a": 1, "$**": 1 }, doc! { "b": 0 }),
        (doc! { "a": 1, "$**": 1 }, doc! { "a.b": 1 }),
    ] {
        assert_eq!(code(with(index.clone(), projection)), 67, "{index}");
    }
    assert_eq!(code(with(doc! { "$**": 1 }, doc! { "a": 1, "b": 0 })), 9);
    assert!(with(doc! { "a": 1, "$**": 1 }, doc! { "a": 0 }).is_ok());
    assert!(with(doc! { "$**": 1, "a": 1 }, doc! { "b": 1 }).is_ok());
}

// SEM: DOC-ORD-3
#[test]
fn equal_values_have_one_hash_and_arrays_none() {
    let index = parse(doc! { "a": "hashed" }).unwrap();
    let one = keys(&index, doc! { "a": 1 }).unwrap();
    assert_eq!(one, keys(&index, doc! { "a": 1.0 }).unwrap());
    assert_ne!(one, keys(&index, doc! { "a": "1" }).unwrap());
    assert_eq!(keys(&index, doc! {}).unwrap(), keys(&index, doc! { "a": null }).unwrap());
    assert_eq!(code(keys(&index, doc! { "a": [1] })), 16_766);
}

/// The paths that have entries, each with how many.
fn paths(index: &(IndexKind, Pattern), document: Document) -> Vec<(String, usize)> {
    let directions = index.0.wildcard().unwrap().directions(&index.1);
    let mut paths: Vec<(String, usize)> = Vec::new();
    for key in keys(index, document).unwrap().encoded {
        assert_eq!(index_key::fields_len(&key, directions.clone()).unwrap(), key.len());
        let before = index_key::fields_len(&key, directions.iter().take(directions.len() - 2).copied()).unwrap();
        // The class, and the two bytes at the end.
        let path = key[before..].split(|byte| *byte == 0).next().unwrap();
        let path = String::from_utf8(path[1..].to_vec()).unwrap();
        match paths.last_mut() {
            Some((last, count)) if *last == path => *count += 1,
            _ => paths.push((path, 1)),
        }
    }
    paths
}

fn counted(paths: &[(&str, usize)]) -> Vec<(String, usize)> {
    paths.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
}

#[test]
fn a_wildcard_has_a_key_for_each_value_at_each_path() {
    let all = parse(doc! { "$**": 1 }).unwrap();
    let document = doc! { "_id": 1, "a": 1, "b": { "c": [1, 2, 2, [3], { "d": 4 }], "e": {} }, "f": [] };
    assert_eq!(paths(&all, document.clone()), counted(&[("a", 1), ("b.c", 3), ("b.c.d", 1), ("b.e", 1), ("f", 1)]));
    assert_eq!(keys(&all, document.clone()).unwrap().array_paths, ["b.c", "f"]);
    assert!(keys(&all, doc! { "_id": 1 }).unwrap().encoded.is_empty());
    let below = parse(doc! { "b.$**": -1 }).unwrap();
    assert_eq!(paths(&below, document.clone()), counted(&[("b.c", 3), ("b.c.d", 1), ("b.e", 1)]));
    let of_array = parse(doc! { "a.b.$**": 1 }).unwrap();
    assert_eq!(paths(&of_array, doc! { "a": [{ "b": 1 }, { "b": { "c": 2 } }] }), counted(&[("a.b", 1), ("a.b.c", 1)]));
    assert_eq!(keys(&of_array, doc! { "a": [{ "b": 1 }] }).unwrap().array_paths, ["a"]);
    let projected = |projection| paths(&with(doc! { "$**": 1 }, projection).unwrap(), document.clone());
    assert_eq!(projected(doc! { "b.c": 1, "_id": 1 }), counted(&[("_id", 1), ("b.c", 3), ("b.c.d", 1)]));
    assert_eq!(projected(doc! { "b": { "c": 0 }, "f": 0 }), counted(&[("a", 1), ("b.e", 1)]));
    assert_eq!(projected(doc! { "_id": 1 }), counted(&[("_id", 1)]));
}

#[test]
fn a_document_without_what_a_wildcard_is_of_has_one_key_when_there_are_fields_beside() {
    let index = with(doc! { "a": 1, "$**": 1 }, doc! { "a": 0 }).unwrap();
    assert_eq!(keys(&index, doc! { "a": 1 }).unwrap().encoded.len(), 1);
    assert_eq!(paths(&index, doc! { "a": 1, "b": 2, "c": [3, 4] }), counted(&[("b", 1), ("c", 2)]));
    assert_eq!(code(keys(&index, doc! { "a": [1] })), 7_246_301);
}
