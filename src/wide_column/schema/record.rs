//! What the catalogue holds of a table.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::catalog::growing;
use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::record::Parts;
use crate::wide_column::schema::column::{Column, ColumnKind, Order};
use crate::wide_column::schema::index::{IndexDefinition, IndexTarget, NewIndex};
use crate::wide_column::schema::table::TableSchema;
use crate::wide_column::schema::view::{ViewCondition, ViewDefinition, ViewOf};
use crate::wide_column::types::CqlType;

/// The flag of a table in which partitions have been deleted: their headers are looked up.
const HAS_DELETED_PARTITIONS: u8 = 0x01;
/// Of one in which ranges of rows have been deleted.
const HAS_DELETED_RANGES: u8 = 0x02;
/// Of one whose deleted partitions and ranges are all in its list (`write::listed`), so that it is known when there are none any more.
const LISTS_DELETED: u8 = 0x04;

/// A table's definition. Rows keep their bytes when it changes: cells go by the ids of columns, which are not given out again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableRecord {
    /// The last column of each name that was dropped.
    #[serde(with = "growing")]
    pub(super) dropped: Vec<Dropped>,
    #[serde(with = "growing")]
    pub(crate) indexes: Vec<IndexDefinition>,
    /// Of a view, what it is a view of.
    pub(crate) view: Option<ViewDefinition>,
    /// What may have been deleted, so that reads look for it.
    flags: u8,
    pub(crate) schema: TableSchema,
    /// The views that are of it.
    #[serde(with = "growing")]
    pub(crate) views: Vec<ViewOf>,
    /// Of a view, what its `WHERE` says; empty when that is no more than that its key is there.
    #[serde(with = "growing")]
    pub(crate) conditions: Vec<ViewCondition>,
    #[serde(skip)]
    shape: Derived,
}

/// A column that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dropped {
    pub(crate) name: String,
    pub(super) id: u16,
    /// When, as a timestamp of cells.
    pub(crate) at: i64,
    pub(crate) cql_type: CqlType,
    pub(crate) kind: ColumnKind,
}

/// What follows from the columns, worked out once.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Positions of the partition columns, in their order.
    pub(crate) partition: Vec<usize>,
    /// Positions of the clustering columns, in their order.
    pub(crate) clustering: Vec<(usize, Order)>,
    /// The position of the column with each id; `None` for one that was dropped.
    pub(crate) by_id: Vec<Option<usize>>,
    pub(crate) has_static: bool,
    pub(crate) is_counter: bool,
    /// Whether a clustering column's value may not come back from a key.
    pub(crate) is_lossy: Vec<bool>,
    /// The names of all columns, in their order.
    pub(crate) names: Arc<[String]>,
    /// The positions of all columns in the order of their names.
    by_name: Vec<usize>,
}

/// A [`Shape`] that is no part of what is compared, copied or stored.
#[derive(Debug, Default)]
struct Derived(OnceLock<Shape>);

impl Clone for Derived {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Derived {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl TableRecord {
    pub(crate) fn new(schema: TableSchema) -> Self {
        Self {
            dropped: Vec::new(),
            indexes: Vec::new(),
            view: None,
            flags: LISTS_DELETED,
            schema,
            views: Vec::new(),
            conditions: Vec::new(),
            shape: Derived::default(),
        }
    }

    /// Works out anew what follows from the columns, which have changed.
    pub(super) fn forget_shape(&mut self) {
        self.shape = Derived::default();
    }

    /// The definition as one that created the table would say it.
    pub(crate) fn declared(&self) -> TableSchema {
        let schema = TableSchema::new().with_options(self.schema.options.clone());
        let columns = self.schema.columns.iter();
        columns.fold(schema, |schema, column| schema.with(&column.name, column.cql_type.clone(), column.kind))
    }

    /// Whether writes that were made for one can be made to the other.
    pub(crate) fn has_same_columns(&self, other: &Self) -> bool {
        self.schema == other.schema && self.dropped == other.dropped
    }

    /// What follows from the columns.
    #[inline]
    pub(crate) fn shape(&self) -> &Shape {
        self.shape.0.get_or_init(|| self.work_out())
    }

    fn work_out(&self) -> Shape {
        let names = self.schema.columns.iter().map(|column| column.name.clone()).collect();
        let mut shape = Shape { is_counter: self.schema.is_counter(), names, ..Shape::default() };
        for (at, column) in self.schema.columns.iter().enumerate() {
            let id = usize::from(column.id);
            if shape.by_id.len() <= id {
                shape.by_id.resize(id + 1, None);
            }
            if let Some(place) = shape.by_id.get_mut(id) {
                *place = Some(at);
            }
            match column.kind {
                ColumnKind::PartitionKey => shape.partition.push(at),
                ColumnKind::Clustering(order) => {
                    shape.clustering.push((at, order));
                    shape.is_lossy.push(crate::wide_column::order::is_lossy(&column.cql_type));
                }
                ColumnKind::Static => shape.has_static = true,
                ColumnKind::Regular => {}
            }
        }
        shape.by_name = (0..self.schema.columns.len()).collect();
        shape.by_name.sort_unstable_by_key(|at| self.name_at(*at));
        shape
    }

    fn name_at(&self, at: usize) -> &str {
        self.schema.columns.get(at).map_or("", |column| &column.name)
    }

    /// The position of the column `name`, in O(log columns).
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let by_name = &self.shape().by_name;
        let found = by_name.binary_search_by(|at| self.name_at(*at).cmp(name)).ok()?;
        by_name.get(found).copied()
    }

    /// The column at a position of the list of columns.
    #[inline]
    pub(crate) fn column(&self, at: usize) -> Result<&Column> {
        self.column_at(at).ok_or_else(|| no_column(at))
    }

    /// As [`column`](Self::column), `None` for a position behind the list.
    #[inline]
    pub(crate) fn column_at(&self, at: usize) -> Option<&Column> {
        self.schema.columns.get(at)
    }

    /// The column with this id, unless it was dropped.
    #[inline]
    pub(crate) fn column_with(&self, id: u16) -> Option<&Column> {
        let at = self.shape().by_id.get(usize::from(id)).copied().flatten()?;
        self.schema.columns.get(at)
    }

    /// How the parts of the column with this id are ordered; `None` when it was dropped.
    #[inline]
    pub(crate) fn parts_of(&self, id: u16) -> Option<Parts<'_>> {
        self.column_with(id).map(|column| match &column.cql_type {
            CqlType::Set(element) => Parts::Of(element),
            CqlType::Map(both) => Parts::Of(&both.0),
            _ => Parts::Bytes,
        })
    }

    /// Whether any column was dropped, so that rows may have cells of it.
    pub(crate) fn has_dropped(&self) -> bool {
        !self.dropped.is_empty()
    }

    /// The columns that were dropped, the last of each name.
    pub(crate) fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Seconds for which tombstones are kept.
    pub(crate) fn grace(&self) -> i64 {
        self.schema.options.gc_grace_seconds.into()
    }

    /// Of a view, whether a row is there only while the column of its key that is none of its base's has a value.
    #[inline]
    pub(crate) fn is_strict(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.key_column.is_some())
    }

    /// Whether what happens to a row is to be told to an index or view.
    #[inline]
    pub(crate) fn is_followed(&self) -> bool {
        !self.indexes.is_empty() || !self.views.is_empty()
    }

    /// Whether an index or view of it is still to be filled.
    pub(crate) fn is_building(&self) -> bool {
        self.indexes.iter().any(|index| index.is_building) || self.views.iter().any(|view| view.is_building)
    }

    /// Notes that its indexes and views have been filled.
    pub(crate) fn set_built(&mut self) {
        self.indexes.iter_mut().for_each(|index| index.is_building = false);
        self.views.iter_mut().for_each(|view| view.is_building = false);
    }

    /// Whether partitions may have been deleted.
    #[inline]
    pub(crate) fn has_deleted_partitions(&self) -> bool {
        self.flags & HAS_DELETED_PARTITIONS != 0
    }

    /// Whether ranges of rows may have been deleted.
    #[inline]
    pub(crate) fn has_deleted_ranges(&self) -> bool {
        self.flags & HAS_DELETED_RANGES != 0
    }

    /// Notes that partitions, or ranges of rows, may have been deleted.
    pub(crate) fn set_deleted(&mut self, partitions: bool, ranges: bool) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        self.flags |= flag(partitions, HAS_DELETED_PARTITIONS) | flag(ranges, HAS_DELETED_RANGES);
    }

    /// Notes that nothing is deleted, since there is nothing.
    pub(crate) fn clear_deleted(&mut self) {
        self.flags = LISTS_DELETED;
    }

    /// Notes that no partitions, or ranges of rows, are deleted any more.
    pub(crate) fn clear_deleted_of(&mut self, partitions: bool, ranges: bool) {
        let flag = |is_cleared: bool, flag: u8| if is_cleared { flag } else { 0 };
        self.flags &= !(flag(partitions, HAS_DELETED_PARTITIONS) | flag(ranges, HAS_DELETED_RANGES));
    }

    /// Whether what is deleted is in a list.
    pub(crate) fn lists_deleted(&self) -> bool {
        self.flags & LISTS_DELETED != 0
    }

    /// Adds a regular or static column; returns whether it is new.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is another of that name.
    pub(crate) fn add_column(&mut self, name: &str, cql_type: CqlType, kind: ColumnKind) -> Result<bool> {
        if let Some(column) = self.schema.column_named(name) {
            let is_same = column.cql_type == cql_type && column.kind == kind;
            let taken = || Error::AlreadyExists { what: "column", name: name.to_owned() };
            return if is_same { Ok(false) } else { Err(taken()) };
        }
        let ids = self.schema.columns.iter().map(|column| column.id).chain(self.dropped.iter().map(|column| column.id));
        let id = ids.max().map_or(Some(0), |last| last.checked_add(1));
        let max = u64::from(u16::MAX);
        let id = id.ok_or(Error::LimitExceeded { limit: "columns that a table has had", max, found: max + 1 })?;
        let hidden_up_to = self.dropped.iter().find(|dropped| dropped.name == name).map(|dropped| dropped.at);
        self.schema.columns.push(Column { id, name: name.to_owned(), cql_type, kind, hidden_up_to });
        self.schema.validate()?;
        self.forget_shape();
        Ok(true)
    }

    /// Drops a column that is no part of the key at the timestamp `at`; returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is part of the primary key, or has an index.
    pub(crate) fn drop_column(&mut self, name: &str, at: i64) -> Result<bool> {
        let Some(column) = self.schema.column_named(name).cloned() else { return Ok(false) };
        if column.is_key() {
            return Err(Error::invalid(InvalidKind::Value, format!("key column {name:?} cannot be dropped")));
        }
        self.check_unindexed("drop", &column)?;
        self.schema.columns.retain(|other| other.id != column.id);
        self.dropped.retain(|other| other.name != name);
        let Column { id, name, cql_type, kind, .. } = column;
        self.dropped.push(Dropped { name, id, at, cql_type, kind });
        self.forget_shape();
        Ok(true)
    }

    /// Refuses to do to a column with indexes what Cassandra does not do to one.
    fn check_unindexed(&self, verb: &str, column: &Column) -> Result<()> {
        let indexes = self.indexes.iter().filter(|index| index.column == column.id);
        let names: Vec<_> = indexes.map(|index| index.name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let (name, names) = (&column.name, names.join(", "));
        Err(Error::value(format!("Cannot {verb} column {name} because it has dependent secondary indexes ({names})")))
    }

    /// Renames a column of the primary key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::AlreadyExists`] when the name is taken, [`Error::Invalid`] when it is no
    /// column of the primary key, has an index, or the name cannot be one.
    pub(crate) fn rename_column(&mut self, from: &str, to: &str) -> Result<()> {
        if !self.schema.require(from)?.is_key() {
            let message = format!("column {from:?} is no part of the primary key, and only those can be renamed");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        if self.schema.column_named(to).is_some() {
            return Err(Error::AlreadyExists { what: "column", name: to.to_owned() });
        }
        self.check_unindexed("rename", self.schema.require(from)?)?;
        if let Some(column) = self.schema.columns.iter_mut().find(|column| column.name == from) {
            to.clone_into(&mut column.name);
        }
        self.schema.validate()
    }

    /// Adds an index of a column, whose entries are still to be made; returns whether it is new.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when there is another of that name; [`Error::NotFound`] for an unknown column; [`Error::Invalid`] for
    /// one that cannot be indexed so.
    pub(crate) fn add_index(&mut self, new: &NewIndex<'_>, storage: u32) -> Result<bool> {
        let NewIndex { name, column, target, .. } = *new;
        let found = self.schema.require(column)?;
        let id = found.id;
        if let Some(index) = self.indexes.iter().find(|index| index.name == name) {
            let is_same = new.is_like(index, id);
            let taken = || Error::AlreadyExists { what: "index", name: name.to_owned() };
            return if is_same { Ok(false) } else { Err(taken()) };
        }
        let refuse = |message: String| Err(Error::value(message));
        if found.kind == ColumnKind::PartitionKey && self.shape().partition.len() == 1 {
            return refuse(format!("Cannot create secondary index on the only partition key column {column}"));
        }
        let is_fit = match (target, found.cql_type.thawed()) {
            (_, CqlType::Counter | CqlType::Vector(..)) => false,
            (IndexTarget::Value, _) => !found.cql_type.is_multi_cell(),
            (IndexTarget::Full, _) => found.cql_type.is_collection() && !found.cql_type.is_multi_cell(),
            (IndexTarget::Elements, _) => found.cql_type.is_collection(),
            (IndexTarget::Keys | IndexTarget::Entries, CqlType::Map(_)) => true,
            (IndexTarget::Keys | IndexTarget::Entries, _) => false,
        };
        if !is_fit {
            return refuse(format!("column {column:?} is {} and cannot be indexed so", found.cql_type));
        }
        let (name, class, options) = (name.to_owned(), new.class.to_owned(), new.options.clone());
        self.indexes.push(IndexDefinition { name, column: id, target, class, options, storage, is_building: true });
        Ok(true)
    }

    /// Replaces the options.
    pub(crate) fn set_options(&mut self, change: impl FnOnce(&mut super::TableOptions)) -> Result<()> {
        change(&mut self.schema.options);
        self.schema.validate()
    }

    /// Replaces the type of every column that has the user's type among its parts; returns whether there is one.
    pub(super) fn change_type(&mut self, to: &crate::wide_column::types::UserType) -> bool {
        let mut is_changed = false;
        for column in &mut self.schema.columns {
            let changed = column.cql_type.with_user_type(to);
            is_changed |= changed != column.cql_type;
            column.cql_type = changed;
        }
        is_changed
    }
}

#[cold]
fn no_column(at: usize) -> Error {
    Error::value(format!("there is no column at position {at}"))
}
