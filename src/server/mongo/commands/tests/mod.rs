//! Commands as clients send them, without a socket.

mod collections;
mod explain;
mod limits;
mod reading;
mod serving;
mod writing;

use bson::{Document, RawDocumentBuf};

use super::*;
use crate::server::mongo::client::Client;
use crate::server::mongo::run::tests::{call, door};
use crate::server::mongo::state::State;

/// A door and a client of it.
struct Door((State, Client));

impl Door {
    fn open() -> Self {
        Self(door(false))
    }

    /// One that lets clients set fail points.
    fn open_for_tests() -> Self {
        Self(door(true))
    }

    /// The reply to a command on the database `d`.
    fn send(&self, body: Document) -> Document {
        self.send_to("d", body)
    }

    fn send_to(&self, database: &str, mut body: Document) -> Document {
        body.insert("$db", database);
        call(&self.0, &RawDocumentBuf::try_from(&body).unwrap())
    }

    /// The reply to a command that has to succeed.
    fn done(&self, body: Document) -> Document {
        let reply = self.send(body);
        assert_eq!(reply.get_f64("ok").ok(), Some(1.0), "{reply}");
        reply
    }

    /// The code with which a command fails.
    fn code(&self, body: Document) -> i32 {
        let reply = self.send(body);
        reply.get_i32("code").unwrap_or_else(|_| panic!("{reply}"))
    }
}

/// The first documents of a cursor.
fn batch(reply: &Document) -> Vec<Document> {
    let cursor = reply.get_document("cursor").unwrap();
    let batch = cursor.get_array("firstBatch").or_else(|_| cursor.get_array("nextBatch")).unwrap();
    batch.iter().map(|document| document.as_document().unwrap().clone()).collect()
}

fn cursor_id(reply: &Document) -> i64 {
    reply.get_document("cursor").unwrap().get_i64("id").unwrap()
}

#[test]
fn a_name_is_that_of_one_command() {
    let names: usize = every().map(|command| 1 + command.aliases.len()).sum();
    assert_eq!(BY_NAME.len(), names);
    assert!(find("ping").is_some() && find("PING").is_none());
}
