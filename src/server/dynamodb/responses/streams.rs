//! What operations on streams return.

use crate::item::request::{GetRecordsOutput, ListStreamsOutput, Record, Shard, StreamDescription};
use crate::server::dynamodb::responses::tables::write_key_schema;
use crate::server::dynamodb::responses::values::{time, write_item};
use crate::server::dynamodb::writer::{Members, Writer};

pub(in crate::server::dynamodb) fn streams(members: &mut Members<'_>, output: &ListStreamsOutput) {
    members.list("Streams", &output.streams, |writer, stream| {
        writer.object(|members| {
            members.text("StreamArn", &stream.stream_arn);
            members.text("TableName", &stream.table_name);
            members.text("StreamLabel", &stream.stream_label);
        });
    });
    members.optional("LastEvaluatedStreamArn", output.last_evaluated_stream_arn.as_deref(), Writer::text);
}

pub(in crate::server::dynamodb) fn stream(members: &mut Members<'_>, stream: &StreamDescription) {
    members.object("StreamDescription", |members| {
        members.text("StreamArn", &stream.stream_arn);
        members.text("StreamLabel", &stream.stream_label);
        members.text("StreamStatus", stream.stream_status.as_str());
        members.text("StreamViewType", stream.stream_view_type.as_str());
        time(members.name("CreationRequestDateTime"), stream.creation_request_date_time);
        members.text("TableName", &stream.table_name);
        write_key_schema(members, &stream.key_schema);
        members.list("Shards", &stream.shards, write_shard);
        members.optional("LastEvaluatedShardId", stream.last_evaluated_shard_id.as_deref(), Writer::text);
    });
}

pub(in crate::server::dynamodb) fn records(members: &mut Members<'_>, output: &GetRecordsOutput, region: &str) {
    members.list("Records", &output.records, |writer, record| write_record(writer, record, region));
    members.optional("NextShardIterator", output.next_shard_iterator.as_deref(), Writer::text);
}

fn write_shard(writer: &mut Writer, shard: &Shard) {
    writer.object(|members| {
        members.text("ShardId", &shard.shard_id);
        members.object("SequenceNumberRange", |members| {
            members.text("StartingSequenceNumber", &shard.starting_sequence_number);
            members.optional("EndingSequenceNumber", shard.ending_sequence_number.as_deref(), Writer::text);
        });
        members.optional("ParentShardId", shard.parent_shard_id.as_deref(), Writer::text);
    });
}

fn write_record(writer: &mut Writer, record: &Record, region: &str) {
    writer.object(|members| {
        members.text("eventID", &record.event_id);
        members.text("eventName", record.event_name.as_str());
        members.text("eventVersion", "1.1");
        members.text("eventSource", "aws:dynamodb");
        members.text("awsRegion", region);
        members.object("dynamodb", |members| {
            // Whole seconds, as the service has them.
            members.number("ApproximateCreationDateTime", record.approximate_creation_date_time.as_seconds());
            write_item(members.name("Keys"), &record.keys);
            members.optional("NewImage", record.new_image.as_ref(), write_item);
            members.optional("OldImage", record.old_image.as_ref(), write_item);
            members.text("SequenceNumber", &record.sequence_number);
            members.number("SizeBytes", record.size_bytes);
            members.text("StreamViewType", record.stream_view_type.as_str());
        });
        if let Some(identity) = &record.user_identity {
            members.object("userIdentity", |members| {
                members.text("PrincipalId", &identity.principal_id);
                members.text("Type", &identity.identity_type);
            });
        }
    });
}
