//! Single flight: of the threads that want the same thing made, one makes it and the others wait for what it made.
//!
//! # Invariants
//! 1. A flight is in the table exactly while its maker is at it: it is removed when it lands, and when it is dropped without.
//! 2. The lock of the table is never held while something is made, nor while a thread waits.
//! 3. No thread waits for itself, by whatever way round: who would close such a ring is refused.
//! 4. Nobody waits once the store is closed.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use parking_lot::{Condvar, Mutex};

/// What is being made in one store, by the name of it.
#[derive(Debug, Default)]
pub(in crate::kv) struct Flights(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    flights: HashMap<Vec<u8>, (ThreadId, Arc<Landing>)>,
    /// Which thread waits for which flight.
    waiting: HashMap<ThreadId, Vec<u8>>,
    is_closed: bool,
}

/// Where those who wait meet the outcome.
#[derive(Debug, Default)]
struct Landing {
    outcome: Mutex<Option<Outcome>>,
    landed: Condvar,
}

/// How a flight ended for those who wait for it.
#[derive(Clone, Debug)]
enum Outcome {
    Made(Arc<[u8]>),
    Failed,
    /// The store was closed before the maker was done.
    Closed,
}

/// What a thread has to do to get something.
#[derive(Debug)]
pub(in crate::kv) enum Boarding<'a> {
    /// Make it, and land it.
    Maker(Flight<'a>),
    /// Nothing: another thread has made it, just now.
    Made(Arc<[u8]>),
    /// Look again: another thread was at it, and failed.
    Failed,
    /// It would wait for itself.
    Ring,
    /// The store is closed.
    Closed,
}

impl Flights {
    /// Becomes the maker of `name`, or waits for the thread that is.
    pub(in crate::kv) fn board(&self, name: &[u8]) -> Boarding<'_> {
        let me = thread::current().id();
        let mut table = self.0.lock();
        if table.is_closed {
            return Boarding::Closed;
        }
        let Some((maker, landing)) = table.flights.get(name) else {
            let landing = Arc::new(Landing::default());
            table.flights.insert(name.to_vec(), (me, Arc::clone(&landing)));
            return Boarding::Maker(Flight { flights: self, name: name.to_vec(), landing });
        };
        if table.leads_to(*maker, me) {
            return Boarding::Ring;
        }
        let landing = Arc::clone(landing);
        table.waiting.insert(me, name.to_vec());
        drop(table);
        let mut outcome = landing.outcome.lock();
        landing.landed.wait_while(&mut outcome, |outcome| outcome.is_none());
        match outcome.clone() {
            Some(Outcome::Made(made)) => Boarding::Made(made),
            Some(Outcome::Closed) => Boarding::Closed,
            Some(Outcome::Failed) | None => Boarding::Failed,
        }
    }

    /// Lets nobody wait any more, now and later.
    pub(super) fn close(&self) {
        let mut table = self.0.lock();
        table.is_closed = true;
        table.waiting.clear();
        for (_, landing) in table.flights.values() {
            landing.outcome.lock().get_or_insert(Outcome::Closed);
            landing.landed.notify_all();
        }
    }

    /// How many are under way.
    #[cfg(test)]
    pub(in crate::kv) fn len(&self) -> usize {
        self.0.lock().flights.len()
    }

    /// How many threads wait.
    #[cfg(test)]
    pub(in crate::kv) fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

impl Table {
    /// Whether `thread` is `me`, or waits for `me` over any number of others. There is no ring so far, so this ends.
    fn leads_to(&self, mut thread: ThreadId, me: ThreadId) -> bool {
        while thread != me {
            let next = self.waiting.get(&thread).and_then(|name| self.flights.get(name));
            let Some((maker, _)) = next else { return false };
            thread = *maker;
        }
        true
    }
}

/// Something that this thread is making. Dropped without landing, it has failed.
#[derive(Debug)]
pub(in crate::kv) struct Flight<'a> {
    flights: &'a Flights,
    name: Vec<u8>,
    landing: Arc<Landing>,
}

impl Flight<'_> {
    /// Gives what was made to all who wait for it.
    pub(in crate::kv) fn land(self, made: &[u8]) {
        self.landing.outcome.lock().get_or_insert_with(|| Outcome::Made(made.into()));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut table = self.flights.0.lock();
        table.flights.remove(&self.name);
        // Now, and not when they wake: by then the next maker may look for rings.
        table.waiting.retain(|_, name| *name != self.name);
        drop(table);
        self.landing.outcome.lock().get_or_insert(Outcome::Failed);
        self.landing.landed.notify_all();
    }
}
