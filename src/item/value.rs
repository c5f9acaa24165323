//! Attribute values: the ten types of an item's attributes.

use std::collections::{BTreeMap, BTreeSet, btree_set};
use std::fmt;

use crate::error::{Error, InvalidKind, Result};
use crate::item::Number;

/// A value of an attribute, or of an element of a list or map.
///
/// # Examples
/// ```
/// use larder::item::{AttributeValue, Set};
/// assert_eq!(AttributeValue::from("a"), AttributeValue::S("a".into()));
/// assert_eq!(AttributeValue::from(7).as_n().and_then(|n| n.to_i64()), Some(7));
/// let tags = AttributeValue::Ss(Set::new(["red", "blue"])?);
/// assert_eq!(tags.type_name(), "SS");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Nesting
/// A table stores lists and maps up to [`limits::ITEM_DEPTH_MAX`](crate::limits::ITEM_DEPTH_MAX) levels deep, and what it
/// returns is no deeper. A program may build a deeper value: every call refuses it without recursion, and an
/// [`Item`](crate::item::Item) that holds it is dropped without. Copying, comparing, printing or dropping the value by
/// itself takes stack for each of its levels, as it does for any nested type.
///
/// # Source
/// `DynamoDB` API Reference, `AttributeValue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string, ordered by its UTF-8 bytes.
    S(String),
    /// A number.
    N(Number),
    /// Bytes, ordered as unsigned.
    B(Vec<u8>),
    /// A truth value.
    Bool(bool),
    /// Null: known to have no value.
    Null,
    /// A map from names to values.
    M(BTreeMap<String, AttributeValue>),
    /// A list of values of any types.
    L(Vec<AttributeValue>),
    /// A set of strings.
    Ss(Set<String>),
    /// A set of numbers.
    Ns(Set<Number>),
    /// A set of byte strings.
    Bs(Set<Vec<u8>>),
}

impl AttributeValue {
    /// The values directly inside a list or map.
    fn inside(self) -> impl Iterator<Item = Self> {
        let (list, map) = match self {
            Self::L(list) => (list, BTreeMap::new()),
            Self::M(map) => (Vec::new(), map),
            _ => (Vec::new(), BTreeMap::new()),
        };
        list.into_iter().chain(map.into_values())
    }

    fn is_nestable(&self) -> bool {
        matches!(self, Self::L(_) | Self::M(_))
    }

    /// Whether a list or map is directly inside this one.
    fn is_nested(&self) -> bool {
        match self {
            Self::L(list) => list.iter().any(Self::is_nestable),
            Self::M(map) => map.values().any(Self::is_nestable),
            _ => false,
        }
    }

    /// The type as `DynamoDB` abbreviates it: `"S"`, `"BOOL"`, `"NS"`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::AttributeValue::Null.type_name(), "NULL");
    /// ```
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// The string, when it is one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeValue;
    /// assert_eq!(AttributeValue::from("a").as_s(), Some("a"));
    /// assert_eq!(AttributeValue::from(1).as_s(), None);
    /// ```
    #[must_use]
    pub fn as_s(&self) -> Option<&str> {
        if let Self::S(string) = self { Some(string) } else { None }
    }

    /// The number, when it is one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{AttributeValue, Number};
    /// assert_eq!(AttributeValue::from(1).as_n(), Some(&Number::from(1)));
    /// ```
    #[must_use]
    pub fn as_n(&self) -> Option<&Number> {
        if let Self::N(number) = self { Some(number) } else { None }
    }

    /// The bytes, when it is binary.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeValue;
    /// assert_eq!(AttributeValue::from(vec![1u8]).as_b(), Some(&[1u8][..]));
    /// ```
    #[must_use]
    pub fn as_b(&self) -> Option<&[u8]> {
        if let Self::B(bytes) = self { Some(bytes) } else { None }
    }

    /// The truth value, when it is one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeValue;
    /// assert_eq!(AttributeValue::from(true).as_bool(), Some(true));
    /// ```
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The map, when it is one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeValue;
    /// let map = AttributeValue::M([("a".to_owned(), AttributeValue::Null)].into());
    /// assert_eq!(map.as_m().map(|map| map.len()), Some(1));
    /// ```
    #[must_use]
    pub fn as_m(&self) -> Option<&BTreeMap<String, AttributeValue>> {
        if let Self::M(map) = self { Some(map) } else { None }
    }

    /// The list, when it is one.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeValue;
    /// let list = AttributeValue::from(vec![AttributeValue::Null]);
    /// assert_eq!(list.as_l(), Some(&[AttributeValue::Null][..]));
    /// ```
    #[must_use]
    pub fn as_l(&self) -> Option<&[AttributeValue]> {
        if let Self::L(list) = self { Some(list) } else { None }
    }
}

/// Drops values without recursion. What nests no deeper than a list or map of scalars takes no memory for it.
pub(super) fn dismantle(values: impl Iterator<Item = AttributeValue>) {
    let mut waiting: Vec<_> = values.filter(AttributeValue::is_nested).collect();
    while let Some(value) = waiting.pop() {
        waiting.extend(value.inside().filter(AttributeValue::is_nested));
    }
}

impl From<&str> for AttributeValue {
    fn from(value: &str) -> Self {
        Self::S(value.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::S(value)
    }
}

impl From<&String> for AttributeValue {
    fn from(value: &String) -> Self {
        Self::S(value.clone())
    }
}

impl<T: Into<Number>> From<T> for AttributeValue {
    fn from(value: T) -> Self {
        Self::N(value.into())
    }
}

impl From<&[u8]> for AttributeValue {
    fn from(value: &[u8]) -> Self {
        Self::B(value.to_vec())
    }
}

impl From<Vec<u8>> for AttributeValue {
    fn from(value: Vec<u8>) -> Self {
        Self::B(value)
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<BTreeMap<String, AttributeValue>> for AttributeValue {
    fn from(value: BTreeMap<String, AttributeValue>) -> Self {
        Self::M(value)
    }
}

impl From<Vec<AttributeValue>> for AttributeValue {
    fn from(value: Vec<AttributeValue>) -> Self {
        Self::L(value)
    }
}

impl From<Set<String>> for AttributeValue {
    fn from(value: Set<String>) -> Self {
        Self::Ss(value)
    }
}

impl From<Set<Number>> for AttributeValue {
    fn from(value: Set<Number>) -> Self {
        Self::Ns(value)
    }
}

impl From<Set<Vec<u8>>> for AttributeValue {
    fn from(value: Set<Vec<u8>>) -> Self {
        Self::Bs(value)
    }
}

/// A set of one type: never empty, no element twice. The order it iterates in is that of the elements.
///
/// # Examples
/// ```
/// use larder::item::{Number, Set};
/// let set: Set<Number> = Set::new([3, 1])?;
/// assert!(set.contains(&Number::from(1)));
/// assert!(Set::<Number>::new([1, 1]).is_err(), "an element twice");
/// assert!(Set::<String>::new([""; 0]).is_err(), "an empty set");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Supported data types*: Sets.
#[derive(Clone, PartialEq, Eq)]
pub struct Set<T>(BTreeSet<T>);

impl<T: Ord> Set<T> {
    /// A set of `elements`, in any order.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are none, or two are equal.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Set;
    /// assert_eq!(Set::<String>::new(["b", "a"])?.iter().next().unwrap(), "a");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn new(elements: impl IntoIterator<Item = impl Into<T>>) -> Result<Self> {
        let mut set = BTreeSet::new();
        for element in elements {
            if !set.insert(element.into()) {
                return Err(Error::invalid(InvalidKind::Value, "a set holds no element twice"));
            }
        }
        if set.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "a set is never empty"));
        }
        Ok(Self(set))
    }

    /// Whether `element` is in the set.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Set;
    /// assert!(Set::<String>::new(["a"])?.contains(&"a".to_owned()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn contains(&self, element: &T) -> bool {
        self.0.contains(element)
    }
}

impl<T> Set<T> {
    /// The elements, smallest first; the iterator knows how many there are.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Set;
    /// assert_eq!(Set::<String>::new(["a", "b"])?.iter().len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn iter(&self) -> btree_set::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = btree_set::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = btree_set::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // SEM: ITM-TYP-1, ITM-TYP-2
    fn a_set_is_not_empty_and_equal_numbers_are_one_member() {
        assert!(Set::<Vec<u8>>::new(Vec::<Vec<u8>>::new()).is_err());
        let one = || "1".parse::<Number>().unwrap();
        assert!(Set::<Number>::new([one(), "1.0".parse().unwrap()]).is_err());
        assert!(Set::<String>::new(["", "a"]).is_ok(), "empty members are allowed");
        assert_eq!(Set::<String>::new(["a", "b"]).unwrap(), Set::<String>::new(["b", "a"]).unwrap(), "unordered");
    }
}
