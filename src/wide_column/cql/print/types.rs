//! Types.

use std::fmt::{self, Display, Formatter};

use super::{Joined, Quoted};
use crate::wide_column::cql::ast::{NativeType, TypeName};

impl Display for NativeType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native(native) => native.fmt(f),
            Self::List(element) => write!(f, "list<{element}>"),
            Self::Set(element) => write!(f, "set<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Tuple(types) => write!(f, "tuple<{}>", Joined(types, ", ")),
            Self::Vector(element, dimension) => write!(f, "vector<{element}, {dimension}>"),
            Self::User(name) => name.fmt(f),
            Self::Frozen(inner) => write!(f, "frozen<{inner}>"),
            Self::Custom(class) => Quoted(class).fmt(f),
        }
    }
}
