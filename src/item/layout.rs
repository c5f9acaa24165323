//! What is stored where.
//!
//! | bytes | field     | encoding                                                                             |
//! |-------|-----------|--------------------------------------------------------------------------------------|
//! | 1     | owner     | `0x30`                                                                               |
//! | 4     | table     | storage id, big-endian                                                               |
//! | 1     | kind      | `0x00` item, `0x01` entry of an index                                                |
//! | 4     | index     | entry only: the index's id, big-endian                                               |
//! | 4     | hash      | CRC-32C of the partition key of what follows, as it is encoded, big-endian           |
//! | 2..   | index key | entry only: its partition attributes, then its sort attributes                       |
//! | 2..   | table key | partition key, then the sort key if the table has one                                |
//!
//! A key field is, by its attribute's type, a string's UTF-8 bytes or binary bytes, each `00` as `00 ff` and then
//! `00 00` ([`put_bytes`]), or a number by `number/encoding.rs`. Every field ends itself, so that the order of
//! keys with one partition key is the order of their fields. Partition keys come in the order of their hashes: a scan
//! goes over all hashes, a segment of it over a range of them.
//!
//! The value of an item is its [`record`](super::record). That of an index entry is empty when the index projects every
//! attribute, and the record of what it projects otherwise.
//!
//! | kind   | what                    | then                                                                 |
//! |--------|-------------------------|----------------------------------------------------------------------|
//! | `0x02` | details of the table    | nothing (`details.rs`)                                               |
//! | `0x03` | record of a stream      | stream, shard, hour, number (`stream/layout.rs`)                     |
//! | `0x04` | the table's deadlines   | nothing: the name of a job, under which nothing is stored            |
//!
//! What belongs to an account is under storage id 0: tokens of transactions under kind `0x00` (`token.rs`), and what is
//! kept of exports and imports under `0x05` and `0x06` (`transfer/records.rs`).
//!
//! Item `("USER#7", 5)` of table 1: `30 00000001 00 ef17ab27 555345522337 0000 03 82 33 00`.

use crate::encoding::ordered::{Reader, put_bytes};
use crate::encoding::owner::ITEMS as OWNER;
use crate::engine::{Key as StoredKey, KeyRange};
use crate::error::{Error, Result};
use crate::item::definition::{IndexRecord, TableRecord};
use crate::item::key::KeyRef;
use crate::item::number::{put_key, take_key};
use crate::item::record::{Content, RecordRef};
use crate::item::schema::{KeyAttribute, KeySchema};
use crate::item::{AttributeValue, Item, Key, RequestFault, ScalarAttributeType, Text};
use crate::limits;

const ITEMS: u8 = 0x00;
const INDEX: u8 = 0x01;
const DETAILS: u8 = 0x02;
pub(super) const STREAM: u8 = 0x03;
const DEADLINES: u8 = 0x04;
pub(super) const EXPORTS: u8 = 0x05;
pub(super) const IMPORTS: u8 = 0x06;

/// Storage id that no table has: what belongs to an account and not to a table is stored under it.
pub(super) const NO_TABLE: u32 = 0;

/// Bytes before the hash of an item's key.
pub(super) const ITEMS_PREFIX_BYTES: usize = 6;

/// Bytes before the hash of an index entry's key.
pub(super) const INDEX_PREFIX_BYTES: usize = 10;

/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = 4;

/// Room for most keys, made at once.
const KEY_CAPACITY: usize = 96;

/// What every key of `table` begins with.
pub(super) fn table_prefix(table: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(KEY_CAPACITY);
    key.push(OWNER);
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

/// Where the details of `table` are.
pub(super) fn details_key(table: u32) -> Vec<u8> {
    let mut key = table_prefix(table);
    key.push(DETAILS);
    key
}

/// The name of the job that gives the items of `table` their deadlines.
pub(super) fn deadlines_target(table: u32) -> Vec<u8> {
    let mut key = table_prefix(table);
    key.push(DEADLINES);
    key
}

/// What a key below a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Item,
    Index(u32),
    Details,
    Stream,
    Deadlines,
    Export,
    Import,
}

/// The storage id of the table that `key` is stored under, and what it is about.
pub(super) fn part_of(key: &[u8]) -> Result<(u32, Part)> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    let table = reader.u32()?;
    let part = match reader.u8()? {
        ITEMS => Part::Item,
        INDEX => Part::Index(reader.u32()?),
        DETAILS => Part::Details,
        STREAM => Part::Stream,
        DEADLINES => Part::Deadlines,
        EXPORTS => Part::Export,
        IMPORTS => Part::Import,
        other => return Err(Error::corrupt("item key", format!("its kind is {other:02x}"))),
    };
    Ok((table, part))
}

/// The keys below `prefix` that belong to `segment` of `total`, at least 1: equal parts of all hashes.
pub(super) fn segment(prefix: &[u8], segment: u32, total: u32) -> KeyRange {
    let all = KeyRange::prefix(prefix);
    let start = |segment: u32| {
        let hash = (u64::from(segment) << 32).div_ceil(u64::from(total.max(1)));
        let hash = u32::try_from(hash).ok()?;
        let mut key = prefix.to_vec();
        key.extend_from_slice(&hash.to_be_bytes());
        Some(StoredKey::from(key))
    };
    let (low, high) = (start(segment), start(segment.saturating_add(1)));
    let low = low.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included);
    all.clamp(low, high.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded))
}

/// The hash in the stored key of an item.
pub(super) fn hash_of_item(key: &[u8]) -> u32 {
    let bytes = key.get(ITEMS_PREFIX_BYTES..).and_then(|rest| rest.first_chunk::<HASH_BYTES>());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Key attributes of an item, however it is held.
pub(super) trait Attributes {
    /// The attribute `name`, if the item has it.
    ///
    /// # Errors
    /// Why what is stored cannot be read.
    fn field(&self, name: &str) -> Result<Option<Field<'_>>>;
}

/// A value that may be one of a key.
pub(super) enum Field<'a> {
    Key(KeyRef<'a>),
    /// One of the type of this name, which no key has.
    Other(&'static str),
}

impl Attributes for Item {
    fn field(&self, name: &str) -> Result<Option<Field<'_>>> {
        let field = |value| KeyRef::of(value).map_or_else(|| Field::Other(value.type_name().as_str()), Field::Key);
        Ok(self.get(name).map(field))
    }
}

impl Attributes for RecordRef<'_> {
    fn field(&self, name: &str) -> Result<Option<Field<'_>>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        Ok(Some(match value.content()? {
            Content::S(string) => Field::Key(KeyRef::S(string)),
            Content::N(number) => Field::Key(KeyRef::N(number)),
            Content::B(bytes) => Field::Key(KeyRef::B(bytes)),
            _ => Field::Other(value.type_name()?.as_str()),
        }))
    }
}

/// Where the hash goes that is not known yet.
fn put_hash_place(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; HASH_BYTES]);
    out.len()
}

/// Puts the hash of what is behind `start` before it.
fn set_hash(out: &mut [u8], start: usize) {
    let hash = crc32c::crc32c(out.get(start..).unwrap_or_default());
    if let Some(place) = start.checked_sub(HASH_BYTES).and_then(|place| out.get_mut(place..start)) {
        place.copy_from_slice(&hash.to_be_bytes());
    }
}

/// The stored key of the item that `key` names, or why `key` cannot name one in this table.
pub(super) fn item_key(table: u32, keys: &KeySchema, key: &Key) -> Result<Vec<u8>> {
    let mut out = prefix(table, None);
    let start = put_hash_place(&mut out);
    let (Some(partition), true) = (keys.partition.first(), key.sort().is_some() != keys.sort.is_empty()) else {
        return Err(mismatch());
    };
    put_key_field(&mut out, partition, Place::Partition, Some(&Field::Key(key.partition().as_ref())))?;
    set_hash(&mut out, start);
    if let (Some(attribute), Some(value)) = (keys.sort.first(), key.sort()) {
        put_key_field(&mut out, attribute, Place::Sort, Some(&Field::Key(value.as_ref())))?;
    }
    Ok(out)
}

/// The stored key of the item that the attributes of `key` name, which have to be the key attributes and nothing else.
pub(super) fn item_key_of(table: u32, keys: &KeySchema, key: &Item) -> Result<Vec<u8>> {
    if key.len() != keys.len() {
        return Err(mismatch());
    }
    let mut out = prefix(table, None);
    put_all(&mut out, keys, |attribute, place, out| {
        put_key_field(out, attribute, place, key.field(&attribute.name)?.as_ref())
    })?;
    Ok(out)
}

/// The stored key of an item of `attributes`, or why it cannot be one of this table.
pub(super) fn key_of_item(table: u32, keys: &KeySchema, attributes: &impl Attributes) -> Result<Vec<u8>> {
    let mut out = prefix(table, None);
    put_all(&mut out, keys, |attribute, place, out| {
        let name = &attribute.name;
        match attributes.field(name)? {
            None => Err(RequestFault::MissingKey(name.clone()).into_error()),
            Some(Field::Key(value)) if value.key_type() == attribute.key_type => {
                put_value(out, attribute, place, value)
            }
            Some(other) => {
                let (expected, actual) = (attribute.key_type.to_string(), other.type_name());
                Err(RequestFault::KeyType { attribute: name.clone(), expected, actual }.into_error())
            }
        }
    })?;
    Ok(out)
}

/// Appends the hash and all fields of `keys`.
fn put_all(
    out: &mut Vec<u8>,
    keys: &KeySchema,
    mut put: impl FnMut(&KeyAttribute, Place, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let start = put_hash_place(out);
    for attribute in &keys.partition {
        put(attribute, Place::Partition, out)?;
    }
    set_hash(out, start);
    keys.sort.iter().try_for_each(|attribute| put(attribute, Place::Sort, out))
}

/// What an index has of an item.
#[derive(Debug)]
pub(super) enum EntryKey {
    /// Nothing: a key attribute is missing.
    Absent,
    /// Nothing: a key attribute is there and no index can hold it, for this reason.
    Unfit(Box<Error>),
    /// An entry with this stored key.
    At(Vec<u8>),
}

/// The stored key of the entry that `index` has for the item of `attributes`, whose own stored key is `item_key`.
pub(super) fn entry_key(
    table: u32,
    index: &IndexRecord,
    attributes: &impl Attributes,
    item_key: &[u8],
) -> Result<EntryKey> {
    let mut out = prefix(table, Some(index));
    let start = put_hash_place(&mut out);
    let (mut is_absent, mut partition_ends) = (false, None);
    for (number, attribute) in index.keys.attributes().enumerate() {
        if number == index.keys.partition.len() {
            partition_ends = Some(out.len());
        }
        // An attribute that is there is looked at although another one is missing.
        let Some(field) = attributes.field(&attribute.name)? else {
            is_absent = true;
            continue;
        };
        let place = if number < index.keys.partition.len() { Place::Partition } else { Place::Sort };
        if let Err(unfit) = put_index_field(&mut out, index, attribute, place, field) {
            return Ok(EntryKey::Unfit(Box::new(unfit)));
        }
    }
    if is_absent {
        return Ok(EntryKey::Absent);
    }
    let end = partition_ends.unwrap_or(out.len());
    if let Some(partition) = out.get_mut(..end) {
        set_hash(partition, start);
    }
    out.extend_from_slice(item_key.get(ITEMS_PREFIX_BYTES + HASH_BYTES..).unwrap_or_default());
    Ok(EntryKey::At(out))
}

fn put_index_field(
    out: &mut Vec<u8>,
    index: &IndexRecord,
    attribute: &KeyAttribute,
    place: Place,
    field: Field<'_>,
) -> Result<()> {
    let names = || (attribute.name.clone(), index.name.clone());
    match field {
        Field::Key(value) if value.key_type() == attribute.key_type => match value.kind_if_empty() {
            Some(kind) => {
                let (attribute, index) = names();
                Err(RequestFault::EmptyIndexKey { attribute, kind, index }.into_error())
            }
            None => put_value(out, attribute, place, value),
        },
        other => {
            let (expected, actual) = (attribute.key_type.to_string(), other.type_name());
            let (attribute, index) = names();
            Err(RequestFault::IndexKeyType { attribute, expected, actual, index }.into_error())
        }
    }
}

/// The stored key of the item that an index entry belongs to.
pub(super) fn item_key_of_entry(
    table: u32,
    record: &TableRecord,
    index: &IndexRecord,
    entry: &[u8],
) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(KEY_CAPACITY);
    put_item_key_of_entry(&mut key, table, record, index, entry)?;
    Ok(key)
}

/// As [`item_key_of_entry`], into the memory of another key.
pub(super) fn put_item_key_of_entry(
    key: &mut Vec<u8>,
    table: u32,
    record: &TableRecord,
    index: &IndexRecord,
    entry: &[u8],
) -> Result<()> {
    let mut reader = Reader::new(entry.get(INDEX_PREFIX_BYTES + HASH_BYTES..).unwrap_or_default());
    index.keys.attributes().try_for_each(|attribute| skip(&mut reader, attribute.key_type))?;
    let rest = reader.rest();
    key.clear();
    key.push(OWNER);
    key.extend_from_slice(&table.to_be_bytes());
    key.push(ITEMS);
    let start = put_hash_place(key);
    let mut of_item = Reader::new(rest);
    record.keys.partition.iter().try_for_each(|attribute| skip(&mut of_item, attribute.key_type))?;
    let (partition, sort) = rest.split_at_checked(rest.len() - of_item.rest().len()).unwrap_or((rest, &[]));
    key.extend_from_slice(partition);
    set_hash(key, start);
    key.extend_from_slice(sort);
    Ok(())
}

fn skip(reader: &mut Reader<'_>, key_type: ScalarAttributeType) -> Result<()> {
    match key_type {
        ScalarAttributeType::S | ScalarAttributeType::B => reader.skip_bytes(),
        ScalarAttributeType::N => take_key(reader).map(drop),
    }
}

/// What the stored keys of all items begin with that have the partition key of `key`.
pub(super) fn partition_prefix(record: &TableRecord, key: &[u8]) -> Result<Vec<u8>> {
    let fields = key.get(ITEMS_PREFIX_BYTES + HASH_BYTES..).unwrap_or_default();
    let mut reader = Reader::new(fields);
    record.keys.partition.iter().try_for_each(|attribute| skip(&mut reader, attribute.key_type))?;
    let length = key.len().saturating_sub(reader.rest().len());
    Ok(key.get(..length).unwrap_or_default().to_vec())
}

/// The key attributes of the item or index entry whose stored key is `key`.
pub(super) fn attributes_of(record: &TableRecord, index: Option<&IndexRecord>, key: &[u8]) -> Result<Item> {
    let before = if index.is_some() { INDEX_PREFIX_BYTES } else { ITEMS_PREFIX_BYTES };
    let mut reader = Reader::new(key.get(before + HASH_BYTES..).unwrap_or_default());
    let mut item = Item::new();
    for attribute in index.into_iter().flat_map(|index| index.keys.attributes()).chain(record.keys.attributes()) {
        let value = match attribute.key_type {
            ScalarAttributeType::S => {
                let text = Text::from_utf8(reader.bytes()?);
                AttributeValue::S(text.ok_or_else(|| Error::corrupt("item key", "a string is not UTF-8"))?)
            }
            ScalarAttributeType::N => AttributeValue::N(take_key(&mut reader)?),
            ScalarAttributeType::B => AttributeValue::B(reader.bytes()?),
        };
        item.insert(attribute.name.as_str(), value);
    }
    Ok(item)
}

/// Which part of a key an attribute is: the two have different limits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Partition,
    Sort,
}

/// Appends the key attribute `attribute` of a key that names an item.
fn put_key_field(out: &mut Vec<u8>, attribute: &KeyAttribute, place: Place, value: Option<&Field<'_>>) -> Result<()> {
    match value {
        Some(Field::Key(value)) if value.key_type() == attribute.key_type => put_value(out, attribute, place, *value),
        _ => Err(mismatch()),
    }
}

/// Appends `value`, which has the type of the key attribute `attribute`.
///
/// # Errors
/// When it is empty or too long.
pub(super) fn put_value(out: &mut Vec<u8>, attribute: &KeyAttribute, place: Place, value: KeyRef<'_>) -> Result<()> {
    let kind = value.kind_if_empty();
    let bytes = match value {
        KeyRef::N(number) => {
            put_key(out, &number);
            return Ok(());
        }
        KeyRef::S(string) => string.as_bytes(),
        KeyRef::B(bytes) => bytes,
    };
    if let Some(kind) = kind {
        return Err(RequestFault::EmptyKey { attribute: attribute.name.clone(), kind }.into_error());
    }
    match place {
        Place::Partition if bytes.len() > limits::ITEM_PARTITION_KEY_BYTES_MAX => {
            return Err(RequestFault::PartitionKeyTooLong.into_error());
        }
        Place::Sort if bytes.len() > limits::ITEM_SORT_KEY_BYTES_MAX => {
            return Err(RequestFault::SortKeyTooLong.into_error());
        }
        _ => put_bytes(out, bytes),
    }
    Ok(())
}

/// Sets the hash of the partition key that begins at `start` and ends `out`; for who puts its fields one by one.
pub(super) fn finish_partition(out: &mut [u8], start: usize) {
    set_hash(out, start);
}

/// Appends the place of a hash, and returns where the partition key begins.
pub(super) fn begin_partition(out: &mut Vec<u8>) -> usize {
    put_hash_place(out)
}

impl Field<'_> {
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Key(value) => value.key_type().to_string(),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

fn mismatch() -> Error {
    RequestFault::KeyMismatch.into_error()
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
        put_value(&mut out, &attribute, Place::Sort, value.as_ref()).unwrap();
        out
    }

    fn table() -> TableRecord {
        let index = GlobalIndex::new("GSI", "a", ScalarAttributeType::B).sort_key("n", ScalarAttributeType::N);
        let schema = TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N);
        TableRecord::new(schema.global_index(index))
    }

    fn entry(record: &TableRecord, item: &Item) -> EntryKey {
        let key = key_of_item(1, &record.keys, item).unwrap();
        entry_key(1, &record.indexes[0], item, &key).unwrap()
    }

    #[test]
    fn the_worked_examples_are_what_is_stored() {
        let item = Item::new().with("PK", "USER#7").with("SK", 5).with("a", vec![0u8]).with("n", -1);
        let key = key_of_item(1, &table().keys, &item).unwrap();
        let own = "5553455223370000".to_owned() + "03823300";
        let hash = format!("{:08x}", crc32c::crc32c(b"USER#7\0\0"));
        assert_eq!(hex(&key), "30".to_owned() + "00000001" + "00" + &hash + &own);
        assert_eq!(item_key(1, &table().keys, &Key::from(("USER#7", 5))).unwrap(), key);
        assert_eq!(item_key_of(1, &table().keys, &Item::new().with("PK", "USER#7").with("SK", 5)).unwrap(), key);
        let EntryKey::At(entry) = entry(&table(), &item) else { panic!("an entry") };
        let hash = format!("{:08x}", crc32c::crc32c(b"\0\xff\0\0"));
        let fields = hash + "00ff0000" + "017df4ff" + &own;
        assert_eq!(hex(&entry), "30".to_owned() + "00000001" + "01" + "00000001" + &fields);
        assert_eq!(item_key_of_entry(1, &table(), &table().indexes[0], &entry).unwrap(), key);
        assert_eq!(part_of(&entry).unwrap(), (1, Part::Index(1)));
    }

    #[test] // SEM: ITM-IDX-1
    fn an_index_key_is_absent_unfit_or_there() {
        let item = Item::new().with("PK", "p").with("SK", 5);
        assert!(matches!(entry(&table(), &item.clone().with("n", 1)), EntryKey::Absent));
        assert!(matches!(entry(&table(), &item.clone().with("n", "1")), EntryKey::Unfit(_)), "though there is no a");
        assert!(matches!(entry(&table(), &item.clone().with("a", vec![0u8; 2_049]).with("n", 1)), EntryKey::Unfit(_)));
        assert!(matches!(entry(&table(), &item.with("a", vec![0u8; 0])), EntryKey::Unfit(_)));
    }

    #[test]
    fn a_damaged_entry_is_corrupt_and_no_panic() {
        for entry in [&[][..], &[0x30; 10], &[0x30; 40]] {
            let outcome = item_key_of_entry(1, &table(), &table().indexes[0], entry);
            assert!(matches!(outcome, Err(Error::Corruption { .. })));
        }
        assert!(part_of(&[0x30, 0, 0, 0, 1, 9]).is_err() && part_of(&[0x30]).is_err());
    }

    #[test] // SEM: ITM-LIM-2
    fn key_attributes_have_sizes() {
        let keys = TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::B).keys;
        let key =
            |partition: usize, sort: usize| item_key(1, &keys, &Key::from(("p".repeat(partition), vec![0u8; sort])));
        assert!(key(2048, 1024).is_ok());
        assert!(key(2049, 1).unwrap_err().to_string().contains("2048 bytes"));
        assert!(key(1, 1025).unwrap_err().to_string().contains("1024 bytes"));
        assert!(key(0, 1).is_err() && key(1, 0).is_err(), "empty");
        assert!(item_key(1, &keys, &Key::from("p")).is_err(), "half a key");
    }

    #[test] // SEM: ITM-QRY-3
    fn the_segments_of_a_scan_are_all_of_it_and_do_not_overlap() {
        let prefix = [0x30, 0, 0, 0, 1, 0];
        for total in [1, 2, 3, 7, 4_097, 1_000_000] {
            let hashes = [0, 1, u32::MAX / 3, u32::MAX / 2, u32::MAX / 2 + 1, u32::MAX - 1, u32::MAX];
            for hash in hashes {
                let key = StoredKey::from([&prefix[..], &hash.to_be_bytes(), b"x"].concat());
                let around = (u64::from(hash) * u64::from(total)) >> 32;
                let around = u32::try_from(around).unwrap();
                let near = around.saturating_sub(2)..(around + 3).min(total);
                let holding = near.filter(|number| segment(&prefix, *number, total).contains(&key)).count();
                assert_eq!(holding, 1, "{hash:x} of {total}");
            }
        }
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
