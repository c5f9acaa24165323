//! `$`, `$[]` and `$[name]`.

use bson::{Document, doc};

use super::{code, filtered, update, updated};
use crate::Store;

#[test]
fn every_element_is_changed() {
    assert_eq!(updated(doc! { "a": [1, 2] }, doc! { "$inc": { "a.$[]": 5 } }), doc! { "a": [6, 7] });
    let nested = doc! { "a": [{ "b": [1, 2] }, { "b": [3] }] };
    let new = updated(nested, doc! { "$mul": { "a.$[].b.$[]": 2 } });
    assert_eq!(new, doc! { "a": [{ "b": [2, 4] }, { "b": [6] }] });
    assert_eq!(updated(doc! { "a": [1, 2] }, doc! { "$unset": { "a.$[]": "" } }), doc! { "a": [null, null] });
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$set": { "a.$[]": 1 } })), 2);
    assert_eq!(code(update(doc! {}, doc! { "$set": { "a.$[]": 1 } })), 2);
    assert_eq!(code(update(doc! { "a": [1] }, doc! { "$set": { "a.$[].b": 1 } })), 28);
}

#[test]
fn filtered_elements_are_changed() {
    let old = || doc! { "a": [{ "g": 5, "m": 1 }, { "g": 9, "m": 2 }, 7] };
    let set = |path: &str, filters: &[Document]| filtered(old(), doc! { "$set": { path: 0 } }, filters, None);
    let high = [doc! { "e.g": { "$gt": 6 } }];
    assert_eq!(set("a.$[e].m", &high).unwrap(), Some(doc! { "a": [{ "g": 5, "m": 1 }, { "g": 9, "m": 0 }, 7] }));
    let both = [doc! { "$or": [{ "e": 7 }, { "e.m": 1 }] }];
    assert_eq!(set("a.$[e]", &both).unwrap(), Some(doc! { "a": [0, { "g": 9, "m": 2 }, 0] }));
    assert_eq!(set("a.$[e]", &[doc! { "e": 99 }]).unwrap(), None);
    for (path, filters, number) in [
        ("a.$[e]", vec![], 2),
        ("a.$[x]", vec![doc! { "y": 1 }], 2),
        ("a.0", vec![doc! { "e": 1 }], 9),
        ("a.$[e]", vec![doc! { "e": 1 }, doc! { "e": 2 }], 9),
        ("a.$[e]", vec![doc! { "e": 1, "f": 2 }], 9),
        ("a.$[e]", vec![doc! {}], 9),
        ("a.$[1e]", vec![doc! { "1e": 1 }], 2),
        ("a.$[E]", vec![doc! { "E": 1 }], 2),
    ] {
        assert_eq!(code(set(path, &filters)), number, "{path} {filters:?}");
    }
}

// SEM: DOC-UPD-2
#[test]
fn changes_that_meet_in_one_element_conflict_there() {
    let filters = [doc! { "e": { "$gt": 1 } }];
    let change = |old: Document| filtered(old, doc! { "$set": { "a.0": 9 }, "$inc": { "a.$[e]": 1 } }, &filters, None);
    assert_eq!(change(doc! { "a": [1, 2] }).unwrap(), Some(doc! { "a": [9, 3] }));
    assert_eq!(code(change(doc! { "a": [5, 2] })), 40);
    let apart = doc! { "$set": { "a.0.x": 1, "a.$[].y": 2 } };
    assert_eq!(updated(doc! { "a": [{}, {}] }, apart), doc! { "a": [{ "x": 1, "y": 2 }, { "y": 2 }] });
}

#[test]
fn the_element_that_the_filter_found_is_changed() {
    let tests = Store::in_memory().collection::<Document>("tests");
    let change = |filter: Document, path: &str| {
        tests.delete_many(doc! {}).unwrap();
        tests.insert_one(&doc! { "_id": 1, "a": [1, 5, 7], "d": [{ "x": 1, "n": 0 }, { "x": 2, "n": 0 }], "s": 5 }).unwrap();
        tests.update_one(filter, doc! { "$set": { path: 0 } })?;
        tests.find_one(doc! {}).map(Option::unwrap)
    };
    assert_eq!(change(doc! { "a": 5 }, "a.$").unwrap().get_array("a").unwrap(), &vec![1.into(), 0.into(), 7.into()]);
    let ranged = change(doc! { "_id": 1, "a": { "$gt": 5 } }, "a.$").unwrap();
    assert_eq!(ranged.get_array("a").unwrap(), &vec![1.into(), 5.into(), 0.into()]);
    let inner = change(doc! { "d.x": 2 }, "d.$.x").unwrap();
    assert_eq!(inner.get_array("d").unwrap()[1], doc! { "x": 0, "n": 0 }.into());
    for filter in [
        doc! { "_id": 1 },
        doc! { "a": { "$ne": 3 } },
        doc! { "a": { "$not": { "$eq": 3 } } },
        doc! { "a": { "$nin": [3] } },
        doc! { "s": 5 },
    ] {
        assert_eq!(code(change(filter.clone(), "a.$")), 2, "{filter}");
    }
}
