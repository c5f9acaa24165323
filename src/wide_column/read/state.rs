//! What a reader knows of the partition and row it has come to.

use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::cell::Deletion;
use crate::wide_column::definitions::thresholds_of;
use crate::wide_column::exception::Exception;
use crate::wide_column::layout::{self, KeyValues, Place};
use crate::wide_column::read::base::Base;
use crate::wide_column::read::bounds::Bounds;
use crate::wide_column::read::filter;
use crate::wide_column::read::found::{Found, FoundRow, Looked, RowKey, Seen, SeenCell, look};
use crate::wide_column::read::plan::Plan;
use crate::wide_column::read::position::Position;
use crate::wide_column::read::ranges::Ranges;
use crate::wide_column::read::sink::{Flow, Sink};
use crate::wide_column::read::virtual_table::VirtualRow;
use crate::wide_column::record::RowView;
use crate::wide_column::schema::TableRecord;

/// The partition that is read.
#[derive(Debug, Default)]
pub(super) struct Current {
    /// What its keys begin with.
    pub(super) prefix: Vec<u8>,
    /// Its serialized key; empty until it is known.
    pub(super) key: Vec<u8>,
    pub(super) deletion: Option<Deletion>,
    /// Its static values as they are stored.
    statics: Vec<u8>,
    statics_looked: Looked,
    statics_seen: Vec<SeenCell>,
    ranges: Option<Ranges>,
    /// Whether a row was seen.
    pub(super) has_rows: bool,
    /// Rows that may still be returned of it.
    left: Option<u64>,
    /// Whether nothing more of it is wanted.
    pub(super) is_done: bool,
}

/// What does not depend on where rows come from.
#[derive(Debug)]
pub(super) struct State {
    pub(super) now: i64,
    pub(super) left: Option<u64>,
    dead: u64,
    /// How much that is deleted is passed before a caller is told, and at most.
    thresholds: (u64, u64),
    clustering: KeyValues,
    cells: Vec<SeenCell>,
    /// The last row that was returned before the sink said stop.
    last: Option<Position>,
}

impl State {
    pub(super) fn new(view: &View, now: Option<i64>, left: Option<u64>) -> Self {
        let (clustering, cells) = (KeyValues::default(), Vec::new());
        let thresholds = thresholds_of(view);
        let now = now.unwrap_or_else(|| view.now().as_seconds());
        Self { now, left, dead: 0, thresholds, clustering, cells, last: None }
    }

    /// Rows and cells that were passed and cannot be seen.
    pub(super) fn dead(&self) -> u64 {
        self.dead
    }

    /// Whether these are so many that a caller is to be told.
    pub(super) fn has_many_dead(&self) -> bool {
        self.dead > self.thresholds.0
    }

    pub(super) fn last(&self) -> Option<&Position> {
        self.last.as_ref()
    }

    /// Looks at a row, which lies under what `base` says when it is one of a view. Returns what the sink says of it; a row that is not
    /// returned is passed.
    pub(super) fn row(
        &mut self,
        (table, plan): (&TableRecord, &Plan),
        base: Option<(&View, &Base)>,
        current: &mut Current,
        (clustering, row): (&[u8], &RowView<'_>),
        sink: &mut dyn Sink,
    ) -> Result<Flow> {
        let mut over = current.deletion;
        if let Some(ranges) = &mut current.ranges {
            over = over.max(ranges.at(clustering)?);
        }
        if let Some((view, base)) = base {
            current.know_key(row)?;
            self.clustering.read_clustering(table, clustering, row)?;
            over = over.max(base.over(view, table, &current.key, &self.clustering)?);
        }
        let looked = look(row, table, over, self.now, &mut self.cells)?;
        self.count_dead(looked.dead)?;
        let seen = Seen::new(row, looked, &self.cells);
        if !row.is_marked(over, self.now) && (seen.is_empty() || table.is_strict()) {
            return self.count_dead(u64::from(looked.dead == 0)).map(|()| Flow::Continue);
        }
        current.has_rows = true;
        current.know_key(row)?;
        if plan.fetches_clustering && !plan.is_distinct {
            self.clustering.read_clustering(table, clustering, row)?;
        }
        let decoded = plan.fetches_clustering.then_some(&self.clustering);
        let key = (!plan.is_distinct).then_some(RowKey { encoded: clustering, decoded });
        let flow = current.with_statics(|statics| {
            let found = current.found(table, key, (&seen, statics), self.now);
            if Self::passes(plan, &found)? { sink.take(&found).map(Some) } else { Ok(None) }
        })?;
        let Some(flow) = flow else { return Ok(Flow::Continue) };
        self.returned(plan, current, Some(clustering), flow);
        Ok(flow)
    }

    /// How many rows of the partition a sink may take by their cells before a limit is met: none when anything but a row's own bytes
    /// can hide it or a cell of it.
    pub(super) fn room(&self, current: &Current) -> u64 {
        let is_open = current.deletion.is_none() && current.ranges.is_none() && !current.key.is_empty();
        let left = |of: Option<u64>| of.unwrap_or(u64::MAX);
        if is_open && !current.is_done { left(self.left).min(left(current.left)) } else { 0 }
    }

    /// Notes that so many rows were taken by their cells, behind which no limit is met.
    pub(super) fn passed(&mut self, current: &mut Current, rows: u64) {
        current.has_rows |= rows > 0;
        for left in [&mut self.left, &mut current.left].into_iter().flatten() {
            *left = left.saturating_sub(rows);
        }
    }

    /// Notes that a row was taken by its cells, behind which a limit may be met or the sink may have said stop.
    pub(super) fn taken(&mut self, plan: &Plan, current: &mut Current, clustering: &[u8], flow: Flow) {
        current.has_rows = true;
        self.returned(plan, current, Some(clustering), flow);
    }

    /// Returns the row of a partition that has only static values, if the plan wants it.
    pub(super) fn end_partition(
        &mut self,
        (table, plan): (&TableRecord, &Plan),
        current: &mut Current,
        sink: &mut dyn Sink,
    ) -> Result<Flow> {
        let is_wanted = !current.has_rows && !current.is_done && (plan.with_static_rows || plan.is_distinct);
        if !is_wanted || current.has_no_statics()? {
            return Ok(Flow::Continue);
        }
        let none = RowView::default();
        let none = Seen::none(&none);
        let flow = current.with_statics(|statics| {
            let found = current.found(table, None, (&none, statics), self.now);
            if Self::passes(plan, &found)? { sink.take(&found).map(Some) } else { Ok(None) }
        })?;
        let Some(flow) = flow else { return Ok(Flow::Continue) };
        self.returned(plan, current, None, flow);
        Ok(flow)
    }

    /// Looks at a row that was made for the read.
    pub(super) fn virtual_row(
        &mut self,
        (table, plan): (&TableRecord, &Plan),
        current: &mut Current,
        (clustering, row): (&[u8], &VirtualRow),
        sink: &mut dyn Sink,
    ) -> Result<Flow> {
        current.has_rows = true;
        let found = FoundRow { table, content: Found::Virtual(row) };
        if !Self::passes(plan, &found)? {
            return Ok(Flow::Continue);
        }
        let flow = sink.take(&found)?;
        self.returned(plan, current, Some(clustering), flow);
        Ok(flow)
    }

    #[inline]
    fn passes(plan: &Plan, row: &FoundRow<'_>) -> Result<bool> {
        Ok(plan.filters.is_empty() || Self::meets_all(plan, row)?)
    }

    #[inline(never)]
    fn meets_all(plan: &Plan, row: &FoundRow<'_>) -> Result<bool> {
        for condition in &plan.filters {
            if !filter::passes(condition, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes that a row was returned; when it is the last one for now, where that is.
    #[inline]
    fn returned(&mut self, plan: &Plan, current: &mut Current, clustering: Option<&[u8]>, flow: Flow) {
        let take = |left: &mut Option<u64>| {
            if let Some(left) = left {
                *left = left.saturating_sub(1);
            }
            *left == Some(0)
        };
        take(&mut self.left);
        current.is_done |= take(&mut current.left) || plan.is_distinct || clustering.is_none();
        if flow == Flow::Stop {
            self.note_last(current, clustering);
        }
    }

    #[cold]
    fn note_last(&mut self, current: &Current, clustering: Option<&[u8]>) {
        let last = self.last.get_or_insert_with(|| Position {
            partition: Vec::new(),
            row: None,
            left: None,
            left_of_partition: None,
        });
        last.partition.clone_from(&current.key);
        let row = clustering.filter(|_| !current.is_done);
        match (row, &mut last.row) {
            (Some(row), Some(own)) => {
                own.clear();
                own.extend_from_slice(row);
            }
            (row, own) => *own = row.map(<[u8]>::to_vec),
        }
        (last.left, last.left_of_partition) = (self.left, current.left);
    }

    #[inline]
    fn count_dead(&mut self, more: u64) -> Result<()> {
        self.dead += more;
        if self.dead > self.thresholds.1 { Err(self.gives_up()) } else { Ok(()) }
    }

    #[cold]
    fn gives_up(&self) -> Error {
        let (_, max) = self.thresholds;
        let message = format!("the query passed more than {max} deleted rows and cells, and was given up");
        Exception::ReadFailure.error(message)
    }
}

impl Current {
    /// Comes to the partition whose keys begin with `prefix`, and looks at what belongs to all of its rows.
    pub(super) fn load(
        &mut self,
        view: &View,
        table: &TableRecord,
        (prefix, key): (&[u8], Option<&[u8]>),
        left: Option<u64>,
        now: i64,
    ) -> Result<()> {
        self.prefix.clear();
        self.prefix.extend_from_slice(prefix);
        self.key.clear();
        (self.has_rows, self.is_done, self.left, self.ranges) = (false, false, left, None);
        match key {
            Some(key) => self.set_key(key),
            None => {
                if let Some(key) = layout::partition_key_of(prefix)? {
                    self.set_key(&key);
                }
            }
        }
        self.deletion = if table.has_deleted_partitions() {
            match view.get(&layout::header(prefix))? {
                Some(header) => RowView::new(&header)?.deletion,
                None => None,
            }
        } else {
            None
        };
        self.statics.clear();
        if table.shape().has_static
            && let Some(statics) = view.get(&layout::statics(prefix))?
        {
            self.statics.extend_from_slice(&statics);
            let row = RowView::new(&self.statics)?;
            self.statics_looked = look(&row, table, self.deletion, now, &mut self.statics_seen)?;
            if self.key.is_empty()
                && let Some(kept) = row.kept(0)?
            {
                self.key.clear();
                self.key.extend_from_slice(kept);
            }
        }
        Ok(())
    }

    /// Comes to a partition of a virtual table.
    pub(super) fn begin_virtual(&mut self, key: &[u8], left: Option<u64>) {
        key.clone_into(&mut self.prefix);
        (self.has_rows, self.is_done, self.left) = (false, false, left);
        self.set_key(key);
    }

    /// Begins to look at deleted ranges, from a row on in the direction in which rows are read.
    pub(super) fn open_ranges(
        &mut self,
        view: &View,
        table: &TableRecord,
        direction: Direction,
        from: Option<&[u8]>,
    ) -> Result<()> {
        if table.has_deleted_ranges() {
            let ranges = Ranges::open(view, &self.prefix, direction, from)?;
            self.ranges = Some(ranges).filter(|ranges| !ranges.are_over());
        }
        Ok(())
    }

    /// Whether an entry of a table is a row of the partition, and within one of these bounds.
    pub(super) fn is_row_within(&self, bounds: &[Bounds], key: &[u8]) -> bool {
        let Some(rest) = key.strip_prefix(&self.prefix[..]) else { return false };
        let Ok(Place::Row(clustering)) = layout::place(rest) else { return false };
        bounds.iter().any(|bounds| bounds.contains(clustering))
    }

    /// Takes the partition key from a row of it, when it does not stand whole in keys.
    #[inline]
    fn know_key(&mut self, row: &RowView<'_>) -> Result<()> {
        if self.key.is_empty() { self.take_key(row) } else { Ok(()) }
    }

    fn take_key(&mut self, row: &RowView<'_>) -> Result<()> {
        let kept = row.kept(0)?.ok_or_else(|| Error::corrupt("partition key", "it is nowhere whole"))?;
        self.set_key(kept);
        Ok(())
    }

    fn set_key(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
    }

    /// Lends the static values, if there are any, to `body`.
    #[inline]
    pub(super) fn with_statics<R>(&self, body: impl FnOnce(Option<&Seen<'_>>) -> Result<R>) -> Result<R> {
        if self.statics.is_empty() {
            return body(None);
        }
        let row = RowView::new(&self.statics)?;
        body(Some(&Seen::new(&row, self.statics_looked, &self.statics_seen)))
    }

    fn has_no_statics(&self) -> Result<bool> {
        self.with_statics(|statics| Ok(statics.is_none_or(Seen::is_empty)))
    }

    fn found<'a>(
        &'a self,
        table: &'a TableRecord,
        clustering: Option<RowKey<'a>>,
        (row, statics): (&'a Seen<'a>, Option<&'a Seen<'a>>),
        now: i64,
    ) -> FoundRow<'a> {
        FoundRow { table, content: Found::Stored { partition: &self.key, clustering, row, statics, now } }
    }
}
