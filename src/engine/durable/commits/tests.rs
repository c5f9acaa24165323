use super::*;

#[cfg(shuttle)]
use shuttle::thread;
#[cfg(not(shuttle))]
use std::thread;

use crate::engine::tree::Tree;

/// What reached the log and the medium.
#[derive(Debug, Default)]
struct Medium {
    /// Numbers of the commits, in the order they were written.
    written: Vec<u64>,
    /// What each sync was after.
    syncs: Vec<u64>,
    /// How many more syncs succeed; `None` for all.
    syncs_left: Option<usize>,
    panics: bool,
    /// Whether there is no room.
    is_full: bool,
}

#[derive(Clone, Debug, Default)]
struct FakeLog {
    medium: Arc<Mutex<Medium>>,
    /// Held by a test that wants to keep a sync from ending.
    gate: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct FakeUnsynced {
    log: FakeLog,
    last: u64,
}

impl Log for FakeLog {
    type Unsynced = FakeUnsynced;

    fn append(&mut self, records: &mut Records, synced: CommitNumber) -> Result<()> {
        let mut medium = self.medium.lock();
        assert!(!medium.panics, "as asked");
        let mut from = 0;
        while from < records.len() {
            let (bytes, last) = records.seal(from, records.length_at(from), 0, synced);
            from += bytes.len();
            medium.written.push(last.0);
        }
        assert!(synced.0 <= medium.syncs.last().copied().unwrap_or(0), "it says what is not synced");
        Ok(())
    }

    fn unsynced(&mut self) -> FakeUnsynced {
        let last = self.medium.lock().written.last().copied().unwrap_or(0);
        FakeUnsynced { log: self.clone(), last }
    }
}

impl Room for FakeLog {
    fn reserve(&self, _bytes: usize) -> Result<()> {
        if self.medium.lock().is_full {
            return Err(Error::Engine { engine: "fake", message: "no room".to_owned() });
        }
        Ok(())
    }
}

impl Unsynced for FakeUnsynced {
    fn last(&self) -> CommitNumber {
        CommitNumber(self.last)
    }

    fn sync(&self) -> Result<()> {
        drop(self.log.gate.lock());
        let mut medium = self.log.medium.lock();
        match &mut medium.syncs_left {
            Some(0) => Err(Error::Engine { engine: "fake", message: "no sync".to_owned() }),
            left => {
                *left = left.map(|left| left - 1);
                medium.syncs.push(self.last);
                Ok(())
            }
        }
    }
}

fn commits() -> (Arc<Commits<FakeLog>>, FakeLog) {
    let log = FakeLog::default();
    let state = TreeSnapshot::new(Tree::default(), CommitNumber(0));
    (Arc::new(Commits::new(log.clone(), Arc::new(log.clone()), state, false)), log)
}

fn put(commits: &Arc<Commits<FakeLog>>, key: &str, sync: bool) -> Result<Ticket> {
    commits.commit(Changes::putting(key, key), None, sync)
}

fn shown(commits: &Commits<FakeLog>) -> u64 {
    commits.snapshot().unwrap().commit().0
}

#[cfg(not(shuttle))]
mod one_schedule {
    use super::*;
    use crate::engine::{Key, KeyRange};

    /// Waits until a leader is on its way.
    fn wait_for_a_flight(commits: &Commits<FakeLog>) {
        while !commits.order.lock().is_flying {
            thread::yield_now();
        }
    }

    #[test]
    fn a_commit_is_shown_to_readers_when_it_is_synced_and_to_the_next_writer_at_once() {
        let (commits, log) = commits();
        let ticket = put(&commits, "a", true).unwrap();
        assert_eq!((shown(&commits), commits.latest().unwrap().commit().0), (0, 1));
        assert!(log.medium.lock().written.is_empty(), "it may yet be joined by others");
        ticket.wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().syncs.clone()), (1, vec![1]));
        ticket.wait().unwrap();
        assert_eq!(commits.syncs(), 1, "it is on the medium already");
    }

    #[test]
    fn commits_that_wait_together_share_one_sync() {
        let (commits, log) = commits();
        let tickets: Vec<_> = ["a", "b", "c"].map(|key| put(&commits, key, true).unwrap()).into();
        tickets[1].wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().syncs.clone()), (3, vec![3]));
        assert_eq!(log.medium.lock().written, [1, 2, 3]);
    }

    #[test]
    fn what_need_not_be_synced_is_written_and_shown_at_once() {
        let (commits, log) = commits();
        put(&commits, "a", false).unwrap().wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().written.clone(), commits.syncs()), (1, vec![1], 0));
        commits.sync().unwrap();
        commits.sync().unwrap();
        assert_eq!((log.medium.lock().syncs.clone(), commits.syncs()), (vec![1], 1));
    }

    #[test]
    fn what_need_not_be_synced_does_not_overtake_what_does() {
        let (commits, log) = commits();
        let first = put(&commits, "a", true).unwrap();
        put(&commits, "b", false).unwrap().wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().syncs.clone()), (2, vec![2]));
        first.wait().unwrap();
        assert_eq!(commits.syncs(), 1);
    }

    #[test]
    fn a_commit_during_a_sync_needs_the_next_one() {
        let (commits, log) = commits();
        let gate = log.gate.lock();
        let first = put(&commits, "a", true).unwrap();
        let leader = thread::spawn(move || first.wait());
        wait_for_a_flight(&commits);
        let second = put(&commits, "b", true).unwrap();
        assert_eq!((shown(&commits), commits.latest().unwrap().commit().0), (0, 2));
        drop(gate);
        leader.join().unwrap().unwrap();
        second.wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().syncs.clone()), (2, vec![1, 2]));
        assert!(commits.order.lock().unpublished.is_empty());
    }

    #[test]
    fn a_snapshot_begun_before_a_commit_is_shown_conflicts_with_it() {
        let (commits, _) = commits();
        let ticket = put(&commits, "a", true).unwrap();
        let begun = commits.begin().unwrap();
        let mut reads = Reads::at(begun.commit());
        reads.add_range(KeyRange::all());
        ticket.wait().unwrap();
        let error = commits.commit(Changes::putting("b", "1"), Some(&reads), true).unwrap_err();
        assert!(matches!(error, Error::Conflict { key, .. } if Key::from(&key) == Key::from(&b"a"[..])));
    }

    #[test]
    fn after_a_failed_sync_nothing_is_written_or_shown() {
        let (commits, log) = commits();
        put(&commits, "a", true).unwrap().wait().unwrap();
        log.medium.lock().syncs_left = Some(0);
        let (one, two) = (put(&commits, "b", true).unwrap(), put(&commits, "c", true).unwrap());
        assert!(matches!(two.wait(), Err(Error::Engine { .. })));
        log.medium.lock().syncs_left = None;
        assert!(matches!(one.wait(), Err(Error::ReadOnly { .. })), "the medium is not asked again");
        assert!(matches!(put(&commits, "d", true), Err(Error::ReadOnly { .. })));
        assert!(matches!(put(&commits, "d", false), Err(Error::ReadOnly { .. })));
        assert!(matches!(commits.sync(), Err(Error::ReadOnly { .. })));
        assert_eq!((shown(&commits), commits.latest().unwrap().commit().0), (1, 1));
        assert!(matches!(commits.close(|_, _| panic!("nothing is written")), Err(Error::ReadOnly { .. })));
        assert!(matches!(commits.snapshot(), Err(Error::Closed)));
    }

    #[test]
    fn a_commit_without_room_leaves_no_trace_and_the_next_asks_again() {
        let (commits, log) = commits();
        let before = put(&commits, "a", true).unwrap();
        log.medium.lock().is_full = true;
        for sync in [true, false] {
            assert!(matches!(put(&commits, "b", sync), Err(Error::Engine { .. })));
        }
        assert_eq!(commits.latest().unwrap().commit().0, 1, "nothing was ordered");
        log.medium.lock().is_full = false;
        let after = put(&commits, "c", true).unwrap();
        assert_eq!(after.number().0, 2);
        after.wait().unwrap();
        before.wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().written.clone()), (2, vec![1, 2]));
    }

    #[test]
    fn what_changes_the_log_comes_after_what_is_ordered() {
        let (commits, log) = commits();
        let ticket = put(&commits, "a", true).unwrap();
        let seen = commits
            .change_log(|log, state, synced| Ok(Ok((log.medium.lock().written.clone(), state.commit(), synced))));
        assert_eq!(
            seen.unwrap(),
            (vec![1], CommitNumber(0), CommitNumber(0)),
            "written, and not shown before it is synced"
        );
        ticket.wait().unwrap();
        assert_eq!((shown(&commits), log.medium.lock().syncs.clone()), (1, vec![1]));
        let refused = || Error::Engine { engine: "fake", message: "no".to_owned() };
        assert!(commits.change_log(|_, _, _| Err::<Result<()>, _>(refused())).is_err());
        put(&commits, "b", true).unwrap().wait().unwrap();
        assert!(commits.change_log(|_, _, _| Ok(Err::<(), _>(refused()))).is_err());
        assert!(matches!(put(&commits, "c", true), Err(Error::ReadOnly { .. })));
    }

    #[test]
    fn a_panic_of_the_log_fails_the_commit_and_strands_nobody() {
        let (commits, log) = commits();
        log.medium.lock().panics = true;
        let (one, two) = (put(&commits, "a", true).unwrap(), put(&commits, "b", true).unwrap());
        assert!(matches!(one.wait(), Err(Error::Engine { .. })));
        assert!(matches!(two.wait(), Err(Error::ReadOnly { .. })));
    }

    #[test]
    fn closing_writes_what_is_left_and_then_the_finish() {
        let (commits, log) = commits();
        let ticket = put(&commits, "a", true).unwrap();
        commits
            .close(|log, synced| {
                assert_eq!((synced.0, log.medium.lock().written.clone()), (1, vec![1]));
                Ok(())
            })
            .unwrap();
        ticket.wait().unwrap();
        assert!(matches!(put(&commits, "b", true), Err(Error::Closed)));
        assert!(matches!(commits.sync(), Err(Error::Closed)));
        assert!(matches!(commits.quietly(|_, _, _| Ok(())), Err(Error::Closed)));
        assert_eq!(log.medium.lock().syncs, [1]);
    }

    #[test]
    fn a_commit_too_large_for_a_record_is_refused_before_anything_is_written() {
        let (commits, log) = commits();
        // One value, which all of them share.
        let value = Arc::from(vec![0; limits::COMMIT_BYTES_MAX / 16]);
        let mut changes = Changes::new();
        (0..17u8).for_each(|key| changes.put_shared(&[key], &value, |_| ()));
        let error = commits.commit(changes, None, false).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { limit: "commit bytes", .. }), "{error}");
        assert!(log.medium.lock().written.is_empty());
        put(&commits, "a", false).unwrap().wait().unwrap();
    }

    #[test]
    fn writers_readers_and_syncs_keep_the_order() {
        for _ in 0..200 {
            writers_readers_and_syncs(false);
        }
    }

    #[test]
    fn whatever_fails_no_commit_is_acknowledged_that_was_not_synced() {
        for _ in 0..200 {
            writers_readers_and_syncs(true);
        }
    }
}

/// Every schedule that shuttle tries holds the invariants of the module.
#[cfg(shuttle)]
mod many_schedules {
    use super::*;

    #[test]
    fn writers_readers_and_syncs_keep_the_order() {
        shuttle::check_random(|| writers_readers_and_syncs(false), 10_000);
        shuttle::check_pct(|| writers_readers_and_syncs(false), 10_000, 3);
    }

    #[test]
    fn whatever_fails_no_commit_is_acknowledged_that_was_not_synced() {
        shuttle::check_random(|| writers_readers_and_syncs(true), 10_000);
        shuttle::check_pct(|| writers_readers_and_syncs(true), 10_000, 3);
    }
}

/// Two writers that sync, one that does not, a reader, and somebody who syncs and asks for quiet, at the same time.
fn writers_readers_and_syncs(fails: bool) {
    let (commits, log) = commits();
    if fails {
        log.medium.lock().syncs_left = Some(1);
    }
    let writer = |sync: bool| {
        let (commits, log) = (Arc::clone(&commits), log.clone());
        thread::spawn(move || {
            for key in ["a", "b"] {
                let acknowledged =
                    put(&commits, key, sync).and_then(|ticket| ticket.wait().map(|()| ticket.number().0));
                let Ok(number) = acknowledged else { return };
                assert!(shown(&commits) >= number, "an acknowledged commit is shown");
                let medium = log.medium.lock();
                assert!(medium.written.contains(&number));
                assert!(!sync || medium.syncs.last().is_some_and(|last| *last >= number), "{number} is not synced");
            }
        })
    };
    let reader = {
        let commits = Arc::clone(&commits);
        thread::spawn(move || {
            let mut last = 0;
            for _ in 0..4 {
                let now = shown(&commits);
                assert!(now >= last, "time runs backwards");
                // Makes the state that is ahead, which commits and landings then have to keep up to date.
                let newest = commits.latest().unwrap();
                assert!(newest.commit().0 >= now && newest.tree().check().is_ok());
                last = now;
                thread::yield_now();
            }
        })
    };
    let other = {
        let commits = Arc::clone(&commits);
        thread::spawn(move || {
            let _ = commits.quietly(|_, state, synced| {
                assert!(synced <= state.commit());
                Ok(())
            });
            let _ = commits.sync();
        })
    };
    let threads = [writer(true), writer(true), writer(false), reader, other];
    for thread in threads {
        thread.join().unwrap();
    }
    let closed = commits.close(|_, _| Ok(()));
    let medium = log.medium.lock();
    assert!(medium.written.iter().copied().eq(1..=medium.written.len() as u64), "{:?}", medium.written);
    assert!(fails || (closed.is_ok() && medium.written.len() == 6));
    assert!(!fails || medium.syncs.len() <= 1);
}
