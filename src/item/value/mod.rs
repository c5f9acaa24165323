//! Attribute values: the ten types of an item's attributes.

mod map;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, btree_set};
use std::fmt;

use crate::error::Result;
use crate::item::{Fault, Number, SetType, Text, TypeName};

pub use map::{AttributeIter, AttributeMap};

/// A value of an attribute, or of an element of a list or map.
///
/// # Examples
/// ```
/// use larder::item::{AttributeValue, Set, TypeName};
/// assert_eq!(AttributeValue::from("a"), AttributeValue::S("a".into()));
/// assert_eq!(AttributeValue::from(7).as_n().and_then(|n| n.to_i64()), Some(7));
/// let tags = AttributeValue::Ss(Set::new(["red", "blue"])?);
/// assert_eq!(tags.type_name(), TypeName::Ss);
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
    S(Text),
    /// A number.
    N(Number),
    /// Bytes, ordered as unsigned.
    B(Vec<u8>),
    /// A truth value.
    Bool(bool),
    /// Null: known to have no value.
    Null,
    /// A map from names to values.
    M(AttributeMap),
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
            Self::L(list) => (list, AttributeMap::new()),
            Self::M(map) => (Vec::new(), map),
            _ => (Vec::new(), AttributeMap::new()),
        };
        list.into_iter().chain(map.into_iter().map(|(_, value)| value))
    }

    fn is_nestable(&self) -> bool {
        matches!(self, Self::L(_) | Self::M(_))
    }

    /// Whether a list or map is directly inside this one.
    pub(super) fn is_nested(&self) -> bool {
        match self {
            Self::L(list) => list.iter().any(Self::is_nestable),
            Self::M(map) => map.values().any(Self::is_nestable),
            _ => false,
        }
    }

    /// The type.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::AttributeValue::Null.type_name().as_str(), "NULL");
    /// ```
    #[must_use]
    pub fn type_name(&self) -> TypeName {
        match self {
            Self::S(_) => TypeName::S,
            Self::N(_) => TypeName::N,
            Self::B(_) => TypeName::B,
            Self::Bool(_) => TypeName::Bool,
            Self::Null => TypeName::Null,
            Self::M(_) => TypeName::M,
            Self::L(_) => TypeName::L,
            Self::Ss(_) => TypeName::Ss,
            Self::Ns(_) => TypeName::Ns,
            Self::Bs(_) => TypeName::Bs,
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
    /// let map = AttributeValue::M([("a", 5)].into());
    /// assert_eq!(map.as_m().and_then(|map| map.get("a")), Some(&5.into()));
    /// ```
    #[must_use]
    pub fn as_m(&self) -> Option<&AttributeMap> {
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
        Self::S(value.into())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::S(value.into())
    }
}

impl From<&String> for AttributeValue {
    fn from(value: &String) -> Self {
        Self::S(value.into())
    }
}

impl From<Text> for AttributeValue {
    fn from(value: Text) -> Self {
        Self::S(value)
    }
}

impl<T: Into<Number>> From<T> for AttributeValue {
    fn from(value: T) -> Self {
        Self::N(value.into())
    }
}

impl TryFrom<f64> for AttributeValue {
    type Error = Fault;

    /// As [`Number::try_from`].
    ///
    /// # Errors
    /// As there.
    fn try_from(value: f64) -> Result<Self, Fault> {
        let number = Number::try_from(value);
        number.map(Self::N).map_err(|_| Fault::NotANumber(value.to_string()))
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

impl From<AttributeMap> for AttributeValue {
    fn from(value: AttributeMap) -> Self {
        Self::M(value)
    }
}

impl From<BTreeMap<String, AttributeValue>> for AttributeValue {
    fn from(value: BTreeMap<String, AttributeValue>) -> Self {
        Self::M(value.into())
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

impl<T: Element> Set<T> {
    /// A set of `elements`, in any order.
    ///
    /// # Errors
    /// [`Fault::EmptySet`] when there are none; [`Fault::DuplicateElement`] when two are equal.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Set;
    /// assert_eq!(Set::<String>::new(["b", "a"])?.iter().next().unwrap(), "a");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn new(elements: impl IntoIterator<Item = impl Into<T>>) -> Result<Self> {
        let mut set = BTreeSet::new();
        let mut elements = elements.into_iter().map(Into::into);
        while let Some(element) = elements.next() {
            if set.contains(&element) {
                // As the service lists them: in order up to the first repetition, and as they came from there.
                let shown = set.iter().chain([&element]).map(Sealed::shown).collect::<Vec<_>>();
                let shown = shown.into_iter().chain(elements.map(|element| element.shown()));
                return Err(Fault::DuplicateElement(T::TYPE, shown.collect()).into_error());
            }
            set.insert(element);
        }
        if set.is_empty() {
            return Err(Fault::EmptySet(T::TYPE).into_error());
        }
        Ok(Self(set))
    }

    /// Whether `element` is in the set.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Set;
    /// assert!(Set::<String>::new(["a"])?.contains("a"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains(element)
    }

    /// The elements of either set.
    pub(super) fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The elements that are not in `other`; `None` when there are none.
    pub(super) fn difference(mut self, other: &Self) -> Option<Self> {
        self.0.retain(|element| !other.contains(element));
        if self.0.is_empty() { None } else { Some(self) }
    }
}

/// What a [`Set`] may consist of: strings, numbers or bytes.
///
/// # Examples
/// ```
/// use larder::item::{Element, Number, SetType};
/// assert_eq!(Number::TYPE, SetType::N);
/// ```
pub trait Element: Ord + Sealed {
    /// Which of the three it is.
    const TYPE: SetType;
}

/// Keeps others from making further sets, which no table could store.
#[expect(unnameable_types, reason = "it seals `Element`, and is named by nobody outside")]
pub trait Sealed {
    /// The element as errors show it.
    #[doc(hidden)]
    fn shown(&self) -> String;
}

impl Element for String {
    const TYPE: SetType = SetType::S;
}

impl Sealed for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

impl Element for Number {
    const TYPE: SetType = SetType::N;
}

impl Sealed for Number {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Element for Vec<u8> {
    const TYPE: SetType = SetType::B;
}

impl Sealed for Vec<u8> {
    fn shown(&self) -> String {
        base64(self)
    }
}

/// Bytes as text, in the alphabet and with the padding of RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) & 63;
            let letter = ALPHABET.get(sextet as usize).filter(|_| place <= chunk.len());
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
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

    #[test] // SEM: ITM-TYP-1
    fn what_is_wrong_with_a_set_is_said_as_the_service_says_it() {
        let words = |outcome: Result<(), crate::Error>| outcome.unwrap_err().to_string();
        let prefix = "One or more parameter values were invalid: ";
        let strings = Set::<String>::new(["b", "a", "b", "0"]).map(drop);
        assert_eq!(words(strings), format!(r#"{prefix}Input collection ["a", "b", "b", "0"] contains duplicates."#));
        let bytes = Set::<Vec<u8>>::new([vec![0xff], vec![0], vec![0]]).map(drop);
        assert_eq!(
            words(bytes),
            format!(r#"{prefix}Input collection ["AA==","/w==","AA=="]of type BS contains duplicates."#)
        );
        let numbers = Set::<Number>::new([2, 1, 2]).map(drop);
        assert_eq!(words(numbers), format!("{prefix}Input collection contains duplicates."));
        assert_eq!(words(Set::<String>::new([""; 0]).map(drop)), format!("{prefix}An string set  may not be empty"));
    }

    #[test]
    fn bytes_are_shown_as_base64() {
        let shown = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(shown, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
