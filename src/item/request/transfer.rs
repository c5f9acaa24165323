//! Exports and imports of tables.

use crate::clock::Timestamp;
use crate::item::request::{CreateTable, ExportStatus, ImportStatus, InputCompressionType, InputFormat};

/// Exports a table into a bucket: a folder below the directory that [`Items::buckets`](crate::item::Items::buckets) names.
///
/// # Examples
/// ```
/// let nothing = larder::item::request::ExportTableToPointInTime::default();
/// assert!(larder::Store::in_memory().items().export_table_to_point_in_time(&nothing).is_err(), "there are no buckets");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExportTableToPointInTime`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportTableToPointInTime {
    /// The ARN of the table.
    pub table_arn: String,
    /// The moment to export: none but the present, which it is unless it is said.
    pub export_time: Option<Timestamp>,
    /// Says that it is the same request when it is sent again.
    pub client_token: Option<String>,
    /// The bucket.
    pub s3_bucket: String,
    /// What the names of files begin with.
    pub s3_prefix: Option<String>,
}

/// An export that was done.
///
/// # Examples
/// ```
/// fn has_all(export: &larder::item::request::ExportDescription, items: u64) -> bool {
///     export.item_count == items
/// }
/// # let _ = has_all;
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ExportDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportDescription {
    /// Its name.
    pub export_arn: String,
    /// How far it is: done.
    pub export_status: ExportStatus,
    /// When it began.
    pub start_time: Timestamp,
    /// When it was done.
    pub end_time: Timestamp,
    /// The file that says which files there are.
    pub export_manifest: String,
    /// The table.
    pub table_arn: String,
    /// Its UUID.
    pub table_id: String,
    /// The moment at which the items were as they were exported.
    pub export_time: Timestamp,
    /// As it was asked for.
    pub client_token: Option<String>,
    /// The bucket.
    pub s3_bucket: String,
    /// What the names of files begin with.
    pub s3_prefix: Option<String>,
    /// The size of the items.
    pub billed_size_bytes: u64,
    /// How many there were.
    pub item_count: u64,
}

/// Lists exports, the newest first.
///
/// # Examples
/// ```
/// let all = larder::item::request::ListExports::default();
/// assert!(larder::Store::in_memory().items().list_exports(&all)?.exports.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ListExports`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListExports {
    /// Those of this table only.
    pub table_arn: Option<String>,
    /// How many at most, 1 to 25.
    pub max_results: Option<i64>,
    /// Where to go on, as an earlier page said.
    pub next_token: Option<String>,
}

/// What [`ListExports`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ListExportsOutput::default().next_token.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListExportsOutput {
    /// The exports.
    pub exports: Vec<ExportDescription>,
    /// Where to go on; only its absence means that there is no more.
    pub next_token: Option<String>,
}

/// Makes a table of the items in the files of a bucket: a folder below the directory that
/// [`Items::buckets`](crate::item::Items::buckets) names.
///
/// # Examples
/// ```
/// use larder::item::{ScalarAttributeType, TableSchema, request::{CreateTable, ImportTable, InputFormat}};
/// let table = CreateTable::new("Users", &TableSchema::new("id", ScalarAttributeType::S));
/// let import = ImportTable::new("backups", InputFormat::DynamodbJson, table);
/// assert!(larder::Store::in_memory().items().import_table(&import).is_err(), "there are no buckets");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ImportTable`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportTable {
    /// Says that it is the same request when it is sent again.
    pub client_token: Option<String>,
    /// The bucket.
    pub s3_bucket: String,
    /// What the names of the files begin with; all files of the bucket unless it is said.
    pub s3_key_prefix: Option<String>,
    /// How the items are written.
    pub input_format: InputFormat,
    /// How the files are compressed.
    pub input_compression_type: InputCompressionType,
    /// Of CSV: what is between the fields; a comma unless it is said.
    pub csv_delimiter: Option<String>,
    /// Of CSV: the names of the columns; those in the first line of each file unless they are said.
    pub csv_header_list: Option<Vec<String>>,
    /// The table to be made. It has no stream and no local indexes.
    pub table: CreateTable,
}

impl ImportTable {
    /// Of all files of the bucket, which are not compressed.
    ///
    /// # Examples
    /// See [`ImportTable`].
    #[must_use]
    pub fn new(s3_bucket: impl Into<String>, input_format: InputFormat, table: CreateTable) -> Self {
        Self {
            client_token: None,
            s3_bucket: s3_bucket.into(),
            s3_key_prefix: None,
            input_format,
            input_compression_type: InputCompressionType::None,
            csv_delimiter: None,
            csv_header_list: None,
            table,
        }
    }
}

/// An import that was done.
///
/// # Examples
/// ```
/// fn is_whole(import: &larder::item::request::ImportTableDescription) -> bool {
///     import.error_count == 0
/// }
/// # let _ = is_whole;
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ImportTableDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportTableDescription {
    /// Its name.
    pub import_arn: String,
    /// How far it is: done, or ended by what was found.
    pub import_status: ImportStatus,
    /// The table.
    pub table_arn: String,
    /// Its UUID.
    pub table_id: String,
    /// As it was asked for.
    pub client_token: Option<String>,
    /// The bucket.
    pub s3_bucket: String,
    /// What the names of the files begin with.
    pub s3_key_prefix: Option<String>,
    /// How the items were written.
    pub input_format: InputFormat,
    /// How the files were compressed.
    pub input_compression_type: InputCompressionType,
    /// How many items could not be read or do not go with the table.
    pub error_count: u64,
    /// When it began.
    pub start_time: Timestamp,
    /// When it was done.
    pub end_time: Timestamp,
    /// The bytes of the files.
    pub processed_size_bytes: u64,
    /// How many items were found.
    pub processed_item_count: u64,
    /// How many the table has of them.
    pub imported_item_count: u64,
}

/// Lists imports, the newest first.
///
/// # Examples
/// ```
/// let all = larder::item::request::ListImports::default();
/// assert!(larder::Store::in_memory().items().list_imports(&all)?.imports.is_empty());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `ListImports`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListImports {
    /// Those of this table only.
    pub table_arn: Option<String>,
    /// How many at most, 1 to 25.
    pub page_size: Option<i64>,
    /// Where to go on, as an earlier page said.
    pub next_token: Option<String>,
}

/// What [`ListImports`] returns.
///
/// # Examples
/// ```
/// assert!(larder::item::request::ListImportsOutput::default().next_token.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListImportsOutput {
    /// The imports.
    pub imports: Vec<ImportTableDescription>,
    /// Where to go on; only its absence means that there is no more.
    pub next_token: Option<String>,
}
