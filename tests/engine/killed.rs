//! Processes that die while they write: every engine on disk keeps what it acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use larder::Error;
use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::engine::{Direction, Durability, Engine, KeyRange};

use crate::{changes, get, names};

/// Where the child writes, on which engine, and how durably.
const CHILD_DIR: &str = "LARDER_TEST_KILL_DIR";
const CHILD_ENGINE: &str = "LARDER_TEST_KILL_ENGINE";
const CHILD_LEVEL: &str = "LARDER_TEST_KILL_LEVEL";

/// Begins the line with which the child acknowledges a commit.
const ACKNOWLEDGED: &str = "acknowledged ";

/// Commits before each kill. Rounds go on with what the last one left: 21 for each engine, over the three levels.
const ROUNDS: [usize; 7] = [1, 37, 160, 5, 90, 250, 12];

fn open(engine: &str, path: &Path) -> Result<Arc<dyn Engine>, Error> {
    match engine {
        // Small, so that kills fall into checkpoints and between segments.
        "durable" => {
            let options = DurableOptions::default().segment_bytes(8 << 10).checkpoint_log_bytes(20 << 10);
            Ok(Arc::new(DurableEngine::open_with(path, &options)?))
        }
        #[cfg(feature = "fjall")]
        "fjall" => Ok(Arc::new(larder::engine::fjall::FjallEngine::open(path)?)),
        #[cfg(feature = "sled")]
        "sled" => Ok(Arc::new(larder::engine::sled::SledEngine::open(path)?)),
        other => panic!("no engine {other}"),
    }
}

/// Not a test by itself: writes until it is killed, when it is started by the tests below.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let durability = match &*std::env::var(CHILD_LEVEL).unwrap() {
        "sync" => Durability::Sync,
        "interval" => Durability::Interval(Duration::from_millis(2)),
        _ => Durability::None,
    };
    let engine = open(&std::env::var(CHILD_ENGINE).unwrap(), Path::new(&dir)).unwrap();
    let first = engine.snapshot().unwrap().commit().0 + 1;
    let mut out = std::io::stderr().lock();
    for n in first.. {
        let value = n.to_string();
        let batch = changes([(&*format!("{n:08}"), Some(&*value)), ("last", Some(&*value))]);
        engine.commit(&batch, None, durability).unwrap().wait().unwrap();
        // The parent may have gone; then there is nobody left to write for.
        if writeln!(out, "{ACKNOWLEDGED}{n}").is_err() {
            return;
        }
    }
}

/// Runs the child on `dir` until it has acknowledged `commits`, kills it, and answers the last it acknowledged.
fn kill_after(engine: &str, dir: &Path, level: &str, commits: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD_DIR, dir)
        .envs([(CHILD_ENGINE, engine), (CHILD_LEVEL, level)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged = lines.filter_map(|line| line.strip_prefix(ACKNOWLEDGED).and_then(|n| n.parse().ok()));
    let seen: Vec<u64> = acknowledged.by_ref().take(commits).collect();
    let refusal = open(engine, dir).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal.contains("in use"), "another process has it: {refusal}");
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.chain(seen).max().unwrap()
}

/// At whatever moment a process dies, a whole number of its commits is there, and every one it acknowledged.
fn killed_again_and_again(kind: &str) {
    for level in ["sync", "interval", "none"] {
        let dir = tempfile::tempdir().unwrap();
        for commits in ROUNDS {
            let acknowledged = kill_after(kind, dir.path(), level, commits);
            let engine = open(kind, dir.path()).unwrap();
            let snapshot = engine.snapshot().unwrap();
            let found = snapshot.commit().0;
            assert!(found >= acknowledged, "{level}: {found} of {acknowledged}");
            assert_eq!(get(&*snapshot, "last"), Some(found.to_string()), "{level}");
            let expected = (1..=found).map(|n| format!("{n:08}")).chain(["last".to_owned()]);
            assert!(names(&*snapshot, &KeyRange::all(), Direction::Forward).into_iter().eq(expected), "{level}");
            assert_eq!(engine.check().unwrap().damage, []);
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_the_durable_engine_acknowledged() {
    killed_again_and_again("durable");
}

#[cfg(feature = "fjall")]
#[test]
fn a_killed_process_loses_nothing_fjall_acknowledged() {
    killed_again_and_again("fjall");
}

#[cfg(feature = "sled")]
#[test]
fn a_killed_process_loses_nothing_sled_acknowledged() {
    killed_again_and_again("sled");
}
