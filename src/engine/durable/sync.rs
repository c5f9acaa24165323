//! The locks of the commit path: those of `parking_lot`, or of `shuttle`, which tries out their schedules.

#[cfg(not(shuttle))]
pub(super) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

#[cfg(shuttle)]
pub(super) use under_shuttle::{Condvar, Mutex, MutexGuard, RwLock};

use std::sync::PoisonError;

#[cfg(shuttle)]
use shuttle::sync as broadcast;
#[cfg(not(shuttle))]
use std::sync as broadcast;

#[cfg(shuttle)]
pub(super) use shuttle::thread::yield_now;
#[cfg(not(shuttle))]
pub(super) use std::thread::yield_now;

/// A number that grows, and threads that wait until it has.
///
/// The threads are woken all at once. A condition variable of `parking_lot` would hand its mutex from one to the next, each
/// of which has to be woken before it can wake another: with eight, that took longer than the sync they had waited for.
#[derive(Debug, Default)]
pub(super) struct Gate {
    passed: broadcast::Mutex<u64>,
    grown: broadcast::Condvar,
}

impl Gate {
    /// Lets those go on who wait for `number`, or a lower one.
    pub(super) fn pass(&self, number: u64) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = number.max(*passed);
        drop(passed);
        self.grown.notify_all();
    }

    /// Returns once a number higher than `number` has been passed.
    pub(super) fn wait_past(&self, number: u64) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        while *passed <= number {
            passed = self.grown.wait(passed).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The locks of `shuttle`, with the signatures of `parking_lot`.
#[cfg(shuttle)]
mod under_shuttle {
    use std::ops::{Deref, DerefMut};
    use std::time::Duration;

    use shuttle::sync as inner;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(inner::Mutex<T>);

    /// `None` only while it is handed to a condition variable.
    #[derive(Debug)]
    pub(crate) struct MutexGuard<'a, T>(Option<inner::MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(inner::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_deref().expect("the guard is held")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_deref_mut().expect("the guard is held")
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(inner::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(inner::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> inner::RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> inner::RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(inner::Condvar);

    impl Condvar {
        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let held = guard.0.take().expect("the guard is held");
            guard.0 = Some(self.0.wait(held).unwrap_or_else(std::sync::PoisonError::into_inner));
        }

        /// No time passes under shuttle: it never gives up.
        pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _timeout: Duration) {
            self.wait(guard);
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}
