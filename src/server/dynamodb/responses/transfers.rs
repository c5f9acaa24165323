//! What is said of exports and imports.

use crate::item::request::{
    ExportDescription, ExportStatus, ImportStatus, ImportTableDescription, ListExportsOutput, ListImportsOutput,
};
use crate::server::dynamodb::responses::values::time;
use crate::server::dynamodb::writer::{Members, Writer};

pub(in crate::server::dynamodb) fn export(members: &mut Members<'_>, export: &ExportDescription, status: ExportStatus) {
    members.object("ExportDescription", |members| {
        members.text("ExportArn", &export.export_arn);
        members.text("ExportStatus", status.as_str());
        time(members.name("StartTime"), export.start_time);
        if status == ExportStatus::Completed {
            time(members.name("EndTime"), export.end_time);
            members.text("ExportManifest", &export.export_manifest);
            members.number("BilledSizeBytes", export.billed_size_bytes);
            members.number("ItemCount", export.item_count);
        }
        members.text("TableArn", &export.table_arn);
        members.text("TableId", &export.table_id);
        time(members.name("ExportTime"), export.export_time);
        members.optional("ClientToken", export.client_token.as_deref(), Writer::text);
        members.text("S3Bucket", &export.s3_bucket);
        members.optional("S3Prefix", export.s3_prefix.as_deref(), Writer::text);
        members.text("ExportFormat", "DYNAMODB_JSON");
        members.text("ExportType", "FULL_EXPORT");
    });
}

pub(in crate::server::dynamodb) fn exports(members: &mut Members<'_>, output: &ListExportsOutput) {
    members.list("ExportSummaries", &output.exports, |writer, export| {
        writer.object(|members| {
            members.text("ExportArn", &export.export_arn);
            members.text("ExportStatus", export.export_status.as_str());
            members.text("ExportType", "FULL_EXPORT");
        });
    });
    members.optional("NextToken", output.next_token.as_deref(), Writer::text);
}

pub(in crate::server::dynamodb) fn import(
    members: &mut Members<'_>,
    import: &ImportTableDescription,
    status: ImportStatus,
) {
    members.object("ImportTableDescription", |members| {
        members.text("ImportArn", &import.import_arn);
        members.text("ImportStatus", status.as_str());
        members.text("TableArn", &import.table_arn);
        members.text("TableId", &import.table_id);
        members.optional("ClientToken", import.client_token.as_deref(), Writer::text);
        write_source(members, import);
        members.text("InputFormat", import.input_format.as_str());
        members.text("InputCompressionType", import.input_compression_type.as_str());
        time(members.name("StartTime"), import.start_time);
        if status == ImportStatus::Completed {
            members.number("ErrorCount", import.error_count);
            time(members.name("EndTime"), import.end_time);
            members.number("ProcessedSizeBytes", import.processed_size_bytes);
            members.number("ProcessedItemCount", import.processed_item_count);
            members.number("ImportedItemCount", import.imported_item_count);
        }
    });
}

pub(in crate::server::dynamodb) fn imports(members: &mut Members<'_>, output: &ListImportsOutput) {
    members.list("ImportSummaryList", &output.imports, |writer, import| {
        writer.object(|members| {
            members.text("ImportArn", &import.import_arn);
            members.text("ImportStatus", import.import_status.as_str());
            members.text("TableArn", &import.table_arn);
            write_source(members, import);
            members.text("InputFormat", import.input_format.as_str());
            time(members.name("StartTime"), import.start_time);
            time(members.name("EndTime"), import.end_time);
        });
    });
    members.optional("NextToken", output.next_token.as_deref(), Writer::text);
}

fn write_source(members: &mut Members<'_>, import: &ImportTableDescription) {
    members.object("S3BucketSource", |members| {
        members.text("S3Bucket", &import.s3_bucket);
        members.optional("S3KeyPrefix", import.s3_key_prefix.as_deref(), Writer::text);
    });
}
