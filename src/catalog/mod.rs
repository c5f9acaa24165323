//! The catalogue: names to ids and definitions, and the work that is still to be done.
//!
//! # Storage
//! | bytes | field     | encoding                                             |
//! |-------|-----------|------------------------------------------------------|
//! | 1     | owner     | `0x01`                                               |
//! | 1     | kind      | [`Kind`]                                             |
//! | 2..   | namespace | database or keyspace, escaped and terminated         |
//! | 0..   | name      | raw; last, so it needs no terminator                 |
//!
//! The value is the id (`u32`, big-endian), the storage id (`u32`, big-endian) and then the definition's record ([`record`]). The
//! end of the ids that may be in use is at `01 00` (`txn/leases.rs`). Places of keyspaces ([`place`]) and jobs ([`job`]) are here too, under kinds of their own.
//!
//! # Invariants
//! 1. An id belongs to one name of one kind, and is never given out again: what a dropped table left behind can be
//!    removed later without touching its successor. The same is so for storage ids, which come from the same counter: a table
//!    that is emptied keeps its id and gets a new storage id.
//! 2. A definition is only changed in a transaction that reads it, so writers under an old definition conflict.
//! 3. Whoever changes a definition notes it with the writer ([`Writer::note_catalogue_changed`]), which is what makes cached
//!    definitions of an earlier state invalid.

pub(crate) mod fill;
pub(crate) mod job;
pub(crate) mod place;
mod record;
mod target;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use record::growing;
pub(crate) use target::Target;

use crate::encoding::ordered::{Reader, put_bytes};
use crate::encoding::owner::CATALOGUE;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Sequence, View, Writer};

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
    /// A keyspace of wide-column tables; its namespace is empty.
    WideKeyspace = 0x07,
    /// A user-defined type; its namespace is the keyspace.
    WideType = 0x08,
    /// A role of CQL; its namespace is empty.
    WideRole = 0x09,
    /// What a role of CQL may do with a resource, which is the name; its namespace is the role. It has no ids.
    WideGrant = 0x0a,
}

/// A name's ids and definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<R> {
    /// Who it is: as long as the name is there, the same.
    pub(crate) id: u32,
    /// What everything that belongs to it is stored under.
    pub(crate) storage: u32,
    pub(crate) record: R,
}

/// Every name of `kind` in `namespace`, in byte order, with its entry.
pub(crate) fn list<R: DeserializeOwned>(view: &View, kind: Kind, namespace: &str) -> Result<Vec<(String, Entry<R>)>> {
    let prefix = key(kind, namespace, "");
    let mut cursor = view.range(&KeyRange::prefix(&prefix), Direction::Forward)?;
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        entries.push((text(key.get(prefix.len()..).unwrap_or_default())?, decode(value)?));
    }
    Ok(entries)
}

/// Every namespace that has names of `kind`, in byte order. O(log n) for each.
pub(crate) fn namespaces(view: &View, kind: Kind) -> Result<Vec<String>> {
    let all = KeyRange::prefix(&[CATALOGUE, kind as u8]);
    let (mut rest, mut namespaces) = (all.clone(), Vec::new());
    while let Some((first, _)) = view.first(&rest, Direction::Forward)? {
        let mut reader = Reader::new(&first);
        reader.array::<2>()?;
        let namespace = text(&reader.bytes()?)?;
        let own = KeyRange::prefix(&key(kind, &namespace, ""));
        rest = all.clone().behind(&own);
        namespaces.push(namespace);
    }
    Ok(namespaces)
}

/// A catalogue record of what belongs to a name and is stored elsewhere.
pub(crate) fn encode_record<R: Serialize>(record: &R) -> Result<Vec<u8>> {
    let mut value = Vec::new();
    record::encode(record, &mut value)?;
    Ok(value)
}

/// Reads what [`encode_record`] made.
pub(crate) fn decode_record<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    record::decode(bytes)
}

/// Whether there are names of `kind` in `namespace`.
pub(crate) fn has_names(view: &View, kind: Kind, namespace: &str) -> Result<bool> {
    Ok(!view.is_empty(&KeyRange::prefix(&key(kind, namespace, "")))?)
}

/// An id that nothing has had. Taken beside the transaction: two that make something do not conflict for it.
pub(crate) fn next_id(writer: &mut Writer) -> Result<u32> {
    let id = writer.next_leased(Sequence::CatalogueIds, 0)?;
    u32::try_from(id).map_err(|_| Error::corrupt("catalogue ids", "they are past their end"))
}

/// The namespace, name and definition of what is stored under `storage`. Reads every name of its kind.
pub(crate) fn find<R: DeserializeOwned>(view: &View, kind: Kind, storage: u32) -> Result<Option<(String, String, R)>> {
    Ok(find_entry(view, kind, storage)?.map(|(namespace, name, entry)| (namespace, name, entry.record)))
}

/// As [`find`], with the ids.
pub(crate) fn find_entry<R: DeserializeOwned>(
    view: &View,
    kind: Kind,
    storage: u32,
) -> Result<Option<(String, String, Entry<R>)>> {
    let mut cursor = view.range(&KeyRange::prefix(&[CATALOGUE, kind as u8]), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let mut ids = Reader::new(value);
        ids.u32()?;
        if ids.u32()? == storage {
            let (_, namespace, name) = split(key)?;
            return Ok(Some((namespace, name, decode(value)?)));
        }
    }
    Ok(None)
}

/// Names the definition that is kept at `key`, for a person.
pub(crate) fn describe(key: &[u8]) -> Option<String> {
    if let Some(described) = place::describe(key) {
        return Some(described);
    }
    if job::is_key(key) {
        return Some("the work that was left for later".to_owned());
    }
    let (kind, namespace, name) = split(key).ok()?;
    let what = [
        (Kind::Collection, "collection"),
        (Kind::ItemTable, "item table"),
        (Kind::WideTable, "table"),
        (Kind::WideKeyspace, "keyspace"),
        (Kind::WideType, "type"),
        (Kind::WideRole, "role"),
        (Kind::WideGrant, "permission"),
    ];
    let (_, what) = what.into_iter().find(|(known, _)| *known as u8 == kind)?;
    let namespace = if namespace.is_empty() { String::new() } else { format!("{namespace:?}.") };
    Some(format!("the definition of {what} {namespace}{name:?}"))
}

/// The kind, namespace and name in a key.
fn split(key: &[u8]) -> Result<(u8, String, String)> {
    let text =
        |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| Error::corrupt("catalogue", "a name is not UTF-8"));
    let mut reader = Reader::new(key);
    reader.u8()?;
    let kind = reader.u8()?;
    Ok((kind, text(reader.bytes()?)?, text(reader.rest().to_vec())?))
}

pub(crate) fn key(kind: Kind, namespace: &str, name: &str) -> Vec<u8> {
    let mut key = vec![CATALOGUE, kind as u8];
    put_bytes(&mut key, namespace.as_bytes());
    key.extend_from_slice(name.as_bytes());
    key
}

fn text(name: &[u8]) -> Result<String> {
    let name = std::str::from_utf8(name).map_err(|_| Error::corrupt("catalogue", "a name is not UTF-8"))?;
    Ok(name.to_owned())
}

fn encode<R: Serialize>(entry: &Entry<R>) -> Result<Vec<u8>> {
    let mut value = entry.id.to_be_bytes().to_vec();
    value.extend_from_slice(&entry.storage.to_be_bytes());
    record::encode(&entry.record, &mut value)?;
    Ok(value)
}

fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<Entry<R>> {
    let mut reader = Reader::new(bytes);
    let (id, storage) = (reader.u32()?, reader.u32()?);
    Ok(Entry { id, storage, record: record::decode(reader.rest())? })
}
