//! Kinds of indexes: what the keys of a document are.
//!
//! An index is read from its keys as a user writes them, `{path: direction, …}`, and gives keys for documents. Which of its fields
//! are what is told by [`Pattern`]; a wildcard stands beside the fields of the pattern, at a place among them.
//!
//! Text and geospatial indexes are not modelled; they are refused by name.

mod partial;
mod wildcard;

use bson::{Bson, Document, RawDocument};

pub(super) use self::partial::Partial;
pub(super) use self::wildcard::{PATH, Wildcard, is_below};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::document::pattern::{By, Keys, Pattern};
use crate::error::{Error, Result};

/// Kinds that MongoDB has and Larder does not.
const UNMODELLED: [&str; 4] = ["text", "2d", "2dsphere", "geoHaystack"];

/// What the keys of an index are made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum IndexKind {
    /// Values in their order.
    Ordered,
    /// A hash of one field's values, and others in their order.
    Hashed,
    /// Every path below one, with its values, beside fields in their order.
    Wildcard(Box<Wildcard>),
}

impl IndexKind {
    /// Reads the keys of an index, and which fields of a wildcard are meant.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a kind that is not modelled, by its name; [`Error::Invalid`] for what is no key of an index;
    /// [`Error::LimitExceeded`] for too many fields.
    pub(super) fn parse(keys: &Document, projection: Option<&Document>) -> Result<(Self, Pattern)> {
        let (mut fields, mut wildcard) = (Vec::new(), None);
        for (path, value) in keys {
            let by = by(path, value)?;
            if !Wildcard::is(path) {
                fields.push((path.clone(), by));
            } else if by == By::Hash {
                return Err(refused("a wildcard cannot be hashed"));
            } else if wildcard.replace((fields.len(), path, by)).is_some() {
                return Err(refused("an index has at most one wildcard"));
            }
        }
        let hashed = fields.iter().filter(|(_, by)| *by == By::Hash).count();
        if hashed > 1 {
            return Err(Code::HASHED_TWICE.value("an index has at most one hashed field"));
        }
        if hashed == 1 && wildcard.is_some() {
            return Err(refused("an index with a wildcard has no hashed field"));
        }
        let pattern = Pattern::of_index(fields.into_iter(), wildcard.is_some())?;
        let kind = match wildcard {
            Some((place, path, by)) => {
                Self::Wildcard(Box::new(Wildcard::parse(path, by, place, &pattern, projection)?))
            }
            None if projection.is_some() => {
                return Err(refused("wildcardProjection is for the index on all fields, $**"));
            }
            None if hashed == 1 => Self::Hashed,
            None => Self::Ordered,
        };
        Ok((kind, pattern))
    }

    /// The keys that `document` has under `pattern`.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn keys(&self, pattern: &Pattern, document: &RawDocument, sparse: bool) -> Result<Keys> {
        match self {
            Self::Ordered | Self::Hashed => pattern.keys(document, sparse),
            Self::Wildcard(wildcard) => wildcard.keys(pattern, document),
        }
    }

    /// The wildcard, when it has one.
    pub(super) fn wildcard(&self) -> Option<&Wildcard> {
        match self {
            Self::Wildcard(wildcard) => Some(wildcard),
            Self::Ordered | Self::Hashed => None,
        }
    }
}

/// How a field goes by its values.
fn by(path: &str, value: &Bson) -> Result<By> {
    match value {
        Bson::String(kind) if kind == "hashed" => return Ok(By::Hash),
        Bson::String(kind) if UNMODELLED.contains(&kind.as_str()) => {
            return Err(Error::unsupported(format!("an index of the kind {kind:?}")));
        }
        Bson::String(kind) => return Err(refused(format!("there is no index of the kind {kind:?}"))),
        _ => {}
    }
    match Number::from_bson(value) {
        Some(number) if !number.is_nan() && !number.is_zero() => {
            Ok(if number.compare(Number::Int32(0)).is_lt() { By::Descending } else { By::Ascending })
        }
        _ => Err(refused(format!(
            "the value of {path:?} in the keys of an index is a number other than 0, or the name of a kind"
        ))),
    }
}

fn refused(why: impl Into<String>) -> Error {
    Code::CANNOT_CREATE_INDEX.value(why)
}

#[cfg(test)]
mod tests;
