//! Keys: strings with a time to live, counters, hashes, lists and sorted sets.
//!
//! ```text
//! cargo run --release --example keys
//! ```

use std::time::Duration;

use larder::Store;
use larder::kv::End;

/// Keys, members and values are bytes. This program writes text only.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn main() -> larder::Result<()> {
    let kv = Store::in_memory().kv();
    kv.set_with_ttl("session:7", "ann", Duration::from_mins(30))?;
    println!("session 7 belongs to {}", text(&kv.get("session:7")?.unwrap_or_default()));
    println!("visit number {}", kv.increment("visits", 1)?);

    let cart = kv.hash("cart:ann");
    cart.set_many([("apples", "3"), ("pears", "1")])?;
    cart.increment("apples", 2)?;
    for (fruit, count) in cart.entries()? {
        println!("{} × {}", text(&count), text(&fruit));
    }

    let jobs = kv.list("jobs");
    jobs.push(End::Back, ["pack", "ship"])?;
    println!("first job: {}", text(&jobs.pop(End::Front)?.unwrap_or_default()));

    let scores = kv.sorted_set("scores");
    for (player, score) in [("ann", 31.0), ("bob", 12.0), ("cid", 25.5)] {
        scores.increment(player, score)?;
    }
    for (player, score) in scores.top(2)? {
        println!("{} has {score} points", text(&player));
    }
    Ok(())
}
