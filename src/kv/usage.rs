//! How much keys take, and how they are used.

use crate::error::Result;
use crate::kv::layout::stored;
use crate::kv::record::Head;
use crate::kv::state::Keys;
use crate::kv::{Kv, eviction};
use crate::txn::{Scope, View};

impl<S: Scope> Kv<S> {
    /// Whole seconds since `key` was last read or written; `None` when it is not there.
    ///
    /// It is kept while the policy of the budget is one of the least recently used; 0 under any other. Keys whose
    /// hashes collide share it. Asking does not count as a use of the key.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(None, EvictionPolicy::AllKeysLru)?;
    /// store.kv().set("k", "v")?;
    /// assert!(store.kv().idle_seconds("k")? < Some(60));
    /// assert_eq!(store.kv().idle_seconds("other")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `OBJECT IDLETIME`.
    #[doc(alias = "OBJECT IDLETIME")]
    pub fn idle_seconds(&self, key: impl AsRef<[u8]>) -> Result<Option<u64>> {
        self.read("idle_seconds", key.as_ref(), |view, head| {
            let seconds = || view.state::<Keys>().usage.idle_seconds(&stored(head), view.now()).unwrap_or(0);
            Ok(is_live(view, head)?.then(|| u64::from(seconds())))
        })
    }

    /// How often `key` is used, from 0 to 255 and as the logarithm; `None` when it is not there.
    ///
    /// It is kept while the policy of the budget is one of the least frequently used; 0 under any other. Keys whose
    /// hashes collide share it. Asking does not count as a use of the key.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(None, EvictionPolicy::AllKeysLfu)?;
    /// store.kv().set("k", "v")?;
    /// assert!(store.kv().use_frequency("k")? >= Some(5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `OBJECT FREQ`.
    #[doc(alias = "OBJECT FREQ")]
    pub fn use_frequency(&self, key: impl AsRef<[u8]>) -> Result<Option<u64>> {
        self.read("use_frequency", key.as_ref(), |view, head| {
            let frequency = || view.state::<Keys>().usage.frequency(&stored(head), view.now()).unwrap_or(0);
            Ok(is_live(view, head)?.then(|| u64::from(frequency())))
        })
    }

    /// Makes `key` as if it was last used this many seconds ago, while that is kept ([`Kv::idle_seconds`]).
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLru)?;
    /// store.kv().set("k", "v")?;
    /// store.kv().set_idle_seconds("k", 90)?;
    /// assert!(store.kv().idle_seconds("k")? >= Some(90));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RESTORE` with `IDLETIME`.
    pub fn set_idle_seconds(&self, key: impl AsRef<[u8]>, seconds: u64) -> Result<()> {
        self.read("set_idle_seconds", key.as_ref(), |view, head| {
            view.state::<Keys>().usage.set_idle_seconds(&stored(head), seconds, view.now());
            Ok(())
        })
    }

    /// Makes `key` as if it was used so often, on the scale of [`Kv::use_frequency`], while that is kept.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLfu)?;
    /// store.kv().set("k", "v")?;
    /// store.kv().set_use_frequency("k", 200)?;
    /// assert_eq!(store.kv().use_frequency("k")?, Some(200));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RESTORE` with `FREQ`.
    pub fn set_use_frequency(&self, key: impl AsRef<[u8]>, frequency: u8) -> Result<()> {
        self.read("set_use_frequency", key.as_ref(), |view, head| {
            view.state::<Keys>().usage.set_frequency(&stored(head), frequency, view.now());
            Ok(())
        })
    }

    /// Bytes of everything that is stored for `key`, its elements and its deadline too; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Cost
    /// Reads every element.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// assert_eq!(store.kv().bytes_of("k")?, store.stats()?.bytes);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `MEMORY USAGE`.
    #[doc(alias = "MEMORY USAGE")]
    pub fn bytes_of(&self, key: impl AsRef<[u8]>) -> Result<Option<u64>> {
        self.read("bytes_of", key.as_ref(), |view, head| {
            let found = eviction::size(view, head)?.filter(|(head, _)| head.is_live(|| view.now()));
            Ok(found.map(|(_, bytes)| bytes))
        })
    }
}

/// Whether the key at `head` is there; asking does not count as a use of it.
fn is_live(view: &View, head: &[u8]) -> Result<bool> {
    let Some(record) = view.get(&stored(head))? else { return Ok(false) };
    Ok(Head::decode(&record)?.0.is_live(|| view.now()))
}
