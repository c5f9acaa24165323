//! Stub to be replaced.
pub(crate) mod number;
pub(crate) mod order;
pub(crate) mod path;

pub(crate) mod expression;
pub(crate) mod projection;
pub(crate) mod update;
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
