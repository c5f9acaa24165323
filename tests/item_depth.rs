//! Whatever comes in, however deep or long it is, is refused or done: it does not use up the stack.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking, as the test does")]

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use larder::Store;
use larder::item::request::*;
use larder::item::{AttributeValue, Item, ScalarAttributeType, TableSchema, WriteRequest};

const LEVELS: usize = 100_000;
/// What a thread has unless somebody says otherwise: far less than a level takes anywhere, times the levels.
const STACK_BYTES: usize = 2 << 20;

/// A request that is left where it is: an `Item` that is deep is dropped level by level, but a value by itself is the
/// caller's, as any list of lists.
fn kept<T>(request: T) -> ManuallyDrop<T> {
    ManuallyDrop::new(request)
}

/// Runs `body` on a stack that a recursion over the levels does not fit on.
fn on_a_small_stack(body: impl FnOnce(&Store) + Send + 'static) {
    let run = move || {
        let store = Store::in_memory();
        store.item_table("Deep").create(TableSchema::new("id", ScalarAttributeType::S)).unwrap();
        store.item_table("Deep").put(&Item::from([("id", "a")]).with("n", 1)).unwrap();
        body(&store);
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap().join().unwrap();
}

fn lists() -> AttributeValue {
    (0..LEVELS).fold(AttributeValue::Null, |inner, _| AttributeValue::L(vec![inner]))
}

fn maps() -> AttributeValue {
    (0..LEVELS).fold(AttributeValue::Null, |inner, _| AttributeValue::M([("a", inner)].into()))
}

fn table_name() -> String {
    "Deep".to_owned()
}

fn key() -> Item {
    Item::from([("id", "a")])
}

#[test] // SEM: ITM-TYP-1
fn values_of_any_depth_are_refused_wherever_they_are_given() {
    on_a_small_stack(|store| {
        let items = store.items();
        let table = store.item_table("Deep");
        for deep in [lists, maps] {
            let item = || key().with("deep", deep());
            let bad_key = || Item::from([("id", deep())]);
            let given = || Some(BTreeMap::from([(":v".to_owned(), deep())]));
            assert!(table.put(&item()).is_err());
            assert!(table.batch_write(vec![WriteRequest::put(item())]).is_err());
            assert!(items.put_item(&PutItem { table_name: table_name(), item: item(), ..PutItem::default() }).is_err());
            assert!(
                items.get_item(&GetItem { table_name: table_name(), key: bad_key(), ..GetItem::default() }).is_err()
            );
            let update = |text: &str, condition: Option<&str>| {
                kept(UpdateItem {
                    table_name: table_name(),
                    key: key(),
                    update_expression: Some(text.to_owned()),
                    condition_expression: condition.map(str::to_owned),
                    expression_attribute_values: given(),
                    ..UpdateItem::default()
                })
            };
            assert!(items.update_item(&update("SET a = :v", None)).is_err());
            assert!(items.update_item(&update("SET a = list_append(:v, :v)", None)).is_err());
            assert!(items.update_item(&update("REMOVE a", Some("a <> :v"))).is_err());
            let legacy = AttributeValueUpdate { value: Some(deep()), action: Some(AttributeAction::Put) };
            let legacy = kept(UpdateItem {
                table_name: table_name(),
                key: key(),
                attribute_updates: Some(BTreeMap::from([("a".to_owned(), legacy)])),
                ..UpdateItem::default()
            });
            assert!(items.update_item(&legacy).is_err());
            let expected = ExpectedAttributeValue { value: Some(deep()), ..ExpectedAttributeValue::default() };
            let delete = kept(DeleteItem {
                table_name: table_name(),
                key: key(),
                expected: Some(BTreeMap::from([("a".to_owned(), expected)])),
                ..DeleteItem::default()
            });
            assert!(items.delete_item(&delete).is_err());
            let query = |start: Option<Item>, text: &str| {
                kept(Query {
                    table_name: table_name(),
                    key_condition_expression: Some(text.to_owned()),
                    expression_attribute_values: given(),
                    exclusive_start_key: start,
                    ..Query::default()
                })
            };
            assert!(items.query(&query(None, "id = :v")).is_err());
            assert!(items.query(&query(Some(bad_key()), "id = :v")).is_err());
            let filter = Condition { comparison_operator: ComparisonOperator::Ne, attribute_value_list: vec![deep()] };
            let scan = kept(Scan {
                table_name: table_name(),
                scan_filter: Some(BTreeMap::from([("a".to_owned(), filter)])),
                ..Scan::default()
            });
            assert!(items.scan(&scan).is_err());
            let scan = Scan { table_name: table_name(), exclusive_start_key: Some(bad_key()), ..Scan::default() };
            assert!(items.scan(&scan).is_err());
            let put = TransactWrite::new("Deep", TransactAction::Put(item()));
            let transact = TransactWriteItems { transact_items: vec![put], ..TransactWriteItems::default() };
            assert!(items.transact_write_items(&transact).is_err());
            let statement = |text: &str| kept(ExecuteStatement::new(text).parameter(deep()));
            assert!(items.execute_statement(&statement("INSERT INTO Deep VALUE {'id': 'b', 'a': ?}")).is_err());
            assert!(items.execute_statement(&statement("SELECT * FROM Deep WHERE a = ?")).is_err());
        }
        assert_eq!(table.get("a").unwrap(), Some(key().with("n", 1)), "nothing has changed");
    });
}

#[test] // SEM: ITM-EXP-2, ITM-LIM-3
fn texts_of_any_depth_and_length_are_refused() {
    on_a_small_stack(|store| {
        let items = store.items();
        let repeat = |before: &str, middle: &str, after: &str, levels: usize| {
            before.repeat(levels) + middle + &after.repeat(levels)
        };
        // Within the 4,096 bytes of an expression, and far beyond.
        for levels in [1_300, LEVELS] {
            for condition in [
                repeat("(", "n = :v", ")", levels),
                repeat("NOT ", "n = :v", "", levels),
                repeat("NOT(", "n = :v", ")", levels),
                repeat("size(", "n", ")", levels) + " = :v",
                repeat("n = :v AND ", "n = :v", "", levels),
                repeat("n = :v OR (", "n = :v", ")", levels),
                repeat("", "n", ".n", levels) + " = :v",
                repeat("", "n", "[0]", levels) + " = :v",
                "n IN (".to_owned() + &repeat(":v, ", ":v", "", levels) + ")",
                repeat("(", "", "", levels),
            ] {
                let given = Some(BTreeMap::from([(":v".to_owned(), 1.into())]));
                let scan = Scan {
                    table_name: table_name(),
                    filter_expression: Some(condition.clone()),
                    expression_attribute_values: given.clone(),
                    ..Scan::default()
                };
                assert!(items.scan(&scan).is_err(), "{}", condition.len());
                let query = Query {
                    table_name: table_name(),
                    key_condition_expression: Some(condition),
                    expression_attribute_values: given,
                    ..Query::default()
                };
                assert!(items.query(&query).is_err());
            }
            for update in [
                "SET n = ".to_owned() + &repeat("if_not_exists(n, ", ":v", ")", levels),
                "SET n = ".to_owned() + &repeat("(", ":v", ")", levels),
                "SET n = ".to_owned() + &repeat(":v + ", ":v", "", levels),
                "REMOVE ".to_owned() + &repeat("", "n", "[0]", levels),
                repeat("REMOVE n ", "", "", levels),
            ] {
                let update = UpdateItem {
                    table_name: table_name(),
                    key: key(),
                    update_expression: Some(update),
                    expression_attribute_values: Some(BTreeMap::from([(":v".to_owned(), 1.into())])),
                    ..UpdateItem::default()
                };
                assert!(items.update_item(&update).is_err());
            }
            let projected = GetItem {
                table_name: table_name(),
                key: key(),
                projection_expression: Some(repeat("", "n", ".n", levels)),
                ..GetItem::default()
            };
            assert!(items.get_item(&projected).is_err());
        }
        for levels in [2_000, LEVELS] {
            for statement in [
                "INSERT INTO Deep VALUE {'id': 'b', 'a': ".to_owned() + &repeat("[", "", "]", levels) + "}",
                "INSERT INTO Deep VALUE {'id': 'b', 'a': ".to_owned() + &repeat("{'a': ", "1", "}", levels) + "}",
                "SELECT * FROM Deep WHERE ".to_owned() + &repeat("(", "n = 1", ")", levels),
                "SELECT * FROM Deep WHERE ".to_owned() + &repeat("NOT ", "n = 1", "", levels),
                "SELECT * FROM Deep WHERE ".to_owned() + &repeat("n = 1 AND ", "n = 1", "", levels),
                "SELECT ".to_owned() + &repeat("", "n", ".n", levels) + " FROM Deep",
                "UPDATE Deep SET n = ".to_owned() + &repeat("list_append(n, ", "[]", ")", levels) + " WHERE id = 'a'",
                repeat("[", "", "", levels),
            ] {
                assert!(items.execute_statement(&ExecuteStatement::new(statement)).is_err());
            }
        }
        assert_eq!(store.item_table("Deep").scan().to_vec().unwrap(), [key().with("n", 1)], "nothing has changed");
    });
}
