//! What to read, as data: which partitions, which of their rows, what of these.
//!
//! Whoever makes a plan, the typed interface or a language, has checked names and types: columns are positions in the
//! list of the table's columns, values are serialized.

use std::ops::Bound;
use std::sync::Arc;

use smallvec::SmallVec;

pub(crate) use crate::wide_column::comparison::Comparison;
use crate::wide_column::index::{Analysis, Sought};
use crate::wide_column::read::position::Position;
use crate::wide_column::read::virtual_table::VirtualTable;
use crate::wide_column::schema::{Definition, IndexDefinition, IndexTarget};

/// A serialized value. Short ones need no memory of their own.
pub(crate) type Bytes = SmallVec<[u8; 24]>;

/// A query.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the query")]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) partitions: Partitions,
    /// Which rows of each partition: disjoint, in clustering order. One that is [`Slice::ALL`] is all of them; none at all is the
    /// partitions' static values only.
    pub(crate) slices: Vec<Slice>,
    /// What every row that is returned has to meet.
    pub(crate) filters: Vec<Filter>,
    /// The rows of each partition in the reverse of their clustering order.
    pub(crate) is_reversed: bool,
    /// One row of each partition, in which only partition key and static columns are looked at.
    pub(crate) is_distinct: bool,
    /// Whether a partition without rows, but with static values, is a row. A query that restricts rows does not want it.
    pub(crate) with_static_rows: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) limit_per_partition: Option<u64>,
    /// Seconds: the time by which rows and cells have expired; `None` is that of the view.
    pub(crate) now: Option<i64>,
    /// Where an earlier page ended.
    pub(crate) resume: Option<Position>,
    /// Whether clustering columns are asked of rows: their values are taken from each key then, else only when somebody asks.
    pub(crate) fetches_clustering: bool,
}

/// Where rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The rows of a table.
    Table(Definition),
    /// The rows of a table that an index has; they come in the order of the table.
    Index(Definition, IndexLookup),
    /// Rows that are made when they are read.
    Virtual(Arc<dyn VirtualTable>),
}

/// Which entries of an index are read.
#[derive(Clone, Debug)]
pub(crate) struct IndexLookup {
    /// Position of the index in the list of the table's indexes.
    pub(crate) index: usize,
    pub(crate) sought: Sought,
}

/// Which partitions are read.
#[derive(Clone, Debug)]
pub(crate) enum Partitions {
    /// Those with these serialized partition keys ([`layout::join_partition`](crate::wide_column::layout::join_partition)), in the
    /// order given, each once.
    Keys(Vec<Vec<u8>>),
    /// Those whose token is within these bounds, in the order of tokens.
    Tokens(Bound<i64>, Bound<i64>),
}

impl Partitions {
    /// Every partition.
    pub(crate) const ALL: Self = Self::Tokens(Bound::Unbounded, Bound::Unbounded);
}

/// A range of a partition's rows, in clustering order: in a descending column the start is the larger value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) start: Edge,
    pub(crate) end: Edge,
}

/// An end of a [`Slice`]: values of the first clustering columns. Rows that agree with all of them are in the slice when it is
/// inclusive. Without values it is the partition's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) values: Vec<Bytes>,
    pub(crate) is_inclusive: bool,
}

impl Default for Edge {
    fn default() -> Self {
        Self { values: Vec::new(), is_inclusive: true }
    }
}

impl Edge {
    pub(crate) fn including(values: Vec<Bytes>) -> Self {
        Self { values, is_inclusive: true }
    }

    pub(crate) fn excluding(values: Vec<Bytes>) -> Self {
        Self { values, is_inclusive: false }
    }
}

impl Slice {
    /// All rows.
    pub(crate) const ALL: Self = Self {
        start: Edge { values: Vec::new(), is_inclusive: true },
        end: Edge { values: Vec::new(), is_inclusive: true },
    };

    /// The rows that agree with these values of the first clustering columns; with one of each, one row.
    pub(crate) fn prefix(values: Vec<Bytes>) -> Self {
        Self { start: Edge::including(values.clone()), end: Edge::including(values) }
    }
}

/// A condition on what a row has.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// The value of a column, which is not null, meets a test.
    Column(usize, Test),
    /// The values of several columns, none of them null, compare so with these, from left to right.
    Columns(Vec<usize>, Comparison, Vec<Bytes>),
    /// The values of several columns are one of these.
    ColumnsIn(Vec<usize>, Vec<Vec<Bytes>>),
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// It compares so with this one, in the order of its type.
    Compare(Comparison, Bytes),
    /// It is one of these.
    In(Vec<Bytes>),
    /// The list, set or map has this element, or value.
    Contains(Bytes),
    /// The map has this key.
    ContainsKey(Bytes),
    /// The map has a value at this key that compares so.
    Entry(Bytes, Comparison, Bytes),
    /// The user's type has a value in this field that compares so.
    Field(usize, Comparison, Bytes),
    /// It is there.
    IsNotNull,
    /// An index makes this of the text, or of one of the texts that it is of.
    Analyzed(Analysis, IndexTarget, Bytes),
}

impl Test {
    /// The same of texts as an index has them, where the index can find what is tested.
    pub(crate) fn by(self, index: &IndexDefinition) -> Self {
        let analysis = Analysis::of(index);
        if !index.is_storage_attached() || analysis.keeps_all() {
            return self;
        }
        match (self, index.target) {
            (Self::Compare(Comparison::Equal, value), IndexTarget::Value)
            | (Self::Contains(value), IndexTarget::Elements)
            | (Self::ContainsKey(value), IndexTarget::Keys) => {
                Self::Analyzed(analysis, index.target, Bytes::from_slice(&analysis.term(&value)))
            }
            (other, _) => other,
        }
    }
}
