//! What tells the program to end.

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// SIGTERM and SIGINT, from when it was made.
pub(super) struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot wait for signals: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let (terminate, interrupt) = {
            let _context = runtime.enter();
            let listen = |kind| signal(kind).map_err(failed);
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Waits for one of them, or for a client that asks for the end.
    pub(super) fn wait(mut self, asked: &Notify) {
        self.runtime.block_on(async {
            tokio::select! {
                () = asked.notified() => {}
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}
