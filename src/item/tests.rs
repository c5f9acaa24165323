//! Queries and scans against a sorted list.
//!
//! The list is slow and obviously right. Keys and values are few, so that they collide, and hold zero bytes and prefixes of
//! one another.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::Store;
use crate::error::Result;
use crate::item::{GlobalIndex, Item, ItemTable, KeyCondition, KeyType, Page, Projection, Query, TableSchema, key};
use crate::txn::{Scope, WriteScope};

/// Keys PK and SK, index `GSI1` of g and the number h over all attributes, and `GSI2` of g over v alone.
fn schema() -> TableSchema {
    TableSchema::new("PK", KeyType::S)
        .sort_key("SK", KeyType::S)
        .global_index(GlobalIndex::new("GSI1", "g", KeyType::S).sort_key("h", KeyType::N))
        .global_index(GlobalIndex::new("GSI2", "g", KeyType::S).projection(Projection::Include(vec!["v".into()])))
}

fn event(pk: &str, sk: &str) -> Item {
    Item::from([("PK", pk), ("SK", sk)])
}

#[derive(Clone, Debug)]
enum Op {
    Put(Row),
    Delete(String, String),
}

#[derive(Clone, Debug)]
struct Row {
    pk: String,
    sk: String,
    g: Option<String>,
    h: Option<i64>,
    v: u8,
}

impl Row {
    fn item(&self) -> Item {
        let mut item = event(&self.pk, &self.sk).with("v", self.v).with("w", true);
        self.g.as_ref().map(|g| item.insert("g", g.as_str()));
        self.h.map(|h| item.insert("h", h));
        item
    }

    fn primary_key(&self) -> (String, String) {
        (self.pk.clone(), self.sk.clone())
    }
}

#[derive(Clone, Debug)]
enum Test<V> {
    Eq(V),
    Lt(V),
    Le(V),
    Gt(V),
    Ge(V),
    Between(V, V),
}

impl<V: Ord + Clone> Test<V> {
    fn passes(&self, value: &V) -> bool {
        match self {
            Self::Eq(v) => value == v,
            Self::Lt(v) => value < v,
            Self::Le(v) => value <= v,
            Self::Gt(v) => value > v,
            Self::Ge(v) => value >= v,
            Self::Between(low, high) => low <= value && value <= high,
        }
    }

    fn condition(&self, name: &str) -> KeyCondition
    where
        V: Into<crate::item::KeyValue>,
    {
        let name = key(name);
        match self.clone() {
            Self::Eq(v) => name.eq(v),
            Self::Lt(v) => name.lt(v),
            Self::Le(v) => name.le(v),
            Self::Gt(v) => name.gt(v),
            Self::Ge(v) => name.ge(v),
            Self::Between(low, high) => name.between(low, high),
        }
    }
}

fn pk() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "ab", "a\0"]).prop_map(str::to_owned)
}

fn sk() -> impl Strategy<Value = String> {
    "[\0ab\u{e9}]{1,2}"
}

fn op() -> impl Strategy<Value = Op> {
    let row = (pk(), sk(), prop::option::of(pk()), prop::option::of(-2i64..3), 0u8..3);
    prop_oneof![
        4 => row.prop_map(|(pk, sk, g, h, v)| Op::Put(Row { pk, sk, g, h, v })),
        1 => (pk(), sk()).prop_map(|(pk, sk)| Op::Delete(pk, sk)),
    ]
}

fn test<V: Ord + Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = V> + Clone + 'static,
) -> impl Strategy<Value = Test<V>> {
    prop_oneof![
        value.clone().prop_map(Test::Eq),
        value.clone().prop_map(Test::Lt),
        value.clone().prop_map(Test::Le),
        value.clone().prop_map(Test::Gt),
        value.clone().prop_map(Test::Ge),
        (value.clone(), value).prop_map(|(a, b)| Test::Between(a.clone().min(b.clone()), a.max(b))),
    ]
}

#[derive(Clone, Debug)]
struct Probe {
    pk: String,
    on_sort: Test<String>,
    prefix: String,
    on_number: Test<i64>,
    limit: u64,
}

fn probe() -> impl Strategy<Value = Probe> {
    let sk = || prop::sample::select(vec!["\0", "a", "a\0", "ab", "b", "é"]).prop_map(str::to_owned);
    (pk(), test(sk()), sk(), test(-2i64..3), 1u64..5).prop_map(|(pk, on_sort, prefix, on_number, limit)| Probe {
        pk,
        on_sort,
        prefix,
        on_number,
        limit,
    })
}

fn apply(table: &ItemTable<impl WriteScope>, rows: &mut Vec<Row>, op: &Op) {
    let (key, new) = match op {
        Op::Put(row) => (row.primary_key(), Some(row.clone())),
        Op::Delete(pk, sk) => ((pk.clone(), sk.clone()), None),
    };
    let old = rows.iter().position(|row| row.primary_key() == key).map(|place| rows.remove(place).item());
    let answered = match &new {
        Some(row) => table.put(&row.item()).unwrap(),
        None => table.delete((key.0.as_str(), key.1.as_str())).unwrap(),
    };
    assert_eq!(answered, old, "a write answers the item as it was");
    rows.extend(new);
    rows.sort_by_key(Row::primary_key);
}

/// Whole, page by page, and item by item, in both directions, a query reads the rows that pass.
fn agrees<S: Scope>(query: &Query<S>, expected: &[Item], limit: u64) {
    for reverse in [false, true] {
        let mut expected = expected.to_vec();
        let mut query = query.clone();
        if reverse {
            expected.reverse();
            query = query.reverse();
        }
        let whole = query.clone().page().unwrap();
        assert_eq!(whole.items, expected, "reverse: {reverse}");
        assert_eq!((whole.scanned, whole.last_key), (expected.len() as u64, None));
        assert_eq!(query.clone().to_vec().unwrap(), expected);
        let some = query.clone().limit(limit).run().unwrap().collect::<Result<Vec<_>>>().unwrap();
        assert!(expected.starts_with(&some) && some.len() == expected.len().min(limit as usize), "limit {limit}");

        let limited = query.clone().limit(limit);
        let mut page = limited.clone().page().unwrap();
        let mut joined = std::mem::take(&mut page.items);
        while let Some(last) = page.last_key.take() {
            page = limited.clone().start_after(last).page().unwrap();
            assert!(page.items.len() <= limit as usize);
            joined.append(&mut page.items);
        }
        assert_eq!(joined, expected, "pages of {limit}");
        let pages: Vec<Page> = query.page_size(limit).pages().unwrap().collect::<Result<_>>().unwrap();
        assert_eq!(pages.into_iter().flat_map(|page| page.items).collect::<Vec<_>>(), expected);
    }
}

fn check<S: Scope>(table: &ItemTable<S>, rows: &[Row], probe: &Probe) {
    let items =
        |keep: &dyn Fn(&Row) -> bool| -> Vec<Item> { rows.iter().filter(|row| keep(row)).map(Row::item).collect() };
    let on_pk = || key("PK").eq(probe.pk.as_str());
    agrees(&table.query(on_pk()), &items(&|row| row.pk == probe.pk), probe.limit);
    let passing = items(&|row| row.pk == probe.pk && probe.on_sort.passes(&row.sk));
    agrees(&table.query(probe.on_sort.condition("SK").and(on_pk())), &passing, probe.limit);
    let beginning = items(&|row| row.pk == probe.pk && row.sk.starts_with(&probe.prefix));
    agrees(&table.query(on_pk().and(key("SK").begins_with(probe.prefix.as_str()))), &beginning, probe.limit);
    let scanned = table.scan().to_vec().unwrap();
    assert_eq!(scanned, items(&|_| true));
    check_indexes(table, rows, probe);
}

fn check_indexes<S: Scope>(table: &ItemTable<S>, rows: &[Row], probe: &Probe) {
    // SEM: ITM-IDX-1, ITM-IDX-2: only items with all index keys, equal index keys in the order of the table keys.
    let in_partition = |row: &&Row| row.g.as_ref() == Some(&probe.pk);
    let mut first: Vec<&Row> = rows.iter().filter(in_partition).filter(|row| row.h.is_some()).collect();
    first.sort_by_key(|row| (row.h, row.primary_key()));
    let passing = first.iter().filter(|row| row.h.is_some_and(|h| probe.on_number.passes(&h)));
    let passing: Vec<Item> = passing.map(|row| row.item()).collect();
    let condition = key("g").eq(probe.pk.as_str()).and(probe.on_number.condition("h"));
    agrees(&table.query(condition).index("GSI1"), &passing, probe.limit);

    let second: Vec<Item> = rows
        .iter()
        .filter(in_partition)
        .map(|row| event(&row.pk, &row.sk).with("v", row.v).with("g", probe.pk.as_str()))
        .collect();
    agrees(&table.query(key("g").eq(probe.pk.as_str())).index("GSI2"), &second, probe.limit);
    let entries = rows.iter().filter(|row| row.g.is_some()).count();
    assert_eq!(table.scan().index("GSI2").to_vec().unwrap().len(), entries);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test] // SEM: ITM-QRY-1, ITM-QRY-2, ITM-IDX-1, ITM-IDX-2
    fn reads_agree_with_a_sorted_list(before in vec(op(), 0..25), within in vec(op(), 0..15), probe in probe()) {
        let store = Store::in_memory();
        let table = store.item_table("Events");
        table.create(schema()).unwrap();
        let mut rows = Vec::new();
        for op in &before {
                apply(&table, &mut rows, op);
            }
        check(&table, &rows, &probe);

        let (snapshot, rows_before) = (store.snapshot().unwrap(), rows.clone());
        let tx = store.begin().unwrap();
        let of_tx = tx.item_table("Events");
        for op in &within {
                apply(&of_tx, &mut rows, op);
            }
        check(&of_tx, &rows, &probe);
        check(&table, &rows_before, &probe);
        tx.commit().unwrap();
        check(&table, &rows, &probe);
        check(&snapshot.item_table("Events"), &rows_before, &probe);
    }
}
