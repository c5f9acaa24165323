//! Dotted paths into stored documents.
//!
//! A part of a path names a field; in an array it steps into each element that is an object, and a part that is a number
//! is the position of an element too (SEM: DOC-FLT-6). One array level is crossed per part: `a.b` does not reach
//! `{a: [[{b: 1}]]}`.
//!
//! Where a position exists in an array, the objects of that array without a field of that name do not count as missing.
//!
//! # Source
//! MongoDB manual, Query an Array and Query for Null or Missing Fields.

use bson::{RawArray, RawBsonRef, RawDocument};

use crate::document::raw::{corrupt, field};
use crate::error::{Error, Result};
use crate::limits;

/// A path, split at its dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Path {
    text: String,
    parts: Vec<Part>,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    name: String,
    position: Option<usize>,
}

/// What a path reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reached<'a> {
    /// A document in which the path does not exist.
    Missing,
    /// A value under a field name; if it is an array, a condition looks at its elements too.
    Field(RawBsonRef<'a>),
    /// An element of an array, by its position; a condition looks at it as a whole.
    Element(RawBsonRef<'a>),
}

impl Path {
    /// Splits `text` at its dots.
    ///
    /// # Errors
    /// [`InvalidKind::Value`] for an empty path or part, or one with a NUL; [`Error::LimitExceeded`] for too many parts.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let parts = text.split('.').map(Part::parse).collect::<Vec<_>>();
        if parts.iter().any(|part| part.name.is_empty() || part.name.contains('\0')) {
            return Err(Error::value(format!("{text:?} is not a field path")));
        }
        limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The path as it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts, at least one.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Shows `visit` what the path reaches in `document`, in stored order, until it answers `true`; answers whether it did.
    ///
    /// Nothing at all is reached through an array without objects in it.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the document does not decode.
    pub(super) fn any<'a>(
        &self,
        document: &'a RawDocument,
        mut visit: impl FnMut(Reached<'a>) -> bool,
    ) -> Result<bool> {
        in_document(document, &self.parts, &mut visit)
    }
}

impl Part {
    /// The part as a field name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The part as a position in an array, when it can be one.
    pub(super) fn position(&self) -> Option<usize> {
        self.position
    }

    fn parse(name: &str) -> Self {
        let canonical = name == "0" || !name.starts_with(['0', '+']);
        Self { name: name.to_owned(), position: name.parse().ok().filter(|_| canonical) }
    }
}

/// The elements of `array`.
pub(super) fn elements(array: &RawArray) -> impl Iterator<Item = Result<RawBsonRef<'_>>> {
    array.into_iter().map(|element| element.map_err(corrupt))
}

type Visit<'v, 'a> = dyn FnMut(Reached<'a>) -> bool + 'v;

fn in_document<'a>(document: &'a RawDocument, parts: &[Part], visit: &mut Visit<'_, 'a>) -> Result<bool> {
    let Some((part, rest)) = parts.split_first() else { return Ok(false) };
    let Some(value) = field(document, &part.name)? else { return Ok(visit(Reached::Missing)) };
    if rest.is_empty() {
        return Ok(visit(Reached::Field(value)));
    }
    match value {
        RawBsonRef::Document(document) => in_document(document, rest, visit),
        RawBsonRef::Array(array) => in_array(array, rest, visit),
        _ => Ok(visit(Reached::Missing)),
    }
}

fn in_array<'a>(array: &'a RawArray, parts: &[Part], visit: &mut Visit<'_, 'a>) -> Result<bool> {
    let Some((part, rest)) = parts.split_first() else { return Ok(false) };
    let positioned = match part.position {
        Some(position) => array.get(position).map_err(corrupt)?,
        None => None,
    };
    for element in elements(array) {
        let RawBsonRef::Document(document) = element? else { continue };
        let counts = positioned.is_none() || field(document, &part.name)?.is_some();
        if counts && in_document(document, parts, visit)? {
            return Ok(true);
        }
    }
    match positioned {
        Some(element) if rest.is_empty() => Ok(visit(Reached::Element(element))),
        Some(RawBsonRef::Document(document)) => in_document(document, rest, visit),
        Some(RawBsonRef::Array(array)) => in_array(array, rest, visit),
        Some(_) => Ok(visit(Reached::Missing)),
        None => Ok(false),
    }
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]
mod tests {
    use super::*;
    use bson::{Bson, Document, RawDocumentBuf, doc};

    /// What `path` reaches: `None` for missing.
    fn reached(document: Document, path: &str) -> Vec<Option<Bson>> {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let mut found = Vec::new();
        let visit = |reached: Reached<'_>| {
            found.push(match reached {
                Reached::Missing => None,
                Reached::Field(value) | Reached::Element(value) => Some(Bson::try_from(value).unwrap()),
            });
            false
        };
        assert!(!Path::parse(path).unwrap().any(&raw, visit).unwrap());
        found
    }

    // SEM: DOC-FLT-6
    #[test]
    fn a_part_steps_into_each_object_of_one_array_level() {
        assert_eq!(reached(doc! { "a": { "b": 1 } }, "a.b"), [Some(Bson::Int32(1))]);
        assert_eq!(reached(doc! { "a": [{ "b": 1 }, 7, { "b": 2 }] }, "a.b"), [Some(1.into()), Some(2.into())]);
        assert_eq!(reached(doc! { "a": [[{ "b": 1 }]] }, "a.b"), []);
        assert_eq!(reached(doc! { "a": [[{ "b": 1 }]] }, "a.0.b"), [Some(1.into())]);
    }

    // SEM: DOC-FLT-6
    #[test]
    fn a_number_is_a_position_and_a_name() {
        assert_eq!(reached(doc! { "a": [5, 7] }, "a.1"), [Some(Bson::Int32(7))]);
        assert_eq!(reached(doc! { "a": { "1": 5 } }, "a.1"), [Some(Bson::Int32(5))]);
        let both = reached(doc! { "a": [5, { "1": 4 }] }, "a.1");
        assert_eq!(both, [Some(Bson::Int32(4)), Some(doc! { "1": 4 }.into())]);
        assert_eq!(reached(doc! { "a": [5] }, "a.01"), []);
    }

    // SEM: DOC-FLT-2, DOC-FLT-6
    #[test]
    fn missing_is_told_apart_from_null_and_from_nothing() {
        assert_eq!(reached(doc! {}, "a"), [None]);
        assert_eq!(reached(doc! { "a": Bson::Null }, "a"), [Some(Bson::Null)]);
        assert_eq!(reached(doc! { "a": 5 }, "a.b"), [None]);
        assert_eq!(reached(doc! { "a": [{ "b": 1 }, {}] }, "a.b"), [Some(1.into()), None]);
        assert_eq!(reached(doc! { "a": [] }, "a.b"), []);
        assert_eq!(reached(doc! { "a": [5] }, "a.0.b"), [None]);
    }

    #[test]
    fn empty_parts_and_endless_paths_are_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "a\0"] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
        assert!(Path::parse(&vec!["a"; 200].join(".")).is_ok());
        assert!(Path::parse(&vec!["a"; 201].join(".")).is_err());
    }
}
