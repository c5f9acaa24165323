//! One request of each operation.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::expressions::Expressions;
use super::tables::{Keys, Shape};
use super::values::{self, NAMES};
use super::{Asked, chance, pick};

pub fn request(rng: &mut Rng, tables: &[Shape]) -> Asked {
    let shape = &tables[rng.usize(..tables.len())];
    let mut is_unordered = false;
    let (operation, body) = match rng.u8(..100) {
        0..20 => ("PutItem", put(rng, shape)),
        20..28 => ("GetItem", get(rng, shape)),
        28..46 => ("UpdateItem", update(rng, shape)),
        46..53 => ("DeleteItem", delete(rng, shape)),
        53..69 => ("Query", query(rng, shape, &mut is_unordered)),
        69..79 => {
            is_unordered = true;
            ("Scan", scan(rng, shape))
        }
        79..82 => ("BatchGetItem", batch_get(rng, tables)),
        82..86 => ("BatchWriteItem", batch_write(rng, tables)),
        86..91 => ("TransactWriteItems", transact_write(rng, tables)),
        91..94 => ("TransactGetItems", transact_get(rng, tables)),
        94 => ("CreateTable", super::shapes()[rng.usize(..5)].definition()),
        95 => ("DescribeTable", json!({"TableName": shape.name})),
        96 => ("ListTables", json!({"Limit": rng.u8(1..4)})),
        97 => ("DescribeTimeToLive", json!({"TableName": shape.name})),
        _ => ("ExecuteStatement", {
            is_unordered = true;
            statement(rng, shape)
        }),
    };
    Asked { is_unordered, ..Asked::new(operation, body) }
}

/// The name of the table; seldom one that there is not.
fn table_name(rng: &mut Rng, shape: &Shape) -> Value {
    if chance(rng, 1) { json!("nothing") } else { json!(shape.name) }
}

fn returns(rng: &mut Rng, body: &mut Value, kinds: &[&str]) {
    if chance(rng, 60) {
        body["ReturnValues"] = json!(pick(rng, kinds));
    }
    if chance(rng, 15) {
        body["ReturnConsumedCapacity"] = json!(pick(rng, &["TOTAL", "INDEXES", "NONE"]));
    }
    if chance(rng, 4) {
        body["ReturnItemCollectionMetrics"] = json!("SIZE");
    }
}

fn conditions(rng: &mut Rng, body: &mut Value, shape: &Shape, percent: u8) {
    if !chance(rng, percent) {
        return;
    }
    let mut expressions = Expressions::new(rng, shape);
    body["ConditionExpression"] = expressions.condition();
    expressions.finish(body);
    if rng.bool() {
        body["ReturnValuesOnConditionCheckFailure"] = json!(pick(rng, &["ALL_OLD", "ALL_OLD", "NONE"]));
    }
}

/// What conditions were before there were expressions.
fn expected(rng: &mut Rng, body: &mut Value) {
    let mut conditions = Map::new();
    for _ in 0..rng.usize(1..3) {
        let name = pick(rng, &NAMES);
        let condition = match rng.u8(..4) {
            0 => json!({"Exists": false}),
            1 => json!({"Value": values::value_of(rng, name)}),
            2 => json!({"Exists": true, "Value": values::value_of(rng, name)}),
            _ => legacy_condition(rng, name),
        };
        conditions.insert(name.to_owned(), condition);
    }
    if conditions.len() > 1 && rng.bool() {
        body["ConditionalOperator"] = json!(pick(rng, &["AND", "OR"]));
    }
    body["Expected"] = conditions.into();
}

fn legacy_condition(rng: &mut Rng, name: &str) -> Value {
    let operators = [
        "EQ",
        "NE",
        "LT",
        "LE",
        "GT",
        "GE",
        "NULL",
        "NOT_NULL",
        "BEGINS_WITH",
        "CONTAINS",
        "NOT_CONTAINS",
        "IN",
        "BETWEEN",
    ];
    let operator = pick(rng, &operators);
    let count = match operator {
        "NULL" | "NOT_NULL" => 0,
        "BETWEEN" => 2,
        "IN" => rng.usize(1..3),
        _ => 1,
    };
    let count = if chance(rng, 4) { rng.usize(..3) } else { count };
    let mut condition = json!({"ComparisonOperator": operator});
    if count > 0 || chance(rng, 10) {
        let list: Vec<_> = (0..count).map(|_| values::value_of(rng, name)).collect();
        condition["AttributeValueList"] = list.into();
    }
    condition
}

fn put(rng: &mut Rng, shape: &Shape) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape), "Item": values::item(rng, shape)});
    returns(rng, &mut body, &["NONE", "ALL_OLD", "ALL_OLD", "ALL_NEW"]);
    if chance(rng, 6) {
        expected(rng, &mut body);
    } else {
        conditions(rng, &mut body, shape, 25);
    }
    body
}

fn delete(rng: &mut Rng, shape: &Shape) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape), "Key": values::key(rng, shape)});
    returns(rng, &mut body, &["NONE", "ALL_OLD", "ALL_OLD", "UPDATED_OLD"]);
    if chance(rng, 6) {
        expected(rng, &mut body);
    } else {
        conditions(rng, &mut body, shape, 40);
    }
    body
}

fn update(rng: &mut Rng, shape: &Shape) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape), "Key": values::key(rng, shape)});
    returns(rng, &mut body, &["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]);
    if chance(rng, 8) {
        let mut updates = Map::new();
        for _ in 0..rng.usize(1..3) {
            let name = pick(rng, &NAMES);
            let mut update = json!({"Action": pick(rng, &["PUT", "ADD", "DELETE"])});
            if !(update["Action"] == "DELETE" && rng.bool()) {
                update["Value"] = values::value_of(rng, name);
            }
            updates.insert(name.to_owned(), update);
        }
        body["AttributeUpdates"] = updates.into();
        if chance(rng, 30) {
            expected(rng, &mut body);
        }
        return body;
    }
    let mut expressions = Expressions::new(rng, shape);
    if !chance(expressions.rng, 3) {
        body["UpdateExpression"] = expressions.update();
    }
    if chance(expressions.rng, 20) {
        body["ConditionExpression"] = expressions.condition();
    }
    expressions.finish(&mut body);
    body
}

fn get(rng: &mut Rng, shape: &Shape) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape), "Key": values::key(rng, shape)});
    if chance(rng, 20) {
        body["ConsistentRead"] = json!(rng.bool());
    }
    if chance(rng, 20) {
        body["ReturnConsumedCapacity"] = json!(pick(rng, &["TOTAL", "INDEXES"]));
    }
    match rng.u8(..10) {
        0 => body["AttributesToGet"] = json!([pick(rng, &NAMES), pick(rng, &NAMES)]),
        1..6 => {
            let mut expressions = Expressions::new(rng, shape);
            body["ProjectionExpression"] = expressions.projection();
            expressions.finish(&mut body);
        }
        _ => {}
    }
    body
}

/// What queries and scans have in common. Returns whether there is a page to follow.
fn reading(rng: &mut Rng, body: &mut Value) {
    if chance(rng, 45) {
        body["Limit"] = json!(rng.u8(1..5));
    }
    if chance(rng, 12) {
        body["Select"] =
            json!(pick(rng, &["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES"]));
    }
    if chance(rng, 15) {
        body["ConsistentRead"] = json!(rng.bool());
    }
    if chance(rng, 15) {
        body["ReturnConsumedCapacity"] = json!(pick(rng, &["TOTAL", "INDEXES"]));
    }
}

/// The keys of the table or of an index, which `body` then names.
fn target(rng: &mut Rng, body: &mut Value, shape: &Shape) -> Keys {
    if shape.indexes.is_empty() || rng.bool() {
        if chance(rng, 1) {
            body["IndexName"] = json!("nothing");
        }
        return shape.keys;
    }
    let index = &shape.indexes[rng.usize(..shape.indexes.len())];
    body["IndexName"] = json!(index.name);
    index.keys
}

fn query(rng: &mut Rng, shape: &Shape, is_unordered: &mut bool) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape)});
    let keys = target(rng, &mut body, shape);
    *is_unordered = body.get("IndexName").is_some();
    reading(rng, &mut body);
    if rng.bool() {
        body["ScanIndexForward"] = json!(rng.bool());
    }
    if chance(rng, 8) {
        let partition = values::key_value(rng, keys.partition.kind, 3);
        let mut conditions = Map::new();
        conditions.insert(
            keys.partition.name.to_owned(),
            json!({"ComparisonOperator": "EQ", "AttributeValueList": [partition]}),
        );
        if let Some(sort) = keys.sort.filter(|_| rng.bool()) {
            let operator = pick(rng, &["EQ", "LT", "LE", "GT", "GE", "BEGINS_WITH", "BETWEEN", "NE"]);
            let count = if operator == "BETWEEN" { 2 } else { 1 };
            let list: Vec<_> = (0..count).map(|_| values::key_value(rng, sort.kind, 6)).collect();
            conditions
                .insert(sort.name.to_owned(), json!({"ComparisonOperator": operator, "AttributeValueList": list}));
        }
        body["KeyConditions"] = conditions.into();
        if rng.bool() {
            let name = pick(rng, &NAMES);
            body["QueryFilter"] = json!({name: legacy_condition(rng, name)});
        }
        return body;
    }
    let mut expressions = Expressions::new(rng, shape);
    body["KeyConditionExpression"] = expressions.key_condition(keys);
    filter(&mut expressions, &mut body);
    expressions.finish(&mut body);
    body
}

fn filter(expressions: &mut Expressions<'_>, body: &mut Value) {
    if chance(expressions.rng, 30) {
        body["FilterExpression"] = expressions.condition();
    }
    if chance(expressions.rng, 25) {
        body["ProjectionExpression"] = expressions.projection();
    }
}

fn scan(rng: &mut Rng, shape: &Shape) -> Value {
    let mut body = json!({"TableName": table_name(rng, shape)});
    target(rng, &mut body, shape);
    reading(rng, &mut body);
    if chance(rng, 8) {
        let name = pick(rng, &NAMES);
        body["ScanFilter"] = json!({name: legacy_condition(rng, name)});
        return body;
    }
    let mut expressions = Expressions::new(rng, shape);
    filter(&mut expressions, &mut body);
    expressions.finish(&mut body);
    body
}

fn batch_get(rng: &mut Rng, tables: &[Shape]) -> Value {
    let mut requests = Map::new();
    for shape in tables.iter().take(rng.usize(1..=tables.len())) {
        let keys: Vec<_> = (0..rng.usize(1..5)).map(|_| values::key(rng, shape)).collect();
        let mut request = json!({"Keys": keys});
        if chance(rng, 30) {
            let mut expressions = Expressions::new(rng, shape);
            request["ProjectionExpression"] = expressions.projection();
            expressions.finish(&mut request);
        }
        requests.insert(shape.name.to_owned(), request);
    }
    json!({"RequestItems": requests})
}

fn batch_write(rng: &mut Rng, tables: &[Shape]) -> Value {
    let mut requests = Map::new();
    for shape in tables.iter().take(rng.usize(1..=tables.len())) {
        let writes: Vec<_> = (0..rng.usize(1..4))
            .map(|_| match rng.bool() {
                true => json!({"PutRequest": {"Item": values::item(rng, shape)}}),
                false => json!({"DeleteRequest": {"Key": values::key(rng, shape)}}),
            })
            .collect();
        requests.insert(shape.name.to_owned(), writes.into());
    }
    let mut body = json!({"RequestItems": requests});
    if chance(rng, 15) {
        body["ReturnConsumedCapacity"] = json!(pick(rng, &["TOTAL", "INDEXES"]));
    }
    body
}

fn transact_write(rng: &mut Rng, tables: &[Shape]) -> Value {
    let actions: Vec<_> = (0..rng.usize(1..4))
        .map(|_| {
            let shape = &tables[rng.usize(..tables.len())];
            let name = table_name(rng, shape);
            match rng.u8(..10) {
                0..4 => {
                    let mut action = json!({"TableName": name, "Item": values::item(rng, shape)});
                    conditions(rng, &mut action, shape, 40);
                    json!({"Put": action})
                }
                4 | 5 => {
                    let mut action = json!({"TableName": name, "Key": values::key(rng, shape)});
                    conditions(rng, &mut action, shape, 40);
                    json!({"Delete": action})
                }
                6..9 => {
                    let mut action = json!({"TableName": name, "Key": values::key(rng, shape)});
                    let mut expressions = Expressions::new(rng, shape);
                    action["UpdateExpression"] = expressions.update();
                    if chance(expressions.rng, 30) {
                        action["ConditionExpression"] = expressions.condition();
                    }
                    expressions.finish(&mut action);
                    json!({"Update": action})
                }
                _ => {
                    let mut action = json!({"TableName": name, "Key": values::key(rng, shape)});
                    conditions(rng, &mut action, shape, 100);
                    json!({"ConditionCheck": action})
                }
            }
        })
        .collect();
    json!({"TransactItems": actions})
}

fn transact_get(rng: &mut Rng, tables: &[Shape]) -> Value {
    let gets: Vec<_> = (0..rng.usize(1..4))
        .map(|_| {
            let shape = &tables[rng.usize(..tables.len())];
            let mut get = json!({"TableName": table_name(rng, shape), "Key": values::key(rng, shape)});
            if chance(rng, 30) {
                let mut expressions = Expressions::new(rng, shape);
                get["ProjectionExpression"] = expressions.projection();
                expressions.finish(&mut get);
            }
            json!({"Get": get})
        })
        .collect();
    json!({"TransactItems": gets})
}

/// A statement, with its values as parameters.
fn statement(rng: &mut Rng, shape: &Shape) -> Value {
    let table = shape.name;
    let key = values::key(rng, shape);
    let by_key: Vec<_> = key.keys().map(|name| format!("\"{name}\" = ?")).collect();
    let by_key = by_key.join(" AND ");
    let keys: Vec<Value> = key.values().cloned().collect();
    let name = pick(rng, &NAMES);
    let value = values::value_of(rng, name);
    match rng.u8(..5) {
        0 => json!({"Statement": format!("SELECT * FROM \"{table}\" WHERE {by_key}"), "Parameters": keys}),
        1 => {
            let comparator = pick(rng, &["=", "<>", "<", ">="]);
            json!({"Statement": format!("SELECT * FROM \"{table}\" WHERE \"{name}\" {comparator} ?"), "Parameters": [value]})
        }
        2 => {
            let parameters: Vec<_> = std::iter::once(value).chain(keys).collect();
            json!({"Statement": format!("UPDATE \"{table}\" SET \"{name}\" = ? WHERE {by_key}"), "Parameters": parameters})
        }
        3 => json!({"Statement": format!("DELETE FROM \"{table}\" WHERE {by_key}"), "Parameters": keys}),
        _ => {
            let item = values::item(rng, shape);
            let members: Vec<_> = item.keys().map(|name| format!("'{name}': ?")).collect();
            let parameters: Vec<_> = item.values().cloned().collect();
            json!({"Statement": format!("INSERT INTO \"{table}\" VALUE {{{}}}", members.join(", ")), "Parameters": parameters})
        }
    }
}
