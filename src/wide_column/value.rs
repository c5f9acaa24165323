//! Values of columns.

use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::schema::Column;
use crate::wide_column::types::CqlType;

/// Nanoseconds in a day: what a `time` is below.
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Day number that stands for 1970-01-01.
const EPOCH_DAY: u32 = 1 << 31;

/// The value of a column, or the lack of one.
///
/// A value is never converted on the way in: a column takes the variant that belongs to its type, and nothing else.
///
/// | variant              | column types            | from                                     |
/// |----------------------|-------------------------|------------------------------------------|
/// | `Text`               | `ascii`, `text`         | `&str`, `String`                         |
/// | `Uuid`               | `uuid`, `timeuuid`      | [`Uuid`]                                 |
/// | `Timestamp`          | `timestamp`             | [`Timestamp`](crate::Timestamp)          |
/// | `Null`               | any but key columns     | `None`                                   |
/// | every other          | the type of its name    | the Rust type it holds; not `Date`, `Time` |
///
/// # Examples
/// ```
/// use larder::wide_column::CqlValue;
/// assert_eq!(CqlValue::from("signup"), CqlValue::Text("signup".into()));
/// assert_eq!(CqlValue::from(7), CqlValue::Int(7));
/// assert_eq!(CqlValue::from(None::<i64>), CqlValue::Null);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CqlValue {
    /// No value: writing it deletes the cell.
    Null,
    /// Not given: writing it leaves the cell as it is.
    Unset,
    /// Bytes.
    Blob(Vec<u8>),
    /// A truth value.
    Boolean(bool),
    /// Days, with 1970-01-01 at 2^31; see [`CqlValue::date_from_days_since_epoch`].
    Date(u32),
    /// A decimal of any size.
    Decimal(BigDecimal),
    /// A float of 64 bits.
    Double(f64),
    /// A float of 32 bits.
    Float(f32),
    /// An address.
    Inet(IpAddr),
    /// An integer of 32 bits.
    Int(i32),
    /// An integer of 64 bits.
    Bigint(i64),
    /// An integer of 16 bits.
    Smallint(i16),
    /// Text.
    Text(String),
    /// Nanoseconds since midnight, below one day.
    Time(i64),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// An integer of 8 bits.
    Tinyint(i8),
    /// A UUID.
    Uuid(Uuid),
    /// An integer of any size.
    Varint(BigInt),
}

impl CqlValue {
    /// The date `days` days after 1970-01-01, or before it when negative.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlValue;
    /// assert_eq!(CqlValue::date_from_days_since_epoch(0), CqlValue::Date(1 << 31));
    /// ```
    #[must_use]
    pub fn date_from_days_since_epoch(days: i32) -> Self {
        Self::Date(days.cast_unsigned() ^ EPOCH_DAY)
    }

    /// Days since 1970-01-01 of a date, `None` of anything else.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlValue;
    /// assert_eq!(CqlValue::date_from_days_since_epoch(-3).days_since_epoch(), Some(-3));
    /// ```
    #[must_use]
    pub fn days_since_epoch(&self) -> Option<i32> {
        match self {
            Self::Date(days) => Some((days ^ EPOCH_DAY).cast_signed()),
            _ => None,
        }
    }

    /// The text, `None` of anything else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::wide_column::CqlValue::from("a").as_text(), Some("a"));
    /// ```
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Refuses a value that `column` does not take. [`Null`](Self::Null) and [`Unset`](Self::Unset) pass.
    pub(super) fn check(&self, column: &Column) -> Result<()> {
        let (name, expected) = (column.name(), column.column_type());
        if !self.has_type(expected) {
            let message = format!("column {name:?} is {expected} and does not take a {}", self.kind());
            return Err(Error::invalid(InvalidKind::Type, message));
        }
        if let Some(fault) = self.fault(expected) {
            return Err(Error::invalid(InvalidKind::Value, format!("column {name:?}: {fault}")));
        }
        Ok(())
    }

    /// As [`check`](Self::check), and refuses null and not set too.
    pub(super) fn check_key(&self, column: &Column) -> Result<()> {
        if matches!(self, Self::Null | Self::Unset) {
            let message = format!("key column {:?} does not take a {}", column.name(), self.kind());
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        self.check(column)
    }

    fn has_type(&self, expected: CqlType) -> bool {
        match self {
            Self::Null | Self::Unset => true,
            Self::Blob(_) => expected == CqlType::Blob,
            Self::Boolean(_) => expected == CqlType::Boolean,
            Self::Date(_) => expected == CqlType::Date,
            Self::Decimal(_) => expected == CqlType::Decimal,
            Self::Double(_) => expected == CqlType::Double,
            Self::Float(_) => expected == CqlType::Float,
            Self::Inet(_) => expected == CqlType::Inet,
            Self::Int(_) => expected == CqlType::Int,
            Self::Bigint(_) => expected == CqlType::Bigint,
            Self::Smallint(_) => expected == CqlType::Smallint,
            Self::Text(_) => matches!(expected, CqlType::Ascii | CqlType::Text),
            Self::Time(_) => expected == CqlType::Time,
            Self::Timestamp(_) => expected == CqlType::Timestamp,
            Self::Tinyint(_) => expected == CqlType::Tinyint,
            Self::Uuid(_) => matches!(expected, CqlType::Timeuuid | CqlType::Uuid),
            Self::Varint(_) => expected == CqlType::Varint,
        }
    }

    /// What keeps a value of the right variant out of a column of type `expected`.
    fn fault(&self, expected: CqlType) -> Option<&'static str> {
        match (self, expected) {
            (Self::Text(text), CqlType::Ascii) if !text.is_ascii() => Some("the text is not ASCII"),
            (Self::Uuid(uuid), CqlType::Timeuuid) if uuid.get_version_num() != 1 => Some("a timeuuid has version 1"),
            (Self::Time(nanos), _) if !(0..NANOS_PER_DAY).contains(nanos) => Some("a time is within one day"),
            (Self::Decimal(decimal), _) if i32::try_from(decimal.fractional_digit_count()).is_err() => {
                Some("the scale of a decimal fits 32 bits")
            }
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unset => "value that is not set",
            Self::Blob(_) => "blob",
            Self::Boolean(_) => "boolean",
            Self::Date(_) => "date",
            Self::Decimal(_) => "decimal",
            Self::Double(_) => "double",
            Self::Float(_) => "float",
            Self::Inet(_) => "inet",
            Self::Int(_) => "int",
            Self::Bigint(_) => "bigint",
            Self::Smallint(_) => "smallint",
            Self::Text(_) => "text",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::Tinyint(_) => "tinyint",
            Self::Uuid(_) => "uuid",
            Self::Varint(_) => "varint",
        }
    }
}

/// `From` of the Rust types that belong to one variant.
macro_rules! from {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$from> for CqlValue {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

from! {
    &[u8] => Blob, Vec<u8> => Blob, bool => Boolean, BigDecimal => Decimal, f64 => Double, f32 => Float, IpAddr => Inet,
    i32 => Int, i64 => Bigint, i16 => Smallint, &str => Text, String => Text, i8 => Tinyint, Uuid => Uuid,
    BigInt => Varint,
}

impl From<Timestamp> for CqlValue {
    /// Rounds down to the millisecond, which is what a `timestamp` holds.
    fn from(moment: Timestamp) -> Self {
        Self::Timestamp(moment.as_millis())
    }
}

impl<T: Into<CqlValue>> From<Option<T>> for CqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of several columns, in the order the columns are named in: a tuple of up to eight, a vector or a slice.
///
/// # Examples
/// ```
/// use larder::wide_column::{CqlValue, Values};
/// assert_eq!((1, "a").into_values(), [CqlValue::Int(1), CqlValue::Text("a".into())]);
/// assert_eq!(().into_values(), []);
/// ```
pub trait Values {
    /// The values.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlValue, Values};
    /// assert_eq!(("ann", 7).into_values(), [CqlValue::from("ann"), CqlValue::from(7)]);
    /// ```
    fn into_values(self) -> Vec<CqlValue>;
}

impl Values for Vec<CqlValue> {
    fn into_values(self) -> Vec<CqlValue> {
        self
    }
}

impl Values for &[CqlValue] {
    fn into_values(self) -> Vec<CqlValue> {
        self.to_vec()
    }
}

impl<const N: usize> Values for [CqlValue; N] {
    fn into_values(self) -> Vec<CqlValue> {
        self.into()
    }
}

impl<const N: usize> Values for &[CqlValue; N] {
    fn into_values(self) -> Vec<CqlValue> {
        self.to_vec()
    }
}

impl Values for () {
    fn into_values(self) -> Vec<CqlValue> {
        Vec::new()
    }
}

macro_rules! tuple_values {
    ($($name:ident)+) => {
        impl<$($name: Into<CqlValue>),+> Values for ($($name,)+) {
            #[expect(non_snake_case, reason = "the fields are named after their type parameters")]
            fn into_values(self) -> Vec<CqlValue> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    };
}

tuple_values!(A);
tuple_values!(A B);
tuple_values!(A B C);
tuple_values!(A B C D);
tuple_values!(A B C D E);
tuple_values!(A B C D E F);
tuple_values!(A B C D E F G);
tuple_values!(A B C D E F G H);
