//! Users, and what each of them may do.
//!
//! # How it works
//! A session has a user. One that may do everything, as `default` may unless it is changed, costs a request the look at a flag;
//! for others the last rule that concerns the command decides, then the patterns of keys and channels.
//!
//! # Source
//! Redis documentation of access control lists, version 7.2.

pub(super) mod check;
pub(super) mod log;
pub(super) mod rights;
pub(super) mod rules;

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use log::Log;
use rights::{PasswordHash, Rights};

/// The user of a client that has not named one.
pub(super) const DEFAULT: &[u8] = b"default";

/// A user. Sessions share it, and so see its changes.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Vec<u8>,
    rights: RefCell<Rights>,
    is_unrestricted: Cell<bool>,
}

impl User {
    fn new(name: &[u8], rights: Rights) -> Self {
        let is_unrestricted = Cell::new(rights.are_all());
        Self { name: name.to_vec(), rights: RefCell::new(rights), is_unrestricted }
    }

    /// Whether every request is allowed.
    pub(super) fn is_unrestricted(&self) -> bool {
        self.is_unrestricted.get()
    }

    pub(super) fn rights(&self) -> Ref<'_, Rights> {
        self.rights.borrow()
    }

    pub(super) fn set_rights(&self, rights: Rights) {
        self.is_unrestricted.set(rights.are_all());
        self.rights.replace(rights);
    }

    /// Whether a client may be this user without being asked.
    pub(super) fn is_open(&self) -> bool {
        let rights = self.rights.borrow();
        rights.is_on && rights.has_no_password
    }

    /// Whether a client whose password has this hash may be this user.
    fn admits(&self, hash: &PasswordHash) -> bool {
        let rights = self.rights.borrow();
        // Looked at whatever else is true, so that the time tells nothing of it.
        let has_password = rights.has_password(hash);
        rights.is_on && (rights.has_no_password || has_password)
    }
}

/// Every user of a door, and what they were denied.
#[derive(Debug)]
pub(super) struct Users {
    by_name: RefCell<BTreeMap<Vec<u8>, Rc<User>>>,
    default: Rc<User>,
    /// Stands in for users that there are none of.
    nobody: User,
    pub(super) log: RefCell<Log>,
}

impl Users {
    pub(super) fn new(password: Option<&[u8]>, others: &[(Vec<u8>, Rights)]) -> Self {
        let mut rights = Rights::all();
        if let Some(password) = password {
            rights.has_no_password = false;
            rights.passwords.push(rights::hash_of(password));
        }
        let default = Rc::new(User::new(DEFAULT, rights));
        let mut by_name = BTreeMap::from([(DEFAULT.to_vec(), Rc::clone(&default))]);
        for (name, rights) in others {
            if name == DEFAULT {
                default.set_rights(rights.clone());
            } else {
                by_name.insert(name.clone(), Rc::new(User::new(name, rights.clone())));
            }
        }
        let nobody = User::new(&[], Rights { passwords: vec![[0; 32]], ..Rights::default() });
        Self { by_name: RefCell::new(by_name), default, nobody, log: RefCell::default() }
    }

    /// The user of a new connection.
    pub(super) fn default_user(&self) -> Rc<User> {
        Rc::clone(&self.default)
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<Rc<User>> {
        self.by_name.borrow().get(name).cloned()
    }

    /// The user of this name, if a client with this password may be it.
    ///
    /// # Cost
    /// The password is hashed before anybody looks for the user: how long it takes does not tell whether there is one.
    pub(super) fn admit(&self, name: &[u8], password: &[u8]) -> Option<Rc<User>> {
        let hash = rights::hash_of(password);
        if let Some(user) = self.get(name) {
            return user.admits(&hash).then_some(user);
        }
        // Asked as a user is who has a password that nobody knows.
        std::hint::black_box(self.nobody.admits(&hash));
        None
    }

    /// All, in the order of their names.
    pub(super) fn all(&self) -> Vec<Rc<User>> {
        self.by_name.borrow().values().cloned().collect()
    }

    /// Gives a user these rights, or makes one with them.
    pub(super) fn set(&self, name: &[u8], rights: Rights) {
        match self.get(name) {
            Some(user) => user.set_rights(rights),
            None => {
                self.by_name.borrow_mut().insert(name.to_vec(), Rc::new(User::new(name, rights)));
            }
        }
    }

    /// Removes a user, which is not `default`.
    pub(super) fn remove(&self, name: &[u8]) -> bool {
        self.by_name.borrow_mut().remove(name).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.borrow().len()
    }
}
