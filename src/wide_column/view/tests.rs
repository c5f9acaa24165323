//! Views against what their base shows.

use std::time::Duration;

use proptest::prelude::*;

use crate::wide_column::read::plan::Comparison;
use crate::wide_column::schema::{ViewCondition, ViewTest};
use crate::wide_column::{
    CqlType, CqlValue, Exception, IndexTarget, Order, Row, TableSchema, ViewSchema, WriteOptions,
};
use crate::{ManualClock, Store, WideTable};

const PARTITIONS: i32 = 2;
const ROWS: i32 = 4;
const CROWD: std::ops::Range<i32> = 1_000..1_070;

/// A write with few places, timestamps and values, so that everything meets.
#[derive(Clone, Debug)]
#[expect(clippy::option_option, reason = "not set and null are two things")]
enum Op {
    Write { is_insert: bool, place: (i32, i32), values: [Option<Option<i8>>; 3], ttl: u32, timestamp: i64 },
    Add { place: (i32, i32), element: i8, ttl: u32, timestamp: i64 },
    Static { partition: i32, value: i8, timestamp: i64 },
    DeleteRow { place: (i32, i32), timestamp: i64 },
    DeleteRange { partition: i32, start: i32, end: i32, timestamp: i64 },
    DeletePartition { partition: i32, timestamp: i64 },
    Truncate,
    Rename,
    AddColumn,
}

fn op() -> impl Strategy<Value = Op> {
    let place = || (0..PARTITIONS, 0..ROWS);
    let value = || prop::option::of(prop::option::weighted(0.8, 0i8..3));
    let ttl = || prop_oneof![2 => Just(0), 1 => 1u32..6];
    let time = || 0i64..6;
    prop_oneof![
        10 => (any::<bool>(), place(), [value(), value(), value()], ttl(), time()).prop_map(
            |(is_insert, place, values, ttl, timestamp)| Op::Write { is_insert, place, values, ttl, timestamp }
        ),
        2 => (place(), 0i8..3, ttl(), time())
            .prop_map(|(place, element, ttl, timestamp)| Op::Add { place, element, ttl, timestamp }),
        1 => (0..PARTITIONS, 0i8..3, time())
            .prop_map(|(partition, value, timestamp)| Op::Static { partition, value, timestamp }),
        2 => (place(), time()).prop_map(|(place, timestamp)| Op::DeleteRow { place, timestamp }),
        3 => (0..PARTITIONS, 0..ROWS, 0..=ROWS, time())
            .prop_map(|(partition, start, end, timestamp)| Op::DeleteRange { partition, start, end, timestamp }),
        2 => (0..PARTITIONS, time()).prop_map(|(partition, timestamp)| Op::DeletePartition { partition, timestamp }),
        1 => Just(Op::Truncate),
        1 => Just(Op::Rename),
        1 => Just(Op::AddColumn),
    ]
}

/// A table whose rows are seen through several views.
struct Tables {
    store: Store,
    /// The name of the second column of its key.
    key: &'static str,
}

impl Tables {
    fn new(clock: &ManualClock) -> Self {
        let tables = Self { store: Store::builder().clock(clock.clone()).in_memory(), key: "c" };
        let schema = TableSchema::new()
            .partition_key("p", CqlType::Int)
            .clustering("c", CqlType::Int, Order::Descending)
            .static_column("s", CqlType::Tinyint)
            .column("a", CqlType::Tinyint)
            .column("b", CqlType::Tinyint)
            .column("d", CqlType::Tinyint)
            .column("t", CqlType::set(CqlType::Tinyint));
        tables.base().create(schema).unwrap();
        tables
    }

    fn base(&self) -> WideTable {
        self.store.wide_table("test", "base")
    }

    fn create_views(&self) {
        let key = self.key;
        let view = |name: &str, schema: ViewSchema| self.base().create_view(name, &schema).unwrap();
        let ordered = ViewSchema::new().partition_key("a").clustering("p", Order::Ascending);
        view("by_a", ordered.clustering(key, Order::Ascending).columns(["b", "t"]));
        let swapped = ViewSchema::new().partition_key(key).clustering("p", Order::Descending);
        view("swapped", swapped.columns(["b"]));
        view("keys", ViewSchema::new().partition_key("p").partition_key(key).columns([]));
        let by_b = ViewSchema::new().partition_key("p").clustering("b", Order::Descending);
        view("by_b", by_b.clustering(key, Order::Ascending).columns(["a", "b", "d", "t"]));
        // Of every second row of one partition, and of rows between two.
        let id = |name: &str| {
            let definition = self.base().schema().unwrap();
            definition.columns().find(|column| column.name() == name).unwrap().id()
        };
        let condition = |name: &str, test| ViewCondition { columns: vec![id(name)], said: String::new(), test };
        let bytes = |number: i32| number.to_be_bytes().to_vec();
        let some =
            ViewSchema::new().partition_key("a").clustering(key, Order::Ascending).clustering("p", Order::Ascending);
        let of_one = ViewTest::Compare(Comparison::Equal, vec![bytes(1)]);
        let within = ViewTest::In([0, 2, CROWD.start].map(|number| vec![bytes(number)]).to_vec());
        view("some", some.columns(["b", "t"]).with_conditions(vec![condition("p", of_one), condition(key, within)]));
        let both = ViewTest::Compare(Comparison::Greater, vec![bytes(1)]);
        let upper = ViewSchema::new().partition_key("p").clustering(key, Order::Descending).columns(["b"]);
        view("upper", upper.with_conditions(vec![condition(key, both)]));
    }

    fn apply(&mut self, op: &Op) {
        let at = |timestamp: i64| WriteOptions::default().timestamp(timestamp);
        let base = self.base();
        match op {
            Op::Write { is_insert, place, values, ttl, timestamp } => {
                let mut change = base.change(*place).with_options(at(*timestamp).ttl_seconds(*ttl));
                for (name, value) in ["a", "b", "d"].into_iter().zip(values) {
                    if let Some(value) = value {
                        change = change.set(name, *value);
                    }
                }
                if *is_insert {
                    change.insert().execute().unwrap();
                } else if values.iter().any(Option::is_some) {
                    change.execute().unwrap();
                }
            }
            Op::Add { place, element, ttl, timestamp } => {
                let element = CqlValue::Set(vec![(*element).into()]);
                let options = at(*timestamp).ttl_seconds(*ttl);
                base.change(*place).append("t", element).with_options(options).execute().unwrap();
            }
            Op::Static { partition, value, timestamp } => {
                base.change((*partition,)).set("s", *value).with_options(at(*timestamp)).execute().unwrap();
            }
            Op::DeleteRow { place, timestamp } => base.delete_row_with(*place, at(*timestamp)).unwrap(),
            Op::DeleteRange { partition, start, end, timestamp } => {
                base.select((*partition,)).range(self.key, *start..*end).delete_with(at(*timestamp)).unwrap();
            }
            Op::DeletePartition { partition, timestamp } => {
                base.delete_partition_with((*partition,), at(*timestamp)).unwrap();
            }
            Op::Truncate => base.truncate().unwrap(),
            Op::Rename => {
                let to = if self.key == "c" { "k" } else { "c" };
                base.rename_column(self.key, to).unwrap();
                self.key = to;
            }
            Op::AddColumn => drop(base.add_column("more", CqlType::Int).unwrap()),
        }
    }

    /// What of the base's rows a view should have: its columns, with their times, in no order.
    fn expected(&self, view: &str, key_column: Option<&str>, names: &[&str]) -> Vec<String> {
        let key = |row: &Row, name: &str| row.get(name).map(number);
        let is_shown = |row: &Row| match view {
            "some" => key(row, "p") == Some(1) && [0, 2, 1_000].map(Some).contains(&key(row, self.key)),
            "upper" => key(row, self.key) > Some(1),
            _ => true,
        };
        let is_row = |row: &Row| {
            row.get(self.key).is_some() && key_column.is_none_or(|own| row.get(own).is_some()) && is_shown(row)
        };
        let rows = self.base().scan().to_vec().unwrap();
        let mut rows: Vec<_> = rows.iter().filter(|row| is_row(row)).map(|row| shown(row, key_column, names)).collect();
        rows.sort();
        rows
    }

    fn check(&self) {
        for (name, key_column, names) in [
            ("by_a", Some("a"), &["p", self.key, "a", "b", "t"][..]),
            ("swapped", None, &["p", self.key, "b"]),
            ("keys", None, &["p", self.key]),
            ("by_b", Some("b"), &["p", self.key, "a", "b", "d", "t"]),
            ("some", Some("a"), &["p", self.key, "a", "b", "t"]),
            ("upper", None, &["p", self.key, "b"]),
        ] {
            let view = self.store.wide_table("test", name);
            let rows = view.scan().to_vec().unwrap();
            let mut found: Vec<_> = rows.iter().map(|row| shown(row, key_column, names)).collect();
            found.sort();
            assert_eq!(found, self.expected(name, key_column, names), "{name}");
        }
        // In its own order, by partition and by the whole key.
        let view = self.store.wide_table("test", "by_b");
        for p in 0..PARTITIONS {
            let rows = view.select((p,)).to_vec().unwrap();
            let keys = rows.iter().map(|row| (row.get("b").cloned().unwrap(), row.get(self.key).cloned().unwrap()));
            let keys: Vec<_> = keys.collect();
            assert!(keys.is_sorted_by(|x, y| number(&x.0) > number(&y.0) || x.0 == y.0 && number(&x.1) < number(&y.1)));
            for (b, c) in keys {
                let get = view.prepare_get(&["d"]).unwrap();
                assert!(get.get((p, b, c)).unwrap().is_some());
            }
        }
    }
}

fn number(value: &CqlValue) -> i64 {
    match value {
        CqlValue::Int(value) => (*value).into(),
        CqlValue::Tinyint(value) => (*value).into(),
        other => panic!("{other:?}"),
    }
}

/// What is seen of a row, with its times; a column of a view's key has none.
fn shown(row: &Row, key_column: Option<&str>, names: &[&str]) -> String {
    let column = |name: &&str| {
        let time = if key_column == Some(*name) { None } else { row.write_time(name).zip(Some(row.ttl(name))) };
        (row.get(name).cloned(), time)
    };
    format!("{:?}", names.iter().map(column).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // SEM: WID-MV-1, WID-LWW-1, WID-TTL-1, WID-TMB-1
    #[test]
    fn views_have_what_their_base_has_whatever_was_written_and_reclaimed(
        steps in prop::collection::vec((op(), 0u64..3, 0u8..5), 1..25),
        created_at in 0usize..12,
        is_crowded: bool,
    ) {
        let clock = ManualClock::default();
        let mut tables = Tables::new(&clock);
        if is_crowded {
            for (p, c) in (0..PARTITIONS).flat_map(|p| CROWD.map(move |c| (p, c))) {
                let options = WriteOptions::default().timestamp(i64::MAX);
                tables.base().change((p, c)).insert().set("a", 1i8).with_options(options).execute().unwrap();
            }
        }
        let mut is_there = false;
        for (nth, (op, seconds, then)) in steps.iter().enumerate() {
            if nth == created_at {
                tables.create_views();
                tables.store.run_jobs().unwrap();
                is_there = true;
            }
            tables.apply(op);
            clock.advance(Duration::from_secs(*seconds));
            match then {
                0 => drop(tables.store.run_jobs().unwrap()),
                1 => drop(tables.store.sweep_expired().unwrap()),
                _ => {}
            }
            if is_there {
                tables.check();
            }
        }
        if !is_there {
            tables.create_views();
        }
        tables.store.run_jobs().unwrap();
        tables.check();
        clock.advance(Duration::from_hours(250));
        tables.store.sweep_expired().unwrap();
        tables.check();
        for name in ["by_a", "swapped", "keys", "by_b", "some", "upper"] {
            prop_assert!(tables.store.wide_table("test", name).drop_view().unwrap());
        }
        prop_assert!(tables.base().drop_table().unwrap());
    }
}

fn users(store: &Store) -> WideTable {
    let users = store.wide_table("shop", "users");
    let schema = TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text);
    users.create(schema.column("name", CqlType::Text).column("tags", CqlType::set(CqlType::Text))).unwrap();
    users
}

fn by_city() -> ViewSchema {
    ViewSchema::new().partition_key("city").clustering("id", Order::Ascending)
}

// SEM: WID-MV-1
#[test]
fn what_no_view_can_be_is_refused_in_the_words_of_cassandra() {
    let store = Store::in_memory();
    let users = users(&store);
    let refused = |schema: ViewSchema, words: &str| {
        let error = users.create_view("v", &schema).unwrap_err();
        assert_eq!(Exception::of(&error), Exception::Invalid);
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(ViewSchema::new(), "Must provide at least one partition key column for materialized view 'v'");
    refused(
        ViewSchema::new().partition_key("city"),
        "Cannot create materialized view 'v' without primary key columns id from base table 'users'",
    );
    refused(
        by_city().clustering("name", Order::Ascending),
        "Cannot include more than one non-primary key column in materialized view primary key (got city, name)",
    );
    refused(
        ViewSchema::new().partition_key("tags").partition_key("id"),
        "Invalid non-frozen collection type 'set<text>' for PRIMARY KEY column 'tags'",
    );
    refused(
        ViewSchema::new().partition_key("zip").partition_key("id"),
        "Unknown column 'zip' referenced in PRIMARY KEY for materialized view 'v'",
    );
    refused(by_city().columns(["zip"]), "Undefined column name zip");
    refused(by_city().clustering("id", Order::Ascending), "Duplicate column 'id' in PRIMARY KEY clause");
    users.create_view("v", &by_city()).unwrap();
    users.create_view("v", &by_city()).unwrap();
    let error = users.create_view("v", &by_city().columns([])).unwrap_err();
    assert_eq!(Exception::of(&error), Exception::AlreadyExists);
    assert_eq!(Exception::of(&users.create_view("users", &by_city()).unwrap_err()), Exception::AlreadyExists);
    let view = store.wide_table("shop", "v");
    let error = view.create_view("w", &by_city()).unwrap_err().to_string();
    assert!(error.contains("Materialized views cannot be created against other materialized views"), "{error}");
    assert!(view.create(TableSchema::new().partition_key("id", CqlType::Int)).is_err());

    let visits = store.wide_table("shop", "visits");
    visits.create(TableSchema::new().partition_key("id", CqlType::Int).column("n", CqlType::Counter)).unwrap();
    let error = visits.create_view("w", &ViewSchema::new().partition_key("id")).unwrap_err().to_string();
    assert!(error.contains("Materialized views are not supported on counter tables"), "{error}");
    assert_eq!(store.wide_keyspace("shop").view_names().unwrap(), ["v"]);
}

// SEM: WID-MV-1
#[test]
fn a_view_cannot_be_written_to_and_its_base_not_be_taken_away() {
    let store = Store::in_memory();
    let users = users(&store);
    users.create_view("v", &by_city()).unwrap();
    users.insert(&[("id", 1.into()), ("city", "Graz".into())]).unwrap();
    let view = store.wide_table("shop", "v");
    let said = |outcome: Result<(), crate::Error>, words: &str| {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let direct = "Cannot directly modify a materialized view";
    said(view.insert(&[("city", "Graz".into()), ("id", 2.into())]), direct);
    said(view.delete_row(("Graz", 1)), direct);
    said(view.delete_partition(("Graz",)), direct);
    said(view.prepare_insert(&["city", "id"]).unwrap().execute(("Graz", 2)), direct);
    said(view.truncate(), "Cannot TRUNCATE materialized view directly; must truncate base table instead");
    let alter = "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead";
    said(view.set_default_ttl(5), alter);
    said(view.add_column("x", CqlType::Int).map(drop), alter);
    said(
        view.create_index("i", "name", IndexTarget::Value),
        "Secondary indexes on materialized views aren't supported",
    );
    said(view.drop_table().map(drop), "Cannot use DROP TABLE on a materialized view.");
    said(users.drop_table().map(drop), "Cannot drop a table when materialized views still depend on it (v)");
    said(users.drop_column("name").map(drop), "Cannot drop column name on base table users with materialized views");
    said(
        users.set_options(|options| options.gc_grace_seconds = 0),
        "Cannot alter gc_grace_seconds of the base table of a materialized view to 0",
    );
    said(users.drop_view().map(drop), "Materialized view 'shop.users' doesn't exist");
    assert_eq!(view.scan().to_vec().unwrap().len(), 1, "nothing has changed");
    assert!(store.wide_keyspace("shop").drop_keyspace().unwrap());
    assert!(store.wide_keyspace("shop").view_names().unwrap().is_empty());
}

// SEM: WID-MV-1
#[test]
fn a_view_that_shows_all_columns_gets_those_that_come_later() {
    let store = Store::in_memory();
    let users = users(&store);
    users.create_view("all", &by_city()).unwrap();
    users.create_view("some", &by_city().columns(["name"])).unwrap();
    users.add_column("zip", CqlType::Int).unwrap();
    users.insert(&[("id", 1.into()), ("city", "Graz".into()), ("zip", 8010.into())]).unwrap();
    let row = |name: &str| store.wide_table("shop", name).select(("Graz",)).to_vec().unwrap().remove(0);
    assert_eq!(row("all").get("zip"), Some(&8010.into()));
    assert_eq!(row("some").get("zip"), None);
    users.rename_column("id", "number").unwrap();
    assert_eq!(row("some").get("number"), Some(&1.into()));
}

/// A row whose key in the view could be none is not in it, and the base takes it.
#[test]
fn a_row_that_has_no_key_in_the_view_is_not_in_it() {
    let store = Store::in_memory();
    let users = users(&store);
    let alone = ViewSchema::new().partition_key("city").clustering("id", Order::Ascending);
    users.create_view("v", &alone).unwrap();
    let view = store.wide_table("shop", "v");
    let long = "x".repeat(70_000);
    for city in ["", long.as_str(), "Graz"] {
        users.insert(&[("id", 1.into()), ("city", city.into())]).unwrap();
        assert_eq!(view.scan().to_vec().unwrap().len(), usize::from(city == "Graz"));
    }
    users.update(&[("id", 1.into()), ("city", "y".repeat(20_000).into())]).unwrap();
    let rows = view.scan().to_vec().unwrap();
    assert_eq!(rows[0].get("city"), Some(&"y".repeat(20_000).into()));
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_view_of_many_rows_is_filled_by_a_job_among_writes() {
    let store = Store::in_memory();
    let users = users(&store);
    let insert = users.prepare_insert(&["id", "city"]).unwrap();
    (0..3_000i32)
        .for_each(|id| insert.execute((id, ["Graz", "Linz", "Wien"][usize::try_from(id).unwrap() % 3])).unwrap());
    users.create_view("v", &by_city()).unwrap();
    users.update(&[("id", 0.into()), ("city", "Wels".into())]).unwrap();
    users.delete_row((1,)).unwrap();
    // Unless the background has done it.
    store.run_jobs().unwrap();
    let view = store.wide_table("shop", "v");
    let count = |city: &str| view.select((city,)).to_vec().unwrap().len();
    assert_eq!(["Graz", "Linz", "Wien", "Wels"].map(count), [999, 999, 1_000, 1]);
    // In a transaction that is undone, and in one that made the view itself.
    let tx = store.begin().unwrap();
    tx.wide_table("shop", "users").update(&[("id", 0.into()), ("city", "Graz".into())]).unwrap();
    assert_eq!(tx.wide_table("shop", "v").select(("Wels",)).to_vec().unwrap().len(), 0);
    drop(tx);
    assert_eq!(count("Wels"), 1);
    users.truncate().unwrap();
    assert_eq!(view.scan().to_vec().unwrap().len(), 0);
}

// SEM: WID-MV-1, WID-ERR-1
#[test]
fn views_are_made_changed_and_dropped_by_statements() {
    let session = Store::in_memory().cql();
    let run = |statement: &str| session.execute(statement, ()).unwrap_or_else(|error| panic!("{statement}: {error}"));
    run("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run("USE k");
    run("CREATE TABLE users (id int PRIMARY KEY, city text, name text)");
    run("INSERT INTO users (id, city, name) VALUES (1, 'Graz', 'Ann')");
    let by_city = "CREATE MATERIALIZED VIEW by_city AS SELECT id, city, name FROM users \
                   WHERE city IS NOT NULL AND id IS NOT NULL PRIMARY KEY (city, id) \
                   WITH CLUSTERING ORDER BY (id DESC) AND comment = 'who lives where'";
    run(by_city);
    run("INSERT INTO users (id, city, name) VALUES (2, 'Graz', 'Bob')");
    let rows = |query: &str| {
        let answer = session.query(query, ()).unwrap();
        let row = |row: &Row| row.iter().map(|(_, value)| format!("{value:?}")).collect::<Vec<_>>().join(" ");
        answer.rows().iter().map(row).collect::<Vec<_>>()
    };
    let names = rows("SELECT name FROM by_city WHERE city = 'Graz'");
    assert_eq!(names, [r#"Some(Text("Bob"))"#, r#"Some(Text("Ann"))"#]);
    let views = rows("SELECT base_table_name, include_all_columns, where_clause, comment FROM system_schema.views");
    let all = "Some(Text(\"users\")) Some(Boolean(false)) Some(Text(\"city IS NOT NULL AND id IS NOT NULL\")) \
               Some(Text(\"who lives where\"))";
    assert_eq!(views, [all]);
    let tables = rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'k'");
    assert_eq!(tables, [r#"Some(Text("users"))"#]);
    assert_eq!(
        rows("SELECT column_name FROM system_schema.columns WHERE keyspace_name = 'k' AND table_name = 'by_city'")
            .len(),
        3
    );
    let select = |key: &str, condition: &str| {
        format!("CREATE MATERIALIZED VIEW v AS SELECT * FROM users WHERE {condition} PRIMARY KEY ({key})")
    };
    let other = by_city.replace("VIEW by_city", "VIEW v");
    for (statement, words) in [
        (
            select("city, id", "city IS NOT NULL"),
            "Primary key columns id must be restricted with 'IS NOT NULL' or otherwise",
        ),
        (
            select("city, id", "city IS NOT NULL AND id IS NOT NULL").replace("v AS", "users AS"),
            "a table with the same name already exists",
        ),
        (select("city", "city IS NOT NULL"), "without primary key columns id from base table 'users'"),
        (other.replace("id, city, name", "id AS n, city"), "Cannot use aliases when defining a materialized view"),
        (other.replace("id, city, name", "id, name"), "Unknown column 'city' referenced in PRIMARY KEY"),
        (by_city.replace("FROM users", "FROM nobody"), "Base table 'nobody' doesn't exist"),
        (by_city.to_owned(), "already exists"),
        ("INSERT INTO by_city (city, id) VALUES ('Graz', 3)".to_owned(), "Cannot directly modify a materialized view"),
        ("DROP TABLE users".to_owned(), "Cannot drop a table when materialized views still depend on it (by_city)"),
        ("DROP TABLE by_city".to_owned(), "Cannot use DROP TABLE on a materialized view."),
        ("TRUNCATE by_city".to_owned(), "Cannot TRUNCATE materialized view directly"),
        ("ALTER TABLE by_city ADD x int".to_owned(), "Cannot use ALTER TABLE on a materialized view"),
        (
            "ALTER TABLE users DROP name".to_owned(),
            "Cannot drop column name on base table users with materialized views",
        ),
        ("ALTER MATERIALIZED VIEW users WITH comment = 'x'".to_owned(), "Materialized view 'k.users' doesn't exist"),
        (
            "ALTER MATERIALIZED VIEW by_city WITH default_time_to_live = 5".to_owned(),
            "Cannot set or alter default_time_to_live",
        ),
        ("CREATE INDEX ON by_city (name)".to_owned(), "Secondary indexes on materialized views aren't supported"),
        ("DROP MATERIALIZED VIEW nothing".to_owned(), "Materialized view 'k.nothing' doesn't exist"),
    ] {
        let error = session.execute(statement.as_str(), ()).unwrap_err();
        assert!(error.to_string().contains(words), "{statement}: {error}");
    }
    run("ALTER MATERIALIZED VIEW by_city WITH comment = 'nobody'");
    run("ALTER TABLE users RENAME id TO number");
    run(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS by_city AS SELECT * FROM users WHERE city IS NOT NULL PRIMARY KEY (city)",
    );
    assert_eq!(rows("SELECT number FROM by_city WHERE city = 'Graz' LIMIT 1"), ["Some(Int(2))"]);
    run("TRUNCATE users");
    assert!(rows("SELECT * FROM by_city").is_empty());
    run("DROP MATERIALIZED VIEW by_city");
    run("DROP MATERIALIZED VIEW IF EXISTS by_city");
    run("DROP TABLE users");
}
