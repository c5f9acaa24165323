//! Primary keys, and the values that may be part of one.

use crate::error::{Error, InvalidKind, Result};
use crate::item::value::dismantle;
use crate::item::{AttributeValue, Number, ScalarAttributeType, Text};

/// A value of a key attribute: a string, a number or bytes.
///
/// # Examples
/// ```
/// use larder::item::KeyValue;
/// assert_eq!(KeyValue::from("USER#7"), KeyValue::S("USER#7".into()));
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Core components*: primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValue {
    /// A string.
    S(Text),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
}

impl KeyValue {
    pub(super) fn as_ref(&self) -> KeyRef<'_> {
        match self {
            Self::S(string) => KeyRef::S(string),
            Self::N(number) => KeyRef::N(*number),
            Self::B(bytes) => KeyRef::B(bytes),
        }
    }
}

impl From<&str> for KeyValue {
    fn from(value: &str) -> Self {
        Self::S(value.into())
    }
}

impl From<String> for KeyValue {
    fn from(value: String) -> Self {
        Self::S(value.into())
    }
}

impl From<&String> for KeyValue {
    fn from(value: &String) -> Self {
        Self::S(value.into())
    }
}

impl<T: Into<Number>> From<T> for KeyValue {
    fn from(value: T) -> Self {
        Self::N(value.into())
    }
}

impl From<&[u8]> for KeyValue {
    fn from(value: &[u8]) -> Self {
        Self::B(value.to_vec())
    }
}

impl From<Vec<u8>> for KeyValue {
    fn from(value: Vec<u8>) -> Self {
        Self::B(value)
    }
}

impl TryFrom<AttributeValue> for KeyValue {
    type Error = Error;

    /// # Errors
    /// [`Error::Invalid`] when the value has a type that no key attribute has.
    fn try_from(value: AttributeValue) -> Result<Self> {
        match value {
            AttributeValue::S(string) => Ok(Self::S(string)),
            AttributeValue::N(number) => Ok(Self::N(number)),
            AttributeValue::B(bytes) => Ok(Self::B(bytes)),
            other => {
                let message = format!("a key attribute has type S, N or B, not {}", other.type_name());
                dismantle(std::iter::once(other));
                Err(Error::invalid(InvalidKind::Type, message))
            }
        }
    }
}

impl From<KeyValue> for AttributeValue {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::S(string) => Self::S(string),
            KeyValue::N(number) => Self::N(number),
            KeyValue::B(bytes) => Self::B(bytes),
        }
    }
}

/// A borrowed [`KeyValue`].
#[derive(Clone, Copy)]
pub(super) enum KeyRef<'a> {
    S(&'a str),
    N(Number),
    B(&'a [u8]),
}

impl<'a> KeyRef<'a> {
    /// The value, when it has a type that a key may have.
    pub(super) fn of(value: &'a AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::S(string) => Some(Self::S(string)),
            AttributeValue::N(number) => Some(Self::N(*number)),
            AttributeValue::B(bytes) => Some(Self::B(bytes)),
            _ => None,
        }
    }

    /// What an empty value is called, when this is one.
    pub(super) fn kind_if_empty(self) -> Option<&'static str> {
        match self {
            Self::S("") => Some("string"),
            Self::B([]) => Some("binary"),
            _ => None,
        }
    }

    pub(super) fn key_type(self) -> ScalarAttributeType {
        match self {
            Self::S(_) => ScalarAttributeType::S,
            Self::N(_) => ScalarAttributeType::N,
            Self::B(_) => ScalarAttributeType::B,
        }
    }
}

/// A primary key: the value of the partition key and, in tables that have one, of the sort key.
///
/// Written as a tuple where one is asked for: `("USER#7",)` or `("USER#7", "EVENT#1")`.
///
/// # Examples
/// ```
/// use larder::item::{Key, KeyValue};
/// let key = Key::from(("USER#7", 3));
/// assert_eq!(key.partition(), &KeyValue::from("USER#7"));
/// assert_eq!(key.sort(), Some(&KeyValue::from(3)));
/// assert_eq!(Key::from(("USER#7",)).sort(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    partition: KeyValue,
    sort: Option<KeyValue>,
}

impl Key {
    /// The value of the partition key.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Key, KeyValue};
    /// assert_eq!(Key::from(("USER#7", 3)).partition(), &KeyValue::from("USER#7"));
    /// ```
    #[must_use]
    pub fn partition(&self) -> &KeyValue {
        &self.partition
    }

    /// The value of the sort key, if the key has one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Key, KeyValue};
    /// assert_eq!(Key::from(("USER#7", 3)).sort(), Some(&KeyValue::from(3)));
    /// assert_eq!(Key::from(("USER#7",)).sort(), None);
    /// ```
    #[must_use]
    pub fn sort(&self) -> Option<&KeyValue> {
        self.sort.as_ref()
    }
}

impl<P: Into<KeyValue>> From<(P,)> for Key {
    fn from((partition,): (P,)) -> Self {
        Self { partition: partition.into(), sort: None }
    }
}

impl<P: Into<KeyValue>, S: Into<KeyValue>> From<(P, S)> for Key {
    fn from((partition, sort): (P, S)) -> Self {
        Self { partition: partition.into(), sort: Some(sort.into()) }
    }
}

impl<P: Into<KeyValue>> From<P> for Key {
    fn from(partition: P) -> Self {
        Self { partition: partition.into(), sort: None }
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}
