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
    assert_eq!(statements(&session, "DESCRIBE TABLE m"), made);
    assert_eq!(statements(&session, "DESCRIBE TABLE plain").len(), 2, "views are not of it");
    assert_eq!(statements(&session, "DESCRIBE KEYSPACE k").last(), made.first());
    assert!(rows(&session, "DESCRIBE m").starts_with("k,materialized_view,m,"));
    assert_eq!(rows(&session, "DESCRIBE TABLES"), "k,table,plain");
    assert_eq!(rows(&session, "DESCRIBE TYPES"), "k,type,address");
    assert_eq!(rows(&session, "DESCRIBE FUNCTIONS"), "");
    assert!(rows(&session, "DESCRIBE KEYSPACES").contains("k,keyspace,k; system,keyspace,system"));
    assert_eq!(rows(&session, "DESCRIBE CLUSTER"), "larder,Murmur3Partitioner,SimpleSnitch");
    assert!(
        statements(&session, "DESCRIBE TABLE system.local")[0]
            .starts_with("CREATE TABLE system.local (\n    key text PRIMARY KEY")
    );
    all_refused(
        &session,
        &[
            ("DESCRIBE TABLE nothing", "Table 'nothing' not found in keyspace 'k'"),
            ("DESCRIBE KEYSPACE nothing", "'nothing' not found in keyspaces"),
            ("DESCRIBE MATERIALIZED VIEW plain", "Materialized view 'plain' not found in 'k'"),
            ("DESCRIBE TABLE system.nothing", "Table 'nothing' not found in keyspace 'system'"),
            ("DESCRIBE TYPE nothing", "User defined type 'nothing' not found in 'k'"),
            ("DESCRIBE nothing", "'nothing' not found in keyspace 'k'"),
        ],
    );
    let other = Store::in_memory().cql();
    all_refused(&other, &[("DESCRIBE TABLE t", "No keyspace specified and no current keyspace")]);
    assert!(other.execute("DESCRIBE KEYSPACES", ()).is_ok());
}

#[test]
fn internals_are_the_id_and_what_was_dropped() {
    let session = session();
    run(&session, "CREATE TABLE t (p int, c int, s text STATIC, v text, w int, PRIMARY KEY (p, c))");
    run(
        &session,
        "CREATE MATERIALIZED VIEW m AS SELECT p, c FROM t WHERE p IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, p)",
    );
    let id = |table: &str, what: &str| {
        let select = format!("SELECT id FROM system_schema.{table} WHERE keyspace_name = 'k' AND {what}");
        match session.query(&select, ()).unwrap().rows()[0].get("id") {
            Some(larder::wide_column::CqlValue::Uuid(id)) => id.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let table = id("tables", "table_name = 't'");
    let (plain, internal) =
        (statements(&session, "DESCRIBE TABLE t"), statements(&session, "DESCRIBE TABLE t WITH INTERNALS"));
    let with_id = |statement: &str, id: &str| statement.replacen(" WITH ", &format!(" WITH ID = {id}\n    AND "), 1);
    assert_eq!(internal, [with_id(&plain[0], &table)]);
    let view = with_id(&statements(&session, "DESCRIBE MATERIALIZED VIEW m")[0], &id("views", "view_name = 'm'"));
    assert_eq!(statements(&session, "DESCRIBE MATERIALIZED VIEW m WITH INTERNALS"), [view]);
    run(&session, "DROP MATERIALIZED VIEW m");

    run(&session, "ALTER TABLE t DROP v");
    run(&session, "ALTER TABLE t DROP w");
    run(&session, "ALTER TABLE t ADD w text");
    let internal = &statements(&session, "DESCRIBE TABLE t WITH INTERNALS")[0];
    assert!(
        internal.starts_with(&format!(
            "CREATE TABLE k.t (\n    p int,\n    c int,\n    s text static,\n    v text,\n    w int,\n    PRIMARY KEY (p, c)\n) \
             WITH ID = {table}\n    AND CLUSTERING ORDER BY (c ASC)\n    AND additional_write_policy = '99p'"
        )),
        "{internal}"
    );
    let mut behind = internal.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev();
    assert!(behind.next().unwrap().starts_with("ALTER TABLE k.t DROP v USING TIMESTAMP "), "{internal}");
    assert!(behind.next().unwrap().starts_with("ALTER TABLE k.t DROP w USING TIMESTAMP "), "{internal}");
    assert_eq!(behind.next(), Some("ALTER TABLE k.t ADD w text;"));
    assert_eq!(statements(&session, "DESCRIBE TABLE t")[0].lines().filter(|line| line.contains("ALTER")).count(), 0);
}

#[test]
fn the_full_schema_has_what_is_of_the_system() {
    let session = session();
    run(&session, "CREATE TABLE \"Names\" (id int PRIMARY KEY)");
    run(&session, "CREATE TABLE lower (id int PRIMARY KEY)");
    let names = rows(&session, "DESCRIBE FULL SCHEMA");
    let own =
        "k,keyspace,k,CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}";
    assert!(names.starts_with(own), "{names}");
    let of_users = statements(&session, "DESCRIBE SCHEMA");
    let full = statements(&session, "DESCRIBE FULL SCHEMA");
    assert_eq!(full[..of_users.len()], of_users);
    for statement in [
        "CREATE KEYSPACE system WITH replication = {'class': 'LocalStrategy'}  AND durable_writes = true;",
        "/*\nWarning: Keyspace system_virtual_schema is a virtual keyspace and cannot be recreated with CQL.\n\
         Structure, for reference:\nVIRTUAL KEYSPACE system_virtual_schema;\n*/",
        "/*\nWarning: Table system_virtual_schema.columns is a virtual table and cannot be recreated with CQL.\n\
         Structure, for reference:\nVIRTUAL TABLE system_virtual_schema.columns (\n    keyspace_name text,\n    \
         table_name text,\n    column_name text,\n    clustering_order text,\n    column_name_bytes blob,\n    kind text,\n    \
         position int,\n    type text,\n    PRIMARY KEY (keyspace_name, table_name, column_name)\n) \
         WITH CLUSTERING ORDER BY (table_name ASC, column_name ASC)\n    AND comment = 'virtual column definitions';\n*/",
    ] {
        assert!(full.iter().any(|own| own == statement), "{statement}\n{full:#?}");
    }
    assert_eq!(statements(&session, "DESCRIBE ONLY KEYSPACE system_virtual_schema").len(), 1);
    let of_system = statements(&session, "DESCRIBE KEYSPACE system");
    assert!(of_system[1..].iter().any(|own| own.starts_with("CREATE TABLE system.local (")), "{of_system:?}");
    assert_eq!(rows(&session, "DESCRIBE TABLES"), "k,table,lower; k,table,\"Names\"");
    let elsewhere = Store::in_memory().cql();
    assert!(rows(&elsewhere, "DESCRIBE TABLES").contains("system,table,local"), "without a keyspace, of all of them");
}
