//! Who runs statements.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::exception::Exception;
use crate::wide_column::role::permission::Permission;
use crate::wide_column::role::resource::Resource;
use crate::wide_column::role::rights::Rights;

/// Who runs statements.
#[derive(Clone, Debug, Default)]
pub(crate) enum Actor {
    /// The program that has the store. It may do everything.
    #[default]
    Program,
    /// A client that was not asked who it is. It may do everything but what is about roles.
    #[allow(dead_code, reason = "not every door speaks CQL")]
    Anonymous,
    /// A role.
    Role(RoleActor),
}

/// A role that runs statements.
#[derive(Clone, Debug)]
pub(crate) struct RoleActor {
    pub(crate) name: Arc<str>,
    /// Names of roles that are there from the start, and may do everything: the users that a door is opened with.
    pub(crate) configured: Arc<BTreeSet<String>>,
}

impl Actor {
    /// The role, if it is one.
    pub(crate) fn role(&self) -> Option<&RoleActor> {
        match self {
            Self::Role(role) => Some(role),
            Self::Program | Self::Anonymous => None,
        }
    }

    /// Refuses what a role was not permitted. Everybody else may do it.
    ///
    /// # Errors
    /// Unauthorized, in Cassandra's words.
    pub(crate) fn ensure(&self, view: &View, permission: Permission, resource: &Resource) -> Result<()> {
        self.role().map_or(Ok(()), |role| role.ensure(view, permission, resource))
    }
}

impl RoleActor {
    /// Refuses what was not permitted.
    ///
    /// # Errors
    /// Unauthorized, in Cassandra's words.
    ///
    /// # Cost
    /// Of a role that is there from the start, a lookup of its name; of others, that of [`Rights::of`].
    pub(crate) fn ensure(&self, view: &View, permission: Permission, resource: &Resource) -> Result<()> {
        if self.may(view, permission, resource)? {
            return Ok(());
        }
        let name = &self.name;
        Err(unauthorized(format!("User {name} has no {permission} permission on {resource} or any of its parents")))
    }

    /// Whether something is permitted.
    pub(crate) fn may(&self, view: &View, permission: Permission, resource: &Resource) -> Result<bool> {
        if self.is_configured() {
            return Ok(true);
        }
        let rights = self.rights(view)?;
        Ok(self.is_superuser_by(&rights) || rights.has(permission, resource))
    }

    /// Whether it may do everything, by itself or by a role that it has been granted.
    pub(crate) fn is_superuser(&self, view: &View) -> Result<bool> {
        Ok(self.is_configured() || self.is_superuser_by(&*self.rights(view)?))
    }

    pub(crate) fn rights(&self, view: &View) -> Result<Arc<Rights>> {
        Rights::of(view, &self.name)
    }

    fn is_configured(&self) -> bool {
        self.configured.contains(&*self.name)
    }

    fn is_superuser_by(&self, rights: &Rights) -> bool {
        rights.is_superuser || rights.roles.iter().any(|role| self.configured.contains(role))
    }
}

/// An error of class *Unauthorized*.
pub(crate) fn unauthorized(message: impl Into<String>) -> Error {
    Exception::Unauthorized.error(message)
}
