//! The types a column can have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Type of a column. Its values are [`CqlValue`](super::CqlValue)s.
///
/// # Examples
/// ```
/// use larder::wide_column::CqlType;
/// assert_eq!(CqlType::Bigint.to_string(), "bigint");
/// assert_eq!("VarInt".parse::<CqlType>()?, CqlType::Varint);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, *Data types*. `counter`, `duration`, collections, tuples and user-defined types are
/// not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[non_exhaustive]
#[repr(u8)]
pub enum CqlType {
    // The numbers are stored in the catalogue; they are those of the protocol's `option` notation.
    /// Text of ASCII characters, in byte order.
    Ascii = 0x01,
    /// Signed integer of 64 bits.
    Bigint = 0x02,
    /// Bytes, in unsigned byte order.
    Blob = 0x03,
    /// `false` before `true`.
    Boolean = 0x04,
    /// Decimal of any size; 1.0 and 1.00 are equal.
    Decimal = 0x06,
    /// Float of 64 bits; -0.0 before 0.0, NaN last.
    Double = 0x07,
    /// Float of 32 bits; -0.0 before 0.0, NaN last.
    Float = 0x08,
    /// Signed integer of 32 bits.
    Int = 0x09,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp = 0x0b,
    /// UUID of any version, ordered by version, then (version 1) time, then bytes.
    Uuid = 0x0c,
    /// UTF-8 text, in byte order.
    Text = 0x0d,
    /// Integer of any size.
    Varint = 0x0e,
    /// UUID of version 1, ordered by time, then by its other bytes taken as signed.
    Timeuuid = 0x0f,
    /// Address of IPv4 or IPv6, in byte order.
    Inet = 0x10,
    /// Day, without a time or time zone.
    Date = 0x11,
    /// Nanoseconds since midnight.
    Time = 0x12,
    /// Signed integer of 16 bits.
    Smallint = 0x13,
    /// Signed integer of 8 bits.
    Tinyint = 0x14,
}

impl CqlType {
    /// Every type there is.
    pub(super) const ALL: [Self; 18] = [
        Self::Ascii,
        Self::Bigint,
        Self::Blob,
        Self::Boolean,
        Self::Decimal,
        Self::Double,
        Self::Float,
        Self::Int,
        Self::Timestamp,
        Self::Uuid,
        Self::Text,
        Self::Varint,
        Self::Timeuuid,
        Self::Inet,
        Self::Date,
        Self::Time,
        Self::Smallint,
        Self::Tinyint,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Bigint => "bigint",
            Self::Blob => "blob",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Double => "double",
            Self::Float => "float",
            Self::Int => "int",
            Self::Timestamp => "timestamp",
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Varint => "varint",
            Self::Timeuuid => "timeuuid",
            Self::Inet => "inet",
            Self::Date => "date",
            Self::Time => "time",
            Self::Smallint => "smallint",
            Self::Tinyint => "tinyint",
        }
    }
}

impl FromStr for CqlType {
    type Err = Error;

    /// Reads the name of a type, whatever its case.
    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|cql_type| cql_type.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::unsupported(format!("the column type {name:?}")))
    }
}

impl fmt::Display for CqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<CqlType> for u8 {
    fn from(cql_type: CqlType) -> Self {
        cql_type as u8
    }
}

impl TryFrom<u8> for CqlType {
    type Error = String;

    fn try_from(tag: u8) -> std::result::Result<Self, String> {
        Self::ALL.into_iter().find(|candidate| *candidate as u8 == tag).ok_or_else(|| format!("column type {tag:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_comes_back_from_its_number_and_other_numbers_are_errors() {
        for tag in 0..=u8::MAX {
            match CqlType::try_from(tag) {
                Ok(found) => assert_eq!(u8::from(found), tag),
                Err(_) => assert!(CqlType::ALL.iter().all(|known| u8::from(*known) != tag)),
            }
        }
        assert_eq!(u8::from(CqlType::Text), 0x0d);
    }
}
