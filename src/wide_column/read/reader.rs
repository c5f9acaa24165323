//! The executor of plans.

use std::ops::Bound;

use crate::catalog::Entry;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::View;
use crate::wide_column::index::Sought;
use crate::wide_column::layout::{self, KeyValues, Place};
use crate::wide_column::read::base::Base;
use crate::wide_column::read::bounds::Bounds;
use crate::wide_column::read::entries::{Entries, Named};
use crate::wide_column::read::plan::{IndexLookup, Partitions, Plan, Source};
use crate::wide_column::read::position::Position;
use crate::wide_column::read::sink::{Flow, Sink};
use crate::wide_column::read::state::{Current, State};
use crate::wide_column::read::virtual_table::VirtualRow;
use crate::wide_column::record::{RowView, cells_of_plain};
use crate::wide_column::schema::{ColumnKind, TableRecord};
use crate::wide_column::token::token;

/// Walks over the rows that a plan asks for. It holds its place, and can go on after its sink has said stop.
#[derive(Debug)]
pub(crate) struct Reader {
    plan: Plan,
    /// The rows wanted of each partition, encoded, in clustering order.
    bounds: Vec<Bounds>,
    walk: Walk,
    /// The rows that an index names, when only those are looked at.
    named: Option<Named>,
    entries: Option<Entries>,
    current: Current,
    has_partition: bool,
    /// Of a view, what its rows lie under.
    base: Option<Base>,
    state: State,
    is_done: bool,
}

/// A row that was made for the read: its partition key, its encoded clustering columns and its values.
type MadeRow = (Vec<u8>, Vec<u8>, VirtualRow);

/// Where a reader is.
#[derive(Debug)]
enum Walk {
    /// In the list of partition keys: the next one, and the slices that are left of the one before it.
    Keys { next: usize, slices: Vec<Bounds> },
    /// Among partitions whose static values an index names: where the next one is found, and the slices that are left.
    Partitions { named: Named, rest: KeyRange, slices: Vec<Bounds> },
    /// Among all partitions within a range of the engine's keys.
    Scan { rest: KeyRange, is_open: bool },
    /// Among rows that were made for the read, in order.
    Virtual { rows: Vec<MadeRow>, next: usize },
}

impl Reader {
    /// A reader of what `view` shows.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a bound that is too long.
    pub(crate) fn new(view: &View, plan: Plan) -> Result<Self> {
        let table = plan.table();
        let mut bounds = Vec::with_capacity(plan.slices.len());
        for slice in &plan.slices {
            bounds.extend(Bounds::of(table, slice)?);
        }
        if let Some(position) = &plan.resume {
            check(&plan, position)?;
        }
        let left = plan.resume.as_ref().map_or(plan.limit, |position| position.left);
        let base = Base::of(view, table)?;
        let mut reader = Self {
            walk: Walk::Keys { next: 0, slices: Vec::new() },
            bounds,
            named: None,
            entries: None,
            current: Current::default(),
            has_partition: false,
            base,
            state: State::new(view, plan.now, left),
            is_done: left == Some(0),
            plan,
        };
        reader.begin(view)?;
        Ok(reader)
    }

    /// Hands rows to `sink` until it says stop. Returns whether there may be more.
    ///
    /// # Errors
    /// Those of the sink; [`Error::Corruption`]; the class of failed reads for too much that is deleted.
    pub(crate) fn run(&mut self, view: &View, sink: &mut dyn Sink) -> Result<bool> {
        let before = self.state.dead();
        let more = self.run_to_stop(view, sink);
        view.meter().dead(self.state.dead() - before);
        more
    }

    fn run_to_stop(&mut self, view: &View, sink: &mut dyn Sink) -> Result<bool> {
        while !self.is_done {
            let flow = self.step(view, sink)?;
            self.is_done |= self.state.left == Some(0);
            if flow == Flow::Stop {
                return Ok(!self.is_done);
            }
        }
        Ok(false)
    }

    /// Where the row was at which the sink has said stop last.
    pub(crate) fn position(&self) -> Option<Position> {
        self.state.last().cloned().or_else(|| self.plan.resume.clone())
    }

    /// Whether so many deleted rows and cells were passed that a caller is to be told.
    pub(crate) fn has_many_dead(&self) -> bool {
        self.state.has_many_dead()
    }

    fn direction(&self) -> Direction {
        if self.plan.is_reversed { Direction::Backward } else { Direction::Forward }
    }

    fn storage(&self) -> u32 {
        match &self.plan.source {
            Source::Table(table) | Source::Index(table, _) => table.storage,
            Source::Virtual(_) => 0,
        }
    }

    /// Finds where to begin.
    fn begin(&mut self, view: &View) -> Result<()> {
        if let Source::Virtual(made) = &self.plan.source {
            let rows = made.rows(view)?;
            self.walk = Walk::Virtual { rows: arrange(&self.plan, &self.bounds, rows)?, next: 0 };
            return Ok(());
        }
        let resume = self.plan.resume.clone();
        let prefix = resume.as_ref().map(|position| layout::partition(self.storage(), &position.partition));
        let lookup = match &self.plan.source {
            Source::Index(table, lookup) => Some((table, lookup, is_of_partitions(&table.record, lookup))),
            _ => None,
        };
        match &self.plan.partitions {
            Partitions::Keys(keys) => {
                let at = resume.as_ref().and_then(|position| keys.iter().position(|key| *key == position.partition));
                self.walk = Walk::Keys { next: at.map_or(0, |at| at + 1), slices: Vec::new() };
                // Of partitions that are known, all rows are looked at, unless the index has those that are wanted side by side.
                if let Some((table, lookup, false)) = lookup
                    && !matches!(lookup.sought, Sought::Range(..))
                {
                    self.named = Named::new(view, table, lookup, &KeyRange::all())?;
                }
            }
            Partitions::Tokens(start, end) => {
                let all = layout::tokens(self.storage(), *start, *end);
                let row = resume.as_ref().and_then(|position| position.row.as_ref());
                let behind_partition = match &prefix {
                    Some(prefix) => all.clone().behind(&KeyRange::prefix(prefix)),
                    None => all.clone(),
                };
                let behind_row = match (&prefix, row) {
                    (Some(prefix), Some(row)) => {
                        all.clamp(Bound::Excluded(Key::from(&layout::row(prefix, row)[..])), Bound::Unbounded)
                    }
                    _ => behind_partition.clone(),
                };
                self.walk = match lookup {
                    Some((table, lookup, true)) => match Named::new(view, table, lookup, &behind_partition)? {
                        Some(named) => Walk::Partitions { named, rest: behind_partition, slices: Vec::new() },
                        None => Walk::Scan { rest: behind_row, is_open: false },
                    },
                    lookup => {
                        if let Some((table, lookup, _)) = lookup {
                            self.named = Named::new(view, table, lookup, &behind_row)?;
                        }
                        Walk::Scan { rest: behind_row, is_open: false }
                    }
                };
            }
        }
        if let Some((table, lookup, _)) = lookup
            && (self.named.is_some() || matches!(self.walk, Walk::Partitions { .. }))
            && let Some(index) = table.record.indexes.get(lookup.index)
        {
            view.meter().index(&index.name);
        }
        let (Some(position), Some(prefix)) = (resume, prefix) else { return Ok(()) };
        let Some(row) = position.row else { return Ok(()) };
        self.load(view, &prefix, Some(&position.partition), position.left_of_partition)?;
        self.current.has_rows = true;
        let direction = self.direction();
        let behind: Vec<_> = self.bounds.iter().filter_map(|own| own.clone().behind(&row, direction)).collect();
        match &mut self.walk {
            Walk::Keys { slices, .. } | Walk::Partitions { slices, .. } => *slices = in_turn(behind, direction),
            _ => self.current.open_ranges(view, self.plan.table(), direction, Some(&row))?,
        }
        Ok(())
    }

    fn load(&mut self, view: &View, prefix: &[u8], key: Option<&[u8]>, left: Option<u64>) -> Result<()> {
        let table = self.plan.table();
        self.has_partition = true;
        self.current.load(view, table, (prefix, key), left, self.state.now)
    }

    /// Looks at the next entry, or opens what comes next.
    fn step(&mut self, view: &View, sink: &mut dyn Sink) -> Result<Flow> {
        if matches!(self.walk, Walk::Virtual { .. }) {
            return self.step_virtual(sink);
        }
        if self.entries.is_some() {
            return self.walk_on(view, sink);
        }
        match &mut self.walk {
            Walk::Keys { slices, .. } | Walk::Partitions { slices, .. }
                if !slices.is_empty() && !self.current.is_done =>
            {
                let slice = slices.pop().ok_or_else(|| Error::value("there is no slice"))?;
                self.open_slice(view, &slice, sink)
            }
            Walk::Keys { .. } | Walk::Partitions { .. } => self.next_partition(view, sink),
            Walk::Scan { is_open: true, .. } => {
                self.is_done = true;
                self.end_partition(sink)
            }
            Walk::Scan { rest, is_open } => {
                *is_open = true;
                self.entries = Some(Entries::open(view, rest, self.named.as_ref(), Direction::Forward)?);
                Ok(Flow::Continue)
            }
            Walk::Virtual { .. } => Ok(Flow::Continue),
        }
    }

    fn end_partition(&mut self, sink: &mut dyn Sink) -> Result<Flow> {
        if !std::mem::take(&mut self.has_partition) || self.state.left == Some(0) {
            return Ok(Flow::Continue);
        }
        self.state.end_partition((self.plan.table(), &self.plan), &mut self.current, sink)
    }

    /// Leaves a partition of the list, and comes to the next one.
    fn next_partition(&mut self, view: &View, sink: &mut dyn Sink) -> Result<Flow> {
        if self.end_partition(sink)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        let direction = self.direction();
        let storage = self.storage();
        let found = match (&mut self.walk, &self.plan.partitions) {
            (Walk::Keys { next, .. }, Partitions::Keys(keys)) => {
                let key = keys.get(*next);
                *next += 1;
                key.map(|key| (layout::partition(storage, key), Some(key.as_slice())))
            }
            (Walk::Partitions { named, rest, .. }, _) => match named.first(view, rest)? {
                None => None,
                Some(key) => {
                    let (prefix, _) = layout::split(&key)?;
                    *rest = rest.clone().behind(&KeyRange::prefix(prefix));
                    Some((prefix.to_vec(), None))
                }
            },
            _ => None,
        };
        let Some((prefix, key)) = found else {
            self.is_done = true;
            return Ok(Flow::Continue);
        };
        if let Walk::Keys { slices, .. } | Walk::Partitions { slices, .. } = &mut self.walk {
            *slices = in_turn(self.bounds.clone(), direction);
        }
        let left = self.plan.limit_per_partition;
        self.has_partition = true;
        let table = self.plan.table();
        self.current.load(view, table, (&prefix, key), left, self.state.now)?;
        Ok(Flow::Continue)
    }

    /// Reads a slice of the partition: with one lookup when it is one row.
    fn open_slice(&mut self, view: &View, slice: &Bounds, sink: &mut dyn Sink) -> Result<Flow> {
        let direction = self.direction();
        let from = match direction {
            Direction::Forward => Some(slice.start.as_slice()),
            Direction::Backward => slice.end.as_deref(),
        };
        let table = self.plan.table();
        self.current.open_ranges(view, table, direction, from)?;
        if slice.is_row && self.named.is_none() {
            let key = layout::row(&self.current.prefix, &slice.start);
            let Some(bytes) = view.get(&key)? else { return Ok(Flow::Continue) };
            let base = self.base.as_ref().map(|base| (view, base));
            let of = (table, &self.plan);
            return RowView::with(&bytes, |row| self.state.row(of, base, &mut self.current, (&slice.start, row), sink));
        }
        let rows = slice.keys(&layout::rows(&self.current.prefix));
        self.entries = Some(Entries::open(view, &rows, self.named.as_ref(), direction)?);
        Ok(Flow::Continue)
    }

    /// Looks at entries until the sink says stop, the cursor ends, or another one is needed.
    fn walk_on(&mut self, view: &View, sink: &mut dyn Sink) -> Result<Flow> {
        let Some(entries) = &mut self.entries else { return Ok(Flow::Continue) };
        let table = self.plan.table();
        let is_scan = matches!(self.walk, Walk::Scan { .. });
        let offers_cells = sink.wants_cells()
            && self.base.is_none()
            && self.plan.filters.is_empty()
            && !self.plan.is_distinct
            && !table.is_strict()
            && !table.has_dropped();
        let room = |state: &State, current: &Current| if offers_cells { state.room(current) } else { 0 };
        // Rows that the sink has taken by their cells are counted together, before anything else is done.
        let (mut taken, mut most) = (0, if self.has_partition { room(&self.state, &self.current) } else { 0 });
        while let Some((key, value)) = entries.next(view)? {
            let mut offered = None;
            if taken < most
                && (!is_scan || self.current.is_row_within(&self.bounds, key))
                && let Some(cells) = cells_of_plain(value)
                && let Some(flow) = sink.take_cells(cells)
            {
                if flow == Flow::Continue && taken + 1 < most {
                    taken += 1;
                    continue;
                }
                offered = Some(flow);
            }
            if taken > 0 {
                self.state.passed(&mut self.current, std::mem::take(&mut taken));
            }
            if is_scan && !key.starts_with(&self.current.prefix) || !self.has_partition {
                if self.has_partition {
                    let flow = self.state.end_partition((table, &self.plan), &mut self.current, sink)?;
                    let is_over = self.state.left == Some(0);
                    if flow == Flow::Stop || is_over {
                        // The entry that was just met is met again.
                        self.has_partition = false;
                        self.is_done = is_over;
                        let again = Bound::Included(Key::from(key));
                        if let Walk::Scan { rest, is_open } = &mut self.walk {
                            *rest = rest.clone().clamp(again, Bound::Unbounded);
                            *is_open = false;
                        }
                        self.entries = None;
                        return Ok(flow);
                    }
                }
                let (prefix, _) = layout::split(key)?;
                self.has_partition = true;
                let left = self.plan.limit_per_partition;
                self.current.load(view, table, (prefix, None), left, self.state.now)?;
                self.current.open_ranges(view, table, Direction::Forward, None)?;
            }
            let flow = match layout::place(key.get(self.current.prefix.len()..).unwrap_or_default())? {
                Place::Row(clustering) if let Some(flow) = offered => {
                    self.state.taken(&self.plan, &mut self.current, clustering, flow);
                    flow
                }
                Place::Row(clustering) if !is_scan || self.bounds.iter().any(|bounds| bounds.contains(clustering)) => {
                    let base = self.base.as_ref().map(|base| (view, base));
                    RowView::with(value, |row| {
                        self.state.row((table, &self.plan), base, &mut self.current, (clustering, row), sink)
                    })?
                }
                _ => Flow::Continue,
            };
            let is_over = self.state.left == Some(0);
            self.is_done |= is_over;
            if self.current.is_done && !is_over {
                if is_scan {
                    let own = KeyRange::prefix(&self.current.prefix);
                    if let Walk::Scan { rest, is_open } = &mut self.walk {
                        *rest = rest.clone().behind(&own);
                        *is_open = false;
                    }
                }
                self.entries = None;
                return Ok(flow);
            }
            if flow == Flow::Stop || is_over {
                return Ok(flow);
            }
            most = room(&self.state, &self.current);
        }
        self.state.passed(&mut self.current, taken);
        self.entries = None;
        Ok(Flow::Continue)
    }

    fn step_virtual(&mut self, sink: &mut dyn Sink) -> Result<Flow> {
        let Walk::Virtual { rows, next } = &mut self.walk else { return Ok(Flow::Continue) };
        let Some((partition, clustering, row)) = rows.get(*next) else {
            self.is_done = true;
            return Ok(Flow::Continue);
        };
        *next += 1;
        let table = self.plan.table();
        if !self.has_partition || self.current.prefix != *partition {
            self.has_partition = true;
            let resumed = self.plan.resume.as_ref().filter(|position| position.partition == *partition);
            let left = resumed.map_or(self.plan.limit_per_partition, |position| position.left_of_partition);
            self.current.begin_virtual(partition, left);
        }
        if self.current.is_done {
            return Ok(Flow::Continue);
        }
        let flow = self.state.virtual_row((table, &self.plan), &mut self.current, (clustering, row), sink)?;
        self.is_done |= self.state.left == Some(0);
        Ok(flow)
    }
}

/// Refuses a position that no page of the query can have ended at: it comes from a caller, who may have it from anywhere.
fn check(plan: &Plan, position: &Position) -> Result<()> {
    let foreign = || Error::value("the position is that of another query");
    let table = plan.table();
    let is_of = |left: Option<u64>, limit: Option<u64>| match (left, limit) {
        (None, None) => true,
        (Some(left), Some(limit)) => left < limit,
        _ => false,
    };
    let key = &position.partition;
    let columns = table.shape().partition.len();
    let is_key = !key.is_empty()
        && key.len() <= limits::WIDE_KEY_BYTES_MAX
        && (0..columns).all(|nth| layout::partition_value(key, columns, nth).is_ok());
    let is_asked_for = match &plan.partitions {
        Partitions::Keys(keys) => keys.contains(key),
        Partitions::Tokens(start, end) => std::ops::RangeBounds::contains(&(*start, *end), &token(key)),
    };
    let is_row = position.row.as_deref().is_none_or(|row| KeyValues::is_clustering(table, row));
    let has_limits = is_of(position.left, plan.limit)
        && (position.row.is_none() || is_of(position.left_of_partition, plan.limit_per_partition));
    if is_key && is_asked_for && is_row && has_limits { Ok(()) } else { Err(foreign()) }
}

/// Whether the entries of an index name partitions, by their static values, and not rows.
fn is_of_partitions(table: &TableRecord, lookup: &IndexLookup) -> bool {
    let column = table.indexes.get(lookup.index).and_then(|index| table.column_with(index.column));
    column.is_some_and(|column| column.kind() == ColumnKind::Static)
}

/// Slices in the order in which they are taken from the end of the list.
fn in_turn(mut slices: Vec<Bounds>, direction: Direction) -> Vec<Bounds> {
    if direction == Direction::Forward {
        slices.reverse();
    }
    slices
}

/// The rows of a virtual table that a plan asks for, in its order.
fn arrange(plan: &Plan, bounds: &[Bounds], rows: Vec<VirtualRow>) -> Result<Vec<MadeRow>> {
    let table = plan.table();
    let shape = table.shape();
    let value = |row: &VirtualRow, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let mut keyed = Vec::with_capacity(rows.len());
    for row in rows {
        let partition: Vec<_> = shape.partition.iter().map(|at| value(&row, *at)).collect();
        let clustering: Vec<_> = shape.clustering.iter().map(|(at, _)| value(&row, *at)).collect();
        let partition = layout::join_partition(&partition)?.into_vec();
        let clustering = layout::clustering(table, &clustering)?.key.into_vec();
        if bounds.iter().any(|bounds| bounds.contains(&clustering)) {
            keyed.push((partition, clustering, row));
        }
    }
    let rank = |partition: &[u8]| match &plan.partitions {
        Partitions::Keys(keys) => keys.iter().position(|key| key == partition).map(|at| (at, 0)),
        Partitions::Tokens(start, end) => {
            let token = token(partition);
            let range: (Bound<i64>, Bound<i64>) = (*start, *end);
            std::ops::RangeBounds::contains(&range, &token).then_some((0, token))
        }
    };
    keyed.retain(|(partition, ..)| rank(partition).is_some());
    keyed.sort_by(|(a, x, _), (b, y, _)| {
        let rows = if plan.is_reversed { y.cmp(x) } else { x.cmp(y) };
        rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)).then(rows)
    });
    if let Some(position) = &plan.resume {
        let of_last = keyed.iter().rposition(|(partition, clustering, _)| {
            let is_before = position
                .row
                .as_ref()
                .is_none_or(|row| if plan.is_reversed { clustering >= row } else { clustering <= row });
            *partition == position.partition && is_before
        });
        keyed.drain(..of_last.map_or(0, |at| at + 1));
    }
    Ok(keyed)
}

impl Plan {
    /// The definition of the table that is read.
    pub(crate) fn table(&self) -> &TableRecord {
        match &self.source {
            Source::Table(table) | Source::Index(table, _) => {
                let Entry { record, .. } = table.as_ref();
                record
            }
            Source::Virtual(table) => table.record(),
        }
    }
}
