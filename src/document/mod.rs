//! Stub to be replaced.
pub(crate) mod filter;
pub(crate) mod key;
pub(crate) mod layout;
pub(crate) mod maintain;
pub(crate) mod number;
pub(crate) mod order;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod scan;
pub(crate) mod schema;
use crate::txn::{AutoCommit, Scope};
use std::marker::PhantomData;
#[derive(Debug, Clone)]
pub struct Database<S = AutoCommit> {
    scope: S,
    name: String,
}
impl<S: Scope> Database<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, name: name.to_owned() }
    }
    pub fn collection<T>(&self, name: &str) -> Collection<T, S> {
        Collection {
            scope: self.scope.clone(),
            database: self.name.clone(),
            name: name.to_owned(),
            document: PhantomData,
        }
    }
}
#[derive(Debug, Clone)]
pub struct Collection<T, S = AutoCommit> {
    scope: S,
    database: String,
    name: String,
    document: PhantomData<fn(T) -> T>,
}
