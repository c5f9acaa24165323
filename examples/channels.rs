//! Channels: messages to whoever subscribes, sent when the transaction that published them has been committed.
//!
//! ```text
//! cargo run --release --example channels
//! ```

use std::thread;

use larder::{Error, Store};

fn main() -> larder::Result<()> {
    let store = Store::in_memory();
    let inbox = store.subscribe_pattern("orders:*")?;
    let listener = thread::spawn(move || {
        // Ends when the store is closed.
        for message in inbox.iter().flatten() {
            let (channel, payload) = (message.channel(), message.payload());
            println!("{}: {}", String::from_utf8_lossy(channel), String::from_utf8_lossy(payload));
        }
    });

    store.publish("orders:new", "order 1")?;
    store.transaction(|tx| {
        tx.kv().set("order:2", "3 apples")?;
        tx.publish("orders:new", "order 2")
    })?;
    // A transaction that fails publishes nothing.
    let declined = store.transaction(|tx| {
        tx.publish("orders:new", "order 3")?;
        Err::<(), _>(Error::application("the payment was declined"))
    });
    assert!(declined.is_err());
    store.publish("orders:paid", "order 1")?;

    store.close()?;
    listener.join().expect("the listener does not panic");
    Ok(())
}
