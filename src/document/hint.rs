//! Hints: which index an operation is to use.

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::number::Number;
use crate::engine::Direction;
use crate::error::{Error, Result};

/// What the planner is told to use, instead of choosing.
///
/// An index that is named is used even if it helps with nothing; one that does not exist is an error, unless the collection does not
/// exist either. `{$natural: 1}` reads the collection from its first document on, `{$natural: -1}` from its last.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::Hint};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.create_index(doc! { "at": 1 })?;
/// events.insert_many([doc! { "_id": 1, "at": 7 }, doc! { "_id": 2, "at": 5 }])?;
/// assert_eq!(events.find(doc! {}).hint("at_1").to_vec()?[0], doc! { "_id": 2, "at": 5 });
/// assert_eq!(events.find(doc! {}).hint(doc! { "at": 1 }).to_vec()?.len(), 2);
/// assert_eq!(events.find(doc! {}).hint(doc! { "$natural": -1 }).to_vec()?[0], doc! { "_id": 2, "at": 5 });
/// assert!(events.find(doc! {}).hint("nosuch").to_vec().is_err());
/// # let _ = Hint::from("at_1");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `hint`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// The index of this name.
    Name(String),
    /// The index with these keys, or `{$natural: ±1}`. An empty document is no hint.
    Keys(Document),
}

impl From<&str> for Hint {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Hint {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<Document> for Hint {
    fn from(keys: Document) -> Self {
        Self::Keys(keys)
    }
}

impl Hint {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Keys(keys) if keys.is_empty())
    }

    /// The direction in which the collection is to be read, without an index; `None` for a hint of an index.
    ///
    /// # Errors
    /// Code 2 for a `$natural` that is neither 1 nor -1, or that has other fields beside it.
    pub(super) fn natural(&self) -> Result<Option<Direction>> {
        match self {
            Self::Keys(keys) => natural(keys),
            Self::Name(_) => Ok(None),
        }
    }

    /// Whether it means the index `name` on `keys`.
    pub(super) fn is_of(&self, name: &str, keys: &Document) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Keys(wanted) => wanted.len() == keys.len() && wanted.iter().zip(keys).all(is_same),
        }
    }

    /// The error for a hint of an index that does not exist.
    pub(super) fn unknown(&self) -> Error {
        let hint = match self {
            Self::Name(name) => format!("{name:?}"),
            Self::Keys(keys) => keys.to_string(),
        };
        Code::BAD_VALUE.value(format!("hint provided does not correspond to an existing index: {hint}"))
    }
}

/// The direction of `{$natural: 1}` or `{$natural: -1}`; `None` for keys without `$natural`.
///
/// # Errors
/// Code 2 for another direction, and for other keys beside it.
pub(super) fn natural(keys: &Document) -> Result<Option<Direction>> {
    let Some(direction) = keys.get("$natural") else { return Ok(None) };
    if keys.len() > 1 {
        return Err(Code::BAD_VALUE.syntax("$natural goes with no other keys"));
    }
    match Number::from_bson(direction).and_then(Number::as_i64) {
        Some(1) => Ok(Some(Direction::Forward)),
        Some(-1) => Ok(Some(Direction::Backward)),
        _ => Err(Code::BAD_VALUE.value("$natural is 1 or -1")),
    }
}

/// Whether two keys are the same path in the same direction; 1, 1.0 and other numbers that are equal are one direction.
fn is_same(((path, direction), (other, of_other)): ((&String, &Bson), (&String, &Bson))) -> bool {
    let number = |direction| Number::from_bson(direction).and_then(Number::as_i64);
    let is_same_direction = match (number(direction), number(of_other)) {
        (Some(one), Some(two)) => one == two,
        (None, None) => direction == of_other,
        _ => false,
    };
    path == other && is_same_direction
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn a_hint_means_an_index_by_its_name_or_its_keys_in_order() {
        let keys = doc! { "a": 1, "b": -1 };
        assert!(Hint::from("x").is_of("x", &keys) && !Hint::from("X").is_of("x", &keys));
        assert!(Hint::from(doc! { "a": 1.0, "b": -1_i64 }).is_of("x", &keys));
        assert!(!Hint::from(doc! { "b": -1, "a": 1 }).is_of("x", &keys));
        assert!(!Hint::from(doc! { "a": 1 }).is_of("x", &keys));
        assert!(!Hint::from(doc! { "a": 1.5, "b": -1 }).is_of("x", &keys));
        assert!(!Hint::from(doc! { "a": true, "b": -1 }).is_of("x", &keys));
        assert!(Hint::from(doc! { "a": "text" }).is_of("x", &doc! { "a": "text" }));
    }

    #[test]
    fn natural_is_one_of_two_directions_and_stands_alone() {
        assert_eq!(natural(&doc! { "$natural": -1.0 }).unwrap(), Some(Direction::Backward));
        assert_eq!(natural(&doc! { "a": 1 }).unwrap(), None);
        let wrong = [doc! { "$natural": 0 }, doc! { "$natural": true }, doc! { "$natural": 1, "a": 1 }];
        assert!(wrong.iter().all(|keys| natural(keys).is_err()));
    }
}
