//! The durable engine on a disk that loses power, fails, fills up and rots, at any moment.
//!
//! A seed decides everything: what is committed, how durably, when the disk fails and what of the unsynced writes it keeps.
//! What must hold after the store is opened again:
//! - it holds exactly the commits up to some number;
//! - that number is not below any that was acknowledged as durable, nor above any that was attempted;
//! - every invariant of the tree holds, and the files check clean;
//! - it goes on from there, through the next crash.
//!
//! `LARDER_CRASH_SEEDS=20000` runs so many seeds, `LARDER_CRASH_SEED=17` only that one, with a trace of the last calls.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use larder::Error;
use larder::engine::durable::{self, DurableEngine, DurableOptions};
use larder::engine::{Changes, Direction, Durability, Engine, KeyRange, Ticket};
use larder::vfs::Vfs;
use larder::vfs::sim::{Call, Fault, SimVfs};
use larder::wide_column::{CqlType, TableSchema};
use larder::{ManualClock, Store, Timestamp};

/// Seeds run unless the environment asks for more.
const SEEDS: u64 = 300;

/// Run as well. With 16,911, commits that a checkpoint covers, and whose sync had failed, were not written again when the store was opened.
const SEEDS_OF_FAULTS: [u64; 1] = [16_911];

/// Crashes that one store lives through.
const CRASHES: usize = 4;

/// Operations between two crashes, unless the crash comes first.
const OPERATIONS: usize = 40;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Numbers from a seed (xorshift64*).
#[derive(Clone, Debug)]
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A store, and what it has to hold.
struct Run {
    vfs: SimVfs,
    rng: Rng,
    engine: Option<DurableEngine>,
    /// The entries after each commit, from the one that was last recovered.
    states: BTreeMap<u64, Map>,
    /// The last commit that was acknowledged as durable.
    durable: u64,
    /// The last commit that was written to the disk, synced or not.
    written: u64,
    pending: Vec<Ticket>,
}

fn path() -> &'static Path {
    Path::new("/disk/store")
}

fn options(vfs: &SimVfs) -> DurableOptions {
    let vfs = Arc::new(vfs.clone()) as Arc<dyn Vfs>;
    // Small, so that segments are left and checkpoints made all the time; without threads, so that a seed decides.
    DurableOptions::default()
        .vfs(vfs)
        .without_threads()
        .segment_bytes(4 << 10)
        .checkpoint_log_bytes(24 << 10)
        .store_id(1)
}

impl Run {
    fn new(seed: u64) -> Self {
        let states = BTreeMap::from([(0, Map::new())]);
        let (vfs, rng) = (SimVfs::new(seed), Rng::new(seed));
        Self { vfs, rng, engine: None, states, durable: 0, written: 0, pending: Vec::new() }
    }

    fn last(&self) -> (u64, &Map) {
        let (number, map) = self.states.last_key_value().unwrap();
        (*number, map)
    }

    fn open(&mut self) -> Result<(), Error> {
        self.engine = Some(DurableEngine::open_with(path(), &options(&self.vfs))?);
        Ok(())
    }

    /// One operation. An error says that the disk has failed.
    fn step(&mut self) -> Result<(), Error> {
        match self.rng.below(40) {
            0 => {
                self.engine().checkpoint()?;
                // It holds what is shown; commits that nobody has waited for are not.
                self.durable = self.durable.max(self.engine().snapshot()?.commit().0);
                self.written = self.written.max(self.durable);
                Ok(())
            }
            1..=2 => self.engine().sync().map(|()| self.all_durable()),
            3 => {
                let outcome = self.engine().close();
                self.pending.clear();
                self.engine = None;
                outcome?;
                self.all_durable();
                self.open()
            }
            4..=7 => self.settle(),
            8 => self.engine().check().map(|report| assert_eq!(report.damage, [])),
            _ => self.commit(),
        }
    }

    fn engine(&self) -> &DurableEngine {
        self.engine.as_ref().unwrap()
    }

    fn commit(&mut self) -> Result<(), Error> {
        let mut map = self.last().1.clone();
        let mut changes = Changes::new();
        for _ in 0..=self.rng.below(6) {
            let key = format!("key {}", self.rng.below(60)).into_bytes();
            if self.rng.one_in(4) {
                changes.remove(&key);
                map.remove(&key);
            } else {
                let length = if self.rng.one_in(20) { self.rng.below(12_000) } else { self.rng.below(300) };
                let byte = self.rng.next().to_le_bytes()[0];
                let value: Vec<u8> = (0..length).map(|at| byte.wrapping_add(at.to_le_bytes()[0])).collect();
                changes.put(&key, &value);
                map.insert(key, value);
            }
        }
        let number = self.last().0 + 1;
        // Noted first: a commit that fails may be there all the same.
        self.states.insert(number, map);
        let sync = !self.rng.one_in(3);
        let ticket = self.engine().commit(&changes, None, if sync { Durability::Sync } else { Durability::None })?;
        assert_eq!(ticket.number().0, number);
        if !sync {
            self.written = number;
            return ticket.wait();
        }
        self.pending.push(ticket);
        if self.rng.one_in(2) { self.settle() } else { Ok(()) }
    }

    /// Waits for the commits that nobody has waited for.
    fn settle(&mut self) -> Result<(), Error> {
        for ticket in std::mem::take(&mut self.pending) {
            ticket.wait()?;
            self.durable = self.durable.max(ticket.number().0);
            self.written = self.written.max(self.durable);
            let shown = self.engine().snapshot()?.commit().0;
            assert!(shown >= ticket.number().0, "what is acknowledged is shown");
        }
        Ok(())
    }

    /// Whether nothing is written any more.
    fn is_read_only(&self) -> bool {
        let nothing = self.engine().commit(&Changes::new(), None, Durability::None);
        matches!(nothing, Err(Error::ReadOnly { .. } | Error::Closed))
    }

    fn all_durable(&mut self) {
        self.durable = self.last().0;
        self.written = self.durable;
    }

    /// Checks that a store which has failed goes on showing what it has shown, and takes nothing more; or that what failed has
    /// left no trace.
    fn check_failed(&mut self) {
        let Some(engine) = &self.engine else { return };
        let before = engine.snapshot().map(|snapshot| snapshot.commit());
        if !self.is_read_only()
            && let Ok(ordered) = engine.latest()
        {
            self.states.split_off(&(ordered.commit().0 + 1));
        }
        let outcome = self.engine().commit(&Changes::putting("after", "failure"), None, Durability::Sync);
        let outcome = outcome.and_then(|ticket| ticket.wait());
        if !matches!(outcome, Err(Error::ReadOnly { .. } | Error::Closed)) {
            // What failed before was nothing that a commit depends on, such as a checkpoint. This one may be there.
            let (number, mut map) = (self.last().0 + 1, self.last().1.clone());
            map.insert(b"after".to_vec(), b"failure".to_vec());
            self.states.insert(number, map);
        }
        if outcome.is_ok() {
            self.all_durable();
            return;
        }
        if let (Ok(before), Ok(after)) = (before, self.engine().snapshot()) {
            assert_eq!(after.commit(), before, "what is not durable is not shown");
            assert_eq!(entries(&*after), self.states[&after.commit().0]);
        }
    }

    /// Opens what is left and checks it. `lost` says whether what was not synced may be gone.
    fn recover(&mut self, lost: bool) {
        let (least, most) = (if lost { self.durable } else { self.written }, self.last().0);
        self.open().unwrap_or_else(|error| panic!("cannot be opened: {error}"));
        let snapshot = self.engine().snapshot().unwrap();
        let found = snapshot.commit().0;
        assert!((least..=most).contains(&found), "commit {found} was found, of {least} to {most}");
        let expected = self.states.remove(&found).unwrap();
        assert!(entries(&*snapshot) == expected, "the entries are not those of commit {found}");
        let report = self.engine().check().unwrap();
        assert_eq!((report.damage, report.commit.0), (vec![], found));
        self.states = BTreeMap::from([(found, expected)]);
        (self.durable, self.written) = (found, found);
    }
}

fn entries(snapshot: &dyn larder::engine::Snapshot) -> Map {
    let mut cursor = snapshot.range(&KeyRange::all(), Direction::Forward).unwrap();
    let mut entries = Map::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.insert(key.to_vec(), value.to_vec());
    }
    entries
}

fn seeds() -> Vec<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("LARDER_CRASH_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("LARDER_CRASH_SEEDS").unwrap_or(SEEDS)).chain(SEEDS_OF_FAULTS).collect(),
    }
}

/// Runs `story` with every seed, and says how to see a failure again.
fn on_every_seed(test: &str, story: impl Fn(u64, &mut Run)) {
    for seed in seeds() {
        let mut run = Run::new(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| story(seed, &mut run)));
        if let Err(panic) = outcome {
            eprintln!("last calls:\n{}", run.vfs.trace());
            eprintln!("again with: LARDER_CRASH_SEED={seed} cargo test --all-features --test crash {test}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn power_may_go_at_any_call() {
    on_every_seed("power_may_go_at_any_call", |_, run| {
        for _ in 0..CRASHES {
            let nth = 1 + run.rng.below(400);
            run.vfs.cut_power_at(nth);
            let mut outcome = run.open();
            for _ in 0..OPERATIONS {
                outcome = outcome.and_then(|()| run.step());
            }
            if !run.vfs.is_off() {
                run.vfs.cut_power();
            }
            run.pending.clear();
            run.engine = None;
            run.vfs.restart();
            run.recover(true);
            run.engine = None;
            run.vfs.restart();
        }
    });
}

#[test]
fn a_process_may_die_at_any_call() {
    on_every_seed("a_process_may_die_at_any_call", |_, run| {
        for _ in 0..CRASHES {
            // A call that fails for ever is where the process stops: nothing it does later reaches the disk.
            run.vfs.fail(Fault::at(Call::Any, 1 + run.rng.below(400)).forever());
            let mut outcome = run.open();
            for _ in 0..OPERATIONS {
                outcome = outcome.and_then(|()| run.step());
            }
            run.pending.clear();
            run.engine = None;
            run.vfs.restart();
            run.recover(false);
            run.engine = None;
            run.vfs.restart();
        }
    });
}

// SEM: WID-LWW-3
#[test]
fn unique_times_go_on_behind_all_that_survived_whatever_the_clock_shows_after_the_crash() {
    let schema = || TableSchema::new().partition_key("id", CqlType::Int).column("n", CqlType::Int);
    let ids = 0..i32::try_from(OPERATIONS).unwrap();
    for seed in 0..SEEDS {
        let (vfs, mut rng) = (SimVfs::new(seed), Rng::new(seed));
        // The last time of what was acknowledged, or found in the store.
        let mut last = None;
        for crash in 0..CRASHES {
            let clock = ManualClock::at(Timestamp::from_micros(i64::try_from(rng.below(4_000_000)).unwrap()));
            let engine = DurableEngine::open_with(path(), &options(&vfs)).unwrap();
            let store = Store::builder().clock(clock.clone()).engine(Arc::new(engine)).unwrap();
            let rows = store.wide_table("shop", "rows");
            let time_of = |id: i32| {
                let row = rows.select((id,)).to_vec().unwrap().pop();
                row.and_then(|row| row.write_time("n"))
            };
            if crash == 0 {
                rows.create(schema()).unwrap();
            }
            last = ids.clone().filter_map(time_of).chain(last).max();
            vfs.cut_power_at(1 + rng.below(60));
            for id in ids.clone() {
                clock.advance(Duration::from_micros(rng.below(200_000)));
                if rows.insert(&[("id", id.into()), ("n", 1.into())]).is_err() {
                    break;
                }
                let time = time_of(id);
                assert!(time > last, "seed {seed}: {time:?} is not after {last:?}");
                last = time;
            }
            if rng.one_in(4) {
                let _ = store.close();
            }
            vfs.cut_power();
            vfs.restart();
        }
    }
}

#[test]
fn any_call_may_fail_and_power_go_later() {
    on_every_seed("any_call_may_fail_and_power_go_later", |_, run| {
        for _ in 0..CRASHES {
            run.open().unwrap();
            let calls =
                [Call::Any, Call::Write, Call::Sync, Call::Create, Call::Rename, Call::Remove, Call::SyncDirectory];
            let call = calls[usize::try_from(run.rng.below(7)).unwrap()];
            let fault = Fault::at(call, 1 + run.rng.below(if call == Call::Any { 200 } else { 20 }));
            run.vfs.fail(if run.rng.one_in(2) { fault.forever() } else { fault });
            run.vfs.write_short(run.rng.one_in(3));
            let mut outcome = Ok(());
            for _ in 0..OPERATIONS {
                outcome = outcome.and_then(|()| run.step());
                if outcome.is_err() {
                    run.check_failed();
                    break;
                }
            }
            run.pending.clear();
            let power_goes = run.rng.one_in(2);
            if power_goes {
                run.vfs.cut_power();
            }
            run.engine = None;
            run.vfs.restart();
            run.recover(power_goes || outcome.is_err());
            run.engine = None;
            run.vfs.restart();
        }
    });
}

#[test]
fn a_disk_may_be_full_at_any_byte() {
    on_every_seed("a_disk_may_be_full_at_any_byte", |_, run| {
        run.open().unwrap();
        run.vfs.set_capacity(Some(30_000 + run.rng.below(60_000)));
        let mut outcome = Ok(());
        for _ in 0..10 * OPERATIONS {
            outcome = outcome.and_then(|()| run.step());
            if outcome.is_err() {
                run.check_failed();
                break;
            }
        }
        run.pending.clear();
        run.engine = None;
        run.vfs.restart();
        // What is there can be read on the full disk; room lets it go on.
        run.recover(false);
        run.vfs.set_capacity(None);
        run.pending.clear();
        run.engine = None;
        run.vfs.restart();
        run.open().unwrap();
        for _ in 0..OPERATIONS {
            run.step().unwrap();
        }
    });
}

#[test]
fn what_cannot_be_made_is_tried_again_when_the_next_write_comes() {
    on_every_seed("what_cannot_be_made_is_tried_again_when_the_next_write_comes", |_, run| {
        run.open().unwrap();
        let mut refused = 0;
        for round in 0..3 {
            // No more descriptors: nothing can be opened or made; what is open can be written to.
            run.vfs.fail(Fault::at(Call::Create, 1 + run.rng.below(5)).with(std::io::ErrorKind::Other).forever());
            for _ in 0..3 * OPERATIONS {
                // Closing and opening need descriptors, of course.
                let outcome = if run.rng.one_in(8) { run.settle() } else { run.commit() };
                let Err(error) = outcome else { continue };
                assert!(matches!(error, Error::Io { action: "create", .. }), "{error}");
                refused += 1;
                let ordered = run.engine().latest().unwrap().commit().0;
                run.states.split_off(&(ordered + 1));
                assert!(!run.is_read_only(), "round {round}: {error}");
            }
            run.vfs.heal();
            run.settle().unwrap();
            for _ in 0..OPERATIONS {
                run.step().unwrap();
            }
        }
        assert!(refused > 0, "something needed a new file");
        run.vfs.cut_power();
        run.pending.clear();
        run.engine = None;
        run.vfs.restart();
        run.recover(true);
        run.engine = None;
        run.vfs.restart();
    });
}

#[test]
fn a_disk_that_has_room_again_is_written_to_again() {
    let filled = std::cell::Cell::new(0);
    on_every_seed("a_disk_that_has_room_again_is_written_to_again", |_, run| {
        run.open().unwrap();
        run.vfs.set_capacity(Some(30_000 + run.rng.below(60_000)));
        let mut outcome = Ok(());
        for _ in 0..10 * OPERATIONS {
            outcome = outcome.and_then(|()| run.commit());
        }
        if outcome.is_ok() {
            // Checkpoints keep it within its bounds.
            return;
        }
        filled.set(filled.get() + 1);
        assert!(!run.is_read_only(), "nothing was half written: {outcome:?}");
        let ordered = run.engine().latest().unwrap().commit().0;
        run.states.split_off(&(ordered + 1));
        run.vfs.set_capacity(None);
        for _ in 0..OPERATIONS {
            run.step().unwrap();
        }
        run.vfs.cut_power();
        run.pending.clear();
        run.engine = None;
        run.vfs.restart();
        run.recover(true);
        run.engine = None;
        run.vfs.restart();
    });
    assert!(seeds().len() < 100 || filled.get() > 0, "some disks were full");
}

#[test]
fn a_store_without_its_lock_file_is_still_in_use() {
    let mut run = Run::new(1);
    run.open().unwrap();
    let lock = path().join("lock");
    run.vfs.remove(&lock).unwrap();
    for _ in 0..2 {
        let error = DurableEngine::open_with(path(), &options(&run.vfs)).unwrap_err();
        assert!(error.to_string().contains("in use"), "{error}");
        let error = durable::check_with(path(), &options(&run.vfs)).unwrap_err();
        assert!(error.to_string().contains("in use"), "{error}");
    }
    run.engine().close().unwrap();
    run.open().unwrap();
}

#[test]
fn a_bit_that_rots_is_noticed_or_changes_nothing() {
    on_every_seed("a_bit_that_rots_is_noticed_or_changes_nothing", |_, run| {
        run.open().unwrap();
        for _ in 0..OPERATIONS {
            run.step().unwrap();
        }
        run.settle().unwrap();
        let is_closed = run.rng.one_in(2);
        if is_closed {
            run.engine().close().unwrap();
            run.all_durable();
        }
        run.pending.clear();
        run.engine = None;
        run.vfs.restart();
        let files = store_files(run);
        for _ in 0..20 {
            let disk = run.vfs.fork();
            let file = &files[usize::try_from(run.rng.below(files.len() as u64)).unwrap()];
            let size = disk.read(file).unwrap().len() as u64;
            assert!(disk.flip_bit(file, run.rng.below(8 * size)));
            check_damaged(run, &disk, is_closed);
        }
    });
}

/// A store of a checkpoint and a log of two segments, small enough to damage every byte of it.
fn small_run(is_closed: bool) -> Run {
    let mut run = Run::new(1);
    run.open().unwrap();
    let commit = |run: &mut Run, key: &str, value: &[u8], checkpoint: bool| {
        let mut map = run.last().1.clone();
        map.insert(key.as_bytes().to_vec(), value.to_vec());
        run.states.insert(run.last().0 + 1, map);
        run.engine().commit(&Changes::putting(key, value), None, Durability::Sync).unwrap().wait().unwrap();
        if checkpoint {
            run.engine().checkpoint().unwrap();
        }
    };
    commit(&mut run, "a", &[1; 40], false);
    commit(&mut run, "b", &[2; 300], true);
    commit(&mut run, "a", &[3; 3_000], false);
    // Too long for what is left of the segment.
    commit(&mut run, "c", &[4; 2_000], false);
    commit(&mut run, "d", &[], false);
    run.all_durable();
    if is_closed {
        run.engine().close().unwrap();
    }
    run.vfs.restart();
    run.engine = None;
    run
}

/// The files that make up a store.
fn store_files(run: &Run) -> Vec<PathBuf> {
    run.vfs.files().into_iter().filter(|file| !file.ends_with("lock")).collect()
}

#[test]
fn every_byte_that_is_flipped_is_noticed_or_changes_nothing() {
    for is_closed in [true, false] {
        let run = small_run(is_closed);
        assert!(store_files(&run).len() >= 4, "identity, checkpoint, two segments");
        for file in store_files(&run) {
            let (size, mut noticed) = (run.vfs.read(&file).unwrap().len() as u64, 0);
            for byte in 0..size {
                let disk = run.vfs.fork();
                // Another bit of each byte.
                assert!(disk.flip_bit(&file, 8 * byte + byte % 8));
                noticed += u32::from(check_damaged(&run, &disk, is_closed));
            }
            let name = file.file_name().unwrap().to_str().unwrap();
            println!("{name}: {noticed} of {size}");
            assert!(noticed > 0);
            assert!(
                u64::from(noticed) == size || file.extension() == Some("log".as_ref()),
                "{name} has no byte that means nothing"
            );
        }
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_noticed() {
    for is_closed in [true, false] {
        let run = small_run(is_closed);
        for file in store_files(&run) {
            let bytes = run.vfs.read(&file).unwrap();
            for length in 0..bytes.len() {
                let disk = run.vfs.fork();
                disk.write(&file, bytes[..length].to_vec());
                assert!(check_damaged(&run, &disk, is_closed), "{} of {length} bytes", file.display());
            }
        }
    }
}

#[test]
fn a_file_that_is_gone_or_another_stores_is_noticed() {
    let run = small_run(true);
    let other = SimVfs::new(2);
    let engine = DurableEngine::open_with(path(), &options(&other).store_id(2)).unwrap();
    for n in 0..3 {
        engine.commit(&Changes::putting([n], [n]), None, Durability::Sync).unwrap().wait().unwrap();
        engine.checkpoint().unwrap();
    }
    engine.close().unwrap();
    for file in store_files(&run) {
        let name = file.file_name().unwrap().to_str().unwrap();
        // The last segment is only room for what comes next, and the note of the close says what the log says too.
        let is_spare = name == "0000000000000004.log" || name == "closed";
        let disk = run.vfs.fork();
        disk.remove(&file).unwrap();
        if name.ends_with(".checkpoint") {
            // Then the log does not begin where it has to.
            assert!(matches!(DurableEngine::open_with(path(), &options(&disk)), Err(Error::Damaged { .. })));
        } else {
            assert!(is_spare || check_damaged(&run, &disk, true), "{name}");
        }
        let Some(theirs) = other.files().into_iter().find(|theirs| theirs.extension() == file.extension()) else {
            continue;
        };
        let disk = run.vfs.fork();
        disk.write(&file, other.read(&theirs).unwrap());
        assert!(check_damaged(&run, &disk, true), "{name} of another store");
    }
}

/// Whatever becomes of the end of a log, mark included, a store that was closed does not open without its last commits.
#[test]
fn a_closed_log_that_is_destroyed_from_some_byte_on_is_noticed() {
    let run = small_run(true);
    let segments: Vec<_> =
        store_files(&run).into_iter().filter(|file| file.extension() == Some("log".as_ref())).collect();
    for file in segments {
        let bytes = run.vfs.read(&file).unwrap();
        for from in (64..bytes.len()).step_by(8) {
            let (zeros, mut shifted, mut other) = (run.vfs.fork(), bytes.clone(), bytes.clone());
            zeros.write(&file, [&bytes[..from], &vec![0; bytes.len() - from]].concat());
            check_damaged(&run, &zeros, true);
            shifted.insert(from, 0);
            shifted.pop();
            let disk = run.vfs.fork();
            disk.write(&file, shifted);
            check_damaged(&run, &disk, true);
            other[from..].fill(0xa5);
            let disk = run.vfs.fork();
            disk.write(&file, other);
            check_damaged(&run, &disk, true);
        }
    }
}

#[test]
fn one_damaged_byte_is_one_damage_and_hides_nothing_behind_it() {
    for is_closed in [true, false] {
        let run = small_run(is_closed);
        let whole = durable::check_with(path(), &options(&run.vfs)).unwrap();
        // Without the identity it is unknown which files are the store's.
        for file in store_files(&run).into_iter().filter(|file| !file.ends_with("larder")) {
            let size = run.vfs.read(&file).unwrap().len() as u64;
            for byte in 0..size {
                let disk = run.vfs.fork();
                assert!(disk.flip_bit(&file, 8 * byte + byte % 8));
                let Ok(report) = durable::check_with(path(), &options(&disk)) else { continue };
                assert!(report.damage.len() <= 1, "{}, byte {byte}: {:?}", file.display(), report.damage);
                // Five puts in all, of which the damage takes what one piece holds: two in the checkpoint's block at most,
                // or all of a file whose header is gone.
                let lost = whole.entries - report.entries;
                let most = if byte < 72 && file.extension() == Some("log".as_ref()) { 5 } else { 2 };
                assert!(lost <= most, "{}, byte {byte}: {lost} entries lost", file.display());
            }
        }
    }
}

/// Opens a store whose files have been changed: it is refused, or holds what it held. Where it was not closed, its end may
/// pass for a write that was interrupted.
fn check_damaged(run: &Run, disk: &SimVfs, is_closed: bool) -> bool {
    let report = durable::check_with(path(), &options(disk));
    match DurableEngine::open_with(path(), &options(disk)) {
        Ok(engine) => {
            let snapshot = engine.snapshot().unwrap();
            let found = snapshot.commit().0;
            assert!(entries(&*snapshot) == run.states[&found], "other entries than those of commit {found}");
            assert!(!is_closed || found == run.last().0, "closed at {}, opened at {found}", run.last().0);
            assert_eq!(report.unwrap().damage, [], "damage that does not keep it from being opened");
            false
        }
        Err(Error::Damaged { file, .. }) => {
            let damage = report.unwrap().damage;
            assert!(damage.iter().any(|damage| damage.file == file), "{damage:?} without {}", file.display());
            true
        }
        Err(Error::Open { .. }) => {
            assert!(report.is_err() || report.is_ok_and(|report| report.damage.is_empty()));
            true
        }
        Err(error) => panic!("{error}"),
    }
}
