//! Wide-column tables as an application sees them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::time::Duration;

use larder::wide_column::{CqlType, CqlValue, Order, Row, TableSchema, WriteOptions};
use larder::{Error, InvalidKind, ManualClock, Store, Timestamp, WideTable};

fn at(timestamp: i64) -> WriteOptions {
    WriteOptions::default().timestamp(timestamp)
}

fn ttl(seconds: u32) -> WriteOptions {
    WriteOptions::default().ttl_seconds(seconds)
}

fn users(store: &Store) -> WideTable {
    let table = store.wide_table("shop", "users");
    let schema = TableSchema::new().partition_key("id", CqlType::Int);
    table.create(schema.column("name", CqlType::Text).column("age", CqlType::Int)).unwrap();
    table
}

fn events(store: &Store) -> WideTable {
    let table = store.wide_table("analytics", "events_by_day");
    let schema = TableSchema::new()
        .partition_key("date", CqlType::Date)
        .clustering("event_time", CqlType::Timestamp, Order::Descending)
        .clustering("user_id", CqlType::Text, Order::Ascending)
        .column("event_type", CqlType::Text);
    table.create(schema).unwrap();
    table
}

fn day(day: i32) -> CqlValue {
    CqlValue::date_from_days_since_epoch(day)
}

fn time(millis: i64) -> CqlValue {
    CqlValue::Timestamp(millis)
}

fn fill(table: &WideTable) {
    let insert = table.prepare_insert(&["date", "event_time", "user_id", "event_type"]).unwrap();
    for millis in 1..=3 {
        for user in ["ann", "bob"] {
            insert.execute((day(0), time(millis), user, "click")).unwrap();
        }
    }
}

fn column(rows: &[Row], name: &str) -> Vec<CqlValue> {
    rows.iter().filter_map(|row| row.get(name).cloned()).collect()
}

fn name(table: &WideTable) -> Option<CqlValue> {
    table.select((1,)).to_vec().unwrap().first().and_then(|row| row.get("name").cloned())
}

fn row(name: impl Into<CqlValue>) -> [(&'static str, CqlValue); 2] {
    [("id", 1.into()), ("name", name.into())]
}

fn message<T: std::fmt::Debug>(outcome: larder::Result<T>) -> String {
    outcome.unwrap_err().to_string()
}

// SEM: WID-ROW-1
#[test]
fn rows_come_in_clustering_order_or_its_full_reverse() {
    let table = events(&Store::in_memory());
    fill(&table);
    let rows = table.select((day(0),)).to_vec().unwrap();
    assert_eq!(column(&rows, "event_time"), [3, 3, 2, 2, 1, 1].map(time));
    assert_eq!(column(&rows, "user_id"), ["ann", "bob", "ann", "bob", "ann", "bob"].map(CqlValue::from));
    let mut reversed = table.select((day(0),)).reverse().to_vec().unwrap();
    reversed.reverse();
    assert_eq!(column(&reversed, "event_time"), column(&rows, "event_time"));
    assert_eq!(column(&reversed, "user_id"), column(&rows, "user_id"));
    assert!(table.select((day(1),)).to_vec().unwrap().is_empty());
}

// SEM: WID-QRY-1
#[test]
fn clustering_columns_are_restricted_from_left_to_right() {
    let table = events(&Store::in_memory());
    fill(&table);
    let all = || table.select((day(0),));
    assert_eq!(all().eq("event_time", time(2)).to_vec().unwrap().len(), 2);
    assert_eq!(all().eq("event_time", time(2)).range("user_id", "b"..).to_vec().unwrap().len(), 1);
    assert_eq!(
        all().eq("user_id", "ann").eq("event_time", time(2)).to_vec().unwrap().len(),
        1,
        "in any order of calls"
    );
    assert!(message(all().eq("user_id", "ann").to_vec()).contains("user_id"));
    let after_range = all().range("event_time", time(1)..).eq("user_id", "ann").to_vec();
    assert!(message(after_range).contains("user_id"));
    assert!(message(all().eq("event_time", time(1)).eq("event_time", time(2)).to_vec()).contains("event_time"));
    assert!(message(all().eq("event_type", "click").to_vec()).contains("event_type"));
    assert!(message(all().eq("date", day(0)).to_vec()).contains("date"));
    assert!(matches!(all().eq("event_time", 2).to_vec(), Err(Error::Invalid { kind: InvalidKind::Type, .. })));
    assert!(matches!(all().eq("nope", 2).to_vec(), Err(Error::NotFound { what: "column", .. })));
    assert!(table.select(()).to_vec().is_err(), "the whole partition key is needed");
    assert!(table.scan().eq("event_time", time(1)).to_vec().is_err());
    assert!(table.scan().reverse().to_vec().is_err());
}

#[test]
fn a_query_answers_the_columns_and_rows_it_is_asked_for() {
    let table = events(&Store::in_memory());
    fill(&table);
    let rows = table.select((day(0),)).columns(["user_id", "event_type"]).limit(1).to_vec().unwrap();
    let fields: Vec<_> = rows[0].iter().collect();
    assert_eq!(fields, [("user_id", Some(&"ann".into())), ("event_type", Some(&"click".into()))]);
    assert_eq!(rows[0].get("event_time"), None);
    assert!(table.select((day(0),)).limit(0).to_vec().is_err());
    assert!(table.select((day(0),)).columns([""; 0]).to_vec().is_err());
    assert!(matches!(table.scan().columns(["nope"]).to_vec(), Err(Error::NotFound { what: "column", .. })));
}

// SEM: WID-QRY-3
#[test]
fn a_scan_runs_in_token_order() {
    let store = Store::in_memory();
    let table = store.wide_table("shop", "names");
    table.create(TableSchema::new().partition_key("name", CqlType::Text)).unwrap();
    let by_token = ["test", "primary_key", "kremówki", "xd"];
    for name in ["xd", "primary_key", "test", "kremówki"] {
        table.insert(&[("name", name.into())]).unwrap();
    }
    table.delete_partition(("none",)).unwrap();
    assert_eq!(column(&table.scan().to_vec().unwrap(), "name"), by_token.map(CqlValue::from));
    assert_eq!(table.scan().limit(2).to_vec().unwrap().len(), 2);
}

// SEM: WID-ROW-2
#[test]
fn an_inserted_row_stays_with_nulls_and_an_updated_one_vanishes() {
    let table = users(&Store::in_memory());
    table.update(&row("ann")).unwrap();
    table.delete_columns((1,), &["name"]).unwrap();
    assert!(table.select((1,)).to_vec().unwrap().is_empty());
    table.insert(&row("ann")).unwrap();
    table.update(&row(CqlValue::Null)).unwrap();
    let rows = table.select((1,)).to_vec().unwrap();
    assert_eq!((rows.len(), rows[0].get("name"), rows[0].get("id")), (1, None, Some(&1.into())));
}

// SEM: WID-TYP-4, WID-ROW-2
#[test]
fn a_value_that_is_not_set_stays_and_null_deletes() {
    let table = users(&Store::in_memory());
    let insert = table.prepare_insert(&["id", "name", "age"]).unwrap();
    insert.execute((1, "ann", 30)).unwrap();
    insert.execute((1, CqlValue::Unset, None::<i32>)).unwrap();
    let rows = table.select((1,)).to_vec().unwrap();
    assert_eq!((rows[0].get("name"), rows[0].get("age")), (Some(&"ann".into()), None));
    assert!(message(insert.execute((CqlValue::Null, "ann", 30))).contains("\"id\""));
}

// SEM: WID-LWW-1, WID-LWW-3
#[test]
fn the_highest_timestamp_wins_and_later_plain_writes_are_later() {
    let clock = ManualClock::at(Timestamp::from_seconds(10));
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = users(&store);
    for name in ["b", "a", "c", "b"] {
        table.update(&row(name)).unwrap();
    }
    assert_eq!(name(&table), Some("b".into()), "the clock stands still, the timestamps do not");
    table.update_with(&row("old"), at(9_999_999)).unwrap();
    assert_eq!(name(&table), Some("b".into()));
    clock.set(Timestamp::from_seconds(1));
    table.update(&row("later")).unwrap();
    assert_eq!(name(&table), Some("later".into()), "even when the clock is set back");
    table.update_with(&row("future"), at(i64::MAX)).unwrap();
    table.update(&row("now")).unwrap();
    assert_eq!(name(&table), Some("future".into()));
}

// SEM: WID-LWW-3
#[test]
fn a_fork_goes_on_after_the_writes_it_began_with() {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    for name in ["a", "b", "c"] {
        users(&store).update(&row(name)).unwrap();
    }
    let fork = store.fork().unwrap();
    users(&fork).update(&row("forked")).unwrap();
    assert_eq!(name(&users(&fork)), Some("forked".into()));
    assert_eq!(name(&users(&store)), Some("c".into()));
}

// SEM: WID-TMB-1
#[test]
fn a_late_write_with_an_older_timestamp_loses_against_every_deletion() {
    let delete: [fn(&WideTable); 4] = [
        |table| table.delete_columns_with((1,), &["name"], at(5)).unwrap(),
        |table| table.delete_row_with((1,), at(5)).unwrap(),
        |table| table.delete_partition_with((1,), at(5)).unwrap(),
        |table| table.update_with(&row(CqlValue::Null), at(5)).unwrap(),
    ];
    for (n, delete) in delete.into_iter().enumerate() {
        let clock = ManualClock::default();
        let store = Store::builder().clock(clock.clone()).in_memory();
        let table = users(&store);
        delete(&table);
        table.update_with(&row("late"), at(4)).unwrap();
        table.update_with(&row("equal"), at(5)).unwrap();
        clock.advance(Duration::from_secs(863_999));
        store.sweep_expired().unwrap();
        table.update_with(&row("still late"), at(5)).unwrap();
        assert_eq!(name(&table), None, "deletion {n}");
        table.update_with(&row("newer"), at(6)).unwrap();
        assert_eq!(name(&table), Some("newer".into()), "deletion {n}");
    }
}

// SEM: WID-TTL-1, ALL-3
#[test]
fn values_expire_by_the_clock_and_not_by_the_sweeper() {
    let clock = ManualClock::at(Timestamp::from_millis(10_900));
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = users(&store);
    table.insert_with(&row("ann"), ttl(60)).unwrap();
    table.update(&[("id", 1.into()), ("age", 30.into())]).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].ttl("name"), Some(60));
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].ttl("age"), None);
    clock.set(Timestamp::from_seconds(69));
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].ttl("name"), Some(1));
    clock.set(Timestamp::from_seconds(70));
    let rows = table.select((1,)).to_vec().unwrap();
    assert_eq!((rows[0].get("name"), rows[0].get("age")), (None, Some(&30.into())));
    assert_eq!((rows[0].ttl("name"), rows[0].write_time("name"), rows[0].write_time("id")), (None, None, None));
    let before = snapshot.wide_table("shop", "users").select((1,)).to_vec().unwrap();
    assert_eq!(before[0].get("name"), Some(&"ann".into()), "a snapshot stays at its moment");
    table.update_with(&row("late"), at(1)).unwrap();
    store.sweep_expired().unwrap();
    table.update_with(&row("late"), at(1)).unwrap();
    assert_eq!(name(&table), None, "what has expired still wins against older writes");
    table.delete_columns((1,), &["age"]).unwrap();
    assert!(table.scan().to_vec().unwrap().is_empty(), "the marker has expired too");
}

// SEM: WID-TTL-1
#[test]
fn a_write_overrides_the_default_time_to_live_and_rewriting_resets_it() {
    let clock = ManualClock::default();
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = store.wide_table("shop", "sessions");
    let schema = TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text);
    table.create(schema.default_ttl(10)).unwrap();
    table.insert(&row("a")).unwrap();
    assert_eq!(table.select((1,)).to_vec().unwrap()[0].ttl("name"), Some(10));
    clock.advance(Duration::from_secs(9));
    table.insert(&row("b")).unwrap();
    clock.advance(Duration::from_secs(9));
    assert_eq!(name(&table), Some("b".into()));
    table.insert_with(&row("c"), ttl(0)).unwrap();
    clock.advance(Duration::from_secs(1_000));
    assert_eq!(name(&table), Some("c".into()));
    let too_long = table.insert_with(&row("d"), ttl(630_720_001));
    assert!(matches!(too_long, Err(Error::LimitExceeded { max: 630_720_000, .. })));
    assert!(table.delete_row_with((1,), ttl(1)).is_err(), "a deletion takes none");
}

// SEM: WID-BAT-1
#[test]
fn the_statements_of_a_batch_share_a_timestamp_whatever_their_order() {
    let store = Store::in_memory();
    let table = users(&store);
    let insert = table.prepare_insert(&["id", "name"]).unwrap();
    let mut batch = store.wide_batch();
    batch.insert(&insert, (1, "z")).unwrap();
    batch.insert(&insert, (1, "a")).unwrap();
    assert_eq!(batch.len(), 2);
    batch.execute().unwrap();
    assert_eq!(name(&table), Some("z".into()), "the larger value, not the later statement");
    let mut batch = store.wide_batch();
    batch.delete_columns(&table, (1,), &["name"]).unwrap();
    batch.update(&table, &row("zz")).unwrap();
    batch.execute().unwrap();
    assert_eq!(name(&table), None, "a deletion wins every tie");
}

// SEM: WID-BAT-1
#[test]
fn a_batch_is_made_whole_or_not_at_all() {
    let store = Store::in_memory();
    let (table, other) = (users(&store), events(&store));
    let insert = other.prepare_insert(&["date", "event_time", "user_id"]).unwrap();
    let mut batch = store.wide_batch();
    batch.update(&table, &row("ann")).unwrap();
    batch.insert(&insert, (day(0), time(1), "ann")).unwrap();
    other.drop_table().unwrap();
    assert!(matches!(batch.execute(), Err(Error::NotFound { .. })));
    assert_eq!(name(&table), None);
    let mut batch = store.wide_batch();
    batch.timestamp(5);
    batch.update_with(&table, &row("ann"), at(6)).unwrap();
    assert!(batch.execute().is_err(), "a timestamp is set in one place");
}

// SEM: WID-BAT-1
#[test]
fn a_batch_has_a_largest_number_of_statements() {
    let store = Store::in_memory();
    let insert = users(&store).prepare_insert(&["id"]).unwrap();
    let mut batch = store.wide_batch();
    (0..65_535).for_each(|id| batch.insert(&insert, (id,)).unwrap());
    assert!(matches!(batch.insert(&insert, (0,)), Err(Error::LimitExceeded { max: 65_535, found: 65_536, .. })));
}

// SEM: WID-QRY-6
#[test]
fn a_prepared_insert_goes_on_when_its_table_was_changed_or_made_again() {
    let store = Store::in_memory();
    let table = users(&store);
    let insert = table.prepare_insert(&["id", "name"]).unwrap();
    insert.execute((1, "ann")).unwrap();
    let mut batch = store.wide_batch();
    batch.insert(&insert, (2, "bob")).unwrap();
    table.drop_table().unwrap();
    assert!(matches!(insert.execute((1, "ann")), Err(Error::NotFound { .. })));
    users(&store);
    insert.execute((1, "anna")).unwrap();
    batch.execute().unwrap();
    assert_eq!(column(&table.scan().to_vec().unwrap(), "name").len(), 2);
    assert!(table.drop_column("name").unwrap());
    assert!(matches!(insert.execute((1, "ann")), Err(Error::NotFound { what: "column", .. })));
    let mut batch = store.wide_batch();
    assert!(table.add_column("name", CqlType::Int).unwrap());
    assert!(message(insert.execute((1, "ann"))).contains("\"name\""), "it is int now");
    batch.insert(&insert, (3, 3)).unwrap();
    batch.execute().unwrap();
    insert.execute((1, 7)).unwrap();
    assert_eq!(name(&table), Some(7.into()));
    table.rename_column("id", "user").unwrap();
    assert!(matches!(insert.execute((1, 7)), Err(Error::NotFound { what: "column", .. })));
}

#[test]
fn a_statement_by_an_earlier_definition_is_refused_when_its_batch_is_executed() {
    let store = Store::in_memory();
    let table = users(&store);
    let mut batch = store.wide_batch();
    batch.insert_row(&table, &row("ann"), WriteOptions::default()).unwrap();
    table.add_column("born", CqlType::Date).unwrap();
    assert!(message(batch.execute()).contains("add it again"));
    assert!(table.scan().to_vec().unwrap().is_empty());
}

// SEM: ALL-4
#[test]
fn a_transaction_that_wrote_by_the_old_definition_conflicts() {
    let store = Store::in_memory();
    let table = users(&store);
    for isolation in [larder::Isolation::Serializable, larder::Isolation::Snapshot] {
        let write = |change: &dyn Fn()| {
            let tx = store.begin_with(isolation).unwrap();
            tx.wide_table("shop", "users").insert(&[("id", 1.into())]).unwrap();
            change();
            tx.commit()
        };
        let error = write(&|| assert!(table.add_column("born", CqlType::Date).unwrap())).unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("users"), "{error}");
        assert!(write(&|| assert!(table.drop_column("born").unwrap())).unwrap_err().is_retryable());
        assert!(write(&|| table.set_default_ttl(60).unwrap()).unwrap_err().is_retryable());
        assert!(write(&|| table.set_default_ttl(0).unwrap()).unwrap_err().is_retryable());
        write(&|| ()).unwrap();
    }
}

#[test]
fn a_changed_definition_is_seen_at_once_by_other_handles_and_not_by_what_was_taken_before() {
    let store = Store::in_memory();
    let (table, other) = (users(&store), store.wide_table("shop", "users"));
    table.insert(&row("ann")).unwrap();
    assert_eq!(other.scan().to_vec().unwrap().len(), 1);
    let (snapshot, fork) = (store.snapshot().unwrap(), store.fork().unwrap());
    assert!(table.drop_column("name").unwrap() && !table.drop_column("name").unwrap());
    assert!(matches!(other.select((1,)).columns(["name"]).run(), Err(Error::NotFound { what: "column", .. })));
    assert_eq!(other.scan().to_vec().unwrap()[0].iter().count(), 2);
    assert_eq!(name(&fork.wide_table("shop", "users")), Some("ann".into()));
    assert_eq!(snapshot.wide_table("shop", "users").scan().to_vec().unwrap()[0].get("name"), Some(&"ann".into()));
    assert!(fork.wide_table("shop", "users").add_column("born", CqlType::Date).unwrap());
    assert!(other.schema().unwrap().column_named("born").is_none());
    let declared = TableSchema::new().partition_key("id", CqlType::Int).column("age", CqlType::Int);
    assert_eq!(other.schema().unwrap(), declared);
    assert!(matches!(
        other.create(TableSchema::new().partition_key("id", CqlType::Text)),
        Err(Error::AlreadyExists { .. })
    ));
    other.create(declared).unwrap();
}

// SEM: WID-ROW-2
#[test]
fn a_row_that_had_only_a_dropped_column_is_gone_unless_it_was_inserted() {
    let store = Store::in_memory();
    let table = users(&store);
    table.update(&row("ann")).unwrap();
    table.insert(&[("id", 2.into()), ("name", "bob".into())]).unwrap();
    table.drop_column("name").unwrap();
    assert_eq!(column(&table.scan().to_vec().unwrap(), "id"), [CqlValue::from(2)]);
}

#[test]
fn a_change_that_the_table_cannot_have_is_refused_by_name() {
    let store = Store::in_memory();
    let table = users(&store);
    assert!(message(table.drop_column("id")).contains("\"id\""));
    assert!(message(table.rename_column("name", "nick")).contains("\"name\""));
    assert!(matches!(table.rename_column("id", "name"), Err(Error::AlreadyExists { what: "column", .. })));
    assert!(matches!(table.rename_column("nope", "x"), Err(Error::NotFound { what: "column", .. })));
    assert!(matches!(table.add_column("id", CqlType::Int), Err(Error::AlreadyExists { what: "column", .. })));
    assert!(table.add_column("", CqlType::Int).is_err());
    assert!(matches!(table.set_default_ttl(630_720_001), Err(Error::LimitExceeded { .. })));
    assert!(matches!(store.wide_table("shop", "none").drop_column("x"), Err(Error::NotFound { .. })));
    assert_eq!(table.schema().unwrap(), users(&Store::in_memory()).schema().unwrap());
}

// SEM: WID-TMB-1
#[test]
fn deleting_a_partition_of_many_rows_hides_them_at_once_and_removes_them_later() {
    let store = Store::builder().clock(ManualClock::at(larder::Timestamp::from_seconds(9))).in_memory();
    let table = store.wide_table("shop", "notes");
    let schema = TableSchema::new().partition_key("user", CqlType::Int).clustering("n", CqlType::Int, Order::Ascending);
    table.create(schema.column("text", CqlType::Text)).unwrap();
    let insert = table.prepare_insert(&["user", "n", "text"]).unwrap();
    let fill = |tx: &larder::Transaction| {
        let mut batch = tx.wide_batch();
        (0..5_000).try_for_each(|n| batch.insert(&insert, (1, n, "a")))?;
        (0..10).try_for_each(|n| batch.insert(&insert, (2, n, "b")))?;
        batch.execute()
    };
    store.transaction(fill).unwrap();
    let (before, entries) = (store.snapshot().unwrap(), store.stats().unwrap().entries.unwrap());
    table.delete_partition((1,)).unwrap();
    assert_eq!(store.pending_jobs().unwrap(), 1);
    // The header, its deadline, its place in the list of deletions, and the job.
    assert_eq!(store.stats().unwrap().entries.unwrap(), entries + 4);
    let count = |select: larder::wide_column::Select| select.run().unwrap().count();
    assert_eq!((count(table.select((1,))), count(table.select((1,)).reverse()), count(table.scan())), (0, 0, 10));
    assert_eq!(count(table.select((1,)).eq("n", 7)), 0);
    insert.execute((1, 7, "new")).unwrap();
    insert.execute_with((1, 8, "late"), at(1)).unwrap();
    assert_eq!(column(&table.select((1,)).to_vec().unwrap(), "text"), [CqlValue::from("new")]);
    assert!(store.run_jobs().unwrap() >= 4_999);
    assert_eq!(column(&table.select((1,)).to_vec().unwrap(), "text"), [CqlValue::from("new")]);
    assert_eq!(store.stats().unwrap().entries.unwrap(), entries + 3 - 4_999);
    assert_eq!(before.wide_table("shop", "notes").select((1,)).run().unwrap().count(), 5_000);
}

// SEM: WID-LWW-1
#[test]
fn the_smallest_timestamp_is_refused() {
    let store = Store::in_memory();
    let table = users(&store);
    assert!(message(table.insert_with(&row("a"), at(i64::MIN))).contains("-9223372036854775807"));
    assert!(table.delete_partition_with((1,), at(i64::MIN)).is_err());
    let mut batch = store.wide_batch();
    batch.update(&table, &row("a")).unwrap();
    batch.timestamp(i64::MIN);
    assert!(batch.execute().is_err());
    table.insert_with(&row("a"), at(i64::MIN + 1)).unwrap();
    assert_eq!(name(&table), Some("a".into()));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let store = Store::in_memory();
    let table = users(&store);
    let insert = table.prepare_insert(&["id", "name"]).unwrap();
    assert!(message(insert.execute((1, 7))).contains("\"name\""));
    assert!(message(insert.execute((1,))).contains("id, name"));
    assert!(message(table.prepare_insert(&["name"])).contains("\"id\""));
    assert!(message(table.prepare_insert(&["id", "id"])).contains("\"id\""));
    assert!(matches!(table.prepare_insert(&["id", "nope"]), Err(Error::NotFound { what: "column", .. })));
    assert!(table.update(&[("id", 1.into())]).is_err(), "an update sets something");
    assert!(message(table.delete_columns((1,), &["id"])).contains("\"id\""));
    assert!(table.delete_columns((1,), &[]).is_err());
    assert!(table.delete_row((1, 2)).is_err());
    let other = store.wide_table("shop", "none");
    assert!(matches!(other.insert(&row("a")), Err(Error::NotFound { what: "wide-column table", .. })));
    assert!(store.wide_table("bad-name", "t").create(TableSchema::new().partition_key("a", CqlType::Int)).is_err());
}

#[test]
fn values_are_checked_against_the_domain_of_their_type() {
    let store = Store::in_memory();
    let table = store.wide_table("test", "domains");
    let schema = TableSchema::new().partition_key("id", CqlType::Int).column("ascii", CqlType::Ascii);
    table.create(schema.column("time", CqlType::Time).column("made", CqlType::Timeuuid)).unwrap();
    let set = |name: &str, value: CqlValue| table.update(&[("id", 1.into()), (name, value)]);
    assert!(set("ascii", "a".into()).is_ok());
    assert!(message(set("ascii", "ä".into())).contains("ASCII"));
    assert!(set("time", CqlValue::Time(86_399_999_999_999)).is_ok());
    assert!(set("time", CqlValue::Time(86_400_000_000_000)).is_err());
    assert!(set("made", CqlValue::Uuid(larder::wide_column::Uuid::nil())).is_err());
}

#[test]
fn a_table_works_alike_in_a_transaction_and_is_seen_by_snapshots() {
    let store = Store::in_memory();
    let table = users(&store);
    let insert = table.prepare_insert(&["id", "name"]).unwrap();
    let before = store.snapshot().unwrap();
    store
        .transaction(|tx| {
            let inside = tx.wide_table("shop", "users");
            inside.update(&row("b"))?;
            inside.update(&row("a"))?;
            assert!(inside.update(&row(7)).is_err(), "undone alone");
            assert_eq!(inside.select((1,)).to_vec()?[0].get("name"), Some(&"a".into()));
            let mut batch = tx.wide_batch();
            batch.insert(&insert, (2, "bob"))?;
            batch.execute()?;
            assert!(matches!(insert.execute((3, "eve")), Err(Error::NestedTransaction)));
            Ok::<_, larder::Error>(())
        })
        .unwrap();
    assert_eq!(table.scan().to_vec().unwrap().len(), 2);
    assert!(before.wide_table("shop", "users").scan().to_vec().unwrap().is_empty());
    let rolled_back = store.transaction(|tx| {
        tx.wide_table("shop", "users").delete_partition((1,))?;
        Err::<(), _>(Error::application("no"))
    });
    assert!(rolled_back.is_err());
    assert_eq!(name(&table), Some("a".into()));
}

#[test]
fn two_transactions_that_write_one_row_conflict() {
    let store = Store::in_memory();
    let table = users(&store);
    let tx = store.begin().unwrap();
    tx.wide_table("shop", "users").update(&row("first")).unwrap();
    table.update(&row("second")).unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());
}

// SEM: ALL-5
#[test]
fn a_stream_reads_the_snapshot_of_its_start() {
    let table = events(&Store::in_memory());
    fill(&table);
    let mut rows = table.select((day(0),)).run().unwrap();
    rows.next().unwrap().unwrap();
    table.delete_partition((day(0),)).unwrap();
    assert_eq!(rows.count(), 5);
}

fn long_keys(order: Order) -> (Store, WideTable) {
    let store = Store::builder().clock(ManualClock::at(Timestamp::from_seconds(9))).in_memory();
    let table = store.wide_table("test", "long");
    let schema = TableSchema::new().partition_key("p", CqlType::Blob).clustering("a", CqlType::Blob, order);
    table.create(schema.clustering("b", CqlType::Text, order).column("v", CqlType::Int)).unwrap();
    (store, table)
}

// SEM: WID-ROW-5
#[test]
fn keys_may_be_as_long_as_in_cassandra_and_come_back_whole() {
    for order in [Order::Ascending, Order::Descending] {
        let (store, table) = long_keys(order);
        // The worst there is: each zero takes two bytes in a key of the engine.
        let long = |first: u8| [vec![first], vec![0; 65_534]].concat();
        let text = |first: &str| first.to_owned() + &"x".repeat(65_535 - first.len());
        let insert = table.prepare_insert(&["p", "a", "b", "v"]).unwrap();
        let soon = ttl(60);
        for (v, (a, b)) in [(1, "a"), (1, "b"), (2, "a")].into_iter().enumerate() {
            insert.execute_with((long(7), long(a), text(b), i32::try_from(v).unwrap()), soon).unwrap();
        }
        insert.execute((long(8), vec![1u8], "short", 9)).unwrap();
        let rows = table.select((long(7),)).to_vec().unwrap();
        let keys: Vec<_> =
            rows.iter().map(|row| (row.get("a").cloned().unwrap(), row.get("b").cloned().unwrap())).collect();
        let mut expected =
            [(1, "a"), (1, "b"), (2, "a")].map(|(a, b)| (CqlValue::from(long(a)), CqlValue::from(text(b))));
        if order == Order::Descending {
            expected.reverse();
        }
        assert_eq!(keys, expected);
        assert!(rows.iter().all(|row| row.get("p") == Some(&long(7).into())));
        assert_eq!(table.scan().run().unwrap().count(), 4);
        let one = |a: u8, b: &str| table.select((long(7),)).eq("a", long(a)).eq("b", text(b)).to_vec().unwrap();
        assert_eq!(column(&one(1, "b"), "v"), [CqlValue::from(1)]);
        assert_eq!(column(&one(2, "b"), "v"), []);
        table
            .update(&[("p", long(7).into()), ("a", long(1).into()), ("b", text("b").into()), ("v", 5.into())])
            .unwrap();
        assert_eq!(column(&one(1, "b"), "v"), [CqlValue::from(5)]);
        table.delete_row((long(7), long(1), text("a"))).unwrap();
        assert_eq!(table.select((long(7),)).run().unwrap().count(), 2);
        table.delete_partition((long(7),)).unwrap();
        assert_eq!(table.scan().run().unwrap().count(), 1);
        assert_eq!(store.sweep_expired().unwrap(), 0);
    }
}

// SEM: WID-ROW-5
#[test]
fn a_key_longer_than_in_cassandra_is_refused() {
    let (_, table) = long_keys(Order::Ascending);
    let insert = |p: usize, a: usize, b: usize| {
        table.insert(&[("p", vec![1u8; p].into()), ("a", vec![1u8; a].into()), ("b", "b".repeat(b).into())])
    };
    insert(65_535, 65_535, 65_535).unwrap();
    for outcome in [insert(65_536, 1, 1), insert(1, 65_536, 1), insert(1, 1, 65_536)] {
        let Err(Error::Invalid { message, code: Some(0x2200), .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message, "Key length of 65536 is longer than maximum of 65535");
    }
}

#[test]
fn long_values_that_could_not_be_kept_in_order_are_refused_and_so_are_long_bounds() {
    let (_, table) = long_keys(Order::Ascending);
    let insert = |a: &[u8]| table.insert(&[("p", vec![1u8].into()), ("a", a.into()), ("b", "b".into())]);
    let (one, other) = (vec![1u8; 60_000], [vec![1u8; 59_999], vec![2]].concat());
    insert(&one).unwrap();
    insert(&one).unwrap();
    assert!(matches!(insert(&other), Err(Error::LimitExceeded { found: 60_000, .. })));
    // What differs earlier, or is a beginning of it, is in order.
    for a in [
        &one[..100],
        &one[..20_000],
        &[vec![1u8; 100], vec![2; 50_000]].concat()[..],
        &vec![0u8; 40_000][..],
        &[2u8][..],
    ] {
        insert(a).unwrap();
    }
    let keys = column(&table.select((vec![1u8],)).to_vec().unwrap(), "a");
    let bytes = |value: &CqlValue| if let CqlValue::Blob(bytes) = value { bytes.clone() } else { panic!("{value:?}") };
    assert!(keys.iter().map(bytes).is_sorted() && keys.len() == 6);
    let range = table.select((vec![1u8],)).range("a", ..one.clone());
    assert!(matches!(range.run(), Err(Error::LimitExceeded { .. })));
    let range = table.select((vec![1u8],)).range("a", one[..100].to_vec()..);
    assert_eq!(range.run().unwrap().count(), 5);
}
