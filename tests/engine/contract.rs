use std::ops::Bound::{Excluded, Included, Unbounded};

use larder::engine::{Changes, CommitNumber, Direction, Durability, Engine, Key, KeyRange, Reads};
use larder::{Error, limits};

use crate::{changes, commit, entries, get, key, names, on_every_engine, put, range};

#[test]
fn a_snapshot_never_changes() {
    on_every_engine(|engine| {
        put(engine, "a", "1");
        let before = engine.snapshot().unwrap();
        let mut cursor = before.range(&KeyRange::all(), Direction::Forward).unwrap();
        commit(engine, &changes([("a", Some("2")), ("b", Some("2"))]));
        commit(engine, &changes([("a", None)]));
        assert_eq!(get(&*before, "a").as_deref(), Some("1"));
        assert_eq!(get(&*before, "b"), None);
        assert_eq!(before.count(&KeyRange::all()).unwrap(), 1);
        assert_eq!(cursor.next().unwrap(), Some((&b"a"[..], &b"1"[..])));
        assert_eq!(cursor.next().unwrap(), None);
        assert_eq!(names(&*engine.snapshot().unwrap(), &KeyRange::all(), Direction::Forward), ["b"]);
    });
}

#[test]
fn a_cursor_outlives_its_snapshot() {
    on_every_engine(|engine| {
        commit(engine, &changes([("a", Some("1")), ("b", Some("2"))]));
        let mut cursor = engine.snapshot().unwrap().range(&KeyRange::all(), Direction::Backward).unwrap();
        commit(engine, &changes([("a", None), ("b", None)]));
        assert_eq!(cursor.next().unwrap(), Some((&b"b"[..], &b"2"[..])));
        assert_eq!(cursor.next().unwrap(), Some((&b"a"[..], &b"1"[..])));
        assert_eq!(cursor.next().unwrap(), None);
    });
}

#[test]
fn commits_are_numbered_from_one_without_gaps() {
    on_every_engine(|engine| {
        assert_eq!(engine.snapshot().unwrap().commit(), CommitNumber(0));
        for number in 1..=5 {
            let ticket = engine.commit(&changes([("a", Some("1"))]), None, Durability::Sync).unwrap();
            assert_eq!(ticket.number(), CommitNumber(number));
            assert_eq!(engine.latest().unwrap().commit(), CommitNumber(number));
            ticket.wait().unwrap();
            assert_eq!(engine.snapshot().unwrap().commit(), CommitNumber(number));
            assert_eq!(engine.stats().unwrap().commit, CommitNumber(number));
        }
    });
}

#[test]
fn an_empty_commit_takes_no_number() {
    on_every_engine(|engine| {
        assert_eq!(commit(engine, &Changes::new()), CommitNumber(0));
        put(engine, "a", "1");
        assert_eq!(commit(engine, &Changes::new()), CommitNumber(1));
        assert_eq!(put(engine, "a", "2"), CommitNumber(2));
    });
}

#[test]
fn every_durability_shows_a_commit_once_it_was_waited_for() {
    on_every_engine(|engine| {
        let levels = [Durability::None, Durability::Interval(std::time::Duration::from_millis(1)), Durability::Sync];
        for (number, durability) in (1u64..).zip(levels.into_iter().cycle().take(9)) {
            let value = number.to_string();
            let ticket = engine.commit(&changes([("a", Some(&*value))]), None, durability).unwrap();
            ticket.wait().unwrap();
            assert_eq!(get(&*engine.snapshot().unwrap(), "a"), Some(value), "{durability:?}");
        }
        engine.sync().unwrap();
    });
}

#[test]
fn the_next_writer_sees_a_commit_before_it_is_waited_for() {
    on_every_engine(|engine| {
        let tickets = ["1", "2", "3"].map(|value| {
            let ticket = engine.commit(&changes([("a", Some(value)), (value, None)]), None, Durability::Sync).unwrap();
            assert_eq!(get(&*engine.latest().unwrap(), "a").as_deref(), Some(value));
            ticket
        });
        let [.., last] = &tickets;
        last.wait().unwrap();
        assert_eq!(get(&*engine.snapshot().unwrap(), "a").as_deref(), Some("3"));
        for ticket in &tickets {
            ticket.wait().unwrap();
        }
    });
}

#[test]
fn a_commit_puts_overwrites_and_removes_as_one() {
    on_every_engine(|engine| {
        commit(engine, &changes([("a", Some("1")), ("b", Some("1")), ("c", Some("1"))]));
        let batch = changes([("a", Some("2")), ("b", None), ("d", Some("2")), ("absent", None)]);
        commit(engine, &batch);
        let snapshot = engine.snapshot().unwrap();
        let found = entries(&*snapshot, &KeyRange::all(), Direction::Forward);
        let expected = [("a", "2"), ("c", "1"), ("d", "2")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(found, expected);
        assert_eq!(get(&*snapshot, "b"), None);
    });
}

#[test]
fn ranges_take_every_kind_of_bound_in_both_directions() {
    on_every_engine(|engine| {
        commit(engine, &changes(["a", "b", "c", "d"].map(|name| (name, Some(name)))));
        let snapshot = engine.snapshot().unwrap();
        let cases: [(_, _, &[&str]); 14] = [
            (Unbounded, Unbounded, &["a", "b", "c", "d"]),
            (Included("b"), Unbounded, &["b", "c", "d"]),
            (Excluded("b"), Unbounded, &["c", "d"]),
            (Unbounded, Included("b"), &["a", "b"]),
            (Unbounded, Excluded("b"), &["a"]),
            (Included("b"), Included("c"), &["b", "c"]),
            (Excluded("a"), Excluded("d"), &["b", "c"]),
            (Included("aa"), Excluded("cc"), &["b", "c"]),
            (Included("b"), Included("b"), &["b"]),
            (Included("b"), Excluded("b"), &[]),
            (Excluded("b"), Excluded("b"), &[]),
            (Included("c"), Included("b"), &[]),
            (Excluded("e"), Unbounded, &[]),
            (Unbounded, Excluded(""), &[]),
        ];
        for (start, end, expected) in cases {
            let range = range(start, end);
            assert_eq!(names(&*snapshot, &range, Direction::Forward), expected, "{range:?}");
            let backward: Vec<_> = expected.iter().rev().copied().collect();
            assert_eq!(names(&*snapshot, &range, Direction::Backward), backward, "{range:?}");
            assert_eq!(snapshot.count(&range).unwrap(), expected.len() as u64, "{range:?}");
            for n in 0..=expected.len() {
                let found = snapshot.nth(&range, n as u64).unwrap();
                assert_eq!(found.map(|(found, _)| found), expected.get(n).map(key), "{n} of {range:?}");
            }
            assert_eq!(snapshot.nth(&range, u64::MAX).unwrap(), None, "{range:?}");
        }
    });
}

#[test]
fn keys_are_ordered_by_their_bytes() {
    on_every_engine(|engine| {
        let mut keys: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
        keys.extend([vec![0, 0], vec![0, 0xff], vec![0xff, 0], vec![0xff, 0xff], vec![7; 40]]);
        keys.push(vec![0xff; limits::ENGINE_KEY_BYTES_MAX]);
        let batch: Changes = keys.iter().map(|key| (key, Some(key))).collect();
        commit(engine, &batch);
        keys.sort();
        let snapshot = engine.snapshot().unwrap();
        let found = entries(&*snapshot, &KeyRange::all(), Direction::Forward);
        assert_eq!(found.iter().map(|(key, _)| key).collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());
        for key in &keys {
            assert_eq!(snapshot.get(key).unwrap().as_deref(), Some(&**key));
        }
        assert_eq!(snapshot.count(&KeyRange::prefix(&[0xff])).unwrap(), 4);
    });
}

#[test]
fn an_entry_of_a_size_no_engine_can_keep_is_refused_whole() {
    on_every_engine(|engine| {
        let long = vec![1; limits::ENGINE_KEY_BYTES_MAX + 1];
        for refused in [Vec::new(), long.clone()] {
            let mut batch = changes([("a", Some("1"))]);
            batch.put(&refused, b"1");
            let mut appended = Changes::new();
            appended.append(&batch);
            for batch in [&batch, &batch.clone(), &appended] {
                let error = engine.commit(batch, None, Durability::Sync).unwrap_err();
                assert!(matches!(error, Error::Invalid { .. } | Error::LimitExceeded { .. }), "{error}");
            }
            assert_eq!(get(&*engine.snapshot().unwrap(), "a"), None);
            assert_eq!(engine.snapshot().unwrap().get(&refused).unwrap(), None);
            commit(engine, &Changes::removing(&refused));
        }
        put(engine, "b", "1");
        let snapshot = engine.snapshot().unwrap();
        let up_to_long = KeyRange::new(Unbounded, Included(Key::from(&long)));
        assert_eq!(snapshot.count(&up_to_long).unwrap(), 0, "bounds may be longer than any key");
        let from_long = KeyRange::new(Excluded(Key::from(&long)), Unbounded);
        assert_eq!(names(&*snapshot, &from_long, Direction::Backward), ["b"]);
    });
}

#[test]
#[ignore = "takes three gigabytes of memory"]
fn a_value_no_engine_can_keep_is_refused_whole() {
    let huge = Changes::putting("a", vec![0; limits::ENGINE_VALUE_BYTES_MAX + 1]);
    on_every_engine(|engine| {
        let error = engine.commit(&huge, None, Durability::Sync).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { limit: "engine value bytes", .. }), "{error}");
        assert_eq!(get(&*engine.snapshot().unwrap(), "a"), None);
    });
}

#[test]
fn a_value_of_65_mib_comes_back_from_every_engine() {
    let value: Vec<u8> = (0..65u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let batch = changes([("a", Some("1"))]);
    on_every_engine(|engine| {
        commit(engine, &batch);
        commit(engine, &Changes::putting("large", &value));
        assert!(engine.snapshot().unwrap().get(b"large").unwrap().as_deref() == Some(&*value), "{}", engine.name());
        engine.checkpoint().unwrap();
        assert!(engine.snapshot().unwrap().get(b"large").unwrap().as_deref() == Some(&*value), "{}", engine.name());
        commit(engine, &Changes::removing("large"));
        assert_eq!(get(&*engine.snapshot().unwrap(), "large"), None);
    });
}

#[test]
fn values_are_any_bytes_from_none_to_many() {
    on_every_engine(|engine| {
        let big: Vec<u8> = (0..3 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
        let values = [Vec::new(), vec![0], vec![0xff; 70_000], big];
        let batch: Changes = (b'a'..).zip(&values).map(|(name, value)| ([name], Some(value))).collect();
        commit(engine, &batch);
        let snapshot = engine.snapshot().unwrap();
        for (name, value) in (b'a'..).zip(&values) {
            assert!(snapshot.get(&[name]).unwrap().as_deref() == Some(&**value), "{} bytes", value.len());
        }
        let found = entries(&*snapshot, &KeyRange::all(), Direction::Backward);
        assert!(found.iter().rev().map(|(_, value)| value).eq(&values));
    });
}

/// Commits "mine" = "1" after what `note` says was read from a snapshot on which `between` was then committed.
fn commit_after(engine: &dyn Engine, note: impl Fn(&mut Reads), between: &Changes) -> Result<(), Error> {
    let base = engine.begin()?;
    let mut reads = Reads::at(base.commit());
    note(&mut reads);
    commit(engine, between);
    engine.commit(&changes([("mine", Some("1"))]), Some(&reads), Durability::Sync)?.wait()
}

#[test]
fn a_changed_read_conflicts() {
    on_every_engine(|engine| {
        put(engine, "a", "1");
        put(engine, "m", "1");
        let cases: [(&str, Changes); 5] = [
            ("overwritten", changes([("a", Some("2"))])),
            ("removed", changes([("a", None)])),
            ("inserted where nothing was found", changes([("absent", Some("1"))])),
            ("overwritten in a range", changes([("m", Some("2"))])),
            ("inserted into a range", changes([("mm", Some("1"))])),
        ];
        for (what, between) in cases {
            let note = |reads: &mut Reads| {
                reads.add_key(b"a");
                reads.add_key(b"absent");
                reads.add_range(KeyRange::prefix(b"m"));
            };
            let error = commit_after(engine, note, &between).unwrap_err();
            let (changed, _) = between.iter().next().unwrap();
            assert!(matches!(&error, Error::Conflict { key, .. } if **key == *changed), "{what}: {error}");
            assert_eq!(get(&*engine.snapshot().unwrap(), "mine"), None, "{what}");
        }
    });
}

#[test]
fn an_unchanged_read_does_not_conflict() {
    on_every_engine(|engine| {
        put(engine, "a", "0");
        let note = |reads: &mut Reads| {
            reads.add_key(b"a");
            reads.add_key(b"absent");
            reads.add_range(range(Excluded("m"), Excluded("p")));
            reads.add_range(range(Included("z"), Included("y")));
            reads.add_range(range(Excluded("q"), Excluded("q")));
        };
        let others = changes(["aa", "absent2", "m", "p", "q", "y", "z"].map(|name| (name, Some("1"))));
        commit_after(engine, note, &others).unwrap();
        assert_eq!(get(&*engine.snapshot().unwrap(), "mine").as_deref(), Some("1"));
    });
}

#[test]
fn what_was_committed_before_the_snapshot_does_not_conflict() {
    on_every_engine(|engine| {
        let earlier = engine.begin().unwrap();
        put(engine, "a", "1");
        let base = engine.begin().unwrap();
        for (base, conflicts) in [(earlier, true), (base, false)] {
            let mut reads = Reads::at(base.commit());
            reads.add_key(b"a");
            let outcome = engine.commit(&changes([("mine", Some("1"))]), Some(&reads), Durability::Sync);
            assert_eq!(outcome.is_err(), conflicts);
        }
    });
}

#[test]
fn a_check_without_changes_conflicts_too() {
    on_every_engine(|engine| {
        let base = engine.begin().unwrap();
        put(engine, "a", "1");
        let mut reads = Reads::at(base.commit());
        assert!(engine.commit(&Changes::new(), Some(&reads), Durability::Sync).is_ok());
        reads.add_key(b"a");
        let outcome = engine.commit(&Changes::new(), Some(&reads), Durability::Sync);
        assert!(matches!(outcome, Err(Error::Conflict { .. })));
    });
}

#[test]
fn more_changes_than_an_engine_remembers_conflict_rather_than_pass() {
    // One engine is enough: all of them share the code that remembers, and the run is long.
    let bed = crate::memory();
    let base = bed.engine.begin().unwrap();
    let mut reads = Reads::at(base.commit());
    reads.add_key(b"never changed");
    let many = u32::try_from(limits::CONFLICT_HISTORY_KEYS_MAX).unwrap() + 1;
    let batch: Changes = (0..many).map(|n| (n.to_be_bytes(), None::<Vec<u8>>)).collect();
    commit(&*bed.engine, &batch);
    let outcome = bed.engine.commit(&Changes::new(), Some(&reads), Durability::None);
    assert!(matches!(outcome, Err(Error::Conflict { .. })));
    let base = bed.engine.begin().unwrap();
    let outcome = bed.engine.commit(&Changes::new(), Some(&Reads::at(base.commit())), Durability::None);
    assert!(outcome.is_ok(), "who begins afterwards can be checked again");
}

#[test]
fn forks_are_independent_of_their_origin_and_of_one_another() {
    on_every_engine(|engine| {
        commit(engine, &changes([("a", Some("origin")), ("b", Some("origin"))]));
        let fork = engine.fork().unwrap();
        let sibling = engine.fork().unwrap();
        assert!(!fork.is_persistent());
        assert_eq!(fork.snapshot().unwrap().commit(), engine.snapshot().unwrap().commit());
        put(engine, "a", "origin again");
        commit(&*fork, &changes([("b", None), ("c", Some("fork"))]));
        let grandchild = fork.fork().unwrap();
        put(&*fork, "c", "fork again");
        commit(&*grandchild, &changes([("a", None), ("b", Some("grandchild"))]));

        let all = |engine: &dyn Engine| {
            let snapshot = engine.snapshot().unwrap();
            let found = entries(&*snapshot, &KeyRange::all(), Direction::Forward);
            assert_eq!(snapshot.count(&KeyRange::all()).unwrap(), found.len() as u64);
            let text = |bytes| String::from_utf8(bytes).unwrap();
            found.into_iter().map(|(key, value)| format!("{}={}", text(key), text(value))).collect::<Vec<_>>()
        };
        assert_eq!(all(engine), ["a=origin again", "b=origin"]);
        assert_eq!(all(&*fork), ["a=origin", "c=fork again"]);
        assert_eq!(all(&*sibling), ["a=origin", "b=origin"]);
        assert_eq!(all(&*grandchild), ["b=grandchild", "c=fork"]);
        engine.close().unwrap();
        assert_eq!(all(&*fork), ["a=origin", "c=fork again"], "a fork outlives its origin");
    });
}

#[test]
fn a_closed_engine_refuses_everything_and_its_snapshots_stay_readable() {
    on_every_engine(|engine| {
        let ticket = engine.commit(&changes([("a", Some("1"))]), None, Durability::Sync).unwrap();
        let waited_for = engine.commit(&changes([("b", Some("1"))]), None, Durability::Sync).unwrap();
        waited_for.wait().unwrap();
        let snapshot = engine.snapshot().unwrap();
        engine.close().unwrap();
        let closed = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::Closed)));
        closed(engine.snapshot().map(drop));
        closed(engine.latest().map(drop));
        closed(engine.begin().map(drop));
        closed(engine.fork().map(drop));
        closed(engine.sync());
        closed(engine.stats().map(drop));
        for durability in [Durability::Sync, Durability::None, Durability::Interval(std::time::Duration::ZERO)] {
            closed(engine.commit(&changes([("c", Some("1"))]), None, durability).map(drop));
            closed(engine.commit(&Changes::new(), None, durability).map(drop));
        }
        ticket.wait().unwrap();
        assert_eq!(names(&*snapshot, &KeyRange::all(), Direction::Backward), ["b", "a"]);
        engine.close().unwrap();
    });
}
