//! What writes did.

use bson::Bson;

use crate::document::collection::UpdateResult;
use crate::error::{Error, Result};

/// What one write of many did, or why it did nothing.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::{Bson, doc}, document::{WriteModel, WriteOutcome}};
/// let events = Store::in_memory().collection::<Document>("events");
/// let done = events.bulk_write([WriteModel::insert_one(&doc! { "_id": 1 })?, WriteModel::delete_one(doc! {})]).run()?;
/// assert!(matches!(&done.writes[..], [WriteOutcome::Inserted(Bson::Int32(1)), WriteOutcome::Deleted(1)]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// A document with this `_id` was inserted.
    Inserted(Bson),
    /// Documents were changed or replaced.
    Updated(UpdateResult),
    /// So many documents were removed.
    Deleted(u64),
    /// It was refused. Of an update or removal of many documents, [`Error::Partial`] says what was done before.
    Failed(Error),
    /// It was done, and undone because a later write was refused in the same transaction.
    Undone,
}

/// What a bulk write did, write by write.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::{Code, WriteModel}};
/// let events = Store::in_memory().collection::<Document>("events");
/// let inserts = [1, 1, 2].map(|id| WriteModel::insert_one(&doc! { "_id": id }));
/// let inserts = inserts.into_iter().collect::<Result<Vec<_>, _>>()?;
/// let done = events.bulk_write(inserts).ordered(false).run()?;
/// assert_eq!((done.inserted(), done.writes.len()), (2, 3));
/// let refused: Vec<_> = done.errors().map(|(index, error)| (index, Code::of(error))).collect();
/// assert_eq!(refused, [(1, Some(Code::DUPLICATE_KEY))]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `bulkWrite`.
#[derive(Debug, Default)]
#[must_use = "writes that were refused are reported in it"]
#[non_exhaustive]
pub struct BulkWriteResult {
    /// What became of each write that was tried, in the order they were given.
    pub writes: Vec<WriteOutcome>,
}

impl BulkWriteResult {
    /// How many documents were inserted by insertions.
    ///
    /// # Examples
    /// See [`BulkWriteResult`].
    #[must_use]
    #[doc(alias = "inserted_count")]
    pub fn inserted(&self) -> u64 {
        self.sum(|write| u64::from(matches!(write, WriteOutcome::Inserted(_))))
    }

    /// How many documents were found by updates and replacements.
    ///
    /// # Examples
    /// See [`BulkWriteResult::upserted`].
    #[must_use]
    #[doc(alias = "matched_count")]
    pub fn matched(&self) -> u64 {
        self.sum(|write| if let WriteOutcome::Updated(result) = write { result.matched } else { 0 })
    }

    /// How many documents were changed by updates and replacements.
    ///
    /// # Examples
    /// See [`BulkWriteResult::upserted`].
    #[must_use]
    #[doc(alias("modified_count", "nModified"))]
    pub fn modified(&self) -> u64 {
        self.sum(|write| if let WriteOutcome::Updated(result) = write { result.modified } else { 0 })
    }

    /// How many documents were removed.
    ///
    /// # Examples
    /// See [`WriteOutcome`].
    #[must_use]
    #[doc(alias = "deleted_count")]
    pub fn deleted(&self) -> u64 {
        self.sum(|write| if let WriteOutcome::Deleted(count) = write { *count } else { 0 })
    }

    /// The places of the updates that inserted a document, and its `_id`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::{Bson, doc}, document::{UpdateOptions, WriteModel}};
    /// let visits = Store::in_memory().collection::<Document>("visits");
    /// let visit = |id| {
    ///     let options = UpdateOptions::default().upsert(true);
    ///     WriteModel::update_one(doc! { "_id": id }, doc! { "$inc": { "n": 1 } }, options)
    /// };
    /// let done = visits.bulk_write([visit(1), visit(2), visit(1)]).run()?;
    /// assert_eq!(done.upserted().collect::<Vec<_>>(), [(0, &Bson::Int32(1)), (1, &Bson::Int32(2))]);
    /// assert_eq!((done.matched(), done.modified()), (1, 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "upserted_ids")]
    pub fn upserted(&self) -> impl Iterator<Item = (usize, &Bson)> {
        self.writes.iter().enumerate().filter_map(|(index, write)| match write {
            WriteOutcome::Updated(UpdateResult { upserted_id: Some(id), .. }) => Some((index, id)),
            _ => None,
        })
    }

    /// The places of the writes that were refused, and why.
    ///
    /// # Examples
    /// See [`BulkWriteResult`].
    #[doc(alias("write_errors", "writeErrors"))]
    pub fn errors(&self) -> impl Iterator<Item = (usize, &Error)> {
        self.writes.iter().enumerate().filter_map(|(index, write)| match write {
            WriteOutcome::Failed(error) => Some((index, error)),
            _ => None,
        })
    }

    /// The result when no write was refused.
    ///
    /// # Errors
    /// That of the first write that was refused, in an [`Error::Partial`] when others did something.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Error, Store, bson::doc, document::WriteModel};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// let insert = || WriteModel::insert_one(&doc! { "_id": 1 });
    /// let error = events.bulk_write([insert()?, insert()?]).run()?.into_result().unwrap_err();
    /// assert!(matches!(error, Error::Partial { done: 1, .. }));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn into_result(mut self) -> Result<Self> {
        let Some(at) = self.writes.iter().position(|write| matches!(write, WriteOutcome::Failed(_))) else {
            return Ok(self);
        };
        let upserted = u64::try_from(self.upserted().count()).unwrap_or(u64::MAX);
        let done = self.inserted() + self.modified() + self.deleted() + upserted;
        match self.writes.swap_remove(at) {
            WriteOutcome::Failed(Error::Partial { done: before, error }) => {
                Err(Error::Partial { done: done + before, error })
            }
            WriteOutcome::Failed(error) if done > 0 => Err(Error::Partial { done, error: Box::new(error) }),
            WriteOutcome::Failed(error) => Err(error),
            _ => Ok(self),
        }
    }

    fn sum(&self, count: impl Fn(&WriteOutcome) -> u64) -> u64 {
        self.writes.iter().map(count).sum()
    }
}
