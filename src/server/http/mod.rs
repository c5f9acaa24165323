//! A door for who watches a server: `/health` and `/metrics`, over HTTP.
//!
//! # How it works
//! One thread answers `GET` and `HEAD`. `/health` is 200 while the store takes reads and writes, and 503 with the reason when it is closed or,
//! after a failed write, read-only. `/metrics` has what doors and store have counted, in the text format of Prometheus.
//!
//! # Invariants
//! 1. It shows counts, and neither keys nor values; nothing can be changed through it. So it has no users: an address that others reach is theirs
//!    to protect.
//!
//! # Source
//! Prometheus text exposition format, version 0.0.4; OpenTelemetry semantic conventions for databases. HTTP is `hyper`'s.

mod exposition;

use std::rc::Rc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};

use crate::limits;
use crate::server::address::{Address, ListenError};
use crate::server::clients::Client;
use crate::server::door::{Door, Kind, Local, Service};
use crate::server::hypertext;
use crate::server::meters::Meters;
use crate::server::metrics::Metrics;
use crate::server::options::DoorOptions;
use crate::server::stream::{Peer, Socket};
use crate::store::Store;

const TEXT: &str = "text/plain; charset=utf-8";

/// How an [`HttpServer`] is opened.
///
/// # Examples
/// ```
/// use larder::server::{Address, http::HttpOptions};
/// let options = HttpOptions::default().address(Address::local(0));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a server is started with them"]
pub struct HttpOptions {
    door: DoorOptions,
    watched: Vec<Meters>,
}

impl HttpOptions {
    /// Sets where to listen; any free port of 127.0.0.1 unless set.
    ///
    /// # Examples
    /// See [`HttpOptions`].
    pub fn address(mut self, address: Address) -> Self {
        self.door.address = address;
        self
    }

    /// Serves HTTPS, and nothing else.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Tls, http::HttpOptions};
    /// let options = HttpOptions::default().tls(Tls::self_signed()?);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: crate::server::Tls) -> Self {
        self.door.tls = Some(tls);
        self
    }

    /// Adds what another door counts to the metrics.
    ///
    /// # Examples
    /// See [`Meters`].
    pub fn watch(mut self, meters: Meters) -> Self {
        self.watched.push(meters);
        self
    }
}

/// A door for who watches a server. Dropping it closes it.
///
/// # Examples
/// ```
/// use larder::{Store, server::http::{HttpOptions, HttpServer}};
/// use std::io::{Read, Write};
/// let server = HttpServer::start(&Store::in_memory(), &HttpOptions::default())?;
/// let mut client = std::net::TcpStream::connect(server.address().socket_addr().unwrap())?;
/// client.write_all(b"GET /health HTTP/1.1\r\nHost: larder\r\nConnection: close\r\n\r\n")?;
/// let mut reply = String::new();
/// client.read_to_string(&mut reply)?;
/// assert!(reply.starts_with("HTTP/1.1 200 OK"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HttpServer(Door);

impl HttpServer {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// [`ListenError`] when the address cannot be listened at, or the system gives no thread.
    ///
    /// # Examples
    /// See [`HttpServer`].
    pub fn start(store: &Store, options: &HttpOptions) -> Result<Self, ListenError> {
        let (watched, shown) = (options.watched.clone(), store.clone());
        let make = move |local| Watching { store: shown.clone(), watched: watched.clone(), local };
        let kind = Kind { name: "http", threads: 1, pool_threads: 0 };
        Door::open(&kind, store, &options.door, make).map(Self)
    }

    /// Returns where it listens; the port is the real one.
    ///
    /// # Examples
    /// See [`HttpServer`].
    #[must_use]
    pub fn address(&self) -> &Address {
        self.0.address()
    }

    /// Returns what it has done so far. Bytes are not counted.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::http::{HttpOptions, HttpServer}};
    /// let server = HttpServer::start(&Store::in_memory(), &HttpOptions::default())?;
    /// assert_eq!(server.metrics().requests, 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.metrics()
    }

    /// Closes the door: requests that have arrived are answered. The store stays open.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::http::{HttpOptions, HttpServer}};
    /// HttpServer::start(&Store::in_memory(), &HttpOptions::default())?.close();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn close(self) {
        drop(self);
    }
}

/// What the thread has.
struct Watching {
    store: Store,
    watched: Vec<Meters>,
    local: Local<()>,
}

impl Service for Watching {
    type Client = ();

    fn welcome(&self, _: u64, _: Peer) {}

    async fn serve(self: Rc<Self>, client: Rc<Client<()>>, socket: Socket) {
        let door = &self;
        hypertext::serve(&client, socket, limits::HTTP_HEADER_MS_MAX, |request| async move { door.answer(&request) })
            .await;
    }

    fn turned_away(&self) -> Vec<u8> {
        hypertext::TURNED_AWAY.to_vec()
    }
}

impl Watching {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let meter = &self.local.shared.meter;
        meter.requests.add(1);
        let (status, kind, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/health") => {
                let (status, text) = health(&self.store);
                (status, TEXT, text)
            }
            (&Method::GET | &Method::HEAD, "/metrics") => {
                (StatusCode::OK, exposition::CONTENT, exposition::write(&self.store, &self.watched))
            }
            (_, "/health" | "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned()),
            _ => (StatusCode::NOT_FOUND, TEXT, "there is /health and /metrics\n".to_owned()),
        };
        if !status.is_success() {
            meter.errors.add(1);
        }
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

/// Whether the store takes reads and writes, and why not.
fn health(store: &Store) -> (StatusCode, String) {
    let unavailable = |reason: String| (StatusCode::SERVICE_UNAVAILABLE, reason.replace('\n', " ") + "\n");
    match (store.stats(), store.failure()) {
        (Err(error), _) => unavailable(error.to_string()),
        (Ok(_), Some(reason)) => unavailable(format!("the store is read-only since a write failed: {reason}")),
        (Ok(_), None) => (StatusCode::OK, "ok\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(server: &HttpServer, request: &str) -> String {
        let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        let text = format!("{request} HTTP/1.1\r\nHost: larder\r\nConnection: close\r\n\r\n");
        client.write_all(text.as_bytes()).unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        reply
    }

    #[test]
    fn health_says_whether_the_store_can_be_used() {
        let store = Store::in_memory();
        let server = HttpServer::start(&store, &HttpOptions::default()).unwrap();
        let reply = ask(&server, "GET /health");
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\nok\n"), "{reply}");
        assert!(ask(&server, "HEAD /health").ends_with("\r\n\r\n"));
        store.close().unwrap();
        let reply = ask(&server, "GET /health");
        assert!(reply.starts_with("HTTP/1.1 503 ") && reply.ends_with("the store is closed\n"), "{reply}");
        assert!(ask(&server, "GET /metrics").contains("\nlarder_store_up 0\n"));
    }

    #[cfg(feature = "testing")]
    #[test]
    fn health_says_why_a_store_is_read_only() {
        let (store, disk) = crate::server::tests::on_simulated_disk();
        disk.fail(crate::vfs::sim::Fault::at(crate::vfs::sim::Call::Sync, 1).forever());
        store.kv().set("k", "v").unwrap_err();
        let reason = store.failure().unwrap();
        let server = HttpServer::start(&store, &HttpOptions::default()).unwrap();
        let reply = ask(&server, "GET /health");
        assert!(reply.starts_with("HTTP/1.1 503 ") && reply.contains(&reason), "{reply}");
        assert!(ask(&server, "GET /metrics").contains("\nlarder_store_writable 0\n"));
    }

    #[test]
    fn what_is_not_there_and_what_would_change_something_is_refused() {
        let server = HttpServer::start(&Store::in_memory(), &HttpOptions::default()).unwrap();
        assert!(ask(&server, "GET /").starts_with("HTTP/1.1 404 "));
        let reply = ask(&server, "POST /metrics").to_lowercase();
        assert!(reply.starts_with("http/1.1 405 ") && reply.contains("allow: get, head"), "{reply}");
        assert_eq!((server.metrics().requests, server.metrics().errors), (2, 2));
        let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        let _ = client.write_all(&vec![b'x'; 4 * limits::HTTP_HEADER_BYTES_MAX]);
        let mut reply = Vec::new();
        let _ = client.read_to_end(&mut reply);
        // One that says nothing does not hold up the end.
        let _silent = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        server.close();
    }
}
