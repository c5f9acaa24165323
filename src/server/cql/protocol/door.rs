//! What the connections of a door share on their thread: running a request on the pool, counting it, and telling everybody of a change.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;

use super::wire::Wire;
use crate::clock::Stopwatch;
use crate::limits;
use crate::server::cql::frame::{Change, Consistency, Failure, Operation, Reply, Response, What};
use crate::server::cql::run::{self, Outcome, Work};
use crate::server::cql::state::{Session, State};
use crate::server::door::Local;
use crate::server::tally::{self, Tally};

/// The operations that are counted, by slot.
pub(in crate::server::cql) fn operation_names() -> Arc<[String]> {
    Operation::ALL.iter().map(|operation| operation.name().to_owned()).collect()
}

/// The door on its thread.
pub(in crate::server::cql) struct Door {
    pub(super) state: Arc<State>,
    tally: Arc<Tally>,
    pub(super) local: Local<News>,
}

/// What a client is to be told of.
#[derive(Debug, Default)]
pub(in crate::server::cql) struct News {
    pub(super) wants_schema: Cell<bool>,
    pub(super) changes: RefCell<VecDeque<Rc<Change>>>,
    /// Something has come.
    pub(super) has_come: Notify,
}

/// A request that has run.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) bytes: Vec<u8>,
    pub(super) change: Option<Change>,
    pub(super) is_last: bool,
}

impl Door {
    pub(in crate::server::cql) fn new(state: Arc<State>, tally: Arc<Tally>, local: Local<News>) -> Self {
        Self { state, tally, local }
    }

    /// Tells everybody who wants to know of a change of the schema.
    pub(super) fn tell(&self, change: Change) {
        let change = Rc::new(change);
        self.local.clients.for_each(|client| {
            if !client.wants_schema.get() {
                return;
            }
            let mut changes = client.changes.borrow_mut();
            if changes.len() >= limits::CQL_NEWS_MAX {
                tracing::warn!(client = client.id, "a client that takes no news is disconnected");
                return client.cut_off();
            }
            changes.push_back(Rc::clone(&change));
            client.has_come.notify_one();
        });
    }

    /// Runs a request on the pool, waits until what it has done is durable, and returns the bytes of the reply.
    pub(super) async fn execute(&self, session: Arc<Session>, work: Work, (wire, stream): (Wire, i16)) -> Done {
        let watch = Stopwatch::start();
        let operation = work.operation;
        let state = Arc::clone(&self.state);
        let on_pool = move || {
            let outcome = run::run(&state, &session, &work);
            let bytes = wire.bytes(&outcome.reply, stream);
            (outcome, bytes)
        };
        let ran = match &self.local.pool {
            Some(pool) => pool.run(on_pool).await,
            None => Ok(on_pool()),
        };
        let (outcome, bytes) = ran.unwrap_or_else(|_| {
            let outcome = Outcome::of(Failure::new(What::Server, "the request has failed inside the server"));
            let bytes = wire.bytes(&outcome.reply, stream);
            (outcome, bytes)
        });
        let Outcome { reply, pending, change, is_last } = outcome;
        let mut code = failed(&reply);
        let mut done = Done { bytes, change, is_last };
        if let Some(pending) = pending
            && let Err(error) = self.local.settler.settle(&pending).await
        {
            tracing::warn!(%error, "a request was taken back");
            let failure = Reply::from(run::of_store(&error, Consistency::One));
            code = failed(&failure);
            done = Done { bytes: wire.bytes(&failure, stream), change: None, is_last: false };
        }
        self.count(operation, code, Some(&watch));
        done
    }

    pub(super) fn count(&self, operation: Operation, code: Option<i32>, watch: Option<&Stopwatch>) {
        let meter = &self.local.shared.meter;
        meter.requests.add(1);
        if let Some(code) = code {
            meter.errors.add(1);
            self.tally.error(&format!("{code:#06x}"));
        }
        let Some(slot) = Operation::ALL.iter().position(|own| *own == operation) else { return };
        self.tally.count(slot, if code.is_some() { tally::End::Failed } else { tally::End::Done });
        if let Some(watch) = watch {
            self.tally.time(slot, watch.elapsed());
        }
    }
}

/// The code of a reply that is an error.
pub(super) fn failed(reply: &Reply) -> Option<i32> {
    match &reply.response {
        Response::Failure(failure) => Some(failure.code()),
        _ => None,
    }
}
