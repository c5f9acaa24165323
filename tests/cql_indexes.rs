//! Indexes of CQL tables: of which columns there are, which queries they serve, and what Cassandra says against the rest.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, refused, rows, run, session};
use larder::Store;
use larder::wide_column::{Cql, Exception};

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
    for column in ["b", "s", "c"] {
        run(&session, &format!("CREATE INDEX ON t ({column})"));
    }
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
    for column in ["a", "b", "c", "s"] {
        run(&session, &format!("CREATE INDEX ON t ({column})"));
    }
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
        assert_eq!(session.query(&query, ()).unwrap().rows().len(), count, "{condition:.20}");
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

/// `t`, with the index, and `u`, which is the same without one.
fn twins(columns: &str, index: &str) -> Cql {
    let session = session();
    for table in ["t", "u"] {
        run(&session, &format!("CREATE TABLE {table} ({columns})"));
    }
    run(&session, index);
    session
}

// SEM: WID-QRY-5, WID-TYP-3
#[test]
fn ranges_of_numbers_and_times_are_found_by_storage_attached_indexes() {
    let uuid = |time: u8| format!("{time:08x}-0000-1000-8000-000000000000");
    let (first, second, third) = (uuid(1), uuid(2), uuid(3));
    let types: [(&str, [&str; 3]); 13] = [
        ("tinyint", ["-1", "0", "127"]),
        ("smallint", ["-300", "-1", "300"]),
        ("int", ["-2147483648", "0", "7"]),
        ("bigint", ["-9", "0", "9223372036854775807"]),
        ("varint", ["-99999999999999999999", "0", "99999999999999999999"]),
        ("float", ["-1.5", "0.25", "Infinity"]),
        ("double", ["-Infinity", "1.5", "NaN"]),
        ("decimal", ["-1.50", "0.0", "12.5"]),
        ("date", ["'1969-12-31'", "'1970-01-01'", "'2026-01-01'"]),
        ("time", ["'00:00:00'", "'08:00:00.5'", "'23:59:59'"]),
        ("timestamp", ["-1", "0", "'2026-01-01'"]),
        ("timeuuid", [&first, &second, &third]),
        ("inet", ["'10.0.0.1'", "'10.0.0.2'", "'192.168.0.1'"]),
    ];
    for (cql_type, values) in types {
        let session = twins(&format!("p int PRIMARY KEY, v {cql_type}"), "CREATE INDEX ON t (v) USING 'SAI'");
        for (p, value) in values.iter().chain(&values).enumerate() {
            for table in ["t", "u"] {
                run(&session, &format!("INSERT INTO {table} (p, v) VALUES ({p}, {value})"));
            }
        }
        let [low, middle, high] = values;
        for (condition, count) in [
            (format!("v = {middle}"), 2),
            (format!("v > {low}"), 4),
            (format!("v >= {low}"), 6),
            (format!("v < {high}"), 4),
            (format!("v <= {middle}"), 4),
            (format!("v > {low} AND v < {high}"), 2),
            (format!("v > {high} AND v < {low}"), 0),
            (format!("v >= {middle} AND v <= {middle}"), 2),
        ] {
            let found = rows(&session, &format!("SELECT p, v FROM t WHERE {condition}"));
            let expected = rows(&session, &format!("SELECT p, v FROM u WHERE {condition} ALLOW FILTERING"));
            assert_eq!(found, expected, "{cql_type}: {condition}");
            let all = found.split("; ").filter(|row| !row.is_empty()).count();
            assert_eq!(all, count, "{cql_type}: {condition}");
        }
    }
}

// SEM: WID-QRY-5
#[test]
fn storage_attached_indexes_look_up_what_has_no_ranges() {
    let columns = "p int PRIMARY KEY, a text, b boolean, c uuid, d frozen<list<int>>, e tuple<int, text>";
    let session = twins(columns, "CREATE CUSTOM INDEX ON t (a) USING 'StorageAttachedIndex'");
    for target in ["b", "c", "FULL(d)", "e"] {
        run(
            &session,
            &format!("CREATE CUSTOM INDEX ON t ({target}) USING 'org.apache.cassandra.index.sai.StorageAttachedIndex'"),
        );
    }
    let id = "123e4567-e89b-12d3-a456-426614174000";
    run(&session, &format!("INSERT INTO t (p, a, b, c, d, e) VALUES (1, 'x', true, {id}, [1, 2], (1, 'y'))"));
    run(&session, &format!("INSERT INTO t (p, a, b, c, d, e) VALUES (2, 'x', false, {id}, [1], (1, 'z'))"));
    let id = format!("c = {id}");
    for (condition, found) in [
        ("a = 'x'", "1; 2"),
        ("b = true", "1"),
        (&id, "1; 2"),
        ("d = [1, 2]", "1"),
        ("e = (1, 'z')", "2"),
        ("a = 'x' AND b = false", "2"),
    ] {
        assert_eq!(rows(&session, &format!("SELECT p FROM t WHERE {condition}")), found, "{condition}");
    }
    for condition in ["a > 'a'", "b > false", "a IN ('x')", "a = 'x' AND p > 1"] {
        let (_, message) = refused(&session, &format!("SELECT p FROM t WHERE {condition}"));
        assert_eq!(message, FILTERING, "{condition}");
    }
    assert_eq!(
        refused(&session, "SELECT p FROM t WHERE a LIKE 'x%'").1,
        "LIKE restriction is only supported on properly indexed columns. a LIKE 'x%' is not valid."
    );
}

// SEM: WID-QRY-5
#[test]
fn texts_are_looked_up_as_the_options_of_the_index_make_them() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t (p int, c int, v text, w set<text>, m map<text, text>, s text STATIC, PRIMARY KEY (p, c))",
    );
    for (target, options) in [
        ("v", "{'case_sensitive': false, 'normalize': 'true', 'ascii': true}"),
        ("w", "{'case_sensitive': 'false'}"),
        ("KEYS(m)", "{'ascii': 'TRUE'}"),
        ("VALUES(m)", "{'case_sensitive': 'false'}"),
        ("s", "{'case_sensitive': 'false'}"),
    ] {
        run(&session, &format!("CREATE INDEX ON t ({target}) USING 'sai' WITH OPTIONS = {options}"));
    }
    run(&session, "INSERT INTO t (p, c, v, w, m, s) VALUES (1, 1, 'Łódź', {'Red'}, {'ö': 'X'}, 'Own')");
    run(&session, "INSERT INTO t (p, c, v, w, m) VALUES (1, 2, 'lodz', {'RED', 'blue'}, {'o': 'x'})");
    run(&session, "INSERT INTO t (p, c, v, w) VALUES (2, 1, 'Graz', {'green'})");
    for (condition, found) in [
        ("v = 'LÓDZ'", "1,1; 1,2"),
        ("v = 'graz'", "2,1"),
        ("v = 'gra'", ""),
        ("w CONTAINS 'red'", "1,1; 1,2"),
        ("w CONTAINS 'BLUE'", "1,2"),
        ("m CONTAINS KEY 'ö'", "1,1; 1,2"),
        ("m CONTAINS 'X'", "1,1; 1,2"),
        ("s = 'oWN'", "1,1; 1,2"),
        ("p = 1 AND v = 'LODZ' AND w CONTAINS 'Blue'", "1,2"),
        ("p = 1 AND c = 1 AND v = 'LODZ'", "1,1"),
    ] {
        assert_eq!(rows(&session, &format!("SELECT p, c FROM t WHERE {condition}")), found, "{condition}");
    }
    run(&session, "DROP INDEX t_v_idx");
    assert_eq!(rows(&session, "SELECT p, c FROM t WHERE v = 'graz' ALLOW FILTERING"), "");
}

// SEM: WID-QRY-5, WID-DDL-1
#[test]
fn classes_and_options_that_cannot_be_are_refused_in_the_words_of_cassandra() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t (p int, c text, v text, n int, b blob, l list<blob>, m map<text, int>, \"odd/name\" int, \
         x vector<float, 2>, y list<frozen<vector<float, 2>>>, PRIMARY KEY (p, c))",
    );
    run(&session, "CREATE INDEX by_v ON t (v) USING 'sai'");
    run(&session, "CREATE INDEX own_v ON t (v) USING 'legacy_local_table'");
    let sai = "USING 'StorageAttachedIndex'";
    let with =
        |target: &str, options: &str| format!("CREATE CUSTOM INDEX ON t ({target}) {sai} WITH OPTIONS = {{{options}}}");
    let cases = [
        (format!("CREATE CUSTOM INDEX ON t (v) {sai}"), "Index t_v_idx is a duplicate of existing index by_v"),
        ("CREATE INDEX ON t (v)".to_owned(), "Index t_v_idx is a duplicate of existing index own_v"),
        (
            with("v", "'case_sensitive': true"),
            "Cannot create more than one storage-attached index on the same column: v",
        ),
        (
            format!("CREATE CUSTOM INDEX ON t (p) {sai}"),
            "Cannot create secondary index on the only partition key column p",
        ),
        (
            format!("CREATE CUSTOM INDEX ON t (v, n) {sai}"),
            "A storage-attached index cannot be created over multiple columns: v, n",
        ),
        (format!("CREATE CUSTOM INDEX ON t (v, v) {sai}"), "Duplicate column 'v' in index target list"),
        (format!("CREATE CUSTOM INDEX ON t (b) {sai}"), "Unsupported type: blob"),
        (format!("CREATE CUSTOM INDEX ON t (l) {sai}"), "Unsupported type: blob"),
        (
            format!("CREATE CUSTOM INDEX ON t (\"odd/name\") {sai}"),
            "Column 'odd/name' is longer than the permissible name length of 48 characters or contains \
             non-alphanumeric-underscore characters",
        ),
        (
            with("c", "'case_sensitive': false"),
            "Analysis options are not supported on primary key columns, but found {'case_sensitive': 'false'}",
        ),
        (with("n", "'ascii': true"), "CQL type int cannot be analyzed."),
        (with("ENTRIES(m)", "'ascii': true"), "CQL type text, int cannot be analyzed."),
        (with("KEYS(m)", "'ascii': 'yes'"), "Illegal value for boolean option 'ascii': yes"),
        (with("KEYS(m)", "'ascii': ''"), "Empty value for boolean option 'ascii'"),
        (with("n", "'target': 'v'"), "Cannot specify target as a CUSTOM option"),
        (
            "CREATE INDEX ON t (n) WITH OPTIONS = {'ascii': true}".to_owned(),
            "Cannot specify options for a non-CUSTOM index",
        ),
        (
            "CREATE CUSTOM INDEX ON t (n) USING 'org.apache.cassandra.index.sasi.SASIIndex'".to_owned(),
            "SASI indexes are disabled. Enable in cassandra.yaml to use.",
        ),
        (format!("CREATE CUSTOM INDEX ON t (x) {sai}"), "not supported: an index of the vector column \"x\""),
        (
            format!("CREATE CUSTOM INDEX ON t (y) {sai}"),
            "not supported: an index of vector<float, 2> in the column \"y\"",
        ),
        ("SELECT p FROM t ORDER BY x ANN OF [1.0, 2.0] LIMIT 1".to_owned(), "not supported: ORDER BY … ANN OF"),
    ];
    let cases: Vec<_> = cases.iter().map(|(statement, expected)| (statement.as_str(), *expected)).collect();
    all_refused(&session, &cases);
    for (statement, class, expected) in [
        (
            with("n", "'mode': 'CONTAINS'"),
            Exception::Config,
            "Properties specified [mode] are not understood by StorageAttachedIndex",
        ),
        (
            "CREATE CUSTOM INDEX ON t (n) USING 'com.example.Own'".to_owned(),
            Exception::Config,
            "Unable to find custom indexer class 'com.example.Own'",
        ),
        (
            "CREATE CUSTOM INDEX ON t (n)".to_owned(),
            Exception::Config,
            "Unable to find custom indexer class 'legacy_local_table'",
        ),
        (format!("CREATE CUSTOM INDEX ON t (n) {sai} WITH other = 1"), Exception::Syntax, "Unknown property 'other'"),
    ] {
        assert_eq!(refused(&session, &statement), (class, expected.to_owned()), "{statement}");
    }
    run(&session, "CREATE CUSTOM INDEX IF NOT EXISTS ON t (v) USING 'sai'");
}

// SEM: WID-QRY-5
#[test]
fn a_range_that_names_too_many_rows_reads_the_table() {
    let store = Store::in_memory();
    let session = store.cql();
    run(&session, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(&session, "USE k");
    run(&session, "CREATE TABLE t (p int, c int, v int, s int STATIC, PRIMARY KEY (p, c))");
    run(&session, "CREATE INDEX ON t (v) USING 'sai'");
    // The key of each takes some fifty bytes, and 4 MiB of them may be gathered.
    let inserted = store.transaction(|tx| {
        let table = tx.wide_table("k", "t");
        (0..90_000).try_for_each(|n: i32| table.insert(&[("p", (n % 10).into()), ("c", n.into()), ("v", n.into())]))
    });
    inserted.unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE v >= 1"), "89999");
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE v > 40000 AND v < 40003"), "2");
    let of_each = rows(&session, "SELECT c FROM t WHERE v > 9 PER PARTITION LIMIT 1");
    let mut of_each: Vec<_> = of_each.split("; ").collect();
    of_each.sort_unstable();
    assert_eq!(of_each.join(" "), "10 11 12 13 14 15 16 17 18 19");
}
