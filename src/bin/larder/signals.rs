//! What ends the program, and what must not end it.

use std::future::pending;

use larder::Store;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::control::Control;

/// The number of the signal that a process gets when a file would become larger than it may; mips counts otherwise.
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
const FILE_TOO_LARGE: i32 = 25;
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
const FILE_TOO_LARGE: i32 = 31;

/// SIGTERM, SIGINT and SIGHUP, from when it was made.
///
/// SIGHUP does not end the program: as in redis-server, it outlives the terminal that it was started from. SIGXFSZ, which would end
/// it, does nothing: the write that was too much fails, and the store returns the error.
pub(super) struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Caught, and never asked for.
    _ignored: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot wait for signals: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listen = |kind| signal(kind).map_err(failed);
        let context = runtime.enter();
        let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let (hangup, ignored) = (listen(SignalKind::hangup())?, listen(SignalKind::from_raw(FILE_TOO_LARGE))?);
        drop(context);
        Ok(Self { runtime, terminate, interrupt, hangup, _ignored: ignored })
    }

    /// Waits for SIGTERM or SIGINT, or for `asked`, a client that asks for the end. Meanwhile SIGHUP has `reload` called, and `control`
    /// serves requests for the files of `store`.
    pub(super) fn wait(mut self, (asked, reload): (&Notify, impl Fn()), store: &Store, control: Option<&Control>) {
        self.runtime.block_on(async {
            let served = async {
                if let Some(control) = control
                    && let Err(error) = control.serve(store).await
                {
                    tracing::warn!(%error, "the store's files cannot be asked for");
                }
                pending::<()>().await;
            };
            let hung_up = async {
                while self.hangup.recv().await.is_some() {
                    reload();
                }
                pending::<()>().await;
            };
            tokio::select! {
                () = asked.notified() => {}
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                () = served => {}
                () = hung_up => {}
            }
        });
        // A copy that is being made is not waited for: whoever asked for it sees the connection end.
        self.runtime.shutdown_background();
    }
}
