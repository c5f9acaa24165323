//! What operations on items of several tables return.

use crate::item::request::{
    BatchGetItemOutput, BatchWriteItemOutput, KeysAndAttributes, TransactGetItemsOutput, TransactWriteItemsOutput,
    WriteRequest,
};
use crate::server::dynamodb::responses::capacity;
use crate::server::dynamodb::responses::values::{items, write_item};
use crate::server::dynamodb::writer::{Members, Writer};

pub(in crate::server::dynamodb) fn batch_get(members: &mut Members<'_>, output: &BatchGetItemOutput) {
    members.object("Responses", |tables| {
        for (table, found) in &output.responses {
            items(tables, table, found);
        }
    });
    members.object("UnprocessedKeys", |tables| {
        for (table, keys) in &output.unprocessed_keys {
            write_keys(tables.name(table), keys);
        }
    });
    capacity::of_several(members, &output.consumed_capacity);
}

pub(in crate::server::dynamodb) fn batch_write(members: &mut Members<'_>, output: &BatchWriteItemOutput) {
    members.object("UnprocessedItems", |tables| {
        for (table, requests) in &output.unprocessed_items {
            tables.list(table, requests, write_request);
        }
    });
    capacity::metrics_of_several(members, &output.item_collection_metrics);
    capacity::of_several(members, &output.consumed_capacity);
}

pub(in crate::server::dynamodb) fn transact_get(members: &mut Members<'_>, output: &TransactGetItemsOutput) {
    members.list("Responses", &output.responses, |writer, item| {
        // Of an item without anything that was asked for, the service says what it says where there is none.
        let item = item.as_ref().filter(|item| !item.is_empty());
        writer.object(|members| members.optional("Item", item, write_item));
    });
    capacity::of_several(members, &output.consumed_capacity);
}

pub(in crate::server::dynamodb) fn transact_write(members: &mut Members<'_>, output: &TransactWriteItemsOutput) {
    capacity::metrics_of_several(members, &output.item_collection_metrics);
    capacity::of_several(members, &output.consumed_capacity);
}

fn write_keys(writer: &mut Writer, keys: &KeysAndAttributes) {
    writer.object(|members| {
        items(members, "Keys", &keys.keys);
        if let Some(names) = &keys.attributes_to_get {
            members.list("AttributesToGet", names, |writer, name| writer.text(name));
        }
        if keys.consistent_read {
            members.bool("ConsistentRead", true);
        }
        members.optional("ProjectionExpression", keys.projection_expression.as_deref(), Writer::text);
        if let Some(names) = &keys.expression_attribute_names {
            members.object("ExpressionAttributeNames", |members| {
                for (placeholder, name) in names {
                    members.text(placeholder, name);
                }
            });
        }
    });
}

fn write_request(writer: &mut Writer, request: &WriteRequest) {
    let (kind, what, item) = match request {
        WriteRequest::Put(item) => ("PutRequest", "Item", item),
        WriteRequest::Delete(key) => ("DeleteRequest", "Key", key),
    };
    writer.object(|members| members.object(kind, |members| write_item(members.name(what), item)));
}
