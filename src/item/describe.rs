//! What is kept at a key of the engine, for a person.

use crate::error::Result;
use crate::item::AttributeValue;
use crate::item::definition::TableRecord;
use crate::item::layout::{self, Part};
use crate::item::origin::{hex, name_of};
use crate::item::state::Tables;
use crate::txn::View;

/// Names the item that is kept, or indexed, at `key`: `item {PK: "USER#7", SK: 5} of item table "Events"`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<Option<String>> {
    let (storage, part) = layout::part_of(key)?;
    if storage == layout::NO_TABLE {
        return Ok(Some(match part {
            Part::Export => "what is kept of an export of items".to_owned(),
            Part::Import => "what is kept of an import of items".to_owned(),
            _ => "the token of a transaction on items".to_owned(),
        }));
    }
    let Some((target, table)) = view.state::<Tables>().of_storage(view, storage)? else { return Ok(None) };
    let (record, name) = (&table.record, target.name());
    Ok(match part {
        Part::Item => Some(item_of(record, key, name)?),
        Part::Index(id) => match record.index_of_id(id) {
            Some(index) => Some(item_of(record, &layout::item_key_of_entry(storage, record, index, key)?, name)?),
            None => None,
        },
        Part::Details => Some(format!("the details of item table {name:?}")),
        Part::Stream => Some(format!("the stream of item table {name:?}")),
        Part::Deadlines => Some(format!("the deadlines of item table {name:?}")),
        Part::Export | Part::Import => None,
    })
}

/// Names the item whose engine key is `key`.
pub(super) fn item_of(record: &TableRecord, key: &[u8], table: &str) -> Result<String> {
    let item = layout::attributes_of(record, None, key)?;
    let fields = record.keys.attributes().map(|attribute| {
        let value = match item.get(&attribute.name) {
            Some(AttributeValue::S(text)) => format!("{text:?}"),
            Some(AttributeValue::N(number)) => number.to_string(),
            Some(AttributeValue::B(bytes)) => hex(bytes),
            _ => "?".to_owned(),
        };
        format!("{}: {value}", attribute.name)
    });
    Ok(name_of(&fields.collect::<Vec<_>>(), table))
}
