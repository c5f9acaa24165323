//! Puts requests that took long into the slow log.

use std::time::Duration;

use crate::server::redis::spec::{Flags, Spec};
use crate::server::redis::state::door::{Door, SlowRequest};

/// Whether so long a time is kept.
pub(super) fn is_slow(door: &Door, time: Duration) -> bool {
    let slow = u64::try_from(door.parameters.slow_micros());
    slow.is_ok_and(|slow| time.as_micros() >= slow.into())
}

/// Whether a command is kept itself. `EXEC` is not: what it runs is.
pub(super) fn has_entry(spec: &Spec) -> bool {
    !spec.flags.contains(Flags::SKIP_SLOWLOG)
}

/// Keeps a request of the client `id`, if it took long. The words are [`cut`].
pub(crate) fn note(door: &Door, id: u64, words: &[Vec<u8>], time: Duration) {
    if !is_slow(door, time) {
        return;
    }
    let client = door.clients.get(id);
    let [address, _] = client.as_ref().map(|client| door.addresses_of(client)).unwrap_or_default();
    let name = client.map(|client| client.name.borrow().clone()).unwrap_or_default();
    let request = SlowRequest { words: words.to_vec(), address, name };
    door.slow_log.borrow_mut().push(door.store.now(), time, request, door.parameters.slow_log_len());
}
