//! Roles: who logs in, and what they may do then.

use super::*;

/// A client that has logged in.
fn client_of(server: &CqlServer, name: &str, password: &str) -> Client {
    let mut client = Client::connect(server, Version::V5);
    client.start(false);
    assert_eq!(log_in(&mut client, name, password), Response::Authenticated);
    client
}

fn log_in(client: &mut Client, name: &str, password: &str) -> Response {
    client.ask(&Request::AuthResponse(Some(format!("\0{name}\0{password}").as_bytes()))).response
}

/// The code and the words of a refused login.
fn refused_login(server: &CqlServer, name: &str, password: &str) -> (i32, String) {
    let mut client = Client::connect(server, Version::V4);
    client.start(false);
    let refused = refusal(log_in(&mut client, name, password));
    assert_eq!(client.next(), None, "the connection ends");
    refused
}

fn refusal(response: Response) -> (i32, String) {
    match response {
        Response::Failure(failure) => (failure.code(), failure.message),
        other => panic!("{other:?}"),
    }
}

fn run(client: &mut Client, texts: &[&str]) {
    for text in texts {
        let response = client.query(text);
        assert!(!matches!(response, Response::Failure(_)), "{text}: {response:?}");
    }
}

/// A door with the user `ann` and a table `k.t`.
fn door_of(store: &Store) -> CqlServer {
    CqlServer::start(store, &CqlOptions::default().login("ann", "secret")).unwrap()
}

const TABLE: &str = "CREATE TABLE k.t (a int PRIMARY KEY, v text)";

const NO_SELECT: &str = "User bob has no SELECT permission on <table k.t> or any of its parents";
const NO_MODIFY: &str = "User bob has no MODIFY permission on <table k.t> or any of its parents";

#[test]
fn a_role_does_what_it_was_granted_until_that_is_revoked() {
    let server = door_of(&Store::in_memory());
    let mut ann = client_of(&server, "ann", "secret");
    run(&mut ann, &[KEYSPACE, TABLE, "CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true"]);
    let mut bob = client_of(&server, "bob", "pw");
    // Drivers read these, and nobody has to permit it.
    let readable = ["system.local", "system.peers_v2", "system_schema.tables", "system_virtual_schema.columns"];
    for table in readable {
        run(&mut bob, &[&format!("SELECT * FROM {table}")]);
    }
    run(&mut bob, &["USE k", "DESCRIBE TABLE k.t"]);
    let select = bob.prepare("SELECT * FROM t");
    let insert = bob.prepare("INSERT INTO k.t (a, v) VALUES (1, 'x')");
    let none = || Parameters::with(Vec::new());
    assert_eq!(refusal(bob.query("SELECT * FROM k.t")), (0x2100, NO_SELECT.to_owned()));
    assert_eq!(refusal(bob.execute(&select, none())), (0x2100, NO_SELECT.to_owned()));
    assert_eq!(refusal(bob.execute(&insert, none())), (0x2100, NO_MODIFY.to_owned()));
    run(&mut ann, &["GRANT SELECT ON k.t TO bob", "GRANT MODIFY ON KEYSPACE k TO bob"]);
    assert!(matches!(bob.execute(&select, none()), Response::Rows(..)));
    assert_eq!(bob.execute(&insert, none()), Response::Void);
    assert_eq!(refusal(bob.query("SELECT * FROM none")), (0x2200, "table none does not exist".to_owned()));
    // Both have run since, so that their plans are kept.
    assert!(matches!(bob.execute(&select, none()), Response::Rows(..)));
    run(&mut ann, &["REVOKE SELECT ON TABLE k.t FROM bob", "REVOKE ALL ON KEYSPACE k FROM bob"]);
    assert_eq!(refusal(bob.execute(&select, none())), (0x2100, NO_SELECT.to_owned()));
    assert_eq!(refusal(bob.execute(&insert, none())), (0x2100, NO_MODIFY.to_owned()));
    let batch = Batch {
        kind: BatchKind::Logged,
        statements: vec![(BatchStatement::Prepared(&insert.0), Vec::new())],
        consistency: Consistency::One,
        serial_consistency: None,
        timestamp: None,
        keyspace: None,
        now_in_seconds: None,
    };
    assert_eq!(refusal(bob.ask(&Request::Batch(batch)).response), (0x2100, NO_MODIFY.to_owned()));
    let text = "BEGIN BATCH INSERT INTO k.t (a) VALUES (2) APPLY BATCH";
    assert_eq!(refusal(bob.query(text)), (0x2100, NO_MODIFY.to_owned()));
    assert_eq!(refusal(bob.query("TRUNCATE k.t")), (0x2100, NO_MODIFY.to_owned()));
}

#[test]
fn a_role_that_is_dropped_may_do_nothing_and_does_not_log_in_again() {
    let server = door_of(&Store::in_memory());
    let mut ann = client_of(&server, "ann", "secret");
    let make = "CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true";
    run(&mut ann, &[KEYSPACE, TABLE, make, "GRANT ALL ON ALL KEYSPACES TO bob"]);
    let mut bob = client_of(&server, "bob", "pw");
    run(&mut bob, &["SELECT * FROM k.t"]);
    run(&mut ann, &["DROP ROLE bob"]);
    assert_eq!(refusal(bob.query("SELECT * FROM k.t")), (0x2100, NO_SELECT.to_owned()));
    let wrong = "Provided username bob and/or password are incorrect".to_owned();
    assert_eq!(refused_login(&server, "bob", "pw"), (0x0100, wrong.clone()));
    // One that is made again begins with nothing.
    run(&mut ann, &[make]);
    assert_eq!(refusal(bob.query("SELECT * FROM k.t")), (0x2100, NO_SELECT.to_owned()));
    assert_eq!(refused_login(&server, "bob", "PW"), (0x0100, wrong));
    run(&mut ann, &["ALTER ROLE bob WITH LOGIN = false"]);
    assert_eq!(refused_login(&server, "bob", "pw"), (0x0100, "bob is not permitted to log in".to_owned()));
}

#[test]
fn a_role_changes_its_own_password_and_the_users_of_the_door_keep_theirs() {
    let server = door_of(&Store::in_memory());
    let mut ann = client_of(&server, "ann", "secret");
    run(&mut ann, &["CREATE USER bob WITH PASSWORD 'pw' NOSUPERUSER"]);
    let mut bob = client_of(&server, "bob", "pw");
    run(&mut bob, &["ALTER ROLE bob WITH PASSWORD = 'new'"]);
    client_of(&server, "bob", "new");
    assert_eq!(refused_login(&server, "bob", "pw").0, 0x0100);
    assert_eq!(refusal(bob.query("ALTER ROLE bob WITH LOGIN = true")).1, "You aren't allowed to alter LOGIN");
    for text in ["ALTER ROLE ann WITH PASSWORD = 'x'", "DROP ROLE IF EXISTS ann"] {
        let own = text.replace("ann", "eve");
        run(&mut ann, &["CREATE ROLE eve WITH SUPERUSER = true", &own, "DROP ROLE IF EXISTS eve"]);
        run(&mut ann, &["CREATE ROLE super WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = 's'"]);
        let (code, why) = refusal(client_of(&server, "super", "s").query(text));
        assert!(code == 0x2200 && why.contains("ann, a user that the door was opened with"), "{why}");
        run(&mut ann, &["DROP ROLE super"]);
    }
    client_of(&server, "ann", "secret");
    let (code, why) = refusal(ann.query("DROP ROLE ann"));
    assert_eq!((code, why.as_str()), (0x2200, "Cannot DROP primary role for current login"));
    // A role of that name, which was made elsewhere, is not who logs in here.
    let store = Store::in_memory();
    store.cql().execute("CREATE ROLE ann WITH PASSWORD = 'other' AND LOGIN = true", ()).unwrap();
    let server = door_of(&store);
    assert_eq!(refused_login(&server, "ann", "other").0, 0x0100);
    run(&mut client_of(&server, "ann", "secret"), &[KEYSPACE]);
}

#[test]
fn without_users_everything_is_open_and_there_is_nothing_to_be_said_of_roles() {
    let server = door();
    let mut client = Client::open(&server, Version::V4, false);
    run(&mut client, &[KEYSPACE, TABLE, "SELECT * FROM k.t"]);
    let anonymous = "You have to be logged in and not anonymous to perform this request";
    for text in [
        "CREATE ROLE bob",
        "ALTER ROLE bob WITH LOGIN = true",
        "DROP ROLE bob",
        "DROP ROLE IF EXISTS bob",
        "CREATE USER bob",
        "GRANT bob TO eve",
        "REVOKE bob FROM eve",
        "GRANT SELECT ON k.t TO bob",
        "REVOKE SELECT ON k.t FROM bob",
        "LIST ROLES",
        "LIST USERS",
        "LIST ALL PERMISSIONS",
    ] {
        assert_eq!(refusal(client.query(text)), (0x2100, anonymous.to_owned()), "{text}");
    }
    let (code, why) = refusal(client.query("CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true"));
    assert_eq!(
        (code, why.as_str()),
        (0x2200, "org.apache.cassandra.auth.CassandraRoleManager doesn't support PASSWORD")
    );
}

#[test]
fn roles_are_there_after_a_restart_and_in_forks() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let server = door_of(&store);
    let mut ann = client_of(&server, "ann", "secret");
    let make = "CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true";
    run(
        &mut ann,
        &[KEYSPACE, TABLE, make, "CREATE ROLE reader", "GRANT SELECT ON k.t TO reader", "GRANT reader TO bob"],
    );
    server.close();
    store.close().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let fork = store.fork().unwrap();
    store.cql().execute("REVOKE reader FROM bob", ()).unwrap();
    let server = door_of(&store);
    assert_eq!(refusal(client_of(&server, "bob", "pw").query("SELECT * FROM k.t")).0, 0x2100);
    let forked = door_of(&fork);
    run(&mut client_of(&forked, "bob", "pw"), &["SELECT * FROM k.t"]);
}

#[test]
fn nothing_is_taken_while_a_password_is_looked_at() {
    let server = door_of(&Store::in_memory());
    let mut client = Client::connect(&server, Version::V4);
    client.start(false);
    let mut bytes = frame(&Request::AuthResponse(Some(b"\0bob\0pw")), Version::V4, 1);
    let text = "SELECT * FROM system.local";
    bytes.extend(frame(&Request::Query { text, parameters: Parameters::with(Vec::new()) }, Version::V4, 2));
    client.send_frame(&bytes);
    let mut codes = Vec::new();
    while let Some((stream, reply)) = client.next() {
        codes.push((stream, code(&reply.response)));
    }
    assert!(codes.contains(&(2, 0x000a)), "{codes:?}");
}

#[test]
fn users_of_one_door_are_superusers_at_that_door_and_what_is_granted_to_them_counts_there() {
    let store = Store::in_memory();
    // Made by the program, so that it is nobody's.
    for text in [KEYSPACE, TABLE] {
        store.cql().execute(text, ()).unwrap();
    }
    let server = door_of(&store);
    let mut ann = client_of(&server, "ann", "secret");
    let make = "CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true";
    run(&mut ann, &[make, "CREATE ROLE default WITH PASSWORD = 'd' AND LOGIN = true", "GRANT \"ann\" TO bob"]);
    let other = CqlServer::start(&store, &CqlOptions::default().login("eve", "secret")).unwrap();
    for _ in 0..2 {
        assert_eq!(refusal(client_of(&other, "bob", "pw").query("SELECT * FROM k.t")).1, NO_SELECT);
        run(&mut client_of(&server, "bob", "pw"), &["SELECT * FROM k.t"]);
    }
    // A name that doors have for those who say none is a name like any other here.
    client_of(&server, "default", "d");
    assert_eq!(refused_login(&other, "ann", "secret").0, 0x0100);
}

#[test]
fn a_role_that_is_called_as_a_user_once_was_begins_with_nothing() {
    let store = Store::in_memory();
    run(&mut client_of(&door_of(&store), "ann", "secret"), &[KEYSPACE, TABLE]);
    let server = CqlServer::start(&store, &CqlOptions::default().login("eve", "secret")).unwrap();
    let mut eve = client_of(&server, "eve", "secret");
    run(&mut eve, &["CREATE ROLE \"ann\" WITH PASSWORD = 'pw' AND LOGIN = true"]);
    let refused = refusal(client_of(&server, "ann", "pw").query("SELECT * FROM k.t"));
    assert_eq!(refused, (0x2100, NO_SELECT.replace("bob", "ann")));
}

#[test]
fn what_changes_nothing_is_warned_of() {
    let server = door_of(&Store::in_memory());
    let mut ann = client_of(&server, "ann", "secret");
    run(&mut ann, &[KEYSPACE, TABLE, "CREATE ROLE bob", "GRANT SELECT ON k.t TO bob"]);
    let mut warnings = |text| {
        let reply = ann.ask(&Request::Query { text, parameters: Parameters::with(Vec::new()) });
        assert_eq!(reply.response, Response::Void);
        reply.warnings
    };
    let granted = "Role 'bob' was already granted SELECT on <table k.t>";
    assert_eq!(warnings("GRANT MODIFY, SELECT ON k.t TO bob"), [granted]);
    assert_eq!(warnings("GRANT ALL ON k.t TO bob"), [""; 0]);
    assert_eq!(warnings("REVOKE SELECT ON k.t FROM bob"), [""; 0]);
    let revoked = "Role 'bob' was not granted CREATE, SELECT on <keyspace k>";
    assert_eq!(warnings("REVOKE SELECT, CREATE ON KEYSPACE k FROM bob"), [revoked]);
}

#[test]
fn what_a_role_makes_it_may_do_everything_with() {
    let server = door_of(&Store::in_memory());
    let mut ann = client_of(&server, "ann", "secret");
    let make = "CREATE ROLE bob WITH PASSWORD = 'pw' AND LOGIN = true";
    run(&mut ann, &[make, "GRANT CREATE ON ALL KEYSPACES TO bob", "GRANT CREATE ON ALL ROLES TO bob"]);
    let mut bob = client_of(&server, "bob", "pw");
    run(&mut bob, &[KEYSPACE, TABLE, "CREATE ROLE IF NOT EXISTS eve", "INSERT INTO k.t (a) VALUES (1)"]);
    run(&mut bob, &["GRANT SELECT ON k.t TO eve", "GRANT eve TO bob", "ALTER ROLE eve WITH LOGIN = true"]);
    let Response::Rows(metadata, rows) = bob.query("LIST ALL PERMISSIONS OF bob") else { panic!() };
    let names: Vec<_> = metadata.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["role", "username", "resource", "permission"]);
    assert!(rows.len() > 0);
    // What is dropped takes the permissions with it.
    run(&mut bob, &["DROP TABLE k.t"]);
    run(&mut ann, &[TABLE, "REVOKE ALL ON KEYSPACE k FROM bob"]);
    assert_eq!(refusal(bob.query("SELECT * FROM k.t")), (0x2100, NO_SELECT.to_owned()));
}
