//! Servers, each in a process of its own: the time that it has had of a processor for each request, with 16 connections
//! that are kept and always have a request under way. The client's time does not count.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use comfy_table::{Table, presets};
use larder::Store;
use larder::server::dynamodb::{DynamoDbOptions, DynamoDbServer};
use serde_json::json;

use crate::http::Connection;
use crate::sides;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const ITEMS: usize = 1_000;
/// What a round has of requests, for one item and for a page.
const SMALL_REQUESTS: usize = 8_000;
const PAGE_REQUESTS: usize = 800;

/// Serves one side until the input ends, and says where.
pub fn serve(side: &str) {
    match side {
        "larder" => {
            let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default()).unwrap();
            println!("{}", server.address());
            wait();
        }
        _ => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let (address, _stop) = sides::serve(&runtime);
            println!("{address}");
            wait();
        }
    }
}

fn wait() {
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A server in a process of its own, which ends when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    _output: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(side: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args(["serve", side]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap(), _output: output }
    }

    /// Nanoseconds that its threads have had of processors.
    fn cpu_ns(&self) -> u64 {
        let tasks = format!("/proc/{}/task", self.child.id());
        let tasks = std::fs::read_dir(Path::new(&tasks)).unwrap();
        let of_task = |task: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
        };
        tasks.map(of_task).sum()
    }

    /// Kilobytes of memory that it has.
    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn connect(&self) -> Vec<Connection> {
        (0..CONNECTIONS).map(|_| Connection::open(self.address)).collect()
    }

    /// The time of each of so many requests, in microseconds.
    fn time(&self, connections: &mut [Connection], operation: &str, bodies: &[String], requests: usize) -> f64 {
        let start = self.cpu_ns();
        let mut bodies = bodies.iter().cycle();
        for _ in 0..requests / CONNECTIONS {
            for connection in &mut *connections {
                connection.send(operation, bodies.next().unwrap().as_bytes());
            }
            for connection in &mut *connections {
                let (status, body) = connection.receive();
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            }
        }
        (self.cpu_ns() - start) as f64 / requests as f64 / 1e3
    }
}

fn key(n: usize) -> serde_json::Value {
    json!({"PK": {"S": format!("USER#{}", n / 100)}, "SK": {"S": format!("EVENT#{:08}", n % 100)}})
}

fn put(n: usize) -> String {
    let mut item = key(n);
    item["amount"] = json!({"N": n.to_string()});
    item["state"] = json!({"S": "delivered"});
    item["is_gift"] = json!({"BOOL": true});
    item["note"] = json!({"S": "x".repeat(900)});
    json!({"TableName": "Events", "Item": item}).to_string()
}

pub fn run() {
    let sides = ["larder", "dynoxide"];
    let started = Instant::now();
    let larder = Server::start(sides[0]);
    println!("a process with Larder's door is ready after {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    let dynoxide = Server::start(sides[1]);
    println!("a process with Dynoxide's after {} ms", started.elapsed().as_millis());
    let servers = [larder, dynoxide];
    println!("idle: {} and {} kB", servers[0].resident_kb(), servers[1].resident_kb());
    let mut connections = servers.each_ref().map(Server::connect);
    let definition = json!({
        "TableName": "Events",
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}
        ],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let puts: Vec<_> = (0..ITEMS).map(put).collect();
    let gets: Vec<_> = (0..ITEMS).map(|n| json!({"TableName": "Events", "Key": key(n)}).to_string()).collect();
    let queries: Vec<_> = (0..ITEMS / 100)
        .map(|n| {
            let values = json!({":p": {"S": format!("USER#{n}")}});
            json!({"TableName": "Events", "KeyConditionExpression": "PK = :p", "ExpressionAttributeValues": values})
                .to_string()
        })
        .collect();
    for connections in &mut connections {
        let first = &mut connections[0];
        assert_eq!(first.ask("CreateTable", definition.to_string().as_bytes()).0, 200);
        for body in &puts {
            assert_eq!(first.ask("PutItem", body.as_bytes()).0, 200);
        }
        let (_, page) = first.ask("Query", queries[0].as_bytes());
        println!("a page has {} bytes", page.len());
    }
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["operation", "Larder, µs", "Dynoxide, µs", "ratio", "bar"]);
    let operations = [
        ("PutItem", &puts, SMALL_REQUESTS, "≥ 2"),
        ("GetItem", &gets, SMALL_REQUESTS, "≥ 1.3"),
        ("Query", &queries, PAGE_REQUESTS, "≥ 2"),
    ];
    for (operation, bodies, requests, bar) in operations {
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for side in 0..2 {
                times[side].push(servers[side].time(&mut connections[side], operation, bodies, requests));
            }
        }
        let [larder, dynoxide] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        let row = [format!("{larder:.1}"), format!("{dynoxide:.1}"), format!("{:.2}", dynoxide / larder)];
        let [larder, dynoxide, ratio] = row;
        table.add_row([operation.to_owned(), larder, dynoxide, ratio, bar.to_owned()]);
    }
    println!("{table}");
}
