//! Wide-column tables with static columns, sets, maps, lists, deleted ranges and counters, against a model that keeps every write and
//! decides when it is asked.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use larder::wide_column::{CqlType, CqlValue, Filter, Order, Row, TableSchema, WriteOptions};
use larder::{ManualClock, Store, WideTable};
use proptest::prelude::*;

const PARTITIONS: i32 = 2;
const ROWS: i32 = 4;

/// Rows of a partition that make what else is in it too much to be removed at once. They themselves are never deleted.
const CROWD: std::ops::Range<i32> = 1_000..1_070;

/// A write with few places, timestamps and values, so that everything meets.
#[derive(Clone, Debug)]
enum Op {
    Write {
        is_insert: bool,
        place: (i32, i32),
        value: Option<i8>,
        ttl: u32,
        timestamp: i64,
    },
    Static {
        partition: i32,
        value: Option<i8>,
        ttl: u32,
        timestamp: i64,
    },
    Set {
        place: (i32, i32),
        what: SetWrite,
        timestamp: i64,
    },
    Map {
        place: (i32, i32),
        what: MapWrite,
        timestamp: i64,
    },
    /// The places of a list's elements are those of the moments at which they were added, so that their order, and what is at a
    /// position, depends on the order of writes. Which elements there are does not; nor can a write be made again.
    List {
        place: (i32, i32),
        what: ListWrite,
        ttl: u32,
        timestamp: i64,
    },
    DeleteRow {
        place: (i32, i32),
        timestamp: i64,
    },
    DeleteRange {
        partition: i32,
        start: i32,
        end: i32,
        timestamp: i64,
    },
    DeletePartition {
        partition: i32,
        timestamp: i64,
    },
}

#[derive(Clone, Debug)]
enum SetWrite {
    Assign(BTreeSet<i8>),
    Add(i8),
    Remove(i8),
    Delete,
}

#[derive(Clone, Debug)]
enum MapWrite {
    Assign(BTreeMap<i8, i8>),
    Put(i8, i8),
    Remove(i8),
}

#[derive(Clone, Debug)]
enum ListWrite {
    Assign(Vec<i8>),
    Append(i8),
    Prepend(i8),
    Delete,
}

fn op() -> impl Strategy<Value = Op> {
    let place = || (0..PARTITIONS, 0..ROWS);
    let value = || prop::option::weighted(0.8, 0i8..3);
    let ttl = || prop_oneof![3 => Just(0), 1 => 1u32..6];
    let time = || 0i64..5;
    let set = prop_oneof![
        prop::collection::btree_set(0i8..3, 0..3).prop_map(SetWrite::Assign),
        (0i8..3).prop_map(SetWrite::Add),
        (0i8..3).prop_map(SetWrite::Remove),
        Just(SetWrite::Delete),
    ];
    let map = prop_oneof![
        prop::collection::btree_map(0i8..3, 0i8..3, 0..3).prop_map(MapWrite::Assign),
        (0i8..3, 0i8..3).prop_map(|(key, value)| MapWrite::Put(key, value)),
        (0i8..3).prop_map(MapWrite::Remove),
    ];
    let list = prop_oneof![
        1 => prop::collection::vec(0i8..3, 0..3).prop_map(ListWrite::Assign),
        2 => (0i8..3).prop_map(ListWrite::Append),
        1 => (0i8..3).prop_map(ListWrite::Prepend),
        1 => Just(ListWrite::Delete),
    ];
    prop_oneof![
        3 => (place(), list, ttl(), time())
            .prop_map(|(place, what, ttl, timestamp)| Op::List { place, what, ttl, timestamp }),
        4 => (any::<bool>(), place(), value(), ttl(), time()).prop_map(|(is_insert, place, value, ttl, timestamp)| {
            Op::Write { is_insert, place, value, ttl, timestamp }
        }),
        2 => (0..PARTITIONS, value(), ttl(), time())
            .prop_map(|(partition, value, ttl, timestamp)| Op::Static { partition, value, ttl, timestamp }),
        3 => (place(), set, time()).prop_map(|(place, what, timestamp)| Op::Set { place, what, timestamp }),
        3 => (place(), map, time()).prop_map(|(place, what, timestamp)| Op::Map { place, what, timestamp }),
        1 => (place(), time()).prop_map(|(place, timestamp)| Op::DeleteRow { place, timestamp }),
        3 => (0..PARTITIONS, 0..ROWS, 0..=ROWS, time())
            .prop_map(|(partition, start, end, timestamp)| Op::DeleteRange { partition, start, end, timestamp }),
        1 => (0..PARTITIONS, time()).prop_map(|(partition, timestamp)| Op::DeletePartition { partition, timestamp }),
    ]
}

fn table(store: &Store) -> WideTable {
    let table = store.wide_table("test", "cells");
    let schema = TableSchema::new()
        .partition_key("p", CqlType::Int)
        .clustering("c", CqlType::Int, Order::Descending)
        .static_column("s", CqlType::Tinyint)
        .column("a", CqlType::Tinyint)
        .column("t", CqlType::set(CqlType::Tinyint))
        .column("m", CqlType::map(CqlType::Tinyint, CqlType::Tinyint))
        .column("l", CqlType::list(CqlType::Tinyint));
    table.create(schema).unwrap();
    table
}

fn set(elements: impl IntoIterator<Item = i8>) -> CqlValue {
    CqlValue::Set(elements.into_iter().map(CqlValue::from).collect())
}

fn apply(table: &WideTable, op: &Op) {
    let at = |timestamp: i64| WriteOptions::default().timestamp(timestamp);
    match op {
        Op::Write { is_insert, place, value, ttl, timestamp } => {
            let change = table.change(*place).set("a", *value).with_options(at(*timestamp).ttl_seconds(*ttl));
            if *is_insert { change.insert() } else { change }.execute().unwrap();
        }
        Op::Static { partition, value, ttl, timestamp } => {
            let options = at(*timestamp).ttl_seconds(*ttl);
            table.change((*partition,)).set("s", *value).with_options(options).execute().unwrap();
        }
        Op::Set { place, what, timestamp } => {
            let change = table.change(*place).with_options(at(*timestamp));
            let change = match what {
                SetWrite::Assign(elements) => change.set("t", set(elements.iter().copied())),
                SetWrite::Add(element) => change.append("t", set([*element])),
                SetWrite::Remove(element) => change.remove("t", set([*element])),
                SetWrite::Delete => change.set("t", CqlValue::Null),
            };
            change.execute().unwrap();
        }
        Op::Map { place, what, timestamp } => {
            let change = table.change(*place).with_options(at(*timestamp));
            let change = match what {
                MapWrite::Assign(entries) => {
                    let entries = entries.iter().map(|(key, value)| ((*key).into(), (*value).into()));
                    change.set("m", CqlValue::Map(entries.collect()))
                }
                MapWrite::Put(key, value) => change.set_element("m", *key, *value),
                MapWrite::Remove(key) => change.remove("m", set([*key])),
            };
            change.execute().unwrap();
        }
        Op::List { place, what, ttl, timestamp } => {
            let list = |elements: &[i8]| CqlValue::List(elements.iter().map(|element| (*element).into()).collect());
            let change = table.change(*place);
            let (change, options) = match what {
                ListWrite::Assign(elements) => (change.set("l", list(elements)), at(*timestamp).ttl_seconds(*ttl)),
                ListWrite::Append(element) => (change.append("l", list(&[*element])), at(*timestamp).ttl_seconds(*ttl)),
                ListWrite::Prepend(element) => {
                    (change.prepend("l", list(&[*element])), at(*timestamp).ttl_seconds(*ttl))
                }
                ListWrite::Delete => (change.set("l", CqlValue::Null), at(*timestamp)),
            };
            change.with_options(options).execute().unwrap();
        }
        Op::DeleteRow { place, timestamp } => table.delete_row_with(*place, at(*timestamp)).unwrap(),
        Op::DeleteRange { partition, start, end, timestamp } => {
            table.select((*partition,)).range("c", *start..*end).delete_with(at(*timestamp)).unwrap();
        }
        Op::DeletePartition { partition, timestamp } => {
            table.delete_partition_with((*partition,), at(*timestamp)).unwrap();
        }
    }
}

fn apply_all(table: &WideTable, ops: &[Op]) {
    for op in ops {
        apply(table, op);
    }
}

/// Where a value is: a static column, or one of a row with what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Static,
    Marker,
    Column,
    Element(i8),
    Entry(i8),
}

/// What is seen of a row.
type Seen = (Option<i32>, Option<i8>, Option<i8>, BTreeSet<i8>, BTreeMap<i8, i8>, Vec<i8>);

/// Every write, with the second it was made at.
#[derive(Clone, Default)]
struct Model(Vec<(i64, Op)>);

impl Model {
    /// The timestamp up to which everything at a place is deleted; at no row, of the partition's static values.
    fn covered(&self, partition: i32, row: Option<i32>) -> i64 {
        let covers = |op: &Op| match op {
            Op::DeleteRow { place, timestamp } if Some(*place) == row.map(|row| (partition, row)) => Some(*timestamp),
            Op::DeleteRange { partition: of, start, end, timestamp } if *of == partition => {
                row.is_some_and(|row| (*start..*end).contains(&row)).then_some(*timestamp)
            }
            Op::DeletePartition { partition: of, timestamp } if *of == partition => Some(*timestamp),
            _ => None,
        };
        self.0.iter().filter_map(|(_, op)| covers(op)).max().unwrap_or(i64::MIN)
    }

    /// The timestamp up to which the parts of a collection are deleted.
    fn covered_parts(&self, place: (i32, i32), cell: Cell) -> i64 {
        let covers = |op: &Op| match (op, cell) {
            (Op::Set { place: of, what: SetWrite::Assign(_), timestamp }, Cell::Element(_)) if *of == place => {
                Some(*timestamp - 1)
            }
            (Op::Set { place: of, what: SetWrite::Delete, timestamp }, Cell::Element(_)) if *of == place => {
                Some(*timestamp)
            }
            (Op::Map { place: of, what: MapWrite::Assign(_), timestamp }, Cell::Entry(_)) if *of == place => {
                Some(*timestamp - 1)
            }
            _ => None,
        };
        self.0.iter().filter_map(|(_, op)| covers(op)).max().unwrap_or(i64::MIN)
    }

    /// What a cell holds at `now`: the largest write by timestamp, kind, local time and value.
    fn cell(&self, (partition, row): (i32, Option<i32>), cell: Cell, now: i64) -> Option<i8> {
        let place = (partition, row.unwrap_or(-1));
        let covered = self.covered(partition, row).max(self.covered_parts(place, cell));
        let plain = |made: i64, value: Option<i8>, ttl: u32, timestamp: i64| match value {
            None => (timestamp, 2, made, 0),
            Some(value) if ttl > 0 => (timestamp, 1, made + i64::from(ttl), value),
            Some(value) => (timestamp, 0, 0, value),
        };
        let write = |(made, op): &(i64, Op)| match (op, cell) {
            (Op::Static { partition: of, value, ttl, timestamp }, Cell::Static) if *of == partition => {
                Some(plain(*made, *value, *ttl, *timestamp))
            }
            (Op::Write { place: of, value, ttl, timestamp, .. }, Cell::Column) if *of == place => {
                Some(plain(*made, *value, *ttl, *timestamp))
            }
            (Op::Write { is_insert: true, place: of, ttl, timestamp, .. }, Cell::Marker) if *of == place => {
                Some(plain(*made, Some(0), *ttl, *timestamp))
            }
            (Op::Set { place: of, what, timestamp }, Cell::Element(element)) if *of == place => match what {
                SetWrite::Assign(elements) if elements.contains(&element) => Some(plain(*made, Some(0), 0, *timestamp)),
                SetWrite::Add(added) if *added == element => Some(plain(*made, Some(0), 0, *timestamp)),
                SetWrite::Remove(removed) if *removed == element => Some(plain(*made, None, 0, *timestamp)),
                _ => None,
            },
            (Op::Map { place: of, what, timestamp }, Cell::Entry(key)) if *of == place => match what {
                MapWrite::Assign(entries) => entries.get(&key).map(|value| plain(*made, Some(*value), 0, *timestamp)),
                MapWrite::Put(own, value) if *own == key => Some(plain(*made, Some(*value), 0, *timestamp)),
                MapWrite::Remove(own) if *own == key => Some(plain(*made, None, 0, *timestamp)),
                _ => None,
            },
            _ => None,
        };
        let last = self.0.iter().filter_map(write).filter(|(timestamp, ..)| *timestamp > covered).max();
        last.and_then(|(_, kind, local, value)| (kind == 0 || kind == 1 && now < local).then_some(value))
    }

    /// The elements of a list at `now`, in the order of their values.
    fn list(&self, place: (i32, i32), now: i64) -> Vec<i8> {
        let own = || {
            self.0.iter().filter_map(|(made, op)| match op {
                Op::List { place: of, what, ttl, timestamp } if *of == place => Some((*made, what, *ttl, *timestamp)),
                _ => None,
            })
        };
        let deletion = |(_, what, _, timestamp): (i64, &ListWrite, u32, i64)| match what {
            ListWrite::Assign(_) => Some(timestamp - 1),
            ListWrite::Delete => Some(timestamp),
            ListWrite::Append(_) | ListWrite::Prepend(_) => None,
        };
        let covered = own().filter_map(deletion).max().unwrap_or(i64::MIN).max(self.covered(place.0, Some(place.1)));
        let is_there =
            |made: i64, ttl: u32, timestamp: i64| timestamp > covered && (ttl == 0 || now < made + i64::from(ttl));
        let mut found: Vec<i8> = own()
            .filter(|(made, _, ttl, timestamp)| is_there(*made, *ttl, *timestamp))
            .flat_map(|(_, what, ..)| match what {
                ListWrite::Assign(elements) => elements.clone(),
                ListWrite::Append(element) | ListWrite::Prepend(element) => vec![*element],
                ListWrite::Delete => Vec::new(),
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// What is seen of a partition, the largest clustering value first.
    fn rows(&self, partition: i32, now: i64) -> Vec<Seen> {
        let own = self.cell((partition, None), Cell::Static, now);
        let row = |c: i32| {
            let cell = |cell: Cell| self.cell((partition, Some(c)), cell, now);
            let elements: BTreeSet<_> = (0..3).filter(|element| cell(Cell::Element(*element)).is_some()).collect();
            let entries: BTreeMap<_, _> = (0..3).filter_map(|key| Some((key, cell(Cell::Entry(key))?))).collect();
            let value = cell(Cell::Column);
            let list = self.list((partition, c), now);
            let has_parts = !elements.is_empty() || !entries.is_empty() || !list.is_empty();
            let exists = cell(Cell::Marker).is_some() || value.is_some() || has_parts;
            exists.then_some((Some(c), own, value, elements, entries, list))
        };
        let rows: Vec<_> = (0..ROWS).rev().filter_map(row).collect();
        if rows.is_empty() && own.is_some() {
            return vec![(None, own, None, BTreeSet::new(), BTreeMap::new(), Vec::new())];
        }
        rows
    }
}

fn tinyint(value: &CqlValue) -> i8 {
    let CqlValue::Tinyint(value) = value else { panic!("{value:?}") };
    *value
}

fn seen(row: &Row) -> Seen {
    let c = row.get("c").map(|value| match value {
        CqlValue::Int(value) => *value,
        other => panic!("{other:?}"),
    });
    let elements = match row.get("t") {
        Some(CqlValue::Set(elements)) => elements.iter().map(tinyint).collect(),
        None => BTreeSet::new(),
        other => panic!("{other:?}"),
    };
    let entries = match row.get("m") {
        Some(CqlValue::Map(entries)) => entries.iter().map(|(key, value)| (tinyint(key), tinyint(value))).collect(),
        None => BTreeMap::new(),
        other => panic!("{other:?}"),
    };
    let mut list = match row.get("l") {
        Some(CqlValue::List(elements)) => elements.iter().map(tinyint).collect(),
        None => Vec::new(),
        other => panic!("{other:?}"),
    };
    list.sort_unstable();
    (c, row.get("s").map(tinyint), row.get("a").map(tinyint), elements, entries, list)
}

/// What is seen of a table, with when it was written.
fn whole(table: &WideTable) -> Vec<(Seen, [Option<i64>; 4])> {
    let times = |row: &Row| ["s", "a", "t", "m"].map(|name| row.write_time(name));
    table.scan().to_vec().unwrap().iter().map(|row| (seen(row), times(row))).collect()
}

fn store(clock: &ManualClock) -> Store {
    Store::builder().clock(clock.clone()).in_memory()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    // SEM: WID-LWW-1, WID-LWW-2, WID-TMB-1, WID-ROW-3, WID-ROW-4
    #[test]
    fn any_order_of_the_same_writes_ends_in_the_same_state_with_space_reclaimed_or_not(
        (ops, shuffled) in prop::collection::vec(op(), 1..14)
            .prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle())),
        when in prop::collection::vec(0u8..4, 14),
        is_crowded: bool,
    ) {
        let clock = ManualClock::default();
        let (one, other) = (store(&clock), store(&clock));
        let (straight, mixed) = (table(&one), table(&other));
        if is_crowded {
            for table in [&straight, &mixed] {
                for (p, c) in (0..PARTITIONS).flat_map(|p| CROWD.map(move |c| (p, c))) {
                    table.change((p, c)).insert().with_options(WriteOptions::default().timestamp(i64::MAX)).execute().unwrap();
                }
            }
        }
        apply_all(&straight, &ops);
        for (op, when) in shuffled.iter().zip(when) {
            apply(&mixed, op);
            match when {
                0 => drop(other.run_jobs().unwrap()),
                1 => drop(other.sweep_expired().unwrap()),
                _ => {}
            }
        }
        prop_assert_eq!(whole(&straight), whole(&mixed));
        one.run_jobs().unwrap();
        other.run_jobs().unwrap();
        prop_assert_eq!(whole(&straight), whole(&mixed), "when everything has been tidied");
        let again: Vec<_> = ops.into_iter().filter(|op| !matches!(op, Op::List { .. })).collect();
        apply_all(&mixed, &again);
        prop_assert_eq!(whole(&straight), whole(&mixed), "writing again changes nothing");
    }

    // SEM: WID-ROW-2, WID-ROW-3, WID-ROW-4, WID-LWW-2, WID-TTL-1, WID-TMB-1, ALL-3
    #[test]
    fn a_table_agrees_with_a_log_of_its_writes(
        steps in prop::collection::vec((op(), 0u64..3, 0u8..5), 1..25),
        is_crowded: bool,
    ) {
        let clock = ManualClock::default();
        let store = store(&clock);
        let table = table(&store);
        if is_crowded {
            for (p, c) in (0..PARTITIONS).flat_map(|p| CROWD.map(move |c| (p, c))) {
                table.change((p, c)).insert().with_options(WriteOptions::default().timestamp(i64::MAX)).execute().unwrap();
            }
        }
        let mut model = Model::default();
        for (op, seconds, then) in steps {
            apply(&table, &op);
            model.0.push((store.now().as_seconds(), op));
            clock.advance(Duration::from_secs(seconds));
            match then {
                0 => drop(store.run_jobs().unwrap()),
                1 => drop(store.sweep_expired().unwrap()),
                _ => {}
            }
            let now = store.now().as_seconds();
            for p in 0..PARTITIONS {
                let is_own = |row: &Seen| row.0.is_none_or(|c| c < ROWS);
                let mut expected = model.rows(p, now);
                if is_crowded {
                    // A partition that has rows has none for its static values alone.
                    expected.retain(|row| row.0.is_some());
                }
                let rows: Vec<_> = table.select((p,)).to_vec().unwrap().iter().map(seen).filter(is_own).collect();
                prop_assert_eq!(&rows, &expected);
                expected.retain(|row| row.0.is_some());
                expected.reverse();
                let query = table.select((p,)).range("c", ..ROWS).reverse();
                let rows: Vec<_> = query.to_vec().unwrap().iter().map(seen).collect();
                prop_assert_eq!(&rows, &expected);
                for row in &expected {
                    let found = table.select((p,)).eq("c", row.0.unwrap()).to_vec().unwrap();
                    prop_assert_eq!(found.iter().map(seen).collect::<Vec<_>>(), vec![row.clone()]);
                }
            }
        }
    }

    // SEM: WID-QRY-2, WID-QRY-4
    #[test]
    fn pages_lose_and_repeat_no_row_at_any_size_in_both_directions(
        ops in prop::collection::vec(op(), 1..25),
        rows in 1usize..7,
        limit in prop::option::of(1u64..9),
        per_partition in prop::option::of(1u64..4),
        is_filtered: bool,
        is_reversed: bool,
        has_range: bool,
    ) {
        let store = store(&ManualClock::default());
        let table = table(&store);
        apply_all(&table, &ops);
        let with = |mut query: larder::wide_column::Select| {
            if let Some(limit) = limit {
                query = query.limit(limit);
            }
            if let Some(limit) = per_partition {
                query = query.limit_per_partition(limit);
            }
            if is_filtered {
                query = query.filter(Filter::greater("a", 0i8));
            }
            query
        };
        let mut queries = vec![with(table.scan())];
        let mut several = table.select_all([(1,), (0,), (7,)]);
        if is_reversed {
            several = several.reverse();
        }
        if has_range {
            several = several.range("c", 1..);
        }
        queries.push(with(several));
        queries.push(with(table.select_all([(1,), (0,)]).is_in("c", [3, 0, 2])));
        for query in queries {
            let all: Vec<_> = query.clone().to_vec().unwrap().iter().map(seen).collect();
            let (mut found, mut next) = (Vec::new(), query);
            loop {
                let page = next.clone().page(rows).unwrap();
                prop_assert!(page.rows.len() <= rows && (page.next.is_none() || page.rows.len() == rows));
                found.extend(page.rows.iter().map(seen));
                let Some(position) = page.next else { break };
                // As bytes, as one who comes back would bring it.
                next = next.after(larder::wide_column::PagePosition::from_bytes(&position.to_bytes()).unwrap());
            }
            prop_assert_eq!(found, all);
        }
    }

    // SEM: WID-LWW-4
    #[test]
    fn counters_are_the_sums_of_what_was_added(
        (adds, shuffled) in prop::collection::vec((0..PARTITIONS, 0usize..2, -3i64..4), 1..20)
            .prop_flat_map(|adds| (Just(adds.clone()), Just(adds).prop_shuffle())),
    ) {
        let store = store(&ManualClock::default());
        let make = |name: &str, adds: &[(i32, usize, i64)]| {
            let table = store.wide_table("test", name);
            let schema = TableSchema::new().partition_key("p", CqlType::Int);
            table.create(schema.column("a", CqlType::Counter).column("b", CqlType::Counter)).unwrap();
            for (p, column, amount) in adds {
                table.change((*p,)).add(["a", "b"][*column], *amount).execute().unwrap();
            }
            table
        };
        let (straight, mixed) = (make("one", &adds), make("other", &shuffled));
        let mut sums = BTreeMap::new();
        for (p, column, amount) in &adds {
            *sums.entry((*p, *column)).or_insert(0) += amount;
        }
        for p in 0..PARTITIONS {
            let expected = [0, 1].map(|column| sums.get(&(p, column)).copied().map(CqlValue::Counter));
            for table in [&straight, &mixed] {
                let rows = table.select((p,)).to_vec().unwrap();
                let found = ["a", "b"].map(|name| rows.first().and_then(|row| row.get(name).cloned()));
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
