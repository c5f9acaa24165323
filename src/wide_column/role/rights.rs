//! What a role may do, with what roles that were granted to it may.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::encoding::owner::Slot;
use crate::error::Result;
use crate::txn::{State, View};
use crate::wide_column::role::permission::{Permission, PermissionSet};
use crate::wide_column::role::resource::Resource;
use crate::wide_column::role::{grants, record};

/// What is kept of a role and of those that it has been granted, whoever granted them to one another.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    /// Its own name, and theirs, whether something is kept of them or not.
    pub(crate) roles: BTreeSet<String>,
    /// Whether one of them is kept as a superuser.
    pub(crate) is_superuser: bool,
    /// By the name of the resource.
    grants: FxHashMap<String, PermissionSet>,
}

impl Rights {
    /// Those of the role `name`. One that there is not may do nothing.
    ///
    /// # Cost
    /// O(roles and grants) once after each change of the catalogue, then O(1).
    pub(crate) fn of(view: &View, name: &str) -> Result<Arc<Self>> {
        // A transaction that has its reads checked has to read.
        let epoch = view.epoch().filter(|_| !view.is_tracked());
        let Some(epoch) = epoch else { return Self::find(view, name).map(Arc::new) };
        let kept = &view.state::<Kept>().0;
        if let Some(found) = kept.lock().turn_to(epoch).get(name) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(Self::find(view, name)?);
        kept.lock().turn_to(epoch).insert(name.to_owned(), Arc::clone(&found));
        Ok(found)
    }

    fn find(view: &View, name: &str) -> Result<Self> {
        let mut found = Self::default();
        let mut next = VecDeque::from([name.to_owned()]);
        while let Some(name) = next.pop_front() {
            if !found.roles.insert(name.clone()) {
                continue;
            }
            for grant in grants::list(view, Some(&name))? {
                *found.grants.entry(grant.resource).or_default() |= grant.permissions;
            }
            let role = record::get(view, &name)?.unwrap_or_default();
            found.is_superuser |= role.is_superuser;
            next.extend(role.member_of);
        }
        Ok(found)
    }

    /// Whether something is allowed with a resource or with what that is a part of.
    pub(crate) fn has(&self, permission: Permission, resource: &Resource) -> bool {
        resource.chain().any(|own| self.has_on(permission, &own))
    }

    /// Whether something is allowed with a resource itself.
    pub(crate) fn has_on(&self, permission: Permission, resource: &Resource) -> bool {
        self.grants.get(&resource.name()).is_some_and(|granted| granted.has(permission))
    }
}

/// What was found of roles since the catalogue has changed last.
#[derive(Debug, Default)]
struct Kept(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    epoch: Option<u64>,
    by_name: FxHashMap<String, Arc<Rights>>,
}

impl Found {
    /// What was found in this state of the catalogue.
    fn turn_to(&mut self, epoch: u64) -> &mut FxHashMap<String, Arc<Rights>> {
        if self.epoch != Some(epoch) {
            *self = Self { epoch: Some(epoch), ..Self::default() };
        }
        &mut self.by_name
    }
}

impl State for Kept {
    const SLOT: Slot = Slot::WideRoles;
}
