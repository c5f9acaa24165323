//! `SELECT`.

use std::fmt::{self, Display, Formatter};

use super::{Joined, Pairs, when};
use crate::wide_column::cql::ast::{Ordering, Relation, Select, Selected, Selection, Selector, TimeFunction};

/// `WHERE` and relations, if there are any.
pub(super) struct Where<'a>(pub(super) &'a [Relation]);

impl Display for Where<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " WHERE {}", Joined(self.0, " AND ")) }
    }
}

impl Display for TimeFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WriteTime => "WRITETIME",
            Self::MaxWriteTime => "MAXWRITETIME",
            Self::Ttl => "TTL",
        })
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => name.fmt(f),
            Self::Literal(literal) => literal.fmt(f),
            Self::Null => f.write_str("NULL"),
            Self::Marker(marker) => marker.fmt(f),
            Self::CountRows => f.write_str("COUNT(*)"),
            Self::Time(function, of) => write!(f, "{function}({of})"),
            Self::Cast(of, to) => write!(f, "CAST({of} AS {to})"),
            Self::Call(call) => call.fmt(f),
            Self::Field(of, field) => write!(f, "{of}.{field}"),
            Self::Element(of, key) => write!(f, "{of}[{key}]"),
            Self::Slice(of, from, to) => {
                write!(f, "{of}[")?;
                from.iter().try_for_each(|from| write!(f, "{from} "))?;
                f.write_str("..")?;
                to.iter().try_for_each(|to| write!(f, " {to}"))?;
                f.write_str("]")
            }
            Self::List(selectors) => write!(f, "[{}]", Joined(selectors, ", ")),
            Self::Set(selectors) => write!(f, "{{{}}}", Joined(selectors, ", ")),
            Self::MapOrUserType(entries) => write!(f, "{{{}}}", Pairs(entries, ": ")),
            Self::Tuple(selectors) => write!(f, "({})", Joined(selectors, ", ")),
            Self::Hint(hint, of) => write!(f, "({hint}) {of}"),
            Self::Negation(of) => write!(f, "- {of}"),
            Self::Operation(left, operator, right) => write!(f, "{left} {operator} {right}"),
        }
    }
}

impl Display for Selected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.selector.fmt(f)?;
        self.alias.iter().try_for_each(|alias| write!(f, " AS {alias}"))
    }
}

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Some(selected) => Joined(selected, ", ").fmt(f),
        }
    }
}

impl Display for Ordering {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)?;
        self.ann_of.iter().try_for_each(|ann_of| write!(f, " ANN OF {ann_of}"))?;
        f.write_str(when(self.descending, " DESC"))
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (json, distinct) = (when(self.json, "JSON "), when(self.distinct, "DISTINCT "));
        write!(f, "SELECT {json}{distinct}{} FROM {}{}", self.selection, self.table, Where(&self.relations))?;
        if !self.group_by.is_empty() {
            write!(f, " GROUP BY {}", Joined(&self.group_by, ", "))?;
        }
        if !self.order_by.is_empty() {
            write!(f, " ORDER BY {}", Joined(&self.order_by, ", "))?;
        }
        self.per_partition_limit.iter().try_for_each(|limit| write!(f, " PER PARTITION LIMIT {limit}"))?;
        self.limit.iter().try_for_each(|limit| write!(f, " LIMIT {limit}"))?;
        f.write_str(when(self.allow_filtering, " ALLOW FILTERING"))
    }
}
