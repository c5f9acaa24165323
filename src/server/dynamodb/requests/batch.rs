//! Requests about items of several tables.

use crate::item::request::{
    BatchGetItem, BatchWriteItem, KeysAndAttributes, TransactAction, TransactGet, TransactGetItems, TransactWrite,
    TransactWriteItems, WriteRequest,
};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;

pub(in crate::server::dynamodb) fn batch_get_item(request: &Reader<'_>) -> Result<BatchGetItem, Failure> {
    let keys = request.map("RequestItems", |keys| {
        Ok(KeysAndAttributes {
            keys: keys.items("Keys")?,
            attributes_to_get: keys.texts("AttributesToGet"),
            consistent_read: keys.bool("ConsistentRead"),
            projection_expression: keys.optional_text("ProjectionExpression"),
            expression_attribute_names: keys.names(),
        })
    })?;
    Ok(BatchGetItem {
        request_items: keys.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn batch_write_item(request: &Reader<'_>) -> Result<BatchWriteItem, Failure> {
    let request_items = request.map_of_lists("RequestItems", |write| {
        let put = write.object("PutRequest", |put| put.item("Item"))?;
        let delete = write.object("DeleteRequest", |delete| delete.item("Key"))?;
        match (put, delete) {
            (Some(item), None) => Ok(WriteRequest::Put(item)),
            (None, Some(key)) => Ok(WriteRequest::Delete(key)),
            (Some(_), Some(_)) => Err(Failure::validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            )),
            (None, None) => Err(Failure::validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            )),
        }
    })?;
    Ok(BatchWriteItem {
        request_items,
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        return_item_collection_metrics: request.named("ReturnItemCollectionMetrics")?.unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn transact_get_items(request: &Reader<'_>) -> Result<TransactGetItems, Failure> {
    let gets = request.list("TransactItems", |action| {
        let get = action.object("Get", |get| {
            Ok(TransactGet {
                table_name: get.text("TableName"),
                key: get.item("Key")?,
                projection_expression: get.optional_text("ProjectionExpression"),
                expression_attribute_names: get.names(),
            })
        })?;
        Ok(get.unwrap_or_default())
    })?;
    Ok(TransactGetItems {
        transact_items: gets.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn transact_write_items(request: &Reader<'_>) -> Result<TransactWriteItems, Failure> {
    let writes = request.list("TransactItems", |action| {
        let kinds = ["ConditionCheck", "Put", "Delete", "Update"];
        let only_one = || Failure::validation("TransactItems can only contain one of Check, Put, Update or Delete");
        let mut present = kinds.into_iter().filter(|kind| action.has(kind));
        let kind = present.next().ok_or_else(only_one)?;
        if present.next().is_some() {
            return Err(only_one());
        }
        let write = action.object(kind, |write| {
            let action = match kind {
                "Put" => TransactAction::Put(write.item("Item")?),
                "Delete" => TransactAction::Delete(write.item("Key")?),
                "Update" => {
                    let key = write.item("Key")?;
                    TransactAction::Update { key, update_expression: write.text("UpdateExpression") }
                }
                _ => TransactAction::ConditionCheck(write.item("Key")?),
            };
            Ok(TransactWrite {
                condition_expression: write.optional_text("ConditionExpression"),
                expression_attribute_names: write.names(),
                expression_attribute_values: write.placeholders()?,
                return_values_on_condition_check_failure: write
                    .named("ReturnValuesOnConditionCheckFailure")?
                    .unwrap_or_default(),
                ..TransactWrite::new(write.text("TableName"), action)
            })
        })?;
        write.ok_or_else(only_one)
    })?;
    Ok(TransactWriteItems {
        transact_items: writes.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        return_item_collection_metrics: request.named("ReturnItemCollectionMetrics")?.unwrap_or_default(),
        client_request_token: request.optional_text("ClientRequestToken"),
    })
}
