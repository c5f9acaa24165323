//! Text of items: the names of attributes, and strings.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Result;

/// Text: the name of an attribute, or a string. Up to 24 bytes are kept in the text itself, so that most names and many
/// values take no memory of their own.
///
/// It is read as the `str` that it derefs to, made of whatever is text, and turned into a `String` by
/// [`From`](String#impl-From<Text>-for-String); a long one keeps its memory both ways.
///
/// # Examples
/// ```
/// use larder::item::{AttributeValue, Text};
/// let text = Text::from("USER#7");
/// assert_eq!(text, "USER#7");
/// assert!(text.starts_with("USER#"));
/// assert_eq!(AttributeValue::S(text), AttributeValue::from(String::from("USER#7")));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(CompactString);

impl Text {
    /// The text as a `str`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::item::Text::from("a").as_str(), "a");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of `bytes`, or nothing when they are not UTF-8.
    pub(super) fn from_utf8(bytes: Vec<u8>) -> Option<Self> {
        String::from_utf8(bytes).ok().map(Self::from)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into_string()
    }
}

macro_rules! equal_to_text {
    ($($other:ty),*) => {$(
        impl PartialEq<$other> for Text {
            fn eq(&self, other: &$other) -> bool {
                let other: &str = other.as_ref();
                self.as_str() == other
            }
        }

        impl PartialEq<Text> for $other {
            fn eq(&self, other: &Text) -> bool {
                other == self
            }
        }
    )*};
}

equal_to_text!(str, &str, String);

impl Serialize for Text {
    /// As a string.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    /// From a string.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(Cow::<str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn short_and_long_text_is_the_text_that_it_was_made_of() {
        for length in [0, 1, 23, 24, 25, 1_000] {
            let string = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let texts = [
                Text::from(string.as_str()),
                Text::from(&string),
                Text::from(string.clone()),
                Text::from(Cow::Borrowed(string.as_str())),
                Text::from(Cow::<str>::Owned(string.clone())),
                Text::from_utf8(string.clone().into_bytes()).unwrap(),
                serde_json::from_str(&serde_json::to_string(&Text::from(string.as_str())).unwrap()).unwrap(),
            ];
            for text in texts {
                assert_eq!(text, string);
                assert_eq!(text, *string.as_str());
                assert_eq!(string, text);
                let copy = Text::from(&text);
                assert_eq!(copy, text);
                assert_eq!((text.to_string(), format!("{text:?}")), (string.clone(), format!("{string:?}")));
                assert_eq!(String::from(text), string);
            }
        }
        assert_eq!(Text::from_utf8(vec![0xff]), None);
    }

    #[test]
    fn text_is_found_and_ordered_as_a_str() {
        let ordered: BTreeMap<Text, u8> = [("b".into(), 1), ("a".into(), 2), ("a".repeat(30).into(), 3)].into();
        assert_eq!(ordered.values().copied().collect::<Vec<_>>(), [2, 3, 1]);
        assert_eq!(ordered.get("a"), Some(&2));
        let hashed: HashMap<Text, u8> = [("b".into(), 1), ("b".repeat(30).into(), 2)].into();
        assert_eq!((hashed.get("b"), hashed.get(&*"b".repeat(30))), (Some(&1), Some(&2)));
    }
}
