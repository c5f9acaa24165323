//! What one operation of a transaction has overwritten in the transaction's changes.

use crate::engine::{Change, Changes};

/// Room for the keys and values of most operations, made at once: growing to it copies, and each transaction begins with none.
const BYTES_AT_FIRST: usize = 256;

/// More room than this is given back after an operation.
const BYTES_KEPT: usize = 16 << 10;

/// What the changes held for each key that was changed again, in the order in which that was done.
///
/// Kept from operation to operation, so that noting costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// Keys and values, one behind the other.
    bytes: Vec<u8>,
    notes: Vec<Note>,
}

/// Where a key and what it had are in the bytes; the next note begins where it ends.
#[derive(Clone, Copy, Debug)]
struct Note {
    at: usize,
    key_bytes: usize,
    before: Before,
}

#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Put,
    Removed,
}

impl Undo {
    /// Begins another operation.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(BYTES_KEPT);
        self.notes.clear();
        self.notes.shrink_to(BYTES_KEPT / size_of::<Note>());
    }

    /// Notes what the changes hold for `key`.
    pub(super) fn note(&mut self, key: &[u8], change: Option<Change<'_>>) {
        let at = self.bytes.len();
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BYTES_AT_FIRST.max(key.len()));
        }
        self.bytes.extend_from_slice(key);
        let before = match change {
            None => Before::Nothing,
            Some(Change::Remove) => Before::Removed,
            Some(Change::Put(value)) => {
                self.bytes.extend_from_slice(value);
                Before::Put
            }
        };
        self.notes.push(Note { at, key_bytes: key.len(), before });
    }

    /// Puts back what was noted, the last first, and forgets it.
    pub(super) fn take_back(&mut self, changes: &mut Changes) {
        while let Some(note) = self.notes.pop() {
            let noted = self.bytes.get(note.at..).unwrap_or_default();
            let (key, value) = noted.split_at_checked(note.key_bytes).unwrap_or_default();
            match note.before {
                Before::Nothing => changes.forget(key),
                Before::Put => changes.put(key, value),
                Before::Removed => changes.remove(key),
            }
            self.bytes.truncate(note.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Writes = Vec<(u8, Option<Vec<u8>>)>;

    fn writes() -> impl Strategy<Value = Writes> {
        let value = (any::<u8>(), prop_oneof![0..20usize, Just(2_000)]).prop_map(|(byte, len)| vec![byte; len]);
        prop::collection::vec((0..6u8, prop::option::of(value)), 0..12)
    }

    fn change((key, value): &(u8, Option<Vec<u8>>), changes: &mut Changes, before: impl FnOnce(Option<Change<'_>>)) {
        changes.change(&[*key], value.as_deref().map_or(Change::Remove, Change::Put), before);
    }

    proptest! {
        #[test]
        fn what_an_operation_did_is_taken_back(earlier in writes(), operations in prop::collection::vec(writes(), 1..3)) {
            let (mut changes, mut undo) = (Changes::new(), Undo::default());
            for write in &earlier {
                change(write, &mut changes, |_| ());
            }
            for operation in operations {
                let before = changes.clone();
                undo.clear();
                for write in &operation {
                    change(write, &mut changes, |found| undo.note(&[write.0], found));
                }
                undo.take_back(&mut changes);
                prop_assert_eq!(&changes, &before);
            }
        }
    }
}
