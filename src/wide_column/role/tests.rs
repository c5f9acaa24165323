//! What roles may do, against a model that looks at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use crate::store::Store;
use crate::txn::Scope;
use crate::wide_column::cql::Cql;
use crate::wide_column::role::{Permission, Resource, RoleActor};
use crate::wide_column::target::operation;

const ROLES: [&str; 4] = ["a", "b", "c", "d"];
const RESOURCES: [(&str, &str); 5] = [
    ("ALL KEYSPACES", "data"),
    ("KEYSPACE k", "data/k"),
    ("ALL TABLES IN KEYSPACE k", "data/k/*"),
    ("TABLE k.t", "data/k/t"),
    ("TABLE k.u", "data/k/u"),
];
const PERMISSIONS: [Permission; 2] = [Permission::Select, Permission::Modify];

/// What statements about roles come to, as somebody would write it down.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Each with whether it is a superuser.
    roles: BTreeMap<&'static str, bool>,
    /// A role, and one that it was granted.
    members: BTreeSet<(&'static str, &'static str)>,
    permissions: BTreeSet<(&'static str, &'static str, Permission)>,
    tables: BTreeSet<&'static str>,
}

impl Model {
    /// Whether one role is another, or was granted it by however many steps.
    fn is(&self, one: &str, other: &str) -> bool {
        one == other || self.members.iter().any(|(member, of)| *member == one && self.is(of, other))
    }

    fn may(&self, role: &str, resource: &str, permission: Permission) -> bool {
        let is_part_of = |whole: &str| match whole {
            "data" => true,
            "data/k" => resource != "data",
            "data/k/*" => !["data", "data/k"].contains(&resource),
            _ => whole == resource,
        };
        let all = self.roles.iter().filter(|(name, _)| self.roles.contains_key(role) && self.is(role, name));
        let mut all = all.map(|(name, is_superuser)| (*name, *is_superuser));
        all.any(|(name, is_superuser)| {
            let granted =
                |(of, on, what): &(&str, &str, Permission)| *of == name && *what == permission && is_part_of(on);
            is_superuser || self.permissions.iter().any(granted)
        })
    }
}

#[derive(Clone, Debug)]
enum Step {
    Create(usize, bool),
    Drop(usize),
    GrantRole(usize, usize),
    RevokeRole(usize, usize),
    Grant(usize, usize, usize),
    Revoke(usize, usize, usize),
    DropTable(usize),
    CreateTable(usize),
    DropKeyspace,
}

fn step() -> impl Strategy<Value = Step> {
    let (role, resource, permission) = (0..ROLES.len(), 0..RESOURCES.len(), 0..PERMISSIONS.len());
    let triple = (role.clone(), resource, permission);
    prop_oneof![
        3 => (role.clone(), prop::bool::weighted(0.1)).prop_map(|(role, is_super)| Step::Create(role, is_super)),
        1 => role.clone().prop_map(Step::Drop),
        4 => (role.clone(), role.clone()).prop_map(|(role, to)| Step::GrantRole(role, to)),
        1 => (role.clone(), role).prop_map(|(role, from)| Step::RevokeRole(role, from)),
        4 => triple.clone().prop_map(|(role, resource, permission)| Step::Grant(role, resource, permission)),
        1 => triple.prop_map(|(role, resource, permission)| Step::Revoke(role, resource, permission)),
        1 => (3..5_usize).prop_map(Step::DropTable),
        2 => (3..5_usize).prop_map(Step::CreateTable),
        1 => Just(Step::DropKeyspace),
    ]
}

/// Makes a step with both; whether it is refused has to agree.
fn make(session: &Cql, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let there = |model: &Model, role: &str| model.roles.contains_key(role);
    let (text, is_right) = match *step {
        Step::Create(role, is_super) => {
            let name = ROLES[role];
            let is_new = !there(model, name);
            model.roles.entry(name).or_insert(is_super);
            (format!("CREATE ROLE {name} WITH SUPERUSER = {is_super}"), is_new)
        }
        Step::Drop(role) => {
            let name = ROLES[role];
            let was_there = model.roles.remove(name).is_some();
            model.members.retain(|(member, of)| ![*member, *of].contains(&name));
            model.permissions.retain(|(of, ..)| *of != name);
            (format!("DROP ROLE {name}"), was_there)
        }
        Step::GrantRole(role, to) => {
            let (role, to) = (ROLES[role], ROLES[to]);
            let is_right = there(model, role) && there(model, to) && !model.is(role, to) && !model.is(to, role);
            if is_right {
                model.members.insert((to, role));
            }
            (format!("GRANT {role} TO {to}"), is_right)
        }
        Step::RevokeRole(role, from) => {
            let (role, from) = (ROLES[role], ROLES[from]);
            (format!("REVOKE {role} FROM {from}"), model.members.remove(&(from, role)))
        }
        Step::Grant(role, resource, permission) | Step::Revoke(role, resource, permission) => {
            let (role, (resource, name), permission) = (ROLES[role], RESOURCES[resource], PERMISSIONS[permission]);
            let is_table = name.starts_with("data/k/") && name != "data/k/*";
            let is_keyspace = name != "data" && !is_table;
            let is_there = !is_table || model.tables.contains(name);
            let is_right = there(model, role) && is_there && (!is_keyspace || !model.tables.is_empty());
            let is_grant = matches!(step, Step::Grant(..));
            if is_right && is_grant {
                model.permissions.insert((role, name, permission));
            } else if is_right {
                model.permissions.remove(&(role, name, permission));
            }
            let (verb, to) = if is_grant { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
            (format!("{verb} {permission} ON {resource} {to} {role}"), is_right)
        }
        Step::DropTable(table) => {
            let (_, name) = RESOURCES[table];
            model.permissions.retain(|(_, on, _)| *on != name);
            let label = name.replace("data/k/", "k.");
            (format!("DROP TABLE {label}"), model.tables.remove(name))
        }
        Step::CreateTable(table) => {
            let (_, name) = RESOURCES[table];
            model.tables.insert(name);
            let label = name.replace("data/k/", "k.");
            let keyspace = "CREATE KEYSPACE IF NOT EXISTS k \
                            WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
            session.execute(keyspace, ()).unwrap();
            (format!("CREATE TABLE IF NOT EXISTS {label} (p int PRIMARY KEY)"), true)
        }
        Step::DropKeyspace => {
            model.permissions.retain(|(_, on, _)| *on == "data");
            model.tables.clear();
            ("DROP KEYSPACE IF EXISTS k".to_owned(), true)
        }
    };
    let outcome = session.execute(&text, ());
    prop_assert_eq!(outcome.is_ok(), is_right, "{}: {:?}", text, outcome);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn roles_may_do_what_they_and_those_they_were_granted_may(steps in prop::collection::vec(step(), 0..40)) {
        let store = Store::in_memory();
        let session = store.cql();
        let mut model = Model::default();
        for step in &steps {
            // The keyspace is there as long as it has had a table since it was dropped; so it is in the model when it has one.
            if matches!(step, Step::Grant(..) | Step::Revoke(..)) && model.tables.is_empty() {
                session.execute("DROP KEYSPACE IF EXISTS k", ()).unwrap();
                model.permissions.retain(|(_, on, _)| *on == "data");
            }
            make(&session, &mut model, step)?;
            for role in ROLES {
                let actor = RoleActor { name: role.into(), configured: Arc::default() };
                for ((_, name), permission) in RESOURCES.iter().flat_map(|of| PERMISSIONS.map(|own| (of, own))) {
                    let resource = Resource::of_name(name).unwrap();
                    let may = session.scope().read(operation("test", ""), |view| actor.may(view, permission, &resource));
                    prop_assert_eq!(may.unwrap(), model.may(role, name, permission), "{} {} {}", role, permission, name);
                }
            }
        }
    }
}
