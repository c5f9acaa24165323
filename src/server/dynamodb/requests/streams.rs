//! Requests about streams.

#![allow(clippy::unnecessary_wraps, reason = "all requests are read by functions of one form")]

use crate::item::request::{DescribeStream, GetRecords, GetShardIterator, ListStreams, ShardIteratorType};
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::requests::Reader;

pub(in crate::server::dynamodb) fn list_streams(request: &Reader<'_>) -> Result<ListStreams, Failure> {
    Ok(ListStreams {
        table_name: request.optional_text("TableName"),
        limit: request.small_integer("Limit"),
        exclusive_start_stream_arn: request.optional_text("ExclusiveStartStreamArn"),
    })
}

pub(in crate::server::dynamodb) fn describe_stream(request: &Reader<'_>) -> Result<DescribeStream, Failure> {
    Ok(DescribeStream {
        stream_arn: request.text("StreamArn"),
        limit: request.small_integer("Limit"),
        exclusive_start_shard_id: request.optional_text("ExclusiveStartShardId"),
    })
}

pub(in crate::server::dynamodb) fn get_shard_iterator(request: &Reader<'_>) -> Result<GetShardIterator, Failure> {
    Ok(GetShardIterator {
        stream_arn: request.text("StreamArn"),
        shard_id: request.text("ShardId"),
        shard_iterator_type: request.named("ShardIteratorType")?.unwrap_or(ShardIteratorType::TrimHorizon),
        sequence_number: request.optional_text("SequenceNumber"),
    })
}

pub(in crate::server::dynamodb) fn get_records(request: &Reader<'_>) -> Result<GetRecords, Failure> {
    Ok(GetRecords { shard_iterator: request.text("ShardIterator"), limit: request.small_integer("Limit") })
}
