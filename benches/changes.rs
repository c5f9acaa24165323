//! What a change costs by the size of its transaction, and a document by itself and among a thousand.
//!
//! ```sh
//! cargo bench --bench changes                 # all of it: about two minutes
//! cargo bench --bench changes -- sets         # one part
//! ```
//! The parts are `sets`, `singles`, `documents` and `loops`. Times are of the processor, not of the clock on the wall, and those of what is
//! compared take turns in one process; each figure is the median of the rounds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

use std::fs;

use comfy_table::{Table, presets};
use larder::bson::doc;
use larder::kv::End;
use larder::{Document, InTransaction, Result, Store, Transaction};

/// Parts; a number among the arguments has only transactions of that size measured.
const PARTS: [&str; 4] = ["sets", "singles", "documents", "loops"];

/// Keys of the store.
const KEYS: u64 = 200_000;

/// Changes of a transaction.
const SIZES: [u64; 10] = [1, 4, 10, 100, 250, 300, 1_000, 4_000, 10_000, 100_000];

const ROUNDS: usize = 7;

fn main() {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (sizes, arguments): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument.parse::<u64>().is_ok());
    let mut sizes: Vec<u64> = sizes.iter().map(|size| size.parse().unwrap()).collect();
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    if let Some(other) = arguments.iter().find(|argument| !PARTS.contains(&&***argument)) {
        // Not a failure, so that all benchmarks can be run with arguments of criterion's.
        eprintln!("changes: measures nothing for `{other}`; its arguments are {PARTS:?}");
        return;
    }
    for part in PARTS.iter().filter(|part| arguments.is_empty() || arguments.iter().any(|name| name == *part)) {
        match *part {
            "sets" => sets(&sizes),
            "singles" => singles(),
            "documents" => documents(),
            _ => loops(),
        }
    }
}

/// Nanoseconds that this thread has had a processor for.
fn cpu_ns() -> f64 {
    // Up to date when the thread has just been off it.
    std::thread::yield_now();
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

/// Nanoseconds of one of `count` in what `run` does.
fn time(count: u64, run: impl FnOnce()) -> f64 {
    let start = cpu_ns();
    run();
    (cpu_ns() - start) / count as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The medians of the rounds of each subject, which take turns.
fn turns<S: Copy>(subjects: &[S], mut measure: impl FnMut(S) -> f64) -> Vec<f64> {
    let mut figures = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, figures) in subjects.iter().zip(&mut figures) {
            figures.push(measure(*subject));
        }
    }
    figures.into_iter().map(median).collect()
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(head.iter().copied());
    table
}

/// Where the `n`th of the keys is, in no order.
fn scattered(n: u64) -> u64 {
    n * 7_919 % KEYS
}

/// Sets all keys, `size` of them in each transaction.
fn set_all(store: &Store, size: u64, place: impl Fn(u64) -> u64) -> f64 {
    time(KEYS, || {
        for transaction in 0..KEYS / size {
            let set = |tx: &Transaction| {
                let (kv, first) = (tx.kv(), transaction * size);
                (first..first + size).try_for_each(|n| kv.set(format!("key{:08}", place(n)), "a value of some length"))
            };
            store.transaction(set).unwrap();
        }
    })
}

/// A store of all keys.
fn full() -> Store {
    let store = Store::in_memory();
    set_all(&store, 100, |n| n);
    store
}

fn sets(sizes: &[u64]) {
    let mut table = table(&[
        "changes",
        "from empty, scattered",
        "from empty, in order",
        "of 200,000, scattered",
        "of 200,000, in order",
        "to 100",
    ]);
    let columns = [
        turns(sizes, |size| set_all(&Store::in_memory(), size, scattered)),
        turns(sizes, |size| set_all(&Store::in_memory(), size, |n| n)),
        turns(sizes, |size| set_all(&full(), size, scattered)),
        turns(sizes, |size| set_all(&full(), size, |n| n)),
    ];
    let hundred = sizes.iter().position(|size| *size == 100).unwrap_or(0);
    for (row, size) in sizes.iter().enumerate() {
        let figures = columns.iter().map(|column| format!("{:.0} ns", column[row]));
        let ratios: Vec<_> = columns.iter().map(|column| format!("{:.2}", column[row] / column[hundred])).collect();
        table.add_row([size.to_string()].into_iter().chain(figures).chain([ratios.join(", ")]));
    }
    println!("A change of `kv.set`\n{table}\n");
}

/// What must not have become slower: operations by themselves.
fn singles() {
    let mut table = table(&["operation", "each"]);
    let store = full();
    let names = ["set", "get", "increment", "hash set"];
    let figures = turns(&[0, 1, 2, 3], |subject| {
        let kv = store.kv();
        time(KEYS, || {
            for n in 0..KEYS {
                let key = format!("key{:08}", scattered(n));
                match subject {
                    0 => kv.set(key, "a value of some length").unwrap(),
                    1 => drop(kv.get(key).unwrap()),
                    2 => drop(kv.increment(format!("counter{:02}", n % 100), 1).unwrap()),
                    _ => drop(kv.hash(format!("hash{:02}", n % 100)).set(key, "a value").unwrap()),
                }
            }
        })
    });
    for (name, figure) in names.iter().zip(figures) {
        table.add_row([(*name).to_owned(), format!("{figure:.0} ns")]);
    }
    println!("{table}\n");
}

/// Documents of four fields, one by one and a thousand at once.
fn documents() {
    const DOCUMENTS: u64 = 50_000;
    let document = |n: u64| {
        let city = format!("city {}", n * 7_919 % 500);
        doc! { "user": i64::try_from(n * 31 % 5_000).unwrap(), "city": city, "n": i64::try_from(n).unwrap(), "text": "of some length" }
    };
    let mut table = table(&[
        "indexes beside that of `_id`",
        "`insert_one`",
        "`insert_many` of 1,000",
        "ratio",
        "of 100",
        "of 10,000",
    ]);
    for indexes in [0, 2] {
        let figures = turns(&[1, 1_000, 100, 10_000], |size| {
            let documents: Vec<Document> = (0..DOCUMENTS).map(document).collect();
            let people = Store::in_memory().collection::<Document>("people");
            if indexes > 0 {
                people.create_index(doc! { "user": 1 }).unwrap();
                people.create_index(doc! { "city": 1, "n": -1 }).unwrap();
            }
            time(DOCUMENTS, || {
                for some in documents.chunks(size) {
                    match some {
                        [one] => drop(people.insert_one(one).unwrap()),
                        many => drop(people.insert_many(many).unwrap()),
                    }
                }
            })
        });
        let [one, thousand, hundred, more] = figures[..] else { return };
        let us = |ns: f64| format!("{:.2} µs", ns / 1e3);
        table.add_row([
            indexes.to_string(),
            us(one),
            us(thousand),
            format!("{:.2}", thousand / one),
            us(hundred),
            us(more),
        ]);
    }
    println!("A document\n{table}\n");
}

/// A loop that removes and reads again, of so many turns, in one transaction.
type Loop = (&'static str, fn(&Transaction, u64) -> Result<()>);

const LOOPS: [Loop; 4] = [
    ("pop the lowest of a sorted set", |tx, turns| {
        let set = tx.kv().sorted_set("set");
        fill(&set, turns)?;
        (0..turns).try_for_each(|_| set.pop(End::Front).map(drop))
    }),
    ("add to a sorted set, and keep a hundred", |tx, turns| {
        let set = tx.kv().sorted_set("set");
        (0..turns).try_for_each(|n| {
            set.add(format!("member{n:08}"), n as f64)?;
            set.by_rank(0, -101).remove().map(drop)
        })
    }),
    ("push to a list, and keep a hundred", |tx, turns| {
        let list = tx.kv().list("list");
        (0..turns).try_for_each(|n| {
            list.push(End::Front, [format!("item{n:08}")])?;
            list.trim(0, 99)
        })
    }),
    ("find and delete a document", |tx, turns| {
        let jobs = tx.collection::<Document>("jobs");
        (0..turns).try_for_each(|n| jobs.insert_one(&doc! { "n": i64::try_from(n).unwrap() }).map(drop))?;
        (0..turns).try_for_each(|_| jobs.delete_one(doc! {}).map(drop))
    }),
];

fn fill(set: &larder::SortedSet<InTransaction>, members: u64) -> Result<()> {
    (0..members).try_for_each(|n| set.add(format!("member{:08}", n * 7_919 % members), n as f64).map(drop))
}

fn loops() {
    let mut table = table(&["loop", "1,500 turns", "3,000", "6,000"]);
    for (name, turn) in LOOPS {
        let figures = turns(&[1_500, 3_000, 6_000], |turns| {
            let store = Store::in_memory();
            time(turns, || store.transaction(|tx| turn(tx, turns)).unwrap())
        });
        table.add_row(
            [name.to_owned()].into_iter().chain(figures.iter().map(|figure| format!("{:.2} µs", figure / 1e3))),
        );
    }
    println!("A turn of a loop in one transaction\n{table}\n");
}
