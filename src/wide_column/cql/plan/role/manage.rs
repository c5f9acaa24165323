//! Making, changing and dropping roles, and granting them to one another.

use super::options::Options;
use super::{ensure_known, ensure_privileged, exists, is_superuser, other};
use crate::error::{Error, Result};
use crate::txn::{View, Writer};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::role::{self, Actor, Permission, Resource, RoleRecord, grants, record, unauthorized};

fn own(name: &str) -> Resource {
    Resource::Role(name.to_owned())
}

/// Refuses to change a role that the door was opened with.
fn check_not_configured(actor: &Actor, verb: &str, name: &str) -> Result<()> {
    match actor.role() {
        Some(role) if role.configured.contains(name) => {
            Err(Error::unsupported(format!("{verb} of {name}, a user that the door was opened with")))
        }
        _ => Ok(()),
    }
}

/// `CREATE ROLE`, `CREATE USER`
pub(super) fn create(
    writer: &mut Writer,
    actor: &Actor,
    (name, if_not_exists): (&str, bool),
    options: &Options,
) -> Result<()> {
    ensure_privileged(actor, writer, Permission::Create, &Resource::AllRoles)?;
    if options.is_superuser == Some(true) && !is_superuser(actor, writer)? {
        return Err(unauthorized("Only superusers can create a role with superuser status"));
    }
    options.check(actor)?;
    if name.is_empty() {
        return Err(invalid("Role name can't be an empty string"));
    }
    ensure_known(actor)?;
    if exists(actor, writer, name)? {
        return if if_not_exists { Ok(()) } else { Err(invalid(format!("{name} already exists"))) };
    }
    let made = RoleRecord {
        is_superuser: options.is_superuser.unwrap_or_default(),
        can_login: options.can_login.unwrap_or_default(),
        salted_hash: options.salted_hash.clone(),
        member_of: Vec::new(),
    };
    role::create(writer, name, made)?;
    if let Some(maker) = actor.role() {
        let made = own(name);
        grants::grant(writer, &maker.name, &made, made.applicable())?;
    }
    Ok(())
}

/// `ALTER ROLE`, `ALTER USER`
pub(super) fn alter(
    writer: &mut Writer,
    actor: &Actor,
    (name, if_exists): (&str, bool),
    options: &Options,
) -> Result<()> {
    check_may_alter(actor, writer, name, options)?;
    options.check(actor)?;
    if options.is_empty() {
        return Err(invalid("ALTER [ROLE|USER] can't be empty"));
    }
    ensure_known(actor)?;
    if !exists(actor, writer, name)? {
        return if if_exists { Ok(()) } else { Err(invalid(format!("Role {name} doesn't exist"))) };
    }
    check_not_configured(actor, "ALTER ROLE", name)?;
    let before = record::get(writer, name)?.unwrap_or_default();
    let after = RoleRecord {
        is_superuser: options.is_superuser.unwrap_or(before.is_superuser),
        can_login: options.can_login.unwrap_or(before.can_login),
        salted_hash: options.salted_hash.clone().or(before.salted_hash),
        member_of: before.member_of,
    };
    record::put(writer, name, after)
}

fn check_may_alter(actor: &Actor, view: &View, name: &str, options: &Options) -> Result<()> {
    let is_super = is_superuser(actor, view)?;
    let sets_superuser = options.is_superuser.is_some();
    if let Some(role) = actor.role()
        && sets_superuser
        && role.rights(view)?.roles.contains(name)
    {
        return Err(unauthorized(
            "You aren't allowed to alter your own superuser status or that of a role granted to you",
        ));
    }
    if sets_superuser && !is_super {
        return Err(unauthorized("Only superusers are allowed to alter superuser status"));
    }
    match actor.role() {
        Some(role) if !is_super && *role.name == *name => match options.not_own() {
            Some(option) => Err(unauthorized(format!("You aren't allowed to alter {option}"))),
            None => Ok(()),
        },
        Some(_) if !is_super => ensure_privileged(actor, view, Permission::Alter, &own(name)),
        _ => Ok(()),
    }
}

/// `DROP ROLE`, `DROP USER`
pub(super) fn drop(writer: &mut Writer, actor: &Actor, name: &str, if_exists: bool) -> Result<()> {
    ensure_privileged(actor, writer, Permission::Drop, &own(name))?;
    let is_there = exists(actor, writer, name)?;
    if is_there && actor.role().is_some() && other(actor, name).is_superuser(writer)? && !is_superuser(actor, writer)? {
        return Err(unauthorized("Only superusers can drop a role with superuser status"));
    }
    ensure_known(actor)?;
    if !is_there && !if_exists {
        return Err(invalid(format!("{name} doesn't exist")));
    }
    if actor.role().is_some_and(|role| *role.name == *name) {
        return Err(invalid("Cannot DROP primary role for current login"));
    }
    check_not_configured(actor, "DROP ROLE", name)?;
    if is_there { role::remove(writer, name) } else { Ok(()) }
}

/// Refuses what comes before a role is granted or revoked.
fn check_roles(actor: &Actor, view: &View, role: &str, grantee: &str) -> Result<()> {
    ensure_privileged(actor, view, Permission::Authorize, &own(role))?;
    ensure_known(actor)?;
    for name in [role, grantee] {
        if !exists(actor, view, name)? {
            return Err(invalid(format!("{name} doesn't exist")));
        }
    }
    Ok(())
}

/// `GRANT role TO role`
pub(super) fn grant(writer: &mut Writer, actor: &Actor, role: &str, grantee: &str) -> Result<()> {
    check_roles(actor, writer, role, grantee)?;
    for (member, of) in [(grantee, role), (role, grantee)] {
        if other(actor, member).rights(writer)?.roles.contains(of) {
            return Err(invalid(format!("{member} is a member of {of}")));
        }
    }
    // Of a role that is there from the start, only this is kept.
    let mut kept = record::get(writer, grantee)?.unwrap_or_default();
    kept.member_of.push(role.to_owned());
    kept.member_of.sort_unstable();
    record::put(writer, grantee, kept)
}

/// `REVOKE role FROM role`
pub(super) fn revoke(writer: &mut Writer, actor: &Actor, role: &str, revokee: &str) -> Result<()> {
    check_roles(actor, writer, role, revokee)?;
    let mut kept = record::get(writer, revokee)?.unwrap_or_default();
    if !kept.member_of.iter().any(|own| own == role) {
        return Err(invalid(format!("{revokee} is not a member of {role}")));
    }
    kept.member_of.retain(|own| own != role);
    record::put(writer, revokee, kept)
}
