//! Operations in this process, by the time that the thread has had of a processor: both sides, and the bare engine, take
//! turns. Requests are made before the clock starts, and what is returned is dropped after it has stopped.

use std::hint::black_box;
use std::sync::Arc;

use comfy_table::{Table, presets};
use dynoxide::Database;
use larder::engine::{Changes, Durability, Engine as _, MemoryEngine};
use larder::item::{GlobalIndex, Item, Key, ScalarAttributeType, TableSchema, key};
use larder::{ItemTable, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ITEMS: usize = 10_000;
/// Items with one partition key, in the table and in the index.
const PARTITION_ITEMS: usize = 1_000;
const ROUNDS: usize = 5;
const PAGE_ITEMS: usize = 100;
const LARGE_BYTES: usize = 100 << 10;

/// Nanoseconds that the thread has had of a processor.
fn cpu_ns() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The time of each of so many calls, in microseconds, with what each is given made before.
fn time<A, R>(turns: usize, make: impl Fn(usize) -> A, mut run: impl FnMut(A) -> R) -> f64 {
    let arguments: Vec<A> = (0..turns).map(make).collect();
    let mut results = Vec::with_capacity(turns);
    let start = cpu_ns();
    for argument in arguments {
        results.push(black_box(run(argument)));
    }
    (cpu_ns() - start) / turns as f64 / 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Medians of rounds in which each of `ways` has its turn.
fn rounds<const N: usize>(mut ways: [&mut dyn FnMut(usize) -> f64; N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..ROUNDS {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            times.push(way(round));
        }
    }
    times.map(median)
}

/// A request of Dynoxide's from JSON.
fn request<R: DeserializeOwned>(body: Value) -> R {
    serde_json::from_value(body).unwrap()
}

/// What items look like: 1 KB in eight attributes, with so many numbers more.
#[derive(Clone, Copy)]
struct Look {
    numbers: usize,
    has_index: bool,
}

impl Look {
    /// Item `n` as it is in round `round`, in which its place in the index is another.
    fn item(self, n: usize, round: usize) -> Item {
        let mut item = Item::new()
            .with("PK", partition(n))
            .with("SK", sort(n))
            .with("GSI1PK", format!("KIND#{}", n % (ITEMS / PARTITION_ITEMS)))
            .with("GSI1SK", format!("{:08}", n * 7 + round))
            .with("amount", u32::try_from(n).unwrap())
            .with("state", "delivered")
            .with("is_gift", n.is_multiple_of(2))
            .with("note", "x".repeat(860));
        for number in 0..self.numbers {
            item = item.with(format!("number{number:02}"), u32::try_from(n * 31 + number).unwrap());
        }
        item
    }

    fn json(self, n: usize, round: usize) -> Value {
        let mut item = json!({
            "PK": {"S": partition(n)},
            "SK": {"S": sort(n)},
            "GSI1PK": {"S": format!("KIND#{}", n % (ITEMS / PARTITION_ITEMS))},
            "GSI1SK": {"S": format!("{:08}", n * 7 + round)},
            "amount": {"N": n.to_string()},
            "state": {"S": "delivered"},
            "is_gift": {"BOOL": n.is_multiple_of(2)},
            "note": {"S": "x".repeat(860)},
        });
        for number in 0..self.numbers {
            item[format!("number{number:02}")] = json!({"N": (n * 31 + number).to_string()});
        }
        item
    }
}

fn partition(n: usize) -> String {
    format!("USER#{}", n / PARTITION_ITEMS)
}

fn sort(n: usize) -> String {
    format!("EVENT#{:08}", n % PARTITION_ITEMS)
}

/// A number of an item, another each turn.
fn number(turn: usize) -> usize {
    turn * 7_919 % ITEMS
}

/// The same items on both sides.
struct Sides {
    look: Look,
    larder: ItemTable,
    dynoxide: Database,
}

impl Sides {
    fn new(look: Look) -> Self {
        let larder = Store::in_memory().item_table("Events");
        larder.create(schema(look.has_index)).unwrap();
        let dynoxide = Database::memory().unwrap();
        dynoxide.create_table(request(definition("Events", look.has_index))).unwrap();
        let sides = Self { look, larder, dynoxide };
        for n in 0..ITEMS {
            sides.larder.put(&look.item(n, 0)).unwrap();
            sides.dynoxide.put_item(sides.put_request(n, 0)).unwrap();
        }
        sides
    }

    fn put_request<R: DeserializeOwned>(&self, n: usize, round: usize) -> R {
        request(json!({"TableName": "Events", "Item": self.look.json(n, round)}))
    }

    fn put(&self) -> [f64; 2] {
        let turns = 2_000;
        let look = self.look;
        rounds([
            &mut |round| time(turns, |turn| look.item(number(turn), round + 1), |item| self.larder.put(&item).unwrap()),
            &mut |round| {
                let make = |turn| self.put_request(number(turn), round + 1);
                time(turns, make, |request| self.dynoxide.put_item(request).unwrap())
            },
        ])
    }

    fn get(&self) -> [f64; 2] {
        let turns = 5_000;
        let make = |turn: usize| {
            let n = number(turn);
            json!({"TableName": "Events", "Key": {"PK": {"S": partition(n)}, "SK": {"S": sort(n)}}})
        };
        let larder_key = |turn| Key::from((partition(number(turn)), sort(number(turn))));
        rounds([&mut |_| time(turns, larder_key, |key| self.larder.get(&key).unwrap().unwrap()), &mut |_| {
            time(turns, |turn| request(make(turn)), |get| self.dynoxide.get_item(get).unwrap().item.unwrap())
        }])
    }

    /// The newest of a partition of the table, or of the index.
    fn newest(&self, index: Option<&str>) -> [f64; 2] {
        let turns = 50;
        let names = if index.is_some() { ["GSI1PK", "GSI1SK"] } else { ["PK", "SK"] };
        let value = |turn: usize| match index {
            Some(_) => format!("KIND#{}", turn % 10),
            None => format!("USER#{}", turn % 10),
        };
        let body = |turn: usize| {
            let mut body = json!({
                "TableName": "Events", "KeyConditionExpression": format!("{} = :p", names[0]), "ScanIndexForward": false,
                "Limit": PAGE_ITEMS, "ExpressionAttributeValues": {":p": {"S": value(turn)}},
            });
            if let Some(index) = index {
                body["IndexName"] = json!(index);
            }
            request(body)
        };
        let query = |turn: usize| {
            let query = self.larder.query(key(names[0]).eq(value(turn))).reverse().page_size(PAGE_ITEMS as u64);
            match index {
                Some(index) => query.index(index),
                None => query,
            }
        };
        rounds([
            &mut |_| {
                time(turns, query, |query| {
                    let page = query.page().unwrap();
                    assert_eq!(page.items.len(), PAGE_ITEMS);
                    page
                })
            },
            &mut |_| {
                time(turns, body, |query| {
                    let page = self.dynoxide.query(query).unwrap();
                    assert_eq!(page.items.as_ref().unwrap().len(), PAGE_ITEMS);
                    page
                })
            },
        ])
    }
}

fn schema(has_index: bool) -> TableSchema {
    let schema = TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S);
    if !has_index {
        return schema;
    }
    schema.global_index(
        GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S).sort_key("GSI1SK", ScalarAttributeType::S),
    )
}

fn definition(name: &str, has_index: bool) -> Value {
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let keys = |partition: &str, sort: &str| json!([{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]);
    let mut body = json!({
        "TableName": name,
        "KeySchema": keys("PK", "SK"),
        "AttributeDefinitions": [text("PK"), text("SK")],
        "BillingMode": "PAY_PER_REQUEST",
    });
    if has_index {
        body["AttributeDefinitions"] = json!([text("PK"), text("SK"), text("GSI1PK"), text("GSI1SK")]);
        let projection = json!({"ProjectionType": "ALL"});
        body["GlobalSecondaryIndexes"] =
            json!([{"IndexName": "GSI1", "KeySchema": keys("GSI1PK", "GSI1SK"), "Projection": projection}]);
    }
    body
}

/// A page of the keys of large items.
fn keys_of_large_items() -> [f64; 2] {
    let larder = Store::in_memory().item_table("Large");
    let index = GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S)
        .sort_key("GSI1SK", ScalarAttributeType::S)
        .projection(larder::item::Projection::KeysOnly);
    larder.create(schema(false).global_index(index)).unwrap();
    let dynoxide = Database::memory().unwrap();
    let mut table = definition("Large", true);
    table["GlobalSecondaryIndexes"][0]["Projection"]["ProjectionType"] = json!("KEYS_ONLY");
    dynoxide.create_table(request(table)).unwrap();
    let payload = "x".repeat(LARGE_BYTES);
    for n in 0..PAGE_ITEMS {
        let (sort, rank) = (sort(n), format!("{n:08}"));
        let item = Item::new().with("PK", "USER#0").with("SK", sort.clone()).with("GSI1PK", "KIND#0");
        larder.put(&item.with("GSI1SK", rank.clone()).with("payload", payload.clone())).unwrap();
        let item = json!({
            "PK": {"S": "USER#0"}, "SK": {"S": sort}, "GSI1PK": {"S": "KIND#0"}, "GSI1SK": {"S": rank},
            "payload": {"S": payload},
        });
        dynoxide.put_item(request(json!({"TableName": "Large", "Item": item}))).unwrap();
    }
    let turns = 20;
    let body = |_| {
        request(json!({
            "TableName": "Large", "IndexName": "GSI1", "KeyConditionExpression": "GSI1PK = :p",
            "ExpressionAttributeValues": {":p": {"S": "KIND#0"}},
        }))
    };
    let query = |_| larder.query(key("GSI1PK").eq("KIND#0")).index("GSI1");
    rounds([
        &mut |_| time(turns, query, |query| assert_eq!(query.page().unwrap().items.len(), PAGE_ITEMS)),
        &mut |_| {
            time(turns, body, |query| {
                assert_eq!(dynoxide.query(query).unwrap().items.unwrap().len(), PAGE_ITEMS);
            })
        },
    ])
}

/// A put without an index and a get, beside the engine: put and get of as many bytes. "Get" is a snapshot, a get and a
/// copy.
fn beside_the_engine() -> [[f64; 2]; 2] {
    let look = Look { numbers: 0, has_index: false };
    let table = Store::in_memory().item_table("Events");
    table.create(schema(false)).unwrap();
    let engine = Arc::new(MemoryEngine::new());
    // What an item's key takes up: tag, table, hash, two texts and their ends.
    let stored_key = |n: usize| format!("0tttthhhh{}..{}..", partition(n), sort(n)).into_bytes();
    let value = vec![7_u8; 1_000];
    let put = |key: &[u8]| {
        let mut changes = Changes::new();
        changes.put(key, &value);
        engine.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
    };
    for n in 0..ITEMS {
        table.put(&look.item(n, 0)).unwrap();
        put(&stored_key(n));
    }
    let puts = rounds([
        &mut |round| time(5_000, |turn| look.item(number(turn), round), |item| table.put(&item).unwrap()),
        &mut |_| time(5_000, |turn| stored_key(number(turn)), |key| put(&key)),
    ]);
    let keys = |turn| Key::from((partition(number(turn)), sort(number(turn))));
    let gets = rounds([&mut |_| time(10_000, keys, |key| table.get(&key).unwrap().unwrap()), &mut |_| {
        time(
            10_000,
            |turn| stored_key(number(turn)),
            |key| engine.snapshot().unwrap().get(&key).unwrap().unwrap().to_vec(),
        )
    }]);
    [puts, gets]
}

/// Ten tables made and dropped, in microseconds.
fn tables() -> [f64; 2] {
    let names: Vec<_> = (0..10).map(|n| format!("table{n}")).collect();
    let store = Store::in_memory();
    let dynoxide = Database::memory().unwrap();
    let requests = |_| {
        let each = names.iter().map(|name| (request(definition(name, false)), request(json!({"TableName": name}))));
        each.collect::<Vec<_>>()
    };
    rounds([
        &mut |_| {
            time(
                1,
                |_| vec![schema(false); 10],
                |schemas| {
                    for (name, schema) in names.iter().zip(schemas) {
                        store.item_table(name).create(schema).unwrap();
                    }
                    for name in &names {
                        store.item_table(name).delete_table().unwrap();
                    }
                },
            )
        },
        &mut |_| {
            time(1, requests, |requests| {
                let (creates, deletes): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
                for create in creates {
                    dynoxide.create_table(create).unwrap();
                }
                for delete in deletes {
                    dynoxide.delete_table(delete).unwrap();
                }
            })
        },
    ])
}

/// A page of 100 among many items, and among few.
fn growth(items: usize) -> [f64; 2] {
    let tables = [items, 10_000].map(|items| {
        let table = Store::in_memory().item_table("Events");
        table.create(schema(false)).unwrap();
        for n in 0..items {
            table.put(&Item::new().with("PK", partition(n)).with("SK", sort(n)).with("n", 1_u32)).unwrap();
        }
        (table, items / PARTITION_ITEMS)
    });
    let page = |(table, partitions): &(ItemTable, usize)| {
        let query = |turn: usize| {
            let partition = format!("USER#{}", turn * 7_919 % partitions);
            table.query(key("PK").eq(partition)).reverse().page_size(PAGE_ITEMS as u64)
        };
        time(200, query, |query| assert_eq!(query.page().unwrap().items.len(), PAGE_ITEMS))
    };
    let [many, few] = &tables;
    rounds([&mut |_| page(many), &mut |_| page(few)])
}

pub fn run(growth_items: usize) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["operation", "Larder, µs", "beside it, µs", "ratio", "bar"]);
    let mut row = |name: &str, [larder, other]: [f64; 2], bar: &str| {
        let ratio = format!("{:.2}", other / larder);
        table.add_row([name.to_owned(), format!("{larder:.2}"), format!("{other:.2}"), ratio, bar.to_owned()]);
    };
    let sides = Sides::new(Look { numbers: 0, has_index: true });
    row("put of 1 KB, one GSI; Dynoxide", sides.put(), "≥ 7");
    row("get; Dynoxide", sides.get(), "≥ 5");
    row("newest 100 of a table; Dynoxide", sides.newest(None), "≥ 5");
    row("newest 100 of a GSI; Dynoxide", sides.newest(Some("GSI1")), "≥ 5");
    let sides = Sides::new(Look { numbers: 20, has_index: true });
    row("20 more numbers: put, one GSI; Dynoxide", sides.put(), "");
    row("20 more numbers: get; Dynoxide", sides.get(), "≥ 5");
    row("20 more numbers: newest 100 of a table; Dynoxide", sides.newest(None), "≥ 5");
    row("20 more numbers: newest 100 of a GSI; Dynoxide", sides.newest(Some("GSI1")), "≥ 5");
    row("KEYS_ONLY page of 100 items of 100 KiB; Dynoxide", keys_of_large_items(), "≥ 1");
    let [puts, gets] = beside_the_engine();
    row("put of 1 KB without index; the engine", puts, "≥ 0.3");
    row("get; the engine", gets, "≥ 0.45");
    row("ten tables made and dropped; Dynoxide", tables(), "≤ 200 µs");
    row(&format!("page among {growth_items} items; among 10000"), growth(growth_items), "≥ 0.5");
    println!("{table}");
}

/// One operation of Larder's so many times, for valgrind.
pub fn repeat(operation: &str, turns: usize) {
    let look = Look { numbers: if operation.ends_with("numbers") { 20 } else { 0 }, has_index: true };
    let table = Store::in_memory().item_table("Events");
    table.create(schema(true)).unwrap();
    for n in 0..ITEMS {
        table.put(&look.item(n, 0)).unwrap();
    }
    let probe = Key::from((partition(0), sort(5)));
    let item = look.item(5, 1);
    for turn in 0..turns {
        match operation.split('-').next() {
            Some("put") => drop(black_box(table.put(&item).unwrap())),
            Some("get") => drop(black_box(table.get(&probe).unwrap())),
            Some("table") => {
                drop(black_box(table.query(key("PK").eq("USER#1")).reverse().page_size(100).page().unwrap()))
            }
            Some("index") => drop(black_box(
                table.query(key("GSI1PK").eq("KIND#1")).index("GSI1").reverse().page_size(100).page().unwrap(),
            )),
            _ => panic!("put, get, table or index, with -numbers behind it; turn {turn}"),
        }
    }
}
