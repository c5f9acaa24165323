//! Requests of any kind to the DynamoDB door: targets, headers, and JSON.
//!
//! The first line of the input is the target, the second the `Authorization` header, the third the query; the rest is the
//! body. Most bodies are no JSON, and so the door also gets the rest as the value of an attribute. Whatever comes in, a
//! response is JSON or empty, its checksum is right, and it is the same when the same request comes again at once, but
//! for writes.

#![no_main]

use std::sync::LazyLock;

use hyper::Request;
use hyper::body::Bytes;
use larder::Store;
use larder::server::dynamodb::{DynamoDb, DynamoDbOptions};

static DOOR: LazyLock<DynamoDb> = LazyLock::new(|| {
    let door = DynamoDb::new(&Store::in_memory(), &DynamoDbOptions::default().seed(1));
    let create = r#"{"TableName":"abc","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;
    assert_eq!(send(&door, "CreateTable", SIGNED, "", create.as_bytes()).0, 200);
    door
});

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=s";

fn send(door: &DynamoDb, target: &str, authorization: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let target = if target.contains('.') { target.to_owned() } else { format!("DynamoDB_20120810.{target}") };
    let uri = if query.is_empty() { "/".to_owned() } else { format!("/?{query}") };
    let request = Request::post(uri)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", authorization)
        .body(Bytes::copy_from_slice(body));
    // What is no request of HTTP does not get to the door.
    let Ok(request) = request else { return (0, Vec::new()) };
    let response = door.answer(&request);
    let body = response.body().to_vec();
    if !body.is_empty() && response.status() != 404 {
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "a body that is no JSON");
    }
    assert!(response.status() != 500, "{}", String::from_utf8_lossy(&body));
    (response.status().as_u16(), body)
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (target, authorization, query, body) = (line(), line(), line(), line());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (target, authorization, query) = (text(target), text(authorization), text(query));
    send(&DOOR, &target, &authorization, &query, body);
    send(&DOOR, &target, SIGNED, "", body);
    // As a value, which comes back as it is when it is taken.
    let put = [br#"{"TableName":"abc","Item":{"id":{"S":"k"},"v":"#, body, b"}}"].concat();
    if send(&DOOR, "PutItem", SIGNED, "", &put).0 == 200 {
        let get = br#"{"TableName":"abc","Key":{"id":{"S":"k"}}}"#;
        let (_, first) = send(&DOOR, "GetItem", SIGNED, "", get);
        let found: serde_json::Value = serde_json::from_slice(&first).unwrap();
        let again = serde_json::json!({ "TableName": "abc", "Item": found["Item"] }).to_string();
        assert_eq!(send(&DOOR, "PutItem", SIGNED, "", again.as_bytes()).0, 200);
        assert_eq!(send(&DOOR, "GetItem", SIGNED, "", get).1, first, "an item has one form");
    }
});
