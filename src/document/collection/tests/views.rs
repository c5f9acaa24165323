//! Views: read as collections are, through their pipelines.

use std::sync::Arc;

use bson::{Bson, Document, doc};

use crate::document::supervision::Supervision;
use crate::document::{Code, CollectionChange, CollectionOptions, IndexOptions};
use crate::{Database, Error, Store};

fn shop() -> Database {
    let shop = Store::in_memory().database("shop");
    let orders = shop.collection::<Document>("orders");
    let documents = (0..6).map(|n| doc! { "_id": n, "n": n % 3, "open": n % 2 == 0, "secret": n });
    orders.insert_many(documents).unwrap();
    let open = [doc! { "$match": { "open": true } }, doc! { "$project": { "secret": 0 } }];
    shop.create_collection_with("open", CollectionOptions::default().view_on("orders", open)).unwrap();
    shop
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> Option<i32> {
    Code::of(&refused.unwrap_err()).map(Code::number)
}

#[test]
fn every_kind_of_read_goes_through_the_pipeline() {
    let shop = shop();
    let open = shop.collection::<Document>("open");
    let found = open.find(doc! { "n": { "$lt": 2 } }).sort(doc! { "_id": -1 }).projection(doc! { "n": 1 });
    assert_eq!(found.to_vec().unwrap(), [doc! { "_id": 4, "n": 1 }, doc! { "_id": 0, "n": 0 }]);
    assert_eq!(open.find(doc! {}).sort(doc! { "_id": 1 }).skip(1).limit(1).count().unwrap(), 1);
    assert_eq!(open.count_documents(doc! {}).unwrap(), 3);
    assert_eq!(open.count_documents(doc! { "secret": 0 }).unwrap(), 0, "the field is not shown");
    assert_eq!(open.find_one(doc! { "_id": 1 }).unwrap(), None);
    assert_eq!(open.find_one(doc! { "_id": 2 }).unwrap(), Some(doc! { "_id": 2, "n": 2, "open": true }));
    assert_eq!(open.distinct("n", doc! {}).unwrap(), [0, 1, 2].map(Bson::from));
    let variables = open.find(doc! { "$expr": { "$eq": ["$n", "$$wanted"] } }).let_vars(doc! { "wanted": 1 });
    assert_eq!(variables.to_vec().unwrap(), [doc! { "_id": 4, "n": 1, "open": true }]);
    let group = [doc! { "$group": { "_id": null, "n": { "$sum": "$n" } } }];
    assert_eq!(open.aggregate(group).unwrap().next().unwrap().unwrap().get_i32("n").unwrap(), 3);
}

#[test]
fn joins_read_views_and_views_read_views() {
    let shop = shop();
    let last = CollectionOptions::default().view_on("open", [doc! { "$sort": { "_id": -1 } }, doc! { "$limit": 1 }]);
    shop.create_collection_with("last", last).unwrap();
    let all = |name: &str| shop.collection::<Document>(name).find(doc! {}).to_vec().unwrap();
    assert_eq!(all("last"), [doc! { "_id": 4, "n": 1, "open": true }]);
    let one = shop.collection::<Document>("one");
    one.insert_one(&doc! { "_id": 4 }).unwrap();
    let lookup = doc! { "$lookup": { "from": "open", "localField": "_id", "foreignField": "_id", "as": "found" } };
    let joined = one.aggregate([lookup]).unwrap().next().unwrap().unwrap();
    assert_eq!(joined.get_array("found").unwrap(), &vec![doc! { "_id": 4, "n": 1, "open": true }.into()]);
    let union = one.aggregate([doc! { "$unionWith": "last" }]).unwrap();
    assert_eq!(union.count(), 2);
    // What a view is on need not exist.
    shop.create_collection_with("empty", CollectionOptions::default().view_on("nothing", [])).unwrap();
    assert!(all("empty").is_empty());
}

#[test]
fn a_join_with_a_view_looks_into_an_index_for_each_document() {
    let shop = shop();
    let one = shop.collection::<Document>("one");
    one.insert_many([doc! { "_id": 4, "at": 4 }, doc! { "_id": 5, "at": { "$regularExpression": 1 } }]).unwrap();
    let lookup = |foreign: &str| {
        doc! { "$lookup": { "from": "open", "localField": "at", "foreignField": foreign, "as": "found" } }
    };
    let supervision = Arc::new(Supervision::new(None));
    let joined = supervision.guard(|| one.aggregate([lookup("_id")]).unwrap().collect::<Result<Vec<_>, _>>()).unwrap();
    assert_eq!(joined[0].get_array("found").unwrap(), &vec![doc! { "_id": 4, "n": 1, "open": true }.into()]);
    assert!(joined[1].get_array("found").unwrap().is_empty());
    assert_eq!(supervision.used_indexes(), ["_id_"]);
    // A regular expression is compared, not matched.
    let texts = shop.collection::<Document>("orders");
    let regex =
        Bson::RegularExpression(bson::Regex { pattern: bson::cstr!("^a").into(), options: bson::cstr!("").into() });
    texts
        .insert_many([
            doc! { "_id": 10, "open": true, "t": "ab" },
            doc! { "_id": 12, "open": true, "t": regex.clone() },
        ])
        .unwrap();
    one.update_one(doc! { "_id": 4 }, doc! { "$set": { "at": regex } }).unwrap();
    let joined = one.aggregate([doc! { "$match": { "_id": 4 } }, lookup("t")]).unwrap().next().unwrap().unwrap();
    let found = joined.get_array("found").unwrap();
    assert_eq!((found.len(), found[0].as_document().unwrap().get_i32("_id").unwrap()), (1, 12));
}

#[test]
fn a_query_and_the_view_use_an_index_together() {
    let shop = shop();
    shop.collection::<Document>("orders").create_index_with(doc! { "n": 1 }, IndexOptions::default()).unwrap();
    let explained = shop.collection::<Document>("open").find(doc! { "n": 1 }).explain_with(true).unwrap();
    assert!(explained.to_string().contains("n_1"), "{explained}");
}

#[test]
fn what_only_collections_have_is_refused() {
    let shop = shop();
    let open = shop.collection::<Document>("open");
    let is_refused = |refused: Result<(), Error>| assert_eq!(code(refused), Some(166));
    is_refused(open.insert_one(&doc! {}).map(drop));
    is_refused(open.update_one(doc! {}, doc! { "$set": { "a": 1 } }).map(drop));
    is_refused(open.update_many(doc! {}, doc! { "$set": { "a": 1 } }).map(drop));
    is_refused(open.delete_one(doc! {}).map(drop));
    is_refused(open.delete_many(doc! {}).map(drop));
    is_refused(open.create_index(doc! { "n": 1 }).map(drop));
    is_refused(open.list_indexes().map(drop));
    is_refused(open.drop_index("n_1").map(drop));
    is_refused(open.stats().map(drop));
    is_refused(shop.rename_collection("open", "other"));
    is_refused(shop.collection::<Document>("orders").aggregate_out([doc! { "$out": "open" }]).map(drop));
    assert_eq!(code(open.find(doc! {}).show_record_id(true).to_vec()), Some(168));
    assert!(shop.drop_collection("open").unwrap());
    assert!(!shop.list_collection_names().unwrap().contains(&"open".to_owned()));
}

#[test]
fn a_view_can_be_changed_and_cannot_show_itself() {
    let shop = shop();
    let view = |on: &str, pipeline: &[Document]| CollectionOptions::default().view_on(on, pipeline.to_vec());
    let change = |on: &str, pipeline: &[Document]| CollectionChange::default().view_on(on, pipeline.to_vec());
    shop.modify_collection("open", change("orders", &[doc! { "$match": { "open": false } }])).unwrap();
    assert_eq!(shop.collection::<Document>("open").count_documents(doc! { "open": false }).unwrap(), 3);
    shop.create_collection_with("above", view("open", &[])).unwrap();
    assert_eq!(code(shop.modify_collection("open", change("above", &[]))), Some(5));
    assert_eq!(code(shop.modify_collection("open", change("orders", &[doc! { "$unionWith": "above" }]))), Some(5));
    assert_eq!(code(shop.create_collection_with("self", view("self", &[]))), Some(5));
    assert_eq!(code(shop.create_collection_with("out", view("orders", &[doc! { "$out": "x" }]))), Some(167));
    assert_eq!(code(shop.create_collection_with("bad", view("orders", &[doc! { "$nope": 1 }]))), Some(40_324));
    assert_eq!(code(shop.create_collection_with("system.v", view("orders", &[]))), Some(73));
    assert_eq!(code(shop.create_collection_with("mixed", view("orders", &[]).capped(4_096, None))), Some(72));
    assert_eq!(code(shop.modify_collection("orders", change("open", &[]))), Some(72), "it is no view");
}

#[test]
fn views_are_as_deep_as_the_limit() {
    let shop = shop();
    let mut below = "orders".to_owned();
    for depth in 1..=20 {
        let name = format!("v{depth}");
        shop.create_collection_with(&name, CollectionOptions::default().view_on(below, [])).unwrap();
        below = name;
    }
    assert_eq!(shop.collection::<Document>(&below).count_documents(doc! {}).unwrap(), 6);
    assert_eq!(code(shop.create_collection_with("v21", CollectionOptions::default().view_on(below, []))), Some(165));
}
