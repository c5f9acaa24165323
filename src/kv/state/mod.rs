//! What keys need of an open store beside what is stored: which of them are used, who wants to know what happens to them, and
//! what is being computed.

mod flights;
mod note;
mod observed;
mod usage;
mod waiters;

pub(super) use flights::Boarding;
pub(crate) use note::KeyEvent;
#[cfg(feature = "server")]
pub(crate) use note::touched_since;
pub(super) use note::{freed, is_heard, note_freed, note_removed, tell, tell_all};
pub(crate) use observed::Publish;
pub use usage::EvictionTuning;
pub(super) use usage::{Counted, Tracking, Usage};
#[cfg(feature = "server")]
pub(crate) use waiters::Bell;

use crate::encoding::owner::Slot;
use crate::txn::{Mode, State};
use flights::Flights;
use observed::Observed;

/// Reading and writing does not count as a use.
pub(crate) const NO_USE: Mode = Mode::of(Slot::Keys, false);

/// More memory than the budget may be taken.
pub(crate) const EXCEEDS_MEMORY: Mode = Mode::of(Slot::Keys, true);

/// The state of the keys of one store.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(super) usage: Usage,
    pub(super) observed: Observed,
    /// Values of keys that are being computed.
    pub(super) flights: Flights,
}

impl State for Keys {
    const SLOT: Slot = Slot::Keys;

    fn close(&self) {
        self.observed.waiters.close();
        self.flights.close();
    }
}
