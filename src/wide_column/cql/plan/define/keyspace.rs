//! Keyspaces.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::txn::Writer;
use crate::wide_column::cql::ast::{CreateKeyspace, Name, Property};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::cql::plan::define::common::{already_exists, check_name, check_not_system};
use crate::wide_column::cql::plan::define::properties::{boolean, map};
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::keyspace::{self, Keyspace};

const SIMPLE: &str = "org.apache.cassandra.locator.SimpleStrategy";
const NETWORK: &str = "org.apache.cassandra.locator.NetworkTopologyStrategy";
/// The data centre of this node.
const DATACENTER: &str = "datacenter1";

/// `CREATE KEYSPACE`
pub(super) fn create_keyspace(writer: &mut Writer, create: &CreateKeyspace) -> Result<()> {
    let name = create.name.as_str();
    check_name("Keyspace", name)?;
    let keyspace = keyspace_of(name, Keyspace::default(), &create.properties, true)?;
    check_not_system(name)?;
    if keyspace::get(writer, name)?.is_some() {
        return if create.if_not_exists {
            Ok(())
        } else {
            Err(already_exists(format!("Cannot add existing keyspace \"{name}\"")))
        };
    }
    keyspace::put(writer, name, keyspace)
}

/// `ALTER KEYSPACE`
pub(super) fn alter_keyspace(writer: &mut Writer, if_exists: bool, name: &Name, properties: &[Property]) -> Result<()> {
    let name = name.as_str();
    check_not_system(name)?;
    let Some(before) = keyspace::get(writer, name)? else {
        return if if_exists { Ok(()) } else { Err(invalid(format!("Keyspace '{name}' doesn't exist"))) };
    };
    let after = keyspace_of(name, before, properties, false)?;
    keyspace::put(writer, name, after)
}

/// What `WITH` of a keyspace says, laid over what was there.
fn keyspace_of(name: &str, mut keyspace: Keyspace, properties: &[Property], is_new: bool) -> Result<Keyspace> {
    let mut has_replication = false;
    for property in properties {
        match property.name.as_str() {
            "replication" => {
                keyspace.replication = replication(name, map(property)?)?;
                has_replication = true;
            }
            "durable_writes" => keyspace.durable_writes = boolean(property)?,
            other => return Err(Exception::Syntax.error(format!("Unknown property '{other}'"))),
        }
    }
    if is_new && !has_replication {
        return Err(Exception::Config.error("Missing mandatory replication strategy class"));
    }
    Ok(keyspace)
}

/// Checks a strategy and its options; the class is written out.
fn replication(keyspace: &str, mut options: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let refuse = |message: String| Err(Exception::Config.error(message));
    let Some(class) = options.remove("class") else {
        return refuse("Missing replication strategy class".to_owned());
    };
    let class = match class.rsplit('.').next() {
        Some("SimpleStrategy") => SIMPLE,
        Some("NetworkTopologyStrategy") => NETWORK,
        _ => {
            return refuse(format!("Unable to find replication strategy class 'org.apache.cassandra.locator.{class}'"));
        }
    };
    if class == SIMPLE && !options.contains_key("replication_factor") {
        return refuse("SimpleStrategy requires a replication_factor strategy option.".to_owned());
    }
    for (name, value) in &options {
        let is_known = name == "replication_factor" || (class == NETWORK && name == DATACENTER);
        if !is_known {
            let strategy = if class == SIMPLE { "SimpleStrategy" } else { "NetworkTopologyStrategy" };
            return refuse(format!(
                "Unrecognized strategy option {{{name}}} passed to {strategy} for keyspace {keyspace}"
            ));
        }
        if value.parse::<u32>().is_err() {
            return refuse(format!("Replication factor must be numeric; found {value}"));
        }
    }
    options.insert("class".to_owned(), class.to_owned());
    Ok(options)
}
