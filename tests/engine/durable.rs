//! The durable engine's directory: what may be opened, what is refused and how, copies, checks, figures.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use larder::engine::durable::{self, ClosedStore, DurableEngine, DurableOptions, Existence};
use larder::engine::{Changes, CommitNumber, Direction, Durability, Engine, KeyRange, MemoryEngine};
use larder::vfs::{File, SystemVfs, Vfs};
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
    with(8, 3);
    let (problem, reason) = refusal(dir.path(), Existence::Either);
    assert!(problem == OpenProblem::NewerFormat && reason.contains("format 3 is newer than 2"), "{reason}");
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
    let options = DurableOptions::default().without_threads().segment_bytes(16 << 10).checkpoint_log_bytes(64 << 10);
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
fn large_values_come_back_from_log_and_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    // More than is compressed, and alone in its block of the checkpoint.
    let value: Vec<u8> = (0..65u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let engine = open(dir.path());
    for (key, value) in [("k", &b"before"[..]), ("large", &value), ("m", b"behind")] {
        commit(&engine, &Changes::putting(key, value));
    }
    drop(engine);
    let engine = open(dir.path());
    assert!(engine.snapshot().unwrap().get(b"large").unwrap().as_deref() == Some(&*value), "from the log");
    engine.checkpoint().unwrap();
    assert!(engine.stats().unwrap().log_bytes < 64 << 20);
    assert!(engine.check().unwrap().damage.is_empty());
    drop(engine);
    let snapshot = open(dir.path()).snapshot().unwrap();
    for (key, value) in [("k", &b"before"[..]), ("large", &value), ("m", b"behind")] {
        assert!(snapshot.get(key.as_bytes()).unwrap().as_deref() == Some(value), "{key} from the checkpoint");
    }
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

/// The paths of the store's files that end with `ending`.
fn files(path: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    let mut found: Vec<_> = paths.filter(|file| file.to_str().is_some_and(|name| name.ends_with(ending))).collect();
    found.sort();
    found
}

#[test]
fn a_lock_file_that_was_removed_keeps_nobody_from_being_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "1");
    fs::remove_file(dir.path().join("lock")).unwrap();
    for _ in 0..2 {
        let (problem, reason) = refusal(dir.path(), Existence::Either);
        assert!(problem == OpenProblem::InUse && reason.contains("lock file"), "{reason}");
    }
    put(&engine, "b", "1");
    engine.close().unwrap();
    assert_eq!(open(dir.path()).stats().unwrap().commit.0, 2);
}

#[test]
fn a_copy_without_its_checkpoint_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    for (name, count) in [("empty", 0u8), ("full", 3)] {
        let (store, path) = (MemoryEngine::new(), dir.path().join(name));
        for n in 0..count {
            put(&store, &n.to_string(), "1");
        }
        durable::backup(&*store.snapshot().unwrap(), &path).unwrap();
        assert!(durable::check(&path).unwrap().damage.is_empty());
        fs::remove_file(&files(&path, ".checkpoint")[0]).unwrap();
        assert_eq!(durable::check(&path).unwrap().damage.len(), 1, "{name}");
        assert!(matches!(DurableEngine::open(&path), Err(Error::Damaged { .. })), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("store"), dir.path().join("copy"));
    let engine = open(&path);
    put(&engine, "a", "1");
    engine.checkpoint().unwrap();
    durable::backup(&*engine.snapshot().unwrap(), &copy).unwrap();
    engine.close().unwrap();
    for directory in [&path, &copy] {
        assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
        for file in files(directory, "") {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_else_is_in_the_directory_does_not_keep_a_store_from_opening() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    put(&open(dir.path()), "a", "1");
    let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe.new"));
    let theirs = dir.path().join("notes.new");
    let socket = dir.path().join(durable::CONTROL_FILE);
    for path in [&odd, &theirs, &socket] {
        fs::write(path, "text").unwrap();
    }
    fs::write(dir.path().join("0000000000000009.log.new"), "unfinished").unwrap();
    assert_eq!(open(dir.path()).stats().unwrap().commit.0, 1);
    assert!(durable::check(dir.path()).unwrap().damage.is_empty());
    assert!(odd.exists() && theirs.exists() && socket.exists(), "what is not the store's is left alone");
    assert!(files(dir.path(), ".log.new").is_empty());
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_directory_in_the_place_of_a_file_is_damage_and_is_not_waited_for() {
    let pipes = tempfile::tempdir().unwrap();
    let pipe = pipes.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for name in ["larder", "lock", "closed", "0000000000000001.log", "0000000000000001.checkpoint"] {
        for make in ["pipe", "directory"] {
            let dir = tempfile::tempdir().unwrap();
            put(&open(dir.path()), "a", "1");
            let path = dir.path().join(name);
            if path.exists() {
                fs::remove_file(&path).unwrap();
            }
            if make == "pipe" { fs::hard_link(&pipe, &path) } else { fs::create_dir(&path) }.unwrap();
            let (sender, receiver) = std::sync::mpsc::channel();
            let store = dir.path().to_owned();
            std::thread::spawn(move || {
                let opened = DurableEngine::open(&store).map(drop);
                sender.send((opened, durable::check(&store))).unwrap();
            });
            let (opened, checked) = receiver.recv_timeout(Duration::from_mins(1)).expect("it waits for the other end");
            assert!(matches!(opened, Err(Error::Damaged { .. })), "{make} {name}: {opened:?}");
            assert!(name == "lock" || checked.unwrap().damage.len() == 1, "{make} {name}");
        }
    }
}

/// The system's files, of which nothing is changed, and how many bytes of them are read.
#[derive(Debug, Default)]
struct Reading {
    bytes: Arc<AtomicU64>,
}

#[derive(Debug)]
struct ReadingFile(Box<dyn File>, Arc<AtomicU64>);

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Vfs for Reading {
    fn create_directory(&self, _path: &Path) -> io::Result<()> {
        refused()
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        SystemVfs.names(path)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
        if writable {
            return refused();
        }
        Ok(Box::new(ReadingFile(SystemVfs.open(path, false)?, Arc::clone(&self.bytes))))
    }

    fn create(&self, _path: &Path) -> io::Result<Box<dyn File>> {
        refused()
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn File>> {
        refused()
    }

    fn lock_shared(&self, path: &Path) -> io::Result<Box<dyn File>> {
        SystemVfs.lock_shared(path)
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        refused()
    }
}

impl File for ReadingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<usize> {
        refused()
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn sync(&self) -> io::Result<()> {
        refused()
    }
}

#[test]
fn a_store_that_cannot_be_written_to_is_checked_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let options = DurableOptions::default().vfs(Arc::new(Reading::default()));
    let engine = open(dir.path());
    put(&engine, "a", "1");
    engine.checkpoint().unwrap();
    put(&engine, "b", "1");
    for refusal in [durable::check_with(dir.path(), &options).err(), ClosedStore::read_with(dir.path(), &options).err()]
    {
        assert!(matches!(refusal, Some(Error::Open { problem: OpenProblem::InUse, .. })), "{refusal:?}");
    }
    let stats = engine.stats().unwrap();
    // As after a crash.
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in files(dir.path(), "").into_iter().filter(|file| file.is_file()) {
        fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
    }
    for path in [&copy, dir.path()] {
        if path == dir.path() {
            engine.close().unwrap();
        }
        let report = durable::check_with(path, &options).unwrap();
        assert!(report.damage.is_empty() && report.commit.0 == 2 && report.entries == 2, "{report:?}");
        let closed = ClosedStore::read_with(path, &options).unwrap();
        let found = closed.stats();
        assert_eq!((found.commit, found.entries, found.bytes), (stats.commit, stats.entries, stats.bytes));
        assert_eq!((found.log_bytes, found.checkpoint_bytes), (stats.log_bytes, stats.checkpoint_bytes));
        assert_eq!(names(&*closed.snapshot(), &KeyRange::all(), Direction::Forward), ["a", "b"]);
        assert_eq!(refusal(path, Existence::Either).0, OpenProblem::InUse, "while it is read");
        drop(closed);
        put(&open(path), "c", "1");
    }
}

#[test]
fn a_file_that_is_too_long_is_refused_by_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    put(&engine, "a", "1");
    engine.checkpoint().unwrap();
    put(&engine, "b", "1");
    engine.close().unwrap();
    for ending in [".log", ".checkpoint", "larder", "closed"] {
        let file = files(dir.path(), ending).pop().unwrap();
        let size = fs::metadata(&file).unwrap().len();
        let handle = fs::OpenOptions::new().write(true).open(&file).unwrap();
        handle.set_len(3 << 30).unwrap();
        let reading = Reading::default();
        let bytes = Arc::clone(&reading.bytes);
        let report = durable::check_with(dir.path(), &DurableOptions::default().vfs(Arc::new(reading))).unwrap();
        assert!(report.damage.iter().any(|damage| damage.file == file), "{ending}: {report:?}");
        assert!(bytes.load(Ordering::Relaxed) < 40 << 20, "{ending}: {bytes:?} bytes were read");
        assert!(matches!(DurableEngine::open(dir.path()), Err(Error::Damaged { .. })));
        handle.set_len(size).unwrap();
    }
    assert!(durable::check(dir.path()).unwrap().damage.is_empty());
}

#[test]
fn a_bit_of_a_checkpoint_is_one_damage_and_takes_one_block() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut random = 7u64;
    let entries: Changes = (0..40_000u32)
        .map(|n| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (
                n.to_be_bytes(),
                Some([random, random.rotate_left(21), random.rotate_left(42)].map(u64::to_le_bytes).concat()),
            )
        })
        .collect();
    commit(&engine, &entries);
    engine.checkpoint().unwrap();
    engine.close().unwrap();
    let file = files(dir.path(), ".checkpoint").pop().unwrap();
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 10 * (64 << 10), "of many blocks");
    // The header of the file, that of the first block, bytes of the first and of others.
    for at in
        [9, 20, 72, 76, 83, 90, 97, 98, 120, whole.len() / 2, whole.len() / 3, whole.len() - 100, whole.len() - 20]
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(&file, bytes).unwrap();
        let Ok(report) = durable::check(dir.path()) else {
            assert_eq!(at, 9, "another version's");
            continue;
        };
        assert_eq!(report.damage.len(), 1, "byte {at}: {:?}", report.damage);
        let most = if at < 72 { 0 } else { 3_000 };
        assert!((40_000 - most..=40_000).contains(&report.entries), "byte {at}: {} entries", report.entries);
    }
}
