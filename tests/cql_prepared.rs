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

/// A query of one row is looked up; behind a limit it is planned. Both find the same, whatever there is, and refuse the same.
#[test]
fn a_row_by_its_key_is_the_one_that_a_plan_finds() {
    let clock = ManualClock::default();
    let session = Store::builder().clock(clock.clone()).in_memory().cql();
    session.execute(KEYSPACE, ()).unwrap();
    let table = "CREATE TABLE k.t (a int, b int, c text, s int STATIC, v int, l list<int>, PRIMARY KEY ((a, b), c)) \
                 WITH CLUSTERING ORDER BY (c DESC)";
    session.execute(table, ()).unwrap();
    for statement in [
        "INSERT INTO k.t (a, b, c, v, l) VALUES (0, 0, 'x', 1, [1, 2])",
        "INSERT INTO k.t (a, b, c) VALUES (0, 0, 'y')",
        "INSERT INTO k.t (a, b, s) VALUES (0, 1, 7)",
        "UPDATE k.t SET v = 1 WHERE a = 1 AND b = 0 AND c = 'x'",
        "UPDATE k.t SET v = null WHERE a = 1 AND b = 0 AND c = 'x'",
        "INSERT INTO k.t (a, b, c, v) VALUES (1, 1, 'x', 5) USING TTL 10",
        "INSERT INTO k.t (a, b, c, v) VALUES (1, 1, 'y', 5)",
        "UPDATE k.t USING TTL 10 SET v = 6 WHERE a = 1 AND b = 1 AND c = 'y'",
        "DELETE FROM k.t WHERE a = 0 AND b = 0 AND c > 'x'",
    ] {
        session.execute(statement, ()).unwrap();
    }
    let mut found = Vec::new();
    let keys = ["x", "y"].into_iter().flat_map(|c| [(c, 0, 0), (c, 0, 1), (c, 1, 0), (c, 1, 1)]);
    for seconds in [0, 20] {
        clock.set(Timestamp::from_micros(seconds * 1_000_000));
        let mut rows = 0;
        for of in ["*", "c, a, s, v", "JSON v, l", "writetime(v), ttl(v), v + 1"] {
            let text = format!("SELECT {of} FROM k.t WHERE c = ? AND a = ? AND b = ?");
            let (looked_up, planned) =
                (session.prepare(&text).unwrap(), session.prepare(&format!("{text} LIMIT 5")).unwrap());
            for key in keys.clone() {
                let answer = shown(session.query(&looked_up, key));
                assert_eq!(answer, shown(session.query(&planned, key)), "{text} {key:?}");
                assert_eq!(answer, shown(session.query(&text, key)), "{text} {key:?}");
                rows += session.query(&looked_up, key).unwrap().rows().len();
            }
            for values in [
                [CqlValue::Null, 1.into(), 1.into()],
                ["x".into(), CqlValue::Unset, 1.into()],
                ["x".into(), "x".into(), 1.into()],
                ["x".into(), CqlValue::Empty, CqlValue::Null],
            ] {
                let refused = session.query(&looked_up, &values).unwrap_err().to_string();
                assert_eq!(refused, session.query(&planned, &values).unwrap_err().to_string(), "{values:?}");
            }
        }
        found.push(rows);
    }
    assert_eq!(found, [4 * 3, 4 * 2], "rows with a marker, or with a value that has not expired");
}

/// An update of one row is bound as an insert is; with an `IN` it is planned. Both write the same.
#[test]
fn an_update_by_the_key_writes_what_a_planned_one_does() {
    let session = Store::builder().clock(ManualClock::default()).in_memory().cql();
    session.execute(KEYSPACE, ()).unwrap();
    for table in ["one", "other"] {
        let columns = "a int, b int, v int, w text, l list<int>, PRIMARY KEY (a, b)";
        session.execute(&format!("CREATE TABLE k.{table} ({columns})"), ()).unwrap();
    }
    let set = "SET w = ?, v = ?, l = ?";
    let bound = session.prepare(&format!("UPDATE k.one USING TIMESTAMP 9 {set} WHERE b = ? AND a = ?")).unwrap();
    let planned = session.prepare(&format!("UPDATE k.other USING TIMESTAMP 9 {set} WHERE b = ? AND a IN (?)")).unwrap();
    let list = |of: &[i32]| CqlValue::List(of.iter().map(|n| (*n).into()).collect());
    for values in [
        ["x".into(), 1.into(), list(&[1, 2]), 1.into(), 1.into()],
        [CqlValue::Unset, 2.into(), CqlValue::Unset, 1.into(), 1.into()],
        [CqlValue::Null, CqlValue::Unset, list(&[3]), 2.into(), 1.into()],
        ["y".into(), CqlValue::Null, CqlValue::Null, 1.into(), 2.into()],
    ] {
        session.execute(&bound, &values).unwrap();
        session.execute(&planned, &values).unwrap();
    }
    let rows = |table: &str| shown(session.query(&format!("SELECT a, b, v, w, l, writetime(v) FROM k.{table}"), ()));
    assert_eq!(rows("one"), rows("other"));
    for (values, said) in [
        (["x".into(), 1.into(), list(&[1]), CqlValue::Null, 1.into()], "Invalid null value in condition for column b"),
        (["x".into(), 1.into(), list(&[1]), 1.into(), CqlValue::Unset], "Invalid unset value for column a"),
    ] {
        assert_eq!(session.execute(&bound, &values).unwrap_err().to_string(), said);
    }
    assert!(session.execute(&bound, &[1.into(), 1.into(), list(&[1]), 1.into(), 1.into()]).is_err());
    assert_eq!(rows("one"), rows("other"), "nothing of what was refused was written");
}
