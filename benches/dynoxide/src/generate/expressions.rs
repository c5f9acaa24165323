//! Expressions, with the names and values that they stand on.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::tables::{Keys, Shape};
use super::values::{self, NAMES};
use super::{chance, pick};

/// What expressions of one request have in common: their placeholders.
pub struct Expressions<'r> {
    pub rng: &'r mut Rng,
    keys: Vec<&'static str>,
    names: Map<String, Value>,
    values: Map<String, Value>,
}

impl<'r> Expressions<'r> {
    pub fn new(rng: &'r mut Rng, shape: &Shape) -> Self {
        let keys = shape.keys.parts().chain(shape.indexes.iter().flat_map(|index| index.keys.parts()));
        let keys = keys.map(|part| part.name).collect();
        Self { rng, keys, names: Map::new(), values: Map::new() }
    }

    /// Puts the placeholders into `body`; seldom one too many, or one too few.
    pub fn finish(mut self, body: &mut Value) {
        match self.rng.u8(..100) {
            0 => _ = self.names.insert("#unused".to_owned(), json!("a")),
            1 => _ = self.values.insert(":unused".to_owned(), json!({"S": "a"})),
            2 => {
                if let Some(name) = self.values.keys().next().cloned() {
                    self.values.remove(&name);
                }
            }
            3 => {
                if let Some(name) = self.names.keys().next().cloned() {
                    self.names.remove(&name);
                }
            }
            4 => _ = self.values.insert("bad".to_owned(), json!({"S": "a"})),
            _ => {}
        }
        if !self.names.is_empty() {
            body["ExpressionAttributeNames"] = self.names.into();
        }
        if !self.values.is_empty() {
            body["ExpressionAttributeValues"] = self.values.into();
        }
    }

    /// Spoils the text of an expression now and then.
    fn text(&mut self, text: String) -> Value {
        if !chance(self.rng, 3) {
            return text.into();
        }
        let mut words: Vec<&str> = text.split(' ').collect();
        let at = self.rng.usize(..words.len());
        match self.rng.u8(..4) {
            0 => _ = words.remove(at),
            1 => words.insert(at, words[at]),
            2 => words.insert(at, pick(self.rng, &["AND", "(", ")", ",", "=", "$", "foo(", "SET", "[1]", ".x", "1"])),
            _ => {
                let other = self.rng.usize(..words.len());
                words.swap(at, other);
            }
        }
        words.join(" ").into()
    }

    fn name(&mut self, name: &str) -> String {
        if name == "size" || chance(self.rng, 25) {
            let placeholder = format!("#{name}");
            self.names.insert(placeholder.clone(), name.into());
            return placeholder;
        }
        name.to_owned()
    }

    pub fn bind(&mut self, value: Value) -> String {
        if let Some((name, _)) = self.values.iter().find(|(_, other)| **other == value) {
            return name.clone();
        }
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    /// The name of an attribute, not of a key but seldom.
    fn attribute(&mut self) -> &'static str {
        match self.rng.u8(..100) {
            0..10 => self.keys[self.rng.usize(..self.keys.len())],
            10..12 => "size",
            _ => pick(self.rng, &NAMES),
        }
    }

    fn path(&mut self) -> String {
        let attribute = self.attribute();
        let mut path = self.name(attribute);
        let steps = match attribute {
            "l" | "m" => self.rng.usize(..3),
            _ => usize::from(chance(self.rng, 6)),
        };
        for step in 0..steps {
            if (attribute == "l") == (step == 0) {
                path += pick(self.rng, &["[0]", "[1]", "[2]", "[0]", "[9]"]);
            } else {
                path += ".";
                let name = pick(self.rng, &["x", "y", "z"]);
                path += &self.name(name);
            }
        }
        path
    }

    /// A value that what `path` begins with may have.
    fn value_for(&mut self, path: &str) -> String {
        let name = path.trim_start_matches('#');
        let value = match NAMES.iter().find(|known| **known == name) {
            Some(known) => values::value_of(self.rng, known),
            None if self.keys.contains(&name) => {
                let kind = pick(self.rng, &["S", "N", "B"]);
                values::key_value(self.rng, kind, 6)
            }
            None => values::value(self.rng, 1),
        };
        self.bind(value)
    }

    pub fn condition(&mut self) -> Value {
        let text = self.condition_text(3);
        self.text(text)
    }

    fn condition_text(&mut self, depth: usize) -> String {
        if depth > 0 && chance(self.rng, 35) {
            return match self.rng.u8(..4) {
                0 => format!("{} AND {}", self.condition_text(depth - 1), self.condition_text(depth - 1)),
                1 => format!("{} OR {}", self.condition_text(depth - 1), self.condition_text(depth - 1)),
                2 => format!("NOT {}", self.condition_text(depth - 1)),
                _ => format!("( {} )", self.condition_text(depth - 1)),
            };
        }
        let path = self.path();
        match self.rng.u8(..16) {
            0..5 => {
                let comparator = pick(self.rng, &["=", "<>", "<", "<=", ">", ">="]);
                let left = self.operand(&path);
                let right = if chance(self.rng, 20) { self.path() } else { self.value_for(&path) };
                if chance(self.rng, 5) {
                    format!("{right} {comparator} {left}")
                } else {
                    format!("{left} {comparator} {right}")
                }
            }
            5 => {
                let (low, high) = (self.value_for(&path), self.value_for(&path));
                format!("{path} BETWEEN {low} AND {high}")
            }
            6 => {
                let values: Vec<_> = (0..self.rng.usize(1..4)).map(|_| self.value_for(&path)).collect();
                format!("{path} IN ( {} )", values.join(" , "))
            }
            7 | 8 => format!("attribute_exists ( {path} )"),
            9 | 10 => format!("attribute_not_exists ( {path} )"),
            11 => {
                let kind = pick(self.rng, &["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M", "X"]);
                let kind = self.bind(json!({"S": kind}));
                format!("attribute_type ( {path} , {kind} )")
            }
            12 => {
                let value = if chance(self.rng, 80) {
                    json!({"S": pick(self.rng, &["a", "ab", "", "x"])})
                } else {
                    values::value(self.rng, 0)
                };
                let value = self.bind(value);
                format!("begins_with ( {path} , {value} )")
            }
            13 | 14 => {
                let value = values::value(self.rng, 0);
                let value = self.bind(value);
                format!("contains ( {path} , {value} )")
            }
            _ => {
                let value = json!({"N": pick(self.rng, &["0", "1", "2", "3"])});
                let value = self.bind(value);
                let comparator = pick(self.rng, &["=", "<", ">="]);
                format!("size ( {path} ) {comparator} {value}")
            }
        }
    }

    fn operand(&mut self, path: &str) -> String {
        if chance(self.rng, 5) { format!("size ( {path} )") } else { path.to_owned() }
    }

    pub fn projection(&mut self) -> Value {
        let paths: Vec<_> = (0..self.rng.usize(1..4)).map(|_| self.path()).collect();
        self.text(paths.join(" , "))
    }

    pub fn update(&mut self) -> Value {
        let mut clauses = vec!["SET", "REMOVE", "ADD", "DELETE"];
        self.rng.shuffle(&mut clauses);
        clauses.truncate(if chance(self.rng, 70) { 1 } else { 2 });
        if chance(self.rng, 40) {
            clauses[0] = "SET";
            clauses.dedup();
        }
        let clauses: Vec<_> = clauses
            .into_iter()
            .map(|clause| {
                let actions: Vec<_> = (0..self.rng.usize(1..3)).map(|_| self.action(clause)).collect();
                format!("{clause} {}", actions.join(" , "))
            })
            .collect();
        self.text(clauses.join(" "))
    }

    fn action(&mut self, clause: &str) -> String {
        match clause {
            "SET" => {
                let path = self.path();
                let operand = self.set_operand(&path);
                match self.rng.u8(..10) {
                    0 | 1 => {
                        let number = json!({"N": pick(self.rng, &["1", "-1", "0.5", "1e120"])});
                        let number = self.bind(number);
                        let sign = pick(self.rng, &["+", "-"]);
                        format!("{path} = {path} {sign} {number}")
                    }
                    2 => {
                        let other = self.set_operand(&path);
                        format!("{path} = {operand} + {other}")
                    }
                    3 => {
                        let list = self.value_for("l");
                        if self.rng.bool() {
                            format!("{path} = list_append ( {path} , {list} )")
                        } else {
                            format!("{path} = list_append ( {list} , {path} )")
                        }
                    }
                    _ => format!("{path} = {operand}"),
                }
            }
            "REMOVE" => self.path(),
            _ => {
                let name =
                    if chance(self.rng, 85) { pick(self.rng, &["n", "ss", "ns", "bs", "a"]) } else { self.attribute() };
                let path = self.name(name);
                let value = self.value_for(name);
                format!("{path} {value}")
            }
        }
    }

    fn set_operand(&mut self, path: &str) -> String {
        match self.rng.u8(..10) {
            0 => self.path(),
            1 | 2 => {
                let value = self.value_for(path);
                let other = if self.rng.bool() { path.to_owned() } else { self.path() };
                format!("if_not_exists ( {other} , {value} )")
            }
            _ => self.value_for(path),
        }
    }

    /// The condition of a query on `keys`; seldom one that is no such condition.
    pub fn key_condition(&mut self, keys: Keys) -> Value {
        let value = values::key_value(self.rng, keys.partition.kind, 3);
        let (name, value) = (self.name(keys.partition.name), self.bind(value));
        let comparator = if chance(self.rng, 2) { ">" } else { "=" };
        let mut text = format!("{name} {comparator} {value}");
        if let Some(sort) = keys.sort.filter(|_| chance(self.rng, 55)) {
            let name = self.name(sort.name);
            let kind = if chance(self.rng, 3) { "S" } else { sort.kind };
            let (value, other) = (values::key_value(self.rng, kind, 6), values::key_value(self.rng, kind, 6));
            let value = self.bind(value);
            let condition = match self.rng.u8(..8) {
                0 => {
                    let other = self.bind(other);
                    format!("{name} BETWEEN {value} AND {other}")
                }
                1 | 2 => format!("begins_with ( {name} , {value} )"),
                3 => format!("{name} <> {value}"),
                _ => {
                    let comparator = pick(self.rng, &["=", "<", "<=", ">", ">="]);
                    format!("{name} {comparator} {value}")
                }
            };
            text = if chance(self.rng, 10) {
                format!("{condition} AND {text}")
            } else {
                format!("{text} AND {condition}")
            };
        }
        self.text(text)
    }
}
