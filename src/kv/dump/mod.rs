//! Dumps: a key's value as Redis serialises it, to carry it from one store, or server, to another.
//!
//! # Layout
//!
//! | bytes | field    | encoding                                                            |
//! |-------|----------|---------------------------------------------------------------------|
//! | 1     | type     | as in a Redis database file                                         |
//! | 0..   | value    | by its type: `encode.rs` for what is written, `decode.rs` for what is read |
//! | 2     | version  | of the format, little-endian: 10 is written, up to 11 is read       |
//! | 8     | checksum | CRC-64 (Jones) of all before it, little-endian                      |
//!
//! Written is the plain form of each type, which servers from 7.0 on take; read is what servers 7.0 and 7.2 write. The forms
//! of servers before 7.0 (zipmap, ziplist) and modules are refused.
//!
//! # Invariants
//! 1. No bytes make the decoder fail otherwise than with an error, nor hold more than [`limits::RESTORED_BYTES_MAX`].
//! 2. What was dumped and restored reads the same, but for the deadline, which is not in a dump.
//!
//! # Source
//! Redis 7.2, "RDB file format" as publicly described, and replies of `DUMP` of servers 7.0.

mod budget;
mod decode;
mod encode;
mod listpack;
mod lzf;
mod reader;
mod stream;
mod tag;
mod value;
mod writer;

use crc::{CRC_64_REDIS, Crc, Table};

use crate::clock::Timestamp;
use crate::error::{Error, InvalidKind, Result};
use crate::kv::condition::Condition;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::{Kv, entry};
use crate::txn::{Scope, WriteScope};
use value::Value;

#[cfg(test)]
mod tests;

/// The version that is written: that of servers 7.0.
const VERSION: u16 = 10;

/// The last version that is read: that of servers 7.2.
const VERSION_MAX: u16 = 11;

const FOOTER_BYTES: usize = 10;

static CHECKSUM: Crc<u64, Table<1>> = Crc::<u64, Table<1>>::new(&CRC_64_REDIS);

impl<S: Scope> Kv<S> {
    /// The value at `key` as bytes for [`Kv::restore`], or for `RESTORE` of a Redis server from 7.0 on. The deadline is not
    /// among them.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long.
    ///
    /// # Cost
    /// Reads the whole value, and holds it twice.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert_eq!(kv.dump("k")?.unwrap()[..3], [0, 1, b'v']);
    /// assert_eq!(kv.dump("other")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `DUMP`.
    #[doc(alias = "DUMP")]
    pub fn dump(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let value = self.read("dump", key.as_ref(), |view, key| {
            entry::look(view, key, |head, payload| Value::read(view, head, payload))
        })?;
        Ok(value.map(|value| seal(encode::encode(&value))))
    }
}

impl<S: WriteScope> Kv<S> {
    /// Makes `key` of what [`Kv::dump`] or a Redis server has dumped, in the place of what is there, to last until `deadline`. With a
    /// deadline that is not in the future, the key is gone.
    ///
    /// # Errors
    /// [`Error::Invalid`] of [`InvalidKind::Serialization`] for bytes that are no dump, or one of a kind that is not read;
    /// [`Error::LimitExceeded`] for a value, or a part of it, that is too long. Nothing is changed then.
    ///
    /// # Cost
    /// One put for each element of the value.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.hash("user:7").set("name", "ann")?;
    /// let dump = kv.dump("user:7")?.unwrap();
    /// kv.restore("user:8", &dump, None)?;
    /// assert_eq!(kv.hash("user:8").get("name")?.as_deref(), Some(&b"ann"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RESTORE` with `REPLACE`.
    #[doc(alias = "RESTORE")]
    pub fn restore(&self, key: impl AsRef<[u8]>, dump: impl AsRef<[u8]>, deadline: Option<Timestamp>) -> Result<()> {
        let value = decode::decode(open(dump.as_ref())?)?;
        self.restore_on("restore", None, key.as_ref(), (&value, deadline)).map(drop)
    }

    /// As [`Kv::restore`], unless there is something at `key`: returns whether the key was made.
    ///
    /// # Errors
    /// As [`Kv::restore`]. What is said to be a dump is not looked at when the key is there.
    ///
    /// # Cost
    /// As [`Kv::restore`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("a", "1")?;
    /// let dump = kv.dump("a")?.unwrap();
    /// assert!(kv.restore_if_absent("b", &dump, None)? && !kv.restore_if_absent("b", &dump, None)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RESTORE`.
    #[doc(alias = "RESTORE")]
    pub fn restore_if_absent(
        &self,
        key: impl AsRef<[u8]>,
        dump: impl AsRef<[u8]>,
        deadline: Option<Timestamp>,
    ) -> Result<bool> {
        let key = key.as_ref();
        if self.exists(key)? {
            return Ok(false);
        }
        let value = decode::decode(open(dump.as_ref())?)?;
        self.restore_on("restore_if_absent", Some(Condition::Absent), key, (&value, deadline))
    }

    fn restore_on(
        &self,
        verb: &'static str,
        condition: Option<Condition>,
        key: &[u8],
        (value, deadline): (&Value, Option<Timestamp>),
    ) -> Result<bool> {
        self.write(verb, key, |writer, key| {
            let before = entry::claim(writer, key, |head, _| Ok(head))?;
            if !Condition::holds(condition, before.is_some()) {
                return Ok(false);
            }
            if let Some(before) = before {
                entry::remove(writer, key, before)?;
            }
            if deadline.is_none_or(|deadline| deadline > writer.now()) {
                value.write(writer, key, deadline)?;
                tell(writer, KeyEvents::GENERIC, "restore", key);
            }
            Ok(true)
        })
    }
}

/// Whether bytes decode as a dump, and if so, what encoding it again makes of them.
///
/// For fuzzing: it needs no store.
#[cfg(any(fuzzing, test, feature = "testing"))]
#[doc(hidden)]
pub fn dump_again(dump: &[u8]) -> Result<Vec<u8>> {
    Ok(seal(encode::encode(&decode::decode(open(dump)?)?)))
}

/// As [`dump_again`], of a type and value without version and checksum.
#[cfg(any(fuzzing, test, feature = "testing"))]
#[doc(hidden)]
pub fn dump_again_unsealed(value: &[u8]) -> Result<Vec<u8>> {
    dump_again(&seal(value.to_vec()))
}

/// Puts version and checksum after a type and value.
fn seal(mut dump: Vec<u8>) -> Vec<u8> {
    dump.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = CHECKSUM.checksum(&dump);
    dump.extend_from_slice(&checksum.to_le_bytes());
    dump
}

/// The type and value of a dump whose version and checksum are right.
fn open(dump: &[u8]) -> Result<&[u8]> {
    let wrong = || Error::invalid(InvalidKind::Serialization, "DUMP payload version or checksum are wrong");
    let (value, footer) = dump.split_at_checked(dump.len().wrapping_sub(FOOTER_BYTES)).ok_or_else(wrong)?;
    let (version, checksum) = footer.split_first_chunk::<2>().ok_or_else(wrong)?;
    let (sealed, _) = dump.split_at(value.len() + version.len());
    let is_right = u16::from_le_bytes(*version) <= VERSION_MAX && checksum == CHECKSUM.checksum(sealed).to_le_bytes();
    if is_right { Ok(value) } else { Err(wrong()) }
}

/// What is said of a value that does not decode.
fn bad() -> Error {
    Error::invalid(InvalidKind::Serialization, "Bad data format")
}
