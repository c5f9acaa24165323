//! Whoever waits for something in a store is let go when it is closed.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use larder::kv::End;
use larder::{Error, Kv, Store};

/// A hang is a failure, and nothing else is measured by it.
const WATCHDOG: Duration = Duration::from_mins(1);

/// What `wait` comes back with when the store is closed while it waits.
fn closed_while<R: Send + 'static>(wait: impl FnOnce(&Kv) -> larder::Result<R> + Send + 'static) -> larder::Result<R> {
    let store = Store::in_memory();
    let (kv, (sender, outcome)) = (store.kv(), mpsc::channel());
    thread::spawn(move || sender.send(wait(&kv)));
    // Whether it waits already or comes too late makes no difference.
    thread::sleep(Duration::from_millis(20));
    store.close().unwrap();
    outcome.recv_timeout(WATCHDOG).expect("it still waits")
}

#[test]
fn threads_and_tasks_that_wait_for_keys_are_told_that_the_store_is_closed() {
    let list = |kv: &Kv| kv.list("queue");
    assert!(matches!(closed_while(move |kv| list(kv).pop_wait(End::Front, None)), Err(Error::Closed)));
    assert!(matches!(closed_while(move |kv| list(kv).pop_wait(End::Front, Some(WATCHDOG))), Err(Error::Closed)));
    assert!(matches!(closed_while(move |kv| block_on(list(kv).pop_async(End::Front))), Err(Error::Closed)));
    // What is tried may have nothing to do with the store.
    let never = || Ok(None::<()>);
    assert!(matches!(closed_while(move |kv| kv.wait_for(["a", "b"], None, never)), Err(Error::Closed)));
    assert!(matches!(closed_while(move |kv| block_on(kv.wait_for_async(["a"], never))), Err(Error::Closed)));
}

#[test]
fn nobody_begins_to_wait_in_a_closed_store() {
    let store = Store::in_memory();
    let kv = store.kv();
    store.close().unwrap();
    assert!(matches!(kv.wait_for(["a"], None, || Ok(None::<()>)), Err(Error::Closed)));
    assert!(matches!(block_on(kv.wait_for_async(["a"], || Ok(None::<()>))), Err(Error::Closed)));
}

#[test]
fn who_waits_for_a_value_that_another_computes_is_told_that_the_store_is_closed() {
    let store = Store::in_memory();
    let (kv, minute) = (store.kv(), Duration::from_mins(1));
    let (begun, has_begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel::<()>();
    let maker = thread::spawn({
        let kv = kv.clone();
        move || {
            kv.get_or_insert_with("k", minute, || {
                begun.send(()).unwrap();
                may_end.recv().unwrap();
                "v"
            })
        }
    });
    has_begun.recv().unwrap();
    let (sender, outcome) = mpsc::channel();
    let other = kv.clone();
    thread::spawn(move || sender.send(other.get_or_insert_with("k", minute, || "other")));
    thread::sleep(Duration::from_millis(20));
    store.close().unwrap();
    let waited = outcome.recv_timeout(WATCHDOG).expect("it still waits");
    assert!(matches!(waited, Err(Error::Closed)), "{waited:?}");
    end.send(()).unwrap();
    assert!(matches!(maker.join().unwrap(), Err(Error::Closed)), "nothing can be kept any more");
}
