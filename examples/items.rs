//! Items: a table with a partition key and a sort key, a global index, and pages.
//!
//! ```text
//! cargo run --release --example items
//! ```

use larder::Store;
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key};

fn main() -> larder::Result<()> {
    let table = Store::in_memory().item_table("Orders");
    let by_state =
        GlobalIndex::new("by-state", "state", ScalarAttributeType::S).sort_key("cents", ScalarAttributeType::N);
    table.create(
        TableSchema::new("customer", ScalarAttributeType::S)
            .sort_key("day", ScalarAttributeType::S)
            .global_index(by_state),
    )?;
    for (customer, day, state, cents) in [
        ("ann", "2024-05-01", "paid", 12_950),
        ("ann", "2024-06-09", "open", 800),
        ("bob", "2024-05-02", "open", 4_700),
    ] {
        let order = Item::new().with("customer", customer).with("day", day);
        table.put(&order.with("state", state).with("cents", cents))?;
    }

    let of_ann = key("customer").eq("ann").and(key("day").begins_with("2024-"));
    for order in table.query(of_ann).reverse().run()? {
        let order = order?;
        let day = order.get("day").and_then(|day| day.as_s()).unwrap_or("?");
        println!("ann ordered on {day}");
    }

    // Page by page: each says where the next one goes on.
    for page in table.query(key("state").eq("open")).index("by-state").page_size(1).pages()? {
        for order in page?.items {
            let customer = order.get("customer").and_then(|customer| customer.as_s()).unwrap_or("?");
            println!("an order of {customer} is open");
        }
    }
    Ok(())
}
