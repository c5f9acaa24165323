//! Tables: what they are made of, and what is said of them.

use crate::clock::Timestamp;
use crate::item::ScalarAttributeType;
use crate::item::request::{
    BillingMode, IndexStatus, KeyType, ProjectionType, SseType, StreamViewType, TableClass, TableStatus,
};

/// An attribute that is part of a key, with its type.
///
/// # Examples
/// ```
/// use larder::item::{ScalarAttributeType, request::AttributeDefinition};
/// let id = AttributeDefinition { attribute_name: "id".into(), attribute_type: ScalarAttributeType::S };
/// assert_eq!(id.attribute_name, "id");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeDefinition {
    /// Its name.
    pub attribute_name: String,
    /// Its type.
    pub attribute_type: ScalarAttributeType,
}

/// An attribute of a key, with which part of it it is.
///
/// # Examples
/// ```
/// use larder::item::request::{KeySchemaElement, KeyType};
/// let id = KeySchemaElement { attribute_name: "id".into(), key_type: KeyType::Hash };
/// assert_eq!(id.key_type, KeyType::Hash);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchemaElement {
    /// Its name.
    pub attribute_name: String,
    /// Of which part.
    pub key_type: KeyType,
}

/// What an index shows of an item.
///
/// # Examples
/// ```
/// use larder::item::request::{Projection, ProjectionType};
/// let keys = Projection { projection_type: Some(ProjectionType::KeysOnly), non_key_attributes: None };
/// assert!(keys.non_key_attributes.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// Everything, the keys, or some; has to be there.
    pub projection_type: Option<ProjectionType>,
    /// Which, besides the keys.
    pub non_key_attributes: Option<Vec<String>>,
}

/// Capacity that is paid for whether it is used or not.
///
/// # Examples
/// ```
/// use larder::item::request::ProvisionedThroughput;
/// let five = ProvisionedThroughput { read_capacity_units: 5, write_capacity_units: 5 };
/// assert_eq!(five.read_capacity_units, 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvisionedThroughput {
    /// Reads of 4 KB each second.
    pub read_capacity_units: i64,
    /// Writes of 1 KB each second.
    pub write_capacity_units: i64,
}

/// The most that is done and paid for by request; −1 for no bound.
///
/// # Examples
/// ```
/// use larder::item::request::OnDemandThroughput;
/// assert!(OnDemandThroughput::default().max_read_request_units.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnDemandThroughput {
    /// Reads each second.
    pub max_read_request_units: Option<i64>,
    /// Writes each second.
    pub max_write_request_units: Option<i64>,
}

/// What a table can do at once.
///
/// # Examples
/// ```
/// use larder::item::request::WarmThroughput;
/// assert!(WarmThroughput::default().read_units_per_second.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmThroughput {
    /// Reads each second.
    pub read_units_per_second: Option<i64>,
    /// Writes each second.
    pub write_units_per_second: Option<i64>,
}

/// Whether a table has a stream, and what its records show.
///
/// # Examples
/// ```
/// use larder::item::request::{StreamSpecification, StreamViewType};
/// let all = StreamSpecification { stream_enabled: true, stream_view_type: Some(StreamViewType::NewAndOldImages) };
/// assert!(all.stream_enabled);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamSpecification {
    /// Whether.
    pub stream_enabled: bool,
    /// What they show.
    pub stream_view_type: Option<StreamViewType>,
}

/// How a table is said to be encrypted. It is kept and shown; nothing is encrypted by it.
///
/// # Examples
/// ```
/// use larder::item::request::SseSpecification;
/// assert!(SseSpecification::default().enabled.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseSpecification {
    /// Whether with a key of the key management service.
    pub enabled: Option<bool>,
    /// Who has the key.
    pub sse_type: Option<SseType>,
    /// Which key.
    pub kms_master_key_id: Option<String>,
}

/// A mark on a table.
///
/// # Examples
/// ```
/// use larder::item::request::Tag;
/// assert_eq!(Tag { key: "team".into(), value: "blue".into() }.key, "team");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// What it says.
    pub value: String,
}

/// A local index to be made with its table.
///
/// # Examples
/// ```
/// assert!(larder::item::request::LocalSecondaryIndex::default().key_schema.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalSecondaryIndex {
    /// Its name.
    pub index_name: String,
    /// The table's partition key and another sort key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it shows.
    pub projection: Projection,
}

/// A global index to be made.
///
/// # Examples
/// ```
/// assert!(larder::item::request::GlobalSecondaryIndex::default().key_schema.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalSecondaryIndex {
    /// Its name.
    pub index_name: String,
    /// Its key: up to four attributes of the partition key, then up to four of the sort key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it shows.
    pub projection: Projection,
    /// What is provisioned for it.
    pub provisioned_throughput: Option<ProvisionedThroughput>,
    /// The most that is paid for by request.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// What it can do at once.
    pub warm_throughput: Option<WarmThroughput>,
}

/// Makes a table.
///
/// # Examples
/// ```
/// use larder::{Store, item::ScalarAttributeType, item::request::*};
/// let items = Store::in_memory().items();
/// let create = CreateTable {
///     table_name: "Users".into(),
///     attribute_definitions: vec![AttributeDefinition {
///         attribute_name: "id".into(),
///         attribute_type: ScalarAttributeType::S,
///     }],
///     key_schema: vec![KeySchemaElement { attribute_name: "id".into(), key_type: KeyType::Hash }],
///     billing_mode: Some(BillingMode::PayPerRequest),
///     ..CreateTable::default()
/// };
/// assert_eq!(items.create_table(&create)?.table_status, TableStatus::Active);
/// assert!(items.create_table(&create).is_err(), "it exists");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `CreateTable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateTable {
    /// Its name, or its ARN.
    pub table_name: String,
    /// The types of all attributes of keys, and of no other.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// Its local indexes.
    pub local_secondary_indexes: Option<Vec<LocalSecondaryIndex>>,
    /// Its global indexes.
    pub global_secondary_indexes: Option<Vec<GlobalSecondaryIndex>>,
    /// What is paid for; what is provisioned, unless it is said.
    pub billing_mode: Option<BillingMode>,
    /// What is provisioned.
    pub provisioned_throughput: Option<ProvisionedThroughput>,
    /// The most that is paid for by request.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// What it can do at once.
    pub warm_throughput: Option<WarmThroughput>,
    /// Its stream.
    pub stream_specification: Option<StreamSpecification>,
    /// How it is said to be encrypted.
    pub sse_specification: Option<SseSpecification>,
    /// Its marks.
    pub tags: Vec<Tag>,
    /// Its class.
    pub table_class: Option<TableClass>,
    /// Whether it cannot be deleted.
    pub deletion_protection_enabled: Option<bool>,
}

/// Changes a table: one thing at a time, as the service has it.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}, item::request::UpdateTable};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let protect = UpdateTable {
///     table_name: "Users".into(),
///     deletion_protection_enabled: Some(true),
///     ..UpdateTable::default()
/// };
/// assert!(store.items().update_table(&protect)?.deletion_protection_enabled);
/// assert!(store.items().delete_table("Users").is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UpdateTable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateTable {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The types of the attributes of new keys.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// What is paid for.
    pub billing_mode: Option<BillingMode>,
    /// What is provisioned.
    pub provisioned_throughput: Option<ProvisionedThroughput>,
    /// The most that is paid for by request.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// What it can do at once.
    pub warm_throughput: Option<WarmThroughput>,
    /// What to do about global indexes.
    pub global_secondary_index_updates: Option<Vec<GlobalSecondaryIndexUpdate>>,
    /// Its stream.
    pub stream_specification: Option<StreamSpecification>,
    /// How it is said to be encrypted.
    pub sse_specification: Option<SseSpecification>,
    /// Its class.
    pub table_class: Option<TableClass>,
    /// Whether it cannot be deleted.
    pub deletion_protection_enabled: Option<bool>,
}

/// What to do about a global index.
///
/// # Examples
/// ```
/// use larder::item::request::GlobalSecondaryIndexUpdate;
/// let _gone = GlobalSecondaryIndexUpdate::Delete { index_name: "by-mail".into() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GlobalSecondaryIndexUpdate {
    /// Make it.
    Create(GlobalSecondaryIndex),
    /// Change what is provisioned for it.
    Update {
        /// Its name.
        index_name: String,
        /// What is provisioned from now on.
        provisioned_throughput: Option<ProvisionedThroughput>,
        /// The most that is paid for by request from now on.
        on_demand_throughput: Option<OnDemandThroughput>,
        /// What it can do at once from now on.
        warm_throughput: Option<WarmThroughput>,
    },
    /// Remove it.
    Delete {
        /// Its name.
        index_name: String,
    },
}

/// Lists tables by name.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}, item::request::ListTables};
/// let store = Store::in_memory();
/// for name in ["one", "two"] {
///     store.item_table(name).create(TableSchema::new("id", ScalarAttributeType::S))?;
/// }
/// let first = store.items().list_tables(&ListTables { limit: Some(1), ..ListTables::default() })?;
/// assert_eq!(first.table_names, ["one"]);
/// assert_eq!(first.last_evaluated_table_name.as_deref(), Some("one"));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ListTables`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListTables {
    /// Behind which name to begin.
    pub exclusive_start_table_name: Option<String>,
    /// How many, from 1 to 100.
    pub limit: Option<i64>,
}

/// What [`ListTables`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ListTablesOutput::default().table_names.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTablesOutput {
    /// The names, in byte order.
    pub table_names: Vec<String>,
    /// Where to go on, if there is more.
    pub last_evaluated_table_name: Option<String>,
}

/// What is said of a table.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let described = store.items().describe_table("Users")?;
/// assert_eq!(described.table_arn, "arn:aws:dynamodb:us-east-1:000000000000:table/Users");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `TableDescription`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TableDescription {
    /// Its name.
    pub table_name: String,
    /// What it is doing.
    pub table_status: TableStatus,
    /// The types of all attributes of keys, by name.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// When it was made.
    pub creation_date_time: Timestamp,
    /// What is provisioned, and when that was changed.
    pub provisioned_throughput: ThroughputDescription,
    /// How large it is, about.
    pub table_size_bytes: u64,
    /// How many items there are.
    pub item_count: u64,
    /// Its ARN.
    pub table_arn: String,
    /// Which of all tables of its name it is: a UUID.
    pub table_id: String,
    /// What is paid for, and since when by request; nothing when it has always been what is provisioned.
    pub billing_mode_summary: Option<BillingModeSummary>,
    /// Its local indexes, by name.
    pub local_secondary_indexes: Vec<LocalSecondaryIndexDescription>,
    /// Its global indexes, by name.
    pub global_secondary_indexes: Vec<GlobalSecondaryIndexDescription>,
    /// Its stream, when it has one.
    pub stream_specification: Option<StreamSpecification>,
    /// When the last stream was switched on.
    pub latest_stream_label: Option<String>,
    /// The ARN of the last stream.
    pub latest_stream_arn: Option<String>,
    /// How it is said to be encrypted.
    pub sse_description: Option<SseDescription>,
    /// Its class, and when that was changed.
    pub table_class_summary: Option<TableClassSummary>,
    /// Whether it cannot be deleted.
    pub deletion_protection_enabled: bool,
    /// The most that is paid for by request.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// What it can do at once.
    pub warm_throughput: WarmThroughput,
}

/// What is provisioned, and when that was changed.
///
/// # Examples
/// ```
/// assert_eq!(larder::item::request::ThroughputDescription::default().number_of_decreases_today, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThroughputDescription {
    /// When it was last made more.
    pub last_increase_date_time: Option<Timestamp>,
    /// When it was last made less.
    pub last_decrease_date_time: Option<Timestamp>,
    /// How often it was made less today.
    pub number_of_decreases_today: u64,
    /// Reads of 4 KB each second.
    pub read_capacity_units: i64,
    /// Writes of 1 KB each second.
    pub write_capacity_units: i64,
}

/// What is paid for, and since when by request.
///
/// # Examples
/// ```
/// use larder::item::request::{BillingMode, BillingModeSummary};
/// let by_request = |summary: BillingModeSummary| summary.billing_mode == BillingMode::PayPerRequest;
/// # let _ = by_request;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BillingModeSummary {
    /// What is paid for.
    pub billing_mode: BillingMode,
    /// Since when it has been by request.
    pub last_update_to_pay_per_request_date_time: Option<Timestamp>,
}

/// What is said of a local index.
///
/// # Examples
/// ```
/// fn keys(index: &larder::item::request::LocalSecondaryIndexDescription) -> usize {
///     index.key_schema.len()
/// }
/// # let _ = keys;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LocalSecondaryIndexDescription {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it shows.
    pub projection: Projection,
    /// How large it is, about.
    pub index_size_bytes: u64,
    /// How many entries it has.
    pub item_count: u64,
    /// Its ARN.
    pub index_arn: String,
}

/// What is said of a global index.
///
/// # Examples
/// ```
/// fn is_filled(index: &larder::item::request::GlobalSecondaryIndexDescription) -> bool {
///     index.backfilling.is_none()
/// }
/// # let _ = is_filled;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GlobalSecondaryIndexDescription {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it shows.
    pub projection: Projection,
    /// Whether it can be queried.
    pub index_status: IndexStatus,
    /// `Some(true)` while the items that were there before it are looked at.
    pub backfilling: Option<bool>,
    /// What is provisioned for it.
    pub provisioned_throughput: ThroughputDescription,
    /// How large it is, about.
    pub index_size_bytes: u64,
    /// How many entries it has.
    pub item_count: u64,
    /// Its ARN.
    pub index_arn: String,
    /// The most that is paid for by request.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// What it can do at once.
    pub warm_throughput: WarmThroughput,
}

/// How a table is said to be encrypted.
///
/// # Examples
/// ```
/// fn key(sse: &larder::item::request::SseDescription) -> Option<&str> {
///     sse.kms_master_key_arn.as_deref()
/// }
/// # let _ = key;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SseDescription {
    /// Who has the key.
    pub sse_type: SseType,
    /// Which key.
    pub kms_master_key_arn: Option<String>,
}

/// The class of a table, and when it was changed.
///
/// # Examples
/// ```
/// fn is_usual(class: &larder::item::request::TableClassSummary) -> bool {
///     class.table_class == larder::item::request::TableClass::Standard
/// }
/// # let _ = is_usual;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableClassSummary {
    /// The class.
    pub table_class: TableClass,
    /// When it was changed.
    pub last_update_date_time: Option<Timestamp>,
}
