//! Keys, members, fields and values larger than most stores are, in memory and on disk.
//!
//! Those of 65 and 33 MiB are larger than anything that is compressed or written in one piece; those of the limits take more memory than every
//! machine has: `cargo test --release --all-features --test large_values -- --ignored --nocapture --test-threads 1`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::kv::End;
use larder::limits::{KEY_BYTES_MAX, MEMBER_BYTES_MAX, STRING_BYTES_MAX};
use larder::{Kv, Result, Store};

/// Of values; names are half as long.
const LARGE: usize = 66 << 20;

/// Bytes that do not repeat, and do not compress.
fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let words = (seed..).map(|n| n.wrapping_mul(0x9e37_79b9).rotate_left(n % 31).to_le_bytes());
    words.flatten().take(len).collect()
}

/// The first half of a value, as a key, member or field.
fn name(large: &[u8]) -> &[u8] {
    &large[..large.len() / 2]
}

fn write(kv: &Kv, large: &[u8]) -> Result<()> {
    kv.set("string", large)?;
    kv.set(name(large), "short")?;
    kv.hash("hash").set("field", large)?;
    kv.hash("hash").set(name(large), "short")?;
    kv.list("list").push(End::Back, [large])?;
    kv.unsorted_set("set").add(name(large))?;
    kv.sorted_set("sorted").add(name(large), 1.5)?;
    Ok(())
}

fn assert_read(kv: &Kv, large: &[u8], what: &str) {
    let same = |found: Option<Vec<u8>>| found.as_deref() == Some(large);
    assert!(same(kv.get("string").unwrap()), "{what}");
    assert_eq!(kv.get_with("string", <[u8]>::len).unwrap(), Some(large.len()), "{what}");
    assert_eq!(kv.get(name(large)).unwrap().as_deref(), Some(&b"short"[..]), "{what}");
    assert!(same(kv.hash("hash").get("field").unwrap()), "{what}");
    assert_eq!(kv.hash("hash").get(name(large)).unwrap().as_deref(), Some(&b"short"[..]), "{what}");
    assert!(same(kv.list("list").get(0).unwrap()), "{what}");
    assert!(kv.unsorted_set("set").contains(name(large)).unwrap(), "{what}");
    assert_eq!(kv.sorted_set("sorted").score(name(large)).unwrap(), Some(1.5), "{what}");
}

#[test]
fn what_is_large_comes_back_from_memory() {
    let (store, large) = (Store::in_memory(), bytes(LARGE, 1));
    write(&store.kv(), &large).unwrap();
    assert_read(&store.kv(), &large, "from memory");
    store.kv().append("string", "end").unwrap();
    assert_eq!(store.kv().get_with("string", <[u8]>::len).unwrap(), Some(LARGE + 3));
    assert!(store.kv().remove("string").unwrap() && store.kv().remove(name(&large)).unwrap());
}

#[test]
fn what_is_large_comes_back_from_log_checkpoint_and_backup() {
    let (dir, large) = (tempfile::tempdir().unwrap(), bytes(LARGE, 2));
    let (path, copy) = (dir.path().join("store"), dir.path().join("copy"));
    let store = Store::open(&path).unwrap();
    write(&store.kv(), &large).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_read(&store.kv(), &large, "from the log");
    store.checkpoint().unwrap();
    assert!(store.check().unwrap().damage.is_empty());
    store.backup(&copy).unwrap();
    drop(store);
    assert_read(&Store::open(&path).unwrap().kv(), &large, "from the checkpoint");
    assert_read(&Store::open(&copy).unwrap().kv(), &large, "from the backup");
}

/// The most memory that the process had so far, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? >> 10)
}

#[test]
#[ignore = "takes three gigabytes of memory"]
fn a_value_of_the_limit_passes_and_is_not_copied_needlessly() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.kv().set("k", "v").unwrap();
    let value = bytes(STRING_BYTES_MAX, 3);
    println!("the value: {:?} MiB", peak_mib());
    store.kv().set("string", &value).unwrap();
    println!("set: {:?} MiB", peak_mib());
    assert_eq!(store.kv().get_with("string", |found| found == value).unwrap(), Some(true));
    println!("got: {:?} MiB", peak_mib());
    store.checkpoint().unwrap();
    println!("checkpoint: {:?} MiB", peak_mib());
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    println!("opened: {:?} MiB", peak_mib());
    assert_eq!(store.kv().get_with("string", |found| found == value).unwrap(), Some(true));
}

#[test]
#[ignore = "takes five gigabytes of memory"]
fn a_key_and_its_value_may_both_be_of_the_limit() {
    let store = Store::in_memory();
    let (key, value) = (bytes(KEY_BYTES_MAX, 4), bytes(STRING_BYTES_MAX, 5));
    store.kv().set(&key, &value).unwrap();
    assert_eq!(store.kv().get_with(&key, |found| found == value).unwrap(), Some(true));
    store.kv().remove(&key).unwrap();
    let member = &key[..MEMBER_BYTES_MAX];
    store.kv().hash("h").set(member, &value).unwrap();
    assert!(store.kv().hash("h").get(member).unwrap() == Some(value));
}
