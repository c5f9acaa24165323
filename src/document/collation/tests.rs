#![cfg(feature = "collation")]

use std::cmp::Ordering;

use bson::{Bson, Document, bson, doc};
use proptest::prelude::*;

use super::{Alternate, CaseFirst, Collation, MaxVariable};
use crate::Store;
use crate::document::order::Order;
use crate::document::{AggregateOptions, Code, CollectionOptions, IndexOptions, UpdateOptions, WriteModel};
use crate::document::{DeleteOptions, FindOneAndOptions};
use crate::error::Error;

fn code(collation: &Document) -> i32 {
    let error = Collation::from_document(collation).and_then(|collation| collation.compile()).unwrap_err();
    Code::of(&error).unwrap().number()
}

#[test]
fn a_bad_option_has_the_code_of_the_original() {
    for (collation, expected) in [
        (doc! {}, 2),
        (doc! { "strength": 2 }, 40414),
        (doc! { "locale": Bson::Null }, 40414),
        (doc! { "locale": "" }, 2),
        (doc! { "locale": "zzz" }, 2),
        (doc! { "locale": 1 }, 14),
        (doc! { "locale": "en", "strength": 0 }, 2),
        (doc! { "locale": "en", "strength": 6 }, 2),
        (doc! { "locale": "en", "strength": -1 }, 2),
        (doc! { "locale": "en", "strength": "2" }, 14),
        (doc! { "locale": "en", "strength": 2.5 }, 2),
        (doc! { "locale": "en", "caseLevel": "x" }, 14),
        (doc! { "locale": "en", "caseFirst": "first" }, 2),
        (doc! { "locale": "en", "caseFirst": "upper", "strength": 2 }, 2),
        (doc! { "locale": "en", "alternate": "some" }, 2),
        (doc! { "locale": "en", "maxVariable": "all" }, 2),
        (doc! { "locale": "en", "backwards": true, "strength": 1 }, 2),
        (doc! { "locale": "en", "backwards": true }, 238),
        (doc! { "locale": "fr_CA", "backwards": false }, 238),
        (doc! { "locale": "en", "version": "1" }, 161),
        (doc! { "locale": "en", "color": 1 }, 40415),
    ] {
        assert_eq!(code(&collation), expected, "{collation}");
    }
}

#[test]
fn simple_takes_every_option_and_compares_bytes() {
    let simple = doc! { "locale": "simple", "strength": 1, "caseFirst": "upper", "backwards": true };
    assert_eq!(Collation::from_document(&simple).unwrap().compile().unwrap(), None);
    assert_eq!(Collation::from_document(&simple).unwrap().to_document(), doc! { "locale": "simple" });
}

#[test]
fn a_document_has_every_field_with_the_defaults_of_the_locale() {
    let english = doc! {
        "locale": "en", "caseLevel": false, "caseFirst": "off", "strength": 2, "numericOrdering": false,
        "alternate": "non-ignorable", "maxVariable": "punct", "normalization": false, "backwards": false, "version": "57.1",
    };
    assert_eq!(Collation::new("en").strength(2).to_document(), english);
    assert_eq!(Collation::new("da").to_document().get("caseFirst"), Some(&bson!("upper")));
    assert_eq!(Collation::new("th").to_document().get("alternate"), Some(&bson!("shifted")));
    assert_eq!(Collation::new("fr_CA").to_document().get("backwards"), Some(&bson!(true)));
    // What a listing shows is the same collation.
    assert_eq!(Collation::from_document(&english).unwrap(), Collation::new("en").strength(2));
    assert_ne!(Collation::new("en"), Collation::new("en").strength(2));
    let shown = Collation::from_document(&english).unwrap().compile().unwrap();
    assert_eq!(shown, Collation::new("en").strength(2).compile().unwrap());
    assert_ne!(shown, Collation::new("en").strength(1).compile().unwrap());
}

fn sorted(collation: Collation, words: &[&str]) -> Vec<String> {
    let store = Store::in_memory();
    let all = store.collection::<Document>("words");
    all.insert_many(words.iter().map(|word| doc! { "word": *word })).unwrap();
    let found = all.find(doc! {}).sort(doc! { "word": 1 }).collation(collation).to_vec().unwrap();
    found.iter().map(|found| found.get_str("word").unwrap().to_owned()).collect()
}

// The orders are those of the languages' dictionaries, as the Common Locale Data Repository has them.
#[test]
fn words_are_in_the_order_of_their_language() {
    let upper = || Collation::new("en").case_first(CaseFirst::Upper);
    let numbers = || Collation::new("en").numeric_ordering(true);
    for (collation, expected) in [
        (Collation::new("en"), vec!["a", "A", "å", "ä", "b", "z"]),
        (Collation::new("sv"), vec!["a", "z", "å", "ä", "ö"]),
        (Collation::new("da"), vec!["A", "a", "z", "æ", "ø", "å"]),
        (Collation::new("de"), vec!["Ad", "Af", "Ärger", "Az"]),
        (Collation::new("de@collation=phonebook"), vec!["Ad", "Ärger", "Af", "Az"]),
        (Collation::new("es"), vec!["llama", "luz", "nube", "ñu", "ojo"]),
        (Collation::new("es@collation=traditional"), vec!["luz", "llama", "nube", "ñu", "ojo"]),
        (Collation::new("fr"), vec!["cote", "coté", "côte", "côté"]),
        (Collation::new("fr_CA"), vec!["cote", "côte", "coté", "côté"]),
        (upper(), vec!["A", "a", "B", "b"]),
        (numbers(), vec!["a2", "a10", "a100"]),
        (Collation::simple(), vec!["B", "a", "ä"]),
    ] {
        let backwards: Vec<_> = expected.iter().rev().copied().collect();
        assert_eq!(sorted(collation.clone(), &backwards), expected, "{collation:?}");
    }
}

#[test]
fn spaces_and_punctuation_can_be_left_out() {
    let shifted = || Collation::new("en").alternate(Alternate::Shifted);
    let order = |collation: Collation, a: &str, b: &str| {
        Order::of(collation.compile().unwrap().as_deref()).compare_bson(&a.into(), &b.into())
    };
    assert_eq!(order(shifted(), "black-bird", "blackbird"), Ordering::Equal);
    assert_ne!(order(shifted().strength(4), "black-bird", "blackbird"), Ordering::Equal);
    let spaces = || shifted().max_variable(MaxVariable::Space);
    assert_eq!(order(spaces(), "black bird", "blackbird"), Ordering::Equal);
    assert_ne!(order(spaces(), "black-bird", "blackbird"), Ordering::Equal);
}

/// Collations of all strengths and options.
fn collation() -> impl Strategy<Value = Collation> {
    let locale =
        prop::sample::select(vec!["en", "sv", "de@collation=phonebook", "fr_CA", "th", "ja", "zh", "da", "tr"]);
    (locale, 1..=5u8, any::<bool>(), any::<bool>(), any::<bool>(), 0..3).prop_map(
        |(locale, strength, case_level, numeric, shifted, case_first)| {
            let collation = Collation::new(locale).strength(strength).case_level(case_level).numeric_ordering(numeric);
            let collation = if shifted { collation.alternate(Alternate::Shifted) } else { collation };
            match case_first {
                1 if strength > 2 || case_level => collation.case_first(CaseFirst::Upper),
                2 if strength > 2 || case_level => collation.case_first(CaseFirst::Lower),
                _ => collation,
            }
        },
    )
}

/// Texts that are often equal but for case, accents, digits or punctuation.
fn word() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "A", "á", "a\u{301}", "b", "B", "ß", "ss", "1", "2", "10", " ", "-", "ö", "o", "あ", "ア", "中", "\0",
        "i", "ı", "İ",
    ]);
    prop_oneof![3 => prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat()), 1 => ".{0,8}"]
}

fn value() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![
        5 => word().prop_map(Bson::String),
        1 => (0..3i32).prop_map(Bson::Int32),
        1 => Just(Bson::Null),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
            prop::collection::vec((prop::sample::select(vec!["a", "A"]), inner), 0..2)
                .prop_map(|fields| Bson::Document(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

fn key(value: &Bson, order: Order<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    crate::document::index_key::put_value(&mut key, &value.into(), order).unwrap();
    key
}

proptest! {
    #[test]
    fn the_order_of_keys_is_that_of_values(a in value(), b in value(), collation in collation()) {
        let collator = collation.compile().unwrap();
        let order = Order::of(collator.as_deref());
        prop_assert_eq!(key(&a, order).cmp(&key(&b, order)), order.compare_bson(&a, &b), "{:?} {:?}", a, b);
        let (a, b) = (key(&a, order), key(&b, order));
        prop_assert!(a == b || !a.starts_with(&b), "no key begins another");
    }

    #[test]
    fn filters_and_sorts_are_the_same_with_and_without_an_index(
        values in prop::collection::vec(value(), 1..12),
        operands in prop::collection::vec(value(), 1..4),
        collation in collation(),
        other in any::<bool>(),
        descending in any::<bool>(),
    ) {
        let store = Store::in_memory();
        let (plain, indexed) = (store.collection::<Document>("plain"), store.collection::<Document>("indexed"));
        let documents: Vec<_> = (0..).zip(&values).map(|(id, value)| doc! { "_id": id, "v": value.clone() }).collect();
        plain.insert_many(&documents).unwrap();
        indexed.insert_many(&documents).unwrap();
        let of_index = if other { Collation::new("en").strength(2) } else { collation.clone() };
        indexed.create_index_with(doc! { "v": 1 }, IndexOptions::default().collation(of_index)).unwrap();
        let operand = operands[0].clone();
        let list = Bson::Array(operands.clone());
        for condition in [
            doc! { "$eq": operand.clone() }, doc! { "$ne": operand.clone() }, doc! { "$gt": operand.clone() },
            doc! { "$lte": operand }, doc! { "$in": list.clone() }, doc! { "$nin": list.clone() }, doc! { "$all": list },
        ] {
            let direction = if descending { -1 } else { 1 };
            for asked in [Some(collation.clone()), None] {
                let find = |all: &crate::Collection<Document>| {
                    let query = all.find(doc! { "v": condition.clone() }).sort(doc! { "v": direction, "_id": 1 });
                    match asked.clone() {
                        Some(collation) => query.collation(collation).to_vec().unwrap(),
                        None => query.to_vec().unwrap(),
                    }
                };
                prop_assert_eq!(find(&plain), find(&indexed), "{} {:?}", condition, asked);
            }
        }
    }
}

fn people() -> crate::Collection<Document> {
    let people = Store::in_memory().collection::<Document>("people");
    people.insert_many(["Ann", "ann", "Bob"].map(|name| doc! { "name": name, "tags": [name] })).unwrap();
    people
}

/// The collation of an index as it is listed.
fn shown(all: &crate::Collection<Document>, place: usize) -> Option<Document> {
    all.list_indexes().unwrap()[place].collation.as_ref().map(Collation::to_document)
}

fn insensitive() -> Collation {
    Collation::new("en").strength(2)
}

#[test]
fn filters_and_what_they_are_part_of_compare_by_the_collation() {
    let people = people();
    let count = |filter: Document| people.find(filter).collation(insensitive()).count().unwrap();
    assert_eq!(people.count_documents(doc! { "name": "ANN" }).unwrap(), 0);
    for (filter, expected) in [
        (doc! { "name": "ANN" }, 2),
        (doc! { "name": { "$ne": "ANN" } }, 1),
        (doc! { "name": { "$in": ["ANN", "x"] } }, 2),
        (doc! { "name": { "$nin": ["ANN", "x"] } }, 1),
        (doc! { "name": { "$gte": "BOB" } }, 1),
        (doc! { "tags": { "$all": ["ANN"] } }, 2),
        (doc! { "tags": { "$elemMatch": { "$eq": "ANN" } } }, 2),
        (doc! { "name": { "$regex": "ANN" } }, 0),
        (doc! { "$expr": { "$eq": ["$name", "ANN"] } }, 2),
        (doc! { "$expr": { "$in": ["$name", ["ANN"]] } }, 2),
    ] {
        assert_eq!(count(filter.clone()), expected, "{filter}");
    }
    let names = people.find(doc! {}).collation(insensitive()).distinct("name").unwrap();
    assert_eq!(names, ["Ann", "Bob"].map(Bson::from));
    let options = AggregateOptions::default().collation(insensitive());
    let stages = [
        doc! { "$group": { "_id": "$name", "all": { "$addToSet": "$name" }, "most": { "$max": "$name" } } },
        doc! { "$sort": { "_id": -1 } },
    ];
    let groups: Vec<Document> = people.aggregate_with(stages, options).unwrap().collect::<Result<_, Error>>().unwrap();
    let expected =
        [doc! { "_id": "Bob", "all": ["Bob"], "most": "Bob" }, doc! { "_id": "Ann", "all": ["Ann"], "most": "Ann" }];
    assert_eq!(groups, expected);
}

#[test]
fn writes_compare_by_the_collation() {
    let people = people();
    let options = || UpdateOptions::default().collation(insensitive());
    let marked =
        people.update_many_with(doc! { "name": "ANN" }, doc! { "$addToSet": { "tags": "ANN" } }, options()).unwrap();
    assert_eq!((marked.matched, marked.modified), (2, 0));
    let filtered = options().array_filters([doc! { "t": "ANN" }]);
    let set = people.update_many_with(doc! {}, doc! { "$set": { "tags.$[t]": "x" } }, filtered).unwrap();
    assert_eq!(set.modified, 2);
    let pulled =
        people.update_one_with(doc! { "name": "BOB" }, doc! { "$pull": { "tags": "BOB" } }, options()).unwrap();
    assert_eq!(pulled.modified, 1);
    let one = FindOneAndOptions::default().update(options());
    assert!(
        people.find_one_and_update_with(doc! { "name": "bob" }, doc! { "$set": { "n": 1 } }, one).unwrap().is_some()
    );
    let delete = || DeleteOptions::default().collation(insensitive());
    let done = people.bulk_write([WriteModel::delete_many_with(doc! { "name": "ANN" }, delete())]).run().unwrap();
    assert_eq!(done.deleted(), 2);
    assert_eq!(people.delete_one_with(doc! { "name": "BOB" }, delete()).unwrap(), 1);
}

#[test]
fn a_unique_index_has_no_two_texts_that_its_collation_has_for_equal() {
    let people = Store::in_memory().collection::<Document>("people");
    let options = IndexOptions::default().unique(true).collation(insensitive());
    people.create_index_with(doc! { "name": 1 }, options).unwrap();
    people.insert_one(&doc! { "name": "Ann" }).unwrap();
    let Error::DuplicateKey { key_value, .. } = people.insert_one(&doc! { "name": "ANN" }).unwrap_err() else {
        panic!("a duplicate")
    };
    assert_eq!(*key_value, doc! { "name": "ANN" });
    people.insert_one(&doc! { "name": "Ánn" }).unwrap();
    assert_eq!(shown(&people, 1), Some(insensitive().to_document()));
}

#[test]
fn an_index_serves_the_queries_with_its_collation() {
    let people = people();
    people.create_index_with(doc! { "name": 1 }, IndexOptions::default().collation(insensitive())).unwrap();
    let uses = |query: crate::document::Find<Document>| format!("{:?}", query.explain().unwrap()).contains("name_1");
    let by_name = || people.find(doc! { "name": "ANN" });
    assert!(uses(by_name().collation(insensitive())) && !uses(by_name()));
    assert!(!uses(by_name().collation(Collation::new("en"))));
    assert!(uses(people.find(doc! { "name": 7 })), "no text is compared");
    let sorted = || people.find(doc! {}).sort(doc! { "name": 1 });
    assert!(uses(sorted().collation(insensitive())) && !uses(sorted()));
    assert_eq!(by_name().collation(insensitive()).count().unwrap(), 2);
}

#[test]
fn a_collection_gives_its_collation_to_operations_and_indexes() {
    let store = Store::in_memory();
    let options = CollectionOptions::default().collation(insensitive());
    store.database("test").create_collection_with("people", options).unwrap();
    let people = store.database("test").collection::<Document>("people");
    people.insert_one(&doc! { "_id": "a", "name": "Ann" }).unwrap();
    assert!(people.insert_one(&doc! { "_id": "A" }).unwrap_err().is_duplicate_key(), "the index on _id has it too");
    people.create_index(doc! { "name": 1 }).unwrap();
    assert_eq!(shown(&people, 1), Some(insensitive().to_document()));
    for filter in [doc! { "_id": "A" }, doc! { "name": "ANN" }] {
        assert_eq!(people.count_documents(filter.clone()).unwrap(), 1);
        assert!(people.find_one(filter.clone()).unwrap().is_some());
        assert_eq!(people.find(filter.clone()).collation(Collation::simple()).count().unwrap(), 0);
        assert_eq!(people.update_one(filter.clone(), doc! { "$inc": { "n": 1 } }).unwrap().modified, 1);
        assert_eq!(people.update_many(filter.clone(), doc! { "$inc": { "n": 1 } }).unwrap().modified, 1);
        let groups = people.aggregate([doc! { "$match": filter }]).unwrap();
        assert_eq!(groups.count(), 1);
    }
    let simple = UpdateOptions::default().collation(Collation::simple());
    assert_eq!(people.update_one_with(doc! { "_id": "A" }, doc! { "$set": { "n": 0 } }, simple).unwrap().matched, 0);
    let options = IndexOptions::default().collation(Collation::simple()).name("bytes");
    people.create_index_with(doc! { "name": 1 }, options).unwrap();
    assert_eq!(people.list_indexes().unwrap()[2].collation, None);
    assert_eq!(people.count_documents(doc! { "name": "ANN" }).unwrap(), 1);
    assert_eq!(people.delete_many(doc! { "name": "ANN" }).unwrap(), 1);
}

#[test]
fn definitions_with_collations_come_back_from_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    {
        let store = Store::open(&path).unwrap();
        let options = CollectionOptions::default().collation(insensitive());
        store.database("test").create_collection_with("people", options).unwrap();
        let people = store.database("test").collection::<Document>("people");
        let swedish = IndexOptions::default().collation(Collation::new("sv"));
        people.create_index_with(doc! { "name": 1 }, swedish).unwrap();
        people.insert_one(&doc! { "_id": "a" }).unwrap();
    }
    let store = Store::open(&path).unwrap();
    let people = store.database("test").collection::<Document>("people");
    assert!(people.insert_one(&doc! { "_id": "A" }).unwrap_err().is_duplicate_key());
    assert_eq!(shown(&people, 1), Some(Collation::new("sv").to_document()));
}
