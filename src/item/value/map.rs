//! Values by name, in one piece of memory.

use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::{fmt, slice, vec};

use crate::item::Text;
use crate::item::value::AttributeValue;

/// Values by name, in the order of their names: what is in a map, and what an [`Item`](crate::item::Item) has.
///
/// The entries are in one piece of memory, in the order in which they are stored: reading an item makes one list instead
/// of a tree.
///
/// # Cost
/// Finding a name is O(log n). Putting one in is O(1) behind all others and O(n) otherwise; who has many in any order
/// collects them instead, which is O(n log n).
///
/// # Examples
/// ```
/// use larder::item::{AttributeMap, AttributeValue};
/// let map: AttributeMap = [("zip", "1010"), ("city", "Wien")].into();
/// assert_eq!(map.get("city"), Some(&"Wien".into()));
/// assert_eq!(map.keys().collect::<Vec<_>>(), ["city", "zip"]);
/// assert_eq!(AttributeValue::from(map.clone()).as_m(), Some(&map));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AttributeMap {
    /// With names ascending, each once.
    entries: Vec<(Text, AttributeValue)>,
}

impl AttributeMap {
    /// A map without entries.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::AttributeMap::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The map of `entries`, which have names ascending, each once.
    pub(in crate::item) fn of_ascending(entries: Vec<(Text, AttributeValue)>) -> Self {
        debug_assert!(entries.is_sorted_by(|(one, _), (next, _)| one < next), "names are not ascending");
        Self { entries }
    }

    /// The value of `name`.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeMap;
    /// assert_eq!(AttributeMap::from([("n", 5)]).get("n"), Some(&5.into()));
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.entries.get(self.find(name).ok()?).map(|(_, value)| value)
    }

    /// The value of `name`, to be changed.
    ///
    /// # Examples
    /// ```
    /// use larder::item::AttributeMap;
    /// let mut map = AttributeMap::from([("n", 5)]);
    /// *map.get_mut("n").expect("it is there") = "five".into();
    /// assert_eq!(map, AttributeMap::from([("n", "five")]));
    /// ```
    pub fn get_mut(&mut self, name: &str) -> Option<&mut AttributeValue> {
        let at = self.find(name).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is a `name`.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::item::AttributeMap::from([("n", 5)]).contains_key("n"));
    /// ```
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Sets the value of `name`, and returns what it was before.
    ///
    /// # Examples
    /// ```
    /// let mut map = larder::item::AttributeMap::new();
    /// assert_eq!(map.insert("n", 5), None);
    /// assert_eq!(map.insert("n", "five"), Some(5.into()));
    /// ```
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<AttributeValue>) -> Option<AttributeValue> {
        let (name, value) = (name.into(), value.into());
        // Names mostly come in order.
        if self.entries.last().is_none_or(|(last, _)| *last < name) {
            self.entries.push((name, value));
            return None;
        }
        match self.find(&name) {
            Ok(at) => self.entries.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
            Err(at) => {
                self.entries.insert(at, (name, value));
                None
            }
        }
    }

    /// Removes `name`, and returns what its value was.
    ///
    /// # Examples
    /// ```
    /// let mut map = larder::item::AttributeMap::from([("n", 5)]);
    /// assert_eq!(map.remove("n"), Some(5.into()));
    /// assert!(map.is_empty());
    /// ```
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.find(name).ok().map(|at| self.entries.remove(at).1)
    }

    /// The entries, by name.
    ///
    /// # Examples
    /// ```
    /// let map = larder::item::AttributeMap::from([("b", 1), ("a", 2)]);
    /// assert_eq!(map.iter().next(), Some(("a", &2.into())));
    /// ```
    #[must_use]
    pub fn iter(&self) -> AttributeIter<'_> {
        AttributeIter(self.entries.iter())
    }

    /// The names, ascending.
    ///
    /// # Examples
    /// ```
    /// let map = larder::item::AttributeMap::from([("b", 1), ("a", 2)]);
    /// assert_eq!(map.keys().collect::<String>(), "ab");
    /// ```
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// The values, by their names.
    ///
    /// # Examples
    /// ```
    /// let map = larder::item::AttributeMap::from([("b", 1), ("a", 2)]);
    /// assert_eq!(map.values().next(), Some(&2.into()));
    /// ```
    pub fn values(&self) -> impl ExactSizeIterator<Item = &AttributeValue> + DoubleEndedIterator {
        self.entries.iter().map(|(_, value)| value)
    }

    /// How many entries there are.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::AttributeMap::from([("n", 5)]).len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    ///
    /// # Examples
    /// ```
    /// assert!(!larder::item::AttributeMap::from([("n", 5)]).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where `name` is, or where it would be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

impl fmt::Debug for AttributeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// The entries of an [`AttributeMap`], or the attributes of an [`Item`](crate::item::Item), by name.
#[derive(Clone, Debug)]
pub struct AttributeIter<'a>(slice::Iter<'a, (Text, AttributeValue)>);

impl<'a> Iterator for AttributeIter<'a> {
    type Item = (&'a str, &'a AttributeValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for AttributeIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(name, value)| (name.as_str(), value))
    }
}

impl ExactSizeIterator for AttributeIter<'_> {}

impl FusedIterator for AttributeIter<'_> {}

impl<'a> IntoIterator for &'a AttributeMap {
    type Item = (&'a str, &'a AttributeValue);
    type IntoIter = AttributeIter<'a>;

    fn into_iter(self) -> AttributeIter<'a> {
        self.iter()
    }
}

impl IntoIterator for AttributeMap {
    type Item = (Text, AttributeValue);
    type IntoIter = vec::IntoIter<(Text, AttributeValue)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>> FromIterator<(K, V)> for AttributeMap {
    /// Of entries with the same name the last one counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        if !entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            // The last of equal ones goes where the first is.
            entries.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                if is_same {
                    std::mem::swap(&mut next.1, &mut kept.1);
                }
                is_same
            });
        }
        Self { entries }
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>> Extend<(K, V)> for AttributeMap {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let new = entries.into_iter().map(|(name, value)| (name.into(), value.into()));
        *self = std::mem::take(self).into_iter().chain(new).collect();
    }
}

impl<K: Into<Text>, V: Into<AttributeValue>, const N: usize> From<[(K, V); N]> for AttributeMap {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<String, AttributeValue>> for AttributeMap {
    fn from(map: BTreeMap<String, AttributeValue>) -> Self {
        Self { entries: map.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }
}

impl From<AttributeMap> for BTreeMap<String, AttributeValue> {
    fn from(map: AttributeMap) -> Self {
        map.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Model = BTreeMap<String, AttributeValue>;

    /// What is done to a map.
    #[derive(Clone, Debug)]
    enum Step {
        Insert(String, u8),
        Change(String, u8),
        Remove(String),
        Extend(Vec<(String, u8)>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let name = || "[a-d]{0,2}";
        prop_oneof![
            3 => (name(), any::<u8>()).prop_map(|(name, value)| Step::Insert(name, value)),
            1 => (name(), any::<u8>()).prop_map(|(name, value)| Step::Change(name, value)),
            1 => name().prop_map(Step::Remove),
            1 => vec((name(), any::<u8>()), 0..4).prop_map(Step::Extend),
        ]
    }

    proptest! {
        #[test]
        fn a_map_agrees_with_a_tree(first in vec(("[a-d]{0,2}", any::<u8>()), 0..6), steps in vec(step(), 0..40)) {
            let values = |entries: Vec<(String, u8)>| entries.into_iter().map(|(name, n)| (name, AttributeValue::from(n)));
            let mut map: AttributeMap = first.clone().into_iter().collect();
            let mut model: Model = values(first).collect();
            for step in steps {
                match step {
                    Step::Insert(name, value) => {
                        prop_assert_eq!(map.insert(name.as_str(), value), model.insert(name, value.into()));
                    }
                    Step::Change(name, value) => {
                        let (place, in_model) = (map.get_mut(&name), model.get_mut(&name));
                        prop_assert_eq!(&place, &in_model);
                        if let (Some(place), Some(in_model)) = (place, in_model) {
                            (*place, *in_model) = (value.into(), value.into());
                        }
                    }
                    Step::Remove(name) => prop_assert_eq!(map.remove(&name), model.remove(&name)),
                    Step::Extend(entries) => {
                        map.extend(entries.clone());
                        model.extend(values(entries));
                    }
                }
                prop_assert!(map.iter().eq(model.iter().map(|(name, value)| (name.as_str(), value))));
                prop_assert!(map.iter().rev().eq(model.iter().rev().map(|(name, value)| (name.as_str(), value))));
                prop_assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
                prop_assert_eq!((map.len(), map.is_empty(), map.iter().len()), (model.len(), model.is_empty(), model.len()));
                for name in ["", "a", "bb", "dd", "e"] {
                    prop_assert_eq!(map.get(name), model.get(name));
                    prop_assert_eq!(map.contains_key(name), model.contains_key(name));
                }
                prop_assert_eq!(format!("{map:?}"), format!("{model:?}"));
                prop_assert_eq!(&map, &AttributeMap::from(model.clone()));
                prop_assert_eq!(&Model::from(map.clone()), &model);
            }
        }
    }
}
