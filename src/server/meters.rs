//! What a door counts, for whoever publishes it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::server::metrics::{Meter, Metrics};
use crate::server::tally::{BUCKETS, Tally};

/// The counts of a door, read by others while it counts. Clones read the same.
///
/// # Examples
/// ```
/// # #[cfg(feature = "redis")] {
/// use larder::{Store, server::http::HttpOptions, server::redis::{RedisOptions, RedisServer}};
/// let redis = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
/// let options = HttpOptions::default().watch(redis.meters());
/// # }
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Clone)]
pub struct Meters {
    pub(crate) system: &'static str,
    pub(crate) model: &'static str,
    meter: Arc<Meter>,
    connected: Option<Arc<dyn Fn() -> usize + Send + Sync>>,
    /// Of each thread.
    tallies: Arc<Mutex<Vec<Arc<Tally>>>>,
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").field("system", &self.system).field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}

/// What a command has done on all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Operations {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) rejected: u64,
    pub(crate) nanos: u64,
    pub(crate) buckets: [u64; BUCKETS],
}

impl Meters {
    /// Those of a door that stands in for `system` (a `db.system.name` of OpenTelemetry) with the model `model`.
    pub(crate) fn new(system: &'static str, model: &'static str, meter: Arc<Meter>) -> Self {
        Self { system, model, meter, connected: None, tallies: Arc::default() }
    }

    /// The same, with how many clients are connected.
    #[must_use]
    pub(crate) fn with_connected(self, connected: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        Self { connected: Some(Arc::new(connected)), ..self }
    }

    /// Adds the counts of a thread.
    pub(crate) fn add(&self, tally: Arc<Tally>) {
        self.tallies.lock().push(tally);
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.meter.read()
    }

    /// How many clients are connected, where the door says so.
    pub(crate) fn connected(&self) -> Option<usize> {
        self.connected.as_ref().map(|connected| connected())
    }

    /// What each command has done that was asked for, by its name.
    pub(crate) fn operations(&self) -> BTreeMap<String, Operations> {
        let mut all: BTreeMap<String, Operations> = BTreeMap::new();
        for tally in &*self.tallies.lock() {
            for (name, line) in tally.lines() {
                let sum = all.entry(name.to_owned()).or_default();
                sum.calls += line.calls();
                sum.failed += line.failed();
                sum.rejected += line.rejected();
                sum.nanos += line.nanos();
                sum.buckets.iter_mut().zip(line.buckets()).for_each(|(sum, count)| *sum += count);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::server::tally::End;

    #[test]
    fn the_counts_of_all_threads_are_added_up() {
        let meters = Meters::new("redis", "kv", Arc::default()).with_connected(|| 3);
        for micros in [1, 1_000] {
            let tally = Arc::new(Tally::new(["get".to_owned(), "set".to_owned()].into()));
            meters.add(Arc::clone(&tally));
            tally.count(0, End::Failed);
            tally.time(0, Duration::from_micros(micros));
        }
        let operations = meters.operations();
        assert_eq!((operations.len(), meters.connected()), (1, Some(3)));
        let get = operations["get"];
        assert_eq!((get.calls, get.failed, get.nanos, get.buckets.iter().sum::<u64>()), (2, 2, 1_001_000, 2));
    }
}
