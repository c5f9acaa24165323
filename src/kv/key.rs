//! The keys of the engine under which a keyspace is kept.
//!
//! One head entry per key:
//!
//! | bytes | field    | encoding                                                      |
//! |-------|----------|---------------------------------------------------------------|
//! | 1     | owner    | `0x20`                                                        |
//! | 2..   | keyspace | its name, each `00` escaped as `00 ff`, terminated by `00 00` |
//! | 0..   | key      | raw; last, so it needs no terminator                          |
//!
//! The elements of a collection:
//!
//! | bytes | field    | encoding                                                      |
//! |-------|----------|---------------------------------------------------------------|
//! | 1     | owner    | `0x21`                                                        |
//! | 2..   | keyspace | as in the head                                                |
//! | 2..   | key      | escaped and terminated in the same way                        |
//! | 1     | kind     | `0x01` member or field, `0x02` position, `0x03` place         |
//! | 8     | score    | position only: `f64` in ordered form, `-0.0` stored as `0.0`  |
//! | 8     | place    | place only: ordered i64                                       |
//! | 0..   | member   | raw; a place has none                                         |
//!
//! The elements of a stream, after owner, keyspace and key:
//!
//! | kind   | element  | more                                                                  |
//! |--------|----------|-----------------------------------------------------------------------|
//! | `0x10` | entry    | id                                                                    |
//! | `0x11` | group    | name, raw                                                             |
//! | `0x12` | consumer | group, escaped and terminated; name, raw                              |
//! | `0x13` | pending  | group, escaped and terminated; id                                     |
//! | `0x14` | owned    | group, escaped and terminated; consumer after its length as a u16; id |
//!
//! An id is two u64; they and the length are big-endian. The values are in `kv/stream/record.rs`.
//!
//! The value of a sorted set's member is its score in ordered form, that of a position is empty; a set's member has an empty value,
//! a hash's field and a list's place have theirs. Position of `"ab"` at 1.5 in the
//! sorted set `"z"` of keyspace `"0"`: `21 300000 7a0000 02 bff8000000000000 6162`.

use std::ops::Bound;

use smallvec::SmallVec;

use crate::encoding::ordered::{Reader, put_bytes, put_f64, put_i64};
use crate::encoding::owner;
use crate::engine::{Key, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

const MEMBER: u8 = 0x01;
const POSITION: u8 = 0x02;
const PLACE: u8 = 0x03;
pub(super) const ENTRY: u8 = 0x10;
pub(super) const GROUP: u8 = 0x11;
pub(super) const CONSUMER: u8 = 0x12;
pub(super) const PENDING: u8 = 0x13;
pub(super) const OWNED: u8 = 0x14;

/// A key of the engine: most take no allocation.
pub(super) type KeyBytes = SmallVec<[u8; 64]>;

/// A namespace of keys.
#[derive(Debug)]
pub(crate) struct Keyspace {
    name: String,
    /// Owner and name, as they begin every head.
    prefix: KeyBytes,
}

impl Keyspace {
    pub(crate) fn new(name: &str) -> Self {
        let mut prefix = KeyBytes::from_slice(&[owner::KEYS]);
        put_bytes(&mut prefix, name.as_bytes());
        Self { name: name.to_owned(), prefix }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where the head of `key` is kept.
    pub(super) fn head(&self, key: &[u8]) -> Result<KeyBytes> {
        self.check_name()?;
        limits::check("key bytes", limits::KEY_BYTES_MAX, key.len())?;
        let mut head = KeyBytes::with_capacity(self.prefix.len() + key.len());
        head.extend_from_slice(&self.prefix);
        head.extend_from_slice(key);
        Ok(head)
    }

    /// The keyspace's name and the key that `head` is the head of.
    pub(super) fn name_and_key(head: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut reader = Reader::new(head);
        reader.u8()?;
        let name = reader.bytes()?;
        Ok((name, reader.rest().to_vec()))
    }

    /// The heads of all keys.
    pub(super) fn heads(&self) -> Result<KeyRange> {
        self.check_name()?;
        Ok(KeyRange::prefix(&self.prefix))
    }

    fn check_name(&self) -> Result<()> {
        limits::check("keyspace name bytes", limits::NAME_BYTES_MAX, self.name.len())
    }
}

/// The key that `head` is the head of.
pub(super) fn key_of(head: &[u8]) -> Result<&[u8]> {
    let mut reader = Reader::new(head);
    reader.u8()?;
    reader.skip_bytes()?;
    Ok(reader.rest())
}

/// The elements of one collection.
#[derive(Debug)]
pub(super) struct Elements {
    prefix: KeyBytes,
}

impl Elements {
    /// The elements of the collection whose head is kept at `head`.
    pub(super) fn of(head: &[u8]) -> Result<Self> {
        let key = key_of(head)?;
        // The name is taken over as it is: escaped and terminated.
        let (_, name) = head.split_at(head.len().min(1));
        let (name, _) = name.split_at(name.len().saturating_sub(key.len()));
        let mut prefix = KeyBytes::with_capacity(head.len() + 3);
        prefix.push(owner::KEY_ELEMENTS);
        prefix.extend_from_slice(name);
        put_bytes(&mut prefix, key);
        Ok(Self { prefix })
    }

    /// Every entry of the collection but its head.
    pub(super) fn all(&self) -> KeyRange {
        KeyRange::prefix(&self.prefix)
    }

    /// Where the score of `member` is kept.
    pub(super) fn member(&self, member: &[u8]) -> KeyBytes {
        let mut key = self.kind(MEMBER, member.len());
        key.extend_from_slice(member);
        key
    }

    /// Where `member` stands in the order.
    pub(super) fn position(&self, score: f64, member: &[u8]) -> KeyBytes {
        let mut key = self.kind(POSITION, 8 + member.len());
        put_f64(&mut key, score);
        key.extend_from_slice(member);
        key
    }

    /// The positions of all members, in their order.
    pub(super) fn positions(&self) -> KeyRange {
        KeyRange::prefix(&self.kind(POSITION, 0))
    }

    /// The positions of the members whose score is between two bounds.
    pub(super) fn positions_between(&self, (start, end): (Bound<f64>, Bound<f64>)) -> Result<KeyRange> {
        let start = match self.ties(start)? {
            Bound::Included(ties) => ties.start().clone(),
            Bound::Excluded(ties) => match ties.end().clone() {
                Bound::Excluded(after) => Bound::Included(after),
                end => end,
            },
            Bound::Unbounded => Bound::Unbounded,
        };
        let end = match self.ties(end)? {
            Bound::Included(ties) => ties.end().clone(),
            Bound::Excluded(ties) => match ties.start().clone() {
                Bound::Included(first) => Bound::Excluded(first),
                start => start,
            },
            Bound::Unbounded => Bound::Unbounded,
        };
        Ok(self.positions().clamp(start, end))
    }

    /// Score and member of a position.
    pub(super) fn read_position<'a>(&self, key: &'a [u8]) -> Result<(f64, &'a [u8])> {
        let field = key.get(self.prefix.len() + 1..).unwrap_or_default();
        let mut reader = Reader::new(field);
        Ok((reader.f64()?, reader.rest()))
    }

    /// The entries of all members or fields.
    pub(super) fn members(&self) -> KeyRange {
        KeyRange::prefix(&self.kind(MEMBER, 0))
    }

    /// Those that come after `member`, all of them when that is `None`.
    pub(super) fn members_after(&self, member: Option<&[u8]>) -> KeyRange {
        let after = member.map_or(Bound::Unbounded, |member| Bound::Excluded(Key::from(&*self.member(member))));
        self.members().clamp(after, Bound::Unbounded)
    }

    /// The member or field whose entry is at `key`.
    pub(super) fn read_member<'a>(&self, key: &'a [u8]) -> &'a [u8] {
        key.get(self.prefix.len() + 1..).unwrap_or_default()
    }

    /// The key in `to` of the element that is kept here at `key`.
    pub(super) fn moved(&self, key: &[u8], to: &Self) -> KeyBytes {
        let mut moved = to.prefix.clone();
        moved.extend_from_slice(key.get(self.prefix.len()..).unwrap_or_default());
        moved
    }

    /// The key of a list's value.
    pub(super) fn place(&self, place: i64) -> KeyBytes {
        let mut key = self.kind(PLACE, 8);
        put_i64(&mut key, place);
        key
    }

    /// The entries of all values of a list.
    pub(super) fn places(&self) -> KeyRange {
        KeyRange::prefix(&self.kind(PLACE, 0))
    }

    /// The place of the value at `key`.
    pub(super) fn read_place(&self, key: &[u8]) -> Result<i64> {
        Reader::new(key.get(self.prefix.len() + 1..).unwrap_or_default()).i64()
    }

    /// The positions of every member that has the score of a bound.
    fn ties(&self, bound: Bound<f64>) -> Result<Bound<KeyRange>> {
        if let Bound::Included(score) | Bound::Excluded(score) = bound
            && score.is_nan()
        {
            return Err(Error::invalid(InvalidKind::Value, "a bound of a range of scores is not a number (NaN)"));
        }
        Ok(bound.map(|score| KeyRange::prefix(&self.position(canonical(score), &[]))))
    }

    /// The key of an element of `kind`, with room for `more` bytes.
    pub(super) fn kind(&self, kind: u8, more: usize) -> KeyBytes {
        let mut key = KeyBytes::with_capacity(self.prefix.len() + 1 + more);
        key.extend_from_slice(&self.prefix);
        key.push(kind);
        key
    }
}

/// `score` as it is stored: the two zeros are one (SEM: KV-Z-4).
pub(super) fn canonical(score: f64) -> f64 {
    if score == 0.0 { 0.0 } else { score }
}

/// The value that a member's entry holds.
pub(super) fn encode_score(score: f64) -> KeyBytes {
    let mut value = KeyBytes::new();
    put_f64(&mut value, score);
    value
}

/// Takes what [`encode_score`] made.
pub(super) fn decode_score(value: &[u8]) -> Result<f64> {
    Reader::new(value).f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(bytes: &[u8]) -> String {
        format!("{:?}", crate::engine::Key::from(bytes))
    }

    fn elements(keyspace: &str, key: &[u8]) -> Elements {
        Elements::of(&Keyspace::new(keyspace).head(key).unwrap()).unwrap()
    }

    #[test]
    fn the_layout_is_what_the_tables_say() {
        let head = Keyspace::new("0").head(b"z").unwrap();
        assert_eq!(hex(&head), "203000007a");
        assert_eq!(key_of(&head).unwrap(), b"z");
        let z = elements("0", b"z");
        assert_eq!(hex(&z.member(b"ab")), "213000007a0000016162");
        assert_eq!(hex(&encode_score(1.5)), "bff8000000000000");
        assert_eq!(hex(&z.position(1.5, b"ab")), "213000007a000002bff80000000000006162");
        assert_eq!(hex(&elements("a\0b", b"\0").member(b"")), "216100ff62000000ff000001");
    }

    #[test]
    fn the_longest_names_fit_into_a_key() {
        let name = "\0".repeat(limits::NAME_BYTES_MAX);
        let head = Keyspace::new(&name).head(&vec![0; limits::KEY_BYTES_MAX]).unwrap();
        let position = Elements::of(&head).unwrap().position(1.0, &vec![0; limits::MEMBER_BYTES_MAX]);
        assert!(position.len() <= limits::ENGINE_KEY_BYTES_MAX);
        assert!(Keyspace::new(&"a".repeat(limits::NAME_BYTES_MAX + 1)).head(b"k").is_err());
        assert!(Keyspace::new("a").head(&vec![0; limits::KEY_BYTES_MAX + 1]).is_err());
    }

    fn score() -> impl Strategy<Value = f64> {
        prop_oneof![Just(f64::NEG_INFINITY), Just(f64::INFINITY), Just(-0.0), Just(0.0), -2.0..2.0, Just(f64::MAX)]
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xff)], 0..3)
    }

    fn bound() -> impl Strategy<Value = Bound<f64>> {
        prop_oneof![Just(Bound::Unbounded), score().prop_map(Bound::Included), score().prop_map(Bound::Excluded)]
    }

    proptest! {
        // SEM: KV-Z-1, KV-Z-4
        #[test]
        fn positions_are_ordered_by_score_then_member(s in score(), m in bytes(), t in score(), n in bytes()) {
            let z = elements("0", b"z");
            let (s, t) = (canonical(s), canonical(t));
            let (one, two) = (z.position(s, &m), z.position(t, &n));
            prop_assert_eq!(one.cmp(&two), s.partial_cmp(&t).unwrap().then(m.cmp(&n)));
            prop_assert_eq!(z.read_position(&one).unwrap(), (s, &m[..]));
        }

        // SEM: KV-Z-5
        #[test]
        fn a_range_of_scores_holds_what_is_between_its_bounds(start in bound(), end in bound(), s in score(), m in bytes()) {
            use std::ops::RangeBounds;
            let z = elements("0", b"z");
            let range = z.positions_between((start, end)).unwrap();
            prop_assert_eq!(range.contains(&z.position(canonical(s), &m)), (start, end).contains(&s));
            prop_assert!(!range.contains(&z.member(&m)));
        }

        #[test]
        fn collections_do_not_share_elements(a in bytes(), b in bytes(), m in bytes()) {
            let (one, two) = (elements("0", &a), elements("0", &b));
            prop_assert_eq!(one.all().contains(&two.member(&m)), a == b);
        }
    }
}
