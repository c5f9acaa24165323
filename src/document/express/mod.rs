//! The express way: one document by one value of one field, without a compiled filter, a plan or a cursor.
//!
//! A filter `{field: value}` whose value is a scalar, on the first index that has the field as its only one, is two
//! descents of the tree: to the entry, and to the record. So are most of the finds and updates that programs make. Of a unique
//! index, such as that of `_id`, it is one descent when the value was found before (`guesses`).
//!
//! # What goes another way
//! Null, which a missing field meets too; arrays, which meet themselves and what they are elements of; regular expressions
//! and documents, which may be conditions; dotted paths; text under a collation; values too long for an entry to tell them apart. The value is
//! compared as by a filter, for equal values have equal encodings.
//!
//! # Source
//! MongoDB manual, Explain Results: `EXPRESS_IXSCAN` and `EXPRESS_CLUSTERED_IXSCAN`.

mod guesses;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use bson::raw::RawBinaryRef;
use bson::{Bson, Document, RawBsonRef, RawDocument};

use crate::catalog::Entry;
use crate::document::express::guesses::Guesses;
use crate::document::index_key::put_value;
use crate::document::index_kind::IndexKind;
use crate::document::layout::{self, RecordId};
use crate::document::order::{Order, Value};
use crate::document::raw;
use crate::document::schema::{Index, Schema};
use crate::document::supervision;
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::View;

/// A filter that the express way may serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Equality<'f> {
    field: &'f str,
    value: RawBsonRef<'f>,
}

/// What the express way found: a record and its document.
pub(super) type Found<'v> = (RecordId, Cow<'v, [u8]>);

impl<'f> Equality<'f> {
    /// What `filter` asks for, if it is one value of one field.
    #[inline]
    pub(super) fn of(filter: &'f Document) -> Option<Self> {
        if filter.len() != 1 {
            return None;
        }
        let (field, value) = filter.iter().next()?;
        Self::with(field, value)
    }

    /// That `field` has `value`, if the express way may serve it.
    #[inline]
    pub(super) fn with(field: &'f str, value: &'f Bson) -> Option<Self> {
        let value = match value {
            Bson::Int32(value) => RawBsonRef::Int32(*value),
            Bson::Int64(value) => RawBsonRef::Int64(*value),
            Bson::Double(value) => RawBsonRef::Double(*value),
            Bson::String(value) => RawBsonRef::String(value),
            Bson::Boolean(value) => RawBsonRef::Boolean(*value),
            Bson::ObjectId(value) => RawBsonRef::ObjectId(*value),
            Bson::DateTime(value) => RawBsonRef::DateTime(*value),
            Bson::Binary(value) => RawBsonRef::Binary(RawBinaryRef { subtype: value.subtype, bytes: &value.bytes }),
            _ => return None,
        };
        let is_plain = !field.is_empty() && !field.starts_with('$') && !field.contains(['.', '\0']);
        is_plain.then_some(Self { field, value })
    }

    /// The first document that has the value; `None` when the express way does not lead to it.
    ///
    /// # Cost
    /// Two look-ups; by a unique index one, when the value was found before.
    #[expect(clippy::option_option, reason = "no way, or nothing at its end")]
    pub(super) fn find<'v>(&self, view: &'v View, entry: &Entry<Schema>) -> Result<Option<Option<Found<'v>>>> {
        let is_text = matches!(self.value, RawBsonRef::String(_));
        // Text goes another way where a collation may order it.
        if is_text && entry.record.collator().is_some() {
            return Ok(None);
        }
        let served = |index: &&Arc<Index>| self.is_served_by(index) && !(is_text && index.pattern.collator().is_some());
        let Some(index) = entry.record.indexes.iter().find(served) else { return Ok(None) };
        // What is noted or counted of the reads must not depend on what was found before.
        let may_guess = index.unique && self.is_short() && !view.is_tracked() && !view.meter().is_on();
        let place = may_guess.then(|| view.state::<Guesses>().place(entry.storage, index.id, self.value));
        if let Some(place) = place {
            for id in place.guesses() {
                let document = view.get(&layout::record(entry.storage, id))?;
                if let Some(document) = document.filter(|document| self.is_value_of(document)) {
                    supervision::note_index(&index.name);
                    return Ok(Some(Some((id, document))));
                }
            }
        }
        let mut key = layout::index_prefix(entry.storage, index.id);
        let fields = key.len();
        put_value(&mut key, &Value::from(self.value), Order::SIMPLE)?;
        if key.len() - fields > limits::INDEX_COMPONENT_BYTES_MAX {
            return Ok(None);
        }
        view.meter().index(&index.name);
        supervision::note_index(&index.name);
        let Some(entry_key) = view.seek_prefix(&key)? else { return Ok(Some(None)) };
        let id = layout::record_id(&entry_key)?;
        let document = view.get(&layout::record(entry.storage, id))?;
        let document = document.ok_or_else(|| Error::corrupt("index entry", format!("record {id} does not exist")))?;
        // An array would be looked at in vain.
        if let Some(place) = place.filter(|_| self.is_value_of(&document)) {
            place.remember(id);
        }
        Ok(Some(Some((id, document))))
    }

    /// Whether the value is in an index as a whole, however it is escaped there.
    fn is_short(&self) -> bool {
        let bytes = match self.value {
            RawBsonRef::String(text) => text.len(),
            RawBsonRef::Binary(binary) => binary.bytes.len(),
            _ => 0,
        };
        bytes < limits::INDEX_COMPONENT_BYTES_MAX / 4
    }

    /// Whether a stored document has the value itself in the field, and not in an array.
    #[inline]
    fn is_value_of(&self, document: &[u8]) -> bool {
        let found =
            RawDocument::from_bytes(document).ok().and_then(|document| raw::field(document, self.field).ok()?);
        match (found, self.value) {
            (Some(RawBsonRef::Int64(found)), RawBsonRef::Int64(value)) => found == value,
            (Some(RawBsonRef::ObjectId(found)), RawBsonRef::ObjectId(value)) => found == value,
            (Some(RawBsonRef::String(found)), RawBsonRef::String(value)) => found == value,
            (Some(found), value) => Order::SIMPLE.compare(found, value) == Ordering::Equal,
            (None, _) => false,
        }
    }

    fn is_served_by(&self, index: &Index) -> bool {
        let [field] = index.pattern.fields() else { return false };
        let is_complete = !index.building && index.partial.is_none();
        let is_plain = index.kind == IndexKind::Ordered && !field.descending && !index.hidden;
        is_plain && is_complete && field.path.as_str() == self.field
    }
}
