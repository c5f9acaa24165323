//! Names of map entries as keys of other types than text.
//!
//! Maps with integers as keys are written with their digits, as JSON encoders write them, and read back by them.

use serde::de::Visitor;
use serde::de::value::BorrowedStrDeserializer;
use serde::{Deserializer, forward_to_deserialize_any};

use crate::item::serialize::Refusal;

/// A name, as whatever type of key it is asked for.
pub(super) struct MapKey<'de>(pub(super) &'de str);

macro_rules! integers {
    ($($deserialize:ident $visit:ident $integer:ty),+ $(,)?) => {
        $(
            /// The integer that the name is the digits of; what is none is shown as text, and refused by the type.
            fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
                match self.0.parse::<$integer>() {
                    Ok(integer) => visitor.$visit(integer),
                    Err(_) => visitor.visit_borrowed_str(self.0),
                }
            }
        )+
    };
}

impl<'de> Deserializer<'de> for MapKey<'de> {
    type Error = Refusal;

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use crate::item::Item;

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    struct Id(u32);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Scores {
        by_id: BTreeMap<Id, i64>,
        by_level: BTreeMap<i8, String>,
    }

    #[test]
    fn maps_with_integers_as_keys_come_back() {
        let scores = Scores {
            by_id: [(Id(7), 1), (Id(u32::MAX), -1)].into(),
            by_level: [(-3, "low".to_owned()), (0, String::new())].into(),
        };
        let item = Item::from_serialize(&scores).unwrap();
        let names: Vec<_> = item.get("by_level").unwrap().as_m().unwrap().keys().collect();
        assert_eq!(names, ["-3", "0"]);
        assert_eq!(item.deserialize::<Scores>().unwrap(), scores);
        let mut other = item;
        other.insert("by_level", crate::item::AttributeValue::M([("x", "")].into()));
        assert!(other.deserialize::<Scores>().is_err());
        assert!(Item::from_serialize(&BTreeMap::from([(vec![1u8], 1)])).is_err(), "a list is no key");
    }
}
