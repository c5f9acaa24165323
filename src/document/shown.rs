//! Documents and values as errors show them.

use bson::{Bson, RawDocument};

use crate::document::raw;

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 120;

/// `document {_id: 1} of` what it is of.
pub(super) fn document_of(document: &RawDocument, of: &str) -> String {
    let id = raw::field(document, "_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
    let Some(id) = id else { return format!("a document of {of}") };
    format!("document {{_id: {}}} of {of}", shortened(id.to_string()))
}

/// A value as an error shows it.
pub(super) fn shortened(text: String) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
