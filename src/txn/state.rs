//! What models keep in memory for an open store, beside what is stored: one value each, made when it is first asked for.
//!
//! The transaction layer keeps it, closes it with the store, and knows nothing else of it.
//!
//! # Cost
//! Asking is one load and the check of a type.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use crate::encoding::owner::Slot;

/// What one model keeps for an open store.
pub(crate) trait State: Any + fmt::Debug + Default + Send + Sync {
    /// Its place, which no other type has.
    const SLOT: Slot;

    /// The store is closed: whoever waits for something in it has to learn of it, now and later. May be called more
    /// than once.
    fn close(&self) {}
}

/// The states of one open store.
#[derive(Debug, Default)]
pub(crate) struct States {
    slots: [OnceLock<Box<dyn Kept>>; Slot::COUNT],
    is_closed: AtomicBool,
}

/// A state whose type is not known.
trait Kept: Any + fmt::Debug + Send + Sync {
    fn close(&self);
}

impl<T: State> Kept for T {
    fn close(&self) {
        State::close(self);
    }
}

impl States {
    /// The state of type `T`, which is made if it is not there yet.
    pub(crate) fn get<T: State>(&self) -> &T {
        match self.made() {
            Some(state) => state,
            None => self.make(),
        }
    }

    /// The state of type `T`, if it was made.
    pub(crate) fn made<T: State>(&self) -> Option<&T> {
        let kept: &dyn Any = &**self.slots.get(T::SLOT as usize)?.get()?;
        kept.downcast_ref()
    }

    #[cold]
    fn make<T: State>(&self) -> &T {
        let kept = self.slots.get(T::SLOT as usize).map(|slot| slot.get_or_init(|| Box::new(T::default())));
        // Either this sees that the store is closed, or who closes it sees what was just made.
        fence(Ordering::SeqCst);
        if let (true, Some(kept)) = (self.is_closed.load(Ordering::Relaxed), kept) {
            kept.close();
        }
        self.made().expect("a slot has one type")
    }

    /// Closes what was made, and from now on what is made.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        for kept in self.slots.iter().filter_map(OnceLock::get) {
            kept.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Counts {
        closed: AtomicBool,
    }

    impl State for Counts {
        const SLOT: Slot = Slot::Test;

        fn close(&self) {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_state_is_made_once_and_closed_whenever_it_was_made() {
        let (before, after) = (States::default(), States::default());
        assert!(before.made::<Counts>().is_none());
        let made: *const Counts = before.get();
        assert!(std::ptr::eq(made, before.get::<Counts>()));
        for states in [&before, &after] {
            states.close();
            assert!(states.get::<Counts>().closed.load(Ordering::Relaxed));
        }
    }
}
