//! What is kept at a key of the engine, for a person.

use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::kv::key::{KeyBytes, Keyspace, OWNER};
use crate::kv::record::Head;
use crate::txn::View;

/// Names the key of a keyspace whose head, or one of whose elements, is kept at `key`: `sorted set "z" in keyspace "0"`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<String> {
    let mut reader = Reader::new(key);
    let is_head = reader.u8()? == OWNER;
    let keyspace = reader.bytes()?;
    let name = if is_head { reader.rest().to_vec() } else { reader.bytes()? };
    let head: KeyBytes = Keyspace::new(&String::from_utf8_lossy(&keyspace)).head(&name)?;
    let kind = match view.get(&head)? {
        Some(record) => Head::decode(&record)?.0.kind.name(),
        None => "key",
    };
    Ok(format!("{kind} {:?} in keyspace {:?}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&keyspace)))
}
