//! Permissions, as they are kept: an entry for each role and resource.
//!
//! | bytes | field    | encoding                                                 |
//! |-------|----------|----------------------------------------------------------|
//! | 1     | owner    | `0x01`                                                   |
//! | 1     | kind     | `0x0a`                                                   |
//! | 2..   | role     | its name, escaped and terminated                         |
//! | 4..   | resource | its name ([`Resource::name`]), raw                       |
//!
//! The value is a catalogue record: the bits of [`PermissionSet`]. There is no entry without any.

use crate::catalog::{self, Kind};
use crate::encoding::ordered::Reader;
use crate::encoding::owner::CATALOGUE;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{View, Writer};
use crate::wide_column::role::permission::{Granted, PermissionSet};
use crate::wide_column::role::resource::Resource;

/// Some permissions of a role on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) role: String,
    /// As [`Resource::name`] has it.
    pub(crate) resource: String,
    pub(crate) permissions: PermissionSet,
}

fn key(role: &str, resource: &str) -> Vec<u8> {
    catalog::key(Kind::WideGrant, role, resource)
}

fn decode(value: &[u8]) -> Result<PermissionSet> {
    let Granted(bits) = catalog::decode_record(value)?;
    PermissionSet::from_bits(bits).ok_or_else(|| Error::corrupt("permissions of a role", "there is none of a bit"))
}

/// What was granted to `role` itself on `resource`.
pub(crate) fn get(view: &View, role: &str, resource: &Resource) -> Result<PermissionSet> {
    view.get(&key(role, &resource.name()))?.map_or(Ok(PermissionSet::empty()), |value| decode(&value))
}

/// Everything that was granted to `role` itself, or to everybody, in byte order of roles and resources.
///
/// # Cost
/// O(log n) and the grants.
pub(crate) fn list(view: &View, role: Option<&str>) -> Result<Vec<Grant>> {
    let prefix = role.map_or_else(|| vec![CATALOGUE, Kind::WideGrant as u8], |role| key(role, ""));
    let mut cursor = view.range(&KeyRange::prefix(&prefix), Direction::Forward)?;
    let mut found = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        let mut reader = Reader::new(key);
        reader.array::<2>()?;
        let role = text(reader.bytes()?)?;
        let resource = text(reader.rest().to_vec())?;
        found.push(Grant { role, resource, permissions: decode(value)? });
    }
    Ok(found)
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::corrupt("permissions of a role", "a name is not UTF-8"))
}

fn put(writer: &mut Writer, role: &str, resource: &str, permissions: PermissionSet) -> Result<()> {
    writer.note_catalogue_changed();
    let key = key(role, resource);
    if permissions.is_empty() {
        writer.remove(&key);
        return Ok(());
    }
    writer.put(&key, catalog::encode_record(&Granted(permissions.bits()))?)
}

/// Grants permissions; returns those that were granted before.
pub(crate) fn grant(
    writer: &mut Writer,
    role: &str,
    resource: &Resource,
    permissions: PermissionSet,
) -> Result<PermissionSet> {
    let before = get(writer, role, resource)?;
    if !before.contains(permissions) {
        put(writer, role, &resource.name(), before | permissions)?;
    }
    Ok(before & permissions)
}

/// Takes permissions away; returns those that were granted.
pub(crate) fn revoke(
    writer: &mut Writer,
    role: &str,
    resource: &Resource,
    permissions: PermissionSet,
) -> Result<PermissionSet> {
    let before = get(writer, role, resource)?;
    if before.intersects(permissions) {
        put(writer, role, &resource.name(), before - permissions)?;
    }
    Ok(before & permissions)
}

/// Takes everything away that was granted to `role` itself.
pub(super) fn revoke_all_of(writer: &mut Writer, role: &str) -> Result<()> {
    for grant in list(writer, Some(role))? {
        put(writer, role, &grant.resource, PermissionSet::empty())?;
    }
    Ok(())
}

/// Takes everything away that was granted on what `is_meant` says, by its name.
///
/// # Cost
/// O(grants), of everybody.
pub(super) fn revoke_all_on(writer: &mut Writer, is_meant: impl Fn(&str) -> bool) -> Result<()> {
    for grant in list(writer, None)?.into_iter().filter(|grant| is_meant(&grant.resource)) {
        put(writer, &grant.role, &grant.resource, PermissionSet::empty())?;
    }
    Ok(())
}
