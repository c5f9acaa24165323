//! Where keyspaces are, when that is not where their names say.
//!
//! A keyspace is stored under its name until it is emptied, which gives it a place with a storage id, or changes places with
//! another. Only those have entries here.
//!
//! # Storage
//! | bytes | field | encoding                                    | value             |
//! |-------|-------|---------------------------------------------|-------------------|
//! | 1     | owner | `0x01`                                      |                   |
//! | 1     | kind  | `0x04`                                      |                   |
//! | 0..   | name  | raw                                         | its place, raw    |
//!
//! and, the other way round, kind `0x05`, then the place, with the name as value.
//!
//! # Invariants
//! 1. The two entries of a keyspace exist together or not at all.
//! 2. A place belongs to one keyspace at most; one that has an entry in neither way and is not where a name says is dead.

use crate::encoding::owner::CATALOGUE;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::txn::{View, Writer};

const OF_NAME: u8 = 0x04;
const OF_PLACE: u8 = 0x05;

/// Where the entry of the keyspace `name` is.
pub(crate) fn key(name: &str) -> Vec<u8> {
    with(OF_NAME, name.as_bytes())
}

/// The place of the keyspace `name`; `None` when it is where its name says.
pub(crate) fn of(view: &View, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(view.get(&key(name))?.map(std::borrow::Cow::into_owned))
}

/// The name of the keyspace that was moved to `place`.
pub(crate) fn name_of(view: &View, place: &[u8]) -> Result<Option<Vec<u8>>> {
    Ok(view.get(&with(OF_PLACE, place))?.map(std::borrow::Cow::into_owned))
}

/// Whether every keyspace is where its name says.
pub(crate) fn are_plain(view: &View) -> Result<bool> {
    Ok(view.first(&KeyRange::prefix(&[CATALOGUE, OF_NAME]), Direction::Forward)?.is_none())
}

/// The keyspace `name` leaves `place`.
pub(crate) fn leave(writer: &mut Writer, name: &str, place: &[u8]) {
    writer.note_catalogue_changed();
    writer.remove(with(OF_NAME, name.as_bytes()));
    writer.remove(with(OF_PLACE, place));
}

/// The keyspace `name`, which has left its place, is at `place` from now on; `own` is where its name says.
pub(crate) fn take(writer: &mut Writer, name: &str, place: &[u8], own: &[u8]) -> Result<()> {
    writer.note_catalogue_changed();
    if place == own {
        return Ok(());
    }
    writer.put(with(OF_NAME, name.as_bytes()), place)?;
    writer.put(with(OF_PLACE, place), name.as_bytes())
}

/// Names what is kept at `key`, if that is an entry of a keyspace, for a person.
pub(super) fn describe(key: &[u8]) -> Option<String> {
    match key {
        [CATALOGUE, OF_NAME, name @ ..] => Some(format!("the place of keyspace {:?}", String::from_utf8_lossy(name))),
        [CATALOGUE, OF_PLACE, ..] => Some("the name of a keyspace".to_owned()),
        _ => None,
    }
}

fn with(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![CATALOGUE, kind];
    key.extend_from_slice(rest);
    key
}
