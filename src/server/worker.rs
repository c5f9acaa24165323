//! The thread of a door, and how it ends.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::limits;

/// A thread that is told to end, and waited for, when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that runs until what it is given says that it is to stop.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(crate) fn start(name: &str, run: impl FnOnce(oneshot::Receiver<()>) + Send + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Says that it is to stop, without waiting for it.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        let name = thread.thread().name().unwrap_or_default().to_owned();
        if thread.join().is_err() {
            tracing::error!("the thread {name} panicked");
        }
    }
}

/// Waits until connections that were told to end have sent their last replies. One whose client takes no reply is cut off.
pub(crate) fn drain(runtime: &Runtime, connections: LocalSet) {
    let time_max = Duration::from_millis(limits::CLOSING_MS_MAX);
    let drained = runtime.block_on(async { tokio::time::timeout(time_max, connections).await });
    if drained.is_err() {
        tracing::warn!("connections did not end in {time_max:?} and were cut off");
    }
}
