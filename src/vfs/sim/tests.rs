use super::content::{SECTOR_BYTES, put};
use super::*;
use crate::vfs::SystemVfs;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn path(name: &str) -> PathBuf {
    Path::new("/data").join(name)
}

/// A disk with a directory `/data` that is sure to stay.
fn disk(seed: u64) -> SimVfs {
    let disk = SimVfs::new(seed);
    disk.create_directory(Path::new("/data")).unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    disk
}

/// A file that is sure to stay, with `content` synced.
fn synced_file(disk: &SimVfs, name: &str, content: &[u8]) -> Box<dyn File> {
    let file = disk.create(&path(name)).unwrap();
    file.write_all_at(content, 0).unwrap();
    file.sync().unwrap();
    disk.sync_directory(Path::new("/data")).unwrap();
    file
}

fn crash(disk: &SimVfs) {
    disk.cut_power();
    disk.restart();
}

/// How many of many seeds end with each outcome.
fn outcomes<T: Ord>(outcome: impl Fn(u64) -> T) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for seed in 0..400 {
        *counts.entry(outcome(seed)).or_insert(0) += 1;
    }
    counts
}

#[test]
fn what_is_synced_stays_and_what_is_not_may_be_kept_lost_or_torn() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        let file = synced_file(&disk, "a", &[1; 4 * SECTOR_BYTES]);
        file.write_all_at(&[2; 2 * SECTOR_BYTES], SECTOR_BYTES as u64).unwrap();
        crash(&disk);
        let content = disk.read(&path("a")).unwrap();
        assert_eq!(content.len(), 4 * SECTOR_BYTES);
        assert!(content[..SECTOR_BYTES].iter().chain(&content[3 * SECTOR_BYTES..]).all(|byte| *byte == 1));
        let news = content.iter().map(|byte| usize::from(*byte == 2)).sum::<usize>();
        assert!(content.iter().all(|byte| [1, 2].contains(byte)), "old or new, nothing else");
        match news {
            0 => "lost",
            news if news == 2 * SECTOR_BYTES => "kept",
            _ => "torn",
        }
    });
    assert!(fates.len() == 3 && fates.values().all(|count| *count > 20), "{fates:?}");
}

#[test]
fn a_later_write_may_arrive_without_an_earlier_one() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        let file = synced_file(&disk, "a", &[0; 2 * SECTOR_BYTES]);
        file.write_all_at(&[1; SECTOR_BYTES], 0).unwrap();
        file.write_all_at(&[2; SECTOR_BYTES], SECTOR_BYTES as u64).unwrap();
        crash(&disk);
        let content = disk.read(&path("a")).unwrap();
        (content[0] == 1, content[SECTOR_BYTES] == 2)
    });
    assert_eq!(fates.len(), 4, "{fates:?}");
}

#[test]
fn a_file_that_grew_has_its_old_length_or_its_new_one() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        let file = synced_file(&disk, "a", &[1; 100]);
        file.write_all_at(&[2; 2_000], 1_000).unwrap();
        crash(&disk);
        let content = disk.read(&path("a")).unwrap();
        assert!(content[..100].iter().all(|byte| *byte == 1));
        assert!(content[100..].iter().take(900).all(|byte| *byte == 0));
        (content.len() == 100, content.len() == 3_000, content.contains(&2))
    });
    assert!(fates.contains_key(&(true, false, false)), "{fates:?}");
    assert!(fates.contains_key(&(false, true, false)) && fates.contains_key(&(false, true, true)), "{fates:?}");
}

#[test]
fn a_name_stays_once_its_directory_is_synced() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        let file = disk.create(&path("a")).unwrap();
        file.write_all_at(b"text", 0).unwrap();
        file.sync().unwrap();
        crash(&disk);
        disk.read(&path("a")).is_some()
    });
    assert_eq!(fates.len(), 2, "{fates:?}");
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        synced_file(&disk, "a", b"text");
        disk.remove(&path("a")).unwrap();
        crash(&disk);
        disk.read(&path("a"))
    });
    assert_eq!(fates.keys().cloned().collect::<Vec<_>>(), [None, Some(b"text".to_vec())]);
}

#[test]
fn a_rename_is_there_whole_or_not_at_all() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        synced_file(&disk, "a", b"new");
        synced_file(&disk, "b", b"old");
        disk.rename(&path("a"), &path("b")).unwrap();
        crash(&disk);
        (disk.read(&path("a")).is_some(), disk.read(&path("b")).unwrap())
    });
    let expected = [(false, b"new".to_vec()), (true, b"old".to_vec())];
    assert_eq!(fates.into_keys().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_made_of_a_lost_name_is_lost_with_it() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        disk.create_directory(&path("below")).unwrap();
        synced_file(&disk, "a", b"");
        let file = disk.create(&path("below/new")).unwrap();
        file.sync().unwrap();
        disk.rename(&path("below/new"), &path("below/b")).unwrap();
        crash(&disk);
        disk.files().len()
    });
    // The one that was synced, and the other under one of its names or none.
    assert_eq!(fates.into_keys().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_sync_after_one_that_failed_brings_nothing_back() {
    let fates = outcomes(|seed| {
        let disk = disk(seed);
        let file = synced_file(&disk, "a", &[0; 2]);
        file.write_all_at(&[1], 0).unwrap();
        disk.fail(Fault::at(Call::Sync, 1));
        assert!(file.sync().is_err());
        file.write_all_at(&[1], 1).unwrap();
        file.sync().unwrap();
        let mut seen = [0; 2];
        file.read_exact_at(&mut seen, 0).unwrap();
        assert_eq!(seen, [1, 1], "readers see it until the restart");
        crash(&disk);
        let content = disk.read(&path("a")).unwrap();
        assert_eq!(content[1], 1, "what was written after it is synced");
        content[0]
    });
    assert_eq!(fates.into_keys().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_same_seed_has_the_same_outcome() {
    let story = |seed| {
        let disk = disk(seed);
        for name in ["a", "b", "c"] {
            disk.create(&path(name)).unwrap().write_all_at(&[7; 3_000], 0).unwrap();
        }
        crash(&disk);
        disk.files().into_iter().map(|file| (disk.read(&file), file)).collect::<Vec<_>>()
    };
    assert!((0..50).all(|seed| story(seed) == story(seed)));
    assert!((1..50).any(|seed| story(seed) != story(0)));
}

#[test]
fn the_power_goes_at_the_call_that_was_named() {
    let disk = disk(1);
    let calls = disk.calls();
    disk.cut_power_at(3);
    let file = disk.create(&path("a")).unwrap();
    file.write_all_at(b"a", 0).unwrap();
    assert!(file.sync().unwrap_err().to_string().contains("simulated"));
    assert!(file.write_at(b"a", 0).is_err() && disk.names(Path::new("/data")).is_err());
    assert_eq!(disk.calls(), calls + 3);
    disk.restart();
    assert!(file.write_at(b"a", 0).is_err(), "the handle is of before");
    assert!(disk.names(Path::new("/data")).is_ok());
    assert!(disk.trace().contains("the power is cut"));
}

#[test]
fn a_fault_hits_the_call_it_is_for() {
    let disk = disk(1);
    let file = synced_file(&disk, "a", b"text");
    disk.fail(Fault::at(Call::Write, 2).with(io::ErrorKind::StorageFull));
    disk.fail(Fault::at(Call::Read, 1).forever());
    file.write_all_at(b"1", 0).unwrap();
    assert_eq!(file.write_all_at(b"2", 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
    file.write_all_at(b"3", 0).unwrap();
    assert!(file.size().is_err() && file.read_at(&mut [0], 0).is_err());
    disk.restart();
    assert_eq!(disk.read(&path("a")).unwrap(), b"3ext");
}

#[test]
fn a_full_disk_takes_what_it_has_room_for() {
    let disk = disk(1);
    let file = synced_file(&disk, "a", &[1; 10]);
    disk.set_capacity(Some(15));
    file.write_all_at(&[2; 10], 0).unwrap();
    assert_eq!(file.write_at(&[3; 10], 10).unwrap(), 5);
    assert_eq!(file.write_all_at(&[3; 10], 15).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.set_capacity(None);
    file.write_all_at(&[3; 10], 15).unwrap();
}

#[test]
fn a_lock_ends_with_its_handle_or_the_process() {
    let disk = disk(1);
    let held = disk.lock(&path("lock")).unwrap();
    assert_eq!(disk.lock(&path("lock")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    disk.restart();
    let held_now = disk.lock(&path("lock")).unwrap();
    drop(held);
    assert!(disk.lock(&path("lock")).is_err(), "the dead handle releases nothing");
    drop(held_now);
    assert!(disk.lock(&path("lock")).is_ok());
}

/// What every [`Vfs`] does, below the directory `root`.
fn contract(vfs: &dyn Vfs, root: &Path) {
    let path = |name: &str| root.join(name);
    let kind = |outcome: io::Result<Box<dyn File>>| outcome.unwrap_err().kind();
    vfs.create_directory(&path("d/e")).unwrap();
    vfs.create_directory(&path("d/e")).unwrap();
    let file = vfs.create(&path("d/b")).unwrap();
    assert_eq!((file.size().unwrap(), file.read_at(&mut [0; 4], 0).unwrap()), (0, 0));
    file.write_all_at(b"text", 4).unwrap();
    let mut bytes = [1; 8];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"\0\0\0\0text");
    assert_eq!(file.read_at(&mut bytes, 6).unwrap(), 2);
    assert_eq!(file.read_at(&mut bytes, 90).unwrap(), 0);
    assert_eq!(file.read_exact_at(&mut bytes, 1).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    vfs.create(&path("d/a")).unwrap().write_all_at(b"a", 0).unwrap();
    assert_eq!(vfs.names(&path("d")).unwrap(), ["a", "b", "e"]);
    // Over a file that is open, whose handle goes on with what it had.
    vfs.rename(&path("d/a"), &path("d/b")).unwrap();
    assert_eq!((file.size().unwrap(), vfs.open(&path("d/b"), false).unwrap().size().unwrap()), (8, 1));
    assert_eq!(vfs.names(&path("d")).unwrap(), ["b", "e"]);
    // A directory, with what is in it.
    vfs.create(&path("d/e/f")).unwrap();
    vfs.rename(&path("d/e"), &path("g")).unwrap();
    assert_eq!((vfs.names(&path("d")).unwrap(), vfs.names(&path("g")).unwrap()), (vec!["b".into()], vec!["f".into()]));
    // Emptied when it is created again; usable when it is removed.
    let other = vfs.create(&path("d/b")).unwrap();
    assert_eq!(other.size().unwrap(), 0);
    vfs.remove(&path("d/b")).unwrap();
    other.write_all_at(b"x", 0).unwrap();
    assert_eq!(other.size().unwrap(), 1);
    other.sync().unwrap();
    vfs.sync_directory(&path("d")).unwrap();
    assert_eq!(kind(vfs.open(&path("d/b"), true)), io::ErrorKind::NotFound);
    assert_eq!(kind(vfs.open(&path("none/b"), true)), io::ErrorKind::NotFound);
    assert_eq!(kind(vfs.create(&path("none/b"))), io::ErrorKind::NotFound);
    assert_eq!(kind(vfs.create(&path("d"))), io::ErrorKind::IsADirectory);
    assert_eq!(kind(vfs.open(&path("g/f/h"), false)), io::ErrorKind::NotADirectory);
    assert_eq!(vfs.names(&path("g/f")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    assert_eq!(vfs.names(&path("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(vfs.create_directory(&path("g/f")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(vfs.create_directory(&path("g/f/h")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    assert_eq!(vfs.remove(&path("d/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(vfs.rename(&path("d/b"), &path("d/c")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(vfs.rename(&path("d"), &path("g")).unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
    let held = vfs.lock(&path("lock")).unwrap();
    held.write_all_at(b"1", 0).unwrap();
    assert_eq!(kind(vfs.lock(&path("lock"))), io::ErrorKind::WouldBlock);
    drop(held);
    assert_eq!(vfs.lock(&path("lock")).unwrap().size().unwrap(), 1, "what is in it stays");
}

#[test]
fn both_disks_meet_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract(&SystemVfs, dir.path());
    let disk = disk(1);
    contract(&disk, Path::new("/data"));
    disk.write_short(true);
    disk.create_directory(&path("short")).unwrap();
    contract(&disk, &path("short"));
}

proptest! {
    /// Sync by sync, what the medium holds is the last synced content, but for bytes written since.
    #[test]
    fn every_byte_is_the_synced_one_or_one_written_since(
        seed: u64,
        writes in prop::collection::vec((0..3_000u64, 1..1_500usize, any::<u8>(), any::<bool>()), 0..12),
    ) {
        let disk = disk(seed);
        let file = synced_file(&disk, "a", b"");
        let (mut synced, mut since) = (Vec::new(), Vec::new());
        for (offset, length, byte, sync) in writes {
            file.write_all_at(&vec![byte; length], offset).unwrap();
            since.push((usize::try_from(offset).unwrap(), length, byte));
            if sync {
                file.sync().unwrap();
                for (offset, length, byte) in since.drain(..) {
                    put(&mut synced, offset, &vec![byte; length]);
                }
            }
        }
        crash(&disk);
        let content = disk.read(&path("a")).unwrap();
        prop_assert!(content.len() >= synced.len());
        for (at, byte) in content.into_iter().enumerate() {
            let old = synced.get(at).copied().unwrap_or(0);
            let may_be = since.iter().any(|(offset, length, new)| (*offset..offset + length).contains(&at) && *new == byte);
            prop_assert!(byte == old || may_be, "byte {at} is {byte}, was {old}");
        }
    }
}
