//! The operations of the service: which there are here, and which are refused.

/// Whether an operation of the service is here.
///
/// # Examples
/// ```
/// use larder::item::{OPERATIONS, Support};
/// let of = |wanted: &str| OPERATIONS.iter().find(|(name, _)| *name == wanted).map(|(_, support)| *support);
/// assert_eq!(of("PutItem"), Some(Support::Modelled));
/// assert!(matches!(of("CreateGlobalTable"), Some(Support::Refused(_))));
/// assert_eq!(of("NoSuchThing"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// It is a method of [`Items`](crate::item::Items).
    Modelled,
    /// It is not, for this reason: whoever asks for it is refused, with the name of the operation.
    Refused(&'static str),
}

use Support::{Modelled, Refused};

const GLOBAL: &str = "tables are in one region";
const BACKUPS: &str = "a store is backed up as a whole (Store::backup)";
const KINESIS: &str = "there is no Kinesis to send to";
const INSIGHTS: &str = "nothing is counted by key";
const POLICIES: &str = "there are no rights to give";
const BULK: &str = "there is no S3 to read from or to write to";
const VECTORS: &str = "there are no vector indexes";

#[cfg(feature = "exports")]
const EXPORTS: Support = Modelled;
#[cfg(not(feature = "exports"))]
const EXPORTS: Support = Refused("the feature `exports` is not there");

/// Every operation of the service and of its streams, by name.
///
/// # Examples
/// ```
/// let modelled = larder::item::OPERATIONS.iter().filter(|(_, support)| *support == larder::item::Support::Modelled);
/// assert!(modelled.count() > 25);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, *Actions*; `DynamoDB Streams` API Reference, *Actions*.
pub const OPERATIONS: &[(&str, Support)] = &[
    ("BatchExecuteStatement", Modelled),
    ("BatchGetItem", Modelled),
    ("BatchWriteItem", Modelled),
    ("CancelBulkOperation", Refused(BULK)),
    ("CreateBackup", Refused(BACKUPS)),
    ("CreateGlobalTable", Refused(GLOBAL)),
    ("CreateTable", Modelled),
    ("DeleteBackup", Refused(BACKUPS)),
    ("DeleteItem", Modelled),
    ("DeleteResourcePolicy", Refused(POLICIES)),
    ("DeleteTable", Modelled),
    ("DescribeBackup", Refused(BACKUPS)),
    ("DescribeBulkOperation", Refused(BULK)),
    ("DescribeContinuousBackups", Modelled),
    ("DescribeContributorInsights", Refused(INSIGHTS)),
    ("DescribeEndpoints", Modelled),
    ("DescribeExport", EXPORTS),
    ("DescribeGlobalTable", Refused(GLOBAL)),
    ("DescribeGlobalTableSettings", Refused(GLOBAL)),
    ("DescribeImport", EXPORTS),
    ("DescribeKinesisStreamingDestination", Refused(KINESIS)),
    ("DescribeLimits", Modelled),
    ("DescribeStream", Modelled),
    ("DescribeTable", Modelled),
    ("DescribeTableReplicaAutoScaling", Refused(GLOBAL)),
    ("DescribeTimeToLive", Modelled),
    ("DisableKinesisStreamingDestination", Refused(KINESIS)),
    ("EnableKinesisStreamingDestination", Refused(KINESIS)),
    ("ExecuteStatement", Modelled),
    ("ExecuteTransaction", Modelled),
    ("ExportTableToPointInTime", EXPORTS),
    ("GetItem", Modelled),
    ("GetRecords", Modelled),
    ("GetResourcePolicy", Refused(POLICIES)),
    ("GetShardIterator", Modelled),
    ("ImportTable", EXPORTS),
    ("ListBackups", Refused(BACKUPS)),
    ("ListBulkOperations", Refused(BULK)),
    ("ListContributorInsights", Refused(INSIGHTS)),
    ("ListExports", EXPORTS),
    ("ListGlobalTables", Refused(GLOBAL)),
    ("ListImports", EXPORTS),
    ("ListStreams", Modelled),
    ("ListTables", Modelled),
    ("ListTagsOfResource", Modelled),
    ("PutItem", Modelled),
    ("PutResourcePolicy", Refused(POLICIES)),
    ("Query", Modelled),
    ("RestoreTableFromBackup", Refused(BACKUPS)),
    ("RestoreTableToPointInTime", Refused(BACKUPS)),
    ("Scan", Modelled),
    ("SearchVectors", Refused(VECTORS)),
    ("StartBulkPutItems", Refused(BULK)),
    ("TagResource", Modelled),
    ("TransactGetItems", Modelled),
    ("TransactWriteItems", Modelled),
    ("UntagResource", Modelled),
    ("UpdateContinuousBackups", Modelled),
    ("UpdateContributorInsights", Refused(INSIGHTS)),
    ("UpdateGlobalTable", Refused(GLOBAL)),
    ("UpdateGlobalTableSettings", Refused(GLOBAL)),
    ("UpdateItem", Modelled),
    ("UpdateKinesisStreamingDestination", Refused(KINESIS)),
    ("UpdateTable", Modelled),
    ("UpdateTableReplicaAutoScaling", Refused(GLOBAL)),
    ("UpdateTimeToLive", Modelled),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_there_once_and_the_page_names_it() {
        assert!(OPERATIONS.is_sorted_by(|(one, _), (next, _)| one < next));
        let page = include_str!("../../docs/compatibility/dynamodb.md");
        for (name, _) in OPERATIONS {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
