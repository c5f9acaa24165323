//! Types, as they are named.

use crate::wide_column::cql::ast::name::QualifiedName;

macro_rules! native_types {
    ($($variant:ident $name:literal,)*) => {
        /// A scalar type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum NativeType {
            $(#[doc = $name] $variant,)*
        }

        impl NativeType {
            /// Every one of them.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, in lower case.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

native_types! {
    Ascii "ascii",
    Bigint "bigint",
    Blob "blob",
    Boolean "boolean",
    Counter "counter",
    Date "date",
    Decimal "decimal",
    Double "double",
    Duration "duration",
    Float "float",
    Inet "inet",
    Int "int",
    Smallint "smallint",
    Text "text",
    Time "time",
    Timestamp "timestamp",
    Timeuuid "timeuuid",
    Tinyint "tinyint",
    Uuid "uuid",
    Varchar "varchar",
    Varint "varint",
}

/// The name of a type. Which user-defined types there are, and what may be within what, is for the planner to find.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TypeName {
    /// A scalar type.
    Native(NativeType),
    /// `list<…>`
    List(Box<Self>),
    /// `set<…>`
    Set(Box<Self>),
    /// `map<…, …>`
    Map(Box<Self>, Box<Self>),
    /// `tuple<…>`
    Tuple(Vec<Self>),
    /// `vector<…, n>`
    Vector(Box<Self>, u32),
    /// A user-defined type.
    User(QualifiedName),
    /// `frozen<…>`
    Frozen(Box<Self>),
    /// A class of Java, in quotes.
    Custom(Box<str>),
}
