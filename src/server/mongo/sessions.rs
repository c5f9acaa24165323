//! Logical sessions: what a client's requests have in common, over connections.
//!
//! A session is known by the identifier that its client chose, from the first request that names it until it is ended, or until it has not
//! been used for [`MONGO_SESSION_IDLE_SECONDS_MAX`](limits::MONGO_SESSION_IDLE_SECONDS_MAX) by the store's clock. A write with a
//! transaction number is run once: a client that lost the reply, and sends the write again with the same number, gets the reply again.
//!
//! # Source
//! MongoDB manual, server sessions and retryable writes.

use std::collections::{BTreeMap, HashMap};

use bson::{RawDocumentBuf, Uuid};
use parking_lot::{Condvar, Mutex};

use crate::clock::Timestamp;
use crate::limits;
use crate::server::mongo::failure::{Failure, Result};
use crate::txn::Pending;

const INCOMPLETE_HISTORY: i32 = 217;
const TRANSACTION_TOO_OLD: i32 = 225;
const TOO_MANY_SESSIONS: i32 = 264;

/// The sessions of a door.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    table: Mutex<Table>,
    /// Some write has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Uuid, Session>,
    /// The sessions whose last reply is kept, by when that was made, and how many bytes those replies have.
    kept: BTreeMap<u64, Uuid>,
    kept_bytes: usize,
    replies: u64,
}

#[derive(Debug)]
struct Session {
    used: Timestamp,
    /// The number of the newest write that can be sent again, and how far it has come.
    retryable: Option<(i64, Progress)>,
}

/// How far a write has come.
#[derive(Debug)]
enum Progress {
    Running,
    /// It was refused, and may be tried again.
    Refused,
    /// The reply that was made as the `at`th, and the commit that it waits for.
    Done {
        reply: RawDocumentBuf,
        at: u64,
        commit: Option<Pending>,
    },
    /// It was run; the reply was too old to be kept.
    Forgotten,
}

/// What is known of a write that has a transaction number.
#[derive(Debug)]
pub(super) enum Attempt<'a> {
    /// It has not come before, or was refused then.
    First(Begun<'a>),
    /// It was run; this was the reply, and what has to be durable before it is sent: that may have been lost since.
    Again(RawDocumentBuf, Option<Pending>),
}

/// A write that runs for the first time. Dropped before it is done it counts as refused.
#[derive(Debug)]
pub(super) struct Begun<'a> {
    sessions: &'a Sessions,
    id: Uuid,
    number: i64,
}

impl Begun<'_> {
    /// Keeps the reply, which waits for `commit`, for when the write is sent again.
    pub(super) fn done(self, reply: &RawDocumentBuf, commit: Option<Pending>) {
        self.sessions.table.lock().keep(self.id, self.number, reply, commit);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut table = self.sessions.table.lock();
        if let Some(Session { retryable: Some((number, progress @ Progress::Running)), .. }) =
            table.by_id.get_mut(&self.id)
            && *number == self.number
        {
            *progress = Progress::Refused;
        }
        self.sessions.ended.notify_all();
    }
}

impl Table {
    fn keep(&mut self, id: Uuid, number: i64, reply: &RawDocumentBuf, commit: Option<Pending>) {
        let at = self.replies;
        let Some(Session { retryable: Some((newest, progress)), .. }) = self.by_id.get_mut(&id) else { return };
        if *newest != number {
            return;
        }
        *progress = Progress::Done { reply: reply.clone(), at, commit };
        self.replies += 1;
        self.kept.insert(at, id);
        self.kept_bytes += reply.as_bytes().len();
        while self.kept_bytes > limits::MONGO_RETRY_BYTES_MAX
            && let Some((_, oldest)) = self.kept.first_key_value()
            && let Some(Session { retryable: Some((_, progress)), .. }) = self.by_id.get_mut(oldest)
        {
            let before = std::mem::replace(progress, Progress::Forgotten);
            self.release(&before);
        }
    }

    /// Gives back what a progress that is over has kept.
    fn release(&mut self, progress: &Progress) {
        if let Progress::Done { reply, at, .. } = progress
            && self.kept.remove(at).is_some()
        {
            self.kept_bytes -= reply.as_bytes().len();
        }
    }

    fn remove(&mut self, id: Uuid) {
        if let Some(Session { retryable: Some((_, progress)), .. }) = self.by_id.remove(&id) {
            self.release(&progress);
        }
    }
}

impl Sessions {
    /// Notes that a session is used.
    ///
    /// # Errors
    /// Code 264 when there are as many as there may be.
    pub(super) fn touch(&self, id: Uuid, now: Timestamp) -> Result<()> {
        let sessions = &mut self.table.lock().by_id;
        if !sessions.contains_key(&id) && sessions.len() >= limits::MONGO_SESSIONS_MAX {
            let message = format!("there are {} sessions, and no more may be", sessions.len());
            return Err(Failure::new(TOO_MANY_SESSIONS, message));
        }
        sessions.entry(id).or_insert(Session { used: now, retryable: None }).used = now;
        Ok(())
    }

    /// What is known of the write `number` of a session. The first time, it is noted as begun; while it runs, whoever sends it again
    /// waits for its end.
    ///
    /// # Errors
    /// Code 225 when a later write of the session has come, 217 when the reply is not kept any more.
    pub(super) fn begin_write(&self, id: Uuid, number: i64) -> Result<Option<Attempt<'_>>> {
        let mut table = self.table.lock();
        loop {
            let Some(session) = table.by_id.get_mut(&id) else { return Ok(None) };
            match &session.retryable {
                Some((newest, _)) if *newest > number => {
                    let message = format!("write {number} is older than write {newest}, which its session has begun");
                    return Err(Failure::new(TRANSACTION_TOO_OLD, message));
                }
                Some((newest, Progress::Running)) if *newest == number => self.ended.wait(&mut table),
                Some((newest, Progress::Done { reply, commit, .. })) if *newest == number => {
                    return Ok(Some(Attempt::Again(reply.clone(), commit.clone())));
                }
                Some((newest, Progress::Forgotten)) if *newest == number => {
                    let message = format!("the reply to write {number} is not kept any more");
                    return Err(Failure::new(INCOMPLETE_HISTORY, message));
                }
                _ => {
                    if let Some((_, before)) = session.retryable.replace((number, Progress::Running)) {
                        table.release(&before);
                    }
                    return Ok(Some(Attempt::First(Begun { sessions: self, id, number })));
                }
            }
        }
    }

    /// Ends sessions.
    pub(super) fn end(&self, ids: &[Uuid]) {
        let mut table = self.table.lock();
        for id in ids {
            table.remove(*id);
        }
        self.ended.notify_all();
    }

    /// Ends sessions that were not used for long, and returns which they were.
    pub(super) fn sweep(&self, now: Timestamp) -> Vec<Uuid> {
        let idle_max = limits::MONGO_SESSION_IDLE_SECONDS_MAX;
        let is_old = |session: &Session| now.as_seconds().saturating_sub(session.used.as_seconds()) >= idle_max;
        let mut table = self.table.lock();
        let old: Vec<_> = table.by_id.iter().filter(|(_, session)| is_old(session)).map(|(id, _)| *id).collect();
        for id in &old {
            table.remove(*id);
        }
        self.ended.notify_all();
        old
    }

    /// All of them, and when each was used last.
    pub(super) fn list(&self) -> Vec<(Uuid, Timestamp)> {
        self.table.lock().by_id.iter().map(|(id, session)| (*id, session.used)).collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.table.lock().by_id.len()
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    const ID: Uuid = Uuid::from_bytes([1; 16]);

    fn begin(sessions: &Sessions, number: i64) -> Begun<'_> {
        match sessions.begin_write(ID, number).unwrap() {
            Some(Attempt::First(begun)) => begun,
            other => panic!("{other:?}"),
        }
    }

    fn again(sessions: &Sessions, number: i64) -> RawDocumentBuf {
        match sessions.begin_write(ID, number).unwrap() {
            Some(Attempt::Again(reply, None)) => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_write_that_is_sent_again_gets_the_reply_again() {
        let sessions = Sessions::default();
        sessions.touch(ID, Timestamp::from_seconds(0)).unwrap();
        drop(begin(&sessions, 1));
        begin(&sessions, 1).done(&rawdoc! { "n": 1 }, None);
        assert_eq!(again(&sessions, 1), rawdoc! { "n": 1 });
        drop(begin(&sessions, 2));
        assert_eq!(sessions.begin_write(ID, 1).unwrap_err().code, 225);
    }

    #[test]
    fn whoever_sends_a_write_again_while_it_runs_waits_for_its_end() {
        let sessions = Sessions::default();
        sessions.touch(ID, Timestamp::from_seconds(0)).unwrap();
        let begun = begin(&sessions, 1);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| again(&sessions, 1));
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!second.is_finished());
            begun.done(&rawdoc! { "n": 7 }, None);
            assert_eq!(second.join().unwrap(), rawdoc! { "n": 7 });
        });
    }

    #[test]
    fn replies_that_are_kept_have_bounds_and_go_with_their_sessions() {
        let sessions = Sessions::default();
        let reply = rawdoc! { "value": "x".repeat(20 << 20) };
        let ids: Vec<_> = (1..=4).map(|n| Uuid::from_bytes([n; 16])).collect();
        for id in &ids {
            sessions.touch(*id, Timestamp::from_seconds(0)).unwrap();
            match sessions.begin_write(*id, 1).unwrap() {
                Some(Attempt::First(begun)) => begun.done(&reply, None),
                other => panic!("{other:?}"),
            }
        }
        assert!(sessions.table.lock().kept_bytes <= limits::MONGO_RETRY_BYTES_MAX);
        assert_eq!(sessions.begin_write(ids[0], 1).unwrap_err().code, 217, "it is not run again");
        assert!(matches!(sessions.begin_write(ids[3], 1), Ok(Some(Attempt::Again(..)))));
        sessions.end(&ids);
        let table = sessions.table.lock();
        assert_eq!((table.kept_bytes, table.kept.len(), table.by_id.len()), (0, 0, 0));
    }

    #[test]
    fn a_new_write_takes_the_place_of_what_was_kept() {
        let sessions = Sessions::default();
        sessions.touch(ID, Timestamp::from_seconds(0)).unwrap();
        for number in 0..100 {
            begin(&sessions, number).done(&rawdoc! { "n": 1 }, None);
        }
        let table = sessions.table.lock();
        assert_eq!((table.kept.len(), table.kept_bytes), (1, rawdoc! { "n": 1 }.as_bytes().len()));
    }

    #[test]
    fn a_session_ends_when_it_was_not_used_for_half_an_hour() {
        let sessions = Sessions::default();
        sessions.touch(ID, Timestamp::from_seconds(0)).unwrap();
        assert_eq!(sessions.sweep(Timestamp::from_seconds(1_799)), []);
        assert_eq!(sessions.sweep(Timestamp::from_seconds(1_800)), [ID]);
        assert_eq!(sessions.len(), 0);
    }
}
