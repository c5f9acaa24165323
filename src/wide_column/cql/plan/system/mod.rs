//! Tables of the system: what drivers and shells read to find out about a node and its schema.
//!
//! Their rows are made when they are read, and they list themselves. Of a node there is one, whose name, addresses and versions are
//! made up: a store has none, and may have several doors.

mod auth;
mod node;
mod schema;
mod shape;
mod virtual_schema;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::Entry;
use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::Uuid;
use crate::wide_column::bind::Bound;
use crate::wide_column::cql::plan::value::{Receiver, serialized};
use crate::wide_column::read::virtual_table::{VirtualRow, VirtualTable};
use crate::wide_column::role::Actor;
use crate::wide_column::schema::keyspace::Keyspace;
use crate::wide_column::schema::{Definition, TableRecord};
use crate::wide_column::value::CqlValue;

pub(super) use self::node::{CLUSTER, PARTITIONER, SNITCH};
pub(super) use self::schema::{condition_of, target_of};
use self::shape::{Seen, Shape};
pub(super) use self::virtual_schema::{OWN as VIRTUAL, comment_of};

/// What makes the rows of a table, a value for each of its columns.
type Rows = fn(&Seen<'_>) -> Result<Vec<Vec<CqlValue>>>;

/// One of the tables.
#[derive(Debug)]
pub(super) struct SystemTable {
    record: TableRecord,
    rows: Rows,
    /// The roles that are there from the start.
    configured: Arc<BTreeSet<String>>,
}

impl SystemTable {
    /// The same, as `actor` sees it.
    pub(super) fn seen_by(&self, actor: &Actor) -> Arc<Self> {
        let configured = actor.role().map(|role| Arc::clone(&role.configured)).unwrap_or_default();
        Arc::new(Self { record: self.record.clone(), rows: self.rows, configured })
    }

    /// The definition, as that of a stored table.
    pub(super) fn definition(&self) -> Definition {
        Arc::new(Entry { id: 0, storage: 0, record: self.record.clone() })
    }
}

impl VirtualTable for SystemTable {
    fn record(&self) -> &TableRecord {
        &self.record
    }

    fn rows(&self, view: &View) -> Result<Vec<VirtualRow>> {
        let row = |values: Vec<CqlValue>| {
            let value = |(column, value): (&crate::wide_column::schema::Column, CqlValue)| {
                Ok(match serialized(&value, Receiver::new(column.name(), column.column_type()))? {
                    Bound::Value(bytes) => Some(bytes.into_vec()),
                    Bound::Null | Bound::Unset => None,
                })
            };
            self.record.schema.columns().zip(values).map(value).collect::<Result<VirtualRow>>()
        };
        let shapes = shapes();
        (self.rows)(&Seen { view, shapes: &shapes, configured: &self.configured })?.into_iter().map(row).collect()
    }
}

/// The table `name` of a keyspace of the system.
///
/// # Errors
/// [`Error::Unsupported`] for one that is not there.
pub(super) fn system_table(keyspace: &str, name: &str) -> Result<Arc<SystemTable>> {
    let found = shapes().into_iter().find(|shape| (shape.keyspace, shape.table) == (keyspace, name));
    let missing = || Error::unsupported(format!("the system's table {keyspace}.{name}"));
    let shape = found.ok_or_else(missing)?;
    Ok(Arc::new(SystemTable { record: TableRecord::new(shape.schema()), rows: shape.rows, configured: Arc::default() }))
}

/// The keyspaces of the system that there are.
pub(super) fn keyspaces() -> Vec<String> {
    let mut all: Vec<_> = shapes().iter().map(|shape| shape.keyspace.to_owned()).collect();
    all.dedup();
    all
}

/// The tables that there are in a keyspace of the system, in the order of their names.
pub(super) fn tables(keyspace: &str) -> Vec<&'static str> {
    let mut all: Vec<_> = shapes().iter().filter(|shape| shape.keyspace == keyspace).map(|shape| shape.table).collect();
    all.sort_by_key(|name| name.to_lowercase());
    all
}

/// What a table of the system is told from others by; none of the virtual ones has anything.
pub(super) fn id_of(keyspace: &str, name: &str) -> Option<Uuid> {
    schema::id_of(&shapes(), keyspace, name)
}

/// A keyspace of the system; `None` for the virtual one.
pub(super) fn keyspace(name: &str) -> Option<Keyspace> {
    schema::keyspace_of(name)
}

fn shapes() -> Vec<Shape> {
    [node::SHAPES, schema::SHAPES, virtual_schema::SHAPES, auth::SHAPES].concat()
}
