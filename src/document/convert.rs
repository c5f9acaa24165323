//! Making capped collections of others.

use std::sync::Arc;

use bson::RawDocument;

use crate::catalog::job;
use crate::document::database::Database;
use crate::document::layout;
use crate::document::maintain::Records;
use crate::document::raw::corrupt;
use crate::document::schema::{CollectionOptions, Namespace};
use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::txn::WriteScope;

impl<S: WriteScope> Database<S> {
    /// Makes the collection `name` capped, or gives it another size if it is. The oldest documents go until the others fit. Only the
    /// index on `_id` stays; so do validators.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such collection; [`Error::Invalid`] for a view, and for a size below 1 or above 2^50;
    /// [`Error::Unsupported`] while one of its indexes is being built.
    ///
    /// # Cost
    /// O(n) in one transaction: every document is counted.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// let log = shop.collection::<Document>("log");
    /// log.insert_many((0..10).map(|n| doc! { "_id": n, "text": "x".repeat(900) }))?;
    /// shop.convert_to_capped("log", 4_096)?;
    /// assert_eq!(log.count_documents(doc! {})?, 4);
    /// assert_eq!(log.find_one(doc! { "_id": 5 })?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `convertToCapped`.
    #[doc(alias = "convertToCapped")]
    pub fn convert_to_capped(&self, name: &str, size: i64) -> Result<()> {
        let namespace = Namespace::new(self.name(), name);
        let capped = CollectionOptions::default().capped(size, None).checked()?;
        self.scope().write(namespace.operation("convert_to_capped").freeing(true), |writer| {
            let missing = || Error::NotFound { what: "collection", name: name.to_owned() };
            let entry = namespace.get_collection(writer)?.ok_or_else(missing)?;
            if entry.record.indexes.iter().any(|index| index.building) {
                return Err(Error::unsupported("capping a collection while one of its indexes is being built"));
            }
            let mut changed = entry.as_ref().clone();
            let options = CollectionOptions { capped: capped.capped, ..entry.record.options().clone() };
            changed.record.set_options(options)?;
            let removed = changed.record.remove_secondary();
            namespace.update(writer, &changed)?;
            Records::new(writer, &namespace, &Arc::new(changed)).count_and_trim()?;
            for index in removed {
                job::remove(writer, &layout::index_prefix(entry.storage, index.id))?;
                job::remove(writer, &layout::index_arrays_prefix(entry.storage, index.id))?;
            }
            Ok(())
        })
    }

    /// Copies the documents of the collection `name` to a new capped collection `to`, oldest first, so that the newest are there in
    /// the end. Indexes and validators are not copied.
    ///
    /// # Errors
    /// As [`Database::convert_to_capped`], and [`Error::AlreadyExists`] when there is a collection `to`.
    ///
    /// # Cost
    /// O(n log n) in one transaction.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc};
    /// let shop = Store::in_memory().database("shop");
    /// let log = shop.collection::<Document>("log");
    /// log.insert_many((0..10).map(|n| doc! { "_id": n, "text": "x".repeat(900) }))?;
    /// shop.clone_as_capped("log", "newest", 4_096)?;
    /// assert_eq!(shop.collection::<Document>("newest").count_documents(doc! {})?, 4);
    /// assert_eq!(log.count_documents(doc! {})?, 10);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `cloneCollectionAsCapped`.
    #[doc(alias = "cloneCollectionAsCapped")]
    pub fn clone_as_capped(&self, name: &str, to: &str, size: i64) -> Result<()> {
        let (from, target) = (Namespace::new(self.name(), name), Namespace::new(self.name(), to));
        let options = CollectionOptions::default().capped(size, None).checked()?;
        self.scope().write(from.operation("clone_as_capped"), |writer| {
            let missing = || Error::NotFound { what: "collection", name: name.to_owned() };
            let entry = from.get_collection(writer)?.ok_or_else(missing)?;
            if target.get(writer)?.is_some() {
                return Err(Error::AlreadyExists { what: "collection", name: to.to_owned() });
            }
            let made = Arc::clone(&target.create(writer, options.clone())?);
            let mut cursor = writer.search().range(&layout::records(entry.storage), Direction::Forward)?;
            let mut records = Records::new(writer, &target, &made);
            while let Some((_, document)) = cursor.next()? {
                let document = RawDocument::from_bytes(document).map_err(corrupt)?;
                let id = records.next_id()?;
                records.insert(id, document)?;
            }
            Ok(())
        })
    }
}
