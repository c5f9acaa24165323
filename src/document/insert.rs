//! Insertions into one collection.

use std::borrow::Cow;

use bson::{Bson, RawDocument};

use crate::document::maintain::Records;
use crate::document::schema::Namespace;
use crate::document::{shown, stored};
use crate::error::Result;
use crate::txn::Writer;

/// Insertions one after the other, within one operation. What they have in common is looked up once.
#[derive(Debug)]
pub(super) struct Insertions<'w> {
    records: Records<'w>,
    namespace: &'w Namespace,
}

impl<'w> Insertions<'w> {
    /// Begins them; creates the collection when it does not exist.
    ///
    /// # Errors
    /// As [`Namespace::get_or_create`].
    pub(super) fn begin(writer: &'w mut Writer, namespace: &'w Namespace) -> Result<Self> {
        let entry = namespace.get_or_create(writer)?;
        Ok(Self { records: Records::new(writer, namespace, &entry), namespace })
    }

    /// Inserts `document`, and returns its `_id`. After an error nothing more is inserted before the writer is back where it was.
    ///
    /// # Errors
    /// As [`Records::insert`]; [`InvalidKind::Value`](crate::InvalidKind::Value) for an `_id` that cannot be one.
    pub(super) fn insert(&mut self, document: &RawDocument) -> Result<Bson> {
        let (_, id) = self.insert_returning(document)?;
        self.records.expect_more();
        Ok(id)
    }

    /// Inserts `document`, and returns it as it is stored with its `_id`.
    ///
    /// # Errors
    /// As [`Insertions::insert`].
    pub(super) fn insert_returning<'d>(&mut self, document: &'d RawDocument) -> Result<(Cow<'d, RawDocument>, Bson)> {
        let id = self.records.next_id()?;
        let writer = self.records.writer();
        let (stored, inserted_id) =
            stored::with_id(document, || stored::object_id(writer.now(), writer.unique_number()))?;
        let stored = stored::with_moment(stored, || writer.now())?;
        // An `_id` may have been added to what was checked.
        stored::check_size(&stored)?;
        let label = || shown::document_of(&stored, &self.namespace.label());
        self.records.insert(id, &stored).map_err(|error| error.at(label))?;
        Ok((stored, inserted_id))
    }

    pub(super) fn writer(&mut self) -> &mut Writer {
        self.records.writer_mut()
    }
}
