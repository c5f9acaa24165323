//! What is said of a table: for whoever waits for it, manages it or counts it.

use crate::clock::Timestamp;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::item::definition::{Change, Definition, IndexRecord, TableRecord};
use crate::item::details::{Details, moment};
use crate::item::layout;
use crate::item::record::RecordRef;
use crate::item::request::{
    BillingModeSummary, GlobalSecondaryIndexDescription, IndexStatus, LocalSecondaryIndexDescription, SseDescription,
    SseType, StreamSpecification, StreamViewType, TableClassSummary, TableDescription, TableStatus, definitions_of,
    key_schema, projection,
};
use crate::item::stream;
use crate::item::target::Target;
use crate::limits;
use crate::txn::View;

/// Describes a table.
///
/// # Cost
/// O(log n) for each count; sizes are estimated from a sample of the items.
pub(super) fn describe(view: &View, target: &Target, table: &Definition) -> Result<TableDescription> {
    let details = Details::get(view, table.storage)?;
    let (record, now, arn) = (&table.record, view.now(), target.arn());
    let change = record.phase_at(|| now).map(|phase| &phase.change);
    let of_items = Extent::of(view, &layout::prefix(table.storage, None), None)?;
    let (mut local, mut global) = (Vec::new(), Vec::new());
    let removed = match change {
        Some(Change::IndexRemoved(index)) => index.as_slice(),
        _ => &[],
    };
    for index in record.indexes.iter().chain(removed) {
        let extent = Extent::of(view, &layout::prefix(table.storage, Some(index)), Some(of_items))?;
        if index.is_local() {
            local.push(describe_local(index, extent, &arn));
        } else {
            global.push(describe_global(index, extent, &arn, &details, (change, now)));
        }
    }
    let label = record.stream.as_ref().map(|stream| stream::label(stream.since));
    let last = label.clone().or_else(|| details.old_streams.last().map(|old| stream::label(old.stream.since)));
    Ok(TableDescription {
        table_name: target.name().to_string(),
        table_status: status(record, change),
        attribute_definitions: definitions_of(&record.schema()),
        key_schema: key_schema(&record.keys),
        creation_date_time: Timestamp::from_micros(details.created),
        provisioned_throughput: details.throughput.describe(now),
        table_size_bytes: of_items.bytes,
        item_count: of_items.entries,
        table_id: details.table_id(),
        billing_mode_summary: (details.is_by_request || details.by_request_since != 0).then(|| BillingModeSummary {
            billing_mode: details.billing_mode(),
            last_update_to_pay_per_request_date_time: moment(details.by_request_since),
        }),
        local_secondary_indexes: local,
        global_secondary_indexes: global,
        stream_specification: record.stream.as_ref().map(|stream| StreamSpecification {
            stream_enabled: true,
            stream_view_type: Some(StreamViewType::of_number(stream.view)),
        }),
        latest_stream_arn: last.as_ref().map(|label| format!("{arn}/stream/{label}")),
        latest_stream_label: last,
        table_arn: arn,
        sse_description: details.sse.as_ref().filter(|sse| sse.is_enabled).map(|sse| SseDescription {
            sse_type: if sse.is_kms { SseType::Kms } else { SseType::Aes256 },
            kms_master_key_arn: sse.key.clone(),
        }),
        table_class_summary: (details.is_infrequent || details.class_changed != 0).then(|| TableClassSummary {
            table_class: details.table_class(),
            last_update_date_time: moment(details.class_changed),
        }),
        deletion_protection_enabled: details.is_protected,
        on_demand_throughput: details.throughput.on_demand(),
        warm_throughput: details.throughput.warm(details.is_by_request),
    })
}

/// What a table is doing, of which `change` goes on: while an index is being built, it is being updated.
fn status(record: &TableRecord, change: Option<&Change>) -> TableStatus {
    match change {
        Some(Change::Making) => TableStatus::Creating,
        Some(Change::Removing) => TableStatus::Deleting,
        Some(Change::Table | Change::IndexAdded(_) | Change::IndexRemoved(_)) => TableStatus::Updating,
        None if record.indexes.iter().any(|index| index.is_building) => TableStatus::Updating,
        None => TableStatus::Active,
    }
}

/// What an index is doing, while `change` goes on with its table; and whether it is being filled, of an index that was added.
fn index_status(index: &IndexRecord, change: Option<&Change>) -> (IndexStatus, Option<bool>) {
    match change {
        Some(Change::Making) => (IndexStatus::Creating, None),
        Some(Change::IndexAdded(added)) if *added == index.id => (IndexStatus::Creating, Some(index.is_building)),
        Some(Change::IndexRemoved(removed)) if removed.contains(index) => (IndexStatus::Deleting, None),
        _ if index.is_building => (IndexStatus::Creating, Some(true)),
        _ => (IndexStatus::Active, None),
    }
}

fn describe_local(index: &IndexRecord, extent: Extent, arn: &str) -> LocalSecondaryIndexDescription {
    LocalSecondaryIndexDescription {
        index_name: index.name.clone(),
        key_schema: key_schema(&index.keys),
        projection: projection(&index.projection),
        index_size_bytes: extent.bytes,
        item_count: extent.entries,
        index_arn: format!("{arn}/index/{}", index.name),
    }
}

fn describe_global(
    index: &IndexRecord,
    extent: Extent,
    arn: &str,
    details: &Details,
    (change, now): (Option<&Change>, Timestamp),
) -> GlobalSecondaryIndexDescription {
    let (index_status, backfilling) = index_status(index, change);
    let throughput = details.throughput_of(index.id);
    GlobalSecondaryIndexDescription {
        index_name: index.name.clone(),
        key_schema: key_schema(&index.keys),
        projection: projection(&index.projection),
        index_status,
        backfilling,
        provisioned_throughput: throughput.describe(now),
        index_size_bytes: extent.bytes,
        item_count: extent.entries,
        index_arn: format!("{arn}/index/{}", index.name),
        on_demand_throughput: throughput.on_demand(),
        warm_throughput: throughput.warm(details.is_by_request),
    }
}

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) entries: u64,
    /// About.
    pub(super) bytes: u64,
}

impl Extent {
    /// Of what is below `prefix`: items, or entries of an index. Entries without a record count as `items` do on average.
    fn of(view: &View, prefix: &[u8], items: Option<Self>) -> Result<Self> {
        Self::of_range(view, &KeyRange::prefix(prefix), items)
    }

    /// Of what is in `range`. Up to [`limits::ITEM_SIZE_SAMPLE_MAX`] records are measured, all of them if there are no more.
    pub(super) fn of_range(view: &View, range: &KeyRange, items: Option<Self>) -> Result<Self> {
        let entries = view.count(range)?;
        let (mut sampled, mut bytes) = (0u64, 0u64);
        let mut measure = |record: &[u8]| {
            let size = match (record.is_empty(), items) {
                (true, Some(items)) => items.bytes.checked_div(items.entries).unwrap_or(0),
                _ => RecordRef::new(record)?.size_bytes()? as u64,
            };
            sampled += 1;
            bytes = bytes.saturating_add(size);
            Ok::<_, crate::error::Error>(())
        };
        if entries <= limits::ITEM_SIZE_SAMPLE_MAX {
            let mut cursor = view.range(range, Direction::Forward)?;
            while let Some((_, record)) = cursor.next()? {
                measure(record)?;
            }
        } else {
            for n in 0..limits::ITEM_SIZE_SAMPLE_MAX {
                let place = entries / limits::ITEM_SIZE_SAMPLE_MAX * n;
                if let Some((_, record)) = view.nth(range, place)? {
                    measure(&record)?;
                }
            }
        }
        let bytes = bytes.saturating_mul(entries).checked_div(sampled).unwrap_or(0);
        Ok(Self { entries, bytes })
    }
}
