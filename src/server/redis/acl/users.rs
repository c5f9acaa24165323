//! Users by name, and what each of them may do, whatever that is: it is the door's affair.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::server::redis::acl::password::{PasswordHash, hash_of};

/// What a door lets a user do.
pub(in crate::server::redis) trait Permissions: Clone {
    /// Whether every request is allowed.
    fn are_all(&self) -> bool;

    /// Whether a client may be this user without being asked.
    fn are_open(&self) -> bool;

    /// Whether a client whose password has this hash may be this user. Takes the same time whatever it returns.
    fn admit(&self, hash: &PasswordHash) -> bool;
}

/// A user. Sessions share it, and so see its changes.
#[derive(Debug)]
pub(in crate::server::redis) struct User<P> {
    pub(in crate::server::redis) name: Vec<u8>,
    rights: RefCell<P>,
    is_unrestricted: Cell<bool>,
}

impl<P: Permissions> User<P> {
    fn new(name: &[u8], rights: P) -> Self {
        let is_unrestricted = Cell::new(rights.are_all());
        Self { name: name.to_vec(), rights: RefCell::new(rights), is_unrestricted }
    }

    /// Whether every request is allowed.
    pub(in crate::server::redis) fn is_unrestricted(&self) -> bool {
        self.is_unrestricted.get()
    }

    /// What it may do.
    pub(in crate::server::redis) fn rights(&self) -> Ref<'_, P> {
        self.rights.borrow()
    }

    /// Changes what it may do, for the sessions that it has, too.
    pub(in crate::server::redis) fn set_rights(&self, rights: P) {
        self.is_unrestricted.set(rights.are_all());
        self.rights.replace(rights);
    }

    /// Whether a client may be this user without being asked.
    pub(in crate::server::redis) fn is_open(&self) -> bool {
        self.rights.borrow().are_open()
    }
}

/// Every user of a door.
#[derive(Debug)]
pub(in crate::server::redis) struct Users<P> {
    by_name: RefCell<BTreeMap<Vec<u8>, Rc<User<P>>>>,
    default: Rc<User<P>>,
    /// Stands in for users that do not exist.
    nobody: User<P>,
}

impl<P: Permissions> Users<P> {
    /// The user of new connections, with its name, and others. `nobody` has a password that nobody knows.
    pub(in crate::server::redis) fn new(default: (&[u8], P), others: &[(Vec<u8>, P)], nobody: P) -> Self {
        let (name, rights) = default;
        let default = Rc::new(User::new(name, rights));
        let users = Self {
            by_name: RefCell::new(BTreeMap::from([(name.to_vec(), Rc::clone(&default))])),
            default,
            nobody: User::new(&[], nobody),
        };
        for (name, rights) in others {
            users.set(name, rights.clone());
        }
        users
    }

    /// The user of a new connection.
    pub(in crate::server::redis) fn default_user(&self) -> Rc<User<P>> {
        Rc::clone(&self.default)
    }

    /// The user of this name.
    pub(in crate::server::redis) fn get(&self, name: &[u8]) -> Option<Rc<User<P>>> {
        self.by_name.borrow().get(name).cloned()
    }

    /// The user of this name, if a client with this password may be it.
    ///
    /// # Cost
    /// The password is hashed before anybody looks for the user: how long it takes does not show whether it exists.
    pub(in crate::server::redis) fn admit(&self, name: &[u8], password: &[u8]) -> Option<Rc<User<P>>> {
        let hash = hash_of(password);
        if let Some(user) = self.get(name) {
            let is_admitted = user.rights().admit(&hash);
            return is_admitted.then_some(user);
        }
        std::hint::black_box(self.nobody.rights().admit(&hash));
        None
    }

    /// All, in the order of their names.
    pub(in crate::server::redis) fn all(&self) -> Vec<Rc<User<P>>> {
        self.by_name.borrow().values().cloned().collect()
    }

    /// Gives a user these rights, or makes one with them.
    pub(in crate::server::redis) fn set(&self, name: &[u8], rights: P) {
        match self.get(name) {
            Some(user) => user.set_rights(rights),
            None => {
                self.by_name.borrow_mut().insert(name.to_vec(), Rc::new(User::new(name, rights)));
            }
        }
    }

    /// Removes a user, which is not the one of new connections, and returns whether it existed.
    pub(in crate::server::redis) fn remove(&self, name: &[u8]) -> bool {
        self.by_name.borrow_mut().remove(name).is_some()
    }

    /// How many there are.
    pub(in crate::server::redis) fn len(&self) -> usize {
        self.by_name.borrow().len()
    }
}
