//! Keyspaces.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::txn::{View, Writer};

/// What is kept of a keyspace. One that was never created, but has tables, is as the default says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keyspace {
    /// The replication strategy and its options; `class` is among them.
    pub(crate) replication: BTreeMap<String, String>,
    pub(crate) durable_writes: bool,
}

impl Default for Keyspace {
    fn default() -> Self {
        let class = "org.apache.cassandra.locator.SimpleStrategy";
        let replication = [("class", class), ("replication_factor", "1")];
        Self {
            replication: replication.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            durable_writes: true,
        }
    }
}

fn target(name: &str) -> catalog::Target<Keyspace> {
    catalog::Target::new(Kind::WideKeyspace, "", name)
}

/// The keyspace `name`: created, or of a table that was.
pub(crate) fn get(view: &View, name: &str) -> Result<Option<Keyspace>> {
    if let Some(entry) = target(name).get(view)? {
        return Ok(Some(entry.record.clone()));
    }
    let is_used = catalog::has_names(view, Kind::WideTable, name)?;
    Ok(is_used.then(Keyspace::default))
}

/// Every keyspace, in byte order.
pub(crate) fn list(view: &View) -> Result<BTreeMap<String, Keyspace>> {
    let used = catalog::namespaces(view, Kind::WideTable)?;
    let mut found: BTreeMap<_, _> = used.into_iter().map(|name| (name, Keyspace::default())).collect();
    for (name, entry) in catalog::list(view, Kind::WideKeyspace, "")? {
        found.insert(name, entry.record);
    }
    Ok(found)
}

/// Creates the keyspace `name`, or changes it.
pub(crate) fn put(writer: &mut Writer, name: &str, keyspace: Keyspace) -> Result<()> {
    let target = target(name);
    match target.get(writer)? {
        None => target.create(writer, keyspace).map(drop),
        Some(entry) => target.update(writer, &catalog::Entry { record: keyspace, ..entry.as_ref().clone() }),
    }
}

/// Forgets the keyspace `name`; returns whether it was created. Its tables and types are the caller's affair.
pub(crate) fn remove(writer: &mut Writer, name: &str) -> Result<bool> {
    let target = target(name);
    let was_there = target.get(writer)?.is_some();
    if was_there {
        target.remove(writer);
    }
    Ok(was_there)
}
