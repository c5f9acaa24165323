//! What a door for CQL clients is opened with.

use std::collections::BTreeSet;

use crate::server::address::{Address, ListenError};
use crate::server::options::DoorOptions;
use crate::server::password::Credentials;
#[cfg(feature = "tls")]
use crate::server::tls::Tls;
use crate::server::users::{Account, Everything, Users};

/// How a [`CqlServer`](super::CqlServer) is opened.
///
/// # Examples
/// ```
/// use larder::server::cql::CqlOptions;
/// let options = CqlOptions::default().login("ann", "secret");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a server is started with them"]
pub struct CqlOptions {
    pub(super) door: DoorOptions,
}

impl CqlOptions {
    /// Where to listen; any free port of 127.0.0.1 unless set.
    ///
    /// # Examples
    /// ```
    /// use larder::server::{Address, cql::CqlOptions};
    /// let options = CqlOptions::default().address(Address::local(9042));
    /// ```
    pub fn address(mut self, address: Address) -> Self {
        self.door.address = address;
        self
    }

    /// Adds a user who may do everything. Unless there is one, nobody is asked for a password, and the door listens only where
    /// nobody else can come.
    ///
    /// A user is a role with `SUPERUSER` and `LOGIN` that is there from the start, as `cassandra` is in Cassandra; statements can grant to
    /// it, and neither alter nor drop it. Other roles are made by statements (`CREATE ROLE`), and those that may log in do so at any
    /// door of the store that has a user.
    ///
    /// # Examples
    /// ```
    /// use larder::server::cql::CqlOptions;
    /// let options = CqlOptions::default().login("ann", "secret");
    /// ```
    ///
    /// # Source
    /// Cassandra's documentation, `PasswordAuthenticator`.
    pub fn login(mut self, name: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        self.door.login(name, password);
        self
    }

    /// Has clients speak TLS; nobody is let in without.
    ///
    /// # Examples
    /// ```no_run
    /// use larder::server::{Tls, cql::CqlOptions};
    /// let options = CqlOptions::default().tls(Tls::from_files("server.pem", "server.key")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.door.tls = Some(tls);
        self
    }

    /// The names of the users: roles that are there from the start and may do everything.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.door.logins.iter().map(|login| String::from_utf8_lossy(&login.name).into_owned()).collect()
    }

    /// The users, of whom `default` is every client until it logs in.
    ///
    /// # Errors
    /// [`ListenError`] for a user that anybody could be, and an address that others reach while there is none.
    pub(super) fn users(&self) -> Result<Users<Everything>, ListenError> {
        self.door.check(self.door.logins.is_empty())?;
        let users = Users::new(Account { is_on: self.door.logins.is_empty(), ..Account::open(Everything) });
        for login in &self.door.logins {
            users.set(&login.name, Account::with(Credentials::of(&login.password), Everything));
        }
        Ok(users)
    }
}
