//! Materialized views with conditions on the key of their base.

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, rows, run, session};

// SEM: WID-MV-1
#[test]
fn a_view_has_the_rows_whose_key_meets_its_condition() {
    let session = session();
    run(&session, "CREATE TABLE t (p int, c int, d text, v int, w int, PRIMARY KEY (p, c, d))");
    for c in 0..4 {
        run(&session, &format!("INSERT INTO t (p, c, d, v, w) VALUES (1, {c}, 'it''s', {c}, 7)"));
    }
    let views = [
        ("equal", "p = 1 AND c = 2 AND d IS NOT NULL", "PRIMARY KEY (c, p, d)"),
        ("within", "p IS NOT NULL AND c IN (0, 3) AND d = 'it''s' AND v IS NOT NULL", "PRIMARY KEY (v, p, c, d)"),
        ("several", "p >= 1 AND (c, d) > (1, 'z') AND d IS NOT NULL", "PRIMARY KEY (d, c, p)"),
        ("tuples", "p IS NOT NULL AND (c, d) IN ((0, 'it''s'), (1, 'other'))", "PRIMARY KEY (p, c, d)"),
        // Of a column that is in no key it decides nothing, as in Cassandra.
        ("others", "p > 1 AND c IS NOT NULL AND d IS NOT NULL AND w IS NOT NULL", "PRIMARY KEY (p, c, d)"),
    ];
    for (name, condition, key) in views {
        run(&session, &format!("CREATE MATERIALIZED VIEW \"{name}\" AS SELECT * FROM t WHERE {condition} {key}"));
        let kept =
            format!("SELECT where_clause FROM system_schema.views WHERE keyspace_name = 'k' AND view_name = '{name}'");
        assert_eq!(rows(&session, &kept), condition, "{name}");
    }
    let seen = |name: &str| rows(&session, &format!("SELECT p, c, v FROM {name}"));
    assert_eq!(views.map(|(name, ..)| seen(name)), ["1,2,2", "1,0,0; 1,3,3", "1,2,2; 1,3,3", "1,0,0", ""]);
    run(&session, "INSERT INTO t (p, c, d) VALUES (2, 3, 'it''s')");
    run(&session, "INSERT INTO t (p, c, d, v) VALUES (2, 0, 'other', 0)");
    run(&session, "DELETE v FROM t WHERE p = 1 AND c = 0 AND d = 'it''s'");
    run(&session, "DELETE FROM t WHERE p = 1 AND c = 2");
    run(&session, "UPDATE t SET v = 9 WHERE p = 1 AND c = 3 AND d = 'it''s'");
    assert_eq!(
        views.map(|(name, ..)| seen(name)),
        ["", "1,3,9", "1,3,9; 2,3,null", "1,0,null", "2,0,0; 2,3,null"],
        "what was written is seen where its key belongs"
    );
    // A name that has changed is the condition's, too.
    run(&session, "ALTER TABLE t RENAME c TO \"C\"");
    let kept = "SELECT where_clause FROM system_schema.views WHERE keyspace_name = 'k' AND view_name = 'several'";
    assert_eq!(rows(&session, kept), "p >= 1 AND (\"C\", d) > (1, 'z') AND d IS NOT NULL");
    run(&session, "INSERT INTO t (p, \"C\", d, v) VALUES (3, 2, 'z', 5)");
    assert_eq!(rows(&session, "SELECT p, v FROM several WHERE d = 'z'"), "3,5");
}

// SEM: WID-MV-1
#[test]
fn conditions_that_no_view_can_have_are_refused_in_the_words_of_cassandra() {
    let session = session();
    run(&session, "CREATE TABLE t (p int, c int, v int, w int, s set<int>, PRIMARY KEY (p, c))");
    let view = |condition: &str, key: &str| {
        format!("CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE {condition} PRIMARY KEY ({key})")
    };
    for (condition, key, words) in [
        ("p = 1 AND v = 1", "v, c, p", "Primary key columns c must be restricted with 'IS NOT NULL' or otherwise"),
        (
            "p = 1 AND c IS NOT NULL AND v = 1",
            "v, c, p",
            "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: v restricted illegally)",
        ),
        (
            "p = 1 AND c = 2 AND w > 3 AND v IN (1, 2) AND s CONTAINS 3",
            "p, c",
            "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: v,w,s restricted illegally)",
        ),
        ("TOKEN(p) > 1 AND c IS NOT NULL", "p, c", "Cannot use token relation when defining a materialized view"),
        (
            "expr(i, 'x') AND p IS NOT NULL AND c IS NOT NULL",
            "p, c",
            "WHERE clause for materialized view 'm' cannot contain custom index expressions",
        ),
        ("p = 1 AND x = 1", "p, c", "Undefined column name x in table k.t"),
        ("p = 1 AND x IS NOT NULL", "p, c", "Undefined column name x in table k.t"),
        (
            "p = 1 AND p = 2 AND c IS NOT NULL",
            "p, c",
            "p cannot be restricted by more than one relation if it includes an Equal",
        ),
    ] {
        all_refused(&session, &[(&view(condition, key), words)]);
    }
    let error = session.execute(&view("p IS NOT NULL AND c = ?", "p, c"), (1,)).unwrap_err();
    assert_eq!(error.to_string(), "Bind variables are not allowed in CREATE MATERIALIZED VIEW statements");
    assert_eq!(rows(&session, "SELECT view_name FROM system_schema.views WHERE keyspace_name = 'k'"), "");
}

#[test]
fn a_view_that_is_described_has_its_condition_when_it_is_made_again() {
    let session = session();
    run(&session, "CREATE TABLE t (p text, c timestamp, v int, PRIMARY KEY (p, c))");
    run(
        &session,
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE p = 'it''s' AND c >= '2026-01-01' AND v IS NOT NULL PRIMARY KEY (v, p, c)",
    );
    let describe = "DESCRIBE MATERIALIZED VIEW m";
    let statement = |session: &larder::wide_column::Cql| match session.query(describe, ()).unwrap().rows()[0]
        .get("create_statement")
    {
        Some(larder::wide_column::CqlValue::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    let made = statement(&session);
    assert!(made.contains("\n    WHERE p = 'it''s' AND c >= '2026-01-01' AND v IS NOT NULL\n"), "{made}");
    run(&session, "DROP MATERIALIZED VIEW m");
    run(&session, &made);
    assert_eq!(statement(&session), made);
    run(&session, "INSERT INTO t (p, c, v) VALUES ('it''s', '2025-12-31', 1)");
    run(&session, "INSERT INTO t (p, c, v) VALUES ('it''s', '2026-01-01', 2)");
    assert_eq!(rows(&session, "SELECT v FROM m"), "2");
}
