//! The options of `serve`, on the command line and in a file.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use larder::engine::Durability;
use larder::kv::EvictionPolicy;
use larder::server::Address;
use serde::Deserialize;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::config::parsed;

/// An option that was not given is `None`, so that the file can supply it.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
#[derive(Args, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Options {
    /// Opens the door for Redis clients: at 127.0.0.1:6379, or at HOST:PORT, :PORT or PORT, or at a unix socket, unix:PATH; port 0 is
    /// any that is free. It is also open when no door to the store is asked for.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "6379")]
    #[serde(deserialize_with = "parsed")]
    pub(super) redis: Option<Address>,
    /// Opens the door for MongoDB clients: at 127.0.0.1:27017, or at HOST:PORT, :PORT or PORT, or at a unix socket, unix:PATH, which
    /// drivers want to end in .sock; port 0 is any that is free.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "27017")]
    #[serde(deserialize_with = "parsed")]
    pub(super) mongo: Option<Address>,
    /// Opens the door for DynamoDB clients: at 127.0.0.1:8000, or at HOST:PORT, :PORT or PORT, or at a unix socket, unix:PATH; port
    /// 0 is any that is free. Users are access keys here, and their passwords the secrets that requests are signed with.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "8000")]
    #[serde(deserialize_with = "parsed")]
    pub(super) dynamodb: Option<Address>,
    /// How the door for DynamoDB clients words errors: newest (the default), 2026-05, or region, as the region does that a client
    /// signs for.
    #[arg(long, value_name = "NAME")]
    pub(super) dynamodb_dialect: Option<String>,
    /// Has each access key of DynamoDB clients work on a fork of the store of its own; for tests that run side by side.
    #[arg(long)]
    pub(super) dynamodb_forks: bool,
    /// The directory of the buckets that DynamoDB clients export tables into and import them from: a folder below it is a bucket.
    #[arg(long, value_name = "DIR")]
    pub(super) dynamodb_exports: Option<std::path::PathBuf>,
    /// Opens the door for CQL clients: at 127.0.0.1:9042, or at HOST:PORT, :PORT or PORT, or at a unix socket, unix:PATH; port 0 is any
    /// that is free.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "9042")]
    #[serde(deserialize_with = "parsed")]
    pub(super) cql: Option<Address>,
    /// Has the door for MongoDB clients show itself as a server that stands alone, not as a replica set of one member.
    #[arg(long)]
    pub(super) mongo_standalone: bool,
    /// Lets MongoDB clients have commands fail on purpose, by configureFailPoint; for tests.
    #[arg(long)]
    pub(super) test_commands: bool,
    /// Opens a door for those who watch the server, over HTTP: /health and /metrics, at 127.0.0.1:9464 unless another
    /// address is given. It shows counts, to whoever reaches it.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "9464")]
    #[serde(deserialize_with = "parsed")]
    pub(super) http: Option<Address>,
    /// Has clients of the doors to the store speak TLS, with the certificate in this file of PEM and those that vouch for it; it is
    /// read again on SIGHUP. Clients of unix sockets speak none.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The file of PEM with the key of the certificate of --tls-cert.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,
    /// The same with a certificate for development, for localhost only. It is made in this directory, or the one that the program runs
    /// in, if it is not there: larder-dev-cert.pem, which clients are given to trust, and larder-dev-key.pem.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    pub(super) tls_dev: Option<PathBuf>,
    /// Keeps the store in this directory, made if it is not there; without it, the store is in memory and lost at the end.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// What is done before a write is acknowledged: sync (the default), interval:MILLISECONDS between syncs, or none.
    #[arg(long, value_name = "LEVEL")]
    #[serde(deserialize_with = "parsed")]
    pub(super) durability: Option<Level>,
    /// The memory that data may take, in bytes or with kb, mb or gb; 0 (the default) means no limit. What is counted
    /// are the bytes of all keys and values.
    #[arg(long, value_name = "BYTES")]
    #[serde(deserialize_with = "parsed")]
    pub(super) maxmemory: Option<Bytes>,
    /// What gives way at the limit of memory, by Redis's names; noeviction (the default) refuses to write.
    #[arg(long, value_name = "NAME")]
    #[serde(deserialize_with = "parsed")]
    pub(super) maxmemory_policy: Option<Policy>,
    /// What is logged to standard error: off, error, warn (the default), info, debug or trace, or levels by module, as in
    /// warn,larder=debug.
    #[arg(long, value_name = "LEVEL|FILTER")]
    #[serde(deserialize_with = "parsed")]
    pub(super) log: Option<Filter>,
    /// The password of the user "default". An address that others than this machine can reach needs one, or users.
    #[arg(long, value_name = "TEXT", env = "LARDER_PASSWORD", hide_env_values = true)]
    pub(super) password: Option<String>,
    /// Lets clients use DEBUG, which can hold up all others; for tests.
    #[arg(long)]
    pub(super) enable_debug_command: bool,
    /// Whom the doors admit.
    #[arg(skip)]
    pub(super) users: Vec<User>,
}

impl Options {
    /// These, and those of `other` where these say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            redis: self.redis.or(other.redis),
            mongo: self.mongo.or(other.mongo),
            dynamodb: self.dynamodb.or(other.dynamodb),
            dynamodb_dialect: self.dynamodb_dialect.or(other.dynamodb_dialect),
            dynamodb_forks: self.dynamodb_forks || other.dynamodb_forks,
            dynamodb_exports: self.dynamodb_exports.or(other.dynamodb_exports),
            cql: self.cql.or(other.cql),
            mongo_standalone: self.mongo_standalone || other.mongo_standalone,
            test_commands: self.test_commands || other.test_commands,
            http: self.http.or(other.http),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            tls_dev: self.tls_dev.or(other.tls_dev),
            data: self.data.or(other.data),
            durability: self.durability.or(other.durability),
            maxmemory: self.maxmemory.or(other.maxmemory),
            maxmemory_policy: self.maxmemory_policy.or(other.maxmemory_policy),
            log: self.log.or(other.log),
            password: self.password.or(other.password),
            enable_debug_command: self.enable_debug_command || other.enable_debug_command,
            // The command line has none.
            users: other.users,
        }
    }
}

/// A user that the doors admit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
}

/// A [`Durability`] as it is written.
#[derive(Clone, Copy)]
pub(super) struct Level(pub(super) Durability);

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = match text.split_once(':') {
            None if text == "sync" => Durability::Sync,
            None if text == "none" => Durability::None,
            Some(("interval", millis)) => {
                let millis = millis.parse().map_err(|_| format!("{millis:?} is no number of milliseconds"))?;
                Durability::Interval(Duration::from_millis(millis))
            }
            _ => return Err(format!("{text:?} is no durability: give sync, interval:MILLISECONDS or none")),
        };
        Ok(Self(level))
    }
}

/// An [`EvictionPolicy`] by its name.
#[derive(Clone, Copy)]
pub(super) struct Policy(pub(super) EvictionPolicy);

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: larder::Error| error.to_string())
    }
}

/// A number of bytes, with a unit of Redis's if one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let units = [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];
        let found = units.into_iter().find_map(|(name, unit)| lower.strip_suffix(name).map(|number| (number, unit)));
        let (number, unit) = found.unwrap_or((&lower, 1));
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        bytes
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no number of bytes: give one as 1048576, 1024kb, 1mb or 1gb"))
    }
}

/// What is logged.
#[derive(Clone)]
pub(super) struct Filter(pub(super) Targets);

impl Default for Filter {
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::WARN))
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A word that is not a level would be taken for a module, and nothing be logged.
        let is_whole = text.split(',').all(|part| part.contains('=') || part.parse::<LevelFilter>().is_ok());
        let targets = if is_whole && !text.is_empty() { text.parse().ok() } else { None };
        targets.map(Self).ok_or_else(|| {
            format!("{text:?} is no filter: give off, error, warn, info, debug or trace, or MODULE=LEVEL, with commas")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_units_of_redis() {
        for (text, bytes) in [("0", 0), ("100", 100), ("2kb", 2048), ("3MB", 3 << 20), ("1gb", 1 << 30)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "kb", "-1", "1.5mb", "1tb", "99999999999gb"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_no_filter() {
        assert!("warn,larder=debug".parse::<Filter>().is_ok() && "off".parse::<Filter>().is_ok());
        for text in ["", "loud", "larder", "larder=loud", "warn,loud"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }
}
