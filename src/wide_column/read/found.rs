//! A row as a reader lends it.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::wide_column::cell::{Cell, Content, Deletion, is_covered};
use crate::wide_column::layout::{self, KeyValues};
use crate::wide_column::parts::{NULL, put_part};
use crate::wide_column::read::virtual_table::VirtualRow;
use crate::wide_column::record::{CellView, Part, RowView, first_plain, value_of_first};
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

/// A cell that can be seen: where it begins among the bytes of the row's cells, where its value does, and where both end.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenCell {
    id: u16,
    start: usize,
    /// [`NO_VALUE`] of a counter.
    value: usize,
    end: usize,
}

/// Behind all places of values.
const NO_VALUE: usize = usize::MAX;

/// A stored row, and which of its cells can be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) row: &'a RowView<'a>,
    /// Where these are, by column and part; `None` when all of the row's are [plain](first_plain), can be seen and are [`FEW`]: then
    /// they are read where they are.
    listed: Option<&'a [SeenCell]>,
}

/// How many cells are looked through for one about as fast as a list of them is made and searched.
const FEW: usize = 16;

impl<'a> Seen<'a> {
    /// The row without any cell.
    pub(super) fn none(row: &'a RowView<'a>) -> Self {
        Self { row, listed: Some(&[]) }
    }

    /// The row as [`look`] has found it.
    #[inline]
    pub(super) fn new(row: &'a RowView<'a>, looked: Looked, cells: &'a [SeenCell]) -> Self {
        Self { row, listed: looked.is_listed.then_some(cells) }
    }

    /// Whether no cell can be seen.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.listed.map_or_else(|| self.row.bytes_of_cells().is_empty(), <[_]>::is_empty)
    }

    /// The cells of a column that can be seen.
    #[inline]
    fn of(&self, id: u16) -> impl Iterator<Item = Result<CellView<'a>>> + use<'a> {
        let row = self.row;
        let (listed, start) = match self.listed {
            Some(cells) => (own_cells(cells, id), None),
            None => (Default::default(), self.plain_cell(id).map(|(start, ..)| start)),
        };
        listed.iter().map(|cell| cell.start).chain(start).map(move |start| row.cell_at(start))
    }

    /// The value of a column that is one cell, which is first looked for at the place `next`; that becomes the one behind it. Without a
    /// list, places are offsets among the bytes of the cells.
    #[inline]
    pub(super) fn value(&self, id: u16, next: &mut usize) -> Option<&'a [u8]> {
        if self.listed.is_none()
            && let Some((value, after)) = value_of_first(self.row.bytes_of_cells().get(*next..)?, id)
        {
            *next = self.row.bytes_of_cells().len() - after.len();
            return Some(value);
        }
        self.value_elsewhere(id, next)
    }

    /// As [`value`](Self::value), wherever and whatever the cell is.
    #[inline(never)]
    fn value_elsewhere(&self, id: u16, next: &mut usize) -> Option<&'a [u8]> {
        let Some(cells) = self.listed else {
            let (_, value, end) = self.plain_cell(id)?;
            *next = end;
            return Some(value);
        };
        let cell = match cells.get(*next) {
            Some(cell) if cell.id == id => cell,
            _ => seek(cells, id, next)?,
        };
        *next += 1;
        self.row.bytes_of_cells().get(cell.value..cell.end)
    }

    /// Where the plain cell of a column begins, its value, and where it ends.
    fn plain_cell(&self, id: u16) -> Option<(usize, &'a [u8], usize)> {
        let all = self.row.bytes_of_cells();
        let mut rest = all;
        while let Some((own, value, after)) = first_plain(rest).filter(|(own, ..)| *own <= id) {
            if own == id {
                return Some((all.len() - rest.len(), value, all.len() - after.len()));
            }
            rest = after;
        }
        None
    }
}

fn seek<'a>(cells: &'a [SeenCell], id: u16, next: &mut usize) -> Option<&'a SeenCell> {
    let at = cells.partition_point(|cell| cell.id < id);
    let cell = cells.get(at).filter(|cell| cell.id == id)?;
    *next = at;
    Some(cell)
}

/// The cells of a column.
#[inline]
fn own_cells(cells: &[SeenCell], id: u16) -> &[SeenCell] {
    let first = cells.partition_point(|cell| cell.id < id);
    let own = cells.get(first..).unwrap_or_default();
    let after = own.iter().position(|cell| cell.id != id).unwrap_or(own.len());
    own.get(..after).unwrap_or_default()
}

/// What a [`look`] at a row has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// How many cells cannot be seen, and the row's own deletion.
    pub(super) dead: u64,
    /// Whether those that can be seen were listed.
    is_listed: bool,
}

/// Finds out which cells of a row can be seen, and lists where they are in `seen` unless they are read without a list as well.
pub(super) fn look(
    row: &RowView<'_>,
    table: &TableRecord,
    over: Option<Deletion>,
    now: i64,
    seen: &mut Vec<SeenCell>,
) -> Result<Looked> {
    let dead = u64::from(row.deletion.is_some());
    let is_open = over.is_none() && !table.has_dropped();
    if is_open && are_few_plain(row.bytes_of_cells()) {
        return Ok(Looked { dead, is_listed: false });
    }
    let dead = dead + list(row, table, (over, now), is_open, seen)?;
    Ok(Looked { dead, is_listed: true })
}

/// Whether cells only have values, whatever their times, and are [`FEW`].
#[inline]
fn are_few_plain(mut cells: &[u8]) -> bool {
    for _ in 0..FEW {
        let Some((_, _, after)) = first_plain(cells) else { break };
        cells = after;
    }
    cells.is_empty()
}

/// Lists the cells of a row that can be seen, and returns how many cannot.
#[inline(never)]
fn list(
    row: &RowView<'_>,
    table: &TableRecord,
    (over, now): (Option<Deletion>, i64),
    is_open: bool,
    seen: &mut Vec<SeenCell>,
) -> Result<u64> {
    seen.clear();
    let all = row.bytes_of_cells();
    let mut rest = all;
    // What only has a value is seen unless something lies over it, or its column may be gone.
    if is_open {
        while let Some((id, value, after)) = first_plain(rest) {
            let (start, end) = (all.len() - rest.len(), all.len() - after.len());
            seen.push(SeenCell { id, start, value: end - value.len(), end });
            rest = after;
        }
    }
    if rest.is_empty() { Ok(0) } else { list_on(row, all.len() - rest.len(), (table, over, now), seen) }
}

/// As [`list`], of the cells from an offset on, whatever they are.
fn list_on(
    row: &RowView<'_>,
    from: usize,
    (table, over, now): (&TableRecord, Option<Deletion>, i64),
    seen: &mut Vec<SeenCell>,
) -> Result<u64> {
    let (mut cells, has_dropped) = (row.cells_from(from), table.has_dropped());
    let all = from + cells.left();
    let (mut start, mut dead) = (from, 0);
    while let Some(cell) = cells.next() {
        let CellView { id, cell, .. } = cell?;
        let end = all - cells.left();
        if cell.is_live(now) && !is_covered(cell.timestamp, over) && (!has_dropped || table.column_with(id).is_some()) {
            let value = cell.value().map_or(NO_VALUE, |value| end - value.len());
            seen.push(SeenCell { id, start, value, end });
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

    /// The id of the column, when its value is one cell of the row as it is stored.
    #[inline]
    pub(super) fn cell(self) -> Option<u16> {
        self.cell
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
        self.fetch_next(of, &mut 0)
    }

    /// As [`fetch`](Self::fetch), where values of several columns are fetched one after another: `next` begins at 0, and is where the
    /// cell of the next one is looked for first.
    #[inline]
    pub(crate) fn fetch_next(&self, of: Fetch, next: &mut usize) -> Result<Option<Cow<'a, [u8]>>> {
        match (self.stored(), of.cell) {
            (Some(row), Some(id)) => Ok(row.value(id, next).map(Cow::Borrowed)),
            _ => self.value(of.at),
        }
    }

    /// The cells of the row, unless it was made for the read.
    #[inline]
    pub(super) fn stored(&self) -> Option<&'a Seen<'a>> {
        match self.content {
            Found::Stored { row, .. } => Some(row),
            Found::Virtual(_) => None,
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
                clustering.map(|key| self.clustering_value(key, row.row, nth)).transpose()
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
    if let Some(value) = seen.value(column.id(), &mut 0) {
        return Ok(Some(Cow::Borrowed(value)));
    }
    match seen.of(column.id()).next().transpose()?.map(|view| view.cell.content) {
        Some(Content::Counter { value }) => Ok(Some(Cow::Owned(value.to_be_bytes().to_vec()))),
        _ => Ok(None),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wide_column::TableSchema;
    use crate::wide_column::record::Builder;

    proptest! {
        /// Few plain cells are read where they are as they are when they are listed.
        #[test]
        fn plain_cells_are_the_same_with_a_list_and_without(
            cells in prop::collection::btree_map(prop_oneof![0u16..20, 125..135u16], (0i64..2, 0usize..130), 0..20),
            wanted in prop::collection::vec(prop_oneof![0u16..20, 125..135u16], 0..30),
        ) {
            let values: Vec<_> = cells.iter().map(|(id, (_, bytes))| vec![id.to_be_bytes()[1]; *bytes]).collect();
            let mut builder = Builder::new(10);
            for ((id, (time, _)), value) in cells.iter().zip(&values) {
                let cell = Cell { timestamp: 7 + time, content: Content::Live { value } };
                builder.push(CellView { id: *id, part: Part::Whole, cell });
            }
            let built = builder.build();
            if built.is_empty {
                return Ok(());
            }
            let row = RowView::new(&built.bytes).unwrap();
            let is_short = values.len() <= FEW && values.iter().all(|value| value.len() < 128);
            prop_assert_eq!(are_few_plain(row.bytes_of_cells()), is_short);
            if !is_short {
                return Ok(());
            }
            let mut listed = Vec::new();
            list_on(&row, 0, (&TableRecord::new(TableSchema::new()), None, 0), &mut listed).unwrap();
            let listed = Seen { row: &row, listed: Some(&listed) };
            let read = Seen { row: &row, listed: None };
            prop_assert_eq!(read.is_empty(), listed.is_empty());
            let mut next = (0, 0);
            for id in wanted {
                prop_assert_eq!(read.value(id, &mut next.0), listed.value(id, &mut next.1), "of {}", id);
                let of_read = read.of(id).collect::<Result<Vec<_>>>().unwrap();
                prop_assert_eq!(of_read, listed.of(id).collect::<Result<Vec<_>>>().unwrap());
            }
        }
    }
}
