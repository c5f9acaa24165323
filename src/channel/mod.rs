//! Stub to be replaced.
use crate::error::Result;
use crate::txn::WriteScope;
use std::sync::Arc;
#[derive(Debug, Default)]
pub(crate) struct Hub {}
#[derive(Debug)]
pub struct Subscriber {}
impl Hub {
    pub(crate) fn subscribe(&self, _: &[u8]) -> Result<Subscriber> {
        Ok(Subscriber {})
    }
    pub(crate) fn subscribe_pattern(&self, _: &[u8]) -> Result<Subscriber> {
        Ok(Subscriber {})
    }
}
pub(crate) struct Channels<S> {
    _scope: S,
}
impl<S: WriteScope> Channels<S> {
    pub(crate) fn new(scope: S, _hub: &Arc<Hub>) -> Self {
        Self { _scope: scope }
    }
    pub(crate) fn publish(&self, _: &[u8], _: &[u8]) -> Result<usize> {
        Ok(0)
    }
}
