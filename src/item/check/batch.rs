//! Batches.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::item::RequestFault;
use crate::item::check::check_key;
use crate::item::check::parameters::Parameters;
use crate::item::expression::ProjectionPaths;
use crate::item::place::check_table_name;
use crate::item::request::{BatchGetItem, BatchWriteItem, WriteRequest};
use crate::limits;

/// A [`BatchGetItem`] that was checked.
#[derive(Debug, Default)]
pub(in crate::item) struct PreparedBatchGet {
    pub(in crate::item) projections: BTreeMap<String, Option<ProjectionPaths>>,
}

impl BatchWriteItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::BatchWriteItem::default().check().is_err(), "nothing to write");
    /// ```
    pub fn check(&self) -> Result<()> {
        if self.request_items.is_empty() {
            return Err(RequestFault::other(
                "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ));
        }
        for (table, requests) in &self.request_items {
            check_table_name(table)?;
            if requests.is_empty() {
                return Err(RequestFault::other(format!(
                    "1 validation error detected: Value at 'requestItems.{table}.member' failed to satisfy constraint: \
                     Member must have length greater than or equal to 1"
                )));
            }
        }
        check_count(self.request_items.values().map(Vec::len).sum())?;
        for request in self.request_items.values().flatten() {
            match request {
                WriteRequest::Put(item) => item.check()?,
                WriteRequest::Delete(key) => check_key(key)?,
            }
        }
        Ok(())
    }

    /// Whether it makes nothing larger.
    pub(in crate::item) fn only_deletes(&self) -> bool {
        self.request_items.values().flatten().all(|request| matches!(request, WriteRequest::Delete(_)))
    }
}

/// Refuses more entries than one call takes.
pub(in crate::item) fn check_count(entries: usize) -> Result<()> {
    if entries > limits::ITEM_BATCH_WRITES_MAX {
        return Err(RequestFault::other("Too many items requested for the BatchWriteItem call"));
    }
    Ok(())
}

impl BatchGetItem {
    /// Refuses what no store would do, in the service's order.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) with the fault.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::request::BatchGetItem::default().check().is_err(), "nothing to read");
    /// ```
    pub fn check(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    pub(in crate::item) fn prepare(&self) -> Result<PreparedBatchGet> {
        if self.request_items.is_empty() {
            return Err(RequestFault::other(
                "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ));
        }
        for (table, asked) in &self.request_items {
            check_table_name(table)?;
            if asked.keys.is_empty() {
                return Err(RequestFault::other(format!(
                    "1 validation error detected: Value at 'requestItems.{table}.member.keys' failed to satisfy \
                     constraint: Member must have length greater than or equal to 1"
                )));
            }
        }
        let count: usize = self.request_items.values().map(|asked| asked.keys.len()).sum();
        if count > limits::ITEM_BATCH_READS_MAX {
            return Err(RequestFault::other("Too many items requested for the BatchGetItem call"));
        }
        let mut prepared = PreparedBatchGet::default();
        for (table, asked) in &self.request_items {
            let compiled = Parameters {
                projection: asked.projection_expression.as_deref(),
                attributes_to_get: asked.attributes_to_get.as_deref(),
                names: asked.expression_attribute_names.as_ref(),
                ..Parameters::of_projection()
            }
            .compile()?;
            asked.keys.iter().try_for_each(check_key)?;
            prepared.projections.insert(table.clone(), compiled.projection);
        }
        Ok(prepared)
    }
}
