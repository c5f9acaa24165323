//! Statements about roles, users and permissions.
//!
//! # Source
//! Cassandra 5.0 with `PasswordAuthenticator` and `CassandraAuthorizer`; for clients that nobody asks who they are, with
//! `AllowAllAuthenticator`. As there, who may run a statement is looked at before what it names.

mod grant;
mod list;
mod manage;
mod options;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::txn::{View, Writer};
use crate::wide_column::cql::ast::{Resource as Said, RoleStatement};
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::context::{Context, SYSTEM_KEYSPACES};
use crate::wide_column::cql::plan::system;
use crate::wide_column::role::{Actor, Permission, Resource, RoleActor, SaltedHash, record, unauthorized};
use crate::wide_column::schema::{self, keyspace};

/// Whether a statement only lists what there is.
pub(in crate::wide_column::cql) fn is_list(statement: &RoleStatement) -> bool {
    use RoleStatement::{ListPermissions, ListRoles, ListUsers};
    matches!(statement, ListUsers | ListRoles { .. } | ListPermissions { .. })
}

/// The password that a statement sets, which is to be hashed before it runs.
///
/// # Errors
/// When it is too long.
pub(in crate::wide_column::cql) fn password(statement: &RoleStatement) -> Result<Option<&str>> {
    options::password(statement)
}

/// Runs a statement that lists what there is.
///
/// # Errors
/// Cassandra's for what it refuses; [`Error::Unsupported`] for what is not modelled.
pub(in crate::wide_column::cql) fn list(context: &Context<'_>, statement: &RoleStatement) -> Result<Answer> {
    match statement {
        RoleStatement::ListUsers => list::users(context),
        RoleStatement::ListRoles { of, no_recursive } => list::roles(context, of.as_ref(), !no_recursive),
        RoleStatement::ListPermissions { permissions, resource, of, no_recursive } => {
            list::permissions(context, permissions, resource.as_ref(), (of.as_ref(), !no_recursive))
        }
        _ => Ok(Answer::default()),
    }
}

/// Runs any other statement about roles. `hash` is that of the password it sets.
///
/// # Errors
/// Cassandra's for what it refuses; [`Error::Unsupported`] for what is not modelled.
pub(in crate::wide_column::cql) fn change(
    writer: &mut Writer,
    (session, actor): (Option<&str>, &Actor),
    statement: &RoleStatement,
    hash: Option<&SaltedHash>,
) -> Result<Answer> {
    use RoleStatement as S;
    match statement {
        S::CreateRole { if_not_exists, name, .. } | S::CreateUser { if_not_exists, name, .. } => {
            let options = options::Options::of(statement, hash)?;
            manage::create(writer, actor, (name.as_str(), *if_not_exists), &options)?;
        }
        S::AlterRole { if_exists, name, .. } | S::AlterUser { if_exists, name, .. } => {
            let options = options::Options::of(statement, hash)?;
            manage::alter(writer, actor, (name.as_str(), *if_exists), &options)?;
        }
        S::DropRole { if_exists, name } | S::DropUser { if_exists, name } => {
            manage::drop(writer, actor, name.as_str(), *if_exists)?;
        }
        S::GrantRole { role, grantee } => manage::grant(writer, actor, role.as_str(), grantee.as_str())?,
        S::RevokeRole { role, revokee } => manage::revoke(writer, actor, role.as_str(), revokee.as_str())?,
        S::Grant { permissions, resource, grantee } => {
            ensure_known(actor)?;
            let resource = resolved(&Context::new(writer, session, &[]), resource)?;
            return grant::grant(writer, actor, (permissions, &resource), grantee.as_str());
        }
        S::Revoke { permissions, resource, revokee } => {
            ensure_known(actor)?;
            let resource = resolved(&Context::new(writer, session, &[]), resource)?;
            return grant::revoke(writer, actor, (permissions, &resource), revokee.as_str());
        }
        S::AddIdentity { .. } => return Err(Error::unsupported("ADD IDENTITY")),
        S::DropIdentity { .. } => return Err(Error::unsupported("DROP IDENTITY")),
        S::ListUsers | S::ListRoles { .. } | S::ListPermissions { .. } => {}
    }
    Ok(Answer::default())
}

/// Refuses a client that was not asked who it is.
fn ensure_known(actor: &Actor) -> Result<()> {
    match actor {
        Actor::Anonymous => Err(unauthorized("You have to be logged in and not anonymous to perform this request")),
        Actor::Program | Actor::Role(_) => Ok(()),
    }
}

/// Refuses who may not do something with a role.
fn ensure_privileged(actor: &Actor, view: &View, permission: Permission, resource: &Resource) -> Result<()> {
    match actor.role() {
        Some(role) if !role.may(view, permission, resource)? => {
            let name = &role.name;
            Err(unauthorized(format!(
                "User {name} does not have sufficient privileges to perform the requested operation"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether who runs a statement may do everything; nobody knows of a client that was not asked.
fn is_superuser(actor: &Actor, view: &View) -> Result<bool> {
    match actor {
        Actor::Program => Ok(true),
        Actor::Anonymous => Ok(false),
        Actor::Role(role) => role.is_superuser(view),
    }
}

/// The roles that are there from the start.
fn configured(actor: &Actor) -> Arc<BTreeSet<String>> {
    actor.role().map(|role| Arc::clone(&role.configured)).unwrap_or_default()
}

/// Another role, as who runs a statement sees it.
fn other(actor: &Actor, name: &str) -> RoleActor {
    RoleActor { name: name.into(), configured: configured(actor) }
}

/// Whether there is a role.
fn exists(actor: &Actor, view: &View, name: &str) -> Result<bool> {
    let is_configured = actor.role().is_some_and(|role| role.configured.contains(name));
    Ok(is_configured || record::get(view, name)?.is_some())
}

/// What a statement names, written out.
fn resolved(context: &Context<'_>, resource: &Said) -> Result<Resource> {
    Ok(match resource {
        Said::AllKeyspaces => Resource::AllKeyspaces,
        Said::Keyspace(name) => Resource::Keyspace(name.as_str().to_owned()),
        Said::AllTables(keyspace) => Resource::AllTables(keyspace.as_str().to_owned()),
        Said::Table(name) => Resource::Table(context.keyspace(name)?.to_owned(), name.name.as_str().to_owned()),
        Said::AllRoles => Resource::AllRoles,
        Said::Role(name) => Resource::Role(name.as_str().to_owned()),
        Said::AllFunctions(_) | Said::Function(..) => return Err(Error::unsupported("permissions on functions")),
        Said::AllMbeans | Said::Mbean(_) | Said::Mbeans(_) => {
            return Err(Error::unsupported("permissions on MBeans"));
        }
    })
}

/// Whether there is what a statement names.
fn is_there(actor: &Actor, view: &View, resource: &Resource) -> Result<bool> {
    Ok(match resource {
        Resource::AllKeyspaces | Resource::AllRoles => true,
        Resource::Keyspace(name) | Resource::AllTables(name) => {
            SYSTEM_KEYSPACES.contains(&name.as_str()) || keyspace::get(view, name)?.is_some()
        }
        Resource::Table(keyspace, name) if SYSTEM_KEYSPACES.contains(&keyspace.as_str()) => {
            system::system_table(keyspace, name).is_ok()
        }
        Resource::Table(keyspace, name) => schema::table(view, keyspace, name)?.is_some(),
        Resource::Role(name) => exists(actor, view, name)?,
    })
}
