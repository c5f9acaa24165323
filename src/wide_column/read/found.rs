//! A row as a reader lends it.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::wide_column::cell::{Cell, Content, Deletion, is_covered};
use crate::wide_column::layout::{self, KeyValues};
use crate::wide_column::parts::NULL;
use crate::wide_column::read::virtual_table::VirtualRow;
use crate::wide_column::record::{CellView, Part, RowView};
use crate::wide_column::schema::{Column, ColumnKind, TableRecord};
use crate::wide_column::types::CqlType;

/// A row that a query has found, until the next one. Values are read from the stored bytes when they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundRow<'a> {
    pub(super) table: &'a TableRecord,
    pub(super) content: Found<'a>,
}

/// What a row is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Stored {
        /// The serialized partition key.
        partition: &'a [u8],
        /// `None` when the partition has static values and no row.
        clustering: Option<RowKey<'a>>,
        row: &'a Seen<'a>,
        /// `None` when the partition has no static values.
        statics: Option<&'a Seen<'a>>,
        /// Local time of the read, in seconds.
        now: i64,
    },
    Virtual(&'a VirtualRow),
}

/// The clustering columns of a row: as its key has them, and their values if they have been taken from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowKey<'a> {
    pub(super) encoded: &'a [u8],
    pub(super) decoded: Option<&'a KeyValues>,
}

/// A cell that can be seen: where it begins among the bytes of the row's cells, and where it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenCell {
    id: u16,
    start: u32,
    end: u32,
    /// Bytes of the value at its end; `None` of a counter.
    value: Option<u32>,
}

/// A stored row, with where its cells are that can be seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) row: RowView<'a>,
    pub(super) cells: &'a [SeenCell],
}

impl<'a> Seen<'a> {
    /// The cells of a column that can be seen.
    #[inline]
    fn of(&self, id: u16) -> impl Iterator<Item = Result<CellView<'a>>> + use<'a> {
        let row = self.row;
        own_cells(self.cells, id).iter().map(move |cell| row.cell_at(usize::try_from(cell.start).unwrap_or(usize::MAX)))
    }

    /// The value of a column that is one cell.
    #[inline]
    fn value(&self, id: u16) -> Option<(&'a [u8], &'a SeenCell)> {
        let cell = self.cells.iter().find(|cell| cell.id == id)?;
        let end = usize::try_from(cell.end).ok()?;
        let start = end.checked_sub(usize::try_from(cell.value.unwrap_or(0)).ok()?)?;
        Some((self.row.bytes_of_cells().get(start..end)?, cell))
    }
}

/// The cells of a column.
#[inline]
fn own_cells(cells: &[SeenCell], id: u16) -> &[SeenCell] {
    let first = cells.iter().position(|cell| cell.id >= id).unwrap_or(cells.len());
    let own = cells.get(first..).unwrap_or_default();
    let after = own.iter().position(|cell| cell.id != id).unwrap_or(own.len());
    own.get(..after).unwrap_or_default()
}

/// Notes where the cells of a row are that can be seen, and returns how many cannot.
pub(super) fn look(
    row: &RowView<'_>,
    table: &TableRecord,
    over: Option<Deletion>,
    now: i64,
    seen: &mut Vec<SeenCell>,
) -> Result<u64> {
    seen.clear();
    let mut dead = u64::from(row.deletion.is_some());
    let (mut cells, has_dropped) = (row.cells(), table.has_dropped());
    let all = cells.left();
    let mut start = 0;
    let offset = |left: usize| u32::try_from(all - left).unwrap_or(u32::MAX);
    // What only has a value is seen unless something lies over it, or its column may be gone.
    let is_bare = over.is_none() && !has_dropped;
    loop {
        while is_bare && let Some((id, bytes)) = cells.next_plain() {
            let end = offset(cells.left());
            seen.push(SeenCell { id, start, end, value: Some(u32::try_from(bytes).unwrap_or(u32::MAX)) });
            start = end;
        }
        let Some(cell) = cells.next() else { break };
        let CellView { id, cell, .. } = cell?;
        let end = offset(cells.left());
        if cell.is_live(now) && !is_covered(cell.timestamp, over) && (!has_dropped || table.column_with(id).is_some()) {
            let value = cell.value().map(|value| u32::try_from(value.len()).unwrap_or(u32::MAX));
            seen.push(SeenCell { id, start, end, value });
        } else {
            dead += 1;
        }
        start = end;
    }
    Ok(dead)
}

/// Where rows have the value of a column: found out once for all rows of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch {
    /// Its position in the list of the table's columns.
    at: usize,
    /// Its id, when its value is one cell of the row as it is stored.
    cell: Option<u16>,
}

impl Fetch {
    /// Of the column at this position.
    pub(crate) fn new(table: &TableRecord, at: usize) -> Self {
        let is_cell = |column: &&Column| {
            let of = column.column_type();
            column.kind() == ColumnKind::Regular && !of.is_multi_cell() && *of != CqlType::Counter
        };
        Self { at, cell: table.column(at).ok().filter(is_cell).map(Column::id) }
    }

    /// The position of the column in the list of the table's columns.
    pub(crate) fn at(self) -> usize {
        self.at
    }
}

/// When a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Microseconds.
    pub(crate) timestamp: i64,
    /// Seconds that are left to it; `None` is for ever.
    pub(crate) ttl: Option<u32>,
}

impl<'a> FoundRow<'a> {
    /// The definition of the table.
    pub(crate) fn table(&self) -> &'a TableRecord {
        self.table
    }

    /// As [`value`](Self::value).
    #[inline]
    pub(crate) fn fetch(&self, of: Fetch) -> Result<Option<Cow<'a, [u8]>>> {
        match (&self.content, of.cell) {
            (Found::Stored { row, .. }, Some(id)) => Ok(row.value(id).map(|(value, _)| Cow::Borrowed(value))),
            _ => self.value(of.at),
        }
    }

    /// The serialized value of the column at this position; `None` is null.
    ///
    /// # Errors
    /// [`Error::Corruption`].
    ///
    /// # Cost
    /// Borrowed from the row, but for collections that are not frozen, and counters.
    pub(crate) fn value(&self, at: usize) -> Result<Option<Cow<'a, [u8]>>> {
        let Found::Stored { partition, clustering, row, statics, .. } = self.content else {
            return Ok(self.virtual_value(at).map(Cow::Borrowed));
        };
        let column = self.table.column(at)?;
        match column.kind() {
            ColumnKind::PartitionKey => {
                let places = &self.table.shape().partition;
                let nth = places.iter().position(|own| *own == at).unwrap_or_default();
                layout::partition_value(partition, places.len(), nth).map(|value| Some(Cow::Borrowed(value)))
            }
            ColumnKind::Clustering(_) => {
                let nth = self.table.shape().clustering.iter().position(|(own, _)| *own == at).unwrap_or_default();
                clustering.map(|key| self.clustering_value(key, &row.row, nth)).transpose()
            }
            ColumnKind::Regular => cell_value(row, column),
            ColumnKind::Static => statics.map_or(Ok(None), |statics| cell_value(statics, column)),
        }
    }

    fn clustering_value(&self, key: RowKey<'a>, row: &RowView<'_>, nth: usize) -> Result<Cow<'a, [u8]>> {
        let missing = || Error::corrupt("wide-column key", "a part is missing");
        if let Some(values) = key.decoded {
            return values.get(nth).map(Cow::Borrowed).ok_or_else(missing);
        }
        let mut values = KeyValues::default();
        values.read_clustering(self.table, key.encoded, row)?;
        values.get(nth).map(|value| Cow::Owned(value.to_vec())).ok_or_else(missing)
    }

    /// When the value of the column at this position was written; `None` when it is null, or part of the key. Of a column with parts
    /// it is the first part's.
    pub(crate) fn written(&self, at: usize) -> Result<Option<Written>> {
        let now = self.now();
        let mut cells = self.parts(at)?;
        Ok(cells.next().transpose()?.map(|view| written(&view.cell, now)))
    }

    /// The parts of the column at this position, each with the key of its element and when it was written. A column of one part has
    /// one, without a key.
    pub(crate) fn parts_written(&self, at: usize) -> Result<Vec<(Vec<u8>, Written)>> {
        let now = self.now();
        let part = |view: Result<CellView<'_>>| {
            Ok(match view? {
                CellView { part: Part::Element(key), cell, .. } => Some((key.to_vec(), written(&cell, now))),
                CellView { part: Part::Whole, cell, .. } => Some((Vec::new(), written(&cell, now))),
                CellView { part: Part::Deletion, .. } => None,
            })
        };
        self.parts(at)?.filter_map(|view| part(view).transpose()).collect()
    }

    fn now(&self) -> i64 {
        match self.content {
            Found::Stored { now, .. } => now,
            Found::Virtual(_) => 0,
        }
    }

    /// The cells of the column at this position that can be seen.
    pub(in crate::wide_column) fn parts(
        &self,
        at: usize,
    ) -> Result<impl Iterator<Item = Result<CellView<'a>>> + use<'a>> {
        let column = self.table.column(at)?;
        let seen = match (self.content, column.kind()) {
            (Found::Stored { row, .. }, ColumnKind::Regular) => Some(row),
            (Found::Stored { statics, .. }, ColumnKind::Static) => statics,
            _ => None,
        };
        Ok(seen.into_iter().flat_map(move |seen| seen.of(column.id())))
    }

    fn virtual_value(&self, at: usize) -> Option<&'a [u8]> {
        match self.content {
            Found::Virtual(values) => values.get(at)?.as_deref(),
            Found::Stored { .. } => None,
        }
    }

    /// Whether it is a row, and not a partition that has only static values.
    pub(crate) fn is_row(&self) -> bool {
        !matches!(self.content, Found::Stored { clustering: None, .. })
    }
}

fn written(cell: &Cell<'_>, now: i64) -> Written {
    Written { timestamp: cell.timestamp, ttl: cell.remaining_ttl(now) }
}

fn cell_value<'a>(seen: &Seen<'a>, column: &Column) -> Result<Option<Cow<'a, [u8]>>> {
    if column.column_type().is_multi_cell() {
        return collect(column.column_type(), seen.of(column.id()));
    }
    let Some((value, SeenCell { value: Some(_), .. })) = seen.value(column.id()) else {
        return match seen.of(column.id()).next().transpose()?.map(|view| view.cell.content) {
            Some(Content::Counter { value }) => Ok(Some(Cow::Owned(value.to_be_bytes().to_vec()))),
            _ => Ok(None),
        };
    };
    Ok(Some(Cow::Borrowed(value)))
}

/// The serialized value of a column of which every part is a cell.
fn collect<'a>(cql_type: &CqlType, cells: impl Iterator<Item = Result<CellView<'a>>>) -> Result<Option<Cow<'a, [u8]>>> {
    let mut out = vec![0; 4];
    let (mut count, mut fields) = (0i32, 0usize);
    if matches!(cql_type, CqlType::Udt(_)) {
        out.clear();
    }
    for view in cells {
        let CellView { part: Part::Element(path), cell, .. } = view? else { continue };
        let value = cell.value().unwrap_or_default();
        match cql_type {
            CqlType::Set(_) => put_part(&mut out, path),
            CqlType::Map(_) => {
                put_part(&mut out, path);
                put_part(&mut out, value);
            }
            CqlType::Udt(_) => {
                let field = path.try_into().map(u16::from_be_bytes);
                let field = usize::from(field.map_err(|_| Error::corrupt("wide-column row", "a field is none"))?);
                while fields < field {
                    out.extend_from_slice(&NULL.to_be_bytes());
                    fields += 1;
                }
                put_part(&mut out, value);
                fields += 1;
            }
            _ => put_part(&mut out, value),
        }
        count += 1;
    }
    if count == 0 {
        return Ok(None);
    }
    if let CqlType::Udt(user_type) = cql_type {
        while fields < user_type.fields().len() {
            out.extend_from_slice(&NULL.to_be_bytes());
            fields += 1;
        }
    } else if let Some(place) = out.get_mut(..4) {
        place.copy_from_slice(&count.to_be_bytes());
    }
    Ok(Some(Cow::Owned(out)))
}

fn put_part(out: &mut Vec<u8>, bytes: &[u8]) {
    // What is stored is far below 2 GiB.
    out.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}
