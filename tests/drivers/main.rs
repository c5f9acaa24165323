//! Unmodified drivers, of this language and of others, against the doors.
//!
//! Packages come from their registry into a folder of the build; when they cannot be had, the test says that it was skipped.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod packages;
mod redis_cli;
mod redis_rs;
#[path = "../served/mod.rs"]
mod served;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use larder::Store;
use larder::server::cql::{CqlOptions, CqlServer};
use larder::server::dynamodb::{DynamoDbOptions, DynamoDbServer};
use larder::server::http::{HttpOptions, HttpServer};
use larder::server::mongo::{MongoOptions, MongoServer};
use larder::server::redis::{RedisOptions, RedisServer};
use packages::{PATIENCE, built, node_with, python_with};
use served::Served;
use tempfile::TempDir;

/// The versions that are asked for.
const REDIS_PY: &str = "redis==8.1.0";
const PYMONGO: &str = "pymongo==4.16.0";
const PROMETHEUS: &str = "prometheus-client==0.23.1";
const IOREDIS: &str = "ioredis@6.0.0";
const BOTO3: &str = "boto3==1.44.8";
const AWS_CLI: &str = "awscli==1.46.3";
const AWS_SDK_JS: &str = "@aws-sdk/lib-dynamodb@3.1169.0";
const CASSANDRA: &str = "cassandra-driver==3.30.1";
const CASSANDRA_NODE: &str = "cassandra-driver@4.10.0";
const CQLSH: &str = "cqlsh==6.2.2";
const MONGOSH: &str = "mongosh@2.12.0";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(name)
}

/// Runs `program` with a script, which has to say that all was well.
fn run(program: &Path, script: &Path, arguments: &[&str]) {
    // A driver that waits for ever is killed, and says so by its status.
    let output = Command::new("timeout").arg(PATIENCE).arg(program).arg(script).args(arguments).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{error}");
    assert!(out.contains("works, with"), "{out}{error}");
}

/// The same with a door at a port.
fn run_at(program: &Path, script: &Path, port: u16) {
    run(program, script, &[&port.to_string()]);
}

/// A program whose doors are not at ports, or are and speak TLS.
struct Way {
    served: Served,
    /// The port of the Redis door, or the path of its unix socket.
    door: String,
    /// What a client of TLS has to trust.
    certificate: Option<String>,
    _folder: TempDir,
}

impl Way {
    /// What a script is given to connect to the Redis door.
    fn to_redis(&self) -> Vec<&str> {
        [&self.door].into_iter().chain(&self.certificate).map(String::as_str).collect()
    }

    /// The same for MongoDB.
    fn to_mongo(&self) -> Vec<&str> {
        self.served.urls.get(1).into_iter().chain(&self.certificate).map(String::as_str).collect()
    }
}

fn ways() -> [Way; 2] {
    let [folder, other] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let door = folder.path().join("redis.sock").to_str().unwrap().to_owned();
    let mongo = format!("unix:{}/mongo.sock", folder.path().display());
    let served = Served::start_with(&["--redis", &door, "--mongo", &mongo]);
    let unix = Way { served, door, certificate: None, _folder: folder };
    let served = Served::start(&["--mongo", ":0", "--tls-dev", other.path().to_str().unwrap()]);
    let certificate = other.path().join("larder-dev-cert.pem").to_str().unwrap().to_owned();
    let door = served.port.to_string();
    [unix, Way { served, door, certificate: Some(certificate), _folder: other }]
}

#[test]
fn metrics_are_read_by_a_parser_of_prometheus() {
    let python = match python_with(PROMETHEUS) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: prometheus-client cannot be had: {reason}"),
    };
    let store = Store::in_memory();
    let redis = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let http = HttpServer::start(&store, &HttpOptions::default().watch(redis.meters())).unwrap();
    let mut client = TcpStream::connect(redis.address().socket_addr().unwrap()).unwrap();
    // One that fails, and one that is refused before it runs.
    client.write_all(b"SET k v\r\nGET k\r\nLPUSH k x\r\nGET\r\nCONFIG GET port\r\nQUIT\r\n").unwrap();
    client.read_to_string(&mut String::new()).unwrap();
    run_at(&python, &script("prometheus.py"), http.address().socket_addr().unwrap().port());
}

#[test]
fn redis_py_finds_what_it_expects_by_unix_sockets_and_tls_too() {
    let python = match python_with(REDIS_PY) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: redis-py cannot be had: {reason}"),
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    run_at(&python, &script("redis_py.py"), server.address().socket_addr().unwrap().port());
    assert_eq!(store.kv().get("from-python").unwrap().as_deref(), Some(&b"hello"[..]), "the door is to this store");
    for way in ways() {
        run(&python, &script("redis_py.py"), &way.to_redis());
        assert!(way.served.end("TERM").0.success());
    }
}

#[test]
fn the_patterns_of_applications_work_against_the_program() {
    let python = match python_with(REDIS_PY) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: redis-py cannot be had: {reason}"),
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let served = Served::start(&["--data", path.to_str().unwrap(), "--durability", "interval:20"]);
    run_at(&python, &script("redis_patterns.py"), served.port);
    let (status, error) = served.end("TERM");
    assert_eq!((status.code(), &*error), (Some(0), ""));
    let store = Store::open(&path).unwrap();
    assert_eq!(store.kv().get("hits").unwrap().as_deref(), Some(&b"1000"[..]));
}

#[test]
fn ioredis_finds_what_it_expects_by_unix_sockets_and_tls_too() {
    let folder = match node_with(IOREDIS) {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: ioredis cannot be had: {reason}"),
    };
    // A package is looked for beside the script.
    let copy = folder.join("ioredis.js");
    std::fs::copy(script("ioredis.js"), &copy).unwrap();
    let served = Served::start(&[]);
    run_at(Path::new("node"), &copy, served.port);
    assert!(served.end("INT").0.success());
    for way in ways() {
        run(Path::new("node"), &copy, &way.to_redis());
        assert!(way.served.end("INT").0.success());
    }
}

#[test]
fn pymongo_finds_what_it_expects_with_and_without_a_user_by_unix_sockets_and_tls() {
    let python = match python_with(PYMONGO) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: PyMongo cannot be had: {reason}"),
    };
    for options in [MongoOptions::default(), MongoOptions::default().standalone().login("ann", "secret")] {
        let store = Store::in_memory();
        let server = MongoServer::start(&store, &options).unwrap();
        let port = server.address().socket_addr().unwrap().port();
        run_at(&python, &script("mongo_patterns.py"), port);
        assert!(store.list_database_names().unwrap().is_empty(), "the door is to this store");
        assert!(server.metrics().requests > 30 && server.metrics().errors >= 4);
    }
    for way in ways() {
        run(&python, &script("mongo_patterns.py"), &way.to_mongo());
        assert!(way.served.end("TERM").0.success());
    }
}

/// A DynamoDB door to a new store, and the URL of its clients.
fn dynamodb_door(options: &DynamoDbOptions) -> (DynamoDbServer, String) {
    let server = DynamoDbServer::start(&Store::in_memory(), options).unwrap();
    let url = format!("http://{}", server.address());
    (server, url)
}

#[test]
fn boto3_finds_what_it_expects_with_and_without_keys_and_by_tls() {
    let python = match python_with(BOTO3) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: boto3 cannot be had: {reason}"),
    };
    let patterns = script("dynamodb_patterns.py");
    let (server, url) = dynamodb_door(&DynamoDbOptions::default());
    run(&python, &patterns, &[&url, "any", "any"]);
    assert!(server.metrics().requests > 40 && server.metrics().errors >= 4);
    let (server, url) = dynamodb_door(&DynamoDbOptions::default().key("ann", "secret").seed(7));
    run(&python, &patterns, &[&url, "ann", "secret"]);
    assert!(server.metrics().errors > 5, "a wrong secret and a key that nobody has");
    let folder = TempDir::new().unwrap();
    let program = Served::start(&["--dynamodb", ":0", "--tls-dev", folder.path().to_str().unwrap()]);
    let certificate = folder.path().join("larder-dev-cert.pem");
    run(&python, &patterns, &[&program.urls[1], "any", "any", certificate.to_str().unwrap()]);
    assert!(program.end("TERM").0.success());
}

#[test]
fn the_aws_cli_finds_what_it_expects() {
    let python = match python_with(AWS_CLI) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: the AWS CLI cannot be had: {reason}"),
    };
    let folder = TempDir::new().unwrap();
    let (errors, buckets) = (folder.path().join("errors"), folder.path().join("buckets"));
    std::fs::create_dir_all(buckets.join("music")).unwrap();
    let (_server, url) = dynamodb_door(&DynamoDbOptions::default().exports(&buckets));
    let mut shell = Command::new("timeout");
    shell.arg(PATIENCE).arg("sh").arg(script("aws_cli.sh")).arg(&url).arg(&errors).arg(&buckets);
    let output = shell.env("AWS", python.with_file_name("aws")).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("works, with"), "{out}{error}");
}

#[test]
fn the_aws_sdk_for_javascript_finds_what_it_expects() {
    let folder = match node_with(AWS_SDK_JS) {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: the AWS SDK for JavaScript cannot be had: {reason}"),
    };
    // A package is looked for beside the script.
    let copy = folder.join("dynamodb.mjs");
    std::fs::copy(script("dynamodb.mjs"), &copy).unwrap();
    let (_server, url) = dynamodb_door(&DynamoDbOptions::default());
    run(Path::new("node"), &copy, &[&url]);
}

#[test]
fn the_aws_sdk_for_rust_finds_what_it_expects_in_its_process() {
    let program = match built("rust_dynamodb") {
        Ok(program) => program,
        Err(reason) => return println!("skipped: the AWS SDK for Rust cannot be had: {reason}"),
    };
    let output = Command::new("timeout").arg(PATIENCE).arg(program).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("works, with"), "{out}{error}");
}

/// A MongoDB door to a new store, and its port.
fn mongo_door() -> (MongoServer, u16) {
    let server = MongoServer::start(&Store::in_memory(), &MongoOptions::default()).unwrap();
    let port = server.address().socket_addr().unwrap().port();
    (server, port)
}

#[test]
fn what_a_graphical_client_asks_for_is_there() {
    let python = match python_with(PYMONGO) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: PyMongo cannot be had: {reason}"),
    };
    let (_server, port) = mongo_door();
    run_at(&python, &script("mongo_tools.py"), port);
}

#[test]
fn the_mongodb_driver_for_rust_finds_what_it_expects() {
    let program = match built("rust_mongodb") {
        Ok(program) => program,
        Err(reason) => return println!("skipped: the driver cannot be had: {reason}"),
    };
    let (_server, port) = mongo_door();
    let output = Command::new("timeout").arg(PATIENCE).arg(program).arg(port.to_string()).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("works, with"), "{out}{error}");
}

#[test]
fn mongosh_creates_queries_explains_and_drops() {
    let folder = match node_with(MONGOSH) {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: mongosh cannot be had: {reason}"),
    };
    let (_server, port) = mongo_door();
    let mut shell = Command::new("timeout");
    shell.arg(PATIENCE).arg(folder.join("node_modules/.bin/mongosh"));
    // What it keeps of a session goes beside the package.
    shell.env("HOME", &folder).arg("--norc").arg("--quiet").arg(format!("mongodb://127.0.0.1:{port}/"));
    let output = shell.arg(script("mongosh.js")).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("works, with"), "{out}{error}");
}

/// A door for CQL clients to a new store, and its port.
fn cql_door(options: &CqlOptions) -> (CqlServer, String) {
    let server = CqlServer::start(&Store::in_memory(), options).unwrap();
    let port = server.address().socket_addr().unwrap().port().to_string();
    (server, port)
}

#[test]
fn the_cassandra_driver_finds_what_it_expects_in_both_versions_with_and_without_a_user_and_by_tls() {
    let python = match python_with(CASSANDRA) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: cassandra-driver cannot be had: {reason}"),
    };
    let patterns = script("cassandra_patterns.py");
    for version in ["any", "4"] {
        let (server, port) = cql_door(&CqlOptions::default());
        run(&python, &patterns, &[&port, version]);
        assert!(server.metrics().requests > 600 && server.metrics().errors >= 5);
    }
    let (_server, port) = cql_door(&CqlOptions::default().login("ann", "secret"));
    run(&python, &patterns, &[&port, "5", "ann", "secret"]);
    run(&python, &script("cassandra_roles.py"), &[&port, "ann", "secret"]);
    let folder = TempDir::new().unwrap();
    let served = Served::start_with(&["--cql", ":0", "--tls-dev", folder.path().to_str().unwrap()]);
    let certificate = folder.path().join("larder-dev-cert.pem");
    run(&python, &patterns, &[&served.port.to_string(), "5", certificate.to_str().unwrap()]);
    assert!(served.end("TERM").0.success());
}

#[test]
fn the_scylla_driver_for_rust_finds_what_it_expects() {
    let program = match built("rust_scylla") {
        Ok(program) => program,
        Err(reason) => return println!("skipped: the driver cannot be had: {reason}"),
    };
    let (_server, port) = cql_door(&CqlOptions::default());
    let output = Command::new("timeout").arg(PATIENCE).arg(program).arg(port).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("works, with"), "{out}{error}");
}

#[test]
fn the_cassandra_driver_for_node_finds_what_it_expects() {
    let folder = match node_with(CASSANDRA_NODE) {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: cassandra-driver for Node.js cannot be had: {reason}"),
    };
    // A package is looked for beside the script.
    let copy = folder.join("cassandra.js");
    std::fs::copy(script("cassandra.js"), &copy).unwrap();
    let (_server, port) = cql_door(&CqlOptions::default());
    run(Path::new("node"), &copy, &[&port]);
}

#[test]
fn cqlsh_selects_inserts_and_copies() {
    let python = match python_with(CQLSH) {
        Ok(python) => python,
        Err(reason) => return println!("skipped: cqlsh cannot be had: {reason}"),
    };
    for (name, options) in
        [("cqlsh.sh", CqlOptions::default()), ("cqlsh_roles.sh", CqlOptions::default().login("ann", "secret"))]
    {
        let (_server, port) = cql_door(&options);
        let folder = TempDir::new().unwrap();
        let mut shell = Command::new("timeout");
        shell.arg(PATIENCE).arg("sh").arg(script(name)).arg(&port).arg(folder.path());
        let output = shell.env("CQLSH", python.with_file_name("cqlsh")).output().unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains("works, with"), "{name}: {out}{error}");
    }
}
