//! What indexes hold, and what queries by them return, under any writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Bound;
use std::time::Duration;

use proptest::prelude::*;

use super::{Sought, all, entry, sought, values};
use crate::encoding::owner;
use crate::engine::{Direction, Key, KeyRange};
use crate::wide_column::cql::Cql;
#[cfg(feature = "server")]
use crate::wide_column::cql::{PageOf, Times};
use crate::wide_column::layout::{self, Place};
use crate::wide_column::record::RowView;
use crate::wide_column::schema::{self, IndexTarget, NewIndex, TableRecord};
use crate::wide_column::testing::hex;
use crate::wide_column::{CqlType, CqlValue, PagePosition, Row, TableSchema, WideTable};
use crate::{ManualClock, Store};

const COLUMNS: &str = "a int, b int, c int, d text, s int STATIC, ss set<int> STATIC, v int, m map<int, int>, \
    l frozen<list<int>>, PRIMARY KEY ((a, b), c, d)";

/// What is indexed, each with the name of its index.
const INDEXES: [(&str, &str); 10] = [
    ("b", "b"),
    ("c", "c"),
    ("d", "d"),
    ("s", "s"),
    ("ss", "ss"),
    ("v", "v"),
    ("m_keys", "KEYS(m)"),
    ("m_values", "VALUES(m)"),
    ("m_entries", "ENTRIES(m)"),
    ("l", "FULL(l)"),
];

/// Rows of a partition that make what else is in it too much to be removed at once.
const CROWD: std::ops::Range<i32> = 1_000..1_070;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Own,
    StorageAttached,
}

#[derive(Clone, Debug)]
enum Op {
    /// A statement, with the table's name to be put in.
    Statement(String),
    Truncate,
    Wait(u64),
    Sweep,
    Jobs,
}

fn op() -> impl Strategy<Value = Op> {
    let small = || 0i32..3;
    let partition = || (0i32..2, 0i32..2).prop_map(|(a, b)| format!("a = {a} AND b = {b}"));
    let row = move || {
        (partition(), small(), prop::sample::select(vec!["", "x", "y"]))
            .prop_map(|(partition, c, d)| format!("{partition} AND c = {c} AND d = '{d}'"))
    };
    let using = (0i64..6, prop_oneof![3 => Just(0), 1 => 1u32..5])
        .prop_map(|(at, ttl)| format!("USING TIMESTAMP {at} AND TTL {ttl}"));
    let at = (0i64..6).prop_map(|at| format!("USING TIMESTAMP {at}"));
    let of_row = prop_oneof![
        3 => prop::option::of(small()).prop_map(|v| format!("v = {}", v.map_or("null".to_owned(), |v| v.to_string()))),
        2 => (small(), small()).prop_map(|(key, value)| format!("m[{key}] = {value}")),
        1 => (small(), small()).prop_map(|(key, value)| format!("m = {{{key}: {value}}}")),
        1 => small().prop_map(|key| format!("m = m - {{{key}}}")),
        1 => prop::collection::vec(small(), 0..2).prop_map(|l| format!("l = {l:?}")),
    ];
    let of_partition = prop_oneof![
        prop::option::of(small()).prop_map(|s| format!("s = {}", s.map_or("null".to_owned(), |s| s.to_string()))),
        small().prop_map(|s| format!("ss = ss + {{{s}}}")),
        small().prop_map(|s| format!("ss = ss - {{{s}}}")),
        small().prop_map(|s| format!("ss = {{{s}}}")),
    ];
    let insert = (row(), small(), using.clone()).prop_map(|(row, v, using)| {
        let values: Vec<_> = row.split(" AND ").filter_map(|part| part.split(" = ").nth(1)).collect();
        format!("INSERT INTO {{}} (a, b, c, d, v) VALUES ({}, {v}) {using}", values.join(", "))
    });
    let statement = prop_oneof![
        4 => insert,
        4 => (row(), of_row, using.clone()).prop_map(|(row, set, using)| format!("UPDATE {{}} {using} SET {set} WHERE {row}")),
        4 => (partition(), of_partition, using)
            .prop_map(|(partition, set, using)| format!("UPDATE {{}} {using} SET {set} WHERE {partition}")),
        1 => (row(), at.clone()).prop_map(|(row, at)| format!("DELETE v, m FROM {{}} {at} WHERE {row}")),
        1 => (row(), at.clone()).prop_map(|(row, at)| format!("DELETE FROM {{}} {at} WHERE {row}")),
        1 => (partition(), small(), at.clone())
            .prop_map(|(partition, c, at)| format!("DELETE FROM {{}} {at} WHERE {partition} AND c >= {c}")),
        1 => (partition(), at).prop_map(|(partition, at)| format!("DELETE FROM {{}} {at} WHERE {partition}")),
    ];
    prop_oneof![
        20 => statement.prop_map(Op::Statement),
        1 => Just(Op::Truncate),
        3 => (1u64..4).prop_map(Op::Wait),
        2 => Just(Op::Sweep),
        2 => Just(Op::Jobs),
    ]
}

/// Two tables that are written alike: `t`, whose indexes are under test, and `u`, which has none.
struct Twins {
    store: Store,
    clock: ManualClock,
    session: Cql,
}

impl Twins {
    fn new(is_crowded: bool) -> Self {
        let clock = ManualClock::default();
        let store = Store::builder().clock(clock.clone()).in_memory();
        let session = store.cql();
        let twins = Self { store, clock, session };
        twins.run("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        twins.run("USE k");
        for table in ["t", "u"] {
            twins.run(&format!("CREATE TABLE {table} ({COLUMNS}) WITH CLUSTERING ORDER BY (c DESC, d ASC)"));
            for c in CROWD.filter(|_| is_crowded) {
                let row = format!("(0, 1, {c}, 'x', 1) USING TIMESTAMP 3");
                twins.run(&format!("INSERT INTO {table} (a, b, c, d, v) VALUES {row}"));
            }
        }
        twins
    }

    fn run(&self, statement: &str) {
        self.session.execute(statement, ()).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    fn create_indexes(&self, kind: Kind) {
        for (name, target) in INDEXES {
            let using = if kind == Kind::StorageAttached { " USING 'sai'" } else { "" };
            self.run(&format!("CREATE INDEX {name} ON t ({target}){using}"));
        }
    }

    fn apply(&self, op: &Op) {
        match op {
            Op::Statement(statement) => {
                for table in ["t", "u"] {
                    self.run(&statement.replacen("{}", table, 1));
                }
            }
            Op::Truncate => {
                for table in ["t", "u"] {
                    self.run(&format!("TRUNCATE {table}"));
                }
            }
            Op::Wait(seconds) => {
                self.clock.advance(Duration::from_secs(*seconds));
            }
            Op::Sweep => drop(self.store.sweep_expired().unwrap()),
            Op::Jobs => drop(self.store.run_jobs().unwrap()),
        }
    }

    fn table(&self) -> WideTable {
        self.store.wide_table("k", "t")
    }

    /// Every entry of the indexes is that of a stored row, and every stored row has its entries.
    fn check_contents(&self, table: &str) {
        let (found, expected) = self
            .table()
            .read("dump", |view| {
                let definition = schema::table(view, "k", table)?.unwrap();
                let table = &definition.record;
                let (mut found, mut expected) = (BTreeSet::new(), BTreeSet::new());
                let mut cursor =
                    view.range(&KeyRange::prefix(&layout::table_prefix(definition.storage)), Direction::Forward)?;
                while let Some((key, value)) = cursor.next()? {
                    if !matches!(layout::split(key)?, (_, Place::Row(_) | Place::Static)) {
                        continue;
                    }
                    let row = RowView::new(value)?;
                    for index in &table.indexes {
                        expected.extend(values(table, index, key, &row)?.iter().map(|value| entry(index, value, key)));
                    }
                }
                // Truncated indexes and the list of what is deleted have other ids.
                for index in &table.indexes {
                    let mut cursor = view.range(&KeyRange::prefix(&all(index.storage)), Direction::Forward)?;
                    while let Some((key, value)) = cursor.next()? {
                        assert!(key[0] == owner::WIDE_INDEXES && value.is_empty());
                        found.insert(Key::from(key));
                    }
                }
                Ok((found, expected))
            })
            .unwrap();
        assert_eq!(found, expected);
    }

    /// By index each query returns what it returns by looking at every row.
    fn check_queries(&self, kind: Kind, rows: usize) {
        for query in queries(kind) {
            let Query { select, condition, behind, needs_filtering } = &query;
            let filtering = if *needs_filtering { " ALLOW FILTERING" } else { "" };
            let by_index = self.rows(&format!("SELECT {select} FROM t WHERE {condition}{behind}{filtering}"));
            let expected = self.rows(&format!("SELECT {select} FROM u WHERE {condition}{behind} ALLOW FILTERING"));
            assert_eq!(by_index, expected, "{query:?}");
            let paged = self.pages(&format!("SELECT {select} FROM t WHERE {condition}{behind}{filtering}"), rows);
            assert_eq!(paged, expected.len(), "{query:?} in pages of {rows}");
        }
    }

    /// How many rows a query returns in pages, as a door asks for them.
    #[cfg(feature = "server")]
    fn pages(&self, query: &str, rows: usize) -> usize {
        let statement = self.session.prepare(query).unwrap();
        let (mut page, mut found) = (PageOf { rows, behind: None }, 0);
        loop {
            let served = self.session.serve(&statement, &[], Some(&page), Times::default()).unwrap();
            found += served.rows.len();
            let Some(next) = served.next else { return found };
            page.behind = Some(next);
        }
    }

    #[cfg(not(feature = "server"))]
    fn pages(&self, query: &str, _rows: usize) -> usize {
        self.rows(query).len()
    }

    fn rows(&self, query: &str) -> Vec<String> {
        let answer = self.session.query(query, ()).unwrap_or_else(|error| panic!("{query}: {error}"));
        answer.rows().iter().map(shown).collect()
    }

    /// Pages of any size lose and repeat nothing.
    fn check_pages(&self, rows: usize) {
        let entry = CqlValue::Tuple(vec![1.into(), 1.into()]);
        let sought = [
            ("b", 1.into()),
            ("c", 1.into()),
            ("d", "x".into()),
            ("s", 1.into()),
            ("ss", 1.into()),
            ("m_entries", entry),
        ];
        for (index, value) in sought {
            let query = self.table().select_by_index(index, value);
            let all: Vec<_> = query.clone().to_vec().unwrap().iter().map(shown).collect();
            let (mut found, mut next) = (Vec::new(), query);
            loop {
                let page = next.clone().page(rows).unwrap();
                found.extend(page.rows.iter().map(shown));
                let Some(position) = page.next else { break };
                next = next.after(PagePosition::from_bytes(&position.to_bytes()).unwrap());
            }
            assert_eq!(found, all, "{index} in pages of {rows}");
        }
    }
}

fn shown(row: &Row) -> String {
    row.iter().fold(String::new(), |mut out, (name, value)| {
        write!(out, "{name}: {value:?} ").unwrap();
        out
    })
}

#[derive(Debug)]
struct Query {
    select: &'static str,
    condition: String,
    behind: &'static str,
    needs_filtering: bool,
}

fn queries(kind: Kind) -> Vec<Query> {
    let mut all = Vec::new();
    let mut add = |condition: &str, needs_filtering: bool| {
        for behind in ["", " LIMIT 2", " PER PARTITION LIMIT 1"] {
            all.push(Query { select: "*", condition: condition.to_owned(), behind, needs_filtering });
        }
    };
    for condition in [
        "b = 1",
        "c = 1",
        "d = 'x'",
        "d = ''",
        "s = 1",
        "ss CONTAINS 1",
        "v = 1",
        "m CONTAINS KEY 1",
        "m CONTAINS 1",
        "m[1] = 1",
        "l = [1]",
        "l = []",
        "a = 0 AND b = 1 AND d = 'x'",
        "a = 0 AND b = 1 AND s = 1",
        "a = 0 AND b = 1 AND c >= 1 AND v = 1",
        "a = 0 AND b = 1 AND c = 1 AND d > '' AND s = 1",
        "(c, d) = (1, 'x')",
        "token(a, b) > 0 AND c = 1",
        "token(a, b) > 0 AND s = 1",
    ] {
        add(condition, false);
    }
    for condition in ["c = 1 AND v = 1", "b = 1 AND s = 1", "s = 1 AND c < 2", "d = 'x' AND c > 0", "v > 0", "c <= 1"] {
        add(condition, kind == Kind::Own);
    }
    for condition in ["v >= 1 AND v < 2", "s > 0", "s > 0 AND b < 1", "m CONTAINS KEY 1 AND m CONTAINS 1", "b > 0"] {
        add(condition, kind == Kind::Own);
    }
    for condition in ["a = 0 AND s = 1", "v IN (0, 1)", "d > ''", "c IN (0, 2) AND v = 1"] {
        add(condition, true);
    }
    for condition in ["a = 0 AND b = 1 AND v >= 1", "token(a, b) > 0 AND v >= 1", "a = 0 AND b = 1 AND s >= 1"] {
        add(condition, kind == Kind::Own);
    }
    for condition in ["s = 1", "b = 1", "ss CONTAINS 1"] {
        let condition = condition.to_owned();
        all.push(Query { select: "DISTINCT a, b, s", condition, behind: "", needs_filtering: false });
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // SEM: WID-QRY-5
    #[test]
    fn indexes_of_any_column_hold_and_find_what_rows_have(
        before in prop::collection::vec(op(), 0..12),
        steps in prop::collection::vec(op(), 1..16),
        is_crowded: bool,
        rows in 1usize..4,
        kind in prop::sample::select(vec![Kind::Own, Kind::StorageAttached]),
    ) {
        let twins = Twins::new(is_crowded);
        for op in &before {
            twins.apply(op);
        }
        twins.create_indexes(kind);
        // A few writes may come between the rows and the job that enters them.
        for op in steps.iter().take(steps.len() / 3) {
            twins.apply(op);
        }
        twins.store.run_jobs().unwrap();
        twins.check_contents("t");
        for op in steps.iter().skip(steps.len() / 3) {
            twins.apply(op);
            twins.check_contents("t");
        }
        twins.check_queries(kind, rows);
        twins.check_pages(rows);
    }
}

// SEM: WID-QRY-5, WID-QRY-4
#[test]
fn pages_of_a_range_go_on_whether_its_rows_are_gathered_or_the_table_is_read() {
    let twins = Twins::new(false);
    twins.run("CREATE TABLE w (p int, c int, v int, PRIMARY KEY (p, c))");
    twins.run("CREATE INDEX ON w (v) USING 'sai'");
    // The key of each takes some fifty bytes, and 4 MiB of them may be gathered: of the second page they are.
    let inserted = twins.store.transaction(|tx| {
        let table = tx.wide_table("k", "w");
        (0..90_000).try_for_each(|n: i32| table.insert(&[("p", (n % 10).into()), ("c", n.into()), ("v", n.into())]))
    });
    inserted.unwrap();
    assert_eq!(twins.pages("SELECT c FROM w WHERE v >= 10", 40_000), 89_990);
    assert_eq!(twins.pages("SELECT c FROM w WHERE v >= 10 PER PARTITION LIMIT 2", 3), 20);
}

// SEM: WID-QRY-5
#[test]
fn entries_of_a_type_that_has_grown_go_with_their_rows() {
    let twins = Twins::new(false);
    twins.run("CREATE TYPE grown (n int)");
    twins.run("CREATE TABLE w (p int PRIMARY KEY, v frozen<grown>, m map<int, frozen<grown>>)");
    for target in ["v", "VALUES(m)", "ENTRIES(m)"] {
        twins.run(&format!("CREATE INDEX ON w ({target}) USING 'sai'"));
    }
    twins.run("INSERT INTO w (p, v, m) VALUES (1, {n: 1}, {1: {n: 1}})");
    assert_eq!(twins.rows("SELECT p FROM w WHERE v = {n: 1} AND m[1] = {n: 1}").len(), 1);
    twins.run("ALTER TYPE grown ADD o int");
    twins.check_contents("w");
    twins.run("INSERT INTO w (p, v, m) VALUES (1, {n: 2, o: 3}, {2: {n: 2}})");
    twins.check_contents("w");
    assert_eq!(twins.rows("SELECT p FROM w WHERE v = {n: 2, o: 3}").len(), 1);
    assert_eq!(twins.rows("SELECT p FROM w WHERE v = {n: 1}").len(), 0);
}

// SEM: WID-QRY-5
#[test]
fn the_layout_is_the_documented_one() {
    let schema = TableSchema::new().partition_key("p", CqlType::Int).column("v", CqlType::Int);
    let mut table = TableRecord::new(schema);
    for (name, class) in [("own", ""), ("sai", "sai")] {
        let (column, target, options) = ("v", IndexTarget::Value, BTreeMap::new());
        table.add_index(&NewIndex { name, column, target, class, options }, 5).unwrap();
    }
    let seven = 7i32.to_be_bytes().to_vec();
    let start = |index, what: &Sought| match sought(&table, index, what).unwrap().start() {
        Bound::Included(key) => hex(key),
        other => panic!("{other:?}"),
    };
    assert_eq!(start(0, &Sought::Value(seven.clone())), "410000000500ff00ff00ff070000");
    assert_eq!(start(1, &Sought::Value(seven.clone())), "41000000058000ff00ff070000");
    assert_eq!(start(1, &Sought::Range(Bound::Excluded(seven), Bound::Unbounded)), "41000000058000ff00ff07");
}

#[test]
fn what_is_deleted_or_has_expired_leaves_no_entries() {
    let twins = Twins::new(true);
    twins.create_indexes(Kind::StorageAttached);
    for c in 0..3 {
        let mut row = format!("a = 0 AND b = 0 AND c = {c}");
        twins.run(&format!("UPDATE t USING TTL 5 SET s = 1, ss = {{1}} WHERE {}", row.split(" AND c").next().unwrap()));
        write!(row, " AND d = 'x'").unwrap();
        twins.run(&format!("UPDATE t USING TTL 5 SET v = 1, m = {{1: 1}}, l = [1] WHERE {row}"));
    }
    twins.store.run_jobs().unwrap();
    twins.run("DELETE FROM t WHERE a = 0 AND b = 1");
    twins.clock.advance(Duration::from_secs(5));
    twins.store.sweep_expired().unwrap();
    twins.store.run_jobs().unwrap();
    twins.check_contents("t");
    let left = twins.table().read("dump", |view| {
        let definition = schema::table(view, "k", "t")?.unwrap();
        let mut left = 0;
        for index in &definition.record.indexes {
            let mut cursor = view.range(&KeyRange::prefix(&all(index.storage)), Direction::Forward)?;
            while cursor.next()?.is_some() {
                left += 1;
            }
        }
        Ok(left)
    });
    assert_eq!(left.unwrap(), 0);
}
