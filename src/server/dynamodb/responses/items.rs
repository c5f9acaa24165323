//! What operations on items return.

use crate::item::request::{GetItemOutput, ReadOutput, WriteItemOutput};
use crate::server::dynamodb::responses::capacity;
use crate::server::dynamodb::responses::values::{items, write_item};
use crate::server::dynamodb::writer::Members;

pub(in crate::server::dynamodb) fn get(members: &mut Members<'_>, output: &GetItemOutput) {
    members.optional("Item", output.item.as_ref(), write_item);
    capacity::of_one(members, output.consumed_capacity.as_ref());
}

pub(in crate::server::dynamodb) fn write(members: &mut Members<'_>, output: &WriteItemOutput) {
    members.optional("Attributes", output.attributes.as_ref(), write_item);
    capacity::of_one(members, output.consumed_capacity.as_ref());
    members.optional("ItemCollectionMetrics", output.item_collection_metrics.as_ref(), capacity::write_metrics);
}

pub(in crate::server::dynamodb) fn read(members: &mut Members<'_>, output: &ReadOutput) {
    if let Some(found) = &output.items {
        items(members, "Items", found);
    }
    members.number("Count", output.count);
    members.number("ScannedCount", output.scanned_count);
    members.optional("LastEvaluatedKey", output.last_evaluated_key.as_ref(), write_item);
    capacity::of_one(members, output.consumed_capacity.as_ref());
}
