//! Items and values from their stored bytes, refusing every byte that would not have been written.

use crate::error::Result;
use crate::item::record::cursor::{Cursor, text};
use crate::item::record::{B, BS, FALSE, L, M, N, NS, NULL, Names, RecordRef, S, SS, TRUE, ValueRef, corrupt};
use crate::item::value::Element;
use crate::item::{AttributeMap, AttributeValue, Item, Number, Set, Text};
use crate::limits;

/// Bytes of an entry of a map at least: a length, and a type.
const ENTRY_BYTES_MIN: usize = 2;

impl RecordRef<'_> {
    /// The item.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no record.
    pub(crate) fn to_item(self) -> Result<Item> {
        whole(self.attributes, |decoder| decoder.map(1)).map(|(attributes, _)| Item::from(attributes))
    }

    /// The item, and its [`size`](RecordRef::size_bytes), in one pass. `names` is given to the next call, for what the
    /// items have in common.
    ///
    /// # Errors
    /// As [`RecordRef::to_item`].
    pub(crate) fn to_measured_item(self, names: &mut Names) -> Result<(Item, usize)> {
        let (attributes, size) = whole(self.attributes, |decoder| decoder.attributes(names))?;
        Ok((Item::from(attributes), size))
    }
}

impl ValueRef<'_> {
    /// The value; lists and maps are around it already at `levels` levels.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no value.
    pub(crate) fn to_value(self, levels: usize) -> Result<AttributeValue> {
        whole(self.bytes, |decoder| decoder.value(levels + 1)).map(|(value, _)| value)
    }
}

/// What `take` makes of `bytes`, which have to be all it takes, and what that counts as.
fn whole<'a, T>(bytes: &'a [u8], take: impl FnOnce(&mut Decoder<'a>) -> Result<T>) -> Result<(T, usize)> {
    let mut decoder = Decoder { cursor: Cursor { rest: bytes }, size: 0 };
    let taken = take(&mut decoder)?;
    decoder.cursor.end()?;
    Ok((taken, decoder.size))
}

/// Decodes what comes next, and counts what that adds to the size of an item.
struct Decoder<'a> {
    cursor: Cursor<'a>,
    size: usize,
}

impl Decoder<'_> {
    /// Lists and maps inside the value are at `level`, which bounds the recursion.
    fn value(&mut self, level: usize) -> Result<AttributeValue> {
        let cursor = &mut self.cursor;
        let (value, size) = match cursor.byte()? {
            S => {
                let string = cursor.string()?;
                (AttributeValue::S(string.into()), string.len())
            }
            N => {
                let number = cursor.number()?;
                let size = number.size_bytes();
                (AttributeValue::N(number), size)
            }
            B => {
                let bytes = cursor.bytes()?;
                (AttributeValue::B(bytes.to_vec()), bytes.len())
            }
            FALSE => (AttributeValue::Bool(false), 1),
            TRUE => (AttributeValue::Bool(true), 1),
            NULL => (AttributeValue::Null, 1),
            M => {
                check_level(level)?;
                let (map, size) = whole(cursor.bytes()?, |inside| inside.map(level + 1))?;
                let size = 3 + map.len() + size;
                (AttributeValue::M(map), size)
            }
            L => {
                check_level(level)?;
                let (list, size) =
                    whole(cursor.bytes()?, |inside| inside.counted(1, |inside| inside.value(level + 1)))?;
                let size = 3 + list.len() + size;
                (AttributeValue::L(list), size)
            }
            SS => {
                let (set, size) = set(cursor.bytes()?, |inside| Ok(inside.string()?.to_owned()), String::len)?;
                (AttributeValue::Ss(set), size)
            }
            NS => {
                let (set, size) = set(cursor.bytes()?, Cursor::number, Number::size_bytes)?;
                (AttributeValue::Ns(set), size)
            }
            BS => {
                let (set, size) = set(cursor.bytes()?, |inside| Ok(inside.bytes()?.to_vec()), Vec::len)?;
                (AttributeValue::Bs(set), size)
            }
            other => return Err(corrupt(format!("type byte {other:02x}"))),
        };
        self.size += size;
        Ok(value)
    }

    /// The attributes of an item. Names that it has in common with the last one are those of `known`.
    fn attributes(&mut self, known: &mut Names) -> Result<AttributeMap> {
        let count = self.cursor.length()?;
        let mut entries = Vec::with_capacity(self.room(count, ENTRY_BYTES_MIN));
        let (mut last, mut follows) = (None, true);
        for at in 0..count {
            let bytes = self.cursor.bytes()?;
            let found = known.get(at, bytes);
            // Names that are known ascend.
            if !(follows && found.is_some()) {
                check_order(last, bytes)?;
            }
            follows = found.is_some();
            let name = if let Some(name) = found {
                name.clone()
            } else {
                let name = Text::from(text(bytes)?);
                known.set(at, &name);
                name
            };
            last = Some(bytes);
            self.size += bytes.len();
            entries.push((name, self.value(1)?));
        }
        Ok(AttributeMap::of_ascending(entries))
    }

    /// Lists and maps inside the values are at `level`.
    fn map(&mut self, level: usize) -> Result<AttributeMap> {
        let mut last = None;
        let entries = self.counted(ENTRY_BYTES_MIN, |decoder| {
            let name = decoder.cursor.bytes()?;
            check_order(last.replace(name), name)?;
            decoder.size += name.len();
            Ok((text(name)?.into(), decoder.value(level)?))
        })?;
        Ok(AttributeMap::of_ascending(entries))
    }

    /// A count, and as many things, each of at least so many bytes.
    fn counted<T>(&mut self, bytes_min: usize, mut take: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.cursor.length()?;
        let mut things = Vec::with_capacity(self.room(count, bytes_min));
        for _ in 0..count {
            things.push(take(self)?);
        }
        Ok(things)
    }

    /// How many of `count` things, each of at least so many bytes, there can be.
    fn room(&self, count: usize, bytes_min: usize) -> usize {
        count.min(self.cursor.rest.len() / bytes_min)
    }
}

/// Refuses a name that is not behind the one before it.
fn check_order(last: Option<&[u8]>, name: &[u8]) -> Result<()> {
    if last.is_some_and(|last| last >= name) { Err(corrupt("names are not ascending")) } else { Ok(()) }
}

/// The set that `bytes` are, and what its elements count as.
fn set<'a, T: Element>(
    bytes: &'a [u8],
    take: impl Fn(&mut Cursor<'a>) -> Result<T>,
    size: impl Fn(&T) -> usize,
) -> Result<(Set<T>, usize)> {
    let (elements, _) = whole(bytes, |inside| inside.counted(1, |inside| take(&mut inside.cursor)))?;
    if !elements.is_sorted_by(|one, next| one < next) {
        return Err(corrupt("elements of a set are not ascending"));
    }
    let size = elements.iter().map(size).sum();
    Set::new(elements).map(|set| (set, size)).map_err(|_| corrupt("a set is empty"))
}

fn check_level(level: usize) -> Result<()> {
    if level > limits::ITEM_DEPTH_MAX { Err(corrupt("it nests too deeply")) } else { Ok(()) }
}
