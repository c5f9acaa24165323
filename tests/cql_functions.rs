//! What CQL computes: functions, operators, casts, parts of values, groups, JSON.

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, refused, rows, run, session, shown, table};
use larder::wide_column::{Cql, CqlValue, Exception};

/// A table of one row with a value of many types.
fn values() -> Cql {
    let session = session();
    run(&session, "CREATE TYPE pair (a int, b text)");
    run(
        &session,
        "CREATE TABLE t (k int PRIMARY KEY, i int, l bigint, d double, e decimal, v varint, s text, b blob, at timestamp, \
         day date, u timeuuid, m map<text, int>, n set<int>, o list<int>, f frozen<pair>, g pair, w vector<float, 2>)",
    );
    run(
        &session,
        "INSERT INTO t (k, i, l, d, e, v, s, b, at, day, m, n, o, f, g, w) VALUES (1, -7, 5, 2.5, 1.25, 9, 'abcdef', 0x0a, \
         '2016-09-27 16:26:14.500Z', '2016-09-27', {'a': 1, 'b': 2, 'c': 3}, {1, 2, 3}, [5, 1, 3], {a: 4, b: 'x'}, \
         {a: 5, b: 'y'}, [1, 0])",
    );
    session
}

/// What a selector is for the row of [`values`].
fn one(session: &Cql, selector: &str) -> String {
    let query = format!("SELECT {selector} FROM t WHERE k = 1");
    let answer = session.query(&query, ()).unwrap_or_else(|error| panic!("{query}: {error}"));
    shown(answer.rows().first().and_then(|row| row.iter().next()).and_then(|(_, value)| value))
}

fn all(session: &Cql, cases: &[(&str, &str)]) {
    for (selector, expected) in cases {
        assert_eq!(one(session, selector), *expected, "{selector}");
    }
}

#[test]
fn scalar_functions_have_the_values_of_cassandra() {
    let session = values();
    all(
        &session,
        &[
            ("abs(i)", "7"),
            ("round(d)", "Double(3.0)"),
            ("exp(0)", "1"),
            ("log10(1000)", "3"),
            ("int_as_blob(i)", "Blob([255, 255, 255, 249])"),
            ("blobAsInt(intAsBlob(i))", "-7"),
            ("blob_as_text(0x6162)", "ab"),
            ("to_date(at)", "Date(2147500719)"),
            ("toUnixTimestamp(day)", "1474934400000"),
            ("to_timestamp(day)", "Timestamp(1474934400000)"),
            ("to_timestamp(min_timeuuid(at))", "Timestamp(1474993574500)"),
            ("floor(at, 1h)", "Timestamp(1474992000000)"),
            ("floor(at, 1mo)", "Timestamp(1472688000000)"),
            ("map_keys(m)", "{a b c}"),
            ("map_values(m)", "[1 2 3]"),
            ("collection_count(m)", "3"),
            ("collection_count(o)", "3"),
            ("collection_min(o)", "1"),
            ("collection_max(n)", "3"),
            ("collection_sum(o)", "9"),
            ("collection_avg(o)", "3"),
            ("mask_inner(s, 1, 2)", "a***ef"),
            ("mask_outer(s, 1, 2, '#')", "#bcd##"),
            ("mask_default(s)", "****"),
            ("mask_replace(s, 'x')", "x"),
            ("mask_null(s)", "null"),
            ("similarity_cosine(w, [1, 0])", "Float(1.0)"),
            ("similarity_euclidean(w, [0, 0])", "Float(0.5)"),
            ("similarity_dot_product(w, [0, 1])", "Float(0.5)"),
            ("to_json(m)", "{\"a\": 1, \"b\": 2, \"c\": 3}"),
            ("token(k)", "-4069959284402364209"),
        ],
    );
    // Null makes null, and a function of nothing has another value for each row.
    assert_eq!(one(&session, "to_timestamp(u)"), "null");
    run(&session, "INSERT INTO t (k) VALUES (2)");
    let found = session.query("SELECT uuid(), now() FROM t", ()).unwrap();
    let value = |row: usize, name: &str| found.rows()[row].get(name).cloned();
    assert_ne!(value(0, "system.uuid()"), value(1, "system.uuid()"));
    assert_ne!(value(0, "system.now()"), value(1, "system.now()"));
}

#[test]
fn casts_operators_and_parts_of_values_are_selected() {
    let session = values();
    all(
        &session,
        &[
            ("CAST(i AS text)", "-7"),
            ("CAST(d AS int)", "2"),
            ("CAST(at AS text)", "2016-09-27T16:26:14.500Z"),
            ("CAST(at AS date)", "Date(2147500719)"),
            ("i + 1", "-6"),
            ("i * l", "-35"),
            ("i / 2", "-3"),
            ("i % 4", "-3"),
            ("- i", "7"),
            ("(i + 1) * 2", "-12"),
            ("d + i", "Double(-4.5)"),
            ("at + 1d", "Timestamp(1475079974500)"),
            ("day - 1mo", "Date(2147500688)"),
            ("s + 'g'", "abcdefg"),
            ("m['b']", "2"),
            ("m['z']", "null"),
            ("m['b'..]", "{b:2 c:3}"),
            ("m['a'..'b']", "{a:1 b:2}"),
            ("n[2]", "2"),
            ("n[..2]", "{1 2}"),
            ("f.b", "x"),
            ("g.a", "5"),
            ("(i, l)", "(-7 5)"),
            ("[i, 3]", "[-7 3]"),
            ("(int) 4", "4"),
        ],
    );
    let names = |query: &str| {
        let answer = session.query(query, ()).unwrap();
        answer.columns().iter().map(|(name, of)| format!("{name} {of}")).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        names("SELECT i + 1, CAST(i AS text), m['a'], f.a, abs(i), - i, l AS x, writetime(m) FROM t"),
        "i + 1 int; cast(i as text) text; m['a'] int; f.a int; system.abs(i) int; -i int; x bigint; writetime(m) list<bigint>"
    );
    // A marker in a selection has the type of what is beside it.
    let found = session.query("SELECT i + ? FROM t WHERE k = ?", (10, 1)).unwrap();
    assert_eq!(table(&found), "3");
}

#[test]
fn terms_calculate_and_call_functions() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t (k int PRIMARY KEY, i int, l bigint, s text, b blob, d date, x list<int>, m map<text, int>)",
    );
    run(
        &session,
        "INSERT INTO t (k, i, l, s, b, d, x) VALUES (1 + 2 * 3, abs(-4), -(2), CAST(5 AS text), int_as_blob(1), \
         to_date('2016-09-27 01:00Z') + 1d, from_json('[1, 2]'))",
    );
    assert_eq!(
        rows(&session, "SELECT k, i, l, s, b, d, x FROM t"),
        "7,4,-2,5,Blob([0, 0, 0, 1]),Date(2147500720),[1 2]"
    );
    session.execute("UPDATE t SET i = ? + 1, m = fromJson(?) WHERE k = 7", (1, "{\"a\": 3}")).unwrap_err();
    session.execute("UPDATE t SET i = (int) ? + 1, m = fromJson(?) WHERE k = 7", (1, "{\"a\": 3}")).unwrap();
    assert_eq!(rows(&session, "SELECT i, m FROM t"), "2,{a:3}");
    assert_eq!(rows(&session, "SELECT i FROM t WHERE k = 3 + 4"), "2");
}

// SEM: WID-QRY-2
#[test]
fn aggregates_take_expressions_and_groups_are_made_by_functions() {
    let session = session();
    run(&session, "CREATE TABLE e (p int, at timestamp, n int, v double, PRIMARY KEY (p, at, n))");
    for (p, minute, n, v) in
        [(1, 0, 1, 1.0), (1, 10, 1, 2.0), (1, 65, 1, 4.0), (1, 130, 1, 8.0), (2, 1, 1, 16.0), (2, 70, 1, 32.0)]
    {
        run(&session, &format!("INSERT INTO e (p, at, n, v) VALUES ({p}, {}, {n}, {v})", minute * 60_000));
    }
    assert_eq!(rows(&session, "SELECT sum(n + 1), max(abs(-n)), count(v) FROM e"), "12,1,6");
    assert_eq!(rows(&session, "SELECT CAST(sum(v) AS int), avg(n) + 1 FROM e"), "63,2");
    assert_eq!(
        rows(&session, "SELECT p, floor(at, 1h), count(*), CAST(sum(v) AS int) FROM e GROUP BY p, floor(at, 1h)"),
        "1,Timestamp(0),2,3; 1,Timestamp(3600000),1,4; 1,Timestamp(7200000),1,8; 2,Timestamp(0),1,16; 2,Timestamp(3600000),1,32"
    );
    assert_eq!(rows(&session, "SELECT DISTINCT count(p) FROM e"), "2");
    let limited = "SELECT p, count(*) FROM e GROUP BY p, floor(at, 1h) PER PARTITION LIMIT";
    assert_eq!(rows(&session, &format!("{limited} 1")), "1,2; 2,1");
    assert_eq!(rows(&session, &format!("{limited} 2 LIMIT 3")), "1,2; 1,1; 2,1");
    assert_eq!(rows(&session, "SELECT avg(v), sum(v) FROM e WHERE p = 9"), "Double(0.0),Double(0.0)");
    all_refused(
        &session,
        &[
            ("SELECT sum(max(n)) FROM e", "aggregate functions cannot be used as arguments of aggregate functions"),
            (
                "SELECT count(*) FROM e PER PARTITION LIMIT 1",
                "PER PARTITION LIMIT is not allowed with aggregate queries.",
            ),
            (
                "SELECT p FROM e GROUP BY floor(at, 1h), n",
                "Functions are only supported on the last element of the GROUP BY clause",
            ),
        ],
    );
}

#[test]
fn times_of_parts_are_selected() {
    let session = session();
    run(&session, "CREATE TYPE pair (a int, b int)");
    run(&session, "CREATE TABLE t (k int PRIMARY KEY, m map<text, int>, g pair, v int)");
    run(&session, "UPDATE t USING TIMESTAMP 5 SET m['a'] = 1, g.a = 1 WHERE k = 1");
    run(&session, "UPDATE t USING TIMESTAMP 7 AND TTL 100 SET m['b'] = 1, g.b = 2, v = 1 WHERE k = 1");
    for (selector, expected) in [
        ("writetime(m)", "[5 7]"),
        ("maxwritetime(m)", "7"),
        ("writetime(m['b'])", "7"),
        ("ttl(m['b'])", "100"),
        ("ttl(m['a'])", "null"),
        ("writetime(g.a)", "5"),
        ("writetime(v)", "7"),
        ("maxwritetime(v)", "7"),
    ] {
        assert_eq!(rows(&session, &format!("SELECT {selector} FROM t")), expected, "{selector}");
    }
}

#[test]
fn json_goes_in_and_comes_out() {
    let session = session();
    run(&session, "CREATE TYPE pair (a int, b text)");
    run(&session, "CREATE TABLE t (k int PRIMARY KEY, \"V\" text, m map<int, text>, p frozen<pair>, s set<uuid>)");
    let text = r#"{"k": 1, "\"V\"": "x", "m": {"1": "a"}, "p": {"a": 2, "b": null}}"#;
    run(&session, &format!("INSERT INTO t JSON '{text}'"));
    assert_eq!(
        rows(&session, "SELECT JSON * FROM t"),
        r#"{"k": 1, "\"V\"": "x", "m": {"1": "a"}, "p": {"a": 2, "b": null}, "s": null}"#
    );
    // What is left out is null, or stays as it is.
    session.execute("INSERT INTO t JSON ? DEFAULT UNSET", (r#"{"k": 1, "m": {"2": "b"}}"#,)).unwrap();
    assert_eq!(rows(&session, "SELECT \"V\", m FROM t"), "x,{2:b}");
    run(&session, "INSERT INTO t JSON '{\"K\": \"1\"}'");
    assert_eq!(rows(&session, "SELECT \"V\", m FROM t"), "null,null");
    // Of a name that is there twice the last one counts.
    run(&session, r#"INSERT INTO t JSON '{"k": 9, "\"V\"": "a", "K": 2, "\"V\"": "b"}'"#);
    assert_eq!(rows(&session, "SELECT \"V\" FROM t WHERE k = 2"), "b");
    let answer = session.execute("INSERT INTO t JSON '{\"k\": 1}' IF NOT EXISTS", ()).unwrap();
    assert!(!answer.is_applied());
    all_refused(
        &session,
        &[
            ("INSERT INTO t JSON '{\"k\": 1, \"z\": 2}'", "JSON values map contains unrecognized column: z"),
            ("INSERT INTO t JSON '{\"y\": 1, \"k\": 1, \"z\": 2}'", "JSON values map contains unrecognized column: y"),
            ("INSERT INTO t JSON 'null'", "Got null for INSERT JSON values"),
            ("INSERT INTO t JSON '{\"m\": {}}'", "Invalid null value in condition for column k"),
            (
                "INSERT INTO t JSON '{\"k\": true}'",
                "Error decoding JSON value for k: Expected an int value, but got a Boolean: true",
            ),
        ],
    );
}

#[test]
fn what_does_not_go_together_is_refused_in_the_words_of_cassandra() {
    let session = values();
    all_refused(
        &session,
        &[
            ("SELECT nothing(i) FROM t", "Unknown function 'nothing'"),
            ("SELECT ? FROM t", "Invalid amount of bind variables"),
            (
                "SELECT null FROM t",
                "Cannot infer type for term NULL in selection clause (try using a cast to force a type)",
            ),
            ("SELECT CAST(i AS boolean) FROM t", "int cannot be cast to boolean"),
            ("SELECT i + s FROM t", "the '+' operation is not supported between int and text"),
            ("SELECT i.a FROM t", "Invalid field selection: i of type int is not a user type"),
            (
                "SELECT to_date(1, 2) FROM t",
                "Invalid call to function to_date, none of its type signatures match (known type signatures: \
                 system.to_date : (timeuuid) -> date, system.to_date : (timestamp) -> date)",
            ),
            (
                "INSERT INTO t (k, i) VALUES (1, uuid())",
                "Type error: cannot assign result of function system.uuid (type uuid) to i (type int)",
            ),
            ("SELECT writetime(k) FROM t", "Cannot use selection function writetime on PRIMARY KEY part k"),
            (
                "SELECT collection_sum(s) FROM t",
                "Function system.collection_sum requires a numeric set or list argument, but found argument of type text",
            ),
        ],
    );
    let (class, message) = refused(&session, "SELECT i / 0 FROM t");
    assert_eq!((class, message.as_str()), (Exception::FunctionFailure, "the operation 'int / int' failed: / by zero"));
    assert!(session.query("SELECT o[1] FROM t", ()).is_err(), "a list has no elements to select");
    let value = session.query("SELECT f FROM t", ()).unwrap();
    assert!(matches!(value.rows()[0].get("f"), Some(CqlValue::Udt(_))));
}
