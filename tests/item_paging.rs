//! Pages of queries and scans while others write: what is there throughout is returned once, in order, whatever is put
//! and deleted between two pages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use larder::item::request::{Query, Scan};
use larder::item::{GlobalIndex, Item, LocalIndex, ScalarAttributeType, TableSchema};
use larder::{AutoCommit, ItemTable, Store};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// The key of an item: partition and sort key, one number in a table without a sort key.
type Id = (u8, u8);

const PARTITIONS: u8 = 4;
const SORTS: u8 = 8;
/// Pages of a part, at most: one for each item that there can be, and an empty one.
const PAGES_MAX: usize = PARTITIONS as usize * SORTS as usize + 1;

/// What is read of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    TableWithoutSortKey,
    Table,
    Global,
    Local,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Scan { segments: u32 },
    Query { forward: bool },
}

/// What happens between two pages.
#[derive(Clone, Copy, Debug)]
enum Write {
    Put(Id),
    Delete(Id),
    /// The item that the start key of the next page names.
    DeleteStart,
    PutStart,
}

fn id() -> impl Strategy<Value = Id> {
    (0..PARTITIONS, 0..SORTS)
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => id().prop_map(Write::Put),
        4 => id().prop_map(Write::Delete),
        3 => Just(Write::DeleteStart),
        1 => Just(Write::PutStart),
    ]
}

fn of() -> impl Strategy<Value = Of> {
    prop::sample::select(vec![Of::TableWithoutSortKey, Of::Table, Of::Global, Of::Local])
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        (1..6u32).prop_map(|segments| Reading::Scan { segments }),
        any::<bool>().prop_map(|forward| Reading::Query { forward }),
    ]
}

/// The item `id`. What indexes have of it follows from its key, so that no write moves an entry.
fn item(of: Of, (p, s): Id) -> Item {
    let rank = u32::from((s * 5 + p) % 3);
    let item = match of {
        Of::TableWithoutSortKey => Item::new().with("pk", format!("{p}-{s}")),
        _ => Item::new().with("pk", format!("{p}")).with("sk", u32::from(s)),
    };
    item.with("p", u32::from(p)).with("s", u32::from(s)).with("g", format!("{}", (p + s) % 2)).with("rank", rank)
}

fn id_of(item: &Item) -> Id {
    let number = |name| u8::try_from(item.get(name).unwrap().as_n().unwrap().to_i64().unwrap()).unwrap();
    (number("p"), number("s"))
}

/// The item that a start key names.
fn named(of: Of, start: &Item) -> Id {
    let text = start.get("pk").unwrap().as_s().unwrap();
    match of {
        Of::TableWithoutSortKey => {
            let (p, s) = text.split_once('-').unwrap();
            (p.parse().unwrap(), s.parse().unwrap())
        }
        _ => (text.parse().unwrap(), u8::try_from(start.get("sk").unwrap().as_n().unwrap().to_i64().unwrap()).unwrap()),
    }
}

struct Table {
    store: Store,
    handle: ItemTable<AutoCommit>,
    of: Of,
}

impl Table {
    fn new(of: Of) -> Self {
        let store = Store::in_memory();
        let table = store.item_table("Paged");
        let mut schema = TableSchema::new("pk", ScalarAttributeType::S);
        if of != Of::TableWithoutSortKey {
            schema = schema.sort_key("sk", ScalarAttributeType::N);
        }
        let schema = match of {
            Of::Global => schema.global_index(
                GlobalIndex::new("index", "g", ScalarAttributeType::S).sort_key("rank", ScalarAttributeType::N),
            ),
            Of::Local => schema.local_index(LocalIndex::new("index", "rank", ScalarAttributeType::N)),
            Of::TableWithoutSortKey | Of::Table => schema,
        };
        table.create(schema).unwrap();
        Self { store, handle: table, of }
    }

    fn put(&self, id: Id) {
        self.handle.put(&item(self.of, id)).unwrap();
    }

    fn delete(&self, (p, s): Id) {
        match self.of {
            Of::TableWithoutSortKey => self.handle.delete(format!("{p}-{s}")).unwrap(),
            _ => self.handle.delete((format!("{p}"), u32::from(s))).unwrap(),
        };
    }

    fn index(&self) -> Option<String> {
        matches!(self.of, Of::Global | Of::Local).then(|| "index".to_owned())
    }

    /// What is asked for one after the other: the segments of a scan, or one query for each partition key.
    fn parts(&self, reading: Reading) -> Vec<Part> {
        match reading {
            Reading::Scan { segments } => (0..segments).map(|segment| Part::Segment(segment, segments)).collect(),
            Reading::Query { forward } => {
                let keys: BTreeSet<_> = (0..PARTITIONS)
                    .flat_map(|p| (0..SORTS).map(move |s| (p, s)))
                    .map(|id| {
                        let name = if self.of == Of::Global { "g" } else { "pk" };
                        item(self.of, id).get(name).unwrap().as_s().unwrap().to_owned()
                    })
                    .collect();
                keys.into_iter().map(|key| Part::Partition(key, forward)).collect()
            }
        }
    }

    /// A page of a part, and where the next one begins.
    fn page(&self, part: &Part, limit: Option<i64>, start: Option<Item>) -> (Vec<Item>, Option<Item>) {
        let (table_name, index_name, exclusive_start_key) = ("Paged".to_owned(), self.index(), start);
        let page = match part {
            Part::Segment(segment, total) => self.store.items().scan(&Scan {
                table_name,
                index_name,
                limit,
                exclusive_start_key,
                segment: Some((*segment).into()),
                total_segments: Some((*total).into()),
                ..Scan::default()
            }),
            Part::Partition(key, forward) => {
                let name = if self.of == Of::Global { "g" } else { "pk" };
                self.store.items().query(&Query {
                    table_name,
                    index_name,
                    limit,
                    exclusive_start_key,
                    scan_index_forward: Some(*forward),
                    key_condition_expression: Some(format!("{name} = :key")),
                    expression_attribute_values: Some([(":key".to_owned(), key.as_str().into())].into()),
                    ..Query::default()
                })
            }
        };
        let page = page.unwrap();
        (page.items.unwrap(), page.last_evaluated_key)
    }
}

#[derive(Clone, Debug)]
enum Part {
    Segment(u32, u32),
    Partition(String, bool),
}

/// What the items of a part are ordered by, if that does not depend on a hash.
fn order(of: Of, item: &Item) -> i64 {
    let name = match of {
        Of::Global | Of::Local => "rank",
        Of::TableWithoutSortKey | Of::Table => "s",
    };
    item.get(name).unwrap().as_n().unwrap().to_i64().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test] // SEM: ITM-QRY-1, ITM-QRY-2
    fn no_item_is_lost_or_repeated_whatever_is_written_between_pages(
        of in of(),
        reading in reading(),
        limits in vec(1..5i64, 1..4),
        first in btree_set(id(), 0..30),
        writes in vec(vec(write(), 0..4), 0..40),
    ) {
        let table = Table::new(of);
        for id in &first {
            table.put(*id);
        }
        // Items that are there from before the first page until after the last one.
        let mut throughout = first.clone();
        let (mut writes, mut limits) = (writes.into_iter(), limits.iter().cycle());
        let mut seen = Vec::new();
        for part in table.parts(reading) {
            let mut of_part: Vec<Item> = Vec::new();
            let (mut start, mut pages) = (None::<Item>, 0);
            loop {
                pages += 1;
                prop_assert!(pages <= PAGES_MAX, "{part:?} does not end: {of_part:?}");
                let limit = *limits.next().unwrap();
                let (items, last) = table.page(&part, Some(limit), start.take());
                prop_assert!(items.len() <= usize::try_from(limit).unwrap());
                of_part.extend(items);
                let named = last.as_ref().map(|last| named(of, last));
                for write in writes.next().unwrap_or_default() {
                    match (write, named) {
                        (Write::Put(id), _) | (Write::PutStart, Some(id)) => table.put(id),
                        (Write::Delete(id), _) | (Write::DeleteStart, Some(id)) => {
                            table.delete(id);
                            throughout.remove(&id);
                        }
                        (Write::PutStart | Write::DeleteStart, None) => {}
                    }
                }
                start = last;
                if start.is_none() {
                    break;
                }
            }
            if let Part::Partition(_, forward) = &part {
                let orders = of_part.iter().map(|item| order(of, item));
                let ascending: Vec<_> = if *forward { orders.collect() } else { orders.rev().collect() };
                prop_assert!(ascending.is_sorted(), "{part:?}: {ascending:?}");
            }
            // Pages are in the order in which everything comes at once.
            let (all, _) = table.page(&part, None, None);
            let kept = |items: &[Item]| -> Vec<Id> {
                items.iter().map(id_of).filter(|id| throughout.contains(id)).collect()
            };
            prop_assert_eq!(kept(&of_part), kept(&all), "{:?}", part);
            seen.extend(of_part.iter().map(id_of));
        }
        let once: BTreeSet<_> = seen.iter().copied().collect();
        prop_assert_eq!(once.len(), seen.len(), "an item comes twice: {:?}", seen);
        prop_assert!(throughout.is_subset(&once), "lost: {:?}", throughout.difference(&once).collect::<Vec<_>>());
    }
}

#[test] // SEM: ITM-QRY-1, ITM-QRY-2
fn threads_that_delete_and_put_take_nothing_from_those_that_page() {
    for of in [Of::TableWithoutSortKey, Of::Table, Of::Global, Of::Local] {
        let table = Table::new(of);
        let all: Vec<Id> = (0..PARTITIONS).flat_map(|p| (0..SORTS).map(move |s| (p, s))).collect();
        let (stay, change): (Vec<Id>, Vec<Id>) = all.iter().partition(|(p, s)| (p + s / 2) % 2 == 0);
        for id in &all {
            table.put(*id);
        }
        let (is_over, table) = (AtomicBool::new(false), &table);
        thread::scope(|scope| {
            for step in [3, 5] {
                let (change, is_over) = (&change, &is_over);
                scope.spawn(move || {
                    for n in (0..change.len()).cycle() {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let id = change.get(n * step % change.len()).unwrap();
                        table.delete(*id);
                        table.put(*id);
                        table.delete(*id);
                    }
                });
            }
            let stay = &stay;
            let paging: Vec<_> = [Reading::Scan { segments: 3 }, Reading::Query { forward: true }]
                .into_iter()
                .map(|reading| {
                    scope.spawn(move || {
                        for round in 0..20 {
                            let mut seen = Vec::new();
                            for part in table.parts(reading) {
                                let (mut start, mut pages) = (None, 0);
                                loop {
                                    pages += 1;
                                    assert!(pages <= PAGES_MAX, "{of:?} {part:?} does not end");
                                    let (items, last) = table.page(&part, Some(1 + round % 3), start);
                                    seen.extend(items.iter().map(id_of));
                                    start = last;
                                    if start.is_none() {
                                        break;
                                    }
                                }
                            }
                            let once: BTreeSet<_> = seen.iter().copied().collect();
                            assert_eq!(once.len(), seen.len(), "{of:?} {reading:?}: an item comes twice: {seen:?}");
                            let lost: Vec<_> = stay.iter().filter(|id| !once.contains(id)).collect();
                            assert!(lost.is_empty(), "{of:?} {reading:?}: lost: {lost:?}");
                        }
                    })
                })
                .collect();
            let outcomes: Vec<_> = paging.into_iter().map(thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Ordering::Relaxed);
            for outcome in outcomes {
                outcome.unwrap();
            }
        });
    }
}
