//! A panic within one connection or command ends that, and nothing else.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What was run has panicked. Where and why is on standard error, by the panic's own hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Waits for `future`, and makes an error of a panic within it.
///
/// # Errors
/// [`Panicked`]; whatever the future has changed stays half done, so that the caller drops it.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_behind_an_await_is_caught() {
        let panicking = async {
            std::future::ready(()).await;
            panic!("on purpose");
        };
        assert_eq!(futures_lite::future::block_on(caught::<_>(panicking)), Err::<(), _>(Panicked));
        assert_eq!(futures_lite::future::block_on(caught(async { 7 })), Ok(7));
    }
}
