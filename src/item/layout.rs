//! What is stored where.
//!
//! | bytes | field     | encoding                                                                             |
//! |-------|-----------|--------------------------------------------------------------------------------------|
//! | 1     | owner     | `0x30`                                                                               |
//! | 4     | table     | storage id, big-endian                                                               |
//! | 1     | kind      | `0x00` item, `0x01` entry of a global index                                          |
//! | 4     | index     | entry only: the index's id, big-endian                                               |
//! | 2..   | index key | entry only: partition key, then the sort key if the index has one                    |
//! | 2..   | table key | partition key, then the sort key if the table has one                                |
//!
//! A key field is, by its attribute's type, a string's UTF-8 bytes or binary bytes, each `00` as `00 ff` and then
//! `00 00` ([`put_bytes`]), or a number by [`crate::encoding::decimal`]. Every field ends itself, so that the order of
//! keys is the order of their fields.
//!
//! The value of an item is its [`record`](super::record), that of an index entry is empty.
//!
//! Item `("USER#7", 5)` of table 1: `30 00000001 00 555345522337 0000 03 80000001 33 00`.

use crate::encoding::decimal::{put_decimal, take_decimal};
use crate::encoding::ordered::{Reader, put_bytes};
use crate::encoding::owner::ITEMS as OWNER;
use crate::error::{Error, InvalidKind, Result};
use crate::item::key::KeyRef;
use crate::item::schema::{IndexRecord, KeyAttribute, KeySchema, TableRecord};
use crate::item::{Item, Key, KeyType};
use crate::limits;

const ITEMS: u8 = 0x00;
const INDEX: u8 = 0x01;

/// Bytes before the fields of an item's key.
const ITEMS_PREFIX_BYTES: usize = 6;

/// Bytes before the fields of an index entry's key.
const INDEX_PREFIX_BYTES: usize = 10;

/// What every key of `table` begins with.
pub(super) fn table_prefix(table: u32) -> Vec<u8> {
    let mut key = vec![OWNER];
    key.extend_from_slice(&table.to_be_bytes());
    key
}

/// What the keys of a table's items, or of the entries of one of its indexes, begin with.
pub(super) fn prefix(table: u32, index: Option<&IndexRecord>) -> Vec<u8> {
    let mut key = table_prefix(table);
    match index {
        None => key.push(ITEMS),
        Some(index) => {
            key.push(INDEX);
            key.extend_from_slice(&index.id.to_be_bytes());
        }
    }
    key
}

/// The stored key of the item that `key` names, or why `key` cannot name one in this table.
pub(super) fn item_key(table: u32, keys: &KeySchema, key: &Key) -> Result<Vec<u8>> {
    let mut out = prefix(table, None);
    put_field(&mut out, &keys.partition, Place::Partition, key.partition().as_ref())?;
    match (&keys.sort, key.sort()) {
        (Some(attribute), Some(value)) => put_field(&mut out, attribute, Place::Sort, value.as_ref())?,
        (None, None) => {}
        (Some(attribute), None) => {
            return Err(invalid(format!("the key has no value for the sort key {:?}", attribute.name)));
        }
        (None, Some(_)) => return Err(invalid("the key has a sort key, and the table has none".to_owned())),
    }
    Ok(out)
}

/// The stored key of `item`, or why it cannot be one of this table.
pub(super) fn key_of_item(table: u32, keys: &KeySchema, item: &Item) -> Result<Vec<u8>> {
    let mut out = prefix(table, None);
    match put_fields(&mut out, keys, item)? {
        None => Ok(out),
        Some(missing) => Err(invalid(format!("the item has no key attribute {missing:?}"))),
    }
}

/// The stored key of `item`'s entry in `index`, or `None` when it lacks one of the index's key attributes.
///
/// # Errors
/// [`Error::Invalid`] when it has one that the index cannot hold.
pub(super) fn key_of_entry(table: u32, keys: &KeySchema, index: &IndexRecord, item: &Item) -> Result<Option<Vec<u8>>> {
    let mut out = prefix(table, Some(index));
    if put_fields(&mut out, &index.index.keys, item)?.is_some() {
        return Ok(None);
    }
    put_fields(&mut out, keys, item)?;
    Ok(Some(out))
}

/// The stored key of the entry in `index` of an item that is stored: `None` also when the index, which is younger than the item,
/// cannot hold it.
pub(super) fn key_of_stored(table: u32, keys: &KeySchema, index: &IndexRecord, item: &Item) -> Option<Vec<u8>> {
    key_of_entry(table, keys, index, item).ok().flatten()
}

/// The storage id of the table and the number of the index whose entries begin with `prefix`.
pub(super) fn index_of(prefix: &[u8]) -> Result<(u32, u32)> {
    let mut reader = Reader::new(prefix);
    reader.u8()?;
    let table = reader.u32()?;
    if reader.u8()? != INDEX {
        return Err(Error::corrupt("job", "its target is no index of an item table"));
    }
    Ok((table, reader.u32()?))
}

/// The stored keys of all of `item`'s index entries, in the order of the indexes.
///
/// # Errors
/// As [`key_of_entry`].
pub(super) fn keys_of_entries(table: u32, record: &TableRecord, item: &Item) -> Result<Vec<Vec<u8>>> {
    let entries = record.indexes.iter().map(|index| key_of_entry(table, &record.keys, index, item));
    entries.filter_map(Result::transpose).collect()
}

/// The stored key of the item that an index entry belongs to.
pub(super) fn item_key_of_entry(table: u32, index: &IndexRecord, entry: &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader::new(entry.get(INDEX_PREFIX_BYTES..).unwrap_or_default());
    for attribute in index.index.keys.attributes() {
        match attribute.key_type {
            KeyType::S | KeyType::B => drop(reader.bytes()?),
            KeyType::N => drop(take_decimal(&mut reader)?),
        }
    }
    let mut key = Vec::with_capacity(ITEMS_PREFIX_BYTES + reader.rest().len());
    key.extend_from_slice(&prefix(table, None));
    key.extend_from_slice(reader.rest());
    Ok(key)
}

/// Which part of a key an attribute is: the two have different limits.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Partition,
    Sort,
}

/// Appends `value` as the key attribute `attribute`.
///
/// # Errors
/// [`Error::Invalid`] when it has another type or is empty; [`Error::LimitExceeded`] when it is too long.
pub(super) fn put_field(out: &mut Vec<u8>, attribute: &KeyAttribute, place: Place, value: KeyRef<'_>) -> Result<()> {
    if value.key_type() != attribute.key_type {
        return Err(wrong_type(attribute, &value.key_type().to_string()));
    }
    let bytes = match value {
        KeyRef::N(number) => return put_decimal(out, number.as_decimal()),
        KeyRef::S(string) => string.as_bytes(),
        KeyRef::B(bytes) => bytes,
    };
    if bytes.is_empty() {
        return Err(invalid(format!("key attribute {:?} is empty", attribute.name)));
    }
    match place {
        Place::Partition => limits::check("partition key bytes", limits::ITEM_PARTITION_KEY_BYTES_MAX, bytes.len())?,
        Place::Sort => limits::check("sort key bytes", limits::ITEM_SORT_KEY_BYTES_MAX, bytes.len())?,
    }
    put_bytes(out, bytes);
    Ok(())
}

/// Appends the key fields of `item`. Returns a key attribute that it lacks; those it has are checked all the same.
fn put_fields<'k>(out: &mut Vec<u8>, keys: &'k KeySchema, item: &Item) -> Result<Option<&'k str>> {
    let mut missing = None;
    for (attribute, place) in keys.attributes().zip([Place::Partition, Place::Sort]) {
        match item.get(&attribute.name) {
            None => missing = Some(attribute.name.as_str()),
            Some(value) => {
                let field = KeyRef::of(value).ok_or_else(|| wrong_type(attribute, value.type_name()))?;
                put_field(out, attribute, place, field)?;
            }
        }
    }
    Ok(missing)
}

fn wrong_type(attribute: &KeyAttribute, found: &str) -> Error {
    let message = format!("key attribute {:?} has type {}, not {found}", attribute.name, attribute.key_type);
    Error::invalid(InvalidKind::Type, message)
}

fn invalid(message: String) -> Error {
    Error::invalid(InvalidKind::Value, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{GlobalIndex, KeyValue, Number, TableSchema};
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn hex(bytes: &[u8]) -> String {
        format!("{:?}", crate::engine::Key::from(bytes))
    }

    fn field(value: &KeyValue) -> Vec<u8> {
        let attribute = KeyAttribute { name: "k".into(), key_type: value.as_ref().key_type() };
        let mut out = Vec::new();
        put_field(&mut out, &attribute, Place::Sort, value.as_ref()).unwrap();
        out
    }

    fn table() -> TableRecord {
        let index = GlobalIndex::new("GSI", "a", KeyType::B).sort_key("n", KeyType::N);
        TableRecord::new(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N).global_index(index))
    }

    #[test]
    fn the_worked_examples_are_what_is_stored() {
        let item = Item::new().with("PK", "USER#7").with("SK", 5).with("a", vec![0u8]).with("n", -1);
        let key = key_of_item(1, &table().keys, &item).unwrap();
        assert_eq!(hex(&key), "30".to_owned() + "00000001" + "00" + "5553455223370000" + "038000000133" + "00");
        assert_eq!(item_key(1, &table().keys, &Key::from(("USER#7", 5))).unwrap(), key);
        let entries = keys_of_entries(1, &table(), &item).unwrap();
        let fields = "00ff0000".to_owned() + "017ffffffef4ff" + "5553455223370000" + "03800000013300";
        assert_eq!(hex(&entries[0]), "30".to_owned() + "00000001" + "01" + "00000001" + &fields);
        assert_eq!(item_key_of_entry(1, &table().indexes[0], &entries[0]).unwrap(), key);
    }

    #[test]
    fn a_damaged_entry_is_corrupt_and_no_panic() {
        for entry in [&[][..], &[0x30; 10], &[0x30; 40]] {
            assert!(matches!(item_key_of_entry(1, &table().indexes[0], entry), Err(Error::Corruption { .. })));
        }
    }

    #[test] // SEM: ITM-LIM-2
    fn key_attributes_have_sizes() {
        let keys = TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::B).keys;
        let key =
            |partition: usize, sort: usize| item_key(1, &keys, &Key::from(("p".repeat(partition), vec![0u8; sort])));
        assert!(key(2048, 1024).is_ok());
        assert!(matches!(
            key(2049, 1),
            Err(Error::LimitExceeded { limit: "partition key bytes", max: 2048, found: 2049 })
        ));
        assert!(matches!(key(1, 1025), Err(Error::LimitExceeded { limit: "sort key bytes", .. })));
        assert!(key(0, 1).is_err() && key(1, 0).is_err(), "empty");
    }

    proptest! {
        #[test] // SEM: ITM-TYP-3
        fn strings_keep_the_order_of_their_bytes(a in "[\0\u{1}a\u{e9}\u{1f600}]{1,4}", b in "[\0\u{1}a\u{e9}\u{1f600}]{1,4}") {
            let order = a.as_bytes().cmp(b.as_bytes());
            prop_assert_eq!(field(&a.into()).cmp(&field(&b.into())), order);
        }

        #[test] // SEM: ITM-TYP-3
        fn binary_keeps_the_order_of_unsigned_bytes(
            a in vec(prop_oneof![Just(0u8), Just(1), Just(0x80), Just(0xff)], 1..4),
            b in vec(prop_oneof![Just(0u8), Just(1), Just(0x80), Just(0xff)], 1..4),
        ) {
            let order = a.cmp(&b);
            prop_assert_eq!(field(&a.into()).cmp(&field(&b.into())), order);
        }

        #[test] // SEM: ITM-TYP-3
        fn numbers_keep_their_order(a in -2000i64..2000, b in -2000i64..2000, x in -3i32..3, y in -3i32..3) {
            let (a, b): (Number, Number) = (format!("{a}e{x}").parse().unwrap(), format!("{b}e{y}").parse().unwrap());
            let order = a.cmp(&b);
            prop_assert_eq!(field(&a.into()).cmp(&field(&b.into())), order);
        }
    }
}
