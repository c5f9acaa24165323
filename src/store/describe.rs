//! What is kept at a key of the engine, in the words of the model that keeps it there.

use crate::encoding::owner;
use crate::txn::View;
use crate::{catalog, document, expiry, item, kv, wide_column};

/// Names what `key` keeps in `view`, for an error; `None` when that cannot be known, which is not an error in its turn.
pub(super) fn describe(view: &View, key: &[u8]) -> Option<String> {
    match *key.first()? {
        owner::CATALOGUE => catalog::describe(key),
        owner::DEADLINES => {
            let target = expiry::target(key).ok()?;
            // A deadline belongs to a model's key; it has none of its own.
            if target.first() == Some(&owner::DEADLINES) { None } else { describe(view, &target) }
        }
        owner::DOCUMENTS => document::describe(view, key).ok().flatten(),
        owner::KEYS | owner::KEY_ELEMENTS => kv::describe(view, key).ok(),
        owner::ITEMS => item::describe(view, key).ok().flatten(),
        owner::WIDE_ROWS => wide_column::describe(view, key).ok().flatten(),
        _ => None,
    }
}
