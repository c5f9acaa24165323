//! What roles may be allowed to do.

use std::fmt::{self, Display, Formatter};

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// One thing that a role may be allowed to do. Lists of permissions are in this order, as in Cassandra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Permission {
    /// `CREATE`
    Create,
    /// `ALTER`
    Alter,
    /// `DROP`
    Drop,
    /// `SELECT`
    Select,
    /// `MODIFY`
    Modify,
    /// `AUTHORIZE`
    Authorize,
    /// `DESCRIBE`
    Describe,
    /// `EXECUTE`
    Execute,
    /// `UNMASK`
    Unmask,
    /// `SELECT_MASKED`
    SelectMasked,
}

impl Permission {
    const ALL: [Self; 10] = [
        Self::Create,
        Self::Alter,
        Self::Drop,
        Self::Select,
        Self::Modify,
        Self::Authorize,
        Self::Describe,
        Self::Execute,
        Self::Unmask,
        Self::SelectMasked,
    ];
}

impl Display for Permission {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "CREATE",
            Self::Alter => "ALTER",
            Self::Drop => "DROP",
            Self::Select => "SELECT",
            Self::Modify => "MODIFY",
            Self::Authorize => "AUTHORIZE",
            Self::Describe => "DESCRIBE",
            Self::Execute => "EXECUTE",
            Self::Unmask => "UNMASK",
            Self::SelectMasked => "SELECT_MASKED",
        })
    }
}

bitflags! {
    /// Several permissions. The bits are stored; never reuse one.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct PermissionSet: u16 {
        /// [`Permission::Create`]
        const CREATE = 1 << 0;
        /// [`Permission::Alter`]
        const ALTER = 1 << 1;
        /// [`Permission::Drop`]
        const DROP = 1 << 2;
        /// [`Permission::Select`]
        const SELECT = 1 << 3;
        /// [`Permission::Modify`]
        const MODIFY = 1 << 4;
        /// [`Permission::Authorize`]
        const AUTHORIZE = 1 << 5;
        /// [`Permission::Describe`]
        const DESCRIBE = 1 << 6;
        /// [`Permission::Execute`]
        const EXECUTE = 1 << 7;
        /// [`Permission::Unmask`]
        const UNMASK = 1 << 8;
        /// [`Permission::SelectMasked`]
        const SELECT_MASKED = 1 << 9;
    }
}

impl PermissionSet {
    /// What a table may be used for.
    pub(super) const OF_TABLE: Self = Self::ALTER
        .union(Self::DROP)
        .union(Self::SELECT)
        .union(Self::MODIFY)
        .union(Self::AUTHORIZE)
        .union(Self::UNMASK)
        .union(Self::SELECT_MASKED);
    /// What a keyspace, all of them, or all tables of one may be used for.
    pub(super) const OF_KEYSPACE: Self = Self::OF_TABLE.union(Self::CREATE);
    /// What may be done with a role.
    pub(super) const OF_ROLE: Self = Self::ALTER.union(Self::DROP).union(Self::AUTHORIZE);
    /// What may be done with all roles.
    pub(super) const OF_ROLES: Self = Self::OF_ROLE.union(Self::CREATE).union(Self::DESCRIBE);

    pub(crate) fn has(self, permission: Permission) -> bool {
        self.contains(permission.into())
    }

    /// Each of them, in order.
    pub(crate) fn each(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |own| self.has(*own))
    }
}

impl From<Permission> for PermissionSet {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Create => Self::CREATE,
            Permission::Alter => Self::ALTER,
            Permission::Drop => Self::DROP,
            Permission::Select => Self::SELECT,
            Permission::Modify => Self::MODIFY,
            Permission::Authorize => Self::AUTHORIZE,
            Permission::Describe => Self::DESCRIBE,
            Permission::Execute => Self::EXECUTE,
            Permission::Unmask => Self::UNMASK,
            Permission::SelectMasked => Self::SELECT_MASKED,
        }
    }
}

/// What is kept of a grant: the bits of [`PermissionSet`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Granted(pub(super) u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_has_a_bit_of_its_own() {
        let bits: Vec<u16> = Permission::ALL.into_iter().map(|own| PermissionSet::from(own).bits()).collect();
        assert_eq!(bits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        assert!(PermissionSet::all().each().eq(Permission::ALL));
        assert!(PermissionSet::empty().each().next().is_none());
    }
}
