//! Item tables as a user sees them, on the store, in a transaction and on a snapshot.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking, as the test does")]

use larder::item::{
    AttributeValue, GlobalIndex, IndexStatus, Item, LastKey, Number, Page, Projection, ScalarAttributeType, Set,
    TableSchema, WriteRequest, key,
};
use larder::{AutoCommit, Error, ItemTable, ManualClock, Result, Store, limits};

/// A table `Events` with the keys PK and SK, both strings.
fn events(store: &Store) -> ItemTable<AutoCommit> {
    let table = store.item_table("Events");
    table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S)).unwrap();
    table
}

/// As [`events`], with index `GSI1` of g (string) and h (number) over all attributes, and `GSI2` of g over v alone.
fn indexed_schema() -> TableSchema {
    TableSchema::new("PK", ScalarAttributeType::S)
        .sort_key("SK", ScalarAttributeType::S)
        .global_index(GlobalIndex::new("GSI1", "g", ScalarAttributeType::S).sort_key("h", ScalarAttributeType::N))
        .global_index(
            GlobalIndex::new("GSI2", "g", ScalarAttributeType::S).projection(Projection::Include(vec!["v".into()])),
        )
}

fn event(pk: &str, sk: &str) -> Item {
    Item::from([("PK", pk), ("SK", sk)])
}

fn sort_keys(page: &Page) -> Vec<&str> {
    page.items.iter().map(|item| item.get("SK").unwrap().as_s().unwrap()).collect()
}

/// What is wrong with a request that has to be refused, in the service's words.
fn refusal(outcome: Result<impl std::fmt::Debug>) -> String {
    let error = outcome.unwrap_err();
    let fault = error.item_fault().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(fault.code(), "ValidationException", "{fault}");
    fault.to_string()
}

fn code(outcome: Result<impl std::fmt::Debug>) -> &'static str {
    let error = outcome.unwrap_err();
    error.item_fault().unwrap_or_else(|| panic!("{error:?}")).code()
}

#[test] // SEM: ITM-TYP-1, ITM-TYP-2
fn every_type_comes_back() {
    let table = events(&Store::in_memory());
    let map = AttributeValue::M([("empty", AttributeValue::L(vec![]))].into());
    let item = event("p", "s")
        .with("s", "")
        .with("n", "01.50".parse::<Number>().unwrap())
        .with("b", vec![0u8, 255])
        .with("bool", false)
        .with("null", AttributeValue::Null)
        .with("m", map.clone())
        .with("l", vec![AttributeValue::from(1), "x".into(), map])
        .with("ss", Set::<String>::new(["b", "a"]).unwrap())
        .with("ns", Set::<Number>::new([2, 1]).unwrap())
        .with("bs", Set::<Vec<u8>>::new([vec![1u8], vec![]]).unwrap());
    table.put(&item).unwrap();
    assert_eq!(table.get(("p", "s")).unwrap(), Some(item));
}

#[test] // SEM: ITM-TYP-2, ITM-TYP-3
fn equal_numbers_are_one_key_and_sort_numerically() {
    let table = Store::in_memory().item_table("Numbers");
    table.create(TableSchema::new("PK", ScalarAttributeType::N).sort_key("SK", ScalarAttributeType::N)).unwrap();
    for sk in ["10", "9", "-1.5", "-10", "0", "1E125", "-1E-130", "0.1"] {
        let (pk, sk) = ("1.0".parse::<Number>().unwrap(), sk.parse::<Number>().unwrap());
        table.put(&Item::new().with("PK", pk).with("SK", sk)).unwrap();
    }
    assert!(table.put(&Item::from([("PK", 1), ("SK", 10)])).unwrap().is_some(), "1 is 1.0");
    let items = table.query(key("PK").eq(1)).to_vec().unwrap();
    let order: Vec<f64> = items.iter().map(|item| item.get("SK").unwrap().as_n().unwrap().to_f64()).collect();
    assert_eq!(order, [-10.0, -1.5, -1e-130, 0.0, 0.1, 9.0, 10.0, 1e125]);
}

#[test] // SEM: ITM-TYP-1, ITM-LIM-1, ITM-LIM-2
fn an_item_that_does_not_fit_is_refused_and_nothing_is_written() {
    let store = Store::in_memory();
    let table = events(&store);
    let entries = store.stats().unwrap().entries;
    assert!(!refusal(table.put(&Item::from([("PK", "p")]))).is_empty(), "a key attribute is missing");
    assert!(!refusal(table.put(&event("p", "s").with("SK", 1))).is_empty());
    assert!(!refusal(table.put(&event("p", "s").with("SK", true))).is_empty());
    assert!(!refusal(table.put(&event("", "s"))).is_empty());
    let large = event("p", "s").with("v", "x".repeat(limits::ITEM_BYTES_MAX));
    assert!(!refusal(table.put(&large)).is_empty());
    assert!(!refusal(table.put(&event("p", &"s".repeat(1025)))).is_empty());
    assert_eq!(store.stats().unwrap().entries, entries);
}

#[test]
fn a_key_that_no_item_can_have_is_refused() {
    let table = events(&Store::in_memory());
    assert!(!refusal(table.get(("p",))).is_empty());
    assert!(!refusal(table.get(("p", 1))).is_empty());
    assert!(!refusal(table.delete(("", "s"))).is_empty());
}

#[test] // SEM: ITM-IDX-1
fn an_index_key_of_another_type_or_empty_fails_the_write() {
    let table = Store::in_memory().item_table("Events");
    table.create(indexed_schema()).unwrap();
    assert!(!refusal(table.put(&event("p", "s").with("g", 1))).is_empty());
    assert!(!refusal(table.put(&event("p", "s").with("h", "1"))).is_empty(), "though the item lacks g");
    assert!(!refusal(table.put(&event("p", "s").with("g", ""))).is_empty());
    assert_eq!(table.get(("p", "s")).unwrap(), None);
}

#[test]
fn a_failed_write_in_a_transaction_leaves_the_others() {
    let store = Store::in_memory();
    events(&store);
    store
        .transaction(|tx| {
            let table = tx.item_table("Events");
            table.put(&event("p", "1"))?;
            assert!(table.put(&event("p", "")).is_err());
            assert!(table.batch_write([WriteRequest::put(event("p", "2")), WriteRequest::delete(("p", 1))]).is_err());
            table.put(&event("p", "3"))?;
            assert_eq!(sort_keys(&table.query(key("PK").eq("p")).page()?), ["1", "3"]);
            Ok::<_, larder::Error>(())
        })
        .unwrap();
    assert_eq!(store.item_table("Events").scan().to_vec().unwrap().len(), 2);
}

#[test]
fn a_transaction_conflicts_with_a_write_into_what_it_queried() {
    let store = Store::in_memory();
    let table = events(&store);
    let run = |sort_key: &str| {
        let tx = store.begin().unwrap();
        let of_tx = tx.item_table("Events");
        of_tx.query(key("PK").eq("p").and(key("SK").begins_with("a"))).to_vec().unwrap();
        of_tx.put(&event("q", "1")).unwrap();
        table.put(&event("p", sort_key)).unwrap();
        tx.commit()
    };
    assert!(run("a1").unwrap_err().is_retryable());
    run("b1").unwrap();
}

#[test] // SEM: ITM-QRY-2
fn a_page_that_its_limit_ends_at_the_last_item_has_a_key() {
    let table = events(&Store::in_memory());
    for sk in ["1", "2"] {
        table.put(&event("p", sk)).unwrap();
    }
    let query = table.query(key("PK").eq("p"));
    let page = query.clone().limit(2).page().unwrap();
    assert_eq!(page.last_key, Some(LastKey::from(event("p", "2"))));
    let rest = query.clone().limit(2).start_after(page.last_key.unwrap()).page().unwrap();
    assert_eq!(rest, Page::default());
    assert_eq!(query.clone().limit(3).page().unwrap().last_key, None);
    assert_eq!(query.page().unwrap().last_key, None);
}

#[test] // SEM: ITM-QRY-1
fn a_page_ends_before_it_exceeds_its_size() {
    let table = events(&Store::in_memory());
    let item = |sk: &str, bytes: usize| {
        let item = event("p", sk);
        let rest = bytes - item.size_bytes() - 1;
        item.with("v", "x".repeat(rest))
    };
    let quarter = limits::ITEM_PAGE_BYTES_MAX / 4;
    for sk in ["1", "2", "3", "4", "5"] {
        table.put(&item(sk, quarter)).unwrap();
    }
    let query = table.query(key("PK").eq("p"));
    let page = query.clone().page().unwrap();
    assert_eq!((sort_keys(&page), page.scanned), (vec!["1", "2", "3", "4"], 4), "exactly the size fits");
    let rest = query.clone().start_after(page.last_key.unwrap()).page().unwrap();
    assert_eq!((sort_keys(&rest), &rest.last_key), (vec!["5"], &None));

    table.put(&item("4", quarter + 1)).unwrap();
    let pages: Vec<Page> = query.clone().pages().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(), [3, 2]);
    let limited: Vec<Page> = query.page_size(2).pages().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(limited.iter().map(|page| page.items.len()).collect::<Vec<_>>(), [2, 2, 1], "the number comes first");
}

#[test] // SEM: ITM-QRY-2
fn a_start_key_need_not_exist_but_has_to_fit() {
    let table = Store::in_memory().item_table("Events");
    table.create(indexed_schema()).unwrap();
    for sk in ["1", "3", "5"] {
        table.put(&event("p", sk).with("g", "x").with("h", 7)).unwrap();
    }
    let query = table.query(key("PK").eq("p"));
    assert_eq!(sort_keys(&query.clone().start_after(event("p", "2")).page().unwrap()), ["3", "5"]);
    assert_eq!(sort_keys(&query.clone().reverse().start_after(event("p", "4")).page().unwrap()), ["3", "1"]);

    let of_index = table.query(key("g").eq("x")).index("GSI1");
    let last = of_index.clone().limit(1).page().unwrap().last_key.unwrap();
    assert_eq!(last.attributes(), &event("p", "1").with("g", "x").with("h", 7), "index keys and table keys");
    assert_eq!(sort_keys(&of_index.clone().start_after(last.clone()).page().unwrap()), ["3", "5"]);

    for key in [event("q", "2"), event("p", "2").with("v", 1), Item::from([("PK", "p")]), last.into()] {
        assert!(!refusal(query.clone().start_after(key).run()).is_empty());
    }
    let outside = table.query(key("PK").eq("p").and(key("SK").lt("3"))).start_after(event("p", "4"));
    assert!(!refusal(outside.run()).is_empty());
    assert!(!refusal(of_index.start_after(event("p", "2")).run()).is_empty());
}

#[test]
fn handles_and_iterators_go_to_other_threads() {
    fn is_send<T: Send>(_: &T) {}
    let table = events(&Store::in_memory());
    let query = table.query(key("PK").eq("p"));
    is_send(&query);
    is_send(&query.clone().run().unwrap());
    is_send(&query.clone().pages().unwrap());
    std::thread::spawn(move || table.put(&event("p", "s")).unwrap()).join().unwrap();
    assert_eq!(query.to_vec().unwrap().len(), 1);
}

#[test]
fn a_limit_of_nothing_and_an_unknown_index_are_refused() {
    let table = events(&Store::in_memory());
    assert!(!refusal(table.query(key("PK").eq("p")).limit(0).run()).is_empty());
    assert!(!refusal(table.scan().page_size(0).pages()).is_empty());
    assert!(!refusal(table.scan().reverse().run()).is_empty(), "a scan has no direction");
    let missing = refusal(table.scan().index("GSI9").run());
    assert_eq!(missing, "The table does not have the specified index: GSI9");
}

#[test] // SEM: ITM-IDX-1
fn a_projection_shows_keys_and_what_it_includes() {
    let index = |name: &str, projection| GlobalIndex::new(name, "g", ScalarAttributeType::S).projection(projection);
    let table = Store::in_memory().item_table("Events");
    let schema = TableSchema::new("PK", ScalarAttributeType::S)
        .global_index(index("all", Projection::All))
        .global_index(index("keys", Projection::KeysOnly))
        .global_index(index("some", Projection::Include(vec!["v".into(), "absent".into()])));
    table.create(schema).unwrap();
    let item = Item::from([("PK", "p"), ("g", "x"), ("v", "1"), ("w", "2")]);
    table.put(&item).unwrap();
    let shown = |name: &str| table.query(key("g").eq("x")).index(name).to_vec().unwrap();
    assert_eq!(shown("all"), [item]);
    assert_eq!(shown("keys"), [Item::from([("PK", "p"), ("g", "x")])]);
    assert_eq!(shown("some"), [Item::from([("PK", "p"), ("g", "x"), ("v", "1")])]);
}

#[test] // SEM: ALL-5
fn an_iterator_reads_one_snapshot() {
    let store = Store::in_memory();
    let table = events(&store);
    for sk in ["1", "2", "3"] {
        table.put(&event("p", sk)).unwrap();
    }
    let mut items = table.query(key("PK").eq("p")).run().unwrap();
    let mut pages = table.query(key("PK").eq("p")).page_size(1).pages().unwrap();
    assert_eq!(items.next().unwrap().unwrap(), event("p", "1"));
    assert_eq!(pages.next().unwrap().unwrap().items, [event("p", "1")]);
    table.delete(("p", "2")).unwrap();
    table.put(&event("p", "4")).unwrap();
    assert_eq!(items.map(|item| item.unwrap()).collect::<Vec<_>>(), [event("p", "2"), event("p", "3")]);
    assert_eq!(pages.map(|page| page.unwrap().items.len()).collect::<Vec<_>>(), [1, 1, 0]);

    let in_transaction = store
        .transaction(|tx| {
            let table = tx.item_table("Events");
            table.put(&event("p", "5"))?;
            let items = table.query(key("PK").eq("p")).run()?;
            table.put(&event("p", "6"))?;
            Ok::<_, larder::Error>(items)
        })
        .unwrap();
    assert_eq!(in_transaction.count(), 4, "1, 3, 4 and 5, also when the transaction has gone");
}

#[test]
fn a_table_is_created_once_and_leaves_nothing_when_deleted() {
    let store = Store::in_memory();
    let other = events(&store);
    other.put(&event("p", "s")).unwrap();
    let entries = store.stats().unwrap().entries;
    let table = store.item_table("Orders");
    assert_eq!(code(table.put(&event("p", "s"))), "ResourceNotFoundException");
    table.create(indexed_schema()).unwrap();
    assert_eq!(code(table.create(indexed_schema())), "ResourceInUseException");
    table.create_if_absent(indexed_schema()).unwrap();
    assert_eq!(table.schema().unwrap(), indexed_schema());
    let differs = TableSchema::new("PK", ScalarAttributeType::S);
    assert_eq!(code(table.create_if_absent(differs.clone())), "ResourceInUseException");
    table.put(&event("p", "s").with("g", "x").with("h", 1)).unwrap();
    assert!(table.delete_table().unwrap());
    assert_eq!(store.stats().unwrap().entries, entries);
    assert!(!table.delete_table().unwrap(), "there is none");
    table.create(differs).unwrap();
    assert_eq!(table.scan().page().unwrap(), Page::default());
    assert!(!refusal(store.item_table("no").create(indexed_schema())).is_empty());
}

#[test]
fn tables_do_not_see_each_other_and_forks_go_their_own_way() {
    let store = Store::in_memory();
    let table = events(&store);
    let other = store.item_table("Other");
    other.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S)).unwrap();
    table.put(&event("p", "1")).unwrap();
    assert_eq!(other.scan().to_vec().unwrap(), []);
    let fork = store.fork().unwrap().item_table("Events");
    fork.put(&event("p", "2")).unwrap();
    assert_eq!((table.scan().run().unwrap().count(), fork.scan().run().unwrap().count()), (1, 2));
}

mod batch {
    use super::*;

    fn puts(count: usize) -> Vec<WriteRequest> {
        (0..count).map(|n| WriteRequest::put(event("p", &format!("{n:02}")))).collect()
    }

    #[test] // SEM: ITM-BAT-1
    fn twenty_five_puts_and_deletes_are_one_commit() {
        let store = Store::in_memory();
        let table = events(&store);
        table.put(&event("p", "old")).unwrap();
        let commit = store.stats().unwrap().commit;
        let mut requests = puts(24);
        requests.push(WriteRequest::delete(("p", "old")));
        assert!(table.batch_write(requests).unwrap().unprocessed.is_empty());
        assert_eq!(store.stats().unwrap().commit, commit.next());
        assert_eq!(table.scan().to_vec().unwrap().len(), 24);
    }

    #[test] // SEM: ITM-BAT-1
    fn a_bad_entry_fails_the_whole_call() {
        let table = events(&Store::in_memory());
        let with = |bad: WriteRequest| table.batch_write([WriteRequest::put(event("p", "1")), bad]);
        assert!(!refusal(with(WriteRequest::put(event("p", "1")))).is_empty(), "the same item twice");
        assert!(!refusal(with(WriteRequest::delete(("p", "1")))).is_empty(), "put and deleted");
        assert!(!refusal(with(WriteRequest::delete(("p",)))).is_empty());
        assert!(!refusal(with(WriteRequest::put(event("p", "2").with("PK", 1)))).is_empty());
        let large = event("p", "2").with("v", "x".repeat(limits::ITEM_BYTES_MAX));
        assert!(!refusal(with(WriteRequest::put(large))).is_empty());
        assert!(!refusal(table.batch_write([])).is_empty());
        assert!(!refusal(table.batch_write(puts(26))).is_empty());
        assert_eq!(table.scan().to_vec().unwrap(), []);
        table.batch_write(puts(25)).unwrap().unprocessed.clear();
    }

    #[test] // SEM: ITM-BAT-1
    fn entries_that_are_not_admitted_come_back_in_their_order_and_unwritten() {
        let store = Store::in_memory();
        let table = events(&store);
        store.items().admit_batches(Some(std::sync::Arc::new(|_, place| place % 2 == 0))).unwrap();
        let requests = [puts(3), vec![WriteRequest::delete(("p", "x"))]].concat();
        let outcome = table.batch_write(requests.clone()).unwrap();
        assert_eq!(outcome.unprocessed, [requests[1].clone(), requests[3].clone()]);
        assert_eq!(sort_keys(&table.query(key("PK").eq("p")).page().unwrap()), ["00", "02"]);
        let held_back = [WriteRequest::delete(("p", "y")), WriteRequest::delete(("p",))];
        assert!(table.batch_write(held_back).is_err(), "held back, and checked all the same");
        store.items().admit_batches(None).unwrap();
        assert!(table.batch_write(outcome.unprocessed).unwrap().unprocessed.is_empty());
    }

    #[test]
    fn a_batch_joins_a_transaction() {
        let store = Store::in_memory();
        let table = events(&store);
        let tx = store.begin().unwrap();
        let outcome = tx.item_table("Events").batch_write(puts(2)).unwrap();
        assert!(outcome.unprocessed.is_empty());
        tx.rollback();
        assert_eq!(table.scan().to_vec().unwrap(), []);
    }
}

#[test] // SEM: ITM-QRY-1
fn a_limit_bounds_what_is_read_and_the_size_of_a_page_only_pages() {
    let table = events(&Store::in_memory());
    for sk in ["1", "2", "3", "4", "5"] {
        table.put(&event("p", sk)).unwrap();
    }
    let query = table.query(key("PK").eq("p"));
    assert_eq!(query.clone().limit(3).run().unwrap().count(), 3);
    assert_eq!(query.clone().limit(3).to_vec().unwrap().len(), 3);
    assert_eq!(query.clone().page_size(2).run().unwrap().count(), 5);
    assert_eq!(query.clone().page_size(2).page().unwrap().last_key, Some(LastKey::from(event("p", "2"))));
    let pages = |query: larder::item::Query<AutoCommit>| {
        let pages: Vec<Page> = query.pages().unwrap().collect::<Result<_>>().unwrap();
        pages.iter().map(|page| (page.items.len(), page.last_key.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(pages(query.clone().limit(3).page_size(2)), [(2, true), (1, true)], "the limit tells where to go on");
    assert_eq!(pages(query.clone().limit(4).page_size(2)), [(2, true), (2, true)]);
    assert_eq!(pages(query.clone().limit(2)), [(2, true)]);
    assert_eq!(pages(query.clone().limit(6).page_size(5)), [(5, true), (0, false)]);
    assert_eq!(pages(query), [(5, false)]);
}

#[test]
fn what_no_table_could_take_is_refused_before_the_table_is_looked_for() {
    let table = Store::in_memory().item_table("Nowhere");
    assert!(!refusal(table.put(&event("p", "s").with("", 1))).is_empty());
    assert!(!refusal(table.query(key("PK").eq("p")).limit(0).run()).is_empty());
    let large = Item::from([("v", "x".repeat(limits::ITEM_BYTES_MAX))]);
    assert!(!refusal(table.put(&large)).is_empty());
    let batch = [WriteRequest::put(event("p", "1")), WriteRequest::put(large.clone())];
    assert!(!refusal(table.batch_write(batch)).is_empty());
    let table = events(&Store::in_memory());
    assert!(!refusal(table.put(&large)).is_empty(), "before its key attributes");
}

const MANY: i64 = 5_000;

/// A table of many items on a clock that is turned by hand; every fifth holds in g what no index on strings can.
fn many() -> (Store, ItemTable<AutoCommit>) {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    let table = store.item_table("Many");
    table.create(TableSchema::new("PK", ScalarAttributeType::N)).unwrap();
    for n in 0..MANY {
        let item = Item::from([("PK", n)]);
        let g = if n % 5 == 0 { AttributeValue::from(n) } else { AttributeValue::from(format!("g{}", n % 3)) };
        table.put(&item.with("g", g)).unwrap();
    }
    (store, table)
}

fn by_g() -> GlobalIndex {
    GlobalIndex::new("by-g", "g", ScalarAttributeType::S)
}

#[test] // SEM: ITM-IDX-1, ITM-IDX-2
fn an_index_that_is_added_is_maintained_from_the_first_and_read_from_the_last_of_its_items() {
    let (store, table) = many();
    let before = store.snapshot().unwrap();
    table.add_index_in_background(by_g()).unwrap();
    table.add_index_in_background(by_g()).unwrap();
    let other = store.item_table("Many");
    assert_eq!(other.index_status("by-g").unwrap(), IndexStatus::Creating);
    assert_eq!(other.schema().unwrap().global_indexes(), [by_g()]);
    let of_g2 = || other.query(key("g").eq("g2")).index("by-g");
    assert!(of_g2().run().unwrap_err().to_string().contains("by-g"));
    assert!(!refusal(of_g2().run()).is_empty());
    // What is written meanwhile, in front of and behind what has been filled.
    other.put(&Item::new().with("PK", 1).with("g", "g9")).unwrap();
    other.put(&Item::new().with("PK", MANY - 1).with("g", "g9")).unwrap();
    other.put(&Item::new().with("PK", 10).with("g", "g9")).unwrap();
    other.delete((2,)).unwrap();
    other.delete((MANY - 2,)).unwrap();
    assert!(!refusal(other.put(&Item::new().with("PK", 3).with("g", 3))).is_empty());
    assert!(store.run_jobs().unwrap() > 0);
    assert_eq!(other.index_status("by-g").unwrap(), IndexStatus::Active);
    let in_table =
        |g: &str| other.scan().to_vec().unwrap().iter().filter(|item| item.get("g") == Some(&g.into())).count();
    for g in ["g0", "g1", "g2", "g9"] {
        let found = other.query(key("g").eq(g)).index("by-g").run().unwrap().count();
        assert_eq!(found, in_table(g), "{g}");
    }
    assert!(before.item_table("Many").schema().unwrap().global_indexes().is_empty());
    assert!(before.item_table("Many").scan().index("by-g").run().is_err());
}

#[test]
fn who_waits_for_an_index_has_it_when_the_call_returns_also_one_that_is_being_built() {
    let (store, table) = many();
    table.add_index_in_background(by_g()).unwrap();
    table.add_index(by_g()).unwrap();
    assert_eq!(store.pending_jobs().unwrap(), 0);
    assert_eq!(i64::try_from(table.scan().index("by-g").run().unwrap().count()).unwrap(), MANY * 4 / 5);
    let other = GlobalIndex::new("by-g", "h", ScalarAttributeType::S);
    assert!(matches!(table.add_index(other), Err(Error::AlreadyExists { what: "index", .. })));
    store
        .transaction(|tx| tx.item_table("Many").add_index(GlobalIndex::new("again", "g", ScalarAttributeType::S)))
        .unwrap();
    assert_eq!(i64::try_from(table.scan().index("again").run().unwrap().count()).unwrap(), MANY * 4 / 5);
}

#[test]
fn an_index_is_filled_by_whoever_opens_the_store_next() {
    let directory = tempfile::tempdir().unwrap();
    let entries = {
        let store = Store::builder().clock(ManualClock::default()).open(directory.path()).unwrap();
        let table = store.item_table("Many");
        table.create(TableSchema::new("PK", ScalarAttributeType::N)).unwrap();
        store
            .transaction(|tx| {
                let put = |n| tx.item_table("Many").put(&Item::from([("PK", n), ("h", n % 7)])).map(drop);
                (0..MANY).try_for_each(put)
            })
            .unwrap();
        table.add_index_in_background(GlobalIndex::new("by-h", "h", ScalarAttributeType::N)).unwrap();
        store.stats().unwrap().entries
    };
    let store = Store::builder().clock(ManualClock::default()).open(directory.path()).unwrap();
    let table = store.item_table("Many");
    assert_eq!(store.stats().unwrap().entries, entries);
    assert_eq!(table.index_status("by-h").unwrap(), IndexStatus::Creating);
    store.run_jobs().unwrap();
    assert_eq!(
        i64::try_from(table.query(key("h").eq(3)).index("by-h").run().unwrap().count()).unwrap(),
        (MANY + 3) / 7
    );
}

#[test]
fn an_index_and_a_table_that_go_while_the_index_is_built_leave_nothing() {
    let (store, table) = many();
    let entries = store.stats().unwrap().entries;
    table.add_index_in_background(by_g()).unwrap();
    assert!(table.remove_index("by-g").unwrap() && !table.remove_index("by-g").unwrap());
    table.add_index_in_background(by_g()).unwrap();
    assert!(table.remove_index("by-g").unwrap());
    store.run_jobs().unwrap();
    assert_eq!((store.pending_jobs().unwrap(), store.stats().unwrap().entries), (0, entries));
    table.add_index_in_background(by_g()).unwrap();
    assert!(table.delete_table().unwrap());
    store.run_jobs().unwrap();
    assert_eq!((store.pending_jobs().unwrap(), store.stats().unwrap().entries), (0, Some(1)), "the last id");
}

#[test]
fn an_index_that_the_table_cannot_have_is_refused_and_changes_nothing() {
    let (store, table) = many();
    for index in [
        GlobalIndex::new("no", "g", ScalarAttributeType::S),
        GlobalIndex::new("by-key", "PK", ScalarAttributeType::S),
        by_g().projection(Projection::Include(vec![])),
    ] {
        assert!(!refusal(table.add_index_in_background(index)).is_empty());
    }
    assert_eq!(code(store.item_table("Nowhere").add_index(by_g())), "ResourceNotFoundException");
    assert_eq!(code(store.item_table("Nowhere").remove_index("by-g")), "ResourceNotFoundException");
    assert!(table.schema().unwrap().global_indexes().is_empty());
    assert_eq!(store.pending_jobs().unwrap(), 0);
}

#[test] // SEM: ALL-4
fn a_transaction_that_wrote_by_the_old_definition_conflicts() {
    let (store, table) = many();
    let writes = std::cell::Cell::new(0);
    for isolation in [larder::Isolation::Serializable, larder::Isolation::Snapshot] {
        let write = |change: &dyn Fn()| {
            let tx = store.begin_with(isolation).unwrap();
            // Another item each time: one that changes nothing conflicts with nothing.
            writes.set(writes.get() + 1);
            tx.item_table("Many").put(&Item::new().with("PK", -1).with("g", "g1").with("n", writes.get())).unwrap();
            change();
            tx.commit()
        };
        let error = write(&|| table.add_index_in_background(by_g()).unwrap()).unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("\"Many\""), "{error}");
        assert!(write(&|| assert!(store.run_jobs().unwrap() > 0)).unwrap_err().is_retryable(), "it is complete");
        assert!(write(&|| assert!(table.remove_index("by-g").unwrap())).unwrap_err().is_retryable());
        store.run_jobs().unwrap();
        write(&|| ()).unwrap();
    }
}

#[test] // SEM: ITM-LIM-2
fn keys_of_the_largest_sizes_are_indexed_and_come_back_in_order() {
    let store = Store::in_memory();
    let table = store.item_table("Large");
    let schema = TableSchema::new("PK", ScalarAttributeType::B).sort_key("SK", ScalarAttributeType::B);
    table
        .create(schema.global_index(
            GlobalIndex::new("swapped", "g", ScalarAttributeType::B).sort_key("h", ScalarAttributeType::B),
        ))
        .unwrap();
    // The worst there is: each zero takes two bytes in a key of the engine.
    let bytes = |length: usize, last: u8| [vec![0u8; length - 1], vec![last]].concat();
    let item = |last: u8| {
        let item = Item::new().with("PK", bytes(2_048, 1)).with("SK", bytes(1_024, last));
        item.with("g", bytes(2_048, 1)).with("h", bytes(1_024, 9 - last))
    };
    for last in [3, 1, 2] {
        table.put(&item(last)).unwrap();
    }
    assert_eq!(table.query(key("PK").eq(bytes(2_048, 1))).to_vec().unwrap(), [item(1), item(2), item(3)]);
    let swapped = table.query(key("g").eq(bytes(2_048, 1)).and(key("h").ge(bytes(1_024, 7)))).index("swapped");
    assert_eq!(swapped.to_vec().unwrap(), [item(2), item(1)]);
}
