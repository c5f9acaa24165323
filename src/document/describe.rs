//! What is kept at a key of the engine, for a person.

use bson::RawDocument;

use crate::catalog::{self, Kind};
use crate::document::layout;
use crate::document::schema::Schema;
use crate::document::shown::document_of;
use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::txn::View;

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
