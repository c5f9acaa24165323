//! What the planner is told to use.

use bson::{Document, doc};

use crate::document::{AggregateOptions, Code, Collection, DeleteOptions, FindOneAndOptions, Modify, UpdateOptions};
use crate::{Result, Store};

/// Three documents whose order by `a` is not that of insertion.
fn events() -> Collection<Document> {
    let events = Store::in_memory().collection("events");
    events.create_index(doc! { "a": 1 }).unwrap();
    events.insert_many([doc! { "_id": 1, "a": 3 }, doc! { "_id": 2, "a": 2 }, doc! { "_id": 3, "a": 1 }]).unwrap();
    events
}

fn ids(documents: &[Document]) -> Vec<i32> {
    documents.iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
    Code::of(&result.unwrap_err()).unwrap().number()
}

#[test]
fn an_index_is_used_that_would_not_be_chosen() {
    let events = events();
    assert_eq!(ids(&events.find(doc! {}).hint("a_1").to_vec().unwrap()), [3, 2, 1]);
    assert_eq!(ids(&events.find(doc! {}).hint(doc! { "a": 1.0 }).to_vec().unwrap()), [3, 2, 1]);
    assert_eq!(ids(&events.find(doc! {}).hint(doc! {}).to_vec().unwrap()), [1, 2, 3]);
    let by_id = events.find(doc! { "a": 2 }).hint("_id_").explain().unwrap();
    assert_eq!((by_id.keys_examined, by_id.returned), (3, 1));
    assert_eq!(events.find(doc! { "_id": 2 }).hint("a_1").explain().unwrap().keys_examined, 3);
    assert_eq!(events.find(doc! { "a": { "$gt": 1 } }).hint("_id_").skip(1).limit(5).count().unwrap(), 1);
}

#[test]
fn natural_order_is_that_of_insertion_in_either_direction() {
    let events = events();
    let natural = |direction: i32| doc! { "$natural": direction };
    assert_eq!(ids(&events.find(doc! {}).hint(natural(-1)).to_vec().unwrap()), [3, 2, 1]);
    assert_eq!(ids(&events.find(doc! {}).sort(natural(-1)).limit(2).to_vec().unwrap()), [3, 2]);
    let plan = events.find(doc! { "a": 1 }).sort(natural(1)).explain().unwrap();
    assert_eq!((plan.stage.to_string().as_str(), plan.documents_examined), ("COLLSCAN", 3));
    assert_eq!(code(events.find(doc! {}).hint(natural(2)).to_vec()), 2);
    assert_eq!(code(events.find(doc! {}).sort(natural(1)).hint("a_1").to_vec()), 2);
    let sorted = events.find(doc! {}).hint(natural(-1)).sort(doc! { "a": 1 }).to_vec().unwrap();
    assert_eq!(ids(&sorted), [3, 2, 1]);
}

#[test]
fn an_index_that_does_not_exist_is_an_error_where_there_is_a_collection() {
    let events = events();
    assert_eq!(code(events.find(doc! {}).hint("nosuch").count()), 2);
    assert_eq!(code(events.find(doc! { "_id": 1 }).hint(doc! { "b": 1 }).to_vec()), 2);
    let nosuch = || UpdateOptions::default().hint("nosuch");
    assert_eq!(code(events.update_one_with(doc! {}, doc! { "$set": { "b": 1 } }, nosuch())), 2);
    assert_eq!(code(events.update_many_with(doc! {}, doc! { "$set": { "b": 1 } }, nosuch())), 2);
    assert_eq!(code(events.delete_one_with(doc! {}, DeleteOptions::default().hint("nosuch"))), 2);
    assert_eq!(code(events.delete_many_with(doc! {}, DeleteOptions::default().hint("nosuch"))), 2);
    let options = FindOneAndOptions::default().update(nosuch());
    assert_eq!(code(events.find_and_modify(doc! {}, Modify::Delete, options)), 2);
    let options = AggregateOptions::default().hint("nosuch");
    assert_eq!(code(events.aggregate_with::<Document>([], options).map(drop)), 2);
    assert_eq!(events.count_documents(doc! {}).unwrap(), 3);
    let none = Store::in_memory().collection::<Document>("none");
    assert_eq!(none.find(doc! {}).hint("nosuch").count().unwrap(), 0);
}

#[test]
fn what_is_changed_is_found_by_the_hint() {
    let events = events();
    let by_a = || UpdateOptions::default().hint("a_1");
    events.update_one_with(doc! {}, doc! { "$set": { "first": true } }, by_a()).unwrap();
    assert_eq!(events.find_one(doc! { "first": true }).unwrap().unwrap().get_i32("_id").ok(), Some(3));
    assert_eq!(events.delete_one_with(doc! {}, DeleteOptions::default().hint("a_1")).unwrap(), 1);
    assert_eq!(ids(&events.find(doc! {}).to_vec().unwrap()), [1, 2]);
    let options = FindOneAndOptions::default().update(by_a());
    let found = events.find_and_modify(doc! {}, Modify::Delete, options).unwrap();
    assert_eq!(found.document.unwrap().get_i32("_id").ok(), Some(2));
}

#[test]
fn variables_reach_removals_pipelines_and_what_is_returned() {
    let events = events();
    let least = doc! { "least": 2, "more": { "$add": ["$$least", 1] } };
    let filter = || doc! { "$expr": { "$gte": ["$a", "$$more"] } };
    let options = AggregateOptions::default().let_vars(least.clone());
    let found = events.aggregate_with::<Document>([doc! { "$match": filter() }], options).unwrap();
    assert_eq!(ids(&found.collect::<Result<Vec<_>>>().unwrap()), [1]);
    let update = UpdateOptions::default().let_vars(least.clone());
    let options = FindOneAndOptions::default().update(update).projection(doc! { "m": "$$more" });
    let found = events.find_and_modify(filter(), Modify::Delete, options).unwrap();
    assert_eq!(found.document, Some(doc! { "_id": 1, "m": 3 }));
    let options = DeleteOptions::default().let_vars(doc! { "least": 2 });
    assert_eq!(events.delete_many_with(doc! { "$expr": { "$eq": ["$a", "$$least"] } }, options).unwrap(), 1);
}

#[test]
fn a_variable_has_a_name_of_its_own_and_depends_on_nothing() {
    let events = events();
    let with = |variables| {
        let options = AggregateOptions::default().let_vars(variables);
        code(events.aggregate_with::<Document>([], options).map(drop))
    };
    assert_eq!(with(doc! { "a": "$x" }), 4_890_500);
    assert_eq!(with(doc! { "a": "$$NOW" }), 51_144);
    assert_eq!(with(doc! { "NOW": 1 }), 4_738_901);
    assert_eq!(with(doc! { "a": "$$b", "b": 1 }), 17_276);
    assert_eq!(with(doc! { "A": 1 }), 9);
    assert_eq!(with(doc! { "a": { "$divide": [1, 0] } }), 2);
}
