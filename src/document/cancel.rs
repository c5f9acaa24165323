//! Ending operations from elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::document::code::Code;
use crate::error::Result;

/// Ends the operations that it was given to, from any thread. Clones are one token.
///
/// An operation looks at it every [`ROWS_BETWEEN_CLOCK_READINGS`](crate::limits::ROWS_BETWEEN_CLOCK_READINGS) documents
/// that it reads, and ends with an error whose code is [`Code::INTERRUPTED`]. An operation that writes has then changed
/// nothing, or, where it takes several commits, has kept what came before.
///
/// # Examples
/// ```
/// use larder::{Document, Store, bson::doc, document::{CancelToken, Code}};
/// let events = Store::in_memory().collection::<Document>("events");
/// events.insert_many((0..1_000).map(|n| doc! { "n": n }))?;
/// let token = CancelToken::new();
/// let mut found = events.find(doc! {}).cancel_token(&token).run()?;
/// assert!(found.next().unwrap().is_ok());
/// token.cancel();
/// let error = found.find_map(Result::err).unwrap();
/// assert_eq!(Code::of(&error), Some(Code::INTERRUPTED));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// MongoDB manual, `killOp`.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that ends nothing yet.
    ///
    /// # Examples
    /// See [`CancelToken`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the operations end that have the token, now and from now on.
    ///
    /// # Examples
    /// See [`CancelToken`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`CancelToken::cancel`] was called.
    ///
    /// # Examples
    /// ```
    /// let token = larder::document::CancelToken::new();
    /// token.clone().cancel();
    /// assert!(token.is_cancelled());
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Code::INTERRUPTED.value("the operation was cancelled")) } else { Ok(()) }
    }
}

/// Whether it is the same token.
impl PartialEq for CancelToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CancelToken {}

/// When an operation is to end before it is done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Until {
    /// After this time, by the machine's clock.
    pub(super) time: Option<Duration>,
    pub(super) token: Option<CancelToken>,
}
