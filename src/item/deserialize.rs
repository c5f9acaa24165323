//! Any `serde` type from an item: the way back of [`Item::from_serialize`].

use std::collections::btree_set;
use std::slice;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, Result};
use crate::item::map_key::MapKey;
use crate::item::record::{Content, Elements, Entries, Members, RecordRef, ValueRef};
use crate::item::serialize::Refusal;
use crate::item::{AttributeIter, AttributeValue, Item, Number};
use crate::limits;

impl Item {
    /// The value of type `T` that the item holds, read as [`Item::from_serialize`] writes it.
    ///
    /// Sets are read as sequences. A number is read exactly into integers, and as the nearest one into floats.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the attributes do not make a `T`;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when the item nests too deeply.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// #[derive(serde::Deserialize)]
    /// struct Event { #[serde(rename = "PK")] user: String, n: u32 }
    /// let item = Item::new().with("PK", "USER#7").with("n", 5);
    /// let event: Event = item.deserialize()?;
    /// assert_eq!((event.user.as_str(), event.n), ("USER#7", 5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn deserialize<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        read(&Source::Made(Node::M(Map::Made(self.iter()))), || self.place())
    }
}

impl<'de> RecordRef<'de> {
    /// What [`Item::deserialize`] returns for the item of the record, read where it is stored: what `T` does not ask for is
    /// passed over. `place` names the item, for errors.
    ///
    /// # Errors
    /// As [`Item::deserialize`]; [`Error::Corruption`] for what is no record, as far as it is read.
    pub(crate) fn deserialize<T: Deserialize<'de>>(self, place: impl FnOnce() -> Option<String>) -> Result<T> {
        read(&Source::Made(Node::M(Map::Stored(self.entries()?))), place)
    }
}

fn read<'de, T: Deserialize<'de>>(source: &Source<'de>, place: impl FnOnce() -> Option<String>) -> Result<T> {
    // The item itself is no level: its attributes' lists and maps are the first.
    let root = || Deserializer { source: source.clone(), level: 0 };
    T::deserialize(root()).map_err(|Refusal(error)| {
        // Only now, for keeping the path costs time with every attribute.
        let located = serde_path_to_error::deserialize::<_, T>(root()).err();
        let path = located.map(|located| located.path().to_string()).filter(|path| path != ".");
        let Error::Invalid { kind, message, .. } = error else { return error };
        let message = path.map_or(message.clone(), |path| format!("attribute {path:?}: {message}"));
        Error::invalid(
            kind,
            match place() {
                Some(place) => format!("cannot deserialize {place}: {message}"),
                None => message,
            },
        )
    })
}

/// A value, or element of a set, that is in memory or stored.
#[derive(Clone)]
enum Source<'de> {
    Made(Node<'de>),
    /// What is not asked for is never looked at.
    Stored(ValueRef<'de>),
}

impl<'de> Source<'de> {
    fn node(self) -> Result<Node<'de>, Refusal> {
        match self {
            Self::Made(node) => Ok(node),
            Self::Stored(value) => Node::stored(value).map_err(Refusal),
        }
    }
}

/// What a value is.
#[derive(Clone)]
enum Node<'de> {
    S(&'de str),
    N(Number),
    B(&'de [u8]),
    Bool(bool),
    Null,
    M(Map<'de>),
    L(List<'de>),
}

impl<'de> Node<'de> {
    fn of(value: &'de AttributeValue) -> Self {
        match value {
            AttributeValue::S(string) => Self::S(string),
            AttributeValue::N(number) => Self::N(*number),
            AttributeValue::B(bytes) => Self::B(bytes),
            AttributeValue::Bool(value) => Self::Bool(*value),
            AttributeValue::Null => Self::Null,
            AttributeValue::M(map) => Self::M(Map::Made(map.iter())),
            AttributeValue::L(list) => Self::L(List::Made(list.iter())),
            AttributeValue::Ss(set) => Self::L(List::Strings(set.iter())),
            AttributeValue::Ns(set) => Self::L(List::Numbers(set.iter())),
            AttributeValue::Bs(set) => Self::L(List::Bytes(set.iter())),
        }
    }

    fn stored(value: ValueRef<'de>) -> Result<Self> {
        Ok(match value.content()? {
            Content::S(string) => Self::S(string),
            Content::N(number) => Self::N(number),
            Content::B(bytes) => Self::B(bytes),
            Content::Bool(value) => Self::Bool(value),
            Content::Null => Self::Null,
            Content::M(entries) => Self::M(Map::Stored(entries)),
            Content::L(elements) => Self::L(List::Stored(elements)),
            Content::Ss(members) => Self::L(List::StoredStrings(members)),
            Content::Ns(members) => Self::L(List::StoredNumbers(members)),
            Content::Bs(members) => Self::L(List::StoredBytes(members)),
        })
    }
}

/// The entries of a map that have not been read yet.
#[derive(Clone)]
enum Map<'de> {
    Made(AttributeIter<'de>),
    Stored(Entries<'de>),
}

impl<'de> Map<'de> {
    fn len(&self) -> usize {
        match self {
            Self::Made(entries) => entries.len(),
            Self::Stored(entries) => entries.len(),
        }
    }

    fn next(&mut self) -> Result<Option<(&'de str, Source<'de>)>, Refusal> {
        Ok(match self {
            Self::Made(entries) => entries.next().map(|(name, value)| (name, Source::Made(Node::of(value)))),
            Self::Stored(entries) => {
                let entry = entries.next().transpose().map_err(Refusal)?;
                entry.map(|(name, value)| (name, Source::Stored(value)))
            }
        })
    }
}

/// The elements of a list or set that have not been read yet.
#[derive(Clone)]
enum List<'de> {
    Made(slice::Iter<'de, AttributeValue>),
    Strings(btree_set::Iter<'de, String>),
    Numbers(btree_set::Iter<'de, Number>),
    Bytes(btree_set::Iter<'de, Vec<u8>>),
    Stored(Elements<'de>),
    StoredStrings(Members<'de>),
    StoredNumbers(Members<'de>),
    StoredBytes(Members<'de>),
}

impl<'de> List<'de> {
    fn len(&self) -> usize {
        match self {
            Self::Made(list) => list.len(),
            Self::Strings(set) => set.len(),
            Self::Numbers(set) => set.len(),
            Self::Bytes(set) => set.len(),
            Self::Stored(list) => list.len(),
            Self::StoredStrings(set) | Self::StoredNumbers(set) | Self::StoredBytes(set) => set.len(),
        }
    }

    fn next(&mut self) -> Result<Option<Source<'de>>> {
        Ok(match self {
            Self::Made(list) => list.next().map(Node::of).map(Source::Made),
            Self::Strings(set) => set.next().map(|string| Source::Made(Node::S(string))),
            Self::Numbers(set) => set.next().map(|number| Source::Made(Node::N(*number))),
            Self::Bytes(set) => set.next().map(|bytes| Source::Made(Node::B(bytes))),
            Self::Stored(list) => list.next().transpose()?.map(Source::Stored),
            Self::StoredStrings(set) => set.next_string().transpose()?.map(|string| Source::Made(Node::S(string))),
            Self::StoredNumbers(set) => set.next_number().transpose()?.map(|number| Source::Made(Node::N(number))),
            Self::StoredBytes(set) => set.next_bytes().transpose()?.map(|bytes| Source::Made(Node::B(bytes))),
        })
    }
}

/// Takes the value at `level` of an item apart.
struct Deserializer<'de> {
    source: Source<'de>,
    level: usize,
}

impl<'de> Deserializer<'de> {
    fn visit<V: Visitor<'de>>(node: Node<'de>, level: usize, visitor: V) -> Result<V::Value, Refusal> {
        match node {
            Node::S(string) => visitor.visit_borrowed_str(string),
            Node::N(number) => visit_number(number, visitor),
            Node::B(bytes) => visitor.visit_borrowed_bytes(bytes),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Null => visitor.visit_unit(),
            Node::M(map) => visitor.visit_map(Fields { map, value: None, level: inside(level)? }),
            Node::L(list) => visitor.visit_seq(Values { list, level: inside(level)? }),
        }
    }

    /// The nearest `f64`, for a type that asks for one.
    fn visit_nearest<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::N(number) => visitor.visit_f64(number.to_f64()),
            node => Self::visit(node, self.level, visitor),
        }
    }
}

/// The level of what is inside a list or map at `level`.
fn inside(level: usize) -> Result<usize, Refusal> {
    limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, level)?;
    Ok(level + 1)
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Refusal> {
    match (number.to_i64(), number.to_u64()) {
        (Some(integer), _) => visitor.visit_i64(integer),
        (None, Some(integer)) => visitor.visit_u64(integer),
        (None, None) => match number.to_f64() {
            float if Number::try_from(float).is_ok_and(|exact| exact == number) => visitor.visit_f64(float),
            // Who does not say what he wants gets it whole or not at all.
            _ => {
                let message = format!("number {number} fits no type that is not asked for by name: i128, u128, f64");
                Err(de::Error::custom(message))
            }
        },
    }
}

/// The entries of a map as `serde` takes them, with their values at `level`.
struct Fields<'de> {
    map: Map<'de>,
    /// What belongs to the name that was read last.
    value: Option<Source<'de>>,
    level: usize,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        let Some((name, value)) = self.map.next()? else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(MapKey(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        match self.value.take() {
            Some(source) => seed.deserialize(Deserializer { source, level: self.level }),
            None => Err(de::Error::custom("a value was asked for before its name")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.map.len())
    }
}

/// The elements of a list or set as `serde` takes them, at `level`.
struct Values<'de> {
    list: List<'de>,
    level: usize,
}

impl<'de> SeqAccess<'de> for Values<'de> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        let Some(source) = self.list.next().map_err(Refusal)? else { return Ok(None) };
        seed.deserialize(Deserializer { source, level: self.level }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len())
    }
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        Self::visit(self.source.node()?, self.level, visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::N(number) if number.to_i128().is_some() => visitor.visit_i128(number.to_i128().unwrap_or_default()),
            node => Self::visit(node, self.level, visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::N(number) if number.to_u128().is_some() => visitor.visit_u128(number.to_u128().unwrap_or_default()),
            node => Self::visit(node, self.level, visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.visit_nearest(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.visit_nearest(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::Null => visitor.visit_none(),
            node => visitor.visit_some(Self { source: Source::Made(node), level: self.level }),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    /// A `Vec<u8>` asks for a sequence, also where bytes are stored.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::B(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            node => Self::visit(node, self.level, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.source.node()? {
            Node::S(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Node::M(map) if map.len() == 1 => {
                let entries = Fields { map, value: None, level: inside(self.level)? };
                visitor.visit_enum(MapAccessDeserializer::new(entries))
            }
            _ => Err(de::Error::custom("a variant is stored as its name, or as a map of its name alone to its data")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::{Error, InvalidKind};
    use crate::item::{Fault, Set};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(f64),
        Line(i8, i8),
        Box { width: u64, height: Option<u64> },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Id(String);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        id: Id,
        signed: i64,
        unsigned: u64,
        wide: i128,
        float: f64,
        narrow: f32,
        letter: char,
        flag: bool,
        absent: Option<u8>,
        unit: (),
        bytes: Vec<u8>,
        shapes: Vec<Shape>,
        map: BTreeMap<String, (i32, String)>,
    }

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Point),
            (-1e9..1e9).prop_map(Shape::Circle),
            any::<(i8, i8)>().prop_map(|(a, b)| Shape::Line(a, b)),
            any::<(u64, Option<u64>)>().prop_map(|(width, height)| Shape::Box { width, height }),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        let numbers = (any::<i64>(), any::<u64>(), -1_000_000i128..1_000_000, -1e100..1e100, -1e30f32..1e30);
        let scalars = (any::<char>(), any::<bool>(), any::<Option<u8>>(), vec(any::<u8>(), 0..4));
        let nested = (vec(shape(), 0..4), btree_map("[a-c]{0,2}", any::<(i32, String)>(), 0..3));
        ("[a-z]{0,3}", numbers, scalars, nested).prop_map(|(id, numbers, scalars, (shapes, map))| {
            let (signed, unsigned, wide, float, narrow) = numbers;
            let (letter, flag, absent, bytes) = scalars;
            let wide = wide * 10i128.pow(30);
            let id = Id(id);
            Record { id, signed, unsigned, wide, float, narrow, letter, flag, absent, unit: (), bytes, shapes, map }
        })
    }

    proptest! {
        #[test]
        fn a_value_comes_back(record in record()) {
            let item = Item::from_serialize(&record).unwrap();
            prop_assert_eq!(&item.deserialize::<Record>().unwrap(), &record);
            let stored = crate::item::record::encode(&item).unwrap();
            let stored = RecordRef::new(&stored).unwrap();
            prop_assert_eq!(stored.deserialize::<Record>(|| None).unwrap(), record);
        }
    }

    #[test]
    fn values_become_the_attributes_of_the_table() {
        let shapes = [Shape::Point, Shape::Line(1, 2)];
        let item = Item::from_serialize(&BTreeMap::from([("shapes", shapes)])).unwrap();
        let line = AttributeValue::L(vec![1.into(), 2.into()]);
        let line = AttributeValue::M([("Line".to_owned(), line)].into());
        assert_eq!(item, Item::from([("shapes", vec![AttributeValue::from("Point"), line])]));
    }

    #[test]
    fn sets_bytes_and_borrowed_text_are_read() {
        #[derive(Deserialize)]
        struct Read<'a> {
            ss: Vec<Id>,
            ns: Vec<Option<f64>>,
            b: Vec<u8>,
            text: &'a str,
        }
        let item = Item::new()
            .with("ss", Set::<String>::new(["b", "a"]).unwrap())
            .with("ns", Set::<Number>::new(["1.5".parse::<Number>().unwrap()]).unwrap())
            .with("b", vec![1u8, 2])
            .with("text", "here");
        let read: Read<'_> = item.deserialize().unwrap();
        assert_eq!((read.ss, read.ns), (vec![Id("a".into()), Id("b".into())], vec![Some(1.5)]));
        assert_eq!((read.b, read.text), (vec![1, 2], "here"));
    }

    #[test] // SEM: ITM-TYP-2
    fn a_number_comes_whole_or_is_refused_unless_a_float_is_asked_for() {
        #[derive(Debug, Deserialize)]
        struct Flat {
            #[serde(flatten)]
            rest: BTreeMap<String, f64>,
        }
        #[derive(Debug, Deserialize)]
        struct Float {
            z: f64,
        }
        let item = |number: &str| Item::new().with("z", number.parse::<Number>().unwrap());
        let float = |number: &str| number.parse::<f64>().unwrap();
        let long = "12345678901234567890123456789012345678";
        for number in [long, "0.12345678901234567890123456789"] {
            assert!(item(number).deserialize::<Flat>().unwrap_err().to_string().contains(number));
            assert!(item(number).deserialize::<serde_json::Value>().is_err());
            assert_eq!(item(number).deserialize::<Float>().unwrap().z.to_bits(), float(number).to_bits());
        }
        assert_eq!(item(long).deserialize::<BTreeMap<String, u128>>().unwrap()["z"].to_string(), long);
        for number in ["0.1", "1e20", "-1.5", "1e125"] {
            let read = item(number).deserialize::<Flat>().unwrap();
            assert_eq!(read.rest["z"].to_bits(), float(number).to_bits());
        }
    }

    #[test]
    fn what_is_no_item_is_refused() {
        let kind = |outcome: Result<Item>| match outcome {
            Err(Error::Invalid { kind, .. }) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(Item::from_serialize(&7)), InvalidKind::Serialization);
        assert_eq!(kind(Item::from_serialize(&BTreeMap::from([(true, 2)]))), InvalidKind::Serialization);
        let fault = |outcome: Result<Item>| outcome.unwrap_err().item_fault().cloned();
        let precise = fault(Item::from_serialize(&BTreeMap::from([("n", i128::MAX)])));
        assert_eq!(precise, Some(Fault::NumberTooPrecise));
        for float in [f64::NAN, f64::INFINITY] {
            let none = fault(Item::from_serialize(&BTreeMap::from([("n", float)])));
            assert_eq!(none, Some(Fault::NotANumber(float.to_string())));
        }
        assert!(Item::from([("n", "x")]).deserialize::<BTreeMap<String, u8>>().is_err());
        assert!(Item::from([("n", 256)]).deserialize::<BTreeMap<String, u8>>().is_err());
    }

    #[test] // SEM: ITM-TYP-1
    fn nesting_is_bounded_in_both_directions() {
        #[derive(Serialize, Deserialize)]
        struct Deep {
            inner: Option<Box<Deep>>,
        }
        let deep =
            |levels: usize| (0..levels).fold(Deep { inner: None }, |inner, _| Deep { inner: Some(Box::new(inner)) });
        let item = Item::from_serialize(&deep(limits::ITEM_DEPTH_MAX)).unwrap();
        item.check().unwrap();
        item.deserialize::<Deep>().unwrap();
        assert!(matches!(Item::from_serialize(&deep(limits::ITEM_DEPTH_MAX + 1)), Err(Error::LimitExceeded { .. })));
        let inner = AttributeValue::M(item.into());
        assert!(matches!(Item::from([("inner", inner)]).deserialize::<Deep>(), Err(Error::LimitExceeded { .. })));
    }
}
