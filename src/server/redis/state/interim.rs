//! What was done for a connection while its task could not run, because a script has the thread.

use std::cell::{Cell, RefCell};

use tokio::sync::Notify;

use crate::server::buffers::Output;

/// What was done for a connection while its task could not run.
#[derive(Debug, Default)]
pub(crate) struct Interim {
    /// The task waits for something to read, and for nothing else.
    pub(crate) is_at_rest: Cell<bool>,
    pub(crate) rest: RefCell<Rest>,
    /// There is something to take.
    pub(crate) ready: Notify,
}

/// What is left for the connection's task.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Requests that were answered, and whose effect on the task's state is to come.
    pub(crate) replay: Vec<Replay>,
    /// Bytes that were read and not answered.
    pub(crate) received: Vec<u8>,
    /// Replies that were about to be sent, and those for which the socket had no room.
    pub(crate) unsent: Vec<u8>,
    /// What was read begins with a request that only the task can answer.
    pub(crate) is_deferred: bool,
    /// The client has sent `QUIT`.
    pub(crate) is_closing: bool,
}

/// What was done for a connection, and is to be done to its state.
#[derive(Debug)]
pub(crate) enum Replay {
    /// A request that was answered.
    Request(Vec<u8>),
    /// A request within `MULTI` was refused.
    Spoil,
    /// `EXEC` was refused.
    Discard,
}

impl Interim {
    /// Says whether the task is at rest from now on.
    pub(crate) fn set_at_rest(&self, is_at_rest: bool) {
        self.is_at_rest.set(is_at_rest);
    }

    /// Hands over replies that are about to be sent.
    pub(crate) fn lend(&self, output: &mut Output) {
        self.rest.borrow_mut().unsent = output.take_waiting();
    }

    /// What is left, if there is anything.
    pub(crate) fn take(&self) -> Option<Rest> {
        self.has_any().then(|| self.rest.take())
    }

    /// Whether there is something to take.
    pub(crate) fn has_any(&self) -> bool {
        let rest = self.rest.borrow();
        !(rest.replay.is_empty() && rest.received.is_empty() && rest.unsent.is_empty())
    }
}
