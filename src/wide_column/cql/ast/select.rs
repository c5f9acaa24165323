//! `SELECT`.

use crate::wide_column::cql::ast::name::{Name, QualifiedName};
use crate::wide_column::cql::ast::term::{Arithmetic, Call, Literal, Marker, Relation, Term};
use crate::wide_column::cql::ast::types::{NativeType, TypeName};

/// What a function tells of the time of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TimeFunction {
    /// `WRITETIME`
    WriteTime,
    /// `MAXWRITETIME`
    MaxWriteTime,
    /// `TTL`
    Ttl,
}

/// What is computed of a row, or of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selector {
    /// A column.
    Column(Name),
    /// A constant.
    Literal(Literal),
    /// `NULL`
    Null,
    /// `?` or `:name`
    Marker(Marker),
    /// `COUNT(*)`
    CountRows,
    /// `WRITETIME(…)`, `MAXWRITETIME(…)`, `TTL(…)` of a column or something within it.
    Time(TimeFunction, Box<Self>),
    /// `CAST(… AS type)`
    Cast(Box<Self>, NativeType),
    /// `f(…)`
    Call(Call<Self>),
    /// `….field`
    Field(Box<Self>, Name),
    /// `…[key]`
    Element(Box<Self>, Term),
    /// `…[from..to]`
    Slice(Box<Self>, Option<Term>, Option<Term>),
    /// `[…]`
    List(Vec<Self>),
    /// `{…}`
    Set(Vec<Self>),
    /// `{… : …}`, a map or a user-defined type
    MapOrUserType(Vec<(Self, Self)>),
    /// `(…)`; of one selector, perhaps only parentheses
    Tuple(Vec<Self>),
    /// `(type) …`
    Hint(TypeName, Box<Self>),
    /// `- …`
    Negation(Box<Self>),
    /// Two selectors with an operator between them.
    Operation(Box<Self>, Arithmetic, Box<Self>),
}

/// One of the results that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selected {
    /// What it is.
    pub(crate) selector: Selector,
    /// What it is called.
    pub(crate) alias: Option<Name>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    /// `*`
    All,
    /// What is named.
    Some(Vec<Selected>),
}

/// One of the columns of an `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ordering {
    /// Which column.
    pub(crate) column: Name,
    /// `ANN OF term`
    pub(crate) ann_of: Option<Term>,
    /// `DESC`
    pub(crate) descending: bool,
}

/// `SELECT`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Select {
    /// `JSON`
    pub(crate) json: bool,
    /// `DISTINCT`
    pub(crate) distinct: bool,
    /// What of each row.
    pub(crate) selection: Selection,
    /// From where.
    pub(crate) table: QualifiedName,
    /// Behind `WHERE`.
    pub(crate) relations: Vec<Relation>,
    /// Behind `GROUP BY`.
    pub(crate) group_by: Vec<Selector>,
    /// Behind `ORDER BY`.
    pub(crate) order_by: Vec<Ordering>,
    /// `PER PARTITION LIMIT`: an integer or a marker.
    pub(crate) per_partition_limit: Option<Term>,
    /// `LIMIT`: an integer or a marker.
    pub(crate) limit: Option<Term>,
    /// `ALLOW FILTERING`
    pub(crate) allow_filtering: bool,
}
