//! What is fjall's own: its journal, its keyspaces.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use larder::Error;
use larder::engine::fjall::{FjallEngine, FjallOptions};
use larder::engine::{Changes, CommitNumber, Durability, Engine, KeyRange};

use crate::{get, key, put};

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

/// The bytes of all journals.
fn journal_bytes(path: &Path) -> Vec<u64> {
    let files = fs::read_dir(path).unwrap().map(|file| file.unwrap());
    let journals = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "jnl"));
    journals.map(|file| file.metadata().unwrap().len()).collect()
}

#[test]
fn a_store_that_was_closed_has_no_journal_to_read() {
    for is_held in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        for round in 1..4 {
            let engine = open(dir.path());
            for n in 0..50 {
                put(&engine, &format!("{round} {n}"), "1");
            }
            assert!(engine.stats().unwrap().log_bytes > 0 && engine.stats().unwrap().syncs >= 50);
            let snapshot = is_held.then(|| engine.snapshot().unwrap());
            engine.close().unwrap();
            assert_eq!(journal_bytes(dir.path()).into_iter().sum::<u64>(), 0);
            assert!(snapshot.is_none_or(|snapshot| snapshot.count(&KeyRange::all()).unwrap() == 50 * round));
            drop(engine);
            let engine = open(dir.path());
            let snapshot = engine.snapshot().unwrap();
            assert_eq!((snapshot.commit().0, snapshot.count(&KeyRange::all()).unwrap()), (50 * round, 50 * round));
            assert_eq!(engine.check().unwrap().entries, 50 * round);
        }
    }
}

#[test]
fn a_checkpoint_leaves_one_journal_and_everything_in_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let value: Arc<[u8]> = (0..1 << 20).map(|n: u32| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
    for n in 0..150u8 {
        engine.commit(&Changes::putting([n], &value), None, Durability::None).unwrap().wait().unwrap();
    }
    engine.checkpoint().unwrap();
    assert_eq!(journal_bytes(dir.path()).len(), 1);
    put(&engine, "later", "1");
    drop(engine);
    let report = open(dir.path()).check().unwrap();
    assert_eq!((report.entries, report.commit.0, report.damage.len()), (151, 151, 0));
    assert!(report.files > 3 && report.bytes > 0);
}

#[test]
fn a_journal_that_is_too_small_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let small = FjallOptions::default().journal_bytes(1 << 20);
    assert!(matches!(FjallEngine::open_with(dir.path(), &small), Err(Error::Invalid { .. })));
}

#[test]
fn what_another_program_made_is_refused() {
    let dir = tempfile::tempdir().unwrap();
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

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A store of ten synced commits, as a crash leaves it, and the length of what its journal holds.
fn ten_commits(path: &Path) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for n in 0..10 {
        put(&engine, "counter", &n.to_string());
    }
    copy(dir.path(), path);
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
