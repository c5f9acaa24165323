//! Where an item was read, for errors about it.

use std::sync::Arc;

use crate::item::definition::Definition;
use crate::item::value::AttributeValue;

/// The table that an item was read from.
#[derive(Debug)]
pub(super) struct Origin {
    name: Arc<str>,
    table: Definition,
}

impl Origin {
    pub(super) fn new(name: &Arc<str>, table: &Definition) -> Arc<Self> {
        Arc::new(Self { name: Arc::clone(name), table: Arc::clone(table) })
    }

    /// Names the item of the table whose attributes `get` has: `item {PK: "USER#7", SK: 5} of item table "Events"`.
    pub(super) fn place<'v>(&self, get: impl Fn(&str) -> Option<&'v AttributeValue>) -> String {
        let fields = self.table.record.keys.attributes().map(|attribute| {
            let value = match get(&attribute.name) {
                Some(AttributeValue::S(text)) => format!("{text:?}"),
                Some(AttributeValue::N(number)) => number.to_string(),
                Some(AttributeValue::B(bytes)) => hex(bytes),
                // Not as it was read: the caller has changed it.
                _ => "?".to_owned(),
            };
            format!("{}: {value}", attribute.name)
        });
        name_of(&fields.collect::<Vec<_>>(), &self.name)
    }
}

/// Names the item of `table` whose key attributes are `fields`.
pub(super) fn name_of(fields: &[String], table: &str) -> String {
    format!("item {{{}}} of item table {table:?}", fields.join(", "))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", crate::encoding::hex::hex(bytes))
}
