//! Users, and what each of them may do.
//!
//! # How it works
//! A session has a user. One that may do everything, as `default` may unless it is changed, costs a request the look at
//! a flag; for others the last rule that concerns the command decides, then the patterns of keys and channels.
//!
//! # Source
//! Redis documentation of access control lists, version 7.2.

pub(super) mod check;
pub(super) mod log;
pub(super) mod password;
pub(super) mod rights;
pub(super) mod rules;
mod users;

use rights::Rights;

/// The user of a client that has not named one.
pub(super) const DEFAULT: &[u8] = b"default";

/// A user of the door.
pub(super) type User = users::User<Rights>;

/// Every user of the door.
pub(super) type Users = users::Users<Rights>;

/// The user `default`, who may do everything and has this password, if any; and others, who may change `default`.
pub(super) fn users(password: Option<&[u8]>, others: &[(Vec<u8>, Rights)]) -> Users {
    let default = password.map_or_else(Rights::all, Rights::all_with_password);
    let nobody = Rights { passwords: vec![[0; 32]], ..Rights::default() };
    Users::new((DEFAULT, default), others, nobody)
}
