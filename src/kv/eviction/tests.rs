use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;
use crate::kv::Kv;
use crate::store::Store;

fn store(policy: EvictionPolicy, budget: u64) -> (Store, ManualClock) {
    let clock = ManualClock::default();
    clock.advance(Duration::from_hours(1));
    let store = Store::builder().clock(clock.clone()).in_memory();
    store.set_memory_budget(Some(budget), policy).unwrap();
    (store, clock)
}

fn fill(kv: &Kv, names: &str, count: usize) {
    for n in 0..count {
        kv.set(format!("{names}{n:03}"), [b'v'; 50]).unwrap();
    }
}

fn left(kv: &Kv, names: &str) -> usize {
    kv.keys_matching(format!("{names}*")).unwrap().len()
}

#[test]
fn nothing_is_evicted_within_the_budget_and_writes_are_refused_beyond_it() {
    let (store, _) = store(EvictionPolicy::NoEviction, 1_000);
    let kv = store.kv();
    let mut written = 0;
    let refused = loop {
        match kv.set(format!("k{written}"), [0; 50]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::OutOfMemory { budget: 1_000, used } if used > 1_000), "{refused:?}");
    assert_eq!(kv.len().unwrap(), written);
    // What frees is never refused, and makes room.
    assert!(kv.remove("k0").unwrap());
    kv.set("k0", [0; 50]).unwrap();
    assert_eq!(store.key_stats().evicted, 0);
}

#[test]
fn the_least_recently_used_go_first() {
    let (store, clock) = store(EvictionPolicy::AllKeysLru, 5_500);
    let kv = store.kv();
    fill(&kv, "old", 50);
    clock.advance(Duration::from_mins(1));
    fill(&kv, "new", 40);
    clock.advance(Duration::from_mins(1));
    for n in 0..25 {
        assert!(kv.get(format!("old{n:03}")).unwrap().is_some());
    }
    clock.advance(Duration::from_mins(1));
    fill(&kv, "more", 60);
    let used: usize = (0..25).filter(|n| kv.exists(format!("old{n:03}")).unwrap()).count();
    let unused: usize = (25..50).filter(|n| kv.exists(format!("old{n:03}")).unwrap()).count();
    assert!(used > unused + 8, "{used} that were read are left, and {unused} that were not");
    assert!(left(&kv, "more") > 50 && store.key_stats().evicted > 0);
}

#[test]
fn the_least_frequently_used_go_first() {
    let (store, _) = store(EvictionPolicy::AllKeysLfu, 6_000);
    let kv = store.kv();
    fill(&kv, "k", 60);
    for _ in 0..200 {
        for n in 0..20 {
            kv.get(format!("k{n:03}")).unwrap();
        }
    }
    fill(&kv, "more", 60);
    let often: usize = (0..20).filter(|n| kv.exists(format!("k{n:03}")).unwrap()).count();
    assert!(often >= 17, "{often} of 20 that were read often are left");
}

#[test]
fn volatile_policies_leave_keys_without_a_deadline_alone() {
    for policy in [EvictionPolicy::VolatileLru, EvictionPolicy::VolatileLfu, EvictionPolicy::VolatileRandom] {
        let (store, _) = store(policy, 5_000);
        let kv = store.kv();
        fill(&kv, "stays", 30);
        for n in 0..100 {
            kv.set_with_ttl(format!("goes{n:03}"), [0; 50], Duration::from_hours(1)).unwrap();
        }
        assert_eq!(left(&kv, "stays"), 30, "{policy:?}");
        assert!(left(&kv, "goes") < 60, "{policy:?}");
        // When none with a deadline is left, writes are refused.
        store.set_memory_budget(Some(1_000), policy).unwrap();
        assert!(matches!(kv.set("more", ""), Err(Error::OutOfMemory { .. })));
        assert_eq!(left(&kv, "stays"), 30, "{policy:?}");
    }
}

#[test]
fn the_nearest_deadline_goes_first() {
    let (store, _) = store(EvictionPolicy::VolatileTtl, 100_000);
    let kv = store.kv();
    for n in 0..50_u64 {
        kv.set_with_ttl(format!("k{n:02}"), [0; 50], Duration::from_secs(1_000 - n)).unwrap();
    }
    let before = store.stats().unwrap().bytes.unwrap();
    store.set_memory_budget(Some(before * 4 / 5), EvictionPolicy::VolatileTtl).unwrap();
    kv.set("k00", "").unwrap();
    let gone: Vec<bool> = (0..50).map(|n| !kv.exists(format!("k{n:02}")).unwrap()).collect();
    let first = gone.iter().position(|gone| *gone).unwrap();
    assert!(gone.iter().skip(first).all(|gone| *gone), "{gone:?}");
}

#[test]
fn an_evicted_key_is_told_of_and_leaves_nothing_behind() {
    let (store, _) = store(EvictionPolicy::AllKeysRandom, 2_000);
    store.publish_key_events("Ee".parse().unwrap());
    let evicted = store.subscribe("__keyevent@0__:evicted").unwrap();
    let kv = store.kv_named("0");
    kv.hash("h").set_many((0..100).map(|n| (n.to_string(), [0; 50]))).unwrap();
    kv.expire("h", Duration::from_hours(1)).unwrap();
    kv.set("k", "v").unwrap();
    assert_eq!(evicted.try_recv().unwrap().unwrap().payload(), b"h");
    kv.remove("k").unwrap();
    assert_eq!(crate::kv::tests::entries(&store), 0);
}

#[test]
fn engines_that_do_not_count_bytes_refuse_a_budget_by_name() {
    let fork = Store::in_memory();
    assert!(fork.set_memory_budget(Some(1), EvictionPolicy::AllKeysLru).is_ok());
    assert_eq!(
        EvictionPolicy::ALL.map(|policy| policy.to_string().parse::<EvictionPolicy>().unwrap()),
        EvictionPolicy::ALL
    );
    assert!("sometimes".parse::<EvictionPolicy>().unwrap_err().to_string().contains("volatile-ttl"));
    for (number, policy) in EvictionPolicy::ALL.into_iter().enumerate() {
        assert_eq!(EvictionPolicy::of(u8::try_from(number).unwrap()), policy);
        assert_eq!(policy as usize, number);
    }
}

proptest! {
    /// What is held is never more than the budget and what the last operation wrote.
    #[test]
    fn the_budget_is_kept(sizes in prop::collection::vec(0_usize..400, 1..200), budget in 500_u64..5_000) {
        let (store, _) = store(EvictionPolicy::AllKeysRandom, budget);
        let kv = store.kv();
        for (n, size) in sizes.iter().enumerate() {
            kv.set(format!("k{}", n % 37), vec![0; *size]).unwrap();
            kv.hash(format!("h{}", n % 11)).set(n.to_string(), vec![0; size / 2]).unwrap();
            let held = store.stats().unwrap().bytes.unwrap();
            prop_assert!(held <= budget + 2 * *size as u64 + 200, "{held} of {budget}");
        }
    }
}
