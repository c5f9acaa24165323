//! Commands that are running: what they are, and how they are ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use bson::RawDocumentBuf;
use parking_lot::Mutex;

use crate::document::Supervision;
use crate::server::mongo::client::Client;

/// The commands that a door runs.
#[derive(Debug, Default)]
pub(super) struct Operations {
    running: Mutex<BTreeMap<i32, Operation>>,
    last: AtomicI32,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) command: &'static str,
    pub(super) database: String,
    /// What was sent; only the name of a command that has secrets.
    pub(super) body: RawDocumentBuf,
    pub(super) connection: i32,
    pub(super) peer: String,
    pub(super) app_name: Option<String>,
    pub(super) supervision: Arc<Supervision>,
}

/// Keeps a command in the list while it runs.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    operations: &'a Operations,
    id: i32,
}

impl Operations {
    /// Lists a command of `client` until what is returned is dropped.
    pub(super) fn list<'a>(&'a self, client: &Client, operation: impl FnOnce(&Client) -> Operation) -> Listed<'a> {
        let id = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.running.lock().insert(id, operation(client));
        Listed { operations: self, id }
    }

    /// The commands that are running, with their ids.
    pub(super) fn all(&self) -> Vec<(i32, Operation)> {
        self.running.lock().iter().map(|(id, operation)| (*id, operation.clone())).collect()
    }

    /// Has a command end at the next document it reads; one that is not running is left alone.
    pub(super) fn kill(&self, id: i32) {
        if let Some(operation) = self.running.lock().get(&id) {
            operation.supervision.kill();
        }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.operations.running.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_listed_while_it_runs() {
        let operations = Operations::default();
        let client = Client::new(1, "peer".to_owned(), "door".to_owned());
        let operation = |client: &Client| Operation {
            command: "ping",
            database: "d".to_owned(),
            body: RawDocumentBuf::new(),
            connection: client.id,
            peer: client.peer.clone(),
            app_name: None,
            supervision: Arc::new(Supervision::new(None)),
        };
        let listed = operations.list(&client, operation);
        assert_eq!(operations.all().len(), 1);
        operations.kill(99);
        drop(listed);
        assert!(operations.all().is_empty());
    }
}
