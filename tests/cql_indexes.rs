//! Indexes of CQL tables: of which columns there are, which queries they serve, and what Cassandra says against the rest.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, refused, rows, run, session};
use larder::wide_column::Cql;

const FILTERING: &str = "Cannot execute this query as it might involve data filtering and thus may have unpredictable \
    performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING";

/// Three columns in the key of a partition and two behind it, with static columns.
fn readings() -> Cql {
    let session = session();
    run(
        &session,
        "CREATE TABLE r (a int, b text, c int, d int, owner text STATIC, tags set<text> STATIC, v int, w int, \
         PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)",
    );
    for a in 0..2 {
        for b in ["x", "y"] {
            run(
                &session,
                &format!("UPDATE r SET owner = 'o{a}', tags = {{'{b}', 't{a}'}} WHERE a = {a} AND b = '{b}'"),
            );
            for (c, d) in [(1, 1), (1, 2), (2, 1)] {
                let v = 10 * a + c;
                run(&session, &format!("INSERT INTO r (a, b, c, d, v, w) VALUES ({a}, '{b}', {c}, {d}, {v}, {d})"));
            }
        }
    }
    session
}

// SEM: WID-QRY-5
#[test]
fn a_column_of_the_key_or_of_the_partition_is_looked_up() {
    let session = readings();
    let lookups = [
        ("b", "SELECT a, b, c, d FROM r WHERE b = 'x'", 6),
        ("d", "SELECT a, b, c, d FROM r WHERE d = 2", 4),
        ("c", "SELECT a, b, c, d FROM r WHERE c = 2", 4),
        ("owner", "SELECT a, b, c, d FROM r WHERE owner = 'o1'", 6),
        ("tags", "SELECT a, b, c, d FROM r WHERE tags CONTAINS 'x'", 6),
        ("v", "SELECT a, b, c, d FROM r WHERE v = 12", 2),
    ];
    for (column, query, count) in lookups {
        assert_eq!(refused(&session, query).1, FILTERING, "{column}");
        let expected = rows(&session, &format!("{query} ALLOW FILTERING"));
        assert_eq!(expected.split("; ").count(), count, "{column}");
        run(&session, &format!("CREATE INDEX by_{column} ON r ({column})"));
        assert_eq!(rows(&session, query), expected, "{column}");
    }
    // With what else may be said without filtering, and what may not.
    for query in [
        "SELECT c, d FROM r WHERE a = 0 AND b = 'x' AND d = 1",
        "SELECT c, d FROM r WHERE a = 0 AND b = 'x' AND c >= 1 AND v = 1",
        "SELECT c, d FROM r WHERE a = 0 AND b = 'x' AND c = 1 AND d > 1 AND owner = 'o0'",
        "SELECT c, d FROM r WHERE token(a, b) >= 0 AND d = 1",
        "SELECT c, d FROM r WHERE (c, d) = (1, 2)",
    ] {
        assert_eq!(rows(&session, query), rows(&session, &format!("{query} ALLOW FILTERING")), "{query}");
    }
    let filtered = [
        "SELECT c FROM r WHERE d = 1 AND v = 1",
        "SELECT c FROM r WHERE b = 'x' AND c = 1",
        "SELECT c FROM r WHERE a = 0 AND v = 1",
        "SELECT c FROM r WHERE v = 1 AND w = 1",
        "SELECT c FROM r WHERE tags CONTAINS 'x' AND tags CONTAINS 't0'",
        "SELECT c FROM r WHERE a = 0 AND b = 'x' AND d = 1 AND v = 1",
        "SELECT c FROM r WHERE c > 1",
        "SELECT c FROM r WHERE v > 1",
        "SELECT c FROM r WHERE v IN (1, 2)",
    ];
    for query in filtered {
        assert_eq!(refused(&session, query).1, FILTERING, "{query}");
        assert!(!rows(&session, &format!("{query} ALLOW FILTERING")).is_empty(), "{query}");
    }
    all_refused(
        &session,
        &[
            (
                "SELECT c FROM r WHERE a IN (0, 1) AND b = 'x' AND v = 1",
                "Select on indexed columns and with IN clause for the PRIMARY KEY are not supported",
            ),
            (
                "SELECT c FROM r WHERE a = 0 AND b = 'x' AND d = 1 ORDER BY c ASC",
                "ORDER BY with 2ndary indexes is not supported, except for ANN queries.",
            ),
        ],
    );
    assert_eq!(rows(&session, "SELECT c, d FROM r WHERE a = 0 AND b = 'x' AND c = 1 ORDER BY c ASC"), "1,2; 1,1");
}

// SEM: WID-ROW-3, WID-QRY-5
#[test]
fn a_partition_without_rows_is_found_by_its_key_and_its_static_values() {
    let session = session();
    run(&session, "CREATE TABLE t (a int, b int, c int, s int STATIC, v int, PRIMARY KEY ((a, b), c))");
    ["b", "s", "c"].iter().for_each(|column| drop(run(&session, &format!("CREATE INDEX ON t ({column})"))));
    run(&session, "UPDATE t SET s = 7 WHERE a = 1 AND b = 2");
    for query in ["SELECT * FROM t WHERE b = 2", "SELECT * FROM t WHERE s = 7"] {
        assert_eq!(rows(&session, query), "1,2,null,7,null", "{query}");
    }
    assert_eq!(rows(&session, "SELECT DISTINCT a, b FROM t WHERE s = 7"), "1,2");
    run(&session, "INSERT INTO t (a, b, c) VALUES (1, 2, 3)");
    for query in ["SELECT * FROM t WHERE b = 2", "SELECT * FROM t WHERE s = 7", "SELECT * FROM t WHERE c = 3"] {
        assert_eq!(rows(&session, query), "1,2,3,7,null", "{query}");
    }
    run(&session, "DELETE s FROM t WHERE a = 1 AND b = 2");
    assert_eq!(rows(&session, "SELECT * FROM t WHERE s = 7"), "");
    run(&session, "DELETE FROM t WHERE a = 1 AND b = 2 AND c = 3");
    assert_eq!(rows(&session, "SELECT * FROM t WHERE b = 2"), "");
}

#[test]
fn parts_of_static_collections_and_whole_frozen_values_of_keys_are_looked_up() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t (p int, c frozen<list<int>>, m map<text, int> STATIC, PRIMARY KEY (p, c)) \
         WITH CLUSTERING ORDER BY (c DESC)",
    );
    for target in ["KEYS(m)", "VALUES(m)", "ENTRIES(m)", "FULL(c)"] {
        run(&session, &format!("CREATE INDEX ON t ({target})"));
    }
    run(&session, "INSERT INTO t (p, c, m) VALUES (1, [1, 2], {'k': 5})");
    run(&session, "INSERT INTO t (p, c) VALUES (1, [3])");
    run(&session, "INSERT INTO t (p, c) VALUES (2, [1, 2])");
    for condition in ["m CONTAINS KEY 'k'", "m CONTAINS 5", "m['k'] = 5"] {
        assert_eq!(rows(&session, &format!("SELECT c FROM t WHERE {condition}")), "[3]; [1 2]", "{condition}");
    }
    assert_eq!(rows(&session, "SELECT p FROM t WHERE c = [1, 2]"), "1; 2");
    assert_eq!(rows(&session, "SELECT p FROM t WHERE m['k'] = 4"), "");
}

// SEM: WID-TYP-3
#[test]
fn values_of_keys_are_equal_as_keys_are_and_may_be_long() {
    let session = session();
    run(&session, "CREATE TABLE t (a text, b decimal, c decimal, s int STATIC, PRIMARY KEY ((a, b), c))");
    ["a", "b", "c", "s"].iter().for_each(|column| drop(run(&session, &format!("CREATE INDEX ON t ({column})"))));
    let long = "x".repeat(20_000);
    run(&session, &format!("INSERT INTO t (a, b, c, s) VALUES ('{long}', 1.0, 2.00, 7)"));
    run(&session, &format!("UPDATE t SET s = 7 WHERE a = '{long}y' AND b = 1.00"));
    for (condition, count) in [
        ("b = 1.00".to_owned(), 2),
        ("b = 1".to_owned(), 2),
        ("c = 2".to_owned(), 1),
        (format!("a = '{long}'"), 1),
        ("s = 7".to_owned(), 2),
    ] {
        let query = format!("SELECT b FROM t WHERE {condition}");
        assert_eq!(session.query(&query, ()).unwrap().rows().len(), count, "{:.20}", condition);
    }
}

// SEM: WID-QRY-5, WID-DDL-1
#[test]
fn what_cannot_be_indexed_is_refused_in_the_words_of_cassandra() {
    let session = session();
    run(&session, "CREATE TYPE u (n int)");
    run(&session, "CREATE TYPE e (d duration)");
    run(
        &session,
        "CREATE TABLE t (p int, c int, v int, l list<int>, f frozen<map<int, int>>, n u, d duration, \
         x vector<float, 2>, y tuple<int, duration>, z list<duration>, o frozen<e>, PRIMARY KEY (p, c))",
    );
    run(&session, "CREATE TABLE n (p int, c int, hits counter, PRIMARY KEY (p, c))");
    run(&session, "CREATE INDEX by_c ON t (c)");
    let frozen = |what: &str| {
        format!(
            "Cannot create {what}() index on frozen column f. Frozen collections are immutable and must be fully indexed by \
             using the 'full(f)' modifier"
        )
    };
    all_refused(
        &session,
        &[
            ("CREATE INDEX ON t (p)", "Cannot create secondary index on the only partition key column p"),
            ("CREATE INDEX ON t (c)", "Index t_c_idx is a duplicate of existing index by_c"),
            ("CREATE INDEX by_c ON t (v)", "Index 'by_c' already exists"),
            ("CREATE INDEX ON t (missing)", "Column 'missing' doesn't exist"),
            ("CREATE INDEX ON t (v, l)", "Only CUSTOM indexes support multiple columns"),
            ("CREATE INDEX ON n (c)", "Secondary indexes on counter tables aren't supported"),
            ("CREATE INDEX ON t (f)", &frozen("values")),
            ("CREATE INDEX ON t (KEYS(f))", &frozen("keys")),
            ("CREATE INDEX ON t (FULL(l))", "full() indexes can only be created on frozen collections"),
            ("CREATE INDEX ON t (FULL(c))", "full() indexes can only be created on frozen collections"),
            (
                "CREATE INDEX ON t (KEYS(c))",
                "Cannot create keys() index on c. Non-collection columns only support simple indexes",
            ),
            ("CREATE INDEX ON t (ENTRIES(l))", "Cannot create index on entries of column l with non-map type"),
            ("CREATE INDEX ON t (n)", "Cannot create index on non-frozen UDT column n"),
            ("CREATE INDEX ON t (d)", "Secondary indexes are not supported on duration columns"),
            ("CREATE INDEX ON t (y)", "Secondary indexes are not supported on tuples containing durations"),
            ("CREATE INDEX ON t (z)", "Secondary indexes are not supported on collections containing durations"),
            ("CREATE INDEX ON t (o)", "Secondary indexes are not supported on UDTs containing durations"),
            ("CREATE INDEX ON t (x)", "not supported: an index of the vector column \"x\""),
            ("ALTER TABLE t RENAME c TO k", "Cannot rename column c because it has dependent secondary indexes (by_c)"),
        ],
    );
    run(&session, "CREATE INDEX IF NOT EXISTS by_c ON t (c)");
    run(&session, "DROP INDEX by_c");
    run(&session, "ALTER TABLE t RENAME c TO k");
}
