//! The ten types of values, by name.

use std::fmt;
use std::str::FromStr;

use crate::item::ExpressionFault;

/// The type of a value.
///
/// # Examples
/// ```
/// use larder::item::TypeName;
/// assert_eq!("BOOL".parse(), Ok(TypeName::Bool));
/// assert_eq!(TypeName::Ss.to_string(), "SS");
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `AttributeValue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeName {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
    /// A truth value.
    Bool,
    /// Null.
    Null,
    /// A map.
    M,
    /// A list.
    L,
    /// A set of strings.
    Ss,
    /// A set of numbers.
    Ns,
    /// A set of byte strings.
    Bs,
}

impl TypeName {
    /// All types.
    const ALL: [Self; 10] =
        [Self::S, Self::N, Self::B, Self::Bool, Self::Null, Self::M, Self::L, Self::Ss, Self::Ns, Self::Bs];

    /// The type as the service abbreviates it: `"S"`, `"BOOL"`, `"NS"`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::TypeName::Null.as_str(), "NULL");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::M => "M",
            Self::L => "L",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
        }
    }

    /// The type by its long name, which some messages of the service have.
    pub(super) fn long_name(self) -> &'static str {
        match self {
            Self::S => "STRING",
            Self::N => "NUMBER",
            Self::B => "BINARY",
            Self::Bool => "BOOLEAN",
            Self::Null => "NULL",
            Self::M => "MAP",
            Self::L => "LIST",
            Self::Ss => "STRING_SET",
            Self::Ns => "NUMBER_SET",
            Self::Bs => "BINARY_SET",
        }
    }

    /// Whether values of this type have an order.
    pub(super) fn is_ordered(self) -> bool {
        matches!(self, Self::S | Self::N | Self::B)
    }

    pub(super) fn is_set(self) -> bool {
        matches!(self, Self::Ss | Self::Ns | Self::Bs)
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TypeName {
    type Err = ExpressionFault;

    /// # Errors
    /// [`ExpressionFault::UnknownType`] for other names.
    fn from_str(text: &str) -> Result<Self, ExpressionFault> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| ExpressionFault::UnknownType(text.to_owned()))
    }
}
