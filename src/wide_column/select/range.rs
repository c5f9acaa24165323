//! Deletion of what a query asks for.

use std::sync::Arc;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::WriteScope;
use crate::wide_column::bind::{deletion, partition_key};
use crate::wide_column::options::WriteOptions;
use crate::wide_column::read::plan::Slice;
use crate::wide_column::select::{From, Select};
use crate::wide_column::write::execute;
use crate::wide_column::write::plan::{Change, Plan};

impl<S: WriteScope> Select<S> {
    /// Deletes the rows of a partition that the restrictions of clustering columns let in, without reading them. Static values
    /// stay, unless nothing is restricted: then it is the partition that is deleted.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query of a whole table or an index, or with filters, limits, a position, or
    /// [`is_in`](Select::is_in).
    ///
    /// # Cost
    /// O(log n), however many rows there are; they are removed in the background.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// for at in 1..=5 {
    ///     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// }
    /// events.select(("ann",)).range("at", 2..5).delete()?;
    /// let rows = events.select(("ann",)).to_vec()?;
    /// assert!(rows.iter().filter_map(|row| row.get("at")).eq([&1.into(), &5.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DELETE`.
    #[doc(alias = "DELETE")]
    pub fn delete(self) -> Result<()> {
        self.delete_with(WriteOptions::default())
    }

    /// As [`delete`](Self::delete), with a timestamp of its own: what was written later stays.
    ///
    /// # Errors
    /// As [`delete`](Self::delete), and for a time to live.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema, WriteOptions}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// events.insert_with(&[("user", "ann".into()), ("at", 1.into())], WriteOptions::default().timestamp(20))?;
    /// events.select(("ann",)).range("at", 0..).delete_with(WriteOptions::default().timestamp(19))?;
    /// assert_eq!(events.select(("ann",)).to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_with(self, options: WriteOptions) -> Result<()> {
        let refused = |what: &str| Err(Error::invalid(InvalidKind::Value, format!("a deletion takes no {what}")));
        if !self.filters.is_empty() {
            return refused("filter");
        }
        if self.limit.is_some() || self.limit_per_partition.is_some() || self.after.is_some() || self.is_distinct {
            return refused("limit, position or DISTINCT");
        }
        let From::Partitions(partitions) = &self.from else { return refused("whole table and no index") };
        self.scope.write(self.target.operation("delete_range").freeing(true), |writer| {
            let table = self.target.definition(writer)?;
            self.check_restrictions(&table.record)?;
            let mut plans: Vec<Plan> = Vec::new();
            for values in partitions {
                let partition = partition_key(&table.record, values)?;
                for slice in self.slices(&table.record)? {
                    let is_row = slice.start == slice.end
                        && slice.start.values.len() == table.record.shape().clustering.len()
                        && !slice.start.values.is_empty();
                    let change = if slice == Slice::ALL {
                        Change::DeletePartition
                    } else if is_row {
                        Change::DeleteRow(slice.start.values)
                    } else {
                        Change::DeleteRange(slice)
                    };
                    plans.push(deletion(&Arc::clone(&table), partition.clone(), change, options)?);
                }
            }
            execute(writer, &plans, None).map(drop)
        })
    }
}
