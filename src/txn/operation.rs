//! One operation of a model, and the record that is made of it.

use crate::clock::Stopwatch;
use crate::error::Result;

/// What an operation is, for the one record that is made of each when it ends.
///
/// # Examples
/// ```
/// let sessions = larder::Store::in_memory().kv_named("sessions");
/// sessions.set("7", "ann")?; // recorded with model `kv`, verb `set` and target `sessions`
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The model: `"document"`, `"kv"`.
    pub model: &'static str,
    /// The operation in the model's vocabulary: `"insert_one"`, `"increment"`.
    pub verb: &'static str,
    /// The collection, table, keyspace or channel.
    pub target: &'a str,
    /// Whether it makes nothing larger, and so runs when the budget of memory is spent.
    pub frees: bool,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(model: &'static str, verb: &'static str, target: &'a str) -> Self {
        Self { model, verb, target, frees: false }
    }

    /// The operation, which makes nothing larger if `frees` says so.
    pub(crate) fn freeing(self, frees: bool) -> Self {
        Self { frees, ..self }
    }

    /// Runs `body` and records how it ended. The record goes to [`tracing`], at debug level and target
    /// `larder::operation`; when nobody listens, nothing is measured.
    pub(crate) fn record<R>(self, body: impl FnOnce() -> Result<R>) -> Result<R> {
        if !tracing::enabled!(target: "larder::operation", tracing::Level::DEBUG) {
            return body();
        }
        let watch = Stopwatch::start();
        let outcome = body();
        let Self { model, verb, target, .. } = self;
        let micros = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let error = outcome.as_ref().err().map(tracing::field::display);
        tracing::debug!(target: "larder::operation", model, verb, target, micros, error);
        outcome
    }
}
