#![expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]

use bson::{RawDocumentBuf, bson, doc};

use super::*;

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn keys(pattern: Document, document: Document) -> Keys {
    Pattern::parse(&pattern).unwrap().keys(&raw(&document), false).unwrap()
}

/// The keys of documents that have these values in the fields of `pattern` and no arrays.
fn expected(pattern: &Document, rows: &[&[Bson]]) -> Vec<Vec<u8>> {
    let row = |row: &&[Bson]| -> Vec<u8> {
        let mut key = Vec::new();
        for (value, direction) in row.iter().zip(pattern.values()) {
            put_field(&mut key, &Value::from(value), direction == &Bson::Int32(-1), Order::SIMPLE).unwrap();
        }
        key
    };
    let mut keys: Vec<_> = rows.iter().map(row).collect();
    keys.sort();
    keys
}

#[track_caller]
fn assert_keys(pattern: Document, document: Document, rows: &[&[Bson]], multikey: u32) {
    let found = keys(pattern.clone(), document);
    assert_eq!(found, Keys { encoded: expected(&pattern, rows).into(), multikey, ..Keys::default() });
}

// SEM: DOC-IDX-3
#[test]
fn an_array_has_one_key_per_distinct_element() {
    assert_keys(doc! { "a": 1 }, doc! { "a": [2, 1, 2.0] }, &[&[bson!(1)], &[bson!(2)]], 1);
    assert_keys(
        doc! { "a": 1, "b": -1 },
        doc! { "a": 7, "b": [1, 2] },
        &[&[bson!(7), bson!(1)], &[bson!(7), bson!(2)]],
        2,
    );
    assert_keys(doc! { "a": 1 }, doc! { "a": [[1, 2]] }, &[&[bson!([1, 2])]], 1);
}

// SEM: DOC-IDX-3
#[test]
fn an_empty_array_has_a_key_below_null() {
    let empty = keys(doc! { "a": 1 }, doc! { "a": [] });
    let null = keys(doc! { "a": 1 }, doc! { "a": null });
    assert!(empty.encoded < null.encoded);
    assert_eq!(empty.multikey, 1);
    assert_eq!(keys(doc! { "a": 1 }, doc! {}), null, "missing counts as null");
    assert_keys(doc! { "a.b": 1 }, doc! { "a": [] }, &[&[Bson::Null]], 1);
}

#[test]
fn paths_through_one_array_walk_it_together() {
    let document = doc! { "a": [{ "b": 1, "c": 9 }, { "b": 2 }, 7] };
    let rows: &[&[Bson]] = &[&[bson!(1), bson!(9)], &[bson!(2), Bson::Null], &[Bson::Null, Bson::Null]];
    assert_keys(doc! { "a.b": 1, "a.c": 1 }, document, rows, 3);
}

// SEM: DOC-IDX-3, DOC-SORT-3
#[test]
fn parallel_arrays_are_refused() {
    let pattern = Pattern::parse(&doc! { "a": 1, "b": 1 }).unwrap();
    for document in [doc! { "a": [1], "b": [1] }, doc! { "a": [], "b": [] }] {
        let error = pattern.keys(&raw(&document), false).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::ParallelArrays, .. }), "{error}");
    }
}

// SEM: DOC-FLT-6
#[test]
fn a_number_in_a_path_is_a_position() {
    assert_keys(doc! { "a.1": 1 }, doc! { "a": [5, 7] }, &[&[bson!(7)]], 0);
    assert_keys(doc! { "a.0": 1 }, doc! { "a": [[1, 2], 3] }, &[&[bson!(1)], &[bson!(2)]], 1);
    assert_keys(doc! { "a.0.b": 1 }, doc! { "a": [{ "b": 4 }] }, &[&[bson!(4)]], 0);
    assert_keys(doc! { "a.1": 1 }, doc! { "a": { "1": 4 } }, &[&[bson!(4)]], 0);
    let ambiguous = Pattern::parse(&doc! { "a.0": 1 }).unwrap().keys(&raw(&doc! { "a": [{ "0": 1 }] }), false);
    assert!(ambiguous.is_err());
}

/// Sorts like a collection does: by sort key, ties in order of insertion.
fn sorted(direction: i32, mut values: Vec<Document>) -> Vec<Document> {
    let pattern = Pattern::parse(&doc! { "a": direction }).unwrap();
    values.sort_by_key(|document| pattern.sort_key(&raw(document)).unwrap());
    values
}

// SEM: DOC-SORT-1, DOC-SORT-2
#[test]
fn sorting_takes_the_smallest_element_ascending_and_the_largest_descending() {
    let collection = vec![doc! {}, doc! { "a": 1 }, doc! { "a": [] }, doc! { "a": [1] }, doc! { "a": [0, 1] }];
    let ascending = [doc! { "a": [] }, doc! {}, doc! { "a": [0, 1] }, doc! { "a": 1 }, doc! { "a": [1] }];
    let descending = [doc! { "a": 1 }, doc! { "a": [1] }, doc! { "a": [0, 1] }, doc! {}, doc! { "a": [] }];
    assert_eq!(sorted(1, collection.clone()), ascending);
    assert_eq!(sorted(-1, collection), descending);
}

// SEM: DOC-SORT-2
#[test]
fn arrays_sort_as_the_original_reports() {
    let key = |value: Bson| {
        let document = raw(&doc! { "a": value });
        Pattern::parse(&doc! { "a": 1 }).unwrap().sort_key(&document).unwrap()
    };
    assert!(key(bson!([])) < key(Bson::Null));
    assert_eq!(key(Bson::Null), key(bson!([1, null])));
    let rising =
        [bson!([1, null]), bson!([1, 2, 0]), bson!([1]), bson!([2]), bson!(["a"]), bson!([[1]]), bson!([[1, 2]])];
    assert!(rising.windows(2).all(|pair| key(pair[0].clone()) < key(pair[1].clone())));
    for same in [bson!([1, 2]), bson!([1, 3]), bson!([1, "a"])] {
        assert_eq!(key(same), key(bson!([1])));
    }
}

// SEM: DOC-IDX-6
#[test]
fn a_sparse_key_has_a_field() {
    let pattern = Pattern::parse(&doc! { "a": 1, "b.c": 1 }).unwrap();
    let count = |document| pattern.keys(&raw(&document), true).unwrap().encoded.len();
    assert_eq!((count(doc! {}), count(doc! { "b": 1 }), count(doc! { "b": {} })), (0, 0, 0));
    assert_eq!((count(doc! { "a": null }), count(doc! { "b": { "c": null } }), count(doc! { "a": [] })), (1, 1, 1));
    assert_eq!(count(doc! { "b": [{ "c": 1 }, {}, 7] }), 1, "elements without the field have no key");
}

#[test]
fn patterns_that_no_index_has_are_refused() {
    for bad in [doc! {}, doc! { "$a": 1 }, doc! { "": 1 }] {
        assert!(Pattern::parse(&bad).is_err(), "{bad}");
    }
    let many = (0..33).map(|n| (n.to_string(), Bson::Int32(1))).collect();
    assert!(matches!(Pattern::parse(&many).unwrap_err(), Error::LimitExceeded { max: 32, .. }));
    let twice = [("a".to_owned(), By::Ascending), ("a".to_owned(), By::Hash)];
    assert!(Pattern::of_index(twice.into_iter(), false).is_err());
    assert_eq!(
        Pattern::parse(&doc! { "user_id": 1.5, "at": -3 }).unwrap().to_document(),
        doc! { "user_id": 1, "at": -1 }
    );
}
