//! Users, and what each of them may do.
//!
//! # How it works
//! A session has a user. One that may do everything, as `default` may unless it is changed, costs a request the look at
//! a flag; for others the last rule that concerns the command decides, then the patterns of keys and channels.
//!
//! # Source
//! Redis documentation of access control lists, version 7.2.

pub(super) mod account;
pub(super) mod check;
pub(super) mod log;
pub(super) mod rights;
pub(super) mod rules;

use crate::server::users;
pub(super) use crate::server::users::DEFAULT;
use rights::Rights;

/// A user of the door.
pub(super) type User = users::User<Rights>;

/// Every user of the door.
pub(super) type Users = users::Users<Rights>;

/// How a user logs in, and may do then.
pub(super) type Account = users::Account<Rights>;

/// The user `default`, who may do everything and has this password, if any; and others, who may change `default`.
pub(super) fn users(password: Option<&[u8]>, others: &[(Vec<u8>, Account)]) -> Users {
    let users = Users::new(password.map_or_else(account::all, account::all_with_password));
    for (name, account) in others {
        users.set(name, account.clone());
    }
    users
}
