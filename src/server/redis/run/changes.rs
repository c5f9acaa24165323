//! How many changes a command has made, as `rdb_changes_since_last_save` counts them.
//!
//! One operation of the store that changes something counts as one change. A command that Redis counts otherwise says
//! so: by its trait [`Traits::REPLIES_CHANGES`], or by [`note`] where its reply says something else. A command that
//! changes nothing counts as none, whatever it says.
//!
//! # Source
//! Redis configuration file, `save`; Redis command reference, `INFO`.

use crate::server::redis::run::command::{Call, Command, Outcome, integer};
use crate::server::redis::run::show::{self, Sender};
use crate::server::redis::spec::{Flags, Traits};

/// Says how many changes the command that runs makes, if it makes any.
pub(crate) fn note(call: &Call<'_>, changes: u64) {
    call.door.changes.set(Some(changes));
}

/// Runs a command, shows it to those who monitor, and counts its changes.
pub(crate) fn run(call: &mut Call<'_>, command: &Command, sender: Sender) -> Outcome {
    counted(call, command, |call| show::run(call, command, sender))
}

/// Runs the command of a client that has waited, and counts its changes.
pub(super) fn run_unseen(call: &mut Call<'_>, command: &Command) -> Outcome {
    counted(call, command, |call| command.run(call))
}

fn counted(call: &mut Call<'_>, command: &Command, run: impl FnOnce(&mut Call<'_>) -> Outcome) -> Outcome {
    if !command.spec.flags.contains(Flags::WRITE) {
        return run(call);
    }
    let (from, before) = (call.reply.len(), call.transaction.changes());
    call.door.changes.set(None);
    let outcome = run(call);
    let noted = call.door.changes.take();
    let changes = call.transaction.changes();
    if changes > before {
        let noted = noted
            .or_else(|| command.spec.traits.contains(Traits::REPLIES_CHANGES).then(|| replied(call, from)).flatten());
        if let Some(noted) = noted.filter(|noted| outcome.is_ok() && before + noted != changes) {
            call.transaction.set_changes(before + noted);
        }
    }
    outcome
}

/// The count that a reply is; what it does not count, the removal of what was there before, is one change.
fn replied(call: &Call<'_>, from: usize) -> Option<u64> {
    let line = call.reply.bytes().get(from..)?.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    integer(line).and_then(|count| u64::try_from(count).ok()).map(|count| count.max(1))
}
