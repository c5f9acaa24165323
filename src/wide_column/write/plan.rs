//! What to write, as data: to which table and partition, and what changes there.
//!
//! Whoever makes a plan has checked names and types: columns are positions in the list of the table's columns, values are
//! serialized. A value that is not set is left out by whoever makes the plan; null is a deletion.

use crate::wide_column::read::plan::{Bytes, Comparison, Slice};
use crate::wide_column::schema::Definition;

/// A write to one partition.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) table: Definition,
    /// The serialized partition key ([`layout::join_partition`](crate::wide_column::layout::join_partition)).
    pub(crate) partition: Bytes,
    pub(crate) change: Change,
    /// Seconds that what is written lives, 0 for ever; `None` is what the table says.
    pub(crate) ttl: Option<u32>,
    /// Microseconds; `None` is now.
    pub(crate) timestamp: Option<i64>,
    /// Seconds: the time by which what is written expires, deletions are kept, and conditions are looked at; `None` is that of the view.
    pub(crate) now: Option<i64>,
    /// What has to hold before anything is written.
    pub(crate) condition: Option<Condition>,
}

/// What changes in a partition.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Cells of a row, and static cells of its partition.
    Row {
        /// One serialized value of each clustering column; `None` when only static columns are written.
        clustering: Option<Vec<Bytes>>,
        /// Whether the row exists from then on without any cell, as after an INSERT.
        has_marker: bool,
        cells: Vec<CellChange>,
    },
    /// A row is deleted. Static cells stay.
    DeleteRow(Vec<Bytes>),
    /// The rows of a slice are deleted.
    DeleteRange(Slice),
    /// The partition is deleted, with its static cells.
    DeletePartition,
}

/// What changes in a column of a row, or a static one.
#[derive(Clone, Debug)]
pub(crate) struct CellChange {
    pub(crate) column: usize,
    pub(crate) operation: CellOperation,
}

/// What is done to a column.
#[derive(Clone, Debug)]
pub(crate) enum CellOperation {
    /// Its value is this one; `None` deletes it. A collection is serialized as a whole, and replaces what is there.
    Set(Option<Bytes>),
    /// The value of this key of a map, or (by the name's position) field of a user's type. `None` deletes it.
    SetElement(Bytes, Option<Bytes>),
    /// A field of a user's type.
    SetField(usize, Option<Bytes>),
    /// The element of a list that is at this position. `None` deletes it.
    SetIndex(i32, Option<Bytes>),
    /// The elements of this serialized list come behind those there are; those of a set or map are added.
    Append(Bytes),
    /// The elements of this serialized list come before those there are, in their order.
    Prepend(Bytes),
    /// The elements of this serialized list or set are taken away, or the keys of this serialized set from a map.
    Remove(Bytes),
    /// A counter is added to.
    Add(i64),
}

/// What has to hold for a conditional write.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// There is no such row. The write is an INSERT.
    NotExists,
    /// There is such a row.
    Exists,
    /// Each of these holds.
    Columns(Vec<ColumnCondition>),
}

/// What has to hold of a column, or of a part of it.
#[derive(Clone, Debug)]
pub(crate) struct ColumnCondition {
    pub(crate) column: usize,
    pub(crate) part: Part,
    pub(crate) test: ColumnTest,
}

/// What of a column is looked at.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The value at this key of a map.
    Element(Bytes),
    /// The element at this position of a list.
    Index(i32),
    /// This field of a user's type.
    Field(usize),
}

/// What is asked of it. Null is a value here: `= null` holds when there is none.
#[derive(Clone, Debug)]
pub(crate) enum ColumnTest {
    Compare(Comparison, Option<Bytes>),
    In(Vec<Option<Bytes>>),
    Contains(Bytes),
    ContainsKey(Bytes),
}
