//! What is kept at a key of the engine, and which item an error is about, for a person.

use crate::catalog::{self, Kind};
use crate::encoding::decimal::take_decimal;
use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::item::layout;
use crate::item::schema::{KeySchema, TableRecord};
use crate::item::{AttributeValue, Item, KeyType, Number};
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

/// Names `item`, by its key attributes.
pub(super) fn item_with(keys: &KeySchema, item: &Item, table: &str) -> String {
    let fields = keys.attributes().map(|attribute| match item.get(&attribute.name) {
        Some(AttributeValue::S(text)) => format!("{}: {text:?}", attribute.name),
        Some(AttributeValue::N(number)) => format!("{}: {number}", attribute.name),
        Some(AttributeValue::B(bytes)) => format!("{}: {}", attribute.name, hex(bytes)),
        // Not as it was read: the caller has changed it.
        _ => format!("{}: ?", attribute.name),
    });
    named(fields.collect(), table)
}

/// Names the item whose engine key is `key`.
pub(super) fn item_of(keys: &KeySchema, key: &[u8], table: &str) -> Result<String> {
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
    Ok(named(fields, table))
}

fn named(fields: Vec<String>, table: &str) -> String {
    format!("item {{{}}} of item table {table:?}", fields.join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}
