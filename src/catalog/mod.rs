//! The catalogue: names to ids and definitions.
//!
//! # Storage
//! | bytes | field     | encoding                                             |
//! |-------|-----------|------------------------------------------------------|
//! | 1     | owner     | `0x01`                                               |
//! | 1     | kind      | [`Kind`]                                             |
//! | 2..   | namespace | database or keyspace, escaped and terminated         |
//! | 0..   | name      | raw; last, so it needs no terminator                 |
//!
//! The value is the id (`u32`, big-endian) and then the definition's record ([`record`]). The last id given out is at
//! `01 00`.
//!
//! # Invariants
//! 1. An id belongs to one name of one kind, and is never given out again: what a dropped table left behind can be
//!    removed later without touching its successor.
//! 2. A definition is only changed in a transaction that reads it, so writers under an old definition conflict.

mod record;

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::encoding::ordered::{Reader, put_bytes};
use crate::encoding::owner::CATALOGUE as OWNER;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::{View, Writer};

const LAST_ID: [u8; 2] = [OWNER, 0x00];

/// What a name is the name of. The values are stored; never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A collection of documents; its namespace is the database.
    Collection = 0x01,
    /// An item table; its namespace is empty.
    ItemTable = 0x02,
    /// A wide-column table; its namespace is the keyspace.
    WideTable = 0x03,
}

/// A name's id and definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<R> {
    pub(crate) id: u32,
    pub(crate) record: R,
}

/// The entry of `name`, or `None`.
pub(crate) fn get<R: DeserializeOwned>(
    view: &View,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Option<Entry<R>>> {
    view.get(&key(kind, namespace, name))?.map(|bytes| decode(&bytes)).transpose()
}

/// Creates `name` with a fresh id, which is answered. The caller has checked that the name is free.
///
/// # Errors
/// [`Error::LimitExceeded`] for a name that is too long.
pub(crate) fn create<R: Serialize>(
    writer: &mut Writer,
    kind: Kind,
    namespace: &str,
    name: &str,
    record: &R,
) -> Result<u32> {
    limits::check("name bytes", limits::NAME_BYTES_MAX, name.len())?;
    limits::check("namespace bytes", limits::NAME_BYTES_MAX, namespace.len())?;
    let last = match writer.get(&LAST_ID)? {
        Some(bytes) => Reader::new(&bytes).u32()?,
        None => 0,
    };
    let id = last.checked_add(1).ok_or_else(|| Error::LimitExceeded {
        limit: "catalogue ids",
        max: u32::MAX.into(),
        found: u64::from(u32::MAX) + 1,
    })?;
    writer.put(&LAST_ID[..], &id.to_be_bytes()[..])?;
    update(writer, kind, namespace, name, id, record)?;
    Ok(id)
}

/// Changes the definition of `name`.
pub(crate) fn update<R: Serialize>(
    writer: &mut Writer,
    kind: Kind,
    namespace: &str,
    name: &str,
    id: u32,
    record: &R,
) -> Result<()> {
    let mut value = id.to_be_bytes().to_vec();
    record::encode(record, &mut value)?;
    writer.put(key(kind, namespace, name), value)
}

/// Removes `name`. What is stored under its id is the caller's affair.
pub(crate) fn remove(writer: &mut Writer, kind: Kind, namespace: &str, name: &str) {
    writer.remove(key(kind, namespace, name));
}

/// Every name of `kind` in `namespace`, in byte order, with its entry.
pub(crate) fn list<R: DeserializeOwned>(view: &View, kind: Kind, namespace: &str) -> Result<Vec<(String, Entry<R>)>> {
    let prefix = key(kind, namespace, "");
    let mut cursor = view.range(&KeyRange::prefix(&prefix), Direction::Forward)?;
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        let name = key.get(prefix.len()..).unwrap_or_default();
        let name = std::str::from_utf8(name).map_err(|_| Error::corrupt("catalogue", "a name is not UTF-8"))?;
        entries.push((name.to_owned(), decode(value)?));
    }
    Ok(entries)
}

/// A handle's copy of one decoded entry, so that an operation pays for decoding only when the definition has changed.
///
/// The stored bytes are compared on every use: they are the only witness that holds inside transactions, after a
/// roll-back and in forks.
#[derive(Debug)]
pub(crate) struct Cached<R> {
    last: Mutex<Option<Decoded<R>>>,
}

/// Stored bytes and what they decode to.
type Decoded<R> = (Vec<u8>, Arc<Entry<R>>);

impl<R> Default for Cached<R> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<R> Clone for Cached<R> {
    fn clone(&self) -> Self {
        Self { last: Mutex::new(self.last.lock().clone()) }
    }
}

impl<R: DeserializeOwned> Cached<R> {
    /// As [`get`].
    pub(crate) fn get(&self, view: &View, kind: Kind, namespace: &str, name: &str) -> Result<Option<Arc<Entry<R>>>> {
        let Some(bytes) = view.get(&key(kind, namespace, name))? else { return Ok(None) };
        let mut last = self.last.lock();
        if let Some((_, entry)) = last.as_ref().filter(|(cached, _)| **cached == *bytes) {
            return Ok(Some(Arc::clone(entry)));
        }
        let entry = Arc::new(decode(&bytes)?);
        *last = Some((bytes.into_owned(), Arc::clone(&entry)));
        Ok(Some(entry))
    }
}

fn key(kind: Kind, namespace: &str, name: &str) -> Vec<u8> {
    let mut key = vec![OWNER, kind as u8];
    put_bytes(&mut key, namespace.as_bytes());
    key.extend_from_slice(name.as_bytes());
    key
}

fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<Entry<R>> {
    let mut reader = Reader::new(bytes);
    let id = reader.u32()?;
    Ok(Entry { id, record: record::decode(reader.rest())? })
}
