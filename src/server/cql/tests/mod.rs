//! A door as a client sees it, through a socket, frame by frame.

mod roles;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::frame::testing::{body, frame, frame_of, reply};
use super::frame::{
    Batch, BatchKind, BatchStatement, Change, ColumnSpec, Consistency, EventKind, Flags, Operation, Parameters, Reply,
    Request, Response, Rows, Segment, Target, Value, Version, What, compress_body, write_segments,
};
use super::{CqlOptions, CqlServer};
use crate::store::Store;

/// A client that waits for each reply.
struct Client {
    socket: TcpStream,
    version: Version,
    compresses: bool,
    is_segmented: bool,
    /// Bytes that have come, and the frames in them.
    bytes: Vec<u8>,
    frames: Vec<u8>,
}

impl Client {
    fn connect(server: &CqlServer, version: Version) -> Self {
        let socket = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self { socket, version, compresses: false, is_segmented: false, bytes: Vec::new(), frames: Vec::new() }
    }

    /// One with which everything is agreed on.
    fn open(server: &CqlServer, version: Version, compresses: bool) -> Self {
        let mut client = Self::connect(server, version);
        assert_eq!(client.start(compresses), Response::Ready);
        client
    }

    fn start(&mut self, compresses: bool) -> Response {
        let mut options = vec![("CQL_VERSION", "3.0.0"), ("DRIVER_NAME", "test")];
        if compresses {
            options.push(("COMPRESSION", "lz4"));
        }
        let response = self.ask(&Request::Startup(options)).response;
        self.compresses = compresses;
        self.is_segmented = self.version == Version::V5;
        response
    }

    fn send_frame(&mut self, frame: &[u8]) {
        let mut bytes = Vec::new();
        if self.is_segmented {
            write_segments(frame, self.compresses, &mut bytes);
        } else {
            bytes.extend_from_slice(frame);
        }
        self.socket.write_all(&bytes).unwrap();
    }

    fn send(&mut self, request: &Request<'_>, stream: i16) {
        if self.compresses && self.version == Version::V4 {
            let (operation, body) = body(request, self.version);
            let body = compress_body(&body).unwrap();
            self.send_frame(&frame_of(4, Flags::COMPRESSED, stream, operation, &body));
        } else {
            self.send_frame(&frame(request, self.version, stream));
        }
    }

    /// The next reply with its stream; none when the door has ended the connection.
    fn next(&mut self) -> Option<(i16, Reply)> {
        loop {
            if let Some(read) = reply(&self.frames) {
                let (_, stream, reply, length) = read.unwrap();
                self.frames.drain(..length);
                return Some((stream, reply));
            }
            let mut more = [0; 4096];
            let read = match self.socket.read(&mut more) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
                Err(error) => panic!("neither a reply nor an end: {error}"),
            };
            if read == 0 {
                return None;
            }
            self.bytes.extend_from_slice(&more[..read]);
            if !self.is_segmented {
                self.frames.append(&mut self.bytes);
                continue;
            }
            while let Some(segment) = Segment::read(&self.bytes, self.compresses).unwrap() {
                self.frames.extend_from_slice(&segment.content);
                let length = segment.length;
                self.bytes.drain(..length);
            }
        }
    }

    fn ask(&mut self, request: &Request<'_>) -> Reply {
        self.send(request, 7);
        let (stream, reply) = self.next().unwrap();
        assert_eq!(stream, 7);
        reply
    }

    fn query(&mut self, text: &str) -> Response {
        self.ask(&Request::Query { text, parameters: Parameters::with(Vec::new()) }).response
    }

    fn prepare(&mut self, text: &str) -> ([u8; 16], [u8; 16]) {
        let response = self.ask(&Request::Prepare { text, keyspace: None }).response;
        let Response::Prepared { id, metadata_id, .. } = response else { panic!("{response:?}") };
        (id, metadata_id)
    }

    fn execute(&mut self, (id, metadata_id): &([u8; 16], [u8; 16]), parameters: Parameters<'_>) -> Response {
        let metadata_id = (self.version == Version::V5).then_some(&metadata_id[..]);
        self.ask(&Request::Execute { id, metadata_id, parameters }).response
    }
}

const KEYSPACE: &str = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

fn door() -> CqlServer {
    CqlServer::start(&Store::in_memory(), &CqlOptions::default()).unwrap()
}

/// A door to a store with a table `k.t`.
fn door_with_table() -> CqlServer {
    let store = Store::in_memory();
    let session = store.cql();
    session.execute(KEYSPACE, ()).unwrap();
    session.execute("CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))", ()).unwrap();
    CqlServer::start(&store, &CqlOptions::default()).unwrap()
}

fn code(response: &Response) -> i32 {
    match response {
        Response::Failure(failure) => failure.code(),
        other => panic!("{other:?}"),
    }
}

fn number(number: i32) -> [u8; 4] {
    number.to_be_bytes()
}

// SEM: WID-WIRE-1
#[test]
fn a_version_that_is_not_spoken_is_refused_in_one_that_is() {
    let server = door();
    for version in [66, 65, 6, 3, 2, 1, 0] {
        let mut client = Client::connect(&server, Version::V5);
        client.send_frame(&frame_of(version, Flags::empty(), 3, Operation::Options, &[]));
        let mut header = [0; 9];
        client.socket.read_exact(&mut header).unwrap();
        assert_eq!(header[..5], [0x85, 0, 0, 3, 0], "an error in version 5, on its stream");
        client.frames.extend_from_slice(&header);
        let (_, reply) = client.next().unwrap();
        let Response::Failure(failure) = reply.response else { panic!() };
        assert_eq!(failure.code(), 0x000a);
        assert!(failure.message.starts_with("Invalid or unsupported protocol version"), "{}", failure.message);
        assert_eq!(client.next(), None);
    }
    for version in Version::ALL {
        let mut client = Client::connect(&server, version);
        let Response::Supported(options) = client.ask(&Request::Options).response else { panic!() };
        let names: Vec<_> = options.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["PROTOCOL_VERSIONS", "COMPRESSION", "CQL_VERSION"]);
        assert_eq!(client.start(false), Response::Ready);
    }
}

#[test]
fn statements_run_in_each_version_compressed_or_not() {
    for (version, compresses) in Version::ALL.into_iter().flat_map(|version| [(version, false), (version, true)]) {
        let server = door();
        let mut client = Client::open(&server, version, compresses);
        let created = |target| Change { verb: "CREATED", keyspace: "k".to_owned(), target };
        assert_eq!(client.query(KEYSPACE), Response::Schema(created(Target::Keyspace)));
        let Response::Failure(there) = client.query(KEYSPACE) else { panic!() };
        assert_eq!(there.what, What::AlreadyExists { keyspace: "k".to_owned(), table: String::new() });
        assert_eq!(client.query("USE k"), Response::SetKeyspace("k".to_owned()));
        let table = "CREATE TABLE t (a int PRIMARY KEY, v text)";
        assert_eq!(client.query(table), Response::Schema(created(Target::Table("t".to_owned()))));
        // Longer than a segment.
        let long = "x".repeat(300_000);
        assert_eq!(client.query(&format!("INSERT INTO t (a, v) VALUES (1, '{long}')")), Response::Void);
        let Response::Rows(metadata, rows) = client.query("SELECT v FROM t") else { panic!() };
        assert_eq!((metadata.columns.len(), metadata.columns[0].table.as_str()), (1, "t"));
        assert_eq!(rows.len(), 4 + long.len());
        assert_eq!(code(&client.query("SELEC")), 0x2000);
        assert_eq!(code(&client.query("SELECT x FROM t")), 0x2200);
        assert_eq!(code(&client.query("SELECT v FROM none")), 0x2200);
        assert_eq!(client.query("INSERT INTO t (a) VALUES (2)"), Response::Void, "the connection goes on");
    }
}

// SEM: WID-QRY-6
#[test]
fn a_prepared_statement_has_types_and_goes_on_after_its_table_has_changed() {
    for version in Version::ALL {
        let server = door_with_table();
        let mut client = Client::open(&server, version, false);
        let text = "INSERT INTO k.t (a, b, v) VALUES (?, ?, ?)";
        let response = client.ask(&Request::Prepare { text, keyspace: None }).response;
        let Response::Prepared { id, metadata_id, markers, key, result } = response else { panic!("{response:?}") };
        let names: Vec<_> = markers.iter().map(|marker| marker.name.as_str()).collect();
        assert_eq!((names, key), (vec!["a", "b", "v"], vec![0]));
        assert!(result.columns.is_empty());
        let (one, two) = (number(1), number(2));
        let values = vec![Value::Bytes(&one), Value::Bytes(&two), Value::Bytes(b"x")];
        assert_eq!(client.execute(&(id, metadata_id), Parameters::with(values.clone())), Response::Void);
        assert_eq!(code(&client.execute(&(id, metadata_id), Parameters::with(values[..2].to_vec()))), 0x2200);
        let select = client.prepare("SELECT * FROM k.t");
        assert_eq!(client.prepare("SELECT * FROM k.t"), select);
        let known = || Parameters { skips_metadata: true, ..Parameters::with(Vec::new()) };
        let Response::Rows(metadata, _) = client.execute(&select, known()) else { panic!() };
        assert!(metadata.is_skipped && metadata.new_id.is_none());
        assert!(matches!(client.query("ALTER TABLE k.t ADD w int"), Response::Schema(_)));
        let Response::Rows(metadata, _) = client.execute(&select, known()) else { panic!() };
        assert_eq!(metadata.columns.len(), 4, "the client did not know them");
        assert_eq!(metadata.new_id.is_some(), version == Version::V5);
        let again = client.prepare("SELECT * FROM k.t");
        assert_ne!(again, select);
        if version == Version::V5 {
            assert_eq!(metadata.new_id, Some(again.1));
        }
        let Response::Rows(metadata, _) = client.execute(&again, known()) else { panic!() };
        assert!(metadata.is_skipped);
        let Response::Failure(unknown) = client.execute(&([9; 16], [0; 16]), known()) else { panic!() };
        assert_eq!(unknown.what, What::Unprepared { id: vec![9; 16] });
    }
}

// SEM: WID-QRY-4
#[test]
fn pages_go_on_where_they_ended_and_a_forged_state_ends_in_a_protocol_error() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V4, false);
    for b in 0..7 {
        client.query(&format!("INSERT INTO k.t (a, b) VALUES (1, {b})"));
    }
    let text = "SELECT b FROM k.t WHERE a = 1";
    let page = |client: &mut Client, text: &str, size: i32, state: Option<&[u8]>| {
        let parameters = Parameters { page_size: Some(size), paging_state: state, ..Parameters::with(Vec::new()) };
        client.ask(&Request::Query { text, parameters }).response
    };
    for size in 1..9 {
        let (mut state, mut bytes) = (None::<Vec<u8>>, 0);
        loop {
            let Response::Rows(metadata, rows) = page(&mut client, text, size, state.as_deref()) else { panic!() };
            assert!(rows.len() <= 8 * usize::try_from(size).unwrap());
            bytes += rows.len();
            state = metadata.paging_state;
            if state.is_none() {
                break;
            }
        }
        assert_eq!(bytes, 7 * 8, "pages of {size}");
    }
    let Response::Rows(metadata, _) = page(&mut client, text, 2, None) else { panic!() };
    let state = metadata.paging_state.unwrap();
    assert_eq!(code(&page(&mut client, "SELECT v FROM k.t", 2, Some(&state))), 0x000a, "it is of another statement");
    let mut forged = state;
    forged[20] ^= 1;
    assert_eq!(code(&page(&mut client, text, 2, Some(&forged))), 0x000a);
    assert!(matches!(page(&mut client, text, 2, None), Response::Rows(..)), "the connection goes on");
}

// SEM: WID-BAT-1
#[test]
fn a_batch_is_applied_whole_or_not_at_all() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V5, true);
    let (id, _) = client.prepare("INSERT INTO k.t (a, b) VALUES (?, ?)");
    let (one, two) = (number(1), number(2));
    let batch = |statements| {
        Request::Batch(Batch {
            kind: BatchKind::Logged,
            statements,
            consistency: Consistency::Quorum,
            serial_consistency: None,
            timestamp: Some(5),
            keyspace: None,
            now_in_seconds: None,
        })
    };
    let prepared = (BatchStatement::Prepared(&id), vec![Value::Bytes(&one), Value::Bytes(&two)]);
    let text = (BatchStatement::Text("INSERT INTO k.t (a, b) VALUES (1, 3)"), Vec::new());
    let wrong = (BatchStatement::Text("INSERT INTO k.t (a) VALUES (1)"), Vec::new());
    let response = client.ask(&batch(vec![prepared.clone(), text.clone(), wrong])).response;
    assert_eq!(code(&response), 0x2200);
    let rows = |client: &mut Client| match client.query("SELECT a, b FROM k.t") {
        Response::Rows(_, rows) => rows.len() / 16,
        other => panic!("{other:?}"),
    };
    assert_eq!(rows(&mut client), 0);
    assert_eq!(client.ask(&batch(vec![prepared, text])).response, Response::Void);
    assert_eq!(rows(&mut client), 2);
}

#[test]
fn a_large_batch_of_several_partitions_is_warned_of() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V4, false);
    let (id, _) = client.prepare("INSERT INTO k.t (a, b, v) VALUES (?, 1, ?)");
    let value = [b'x'; 100];
    let mut warnings = |keys: std::ops::Range<i32>, step: i32| {
        let keys: Vec<_> = keys.map(|key| number(key * step)).collect();
        let statements =
            keys.iter().map(|key| (BatchStatement::Prepared(&id), vec![Value::Bytes(key), Value::Bytes(&value)]));
        let statements = statements.collect();
        let reply = client.ask(&Request::Batch(Batch {
            kind: BatchKind::Unlogged,
            statements,
            consistency: Consistency::One,
            serial_consistency: None,
            timestamp: None,
            keyspace: None,
            now_in_seconds: None,
        }));
        assert_eq!(reply.response, Response::Void);
        reply.warnings
    };
    assert_eq!(warnings(0..2, 1), Vec::<String>::new());
    assert_eq!(warnings(0..100, 0), Vec::<String>::new(), "all of it is of one partition");
    let large = warnings(0..100, 1);
    assert!(large.len() == 1 && large[0].contains("exceeding specified threshold of 5.000KiB"), "{large:?}");
}

#[test]
fn values_may_have_names_and_conditions_say_whether_they_held() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V4, false);
    let (one, two) = (number(1), number(2));
    let insert = |client: &mut Client, names: Vec<&'static str>| {
        let values = vec![Value::Bytes(&two), Value::Bytes(&one)];
        let parameters = Parameters { names: Some(names), timestamp: Some(1), ..Parameters::with(values) };
        let text = "INSERT INTO k.t (a, b) VALUES (:x, ?) IF NOT EXISTS";
        client.ask(&Request::Query { text, parameters }).response
    };
    let Response::Rows(metadata, rows) = insert(&mut client, vec!["b", "x"]) else { panic!() };
    assert_eq!((metadata.columns[0].name.as_str(), rows.len()), ("[applied]", 5));
    let is_of_table = |column: &ColumnSpec| (column.keyspace.as_str(), column.table.as_str()) == ("k", "t");
    assert!(metadata.columns.iter().all(is_of_table));
    let Response::Rows(metadata, _) = insert(&mut client, vec!["b", "x"]) else { panic!() };
    assert_eq!(metadata.columns.len(), 4, "what is there is shown");
    assert!(metadata.columns.iter().all(is_of_table));
    assert_eq!(code(&insert(&mut client, vec!["b", "y"])), 0x2200);
    let Response::Rows(_, rows) = client.query("SELECT a FROM k.t WHERE a = 1 AND b = 2") else { panic!() };
    assert_eq!(rows.len(), 8);
}

#[test]
fn changes_of_the_schema_are_told_to_those_who_asked() {
    let server = door();
    let mut one = Client::open(&server, Version::V4, false);
    let mut two = Client::open(&server, Version::V5, true);
    let mut three = Client::open(&server, Version::V4, false);
    for client in [&mut one, &mut two] {
        assert_eq!(client.ask(&Request::Register(EventKind::ALL.to_vec())).response, Response::Ready);
    }
    assert!(matches!(three.query(KEYSPACE), Response::Schema(_)));
    let change = Change { verb: "CREATED", keyspace: "k".to_owned(), target: Target::Keyspace };
    for client in [&mut one, &mut two] {
        assert_eq!(client.next().unwrap(), (-1, Response::Event(change.clone()).into()));
    }
    assert_eq!(code(&three.query(KEYSPACE)), 0x2400, "what fails is told to nobody");
    let again = KEYSPACE.replace("KEYSPACE k", "KEYSPACE IF NOT EXISTS k");
    assert_eq!(three.query(&again), Response::Void, "nothing has changed");
    assert_eq!(three.query("DROP TABLE IF EXISTS k.nothing"), Response::Void);
    assert!(matches!(three.query("DROP KEYSPACE k"), Response::Schema(_)));
    let dropped = Change { verb: "DROPPED", ..change };
    assert_eq!(one.next().unwrap(), (-1, Response::Event(dropped).into()));
}

#[test]
fn requests_that_come_together_are_each_answered_on_their_stream() {
    let server = door_with_table();
    for version in Version::ALL {
        let mut client = Client::open(&server, version, false);
        let streams: Vec<i16> = (0..1_000).collect();
        let frames: Vec<_> = streams
            .iter()
            .map(|stream| {
                let text = format!("INSERT INTO k.t (a, b) VALUES ({stream}, 1)");
                frame(&Request::Query { text: &text, parameters: Parameters::with(Vec::new()) }, version, *stream)
            })
            .collect();
        // Many frames in a segment, each of which is cut where the network likes.
        for together in frames.chunks(100) {
            client.send_frame(&together.concat());
        }
        let mut answered: Vec<i16> = (0..1_000).map(|_| client.next().unwrap().0).collect();
        answered.sort_unstable();
        assert_eq!(answered, streams);
    }
}

#[test]
fn who_sends_no_more_is_still_answered() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V4, false);
    for stream in 0..50 {
        client.send(&Request::Query { text: "SELECT * FROM k.t", parameters: Parameters::with(Vec::new()) }, stream);
    }
    client.socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!((0..50).filter(|_| client.next().is_some()).count(), 50);
    assert_eq!(client.next(), None);
}

#[test]
fn a_trace_that_is_asked_for_has_an_id() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V4, false);
    let request = Request::Query { text: "SELECT * FROM k.t", parameters: Parameters::with(Vec::new()) };
    let (operation, body) = body(&request, Version::V4);
    client.send_frame(&frame_of(4, Flags::TRACING, 1, operation, &body));
    let (_, reply) = client.next().unwrap();
    assert!(reply.tracing_id.is_some_and(|id| uuid::Uuid::from_bytes(id).get_version_num() == 1));
    assert_eq!(client.ask(&request).tracing_id, None);
}

// SEM: WID-ERR-1
#[test]
fn who_logs_in_needs_the_right_password_and_nobody_is_served_before() {
    let options = CqlOptions::default().login("ann", "secret");
    let server = CqlServer::start(&Store::in_memory(), &options).unwrap();
    for version in Version::ALL {
        let mut client = Client::connect(&server, version);
        let authenticate = Response::Authenticate("org.apache.cassandra.auth.PasswordAuthenticator");
        assert_eq!(client.start(false), authenticate);
        assert_eq!(client.ask(&Request::AuthResponse(Some(b"\0ann\0secret"))).response, Response::Authenticated);
        assert!(matches!(client.query(KEYSPACE), Response::Schema(_) | Response::Failure(_)));
        for token in [&b"\0ann\0wrong"[..], b"\0eve\0secret", b"\0default\0", b"ann", b"\0ann\0secret\0", b""] {
            let mut client = Client::connect(&server, version);
            client.start(false);
            assert_eq!(code(&client.ask(&Request::AuthResponse(Some(token))).response), 0x0100);
            assert_eq!(client.next(), None);
        }
        let mut client = Client::connect(&server, version);
        client.start(false);
        assert_eq!(code(&client.query(KEYSPACE)), 0x000a, "a statement before the password");
        assert_eq!(client.next(), None);
    }
}

#[test]
fn bytes_that_are_no_request_end_their_connection_and_no_other() {
    let server = door_with_table();
    let mut other = Client::open(&server, Version::V4, false);
    let query = Request::Query { text: "SELECT * FROM k.t", parameters: Parameters::with(Vec::new()) };
    let refused = |mut client: Client, bytes: &[u8]| {
        client.socket.write_all(bytes).unwrap();
        let (_, reply) = client.next().unwrap();
        assert_eq!(code(&reply.response), 0x000a);
        assert_eq!(client.next(), None);
    };
    let v4 = || Client::open(&server, Version::V4, false);
    refused(v4(), &frame_of(4, Flags::empty(), 1, Operation::Query, &[0, 0, 0, 9]));
    refused(v4(), &[4, 0, 0, 1, 0x33, 0, 0, 0, 0]);
    refused(v4(), &[4, 0, 0, 1, 7, 0x7f, 0, 0, 0]);
    refused(v4(), &frame(&query, Version::V5, 1));
    refused(v4(), &frame_of(4, Flags::COMPRESSED, 1, Operation::Query, &[0xff; 20]));
    refused(v4(), &frame(&Request::Startup(vec![("CQL_VERSION", "3.0.0")]), Version::V4, 1));
    refused(Client::connect(&server, Version::V4), &frame(&query, Version::V4, 1));
    for options in [
        vec![],
        vec![("CQL_VERSION", "2.9.0")],
        vec![("CQL_VERSION", "new")],
        vec![("CQL_VERSION", "3.0.0"), ("COMPRESSION", "snappy")],
    ] {
        refused(Client::connect(&server, Version::V4), &frame(&Request::Startup(options), Version::V4, 1));
    }
    for compresses in [false, true] {
        let mut segment = Vec::new();
        write_segments(&frame(&query, Version::V5, 1), compresses, &mut segment);
        for at in 0..segment.len() {
            let mut changed = segment.clone();
            changed[at] ^= 0x10;
            refused(Client::open(&server, Version::V5, compresses), &changed);
        }
    }
    assert!(matches!(other.ask(&query).response, Response::Rows(..)));
}

#[test]
fn any_version_of_the_language_from_the_third_on_may_be_asked_for() {
    let server = door();
    for asked in ["3.0.0", "3.4.7", "4.0.0", "10.1"] {
        let mut client = Client::connect(&server, Version::V4);
        let reply = client.ask(&Request::Startup(vec![("CQL_VERSION", asked)]));
        assert_eq!(reply.response, Response::Ready, "{asked}");
    }
}

#[test]
fn a_request_may_say_its_keyspace() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V5, false);
    let parameters = Parameters { keyspace: Some("k"), ..Parameters::with(Vec::new()) };
    assert!(matches!(client.ask(&Request::Query { text: "SELECT * FROM t", parameters }).response, Response::Rows(..)));
}

// SEM: WID-TTL-1
#[test]
fn a_request_may_say_by_which_time_things_expire() {
    let server = door_with_table();
    let mut client = Client::open(&server, Version::V5, false);
    // After any time at which this runs, so that nothing is swept meanwhile.
    let start = 2_000_000_000;
    let at = |seconds: i32| Parameters { now_in_seconds: Some(seconds), ..Parameters::with(Vec::new()) };
    let rows = |client: &mut Client, parameters| {
        let text = "SELECT ttl(v) FROM k.t WHERE a = 1";
        let Response::Rows(_, rows) = client.ask(&Request::Query { text, parameters }).response else { panic!() };
        rows
    };
    let one = |value: &[u8]| {
        let mut rows = Rows::default();
        rows.push([Some(value)]);
        rows
    };
    let shown = |ttl: i32| one(&ttl.to_be_bytes());
    let insert = "INSERT INTO k.t (a, b, v) VALUES (1, 1, 'x') IF NOT EXISTS USING TTL 100";
    let is_applied = |client: &mut Client, seconds| {
        let (id, of) = client.prepare(insert);
        let Response::Rows(_, rows) = client.execute(&(id, of), at(seconds)) else { panic!() };
        // It is followed by what is there when it was not applied.
        rows == one(&[1])
    };
    assert!(is_applied(&mut client, start));
    assert_eq!(rows(&mut client, at(start + 99)), shown(1));
    assert_eq!(rows(&mut client, at(start + 100)), Rows::default());
    // Seconds have no sign.
    assert_eq!(rows(&mut client, at(-1)), Rows::default());
    assert_ne!(rows(&mut client, Parameters::with(Vec::new())), Rows::default());
    assert!(!is_applied(&mut client, start + 50) && is_applied(&mut client, start + 100));
    let batch = Batch {
        kind: BatchKind::Logged,
        statements: vec![(
            BatchStatement::Text("UPDATE k.t USING TTL 7 SET v = 'y' WHERE a = 1 AND b = 1"),
            Vec::new(),
        )],
        consistency: Consistency::One,
        serial_consistency: None,
        timestamp: None,
        keyspace: None,
        now_in_seconds: Some(start + 110),
    };
    assert_eq!(client.ask(&Request::Batch(batch)).response, Response::Void);
    assert_eq!(rows(&mut client, at(start + 111)), shown(6));
}
