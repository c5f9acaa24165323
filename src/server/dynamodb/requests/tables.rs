//! Requests about tables.

#![allow(clippy::unnecessary_wraps, reason = "all requests are read by functions of one form")]

use crate::item::ScalarAttributeType;
use crate::item::request::{
    AttributeDefinition, CreateTable, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType,
    ListTables, LocalSecondaryIndex, OnDemandThroughput, Projection, ProvisionedThroughput, SseSpecification,
    StreamSpecification, Tag, TagResource, UntagResource, UpdateTable, UpdateTimeToLive, WarmThroughput,
};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;

pub(in crate::server::dynamodb) fn create_table(request: &Reader<'_>) -> Result<CreateTable, Failure> {
    Ok(CreateTable {
        table_name: request.text("TableName"),
        attribute_definitions: attribute_definitions(request)?,
        key_schema: key_schema(request)?,
        local_secondary_indexes: request.list("LocalSecondaryIndexes", |index| {
            Ok(LocalSecondaryIndex {
                index_name: index.text("IndexName"),
                key_schema: key_schema(index)?,
                projection: projection(index)?,
            })
        })?,
        global_secondary_indexes: request.list("GlobalSecondaryIndexes", global_index)?,
        billing_mode: request.named("BillingMode")?,
        provisioned_throughput: provisioned(request)?,
        on_demand_throughput: on_demand(request)?,
        warm_throughput: warm(request)?,
        stream_specification: stream(request)?,
        sse_specification: sse(request)?,
        tags: tags(request)?,
        table_class: request.named("TableClass")?,
        deletion_protection_enabled: request.optional_bool("DeletionProtectionEnabled"),
    })
}

pub(in crate::server::dynamodb) fn update_table(request: &Reader<'_>) -> Result<UpdateTable, Failure> {
    Ok(UpdateTable {
        table_name: request.text("TableName"),
        attribute_definitions: attribute_definitions(request)?,
        billing_mode: request.named("BillingMode")?,
        provisioned_throughput: provisioned(request)?,
        on_demand_throughput: on_demand(request)?,
        warm_throughput: warm(request)?,
        global_secondary_index_updates: request.list("GlobalSecondaryIndexUpdates", index_update)?,
        stream_specification: stream(request)?,
        sse_specification: sse(request)?,
        table_class: request.named("TableClass")?,
        deletion_protection_enabled: request.optional_bool("DeletionProtectionEnabled"),
    })
}

fn index_update(update: &Reader<'_>) -> Result<GlobalSecondaryIndexUpdate, Failure> {
    let create = update.object("Create", global_index)?.map(GlobalSecondaryIndexUpdate::Create);
    let change = update.object("Update", |change| {
        Ok(GlobalSecondaryIndexUpdate::Update {
            index_name: change.text("IndexName"),
            provisioned_throughput: provisioned(change)?,
            on_demand_throughput: on_demand(change)?,
            warm_throughput: warm(change)?,
        })
    })?;
    let delete = update
        .object("Delete", |delete| Ok(GlobalSecondaryIndexUpdate::Delete { index_name: delete.text("IndexName") }))?;
    let mut present = [create, change, delete].into_iter().flatten();
    match (present.next(), present.next()) {
        (Some(update), None) => Ok(update),
        _ => Err(Failure::validation(
            "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, \
             GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
        )),
    }
}

pub(in crate::server::dynamodb) fn list_tables(request: &Reader<'_>) -> Result<ListTables, Failure> {
    Ok(ListTables {
        exclusive_start_table_name: request.optional_text("ExclusiveStartTableName"),
        limit: request.small_integer("Limit"),
    })
}

pub(in crate::server::dynamodb) fn update_time_to_live(request: &Reader<'_>) -> Result<UpdateTimeToLive, Failure> {
    let table_name = request.text("TableName");
    let update = request.object("TimeToLiveSpecification", |specification| {
        Ok(UpdateTimeToLive {
            table_name: table_name.clone(),
            attribute_name: specification.text("AttributeName"),
            enabled: specification.bool("Enabled"),
        })
    })?;
    Ok(update.unwrap_or_default())
}

pub(in crate::server::dynamodb) fn tag_resource(request: &Reader<'_>) -> Result<TagResource, Failure> {
    Ok(TagResource { resource_arn: request.text("ResourceArn"), tags: tags(request)? })
}

pub(in crate::server::dynamodb) fn untag_resource(request: &Reader<'_>) -> Result<UntagResource, Failure> {
    Ok(UntagResource {
        resource_arn: request.text("ResourceArn"),
        tag_keys: request.texts("TagKeys").unwrap_or_default(),
    })
}

pub(super) fn attribute_definitions(request: &Reader<'_>) -> Result<Vec<AttributeDefinition>, Failure> {
    let definitions = request.list("AttributeDefinitions", |definition| {
        // The types are those of the table of members.
        let attribute_type = match definition.text("AttributeType").as_str() {
            "N" => ScalarAttributeType::N,
            "B" => ScalarAttributeType::B,
            _ => ScalarAttributeType::S,
        };
        Ok(AttributeDefinition { attribute_name: definition.text("AttributeName"), attribute_type })
    })?;
    Ok(definitions.unwrap_or_default())
}

pub(super) fn key_schema(request: &Reader<'_>) -> Result<Vec<KeySchemaElement>, Failure> {
    let keys = request.list("KeySchema", |key| {
        Ok(KeySchemaElement {
            attribute_name: key.text("AttributeName"),
            key_type: key.named("KeyType")?.unwrap_or(KeyType::Hash),
        })
    })?;
    Ok(keys.unwrap_or_default())
}

fn projection(request: &Reader<'_>) -> Result<Projection, Failure> {
    let projection = request.object("Projection", |projection| {
        Ok(Projection {
            projection_type: projection.named("ProjectionType")?,
            non_key_attributes: projection.texts("NonKeyAttributes"),
        })
    })?;
    Ok(projection.unwrap_or_default())
}

pub(super) fn global_index(index: &Reader<'_>) -> Result<GlobalSecondaryIndex, Failure> {
    Ok(GlobalSecondaryIndex {
        index_name: index.text("IndexName"),
        key_schema: key_schema(index)?,
        projection: projection(index)?,
        provisioned_throughput: provisioned(index)?,
        on_demand_throughput: on_demand(index)?,
        warm_throughput: warm(index)?,
    })
}

pub(super) fn provisioned(request: &Reader<'_>) -> Result<Option<ProvisionedThroughput>, Failure> {
    request.object("ProvisionedThroughput", |units| {
        Ok(ProvisionedThroughput {
            read_capacity_units: units.integer("ReadCapacityUnits").unwrap_or_default(),
            write_capacity_units: units.integer("WriteCapacityUnits").unwrap_or_default(),
        })
    })
}

pub(super) fn on_demand(request: &Reader<'_>) -> Result<Option<OnDemandThroughput>, Failure> {
    request.object("OnDemandThroughput", |units| {
        Ok(OnDemandThroughput {
            max_read_request_units: units.integer("MaxReadRequestUnits"),
            max_write_request_units: units.integer("MaxWriteRequestUnits"),
        })
    })
}

fn warm(request: &Reader<'_>) -> Result<Option<WarmThroughput>, Failure> {
    request.object("WarmThroughput", |units| {
        Ok(WarmThroughput {
            read_units_per_second: units.integer("ReadUnitsPerSecond"),
            write_units_per_second: units.integer("WriteUnitsPerSecond"),
        })
    })
}

fn stream(request: &Reader<'_>) -> Result<Option<StreamSpecification>, Failure> {
    request.object("StreamSpecification", |stream| {
        Ok(StreamSpecification {
            stream_enabled: stream.bool("StreamEnabled"),
            stream_view_type: stream.named("StreamViewType")?,
        })
    })
}

pub(super) fn sse(request: &Reader<'_>) -> Result<Option<SseSpecification>, Failure> {
    request.object("SSESpecification", |sse| {
        Ok(SseSpecification {
            enabled: sse.optional_bool("Enabled"),
            sse_type: sse.named("SSEType")?,
            kms_master_key_id: sse.optional_text("KMSMasterKeyId"),
        })
    })
}

fn tags(request: &Reader<'_>) -> Result<Vec<Tag>, Failure> {
    let tags = request.list("Tags", |tag| Ok(Tag { key: tag.text("Key"), value: tag.text("Value") }))?;
    Ok(tags.unwrap_or_default())
}
