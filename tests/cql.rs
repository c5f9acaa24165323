//! CQL as a user of a session sees it.

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, refused, rows, run, session, table};
use larder::wide_column::{Cql, CqlValue, Exception};
use larder::{Error, Store};

fn events() -> Cql {
    let session = session();
    run(&session, "CREATE TABLE t (p int, c int, d int, v text, s text STATIC, PRIMARY KEY (p, c, d))");
    for (p, c, d) in [(1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 3, 1), (2, 1, 1)] {
        run(&session, &format!("INSERT INTO t (p, c, d, v) VALUES ({p}, {c}, {d}, 'v{p}{c}{d}')"));
    }
    session
}

// SEM: WID-QRY-1, WID-ROW-1
#[test]
fn rows_of_a_partition_are_found_by_slices_lists_and_tuples() {
    let session = events();
    for (condition, expected) in [
        ("p = 1", "v111; v112; v121; v131"),
        ("p = 1 AND c = 1", "v111; v112"),
        ("p = 1 AND c = 1 AND d = 2", "v112"),
        ("p = 1 AND c > 1", "v121; v131"),
        ("p = 1 AND c >= 1 AND c < 3", "v111; v112; v121"),
        ("p = 1 AND c IN (3, 1, 3)", "v111; v112; v131"),
        ("p IN (2, 1) AND c = 1 AND d = 1", "v111; v211"),
        ("p = 1 AND c = 1 AND d > 1", "v112"),
        ("p = 1 AND (c, d) > (1, 1)", "v112; v121; v131"),
        ("p = 1 AND (c, d) > (1, 1) AND (c) < (3)", "v112; v121"),
        ("p = 1 AND (c, d) = (1, 2)", "v112"),
        ("p = 1 AND (c, d) IN ((3, 1), (1, 1))", "v111; v131"),
        ("p = 1 AND c = 1 ORDER BY c DESC, d DESC", "v112; v111"),
        ("p = 1 LIMIT 2", "v111; v112"),
        ("p IN (1, 2) PER PARTITION LIMIT 1", "v111; v211"),
        ("p = 1 AND d = 1 ALLOW FILTERING", "v111; v121; v131"),
        ("v = 'v121' ALLOW FILTERING", "v121"),
        ("p = 1 AND c IN ()", ""),
    ] {
        assert_eq!(rows(&session, &format!("SELECT v FROM t WHERE {condition}")), expected, "{condition}");
    }
    assert_eq!(rows(&session, "SELECT count(*), min(c), max(c), sum(c), avg(c) FROM t WHERE p = 1"), "4,1,3,7,1");
    assert_eq!(rows(&session, "SELECT count(v) AS n FROM t WHERE p = 9"), "0");
}

// SEM: WID-QRY-2
#[test]
fn rows_are_grouped_by_the_beginning_of_their_key() {
    let session = events();
    assert_eq!(rows(&session, "SELECT p, count(*), max(d) FROM t WHERE p IN (1, 2) GROUP BY p"), "1,4,2; 2,1,1");
    assert_eq!(rows(&session, "SELECT c, sum(d), v FROM t WHERE p = 1 GROUP BY c"), "1,3,v111; 2,1,v121; 3,1,v131");
    assert_eq!(rows(&session, "SELECT c, v FROM t WHERE p = 1 GROUP BY p, c LIMIT 2"), "1,v111; 2,v121");
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE p = 9 GROUP BY p"), "");
    all_refused(
        &session,
        &[
            (
                "SELECT v FROM t GROUP BY v",
                "Group by is currently only supported on the columns of the PRIMARY KEY, got v",
            ),
            (
                "SELECT v FROM t GROUP BY p, d",
                "Group by currently only support groups of columns following their declared order in the PRIMARY KEY",
            ),
        ],
    );
}

// SEM: WID-QRY-1
#[test]
fn queries_that_cannot_be_are_refused_in_the_words_of_cassandra() {
    let filtering = "Cannot execute this query as it might involve data filtering and thus may have unpredictable \
                     performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING";
    all_refused(
        &events(),
        &[
            ("SELECT v FROM t WHERE v = 'a'", filtering),
            ("SELECT v FROM t WHERE c = 1", filtering),
            ("SELECT v FROM t WHERE p > 1", filtering),
            (
                "SELECT v FROM t WHERE p = 1 AND d = 1",
                "PRIMARY KEY column \"d\" cannot be restricted as preceding column \"c\" is not restricted",
            ),
            (
                "SELECT v FROM t WHERE p = 1 AND c > 1 AND d = 1",
                "Clustering column \"d\" cannot be restricted (preceding column \"c\" is restricted by a non-EQ relation)",
            ),
            ("SELECT w FROM t", "Undefined column name w in table k.t"),
            ("SELECT v FROM u", "table u does not exist"),
            ("SELECT v FROM l.t", "keyspace l does not exist"),
            ("SELECT v FROM t WHERE p = 'a'", "Invalid STRING constant (a) for \"p\" of type int"),
            ("SELECT v FROM t WHERE p = 2147483648", "Unable to make int from '2147483648'"),
            ("SELECT v FROM t WHERE p = null", "Invalid null value in condition for column p"),
            (
                "SELECT v FROM t WHERE p = 1 AND p = 2",
                "p cannot be restricted by more than one relation if it includes an Equal",
            ),
            (
                "SELECT v FROM t WHERE p = 1 AND c > 1 AND c >= 2",
                "More than one restriction was found for the start bound on c",
            ),
            (
                "SELECT v FROM t WHERE p = 1 AND (c, d) > (0, 2) AND (c, d) >= (0, 0)",
                "More than one restriction was found for the start bound on c, d",
            ),
            (
                "SELECT v FROM t WHERE p = 1 AND (c, d) < (0, 2) AND (c) < (1)",
                "More than one restriction was found for the end bound on c",
            ),
            (
                "SELECT v FROM t WHERE token(p) > 0 AND token(p) > 1",
                "More than one restriction was found for the start bound on p",
            ),
            (
                "SELECT v FROM t WHERE token(p) = 0 AND token(p) < 1",
                "p cannot be restricted by more than one relation if it includes an Equal",
            ),
            ("SELECT v FROM t WHERE p = 1 LIMIT 0", "LIMIT must be strictly positive"),
            (
                "SELECT v FROM t ORDER BY c",
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
            ),
            (
                "SELECT v FROM t WHERE p = 1 ORDER BY v",
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v",
            ),
            ("SELECT v FROM t WHERE p = 1 ORDER BY c DESC, d ASC", "Unsupported order by relation"),
            ("SELECT v FROM t WHERE v CONTAINS 'a'", "Cannot use CONTAINS on non-collection column v"),
            (
                "SELECT DISTINCT v FROM t",
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not v)",
            ),
            ("SELECT writetime(p) FROM t", "Cannot use selection function writetime on PRIMARY KEY part p"),
        ],
    );
}

// SEM: WID-ROW-2, WID-ROW-3
#[test]
fn writes_of_rows_statics_and_nulls_do_what_they_say() {
    let session = events();
    run(&session, "INSERT INTO t (p, s) VALUES (3, 'only')");
    assert_eq!(rows(&session, "SELECT p, c, s FROM t WHERE p = 3"), "3,null,only");
    run(&session, "UPDATE t SET s = 'shared' WHERE p = 1");
    assert_eq!(rows(&session, "SELECT DISTINCT p, s FROM t WHERE p IN (1, 3)"), "1,shared; 3,only");
    run(&session, "UPDATE t SET v = 'new' WHERE p = 1 AND c IN (1, 9) AND d = 1");
    assert_eq!(rows(&session, "SELECT c, v FROM t WHERE p = 1 AND c IN (1, 9)"), "1,new; 1,v112; 9,new");
    // A row that was only updated goes with its last value.
    run(&session, "DELETE v FROM t WHERE p = 1 AND c = 9 AND d = 1");
    assert_eq!(rows(&session, "SELECT c FROM t WHERE p = 1 AND c = 9"), "");
    run(&session, "INSERT INTO t (p, c, d, v) VALUES (1, 1, 1, null)");
    assert_eq!(rows(&session, "SELECT c, v FROM t WHERE p = 1 AND c = 1 AND d = 1"), "1,null");
    run(&session, "DELETE FROM t WHERE p = 1 AND c >= 1 AND c < 3");
    assert_eq!(rows(&session, "SELECT v FROM t WHERE p = 1"), "v131");
    run(&session, "DELETE FROM t WHERE p = 1 AND c = 3");
    run(&session, "DELETE FROM t WHERE p = 2");
    assert_eq!(rows(&session, "SELECT p, v FROM t"), "1,null; 3,null");
    run(&session, "TRUNCATE t");
    assert_eq!(rows(&session, "SELECT * FROM t"), "");
}

#[test]
fn writes_that_cannot_be_are_refused_in_the_words_of_cassandra() {
    let session = events();
    run(&session, "CREATE TABLE n (p int PRIMARY KEY, hits counter)");
    all_refused(
        &session,
        &[
            ("INSERT INTO t (p, c) VALUES (1)", "Unmatched column names/values"),
            ("INSERT INTO t (p, p) VALUES (1, 1)", "The column names contains duplicates"),
            ("INSERT INTO t (c, d, v) VALUES (1, 1, 'a')", "Some partition key parts are missing: p"),
            ("INSERT INTO t (p, c, v) VALUES (1, 1, 'a')", "Some clustering keys are missing: d"),
            ("UPDATE t SET v = 'a' WHERE c = 1 AND d = 1", "Some partition key parts are missing: p"),
            ("UPDATE t SET v = 'a' WHERE p = 1 AND c = 1", "Some clustering keys are missing: d"),
            (
                "UPDATE t SET v = 'a' WHERE p = 1 AND c = 1 AND d > 1",
                "Slice restrictions are not supported on the clustering columns in UPDATE statements",
            ),
            ("UPDATE t SET c = 1 WHERE p = 1", "PRIMARY KEY part c found in SET part"),
            ("UPDATE t SET v = 'a' WHERE p = 1 AND v = 'b'", "Non PRIMARY KEY columns found in where clause: v "),
            ("DELETE v FROM t WHERE p = 1 AND c = 1", "Range deletions are not supported for specific columns"),
            ("DELETE p FROM t WHERE p = 1", "Invalid identifier p for deletion (should not be a PRIMARY KEY part)"),
            ("INSERT INTO n (p) VALUES (1)", "INSERT statements are not allowed on counter tables, use UPDATE instead"),
            (
                "UPDATE n SET hits = 1 WHERE p = 1",
                "Cannot set the value of counter column hits (counters can only be incremented/decremented, not set)",
            ),
            (
                "UPDATE t SET v = v + 'a' WHERE p = 1 AND c = 1 AND d = 1",
                "Invalid operation (v = v + 'a') for non counter column v",
            ),
            (
                "INSERT INTO t (p, c, d) VALUES (1, 1, 1) USING TTL -1",
                "A TTL must be greater or equal to 0, but was -1",
            ),
            (
                "INSERT INTO t (p, c, d) VALUES (1, 1, 1) IF NOT EXISTS USING TIMESTAMP 1",
                "Cannot provide custom timestamp for conditional updates",
            ),
            (
                "BEGIN BATCH UPDATE n SET hits = hits + 1 WHERE p = 1 APPLY BATCH",
                "Cannot include a counter statement in a logged batch",
            ),
            (
                "BEGIN BATCH USING TIMESTAMP 1 INSERT INTO t (p, c, d) VALUES (1, 1, 1) USING TIMESTAMP 2 APPLY BATCH",
                "Timestamp must be set either on BATCH or individual statements",
            ),
        ],
    );
}

// SEM: WID-ROW-4
#[test]
fn collections_are_changed_in_part() {
    let session = session();
    run(&session, "CREATE TYPE u (a int, b text)");
    run(
        &session,
        "CREATE TABLE t (p int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>, f frozen<list<int>>, u u, x tuple<int, text>, \
         v vector<float, 2>)",
    );
    run(&session, "INSERT INTO t (p, l, s, m, f, x) VALUES (1, [1, 2], {'b', 'a', 'b'}, {'x': 1}, [3], (1, 'a'))");
    run(&session, "UPDATE t SET l = l + [3], s = s + {'c'}, m['y'] = 2 WHERE p = 1");
    run(&session, "UPDATE t SET l = [0] + l, s -= {'a'}, m += {'z': 3} WHERE p = 1");
    assert_eq!(rows(&session, "SELECT l, s, m, f, x FROM t"), "[0 1 2 3],{b c},{x:1 y:2 z:3},[3],(1 a)");
    run(&session, "UPDATE t SET l[0] = 9, m = m - {'x', 'y'} WHERE p = 1");
    run(&session, "DELETE l[1], s['b'], m['q'] FROM t WHERE p = 1");
    assert_eq!(rows(&session, "SELECT l, s, m FROM t"), "[9 2 3],{c},{z:3}");
    for (condition, expected) in
        [("l CONTAINS 2", "1"), ("m CONTAINS KEY 'z'", "1"), ("m['z'] = 4", ""), ("s CONTAINS 'b'", "")]
    {
        assert_eq!(
            rows(&session, &format!("SELECT p FROM t WHERE {condition} ALLOW FILTERING")),
            expected,
            "{condition}"
        );
    }
    run(&session, "UPDATE t SET u = {a: 1, b: 'x'} WHERE p = 1");
    run(&session, "UPDATE t SET u.a = 2 WHERE p = 1");
    let answer = session.query("SELECT u FROM t", ()).unwrap();
    let fields = vec![("a".to_owned(), CqlValue::Int(2)), ("b".to_owned(), "x".into())];
    assert_eq!(answer.rows()[0].get("u"), Some(&CqlValue::Udt(fields)));
    all_refused(
        &session,
        &[
            ("INSERT INTO t (p, l) VALUES (1, {1})", "Invalid set literal for l of type list<int>"),
            ("INSERT INTO t (p, s) VALUES (1, ['a'])", "Invalid list literal for s of type set<text>"),
            ("INSERT INTO t (p, l) VALUES (1, [null])", "null is not supported inside collections"),
            ("INSERT INTO t (p, u) VALUES (1, {c: 1})", "Unknown field 'c' in value of user defined type u"),
            ("UPDATE t SET f = f + [1] WHERE p = 1", "Invalid operation (f = f + [1]) for frozen collection column f"),
            (
                "SELECT p FROM t WHERE l = [1]",
                "Collection column 'l' (list<int>) cannot be restricted by a '=' relation",
            ),
            (
                "INSERT INTO t (p, v) VALUES (1, [1.0])",
                "Invalid vector literal for v of type vector<float, 2>; expected 2 elements, but given 1",
            ),
        ],
    );
}

// SEM: WID-QRY-2
#[test]
fn rows_are_shown_as_json() {
    let session = session();
    run(&session, "CREATE TABLE t (p int PRIMARY KEY, \"L\" list<int>, m map<text, int>, v text)");
    run(&session, "INSERT INTO t (p, \"L\", m) VALUES (1, [1, 2], {'a': 3})");
    assert_eq!(
        rows(&session, "SELECT JSON p, \"L\", m, v AS w, count(*) FROM t"),
        "{\"p\": 1, \"\\\"L\\\"\": [1, 2], \"m\": {\"a\": 3}, \"w\": null, \"count\": 1}"
    );
    assert_eq!(session.query("SELECT JSON * FROM t", ()).unwrap().columns()[0].0, "[json]");
}

// SEM: WID-LWT-1
#[test]
fn conditional_writes_say_whether_they_were_applied_and_what_was_there() {
    let session = events();
    let answer = |statement: &str| {
        let answer = run(&session, statement);
        let names: Vec<_> = answer.columns().iter().map(|(name, _)| name.as_str()).collect();
        format!("{}: {}", names.join(","), table(&answer))
    };
    let new = "INSERT INTO t (p, c, d, v) VALUES (7, 1, 1, 'a') IF NOT EXISTS";
    assert_eq!(answer(new), "[applied]: true");
    assert_eq!(answer(new), "[applied],p,c,d,s,v: false,7,1,1,null,a");
    let change = |condition: &str| format!("UPDATE t SET v = 'b' WHERE p = 7 AND c = 1 AND d = 1 IF {condition}");
    assert_eq!(answer(&change("v = 'x'")), "[applied],v: false,a");
    assert_eq!(answer(&change("v IN ('x', 'a')")), "[applied]: true");
    assert_eq!(answer(&change("v = null")), "[applied],v: false,b");
    assert_eq!(answer("UPDATE t SET v = 'b' WHERE p = 8 AND c = 1 AND d = 1 IF EXISTS"), "[applied]: false");
    assert_eq!(answer("DELETE FROM t WHERE p = 7 AND c = 1 AND d = 1 IF v != 'x'"), "[applied]: true");
    assert_eq!(rows(&session, "SELECT v FROM t WHERE p = 7"), "");
    let (_, message) = refused(&session, &change("p = 7"));
    assert_eq!(message, "PRIMARY KEY column 'p' cannot have IF conditions");
    let batch = "BEGIN BATCH INSERT INTO t (p, c, d) VALUES (7, 1, 1) IF NOT EXISTS; INSERT INTO t (p, c, d) VALUES (7, 2, 1); APPLY BATCH";
    assert_eq!(answer(batch), "[applied]: true");
    assert!(!run(&session, batch).is_applied());
}

#[test]
fn counters_batches_times_and_indexes_work_together() {
    let session = session();
    run(&session, "CREATE TABLE n (p int PRIMARY KEY, hits counter)");
    run(&session, "UPDATE n SET hits = hits + 2 WHERE p = 1");
    run(
        &session,
        "BEGIN COUNTER BATCH UPDATE n SET hits += 5 WHERE p = 1; UPDATE n SET hits -= 3 WHERE p = 1; APPLY BATCH",
    );
    assert_eq!(rows(&session, "SELECT hits FROM n"), "4");
    run(&session, "CREATE TABLE t (p int PRIMARY KEY, v text, w text)");
    run(
        &session,
        "BEGIN BATCH USING TIMESTAMP 5 INSERT INTO t (p, v) VALUES (1, 'a'); UPDATE t USING TTL 60 SET w = 'b' WHERE p = 1; APPLY BATCH",
    );
    assert_eq!(rows(&session, "SELECT writetime(v), ttl(v), writetime(w), ttl(w) FROM t"), "5,null,5,60");
    run(&session, "BEGIN BATCH APPLY BATCH");
    run(&session, "CREATE INDEX ON t (v)");
    run(&session, "INSERT INTO t (p, v, w) VALUES (2, 'a', 'c')");
    assert_eq!(rows(&session, "SELECT p FROM t WHERE v = 'a' AND w = 'c' ALLOW FILTERING"), "2");
    assert_eq!(session.query("SELECT p FROM t WHERE v = 'a'", ()).unwrap().rows().len(), 2);
    all_refused(
        &session,
        &[
            ("CREATE INDEX ON t (v)", "Index t_v_idx_1 is a duplicate of existing index t_v_idx"),
            ("CREATE INDEX t_v_idx ON t (w)", "Index 't_v_idx' already exists"),
            ("CREATE INDEX ON n (hits)", "Secondary indexes on counter tables aren't supported"),
        ],
    );
    run(&session, "DROP INDEX t_v_idx");
    let (_, message) = refused(&session, "SELECT p FROM t WHERE v = 'a'");
    assert!(message.ends_with("use ALLOW FILTERING"), "{message}");
}

// SEM: WID-DDL-1
#[test]
fn definitions_are_made_changed_and_refused_with_their_class() {
    let session = session();
    let simple = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    for (statement, class, expected) in [
        (
            format!("CREATE KEYSPACE k WITH replication = {simple}"),
            Exception::AlreadyExists,
            "Cannot add existing keyspace \"k\"",
        ),
        (
            "CREATE KEYSPACE l WITH durable_writes = true".to_owned(),
            Exception::Config,
            "Missing mandatory replication strategy class",
        ),
        (
            "CREATE KEYSPACE l WITH replication = {'class': 'Nowhere'}".to_owned(),
            Exception::Config,
            "Unable to find replication strategy class 'org.apache.cassandra.locator.Nowhere'",
        ),
        (
            "CREATE KEYSPACE l WITH replication = 1".to_owned(),
            Exception::Syntax,
            "Invalid value for property 'replication'. It should be a map.",
        ),
        (format!("CREATE KEYSPACE l WITH replication = {simple} AND x = 1"), Exception::Syntax, "Unknown property 'x'"),
        ("ALTER KEYSPACE l WITH durable_writes = true".to_owned(), Exception::Invalid, "Keyspace 'l' doesn't exist"),
        ("USE l".to_owned(), Exception::Invalid, "Keyspace 'l' does not exist"),
        (
            "CREATE TABLE t (a int)".to_owned(),
            Exception::Invalid,
            "No PRIMARY KEY specifed for table 't' (exactly one required)",
        ),
        (
            "CREATE TABLE t (a int, PRIMARY KEY (b))".to_owned(),
            Exception::Invalid,
            "Unknown column 'b' referenced in PRIMARY KEY for table 't'",
        ),
        (
            "CREATE TABLE t (a list<int> PRIMARY KEY)".to_owned(),
            Exception::Invalid,
            "Invalid non-frozen collection type list<int> for PRIMARY KEY column 'a'",
        ),
        (
            "CREATE TABLE t (a int PRIMARY KEY, b int STATIC)".to_owned(),
            Exception::Invalid,
            "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
        ),
        (
            "CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b, c)) WITH CLUSTERING ORDER BY (c ASC)".to_owned(),
            Exception::Invalid,
            "Missing CLUSTERING ORDER for column b",
        ),
        ("CREATE TABLE t (a x PRIMARY KEY)".to_owned(), Exception::Invalid, "Unknown type k.x"),
        ("CREATE TABLE t (a int PRIMARY KEY) WITH x = 1".to_owned(), Exception::Syntax, "Unknown property 'x'"),
        ("DROP TABLE t".to_owned(), Exception::Invalid, "Table 'k.t' doesn't exist"),
        ("DROP TYPE t".to_owned(), Exception::Invalid, "Type 'k.t' doesn't exist"),
        ("DROP KEYSPACE system".to_owned(), Exception::Unauthorized, "system keyspace is not user-modifiable."),
    ] {
        assert_eq!(refused(&session, &statement), (class, expected.to_owned()), "{statement}");
    }
    run(
        &session,
        "CREATE TABLE t (a int, b int, v text, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC) AND comment = 'x'",
    );
    run(&session, "CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)");
    run(&session, "INSERT INTO t (a, b, v) VALUES (1, 1, 'x')");
    run(&session, "INSERT INTO t (a, b, v) VALUES (1, 2, 'y')");
    run(&session, "ALTER TABLE t ADD (w int, \"X\" set<int>)");
    run(&session, "UPDATE t SET w = 5, \"X\" = {1} WHERE a = 1 AND b = 2");
    run(&session, "ALTER TABLE t RENAME b TO c");
    run(&session, "ALTER TABLE t DROP v");
    assert_eq!(rows(&session, "SELECT * FROM t"), "1,2,{1},5; 1,1,null,null");
    run(&session, "ALTER TABLE t WITH default_time_to_live = 10");
    run(&session, "INSERT INTO t (a, c, w) VALUES (2, 1, 1)");
    assert_eq!(rows(&session, "SELECT ttl(w) FROM t WHERE a = 2"), "10");
    let (_, message) = refused(&session, "ALTER TABLE t DROP a");
    assert_eq!(message, "Cannot drop PRIMARY KEY column a");
    run(&session, "CREATE TYPE u (a int)");
    run(&session, "CREATE TABLE w (p int PRIMARY KEY, u frozen<u>)");
    run(&session, "INSERT INTO w (p, u) VALUES (1, {a: 1})");
    run(&session, "ALTER TYPE u ADD b text");
    run(&session, "INSERT INTO w (p, u) VALUES (2, {a: 1, b: 'x'})");
    let (_, message) = refused(&session, "DROP TYPE u");
    assert!(message.starts_with("Cannot drop user type 'k.u' as it is still used by"), "{message}");
    run(&session, "DROP TABLE w");
    run(&session, "DROP TYPE u");
    run(&session, "DROP KEYSPACE k");
    let (_, message) = refused(&session, "SELECT * FROM t");
    assert_eq!(message, "keyspace k does not exist");
}

// SEM: WID-QRY-6
#[test]
fn prepared_statements_go_on_after_their_table_has_changed() {
    let session = session();
    run(&session, "CREATE TABLE t (p int PRIMARY KEY, v text)");
    let insert = session.prepare("INSERT INTO t (p, v) VALUES (?, ?)").unwrap();
    let select = session.prepare("SELECT * FROM t WHERE p IN ? AND v = :v ALLOW FILTERING").unwrap();
    session.execute(&insert, (1, "a")).unwrap();
    run(&session, "DROP TABLE t");
    run(&session, "CREATE TABLE t (p int PRIMARY KEY, v text, w int)");
    session.execute(&insert, (1, "a")).unwrap();
    session.execute(&insert, vec![CqlValue::Int(2), CqlValue::Unset]).unwrap();
    let keys = CqlValue::List(vec![2.into(), 1.into()]);
    let found = session.query(&select, vec![keys, "a".into()]).unwrap();
    assert_eq!(table(&found), "1,a,null");
    let error = session.execute(&insert, (1,)).unwrap_err();
    assert_eq!(error.to_string(), "there were 2 markers(?) in CQL but 1 bound variables");
    let error = session.execute(&insert, ("x", "a")).unwrap_err();
    assert_eq!(Exception::of(&error), Exception::Invalid, "{error}");
}

// SEM: WID-QRY-3
#[test]
fn tokens_are_ranges_of_partitions() {
    let session = session();
    run(&session, "CREATE TABLE t (p int PRIMARY KEY)");
    for p in 0..20 {
        run(&session, &format!("INSERT INTO t (p) VALUES ({p})"));
    }
    let all = rows(&session, "SELECT p FROM t");
    assert_eq!(rows(&session, "SELECT p FROM t WHERE token(p) >= -9223372036854775807"), all);
    let before = rows(&session, "SELECT p FROM t WHERE token(p) < token(7)");
    let after = rows(&session, "SELECT p FROM t WHERE token(p) >= token(7)");
    assert_eq!(format!("{before}; {after}"), all);
    assert_eq!(rows(&session, "SELECT p FROM t WHERE token(p) = token(7)"), "7");
}

#[test]
fn statements_of_a_transaction_are_kept_or_undone_together() {
    let store = Store::in_memory();
    let session = store.cql();
    run(&session, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(&session, "CREATE TABLE k.t (p int PRIMARY KEY, v text)");
    let outcome = store.transaction(|tx| {
        let within = tx.cql();
        within.execute("INSERT INTO k.t (p, v) VALUES (1, 'a')", ())?;
        assert_eq!(within.query("SELECT v FROM k.t", ())?.rows().len(), 1);
        tx.kv().set("key", "value")?;
        Err::<(), _>(Error::application("no"))
    });
    assert!(outcome.is_err());
    assert_eq!(rows(&session, "SELECT v FROM k.t"), "");
}

#[test]
fn tables_of_the_system_tell_of_the_node_and_the_schema() {
    let session = session();
    run(&session, "CREATE TYPE u (a int, \"B\" text)");
    run(
        &session,
        "CREATE TABLE t (p int, c int, v map<text, int>, w frozen<u>, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x'",
    );
    run(&session, "CREATE INDEX ON t (keys(v))");
    run(&session, "ALTER TABLE t ADD x int");
    run(&session, "ALTER TABLE t DROP x");
    assert_eq!(
        rows(&session, "SELECT cluster_name, data_center FROM system.local WHERE key = 'local'"),
        "larder,datacenter1"
    );
    assert_eq!(rows(&session, "SELECT * FROM system.peers_v2"), "");
    let mut keyspaces = rows(&session, "SELECT keyspace_name, durable_writes FROM system_schema.keyspaces");
    let mut sorted: Vec<_> = keyspaces.split("; ").collect();
    sorted.sort_unstable();
    keyspaces = sorted.join("; ");
    assert_eq!(keyspaces, "k,true; system,true; system_auth,true; system_schema,true");
    let keys = "keyspace_name = 'k' AND table_name = 't'";
    assert_eq!(
        rows(&session, &format!("SELECT comment, gc_grace_seconds FROM system_schema.tables WHERE {keys}")),
        "x,864000"
    );
    assert_eq!(
        rows(
            &session,
            &format!(
                "SELECT column_name, kind, position, clustering_order, type FROM system_schema.columns WHERE {keys}"
            )
        ),
        "c,clustering,0,desc,int; p,partition_key,0,none,int; v,regular,-1,none,map<text, int>; w,regular,-1,none,frozen<u>"
    );
    assert_eq!(rows(&session, "SELECT column_name, type FROM system_schema.dropped_columns"), "x,int");
    assert_eq!(
        rows(&session, "SELECT type_name, field_names, field_types FROM system_schema.types"),
        "u,[a B],[int text]"
    );
    assert_eq!(rows(&session, "SELECT index_name, options FROM system_schema.indexes"), "t_v_idx,{target:keys(v)}");
    assert_eq!(rows(&session, "SELECT index_name FROM system.\"IndexInfo\" WHERE table_name = 'k'"), "t_v_idx");
    assert_eq!(rows(&session, "SELECT count(*) FROM system_schema.functions"), "0");
    let version = || {
        session.query("SELECT schema_version FROM system.local", ()).unwrap().rows()[0].get("schema_version").cloned()
    };
    let before = version();
    run(&session, "CREATE TABLE z (p int PRIMARY KEY)");
    assert_ne!(version(), before);
}

// What drivers and shells know of a table, they know from here: of the system's own too.
#[test]
fn tables_of_the_system_list_themselves_as_they_are_read() {
    let session = session();
    let mut seen = 0;
    for schema in ["system_schema", "system_virtual_schema"] {
        let listed = session.query(&format!("SELECT keyspace_name, table_name FROM {schema}.tables"), ()).unwrap();
        for row in listed.rows() {
            let [Some(CqlValue::Text(keyspace)), Some(CqlValue::Text(table))] =
                ["keyspace_name", "table_name"].map(|name| row.get(name))
            else {
                panic!("{row:?}");
            };
            let columns = format!(
                "SELECT column_name FROM {schema}.columns WHERE keyspace_name = '{keyspace}' AND table_name = '{table}'"
            );
            let columns = rows(&session, &columns).replace("; ", ", ");
            // Each column that is listed can be read.
            rows(&session, &format!("SELECT {columns} FROM {keyspace}.\"{table}\""));
            assert!(!columns.is_empty(), "{keyspace}.{table}");
            seen += 1;
        }
    }
    assert_eq!(seen, 21);
    assert_eq!(rows(&session, "SELECT * FROM system_virtual_schema.keyspaces"), "system_virtual_schema");
    let of_local = "keyspace_name = 'system' AND table_name = 'local' AND column_name = 'key'";
    let kind = rows(&session, &format!("SELECT kind, type FROM system_schema.columns WHERE {of_local}"));
    assert_eq!(kind, "partition_key,text");
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    let session = events();
    for (statement, named) in [
        ("ADD IDENTITY 'i' TO ROLE 'r'", "ADD IDENTITY"),
        ("CREATE FUNCTION f() RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS ''", "functions in java"),
        ("SELECT * FROM system.paxos", "the system's table system.paxos"),
        ("INSERT INTO system.local (key) VALUES ('local')", "the system's keyspace system"),
    ] {
        let error = session.execute(statement, ()).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature == named), "{statement}: {error}");
    }
}

// SEM: WID-ROW-1
#[test]
fn an_order_may_leave_out_what_is_restricted_to_one_value() {
    let session = events();
    assert_eq!(rows(&session, "SELECT v FROM t WHERE p = 1 AND c = 1 ORDER BY d DESC"), "v112; v111");
    // Mappers of drivers write a column again to turn it round.
    assert_eq!(
        rows(&session, "SELECT v FROM t WHERE p = 1 ORDER BY c ASC, d ASC, c DESC, d DESC"),
        rows(&session, "SELECT v FROM t WHERE p = 1 ORDER BY c DESC, d DESC")
    );
    all_refused(
        &session,
        &[(
            "SELECT v FROM t WHERE p = 1 AND c > 1 ORDER BY d DESC",
            "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY",
        )],
    );
}

// SEM: WID-LWT-1
#[test]
fn a_batch_that_is_not_applied_shows_the_key_even_of_one_write() {
    let session = session();
    run(&session, "CREATE TABLE t (k int PRIMARY KEY, v int, w int)");
    run(&session, "INSERT INTO t (k, v, w) VALUES (1, 2, 3)");
    let refused = run(&session, "BEGIN BATCH UPDATE t SET w = 4 WHERE k = 1 IF v = 5 APPLY BATCH");
    assert_eq!(table(&refused), "false,1,2");
    assert_eq!(table(&run(&session, "UPDATE t SET w = 4 WHERE k = 1 IF v = 5")), "false,2");
}

#[test]
fn keyspaces_of_the_system_are_used_and_types_nest_deeply() {
    let session = session();
    run(&session, "USE system");
    assert_eq!(rows(&session, "SELECT key FROM local"), "local");
    run(&session, "USE k");
    run(&session, "CREATE TYPE t0 (n int)");
    for depth in 1..17 {
        run(&session, &format!("CREATE TYPE t{depth} (n frozen<t{}>)", depth - 1));
    }
    run(&session, "CREATE TABLE t (k int PRIMARY KEY, v frozen<t16>, w vector<smallint, 2>) WITH compression = {}");
    run(&session, "INSERT INTO t (k, w) VALUES (1, [1, 2])");
    // Cassandra has the length before elements of some types that are all of one length.
    assert_eq!(rows(&session, "SELECT w FROM t"), "Vector([Smallint(1), Smallint(2)])");
    let form = CqlValue::Vector(vec![CqlValue::Smallint(1), CqlValue::Smallint(2)]);
    let vector = larder::wide_column::CqlType::vector(larder::wide_column::CqlType::Smallint, 2);
    assert_eq!(form.to_serialized(&vector).unwrap(), [2, 0, 1, 2, 0, 2]);
    assert_eq!(
        rows(&session, "SELECT compression FROM system_schema.tables WHERE keyspace_name = 'k'"),
        "{enabled:false}"
    );
}
