//! Items from any `serde` type.
//!
//! | `serde`                                   | attribute                                        |
//! |-------------------------------------------|--------------------------------------------------|
//! | integers, floats                          | N; a float as its shortest decimal               |
//! | strings, chars, variants without data     | S                                                |
//! | bytes                                     | B                                                |
//! | booleans                                  | BOOL                                             |
//! | `None`, unit                              | NULL                                             |
//! | sequences, tuples                         | L                                                |
//! | structs, maps with text or integers as keys | M                                              |
//! | variants with data                        | M of the variant's name to its data              |

use std::fmt;

use serde::ser::{self, Serialize};

use crate::error::{Error, InvalidKind, Result};
use crate::item::{AttributeValue, Item, Number, Text};
use crate::limits;

impl Item {
    /// The item that `value`, a struct or a map with text or integers as keys, serializes to.
    ///
    /// Numbers become N, text S, `serde` bytes B, `None` NULL, sequences L, structs and maps M; a variant with data becomes
    /// an M of its name to its data. Sets are not made: a sequence of any kind becomes a list.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it serializes to no map, has a map with keys other than text and integers, or a number out of range;
    /// [`Error::LimitExceeded`] when it nests too deeply.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Item;
    /// #[derive(serde::Serialize)]
    /// struct Event { #[serde(rename = "PK")] user: String, amount: f64 }
    /// let item = Item::from_serialize(&Event { user: "USER#7".into(), amount: 41.5 })?;
    /// assert_eq!(item, Item::new().with("PK", "USER#7").with("amount", "41.5".parse::<larder::item::Number>()?));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn from_serialize(value: &impl Serialize) -> Result<Self> {
        // The item itself is no level: its attributes' lists and maps are the first.
        match value.serialize(Serializer { level: 0, wrappers: 0 }).map_err(|Refusal(error)| error)? {
            AttributeValue::M(attributes) => Ok(Self::from(attributes)),
            other => Err(refuse(format!("an item is a map, not {}", other.type_name())).0),
        }
    }
}

/// An error on its way through `serde`.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Error);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        refuse(message.to_string())
    }
}

impl serde::de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        refuse(message.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

fn refuse(message: String) -> Refusal {
    Refusal(Error::invalid(InvalidKind::Serialization, message))
}

/// Makes the value at `level` of an item.
#[derive(Clone, Copy)]
struct Serializer {
    level: usize,
    /// Wrappers around it that make no level.
    wrappers: usize,
}

impl Serializer {
    /// For what is inside this list or map.
    fn inside(self) -> Result<Self, Refusal> {
        limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, self.level)?;
        Ok(Self { level: self.level + 1, ..self })
    }

    /// Makes what is in a wrapper, such as a `Some`: it takes a place on the stack, though none in the item.
    fn wrapped(self) -> Result<Self, Refusal> {
        limits::check("item value wrappers", limits::SERIALIZED_WRAPPERS_MAX, self.wrappers + 1)?;
        Ok(Self { wrappers: self.wrappers + 1, ..self })
    }
}

/// A variant's data under its name.
fn variant(name: &str, data: AttributeValue) -> AttributeValue {
    AttributeValue::M([(name, data)].into())
}

macro_rules! numbers {
    ($($method:ident($value:ty)),*) => {$(
        fn $method(self, value: $value) -> Result<AttributeValue, Refusal> {
            Ok(AttributeValue::from(value))
        }
    )*};
}

impl ser::Serializer for Serializer {
    type Ok = AttributeValue;
    type Error = Refusal;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Map;

    numbers!(serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64));
    numbers!(serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64));

    fn serialize_i128(self, value: i128) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::N(value.to_string().parse()?))
    }

    fn serialize_u128(self, value: u128) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::N(value.to_string().parse()?))
    }

    fn serialize_f32(self, value: f32) -> Result<AttributeValue, Refusal> {
        if !value.is_finite() {
            return self.serialize_f64(value.into());
        }
        // Through text, so that 0.1 stays 0.1.
        Ok(AttributeValue::N(format!("{value:e}").parse()?))
    }

    fn serialize_f64(self, value: f64) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::N(Number::try_from(value)?))
    }

    fn serialize_bool(self, value: bool) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::Bool(value))
    }

    fn serialize_char(self, value: char) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::from(&*value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::from(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::from(value))
    }

    fn serialize_none(self) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<AttributeValue, Refusal> {
        value.serialize(self.wrapped()?)
    }

    fn serialize_unit(self) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<AttributeValue, Refusal> {
        Ok(AttributeValue::from(name))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<AttributeValue, Refusal> {
        value.serialize(self.wrapped()?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<AttributeValue, Refusal> {
        Ok(variant(name, value.serialize(self.inside()?)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Refusal> {
        Ok(List { elements: Vec::new(), variant: None, inside: self.inside()? })
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Refusal> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Refusal> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<List, Refusal> {
        Ok(List { variant: Some(name), ..self.inside()?.serialize_seq(None)? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map, Refusal> {
        Ok(Map { entries: Vec::new(), key: None, variant: None, inside: self.inside()? })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Map, Refusal> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Map, Refusal> {
        Ok(Map { variant: Some(name), ..self.inside()?.serialize_map(None)? })
    }
}

/// A list that is being made.
struct List {
    elements: Vec<AttributeValue>,
    /// The variant whose data the list is.
    variant: Option<&'static str>,
    inside: Serializer,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.elements.push(value.serialize(self.inside)?);
        Ok(())
    }

    fn finish(self) -> AttributeValue {
        let list = AttributeValue::L(self.elements);
        match self.variant {
            Some(name) => variant(name, list),
            None => list,
        }
    }
}

macro_rules! lists {
    ($($kind:ident::$method:ident),*) => {$(
        impl ser::$kind for List {
            type Ok = AttributeValue;
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                self.push(value)
            }

            fn end(self) -> Result<AttributeValue, Refusal> {
                Ok(self.finish())
            }
        }
    )*};
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// A map that is being made.
struct Map {
    /// As they came; of those with the same name the last one counts.
    entries: Vec<(Text, AttributeValue)>,
    /// The key whose value comes next.
    key: Option<Text>,
    /// The variant whose data the map is.
    variant: Option<&'static str>,
    inside: Serializer,
}

impl Map {
    fn insert<T: Serialize + ?Sized>(&mut self, key: Text, value: &T) -> Result<(), Refusal> {
        self.entries.push((key, value.serialize(self.inside)?));
        Ok(())
    }

    fn finish(self) -> AttributeValue {
        let map = AttributeValue::M(self.entries.into_iter().collect());
        match self.variant {
            Some(name) => variant(name, map),
            None => map,
        }
    }
}

impl ser::SerializeMap for Map {
    type Ok = AttributeValue;
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        match key.serialize(self.inside)? {
            AttributeValue::S(key) => self.key = Some(key),
            AttributeValue::N(number) if number.to_i128().is_some() || number.to_u128().is_some() => {
                self.key = Some(number.to_string().into());
            }
            other => return Err(refuse(format!("the key of a map is text or an integer, not {}", other.type_name()))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let key = self.key.take().ok_or_else(|| refuse("a map's value came without its key".to_owned()))?;
        self.insert(key, value)
    }

    fn end(self) -> Result<AttributeValue, Refusal> {
        Ok(self.finish())
    }
}

macro_rules! structs {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Map {
            type Ok = AttributeValue;
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
                self.insert(name.into(), value)
            }

            fn end(self) -> Result<AttributeValue, Refusal> {
                Ok(self.finish())
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);
