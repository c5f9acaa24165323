//! Prepared queries of single rows.

use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::{AutoCommit, Scope, View};
use crate::wide_column::bind::bind_key;
use crate::wide_column::layout::join_partition;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::read::{FoundRow, get};
use crate::wide_column::row::{Row, Selection};
use crate::wide_column::schema::Definition;
use crate::wide_column::select::typed::RowRef;
use crate::wide_column::target::Target;
use crate::wide_column::value::Values;

/// A query of one row by its whole primary key, to be run with any number of keys.
///
/// Given by [`WideTable::prepare_get`](crate::WideTable::prepare_get). When the table has been changed since, or dropped and created
/// again, it is prepared again unasked.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, TableSchema}};
/// let users = Store::in_memory().wide_table("shop", "users");
/// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
/// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
/// let name = users.prepare_get(&["name"])?;
/// assert_eq!(name.get((7,))?.and_then(|row| row.get("name").cloned()), Some("Ann".into()));
/// assert!(name.get((8,))?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedGet<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    columns: Arc<[String]>,
    /// What was planned for the definition that was last met.
    last: Arc<Mutex<Arc<Planned>>>,
}

#[derive(Debug)]
struct Planned {
    definition: Definition,
    selection: Selection,
}

impl Planned {
    fn new(definition: Definition, columns: &Arc<[String]>) -> Result<Arc<Self>> {
        let columns = Some(columns).filter(|columns| !columns.is_empty());
        let selection = Selection::new(&definition.record, columns.cloned())?;
        Ok(Arc::new(Self { definition, selection }))
    }
}

impl<S: Scope> PreparedGet<S> {
    pub(in crate::wide_column) fn new(
        scope: S,
        target: Arc<Target>,
        definition: Definition,
        columns: &[&str],
    ) -> Result<Self> {
        let columns: Arc<[String]> = columns.iter().map(|name| (*name).to_owned()).collect();
        let last = Arc::new(Mutex::new(Planned::new(definition, &columns)?));
        Ok(Self { scope, target, columns, last })
    }

    /// The row with a primary key: the partition columns' values, then the clustering columns'.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the values are not those of a primary key; [`Error::NotFound`] when the table, or a column that is asked
    /// for, has been dropped.
    ///
    /// # Cost
    /// One lookup, and up to three more where partitions or ranges of the table have been deleted, or columns are static.
    ///
    /// # Examples
    /// See [`PreparedGet`].
    pub fn get(&self, primary_key: impl Values) -> Result<Option<Row>> {
        self.run(primary_key, Row::of)
    }

    /// As [`get`](Self::get), of a row that is lent to `each`.
    ///
    /// # Errors
    /// As [`get`](Self::get), and those of `each`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// let get = users.prepare_get(&["name"])?;
    /// assert_eq!(get.with((7,), |row| Ok(row.text("name")?.map(|name| name.len())))?, Some(Some(3)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn with<R>(&self, primary_key: impl Values, each: impl FnOnce(RowRef<'_>) -> Result<R>) -> Result<Option<R>> {
        self.run(primary_key, |found, selection| each(RowRef::new(found, selection)))
    }

    /// Appends the row to `out` as the native protocol has it ([`Select::to_protocol`](crate::wide_column::Select::to_protocol)); returns
    /// whether there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// let mut bytes = Vec::new();
    /// assert!(users.prepare_get(&["name"])?.to_protocol((7,), &mut bytes)?);
    /// assert_eq!(bytes, [0, 0, 0, 3, b'A', b'n', b'n']);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_protocol(&self, primary_key: impl Values, out: &mut Vec<u8>) -> Result<bool> {
        let put = |found: &FoundRow<'_>, selection: &Selection| {
            crate::wide_column::read::sink::put_row(out, found, selection.columns())
        };
        Ok(self.run(primary_key, put)?.is_some())
    }

    fn run<R>(
        &self,
        primary_key: impl Values,
        each: impl FnOnce(&FoundRow<'_>, &Selection) -> Result<R>,
    ) -> Result<Option<R>> {
        let values = primary_key.into_values();
        self.scope.read(self.target.operation("get"), |view| {
            let planned = self.planned(view)?;
            let record = &planned.definition.record;
            let shape = record.shape();
            let (partition, clustering) = (shape.partition.len(), shape.clustering.len());
            if values.len() != partition + clustering {
                let message = format!("{} values are needed, found {}", partition + clustering, values.len());
                return Err(Error::invalid(InvalidKind::Value, message));
            }
            let places = shape.partition.iter().chain(shape.clustering.iter().map(|(at, _)| at));
            let mut bound = SmallVec::<[Bytes; 6]>::new();
            for (at, value) in places.zip(&values) {
                bound.push(bind_key(record.column(*at)?, value)?);
            }
            let (partition, clustering) = bound.split_at(partition.min(bound.len()));
            let partition = join_partition(partition)?;
            let found =
                get(view, &planned.definition, &partition, clustering, None, |row| each(row, &planned.selection))?;
            view.meter().returned(u64::from(found.is_some()));
            Ok(found)
        })
    }

    /// What is planned for the definition that `view` shows.
    fn planned(&self, view: &View) -> Result<Arc<Planned>> {
        let definition = self.target.definition(view)?;
        let mut last = self.last.lock();
        if !Arc::ptr_eq(&last.definition, &definition) {
            *last = Planned::new(definition, &self.columns)?;
        }
        Ok(Arc::clone(&last))
    }
}
