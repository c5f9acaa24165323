//! What commands have cost, by collection, and which indexes they have used.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::limits;

/// The kinds of operations that are told apart.
pub(super) const KINDS: &[&str] = &["queries", "getmore", "insert", "update", "remove", "commands"];

/// Counts by collection.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<BTreeMap<String, OfCollection>>);

/// What was done with one collection.
#[derive(Clone, Debug, Default)]
pub(super) struct OfCollection {
    /// For each of [`KINDS`].
    pub(super) kinds: [Cost; KINDS.len()],
    /// How many commands have used each index.
    pub(super) indexes: BTreeMap<String, u64>,
}

/// How many operations there were, and how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) count: u64,
    pub(super) micros: u64,
}

impl Usage {
    /// Counts one run of `command` on a collection. Past [`MONGO_COUNTED_COLLECTIONS_MAX`](limits::MONGO_COUNTED_COLLECTIONS_MAX)
    /// collections no others are counted.
    pub(super) fn note(&self, namespace: &str, command: &str, took: Duration, indexes: Vec<String>) {
        let mut all = self.0.lock();
        if !all.contains_key(namespace) {
            if all.len() >= limits::MONGO_COUNTED_COLLECTIONS_MAX {
                return;
            }
            all.insert(namespace.to_owned(), OfCollection::default());
        }
        let Some(one) = all.get_mut(namespace) else { return };
        if let Some(cost) = one.kinds.get_mut(kind(command)) {
            cost.count += 1;
            cost.micros = cost.micros.saturating_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        for index in indexes {
            if one.indexes.len() < limits::MONGO_COUNTED_INDEXES_MAX || one.indexes.contains_key(&index) {
                *one.indexes.entry(index).or_default() += 1;
            }
        }
    }

    /// What was counted, by collection.
    pub(super) fn all(&self) -> BTreeMap<String, OfCollection> {
        self.0.lock().clone()
    }

    /// How many commands have used each index of a collection; those that none has used are left out.
    pub(super) fn of_indexes(&self, namespace: &str) -> BTreeMap<String, u64> {
        self.0.lock().get(namespace).map_or_else(BTreeMap::new, |one| one.indexes.clone())
    }
}

/// The place among [`KINDS`] of what a command does.
fn kind(command: &str) -> usize {
    match command {
        "find" => 0,
        "getMore" => 1,
        "insert" => 2,
        "update" => 3,
        "delete" => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_by_collection_and_have_bounds() {
        let usage = Usage::default();
        let one = Duration::from_micros(10);
        usage.note("d.c", "find", one, vec!["a_1".to_owned()]);
        usage.note("d.c", "find", one, vec!["a_1".to_owned()]);
        usage.note("d.c", "aggregate", one, Vec::new());
        let all = usage.all();
        assert_eq!(all["d.c"].kinds[0], Cost { count: 2, micros: 20 });
        assert_eq!(all["d.c"].kinds[5].count, 1);
        assert_eq!(usage.of_indexes("d.c"), BTreeMap::from([("a_1".to_owned(), 2)]));
        for n in 0..limits::MONGO_COUNTED_COLLECTIONS_MAX {
            usage.note(&format!("d.{n}"), "find", one, Vec::new());
        }
        assert_eq!(usage.all().len(), limits::MONGO_COUNTED_COLLECTIONS_MAX);
    }
}
