//! Serialization of callers' values, which may be nested deeper than there is stack.
//!
//! A serializer recurses as deep as the value is. This one lies between the value and the serializer proper, counts the levels
//! on the way down, and refuses before either has gone too deep. It changes nothing else.
//!
//! What makes no level of a document, such as a `Some` or a struct of one unnamed field, is counted apart and generously: it
//! takes stack too.

use std::fmt::Display;

use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use crate::limits;

/// What the refusal of a value that is too deep says, to whoever turns it into an error.
pub(super) const TOO_DEEP: &str = "larder: nested too deeply";

/// A value that is refused past the deepest nesting of a document.
pub(super) struct Bounded<'a, T: ?Sized> {
    value: &'a T,
    depth: Depth,
}

/// What lies around a value.
#[derive(Clone, Copy)]
struct Depth {
    levels: usize,
    wrappers: usize,
}

impl<'a, T: ?Sized> Bounded<'a, T> {
    pub(super) fn new(value: &'a T) -> Self {
        Self { value, depth: Depth { levels: 0, wrappers: 0 } }
    }
}

impl Depth {
    /// The depth of what is in a document, an array or a variant with a name, or the refusal.
    fn level<E: serde::ser::Error>(self) -> Result<Self, E> {
        if self.levels >= limits::DOCUMENT_DEPTH_MAX {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { levels: self.levels + 1, ..self })
    }

    /// The depth of what is in something that makes no level, or the refusal.
    fn wrapper<E: serde::ser::Error>(self) -> Result<Self, E> {
        if self.wrappers >= limits::SERIALIZED_WRAPPERS_MAX {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { wrappers: self.wrappers + 1, ..self })
    }

    fn of<T: ?Sized>(self, value: &T) -> Bounded<'_, T> {
        Bounded { value, depth: self }
    }
}

impl<T: Serialize + ?Sized> Serialize for Bounded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Bounding { inner: serializer, depth: self.depth })
    }
}

/// A serializer, or what it made to take the parts of a value.
struct Bounding<S> {
    inner: S,
    /// Around the value that is serialized; of parts, around them.
    depth: Depth,
}

impl<S> Bounding<S> {
    fn new(inner: S, depth: Depth) -> Self {
        Self { inner, depth }
    }
}

/// Methods that take a plain value, and leave it to the serializer proper.
macro_rules! plain {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<S: Serializer> Serializer for Bounding<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Bounding<S::SerializeSeq>;
    type SerializeTuple = Bounding<S::SerializeTuple>;
    type SerializeTupleStruct = Bounding<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Bounding<S::SerializeTupleVariant>;
    type SerializeMap = Bounding<S::SerializeMap>;
    type SerializeStruct = Bounding<S::SerializeStruct>;
    type SerializeStructVariant = Bounding<S::SerializeStructVariant>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&self.depth.wrapper()?.of(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &self.depth.wrapper()?.of(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, &self.depth.level()?.of(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let depth = self.depth.level()?;
        self.inner.serialize_seq(len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let depth = self.depth.level()?;
        self.inner.serialize_tuple(len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        let depth = self.depth.level()?;
        self.inner.serialize_tuple_struct(name, len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        // The variant's name is the field of a document that holds the array.
        let depth = self.depth.level::<S::Error>()?.level()?;
        self.inner.serialize_tuple_variant(name, index, variant, len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let depth = self.depth.level()?;
        self.inner.serialize_map(len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let depth = self.depth.level()?;
        self.inner.serialize_struct(name, len).map(|inner| Bounding::new(inner, depth))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let depth = self.depth.level::<S::Error>()?.level()?;
        self.inner.serialize_struct_variant(name, index, variant, len).map(|inner| Bounding::new(inner, depth))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// What takes the parts of a sequence: one method, of the same shape in each trait.
macro_rules! sequence {
    ($($trait:ident: $method:ident),* $(,)?) => {
        $(impl<S: $trait> $trait for Bounding<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.inner.$method(&self.depth.of(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

sequence! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// What takes named fields.
macro_rules! fields {
    ($($trait:ident),* $(,)?) => {
        $(impl<S: $trait> $trait for Bounding<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
                self.inner.serialize_field(name, &self.depth.of(value))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

fields! { SerializeStruct, SerializeStructVariant }

impl<S: SerializeMap> SerializeMap for Bounding<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(&self.depth.of(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&self.depth.of(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use bson::{Bson, RawDocumentBuf, doc, oid::ObjectId};
    use serde::Serialize;

    #[derive(Clone, Debug, Serialize)]
    struct Everything {
        optional: Option<Box<Everything>>,
        pair: (u8, String),
        new: New,
        variants: Vec<Variant>,
        map: BTreeMap<String, f64>,
        bson: Bson,
        unit: (),
        raw: RawDocumentBuf,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u8>,
    }

    #[derive(Clone, Debug, Serialize)]
    struct New(i64);

    #[derive(Clone, Debug, Serialize)]
    enum Variant {
        Unit,
        New(u32),
        Tuple(u8, bool),
        Struct { a: char },
    }

    #[test]
    fn what_is_not_too_deep_is_serialized_as_it_always_was() {
        let inner = Everything {
            optional: None,
            pair: (1, "x".into()),
            new: New(7),
            variants: vec![Variant::Unit, Variant::New(1), Variant::Tuple(2, true), Variant::Struct { a: 'z' }],
            map: BTreeMap::from([("m".into(), 1.5)]),
            bson:
                doc! { "id": ObjectId::from_bytes([7; 12]), "date": bson::DateTime::from_millis(5), "list": [1, [2]] }
                    .into(),
            unit: (),
            raw: RawDocumentBuf::try_from(doc! { "a": { "b": 1 } }).unwrap(),
            skipped: None,
        };
        let value = Everything { optional: Some(Box::new(inner.clone())), ..inner };
        assert_eq!(
            bson::serialize_to_raw_document_buf(&Bounded::new(&value)).unwrap(),
            bson::serialize_to_raw_document_buf(&value).unwrap()
        );
    }
}
