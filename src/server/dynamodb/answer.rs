//! From a request to its response: what the door is, without a socket.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use parking_lot::Mutex;

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::limits;
use crate::server::dynamodb::constraints;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::faults;
use crate::server::dynamodb::ids::Ids;
use crate::server::dynamodb::json::Json;
use crate::server::dynamodb::operations::{self, Context};
use crate::server::dynamodb::options::DynamoDbOptions;
use crate::server::dynamodb::requests::Reader;
use crate::server::dynamodb::signature::{self, Claim, Signed};
use crate::server::password::Secret;
use crate::server::users::{Everything, Users};
use crate::store::Store;
use crate::txn::Pending;

/// Longer requests take a while to be read.
const QUICK_BODY_BYTES_MAX: usize = 64 << 10;

const JSON: &str = "application/x-amz-json-1.0";
const PLAIN_JSON: &str = "application/json";
const REGION: &str = "us-east-1";
/// What is sent where there is nothing.
const NOTHING: &[u8] = b"<UnknownOperationException/>\n";

/// The service, in this process: a function from request to response.
///
/// [`DynamoDbServer`](super::DynamoDbServer) calls it for what comes in on a socket. An application whose client takes
/// another HTTP client can call it without one.
///
/// # Examples
/// ```
/// use hyper::{Request, body::Bytes};
/// use larder::{Store, server::dynamodb::{DynamoDb, DynamoDbOptions}};
/// let service = DynamoDb::new(&Store::in_memory(), &DynamoDbOptions::default());
/// let credential = "Credential=any/20260101/us-east-1/dynamodb/aws4_request";
/// let request = Request::post("/")
///     .header("content-type", "application/x-amz-json-1.0")
///     .header("x-amz-target", "DynamoDB_20120810.ListTables")
///     .header("x-amz-date", "20260101T000000Z")
///     .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=any"))
///     .body(Bytes::from("{}"))?;
/// let response = service.answer(&request);
/// assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &br#"{"TableNames":[]}"#[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *DynamoDB low-level API*.
#[derive(Clone, Debug)]
pub struct DynamoDb(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    options: DynamoDbOptions,
    /// Access keys, each with its secret.
    users: Users<Everything>,
    ids: Ids,
    /// The stores of access keys, where each has its own.
    forks: Mutex<BTreeMap<String, Store>>,
}

/// A response, and what has to be durable before it is sent.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response<Bytes>,
    pub(super) pending: Option<Pending>,
    /// The operation, if it was found.
    pub(super) operation: Option<&'static str>,
    /// The name of the exception, if it is one.
    pub(super) exception: Option<String>,
}

impl DynamoDb {
    /// A service on `store`.
    ///
    /// # Examples
    /// See [`DynamoDb`].
    #[must_use]
    pub fn new(store: &Store, options: &DynamoDbOptions) -> Self {
        let ids = Ids::new(options.door.seed_or_random());
        let (options, users) = (options.clone(), options.users());
        Self(Arc::new(Inner { store: store.clone(), options, users, ids, forks: Mutex::default() }))
    }

    /// Returns the response to `request`. What it tells of is durable, as far as the store was asked for that.
    ///
    /// # Cost
    /// That of the operation; a write keeps the thread until it is durable.
    ///
    /// # Examples
    /// See [`DynamoDb`].
    #[must_use]
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let answer = self.run(request);
        match answer.pending.as_ref().map(Pending::settle) {
            Some(Err(error)) => self.unsettled(&error),
            _ => answer.response,
        }
    }

    /// Returns the response, which is to be sent when what it tells of is durable.
    pub(super) fn run(&self, request: &Request<Bytes>) -> Answer {
        let last = RefCell::new(None);
        let mut operation = None;
        let outcome = match (request.method(), request.uri().path()) {
            (&Method::POST, "/") => self.post(request, &last, &mut operation),
            (&Method::GET | &Method::HEAD, "/") => {
                let text = format!("healthy: dynamodb.{REGION}.amazonaws.com ");
                let response = self.response(StatusCode::OK, "text/plain", text.into_bytes());
                return Answer { response, pending: None, operation: None, exception: None };
            }
            _ => Ok(None),
        };
        let content_type = content_type(request.headers()).unwrap_or(PLAIN_JSON);
        let pending = last.into_inner();
        let (response, exception) = match outcome {
            Ok(Some(body)) => (self.response(StatusCode::OK, content_type, body), None),
            Ok(None) => (self.response(StatusCode::NOT_FOUND, content_type, NOTHING.to_vec()), None),
            Err(failure) => (self.failed(&failure, content_type), Some(failure.name.into_owned())),
        };
        Answer { response, pending, operation, exception }
    }

    /// Whether `request` is over soon and waits for nobody: it reads one item, or writes one while nobody else writes.
    pub(super) fn is_quick(&self, request: &Request<Bytes>) -> bool {
        if request.body().len() > QUICK_BODY_BYTES_MAX || self.0.options.has_forks {
            return false;
        }
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        match target.and_then(|target| target.split_once('.')) {
            Some((_, "GetItem")) => true,
            // Who begins to write between this look and the operation has to be waited for after all.
            Some((_, "PutItem" | "UpdateItem" | "DeleteItem")) => self.0.store.try_turn().is_some(),
            _ => false,
        }
    }

    /// What is sent instead of a response whose commit has failed.
    pub(super) fn unsettled(&self, error: &Error) -> Response<Bytes> {
        tracing::error!(%error, "a commit is not durable");
        self.failed(&Failure::internal(error.to_string()), JSON)
    }

    /// What is sent for a request whose body is too long.
    pub(super) fn too_large(&self) -> Response<Bytes> {
        let failure = Failure::reader("RequestEntityTooLargeException", "Request body is too large");
        self.failed(&Failure { status: 413, ..failure }, JSON)
    }

    /// What is sent for an operation that has panicked.
    pub(super) fn panicked(&self) -> Response<Bytes> {
        self.failed(&Failure::internal("the operation has panicked"), JSON)
    }

    /// The body of the response; nothing where there is nothing to be found.
    fn post(
        &self,
        request: &Request<Bytes>,
        last: &RefCell<Option<Pending>>,
        found: &mut Option<&'static str>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let headers = request.headers();
        let is_bare = request.body().is_empty() && !headers.contains_key(CONTENT_TYPE);
        if content_type(headers).is_none() && !is_bare {
            return Ok(None);
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let target = text("x-amz-target").and_then(constraints::find);
        let (model, operation) = target.ok_or_else(|| Failure::unknown_operation(None))?;
        *found = Some(operation);
        let claim = self.admit(request)?;
        operations::check_support(operation)?;
        let region = if claim.region.is_empty() { REGION } else { &claim.region };
        let rules = self.0.options.dialect.rules(operation, region);
        if request.body().len() > limits::DYNAMODB_REQUEST_BYTES_MAX {
            return Err(Failure {
                status: 413,
                ..Failure::reader("RequestEntityTooLargeException", "Request body is too large")
            });
        }
        let json = Json::parse(request.body()).ok().filter(|json| matches!(json, Json::Map(_)));
        let json = json.ok_or_else(|| Failure::serialization(None))?;
        constraints::check(model, operation, &json, rules)?;
        let store = self.store_of(&claim.access_key).map_err(|error| faults::failure(&error, rules))?;
        let reached =
            text(HOST.as_str()).or_else(|| request.uri().authority().map(hyper::http::uri::Authority::as_str));
        let context = Context {
            store: &store,
            account: &self.0.options.account,
            region,
            rules,
            reached: reached.unwrap_or("localhost"),
            last,
            exports: self.0.options.exports.as_deref(),
            lifecycle: self.0.options.lifecycle,
        };
        operations::run(&context, operation, &Reader::new(model, operation, &json, rules)).map(Some)
    }

    /// Who sends a request: whoever it says, unless there are keys that it has to be signed with.
    fn admit(&self, request: &Request<Bytes>) -> Result<Claim, Failure> {
        let query = request.uri().query().unwrap_or_default();
        let claim = Claim::read(request.headers(), query)?;
        if !self.0.users.default_user().is_open() {
            let user = self.0.users.get(claim.access_key.as_bytes());
            let account = user.as_ref().map(|user| user.account());
            let secret = account.as_ref().and_then(|account| account.credentials.secret.as_ref());
            let signed = Signed {
                method: request.method(),
                path: request.uri().path(),
                query,
                headers: request.headers(),
                body: request.body(),
            };
            // Clients sign by the time that it is, whatever the clock of the store says.
            signature::verify(&claim, &signed, secret.map(Secret::bytes), SystemClock.now())?;
        }
        Ok(claim)
    }

    /// The store of whoever has this access key: the same for all, or a fork for each.
    fn store_of(&self, access_key: &str) -> crate::error::Result<Store> {
        if !self.0.options.has_forks {
            return Ok(self.0.store.clone());
        }
        let mut forks = self.0.forks.lock();
        if let Some(store) = forks.get(access_key) {
            return Ok(store.clone());
        }
        if forks.len() >= limits::DYNAMODB_FORKS_MAX {
            let max = u64::try_from(limits::DYNAMODB_FORKS_MAX).unwrap_or(u64::MAX);
            return Err(Error::LimitExceeded { limit: "forks of access keys", max, found: max.saturating_add(1) });
        }
        let store = self.0.store.fork()?;
        forks.insert(access_key.to_owned(), store.clone());
        Ok(store)
    }

    fn failed(&self, failure: &Failure, content_type: &'static str) -> Response<Bytes> {
        let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.response(status, content_type, failure.body())
    }

    fn response(&self, status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
        let checksum = crc32fast::hash(&body);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(HeaderName::from_static("x-amz-crc32"), HeaderValue::from(checksum));
        if let Ok(id) = HeaderValue::from_str(&self.0.ids.next()) {
            headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        response
    }
}

/// Which of the two names of JSON a request has.
fn content_type(headers: &HeaderMap) -> Option<&'static str> {
    let name = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    [JSON, PLAIN_JSON].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}
