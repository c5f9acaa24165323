//! Documents: typed values in a collection, found by filters and through an index, changed in place, and summed up.
//!
//! ```text
//! cargo run --release --example documents
//! ```

use larder::{Store, bson::doc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Book {
    #[serde(rename = "_id")]
    isbn: String,
    title: String,
    year: i32,
    cents: i64,
}

fn main() -> larder::Result<()> {
    let store = Store::in_memory();
    let books = store.collection::<Book>("books");
    books.create_index(doc! { "year": -1 })?;
    books.insert_many([
        Book { isbn: "978-0".into(), title: "Tides".into(), year: 1998, cents: 1_850 },
        Book { isbn: "978-1".into(), title: "Lanterns".into(), year: 2004, cents: 2_400 },
        Book { isbn: "978-2".into(), title: "Salt".into(), year: 2004, cents: 900 },
    ])?;

    books.update_one(doc! { "_id": "978-2" }, doc! { "$inc": { "cents": 100 } })?;
    for book in books.find(doc! { "year": { "$gte": 2000 } }).sort(doc! { "title": 1 }).run()? {
        let Book { title, year, cents, .. } = book?;
        println!("{title} ({year}) costs {cents} cents");
    }

    let by_year = doc! { "$group": { "_id": "$year", "books": { "$sum": 1 }, "cents": { "$sum": "$cents" } } };
    for year in books.aggregate([by_year, doc! { "$sort": { "_id": 1 } }])? {
        println!("{}", year?);
    }
    Ok(())
}
