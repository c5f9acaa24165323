//! How a test uses a store: filled once, a fork for each case, and time that the test moves by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::LazyLock;
use std::time::Duration;

use larder::{ManualClock, Store};

/// The code under test: lets a customer in who has the right password, for half an hour.
fn log_in(store: &Store, name: &str, password: &str) -> larder::Result<bool> {
    let kv = store.kv();
    let is_right = kv.hash("passwords").get(name)?.is_some_and(|known| known == password.as_bytes());
    if is_right {
        kv.set_with_ttl(format!("session:{name}"), "", Duration::from_mins(30))?;
    }
    Ok(is_right)
}

/// Filled once, by whichever test comes first.
static SEEDED: LazyLock<Store> = LazyLock::new(|| {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    store.kv().hash("passwords").set("ann", "tulip").unwrap();
    store
});

#[test]
fn the_right_password_opens_a_session_that_ends_after_half_an_hour() {
    let case = SEEDED.fork().unwrap();
    assert!(log_in(&case, "ann", "tulip").unwrap());
    assert!(case.kv().exists("session:ann").unwrap());
    case.manual_clock().unwrap().advance(Duration::from_mins(30));
    assert!(!case.kv().exists("session:ann").unwrap());
}

#[test]
fn a_wrong_password_opens_none() {
    let case = SEEDED.fork().unwrap();
    assert!(!log_in(&case, "ann", "rose").unwrap());
    assert!(!case.kv().exists("session:ann").unwrap());
}
