//! Waiting until a key has something.

use std::time::Duration;

use crate::error::Result;
use crate::kv::{End, Kv, List};
use crate::txn::AutoCommit;

impl Kv<AutoCommit> {
    /// What `attempt` finds. It is tried at once, and again whenever something has happened to one of `keys`, until it finds
    /// something or `timeout` has passed; without a timeout there is no end. `None` at the end of the time.
    ///
    /// Those who wait for a key get their turns in the order in which they came. The time that is waited is that of the system,
    /// not of the store's clock.
    ///
    /// # Errors
    /// Those of `attempt`, which end the waiting; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too
    /// long; [`Error::NestedTransaction`](crate::Error::NestedTransaction) inside an exclusive transaction of this thread.
    ///
    /// # Cost
    /// Nothing while waiting. While anybody waits, each write of a key costs a look at who waits for it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let jobs = kv.unsorted_set("jobs");
    /// let worker = std::thread::spawn({
    ///     let (kv, jobs) = (kv.clone(), jobs.clone());
    ///     move || kv.wait_for(["jobs"], Some(Duration::from_secs(10)), || jobs.nth(0))
    /// });
    /// jobs.add("sweep")?;
    /// assert_eq!(worker.join().unwrap()?, Some(b"sweep".to_vec()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn wait_for<K: AsRef<[u8]>, R>(
        &self,
        keys: impl IntoIterator<Item = K>,
        timeout: Option<Duration>,
        attempt: impl FnMut() -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        let heads: Vec<_> =
            keys.into_iter().map(|key| Ok(self.keyspace.head(key.as_ref())?.into_vec())).collect::<Result<_>>()?;
        self.scope.core().wait_for(&heads, timeout, attempt)
    }
}

impl List<AutoCommit> {
    /// Takes the value at `end` off the list, and waits for one while there is none: `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As every method, and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`] and [`List::pop`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// use std::time::Duration;
    /// let queue = larder::Store::in_memory().kv().list("queue");
    /// queue.push(End::Back, ["job"])?;
    /// assert_eq!(queue.pop_wait(End::Front, None)?, Some(b"job".to_vec()));
    /// assert_eq!(queue.pop_wait(End::Front, Some(Duration::from_millis(1)))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BLPOP`.
    pub fn pop_wait(&self, end: End, timeout: Option<Duration>) -> Result<Option<Vec<u8>>> {
        let (kv, key) = self.place();
        kv.wait_for([key], timeout, || self.pop(end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;
    use crate::error::Error;
    use crate::store::Store;

    #[test]
    fn threads_that_wait_take_everything_once() {
        const VALUES: u32 = 500;
        let kv = Store::in_memory().kv();
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let queue = kv.list("queue");
                thread::spawn(move || {
                    let next = || queue.pop_wait(End::Front, None).unwrap().filter(|value| value != b"end");
                    std::iter::from_fn(next).collect::<Vec<_>>()
                })
            })
            .collect();
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let queue = kv.list("queue");
                thread::spawn(move || {
                    for n in 0..VALUES {
                        queue.push(End::Back, [format!("{writer}:{n}")]).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        for _ in &takers {
            kv.list("queue").push(End::Back, ["end"]).unwrap();
        }
        let taken: Vec<_> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        assert_eq!(taken.len(), 3 * VALUES as usize);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
        assert!(kv.list("queue").is_empty().unwrap());
    }

    #[test]
    fn what_goes_wrong_ends_the_waiting_and_leaves_no_place_behind() {
        let store = Store::in_memory();
        let kv = store.kv();
        kv.set("k", "text").unwrap();
        assert!(matches!(kv.list("k").pop_wait(End::Front, None), Err(Error::WrongType { .. })));
        let panicked = thread::spawn({
            let kv = kv.clone();
            move || kv.wait_for(["queue"], None, || -> Result<Option<()>> { panic!("on purpose") })
        });
        assert!(panicked.join().is_err());
        let inside = store.transaction(|_| kv.list("queue").pop_wait(End::Front, None));
        assert!(matches!(inside, Err(Error::NestedTransaction)));
        // A place that was left behind would get the turn, and keep it.
        let thread = thread::spawn({
            let kv = kv.clone();
            move || kv.list("queue").pop_wait(End::Front, None).unwrap()
        });
        kv.list("queue").push(End::Back, ["a"]).unwrap();
        assert_eq!(thread.join().unwrap(), Some(b"a".to_vec()));
    }
}
