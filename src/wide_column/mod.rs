//! Stub to be replaced.
use crate::error::Result;
use crate::txn::{AutoCommit, Scope, WriteScope, Writer};
pub(crate) const OWNER: u8 = 0x40;
pub(crate) fn expire(_: &mut Writer, _target: &[u8]) -> Result<()> {
    Ok(())
}
#[derive(Debug, Clone)]
pub struct WideTable<S = AutoCommit> {
    scope: S,
    keyspace: String,
    name: String,
}
impl<S: Scope> WideTable<S> {
    pub(crate) fn new(scope: S, keyspace: &str, name: &str) -> Self {
        Self { scope, keyspace: keyspace.to_owned(), name: name.to_owned() }
    }
}
#[derive(Debug)]
pub struct WideBatch<S = AutoCommit> {
    scope: S,
}
impl<S: WriteScope> WideBatch<S> {
    pub(crate) fn new(scope: S) -> Self {
        Self { scope }
    }
    pub fn execute(self) -> Result<()> {
        let _ = self.scope;
        Ok(())
    }
}
