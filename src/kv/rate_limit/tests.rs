//! Limiters beside a log of all that was acquired, from which the model works out what is left.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::error::InvalidKind;
use crate::{Error, Store};

const KEY: &str = "limiter";

/// Everything that was acquired, and when.
#[derive(Clone, Debug)]
struct Model {
    limit: RateLimit,
    log: Vec<(i64, u64)>,
}

impl Model {
    /// What is left at `now`, from the log alone.
    fn left(&self, now: i64) -> u64 {
        let window_of = |at: i64, window: Duration| at.div_euclid(i64::try_from(window.as_micros()).unwrap());
        let acquired = |windows_ago: i64, window: Duration| -> u64 {
            let wanted = window_of(now, window) - windows_ago;
            self.log.iter().filter(|(at, _)| window_of(*at, window) == wanted).map(|(_, count)| count).sum()
        };
        match self.limit.0 {
            Rule::FixedWindow { limit, window } => limit - acquired(0, window),
            Rule::SlidingWindow { limit, window } => {
                let length = u64::try_from(window.as_micros()).unwrap();
                let into = now.rem_euclid(i64::try_from(length).unwrap()).unsigned_abs();
                let used = acquired(0, window) + (acquired(1, window) * (length - into)).div_ceil(length);
                limit.saturating_sub(used)
            }
            Rule::TokenBucket { capacity, refill, per } => {
                // One microsecond after the other.
                let parts = u64::try_from(per.as_micros()).unwrap();
                let mut level = capacity * parts;
                let first = self.log.first().map_or(now, |(at, _)| *at);
                for at in first..=now {
                    if at > first {
                        level = (level + refill).min(capacity * parts);
                    }
                    level -=
                        self.log.iter().filter(|(when, _)| *when == at).map(|(_, count)| count * parts).sum::<u64>();
                }
                level / parts
            }
        }
    }

    fn all(&self) -> u64 {
        match self.limit.0 {
            Rule::FixedWindow { limit, .. } | Rule::SlidingWindow { limit, .. } => limit,
            Rule::TokenBucket { capacity, .. } => capacity,
        }
    }

    /// The first moment from `now` on at which so much is left.
    fn when(&self, now: i64, wanted: u64) -> i64 {
        (now..now + 1_000).find(|at| self.left(*at) >= wanted).unwrap()
    }

    fn acquire(&mut self, now: i64, count: u64) -> Decision {
        let allowed = count <= self.left(now);
        if allowed && count > 0 {
            self.log.push((now, count));
        }
        let waits = !allowed && count <= self.all();
        Decision {
            allowed,
            remaining: self.left(now),
            retry_after: waits.then(|| Duration::from_micros((self.when(now, count) - now).unsigned_abs())),
            reset_at: Timestamp::from_micros(self.when(now, self.all())),
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Acquire(u64),
    Peek,
    Advance(u64),
    /// To the moment at which the last denied one is to be tried again.
    Wait,
    Sweep,
    Reset,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0u64..6).prop_map(Op::Acquire),
        1 => Just(Op::Peek),
        4 => (1u64..12).prop_map(Op::Advance),
        1 => (12u64..60).prop_map(Op::Advance),
        2 => Just(Op::Wait),
        1 => Just(Op::Sweep),
        1 => Just(Op::Reset),
    ]
}

fn limit() -> impl Strategy<Value = RateLimit> {
    let window = || (1u64..15).prop_map(Duration::from_micros);
    prop_oneof![
        (0u64..6, window()).prop_map(|(limit, window)| RateLimit::fixed_window(limit, window)),
        (0u64..6, window()).prop_map(|(limit, window)| RateLimit::sliding_window(limit, window)),
        (0u64..6, 1u64..6, window()).prop_map(|(capacity, refill, per)| RateLimit::token_bucket(capacity, refill, per)),
    ]
}

fn store(clock: &ManualClock) -> Store {
    Store::builder().clock(clock.clone()).in_memory()
}

proptest! {
    #[test]
    fn a_limiter_agrees_with_a_log_of_all_acquisitions(
        limit in limit(), start in -30i64..30, ops in prop::collection::vec(op(), 1..40),
    ) {
        let clock = ManualClock::at(Timestamp::from_micros(start));
        let store = store(&clock);
        let limiter = store.kv().rate_limit(KEY, limit);
        let mut model = Model { limit, log: Vec::new() };
        let mut wait = Duration::ZERO;
        for op in ops {
            let now = clock.now().as_micros();
            match op {
                Op::Acquire(count) => {
                    let decision = limiter.try_acquire(count).unwrap();
                    prop_assert_eq!(decision, model.acquire(now, count));
                    wait = decision.retry_after.unwrap_or(wait);
                }
                Op::Peek => prop_assert_eq!(limiter.peek().unwrap(), model.acquire(now, 0)),
                Op::Advance(micros) => clock.advance(Duration::from_micros(micros)),
                Op::Wait => clock.advance(std::mem::take(&mut wait)),
                Op::Sweep => { store.sweep_expired().unwrap(); }
                Op::Reset => {
                    limiter.reset().unwrap();
                    model.log.clear();
                }
            }
        }
        // All of it is left long before the deadline at the latest, and nothing stays.
        clock.advance(Duration::from_millis(1));
        prop_assert_eq!(limiter.peek().unwrap().remaining, model.all());
        store.sweep_expired().unwrap();
        prop_assert_eq!(store.stats().unwrap().entries, Some(0));
    }

    #[test]
    fn no_string_makes_a_limiter_fail_otherwise_than_as_invalid(
        limit in limit(), tag in 0u8..4, len in prop_oneof![Just(24usize), Just(32), 0usize..40], fill: Vec<u8>, count: u64,
        deadline in prop::option::of(1i64..100),
    ) {
        let clock = ManualClock::default();
        let kv = store(&clock).kv();
        let mut bytes = vec![tag];
        bytes.extend(fill.iter().copied().cycle().take(if fill.is_empty() { 0 } else { len }));
        kv.set(KEY, &bytes).unwrap();
        if let Some(deadline) = deadline {
            kv.expire_at(KEY, Timestamp::from_micros(deadline)).unwrap();
        }
        match kv.rate_limit(KEY, limit).try_acquire(count) {
            Ok(_) | Err(Error::Invalid { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn another_definition_at_the_same_key_grants_no_more_than_its_own_limit(
        first in limit(), second in limit(), counts in prop::collection::vec(0u64..6, 2..8), back in 0u64..40,
    ) {
        let clock = ManualClock::at(Timestamp::from_micros(100));
        let kv = store(&clock).kv();
        for count in &counts {
            let _ = kv.rate_limit(KEY, first).try_acquire(*count).unwrap();
        }
        // Set back, so that what is kept is of the future.
        clock.set(Timestamp::from_micros(100 - i64::try_from(back).unwrap()));
        let all = Model { limit: second, log: Vec::new() }.all();
        let mut granted = 0;
        for count in counts {
            match kv.rate_limit(KEY, second).try_acquire(count) {
                Ok(decision) => granted += if decision.allowed { count } else { 0 },
                Err(Error::Invalid { kind: InvalidKind::Type, .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        prop_assert!(granted <= all);
    }
}

#[test]
fn a_fixed_window_is_a_counter_that_clients_share() {
    let clock = ManualClock::at(Timestamp::from_seconds(130));
    let kv = store(&clock).kv();
    let limiter = kv.rate_limit(KEY, RateLimit::fixed_window(10, Duration::from_mins(1)));
    assert!(limiter.try_acquire(3).unwrap().allowed);
    assert_eq!(kv.get(KEY).unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(kv.deadline(KEY).unwrap(), Some(Timestamp::from_seconds(180)));
    kv.increment(KEY, 6).unwrap();
    let denied = limiter.try_acquire(2).unwrap();
    assert!(!denied.allowed && denied.remaining == 1 && denied.retry_after == Some(Duration::from_secs(50)));
    // A client that counted and did not come to set the deadline.
    kv.persist(KEY).unwrap();
    assert!(limiter.try_acquire(1).unwrap().allowed);
    assert_eq!(kv.deadline(KEY).unwrap(), Some(Timestamp::from_seconds(180)));
    kv.set(KEY, "-5").unwrap();
    assert_eq!(limiter.peek().unwrap().remaining, 10, "less than nothing counts as nothing");
}

#[test]
fn the_layouts_are_what_the_tables_say() {
    let clock = ManualClock::at(Timestamp::from_micros(70));
    let kv = store(&clock).kv();
    let hex = |key: &str| format!("{:?}", crate::engine::Key::from(&*kv.get(key).unwrap().unwrap()));
    let window = RateLimit::sliding_window(9, Duration::from_micros(50));
    assert!(kv.rate_limit("w", window).try_acquire(2).unwrap().allowed);
    assert_eq!(hex("w"), "018000000000000032000000000000003200000000000000000000000000000002");
    assert_eq!(kv.deadline("w").unwrap(), Some(Timestamp::from_micros(150)));
    let bucket = RateLimit::token_bucket(4, 2, Duration::from_micros(50));
    assert!(kv.rate_limit("b", bucket).try_acquire(3).unwrap().allowed);
    assert_eq!(hex("b"), "02800000000000004600000000000000960000000000000032");
    assert_eq!(kv.deadline("b").unwrap(), Some(Timestamp::from_micros(270)), "twice the 100 µs from empty to full");
}

#[test]
fn a_limit_out_of_its_domain_is_refused() {
    let kv = Store::in_memory().kv();
    let forever = Duration::from_secs(u64::MAX);
    let nanos = Duration::from_nanos(999);
    for limit in [
        RateLimit::fixed_window(1, Duration::ZERO),
        RateLimit::fixed_window(1, nanos),
        RateLimit::fixed_window(1, forever),
        RateLimit::sliding_window(1, nanos),
        RateLimit::sliding_window(1, Duration::from_micros(i64::MAX.unsigned_abs())),
        RateLimit::token_bucket(1, 0, Duration::from_secs(1)),
        RateLimit::token_bucket(1, 1, nanos),
        RateLimit::token_bucket(u64::MAX, 1, Duration::from_secs(1)),
    ] {
        let error = kv.rate_limit(KEY, limit).try_acquire(1).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Value, .. }), "{limit:?}: {error}");
        assert!(kv.rate_limit(KEY, limit).peek().is_err());
    }
    kv.sorted_set(KEY).add("a", 1.0).unwrap();
    let limiter = kv.rate_limit(KEY, RateLimit::fixed_window(1, Duration::from_secs(1)));
    assert!(matches!(limiter.try_acquire(1), Err(Error::WrongType { .. })));
    assert!(matches!(limiter.peek(), Err(Error::WrongType { .. })));
}

#[test]
fn threads_together_acquire_no_more_than_the_limit() {
    let store = store(&ManualClock::default());
    for (key, limit) in [
        ("f", RateLimit::fixed_window(50, Duration::from_secs(1))),
        ("s", RateLimit::sliding_window(50, Duration::from_secs(1))),
        ("t", RateLimit::token_bucket(50, 1, Duration::from_secs(1))),
    ] {
        let granted: usize = std::thread::scope(|scope| {
            let run = || (0..30).filter(|_| store.kv().rate_limit(key, limit).try_acquire(1).unwrap().allowed).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(granted, 50, "{key}");
    }
}
