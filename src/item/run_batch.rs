//! Running batches.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::error::Result;
use crate::item::capacity::{self, Costs, Reading};
use crate::item::check::PreparedBatchGet;
use crate::item::definition::Definition;
use crate::item::expression::ProjectionPaths;
use crate::item::origin::Origin as Source;
use crate::item::place::Place;
use crate::item::record::RecordRef;
use crate::item::request::{
    BatchGetItem, BatchGetItemOutput, BatchWriteItem, BatchWriteItemOutput, ConsumedCapacity, KeysAndAttributes,
    ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, WriteRequest,
};
use crate::item::run_item::{Action, KeyOf, Planned};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{Item, RequestFault};
use crate::limits;
use crate::txn::{View, Writer};

// A batch's bytes need no check of their own: the largest items that one can hold stay below the limit.
const _: () = assert!(limits::ITEM_BATCH_WRITES_MAX * limits::ITEM_BYTES_MAX <= limits::ITEM_BATCH_BYTES_MAX);

/// Which entries of a batch are processed, by their place in the call. Asked once, because a transaction may run its body again.
pub(super) fn admit(view: &View, request: &BatchWriteItem) -> Vec<bool> {
    let tables = request.request_items.iter();
    admitted(view, tables.flat_map(|(table, requests)| requests.iter().map(move |_| table.as_str())))
}

/// For entries of these tables, which are processed.
pub(super) fn admitted<'t>(view: &View, tables: impl Iterator<Item = &'t str>) -> Vec<bool> {
    let admit = view.state::<Tables>().admission();
    tables.enumerate().map(|(place, table)| admit.as_ref().is_none_or(|admit| admit(table, place))).collect()
}

/// Runs [`BatchWriteItem`], whose entries are processed as `admitted` says.
pub(super) fn write(
    writer: &mut Writer,
    place: &Place,
    request: &BatchWriteItem,
    admitted: &[bool],
) -> Result<BatchWriteItemOutput> {
    let mut planned = Vec::new();
    let mut keys = HashSet::new();
    let mut admitted = admitted.iter();
    let mut output = BatchWriteItemOutput::default();
    for (name, requests) in &request.request_items {
        let (of, name_only) = place.resolve(name)?;
        let target = writer.state::<Tables>().target(&of, &name_only);
        let table = target.definition(writer)?;
        let mut of_table = Vec::new();
        for entry in requests {
            let action = match entry {
                WriteRequest::Put(item) => Action::Put(item),
                WriteRequest::Delete(key) => Action::Delete(KeyOf::Attributes(key)),
            };
            let plan = Planned::new(&table, action)?;
            if !keys.insert(plan.key.clone()) {
                return Err(RequestFault::DuplicateKeys.into_error());
            }
            if admitted.next().copied().unwrap_or(true) {
                of_table.push(plan);
            } else {
                output.unprocessed_items.entry(name.clone()).or_default().push(entry.clone());
            }
        }
        planned.push((name, target, table, of_table));
    }
    for (name, target, table, plans) in planned {
        let mut costs = Costs::default();
        let has_any = !plans.is_empty();
        for plan in plans {
            let key = plan.key.clone();
            let done = plan.run(writer, &table, None, ReturnValuesOnConditionCheckFailure::None)?;
            if request.return_consumed_capacity != ReturnConsumedCapacity::None {
                costs.wrote(&table.record, &done.written, 1.0)?;
            }
            let metrics = capacity::collection(writer, &table.record, &key, request.return_item_collection_metrics)?;
            if let Some(metrics) = metrics {
                output.item_collection_metrics.entry(name.clone()).or_default().push(metrics);
            }
        }
        let report = costs.report(request.return_consumed_capacity, target.name(), &table.record, false);
        output.consumed_capacity.extend(report.filter(|_| has_any));
    }
    Ok(output)
}

/// Puts and deletes in one table, those that are `admitted`.
pub(super) fn write_table(
    writer: &mut Writer,
    target: &Target,
    actions: &[Action<'_>],
    admitted: &[bool],
) -> Result<()> {
    let table = target.definition(writer)?;
    let plans = actions.iter().map(|action| Planned::new(&table, *action)).collect::<Result<Vec<_>>>()?;
    let mut keys = HashSet::new();
    if !plans.iter().all(|plan| keys.insert(plan.key.as_slice())) {
        return Err(RequestFault::DuplicateKeys.into_error());
    }
    drop(keys);
    for (plan, _) in plans.into_iter().zip(admitted).filter(|(_, admitted)| **admitted) {
        plan.run(writer, &table, None, ReturnValuesOnConditionCheckFailure::None)?;
    }
    Ok(())
}

/// A table that a batch reads, as it was named, and the stored keys of the items.
type Asked<'r> = (&'r String, Arc<Target>, Definition, Vec<Vec<u8>>);

/// Runs [`BatchGetItem`].
pub(super) fn get(
    names: &View,
    items: &View,
    place: &Place,
    request: &BatchGetItem,
    prepared: &PreparedBatchGet,
) -> Result<BatchGetItemOutput> {
    let mut output = BatchGetItemOutput::default();
    let mut tables: Vec<Asked<'_>> = Vec::new();
    let mut seen = HashSet::new();
    for (name, asked) in &request.request_items {
        let (of, name_only) = place.resolve(name)?;
        let target = names.state::<Tables>().target(&of, &name_only);
        let table = target.definition(names)?;
        let mut keys = Vec::with_capacity(asked.keys.len());
        for key in &asked.keys {
            let stored = KeyOf::Attributes(key).stored(&table)?;
            if !seen.insert(stored.clone()) {
                return Err(RequestFault::DuplicateKeys.into_error());
            }
            keys.push(stored);
        }
        tables.push((name, target, table, keys));
    }
    let mut bytes = 0usize;
    for (name, target, table, keys) in tables {
        let Some(asked) = request.request_items.get(name) else { continue };
        let projection = prepared.projections.get(name).and_then(Option::as_ref);
        let source = Source::new(target.name(), &table);
        let (mut found, mut costs) = (Vec::<Item>::new(), Costs::default());
        for (key, stored) in asked.keys.iter().zip(&keys) {
            if bytes >= limits::ITEM_BATCH_READ_BYTES_MAX {
                left_over(&mut output.unprocessed_keys, name, asked, key);
                continue;
            }
            let record = items.get(stored)?;
            let size = record.as_ref().map_or(Ok(0), |record| RecordRef::new(record)?.size_bytes())?;
            if bytes + size > limits::ITEM_BATCH_READ_BYTES_MAX {
                bytes = limits::ITEM_BATCH_READ_BYTES_MAX;
                left_over(&mut output.unprocessed_keys, name, asked, key);
                continue;
            }
            bytes += size;
            costs.read_table(Reading::of(asked.consistent_read).units(size));
            if let Some(record) = record {
                let item = ProjectionPaths::show(projection, RecordRef::new(&record)?)?;
                found.push(item.read_from(&source));
            }
        }
        let report: Option<ConsumedCapacity> =
            costs.report(request.return_consumed_capacity, target.name(), &table.record, false);
        output.consumed_capacity.extend(report);
        output.responses.insert(name.clone(), found);
    }
    Ok(output)
}

/// Notes that `key` was not read.
fn left_over(
    unprocessed: &mut BTreeMap<String, KeysAndAttributes>,
    table: &str,
    asked: &KeysAndAttributes,
    key: &Item,
) {
    let entry = unprocessed.entry(table.to_owned());
    entry.or_insert_with(|| KeysAndAttributes { keys: Vec::new(), ..asked.clone() }).keys.push(key.clone());
}
