//! What a door for MongoDB clients is opened with.

use crate::server::address::{Address, ListenError};
use crate::server::options::DoorOptions;
use crate::server::password::Credentials;
use crate::server::scram::ScramKeys;
#[cfg(feature = "tls")]
use crate::server::tls::Tls;
use crate::server::users::{Account, Everything, Users};

/// Iterations of the keys that are made for users, as many as servers make.
const SCRAM_ITERATIONS: u32 = 15_000;

/// How a [`MongoServer`](super::MongoServer) is opened.
///
/// # Examples
/// ```
/// use larder::server::mongo::MongoOptions;
/// let options = MongoOptions::default().login("ann", "secret");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a server is started with them"]
pub struct MongoOptions {
    pub(super) door: DoorOptions,
    pub(super) is_standalone: bool,
    pub(super) is_for_tests: bool,
}

impl MongoOptions {
    /// Where to listen; any free port of 127.0.0.1 unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Address, mongo::MongoOptions};
    /// let options = MongoOptions::default().address(Address::local(27017));
    /// ```
    pub fn address(mut self, address: Address) -> Self {
        self.door.address = address;
        self
    }

    /// Adds a user who may do everything. Unless there is one, nobody is asked for a password, and the door listens only where
    /// nobody else can come.
    ///
    /// # Examples
    /// ```
    /// use larder::server::mongo::MongoOptions;
    /// let options = MongoOptions::default().login("ann", "secret");
    /// ```
    pub fn login(mut self, name: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        self.door.login(name, password);
        self
    }

    /// Has clients speak TLS; nobody is let in without.
    ///
    /// # Examples
    /// ```no_run
    /// use larder::server::{Tls, mongo::MongoOptions};
    /// let options = MongoOptions::default().tls(Tls::from_files("server.pem", "server.key")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.door.tls = Some(tls);
        self
    }

    /// What identifiers of cursors are drawn with: the same for the same seed and the same requests.
    ///
    /// # Examples
    /// ```
    /// use larder::server::mongo::MongoOptions;
    /// let options = MongoOptions::default().seed(7);
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.door.seed = Some(seed);
        self
    }

    /// Has the door show itself as a server that stands alone. Unless set it is a replica set of one member, which drivers ask for before
    /// they offer sessions, retryable writes and transactions.
    ///
    /// # Examples
    /// ```
    /// use larder::server::mongo::MongoOptions;
    /// let options = MongoOptions::default().standalone();
    /// ```
    pub fn standalone(mut self) -> Self {
        self.is_standalone = true;
        self
    }

    /// Offers the commands that make others fail, such as `configureFailPoint`. Refused unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::mongo::MongoOptions;
    /// let options = MongoOptions::default().enable_test_commands();
    /// ```
    ///
    /// # Source
    /// MongoDB manual, the parameter `enableTestCommands`.
    #[doc(alias = "enableTestCommands")]
    pub fn enable_test_commands(mut self) -> Self {
        self.is_for_tests = true;
        self
    }

    /// The users, of whom `default` is every client until it logs in.
    ///
    /// # Errors
    /// [`ListenError::BlankUser`] for a name or password that is empty or that SCRAM cannot have.
    pub(super) fn users(&self) -> Result<Users<Everything>, ListenError> {
        let anybody = Account::open(Everything);
        let is_on = self.door.logins.is_empty();
        let users = Users::new(Account { is_on, ..anybody });
        // A login named `default` is a user like others here, whom clients have to name.
        for login in &self.door.logins {
            let keys = ScramKeys::new(&login.password, SCRAM_ITERATIONS);
            let blank = |_| ListenError::BlankUser { name: String::from_utf8_lossy(&login.name).into_owned() };
            let credentials = Credentials { scram: Some(keys.map_err(blank)?), ..Credentials::default() };
            users.set(&login.name, Account::with(credentials, Everything));
        }
        Ok(users)
    }
}
