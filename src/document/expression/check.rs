//! What a specification and a computed document must meet.

use bson::raw::{CString, RawBson, RawBsonRef, RawDocument};
use bson::{Bson, Document, JavaScriptCodeWithScope};

use crate::document::raw::corrupt;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// A field name in the form that documents store.
pub(crate) fn name(text: &str) -> Result<CString> {
    CString::try_from(text).map_err(|_| Error::value(format!("the field name {text:?} contains a NUL character")))
}

/// A value of a specification in raw form, which may nest `levels` documents and arrays.
pub(crate) fn constant(value: &Bson, levels: usize) -> Result<RawBson> {
    check_nesting(value, levels)?;
    RawBson::try_from(value.clone()).map_err(|error| Error::invalid(InvalidKind::Serialization, error.to_string()))
}

/// Refuses a specification that nests deeper than a document may, before anything recurses over it.
pub(crate) fn check_specification(document: &Document) -> Result<()> {
    document.iter().try_for_each(|(_, value)| check_nesting(value, limits::DOCUMENT_DEPTH_MAX - 1))
}

fn check_nesting(value: &Bson, levels: usize) -> Result<()> {
    let below = |levels: usize| levels.checked_sub(1).ok_or_else(too_deep);
    match value {
        Bson::Document(document) | Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { scope: document, .. }) => {
            let levels = below(levels)?;
            document.values().try_for_each(|value| check_nesting(value, levels))
        }
        Bson::Array(array) => {
            let levels = below(levels)?;
            array.iter().try_for_each(|value| check_nesting(value, levels))
        }
        _ => Ok(()),
    }
}

/// Refuses a made value that nests deeper than `levels` documents and arrays.
pub(crate) fn check_depth(value: RawBsonRef<'_>, levels: usize) -> Result<()> {
    let elements = match value {
        RawBsonRef::Document(document) => document.iter_elements(),
        RawBsonRef::Array(array) => array.iter_elements(),
        RawBsonRef::JavaScriptCodeWithScope(code) => code.scope.iter_elements(),
        _ => return Ok(()),
    };
    if levels == 0 {
        return Err(too_deep());
    }
    for element in elements {
        check_depth(element.and_then(|element| element.value()).map_err(corrupt)?, levels - 1)?;
    }
    Ok(())
}

pub(super) fn too_deep() -> Error {
    let max = limits::DOCUMENT_DEPTH_MAX as u64;
    Error::LimitExceeded { limit: "document depth in levels", max, found: max + 1 }
}

/// Refuses a made document that is larger than one may be that is not stored.
pub(crate) fn check_size(document: &RawDocument) -> Result<()> {
    limits::check("document bytes", limits::DOCUMENT_COMPUTED_BYTES_MAX, document.as_bytes().len())
}
