//! Roles, as they are kept.

use serde::{Deserialize, Serialize};

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::limits;
use crate::txn::{View, Writer};

/// What is kept of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    pub(crate) is_superuser: bool,
    pub(crate) can_login: bool,
    /// The hash of its password, as [`SaltedHash`](super::SaltedHash) prints it.
    pub(crate) salted_hash: Option<String>,
    /// The roles that were granted to it, in byte order.
    pub(crate) member_of: Vec<String>,
}

fn target(name: &str) -> catalog::Target<RoleRecord> {
    catalog::Target::new(Kind::WideRole, "", name)
}

/// The role `name`, if it is kept.
pub(crate) fn get(view: &View, name: &str) -> Result<Option<RoleRecord>> {
    Ok(target(name).get(view)?.map(|entry| entry.record.clone()))
}

/// Every role that is kept, in byte order of their names.
pub(crate) fn list(view: &View) -> Result<Vec<(String, RoleRecord)>> {
    let found = catalog::list::<RoleRecord>(view, Kind::WideRole, "")?;
    Ok(found.into_iter().map(|(name, entry)| (name, entry.record)).collect())
}

/// Keeps a role, or changes it.
///
/// # Errors
/// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a name that is too long, and for too many granted roles.
pub(crate) fn put(writer: &mut Writer, name: &str, role: RoleRecord) -> Result<()> {
    limits::check("bytes of the name of a role", limits::CQL_ROLE_NAME_BYTES_MAX, name.len())?;
    limits::check("roles granted to a role", limits::CQL_ROLES_GRANTED_MAX, role.member_of.len())?;
    let target = target(name);
    match target.get(writer)? {
        None => target.create(writer, role).map(drop),
        Some(entry) => target.update(writer, &catalog::Entry { record: role, ..entry.as_ref().clone() }),
    }
}

/// Forgets a role; returns whether it was kept. What was granted to it, and it to others, is the caller's affair.
pub(super) fn remove(writer: &mut Writer, name: &str) -> Result<bool> {
    let target = target(name);
    let was_there = target.get(writer)?.is_some();
    if was_there {
        target.remove(writer);
    }
    Ok(was_there)
}
