//! The patterns of the example, checked: on a made-up log always, on the real one when it is there, and over a kill.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../examples/patterns/patterns/mod.rs"]
mod patterns;
#[path = "../examples/patterns/purchases.rs"]
mod purchases;

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::civil::{Date, date};
use larder::bson::doc;
use larder::engine::Durability;
use larder::item::AttributeValue;
use larder::{ManualClock, Store, Timestamp};
use patterns::{Total, cache, channel, events, items, leaderboard, time_series, together};
use purchases::{Log, Purchase, days_since_epoch};
use serde_json::Value;

const SINCE: Date = date(1998, 1, 1);

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_seconds(1_700_000_000))
}

fn midnight(day: Date) -> Timestamp {
    Timestamp::from_seconds(i64::from(days_since_epoch(day)) * 86_400)
}

/// The first purchase of each customer and day, in file order: what the event collection accepts.
fn accepted(purchases: &[Purchase]) -> Vec<Purchase> {
    let mut seen = HashSet::new();
    purchases.iter().filter(|purchase| seen.insert((&purchase.user_id, purchase.day))).cloned().collect()
}

/// Customers with total and count, best first, equal totals by id.
fn ranking<'a>(purchases: impl IntoIterator<Item = &'a Purchase>) -> Vec<(Total, i64)> {
    let mut totals: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for purchase in purchases {
        let (cents, count) = totals.entry(&purchase.user_id).or_default();
        *cents += purchase.cents;
        *count += 1;
    }
    let total = |(user_id, (cents, count)): (&str, (i64, i64))| (Total { user_id: user_id.to_owned(), cents }, count);
    let mut ranking: Vec<_> = totals.into_iter().map(total).collect();
    ranking.sort_by_key(|(total, _)| (-total.cents, total.user_id.clone()));
    ranking
}

fn load(store: &Store, clock: &ManualClock, purchases: &[Purchase]) {
    let silent = &|_| {};
    events::load(store, purchases, silent).unwrap();
    leaderboard::load(store, purchases, silent).unwrap();
    items::load(store, clock, purchases, silent).unwrap();
    time_series::load(store, purchases, silent).unwrap();
}

fn text(item: &larder::item::Item, attribute: &str) -> String {
    match item.get(attribute) {
        Some(AttributeValue::S(text)) => text.to_string(),
        other => panic!("{attribute} is {other:?}"),
    }
}

/// Checks every pattern on a loaded store against answers computed from the log.
fn check(store: &Store, clock: &ManualClock, purchases: &[Purchase]) {
    let accepted = accepted(purchases);
    check_events(store, purchases, &accepted);
    check_leaderboard(store, purchases);
    check_items_and_rows(store, purchases, &accepted);

    let users: Vec<_> = ranking(purchases).into_iter().take(20).map(|(total, _)| total.user_id).collect();
    let many = users.len() as u64;
    let cached = cache::run_cache(store, clock, &users).unwrap();
    assert_eq!((cached.cold_hits, cached.warm_hits, cached.expired_hits), (0, many, 0));
    let limited = cache::run_rate_limit(store, clock, &users, 120, 100).unwrap();
    assert_eq!((limited.allowed, limited.refused, limited.allowed_next), (100 * many, 20 * many, many));
    let (profile, _) = cache::get_profile(store, &users[0]).unwrap();
    let of_user = accepted.iter().filter(|purchase| purchase.user_id == users[0]);
    assert_eq!(profile.total_cents, of_user.map(|purchase| purchase.cents).sum::<i64>());

    let sent = channel::run(store, purchases).unwrap();
    let large: Vec<_> = purchases.iter().filter(|p| p.cents > 10_000).map(|p| p.row).collect();
    assert_eq!(sent.received, sent.published);
    assert_eq!(sent.received.iter().map(|message| message.row).collect::<Vec<_>>(), large);

    let together = together::run(store, purchases).unwrap();
    assert_eq!(together.after_failure, together.before, "a failed transaction leaves no trace");
    assert_eq!(together.messages, (0, 1));
    let after = together.after_success;
    assert_eq!((after.events, after.profile, after.score), (1, None, Some(14_950.0)));
    assert_eq!((after.items, after.rows), (1, together.before.rows + 1));
}

fn check_events(store: &Store, purchases: &[Purchase], accepted: &[Purchase]) {
    let loaded = events::load(store, purchases, &|_| {}).unwrap();
    assert_eq!(loaded.worked, 0, "a second run has nothing left to do");
    assert_eq!(
        (loaded.accepted, loaded.duplicates),
        (accepted.len() as u64, (purchases.len() - accepted.len()) as u64)
    );
    let since = |purchase: &&Purchase| purchase.day >= SINCE;
    for (from, expected) in [
        (Timestamp::from_micros(i64::MIN), ranking(accepted)),
        (midnight(SINCE), ranking(accepted.iter().filter(since))),
    ] {
        let top = events::top_customers(store, from, 10).unwrap();
        let top: Vec<_> = top.into_iter().map(|customer| (customer.count, Total::from(customer))).collect();
        let expected_top: Vec<_> = expected.iter().take(10).map(|(total, count)| (*count, total.clone())).collect();
        assert_eq!(top, expected_top);
        assert_eq!(events::customers_since(store, from).unwrap(), expected.len() as u64);
    }
    let best = &ranking(accepted)[0].0.user_id;
    let newest = events::newest_of_user(store, best, 100).unwrap();
    let mut days: Vec<_> = accepted.iter().filter(|p| p.user_id == *best).map(Purchase::iso_time).collect();
    days.sort_by(|a, b| b.cmp(a));
    days.truncate(100);
    assert_eq!(newest.iter().map(|event| event.id.clone()).collect::<Vec<_>>(), {
        days.iter().map(|day| format!("{best}_{day}")).collect::<Vec<_>>()
    });
    let events = store.collection::<events::Event>("events");
    let plan = events.find(doc! { "user_id": best }).sort(doc! { "timestamp": -1 }).explain().unwrap();
    assert!(plan.stage.to_string().contains("user_id_1_timestamp_-1"), "{}", plan.stage);
    assert_eq!(plan.documents_examined, plan.returned);
}

fn check_leaderboard(store: &Store, purchases: &[Purchase]) {
    assert_eq!(leaderboard::load(store, purchases, &|_| {}).unwrap(), 0);
    let expected: Vec<_> = ranking(purchases).into_iter().map(|(total, _)| total).collect();
    let top = leaderboard::top(store, 10).unwrap();
    assert_eq!(
        top.iter().map(|total| total.cents).collect::<Vec<_>>(),
        expected.iter().take(10).map(|total| total.cents).collect::<Vec<_>>()
    );
    assert_eq!(leaderboard::place(store, &top[0].user_id).unwrap(), Some(1));
    assert_eq!(leaderboard::place(store, "nobody").unwrap(), None);
}

fn check_items_and_rows(store: &Store, purchases: &[Purchase], accepted: &[Purchase]) {
    let table = store.item_table(items::TABLE);
    let best = &ranking(purchases)[0].0.user_id;
    let newest = items::newest_of_user(&table, best, 100).unwrap();
    let of_user = purchases.iter().filter(|purchase| purchase.user_id == *best);
    let mut keys: Vec<_> = of_user.map(|purchase| items::event_key(purchase).1).collect();
    keys.sort_by(|a, b| b.cmp(a));
    keys.truncate(100);
    assert_eq!(newest.iter().map(|item| text(item, "SK")).collect::<Vec<_>>(), keys);

    let day = purchases[0].day;
    let on_day = items::of_type_on(&table, "purchase", day).unwrap();
    assert_eq!(on_day.len(), purchases.iter().filter(|purchase| purchase.day == day).count());

    let accepted_then: Vec<_> = accepted.iter().filter(|purchase| purchase.day == day).cloned().collect();
    let table = store.wide_table(time_series::KEYSPACE, time_series::TABLE);
    let rows = time_series::on_day(&table, day).unwrap();
    time_series::write_batch(store, &accepted_then).unwrap();
    assert_eq!(time_series::on_day(&table, day).unwrap().len(), rows.len(), "a batch of known rows upserts them");
    let users: Vec<_> = rows.iter().map(|row| row.get("user_id").cloned().unwrap()).collect();
    let mut expected: Vec<_> = accepted_then.iter().map(|purchase| purchase.user_id.clone()).collect();
    expected.sort();
    assert_eq!(users, expected.iter().map(|user| user.as_str().into()).collect::<Vec<_>>());
}

#[test]
fn the_patterns_are_right_on_a_made_up_log_in_memory() {
    let (log, clock) = (Log::generate(3_000), clock());
    let store = Store::builder().clock(clock.clone()).in_memory();
    load(&store, &clock, &log.purchases);
    check(&store, &clock, &log.purchases);
}

#[test]
fn the_patterns_are_right_on_a_fork_that_leaves_the_original_alone() {
    let (log, clock) = (Log::generate(1_000), clock());
    let original = Store::builder().clock(clock.clone()).in_memory();
    load(&original, &clock, &log.purchases);
    let before = original.stats().unwrap();
    let fork = original.fork().unwrap();
    check(&fork, &fork.manual_clock().unwrap(), &log.purchases);
    assert_eq!(original.stats().unwrap(), before);
}

#[test]
fn the_patterns_are_right_on_disk_and_after_reopening() {
    let (log, clock, directory) = (Log::generate(1_500), clock(), tempfile::tempdir().unwrap());
    let open = || Store::builder().clock(clock.clone()).durability(Durability::None).open(directory.path()).unwrap();
    load(&open(), &clock, &log.purchases);
    check(&open(), &clock, &log.purchases);
}

#[test]
fn a_log_is_read_line_by_line_and_malformed_lines_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.txt");
    let good = " 00001 19970101  1   11.77";
    let lines = [
        "customer_id date number_of_cds dollar_value",
        good,
        "00002 19970132 1 1.00",
        "00003 19970101 1",
        "",
        "00004 19970101 x 1.00",
        "00005 19970101 1 1.0",
        "u6 19970101 1 1.00",
        "00007 19970102 2 0.05",
    ];
    let mut bytes = lines.join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe 19970101 1 1.00\n");
    std::fs::write(&path, bytes).unwrap();
    let log = Log::read(&path).unwrap();
    let read: Vec<_> = log.purchases.iter().map(|p| (p.row, p.user_id.as_str(), p.cents)).collect();
    assert_eq!(read, [(1, "00001", 1_177), (2, "00007", 5)]);
    let malformed: Vec<_> = log.malformed.iter().map(|malformed| malformed.line).collect();
    assert_eq!(malformed, [3, 4, 6, 7, 8, 10]);
    assert!(Log::read(&directory.path().join("missing.txt")).is_err());
}

#[test]
fn a_made_up_log_is_the_same_every_time_and_has_duplicates() {
    let log = Log::generate(2_000);
    assert_eq!(log.fingerprint(), Log::generate(2_000).fingerprint());
    let duplicates = log.purchases.len() - accepted(&log.purchases).len();
    assert!((20..400).contains(&duplicates), "{duplicates}");
    assert!(log.purchases.iter().any(|purchase| purchase.day >= SINCE && purchase.cents > channel::LARGE_CENTS));
}

/// The real log, and what is known of it, which lies beside it. Nobody has them unless the environment says where.
fn real_data() -> Option<(PathBuf, PathBuf)> {
    let log = PathBuf::from(std::env::var_os("LARDER_PURCHASES")?);
    assert!(log.is_file(), "LARDER_PURCHASES: there is no {}", log.display());
    let expected = log.with_file_name("expected.json");
    Some((log, expected))
}

fn expected_totals(expected: &Value, list: &str) -> Vec<(Total, i64)> {
    let entry = |entry: &Value| {
        let (user_id, cents) = (entry["user_id"].as_str().unwrap().to_owned(), entry["total_cents"].as_i64().unwrap());
        (Total { user_id, cents }, entry["count"].as_i64().unwrap())
    };
    expected[list].as_array().unwrap().iter().map(entry).collect()
}

fn check_real(store: &Store, clock: &ManualClock, log: &Log, expected: &Value) {
    let count = |name: &str| expected[name].as_u64().unwrap();
    assert_eq!(log.purchases.len() as u64, count("rows"));
    let loaded = events::load(store, &log.purchases, &|_| {}).unwrap();
    assert_eq!(loaded.accepted, count("accepted_events"));
    assert_eq!(loaded.duplicates, count("duplicate_key_rejections"));
    let top = |since| {
        let top = events::top_customers(store, since, 10).unwrap().into_iter();
        top.map(|customer| {
            let count = customer.count;
            (Total::from(customer), count)
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(top(Timestamp::from_micros(i64::MIN)), expected_totals(expected, "top10_accepted_by_total"));
    assert_eq!(top(midnight(SINCE)), expected_totals(expected, "top10_accepted_since_1998-01-01"));
    assert_eq!(events::customers_since(store, midnight(SINCE)).unwrap(), count("users_since_1998-01-01"));
    let leaders: Vec<_> =
        expected_totals(expected, "top10_all_rows_by_total").into_iter().map(|(total, _)| total).collect();
    assert_eq!(leaderboard::top(store, 10).unwrap(), leaders);
    assert_eq!(store.kv().sorted_set(leaderboard::KEY).len().unwrap(), count("users"));

    let days = |texts: Vec<String>| texts.into_iter().map(|text| text.replace('-', "")).collect::<Vec<_>>();
    let newest: Vec<String> = serde_json::from_value(expected["user_00082_newest_first"].clone()).unwrap();
    let found = events::newest_of_user(store, "00082", 100).unwrap();
    assert_eq!(days(found.iter().map(|event| event.id["00082_".len()..][..10].to_owned()).collect()), newest);
    let found = items::newest_of_user(&store.item_table(items::TABLE), "00082", 100).unwrap();
    assert_eq!(days(found.iter().map(|item| text(item, "SK")["EVENT#".len()..][..10].to_owned()).collect()), newest);

    let rows = store.wide_table(time_series::KEYSPACE, time_series::TABLE);
    let on = |day: Date| time_series::on_day(&rows, day).unwrap().len() as u64;
    assert_eq!(on(date(1997, 1, 1)), count("events_accepted_on_1997-01-01"));
    for busy in expected["busiest_days"].as_array().unwrap() {
        let day = Date::strptime("%Y%m%d", busy["date"].as_str().unwrap()).unwrap();
        assert_eq!(on(day), busy["events"].as_u64().unwrap());
    }
    check(store, clock, &log.purchases);
}

#[test]
fn the_patterns_answer_what_is_known_of_the_real_log() {
    let Some((log, expected)) = real_data() else {
        println!("skipped: LARDER_PURCHASES names no log of purchases");
        return;
    };
    let log = Log::read(&log).unwrap();
    let expected = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    assert!(log.malformed.is_empty());
    let clock = clock();
    let store = Store::builder().clock(clock.clone()).in_memory();
    load(&store, &clock, &log.purchases);
    check_real(&store, &clock, &log, &expected);
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::builder().clock(clock.clone()).durability(Durability::None).open(directory.path()).unwrap();
    load(&open(), &clock, &log.purchases);
    check_real(&open(), &clock, &log, &expected);
}

/// Set in the child of the kill test: the directory it loads into.
const CHILD: &str = "LARDER_TEST_LOAD_INTO";

/// Rows of the kill test's log.
const KILL_ROWS: u64 = 1_200;

/// Opens the store the child writes and the parent checks.
fn open_to_kill(directory: &Path, clock: &ManualClock) -> Store {
    let durability = Durability::Interval(std::time::Duration::from_millis(100));
    Store::builder().clock(clock.clone()).durability(durability).open(directory).unwrap()
}

/// Not a test by itself: loads and prints each acknowledged row, in a process that the kill test starts and kills.
#[test]
fn child_loads_until_killed() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let store = open_to_kill(Path::new(&directory), &clock());
    let tell = |row: u64| println!("acknowledged {row}");
    events::load(&store, &Log::generate(KILL_ROWS).purchases, &tell).unwrap();
    leaderboard::load(&store, &Log::generate(KILL_ROWS).purchases, &|row| tell(row + KILL_ROWS)).unwrap();
    println!("finished");
}

#[test]
fn a_killed_load_goes_on_without_loss_or_duplicate() {
    let purchases = Log::generate(KILL_ROWS).purchases;
    let directory = tempfile::tempdir().unwrap();
    // Killed in the first pass, in the second, and near the end of it.
    for kill_at in [KILL_ROWS / 3, KILL_ROWS + 100, 2 * KILL_ROWS - 50] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_loads_until_killed", "--nocapture", "--test-threads=1"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The harness prints the test's name on the line of the first row.
            if let Some((_, row)) = line.split_once("acknowledged ") {
                acknowledged = row.parse().unwrap();
            }
            if acknowledged >= kill_at {
                break;
            }
        }
        assert!(acknowledged >= kill_at, "the child ended by itself after row {acknowledged}");
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open_to_kill(directory.path(), &clock());
        let done = |pass: &str| store.kv().increment(format!("progress:{pass}"), 0).unwrap().unsigned_abs();
        assert!(done("events") + done("leaderboard") >= acknowledged, "an acknowledged row is lost");
        let stored = events::count(&store).unwrap();
        let expected = accepted(&purchases[..usize::try_from(done("events")).unwrap()]).len() as u64;
        assert_eq!(stored, expected, "events and progress were committed together");
    }
    let clock = clock();
    let store = open_to_kill(directory.path(), &clock);
    load(&store, &clock, &purchases);
    check(&store, &clock, &purchases);
}
