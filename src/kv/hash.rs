//! Hashes: distinct fields, each with a value.
//!
//! # Storage
//! One entry for each field, field → value (`kv/layout.rs`, kind member).
//!
//! # Invariants
//! A hash without fields does not exist.
//!
//! # Cost
//! A field is one lookup; the number of fields is counted by the engine.

use crate::engine::{Direction, Key, Value};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::Kv;
use crate::kv::collection::{Collection, Held, check_member, get};
use crate::kv::number::{add_float, parse_float, parse_integer};
use crate::kv::record::Kind;
use crate::limits;
use crate::txn::{AutoCommit, Scope, WriteScope};

/// The hash at one key, given by [`Kv::hash`]. Fields come in bytewise order.
///
/// # Examples
/// ```
/// let user = larder::Store::in_memory().kv().hash("user:7");
/// user.set("name", "ann")?;
/// user.increment("visits", 2)?;
/// assert_eq!(user.get("visits")?.as_deref(), Some(&b"2"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hash<S = AutoCommit>(Collection<S>);

impl<S: Scope> Kv<S> {
    /// The hash at `key`. It need not exist; setting the first field creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.hash("user:7").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn hash(&self, key: impl AsRef<[u8]>) -> Hash<S> {
        Hash::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> Hash<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self(Collection::new(kv, key, Kind::Hash))
    }

    /// The value of `field`.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else; [`Error::LimitExceeded`] for a field that is too long.
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert!(user.get("name")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HGET`.
    #[doc(alias = "HGET")]
    pub fn get(&self, field: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let field = field.as_ref();
        let value = self.0.read("hash.get", |view, elements| {
            check_field(field)?;
            get(view, elements, field)
        })?;
        Ok(value.flatten())
    }

    /// Whether there is a `field`.
    ///
    /// # Errors
    /// As [`Hash::get`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set("name", "ann")?;
    /// assert!(user.contains("name")? && !user.contains("age")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HEXISTS`.
    #[doc(alias = "HEXISTS")]
    pub fn contains(&self, field: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.get(field)?.is_some())
    }

    /// How many fields there are.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().kv().hash("user:7").len()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HLEN`.
    #[doc(alias = "HLEN")]
    pub fn len(&self) -> Result<u64> {
        Ok(self.0.read("hash.len", |view, elements| view.count(&elements.members()))?.unwrap_or(0))
    }

    /// Whether there is no hash.
    ///
    /// # Errors
    /// As [`Hash::len`].
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().hash("user:7").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        self.0.is_empty("hash.is_empty")
    }

    /// Every field with its value.
    ///
    /// # Errors
    /// As [`Hash::len`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set("name", "ann")?;
    /// assert_eq!(user.entries()?, [(b"name".to_vec(), b"ann".to_vec())]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HGETALL`.
    #[doc(alias = "HGETALL")]
    pub fn entries(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let entries = self.0.read("hash.entries", |view, elements| {
            let mut cursor = view.range(&elements.members(), Direction::Forward)?;
            let mut entries = Vec::new();
            while let Some((key, value)) = cursor.next()? {
                let (field, value) = elements.read_member(key, value)?;
                entries.push((field.to_vec(), value.to_vec()));
            }
            Ok(entries)
        })?;
        Ok(entries.unwrap_or_default())
    }

    /// The field that has `n` before it, with its value.
    ///
    /// # Errors
    /// As [`Hash::len`].
    ///
    /// # Cost
    /// O(log n): with a random number below [`Hash::len`] it is a random field.
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set("name", "ann")?;
    /// assert_eq!(user.nth(0)?.unwrap().0, b"name");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn nth(&self, n: u64) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let entry = self.0.read("hash.nth", |view, elements| {
            let found = view.nth(&elements.members(), n)?;
            let read = |(key, value): (Key, Value)| {
                let (field, value) = elements.read_member(&key, &value)?;
                Ok((field.to_vec(), value.to_vec()))
            };
            found.map(read).transpose()
        })?;
        Ok(entry.flatten())
    }

    /// Up to `limit` fields that come after `after`, all of them from the first when that is `None`.
    ///
    /// # Errors
    /// As [`Hash::get`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set_many([("age", "41"), ("name", "ann")])?;
    /// assert_eq!(user.entries_after(Some(b"age"), 10)?, [(b"name".to_vec(), b"ann".to_vec())]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HSCAN`.
    #[doc(alias = "HSCAN")]
    pub fn entries_after(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let entries = self.0.read("hash.entries_after", |view, elements| {
            let mut cursor = view.range(&elements.members_after(after), Direction::Forward)?;
            let mut entries = Vec::new();
            while entries.len() < limit
                && let Some((key, value)) = cursor.next()?
            {
                let (field, value) = elements.read_member(key, value)?;
                entries.push((field.to_vec(), value.to_vec()));
            }
            Ok(entries)
        })?;
        Ok(entries.unwrap_or_default())
    }
}

impl<S: WriteScope> Hash<S> {
    /// Sets `field`, and returns whether it is new.
    ///
    /// # Errors
    /// As [`Hash::get`], and [`Error::LimitExceeded`] for a value longer than [`limits::STRING_BYTES_MAX`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert!(user.set("name", "ann")? && !user.set("name", "bob")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HSET`.
    #[doc(alias = "HSET")]
    pub fn set(&self, field: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.set_many([(field, value)])? == 1)
    }

    /// Sets fields, and returns how many of them are new.
    ///
    /// # Errors
    /// As [`Hash::set`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert_eq!(user.set_many([("name", "ann"), ("age", "41")])?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HSET`.
    #[doc(alias = "HSET")]
    pub fn set_many<F: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: impl IntoIterator<Item = (F, V)>) -> Result<u64> {
        let entries: Vec<_> = entries.into_iter().collect();
        self.0.write("hash.set", |hash| {
            let mut new = 0;
            for (field, value) in &entries {
                new += u64::from(set(hash, field.as_ref(), value.as_ref())?.is_none());
            }
            if !entries.is_empty() {
                hash.tell("hset");
            }
            Ok(new)
        })
    }

    /// Sets `field` unless there is one, and returns whether it was set.
    ///
    /// # Errors
    /// As [`Hash::set`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert!(user.set_if_absent("name", "ann")? && !user.set_if_absent("name", "bob")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HSETNX`.
    #[doc(alias = "HSETNX")]
    pub fn set_if_absent(&self, field: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool> {
        let (field, value) = (field.as_ref(), value.as_ref());
        self.0.write("hash.set_if_absent", |hash| {
            check_field(field)?;
            if hash.get(field)?.is_some() {
                return Ok(false);
            }
            set(hash, field, value)?;
            hash.tell("hset");
            Ok(true)
        })
    }

    /// Adds `by` to the integer in `field`, 0 where there is none, and returns the sum.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that is not an integer and for a sum that does not fit one; otherwise as
    /// [`Hash::set`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert_eq!(user.increment("visits", -3)?, -3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HINCRBY`.
    #[doc(alias = "HINCRBY")]
    pub fn increment(&self, field: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        let field = field.as_ref();
        self.0.write("hash.increment", |hash| {
            check_field(field)?;
            let number = match hash.get(field)? {
                None => 0,
                Some(text) => parse_integer(&text)
                    .map_err(|_| Error::invalid(InvalidKind::Type, "hash value is not an integer"))?,
            };
            let sum = number
                .checked_add(by)
                .ok_or_else(|| Error::invalid(InvalidKind::Overflow, "increment or decrement would overflow"))?;
            set(hash, field, sum.to_string().as_bytes())?;
            hash.tell("hincrby");
            Ok(sum)
        })
    }

    /// Adds `by` to the number in `field`, 0 where there is none, and returns the sum as it is kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that is not a number and for a sum that is not finite; otherwise as
    /// [`Hash::set`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// assert_eq!(user.increment_float("balance", 10.5)?, "10.5");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HINCRBYFLOAT`.
    #[doc(alias = "HINCRBYFLOAT")]
    pub fn increment_float(&self, field: impl AsRef<[u8]>, by: f64) -> Result<String> {
        let field = field.as_ref();
        self.0.write("hash.increment_float", |hash| {
            check_field(field)?;
            let number = match hash.get(field)? {
                None => 0.0,
                Some(text) => {
                    parse_float(&text).ok_or_else(|| Error::invalid(InvalidKind::Type, "hash value is not a float"))?
                }
            };
            let sum = add_float(number, by)?;
            set(hash, field, sum.as_bytes())?;
            hash.tell("hincrbyfloat");
            Ok(sum)
        })
    }

    /// Removes `field`, and returns whether it was there.
    ///
    /// # Errors
    /// As [`Hash::get`].
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set("name", "ann")?;
    /// assert!(user.remove("name")? && user.is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HDEL`.
    #[doc(alias = "HDEL")]
    pub fn remove(&self, field: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.remove_many([field])? == 1)
    }

    /// Removes several fields, and returns how many of them there were.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`Hash::remove`] for each.
    ///
    /// # Examples
    /// ```
    /// let user = larder::Store::in_memory().kv().hash("user:7");
    /// user.set_many([("name", "ann"), ("age", "41")])?;
    /// assert_eq!(user.remove_many(["age", "city"])?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `HDEL`.
    #[doc(alias = "HDEL")]
    pub fn remove_many<F: AsRef<[u8]>>(&self, fields: impl IntoIterator<Item = F>) -> Result<u64> {
        let fields: Vec<F> = fields.into_iter().collect();
        self.0.free("hash.remove", |hash| {
            let mut removed = 0;
            for field in &fields {
                check_field(field.as_ref())?;
                if hash.get(field.as_ref())?.is_some() {
                    hash.writer.remove(hash.elements.member(field.as_ref()));
                    removed += 1;
                }
            }
            if removed > 0 {
                hash.tell("hdel");
                let members = hash.elements.members();
                hash.remove_if_empty(&members)?;
            }
            Ok(removed)
        })
    }
}

/// Sets a field, and returns what it was.
fn set(hash: &mut Held<'_>, field: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
    check_field(field)?;
    limits::check("hash value bytes", limits::STRING_BYTES_MAX, value.len())?;
    let before = hash.get(field)?;
    hash.put_member(field, value)?;
    Ok(before)
}

fn check_field(field: &[u8]) -> Result<()> {
    check_member("hash field bytes", field)
}
