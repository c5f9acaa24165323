//! Any `serde` type from an item: the way back of [`Item::from_serialize`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, Result};
use crate::item::serialize::Refusal;
use crate::item::{AttributeValue, Item, Number, Set};
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
        // The item itself is no level: its attributes' lists and maps are the first.
        let root = Deserializer { node: Node::M(self.attributes()), level: 0 };
        T::deserialize(root).map_err(|Refusal(error)| {
            // Only now, for keeping the path costs time with every attribute.
            let located = serde_path_to_error::deserialize::<_, T>(root).err();
            let path = located.map(|located| located.path().to_string()).filter(|path| path != ".");
            let Error::Invalid { kind, message, .. } = error else { return error };
            let message = path.map_or(message.clone(), |path| format!("attribute {path:?}: {message}"));
            Error::invalid(
                kind,
                match self.place() {
                    Some(place) => format!("cannot deserialize {place}: {message}"),
                    None => message,
                },
            )
        })
    }
}

/// A borrowed value, or element of a set.
#[derive(Clone, Copy)]
enum Node<'de> {
    S(&'de str),
    N(&'de Number),
    B(&'de [u8]),
    Bool(bool),
    Null,
    M(&'de BTreeMap<String, AttributeValue>),
    L(&'de [AttributeValue]),
    Ss(&'de Set<String>),
    Ns(&'de Set<Number>),
    Bs(&'de Set<Vec<u8>>),
}

impl<'de> Node<'de> {
    fn of(value: &'de AttributeValue) -> Self {
        match value {
            AttributeValue::S(string) => Self::S(string),
            AttributeValue::N(number) => Self::N(number),
            AttributeValue::B(bytes) => Self::B(bytes),
            AttributeValue::Bool(value) => Self::Bool(*value),
            AttributeValue::Null => Self::Null,
            AttributeValue::M(map) => Self::M(map),
            AttributeValue::L(list) => Self::L(list),
            AttributeValue::Ss(set) => Self::Ss(set),
            AttributeValue::Ns(set) => Self::Ns(set),
            AttributeValue::Bs(set) => Self::Bs(set),
        }
    }
}

/// Takes the value at `level` of an item apart.
#[derive(Clone, Copy)]
struct Deserializer<'de> {
    node: Node<'de>,
    level: usize,
}

impl<'de> IntoDeserializer<'de, Refusal> for Deserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> {
    /// The level of what is inside this list or map.
    fn inside(self) -> Result<usize, Refusal> {
        limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, self.level)?;
        Ok(self.level + 1)
    }

    fn visit_elements<V: Visitor<'de>>(
        self,
        nodes: impl Iterator<Item = Node<'de>>,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let level = self.inside()?;
        visitor.visit_seq(SeqDeserializer::new(nodes.map(|node| Self { node, level })))
    }

    fn visit_number<V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Refusal> {
        match (number.to_i64(), number.to_u64()) {
            (Some(integer), _) => visitor.visit_i64(integer),
            (None, Some(integer)) => visitor.visit_u64(integer),
            (None, None) => match number.to_f64() {
                float if Number::try_from(float).is_ok_and(|exact| exact == *number) => visitor.visit_f64(float),
                // Who does not say what he wants gets it whole or not at all.
                _ => {
                    let message =
                        format!("number {number} fits no type that is not asked for by name: i128, u128, f64");
                    Err(de::Error::custom(message))
                }
            },
        }
    }

    /// The nearest `f64`, for a type that asks for one.
    fn visit_nearest<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::N(number) => visitor.visit_f64(number.to_f64()),
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }
}

/// The entries of a map as `serde` takes them, with their values at `level`.
fn entries(
    map: &BTreeMap<String, AttributeValue>,
    level: usize,
) -> impl Iterator<Item = (BorrowedStrDeserializer<'_, Refusal>, Deserializer<'_>)> {
    map.iter()
        .map(move |(name, value)| (BorrowedStrDeserializer::new(name), Deserializer { node: Node::of(value), level }))
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::S(string) => visitor.visit_borrowed_str(string),
            Node::N(number) => Self::visit_number(number, visitor),
            Node::B(bytes) => visitor.visit_borrowed_bytes(bytes),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Null => visitor.visit_unit(),
            Node::M(map) => visitor.visit_map(MapDeserializer::new(entries(map, self.inside()?))),
            Node::L(list) => self.visit_elements(list.iter().map(Node::of), visitor),
            Node::Ss(set) => self.visit_elements(set.iter().map(|element| Node::S(element)), visitor),
            Node::Ns(set) => self.visit_elements(set.iter().map(Node::N), visitor),
            Node::Bs(set) => self.visit_elements(set.iter().map(|element| Node::B(element)), visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::N(number) => match number.to_string().parse() {
                Ok(integer) => visitor.visit_i128(integer),
                Err(_) => Self::visit_number(number, visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::N(number) => match number.to_string().parse() {
                Ok(integer) => visitor.visit_u128(integer),
                Err(_) => Self::visit_number(number, visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.visit_nearest(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.visit_nearest(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    /// A `Vec<u8>` asks for a sequence, also where bytes are stored.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node {
            Node::B(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.node {
            Node::S(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Node::M(map) if map.len() == 1 => {
                let entries = MapDeserializer::new(entries(map, self.inside()?));
                visitor.visit_enum(MapAccessDeserializer::new(entries))
            }
            _ => Err(de::Error::custom("a variant is stored as its name, or as a map of its name alone to its data")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, InvalidKind};
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
            prop_assert_eq!(item.deserialize::<Record>().unwrap(), record);
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
        assert_eq!(kind(Item::from_serialize(&BTreeMap::from([(1, 2)]))), InvalidKind::Serialization);
        assert_eq!(kind(Item::from_serialize(&BTreeMap::from([("n", i128::MAX)]))), InvalidKind::Overflow);
        assert_eq!(kind(Item::from_serialize(&BTreeMap::from([("n", f64::NAN)]))), InvalidKind::Value);
        assert_eq!(kind(Item::from_serialize(&BTreeMap::from([("n", f32::INFINITY)]))), InvalidKind::Value);
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
