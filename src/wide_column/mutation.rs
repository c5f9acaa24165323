//! Writes: what they change, and how that is stored.

use crate::catalog::job::{self, Allowance};
use crate::clock::Timestamp;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::expiry;
use crate::txn::{View, Writer};
use crate::wide_column::cell::{Cell, Deletion, StoredRow};
use crate::wide_column::schema::{TableSchema, check_ttl};
use crate::wide_column::{key, record};

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
    /// Lets what is written live for `seconds`, at most 20 years; 0 is for ever, whatever the table's default
    /// (SEM: WID-TTL-1).
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
    pub fn ttl_seconds(self, seconds: u32) -> Self {
        Self { ttl_seconds: Some(seconds), ..self }
    }

    /// Sets the timestamp of the write in microseconds; the default is the store's clock, made unique. Of two writes
    /// the one with the higher timestamp wins, whichever is made first (SEM: WID-LWW-1).
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
    pub fn timestamp(self, micros: i64) -> Self {
        Self { timestamp: Some(micros), ..self }
    }

    /// The time to live of a write to a table with this schema, 0 for ever.
    fn ttl(self, schema: &TableSchema) -> Result<u32> {
        let seconds = self.ttl_seconds.unwrap_or(schema.default_ttl_seconds());
        check_ttl(seconds)?;
        Ok(seconds)
    }
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
    Write { clustering: Vec<u8>, marker: bool, cells: Vec<(u16, Option<Vec<u8>>)> },
    /// Deletes a row.
    DeleteRow { clustering: Vec<u8> },
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
        Ok(Self { partition, change, ttl: options.ttl(schema)?, timestamp: options.timestamp })
    }

    /// A change that only deletes, and so takes no time to live.
    pub(super) fn delete(partition: Vec<u8>, change: Change, options: WriteOptions) -> Result<Self> {
        if options.ttl_seconds.is_some() {
            return Err(Error::invalid(InvalidKind::Value, "a deletion takes no time to live"));
        }
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

    /// Stores the change in table `id`, at `timestamp` unless it brings its own.
    pub(super) fn apply(&self, writer: &mut Writer, id: u32, timestamp: i64) -> Result<()> {
        let (timestamp, now) = (self.timestamp.unwrap_or(timestamp), writer.now().as_seconds());
        let partition = key::partition(id, &self.partition);
        match &self.change {
            Change::Write { clustering, marker, cells } => {
                let cell = |value: &Option<Vec<u8>>| match value {
                    Some(value) => Cell::new(timestamp, value.clone(), self.ttl, now),
                    None => Cell::tombstone(timestamp, now),
                };
                let row = StoredRow {
                    marker: marker.then(|| Cell::new(timestamp, Vec::new(), self.ttl, now)),
                    deletion: None,
                    cells: cells.iter().map(|(id, value)| (*id, cell(value))).collect(),
                };
                merge(writer, partition, clustering, row)
            }
            Change::DeleteRow { clustering } => {
                let deletion = Some(Deletion { timestamp, deleted: now });
                merge(writer, partition, clustering, StoredRow { deletion, ..StoredRow::default() })
            }
            Change::DeletePartition => delete_partition(writer, partition, Deletion { timestamp, deleted: now }),
        }
    }
}

/// Removes what a table stored, with its deadlines.
pub(super) fn remove_table(writer: &mut Writer, storage: u32) -> Result<()> {
    let target = key::table_prefix(storage);
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
pub(super) fn reclaim(
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
pub(super) fn sweep(writer: &mut Writer, target: &[u8]) -> Result<()> {
    let swept = load(writer, target)?.swept(writer.now().as_seconds());
    save(writer, target, &swept, None)
}

fn merge(writer: &mut Writer, partition: Vec<u8>, clustering: &[u8], row: StoredRow) -> Result<()> {
    let over = load(writer, &key::header(partition.clone()))?.deletion;
    let key = key::row(partition, clustering);
    let stored = load(writer, &key)?;
    let scheduled = stored.deadline();
    save(writer, &key, &stored.merge(row).below(over), scheduled)
}

/// Rows are rewritten at once, so that no read has to look at the header, and kept from coming back by it.
fn delete_partition(writer: &mut Writer, partition: Vec<u8>, deletion: Deletion) -> Result<()> {
    let header = key::header(partition.clone());
    let stored = load(writer, &header)?;
    let scheduled = stored.deadline();
    let merged = stored.merge(StoredRow { deletion: Some(deletion), ..StoredRow::default() });
    save(writer, &header, &merged, scheduled)?;
    let rows = KeyRange::prefix(&key::rows(partition));
    let mut cursor = writer.range(&rows, Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let row = record::decode(value)?;
        let scheduled = row.deadline();
        save(writer, key, &row.below(merged.deletion), scheduled)?;
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
