//! `system_auth`: roles, and what they may do. Hashes of passwords are not shown.

use std::collections::BTreeSet;

use super::shape::{Of, Seen, Shape};
use crate::error::Result;
use crate::wide_column::role::{RoleRecord, grants, record};
use crate::wide_column::value::CqlValue;

const OWN: &str = "system_auth";

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        keyspace: OWN,
        table: "roles",
        clustering: 0,
        columns: &[
            ("role", Of::Text),
            ("can_login", Of::Boolean),
            ("is_superuser", Of::Boolean),
            ("member_of", Of::Set),
            ("salted_hash", Of::Text),
        ],
        rows: roles,
    },
    Shape {
        keyspace: OWN,
        table: "role_members",
        clustering: 1,
        columns: &[("role", Of::Text), ("member", Of::Text)],
        rows: members,
    },
    Shape {
        keyspace: OWN,
        table: "role_permissions",
        clustering: 1,
        columns: &[("role", Of::Text), ("resource", Of::Text), ("permissions", Of::Set)],
        rows: permissions,
    },
    Shape {
        keyspace: OWN,
        // As Cassandra spells it.
        table: "resource_role_permissons_index",
        clustering: 1,
        columns: &[("resource", Of::Text), ("role", Of::Text)],
        rows: resources,
    },
];

/// Every role with what is kept of it: those that the door was opened with may do everything, whatever that is.
fn all(seen: &Seen<'_>) -> Result<Vec<(String, RoleRecord)>> {
    let kept = record::list(seen.view)?;
    let names: BTreeSet<&String> = kept.iter().map(|(name, _)| name).collect();
    let added: Vec<_> = seen.configured.iter().filter(|name| !names.contains(name)).cloned().collect();
    let added = added.into_iter().map(|name| (name, RoleRecord::default()));
    let own = |(name, role): (String, RoleRecord)| {
        let is_configured = seen.configured.contains(&name);
        let (is_superuser, can_login) = (role.is_superuser || is_configured, role.can_login || is_configured);
        (name, RoleRecord { is_superuser, can_login, ..role })
    };
    Ok(kept.into_iter().chain(added).map(own).collect())
}

fn texts(names: impl IntoIterator<Item = String>) -> CqlValue {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_unstable();
    if names.is_empty() { CqlValue::Null } else { CqlValue::Set(names.into_iter().map(CqlValue::from).collect()) }
}

fn roles(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let row = |(name, role): (String, RoleRecord)| {
        let flags = [role.can_login, role.is_superuser].map(CqlValue::Boolean);
        let [can_login, is_superuser] = flags;
        vec![name.into(), can_login, is_superuser, texts(role.member_of), CqlValue::Null]
    };
    Ok(all(seen)?.into_iter().map(row).collect())
}

fn members(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let of = |(name, role): (String, RoleRecord)| {
        role.member_of.into_iter().map(move |own| vec![own.into(), name.as_str().into()])
    };
    Ok(all(seen)?.into_iter().flat_map(of).collect())
}

fn permissions(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let row = |grant: grants::Grant| {
        let names = grant.permissions.each().map(|permission| permission.to_string());
        vec![grant.role.into(), grant.resource.into(), texts(names)]
    };
    Ok(grants::list(seen.view, None)?.into_iter().map(row).collect())
}

fn resources(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let row = |grant: grants::Grant| vec![grant.resource.into(), grant.role.into()];
    Ok(grants::list(seen.view, None)?.into_iter().map(row).collect())
}
