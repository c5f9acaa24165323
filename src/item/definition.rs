//! A table as the catalogue holds it: what an operation reads before anything else.
//!
//! It is compared with what was decoded last, once for each change of the catalogue, and so has only what operations
//! need. The rest is in the details (`details.rs`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::{Entry, growing};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::item::schema::{GlobalIndex, KeySchema, LocalIndex, Projection, TableSchema};
use crate::item::{Fault, Path};

/// A table as the catalogue holds it. Its fields, and those of the types in it, are stored in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableRecord {
    pub(super) keys: KeySchema,
    #[serde(with = "growing")]
    pub(super) indexes: Vec<IndexRecord>,
    /// The last index id given out; ids are not used again.
    pub(super) last_index_id: u32,
    pub(super) ttl: Option<TtlRecord>,
    pub(super) stream: Option<StreamRecord>,
    /// The last stream id given out.
    pub(super) last_stream_id: u32,
    /// What the table is going through, or was until a moment ago.
    pub(super) phase: Option<Phase>,
}

/// What a table goes through that takes time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Phase {
    pub(super) change: Change,
    /// Until when, in microseconds.
    pub(super) until: i64,
}

/// What happens to a table in a phase. The order is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    /// It is made.
    Making,
    /// Something else than its indexes is changed.
    Table,
    /// The index with this id is added.
    IndexAdded(u32),
    /// An index is removed: this one, which is no longer among the others. Alone in a list, whose elements can grow.
    IndexRemoved(#[serde(with = "growing")] Vec<IndexRecord>),
    /// It is removed.
    Removing,
}

/// An index, and the id that its entries carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IndexRecord {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) kind: IndexKind,
    pub(super) keys: KeySchema,
    pub(super) projection: Projection,
    /// Whether a job is still making its entries: it is maintained, and read by nobody.
    pub(super) is_building: bool,
}

/// What an index is of. The order is stored; the third place is kept for vector indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum IndexKind {
    Global,
    Local,
}

/// The attribute that says when items expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TtlRecord {
    pub(super) attribute: String,
    /// Whether a job is still giving deadlines to the items that were there before.
    pub(super) is_enabling: bool,
}

/// The stream that changes go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StreamRecord {
    pub(super) id: u32,
    /// What a record shows, by the number of its [`StreamViewType`](crate::item::request::StreamViewType).
    pub(super) view: u8,
    /// When it was switched on, in microseconds; its label is made of it.
    pub(super) since: i64,
    /// How many shards there are at a time.
    pub(super) shards: u32,
}

/// A table's ids and definition as an operation found them.
pub(super) type Definition = Arc<Entry<TableRecord>>;

impl IndexRecord {
    /// Whether its entries carry the record of what it shows.
    pub(super) fn is_covering(&self) -> bool {
        self.projection != Projection::All
    }

    /// Whether it belongs to the collection of its table's items.
    pub(super) fn is_local(&self) -> bool {
        self.kind == IndexKind::Local
    }

    /// Whether the index shows the attribute `name` of an item of a table with `keys`.
    pub(super) fn shows(&self, keys: &KeySchema, name: &str) -> bool {
        match &self.projection {
            Projection::All => true,
            Projection::KeysOnly => self.keys.has(name) || keys.has(name),
            Projection::Include(names) => {
                self.keys.has(name) || keys.has(name) || names.iter().any(|included| included == name)
            }
        }
    }
}

impl TableRecord {
    /// Refuses a path into an attribute of a key, which holds no list and no map.
    pub(super) fn check_paths<'p>(&self, paths: impl IntoIterator<Item = &'p Path>) -> Result<()> {
        for path in paths.into_iter().filter(|path| !path.inside().is_empty()) {
            let name = path.attribute();
            if self.keys.has(name) {
                return Err(Fault::PathIntoKey(name.to_owned()).into_error());
            }
            if self.indexes.iter().any(|index| index.keys.has(name)) {
                return Err(Fault::PathIntoIndexKey(name.to_owned()).into_error());
            }
        }
        Ok(())
    }

    /// The record of a new table with a schema that was checked.
    pub(super) fn new(schema: TableSchema) -> Self {
        let partition = schema.keys.partition.clone();
        let local = schema.local_indexes.into_iter().map(|index| {
            let keys = KeySchema { partition: partition.clone(), sort: vec![index.sort] };
            (index.name, IndexKind::Local, keys, index.projection)
        });
        let global = schema
            .global_indexes
            .into_iter()
            .map(|index| (index.name, IndexKind::Global, index.keys, index.projection));
        let indexes: Vec<_> = (1u32..)
            .zip(local.chain(global))
            .map(|(id, (name, kind, keys, projection))| IndexRecord {
                id,
                name,
                kind,
                keys,
                projection: normal(projection),
                is_building: false,
            })
            .collect();
        let last_index_id = indexes.last().map_or(0, |index| index.id);
        let mut record =
            Self { keys: schema.keys, indexes, last_index_id, ttl: None, stream: None, last_stream_id: 0, phase: None };
        record.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        record
    }

    pub(super) fn schema(&self) -> TableSchema {
        let of_kind = |kind| self.indexes.iter().filter(move |index| index.kind == kind);
        let global_indexes = of_kind(IndexKind::Global).map(IndexRecord::as_global).collect();
        let local = of_kind(IndexKind::Local).filter_map(|index| {
            let (name, projection) = (index.name.clone(), index.projection.clone());
            Some(LocalIndex { name, sort: index.keys.sort.first()?.clone(), projection })
        });
        TableSchema { keys: self.keys.clone(), global_indexes, local_indexes: local.collect() }
    }

    /// The index named `name`.
    pub(super) fn index_named(&self, name: &str) -> Option<&IndexRecord> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The index with the number `id`.
    pub(super) fn index_of_id(&self, id: u32) -> Option<&IndexRecord> {
        self.indexes.iter().find(|index| index.id == id)
    }

    /// The phase that the table is in. The clock is looked at if there may be one.
    pub(super) fn phase_at(&self, now: impl FnOnce() -> Timestamp) -> Option<&Phase> {
        self.phase.as_ref().filter(|phase| now().as_micros() < phase.until)
    }

    /// Whether the time for which the table was being removed is over.
    pub(super) fn is_gone(&self, now: impl FnOnce() -> Timestamp) -> bool {
        let removing = self.phase.as_ref().filter(|phase| phase.change == Change::Removing);
        removing.is_some_and(|phase| phase.until <= now().as_micros())
    }

    /// Whether `index` is still being made: nobody reads it.
    pub(super) fn is_being_made(&self, index: &IndexRecord, now: impl FnOnce() -> Timestamp) -> bool {
        index.is_building || self.phase_at(now).is_some_and(|phase| phase.change == Change::IndexAdded(index.id))
    }

    pub(super) fn has_local_index(&self) -> bool {
        self.indexes.iter().any(|index| index.kind == IndexKind::Local)
    }

    /// Sets whether the index with the number `id` is being built.
    pub(super) fn set_building(&mut self, id: u32, is_building: bool) {
        if let Some(index) = self.indexes.iter_mut().find(|index| index.id == id) {
            index.is_building = is_building;
        }
    }

    /// Adds `index`, whose name is free and which was checked with the rest.
    pub(super) fn add(&mut self, index: GlobalIndex) -> IndexRecord {
        self.last_index_id = self.last_index_id.saturating_add(1);
        let GlobalIndex { name, keys, projection, .. } = index;
        let id = self.last_index_id;
        let record =
            IndexRecord { id, name, kind: IndexKind::Global, keys, projection: normal(projection), is_building: false };
        let place = self.indexes.partition_point(|other| other.name < record.name);
        self.indexes.insert(place, record.clone());
        record
    }
}

impl IndexRecord {
    pub(super) fn as_global(&self) -> GlobalIndex {
        let Self { name, keys, projection, .. } = self.clone();
        GlobalIndex { name, keys, projection, throughput: None }
    }
}

/// The one form of equal projections.
fn normal(projection: Projection) -> Projection {
    match projection {
        Projection::Include(mut names) => {
            names.sort_unstable();
            names.dedup();
            Projection::Include(names)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ScalarAttributeType;

    #[test]
    fn the_order_in_which_indexes_are_declared_does_not_count() {
        let table = || TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N);
        let index = |name| GlobalIndex::new(name, "x", ScalarAttributeType::S);
        let one = TableRecord::new(table().global_index(index("GSI-a")).global_index(index("GSI-b"))).schema();
        let two = TableRecord::new(table().global_index(index("GSI-b")).global_index(index("GSI-a"))).schema();
        assert_eq!(one, two);
        assert_eq!(TableRecord::new(one.clone()).schema(), one);
        let local = LocalIndex::new("LSI", "y", ScalarAttributeType::N);
        assert_eq!(TableRecord::new(table().local_index(local.clone())).schema().local_indexes(), [local]);
    }
}
