//! Dotted paths.
//!
//! [`FieldPath`] is the only parser of them; who asks says for what, because what is allowed in a path differs ([`For`]).
//!
//! # Reaching
//! In a filter and in an index a part of a path names a field; in an array it steps into each element that is an
//! object, and a part that is a number is the position of an element too. One array level is crossed per part: `a.b`
//! does not reach `{a: [[{b: 1}]]}`. How expressions, projections and updates follow a path is their affair.
//!
//! # Source
//! MongoDB manual, Query an Array, Query for Null or Missing Fields, Field Names.

use bson::raw::CString;
use bson::{RawArray, RawBsonRef, RawDocument};

use crate::document::code::Code;
use crate::document::raw::{corrupt, field};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A path, split at its dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPath {
    text: String,
    parts: Vec<Part>,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    name: CString,
    position: Option<usize>,
}

/// Who asks for a path, which decides what may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// Conditions: any names, empty ones and such with a dollar sign too.
    Filter,
    /// Expressions, projections and stages: no empty parts, and no dollar signs in front.
    Expression,
    /// Updates: no empty parts, and no dollar sign in front of the first.
    Update,
    /// Keys of indexes, with numbers of their own for refusals.
    Index,
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug)]
enum Mistake {
    Empty,
    EmptyPart,
    TrailingDot,
    Dollar,
    Nul,
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

impl For {
    fn refuses(self, text: &str) -> Option<Mistake> {
        if text.contains('\0') {
            return Some(Mistake::Nul);
        }
        let dollar = |part: &str| part.starts_with('$') && !matches!(part, "$id" | "$ref" | "$db");
        if self == Self::Filter {
            return None;
        }
        if text.is_empty() {
            return Some(Mistake::Empty);
        }
        if text.split('.').any(str::is_empty) {
            return Some(if text.ends_with('.') { Mistake::TrailingDot } else { Mistake::EmptyPart });
        }
        let is_dollar = match self {
            Self::Update => text.starts_with('$'),
            _ => text.split('.').any(dollar),
        };
        is_dollar.then_some(Mistake::Dollar)
    }

    fn error(self, mistake: Mistake, text: &str) -> Error {
        let message = match mistake {
            Mistake::Empty => "a path must not be empty".to_owned(),
            Mistake::EmptyPart => format!("the path {text:?} has an empty part"),
            Mistake::TrailingDot => format!("the path {text:?} ends with a dot"),
            Mistake::Dollar => format!("a part of the path {text:?} begins with a dollar sign"),
            Mistake::Nul => format!("the path {text:?} contains a NUL character"),
        };
        let code = match (self, mistake) {
            (Self::Filter, _) => return Code::BAD_VALUE.value(message),
            (Self::Index, _) => return Code::CANNOT_CREATE_INDEX.value(message),
            (Self::Update, Mistake::Dollar) => return Code::DOLLAR_PREFIXED_FIELD_NAME.value(message),
            (Self::Update, Mistake::Nul) => Code::BAD_VALUE,
            (Self::Update, _) => Code::EMPTY_FIELD_NAME,
            (Self::Expression, Mistake::Empty) => Code::PATH_EMPTY,
            (Self::Expression, Mistake::EmptyPart) => Code::PATH_EMPTY_PART,
            (Self::Expression, Mistake::TrailingDot) => Code::PATH_TRAILING_DOT,
            (Self::Expression, Mistake::Dollar) => Code::PATH_DOLLAR_PREFIX,
            (Self::Expression, Mistake::Nul) => Code::PATH_NULL_BYTE,
        };
        code.error(InvalidKind::Syntax, message)
    }
}

impl FieldPath {
    /// Splits `text` at its dots.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what `purpose` does not allow; [`Error::LimitExceeded`] for too many parts.
    pub(super) fn parse(text: &str, purpose: For) -> Result<Self> {
        Ok(Self { parts: Self::split(text, purpose)?, text: text.to_owned() })
    }

    /// The parts of `text`, which is split at its dots.
    ///
    /// # Errors
    /// As [`FieldPath::parse`].
    pub(super) fn split(text: &str, purpose: For) -> Result<Vec<Part>> {
        if let Some(mistake) = purpose.refuses(text) {
            return Err(purpose.error(mistake, text));
        }
        let dots = text.bytes().filter(|byte| *byte == b'.').count();
        if dots == 0 {
            return Ok(vec![Part::parse(text, purpose, text)?]);
        }
        limits::check("path parts", limits::PATH_PARTS_MAX, dots + 1)?;
        text.split('.').map(|part| Part::parse(part, purpose, text)).collect()
    }

    /// The path of `parts`.
    pub(super) fn of(parts: &[Part]) -> Self {
        let text: Vec<_> = parts.iter().map(Part::name).collect();
        Self { text: text.join("."), parts: parts.to_vec() }
    }

    /// The path as it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts, at least one.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Shows `visit` what the path reaches in `document`, in stored order, until it returns `true`; returns whether it did.
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
        self.name.as_str()
    }

    /// The part as a field name in the form that documents store.
    pub(super) fn stored_name(&self) -> &CString {
        &self.name
    }

    /// The part as a position in an array, when it can be one.
    pub(super) fn position(&self) -> Option<usize> {
        self.position
    }

    fn parse(name: &str, purpose: For, text: &str) -> Result<Self> {
        // A leading zero or a sign makes a plain name: positions have one spelling.
        let canonical = name == "0" || !name.starts_with(['0', '+']);
        let position = name.parse().ok().filter(|_| canonical);
        let name = CString::try_from(name).map_err(|_| purpose.error(Mistake::Nul, text))?;
        Ok(Self { name, position })
    }
}

/// The elements of `array`.
pub(super) fn elements(array: &RawArray) -> impl Iterator<Item = Result<RawBsonRef<'_>>> {
    array.into_iter().map(|element| element.map_err(corrupt))
}

type Visit<'v, 'a> = dyn FnMut(Reached<'a>) -> bool + 'v;

fn in_document<'a>(document: &'a RawDocument, parts: &[Part], visit: &mut Visit<'_, 'a>) -> Result<bool> {
    let Some((part, rest)) = parts.split_first() else { return Ok(false) };
    let Some(value) = field(document, part.name())? else { return Ok(visit(Reached::Missing)) };
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
        if in_document(document, parts, visit)? {
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
        assert!(!FieldPath::parse(path, For::Filter).unwrap().any(&raw, visit).unwrap());
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
        assert_eq!(reached(doc! { "a": [{ "b": 1 }] }, "a.0"), [None, Some(doc! { "b": 1 }.into())]);
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

    // SEM: DOC-FLT-11
    #[test]
    fn what_is_allowed_in_a_path_depends_on_who_asks() {
        let number = |text: &str, purpose| match FieldPath::parse(text, purpose) {
            Err(Error::Invalid { code, .. }) => code.unwrap(),
            other => panic!("{text:?}: {other:?}"),
        };
        for text in ["", ".", "a.", ".a", "a..b", "$a", "a.$b"] {
            assert_eq!(FieldPath::parse(text, For::Filter).unwrap().as_str(), text);
        }
        for purpose in [For::Filter, For::Expression, For::Update, For::Index] {
            assert!(FieldPath::parse("a\0", purpose).is_err());
            assert!(FieldPath::parse(&vec!["a"; 200].join("."), purpose).is_ok());
            assert!(FieldPath::parse(&vec!["a"; 201].join("."), purpose).is_err());
            assert!(FieldPath::parse("a.$id", purpose).is_ok());
        }
        let expected = [("", 40352, 56), ("a.", 40353, 56), (".a", 15998, 56), ("a..b", 15998, 56), ("$a", 16410, 52)];
        for (text, expression, update) in expected {
            assert_eq!(number(text, For::Expression), expression, "{text:?}");
            assert_eq!(number(text, For::Update), update, "{text:?}");
            assert_eq!(number(text, For::Index), 67, "{text:?}");
        }
        assert!(FieldPath::parse("a.$b", For::Update).is_ok() && FieldPath::parse("a.$b", For::Expression).is_err());
    }
}
