//! Requests about exports and imports, and moments that tables can be brought back to.

#![allow(clippy::unnecessary_wraps, reason = "all requests are read by functions of one form")]

use crate::item::request::{
    CreateTable, ExportTableToPointInTime, ImportTable, InputCompressionType, InputFormat, ListExports, ListImports,
    UpdateContinuousBackups,
};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;
use crate::server::dynamodb::requests::tables::{
    attribute_definitions, global_index, key_schema, on_demand, provisioned, sse,
};

pub(in crate::server::dynamodb) fn update_continuous_backups(
    request: &Reader<'_>,
) -> Result<UpdateContinuousBackups, Failure> {
    let table_name = request.text("TableName");
    let update = request.object("PointInTimeRecoverySpecification", |specification| {
        Ok(UpdateContinuousBackups {
            table_name: table_name.clone(),
            enabled: specification.bool("PointInTimeRecoveryEnabled"),
            recovery_period_in_days: specification.integer("RecoveryPeriodInDays"),
        })
    })?;
    Ok(update.unwrap_or_default())
}

pub(in crate::server::dynamodb) fn export_table(request: &Reader<'_>) -> Result<ExportTableToPointInTime, Failure> {
    only(request, "ExportFormat", "DYNAMODB_JSON")?;
    only(request, "ExportType", "FULL_EXPORT")?;
    Ok(ExportTableToPointInTime {
        table_arn: request.text("TableArn"),
        export_time: request.moment("ExportTime"),
        client_token: request.optional_text("ClientToken"),
        s3_bucket: request.text("S3Bucket"),
        s3_prefix: request.optional_text("S3Prefix"),
    })
}

pub(in crate::server::dynamodb) fn list_exports(request: &Reader<'_>) -> Result<ListExports, Failure> {
    Ok(ListExports {
        table_arn: request.optional_text("TableArn"),
        max_results: request.small_integer("MaxResults"),
        next_token: request.optional_text("NextToken"),
    })
}

pub(in crate::server::dynamodb) fn import_table(request: &Reader<'_>) -> Result<ImportTable, Failure> {
    // The format and the table have been found to be there.
    let input_format = request.named("InputFormat")?.unwrap_or(InputFormat::DynamodbJson);
    let source = request
        .object("S3BucketSource", |source| Ok((source.text("S3Bucket"), source.optional_text("S3KeyPrefix"))))?;
    let csv = request.object("InputFormatOptions", |options| {
        options.object("Csv", |csv| Ok((csv.optional_text("Delimiter"), csv.texts("HeaderList"))))
    })?;
    let table = request.object("TableCreationParameters", |table| {
        Ok(CreateTable {
            table_name: table.text("TableName"),
            attribute_definitions: attribute_definitions(table)?,
            key_schema: key_schema(table)?,
            billing_mode: table.named("BillingMode")?,
            provisioned_throughput: provisioned(table)?,
            on_demand_throughput: on_demand(table)?,
            sse_specification: sse(table)?,
            global_secondary_indexes: table.list("GlobalSecondaryIndexes", global_index)?,
            ..CreateTable::default()
        })
    })?;
    let (s3_bucket, s3_key_prefix) = source.unwrap_or_default();
    let (csv_delimiter, csv_header_list) = csv.flatten().unwrap_or_default();
    Ok(ImportTable {
        client_token: request.optional_text("ClientToken"),
        s3_key_prefix,
        input_compression_type: request.named("InputCompressionType")?.unwrap_or(InputCompressionType::None),
        csv_delimiter,
        csv_header_list,
        ..ImportTable::new(s3_bucket, input_format, table.unwrap_or_default())
    })
}

pub(in crate::server::dynamodb) fn list_imports(request: &Reader<'_>) -> Result<ListImports, Failure> {
    Ok(ListImports {
        table_arn: request.optional_text("TableArn"),
        page_size: request.small_integer("PageSize"),
        next_token: request.optional_text("NextToken"),
    })
}

/// Refuses any other value of `member` than the one there is.
fn only(request: &Reader<'_>, member: &'static str, value: &str) -> Result<(), Failure> {
    match request.optional_text(member) {
        Some(other) if other != value => Err(Failure::validation(format!("{member} {other} is not supported"))),
        _ => Ok(()),
    }
}
