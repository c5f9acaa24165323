//! Exports and imports of a store's tables.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::item::request::{
    CreateTable, ExportTableToPointInTime, ImportTable, InputCompressionType, InputFormat, ListExports, ListImports,
    UpdateContinuousBackups,
};
use crate::item::{AttributeValue, GlobalIndex, Item, Items, Projection, ScalarAttributeType, Set, TableSchema, key};
use crate::txn::AutoCommit;
use crate::{ManualClock, Store};

const S: ScalarAttributeType = ScalarAttributeType::S;
const N: ScalarAttributeType = ScalarAttributeType::N;

fn schema() -> TableSchema {
    let some = Projection::Include(vec!["v".into()]);
    TableSchema::new("id", S).global_index(GlobalIndex::new("by-g", "g", N).projection(some))
}

/// A store with the table `Users`, and its tables with a directory for buckets.
fn store(dir: &Path) -> (Store, Items<AutoCommit>) {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    store.item_table("Users").create(schema()).unwrap();
    let items = store.items().buckets(dir);
    (store, items)
}

fn recoverable(items: &Items<AutoCommit>) {
    let on = UpdateContinuousBackups { table_name: "Users".into(), enabled: true, ..Default::default() };
    items.update_continuous_backups(&on).unwrap();
}

fn export(items: &Items<AutoCommit>) -> ExportTableToPointInTime {
    let table_arn = items.describe_table("Users").unwrap().table_arn;
    let prefix = Some("a/b".to_owned());
    ExportTableToPointInTime { table_arn, s3_bucket: "exports".into(), s3_prefix: prefix, ..Default::default() }
}

fn import(prefix: &str, format: InputFormat) -> ImportTable {
    let table = CreateTable::new("Copies", &schema());
    ImportTable { s3_key_prefix: Some(prefix.to_owned()), ..ImportTable::new("exports", format, table) }
}

fn every_type(id: &str) -> Item {
    let map = AttributeValue::M([("deep", AttributeValue::L(vec![true.into(), AttributeValue::Null]))].into());
    Item::from([("id", id)])
        .with("g", 7)
        .with("v", "é\"\n")
        .with("n", "-1.50".parse::<crate::item::Number>().unwrap())
        .with("b", vec![0u8, 255])
        .with("m", map)
        .with("ss", Set::<String>::new(["a", "b"]).unwrap())
        .with("ns", Set::<crate::item::Number>::new([1, 2]).unwrap())
        .with("bs", Set::<Vec<u8>>::new([vec![1u8], vec![]]).unwrap())
}

fn write(dir: &Path, name: &str, text: &[u8]) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn entries(store: &Store) -> u64 {
    store.stats().unwrap().entries.unwrap()
}

#[test]
fn a_table_that_is_exported_is_imported_as_it_was_with_its_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, items) = store(dir.path());
    let table = store.item_table("Users");
    for n in 0..250 {
        table.put(&every_type(&format!("{n}"))).unwrap();
    }
    recoverable(&items);
    let exported = items.export_table_to_point_in_time(&export(&items)).unwrap();
    assert_eq!(exported.item_count, 250);
    let bytes: usize = table.scan().to_vec().unwrap().iter().map(Item::size_bytes).sum();
    assert_eq!(exported.billed_size_bytes, bytes as u64);
    let (_, id) = exported.export_arn.rsplit_once('/').unwrap();
    assert_eq!(id.len(), 23, "{id}");

    let folder = dir.path().join("exports/a/b/AWSDynamoDB").join(id);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest-summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["itemCount"], &summary["exportArn"]), (&250.into(), &exported.export_arn.clone().into()));
    assert_eq!(summary["outputFormat"], "DYNAMODB_JSON");
    let list =
        std::fs::read_to_string(dir.path().join("exports").join(summary["manifestFilesS3Key"].as_str().unwrap()));
    let files: Vec<serde_json::Value> = list.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(files.len(), 1);
    let data = std::fs::read(dir.path().join("exports").join(files[0]["dataFileS3Key"].as_str().unwrap())).unwrap();
    let mut text = String::new();
    GzDecoder::new(&*data).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 250);
    assert!(
        text.starts_with(r#"{"Item":{"b":{"B":"AP8="},"bs":{"BS":["","AQ=="]},"g":{"N":"7"},"id":{"S":""#),
        "{text}"
    );
    assert!(folder.join("_started").exists() && folder.join("manifest-files.checksum").exists());

    let compressed = ImportTable {
        input_compression_type: InputCompressionType::Gzip,
        ..import(&format!("a/b/AWSDynamoDB/{id}/data/"), InputFormat::DynamodbJson)
    };
    let imported = items.import_table(&compressed).unwrap();
    assert_eq!((imported.imported_item_count, imported.processed_item_count, imported.error_count), (250, 250, 0));
    assert_eq!(imported.processed_size_bytes, data.len() as u64);
    let copies = store.item_table("Copies");
    assert_eq!(copies.scan().to_vec().unwrap(), table.scan().to_vec().unwrap());
    assert_eq!(copies.query(key("g").eq(7)).index("by-g").count().unwrap(), 250);
    assert_eq!(store.pending_jobs().unwrap(), 0);

    assert_eq!(items.describe_export(&exported.export_arn).unwrap(), exported);
    assert_eq!(items.describe_import(&imported.import_arn).unwrap(), imported);
    assert_eq!(items.list_exports(&ListExports::default()).unwrap().exports, std::slice::from_ref(&exported));
    assert_eq!(items.list_imports(&ListImports::default()).unwrap().imports, [imported]);
    assert!(items.describe_export(&exported.export_arn.replace("Users", "Others")).is_err());
}

#[test]
fn an_export_is_of_the_present_and_of_tables_that_are_said_to_be_recoverable() {
    let dir = tempfile::tempdir().unwrap();
    let (store, items) = store(dir.path());
    let code = |request: &ExportTableToPointInTime| {
        items.export_table_to_point_in_time(request).unwrap_err().item_fault().unwrap().code()
    };
    assert_eq!(code(&export(&items)), "PointInTimeRecoveryUnavailableException");
    recoverable(&items);
    let now = items.describe_continuous_backups("Users").unwrap().latest_restorable_date_time.unwrap();
    let at = |export_time| ExportTableToPointInTime { export_time: Some(export_time), ..export(&items) };
    items.export_table_to_point_in_time(&at(now)).unwrap();
    let later = now.saturating_add(std::time::Duration::from_secs(1));
    assert_eq!(code(&at(later)), "InvalidExportTimeException");
    store.manual_clock().unwrap().advance(std::time::Duration::from_secs(2));
    assert_eq!(code(&at(now)), "InvalidExportTimeException");
    assert!(store.items().export_table_to_point_in_time(&export(&items)).is_err(), "there is no directory");
    let request = export(&items);
    store
        .transaction(|tx| {
            assert!(tx.items().buckets(dir.path()).export_table_to_point_in_time(&request).is_err());
            Ok::<_, crate::Error>(())
        })
        .unwrap();
}

#[test]
fn a_token_makes_an_export_happen_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, items) = store(dir.path());
    recoverable(&items);
    let request = ExportTableToPointInTime { client_token: Some("t".into()), ..export(&items) };
    let first = items.export_table_to_point_in_time(&request).unwrap();
    assert_eq!(items.export_table_to_point_in_time(&request).unwrap(), first);
    let other = ExportTableToPointInTime { s3_prefix: None, ..request };
    let refused = items.export_table_to_point_in_time(&other).unwrap_err();
    assert_eq!(refused.item_fault().unwrap().code(), "ExportConflictException");
    for _ in 0..3 {
        items.export_table_to_point_in_time(&export(&items)).unwrap();
    }
    let (mut pages, mut token) = (Vec::new(), None);
    loop {
        let list = ListExports { max_results: Some(3), next_token: token, ..ListExports::default() };
        let page = items.list_exports(&list).unwrap();
        pages.push(page.exports.len());
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [3, 1]);
}

#[test]
fn what_is_no_item_of_the_table_is_counted_and_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (store, items) = store(dir.path());
    let deep = r#"{"L":["#.repeat(200) + &"]}".repeat(200);
    let lines = [
        r#"{"Item":{"id":{"S":"a"},"g":{"N":"1"}}}"#.to_owned(),
        r#"{"Item":{"id":{"S":"a"},"g":{"N":"2"}}}"#.to_owned(),
        r#"{"Item":{"id":{"N":"1"}}}"#.to_owned(),
        r#"{"Item":{"id":{"S":"b"},"g":{"S":"no number"}}}"#.to_owned(),
        r#"{"Item":{"id":{"S":"c"},"x":{"SS":["y","y"]}}}"#.to_owned(),
        format!(r#"{{"Item":{{"id":{{"S":"d"}},"x":{deep}}}}}"#),
        "no json".to_owned(),
        r#"{"Item":{"id":{"S":"e"}}}"#.to_owned(),
    ];
    write(dir.path(), "exports/in/1.json", lines.join("\n").as_bytes());
    write(dir.path(), "exports/in/2/3.json", b"{\"Item\":{\"id\":{\"S\":\"f\"}}}");
    write(dir.path(), "exports/other.json", b"{\"Item\":{\"id\":{\"S\":\"g\"}}}");
    let imported = items.import_table(&import("in/", InputFormat::DynamodbJson)).unwrap();
    assert_eq!((imported.processed_item_count, imported.error_count, imported.imported_item_count), (9, 5, 3));
    let mut ids: Vec<_> =
        store.item_table("Copies").scan().to_vec().unwrap().iter().map(|item| item.get("id").cloned()).collect();
    ids.sort_by_key(|id| format!("{id:?}"));
    assert_eq!(ids, ["a", "e", "f"].map(|id| Some(AttributeValue::from(id))));
    assert_eq!(store.item_table("Copies").query(key("g").eq(2)).index("by-g").count().unwrap(), 1);
}

#[test]
fn csv_has_names_and_strings_but_for_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (store, items) = store(dir.path());
    write(dir.path(), "exports/a.csv", b"id;g;v\na;1;\"x;y\"\nb;no number;z\n");
    let request = ImportTable { csv_delimiter: Some(";".into()), ..import("a", InputFormat::Csv) };
    let imported = items.import_table(&request).unwrap();
    assert_eq!((imported.processed_item_count, imported.error_count), (2, 1));
    let expected = Item::from([("id", "a")]).with("g", 1).with("v", "x;y");
    assert_eq!(store.item_table("Copies").scan().to_vec().unwrap(), [expected]);
    let delimiter = ImportTable { csv_delimiter: Some("x".into()), ..import("a", InputFormat::Csv) };
    assert!(items.import_table(&delimiter).is_err());
}

#[test]
fn an_import_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, items) = store(dir.path());
    let before = entries(&store);
    let taken = ImportTable { table: CreateTable::new("Users", &schema()), ..import("", InputFormat::DynamodbJson) };
    assert_eq!(items.import_table(&taken).unwrap_err().item_fault().unwrap().code(), "ResourceInUseException");
    assert!(items.import_table(&import("", InputFormat::DynamodbJson)).is_err(), "there is no bucket");
    for bucket in ["..", "a/b", "", ".", "a\\b", "/etc"] {
        let request = ImportTable { s3_bucket: bucket.into(), ..import("", InputFormat::DynamodbJson) };
        assert!(items.import_table(&request).is_err(), "{bucket}");
    }
    for prefix in ["../x/", "/", "a/../../b/", "./"] {
        assert!(items.import_table(&import(prefix, InputFormat::DynamodbJson)).is_err(), "{prefix}");
    }
    assert_eq!(entries(&store), before);
}

#[test]
fn an_import_that_nobody_finishes_is_removed_by_its_job() {
    use crate::catalog::{self, Entry, job};
    use crate::item::definition::TableRecord;
    use crate::item::written::Origin;
    use crate::item::{layout, record, write};
    use crate::txn::{Operation, WriteScope, Writer};
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = store(dir.path());
    let before = entries(&store);
    // What a process leaves that ends in the middle: items under an id without a name, and the job.
    let half = |writer: &mut Writer| {
        let id = catalog::next_id(writer)?;
        let table = Entry { id, storage: id, record: TableRecord::new(schema()) };
        job::fill_later(writer, &layout::details_key(id), Vec::new())?;
        for n in 0..1_500 {
            let item = every_type(&n.to_string());
            let key = layout::key_of_item(id, &table.record.keys, &item)?;
            let record = record::encode(&item)?;
            let entries = write::Entries::of_new(&table, &record, &key)?;
            write::apply(writer, &table, &key, None, Some((record, entries)), Origin::Client)?;
        }
        Ok(())
    };
    store.item_table("Users").scope.write(Operation::new("item", "import_table", "Copies"), half).unwrap();
    assert_eq!(entries(&store), before + 2 * 1_500 + 1);
    assert_eq!(store.pending_jobs().unwrap(), 1);
    store.run_jobs().unwrap();
    assert_eq!((entries(&store), store.pending_jobs().unwrap()), (before, 0));
}

/// Values of every type, few of each, nested as deeply as a few levels.
fn value() -> impl Strategy<Value = AttributeValue> {
    let scalar = prop_oneof![
        "[a\"\\\\\né]{0,3}".prop_map(AttributeValue::from),
        any::<i64>().prop_map(AttributeValue::from),
        vec(any::<u8>(), 0..4).prop_map(AttributeValue::from),
        any::<bool>().prop_map(AttributeValue::from),
        Just(AttributeValue::Null),
        prop::collection::btree_set("[ab]{0,2}", 1..3).prop_map(|set| Set::<String>::new(set).unwrap().into()),
        prop::collection::btree_set(any::<i8>(), 1..3)
            .prop_map(|set| Set::<crate::item::Number>::new(set).unwrap().into()),
        prop::collection::btree_set(vec(any::<u8>(), 0..3), 1..3)
            .prop_map(|set| Set::<Vec<u8>>::new(set).unwrap().into()),
    ];
    scalar.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(AttributeValue::L),
            prop::collection::btree_map("[ab]{0,2}", inner, 0..3).prop_map(AttributeValue::from),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_line_is_read_as_the_item_that_it_was_written_of(item in prop::collection::btree_map("[ab]{1,2}", value(), 0..4).prop_map(Item::from)) {
        let line = super::json::line_of(&item).unwrap();
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(super::json::item_of(&line).unwrap(), item);
    }

    #[test]
    fn no_line_is_more_than_refused(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\":,SNLMBOItem0-9a]{0,120}") {
        let _ = super::json::item_of(&bytes);
        let _ = super::json::item_of(text.as_bytes());
    }
}
