//! Plans that no method of the typed interface makes: virtual tables, and conditions on several columns.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::plan::{Bytes, Comparison, Edge, Filter, Partitions, Plan, Slice, Source};
use super::position::Position;
use super::sink::{ProtocolRows, Sink};
use super::virtual_table::{VirtualRow, VirtualTable};
use super::{Fetch, Flow, FoundRow, Reader};
use crate::error::Result;
use crate::txn::View;
use crate::wide_column::schema::TableRecord;
use crate::wide_column::token::token;
use crate::wide_column::{CqlType, CqlValue, Order, TableSchema, WriteOptions};
use crate::{ManualClock, Store, Timestamp, WideTable};

/// Rows of two ints as key and a text.
#[derive(Debug)]
struct Made {
    record: TableRecord,
    rows: Vec<(i32, i32, &'static str)>,
}

impl VirtualTable for Made {
    fn record(&self) -> &TableRecord {
        &self.record
    }

    fn rows(&self, _: &View) -> Result<Vec<VirtualRow>> {
        let row = |(p, c, v): &(i32, i32, &str)| vec![Some(int(*p)), Some(int(*c)), Some(v.as_bytes().to_vec())];
        Ok(self.rows.iter().map(row).collect())
    }
}

fn int(value: i32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn schema() -> TableSchema {
    TableSchema::new()
        .partition_key("p", CqlType::Int)
        .clustering("c", CqlType::Int, Order::Descending)
        .column("v", CqlType::Text)
}

const ROWS: [(i32, i32, &str); 7] =
    [(2, 1, "b"), (1, 3, "a"), (1, 1, "c"), (3, 9, "a"), (1, 2, "b"), (2, 2, "a"), (-7, 0, "x")];

fn plan(source: Source) -> Plan {
    Plan {
        source,
        partitions: Partitions::ALL,
        slices: vec![Slice::ALL],
        filters: Vec::new(),
        is_reversed: false,
        is_distinct: false,
        with_static_rows: true,
        limit: None,
        limit_per_partition: None,
        now: None,
        resume: None,
        fetches_clustering: true,
    }
}

/// The keys of the rows of a plan, read in pages of so many.
fn read(store: &Store, plan: &Plan, rows: usize) -> Vec<(i32, i32)> {
    let (mut found, mut plan) = (Vec::new(), plan.clone());
    loop {
        let table = store.wide_table("test", "rows");
        let (page, position) = table
            .read("read", |view| {
                let mut reader = Reader::new(view, plan.clone())?;
                let mut page = Vec::new();
                let has_more = reader.run(view, &mut |row: &FoundRow<'_>| {
                    let part = |at| i32::from_be_bytes(row.value(at).unwrap().unwrap()[..].try_into().unwrap());
                    page.push((part(0), part(1)));
                    Ok(if page.len() == rows { Flow::Stop } else { Flow::Continue })
                })?;
                Ok((page, reader.position().filter(|_| has_more)))
            })
            .unwrap();
        found.extend(page);
        let Some(position) = position else { return found };
        plan.resume = Some(position);
    }
}

/// What comes back as a position, and is none of this query, is refused, whatever it is; nothing is read by it.
#[test]
fn a_position_of_another_query_or_of_nobody_is_refused() {
    let store = Store::in_memory();
    let table = store.wide_table("test", "rows");
    table.create(schema()).unwrap();
    for (p, c, v) in ROWS {
        table.insert(&[("p", p.into()), ("c", c.into()), ("v", v.into())]).unwrap();
    }
    let definition =
        table.read("definition", |view| Ok(super::super::schema::table(view, "test", "rows")?.unwrap())).unwrap();
    let plan = Plan { limit: Some(6), limit_per_partition: Some(2), ..plan(Source::Table(definition)) };
    let row = Some((i32::MAX - 2).to_be_bytes().to_vec());
    let own = Position { partition: int(1), row, left: Some(5), left_of_partition: Some(1) };
    let read = |plan: &Plan, position: Position| {
        let plan = Plan { resume: Some(Position::decode(&position.encode())?), ..plan.clone() };
        table.read("read", |view| {
            Reader::new(view, plan)?.run(view, &mut |_: &FoundRow<'_>| Ok(Flow::Continue)).map(drop)
        })
    };
    read(&plan, own.clone()).unwrap();
    let foreign = [
        Position { partition: Vec::new(), ..own.clone() },
        Position { partition: vec![7; 70_000], ..own.clone() },
        Position { row: Some(vec![1]), ..own.clone() },
        Position { row: Some(vec![0; 9]), ..own.clone() },
        Position { left: Some(7), ..own.clone() },
        Position { left: None, ..own.clone() },
        Position { left_of_partition: Some(3), ..own.clone() },
        Position { left_of_partition: None, ..own.clone() },
    ];
    for position in foreign {
        assert!(read(&plan, position.clone()).is_err(), "{position:?}");
    }
    let others =
        [Partitions::Keys(vec![int(2)]), Partitions::Tokens(Bound::Excluded(token(&int(1))), Bound::Unbounded)];
    for partitions in others {
        assert!(read(&Plan { partitions, ..plan.clone() }, own.clone()).is_err());
    }
}

fn bytes(value: i32) -> Bytes {
    Bytes::from_vec(int(value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A virtual table is read as one that is stored.
    #[test]
    fn rows_that_are_made_are_read_as_those_that_are_stored(
        kept in prop::collection::vec(any::<bool>(), ROWS.len()),
        keys in prop::option::of(prop::collection::btree_set(0i32..4, 0..4)),
        start in prop::option::of((-1i32..4, any::<bool>())),
        end in prop::option::of((-1i32..4, any::<bool>())),
        limits in (prop::option::of(1u64..5), prop::option::of(1u64..3)),
        rows in 1usize..5,
        is_reversed: bool,
        from_token: bool,
        compares: bool,
    ) {
        let store = Store::in_memory();
        let table = store.wide_table("test", "rows");
        table.create(schema()).unwrap();
        let kept: Vec<_> = ROWS.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| row).collect();
        for (p, c, v) in &kept {
            table.insert(&[("p", (*p).into()), ("c", (*c).into()), ("v", (*v).into())]).unwrap();
        }
        let definition = table.read("definition", |view| Ok(super::super::schema::table(view, "test", "rows")?.unwrap())).unwrap();
        let made = Arc::new(Made { record: TableRecord::new(schema()), rows: kept });
        let edge = |edge: Option<(i32, bool)>| match edge {
            None => Edge::default(),
            Some((value, true)) => Edge::including(vec![bytes(value)]),
            Some((value, false)) => Edge::excluding(vec![bytes(value)]),
        };
        let partitions = match (&keys, from_token) {
            (Some(keys), _) => Partitions::Keys(keys.iter().map(|key| int(*key)).collect()),
            (None, true) => Partitions::Tokens(Bound::Excluded(token(&int(1))), Bound::Unbounded),
            (None, false) => Partitions::ALL,
        };
        let filters = vec![
            Filter::Columns(vec![1, 2], Comparison::GreaterOrEqual, vec![bytes(1), Bytes::from_slice(b"b")]),
            Filter::ColumnsIn(vec![2], ["a", "b"].map(|v| vec![Bytes::from_slice(v.as_bytes())]).to_vec()),
        ];
        let with = |source: Source| Plan {
            partitions: partitions.clone(),
            slices: vec![Slice { start: edge(start), end: edge(end) }],
            filters: if compares { filters.clone() } else { Vec::new() },
            is_reversed: is_reversed && keys.is_some(),
            limit: limits.0,
            limit_per_partition: limits.1,
            ..plan(source)
        };
        let stored = read(&store, &with(Source::Table(definition)), usize::MAX);
        let virtual_plan = with(Source::Virtual(made));
        prop_assert_eq!(&read(&store, &virtual_plan, usize::MAX), &stored);
        prop_assert_eq!(&read(&store, &virtual_plan, rows), &stored, "in pages of {}", rows);
    }
}

/// A write to a table of rows that are written and read in every way.
#[derive(Clone, Debug)]
enum Write {
    Insert(i32, i32, Vec<usize>),
    Update(i32, i32, Vec<usize>),
    Expiring(i32, i32, Vec<usize>),
    Null(i32, i32, Vec<usize>),
    DeleteRow(i32, i32),
    DeleteFrom(i32, i32),
    DeletePartition(i32),
    Static(i32),
}

/// Rows of a partition that are too many to be tidied when they are deleted, or a column is dropped: they stay, and are hidden.
const MANY: i32 = 70;

/// The regular columns whose values are single cells, of ids that take one byte and two.
const CELLS: [&str; 5] = ["a", "b", "gone", "y", "z"];

fn write() -> impl Strategy<Value = Write> {
    let columns = || prop::collection::vec(0..CELLS.len(), 0..4);
    let row = || (0i32..3, 0i32..6);
    prop_oneof![
        12 => (row(), columns()).prop_map(|((p, c), of)| Write::Insert(p, c, of)),
        4 => (row(), columns()).prop_map(|((p, c), of)| Write::Update(p, c, of)),
        1 => (row(), columns()).prop_map(|((p, c), of)| Write::Expiring(p, c, of)),
        1 => (row(), columns()).prop_map(|((p, c), of)| Write::Null(p, c, of)),
        1 => row().prop_map(|(p, c)| Write::DeleteRow(p, c)),
        1 => row().prop_map(|(p, c)| Write::DeleteFrom(p, c)),
        1 => (0i32..3).prop_map(Write::DeletePartition),
        2 => (0i32..4).prop_map(Write::Static),
    ]
}

impl Write {
    fn apply(&self, table: &WideTable, (nth, time): (usize, i64)) {
        let options = WriteOptions::default().timestamp(time);
        let row = |p: i32, c: i32, of: &[usize]| {
            let of: std::collections::BTreeSet<_> = of.iter().copied().collect();
            let value = |at: usize| CqlValue::from("v".repeat([0, 3, 127, 128][(nth + at) % 4]));
            let cells = of.into_iter().map(|at| (CELLS[at], value(at)));
            [("p", p.into()), ("c", c.into())].into_iter().chain(cells).collect::<Vec<_>>()
        };
        match self {
            Self::Insert(p, c, of) => table.insert_with(&row(*p, *c, of), options),
            Self::Update(_, _, of) if of.is_empty() => Ok(()),
            Self::Update(p, c, of) => table.update_with(&row(*p, *c, of), options),
            Self::Expiring(p, c, of) => table.insert_with(&row(*p, *c, of), options.ttl_seconds(5)),
            Self::Null(_, _, of) if of.is_empty() => Ok(()),
            Self::Null(p, c, of) => {
                let of: Vec<_> = of.iter().map(|at| CELLS[*at]).collect();
                table.delete_columns_with((*p, *c), &of, options)
            }
            Self::DeleteRow(p, c) => table.delete_row_with((*p, *c), options),
            Self::DeleteFrom(p, c) => table.select((*p,)).range("c", *c..).delete_with(options),
            Self::DeletePartition(p) => table.delete_partition_with((*p,), options),
            Self::Static(p) => table.update_with(&[("p", (*p).into()), ("s", "static".into())], options),
        }
        .unwrap();
    }
}

/// What the pages of a query are: their bytes and number of rows, where each ended, and whether it has passed much that is deleted.
type Pages = Vec<(Vec<u8>, u32, Option<Position>, bool)>;

/// Reads the pages of a query as the protocol has them, of rows that come one by one or, where they can, by their cells.
fn pages(
    table: &WideTable,
    plan: &Plan,
    columns: &[usize],
    rows: u32,
    by_cells: bool,
) -> std::result::Result<Pages, String> {
    let (mut pages, mut plan) = (Vec::new(), plan.clone());
    loop {
        let page = table.read("read", |view| {
            let columns: Vec<_> = columns.iter().map(|at| Fetch::new(plan.table(), *at)).collect();
            let mut reader = Reader::new(view, plan.clone())?;
            let mut bytes = Vec::new();
            let mut page = ProtocolRows::new(&columns, rows, &mut bytes);
            let has_more = if by_cells {
                reader.run(view, &mut page)?
            } else {
                reader.run(view, &mut |row: &FoundRow<'_>| page.take(row))?
            };
            let count = page.count;
            Ok((bytes, count, reader.position().filter(|_| has_more), reader.has_many_dead()))
        });
        let page = page.map_err(|error| error.to_string())?;
        plan.resume = page.2.clone();
        pages.push(page);
        if plan.resume.is_none() {
            return Ok(pages);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Rows that a sink takes by their cells are those that come to it one by one.
    #[test]
    fn rows_are_the_same_by_their_cells_as_one_by_one(
        writes in prop::collection::vec((write(), 0i64..40), 0..40),
        is_plain: bool,
        is_sorted in prop::bool::weighted(0.7),
        drops in prop::bool::weighted(0.2),
        columns in prop::collection::vec(0usize..5, 1..6),
        others in prop::collection::vec(0usize..4, 0..2),
        keys in prop::option::of(prop::collection::btree_set(0i32..4, 0..4)),
        slice in prop::option::of((0i32..6, 0i32..6)),
        limits in (prop::option::of(1u64..12), prop::option::of(1u64..5)),
        rows in prop_oneof![1u32..6, Just(u32::MAX)],
        is_reversed: bool,
        thresholds in (0u64..80, 3u64..400),
        is_crowded in prop::bool::weighted(0.3),
        expires: bool,
    ) {
        let clock = ManualClock::at(Timestamp::from_micros(1));
        let store = Store::builder().clock(clock.clone()).in_memory();
        let table = store.wide_table("test", "rows");
        let mut schema = TableSchema::new()
            .partition_key("p", CqlType::Int)
            .clustering("c", CqlType::Int, Order::Ascending)
            .static_column("s", CqlType::Text);
        for name in ["a", "b", "gone"] {
            schema = schema.column(name, CqlType::Text);
        }
        for nth in 0..130 {
            schema = schema.column(&format!("filler{nth}"), CqlType::Int);
        }
        for name in ["y", "z"] {
            schema = schema.column(name, CqlType::Text);
        }
        table.create(schema).unwrap();
        for c in (0..MANY).filter(|_| is_crowded) {
            let row = |p: i32| [("p", p.into()), ("c", (100 + c).into()), ("a", "a".into()), ("gone", "g".into())];
            for p in 0..3 {
                table.insert_with(&row(p), WriteOptions::default().timestamp(0)).unwrap();
            }
        }
        let is_kept = |write: &Write| !is_plain || matches!(write, Write::Insert(..) | Write::Update(..) | Write::Static(_));
        for (nth, (write, time)) in writes.iter().filter(|(write, _)| is_kept(write)).enumerate() {
            write.apply(&table, (nth, *time));
        }
        if drops {
            table.drop_column("gone").unwrap();
        }
        if expires {
            clock.advance(Duration::from_secs(9));
        }
        store.set_tombstone_thresholds(thresholds.0, thresholds.1);
        let definition =
            table.read("definition", |view| Ok(super::super::schema::table(view, "test", "rows")?.unwrap())).unwrap();
        let at = |name: &str| definition.record.position(name).unwrap();
        let names = columns.iter().map(|at| CELLS[*at]).filter(|name| !drops || *name != "gone");
        let mut columns: Vec<_> = names.map(at).collect();
        if is_sorted {
            columns.sort_unstable();
            columns.dedup();
        } else {
            columns.extend(others.iter().map(|other| at(["p", "c", "s", "filler7"][*other])));
        }
        let edge = |value: i32| Edge::including(vec![bytes(value)]);
        let plan = Plan {
            slices: vec![slice.map_or(Slice::ALL, |(start, end)| Slice { start: edge(start), end: edge(end) })],
            partitions: keys.as_ref().map_or(Partitions::ALL, |keys| Partitions::Keys(keys.iter().map(|key| int(*key)).collect())),
            is_reversed: is_reversed && keys.is_some(),
            limit: limits.0,
            limit_per_partition: limits.1,
            fetches_clustering: columns.contains(&at("c")),
            ..plan(Source::Table(Arc::clone(&definition)))
        };
        let one_by_one = pages(&table, &plan, &columns, rows, false);
        prop_assert_eq!(pages(&table, &plan, &columns, rows, true), one_by_one);
    }
}

/// What is left of a dropped column in a row is passed as deleted.
#[test]
fn cells_of_dropped_columns_are_counted_as_deleted() {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    let table = store.wide_table("test", "rows");
    table.create(schema().column("gone", CqlType::Text)).unwrap();
    for c in 0..MANY {
        table.insert(&[("p", 1.into()), ("c", c.into()), ("v", "v".into()), ("gone", "g".into())]).unwrap();
    }
    table.drop_column("gone").unwrap();
    let definition =
        table.read("definition", |view| Ok(super::super::schema::table(view, "test", "rows")?.unwrap())).unwrap();
    let columns = [definition.record.position("v").unwrap()];
    for partitions in [Partitions::ALL, Partitions::Keys(vec![int(1)])] {
        let plan = Plan { partitions, fetches_clustering: false, ..plan(Source::Table(Arc::clone(&definition))) };
        let many = u64::try_from(MANY).unwrap();
        for (warn, is_passed) in [(many - 1, true), (many, false)] {
            store.set_tombstone_thresholds(warn, 2 * many);
            let found = pages(&table, &plan, &columns, u32::MAX, true).unwrap();
            let [(bytes, count, None, is_many)] = &found[..] else { panic!("{found:?}") };
            assert_eq!(
                (bytes.len(), u64::from(*count), *is_many),
                (5 * usize::try_from(MANY).unwrap(), many, is_passed)
            );
        }
    }
}
