//! Tables against a model that keeps every write and decides when it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::encoding::ordered::Reader;
use crate::encoding::owner;
use crate::engine::{Direction, KeyRange};
use crate::wide_column::cell::{GC_GRACE_SECONDS, StoredRow};
use crate::wide_column::{CqlType, Order, Row, record};
use crate::{ManualClock, Store};

const COLUMNS: [&str; 2] = ["a", "b"];
const PARTITIONS: i32 = 2;
const ROWS: i32 = 2;

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

/// Every entry of the store but the last unique time, which is no table's.
fn dump(table: &WideTable) -> Vec<(Vec<u8>, Vec<u8>)> {
    let dump = table.scope.read(Operation::new("wide_column", "dump", ""), |view| {
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
                let row: StoredRow = record::decode(&value).unwrap();
                assert!(!row.is_empty());
                stored.extend(row.deadline().map(|deadline| (key, deadline.as_micros())));
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
        clock.advance(Duration::from_secs(GC_GRACE_SECONDS.unsigned_abs() + 10));
        store.sweep_expired().unwrap();
        prop_assert_eq!(dump(&table).len(), empty);
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
