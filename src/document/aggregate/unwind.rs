//! `$unwind`: one document for each element of an array.

use std::vec;

use bson::raw::{CString, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::{Bson, Document};

use crate::document::code::Code;
use crate::document::expression::{check_depth, check_size};
use crate::document::path::{FieldPath, For, elements};
use crate::document::raw::{corrupt, field};
use crate::document::rows::{Input, Rows, lent};
use crate::error::Result;
use crate::limits;

/// A compiled `$unwind`.
#[derive(Clone, Debug)]
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
            _ => Err(Code::UNWIND_SPECIFICATION.syntax("$unwind takes a path or a document with a path")),
        }
    }

    fn with_options(options: &Document) -> Result<Self> {
        let (mut path, mut index, mut preserves_empty) = (None, None, false);
        for (option, value) in options {
            match (option.as_str(), value) {
                ("path", Bson::String(text)) => path = Some(field_path(text)?),
                ("includeArrayIndex", Bson::String(text)) if text.is_empty() => {
                    return Err(Code::UNWIND_INDEX_TYPE.syntax("includeArrayIndex of $unwind needs a name"));
                }
                ("includeArrayIndex", Bson::String(text)) if text.starts_with('$') => {
                    return Err(Code::UNWIND_INDEX_DOLLAR.syntax("includeArrayIndex of $unwind is a name, not a path"));
                }
                ("includeArrayIndex", Bson::String(text)) => index = Some(parts(text)?),
                ("preserveNullAndEmptyArrays", Bson::Boolean(preserves)) => preserves_empty = *preserves,
                ("path" | "includeArrayIndex" | "preserveNullAndEmptyArrays", _) => {
                    let code = match option.as_str() {
                        "path" => Code::UNWIND_PATH_TYPE,
                        "includeArrayIndex" => Code::UNWIND_INDEX_TYPE,
                        _ => Code::UNWIND_PRESERVE_TYPE,
                    };
                    return Err(code.syntax(format!("the option {option} of $unwind has the wrong type")));
                }
                _ => return Err(Code::UNWIND_UNKNOWN_OPTION.syntax(format!("$unwind has no option {option:?}"))),
            }
        }
        let path = path.ok_or_else(|| Code::UNWIND_WITHOUT_PATH.syntax("$unwind needs a path"))?;
        Ok(Self { path, index, preserves_empty })
    }

    /// The documents of `input`, unwound one element at a time.
    pub(super) fn run(self, input: Input) -> Input {
        Box::new(Unwound { unwind: self, input, opened: None, current: None })
    }

    /// What becomes of a document: one document, none, or a document for each of the elements.
    fn open(&self, document: &RawDocument) -> Result<Opened> {
        let mut owned = None;
        let empty = match at(document, &self.path)? {
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
                Ok(Opened::Many(Current { document: document.to_owned(), elements: elements.into_iter(), position: 0 }))
            }
            _ if empty && !self.preserves_empty => Ok(Opened::One(None)),
            Some(_) => {
                let without = with(document, &self.path, None)?;
                self.indexed(without, RawBsonRef::Null).map(Some).map(Opened::One)
            }
            None => self.indexed(document.to_owned(), RawBsonRef::Null).map(Some).map(Opened::One),
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
    input: Input,
    opened: Option<Current>,
    current: Option<RawDocumentBuf>,
}

impl Rows for Unwound {
    fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(opened) = &mut self.opened
                && let Some(element) = opened.elements.next()
            {
                let position = RawBsonRef::Int64(opened.position);
                opened.position += 1;
                let unwound = with(&opened.document, &self.unwind.path, Some(element.as_raw_bson_ref()))?;
                self.current = Some(self.unwind.indexed(unwound, position)?);
                return Ok(true);
            }
            self.opened = None;
            if !self.input.advance()? {
                return Ok(false);
            }
            match self.unwind.open(self.input.row()?)? {
                Opened::Many(opened) => self.opened = Some(opened),
                Opened::One(None) => {}
                Opened::One(current) => {
                    self.current = current;
                    return Ok(true);
                }
            }
        }
    }

    fn row(&self) -> Result<&RawDocument> {
        lent(self.current.as_deref())
    }
}

fn field_path(text: &str) -> Result<Vec<CString>> {
    if text.is_empty() {
        return Err(Code::UNWIND_WITHOUT_PATH.syntax("$unwind needs a path"));
    }
    let path = text
        .strip_prefix('$')
        .ok_or_else(|| Code::UNWIND_PATH_DOLLAR.syntax(format!("the path {text:?} needs a dollar sign in front")))?;
    if path.contains('\0') {
        return Err(Code::UNWIND_PATH_NULL_BYTE.syntax("the path of $unwind has a NUL character"));
    }
    parts(path)
}

fn parts(path: &str) -> Result<Vec<CString>> {
    let path = FieldPath::parse(path, For::Expression)?;
    Ok(path.parts().iter().map(|part| part.stored_name().clone()).collect())
}

/// The value at `path`, through objects only.
pub(super) fn at<'a>(document: &'a RawDocument, path: &[CString]) -> Result<Option<RawBsonRef<'a>>> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    match field(document, first.as_str())? {
        Some(RawBsonRef::Document(inner)) if !rest.is_empty() => at(inner, rest),
        value => Ok(value.filter(|_| rest.is_empty())),
    }
}

/// `document` with `value` at `path`, or without anything there. What is in the way of the path is replaced.
pub(super) fn with(document: &RawDocument, path: &[CString], value: Option<RawBsonRef<'_>>) -> Result<RawDocumentBuf> {
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
