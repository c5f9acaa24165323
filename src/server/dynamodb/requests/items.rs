//! Requests about items: one, or those of a query or scan.

use std::collections::BTreeMap;

use crate::item::request::{
    AttributeValueUpdate, Condition, DeleteItem, ExpectedAttributeValue, GetItem, PutItem, Query, Scan, UpdateItem,
};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;

pub(in crate::server::dynamodb) fn get_item(request: &Reader<'_>) -> Result<GetItem, Failure> {
    Ok(GetItem {
        table_name: request.text("TableName"),
        key: request.item("Key")?,
        attributes_to_get: request.texts("AttributesToGet"),
        consistent_read: request.bool("ConsistentRead"),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        projection_expression: request.optional_text("ProjectionExpression"),
        expression_attribute_names: request.names(),
    })
}

pub(in crate::server::dynamodb) fn put_item(request: &Reader<'_>) -> Result<PutItem, Failure> {
    Ok(PutItem {
        table_name: request.text("TableName"),
        item: request.item("Item")?,
        expected: expected(request)?,
        conditional_operator: request.named("ConditionalOperator")?,
        return_values: request.named("ReturnValues")?.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        return_item_collection_metrics: request.named("ReturnItemCollectionMetrics")?.unwrap_or_default(),
        condition_expression: request.optional_text("ConditionExpression"),
        expression_attribute_names: request.names(),
        expression_attribute_values: request.placeholders()?,
        return_values_on_condition_check_failure: request
            .named("ReturnValuesOnConditionCheckFailure")?
            .unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn delete_item(request: &Reader<'_>) -> Result<DeleteItem, Failure> {
    Ok(DeleteItem {
        table_name: request.text("TableName"),
        key: request.item("Key")?,
        expected: expected(request)?,
        conditional_operator: request.named("ConditionalOperator")?,
        return_values: request.named("ReturnValues")?.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        return_item_collection_metrics: request.named("ReturnItemCollectionMetrics")?.unwrap_or_default(),
        condition_expression: request.optional_text("ConditionExpression"),
        expression_attribute_names: request.names(),
        expression_attribute_values: request.placeholders()?,
        return_values_on_condition_check_failure: request
            .named("ReturnValuesOnConditionCheckFailure")?
            .unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn update_item(request: &Reader<'_>) -> Result<UpdateItem, Failure> {
    Ok(UpdateItem {
        table_name: request.text("TableName"),
        key: request.item("Key")?,
        attribute_updates: request.map("AttributeUpdates", |update| {
            Ok(AttributeValueUpdate { value: update.value("Value")?, action: update.named("Action")? })
        })?,
        expected: expected(request)?,
        conditional_operator: request.named("ConditionalOperator")?,
        return_values: request.named("ReturnValues")?.unwrap_or_default(),
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        return_item_collection_metrics: request.named("ReturnItemCollectionMetrics")?.unwrap_or_default(),
        update_expression: request.optional_text("UpdateExpression"),
        condition_expression: request.optional_text("ConditionExpression"),
        expression_attribute_names: request.names(),
        expression_attribute_values: request.placeholders()?,
        return_values_on_condition_check_failure: request
            .named("ReturnValuesOnConditionCheckFailure")?
            .unwrap_or_default(),
    })
}

pub(in crate::server::dynamodb) fn query(request: &Reader<'_>) -> Result<Query, Failure> {
    Ok(Query {
        table_name: request.text("TableName"),
        index_name: request.optional_text("IndexName"),
        select: request.named("Select")?,
        attributes_to_get: request.texts("AttributesToGet"),
        limit: request.small_integer("Limit"),
        consistent_read: request.bool("ConsistentRead"),
        key_conditions: conditions(request, "KeyConditions")?,
        query_filter: conditions(request, "QueryFilter")?,
        conditional_operator: request.named("ConditionalOperator")?,
        scan_index_forward: request.optional_bool("ScanIndexForward"),
        exclusive_start_key: request.optional_item("ExclusiveStartKey")?,
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        projection_expression: request.optional_text("ProjectionExpression"),
        filter_expression: request.optional_text("FilterExpression"),
        key_condition_expression: request.optional_text("KeyConditionExpression"),
        expression_attribute_names: request.names(),
        expression_attribute_values: request.placeholders()?,
    })
}

pub(in crate::server::dynamodb) fn scan(request: &Reader<'_>) -> Result<Scan, Failure> {
    Ok(Scan {
        table_name: request.text("TableName"),
        index_name: request.optional_text("IndexName"),
        attributes_to_get: request.texts("AttributesToGet"),
        limit: request.small_integer("Limit"),
        select: request.named("Select")?,
        scan_filter: conditions(request, "ScanFilter")?,
        conditional_operator: request.named("ConditionalOperator")?,
        exclusive_start_key: request.optional_item("ExclusiveStartKey")?,
        return_consumed_capacity: request.named("ReturnConsumedCapacity")?.unwrap_or_default(),
        total_segments: request.small_integer("TotalSegments"),
        segment: request.small_integer("Segment"),
        projection_expression: request.optional_text("ProjectionExpression"),
        filter_expression: request.optional_text("FilterExpression"),
        expression_attribute_names: request.names(),
        expression_attribute_values: request.placeholders()?,
        consistent_read: request.bool("ConsistentRead"),
    })
}

fn expected(request: &Reader<'_>) -> Result<Option<BTreeMap<String, ExpectedAttributeValue>>, Failure> {
    request.map("Expected", |expected| {
        Ok(ExpectedAttributeValue {
            value: expected.value("Value")?,
            exists: expected.optional_bool("Exists"),
            comparison_operator: expected.named("ComparisonOperator")?,
            attribute_value_list: expected.values("AttributeValueList")?,
        })
    })
}

fn conditions(request: &Reader<'_>, name: &'static str) -> Result<Option<BTreeMap<String, Condition>>, Failure> {
    request.map(name, |condition| {
        // The operator has been found to be there.
        let missing = || Failure::validation("ComparisonOperator is missing");
        Ok(Condition {
            comparison_operator: condition.named("ComparisonOperator")?.ok_or_else(missing)?,
            attribute_value_list: condition.values("AttributeValueList")?.unwrap_or_default(),
        })
    })
}
