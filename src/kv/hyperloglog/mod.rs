//! `HyperLogLog`s: strings that estimate how many distinct elements they have been shown.
//!
//! A `HyperLogLog` has 16384 registers of six bits. Each holds the longest run of zeros, and one, that the hashes of
//! the elements which belong to it have shown. The string, its bytes and the estimate made of them are those of Redis:
//! what `GET` returns there can be set here, and the other way round. The standard error is 0.81 %.
//!
//! | bytes | field       | encoding                                                                            |
//! |-------|-------------|-------------------------------------------------------------------------------------|
//! | 4     | magic       | `HYLL`                                                                              |
//! | 1     | encoding    | `00` dense (`dense.rs`), `01` sparse (`sparse.rs`)                                  |
//! | 3     | unused      | 0                                                                                   |
//! | 8     | cardinality | the estimate kept by the last count, little-endian; highest bit: it no longer holds |
//! | 0..   | registers   | by the encoding                                                                     |
//!
//! # Invariants
//! 1. A string that is not of this form is refused, and nothing is changed.
//! 2. A kept cardinality that holds is the estimate of the registers.
//!
//! # Source
//! Redis command reference, `HyperLogLog` commands. Estimator: O. Ertl, *New cardinality estimation algorithms for
//! `HyperLogLog` sketches* (2017). Hash: A. Appleby, `MurmurHash64A`.

mod dense;
mod estimate;
mod hash;
mod sketch;
mod sparse;

use crate::error::Result;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::{Kv, string};
use crate::txn::{AutoCommit, Scope, View, WriteScope};
use sketch::{Registers, Sketch};

/// How many registers there are.
const REGISTERS: usize = 1 << 14;

/// The `HyperLogLog` at one key of a keyspace. Given by [`Kv::hyperloglog`].
///
/// It is a string, which [`Kv::get`] returns and [`Kv::set`] restores. Every method returns
/// [`Error::WrongType`](crate::Error::WrongType) when the key holds no string,
/// [`Error::Invalid`](crate::Error::Invalid) when it holds another string, and
/// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
///
/// # Examples
/// ```
/// let kv = larder::Store::in_memory().kv();
/// let (monday, tuesday) = (kv.hyperloglog("monday"), kv.hyperloglog("tuesday"));
/// monday.add(["ann", "bob", "ann"])?;
/// tuesday.add(["bob", "cid"])?;
/// assert_eq!(monday.count()?, 2);
/// assert_eq!(kv.hyperloglog_count(["monday", "tuesday"])?, 3);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HyperLogLog<S = AutoCommit> {
    kv: Kv<S>,
    key: Vec<u8>,
}

impl<S: Scope> Kv<S> {
    /// The `HyperLogLog` at `key`. It need not exist; adding to it creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.hyperloglog("visitors").count()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn hyperloglog(&self, key: impl AsRef<[u8]>) -> HyperLogLog<S> {
        HyperLogLog::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> HyperLogLog<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self { kv, key: key.to_vec() }
    }

    /// About how many distinct elements have been added; 0 when there is no such key.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup; O(16384), unless the value holds a count that [`HyperLogLog::count_and_keep`] has left.
    ///
    /// # Examples
    /// ```
    /// let visitors = larder::Store::in_memory().kv().hyperloglog("visitors");
    /// visitors.add((0..1_000).map(|n| n.to_string()))?;
    /// assert!((980..1_020).contains(&visitors.count()?));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PFCOUNT` of one key.
    #[doc(alias = "PFCOUNT")]
    pub fn count(&self) -> Result<u64> {
        self.kv
            .read("hyperloglog.count", &self.key, |view, key| look(view, key)?.map_or(Ok(0), |sketch| sketch.count()))
    }
}

impl<S: WriteScope> HyperLogLog<S> {
    /// Adds `elements`, and returns whether that has changed anything, including that there is such a key now.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup; O(1) per element, O(n) while the value has n bytes, fewer than 3000; one put when it has changed.
    ///
    /// # Examples
    /// ```
    /// let visitors = larder::Store::in_memory().kv().hyperloglog("visitors");
    /// assert!(visitors.add(["ann", "bob"])?);
    /// assert!(!visitors.add(["ann"])?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PFADD`.
    #[doc(alias = "PFADD")]
    pub fn add<E: AsRef<[u8]>>(&self, elements: impl IntoIterator<Item = E>) -> Result<bool> {
        let elements: Vec<E> = elements.into_iter().collect();
        self.kv.write("hyperloglog.add", &self.key, |writer, key| {
            let (head, value) = string::claim(writer, key)?;
            let mut changed = value.is_none();
            let mut sketch = value.map_or_else(|| Ok(Sketch::new()), |value| Sketch::decode(&value))?;
            for element in &elements {
                let (register, run) = hash::observe(element.as_ref());
                changed |= sketch.raise(register, run)?;
            }
            if changed {
                sketch.forget_count();
                string::change(writer, key, head, &sketch.encode())?;
                tell(writer, KeyEvents::STRINGS, "pfadd", key);
            }
            Ok(changed)
        })
    }

    /// Returns [`HyperLogLog::count`], and keeps it in the value, for as long as nothing is added.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup; O(16384) and one put, unless a count is kept that holds.
    ///
    /// # Examples
    /// ```
    /// let visitors = larder::Store::in_memory().kv().hyperloglog("visitors");
    /// visitors.add(["ann", "bob"])?;
    /// assert_eq!(visitors.count_and_keep()?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PFCOUNT` of one key.
    #[doc(alias = "PFCOUNT")]
    pub fn count_and_keep(&self) -> Result<u64> {
        self.kv.write("hyperloglog.count_and_keep", &self.key, |writer, key| {
            let (head, value) = string::claim(writer, key)?;
            let Some(value) = value else { return Ok(0) };
            let mut sketch = Sketch::decode(&value)?;
            let count = sketch.count()?;
            if sketch.kept_count().is_none() {
                sketch.keep_count(count);
                string::change(writer, key, head, &sketch.encode())?;
            }
            Ok(count)
        })
    }

    /// Adds everything that has been added to the `HyperLogLog`s at `sources`. A missing one adds nothing.
    ///
    /// # Errors
    /// As every method, for the sources too.
    ///
    /// # Cost
    /// One lookup and O(16384) per source, one put.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.hyperloglog("monday").add(["ann", "bob"])?;
    /// kv.hyperloglog("tuesday").add(["bob", "cid"])?;
    /// kv.hyperloglog("week").merge_from(["monday", "tuesday"])?;
    /// assert_eq!(kv.hyperloglog("week").count()?, 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PFMERGE`.
    #[doc(alias = "PFMERGE")]
    pub fn merge_from<K: AsRef<[u8]>>(&self, sources: impl IntoIterator<Item = K>) -> Result<()> {
        let sources: Vec<K> = sources.into_iter().collect();
        self.kv.write("hyperloglog.merge_from", &self.key, |writer, key| {
            let (head, value) = string::claim(writer, key)?;
            let mut merged = value.map_or_else(|| Ok(Sketch::new()), |value| Sketch::decode(&value))?;
            let mut registers = merged.registers()?;
            let mut dense = false;
            for source in &sources {
                if let Some(source) = look(writer, &self.kv.keyspace.head(writer, source.as_ref())?)? {
                    dense |= source.is_dense();
                    registers.raise_to(&source.registers()?);
                }
            }
            if dense {
                merged.make_dense()?;
            }
            merged.raise_to(&registers)?;
            merged.forget_count();
            string::change(writer, key, head, &merged.encode())?;
            tell(writer, KeyEvents::STRINGS, "pfadd", key);
            Ok(())
        })
    }
}

impl<S: Scope> Kv<S> {
    /// About how many distinct elements have been added to at least one of the `HyperLogLog`s at `keys`.
    ///
    /// # Errors
    /// As every method of [`HyperLogLog`].
    ///
    /// # Cost
    /// One lookup per key, and O(16384) for each.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.hyperloglog("monday").add(["ann", "bob"])?;
    /// kv.hyperloglog("tuesday").add(["bob", "cid"])?;
    /// assert_eq!(kv.hyperloglog_count(["monday", "tuesday", "sunday"])?, 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PFCOUNT` of several keys.
    #[doc(alias = "PFCOUNT")]
    pub fn hyperloglog_count<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<u64> {
        let keys: Vec<K> = keys.into_iter().collect();
        self.scope.read(self.operation("hyperloglog_count"), |view| {
            let mut registers = Registers::default();
            for key in &keys {
                if let Some(sketch) = look(view, &self.keyspace.head(view, key.as_ref())?)? {
                    registers.raise_to(&sketch.registers()?);
                }
            }
            Ok(registers.count())
        })
    }
}

fn look(view: &View, key: &[u8]) -> Result<Option<Sketch>> {
    string::look(view, key, Sketch::decode)?.transpose()
}

#[cfg(test)]
mod tests;
