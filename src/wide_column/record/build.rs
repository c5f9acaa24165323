//! Rows written as bytes.

use crate::clock::Timestamp;
use crate::encoding::ordered::put_i64;
use crate::wide_column::cell::{Cell, Content, Deletion};
use crate::wide_column::record::view::RowTime;
use crate::wide_column::record::{
    COUNTER, CellView, DELETION, EXPIRED, EXPIRES, EXPIRING, FORMAT, HAS_DELETION, HAS_KEPT, HAS_MARKER, HAS_PART,
    HAS_TIME, IS_EXPIRED, LIVE, OF_ROW_EXPIRY, OF_ROW_TIME, Part, TOMBSTONE,
};
use crate::wide_column::vint::{put_bytes, put_signed, put_unsigned};

/// Makes a row. Cells are put in the order of their columns and parts.
#[derive(Debug, Default)]
pub(in crate::wide_column) struct Builder {
    out: Vec<u8>,
    /// Once the head has been written, the row's time.
    time: Option<RowTime>,
    marker: Option<Cell<'static>>,
    deletion: Option<Deletion>,
    kept: Vec<u8>,
    /// Seconds for which tombstones are kept.
    grace: i64,
    deadline: Option<i64>,
    has_cells: bool,
}

/// A row as it is stored.
#[derive(Debug)]
pub(in crate::wide_column) struct Built {
    pub(in crate::wide_column) bytes: Vec<u8>,
    /// When the sweeper has something to do with it.
    pub(in crate::wide_column) deadline: Option<Timestamp>,
    /// Of a merged row, when the sweeper had something to do with the first of the two.
    pub(in crate::wide_column) scheduled: Option<Timestamp>,
    /// Whether there is nothing to store.
    pub(in crate::wide_column) is_empty: bool,
}

impl Builder {
    /// A row of a table that keeps tombstones for `grace` seconds.
    pub(in crate::wide_column) fn new(grace: i64) -> Self {
        Self { grace, ..Self::default() }
    }

    /// With room for this many bytes.
    pub(in crate::wide_column) fn with_capacity(grace: i64, bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), ..Self::new(grace) }
    }

    /// Sets what makes the row exist without any cell. Before the first cell.
    pub(in crate::wide_column) fn set_marker(&mut self, marker: Option<Cell<'static>>) {
        self.note_deadline(marker.and_then(|marker| marker.deadline(self.grace)));
        self.marker = marker;
    }

    /// Sets the deletion of the row. Before the first cell.
    pub(in crate::wide_column) fn set_deletion(&mut self, deletion: Option<Deletion>) {
        self.note_deadline(deletion.map(|deletion| deletion.deadline(self.grace)));
        self.deletion = deletion;
    }

    /// Keeps a part of the key that does not come back from it: 0 is the partition key, then come the clustering columns. Before the
    /// first cell.
    pub(in crate::wide_column) fn keep(&mut self, part: usize, bytes: &[u8]) {
        put_unsigned(&mut self.kept, part as u64);
        put_bytes(&mut self.kept, bytes);
    }

    /// Keeps what another row has kept. Before the first cell.
    pub(in crate::wide_column) fn keep_all(&mut self, kept: &[u8]) {
        self.kept.extend_from_slice(kept);
    }

    /// Appends a cell, or the deletion of a column's parts, whose content is a tombstone.
    pub(in crate::wide_column) fn push(&mut self, CellView { id, part, cell }: CellView<'_>) {
        self.note_deadline(cell.deadline(self.grace));
        let time = match self.time {
            Some(time) => time,
            None => self.begin(&cell),
        };
        self.has_cells = true;
        put_cell(&mut self.out, time, CellView { id, part, cell });
    }

    /// The row.
    pub(in crate::wide_column) fn build(mut self) -> Built {
        let is_empty = self.marker.is_none() && self.deletion.is_none() && !self.has_cells;
        if !is_empty && self.time.is_none() {
            self.put_head(self.marker.map(|marker| time_of(&marker)));
        }
        Built { bytes: self.out, deadline: self.deadline.map(Timestamp::from_seconds), scheduled: None, is_empty }
    }

    /// Writes the head, before the first cell.
    fn begin(&mut self, first: &Cell<'_>) -> RowTime {
        let mut time = time_of(self.marker.as_ref().unwrap_or(first));
        if self.marker.is_none() {
            // A cell has room of its own for it.
            time.expired = None;
        }
        self.put_head(Some(time));
        time
    }

    fn put_head(&mut self, time: Option<RowTime>) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let RowTime { timestamp, expiry, expired } = time.unwrap_or_default();
        let marks = flag(time.is_some(), HAS_TIME)
            | flag(expiry.is_some(), EXPIRES)
            | flag(expired.is_some(), IS_EXPIRED)
            | flag(self.marker.is_some(), HAS_MARKER)
            | flag(self.deletion.is_some(), HAS_DELETION)
            | flag(!self.kept.is_empty(), HAS_KEPT);
        self.out.extend_from_slice(&[FORMAT, marks]);
        if time.is_some() {
            put_i64(&mut self.out, timestamp);
        }
        if let Some((expires, ttl)) = expiry {
            put_signed(&mut self.out, expires);
            put_unsigned(&mut self.out, ttl.into());
        }
        if let Some(expires) = expired {
            put_signed(&mut self.out, expires);
        }
        if let Some(Deletion { timestamp, deleted }) = self.deletion {
            put_i64(&mut self.out, timestamp);
            put_signed(&mut self.out, deleted);
        }
        if !self.kept.is_empty() {
            put_bytes(&mut self.out, &self.kept);
        }
        self.time = time;
    }

    fn note_deadline(&mut self, deadline: Option<i64>) {
        if let Some(deadline) = deadline {
            self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        }
    }
}

/// Appends a cell of a row whose time is `time`.
pub(super) fn put_cell(out: &mut Vec<u8>, time: RowTime, CellView { id, part, cell }: CellView<'_>) {
    // What most cells are.
    if let (Part::Whole, Content::Live { value }) = (part, cell.content)
        && cell.timestamp == time.timestamp
    {
        put_unsigned(out, id.into());
        out.push(LIVE | OF_ROW_TIME);
        put_bytes(out, value);
        return;
    }
    let expiry = match cell.content {
        Content::Expiring { expires, ttl, .. } => Some((expires, ttl)),
        _ => None,
    };
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let kind = match cell.content {
        Content::Live { .. } => LIVE,
        Content::Expiring { .. } => EXPIRING,
        Content::Expired { .. } => EXPIRED,
        Content::Tombstone { .. } if part == Part::Deletion => DELETION,
        Content::Tombstone { .. } => TOMBSTONE,
        Content::Counter { .. } => COUNTER,
    };
    let (is_row_time, is_row_expiry) = (cell.timestamp == time.timestamp, expiry.is_some() && expiry == time.expiry);
    put_unsigned(out, id.into());
    let marks = flag(is_row_time, OF_ROW_TIME) | flag(is_row_expiry, OF_ROW_EXPIRY);
    out.push(kind | marks | flag(matches!(part, Part::Element(_)), HAS_PART));
    if !is_row_time {
        put_signed(out, cell.timestamp.wrapping_sub(time.timestamp));
    }
    match cell.content {
        Content::Expiring { expires, ttl, .. } if !is_row_expiry => {
            put_signed(out, expires);
            put_unsigned(out, ttl.into());
        }
        Content::Expired { expires } => put_signed(out, expires),
        Content::Tombstone { deleted } => put_signed(out, deleted),
        _ => {}
    }
    if let Part::Element(path) = part {
        put_bytes(out, path);
    }
    match cell.content {
        Content::Live { value } | Content::Expiring { value, .. } => put_bytes(out, value),
        Content::Counter { value } => put_signed(out, value),
        Content::Expired { .. } | Content::Tombstone { .. } => {}
    }
}

fn time_of(cell: &Cell<'_>) -> RowTime {
    let (expiry, expired) = match cell.content {
        Content::Expiring { expires, ttl, .. } => (Some((expires, ttl)), None),
        Content::Expired { expires } => (None, Some(expires)),
        _ => (None, None),
    };
    RowTime { timestamp: cell.timestamp, expiry, expired }
}
