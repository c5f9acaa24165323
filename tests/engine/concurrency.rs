use std::sync::Arc;
use std::thread;

use larder::engine::{Changes, Direction, Durability, KeyRange};

use crate::{beds, entries};

/// Keys that every batch writes.
const KEYS: u8 = 8;
const COMMITS: u64 = 100;
const SCANS: u64 = 100;

fn batch(value: u64) -> Changes {
    (0..KEYS).map(|name| ([name], Some(value.to_be_bytes()))).collect()
}

/// No reader ever sees half of a batch, or time run backwards.
#[test]
fn readers_beside_a_writer_see_whole_commits_in_order() {
    for bed in beds() {
        for durability in [Durability::None, Durability::Sync] {
            let first = bed.engine.snapshot().unwrap().commit().0 + 1;
            let engine = Arc::clone(&bed.engine);
            let writer = thread::spawn(move || {
                for value in first..first + COMMITS {
                    engine.commit(&batch(value), None, durability).unwrap().wait().unwrap();
                }
            });
            let readers = [Direction::Forward, Direction::Backward].map(|direction| {
                let engine = Arc::clone(&bed.engine);
                thread::spawn(move || {
                    let mut last = 0;
                    for _ in 0..SCANS {
                        let snapshot = engine.snapshot().unwrap();
                        let commit = snapshot.commit().0;
                        assert!(commit >= last, "commit {commit} was read after commit {last}");
                        last = commit;
                        let found = entries(&*snapshot, &KeyRange::all(), direction);
                        let expected = commit.to_be_bytes();
                        assert_eq!(found.len(), if commit == 0 { 0 } else { KEYS.into() });
                        assert!(found.iter().all(|(_, value)| *value == expected), "{commit}: {found:?}");
                        assert_eq!(snapshot.count(&KeyRange::all()).unwrap(), found.len() as u64);
                        let one = snapshot.get(&[3]).unwrap();
                        assert_eq!(one.as_deref(), (commit > 0).then_some(&expected[..]));
                    }
                })
            });
            writer.join().unwrap();
            for reader in readers {
                reader.join().unwrap();
            }
        }
    }
}

/// Writers that share syncs get numbers of their own, and each of them sees its commit when it has waited for it.
#[test]
fn writers_side_by_side_get_every_number_once() {
    const WRITERS: u8 = 4;
    const EACH: u64 = 50;
    for bed in beds() {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let engine = Arc::clone(&bed.engine);
                thread::spawn(move || {
                    let write = |n: u64| {
                        let name = [&[writer], &n.to_be_bytes()[..]].concat();
                        let change = Changes::putting(&name, b"1");
                        let ticket = engine.commit(&change, None, Durability::Sync).unwrap();
                        ticket.wait().unwrap();
                        let snapshot = engine.snapshot().unwrap();
                        assert!(snapshot.get(&name).unwrap().is_some() && snapshot.commit() >= ticket.number());
                        ticket.number().0
                    };
                    (0..EACH).map(write).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut numbers: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=u64::from(WRITERS) * EACH));
        assert_eq!(bed.engine.snapshot().unwrap().count(&KeyRange::all()).unwrap(), u64::from(WRITERS) * EACH);
    }
}
