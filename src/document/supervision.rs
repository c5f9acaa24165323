//! Operations that are run for somebody else, such as a client of a door: they can be ended, and tell which indexes they use.
//!
//! Whoever runs them says so for what runs on its thread ([`Supervision::guard`]); an operation asks, document by document, whether
//! it is to go on. Nobody else pays more than a look at a variable of the thread.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Stopwatch;
use crate::document::cancel::CancelToken;
use crate::document::code::Code;
use crate::error::Result;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Supervision>>> = const { RefCell::new(None) };
}

/// Indexes whose use is noted for one supervision.
const NOTED_MAX: usize = 16;

/// When operations are to end before they are done, and which indexes they have used.
#[derive(Debug)]
pub(crate) struct Supervision {
    begun: Stopwatch,
    /// The time they have, by the machine's clock: what is too long for whoever waits does not depend on the store's.
    time: Option<Duration>,
    token: CancelToken,
    used: Mutex<Vec<String>>,
}

impl Supervision {
    /// Operations that begin now and have this time.
    pub(crate) fn new(time: Option<Duration>) -> Self {
        Self { begun: Stopwatch::start(), time, token: CancelToken::new(), used: Mutex::default() }
    }

    /// Has them end.
    pub(crate) fn kill(&self) {
        self.token.cancel();
    }

    /// Operations that begin now, have this time, and end with those of this one.
    pub(crate) fn within(&self, time: Duration) -> Self {
        Self { token: self.token.clone(), ..Self::new(Some(time)) }
    }

    /// How much is left of the time they have.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.time.map(|time| time.saturating_sub(self.begun.elapsed()))
    }

    /// How long they have been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The names of the indexes that were used, each once; of many the first.
    pub(crate) fn used_indexes(&self) -> Vec<String> {
        std::mem::take(&mut self.used.lock())
    }

    /// Runs `body`, whose operations end when this says so.
    pub(crate) fn guard<R>(self: &Arc<Self>, body: impl FnOnce() -> R) -> R {
        let before = CURRENT.replace(Some(Arc::clone(self)));
        let _restore = Restore(before);
        body()
    }

    fn check(&self) -> Result<()> {
        self.token.check()?;
        if self.time.is_some_and(|time| self.begun.elapsed() >= time) {
            return Err(Code::MAX_TIME_EXPIRED.value("operation exceeded time limit"));
        }
        Ok(())
    }
}

impl CancelToken {
    /// Runs `body`, whose operations on collections on this thread end once the token is cancelled: those that write, too. A cursor
    /// that `body` opens and hands on is not among them; it is given the token
    /// ([`Find::cancel_token`](crate::document::Find::cancel_token)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, Store, bson::doc, document::{CancelToken, Code}};
    /// let events = Store::in_memory().collection::<Document>("events");
    /// events.insert_many((0..1_000).map(|n| doc! { "n": n }))?;
    /// let token = CancelToken::new();
    /// token.cancel();
    /// let error = token.guard(|| events.update_many(doc! {}, doc! { "$inc": { "n": 1 } })).unwrap_err();
    /// assert_eq!(Code::of(&error), Some(Code::INTERRUPTED));
    /// assert_eq!(events.count_documents(doc! { "n": 0 })?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// MongoDB manual, `killOp`.
    pub fn guard<R>(&self, body: impl FnOnce() -> R) -> R {
        Arc::new(Supervision { token: self.clone(), ..Supervision::new(None) }).guard(body)
    }
}

/// Puts back what was there, also after a panic.
struct Restore(Option<Arc<Supervision>>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Notes that an operation on this thread uses the index `name`.
pub(super) fn note_index(name: &str) {
    CURRENT.with_borrow(|current| {
        let Some(supervision) = current else { return };
        let mut used = supervision.used.lock();
        if used.len() < NOTED_MAX && !used.iter().any(|noted| noted == name) {
            used.push(name.to_owned());
        }
    });
}

/// Whether the operation that runs on this thread is to go on.
///
/// # Errors
/// Codes 50 and 11601 when it has taken too long, or was killed.
pub(super) fn check() -> Result<()> {
    CURRENT.with_borrow(|current| current.as_ref().map_or(Ok(()), |supervision| supervision.check()))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::{Document, Store};

    #[test]
    fn what_has_no_time_left_or_is_killed_ends_and_nothing_else_does() {
        let events = Store::in_memory().collection::<Document>("events");
        events.insert_many((0..10).map(|n| doc! { "n": n })).unwrap();
        let run = || events.find(doc! { "n": 5 }).to_vec().map_err(|error| Code::of(&error).unwrap().number());
        let late = Arc::new(Supervision::new(Some(Duration::ZERO)));
        assert_eq!(late.guard(run), Err(50));
        let killed = Arc::new(Supervision::new(None));
        assert_eq!(killed.guard(run).unwrap().len(), 1);
        killed.kill();
        assert_eq!(killed.guard(run), Err(11_601));
        assert_eq!(run().unwrap().len(), 1);
    }

    #[test]
    fn an_update_of_many_that_ends_keeps_nothing_of_its_last_step() {
        let events = Store::in_memory().collection::<Document>("events");
        events.insert_many((0..10).map(|n| doc! { "n": n })).unwrap();
        let late = Arc::new(Supervision::new(Some(Duration::ZERO)));
        assert!(late.guard(|| events.update_many(doc! {}, doc! { "$inc": { "n": 100 } })).is_err());
        assert_eq!(events.count_documents(doc! { "n": { "$gte": 100 } }).unwrap(), 0);
    }
}
