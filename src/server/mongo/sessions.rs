//! Logical sessions: what a client's requests have in common, over connections.
//!
//! A session is known by the identifier that its client chose, from the first request that names it until it is ended, or until it has not
//! been used for [`MONGO_SESSION_IDLE_SECONDS_MAX`](limits::MONGO_SESSION_IDLE_SECONDS_MAX) by the store's clock. A write with a
//! transaction number is run once: a client that lost the reply, and sends the write again with the same number, gets the reply again.
//!
//! # Source
//! MongoDB manual, server sessions and retryable writes.

use std::collections::HashMap;

use bson::{RawDocumentBuf, Uuid};
use parking_lot::Mutex;

use crate::clock::Timestamp;
use crate::limits;
use crate::server::mongo::failure::{Failure, Result};

const TRANSACTION_TOO_OLD: i32 = 225;
const TOO_MANY_SESSIONS: i32 = 264;

/// The sessions of a door.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Uuid, Session>>);

#[derive(Debug)]
struct Session {
    used: Timestamp,
    /// The number of the newest write that can be sent again, and what was replied to it.
    retryable: Option<(i64, Option<RawDocumentBuf>)>,
}

/// What is known of a write that has a transaction number.
#[derive(Debug, PartialEq)]
pub(super) enum Attempt {
    /// It has not come before.
    First,
    /// It was run; this was the reply.
    Again(RawDocumentBuf),
}

impl Sessions {
    /// Notes that a session is used.
    ///
    /// # Errors
    /// Code 264 when there are as many as there may be.
    pub(super) fn touch(&self, id: Uuid, now: Timestamp) -> Result<()> {
        let mut sessions = self.0.lock();
        if !sessions.contains_key(&id) && sessions.len() >= limits::MONGO_SESSIONS_MAX {
            let message = format!("there are {} sessions, and no more may be", sessions.len());
            return Err(Failure::new(TOO_MANY_SESSIONS, message));
        }
        sessions.entry(id).or_insert(Session { used: now, retryable: None }).used = now;
        Ok(())
    }

    /// What is known of the write `number` of a session. The first time, it is noted as begun.
    ///
    /// # Errors
    /// Code 225 when a later write of the session has come.
    pub(super) fn begin_write(&self, id: Uuid, number: i64) -> Result<Attempt> {
        let mut sessions = self.0.lock();
        let Some(session) = sessions.get_mut(&id) else { return Ok(Attempt::First) };
        match &session.retryable {
            Some((newest, _)) if *newest > number => {
                let message = format!("write {number} is older than write {newest}, which its session has begun");
                Err(Failure::new(TRANSACTION_TOO_OLD, message))
            }
            Some((newest, Some(reply))) if *newest == number => Ok(Attempt::Again(reply.clone())),
            _ => {
                session.retryable = Some((number, None));
                Ok(Attempt::First)
            }
        }
    }

    /// Keeps the reply to a write, for when it is sent again.
    pub(super) fn end_write(&self, id: Uuid, number: i64, reply: &RawDocumentBuf) {
        if let Some(Session { retryable: Some((newest, kept)), .. }) = self.0.lock().get_mut(&id)
            && *newest == number
        {
            *kept = Some(reply.clone());
        }
    }

    /// Ends sessions.
    pub(super) fn end(&self, ids: &[Uuid]) {
        let mut sessions = self.0.lock();
        for id in ids {
            sessions.remove(id);
        }
    }

    /// Ends sessions that were not used for long, and returns which they were.
    pub(super) fn sweep(&self, now: Timestamp) -> Vec<Uuid> {
        let idle_max = limits::MONGO_SESSION_IDLE_SECONDS_MAX;
        let is_old = |session: &Session| now.as_seconds().saturating_sub(session.used.as_seconds()) >= idle_max;
        let mut sessions = self.0.lock();
        let old: Vec<_> = sessions.iter().filter(|(_, session)| is_old(session)).map(|(id, _)| *id).collect();
        for id in &old {
            sessions.remove(id);
        }
        old
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    const ID: Uuid = Uuid::from_bytes([1; 16]);

    #[test]
    fn a_write_that_is_sent_again_gets_the_reply_again() {
        let sessions = Sessions::default();
        sessions.touch(ID, Timestamp::from_seconds(0)).unwrap();
        assert_eq!(sessions.begin_write(ID, 1).unwrap(), Attempt::First);
        assert_eq!(sessions.begin_write(ID, 1).unwrap(), Attempt::First, "it was not run to its end");
        sessions.end_write(ID, 1, &rawdoc! { "n": 1 });
        assert_eq!(sessions.begin_write(ID, 1).unwrap(), Attempt::Again(rawdoc! { "n": 1 }));
        assert_eq!(sessions.begin_write(ID, 2).unwrap(), Attempt::First);
        assert_eq!(sessions.begin_write(ID, 1).unwrap_err().code, 225);
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
