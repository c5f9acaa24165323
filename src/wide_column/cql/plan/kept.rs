//! What a prepared statement keeps of its plan.
//!
//! # Invariants
//! 1. What is kept depends on the text, the keyspace and the state of the catalogue alone: no value of a marker is in it, and nothing
//!    of the moment.
//! 2. It is used for a view only that shows the same catalogue, which one number says, and for names in the same keyspace
//!    (`named.rs` holds that).

use std::any::Any;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

/// What a statement came to when it was planned last, as far as that can be used again: of each write of a batch in their order; of a
/// statement by itself there is one. Each kind of statement has its own.
#[derive(Debug, Default)]
pub(in crate::wide_column::cql) struct Kept {
    plans: Mutex<Vec<Option<Arc<dyn Any + Send + Sync>>>>,
    /// What it is about, as reports have it: the text alone says that.
    label: OnceLock<String>,
}

impl Kept {
    /// What it is about, as reports have it; `name` is asked once.
    pub(in crate::wide_column::cql) fn label(&self, name: impl FnOnce() -> String) -> &str {
        self.label.get_or_init(name)
    }

    /// What is kept of the statement at `nth`.
    pub(super) fn get<K: Send + Sync + 'static>(&self, nth: usize) -> Option<Arc<K>> {
        let own = self.plans.lock().get(nth)?.clone()?;
        own.downcast().ok()
    }

    /// Keeps it in the place of what was kept before.
    pub(super) fn put<K: Send + Sync + 'static>(&self, nth: usize, own: Arc<K>) {
        let mut all = self.plans.lock();
        if all.len() <= nth {
            all.resize(nth + 1, None);
        }
        if let Some(place) = all.get_mut(nth) {
            *place = Some(own);
        }
    }
}
