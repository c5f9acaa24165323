//! Validators of collections.

use bson::{Bson, Document, doc};

use crate::document::{
    Code, Collection, CollectionChange, CollectionOptions, FindOneAndOptions, Modify, ValidationAction,
    ValidationLevel, WriteModel,
};
use crate::{Error, Store};

fn shop(validator: Document) -> (Store, Collection<Document>) {
    let store = Store::in_memory();
    let options = CollectionOptions::default().validator(validator);
    store.database("shop").create_collection_with("orders", options).unwrap();
    let orders = store.database("shop").collection("orders");
    (store, orders)
}

fn details(error: &Error) -> &Document {
    assert_eq!(Code::of(error), Some(Code::DOCUMENT_VALIDATION_FAILURE), "{error}");
    let Error::InvalidDocument { details, .. } = error.cause() else { panic!("{error}") };
    details
}

#[test]
fn every_kind_of_write_is_asked() {
    let (_store, orders) = shop(doc! { "price": { "$gt": 0 } });
    let good = doc! { "_id": 1, "price": 5 };
    let bad = doc! { "_id": 2, "price": 0 };
    orders.insert_one(&good).unwrap();
    let error = orders.insert_one(&bad).unwrap_err();
    assert_eq!(details(&error).get("failingDocumentId"), Some(&Bson::Int32(2)));
    details(&orders.insert_many([&bad]).unwrap_err());
    details(&orders.update_one(doc! { "_id": 1 }, doc! { "$set": { "price": 0 } }).unwrap_err());
    details(&orders.update_many(doc! {}, doc! { "$unset": { "price": 1 } }).unwrap_err());
    details(&orders.replace_one(doc! { "_id": 1 }, &doc! { "price": -1 }).unwrap_err());
    let change = Modify::from(doc! { "$inc": { "price": -5 } });
    details(&orders.find_and_modify(doc! {}, change, FindOneAndOptions::default()).unwrap_err());
    let done = orders.bulk_write([WriteModel::insert_one(&bad).unwrap()]).run().unwrap();
    details(done.errors().next().unwrap().1);
    assert_eq!(orders.find(doc! {}).to_vec().unwrap(), [good]);
    // What an update leaves as it is, is not asked about.
    orders.bypass_document_validation(true).insert_one(&bad).unwrap();
    assert_eq!(orders.update_one(doc! { "_id": 2 }, doc! { "$set": { "price": 0 } }).unwrap().modified, 0);
}

#[test]
fn a_pipelines_result_is_asked_about_and_nothing_is_written_when_it_is_refused() {
    let (store, orders) = shop(doc! { "price": { "$exists": true } });
    orders.insert_one(&doc! { "_id": 1, "price": 5 }).unwrap();
    let other = store.database("shop").collection::<Document>("other");
    other.insert_one(&doc! { "_id": 7 }).unwrap();
    details(&other.aggregate_out([doc! { "$out": "orders" }]).unwrap_err());
    assert_eq!(orders.count_documents(doc! { "_id": 1 }).unwrap(), 1);
    assert_eq!(other.bypass_document_validation(true).aggregate_out([doc! { "$out": "orders" }]).unwrap(), 1);
}

#[test]
fn a_moderate_validator_leaves_those_alone_that_never_met_it() {
    let (store, orders) = shop(doc! { "price": { "$gt": 0 } });
    orders.bypass_document_validation(true).insert_one(&doc! { "_id": 1, "price": -1 }).unwrap();
    orders.insert_one(&doc! { "_id": 2, "price": 1 }).unwrap();
    let lower = |id: i32| orders.update_one(doc! { "_id": id }, doc! { "$inc": { "price": -5 } });
    assert!(lower(1).is_err(), "strict is the default");
    let set = |change| store.database("shop").modify_collection("orders", change).unwrap();
    set(CollectionChange::default().validation_level(ValidationLevel::Moderate));
    assert!(lower(1).is_ok() && lower(2).is_err());
    assert!(orders.insert_one(&doc! { "price": 0 }).is_err(), "an insertion is always asked about");
    set(CollectionChange::default().validation_level(ValidationLevel::Off));
    assert!(lower(2).is_ok());
    set(CollectionChange::default().validation_level(ValidationLevel::Strict));
    set(CollectionChange::default().validation_action(ValidationAction::Warn));
    assert!(lower(2).is_ok());
    set(CollectionChange::default().validation_action(ValidationAction::ErrorAndLog));
    assert!(lower(2).is_err());
    set(CollectionChange::default().validator(doc! {}));
    assert!(lower(2).is_ok(), "no validator is left");
    let options = store.database("shop").list_collections().unwrap().remove(0).options;
    let shown = doc! { "validationLevel": "strict", "validationAction": "errorAndLog" };
    assert_eq!(options.to_document(), shown);
}

#[test]
fn the_reason_names_the_condition_that_does_not_hold() {
    let reason = |validator: Document, document: Document| {
        let (_store, orders) = shop(validator);
        let error = orders.insert_one(&document).unwrap_err();
        details(&error).get_document("details").unwrap().clone()
    };
    // The form is documented.
    assert_eq!(
        reason(doc! { "$expr": { "$eq": ["$a", { "$multiply": ["$b", 2] }] } }, doc! { "a": 1, "b": 1 }),
        doc! {
            "operatorName": "$expr",
            "specifiedAs": { "$expr": { "$eq": ["$a", { "$multiply": ["$b", 2] }] } },
            "reason": "expression did not match",
            "expressionResult": false,
        }
    );
    let comparison = doc! {
        "operatorName": "$gt", "specifiedAs": { "a": { "$gt": 3 } }, "reason": "comparison failed", "consideredValue": 1,
    };
    assert_eq!(reason(doc! { "a": { "$gt": 3 } }, doc! { "a": 1 }), comparison);
    let several = reason(doc! { "b": { "$exists": true }, "a": { "$gt": 3, "$lt": 9 } }, doc! { "a": 1, "b": 1 });
    let unmet = doc! { "index": 1, "details": comparison };
    assert_eq!(several, doc! { "operatorName": "$and", "clausesNotSatisfied": [unmet] });
    let missing = reason(doc! { "a.b": { "$regex": "x", "$options": "i" } }, doc! { "a": {} });
    assert_eq!(missing.get_str("reason").unwrap(), "field was missing");
    assert_eq!(missing.get_document("specifiedAs").unwrap(), &doc! { "a.b": { "$regex": "x", "$options": "i" } });
}

#[test]
fn what_no_validator_can_be_is_refused_when_it_is_given() {
    let store = Store::in_memory();
    let code = |validator: Document| {
        let options = CollectionOptions::default().validator(validator);
        Code::of(&store.database("d").create_collection_with("c", options).unwrap_err()).map(Code::number)
    };
    assert_eq!(code(doc! { "$where": "true" }), Some(2));
    assert_eq!(code(doc! { "$or": [{ "a": 1 }, { "$text": { "$search": "x" } }] }), Some(2));
    assert_eq!(code(doc! { "a": { "$near": [0, 0] } }), Some(5_626_500));
    assert_eq!(code(doc! { "$badOp": 1 }), Some(2));
    assert_eq!(code(doc! { "$expr": { "$badOp": 1 } }), Some(168));
    store.database("d").create_collection("c").unwrap();
    let change = CollectionChange::default().validator(doc! { "$badOp": 1 });
    assert!(store.database("d").modify_collection("c", change).is_err());
    let error = store.database("d").modify_collection("none", CollectionChange::default()).unwrap_err();
    assert_eq!(Code::of(&error), Some(Code::NAMESPACE_NOT_FOUND));
}

#[test]
fn a_validator_is_there_when_the_store_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::open(directory.path()).unwrap();
    {
        let options = CollectionOptions::default().validator(doc! { "a": { "$in": [1, 2] } });
        open().database("d").create_collection_with("c", options).unwrap();
    }
    let store = open();
    let collection = store.database("d").collection::<Document>("c");
    assert!(collection.insert_one(&doc! { "a": 3 }).is_err() && collection.insert_one(&doc! { "a": 2 }).is_ok());
}
