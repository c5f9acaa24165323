//! The types a column can have.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::limits;

/// Type of a column. Its values are [`CqlValue`](super::CqlValue)s.
///
/// A type is a tree: a list has a type of elements, which may be another list. Clones share it.
///
/// # Examples
/// ```
/// use larder::wide_column::CqlType;
/// assert_eq!(CqlType::Bigint.to_string(), "bigint");
/// assert_eq!("VarInt".parse::<CqlType>()?, CqlType::Varint);
/// let tags = CqlType::map(CqlType::Text, CqlType::frozen(CqlType::list(CqlType::Int)));
/// assert_eq!(tags.to_string(), "map<text, frozen<list<int>>>");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, *Data types*.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<u8>", try_from = "Vec<u8>")]
#[non_exhaustive]
pub enum CqlType {
    /// Text of ASCII characters, in byte order.
    Ascii,
    /// Signed integer of 64 bits.
    Bigint,
    /// Bytes, in unsigned byte order.
    Blob,
    /// `false` before `true`.
    Boolean,
    /// Integer of 64 bits that is only added to.
    Counter,
    /// Day, without a time or time zone.
    Date,
    /// Decimal of any size; 1.0 and 1.00 are equal.
    Decimal,
    /// Float of 64 bits; -0.0 before 0.0, NaN last.
    Double,
    /// Months, days and nanoseconds; it has no order.
    Duration,
    /// Float of 32 bits; -0.0 before 0.0, NaN last.
    Float,
    /// Address of IPv4 or IPv6, in byte order.
    Inet,
    /// Signed integer of 32 bits.
    Int,
    /// Signed integer of 16 bits.
    Smallint,
    /// UTF-8 text, in byte order.
    Text,
    /// Nanoseconds since midnight.
    Time,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// UUID of version 1, ordered by time, then by its other bytes taken as signed.
    Timeuuid,
    /// Signed integer of 8 bits.
    Tinyint,
    /// UUID of any version, ordered by version, then (version 1) time, then bytes.
    Uuid,
    /// Integer of any size.
    Varint,
    /// Elements in the order they were put in.
    List(Arc<CqlType>),
    /// Distinct elements, in their order.
    Set(Arc<CqlType>),
    /// Distinct keys in their order, each with a value.
    Map(Arc<(CqlType, CqlType)>),
    /// A value of each of these types, or none.
    Tuple(Arc<[CqlType]>),
    /// A value of each field of a type that users have made.
    Udt(Arc<UserType>),
    /// So many elements, each there.
    Vector(Arc<CqlType>, u16),
    /// The same values, each written and read as a whole.
    Frozen(Arc<CqlType>),
}

/// A type that users have made: fields with names.
///
/// # Examples
/// ```
/// use larder::wide_column::{CqlType, UserType};
/// let address = UserType::new("shop", "address").field("street", CqlType::Text).field("number", CqlType::Int);
/// assert_eq!(CqlType::udt(address).to_string(), "address");
/// ```
///
/// # Source
/// CQL reference, `CREATE TYPE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserType {
    keyspace: String,
    name: String,
    fields: Vec<(String, CqlType)>,
}

impl UserType {
    /// A type without fields.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::wide_column::UserType::new("shop", "address").fields().len(), 0);
    /// ```
    #[must_use]
    pub fn new(keyspace: &str, name: &str) -> Self {
        Self { keyspace: keyspace.to_owned(), name: name.to_owned(), fields: Vec::new() }
    }

    /// Adds the next field.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, UserType};
    /// assert_eq!(UserType::new("shop", "address").field("street", CqlType::Text).fields()[0].0, "street");
    /// ```
    #[must_use]
    pub fn field(mut self, name: &str, field_type: CqlType) -> Self {
        self.fields.push((name.to_owned(), field_type));
        self
    }

    /// The keyspace it belongs to.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::wide_column::UserType::new("shop", "address").keyspace(), "shop");
    /// ```
    #[must_use]
    pub fn keyspace(&self) -> &str {
        &self.keyspace
    }

    /// Its name.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::wide_column::UserType::new("shop", "address").name(), "address");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields, each with its type, in their order.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, UserType};
    /// assert_eq!(UserType::new("shop", "a").field("b", CqlType::Int).fields(), [("b".to_owned(), CqlType::Int)]);
    /// ```
    #[must_use]
    pub fn fields(&self) -> &[(String, CqlType)] {
        &self.fields
    }

    pub(super) fn fields_mut(&mut self) -> &mut Vec<(String, CqlType)> {
        &mut self.fields
    }
}

// The numbers are stored in the catalogue; the first are those of the protocol's `option` notation. Never reuse one.
const NATIVE: [(u8, &str, CqlType); 20] = [
    (0x01, "ascii", CqlType::Ascii),
    (0x02, "bigint", CqlType::Bigint),
    (0x03, "blob", CqlType::Blob),
    (0x04, "boolean", CqlType::Boolean),
    (0x05, "counter", CqlType::Counter),
    (0x06, "decimal", CqlType::Decimal),
    (0x07, "double", CqlType::Double),
    (0x08, "float", CqlType::Float),
    (0x09, "int", CqlType::Int),
    (0x0b, "timestamp", CqlType::Timestamp),
    (0x0c, "uuid", CqlType::Uuid),
    (0x0d, "text", CqlType::Text),
    (0x0e, "varint", CqlType::Varint),
    (0x0f, "timeuuid", CqlType::Timeuuid),
    (0x10, "inet", CqlType::Inet),
    (0x11, "date", CqlType::Date),
    (0x12, "time", CqlType::Time),
    (0x13, "smallint", CqlType::Smallint),
    (0x14, "tinyint", CqlType::Tinyint),
    (0x15, "duration", CqlType::Duration),
];
const LIST: u8 = 0x20;
const MAP: u8 = 0x21;
const SET: u8 = 0x22;
const UDT: u8 = 0x30;
const TUPLE: u8 = 0x31;
const VECTOR: u8 = 0x40;
const FROZEN: u8 = 0x41;

impl CqlType {
    /// Lists of `element`.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::list(CqlType::Int).to_string(), "list<int>");
    /// ```
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// Sets of `element`.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::set(CqlType::Text).to_string(), "set<text>");
    /// ```
    #[must_use]
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// Maps from `key` to `value`.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::map(CqlType::Text, CqlType::Int).to_string(), "map<text, int>");
    /// ```
    #[must_use]
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// Tuples of these types.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::tuple([CqlType::Int, CqlType::Text]).to_string(), "tuple<int, text>");
    /// ```
    #[must_use]
    pub fn tuple(fields: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(fields.into_iter().collect())
    }

    /// Values of a type that users have made.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, UserType};
    /// assert_eq!(CqlType::udt(UserType::new("shop", "address")).to_string(), "address");
    /// ```
    #[must_use]
    pub fn udt(user_type: UserType) -> Self {
        Self::Udt(Arc::new(user_type))
    }

    /// Vectors of `dimension` elements.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::vector(CqlType::Float, 3).to_string(), "vector<float, 3>");
    /// ```
    #[must_use]
    pub fn vector(element: Self, dimension: u16) -> Self {
        Self::Vector(Arc::new(element), dimension)
    }

    /// The same values, written and read as a whole. Of a type that is so anyway, that type.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::CqlType;
    /// assert_eq!(CqlType::frozen(CqlType::set(CqlType::Int)).to_string(), "frozen<set<int>>");
    /// assert_eq!(CqlType::frozen(CqlType::Int), CqlType::Int);
    /// ```
    #[must_use]
    pub fn frozen(inner: Self) -> Self {
        match inner {
            Self::List(_) | Self::Set(_) | Self::Map(_) | Self::Tuple(_) | Self::Udt(_) => {
                Self::Frozen(Arc::new(inner))
            }
            other => other,
        }
    }

    /// The type without what says that it is frozen.
    pub(crate) fn thawed(&self) -> &Self {
        match self {
            Self::Frozen(inner) => inner.thawed(),
            other => other,
        }
    }

    /// Whether each element is a cell of its own: a list, set, map or user's type that is not frozen.
    pub(crate) fn is_multi_cell(&self) -> bool {
        matches!(self, Self::List(_) | Self::Set(_) | Self::Map(_) | Self::Udt(_))
    }

    /// Whether it is a list, set or map, frozen or not.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self.thawed(), Self::List(_) | Self::Set(_) | Self::Map(_))
    }

    /// Whether no bytes at all are a value of it, which is not null.
    pub(crate) fn has_empty_value(&self) -> bool {
        !matches!(
            self,
            Self::Counter
                | Self::Date
                | Self::Duration
                | Self::Smallint
                | Self::Time
                | Self::Tinyint
                | Self::List(_)
                | Self::Set(_)
                | Self::Map(_)
                | Self::Tuple(_)
                | Self::Udt(_)
                | Self::Vector(..)
                | Self::Frozen(_)
        )
    }

    /// Bytes of a serialized value, where all have the same number, the empty one aside.
    pub(crate) fn width(&self) -> Option<usize> {
        match self {
            Self::Boolean | Self::Tinyint => Some(1),
            Self::Smallint => Some(2),
            Self::Int | Self::Float | Self::Date => Some(4),
            Self::Bigint | Self::Counter | Self::Double | Self::Time | Self::Timestamp => Some(8),
            Self::Uuid | Self::Timeuuid => Some(16),
            Self::Vector(element, dimension) => Some(element.width_in_vector()? * usize::from(*dimension)),
            _ => None,
        }
    }

    /// The same where the type is that of a vector's elements: Cassandra has the length before some that are all of one, too.
    pub(crate) fn width_in_vector(&self) -> Option<usize> {
        match self {
            Self::Tinyint | Self::Smallint | Self::Date | Self::Time | Self::Counter => None,
            other => other.width(),
        }
    }

    /// Whether it, or a part of it, meets `test`.
    pub(crate) fn any(&self, test: &mut impl FnMut(&Self) -> bool) -> bool {
        if test(self) {
            return true;
        }
        match self {
            Self::List(element) | Self::Set(element) | Self::Vector(element, _) | Self::Frozen(element) => {
                element.any(test)
            }
            Self::Map(both) => both.0.any(test) || both.1.any(test),
            Self::Tuple(fields) => fields.iter().any(|field| field.any(test)),
            Self::Udt(user_type) => user_type.fields.iter().any(|(_, field)| field.any(test)),
            _ => false,
        }
    }

    /// The type with `to` in the place of every user's type of the same keyspace and name.
    pub(crate) fn with_user_type(&self, to: &UserType) -> Self {
        let each = |inner: &Self| Arc::new(inner.with_user_type(to));
        match self {
            Self::List(element) => Self::List(each(element)),
            Self::Set(element) => Self::Set(each(element)),
            Self::Vector(element, dimension) => Self::Vector(each(element), *dimension),
            Self::Frozen(element) => Self::Frozen(each(element)),
            Self::Map(both) => Self::map(both.0.with_user_type(to), both.1.with_user_type(to)),
            Self::Tuple(fields) => Self::Tuple(fields.iter().map(|field| field.with_user_type(to)).collect()),
            Self::Udt(own) if own.keyspace == to.keyspace && own.name == to.name => Self::udt(to.clone()),
            Self::Udt(own) => {
                let mut changed = own.as_ref().clone();
                changed.fields.iter_mut().for_each(|(_, field)| *field = field.with_user_type(to));
                Self::udt(changed)
            }
            native => native.clone(),
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::List(element) => element.put_behind(LIST, out),
            Self::Set(element) => element.put_behind(SET, out),
            Self::Frozen(element) => element.put_behind(FROZEN, out),
            Self::Map(both) => {
                both.0.put_behind(MAP, out);
                both.1.put(out);
            }
            Self::Vector(element, dimension) => {
                out.push(VECTOR);
                out.extend_from_slice(&dimension.to_be_bytes());
                element.put(out);
            }
            Self::Tuple(fields) => {
                out.push(TUPLE);
                put_count(out, fields.len());
                fields.iter().for_each(|field| field.put(out));
            }
            Self::Udt(user_type) => {
                out.push(UDT);
                put_text(out, &user_type.keyspace);
                put_text(out, &user_type.name);
                put_count(out, user_type.fields.len());
                for (name, field) in &user_type.fields {
                    put_text(out, name);
                    field.put(out);
                }
            }
            native => out.extend(NATIVE.iter().find(|(_, _, known)| known == native).map(|(tag, ..)| *tag)),
        }
    }

    fn put_behind(&self, tag: u8, out: &mut Vec<u8>) {
        out.push(tag);
        self.put(out);
    }

    fn take(reader: &mut Reader<'_>, levels: usize) -> Result<Self> {
        let too_deep = || Error::corrupt("column type", "it is nested too deeply");
        let below = levels.checked_sub(1).ok_or_else(too_deep)?;
        Ok(match reader.u8()? {
            LIST => Self::list(Self::take(reader, below)?),
            SET => Self::set(Self::take(reader, below)?),
            FROZEN => Self::Frozen(Arc::new(Self::take(reader, below)?)),
            MAP => Self::map(Self::take(reader, below)?, Self::take(reader, below)?),
            VECTOR => {
                let dimension = reader.u16()?;
                Self::vector(Self::take(reader, below)?, dimension)
            }
            TUPLE => {
                let fields = (0..reader.u16()?).map(|_| Self::take(reader, below)).collect::<Result<Vec<_>>>()?;
                Self::Tuple(fields.into())
            }
            UDT => {
                let mut user_type = UserType::new(&take_text(reader)?, &take_text(reader)?);
                for _ in 0..reader.u16()? {
                    user_type.fields.push((take_text(reader)?, Self::take(reader, below)?));
                }
                Self::udt(user_type)
            }
            tag => {
                let found = NATIVE.iter().find(|(known, ..)| *known == tag).map(|(_, _, native)| native.clone());
                found.ok_or_else(|| Error::corrupt("column type", format!("type {tag:02x} is not known")))?
            }
        })
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // Limits keep fields and names far below.
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn take_text(reader: &mut Reader<'_>) -> Result<String> {
    let length = reader.u16()?;
    let (text, rest) = reader.rest().split_at_checked(length.into()).ok_or_else(cut_short)?;
    let text = std::str::from_utf8(text).map_err(|_| Error::corrupt("column type", "a name is not UTF-8"))?;
    *reader = Reader::new(rest);
    Ok(text.to_owned())
}

fn cut_short() -> Error {
    Error::corrupt("column type", "a name is cut short")
}

impl FromStr for CqlType {
    type Err = Error;

    /// Reads the name of a native type, whatever its case.
    fn from_str(name: &str) -> Result<Self> {
        let name = if name.eq_ignore_ascii_case("varchar") { "text" } else { name };
        let found = NATIVE.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, _, native)| native.clone())
            .ok_or_else(|| Error::unsupported(format!("the column type {name:?}")))
    }
}

impl fmt::Display for CqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(element) => write!(f, "list<{element}>"),
            Self::Set(element) => write!(f, "set<{element}>"),
            Self::Frozen(inner) => write!(f, "frozen<{inner}>"),
            Self::Map(both) => write!(f, "map<{}, {}>", both.0, both.1),
            Self::Vector(element, dimension) => write!(f, "vector<{element}, {dimension}>"),
            Self::Tuple(fields) => {
                f.write_str("tuple<")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(">")
            }
            Self::Udt(user_type) => f.write_str(&quoted(&user_type.name)),
            native => {
                let found = NATIVE.iter().find(|(_, _, known)| known == native);
                f.pad(found.map_or("", |(_, name, _)| name))
            }
        }
    }
}

/// `name` as CQL has to write it: in quotes unless it is lower case already.
fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

impl From<CqlType> for Vec<u8> {
    fn from(cql_type: CqlType) -> Self {
        let mut out = Self::new();
        cql_type.put(&mut out);
        out
    }
}

impl TryFrom<Vec<u8>> for CqlType {
    type Error = String;

    fn try_from(bytes: Vec<u8>) -> std::result::Result<Self, String> {
        let mut reader = Reader::new(&bytes);
        let found = Self::take(&mut reader, limits::WIDE_TYPE_DEPTH_MAX).map_err(|error| error.to_string())?;
        if reader.rest().is_empty() { Ok(found) } else { Err("a column type with bytes left over".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_type() -> impl Strategy<Value = CqlType> {
        let native = (0..NATIVE.len()).prop_map(|at| NATIVE[at].2.clone());
        native.prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(CqlType::list),
                inner.clone().prop_map(CqlType::set),
                inner.clone().prop_map(CqlType::frozen),
                (inner.clone(), inner.clone()).prop_map(|(key, value)| CqlType::map(key, value)),
                (inner.clone(), 1u16..4).prop_map(|(element, dimension)| CqlType::vector(element, dimension)),
                prop::collection::vec(inner.clone(), 0..3).prop_map(CqlType::tuple),
                inner.prop_map(|field| CqlType::udt(UserType::new("k", "t").field("f", field))),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_type_comes_back(cql_type in any_type()) {
            let bytes = Vec::<u8>::from(cql_type.clone());
            prop_assert_eq!(CqlType::try_from(bytes).unwrap(), cql_type);
        }

        #[test]
        fn any_bytes_are_a_type_or_an_error(bytes in prop::collection::vec(prop_oneof![0u8..0x50, any::<u8>()], 0..40)) {
            if let Ok(cql_type) = CqlType::try_from(bytes.clone()) {
                prop_assert_eq!(Vec::<u8>::from(cql_type), bytes);
            }
        }
    }

    #[test]
    fn bytes_that_nest_deeply_do_not_overflow_the_stack() {
        assert!(CqlType::try_from(vec![LIST; 100_000]).is_err());
    }

    #[test]
    fn names_that_are_not_lower_case_are_quoted() {
        assert_eq!(CqlType::udt(UserType::new("k", "Ad\"dress")).to_string(), "\"Ad\"\"dress\"");
        assert_eq!("varchar".parse::<CqlType>().unwrap(), CqlType::Text);
        assert!("list<int>".parse::<CqlType>().is_err());
    }
}
