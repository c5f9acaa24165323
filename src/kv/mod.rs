//! Stub to be replaced.
use crate::error::Result;
use crate::txn::{AutoCommit, Scope, Writer};
pub(crate) const OWNER: u8 = 0x20;
pub(crate) fn expire(_: &mut Writer, _target: &[u8]) -> Result<()> {
    Ok(())
}
#[derive(Debug, Clone)]
pub struct Kv<S = AutoCommit> {
    scope: S,
    name: String,
}
impl<S: Scope> Kv<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, name: name.to_owned() }
    }
}
