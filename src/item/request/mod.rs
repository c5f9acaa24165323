//! Requests: one plain struct for each operation, in the shape of the API.
//!
//! Builders of [`ItemTable`](crate::ItemTable), `PartiQL` and front doors make these; [`Items`](crate::item::Items) runs
//! them. Each has a `check` that finds what is wrong with the request by itself, in the order of the service, and needs
//! no store.
//!
//! ```
//! use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::{GetItem, PutItem}}};
//! let store = Store::in_memory();
//! store.item_table("Users").create(TableSchema::new("PK", ScalarAttributeType::S))?;
//! let put = PutItem { table_name: "Users".into(), item: Item::from([("PK", "ann")]), ..PutItem::default() };
//! put.check()?;
//! store.items().put_item(&put)?;
//! let no_table = PutItem { table_name: "no".into(), ..put };
//! assert!(no_table.check().is_err(), "a name has at least three characters");
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Source
//! `DynamoDB` API Reference.

mod admin;
mod batch;
mod capacity;
mod items;
mod key_definitions;
mod legacy;
mod names;
mod read;
mod statement;
mod streams;
mod table_check;
mod table_members;
mod table_shape;
mod tables;
mod transact;
#[cfg(feature = "exports")]
mod transfer;

pub use admin::{
    ContinuousBackups, Endpoint, Limits, TagResource, TimeToLiveDescription, UntagResource, UpdateContinuousBackups,
    UpdateTimeToLive,
};
pub use batch::{
    BatchGetItem, BatchGetItemOutput, BatchWriteItem, BatchWriteItemOutput, KeysAndAttributes, WriteRequest,
};
pub use capacity::{Capacity, ConsumedCapacity, ItemCollectionMetrics};
pub use items::{
    DeleteItem, ExpressionAttributeNames, ExpressionAttributeValues, GetItem, GetItemOutput, PutItem, UpdateItem,
    WriteItemOutput,
};
pub use legacy::{AttributeValueUpdate, Condition, ExpectedAttributeValue};
pub use names::{
    AttributeAction, BillingMode, ComparisonOperator, ConditionalOperator, EventName, IndexStatus, KeyType,
    ProjectionType, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure, Select, ShardIteratorType, SseType, StreamStatus, StreamViewType, TableClass,
    TableStatus, TimeToLiveStatus,
};
#[cfg(feature = "exports")]
#[cfg_attr(docsrs, doc(cfg(feature = "exports")))]
pub use names::{ExportStatus, ImportStatus, InputCompressionType, InputFormat};
pub use read::{Query, ReadOutput, Scan};
pub use statement::{
    BatchExecuteStatement, BatchStatementError, BatchStatementResponse, ExecuteStatement, ExecuteStatementOutput,
    ExecuteTransaction, ExecuteTransactionOutput,
};
pub use streams::{
    DescribeStream, GetRecords, GetRecordsOutput, GetShardIterator, Identity, ListStreams, ListStreamsOutput, Record,
    Shard, StreamDescription, StreamSummary,
};
pub(super) use table_members::{check_included, check_on_demand, check_tags};
pub(super) use table_shape::{definitions_of, key_schema, projection};
pub use tables::{
    AttributeDefinition, BillingModeSummary, CreateTable, GlobalSecondaryIndex, GlobalSecondaryIndexDescription,
    GlobalSecondaryIndexUpdate, KeySchemaElement, ListTables, ListTablesOutput, LocalSecondaryIndex,
    LocalSecondaryIndexDescription, OnDemandThroughput, Projection, ProvisionedThroughput, SseDescription,
    SseSpecification, StreamSpecification, TableClassSummary, TableDescription, Tag, ThroughputDescription,
    UpdateTable, WarmThroughput,
};
pub use transact::{
    TransactAction, TransactGet, TransactGetItems, TransactGetItemsOutput, TransactWrite, TransactWriteItems,
    TransactWriteItemsOutput,
};
#[cfg(feature = "exports")]
#[cfg_attr(docsrs, doc(cfg(feature = "exports")))]
pub use transfer::{
    ExportDescription, ExportTableToPointInTime, ImportTable, ImportTableDescription, ListExports, ListExportsOutput,
    ListImports, ListImportsOutput,
};
