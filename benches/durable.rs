//! What the engine on disk promises, against the medium and against the engine in memory.
//!
//! ```sh
//! cargo bench --bench durable                          # all of it: about two minutes
//! cargo bench --bench durable -- pause --entries=200000 # one part, smaller
//! ```
//! The parts are `sync`, `group`, `interval`, `disk`, `reopen` and `pause`. It is no program of criterion's: a disk's syncs
//! differ so much from one moment to the next that only what is done in turns can be compared, and a pause is a
//! distribution. Each figure is a median of rounds, with the rounds of what is compared one after the other.
//!
//! The store is made in the system's directory for temporary files: set `TMPDIR` to measure another disk.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

mod data;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use data::{Data, KEY_BYTES, VALUE_BYTES};
use larder::engine::durable::DurableEngine;
use larder::engine::{Changes, Durability, Engine, MemoryEngine};
use larder::vfs::{SystemVfs, Vfs};

const PARTS: [&str; 6] = ["sync", "group", "interval", "disk", "reopen", "pause"];
const ENTRIES: usize = 1_000_000;
const BATCH: usize = 4;
const INTERVAL: Durability = Durability::Interval(Duration::from_millis(100));

/// Bytes of the log's record of a batch, as `docs/format.md` has it: header, operations, up to the next multiple of 8.
const RECORD_BYTES: usize = (32 + BATCH * (7 + KEY_BYTES + VALUE_BYTES)).next_multiple_of(8);

/// Threads that share syncs.
const WRITERS: usize = 8;

fn main() {
    let (mut parts, mut entries) = (Vec::new(), ENTRIES);
    for argument in std::env::args().skip(1).filter(|argument| argument != "--bench") {
        if let Some(number) = argument.strip_prefix("--entries=").and_then(|number| number.parse().ok()) {
            entries = number;
        } else if PARTS.contains(&&*argument) {
            parts.push(argument);
        } else {
            // Not a failure, so that all benchmarks can be run with arguments of criterion's.
            eprintln!("durable: measures nothing for `{argument}`; its arguments are {PARTS:?} and --entries=NUMBER");
            return;
        }
    }
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);
    let mut report = Report::new();
    if is_wanted("sync") {
        sync(&mut report);
    }
    if is_wanted("group") {
        group(&mut report);
    }
    if is_wanted("interval") {
        interval(&mut report, entries);
    }
    if is_wanted("disk") || is_wanted("reopen") {
        disk(&mut report, entries);
    }
    if is_wanted("pause") {
        pause(&mut report, entries);
    }
    println!("{}", report.table);
}

/// One writer's synced commits, against a loop of `write` and `fdatasync` of the same bytes to a file that has them already.
fn sync(report: &mut Report) {
    const ROUNDS: usize = 41;
    const COMMITS: usize = 50;
    let dir = tempfile::tempdir().unwrap();
    let engine = DurableEngine::open(&dir.path().join("store")).unwrap();
    let mut data = Data::new(1);
    let bare = SystemVfs.create(&dir.path().join("bare")).unwrap();
    bare.write_all_at(&vec![0; (ROUNDS + 1) * COMMITS * RECORD_BYTES], 0).unwrap();
    bare.sync().unwrap();
    let (mut bare_at, mut records) = (0, vec![0; COMMITS * RECORD_BYTES]);
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let batches = new_batches(&mut data, COMMITS);
        data.fill(&mut records);
        let committing = || batches.iter().for_each(|batch| commit(&engine, batch, Durability::Sync));
        let mut writing = || {
            for record in records.chunks(RECORD_BYTES) {
                bare.write_all_at(record, bare_at).unwrap();
                bare.sync().unwrap();
                bare_at += RECORD_BYTES as u64;
            }
        };
        let took = if round % 2 == 0 {
            [timed(committing), timed(&mut writing)]
        } else {
            let writing = timed(&mut writing);
            [timed(committing), writing]
        };
        // The first round is for everything to get warm.
        if round > 0 {
            times.iter_mut().zip(took).for_each(|(times, took)| times.push(took / COMMITS as f64));
        }
    }
    let [commits, writes] = &times;
    let mut ratios: Vec<_> = commits.iter().zip(writes).map(|(commit, write)| commit / write).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let quarters: Vec<_> = ratios.iter().step_by(ROUNDS / 4).map(|ratio| format!("{ratio:.2}")).collect();
    println!("ratios of single rounds, from the least by quarters to the greatest: {}", quarters.join(", "));
    let [committing, writing] = times.map(median);
    report.at_most(
        "Sync, one writer, batches of four",
        format!("{:.0} µs", committing * 1e6),
        format!("bare write and fdatasync: {:.0} µs", writing * 1e6),
        committing / writing,
        1.3,
    );
}

/// Synced commits of many threads, against those of one.
fn group(report: &mut Report) {
    const ROUNDS: usize = 15;
    const ROUND: Duration = Duration::from_millis(300);
    let dir = tempfile::tempdir().unwrap();
    let engine = DurableEngine::open(&dir.path().join("store")).unwrap();
    let mut data = Data::new(2);
    let mut rates = [Vec::new(), Vec::new()];
    let mut group_sizes = Vec::new();
    for round in 0..=ROUNDS {
        for (threads, rates) in [1, WRITERS].into_iter().zip(&mut rates) {
            let batches: Vec<_> = (0..threads).map(|_| new_batches(&mut data, 4_000)).collect();
            let syncs = engine.stats().unwrap().syncs;
            let is_over = AtomicBool::new(false);
            let write = |batches: &[Changes], is_over: &AtomicBool| {
                let until = batches.iter().take_while(|batch| {
                    commit(&engine, batch, Durability::Sync);
                    !is_over.load(Ordering::Relaxed)
                });
                until.count()
            };
            let start = Instant::now();
            let commits: usize = std::thread::scope(|scope| {
                let writers: Vec<_> = batches.iter().map(|batches| scope.spawn(|| write(batches, &is_over))).collect();
                std::thread::sleep(ROUND);
                is_over.store(true, Ordering::Relaxed);
                writers.into_iter().map(|writer| writer.join().unwrap()).sum()
            });
            if round > 0 {
                rates.push(commits as f64 / start.elapsed().as_secs_f64());
                if threads > 1 {
                    group_sizes.push(commits as f64 / (engine.stats().unwrap().syncs - syncs) as f64);
                }
            }
        }
    }
    let [one, many] = rates.map(median);
    report.at_least(
        "Sync, 8 writers",
        format!("{many:.0} commits/s, {:.1} a sync", median(group_sizes)),
        format!("1 writer: {one:.0} commits/s"),
        many / one,
        4.0,
    );
}

/// A whole load that is synced in the background, with the checkpoints it makes due, against one of the engine in memory.
fn interval(report: &mut Report, entries: usize) {
    const ROUNDS: usize = 5;
    let batches = new_batches(&mut Data::new(3), entries / BATCH);
    let load = |engine: &dyn Engine| {
        timed(|| {
            for batch in &batches {
                commit(engine, batch, INTERVAL);
            }
            engine.sync().unwrap();
        })
    };
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        let memory = load(&MemoryEngine::new());
        let durable = load(&DurableEngine::open(&dir.path().join("store")).unwrap());
        for (rates, took) in rates.iter_mut().zip([durable, memory]) {
            rates.push(batches.len() as f64 / took);
        }
    }
    let [durable, memory] = rates.map(median);
    report.at_least(
        "Interval of 100 ms, batches of four",
        format!("{durable:.0} commits/s"),
        format!("in memory: {memory:.0} commits/s"),
        durable / memory,
        0.6,
    );
}

/// What a store takes on disk, and how long it takes to open.
fn disk(report: &mut Report, entries: usize) {
    const ROUNDS: usize = 5;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let engine = DurableEngine::open(&path).unwrap();
    let mut data = Data::new(4);
    for batch in new_batches(&mut data, entries / BATCH) {
        commit(&engine, &batch, Durability::None);
    }
    engine.checkpoint().unwrap();
    let raw = |entries: usize| (entries * (KEY_BYTES + VALUE_BYTES)) as f64;
    report.disk("disk, loaded and checkpointed", &path, raw(entries), 1.1);
    engine.close().unwrap();
    drop(engine);

    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let mut opened = None;
        let took = timed(|| opened = Some(DurableEngine::open(&path).unwrap()));
        assert_eq!(opened.unwrap().stats().unwrap().entries, Some(entries as u64));
        rates.push(entries as f64 / took);
    }
    let rate = median(rates);
    report.at_least(
        "reopening from a checkpoint (in the system's cache)",
        format!("{:.2}M entries/s", rate / 1e6),
        "1M entries/s".to_owned(),
        rate / 1e6,
        1.0,
    );

    let engine = DurableEngine::open(&path).unwrap();
    for keys in data.keys().chunks(1000) {
        let mut changes = Changes::new();
        keys.iter().step_by(2).for_each(|key| changes.remove(key));
        commit(&engine, &changes, Durability::None);
    }
    engine.checkpoint().unwrap();
    report.disk("disk, every other entry deleted, checkpointed", &path, raw(entries / 2), 1.2);
}

/// How long a writer at full speed is held up, with and without a checkpoint beside it.
fn pause(report: &mut Report, entries: usize) {
    const CHECKPOINTS: usize = 5;
    let dir = tempfile::tempdir().unwrap();
    let engine = DurableEngine::open(&dir.path().join("store")).unwrap();
    let mut data = Data::new(5);
    for batch in new_batches(&mut data, entries / BATCH) {
        commit(&engine, &batch, Durability::None);
    }
    engine.checkpoint().unwrap();
    let overwrites = overwriting_batches(&mut data, 50_000);
    let mut overwrites = overwrites.iter().cycle();
    let mut pauses = |is_over: &AtomicBool| {
        let mut pauses = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let batch = overwrites.next().unwrap();
            pauses.push(timed(|| commit(&engine, batch, INTERVAL)));
        }
        pauses
    };
    let (mut alone, mut beside, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CHECKPOINTS {
        for (pauses_of, is_beside) in [(&mut alone, false), (&mut beside, true)] {
            let is_over = AtomicBool::new(false);
            let (is_over, engine) = (&is_over, &engine);
            let took = std::thread::scope(|scope| {
                let other = scope.spawn(move || {
                    let took = timed(|| {
                        if is_beside {
                            engine.checkpoint().unwrap();
                        } else {
                            std::thread::sleep(Duration::from_secs(1));
                        }
                    });
                    is_over.store(true, Ordering::Relaxed);
                    took
                });
                pauses_of.extend(pauses(is_over));
                other.join().unwrap()
            });
            if is_beside {
                taken.push(took);
            }
        }
    }
    let (alone, beside) = (Distribution::of(alone), Distribution::of(beside));
    println!("pauses without a checkpoint: {alone}");
    println!("pauses while a checkpoint of {:.1} s runs: {beside}", median(taken));
    report.at_most(
        "a writer's pauses while a checkpoint runs, 99.9th percentile",
        format!("{:.2} ms, longest {:.1} ms", beside.per_mille_999 * 1e3, beside.longest * 1e3),
        format!("10 ms; without a checkpoint {:.2} ms", alone.per_mille_999 * 1e3),
        beside.per_mille_999 / 0.010,
        1.0,
    );
}

fn commit(engine: &dyn Engine, batch: &Changes, durability: Durability) {
    engine.commit(batch, None, durability).unwrap().wait().unwrap();
}

/// Batches of four new keys each.
fn new_batches(data: &mut Data, count: usize) -> Vec<Changes> {
    (0..count).map(|_| (0..BATCH).map(|_| (data.key(), Some(data.value()))).collect()).collect()
}

/// Batches of four keys each that there are, with new values.
fn overwriting_batches(data: &mut Data, count: usize) -> Vec<Changes> {
    (0..count).map(|_| (0..BATCH).map(|_| (data.old_key(), Some(data.value()))).collect()).collect()
}

/// Seconds that `work` takes.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap()
}

/// How long commits took, in seconds.
struct Distribution {
    count: usize,
    per_mille_500: f64,
    per_mille_990: f64,
    per_mille_999: f64,
    longest: f64,
}

impl Distribution {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        let at = |per_mille: usize| times.get(((times.len() - 1) * per_mille).div_ceil(1000)).copied().unwrap();
        Self {
            count: times.len(),
            per_mille_500: at(500),
            per_mille_990: at(990),
            per_mille_999: at(999),
            longest: at(1000),
        }
    }
}

impl std::fmt::Display for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, .. } = self;
        let [half, most, nearly_all, longest] =
            [self.per_mille_500, self.per_mille_990, self.per_mille_999, self.longest].map(|seconds| seconds * 1e6);
        write!(
            f,
            "p50 {half:.1} µs, p99 {most:.1} µs, p99.9 {nearly_all:.1} µs, longest {longest:.0} µs; {count} commits"
        )
    }
}

/// The table that is printed in the end.
struct Report {
    table: Table,
}

impl Report {
    fn new() -> Self {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["what", "measured", "against", "ratio", "bar", ""]);
        Self { table }
    }

    fn at_most(&mut self, what: &str, measured: String, against: String, ratio: f64, bar: f64) {
        self.add(what, measured, against, ratio, format!("≤ {bar}"), ratio <= bar);
    }

    fn at_least(&mut self, what: &str, measured: String, against: String, ratio: f64, bar: f64) {
        self.add(what, measured, against, ratio, format!("≥ {bar}"), ratio >= bar);
    }

    fn add(&mut self, what: &str, measured: String, against: String, ratio: f64, bar: String, is_met: bool) {
        let met = if is_met { "met" } else { "not met" };
        println!("{what}: {measured}; {against}; {ratio:.2}, {met}");
        self.table.add_row([what.to_owned(), measured, against, format!("{ratio:.2}"), bar, met.to_owned()]);
    }

    /// Compares the files in the directory `path` with the `raw` bytes of the entries in it.
    fn disk(&mut self, what: &str, path: &Path, raw: f64, bar: f64) {
        let files: Vec<_> = fs::read_dir(path).unwrap().map(|file| file.unwrap().metadata().unwrap()).collect();
        let bytes: u64 = files.iter().map(fs::Metadata::len).sum();
        let allocated: u64 = files.iter().map(allocated_bytes).sum();
        let larger = bytes.max(allocated) as f64;
        let measured = format!("{:.1} MB in files, {:.1} MB allocated", bytes as f64 / 1e6, allocated as f64 / 1e6);
        self.at_most(what, measured, format!("raw: {:.1} MB", raw / 1e6), larger / raw, bar);
    }
}

#[cfg(unix)]
fn allocated_bytes(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(file) * 512
}

/// The standard library does not tell elsewhere.
#[cfg(not(unix))]
fn allocated_bytes(file: &fs::Metadata) -> u64 {
    file.len()
}
