//! What was denied: `ACL LOG`.

use std::collections::VecDeque;

use crate::clock::Timestamp;

/// Equal denials within this many seconds are one entry.
const GROUPING_SECONDS: u64 = 60;

/// An entry; alike are those with the same reason, context, object and user.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) count: u64,
    pub(crate) reason: &'static str,
    pub(crate) context: &'static str,
    pub(crate) object: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) client: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// The entries, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Log {
    /// Adds an entry, or counts it with one that is alike, and keeps no more than `most`.
    pub(crate) fn record(&mut self, mut entry: Entry, most: usize) {
        let is_alike = |other: &Entry| {
            (other.reason, other.context, &other.object, &other.user)
                == (entry.reason, entry.context, &entry.object, &entry.user)
                && entry.created.saturating_since(other.created).as_secs() <= GROUPING_SECONDS
        };
        if let Some(mut alike) = self.entries.iter().position(is_alike).and_then(|at| self.entries.remove(at)) {
            alike.count += 1;
            alike.client = entry.client;
            alike.updated = entry.updated;
            self.entries.push_front(alike);
            return;
        }
        entry.id = self.next;
        self.next += 1;
        self.entries.push_front(entry);
        self.entries.truncate(most);
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
