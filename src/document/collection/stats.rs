//! How much a collection holds.

use crate::document::collection::Collection;
use crate::document::stats::CollectionStats;
use crate::error::Result;
#[cfg(doc)]
use crate::limits;
use crate::txn::Scope;

impl<T, S: Scope> Collection<T, S> {
    /// How many documents and index entries the collection holds, and how many bytes those have; `None` when it does not exist.
    ///
    /// Numbers of documents and entries are exact. Bytes are as long as there are at most
    /// [`STATS_SAMPLE_MAX`](limits::STATS_SAMPLE_MAX) of them; of more, so many are looked at, evenly spread, and the others are
    /// taken to be like them.
    ///
    /// # Errors
    /// As [`Find::run`](crate::document::Find::run).
    ///
    /// # Cost
    /// O(log n), and for the bytes that of reading at most [`STATS_SAMPLE_MAX`](limits::STATS_SAMPLE_MAX) documents, and as many
    /// entries of each index.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// assert_eq!(events.stats()?, None);
    /// events.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
    /// let stats = events.stats()?.unwrap();
    /// assert_eq!((stats.documents, stats.bytes), (2, 28));
    /// assert_eq!((stats.indexes[0].name.as_str(), stats.indexes[0].entries), ("_id_", 2));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `collStats`.
    #[doc(alias("collStats", "dbStats"))]
    pub fn stats(&self) -> Result<Option<CollectionStats>> {
        self.scope.read(self.operation("stats"), |view| {
            let entry = self.namespace.get_collection(view)?;
            entry.map(|entry| CollectionStats::of(view, &entry)).transpose()
        })
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use crate::document::IndexOptions;
    use crate::{Document, Store};

    #[test]
    fn sizes_are_exact_for_few_documents_and_close_for_many() {
        let events = Store::in_memory().collection::<Document>("events");
        events.create_index_with(doc! { "tags": 1 }, IndexOptions::default()).unwrap();
        let text = |n: i32| "x".repeat(usize::try_from(n % 7).unwrap());
        let all: Vec<_> = (0..12_000).map(|n| doc! { "_id": n, "text": text(n), "tags": [n, -n - 1] }).collect();
        let size = |document: &Document| document.to_vec().unwrap().len() as u64;
        events.insert_many(&all[..1_000]).unwrap();
        let few = events.stats().unwrap().unwrap();
        assert_eq!((few.documents, few.bytes), (1_000, all[..1_000].iter().map(size).sum()));
        assert_eq!(few.indexes[1].entries, 2_000);
        events.insert_many(&all[1_000..]).unwrap();
        let many = events.stats().unwrap().unwrap();
        let exact: u64 = all.iter().map(size).sum();
        assert_eq!(many.documents, 12_000);
        assert!(many.bytes.abs_diff(exact) * 100 < exact, "{} and {exact}", many.bytes);
    }
}
