//! What every door is opened with. Each door has these within its own options.

use std::fmt;
use std::sync::Arc;

use crate::server::address::{Address, ListenError};
#[cfg(feature = "tls")]
use crate::server::tls::Tls;

/// What every door is opened with.
#[derive(Clone, Debug)]
pub(crate) struct DoorOptions {
    pub(crate) address: Address,
    pub(crate) logins: Vec<Login>,
    /// What is drawn is the same for the same seed and the same requests.
    pub(crate) seed: Option<u64>,
    /// Clients speak TLS; nobody is let in without.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
    /// How clients end the program; unless set, they may not.
    pub(crate) shutdown: Option<Shutdown>,
}

impl Default for DoorOptions {
    fn default() -> Self {
        Self {
            address: Address::local(0),
            logins: Vec::new(),
            seed: None,
            #[cfg(feature = "tls")]
            tls: None,
            shutdown: None,
        }
    }
}

/// Somebody whom a door admits. Doors that know rights give this user all of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("name", &String::from_utf8_lossy(&self.name)).finish_non_exhaustive()
    }
}

impl DoorOptions {
    /// Adds a user, or gives the one of this name another password.
    pub(crate) fn login(&mut self, name: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) {
        let login = Login { name: name.into(), password: password.into() };
        self.logins.retain(|other| other.name != login.name);
        self.logins.push(login);
    }

    /// Refuses users that anybody could be, and an address that others reach while `is_open`: while clients need no password.
    ///
    /// # Errors
    /// [`ListenError::BlankUser`] and [`ListenError::Open`].
    pub(crate) fn check(&self, is_open: bool) -> Result<(), ListenError> {
        if let Some(blank) = self.logins.iter().find(|login| login.name.is_empty() || login.password.is_empty()) {
            return Err(ListenError::BlankUser { name: String::from_utf8_lossy(&blank.name).into_owned() });
        }
        if is_open && !self.address.is_loopback() {
            return Err(ListenError::Open { address: self.address.clone() });
        }
        Ok(())
    }

    /// The seed, or one that differs from run to run.
    pub(crate) fn seed_or_random(&self) -> u64 {
        // The seeds of the standard library's hash maps are random.
        self.seed.unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0))
    }
}

/// How a client ends the program that opened the door.
#[derive(Clone)]
pub(crate) struct Shutdown(Arc<dyn Fn() + Send + Sync>);

impl Shutdown {
    pub(crate) fn new(end: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(end))
    }

    /// Asks the program to end. Returns at once.
    pub(crate) fn call(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shutdown")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_others_needs_a_password_and_a_user_has_one() {
        let mut options = DoorOptions { address: "0.0.0.0:0".parse().unwrap(), ..DoorOptions::default() };
        assert_eq!(options.check(true), Err(ListenError::Open { address: options.address.clone() }));
        assert_eq!(options.check(false), Ok(()));
        options.login("ann", "secret");
        options.login("ann", "");
        assert_eq!(options.check(false), Err(ListenError::BlankUser { name: "ann".to_owned() }));
        assert_eq!(options.logins.len(), 1);
        assert!(!format!("{:?}", Login { name: "a".into(), password: "xyzzy".into() }).contains("xyzzy"));
    }

    #[test]
    fn a_seed_is_kept_and_otherwise_drawn() {
        let options = DoorOptions { seed: Some(7), ..DoorOptions::default() };
        assert_eq!(options.seed_or_random(), 7);
        let draw = || DoorOptions::default().seed_or_random();
        assert_ne!(draw(), draw());
    }
}
