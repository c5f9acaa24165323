//! Deadlines of keys.
//!
//! A deadline is a moment of the store's clock in microseconds since the epoch, kept as such: every
//! millisecond deadline is exact, and time passes while the store is closed. At its deadline a key is gone.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::{address_of, long_key};
use crate::kv::record::{Head, named};
use crate::kv::{Kv, entry};
use crate::txn::{Scope, WriteScope, Writer};

/// How long a key has to live.
///
/// # Examples
/// ```
/// use larder::{Store, kv::Ttl};
/// let kv = Store::in_memory().kv();
/// kv.set("k", "v")?;
/// assert_eq!((kv.ttl("k")?, kv.ttl("other")?), (Ttl::Persistent, Ttl::Missing));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ttl {
    /// There is no such key.
    Missing,
    /// The key stays until it is removed.
    Persistent,
    /// The key is gone after this time, which is never zero.
    Expires(Duration),
}

impl<S: Scope> Kv<S> {
    /// When `key` will be gone; `None` when it is not there or has no deadline.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set_with_ttl("k", "v", std::time::Duration::from_secs(60))?;
    /// assert!(store.kv().deadline("k")? > Some(store.now()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PEXPIRETIME`.
    #[doc(alias = "PEXPIRETIME")]
    pub fn deadline(&self, key: impl AsRef<[u8]>) -> Result<Option<Timestamp>> {
        let deadline =
            self.read("deadline", key.as_ref(), |view, key| entry::peek(view, key, |head, _| Ok(head.deadline)))?;
        Ok(deadline.flatten())
    }

    /// How long `key` has to live.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, kv::Ttl};
    /// use std::time::Duration;
    /// let clock = ManualClock::default();
    /// let kv = Store::builder().clock(clock.clone()).in_memory().kv();
    /// kv.set_with_ttl("session", "7", Duration::from_secs(60))?;
    /// clock.advance(Duration::from_secs(20));
    /// assert_eq!(kv.ttl("session")?, Ttl::Expires(Duration::from_secs(40)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PTTL`.
    #[doc(alias = "PTTL")]
    pub fn ttl(&self, key: impl AsRef<[u8]>) -> Result<Ttl> {
        self.read("ttl", key.as_ref(), |view, key| {
            let ttl = entry::peek(view, key, |head, _| {
                let left = head.deadline.map(|deadline| deadline.saturating_since(view.now()));
                Ok(left.map_or(Ttl::Persistent, Ttl::Expires))
            })?;
            Ok(ttl.unwrap_or(Ttl::Missing))
        })
    }
}

#[cfg(feature = "server")]
impl<S: Scope> Kv<S> {
    /// When `key` will be gone, in milliseconds since the epoch and exactly, rounded down; `None` when it is not there or has no deadline.
    pub(crate) fn deadline_millis(&self, key: &[u8]) -> Result<Option<i64>> {
        let millis = self.read("deadline", key, |view, key| {
            entry::peek(view, key, |head, _| Ok(head.far_millis().or(head.deadline.map(Timestamp::as_millis))))
        })?;
        Ok(millis.flatten())
    }
}

#[cfg(feature = "server")]
impl<S: WriteScope> Kv<S> {
    /// Keeps `millis` as the deadline of `key`, which was given one by another operation just now, if that was further
    /// off than microseconds can express. Such a moment never comes; clients get it back as they set it.
    pub(crate) fn keep_far_deadline(&self, key: &[u8], millis: i64) -> Result<()> {
        if millis.checked_mul(1_000).is_some() || millis < 0 {
            return Ok(());
        }
        self.free("expire_at", key, |writer, key| keep_far(writer, key, millis))
    }
}

impl<S: WriteScope> Kv<S> {
    /// Lets `key` expire `ttl` from now, in whole microseconds, and returns whether there is such a key. A deadline it
    /// already has is replaced; a `ttl` of zero removes it now.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `ttl` ends after the last representable moment, [`Error::LimitExceeded`] for a key that
    /// is too long.
    ///
    /// # Cost
    /// One lookup, up to three writes; a string is written again.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("board").add("ann", 1.0)?;
    /// assert!(kv.expire("board", Duration::from_secs(3_600))?);
    /// assert!(kv.expire("board", Duration::ZERO)?);
    /// assert!(!kv.exists("board")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PEXPIRE`.
    #[doc(alias = "PEXPIRE")]
    #[doc(alias = "EXPIRE")]
    pub fn expire(&self, key: impl AsRef<[u8]>, ttl: Duration) -> Result<bool> {
        self.free("expire", key.as_ref(), |writer, key| {
            let deadline = after(writer.now(), ttl)?;
            set_deadline(writer, key, deadline)
        })
    }

    /// Lets `key` expire at `deadline`, and returns whether there is such a key. A deadline it already has is replaced;
    /// one that is not in the future removes the key now.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// As [`Kv::expire`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, Timestamp};
    /// let kv = Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert!(kv.expire_at("k", Timestamp::from_seconds(4_000_000_000))?);
    /// assert!(!kv.expire_at("other", Timestamp::from_seconds(4_000_000_000))?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PEXPIREAT`.
    #[doc(alias = "PEXPIREAT")]
    #[doc(alias = "EXPIREAT")]
    pub fn expire_at(&self, key: impl AsRef<[u8]>, deadline: Timestamp) -> Result<bool> {
        self.free("expire_at", key.as_ref(), |writer, key| set_deadline(writer, key, deadline))
    }

    /// Takes the deadline off `key`, and returns whether it had one.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup, up to two writes; a string is written again.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::Ttl};
    /// use std::time::Duration;
    /// let kv = Store::in_memory().kv();
    /// kv.set_with_ttl("k", "v", Duration::from_secs(1))?;
    /// assert!(kv.persist("k")? && !kv.persist("k")?);
    /// assert_eq!(kv.ttl("k")?, Ttl::Persistent);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PERSIST`.
    #[doc(alias = "PERSIST")]
    pub fn persist(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.free("persist", key.as_ref(), |writer, key| {
            let found = entry::claim(writer, key, |head, payload| Ok(head.deadline.map(|_| (head, payload.to_vec()))))?;
            let Some((head, payload)) = found.flatten() else { return Ok(false) };
            change(writer, key, head, None, &payload)?;
            tell(writer, KeyEvents::GENERIC, "persist", key);
            Ok(true)
        })
    }
}

/// The moment `ttl` after `now`.
pub(super) fn after(now: Timestamp, ttl: Duration) -> Result<Timestamp> {
    let micros = i64::try_from(ttl.as_micros()).ok();
    micros
        .and_then(|micros| now.as_micros().checked_add(micros))
        .map(Timestamp::from_micros)
        .ok_or_else(|| Error::invalid(InvalidKind::Value, format!("invalid expire time: {ttl:?} from now")))
}

fn set_deadline(writer: &mut Writer, key: &[u8], deadline: Timestamp) -> Result<bool> {
    let found = entry::claim(writer, key, |head, payload| Ok((head, payload.to_vec())))?;
    let Some((head, payload)) = found else { return Ok(false) };
    if deadline <= writer.now() {
        entry::remove(writer, key, head)?;
        tell(writer, KeyEvents::GENERIC, "del", key);
    } else {
        change(writer, key, head, Some(deadline), &payload)?;
        tell(writer, KeyEvents::GENERIC, "expire", key);
    }
    Ok(true)
}

/// Keeps the milliseconds of a deadline that is further off than microseconds can express.
pub(super) fn keep_far(writer: &mut Writer, key: &[u8], millis: i64) -> Result<()> {
    let last = Some(Timestamp::from_millis(millis));
    let found = entry::claim(writer, key, |head, payload| Ok((head, payload.to_vec())))?;
    match found.filter(|(head, _)| head.deadline == last) {
        Some((head, payload)) => entry::replace(writer, key, head.with_far_deadline(millis), &payload),
        None => Ok(()),
    }
}

/// Gives a key with this head and payload another deadline, or none.
pub(super) fn change(
    writer: &mut Writer,
    key: &[u8],
    head: Head,
    deadline: Option<Timestamp>,
    payload: &[u8],
) -> Result<()> {
    entry::cancel(writer, key, head);
    entry::create(writer, key, head.with_deadline(deadline), payload)
}

/// Removes the key whose head is kept at `target`, if its deadline has passed.
///
/// The deadline is the stored one: that of a key which was written to since the index was read is left alone. What belongs to a
/// keyspace that was emptied is left to the job of that.
pub(crate) fn expire(writer: &mut Writer, target: &[u8]) -> Result<()> {
    if address_of(writer, target)?.is_none() {
        return Ok(());
    }
    if long_key(target).is_none() {
        return entry::claim(writer, target, |_, _| Ok(())).map(drop);
    }
    let Some(record) = writer.get(target)? else { return Ok(()) };
    let name = named(target, &record)?.into_owned();
    entry::claim(writer, &name, |_, _| Ok(())).map(drop)
}
