//! Tables against a model that keeps every write and decides when it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::catalog::job::Allowance;
use crate::encoding::ordered::Reader;
use crate::encoding::owner;
use crate::engine::{Direction, Engine, KeyRange, MemoryEngine};
use crate::limits;
use crate::txn::WriteScope;
use crate::wide_column::record::RowView;
use crate::wide_column::{CqlType, CqlValue, Order, Row, Select, TableSchema, WideTable, WriteOptions, layout, write};
use crate::{ManualClock, Store};

const GC_GRACE_SECONDS: u64 = 864_000;

const COLUMNS: [&str; 2] = ["a", "b"];
const PARTITIONS: i32 = 2;
const ROWS: i32 = 2;

/// A row as its columns and values, in the order in which they come.
struct InOrder(Vec<(String, Option<i8>)>);

impl<'de> serde::Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> serde::de::Visitor<'de> for Columns {
            type Value = InOrder;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut row: A) -> Result<InOrder, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = row.next_entry()? {
                    columns.push(column);
                }
                Ok(InOrder(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

/// A write with few places, timestamps and values, so that everything meets.
#[derive(Clone, Debug)]
#[expect(clippy::option_option, reason = "not set and null are two things")]
enum Op {
    Write { marker: bool, place: (i32, i32), values: [Option<Option<u8>>; 2], ttl: u32, timestamp: i64 },
    DeleteColumn { place: (i32, i32), column: usize, timestamp: i64 },
    DeleteRow { place: (i32, i32), timestamp: i64 },
    DeletePartition { partition: i32, timestamp: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let place = || (0..PARTITIONS, 0..ROWS);
    let value = || prop::option::of(prop::option::weighted(0.8, 0u8..3));
    prop_oneof![
        6 => (any::<bool>(), place(), [value(), value()], prop_oneof![Just(0), 1u32..6], 0i64..5).prop_map(
            |(marker, place, values, ttl, timestamp)| Op::Write { marker, place, values, ttl, timestamp }
        ),
        2 => (place(), 0usize..2, 0i64..5)
            .prop_map(|(place, column, timestamp)| Op::DeleteColumn { place, column, timestamp }),
        2 => (place(), 0i64..5).prop_map(|(place, timestamp)| Op::DeleteRow { place, timestamp }),
        1 => (0..PARTITIONS, 0i64..5)
            .prop_map(|(partition, timestamp)| Op::DeletePartition { partition, timestamp }),
    ]
}

fn table(clock: &ManualClock) -> (Store, WideTable) {
    let store = Store::builder().clock(clock.clone()).in_memory();
    let table = store.wide_table("test", "cells");
    let schema = TableSchema::new()
        .partition_key("p", CqlType::Int)
        .clustering("c", CqlType::Int, Order::Descending)
        .column("a", CqlType::Tinyint)
        .column("b", CqlType::Tinyint);
    table.create(schema).unwrap();
    (store, table)
}

fn cql(value: Option<u8>) -> CqlValue {
    CqlValue::from(value.map(|value| i8::try_from(value).unwrap()))
}

fn apply(table: &WideTable, op: &Op) {
    let at = |timestamp: i64| WriteOptions::default().timestamp(timestamp);
    let outcome = match op {
        Op::Write { marker, place: (p, c), values, ttl, timestamp } => {
            let mut row = vec![("p", (*p).into()), ("c", (*c).into())];
            for (name, value) in COLUMNS.into_iter().zip(values) {
                row.push((name, value.map_or(CqlValue::Unset, cql)));
            }
            let options = at(*timestamp).ttl_seconds(*ttl);
            if *marker { table.insert_with(&row, options) } else { table.update_with(&row, options) }
        }
        Op::DeleteColumn { place, column, timestamp } => {
            table.delete_columns_with(*place, &[COLUMNS[*column]], at(*timestamp))
        }
        Op::DeleteRow { place, timestamp } => table.delete_row_with(*place, at(*timestamp)),
        Op::DeletePartition { partition, timestamp } => table.delete_partition_with((*partition,), at(*timestamp)),
    };
    outcome.unwrap();
}

fn apply_all(table: &WideTable, ops: &[Op]) {
    for op in ops {
        apply(table, op);
    }
}

/// As [`table`], with enough rows in each partition that what else is in it goes by a job. They themselves are never
/// deleted.
fn crowded(clock: &ManualClock) -> (Store, WideTable) {
    let (store, table) = table(clock);
    let always = WriteOptions::default().timestamp(i64::MAX);
    let rows = 0..i32::try_from(limits::REMOVED_AT_ONCE_MAX).unwrap() + 1;
    let fill = |tx: &crate::Transaction| {
        let table = tx.wide_table("test", "cells");
        let insert = |p: i32, c: i32| table.insert_with(&[("p", p.into()), ("c", (CROWD + c).into())], always);
        (0..PARTITIONS).try_for_each(|p| rows.clone().try_for_each(|c| insert(p, c)))
    };
    store.transaction(fill).unwrap();
    (store, table)
}

/// The first clustering value of the rows that make a crowd.
const CROWD: i32 = 1_000;

/// Every write, with the second it was made at.
#[derive(Default)]
struct Model(Vec<(i64, Op)>);

impl Model {
    /// The timestamp up to which everything in a row is deleted.
    fn covered(&self, place: (i32, i32)) -> i64 {
        let covers = |op: &Op| match op {
            Op::DeleteRow { place: of, timestamp } if *of == place => Some(*timestamp),
            Op::DeletePartition { partition, timestamp } if *partition == place.0 => Some(*timestamp),
            _ => None,
        };
        self.0.iter().filter_map(|(_, op)| covers(op)).max().unwrap_or(i64::MIN)
    }

    /// What a column (`None`: the marker) of a row holds at `now`: the largest write by timestamp, kind, local time,
    /// value.
    fn cell(&self, place: (i32, i32), column: Option<usize>, now: i64) -> Option<u8> {
        let covered = self.covered(place);
        let write = |(made, op): &(i64, Op)| match (op, column) {
            (Op::Write { place: of, values, ttl, timestamp, .. }, Some(column)) if *of == place => {
                values[column].map(|value| match value {
                    None => (*timestamp, 2, *made, 0),
                    Some(value) if *ttl > 0 => (*timestamp, 1, made + i64::from(*ttl), value),
                    Some(value) => (*timestamp, 0, 0, value),
                })
            }
            (Op::Write { place: of, marker: true, ttl, timestamp, .. }, None) if *of == place => {
                Some(if *ttl > 0 { (*timestamp, 1, made + i64::from(*ttl), 0) } else { (*timestamp, 0, 0, 0) })
            }
            (Op::DeleteColumn { place: of, column: deleted, timestamp }, Some(column))
                if *of == place && *deleted == column =>
            {
                Some((*timestamp, 2, *made, 0))
            }
            _ => None,
        };
        let last = self.0.iter().filter_map(write).filter(|(timestamp, ..)| *timestamp > covered).max();
        last.and_then(|(_, kind, local, value)| (kind == 0 || kind == 1 && now < local).then_some(value))
    }

    /// The visible rows of a partition, largest clustering value first.
    fn rows(&self, p: i32, now: i64) -> Vec<(i32, [Option<u8>; 2])> {
        let row = |c: i32| {
            let values = [self.cell((p, c), Some(0), now), self.cell((p, c), Some(1), now)];
            let exists = self.cell((p, c), None, now).is_some() || values.iter().any(Option::is_some);
            exists.then_some((c, values))
        };
        (0..ROWS).rev().filter_map(row).collect()
    }
}

fn seen(row: &Row) -> (i32, [Option<u8>; 2]) {
    let value = |name: &str| match row.get(name) {
        Some(CqlValue::Tinyint(value)) => Some(u8::try_from(*value).unwrap()),
        Some(other) => panic!("{other:?}"),
        None => None,
    };
    let Some(CqlValue::Int(c)) = row.get("c") else { panic!("{row:?}") };
    (*c, [value("a"), value("b")])
}

/// Where the table's rows are.
fn storage(table: &WideTable) -> u32 {
    table.read("storage", |view| Ok(table.target.definition(view)?.storage)).unwrap()
}

/// Every entry of the store but the last unique time, which is no table's.
fn dump(table: &WideTable) -> Vec<(Vec<u8>, Vec<u8>)> {
    let dump = table.read("dump", |view| {
        let mut cursor = view.range(&KeyRange::all(), Direction::Forward)?;
        let mut entries = Vec::new();
        while let Some((key, value)) = cursor.next()? {
            if !key.starts_with(&[0x02]) {
                entries.push((key.to_vec(), value.to_vec()));
            }
        }
        Ok(entries)
    });
    dump.unwrap()
}

/// Every row has its deadline in the index, and the index has nothing else.
fn assert_deadlines_agree(table: &WideTable) {
    let (mut stored, mut scheduled) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in dump(table) {
        match key[0] {
            owner::WIDE_ROWS => {
                let deadline = write::deadline(&key, &value, 864_000).unwrap();
                stored.extend(deadline.map(|deadline| (key, deadline.as_micros())));
            }
            0x03 => {
                let mut reader = Reader::new(&key[1..]);
                let deadline = reader.i64().unwrap();
                assert!(scheduled.insert(reader.rest().to_vec(), deadline).is_none(), "two deadlines of one row");
            }
            _ => {}
        }
    }
    assert_eq!(stored, scheduled);
}

proptest! {
    // SEM: WID-LWW-1, WID-LWW-2, WID-TMB-1
    #[test]
    fn any_order_of_the_same_writes_ends_in_the_same_bytes(
        (ops, shuffled) in prop::collection::vec(op(), 1..12)
            .prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
    ) {
        let clock = ManualClock::default();
        let ((_one, straight), (_other, mixed)) = (table(&clock), table(&clock));
        apply_all(&straight, &ops);
        apply_all(&mixed, &shuffled);
        prop_assert_eq!(dump(&straight), dump(&mixed));
        apply_all(&mixed, &ops);
        prop_assert_eq!(dump(&straight), dump(&mixed), "writing again changes nothing");
    }

    // SEM: WID-ROW-2, WID-LWW-2, WID-TTL-1, WID-TMB-1, ALL-3
    #[test]
    fn a_table_agrees_with_a_log_of_its_writes(
        steps in prop::collection::vec((op(), 0u64..3, any::<bool>()), 1..25),
    ) {
        let clock = ManualClock::default();
        let (store, table) = table(&clock);
        let empty = dump(&table).len();
        let mut model = Model::default();
        for (op, seconds, sweep) in steps {
            apply(&table, &op);
            model.0.push((store.now().as_seconds(), op));
            clock.advance(Duration::from_secs(seconds));
            if sweep {
                store.sweep_expired().unwrap();
            }
            assert_deadlines_agree(&table);
            for p in 0..PARTITIONS {
                let rows: Vec<_> = table.select((p,)).to_vec().unwrap().iter().map(seen).collect();
                prop_assert_eq!(rows, model.rows(p, store.now().as_seconds()));
            }
        }
        // What is not deleted, nor expires, would stay for ever.
        let last = |partition| Op::DeletePartition { partition, timestamp: 5 };
        (0..PARTITIONS).for_each(|p| apply(&table, &last(p)));
        clock.advance(Duration::from_secs(GC_GRACE_SECONDS + 10));
        store.sweep_expired().unwrap();
        prop_assert_eq!(dump(&table).len(), empty);
    }

    // SEM: WID-LWW-2, WID-TTL-1, WID-TMB-1
    #[test]
    fn a_partition_whose_rows_are_removed_later_agrees_with_a_log_of_its_writes(
        steps in prop::collection::vec((op(), 0u64..3, 0u8..5), 1..20),
    ) {
        let clock = ManualClock::default();
        let (store, table) = crowded(&clock);
        let mut model = Model::default();
        let agrees = |model: &Model| {
            let now = store.now().as_seconds();
            let is_own = |row: &Row| seen(row).0 < CROWD;
            let mut all = Vec::new();
            for p in 0..PARTITIONS {
                let rows = table.select((p,)).to_vec().unwrap();
                let rows: Vec<_> = rows.iter().filter(|row| is_own(row)).map(seen).collect();
                assert_eq!(rows, model.rows(p, now));
                let reversed: Vec<_> = table.select((p,)).range("c", ..CROWD).reverse().to_vec().unwrap();
                assert!(reversed.iter().rev().map(seen).eq(rows.iter().copied()));
                all.extend(rows);
            }
            let mut scanned: Vec<_> = table.scan().to_vec().unwrap().iter().filter(|row| is_own(row)).map(seen).collect();
            scanned.sort_unstable();
            all.sort_unstable();
            assert_eq!(scanned, all);
        };
        let mut place = Vec::new();
        for (op, seconds, then) in steps {
            apply(&table, &op);
            model.0.push((store.now().as_seconds(), op));
            clock.advance(Duration::from_secs(seconds));
            match then {
                0 => drop(store.sweep_expired().unwrap()),
                1 => drop(store.run_jobs().unwrap()),
                // A step of a job, from wherever the last one ended.
                2 => {
                    let target = layout::table_prefix(storage(&table));
                    let step = |writer: &mut _| write::tidy(writer, &target, &mut place, &mut Allowance::of(40));
                    if table.scope.write(table.target.operation("tidy").freeing(true), step).unwrap() {
                        place.clear();
                    }
                }
                _ => {}
            }
            assert_deadlines_agree(&table);
            agrees(&model);
        }
        // Whether or not somebody has run the jobs, what was deleted does not come back when its traces go.
        for _ in 0..3 {
            clock.advance(Duration::from_secs(GC_GRACE_SECONDS + 10));
            store.sweep_expired().unwrap();
            assert_deadlines_agree(&table);
            agrees(&model);
        }
        store.run_jobs().unwrap();
        agrees(&model);
        clock.advance(Duration::from_secs(GC_GRACE_SECONDS + 10));
        store.sweep_expired().unwrap();
        agrees(&model);
        let traces = dump(&table).iter().filter(|(key, _)| key[0] == 0x03).count();
        prop_assert_eq!((store.pending_jobs().unwrap(), traces), (0, 0));
    }

    // SEM: WID-QRY-2
    #[test]
    fn columns_come_in_the_order_in_which_they_are_asked_for(
        writes in prop::collection::vec((0usize..4, prop::option::of(0u8..9), 0u32..2), 0..6),
        asked in prop::collection::vec(0usize..6, 1..8),
    ) {
        const NAMES: [&str; 6] = ["v0", "v1", "v2", "v3", "p", "s"];
        let table = Store::in_memory().wide_table("test", "columns");
        let schema = TableSchema::new().partition_key("p", CqlType::Tinyint).clustering("c", CqlType::Tinyint, Order::Ascending);
        let schema = NAMES[..4].iter().fold(schema, |schema, name| schema.column(name, CqlType::Tinyint));
        table.create(schema.static_column("s", CqlType::Tinyint)).unwrap();
        table.insert(&[("p", 7i8.into()), ("c", 8i8.into()), ("s", 9i8.into())]).unwrap();
        let mut values = [None, None, None, None, Some(7i8), Some(9)];
        for (column, value, ttl) in writes {
            let value = value.map(|value| i8::try_from(value).unwrap());
            values[column] = value;
            let cells = [("p", 7i8.into()), ("c", 8i8.into()), (NAMES[column], value.map_or(CqlValue::Null, Into::into))];
            table.update_with(&cells, WriteOptions::default().ttl_seconds(ttl * 1_000)).unwrap();
        }
        let expected: Vec<_> = asked.iter().map(|at| values[*at].map(CqlValue::from)).collect();
        let query = || table.select((7i8,)).columns(asked.iter().map(|at| NAMES[*at]));
        let row = query().to_vec().unwrap().remove(0);
        prop_assert!(row.iter().map(|(_, value)| value.cloned()).eq(expected.iter().cloned()));
        let mut bytes = Vec::new();
        query().to_protocol(&mut bytes).unwrap();
        let form = |at: &usize| values[*at].map_or(vec![255; 4], |value| vec![0, 0, 0, 1, value.cast_unsigned()]);
        prop_assert_eq!(bytes, asked.iter().flat_map(form).collect::<Vec<_>>());
        let mut typed = Vec::new();
        query().for_each(|row| {
            let row: Vec<(String, Option<i8>)> = row.to::<InOrder>()?.0;
            typed = row;
            Ok(())
        }).unwrap();
        prop_assert!(typed.iter().map(|(name, value)| (&**name, *value)).eq(asked.iter().map(|at| (NAMES[*at], values[*at]))));
    }

    // SEM: WID-QRY-1
    #[test]
    fn a_range_holds_what_its_bounds_say(
        values in prop::collection::btree_set(-4i32..4, 0..8),
        lower in -4i32..4,
        upper in -4i32..4,
        order in prop::sample::select(vec![Order::Ascending, Order::Descending]),
        reverse: bool,
    ) {
        let store = Store::in_memory();
        let table = store.wide_table("test", "ranges");
        table.create(TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, order)).unwrap();
        for c in &values {
            table.insert(&[("p", 1.into()), ("c", (*c).into())]).unwrap();
        }
        let query = |select: Select| {
            let rows = if reverse { select.reverse() } else { select }.to_vec().unwrap();
            rows.iter().map(|row| row.get("c").unwrap().clone()).collect::<Vec<_>>()
        };
        let expected = |within: &dyn Fn(i32) -> bool| {
            let mut kept: Vec<_> = values.iter().copied().filter(|c| within(*c)).collect();
            if reverse != (order == Order::Descending) {
                kept.reverse();
            }
            kept.into_iter().map(CqlValue::from).collect::<Vec<_>>()
        };
        let all = || table.select((1,));
        prop_assert_eq!(query(all().range("c", lower..upper)), expected(&|c| (lower..upper).contains(&c)));
        prop_assert_eq!(query(all().range("c", lower..=upper)), expected(&|c| (lower..=upper).contains(&c)));
        prop_assert_eq!(query(all().range("c", lower..)), expected(&|c| c >= lower));
        prop_assert_eq!(query(all().range("c", ..upper)), expected(&|c| c < upper));
        let above = (std::ops::Bound::Excluded(lower), std::ops::Bound::Unbounded);
        prop_assert_eq!(query(all().range("c", above)), expected(&|c| c > lower));
        prop_assert_eq!(query(all().eq("c", lower)), expected(&|c| c == lower));
    }
}

#[test]
fn dropping_a_table_leaves_nothing_behind() {
    let (store, table) = table(&ManualClock::default());
    let row = [("p", 1.into()), ("c", 1.into()), ("a", cql(Some(1)))];
    table.insert_with(&row, WriteOptions::default().ttl_seconds(60)).unwrap();
    table.delete_partition((2,)).unwrap();
    table.drop_table().unwrap();
    assert!(dump(&table).iter().all(|(key, _)| key[..] == [0x01, 0x00]), "only the catalogue's last id");
    assert!(matches!(table.insert(&row), Err(crate::Error::NotFound { .. })));
    assert_eq!(store.sweep_expired().unwrap(), 0);
}

// SEM: WID-TMB-1
#[test]
fn nobody_looks_for_deletions_when_the_last_has_been_kept_long_enough() {
    let clock = ManualClock::default();
    let (store, table) = crowded(&clock);
    let looks = || {
        let of = |view: &crate::txn::View| {
            let record = &table.target.definition(view)?.record;
            Ok((record.has_deleted_partitions(), record.has_deleted_ranges()))
        };
        table.read("definition", of).unwrap()
    };
    let pass_grace = || {
        clock.advance(Duration::from_secs(GC_GRACE_SECONDS + 10));
        store.sweep_expired().unwrap();
    };
    let at = |timestamp: i64| WriteOptions::default().timestamp(timestamp);
    assert_eq!(looks(), (false, false));
    table.delete_partition_with((0,), at(1)).unwrap();
    table.delete_partition_with((1,), at(1)).unwrap();
    table.select((1,)).range("c", 0..1).delete_with(at(3)).unwrap();
    table.select((1,)).range("c", 0..5).delete_with(at(2)).unwrap();
    assert_eq!(looks(), (true, true));
    pass_grace();
    assert_eq!(looks(), (true, true), "there are jobs that have not removed everything yet");
    store.run_jobs().unwrap();
    pass_grace();
    assert_eq!(looks(), (false, false));
    assert!(dump(&table).iter().all(|(key, _)| key[0] != owner::WIDE_INDEXES), "and the list is empty");

    table.delete_partition_with((7,), at(1)).unwrap();
    assert_eq!(looks(), (true, false), "looked for again");
    table.insert_with(&[("p", 7.into()), ("c", 1.into()), ("a", cql(Some(1)))], at(1)).unwrap();
    assert!(table.select((7,)).to_vec().unwrap().is_empty());
    table.truncate().unwrap();
    store.run_jobs().unwrap();
    assert_eq!(looks(), (false, false));
    assert!(dump(&table).iter().all(|(key, _)| key[0] != owner::WIDE_INDEXES));
}

/// Changes of a definition among writes.
#[derive(Clone, Debug)]
enum Change {
    /// Values of columns that there are, at the clock's timestamp or long before.
    Write {
        marker: bool,
        place: (i32, i32),
        values: [Option<u8>; 3],
        is_old: bool,
    },
    DeleteRow((i32, i32)),
    Add(usize, bool),
    Drop(usize),
    Rename,
    Jobs,
    Reopen,
}

const NAMES: [&str; 3] = ["x", "y", "z"];

fn schema_change() -> impl Strategy<Value = Change> {
    let value = || prop::option::weighted(0.7, 0u8..3);
    let write = (any::<bool>(), (0..PARTITIONS, 0..ROWS), [value(), value(), value()], prop::bool::weighted(0.3));
    prop_oneof![
        6 => write.prop_map(|(marker, place, values, is_old)| Change::Write { marker, place, values, is_old }),
        1 => (0..PARTITIONS, 0..ROWS).prop_map(Change::DeleteRow),
        3 => (0usize..3, any::<bool>()).prop_map(|(name, is_text)| Change::Add(name, is_text)),
        2 => (0usize..3).prop_map(Change::Drop),
        1 => Just(Change::Rename),
        1 => Just(Change::Jobs),
        1 => Just(Change::Reopen),
    ]
}

/// What is seen of a row.
#[derive(Clone, Debug, Default, PartialEq)]
struct Visible {
    marker: bool,
    /// Whether it was deleted after every old write.
    is_deleted: bool,
    /// By name: the number of the value, and whether it is an old one.
    cells: BTreeMap<usize, (u8, bool)>,
}

#[derive(Clone, Debug)]
struct Altered {
    /// By name: whether it is text, and whether it hides old writes.
    columns: BTreeMap<usize, (bool, bool)>,
    was_dropped: [bool; 3],
    rows: BTreeMap<(i32, i32), Visible>,
    /// The name of the partition column.
    key: &'static str,
}

impl Altered {
    fn value(&self, name: usize, number: u8) -> CqlValue {
        match self.columns.get(&name) {
            Some((true, _)) => CqlValue::from(format!("v{number}")),
            _ => cql(Some(number)),
        }
    }

    fn apply(&mut self, store: &impl crate::WriteHandles, change: &Change) {
        let table = store.wide_table("test", "altered");
        match change {
            Change::Write { marker, place, values, is_old } => {
                let mut row = vec![(self.key, place.0.into()), ("c", place.1.into())];
                let there: Vec<_> = (0..3)
                    .filter_map(|name| Some((name, values[name]?)))
                    .filter(|(n, _)| self.columns.contains_key(n))
                    .collect();
                row.extend(there.iter().map(|(name, number)| (NAMES[*name], self.value(*name, *number))));
                let options = if *is_old { WriteOptions::default().timestamp(5) } else { WriteOptions::default() };
                let outcome = if *marker { table.insert_with(&row, options) } else { table.update_with(&row, options) };
                if !marker && there.is_empty() {
                    return assert!(outcome.is_err());
                }
                outcome.unwrap();
                let row = self.rows.entry(*place).or_default();
                if *is_old && row.is_deleted {
                    return;
                }
                row.marker |= marker;
                for (name, number) in there {
                    if *is_old && self.columns[&name].1 {
                        continue;
                    }
                    let new = (number, *is_old);
                    let cell = row.cells.entry(name).or_insert(new);
                    let wins = if *is_old { cell.1 && number > cell.0 } else { true };
                    if wins {
                        *cell = new;
                    }
                }
            }
            Change::DeleteRow(place) => {
                table.delete_row(*place).unwrap();
                self.rows.insert(*place, Visible { is_deleted: true, ..Visible::default() });
            }
            Change::Add(name, is_text) => {
                let cql_type = if *is_text { CqlType::Text } else { CqlType::Tinyint };
                let outcome = table.add_column(NAMES[*name], cql_type);
                match self.columns.get(name) {
                    Some((there, _)) if there == is_text => assert!(!outcome.unwrap()),
                    Some(_) => assert!(matches!(outcome, Err(crate::Error::AlreadyExists { what: "column", .. }))),
                    None => {
                        assert!(outcome.unwrap());
                        self.columns.insert(*name, (*is_text, self.was_dropped[*name]));
                    }
                }
            }
            Change::Drop(name) => {
                let was_there = self.columns.remove(name).is_some();
                assert_eq!(table.drop_column(NAMES[*name]).unwrap(), was_there);
                self.was_dropped[*name] |= was_there;
                for row in self.rows.values_mut() {
                    row.cells.remove(name);
                }
            }
            Change::Rename => {
                let to = if self.key == "p" { "q" } else { "p" };
                table.rename_column(self.key, to).unwrap();
                self.key = to;
            }
            Change::Jobs | Change::Reopen => {}
        }
    }

    fn check(&self, store: &impl crate::Handles) {
        let table = store.wide_table("test", "altered");
        let names: Vec<_> = table.schema().unwrap().columns().map(|column| column.name().to_owned()).collect();
        assert_eq!(names.len(), 2 + self.columns.len());
        for p in 0..PARTITIONS {
            let expected: Vec<_> = (0..ROWS)
                .filter_map(|c| Some((c, self.rows.get(&(p, c))?)))
                .filter(|(_, row)| row.marker || !row.cells.is_empty())
                .map(|(c, row)| {
                    let cells = row.cells.iter().map(|(name, (number, _))| (NAMES[*name], self.value(*name, *number)));
                    (c, cells.collect::<BTreeMap<_, _>>())
                })
                .collect();
            let rows = table.select((p,)).to_vec().unwrap();
            let found: Vec<_> = rows
                .iter()
                .map(|row| {
                    let Some(CqlValue::Int(c)) = row.get("c") else { panic!("{row:?}") };
                    assert_eq!(row.get(self.key), Some(&p.into()));
                    let cells = NAMES.iter().filter_map(|name| Some((*name, row.get(name)?.clone())));
                    (*c, cells.collect::<BTreeMap<_, _>>())
                })
                .collect();
            assert_eq!(found, expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // SEM: WID-LWW-1, WID-ROW-2
    #[test]
    fn columns_that_come_and_go_show_what_was_written_to_them(
        steps in prop::collection::vec((schema_change(), 0u8..3), 1..40),
        is_crowded: bool,
    ) {
        let (engine, clock) = (Arc::new(MemoryEngine::new()), ManualClock::at(crate::Timestamp::from_seconds(100)));
        let open = || {
            let engine = Arc::clone(&engine) as Arc<dyn Engine>;
            Store::builder().clock(clock.clone()).engine(engine).unwrap()
        };
        let mut store = open();
        let schema = TableSchema::new().partition_key("p", CqlType::Int).clustering("c", CqlType::Int, Order::Ascending);
        store.wide_table("test", "altered").create(schema.column("x", CqlType::Tinyint)).unwrap();
        let columns = BTreeMap::from([(0, (false, false))]);
        let mut model = Altered { columns, was_dropped: [false; 3], rows: BTreeMap::new(), key: "p" };
        if is_crowded {
            let insert = store.wide_table("test", "altered").prepare_insert(&["p", "c", "x"]).unwrap();
            (0..100).for_each(|c| insert.execute((99, c, 1i8)).unwrap());
        }
        for (change, how) in steps {
            clock.advance(Duration::from_secs(1));
            match (&change, how) {
                (Change::Reopen, _) => store = open(),
                (Change::Jobs, _) => drop(store.run_jobs().unwrap()),
                (_, 0) => {
                    let tx = store.begin().unwrap();
                    model.apply(&tx, &change);
                    model.check(&tx);
                    tx.commit().unwrap();
                }
                (_, 1) => {
                    let (tx, mut undone) = (store.begin().unwrap(), model.clone());
                    undone.apply(&tx, &change);
                    undone.check(&tx);
                }
                _ => {
                    let (before, old) = (store.snapshot().unwrap(), model.clone());
                    model.apply(&store, &change);
                    old.check(&before);
                }
            }
            model.check(&store);
            model.check(&store.fork().unwrap());
        }
        store.run_jobs().unwrap();
        model.check(&store);
        // What dropped columns held is not stored any more.
        let table = store.wide_table("test", "altered");
        let definition = table.read("definition", |view| table.target.definition(view)).unwrap();
        for (_, value) in dump(&table).iter().filter(|(key, _)| key[0] == owner::WIDE_ROWS) {
            for cell in RowView::new(value).unwrap().cells() {
                prop_assert!(definition.record.column_with(cell.unwrap().id).is_some());
            }
        }
    }
}
