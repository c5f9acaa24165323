//! What operations on tables return.

use crate::item::ScalarAttributeType;
use crate::item::request::{
    ContinuousBackups, Endpoint, GlobalSecondaryIndexDescription, KeySchemaElement, Limits, ListTablesOutput,
    LocalSecondaryIndexDescription, OnDemandThroughput, Projection, StreamSpecification, TableDescription, Tag,
    ThroughputDescription, TimeToLiveDescription, WarmThroughput,
};
use crate::server::dynamodb::responses::values::{optional_time, time};
use crate::server::dynamodb::writer::{Members, Writer};

/// Writes what is said of a table as the member `name`.
pub(in crate::server::dynamodb) fn table(members: &mut Members<'_>, name: &str, table: &TableDescription) {
    members.object(name, |members| write_table(members, table));
}

pub(in crate::server::dynamodb) fn tables(members: &mut Members<'_>, output: &ListTablesOutput) {
    members.list("TableNames", &output.table_names, |writer, name| writer.text(name));
    members.optional("LastEvaluatedTableName", output.last_evaluated_table_name.as_deref(), Writer::text);
}

pub(in crate::server::dynamodb) fn tags(members: &mut Members<'_>, tags: &[Tag]) {
    members.list("Tags", tags, |writer, tag| {
        writer.object(|members| {
            members.text("Key", &tag.key);
            members.text("Value", &tag.value);
        });
    });
}

pub(in crate::server::dynamodb) fn time_to_live(members: &mut Members<'_>, described: &TimeToLiveDescription) {
    members.object("TimeToLiveDescription", |members| {
        members.text("TimeToLiveStatus", described.time_to_live_status.as_str());
        members.optional("AttributeName", described.attribute_name.as_deref(), Writer::text);
    });
}

pub(in crate::server::dynamodb) fn limits(members: &mut Members<'_>, limits: &Limits) {
    members.number("AccountMaxReadCapacityUnits", limits.account_max_read_capacity_units);
    members.number("AccountMaxWriteCapacityUnits", limits.account_max_write_capacity_units);
    members.number("TableMaxReadCapacityUnits", limits.table_max_read_capacity_units);
    members.number("TableMaxWriteCapacityUnits", limits.table_max_write_capacity_units);
}

pub(in crate::server::dynamodb) fn endpoint(members: &mut Members<'_>, address: &str, endpoint: &Endpoint) {
    members.list("Endpoints", [endpoint], |writer, endpoint| {
        writer.object(|members| {
            members.text("Address", address);
            members.number("CachePeriodInMinutes", endpoint.cache_period_in_minutes);
        });
    });
}

pub(in crate::server::dynamodb) fn continuous_backups(members: &mut Members<'_>, backups: &ContinuousBackups) {
    let status = |is_enabled| if is_enabled { "ENABLED" } else { "DISABLED" };
    members.object("ContinuousBackupsDescription", |members| {
        members.text("ContinuousBackupsStatus", status(backups.continuous_backups_enabled));
        members.object("PointInTimeRecoveryDescription", |members| {
            members.text("PointInTimeRecoveryStatus", status(backups.point_in_time_recovery_enabled));
            members.optional("RecoveryPeriodInDays", backups.recovery_period_in_days, |writer, days| {
                writer.display(days);
            });
            optional_time(members, "EarliestRestorableDateTime", backups.earliest_restorable_date_time);
            optional_time(members, "LatestRestorableDateTime", backups.latest_restorable_date_time);
        });
    });
}

fn write_table(members: &mut Members<'_>, table: &TableDescription) {
    members.list("AttributeDefinitions", &table.attribute_definitions, |writer, definition| {
        writer.object(|members| {
            members.text("AttributeName", &definition.attribute_name);
            members.text("AttributeType", type_name(definition.attribute_type));
        });
    });
    members.text("TableName", &table.table_name);
    if !table.key_schema.is_empty() {
        write_key_schema(members, &table.key_schema);
    }
    members.text("TableStatus", table.table_status.as_str());
    time(members.name("CreationDateTime"), table.creation_date_time);
    write_throughput(members, &table.provisioned_throughput);
    members.number("TableSizeBytes", table.table_size_bytes);
    members.number("ItemCount", table.item_count);
    members.text("TableArn", &table.table_arn);
    members.text("TableId", &table.table_id);
    if let Some(billing) = &table.billing_mode_summary {
        members.object("BillingModeSummary", |members| {
            members.text("BillingMode", billing.billing_mode.as_str());
            let since = billing.last_update_to_pay_per_request_date_time;
            optional_time(members, "LastUpdateToPayPerRequestDateTime", since);
        });
    }
    if !table.local_secondary_indexes.is_empty() {
        members.list("LocalSecondaryIndexes", &table.local_secondary_indexes, write_local);
    }
    if !table.global_secondary_indexes.is_empty() {
        members.list("GlobalSecondaryIndexes", &table.global_secondary_indexes, write_global);
    }
    if let Some(stream) = &table.stream_specification {
        write_stream(members, *stream);
    }
    members.optional("LatestStreamLabel", table.latest_stream_label.as_deref(), Writer::text);
    members.optional("LatestStreamArn", table.latest_stream_arn.as_deref(), Writer::text);
    if let Some(sse) = &table.sse_description {
        members.object("SSEDescription", |members| {
            members.text("Status", "ENABLED");
            members.text("SSEType", sse.sse_type.as_str());
            members.optional("KMSMasterKeyArn", sse.kms_master_key_arn.as_deref(), Writer::text);
        });
    }
    if let Some(class) = &table.table_class_summary {
        members.object("TableClassSummary", |members| {
            members.text("TableClass", class.table_class.as_str());
            optional_time(members, "LastUpdateDateTime", class.last_update_date_time);
        });
    }
    members.bool("DeletionProtectionEnabled", table.deletion_protection_enabled);
    write_on_demand(members, table.on_demand_throughput);
    write_warm(members, table.warm_throughput);
}

fn type_name(kind: ScalarAttributeType) -> &'static str {
    match kind {
        ScalarAttributeType::S => "S",
        ScalarAttributeType::N => "N",
        ScalarAttributeType::B => "B",
    }
}

/// Writes the member `KeySchema`.
pub(super) fn write_key_schema(members: &mut Members<'_>, keys: &[KeySchemaElement]) {
    members.list("KeySchema", keys, |writer, key| {
        writer.object(|members| {
            members.text("AttributeName", &key.attribute_name);
            members.text("KeyType", key.key_type.as_str());
        });
    });
}

fn write_projection(members: &mut Members<'_>, projection: &Projection) {
    members.object("Projection", |members| {
        members.optional("ProjectionType", projection.projection_type, |writer, kind| writer.text(kind.as_str()));
        if let Some(names) = &projection.non_key_attributes {
            members.list("NonKeyAttributes", names, |writer, name| writer.text(name));
        }
    });
}

fn write_local(writer: &mut Writer, index: &LocalSecondaryIndexDescription) {
    writer.object(|members| {
        members.text("IndexName", &index.index_name);
        write_key_schema(members, &index.key_schema);
        write_projection(members, &index.projection);
        members.number("IndexSizeBytes", index.index_size_bytes);
        members.number("ItemCount", index.item_count);
        members.text("IndexArn", &index.index_arn);
    });
}

fn write_global(writer: &mut Writer, index: &GlobalSecondaryIndexDescription) {
    writer.object(|members| {
        members.text("IndexName", &index.index_name);
        write_key_schema(members, &index.key_schema);
        write_projection(members, &index.projection);
        members.text("IndexStatus", index.index_status.as_str());
        members.optional("Backfilling", index.backfilling, Writer::bool);
        write_throughput(members, &index.provisioned_throughput);
        members.number("IndexSizeBytes", index.index_size_bytes);
        members.number("ItemCount", index.item_count);
        members.text("IndexArn", &index.index_arn);
        write_on_demand(members, index.on_demand_throughput);
        write_warm(members, index.warm_throughput);
    });
}

fn write_throughput(members: &mut Members<'_>, units: &ThroughputDescription) {
    members.object("ProvisionedThroughput", |members| {
        optional_time(members, "LastIncreaseDateTime", units.last_increase_date_time);
        optional_time(members, "LastDecreaseDateTime", units.last_decrease_date_time);
        members.number("NumberOfDecreasesToday", units.number_of_decreases_today);
        members.number("ReadCapacityUnits", units.read_capacity_units);
        members.number("WriteCapacityUnits", units.write_capacity_units);
    });
}

fn write_on_demand(members: &mut Members<'_>, units: Option<OnDemandThroughput>) {
    if let Some(units) = units {
        members.object("OnDemandThroughput", |members| {
            members.optional("MaxReadRequestUnits", units.max_read_request_units, Writer::display);
            members.optional("MaxWriteRequestUnits", units.max_write_request_units, Writer::display);
        });
    }
}

/// What is asked for is there at once.
fn write_warm(members: &mut Members<'_>, units: WarmThroughput) {
    members.object("WarmThroughput", |members| {
        members.optional("ReadUnitsPerSecond", units.read_units_per_second, Writer::display);
        members.optional("WriteUnitsPerSecond", units.write_units_per_second, Writer::display);
        members.text("Status", "ACTIVE");
    });
}

fn write_stream(members: &mut Members<'_>, stream: StreamSpecification) {
    members.object("StreamSpecification", |members| {
        members.bool("StreamEnabled", stream.stream_enabled);
        members.optional("StreamViewType", stream.stream_view_type, |writer, view| writer.text(view.as_str()));
    });
}
