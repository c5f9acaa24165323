//! Array operators.

use bson::{Bson, bson, doc};

use super::{code, update, updated};

/// What `operator` makes of the array `old`.
fn array(operator: &str, old: Bson, operand: Bson) -> Bson {
    let old = doc! { "a": old };
    let new = update(old.clone(), doc! { operator: { "a": operand } }).unwrap();
    new.unwrap_or(old).remove("a").unwrap()
}

#[test]
fn a_pushed_value_is_the_last_and_makes_the_array() {
    assert_eq!(array("$push", bson!([1]), bson!([2])), bson!([1, [2]]));
    assert_eq!(updated(doc! {}, doc! { "$push": { "a.b": 1 } }), doc! { "a": { "b": [1] } });
    assert_eq!(updated(doc! {}, doc! { "$push": { "a": { "$each": [] } } }), doc! { "a": [] });
    let literal = array("$push", bson!([1]), bson!({ "$slice": 1 }));
    assert_eq!(literal, bson!([1, { "$slice": 1 }]), "without $each it is a value");
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$push": { "a": 1 } })), 2);
}

#[test]
fn pushed_values_are_placed_then_sorted_then_cut() {
    let push = |modifiers: Bson| array("$push", bson!([3, 1]), modifiers);
    assert_eq!(push(bson!({ "$each": [7, 8], "$position": 1 })), bson!([3, 7, 8, 1]));
    assert_eq!(push(bson!({ "$each": [7], "$position": -1 })), bson!([3, 7, 1]));
    assert_eq!(push(bson!({ "$each": [7], "$position": -9 })), bson!([7, 3, 1]));
    assert_eq!(push(bson!({ "$each": [7], "$position": 9 })), bson!([3, 1, 7]));
    assert_eq!(push(bson!({ "$each": [2], "$sort": 1 })), bson!([1, 2, 3]));
    assert_eq!(push(bson!({ "$each": [2], "$sort": -1, "$slice": 2 })), bson!([3, 2]));
    assert_eq!(push(bson!({ "$each": [2], "$slice": -2 })), bson!([1, 2]));
    assert_eq!(push(bson!({ "$each": [2], "$slice": 0 })), bson!([]));
    assert_eq!(push(bson!({ "$each": [], "$slice": i64::MIN })), bson!([3, 1]));
    let by_field = bson!({ "$each": [{ "s": { "n": 1 } }], "$sort": { "s.n": 1, "k": -1 } });
    let sorted = array("$push", bson!([{ "s": { "n": 2 } }, { "k": 1 }, { "k": 2 }, 5]), by_field);
    assert_eq!(sorted, bson!([{ "k": 2 }, { "k": 1 }, 5, { "s": { "n": 1 } }, { "s": { "n": 2 } }]));
}

#[test]
fn modifiers_that_push_does_not_take_are_refused() {
    for modifiers in [
        bson!({ "$each": 1 }),
        bson!({ "$each": [], "$slice": 1.5 }),
        bson!({ "$each": [], "$slice": "x" }),
        bson!({ "$each": [], "$position": null }),
        bson!({ "$each": [], "$sort": 0 }),
        bson!({ "$each": [], "$sort": 2 }),
        bson!({ "$each": [], "$sort": {} }),
        bson!({ "$each": [], "$sort": { "a.": 1 } }),
        bson!({ "$each": [], "$sort": { "a": "asc" } }),
        bson!({ "$each": [], "$first": 1 }),
    ] {
        assert_eq!(code(update(doc! {}, doc! { "$push": { "a": modifiers.clone() } })), 2, "{modifiers}");
    }
}

// SEM: DOC-UPD-6
#[test]
fn a_set_takes_each_value_once() {
    assert_eq!(array("$addToSet", bson!([1]), bson!(1.0)), bson!([1]));
    assert_eq!(array("$addToSet", bson!([1]), bson!([1])), bson!([1, [1]]));
    let each = bson!({ "$each": [2, 2, 1, { "x": 1, "y": 2 }] });
    assert_eq!(array("$addToSet", bson!([1, { "y": 2, "x": 1 }]), each), bson!([1, { "y": 2, "x": 1 }, 2, { "x": 1, "y": 2 }]));
    assert_eq!(updated(doc! {}, doc! { "$addToSet": { "a": { "$each": [] } } }), doc! { "a": [] });
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$addToSet": { "a": 1 } })), 2);
    assert_eq!(code(update(doc! {}, doc! { "$addToSet": { "a": { "$each": 1 } } })), 14);
    assert_eq!(code(update(doc! {}, doc! { "$addToSet": { "a": { "$each": [], "$slice": 1 } } })), 2);
}

#[test]
fn pop_takes_one_from_either_end() {
    assert_eq!(array("$pop", bson!([1, 2, 3]), bson!(1)), bson!([1, 2]));
    assert_eq!(array("$pop", bson!([1, 2, 3]), bson!(-1.0)), bson!([2, 3]));
    assert_eq!(update(doc! { "a": [] }, doc! { "$pop": { "a": 1, "b": 1 } }).unwrap(), None);
    for operand in [bson!(0), bson!(2), bson!(0.5), bson!("1"), bson!({ "$each": [1] })] {
        assert_eq!(code(update(doc! { "a": [1] }, doc! { "$pop": { "a": operand } })), 9);
    }
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$pop": { "a": 1 } })), 14);
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$pop": { "a.b": 1 } })), 28);
    assert_eq!(code(update(doc! { "a": [{ "b": [1] }] }, doc! { "$pop": { "a.b": 1 } })), 28);
}

// SEM: DOC-UPD-6
#[test]
fn pull_takes_out_what_equals_a_value_or_meets_a_condition() {
    assert_eq!(array("$pull", bson!([1, [1, 2], 3, 1.0]), bson!(1)), bson!([[1, 2], 3]));
    assert_eq!(array("$pull", bson!([1, [], 2]), bson!([])), bson!([1, 2]));
    assert_eq!(array("$pull", bson!([[1, 2], [2, 1]]), bson!([1, 2])), bson!([[2, 1]]));
    assert_eq!(array("$pull", bson!([1, 5, 9]), bson!({ "$gte": 5, "$lt": 9 })), bson!([1, 9]));
    assert_eq!(array("$pull", bson!([1, null, 3]), bson!({ "$eq": null })), bson!([1, 3]));
    assert_eq!(array("$pull", bson!([1, 2, 3]), bson!({ "$in": [1, 3] })), bson!([2]));
    let documents = bson!([{ "x": 1, "y": 2 }, { "y": 2, "x": 1, "z": 3 }, { "x": 1 }, 5]);
    assert_eq!(array("$pull", documents.clone(), bson!({ "x": 1, "y": 2 })), bson!([{ "x": 1 }, 5]));
    assert_eq!(array("$pull", documents.clone(), bson!({ "$or": [{ "z": 3 }, { "y": null }] })), bson!([{ "x": 1, "y": 2 }, 5]));
    assert_eq!(array("$pull", documents, bson!({})), bson!([5]), "every object meets no conditions");
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$pull": { "a": 1 } })), 2);
    assert_eq!(update(doc! {}, doc! { "$pull": { "a": 1 } }).unwrap(), None);
}

#[test]
fn pull_all_takes_out_every_listed_value() {
    assert_eq!(array("$pullAll", bson!([1, 2, 3, 1, { "x": 1 }]), bson!([1, { "x": 1.0 }])), bson!([2, 3]));
    assert_eq!(array("$pullAll", bson!([1]), bson!([])), bson!([1]));
    assert_eq!(code(update(doc! { "a": [1] }, doc! { "$pullAll": { "a": 1 } })), 2);
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$pullAll": { "a": [1] } })), 2);
}
