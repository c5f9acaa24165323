//! Operators that may not stand everywhere.

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::error::Result;
use crate::limits;

/// Operators whose results hang on an index, on what a document is compared with, or on the whole document.
const REFUSED: &[(&str, Code)] = &[
    ("$where", Code::BAD_VALUE),
    ("$text", Code::BAD_VALUE),
    ("$near", Code::NEAR_NOT_ALLOWED),
    ("$nearSphere", Code::NEAR_NOT_ALLOWED),
    ("$geoNear", Code::NEAR_NOT_ALLOWED),
];

/// Whether an operator is one on whole documents, and means nothing for a field.
pub(super) fn is_of_documents(operator: &str) -> bool {
    matches!(operator, "$where" | "$text" | "$jsonSchema" | "$expr" | "$comment" | "$and" | "$or" | "$nor")
}

/// Refuses the operators that a filter at `place` may not have, at any depth.
///
/// # Errors
/// Code 2, or 5626500 for those by distance; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for nesting.
pub(in crate::document) fn refuse_operators(text: &Document, place: &str) -> Result<()> {
    refuse(text, place, 0)
}

fn refuse(text: &Document, place: &str, depth: usize) -> Result<()> {
    limits::check("document levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
    for (name, value) in text {
        if let Some((_, code)) = REFUSED.iter().find(|(refused, _)| refused == name) {
            return Err(code.value(format!("{name} is not allowed in {place}")));
        }
        // What these hold is data, or an expression.
        if matches!(name.as_str(), "$eq" | "$ne" | "$in" | "$nin" | "$expr" | "$jsonSchema") {
            continue;
        }
        match value {
            Bson::Document(inner) => refuse(inner, place, depth + 1)?,
            Bson::Array(elements) if name.starts_with('$') => {
                for inner in elements.iter().filter_map(Bson::as_document) {
                    refuse(inner, place, depth + 1)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
