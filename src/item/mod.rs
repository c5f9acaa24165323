//! Stub to be replaced.
use crate::txn::{AutoCommit, Scope};
#[derive(Debug, Clone)]
pub struct ItemTable<S = AutoCommit> {
    scope: S,
    name: String,
}
impl<S: Scope> ItemTable<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, name: name.to_owned() }
    }
}
