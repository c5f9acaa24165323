//! Finding a document and changing it.

use bson::{Document, RawDocumentBuf, doc};

use crate::document::{Code, ReturnDocument};
use crate::{Collection, Store};

fn tasks() -> Collection<Document> {
    let tasks = Store::in_memory().collection("tasks");
    tasks.insert_many([doc! { "_id": 1, "due": 5 }, doc! { "_id": 2, "due": 3 }]).unwrap();
    tasks
}

#[test]
fn both_images_are_there_and_a_projection_applies_to_either() {
    let tasks = tasks();
    let done = || tasks.find_one_and_update(doc! { "_id": 1 }, doc! { "$inc": { "due": 1 } });
    assert_eq!(done().run().unwrap(), Some(doc! { "_id": 1, "due": 5 }));
    let after = done().return_document(ReturnDocument::After).projection(doc! { "_id": 0 });
    assert_eq!(after.run().unwrap(), Some(doc! { "due": 7 }));
    let replace = tasks.find_one_and_replace(doc! { "_id": 1 }, &doc! { "x": 1 }).unwrap();
    assert_eq!(replace.return_document(ReturnDocument::After).run().unwrap(), Some(doc! { "_id": 1, "x": 1 }));
    let raw = tasks.with_type::<RawDocumentBuf>().find_one_and_update(doc! { "_id": 1 }, [doc! { "$set": { "y": "$x" } }]);
    assert_eq!(raw.run().unwrap().unwrap().get_i32("x").unwrap(), 1);
}

#[test]
fn what_is_inserted_has_no_image_before() {
    let tasks = tasks();
    let update = || tasks.find_one_and_update(doc! { "_id": 9 }, doc! { "$set": { "due": 1 } });
    assert_eq!(update().run().unwrap(), None);
    assert_eq!(tasks.count_documents(doc! {}).unwrap(), 2, "nothing was inserted without being asked for");
    let result = update().upsert(true).run_with_result().unwrap();
    assert_eq!((result.document, result.matched, result.upserted_id), (None, false, Some(9.into())));
    tasks.delete_one(doc! { "_id": 9 }).unwrap();
    let after = update().upsert(true).return_document(ReturnDocument::After).run().unwrap();
    assert_eq!(after, Some(doc! { "_id": 9, "due": 1 }));
}

#[test]
fn the_first_in_order_is_taken() {
    let tasks = tasks();
    let removed = tasks.find_one_and_delete(doc! {}).sort(doc! { "due": 1 }).run().unwrap();
    assert_eq!(removed, Some(doc! { "_id": 2, "due": 3 }));
    assert_eq!(tasks.find_one_and_delete(doc! { "_id": 2 }).run().unwrap(), None);
    tasks.insert_one(&doc! { "_id": 3, "due": 9 }).unwrap();
    let update = tasks.find_one_and_update(doc! {}, doc! { "$set": { "x": 1 } }).sort(doc! { "due": -1 });
    assert_eq!(update.run().unwrap().unwrap().get_i32("_id").unwrap(), 3);
}

#[test]
fn what_is_refused_changes_nothing() {
    let tasks = tasks();
    tasks.create_index_with(doc! { "due": 1 }, crate::document::IndexOptions::default().unique(true)).unwrap();
    let change = |update: Document| tasks.find_one_and_update(doc! { "_id": 1 }, update);
    for (query, code) in [
        (change(doc! { "$set": { "due": 3 } }), Code::DUPLICATE_KEY),
        (change(doc! { "$set": { "_id": 7 } }), Code::IMMUTABLE_FIELD),
        (change(doc! { "$set": { "x": 1 } }).projection(doc! { "a": 1, "b": 0 }), Code::EXCLUSION_IN_INCLUSION),
    ] {
        assert_eq!(Code::of(&query.run().unwrap_err()), Some(code));
    }
    assert_eq!(tasks.find_one(doc! { "_id": 1 }).unwrap(), Some(doc! { "_id": 1, "due": 5 }));
}
