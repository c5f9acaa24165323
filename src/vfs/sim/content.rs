//! What a file holds: for its handles, and on the medium.

use super::rng::Rng;

/// What the medium writes whole or not at all, in bytes.
pub(super) const SECTOR_BYTES: usize = 512;

/// Where a write has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The next sync brings it to the medium.
    Dirty,
    /// A sync failed: it may be on the medium, and no sync will bring it there.
    Abandoned,
    /// On the medium, but after one that was abandoned.
    Synced,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Truncate,
}

impl Change {
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => put(content, *offset, bytes),
            Self::Truncate => content.clear(),
        }
    }
}

pub(super) fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// What every handle sees.
    pub(super) written: Vec<u8>,
    /// What was synced before `changes`.
    pub(super) medium: Vec<u8>,
    pub(super) changes: Vec<(State, Change)>,
}

impl Content {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.written);
        self.changes.push((State::Dirty, change));
    }

    pub(super) fn sync(&mut self) {
        for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
            *state = State::Synced;
        }
        let durable = self.changes.iter().take_while(|(state, _)| *state == State::Synced).count();
        for (_, change) in self.changes.drain(..durable) {
            change.apply(&mut self.medium);
        }
    }

    pub(super) fn abandon(&mut self) {
        for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
            *state = State::Abandoned;
        }
    }

    /// What the medium holds when the power is cut.
    pub(super) fn survive(&mut self, rng: &mut Rng) {
        let mut content = std::mem::take(&mut self.medium);
        let (whole, fate) = (self.written.len(), rng.below(5));
        for (state, change) in self.changes.drain(..) {
            if state == State::Synced {
                change.apply(&mut content);
                continue;
            }
            match (fate, change) {
                (0, _) => {}
                (1, change) => change.apply(&mut content),
                (_, Change::Truncate) if rng.one_in(2) => content.clear(),
                (_, Change::Truncate) => {}
                // Whole writes, in any order.
                (2, change) => {
                    if rng.one_in(2) {
                        change.apply(&mut content);
                    }
                }
                // The beginning of each, more often than not of one only.
                (3, Change::Write(offset, bytes)) => {
                    let kept = usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap_or(0);
                    put(&mut content, offset, bytes.get(..kept).unwrap_or_default());
                }
                (_, Change::Write(offset, bytes)) => {
                    let mut at = offset;
                    while at < offset + bytes.len() {
                        let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(offset + bytes.len());
                        if rng.one_in(2) {
                            put(&mut content, at, bytes.get(at - offset..end - offset).unwrap_or_default());
                        }
                        at = end;
                    }
                }
            }
        }
        if content.len() < whole && rng.one_in(2) {
            content.resize(whole, 0);
        }
        self.written.clone_from(&content);
        self.medium = content;
    }
}
