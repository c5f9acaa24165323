//! Roles of CQL: who they are, what they may do, and what is kept of their passwords.
//!
//! # Storage
//! A role is an entry of the catalogue under its name ([`RoleRecord`]), and so is what it was permitted to do with one resource
//! (`grants`): transactions, forks and snapshots have them as they have tables.
//!
//! # Invariants
//! 1. No role has been granted itself, not by way of others either.
//! 2. What is dropped takes the permissions with it that were granted on it, in the same transaction, whoever drops it.
//! 3. A role that is dropped takes with it what it was permitted, and is no member of another any more. One that is made begins
//!    with nothing.
//!
//! # Source
//! Cassandra 5.0: *Database roles*, `CassandraRoleManager` and `CassandraAuthorizer`.

mod actor;
pub(crate) mod grants;
mod password;
mod permission;
pub(crate) mod record;
mod resource;
mod rights;
#[cfg(test)]
mod tests;

pub(crate) use actor::{Actor, RoleActor, unauthorized};
pub(crate) use password::SaltedHash;
pub(crate) use permission::{Permission, PermissionSet};
pub(crate) use record::RoleRecord;
pub(crate) use resource::Resource;

use crate::error::Result;
use crate::txn::Writer;

/// Makes a role, with nothing that one of its name had.
pub(crate) fn create(writer: &mut Writer, name: &str, role: RoleRecord) -> Result<()> {
    grants::revoke_all_of(writer, name)?;
    record::put(writer, name, role)
}

/// Drops a role, with what it was permitted, what others were permitted on it, and what it was granted to.
///
/// # Cost
/// O(roles and grants), of everybody.
pub(crate) fn remove(writer: &mut Writer, name: &str) -> Result<()> {
    record::remove(writer, name)?;
    for (other, mut role) in record::list(writer)? {
        if role.member_of.iter().any(|own| own == name) {
            role.member_of.retain(|own| own != name);
            record::put(writer, &other, role)?;
        }
    }
    grants::revoke_all_of(writer, name)?;
    let own = Resource::Role(name.to_owned()).name();
    grants::revoke_all_on(writer, |resource| resource == own)
}

/// Takes away every permission on a table, which is dropped.
///
/// # Cost
/// O(grants), of everybody.
pub(in crate::wide_column) fn forget_table(writer: &mut Writer, keyspace: &str, table: &str) -> Result<()> {
    let own = Resource::Table(keyspace.to_owned(), table.to_owned()).name();
    grants::revoke_all_on(writer, |resource| resource == own)
}

/// Takes away every permission on a keyspace and all that is in it, which are dropped.
///
/// # Cost
/// O(grants), of everybody.
pub(in crate::wide_column) fn forget_keyspace(writer: &mut Writer, keyspace: &str) -> Result<()> {
    let own = Resource::Keyspace(keyspace.to_owned()).name();
    let within = format!("{own}/");
    grants::revoke_all_on(writer, |resource| resource == own || resource.starts_with(&within))
}
