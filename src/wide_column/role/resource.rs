//! What permissions are about.

use std::fmt::{self, Display, Formatter};

use crate::wide_column::role::permission::PermissionSet;

/// What a permission is about, with every name written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Every keyspace.
    AllKeyspaces,
    /// A keyspace and what is in it.
    Keyspace(String),
    /// Every table of a keyspace.
    AllTables(String),
    /// A table, behind its keyspace.
    Table(String, String),
    /// Every role.
    AllRoles,
    /// A role.
    Role(String),
}

impl Resource {
    /// What it is called where grants are kept. No two are called the same: names of keyspaces and tables have no `/` and no `*`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::AllKeyspaces => "data".to_owned(),
            Self::Keyspace(keyspace) => format!("data/{keyspace}"),
            Self::AllTables(keyspace) => format!("data/{keyspace}/*"),
            Self::Table(keyspace, table) => format!("data/{keyspace}/{table}"),
            Self::AllRoles => "roles".to_owned(),
            Self::Role(role) => format!("roles/{role}"),
        }
    }

    /// What is called so.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        if let Some(role) = name.strip_prefix("roles/") {
            return Some(Self::Role(role.to_owned()));
        }
        let mut parts = name.splitn(3, '/');
        Some(match (parts.next()?, parts.next(), parts.next()) {
            ("data", None, None) => Self::AllKeyspaces,
            ("data", Some(keyspace), None) => Self::Keyspace(keyspace.to_owned()),
            ("data", Some(keyspace), Some("*")) => Self::AllTables(keyspace.to_owned()),
            ("data", Some(keyspace), Some(table)) => Self::Table(keyspace.to_owned(), table.to_owned()),
            ("roles", None, None) => Self::AllRoles,
            _ => return None,
        })
    }

    /// What it is a part of: who may do something with that may do it with this.
    pub(crate) fn parent(&self) -> Option<Self> {
        match self {
            Self::AllKeyspaces | Self::AllRoles => None,
            Self::Keyspace(_) => Some(Self::AllKeyspaces),
            Self::AllTables(keyspace) => Some(Self::Keyspace(keyspace.clone())),
            Self::Table(keyspace, _) => Some(Self::AllTables(keyspace.clone())),
            Self::Role(_) => Some(Self::AllRoles),
        }
    }

    /// This, and all that it is a part of.
    pub(crate) fn chain(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// What there is to be allowed.
    pub(crate) fn applicable(&self) -> PermissionSet {
        match self {
            Self::AllKeyspaces | Self::Keyspace(_) | Self::AllTables(_) => PermissionSet::OF_KEYSPACE,
            Self::Table(..) => PermissionSet::OF_TABLE,
            Self::AllRoles => PermissionSet::OF_ROLES,
            Self::Role(_) => PermissionSet::OF_ROLE,
        }
    }
}

impl Display for Resource {
    /// As Cassandra's messages and lists have it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllKeyspaces => f.write_str("<all keyspaces>"),
            Self::Keyspace(keyspace) => write!(f, "<keyspace {keyspace}>"),
            Self::AllTables(keyspace) => write!(f, "<all tables in {keyspace}>"),
            Self::Table(keyspace, table) => write!(f, "<table {keyspace}.{table}>"),
            Self::AllRoles => f.write_str("<all roles>"),
            Self::Role(role) => write!(f, "<role {role}>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_by_its_name_and_is_a_part_of_what_it_says() {
        let own = |name: &str| name.to_owned();
        let all = [
            (Resource::AllKeyspaces, "data", "<all keyspaces>", None),
            (Resource::Keyspace(own("k")), "data/k", "<keyspace k>", Some("data")),
            (Resource::AllTables(own("k")), "data/k/*", "<all tables in k>", Some("data/k")),
            (Resource::Table(own("k"), own("t")), "data/k/t", "<table k.t>", Some("data/k/*")),
            (Resource::AllRoles, "roles", "<all roles>", None),
            (Resource::Role(own("a/b")), "roles/a/b", "<role a/b>", Some("roles")),
        ];
        for (resource, name, shown, parent) in all {
            assert_eq!((resource.name().as_str(), resource.to_string().as_str()), (name, shown));
            assert_eq!(Resource::of_name(name).as_ref(), Some(&resource));
            assert_eq!(resource.parent().map(|parent| parent.name()).as_deref(), parent);
        }
        assert_eq!(Resource::Table(own("k"), own("t")).chain().count(), 4);
        assert_eq!(Resource::of_name("functions"), None);
    }
}
