use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use std::time::Duration;

use super::*;
use crate::engine::interval::IntervalSync;
use crate::engine::{Engine, MemoryEngine};

/// A log in memory that can be held up, and be made to fail.
#[derive(Debug)]
struct TestLog {
    state: Arc<dyn Snapshot>,
    groups: Arc<Mutex<Vec<(u64, bool)>>>,
    orders: Receiver<Order>,
    begun: Sender<()>,
}

#[derive(Debug, PartialEq, Eq)]
enum Order {
    Succeed,
    Fail,
    Panic,
}

/// The test's end of a [`TestLog`].
struct Control {
    groups: Arc<Mutex<Vec<(u64, bool)>>>,
    orders: Sender<Order>,
    begun: Receiver<()>,
}

impl Log for TestLog {
    const ENGINE: &'static str = "test";

    fn append(&mut self, group: &Group) -> Result<Arc<dyn Snapshot>> {
        self.begun.send(()).unwrap();
        match self.orders.recv().unwrap() {
            Order::Succeed => {}
            Order::Fail => return Err(engine_error::<Self>("no space left")),
            Order::Panic => panic!("on purpose"),
        }
        self.groups.lock().push((group.last.0, group.sync));
        self.state = Arc::new(Overlay::new(Arc::clone(&self.state), group.changes.clone()).at(group.last));
        Ok(Arc::clone(&self.state))
    }

    fn path(&self) -> &std::path::Path {
        std::path::Path::new("/nowhere")
    }

    fn disk_bytes(&self) -> Result<u64> {
        Ok(0)
    }
}

fn open() -> (Arc<GroupCommit<TestLog>>, Control) {
    let snapshot = MemoryEngine::new().snapshot().unwrap();
    let (orders, from_test) = channel();
    let (to_test, begun) = channel();
    let groups = Arc::<Mutex<Vec<_>>>::default();
    let log = TestLog { state: Arc::clone(&snapshot), groups: Arc::clone(&groups), orders: from_test, begun: to_test };
    let opened = Opened { snapshot, synced: CommitNumber(0) };
    (Arc::new(GroupCommit::new(log, opened)), Control { groups, orders, begun })
}

fn put(key: &str) -> Changes {
    Changes::putting(key, key)
}

fn shows(snapshot: &dyn Snapshot, key: &str) -> bool {
    snapshot.get(key.as_bytes()).unwrap().is_some()
}

/// Commits `key` and has it written by a thread of its own, which is inside the log when this returns.
fn lead(commits: &Arc<GroupCommit<TestLog>>, control: &Control, key: &str) -> thread::JoinHandle<Result<()>> {
    let ticket = commits.commit(&put(key), None, true).unwrap();
    let leader = thread::spawn(move || ticket.wait());
    control.begun.recv().unwrap();
    leader
}

#[test]
fn commits_that_arrive_during_a_write_share_the_next_one() {
    let (commits, control) = open();
    let leader = lead(&commits, &control, "a");
    let tickets = ["b", "c", "d"].map(|key| commits.commit(&put(key), None, true).unwrap());
    control.orders.send(Order::Succeed).unwrap();
    control.orders.send(Order::Succeed).unwrap();
    let waiters = tickets.map(|ticket| thread::spawn(move || ticket.wait()));
    for thread in waiters.into_iter().chain([leader]) {
        thread.join().unwrap().unwrap();
    }
    assert_eq!(*control.groups.lock(), [(1, true), (4, true)]);
    assert_eq!(commits.snapshot().unwrap().commit().0, 4);
}

#[test]
fn readers_see_what_is_written_and_the_next_writer_everything() {
    let (commits, control) = open();
    let leader = lead(&commits, &control, "a");
    let ticket = commits.commit(&put("b"), None, true).unwrap();
    let (snapshot, latest) = (commits.snapshot().unwrap(), commits.latest().unwrap());
    assert!(!shows(&*snapshot, "a") && !shows(&*snapshot, "b"));
    assert!(shows(&*latest, "a") && shows(&*latest, "b"));
    assert_eq!((snapshot.commit().0, latest.commit().0), (0, 2));
    control.orders.send(Order::Succeed).unwrap();
    leader.join().unwrap().unwrap();
    let published = commits.snapshot().unwrap();
    assert!(shows(&*published, "a") && !shows(&*published, "b"), "a group of its own is still to come");
    control.orders.send(Order::Succeed).unwrap();
    ticket.wait().unwrap();
    assert!(shows(&*commits.snapshot().unwrap(), "b"));
    assert!(!shows(&*snapshot, "a"), "a snapshot never changes");
}

#[test]
fn a_failed_write_fails_everyone_and_is_never_tried_again() {
    for order in [Order::Fail, Order::Panic] {
        let (commits, control) = open();
        control.orders.send(Order::Succeed).unwrap();
        let kept = commits.commit(&put("kept"), None, true).unwrap();
        kept.wait().unwrap();
        control.begun.recv().unwrap();
        let leader = lead(&commits, &control, "a");
        let behind = commits.commit(&put("b"), None, true).unwrap();
        control.orders.send(order).unwrap();
        assert!(matches!(leader.join().unwrap(), Err(Error::Engine { .. })));
        assert!(matches!(behind.wait(), Err(Error::Engine { .. })));
        let refused = commits.commit(&put("c"), None, true).unwrap_err();
        assert!(refused.to_string().contains("close the store and open it again"), "{refused}");
        assert!(commits.sync().is_err());
        kept.wait().unwrap();
        for state in [commits.snapshot().unwrap(), commits.latest().unwrap()] {
            assert!(shows(&*state, "kept") && !shows(&*state, "a") && !shows(&*state, "b"));
        }
        assert!(commits.close().is_err(), "what the medium holds is unknown");
        assert!(matches!(commits.snapshot(), Err(Error::Closed)));
        assert_eq!(*control.groups.lock(), [(1, true)]);
    }
}

#[test]
fn a_transaction_conflicts_with_a_commit_that_was_pending_when_it_began() {
    let (commits, control) = open();
    let leader = lead(&commits, &control, "flying");
    let ticket = commits.commit(&put("pending"), None, true).unwrap();
    let base = commits.begin().unwrap();
    for (read, conflicts) in [("flying", true), ("pending", true), ("other", false)] {
        let mut reads = Reads::at(base.commit());
        reads.add_key(read.as_bytes());
        let checked = commits.commit(&Changes::new(), Some(&reads), true);
        assert_eq!(matches!(checked, Err(Error::Conflict { .. })), conflicts, "{read}");
    }
    control.orders.send(Order::Succeed).unwrap();
    control.orders.send(Order::Succeed).unwrap();
    leader.join().unwrap().unwrap();
    ticket.wait().unwrap();
}

#[test]
fn a_commit_that_need_not_be_synced_is_written_before_it_is_answered() {
    let (commits, control) = open();
    for _ in 0..3 {
        control.orders.send(Order::Succeed).unwrap();
    }
    commits.commit(&put("a"), None, false).unwrap().wait().unwrap();
    assert!(shows(&*commits.snapshot().unwrap(), "a"));
    // A commit that was promised the medium is never published with less.
    let synced = commits.commit(&put("b"), None, true).unwrap();
    commits.commit(&put("c"), None, false).unwrap().wait().unwrap();
    synced.wait().unwrap();
    assert_eq!(*control.groups.lock(), [(1, false), (3, true)]);
    commits.sync().unwrap();
    assert_eq!(control.groups.lock().len(), 2, "everything is synced already");
    commits.commit(&put("d"), None, false).unwrap().wait().unwrap();
    control.orders.send(Order::Succeed).unwrap();
    commits.close().unwrap();
    assert_eq!(*control.groups.lock(), [(1, false), (3, true), (4, false), (4, true)]);
    commits.close().unwrap();
}

#[test]
fn a_full_group_is_written_by_the_commit_that_fills_it() {
    let (commits, control) = open();
    control.orders.send(Order::Succeed).unwrap();
    let half = vec![0u8; limits::COMMIT_GROUP_BYTES_MAX / 2 + 1];
    let change = |key: &[u8]| Changes::putting(key, &half);
    let first = commits.commit(&change(b"a"), None, true).unwrap();
    assert!(control.groups.lock().is_empty());
    let second = commits.commit(&change(b"b"), None, true).unwrap();
    assert_eq!(*control.groups.lock(), [(2, true)]);
    first.wait().unwrap();
    second.wait().unwrap();
}

#[test]
fn what_need_not_be_synced_at_once_is_synced_in_the_background() {
    let (commits, control) = open();
    let interval = IntervalSync::new(&commits);
    for round in 0..3 {
        interval.start().unwrap();
        control.orders.send(Order::Succeed).unwrap();
        commits.commit(&put("a"), None, false).unwrap().wait().unwrap();
        control.begun.recv().unwrap();
        interval.sync_within(Duration::from_millis(1));
        control.begun.recv().unwrap();
        control.orders.send(Order::Succeed).unwrap();
        commits.sync().unwrap();
        assert_eq!(control.groups.lock().last(), Some(&(round + 1, true)));
    }
    interval.stop();
    assert!(matches!(interval.start(), Err(Error::Closed)));
}

#[test]
fn a_commit_that_may_wait_less_long_does_not_wait_for_an_earlier_one() {
    let (commits, control) = open();
    let interval = IntervalSync::new(&commits);
    interval.start().unwrap();
    control.orders.send(Order::Succeed).unwrap();
    commits.commit(&put("a"), None, false).unwrap().wait().unwrap();
    control.begun.recv().unwrap();
    interval.sync_within(Duration::from_secs(1 << 20));
    interval.sync_within(Duration::ZERO);
    control.begun.recv().unwrap();
    control.orders.send(Order::Succeed).unwrap();
    interval.stop();
    assert_eq!(control.groups.lock().last(), Some(&(1, true)));
}
