//! Strings in part: appended to, read and written by offset, and the forms of `SET` and `GET` that do two things at once.

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::condition::{Condition, Until};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::stored;
use crate::kv::number::{add_float, parse_float};
use crate::kv::record::{Head, Kind};
use crate::kv::set_options::{SetOptions, SetOutcome};
use crate::kv::{Kv, Room, deadline, entry, string};
use crate::limits;
use crate::txn::{Scope, View, WriteScope, Writer};

impl<S: Scope> Kv<S> {
    /// The bytes of the string from `start` to `end`, both included; negative ones count from the end.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "larder")?;
    /// assert_eq!(kv.get_range("k", -3, -1)?, b"der");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GETRANGE`.
    #[doc(alias = "GETRANGE")]
    pub fn get_range(&self, key: impl AsRef<[u8]>, start: i64, end: i64) -> Result<Vec<u8>> {
        let part = self.read("get_range", key.as_ref(), |view, key| {
            look_string(view, key, |_, payload| Ok(slice(payload, start, end).to_vec()))
        })?;
        Ok(part.unwrap_or_default())
    }

    /// How many bytes the string has; 0 when there is none.
    ///
    /// # Errors
    /// As [`Kv::get_range`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "larder")?;
    /// assert_eq!(kv.value_len("k")?, 6);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `STRLEN`.
    #[doc(alias = "STRLEN")]
    pub fn value_len(&self, key: impl AsRef<[u8]>) -> Result<u64> {
        let len =
            self.read("value_len", key.as_ref(), |view, key| look_string(view, key, |_, payload| Ok(payload.len())))?;
        Ok(len.unwrap_or(0) as u64)
    }
}

impl<S: WriteScope> Kv<S> {
    /// Sets a string as `options` say.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key or value that is too long; [`Error::WrongType`] when what was there is asked
    /// for and is not a string.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{SetOptions, Until};
    /// let store = larder::Store::in_memory();
    /// let until = Until::At(store.now().saturating_add(std::time::Duration::from_secs(60)));
    /// store.kv().set_with("session", "ann", &SetOptions::default().until(until))?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SET`.
    #[doc(alias = "SET")]
    pub fn set_with(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, options: &SetOptions) -> Result<SetOutcome> {
        let value = value.as_ref();
        self.write("set_with", key.as_ref(), |writer, key| {
            limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, value.len())?;
            let found = entry::claim(writer, key, |head, payload| {
                if options.wants_previous {
                    head.expect(Kind::String, key)?;
                    return Ok((head, Some(payload.to_vec())));
                }
                Ok((head, None))
            })?;
            let (head, previous) = found.map_or((None, None), |(head, previous)| (Some(head), previous));
            let written = Condition::holds(options.condition, head.is_some());
            if written {
                let deadline = match options.until {
                    Until::Removed => None,
                    Until::AsBefore => head.and_then(|head| head.deadline),
                    Until::At(deadline) => Some(deadline),
                };
                put(writer, key, head, deadline, value)?;
                if let (Until::AsBefore, Some(millis)) = (options.until, head.and_then(Head::far_millis)) {
                    deadline::keep_far(writer, key, millis)?;
                }
                if matches!(options.until, Until::At(_)) {
                    tell(writer, KeyEvents::GENERIC, "expire", key);
                }
            }
            Ok(SetOutcome { written, previous })
        })
    }

    /// Sets several strings, as one operation; those of a key that is named again win.
    ///
    /// # Errors
    /// As [`Kv::set`], and then none is set.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set_all(&[("a", "1"), ("b", "2")])?;
    /// assert_eq!(kv.get("b")?.as_deref(), Some(&b"2"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `MSET`.
    #[doc(alias = "MSET")]
    pub fn set_all<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        self.change(Room::Needed, "set_all", |writer| {
            for (key, value) in entries {
                let key = self.keyspace.head(writer, key.as_ref())?;
                string::set(writer, &key, value.as_ref(), None)?;
                tell(writer, KeyEvents::STRINGS, "set", &key);
            }
            Ok(())
        })
    }

    /// Sets several strings, unless one of the keys is there; returns whether they were set.
    ///
    /// # Errors
    /// As [`Kv::set`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.set_all_if_absent(&[("a", "1"), ("b", "2")])?);
    /// assert!(!kv.set_all_if_absent(&[("b", "3"), ("c", "4")])? && !kv.exists("c")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `MSETNX`.
    #[doc(alias = "MSETNX")]
    pub fn set_all_if_absent<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<bool> {
        self.change(Room::Needed, "set_all_if_absent", |writer| {
            for (key, _) in entries {
                if entry::claim(writer, &self.keyspace.head(writer, key.as_ref())?, |_, _| Ok(()))?.is_some() {
                    return Ok(false);
                }
            }
            for (key, value) in entries {
                limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, value.as_ref().len())?;
                let head = Head::string(None);
                let key = self.keyspace.head(writer, key.as_ref())?;
                entry::replace(writer, &key, head, value.as_ref())?;
                tell(writer, KeyEvents::STRINGS, "set", &key);
            }
            Ok(true)
        })
    }

    /// Appends to the string, and returns how long it is then.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else; [`Error::LimitExceeded`] when it would become longer
    /// than [`limits::STRING_BYTES_MAX`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!((kv.append("k", "lar")?, kv.append("k", "der")?), (3, 6));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `APPEND`.
    #[doc(alias = "APPEND")]
    pub fn append(&self, key: impl AsRef<[u8]>, more: impl AsRef<[u8]>) -> Result<u64> {
        let more = more.as_ref();
        self.write("append", key.as_ref(), |writer, key| {
            change(writer, "append", key, |value| {
                limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, value.len().saturating_add(more.len()))?;
                value.extend_from_slice(more);
                Ok(())
            })
        })
    }

    /// Writes `part` over the string from `offset` on, with zeros before it where it was shorter, and returns how long
    /// it is then.
    ///
    /// # Errors
    /// As [`Kv::append`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "larder")?;
    /// kv.set_range("k", 0, "h")?;
    /// assert_eq!(kv.get("k")?.as_deref(), Some(&b"harder"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SETRANGE`.
    #[doc(alias = "SETRANGE")]
    pub fn set_range(&self, key: impl AsRef<[u8]>, offset: usize, part: impl AsRef<[u8]>) -> Result<u64> {
        let part = part.as_ref();
        if part.is_empty() {
            return self.value_len(key);
        }
        self.write("set_range", key.as_ref(), |writer, key| {
            change(writer, "setrange", key, |value| {
                let end = offset.saturating_add(part.len());
                limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, end)?;
                if value.len() < end {
                    value.resize(end, 0);
                }
                if let Some(place) = value.get_mut(offset..end) {
                    place.copy_from_slice(part);
                }
                Ok(())
            })
        })
    }

    /// The string, which is removed.
    ///
    /// # Errors
    /// [`Error::WrongType`] when the key holds something else.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert!(kv.get_and_remove("k")?.is_some() && !kv.exists("k")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GETDEL`.
    #[doc(alias = "GETDEL")]
    pub fn get_and_remove(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        self.free("get_and_remove", key.as_ref(), |writer, key| {
            let Some((head, value)) = claim_string(writer, key)? else { return Ok(None) };
            entry::remove(writer, key, head)?;
            tell(writer, KeyEvents::GENERIC, "del", key);
            Ok(Some(value))
        })
    }

    /// The string, whose deadline changes.
    ///
    /// # Errors
    /// As [`Kv::get_and_remove`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{Ttl, Until};
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set_with_ttl("k", "v", std::time::Duration::from_secs(60))?;
    /// kv.get_and_expire("k", Until::Removed)?;
    /// assert_eq!(kv.ttl("k")?, Ttl::Persistent);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `GETEX`.
    #[doc(alias = "GETEX")]
    pub fn get_and_expire(&self, key: impl AsRef<[u8]>, until: Until) -> Result<Option<Vec<u8>>> {
        self.free("get_and_expire", key.as_ref(), |writer, key| {
            let Some((head, value)) = claim_string(writer, key)? else { return Ok(None) };
            let event = match until {
                Until::AsBefore => None,
                Until::At(deadline) if deadline <= writer.now() => {
                    entry::remove(writer, key, head)?;
                    Some("del")
                }
                Until::At(deadline) => {
                    deadline::change(writer, key, head, Some(deadline), &value)?;
                    Some("expire")
                }
                Until::Removed if head.deadline.is_none() => None,
                Until::Removed => {
                    deadline::change(writer, key, head, None, &value)?;
                    Some("persist")
                }
            };
            if let Some(event) = event {
                tell(writer, KeyEvents::GENERIC, event, key);
            }
            Ok(Some(value))
        })
    }

    /// Adds `by` to the number at `key`, 0 where there is none, and returns the sum as it is kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a string that is not a number and for a sum that is not finite; [`Error::WrongType`] when
    /// the key holds something else.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.increment_float("k", 10.5)?, "10.5");
    /// assert_eq!(kv.increment_float("k", -10.5)?, "0");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `INCRBYFLOAT`.
    #[doc(alias = "INCRBYFLOAT")]
    pub fn increment_float(&self, key: impl AsRef<[u8]>, by: f64) -> Result<String> {
        self.write("increment_float", key.as_ref(), |writer, key| {
            let found = claim_string(writer, key)?;
            let number = match &found {
                None => 0.0,
                Some((_, text)) => {
                    parse_float(text).ok_or_else(|| Error::invalid(InvalidKind::Type, "value is not a valid float"))?
                }
            };
            let sum = add_float(number, by)?;
            let head = found.map_or(Head::string(None), |(head, _)| head);
            entry::replace(writer, key, head, sum.as_bytes())?;
            tell(writer, KeyEvents::STRINGS, "incrbyfloat", key);
            Ok(sum)
        })
    }
}

/// Puts a string in the place of what was there.
#[inline]
fn put(writer: &mut Writer, key: &[u8], before: Option<Head>, deadline: Option<Timestamp>, value: &[u8]) -> Result<()> {
    if let Some(before) = before {
        // Most are plain strings that take the place of such, whose use has been noted when they were found.
        if deadline.is_none() && before == Head::string(None) {
            entry::replace(writer, key, before, value)?;
            tell(writer, KeyEvents::STRINGS, "set", key);
            return Ok(());
        }
        entry::clear(writer, key, before)?;
    }
    if deadline.is_some_and(|deadline| deadline <= writer.now()) {
        // It would be gone as soon as it is there.
        writer.remove(stored(key));
        tell(writer, KeyEvents::GENERIC, "del", key);
        return Ok(());
    }
    entry::create(writer, key, Head::string(deadline), value)?;
    tell(writer, KeyEvents::STRINGS, "set", key);
    Ok(())
}

/// Changes the bytes of a string, which need not exist, and returns how many there are then.
fn change(
    writer: &mut Writer,
    event: &'static str,
    key: &[u8],
    change: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> Result<u64> {
    let (head, mut value) = claim_string(writer, key)?.unwrap_or((Head::string(None), Vec::new()));
    change(&mut value)?;
    entry::replace(writer, key, head, &value)?;
    tell(writer, KeyEvents::STRINGS, event, key);
    Ok(value.len() as u64)
}

fn claim_string(writer: &mut Writer, key: &[u8]) -> Result<Option<(Head, Vec<u8>)>> {
    entry::claim(writer, key, |head, payload| {
        head.expect(Kind::String, key)?;
        Ok((head, payload.to_vec()))
    })
}

fn look_string<R>(view: &View, key: &[u8], read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    entry::look(view, key, |head, payload| {
        head.expect(Kind::String, key)?;
        read(head, payload)
    })
}

/// The bytes from `start` to `end`, both included; negative ones count from the end.
fn slice(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let from_start = |index: i64| if index < 0 { len.saturating_add(index).max(0) } else { index };
    let (start, end) = (from_start(start), from_start(end).min(len.saturating_sub(1)));
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end.saturating_add(1))) else { return &[] };
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: KV-STR-4
    #[test]
    fn parts_are_counted_from_both_ends() {
        for (start, end, part) in [
            (0, 3, "This"),
            (-3, -1, "ing"),
            (0, -1, "This is a string"),
            (10, 100, "string"),
            (-100, 3, "This"),
            (5, 3, ""),
            (100, 200, ""),
            (-1, -5, ""),
            (i64::MIN, i64::MAX, "This is a string"),
        ] {
            assert_eq!(slice(b"This is a string", start, end), part.as_bytes(), "{start} {end}");
        }
        assert_eq!(slice(b"", 0, -1), b"");
        assert_eq!(slice(b"ab", -5, -4), b"a", "as Redis does: both ends are moved to the first byte");
    }
}
