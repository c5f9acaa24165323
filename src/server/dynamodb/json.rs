//! JSON as requests have it, with what they borrow from the request's bytes.
//!
//! Nesting is counted here: what lies deeper than [`limits::DYNAMODB_JSON_DEPTH_MAX`] is skipped without recursion and
//! leaves a mark, so that a request of any depth is an error of its own and never the end of the stack.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits;

/// A value. Of members with the same name the last one counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number without a point and an exponent, if there is room for it.
    Integer(i64),
    Decimal(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Map(Vec<(Cow<'a, str>, Json<'a>)>),
    /// A list or map that lies too deep, and was not kept.
    TooDeep,
}

impl<'a> Json<'a> {
    /// Reads the one value that `bytes` hold.
    ///
    /// # Errors
    /// What is wrong with the syntax, for the log; clients are not told.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = Nested(limits::DYNAMODB_JSON_DEPTH_MAX).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }

    /// The member `name` of a map, unless it is null.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(members) = self else { return None };
        let found = members.iter().rev().find(|(other, _)| other == name);
        found.map(|(_, value)| value).filter(|value| **value != Self::Null)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The elements of a list; of anything else there are none.
    pub(super) fn elements(&self) -> &[Self] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// The members of a map; of anything else there are none.
    pub(super) fn members(&self) -> &[(Cow<'a, str>, Self)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// A truth value, which the service also reads from a few words.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number. One with a fraction loses it, and one that is too large becomes the largest, as in the service.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
            Self::Decimal(value) => Some(*value as i64),
            _ => None,
        }
    }
}

/// Reads a value in which so many lists and maps may lie in one another.
#[derive(Clone, Copy)]
struct Nested(usize);

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Decimal(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json<'de>, A::Error> {
        let Some(inner) = self.0.checked_sub(1) else {
            // Skipping does not recurse.
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Json::TooDeep);
        };
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(Self(inner))? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let Some(inner) = self.0.checked_sub(1) else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Json::TooDeep);
        };
        let mut map = Vec::new();
        while let Some(name) = members.next_key_seed(Name)? {
            map.push((name, members.next_value_seed(Self(inner))?));
        }
        Ok(Json::Map(map))
    }
}

/// Reads the name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_escape_is_borrowed_and_the_last_of_equal_names_counts() {
        let value = Json::parse(br#"{"a":"plain","a":"\n","n":[1,-2.5,18446744073709551615,true,null]}"#).unwrap();
        assert_eq!(value.get("a").and_then(Json::as_text), Some("\n"));
        let Json::Map(members) = &value else { panic!("{value:?}") };
        assert!(matches!(&members[0].1, Json::Text(Cow::Borrowed("plain"))));
        let numbers: Vec<_> = value.get("n").unwrap().elements().iter().map(Json::as_integer).collect();
        assert_eq!(numbers, [Some(1), Some(-2), Some(i64::MAX), None, None]);
        assert!(Json::parse(b"{} x").is_err() && Json::parse(b"{").is_err() && Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn any_depth_is_read_without_recursion() {
        let depth = 1_000_000;
        let lists = "[".repeat(depth) + &"]".repeat(depth);
        let mut value = &Json::parse(lists.as_bytes()).unwrap();
        let mut levels = 0;
        while let Json::List(elements) = value {
            value = &elements[0];
            levels += 1;
        }
        assert_eq!((levels, value), (limits::DYNAMODB_JSON_DEPTH_MAX, &Json::TooDeep));
        let maps = r#"{"M":"#.repeat(depth) + "1" + &"}".repeat(depth);
        assert!(Json::parse(maps.as_bytes()).is_ok());
        assert!(Json::parse("[".repeat(depth).as_bytes()).is_err());
    }

    #[test]
    fn words_are_truth_values() {
        for (text, expected) in [("True", Some(true)), ("no", Some(false)), ("0", Some(false)), ("maybe", None)] {
            assert_eq!(Json::Text(text.into()).as_bool(), expected);
        }
    }
}
