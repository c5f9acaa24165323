//! What is kept at a key of the engine, in the words of the model that keeps it there.

use crate::txn::View;
use crate::{catalog, document, expiry, item, kv, wide_column};

/// Names what `key` keeps in `view`, for an error; `None` when that cannot be told, for which no error is raised in its turn.
pub(super) fn describe(view: &View, key: &[u8]) -> Option<String> {
    match *key.first()? {
        catalog::OWNER => catalog::describe(key),
        expiry::OWNER => {
            let target = expiry::target(key).ok()?;
            // A deadline belongs to a model's key; it has none of its own.
            if target.first() == Some(&expiry::OWNER) { None } else { describe(view, &target) }
        }
        document::OWNER => document::describe(view, key).ok().flatten(),
        kv::OWNER | kv::ELEMENTS_OWNER => kv::describe(view, key).ok(),
        item::OWNER => item::describe(view, key).ok().flatten(),
        wide_column::OWNER => wide_column::describe(view, key).ok().flatten(),
        _ => None,
    }
}
