//! Writes: what they change, and how that is stored.

use crate::catalog::job::{self, Allowance};
use crate::catalog::{self, Entry, Kind};
use crate::clock::Timestamp;
use crate::encoding::long;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::expiry;
use crate::limits;
use crate::txn::{View, Writer};
use crate::wide_column::cell::{Cell, Deletion, StoredRow};
use crate::wide_column::layout::{self, Clustering, Place};
use crate::wide_column::record;
use crate::wide_column::schema::{TableRecord, TableSchema, check_ttl};

/// How a write is made, where it is not made as the table says.
///
/// # Examples
/// ```
/// use larder::wide_column::WriteOptions;
/// let for_an_hour = WriteOptions::default().ttl_seconds(3_600);
/// let as_of_the_import = WriteOptions::default().timestamp(1_700_000_000_000_000);
/// ```
///
/// # Source
/// CQL reference, `USING TTL` and `USING TIMESTAMP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct WriteOptions {
    ttl_seconds: Option<u32>,
    timestamp: Option<i64>,
}

impl WriteOptions {
    /// Lets what is written live for `seconds`, at most 20 years; 0 is for ever, whatever the table's default.
    ///
    /// # Examples
    /// ```
    /// # use larder::{ManualClock, Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::builder().clock(ManualClock::default()).in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let row = [("id", 7.into()), ("name", "Ann".into())];
    /// users.insert_with(&row, WriteOptions::default().ttl_seconds(60))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].ttl("name"), Some(60));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn ttl_seconds(mut self, seconds: u32) -> Self {
        self.ttl_seconds = Some(seconds);
        self
    }

    /// Sets the timestamp of the write in microseconds; the default is the store's clock, made unique. Of two writes
    /// the one with the higher timestamp wins, whichever is made first.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let (newer, older) = (WriteOptions::default().timestamp(2), WriteOptions::default().timestamp(1));
    /// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], newer)?;
    /// users.insert_with(&[("id", 7.into()), ("name", "Anna".into())], older)?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn timestamp(mut self, micros: i64) -> Self {
        self.timestamp = Some(micros);
        self
    }

    /// The time to live of a write to a table with this schema, 0 for ever.
    fn ttl(self, schema: &TableSchema) -> Result<u32> {
        let seconds = self.ttl_seconds.unwrap_or(schema.default_ttl_seconds());
        check_ttl(seconds)?;
        Ok(seconds)
    }
}

/// Refuses the one timestamp that cells do not have.
pub(super) fn check_timestamp(timestamp: Option<i64>) -> Result<()> {
    if timestamp == Some(i64::MIN) {
        let message = format!("Out of bound timestamp, must be in [{}, {}]", i64::MIN + 1, i64::MAX);
        return Err(Error::invalid(InvalidKind::Value, message));
    }
    Ok(())
}

/// A checked write to one partition of one table.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    /// The serialized partition key.
    partition: Vec<u8>,
    change: Change,
    ttl: u32,
    timestamp: Option<i64>,
}

/// What is done to the partition. Clustering columns are encoded.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Writes cells (`None`: deletes them), and with `marker` makes the row exist without any.
    Write { clustering: Clustering, marker: bool, cells: Vec<(u16, Option<Vec<u8>>)> },
    /// Deletes a row.
    DeleteRow { clustering: Clustering },
    /// Deletes every row.
    DeletePartition,
}

impl Mutation {
    /// A change that writes values. `change`'s cells are in the order of their columns' ids.
    pub(super) fn write(
        schema: &TableSchema,
        partition: Vec<u8>,
        change: Change,
        options: WriteOptions,
    ) -> Result<Self> {
        check_timestamp(options.timestamp)?;
        Ok(Self { partition, change, ttl: options.ttl(schema)?, timestamp: options.timestamp })
    }

    /// A change that only deletes, and so takes no time to live.
    pub(super) fn delete(partition: Vec<u8>, change: Change, options: WriteOptions) -> Result<Self> {
        if options.ttl_seconds.is_some() {
            return Err(Error::invalid(InvalidKind::Value, "a deletion takes no time to live"));
        }
        check_timestamp(options.timestamp)?;
        Ok(Self { partition, change, ttl: 0, timestamp: options.timestamp })
    }

    /// Whether it only deletes.
    pub(super) fn deletes(&self) -> bool {
        match &self.change {
            Change::Write { marker, cells, .. } => !marker && cells.iter().all(|(_, value)| value.is_none()),
            Change::DeleteRow { .. } | Change::DeletePartition => true,
        }
    }

    /// The timestamp the statement brings along.
    pub(super) fn timestamp(&self) -> Option<i64> {
        self.timestamp
    }

    /// Stores the change in `table`, at `timestamp` unless it brings its own.
    pub(super) fn apply(&self, writer: &mut Writer, table: &Entry<TableRecord>, timestamp: i64) -> Result<()> {
        let (timestamp, now) = (self.timestamp.unwrap_or(timestamp), writer.now().as_seconds());
        let partition = layout::partition(table.storage, &self.partition);
        match &self.change {
            Change::Write { clustering, marker, cells } => {
                let cell = |value: &Option<Vec<u8>>| match value {
                    Some(value) => Cell::new(timestamp, value.clone(), self.ttl, now),
                    None => Cell::tombstone(timestamp, now),
                };
                let seen = cells.iter().filter(|(id, _)| !table.record.hides(*id, timestamp));
                let row = StoredRow {
                    marker: marker.then(|| Cell::new(timestamp, Vec::new(), self.ttl, now)),
                    deletion: None,
                    cells: seen.map(|(id, value)| (*id, cell(value))).collect(),
                    long: self.long(clustering),
                };
                merge(writer, table, &partition, clustering, row)
            }
            Change::DeleteRow { clustering } => {
                let deletion = Some(Deletion { timestamp, deleted: now });
                let long = self.long(clustering);
                merge(writer, table, &partition, clustering, StoredRow { deletion, long, ..StoredRow::default() })
            }
            Change::DeletePartition => {
                delete_partition(writer, table, &partition, Deletion { timestamp, deleted: now })
            }
        }
    }

    /// What does not stand whole in the key of the row with these clustering columns.
    fn long(&self, clustering: &Clustering) -> Vec<Vec<u8>> {
        let partition = layout::is_long(&self.partition).then(|| self.partition.clone());
        partition.into_iter().chain(clustering.long.iter().map(|(_, whole)| whole.clone())).collect()
    }
}

/// How the partition whose keys begin with `partition` was deleted, if it was.
pub(super) fn deletion_of(view: &View, partition: &[u8]) -> Result<Option<Deletion>> {
    Ok(load(view, &layout::header(partition))?.deletion)
}

/// Removes what a table stored, with its deadlines.
pub(super) fn remove_table(writer: &mut Writer, storage: u32) -> Result<()> {
    let target = layout::table_prefix(storage);
    job::finish(writer, &target);
    let Some(keys) = job::few(writer, &KeyRange::prefix(&target))? else {
        return job::remove_later(writer, &target);
    };
    for key in keys {
        let scheduled = load(writer, &key)?.deadline();
        save(writer, &key, &StoredRow::default(), scheduled)?;
    }
    Ok(())
}

/// Removes rows, and their deadlines, of the table whose keys begin with `target`, as [`job::step`] does.
pub(crate) fn reclaim(
    writer: &mut Writer,
    target: &[u8],
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    let mut cursor = writer.range(&job::rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else { return Ok(true) };
        allowance.spend(key, value);
        place.clear();
        place.extend_from_slice(key);
        let scheduled = record::decode(value)?.deadline();
        if scheduled.is_some() {
            allowance.spend(key, &[]);
        }
        save(writer, key, &StoredRow::default(), scheduled)?;
    }
    Ok(false)
}

/// Sweeps the row or header at `target`, whose deadline has come and has been removed from the index.
pub(crate) fn expire(writer: &mut Writer, target: &[u8]) -> Result<()> {
    let (row, now) = (load(writer, target)?, writer.now().as_seconds());
    let (partition, _, place) = layout::split(target)?;
    let mut swept = row.clone().swept(now);
    if place == Place::Header
        && let (Some(deletion), None) = (row.deletion, swept.deletion)
        && job::get(writer, partition)?.is_some()
    {
        // There are rows that only the deletion hides.
        swept.deletion = Some(Deletion { deleted: now, ..deletion });
    }
    save(writer, target, &swept, None)
}

/// Removes from rows below `target`, a table or a partition, what cannot be seen of them any more.
pub(crate) fn tidy(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let storage = layout::storage_of(target)?;
    let Some((_, _, table)) = catalog::find::<TableRecord>(writer, Kind::WideTable, storage)? else { return Ok(true) };
    let mut last: Option<(Vec<u8>, Option<Deletion>)> = None;
    let mut cursor = writer.range(&job::rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else { return Ok(true) };
        allowance.spend(key, value);
        place.clear();
        place.extend_from_slice(key);
        let (partition, _, at) = layout::split(key)?;
        if at == Place::Header {
            continue;
        }
        let deletion = match &last {
            Some((prefix, deletion)) if prefix == partition => *deletion,
            _ => last.insert((partition.to_vec(), deletion_of(writer, partition)?)).1,
        };
        tidy_row(writer, &table, key, &record::decode(value)?, deletion)?;
    }
    Ok(false)
}

/// Removes from the rows of a whole table what cannot be seen of them any more: at once when they are few, else later.
pub(super) fn tidy_table(writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
    let target = layout::table_prefix(table.storage);
    if job::few(writer, &KeyRange::prefix(&target))?.is_none() {
        return job::tidy_later(writer, &target);
    }
    tidy(writer, &target, &mut Vec::new(), &mut Allowance::of_step()).map(drop)
}

fn tidy_row(
    writer: &mut Writer,
    table: &TableRecord,
    key: &[u8],
    row: &StoredRow,
    deletion: Option<Deletion>,
) -> Result<()> {
    let mut tidy = row.clone().below(deletion);
    table.retain_columns(&mut tidy);
    if tidy == *row { Ok(()) } else { save(writer, key, &tidy, row.deadline()) }
}

fn merge(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    partition: &[u8],
    clustering: &Clustering,
    row: StoredRow,
) -> Result<()> {
    let over = deletion_of(writer, partition)?;
    let key = layout::row(partition, &clustering.key);
    for (end, whole) in &clustering.long {
        check_order(writer, partition, &clustering.key, *end, whole)?;
    }
    let mut stored = load(writer, &key)?;
    let scheduled = stored.deadline();
    table.record.retain_columns(&mut stored);
    save(writer, &key, &stored.merge(row).below(over), scheduled)
}

/// Refuses a long value that agrees with another one of its column in all that keys have of them, for the two could not be kept in
/// order. It ends at `end` of the clustering `key`.
fn check_order(view: &View, partition: &[u8], key: &[u8], end: usize, whole: &[u8]) -> Result<()> {
    let (first, own) = (key.get(..long::hash_start(end)).unwrap_or_default(), key.get(..end).unwrap_or_default());
    let (alike, own) = (KeyRange::prefix(&layout::row(partition, first)), layout::row(partition, own));
    for direction in [Direction::Forward, Direction::Backward] {
        if view.first(&alike, direction)?.is_some_and(|(found, _)| !found.starts_with(&own)) {
            let max = limits::WIDE_CLUSTERING_KEY_BYTES_MAX as u64;
            let limit = "first bytes of a clustering column in which two of its values agree";
            return Err(Error::LimitExceeded { limit, max, found: whole.len() as u64 });
        }
    }
    Ok(())
}

/// Rows are hidden by the header from now on, and kept by it from coming back. What is stored of them goes at once when they are
/// few, else by a job.
fn delete_partition(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    partition: &[u8],
    deletion: Deletion,
) -> Result<()> {
    let header = layout::header(partition);
    let stored = load(writer, &header)?;
    let (before, scheduled) = (stored.deletion, stored.deadline());
    let merged = stored.merge(StoredRow { deletion: Some(deletion), ..StoredRow::default() });
    if merged.deletion == before {
        return Ok(());
    }
    save(writer, &header, &merged, scheduled)?;
    let Some(keys) = job::few(writer, &KeyRange::prefix(&layout::rows(partition)))? else {
        return job::tidy_later(writer, partition);
    };
    for key in keys {
        let row = load(writer, &key)?;
        tidy_row(writer, &table.record, &key, &row, merged.deletion)?;
    }
    Ok(())
}

/// The row or header at `key`; an empty one when there is none.
fn load(view: &View, key: &[u8]) -> Result<StoredRow> {
    view.get(key)?.map_or_else(|| Ok(StoredRow::default()), |bytes| record::decode(&bytes))
}

/// Stores `row`, or nothing when it is empty, and moves its deadline from `scheduled` to where it is now.
fn save(writer: &mut Writer, key: &[u8], row: &StoredRow, scheduled: Option<Timestamp>) -> Result<()> {
    let deadline = row.deadline();
    if deadline != scheduled {
        if let Some(scheduled) = scheduled {
            expiry::cancel(writer, scheduled, key);
        }
        if let Some(deadline) = deadline {
            expiry::schedule(writer, deadline, key)?;
        }
    }
    if row.is_empty() {
        writer.remove(key);
        return Ok(());
    }
    writer.put(key, record::encode(row)?)
}
