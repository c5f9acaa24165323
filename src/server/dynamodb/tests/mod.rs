mod lifecycle;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, Response};

use super::DynamoDbServer;
use super::answer::DynamoDb;
use super::options::DynamoDbOptions;
use crate::limits;
use crate::store::Store;

const CREDENTIAL: &str = "Credential=any/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=any";

fn service() -> DynamoDb {
    DynamoDb::new(&Store::in_memory(), &DynamoDbOptions::default().seed(1))
}

fn request(target: &str, body: &str) -> Request<Bytes> {
    Request::post("/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", format!("AWS4-HMAC-SHA256 {CREDENTIAL}"))
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

/// What the service says to a request of the operation.
fn ask(service: &DynamoDb, operation: &str, body: &str) -> String {
    text(&service.answer(&request(&format!("DynamoDB_20120810.{operation}"), body)))
}

fn create(service: &DynamoDb, name: &str) -> String {
    let key = r#""KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]"#;
    let types = r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]"#;
    ask(service, "CreateTable", &format!(r#"{{"TableName":"{name}",{key},{types},"BillingMode":"PAY_PER_REQUEST"}}"#))
}

#[test]
fn values_of_every_type_come_back() {
    let service = service();
    assert!(create(&service, "abc").contains(r#""TableStatus":"CREATING""#));
    assert!(ask(&service, "DescribeTable", r#"{"TableName":"abc"}"#).contains(r#""TableStatus":"ACTIVE""#));
    let item = concat!(
        r#"{"b":{"B":"/wA="},"bs":{"BS":["AA==","/w=="]},"id":{"S":"a\"é"},"l":{"L":[{"S":""},{"BOOL":false}]},"#,
        r#""m":{"M":{"x":{"NULL":true}}},"n":{"N":"-1.5"},"ns":{"NS":["-1","2"]},"ss":{"SS":["a","b"]}}"#
    );
    assert_eq!(ask(&service, "PutItem", &format!(r#"{{"TableName":"abc","Item":{item}}}"#)), "{}");
    let get = r#"{"TableName":"abc","Key":{"id":{"S":"a\"é"}},"ConsistentRead":true}"#;
    assert_eq!(ask(&service, "GetItem", get), format!(r#"{{"Item":{item}}}"#));
    let scan = ask(&service, "Scan", r#"{"TableName":"abc","Limit":1,"ReturnConsumedCapacity":null}"#);
    assert!(
        scan.starts_with(&format!(r#"{{"Items":[{item}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":"#)),
        "{scan}"
    );
}

#[test]
fn values_that_are_none_are_refused_in_the_words_of_the_service() {
    let service = service();
    create(&service, "abc");
    let refused = |value: &str| ask(&service, "PutItem", &format!(r#"{{"TableName":"abc","Item":{{"id":{value}}}}}"#));
    for (value, expected) in [
        ("{}", r#"message":"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"}"#),
        (r#"{"S":"a","N":"1"}"#, "more than one datatypes set"),
        (
            r#"{"SS":[]}"#,
            "1 validation error detected: One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            r#"{"NULL":false}"#,
            "1 validation error detected: One or more parameter values were invalid: Null attribute value types",
        ),
        (r#"{"N":"x"}"#, "The parameter cannot be converted to a numeric value: x"),
        (r#"{"B":"?"}"#, "SerializationException"),
        (r#"{"N":1}"#, r#""Message":"NUMBER_VALUE cannot be converted to String""#),
        // A null is a value without a type.
        (
            "null",
            r#"message":"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"}"#,
        ),
        (r#"{"M":{"x":null}}"#, "Supplied AttributeValue is empty"),
    ] {
        assert!(refused(value).contains(expected), "{value}: {}", refused(value));
    }
    let values = r#"{"TableName":"abc","Key":{"id":{"S":"a"}},"UpdateExpression":"SET a = :v","ExpressionAttributeValues":{":v":{}}}"#;
    assert!(ask(&service, "UpdateItem", values).contains("ExpressionAttributeValues contains invalid value: Supplied"));
}

#[test] // SEM: ITM-EXP-7, ITM-ERR-2
fn what_a_put_cannot_return_is_refused_as_values_are() {
    let service = service();
    create(&service, "abc");
    let words = r#"message":"1 validation error detected: ReturnValues can only be ALL_OLD or NONE"}"#;
    let put = ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"}},"ReturnValues":"ALL_NEW"}"#);
    assert!(put.contains(words), "{put}");
    let delete = ask(&service, "DeleteItem", r#"{"TableName":"abc","Key":{"id":{"S":"a"}},"ReturnValues":"ALL_NEW"}"#);
    assert!(delete.contains(words), "{delete}");
}

#[test] // SEM: ITM-TXN-2, ITM-TYP-1
fn a_transaction_with_an_empty_key_is_refused_as_a_whole() {
    let service = service();
    create(&service, "abc");
    let put = |id: &str| format!(r#"{{"Put":{{"TableName":"abc","Item":{{"id":{{"S":"{id}"}}}}}}}}"#);
    let both = format!(r#"{{"TransactItems":[{},{}]}}"#, put("a"), put(""));
    let said = ask(&service, "TransactWriteItems", &both);
    assert!(said.contains("validate#ValidationException") && said.contains("empty string value. Key: id"), "{said}");
    assert_eq!(ask(&service, "GetItem", r#"{"TableName":"abc","Key":{"id":{"S":"a"}}}"#), "{}");
}

#[test] // SEM: ITM-EXP-4, ITM-ERR-2
fn paths_into_keys_are_refused() {
    let service = service();
    let types = r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"}]"#;
    let index = r#"{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}"#;
    let table = format!(
        r#"{{"TableName":"abc","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],{types},"BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{index}]}}"#
    );
    assert!(ask(&service, "CreateTable", &table).contains("CREATING"));
    let sentence = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ";
    let filter = r#""TableName":"abc","FilterExpression":"attribute_exists(g.x)""#;
    for (operation, body, place) in [
        ("Scan", r#"{"TableName":"abc","FilterExpression":"attribute_exists(id[0])"}"#.to_owned(), "Key: id"),
        ("Scan", format!("{{{filter}}}"), "IndexKey: g"),
        ("Scan", r#"{"TableName":"abc","IndexName":"by-g","ProjectionExpression":"id.x"}"#.to_owned(), "Key: id"),
        (
            "Query",
            format!(
                r#"{{{filter},"KeyConditionExpression":"id = :i","ExpressionAttributeValues":{{":i":{{"S":"a"}}}}}}"#
            ),
            "IndexKey: g",
        ),
        (
            "GetItem",
            r#"{"TableName":"abc","Key":{"id":{"S":"a"}},"ProjectionExpression":"id[0]"}"#.to_owned(),
            "Key: id",
        ),
    ] {
        let said = ask(&service, operation, &body);
        assert!(said.contains(&format!(r#"message":"{sentence}{place}"}}"#)), "{operation}: {said}");
    }
    // A whole attribute of a key is none of these.
    let whole = r#"{"TableName":"abc","FilterExpression":"attribute_exists(g)","ProjectionExpression":"id"}"#;
    assert!(ask(&service, "Scan", whole).starts_with(r#"{"Items":[]"#));
}

#[test] // SEM: ITM-TXN-1, ITM-QRY-3
fn an_item_without_anything_that_a_transaction_asks_for_is_as_absent() {
    let service = service();
    create(&service, "abc");
    ask(&service, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"},"n":{"N":"1"}}}"#);
    let get = |path: &str| {
        let key = r#""TableName":"abc","Key":{"id":{"S":"a"}}"#;
        let get = format!(r#"{{"Get":{{{key},"ProjectionExpression":"{path}"}}}}"#);
        ask(&service, "TransactGetItems", &format!(r#"{{"TransactItems":[{get}]}}"#))
    };
    assert_eq!(get("n"), r#"{"Responses":[{"Item":{"n":{"N":"1"}}}]}"#);
    assert_eq!(get("absent"), r#"{"Responses":[{}]}"#);
    let lone = r#"{"TableName":"abc","Key":{"id":{"S":"a"}},"ProjectionExpression":"absent"}"#;
    assert_eq!(ask(&service, "GetItem", lone), r#"{"Item":{}}"#);
}

#[test]
fn a_body_of_any_depth_is_an_error() {
    let service = service();
    create(&service, "abc");
    for depth in [40, 50, 1_000, 100_000] {
        let value = r#"{"L":["#.repeat(depth) + r#"{"S":"x"}"# + &"]}".repeat(depth);
        let put = format!(r#"{{"TableName":"abc","Item":{{"id":{{"S":"a"}},"deep":{value}}}}}"#);
        assert!(ask(&service, "PutItem", &put).contains("Nesting Levels have exceeded supported limits"), "{depth}");
    }
    assert!(ask(&service, "PutItem", &"[".repeat(100_000)).contains("SerializationException"));
}

#[test]
fn what_is_no_request_is_told_so() {
    let service = service();
    let found = service.answer(&Request::get("/").body(Bytes::new()).unwrap());
    assert!(found.status() == 200 && text(&found).starts_with("healthy: "));
    assert_eq!(service.answer(&Request::get("/x").body(Bytes::new()).unwrap()).status(), 404);
    let html = Request::post("/").header("content-type", "text/html").body(Bytes::from("{}")).unwrap();
    assert_eq!(service.answer(&html).status(), 404);
    let bare = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    assert_eq!(text(&service.answer(&request("DynamoDB_20120810.Nothing", "{}"))), bare);
    assert_eq!(text(&service.answer(&Request::post("/").body(Bytes::new()).unwrap())), bare);
    let mut unsigned = request("DynamoDB_20120810.ListTables", "{}");
    unsigned.headers_mut().remove("authorization");
    assert!(text(&service.answer(&unsigned)).contains("MissingAuthenticationTokenException"));
    let bare = r#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
    for body in ["", "[]", "{", "1"] {
        assert_eq!(ask(&service, "ListTables", body), bare, "{body}");
    }
    assert!(ask(&service, "CreateBackup", "{}").contains("CreateBackup is not supported"));
}

#[test]
fn a_member_that_nothing_reads_is_refused_by_name_and_one_that_nobody_knows_is_not_seen() {
    let service = service();
    let create = r#"{"TableName":"abc","ResourcePolicy":"x","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    assert!(ask(&service, "CreateTable", create).contains("ResourcePolicy is not supported"));
    assert_eq!(ask(&service, "ListTables", r#"{"Whatever":1}"#), r#"{"TableNames":[]}"#);
}

#[test]
fn responses_have_checksums_and_names() {
    let service = service();
    let [one, two] = [(); 2].map(|()| service.answer(&request("DynamoDB_20120810.ListTables", "{}")));
    // The checksum of `{"TableNames":[]}`, as zlib has it.
    assert_eq!(one.headers()["x-amz-crc32"], "1315925753");
    assert_ne!(one.headers()["x-amzn-requestid"], two.headers()["x-amzn-requestid"]);
    assert_eq!(one.headers()["content-type"], "application/x-amz-json-1.0");
}

#[test]
fn access_keys_have_forks_of_their_own_if_asked_for() {
    let store = Store::in_memory();
    create(&DynamoDb::new(&store, &DynamoDbOptions::default()), "seeded");
    let service = DynamoDb::new(&store, &DynamoDbOptions::default().fork_per_access_key());
    let tables = |access_key: &str| {
        let mut request = request("DynamoDB_20120810.ListTables", "{}");
        let credential = format!("AWS4-HMAC-SHA256 {}", CREDENTIAL.replace("any/", &format!("{access_key}/")));
        request.headers_mut().insert("authorization", credential.parse().unwrap());
        text(&service.answer(&request))
    };
    create(&service, "mine");
    assert_eq!(tables("any"), r#"{"TableNames":["mine","seeded"]}"#);
    assert_eq!(tables("other"), r#"{"TableNames":["seeded"]}"#);
}

/// Sends bytes to a door that closes the connection behind them, and returns what comes back.
fn over_tcp(server: &DynamoDbServer, bytes: &[u8]) -> String {
    let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The door may have closed the connection before everything is written.
    let _ = client.write_all(bytes);
    let mut reply = Vec::new();
    let _ = client.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

fn head(operation: &str, more: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: larder:1\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 {CREDENTIAL}\r\n{more}\r\n"
    )
}

#[test]
fn connections_are_kept_and_bodies_come_in_chunks() {
    let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default()).unwrap();
    let first = head("ListTables", "Content-Length: 2\r\n") + "{}";
    let chunks = "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
    let second = head("DescribeEndpoints", "Transfer-Encoding: chunked\r\nConnection: close\r\n") + chunks;
    let replies = over_tcp(&server, (first + &second).as_bytes());
    assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 2, "{replies}");
    assert!(replies.contains(r#"{"TableNames":[]}"#) && replies.contains(r#""Address":"larder:1""#), "{replies}");
    let expecting = head("ListTables", "Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n") + "{}";
    assert!(over_tcp(&server, expecting.as_bytes()).starts_with("HTTP/1.1 100 Continue"));
    assert!(server.metrics().requests == 3 && server.metrics().read_bytes == 6);
    let meters = server.meters();
    assert_eq!(meters.operations()["ListTables"].calls, 2);
    server.close();
}

#[test]
fn items_are_read_while_a_write_waits_for_its_turn() {
    let store = Store::in_memory();
    create(&DynamoDb::new(&store, &DynamoDbOptions::default()), "abc");
    let server = DynamoDbServer::start(&store, &DynamoDbOptions::default().threads(1)).unwrap();
    let ((begun, begins), (free, held)) = (mpsc::channel(), mpsc::channel::<()>());
    let holder = thread::spawn(move || {
        store.transaction(|_| {
            begun.send(()).unwrap();
            // Until the other end has gone.
            assert!(held.recv().is_err());
            Ok::<_, crate::Error>(())
        })
    });
    begins.recv().unwrap();
    let whole = |operation: &str, body: &str| {
        head(operation, &format!("Content-Length: {}\r\nConnection: close\r\n", body.len())) + body
    };
    let mut writer = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
    let put = whole("PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"}}}"#);
    writer.write_all(put.as_bytes()).unwrap();
    while server.metrics().requests == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let get = whole("GetItem", r#"{"TableName":"abc","Key":{"id":{"S":"a"}}}"#);
    let before = over_tcp(&server, get.as_bytes());
    assert!(before.starts_with("HTTP/1.1 200 ") && before.ends_with("\r\n\r\n{}"), "{before}");
    drop(free);
    holder.join().unwrap().unwrap();
    let mut reply = String::new();
    writer.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(over_tcp(&server, get.as_bytes()).ends_with(r#"{"Item":{"id":{"S":"a"}}}"#));
}

#[test]
fn a_body_that_is_too_long_is_not_read() {
    let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default().threads(1)).unwrap();
    let length = limits::DYNAMODB_REQUEST_BYTES_MAX + 1;
    let huge = head("ListTables", &format!("Content-Length: {length}\r\nConnection: close\r\n"));
    let reply = over_tcp(&server, &[huge.as_bytes(), &vec![b' '; 1 << 20]].concat());
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert_eq!(server.metrics().errors, 1);
}

#[test]
fn an_address_for_others_needs_a_key() {
    let options = DynamoDbOptions::default().address("0.0.0.0:0".parse().unwrap());
    assert!(DynamoDbServer::start(&Store::in_memory(), &options).is_err());
    assert!(DynamoDbServer::start(&Store::in_memory(), &options.clone().key("ann", "")).is_err());
    let server = DynamoDbServer::start(&Store::in_memory(), &options.key("ann", "secret")).unwrap();
    let address = server.address().socket_addr().unwrap();
    assert!(address.port() > 0);
}

#[test] // SEM: ITM-ERR-1
fn an_error_has_a_name_a_message_and_the_content_type_of_the_request() {
    let service = service();
    for (operation, body, name) in [
        ("DescribeTable", r#"{"TableName":"abc"}"#, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
        (
            "DescribeContinuousBackups",
            r#"{"TableName":"abc"}"#,
            "com.amazonaws.dynamodb.v20120810#TableNotFoundException",
        ),
        ("DescribeTable", r#"{"TableName":"a"}"#, "com.amazon.coral.validate#ValidationException"),
    ] {
        let response = service.answer(&request(&format!("DynamoDB_20120810.{operation}"), body));
        let told: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), told["__type"].as_str()), (400, Some(name)), "{told}");
        assert!(told["message"].as_str().is_some_and(|message| !message.is_empty()), "{told}");
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(response.body());
        assert_eq!(response.headers()["x-amz-crc32"], checksum.to_string().as_str());
    }
}

#[test]
fn tables_are_exported_and_imported_where_there_is_a_directory_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = DynamoDbOptions::default().seed(1);
    let without = DynamoDb::new(&Store::in_memory(), &options);
    let with = DynamoDb::new(&Store::in_memory(), &options.exports(dir.path()));
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/abc";
    let export = format!(r#"{{"TableArn":"{arn}","S3Bucket":"exports","ExportFormat":"DYNAMODB_JSON"}}"#);
    create(&without, "abc");
    assert!(ask(&without, "ExportTableToPointInTime", &export).contains("ValidationException"));

    create(&with, "abc");
    ask(&with, "PutItem", r#"{"TableName":"abc","Item":{"id":{"S":"a"}}}"#);
    assert!(ask(&with, "ExportTableToPointInTime", &export).contains("PointInTimeRecoveryUnavailableException"));
    let on = r#"{"TableName":"abc","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#;
    assert!(ask(&with, "UpdateContinuousBackups", on).contains(r#""PointInTimeRecoveryStatus":"ENABLED""#));
    let begun = ask(&with, "ExportTableToPointInTime", &export);
    assert!(begun.contains(r#""ExportStatus":"IN_PROGRESS""#), "{begun}");
    let listed: serde_json::Value = serde_json::from_str(&ask(&with, "ListExports", "{}")).unwrap();
    let export_arn = listed["ExportSummaries"][0]["ExportArn"].as_str().unwrap();
    let described = ask(&with, "DescribeExport", &format!(r#"{{"ExportArn":"{export_arn}"}}"#));
    assert!(
        described.contains(r#""ExportStatus":"COMPLETED""#) && described.contains(r#""ItemCount":1"#),
        "{described}"
    );
    let ion = format!(r#"{{"TableArn":"{arn}","S3Bucket":"exports","ExportFormat":"ION"}}"#);
    assert!(ask(&with, "ExportTableToPointInTime", &ion).contains("ExportFormat ION is not supported"));

    let (_, id) = export_arn.rsplit_once('/').unwrap();
    let source = format!(r#""S3BucketSource":{{"S3Bucket":"exports","S3KeyPrefix":"AWSDynamoDB/{id}/data/"}}"#);
    let key = r#""KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]"#;
    let types = r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]"#;
    let table = format!(r#"{{"TableName":"copy",{key},{types},"BillingMode":"PAY_PER_REQUEST"}}"#);
    let import = format!(
        r#"{{{source},"InputFormat":"DYNAMODB_JSON","InputCompressionType":"GZIP","TableCreationParameters":{table}}}"#
    );
    let begun: serde_json::Value = serde_json::from_str(&ask(&with, "ImportTable", &import)).unwrap();
    assert_eq!(begun["ImportTableDescription"]["ImportStatus"], "IN_PROGRESS", "{begun}");
    let import_arn = begun["ImportTableDescription"]["ImportArn"].as_str().unwrap();
    let described = ask(&with, "DescribeImport", &format!(r#"{{"ImportArn":"{import_arn}"}}"#));
    assert!(described.contains(r#""ImportedItemCount":1"#), "{described}");
    assert!(ask(&with, "ListImports", "{}").contains(import_arn));
    assert!(ask(&with, "Scan", r#"{"TableName":"copy"}"#).contains(r#""Items":[{"id":{"S":"a"}}]"#));
}
