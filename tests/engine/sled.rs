//! What is sled's own: its log, its trees, its large values.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use larder::Error;
use larder::engine::sled::SledEngine;
use larder::engine::{Changes, CommitNumber, Direction, Durability, Engine, KeyRange};

use crate::{get, put};

fn open(path: &Path) -> SledEngine {
    SledEngine::open(path).unwrap()
}

fn refusal(path: &Path) -> String {
    match SledEngine::open(path) {
        Err(Error::Open { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_another_program_made_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = |name: &str, write: &dyn Fn(&sled::Db)| {
        let path = dir.path().join(name);
        let database = sled::open(&path).unwrap();
        write(&database);
        drop(database);
        assert!(refusal(&path).contains("another program's"), "{name}");
        drop(sled::open(&path).unwrap());
    };
    theirs("default", &|database| drop(database.insert("a", "1").unwrap()));
    theirs("tree", &|database| drop(database.open_tree("users").unwrap()));
    theirs("lookalike", &|database| drop(database.insert("", "their entry").unwrap()));
}

#[test]
fn a_newer_format_is_refused_and_a_damaged_one_is_corruption() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let write_own = |entry: &[u8]| drop(sled::open(dir.path()).unwrap().insert("", entry).unwrap());
    write_own(b"larder\0\0\0\x02");
    assert!(refusal(dir.path()).contains("format 2 is newer than 1"));
    for damaged in [&b"larder\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"larder\0\0\0\x01\0"] {
        write_own(damaged);
        assert!(matches!(SledEngine::open(dir.path()), Err(Error::Corruption { what: "the store's own entry", .. })));
    }
    write_own(b"larder\0\0\0\x01\0\0\0\0\0\0\0\x07");
    assert_eq!(open(dir.path()).snapshot().unwrap().commit(), CommitNumber(7));
}

#[test]
fn a_creation_that_was_interrupted_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("blobs")).unwrap();
    fs::write(dir.path().join("conf"), "").unwrap();
    put(&open(dir.path()), "a", "1");
    assert_eq!(get(&*open(dir.path()).snapshot().unwrap(), "a").as_deref(), Some("1"));
}

#[test]
fn large_values_come_back_from_files_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let value: Vec<u8> = (0..3 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    let engine = open(dir.path());
    for (name, durability) in [("a", Durability::Sync), ("b", Durability::None), ("c", Durability::Sync)] {
        engine.commit(&Changes::putting(name, &value), None, durability).unwrap().wait().unwrap();
    }
    assert!(fs::read_dir(dir.path().join("blobs")).unwrap().count() >= 3);
    drop(engine);
    let snapshot = open(dir.path()).snapshot().unwrap();
    for name in [&b"a"[..], b"b", b"c"] {
        assert!(snapshot.get(name).unwrap().as_deref() == Some(&*value));
    }
}

/// A long scan meets versions of what changed meanwhile, in chunks that end at entries and at versions.
#[test]
fn a_snapshot_stays_as_it_was_while_everything_in_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let name = |n: u32| n.to_be_bytes();
    let all = |value: Option<&str>, only: &dyn Fn(u32) -> bool| -> Changes {
        (0..2_000).filter(|n| only(*n)).map(|n| (name(n), value.map(str::to_owned))).collect()
    };
    let commit = |changes: &Changes| engine.commit(changes, None, Durability::None).unwrap().wait().unwrap();
    commit(&all(Some("first"), &|n| n % 3 != 0));
    let snapshot = engine.snapshot().unwrap();
    let cursors = [Direction::Forward, Direction::Backward].map(|direction| {
        let mut cursor = snapshot.range(&KeyRange::all(), direction).unwrap();
        assert_eq!(cursor.next().unwrap().unwrap().1, b"first");
        cursor
    });
    commit(&all(Some("second"), &|n| n % 2 == 0));
    commit(&all(None, &|n| n % 5 != 0));
    commit(&all(Some("third"), &|n| n < 100));
    let expected: Vec<_> = (0..2_000u32).filter(|n| n % 3 != 0).map(|n| name(n).to_vec()).collect();
    for (mut cursor, backward) in cursors.into_iter().zip([false, true]) {
        let mut names = Vec::new();
        while let Some((name, value)) = cursor.next().unwrap() {
            assert_eq!(value, b"first");
            names.push(name.to_vec());
        }
        let mut rest = expected.clone();
        if backward {
            rest.reverse();
        }
        assert_eq!(names, rest[1..]);
    }
    assert_eq!(snapshot.count(&KeyRange::all()).unwrap(), expected.len() as u64);
    assert_eq!(snapshot.get(&name(1)).unwrap().as_deref(), Some(&b"first"[..]));
}

/// A store of forty synced commits without sled's index of its log, and the length of what the log holds.
fn forty_commits(path: &Path) -> usize {
    let engine = open(path);
    for n in 0..40 {
        put(&engine, &format!("{n:02}"), &"x".repeat(100));
    }
    drop(engine);
    for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().unwrap().starts_with("snap.") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    // The rest is set aside, and zero.
    fs::read(path.join("db")).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_shortened_log_is_noticed_until_the_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let length = forty_commits(dir.path());
    let log = OpenOptions::new().write(true).open(dir.path().join("db")).unwrap();
    log.set_len(length as u64 / 2).unwrap();
    for _ in 0..2 {
        let error = SledEngine::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Corruption { what: "journal", .. }), "{error}");
        assert!(error.to_string().contains("although commit 40 was synced"), "{error}");
    }
    fs::remove_file(dir.path().join("larder.synced")).unwrap();
    assert!(open(dir.path()).snapshot().unwrap().commit() < CommitNumber(40));
}

#[test]
fn a_damaged_log_never_opens_with_less_than_was_synced() {
    let dir = tempfile::tempdir().unwrap();
    let length = forty_commits(dir.path());
    for place in 1..16 {
        let damaged = tempfile::tempdir().unwrap();
        fs::create_dir(damaged.path().join("blobs")).unwrap();
        for name in ["conf", "larder.synced"] {
            fs::copy(dir.path().join(name), damaged.path().join(name)).unwrap();
        }
        let mut log = fs::read(dir.path().join("db")).unwrap();
        log[length * place / 16] ^= 0xff;
        fs::write(damaged.path().join("db"), log).unwrap();
        match SledEngine::open(damaged.path()) {
            Err(Error::Corruption { .. } | Error::Open { .. }) => {}
            Err(error) => panic!("{error}"),
            // What sled does not read to open the store is found out by who reads it.
            Ok(engine) => {
                let snapshot = engine.snapshot().unwrap();
                assert_eq!(snapshot.commit(), CommitNumber(40), "damage at {place}/16");
                match snapshot.count(&KeyRange::all()) {
                    Ok(count) => assert_eq!(count, 40, "damage at {place}/16"),
                    Err(error) => assert!(matches!(error, Error::Corruption { .. }), "{error}"),
                }
            }
        }
    }
}

/// sled stops for good when its threads wait for a writer that waits for them (`engine::sled`'s documentation): the writer
/// has to be freed. `LARDER_TEST_SLED_RUNS` says how often to try; a busy machine makes it likelier.
#[test]
fn a_writer_beside_a_reader_is_never_stopped_for_good() {
    let runs = std::env::var("LARDER_TEST_SLED_RUNS").map_or(1, |runs| runs.parse().unwrap());
    let mut random = 1u64;
    for run in 1..=runs {
        let dir = tempfile::tempdir().unwrap();
        let engine = open(dir.path());
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let snapshot = engine.snapshot().unwrap();
                    assert!(snapshot.count(&KeyRange::all()).unwrap() <= 300);
                }
            });
            for value in 0..400u32 {
                let batch: Changes = (0..65)
                    .map(|_| {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        (((random >> 33) % 300).to_be_bytes(), Some(value.to_be_bytes().repeat(250)))
                    })
                    .collect();
                engine.commit(&batch, None, Durability::None).unwrap().wait().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        println!("run {run}");
    }
}
