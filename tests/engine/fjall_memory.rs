//! The fjall engine holds data larger than memory: what it needs does not grow with what it holds.
//!
//! In a process of its own, because other tests take memory too.

use std::process::Command;

use larder::engine::fjall::{FjallEngine, FjallOptions};
use larder::engine::{Changes, Direction, Durability, Engine, KeyRange};

/// Where the child keeps its store.
const CHILD_DIR: &str = "LARDER_TEST_MEMORY_DIR";

const CACHE_BYTES: u64 = 16 << 20;

/// fjall's memtables: the three that the engine lets wait for the disk, one that is being written out, and what a batch adds.
const MEMTABLES_BYTES: u64 = 5 * (64 << 20);

/// What else there is: buffers of compactions, indexes and filters of tables, and what the allocator keeps.
const ALLOWANCE_BYTES: u64 = 48 << 20;

/// Bytes of memory that the store may take.
const BUDGET_BYTES: u64 = CACHE_BYTES + MEMTABLES_BYTES;

const VALUE_BYTES: usize = 16 << 10;
const BATCH: usize = 64;

/// Bytes that differ from one `seed` to the next and that nothing makes smaller.
fn incompressible(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..VALUE_BYTES / 8).flat_map(next).collect()
}

/// Bytes of this process that are in memory, where the system says so as Linux does.
fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = pages.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Not a test by itself: loads, reads and measures, when it is started by the test below.
#[test]
fn child_that_loads_four_times_its_budget() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let options = FjallOptions::default().cache_bytes(CACHE_BYTES);
    let engine = FjallEngine::open_with(dir.as_ref(), &options).unwrap();
    let before = resident_bytes().unwrap();
    let mut most = 0;
    let mut measure = || most = resident_bytes().unwrap().saturating_sub(before).max(most);
    let entries = 4 * BUDGET_BYTES / VALUE_BYTES as u64;
    for first in (0..entries).step_by(BATCH) {
        let entry = |n: u64| (n.to_be_bytes(), Some(incompressible(n)));
        let changes: Changes = (first..first + BATCH as u64).map(entry).collect();
        engine.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
        measure();
    }
    let snapshot = engine.snapshot().unwrap();
    let mut cursor = snapshot.range(&KeyRange::all(), Direction::Forward).unwrap();
    let mut found = 0u64;
    while let Some((key, value)) = cursor.next().unwrap() {
        assert_eq!(key, found.to_be_bytes());
        assert_eq!(value, incompressible(found), "entry {found}");
        found += 1;
        if found.is_multiple_of(BATCH as u64) {
            measure();
        }
    }
    assert_eq!(found, entries);
    println!("grew by {} MiB, of {} MiB for {} MiB of data", most >> 20, BUDGET_BYTES >> 20, (4 * BUDGET_BYTES) >> 20);
    assert!(most <= BUDGET_BYTES + ALLOWANCE_BYTES, "{} MiB", most >> 20);
}

#[test]
fn memory_stays_within_the_budget_at_four_times_as_much_data() {
    if resident_bytes().is_none() {
        println!("skipped: only Linux tells how much memory a process has");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fjall_memory::child_that_loads_four_times_its_budget", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{out}{error}");
    assert!(out.contains("grew by"), "it measured nothing: {out}");
}
