//! Roles and permissions of CQL, as sessions that act as a role see them. Logging in is the door's: `src/server/cql/tests/roles.rs`.

#[path = "common/cql.rs"]
mod common;

use common::{all_refused, refused, rows, run, session, table};
use larder::wide_column::{Cql, Exception};
use larder::{Error, Store};

const KEYSPACE: &str = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

/// A store with tables, and sessions of the program and of the role `bob`.
fn sessions() -> (Store, Cql, Cql) {
    let store = Store::in_memory();
    let (session, bob) = (store.cql(), store.cql().as_role("bob"));
    for text in [KEYSPACE, "USE k", "CREATE TABLE t (p int PRIMARY KEY, v text)", "CREATE ROLE bob"] {
        run(&session, text);
    }
    (store, session, bob)
}

fn unauthorized(session: &Cql, statement: &str, message: &str) {
    assert_eq!(refused(session, statement), (Exception::Unauthorized, message.to_owned()), "{statement}");
}

#[test]
fn each_statement_needs_its_permission_and_no_other() {
    let rename = "ALTER TYPE k.ty ADD b int";
    let view =
        "CREATE MATERIALIZED VIEW k.m AS SELECT * FROM k.t WHERE v IS NOT NULL AND p IS NOT NULL PRIMARY KEY (v, p)";
    for (statement, permission, on, shown) in [
        ("SELECT * FROM k.t", "SELECT", "TABLE k.t", "<table k.t>"),
        ("SELECT v FROM k.t WHERE p = 1", "SELECT", "KEYSPACE k", "<table k.t>"),
        ("INSERT INTO k.t (p) VALUES (1)", "MODIFY", "TABLE k.t", "<table k.t>"),
        ("INSERT INTO k.t JSON '{\"p\": 1}'", "MODIFY", "ALL TABLES IN KEYSPACE k", "<table k.t>"),
        ("UPDATE k.t SET v = 'x' WHERE p = 1", "MODIFY", "ALL KEYSPACES", "<table k.t>"),
        ("DELETE FROM k.t WHERE p = 1", "MODIFY", "TABLE k.t", "<table k.t>"),
        ("BEGIN BATCH DELETE FROM k.t WHERE p = 1; APPLY BATCH", "MODIFY", "TABLE k.t", "<table k.t>"),
        ("TRUNCATE k.t", "MODIFY", "TABLE k.t", "<table k.t>"),
        (&KEYSPACE.replace(" k ", " l "), "CREATE", "ALL KEYSPACES", "<all keyspaces>"),
        ("ALTER KEYSPACE k WITH durable_writes = false", "ALTER", "KEYSPACE k", "<keyspace k>"),
        ("DROP KEYSPACE k", "DROP", "KEYSPACE k", "<keyspace k>"),
        ("CREATE TABLE k.u (p int PRIMARY KEY)", "CREATE", "KEYSPACE k", "<all tables in k>"),
        ("ALTER TABLE k.t ADD w int", "ALTER", "TABLE k.t", "<table k.t>"),
        ("DROP TABLE k.t", "DROP", "TABLE k.t", "<table k.t>"),
        ("CREATE TYPE k.tz (a int)", "CREATE", "ALL TABLES IN KEYSPACE k", "<all tables in k>"),
        (rename, "ALTER", "ALL TABLES IN KEYSPACE k", "<all tables in k>"),
        ("DROP TYPE k.ty", "DROP", "KEYSPACE k", "<all tables in k>"),
        ("CREATE INDEX ON k.t (v)", "ALTER", "TABLE k.t", "<table k.t>"),
        ("DROP INDEX k.i", "ALTER", "TABLE k.w", "<table k.w>"),
        (view, "ALTER", "TABLE k.t", "<table k.t>"),
        ("ALTER MATERIALIZED VIEW k.n WITH comment = 'x'", "ALTER", "TABLE k.w", "<table k.w>"),
        ("DROP MATERIALIZED VIEW k.n", "ALTER", "TABLE k.w", "<table k.w>"),
        ("SELECT * FROM k.n", "SELECT", "TABLE k.w", "<table k.w>"),
        ("SELECT * FROM system_auth.roles", "SELECT", "TABLE system_auth.roles", "<table system_auth.roles>"),
    ] {
        let (_store, session, bob) = sessions();
        run(&session, "CREATE TYPE ty (a int)");
        run(&session, "CREATE TABLE w (p int PRIMARY KEY, v text)");
        run(&session, "CREATE INDEX i ON w (v)");
        run(&session, &view.replace("k.m", "k.n").replace("k.t", "k.w"));
        let message = format!("User bob has no {permission} permission on {shown} or any of its parents");
        unauthorized(&bob, statement, &message);
        let prepared = bob.prepare(statement).unwrap();
        assert_eq!(bob.execute(&prepared, ()).unwrap_err().to_string(), message, "{statement}");
        // None of the others will do.
        for other in ["CREATE", "ALTER", "DROP", "SELECT", "MODIFY", "AUTHORIZE", "UNMASK", "SELECT_MASKED"] {
            if other != permission {
                run(&session, &format!("GRANT {other} ON ALL KEYSPACES TO bob"));
            }
        }
        unauthorized(&bob, statement, &message);
        run(&session, &format!("GRANT {permission} ON {on} TO bob"));
        bob.execute(&prepared, ()).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let (_store, session, bob) = sessions();
    for statement in
        ["USE k", "DESCRIBE TABLE k.t", "SELECT key FROM system.local", "SELECT * FROM system_schema.types"]
    {
        run(&bob, statement);
    }
    // What is not there is said before what is not permitted.
    all_refused(&bob, &[("SELECT * FROM k.none", "table none does not exist")]);
    let system = refused(&bob, "DROP KEYSPACE system");
    assert_eq!(system, (Exception::Unauthorized, "system keyspace is not user-modifiable.".to_owned()));
    drop(session);
}

#[test]
fn a_condition_reads_and_a_view_is_read_and_written_with_its_base() {
    let (_store, session, bob) = sessions();
    run(&session, "GRANT MODIFY ON t TO bob");
    let no = |permission: &str, table: &str| {
        format!("User bob has no {permission} permission on <table k.{table}> or any of its parents")
    };
    run(&bob, "INSERT INTO k.t (p) VALUES (1)");
    for conditional in [
        "INSERT INTO k.t (p) VALUES (1) IF NOT EXISTS",
        "UPDATE k.t SET v = 'x' WHERE p = 1 IF v = 'y'",
        "DELETE FROM k.t WHERE p = 1 IF EXISTS",
    ] {
        unauthorized(&bob, conditional, &no("SELECT", "t"));
    }
    let view = "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE v IS NOT NULL AND p IS NOT NULL PRIMARY KEY (v, p)";
    run(&session, view);
    unauthorized(&bob, "INSERT INTO k.t (p) VALUES (1)", &no("SELECT", "t"));
    run(&session, "GRANT SELECT ON t TO bob");
    unauthorized(&bob, "INSERT INTO k.t (p) VALUES (1)", &no("MODIFY", "m"));
    run(&session, "GRANT MODIFY ON m TO bob");
    run(&bob, "INSERT INTO k.t (p) VALUES (1)");
    run(&bob, "SELECT * FROM k.m");
}

#[test]
fn the_program_may_do_everything_and_a_role_that_there_is_not_nothing() {
    let session = session();
    run(&session, "CREATE TABLE t (p int PRIMARY KEY)");
    assert_eq!(rows(&session, "SELECT * FROM t"), "");
    let nobody = session.as_role("nobody");
    let no = "User nobody has no SELECT permission on <table k.t> or any of its parents";
    unauthorized(&nobody, "SELECT * FROM t", no);
    run(&nobody, "SELECT key FROM system.local");
}

#[test]
fn roles_are_made_changed_and_dropped_as_cassandra_says() {
    let (_store, session, _) = sessions();
    for text in [
        "CREATE ROLE eve WITH PASSWORD = 'pw' AND LOGIN = true AND SUPERUSER = true",
        "CREATE ROLE IF NOT EXISTS eve",
        "CREATE ROLE all_of_it WITH ACCESS TO ALL DATACENTERS AND ACCESS FROM ALL CIDRS",
        "CREATE USER amy WITH PASSWORD 'pw'",
        "CREATE USER IF NOT EXISTS amy SUPERUSER",
        "ALTER ROLE eve WITH LOGIN = false",
        "ALTER ROLE IF EXISTS nobody WITH LOGIN = false",
        "ALTER USER amy SUPERUSER",
        "DROP ROLE all_of_it",
        "DROP ROLE IF EXISTS all_of_it",
        "DROP USER IF EXISTS all_of_it",
    ] {
        run(&session, text);
    }
    assert_eq!(rows(&session, "LIST ROLES"), "amy,true,true,{},ALL; bob,false,false,{},ALL; eve,true,false,{},ALL");
    assert_eq!(rows(&session, "LIST USERS"), "amy,true,ALL");
    all_refused(
        &session,
        &[
            ("CREATE ROLE eve", "eve already exists"),
            ("CREATE USER eve", "eve already exists"),
            ("CREATE ROLE ''", "Role name can't be an empty string"),
            ("ALTER ROLE nobody WITH LOGIN = true", "Role nobody doesn't exist"),
            ("ALTER ROLE eve", "ALTER [ROLE|USER] can't be empty"),
            ("DROP ROLE nobody", "nobody doesn't exist"),
            (
                "CREATE ROLE r WITH OPTIONS = {'a': 'b'}",
                "org.apache.cassandra.auth.CassandraRoleManager doesn't support OPTIONS",
            ),
            (
                "CREATE ROLE r WITH ACCESS TO DATACENTERS {'dc1'}",
                "ACCESS TO DATACENTERS operations not supported by AllowAllNetworkAuthorizer",
            ),
            ("CREATE ROLE r WITH HASHED PASSWORD = 'x'", "Invalid hashed password value. Please use pbkdf2-sha256."),
            ("GRANT nobody TO eve", "nobody doesn't exist"),
            ("GRANT eve TO nobody", "nobody doesn't exist"),
            ("GRANT eve TO eve", "eve is a member of eve"),
            ("REVOKE bob FROM eve", "eve is not a member of bob"),
            ("GRANT SELECT ON k.t TO nobody", "Role nobody doesn't exist"),
            ("GRANT SELECT ON k.none TO eve", "Resource <table k.none> doesn't exist"),
            ("GRANT SELECT ON KEYSPACE none TO eve", "Resource <keyspace none> doesn't exist"),
            ("GRANT ALTER ON ROLE nobody TO eve", "Resource <role nobody> doesn't exist"),
            ("LIST ALL PERMISSIONS ON k.none", "<table k.none> doesn't exist"),
            ("LIST ALL PERMISSIONS OF nobody", "<role nobody> doesn't exist"),
            ("LIST ROLES OF nobody", "<role nobody> doesn't exist"),
        ],
    );
    assert_eq!(
        refused(&session, "CREATE ROLE r WITH LOGIN = true AND LOGIN = true"),
        (Exception::Syntax, "Multiple definition for property 'LOGIN'".to_owned())
    );
    run(&session, "GRANT bob TO eve");
    run(&session, "CREATE ROLE top");
    run(&session, "GRANT eve TO top");
    all_refused(
        &session,
        &[
            ("GRANT top TO bob", "top is a member of bob"),
            ("GRANT bob TO top", "top is a member of bob"),
            ("GRANT bob TO eve", "eve is a member of bob"),
        ],
    );
    assert_eq!(
        rows(&session, "LIST ROLES OF top"),
        "bob,false,false,{},ALL; eve,true,false,{},ALL; top,false,false,{},ALL"
    );
    assert_eq!(rows(&session, "LIST ROLES OF top NORECURSIVE"), "eve,true,false,{},ALL; top,false,false,{},ALL");
    for (statement, named) in [
        ("CREATE ROLE r WITH ACCESS FROM CIDRS {'a'}", "ACCESS FROM CIDRS"),
        ("CREATE ROLE r WITH HASHED PASSWORD = '$2a$10$abc'", "HASHED PASSWORD by bcrypt"),
        ("GRANT EXECUTE ON ALL FUNCTIONS TO bob", "permissions on functions"),
        ("GRANT EXECUTE ON ALL MBEANS TO bob", "permissions on MBeans"),
        ("LIST ALL PERMISSIONS ON ALL FUNCTIONS", "permissions on functions"),
        ("DROP IDENTITY 'i'", "DROP IDENTITY"),
    ] {
        let error = session.execute(statement, ()).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature == named), "{statement}: {error}");
    }
}

#[test]
fn who_is_no_superuser_needs_permissions_on_roles_and_makes_no_superusers() {
    let (store, session, bob) = sessions();
    let no = "User bob does not have sufficient privileges to perform the requested operation";
    for text in [
        "CREATE ROLE r",
        "CREATE ROLE IF NOT EXISTS bob",
        "DROP ROLE eve",
        "DROP ROLE IF EXISTS nobody",
        "ALTER ROLE eve WITH LOGIN = true",
        "GRANT eve TO bob",
        "REVOKE eve FROM bob",
    ] {
        unauthorized(&bob, text, no);
    }
    unauthorized(
        &bob,
        "GRANT SELECT ON k.t TO bob",
        "User bob has no AUTHORIZE permission on <table k.t> or any of its parents",
    );
    run(&session, "CREATE ROLE eve WITH SUPERUSER = true");
    run(&session, "GRANT ALL ON ALL ROLES TO bob");
    run(&session, "GRANT AUTHORIZE ON k.t TO bob");
    unauthorized(
        &bob,
        "GRANT SELECT ON k.t TO bob",
        "User bob has no SELECT permission on <table k.t> or any of its parents",
    );
    unauthorized(
        &bob,
        "GRANT ALL ON k.t TO bob",
        "User bob has no ALTER permission on <table k.t> or any of its parents",
    );
    unauthorized(
        &bob,
        "CREATE ROLE r WITH SUPERUSER = true",
        "Only superusers can create a role with superuser status",
    );
    unauthorized(&bob, "DROP ROLE eve", "Only superusers can drop a role with superuser status");
    unauthorized(
        &bob,
        "ALTER ROLE eve WITH SUPERUSER = false",
        "Only superusers are allowed to alter superuser status",
    );
    unauthorized(&bob, "ALTER ROLE bob WITH LOGIN = true", "You aren't allowed to alter LOGIN");
    let own = "You aren't allowed to alter your own superuser status or that of a role granted to you";
    unauthorized(&bob, "ALTER ROLE bob WITH SUPERUSER = true", own);
    run(&bob, "ALTER ROLE bob WITH PASSWORD = 'new'");
    run(&bob, "CREATE ROLE r WITH SUPERUSER = false");
    run(&bob, "DROP ROLE r");
    all_refused(&bob, &[("DROP ROLE bob", "Cannot DROP primary role for current login")]);
    // Somebody who was granted a superuser's role is one, and a role of a superuser is not dropped by others either.
    run(&session, "CREATE ROLE max");
    run(&session, "GRANT eve TO max");
    unauthorized(&bob, "DROP ROLE max", "Only superusers can drop a role with superuser status");
    let max = store.cql().as_role("max");
    run(&max, "SELECT * FROM k.t");
    unauthorized(&max, "ALTER ROLE eve WITH SUPERUSER = false", own);
    run(&max, "ALTER ROLE bob WITH SUPERUSER = true AND LOGIN = true");
    assert_eq!(rows(&session, "LIST USERS"), "bob,true,ALL");
}

#[test]
fn lists_show_what_a_role_may_see() {
    let (store, session, bob) = sessions();
    for text in [
        "CREATE ROLE reader",
        "CREATE ROLE eve",
        "GRANT reader TO bob",
        "GRANT MODIFY, SELECT ON k.t TO reader",
        "GRANT ALL PERMISSIONS ON ROLE eve TO reader",
        "GRANT CREATE ON ALL TABLES IN KEYSPACE k TO bob",
        "GRANT SELECT ON KEYSPACE k TO bob",
        "GRANT DROP PERMISSION ON ALL ROLES TO eve",
    ] {
        run(&session, text);
    }
    let of_reader = "reader,reader,<table k.t>,SELECT; reader,reader,<table k.t>,MODIFY; \
                     reader,reader,<role eve>,ALTER; reader,reader,<role eve>,DROP; reader,reader,<role eve>,AUTHORIZE";
    let of_bob = "bob,bob,<keyspace k>,SELECT; bob,bob,<all tables in k>,CREATE";
    let of_eve = "eve,eve,<all roles>,DROP";
    assert_eq!(rows(&session, "LIST ALL PERMISSIONS"), format!("{of_bob}; {of_eve}; {of_reader}"));
    for session in [&session, &bob] {
        assert_eq!(rows(session, "LIST ALL PERMISSIONS OF bob"), format!("{of_bob}; {of_reader}"));
        assert_eq!(rows(session, "LIST ALL OF reader"), of_reader);
        let of_table = "bob,bob,<keyspace k>,SELECT; reader,reader,<table k.t>,SELECT";
        assert_eq!(rows(session, "LIST SELECT ON k.t OF bob"), of_table);
        assert_eq!(rows(session, "LIST SELECT ON k.t OF bob NORECURSIVE"), "reader,reader,<table k.t>,SELECT");
        assert_eq!(table(&run(session, "LIST UNMASK ON k.t OF bob")), "");
    }
    unauthorized(&bob, "LIST ALL PERMISSIONS", "You are not authorized to view everyone's permissions");
    unauthorized(&bob, "LIST ALL PERMISSIONS OF eve", "You are not authorized to view eve's permissions");
    unauthorized(&bob, "LIST ROLES OF eve", "You are not authorized to view roles granted to eve ");
    assert_eq!(rows(&bob, "LIST ROLES"), "bob,false,false,{},ALL; reader,false,false,{},ALL");
    assert_eq!(rows(&bob, "LIST ROLES OF reader"), "reader,false,false,{},ALL");
    run(&session, "GRANT DESCRIBE ON ALL ROLES TO reader");
    assert_eq!(rows(&bob, "LIST ROLES"), "bob,false,false,{},ALL; eve,false,false,{},ALL; reader,false,false,{},ALL");
    assert_eq!(store.snapshot().unwrap().cql().query("LIST ROLES", ()).unwrap().rows().len(), 3);
}

#[test]
fn what_is_dropped_takes_permissions_along_whoever_drops_it() {
    let (store, session, _) = sessions();
    let count = || session.query("LIST ALL PERMISSIONS", ()).unwrap().rows().len();
    run(&session, "GRANT SELECT ON t TO bob");
    store.wide_table("k", "t").drop_table().unwrap();
    assert_eq!(count(), 0);
    run(&session, "CREATE TABLE t (p int PRIMARY KEY)");
    run(&session, "CREATE ROLE eve");
    for on in ["t", "KEYSPACE k", "ALL TABLES IN KEYSPACE k", "ALL KEYSPACES", "ROLE eve"] {
        run(&session, &format!("GRANT AUTHORIZE ON {on} TO bob"));
    }
    assert_eq!(count(), 5);
    store.wide_keyspace("k").drop_keyspace().unwrap();
    assert_eq!(rows(&session, "LIST ALL"), "bob,bob,<all keyspaces>,AUTHORIZE; bob,bob,<role eve>,AUTHORIZE");
    run(&session, "DROP ROLE eve");
    assert_eq!(rows(&session, "LIST ALL"), "bob,bob,<all keyspaces>,AUTHORIZE");
    run(&session, "DROP ROLE bob");
    assert_eq!(count(), 0);
}

#[test]
fn roles_are_part_of_a_transaction_and_tables_of_the_system_show_them_without_passwords() {
    let (store, session, bob) = sessions();
    let outcome: Result<(), Error> = store.transaction(|tx| {
        let own = tx.cql();
        own.execute("CREATE ROLE eve WITH PASSWORD = 'xyzzy'", ())?;
        own.execute("GRANT SELECT ON k.t TO bob", ())?;
        assert_eq!(tx.cql().as_role("bob").query("SELECT * FROM k.t", ())?.rows().len(), 0);
        Err(Error::Closed)
    });
    assert!(outcome.is_err());
    assert_eq!(rows(&session, "LIST ROLES"), "bob,false,false,{},ALL");
    assert_eq!(refused(&bob, "SELECT * FROM k.t").0, Exception::Unauthorized);
    run(&session, "CREATE ROLE eve WITH PASSWORD = 'xyzzy' AND LOGIN = true");
    run(&session, "GRANT eve TO bob");
    run(&session, "GRANT MODIFY, SELECT ON t TO bob");
    let mut shown: Vec<String> =
        rows(&session, "SELECT * FROM system_auth.roles").split("; ").map(str::to_owned).collect();
    shown.sort();
    assert_eq!(shown, ["bob,false,false,{eve},null", "eve,true,false,null,null"]);
    assert_eq!(rows(&session, "SELECT * FROM system_auth.role_members"), "eve,bob");
    assert_eq!(rows(&session, "SELECT * FROM system_auth.role_permissions"), "bob,data/k/t,{MODIFY SELECT}");
    assert_eq!(rows(&session, "SELECT * FROM system_auth.resource_role_permissons_index"), "data/k/t,bob");
}
