//! What operations would cost, as JSON.

use std::collections::BTreeMap;

use crate::item::request::{Capacity, ConsumedCapacity, ItemCollectionMetrics};
use crate::server::dynamodb::responses::values::write_item;
use crate::server::dynamodb::writer::{Members, Writer};

/// The member `ConsumedCapacity` of an operation on one table.
pub(super) fn of_one(members: &mut Members<'_>, consumed: Option<&ConsumedCapacity>) {
    members.optional("ConsumedCapacity", consumed, write_consumed);
}

/// The same of an operation on several.
pub(super) fn of_several(members: &mut Members<'_>, consumed: &[ConsumedCapacity]) {
    if !consumed.is_empty() {
        members.list("ConsumedCapacity", consumed, write_consumed);
    }
}

fn write_consumed(writer: &mut Writer, consumed: &ConsumedCapacity) {
    writer.object(|members| {
        members.text("TableName", &consumed.table_name);
        members.decimal("CapacityUnits", consumed.capacity_units);
        members.optional("ReadCapacityUnits", consumed.read_capacity_units, Writer::decimal);
        members.optional("WriteCapacityUnits", consumed.write_capacity_units, Writer::decimal);
        members.optional("Table", consumed.table.as_ref(), write_capacity);
        of_indexes(members, "LocalSecondaryIndexes", &consumed.local_secondary_indexes);
        of_indexes(members, "GlobalSecondaryIndexes", &consumed.global_secondary_indexes);
    });
}

fn of_indexes(members: &mut Members<'_>, name: &str, indexes: &BTreeMap<String, Capacity>) {
    if !indexes.is_empty() {
        members.object(name, |members| {
            for (name, capacity) in indexes {
                write_capacity(members.name(name), capacity);
            }
        });
    }
}

fn write_capacity(writer: &mut Writer, capacity: &Capacity) {
    writer.object(|members| {
        members.decimal("CapacityUnits", capacity.capacity_units);
        members.optional("ReadCapacityUnits", capacity.read_capacity_units, Writer::decimal);
        members.optional("WriteCapacityUnits", capacity.write_capacity_units, Writer::decimal);
    });
}

/// Writes how large a collection is.
pub(super) fn write_metrics(writer: &mut Writer, metrics: &ItemCollectionMetrics) {
    writer.object(|members| {
        write_item(members.name("ItemCollectionKey"), &metrics.item_collection_key);
        members.list("SizeEstimateRangeGB", metrics.size_estimate_range_gb, Writer::decimal);
    });
}

/// The member `ItemCollectionMetrics` of an operation on several tables.
pub(super) fn metrics_of_several(members: &mut Members<'_>, metrics: &BTreeMap<String, Vec<ItemCollectionMetrics>>) {
    if !metrics.is_empty() {
        members.object("ItemCollectionMetrics", |members| {
            for (table, metrics) in metrics {
                members.list(table, metrics, write_metrics);
            }
        });
    }
}
