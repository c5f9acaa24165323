//! A connection of HTTP/1.1, for the doors that speak it: hyper reads requests and writes responses, until the client, the door or a
//! fault ends it.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::limits;
use crate::server::clients::Client;
use crate::server::stream::Socket;

/// What is sent to whom there is no room for.
pub(super) const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves the requests of `client` with `respond`, one after the other. A client that takes longer than `header_ms` to send a request's
/// header is let go; one that is told to end is served what it has begun.
pub(super) async fn serve<C, R: Future<Output = Response<Full<Bytes>>>>(
    client: &Client<C>,
    socket: Socket,
    header_ms: u64,
    respond: impl Fn(Request<Incoming>) -> R,
) {
    let service = hyper::service::service_fn(|request| {
        let response = respond(request);
        async { Ok::<_, Infallible>(response.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(header_ms))
        .max_buf_size(limits::HTTP_HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            () = client.was_cut_off() => return,
            () = client.ended(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            served = &mut connection => {
                if let Err(error) = served {
                    tracing::info!(client = client.id, %error, "a connection of HTTP ended early");
                }
                return;
            }
        }
    }
}
