//! `$unwind`: one document for each element of an array.

use std::vec;

use bson::raw::{CString, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::{Bson, Document};

use super::Documents;
use crate::document::expression::{check_depth, check_size, name};
use crate::document::path::elements;
use crate::document::raw::{corrupt, field};
use crate::error::{Error, Result};
use crate::limits;

/// A compiled `$unwind`.
#[derive(Debug)]
pub(super) struct Unwind {
    path: Vec<CString>,
    /// Where the position of the element goes.
    index: Option<Vec<CString>>,
    /// Whether documents without elements pass.
    preserves_empty: bool,
}

impl Unwind {
    /// Compiles `"$path"` or `{path, includeArrayIndex, preserveNullAndEmptyArrays}`.
    ///
    /// # Errors
    /// [`InvalidKind::Syntax`] for any other form, [`Error::Unsupported`] for an unknown option.
    pub(super) fn compile(argument: &Bson) -> Result<Self> {
        match argument {
            Bson::String(path) => Ok(Self { path: field_path(path)?, index: None, preserves_empty: false }),
            Bson::Document(options) => Self::with_options(options),
            _ => Err(Error::syntax("$unwind takes a path or a document with a path")),
        }
    }

    fn with_options(options: &Document) -> Result<Self> {
        let (mut path, mut index, mut preserves_empty) = (None, None, false);
        for (option, value) in options {
            match (option.as_str(), value) {
                ("path", Bson::String(text)) => path = Some(field_path(text)?),
                ("includeArrayIndex", Bson::String(text)) => index = Some(parts(text)?),
                ("preserveNullAndEmptyArrays", Bson::Boolean(preserves)) => preserves_empty = *preserves,
                ("path" | "includeArrayIndex" | "preserveNullAndEmptyArrays", _) => {
                    return Err(Error::syntax(format!("the option {option} of $unwind has the wrong type")));
                }
                _ => return Err(Error::unsupported(format!("option {option:?} of $unwind"))),
            }
        }
        let path = path.ok_or_else(|| Error::syntax("$unwind needs a path"))?;
        Ok(Self { path, index, preserves_empty })
    }

    /// The documents of `input`, unwound one element at a time.
    pub(super) fn run(self, input: Documents) -> impl Iterator<Item = Result<RawDocumentBuf>> + Send {
        Unwound { unwind: self, input, current: None }
    }

    /// What becomes of a document: one document, none, or a document for each of the elements.
    fn open(&self, document: RawDocumentBuf) -> Result<Opened> {
        let mut owned = None;
        let empty = match at(&document, &self.path)? {
            Some(RawBsonRef::Array(array)) => {
                let found = elements(array).map(|element| element.map(RawBson::from)).collect::<Result<Vec<_>>>()?;
                let empty = found.is_empty();
                owned = Some(found);
                empty
            }
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => true,
            Some(_) => false,
        };
        match owned {
            Some(elements) if !empty => {
                Ok(Opened::Many(Current { document, elements: elements.into_iter(), position: 0 }))
            }
            _ if empty && !self.preserves_empty => Ok(Opened::One(None)),
            Some(_) => {
                let without = with(&document, &self.path, None)?;
                self.indexed(without, RawBsonRef::Null).map(Some).map(Opened::One)
            }
            None => self.indexed(document, RawBsonRef::Null).map(Some).map(Opened::One),
        }
    }

    /// `document` with the position, if it is asked for.
    fn indexed(&self, document: RawDocumentBuf, position: RawBsonRef<'_>) -> Result<RawDocumentBuf> {
        let Some(path) = &self.index else { return Ok(document) };
        let new = with(&document, path, Some(position))?;
        check_size(&new)?;
        check_depth(RawBsonRef::Document(&new), limits::DOCUMENT_DEPTH_MAX)?;
        Ok(new)
    }
}

enum Opened {
    One(Option<RawDocumentBuf>),
    Many(Current),
}

/// A document whose elements are on their way out.
struct Current {
    document: RawDocumentBuf,
    elements: vec::IntoIter<RawBson>,
    position: i64,
}

struct Unwound {
    unwind: Unwind,
    input: Documents,
    current: Option<Current>,
}

impl Iterator for Unwound {
    type Item = Result<RawDocumentBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(element) = current.elements.next()
            {
                let position = RawBsonRef::Int64(current.position);
                current.position += 1;
                let unwound = with(&current.document, &self.unwind.path, Some(element.as_raw_bson_ref()));
                return Some(unwound.and_then(|document| self.unwind.indexed(document, position)));
            }
            self.current = None;
            match self.input.next()?.and_then(|document| self.unwind.open(document)) {
                Ok(Opened::Many(current)) => self.current = Some(current),
                Ok(Opened::One(None)) => {}
                Ok(Opened::One(Some(document))) => return Some(Ok(document)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn field_path(text: &str) -> Result<Vec<CString>> {
    let path = text
        .strip_prefix('$')
        .ok_or_else(|| Error::syntax(format!("the path {text:?} needs a dollar sign in front")))?;
    parts(path)
}

fn parts(path: &str) -> Result<Vec<CString>> {
    if path.split('.').any(|part| part.is_empty() || part.starts_with('$')) {
        return Err(Error::syntax(format!("{path:?} is not a field path")));
    }
    let parts = path.split('.').map(name).collect::<Result<Vec<_>>>()?;
    limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
    Ok(parts)
}

/// The value at `path`, through objects only.
fn at<'a>(document: &'a RawDocument, path: &[CString]) -> Result<Option<RawBsonRef<'a>>> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    match field(document, first.as_str())? {
        Some(RawBsonRef::Document(inner)) if !rest.is_empty() => at(inner, rest),
        value => Ok(value.filter(|_| rest.is_empty())),
    }
}

/// `document` with `value` at `path`, or without anything there. What is in the way of the path is replaced.
fn with(document: &RawDocument, path: &[CString], value: Option<RawBsonRef<'_>>) -> Result<RawDocumentBuf> {
    let mut new = RawDocumentBuf::new();
    let Some((first, rest)) = path.split_first() else { return Ok(new) };
    let empty = RawDocumentBuf::new();
    let mut found = false;
    for element in document {
        let (name, old) = element.map_err(corrupt)?;
        if found || name.as_str() != first.as_str() {
            new.append(name, old);
            continue;
        }
        found = true;
        put(&mut new, first, rest, if let RawBsonRef::Document(inner) = old { inner } else { &empty }, value)?;
    }
    if !found && value.is_some() {
        put(&mut new, first, rest, &empty, value)?;
    }
    Ok(new)
}

fn put(
    new: &mut RawDocumentBuf,
    first: &CString,
    rest: &[CString],
    inner: &RawDocument,
    value: Option<RawBsonRef<'_>>,
) -> Result<()> {
    if !rest.is_empty() {
        new.append(first, with(inner, rest, value)?);
    } else if let Some(value) = value {
        new.append(first, value);
    }
    Ok(())
}
