//! Plans that no method of the typed interface makes: virtual tables, and conditions on several columns.

use std::ops::Bound;
use std::sync::Arc;

use proptest::prelude::*;

use super::plan::{Bytes, Comparison, Edge, Filter, Partitions, Plan, Slice, Source};
use super::position::Position;
use super::virtual_table::{VirtualRow, VirtualTable};
use super::{Flow, Reader};
use crate::Store;
use crate::error::Result;
use crate::txn::View;
use crate::wide_column::schema::TableRecord;
use crate::wide_column::token::token;
use crate::wide_column::{CqlType, Order, TableSchema};

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
                let has_more = reader.run(view, &mut |row| {
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
        table.read("read", |view| Reader::new(view, plan)?.run(view, &mut |_| Ok(Flow::Continue)).map(drop))
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
