//! A query answers the same with and without indexes, and what the filter says.
//!
//! Documents, filters and sorts are random, over few paths and few values, so that ties, arrays, missing fields and values
//! of several types meet. The reference is a collection without indexes; updates and deletes go to both.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use larder::bson::oid::ObjectId;
use larder::bson::spec::BinarySubtype;
use larder::bson::{Binary, Bson, DateTime, Decimal128, JavaScriptCodeWithScope, Regex, Timestamp, bson, doc};
use larder::document::IndexOptions;
use larder::{Collection, Document, Store};
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = Bson> {
    prop_oneof![
        4 => (-1i32..4).prop_map(Bson::Int32),
        1 => (0i64..3).prop_map(Bson::Int64),
        1 => prop_oneof![Just(1.0), Just(1.5), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY)].prop_map(Bson::Double),
        1 => prop_oneof![Just("1.00"), Just("1.5"), Just("NaN")].prop_map(|text| Bson::Decimal128(decimal(text))),
        2 => Just(Bson::Null),
        2 => prop_oneof![Just(""), Just("a"), Just("b")].prop_map(|text| Bson::String(text.to_owned())),
        1 => any::<bool>().prop_map(Bson::Boolean),
        1 => prop_oneof![Just(Bson::MinKey), Just(Bson::MaxKey)],
    ]
}

fn decimal(text: &str) -> Decimal128 {
    text.parse().unwrap()
}

fn object() -> impl Strategy<Value = Document> {
    prop::collection::vec((prop_oneof![Just("x"), Just("y")], scalar()), 0..3).prop_map(into_document)
}

fn into_document(fields: Vec<(&str, Bson)>) -> Document {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn value() -> impl Strategy<Value = Bson> {
    let flat = || prop_oneof![3 => scalar().boxed(), 1 => object().prop_map(Bson::Document).boxed()];
    let array = || prop::collection::vec(flat(), 0..4).prop_map(Bson::Array);
    let nested = prop::collection::vec(prop_oneof![flat().boxed(), array().boxed()], 0..3).prop_map(Bson::Array);
    prop_oneof![5 => flat().boxed(), 2 => array().boxed(), 1 => nested.boxed()]
}

/// At most one of the fields that are indexed together is an array, so that inserting is not refused.
fn document() -> impl Strategy<Value = Document> {
    let one = (prop_oneof![Just("a"), Just("b")], value(), prop_oneof![Just("a"), Just("b")], scalar());
    one.prop_map(|(first, value, second, scalar)| {
        let mut document = Document::new();
        document.insert(first, value);
        if first != second {
            document.insert(second, scalar);
        }
        document
    })
}

fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("a"), 2 => Just("b"), 1 => Just("a.x"), 1 => Just("a.y"), 1 => Just("a.0"), 1 => Just("a.1.x")]
}

fn condition() -> impl Strategy<Value = Bson> {
    let range = prop_oneof![Just("$gt"), Just("$gte"), Just("$lt"), Just("$lte")];
    let operators = prop_oneof![
        (range.clone(), value()).prop_map(|(operator, value)| doc! { operator: value }),
        (range.clone(), scalar(), range, scalar()).prop_map(|(one, low, two, high)| doc! { one: low, two: high }),
        prop::collection::vec(value(), 0..4).prop_map(|values| doc! { "$in": values }),
        prop::collection::vec(scalar(), 0..3).prop_map(|values| doc! { "$nin": values }),
        (prop_oneof![Just("$eq"), Just("$ne")], value()).prop_map(|(operator, value)| doc! { operator: value }),
        any::<bool>().prop_map(|exists| doc! { "$exists": exists }),
        scalar().prop_map(|value| doc! { "$not": { "$gte": value } }),
    ];
    prop_oneof![2 => value(), 3 => operators.prop_map(Bson::Document)]
}

fn filter() -> impl Strategy<Value = Document> {
    let flat = prop::collection::vec((path(), condition()), 0..3).prop_map(into_document);
    flat.prop_recursive(2, 6, 3, |inner| {
        let clauses = prop::collection::vec(inner.clone(), 1..3);
        (inner, prop_oneof![Just("$and"), Just("$or"), Just("$nor")], clauses).prop_map(
            |(mut filter, operator, clauses)| {
                filter.insert(operator, clauses);
                filter
            },
        )
    })
}

fn sort() -> impl Strategy<Value = Document> {
    let direction = || prop_oneof![Just(Bson::Int32(1)), Just(Bson::Int32(-1))];
    let path = prop_oneof![path(), Just("a"), Just("b")];
    prop::collection::vec((path, direction()), 0..3).prop_map(into_document)
}

/// Documents that are mostly arrays, of few values.
fn array_document() -> impl Strategy<Value = Document> {
    let small = || 0i32..6;
    let pair = (small(), small()).prop_map(|(x, y)| bson!({ "x": x, "y": y }));
    let element = prop_oneof![2 => small().prop_map(Bson::Int32).boxed(), 1 => pair.boxed()];
    (prop::collection::vec(element, 0..4), small()).prop_map(|(a, b)| doc! { "a": a, "b": b })
}

/// Documents without arrays, of few values: an index over them can give a sort.
fn flat_document() -> impl Strategy<Value = Document> {
    let small = || prop::option::of(0i32..4);
    (small(), small(), prop::option::weighted(0.2, object())).prop_map(|(a, b, inner)| {
        let mut document = doc! { "b": b };
        match (a, inner) {
            (_, Some(inner)) => drop(document.insert("a", inner)),
            (Some(a), None) => drop(document.insert("a", a)),
            (None, None) => {}
        }
        document
    })
}

/// A text around the bound past which a key does not have all of it.
fn long_text(change: i32, last: &str) -> String {
    let length = i32::try_from(larder::limits::INDEX_COMPONENT_BYTES_MAX).unwrap() - 3 + change;
    "x".repeat(usize::try_from(length).unwrap()) + last
}

/// Few values, most of which begin with the same bytes and are longer than a field of a key.
fn long_value() -> impl Strategy<Value = Bson> {
    let text = || {
        (-1..3i32, prop_oneof![Just(""), Just("a"), Just("b"), Just("ab"), Just("\0")])
            .prop_map(|(change, last)| Bson::String(long_text(change, last)))
    };
    prop_oneof![
        6 => text().boxed(),
        1 => text().prop_map(|text| bson!({ "x": text })).boxed(),
        1 => prop_oneof![Just("w"), Just("x"), Just("y")].prop_map(|short| Bson::String(short.to_owned())).boxed(),
        1 => (0i32..2).prop_map(Bson::Int32).boxed(),
        1 => any::<bool>().prop_map(|last| {
            Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: [vec![7; 2_000], vec![u8::from(last)]].concat() })
        }).boxed(),
        1 => prop::collection::vec(text(), 0..3).prop_map(Bson::Array).boxed(),
    ]
}

fn long_document() -> impl Strategy<Value = Document> {
    let flat = long_value().prop_filter("one array at most", |value| value.as_array().is_none());
    prop_oneof![
        (flat, 0i32..3).prop_map(|(a, b)| doc! { "a": a, "b": b }),
        (long_value(), 0i32..3).prop_map(|(b, a)| doc! { "a": a, "b": b }),
    ]
}

fn long_filter() -> impl Strategy<Value = Document> {
    let range = || prop_oneof![Just("$gt"), Just("$gte"), Just("$lt"), Just("$lte"), Just("$eq")];
    let condition = prop_oneof![
        (range(), long_value()).prop_map(|(operator, value)| doc! { operator: value }),
        (range(), long_value(), range(), long_value()).prop_map(|(one, low, two, high)| doc! { one: low, two: high }),
        prop::collection::vec(long_value(), 0..4).prop_map(|values| doc! { "$in": values }),
    ];
    prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("a.x")], condition), 0..3)
        .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), Bson::Document(value))).collect())
}

/// Documents of one kind, because one array in one of them changes what an index can do.
fn documents() -> impl Strategy<Value = Vec<Document>> {
    prop_oneof![
        prop::collection::vec(document(), 0..16),
        prop::collection::vec(array_document(), 0..16),
        prop::collection::vec(flat_document(), 0..16),
    ]
}

fn any_filter() -> impl Strategy<Value = Document> {
    prop_oneof![filter().boxed(), simple_filter().boxed()]
}

/// A few plain conditions, which two elements of an array may meet between them.
fn simple_filter() -> impl Strategy<Value = Document> {
    let small = || 0i32..6;
    let between = (small(), small()).prop_map(|(low, high)| bson!({ "$gte": low, "$lt": high }));
    let either = (small(), small()).prop_map(|(one, two)| bson!({ "$in": [one, two] }));
    let condition =
        || prop_oneof![small().prop_map(Bson::Int32).boxed(), between.clone().boxed(), either.clone().boxed()];
    let path = prop_oneof![Just("a"), Just("a.x"), Just("a.y"), Just("b")];
    prop::collection::vec((path, condition()), 1..4).prop_map(into_document)
}

/// The keys of an index, and its options.
type Indexed = (Document, IndexOptions);

/// Indexes over one path, and over several in both directions, and such that have not all documents.
fn indexes() -> Vec<Indexed> {
    let ordered = [
        doc! { "a": 1 },
        doc! { "b": -1 },
        doc! { "a": 1, "b": 1 },
        doc! { "b": 1, "a": -1 },
        doc! { "a.x": 1, "a.y": -1 },
        doc! { "a.0": 1 },
        doc! { "b": 1, "a.x": 1 },
    ];
    let options = IndexOptions::default;
    let mut indexes: Vec<_> = ordered.into_iter().map(|keys| (keys, options())).collect();
    indexes.extend([
        (doc! { "a": -1 }, options().sparse(true)),
        (doc! { "a.x": 1, "b": 1 }, options().sparse(true)),
        (doc! { "a": 1 }, options().name("some").partial_filter(doc! { "b": { "$gt": 0 } })),
        (
            doc! { "b": 1 },
            options().partial_filter(doc! { "$or": [{ "a": { "$exists": true } }, { "b": { "$in": [1, "a"] } }] }),
        ),
        (doc! { "b": 2 }, options().hidden(true)),
        (doc! { "$**": 1 }, options()),
        (doc! { "a.$**": -1 }, options()),
        (doc! { "$**": 1 }, options().name("projected").wildcard_projection(doc! { "b": 0, "a.y": 0 })),
    ]);
    indexes
}

/// Indexes that take no arrays in some of their fields.
fn flat_indexes() -> Vec<Indexed> {
    let options = IndexOptions::default;
    vec![
        (doc! { "a": "hashed" }, options()),
        (doc! { "b": 1, "a": "hashed" }, options()),
        (doc! { "b": "hashed", "a": -1 }, options().sparse(true)),
        (doc! { "b": -1, "a.$**": 1 }, options()),
        (doc! { "$**": 1, "b": 1 }, options().wildcard_projection(doc! { "b": 0 })),
    ]
}

/// The same documents without indexes and with `indexed`, half of which are made before the documents are inserted.
fn pair(store: &Store, documents: &[Document], indexed: &[Indexed]) -> (Collection<Document>, Collection<Document>) {
    let (plain, fast) = (store.collection::<Document>("plain"), store.collection::<Document>("fast"));
    let (before, after) = indexed.split_at(indexed.len() / 2);
    for (keys, options) in before {
        fast.create_index_with(keys.clone(), options.clone()).unwrap();
    }
    let documents: Vec<_> = documents.iter().enumerate().map(|(n, document)| numbered(n, document)).collect();
    plain.insert_many(&documents).unwrap();
    fast.insert_many(&documents).unwrap();
    for (keys, options) in after {
        fast.create_index_with(keys.clone(), options.clone()).unwrap();
    }
    (plain, fast)
}

fn numbered(n: usize, document: &Document) -> Document {
    let mut numbered = doc! { "_id": i64::try_from(n).unwrap() };
    numbered.extend(document.clone());
    numbered
}

/// A few values of every type, the neighbours of each other where an encoding is delicate.
fn every_type() -> Vec<Bson> {
    let binary = |subtype, bytes: &[u8]| Bson::Binary(Binary { subtype, bytes: bytes.to_vec() });
    let regex = Regex { pattern: "a".try_into().unwrap(), options: "i".try_into().unwrap() };
    let scoped = JavaScriptCodeWithScope { code: "f".to_owned(), scope: doc! { "a": 1 } };
    vec![
        Bson::MinKey,
        Bson::Null,
        Bson::Undefined,
        bson!(1),
        bson!(1.5),
        bson!(i64::MAX - 1),
        bson!(i64::MAX),
        bson!(9_223_372_036_854_775_807.0),
        bson!(f64::NAN),
        bson!(f64::NEG_INFINITY),
        Bson::Decimal128(decimal("1.50")),
        Bson::Decimal128(decimal("-1E+6000")),
        bson!(""),
        bson!("a\0b"),
        Bson::Symbol("a".to_owned()),
        bson!({}),
        bson!({ "x": [1] }),
        binary(BinarySubtype::Generic, &[]),
        binary(BinarySubtype::Generic, &[1, 2]),
        binary(BinarySubtype::BinaryOld, &[1, 2]),
        binary(BinarySubtype::Uuid, &[7; 16]),
        Bson::ObjectId(ObjectId::from_bytes([1; 12])),
        bson!(false),
        bson!(true),
        Bson::DateTime(DateTime::from_millis(-5)),
        Bson::DateTime(DateTime::from_millis(i64::MAX)),
        Bson::Timestamp(Timestamp { time: 1, increment: 2 }),
        Bson::Timestamp(Timestamp { time: u32::MAX, increment: 0 }),
        Bson::RegularExpression(regex),
        Bson::JavaScriptCode("f".to_owned()),
        Bson::JavaScriptCodeWithScope(scoped),
        Bson::MaxKey,
    ]
}

// SEM: DOC-ORD-1, DOC-ORD-9, DOC-FLT-3, DOC-IDX-11
#[test]
fn values_of_every_type_are_found_and_sorted_by_an_index_as_without() {
    let values = every_type();
    let mut documents: Vec<_> = values.iter().map(|value| doc! { "a": value.clone(), "b": 1 }).collect();
    documents.push(doc! { "b": 1 });
    let store = Store::in_memory();
    for (name, keys) in [("up", doc! { "a": 1 }), ("down", doc! { "a": -1 }), ("both", doc! { "b": 1, "a": -1 })] {
        let (plain, fast) = (store.collection::<Document>("plain"), store.collection::<Document>(name));
        fast.create_index(keys).unwrap();
        plain.delete_many(doc! {}).unwrap();
        let numbered: Vec<_> = documents.iter().enumerate().map(|(n, document)| numbered(n, document)).collect();
        plain.insert_many(&numbered).unwrap();
        fast.insert_many(&numbered).unwrap();
        for sort in [doc! { "a": 1 }, doc! { "a": -1 }, doc! { "b": -1, "a": 1 }] {
            same_answer(&plain, &fast, &doc! { "b": 1 }, &sort, (5, 4)).unwrap();
        }
        for value in values.iter().filter(|value| !matches!(value, Bson::RegularExpression(_))) {
            for operator in ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"] {
                let filter = doc! { "a": { operator: value.clone() }, "b": 1 };
                same_answer(&plain, &fast, &filter, &doc! {}, (0, 0)).unwrap();
            }
            let filter = doc! { "a": { "$in": [value.clone(), null] }, "b": 1 };
            same_answer(&plain, &fast, &filter, &doc! {}, (0, 0)).unwrap();
        }
        let regex = values.iter().find(|value| matches!(value, Bson::RegularExpression(_))).unwrap();
        assert_eq!(fast.count_documents(doc! { "a": { "$eq": regex.clone() } }).unwrap(), 1);
    }
}

/// The `_id`s a query answers; a sort that meets parallel arrays is refused.
fn ids(collection: &Collection<Document>, filter: &Document, sort: &Document, page: (u64, u64)) -> Option<Vec<i64>> {
    let query = collection.find(filter.clone()).sort(sort.clone()).skip(page.0).limit(page.1);
    let found = query.to_vec().ok()?;
    Some(found.iter().map(|document| document.get_i64("_id").unwrap()).collect())
}

fn in_order(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}

/// What an index knows of arrays stays with it.
fn drop_indexes(collection: &Collection<Document>) {
    for index in collection.list_indexes().unwrap().iter().skip(1) {
        assert!(collection.drop_index(&index.name).unwrap());
    }
}

/// Compares a query's answers: sorted ones in order and page by page, others as sets.
fn same_answer(
    plain: &Collection<Document>,
    fast: &Collection<Document>,
    filter: &Document,
    sort: &Document,
    page: (u64, u64),
) -> Result<(), TestCaseError> {
    let (expected, found) = (ids(plain, filter, sort, (0, 0)), ids(fast, filter, sort, (0, 0)));
    // Without an index that gives the sort, a document with parallel arrays is refused.
    let (Some(expected), Some(found)) = (expected, found) else { return Ok(()) };
    let stages = || fast.find(filter.clone()).sort(sort.clone()).explain().unwrap().stage.to_string();
    if sort.is_empty() {
        prop_assert_eq!(in_order(found), in_order(expected), "{} by {}", filter, stages());
    } else {
        prop_assert_eq!(found, expected, "{} sorted {} by {}", filter, sort, stages());
        prop_assert_eq!(ids(fast, filter, sort, page), ids(plain, filter, sort, page));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    // SEM: DOC-IDX-1, DOC-IDX-2, DOC-IDX-3, DOC-IDX-4, DOC-IDX-11, DOC-SORT-4
    #[test]
    fn indexes_do_not_change_what_a_query_answers(
        documents in documents(),
        indexed in prop::sample::subsequence(indexes(), 1..4),
        queries in prop::collection::vec((any_filter(), sort()), 1..12),
        page in (0u64..3, 0u64..4),
    ) {
        let store = Store::in_memory();
        let (plain, fast) = pair(&store, &documents, &indexed);
        for (filter, sort) in &queries {
            same_answer(&plain, &fast, filter, sort, page)?;
        }
    }

    // SEM: DOC-IDX-6, DOC-IDX-7
    #[test]
    fn indexes_without_arrays_do_not_change_what_a_query_answers(
        documents in prop::collection::vec(flat_document(), 0..16),
        indexed in prop::sample::subsequence(flat_indexes(), 1..4),
        queries in prop::collection::vec((any_filter(), sort()), 1..12),
        changes in prop::collection::vec((any_filter(), 0i32..4), 0..3),
        page in (0u64..3, 0u64..4),
    ) {
        let store = Store::in_memory();
        let (plain, fast) = pair(&store, &documents, &indexed);
        for (filter, value) in &changes {
            for collection in [&plain, &fast] {
                collection.update_many(filter.clone(), doc! { "$set": { "b": value } }).unwrap();
            }
        }
        for (filter, sort) in &queries {
            same_answer(&plain, &fast, filter, sort, page)?;
        }
        prop_assert_eq!(plain.delete_many(doc! {}).unwrap(), fast.delete_many(doc! {}).unwrap());
        drop_indexes(&fast);
        // The names of the collections, and the last id given out.
        let names = store.database("default").list_collection_names().unwrap().len() as u64 + 1;
        prop_assert_eq!(store.stats().unwrap().entries, Some(names), "entries are left behind");
    }

    #[test]
    fn indexes_follow_updates_and_deletes(
        documents in documents(),
        indexed in prop::sample::subsequence(indexes(), 1..4),
        changes in prop::collection::vec((any_filter(), prop::option::of((prop_oneof![Just("a"), Just("b")], scalar()))), 1..6),
        queries in prop::collection::vec(any_filter(), 1..4),
    ) {
        let store = Store::in_memory();
        let (plain, fast) = pair(&store, &documents, &indexed);
        for (filter, change) in &changes {
            if let Some((field, value)) = change {
                let update = doc! { "$set": { *field: value.clone() } };
                let expected = plain.update_many(filter.clone(), update.clone()).unwrap();
                prop_assert_eq!(fast.update_many(filter.clone(), update).unwrap(), expected);
            } else {
                let expected = plain.delete_many(filter.clone()).unwrap();
                prop_assert_eq!(fast.delete_many(filter.clone()).unwrap(), expected);
            }
        }
        for filter in &queries {
            let (expected, found) = (ids(&plain, filter, &doc! {}, (0, 0)), ids(&fast, filter, &doc! {}, (0, 0)));
            prop_assert_eq!(in_order(found.unwrap()), in_order(expected.unwrap()), "{} with {:?}", filter, indexed);
        }
        prop_assert_eq!(plain.delete_many(doc! {}).unwrap(), fast.delete_many(doc! {}).unwrap());
        drop_indexes(&fast);
        // The names of the collections, and the last id given out.
        let names = store.database("default").list_collection_names().unwrap().len() as u64 + 1;
        prop_assert_eq!(store.stats().unwrap().entries, Some(names), "entries are left behind");
    }

    // SEM: DOC-IDX-13, DOC-SORT-4
    #[test]
    fn indexes_of_long_values_do_not_change_what_a_query_answers(
        documents in prop::collection::vec(long_document(), 0..16),
        indexed in prop::sample::subsequence(indexes(), 1..4),
        queries in prop::collection::vec((long_filter(), sort()), 1..8),
        page in (0u64..3, 0u64..4),
    ) {
        let store = Store::in_memory();
        let (plain, fast) = pair(&store, &documents, &indexed);
        for (filter, sort) in &queries {
            same_answer(&plain, &fast, filter, sort, page)?;
        }
        plain.update_many(doc! {}, doc! { "$set": { "b": long_text(0, "z") } }).unwrap();
        fast.update_many(doc! {}, doc! { "$set": { "b": long_text(0, "z") } }).unwrap();
        for (filter, sort) in &queries {
            same_answer(&plain, &fast, filter, sort, page)?;
        }
        fast.delete_many(doc! {}).unwrap();
        plain.delete_many(doc! {}).unwrap();
        drop_indexes(&fast);
        let names = store.database("default").list_collection_names().unwrap().len() as u64 + 1;
        prop_assert_eq!(store.stats().unwrap().entries, Some(names), "entries are left behind");
    }

    // SEM: DOC-IDX-13
    #[test]
    fn a_unique_index_tells_long_values_apart(values in prop::collection::vec(long_value(), 0..12)) {
        let unique = Store::in_memory().collection::<Document>("unique");
        unique.create_index_with(doc! { "a": -1 }, IndexOptions::default().unique(true)).unwrap();
        let mut taken: Vec<Bson> = Vec::new();
        for value in values.into_iter().filter(|value| value.as_array().is_none()) {
            let outcome = unique.insert_one(&doc! { "a": value.clone() });
            prop_assert_eq!(outcome.is_err_and(|error| error.is_duplicate_key()), taken.contains(&value));
            taken.push(value);
        }
    }

    // SEM: DOC-IDX-5
    #[test]
    fn a_unique_index_refuses_exactly_the_documents_that_share_a_key(
        documents in prop::collection::vec(prop::collection::vec(prop::option::of(0i32..12), 1..4), 1..10),
    ) {
        let unique = Store::in_memory().collection::<Document>("unique");
        unique.create_index_with(doc! { "a": 1 }, IndexOptions::default().unique(true)).unwrap();
        let mut taken: Vec<Option<i32>> = Vec::new();
        for elements in documents {
            let shared = elements.iter().any(|element| taken.contains(element));
            let value = match elements[..] {
                [Some(element)] => doc! { "a": element },
                [None] => doc! {},
                _ => doc! { "a": &elements },
            };
            let inserted = unique.insert_one(&value);
            prop_assert_eq!(inserted.is_err_and(|error| error.is_duplicate_key()), shared, "{}", value);
            if !shared {
                taken.extend(elements);
            }
        }
    }
}

/// However many documents came between the two, and in whatever way they are kept meanwhile.
#[test]
fn a_duplicate_among_the_documents_of_one_batch_is_found() {
    for (count, twin) in [(2, 0), (12, 3), (60, 7), (700, 1), (700, 698), (6_000, 5), (6_000, 5_998)] {
        let store = Store::in_memory();
        let people = store.collection::<Document>("people");
        people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true)).unwrap();
        let in_one = |documents: &[Document]| {
            store.transaction(|tx| tx.collection::<Document>("people").insert_many(documents).map(drop))
        };
        let email = |n: i32| format!("{}@example.org", n * 7_919 % 10_007);
        let mut documents: Vec<_> = (0..count).map(|n| doc! { "_id": n, "email": email(n) }).collect();
        assert_eq!(people.insert_many(&documents).unwrap().inserted_ids.len(), documents.len());
        assert_eq!(people.delete_many(doc! {}).unwrap(), documents.len() as u64);
        documents.last_mut().unwrap().insert("email", email(twin));
        assert!(in_one(&documents).unwrap_err().is_duplicate_key(), "{twin} of {count}");
        *documents.last_mut().unwrap() = doc! { "_id": twin, "email": "of its own" };
        assert!(in_one(&documents).unwrap_err().is_duplicate_key(), "{twin} of {count}");
        assert_eq!(people.count_documents(doc! {}).unwrap(), 0);
    }
}
