//! Granting and revoking permissions.

use super::{exists, is_there};
use crate::error::Result;
use crate::txn::{View, Writer};
use crate::wide_column::cql::ast::Permissions;
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::role::{Actor, Permission, PermissionSet, Resource, grants};

/// What a statement says, as far as it is about permissions.
type Said<'a> = (&'a Permissions, &'a Resource);

/// The permissions that are meant: those that a resource has.
fn meant((permissions, resource): Said<'_>) -> PermissionSet {
    match permissions {
        Permissions::All => resource.applicable(),
        Permissions::Some(some) => {
            some.iter().fold(PermissionSet::empty(), |all, own| all | (*own).into()) & resource.applicable()
        }
    }
}

/// The permissions that are meant, once it is certain that they may be granted and revoked.
fn checked(actor: &Actor, view: &View, said: Said<'_>, role: &str) -> Result<PermissionSet> {
    let (_, resource) = said;
    let meant = meant(said);
    // Nobody gives what they do not have.
    for permission in std::iter::once(Permission::Authorize).chain(meant.each()) {
        actor.ensure(view, permission, resource)?;
    }
    if !exists(actor, view, role)? {
        return Err(invalid(format!("Role {role} doesn't exist")));
    }
    if !is_there(actor, view, resource)? {
        return Err(invalid(format!("Resource {resource} doesn't exist")));
    }
    Ok(meant)
}

/// What has changed nothing is warned of, unless all permissions were meant.
fn warned(said: Said<'_>, role: &str, idle: PermissionSet, how: &str) -> Answer {
    let (permissions, resource) = said;
    let mut answer = Answer::default();
    if !idle.is_empty() && *permissions != Permissions::All {
        let idle: Vec<_> = idle.each().map(|own| own.to_string()).collect();
        answer.warnings.push(format!("Role '{role}' was {how} {} on {resource}", idle.join(", ")));
    }
    answer
}

/// `GRANT permissions ON resource TO role`
pub(super) fn grant(writer: &mut Writer, actor: &Actor, said: Said<'_>, grantee: &str) -> Result<Answer> {
    let meant = checked(actor, writer, said, grantee)?;
    let before = grants::grant(writer, grantee, said.1, meant)?;
    Ok(warned(said, grantee, before, "already granted"))
}

/// `REVOKE permissions ON resource FROM role`
pub(super) fn revoke(writer: &mut Writer, actor: &Actor, said: Said<'_>, revokee: &str) -> Result<Answer> {
    let meant = checked(actor, writer, said, revokee)?;
    let before = grants::revoke(writer, revokee, said.1, meant)?;
    Ok(warned(said, revokee, meant - before, "not granted"))
}
