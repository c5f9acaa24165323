//! The two that are compared, each a function from operation and body to status and body.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use larder::Store;
use larder::server::dynamodb::{DynamoDb, DynamoDbOptions};

use crate::http::{AUTHORIZATION, Connection};

/// What was said to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

pub trait Side {
    fn ask(&mut self, operation: &str, body: &str) -> Reply;
}

/// Larder's function, called in this process.
pub struct Larder(DynamoDb);

impl Larder {
    /// On an empty store.
    pub fn new() -> Self {
        Self(DynamoDb::new(&Store::in_memory(), &DynamoDbOptions::default().seed(1)))
    }
}

impl Side for Larder {
    fn ask(&mut self, operation: &str, body: &str) -> Reply {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", AUTHORIZATION)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        let response = self.0.answer(&request);
        Reply { status: response.status().as_u16(), body: response.body().to_vec() }
    }
}

/// Dynoxide's database in memory, behind its own server in this process: its embedded interface takes requests that are
/// read already, so that much of what the server finds wrong with a body cannot be asked of it.
pub struct Dynoxide {
    connection: Connection,
    /// Ends the server when it is dropped.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Dynoxide {
    /// On an empty database.
    pub fn new(runtime: &tokio::runtime::Runtime) -> Self {
        let (address, stop) = serve(runtime);
        Self { connection: Connection::open(address), _stop: stop }
    }
}

/// Serves an empty database of Dynoxide until what is returned is dropped.
pub fn serve(runtime: &tokio::runtime::Runtime) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let database = dynoxide::Database::memory().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    runtime.spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
        // Both a message and the end of the sender end the server.
        let _ = stopped.await;
    }));
    (address, stop)
}

impl Side for Dynoxide {
    fn ask(&mut self, operation: &str, body: &str) -> Reply {
        let (status, body) = self.connection.ask(operation, body.as_bytes());
        Reply { status, body }
    }
}
