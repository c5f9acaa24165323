//! Statements of `PartiQL`, as a user runs them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::item::request::{
    BatchExecuteStatement, BatchStatementResponse, ExecuteStatement, ExecuteStatementOutput, ExecuteTransaction,
    ReturnConsumedCapacity,
};
use larder::item::{AttributeValue, CancellationReason, Fault, GlobalIndex, Item, ScalarAttributeType, TableSchema};
use larder::{Error, Store};

/// A table of a partition key `pk` and a sort key `sk`, with an index by `tag`.
fn store() -> Store {
    let store = Store::in_memory();
    let schema = TableSchema::new("pk", ScalarAttributeType::S)
        .sort_key("sk", ScalarAttributeType::N)
        .global_index(GlobalIndex::new("by-tag", "tag", ScalarAttributeType::S));
    store.item_table("Events").create(schema).unwrap();
    for (pk, sk, tag) in [("ann", 1, "x"), ("ann", 2, "y"), ("ann", 3, "x"), ("bob", 1, "x")] {
        let map = AttributeValue::M([("b", sk)].into());
        let list = AttributeValue::L(vec![sk.into(), (sk * 10).into()]);
        let item = Item::new().with("pk", pk).with("sk", sk).with("tag", tag).with("m", map).with("l", list);
        store.item_table("Events").put(&item).unwrap();
    }
    store
}

fn run(store: &Store, text: &str) -> Result<ExecuteStatementOutput, Error> {
    store.items().execute_statement(&ExecuteStatement::new(text))
}

fn fault<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Fault {
    outcome.unwrap_err().item_fault().unwrap().clone()
}

fn numbers(store: &Store, text: &str) -> Vec<i64> {
    let items = run(store, text).unwrap().items;
    items.iter().map(|item| item.get("sk").unwrap().as_n().unwrap().to_i64().unwrap()).collect()
}

#[test] // SEM: ITM-EXP-3, ITM-EXP-4, ITM-QRY-1
fn reads_look_up_what_they_can_and_filter_the_rest() {
    let store = store();
    for (condition, expected) in [
        ("pk = 'ann'", vec![1, 2, 3]),
        ("pk = 'ann' AND sk > 1", vec![2, 3]),
        ("pk = 'ann' AND sk BETWEEN 2 AND 3 AND tag = 'x'", vec![3]),
        ("pk = 'ann' AND NOT tag = 'x'", vec![2]),
        ("pk = 'ann' AND absent <> 1", vec![1, 2, 3]),
        ("pk = 'ann' AND m.b = 2", vec![2]),
        ("pk = 'ann' AND sk IN [1, 3]", vec![1, 3]),
        ("pk = 'ann' ORDER BY sk DESC", vec![3, 2, 1]),
        ("pk = 'nobody'", vec![]),
    ] {
        assert_eq!(numbers(&store, &format!("SELECT * FROM Events WHERE {condition}")), expected, "{condition}");
    }
    let mut scanned = numbers(&store, "SELECT * FROM Events WHERE tag = 'x' OR sk = 2");
    scanned.sort_unstable();
    assert_eq!(scanned, [1, 1, 2, 3]);
    assert_eq!(numbers(&store, "SELECT * FROM \"Events\".\"by-tag\" WHERE tag = 'y'"), [2]);
}

#[test] // SEM: ITM-QRY-3
fn columns_have_the_name_of_their_last_step() {
    let store = store();
    let item = run(&store, "SELECT m.b, l[1], pk, absent FROM Events WHERE pk = 'ann' AND sk = 2").unwrap().items;
    assert_eq!(item, [Item::new().with("b", 2).with("l[1]", 20).with("pk", "ann")]);
}

#[test] // SEM: ITM-QRY-1, ITM-QRY-2
fn pages_go_on_where_their_token_says() {
    let store = store();
    let mut request = ExecuteStatement { limit: Some(2), ..ExecuteStatement::new("SELECT * FROM Events") };
    let mut items = Vec::new();
    loop {
        let page = store.items().execute_statement(&request).unwrap();
        assert!(page.items.len() <= 2);
        items.extend(page.items);
        match page.next_token {
            Some(token) => request.next_token = Some(token),
            None => break,
        }
    }
    assert_eq!(items.len(), 4);
    let page = ExecuteStatement { limit: Some(1), ..ExecuteStatement::new("SELECT * FROM Events") };
    let token = store.items().execute_statement(&page).unwrap().next_token;
    let refused = |statement: &str, token: Option<String>| {
        let request = ExecuteStatement { next_token: token, ..ExecuteStatement::new(statement) };
        fault(store.items().execute_statement(&request)).to_string()
    };
    assert_eq!(refused("SELECT pk FROM Events", token.clone()), "NextToken does not match request");
    assert_eq!(refused("SELECT * FROM Events", Some("€".into())), "Invalid NextToken");
    assert_eq!(
        refused("DELETE FROM Events WHERE pk = 'a' AND sk = 1", token),
        "NextToken is only valid on a SELECT statement"
    );
}

#[test] // SEM: ITM-EXP-7, ITM-EXP-8
fn writes_are_of_one_item_that_is_there() {
    let store = store();
    let inserted = run(&store, "INSERT INTO Events VALUE {'pk': 'cid', 'sk': 1, 'n': 5}").unwrap();
    assert!(inserted.items.is_empty());
    assert_eq!(fault(run(&store, "INSERT INTO Events VALUE {'pk': 'cid', 'sk': 1}")), Fault::DuplicateItem);
    let update = |set: &str| {
        run(&store, &format!("UPDATE Events {set} WHERE pk = 'cid' AND sk = 1 AND n = 5 RETURNING ALL NEW *"))
    };
    let updated = update("SET a = n + 1, tags = <<'x'>>").unwrap().items;
    assert_eq!(updated[0].get("a"), Some(&6.into()));
    let parts =
        run(&store, "FROM Events WHERE pk = 'cid' AND sk = 1 SET n = 6 REMOVE a RETURNING MODIFIED OLD *").unwrap();
    assert_eq!(parts.items, [Item::new().with("n", 5).with("a", 6)]);
    assert!(matches!(fault(update("SET a = 1")), Fault::ConditionalCheckFailed { .. }), "n is 6");
    let absent = "UPDATE Events SET a = 1 WHERE pk = 'nobody' AND sk = 1";
    assert!(matches!(fault(run(&store, absent)), Fault::ConditionalCheckFailed { .. }));
    assert_eq!(
        fault(run(&store, "UPDATE Events SET a = 1 WHERE pk = 'cid'")).to_string(),
        "Where clause does not contain a mandatory equality on all key attributes"
    );
    let deleted = run(&store, "DELETE FROM Events WHERE pk = 'cid' AND sk = 1 RETURNING ALL OLD *").unwrap().items;
    assert_eq!(deleted[0].get("n"), Some(&6.into()));
    assert!(run(&store, "DELETE FROM Events WHERE pk = 'cid' AND sk = 1 AND n = 6").unwrap().items.is_empty());
    assert_eq!(
        fault(run(&store, "DELETE FROM \"Events\".\"by-tag\" WHERE pk = 'a' AND sk = 1")).to_string(),
        "This operation is not supported on an index"
    );
    assert_eq!(fault(run(&store, "SELECT * FROM Nothing WHERE a = 1")).code(), "ResourceNotFoundException");
}

#[test] // SEM: ITM-BAT-1
fn statements_of_a_batch_fail_by_themselves() {
    let store = store();
    let batch = |statements: &[&str]| {
        let statements = statements.iter().map(|text| ExecuteStatement::new(*text)).collect();
        let batch = BatchExecuteStatement { statements, return_consumed_capacity: ReturnConsumedCapacity::Total };
        store.items().batch_execute_statement(&batch)
    };
    let units = |responses: &[BatchStatementResponse]| -> Vec<Option<f64>> {
        let consumed = responses.iter().map(|response| response.consumed_capacity.as_ref());
        consumed.map(|consumed| consumed.map(|consumed| consumed.capacity_units)).collect()
    };
    let written = batch(&[
        "INSERT INTO Events VALUE {'pk': 'ann', 'sk': 1}",
        "INSERT INTO Events VALUE {'pk': 'dan', 'sk': 1}",
        "UPDATE Events SET a = 1 WHERE pk = 'nobody' AND sk = 1",
        "SELEC",
    ])
    .unwrap();
    let codes: Vec<_> =
        written.iter().map(|response| response.error.as_ref().map(|error| error.code.as_str())).collect();
    assert_eq!(codes, [Some("DuplicateItem"), None, Some("ConditionalCheckFailed"), Some("ValidationError")]);
    let tables: Vec<_> = written.iter().map(|response| response.table_name.as_deref()).collect();
    assert_eq!(tables, [Some("Events"), Some("Events"), Some("Events"), None]);
    assert_eq!(units(&written), [None, Some(1.0), None, None], "what failed is not counted");

    let read = batch(&[
        "SELECT * FROM Events WHERE pk = 'dan' AND sk = 1",
        "SELECT * FROM Events WHERE pk = 'dan' AND sk = 2",
        "SELECT * FROM Events WHERE pk = 'ann'",
    ])
    .unwrap();
    assert_eq!(read[0].item, Some(Item::new().with("pk", "dan").with("sk", 1)));
    assert_eq!(read[1].item, None);
    assert_eq!(units(&read), [Some(0.5), Some(0.5), None]);
    assert_eq!(
        read[2].error.as_ref().unwrap().message,
        "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    );

    let one = "DELETE FROM Events WHERE pk = 'dan' AND sk = 1";
    assert_eq!(fault(batch(&[one, one])).to_string(), "Provided list of item keys contains duplicates");
    let mixed = fault(batch(&[one, "SELECT * FROM Events WHERE pk = 'ann' AND sk = 1"]));
    assert_eq!(mixed.to_string(), "Read and write requests together in the same batch is not supported.");
    assert!(batch(&[]).is_err());
    assert!(batch(&vec![one; 26]).is_err());
}

fn transact(store: &Store, statements: &[&str], token: Option<&str>) -> Result<Vec<Option<Item>>, Error> {
    let request = ExecuteTransaction {
        transact_statements: statements.iter().map(|text| ExecuteStatement::new(*text)).collect(),
        client_request_token: token.map(str::to_owned),
        return_consumed_capacity: ReturnConsumedCapacity::Total,
    };
    let output = store.items().execute_transaction(&request)?;
    assert_eq!(output.consumed_capacity.len(), 1);
    Ok(output.responses)
}

#[test] // SEM: ITM-TXN-1, ITM-TXN-2
fn transactions_do_all_or_nothing() {
    let store = store();
    let exists = "EXISTS(SELECT * FROM Events WHERE pk = 'ann' AND sk = 1 AND tag = 'x')";
    let update = "UPDATE Events SET a = 1 WHERE pk = 'ann' AND sk = 2";
    let insert = "INSERT INTO Events VALUE {'pk': 'eve', 'sk': 1}";
    assert!(transact(&store, &[exists, update, insert], Some("one")).unwrap().is_empty());
    assert!(transact(&store, &[exists, update, insert], Some("one")).is_ok(), "sent again");
    let mismatch = fault(transact(&store, &[exists, update], Some("one")));
    assert_eq!(mismatch, Fault::IdempotentParameterMismatch);

    let missing = "EXISTS(SELECT * FROM Events WHERE pk = 'ann' AND sk = 1 AND tag = 'z')";
    let another = "UPDATE Events SET a = 2 WHERE pk = 'ann' AND sk = 2";
    match fault(transact(&store, &[another, insert, missing], None)) {
        Fault::TransactionCanceled { reasons } => assert_eq!(
            reasons,
            [
                CancellationReason::None,
                CancellationReason::DuplicateItem,
                CancellationReason::ConditionalCheckFailed { item: None }
            ]
        ),
        other => panic!("{other:?}"),
    }
    let read = transact(
        &store,
        &["SELECT a FROM Events WHERE pk = 'ann' AND sk = 2", "SELECT * FROM Events WHERE pk = 'no' AND sk = 1"],
        None,
    );
    assert_eq!(read.unwrap(), [Some(Item::from([("a", 1)])), None]);

    let words = |statements: &[&str]| fault(transact(&store, statements, None)).to_string();
    assert_eq!(
        words(&[update, "SELECT * FROM Events WHERE pk = 'ann' AND sk = 1"]),
        "ExecuteTransaction API does not support both read and write operations in the same request."
    );
    assert_eq!(
        words(&["SELECT * FROM Events WHERE pk = 'ann'"]),
        "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the \
         primary key in the where clause."
    );
    assert_eq!(
        words(&[update, "EXISTS(SELECT * FROM Events WHERE pk = 'ann' AND sk = 1)"]),
        "Validation failed in TransactStatements[1]: EXISTS() must contain a single item read with additional condition"
    );
    assert_eq!(
        words(&["SELECT * FROM Events WHERE"]),
        "Validation failed in TransactStatements[0]: Statement wasn't well formed, can't be processed: Unexpected term"
    );
    assert_eq!(
        words(&["UPDATE Events SET a = 1 WHERE pk = 'ann' AND sk = 2 RETURNING ALL OLD *"]),
        "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction."
    );
}

#[test]
fn statements_run_inside_of_transactions_of_the_store() {
    let store = store();
    let outcome = store.transaction(|tx| {
        tx.items().execute_statement(&ExecuteStatement::new("DELETE FROM Events WHERE pk = 'ann' AND sk = 1"))?;
        assert_eq!(tx.items().execute_statement(&ExecuteStatement::new("SELECT * FROM Events"))?.items.len(), 3);
        Err::<(), _>(Error::application("back"))
    });
    assert!(outcome.is_err());
    assert_eq!(run(&store, "SELECT * FROM Events").unwrap().items.len(), 4);
}
