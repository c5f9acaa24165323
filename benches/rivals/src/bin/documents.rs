//! Documents beside SQLite with its JSON functions, on the same data in one process, in memory.
//!
//! ```sh
//! cd benches/rivals
//! cargo run --release --bin documents                    # times; a million documents in the pipeline: a minute
//! cargo run --release --bin documents -- instructions    # instructions, counted by valgrind: ten minutes
//! cargo run --release --bin documents -- "find by _id, raw" larder 5000
//! cargo run --release --bin documents -- growth          # a find among 10,000 and among 10,000,000: some minutes, 3 GB
//! ```
//! The third form runs one operation so many times, for a profiler.
//!
//! SQLite keeps a document as text in a table with an integer for its key, two indexes on `json_extract`, and statements
//! that are prepared once. Both sides get their documents as a program has them, a struct, and turn them into what they
//! store. A raw find gives bytes (BSON, or text); a decoded one a struct by serde, or a tree of values.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use comfy_table::{Table, presets};
use larder::bson::{Document, RawDocumentBuf, doc};
use larder::{Collection, Store};
use larder_rivals::cpu_ns;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// Documents that are there before.
const DOCUMENTS: i64 = 10_000;
/// Documents of the pipeline, when times are measured.
const MANY: i64 = 1_000_000;
const USERS: i64 = 100;
const ROUNDS: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
struct Event {
    #[serde(rename = "_id")]
    id: i64,
    user: i64,
    code: i64,
    kind: String,
    path: String,
    amount: i64,
}

impl Event {
    fn new(n: i64) -> Self {
        let kind = ["page_view", "purchase", "sign_in"][usize::try_from(n % 3).unwrap()];
        let path = format!("/products/{}", n % 500);
        Self { id: n, user: n % USERS, code: n * 7, kind: kind.to_owned(), path, amount: n % 7 }
    }
}

/// Does something so many times.
type Turns = fn(&Setting, i64);

/// The two stores, filled alike.
struct Setting {
    documents: i64,
    store: Store,
    raw: Collection<RawDocumentBuf>,
    typed: Collection<Event>,
    trees: Collection<Document>,
    sqlite: Connection,
}

const SELECT_ID: &str = "SELECT doc FROM events WHERE id = ?1";
const SELECT_CODE: &str = "SELECT doc FROM events WHERE json_extract(doc, '$.code') = ?1";
const INSERT: &str = "INSERT INTO events (id, doc) VALUES (?1, ?2)";
const UPDATE: &str =
    "UPDATE events SET doc = json_set(doc, '$.amount', json_extract(doc, '$.amount') + 1) WHERE id = ?1";
const SCAN: &str = "SELECT count(*) FROM events WHERE json_extract(doc, '$.path') = '/products/499'";
const GROUP: &str = "SELECT json_extract(doc, '$.user') AS user, sum(json_extract(doc, '$.amount')) AS total FROM events \
                     WHERE json_extract(doc, '$.kind') = 'purchase' GROUP BY user ORDER BY total DESC, user LIMIT 10";

impl Setting {
    fn new(documents: i64) -> Self {
        let store = Store::in_memory();
        let typed = store.collection::<Event>("events");
        typed.create_index(doc! { "user": 1 }).unwrap();
        typed.create_index(doc! { "code": 1 }).unwrap();
        let sqlite = Connection::open_in_memory().unwrap();
        sqlite
            .execute_batch(
                "CREATE TABLE events (id INTEGER PRIMARY KEY, doc TEXT);
                 CREATE INDEX by_user ON events (json_extract(doc, '$.user'));
                 CREATE INDEX by_code ON events (json_extract(doc, '$.code'));
                 BEGIN",
            )
            .unwrap();
        for n in 0..documents {
            sqlite.prepare_cached(INSERT).unwrap().execute(params![n, json(&Event::new(n))]).unwrap();
        }
        sqlite.execute_batch("COMMIT").unwrap();
        for from in (0..documents).step_by(1_000) {
            typed.insert_many((from..documents.min(from + 1_000)).map(Event::new)).unwrap();
        }
        let (raw, trees) = (store.collection("events"), store.collection("events"));
        Self { documents, store, raw, typed, trees, sqlite }
    }

    /// A number of a document, another each turn.
    fn number(&self, turn: i64) -> i64 {
        turn * 7_919 % self.documents
    }

    fn text<R>(&self, select: &str, value: i64, then: impl FnOnce(&str) -> R) -> R {
        let mut statement = self.sqlite.prepare_cached(select).unwrap();
        statement.query_row([value], |row| Ok(then(row.get_ref(0)?.as_str()?))).unwrap()
    }
}

fn json(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

fn pipeline() -> [Document; 4] {
    [
        doc! { "$match": { "kind": "purchase" } },
        doc! { "$group": { "_id": "$user", "total": { "$sum": "$amount" } } },
        doc! { "$sort": { "total": -1, "_id": 1 } },
        doc! { "$limit": 10 },
    ]
}

/// What is measured: its name, the bar as a ratio of SQLite's cost to Larder's, whether a turn goes through all documents,
/// and how each side does it.
const SUBJECTS: [(&str, f64, bool, Turns, Turns); 14] = [
    (
        "find by _id, raw",
        1.0,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.raw.find_one(doc! { "_id": at.number(turn) }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), str::to_owned));
            }
        },
    ),
    (
        "find by _id, a struct",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.typed.find_one(doc! { "_id": at.number(turn) }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), parsed::<Event>));
            }
        },
    ),
    (
        "find by _id, a tree",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.trees.find_one(doc! { "_id": at.number(turn) }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), parsed::<serde_json::Value>));
            }
        },
    ),
    (
        "find_by_id, raw",
        1.0,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.raw.find_by_id(at.number(turn)).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), str::to_owned));
            }
        },
    ),
    (
        "find_by_id, a struct",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.typed.find_by_id(at.number(turn)).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), parsed::<Event>));
            }
        },
    ),
    (
        "find_by_id, a tree",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.trees.find_by_id(at.number(turn)).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_ID, at.number(turn), parsed::<serde_json::Value>));
            }
        },
    ),
    (
        "find by index, raw",
        1.0,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.raw.find_one(doc! { "code": at.number(turn) * 7 }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_CODE, at.number(turn) * 7, str::to_owned));
            }
        },
    ),
    (
        "find by index, a struct",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.typed.find_one(doc! { "code": at.number(turn) * 7 }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_CODE, at.number(turn) * 7, parsed::<Event>));
            }
        },
    ),
    (
        "find by index, a tree",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                black_box(at.trees.find_one(doc! { "code": at.number(turn) * 7 }).unwrap().unwrap());
            }
        },
        |at, turns| {
            for turn in 0..turns {
                black_box(at.text(SELECT_CODE, at.number(turn) * 7, parsed::<serde_json::Value>));
            }
        },
    ),
    (
        "insert_one, two indexes",
        1.5,
        false,
        |at, turns| {
            let events = at.store.fork().unwrap().collection::<Event>("events");
            for turn in 0..turns {
                events.insert_one(&Event::new(at.documents + turn)).unwrap();
            }
        },
        |at, turns| {
            for turn in 0..turns {
                let event = Event::new(at.documents + turn);
                at.sqlite.prepare_cached(INSERT).unwrap().execute(params![event.id, json(&event)]).unwrap();
            }
            at.sqlite.execute("DELETE FROM events WHERE id >= ?1", [at.documents]).unwrap();
        },
    ),
    (
        "insert_many by thousands, a document",
        1.0,
        false,
        |at, turns| {
            let events = at.store.fork().unwrap().collection::<Event>("events");
            for from in (0..turns).step_by(1_000) {
                let batch = from..turns.min(from + 1_000);
                events.insert_many(batch.map(|turn| Event::new(at.documents + turn))).unwrap();
            }
        },
        |at, turns| {
            for from in (0..turns).step_by(1_000) {
                at.sqlite.execute_batch("BEGIN").unwrap();
                for turn in from..turns.min(from + 1_000) {
                    let event = Event::new(at.documents + turn);
                    at.sqlite.prepare_cached(INSERT).unwrap().execute(params![event.id, json(&event)]).unwrap();
                }
                at.sqlite.execute_batch("COMMIT").unwrap();
            }
            at.sqlite.execute("DELETE FROM events WHERE id >= ?1", [at.documents]).unwrap();
        },
    ),
    (
        "update_one $inc by _id",
        1.5,
        false,
        |at, turns| {
            for turn in 0..turns {
                let filter = doc! { "_id": at.number(turn) };
                assert_eq!(at.raw.update_one(filter, doc! { "$inc": { "amount": 1 } }).unwrap().modified, 1);
            }
        },
        |at, turns| {
            for turn in 0..turns {
                at.sqlite.prepare_cached(UPDATE).unwrap().execute([at.number(turn)]).unwrap();
            }
        },
    ),
    (
        "count of one equality, a document",
        1.0,
        true,
        |at, turns| {
            for _ in 0..turns {
                black_box(at.raw.count_documents(doc! { "path": "/products/499" }).unwrap());
            }
        },
        |at, turns| {
            for _ in 0..turns {
                let count: i64 = at.sqlite.prepare_cached(SCAN).unwrap().query_row([], |row| row.get(0)).unwrap();
                black_box(count);
            }
        },
    ),
    (
        "$match $group $sort $limit, a document",
        3.0,
        true,
        |at, turns| {
            for _ in 0..turns {
                assert_eq!(at.trees.aggregate(pipeline()).unwrap().map(Result::unwrap).count(), 10);
            }
        },
        |at, turns| {
            for _ in 0..turns {
                let mut statement = at.sqlite.prepare_cached(GROUP).unwrap();
                let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap();
                assert_eq!(rows.map(Result::unwrap).map(black_box).count(), 10);
            }
        },
    ),
];

const SIDES: [&str; 2] = ["larder", "sqlite"];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => times(),
        ["instructions"] => instructions(),
        ["growth"] => growth(),
        [name, side, turns] => {
            let subject = SUBJECTS.iter().find(|subject| subject.0 == name).expect("a subject's name");
            let turn = if side == SIDES[0] { subject.3 } else { subject.4 };
            turn(&Setting::new(DOCUMENTS), turns.parse().unwrap());
        }
        _ => panic!("nothing, `instructions`, or a subject, a side and a number of turns"),
    }
}

/// Prints the table of times: medians of some rounds, in which the sides take turns.
fn times() {
    let (small, large) = (Setting::new(DOCUMENTS), Setting::new(MANY));
    let mut table = table("ns");
    for (name, bar, whole, larder, sqlite) in SUBJECTS {
        let (at, turns) = if whole { (&large, 1) } else { (&small, 10_000) };
        let each = if whole { MANY } else { turns };
        let mut costs = [Vec::new(), Vec::new()];
        // The first round is not counted: what it touches is not in the processor's caches.
        for round in 0..=ROUNDS {
            for (turn, costs) in [larder, sqlite].into_iter().zip(&mut costs) {
                let start = Instant::now();
                turn(at, turns);
                if round > 0 {
                    costs.push(start.elapsed().as_nanos() as f64 / each as f64);
                }
            }
        }
        row(&mut table, name, bar, costs.map(median));
    }
    println!("{table}");
}

/// Prints the table of instructions: the difference between two runs of different lengths, by the difference of these.
fn instructions() {
    let mut table = table("instructions");
    for (name, bar, whole, ..) in SUBJECTS {
        let (few, many) = if whole { (1, 3) } else { (1_000, 3_000) };
        let each = if whole { (many - few) * DOCUMENTS } else { many - few };
        let costs = SIDES.map(|side| (counted(name, side, many) - counted(name, side, few)) / each as f64);
        row(&mut table, name, bar, costs);
    }
    println!("{table}");
}

/// Instructions of a run of this program.
fn counted(name: &str, side: &str, turns: i64) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([name, side, &turns.to_string()])
        .output()
        .expect("valgrind");
    let text = String::from_utf8_lossy(&output.stderr);
    let figure = text.lines().find_map(|line| line.split_once("Collected : ")).expect("a figure of callgrind").1;
    figure.trim().parse().unwrap()
}

/// Prints what a find by an index costs in a small collection and in a large one, with either side.
fn growth() {
    let sizes = [DOCUMENTS, 10_000_000];
    let larder = sizes.map(|documents| {
        let events = Store::in_memory().collection::<RawDocumentBuf>("events");
        events.create_index(doc! { "code": 1 }).unwrap();
        let raw = |n: i64| larder::bson::rawdoc! { "_id": n, "code": n * 7, "amount": n % 100 };
        for from in (0..documents).step_by(1_000) {
            events.insert_many((from..documents.min(from + 1_000)).map(raw)).unwrap();
        }
        scattered(documents, |code| drop(black_box(events.find_one(doc! { "code": code }).unwrap().unwrap())))
    });
    let sqlite = sizes.map(|documents| {
        let sqlite = Connection::open_in_memory().unwrap();
        sqlite
            .execute_batch(
                "CREATE TABLE events (id INTEGER PRIMARY KEY, doc TEXT);
                 CREATE INDEX by_code ON events (json_extract(doc, '$.code'));
                 BEGIN",
            )
            .unwrap();
        for n in 0..documents {
            let text = format!(r#"{{"_id":{n},"code":{},"amount":{}}}"#, n * 7, n % 100);
            sqlite.prepare_cached(INSERT).unwrap().execute(params![n, text]).unwrap();
        }
        sqlite.execute_batch("COMMIT").unwrap();
        let mut select = sqlite.prepare(SELECT_CODE).unwrap();
        scattered(documents, |code| {
            select.query_row([code], |row| Ok(drop(black_box(row.get_ref(0)?.as_str()?.to_owned())))).unwrap();
        })
    });
    for (side, [small, large]) in SIDES.into_iter().zip([larder, sqlite]) {
        let [few, many] = sizes;
        println!(
            "{side}: a find by an index takes {small:.0} ns among {few}, {large:.0} ns among {many}: {:.1} times",
            large / small
        );
    }
}

/// Nanoseconds of the thread's processor that a find of a code takes, where no two that follow each other are near each other.
fn scattered(documents: i64, mut find: impl FnMut(i64)) -> f64 {
    const FINDS: i64 = 50_000;
    let round = |round: i64| {
        let start = cpu_ns();
        (0..FINDS).for_each(|turn| find((turn + round) * 7_919_519 % documents * 7));
        (cpu_ns() - start) as f64 / FINDS as f64
    };
    median((0..ROUNDS as i64).map(round).collect())
}

fn table(unit: &str) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["operation", &format!("Larder, {unit}"), &format!("SQLite, {unit}"), "ratio", "bar"]);
    table
}

fn row(table: &mut Table, name: &str, bar: f64, [larder, sqlite]: [f64; 2]) {
    let ratio = format!("{:.2}", sqlite / larder);
    table.add_row([name.to_owned(), format!("{larder:.0}"), format!("{sqlite:.0}"), ratio, format!("{bar:.1}")]);
    eprintln!("{name}: {larder:.0} {sqlite:.0}");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
