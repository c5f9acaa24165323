//! Streams: what was changed, in order.

use crate::clock::Timestamp;
use crate::item::Item;
use crate::item::request::{EventName, KeySchemaElement, ShardIteratorType, StreamStatus, StreamViewType};

/// Lists streams, of one table or of all.
///
/// # Examples
/// ```
/// let items = larder::Store::in_memory().items();
/// assert!(items.list_streams(&larder::item::request::ListStreams::default())?.streams.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB Streams` API Reference, `ListStreams`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListStreams {
    /// Of which table; of all unless it is said.
    pub table_name: Option<String>,
    /// How many, from 1 to 100.
    pub limit: Option<i64>,
    /// Behind which ARN to begin.
    pub exclusive_start_stream_arn: Option<String>,
}

/// What [`ListStreams`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ListStreamsOutput::default().streams.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListStreamsOutput {
    /// The streams.
    pub streams: Vec<StreamSummary>,
    /// Where to go on, if there is more.
    pub last_evaluated_stream_arn: Option<String>,
}

/// A stream by name.
///
/// # Examples
/// ```
/// assert!(larder::item::request::StreamSummary::default().stream_arn.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamSummary {
    /// Its ARN.
    pub stream_arn: String,
    /// Its table.
    pub table_name: String,
    /// When it was switched on, as text.
    pub stream_label: String,
}

/// Describes a stream and its shards.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}, item::request::*};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let arn = store.item_table("Users").enable_stream(StreamViewType::NewImage)?;
/// let described = store.items().describe_stream(&DescribeStream { stream_arn: arn, ..DescribeStream::default() })?;
/// assert!(described.shards.iter().all(|shard| shard.shard_id.len() >= 28));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB Streams` API Reference, `DescribeStream`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeStream {
    /// Its ARN.
    pub stream_arn: String,
    /// How many shards, from 1 to 100.
    pub limit: Option<i64>,
    /// Behind which shard to begin.
    pub exclusive_start_shard_id: Option<String>,
}

/// What is said of a stream.
///
/// # Examples
/// ```
/// fn is_open(stream: &larder::item::request::StreamDescription) -> bool {
///     stream.stream_status == larder::item::request::StreamStatus::Enabled
/// }
/// # let _ = is_open;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamDescription {
    /// Its ARN.
    pub stream_arn: String,
    /// When it was switched on, as text.
    pub stream_label: String,
    /// Whether it takes records.
    pub stream_status: StreamStatus,
    /// What they show.
    pub stream_view_type: StreamViewType,
    /// When it was switched on.
    pub creation_request_date_time: Timestamp,
    /// Its table.
    pub table_name: String,
    /// The key of its table.
    pub key_schema: Vec<KeySchemaElement>,
    /// Its shards, oldest first.
    pub shards: Vec<Shard>,
    /// Where to go on, if there are more.
    pub last_evaluated_shard_id: Option<String>,
}

/// A part of a stream: the changes of the items of some hashes, for a while.
///
/// # Examples
/// ```
/// assert!(larder::item::request::Shard::default().parent_shard_id.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shard {
    /// Its name.
    pub shard_id: String,
    /// Its records have this number or a larger one.
    pub starting_sequence_number: String,
    /// And this one or a smaller one, when it takes no more.
    pub ending_sequence_number: Option<String>,
    /// Which shard has the changes of its items from before.
    pub parent_shard_id: Option<String>,
}

/// Chooses where to read a shard from.
///
/// # Examples
/// ```
/// let get = larder::item::request::GetShardIterator::default();
/// assert!(larder::Store::in_memory().items().get_shard_iterator(&get).is_err(), "there is no such stream");
/// ```
///
/// # Source
/// `DynamoDB Streams` API Reference, `GetShardIterator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetShardIterator {
    /// The ARN of the stream.
    pub stream_arn: String,
    /// The shard.
    pub shard_id: String,
    /// Where to begin.
    pub shard_iterator_type: ShardIteratorType,
    /// At or behind which record, if that is where.
    pub sequence_number: Option<String>,
}

impl Default for GetShardIterator {
    /// The oldest record of a shard without a name.
    fn default() -> Self {
        let (stream_arn, shard_id) = (String::new(), String::new());
        Self { stream_arn, shard_id, shard_iterator_type: ShardIteratorType::TrimHorizon, sequence_number: None }
    }
}

/// Reads records of a shard.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}, item::request::*};
/// let store = Store::in_memory();
/// let users = store.item_table("Users");
/// users.create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let stream_arn = users.enable_stream(StreamViewType::KeysOnly)?;
/// users.put(&Item::from([("id", "a")]))?;
/// let items = store.items();
/// let described = items.describe_stream(&DescribeStream { stream_arn: stream_arn.clone(), ..Default::default() })?;
/// let mut seen = 0;
/// for shard in described.shards {
///     let at = GetShardIterator { stream_arn: stream_arn.clone(), shard_id: shard.shard_id, ..Default::default() };
///     let shard_iterator = items.get_shard_iterator(&at)?;
///     seen += items.get_records(&GetRecords { shard_iterator, limit: None })?.records.len();
/// }
/// assert_eq!(seen, 1);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB Streams` API Reference, `GetRecords`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetRecords {
    /// From where on: what [`GetShardIterator`] or the last call returned, not more than 15 minutes ago.
    pub shard_iterator: String,
    /// How many, from 1 to 1,000.
    pub limit: Option<i64>,
}

/// What [`GetRecords`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::GetRecordsOutput::default().records.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GetRecordsOutput {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// Where to go on; nothing when the shard takes no more and all of it was read.
    pub next_shard_iterator: Option<String>,
}

/// A change of an item.
///
/// # Examples
/// ```
/// fn is_new(record: &larder::item::request::Record) -> bool {
///     record.event_name == larder::item::request::EventName::Insert
/// }
/// # let _ = is_new;
/// ```
///
/// # Source
/// `DynamoDB Streams` API Reference, `Record`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// Its own name: 32 hexadecimal digits.
    pub event_id: String,
    /// What happened.
    pub event_name: EventName,
    /// About when.
    pub approximate_creation_date_time: Timestamp,
    /// The attributes of the item's key.
    pub keys: Item,
    /// The item as it is, if the stream shows it and it is there.
    pub new_image: Option<Item>,
    /// The item as it was, if the stream shows it and it was there.
    pub old_image: Option<Item>,
    /// Its number, of at least 21 digits; later changes have larger ones.
    pub sequence_number: String,
    /// How large the record is.
    pub size_bytes: u64,
    /// What the stream shows.
    pub stream_view_type: StreamViewType,
    /// Who did it, if it was not a client.
    pub user_identity: Option<Identity>,
}

/// Who changed an item, if it was not a client.
///
/// # Examples
/// ```
/// fn has_expired(by: &larder::item::request::Identity) -> bool {
///     by.identity_type == "Service" && by.principal_id == "dynamodb.amazonaws.com"
/// }
/// # let _ = has_expired;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `Service`.
    pub identity_type: String,
    /// `dynamodb.amazonaws.com`.
    pub principal_id: String,
}
