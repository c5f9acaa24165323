//! Items as stored bytes. An item has exactly one record.
//!
//! | bytes | field      | encoding                                                             |
//! |-------|------------|----------------------------------------------------------------------|
//! | 1     | format     | `0x01`                                                               |
//! | 0..   | attributes | a map without its type byte                                          |
//!
//! A length or count is a base-128 varint, lowest seven bits first, of as few bytes as it needs.
//!
//! | type          | byte     | then                                                                |
//! |---------------|----------|---------------------------------------------------------------------|
//! | S, B          | `01`,`03`| length, bytes                                                       |
//! | N             | `02`     | [`crate::encoding::decimal`], which ends itself                     |
//! | BOOL          | `04`,`05`| nothing: false, true                                                |
//! | NULL          | `06`     | nothing                                                             |
//! | M             | `07`     | count, then (length, name, value) with names ascending              |
//! | L             | `08`     | count, then values                                                  |
//! | SS, NS, BS    | `09`..`0b`| count, then elements ascending, each as in its type without the byte |
//!
//! `{"a": "b", "n": 12.5}` is `01 02 01 61 01 01 62 01 6e 02 03 80000002 0d33 00`.

use std::collections::BTreeMap;

use crate::encoding::decimal::{put_decimal, take_decimal};
use crate::encoding::ordered;
use crate::error::{Error, Result};
use crate::item::{AttributeValue, Item, Number, Set};
use crate::limits;

const FORMAT: u8 = 0x01;

const S: u8 = 0x01;
const N: u8 = 0x02;
const B: u8 = 0x03;
const FALSE: u8 = 0x04;
const TRUE: u8 = 0x05;
const NULL: u8 = 0x06;
const M: u8 = 0x07;
const L: u8 = 0x08;
const SS: u8 = 0x09;
const NS: u8 = 0x0a;
const BS: u8 = 0x0b;

/// The record of `item`, which has passed [`Item::check`]: that bounds the recursion.
pub(super) fn encode(item: &Item) -> Result<Vec<u8>> {
    let mut out = vec![FORMAT];
    put_map(&mut out, item.iter(), item.len())?;
    Ok(out)
}

/// The item of a record.
///
/// # Errors
/// [`Error::Corruption`] for bytes that [`encode`] does not write.
pub(super) fn decode(bytes: &[u8]) -> Result<Item> {
    let mut reader = Reader { rest: bytes };
    if reader.byte()? != FORMAT {
        return Err(corrupt("its format is unknown"));
    }
    let attributes = reader.map(1)?;
    if !reader.rest.is_empty() {
        return Err(corrupt("bytes are left over"));
    }
    Ok(Item::from(attributes))
}

fn put_map<'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (&'a String, &'a AttributeValue)>,
    count: usize,
) -> Result<()> {
    put_length(out, count);
    for (name, value) in entries {
        put_bytes(out, name.as_bytes());
        put_value(out, value)?;
    }
    Ok(())
}

fn put_value(out: &mut Vec<u8>, value: &AttributeValue) -> Result<()> {
    match value {
        AttributeValue::S(string) => {
            out.push(S);
            put_bytes(out, string.as_bytes());
        }
        AttributeValue::N(number) => {
            out.push(N);
            put_decimal(out, number.as_decimal())?;
        }
        AttributeValue::B(bytes) => {
            out.push(B);
            put_bytes(out, bytes);
        }
        AttributeValue::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
        AttributeValue::Null => out.push(NULL),
        AttributeValue::M(map) => {
            out.push(M);
            put_map(out, map.iter(), map.len())?;
        }
        AttributeValue::L(list) => {
            out.push(L);
            put_length(out, list.len());
            list.iter().try_for_each(|value| put_value(out, value))?;
        }
        AttributeValue::Ss(set) => {
            out.push(SS);
            put_length(out, set.iter().len());
            set.iter().for_each(|string| put_bytes(out, string.as_bytes()));
        }
        AttributeValue::Ns(set) => {
            out.push(NS);
            put_length(out, set.iter().len());
            set.iter().try_for_each(|number| put_decimal(out, number.as_decimal()))?;
        }
        AttributeValue::Bs(set) => {
            out.push(BS);
            put_length(out, set.iter().len());
            set.iter().for_each(|bytes| put_bytes(out, bytes));
        }
    }
    Ok(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Takes a record apart, and refuses every byte that [`encode`] would not have written.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(byte)
    }

    fn length(&mut self) -> Result<usize> {
        let mut length = 0u64;
        for shift in (0..=28).step_by(7) {
            let byte = self.byte()?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(corrupt("a length has more bytes than it needs"));
                }
                return usize::try_from(length).map_err(|_| too_short());
            }
        }
        Err(corrupt("a length has more than five bytes"))
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn string(&mut self) -> Result<String> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| corrupt("a string is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn number(&mut self) -> Result<Number> {
        let mut fields = ordered::Reader::new(self.rest);
        let decimal = take_decimal(&mut fields)?;
        self.rest = fields.rest();
        Number::from_decimal(&decimal).map_err(|error| corrupt(&error.to_string()))
    }

    /// Lists and maps inside this value are at `level`.
    fn value(&mut self, level: usize) -> Result<AttributeValue> {
        Ok(match self.byte()? {
            S => AttributeValue::S(self.string()?),
            N => AttributeValue::N(self.number()?),
            B => AttributeValue::B(self.bytes()?.to_vec()),
            FALSE => AttributeValue::Bool(false),
            TRUE => AttributeValue::Bool(true),
            NULL => AttributeValue::Null,
            M => {
                check_level(level)?;
                AttributeValue::M(self.map(level + 1)?)
            }
            L => {
                check_level(level)?;
                let mut list = Vec::new();
                for _ in 0..self.length()? {
                    list.push(self.value(level + 1)?);
                }
                AttributeValue::L(list)
            }
            SS => AttributeValue::Ss(self.set(Self::string)?),
            NS => AttributeValue::Ns(self.set(Self::number)?),
            BS => AttributeValue::Bs(self.set(|reader| reader.bytes().map(<[u8]>::to_vec))?),
            other => return Err(corrupt(&format!("type byte {other:02x}"))),
        })
    }

    fn map(&mut self, level: usize) -> Result<BTreeMap<String, AttributeValue>> {
        let mut map = BTreeMap::new();
        for _ in 0..self.length()? {
            let name = self.string()?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(corrupt("names are not ascending"));
            }
            let value = self.value(level)?;
            map.insert(name, value);
        }
        Ok(map)
    }

    fn set<T: Ord>(&mut self, mut element: impl FnMut(&mut Self) -> Result<T>) -> Result<Set<T>> {
        let mut elements: Vec<T> = Vec::new();
        for _ in 0..self.length()? {
            let next = element(self)?;
            if elements.last().is_some_and(|last| *last >= next) {
                return Err(corrupt("elements of a set are not ascending"));
            }
            elements.push(next);
        }
        Set::new(elements).map_err(|_| corrupt("a set is empty"))
    }
}

fn check_level(level: usize) -> Result<()> {
    if level > limits::ITEM_DEPTH_MAX { Err(corrupt("it nests too deeply")) } else { Ok(()) }
}

fn too_short() -> Error {
    corrupt("it ends inside a field")
}

fn corrupt(detail: &str) -> Error {
    Error::corrupt("item record", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = Number> {
        (-300i64..300, -3i32..4).prop_map(|(n, e)| format!("{n}e{e}").parse().unwrap())
    }

    fn scalar() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            "[a-cé]{0,3}".prop_map(AttributeValue::S),
            number().prop_map(AttributeValue::N),
            vec(any::<u8>(), 0..3).prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            btree_set("[a-c]{0,2}", 1..4).prop_map(|set| AttributeValue::Ss(Set::new(set).unwrap())),
            btree_set(number(), 1..4).prop_map(|set| AttributeValue::Ns(Set::new(set).unwrap())),
            btree_set(vec(any::<u8>(), 0..3), 1..4).prop_map(|set| AttributeValue::Bs(Set::new(set).unwrap())),
        ]
    }

    fn value() -> impl Strategy<Value = AttributeValue> {
        scalar().prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                btree_map("[a-c]{1,2}", inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    fn item() -> impl Strategy<Value = Item> {
        btree_map("[a-d]{1,2}", value(), 0..5).prop_map(Item::from)
    }

    proptest! {
        #[test]
        fn an_item_comes_back(item in item()) {
            prop_assert_eq!(decode(&encode(&item).unwrap()).unwrap(), item);
        }

        #[test]
        fn what_decodes_is_the_only_record_of_its_item(item in item(), at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = encode(&item).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(item) = decode(&bytes) {
                prop_assert_eq!(encode(&item).unwrap(), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_decode_to_an_error_or_to_their_item(mut bytes in vec(0u8..13, 0..40)) {
            bytes.insert(0, FORMAT);
            if let Ok(item) = decode(&bytes) {
                prop_assert_eq!(encode(&item).unwrap(), bytes);
            }
        }

        #[test]
        fn a_record_cut_short_is_corrupt(item in item()) {
            let bytes = encode(&item).unwrap();
            for cut in 0..bytes.len() {
                let is_corrupt = matches!(decode(&bytes[..cut]), Err(Error::Corruption { .. }));
                prop_assert!(is_corrupt, "cut at {}", cut);
            }
        }
    }

    #[test]
    fn the_worked_example_is_what_is_stored() {
        let item = Item::new().with("a", "b").with("n", "12.5".parse::<Number>().unwrap());
        let stored = crate::engine::Key::from(encode(&item).unwrap());
        assert_eq!(format!("{stored:?}"), "01020161010162016e0203800000020d3300");
    }

    #[test]
    fn a_length_of_two_bytes_comes_back() {
        let item = Item::from([("a", "x".repeat(300))]);
        assert_eq!(decode(&encode(&item).unwrap()).unwrap(), item);
    }

    #[test]
    fn nesting_beyond_the_limit_is_corrupt_and_no_overflow() {
        let nested = |levels: usize| {
            let mut bytes = vec![FORMAT, 1, 1, b'a'];
            bytes.extend([L, 1].repeat(levels));
            bytes.push(NULL);
            bytes
        };
        assert!(decode(&nested(limits::ITEM_DEPTH_MAX)).is_ok());
        assert!(decode(&nested(limits::ITEM_DEPTH_MAX + 1)).is_err());
        assert!(decode(&nested(100_000)).is_err());
    }
}
