//! Two rows as one, from bytes to bytes.

use std::cmp::Ordering;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::wide_column::cell::{Cell, Content, Deletion, is_covered};
use crate::wide_column::order;
use crate::wide_column::record::build::put_cell;
use crate::wide_column::record::view::{Cells, PlainRow, first_of_row_time};
use crate::wide_column::record::{Builder, Built, CellView, Part, RowView};
use crate::wide_column::types::CqlType;

/// What holds where rows are merged.
#[derive(Clone, Copy)]
pub(in crate::wide_column) struct Rules<'a> {
    /// What the row lies under: the later of its partition's deletion and that of a range.
    pub(in crate::wide_column) over: Option<Deletion>,
    /// The type of the parts of a column by its id, `None` for a column that there is not: its cells go.
    pub(in crate::wide_column) column: &'a dyn Fn(u16) -> Option<Parts<'a>>,
    /// Whether `column` may say of a cell that it goes.
    pub(in crate::wide_column) has_dropped: bool,
    /// Seconds for which tombstones are kept.
    pub(in crate::wide_column) grace: i64,
    /// Also removes what has been kept long enough at this moment, in seconds.
    pub(in crate::wide_column) swept_at: Option<i64>,
}

/// How the parts of a column are ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parts<'a> {
    /// As bytes; also where there are none.
    Bytes,
    /// As values of this type.
    Of(&'a CqlType),
}

/// Whether the row `theirs` is what both come to as it stands: it was written later as a whole, and has all that `ours` has. So it is
/// when a row is inserted again.
pub(in crate::wide_column) fn supersedes(theirs: &[u8], ours: &[u8], rules: &Rules<'_>) -> bool {
    let (Some(own), Some(new)) = (PlainRow::new(ours), PlainRow::new(theirs)) else { return false };
    if rules.removes() || own.timestamp >= new.timestamp || own.has_marker && !new.has_marker {
        return false;
    }
    let (mut own, mut new) = (own.cells, new.cells);
    while let Some((id, after)) = first_of_row_time(new) {
        new = after;
        if let Some((_, after)) = first_of_row_time(own).filter(|(own, _)| *own == id) {
            own = after;
        }
    }
    own.is_empty() && new.is_empty()
}

/// The writes of both rows as one, below what they lie under. What the first keeps of its key is kept.
///
/// # Errors
/// [`Error::Corruption`](crate::error::Error::Corruption).
pub(in crate::wide_column) fn merge(ours: &RowView<'_>, theirs: &RowView<'_>, rules: &Rules<'_>) -> Result<Built> {
    if let Some(built) = splice(ours, theirs, rules)? {
        return Ok(built);
    }
    let bytes = ours.bytes_of_cells().len() + theirs.bytes_of_cells().len() + 40;
    let mut to = Merged { builder: Builder::with_capacity(rules.grace, bytes), rules, over: None, parts_of: None };
    let mut scheduled = ours.deletion.map(|deletion| deletion.deadline(rules.grace));
    let mut note = |deadline: Option<i64>| scheduled = [scheduled, deadline].into_iter().flatten().min();
    note(ours.marker().and_then(|marker| marker.deadline(rules.grace)));
    let deletion = ours.deletion.max(theirs.deletion).and_then(|own| own.below(rules.over));
    to.over = deletion.max(rules.over);
    let kept_long_enough =
        |deletion: &Deletion| rules.swept_at.is_some_and(|now| deletion.deadline(rules.grace) <= now);
    to.builder.set_deletion(deletion.filter(|deletion| !kept_long_enough(deletion)));
    let marker = match (ours.marker(), theirs.marker()) {
        (Some(a), Some(b)) => Some(a.reconcile(b)),
        (a, b) => a.or(b),
    };
    let marker = marker.filter(|marker| !is_covered(marker.timestamp, to.over));
    to.builder.set_marker(marker.and_then(|marker| rules.swept(marker)));
    let kept = if ours.kept_bytes().is_empty() { theirs.kept_bytes() } else { ours.kept_bytes() };
    to.builder.keep_all(kept);
    let (mut ours, mut theirs) = (ours.cells(), theirs.cells());
    let (mut a, mut b) = (ours.next().transpose()?, theirs.next().transpose()?);
    loop {
        let order = match (&a, &b) {
            (Some(a), Some(b)) => rules.order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        if order.is_eq()
            && let (Some(mine), Some(other)) = (a, b)
        {
            to.push(CellView { cell: both(mine.part, mine.cell, other.cell), ..mine });
        } else if let Some(first) = if order.is_lt() { a } else { b } {
            to.push(first);
        }
        if order.is_le() {
            note(a.and_then(|a| a.cell.deadline(rules.grace)));
            a = ours.next().transpose()?;
        }
        if order.is_ge() {
            b = theirs.next().transpose()?;
        }
    }
    let built = to.builder.build();
    Ok(Built { scheduled: scheduled.map(Timestamp::from_seconds), ..built })
}

/// The first row with the cells of the second in their places, where all else of it stays as it is: runs of cells are copied, not
/// taken apart and put together again. `None` where more than these cells may change.
fn splice(ours: &RowView<'_>, theirs: &RowView<'_>, rules: &Rules<'_>) -> Result<Option<Built>> {
    let all = ours.bytes_of_cells();
    let keeps_more = ours.kept_bytes().is_empty() && !theirs.kept_bytes().is_empty();
    if rules.removes() || theirs.deletion.is_some() || keeps_more || all.is_empty() {
        return Ok(None);
    }
    let marker = match (ours.marker(), theirs.marker()) {
        (own, None) => own,
        (Some(own), Some(other)) if own.reconcile(other) == own => Some(own),
        // The times of all cells are told from the marker's.
        _ => return Ok(None),
    };
    let of_head =
        [ours.deletion.map(|own| own.deadline(rules.grace)), marker.and_then(|own| own.deadline(rules.grace))];
    let (mut deadline, mut scheduled) = (Earliest::default(), Earliest::default());
    for own in of_head {
        deadline.note(own);
        scheduled.note(own);
    }
    let mut out = Vec::with_capacity(ours.head.len() + all.len() + theirs.bytes_of_cells().len() + 16);
    out.extend_from_slice(ours.head);
    let (mut cells, mut new_cells) = (ours.cells(), theirs.cells());
    // How much of the cells has been dealt with.
    let mut copied = 0;
    let mut parts_of: Option<(u16, i64)> = None;
    let mut new = new_cells.next().transpose()?;
    // Where the next cell begins that may have to do with a new one, and what it is.
    let mut start = skip(&mut cells, new, all.len());
    let mut next = cells.next().transpose()?;
    while next.is_some() || new.is_some() {
        let order = match (&next, &new) {
            (Some(own), Some(other)) => rules.order(own, other),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        if order.is_ge()
            && let Some(CellView { id, part, cell }) = new
        {
            let own = next.filter(|_| order.is_eq()).map(|own| own.cell);
            let is_hidden = is_covered(cell.timestamp, ours.deletion)
                || matches!(part, Part::Element(_))
                    && parts_of.is_some_and(|(of, at)| of == id && cell.timestamp <= at);
            let cell = own.map_or(cell, |own| both(part, own, cell));
            if part == Part::Deletion || marker.is_none() && start == 0 {
                // It may hide others, or be what the times of all cells are told from.
                return Ok(None);
            }
            if own.is_some() || !is_hidden {
                deadline.note(cell.deadline(rules.grace));
            }
            if own != Some(cell) && (own.is_some() || !is_hidden) {
                out.extend_from_slice(all.get(copied..start).unwrap_or_default());
                put_cell(&mut out, ours.time, CellView { id, part, cell });
                copied = if own.is_some() { all.len() - cells.left() } else { start };
            }
            new = new_cells.next().transpose()?;
        }
        if order.is_le()
            && let Some(CellView { id, part, cell }) = next
        {
            let own = cell.deadline(rules.grace);
            scheduled.note(own);
            if order.is_lt() {
                deadline.note(own);
            }
            if part == Part::Deletion {
                parts_of = Some((id, cell.timestamp));
            }
            start = skip(&mut cells, new, all.len());
            next = cells.next().transpose()?;
        }
    }
    out.extend_from_slice(all.get(copied..).unwrap_or_default());
    let at = |earliest: Earliest| earliest.0.map(Timestamp::from_seconds);
    Ok(Some(Built { bytes: out, deadline: at(deadline), scheduled: at(scheduled), is_empty: false }))
}

/// Steps over cells that stay as they are whatever the `new` one is. Returns where the next one begins among `all` bytes of cells.
fn skip(cells: &mut Cells<'_>, new: Option<CellView<'_>>, all: usize) -> usize {
    cells.skip_plain(new.map(|new| new.id));
    all - cells.left()
}

/// The earliest of some moments.
#[derive(Clone, Copy, Debug, Default)]
struct Earliest(Option<i64>);

impl Earliest {
    #[inline]
    fn note(&mut self, moment: Option<i64>) {
        if let Some(moment) = moment {
            self.0 = Some(self.0.map_or(moment, |earlier| earlier.min(moment)));
        }
    }
}

/// What two writes to one place come to.
fn both<'a>(part: Part<'_>, a: Cell<'a>, b: Cell<'a>) -> Cell<'a> {
    if part != Part::Deletion {
        return a.reconcile(b);
    }
    let deletion = |cell: &Cell<'_>| match cell.content {
        Content::Tombstone { deleted } => (cell.timestamp, deleted),
        _ => (cell.timestamp, 0),
    };
    if deletion(&a) >= deletion(&b) { a } else { b }
}

impl Rules<'_> {
    /// Whether anything of the first row may go but for what the second one says.
    fn removes(&self) -> bool {
        self.over.is_some() || self.has_dropped || self.swept_at.is_some()
    }

    fn swept<'c>(&self, cell: Cell<'c>) -> Option<Cell<'c>> {
        match self.swept_at {
            None => Some(cell),
            Some(now) => cell.swept(now, self.grace),
        }
    }

    fn order(&self, a: &CellView<'_>, b: &CellView<'_>) -> Ordering {
        a.id.cmp(&b.id).then_with(|| match (a.part, b.part) {
            (Part::Element(one), Part::Element(other)) => match (self.column)(a.id) {
                Some(Parts::Of(cql_type)) => order::compare(cql_type, one, other),
                _ => one.cmp(other),
            },
            (one, other) => one.cmp(&other),
        })
    }
}

/// The row that is made.
struct Merged<'r, 'a> {
    builder: Builder,
    rules: &'r Rules<'a>,
    /// What covers all cells.
    over: Option<Deletion>,
    /// The deletion of the parts of the column whose cells come now.
    parts_of: Option<(u16, Deletion)>,
}

impl Merged<'_, '_> {
    fn push(&mut self, view: CellView<'_>) {
        let CellView { id, part, cell } = view;
        if is_covered(cell.timestamp, self.over) || (self.rules.column)(id).is_none() {
            return;
        }
        if let (Part::Deletion, Content::Tombstone { deleted }) = (part, cell.content) {
            self.parts_of = Some((id, Deletion { timestamp: cell.timestamp, deleted }));
        } else if let (Part::Element(_), Some((column, deletion))) = (part, self.parts_of)
            && column == id
            && cell.timestamp <= deletion.timestamp
        {
            return;
        }
        if let Some(cell) = self.rules.swept(cell) {
            self.builder.push(CellView { cell, ..view });
        }
    }
}
