//! Prepared statements after any change of the schema: what they return is what a statement of the same text returns that was parsed
//! just then.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::wide_column::{Cql, CqlAnswer, CqlValue, PreparedStatement};
use larder::{Error, ManualClock, Result, Snapshot, Store, Timestamp};
use proptest::prelude::*;

/// Statements with how many markers they have. Tables and columns come and go, so that each is refused at times.
const STATEMENTS: &[(&str, usize)] = &[
    ("INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)", 3),
    ("INSERT INTO k.t (a, b, w) VALUES (?, ?, ?) IF NOT EXISTS", 3),
    ("INSERT INTO k.t JSON '{\"a\": 1, \"b\": 2, \"v\": 3}'", 0),
    ("INSERT INTO k.t (a, b, u) VALUES (?, ?, {x: 1, y: 2})", 2),
    ("UPDATE k.t SET v = ? WHERE a = ? AND b = ?", 3),
    ("UPDATE k.t SET w = ? WHERE a = ? AND b = ? IF v = ?", 4),
    ("DELETE w FROM k.t WHERE a = ? AND b = ?", 2),
    ("DELETE FROM k.t WHERE a = ? AND b > ?", 2),
    ("BEGIN BATCH INSERT INTO k.t (a, b, v) VALUES (?, 1, 1); DELETE FROM k.o WHERE a = ?; APPLY BATCH", 2),
    ("SELECT * FROM k.t", 0),
    ("SELECT JSON * FROM k.t WHERE a = ?", 1),
    ("SELECT v, w, writetime(v) AS at FROM k.t WHERE a = ? AND b = ?", 2),
    ("SELECT b FROM k.t WHERE v = ?", 1),
    ("SELECT u.y, u FROM k.t WHERE a = ?", 1),
    ("SELECT (k.n){x: 1, y: 2}, a FROM k.t", 0),
    ("SELECT a, count(w), max(v) FROM k.t WHERE a = ? GROUP BY a", 1),
    ("SELECT c FROM k.t WHERE c > ? ALLOW FILTERING", 1),
    ("SELECT v + ? FROM k.t", 1),
    ("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'k'", 0),
];

const KEYSPACE: &str = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

/// What changes the schema. Those that cannot be done are refused in both stores.
const CHANGES: &[&str] = &[
    "ALTER TABLE k.t ADD w int",
    "ALTER TABLE k.t ADD w text",
    "ALTER TABLE k.t DROP w",
    "ALTER TABLE k.t DROP v",
    "ALTER TABLE k.t ADD v int",
    "ALTER TABLE k.t RENAME b TO c",
    "ALTER TABLE k.t RENAME c TO b",
    "ALTER TABLE k.t WITH default_time_to_live = 60",
    "ALTER TYPE k.n ADD y int",
    "CREATE TYPE k.n (x int)",
    "DROP TYPE k.n",
    "CREATE INDEX by_v ON k.t (v)",
    "DROP INDEX k.by_v",
    "DROP TABLE k.t",
    "TRUNCATE k.t",
    "CREATE TABLE k.t (a int, b int, v int, w int, u k.n, PRIMARY KEY (a, b))",
    "CREATE TABLE k.t (a int, v text, b int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC)",
    "CREATE TABLE k.t (a int, b text, w int static, v int, PRIMARY KEY (a, b))",
    "CREATE TABLE k.o (a int PRIMARY KEY)",
    "DROP TABLE k.o",
    "DROP KEYSPACE k",
    KEYSPACE,
];

#[derive(Clone, Debug)]
enum Step {
    Change(usize),
    Run(usize, Vec<i32>),
    /// The same in a transaction, behind a change that it makes itself; it is committed or not.
    Within(usize, usize, Vec<i32>, bool),
    /// On the snapshot that was taken last.
    Before(usize, Vec<i32>),
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    let change = || 0..CHANGES.len();
    let run = || (0..STATEMENTS.len(), prop::collection::vec(0..3_i32, 4));
    prop_oneof![
        6 => change().prop_map(Step::Change),
        12 => run().prop_map(|(nth, values)| Step::Run(nth, values)),
        2 => (change(), run(), any::<bool>()).prop_map(|(at, (nth, values), is_kept)| Step::Within(at, nth, values, is_kept)),
        2 => run().prop_map(|(nth, values)| Step::Before(nth, values)),
        1 => Just(Step::Snapshot),
    ]
}

type Shown = std::result::Result<(String, String, bool), String>;

fn shown(answer: Result<CqlAnswer>) -> Shown {
    let answer = answer.map_err(|error| error.to_string())?;
    Ok((format!("{:?}", answer.columns()), format!("{:?}", answer.rows()), answer.is_applied()))
}

fn values(nth: usize, of: &[i32]) -> Vec<CqlValue> {
    of.iter().take(STATEMENTS[nth].1).map(|value| CqlValue::Int(*value)).collect()
}

/// A store, and what was prepared in it once and for all; where nothing is, a statement is prepared each time.
struct Subject {
    store: Store,
    session: Cql,
    prepared: Option<Vec<PreparedStatement>>,
    snapshot: Option<Snapshot>,
}

impl Subject {
    fn new(keeps: bool) -> Self {
        let store = Store::builder().clock(ManualClock::at(Timestamp::from_micros(1_000_000))).in_memory();
        let session = store.cql();
        for text in [KEYSPACE, "CREATE TYPE k.n (x int)", CHANGES[15], CHANGES[18]] {
            session.execute(text, ()).unwrap();
        }
        let all = || STATEMENTS.iter().map(|(text, _)| session.prepare(text).unwrap()).collect();
        let prepared = keeps.then(all);
        Self { store, session, prepared, snapshot: None }
    }

    fn statement(&self, nth: usize) -> PreparedStatement {
        let fresh = || self.session.prepare(STATEMENTS[nth].0).unwrap();
        self.prepared.as_ref().map_or_else(fresh, |prepared| prepared[nth].clone())
    }

    fn step(&mut self, step: &Step) -> Vec<Shown> {
        match step {
            Step::Change(at) => vec![shown(self.session.execute(CHANGES[*at], ()))],
            Step::Run(nth, of) => vec![shown(self.session.execute(&self.statement(*nth), values(*nth, of)))],
            Step::Within(at, nth, of, is_kept) => {
                let mut found = Vec::new();
                let statement = self.statement(*nth);
                // What ends a transaction says nothing here.
                let _ = self.store.transaction(|tx| {
                    found.clear();
                    found.push(shown(tx.cql().execute(CHANGES[*at], ())));
                    found.push(shown(tx.cql().execute(&statement, values(*nth, of))));
                    if *is_kept { Ok(()) } else { Err(Error::NotFound { what: "reason", name: String::new() }) }
                });
                found
            }
            Step::Before(nth, of) => {
                let Some(snapshot) = &self.snapshot else { return Vec::new() };
                vec![shown(snapshot.cql().query(&self.statement(*nth), values(*nth, of)))]
            }
            Step::Snapshot => {
                self.snapshot = Some(self.store.snapshot().unwrap());
                Vec::new()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    // SEM: WID-QRY-1
    #[test]
    fn a_prepared_statement_does_what_a_fresh_one_would_after_any_change(steps in prop::collection::vec(step(), 1..40)) {
        let (mut kept, mut fresh) = (Subject::new(true), Subject::new(false));
        for (at, step) in steps.iter().enumerate() {
            prop_assert_eq!(kept.step(step), fresh.step(step), "step {}", at);
        }
        let rows = |of: &Subject| shown(of.session.query("SELECT * FROM k.t", ()));
        prop_assert_eq!(rows(&kept), rows(&fresh));
    }
}

// SEM: WID-QRY-1
#[test]
fn names_without_a_keyspace_are_in_that_of_the_session_at_each_time() {
    let session = Store::in_memory().cql();
    let select = session.prepare("SELECT * FROM t").unwrap();
    let rows = || session.query(&select, ()).map(|answer| format!("{:?}", answer.columns()));
    assert!(rows().unwrap_err().to_string().starts_with("No keyspace has been specified"));
    for (keyspace, column) in [("one", "a"), ("two", "b")] {
        session.execute(&KEYSPACE.replace(" k ", &format!(" {keyspace} ")), ()).unwrap();
        session.execute(&format!("CREATE TABLE {keyspace}.t ({column} int PRIMARY KEY)"), ()).unwrap();
    }
    for (keyspace, shown) in [("one", "a"), ("two", "b"), ("one", "a")] {
        session.execute(&format!("USE {keyspace}"), ()).unwrap();
        assert_eq!(rows().unwrap(), format!("[(\"{shown}\", Int)]"));
    }
}
