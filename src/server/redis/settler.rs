//! Waiting for commits to become durable, away from the thread that runs commands.
//!
//! One thread waits for the newest commit that it was given; those that came before it are durable then too, so that all of them
//! share one sync. What arrives meanwhile is the next to be waited for.

use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::txn::Pending;

type Settled = oneshot::Sender<Result<(), String>>;

/// Hands commits to the thread that waits for them. Clones hand them to the same one.
#[derive(Clone, Debug)]
pub(super) struct Settler(Sender<(Pending, Settled)>);

impl Settler {
    /// Starts the thread, which ends when the last clone has gone.
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        std::thread::Builder::new().name("larder-redis-sync".to_owned()).spawn(move || run(&receiver))?;
        Ok(Self(sender))
    }

    /// Has `settled` told when `pending` is durable.
    pub(super) fn send(&self, pending: Pending, settled: Settled) {
        // Without the thread the receiver of the answer finds its other end gone, and says so.
        let _ = self.0.send((pending, settled));
    }
}

fn run(receiver: &Receiver<(Pending, Settled)>) {
    while let Ok(first) = receiver.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(receiver.try_iter()).collect();
        // In the order of the commits from the last: the first call waits, and the others find it done.
        for (pending, settled) in batch.into_iter().rev() {
            let _ = settled.send(pending.settle().map_err(|error| format!("ERR {error}")));
        }
    }
}
