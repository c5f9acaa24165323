//! The distinct values of a field.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bson::{Bson, RawBsonRef, RawDocument};

use crate::document::index_key::canonical;
use crate::document::order::Order;
use crate::document::path::{FieldPath, Reached, elements};
use crate::document::raw::corrupt;
use crate::document::rows::Input;
use crate::error::Result;
use crate::limits;

/// The distinct values that `path` reaches in `rows`, in `order`; of equal ones the first.
///
/// # Errors
/// Those of the rows, and [`Error::LimitExceeded`](crate::Error::LimitExceeded) for more than a document can hold.
pub(super) fn values(mut rows: Input, path: &FieldPath, order: Order<'_>) -> Result<Vec<Bson>> {
    let (mut values, mut bytes) = (BTreeMap::new(), 0);
    while rows.advance()? {
        for value in reached(rows.row()?, path)? {
            let key = canonical(value, order)?;
            if let Entry::Vacant(place) = values.entry(key) {
                bytes += place.key().len();
                limits::check("document bytes", limits::DOCUMENT_BYTES_MAX, bytes)?;
                place.insert(Bson::try_from(value).map_err(corrupt)?);
            }
        }
    }
    Ok(values.into_values().collect())
}

/// The values that `path` reaches in `document`; of an array its elements.
fn reached<'a>(document: &'a RawDocument, path: &FieldPath) -> Result<Vec<RawBsonRef<'a>>> {
    let mut values = Vec::new();
    let mut failure = None;
    path.any(document, |reached| {
        match reached {
            Reached::Missing => {}
            Reached::Field(RawBsonRef::Array(array)) => match elements(array).collect::<Result<Vec<_>>>() {
                Ok(elements) => values.extend(elements),
                Err(error) => failure = Some(error),
            },
            Reached::Field(value) | Reached::Element(value) => values.push(value),
        }
        false
    })?;
    failure.map_or(Ok(values), Err)
}
