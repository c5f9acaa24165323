//! The operations that write tables into files and make tables of files; see [`Items`].

use std::ops::ControlFlow::{Break, Continue};
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::item::definition::TableRecord;
use crate::item::place::Place;
use crate::item::request::{
    ExportDescription, ExportTableToPointInTime, ImportTable, ImportTableDescription, InputCompressionType,
    InputFormat, ListExports, ListExportsOutput, ListImports, ListImportsOutput,
};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::transfer::bucket::Bucket;
use crate::item::transfer::export;
use crate::item::transfer::import::Files;
use crate::item::transfer::new_table::NewTable;
use crate::item::transfer::records::{self, Common, ExportRecord, ImportRecord, Kept};
use crate::item::{Fault, Items, RequestFault, TransferFault, control};
use crate::txn::{AutoCommit, Operation, Scope, View, WriteScope};

impl<S: Scope> Items<S> {
    /// The same tables, whose exports and imports are files below `directory`: a folder in it is a bucket.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// use larder::item::request::{CreateTable, ExportTableToPointInTime, ImportTable, InputCompressionType, InputFormat};
    /// use larder::item::request::UpdateContinuousBackups;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = Store::in_memory();
    /// let schema = TableSchema::new("id", ScalarAttributeType::S);
    /// store.item_table("Users").create(schema.clone())?;
    /// store.item_table("Users").put(&Item::from([("id", "ann")]))?;
    ///
    /// let items = store.items().buckets(dir.path());
    /// let on = UpdateContinuousBackups { table_name: "Users".into(), enabled: true, ..Default::default() };
    /// items.update_continuous_backups(&on)?;
    /// let table_arn = items.describe_table("Users")?.table_arn;
    /// let export = ExportTableToPointInTime { table_arn, s3_bucket: "exports".into(), ..Default::default() };
    /// let exported = items.export_table_to_point_in_time(&export)?;
    /// assert_eq!(exported.item_count, 1);
    ///
    /// let id = exported.export_arn.rsplit('/').next().expect("it ends with the id");
    /// let mut import = ImportTable::new("exports", InputFormat::DynamodbJson, CreateTable::new("Copies", &schema));
    /// import.s3_key_prefix = Some(format!("AWSDynamoDB/{id}/data/"));
    /// import.input_compression_type = InputCompressionType::Gzip;
    /// assert_eq!(items.import_table(&import)?.imported_item_count, 1);
    /// assert!(store.item_table("Copies").get("ann")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn buckets(mut self, directory: impl Into<PathBuf>) -> Self {
        let directory: PathBuf = directory.into();
        self.buckets = Some(Arc::from(directory));
        self
    }

    fn bucket(&self, name: &str) -> Result<Bucket> {
        let directory = self.buckets.as_ref();
        Bucket::new(directory.ok_or_else(|| Error::unsupported("buckets without a directory for them"))?, name)
    }

    /// Says what was exported.
    ///
    /// # Errors
    /// [`TransferFault::ExportNotFound`] when no export has this ARN.
    ///
    /// # Examples
    /// ```
    /// let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Users/export/01700000000000-00000000";
    /// assert!(larder::Store::in_memory().items().describe_export(arn).is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeExport`.
    pub fn describe_export(&self, export_arn: &str) -> Result<ExportDescription> {
        self.described::<ExportRecord>("describe_export", export_arn)
    }

    /// Lists exports, the newest first; see [`ListExports`].
    ///
    /// # Cost
    /// One step for each export that is newer than the last of the page.
    ///
    /// # Examples
    /// See [`ListExports`].
    pub fn list_exports(&self, request: &ListExports) -> Result<ListExportsOutput> {
        let (table, token) = (request.table_arn.as_deref(), request.next_token.as_deref());
        let most = ("maxResults", request.max_results);
        let (exports, next_token) = self.listed::<ExportRecord>("list_exports", table, most, token)?;
        Ok(ListExportsOutput { exports, next_token })
    }

    /// Says what was imported.
    ///
    /// # Errors
    /// [`TransferFault::ImportNotFound`] when no import has this ARN.
    ///
    /// # Examples
    /// ```
    /// let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Users/import/01700000000000-00000000";
    /// assert!(larder::Store::in_memory().items().describe_import(arn).is_err());
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeImport`.
    pub fn describe_import(&self, import_arn: &str) -> Result<ImportTableDescription> {
        self.described::<ImportRecord>("describe_import", import_arn)
    }

    /// Lists imports, the newest first; see [`ListImports`].
    ///
    /// # Cost
    /// One step for each import that is newer than the last of the page.
    ///
    /// # Examples
    /// See [`ListImports`].
    pub fn list_imports(&self, request: &ListImports) -> Result<ListImportsOutput> {
        let (table, token) = (request.table_arn.as_deref(), request.next_token.as_deref());
        let most = ("pageSize", request.page_size);
        let (imports, next_token) = self.listed::<ImportRecord>("list_imports", table, most, token)?;
        Ok(ListImportsOutput { imports, next_token })
    }

    /// What is said of the one with this ARN.
    fn described<R: Kept>(&self, verb: &'static str, arn: &str) -> Result<R::Description> {
        self.read(verb, arn, true, |view, _| {
            let found = records::get::<R>(view, &self.place, arn)?;
            let (place, id, record) = found.ok_or_else(|| R::not_found(arn.to_owned()).into_error())?;
            Ok(record.describe(&place, &id))
        })
    }

    /// What is said of a page of those of `table`, or of all, and the token of the next page.
    fn listed<R: Kept>(
        &self,
        verb: &'static str,
        table: Option<&str>,
        most: (&str, Option<i64>),
        token: Option<&str>,
    ) -> Result<(Vec<R::Description>, Option<String>)> {
        self.read(verb, "", true, |view, _| {
            let (page, next_token) = records::list::<R>(view, &self.place, table, most, token)?;
            let place = match table {
                Some(arn) => self.place.of_arn(arn)?.0,
                None => self.place.clone(),
            };
            Ok((page.iter().map(|(id, record)| record.describe(&place, id)).collect(), next_token))
        })
    }
}

impl<S: WriteScope> Items<S> {
    /// Writes a table into files, as it is now; see [`ExportTableToPointInTime`].
    ///
    /// # Errors
    /// [`TransferFault`] when the table cannot be brought back to moments (`UpdateContinuousBackups`), for any other
    /// moment than the present second, and for a token that came with another request;
    /// [`Error::Unsupported`] without a directory for buckets, and in a transaction, which could not undo it.
    ///
    /// # Atomicity and cost
    /// O(n), of one state of the table, which is held meanwhile; others write. The export is known when all files are
    /// durable; one that fails leaves files without a summary.
    ///
    /// # Examples
    /// See [`Items::buckets`].
    pub fn export_table_to_point_in_time(&self, request: &ExportTableToPointInTime) -> Result<ExportDescription> {
        let verb = "export_table_to_point_in_time";
        let (place, name) = self.place.resolve(&request.table_arn)?;
        let bucket = self.bucket(&request.s3_bucket)?;
        self.alone("an export in a transaction")?;
        let begun = self.read(verb, &name, true, |view, _| {
            if let Some((id, record)) =
                records::with_token::<ExportRecord>(view, &place, request.client_token.as_deref())?
            {
                return same_export(&record, &name, request).map(|()| Break(record.describe(&place, &id)));
            }
            let (target, id) = (target(view, &place, &name), records::new_id(view));
            let (record, files) = export::write(view, &target, request, &bucket, &id)?;
            Ok(Continue((id, record, files)))
        })?;
        let (id, mut record, files) = match begun {
            Continue(begun) => begun,
            Break(before) => return Ok(before),
        };
        record.common.ended = self.scope.read(Operation::new("item", verb, &name), |view| Ok(view.now()))?.as_micros();
        export::finish(&bucket, &place, &id, &record, &files)?;
        self.scope.write(Operation::new("item", verb, &name), |writer| records::put(writer, &place, &id, &record))?;
        Ok(record.describe(&place, &id))
    }

    /// Makes a table of files; see [`ImportTable`].
    ///
    /// What is no item of the table is left out and counted, and logged up to a hundred times for an import.
    ///
    /// # Errors
    /// What is wrong with the table that is asked for; [`Fault::ResourceInUse`] when there is one of that name;
    /// [`TransferFault::ImportConflict`] for a token that came with another request; [`Error::Unsupported`] without
    /// a directory for buckets, and in a transaction.
    ///
    /// # Atomicity and cost
    /// O(n log n), in commits of bounded size, between which others have their turns. Nobody sees the table before
    /// the last one. When the process ends before that, what was stored is removed in the background later.
    ///
    /// # Examples
    /// See [`Items::buckets`].
    pub fn import_table(&self, request: &ImportTable) -> Result<ImportTableDescription> {
        let verb = "import_table";
        let schema = request.schema()?;
        let (place, name) = self.place.resolve(&request.table.table_name)?;
        let bucket = self.bucket(&request.s3_bucket)?;
        let store = self.alone("an import in a transaction")?;
        let record = TableRecord::new(schema.clone());
        let begun = self.read(verb, &name, true, |view, _| {
            if let Some((id, done)) =
                records::with_token::<ImportRecord>(view, &place, request.client_token.as_deref())?
            {
                return same_import(&done, &name, request).map(|()| Break(done.describe(&place, &id)));
            }
            let target = target(view, &place, &name);
            if target.find(view)?.is_some() {
                let resource = format!("Table already exists: {name}");
                return Err(Fault::ResourceInUse { resource }.into_error());
            }
            let details = control::details_of(view, &request.table, &record, &schema, view.now());
            Ok(Continue((records::new_id(view), target, details, view.now())))
        })?;
        let (id, target, details, now) = match begun {
            Continue(begun) => begun,
            Break(before) => return Ok(before),
        };
        let kept = ImportRecord {
            common: Common {
                table: name,
                table_id: details.id,
                started: now.as_micros(),
                token: request.client_token.clone(),
                bucket: request.s3_bucket.clone(),
                prefix: request.s3_key_prefix.clone(),
                ..Common::default()
            },
            is_csv: request.input_format == InputFormat::Csv,
            is_compressed: request.input_compression_type == InputCompressionType::Gzip,
            ..ImportRecord::default()
        };
        let files = Files::new(bucket, request, &record, (&place, &id), kept)?;
        let done = NewTable::fill(store, &self.scope, &target, (record, details), files)?;
        self.describe_import(&records::arn(&place, &done.record, &id))
    }

    /// The store, outside of transactions.
    fn alone(&self, what: &'static str) -> Result<&AutoCommit> {
        self.scope.auto_commit().ok_or_else(|| Error::unsupported(what))
    }
}

fn target(view: &View, place: &Place, name: &str) -> Arc<Target> {
    view.state::<Tables>().target(place, name)
}

fn same_export(record: &ExportRecord, table: &str, request: &ExportTableToPointInTime) -> Result<()> {
    let common = &record.common;
    let is_same = common.table == table
        && common.bucket == request.s3_bucket
        && common.prefix == request.s3_prefix
        && record.asked == request.export_time.map(crate::clock::Timestamp::as_micros);
    if is_same { Ok(()) } else { Err(TransferFault::ExportConflict.into_error()) }
}

fn same_import(record: &ImportRecord, table: &str, request: &ImportTable) -> Result<()> {
    let common = &record.common;
    let is_same = common.table == table
        && common.bucket == request.s3_bucket
        && common.prefix == request.s3_key_prefix
        && record.is_csv == (request.input_format == InputFormat::Csv);
    if is_same { Ok(()) } else { Err(TransferFault::ImportConflict.into_error()) }
}

impl ImportTable {
    /// The schema of the table that is asked for.
    fn schema(&self) -> Result<crate::item::TableSchema> {
        let schema = self.table.schema()?;
        if self.table.local_secondary_indexes.is_some() {
            return Err(RequestFault::other("A table that is imported has no local secondary indexes"));
        }
        if self.table.stream_specification.is_some_and(|stream| stream.stream_enabled) {
            return Err(RequestFault::other("A table that is imported has no stream"));
        }
        let has_csv_options = self.csv_delimiter.is_some() || self.csv_header_list.is_some();
        if has_csv_options && self.input_format != InputFormat::Csv {
            return Err(RequestFault::other("InputFormatOptions are of CSV"));
        }
        Ok(schema)
    }
}
