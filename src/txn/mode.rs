//! What models choose for the operations of a transaction, until they choose otherwise: bits whose meaning is theirs.

use crate::encoding::owner::Slot;

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Mode {
    /// What is read is a snapshot of the past.
    pub(crate) const PAST: Self = Self(1 << 31);

    /// The first or second mode of a model.
    pub(crate) const fn of(slot: Slot, is_second: bool) -> Self {
        Self(1 << (slot as u32 * 2 + is_second as u32))
    }
}

// Two for each, beside `PAST`.
const _: () = assert!(Slot::COUNT * 2 < 32);

/// Which modes are chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modes(u32);

impl Modes {
    pub(super) const fn has(self, mode: Mode) -> bool {
        self.0 & mode.0 != 0
    }

    #[must_use]
    pub(super) const fn with(self, Mode(bit): Mode, is_set: bool) -> Self {
        Self(if is_set { self.0 | bit } else { self.0 & !bit })
    }
}
