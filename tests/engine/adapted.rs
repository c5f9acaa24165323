//! What only an engine on another's database can do: be opened, refused, damaged, and opened again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use larder::engine::durable::DurableEngine;
use larder::engine::{CommitNumber, Direction, Durability, Engine, KeyRange};
use larder::{Error, OpenProblem};

use crate::{changes, commit, get, names, put};

/// An engine, and how its directory is told apart.
struct Kind {
    open: fn(&Path) -> Result<Arc<dyn Engine>, Error>,
    /// A file that a directory of the database's always has.
    file: &'static str,
}

impl Kind {
    fn open(&self, path: &Path) -> Arc<dyn Engine> {
        (self.open)(path).unwrap()
    }

    /// The reason with which `path` is refused.
    fn refusal(&self, path: &Path) -> String {
        match (self.open)(path) {
            Err(Error::Open { path: named, reason, .. }) => {
                assert_eq!(named.file_name(), path.file_name());
                reason
            }
            other => panic!("{other:?}"),
        }
    }
}

const KINDS: &[Kind] = &[
    #[cfg(feature = "fjall")]
    Kind { open: |path| Ok(Arc::new(larder::engine::fjall::FjallEngine::open(path)?)), file: "version" },
    #[cfg(feature = "sled")]
    Kind { open: |path| Ok(Arc::new(larder::engine::sled::SledEngine::open(path)?)), file: "db" },
];

/// Runs `test` on every kind, in an empty directory.
fn on_every_kind(test: impl Fn(&Kind, &Path)) {
    for kind in KINDS {
        println!("on an engine with {}", kind.file);
        test(kind, tempfile::tempdir().unwrap().path());
    }
}

#[test]
fn what_was_committed_is_there_after_every_way_to_end() {
    on_every_kind(|kind, path| {
        let levels = [Durability::Sync, Durability::Interval(Duration::from_secs(1 << 20)), Durability::None];
        let mut number = 0;
        for durability in levels {
            for close in [true, false] {
                number += 1;
                let engine = kind.open(path);
                assert_eq!(engine.snapshot().unwrap().commit().0, number - 1, "numbers go on where they ended");
                let name = format!("{number:02}");
                let ticket = engine.commit(&changes([(&*name, Some("1")), ("gone", None)]), None, durability).unwrap();
                assert_eq!(ticket.number(), CommitNumber(number));
                if close {
                    engine.close().unwrap();
                }
            }
        }
        let engine = kind.open(path);
        let snapshot = engine.snapshot().unwrap();
        assert_eq!(names(&*snapshot, &KeyRange::all(), Direction::Forward), ["01", "02", "03", "04", "05", "06"]);
        assert!(engine.stats().unwrap().disk_bytes > 0);
    });
}

#[test]
fn a_directory_is_in_use_until_the_last_snapshot_has_gone() {
    on_every_kind(|kind, path| {
        let engine = kind.open(path);
        put(&*engine, "a", "1");
        assert!(kind.refusal(path).contains("in use"));
        let snapshot = engine.snapshot().unwrap();
        let cursor = snapshot.range(&KeyRange::all(), Direction::Forward).unwrap();
        engine.close().unwrap();
        assert!(kind.refusal(path).contains("in use"), "a snapshot still reads its files");
        assert_eq!(get(&*snapshot, "a").as_deref(), Some("1"));
        drop(snapshot);
        drop(cursor);
        drop(engine);
        // Again and again, so that a thread that lets go too late shows.
        for n in 2..12 {
            assert_eq!(put(&*kind.open(path), "a", "1"), CommitNumber(n));
        }
    });
}

#[test]
fn a_fork_writes_only_to_memory() {
    on_every_kind(|kind, path| {
        let engine = kind.open(path);
        put(&*engine, "a", "disk");
        let fork = engine.fork().unwrap();
        commit(&*fork, &changes([("a", None), ("b", Some("memory"))]));
        assert_eq!((fork.is_persistent(), fork.stats().unwrap().disk_bytes), (false, 0));
        assert_eq!(names(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward), ["a"]);
        drop((engine, fork));
        assert_eq!(names(&*kind.open(path).snapshot().unwrap(), &KeyRange::all(), Direction::Forward), ["a"]);
    });
}

#[test]
fn what_is_not_a_store_is_refused_untouched() {
    on_every_kind(|kind, path| {
        let file = path.join("file");
        fs::write(&file, "text").unwrap();
        assert!(kind.refusal(&file).contains("it is a file"));
        assert!(kind.refusal(&file.join("store")).contains("a file is in its way"));

        let photos = path.join("photos");
        fs::create_dir(&photos).unwrap();
        fs::write(photos.join("cat.jpg"), "meow").unwrap();
        assert!(kind.refusal(&photos).contains("cat.jpg"));
        assert_eq!(fs::read_dir(&photos).unwrap().count(), 1);
        assert!(matches!((kind.open)(Path::new("")), Err(Error::Io { .. })));
    });
}

#[test]
fn a_torn_mark_is_no_mark() {
    on_every_kind(|kind, path| {
        for n in 0..10 {
            put(&*kind.open(path), "counter", &n.to_string());
        }
        let mark = path.join("larder.synced");
        assert_eq!(fs::read(&mark).unwrap(), [10u64.to_be_bytes(), (!10u64).to_be_bytes()].concat());
        for torn in [&[][..], &[0xff; 8], &[0xff; 16], &[0xff; 17]] {
            fs::write(&mark, torn).unwrap();
            let engine = kind.open(path);
            engine.sync().unwrap();
            drop(engine);
            assert_eq!(fs::read(&mark).unwrap()[..8], 10u64.to_be_bytes());
        }
    });
}

#[test]
fn a_store_of_another_engine_is_called_by_its_name() {
    type Opener = fn(&Path) -> Result<(), Error>;
    let openers: Vec<(&str, Opener)> = vec![
        ("durable", |path| DurableEngine::open(path).map(drop)),
        #[cfg(feature = "fjall")]
        ("fjall", |path| larder::engine::fjall::FjallEngine::open(path).map(drop)),
        #[cfg(feature = "sled")]
        ("sled", |path| larder::engine::sled::SledEngine::open(path).map(drop)),
    ];
    for (kind, make) in &openers {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path()).unwrap();
        for (other, open) in openers.iter().filter(|(other, _)| other != kind) {
            let error = open(dir.path()).unwrap_err();
            assert!(matches!(error, Error::Open { problem: OpenProblem::NotAStore, .. }), "{other}: {error}");
            assert!(error.to_string().contains(kind) && error.to_string().contains("open it with"), "{other}: {error}");
        }
        make(dir.path()).unwrap();
    }
}
