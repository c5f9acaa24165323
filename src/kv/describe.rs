//! What is kept at a key of the engine, for a person.

use crate::encoding::ordered::Reader;
use crate::encoding::owner;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::kv::layout::{Keyspace, address_of};
use crate::kv::record::{Head, named};
use crate::limits;
use crate::txn::View;

/// Characters of a name that are shown.
const NAME_CHARS_MAX: usize = 120;

/// Names the key of a keyspace whose head, or one of whose elements, is kept at `key`: `sorted set "z" in keyspace "0"`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<String> {
    let mut reader = Reader::new(key);
    if reader.u8()? == owner::KEYS {
        return describe_head(view, key);
    }
    match head_with(view, reader.short_u64()?)? {
        Some(head) => describe_head(view, &head),
        None => Ok("an element of a key of a keyspace".to_owned()),
    }
}

/// Names the key whose head is kept at `stored`, or was not there yet.
fn describe_head(view: &View, stored: &[u8]) -> Result<String> {
    let record = view.get(stored)?;
    let (kind, name) = match &record {
        Some(record) => (Head::decode(record)?.0.kind.name(), named(stored, record)?),
        None => ("key", stored.into()),
    };
    let Some(address) = address_of(view, &name)? else {
        return Ok(format!("a {kind} of a keyspace that was emptied"));
    };
    let (keyspace, key) = Keyspace::name_and_key(&address)?;
    Ok(format!("{kind} {:?} in keyspace {:?}", shown(&key), shown(&keyspace)))
}

/// As much of a name as a person reads.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let mut shown: String = name.chars().take(NAME_CHARS_MAX).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

/// Where the head is kept whose elements are stored under `storage`. Nothing leads from elements to their head, so that the heads
/// are looked through, as many of them as an error is worth.
fn head_with(view: &View, storage: u64) -> Result<Option<Vec<u8>>> {
    let mut cursor = view.range(&KeyRange::prefix(&[owner::KEYS]), Direction::Forward)?;
    for _ in 0..limits::HEADS_READ_FOR_A_NAME_MAX {
        let Some((head, record)) = cursor.next()? else { break };
        if Head::decode(record)?.0.elements().is_some_and(|elements| elements.storage() == storage) {
            return Ok(Some(head.to_vec()));
        }
    }
    Ok(None)
}
