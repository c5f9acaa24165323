//! The doors: what `serve` asks of each, and which of them it opens.

use std::sync::Arc;

use larder::Store;
use larder::server::Address;
use larder::server::http::{HttpOptions, HttpServer};
use larder::server::mongo::{MongoOptions, MongoServer};
use larder::server::redis::{RedisOptions, RedisServer};
use tokio::sync::Notify;

use super::options::Options;

/// The port of the Redis door unless another is given.
const REDIS_PORT: u16 = 6379;

/// A door that is open. Dropping it closes it.
pub(super) trait Door {
    /// What a client is given to connect.
    fn url(&self) -> String;
}

impl Door for RedisServer {
    fn url(&self) -> String {
        format!("redis://{}", self.address())
    }
}

impl Door for HttpServer {
    fn url(&self) -> String {
        match self.address().socket_addr() {
            Some(address) => format!("http://{address}"),
            None => self.address().to_string(),
        }
    }
}

impl Door for MongoServer {
    fn url(&self) -> String {
        match self.address().socket_addr() {
            Some(address) => format!("mongodb://{address}"),
            None => self.address().to_string(),
        }
    }
}

/// Opens the doors that `options` ask for; that for Redis clients if they ask for none. Clients may ask for the end, which `asked`
/// then learns.
pub(super) fn open(store: &Store, options: &Options, asked: &Arc<Notify>) -> Result<Vec<Box<dyn Door>>, String> {
    let mut doors: Vec<Box<dyn Door>> = Vec::new();
    let mut watched = HttpOptions::default();
    if options.redis.is_some() || options.mongo.is_none() {
        let redis = redis(store, options, asked)?;
        watched = watched.watch(redis.meters());
        doors.push(Box::new(redis));
    }
    if let Some(address) = &options.mongo {
        let mongo = mongo(store, options, address)?;
        watched = watched.watch(mongo.meters());
        doors.push(Box::new(mongo));
    }
    if let Some(address) = &options.http {
        let http = HttpServer::start(store, &watched.address(address.clone())).map_err(|error| error.to_string())?;
        doors.push(Box::new(http));
    }
    Ok(doors)
}

fn mongo(store: &Store, options: &Options, address: &Address) -> Result<MongoServer, String> {
    let mut mongo = MongoOptions::default().address(address.clone());
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

fn redis(store: &Store, options: &Options, asked: &Arc<Notify>) -> Result<RedisServer, String> {
    let address = options.redis.clone().unwrap_or_else(|| Address::local(REDIS_PORT));
    let asked = Arc::clone(asked);
    let mut redis = RedisOptions::default().address(address).on_shutdown(move || asked.notify_one());
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
