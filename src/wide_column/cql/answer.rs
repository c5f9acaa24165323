//! What statements return.

use crate::wide_column::cql::plan::{Answer, Columns};
use crate::wide_column::row::Row;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// What a statement returned: columns and rows, perhaps none of either.
///
/// # Examples
/// ```
/// use larder::wide_column::{CqlType, CqlValue};
/// # let session = larder::Store::in_memory().cql();
/// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
/// session.execute("CREATE TABLE k.t (id int PRIMARY KEY, v text)", ())?;
/// session.execute("INSERT INTO k.t (id, v) VALUES (1, 'a')", ())?;
/// let answer = session.query("SELECT v, id AS number FROM k.t", ())?;
/// assert_eq!(answer.columns(), [("v".to_owned(), CqlType::Text), ("number".to_owned(), CqlType::Int)]);
/// assert_eq!(answer.rows()[0].get("number"), Some(&CqlValue::Int(1)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CqlAnswer {
    columns: Columns,
    rows: Vec<Row>,
    is_refused: bool,
}

impl CqlAnswer {
    /// The columns of the rows, each with its type.
    ///
    /// # Examples
    /// See [`CqlAnswer`].
    #[must_use]
    pub fn columns(&self) -> &[(String, CqlType)] {
        &self.columns
    }

    /// The rows.
    ///
    /// # Examples
    /// See [`CqlAnswer`].
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows, without their columns' types.
    ///
    /// # Examples
    /// ```
    /// # let session = larder::Store::in_memory().cql();
    /// # session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", ())?;
    /// session.execute("CREATE TABLE k.t (id int PRIMARY KEY)", ())?;
    /// assert!(session.query("SELECT id FROM k.t", ())?.into_rows().is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// Whether a statement did what it said: a write with a condition that did not hold was not applied.
    ///
    /// # Examples
    /// See [`Cql::execute`](super::Cql::execute).
    #[must_use]
    #[doc(alias = "[applied]")]
    pub fn is_applied(&self) -> bool {
        !self.is_refused
    }
}

impl From<Answer> for CqlAnswer {
    fn from(answer: Answer) -> Self {
        let Answer { columns, rows, .. } = answer;
        if columns.is_empty() {
            return Self::default();
        }
        let is_condition = columns.first().is_some_and(|(name, _)| name == "[applied]");
        let is_refused = is_condition
            && rows.first().and_then(|row| row.first()).is_some_and(|applied| *applied == CqlValue::Boolean(false));
        let names = columns.names();
        let rows = rows.into_iter().map(|values| Row::of_computed(&names, values)).collect();
        Self { columns, rows, is_refused }
    }
}
