//! What was done for a connection while its task could not run, because a script has the thread.

#![cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]

use std::cell::{Cell, RefCell};

use tokio::sync::Notify;

use crate::server::buffers::Output;

/// What was done for a connection while its task could not run.
#[derive(Debug, Default)]
pub(in crate::server::redis) struct Interim {
    /// The task waits for something to read, and for nothing else.
    pub(in crate::server::redis) is_at_rest: Cell<bool>,
    pub(in crate::server::redis) rest: RefCell<Rest>,
    /// There is something to take.
    pub(in crate::server::redis) ready: Notify,
}

/// What is left for the connection's task.
#[derive(Debug, Default)]
pub(in crate::server::redis) struct Rest {
    /// Requests that were answered, and whose effect on the task's state is to come.
    pub(in crate::server::redis) replay: Vec<Replay>,
    /// Bytes that were read and not answered.
    pub(in crate::server::redis) received: Vec<u8>,
    /// Replies that were about to be sent, and those for which the socket had no room.
    pub(in crate::server::redis) unsent: Vec<u8>,
    /// What was read begins with a request that only the task can answer.
    pub(in crate::server::redis) is_deferred: bool,
    /// The client has sent `QUIT`.
    pub(in crate::server::redis) is_closing: bool,
}

/// What was done for a connection, and is to be done to its state.
#[derive(Debug)]
pub(in crate::server::redis) enum Replay {
    /// A request that was answered.
    Request(Vec<u8>),
    /// A request within `MULTI` was refused.
    Spoil,
    /// `EXEC` was refused.
    Discard,
}

impl Interim {
    /// Says whether the task is at rest from now on.
    pub(in crate::server::redis) fn set_at_rest(&self, is_at_rest: bool) {
        self.is_at_rest.set(is_at_rest);
    }

    /// Hands over replies that are about to be sent.
    pub(in crate::server::redis) fn lend(&self, output: &mut Output) {
        self.rest.borrow_mut().unsent = output.take_waiting();
    }

    /// What is left, if there is anything.
    pub(in crate::server::redis) fn take(&self) -> Option<Rest> {
        self.has_any().then(|| self.rest.take())
    }

    /// Whether there is something to take.
    pub(in crate::server::redis) fn has_any(&self) -> bool {
        let rest = self.rest.borrow();
        !(rest.replay.is_empty() && rest.received.is_empty() && rest.unsent.is_empty())
    }
}
