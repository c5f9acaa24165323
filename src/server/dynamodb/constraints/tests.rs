use super::*;
use crate::server::dynamodb::dialect::Dialect;

fn refusal(dialect: &str, operation: &str, body: &str) -> String {
    let model = [items(), streams()].into_iter().find(|model| model.operation(operation).is_some()).unwrap();
    let request = Json::parse(body.as_bytes()).unwrap();
    let rules = Dialect::named(dialect).unwrap().rules(operation, "");
    check(model, operation, &request, rules).err().and_then(|failure| failure.message).unwrap_or_default()
}

fn newest(operation: &str, body: &str) -> String {
    refusal("newest", operation, body)
}

#[test]
fn members_of_another_type_are_named_as_java_does() {
    for (operation, body, expected) in [
        ("GetItem", r#"{"TableName":23}"#, "NUMBER_VALUE cannot be converted to String"),
        ("GetItem", r#"{"TableName":2.5}"#, "DECIMAL_VALUE cannot be converted to String"),
        ("GetItem", r#"{"TableName":true}"#, "TRUE_VALUE cannot be converted to String"),
        ("GetItem", r#"{"TableName":["a"]}"#, "Unrecognized collection type class java.lang.String"),
        ("GetItem", r#"{"TableName":{}}"#, "Start of structure or map found where not expected"),
        ("GetItem", r#"{"ConsistentRead":"maybe"}"#, "Unexpected token received from parser"),
        ("GetItem", r#"{"ConsistentRead":1}"#, "NUMBER_VALUE cannot be converted to Boolean"),
        ("GetItem", r#"{"Key":"a"}"#, "Unexpected field type"),
        (
            "GetItem",
            r#"{"Key":[]}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
        ),
        ("GetItem", r#"{"Key":{"a":"b"}}"#, "Unexpected value type in payload"),
        ("GetItem", r#"{"Key":{"a":{"N":1}}}"#, "NUMBER_VALUE cannot be converted to String"),
        ("Query", r#"{"Limit":"1"}"#, "STRING_VALUE cannot be converted to Integer"),
        ("CreateTable", r#"{"KeySchema":{}}"#, "Start of structure or map found where not expected"),
        (
            "CreateTable",
            r#"{"KeySchema":[[]]}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeySchemaElement",
        ),
    ] {
        assert_eq!(newest(operation, body), expected, "{operation} {body}");
    }
}

#[test]
fn faults_are_counted_and_listed_together() {
    assert_eq!(
        newest("GetItem", "{}"),
        "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; \
         Value null at 'key' failed to satisfy constraint: Member must not be null"
    );
    assert_eq!(
        newest("GetItem", r#"{"TableName":"abc!","Key":{},"ReturnConsumedCapacity":"x"}"#),
        "2 validation errors detected: Value 'abc!' at 'tableName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z0-9_.-]+; Value 'x' at 'returnConsumedCapacity' failed to satisfy \
         constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
    );
    assert_eq!(newest("GetItem", r#"{"TableName":"abc","Key":null}"#).matches("null at 'key'").count(), 1);
}

#[test]
fn members_of_lists_and_maps_have_places() {
    let table = r#"{"TableName":"abc","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"Q"}],"KeySchema":"#;
    assert_eq!(
        newest("CreateTable", &format!(r#"{table}[{{"AttributeName":"a","KeyType":"HASH"}}]}}"#)),
        "1 validation error detected: Value 'Q' at 'attributeDefinitions.1.member.attributeType' failed to satisfy \
         constraint: Member must satisfy enum value set: [B, N, S]"
    );
    let key = r#"{"AttributeName":"a","KeyType":"HASH"}"#;
    let shown = "KeySchemaElement(attributeName=a, keyType=HASH)";
    assert!(newest("CreateTable", &format!("{}[{key},{key},{key}]}}", table.replace("\"Q\"", "\"S\""))).ends_with(
        &format!(
            "Value '[{shown}, {shown}, {shown}]' at 'keySchema' failed to satisfy constraint: Member must have length \
             less than or equal to 2"
        )
    ));
    let many = vec![r#"{"DeleteRequest":{"Key":{}}}"#; 26].join(",");
    let too_many = newest("BatchWriteItem", &format!(r#"{{"RequestItems":{{"abc":[{many}]}}}}"#));
    assert!(
        too_many.starts_with("1 validation error detected: Value '{abc=[WriteRequest(putRequest=null, "),
        "{too_many}"
    );
    assert!(too_many.ends_with(
        "]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length \
         less than or equal to 25, Member must have length greater than or equal to 1]"
    ));
    let short = newest("BatchWriteItem", r#"{"RequestItems":{"a":[{}]}}"#);
    assert!(short.ends_with(
        "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length \
         greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
    ));
    assert_eq!(
        newest("UntagResource", r#"{"ResourceArn":"a","TagKeys":[""]}"#),
        "1 validation error detected: Value '[]' at 'tagKeys' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal \
         to 1]"
    );
    assert!(newest("GetRecords", r#"{"ShardIterator":"","Limit":0}"#).starts_with("2 validation errors"));
}

#[test]
fn dialects_word_the_same_fault_in_their_own_way() {
    let body = r#"{"TableName":"","Key":{}}"#;
    let at_least = "failed to satisfy constraint: Member must have length greater than or equal to 1";
    assert_eq!(newest("GetItem", body), format!("1 validation error detected: Value at 'TableName' {at_least}"));
    assert_eq!(
        refusal("2026-05", "GetItem", body),
        format!("1 validation error detected: Value '' at 'tableName' {at_least}")
    );
    assert_eq!(
        newest("BatchGetItem", r#"{"RequestItems":{}}"#),
        format!("1 validation error detected: Value at 'RequestItems' {at_least}")
    );
    assert_eq!(
        refusal("2026-05", "BatchGetItem", r#"{"RequestItems":{}}"#),
        "The requestItems parameter is required for BatchGetItem"
    );
    let scan = r#"{"TableName":"abc","Limit":0}"#;
    let at_least = "failed to satisfy constraint: Member must have value greater than or equal to 1";
    assert_eq!(newest("Scan", scan), format!("1 validation error detected: Value at 'Limit' {at_least}"));
    assert_eq!(
        refusal("2026-05", "Scan", scan),
        format!("1 validation error detected: Value '0' at 'limit' {at_least}")
    );
    assert_eq!(
        newest("DescribeTable", "{}"),
        "The parameter 'TableName' is required but was not present in the request"
    );
    assert_eq!(newest("GetItem", r#"{"TableName":"a!","Key":{}}"#).matches("failed").count(), 1);
    assert_eq!(newest("UpdateItem", r#"{"TableName":"a!","Key":{}}"#).matches("failed").count(), 2);
}

#[test]
fn an_arn_is_no_name_of_a_table() {
    let arn = r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/Users","Key":{}}"#;
    assert_eq!(newest("GetItem", arn), "");
}

#[test]
fn operations_are_found_by_their_targets() {
    assert_eq!(find("DynamoDB_20120810.GetItem").map(|(_, name)| name), Some("GetItem"));
    assert_eq!(find("DynamoDBStreams_20120810.GetRecords").map(|(_, name)| name), Some("GetRecords"));
    for target in ["GetItem", "DynamoDB_20120810.GetRecords", "DynamoDB_20111205.GetItem", ".", ""] {
        assert!(find(target).is_none(), "{target}");
    }
}
