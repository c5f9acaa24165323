//! Operations on item tables in the shape of the API, as a front door would run them.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking, as the test does")]
#![allow(clippy::unnecessary_wraps, reason = "helpers give what a member of a request takes")]
#![allow(clippy::float_cmp, reason = "units are halves, which floats hold exactly")]

use std::collections::BTreeSet;
use std::time::Duration;

use larder::item::request::*;
use larder::item::{
    CancellationReason, Fault, GlobalIndex, Item, LocalIndex, Projection, RequestFault, ScalarAttributeType,
    TableSchema, key,
};
use larder::{AutoCommit, Error, ItemTable, ManualClock, Result, Store, Timestamp};

const S: ScalarAttributeType = ScalarAttributeType::S;
const N: ScalarAttributeType = ScalarAttributeType::N;

fn names(pairs: &[(&str, &str)]) -> Option<ExpressionAttributeNames> {
    Some(pairs.iter().map(|(name, attribute)| ((*name).to_owned(), (*attribute).to_owned())).collect())
}

fn values(pairs: &[(&str, larder::item::AttributeValue)]) -> Option<ExpressionAttributeValues> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// A table with keys `pk` and `sk`, and one item `("p", "1")` with n = 5.
fn table(store: &Store) -> ItemTable<AutoCommit> {
    let table = store.item_table("Events");
    table.create(TableSchema::new("pk", S).sort_key("sk", S)).unwrap();
    table.put(&event("p", "1").with("n", 5)).unwrap();
    table
}

fn event(pk: &str, sk: &str) -> Item {
    Item::from([("pk", pk), ("sk", sk)])
}

fn fault<T: std::fmt::Debug>(outcome: Result<T>) -> Fault {
    outcome.unwrap_err().item_fault().unwrap().clone()
}

#[test] // SEM: ITM-EXP-8
fn a_condition_that_does_not_hold_writes_nothing_and_may_show_the_item() {
    let store = Store::in_memory();
    let table = table(&store);
    let entries = store.stats().unwrap().entries;
    let put = PutItem {
        table_name: "Events".into(),
        item: event("p", "1"),
        condition_expression: Some("attribute_not_exists(pk)".into()),
        ..PutItem::default()
    };
    assert_eq!(fault(store.items().put_item(&put)), Fault::ConditionalCheckFailed { item: None });
    let shown = ReturnValuesOnConditionCheckFailure::AllOld;
    let put = PutItem { return_values_on_condition_check_failure: shown, ..put };
    let Fault::ConditionalCheckFailed { item: Some(item) } = fault(store.items().put_item(&put)) else {
        panic!("shown")
    };
    assert_eq!(item.to_item().unwrap(), event("p", "1").with("n", 5));
    assert_eq!(store.stats().unwrap().entries, entries);
    assert_eq!(table.get(("p", "1")).unwrap().unwrap().get("n"), Some(&5.into()));
    table.delete_item(("p", "2")).condition("attribute_not_exists(pk)").run().unwrap();
    assert!(table.delete_item(("p", "2")).condition("attribute_exists(pk)").run().is_err());
}

#[test] // SEM: ITM-LIM-1
fn an_update_is_weighed_by_what_it_writes_and_not_by_its_key() {
    let store = Store::in_memory();
    let table = store.item_table("Large");
    table.create(TableSchema::new("k", S)).unwrap();
    // An item of this many bytes: `k` and its value, `a` and its value, and what is in `n`.
    let item = |bytes: usize| Item::from([("k", "a".to_owned())]).with("a", "x".repeat(bytes - 2 - 1 - 3)).with("n", 1);
    let refused = |bytes: usize, expression: &str, transacted: bool| {
        table.put(&item(bytes)).unwrap();
        let given = expression.contains(":v").then(|| values(&[(":v", 2.into())])).flatten();
        let key = Item::from([("k", "a")]);
        if transacted {
            let action = TransactAction::Update { key, update_expression: expression.to_owned() };
            let write = TransactWrite { expression_attribute_values: given, ..TransactWrite::new("Large", action) };
            let all = TransactWriteItems { transact_items: vec![write], ..TransactWriteItems::default() };
            return store.items().transact_write_items(&all).is_err();
        }
        let update = UpdateItem {
            table_name: "Large".into(),
            key,
            update_expression: Some(expression.to_owned()),
            expression_attribute_values: given,
            ..UpdateItem::default()
        };
        store.items().update_item(&update).is_err()
    };
    let most = larder::limits::ITEM_BYTES_MAX;
    // Two bytes of the key are not weighed; three of the update are, and those of its action.
    assert!(!refused(most - 1 - 19, "SET n = :v", false));
    assert!(refused(most - 19, "SET n = :v", false));
    assert!(!refused(most - 1 - 19 - 50, "SET n = n + :v", false));
    assert!(refused(most - 19 - 50, "SET n = n + :v", false));
    assert!(!refused(most - 3, "REMOVE b", false));
    assert!(refused(most - 2, "REMOVE b", false));
    assert!(!refused(most, "SET n = :v", true), "in a transaction the item alone is weighed");
    table.put(&item(most)).unwrap();
    let text = "UPDATE Large SET n = 2 WHERE k = 'a'";
    assert!(store.items().execute_statement(&ExecuteStatement::new(text)).is_ok(), "in a statement, too");
}

#[test] // SEM: ITM-EXP-7
fn a_write_returns_of_the_item_what_it_is_asked_for() {
    let store = Store::in_memory();
    let table = table(&store);
    let update = |asked| {
        let update = table.update(("p", "1")).expression("SET n = n + :one, m.a = :one REMOVE gone");
        update.value(":one", 1).return_values(asked).run().unwrap().attributes
    };
    let map = |n: i64| larder::item::AttributeValue::M([("a", n), ("b", 2)].into());
    table.put(&event("p", "1").with("n", 5).with("m", map(7)).with("gone", 0)).unwrap();
    let only_a = |n: i64| larder::item::AttributeValue::M([("a", n)].into());
    assert_eq!(
        update(ReturnValues::UpdatedOld),
        Some(Item::new().with("n", 5).with("m", only_a(7)).with("gone", 0)),
        "of a map, what was changed"
    );
    assert_eq!(update(ReturnValues::UpdatedNew), Some(Item::new().with("n", 7).with("m", only_a(1))));
    assert_eq!(update(ReturnValues::AllOld).unwrap().get("n"), Some(&7.into()));
    assert_eq!(update(ReturnValues::AllNew).unwrap(), event("p", "1").with("n", 9).with("m", map(1)));
    assert_eq!(update(ReturnValues::None), None);
    let put = table.put_item(event("p", "2")).return_values(ReturnValues::AllOld).run().unwrap();
    assert_eq!(put.attributes, None, "there was none");
    assert!(table.put_item(event("p", "2")).return_values(ReturnValues::AllNew).run().is_err());
    let deleted = table.delete_item(("p", "2")).return_values(ReturnValues::AllOld).run().unwrap();
    assert_eq!(deleted.attributes, Some(event("p", "2")));
}

#[test] // SEM: ITM-EXP-5, ITM-EXP-6, ITM-EXP-8
fn an_update_makes_the_item_when_there_is_none_and_never_changes_its_key() {
    let store = Store::in_memory();
    let table = table(&store);
    table.update(("q", "1")).expression("ADD visits :one").value(":one", 1).run().unwrap();
    assert_eq!(table.get(("q", "1")).unwrap(), Some(event("q", "1").with("visits", 1)));
    table.update(("q", "2")).run().unwrap();
    assert_eq!(table.get(("q", "2")).unwrap(), Some(event("q", "2")), "without an expression, too");
    let of_key = table.update(("q", "1")).expression("SET sk = :x").value(":x", "2").run();
    assert_eq!(fault(of_key), Fault::KeyUpdated("sk".into()));
    let large = table.update(("q", "1")).expression("SET a = :x").value(":x", "x".repeat(409_600)).run();
    assert_eq!(fault(large), Fault::Request(RequestFault::UpdatedItemTooLarge));
}

#[test] // SEM: ITM-ERR-2
fn faults_come_in_the_order_of_the_service() {
    let items = Store::in_memory().items();
    let put = PutItem { table_name: "Nowhere".into(), item: event("p", "1"), ..PutItem::default() };
    assert_eq!(fault(items.put_item(&put)), Fault::ResourceNotFound { resource: None });
    let large = PutItem { item: event("p", "1").with("v", "x".repeat(410_000)), ..put.clone() };
    assert_eq!(fault(items.put_item(&large)), Fault::Request(RequestFault::ItemTooLarge), "before the table");
    let unused = PutItem { expression_attribute_names: names(&[("#a", "a")]), ..large };
    assert_eq!(fault(items.put_item(&unused)), Fault::NamesWithoutExpression, "before the size");
    let nameless = PutItem { item: event("p", "1").with("", 1), ..put.clone() };
    assert_eq!(fault(items.put_item(&nameless)), Fault::Request(RequestFault::EmptyName));
    let short = PutItem { table_name: "no".into(), ..put };
    assert!(fault(items.put_item(&short)).to_string().starts_with("TableName must be at least 3 characters"));
    let query = Query { table_name: "Nowhere".into(), limit: Some(0), ..Query::default() };
    assert!(matches!(fault(items.query(&query)), Fault::Request(RequestFault::Constraint { .. })));
}

mod reading {
    use super::*;

    fn numbered(store: &Store, count: i64) -> ItemTable<AutoCommit> {
        let table = store.item_table("Numbers");
        table.create(TableSchema::new("id", N)).unwrap();
        for id in 0..count {
            table.put(&Item::from([("id", id), ("n", id % 5)])).unwrap();
        }
        table
    }

    #[test] // SEM: ITM-QRY-1
    fn a_filter_is_applied_behind_the_limit() {
        let store = Store::in_memory();
        numbered(&store, 20);
        let scan = Scan {
            table_name: "Numbers".into(),
            filter_expression: Some("n = :n".into()),
            expression_attribute_values: values(&[(":n", 3.into())]),
            limit: Some(7),
            ..Scan::default()
        };
        let (mut found, mut read, mut start, mut pages) = (0, 0, None, 0);
        loop {
            let scan = Scan { exclusive_start_key: start, ..scan.clone() };
            let page = store.items().scan(&scan).unwrap();
            assert_eq!(page.items.unwrap().len() as u64, page.count);
            (found, read, pages) = (found + page.count, read + page.scanned_count, pages + 1);
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        assert_eq!((found, read, pages), (4, 20, 3));
        let count = Scan { select: Some(Select::Count), limit: None, ..scan };
        let counted = store.items().scan(&count).unwrap();
        assert_eq!((counted.items, counted.count, counted.scanned_count), (None, 4, 20));
    }

    #[test] // SEM: ITM-QRY-3
    fn segments_lose_and_repeat_nothing_while_what_they_return_is_deleted() {
        let store = Store::in_memory();
        let table = numbered(&store, 200);
        for total in [1u32, 4, 7] {
            let mut seen = BTreeSet::new();
            let before = table.scan().count().unwrap();
            for segment in 0..total {
                let mut start = None;
                loop {
                    let scan = Scan {
                        table_name: "Numbers".into(),
                        segment: Some(segment.into()),
                        total_segments: Some(total.into()),
                        limit: Some(3),
                        exclusive_start_key: start,
                        ..Scan::default()
                    };
                    let page = store.items().scan(&scan).unwrap();
                    for item in page.items.unwrap() {
                        let id = item.get("id").unwrap().as_n().unwrap().to_i64().unwrap();
                        assert!(seen.insert(id), "{id} twice");
                        table.delete(id).unwrap();
                    }
                    start = page.last_evaluated_key;
                    if start.is_none() {
                        break;
                    }
                }
            }
            assert_eq!((seen.len() as u64, table.scan().count().unwrap()), (before, 0));
            for id in seen {
                table.put(&Item::from([("id", id)])).unwrap();
            }
        }
    }

    #[test] // SEM: ITM-QRY-2
    fn a_start_key_of_another_segment_is_refused() {
        let store = Store::in_memory();
        let table = numbered(&store, 50);
        let of_first = table.scan().segment(0, 2).limit(1).page().unwrap().last_key.unwrap();
        let other = table.scan().segment(1, 2).start_after(of_first.clone()).page();
        assert_eq!(fault(other), Fault::Request(RequestFault::StartKeyOfOtherSegment));
        assert!(table.scan().segment(0, 2).start_after(of_first).page().is_ok());
    }

    #[test] // SEM: ITM-QRY-3
    fn select_says_what_is_returned_and_goes_with_few_other_parameters() {
        let store = Store::in_memory();
        numbered(&store, 3);
        let scan = |select| Scan { table_name: "Numbers".into(), select: Some(select), ..Scan::default() };
        let text = |scan: &Scan| fault(store.items().scan(scan)).to_string();
        let projected = |select| Scan { projection_expression: Some("n".into()), ..scan(select) };
        assert_eq!(
            text(&projected(Select::Count)),
            "Cannot specify the ProjectionExpression when choosing to get only the Count"
        );
        assert_eq!(
            text(&projected(Select::AllAttributes)),
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"
        );
        assert!(text(&scan(Select::SpecificAttributes)).starts_with("Must specify the AttributesToGet"));
        assert!(text(&scan(Select::AllProjectedAttributes)).starts_with("ALL_PROJECTED_ATTRIBUTES can be used only"));
        let page = store.items().scan(&projected(Select::SpecificAttributes)).unwrap();
        assert!(page.items.unwrap().iter().all(|item| item.len() == 1));
    }

    #[test]
    fn legacy_parameters_mean_what_expressions_do() {
        let store = Store::in_memory();
        table(&store);
        for sk in ["2", "3"] {
            store.item_table("Events").put(&event("p", sk)).unwrap();
        }
        let eq = |value: &str| Condition {
            comparison_operator: ComparisonOperator::Eq,
            attribute_value_list: vec![value.into()],
        };
        let query = Query {
            table_name: "Events".into(),
            key_conditions: Some([("pk".to_owned(), eq("p"))].into()),
            query_filter: Some(
                [("n".to_owned(), Condition { comparison_operator: ComparisonOperator::Null, ..eq("") })]
                    .map(|(name, condition)| (name, Condition { attribute_value_list: vec![], ..condition }))
                    .into(),
            ),
            attributes_to_get: Some(vec!["sk".into()]),
            ..Query::default()
        };
        let page = store.items().query(&query).unwrap();
        assert_eq!(page.items.unwrap(), [Item::from([("sk", "2")]), Item::from([("sk", "3")])]);
        let mixed = Query { projection_expression: Some("sk".into()), ..query };
        assert!(matches!(fault(store.items().query(&mixed)), Fault::MixedParameters { .. }));
        let update = UpdateItem {
            table_name: "Events".into(),
            key: event("p", "1"),
            attribute_updates: Some(
                [("n".to_owned(), AttributeValueUpdate { value: Some(1.into()), action: Some(AttributeAction::Add) })]
                    .into(),
            ),
            return_values: ReturnValues::AllNew,
            ..UpdateItem::default()
        };
        assert_eq!(store.items().update_item(&update).unwrap().attributes.unwrap().get("n"), Some(&6.into()));
    }
}

mod indexes {
    use super::*;

    fn matches_table(store: &Store) -> ItemTable<AutoCommit> {
        let table = store.item_table("Matches");
        let index = GlobalIndex::new("by-round", "tournament", S)
            .partition_key("region", S)
            .sort_key("round", N)
            .sort_key("player", S)
            .projection(Projection::KeysOnly);
        let local = LocalIndex::new("by-score", "score", N).projection(Projection::Include(vec!["note".into()]));
        table.create(TableSchema::new("pk", S).sort_key("sk", S).global_index(index).local_index(local)).unwrap();
        for (sk, region, round, player, score) in
            [("1", "eu", 1, "ann", 30), ("2", "eu", 1, "bob", 10), ("3", "eu", 2, "ann", 20), ("4", "us", 1, "cid", 5)]
        {
            let item = event("p", sk).with("tournament", "open").with("region", region).with("round", round);
            table.put(&item.with("player", player).with("score", score).with("note", "n").with("body", "t")).unwrap();
        }
        table
    }

    fn sort_keys(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.get("sk").unwrap().as_s().unwrap()).collect()
    }

    #[test] // SEM: ITM-IDX-1
    fn a_key_of_several_attributes_is_queried_by_all_of_its_partition_and_a_run_of_its_sort_key() {
        let store = Store::in_memory();
        let table = matches_table(&store);
        let of = |condition: larder::item::KeyCondition| table.query(condition).index("by-round").to_vec();
        let eu = || key("tournament").eq("open").and(key("region").eq("eu"));
        assert_eq!(sort_keys(&of(eu()).unwrap()), ["1", "2", "3"]);
        assert_eq!(sort_keys(&of(eu().and(key("round").eq(1))).unwrap()), ["1", "2"]);
        assert_eq!(sort_keys(&of(eu().and(key("round").eq(1)).and(key("player").gt("ann"))).unwrap()), ["2"]);
        assert_eq!(sort_keys(&of(eu().and(key("round").ge(2))).unwrap()), ["3"]);
        assert!(of(key("tournament").eq("open")).is_err(), "half of the partition key");
        assert!(of(eu().and(key("player").eq("ann"))).is_err(), "a hole in the sort key");
        assert!(of(eu().and(key("round").gt(0)).and(key("player").eq("ann"))).is_err(), "behind a range");
        let page = table.query(eu()).index("by-round").limit(1).page().unwrap();
        assert_eq!(page.items[0].len(), 6, "the keys of index and table");
        let rest = table.query(eu()).index("by-round").start_after(page.last_key.unwrap()).to_vec().unwrap();
        assert_eq!(sort_keys(&rest), ["2", "3"]);
    }

    #[test] // SEM: ITM-IDX-1
    fn a_local_index_reaches_what_it_does_not_project_and_a_global_one_does_not() {
        let store = Store::in_memory();
        let table = matches_table(&store);
        let local = || table.query(key("pk").eq("p")).index("by-score");
        let items = local().to_vec().unwrap();
        assert_eq!(sort_keys(&items), ["4", "2", "3", "1"]);
        assert!(items[0].get("note").is_some() && items[0].get("body").is_none());
        assert_eq!(local().projection("body").limit(1).to_vec().unwrap(), [Item::from([("body", "t")])]);
        assert!(local().consistent().to_vec().is_ok());
        let query = Query {
            table_name: "Matches".into(),
            index_name: Some("by-score".into()),
            select: Some(Select::AllAttributes),
            key_condition_expression: Some("pk = :p".into()),
            expression_attribute_values: values(&[(":p", "p".into())]),
            ..Query::default()
        };
        assert!(store.items().query(&query).unwrap().items.unwrap().iter().all(|item| item.get("body").is_some()));
        let global = Query {
            index_name: Some("by-round".into()),
            key_condition_expression: Some("tournament = :t AND #r = :r".into()),
            expression_attribute_names: names(&[("#r", "region")]),
            expression_attribute_values: values(&[(":t", "open".into()), (":r", "eu".into())]),
            ..query
        };
        assert!(
            fault(store.items().query(&global)).to_string().contains("Select type ALL_ATTRIBUTES is not supported")
        );
        let strong = Query { select: None, consistent_read: true, ..global };
        assert_eq!(fault(store.items().query(&strong)), Fault::Request(RequestFault::ConsistentGlobalIndex));
    }

    #[test] // SEM: ITM-IDX-1
    fn entries_that_carry_a_projection_follow_the_item() {
        let store = Store::in_memory();
        let table = matches_table(&store);
        table.update(("p", "2")).expression("SET note = :x").value(":x", "new").run().unwrap();
        let shown = table.query(key("pk").eq("p").and(key("score").eq(10))).index("by-score").to_vec().unwrap();
        assert_eq!(shown[0].get("note"), Some(&"new".into()));
        table.update(("p", "2")).expression("REMOVE score").run().unwrap();
        assert_eq!(table.query(key("pk").eq("p")).index("by-score").count().unwrap(), 3);
    }

    #[test] // SEM: ITM-IDX-1, ITM-IDX-2
    fn an_index_that_is_added_to_a_live_table_skips_what_it_cannot_hold() {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let table = store.item_table("Live");
        table.create(TableSchema::new("id", N)).unwrap();
        for id in 0..1_500 {
            let g = match id % 3 {
                0 => Some("fit".into()),
                1 => Some(7.into()),
                _ => None,
            };
            let item = Item::from([("id", id)]);
            table.put(&g.map_or(item.clone(), |g: larder::item::AttributeValue| item.with("g", g))).unwrap();
        }
        let update = UpdateTable {
            table_name: "Live".into(),
            attribute_definitions: vec![AttributeDefinition { attribute_name: "g".into(), attribute_type: S }],
            global_secondary_index_updates: Some(vec![GlobalSecondaryIndexUpdate::Create(GlobalSecondaryIndex {
                index_name: "by-g".into(),
                key_schema: vec![KeySchemaElement { attribute_name: "g".into(), key_type: KeyType::Hash }],
                projection: larder::item::request::Projection {
                    projection_type: Some(ProjectionType::KeysOnly),
                    non_key_attributes: None,
                },
                ..GlobalSecondaryIndex::default()
            })]),
            ..UpdateTable::default()
        };
        let described = store.items().update_table(&update).unwrap();
        assert_eq!(described.table_status, TableStatus::Updating);
        let index = &described.global_secondary_indexes[0];
        assert_eq!((index.index_status, index.backfilling), (IndexStatus::Creating, Some(true)));
        assert!(matches!(fault(store.items().update_table(&update)), Fault::LimitExceeded { .. }), "one at a time");
        let query = || table.query(key("g").eq("fit")).index("by-g");
        assert_eq!(fault(query().count()), Fault::Request(RequestFault::IndexIsBuilding("by-g".into())));
        store.run_jobs().unwrap();
        assert_eq!(query().count().unwrap(), 500);
        assert_eq!(store.items().describe_table("Live").unwrap().table_status, TableStatus::Active);
        assert!(fault(store.items().update_table(&update)).to_string().contains("Index already exists: by-g"));
        let mismatch = table.put(&Item::from([("id", 1), ("g", 7)]));
        assert!(
            fault(mismatch).to_string().contains("Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g")
        );
        let remove = GlobalSecondaryIndexUpdate::Delete { index_name: "by-g".into() };
        let remove = UpdateTable { global_secondary_index_updates: Some(vec![remove]), ..update };
        assert!(store.items().update_table(&remove).unwrap().global_secondary_indexes.is_empty());
        assert!(matches!(fault(store.items().update_table(&remove)), Fault::ResourceNotFound { .. }));
    }
}

mod capacity {
    use super::*;

    fn units(store: &Store, item: Item) -> ConsumedCapacity {
        let put = PutItem {
            table_name: "Matches".into(),
            item,
            return_consumed_capacity: ReturnConsumedCapacity::Indexes,
            ..PutItem::default()
        };
        store.items().put_item(&put).unwrap().consumed_capacity.unwrap()
    }

    #[test]
    fn a_write_costs_its_larger_size_and_each_entry_that_changes() {
        let store = Store::in_memory();
        let table = store.item_table("Matches");
        let index = |name: &str, attribute: &str| GlobalIndex::new(name, attribute, S).projection(Projection::KeysOnly);
        let schema = TableSchema::new("id", S).global_index(index("by-g", "g")).global_index(index("by-h", "h"));
        table.create(schema).unwrap();
        let item = |g: &str, size: usize| Item::from([("id", "a"), ("g", g)]).with("v", "x".repeat(size));
        let first = units(&store, item("x", 2_000));
        assert_eq!((first.capacity_units, first.table.unwrap().capacity_units), (3.0, 2.0));
        assert_eq!(first.global_secondary_indexes.keys().collect::<Vec<_>>(), ["by-g"]);
        assert_eq!(units(&store, item("x", 10)).capacity_units, 2.0, "the item was larger; its entry is as it was");
        let moved = units(&store, item("y", 10));
        assert_eq!(moved.global_secondary_indexes["by-g"].capacity_units, 2.0, "removed, and made elsewhere");
        let get = GetItem {
            table_name: "Matches".into(),
            key: Item::from([("id", "a")]),
            return_consumed_capacity: ReturnConsumedCapacity::Total,
            ..GetItem::default()
        };
        let read = |consistent_read| {
            let get = GetItem { consistent_read, ..get.clone() };
            store.items().get_item(&get).unwrap().consumed_capacity.unwrap().capacity_units
        };
        assert_eq!((read(false), read(true)), (0.5, 1.0));
    }

    #[test]
    fn collections_are_measured_where_there_are_local_indexes() {
        let store = Store::in_memory();
        let with = store.item_table("With");
        let local = LocalIndex::new("by-n", "n", N);
        with.create(TableSchema::new("pk", S).sort_key("sk", S).local_index(local)).unwrap();
        let metrics = with.put_item(event("p", "1")).return_item_collection_metrics().run().unwrap();
        let metrics = metrics.item_collection_metrics.unwrap();
        assert_eq!(metrics.item_collection_key, Item::from([("pk", "p")]));
        assert_eq!(metrics.size_estimate_range_gb, [0.0, 1.0]);
        let without = table(&store).put_item(event("p", "1")).return_item_collection_metrics().run().unwrap();
        assert_eq!(without.item_collection_metrics, None);
    }
}

mod transactions {
    use super::*;

    fn put(id: &str, n: i64, condition: Option<&str>) -> TransactWrite {
        TransactWrite {
            condition_expression: condition.map(str::to_owned),
            ..TransactWrite::new("Stock", TransactAction::Put(Item::from([("id", id)]).with("n", n)))
        }
    }

    fn stock(store: &Store) -> ItemTable<AutoCommit> {
        let table = store.item_table("Stock");
        table.create(TableSchema::new("id", S)).unwrap();
        table
    }

    fn all(transact_items: Vec<TransactWrite>) -> TransactWriteItems {
        TransactWriteItems { transact_items, ..TransactWriteItems::default() }
    }

    #[test] // SEM: ITM-TXN-1, ITM-TXN-2
    fn a_transaction_that_is_cancelled_tells_why_for_each_action_and_does_nothing() {
        let store = Store::in_memory();
        let table = stock(&store);
        table.put(&Item::from([("id", "a")]).with("n", 1)).unwrap();
        let check = TransactWrite {
            condition_expression: Some("n > :n".into()),
            expression_attribute_values: values(&[(":n", 5.into())]),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
            ..TransactWrite::new("Stock", TransactAction::ConditionCheck(Item::from([("id", "a")])))
        };
        let update = TransactWrite {
            expression_attribute_values: values(&[(":x", "text".into())]),
            ..TransactWrite::new(
                "Stock",
                TransactAction::Update { key: Item::from([("id", "c")]), update_expression: "SET m.n = :x".into() },
            )
        };
        let request = all(vec![put("b", 1, None), check, update]);
        let Fault::TransactionCanceled { reasons } = fault(store.items().transact_write_items(&request)) else {
            panic!("cancelled")
        };
        assert_eq!(
            reasons.iter().map(CancellationReason::code).collect::<Vec<_>>(),
            ["None", "ConditionalCheckFailed", "ValidationError"]
        );
        let CancellationReason::ConditionalCheckFailed { item: Some(item) } = &reasons[1] else { panic!("shown") };
        assert_eq!(item.to_item().unwrap().get("n"), Some(&1.into()));
        assert!(table.get("b").unwrap().is_none());
        let twice = all(vec![put("b", 1, None), put("b", 2, None)]);
        assert_eq!(
            fault(store.items().transact_write_items(&twice)),
            Fault::Request(RequestFault::DuplicateTransactionItem)
        );
        assert!(store.items().transact_write_items(&all(vec![])).is_err());
        let many = (0..101).map(|n| put(&n.to_string(), n, None)).collect();
        assert!(store.items().transact_write_items(&all(many)).is_err());
    }

    #[test] // SEM: ITM-TXN-1
    fn a_token_makes_a_transaction_happen_once_within_ten_minutes() {
        let store = Store::builder().clock(ManualClock::at(Timestamp::from_seconds(1_700_000_000))).in_memory();
        let table = stock(&store);
        let add = |by: i64| TransactWrite {
            expression_attribute_values: values(&[(":by", by.into())]),
            ..TransactWrite::new(
                "Stock",
                TransactAction::Update { key: Item::from([("id", "a")]), update_expression: "ADD n :by".into() },
            )
        };
        let send = |by, token: &str| {
            let client_request_token = Some(token.to_owned());
            store.items().transact_write_items(&TransactWriteItems { client_request_token, ..all(vec![add(by)]) })
        };
        let n = || table.get("a").unwrap().unwrap().get("n").unwrap().as_n().unwrap().to_i64().unwrap();
        send(1, "t").unwrap();
        send(1, "t").unwrap();
        assert_eq!(n(), 1);
        assert_eq!(fault(send(2, "t")), Fault::IdempotentParameterMismatch);
        send(1, "other").unwrap();
        assert_eq!(n(), 2);
        store.manual_clock().unwrap().advance(Duration::from_secs(601));
        send(2, "t").unwrap();
        assert_eq!(n(), 4);
        store.manual_clock().unwrap().advance(Duration::from_secs(601));
        let entries = store.stats().unwrap().entries.unwrap();
        store.sweep_expired().unwrap();
        assert_eq!(store.stats().unwrap().entries.unwrap(), entries - 4, "two tokens, and their deadlines");
        // One that was cancelled is not remembered.
        let refused = all(vec![put("a", 0, Some("attribute_not_exists(id)"))]);
        let refused = TransactWriteItems { client_request_token: Some("r".into()), ..refused };
        for _ in 0..2 {
            assert!(matches!(fault(store.items().transact_write_items(&refused)), Fault::TransactionCanceled { .. }));
        }
    }

    #[test] // SEM: ITM-TXN-1
    fn a_token_is_remembered_by_who_opens_the_store_next() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let store = Store::open(directory.path()).unwrap();
            store.item_table("Stock").create_if_absent(TableSchema::new("id", S)).unwrap();
            let add = TransactWrite {
                expression_attribute_values: values(&[(":by", 1.into())]),
                ..TransactWrite::new(
                    "Stock",
                    TransactAction::Update { key: Item::from([("id", "a")]), update_expression: "ADD n :by".into() },
                )
            };
            let request = TransactWriteItems { client_request_token: Some("t".into()), ..all(vec![add]) };
            store.items().transact_write_items(&request).unwrap();
            assert_eq!(store.item_table("Stock").get("a").unwrap().unwrap().get("n"), Some(&1.into()));
        }
    }

    #[test] // SEM: ITM-TXN-1, ITM-TXN-3
    fn transactions_of_many_threads_are_as_if_one_came_after_the_other() {
        const ACCOUNTS: usize = 4;
        let store = Store::in_memory();
        let table = stock(&store);
        for id in 0..ACCOUNTS {
            table.put(&Item::from([("id", id.to_string())]).with("n", 100)).unwrap();
        }
        let transfer = |from: usize, to: usize, by: i64| {
            let add = |id: usize, by: i64, condition: Option<&str>| TransactWrite {
                condition_expression: condition.map(str::to_owned),
                expression_attribute_values: match condition {
                    None => values(&[(":by", by.into())]),
                    Some(_) => values(&[(":by", by.into()), (":min", (-by).into())]),
                },
                ..TransactWrite::new(
                    "Stock",
                    TransactAction::Update {
                        key: Item::from([("id", id.to_string())]),
                        update_expression: "ADD n :by".into(),
                    },
                )
            };
            store.items().transact_write_items(&all(vec![add(from, -by, Some("n >= :min")), add(to, by, None)]))
        };
        std::thread::scope(|threads| {
            for thread in 0..4usize {
                let transfer = &transfer;
                threads.spawn(move || {
                    for round in 0..50usize {
                        let (from, to) = ((thread + round) % ACCOUNTS, (thread + round * 3 + 1) % ACCOUNTS);
                        if from != to {
                            match transfer(from, to, 1 + i64::try_from(round % 7).unwrap()) {
                                Ok(_) => {}
                                Err(error) => {
                                    assert!(matches!(error.item_fault(), Some(Fault::TransactionCanceled { .. })));
                                }
                            }
                        }
                    }
                });
            }
        });
        let gets = (0..ACCOUNTS).map(|id| TransactGet {
            table_name: "Stock".into(),
            key: Item::from([("id", id.to_string())]),
            ..TransactGet::default()
        });
        let request = TransactGetItems { transact_items: gets.collect(), ..TransactGetItems::default() };
        let items = store.items().transact_get_items(&request).unwrap().responses;
        let amounts: Vec<i64> = items
            .iter()
            .map(|item| item.as_ref().unwrap().get("n").unwrap().as_n().unwrap().to_i64().unwrap())
            .collect();
        assert_eq!(amounts.iter().sum::<i64>(), 400, "{amounts:?}");
        assert!(amounts.iter().all(|amount| *amount >= 0), "{amounts:?}");
    }
}

mod streams {
    use super::*;

    fn records(store: &Store, arn: &str) -> Vec<Record> {
        let describe = DescribeStream { stream_arn: arn.to_owned(), ..DescribeStream::default() };
        let described = store.items().describe_stream(&describe).unwrap();
        let mut records = Vec::new();
        for shard in described.shards {
            let start = GetShardIterator { stream_arn: arn.to_owned(), shard_id: shard.shard_id, ..Default::default() };
            let mut iterator = Some(store.items().get_shard_iterator(&start).unwrap());
            while let Some(shard_iterator) = iterator {
                let read = store.items().get_records(&GetRecords { shard_iterator, limit: Some(2) }).unwrap();
                iterator = read.next_shard_iterator.filter(|_| !read.records.is_empty());
                records.extend(read.records);
            }
        }
        records.sort_by(|a, b| a.sequence_number.cmp(&b.sequence_number));
        records
    }

    fn store() -> Store {
        Store::builder().clock(ManualClock::at(Timestamp::from_seconds(1_700_000_000))).in_memory()
    }

    #[test] // SEM: ITM-STR-1
    fn each_change_has_one_record_and_what_changes_nothing_has_none() {
        let store = store();
        let table = store.item_table("Users");
        table.create(TableSchema::new("id", S)).unwrap();
        let arn = table.enable_stream(StreamViewType::NewAndOldImages).unwrap();
        let ann = |n: i64| Item::from([("id", "a")]).with("n", n);
        table.put(&ann(1)).unwrap();
        table.put(&ann(1)).unwrap();
        table.delete("nobody").unwrap();
        table.update("a").expression("SET n = :n").value(":n", 2).run().unwrap();
        assert!(table.put_item(ann(3)).condition("attribute_not_exists(id)").run().is_err());
        table.delete("a").unwrap();
        store
            .transaction(|tx| {
                tx.item_table("Users").put(&ann(9))?;
                Err::<(), _>(Error::application("rolled back"))
            })
            .unwrap_err();
        let records = records(&store, &arn);
        let seen: Vec<_> = records
            .iter()
            .map(|record| (record.event_name, record.old_image.clone(), record.new_image.clone()))
            .collect();
        assert_eq!(
            seen,
            [
                (EventName::Insert, None, Some(ann(1))),
                (EventName::Modify, Some(ann(1)), Some(ann(2))),
                (EventName::Remove, Some(ann(2)), None),
            ]
        );
        assert!(
            records.iter().all(|record| record.keys == Item::from([("id", "a")]) && record.user_identity.is_none())
        );
        assert!(records.iter().all(|record| record.sequence_number.len() >= 21 && record.event_id.len() == 32));
        let ids: BTreeSet<_> = records.iter().map(|record| &record.event_id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test] // SEM: ITM-STR-1
    fn a_view_shows_what_it_says() {
        for (view, old, new) in [
            (StreamViewType::KeysOnly, false, false),
            (StreamViewType::NewImage, false, true),
            (StreamViewType::OldImage, true, false),
        ] {
            let store = store();
            let table = store.item_table("Users");
            table.create(TableSchema::new("id", S)).unwrap();
            let arn = table.enable_stream(view).unwrap();
            table.put(&Item::from([("id", "a")])).unwrap();
            table.put(&Item::from([("id", "a")]).with("n", 1)).unwrap();
            let records = records(&store, &arn);
            assert_eq!((records[1].old_image.is_some(), records[1].new_image.is_some()), (old, new), "{view}");
            assert_eq!(records[0].old_image, None);
        }
    }

    #[test] // SEM: ITM-STR-1, ITM-TTL-1
    fn what_expires_is_in_the_stream_with_its_identity() {
        let store = store();
        let table = store.item_table("Sessions");
        table.create(TableSchema::new("id", S)).unwrap();
        table.expire_by("expires").unwrap();
        let arn = table.enable_stream(StreamViewType::OldImage).unwrap();
        table.put(&Item::from([("id", "a")]).with("expires", 1_700_000_060)).unwrap();
        table.put(&Item::from([("id", "b")]).with("expires", 1_700_000_060)).unwrap();
        table.update("b").expression("SET expires = :later").value(":later", 1_800_000_000).run().unwrap();
        table.put(&Item::from([("id", "c")]).with("expires", 100)).unwrap();
        table.put(&Item::from([("id", "d")]).with("expires", "1700000060")).unwrap();
        store.manual_clock().unwrap().advance(Duration::from_secs(61));
        assert_eq!(table.scan().count().unwrap(), 4, "until it is swept");
        store.sweep_expired().unwrap();
        assert_eq!(table.scan().count().unwrap(), 3, "another time, more than five years past, no number");
        let records = records(&store, &arn);
        let last = records.last().unwrap();
        assert_eq!((last.event_name, &last.keys), (EventName::Remove, &Item::from([("id", "a")])));
        let identity = last.user_identity.as_ref().unwrap();
        assert_eq!((&*identity.identity_type, &*identity.principal_id), ("Service", "dynamodb.amazonaws.com"));
    }

    #[test] // SEM: ITM-STR-1
    fn records_are_there_for_a_day_and_their_shards_are_closed_and_have_children() {
        let store = store();
        let table = store.item_table("Users");
        table.create(TableSchema::new("id", N)).unwrap();
        let arn = table.enable_stream(StreamViewType::KeysOnly).unwrap();
        let before = store.stats().unwrap().entries.unwrap();
        for id in 0..20 {
            table.put(&Item::from([("id", id)])).unwrap();
            store.manual_clock().unwrap().advance(Duration::from_mins(30));
        }
        assert_eq!(records(&store, &arn).len(), 20);
        let describe = DescribeStream { stream_arn: arn.clone(), ..DescribeStream::default() };
        let shards = store.items().describe_stream(&describe).unwrap().shards;
        assert!(shards.iter().any(|shard| shard.ending_sequence_number.is_some()));
        assert!(shards.iter().any(|shard| shard.parent_shard_id.is_some()));
        let paged =
            DescribeStream { limit: Some(1), exclusive_start_shard_id: Some(shards[0].shard_id.clone()), ..describe };
        let page = store.items().describe_stream(&paged).unwrap();
        assert_eq!((&page.shards[0].shard_id, page.last_evaluated_shard_id.is_some()), (&shards[1].shard_id, true));
        store.manual_clock().unwrap().advance(Duration::from_hours(20));
        assert!(records(&store, &arn).len() < 20);
        store.manual_clock().unwrap().advance(Duration::from_hours(24));
        assert_eq!(records(&store, &arn).len(), 0);
        store.manual_clock().unwrap().advance(Duration::from_hours(1));
        store.sweep_expired().unwrap();
        store.run_jobs().unwrap();
        assert_eq!(store.stats().unwrap().entries.unwrap(), before + 20, "nothing is left of the stream");
    }

    #[test] // SEM: ITM-STR-1
    fn a_transaction_that_would_commit_behind_a_reader_of_its_shard_conflicts() {
        let store = store();
        let create = CreateTable {
            billing_mode: None,
            provisioned_throughput: Some(ProvisionedThroughput { read_capacity_units: 1, write_capacity_units: 1 }),
            ..CreateTable::new("Users", &TableSchema::new("id", N))
        };
        store.items().create_table(&create).unwrap();
        let table = store.item_table("Users");
        let write = |id: i64| {
            let tx = store.begin().unwrap();
            tx.item_table("Users").put(&Item::from([("id", id)])).unwrap();
            table.put(&Item::from([("id", id + 1)])).unwrap();
            tx.commit()
        };
        write(1).unwrap();
        let arn = table.enable_stream(StreamViewType::KeysOnly).unwrap();
        assert!(write(3).unwrap_err().is_retryable());
        let tx = store.begin().unwrap();
        tx.item_table("Users").put(&Item::from([("id", 5)])).unwrap();
        tx.commit().unwrap();
        assert_eq!(records(&store, &arn).len(), 2);
    }

    #[test] // SEM: ITM-STR-1
    fn an_iterator_begins_where_it_is_told_to() {
        let store = store();
        let table = store.item_table("Users");
        let create = CreateTable {
            billing_mode: None,
            provisioned_throughput: Some(ProvisionedThroughput { read_capacity_units: 1, write_capacity_units: 1 }),
            ..CreateTable::new("Users", &TableSchema::new("id", N))
        };
        store.items().create_table(&create).unwrap();
        let stream_arn = table.enable_stream(StreamViewType::KeysOnly).unwrap();
        let put = |id: i64| drop(table.put(&Item::from([("id", id)])).unwrap());
        (0..3).for_each(put);
        let describe = DescribeStream { stream_arn: stream_arn.clone(), ..DescribeStream::default() };
        let shards = store.items().describe_stream(&describe).unwrap().shards;
        assert_eq!(shards.len(), 1, "little is provisioned");
        let all = records(&store, &stream_arn);
        let start = |shard_iterator_type, sequence_number| GetShardIterator {
            stream_arn: stream_arn.clone(),
            shard_id: shards[0].shard_id.clone(),
            shard_iterator_type,
            sequence_number,
        };
        let second = Some(all[1].sequence_number.clone());
        let read = |iterator: &str| {
            let request = GetRecords { shard_iterator: iterator.to_owned(), limit: None };
            store.items().get_records(&request).unwrap().records.len()
        };
        let at = |kind, number| store.items().get_shard_iterator(&start(kind, number)).unwrap();
        let latest = at(ShardIteratorType::Latest, None);
        assert_eq!(read(&at(ShardIteratorType::AtSequenceNumber, second.clone())), 2);
        assert_eq!(read(&at(ShardIteratorType::AfterSequenceNumber, second)), 1);
        assert_eq!(read(&latest), 0);
        put(7);
        assert_eq!(read(&latest), 1);
        assert!(store.items().get_shard_iterator(&start(ShardIteratorType::AtSequenceNumber, None)).is_err());
        store.manual_clock().unwrap().advance(Duration::from_mins(16));
        let old = GetRecords { shard_iterator: latest, limit: None };
        assert_eq!(fault(store.items().get_records(&old)), Fault::ExpiredIterator);
        table.disable_stream().unwrap();
        assert_eq!(records(&store, &stream_arn).len(), 4, "for another day");
        let listed = store.items().list_streams(&ListStreams::default()).unwrap().streams;
        assert_eq!(listed.iter().map(|stream| &stream.stream_arn).collect::<Vec<_>>(), [&stream_arn]);
        store.manual_clock().unwrap().advance(Duration::from_hours(25));
        assert!(matches!(fault(store.items().describe_stream(&describe)), Fault::ResourceNotFound { .. }));
    }
}

mod tables {
    use super::*;

    #[test]
    fn a_table_is_described_as_it_was_declared() {
        let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
        let store = Store::builder().clock(clock).in_memory();
        let create = CreateTable {
            billing_mode: None,
            provisioned_throughput: Some(ProvisionedThroughput { read_capacity_units: 5, write_capacity_units: 6 }),
            tags: vec![Tag { key: "team".into(), value: "blue".into() }],
            table_class: Some(TableClass::StandardInfrequentAccess),
            ..CreateTable::new("Users", &TableSchema::new("id", S).global_index(GlobalIndex::new("by-n", "n", N)))
        };
        let made = store.items().create_table(&create).unwrap();
        assert_eq!(
            (made.table_status, made.creation_date_time),
            (TableStatus::Active, Timestamp::from_seconds(1_700_000_000))
        );
        assert_eq!((made.provisioned_throughput.read_capacity_units, made.table_id.len()), (5, 36));
        assert_eq!(made.table_class_summary.unwrap().table_class, TableClass::StandardInfrequentAccess);
        assert_eq!(made.warm_throughput.write_units_per_second, Some(6));
        assert_eq!(store.items().list_tags_of_resource(&made.table_arn).unwrap(), create.tags);
        let less = ProvisionedThroughput { read_capacity_units: 4, write_capacity_units: 6 };
        let update = UpdateTable {
            table_name: made.table_arn.clone(),
            provisioned_throughput: Some(less),
            ..Default::default()
        };
        let changed = store.items().update_table(&update).unwrap();
        assert_eq!(changed.provisioned_throughput.number_of_decreases_today, 1);
        assert!(fault(store.items().update_table(&update)).to_string().contains("will not change"));
        let by_request = UpdateTable {
            table_name: "Users".into(),
            billing_mode: Some(BillingMode::PayPerRequest),
            ..UpdateTable::default()
        };
        let changed = store.items().update_table(&by_request).unwrap();
        assert_eq!(changed.billing_mode_summary.unwrap().billing_mode, BillingMode::PayPerRequest);
        assert_eq!(changed.provisioned_throughput.read_capacity_units, 0);
    }

    #[test] // SEM: ITM-TTL-1
    fn expiry_is_switched_on_once_and_for_what_is_there() {
        let store = Store::builder().clock(ManualClock::at(Timestamp::from_seconds(1_000))).in_memory();
        let table = store.item_table("Sessions");
        table.create(TableSchema::new("id", N)).unwrap();
        for id in 0..1_500 {
            table.put(&Item::from([("id", id), ("expires", 2_000)])).unwrap();
        }
        let update =
            UpdateTimeToLive { table_name: "Sessions".into(), attribute_name: "expires".into(), enabled: true };
        store.items().update_time_to_live(&update).unwrap();
        let status = || store.items().describe_time_to_live("Sessions").unwrap().time_to_live_status;
        assert_eq!(status(), TimeToLiveStatus::Enabling);
        assert_eq!(fault(store.items().update_time_to_live(&update)).to_string(), "TimeToLive is already enabled");
        store.run_jobs().unwrap();
        assert_eq!(status(), TimeToLiveStatus::Enabled);
        store.manual_clock().unwrap().advance(Duration::from_secs(1_001));
        store.sweep_expired().unwrap();
        assert_eq!(table.scan().count().unwrap(), 0);
        let off = UpdateTimeToLive { enabled: false, ..update };
        store.items().update_time_to_live(&off).unwrap();
        assert_eq!(fault(store.items().update_time_to_live(&off)).to_string(), "TimeToLive is already disabled");
    }

    #[test]
    fn tables_of_accounts_and_regions_do_not_meet() {
        let store = Store::in_memory();
        let (here, there) = (store.items(), store.items().at("111122223333", "eu-west-1"));
        let schema = || TableSchema::new("id", S);
        here.table("Users").create(schema()).unwrap();
        there.table("Users").create(schema()).unwrap();
        there.table("Orders").create(schema()).unwrap();
        there.table("Users").put(&Item::from([("id", "a")])).unwrap();
        assert!(here.table("Users").get("a").unwrap().is_none());
        let listed = |items: &larder::item::Items| items.list_tables(&ListTables::default()).unwrap().table_names;
        assert_eq!(
            (listed(&here), listed(&there)),
            (vec!["Users".to_owned()], vec!["Orders".to_owned(), "Users".to_owned()])
        );
        let arn = there.describe_table("Users").unwrap().table_arn;
        let get = GetItem { table_name: arn, key: Item::from([("id", "a")]), ..GetItem::default() };
        assert!(here.get_item(&get).unwrap().item.is_some(), "an ARN says where the table is");
    }

    #[test] // SEM: ITM-BAT-1
    fn batches_go_over_tables_and_come_back_unprocessed_where_they_are_held_back() {
        let store = Store::in_memory();
        let names = ["Table-1", "Table-2"];
        for name in names {
            store.item_table(name).create(TableSchema::new("id", S)).unwrap();
        }
        let puts =
            |n: usize| (0..n).map(|id| WriteRequest::Put(Item::from([("id", id.to_string())]))).collect::<Vec<_>>();
        let request_items = names.map(|name| (name.to_owned(), puts(3))).into();
        let batch = BatchWriteItem { request_items, ..BatchWriteItem::default() };
        store.items().admit_batches(Some(std::sync::Arc::new(|table, _| table == "Table-1"))).unwrap();
        let done = store.items().batch_write_item(&batch).unwrap();
        assert_eq!(done.unprocessed_items.keys().collect::<Vec<_>>(), ["Table-2"]);
        store.items().admit_batches(None).unwrap();
        let rest = BatchWriteItem { request_items: done.unprocessed_items, ..BatchWriteItem::default() };
        assert!(store.items().batch_write_item(&rest).unwrap().unprocessed_items.is_empty());
        let keys = |ids: &[&str]| KeysAndAttributes {
            keys: ids.iter().map(|id| Item::from([("id", *id)])).collect(),
            ..KeysAndAttributes::default()
        };
        let get = BatchGetItem {
            request_items: [("Table-1".to_owned(), keys(&["0", "9"])), ("Table-2".to_owned(), keys(&["1"]))].into(),
            ..BatchGetItem::default()
        };
        let found = store.items().batch_get_item(&get).unwrap().responses;
        assert_eq!((found["Table-1"].len(), found["Table-2"].len()), (1, 1));
        let twice = BatchGetItem { request_items: [("Table-1".to_owned(), keys(&["0", "0"]))].into(), ..get };
        assert_eq!(fault(store.items().batch_get_item(&twice)), Fault::Request(RequestFault::DuplicateKeys));
        let many = BatchWriteItem { request_items: [("Table-1".to_owned(), puts(26))].into(), ..batch };
        assert!(store.items().batch_write_item(&many).is_err());
    }

    #[test] // SEM: ITM-QRY-4
    fn reads_that_may_be_eventual_lag_when_the_store_is_told_to() {
        let store = Store::in_memory();
        let table = table(&store);
        store.items().lag(Some(&store.snapshot().unwrap().items())).unwrap();
        table.put(&event("p", "2")).unwrap();
        let query = || table.query(key("pk").eq("p"));
        assert_eq!((query().count().unwrap(), query().consistent().count().unwrap()), (1, 2));
        store
            .transaction(|tx| {
                assert_eq!(tx.item_table("Events").scan().count()?, 2, "a transaction sees what it depends on");
                Ok::<_, Error>(())
            })
            .unwrap();
        store.items().lag(None).unwrap();
        assert_eq!(query().count().unwrap(), 2);
    }
}
