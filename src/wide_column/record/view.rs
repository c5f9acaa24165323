//! Rows read from their bytes.

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::wide_column::cell::{Cell, Content, Deletion, is_covered};
use crate::wide_column::record::{
    COUNTER, DELETION, EXPIRED, EXPIRES, EXPIRING, FORMAT, HAS_DELETION, HAS_KEPT, HAS_MARKER, HAS_PART, HAS_TIME,
    IS_EXPIRED, KIND, LIVE, OF_ROW_EXPIRY, OF_ROW_TIME, TOMBSTONE,
};
use crate::wide_column::vint::{take_bytes, take_signed, take_unsigned};

/// Bytes of a head that says when a row was written and no more: its format, its flags and the time in the form of
/// [`put_i64`](crate::encoding::ordered::put_i64).
const PLAIN_HEAD_BYTES: usize = 10;

/// A row, its head read and its cells still bytes. Nothing is allocated.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::wide_column) struct RowView<'a> {
    pub(super) time: RowTime,
    has_marker: bool,
    pub(in crate::wide_column) deletion: Option<Deletion>,
    kept: &'a [u8],
    /// All that comes before the cells.
    pub(super) head: &'a [u8],
    cells: &'a [u8],
}

/// What most rows are: they have a time, perhaps a marker, and nothing else before their cells.
pub(super) struct PlainRow<'a> {
    pub(super) has_marker: bool,
    pub(super) timestamp: i64,
    head: &'a [u8],
    pub(super) cells: &'a [u8],
}

impl<'a> PlainRow<'a> {
    /// The row of these bytes, if it is such a one.
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (head @ [FORMAT, flags, time @ ..], cells) = bytes.split_first_chunk::<PLAIN_HEAD_BYTES>()? else {
            return None;
        };
        let timestamp = (u64::from_be_bytes(*time) ^ 1 << 63).cast_signed();
        (flags & !HAS_MARKER == HAS_TIME).then_some(Self {
            has_marker: flags & HAS_MARKER != 0,
            timestamp,
            head,
            cells,
        })
    }
}

/// The time that most cells of a row have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowTime {
    pub(super) timestamp: i64,
    /// Second of the expiry, and time to live.
    pub(super) expiry: Option<(i64, u32)>,
    pub(super) expired: Option<i64>,
}

/// What of a column a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::wide_column) enum Part<'a> {
    /// All of it.
    Whole,
    /// The deletion of all of its parts.
    Deletion,
    /// An element, key, field or place.
    Element(&'a [u8]),
}

/// A cell of a row, or the deletion of the parts of a column, whose content is a tombstone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wide_column) struct CellView<'a> {
    pub(in crate::wide_column) id: u16,
    pub(in crate::wide_column) part: Part<'a>,
    pub(in crate::wide_column) cell: Cell<'a>,
}

impl<'a> RowView<'a> {
    /// Reads the head of a row.
    ///
    /// # Errors
    /// [`Error::Corruption`] when it is none.
    #[inline]
    pub(in crate::wide_column) fn new(bytes: &'a [u8]) -> Result<Self> {
        Self::plain(bytes).map_or_else(|| Self::read(bytes), Ok)
    }

    /// Reads the head of a row and lends the row to `body`: it is long to copy, and only lent it stays where it was made.
    ///
    /// # Errors
    /// As [`new`](Self::new), and those of `body`.
    #[inline]
    pub(in crate::wide_column) fn with<R>(bytes: &'a [u8], body: impl FnOnce(&Self) -> Result<R>) -> Result<R> {
        match Self::plain(bytes) {
            Some(row) => body(&row),
            None => body(&Self::read(bytes)?),
        }
    }

    #[inline]
    fn plain(bytes: &'a [u8]) -> Option<Self> {
        let PlainRow { has_marker, timestamp, head, cells } = PlainRow::new(bytes)?;
        let time = RowTime { timestamp, expiry: None, expired: None };
        Some(Self { time, has_marker, deletion: None, kept: &[], head, cells })
    }

    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(corrupt("it has an unknown format"));
        }
        let flags = reader.u8()?;
        let has = |flag: u8| flags & flag != 0;
        if flags & !(HAS_TIME | EXPIRES | IS_EXPIRED | HAS_MARKER | HAS_DELETION | HAS_KEPT) != 0 {
            return Err(corrupt("it has unknown flags"));
        }
        let timestamp = if has(HAS_TIME) { reader.i64()? } else { 0 };
        let expiry = if has(EXPIRES) { Some((take_signed(&mut reader)?, take_u32(&mut reader)?)) } else { None };
        let expired = if has(IS_EXPIRED) { Some(take_signed(&mut reader)?) } else { None };
        let deletion = if has(HAS_DELETION) {
            Some(Deletion { timestamp: reader.i64()?, deleted: take_signed(&mut reader)? })
        } else {
            None
        };
        let kept = if has(HAS_KEPT) { take_bytes(&mut reader)? } else { &[] };
        let time = RowTime { timestamp, expiry, expired };
        let cells = reader.rest();
        let head = bytes.get(..bytes.len() - cells.len()).unwrap_or_default();
        Ok(Self { time, has_marker: has(HAS_MARKER), deletion, kept, head, cells })
    }

    /// What makes the row exist without any cell: an INSERT writes it, an UPDATE does not. A cell without a value.
    #[inline]
    pub(in crate::wide_column) fn marker(&self) -> Option<Cell<'static>> {
        let RowTime { timestamp, expiry, expired } = self.time;
        let content = match (expiry, expired) {
            (Some((expires, ttl)), _) => Content::Expiring { value: &[], expires, ttl },
            (None, Some(expires)) => Content::Expired { expires },
            (None, None) => Content::Live { value: &[] },
        };
        self.has_marker.then_some(Cell { timestamp, content })
    }

    /// Whether a read at `now` sees the row even without any cell, below the deletion that it lies under.
    #[inline]
    pub(in crate::wide_column) fn is_marked(&self, over: Option<Deletion>, now: i64) -> bool {
        let is_bare = self.time.expiry.is_none() && self.time.expired.is_none() && over.is_none();
        self.has_marker && (is_bare || self.is_marker_seen(over, now))
    }

    fn is_marker_seen(&self, over: Option<Deletion>, now: i64) -> bool {
        self.marker().is_some_and(|marker| marker.is_live(now) && !is_covered(marker.timestamp, over))
    }

    /// The parts of the key that do not come back from it, as [`Builder::keep`](super::Builder::keep) has put them.
    pub(in crate::wide_column) fn kept_bytes(&self) -> &'a [u8] {
        self.kept
    }

    /// What is kept of a part of the key: 0 is the partition key, then come the clustering columns.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    pub(in crate::wide_column) fn kept(&self, part: usize) -> Result<Option<&'a [u8]>> {
        let mut reader = Reader::new(self.kept);
        while !reader.rest().is_empty() {
            let found = take_unsigned(&mut reader)?;
            let bytes = take_bytes(&mut reader)?;
            if found == part as u64 {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The cells, by column and part.
    #[inline]
    pub(in crate::wide_column) fn cells(&self) -> Cells<'a> {
        Cells { reader: Reader::new(self.cells), time: self.time }
    }

    /// The bytes of the cells, of which [`Cells::left`] says how many are left.
    #[inline]
    pub(in crate::wide_column) fn bytes_of_cells(&self) -> &'a [u8] {
        self.cells
    }

    /// The cells whose bytes begin at `offset` or behind it: where one of them does.
    pub(in crate::wide_column) fn cells_from(&self, offset: usize) -> Cells<'a> {
        Cells { reader: Reader::new(self.cells.get(offset..).unwrap_or_default()), time: self.time }
    }

    /// The cell whose bytes begin at `offset`.
    pub(in crate::wide_column) fn cell_at(&self, offset: usize) -> Result<CellView<'a>> {
        self.cells_from(offset).next().unwrap_or_else(|| Err(corrupt("a cell is not there")))
    }
}

/// Walks over the cells of a row.
#[derive(Clone, Debug)]
pub(in crate::wide_column) struct Cells<'a> {
    reader: Reader<'a>,
    time: RowTime,
}

impl<'a> Cells<'a> {
    /// How many bytes are left: of all cells less this, the offset of the next one.
    pub(in crate::wide_column) fn left(&self) -> usize {
        self.reader.rest().len()
    }

    /// Steps over cells that only have a value, of columns before `id`, or of any. No such cell has a deadline, and none is a part of a
    /// column.
    pub(super) fn skip_plain(&mut self, before: Option<u16>) {
        let mut rest = self.reader.rest();
        while let Some(cell) = plain(rest).filter(|cell| before.is_none_or(|before| cell.id < before)) {
            rest = cell.rest;
        }
        self.reader = Reader::new(rest);
    }

    #[inline]
    fn step(&mut self) -> Result<CellView<'a>> {
        if let Some(Plain { id, time, value, rest }) = plain(self.reader.rest()) {
            self.reader = Reader::new(rest);
            let later = time.map_or(Ok(0), |time| take_signed(&mut Reader::new(time)))?;
            let timestamp = self.time.timestamp.wrapping_add(later);
            return Ok(CellView { id, part: Part::Whole, cell: Cell { timestamp, content: Content::Live { value } } });
        }
        self.step_any()
    }

    fn step_any(&mut self) -> Result<CellView<'a>> {
        let reader = &mut self.reader;
        let id = u16::try_from(take_unsigned(reader)?).map_err(|_| corrupt("a column has no such id"))?;
        let head = reader.u8()?;
        let timestamp = if head & OF_ROW_TIME != 0 {
            self.time.timestamp
        } else {
            self.time.timestamp.wrapping_add(take_signed(reader)?)
        };
        let kind = head & KIND;
        let local = match kind {
            EXPIRING if head & OF_ROW_EXPIRY != 0 => self.time.expiry.ok_or_else(|| corrupt("it does not expire"))?,
            EXPIRING => (take_signed(reader)?, take_u32(reader)?),
            EXPIRED | TOMBSTONE | DELETION => (take_signed(reader)?, 0),
            _ => (0, 0),
        };
        let part = match kind {
            DELETION => Part::Deletion,
            _ if head & HAS_PART != 0 => Part::Element(take_bytes(reader)?),
            _ => Part::Whole,
        };
        let (seconds, ttl) = local;
        let content = match kind {
            LIVE => Content::Live { value: take_bytes(reader)? },
            EXPIRING => Content::Expiring { value: take_bytes(reader)?, expires: seconds, ttl },
            EXPIRED => Content::Expired { expires: seconds },
            TOMBSTONE | DELETION => Content::Tombstone { deleted: seconds },
            COUNTER => Content::Counter { value: take_signed(reader)? },
            _ => return Err(corrupt("a cell is of an unknown kind")),
        };
        Ok(CellView { id, part, cell: Cell { timestamp, content } })
    }
}

/// The first of these cells if it is plain, which is to say that it only has a value, whatever its time: its column, the value, with
/// which the cell ends, and what is behind it.
#[inline]
pub(in crate::wide_column) fn first_plain(cells: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    // Most have a short id, and were written when their row was.
    if let [id @ 0..0x80, OF_ROW_TIME, length @ 0..0x80, rest @ ..] = cells {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        return Some((u16::from(*id), value, rest));
    }
    plain(cells).map(|Plain { id, value, rest, .. }| (id, value, rest))
}

/// The value of the first of these cells, and what is behind it, if it is of this column and has the form that most plain ones have.
#[inline]
pub(in crate::wide_column) fn value_of_first(cells: &[u8], id: u16) -> Option<(&[u8], &[u8])> {
    match cells {
        [own @ 0..0x80, OF_ROW_TIME, length @ 0..0x80, rest @ ..] if u16::from(*own) == id => {
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}

/// The cells of a row that has a time, a marker unless it has cells, and nothing else before them.
#[inline]
pub(in crate::wide_column) fn cells_of_plain(row: &[u8]) -> Option<&[u8]> {
    PlainRow::new(row).filter(|row| row.has_marker || !row.cells.is_empty()).map(|row| row.cells)
}

/// The first of these cells if it only has a value and was written when its row was: its column, and what is behind it.
#[inline]
pub(super) fn first_of_row_time(cells: &[u8]) -> Option<(u16, &[u8])> {
    plain(cells).filter(|cell| cell.time.is_none()).map(|cell| (cell.id, cell.rest))
}

/// A cell that only has a value.
struct Plain<'a> {
    id: u16,
    /// How much later than the row it was written, unless at the same time.
    time: Option<&'a [u8]>,
    value: &'a [u8],
    /// What is behind it.
    rest: &'a [u8],
}

/// What most cells are: live, and of a short id and value.
#[inline]
fn plain(cells: &[u8]) -> Option<Plain<'_>> {
    let (id, rest) = match cells {
        [id @ 0..0x80, rest @ ..] => (u16::from(*id), rest),
        [first @ 0x80..0xc0, second, rest @ ..] => (u16::from(first & 0x3f) << 8 | u16::from(*second), rest),
        _ => return None,
    };
    let (time, rest) = match rest {
        [OF_ROW_TIME, rest @ ..] => (None, rest),
        // The first byte of the time says how many follow.
        [LIVE, rest @ ..] => {
            let (time, rest) = rest.split_at_checked(1 + rest.first()?.leading_ones() as usize)?;
            (Some(time), rest)
        }
        _ => return None,
    };
    let [length @ 0..0x80, rest @ ..] = rest else { return None };
    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
    Some(Plain { id, time, value, rest })
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<CellView<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest().is_empty() {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(step)
    }
}

fn take_u32(reader: &mut Reader<'_>) -> Result<u32> {
    u32::try_from(take_unsigned(reader)?).map_err(|_| corrupt("a time to live is too long"))
}

#[cold]
pub(super) fn corrupt(detail: &str) -> Error {
    Error::corrupt("wide-column row", detail)
}
