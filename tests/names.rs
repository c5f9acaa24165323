//! Who looks for an operation by the name it has in the imitated product finds it by the documentation's search.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

fn read(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn names_of_the_imitated_products_are_aliases() {
    const NAMES: &[&str] = &[
        "GET",
        "SET",
        "INCRBY",
        "HSET",
        "HGETALL",
        "LPUSH",
        "SADD",
        "ZADD",
        "ZINCRBY",
        "ZRANGE",
        "XADD",
        "XREADGROUP",
        "PFADD",
        "GEOADD",
        "EXPIRE",
        "PERSIST",
        "PUBLISH",
        "SUBSCRIBE",
        "MULTI",
        "EXEC",
        "findOne",
        "insertOne",
        "deleted_count",
        "DeleteResult",
        "matched_count",
        "modified_count",
        "createIndex",
        "startTransaction",
        "PutItem",
        "GetItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchWriteItem",
        "ExclusiveStartKey",
        "LastEvaluatedKey",
        "ScanIndexForward",
        "KeyConditionExpression",
        "SELECT",
        "INSERT",
        "CREATE TABLE",
        "USING TTL",
        "BEGIN BATCH",
    ];
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let aliases: String = text.lines().filter(|line| line.trim_start().starts_with("#[doc(alias")).collect();
    let missing: Vec<_> = NAMES.iter().filter(|name| !aliases.contains(&format!("\"{name}\""))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
