//! The shapes of tables.

use serde_json::{Value, json};

/// One attribute of a key.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub name: &'static str,
    pub kind: &'static str,
}

/// The key of a table or an index.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub partition: Part,
    pub sort: Option<Part>,
}

impl Keys {
    pub fn parts(self) -> impl Iterator<Item = Part> {
        std::iter::once(self.partition).chain(self.sort)
    }

    fn schema(self) -> Value {
        let mut schema = vec![json!({"AttributeName": self.partition.name, "KeyType": "HASH"})];
        schema.extend(self.sort.map(|sort| json!({"AttributeName": sort.name, "KeyType": "RANGE"})));
        schema.into()
    }
}

#[derive(Clone, Debug)]
pub struct Index {
    pub name: &'static str,
    pub keys: Keys,
    pub is_local: bool,
    pub projection: Value,
}

#[derive(Clone, Debug)]
pub struct Shape {
    pub name: &'static str,
    pub keys: Keys,
    pub indexes: Vec<Index>,
}

impl Shape {
    /// The request that creates it.
    pub fn definition(&self) -> Value {
        let mut names = Vec::new();
        let mut types = Vec::new();
        for part in self.keys.parts().chain(self.indexes.iter().flat_map(|index| index.keys.parts())) {
            if !names.contains(&part.name) {
                names.push(part.name);
                types.push(json!({"AttributeName": part.name, "AttributeType": part.kind}));
            }
        }
        let mut body = json!({
            "TableName": self.name,
            "KeySchema": self.keys.schema(),
            "AttributeDefinitions": types,
            "BillingMode": "PAY_PER_REQUEST",
        });
        for (member, is_local) in [("LocalSecondaryIndexes", true), ("GlobalSecondaryIndexes", false)] {
            let indexes = self.indexes.iter().filter(|index| index.is_local == is_local);
            let indexes: Vec<_> = indexes
                .map(|index| json!({"IndexName": index.name, "KeySchema": index.keys.schema(), "Projection": index.projection}))
                .collect();
            if !indexes.is_empty() {
                body[member] = indexes.into();
            }
        }
        body
    }
}

const fn part(name: &'static str, kind: &'static str) -> Part {
    Part { name, kind }
}

fn index(name: &'static str, partition: Part, sort: Option<Part>, is_local: bool, projection: Value) -> Index {
    Index { name, keys: Keys { partition, sort }, is_local, projection }
}

/// All shapes: with and without indexes, with each type of key.
pub fn shapes() -> Vec<Shape> {
    let all = || json!({"ProjectionType": "ALL"});
    let keys_only = || json!({"ProjectionType": "KEYS_ONLY"});
    let include = || json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "n", "m"]});
    let text = part("pk", "S");
    vec![
        Shape { name: "plain", keys: Keys { partition: text, sort: None }, indexes: vec![] },
        Shape { name: "sorted", keys: Keys { partition: text, sort: Some(part("sk", "N")) }, indexes: vec![] },
        Shape {
            name: "global",
            keys: Keys { partition: text, sort: Some(part("sk", "S")) },
            indexes: vec![
                index("by-g1", part("g", "S"), Some(part("h", "N")), false, all()),
                index("by-g2", part("g", "S"), None, false, keys_only()),
                index("by-g3", part("sk", "S"), Some(text), false, include()),
            ],
        },
        Shape {
            name: "local",
            keys: Keys { partition: text, sort: Some(part("sk", "B")) },
            indexes: vec![
                index("by-l1", text, Some(part("g", "S")), true, all()),
                index("by-l2", text, Some(part("h", "N")), true, keys_only()),
                index("by-g4", part("h", "N"), None, false, include()),
            ],
        },
        Shape {
            name: "numbers",
            keys: Keys { partition: part("id", "N"), sort: None },
            indexes: vec![index("by-g5", part("g", "B"), Some(part("id", "N")), false, include())],
        },
    ]
}
