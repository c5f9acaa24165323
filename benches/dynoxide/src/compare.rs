//! Responses as canonical JSON, and what is different between two.

use serde_json::{Map, Value};

use crate::generate::Asked;
use crate::sides::{Reply, Side};

/// What is of the moment, of the account or of the machine, or described by one side alone.
const PASSING: [&str; 12] = [
    "TableThroughputModeSummary",
    "DeletionProtectionEnabled",
    "CreationDateTime",
    "TableId",
    "TableArn",
    "IndexArn",
    "TableSizeBytes",
    "IndexSizeBytes",
    "ItemCount",
    "SizeEstimateRangeGB",
    "LastUpdateToPayPerRequestDateTime",
    "WarmThroughput",
];
const PAGES_MAX: usize = 200;

/// What came of a request: the pages of a search, one body of anything else, or an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done(Vec<Value>),
    Failed(Value),
}

/// Two outcomes that differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What the first said, in short, and what the second did.
    pub said: [String; 2],
}

/// How two outcomes compare.
#[derive(Clone, Debug)]
pub enum Compared {
    Same,
    /// The same items, in another order where none is promised.
    Reordered,
    Different(Difference),
}

/// Sends a request, and follows its pages.
pub fn ask(side: &mut dyn Side, asked: &Asked) -> Outcome {
    let mut body = asked.body.clone();
    let mut pages = Vec::new();
    loop {
        let page = match outcome(&side.ask(asked.operation, &body.to_string())) {
            Ok(page) => page,
            Err(error) => return Outcome::Failed(error),
        };
        let next = match asked.operation {
            "Query" | "Scan" => page.get("LastEvaluatedKey").map(|key| ("ExclusiveStartKey", key.clone())),
            "ExecuteStatement" => page.get("NextToken").map(|token| ("NextToken", token.clone())),
            _ => None,
        };
        pages.push(page);
        let Some((member, value)) = next.filter(|_| pages.len() < PAGES_MAX) else { return Outcome::Done(pages) };
        body[member] = value;
    }
}

fn outcome(reply: &Reply) -> Result<Value, Value> {
    let body = if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() };
    let body = canonical(body);
    if reply.status == 200 { Ok(body) } else { Err(body) }
}

/// Numbers as floating point, sets in order, without what passes.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut canonical_members = Map::new();
            for (name, value) in members {
                if PASSING.contains(&name.as_str()) {
                    continue;
                }
                let mut value = canonical(value);
                let is_unordered = matches!(
                    name.as_str(),
                    "SS" | "NS"
                        | "BS"
                        | "AttributeDefinitions"
                        | "GlobalSecondaryIndexes"
                        | "LocalSecondaryIndexes"
                        | "ConsumedCapacity"
                        | "NonKeyAttributes"
                );
                if let Value::Array(elements) = &mut value
                    && is_unordered
                {
                    sort(elements);
                }
                canonical_members.insert(name, value);
            }
            canonical_members.into()
        }
        Value::Array(elements) => elements.into_iter().map(canonical).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}

fn sort(values: &mut [Value]) {
    values.sort_by_cached_key(Value::to_string);
}

/// Compares what came of `asked`.
pub fn compare(asked: &Asked, larder: &Outcome, dynoxide: &Outcome) -> Compared {
    if larder == dynoxide {
        return Compared::Same;
    }
    let (left, right) = match (larder, dynoxide) {
        (Outcome::Done(left), Outcome::Done(right)) => (left, right),
        _ => return Compared::Different(Difference { said: [said(larder), said(dynoxide)] }),
    };
    if left.len().max(right.len()) == PAGES_MAX {
        let said = [left, right].map(|pages| match pages.len() {
            PAGES_MAX => "pages without end".to_owned(),
            count => format!("pages: {count}"),
        });
        return Compared::Different(Difference { said });
    }
    if asked.is_unordered {
        let (left, right) = (together(left), together(right));
        if left == right {
            return Compared::Reordered;
        }
        return Compared::Different(first(&left, &right));
    }
    if asked.operation == "BatchGetItem" {
        let (left, right) = (sorted_responses(left), sorted_responses(right));
        if left == right {
            return Compared::Reordered;
        }
        return Compared::Different(first(&left, &right));
    }
    Compared::Different(first(&Value::from(left.clone()), &Value::from(right.clone())))
}

/// The pages of one search as one, in the order of their text.
fn together(pages: &[Value]) -> Value {
    let mut items: Vec<_> = pages.iter().filter_map(|page| page["Items"].as_array()).flatten().cloned().collect();
    sort(&mut items);
    let sum = |member: &str| pages.iter().filter_map(|page| page[member].as_f64()).sum::<f64>();
    let mut all = serde_json::json!({"Items": items, "Count": sum("Count"), "ScannedCount": sum("ScannedCount")});
    // What several pages take depends on where they end.
    if let [page] = pages {
        all["ConsumedCapacity"] = page["ConsumedCapacity"].clone();
    }
    all
}

/// The items of each table in the order of their text.
fn sorted_responses(pages: &[Value]) -> Value {
    let mut page = pages[0].clone();
    if let Some(tables) = page.get_mut("Responses").and_then(Value::as_object_mut) {
        tables.values_mut().filter_map(Value::as_array_mut).for_each(|items| sort(items));
    }
    page
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::Failed(body) => {
            let name = body["__type"].as_str().unwrap_or_default();
            let name = name.rsplit('#').next().unwrap_or_default();
            let message = body.get("message").or(body.get("Message")).and_then(Value::as_str).unwrap_or_default();
            let mut text = format!("{name}: {message}");
            for member in ["CancellationReasons", "Item"] {
                if let Some(value) = body.get(member) {
                    text += &format!(" {member}={value}");
                }
            }
            text
        }
    }
}

/// Where two values differ first.
fn first(left: &Value, right: &Value) -> Difference {
    let mut path = String::new();
    let (mut left, mut right) = (left, right);
    loop {
        match (left, right) {
            (Value::Object(one), Value::Object(other)) => {
                let names = one.keys().chain(other.keys());
                let Some(name) = names.into_iter().find(|name| one.get(*name) != other.get(*name)) else { break };
                path = format!("{path}.{name}");
                (left, right) = (one.get(name).unwrap_or(&Value::Null), other.get(name).unwrap_or(&Value::Null));
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                let Some(at) = (0..one.len()).find(|at| one[*at] != other[*at]) else { break };
                path += "[]";
                (left, right) = (&one[at], &other[at]);
            }
            _ => break,
        }
    }
    Difference { said: [format!("at {path}: {left}"), format!("at {path}: {right}")] }
}
