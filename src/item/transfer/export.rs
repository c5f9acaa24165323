//! Writing a table into files, as the service does.
//!
//! # Source
//! `DynamoDB` Developer Guide, *DynamoDB table export output format*.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::encoding::hex::hex;
use crate::encoding::mix::mix;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::item::details::Details;
use crate::item::layout;
use crate::item::place::Place;
use crate::item::record::RecordRef;
use crate::item::request::{ExportDescription, ExportTableToPointInTime};
use crate::item::target::Target;
use crate::item::transfer::bucket::{Bucket, NewFile};
use crate::item::transfer::json;
use crate::item::transfer::records::{Common, ExportRecord, Kept};
use crate::item::{Fault, TransferFault, stream};
use crate::txn::View;

/// How much of items goes into one file.
const FILE_BYTES: u64 = 64 << 20;

/// A line of the list of files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    item_count: u64,
    md5_checksum: String,
    etag: String,
    data_file_s3_key: String,
}

/// What is said of an export in its folder.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    version: &'static str,
    export_arn: &'a str,
    start_time: String,
    end_time: String,
    table_arn: &'a str,
    table_id: &'a str,
    export_time: String,
    s3_bucket: &'a str,
    s3_prefix: Option<&'a str>,
    s3_sse_algorithm: Option<&'a str>,
    s3_sse_kms_key_id: Option<&'a str>,
    manifest_files_s3_key: String,
    billed_size_bytes: u64,
    item_count: u64,
    output_format: &'static str,
    export_type: &'static str,
}

/// Writes the items of the table of `target`, as `view` has them, into `bucket`, and returns what is kept of that.
///
/// # Errors
/// [`TransferFault`] when the table cannot be exported, or not as it was at that moment; what goes wrong with files.
pub(super) fn write(
    view: &View,
    target: &Target,
    request: &ExportTableToPointInTime,
    bucket: &Bucket,
    id: &str,
) -> Result<(ExportRecord, Vec<Listed>)> {
    let Some(table) = target.usable(view)? else {
        return Err(Fault::TableNotFound { name: target.name().to_string() }.into_error());
    };
    let details = Details::get(view, table.storage)?;
    if details.recovery_days == 0 {
        return Err(TransferFault::NotRecoverable { table: target.name().to_string() }.into_error());
    }
    let now = view.now();
    if let Some(moment) = request.export_time {
        // Moments are seconds; of those that have passed nothing is left.
        let second = |moment: Timestamp| moment.as_micros().div_euclid(1_000_000);
        if moment > now || second(moment) != second(now) {
            return Err(TransferFault::ExportTime.into_error());
        }
    }
    let mut record = ExportRecord {
        common: Common {
            table: target.name().to_string(),
            table_id: details.id,
            started: now.as_micros(),
            token: request.client_token.clone(),
            bucket: request.s3_bucket.clone(),
            prefix: request.s3_prefix.clone(),
            ..Common::default()
        },
        asked: request.export_time.map(Timestamp::as_micros),
        moment: request.export_time.unwrap_or(now).as_micros(),
    };
    let folder = record.folder(id);
    bucket.create(&format!("{folder}/_started"))?.finish()?;
    let files = write_items(view, table.storage, bucket, &folder, &mut record.common)?;
    Ok((record, files))
}

/// Writes what is said of the files. The last one says that all others are there.
pub(super) fn finish(bucket: &Bucket, place: &Place, id: &str, record: &ExportRecord, files: &[Listed]) -> Result<()> {
    let folder = record.folder(id);
    let mut list = Vec::new();
    for file in files {
        list.extend(to_json(file)?);
        list.push(b'\n');
    }
    write_checked(bucket, &format!("{folder}/manifest-files"), &list)?;
    write_checked(bucket, &format!("{folder}/manifest-summary"), &summary(record, place, id)?)
}

fn summary(record: &ExportRecord, place: &Place, id: &str) -> Result<Vec<u8>> {
    let shown: ExportDescription = record.describe(place, id);
    let time = |moment: Timestamp| stream::label(moment.as_micros()) + "Z";
    to_json(&Summary {
        version: "2020-06-30",
        export_arn: &shown.export_arn,
        start_time: time(shown.start_time),
        end_time: time(shown.end_time),
        table_arn: &shown.table_arn,
        table_id: &shown.table_id,
        export_time: time(shown.export_time),
        s3_bucket: &shown.s3_bucket,
        s3_prefix: shown.s3_prefix.as_deref(),
        s3_sse_algorithm: None,
        s3_sse_kms_key_id: None,
        manifest_files_s3_key: format!("{}/manifest-files.json", record.folder(id)),
        billed_size_bytes: shown.billed_size_bytes,
        item_count: shown.item_count,
        output_format: "DYNAMODB_JSON",
        export_type: "FULL_EXPORT",
    })
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::corrupt("export", error.to_string()))
}

/// Writes `name.json`, and its MD5 beside it.
fn write_checked(bucket: &Bucket, name: &str, bytes: &[u8]) -> Result<()> {
    let write = |key: &str, bytes: &[u8]| -> Result<[u8; 16]> {
        let mut file = bucket.create(key)?;
        file.write_all(bytes).map_err(NewFile::failed(key))?;
        file.finish()
    };
    let md5 = write(&format!("{name}.json"), bytes)?;
    write(&format!("{name}.checksum"), STANDARD.encode(md5).as_bytes()).map(drop)
}

/// Writes the items into files, at least one, and counts them.
fn write_items(view: &View, table: u32, bucket: &Bucket, folder: &str, counted: &mut Common) -> Result<Vec<Listed>> {
    let mut cursor = view.range(&KeyRange::prefix(&layout::prefix(table, None)), Direction::Forward)?;
    let (mut files, mut is_done) = (Vec::new(), false);
    while !is_done {
        let name = [(); 2].map(|()| format!("{:013x}", mix(view.unique_number()) >> 12)).concat();
        let key = format!("{folder}/data/{name}.json.gz");
        let mut file = GzEncoder::new(bucket.create(&key)?, Compression::default());
        let (mut items, mut bytes) = (0u64, 0u64);
        while bytes < FILE_BYTES {
            let Some((_, record)) = cursor.next()? else {
                is_done = true;
                break;
            };
            let record = RecordRef::new(record)?;
            let line = json::line_of(&record.to_item()?)?;
            file.write_all(&line).and_then(|()| file.write_all(b"\n")).map_err(NewFile::failed(&key))?;
            (items, bytes) = (items + 1, bytes.saturating_add(line.len() as u64));
            counted.bytes = counted.bytes.saturating_add(record.size_bytes()? as u64);
        }
        counted.items += items;
        let md5 = file.finish().map_err(NewFile::failed(&key))?.finish()?;
        files.push(Listed {
            item_count: items,
            md5_checksum: STANDARD.encode(md5),
            etag: format!("{}-1", hex(&md5)),
            data_file_s3_key: key,
        });
    }
    Ok(files)
}
