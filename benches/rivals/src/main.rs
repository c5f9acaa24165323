//! Larder's engine on disk beside other embedded stores, on the same data in one run.
//!
//! ```sh
//! cd benches/rivals && cargo run --release                    # 1,000,000 entries: about four minutes
//! cd benches/rivals && cargo run --release -- --entries=100000
//! ```
//! Each engine is loaded once. Then, in three rounds of which the medians count, each opens its store anew, and for a second
//! each: gets entries at random; scans 100 from an entry at random; overwrites four entries at random in one atomic
//! batch, for every way to commit but the synced one. Synced commits are measured in many short turns of all the engines,
//! for a disk's syncs differ so much from one moment to the next that nothing else compares. Gets and scans of a turn
//! read one snapshot where the engine has any. Caches hold everything, so that nobody reads from the disk: the operating
//! system's, and 1 GiB of the engine's own.
//!
//! # What a commit means to each
//! - **larder**: `synced` returns after `fdatasync`; `background` syncs within 100 ms; `unsynced` writes to the log without
//!   waiting. All three survive the death of the process. All entries are in memory.
//! - **fjall** 3: `synced` is a batch persisted with `SyncData` (`fdatasync`); `unsynced` is `Buffer`, written to the journal without
//!   waiting. It has no background sync.
//! - **redb** 4: `synced` is `Immediate` (`fdatasync` once); `unsynced` is `None`: lost with the process, up to the last
//!   synced commit. It has no background sync.
//! - **sled** 0.34: `synced` calls `flush` after each batch, which on Linux is no `fsync` but `sync_file_range`: it writes the pages out and
//!   empties no cache of the disk's, nor syncs the file's metadata. `background` flushes every 100 ms, with `fsync`;
//!   `unsynced` never: batches stay in the process's buffers until those are full.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

#[path = "../../data/mod.rs"]
mod data;

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use data::{Data, KEY_BYTES, VALUE_BYTES};
use fjall::Readable as _;
use larder::engine::durable::DurableEngine;
use larder::engine::{Changes, Direction, Durability, Engine as _, KeyRange, Snapshot};
use redb::ReadableDatabase as _;

const ENTRIES: usize = 1_000_000;
const ROUNDS: usize = 3;
const BATCH_ENTRIES: usize = 4;
const LOAD_ENTRIES: usize = 1_000;
const SCAN_ENTRIES: usize = 100;
const CACHE_BYTES: u32 = 1 << 30;
const BACKGROUND: Duration = Duration::from_millis(100);
const WARM_UP: Duration = Duration::from_millis(500);
/// Short, because a disk can take ten times as long for a sync as it did a second before.
const SYNC_TURN_COMMITS: usize = 20;
const SYNC_TURNS: usize = 51;
const TURN: Duration = Duration::from_secs(1);

type Key = [u8; KEY_BYTES];
type Entry = (Key, [u8; VALUE_BYTES]);

/// When a commit is on the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Synced,
    Background,
    Unsynced,
}

const MODES: [Mode; 3] = [Mode::Synced, Mode::Background, Mode::Unsynced];

/// An open store.
trait Store {
    fn commit(&self, batch: &[Entry]);

    /// One state to read.
    fn reads(&self) -> Box<dyn Reads + '_>;

    /// Does what the store needs to have everything when it is opened again.
    fn finish(&self) {}
}

trait Reads {
    /// Bytes of the value of `key`.
    fn get(&self, key: &Key) -> usize;

    /// Bytes of the values of the entries from `key` on, [`SCAN_ENTRIES`] at most.
    fn scan(&self, key: &Key) -> usize;
}

/// A name, what a commit means in each mode, and how to open a store in a directory that is there.
type Engine = (&'static str, [Option<&'static str>; 3], fn(&Path, Mode) -> Box<dyn Store>);

const ENGINES: [Engine; 4] = [
    ("larder", [Some("fdatasync"), Some("fdatasync within 100 ms"), Some("written to the log")], open_larder),
    ("fjall", [Some("fdatasync"), None, Some("written to the journal")], open_fjall),
    ("redb", [Some("fdatasync"), None, Some("in the process")], open_redb),
    ("sled", [Some("sync_file_range"), Some("fsync every 100 ms"), Some("in the process")], open_sled),
];

/// Operations per second, one for each round, by engine.
type Rates = [Vec<f64>; ENGINES.len()];

fn main() {
    let mut entries = ENTRIES;
    for argument in std::env::args().skip(1) {
        entries = argument.strip_prefix("--entries=").and_then(|number| number.parse().ok()).expect("--entries=NUMBER");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut data = Data::new(1);
    for _ in 0..entries {
        data.key();
    }
    for (name, _, open) in ENGINES {
        load(name, &*open(&directory(dir.path(), name), Mode::Synced), &mut data);
    }
    let (mut commits, mut gets, mut scans) = (<[Rates; MODES.len()]>::default(), Rates::default(), Rates::default());
    // Read one after the other, so that finding out which one comes next takes little time itself.
    let probes: Vec<_> = (0..entries).map(|_| data.old_key()).collect();
    for round in 0..ROUNDS {
        for turn in 0..ENGINES.len() {
            let at = (round + turn) % ENGINES.len();
            let (name, levels, open) = ENGINES[at];
            let path = directory(dir.path(), name);
            for mode in [Mode::Background, Mode::Unsynced].into_iter().filter(|mode| levels[*mode as usize].is_some()) {
                settle();
                let store = open(&path, mode);
                if mode == Mode::Unsynced {
                    let reads = store.reads();
                    let mut probes = probes.iter().cycle();
                    gets[at].push(rate(256, || reads.get(probes.next().unwrap())));
                    scans[at].push(rate(16, || reads.scan(probes.next().unwrap())));
                }
                commits[mode as usize][at].push(rate(1, || commit(&*store, &mut data)));
                store.finish();
            }
        }
    }
    settle();
    let stores = ENGINES.map(|(name, _, open)| open(&directory(dir.path(), name), Mode::Synced));
    for turn in 0..SYNC_TURNS {
        for (store, rates) in stores.iter().zip(&mut commits[Mode::Synced as usize]) {
            let start = Instant::now();
            (0..SYNC_TURN_COMMITS).for_each(|_| assert_ne!(commit(&**store, &mut data), 0));
            if turn > 0 {
                rates.push(SYNC_TURN_COMMITS as f64 / start.elapsed().as_secs_f64());
            }
        }
    }
    print(commits, gets, scans);
}

fn directory(parent: &Path, name: &str) -> std::path::PathBuf {
    let path = parent.join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Has the system write what it still has to, so that nobody waits for what the one before has left behind.
fn settle() {
    // Where there is no such program, the figures of commits differ more.
    let _ = std::process::Command::new("sync").status();
}

/// Overwrites four entries at random, and answers how many they were.
fn commit(store: &dyn Store, data: &mut Data) -> usize {
    let batch: [_; BATCH_ENTRIES] = std::array::from_fn(|_| (data.old_key(), data.value()));
    store.commit(&batch);
    batch.len()
}

fn load(name: &str, store: &dyn Store, data: &mut Data) {
    let start = Instant::now();
    let keys = data.keys().to_vec();
    for keys in keys.chunks(LOAD_ENTRIES) {
        let batch: Vec<_> = keys.iter().map(|key| (*key, data.value())).collect();
        store.commit(&batch);
    }
    store.finish();
    println!("{name}: loaded in {:.1} s, {LOAD_ENTRIES} entries in a synced batch", start.elapsed().as_secs_f64());
}

/// How often `work` can be done in a second, after a time to get warm. The clock is looked at after every `block`.
fn rate(block: usize, mut work: impl FnMut() -> usize) -> f64 {
    let mut run = |time: Duration| {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < time {
            (0..block).for_each(|_| assert_ne!(std::hint::black_box(work()), 0, "there is an entry"));
            count += block;
        }
        count as f64 / start.elapsed().as_secs_f64()
    };
    run(WARM_UP);
    run(TURN)
}

fn print(commits: [Rates; MODES.len()], gets: Rates, scans: Rates) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let names = ENGINES.map(|(name, ..)| name.to_owned());
    table.set_header(["per second".to_owned()].into_iter().chain(names).chain(["larder is faster than".to_owned()]));
    let [synced, background, unsynced] = commits;
    let rows = [
        ("batches of four, synced", synced),
        ("batches of four, background", background),
        ("batches of four, unsynced", unsynced),
        ("random gets", gets),
        ("scans of 100", scans),
    ];
    for (what, rates) in rows {
        let rates = rates.map(median);
        let larder = rates[0].unwrap();
        let cells = rates.map(|rate| rate.map_or("–".to_owned(), |rate| format!("{rate:.0}")));
        let rivals = ENGINES.iter().zip(rates).skip(1).filter_map(|((name, ..), rate)| Some((name, larder / rate?)));
        let verdict = |(name, ratio): (&&str, f64)| {
            let verdict = if ratio > 1.0 { "" } else { "NOT " };
            format!("{verdict}{name} ({ratio:.1}×)")
        };
        let verdicts: Vec<_> = rivals.map(verdict).collect();
        table.add_row([what.to_owned()].into_iter().chain(cells).chain([verdicts.join(", ")]));
    }
    println!("{table}");
    for (at, mode) in MODES.into_iter().enumerate() {
        let levels = ENGINES.iter().filter_map(|(name, levels, _)| Some(format!("{name} {}", levels[at]?)));
        println!("{mode:?}: {}", levels.collect::<Vec<_>>().join("; "));
    }
}

/// `None` of nothing.
fn median(mut rates: Vec<f64>) -> Option<f64> {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

struct Larder {
    engine: DurableEngine,
    durability: Durability,
}

fn open_larder(path: &Path, mode: Mode) -> Box<dyn Store> {
    let durability = match mode {
        Mode::Synced => Durability::Sync,
        Mode::Background => Durability::Interval(BACKGROUND),
        Mode::Unsynced => Durability::None,
    };
    Box::new(Larder { engine: DurableEngine::open(path).unwrap(), durability })
}

impl Store for Larder {
    fn commit(&self, batch: &[Entry]) {
        let changes: Changes = batch.iter().map(|(key, value)| (key, Some(value))).collect();
        self.engine.commit(&changes, None, self.durability).unwrap().wait().unwrap();
    }

    fn reads(&self) -> Box<dyn Reads + '_> {
        Box::new(self.engine.snapshot().unwrap())
    }
}

impl Reads for Arc<dyn Snapshot> {
    fn get(&self, key: &Key) -> usize {
        (**self).get(key).unwrap().unwrap().len()
    }

    fn scan(&self, key: &Key) -> usize {
        let from = KeyRange::new(Bound::Included(larder::engine::Key::from(&key[..])), Bound::Unbounded);
        let mut cursor = self.range(&from, Direction::Forward).unwrap();
        let mut bytes = 0;
        for _ in 0..SCAN_ENTRIES {
            let Some((_, value)) = cursor.next().unwrap() else { break };
            bytes += value.len();
        }
        bytes
    }
}

struct Fjall {
    database: fjall::Database,
    entries: fjall::Keyspace,
    durability: fjall::PersistMode,
}

fn open_fjall(path: &Path, mode: Mode) -> Box<dyn Store> {
    let database = fjall::Database::builder(path).cache_size(CACHE_BYTES.into()).open().unwrap();
    let entries = database.keyspace("entries", fjall::KeyspaceCreateOptions::default).unwrap();
    let durability = if mode == Mode::Synced { fjall::PersistMode::SyncData } else { fjall::PersistMode::Buffer };
    Box::new(Fjall { database, entries, durability })
}

impl Store for Fjall {
    fn commit(&self, batch: &[Entry]) {
        let mut changes = self.database.batch().durability(Some(self.durability));
        batch.iter().for_each(|(key, value)| changes.insert(&self.entries, key, value));
        changes.commit().unwrap();
    }

    fn reads(&self) -> Box<dyn Reads + '_> {
        Box::new((self.database.snapshot(), &self.entries))
    }
}

impl Reads for (fjall::Snapshot, &fjall::Keyspace) {
    fn get(&self, key: &Key) -> usize {
        self.0.get(self.1, key).unwrap().unwrap().len()
    }

    fn scan(&self, key: &Key) -> usize {
        let entries = self.0.range(self.1, &key[..]..).take(SCAN_ENTRIES);
        entries.map(|entry| entry.into_inner().unwrap().1.len()).sum()
    }
}

const REDB_ENTRIES: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("entries");

struct Redb {
    database: redb::Database,
    durability: redb::Durability,
}

fn open_redb(path: &Path, mode: Mode) -> Box<dyn Store> {
    let database =
        redb::Database::builder().set_cache_size(CACHE_BYTES as usize).create(path.join("entries.redb")).unwrap();
    let durability = if mode == Mode::Synced { redb::Durability::Immediate } else { redb::Durability::None };
    Box::new(Redb { database, durability })
}

impl Redb {
    fn commit_with(&self, batch: &[Entry], durability: redb::Durability) {
        let mut transaction = self.database.begin_write().unwrap();
        transaction.set_durability(durability).unwrap();
        let mut table = transaction.open_table(REDB_ENTRIES).unwrap();
        for (key, value) in batch {
            table.insert(&key[..], &value[..]).unwrap();
        }
        drop(table);
        transaction.commit().unwrap();
    }
}

impl Store for Redb {
    fn commit(&self, batch: &[Entry]) {
        self.commit_with(batch, self.durability);
    }

    fn reads(&self) -> Box<dyn Reads + '_> {
        Box::new(self.database.begin_read().unwrap().open_table(REDB_ENTRIES).unwrap())
    }

    fn finish(&self) {
        self.commit_with(&[], redb::Durability::Immediate);
    }
}

impl Reads for redb::ReadOnlyTable<&'static [u8], &'static [u8]> {
    fn get(&self, key: &Key) -> usize {
        redb::ReadOnlyTable::get(self, &key[..]).unwrap().unwrap().value().len()
    }

    fn scan(&self, key: &Key) -> usize {
        let entries = self.range(&key[..]..).unwrap().take(SCAN_ENTRIES);
        entries.map(|entry| entry.unwrap().1.value().len()).sum()
    }
}

struct Sled {
    database: sled::Db,
    is_synced: bool,
}

fn open_sled(path: &Path, mode: Mode) -> Box<dyn Store> {
    let every = (mode == Mode::Background).then(|| u64::try_from(BACKGROUND.as_millis()).unwrap());
    let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES.into()).flush_every_ms(every);
    Box::new(Sled { database: config.open().unwrap(), is_synced: mode == Mode::Synced })
}

impl Store for Sled {
    fn commit(&self, batch: &[Entry]) {
        let mut changes = sled::Batch::default();
        batch.iter().for_each(|(key, value)| changes.insert(key, &value[..]));
        self.database.apply_batch(changes).unwrap();
        if self.is_synced {
            self.database.flush().unwrap();
        }
    }

    fn reads(&self) -> Box<dyn Reads + '_> {
        Box::new(&self.database)
    }

    fn finish(&self) {
        self.database.flush().unwrap();
    }
}

impl Reads for &sled::Db {
    fn get(&self, key: &Key) -> usize {
        sled::Tree::get(self, key).unwrap().unwrap().len()
    }

    fn scan(&self, key: &Key) -> usize {
        self.range(&key[..]..).take(SCAN_ENTRIES).map(|entry| entry.unwrap().1.len()).sum()
    }
}
