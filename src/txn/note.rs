//! What models note of a transaction beside its changes, to be published once it is durable.
//!
//! All of it is in one list, which an operation that fails is cut off from: a model cannot forget to take something
//! back.

use std::any::Any;
use std::fmt;
use std::task::Waker;

use smallvec::SmallVec;

use crate::encoding::owner::Slot;
use crate::engine::CommitNumber;
use crate::txn::state::States;

/// Something that a model notes of a running transaction.
pub(crate) trait Note: Any + fmt::Debug + Send {
    /// The transaction is durable. Called in commit order; must not block, fail or use the store. Tasks that are to run because
    /// of it go into `woken`, for a waker may do all of that.
    fn release(self: Box<Self>, states: &States, commit: CommitNumber, woken: &mut Vec<Waker>);
}

/// The notes of one transaction, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: NoteList,
    /// For each slot, how many notes there are up to the last one of it; 0 for none.
    last: [u32; Slot::COUNT],
}

/// Notes in order. Most transactions have one at most, which takes no allocation beside its own.
pub(super) type NoteList = SmallVec<[Box<dyn Note>; 1]>;

/// How far a list of notes went.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotesMark {
    len: usize,
    last: [u32; Slot::COUNT],
}

impl Notes {
    pub(super) fn push(&mut self, slot: Slot, note: Box<dyn Note>) {
        self.list.push(note);
        if let Some(last) = self.last.get_mut(slot as usize) {
            // As many notes as that have no room in memory.
            *last = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        }
    }

    #[cfg(any(feature = "server", test))]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The last note of `slot`, if it is an `N`.
    pub(super) fn last<N: Note>(&self, slot: Slot) -> Option<&N> {
        let at = self.last.get(slot as usize)?.checked_sub(1)? as usize;
        downcast(&**self.list.get(at)?)
    }

    /// The notes of type `N` behind the first `from` of all.
    #[cfg(any(feature = "server", test))]
    pub(super) fn since<N: Note>(&self, from: usize) -> impl Iterator<Item = &N> {
        self.list.get(from..).unwrap_or_default().iter().filter_map(|note| downcast(&**note))
    }

    pub(super) fn mark(&self) -> NotesMark {
        NotesMark { len: self.list.len(), last: self.last }
    }

    /// Forgets what was noted since `mark`.
    pub(super) fn cut_back(&mut self, mark: NotesMark) {
        self.list.truncate(mark.len);
        self.last = mark.last;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes all of them out.
    #[inline]
    pub(super) fn take(&mut self) -> NoteList {
        std::mem::take(&mut self.list)
    }
}

fn downcast<N: Note>(note: &dyn Note) -> Option<&N> {
    let note: &dyn Any = note;
    note.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Of<const N: usize>(u32);

    impl<const N: usize> Note for Of<N> {
        fn release(self: Box<Self>, _: &States, _: CommitNumber, _: &mut Vec<Waker>) {}
    }

    #[test]
    fn what_is_cut_off_is_no_longer_the_last_of_its_slot() {
        let mut notes = Notes::default();
        let last = |notes: &Notes| {
            (notes.last::<Of<0>>(Slot::Test).map(|n| n.0), notes.last::<Of<1>>(Slot::Keys).map(|n| n.0))
        };
        notes.push(Slot::Test, Box::new(Of::<0>(1)));
        let mark = notes.mark();
        notes.push(Slot::Keys, Box::new(Of::<1>(2)));
        notes.push(Slot::Test, Box::new(Of::<0>(3)));
        assert_eq!((last(&notes), notes.since::<Of<0>>(1).count()), ((Some(3), Some(2)), 1));
        notes.cut_back(mark);
        assert_eq!((last(&notes), notes.len()), ((Some(1), None), 1));
    }
}
