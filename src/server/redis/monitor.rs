//! `MONITOR`: clients that see the requests of all.
//!
//! A request is shown when it has run, whether or not what it did is durable yet: what is shown is what clients ask for, and not
//! what becomes of it. Passwords are not shown, nor is what only administrators do.
//!
//! # Source
//! Redis command reference, `MONITOR`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::limits;
use crate::server::redis::command::{Call, Command, Outcome};
use crate::server::redis::slow_log::secrets;
use crate::server::redis::spec::Flags;

/// The clients that see requests.
#[derive(Debug, Default)]
pub(super) struct Monitors {
    is_any: Cell<bool>,
    outboxes: RefCell<BTreeMap<u64, Rc<Outbox>>>,
}

/// What waits to be sent to one of them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: RefCell<Vec<u8>>,
    /// It took too much, and the client is parted with.
    is_over: Cell<bool>,
    pub(super) ready: Notify,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sender {
    Client,
    #[cfg(feature = "lua")]
    Script,
}

impl Monitors {
    /// Shows a client requests from now on.
    pub(super) fn insert(&self, id: u64) -> Rc<Outbox> {
        let outbox = Rc::new(Outbox::default());
        self.outboxes.borrow_mut().insert(id, Rc::clone(&outbox));
        self.is_any.set(true);
        outbox
    }

    pub(super) fn remove(&self, id: u64) {
        if self.is_any.get() {
            let mut outboxes = self.outboxes.borrow_mut();
            outboxes.remove(&id);
            self.is_any.set(!outboxes.is_empty());
        }
    }

    /// Bytes that wait to be sent to a client.
    pub(super) fn waiting(&self, id: u64) -> usize {
        self.outboxes.borrow().get(&id).map_or(0, |outbox| outbox.len())
    }
}

impl Outbox {
    /// What there is to send; `None` for a client that has not kept up.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        (!self.is_over.get()).then(|| self.bytes.take())
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.borrow().len()
    }

    /// Adds a line, and answers whether there was room for it.
    fn push(&self, line: Option<&[u8]>) -> bool {
        let mut bytes = self.bytes.borrow_mut();
        let line = line.filter(|line| bytes.len() + line.len() <= limits::MONITOR_OUTPUT_BYTES_MAX);
        if let Some(line) = line {
            bytes.extend_from_slice(line);
        } else {
            *bytes = Vec::new();
            self.is_over.set(true);
        }
        self.ready.notify_one();
        line.is_some()
    }
}

/// Runs a command, and shows it to those who monitor: after what it did, but a script before its commands.
pub(super) fn run(call: &mut Call<'_>, command: &Command, sender: Sender) -> Outcome {
    if !call.door.monitors.is_any.get() {
        return command.run(call);
    }
    let is_script = command.spec.flags.contains(Flags::SKIP_MONITOR);
    if is_script {
        show(call, command, sender);
    }
    let outcome = command.run(call);
    if !is_script {
        show(call, command, sender);
    }
    outcome
}

fn show(call: &Call<'_>, command: &Command, sender: Sender) {
    if command.spec.flags.contains(Flags::ADMIN) {
        return;
    }
    let bytes: usize = call.words.iter().map(|word| word.len()).sum();
    let line = (bytes <= limits::MONITOR_OUTPUT_BYTES_MAX).then(|| line(call, sender));
    for (id, outbox) in call.door.monitors.outboxes.borrow().iter() {
        if !outbox.push(line.as_deref())
            && let Some(client) = call.door.clients.borrow().get(id)
        {
            client.end();
        }
    }
}

/// A request as `MONITOR` shows it.
fn line(call: &Call<'_>, sender: Sender) -> Vec<u8> {
    let micros = call.door.store.now().as_micros();
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let from = match sender {
        #[cfg(feature = "lua")]
        Sender::Script => "lua".to_owned(),
        Sender::Client => {
            let clients = call.door.clients.borrow();
            clients.get(&call.session.id).map(|client| client.address.to_string()).unwrap_or_default()
        }
    };
    let mut line = format!("+{seconds}.{rest:06} [{} {from}]", call.session.database).into_bytes();
    let secret = secrets(call.words);
    for (at, word) in call.words.iter().enumerate() {
        line.push(b' ');
        quote(&mut line, if secret.contains(&at) { b"(redacted)" } else { word });
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Writes a word between quotes, on one line.
fn quote(line: &mut Vec<u8>, word: &[u8]) {
    line.push(b'"');
    for byte in word {
        match byte {
            b'\\' | b'"' => line.extend_from_slice(&[b'\\', *byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0x07 => line.extend_from_slice(b"\\a"),
            0x08 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(*byte),
            // Writing to a vector does not fail.
            other => drop(write!(line, "\\x{other:02x}")),
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_redis_quotes_them() {
        let mut line = Vec::new();
        quote(&mut line, b"a\\b\x01\"\n\r\t\x07\x08\xff ~");
        assert_eq!(line, br#""a\\b\x01\"\n\r\t\a\b\xff ~""#);
    }

    #[test]
    fn an_outbox_that_is_full_gives_nothing_more() {
        let outbox = Outbox::default();
        assert!(outbox.push(Some(b"line")));
        assert_eq!(outbox.take().unwrap(), b"line");
        assert!(outbox.push(Some(&vec![b'x'; limits::MONITOR_OUTPUT_BYTES_MAX])));
        assert!(!outbox.push(Some(b"x")));
        assert!(outbox.take().is_none() && outbox.len() == 0);
    }
}
