//! Which state a read sees: the one place where that is decided.
//!
//! What names mean is always taken from the newest state. Items are too, unless the read may be eventual, belongs to no
//! transaction and no snapshot, and the store was told to serve such reads from an earlier state
//! ([`Items::lag`](crate::item::Items::lag)).

use crate::error::Result;
use crate::item::state::Tables;
use crate::txn::{Operation, Scope, View};

/// Runs a reading operation. `body` gets the view for names and the view for items.
pub(super) fn read<R>(
    scope: &impl Scope,
    operation: Operation<'_>,
    is_consistent: bool,
    body: impl FnOnce(&View, &View) -> Result<R>,
) -> Result<R> {
    scope.read(operation, |view| {
        let lag = if is_consistent || !view.is_newest() { None } else { view.state::<Tables>().lag() };
        match lag {
            Some(snapshot) => body(view, &view.of_snapshot(&snapshot)),
            None => body(view, view),
        }
    })
}
