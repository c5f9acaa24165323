//! `DESCRIBE`: its statements run again, and make an equal schema.

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, rows, run, session, shown};
use larder::Store;
use larder::wide_column::Cql;
use proptest::prelude::*;

/// The statements that make the schema again.
fn statements(session: &Cql, describe: &str) -> Vec<String> {
    let answer = session.query(describe, ()).unwrap_or_else(|error| panic!("{describe}: {error}"));
    answer.rows().iter().map(|row| shown(row.get("create_statement"))).collect()
}

/// What the system's tables say of a schema, without what is made anew each time.
fn schema(session: &Cql) -> Vec<String> {
    [
        "SELECT * FROM system_schema.keyspaces WHERE keyspace_name = 'k'",
        "SELECT JSON * FROM system_schema.columns WHERE keyspace_name = 'k'",
        "SELECT JSON * FROM system_schema.types WHERE keyspace_name = 'k'",
        "SELECT JSON * FROM system_schema.indexes WHERE keyspace_name = 'k'",
        "SELECT JSON view_name, base_table_name, include_all_columns, where_clause, comment, gc_grace_seconds \
         FROM system_schema.views WHERE keyspace_name = 'k'",
        "SELECT JSON table_name, comment, compaction, compression, caching, cdc, default_time_to_live, gc_grace_seconds, \
         bloom_filter_fp_chance, crc_check_chance, speculative_retry, memtable, flags FROM system_schema.tables \
         WHERE keyspace_name = 'k'",
    ]
    .map(|query| rows(session, query))
    .into()
}

fn again(statements: &[String]) -> Cql {
    let other = Store::in_memory().cql();
    for statement in statements {
        run(&other, statement);
    }
    other
}

const DEFINITIONS: [&str; 20] = [
    "CREATE TYPE address (street text, number int)",
    "CREATE TYPE \"Person\" (name text, \"home\" frozen<address>, others list<frozen<address>>)",
    "CREATE TABLE plain (id int PRIMARY KEY, v text)",
    "CREATE TABLE wide (a int, b text, c timestamp, d decimal, s int STATIC, v blob, PRIMARY KEY ((a, b), c, d)) \
     WITH CLUSTERING ORDER BY (c DESC, d ASC) AND comment = 'it''s wide' AND gc_grace_seconds = 5",
    "CREATE TABLE \"Quoted\" (\"A\" int, \"select\" text, \"b\"\"c\" map<text, frozen<list<int>>>, PRIMARY KEY (\"A\", \"select\"))",
    "CREATE TABLE counts (id uuid PRIMARY KEY, n counter)",
    "CREATE TABLE options (id int PRIMARY KEY, v vector<float, 3>, t tuple<int, text>) WITH compression = {} \
     AND compaction = {'class': 'LeveledCompactionStrategy'} AND default_time_to_live = 60 AND cdc = true \
     AND bloom_filter_fp_chance = 0.5 AND caching = {'keys': 'NONE', 'rows_per_partition': '10'}",
    "CREATE TABLE indexed (id int PRIMARY KEY, v text, m map<text, int>, f frozen<set<int>>)",
    "CREATE TABLE shown (a int PRIMARY KEY, \"b\"\"c\" text, d int)",
    "CREATE INDEX ON indexed (v)",
    "CREATE INDEX by_m ON indexed (ENTRIES(m))",
    "CREATE INDEX by_f ON indexed (FULL(f))",
    "CREATE INDEX by_b ON wide (b)",
    "CREATE INDEX by_d ON wide (d)",
    "CREATE INDEX ON wide (s)",
    "CREATE INDEX \"Quick\" ON wide (c) USING 'SAI'",
    "CREATE CUSTOM INDEX ON indexed (v) USING 'StorageAttachedIndex' WITH OPTIONS = {'case_sensitive': false, 'ascii': 'true'}",
    "CREATE CUSTOM INDEX ON indexed (KEYS(m)) USING 'org.apache.cassandra.index.sai.StorageAttachedIndex'",
    "CREATE MATERIALIZED VIEW by_v AS SELECT * FROM indexed WHERE v IS NOT NULL AND id IS NOT NULL PRIMARY KEY (v, id) \
     WITH comment = 'a view'",
    "CREATE MATERIALIZED VIEW \"ByC\" AS SELECT a, \"b\"\"c\" FROM shown WHERE a IS NOT NULL AND \"b\"\"c\" IS NOT NULL \
     PRIMARY KEY ((\"b\"\"c\", a)) WITH gc_grace_seconds = 7",
];

// SEM: WID-DDL-1
#[test]
fn a_schema_that_is_described_runs_again() {
    let session = session();
    for definition in DEFINITIONS {
        run(&session, definition);
    }
    run(&session, "CREATE TABLE people (id int PRIMARY KEY, p frozen<\"Person\">, q address)");
    run(&session, "ALTER TABLE plain ADD w int");
    run(&session, "ALTER TABLE plain DROP v");
    for describe in ["DESCRIBE SCHEMA", "DESCRIBE KEYSPACE k", "DESCRIBE KEYSPACE", "DESC k"] {
        let made = statements(&session, describe);
        let other = again(&made);
        assert_eq!(schema(&other), schema(&session), "{describe}");
        assert_eq!(statements(&other, "DESCRIBE SCHEMA"), made, "{describe}");
    }
    assert_eq!(statements(&session, "DESCRIBE ONLY KEYSPACE k").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_table_that_is_described_runs_again(
        partition in 1usize..3,
        clustering in prop::collection::vec(any::<bool>(), 0..3),
        columns in prop::collection::vec((0usize..9, any::<bool>()), 0..5),
        comment in "[a-z' ]{0,8}",
        seconds in 0u32..1000,
    ) {
        const TYPES: [&str; 9] = [
            "int", "text", "list<int>", "frozen<map<text, set<uuid>>>", "tuple<int, inet>", "varint", "duration",
            "vector<float, 2>", "set<text>",
        ];
        let session = session();
        let keys: Vec<_> = (0..partition).map(|nth| format!("\"P{nth}\" int")).collect();
        let order: Vec<_> = clustering.iter().enumerate().map(|(nth, _)| format!("c{nth} timeuuid")).collect();
        let others = columns.iter().enumerate().map(|(nth, (of, is_static))| {
            let behind = if *is_static && !clustering.is_empty() { " STATIC" } else { "" };
            format!("v{nth} {}{behind}", TYPES[*of])
        });
        let all: Vec<_> = keys.iter().chain(&order).cloned().chain(others).collect();
        let key: Vec<_> = (0..partition).map(|nth| format!("\"P{nth}\"")).collect();
        let behind: Vec<_> = (0..clustering.len()).map(|nth| format!(", c{nth}")).collect();
        let directions: Vec<_> = clustering.iter().enumerate().map(|(nth, is_descending)| {
            format!("c{nth} {}", if *is_descending { "DESC" } else { "ASC" })
        }).collect();
        let ordered =
            if directions.is_empty() { String::new() } else { format!("CLUSTERING ORDER BY ({}) AND ", directions.join(", ")) };
        run(&session, &format!(
            "CREATE TABLE t ({}, PRIMARY KEY (({}){})) WITH {ordered}comment = '{}' AND gc_grace_seconds = {seconds}",
            all.join(", "), key.join(", "), behind.concat(), comment.replace('\'', "''"),
        ));
        let other = again(&statements(&session, "DESCRIBE KEYSPACE k"));
        prop_assert_eq!(schema(&other), schema(&session));
    }
}

#[test]
fn what_is_described_looks_as_in_cassandra() {
    let session = session();
    run(&session, DEFINITIONS[0]);
    run(&session, DEFINITIONS[2]);
    run(&session, "CREATE INDEX by_v ON plain (v)");
    let made = statements(&session, "DESCRIBE TABLE plain");
    assert_eq!(made.len(), 2);
    assert!(made[0].starts_with(
        "CREATE TABLE k.plain (\n    id int PRIMARY KEY,\n    v text\n) WITH additional_write_policy = '99p'\n    AND "
    ));
    assert!(made[0].ends_with("\n    AND speculative_retry = '99p';"));
    assert_eq!(made[1], "CREATE INDEX by_v ON k.plain (v);");
    assert_eq!(statements(&session, "DESCRIBE INDEX by_v"), made[1..]);
    run(
        &session,
        "CREATE INDEX quick_v ON plain (v) USING 'sai' WITH OPTIONS = {'normalize': true, 'case_sensitive': false}",
    );
    assert_eq!(
        statements(&session, "DESCRIBE INDEX quick_v"),
        [
            "CREATE CUSTOM INDEX quick_v ON k.plain (v) USING 'sai' WITH OPTIONS = {'case_sensitive': 'false', 'normalize': 'true'};"
        ]
    );
    assert_eq!(
        rows(
            &session,
            "SELECT kind, options FROM system_schema.indexes WHERE keyspace_name = 'k' AND table_name = 'plain'"
        ),
        "COMPOSITES,{target:v}; CUSTOM,{case_sensitive:false class_name:sai normalize:true target:v}"
    );
    run(&session, "DROP INDEX quick_v");
    assert_eq!(
        statements(&session, "DESC TYPE address"),
        ["CREATE TYPE k.address (\n    street text,\n    number int\n);"]
    );
    assert_eq!(
        statements(&session, "DESCRIBE ONLY KEYSPACE k"),
        [
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}  AND durable_writes = true;"
        ]
    );
    run(
        &session,
        "CREATE MATERIALIZED VIEW m AS SELECT v, id FROM plain WHERE v IS NOT NULL AND id IS NOT NULL PRIMARY KEY (v, id)",
    );
    let made = statements(&session, "DESCRIBE MATERIALIZED VIEW m");
    assert!(made[0].starts_with(
        "CREATE MATERIALIZED VIEW k.m AS\n    SELECT v, id\n    FROM k.plain\n    WHERE v IS NOT NULL AND id IS NOT NULL\n    \
         PRIMARY KEY (v, id)\n WITH CLUSTERING ORDER BY (id ASC)\n    AND additional_write_policy = '99p'"
    ));
    assert_eq!(statements(&session, "DESCRIBE m"), made);
    assert_eq!(statements(&session, "DESCRIBE TABLE plain").last(), made.first());
    assert_eq!(rows(&session, "DESCRIBE TABLES"), "k,table,plain");
    assert_eq!(rows(&session, "DESCRIBE TYPES"), "k,type,address");
    assert_eq!(rows(&session, "DESCRIBE FUNCTIONS"), "");
    assert!(rows(&session, "DESCRIBE KEYSPACES").contains("k,keyspace,k; system,keyspace,system"));
    assert_eq!(
        rows(&session, "DESCRIBE CLUSTER"),
        "larder,org.apache.cassandra.dht.Murmur3Partitioner,org.apache.cassandra.locator.SimpleSnitch"
    );
    assert!(
        statements(&session, "DESCRIBE TABLE system.local")[0]
            .starts_with("CREATE TABLE system.local (\n    key text PRIMARY KEY")
    );
    all_refused(
        &session,
        &[
            ("DESCRIBE TABLE nothing", "Table 'nothing' not found in keyspace 'k'"),
            ("DESCRIBE KEYSPACE nothing", "'nothing' not found in keyspaces"),
            ("DESCRIBE TABLE m", "Table 'm' not found in keyspace 'k'"),
            ("DESCRIBE MATERIALIZED VIEW plain", "Materialized view 'plain' not found in keyspace 'k'"),
            ("DESCRIBE TYPE nothing", "User defined type 'nothing' not found in 'k'"),
            ("DESCRIBE nothing", "'nothing' not found in keyspace 'k'"),
        ],
    );
    let other = Store::in_memory().cql();
    all_refused(&other, &[("DESCRIBE TABLE t", "No keyspace specified and no current keyspace")]);
    assert!(other.execute("DESCRIBE KEYSPACES", ()).is_ok());
}
