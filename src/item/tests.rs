//! Queries and scans against a sorted list.
//!
//! The list is slow and obviously right. Keys and values are few, so that they collide, and hold zero bytes and prefixes of
//! one another.

use proptest::collection::vec;
use proptest::prelude::*;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::job::Allowance;
use crate::engine::{Engine, MemoryEngine};
use crate::error::Result;
use crate::item::build;
use crate::item::{
    AttributeValue, GlobalIndex, IndexStatus, Item, ItemTable, KeyCondition, Page, Projection, Query,
    ScalarAttributeType, TableSchema, key,
};
use crate::txn::{Scope, WriteScope};
use crate::{ManualClock, Store};

/// Keys PK and SK, index `GSI1` of g and the number h over all attributes, and `GSI2` of g over v alone.
fn schema() -> TableSchema {
    TableSchema::new("PK", ScalarAttributeType::S)
        .sort_key("SK", ScalarAttributeType::S)
        .global_index(GlobalIndex::new("GSI1", "g", ScalarAttributeType::S).sort_key("h", ScalarAttributeType::N))
        .global_index(
            GlobalIndex::new("GSI2", "g", ScalarAttributeType::S).projection(Projection::Include(vec!["v".into()])),
        )
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
        assert!(expected.starts_with(&some) && some.len() as u64 == limit.min(expected.len() as u64), "limit {limit}");

        let limited = query.clone().limit(limit);
        let mut page = limited.clone().page().unwrap();
        let mut joined = std::mem::take(&mut page.items);
        while let Some(last) = page.last_key.take() {
            page = limited.clone().start_after(last).page().unwrap();
            assert!(page.items.len() as u64 <= limit);
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
    // A scan goes in the order of the hashes of partition keys.
    let mut by_hash: Vec<&Row> = rows.iter().collect();
    by_hash.sort_by_key(|row| (hash(&row.pk), row.primary_key()));
    let scanned = table.scan().to_vec().unwrap();
    assert_eq!(scanned, by_hash.iter().map(|row| row.item()).collect::<Vec<_>>());
    for total in [1, 2, 5] {
        let segments =
            (0..total).map(|number| table.scan().segment(number, total).page_size(probe.limit).to_vec().unwrap());
        assert_eq!(segments.flatten().collect::<Vec<_>>(), scanned, "{total} segments");
    }
    check_indexes(table, rows, probe);
}

/// What partition keys of tables are ordered by.
fn hash(pk: &str) -> u32 {
    let mut encoded = Vec::new();
    crate::encoding::ordered::put_bytes(&mut encoded, pk.as_bytes());
    crc32c::crc32c(&encoded)
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

/// Changes of the schema and of the items, few of each, so that all meet.
#[derive(Clone, Debug)]
enum Change {
    Put(u8, Option<Value>, Option<i64>),
    Delete(u8),
    /// Adds one of the two indexes, filling it for this many entries.
    Add(bool, usize),
    Remove(bool),
    Step(bool, usize),
    Reopen,
}

/// A value that indexes on strings hold, or one they do not.
#[derive(Clone, Debug)]
enum Value {
    Text(u8),
    Number,
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(n) => Self::from(format!("g{n}")),
            Value::Number => Self::from(7),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let value = prop_oneof![3 => (0u8..3).prop_map(Value::Text), 1 => Just(Value::Number)];
    let put = (0u8..6, prop::option::of(value), prop::option::of(0i64..3));
    prop_oneof![
        8 => put.prop_map(|(id, g, h)| Change::Put(id, g, h)),
        2 => (0u8..6).prop_map(Change::Delete),
        3 => (any::<bool>(), 0usize..4).prop_map(|(which, entries)| Change::Add(which, entries)),
        1 => any::<bool>().prop_map(Change::Remove),
        4 => (any::<bool>(), 1usize..3).prop_map(|(which, entries)| Change::Step(which, entries)),
        1 => Just(Change::Reopen),
    ]
}

/// By g, or by g and h.
fn added(with_h: bool) -> GlobalIndex {
    let index = GlobalIndex::new(if with_h { "by-g-h" } else { "by-g" }, "g", ScalarAttributeType::S);
    if with_h { index.sort_key("h", ScalarAttributeType::N) } else { index }
}

/// What a table with changing indexes should be.
#[derive(Default)]
struct Changing {
    items: BTreeMap<String, Item>,
    indexes: BTreeSet<bool>,
}

impl Changing {
    fn apply(&mut self, table: &ItemTable<impl WriteScope>, change: &Change) {
        match change {
            Change::Put(id, g, h) => {
                let mut item = Item::from([("PK", format!("k{id}"))]);
                g.clone().map(|g| item.insert("g", g));
                h.map(|h| item.insert("h", h));
                // SEM: ITM-IDX-1
                let is_fit = self.indexes.is_empty() || !matches!(g, Some(Value::Number));
                match table.put(&item) {
                    Ok(old) => {
                        assert!(is_fit, "{item:?}");
                        assert_eq!(old, self.items.insert(format!("k{id}"), item));
                    }
                    Err(error) => assert!(!is_fit && error.item_fault().is_some(), "{error}"),
                }
            }
            Change::Delete(id) => {
                assert_eq!(table.delete((format!("k{id}"),)).unwrap(), self.items.remove(&format!("k{id}")));
            }
            Change::Add(which, entries) => {
                let add = |writer: &mut _| table.add(writer, &added(*which), &mut Allowance::of(*entries)).map(drop);
                table.scope.write(table.target.operation("add_index"), add).unwrap();
                self.indexes.insert(*which);
            }
            Change::Remove(which) => {
                let was_there = self.indexes.remove(which);
                assert_eq!(table.remove_index(added(*which).name()).unwrap(), was_there);
            }
            Change::Step(which, entries) => {
                let name = added(*which).name().to_owned();
                let step = |writer: &mut _| build::advance(writer, &table.target, &name, &mut Allowance::of(*entries));
                let outcome = table.scope.write(table.target.operation("fill_index"), step);
                assert_eq!(outcome.is_ok(), self.indexes.contains(which), "{outcome:?}");
            }
            Change::Reopen => {}
        }
    }

    fn check<S: Scope>(&self, table: &ItemTable<S>) {
        let mut items: Vec<Item> = self.items.values().cloned().collect();
        items.sort_by_key(|item| item.get("PK").and_then(AttributeValue::as_s).map(hash));
        assert_eq!(table.scan().to_vec().unwrap(), items);
        for which in [false, true] {
            let name = added(which).name().to_owned();
            let read = table.scan().index(&name).to_vec();
            let status = table.index_status(&name);
            if !self.indexes.contains(&which) {
                assert!(status.as_ref().is_err_and(|error| error.item_fault().is_some()), "{status:?}");
                assert!(read.as_ref().is_err_and(|error| error.item_fault().is_some()), "{read:?}");
            } else if status.unwrap() == IndexStatus::Creating {
                assert!(read.unwrap_err().to_string().contains("backfilling"));
            } else {
                let is_in = |item: &&Item| {
                    item.get("g").is_some_and(|g| g.as_s().is_some()) && (!which || item.get("h").is_some())
                };
                let mut expected: Vec<&Item> = self.items.values().filter(is_in).collect();
                let sort_key = |item: &&Item| {
                    let h = item.get("h").and_then(AttributeValue::as_n).and_then(crate::item::Number::to_i64);
                    let g = item.get("g").unwrap().as_s().unwrap();
                    (hash(g), g.to_owned(), if which { h } else { None })
                };
                expected.sort_by_key(sort_key);
                assert_eq!(read.unwrap().iter().collect::<Vec<_>>(), expected, "index {name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test] // SEM: ITM-IDX-1, ITM-IDX-2
    fn indexes_that_come_and_go_show_what_they_should(
        steps in vec((change(), 0u8..4), 1..40),
    ) {
        let engine = Arc::new(MemoryEngine::new());
        let open = || {
            let engine = Arc::clone(&engine) as Arc<dyn Engine>;
            Store::builder().clock(ManualClock::default()).engine(engine).unwrap()
        };
        let mut store = open();
        let mut table = store.item_table("Changing");
        table.create(TableSchema::new("PK", ScalarAttributeType::S)).unwrap();
        let empty = store.stats().unwrap().entries;
        let mut model = Changing::default();
        for (change, how) in steps {
            match (&change, how) {
                (Change::Reopen, _) => {
                    store = open();
                    table = store.item_table("Changing");
                }
                // In a transaction that is committed, or rolled back.
                (_, 0) => {
                    let tx = store.begin().unwrap();
                    model.apply(&tx.item_table("Changing"), &change);
                    model.check(&tx.item_table("Changing"));
                    tx.commit().unwrap();
                }
                (_, 1) => {
                    let tx = store.begin().unwrap();
                    let mut undone = Changing { items: model.items.clone(), indexes: model.indexes.clone() };
                    undone.apply(&tx.item_table("Changing"), &change);
                    undone.check(&tx.item_table("Changing"));
                }
                // By a handle that has seen nothing of what was there before.
                (_, 2) => model.apply(&store.item_table("Changing"), &change),
                _ => model.apply(&table, &change),
            }
            model.check(&table);
            model.check(&store.snapshot().unwrap().item_table("Changing"));
        }
        let fork = store.fork().unwrap();
        fork.run_jobs().unwrap();
        model.check(&fork.item_table("Changing"));
        for which in &model.indexes {
            prop_assert_eq!(fork.item_table("Changing").index_status(added(*which).name()).unwrap(), IndexStatus::Active);
        }
        store.run_jobs().unwrap();
        model.check(&table);
        for which in [false, true] {
            model.apply(&table, &Change::Remove(which));
        }
        (0..6).for_each(|id| model.apply(&table, &Change::Delete(id)));
        prop_assert_eq!((store.pending_jobs().unwrap(), store.stats().unwrap().entries), (0, empty));
    }
}

#[test]
fn who_adds_an_index_leaves_its_job_to_whoever_has_claimed_it() {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    let table = store.item_table("Numbers");
    table.create(TableSchema::new("PK", ScalarAttributeType::N)).unwrap();
    for n in 0..2_000 {
        table.put(&Item::from([("PK", n), ("half", n / 2)])).unwrap();
    }
    let by_half = || GlobalIndex::new("by-half", "half", ScalarAttributeType::N);
    let mut added = None;
    table
        .scope
        .write(table.target.operation("add_index"), |writer| {
            added = Some(build::add(writer, &table.target, by_half(), &mut Allowance::of_step())?);
            Ok(())
        })
        .unwrap();
    let added = added.unwrap();
    assert!(!added.is_complete);
    let core = table.scope.auto_commit().unwrap().core();
    let claim = core.claims().try_claim(&added.entries).unwrap();
    std::thread::scope(|threads| {
        let waits = threads.spawn(|| table.add_index(by_half()));
        store.run_jobs().unwrap();
        assert_eq!(table.index_status("by-half").unwrap(), IndexStatus::Creating);
        drop(claim);
        waits.join().unwrap().unwrap();
    });
    assert_eq!(table.index_status("by-half").unwrap(), IndexStatus::Active);
    assert_eq!(table.scan().index("by-half").to_vec().unwrap().len(), 2_000);
}

type Stored = BTreeMap<Vec<u8>, Vec<u8>>;

/// Every entry of every index of the table, with its value, as it is stored and as it should be.
fn entries(table: &ItemTable) -> (Stored, Stored) {
    use crate::engine::{Direction, KeyRange};
    use crate::item::layout::EntryKey;
    use crate::item::record::RecordRef;
    use crate::item::{covering, layout};
    let view = table.scope.auto_commit().unwrap().core().view().unwrap();
    let definition = table.target.definition(&view).unwrap();
    let all = |prefix: &[u8]| {
        let mut cursor = view.range(&KeyRange::prefix(prefix), Direction::Forward).unwrap();
        let mut found = BTreeMap::new();
        while let Some((key, value)) = cursor.next().unwrap() {
            found.insert(key.to_vec(), value.to_vec());
        }
        found
    };
    let (mut stored, mut expected) = (BTreeMap::new(), BTreeMap::new());
    let items = all(&layout::prefix(definition.storage, None));
    for index in &definition.record.indexes {
        stored.extend(all(&layout::prefix(definition.storage, Some(index))));
        for (key, record) in &items {
            let item = RecordRef::new(record).unwrap();
            if let EntryKey::At(entry) = layout::entry_key(definition.storage, index, &item, key).unwrap() {
                let shown = covering::Shown::of(&definition.record.keys, index, record).unwrap();
                expected.insert(entry, shown.value().to_vec());
            }
        }
    }
    (stored, expected)
}

/// What is written to a table with indexes of every kind.
#[derive(Clone, Debug)]
enum Write {
    Put(u8, Option<u8>, Option<i64>, u8),
    Delete(u8),
    Update(u8, u8),
    Remove(u8),
    /// All of them, or none.
    Transaction(Vec<(u8, u8)>),
}

fn write() -> impl Strategy<Value = Write> {
    let put = (0u8..5, prop::option::of(0u8..3), prop::option::of(0i64..3), 0u8..3);
    prop_oneof![
        4 => put.prop_map(|(id, g, h, v)| Write::Put(id, g, h, v)),
        1 => (0u8..5).prop_map(Write::Delete),
        3 => (0u8..5, 0u8..3).prop_map(|(id, v)| Write::Update(id, v)),
        1 => (0u8..5).prop_map(Write::Remove),
        1 => vec((0u8..5, 0u8..3), 1..4).prop_map(Write::Transaction),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test] // SEM: ITM-IDX-1, ITM-TXN-1
    fn entries_of_indexes_are_what_the_items_give(writes in vec(write(), 1..40)) {
        use crate::item::request::{TransactAction, TransactWrite, TransactWriteItems};
        let store = Store::in_memory();
        let table = store.item_table("Every");
        let s = ScalarAttributeType::S;
        let global = |name: &str, projection| GlobalIndex::new(name, "g", s).sort_key("h", ScalarAttributeType::N).projection(projection);
        let local = crate::item::LocalIndex::new("local", "h", ScalarAttributeType::N);
        let schema = TableSchema::new("pk", s)
            .sort_key("sk", s)
            .global_index(global("all", Projection::All))
            .global_index(global("keys", Projection::KeysOnly))
            .global_index(global("some", Projection::Include(vec!["v".into()])))
            .local_index(local.projection(Projection::KeysOnly));
        table.create(schema).unwrap();
        let mut model: BTreeMap<u8, Item> = BTreeMap::new();
        let key_of = |id: u8| ("p".to_owned(), id.to_string());
        let blank = |id: u8| Item::from([("pk", "p".to_owned()), ("sk", id.to_string())]);
        for write in writes {
            match write {
                Write::Put(id, g, h, v) => {
                    let mut item = blank(id).with("v", v);
                    g.map(|g| item.insert("g", g.to_string()));
                    h.map(|h| item.insert("h", h));
                    table.put(&item).unwrap();
                    model.insert(id, item);
                }
                Write::Delete(id) => prop_assert_eq!(table.delete(key_of(id)).unwrap(), model.remove(&id)),
                Write::Update(id, v) => {
                    table.update(key_of(id)).expression("SET v = :v, g = :g").value(":v", v).value(":g", v.to_string()).run().unwrap();
                    let item = model.entry(id).or_insert_with(|| blank(id));
                    item.insert("v", v);
                    item.insert("g", v.to_string());
                }
                Write::Remove(id) => {
                    table.update(key_of(id)).expression("REMOVE h").run().unwrap();
                    model.entry(id).or_insert_with(|| blank(id)).remove("h");
                }
                Write::Transaction(parts) => {
                    let ids: BTreeSet<u8> = parts.iter().map(|(id, _)| *id).collect();
                    let action = |(id, v): &(u8, u8)| TransactWrite {
                        condition_expression: Some("attribute_exists(v)".into()),
                        ..TransactWrite::new("Every", TransactAction::Put(blank(*id).with("v", *v)))
                    };
                    let request = TransactWriteItems { transact_items: parts.iter().map(action).collect(), ..Default::default() };
                    let holds = ids.len() == parts.len()
                        && ids.iter().all(|id| model.get(id).is_some_and(|item| item.get("v").is_some()));
                    prop_assert_eq!(store.items().transact_write_items(&request).is_ok(), holds);
                    if holds {
                        model.extend(parts.iter().map(|(id, v)| (*id, blank(*id).with("v", *v))));
                    }
                }
            }
            let (stored, expected) = entries(&table);
            prop_assert_eq!(stored, expected);
        }
        for (id, item) in &model {
            let found = table.get(key_of(*id)).unwrap();
            prop_assert_eq!(found.as_ref(), Some(item));
        }
        prop_assert_eq!(table.scan().count().unwrap(), model.len() as u64);
    }
}
