//! Running transactions.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::item::capacity::{self, Costs, Reading};
use crate::item::check::{PreparedTransactGet, PreparedTransactWrite, PreparedTransaction};
use crate::item::definition::Definition;
use crate::item::expression::ProjectionPaths;
use crate::item::origin::Origin as Source;
use crate::item::place::Place;
use crate::item::record::RecordRef;
use crate::item::request::{
    TransactAction, TransactGetItems, TransactGetItemsOutput, TransactWriteItems, TransactWriteItemsOutput,
};
use crate::item::run_item::{Action, KeyOf, Planned};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{CancellationReason, Fault, RequestFault, token};
use crate::limits;
use crate::txn::{View, Writer};

/// What a transaction costs, compared with the same writes by themselves.
const FACTOR: f64 = 2.0;

/// What a transaction would cost, by table.
type CostsByTable = BTreeMap<String, (Arc<Target>, Definition, Costs)>;

fn table_of(view: &View, place: &Place, name: &str) -> Result<(Arc<Target>, Definition)> {
    let (of, name) = place.resolve(name)?;
    let target = view.state::<Tables>().target(&of, &name);
    let table = target.definition(view)?;
    Ok((target, table))
}

/// Runs [`TransactWriteItems`].
pub(super) fn write(
    writer: &mut Writer,
    place: &Place,
    request: &TransactWriteItems,
    prepared: &PreparedTransaction,
) -> Result<TransactWriteItemsOutput> {
    if let Some(token) = &request.client_request_token
        && token::claim(writer, place, token, &prepared.fingerprint)?
    {
        return repeated(writer, place, request);
    }
    let mut planned = Vec::with_capacity(request.transact_items.len());
    let (mut keys, mut reasons) = (HashSet::new(), Vec::new());
    for (write, prepared) in request.transact_items.iter().zip(&prepared.writes) {
        let (target, table) = table_of(writer, place, &write.table_name)?;
        // What does not go with the schema cancels the transaction, and the others are looked at all the same.
        match Planned::new(&table, action_of(&write.action, prepared)) {
            Ok(plan) => {
                if !keys.insert(plan.key.clone()) {
                    return Err(RequestFault::DuplicateTransactionItem.into_error());
                }
                reasons.push(CancellationReason::None);
                planned.push((target, table, plan, write, prepared));
            }
            Err(error) => reasons.push(validation(error)?),
        }
    }
    cancel_if_any(&reasons)?;
    run(writer, request, planned)
}

fn action_of<'a>(action: &'a TransactAction, prepared: &'a PreparedTransactWrite) -> Action<'a> {
    match (action, &prepared.update) {
        (TransactAction::Put(item), _) => Action::Put(item),
        (TransactAction::Delete(key), _) => Action::Delete(KeyOf::Attributes(key)),
        (TransactAction::Update { key, .. }, Some(update)) => Action::Update(KeyOf::Attributes(key), update),
        (TransactAction::ConditionCheck(key) | TransactAction::Update { key, .. }, _) => {
            Action::Check(KeyOf::Attributes(key))
        }
    }
}

type PlannedWrite<'a> =
    (Arc<Target>, Definition, Planned<'a>, &'a crate::item::request::TransactWrite, &'a PreparedTransactWrite);

fn run(
    writer: &mut Writer,
    request: &TransactWriteItems,
    planned: Vec<PlannedWrite<'_>>,
) -> Result<TransactWriteItemsOutput> {
    let (mut reasons, mut costs, mut bytes) = (Vec::new(), CostsByTable::new(), 0usize);
    let mut output = TransactWriteItemsOutput::default();
    let mut touched = Vec::new();
    for (target, table, plan, write, prepared) in planned {
        let key = plan.key.clone();
        let shown = write.return_values_on_condition_check_failure;
        match plan.run(writer, &table, prepared.condition.as_ref(), shown) {
            Ok(done) => {
                let written = &done.written;
                bytes = bytes.saturating_add(written.old_size()?.max(written.new_size()?));
                let name = target.name().to_string();
                let (.., sum) =
                    costs.entry(name).or_insert_with(|| (Arc::clone(&target), Arc::clone(&table), Costs::default()));
                if matches!(write.action, TransactAction::ConditionCheck(_)) {
                    sum.checked(written.old_size()?, FACTOR);
                } else {
                    sum.wrote(&table.record, written, FACTOR)?;
                    touched.push((write.table_name.clone(), table, key));
                }
                reasons.push(CancellationReason::None);
            }
            Err(error) => match error.item_fault() {
                Some(Fault::ConditionalCheckFailed { item }) => {
                    reasons.push(CancellationReason::ConditionalCheckFailed { item: item.clone() });
                }
                _ => reasons.push(validation(error)?),
            },
        }
    }
    cancel_if_any(&reasons)?;
    if bytes > limits::ITEM_TRANSACTION_BYTES_MAX {
        let text = "Collection size of items exceeded, which can also be caused by the aggregate size of the items in the \
                    transaction exceeding the 4MB limit";
        return Err(RequestFault::other(text));
    }
    for (name, table, key) in touched {
        let metrics = capacity::collection(writer, &table.record, &key, request.return_item_collection_metrics)?;
        if let Some(metrics) = metrics {
            output.item_collection_metrics.entry(name).or_default().push(metrics);
        }
    }
    output.consumed_capacity = report(request, &costs);
    Ok(output)
}

fn report(request: &TransactWriteItems, costs: &CostsByTable) -> Vec<crate::item::request::ConsumedCapacity> {
    let of_table = |(target, table, costs): &(Arc<Target>, Definition, Costs)| {
        costs.report(request.return_consumed_capacity, target.name(), &table.record, true)
    };
    costs.values().filter_map(of_table).collect()
}

/// What a transaction returns that was done before: nothing is written, and its items would be read.
fn repeated(writer: &Writer, place: &Place, request: &TransactWriteItems) -> Result<TransactWriteItemsOutput> {
    let mut costs = CostsByTable::new();
    for write in &request.transact_items {
        let (target, table) = table_of(writer, place, &write.table_name)?;
        let key = match &write.action {
            TransactAction::Put(item) => crate::item::layout::key_of_item(table.storage, &table.record.keys, item)?,
            TransactAction::Delete(key) | TransactAction::ConditionCheck(key) | TransactAction::Update { key, .. } => {
                KeyOf::Attributes(key).stored(&table)?
            }
        };
        let size = writer.get(&key)?.map_or(Ok(0), |record| RecordRef::new(&record)?.size_bytes())?;
        let name = target.name().to_string();
        let (.., sum) = costs.entry(name).or_insert_with(|| (target, table, Costs::default()));
        sum.read_table(Reading::Transaction.units(size));
    }
    Ok(TransactWriteItemsOutput { consumed_capacity: report(request, &costs), ..TransactWriteItemsOutput::default() })
}

/// The reason that a fault of one action is; other errors are those of the whole.
fn validation(error: Error) -> Result<CancellationReason> {
    match error.item_fault() {
        // A key that is empty is one that no table could have: the whole request is refused for it.
        Some(Fault::Request(RequestFault::EmptyKey { .. })) => Err(error),
        Some(fault) if fault.code() == "ValidationException" => {
            Ok(CancellationReason::ValidationError { message: fault.to_string() })
        }
        _ => Err(error),
    }
}

fn cancel_if_any(reasons: &[CancellationReason]) -> Result<()> {
    if reasons.iter().all(|reason| *reason == CancellationReason::None) {
        return Ok(());
    }
    Err(Fault::TransactionCanceled { reasons: reasons.to_vec() }.into_error())
}

/// Runs [`TransactGetItems`].
pub(super) fn get(
    names: &View,
    items: &View,
    place: &Place,
    request: &TransactGetItems,
    prepared: &PreparedTransactGet,
) -> Result<TransactGetItemsOutput> {
    let (mut output, mut costs, mut bytes) = (TransactGetItemsOutput::default(), CostsByTable::new(), 0usize);
    let (mut seen, mut reasons, mut keys) = (HashSet::new(), Vec::new(), Vec::new());
    for get in &request.transact_items {
        let (target, table) = table_of(names, place, &get.table_name)?;
        match KeyOf::Attributes(&get.key).stored(&table) {
            Ok(key) => {
                if !seen.insert(key.clone()) {
                    return Err(RequestFault::DuplicateTransactionItem.into_error());
                }
                reasons.push(CancellationReason::None);
                keys.push((target, table, key));
            }
            Err(error) => reasons.push(validation(error)?),
        }
    }
    cancel_if_any(&reasons)?;
    for ((target, table, key), projection) in keys.into_iter().zip(&prepared.projections) {
        let record = items.get(&key)?;
        let size = record.as_ref().map_or(Ok(0), |record| RecordRef::new(record)?.size_bytes())?;
        bytes = bytes.saturating_add(size);
        let item = match &record {
            None => None,
            Some(record) => {
                let item = ProjectionPaths::show(projection.as_ref(), RecordRef::new(record)?)?;
                Some(item.read_from(&Source::new(target.name(), &table)))
            }
        };
        output.responses.push(item);
        let name = target.name().to_string();
        let (.., sum) = costs.entry(name).or_insert_with(|| (target, table, Costs::default()));
        sum.read_table(Reading::Transaction.units(size));
    }
    if bytes > limits::ITEM_TRANSACTION_BYTES_MAX {
        let text = "Transaction is too large: the items that it reads exceed 4 MB";
        return Err(RequestFault::other(text));
    }
    let of_table = |(target, table, costs): &(Arc<Target>, Definition, Costs)| {
        costs.report(request.return_consumed_capacity, target.name(), &table.record, true)
    };
    output.consumed_capacity = costs.values().filter_map(of_table).collect();
    Ok(output)
}
