//! What is kept at a key of the engine, for a person.

use crate::catalog::{self, Kind};
use crate::encoding::decimal::take_decimal;
use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::item::layout;
use crate::item::origin::{hex, name_of};
use crate::item::schema::{KeySchema, TableRecord};
use crate::item::{KeyType, Number};
use crate::txn::View;

/// Names the item that is kept, or indexed, at `key`: `item {PK: "USER#7", SK: 5} of item table "Events"`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<Option<String>> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    let id = reader.u32()?;
    let Some((_, name, record)) = catalog::find::<TableRecord>(view, Kind::ItemTable, id)? else { return Ok(None) };
    let of_entry = record.indexes.iter().find(|index| key.starts_with(&layout::prefix(id, Some(index))));
    let key = match of_entry {
        Some(index) => layout::item_key_of_entry(id, index, key)?,
        None => key.to_vec(),
    };
    Ok(Some(item_of(&record.keys, &key, &name)?))
}

/// Names the item whose engine key is `key`.
fn item_of(keys: &KeySchema, key: &[u8], table: &str) -> Result<String> {
    let mut reader = Reader::new(key.get(layout::prefix(0, None).len()..).unwrap_or_default());
    let mut fields = Vec::new();
    for attribute in keys.attributes() {
        let value = match attribute.key_type {
            KeyType::S => format!("{:?}", String::from_utf8_lossy(&reader.bytes()?)),
            KeyType::N => Number::from_decimal(&take_decimal(&mut reader)?)?.to_string(),
            KeyType::B => hex(&reader.bytes()?),
        };
        fields.push(format!("{}: {value}", attribute.name));
    }
    Ok(name_of(&fields, table))
}
