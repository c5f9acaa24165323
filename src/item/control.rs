//! Making, changing and removing tables.

use std::sync::Arc;

use crate::catalog::Entry;
use crate::catalog::job::{self, Allowance};
use crate::clock::Timestamp;
use crate::encoding::mix::mix;
use crate::error::{Error, Result};
use crate::item::definition::{Change, Definition, Phase, StreamRecord, TableRecord, TtlRecord};
use crate::item::description;
use crate::item::details::{Details, OldStream, Sse, Throughput};
use crate::item::lifecycle::{self, Lifecycle};
use crate::item::request::{
    BillingMode, ContinuousBackups, CreateTable, GlobalSecondaryIndexUpdate, OnDemandThroughput, ProvisionedThroughput,
    StreamSpecification, StreamViewType, TableClass, TableDescription, TableStatus, UpdateContinuousBackups,
    UpdateTable, UpdateTimeToLive, WarmThroughput, check_included, check_on_demand,
};
use crate::item::schema::TableSchema;
use crate::item::target::Target;
use crate::item::{Fault, RequestFault, build, deadline, layout};
use crate::limits;
use crate::txn::{View, Writer};

/// For how many days back a table can be said to be recoverable, and is unless it is said.
pub(super) const RECOVERY_DAYS_MAX: u32 = 35;

/// Makes the table that `request`, whose schema is `schema`, asks for.
pub(super) fn create(
    writer: &mut Writer,
    target: &Target,
    request: &CreateTable,
    schema: &TableSchema,
    lifecycle: &Lifecycle,
) -> Result<TableDescription> {
    target.free_name(writer)?;
    let now = writer.now();
    let mut record = TableRecord::new(schema.clone());
    record.phase = lifecycle.phase(Change::Making, now);
    let details = details_of(writer, request, &record, schema, now);
    if let Some(view) = stream_of(request.stream_specification) {
        record.last_stream_id = 1;
        record.stream = Some(new_stream(1, view, stream_start(writer, &details)?, &details));
    }
    let table = target.create(writer, record, &details)?;
    lifecycle::schedule(writer, &table)?;
    description::describe(writer, target, &table)
}

/// Makes the table, unless it is there with an equal schema.
pub(super) fn create_if_absent(
    writer: &mut Writer,
    target: &Target,
    request: &CreateTable,
    schema: &TableSchema,
) -> Result<()> {
    match target.find(writer)? {
        Some(table) if table.record.schema() == TableRecord::new(schema.clone()).schema() => {
            lifecycle::check_there(writer, target, &table)
        }
        _ => create(writer, target, request, schema, &Lifecycle::default()).map(drop),
    }
}

/// The details of a new table.
pub(super) fn details_of(
    view: &View,
    request: &CreateTable,
    record: &TableRecord,
    schema: &TableSchema,
    now: Timestamp,
) -> Details {
    let is_by_request = request.billing_mode == Some(BillingMode::PayPerRequest);
    let mut details = Details {
        created: now.as_micros(),
        // Two numbers that nobody else has, with the version and variant that a UUID at random has.
        id: {
            let (high, low) = (mix(view.unique_number()), mix(view.unique_number()));
            ((high & !0xf000) | 0x4000, (low & (u64::MAX >> 2)) | (1 << 63))
        },
        is_by_request,
        by_request_since: if is_by_request { now.as_micros() } else { 0 },
        throughput: Throughput::new(
            request.provisioned_throughput,
            request.on_demand_throughput,
            request.warm_throughput,
        ),
        is_infrequent: request.table_class == Some(TableClass::StandardInfrequentAccess),
        is_protected: request.deletion_protection_enabled == Some(true),
        sse: request.sse_specification.as_ref().map(Sse::new),
        ..Details::default()
    };
    details.set_tags(&request.tags);
    for index in &schema.global_indexes {
        let asked = request.global_secondary_indexes.iter().flatten().find(|asked| asked.index_name == index.name);
        if let (Some(asked), Some(index)) = (asked, record.index_named(&index.name)) {
            let units =
                Throughput::new(asked.provisioned_throughput, asked.on_demand_throughput, asked.warm_throughput);
            details.set_throughput_of(index.id, units);
        }
    }
    details
}

fn stream_of(specification: Option<StreamSpecification>) -> Option<StreamViewType> {
    specification.filter(|stream| stream.stream_enabled).and_then(|stream| stream.stream_view_type)
}

fn new_stream(id: u32, view: StreamViewType, since: i64, details: &Details) -> StreamRecord {
    StreamRecord { id, view: view.number(), since, shards: details.shards() }
}

/// When a new stream begins: a millisecond that none before it has, because its label shows no more.
fn stream_start(writer: &mut Writer, details: &Details) -> Result<i64> {
    const MILLI: i64 = 1_000;
    let now = writer.unique_micros()?.div_euclid(MILLI).saturating_mul(MILLI);
    let last = details.old_streams.last().map(|old| old.stream.since);
    Ok(last.map_or(now, |last| now.max(last.saturating_add(MILLI))))
}

/// Removes the table, and returns what is said of it.
pub(super) fn delete(writer: &mut Writer, target: &Target, lifecycle: &Lifecycle) -> Result<TableDescription> {
    let table = target.described(writer)?;
    lifecycle::check_idle(writer, target, &table, true)?;
    let description = description::describe(writer, target, &table)?;
    if description.deletion_protection_enabled {
        let text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection \
                    first.";
        return Err(RequestFault::other(text));
    }
    match lifecycle.phase(Change::Removing, writer.now()) {
        None => target.remove(writer, &table)?,
        phase => begin(writer, target, phase)?,
    }
    Ok(TableDescription { table_status: TableStatus::Deleting, ..description })
}

/// Changes the table as `request`, which was checked, asks for.
pub(super) fn update(
    writer: &mut Writer,
    target: &Target,
    request: &UpdateTable,
    lifecycle: &Lifecycle,
    allowance: &mut Allowance,
) -> Result<TableDescription> {
    let table = target.described(writer)?;
    lifecycle::check_idle(writer, target, &table, false)?;
    let mut entry = table.as_ref().clone();
    let mut details = Details::get(writer, entry.storage)?;
    let now = writer.now();
    update_throughput(&mut details, &entry.record, request, now)?;
    let has_updates = request.global_secondary_index_updates.as_ref().is_some_and(|updates| !updates.is_empty());
    if has_updates && entry.record.indexes.iter().any(|index| index.is_building) {
        return Err(Fault::LimitExceeded { message: one_index_only() }.into_error());
    }
    let structural =
        |update: &&GlobalSecondaryIndexUpdate| !matches!(update, GlobalSecondaryIndexUpdate::Update { .. });
    if request.global_secondary_index_updates.iter().flatten().filter(structural).count() > 1 {
        return Err(Fault::LimitExceeded { message: one_index_only() }.into_error());
    }
    if let Some(class) = request.table_class {
        let is_infrequent = class == TableClass::StandardInfrequentAccess;
        if is_infrequent != details.is_infrequent {
            (details.is_infrequent, details.class_changed) = (is_infrequent, now.as_micros());
        }
    }
    if let Some(is_protected) = request.deletion_protection_enabled {
        details.is_protected = is_protected;
    }
    if let Some(sse) = &request.sse_specification {
        details.sse = Some(Sse::new(sse));
    }
    if let Some(stream) = request.stream_specification {
        update_stream(writer, &mut entry, &mut details, stream)?;
    }
    details.put(writer, entry.storage)?;
    if entry.record != table.record {
        target.update(writer, &entry)?;
    }
    for update in request.global_secondary_index_updates.iter().flatten() {
        update_index(writer, target, request, update, allowance)?;
    }
    let change = change_between(&table.record, &target.described(writer)?.record);
    begin(writer, target, lifecycle.phase(change, now))?;
    description::describe(writer, target, &target.described(writer)?)
}

/// Has the table go through `phase`, if there is one.
fn begin(writer: &mut Writer, target: &Target, phase: Option<Phase>) -> Result<()> {
    if phase.is_none() {
        return Ok(());
    }
    let mut table = target.described(writer)?.as_ref().clone();
    table.record.phase = phase;
    target.update(writer, &table)?;
    lifecycle::schedule(writer, &table)
}

/// What an update has done to a table: at most one index is added or removed by it.
fn change_between(old: &TableRecord, new: &TableRecord) -> Change {
    let added = new.indexes.iter().find(|index| old.index_of_id(index.id).is_none());
    let removed = old.indexes.iter().find(|index| new.index_of_id(index.id).is_none());
    match (added, removed) {
        (Some(index), _) => Change::IndexAdded(index.id),
        (None, Some(index)) => Change::IndexRemoved(vec![index.clone()]),
        (None, None) => Change::Table,
    }
}

fn one_index_only() -> String {
    "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table".to_owned()
}

fn update_throughput(details: &mut Details, record: &TableRecord, request: &UpdateTable, now: Timestamp) -> Result<()> {
    let neither =
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
    if details.is_by_request && request.billing_mode.is_none() && request.provisioned_throughput.is_some() {
        return Err(RequestFault::parameter(neither));
    }
    if request.billing_mode == Some(BillingMode::Provisioned)
        && request.provisioned_throughput.is_none()
        && details.is_by_request
    {
        let text = "ProvisionedThroughput must be specified when BillingMode is PROVISIONED";
        return Err(RequestFault::parameter(text));
    }
    let is_by_request = match request.billing_mode {
        Some(mode) => mode == BillingMode::PayPerRequest,
        None => details.is_by_request,
    };
    check_on_demand(request.on_demand_throughput, is_by_request, "table", false)?;
    if let Some(units) = request.provisioned_throughput {
        let (read, write) = (details.throughput.read, details.throughput.write);
        let is_same = units == ProvisionedThroughput { read_capacity_units: read, write_capacity_units: write };
        if is_same && details.is_by_request == is_by_request {
            return Err(unchanged(read, units.read_capacity_units, write, units.write_capacity_units));
        }
        details.throughput.provision(units, now);
    }
    if is_by_request && !details.is_by_request {
        details.by_request_since = now.as_micros();
        let none = ProvisionedThroughput::default();
        (details.throughput.read, details.throughput.write) = (none.read_capacity_units, none.write_capacity_units);
        for index in record.indexes.iter().filter(|index| !index.is_local()) {
            let throughput = Throughput { read: 0, write: 0, ..details.throughput_of(index.id) };
            details.set_throughput_of(index.id, throughput);
        }
    }
    details.is_by_request = is_by_request;
    details.throughput.set_on_demand(request.on_demand_throughput);
    details.throughput.set_warm(request.warm_throughput);
    Ok(())
}

fn unchanged(read: i64, new_read: i64, write: i64, new_write: i64) -> Error {
    let text = format!(
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current \
         ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: {new_read}. Current \
         WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: {new_write}. Refer to the \
         Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    );
    RequestFault::other(text)
}

fn update_stream(
    writer: &mut Writer,
    entry: &mut Entry<TableRecord>,
    details: &mut Details,
    stream: StreamSpecification,
) -> Result<()> {
    match (entry.record.stream.take(), stream_of(Some(stream))) {
        (None, Some(view)) => {
            entry.record.last_stream_id = entry.record.last_stream_id.saturating_add(1);
            let since = stream_start(writer, details)?;
            entry.record.stream = Some(new_stream(entry.record.last_stream_id, view, since, details));
        }
        (Some(on), None) => {
            // What is past its time is trimmed by its deadlines; here it is only forgotten.
            let now = writer.unique_micros()?;
            let day = limits::ITEM_STREAM_KEPT_SECONDS.saturating_mul(1_000_000);
            details.old_streams.retain(|old| old.until > now.saturating_sub(day));
            details.old_streams.push(OldStream { stream: on, until: now });
        }
        (Some(_), Some(_)) => return Err(RequestFault::parameter("Table already has an enabled stream")),
        (None, None) => return Err(RequestFault::parameter("Table does not have a stream to disable")),
    }
    Ok(())
}

fn update_index(
    writer: &mut Writer,
    target: &Target,
    request: &UpdateTable,
    update: &GlobalSecondaryIndexUpdate,
    allowance: &mut Allowance,
) -> Result<()> {
    let table = target.described(writer)?;
    match update {
        GlobalSecondaryIndexUpdate::Create(asked) => {
            let name = &asked.index_name;
            if table.record.index_named(name).is_some() {
                return Err(RequestFault::parameter(format!("Index already exists: {name}")));
            }
            let index = request.new_index(asked)?;
            let units =
                Throughput::new(asked.provisioned_throughput, asked.on_demand_throughput, asked.warm_throughput);
            check_new_index(&table, &index)?;
            let added = build::add(writer, target, index, allowance)?;
            set_throughput(writer, &table, added.id, units)
        }
        GlobalSecondaryIndexUpdate::Update {
            index_name,
            provisioned_throughput,
            on_demand_throughput,
            warm_throughput,
        } => {
            let asked = (*provisioned_throughput, *on_demand_throughput, *warm_throughput);
            update_index_throughput(writer, &table, index_name, asked)
        }
        GlobalSecondaryIndexUpdate::Delete { index_name } => {
            if build::remove(writer, target, index_name)? {
                return Ok(());
            }
            let resource = Some(format!("Table: {index_name} not found"));
            Err(Fault::ResourceNotFound { resource }.into_error())
        }
    }
}

/// Refuses an index that the table cannot have beside the others.
pub(super) fn check_new_index(table: &Definition, index: &crate::item::GlobalIndex) -> Result<()> {
    let mut schema = table.record.schema();
    for key in index.keys.attributes() {
        let declared =
            schema.keys.attributes().chain(schema.global_indexes.iter().flat_map(|other| other.keys.attributes()));
        let local = schema.local_indexes.iter().map(|other| &other.sort);
        if declared.chain(local).any(|other| other.name == key.name && other.key_type != key.key_type) {
            return Err(RequestFault::parameter(format!("Attribute {} is declared with another type", key.name)));
        }
    }
    schema.global_indexes.push(index.clone());
    if schema.global_indexes.len() > limits::ITEM_GLOBAL_INDEXES_MAX {
        return Err(Fault::LimitExceeded {
            message: "GlobalSecondaryIndex count exceeds the per-table limit of 20".to_owned(),
        }
        .into_error());
    }
    check_included(&schema)
}

fn set_throughput(writer: &mut Writer, table: &Definition, index: u32, throughput: Throughput) -> Result<()> {
    let mut details = Details::get(writer, table.storage)?;
    details.set_throughput_of(index, throughput);
    details.put(writer, table.storage)
}

type Asked = (Option<ProvisionedThroughput>, Option<OnDemandThroughput>, Option<WarmThroughput>);

fn update_index_throughput(writer: &mut Writer, table: &Definition, name: &str, asked: Asked) -> Result<()> {
    let Some(index) = table.record.index_named(name).filter(|index| !index.is_local()) else {
        let text = "This operation cannot be performed with given input values. Please contact DynamoDB service team for \
                    more info: Action Blocked: IndexUpdate";
        return Err(RequestFault::other(text));
    };
    let mut details = Details::get(writer, table.storage)?;
    let mut throughput = details.throughput_of(index.id);
    let (units, on_demand, warm) = asked;
    check_on_demand(on_demand, details.is_by_request, "index", false)?;
    if let Some(units) = units {
        throughput.provision(units, writer.now());
    }
    throughput.set_on_demand(on_demand);
    throughput.set_warm(warm);
    details.set_throughput_of(index.id, throughput);
    details.put(writer, table.storage)
}

/// Switches the expiry of items on or off.
pub(super) fn update_time_to_live(
    writer: &mut Writer,
    target: &Target,
    request: &UpdateTimeToLive,
    allowance: &mut Allowance,
) -> Result<()> {
    let table = target.described(writer)?;
    lifecycle::check_there(writer, target, &table)?;
    let mut entry = table.as_ref().clone();
    match (&entry.record.ttl, request.enabled) {
        (None, false) => return Err(RequestFault::other("TimeToLive is already disabled")),
        (Some(ttl), true) if ttl.attribute == request.attribute_name => {
            return Err(RequestFault::other("TimeToLive is already enabled"));
        }
        (Some(_), true) => {
            return Err(RequestFault::other("TimeToLive is already enabled with a different attribute name"));
        }
        (Some(ttl), false) if ttl.attribute != request.attribute_name => {
            return Err(RequestFault::other(
                "TimeToLive is active on a different AttributeName: current AttributeName is ".to_owned()
                    + &ttl.attribute,
            ));
        }
        (Some(_), false) => {
            job::cancel(writer, &layout::deadlines_target(entry.storage))?;
            entry.record.ttl = None;
        }
        (None, true) => {
            let (mut place, attribute) = (Vec::new(), request.attribute_name.clone());
            let is_complete = deadline::step(writer, &entry, &attribute, &mut place, allowance)?;
            entry.record.ttl = Some(TtlRecord { attribute, is_enabling: !is_complete });
            if !is_complete {
                deadline::later(writer, &entry, place)?;
            }
        }
    }
    target.update(writer, &entry)?;
    let mut details = Details::get(writer, entry.storage)?;
    details.ttl_changed = writer.now().as_micros();
    details.put(writer, entry.storage)
}

/// Says whether the table can be brought back to a moment, and for how many days back.
pub(super) fn update_continuous_backups(
    writer: &mut Writer,
    target: &Arc<Target>,
    request: &UpdateContinuousBackups,
) -> Result<ContinuousBackups> {
    let mut details = details_of_recoverable(writer, target)?;
    let days = request.recovery_period_in_days.map(u32::try_from).and_then(std::result::Result::ok);
    let period = days.unwrap_or(if details.recovery_days > 0 { details.recovery_days } else { RECOVERY_DAYS_MAX });
    if request.enabled && details.recovery_days == 0 {
        details.recoverable_since = writer.now().as_micros();
    }
    details.recovery_days = if request.enabled { period } else { 0 };
    details.put(writer, target.described(writer)?.storage)?;
    Ok(continuous_backups(writer, &details))
}

/// The details of a table, for an operation that has another name for a table that there is not, or not yet.
pub(super) fn details_of_recoverable(view: &View, target: &Arc<Target>) -> Result<Details> {
    match target.usable(view)? {
        Some(table) => Details::get(view, table.storage),
        None => Err(Fault::TableNotFound { name: target.name().to_string() }.into_error()),
    }
}

/// What is said of a table that can, or cannot, be brought back. Nothing of what was is kept, so that it is the present
/// moment alone that it can be brought back to.
pub(super) fn continuous_backups(view: &View, details: &Details) -> ContinuousBackups {
    let is_on = details.recovery_days > 0;
    let now = is_on.then(|| view.now());
    ContinuousBackups {
        continuous_backups_enabled: true,
        point_in_time_recovery_enabled: is_on,
        recovery_period_in_days: is_on.then_some(details.recovery_days),
        earliest_restorable_date_time: now,
        latest_restorable_date_time: now,
    }
}

/// The table of `target` and its details, for an operation on the table.
pub(super) fn details(view: &View, target: &Arc<Target>) -> Result<(Definition, Details)> {
    let table = target.described(view)?;
    let details = Details::get(view, table.storage)?;
    Ok((table, details))
}
