//! Modifiers of array operators, such as `$each`.

use bson::{Bson, Document};

use crate::document::code::Code;
use crate::error::Result;

/// The values of `$each`.
pub(super) fn each(modifiers: &Document) -> Result<&[Bson]> {
    match modifiers.get("$each") {
        Some(Bson::Array(values)) => Ok(values),
        _ => Err(Code::BAD_VALUE.wrong_type("$each takes an array")),
    }
}

/// Refuses fields of `modifiers` that are not `known`.
pub(super) fn only(modifiers: &Document, known: &[&str], operator: &str) -> Result<()> {
    match modifiers.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Code::BAD_VALUE.value(format!("{operator} has no modifier {unknown:?}"))),
        None => Ok(()),
    }
}
