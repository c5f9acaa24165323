//! Items: attributes by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, mem, vec};

use crate::error::Result;
use crate::item::origin::Origin;
use crate::item::value::dismantle;
use crate::item::{AttributeIter, AttributeMap, AttributeValue, Fault, Number, RequestFault, Text};
use crate::limits;

/// An item: values by attribute name. Its attributes have no order of their own; they iterate by name.
///
/// An item is dropped without recursion, however deep its values nest ([`AttributeValue`], *Nesting*).
///
/// # Examples
/// ```
/// use larder::item::Item;
/// let item = Item::new().with("PK", "USER#7").with("SK", "EVENT#1").with("n", 5);
/// assert_eq!(item.get("PK").and_then(|value| value.as_s()), Some("USER#7"));
/// assert_eq!(Item::from([("n", 5), ("m", 6)]).len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Item {
    attributes: AttributeMap,
    /// Where it was read, for errors. It is not part of the item.
    origin: Option<Arc<Origin>>,
    /// What could not be made an attribute when the item was put together. Nothing takes the item then.
    refused: Option<Box<Fault>>,
}

/// Takes deep values apart level by level, so that a refused item does not overflow the stack when it goes.
impl Drop for Item {
    fn drop(&mut self) {
        // Most are flat, and go as they are.
        if self.attributes.values().any(AttributeValue::is_nested) {
            dismantle(mem::take(&mut self.attributes).into_iter().map(|(_, value)| value));
        }
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.attributes == other.attributes
    }
}

impl Eq for Item {}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Item").field(&self.attributes).finish()
    }
}

impl Item {
    /// An item without attributes.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::Item::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The item with attribute `name` set to `value`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// assert_eq!(Item::new().with("n", 5).with("f", 1.5).len(), 2);
    /// ```
    /// A float that is no number of the model, such as NaN, makes an item that every operation refuses:
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// assert!(table.put(&Item::new().with("id", "a").with("f", f64::NAN)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn with<V>(mut self, name: impl Into<Text>, value: V) -> Self
    where
        V: TryInto<AttributeValue, Error: Into<Fault>>,
    {
        match value.try_into() {
            Ok(value) => drop(self.insert(name, value)),
            Err(fault) => drop(self.refused.get_or_insert_with(|| Box::new(fault.into()))),
        }
        self
    }

    /// Sets attribute `name`, and returns what it was before.
    ///
    /// # Examples
    /// ```
    /// let mut item = larder::item::Item::new();
    /// assert_eq!(item.insert("n", 5), None);
    /// assert_eq!(item.insert("n", "five"), Some(5.into()));
    /// ```
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<AttributeValue>) -> Option<AttributeValue> {
        self.attributes.insert(name, value)
    }

    /// The value of attribute `name`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// assert_eq!(Item::new().with("n", 5).get("n"), Some(&5.into()));
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.attributes.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut AttributeValue> {
        self.attributes.get_mut(name)
    }

    /// Removes attribute `name`, and returns what it was.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// let mut item = Item::new().with("n", 5);
    /// assert_eq!(item.remove("n"), Some(5.into()));
    /// assert!(item.is_empty());
    /// ```
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.attributes.remove(name)
    }

    /// The attributes, by name.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// let item = Item::from([("b", 1), ("a", 2)]);
    /// assert_eq!(item.iter().map(|(name, _)| name).collect::<String>(), "ab");
    /// ```
    #[must_use]
    pub fn iter(&self) -> AttributeIter<'_> {
        self.attributes.iter()
    }

    /// How many attributes there are.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::Item::from([("n", 5)]).len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.attributes.len()
    }

    /// Whether there are no attributes.
    ///
    /// # Examples
    /// ```
    /// assert!(!larder::item::Item::from([("n", 5)]).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// What the item counts as against [`limits::ITEM_BYTES_MAX`] and a page's size: the bytes of its names and values.
    ///
    /// A string or binary counts its bytes, a number about half its digits, a set its elements, a list or map 3 and 1
    /// for each element besides the elements, a truth value or null 1.
    ///
    /// # Cost
    /// O(size).
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// assert_eq!(Item::from([("shirt-color", "R"), ("shirt-size", "M")]).size_bytes(), 23);
    /// ```
    ///
    /// # Source
    /// `DynamoDB` Developer Guide, *Item sizes and formats*.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.shape().bytes
    }

    /// Refuses what no table stores, whatever its keys.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(fault) = &self.refused {
            return Err(fault.as_ref().clone().into_error());
        }
        let shape = self.shape();
        let fault = if shape.has_empty_name {
            RequestFault::EmptyName
        } else if shape.longest_name > limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX {
            RequestFault::NameTooLong
        } else if shape.depth > limits::ITEM_DEPTH_MAX {
            RequestFault::NestedTooDeeply
        } else if shape.bytes > limits::ITEM_BYTES_MAX {
            RequestFault::ItemTooLarge
        } else {
            return Ok(());
        };
        Err(fault.into_error())
    }

    /// Refuses what nests more deeply than any item, before it is copied.
    pub(super) fn check_depth(&self) -> Result<()> {
        limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, self.shape().depth)
    }

    /// The item as it was read from a table.
    pub(super) fn read_from(mut self, origin: &Arc<Origin>) -> Self {
        self.origin = Some(Arc::clone(origin));
        self
    }

    /// Which item of which table it is, if it was read from one.
    pub(super) fn place(&self) -> Option<String> {
        Some(self.origin.as_deref()?.place(|name| self.get(name)))
    }

    fn shape(&self) -> Shape {
        let mut measuring = Measuring::default();
        for (name, value) in self {
            measuring.shape.add_name(name);
            measuring.add(value, 1);
        }
        measuring.finish()
    }
}

/// Measures values without recursion: how deep they nest is only known afterwards.
pub(super) fn shape_of<'v>(values: impl Iterator<Item = &'v AttributeValue>) -> Shape {
    let mut measuring = Measuring::default();
    values.for_each(|value| measuring.add(value, 1));
    measuring.finish()
}

/// Values that are being measured.
#[derive(Default)]
struct Measuring<'v> {
    shape: Shape,
    /// Lists and maps that have been come upon, with their levels. What does not nest takes no memory.
    waiting: Vec<(&'v AttributeValue, usize)>,
}

impl<'v> Measuring<'v> {
    /// Adds a value; a list or map is at `level`.
    fn add(&mut self, value: &'v AttributeValue, level: usize) {
        self.shape.bytes += match value {
            AttributeValue::S(string) => string.len(),
            AttributeValue::N(number) => number.size_bytes(),
            AttributeValue::B(bytes) => bytes.len(),
            AttributeValue::Bool(_) | AttributeValue::Null => 1,
            AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
            AttributeValue::Ns(set) => set.iter().map(Number::size_bytes).sum(),
            AttributeValue::Bs(set) => set.iter().map(Vec::len).sum(),
            AttributeValue::M(map) => {
                self.waiting.push((value, level));
                3 + map.len()
            }
            AttributeValue::L(list) => {
                self.waiting.push((value, level));
                3 + list.len()
            }
        };
    }

    /// Adds what is in lists and maps, too.
    fn finish(mut self) -> Shape {
        while let Some((value, level)) = self.waiting.pop() {
            self.shape.depth = self.shape.depth.max(level);
            match value {
                AttributeValue::M(map) => {
                    for (name, value) in map {
                        self.shape.add_name(name);
                        self.add(value, level + 1);
                    }
                }
                AttributeValue::L(list) => list.iter().for_each(|value| self.add(value, level + 1)),
                _ => {}
            }
        }
        self.shape
    }
}

/// What an item's limits are about.
#[derive(Default)]
pub(super) struct Shape {
    pub(super) bytes: usize,
    /// Lists and maps around the deepest value.
    pub(super) depth: usize,
    longest_name: usize,
    has_empty_name: bool,
}

impl Shape {
    fn add_name(&mut self, name: &str) {
        self.bytes += name.len();
        self.longest_name = self.longest_name.max(name.len());
        self.has_empty_name |= name.is_empty();
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>, const N: usize> From<[(K, V); N]> for Item {
    fn from(attributes: [(K, V); N]) -> Self {
        attributes.into_iter().collect()
    }
}

impl From<AttributeMap> for Item {
    fn from(attributes: AttributeMap) -> Self {
        Self { attributes, origin: None, refused: None }
    }
}

impl From<Item> for AttributeMap {
    fn from(mut item: Item) -> Self {
        mem::take(&mut item.attributes)
    }
}

impl From<BTreeMap<String, AttributeValue>> for Item {
    fn from(attributes: BTreeMap<String, AttributeValue>) -> Self {
        AttributeMap::from(attributes).into()
    }
}

impl From<Item> for BTreeMap<String, AttributeValue> {
    fn from(item: Item) -> Self {
        AttributeMap::from(item).into()
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>> FromIterator<(K, V)> for Item {
    /// Of attributes with the same name the last one counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(attributes: I) -> Self {
        AttributeMap::from_iter(attributes).into()
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>> Extend<(K, V)> for Item {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, attributes: I) {
        self.attributes.extend(attributes);
    }
}

impl IntoIterator for Item {
    type Item = (Text, AttributeValue);
    type IntoIter = vec::IntoIter<(Text, AttributeValue)>;

    fn into_iter(mut self) -> Self::IntoIter {
        mem::take(&mut self.attributes).into_iter()
    }
}

impl<'a> IntoIterator for &'a Item {
    type Item = (&'a str, &'a AttributeValue);
    type IntoIter = AttributeIter<'a>;

    fn into_iter(self) -> AttributeIter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Set;

    fn nested(levels: usize) -> AttributeValue {
        (0..levels).fold(AttributeValue::Null, |inner, _| AttributeValue::L(vec![inner]))
    }

    fn fault_of(item: &Item) -> RequestFault {
        match item.check().unwrap_err().item_fault() {
            Some(Fault::Request(fault)) => fault.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test] // SEM: ITM-LIM-1
    fn size_is_names_and_values() {
        assert_eq!(Item::from([("shirt-color", "R"), ("shirt-size", "M")]).size_bytes(), 23);
        let map = AttributeValue::M([("k", true)].into());
        assert_eq!(Item::from([("m", map)]).size_bytes(), 1 + 3 + 1 + 1 + 1);
        assert_eq!(Item::from([("l", nested(1))]).size_bytes(), 1 + 3 + 1 + 1);
        assert_eq!(Item::from([("é", "é")]).size_bytes(), 4, "UTF-8 bytes, not characters");
        assert_eq!(Item::from([("s", Set::<String>::new(["ab", "c"]).unwrap())]).size_bytes(), 4);
        assert_eq!(Item::from([("n", -27)]).size_bytes(), 4);
    }

    #[test] // SEM: ITM-LIM-1
    fn an_item_of_exactly_the_limit_fits() {
        let item = |bytes: usize| Item::from([("a", "x".repeat(bytes - 1))]);
        assert!(item(limits::ITEM_BYTES_MAX).check().is_ok());
        assert_eq!(fault_of(&item(limits::ITEM_BYTES_MAX + 1)), RequestFault::ItemTooLarge);
    }

    #[test] // SEM: ITM-TYP-1
    fn thirty_one_levels_nest() {
        assert!(Item::from([("a", nested(31))]).check().is_ok());
        assert_eq!(fault_of(&Item::from([("a", nested(32))])), RequestFault::NestedTooDeeply);
    }

    #[test]
    fn an_item_of_a_million_levels_is_dropped() {
        let levels = 1_000_000;
        let maps = (0..levels).fold(AttributeValue::Null, |inner, _| AttributeValue::M([("a", inner)].into()));
        let item = Item::from([("lists", nested(levels)), ("maps", maps), ("flat", 7.into())]);
        drop(item);
        let refused = crate::item::KeyValue::try_from(nested(levels));
        assert!(refused.unwrap_err().to_string().contains("not L"));
    }

    #[test] // SEM: ITM-LIM-2
    fn names_are_neither_empty_nor_long() {
        assert_eq!(fault_of(&Item::from([("", 1)])), RequestFault::EmptyName);
        assert!(Item::from([("a".repeat(limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX), 1)]).check().is_ok());
        let long = Item::from([("a".repeat(limits::ITEM_ATTRIBUTE_NAME_BYTES_MAX + 1), 1)]);
        assert_eq!(fault_of(&long), RequestFault::NameTooLong);
    }
}
