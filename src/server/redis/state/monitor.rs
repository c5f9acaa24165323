//! `MONITOR`: clients that see the requests of all.
//!
//! A request is shown when it has run, whether or not what it did is durable yet: what is shown is what clients ask
//! for, and not what becomes of it. Passwords are not shown, nor is what only administrators do.
//!
//! # Source
//! Redis command reference, `MONITOR`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::limits;

/// The clients that see requests.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    pub(crate) is_any: Cell<bool>,
    pub(crate) outboxes: RefCell<BTreeMap<u64, Rc<Outbox>>>,
}

/// What waits to be sent to one of them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: RefCell<Vec<u8>>,
    /// It took too much, and the client is disconnected.
    is_over: Cell<bool>,
    pub(crate) ready: Notify,
}

impl Monitors {
    /// Shows a client requests from now on.
    pub(crate) fn insert(&self, id: u64) -> Rc<Outbox> {
        let outbox = Rc::new(Outbox::default());
        self.outboxes.borrow_mut().insert(id, Rc::clone(&outbox));
        self.is_any.set(true);
        outbox
    }

    pub(crate) fn remove(&self, id: u64) {
        if self.is_any.get() {
            let mut outboxes = self.outboxes.borrow_mut();
            outboxes.remove(&id);
            self.is_any.set(!outboxes.is_empty());
        }
    }

    /// Bytes that wait to be sent to a client.
    pub(crate) fn waiting(&self, id: u64) -> usize {
        self.outboxes.borrow().get(&id).map_or(0, |outbox| outbox.len())
    }
}

impl Outbox {
    /// What there is to send; `None` for a client that has not kept up.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        (!self.is_over.get()).then(|| self.bytes.take())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.borrow().len()
    }

    /// Adds a line, and returns whether there was room for it.
    pub(crate) fn push(&self, line: Option<&[u8]>) -> bool {
        let mut bytes = self.bytes.borrow_mut();
        let line = line.filter(|line| bytes.len() + line.len() <= limits::MONITOR_OUTPUT_BYTES_MAX);
        if let Some(line) = line {
            bytes.extend_from_slice(line);
        } else {
            *bytes = Vec::new();
            self.is_over.set(true);
        }
        self.ready.notify_one();
        line.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_that_is_full_gives_nothing_more() {
        let outbox = Outbox::default();
        assert!(outbox.push(Some(b"line")));
        assert_eq!(outbox.take().unwrap(), b"line");
        assert!(outbox.push(Some(&vec![b'x'; limits::MONITOR_OUTPUT_BYTES_MAX])));
        assert!(!outbox.push(Some(b"x")));
        assert!(outbox.take().is_none() && outbox.len() == 0);
    }
}
