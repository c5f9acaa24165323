//! What a program in Rust does with its driver, against a door. Takes the port, and says that it worked.

use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{IndexOptions, ReturnDocument};
use mongodb::sync::{Client, Collection, Database};

type Outcome = Result<(), Error>;

fn main() -> Outcome {
    let port = std::env::args().nth(1).expect("the port is given");
    let client = Client::with_uri_str(format!("mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=10000"))?;
    let shop = client.database("shop");
    crud(&shop.collection("stock"))?;
    duplicates(&shop.collection("events"))?;
    cursors(&shop.collection("numbers"))?;
    pipelines(&shop)?;
    sessions(&client, &shop.collection("visits"))?;
    shop.drop().run()?;
    assert!(!client.list_database_names().run()?.contains(&"shop".to_owned()));
    println!("works, with the driver for Rust");
    Ok(())
}

/// The code of a refused write.
fn write_code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}

fn crud(stock: &Collection<Document>) -> Outcome {
    stock.insert_one(doc! { "_id": "nut", "n": 2 }).run()?;
    stock.insert_many([doc! { "_id": "bolt", "n": 5 }, doc! { "_id": "nail", "n": 9 }]).run()?;
    let done = stock.update_one(doc! { "_id": "nut" }, doc! { "$inc": { "n": 3 } }).run()?;
    assert_eq!((done.matched_count, done.modified_count), (1, 1));
    let done = stock.update_one(doc! { "_id": "gear" }, doc! { "$set": { "n": 1 } }).upsert(true).run()?;
    assert_eq!(done.upserted_id, Some("gear".into()));
    assert_eq!(stock.update_many(doc! { "n": 5 }, doc! { "$set": { "five": true } }).run()?.modified_count, 2);
    stock.replace_one(doc! { "_id": "gear" }, doc! { "n": 7 }).run()?;
    let after = stock.find_one_and_update(doc! { "_id": "gear" }, doc! { "$mul": { "n": 2 } });
    let after = after.return_document(ReturnDocument::After).run()?;
    assert_eq!(after, Some(doc! { "_id": "gear", "n": 14 }));
    assert_eq!(stock.find_one_and_delete(doc! { "_id": "none" }).run()?, None);
    assert_eq!(stock.count_documents(doc! { "n": { "$gt": 5 } }).run()?, 2);
    assert_eq!(stock.estimated_document_count().run()?, 4);
    assert_eq!(stock.distinct("n", doc! {}).run()?, [5.into(), 9.into(), 14.into()]);
    assert_eq!(stock.delete_many(doc! { "n": { "$lt": 10 } }).run()?.deleted_count, 3);
    Ok(())
}

fn duplicates(events: &Collection<Document>) -> Outcome {
    let unique = IndexOptions::builder().unique(true).build();
    events.create_index(IndexModel::builder().keys(doc! { "event": 1 }).options(unique).build()).run()?;
    events.insert_one(doc! { "event": "a" }).run()?;
    let error = events.insert_one(doc! { "event": "a" }).run().expect_err("it is a duplicate");
    assert_eq!(write_code(&error), Some(11_000), "{error}");
    let many = [doc! { "event": "b" }, doc! { "event": "a" }, doc! { "event": "c" }];
    let error = events.insert_many(many).ordered(false).run().expect_err("one is a duplicate");
    match &*error.kind {
        ErrorKind::InsertMany(error) => {
            let errors = error.write_errors.as_ref().expect("there is one");
            assert_eq!(errors.iter().map(|error| (error.index, error.code)).collect::<Vec<_>>(), [(1, 11_000)]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(events.count_documents(doc! {}).run()?, 3);
    assert_eq!(events.list_index_names().run()?, ["_id_", "event_1"]);
    Ok(())
}

fn cursors(numbers: &Collection<Document>) -> Outcome {
    numbers.insert_many((0..3_000).map(|n| doc! { "_id": n })).run()?;
    let mut found = numbers.find(doc! {}).batch_size(100).sort(doc! { "_id": -1 }).run()?;
    let first = found.next().expect("there are some")?;
    assert_eq!(first, doc! { "_id": 2_999 });
    numbers.delete_many(doc! {}).run()?;
    assert_eq!(found.count(), 2_999, "as it was when the query began");
    Ok(())
}

fn pipelines(shop: &Database) -> Outcome {
    let orders = shop.collection::<Document>("orders");
    orders.insert_many((0..100).map(|n| doc! { "user": n % 3, "amount": n })).run()?;
    let stages = [
        doc! { "$match": { "user": { "$lt": 2 } } },
        doc! { "$group": { "_id": "$user", "total": { "$sum": "$amount" } } },
        doc! { "$sort": { "_id": 1 } },
    ];
    let totals = orders.aggregate(stages).run()?.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(totals, [doc! { "_id": 0, "total": 1_683 }, doc! { "_id": 1, "total": 1_617 }]);
    let explained = shop.run_command(doc! { "explain": { "find": "orders", "filter": { "user": 1 } } }).run()?;
    assert!(explained.contains_key("queryPlanner"));
    Ok(())
}

fn sessions(client: &Client, visits: &Collection<Document>) -> Outcome {
    let mut session = client.start_session().run()?;
    visits.insert_one(doc! { "_id": 1 }).session(&mut session).run()?;
    assert_eq!(visits.find_one(doc! {}).session(&mut session).run()?, Some(doc! { "_id": 1 }));
    Ok(())
}
