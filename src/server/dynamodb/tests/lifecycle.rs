//! Tables and indexes that take time to be made, changed and removed, by a clock that is turned by hand.

use std::thread;

use serde_json::Value;

use super::*;
use crate::clock::ManualClock;
use crate::item::Lifecycle;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/abc";

/// A service whose tables take 10 seconds to be made, 20 to be changed, 30 to be removed.
fn slow(store: &Store) -> DynamoDb {
    let seconds = Duration::from_secs;
    let lifecycle = Lifecycle { creating: seconds(10), updating: seconds(20), deleting: seconds(30) };
    DynamoDb::new(store, &DynamoDbOptions::default().seed(1).lifecycle(lifecycle))
}

fn turned_by_hand() -> Store {
    Store::builder().clock(ManualClock::default()).in_memory()
}

fn advance(store: &Store, seconds: u64) {
    store.manual_clock().unwrap().advance(Duration::from_secs(seconds));
}

fn named(service: &DynamoDb, operation: &str) -> String {
    ask(service, operation, r#"{"TableName":"abc"}"#)
}

fn described(service: &DynamoDb) -> Value {
    serde_json::from_str::<Value>(&named(service, "DescribeTable")).unwrap()["Table"].take()
}

fn status(service: &DynamoDb) -> String {
    described(service)["TableStatus"].as_str().unwrap_or("none").to_owned()
}

/// The global index `by-g` as it is described: its status, and whether it is being filled.
fn index(service: &DynamoDb) -> Option<(String, Option<bool>)> {
    let table = described(service);
    let index = table["GlobalSecondaryIndexes"].as_array()?.iter().find(|index| index["IndexName"] == "by-g")?;
    Some((index["IndexStatus"].as_str()?.to_owned(), index["Backfilling"].as_bool()))
}

/// The operations on the items of a table, each with a request.
fn on_items() -> Vec<(&'static str, String)> {
    let key = r#""TableName":"abc","Key":{"id":{"S":"a"}}"#;
    let item = r#"{"TableName":"abc","Item":{"id":{"S":"a"}}}"#;
    let condition = r#""KeyConditionExpression":"id = :i","ExpressionAttributeValues":{":i":{"S":"a"}}"#;
    vec![
        ("GetItem", format!("{{{key}}}")),
        ("PutItem", item.to_owned()),
        ("UpdateItem", format!("{{{key}}}")),
        ("DeleteItem", format!("{{{key}}}")),
        ("Scan", r#"{"TableName":"abc"}"#.to_owned()),
        ("Query", format!(r#"{{"TableName":"abc",{condition}}}"#)),
        ("BatchGetItem", r#"{"RequestItems":{"abc":{"Keys":[{"id":{"S":"a"}}]}}}"#.to_owned()),
        ("BatchWriteItem", r#"{"RequestItems":{"abc":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}}"#.to_owned()),
        ("TransactGetItems", format!(r#"{{"TransactItems":[{{"Get":{{{key}}}}}]}}"#)),
        ("TransactWriteItems", format!(r#"{{"TransactItems":[{{"Put":{item}}}]}}"#)),
        ("ExecuteStatement", r#"{"Statement":"SELECT * FROM abc WHERE id = 'a'"}"#.to_owned()),
    ]
}

fn assert_says(service: &DynamoDb, operation: &str, body: &str, exception: &str, words: &str) {
    let said = ask(service, operation, body);
    assert!(said.contains(&format!("#{exception}\"")) && said.contains(words), "{operation} {body}: {said}");
}

fn assert_in_use(service: &DynamoDb, operation: &str, body: &str, words: &str) {
    let words = format!("Attempt to change a resource which is still in use: {words}");
    assert_says(service, operation, body, "ResourceInUseException", &words);
}

const PROTECT: &str = r#"{"TableName":"abc","DeletionProtectionEnabled":false}"#;
const TTL: &str = r#"{"TableName":"abc","TimeToLiveSpecification":{"AttributeName":"t","Enabled":true}}"#;

fn tag() -> String {
    format!(r#"{{"ResourceArn":"{ARN}","Tags":[{{"Key":"a","Value":"b"}}]}}"#)
}

#[test]
fn a_table_is_creating_until_the_clock_has_gone_on() {
    let store = turned_by_hand();
    let service = slow(&store);
    assert!(create(&service, "abc").contains(r#""TableStatus":"CREATING""#));
    for seconds in [0, 9] {
        advance(&store, seconds);
        assert_eq!(status(&service), "CREATING");
        assert_eq!(ask(&service, "ListTables", "{}"), r#"{"TableNames":["abc"]}"#);
        for (operation, body) in on_items() {
            assert_says(&service, operation, &body, "ResourceNotFoundException", "Requested resource not found");
        }
        for (operation, body) in [("UpdateTable", PROTECT), ("DeleteTable", r#"{"TableName":"abc"}"#)] {
            assert_in_use(&service, operation, body, "Table is being created: abc");
        }
        assert_in_use(&service, "UpdateTimeToLive", TTL, "Table is being created: abc");
        let words = "Cannot describe time to live while table is in CREATING state: Current table state is CREATING";
        assert_says(&service, "DescribeTimeToLive", r#"{"TableName":"abc"}"#, "ValidationException", words);
        assert_says(&service, "TagResource", &tag(), "ResourceNotFoundException", "not found");
        let backups = r#"{"TableName":"abc","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#;
        let words = "Table not found: abc";
        assert_says(&service, "UpdateContinuousBackups", backups, "TableNotFoundException", words);
        let again = create(&service, "abc");
        assert!(again.contains("ResourceInUseException") && again.contains("Table already exists: abc"), "{again}");
    }
    advance(&store, 1);
    assert_eq!(status(&service), "ACTIVE");
    for (operation, body) in on_items() {
        assert!(!ask(&service, operation, &body).contains("Exception"), "{operation}");
    }
    assert!(!ask(&service, "UpdateTimeToLive", TTL).contains("Exception"));
    assert!(!ask(&service, "TagResource", &tag()).contains("Exception"));
}

#[test]
fn a_table_is_deleting_until_the_clock_has_gone_on() {
    let store = turned_by_hand();
    let service = slow(&store);
    create(&service, "abc");
    advance(&store, 10);
    ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"}}}"#);
    assert!(named(&service, "DeleteTable").contains(r#""TableStatus":"DELETING""#));
    for seconds in [0, 29] {
        advance(&store, seconds);
        assert_eq!(status(&service), "DELETING");
        assert_eq!(ask(&service, "ListTables", "{}"), r#"{"TableNames":["abc"]}"#);
        for (operation, body) in on_items() {
            assert_says(&service, operation, &body, "ResourceNotFoundException", "Requested resource not found");
        }
        for (operation, body) in [("UpdateTable", PROTECT), ("DeleteTable", r#"{"TableName":"abc"}"#)] {
            assert_in_use(&service, operation, body, "Table is being deleted: abc");
        }
        assert_in_use(&service, "TagResource", &tag(), "Table is being deleted: abc");
        assert!(create(&service, "abc").contains("Table already exists: abc"));
    }
    advance(&store, 1);
    assert_says(
        &service,
        "DescribeTable",
        r#"{"TableName":"abc"}"#,
        "ResourceNotFoundException",
        "Table: abc not found",
    );
    assert_eq!(ask(&service, "ListTables", "{}"), r#"{"TableNames":[]}"#);
    // The name is free although nothing has swept the table away, and when that is done the new one stays.
    assert!(create(&service, "abc").contains(r#""TableStatus":"CREATING""#));
    store.sweep_expired().unwrap();
    assert_eq!(status(&service), "CREATING");
    advance(&store, 10);
    store.sweep_expired().unwrap();
    assert_eq!(status(&service), "ACTIVE");
    assert!(named(&service, "Scan").contains(r#""Items":[]"#), "of the old table nothing is left");
}

#[test]
fn a_table_whose_time_is_over_is_swept_away() {
    let store = turned_by_hand();
    let service = slow(&store);
    let quick = DynamoDb::new(&store, &DynamoDbOptions::default());
    create(&quick, "abc");
    named(&quick, "DeleteTable");
    store.run_jobs().unwrap();
    let empty = store.stats().unwrap().entries;
    create(&service, "abc");
    advance(&store, 10);
    ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"}}}"#);
    named(&service, "DeleteTable");
    advance(&store, 30);
    store.sweep_expired().unwrap();
    store.run_jobs().unwrap();
    assert_eq!(store.stats().unwrap().entries, empty);
}

#[test]
fn indexes_that_are_added_and_removed_take_their_time() {
    let store = turned_by_hand();
    let service = slow(&store);
    create(&service, "abc");
    advance(&store, 10);
    ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"},"g":{"S":"x"}}}"#);
    let keys = r#""KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}"#;
    let types = r#""AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"}]"#;
    let update = |what: &str| format!(r#"{{"TableName":"abc",{types},"GlobalSecondaryIndexUpdates":[{what}]}}"#);
    let add = update(&format!(r#"{{"Create":{{"IndexName":"by-g",{keys}}}}}"#));
    let remove = update(r#"{"Delete":{"IndexName":"by-g"}}"#);
    let query = r#"{"TableName":"abc","IndexName":"by-g","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}}"#;

    let begun = ask(&service, "UpdateTable", &add);
    assert!(begun.contains(r#""TableStatus":"UPDATING""#) && begun.contains(r#""IndexStatus":"CREATING""#), "{begun}");
    for seconds in [0, 19] {
        advance(&store, seconds);
        assert_eq!(status(&service), "UPDATING");
        assert_eq!(index(&service), Some(("CREATING".to_owned(), Some(false))));
        assert_says(
            &service,
            "Query",
            query,
            "ValidationException",
            "Cannot read from backfilling global secondary index",
        );
        assert!(!ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"b"}}}"#).contains("Exception"));
        assert_in_use(&service, "UpdateTable", &remove, "Table is being updated: abc");
        let words = "Cannot delete table while indexes are being created, updated, or deleted.";
        assert_in_use(&service, "DeleteTable", r#"{"TableName":"abc"}"#, words);
        assert!(!ask(&service, "TagResource", &tag()).contains("Exception"), "that it is updated does not matter");
    }
    advance(&store, 1);
    assert_eq!((status(&service).as_str(), index(&service)), ("ACTIVE", Some(("ACTIVE".to_owned(), None))));
    assert!(ask(&service, "Query", query).contains(r#""Count":1"#));

    let begun = ask(&service, "UpdateTable", &remove);
    assert!(begun.contains(r#""IndexStatus":"DELETING""#), "{begun}");
    advance(&store, 19);
    assert_eq!((status(&service).as_str(), index(&service)), ("UPDATING", Some(("DELETING".to_owned(), None))));
    assert_says(&service, "Query", query, "ValidationException", "The table does not have the specified index: by-g");
    assert_in_use(&service, "UpdateTable", &add, "Table is being updated: abc");
    advance(&store, 1);
    assert_eq!((status(&service).as_str(), index(&service)), ("ACTIVE", None));

    ask(&service, "UpdateTable", PROTECT);
    assert_eq!(status(&service), "UPDATING");
    assert_in_use(&service, "DeleteTable", r#"{"TableName":"abc"}"#, "Table is being updated: abc");
}

#[test]
fn indexes_of_a_new_table_are_creating_with_it() {
    let store = turned_by_hand();
    let service = slow(&store);
    let types = r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"}]"#;
    let index_of_g = r#"{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}"#;
    let table = format!(
        r#"{{"TableName":"abc","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],{types},"BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{index_of_g}]}}"#
    );
    ask(&service, "CreateTable", &table);
    assert_eq!(index(&service), Some(("CREATING".to_owned(), None)));
    advance(&store, 10);
    assert_eq!(index(&service), Some(("ACTIVE".to_owned(), None)));
}

#[test]
fn what_a_table_goes_through_outlives_the_store_that_began_it() {
    let directory = tempfile::tempdir().unwrap();
    let open = |seconds| {
        let clock = ManualClock::at(crate::clock::Timestamp::from_seconds(seconds));
        Store::builder().clock(clock).open(directory.path()).unwrap()
    };
    create(&slow(&open(1_000)), "abc");
    for (seconds, expected) in [(1_009, "CREATING"), (1_010, "ACTIVE")] {
        let store = open(seconds);
        assert_eq!(status(&slow(&store)), expected);
        // It is the table that takes its time, whoever looks at it.
        assert_eq!(status(&DynamoDb::new(&store, &DynamoDbOptions::default())), expected);
    }
    named(&slow(&open(2_000)), "DeleteTable");
    assert_eq!(status(&slow(&open(2_029))), "DELETING");
    assert!(named(&slow(&open(2_030)), "DescribeTable").contains("ResourceNotFoundException"));
}

#[test]
fn of_many_that_wait_for_a_name_one_gets_it() {
    let store = turned_by_hand();
    let service = slow(&store);
    create(&service, "abc");
    advance(&store, 10);
    ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"old"}}}"#);
    named(&service, "DeleteTable");
    advance(&store, 30);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let sweeping = scope.spawn(|| store.sweep_expired().map(drop));
        let creating: Vec<_> = (0..4).map(|_| scope.spawn(|| create(&service, "abc"))).collect();
        let outcomes = creating.into_iter().map(|thread| thread.join().unwrap()).collect();
        sweeping.join().unwrap().unwrap();
        outcomes
    });
    assert_eq!(outcomes.iter().filter(|said| said.contains("CREATING")).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|said| said.contains("Table already exists")).count(), 3, "{outcomes:?}");
    store.run_jobs().unwrap();
    advance(&store, 10);
    assert!(named(&service, "Scan").contains(r#""Items":[]"#));
}

#[test]
fn unless_it_is_asked_for_nothing_takes_time() {
    let store = turned_by_hand();
    let service = DynamoDb::new(&store, &DynamoDbOptions::default());
    create(&service, "abc");
    assert_eq!(status(&service), "ACTIVE");
    assert!(named(&service, "DeleteTable").contains("DELETING"));
    assert!(named(&service, "DescribeTable").contains("ResourceNotFoundException"));
}
