//! Terms and relations.

use std::fmt::{self, Display, Formatter};

use super::{Joined, Pairs, Quoted, when};
use crate::wide_column::cql::ast::{
    Arithmetic, Call, Comparison, InTuples, InValues, Literal, LiteralKind, Marker, Relation, Term,
};

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind {
            LiteralKind::String => Quoted(&self.text).fmt(f),
            _ => f.write_str(&self.text),
        }
    }
}

impl Display for Marker {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, ":{name}"),
            None => f.write_str("?"),
        }
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        })
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl<T: Display> Display for Call<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function, Joined(&self.arguments, ", "))
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Null => f.write_str("NULL"),
            Self::Marker(marker) => marker.fmt(f),
            Self::List(terms) => write!(f, "[{}]", Joined(terms, ", ")),
            Self::Set(terms) => write!(f, "{{{}}}", Joined(terms, ", ")),
            Self::Map(entries) => write!(f, "{{{}}}", Pairs(entries, ": ")),
            Self::UserType(fields) => write!(f, "{{{}}}", Pairs(fields, ": ")),
            Self::Tuple(terms) => write!(f, "({})", Joined(terms, ", ")),
            Self::Call(call) => call.fmt(f),
            Self::Hint(hint, term) => write!(f, "({hint}) {term}"),
            Self::Cast(term, to) => write!(f, "CAST({term} AS {to})"),
            // With a space, for two signs would begin a comment and a sign with digits is one token.
            Self::Negation(term) => write!(f, "- {term}"),
            Self::Operation(left, operator, right) => write!(f, "{left} {operator} {right}"),
        }
    }
}

impl Display for InValues {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marker(marker) => marker.fmt(f),
            Self::List(terms) => write!(f, "({})", Joined(terms, ", ")),
        }
    }
}

impl Display for InTuples {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marker(marker) => marker.fmt(f),
            Self::List(terms) => write!(f, "({})", Joined(terms, ", ")),
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { column, comparison, value } => write!(f, "{column} {comparison} {value}"),
            Self::Like { column, pattern } => write!(f, "{column} LIKE {pattern}"),
            Self::IsNotNull(column) => write!(f, "{column} IS NOT NULL"),
            Self::In { column, values } => write!(f, "{column} IN {values}"),
            Self::Contains { column, key, value } => write!(f, "{column} CONTAINS {}{value}", when(*key, "KEY ")),
            Self::Element { column, key, comparison, value } => write!(f, "{column}[{key}] {comparison} {value}"),
            Self::Token { columns, comparison, value } => {
                write!(f, "TOKEN({}) {comparison} {value}", Joined(columns, ", "))
            }
            Self::Columns { columns, comparison, value } => {
                write!(f, "({}) {comparison} {value}", Joined(columns, ", "))
            }
            Self::ColumnsIn { columns, values } => write!(f, "({}) IN {values}", Joined(columns, ", ")),
            Self::Expression { index, value } => write!(f, "expr({index}, {value})"),
        }
    }
}
