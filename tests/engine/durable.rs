//! The durable engine's directory: what may be opened, what is refused and how, copies, checks, figures.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use larder::engine::durable::{self, DurableEngine, DurableOptions, Existence};
use larder::engine::{Changes, CommitNumber, Direction, Durability, Engine, KeyRange, MemoryEngine};
use larder::{Error, OpenProblem, Store};

use crate::{commit, entries, names, put};

fn open(path: &Path) -> DurableEngine {
    DurableEngine::open(path).unwrap()
}

/// Why `path` is refused, and the message.
fn refusal(path: &Path, existence: Existence) -> (OpenProblem, String) {
    match DurableEngine::open_with(path, &DurableOptions::default().existence(existence)) {
        Err(Error::Open { problem, path: named, reason }) => {
            assert_eq!(named.file_name(), path.file_name());
            (problem, reason)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_committed_is_there_after_every_way_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let levels = [Durability::Sync, Durability::Interval(Duration::from_secs(1 << 20)), Durability::None];
    let mut number = 0;
    for durability in levels {
        for close in [true, false] {
            number += 1;
            let engine = open(dir.path());
            assert_eq!(engine.snapshot().unwrap().commit().0, number - 1, "numbers go on where they ended");
            let ticket = engine.commit(&Changes::putting(format!("{number:02}"), "1"), None, durability).unwrap();
            assert_eq!(ticket.number(), CommitNumber(number));
            if number == 3 {
                engine.checkpoint().unwrap();
            }
            if close {
                engine.close().unwrap();
            }
        }
    }
    let engine = open(dir.path());
    let found = names(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward);
    assert_eq!(found, ["01", "02", "03", "04", "05", "06"]);
}

#[test]
fn what_is_not_a_store_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "text").unwrap();
    let below = file.join("store");
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("cat.jpg"), "meow").unwrap();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("1.log"), "somebody else's").unwrap();
    for (path, message) in
        [(&file, "it is a file"), (&below, "a file is in its way"), (&photos, "cat.jpg"), (&logs, "1.log")]
    {
        let (problem, reason) = refusal(path, Existence::Either);
        assert!(problem == OpenProblem::NotAStore && reason.contains(message), "{reason}");
    }
    assert_eq!(fs::read_dir(&photos).unwrap().count(), 1);
    assert!(matches!(DurableEngine::open(Path::new("")), Err(Error::Io { .. })));
}

#[test]
fn a_store_can_be_insisted_on_to_be_there_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/shop.larder");
    assert_eq!(refusal(&path, Existence::Required).0, OpenProblem::Missing);
    assert!(!dir.path().join("a").exists(), "nothing was made");
    drop(DurableEngine::open_with(&path, &DurableOptions::default().existence(Existence::Refused)).unwrap());
    assert_eq!(refusal(&path, Existence::Refused).0, OpenProblem::Exists);
    drop(DurableEngine::open_with(&path, &DurableOptions::default().existence(Existence::Required)).unwrap());
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(refusal(&empty, Existence::Required).0, OpenProblem::Missing);
    put(&open(&empty), "a", "1");
}

#[test]
fn a_store_in_use_says_by_whom_until_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "1");
    let snapshot = engine.snapshot().unwrap();
    let (problem, reason) = refusal(dir.path(), Existence::Either);
    assert!(problem == OpenProblem::InUse && reason.contains("this process"), "{reason}");
    assert!(matches!(durable::check(dir.path()), Err(Error::Open { problem: OpenProblem::InUse, .. })));
    engine.close().unwrap();
    // Its entries are in memory: a snapshot that is still read holds no file.
    put(&open(dir.path()), "a", "2");
    assert_eq!(snapshot.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let identity = dir.path().join("larder");
    let bytes = fs::read(&identity).unwrap();
    let with = |at: usize, byte: u8| {
        let mut changed = bytes.clone();
        changed[at] = byte;
        fs::write(&identity, changed).unwrap();
    };
    with(8, 2);
    let (problem, reason) = refusal(dir.path(), Existence::Either);
    assert!(problem == OpenProblem::NewerFormat && reason.contains("format 2 is newer than 1"), "{reason}");
    with(20, 0xff);
    let error = DurableEngine::open(dir.path()).unwrap_err();
    assert!(matches!(&error, Error::Damaged { file, offset: 0, .. } if *file == identity), "{error}");
    fs::write(&identity, bytes).unwrap();
    open(dir.path());
}

#[test]
fn a_creation_that_was_interrupted_is_begun_again_but_a_lost_identity_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    fs::write(dir.path().join("0000000000000001.log"), [0; 100]).unwrap();
    fs::write(dir.path().join("larder.new"), "LAR").unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "1");
    engine.checkpoint().unwrap();
    drop(engine);
    fs::remove_file(dir.path().join("larder")).unwrap();
    assert!(matches!(DurableEngine::open(dir.path()), Err(Error::Damaged { .. })));
}

#[test]
fn a_backup_is_of_one_moment_while_writers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Arc::new(open(&dir.path().join("store")));
    let is_done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (engine, is_done) = (Arc::clone(&engine), Arc::clone(&is_done));
        std::thread::spawn(move || {
            for n in 0u64.. {
                // Two entries that are always equal, and one more each time.
                let n = n.to_be_bytes();
                let batch = Changes::from_iter([(&b"a"[..], Some(n)), (b"z", Some(n)), (&n, Some(n))]);
                engine.commit(&batch, None, Durability::None).unwrap().wait().unwrap();
                if is_done.load(Ordering::Relaxed) {
                    return;
                }
            }
        })
    };
    for copy in 0..5 {
        let path = dir.path().join(format!("copy {copy}"));
        let snapshot = engine.snapshot().unwrap();
        durable::backup(&*snapshot, &path).unwrap();
        let copy = open(&path);
        let copied = copy.snapshot().unwrap();
        assert_eq!(copied.commit(), snapshot.commit());
        assert!(
            entries(&*copied, &KeyRange::all(), Direction::Forward)
                == entries(&*snapshot, &KeyRange::all(), Direction::Forward)
        );
        assert_eq!(copied.get(b"a").unwrap(), copied.get(b"z").unwrap());
        drop((snapshot, copied));
        // It is a store like any other.
        put(&copy, "later", "1");
        assert_eq!(copy.check().unwrap().damage, []);
    }
    is_done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let taken = dir.path().join("copy 0");
    let outcome = durable::backup(&*engine.snapshot().unwrap(), &taken);
    assert!(matches!(outcome, Err(Error::Open { problem: OpenProblem::Exists, .. })));
}

#[test]
fn a_backup_of_a_store_in_memory_is_a_store_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, path) = (Store::in_memory(), dir.path().join("copy"));
    store.kv().set("k", "v").unwrap();
    store.backup(&path).unwrap();
    let copy = Store::open(&path).unwrap();
    assert_eq!(copy.kv().get("k").unwrap().as_deref(), Some(&b"v"[..]));
    assert_eq!(copy.stats().unwrap().commit, store.stats().unwrap().commit);
}

#[test]
fn stats_tell_what_there_is_and_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let before = engine.stats().unwrap();
    assert_eq!(
        (before.entries, before.bytes, before.last_checkpoint, before.checkpoint_bytes),
        (Some(0), Some(0), None, 0)
    );
    put(&engine, "key", "value");
    put(&engine, "key", "other");
    let after = engine.stats().unwrap();
    assert_eq!((after.entries, after.bytes, after.syncs), (Some(1), Some(8), before.syncs + 2));
    engine.checkpoint().unwrap();
    let after = engine.stats().unwrap();
    assert_eq!(after.last_checkpoint, Some(CommitNumber(2)));
    let files = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap());
    let sizes = files.filter(|file| file.file_name() != "lock").map(|file| file.metadata().unwrap().len());
    assert_eq!(after.disk_bytes, sizes.sum::<u64>());
    assert_eq!(after.disk_bytes, after.log_bytes + after.checkpoint_bytes + 36);
}

#[test]
fn the_log_does_not_grow_without_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let options = DurableOptions::default().threads(false).segment_bytes(16 << 10).checkpoint_log_bytes(64 << 10);
    let engine = DurableEngine::open_with(dir.path(), &options).unwrap();
    for n in 0..2_000u32 {
        let change = Changes::putting((n % 10).to_be_bytes(), [7; 500]);
        engine.commit(&change, None, Durability::None).unwrap().wait().unwrap();
        assert!(engine.stats().unwrap().disk_bytes < 400 << 10, "of a megabyte that was written");
    }
    drop(engine);
    let engine = open(dir.path());
    assert_eq!((engine.stats().unwrap().entries, engine.snapshot().unwrap().commit().0), (Some(10), 2_000));
}

#[test]
fn values_up_to_the_limit_come_back_from_log_and_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let value: Vec<u8> = (0..64u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    assert_eq!(value.len(), larder::limits::ENGINE_VALUE_BYTES_MAX);
    let engine = open(dir.path());
    commit(&engine, &Changes::putting("large", &value));
    drop(engine);
    let engine = open(dir.path());
    assert!(engine.snapshot().unwrap().get(b"large").unwrap().as_deref() == Some(&*value), "from the log");
    engine.checkpoint().unwrap();
    assert!(engine.stats().unwrap().log_bytes < 64 << 20);
    drop(engine);
    assert!(
        open(dir.path()).snapshot().unwrap().get(b"large").unwrap().as_deref() == Some(&*value),
        "from the checkpoint"
    );
}

#[test]
fn readers_see_whole_commits_while_a_checkpoint_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let options = DurableOptions::default().segment_bytes(64 << 10).checkpoint_log_bytes(256 << 10);
    let engine = Arc::new(DurableEngine::open_with(dir.path(), &options).unwrap());
    let model = MemoryEngine::new();
    let reader = {
        let engine = Arc::clone(&engine);
        std::thread::spawn(move || {
            let mut last = CommitNumber(0);
            while last.0 < 3_000 {
                let snapshot = engine.snapshot().unwrap();
                assert!(snapshot.commit() >= last);
                last = snapshot.commit();
                let values: Vec<_> =
                    (0..4u8).map(|n| snapshot.get(&[n]).unwrap().map(|value| value.to_vec())).collect();
                assert!(values.iter().all(|value| *value == values[0]), "a torn commit");
            }
        })
    };
    for n in 0..3_000u32 {
        let batch: Changes = (0..4u8).map(|key| ([key], Some(n.to_be_bytes().repeat(40)))).collect();
        for target in [&*engine as &dyn Engine, &model] {
            target.commit(&batch, None, Durability::None).unwrap().wait().unwrap();
        }
    }
    reader.join().unwrap();
    engine.checkpoint().unwrap();
    let all = |engine: &dyn Engine| entries(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward);
    assert!(all(&*engine) == all(&model));
    assert!(engine.stats().unwrap().last_checkpoint.is_some());
}

#[test]
fn a_store_on_disk_opens_closes_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.larder");
    Store::open(&path).unwrap().close().unwrap();
    put(&open(&path), "a", "1");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.durability(), Durability::Sync);
    assert_eq!(store.stats().unwrap().commit, CommitNumber(1));
    assert!(matches!(Store::open(&path), Err(Error::Open { .. })));
    let fork = store.fork().unwrap();
    assert_eq!(fork.stats().unwrap().disk_bytes, 0);
    drop(fork);
    let other = store.clone();
    store.close().unwrap();
    assert!(matches!(other.stats(), Err(Error::Closed)));
    assert!(matches!(other.snapshot(), Err(Error::Closed)));
    assert!(matches!(other.transaction(|_| Ok(())), Err(Error::Closed)));
    let store = Store::builder().durability(Durability::None).open(&path).unwrap();
    store.sync().unwrap();
    assert_eq!(store.stats().unwrap().commit, CommitNumber(1));
}
