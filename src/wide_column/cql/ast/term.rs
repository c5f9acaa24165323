//! Terms, and what rows are compared with.

pub(crate) use crate::wide_column::comparison::Comparison;
use crate::wide_column::cql::ast::name::{Name, QualifiedName};
use crate::wide_column::cql::ast::types::{NativeType, TypeName};

/// How a constant was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LiteralKind {
    /// In single quotes, or between `$$`.
    String,
    /// Digits.
    Integer,
    /// With a point or an exponent; `NaN`, `Infinity`, `-Infinity`.
    Float,
    /// `true`, `false`.
    Boolean,
    /// A duration.
    Duration,
    /// A UUID.
    Uuid,
    /// `0x…`
    Hex,
}

/// A constant: its type is found only when it meets that of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Literal {
    /// How it was written.
    pub(crate) kind: LiteralKind,
    /// What was written, without quotes.
    pub(crate) text: Box<str>,
}

/// A marker for a value that is given later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Marker {
    /// Its place among the markers of the statement, from 0.
    pub(crate) index: u16,
    /// Its name, if it is `:name` rather than `?`. Two of one name are two markers all the same.
    pub(crate) name: Option<Name>,
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// A function that is called.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call<T> {
    /// Which function.
    pub(crate) function: QualifiedName,
    /// With what.
    pub(crate) arguments: Vec<T>,
}

/// A value that does not come from a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    /// A constant.
    Literal(Literal),
    /// `NULL`
    Null,
    /// `?` or `:name`
    Marker(Marker),
    /// `[…]`, a list or a vector
    List(Vec<Self>),
    /// `{…}`; when empty, perhaps a map
    Set(Vec<Self>),
    /// `{… : …}`
    Map(Vec<(Self, Self)>),
    /// `{name : …}`
    UserType(Vec<(Name, Self)>),
    /// `(…)`; of one term, perhaps only parentheses
    Tuple(Vec<Self>),
    /// `f(…)`
    Call(Call<Self>),
    /// `(type) term`
    Hint(TypeName, Box<Self>),
    /// `CAST(… AS type)`
    Cast(Box<Self>, NativeType),
    /// `- term`
    Negation(Box<Self>),
    /// Two terms with an operator between them.
    Operation(Box<Self>, Arithmetic, Box<Self>),
}

/// What `IN` looks a column up in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InValues {
    /// One marker for all of them.
    Marker(Marker),
    /// The values.
    List(Vec<Term>),
}

/// What `IN` looks several columns up in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InTuples {
    /// One marker for all of them.
    Marker(Marker),
    /// The tuples: all of them [`Term::Tuple`]s, or all markers.
    List(Vec<Term>),
}

/// One of the conditions of a `WHERE`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Relation {
    /// `column = term`
    Column {
        /// Which column.
        column: Name,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Term,
    },
    /// `column LIKE term`
    Like {
        /// Which column.
        column: Name,
        /// The pattern.
        pattern: Term,
    },
    /// `column IS NOT NULL`
    IsNotNull(Name),
    /// `column IN …`
    In {
        /// Which column.
        column: Name,
        /// In what.
        values: InValues,
    },
    /// `column CONTAINS term`, `column CONTAINS KEY term`
    Contains {
        /// Which column.
        column: Name,
        /// Whether its keys are asked for.
        key: bool,
        /// What is looked for.
        value: Term,
    },
    /// `column[key] = term`
    Element {
        /// Which column.
        column: Name,
        /// Which element of it.
        key: Term,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        value: Term,
    },
    /// `TOKEN(columns) = term`
    Token {
        /// Which columns.
        columns: Vec<Name>,
        /// How their token is compared.
        comparison: Comparison,
        /// With what.
        value: Term,
    },
    /// `(columns) = tuple`
    Columns {
        /// Which columns.
        columns: Vec<Name>,
        /// How.
        comparison: Comparison,
        /// With what: a [`Term::Tuple`] or a marker.
        value: Term,
    },
    /// `(columns) IN …`
    ColumnsIn {
        /// Which columns.
        columns: Vec<Name>,
        /// In what.
        values: InTuples,
    },
    /// `expr(index, term)`
    Expression {
        /// Which index.
        index: Name,
        /// What it is asked.
        value: Term,
    },
}
