//! `INSERT`, `UPDATE`, `DELETE` and batches of them.

use crate::wide_column::cql::ast::name::{Name, QualifiedName};
use crate::wide_column::cql::ast::term::{Comparison, InValues, Marker, Relation, Term};

/// One part of `USING`: an integer or a marker. Of two of a kind the later counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Using {
    /// `TIMESTAMP`, in microseconds
    Timestamp(Term),
    /// `TTL`, in seconds
    Ttl(Term),
}

/// `INSERT`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Insert {
    /// Into what.
    pub(crate) table: QualifiedName,
    /// Which columns.
    pub(crate) columns: Vec<Name>,
    /// What is written to them; perhaps not as many.
    pub(crate) values: Vec<Term>,
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// Behind `USING`.
    pub(crate) using: Vec<Using>,
}

/// Where the text of `INSERT JSON` is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JsonValue {
    /// In the statement.
    Text(Box<str>),
    /// Given later.
    Marker(Marker),
}

/// `INSERT JSON`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InsertJson {
    /// Into what.
    pub(crate) table: QualifiedName,
    /// The row.
    pub(crate) json: JsonValue,
    /// `DEFAULT UNSET`, rather than null.
    pub(crate) default_unset: bool,
    /// `IF NOT EXISTS`
    pub(crate) if_not_exists: bool,
    /// Behind `USING`.
    pub(crate) using: Vec<Using>,
}

/// One part of `SET`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Assignment {
    /// `column = value`
    Set(Name, Term),
    /// `column = column + value`
    Add(Name, Term),
    /// `column = column - value`
    Subtract(Name, Term),
    /// `column = value + column`
    Prepend(Name, Term),
    /// `column[key] = value`
    SetElement(Name, Term, Term),
    /// `column.field = value`
    SetField(Name, Name, Term),
}

impl Assignment {
    /// Which column it changes.
    pub(crate) fn column(&self) -> &Name {
        match self {
            Self::Set(column, _)
            | Self::Add(column, _)
            | Self::Subtract(column, _)
            | Self::Prepend(column, _)
            | Self::SetElement(column, ..)
            | Self::SetField(column, ..) => column,
        }
    }
}

/// What of a column a condition is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ConditionTarget {
    /// All of it.
    Column,
    /// `[key]`
    Element(Term),
    /// `.field`
    Field(Name),
}

/// How it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ConditionTest {
    /// With one value.
    Compare(Comparison, Term),
    /// With several.
    In(InValues),
    /// Whether it contains a value, or a key.
    Contains {
        /// Whether it is a key.
        key: bool,
        /// What is looked for.
        value: Term,
    },
}

/// One condition of a conditional write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// Which column.
    pub(crate) column: Name,
    /// What of it.
    pub(crate) target: ConditionTarget,
    /// What it has to be.
    pub(crate) test: ConditionTest,
}

/// Behind `IF`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Guard {
    /// There is no `IF`.
    None,
    /// `IF EXISTS`
    Exists,
    /// `IF` conditions
    Conditions(Vec<Condition>),
}

/// `UPDATE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    /// What.
    pub(crate) table: QualifiedName,
    /// Behind `USING`.
    pub(crate) using: Vec<Using>,
    /// Behind `SET`.
    pub(crate) assignments: Vec<Assignment>,
    /// Behind `WHERE`.
    pub(crate) relations: Vec<Relation>,
    /// Behind `IF`.
    pub(crate) guard: Guard,
}

/// What of a row is deleted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deletion {
    /// A column.
    Column(Name),
    /// An element of one.
    Element(Name, Term),
    /// A field of one.
    Field(Name, Name),
}

/// `DELETE`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delete {
    /// What of the rows; all of them when empty.
    pub(crate) deletions: Vec<Deletion>,
    /// From where.
    pub(crate) table: QualifiedName,
    /// `USING TIMESTAMP`, in microseconds: an integer or a marker.
    pub(crate) timestamp: Option<Term>,
    /// Behind `WHERE`.
    pub(crate) relations: Vec<Relation>,
    /// Behind `IF`.
    pub(crate) guard: Guard,
}

/// A statement that may be in a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Modification {
    /// `INSERT`
    Insert(Box<Insert>),
    /// `INSERT JSON`
    InsertJson(Box<InsertJson>),
    /// `UPDATE`
    Update(Box<Update>),
    /// `DELETE`
    Delete(Box<Delete>),
}

impl Modification {
    /// What it writes to.
    pub(crate) fn table(&self) -> &QualifiedName {
        match self {
            Self::Insert(own) => &own.table,
            Self::InsertJson(own) => &own.table,
            Self::Update(own) => &own.table,
            Self::Delete(own) => &own.table,
        }
    }

    /// Whether it has an `IF`.
    pub(crate) fn is_conditional(&self) -> bool {
        match self {
            Self::Insert(own) => own.if_not_exists,
            Self::InsertJson(own) => own.if_not_exists,
            Self::Update(own) => own.guard != Guard::None,
            Self::Delete(own) => own.guard != Guard::None,
        }
    }
}

/// What is promised of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BatchKind {
    /// All of it or nothing.
    Logged,
    /// `UNLOGGED`
    Unlogged,
    /// `COUNTER`
    Counter,
}

/// `BEGIN BATCH … APPLY BATCH`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    /// What is promised.
    pub(crate) kind: BatchKind,
    /// Behind `USING`.
    pub(crate) using: Vec<Using>,
    /// The statements.
    pub(crate) statements: Vec<Modification>,
}
