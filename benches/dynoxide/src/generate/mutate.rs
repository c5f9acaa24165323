//! Bad requests: one member of a good one is spoiled.

use fastrand::Rng;
use serde_json::{Value, json};

use super::pick;

/// Spoils one member of `body`, at any depth.
pub fn spoil(rng: &mut Rng, body: &mut Value) {
    let Some(members) = body.as_object_mut().filter(|members| !members.is_empty()) else { return };
    let at = rng.usize(..members.len());
    let name = members.keys().nth(at).unwrap().clone();
    let is_deep = members[&name].as_object().is_some_and(|inner| !inner.is_empty());
    if is_deep && rng.u8(..4) > 0 {
        return spoil(rng, members.get_mut(&name).unwrap());
    }
    if let Some(first) = members.get_mut(&name).and_then(Value::as_array_mut).and_then(|list| list.first_mut())
        && first.is_object()
        && rng.bool()
    {
        return spoil(rng, first);
    }
    match rng.u8(..8) {
        0 => _ = members.remove(&name),
        1 => members[&name] = Value::Null,
        2 => members[&name] = json!(""),
        3 => {
            members[&name] =
                pick(rng, &[&json!(true), &json!(1), &json!(-1), &json!("x"), &json!([]), &json!({})]).clone()
        }
        4 => members[&name] = json!("x".repeat(*pick(rng, &[&256, &1025, &2049]))),
        5 => {
            let value = members.remove(&name).unwrap();
            members.insert(format!("{name}X"), value);
        }
        6 => {
            if let Value::Array(values) = &mut members[&name]
                && let Some(first) = values.first().cloned()
            {
                values.push(first);
            } else {
                members[&name] = json!({"S": "x", "N": "1"});
            }
        }
        _ => members[&name] = json!({"Q": "x"}),
    }
}
