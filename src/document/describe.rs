//! What is kept at a key of the engine, and which document an error is about, for a person.

use bson::{Bson, RawDocument};

use crate::catalog::{self, Kind};
use crate::document::layout;
use crate::document::raw;
use crate::document::schema::Schema;
use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::txn::View;

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 120;

/// Names the document that is kept, or indexed, at `key`: `document {_id: 1} of collection "shop"."orders"`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<Option<String>> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    let id = reader.u32()?;
    let Some((database, name, _)) = catalog::find::<Schema>(view, Kind::Collection, id)? else { return Ok(None) };
    let collection = format!("collection {database:?}.{name:?}");
    let stored = match layout::record_id(key) {
        Ok(record) => view.get(&layout::record(id, record))?,
        Err(_) => None,
    };
    Ok(Some(match stored.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok()) {
        Some(document) => document_of(document, &collection),
        // It was inserted since, or a whole range of an index was read.
        None => collection,
    }))
}

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
