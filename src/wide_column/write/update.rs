//! What a write says of a row, as a row.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::limits;
use crate::txn::Writer;
use crate::wide_column::cell::{Cell, Content};
use crate::wide_column::exception::Exception;
use crate::wide_column::layout::Clustering;
use crate::wide_column::order::compare;
use crate::wide_column::parts::{Fields, elements, entries};
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::record::{Builder, Built, CellView, Part, RowView};
use crate::wide_column::schema::{Column, ColumnKind, TableRecord};
use crate::wide_column::types::CqlType;
use crate::wide_column::write::plan::{CellChange, CellOperation};

/// First byte of the place of an element that was put before those that were there, and behind them.
const BEFORE: u8 = 0x00;
const BEHIND: u8 = 0x01;

/// When and for how long what is written is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Microseconds.
    pub(super) timestamp: i64,
    /// Seconds; 0 is for ever.
    pub(super) ttl: u32,
    /// Local time in seconds.
    pub(super) now: i64,
}

/// A cell, or the deletion of a column's parts, that a write makes.
#[derive(Debug)]
struct Change<'p> {
    id: u16,
    part: Place<'p>,
    timestamp: i64,
    content: Written<'p>,
}

#[derive(Debug)]
enum Place<'p> {
    Whole,
    Deletion,
    Element(Cow<'p, [u8]>),
}

#[derive(Debug)]
enum Written<'p> {
    Value(&'p [u8]),
    Deleted,
    Counter(i64),
}

/// What a write of cells says of a row.
#[derive(Debug)]
pub(super) struct RowWrite<'p> {
    pub(super) table: &'p TableRecord,
    pub(super) times: Times,
    pub(super) has_marker: bool,
    /// The cells of the columns of one kind.
    pub(super) cells: &'p [CellChange],
    pub(super) kind: ColumnKind,
    /// The partition key, when it does not stand whole in keys.
    pub(super) partition: Option<&'p [u8]>,
    pub(super) clustering: Option<(&'p Clustering, &'p [Bytes])>,
}

impl RowWrite<'_> {
    /// Whether it has to see the elements of lists that are there.
    pub(super) fn needs_current(&self) -> bool {
        let has_such =
            |change: &CellChange| matches!(change.operation, CellOperation::SetIndex(..) | CellOperation::Remove(_));
        self.cells.iter().any(has_such)
            && self.own_cells().any(|(column, operation)| match operation {
                CellOperation::SetIndex(..) => true,
                CellOperation::Remove(_) => matches!(column.column_type(), CqlType::List(_)),
                _ => false,
            })
    }

    fn own_cells(&self) -> impl Iterator<Item = (&Column, &CellOperation)> {
        self.cells.iter().filter_map(|change| {
            let column = self.table.column_at(change.column).filter(|column| column.kind() == self.kind)?;
            Some((column, &change.operation))
        })
    }

    /// The row, where `current` is what is seen of it now.
    ///
    /// # Errors
    /// In Cassandra's words for a position that a list does not have; [`Error::LimitExceeded`] for a value that is too long.
    pub(super) fn build(&self, writer: &mut Writer, current: &RowView<'_>) -> Result<Built> {
        if let Some(built) = self.build_at_once()? {
            return Ok(built);
        }
        let mut changes: SmallVec<[Change<'_>; 8]> = SmallVec::new();
        for (column, operation) in self.own_cells() {
            if !column.hides(self.times.timestamp) {
                self.expand(writer, column, operation, current, &mut changes)?;
            }
        }
        if !changes.is_sorted_by(|a, b| self.order(a, b).is_lt()) {
            // Stable, so that of two writes to one place the later one comes last.
            changes.sort_by(|a, b| self.order(a, b));
        }
        let mut builder = self.begin(changes.iter().map(Change::bytes).sum());
        let mut changes = changes.iter().peekable();
        while let Some(change) = changes.next() {
            let mut view = self.view(change);
            while let Some(same) = changes.next_if(|next| self.order(change, next).is_eq()) {
                view.cell = view.cell.reconcile(self.view(same).cell);
            }
            builder.push(view);
        }
        Ok(builder.build())
    }

    /// The row, when all of each column is written and they come in the order of their ids, as those of an INSERT do; else `None`.
    fn build_at_once(&self) -> Result<Option<Built>> {
        let mut bytes = 0;
        let mut last = None;
        for (column, operation) in self.own_cells() {
            let CellOperation::Set(value) = operation else { return Ok(None) };
            if column.column_type().is_multi_cell() || last >= Some(column.id()) {
                return Ok(None);
            }
            last = Some(column.id());
            bytes += value.as_ref().map_or(0, SmallVec::len) + 8;
        }
        let mut builder = self.begin(bytes);
        let Times { timestamp, ttl, now } = self.times;
        for (column, operation) in self.own_cells() {
            let CellOperation::Set(value) = operation else { continue };
            if column.hides(timestamp) {
                continue;
            }
            let cell = match value {
                None => Cell::tombstone(timestamp, now),
                Some(value) => {
                    check_value(value)?;
                    Cell::new(timestamp, value, ttl, now)
                }
            };
            builder.push(CellView { id: column.id(), part: Part::Whole, cell });
        }
        Ok(Some(builder.build()))
    }

    /// A row with its marker, what is kept of its key, and room for so many bytes of cells.
    fn begin(&self, bytes: usize) -> Builder {
        let mut builder = Builder::with_capacity(self.table.grace(), bytes + 32);
        let Times { timestamp, ttl, now } = self.times;
        builder.set_marker(self.has_marker.then(|| Cell::new(timestamp, &[], ttl, now)));
        self.keep(&mut builder);
        builder
    }

    /// What of the row's key does not come back from it.
    pub(super) fn keep(&self, builder: &mut Builder) {
        if let Some(partition) = self.partition {
            builder.keep(0, partition);
        }
        if let Some((clustering, values)) = self.clustering {
            for (nth, _) in &clustering.kept {
                builder.keep(nth + 1, values.get(*nth).map_or(&[][..], |value| value));
            }
        }
    }

    fn view<'c>(&self, change: &'c Change<'_>) -> CellView<'c> {
        let Times { ttl, now, .. } = self.times;
        let cell = match change.content {
            Written::Value(value) => Cell::new(change.timestamp, value, ttl, now),
            Written::Deleted => Cell::tombstone(change.timestamp, now),
            Written::Counter(value) => Cell { timestamp: change.timestamp, content: Content::Counter { value } },
        };
        let part = match &change.part {
            Place::Whole => Part::Whole,
            Place::Deletion => Part::Deletion,
            Place::Element(path) => Part::Element(path),
        };
        CellView { id: change.id, part, cell }
    }

    fn order(&self, a: &Change<'_>, b: &Change<'_>) -> Ordering {
        a.id.cmp(&b.id).then_with(|| match (&a.part, &b.part) {
            (Place::Element(one), Place::Element(other)) => {
                match self.table.column_with(a.id).map(Column::column_type) {
                    Some(CqlType::Set(element)) => compare(element, one, other),
                    Some(CqlType::Map(both)) => compare(&both.0, one, other),
                    _ => one.cmp(other),
                }
            }
            (one, other) => one.rank().cmp(&other.rank()),
        })
    }

    /// The cells of one operation.
    fn expand<'p>(
        &self,
        writer: &mut Writer,
        column: &Column,
        operation: &'p CellOperation,
        current: &RowView<'_>,
        out: &mut SmallVec<[Change<'p>; 8]>,
    ) -> Result<()> {
        let (id, cql_type, timestamp) = (column.id(), column.column_type(), self.times.timestamp);
        let at = |part: Place<'p>, content: Written<'p>| Change { id, part, timestamp, content };
        let element = |path: Cow<'p, [u8]>, value: Option<&'p [u8]>| {
            at(Place::Element(path), value.map_or(Written::Deleted, Written::Value))
        };
        if let CellOperation::Set(Some(value)) | CellOperation::Append(value) | CellOperation::Prepend(value) =
            operation
        {
            check_value(value)?;
        }
        match operation {
            CellOperation::Add(value) => out.push(at(Place::Whole, Written::Counter(*value))),
            CellOperation::Set(None) if cql_type.is_multi_cell() => out.push(at(Place::Deletion, Written::Deleted)),
            CellOperation::Set(None) => out.push(at(Place::Whole, Written::Deleted)),
            CellOperation::Set(Some(value)) if cql_type.is_multi_cell() => {
                // What was there goes, what is written at the same time stays.
                let before = timestamp.saturating_sub(1);
                out.push(Change { id, part: Place::Deletion, timestamp: before, content: Written::Deleted });
                self.add(writer, column, value, BEHIND, out)?;
            }
            CellOperation::Set(Some(value)) => out.push(at(Place::Whole, Written::Value(value))),
            CellOperation::Append(value) => self.add(writer, column, value, BEHIND, out)?,
            CellOperation::Prepend(value) => self.add(writer, column, value, BEFORE, out)?,
            CellOperation::SetElement(key, value) => {
                out.push(element(Cow::Borrowed(&key[..]), value.as_ref().map(|value| &value[..])));
            }
            CellOperation::SetField(field, value) => {
                let path = field_path(*field)?;
                out.push(element(Cow::Owned(path.to_vec()), value.as_ref().map(|value| &value[..])));
            }
            CellOperation::SetIndex(index, value) => {
                let path = self.path_of(column, current, *index, value.is_none())?;
                out.push(element(Cow::Owned(path), value.as_ref().map(|value| &value[..])));
            }
            CellOperation::Remove(value) => match cql_type {
                CqlType::List(own) => {
                    let removed = elements(value)?.collect::<Result<Vec<_>>>()?;
                    for view in self.live_elements(column, current) {
                        let (path, found) = view?;
                        if removed.iter().any(|value| compare(own, value, found).is_eq()) {
                            out.push(element(Cow::Owned(path.to_vec()), None));
                        }
                    }
                }
                _ => {
                    for key in elements(value)? {
                        out.push(element(Cow::Borrowed(key?), None));
                    }
                }
            },
        }
        Ok(())
    }

    /// The elements of a serialized collection, each as a cell; those of a list behind or before what is there.
    fn add<'p>(
        &self,
        writer: &mut Writer,
        column: &Column,
        value: &'p [u8],
        side: u8,
        out: &mut SmallVec<[Change<'p>; 8]>,
    ) -> Result<()> {
        let (id, timestamp) = (column.id(), self.times.timestamp);
        let change = |path: Cow<'p, [u8]>, content| Change { id, part: Place::Element(path), timestamp, content };
        match column.column_type() {
            CqlType::List(_) => {
                // Each operation has a time of its own, so that several in one batch come one behind the other.
                let moment = writer.unique_micros()?;
                for (nth, element) in elements(value)?.enumerate() {
                    out.push(change(Cow::Owned(list_path(side, moment, nth)?), Written::Value(element?)));
                }
            }
            CqlType::Set(_) => {
                for element in elements(value)? {
                    out.push(change(Cow::Borrowed(element?), Written::Value(&[])));
                }
            }
            CqlType::Map(_) => {
                for entry in entries(value)? {
                    let (key, value) = entry?;
                    out.push(change(Cow::Borrowed(key), Written::Value(value)));
                }
            }
            CqlType::Udt(user_type) => {
                let mut fields = Fields::new(value);
                for field in 0..user_type.fields().len() {
                    if let Some(value) = fields.next_field()? {
                        out.push(change(Cow::Owned(field_path(field)?.to_vec()), Written::Value(value)));
                    }
                }
            }
            other => return Err(Error::value(format!("{other} has no elements to be added"))),
        }
        Ok(())
    }

    /// The elements of a list that are seen, each with its place.
    fn live_elements<'c>(
        &self,
        column: &Column,
        current: &RowView<'c>,
    ) -> impl Iterator<Item = Result<(&'c [u8], &'c [u8])>> {
        let (id, now) = (column.id(), self.times.now);
        current.cells().filter_map(move |view| match view {
            Ok(CellView { id: own, part: Part::Element(path), cell }) if own == id && cell.is_live(now) => {
                Some(Ok((path, cell.value().unwrap_or_default())))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// The place of the element of a list at a position.
    fn path_of(&self, column: &Column, current: &RowView<'_>, index: i32, is_deletion: bool) -> Result<Vec<u8>> {
        let places = self.live_elements(column, current).collect::<Result<Vec<_>>>()?;
        if places.is_empty() {
            let what = if is_deletion { "delete an element from" } else { "set an element on" };
            return Err(Exception::Invalid.error(format!("Attempted to {what} a list which is null")));
        }
        let found = usize::try_from(index).ok().and_then(|index| places.get(index));
        found.map(|(path, _)| path.to_vec()).ok_or_else(|| {
            let size = places.len();
            Exception::Invalid.error(format!("List index {index} out of bound, list has size {size}"))
        })
    }
}

impl Change<'_> {
    fn bytes(&self) -> usize {
        let path = if let Place::Element(path) = &self.part { path.len() } else { 0 };
        let value = if let Written::Value(value) = self.content { value.len() } else { 0 };
        path + value + 8
    }
}

impl Place<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Whole => 0,
            Self::Deletion => 1,
            Self::Element(_) => 2,
        }
    }
}

fn check_value(value: &[u8]) -> Result<()> {
    limits::check("column value bytes", limits::WIDE_VALUE_BYTES_MAX, value.len())
}

/// The place of an element of a list: later ones behind earlier ones, or before them.
fn list_path(side: u8, moment: i64, nth: usize) -> Result<Vec<u8>> {
    let nth = u32::try_from(nth).map_err(|_| Error::value("a list has too many elements"))?;
    let ordered = moment.cast_unsigned() ^ (1 << 63);
    let mut path = vec![side];
    path.extend_from_slice(&(if side == BEFORE { !ordered } else { ordered }).to_be_bytes());
    path.extend_from_slice(&nth.to_be_bytes());
    Ok(path)
}

fn field_path(field: usize) -> Result<[u8; 2]> {
    u16::try_from(field).map(u16::to_be_bytes).map_err(|_| Error::value("a type has too many fields"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::txn::WriteScope;
    use crate::wide_column::{Order, TableSchema};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_is_built_at_once_as_it_is_built_in_steps(
            values in prop::collection::btree_map(2usize..7, prop::option::of(prop::collection::vec(any::<u8>(), 0..200)), 0..5),
            has_marker: bool,
            ttl in 0u32..3,
        ) {
            let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
            let names = ["v0", "v1", "v2", "v3", "v4"];
            let schema = names.iter().fold(schema, |schema, name| schema.column(name, CqlType::Blob));
            let table = Store::in_memory().wide_table("test", "rows");
            table.create(schema.clone()).unwrap();
            let set = |(column, value): (&usize, &Option<Vec<u8>>)| CellChange {
                column: *column,
                operation: CellOperation::Set(value.as_ref().map(|value| Bytes::from_slice(value))),
            };
            let mut cells: Vec<_> = values.iter().map(set).collect();
            let record = TableRecord::new(schema);
            let times = Times { timestamp: 5, ttl, now: 7 };
            let built = |cells: &[CellChange]| {
                let kind = ColumnKind::Regular;
                let write = RowWrite { table: &record, times, has_marker, cells, kind, partition: None, clustering: None };
                let is_at_once = write.build_at_once().unwrap().is_some();
                let body = |writer: &mut Writer| write.build(writer, &RowView::default());
                (is_at_once, table.scope.write(table.target.operation("build"), body).unwrap())
            };
            let (is_at_once, at_once) = built(&cells);
            cells.reverse();
            let (is_reverse_at_once, in_steps) = built(&cells);
            prop_assert!(is_at_once && is_reverse_at_once == (cells.len() < 2));
            prop_assert_eq!(&at_once.bytes, &in_steps.bytes);
            prop_assert_eq!((at_once.deadline, at_once.is_empty), (in_steps.deadline, in_steps.is_empty));
        }
    }
}
