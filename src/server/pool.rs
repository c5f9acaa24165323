//! A small pool of threads for commands that would hold up the thread that has the connections.
//!
//! # Invariants
//! 1. No more commands run at once than there are threads; those that wait do so as tasks, in the order in which they came. So
//!    what waits is bounded by the connections.
//! 2. A panic of a command ends that command. One whose client has gone runs to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;

use crate::limits;
use crate::server::panics::Panicked;

/// Hands commands to the threads of a door's pool. Clones hand them to the same.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    threads: Handle,
    free: Arc<Semaphore>,
}

/// The threads. Dropping this waits for the commands that run.
#[derive(Debug)]
pub(crate) struct PoolThreads(Option<Runtime>);

impl Pool {
    /// A pool of at most `threads` threads, which are started when they are needed.
    ///
    /// # Errors
    /// What the system says when it gives nothing to wait with.
    pub(crate) fn start(name: &str, threads: usize) -> std::io::Result<(Self, PoolThreads)> {
        let threads = threads.clamp(1, limits::POOL_THREADS_MAX);
        // Of this runtime only the threads for what blocks are used; it runs no tasks.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(threads).thread_name(name).build()?;
        let pool = Self { threads: runtime.handle().clone(), free: Arc::new(Semaphore::new(threads)) };
        Ok((pool, PoolThreads(Some(runtime))))
    }

    /// Has a thread of the pool do `work`, and waits for it as a task.
    ///
    /// # Errors
    /// [`Panicked`]; also when the door is closed before the work begins.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let place = Arc::clone(&self.free).acquire_owned().await.map_err(|_| Panicked)?;
        let work = move || {
            // Given back by the thread: whoever waits for the work may go before it ends.
            let _place = place;
            work()
        };
        self.threads.spawn_blocking(work).await.map_err(|_| Panicked)
    }
}

impl Drop for PoolThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(Duration::from_millis(limits::CLOSING_MS_MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn no_more_run_at_once_than_there_are_threads_and_a_panic_is_only_its_own() {
        let (pool, threads) = Pool::start("test-pool", 2).unwrap();
        let running = Arc::new(AtomicUsize::new(0));
        let (free, held) = mpsc::channel::<()>();
        let held = Arc::new(parking_lot::Mutex::new(held));
        let work = |n: usize| {
            let (running, held) = (Arc::clone(&running), Arc::clone(&held));
            move || {
                assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
                let next = held.lock().recv();
                running.fetch_sub(1, Ordering::SeqCst);
                next.unwrap();
                assert!(n != 3, "on purpose");
                n
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let done = runtime.block_on(async {
            let all: Vec<_> = (0..8)
                .map(|n| {
                    let (pool, work) = (pool.clone(), work(n));
                    tokio::spawn(async move { pool.run(work).await })
                })
                .collect();
            (0..8).for_each(|_| free.send(()).unwrap());
            let mut done = Vec::new();
            for one in all {
                done.push(one.await.unwrap());
            }
            done
        });
        let expected = (0..8).map(|n| if n == 3 { Err(Panicked) } else { Ok(n) });
        assert_eq!(done, expected.collect::<Vec<_>>());
        drop(threads);
    }
}
