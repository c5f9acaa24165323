//! Around tables: expiry, tags, limits, policies.

use crate::clock::Timestamp;
use crate::item::request::{Tag, TimeToLiveStatus};

/// Switches the expiry of items on or off.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}, item::request::*};
/// let store = Store::in_memory();
/// store.item_table("Sessions").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let on = UpdateTimeToLive { table_name: "Sessions".into(), attribute_name: "until".into(), enabled: true };
/// store.items().update_time_to_live(&on)?;
/// let described = store.items().describe_time_to_live("Sessions")?;
/// assert_eq!(described.time_to_live_status, TimeToLiveStatus::Enabled);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UpdateTimeToLive`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateTimeToLive {
    /// The table, by name or ARN.
    pub table_name: String,
    /// The attribute that says when an item expires, in seconds since 1970.
    pub attribute_name: String,
    /// Whether items expire.
    pub enabled: bool,
}

/// Whether items of a table expire, and by which attribute.
///
/// # Examples
/// ```
/// fn expires(described: &larder::item::request::TimeToLiveDescription) -> bool {
///     described.attribute_name.is_some()
/// }
/// # let _ = expires;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeToLiveDescription {
    /// Whether.
    pub time_to_live_status: TimeToLiveStatus,
    /// By which attribute.
    pub attribute_name: Option<String>,
}

/// Marks a table, or changes what its marks say.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}, item::request::{Tag, TagResource}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let resource_arn = store.items().describe_table("Users")?.table_arn;
/// let tags = vec![Tag { key: "team".into(), value: "blue".into() }];
/// store.items().tag_resource(&TagResource { resource_arn: resource_arn.clone(), tags: tags.clone() })?;
/// assert_eq!(store.items().list_tags_of_resource(&resource_arn)?, tags);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `TagResource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagResource {
    /// The ARN of the table.
    pub resource_arn: String,
    /// Its marks.
    pub tags: Vec<Tag>,
}

/// Takes marks from a table.
///
/// # Examples
/// ```
/// let untag = larder::item::request::UntagResource::default();
/// assert!(larder::Store::in_memory().items().untag_resource(&untag).is_err(), "there is no such table");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UntagResource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UntagResource {
    /// The ARN of the table.
    pub resource_arn: String,
    /// The names of the marks.
    pub tag_keys: Vec<String>,
}

/// What an account may provision.
///
/// # Examples
/// ```
/// let limits = larder::Store::in_memory().items().describe_limits();
/// assert_eq!(limits.table_max_read_capacity_units, 40_000);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `DescribeLimits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Reads of all tables.
    pub account_max_read_capacity_units: i64,
    /// Writes of all tables.
    pub account_max_write_capacity_units: i64,
    /// Reads of a table.
    pub table_max_read_capacity_units: i64,
    /// Writes of a table.
    pub table_max_write_capacity_units: i64,
}

/// Says whether a table can be brought back to a moment.
///
/// Nothing of what was is kept: the only moment that there is to go back to, or to export, is the present one. What this
/// switches on is that tables can be restored and exported at all, as in the service.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema, request::UpdateContinuousBackups}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let on = UpdateContinuousBackups { table_name: "Users".into(), enabled: true, ..Default::default() };
/// let backups = store.items().update_continuous_backups(&on)?;
/// assert!(backups.point_in_time_recovery_enabled);
/// assert_eq!(backups.recovery_period_in_days, Some(35));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `UpdateContinuousBackups`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateContinuousBackups {
    /// The table, by name or ARN.
    pub table_name: String,
    /// Whether it can.
    pub enabled: bool,
    /// For how many days back, 1 to 35; 35 unless it is said. It is described, and nothing follows from it.
    pub recovery_period_in_days: Option<i64>,
}

/// Whether a table can be brought back as it was.
///
/// # Examples
/// ```
/// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// assert!(!store.items().describe_continuous_backups("Users")?.point_in_time_recovery_enabled);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ContinuousBackupsDescription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContinuousBackups {
    /// Whether it is said to be; the service says it of every table.
    pub continuous_backups_enabled: bool,
    /// Whether any moment can be chosen.
    pub point_in_time_recovery_enabled: bool,
    /// For how many days back.
    pub recovery_period_in_days: Option<u32>,
    /// The first moment that can be chosen.
    pub earliest_restorable_date_time: Option<Timestamp>,
    /// The last moment that can be chosen.
    pub latest_restorable_date_time: Option<Timestamp>,
}

/// Where the service is.
///
/// # Examples
/// ```
/// let endpoint = larder::Store::in_memory().items().describe_endpoints();
/// assert_eq!(endpoint.address, "dynamodb.us-east-1.amazonaws.com");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `DescribeEndpoints`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its address.
    pub address: String,
    /// For how long it may be remembered.
    pub cache_period_in_minutes: i64,
}
