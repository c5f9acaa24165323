//! Values, keys and items.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::tables::{Part, Shape};
use super::{chance, pick};

/// The attributes that items have beside their keys. The name says what their values usually are.
pub const NAMES: [&str; 10] = ["a", "b", "s", "n", "l", "m", "ss", "ns", "bs", "t"];
const TEXTS: [&str; 9] = ["", "a", "b", "ab", "abc", "b c", "ä", "z", "€x"];
const NUMBERS: [&str; 17] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "10",
    "1.5",
    "100",
    "1e2",
    "-0",
    "0.10",
    "007",
    "-2.25",
    "1E-130",
    "12345678901234567890123456789012345678",
    "9.9999999999999999999999999999999999999E+125",
    "-1e30",
];
const BYTES: [&str; 5] = ["", "AA==", "AQ==", "AAE=", "/w=="];

/// A value of type `S`, `N` or `B` for a part of a key, of which there are `count`.
pub fn key_value(rng: &mut Rng, kind: &str, count: usize) -> Value {
    let at = rng.usize(..count);
    let text = match kind {
        "S" => ["k0", "k1", "k10", "k2", "x", "xy", "ä", "k3"][at % 8],
        "N" if chance(rng, 20) => ["0.0", "1.0", "2", "1e1", "-1.00", "3.5", "07", "-2e1"][at % 8],
        "N" => ["0", "1", "2", "10", "-1", "3.5", "7", "-20"][at % 8],
        _ => ["AA==", "AQ==", "AAE=", "/w==", "AQI=", "fw==", "gA==", "AAA="][at % 8],
    };
    json!({kind: text})
}

/// The key of an item.
pub fn key(rng: &mut Rng, shape: &Shape) -> Map<String, Value> {
    let mut key = Map::new();
    key.insert(shape.keys.partition.name.to_owned(), key_value(rng, shape.keys.partition.kind, 3));
    if let Some(Part { name, kind }) = shape.keys.sort {
        key.insert(name.to_owned(), key_value(rng, kind, 6));
    }
    key
}

/// An item, with what its indexes need more often than not.
pub fn item(rng: &mut Rng, shape: &Shape) -> Map<String, Value> {
    let mut item = key(rng, shape);
    for part in shape.indexes.iter().flat_map(|index| index.keys.parts()) {
        if item.contains_key(part.name) {
            continue;
        }
        match rng.u8(..100) {
            0..75 => item.insert(part.name.to_owned(), key_value(rng, part.kind, 4)),
            75..78 => item.insert(part.name.to_owned(), value(rng, 1)),
            _ => None,
        };
    }
    for _ in 0..rng.usize(..6) {
        let name = pick(rng, &NAMES);
        item.insert(name.to_owned(), value_of(rng, name));
    }
    item
}

/// A value of the type that `name` usually has.
pub fn value_of(rng: &mut Rng, name: &str) -> Value {
    if chance(rng, 12) {
        return value(rng, 2);
    }
    match name {
        "s" | "t" => json!({"S": pick(rng, &TEXTS)}),
        "n" => json!({"N": pick(rng, &NUMBERS)}),
        "l" => list(rng, 2),
        "m" => map(rng, 2),
        "ss" => set(rng, "SS"),
        "ns" => set(rng, "NS"),
        "bs" => set(rng, "BS"),
        _ => value(rng, 1),
    }
}

/// A value of any type, at most `depth` levels of lists and maps around it.
pub fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(..if depth == 0 { 10 } else { 13 }) {
        0..3 => json!({"S": pick(rng, &TEXTS)}),
        3..6 => json!({"N": pick(rng, &NUMBERS)}),
        6 => json!({"B": pick(rng, &BYTES)}),
        7 => json!({"BOOL": rng.bool()}),
        8 => json!({"NULL": true}),
        9 => {
            let kind = pick(rng, &["SS", "NS", "BS"]);
            set(rng, kind)
        }
        10 | 11 => list(rng, depth),
        _ => map(rng, depth),
    }
}

fn list(rng: &mut Rng, depth: usize) -> Value {
    let values: Vec<_> = (0..rng.usize(..4)).map(|_| value(rng, depth - 1)).collect();
    json!({"L": values})
}

fn map(rng: &mut Rng, depth: usize) -> Value {
    let names = ["x", "y", "z"];
    let count = rng.usize(..4);
    let entries: Map<_, _> = (0..count).map(|_| (pick(rng, &names).to_owned(), value(rng, depth - 1))).collect();
    json!({"M": entries})
}

/// A set; seldom an empty one, or one with an element twice.
fn set(rng: &mut Rng, kind: &str) -> Value {
    let elements: &[&str] = match kind {
        "SS" => &["a", "b", "c", "", "ä"],
        "NS" => &["1", "2", "3", "-1", "10", "1.5"],
        _ => &["AA==", "AQ==", "/w=="],
    };
    let mut chosen: Vec<&str> = elements.iter().copied().filter(|_| rng.bool()).collect();
    if chosen.is_empty() && !chance(rng, 10) {
        chosen.push(elements[0]);
    }
    if chance(rng, 2) && !chosen.is_empty() {
        chosen.push(chosen[0]);
    }
    json!({kind: chosen})
}
