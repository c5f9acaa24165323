//! A process that has used up its descriptors: the engine goes on with those that it has held back.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::engine::{Durability, Engine};

use crate::{changes, get};

const CHILD_DIR: &str = "LARDER_TEST_DESCRIPTORS_DIR";

/// Not a test by itself: the process of the test below.
#[test]
fn child_that_uses_up_its_descriptors() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let options = DurableOptions::default().segment_bytes(16 << 10).checkpoint_log_bytes(1 << 30);
    let engine = DurableEngine::open_with(Path::new(&dir), &options).unwrap();
    let mut taken = Vec::new();
    let mut take_all = || {
        while let Ok(file) = File::open("/dev/null") {
            taken.push(file);
        }
    };
    let value = "v".repeat(3_000);
    for round in 0..3 {
        for n in 0..8 {
            take_all();
            let key = format!("{round}-{n}");
            engine.commit(&changes([(&*key, Some(&*value))]), None, Durability::Sync).unwrap().wait().unwrap();
        }
        take_all();
        engine.checkpoint().unwrap();
    }
    engine.close().unwrap();
    println!("all was written");
}

#[test]
fn segments_and_checkpoints_are_made_when_the_process_has_used_up_its_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "descriptors::child_that_uses_up_its_descriptors", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("all was written"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let engine = DurableEngine::open(dir.path()).unwrap();
    assert!((0..3).all(|round| get(&*engine.snapshot().unwrap(), &format!("{round}-7")).is_some()));
    assert!(engine.stats().unwrap().last_checkpoint.is_some());
}
