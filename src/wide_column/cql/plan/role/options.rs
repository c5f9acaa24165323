//! What statements say of a role.

use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::cql::ast::{RoleOption, RoleStatement, UserOptions};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::exception::Exception;
use crate::wide_column::role::{Actor, SaltedHash};

/// What a statement says of a role.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The hash of its password.
    pub(super) salted_hash: Option<String>,
    pub(super) is_superuser: Option<bool>,
    pub(super) can_login: Option<bool>,
    /// What was said, as Cassandra calls it, in the order in which it was said.
    said: Vec<&'static str>,
    /// Why it cannot be, if that is so.
    refusal: Option<Refusal>,
}

/// Why something cannot be said of a role.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// Cassandra refuses it, too.
    Invalid(&'static str),
    /// It is not modelled.
    Unsupported(&'static str),
}

/// The password in a statement that is not hashed yet.
pub(super) fn password(statement: &RoleStatement) -> Result<Option<&str>> {
    use RoleStatement::{AlterRole, AlterUser, CreateRole, CreateUser};
    let found = match statement {
        CreateRole { options, .. } | AlterRole { options, .. } => options.iter().find_map(|option| match option {
            RoleOption::Password(password) => Some(&**password),
            _ => None,
        }),
        CreateUser { options, .. } | AlterUser { options, .. } => match &options.password {
            Some((password, false)) => Some(&**password),
            _ => None,
        },
        _ => None,
    };
    if let Some(password) = found {
        limits::check("bytes of a password", limits::CQL_PASSWORD_BYTES_MAX, password.len())?;
    }
    Ok(found)
}

impl Options {
    /// What a statement says; `hash` is that of its password.
    ///
    /// # Errors
    /// Those of syntax, for something that is said twice. What else is wrong [`check`](Self::check) says.
    pub(super) fn of(statement: &RoleStatement, hash: Option<&SaltedHash>) -> Result<Self> {
        use RoleStatement::{AlterRole, AlterUser, CreateRole, CreateUser};
        let mut own = Self { salted_hash: hash.map(SaltedHash::to_string), ..Self::default() };
        match statement {
            CreateRole { options, .. } | AlterRole { options, .. } => {
                options.iter().try_for_each(|option| own.add(option))?;
            }
            CreateUser { options, .. } => {
                own.add_user(options)?;
                // As in Cassandra, a user is a role that logs in.
                own.is_superuser = Some(options.superuser.unwrap_or_default());
                own.can_login = Some(true);
            }
            AlterUser { options, .. } => {
                own.add_user(options)?;
                if let Some(superuser) = options.superuser {
                    own.add(&RoleOption::Superuser(superuser))?;
                }
            }
            _ => {}
        }
        Ok(own)
    }

    fn add_user(&mut self, options: &UserOptions) -> Result<()> {
        match &options.password {
            Some((hash, true)) => self.add(&RoleOption::HashedPassword(hash.clone())),
            Some((password, false)) => self.add(&RoleOption::Password(password.clone())),
            None => Ok(()),
        }
    }

    fn add(&mut self, option: &RoleOption) -> Result<()> {
        let name = match option {
            RoleOption::Password(_) => "PASSWORD",
            RoleOption::HashedPassword(hash) => {
                match SaltedHash::parse(hash) {
                    Some(hash) => self.salted_hash = Some(hash.to_string()),
                    None if hash.starts_with("$2") => self.refuse(Refusal::Unsupported("HASHED PASSWORD by bcrypt")),
                    None => self.refuse(Refusal::Invalid("Invalid hashed password value. Please use pbkdf2-sha256.")),
                }
                "HASHED_PASSWORD"
            }
            RoleOption::Options(_) => {
                self.refuse(Refusal::Invalid("org.apache.cassandra.auth.CassandraRoleManager doesn't support OPTIONS"));
                "OPTIONS"
            }
            RoleOption::Superuser(value) => {
                self.is_superuser = Some(*value);
                "SUPERUSER"
            }
            RoleOption::Login(value) => {
                self.can_login = Some(*value);
                "LOGIN"
            }
            // Everybody may come from everywhere, which is what `ALL` says.
            RoleOption::Datacenters(None) => "DATACENTERS",
            RoleOption::Cidrs(None) => "CIDRS",
            RoleOption::Datacenters(Some(_)) => {
                let why = "ACCESS TO DATACENTERS operations not supported by AllowAllNetworkAuthorizer";
                self.refuse(Refusal::Invalid(why));
                "DATACENTERS"
            }
            RoleOption::Cidrs(Some(_)) => {
                self.refuse(Refusal::Unsupported("ACCESS FROM CIDRS"));
                "CIDRS"
            }
        };
        if self.said.contains(&name) {
            return Err(Exception::Syntax.error(format!("Multiple definition for property '{name}'")));
        }
        self.said.push(name);
        Ok(())
    }

    /// Keeps the first reason there is.
    fn refuse(&mut self, why: Refusal) {
        self.refusal.get_or_insert(why);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The first thing that is said and that a role may not change of itself.
    pub(super) fn not_own(&self) -> Option<&'static str> {
        let is_option = |name: &&str| matches!(*name, "OPTIONS" | "SUPERUSER" | "LOGIN");
        self.said.iter().copied().find(is_option)
    }

    /// Refuses what cannot be said of a role.
    pub(super) fn check(&self, actor: &Actor) -> Result<()> {
        let is_password = |name: &&&str| matches!(**name, "PASSWORD" | "HASHED_PASSWORD");
        if let (Actor::Anonymous, Some(name)) = (actor, self.said.iter().find(is_password)) {
            return Err(invalid(format!("org.apache.cassandra.auth.CassandraRoleManager doesn't support {name}")));
        }
        match self.refusal {
            Some(Refusal::Invalid(why)) => Err(invalid(why)),
            Some(Refusal::Unsupported(feature)) => Err(Error::unsupported(feature)),
            None => Ok(()),
        }
    }
}
