//! Roles, users and permissions.

use crate::wide_column::cql::ast::name::{Name, QualifiedName};
use crate::wide_column::cql::ast::term::Literal;
use crate::wide_column::cql::ast::types::TypeName;
use crate::wide_column::role::Permission;

/// One option of a role.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RoleOption {
    /// `PASSWORD = '…'`
    Password(Box<str>),
    /// `HASHED PASSWORD = '…'`
    HashedPassword(Box<str>),
    /// `OPTIONS = {… : …}`
    Options(Vec<(Literal, Literal)>),
    /// `SUPERUSER = …`
    Superuser(bool),
    /// `LOGIN = …`
    Login(bool),
    /// `ACCESS TO ALL DATACENTERS`, or only to those of a list.
    Datacenters(Option<Vec<Box<str>>>),
    /// `ACCESS FROM ALL CIDRS`, or only from those of a list.
    Cidrs(Option<Vec<Box<str>>>),
}

/// What is said of a user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UserOptions {
    /// `WITH PASSWORD '…'`, and whether it is `HASHED`.
    pub(crate) password: Option<(Box<str>, bool)>,
    /// `SUPERUSER` or `NOSUPERUSER`.
    pub(crate) superuser: Option<bool>,
}

/// Which permissions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Permissions {
    /// `ALL`
    All,
    /// Those that are named.
    Some(Vec<Permission>),
}

/// What a permission is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resource {
    /// `ALL KEYSPACES`
    AllKeyspaces,
    /// `KEYSPACE`
    Keyspace(Name),
    /// `ALL TABLES IN KEYSPACE`
    AllTables(Name),
    /// `TABLE`
    Table(QualifiedName),
    /// `ALL ROLES`
    AllRoles,
    /// `ROLE`
    Role(Name),
    /// `ALL FUNCTIONS`, perhaps `IN KEYSPACE`
    AllFunctions(Option<Name>),
    /// `FUNCTION`
    Function(QualifiedName, Vec<TypeName>),
    /// `ALL MBEANS`
    AllMbeans,
    /// `MBEAN`
    Mbean(Box<str>),
    /// `MBEANS`
    Mbeans(Box<str>),
}

/// A statement about roles, users or permissions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RoleStatement {
    /// `CREATE ROLE`
    CreateRole {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// What it is called.
        name: Name,
        /// Behind `WITH`.
        options: Vec<RoleOption>,
    },
    /// `ALTER ROLE`
    AlterRole {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
        /// Behind `WITH`.
        options: Vec<RoleOption>,
    },
    /// `DROP ROLE`
    DropRole {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
    },
    /// `CREATE USER`
    CreateUser {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// What it is called.
        name: Name,
        /// What is said of it.
        options: UserOptions,
    },
    /// `ALTER USER`
    AlterUser {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
        /// What is said of it.
        options: UserOptions,
    },
    /// `DROP USER`
    DropUser {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
    },
    /// `ADD IDENTITY`
    AddIdentity {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// The identity.
        identity: Box<str>,
        /// Of which role.
        role: Box<str>,
    },
    /// `DROP IDENTITY`
    DropIdentity {
        /// `IF EXISTS`
        if_exists: bool,
        /// The identity.
        identity: Box<str>,
    },
    /// `LIST USERS`
    ListUsers,
    /// `LIST ROLES`
    ListRoles {
        /// `OF`
        of: Option<Name>,
        /// `NORECURSIVE`
        no_recursive: bool,
    },
    /// `GRANT role TO role`
    GrantRole {
        /// What is granted.
        role: Name,
        /// To whom.
        grantee: Name,
    },
    /// `REVOKE role FROM role`
    RevokeRole {
        /// What is revoked.
        role: Name,
        /// From whom.
        revokee: Name,
    },
    /// `GRANT permissions ON resource TO role`
    Grant {
        /// What may be done.
        permissions: Permissions,
        /// With what.
        resource: Resource,
        /// By whom.
        grantee: Name,
    },
    /// `REVOKE permissions ON resource FROM role`
    Revoke {
        /// What may not be done.
        permissions: Permissions,
        /// With what.
        resource: Resource,
        /// By whom.
        revokee: Name,
    },
    /// `LIST permissions`
    ListPermissions {
        /// Which.
        permissions: Permissions,
        /// `ON`
        resource: Option<Resource>,
        /// `OF`
        of: Option<Name>,
        /// `NORECURSIVE`
        no_recursive: bool,
    },
}
