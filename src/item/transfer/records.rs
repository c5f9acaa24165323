//! What is kept of exports and imports that were done.
//!
//! | bytes | field     | encoding                                                       |
//! |-------|-----------|----------------------------------------------------------------|
//! | 6     |           | owner `0x30`, storage id 0, kind `0x05` export, `0x06` import  |
//! | 2..   | namespace | account and region, escaped and terminated                     |
//! | 23    | id        | milliseconds in 14 digits, `-`, 8 hexadecimal digits           |
//!
//! The value is an [`ExportRecord`] or [`ImportRecord`] as a catalogue record.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::clock::Timestamp;
use crate::encoding::mix::mix;
use crate::encoding::ordered::put_bytes;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::item::place::Place;
use crate::item::request::{
    ExportDescription, ExportStatus, ImportStatus, ImportTableDescription, InputCompressionType, InputFormat,
};
use crate::item::{Constraint, RequestFault, TransferFault, layout};
use crate::txn::{View, Writer};

/// How many are listed at once.
const LISTED_MAX: usize = 25;

/// For how long a token means the same request.
const TOKEN_MICROS: i64 = 8 * 3_600 * 1_000_000;

/// What is kept of one that was done. Its fields are stored in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Common {
    /// The name of the table, and the two halves of its UUID.
    pub(super) table: String,
    pub(super) table_id: (u64, u64),
    /// When it began and ended, in microseconds.
    pub(super) started: i64,
    pub(super) ended: i64,
    pub(super) token: Option<String>,
    pub(super) bucket: String,
    pub(super) prefix: Option<String>,
    pub(super) bytes: u64,
    pub(super) items: u64,
}

/// What is kept of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExportRecord {
    pub(super) common: Common,
    /// The moment that was exported, as it was asked for.
    pub(super) asked: Option<i64>,
    pub(super) moment: i64,
}

/// What is kept of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportRecord {
    pub(super) common: Common,
    pub(super) is_csv: bool,
    pub(super) is_compressed: bool,
    pub(super) errors: u64,
    pub(super) imported: u64,
}

/// Which of the two it is.
pub(super) trait Kept: Serialize + DeserializeOwned {
    const KIND: u8;
    /// What its ARN has behind that of the table.
    const WORD: &'static str;
    /// What is said of it.
    type Description;

    fn common(&self) -> &Common;

    /// What is said of it, whose id is `id`.
    fn describe(&self, place: &Place, id: &str) -> Self::Description;

    /// There is none with this ARN.
    fn not_found(arn: String) -> TransferFault;
}

impl Kept for ExportRecord {
    const KIND: u8 = layout::EXPORTS;
    const WORD: &'static str = "/export/";
    type Description = ExportDescription;

    fn common(&self) -> &Common {
        &self.common
    }

    fn describe(&self, place: &Place, id: &str) -> ExportDescription {
        let common = &self.common;
        ExportDescription {
            export_arn: arn(place, self, id),
            export_status: ExportStatus::Completed,
            start_time: Timestamp::from_micros(common.started),
            end_time: Timestamp::from_micros(common.ended),
            export_manifest: format!("{}/manifest-summary.json", self.folder(id)),
            table_arn: place.table_arn(&common.table),
            table_id: common.table_id(),
            export_time: Timestamp::from_micros(self.moment),
            client_token: common.token.clone(),
            s3_bucket: common.bucket.clone(),
            s3_prefix: common.prefix.clone(),
            billed_size_bytes: common.bytes,
            item_count: common.items,
        }
    }

    fn not_found(arn: String) -> TransferFault {
        TransferFault::ExportNotFound { arn }
    }
}

impl Kept for ImportRecord {
    const KIND: u8 = layout::IMPORTS;
    const WORD: &'static str = "/import/";
    type Description = ImportTableDescription;

    fn common(&self) -> &Common {
        &self.common
    }

    fn describe(&self, place: &Place, id: &str) -> ImportTableDescription {
        let common = &self.common;
        ImportTableDescription {
            import_arn: arn(place, self, id),
            import_status: ImportStatus::Completed,
            table_arn: place.table_arn(&common.table),
            table_id: common.table_id(),
            client_token: common.token.clone(),
            s3_bucket: common.bucket.clone(),
            s3_key_prefix: common.prefix.clone(),
            input_format: if self.is_csv { InputFormat::Csv } else { InputFormat::DynamodbJson },
            input_compression_type: if self.is_compressed {
                InputCompressionType::Gzip
            } else {
                InputCompressionType::None
            },
            error_count: self.errors,
            start_time: Timestamp::from_micros(common.started),
            end_time: Timestamp::from_micros(common.ended),
            processed_size_bytes: common.bytes,
            processed_item_count: common.items,
            imported_item_count: self.imported,
        }
    }

    fn not_found(arn: String) -> TransferFault {
        TransferFault::ImportNotFound { arn }
    }
}

/// A name that nothing else has: the moment, and digits that are as good as drawn.
pub(super) fn new_id(view: &View) -> String {
    format!("{:014}-{:08x}", view.now().as_micros().div_euclid(1_000), mix(view.unique_number()) >> 32)
}

fn prefix<R: Kept>(place: &Place) -> Vec<u8> {
    let mut key = layout::table_prefix(layout::NO_TABLE);
    key.push(R::KIND);
    put_bytes(&mut key, place.namespace().as_bytes());
    key
}

fn key<R: Kept>(place: &Place, id: &str) -> Vec<u8> {
    let mut key = prefix::<R>(place);
    key.extend_from_slice(id.as_bytes());
    key
}

/// The ARN of the one with this id.
pub(super) fn arn<R: Kept>(place: &Place, record: &R, id: &str) -> String {
    format!("{}{}{id}", place.table_arn(&record.common().table), R::WORD)
}

pub(super) fn put<R: Kept>(writer: &mut Writer, place: &Place, id: &str, record: &R) -> Result<()> {
    writer.put(key::<R>(place, id), catalog::encode_record(record)?)
}

/// The one with this ARN, with its place and id.
pub(super) fn get<R: Kept>(view: &View, place: &Place, arn: &str) -> Result<Option<(Place, String, R)>> {
    let (place, table) = place.of_arn(arn)?;
    let Some((_, id)) = arn.rsplit_once(R::WORD) else { return Ok(None) };
    let Some(value) = view.get(&key::<R>(&place, id))? else { return Ok(None) };
    let record: R = catalog::decode_record(&value)?;
    Ok((record.common().table == table).then(|| (place, id.to_owned(), record)))
}

/// Calls `body` with each, the newest first, until it returns that it has enough.
fn each<R: Kept>(
    view: &View,
    place: &Place,
    before: Option<&str>,
    mut body: impl FnMut(String, R) -> bool,
) -> Result<()> {
    let all = prefix::<R>(place);
    let mut range = KeyRange::prefix(&all);
    if let Some(before) = before {
        range = range.clamp(
            std::ops::Bound::Unbounded,
            std::ops::Bound::Excluded(crate::engine::Key::from(key::<R>(place, before))),
        );
    }
    let mut cursor = view.range(&range, Direction::Backward)?;
    while let Some((key, value)) = cursor.next()? {
        let id = String::from_utf8_lossy(key.get(all.len()..).unwrap_or_default()).into_owned();
        if body(id, catalog::decode_record(value)?) {
            break;
        }
    }
    Ok(())
}

/// The one that was asked for with `token` in the last eight hours.
pub(super) fn with_token<R: Kept>(view: &View, place: &Place, token: Option<&str>) -> Result<Option<(String, R)>> {
    let Some(token) = token else { return Ok(None) };
    let since = view.now().as_micros().saturating_sub(TOKEN_MICROS);
    let mut found = None;
    each::<R>(view, place, None, |id, record| {
        let is_old = record.common().started < since;
        if !is_old && record.common().token.as_deref() == Some(token) {
            found = Some((id, record));
        }
        is_old || found.is_some()
    })?;
    Ok(found)
}

/// Some of what was done, by their ids, and the token of the next ones.
type Page<R> = (Vec<(String, R)>, Option<String>);

/// A page of what was done to `table`, or to all, and the token of the next one.
pub(super) fn list<R: Kept>(
    view: &View,
    place: &Place,
    table: Option<&str>,
    (member, most): (&str, Option<i64>),
    token: Option<&str>,
) -> Result<Page<R>> {
    let most = most.unwrap_or(i64::try_from(LISTED_MAX).unwrap_or(i64::MAX));
    let Some(bound) = usize::try_from(most).ok().filter(|most| (1..=LISTED_MAX).contains(most)) else {
        let constraint = if most < 1 { Constraint::AtLeast(1) } else { Constraint::AtMost(25) };
        let (member, value) = (member.to_owned(), Some(most.to_string()));
        return Err(RequestFault::Constraint { member, value, constraint }.into_error());
    };
    let (place, table) = match table {
        Some(arn) => place.of_arn(arn).map(|(place, table)| (place, Some(table)))?,
        None => (place.clone(), None),
    };
    let before = token.map(id_of_token).transpose()?;
    let (mut page, mut has_more) = (Vec::new(), false);
    each::<R>(view, &place, before.as_deref(), |id, record| {
        if table.as_ref().is_none_or(|table| *table == record.common().table) {
            has_more = page.len() == bound;
            if !has_more {
                page.push((id, record));
            }
        }
        has_more
    })?;
    let next = page.last().filter(|_| has_more).map(|(id, _)| token_of(id));
    Ok((page, next))
}

/// A token that goes on behind the one with this id: hexadecimal digits, as the service has them.
fn token_of(id: &str) -> String {
    // The service's tokens have 16 digits at a time and at least 112.
    let padded = format!("{id:\0<56}");
    crate::encoding::hex::hex(padded.as_bytes())
}

fn id_of_token(token: &str) -> Result<String> {
    let invalid = || RequestFault::other("Invalid NextToken");
    let digits: Option<Vec<u32>> = token.chars().map(|char| char.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2)).ok_or_else(invalid)?;
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit));
    let bytes: Option<Vec<u8>> = bytes.map(|byte| u8::try_from(byte).ok()).collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    Ok(text.trim_end_matches('\0').to_owned())
}

impl Common {
    fn table_id(&self) -> String {
        uuid::Uuid::from_u64_pair(self.table_id.0, self.table_id.1).to_string()
    }
}

impl ExportRecord {
    /// What the names of its files begin with.
    pub(super) fn folder(&self, id: &str) -> String {
        match self.common.prefix.as_deref().map(|prefix| prefix.trim_end_matches('/')).filter(|text| !text.is_empty()) {
            Some(prefix) => format!("{prefix}/AWSDynamoDB/{id}"),
            None => format!("AWSDynamoDB/{id}"),
        }
    }
}
