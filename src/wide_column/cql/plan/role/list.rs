//! Listing roles, users and permissions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{configured, ensure_known, exists, is_superuser, is_there, other, resolved};
use crate::error::Result;
use crate::wide_column::cql::ast::{Name, Permissions, Resource as Said};
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::role::{Permission, Resource, grants, record, unauthorized};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Which data centres a role may reach: there is one, and nobody is kept out of it.
const DATACENTERS: &str = "ALL";

fn answer(table: &str, columns: &[(&str, CqlType)], rows: Vec<Vec<CqlValue>>) -> Answer {
    if rows.is_empty() {
        return Answer::default();
    }
    let columns: Vec<_> = columns.iter().map(|(name, of)| ((*name).to_owned(), of.clone())).collect();
    Answer {
        columns: columns.into(),
        rows,
        of: Some(Arc::new(("system_auth".to_owned(), table.to_owned()))),
        ..Answer::default()
    }
}

/// Refuses a role that there is not.
fn check_exists(context: &Context<'_>, name: Option<&str>) -> Result<()> {
    match name {
        Some(name) if !exists(context.actor, context.view, name)? => {
            Err(invalid(format!("{} doesn't exist", Resource::Role(name.to_owned()))))
        }
        _ => Ok(()),
    }
}

/// The role `name` and those that were granted to it, and perhaps what was granted to them.
fn roles_of(context: &Context<'_>, name: &str, is_recursive: bool) -> Result<BTreeSet<String>> {
    let mut all = other(context.actor, name).rights(context.view)?.roles.clone();
    if !is_recursive {
        let direct = record::get(context.view, name)?.unwrap_or_default().member_of;
        all.retain(|own| own == name || direct.contains(own));
    }
    let mut there = BTreeSet::new();
    for own in all {
        // What was granted may be a user of another door.
        if exists(context.actor, context.view, &own)? {
            there.insert(own);
        }
    }
    Ok(there)
}

/// The roles that a list is of.
fn listed(context: &Context<'_>, of: Option<&str>, is_recursive: bool) -> Result<BTreeSet<String>> {
    ensure_known(context.actor)?;
    check_exists(context, of)?;
    let view = context.view;
    let sees_all = match context.actor.role() {
        Some(role) => role.is_superuser(view)? || role.rights(view)?.has_on(Permission::Describe, &Resource::AllRoles),
        None => true,
    };
    match (of, context.actor.role()) {
        (Some(of), Some(role)) if !sees_all && !role.rights(view)?.roles.contains(of) => {
            // It ends with a space in Cassandra, too.
            Err(unauthorized(format!("You are not authorized to view roles granted to {of} ")))
        }
        (Some(of), _) => roles_of(context, of, is_recursive),
        (None, Some(role)) if !sees_all => roles_of(context, &role.name, is_recursive),
        (None, _) => {
            let mut all = configured(context.actor).as_ref().clone();
            all.extend(record::list(view)?.into_iter().map(|(name, _)| name));
            Ok(all)
        }
    }
}

/// `LIST ROLES`
pub(super) fn roles(context: &Context<'_>, of: Option<&Name>, is_recursive: bool) -> Result<Answer> {
    let configured = configured(context.actor);
    let mut rows = Vec::new();
    for name in listed(context, of.map(Name::as_str), is_recursive)? {
        let is_configured = configured.contains(&name);
        let role = record::get(context.view, &name)?.unwrap_or_default();
        rows.push(vec![
            name.into(),
            CqlValue::Boolean(is_configured || role.is_superuser),
            CqlValue::Boolean(is_configured || role.can_login),
            CqlValue::Map(Vec::new()),
            DATACENTERS.into(),
        ]);
    }
    let columns = [
        ("role", CqlType::Text),
        ("super", CqlType::Boolean),
        ("login", CqlType::Boolean),
        ("options", CqlType::map(CqlType::Text, CqlType::Text)),
        ("datacenters", CqlType::Text),
    ];
    Ok(answer("roles", &columns, rows))
}

/// `LIST USERS`: the roles that log in. One that was granted to a superuser's role is a superuser here.
pub(super) fn users(context: &Context<'_>) -> Result<Answer> {
    let configured = configured(context.actor);
    let mut rows = Vec::new();
    for name in listed(context, None, false)? {
        let role = record::get(context.view, &name)?.unwrap_or_default();
        if !role.can_login && !configured.contains(&name) {
            continue;
        }
        let is_superuser = other(context.actor, &name).is_superuser(context.view)?;
        rows.push(vec![name.into(), CqlValue::Boolean(is_superuser), DATACENTERS.into()]);
    }
    let columns = [("name", CqlType::Text), ("super", CqlType::Boolean), ("datacenters", CqlType::Text)];
    Ok(answer("users", &columns, rows))
}

/// `LIST permissions`
pub(super) fn permissions(
    context: &Context<'_>,
    permissions: &Permissions,
    resource: Option<&Said>,
    (of, is_recursive): (Option<&Name>, bool),
) -> Result<Answer> {
    ensure_known(context.actor)?;
    let of = of.map(Name::as_str);
    let resource = resource.map(|resource| resolved(context, resource)).transpose()?;
    if let Some(resource) = &resource
        && !is_there(context.actor, context.view, resource)?
    {
        return Err(invalid(format!("{resource} doesn't exist")));
    }
    check_exists(context, of)?;
    if let Some(role) = context.actor.role()
        && !is_superuser(context.actor, context.view)?
    {
        let own = role.rights(context.view)?;
        if !of.is_some_and(|of| own.roles.contains(of)) {
            let of = of.unwrap_or("everyone");
            return Err(unauthorized(format!("You are not authorized to view {of}'s permissions")));
        }
    }
    let roles = of.map(|of| roles_of(context, of, true)).transpose()?;
    let resources: Option<Vec<String>> = resource.map(|resource| {
        let all = resource.chain().map(|own| own.name());
        if is_recursive { all.collect() } else { all.take(1).collect() }
    });
    let mut rows = Vec::new();
    // In the order of roles and resources.
    for grant in grants::list(context.view, None)? {
        let is_theirs = roles.as_ref().is_none_or(|roles| roles.contains(&grant.role));
        let is_on = resources.as_ref().is_none_or(|resources| resources.contains(&grant.resource));
        let Some(on) = Resource::of_name(&grant.resource).filter(|_| is_theirs && is_on) else { continue };
        for permission in grant.permissions.each() {
            if matches!(permissions, Permissions::Some(some) if !some.contains(&permission)) {
                continue;
            }
            let role = grant.role.as_str();
            rows.push(vec![role.into(), role.into(), on.to_string().into(), permission.to_string().into()]);
        }
    }
    let columns = ["role", "username", "resource", "permission"].map(|name| (name, CqlType::Text));
    Ok(answer("permissions", &columns, rows))
}
