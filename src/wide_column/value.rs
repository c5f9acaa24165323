//! Values of columns.

use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use uuid::Uuid;

use crate::clock::Timestamp;

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
/// | `Empty`              | those that have an empty value: not `tinyint`, `smallint`, `date`, `time`, `duration`, `counter` and what has parts | |
/// | every other          | the type of its name    | the Rust type it holds, where no other variant holds it |
///
/// Null, not set and empty are three things: the first deletes, the second leaves what is there, the third is a value of no bytes.
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
    /// The value of no bytes of a type that is not text or bytes.
    Empty,
    /// Bytes.
    Blob(Vec<u8>),
    /// A truth value.
    Boolean(bool),
    /// What a counter has come to.
    Counter(i64),
    /// Days, with 1970-01-01 at 2^31; see [`CqlValue::date_from_days_since_epoch`].
    Date(u32),
    /// A decimal of any size.
    Decimal(BigDecimal),
    /// A float of 64 bits.
    Double(f64),
    /// Months, days and nanoseconds, none of them negative or none positive.
    Duration {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Nanoseconds.
        nanoseconds: i64,
    },
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
    /// Elements of a list.
    List(Vec<CqlValue>),
    /// Elements of a set, in any order; each counts once.
    Set(Vec<CqlValue>),
    /// Keys and values of a map, in any order; of a key that is there twice the last value counts.
    Map(Vec<(CqlValue, CqlValue)>),
    /// The values of a tuple; those that are missing at its end are null.
    Tuple(Vec<CqlValue>),
    /// The values of a user's type, by the names of its fields; those that are missing are null.
    Udt(Vec<(String, CqlValue)>),
    /// The elements of a vector.
    Vector(Vec<CqlValue>),
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

    /// What kind of value it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unset => "value that is not set",
            Self::Empty => "value of no bytes",
            Self::Blob(_) => "blob",
            Self::Boolean(_) => "boolean",
            Self::Counter(_) => "counter",
            Self::Date(_) => "date",
            Self::Decimal(_) => "decimal",
            Self::Double(_) => "double",
            Self::Duration { .. } => "duration",
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
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Udt(_) => "value of a user's type",
            Self::Vector(_) => "vector",
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
