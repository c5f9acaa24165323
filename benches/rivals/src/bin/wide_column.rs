//! Wide-column tables beside SQLite (`WITHOUT ROWID`) and beside the bare engine, on the same rows in one process, in memory.
//!
//! ```sh
//! cd benches/rivals
//! cargo run --release --bin wide_column              # times of the thread's processor: a minute
//! cargo run --release --bin wide_column -- growth    # a select among 10,000 and among 10,000,000 rows: some minutes, 4 GB
//! cargo run --release --bin wide_column -- insert 100000   # one operation so many times, for valgrind
//! cargo run --release --bin wide_column -- cell 1000       # the same, of one cell of a row of 999
//! ```
//! Rows are of a date, a timestamp (newest first) and a text as key, two texts and a number as values: 42 bytes each. Partitions have
//! 100 rows. Times are of the thread's processor, medians of five rounds that take turns. The engine's rows are its own: the
//! same keys and values of as many bytes, without anything that knows what they are.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

use std::fs;
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;

use comfy_table::{Table, presets};
use larder::engine::{Changes, Direction, Durability, Engine, Key, KeyRange, MemoryEngine};
use larder::wide_column::{CqlType, CqlValue, Order, PreparedGet, PreparedInsert, TableSchema};
use larder::{Store, WideTable};
use larder_rivals::cpu_ns;
use rusqlite::{Connection, params};
use serde::Deserialize;

const ROWS: i64 = 200_000;
const PARTITION_ROWS: i64 = 100;
const ROUNDS: usize = 5;
const TURNS: i64 = 20_000;

#[derive(Deserialize)]
struct Event<'a> {
    kind: &'a str,
    data: &'a str,
    n: i64,
}

struct Setting {
    rows: i64,
    table: WideTable,
    insert: PreparedInsert,
    get: PreparedGet,
    engine: Arc<MemoryEngine>,
    sqlite: Connection,
}

const KIND: &str = "page_view_signup_";
const DATA: &str = "{\"page\":\"/check\"}";
const INSERT: &str = "INSERT OR REPLACE INTO events (day, at, user, kind, data, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const POINT: &str = "SELECT kind, data, n FROM events WHERE day = ?1 AND at = ?2 AND user = ?3";
const SLICE: &str = "SELECT kind, data, n FROM events WHERE day = ?1 ORDER BY at DESC, user LIMIT ?2";

fn day(n: i64) -> i32 {
    i32::try_from(n / PARTITION_ROWS).unwrap()
}

fn user(n: i64) -> &'static str {
    ["user-0041", "user-0042", "user-0043"][usize::try_from(n % 3).unwrap()]
}

/// A key like that of the row, of as many bytes.
fn key(n: i64) -> Vec<u8> {
    let mut key = vec![0x40, 0, 0, 0, 1];
    // Partitions lie scattered, as tokens make them.
    key.extend_from_slice(&(n / PARTITION_ROWS).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()).to_be_bytes());
    key.extend_from_slice(&day(n).to_be_bytes());
    key.extend_from_slice(&[0, 0, 0x10]);
    key.extend_from_slice(&(i64::MAX - n).to_be_bytes());
    key.extend_from_slice(user(n).as_bytes());
    key.extend_from_slice(&[0, 0]);
    key
}

impl Setting {
    fn new(rows: i64) -> Self {
        let table = Store::in_memory().wide_table("analytics", "events");
        let schema = TableSchema::new()
            .partition_key("day", CqlType::Date)
            .clustering("at", CqlType::Timestamp, Order::Descending)
            .clustering("user", CqlType::Text, Order::Ascending)
            .column("kind", CqlType::Text)
            .column("data", CqlType::Text)
            .column("n", CqlType::Bigint);
        table.create(schema).unwrap();
        let insert = table.prepare_insert(&["day", "at", "user", "kind", "data", "n"]).unwrap();
        let get = table.prepare_get(&["kind", "data", "n"]).unwrap();
        let sqlite = Connection::open_in_memory().unwrap();
        sqlite
            .execute_batch(
                "CREATE TABLE events (day INTEGER, at INTEGER, user TEXT, kind TEXT, data TEXT, n INTEGER,
                 PRIMARY KEY (day, at DESC, user)) WITHOUT ROWID; BEGIN",
            )
            .unwrap();
        let setting = Self { rows, table, insert, get, engine: Arc::new(MemoryEngine::new()), sqlite };
        for n in 0..rows {
            setting.insert(n);
            setting.put(n);
            setting.insert_sqlite(n);
        }
        setting.sqlite.execute_batch("COMMIT").unwrap();
        setting
    }

    /// A number of a row, another each turn.
    fn number(&self, turn: i64) -> i64 {
        turn * 7_919 % self.rows
    }

    fn insert(&self, n: i64) {
        let date = CqlValue::date_from_days_since_epoch(day(n));
        self.insert.execute((date, CqlValue::Timestamp(n), user(n), KIND, DATA, n)).unwrap();
    }

    fn insert_sqlite(&self, n: i64) {
        let mut statement = self.sqlite.prepare_cached(INSERT).unwrap();
        statement.execute(params![day(n), n, user(n), KIND, DATA, n]).unwrap();
    }

    fn put(&self, n: i64) {
        let mut changes = Changes::new();
        changes.put(&key(n), &[7; 61]);
        self.engine.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
    }

    fn point(&self, n: i64) {
        let date = CqlValue::date_from_days_since_epoch(day(n));
        let mut bytes = Vec::with_capacity(128);
        assert!(self.get.to_protocol((date, CqlValue::Timestamp(n), user(n)), &mut bytes).unwrap());
        black_box(bytes);
    }

    fn engine_get(&self, n: i64) {
        let snapshot = self.engine.snapshot().unwrap();
        black_box(snapshot.get(&key(n)).unwrap().unwrap().len());
    }

    fn point_sqlite(&self, n: i64) {
        let mut statement = self.sqlite.prepare_cached(POINT).unwrap();
        let row = statement.query_row(params![day(n), n, user(n)], |row| {
            Ok((row.get_ref(0)?.as_str()?.len(), row.get_ref(1)?.as_str()?.len(), row.get::<_, i64>(2)?))
        });
        black_box(row.unwrap());
    }

    fn slice(&self, n: i64, rows: u64) {
        let query = self.table.select((CqlValue::date_from_days_since_epoch(day(n)),)).columns(["kind", "data", "n"]);
        let mut bytes = Vec::with_capacity(16 << 10);
        assert_eq!(u64::from(query.limit(rows).to_protocol(&mut bytes).unwrap()), rows);
        black_box(bytes);
    }

    fn slice_typed(&self, n: i64, rows: u64) {
        let query = self.table.select((CqlValue::date_from_days_since_epoch(day(n)),)).columns(["kind", "data", "n"]);
        let mut bytes = 0;
        let sum = query.limit(rows).for_each(|row| {
            let event: Event<'_> = row.to()?;
            bytes += event.kind.len() + event.data.len() + usize::try_from(event.n & 1).unwrap();
            Ok(())
        });
        sum.unwrap();
        black_box(bytes);
    }

    fn scan(&self, n: i64, rows: u64) {
        let snapshot = self.engine.snapshot().unwrap();
        let first = n / PARTITION_ROWS * PARTITION_ROWS;
        let start = Bound::Included(Key::from(key(first + PARTITION_ROWS - 1)));
        let mut cursor = snapshot.range(&KeyRange::new(start, Bound::Unbounded), Direction::Forward).unwrap();
        let mut bytes = 0;
        for _ in 0..rows {
            let Some((key, value)) = cursor.next().unwrap() else { break };
            bytes += key.len() + value.len();
        }
        black_box(bytes);
    }

    fn slice_sqlite(&self, n: i64, rows: u64) {
        let mut statement = self.sqlite.prepare_cached(SLICE).unwrap();
        let mut found = statement.query(params![day(n), i64::try_from(rows).unwrap()]).unwrap();
        let mut bytes = 0;
        while let Some(row) = found.next().unwrap() {
            bytes += row.get_ref(0).unwrap().as_str().unwrap().len() + row.get_ref(1).unwrap().as_str().unwrap().len();
            bytes += usize::try_from(row.get::<_, i64>(2).unwrap() & 1).unwrap();
        }
        black_box(bytes);
    }
}

type Operation = fn(&Setting, i64);

const OPERATIONS: [(&str, Operation); 11] = [
    ("insert", |setting, n| setting.insert(n)),
    ("insert, engine", |setting, n| setting.put(n)),
    ("insert, SQLite", |setting, n| setting.insert_sqlite(n)),
    ("point", |setting, n| setting.point(n)),
    ("point, engine", |setting, n| setting.engine_get(n)),
    ("point, SQLite", |setting, n| setting.point_sqlite(n)),
    ("100 rows, protocol", |setting, n| setting.slice(n, 100)),
    ("100 rows, typed", |setting, n| setting.slice_typed(n, 100)),
    ("100 rows, engine", |setting, n| setting.scan(n, 100)),
    ("100 rows, SQLite", |setting, n| setting.slice_sqlite(n, 100)),
    ("10 rows, protocol", |setting, n| setting.slice(n, 10)),
];

fn timed(setting: &Setting, operation: Operation, turns: i64) -> f64 {
    let start = cpu_ns();
    for turn in 0..turns {
        operation(setting, setting.number(turn));
    }
    (cpu_ns() - start) as f64 / turns as f64
}

fn medians(setting: &Setting) -> Vec<f64> {
    let mut times = vec![Vec::new(); OPERATIONS.len()];
    for round in 0..=ROUNDS {
        for ((name, operation), times) in OPERATIONS.iter().zip(&mut times) {
            let turns = if name.starts_with("100") { TURNS / 10 } else { TURNS };
            let ns = timed(setting, *operation, turns);
            // The first round warms up.
            if round > 0 {
                times.push(ns);
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    times.iter().map(|times| times[times.len() / 2]).collect()
}

fn resident_mb() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 4_096.0 / 1e6
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["growth"] => growth(),
        ["memory", which, rows] => memory(which, rows.parse().unwrap()),
        ["cell", turns] => {
            let (wide, names) = wide();
            let turns: usize = turns.parse().unwrap();
            names.iter().cycle().take(turns).for_each(|name| {
                wide.change((1,)).set(name, 2_i64).execute().unwrap();
            });
        }
        [name, turns] => {
            let setting = Setting::new(10_000);
            let (_, operation) = OPERATIONS.into_iter().find(|(own, _)| *own == name).unwrap();
            (0..turns.parse().unwrap()).for_each(|turn| operation(&setting, setting.number(turn)));
        }
        _ => compare(),
    }
}

fn compare() {
    let setting = Setting::new(ROWS);
    let times = medians(&setting);
    let of = |name: &str| times[OPERATIONS.iter().position(|(own, _)| *own == name).unwrap()];
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["", "Larder", "engine", "ratio", "SQLite", "ratio"]);
    for (name, engine, sqlite) in [
        ("insert", "insert, engine", "insert, SQLite"),
        ("point", "point, engine", "point, SQLite"),
        ("100 rows, protocol", "100 rows, engine", "100 rows, SQLite"),
        ("100 rows, typed", "100 rows, engine", "100 rows, SQLite"),
    ] {
        let (own, engine, sqlite) = (of(name), of(engine), of(sqlite));
        let ns = |ns: f64| format!("{ns:.0} ns");
        let ratio = |other: f64| format!("{:.2}", other / own);
        table.add_row([name.to_owned(), ns(own), ns(engine), ratio(engine), ns(sqlite), ratio(sqlite)]);
    }
    println!("{table}\n10 rows, protocol: {:.0} ns", of("10 rows, protocol"));
    for which in ["larder", "sqlite"] {
        let program = std::env::current_exe().unwrap();
        let output = std::process::Command::new(program).args(["memory", which, "1000000"]).output().unwrap();
        println!("1,000,000 rows in {which}: {} MB", String::from_utf8(output.stdout).unwrap().trim());
    }
}

/// What a process takes up with so many rows.
fn memory(which: &str, rows: i64) {
    let mut setting = Setting::new(0);
    setting.rows = rows;
    let before = resident_mb();
    if which == "sqlite" {
        setting.sqlite.execute_batch("BEGIN").unwrap();
    }
    for n in 0..rows {
        if which == "sqlite" { setting.insert_sqlite(n) } else { setting.insert(n) }
    }
    println!("{:.0}", resident_mb() - before);
}

/// A select among few and among many rows, and the first page of a short and a long partition.
fn growth() {
    for rows in [10_000, 10_000_000] {
        let mut setting = Setting::new(0);
        setting.rows = rows;
        (0..rows).for_each(|n| setting.insert(n));
        let median = |operation: Operation| {
            let mut times: Vec<_> = (0..=ROUNDS).map(|_| timed(&setting, operation, TURNS)).skip(1).collect();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let (point, slice) = (median(|setting, n| setting.point(n)), median(|setting, n| setting.slice(n, 10)));
        println!("{rows} rows: point {point:.0} ns, 10 rows {slice:.0} ns");
    }
    for rows in [1_000, 1_000_000] {
        let table = Store::in_memory().wide_table("analytics", "long");
        let schema = TableSchema::new().partition_key("p", CqlType::Int);
        table.create(schema.clustering("c", CqlType::Int, Order::Descending).column("v", CqlType::Bigint)).unwrap();
        let insert = table.prepare_insert(&["p", "c", "v"]).unwrap();
        (0..rows).for_each(|n| insert.execute((1, n, i64::from(n))).unwrap());
        let mut times = Vec::new();
        for _ in 0..=ROUNDS {
            let start = cpu_ns();
            for _ in 0..2_000 {
                let mut bytes = Vec::with_capacity(16 << 10);
                table.select((1,)).limit(100).to_protocol(&mut bytes).unwrap();
                black_box(bytes);
            }
            times.push((cpu_ns() - start) as f64 / 2_000.0);
        }
        times.sort_by(f64::total_cmp);
        let start = cpu_ns();
        table.delete_partition((1,)).unwrap();
        let delete = (cpu_ns() - start) as f64 / 1e6;
        (0..rows).for_each(|n| insert.execute((2, n, i64::from(n))).unwrap());
        let start = cpu_ns();
        table.truncate().unwrap();
        let truncate = (cpu_ns() - start) as f64 / 1e6;
        println!(
            "a partition of {rows}: first 100 rows {:.0} ns; delete {delete:.3} ms; truncate {truncate:.3} ms",
            times[times.len() / 2]
        );
    }
    let (wide, names) = wide();
    let start = cpu_ns();
    for name in &names {
        wide.change((1,)).set(name, 2_i64).execute().unwrap();
    }
    println!("one cell of a row of 999: {:.0} ns", (cpu_ns() - start) as f64 / 999.0);
}

/// A table of one row of 999 cells, with the names of their columns.
fn wide() -> (WideTable, Vec<String>) {
    let wide = Store::in_memory().wide_table("analytics", "wide");
    let schema = TableSchema::new().partition_key("p", CqlType::Int);
    wide.create((0..999).fold(schema, |schema, n| schema.column(&format!("c{n}"), CqlType::Bigint))).unwrap();
    let names: Vec<_> = (0..999).map(|n| format!("c{n}")).collect();
    for name in &names {
        wide.change((1,)).set(name, 1_i64).execute().unwrap();
    }
    (wide, names)
}
