//! Strings, and the counters that some of them are.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::number::parse_integer;
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, deadline, entry};
use crate::limits;
use crate::txn::{Scope, View, WriteScope, Writer};

impl<S: Scope> Kv<S> {
    /// The string at `key`.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else, [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// One lookup, one copy of the value.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert_eq!(kv.get("k")?, Some(b"v".to_vec()));
    /// assert_eq!(kv.get("other")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GET`.
    #[doc(alias = "GET")]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        self.read("get", key.as_ref(), |view, key| look(view, key, <[u8]>::to_vec))
    }
}

impl<S: Scope> Kv<S> {
    /// Returns what `read` makes of the string at `key`, which is not copied.
    ///
    /// # Errors
    /// As [`Kv::get`].
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "value")?;
    /// assert_eq!(kv.get_with("k", |value| value.len())?, Some(5));
    /// assert_eq!(kv.get_with("other", |value| value.len())?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GET`.
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        self.read("get", key.as_ref(), |view, key| look(view, key, read))
    }
}

impl<S: WriteScope> Kv<S> {
    /// Puts the string `value` at `key`, in the place of whatever the key held, its deadline included.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key or value that is too long.
    ///
    /// # Cost
    /// One lookup and one put; more when a deadline or a sorted set goes.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "old")?;
    /// kv.set("k", b"new")?;
    /// assert_eq!(kv.get("k")?.as_deref(), Some(&b"new"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SET`.
    #[doc(alias = "SET")]
    pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let value = value.as_ref();
        self.write("set", key.as_ref(), |writer, key| {
            set(writer, key, value, None)?;
            tell(writer, KeyEvents::STRINGS, "set", key);
            Ok(())
        })
    }

    /// Puts the string `value` at `key` until `ttl` from now, in the place of whatever the key held.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `ttl` is less than a microsecond or ends after the last representable moment,
    /// [`Error::LimitExceeded`] for a key or value that is too long.
    ///
    /// # Cost
    /// As [`Kv::set`], and one more put.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::Ttl};
    /// use std::time::Duration;
    /// let kv = Store::in_memory().kv();
    /// kv.set_with_ttl("session", "7", Duration::from_secs(60))?;
    /// assert!(matches!(kv.ttl("session")?, Ttl::Expires(left) if left <= Duration::from_secs(60)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SET` with `PX`.
    #[doc(alias = "SET")]
    pub fn set_with_ttl(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, ttl: Duration) -> Result<()> {
        let value = value.as_ref();
        self.write("set_with_ttl", key.as_ref(), |writer, key| {
            let now = writer.now();
            let deadline = deadline::after(now, ttl)?;
            if deadline <= now {
                return Err(Error::invalid(InvalidKind::Value, "invalid expire time: less than a microsecond"));
            }
            set(writer, key, value, Some(deadline))?;
            tell(writer, KeyEvents::STRINGS, "set", key);
            tell(writer, KeyEvents::GENERIC, "expire", key);
            Ok(())
        })
    }

    /// Adds `by` to the number at `key` and returns the sum. A missing key counts as 0; a deadline stays.
    ///
    /// A number is a string of decimal digits in its shortest form, with `-` before it when it is negative: `7` and
    /// `-12` are numbers, `+7`, `07`, `-0` and ` 7` are not.
    ///
    /// # Errors
    /// [`Error::Invalid`], and nothing is changed: of [`InvalidKind::Type`] when the string is not a number of 64 bits,
    /// of [`InvalidKind::Overflow`] when the sum is not. [`Error::WrongType`] when the key holds something else.
    ///
    /// # Cost
    /// One lookup and one put.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("stock", "10")?;
    /// assert_eq!(kv.increment("stock", -3)?, 7);
    /// assert_eq!(kv.get("stock")?.as_deref(), Some(&b"7"[..]));
    /// assert_eq!((kv.increment("visits", 1)?, kv.increment("visits", 1)?), (1, 2));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `INCR`, `INCRBY`, `DECR`, `DECRBY`.
    #[doc(alias = "INCR")]
    #[doc(alias = "INCRBY")]
    #[doc(alias = "DECR")]
    #[doc(alias = "DECRBY")]
    pub fn increment(&self, key: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        self.write("increment", key.as_ref(), |writer, key| {
            let found = entry::claim(writer, key, |head, payload| {
                head.expect(Kind::String, key)?;
                Ok((head, parse_integer(payload)?))
            })?;
            let (head, number) = found.unwrap_or((Head::string(None), 0));
            let sum = number
                .checked_add(by)
                .ok_or_else(|| Error::invalid(InvalidKind::Overflow, "increment or decrement would overflow"))?;
            entry::replace(writer, key, head, sum.to_string().as_bytes())?;
            tell(writer, KeyEvents::STRINGS, "incrby", key);
            Ok(sum)
        })
    }
}

/// Reads the string at `key` with `read`, unless there is no such key.
pub(super) fn look<R>(view: &View, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
    entry::look(view, key, |head, payload| head.expect(Kind::String, key).map(|()| read(payload)))
}

/// The string that is to be changed, with its head; the head of a new one when there is no such key.
pub(super) fn claim(writer: &mut Writer, key: &[u8]) -> Result<(Head, Option<Vec<u8>>)> {
    let found = entry::claim(writer, key, |head, payload| {
        head.expect(Kind::String, key)?;
        Ok((head, payload.to_vec()))
    })?;
    Ok(match found {
        Some((head, value)) => (head, Some(value)),
        None => (Head::string(None), None),
    })
}

/// Puts the string `value` in the place of the one that [`claim`] has returned with `head`.
pub(super) fn change(writer: &mut Writer, key: &[u8], head: Head, value: &[u8]) -> Result<()> {
    limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, value.len())?;
    entry::replace(writer, key, head, value)
}

pub(super) fn set(writer: &mut Writer, key: &[u8], value: &[u8], deadline: Option<Timestamp>) -> Result<()> {
    limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, value.len())?;
    if let Some(head) = entry::claim(writer, key, |head, _| Ok(head))? {
        entry::clear(writer, key, head)?;
    }
    entry::create(writer, key, Head::string(deadline), value)
}
