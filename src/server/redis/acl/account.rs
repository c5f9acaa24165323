//! How a user logs in, and what it may do then, as `ACL` makes and shows it.

use crate::encoding::hex::hex;
use crate::server::password::Credentials;
use crate::server::redis::acl::Account;
use crate::server::redis::acl::rights::{NewUsersHear, Rights, Selector};

/// The account of the user `default` at first: everything, without a password.
pub(crate) fn all() -> Account {
    Account::open(Rights::all())
}

/// Everything, with a password.
pub(crate) fn all_with_password(password: &[u8]) -> Account {
    Account::with(Credentials::of(password), Rights::all())
}

/// Nothing: nobody may be this user, who may do nothing.
pub(crate) fn none() -> Account {
    Account { is_on: false, ..Account::with(Credentials::default(), Rights::default()) }
}

/// The account of a user that is made: nothing, but perhaps every channel.
pub(crate) fn of_new_user(hears: NewUsersHear) -> Account {
    let root = Selector { has_all_channels: hears == NewUsersHear::All, ..Selector::default() };
    Account { rights: Rights { root, ..Rights::default() }, ..none() }
}

/// How many rules there are in all.
pub(crate) fn len(account: &Account) -> usize {
    account.credentials.hashes.len() + account.rights.len()
}

/// The line of `ACL LIST` after the name: rules that make this account from none.
pub(crate) fn line(account: &Account) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = flags(account).map(|flag| flag.as_bytes().to_vec()).collect();
    words.extend(account.credentials.hashes.iter().map(|hash| format!("#{}", hex(hash)).into_bytes()));
    words.extend(account.rights.lines());
    words.join(&b' ')
}

/// What is on and off.
pub(crate) fn flags(account: &Account) -> impl Iterator<Item = &'static str> {
    let sanitizes = if account.rights.skips_sanitizing { "skip-sanitize-payload" } else { "sanitize-payload" };
    let on = if account.is_on { "on" } else { "off" };
    [Some(on), account.has_no_password.then_some("nopass"), Some(sanitizes)].into_iter().flatten()
}
