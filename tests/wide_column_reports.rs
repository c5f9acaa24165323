//! What users of Cassandra, and of its likenesses, have reported: an input of ours for each report that needs no language.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use larder::wide_column::{
    BigDecimal, CqlType, CqlValue, Exception, Filter, IndexTarget, Order, Row, TableSchema, UserType, WriteOptions,
};
use larder::{Error, ManualClock, Store, WideTable};

fn rows_of(store: &Store) -> WideTable {
    let table = store.wide_table("shop", "rows");
    let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
    table.create(schema.column("s", CqlType::Text).column("n", CqlType::Int)).unwrap();
    table
}

fn insert(table: &WideTable, p: i32, c: i32, s: &str, n: i32) {
    table.insert(&[("p", p.into()), ("c", c.into()), ("s", s.into()), ("n", n.into())]).unwrap();
}

fn column(rows: &[Row], name: &str) -> Vec<CqlValue> {
    rows.iter().filter_map(|row| row.get(name).cloned()).collect()
}

fn list(elements: &[&str]) -> CqlValue {
    CqlValue::List(elements.iter().map(|element| (*element).into()).collect())
}

// Achilles #32: TRUNCATE between tests.
#[test]
fn a_large_table_is_emptied_at_once_and_its_memory_goes_later() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    let fill = |tx: &larder::Transaction| {
        let insert = tx.wide_table("shop", "rows").prepare_insert(&["p", "c"])?;
        (0..20_000).try_for_each(|n| insert.execute((n % 100, n)))
    };
    store.transaction(fill).unwrap();
    let before = store.stats().unwrap().entries.unwrap();
    table.truncate().unwrap();
    assert!(table.scan().to_vec().unwrap().is_empty());
    assert!(store.stats().unwrap().entries.unwrap() > before / 2, "nobody waits for it");
    store.run_jobs().unwrap();
    assert!(store.stats().unwrap().entries.unwrap() < 100);
}

// cassandra-gocql-driver #415, gocqlx #172, cql-proxy #119: a copy of seeded data for each test.
#[test]
fn a_deletion_in_one_fork_is_not_seen_in_another() {
    let store = Store::in_memory();
    insert(&rows_of(&store), 1, 1, "a", 1);
    let (one, other) = (store.fork().unwrap(), store.fork().unwrap());
    one.wide_table("shop", "rows").delete_partition((1,)).unwrap();
    let count = |store: &Store| store.wide_table("shop", "rows").scan().to_vec().unwrap().len();
    assert_eq!((count(&one), count(&other), count(&store)), (0, 1, 1));
}

// stargate #184, scylladb #20860: what was prepared before a change of the table.
#[test]
fn a_prepared_write_fits_a_table_that_was_made_again_with_another_type() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    let prepared = table.prepare_insert(&["p", "c", "n"]).unwrap();
    prepared.execute((1, 1, 1)).unwrap();
    table.drop_table().unwrap();
    let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
    table.create(schema.column("n", CqlType::Text)).unwrap();
    assert!(prepared.execute((1, 1, 1)).is_err());
    prepared.execute((1, 1, "one")).unwrap();
    assert_eq!(column(&table.scan().to_vec().unwrap(), "n"), ["one".into()]);
}

// The same, of a user's type of a column that is read.
#[test]
fn a_field_that_is_added_to_a_type_is_null_in_the_rows_there_are() {
    let store = Store::in_memory();
    let keyspace = store.wide_keyspace("shop");
    let name = UserType::new("shop", "name").field("first", CqlType::Text);
    keyspace.put_type(&name).unwrap();
    let table = store.wide_table("shop", "people");
    let schema = TableSchema::new().partition_key("p", CqlType::Int);
    let frozen = CqlType::frozen(CqlType::udt(name.clone()));
    table.create(schema.column("name", frozen).column("other", CqlType::udt(name.clone()))).unwrap();
    let ann = CqlValue::Udt(vec![("first".to_owned(), "Ann".into())]);
    table.insert(&[("p", 1.into()), ("name", ann.clone()), ("other", ann)]).unwrap();
    keyspace.put_type(&name.field("last", CqlType::Text)).unwrap();
    let row = table.select((1,)).to_vec().unwrap().remove(0);
    let both = CqlValue::Udt(vec![("first".to_owned(), "Ann".into()), ("last".to_owned(), CqlValue::Null)]);
    assert_eq!((row.get("name"), row.get("other")), (Some(&both), Some(&both)));
    assert!(keyspace.drop_type("name").unwrap_err().to_string().contains("table people"));
    let place = UserType::new("shop", "place").field("x", CqlType::Int);
    keyspace.put_type(&place).unwrap();
    let schema = TableSchema::new().partition_key("p", CqlType::Int);
    let key = CqlType::frozen(CqlType::udt(place.clone()));
    store.wide_table("shop", "places").create(schema.clustering("c", key, Order::Ascending)).unwrap();
    let error = keyspace.put_type(&place.field("y", CqlType::Int)).unwrap_err();
    assert!(error.to_string().contains("primary key of table places"), "{error}");
}

// yugabyte-db #7055, scylladb #4100, #1684: LIMIT counts rows before the filter, or for each page.
#[test]
fn a_limit_counts_what_meets_the_filter_at_every_size_of_pages() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    table.create_index("by_s", "s", IndexTarget::Value).unwrap();
    for c in 0..5 {
        insert(&table, 1, c, "x", i32::from(c == 4));
    }
    let query = || table.select_by_index("by_s", "x").filter(Filter::equal("n", 1)).limit(4);
    let whole = column(&query().to_vec().unwrap(), "c");
    assert_eq!(whole, [4.into()]);
    for rows in 1..=7 {
        let (mut found, mut next) = (Vec::new(), query());
        loop {
            let page = next.clone().page(rows).unwrap();
            found.extend(column(&page.rows, "c"));
            let Some(position) = page.next else { break };
            next = next.after(position);
        }
        assert_eq!(found, whole, "pages of {rows}");
    }
}

// scylladb #12102, #4156: pages that the filter has emptied.
#[test]
fn a_page_is_full_of_rows_that_meet_the_filter() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    for c in 0..20 {
        insert(&table, c % 3, c, "x", c % 2);
    }
    let mut next = table.scan().filter(Filter::equal("n", 1));
    let mut sizes = Vec::new();
    loop {
        let page = next.clone().page(3).unwrap();
        sizes.push(page.rows.len());
        let Some(position) = page.next else { break };
        next = next.after(position);
    }
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    assert!(sizes.iter().rev().skip(1).all(|size| *size == 3), "{sizes:?}");
}

// scylladb #3713: a row twice.
#[test]
fn a_value_that_is_named_twice_gives_its_row_once_and_none_gives_none() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    insert(&table, 1, 1, "x", 1);
    assert_eq!(table.select_all([(1,), (1,)]).is_in("c", [1, 1]).to_vec().unwrap().len(), 1);
    assert!(table.select((1,)).is_in("c", [0; 0]).to_vec().unwrap().is_empty());
    assert!(table.select_all([(0,); 0]).to_vec().unwrap().is_empty());
}

// yugabyte-db #15948: TTL 0 in the last second.
#[test]
fn a_value_that_is_seen_has_a_second_left_at_least() {
    let clock = ManualClock::default();
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = rows_of(&store);
    let row = [("p", 1.into()), ("c", 1.into()), ("n", 1.into())];
    table.insert_with(&row, WriteOptions::default().ttl_seconds(1)).unwrap();
    clock.advance(Duration::from_millis(999));
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].ttl("n"), Some(1));
    clock.advance(Duration::from_millis(1));
    assert!(table.select((1,)).to_vec().unwrap().is_empty());
}

// scylladb #28788: appends of one timestamp.
#[test]
fn three_appends_in_one_batch_append_three_elements() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "lists");
    table
        .create(TableSchema::new().partition_key("p", CqlType::Int).column("l", CqlType::list(CqlType::Text)))
        .unwrap();
    let mut batch = store.wide_batch();
    for element in ["One", "Two", "Three"] {
        batch.change(&table.change((1,)).append("l", list(&[element]))).unwrap();
    }
    batch.execute().unwrap();
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].get("l"), Some(&list(&["One", "Two", "Three"])));
}

// scylladb #13011: both conditions on one row.
#[test]
fn conditions_that_contradict_each_other_are_refused_by_name() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    let mut batch = store.wide_batch();
    batch.change(&table.change((1, 1)).set("n", 1).if_exists()).unwrap();
    batch.change(&table.change((1, 1)).insert().set("n", 1).if_not_exists()).unwrap();
    let error = batch.execute_if().unwrap_err();
    assert!(error.to_string().contains("IF EXISTS and IF NOT EXISTS"), "{error}");
    let mut batch = store.wide_batch();
    batch.change(&table.change((1, 1)).set("n", 1).if_exists()).unwrap();
    batch.change(&table.change((2, 1)).set("n", 1).if_exists()).unwrap();
    assert!(batch.execute_if().unwrap_err().to_string().contains("multiple partitions"));
}

// cassandra-gocql-driver #265: whose time a conditional write has.
#[test]
fn a_conditional_write_has_the_time_of_the_store() {
    let clock = ManualClock::at(larder::Timestamp::from_micros(77));
    let store = Store::builder().clock(clock).in_memory();
    let table = rows_of(&store);
    let change = || table.change((1, 1)).insert().set("n", 1).if_not_exists();
    assert!(change().with_options(WriteOptions::default().timestamp(1)).execute().is_err());
    assert!(change().execute().unwrap().is_applied());
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].write_time("n"), Some(77));
}

// SEM: WID-LWW-1
#[test]
fn the_smallest_timestamp_is_refused_in_cassandras_words() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    let at = |timestamp| WriteOptions::default().timestamp(timestamp);
    let row = [("p", 1.into()), ("c", 1.into())];
    let error = table.insert_with(&row, at(i64::MIN)).unwrap_err();
    let words = "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]";
    assert_eq!((error.to_string().as_str(), Exception::of(&error)), (words, Exception::Invalid));
    assert!(table.delete_row_with((1, 1), at(i64::MIN)).is_err());
    table.insert_with(&row, at(i64::MIN + 1)).unwrap();
}

// SEM: WID-TYP-3
#[test]
fn a_decimal_of_the_key_comes_back_as_it_was_first_written() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "prices");
    let schema = TableSchema::new().partition_key("p", CqlType::Int);
    table.create(schema.clustering("price", CqlType::Decimal, Order::Descending).column("n", CqlType::Int)).unwrap();
    let price = |text: &str| CqlValue::Decimal(text.parse::<BigDecimal>().unwrap());
    for (text, n) in [("1.00", 1), ("1.0", 2), ("2", 3), ("0.50", 4)] {
        table.insert(&[("p", 1.into()), ("price", price(text)), ("n", n.into())]).unwrap();
    }
    let rows = table.select((1,)).to_vec().unwrap();
    let digits: Vec<_> = column(&rows, "price").iter().map(|value| format!("{value:?}")).collect();
    let expected = ["2", "1.00", "0.50"].map(|text| format!("{:?}", price(text)));
    assert_eq!((digits, column(&rows, "n")), (expected.to_vec(), vec![3.into(), 2.into(), 4.into()]));
    table.update(&[("p", 1.into()), ("price", price("1.000")), ("n", 5.into())]).unwrap();
    assert_eq!(table.select((1,)).eq("price", price("1")).to_vec().unwrap()[0].get("n"), Some(&5.into()));
}

// SEM: WID-ROW-5
#[test]
fn keys_of_65535_bytes_are_stored_and_of_one_more_refused() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "long");
    let schema = TableSchema::new().partition_key("p", CqlType::Text).clustering("c", CqlType::Text, Order::Ascending);
    table.create(schema.static_column("s", CqlType::Int)).unwrap();
    let (long, longer) = ("x".repeat(65_535), "x".repeat(65_536));
    table.insert(&[("p", long.as_str().into()), ("c", long.as_str().into()), ("s", 1.into())]).unwrap();
    let row = table.scan().to_vec().unwrap().remove(0);
    assert_eq!((row.get("p"), row.get("c")), (Some(&long.as_str().into()), Some(&long.as_str().into())));
    table.delete_row((long.as_str(), long.as_str())).unwrap();
    let row = table.scan().to_vec().unwrap().remove(0);
    assert_eq!((row.get("p"), row.get("c"), row.get("s")), (Some(&long.as_str().into()), None, Some(&1.into())));
    let words = "Key length of 65536 is longer than maximum of 65535";
    for key in [(&longer, &long), (&long, &longer)] {
        let row = [("p", key.0.as_str().into()), ("c", key.1.as_str().into())];
        assert_eq!(table.insert(&row).unwrap_err().to_string(), words);
    }
}

// SEM: WID-TYP-4
#[test]
fn null_unset_and_empty_are_three_things() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "empty");
    let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
    table.create(schema.column("n", CqlType::Int).column("t", CqlType::Tinyint)).unwrap();
    let insert = table.prepare_insert(&["p", "c", "n"]).unwrap();
    for (c, n) in [(1.into(), 1.into()), (CqlValue::Empty, CqlValue::Empty), (CqlValue::Int(i32::MIN), 2.into())] {
        insert.execute([1.into(), c, n]).unwrap();
    }
    let rows = table.select((1,)).to_vec().unwrap();
    assert_eq!(column(&rows, "c"), [CqlValue::Empty, CqlValue::Int(i32::MIN), 1.into()]);
    assert_eq!(rows[0].get("n"), Some(&CqlValue::Empty), "it is a value, and no null");
    insert.execute([1.into(), 1.into(), CqlValue::Unset]).unwrap();
    assert_eq!(table.select((1,)).eq("c", 1).to_vec().unwrap()[0].get("n"), Some(&1.into()));
    insert.execute([1.into(), 1.into(), CqlValue::Null]).unwrap();
    assert_eq!(table.select((1,)).eq("c", 1).to_vec().unwrap()[0].get("n"), None);
    let refused = table.insert(&[("p", 1.into()), ("c", 1.into()), ("t", CqlValue::Empty)]);
    assert!(matches!(refused, Err(Error::Invalid { .. })));
    assert!(table.insert(&[("p", CqlValue::Empty), ("c", 1.into())]).unwrap_err().to_string().contains("empty"));
}

// SEM: WID-ROW-4
#[test]
fn lists_are_changed_by_position_and_by_value() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "lists");
    table
        .create(TableSchema::new().partition_key("p", CqlType::Int).column("l", CqlType::list(CqlType::Text)))
        .unwrap();
    let change = || table.change((1,));
    let now = || table.select((1,)).to_vec().unwrap().first().and_then(|row| row.get("l").cloned());
    let error = change().set_element("l", 0, "x").execute().unwrap_err();
    assert!(error.to_string().contains("list which is null"), "{error}");
    change().append("l", list(&["a", "b", "a", "c"])).execute().unwrap();
    change().prepend("l", list(&["x", "y"])).execute().unwrap();
    change().set_element("l", 1, "Y").set_element("l", 2, CqlValue::Null).execute().unwrap();
    assert_eq!(now(), Some(list(&["x", "Y", "b", "a", "c"])));
    let error = change().set_element("l", 5, "x").execute().unwrap_err();
    assert_eq!(error.to_string(), "List index 5 out of bound, list has size 5");
    change().append("l", list(&["x"])).execute().unwrap();
    change().remove("l", list(&["x", "c"])).execute().unwrap();
    assert_eq!(now(), Some(list(&["Y", "b", "a"])));
    change().set("l", list(&["new"])).execute().unwrap();
    assert_eq!(now(), Some(list(&["new"])));
    change().remove("l", list(&["new"])).execute().unwrap();
    assert_eq!(now(), None, "an empty list is null, and the row is gone");
}

// SEM: WID-TMB-2
#[test]
fn a_read_says_that_it_passed_many_tombstones_and_fails_past_too_many() {
    let store = Store::in_memory();
    let table = rows_of(&store);
    let delete = |range: std::ops::Range<i32>| {
        store
            .transaction(|tx| range.clone().try_for_each(|c| tx.wide_table("shop", "rows").delete_row((1, c))))
            .unwrap();
    };
    insert(&table, 1, 1_000_000, "x", 1);
    delete(0..1_000);
    assert!(!table.select((1,)).page(10).unwrap().has_many_tombstones);
    delete(1_000..1_001);
    assert!(table.select((1,)).page(10).unwrap().has_many_tombstones);
    delete(1_001..100_001);
    let error = table.select((1,)).to_vec().unwrap_err();
    assert_eq!(Exception::of(&error), Exception::ReadFailure);
    assert_eq!(table.select((1,)).reverse().limit(1).to_vec().unwrap().len(), 1, "it does not get there");
}

// SEM: WID-QRY-5
#[test]
fn indexes_follow_every_change_of_rows() {
    let clock = ManualClock::default();
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = store.wide_table("shop", "users");
    let schema = TableSchema::new()
        .partition_key("p", CqlType::Int)
        .clustering("c", CqlType::Int, Order::Ascending)
        .column("city", CqlType::Text)
        .column("tags", CqlType::set(CqlType::Text))
        .column("scores", CqlType::map(CqlType::Text, CqlType::Int))
        .column("frozen", CqlType::frozen(CqlType::list(CqlType::Int)));
    table.create(schema).unwrap();
    // Enough for a job.
    for c in 0..200 {
        table.insert(&[("p", 9.into()), ("c", c.into()), ("city", "Wien".into())]).unwrap();
    }
    table.create_index("city", "city", IndexTarget::Value).unwrap();
    assert!(matches!(table.select_by_index("city", "Wien").to_vec(), Err(Error::NotFound { what: "index", .. })));
    table.change((1, 1)).insert().set("city", "Graz").execute().unwrap();
    store.run_jobs().unwrap();
    let count = |index: &str, value: CqlValue| table.select_by_index(index, value).to_vec().unwrap().len();
    assert_eq!((count("city", "Wien".into()), count("city", "Graz".into())), (200, 1));
    table.create_index("tags", "tags", IndexTarget::Elements).unwrap();
    table.create_index("keys", "scores", IndexTarget::Keys).unwrap();
    table.create_index("values", "scores", IndexTarget::Elements).unwrap();
    table.create_index("entries", "scores", IndexTarget::Entries).unwrap();
    table.create_index("full", "frozen", IndexTarget::Full).unwrap();
    store.run_jobs().unwrap();
    let frozen = CqlValue::List(vec![1.into(), 2.into()]);
    let tags = |tags: &[&str]| CqlValue::Set(tags.iter().map(|tag| (*tag).into()).collect());
    let change = table.change((1, 1)).append("tags", tags(&["a", "b"])).set_element("scores", "chess", 3);
    change.set("frozen", frozen.clone()).execute().unwrap();
    let entry = |key: &str, value: i32| CqlValue::Tuple(vec![key.into(), value.into()]);
    assert_eq!((count("tags", "a".into()), count("tags", "c".into()), count("keys", "chess".into())), (1, 0, 1));
    assert_eq!((count("values", 3.into()), count("entries", entry("chess", 3)), count("full", frozen)), (1, 1, 1));
    table.change((1, 1)).remove("tags", tags(&["a"])).set_element("scores", "chess", 4).execute().unwrap();
    assert_eq!((count("tags", "a".into()), count("tags", "b".into())), (0, 1));
    assert_eq!((count("entries", entry("chess", 3)), count("entries", entry("chess", 4))), (0, 1));
    let expiring = WriteOptions::default().ttl_seconds(5);
    table.change((1, 2)).set("city", "Linz").with_options(expiring).execute().unwrap();
    assert_eq!(count("city", "Linz".into()), 1);
    clock.advance(Duration::from_secs(5));
    assert_eq!(count("city", "Linz".into()), 0, "before anybody has swept");
    store.sweep_expired().unwrap();
    table.select((9,)).range("c", ..100).delete().unwrap();
    assert_eq!(count("city", "Wien".into()), 100, "before anybody has tidied");
    store.run_jobs().unwrap();
    assert_eq!(count("city", "Wien".into()), 100);
    let by_city = table.select_by_index("city", "Wien").filter(Filter::greater("c", 150)).limit_per_partition(3);
    assert_eq!(column(&by_city.to_vec().unwrap(), "c"), [151, 152, 153].map(CqlValue::from));
    let before = store.stats().unwrap().entries.unwrap();
    table.truncate().unwrap();
    assert_eq!(count("city", "Wien".into()), 0);
    store.run_jobs().unwrap();
    assert!(before - store.stats().unwrap().entries.unwrap() >= 200, "rows and entries are gone");
    assert!(table.drop_column("city").unwrap_err().to_string().contains("dependent secondary indexes"));
    assert!(table.drop_index("city").unwrap());
    assert!(table.drop_column("city").unwrap());
}

// SEM: WID-LWT-1
#[test]
fn conditions_are_of_the_row_as_it_is() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "rows");
    let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
    let map = CqlType::map(CqlType::Text, CqlType::Int);
    table.create(schema.column("n", CqlType::Int).column("m", map).static_column("s", CqlType::Int)).unwrap();
    let only_if = |filter: Filter| table.change((1, 1)).set("n", 2).only_if(filter).execute().unwrap();
    assert!(!only_if(Filter::equal("n", 1)).is_applied());
    assert!(only_if(Filter::equal("n", CqlValue::Null)).is_applied(), "null is compared with");
    assert!(!only_if(Filter::less("n", 2)).is_applied());
    assert!(only_if(Filter::is_in("n", [1, 2])).is_applied());
    table.change((1, 1)).set_element("m", "k", 5).execute().unwrap();
    assert!(only_if(Filter::entry("m", "k", 5)).is_applied() && only_if(Filter::contains("m", 5)).is_applied());
    let refused = only_if(Filter::contains_key("m", "other"));
    assert_eq!(refused.current().and_then(|row| row.get("n")), Some(&2.into()));
    table.change((1,)).set("s", 7).execute().unwrap();
    assert!(only_if(Filter::equal("s", 7)).is_applied(), "static columns are of every row");
    assert!(table.change((1,)).set("s", 8).only_if(Filter::equal("s", 7)).execute().unwrap().is_applied());
    assert!(table.change((1, 2)).set("n", 1).only_if(Filter::equal("s", 8)).execute().unwrap().is_applied());
    assert!(!table.change((2, 2)).set("n", 1).if_exists().execute().unwrap().is_applied());
}

// SEM: WID-TYP-1
#[test]
fn tables_of_counters_hold_counters_only() {
    let store = Store::in_memory();
    let schema = || TableSchema::new().partition_key("p", CqlType::Int).column("n", CqlType::Counter);
    let table = store.wide_table("shop", "counters");
    assert!(table.create(schema().column("t", CqlType::Text)).unwrap_err().to_string().contains("Cannot mix counter"));
    assert!(table.create(schema().default_ttl(5)).is_err());
    table.create(schema()).unwrap();
    assert!(table.insert(&[("p", 1.into())]).is_err(), "there is no INSERT");
    assert!(table.change((1,)).set("n", CqlValue::Counter(1)).execute().is_err(), "only added to");
    table.change((1,)).add("n", 5).execute().unwrap();
    assert!(table.change((1,)).add("n", 5).with_options(WriteOptions::default().ttl_seconds(5)).execute().is_err());
    assert!(table.change((1,)).add("p", 5).execute().is_err());
    table.delete_columns((1,), &["n"]).unwrap();
    assert!(table.scan().to_vec().unwrap().is_empty());
}

// SEM: WID-ROW-3
#[test]
fn a_partition_with_static_values_alone_is_one_row() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "rows");
    let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
    table.create(schema.static_column("s", CqlType::Int).column("n", CqlType::Int)).unwrap();
    table.insert(&[("p", 1.into()), ("s", 7.into())]).unwrap();
    let rows = table.select((1,)).to_vec().unwrap();
    assert_eq!((rows.len(), rows[0].get("c"), rows[0].get("s")), (1, None, Some(&7.into())));
    assert!(table.select((1,)).range("c", 0..).to_vec().unwrap().is_empty(), "it is no row of a range");
    table.insert(&[("p", 1.into()), ("c", 1.into())]).unwrap();
    table.insert(&[("p", 1.into()), ("c", 2.into())]).unwrap();
    assert_eq!(column(&table.select((1,)).to_vec().unwrap(), "s"), [7.into(), 7.into()]);
    let distinct = table.scan().columns(["p", "s"]).distinct().to_vec().unwrap();
    assert_eq!((distinct.len(), distinct[0].get("s")), (1, Some(&7.into())));
    table.delete_columns((1,), &["s"]).unwrap();
    assert_eq!(column(&table.select((1,)).to_vec().unwrap(), "s"), []);
    assert!(
        TableSchema::new().partition_key("p", CqlType::Int).static_column("s", CqlType::Int).columns().count() == 2
    );
    let without = TableSchema::new().partition_key("p", CqlType::Int).static_column("s", CqlType::Int);
    assert!(store.wide_table("shop", "none").create(without).unwrap_err().to_string().contains("Static columns"));
}
