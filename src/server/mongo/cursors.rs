//! Results that a client takes in batches.
//!
//! A tailable cursor follows a capped collection, and is open until its client ends it or its collection does. Any other
//! cursor reads the snapshot of the moment when its query began, for as long as it is open. It ends when its client has everything,
//! kills it, ends its session, or has not asked for [`MONGO_CURSOR_IDLE_SECONDS_MAX`](limits::MONGO_CURSOR_IDLE_SECONDS_MAX) by the
//! store's clock.
//!
//! # Invariants
//! 1. While a batch is made its cursor is taken out of the table, so that two requests never read from one at the same time.
//! 2. A batch holds at least one document if there is one, and otherwise what fits in
//!    [`MONGO_BATCH_BYTES_MAX`](limits::MONGO_BATCH_BYTES_MAX).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bson::{RawArrayBuf, RawDocumentBuf, Uuid};
use parking_lot::Mutex;

use crate::clock::Timestamp;
use crate::document::Tail;
use crate::limits;
use crate::server::mongo::failure::{Failure, Result, code};

/// What is left of a result, in order.
pub(super) type Rows = Box<dyn Iterator<Item = Result<RawDocumentBuf>> + Send>;

/// A result of which some is left.
pub(super) struct Cursor {
    source: Source,
    /// A document that did not fit in the last batch.
    held: Option<RawDocumentBuf>,
    /// How many documents may still come, where the query said so.
    left: Option<u64>,
    pub(super) namespace: String,
    pub(super) session: Option<Uuid>,
    /// What is left of the time that the query may take, for the batches that are asked for later, too.
    pub(super) time_left: Option<Duration>,
}

enum Source {
    Rows(Rows),
    /// What a capped collection has and will have; whether a request waits when there is nothing.
    Tail(Box<Tail<RawDocumentBuf>>, bool),
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Some documents of a result.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) documents: RawArrayBuf,
    /// Nothing is left.
    pub(super) is_last: bool,
}

impl Cursor {
    /// A cursor over `rows`; `limit` is the number of documents after which there are known to be no more.
    pub(super) fn new(rows: Rows, limit: Option<u64>, namespace: String, session: Option<Uuid>) -> Self {
        Self { source: Source::Rows(rows), held: None, left: limit, namespace, session, time_left: None }
    }

    /// A cursor that ends with its collection; `awaits` says whether batches wait until there is something.
    pub(super) fn tailable(tail: Tail<RawDocumentBuf>, awaits: bool, namespace: String, session: Option<Uuid>) -> Self {
        Self {
            source: Source::Tail(Box::new(tail), awaits),
            held: None,
            left: None,
            namespace,
            session,
            time_left: None,
        }
    }

    /// Whether a batch may wait for documents.
    pub(super) fn awaits(&self) -> bool {
        matches!(self.source, Source::Tail(_, true))
    }

    /// The next document, for which a cursor that waits does so for `patience`.
    fn next(&mut self, patience: Duration) -> Result<Option<RawDocumentBuf>> {
        if let Some(document) = self.held.take() {
            return Ok(Some(document));
        }
        match &mut self.source {
            Source::Rows(rows) => rows.next().transpose(),
            Source::Tail(tail, true) if !patience.is_zero() => Ok(tail.next_within(patience)?),
            Source::Tail(tail, _) => Ok(tail.try_next()?),
        }
    }

    /// The next documents, at most `size` of them where that is given. A cursor that waits does so for `patience`, when there are none.
    ///
    /// A batch that is full is not the last one, even if nothing is left, unless the limit of the query has been reached: whether there
    /// is more shows only at the next document.
    ///
    /// # Errors
    /// That of the first document which cannot be had.
    pub(super) fn batch(&mut self, size: Option<u64>, patience: Duration) -> Result<Batch> {
        let (mut documents, mut count, mut bytes) = (RawArrayBuf::new(), 0, 0);
        let is_last = loop {
            if self.left == Some(0) {
                break true;
            }
            if size.is_some_and(|size| count >= size) {
                break false;
            }
            let Some(document) = self.next(if count == 0 { patience } else { Duration::ZERO })? else {
                break matches!(self.source, Source::Rows(_));
            };
            bytes += document.as_bytes().len();
            if count > 0 && bytes > limits::MONGO_BATCH_BYTES_MAX {
                self.held = Some(document);
                break false;
            }
            documents.push(document);
            count += 1;
            self.left = self.left.map(|left| left.saturating_sub(1));
        };
        Ok(Batch { documents, is_last })
    }
}

/// The open cursors of a door.
#[derive(Debug)]
pub(super) struct Cursors {
    open: Mutex<HashMap<i64, Entry>>,
    ids: Mutex<fastrand::Rng>,
    /// Requests that wait for documents.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    /// `None` while a batch is made.
    cursor: Option<Cursor>,
    used: Timestamp,
    is_killed: bool,
}

impl Cursors {
    /// No cursors; their ids are drawn with `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            open: Mutex::default(),
            ids: Mutex::new(fastrand::Rng::with_seed(seed)),
            waiting: AtomicUsize::default(),
        }
    }

    /// A place among the requests that wait for documents, if there is one: those hold up a thread each, and must leave others.
    pub(super) fn place_to_wait(&self) -> Option<Waiting<'_>> {
        let waiting = Waiting(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < limits::MONGO_WAITING_MAX).then_some(waiting)
    }

    /// Keeps a cursor open, and returns its id.
    ///
    /// # Errors
    /// Code 2 when as many are open as may be.
    pub(super) fn open(&self, cursor: Cursor, now: Timestamp) -> Result<i64> {
        let mut open = self.open.lock();
        if open.len() >= limits::MONGO_CURSORS_MAX {
            let message = format!("there are {} open cursors, and no more may be", open.len());
            return Err(Failure::new(code::BAD_VALUE, message));
        }
        let mut ids = self.ids.lock();
        let id = std::iter::repeat_with(|| ids.i64(1..)).find(|id| !open.contains_key(id)).unwrap_or(1);
        open.insert(id, Entry { cursor: Some(cursor), used: now, is_killed: false });
        Ok(id)
    }

    /// Takes a cursor out, for a batch.
    ///
    /// # Errors
    /// Code 43 for one that is not open; 2 for one of which a batch is made already.
    pub(super) fn take(&self, id: i64, now: Timestamp) -> Result<Cursor> {
        let mut open = self.open.lock();
        let Some(entry) = open.get_mut(&id) else { return Err(not_found(id)) };
        let Some(cursor) = entry.cursor.take() else {
            return Err(Failure::new(code::BAD_VALUE, format!("cursor id {id} is in use by another request")));
        };
        entry.used = now;
        Ok(cursor)
    }

    /// Puts a cursor back that was taken out, unless it was killed meanwhile.
    pub(super) fn put_back(&self, id: i64, cursor: Cursor, now: Timestamp) {
        let mut open = self.open.lock();
        match open.get_mut(&id) {
            Some(entry) if !entry.is_killed => (entry.cursor, entry.used) = (Some(cursor), now),
            _ => drop(open.remove(&id)),
        }
    }

    /// Ends a cursor, whose last batch has been made.
    pub(super) fn close(&self, id: i64) {
        self.open.lock().remove(&id);
    }

    /// Ends a cursor; returns whether it was open.
    pub(super) fn kill(&self, id: i64) -> bool {
        let mut open = self.open.lock();
        let Some(entry) = open.get_mut(&id) else { return false };
        match &entry.cursor {
            Some(_) => drop(open.remove(&id)),
            None if entry.is_killed => return false,
            None => entry.is_killed = true,
        }
        true
    }

    /// Ends the cursors of these sessions.
    pub(super) fn kill_of_sessions(&self, sessions: &[Uuid]) {
        self.open.lock().retain(|_, entry| {
            let session = entry.cursor.as_ref().and_then(|cursor| cursor.session);
            !session.is_some_and(|session| sessions.contains(&session))
        });
    }

    /// Ends cursors that nobody has asked for long.
    pub(super) fn sweep(&self, now: Timestamp) {
        let idle_max = limits::MONGO_CURSOR_IDLE_SECONDS_MAX;
        let is_fresh = |entry: &Entry| now.as_seconds().saturating_sub(entry.used.as_seconds()) < idle_max;
        self.open.lock().retain(|_, entry| entry.cursor.is_none() || is_fresh(entry));
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.lock().len()
    }
}

/// A request that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn not_found(id: i64) -> Failure {
    Failure::new(code::CURSOR_NOT_FOUND, format!("cursor id {id} not found"))
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    fn cursor(documents: i32, limit: Option<u64>) -> Cursor {
        let rows = (0..documents).map(|n| Ok(rawdoc! { "n": n }));
        Cursor::new(Box::new(rows), limit, "d.c".to_owned(), None)
    }

    fn count(batch: &Batch) -> (usize, bool) {
        (batch.documents.into_iter().count(), batch.is_last)
    }

    #[test]
    fn a_full_batch_leaves_open_whether_there_is_more() {
        let mut three = cursor(3, None);
        assert_eq!(count(&three.batch(Some(3), Duration::ZERO).unwrap()), (3, false));
        assert_eq!(count(&three.batch(Some(3), Duration::ZERO).unwrap()), (0, true));
        assert_eq!(
            count(&cursor(3, Some(3)).batch(Some(3), Duration::ZERO).unwrap()),
            (3, true),
            "the limit was reached"
        );
        assert_eq!(count(&cursor(3, None).batch(None, Duration::ZERO).unwrap()), (3, true));
        assert_eq!(count(&cursor(3, None).batch(Some(0), Duration::ZERO).unwrap()), (0, false));
    }

    #[test]
    fn a_batch_ends_before_it_is_too_long_for_a_message() {
        let large = rawdoc! { "a": "x".repeat(6 << 20) };
        let rows = std::iter::repeat_with(move || Ok(large.clone())).take(5);
        let mut cursor = Cursor::new(Box::new(rows), None, "d.c".to_owned(), None);
        let sizes: Vec<_> = (0..3).map(|_| count(&cursor.batch(None, Duration::ZERO).unwrap())).collect();
        assert_eq!(sizes, [(2, false), (2, false), (1, true)]);
    }

    #[test]
    fn as_many_wait_as_leave_threads_for_others() {
        let cursors = Cursors::new(7);
        let places: Vec<_> = (0..limits::MONGO_WAITING_MAX).map(|_| cursors.place_to_wait().unwrap()).collect();
        assert!(cursors.place_to_wait().is_none() && cursors.place_to_wait().is_none());
        drop(places);
        assert!(cursors.place_to_wait().is_some());
    }

    #[test]
    fn a_cursor_is_used_by_one_request_at_a_time_and_ends_once() {
        let cursors = Cursors::new(7);
        let now = Timestamp::from_seconds(100);
        let id = cursors.open(cursor(3, None), now).unwrap();
        let taken = cursors.take(id, now).unwrap();
        assert_eq!(cursors.take(id, now).unwrap_err().code, 2);
        assert!(cursors.kill(id), "while it is taken");
        assert!(!cursors.kill(id));
        cursors.put_back(id, taken, now);
        assert_eq!(cursors.take(id, now).unwrap_err().code, 43);
        assert_eq!(cursors.len(), 0);
    }

    #[test]
    fn a_cursor_is_killed_once_and_ends_with_its_session() {
        let (cursors, now, session) = (Cursors::new(7), Timestamp::from_seconds(100), Uuid::from_bytes([1; 16]));
        let id = cursors.open(cursor(1, None), now).unwrap();
        assert!(cursors.kill(id) && !cursors.kill(id));
        let mut of_session = cursor(1, None);
        of_session.session = Some(session);
        let id = cursors.open(of_session, now).unwrap();
        cursors.kill_of_sessions(&[session]);
        assert!(cursors.take(id, now).is_err());
    }

    #[test]
    fn a_cursor_that_nobody_asks_ends_by_the_stores_clock() {
        let cursors = Cursors::new(7);
        cursors.open(cursor(1, None), Timestamp::from_seconds(0)).unwrap();
        cursors.sweep(Timestamp::from_seconds(599));
        assert_eq!(cursors.len(), 1);
        cursors.sweep(Timestamp::from_seconds(600));
        assert_eq!(cursors.len(), 0);
    }
}
