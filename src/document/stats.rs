//! How much a collection and its indexes hold.

use bson::{Bson, Document, doc};

use crate::catalog::Entry;
use crate::document::layout;
use crate::document::schema::{Capped, Schema};
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::limits;
use crate::txn::View;

/// How much a collection holds. Given by [`Collection::stats`](crate::Collection::stats).
///
/// # Examples
/// See [`Collection::stats`](crate::Collection::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionStats {
    /// Documents.
    pub documents: u64,
    /// Bytes of the documents.
    pub bytes: u64,
    /// What each index holds, in the order they were made.
    pub indexes: Vec<IndexStats>,
    /// How much it may hold, if it is capped.
    pub capped: Option<Capped>,
}

/// How much an index holds.
///
/// # Examples
/// See [`Collection::stats`](crate::Collection::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStats {
    /// The index's name.
    pub name: String,
    /// Entries: one for each document, more where there are arrays.
    pub entries: u64,
    /// Bytes of the entries.
    pub bytes: u64,
}

impl CollectionStats {
    /// What the collection of `entry` holds as `view` sees it.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when an entry does not decode.
    pub(super) fn of(view: &View, entry: &Entry<Schema>) -> Result<Self> {
        let (documents, bytes) = held(view, &layout::records(entry.storage), |_, document| document)?;
        let mut indexes = Vec::with_capacity(entry.record.indexes.len());
        for index in &entry.record.indexes {
            let range = KeyRange::prefix(&layout::index_prefix(entry.storage, index.id));
            let (entries, bytes) = held(view, &range, |key, value| key + value)?;
            indexes.push(IndexStats { name: index.name.clone(), entries, bytes });
        }
        Ok(Self { documents, bytes, indexes, capped: entry.record.options().capped })
    }

    /// The sizes as `collStats`, and `storageStats` of `$collStats`, show them, in units of `scale` bytes.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many([doc! { "_id": 1 }, doc! { "_id": 2 }])?;
    /// let shown = events.stats()?.unwrap().to_document(1);
    /// assert_eq!((shown.get_i32("count").ok(), shown.get_i32("avgObjSize").ok()), (Some(2), Some(14)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `collStats`.
    pub fn to_document(&self, scale: u64) -> Document {
        let scale = scale.max(1);
        let of_indexes: u64 = self.indexes.iter().map(|index| index.bytes).sum();
        let mut document = doc! { "size": count(self.bytes / scale), "count": count(self.documents) };
        if let Some(average) = self.bytes.checked_div(self.documents) {
            document.insert("avgObjSize", count(average));
        }
        let sizes: Document =
            self.indexes.iter().map(|index| (index.name.clone(), count(index.bytes / scale))).collect();
        document.extend(doc! {
            "numOrphanDocs": 0,
            "storageSize": count(self.bytes / scale),
            "freeStorageSize": 0,
            "capped": self.capped.is_some(),
            "nindexes": count(self.indexes.len() as u64),
            "indexBuilds": [],
            "totalIndexSize": count(of_indexes / scale),
            "totalSize": count((self.bytes + of_indexes) / scale),
            "indexSizes": sizes,
            "scaleFactor": count(scale),
        });
        if let Some(capped) = self.capped {
            let number = |bound: i64| count(u64::try_from(bound).unwrap_or(0));
            document.insert("max", number(capped.max.unwrap_or(0)));
            document.insert("maxSize", count(u64::try_from(capped.size).unwrap_or(0) / scale));
        }
        document
    }
}

/// A count in the smaller type that holds it.
pub(super) fn count(number: u64) -> Bson {
    i32::try_from(number).map_or_else(|_| i64::try_from(number).unwrap_or(i64::MAX).into(), Bson::Int32)
}

/// How many entries `range` has, and how many bytes they have together, each of them so many as `size` says of its key and value.
fn held(view: &View, range: &KeyRange, size: impl Fn(usize, usize) -> usize) -> Result<(u64, u64)> {
    const SAMPLE: u64 = limits::STATS_SAMPLE_MAX;
    let entries = view.count(range)?;
    let mut bytes: u64 = 0;
    if entries <= SAMPLE {
        let mut cursor = view.range(range, Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            bytes += size(key.len(), value.len()) as u64;
        }
        return Ok((entries, bytes));
    }
    for place in 0..SAMPLE {
        let place = u128::from(place) * u128::from(entries) / u128::from(SAMPLE);
        if let Some((key, value)) = view.nth(range, u64::try_from(place).unwrap_or(0))? {
            bytes += size(key.len(), value.len()) as u64;
        }
    }
    let all = u128::from(bytes) * u128::from(entries) / u128::from(SAMPLE);
    Ok((entries, u64::try_from(all).unwrap_or(u64::MAX)))
}
