//! Stands in for the counted tree.
use crate::engine::{Key, Value};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(super) entries: imbl::OrdMap<Key, Value>,
    bytes: u64,
}

impl Tree {
    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        if let Some(old) = self.entries.insert(Key::from(key), value.into()) {
            self.bytes -= (key.len() + old.len()) as u64;
        }
    }
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if let Some(old) = self.entries.remove(key) {
            self.bytes -= (key.len() + old.len()) as u64;
        }
    }
    pub(crate) fn len(&self) -> u64 {
        self.entries.len() as u64
    }
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Builder(Tree);

impl Builder {
    pub(crate) fn new() -> Self {
        Self::default()
    }
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.0.put(key, value);
    }
    pub(crate) fn finish(self) -> Tree {
        self.0
    }
}
