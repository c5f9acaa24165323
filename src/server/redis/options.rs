//! What a door for Redis clients is opened with.

use crate::server::address::{Address, ListenError};
use crate::server::options::{DoorOptions, Shutdown};
use crate::server::redis::acl::{Account, DEFAULT, Users, account, rules, users};

/// The version of Redis whose commands these are. Clients choose what to send by it.
pub(super) const REDIS_VERSION: &str = "7.2.4";

/// The keyspaces that are Redis's numbered databases.
pub(super) const DATABASES: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// How a [`RedisServer`](super::RedisServer) is opened.
///
/// # Examples
/// ```
/// use larder::server::redis::RedisOptions;
/// let options = RedisOptions::default().password("secret");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a server is started with them"]
pub struct RedisOptions {
    pub(super) door: DoorOptions,
    pub(super) password: Option<Vec<u8>>,
    users: Vec<(Vec<u8>, Account)>,
    pub(super) allows_debug: bool,
}

impl RedisOptions {
    /// Where to listen; any free port of 127.0.0.1 unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Address, redis::RedisOptions};
    /// let options = RedisOptions::default().address(Address::local(6379));
    /// ```
    pub fn address(mut self, address: Address) -> Self {
        self.door.address = address;
        self
    }

    /// Has clients speak TLS with this certificate; nobody is let in without.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Tls, redis::RedisOptions};
    /// let options = RedisOptions::default().tls(Tls::self_signed()?);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: crate::server::tls::Tls) -> Self {
        self.door.tls = Some(tls);
        self
    }

    /// Password of the user `default`, which every client is until it authenticates. No password unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let options = RedisOptions::default().password("secret");
    /// ```
    pub fn password(mut self, password: impl Into<Vec<u8>>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Adds a user who may do everything, with a password. Unless the user `default` is given a password or rules as
    /// well, nobody may then do anything without a name.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let options = RedisOptions::default().login("ann", "secret");
    /// ```
    pub fn login(mut self, name: impl Into<Vec<u8>>, password: impl AsRef<[u8]>) -> Self {
        let name = name.into();
        self.users.retain(|(other, _)| *other != name);
        self.users.push((name.clone(), account::all_with_password(password.as_ref())));
        self.door.login(name, password.as_ref());
        self
    }

    /// Adds a user with these rules, as `ACL SETUSER` takes them; the same user again has these rules on top.
    ///
    /// # Errors
    /// [`UserError`] when one of them is no rule.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let options = RedisOptions::default().user("reader", "on >secret ~news:* +@read")?;
    /// assert!(options.user("writer", "+nosuchcommand").is_err());
    /// # Ok::<(), larder::server::redis::UserError>(())
    /// ```
    ///
    /// # Source
    /// Redis documentation of access control lists.
    pub fn user(mut self, name: impl Into<Vec<u8>>, rules: &str) -> Result<Self, UserError> {
        let name = name.into();
        let at = self.users.iter().position(|(other, _)| *other == name);
        let otherwise = || if name == DEFAULT { account::all() } else { account::none() };
        let mut account = at.map_or_else(otherwise, |at| self.users.remove(at).1);
        let words: Vec<_> = rules.split_ascii_whitespace().map(str::as_bytes).collect();
        rules::apply(&mut account, &words).map_err(|problem| UserError(problem.to_string()))?;
        self.users.push((name, account));
        Ok(self)
    }

    /// The users, `default` too.
    pub(super) fn users(&self) -> Users {
        let users = users(self.password.as_deref(), &self.users);
        let has_default = self.password.is_some() || self.users.iter().any(|(name, _)| name == DEFAULT);
        if !self.door.logins.is_empty() && !has_default {
            users.set(DEFAULT, Account { is_on: false, has_no_password: false, ..account::all() });
        }
        users
    }

    /// What random members and keys are drawn with: the same for the same seed and the same requests.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let options = RedisOptions::default().seed(7);
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.door.seed = Some(seed);
        self
    }

    /// Lets clients use `DEBUG`, which can hold up the door and fill the store. Refused unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let options = RedisOptions::default().enable_debug_command();
    /// ```
    ///
    /// # Source
    /// Redis configuration file, `enable-debug-command`.
    pub fn enable_debug_command(mut self) -> Self {
        self.allows_debug = true;
        self
    }

    /// What `SHUTDOWN` calls, on the door's thread: it has to return at once, and have the program close the door.
    /// Unless set, `SHUTDOWN` is refused, for a program that opens a door is not a server that clients may end.
    ///
    /// # Examples
    /// ```
    /// use larder::server::redis::RedisOptions;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let options = RedisOptions::default().on_shutdown(move || sender.send(()).unwrap());
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SHUTDOWN`.
    pub fn on_shutdown(mut self, end: impl Fn() + Send + Sync + 'static) -> Self {
        self.door.shutdown = Some(Shutdown::new(end));
        self
    }

    /// Whether clients speak TLS.
    #[cfg(feature = "tls")]
    pub(super) fn is_encrypted(&self) -> bool {
        self.door.tls.is_some()
    }

    /// Whether clients speak TLS.
    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "with the feature there is something to look at")]
    pub(super) fn is_encrypted(&self) -> bool {
        false
    }

    /// Refuses users that anybody could be, and an address that others can reach while a client needs no password.
    pub(super) fn check(&self) -> Result<(), ListenError> {
        if self.password.as_ref().is_some_and(Vec::is_empty) {
            return Err(ListenError::BlankUser { name: String::from_utf8_lossy(DEFAULT).into_owned() });
        }
        self.door.check(self.users().default_user().is_open())
    }
}

/// An access rule that does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UserError(String);
