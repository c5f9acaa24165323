//! Running operations on one item.

use std::borrow::Cow;

use crate::catalog::Entry;
use crate::error::Result;
use crate::item::capacity::{self, Costs, Reading};
use crate::item::check::{PreparedGet, PreparedUpdate, PreparedWrite};
use crate::item::definition::{Definition, TableRecord};
use crate::item::expression::Condition;
use crate::item::origin::Origin as Place;
use crate::item::record::{self, RecordRef};
use crate::item::request::{
    DeleteItem, GetItem, GetItemOutput, PutItem, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure, UpdateItem, WriteItemOutput,
};
use crate::item::target::Target;
use crate::item::write::{self, Entries};
use crate::item::written::{Origin, Written};
use crate::item::{FailedItem, Fault, Item, Key, RequestFault, layout};
use crate::limits;
use crate::txn::{View, Writer};

/// Which item an operation is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyOf<'a> {
    /// The one with these key attributes.
    Attributes(&'a Item),
    /// The one with these values of them.
    Values(&'a Key),
}

impl KeyOf<'_> {
    /// The stored key of the item.
    ///
    /// # Errors
    /// Why no item of the table can have it.
    pub(super) fn stored(self, table: &Entry<TableRecord>) -> Result<Vec<u8>> {
        match self {
            Self::Attributes(key) => layout::item_key_of(table.storage, &table.record.keys, key),
            Self::Values(key) => layout::item_key(table.storage, &table.record.keys, key),
        }
    }

    /// The item that has its key and nothing else.
    fn item(self, table: &Entry<TableRecord>, stored: &[u8]) -> Result<Item> {
        match self {
            Self::Attributes(key) => Ok(key.clone()),
            Self::Values(_) => layout::attributes_of(&table.record, None, stored),
        }
    }
}

/// Runs [`GetItem`].
pub(super) fn get(
    names: &View,
    items: &View,
    target: &Target,
    request: &GetItem,
    prepared: &PreparedGet,
) -> Result<GetItemOutput> {
    get_by(names, items, target, KeyOf::Attributes(&request.key), request, prepared)
}

/// As [`get`], with the item said otherwise than in the request.
pub(super) fn get_by(
    names: &View,
    items: &View,
    target: &Target,
    key: KeyOf<'_>,
    request: &GetItem,
    prepared: &PreparedGet,
) -> Result<GetItemOutput> {
    let table = target.definition(names)?;
    if let Some(projection) = &prepared.projection {
        table.record.check_paths(projection.paths())?;
    }
    let stored = items.get(&key.stored(&table)?)?;
    let mut output = GetItemOutput::default();
    if request.return_consumed_capacity != ReturnConsumedCapacity::None {
        let bytes = stored.as_ref().map_or(Ok(0), |record| RecordRef::new(record)?.size_bytes())?;
        let mut costs = Costs::default();
        costs.read_table(Reading::of(request.consistent_read).units(bytes));
        output.consumed_capacity = costs.report(request.return_consumed_capacity, target.name(), &table.record, false);
    }
    if let Some(stored) = stored {
        let record = RecordRef::new(&stored)?;
        output.item = Some(match &prepared.projection {
            Some(projection) => projection.project(record)?.read_from(&Place::new(target.name(), &table)),
            None => target.item(&table, record)?,
        });
    }
    Ok(output)
}

/// What a write does to an item.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    /// Puts this in its place.
    Put(&'a Item),
    Delete(KeyOf<'a>),
    Update(KeyOf<'a>, &'a PreparedUpdate),
    /// Only the condition matters.
    Check(KeyOf<'a>),
}

/// A write of one item that the table can hold, up to what is there.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) key: Vec<u8>,
    action: Action<'a>,
    /// What a put stores.
    new: Option<(Vec<u8>, Entries)>,
}

/// What a write did, and which parts an update changed.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) written: Written,
    /// What an update wrote to, as it was, and as it is.
    updated: Option<(Item, Item)>,
}

impl<'a> Planned<'a> {
    /// Checks what needs the table's definition and not the item.
    pub(super) fn new(table: &Entry<TableRecord>, action: Action<'a>) -> Result<Self> {
        let (key, new) = match action {
            Action::Put(item) => {
                let key = layout::key_of_item(table.storage, &table.record.keys, item)?;
                let record = record::encode(item)?;
                let entries = Entries::of_new(table, &record, &key)?;
                (key, Some((record, entries)))
            }
            Action::Delete(key) | Action::Check(key) => (key.stored(table)?, None),
            Action::Update(key, update) => {
                update.check_keys(&table.record.keys)?;
                (key.stored(table)?, None)
            }
        };
        Ok(Self { key, action, new })
    }

    /// Looks at the item, and writes if `condition` holds.
    ///
    /// # Errors
    /// [`Fault::ConditionalCheckFailed`], with the item if it is `shown`; what is wrong with an update of this item.
    pub(super) fn run(
        self,
        writer: &mut Writer,
        table: &Entry<TableRecord>,
        condition: Option<&Condition>,
        shown: ReturnValuesOnConditionCheckFailure,
    ) -> Result<Done> {
        let old = writer.get(&self.key)?.map(Cow::into_owned);
        if let Some(condition) = condition
            && !condition.holds(old.as_deref().map_or(Ok(RecordRef::EMPTY), RecordRef::new)?)?
        {
            let is_shown = shown == ReturnValuesOnConditionCheckFailure::AllOld;
            return Err(Fault::ConditionalCheckFailed { item: old.filter(|_| is_shown).map(FailedItem) }.into_error());
        }
        let (new, updated) = match self.action {
            Action::Put(_) => (self.new, None),
            Action::Delete(_) => (None, None),
            Action::Check(_) => {
                let written = Written { new: old.clone(), old, indexes: Vec::new() };
                return Ok(Done { written, updated: None });
            }
            Action::Update(key, update) => {
                let key = key.item(table, &self.key)?;
                let updated = update.apply(old.as_deref().map(RecordRef::new).transpose()?, &key)?;
                let bytes = updated.item.size_bytes();
                // What is written is weighed instead of the key, which is not.
                let written = bytes.saturating_sub(key.size_bytes()).saturating_add(update.update.weight_bytes());
                if bytes > limits::ITEM_BYTES_MAX || (update.is_weighed && written > limits::ITEM_BYTES_MAX) {
                    return Err(RequestFault::UpdatedItemTooLarge.into_error());
                }
                updated.item.check()?;
                let before = old.as_deref().map(|old| update.written_before(RecordRef::new(old)?)).transpose()?;
                let record = record::encode(&updated.item)?;
                let entries = Entries::of_new(table, &record, &self.key).map_err(of_update)?;
                (Some((record, entries)), Some((before.unwrap_or_default(), updated.written)))
            }
        };
        let written = write::apply(writer, table, &self.key, old, new, Origin::Client)?;
        Ok(Done { written, updated })
    }
}

/// The fault of an index key, as it is said of an update.
fn of_update(error: crate::error::Error) -> crate::error::Error {
    match error.item_fault() {
        Some(Fault::Request(RequestFault::EmptyIndexKey { kind, .. })) => {
            RequestFault::UpdateEmptiesIndexKey { kind }.into_error()
        }
        _ => error,
    }
}

impl Done {
    /// What is returned of the item, which is one of `table`.
    pub(super) fn attributes(&self, asked: ReturnValues, target: &Target, table: &Definition) -> Result<Option<Item>> {
        let whole = |record: &Option<Vec<u8>>| match record {
            Some(record) => target.item(table, RecordRef::new(record)?).map(Some),
            None => Ok(None),
        };
        let some = |item: &Item| (!item.is_empty()).then(|| item.clone().read_from(&Place::new(target.name(), table)));
        match (asked, &self.updated) {
            (ReturnValues::AllOld, _) => whole(&self.written.old),
            (ReturnValues::AllNew, _) => whole(&self.written.new),
            (ReturnValues::UpdatedOld, Some((before, _))) => Ok(some(before)),
            (ReturnValues::UpdatedNew, Some((_, now))) => Ok(some(now)),
            _ => Ok(None),
        }
    }
}

/// What a write was asked to return.
#[derive(Clone, Copy)]
struct Asked {
    values: ReturnValues,
    capacity: ReturnConsumedCapacity,
    metrics: ReturnItemCollectionMetrics,
    on_failure: ReturnValuesOnConditionCheckFailure,
}

/// What a request asks for; those of all writes have the same members for it.
macro_rules! asked {
    ($request:expr) => {
        Asked {
            values: $request.return_values,
            capacity: $request.return_consumed_capacity,
            metrics: $request.return_item_collection_metrics,
            on_failure: $request.return_values_on_condition_check_failure,
        }
    };
}

/// Runs [`PutItem`].
pub(super) fn put(
    writer: &mut Writer,
    target: &Target,
    request: &PutItem,
    prepared: &PreparedWrite,
) -> Result<WriteItemOutput> {
    put_by(writer, target, &request.item, request.return_values, request, prepared)
}

/// As [`put`], with the item and what is returned said otherwise than in the request.
pub(super) fn put_by(
    writer: &mut Writer,
    target: &Target,
    item: &Item,
    values: ReturnValues,
    request: &PutItem,
    prepared: &PreparedWrite,
) -> Result<WriteItemOutput> {
    let asked = Asked { values, ..asked!(request) };
    run(writer, target, Action::Put(item), prepared.condition.as_ref(), asked)
}

/// Runs [`DeleteItem`].
pub(super) fn delete(
    writer: &mut Writer,
    target: &Target,
    request: &DeleteItem,
    prepared: &PreparedWrite,
) -> Result<WriteItemOutput> {
    delete_by(writer, target, KeyOf::Attributes(&request.key), request, prepared)
}

/// As [`delete`], with the item said otherwise than in the request.
pub(super) fn delete_by(
    writer: &mut Writer,
    target: &Target,
    key: KeyOf<'_>,
    request: &DeleteItem,
    prepared: &PreparedWrite,
) -> Result<WriteItemOutput> {
    run(writer, target, Action::Delete(key), prepared.condition.as_ref(), asked!(request))
}

/// Runs [`UpdateItem`].
pub(super) fn update(
    writer: &mut Writer,
    target: &Target,
    request: &UpdateItem,
    prepared: &PreparedUpdate,
) -> Result<WriteItemOutput> {
    update_by(writer, target, KeyOf::Attributes(&request.key), request, prepared)
}

/// As [`update`], with the item said otherwise than in the request.
pub(super) fn update_by(
    writer: &mut Writer,
    target: &Target,
    key: KeyOf<'_>,
    request: &UpdateItem,
    prepared: &PreparedUpdate,
) -> Result<WriteItemOutput> {
    run(writer, target, Action::Update(key, prepared), prepared.condition.as_ref(), asked!(request))
}

fn run(
    writer: &mut Writer,
    target: &Target,
    action: Action<'_>,
    condition: Option<&Condition>,
    asked: Asked,
) -> Result<WriteItemOutput> {
    let table = target.definition(writer)?;
    let planned = Planned::new(&table, action)?;
    let key = (asked.metrics != ReturnItemCollectionMetrics::None).then(|| planned.key.clone());
    let done = planned.run(writer, &table, condition, asked.on_failure)?;
    let mut output = WriteItemOutput::default();
    if asked.values != ReturnValues::None {
        output.attributes = done.attributes(asked.values, target, &table)?;
    }
    if asked.capacity != ReturnConsumedCapacity::None {
        let mut costs = Costs::default();
        costs.wrote(&table.record, &done.written, 1.0)?;
        output.consumed_capacity = costs.report(asked.capacity, target.name(), &table.record, false);
    }
    if let Some(key) = key {
        output.item_collection_metrics = capacity::collection(writer, &table.record, &key, asked.metrics)?;
    }
    Ok(output)
}
