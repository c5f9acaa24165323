//! Errors name what a person knows: the document and its collection, the item and its table, the key and its keyspace, the field.

use larder::bson::{Bson, Decimal128, doc};
use larder::item::{AttributeValue, Item};
use larder::wide_column::CqlValue;
use larder::{Document, Error, InvalidKind, Store, Transaction, limits};
use serde::{Deserialize, Serialize};

use crate::{item_table, store, wide_table};

#[derive(Debug, Deserialize, Serialize)]
struct Order {
    #[serde(rename = "_id")]
    id: i32,
    addr: Address,
}

#[derive(Debug, Deserialize, Serialize)]
struct Address {
    zip: i32,
    lines: Vec<String>,
}

#[test]
fn what_does_not_deserialize_is_told_by_field_document_and_collection() {
    let (store, _) = store();
    let orders = store.database("shop").collection::<Order>("orders");
    let raw = orders.with_type::<Document>();
    raw.insert_one(&doc! { "_id": 7, "addr": { "zip": "x", "lines": [] } }).unwrap();
    let error = orders.find_one(doc! {}).unwrap_err();
    assert!(matches!(error, Error::Invalid { kind: InvalidKind::Serialization, .. }));
    let text = error.to_string();
    for part in ["addr.zip", "{_id: 7}", r#"collection "shop"."orders""#, "expected i32", r#"string "x""#] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("BSON error"), "{text}");
    raw.replace_one(doc! {}, &doc! { "addr": { "zip": 1, "lines": ["a", 5] } }).unwrap();
    let text = orders.find(doc! {}).to_vec().unwrap_err().to_string();
    assert!(text.contains("addr.lines[1]") && text.contains("{_id: 7}"), "{text}");
    raw.replace_one(doc! {}, &doc! {}).unwrap();
    let text = orders.find(doc! {}).run().unwrap().next().unwrap().unwrap_err().to_string();
    assert!(text.contains("missing field `addr`") && text.contains("{_id: 7}"), "{text}");
}

#[test]
fn what_an_item_does_not_deserialize_to_is_told_by_attribute_item_and_table() {
    #[derive(Debug, Deserialize)]
    struct Event {
        #[serde(rename = "addr")]
        _addr: Address,
    }
    let (store, _) = store();
    let table = item_table(&store);
    let address = AttributeValue::M([("zip", "x".into()), ("lines", AttributeValue::L(vec![]))].into());
    let item: Item = [("PK", "USER#7".into()), ("SK", 5.into()), ("addr", address)].into_iter().collect();
    let text = item.deserialize::<Event>().unwrap_err().to_string();
    assert!(text.contains("addr.zip"), "{text}");
    table.put(&item).unwrap();
    let found = table.get(("USER#7", 5)).unwrap().unwrap();
    assert_eq!(found, item, "where it was read makes no other item of it");
    let queried = table.query(larder::item::key("PK").eq("USER#7")).run().unwrap().next().unwrap().unwrap();
    for item in [found, queried] {
        let text = item.deserialize::<Event>().unwrap_err().to_string();
        for part in ["addr.zip", r#"{PK: "USER#7", SK: 5}"#, r#"item table "Events""#] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn what_an_update_cannot_do_is_told_by_document_and_collection() {
    let (store, _) = store();
    let orders = store.database("shop").collection::<Document>("orders");
    orders.insert_one(&doc! { "_id": "a", "n": "text", "list": [1], "other": [2] }).unwrap();
    orders.create_index(doc! { "list": 1, "more": 1 }).unwrap();
    let updates = [
        doc! { "$inc": { "n": 1 } },
        doc! { "$set": { "n.x": 1 } },
        doc! { "$set": { "_id": 8 } },
        doc! { "$set": { "more": [1] } },
    ];
    for update in updates {
        let text = orders.update_one(doc! {}, update.clone()).unwrap_err().to_string();
        assert!(text.contains(r#"document {_id: "a"} of collection "shop"."orders""#), "{update}: {text}");
    }
}

// SEM: DOC-UPD-2
#[test]
fn a_replacement_with_operators_and_an_update_without_are_both_refused() {
    let (store, _) = store();
    let orders = store.collection::<Document>("orders");
    orders.insert_one(&doc! { "_id": 1, "a": 0 }).unwrap();
    for replacement in [doc! { "$set": { "a": 1 } }, doc! { "a": 1, "$set": { "a": 1 } }] {
        let error = orders.replace_one(doc! { "_id": 1 }, &replacement).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Value, .. }));
        let text = error.to_string();
        assert!(
            text.contains("replacement document must not contain update operators") && text.contains("$set"),
            "{text}"
        );
    }
    assert!(orders.update_one(doc! {}, doc! { "a": 1 }).is_err());
    assert_eq!(orders.find_one(doc! {}).unwrap(), Some(doc! { "_id": 1, "a": 0 }));
    assert!(orders.insert_one(&doc! { "_id": { "$x": 1 } }).is_err(), "SEM: DOC-UPD-9");
}

// SEM: DOC-SORT-6
#[test]
fn a_sort_takes_1_and_minus_1_only_and_the_stage_rounds() {
    let (store, _) = store();
    let numbers = store.collection::<Document>("numbers");
    numbers.insert_many([doc! { "_id": 1, "v": 1 }, doc! { "_id": 2, "v": 2 }]).unwrap();
    let decimal = |text: &str| Bson::Decimal128(text.parse::<Decimal128>().unwrap());
    let first = |direction: &Bson| {
        let found = numbers.find(doc! {}).sort(doc! { "v": direction.clone() }).to_vec()?;
        found[0].get_i32("_id").map_err(Error::application)
    };
    let staged = |direction: &Bson| {
        let stages = [doc! { "$limit": 5 }, doc! { "$sort": { "v": direction.clone() } }];
        let direct = numbers.aggregate([doc! { "$sort": { "v": direction.clone() } }])?.next().unwrap()?;
        let found = numbers.aggregate(stages)?.next().unwrap()?;
        assert_eq!(found, direct);
        found.get_i32("_id").map_err(Error::application)
    };
    for (direction, expected) in [
        (Bson::Int32(1), 1),
        (Bson::Int64(-1), 2),
        (Bson::Double(1.0), 1),
        (Bson::Double(-1.0), 2),
        (decimal("-1.0"), 2),
    ] {
        assert_eq!((first(&direction).unwrap(), staged(&direction).unwrap()), (expected, expected), "{direction}");
    }
    for (direction, expected) in
        [(Bson::Double(1.9), 1), (Bson::Double(-1.9), 2), (decimal("0.51"), 1), (decimal("-1.49"), 2)]
    {
        assert!(first(&direction).is_err(), "{direction}");
        assert_eq!(staged(&direction).unwrap(), expected, "{direction}");
    }
    for direction in [
        2.into(),
        (-3).into(),
        0.into(),
        Bson::Double(0.9),
        Bson::Double(f64::NAN),
        decimal("1.5"),
        decimal("0.5"),
        "asc".into(),
        Bson::Null,
        true.into(),
        Bson::Array(vec![]),
    ] {
        for text in [first(&direction).unwrap_err().to_string(), staged(&direction).unwrap_err().to_string()] {
            assert!(
                text.contains("$sort key ordering must be 1 or -1") && text.contains(r#""v""#),
                "{direction}: {text}"
            );
        }
    }
}

/// What the conflict of two transactions is told to be about, when the first reads and the second changes.
fn conflict(
    store: &Store,
    read: impl Fn(&Transaction) -> larder::Result<()>,
    change: impl Fn(&Store) -> larder::Result<()>,
) -> String {
    let tx = store.begin().unwrap();
    read(&tx).unwrap();
    tx.kv().set("mine", "v").unwrap();
    change(store).unwrap();
    let error = tx.commit().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(matches!(&error, Error::Conflict { key, .. } if !key.is_empty()));
    error.to_string()
}

#[test]
fn a_conflict_names_a_key_wherever_it_is_stored() {
    let (store, _) = store();
    let (live, next) = (store.kv_named("live"), store.kv_named("next"));
    // An element knows neither the name of its key, nor that of its keyspace.
    live.hash("h").set("f", "1").unwrap();
    live.rename("h", "renamed").unwrap();
    live.swap(&next).unwrap();
    let read = |tx: &Transaction| tx.kv_named("next").hash("renamed").get("f").map(drop);
    let text = conflict(&store, read, |_| next.hash("renamed").set("f", "2").map(drop));
    assert!(text.contains(r#"hash "renamed" in keyspace "next""#), "{text}");
    // The engine has a long key in part only.
    let long = "k".repeat(limits::KEY_COMPONENT_BYTES_MAX + 1);
    next.set(&long, "1").unwrap();
    let read = |tx: &Transaction| tx.kv_named("next").get(&long).map(drop);
    let text = conflict(&store, read, |_| next.set(&long, "2"));
    assert!(text.contains(r#"string "kkk"#) && text.contains(r#"kkk…" in keyspace "next""#), "{text}");
    assert!(text.len() < 300, "as much of it as is read: {text}");
    // Whoever read a key of a keyspace reads where that is.
    let read = |tx: &Transaction| tx.kv_named("live").get("k").map(drop);
    let text = conflict(&store, read, |_| live.swap(&next));
    assert!(text.contains(r#"place of keyspace "live""#), "{text}");
}

#[test]
fn a_conflict_names_what_was_changed() {
    let (store, _) = store();
    let (items, rows) = (item_table(&store), wide_table(&store));
    let orders = store.database("shop").collection::<Document>("orders");
    orders.insert_one(&doc! { "_id": 1, "n": 1 }).unwrap();
    let named = |keyspace: &str| store.kv_named(keyspace);
    named("0").sorted_set("z").add("ann", 1.0).unwrap();
    named("0").set("s", "v").unwrap();
    let board = |tx: &Transaction| tx.kv_named("0").sorted_set("z").score("ann").map(drop);
    let text = conflict(&store, board, |store| store.kv_named("0").sorted_set("z").add("ann", 2.0).map(drop));
    assert!(text.contains(r#"sorted set "z" in keyspace "0""#), "{text}");
    let string = |tx: &Transaction| tx.kv_named("0").get("s").map(drop);
    let text = conflict(&store, string, |store| store.kv_named("0").set("s", "w"));
    assert!(text.contains(r#"string "s" in keyspace "0""#), "{text}");
    let document =
        |tx: &Transaction| tx.database("shop").collection::<Document>("orders").find_one(doc! { "_id": 1 }).map(drop);
    let text = conflict(&store, document, |_| orders.update_one(doc! {}, doc! { "$inc": { "n": 1 } }).map(drop));
    assert!(text.contains(r#"document {_id: 1} of collection "shop"."orders""#), "{text}");
    let none =
        |tx: &Transaction| tx.database("shop").collection::<Document>("orders").find_one(doc! { "_id": 2 }).map(drop);
    let text = conflict(&store, none, |_| orders.insert_one(&doc! { "_id": 2 }).map(drop));
    assert!(text.contains(r#"collection "shop"."orders""#), "{text}");
    let item: Item = [("PK", "USER#7".into()), ("SK", AttributeValue::from(5))].into_iter().collect();
    items.put(&item).unwrap();
    let read = |tx: &Transaction| tx.item_table("Events").get(("USER#7", 5)).map(drop);
    let text = conflict(&store, read, |_| items.delete(("USER#7", 5)).map(drop));
    assert!(text.contains(r#"item {PK: "USER#7", SK: 5} of item table "Events""#), "{text}");
    let row = [("id", 7.into()), ("at", CqlValue::Bigint(1)), ("name", "Ann".into())];
    let read = |tx: &Transaction| tx.wide_table("shop", "events").select((7,)).to_vec().map(drop);
    let text = conflict(&store, read, |_| rows.insert(&row));
    assert!(text.contains("row {id: Int(7), at: Bigint(1)} of table shop.events"), "{text}");
    let text = conflict(&store, read, |_| rows.drop_table().map(drop));
    assert!(text.contains(r#"definition of table "shop"."events""#), "{text}");
    assert!(!text.contains("key 0"), "{text}");
}
