//! What the door does with a client's connection: requests of HTTP to the pool, responses to the client.

use std::rc::Rc;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::{Request, Response};

use crate::clock::Stopwatch;
use crate::limits;
use crate::server::clients::Client;
use crate::server::door::{Local, Service};
use crate::server::dynamodb::answer::{Answer, DynamoDb};
use crate::server::dynamodb::constraints;
use crate::server::hypertext;
use crate::server::panics::caught;
use crate::server::stream::{Peer, Socket};
use crate::server::tally::{End, Tally};

/// The door on one of its threads.
pub(super) struct Serving {
    service: DynamoDb,
    tally: Arc<Tally>,
    names: Arc<[String]>,
    local: Local<()>,
}

/// The names of all operations, by slot.
pub(super) fn names() -> Arc<[String]> {
    let models = [constraints::items(), constraints::streams()];
    let mut names: Vec<_> = models.iter().flat_map(|model| model.operations()).map(ToOwned::to_owned).collect();
    names.sort_unstable();
    names.into()
}

impl Serving {
    pub(super) fn new(service: DynamoDb, tally: Arc<Tally>, local: Local<()>) -> Self {
        Self { service, tally, names: names(), local }
    }
}

impl Service for Serving {
    type Client = ();

    fn welcome(&self, _: u64, _: Peer) {}

    async fn serve(self: Rc<Self>, client: Rc<Client<()>>, socket: Socket) {
        let door = &self;
        hypertext::serve(&client, socket, limits::DYNAMODB_IDLE_MS_MAX, |request| door.respond(request)).await;
    }

    fn turned_away(&self) -> Vec<u8> {
        hypertext::TURNED_AWAY.to_vec()
    }
}

impl Serving {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let meter = &self.local.shared.meter;
        meter.requests.add(1);
        let (head, body) = request.into_parts();
        // A length that is announced counts at once; what comes in chunks is counted as it comes.
        if body.size_hint().lower() > limits::DYNAMODB_REQUEST_BYTES_MAX as u64 {
            meter.errors.add(1);
            return self.service.too_large().map(Full::new);
        }
        let body = match Limited::new(body, limits::DYNAMODB_REQUEST_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                meter.errors.add(1);
                if !error.is::<LengthLimitError>() {
                    tracing::info!(%error, "the body of a request did not arrive");
                }
                return self.service.too_large().map(Full::new);
            }
        };
        meter.read_bytes.add(body.len());
        let watch = Stopwatch::start();
        let request = Request::from_parts(head, body);
        let is_quick = self.service.is_quick(&request);
        let service = self.service.clone();
        let work = move || service.run(&request);
        // Handing a request over takes longer than most operations on one item.
        let pool = self.local.pool.as_ref().filter(|_| !is_quick);
        let ran = match pool {
            Some(pool) => pool.run(work).await.ok(),
            None => caught(async { work() }).await.ok(),
        };
        let Some(Answer { mut response, pending, operation, mut exception }) = ran else {
            meter.errors.add(1);
            return self.service.panicked().map(Full::new);
        };
        if let Some(pending) = pending
            && let Err(error) = self.local.settler.settle(&pending).await
        {
            exception = Some("InternalServerError".to_owned());
            response = self.service.unsettled(&error);
        }
        self.count(operation, exception.as_deref(), &watch);
        meter.written_bytes.add(response.body().len());
        response.map(Full::new)
    }

    fn count(&self, operation: Option<&str>, exception: Option<&str>, watch: &Stopwatch) {
        if let Some(name) = exception {
            self.local.shared.meter.errors.add(1);
            self.tally.error(name);
        }
        let find = |name: &str| self.names.binary_search_by(|other| other.as_str().cmp(name)).ok();
        if let Some(slot) = operation.and_then(find) {
            self.tally.count(slot, if exception.is_some() { End::Failed } else { End::Done });
            self.tally.time(slot, watch.elapsed());
        }
    }
}
