//! Roles, users and permissions. Their names are printed as text, which keeps their case.

use std::fmt::{self, Display, Formatter};

use super::{Joined, Pairs, Quoted, when};
use crate::wide_column::cql::ast::{Name, Permissions, Resource, RoleOption, RoleStatement, UserOptions};

fn role(name: &Name) -> Quoted<'_> {
    Quoted(name.as_str())
}

/// `TO`/`FROM`, and all of something or a list of it.
fn access(f: &mut Formatter<'_>, what: &str, names: Option<&[Box<str>]>) -> fmt::Result {
    let (preposition, noun) = what.split_once(' ').unwrap_or((what, ""));
    match names {
        None => write!(f, "ACCESS {preposition} ALL {noun}"),
        Some(names) => {
            let names: Vec<_> = names.iter().map(|name| Quoted(name)).collect();
            write!(f, "ACCESS {preposition} {noun} {{{}}}", Joined(&names, ", "))
        }
    }
}

impl Display for RoleOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(password) => write!(f, "PASSWORD = {}", Quoted(password)),
            Self::HashedPassword(hash) => write!(f, "HASHED PASSWORD = {}", Quoted(hash)),
            Self::Options(entries) => write!(f, "OPTIONS = {{{}}}", Pairs(entries, ": ")),
            Self::Superuser(value) => write!(f, "SUPERUSER = {value}"),
            Self::Login(value) => write!(f, "LOGIN = {value}"),
            Self::Datacenters(names) => access(f, "TO DATACENTERS", names.as_deref()),
            Self::Cidrs(names) => access(f, "FROM CIDRS", names.as_deref()),
        }
    }
}

/// `WITH` and options, if there are any.
struct Options<'a>(&'a [RoleOption]);

impl Display for Options<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " WITH {}", Joined(self.0, " AND ")) }
    }
}

impl Display for UserOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((password, is_hashed)) = &self.password {
            write!(f, " WITH {}PASSWORD {}", when(*is_hashed, "HASHED "), Quoted(password))?;
        }
        match self.superuser {
            Some(true) => f.write_str(" SUPERUSER"),
            Some(false) => f.write_str(" NOSUPERUSER"),
            None => Ok(()),
        }
    }
}

impl Display for Permissions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Some(permissions) => Joined(permissions, ", ").fmt(f),
        }
    }
}

impl Display for Resource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllKeyspaces => f.write_str("ALL KEYSPACES"),
            Self::Keyspace(name) => write!(f, "KEYSPACE {name}"),
            Self::AllTables(keyspace) => write!(f, "ALL TABLES IN KEYSPACE {keyspace}"),
            Self::Table(name) => write!(f, "TABLE {name}"),
            Self::AllRoles => f.write_str("ALL ROLES"),
            Self::Role(name) => write!(f, "ROLE {}", role(name)),
            Self::AllFunctions(keyspace) => {
                f.write_str("ALL FUNCTIONS")?;
                keyspace.iter().try_for_each(|keyspace| write!(f, " IN KEYSPACE {keyspace}"))
            }
            Self::Function(name, arguments) => write!(f, "FUNCTION {name}({})", Joined(arguments, ", ")),
            Self::AllMbeans => f.write_str("ALL MBEANS"),
            Self::Mbean(name) => write!(f, "MBEAN {}", Quoted(name)),
            Self::Mbeans(pattern) => write!(f, "MBEANS {}", Quoted(pattern)),
        }
    }
}

/// `OF` and a role, if there is one, and `NORECURSIVE`.
fn of_role(f: &mut Formatter<'_>, of: Option<&Name>, no_recursive: bool) -> fmt::Result {
    of.iter().try_for_each(|of| write!(f, " OF {}", role(of)))?;
    f.write_str(when(no_recursive, " NORECURSIVE"))
}

impl Display for RoleStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unless = |there: &bool| when(*there, "IF NOT EXISTS ");
        let if_there = |there: &bool| when(*there, "IF EXISTS ");
        match self {
            Self::CreateRole { if_not_exists, name, options } => {
                write!(f, "CREATE ROLE {}{}{}", unless(if_not_exists), role(name), Options(options))
            }
            Self::AlterRole { if_exists, name, options } => {
                write!(f, "ALTER ROLE {}{}{}", if_there(if_exists), role(name), Options(options))
            }
            Self::DropRole { if_exists, name } => write!(f, "DROP ROLE {}{}", if_there(if_exists), role(name)),
            Self::CreateUser { if_not_exists, name, options } => {
                write!(f, "CREATE USER {}{}{options}", unless(if_not_exists), role(name))
            }
            Self::AlterUser { if_exists, name, options } => {
                write!(f, "ALTER USER {}{}{options}", if_there(if_exists), role(name))
            }
            Self::DropUser { if_exists, name } => write!(f, "DROP USER {}{}", if_there(if_exists), role(name)),
            Self::AddIdentity { if_not_exists, identity, role } => {
                let (identity, role) = (Quoted(identity), Quoted(role));
                write!(f, "ADD IDENTITY {}{identity} TO ROLE {role}", unless(if_not_exists))
            }
            Self::DropIdentity { if_exists, identity } => {
                write!(f, "DROP IDENTITY {}{}", if_there(if_exists), Quoted(identity))
            }
            Self::ListUsers => f.write_str("LIST USERS"),
            Self::ListRoles { of, no_recursive } => {
                f.write_str("LIST ROLES")?;
                of_role(f, of.as_ref(), *no_recursive)
            }
            Self::GrantRole { role: granted, grantee } => write!(f, "GRANT {} TO {}", role(granted), role(grantee)),
            Self::RevokeRole { role: revoked, revokee } => {
                write!(f, "REVOKE {} FROM {}", role(revoked), role(revokee))
            }
            Self::Grant { permissions, resource, grantee } => {
                write!(f, "GRANT {permissions} ON {resource} TO {}", role(grantee))
            }
            Self::Revoke { permissions, resource, revokee } => {
                write!(f, "REVOKE {permissions} ON {resource} FROM {}", role(revokee))
            }
            Self::ListPermissions { permissions, resource, of, no_recursive } => {
                write!(f, "LIST {permissions}")?;
                resource.iter().try_for_each(|resource| write!(f, " ON {resource}"))?;
                of_role(f, of.as_ref(), *no_recursive)
            }
        }
    }
}
