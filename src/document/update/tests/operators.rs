//! Field operators.

use bson::{Bson, DateTime, Document, Timestamp, bson, doc};

use super::{NOW, code, decimal, update, updated};

/// What `operator` makes of `old` in one field.
fn field(operator: &str, old: Bson, operand: Bson) -> Bson {
    let old = doc! { "a": old };
    let new = update(old.clone(), doc! { operator: { "a": operand } }).unwrap();
    new.unwrap_or(old).remove("a").unwrap()
}

// Class 1 of the review: 1.10 times 1, and times 3, keep their zeros.
// SEM: DOC-AGG-15
#[test]
fn a_product_of_decimals_keeps_its_exponent() {
    assert_eq!(field("$mul", decimal("1.10"), bson!(3)), decimal("3.30"));
    assert_eq!(field("$mul", decimal("1.10"), bson!(1)), decimal("1.10"));
    assert_eq!(field("$mul", bson!(1), decimal("1.10")), decimal("1.10"));
}

// SEM: DOC-UPD-5
#[test]
fn a_product_widens_and_of_nothing_is_a_zero_of_the_type() {
    assert_eq!(field("$mul", bson!(i32::MAX), bson!(2)), bson!(i64::from(i32::MAX) * 2));
    assert_eq!(field("$mul", bson!(3), bson!(0.5)), bson!(1.5));
    assert_eq!(code(update(doc! { "a": i64::MAX }, doc! { "$mul": { "a": 2 } })), 2);
    assert_eq!(code(update(doc! { "a": "x" }, doc! { "$mul": { "a": 2 } })), 14);
    assert_eq!(code(update(doc! { "a": 1 }, doc! { "$mul": { "a": "x" } })), 14);
    for (factor, zero) in [(bson!(5), bson!(0)), (bson!(5i64), bson!(0i64)), (bson!(2.5), bson!(0.0))] {
        assert_eq!(updated(doc! {}, doc! { "$mul": { "a.b": factor } }), doc! { "a": { "b": zero } });
    }
    assert_eq!(updated(doc! {}, doc! { "$mul": { "a": decimal("3") } }), doc! { "a": decimal("0") });
}

// Class 8 of the review: an increment of -0.0 by 0.0.
// SEM: DOC-UPD-5
#[test]
fn an_equal_number_of_the_same_type_is_no_change() {
    let same = |old: Bson, by: Bson| update(doc! { "a": old }, doc! { "$inc": { "a": by } }).unwrap();
    assert_eq!(same(bson!(-0.0), bson!(0.0)), None);
    assert_eq!(same(decimal("1.0"), decimal("0.00")), None);
    assert_eq!(same(bson!(1), bson!(0)), None);
    assert_eq!(same(bson!(1), bson!(0i64)), Some(doc! { "a": 1i64 }), "another type is a change");
}

// SEM: DOC-UPD-6
#[test]
fn extremes_go_by_the_order_of_all_values() {
    assert_eq!(field("$min", bson!(5), bson!(3)), bson!(3));
    assert_eq!(field("$min", bson!(5), bson!(5.0)), bson!(5), "an equal value stays");
    assert_eq!(field("$max", bson!(5), bson!("a")), bson!("a"), "text is above every number");
    assert_eq!(field("$max", bson!(5), bson!(null)), bson!(5));
    assert_eq!(field("$min", bson!(5), bson!(null)), bson!(null));
    assert_eq!(updated(doc! {}, doc! { "$max": { "a": 1 }, "$min": { "b": null } }), doc! { "a": 1, "b": null });
}

#[test]
fn the_current_date_is_the_stores_time() {
    let text = doc! { "$currentDate": { "a": true, "b": { "$type": "date" }, "c": { "$type": "timestamp" } } };
    let date = DateTime::from_millis(NOW * 1_000);
    let timestamp = Timestamp { time: u32::try_from(NOW).unwrap(), increment: 1 };
    assert_eq!(updated(doc! { "a": 1 }, text), doc! { "a": date, "b": date, "c": timestamp });
    for wrong in [bson!(1), bson!("date"), bson!({ "$type": "time" }), bson!({ "$type": "date", "x": 1 }), bson!({})] {
        assert_eq!(code(update(doc! {}, doc! { "$currentDate": { "a": wrong } })), 2);
    }
}

// SEM: DOC-UPD-6
#[test]
fn a_renamed_field_goes_where_its_new_path_puts_it() {
    let renamed = |old: Document, from: &str, to: &str| update(old, doc! { "$rename": { from: to } });
    assert_eq!(renamed(doc! { "a": 1, "b": 2 }, "a", "c").unwrap(), Some(doc! { "b": 2, "c": 1 }));
    assert_eq!(renamed(doc! { "a": 1, "b": 2 }, "a", "b").unwrap(), Some(doc! { "b": 1 }), "what was there is gone");
    assert_eq!(renamed(doc! { "a": { "b": 1 } }, "a.b", "c.d").unwrap(), Some(doc! { "a": {}, "c": { "d": 1 } }));
    assert_eq!(renamed(doc! { "b": 1 }, "a", "c").unwrap(), None, "there is nothing to rename");
    assert_eq!(renamed(doc! { "x": { "y": 1 } }, "a.b", "x.y.z").unwrap(), None);
}

// SEM: DOC-UPD-2, DOC-UPD-6
#[test]
fn what_cannot_be_renamed_is_refused_with_the_number_for_it() {
    for (from, to, number) in [
        ("a", bson!("a"), 2),
        ("a", bson!("a.b"), 2),
        ("a.b", bson!("a"), 2),
        ("a", bson!(1), 2),
        ("a.$[]", bson!("b"), 2),
        ("a", bson!("b.$"), 2),
        ("list.0", bson!("b"), 2),
        ("list.0.c", bson!("b"), 2),
        ("a", bson!("list.0"), 2),
        ("a.b", bson!("c"), 28),
        ("a", bson!("n.x"), 28),
        ("_id", bson!("c"), 66),
        ("a", bson!("_id"), 66),
        ("", bson!("b"), 56),
        ("a", bson!("b."), 56),
        ("a", bson!("$b"), 52),
        ("a", bson!("b\0"), 9_867_600),
    ] {
        let old = doc! { "_id": 1, "a": 1, "n": 2, "list": [{ "c": 1 }] };
        assert_eq!(code(update(old, doc! { "$rename": { from: to.clone() } })), number, "{from} to {to}");
    }
    for text in [
        doc! { "$rename": { "a": "b" }, "$set": { "a": 1 } },
        doc! { "$rename": { "a": "b" }, "$inc": { "b": 1 } },
        doc! { "$rename": { "a": "b", "c": "b" } },
        doc! { "$rename": { "a": "b", "b": "c" } },
    ] {
        assert_eq!(code(update(doc! { "a": 1 }, text)), 40);
    }
}

#[test]
fn bits_are_combined_in_the_wider_type() {
    assert_eq!(field("$bit", bson!(13), bson!({ "and": 10 })), bson!(8));
    assert_eq!(field("$bit", bson!(3), bson!({ "or": 5i64 })), bson!(7i64));
    assert_eq!(field("$bit", bson!(1), bson!({ "xor": 5, "and": 6 })), bson!(4), "one after the other");
    assert_eq!(updated(doc! {}, doc! { "$bit": { "a": { "or": 5 } } }), doc! { "a": 5 });
    assert_eq!(update(doc! { "a": 1 }, doc! { "$bit": { "a": { "or": 1 } } }).unwrap(), None);
    for operand in [bson!({}), bson!(5), bson!({ "not": 1 }), bson!({ "and": 1.0 }), bson!({ "and": "x" })] {
        assert_eq!(code(update(doc! { "a": 1 }, doc! { "$bit": { "a": operand } })), 2);
    }
    assert_eq!(code(update(doc! { "a": 1.0 }, doc! { "$bit": { "a": { "and": 1 } } })), 2);
}

#[test]
fn what_is_only_for_inserts_leaves_a_stored_document_alone() {
    let text = doc! { "$setOnInsert": { "a": 9, "b.c": 1, "a2.x": 1 }, "$inc": { "n": 1 } };
    assert_eq!(updated(doc! { "a": 1, "a2": 5 }, text), doc! { "a": 1, "a2": 5, "n": 1 });
}
