//! The doors: what `serve` asks of each, and which of them it opens.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use larder::Store;
use larder::server::cql::{CqlOptions, CqlServer};
use larder::server::dynamodb::{DynamoDbOptions, DynamoDbServer};
use larder::server::http::{HttpOptions, HttpServer};
use larder::server::mongo::{MongoOptions, MongoServer};
use larder::server::redis::{RedisOptions, RedisServer};
use larder::server::{Address, Tls};
use tokio::sync::Notify;

use super::options::Options;

/// The port of the Redis door unless another is given.
const REDIS_PORT: u16 = 6379;

/// A door that is open. Dropping it closes it.
trait Door {}

impl Door for CqlServer {}
impl Door for DynamoDbServer {}
impl Door for HttpServer {}
impl Door for MongoServer {}
impl Door for RedisServer {}

/// The doors that are open. Dropping this closes them.
#[derive(Default)]
pub(super) struct Doors {
    open: Vec<Box<dyn Door>>,
    /// What a client of each is given to connect.
    pub(super) urls: Vec<String>,
    /// The certificate of those that have one.
    tls: Option<Tls>,
}

impl Doors {
    /// Opens the doors that `options` ask for; that for Redis clients if they ask for none. Clients may ask for the end, which `asked`
    /// then learns.
    pub(super) fn open(store: &Store, options: &Options, asked: &Arc<Notify>) -> Result<Self, String> {
        let others = [&options.mongo, &options.dynamodb, &options.cql];
        let has_redis = options.redis.is_some() || others.iter().all(|address| address.is_none());
        let redis = has_redis.then(|| options.redis.clone().unwrap_or_else(|| Address::local(REDIS_PORT)));
        let tls = certificate(options)?;
        if tls.is_some() && !redis.iter().chain(others.into_iter().flatten()).any(|address| address.path().is_none()) {
            return Err(
                "a certificate is given, and the only doors are unix sockets, which have no TLS: leave it out, or \
                        give one of them a port"
                    .to_owned(),
            );
        }
        let mut doors = Self { tls, ..Self::default() };
        let mut watched = HttpOptions::default();
        if let Some(address) = redis {
            let tls = doors.tls_at(&address);
            let redis = open_redis(store, options, (address, tls), asked)?;
            watched = watched.watch(redis.meters());
            doors.urls.push(redis_url(redis.address(), tls.is_some()));
            doors.open.push(Box::new(redis));
        }
        if let Some(address) = &options.mongo {
            let tls = doors.tls_at(address);
            let mongo = open_mongo(store, options, (address.clone(), tls))?;
            watched = watched.watch(mongo.meters());
            doors.urls.push(mongo_url(mongo.address(), tls.is_some()));
            doors.open.push(Box::new(mongo));
        }
        if let Some(address) = &options.dynamodb {
            let tls = doors.tls_at(address);
            let dynamodb = open_dynamodb(store, options, (address.clone(), tls))?;
            watched = watched.watch(dynamodb.meters());
            doors.urls.push(http_url(dynamodb.address(), tls.is_some()));
            doors.open.push(Box::new(dynamodb));
        }
        if let Some(address) = &options.cql {
            let tls = doors.tls_at(address);
            let cql = open_cql(store, options, (address.clone(), tls))?;
            watched = watched.watch(cql.meters());
            doors.urls.push(cql_url(cql.address()));
            doors.open.push(Box::new(cql));
        }
        if let Some(address) = &options.http {
            let http =
                HttpServer::start(store, &watched.address(address.clone())).map_err(|error| error.to_string())?;
            doors.urls.push(http_url(http.address(), false));
            doors.open.push(Box::new(http));
        }
        Ok(doors)
    }

    /// The certificate of a door at `address`. A unix socket has none: nobody but its owner hears what is said there, and most clients
    /// could not speak TLS through one.
    fn tls_at(&self, address: &Address) -> Option<&Tls> {
        self.tls.as_ref().filter(|_| address.path().is_none())
    }

    /// Reads the certificate again, for connections that begin from now on. One that cannot be used changes nothing.
    pub(super) fn reload(&self) {
        let Some(tls) = &self.tls else { return };
        match tls.reload() {
            Ok(()) => tracing::info!(?tls, "the certificate was read again"),
            Err(error) => tracing::warn!(%error, "the certificate stays what it was"),
        }
    }
}

/// The certificate that the doors to the store have, if `options` give one.
fn certificate(options: &Options) -> Result<Option<Tls>, String> {
    let tls = match (&options.tls_cert, &options.tls_key, &options.tls_dev) {
        (None, None, None) => return Ok(None),
        (Some(certificate), Some(key), None) => Tls::from_files(certificate, key),
        (None, None, Some(directory)) => Tls::development(directory),
        (Some(_), None, None) => return Err("--tls-cert needs the key of the certificate: give --tls-key".to_owned()),
        (None, Some(_), None) => return Err("--tls-key needs the certificate of the key: give --tls-cert".to_owned()),
        (.., Some(_)) => {
            return Err("there are two certificates: give --tls-cert and --tls-key, or --tls-dev".to_owned());
        }
    };
    tls.map(Some).map_err(|error| error.to_string())
}

fn redis_url(address: &Address, is_encrypted: bool) -> String {
    match address.path() {
        Some(path) => format!("unix://{}", absolute(path)),
        None => format!("redis{}://{address}", if is_encrypted { "s" } else { "" }),
    }
}

fn mongo_url(address: &Address, is_encrypted: bool) -> String {
    match address.path() {
        // The path stands where otherwise the host does. Members of replica sets have a port, so that drivers cannot go on from one to
        // the other.
        Some(path) => format!("mongodb://{}/?directConnection=true", escaped(&absolute(path))),
        None => format!("mongodb://{address}{}", if is_encrypted { "/?tls=true" } else { "" }),
    }
}

/// Text as it may stand in a connection string.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

/// Drivers of Cassandra read no connection strings: they are given a host and a port.
fn cql_url(address: &Address) -> String {
    match address.path() {
        Some(path) => format!("cql+unix://{}", absolute(path)),
        None => format!("cql://{address}"),
    }
}

fn http_url(address: &Address, is_encrypted: bool) -> String {
    match address.path() {
        Some(_) => address.to_string(),
        None => format!("http{}://{address}", if is_encrypted { "s" } else { "" }),
    }
}

/// The path as it is from wherever a client runs.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn open_mongo(
    store: &Store,
    options: &Options,
    (address, tls): (Address, Option<&Tls>),
) -> Result<MongoServer, String> {
    let mut mongo = MongoOptions::default().address(address);
    if let Some(tls) = tls {
        mongo = mongo.tls(tls.clone());
    }
    for user in &options.users {
        refuse_blank(&user.name, &user.password)?;
        mongo = mongo.login(user.name.as_bytes(), user.password.as_bytes());
    }
    if let Some(password) = &options.password {
        refuse_blank("default", password)?;
        mongo = mongo.login("default", password.as_bytes());
    }
    if options.mongo_standalone {
        mongo = mongo.standalone();
    }
    if options.test_commands {
        mongo = mongo.enable_test_commands();
    }
    MongoServer::start(store, &mongo).map_err(|error| error.to_string())
}

fn open_dynamodb(
    store: &Store,
    options: &Options,
    (address, tls): (Address, Option<&Tls>),
) -> Result<DynamoDbServer, String> {
    let mut dynamodb = DynamoDbOptions::default().address(address);
    if let Some(tls) = tls {
        dynamodb = dynamodb.tls(tls.clone());
    }
    for user in &options.users {
        refuse_blank(&user.name, &user.password)?;
        dynamodb = dynamodb.key(user.name.as_bytes(), user.password.as_bytes());
    }
    if let Some(password) = &options.password {
        refuse_blank("default", password)?;
        dynamodb = dynamodb.key("default", password.as_bytes());
    }
    if let Some(name) = &options.dynamodb_dialect {
        let names: Vec<_> = DynamoDbOptions::dialects().collect();
        let unknown = || format!("{name:?} is no dialect: give one of {}", names.join(", "));
        dynamodb = dynamodb.dialect(name).ok_or_else(unknown)?;
    }
    if options.dynamodb_forks {
        dynamodb = dynamodb.fork_per_access_key();
    }
    if let Some(directory) = &options.dynamodb_exports {
        dynamodb = dynamodb.exports(directory);
    }
    DynamoDbServer::start(store, &dynamodb).map_err(|error| error.to_string())
}

fn open_cql(store: &Store, options: &Options, (address, tls): (Address, Option<&Tls>)) -> Result<CqlServer, String> {
    let mut cql = CqlOptions::default().address(address);
    if let Some(tls) = tls {
        cql = cql.tls(tls.clone());
    }
    for user in &options.users {
        refuse_blank(&user.name, &user.password)?;
        cql = cql.login(user.name.as_bytes(), user.password.as_bytes());
    }
    if let Some(password) = &options.password {
        refuse_blank("default", password)?;
        cql = cql.login("default", password.as_bytes());
    }
    CqlServer::start(store, &cql).map_err(|error| error.to_string())
}

fn open_redis(
    store: &Store,
    options: &Options,
    (address, tls): (Address, Option<&Tls>),
    asked: &Arc<Notify>,
) -> Result<RedisServer, String> {
    let asked = Arc::clone(asked);
    let mut redis = RedisOptions::default().address(address).on_shutdown(move || asked.notify_one());
    if let Some(tls) = tls {
        redis = redis.tls(tls.clone());
    }
    for user in &options.users {
        refuse_blank(&user.name, &user.password)?;
        redis = redis.login(user.name.as_bytes(), &user.password);
    }
    if let Some(password) = &options.password {
        refuse_blank("default", password)?;
        redis = redis.password(password.as_bytes());
    }
    if options.enable_debug_command {
        redis = redis.enable_debug_command();
    }
    RedisServer::start(store, &redis).map_err(|error| error.to_string())
}

/// Refuses a user without a password.
fn refuse_blank(name: &str, password: &str) -> Result<(), String> {
    if name.is_empty() || password.is_empty() {
        return Err(format!("a user needs a name and a password: one is empty for user {name:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_door_has_the_form_of_address_that_its_clients_read() {
        let (tcp, unix) = (Address::local(7), Address::unix("/a b/c.sock"));
        assert_eq!(redis_url(&tcp, false), "redis://127.0.0.1:7");
        assert_eq!(redis_url(&tcp, true), "rediss://127.0.0.1:7");
        assert_eq!(redis_url(&unix, false), "unix:///a b/c.sock");
        assert_eq!(mongo_url(&tcp, false), "mongodb://127.0.0.1:7");
        assert_eq!(mongo_url(&tcp, true), "mongodb://127.0.0.1:7/?tls=true");
        assert_eq!(mongo_url(&unix, false), "mongodb://%2Fa%20b%2Fc.sock/?directConnection=true");
        assert_eq!(
            (cql_url(&tcp), cql_url(&unix)),
            ("cql://127.0.0.1:7".to_owned(), "cql+unix:///a b/c.sock".to_owned())
        );
        assert_eq!(http_url(&tcp, false), "http://127.0.0.1:7");
        assert_eq!(http_url(&tcp, true), "https://127.0.0.1:7");
        assert_eq!(http_url(&unix, false), "unix:/a b/c.sock");
    }
}
