//! Keys, counters and sorted sets, as a caller sees them.

use std::ops::Bound;
use std::time::Duration;

use larder::{Error, InvalidKind, Kv, Scope, Store, WriteScope, limits};

fn kv() -> Kv {
    Store::in_memory().kv()
}

/// Only the members of what a range answers.
fn members(entries: &[(Vec<u8>, f64)]) -> String {
    entries.iter().map(|(member, _)| String::from_utf8_lossy(member)).collect::<Vec<_>>().join(" ")
}

#[test]
fn keyspaces_and_keys_are_apart_whatever_their_bytes() {
    let store = Store::in_memory();
    let names = ["", "a", "a\0", "a\0b", "\u{ff}"];
    let keys: [&[u8]; 5] = [b"", b"\0", b"a", b"\0\0a", b"\xff"];
    for (n, name) in names.iter().enumerate() {
        for (k, key) in keys.iter().enumerate() {
            store.kv_named(name).set(key, format!("{n} {k}")).unwrap();
            store.kv_named(name).sorted_set([b"z", *key].concat()).add(key, 1.0).unwrap();
        }
    }
    for (n, name) in names.iter().enumerate() {
        let kv = store.kv_named(name);
        for (k, key) in keys.iter().enumerate() {
            assert_eq!(kv.get(key).unwrap(), Some(format!("{n} {k}").into_bytes()));
            assert_eq!(kv.sorted_set([b"z", *key].concat()).range(0, -1).unwrap(), [(key.to_vec(), 1.0)]);
        }
        assert_eq!(kv.keys_matching("*").unwrap().len(), 10);
    }
}

// SEM: KV-STR-1
#[test]
fn a_counter_that_would_overflow_stays_as_it_is() {
    let kv = kv();
    kv.set("n", i64::MAX.to_string()).unwrap();
    assert!(matches!(kv.increment("n", 1), Err(Error::Invalid { kind: InvalidKind::Overflow, .. })));
    assert_eq!(kv.increment("n", i64::MIN).unwrap(), -1);
    assert!(matches!(kv.increment("n", i64::MIN), Err(Error::Invalid { kind: InvalidKind::Overflow, .. })));
    assert_eq!(kv.get("n").unwrap().as_deref(), Some(&b"-1"[..]));
    kv.set("n", "1.5").unwrap();
    let error = kv.increment("n", 1).unwrap_err();
    assert_eq!(error.to_string(), "value is not an integer or out of range");
}

// SEM: KV-STR-3
#[test]
fn a_key_of_another_kind_is_refused_by_name() {
    let kv = kv();
    kv.set("s", "7").unwrap();
    kv.sorted_set("z").add("m", 1.0).unwrap();
    let error = kv.get("z").unwrap_err();
    assert!(matches!(error, Error::WrongType { ref key, expected: "string", found: "sorted set" } if key == "z"));
    assert!(matches!(kv.increment("z", 1), Err(Error::WrongType { .. })));
    for outcome in [
        kv.sorted_set("s").add("m", 1.0).map(drop),
        kv.sorted_set("s").increment("m", 1.0).map(drop),
        kv.sorted_set("s").remove("m").map(drop),
        kv.sorted_set("s").score("m").map(drop),
        kv.sorted_set("s").rank("m").map(drop),
        kv.sorted_set("s").len().map(drop),
        kv.sorted_set("s").range(0, -1).map(drop),
        kv.sorted_set("s").range_by_score(..).map(drop),
        kv.sorted_set("s").count_by_score(..).map(drop),
    ] {
        assert!(
            matches!(outcome, Err(Error::WrongType { expected: "sorted set", found: "string", .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(kv.get("s").unwrap().as_deref(), Some(&b"7"[..]));
}

/// Bytes that are longer than a key of the engine has whole, and agree with others of their kind for as long as it has them.
fn long(length: usize, end: u8) -> Vec<u8> {
    let mut bytes = vec![b'a'; length];
    bytes.push(end);
    bytes
}

#[test]
fn long_keys_are_as_good_as_short_ones() {
    let clock = larder::ManualClock::default();
    let store = Store::builder().clock(clock.clone()).in_memory();
    store.publish_key_events("EA".parse().unwrap());
    let kv = store.kv();
    let (one, two, short) = (long(20_000, b'1'), long(20_000, b'2'), vec![b'a'; limits::KEY_COMPONENT_BYTES_MAX]);
    kv.set(&one, "1").unwrap();
    kv.set(&two, "2").unwrap();
    kv.set(&short, "short").unwrap();
    assert_eq!(kv.get(&one).unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(kv.get(&two).unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(kv.get(&short).unwrap().as_deref(), Some(&b"short"[..]));
    assert_eq!(kv.increment(&one, 1).unwrap(), 2);
    assert!(kv.keys_matching("*2").unwrap().iter().eq([&two]));
    let mut paged = vec![kv.keys_after(None, 1).unwrap().remove(0).0];
    while let Some((key, _)) = kv.keys_after(paged.last().map(|key| &**key), 1).unwrap().pop() {
        paged.push(key);
    }
    assert_eq!(paged.len(), 3);
    assert!([&one, &two, &short].into_iter().all(|key| paged.contains(key)));
    assert!((0..3).all(|n| paged.contains(&kv.nth_key(n).unwrap().unwrap())));
    let refused = kv.hash(&one).get("f").unwrap_err();
    assert!(matches!(refused, Error::WrongType { key, .. } if key.as_bytes() == one));

    let deleted = store.subscribe("__keyevent@0__:del").unwrap();
    assert!(kv.remove(&two).unwrap() && !kv.exists(&two).unwrap());
    assert_eq!(deleted.try_recv().unwrap().unwrap().payload(), two);
    assert!(kv.rename(&one, &two).unwrap() && kv.copy_if_absent(&two, &kv, &one).unwrap());
    assert!(kv.move_to(&two, &store.kv_named("1")).unwrap());
    assert_eq!(store.kv_named("1").get(&two).unwrap().as_deref(), Some(&b"2"[..]));
    let expired = store.subscribe("__keyevent@0__:expired").unwrap();
    kv.expire(&one, Duration::from_secs(1)).unwrap();
    kv.persist(&one).unwrap();
    kv.expire(&one, Duration::from_secs(1)).unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(!kv.exists(&one).unwrap());
    assert_eq!(store.sweep_expired().unwrap(), 1);
    assert_eq!(expired.try_recv().unwrap().unwrap().payload(), one);
    kv.set_with_ttl(&one, "v", Duration::from_secs(1)).unwrap();
    assert!(kv.bytes_of(&one).unwrap() > Some(20_000));
    assert_eq!((kv.clear().unwrap(), store.kv_named("1").clear().unwrap()), (2, 1));
    assert_eq!(store.stats().unwrap().entries, Some(0), "no head and no deadline is left");
}

#[test]
fn long_keys_are_evicted_and_emptied_as_others_are() {
    let store = Store::builder().clock(larder::ManualClock::default()).in_memory();
    let kv = store.kv();
    store.set_memory_budget(Some(1 << 20), larder::kv::EvictionPolicy::AllKeysLru).unwrap();
    for n in 0..200 {
        kv.set([&long(9_000, 0)[..], &[n]].concat(), "v").unwrap();
    }
    let left = kv.len().unwrap();
    assert!((30..100).contains(&left), "{left}");
    assert!(store.stats().unwrap().bytes.unwrap() <= (1 << 20) + 40_000);
    store.set_memory_budget(None, larder::kv::EvictionPolicy::NoEviction).unwrap();
    for n in 0..200 {
        kv.set_with_ttl([&long(9_000, 0)[..], &[n]].concat(), "v", Duration::from_secs(1)).unwrap();
    }
    assert_eq!(kv.clear().unwrap(), 200);
    store.run_jobs().unwrap();
    // The two entries of the keyspace's place, and the end of the block of storage ids.
    assert_eq!(store.stats().unwrap().entries, Some(3));
}

#[test]
fn long_members_and_fields_are_as_good_as_short_ones() {
    let store = Store::builder().clock(larder::ManualClock::default()).in_memory();
    let kv = store.kv();
    let members = [long(9_000, b'1'), long(9_000, b'2'), vec![b'a'; limits::KEY_COMPONENT_BYTES_MAX], b"b".to_vec()];
    let sorted = |mut found: Vec<Vec<u8>>| {
        found.sort();
        found
    };
    let expected = sorted(members.to_vec());

    let set = kv.unsorted_set("set");
    assert_eq!(set.add_many(&members).unwrap(), 4);
    assert_eq!(set.add_many(&members).unwrap(), 0);
    assert!(set.contains(&members[0]).unwrap() && !set.contains(long(9_000, b'3')).unwrap());
    assert_eq!(sorted(set.members().unwrap()), expected);
    assert_eq!(sorted((0..4).map(|n| set.nth(n).unwrap().unwrap()).collect()), expected);
    let mut paged = Vec::new();
    while let Some(member) = set.members_after(paged.last().map(|member: &Vec<u8>| &**member), 1).unwrap().pop() {
        paged.push(member);
    }
    assert_eq!(sorted(paged), expected);

    let hash = kv.hash("hash");
    assert_eq!(hash.set_many(members.iter().zip(["1", "2", "3", "4"])).unwrap(), 4);
    assert_eq!(hash.get(&members[1]).unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(hash.increment(&members[1], 5).unwrap(), 7);
    assert_eq!(hash.get(&members[1]).unwrap().as_deref(), Some(&b"7"[..]));
    let mut entries = hash.entries().unwrap();
    entries.sort();
    assert_eq!(
        entries,
        [(&members[0], "1"), (&members[1], "7"), (&members[2], "3"), (&members[3], "4")]
            .map(|(field, value)| (field.clone(), value.as_bytes().to_vec()))
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .collect::<Vec<_>>()
    );

    let board = kv.sorted_set("board");
    for (member, score) in members.iter().zip([3.0, 2.0, 1.0, 4.0]) {
        assert!(board.add(member, score).unwrap());
    }
    assert_eq!(Some(board.increment(&members[0], 10.0).unwrap()), Some(13.0));
    assert_eq!((board.score(&members[0]).unwrap(), board.rank(&members[0]).unwrap()), (Some(13.0), Some(3)));
    assert_eq!(board.top(2).unwrap(), [(members[0].clone(), 13.0), (members[3].clone(), 4.0)]);
    assert_eq!(board.by_score(1.0..=2.0).entries().unwrap(), [(members[2].clone(), 1.0), (members[1].clone(), 2.0)]);
    assert_eq!(kv.intersection(["board", "set"]).entries().unwrap().len(), 4);
    assert_eq!(kv.union(["board", "set"]).store_at("both").unwrap(), 4);
    assert_eq!(kv.sorted_set("both").score(&members[0]).unwrap(), Some(14.0));

    for key in ["set", "hash", "board"] {
        let dump = kv.dump(key).unwrap().unwrap();
        kv.restore("again", &dump, None).unwrap();
        assert_eq!(kv.dump("again").unwrap().unwrap(), dump);
    }
    assert_eq!(set.take_nth(&[0, 1, 2, 3]).unwrap().len(), 4);
    assert_eq!(hash.remove_many(&members).unwrap(), 4);
    assert_eq!(board.remove_many(&members).unwrap(), 4);
    assert!(kv.remove("again").unwrap() && kv.remove("both").unwrap());
    assert_eq!(store.stats().unwrap().entries, Some(1), "the end of the block of storage ids");
}

// SEM: KV-STR-3
#[test]
fn a_sorted_set_goes_with_its_last_member() {
    let store = Store::in_memory();
    let kv = store.kv();
    let set = kv.sorted_set("z");
    for member in ["a", "b"] {
        set.add(member, 1.0).unwrap();
    }
    assert!(set.remove("a").unwrap() && kv.exists("z").unwrap());
    assert!(set.remove("b").unwrap() && !kv.exists("z").unwrap());
    assert_eq!(store.stats().unwrap().entries, Some(1), "the end of the block of storage ids");
    kv.set("z", "now a string").unwrap();
}

#[test]
fn overwriting_or_deleting_a_sorted_set_takes_its_members_along() {
    let store = Store::builder().clock(larder::ManualClock::default()).in_memory();
    let kv = store.kv();
    for n in 0..100 {
        kv.sorted_set("z").add(format!("{n}"), f64::from(n)).unwrap();
    }
    kv.set("z", "v").unwrap();
    assert_eq!(store.run_jobs().unwrap(), 200);
    assert_eq!(store.stats().unwrap().entries, Some(2), "the string, and the end of the block of storage ids");
    kv.remove("z").unwrap();
    assert!(kv.sorted_set("z").add("0", 1.0).unwrap(), "nothing of the old set shows");
    assert_eq!(kv.sorted_set("z").len().unwrap(), 1);
}

// SEM: KV-Z-1, KV-Z-4
#[test]
fn scores_are_any_number_and_the_two_zeros_are_one() {
    let kv = kv();
    let set = kv.sorted_set("z");
    for (member, score) in [("c", 0.0), ("b", -0.0), ("low", f64::NEG_INFINITY), ("high", f64::INFINITY)] {
        assert!(set.add(member, score).unwrap());
    }
    assert_eq!(members(&set.range(0, -1).unwrap()), "low b c high");
    assert_eq!(set.score("b").unwrap().map(f64::to_bits), Some(0.0f64.to_bits()));
    let nan = set.add("x", f64::NAN).unwrap_err();
    assert!(matches!(nan, Error::Invalid { kind: InvalidKind::Value, .. }));
    let error = set.increment("high", f64::NEG_INFINITY).unwrap_err();
    assert_eq!(error.to_string(), "resulting score is not a number (NaN)");
    assert_eq!(set.score("high").unwrap(), Some(f64::INFINITY), "nothing has changed");
    assert!(kv.sorted_set("new").increment("m", f64::NAN).is_err() && !kv.exists("new").unwrap());
}

// SEM: KV-Z-7
#[test]
fn rank_counts_ties_once_each_in_the_order_of_bytes() {
    let kv = kv();
    let set = kv.sorted_set("z");
    for member in ["b", "a", "c"] {
        set.add(member, 1.0).unwrap();
    }
    let ranks = |member: &str| (set.rank(member).unwrap(), set.reverse_rank(member).unwrap());
    assert_eq!([ranks("a"), ranks("b"), ranks("c")], [(Some(0), Some(2)), (Some(1), Some(1)), (Some(2), Some(0))]);
    assert_eq!(ranks("d"), (None, None));
}

// SEM: KV-Z-5
#[test]
fn ranges_by_rank_are_inclusive_and_forgiving() {
    let kv = kv();
    let set = kv.sorted_set("z");
    for (member, score) in [("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 3.0)] {
        set.add(member, score).unwrap();
    }
    let range = |start, stop| members(&set.range(start, stop).unwrap());
    assert_eq!([range(0, -1), range(1, 2), range(-2, -1)], ["a b c d", "b c", "c d"]);
    assert_eq!([range(2, 1), range(4, 9), range(-9, 0), range(0, -9), range(3, i64::MAX)], ["", "", "a", "", "d"]);
    let reverse = |start, stop| members(&set.reverse_range(start, stop).unwrap());
    assert_eq!([reverse(0, 1), reverse(-1, -1), reverse(1, 100)], ["d c", "a", "c b a"]);
    assert_eq!(members(&set.top(2).unwrap()), "d c");
    assert_eq!(members(&set.top(u64::MAX).unwrap()), "d c b a");
    assert!(set.top(0).unwrap().is_empty() && kv.sorted_set("none").top(3).unwrap().is_empty());
}

// SEM: KV-Z-5
#[test]
fn ranges_by_score_keep_to_their_bounds() {
    let kv = kv();
    let set = kv.sorted_set("z");
    for (member, score) in [("a", f64::NEG_INFINITY), ("b", 1.0), ("c", 1.0), ("d", 2.0), ("e", f64::INFINITY)] {
        set.add(member, score).unwrap();
    }
    assert_eq!(members(&set.range_by_score(..).unwrap()), "a b c d e");
    assert_eq!(members(&set.range_by_score(1.0..2.0).unwrap()), "b c");
    assert_eq!(members(&set.range_by_score(1.0..=2.0).unwrap()), "b c d");
    assert_eq!(members(&set.range_by_score((Bound::Excluded(1.0), Bound::Unbounded)).unwrap()), "d e");
    assert_eq!(members(&set.range_by_score((Bound::Excluded(f64::INFINITY), Bound::Unbounded)).unwrap()), "");
    assert_eq!(members(&set.reverse_range_by_score(..=2.0).unwrap()), "d c b a");
    let (low, high) = (1.0, 3.0);
    assert_eq!(set.count_by_score(high..low).unwrap(), 0, "bounds in the wrong order hold nothing");
    assert_eq!(set.count_by_score(1.0..=1.0).unwrap(), 2);
    assert_eq!(members(&set.by_score(1.0..).offset(1).limit(2).entries().unwrap()), "c d");
    assert_eq!(members(&set.by_score(1.0..).reverse().offset(1).limit(2).entries().unwrap()), "d c");
    assert!(set.by_score(..).offset(5).entries().unwrap().is_empty());
    assert!(set.by_score(..).reverse().offset(u64::MAX).entries().unwrap().is_empty());
    assert!(set.range_by_score(f64::NAN..).is_err());
    assert!(kv.sorted_set("none").count_by_score(..f64::NAN).is_err(), "refused whether there is a set or not");
}

// SEM: ALL-7
#[test]
fn what_is_too_long_is_refused_before_anything_is_written() {
    let store = Store::in_memory();
    let kv = store.kv();
    // Zeros that nobody looks at take no memory.
    let (key, long_key) = (vec![0; 1_000], vec![0; limits::KEY_BYTES_MAX + 1]);
    let long_member = vec![0; limits::MEMBER_BYTES_MAX + 1];
    let found = |outcome: larder::Result<()>| match outcome {
        Err(Error::LimitExceeded { limit, found, .. }) => (limit, found),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(kv.set(&long_key, "")), ("key bytes", long_key.len() as u64));
    assert_eq!(found(kv.get(&long_key).map(drop)), ("key bytes", long_key.len() as u64));
    let set = kv.sorted_set(&key);
    assert_eq!(found(set.add(&long_member, 1.0).map(drop)), ("sorted set member bytes", long_member.len() as u64));
    assert_eq!(found(set.score(&long_member).map(drop)), ("sorted set member bytes", long_member.len() as u64));
    assert_eq!(found(set.remove(&long_member).map(drop)), ("sorted set member bytes", long_member.len() as u64));
    let long_value = vec![0; limits::STRING_BYTES_MAX + 1];
    assert_eq!(found(kv.set("k", &long_value)), ("string bytes", long_value.len() as u64));
    let long_name = store.kv_named(&"n".repeat(limits::NAME_BYTES_MAX + 1));
    assert_eq!(found(long_name.set("k", "")).0, "keyspace name bytes");
    assert_eq!(found(kv.hash("h").set(&long_member, "").map(drop)).0, "hash field bytes");
    assert_eq!(found(kv.hash("h").set("f", &long_value).map(drop)).0, "hash value bytes");
    assert_eq!(found(kv.list("l").push(larder::kv::End::Back, [&long_value]).map(drop)).0, "list value bytes");
    assert_eq!(found(kv.unsorted_set("s").add(&long_member).map(drop)).0, "set member bytes");
    assert_eq!(store.stats().unwrap().entries, Some(0));
}

#[test]
fn the_same_code_runs_on_store_transaction_and_snapshot() {
    fn write<S: WriteScope>(kv: &Kv<S>) -> larder::Result<()> {
        kv.increment("n", 1)?;
        kv.sorted_set("z").increment("m", 1.0).map(drop)
    }
    fn read<S: Scope>(kv: &Kv<S>) -> larder::Result<(Option<Vec<u8>>, Option<f64>)> {
        Ok((kv.get("n")?, kv.sorted_set("z").score("m")?))
    }
    let store = Store::in_memory();
    write(&store.kv()).unwrap();
    let before = store.snapshot().unwrap();
    store
        .transaction(|tx| {
            write(&tx.kv())?;
            assert_eq!(read(&tx.kv())?, (Some(b"2".to_vec()), Some(2.0)), "its own writes");
            Ok::<_, larder::Error>(())
        })
        .unwrap();
    assert_eq!(read(&before.kv()).unwrap(), (Some(b"1".to_vec()), Some(1.0)));
    assert_eq!(read(&store.kv()).unwrap(), (Some(b"2".to_vec()), Some(2.0)));
}

#[test]
fn an_operation_that_fails_leaves_its_transaction_as_it_was() {
    let store = Store::in_memory();
    store
        .transaction(|tx| {
            let kv = tx.kv();
            kv.sorted_set("z").add("m", f64::INFINITY)?;
            assert!(kv.sorted_set("z").increment("m", f64::NEG_INFINITY).is_err());
            assert!(kv.increment("z", 1).is_err());
            kv.set("k", "v")
        })
        .unwrap();
    assert_eq!(store.kv().sorted_set("z").range(0, -1).unwrap(), [(b"m".to_vec(), f64::INFINITY)]);
    assert!(store.kv().exists("k").unwrap());
}

#[test]
fn optimistic_transactions_conflict_over_what_they_rank_but_not_beside_it() {
    let store = Store::in_memory();
    let board = store.kv().sorted_set("z");
    for (member, score) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        board.add(member, score).unwrap();
    }
    let tx = store.begin().unwrap();
    let rank = tx.kv().sorted_set("z").rank("b").unwrap().unwrap();
    tx.kv().set("rank", rank.to_string()).unwrap();
    board.add("c", 4.0).unwrap();
    tx.commit().expect("nothing before b has changed");

    let tx = store.begin().unwrap();
    let rank = tx.kv().sorted_set("z").rank("b").unwrap().unwrap();
    tx.kv().set("rank", rank.to_string()).unwrap();
    board.remove("a").unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());
}

#[test]
fn counters_lose_nothing_between_threads() {
    let store = Store::in_memory();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..250 {
                    store.kv().increment("n", 1).unwrap();
                    store.kv().sorted_set("z").increment("m", 1.0).unwrap();
                }
            });
        }
    });
    assert_eq!(store.kv().increment("n", 0).unwrap(), 1_000);
    assert_eq!(store.kv().sorted_set("z").score("m").unwrap(), Some(1_000.0));
}

#[test]
fn a_set_takes_the_place_of_whatever_was_there() {
    let store = Store::in_memory();
    let kv = store.kv();
    store.publish_key_events("KEA".parse().unwrap());
    let events = store.subscribe_pattern("__keyspace@0__:*").unwrap();
    let told = || events.try_recv().unwrap().map(|event| String::from_utf8(event.payload().to_vec()).unwrap());
    kv.list("k").push(larder::kv::End::Back, ["a"]).unwrap();
    assert_eq!(told().as_deref(), Some("rpush"));
    assert_eq!(kv.unsorted_set("k").replace(["b", "c", "b"]).unwrap(), 2);
    assert_eq!(told().as_deref(), Some("sadd"));
    assert_eq!(kv.unsorted_set("k").replace(["c", "d"]).unwrap(), 2);
    assert_eq!(kv.unsorted_set("k").members().unwrap(), [b"c", b"d"]);
    assert_eq!((told().as_deref(), told()), (Some("sadd"), None));
    assert_eq!(kv.unsorted_set("k").replace([""; 0]).unwrap(), 0);
    assert_eq!((kv.exists("k").unwrap(), told().as_deref()), (false, Some("del")));
    assert_eq!(kv.unsorted_set("k").replace([""; 0]).unwrap(), 0);
    assert_eq!(told(), None, "nothing was there");
}

#[test]
fn looking_through_keys_need_not_count_as_using_them() {
    let clock = larder::ManualClock::at(larder::Timestamp::from_seconds(1_000));
    let store = Store::builder().clock(clock.clone()).in_memory();
    store.set_memory_budget(Some(1 << 20), larder::kv::EvictionPolicy::AllKeysLru).unwrap();
    store.kv().set("k", "v").unwrap();
    clock.advance(Duration::from_mins(1));
    let idle = || store.kv().idle_seconds("k").unwrap();
    store.transaction(|tx| tx.without_uses(|tx| tx.kv().get("k"))).unwrap();
    assert_eq!(idle(), Some(60));
    store
        .transaction(|tx| {
            tx.without_uses(|tx| tx.kv().get("k"))?;
            tx.kv().touch("k")
        })
        .unwrap();
    assert_eq!(idle(), Some(0), "what follows counts again");
}
