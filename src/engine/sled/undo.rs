//! What entries were before commits that open snapshots do not hold: sled has no snapshots of its own.
//!
//! # Invariants
//! 1. A commit's old values are recorded before sled is given its new ones. Whoever reads sled first and asks here second
//!    therefore learns of every change that the read may have seen.
//! 2. A snapshot needs a version when it is older than the commit that replaced it, and not older than the commit before that
//!    which changed the same key. What no open snapshot needs goes when no older one is open, or when its key changes again.
//! 3. `order` has one element for each version.
//!
//! # Cost
//! Looking up a key is O(log n) in the versions that are kept. Versions are dropped by whoever drops the last snapshot that
//! needed them, a few at a time, so that nobody waits long for the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use parking_lot::RwLock;
use smallvec::SmallVec;

use crate::engine::{CommitNumber, Direction, Key, KeyRange};

/// Versions that are dropped while the lock is held once.
const STEP: usize = 256;

/// The versions of the entries of one store.
#[derive(Debug, Default)]
pub(super) struct Undo(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    /// Open snapshots by the commit they show.
    open: BTreeMap<CommitNumber, usize>,
    /// For each key the versions that are kept, oldest first.
    versions: BTreeMap<Key, SmallVec<[Version; 1]>>,
    /// By what replaced it, every version that is kept.
    order: BTreeSet<(CommitNumber, Key)>,
}

/// What a key held until a commit.
#[derive(Clone, Debug)]
struct Version {
    /// From when on the key held it, as far as is known: not after this commit.
    since: CommitNumber,
    /// The commit that changed it.
    replaced: CommitNumber,
    /// `None` when there was no entry.
    value: Old,
}

/// A value before a commit; `None` when there was no entry.
pub(super) type Old = Option<sled::IVec>;

impl Undo {
    /// Keeps what a snapshot of `commit` will need, until [`Undo::close`].
    pub(super) fn open(&self, commit: CommitNumber) {
        *self.0.write().open.entry(commit).or_insert(0) += 1;
    }

    /// Lets go of what only a snapshot of `commit` needed.
    pub(super) fn close(&self, commit: CommitNumber) {
        let mut state = self.0.write();
        if let Some(count) = state.open.get_mut(&commit) {
            *count -= 1;
            if *count == 0 {
                state.open.remove(&commit);
            }
        }
        loop {
            let freed = state.free(STEP);
            drop(state);
            if freed.len() < STEP {
                return;
            }
            drop(freed);
            state = self.0.write();
        }
    }

    /// Notes what some entries were before `commit`, which comes after every other.
    pub(super) fn record(&self, commit: CommitNumber, entries: impl IntoIterator<Item = (Key, Old)>) {
        let mut state = self.0.write();
        for (key, value) in entries {
            state.record(commit, key, value);
        }
    }

    /// What `key` held in the snapshot of `commit`, if it was changed since.
    pub(super) fn get(&self, key: &[u8], commit: CommitNumber) -> Option<Old> {
        let state = self.0.read();
        Some(state.versions.get(key)?.iter().find(|version| version.replaced > commit)?.value.clone())
    }

    /// What keys of `range` held in the snapshot of `commit`, of those that were changed since; and the key up to which
    /// that is all, unless it is all of the range.
    ///
    /// At most `limit` keys are looked at.
    pub(super) fn range(
        &self,
        range: &KeyRange,
        direction: Direction,
        commit: CommitNumber,
        limit: usize,
    ) -> (Vec<(Key, Old)>, Option<Key>) {
        if range.is_empty() {
            return (Vec::new(), None);
        }
        let state = self.0.read();
        let versions = state.versions.range::<[u8], _>(range);
        let (mut found, mut seen, mut last) = (Vec::new(), 0, None);
        let mut look = |(key, versions): (&Key, &SmallVec<[Version; 1]>)| {
            if let Some(version) = versions.iter().find(|version| version.replaced > commit) {
                found.push((key.clone(), version.value.clone()));
            }
            seen += 1;
            last = (seen == limit).then(|| key.clone());
        };
        match direction {
            Direction::Forward => versions.take(limit).for_each(&mut look),
            Direction::Backward => versions.rev().take(limit).for_each(&mut look),
        }
        (found, last)
    }
}

impl State {
    fn record(&mut self, commit: CommitNumber, key: Key, value: Old) {
        let Self { open, versions, order } = self;
        let kept = versions.entry(key.clone()).or_default();
        let since = kept.last().map_or(CommitNumber(0), |version| version.replaced);
        // Whatever nobody needs of this key goes now: a key that is changed often must not fill the memory while a
        // snapshot from before all of that is open.
        kept.retain(|version| {
            let is_needed = is_needed(open, version.since, version.replaced);
            if !is_needed {
                order.remove(&(version.replaced, key.clone()));
            }
            is_needed
        });
        if is_needed(open, since, commit) {
            kept.push(Version { since, replaced: commit, value });
            order.insert((commit, key));
        } else if kept.is_empty() {
            versions.remove(&key);
        }
    }

    /// Takes out up to `limit` versions that no open snapshot is older than.
    fn free(&mut self, limit: usize) -> Vec<Version> {
        let oldest = self.open.keys().next().copied();
        let mut freed = Vec::new();
        while freed.len() < limit {
            let needless = self.order.first().filter(|(replaced, _)| oldest.is_none_or(|oldest| *replaced <= oldest));
            if needless.is_none() {
                break;
            }
            let Some((replaced, key)) = self.order.pop_first() else { break };
            let Some(versions) = self.versions.get_mut(&key) else { continue };
            let at = versions.iter().position(|version| version.replaced == replaced);
            freed.extend(at.map(|at| versions.remove(at)));
            if versions.is_empty() {
                self.versions.remove(&key);
            }
        }
        freed
    }
}

/// Whether a snapshot is open that shows what held from `since` until `replaced`.
fn is_needed(open: &BTreeMap<CommitNumber, usize>, since: CommitNumber, replaced: CommitNumber) -> bool {
    open.range((Bound::Included(since), Bound::Excluded(replaced))).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type States = Vec<BTreeMap<u8, u8>>;

    /// What happens in a run: some keys get values or are removed, a snapshot is opened, one is closed.
    #[derive(Clone, Debug)]
    enum Step {
        Commit(BTreeMap<u8, Option<u8>>),
        Open,
        Close(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => prop::collection::btree_map(0..8u8, any::<Option<u8>>(), 1..5).prop_map(Step::Commit),
            2 => Just(Step::Open),
            1 => any::<usize>().prop_map(Step::Close),
        ]
    }

    fn value(byte: u8) -> sled::IVec {
        sled::IVec::from(&[byte])
    }

    /// The entries of the snapshot of `commit`, as a reader puts them together from the newest and the versions.
    fn read(undo: &Undo, newest: &BTreeMap<u8, u8>, commit: CommitNumber, limit: usize) -> BTreeMap<u8, u8> {
        let mut entries: BTreeMap<Vec<u8>, sled::IVec> =
            newest.iter().map(|(key, byte)| (vec![*key], value(*byte))).collect();
        let mut rest = KeyRange::all();
        loop {
            let (found, last) = undo.range(&rest, Direction::Forward, commit, limit);
            for (key, old) in found {
                match old {
                    Some(old) => drop(entries.insert(key.to_vec(), old)),
                    None => drop(entries.remove(&*key)),
                }
            }
            let Some(last) = last else { break };
            rest = rest.clamp(Bound::Excluded(last), Bound::Unbounded);
        }
        entries.into_iter().map(|(key, value)| (key[0], value[0])).collect()
    }

    proptest! {
        #[test]
        fn every_open_snapshot_is_what_it_was(steps in prop::collection::vec(step(), 1..60), limit in 1..4usize) {
            let (undo, mut states, mut open): (_, States, Vec<u64>) = (Undo::default(), vec![BTreeMap::new()], vec![]);
            let mut most_open = 0;
            for step in steps {
                let newest = states.last().unwrap().clone();
                let last = states.len() as u64 - 1;
                match step {
                    Step::Commit(changes) => {
                        // The newest is always open while a commit is made, as it is in the engine.
                        undo.open(CommitNumber(last));
                        let old = changes.keys().map(|key| (Key::from(&[*key][..]), newest.get(key).map(|b| value(*b))));
                        undo.record(CommitNumber(last + 1), old);
                        undo.close(CommitNumber(last));
                        let mut next = newest;
                        for (key, byte) in changes {
                            match byte {
                                Some(byte) => drop(next.insert(key, byte)),
                                None => drop(next.remove(&key)),
                            }
                        }
                        states.push(next);
                    }
                    Step::Open => {
                        undo.open(CommitNumber(last));
                        open.push(last);
                        most_open = most_open.max(open.len());
                    }
                    Step::Close(at) if !open.is_empty() => {
                        undo.close(CommitNumber(open.swap_remove(at % open.len())));
                    }
                    Step::Close(_) => {}
                }
                for commit in &open {
                    let expected = &states[usize::try_from(*commit).unwrap()];
                    let newest = states.last().unwrap();
                    prop_assert_eq!(&read(&undo, newest, CommitNumber(*commit), limit), expected);
                    for key in 0..8 {
                        let at = undo.get(&[key], CommitNumber(*commit));
                        let found = at.unwrap_or_else(|| newest.get(&key).map(|byte| value(*byte)));
                        prop_assert_eq!(found, expected.get(&key).map(|byte| value(*byte)));
                    }
                }
                let state = undo.0.read();
                let versions: usize = state.versions.values().map(SmallVec::len).sum();
                prop_assert_eq!(versions, state.order.len());
                prop_assert!(versions <= 8 * (most_open + 2));
            }
            for commit in open {
                undo.close(CommitNumber(commit));
            }
            prop_assert!(undo.0.read().versions.is_empty() && undo.0.read().order.is_empty());
        }
    }

    #[test]
    fn a_key_that_changes_often_keeps_few_versions_beside_an_old_snapshot() {
        let undo = Undo::default();
        undo.open(CommitNumber(0));
        for commit in 1..1_000 {
            undo.open(CommitNumber(commit - 1));
            undo.record(CommitNumber(commit), [(Key::from(&b"counter"[..]), Some(value(0)))]);
            undo.close(CommitNumber(commit - 1));
        }
        assert!(undo.0.read().order.len() <= 2);
        assert_eq!(undo.get(b"counter", CommitNumber(0)), Some(Some(value(0))));
        for commit in 1_000..3_000u64 {
            undo.open(CommitNumber(commit - 1));
            undo.record(CommitNumber(commit), [(Key::from(&commit.to_be_bytes()[..]), None)]);
            undo.close(CommitNumber(commit - 1));
        }
        assert!(undo.0.read().order.len() >= 2_000, "the old snapshot needs to know that they were not there");
        undo.close(CommitNumber(0));
        assert!(undo.0.read().order.is_empty() && undo.0.read().versions.is_empty());
    }
}
