//! Users of a door, by name: what is kept of their passwords, and what each may do, `R`, which is the door's own.
//!
//! # How it works
//! A connection has a user, and so sees what becomes of it. The user of a client that has not named one is `default`, which can be
//! changed and not removed. All threads of a door share the table.
//!
//! # Invariants
//! 1. How long it takes to refuse a password tells neither how much of it was right, nor whether there is such a user.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};

use crate::server::password::{Credentials, PasswordHash};

/// The user of a client that has not named one.
pub(crate) const DEFAULT: &[u8] = b"default";

/// What a door lets a user do.
pub(crate) trait Rights {
    /// Whether no request has to be looked at.
    fn are_all(&self) -> bool;
}

/// How a user logs in, and may do then.
#[derive(Clone, Debug)]
pub(crate) struct Account<R> {
    /// Whether anybody may be this user.
    pub(crate) is_on: bool,
    /// Whether no password is asked for.
    pub(crate) has_no_password: bool,
    pub(crate) credentials: Credentials,
    pub(crate) rights: R,
}

impl<R> Account<R> {
    /// Of somebody with a password.
    pub(crate) fn with(credentials: Credentials, rights: R) -> Self {
        Self { is_on: true, has_no_password: false, credentials, rights }
    }

    /// Of whoever comes.
    pub(crate) fn open(rights: R) -> Self {
        Self { is_on: true, has_no_password: true, credentials: Credentials::default(), rights }
    }
}

/// A user. Sessions share it, and so see its changes.
#[derive(Debug)]
pub(crate) struct User<R> {
    pub(crate) name: Vec<u8>,
    account: RwLock<Account<R>>,
    is_unrestricted: AtomicBool,
}

impl<R: Rights> User<R> {
    fn new(name: &[u8], account: Account<R>) -> Self {
        let is_unrestricted = AtomicBool::new(account.rights.are_all());
        Self { name: name.to_vec(), account: RwLock::new(account), is_unrestricted }
    }

    /// Whether every request is allowed. Costs a load.
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.is_unrestricted.load(Ordering::Relaxed)
    }

    /// How this user logs in and may do. Nothing of the user can be set until the guard is dropped.
    pub(crate) fn account(&self) -> RwLockReadGuard<'_, Account<R>> {
        self.account.read()
    }

    pub(crate) fn set(&self, account: Account<R>) {
        let mut kept = self.account.write();
        self.is_unrestricted.store(account.rights.are_all(), Ordering::Relaxed);
        *kept = account;
    }

    /// Whether a client may be this user without being asked.
    pub(crate) fn is_open(&self) -> bool {
        let account = self.account();
        account.is_on && account.has_no_password
    }

    /// Whether a client with this password may be this user.
    fn admits(&self, password: &[u8]) -> bool {
        let account = self.account();
        // Looked at whatever else is true, so that the time tells nothing of it.
        let has_password = account.credentials.admit(password);
        account.is_on && (account.has_no_password || has_password)
    }
}

/// Every user of a door.
#[derive(Debug)]
pub(crate) struct Users<R> {
    by_name: RwLock<BTreeMap<Vec<u8>, Arc<User<R>>>>,
    default: Arc<User<R>>,
    /// Stands in for users that there are none of.
    nobody: User<R>,
}

impl<R: Rights + Default> Users<R> {
    /// The user `default` with this account, and nobody else.
    pub(crate) fn new(default: Account<R>) -> Self {
        let default = Arc::new(User::new(DEFAULT, default));
        let by_name = BTreeMap::from([(DEFAULT.to_vec(), Arc::clone(&default))]);
        // A hash that is of no password that anybody knows.
        let credentials = Credentials { hashes: vec![PasswordHash::default()], ..Credentials::default() };
        let nobody = User::new(&[], Account { is_on: false, ..Account::with(credentials, R::default()) });
        Self { by_name: RwLock::new(by_name), default, nobody }
    }

    /// The user of a new connection.
    pub(crate) fn default_user(&self) -> Arc<User<R>> {
        Arc::clone(&self.default)
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<Arc<User<R>>> {
        self.by_name.read().get(name).cloned()
    }

    /// The user of this name, if a client with this password may be it.
    pub(crate) fn admit(&self, name: &[u8], password: &[u8]) -> Option<Arc<User<R>>> {
        let Some(user) = self.get(name) else {
            // Asked as a user is who has a password that nobody knows.
            std::hint::black_box(self.nobody.admits(password));
            return None;
        };
        user.admits(password).then_some(user)
    }

    /// All, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<User<R>>> {
        self.by_name.read().values().cloned().collect()
    }

    /// Gives a user this account, or makes one with it.
    pub(crate) fn set(&self, name: &[u8], account: Account<R>) {
        let mut by_name = self.by_name.write();
        match by_name.get(name) {
            Some(user) => user.set(account),
            None => drop(by_name.insert(name.to_vec(), Arc::new(User::new(name, account)))),
        }
    }

    /// Removes a user, and returns whether there was one; never `default`.
    pub(crate) fn remove(&self, name: &[u8]) -> bool {
        name != DEFAULT && self.by_name.write().remove(name).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.read().len()
    }
}

/// Rights of doors that know none: a user may do everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Everything;

impl Rights for Everything {
    fn are_all(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default)]
    struct MayWrite(bool);

    impl Rights for MayWrite {
        fn are_all(&self) -> bool {
            self.0
        }
    }

    #[test]
    fn a_user_is_admitted_by_password_while_it_is_on() {
        let users = Users::new(Account::open(MayWrite(true)));
        assert!(users.default_user().is_open() && users.admit(DEFAULT, b"anything").is_some());
        users.set(b"ann", Account::with(Credentials::of(b"secret"), MayWrite(false)));
        assert!(users.admit(b"ann", b"secret").is_some());
        assert!(users.admit(b"ann", b"wrong").is_none() && users.admit(b"bob", b"secret").is_none());
        let account = users.get(b"ann").unwrap().account().clone();
        users.set(b"ann", Account { is_on: false, ..account });
        assert!(users.admit(b"ann", b"secret").is_none());
    }

    #[test]
    fn a_session_sees_what_becomes_of_its_user() {
        let users = Users::new(Account::open(MayWrite(true)));
        let session = users.default_user();
        assert!(session.is_unrestricted());
        users.set(DEFAULT, Account::with(Credentials::of(b"secret"), MayWrite(false)));
        assert!(!session.is_unrestricted() && !session.is_open());
        assert!(!users.remove(DEFAULT) && !users.remove(b"ann"));
        users.set(b"ann", Account::open(MayWrite(true)));
        assert_eq!((users.len(), users.all().len()), (2, 2));
        assert!(users.remove(b"ann") && users.get(b"ann").is_none());
    }
}
