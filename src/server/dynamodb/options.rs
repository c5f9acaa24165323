//! What a door for `DynamoDB` clients is opened with.

use crate::item::Lifecycle;
use crate::server::address::{Address, ListenError};
use crate::server::dynamodb::dialect::Dialect;
use crate::server::options::DoorOptions;
use crate::server::password::{Credentials, Secret};
#[cfg(feature = "tls")]
use crate::server::tls::Tls;
use crate::server::users::{Account, Everything, Users};

/// Threads that have connections.
const THREADS: usize = 2;
const THREADS_MAX: usize = 4;
const ACCOUNT: &str = "000000000000";

/// How a [`DynamoDbServer`](super::DynamoDbServer) is opened.
///
/// # Examples
/// ```
/// use larder::server::dynamodb::DynamoDbOptions;
/// let options = DynamoDbOptions::default().key("AKIDEXAMPLE", "secret");
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a server is started with them"]
pub struct DynamoDbOptions {
    pub(super) door: DoorOptions,
    pub(super) dialect: Dialect,
    pub(super) account: String,
    pub(super) has_forks: bool,
    pub(super) exports: Option<std::path::PathBuf>,
    pub(super) lifecycle: Lifecycle,
    pub(super) threads: usize,
}

impl Default for DynamoDbOptions {
    fn default() -> Self {
        Self {
            door: DoorOptions::default(),
            dialect: Dialect::default(),
            account: ACCOUNT.to_owned(),
            has_forks: false,
            exports: None,
            lifecycle: Lifecycle::default(),
            threads: THREADS,
        }
    }
}

impl DynamoDbOptions {
    /// Sets where to listen; any free port of 127.0.0.1 unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Address, dynamodb::DynamoDbOptions};
    /// let options = DynamoDbOptions::default().address(Address::local(8000));
    /// ```
    pub fn address(mut self, address: Address) -> Self {
        self.door.address = address;
        self
    }

    /// Adds an access key, with the secret that requests are to be signed with. Unless there is one, any signature will
    /// do, and the door listens only where nobody else can come.
    ///
    /// # Examples
    /// See [`DynamoDbOptions`].
    pub fn key(mut self, access_key: impl Into<Vec<u8>>, secret: impl Into<Vec<u8>>) -> Self {
        self.door.login(access_key, secret);
        self
    }

    /// Serves HTTPS, and nothing else.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Tls, dynamodb::DynamoDbOptions};
    /// let options = DynamoDbOptions::default().tls(Tls::self_signed()?);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.door.tls = Some(tls);
        self
    }

    /// What the names of requests are drawn with: the same for the same seed and the same requests.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// let options = DynamoDbOptions::default().seed(7);
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.door.seed = Some(seed);
        self
    }

    /// How errors are worded: `newest`, which they are unless set; `2026-05`; or `region`, as the region words them that
    /// the client signs for. `None` if there is no such dialect; [`DynamoDbOptions::dialects`] are those there are.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// assert!(DynamoDbOptions::default().dialect("2026-05").is_some());
    /// assert!(DynamoDbOptions::default().dialect("1999").is_none());
    /// ```
    #[must_use]
    pub fn dialect(mut self, name: &str) -> Option<Self> {
        self.dialect = Dialect::named(name)?;
        Some(self)
    }

    /// Where the buckets are that tables are exported into and imported from: folders below `directory`. Without it, both
    /// are refused.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// let options = DynamoDbOptions::default().exports("/srv/buckets");
    /// ```
    pub fn exports(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.exports = Some(directory.into());
        self
    }

    /// Has making, changing and removing a table take as long as `lifecycle` says by the store's clock, as it does with the
    /// service. Unless set, the first `DescribeTable` says `ACTIVE`, so that no client has to wait.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use larder::{item::Lifecycle, server::dynamodb::DynamoDbOptions};
    /// let options = DynamoDbOptions::default().lifecycle(Lifecycle::of(Duration::from_secs(5)));
    /// ```
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// The names of the dialects.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// assert!(DynamoDbOptions::dialects().any(|name| name == "newest"));
    /// ```
    pub fn dialects() -> impl Iterator<Item = &'static str> {
        Dialect::names()
    }

    /// The account whose tables are served, twelve digits; `000000000000` unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// let options = DynamoDbOptions::default().account("111122223333");
    /// ```
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Has each access key work on a fork of the store of its own, made when it is first used: tests with different
    /// access keys run side by side, each on the data that the store was given before. The store itself does not change.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// let options = DynamoDbOptions::default().fork_per_access_key();
    /// ```
    pub fn fork_per_access_key(mut self) -> Self {
        self.has_forks = true;
        self
    }

    /// How many threads have the connections, from 1 to 4; 2 unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::dynamodb::DynamoDbOptions;
    /// let options = DynamoDbOptions::default().threads(4);
    /// ```
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, THREADS_MAX);
        self
    }

    /// The access keys as users, of whom `default` is every client where there are none.
    pub(super) fn users(&self) -> Users<Everything> {
        let users = Users::new(Account { is_on: self.door.logins.is_empty(), ..Account::open(Everything) });
        for login in &self.door.logins {
            let secret = Some(Secret::new(login.password.clone()));
            users.set(&login.name, Account::with(Credentials { secret, ..Credentials::default() }, Everything));
        }
        users
    }

    /// Refuses keys that anybody could have, and an address that others reach while there are none.
    pub(super) fn check(&self) -> Result<(), ListenError> {
        self.door.check(self.door.logins.is_empty())
    }
}
