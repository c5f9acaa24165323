//! Shows requests to clients that monitor, when they run.

use std::io::Write;

use crate::limits;
use crate::server::redis::run::command::{Call, Command, Outcome};
use crate::server::redis::spec::Flags;
use crate::server::redis::spec::secrets::secrets;
use crate::server::stream::Peer;

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender {
    Client,
    #[cfg(feature = "lua")]
    Script,
}

/// Runs a command, and shows it to those who monitor: after what it did, but a script before its commands.
pub(crate) fn run(call: &mut Call<'_>, command: &Command, sender: Sender) -> Outcome {
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
            && let Some(client) = call.door.clients.get(*id)
        {
            client.cut_off();
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
        Sender::Client => match call.door.clients.get(call.session.id) {
            Some(client) if client.peer == Peer::Unix => call.door.shared.address.to_string(),
            Some(client) => client.peer.to_string(),
            None => String::new(),
        },
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
}
