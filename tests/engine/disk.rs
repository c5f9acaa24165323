//! What only an engine on disk can do: be opened, refused, damaged, killed, and opened again.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use larder::engine::fjall::{FjallEngine, FjallOptions};
use larder::engine::{Changes, CommitNumber, Direction, Durability, Engine, KeyRange};
use larder::{Error, Store};

use crate::{changes, commit, get, key, names, put};

fn open(path: &Path) -> FjallEngine {
    FjallEngine::open(path).unwrap()
}

/// The reason with which `path` is refused.
fn refusal(path: &Path) -> String {
    match FjallEngine::open(path) {
        Err(Error::Open { path: named, reason, .. }) => {
            assert_eq!(named.file_name(), path.file_name());
            reason
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
            let name = format!("{number:02}");
            let ticket = engine.commit(&changes([(&*name, Some("1")), ("gone", None)]), None, durability).unwrap();
            assert_eq!(ticket.number(), CommitNumber(number));
            if close {
                engine.close().unwrap();
            }
        }
    }
    let engine = open(dir.path());
    let snapshot = engine.snapshot().unwrap();
    assert_eq!(names(&*snapshot, &KeyRange::all(), Direction::Forward), ["01", "02", "03", "04", "05", "06"]);
    assert!(engine.stats().unwrap().disk_bytes > 0);
}

#[test]
fn entries_survive_the_move_from_the_journal_to_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    // More than one in-memory table holds, so that part of it is in the tree and part in the journal.
    let value: Arc<[u8]> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    let engine = FjallEngine::open_with(dir.path(), &FjallOptions::default().journal_bytes(64 << 20)).unwrap();
    let before = engine.snapshot().unwrap();
    for n in 0..80u8 {
        let batch = Changes::from_iter([(key([n]), Some(Arc::clone(&value))), (key("last"), Some([n][..].into()))]);
        engine.commit(&batch, None, Durability::None).unwrap().wait().unwrap();
    }
    assert_eq!(before.count(&KeyRange::all()).unwrap(), 0);
    drop(before);
    drop(engine);
    let engine = open(dir.path());
    let snapshot = engine.snapshot().unwrap();
    assert_eq!(snapshot.commit(), CommitNumber(80));
    assert_eq!(snapshot.count(&KeyRange::all()).unwrap(), 81);
    assert_eq!(snapshot.get(b"last").unwrap().as_deref(), Some(&[79][..]));
    assert!(snapshot.get(&[3]).unwrap().as_deref() == Some(&*value));
}

#[test]
fn a_directory_is_in_use_until_the_last_snapshot_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "1");
    assert!(refusal(dir.path()).contains("in use"));
    let snapshot = engine.snapshot().unwrap();
    let cursor = snapshot.range(&KeyRange::all(), Direction::Forward).unwrap();
    engine.close().unwrap();
    assert!(refusal(dir.path()).contains("in use"), "a snapshot still reads its files");
    assert_eq!(get(&*snapshot, "a").as_deref(), Some("1"));
    drop(snapshot);
    drop(cursor);
    // Again and again, so that a thread that lets go too late shows.
    for n in 2..12 {
        let engine = open(dir.path());
        assert_eq!(put(&engine, "a", "1"), CommitNumber(n));
    }
}

#[test]
fn a_fork_writes_only_to_memory() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "disk");
    let fork = engine.fork().unwrap();
    commit(&*fork, &changes([("a", None), ("b", Some("memory"))]));
    assert_eq!((fork.is_persistent(), fork.stats().unwrap().disk_bytes), (false, 0));
    assert_eq!(names(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward), ["a"]);
    drop((engine, fork));
    let engine = open(dir.path());
    assert_eq!(names(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward), ["a"]);
}

#[test]
fn a_journal_that_is_too_small_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let small = FjallOptions::default().journal_bytes(1 << 20);
    assert!(matches!(FjallEngine::open_with(dir.path(), &small), Err(Error::Invalid { .. })));
}

#[test]
fn what_is_not_a_store_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();

    let file = dir.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(refusal(&file).contains("it is a file"));
    let below = file.join("store");
    assert!(refusal(&below).contains("a file is in its way"));

    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("cat.jpg"), "meow").unwrap();
    assert!(refusal(&photos).contains("cat.jpg"));
    assert_eq!(fs::read_dir(&photos).unwrap().count(), 1);

    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("version"), "1.2.3").unwrap();
    assert!(refusal(&other).contains("not a store's"));

    for (name, keyspace) in [("theirs", "users"), ("lookalike", "entries")] {
        let path = dir.path().join(name);
        let database = fjall::Database::builder(&path).open().unwrap();
        let users = database.keyspace(keyspace, Default::default).unwrap();
        users.insert("a", "1").unwrap();
        drop((users, database));
        assert!(refusal(&path).contains("another program's"), "{name}");
    }
    assert!(matches!(FjallEngine::open(Path::new("")), Err(Error::Io { .. })));
}

#[test]
fn a_newer_format_is_refused_and_a_damaged_one_is_corruption() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let write_format = |format: &[u8]| {
        let database = fjall::Database::builder(dir.path()).open().unwrap();
        database.keyspace("meta", Default::default).unwrap().insert("format", format).unwrap();
    };
    write_format(b"larder\0\0\0\x02");
    assert!(refusal(dir.path()).contains("format 2 is newer than 1"));
    write_format(b"pantry\0\0\0\x01");
    assert!(matches!(FjallEngine::open(dir.path()), Err(Error::Corruption { what: "format entry", .. })));
    write_format(b"larder\0\0\0\x01");
    open(dir.path());
}

#[test]
fn a_creation_that_was_interrupted_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    fs::write(dir.path().join("0.jnl"), [0; 100]).unwrap();
    fs::create_dir(dir.path().join("keyspaces")).unwrap();
    let creator = File::open(dir.path().join("lock")).unwrap();
    creator.lock().unwrap();
    assert!(refusal(dir.path()).contains("in use"), "whoever creates it holds the lock");
    drop(creator);
    put(&open(dir.path()), "a", "1");
    assert_eq!(get(&*open(dir.path()).snapshot().unwrap(), "a").as_deref(), Some("1"));
}

/// A store of ten synced commits, closed, and the length of what its journal holds.
fn ten_commits(path: &Path) -> u64 {
    let engine = open(path);
    for n in 0..10 {
        put(&engine, "counter", &n.to_string());
    }
    engine.close().unwrap();
    // The rest is set aside, and zero.
    let mut journal = Vec::new();
    File::open(path.join("0.jnl")).unwrap().take(1 << 16).read_to_end(&mut journal).unwrap();
    journal.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

#[test]
fn a_shortened_journal_is_noticed_until_the_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let length = ten_commits(dir.path());
    let journal = OpenOptions::new().write(true).open(dir.path().join("0.jnl")).unwrap();
    journal.set_len(length - 20).unwrap();
    for _ in 0..2 {
        let error = FjallEngine::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Corruption { what: "journal", .. }), "{error}");
        assert!(error.to_string().contains("ends at commit 9, although commit 10 was synced"), "{error}");
    }
    fs::remove_file(dir.path().join("larder.synced")).unwrap();
    assert_eq!(open(dir.path()).snapshot().unwrap().commit(), CommitNumber(9));
}

#[test]
fn a_damaged_journal_never_opens_with_less_than_was_synced() {
    for place in 1..16 {
        let dir = tempfile::tempdir().unwrap();
        let length = ten_commits(dir.path());
        let mut journal = OpenOptions::new().read(true).write(true).open(dir.path().join("0.jnl")).unwrap();
        let mut byte = [0];
        let at = SeekFrom::Start(length * place / 16);
        journal.seek(at).unwrap();
        journal.read_exact(&mut byte).unwrap();
        journal.seek(at).unwrap();
        journal.write_all(&[!byte[0]]).unwrap();
        match FjallEngine::open(dir.path()) {
            Err(Error::Corruption { .. }) => {}
            Ok(engine) => panic!("opened at commit {} after damage at {place}/16", engine.snapshot().unwrap().commit()),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_torn_mark_is_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    ten_commits(dir.path());
    let mark = dir.path().join("larder.synced");
    assert_eq!(fs::read(&mark).unwrap(), [10u64.to_be_bytes(), (!10u64).to_be_bytes()].concat());
    for torn in [&[][..], &[0xff; 8], &[0xff; 16], &[0xff; 17]] {
        fs::write(&mark, torn).unwrap();
        let engine = open(dir.path());
        engine.sync().unwrap();
        drop(engine);
        assert_eq!(fs::read(&mark).unwrap()[..8], 10u64.to_be_bytes());
    }
}

#[test]
fn a_store_on_disk_opens_closes_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.larder");
    Store::open(&path).unwrap().close().unwrap();
    put(&larder::engine::durable::DurableEngine::open(&path).unwrap(), "a", "1");
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
