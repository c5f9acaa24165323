//! Parsing and printing, tried together.

use proptest::prelude::*;

use crate::error::{Error, InvalidKind};
use crate::wide_column::cql::ast::*;
use crate::wide_column::cql::parser::{parse, parse_type};
use crate::wide_column::cql::testing;

/// What of a tree does not come from how its markers were numbered.
fn without_numbers(tree: &impl std::fmt::Debug) -> String {
    let shown = format!("{tree:?}");
    let mut parts = shown.split("Marker { index: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + "Marker { " + part.trim_start_matches(char::is_numeric))
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(statement in testing::statement()) {
        let text = statement.to_string();
        let parsed = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(without_numbers(&parsed.statement), without_numbers(&statement), "{}", text);
        let again = parse(&parsed.to_string()).unwrap();
        prop_assert_eq!(&again, &parsed, "{}", text);
    }

    #[test]
    fn types_that_are_printed_parse_to_the_same(of in testing::type_name()) {
        prop_assert_eq!(parse_type(&of.to_string()).unwrap(), of);
    }

    #[test]
    fn tokens_in_any_order_parse_or_are_refused(words in proptest::collection::vec(
        proptest::sample::select("SELECT json a , . ( ) [ ] { } * - -1 + 1d ? : FROM WHERE IN token expr IF EXISTS AND \
            INSERT INTO VALUES UPDATE SET = += BEGIN BATCH APPLY ; DELETE CREATE TABLE PRIMARY KEY list < > int 'x' \"Q\" \
            CAST AS null .. USING TTL CONTAINS IS NOT TYPE PER PARTITION LIMIT GRANT ALL ON TO DESCRIBE é $$"
            .split_whitespace().collect::<Vec<_>>()), 0..40)
    ) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(parsed) => prop_assert_eq!(parse(&parsed.to_string()).unwrap(), parsed),
            Err(error) => prop_assert!(matches!(error, Error::Invalid { code: Some(0x2000 | 0x2200), .. }), "{}", error),
        }
    }
}

/// The text of the statement that `text` parses to.
fn printed(text: &str) -> String {
    match parse(text) {
        Ok(parsed) => parsed.to_string(),
        Err(error) => format!("{error}"),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list")]
fn statements_are_taken_in_all_their_forms() {
    for (text, expected) in [
        ("select * from ks.t;;", "SELECT * FROM ks.t"),
        ("SELECT json, distinct FROM t", "SELECT \"json\", \"distinct\" FROM t"),
        ("SELECT JSON DISTINCT a FROM t", "SELECT JSON DISTINCT a FROM t"),
        ("SELECT count(*), count(1), COUNT(a) AS n FROM t", "SELECT COUNT(*), \"count\"(1), \"count\"(a) AS n FROM t"),
        ("SELECT ttl(a), ttl FROM t", "SELECT TTL(a), \"ttl\" FROM t"),
        (
            "SELECT a[1..2], a[..2], a[1..], a['k'], u.f.g FROM t",
            "SELECT a[1 .. 2], a[.. 2], a[1 ..], a['k'], u.f.g FROM t",
        ),
        ("SELECT writetime(m['k']), maxwritetime(u.f) FROM t", "SELECT WRITETIME(m['k']), MAXWRITETIME(u.f) FROM t"),
        (
            "SELECT CAST(a AS varchar), (int)b, (a), (a, b), -(a+b)*2 FROM t",
            "SELECT CAST(a AS varchar), (int) b, (a), (a, b), - (a + b) * 2 FROM t",
        ),
        ("SELECT ks.f(a), system.uuid() FROM t", "SELECT ks.f(a), system.\"uuid\"() FROM t"),
        (
            "SELECT a FROM t WHERE token(a, b) >= token(1, ?) AND c IN ? AND (d, e) IN ((1, 2), (3, 4))",
            "SELECT a FROM t WHERE TOKEN(a, b) >= \"token\"(1, ?) AND c IN ? AND (d, e) IN ((1, 2), (3, 4))",
        ),
        (
            "SELECT a FROM t WHERE (((a = 1))) AND (b, c) > (1, :x) AND m['a'] = 1 AND l CONTAINS KEY 2 AND n IS NOT NULL",
            "SELECT a FROM t WHERE a = 1 AND (b, c) > (1, :x) AND m['a'] = 1 AND l CONTAINS KEY 2 AND n IS NOT NULL",
        ),
        (
            "SELECT a FROM t WHERE expr(i, 'x') AND s LIKE '%y' GROUP BY (a) PER PARTITION LIMIT 1 LIMIT ? ALLOW FILTERING",
            "SELECT a FROM t WHERE expr(i, 'x') AND s LIKE '%y' GROUP BY (a) PER PARTITION LIMIT 1 LIMIT ? ALLOW FILTERING",
        ),
        ("SELECT a FROM t ORDER BY v ANN OF [0.1, 2] LIMIT 3", "SELECT a FROM t ORDER BY v ANN OF [0.1, 2] LIMIT 3"),
        ("SELECT a FROM t ORDER BY a ASC, b DESC", "SELECT a FROM t ORDER BY a, b DESC"),
        ("SELECT {'a': 1}, {a: 1}, {1}, [], {} FROM t", "SELECT {'a': 1}, {a: 1}, {1}, [], {} FROM t"),
        (
            "INSERT INTO t (a, \"\") VALUES (now(), $$it's$$) IF NOT EXISTS USING TTL ? AND TIMESTAMP 3",
            "INSERT INTO t (a, \"\") VALUES (now(), 'it''s') IF NOT EXISTS USING TTL ? AND TIMESTAMP 3",
        ),
        ("INSERT INTO t JSON :j DEFAULT UNSET", "INSERT INTO t JSON :j DEFAULT UNSET"),
        ("INSERT INTO t JSON '{}' DEFAULT NULL", "INSERT INTO t JSON '{}'"),
        (
            "INSERT INTO t (a) VALUES ({f: 1, g: {('a'): (int) 2}})",
            "INSERT INTO t (a) VALUES ({f: 1, g: {('a'): (int) 2}})",
        ),
        (
            "UPDATE t SET a = a + 1, b = b - {1}, c = [1] + c, d += 2, e -= 3, f[1] = 2, g.h = 3, i = i -4 WHERE k = 1 IF EXISTS",
            "UPDATE t SET a = a + 1, b = b - {1}, c = [1] + c, d = d + 2, e = e - 3, f[1] = 2, g.h = 3, i = i + -4 WHERE k = 1 IF EXISTS",
        ),
        (
            "UPDATE t SET a = 1 + f(2) WHERE k = 1 IF exists = 3 AND l[0] IN (1, 2) AND u.f != NULL",
            "UPDATE t SET a = 1 + f(2) WHERE k = 1 IF \"exists\" = 3 AND l[0] IN (1, 2) AND u.f != NULL",
        ),
        (
            "DELETE a, b[1], c.d FROM t USING TIMESTAMP 5 WHERE k = 1 AND c > 2",
            "DELETE a, b[1], c.d FROM t USING TIMESTAMP 5 WHERE k = 1 AND c > 2",
        ),
        ("BEGIN BATCH APPLY BATCH", "BEGIN BATCH APPLY BATCH"),
        (
            "BEGIN COUNTER BATCH USING TIMESTAMP 1 UPDATE t SET a = a + 1 WHERE k = 1 IF EXISTS INSERT INTO t (a) VALUES (1); APPLY BATCH;",
            "BEGIN COUNTER BATCH USING TIMESTAMP 1 UPDATE t SET a = a + 1 WHERE k = 1 IF EXISTS; INSERT INTO t (a) VALUES (1); APPLY BATCH",
        ),
        (
            "CREATE SCHEMA k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false",
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false",
        ),
        (
            "CREATE COLUMNFAMILY t (k int PRIMARY KEY, v frozen<map<text, list<k.u>>> STATIC MASKED WITH DEFAULT,) WITH COMPACT STORAGE AND comment = 'x'",
            "CREATE TABLE t (k int, v frozen<map<text, list<k.u>>> STATIC MASKED WITH DEFAULT, PRIMARY KEY ((k))) WITH COMPACT STORAGE AND comment = 'x'",
        ),
        (
            "CREATE TABLE t (a int, b int, c vector<float, 3>, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)",
            "CREATE TABLE t (a int, b int, c vector<float, 3>, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)",
        ),
        ("ALTER TABLE t ADD a int STATIC", "ALTER TABLE t ADD (a int STATIC)"),
        ("ALTER TABLE t DROP a USING TIMESTAMP -5", "ALTER TABLE t DROP (a) USING TIMESTAMP -5"),
        ("ALTER TABLE t DROP COMPACT STORAGE", "ALTER TABLE t DROP COMPACT STORAGE"),
        ("ALTER TABLE t DROP compact", "ALTER TABLE t DROP (\"compact\")"),
        ("ALTER TABLE t RENAME a TO b AND c TO d", "ALTER TABLE t RENAME a TO b AND c TO d"),
        (
            "CREATE CUSTOM INDEX ON t (ENTRIES(m)) USING 'StorageAttachedIndex' WITH OPTIONS = {'case_sensitive': 'false'}",
            "CREATE CUSTOM INDEX ON t (ENTRIES(m)) USING 'StorageAttachedIndex' WITH \"options\" = {'case_sensitive': 'false'}",
        ),
        (
            "CREATE MATERIALIZED VIEW v AS SELECT a, b FROM t WHERE a IS NOT NULL PRIMARY KEY (b, a) WITH CLUSTERING ORDER BY (a ASC)",
            "CREATE MATERIALIZED VIEW v AS SELECT a, b FROM t WHERE a IS NOT NULL PRIMARY KEY ((b), a) WITH CLUSTERING ORDER BY (a ASC)",
        ),
        ("TRUNCATE TABLE t", "TRUNCATE t"),
        ("USE \"Ks\"", "USE \"Ks\""),
        (
            "CREATE ROLE r WITH PASSWORD = 'x' AND LOGIN = true AND ACCESS TO DATACENTERS {'a', 'b'}",
            "CREATE ROLE 'r' WITH PASSWORD = 'x' AND LOGIN = true AND ACCESS TO DATACENTERS {'a', 'b'}",
        ),
        ("GRANT SELECT PERMISSION, MODIFY ON TABLE ks.t TO r", "GRANT SELECT, MODIFY ON TABLE ks.t TO 'r'"),
        ("GRANT all TO r", "GRANT 'all' TO 'r'"),
        ("LIST ALL PERMISSIONS OF r NORECURSIVE", "LIST ALL OF 'r' NORECURSIVE"),
        ("DESC KEYSPACE", "DESCRIBE KEYSPACE"),
        ("DESCRIBE ONLY KEYSPACE k WITH INTERNALS", "DESCRIBE ONLY KEYSPACE k WITH INTERNALS"),
        ("DESCRIBE tables", "DESCRIBE TABLES"),
        ("DESCRIBE a.b", "DESCRIBE a.b"),
        (
            "CREATE OR REPLACE FUNCTION f(a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$return a;$$",
            "CREATE OR REPLACE FUNCTION f(a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return a;'",
        ),
        (
            "CREATE AGGREGATE a(int) SFUNC s STYPE tuple<int, bigint> FINALFUNC f INITCOND (0, 0)",
            "CREATE AGGREGATE a(int) SFUNC s STYPE tuple<int, bigint> FINALFUNC f INITCOND (0, 0)",
        ),
        ("-- first\nSELECT /* second */ a // third\n FROM t -- last", "SELECT a FROM t"),
    ] {
        assert_eq!(printed(text), expected, "{text}");
    }
}

#[test]
fn what_does_not_parse_is_refused_in_the_words_of_cassandra() {
    for (text, expected) in [
        ("", "line 0:-1 no viable alternative at input '<EOF>'"),
        ("SELEC * FROM t", "line 1:0 no viable alternative at input 'SELEC' ([SELEC]...)"),
        ("SELECT * FORM t", "line 1:9 mismatched input 'FORM' expecting K_FROM (SELECT * [FORM]...)"),
        ("SELECT * FROM t LIMIT 100 x", "line 1:26 mismatched input 'x' expecting EOF (...* FROM t LIMIT 100 [x])"),
        (
            "SELECT a FROM t; SELECT b FROM t",
            "line 1:17 mismatched input 'SELECT' expecting EOF (SELECT a FROM t; [SELECT]...)",
        ),
        ("SELECT *", "line 0:-1 mismatched input '<EOF>' expecting K_FROM"),
        (
            "UPDATE t SET count = count + 1WHERE name = 'r'",
            "line 1:31 mismatched input 'HERE' expecting K_WHERE (... count = count + 1W[HERE]...)",
        ),
        ("SELECT select FROM t", "line 1:7 no viable alternative at input 'select' (SELECT [select]...)"),
        ("INSERT INTO t (a) VALUES (b)", "line 1:26 no viable alternative at input 'b' (... t (a) VALUES ([b]...)"),
        ("SELECT 'a FROM t", "line 1:16 mismatched character '<EOF>' expecting '''"),
        ("SELECT a FROM t WHERE a = €", "line 1:26 no viable alternative at character '€'"),
        (
            "CREATE KEYSPACE my-project WITH x = 1",
            "line 1:18 mismatched input '-' expecting K_WITH (CREATE KEYSPACE my[-]...)",
        ),
        ("SELECT a FROM ?", "Bind variables cannot be used for table names"),
        ("USE ?", "Bind variables cannot be used for keyspace names"),
        ("UPDATE t SET a = b + 1 WHERE k = 1", "Only expressions of the form X = X +<value> are supported."),
        ("UPDATE t SET a = 1 + b WHERE k = 1", "Only expressions of the form X = <value> + X are supported."),
        ("UPDATE t SET a = b -1 WHERE k = 1", "Only expressions of the form X = X - <value> are supported."),
        ("UPDATE t SET a = 1, a = 2 WHERE k = 1", "Multiple incompatible setting of column a"),
        ("CREATE TYPE byte (a int)", "Invalid (reserved) user type name byte"),
        (
            "CREATE TABLE t (a frozen<int>)",
            "frozen<> is only allowed on collections, tuples, and user-defined types (got int)",
        ),
        ("CREATE TABLE t (a vector<int, 0>)", "vectors may only have positive dimensions; given 0"),
        ("CREATE TABLE t (a int) WITH a = 1 AND a = 2", "Multiple definition for property 'a'"),
        (
            "CREATE KEYSPACE k WITH a = {'a': ?}",
            "Invalid property value: ? for property: a (bind variables are not supported in DDL queries)",
        ),
        (
            "GRANT EXECUTE ON TABLE t TO r",
            "Resource type DataResource does not support any of the requested permissions",
        ),
        (
            "CREATE ROLE r WITH PASSWORD = 'a' AND HASHED PASSWORD = 'b'",
            "Options 'password' and 'hashed password' are mutually exclusive",
        ),
        ("SELECT a-1 FROM t", "line 1:8 mismatched input '-1' expecting K_FROM (SELECT a[-1]...)"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(
            matches!(error, Error::Invalid { kind: InvalidKind::Syntax, code: Some(0x2000), .. }),
            "{text}: {error:?}"
        );
        let message = error.to_string();
        assert!(message.starts_with(expected), "{text}\n{message}\n{expected}");
    }
}

#[test]
fn tables_with_a_column_or_a_key_twice_are_invalid_and_not_misspelt() {
    for (text, expected) in [
        ("CREATE TABLE k.t (a int, a int)", "Duplicate column 'a' declaration for table 'k.t'"),
        (
            "CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))",
            "Multiple PRIMARY KEY specified for table 't' (exactly one required)",
        ),
    ] {
        let error = parse(text).expect_err(text);
        assert!(matches!(error, Error::Invalid { code: Some(0x2200), .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn markers_are_numbered_in_the_order_of_the_text() {
    let parsed = parse("UPDATE t USING TTL ? SET a = :b, c = [?, ?] WHERE k IN ? AND (x, y) = ? IF d = :b").unwrap();
    let names: Vec<_> = parsed.markers.iter().map(|name| name.as_ref().map(Name::as_str)).collect();
    assert_eq!(names, [None, Some("b"), None, None, None, None, Some("b")]);
    let Statement::Modification(Modification::Update(update)) = parsed.statement else { panic!() };
    let Guard::Conditions(conditions) = update.guard else { panic!() };
    let last = Marker { index: 6, name: Some(Name::exact("b")) };
    assert_eq!(conditions[0].test, ConditionTest::Compare(Comparison::Equal, Term::Marker(last)));
}

#[test]
fn what_is_too_deep_too_long_or_has_too_many_markers_is_refused() {
    use crate::limits::{CQL_DEPTH_MAX, CQL_MARKERS_MAX, CQL_STATEMENT_BYTES_MAX};
    let nested = |open: &str, close: &str, levels: usize| {
        format!("SELECT {}1{} FROM t", open.repeat(levels), close.repeat(levels))
    };
    let is_limited = |text: &str| matches!(parse(text), Err(Error::LimitExceeded { .. }));
    // A thread whose stack is as small as those of doors.
    let run = move || {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("- ", ""), ("1 + ", ""), ("{1: ", "}")]
        {
            assert!(parse(&nested(open, close, CQL_DEPTH_MAX - 1)).is_ok(), "{open}");
            assert!(is_limited(&nested(open, close, CQL_DEPTH_MAX + 1)), "{open}");
            assert!(is_limited(&nested(open, close, 100_000)), "{open}");
        }
        let term = |levels: usize| format!("INSERT INTO t (a) VALUES ({}1{})", "(".repeat(levels), ")".repeat(levels));
        let of = |levels: usize| format!("ALTER TABLE t ADD a {}int{}", "list<".repeat(levels), ">".repeat(levels));
        let place = |levels: usize| format!("SELECT a{} FROM t", "[1]".repeat(levels));
        let relation =
            |levels: usize| format!("SELECT a FROM t WHERE {}a = 1{}", "(".repeat(levels), ")".repeat(levels));
        for text in [term, of, place, relation] as [fn(usize) -> String; 4] {
            let parsed = parse(&text(CQL_DEPTH_MAX - 2)).unwrap();
            assert_eq!(parse(&parsed.to_string()).unwrap(), parsed);
            assert!(is_limited(&text(CQL_DEPTH_MAX + 2)), "{}", text(3));
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
    let markers = |count: usize| format!("SELECT a FROM t WHERE k IN ({})", vec!["?"; count].join(","));
    assert_eq!(parse(&markers(CQL_MARKERS_MAX)).unwrap().markers.len(), CQL_MARKERS_MAX);
    assert!(is_limited(&markers(CQL_MARKERS_MAX + 1)));
    assert!(is_limited(&" ".repeat(CQL_STATEMENT_BYTES_MAX + 1)));
    assert!(is_limited(&"SELECT a, b, c ".repeat(1 << 18).replace("SELECT", ",").replacen(',', "SELECT", 1)));
}
