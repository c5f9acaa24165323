//! What operations would cost, from what they did.
//!
//! # Source
//! `DynamoDB` Developer Guide, *DynamoDB provisioned capacity mode*, *Read and write consumption*.

use crate::engine::KeyRange;
use crate::error::Result;
use crate::item::covering::Shown;
use crate::item::definition::TableRecord;
use crate::item::description::Extent;
use crate::item::request::{
    Capacity, ConsumedCapacity, ItemCollectionMetrics, ReturnConsumedCapacity, ReturnItemCollectionMetrics,
};
use crate::item::written::{EntryChange, Written};
use crate::item::{Item, layout};
use crate::txn::View;

/// Bytes that one unit writes, and reads.
const WRITE_UNIT_BYTES: usize = 1 << 10;
const READ_UNIT_BYTES: usize = 4 << 10;

const GIGABYTE: u64 = 1 << 30;

/// How a read is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Eventual,
    Consistent,
    /// In a transaction.
    Transaction,
}

impl Reading {
    pub(super) fn of(is_consistent: bool) -> Self {
        if is_consistent { Self::Consistent } else { Self::Eventual }
    }

    /// Units that reading `bytes` at once takes, at least one block.
    pub(super) fn units(self, bytes: usize) -> f64 {
        let blocks = count(bytes.div_ceil(READ_UNIT_BYTES).max(1));
        match self {
            Self::Eventual => blocks / 2.0,
            Self::Consistent => blocks,
            Self::Transaction => blocks * 2.0,
        }
    }
}

/// Units that writing `bytes` takes, at least one.
fn write_units(bytes: usize) -> f64 {
    count(bytes.div_ceil(WRITE_UNIT_BYTES).max(1))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below what a float holds exactly")]
fn count(blocks: usize) -> f64 {
    blocks as f64
}

/// What operations on one table would cost, summed up.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs {
    reads: f64,
    writes: f64,
    /// By the number of the index: reads and writes.
    of_indexes: Vec<(u32, f64, f64)>,
}

impl Costs {
    pub(super) fn read_table(&mut self, units: f64) {
        self.reads += units;
    }

    pub(super) fn read_index(&mut self, id: u32, units: f64) {
        self.add_to_index(id, units, 0.0);
    }

    fn add_to_index(&mut self, id: u32, reads: f64, writes: f64) {
        match self.of_indexes.iter_mut().find(|(other, ..)| *other == id) {
            Some(of_index) => {
                of_index.1 += reads;
                of_index.2 += writes;
            }
            None => self.of_indexes.push((id, reads, writes)),
        }
    }

    /// Adds a write; `factor` times as much in a transaction.
    pub(super) fn wrote(&mut self, record: &TableRecord, written: &Written, factor: f64) -> Result<()> {
        self.writes += factor * write_units(written.old_size()?.max(written.new_size()?));
        for delta in written.indexes.iter().filter(|delta| delta.change != EntryChange::None) {
            let Some(index) = record.index_of_id(delta.id) else { continue };
            let size = |has_entry: bool, item: &Option<Vec<u8>>| match item {
                Some(item) if has_entry => Shown::of(&record.keys, index, item)?.size_bytes().map(Some),
                _ => Ok(None),
            };
            let units = units_of(delta.change, size(delta.had, &written.old)?, size(delta.has, &written.new)?);
            if units > 0.0 {
                self.add_to_index(delta.id, 0.0, factor * units);
            }
        }
        Ok(())
    }

    /// Adds a write that a condition kept from happening to an item of `bytes`.
    pub(super) fn checked(&mut self, bytes: usize, factor: f64) {
        self.writes += factor * write_units(bytes);
    }

    /// As it is returned; `in_transaction` tells reads and writes apart.
    pub(super) fn report(
        &self,
        asked: ReturnConsumedCapacity,
        table: &str,
        record: &TableRecord,
        in_transaction: bool,
    ) -> Option<ConsumedCapacity> {
        if asked == ReturnConsumedCapacity::None {
            return None;
        }
        let capacity = |reads: f64, writes: f64| Capacity {
            capacity_units: reads + writes,
            read_capacity_units: (in_transaction && reads > 0.0).then_some(reads),
            write_capacity_units: (in_transaction && writes > 0.0).then_some(writes),
        };
        let reads = self.reads + self.of_indexes.iter().map(|(_, reads, _)| reads).sum::<f64>();
        let writes = self.writes + self.of_indexes.iter().map(|(.., writes)| writes).sum::<f64>();
        let total = capacity(reads, writes);
        let mut report = ConsumedCapacity {
            table_name: table.to_owned(),
            capacity_units: total.capacity_units,
            read_capacity_units: total.read_capacity_units,
            write_capacity_units: total.write_capacity_units,
            ..ConsumedCapacity::default()
        };
        if asked == ReturnConsumedCapacity::Indexes {
            report.table = Some(capacity(self.reads, self.writes));
            for (id, reads, writes) in &self.of_indexes {
                let Some(index) = record.index_of_id(*id) else { continue };
                let of_kind = if index.is_local() {
                    &mut report.local_secondary_indexes
                } else {
                    &mut report.global_secondary_indexes
                };
                of_kind.insert(index.name.clone(), capacity(*reads, *writes));
            }
        }
        Some(report)
    }
}

/// Units of a change of an entry that shows `old` bytes before, and `new` now.
fn units_of(change: EntryChange, old: Option<usize>, new: Option<usize>) -> f64 {
    let units = |size: Option<usize>| size.map_or(0.0, write_units);
    match change {
        EntryChange::None => 0.0,
        EntryChange::One => write_units(old.unwrap_or(0).max(new.unwrap_or(0))),
        EntryChange::Moved => units(old) + units(new),
    }
}

/// How large the collection of the item at `key` is, if that was asked for and the table has local indexes.
///
/// # Cost
/// O(log n): up to [`limits::ITEM_SIZE_SAMPLE_MAX`](crate::limits::ITEM_SIZE_SAMPLE_MAX) items of it are measured.
pub(super) fn collection(
    view: &View,
    record: &TableRecord,
    key: &[u8],
    asked: ReturnItemCollectionMetrics,
) -> Result<Option<ItemCollectionMetrics>> {
    if asked == ReturnItemCollectionMetrics::None || !record.has_local_index() {
        return Ok(None);
    }
    let partition = layout::partition_prefix(record, key)?;
    let extent = Extent::of_range(view, &KeyRange::prefix(&partition), None)?;
    // Every local index has about as much again of what it shows.
    let gigabytes = u32::try_from(extent.bytes / GIGABYTE).unwrap_or(u32::MAX);
    let all = layout::attributes_of(record, None, key)?;
    let of_partition =
        record.keys.partition.iter().filter_map(|key| Some((key.name.clone(), all.get(&key.name)?.clone())));
    Ok(Some(ItemCollectionMetrics {
        item_collection_key: of_partition.collect::<Item>(),
        size_estimate_range_gb: [f64::from(gigabytes), f64::from(gigabytes) + 1.0],
    }))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "units are halves, which floats hold exactly")]
mod tests {
    use super::*;

    #[test]
    fn units_are_begun_blocks() {
        assert_eq!([0, 1, 1024, 1025].map(write_units), [1.0, 1.0, 1.0, 2.0]);
        assert_eq!([0, 4096, 4097].map(|bytes| Reading::Consistent.units(bytes)), [1.0, 1.0, 2.0]);
        assert_eq!([Reading::Eventual.units(1), Reading::Transaction.units(1)], [0.5, 2.0]);
    }

    #[test]
    fn an_entry_that_moves_is_written_twice() {
        let delta = |old, new, change| units_of(change, old, new);
        assert_eq!(delta(Some(2_000), Some(100), EntryChange::Moved), 3.0);
        assert_eq!(delta(Some(2_000), Some(100), EntryChange::One), 2.0);
        assert_eq!(delta(None, Some(100), EntryChange::One), 1.0);
        assert_eq!(delta(Some(100), Some(100), EntryChange::None), 0.0);
    }
}
