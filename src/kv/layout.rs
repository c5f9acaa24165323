//! The keys of the engine under which a keyspace is kept.
//!
//! One head entry per key:
//!
//! | bytes | field    | encoding                                                                                     |
//! |-------|----------|----------------------------------------------------------------------------------------------|
//! | 1     | owner    | `0x20`                                                                                       |
//! | 2..   | keyspace | its name, each `00` escaped as `00 ff`, terminated by `00 00`; or `ff`, which no name has,   |
//! |       |          | and a storage id, once the keyspace was emptied or has changed places ([`Keyspace`])         |
//! | 0..   | key      | raw; last, so it needs no terminator; shortened when it is long ([`long`])                   |
//!
//! The elements of a collection, whose head has its storage id:
//!
//! | bytes | field    | encoding                                                      |
//! |-------|----------|---------------------------------------------------------------|
//! | 1     | owner    | `0x21`                                                        |
//! | 1..9  | id       | storage id, a short u64 of [`crate::encoding::ordered`]       |
//! | 1     | kind     | `0x01` member or field, `0x02` position, `0x03` place         |
//! | 8     | score    | position only: `f64` in ordered form, `-0.0` stored as `0.0`  |
//! | 8     | place    | place only: ordered i64                                       |
//! | 0..   | member   | raw, shortened when it is long; a place has none              |
//!
//! The elements of a stream, after owner and id:
//!
//! | kind   | element  | more                                                                  |
//! |--------|----------|-----------------------------------------------------------------------|
//! | `0x10` | entry    | id                                                                    |
//! | `0x11` | group    | name, raw                                                             |
//! | `0x12` | consumer | number of the group, a short u64; name, raw                           |
//! | `0x13` | pending  | number of the group; id                                               |
//! | `0x14` | owned    | number of the group; consumer after its length as a u16; id           |
//!
//! An id of an entry is two u64; they and the length are big-endian. The values are in `kv/stream/record.rs`.
//!
//! What is shortened is whole in the value, before what else that has. The value of a sorted set's member is its score in ordered form, that of a position is empty; a set's member has an empty value,
//! a hash's field and a list's place have theirs. Position of `"ab"` at 1.5 in the
//! sorted set that is stored under 7: `21 0107 02 bff8000000000000 6162`.
//!
//! # Addresses
//! What a key is called, wherever its keyspace is stored, is its address: owner, name of the keyspace, key, as in a head
//! that is stored under the name. Events, and who waits for a key, go by it.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::catalog::place;
use crate::encoding::long;
use crate::encoding::ordered::{Reader, put_bytes, put_f64, put_i64, put_short_u64};
use crate::encoding::owner;
use crate::engine::{Key, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::{View, Writer};

const MEMBER: u8 = 0x01;
const POSITION: u8 = 0x02;
const PLACE: u8 = 0x03;
pub(super) const ENTRY: u8 = 0x10;
pub(super) const GROUP: u8 = 0x11;
pub(super) const CONSUMER: u8 = 0x12;
pub(super) const PENDING: u8 = 0x13;
pub(super) const OWNED: u8 = 0x14;

/// A key of the engine: most take no allocation.
pub(super) type KeyBytes = SmallVec<[u8; KEY_BYTES_INLINE]>;

const KEY_BYTES_INLINE: usize = 64;

/// The name of a keyspace, and where it is stored.
///
/// A keyspace is stored under its name at first. Emptying it gives it another place, where nothing is, and leaves the old one to
/// be removed as a job; changing places with another is what it says. The catalogue has who is not where its name says
/// ([`place`]).
#[derive(Debug)]
pub(crate) struct Keyspace {
    name: String,
    /// Owner and name: how every address begins, and every head while the keyspace is stored under its name.
    own: KeyBytes,
    /// Where the catalogue has another place.
    entry: Vec<u8>,
    /// A state of the catalogue in which the keyspace is stored under its name; 0 for none. Nearly all are, always.
    own_epoch: AtomicU64,
    /// Another place, and the state of the catalogue in which it was found.
    moved: Mutex<Option<(u64, KeyBytes)>>,
}

impl Keyspace {
    pub(crate) fn new(name: &str) -> Self {
        let mut own = KeyBytes::from_slice(&[owner::KEYS]);
        put_bytes(&mut own, name.as_bytes());
        let (own_epoch, moved) = (AtomicU64::new(0), Mutex::new(None));
        Self { name: name.to_owned(), own, entry: place::key(name), own_epoch, moved }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where the catalogue has the keyspace's place.
    pub(super) fn entry(&self) -> &[u8] {
        &self.entry
    }

    /// Where the head of `key` is kept.
    pub(super) fn head(&self, view: &View, key: &[u8]) -> Result<KeyBytes> {
        limits::check("key bytes", limits::KEY_BYTES_MAX, key.len())?;
        self.at_place(view, |place| joined(place, key))
    }

    /// The address of `key`.
    pub(super) fn address(&self, key: &[u8]) -> Result<KeyBytes> {
        self.check_name()?;
        limits::check("key bytes", limits::KEY_BYTES_MAX, key.len())?;
        Ok(joined(&self.own, key))
    }

    /// The heads of all keys.
    pub(super) fn heads(&self, view: &View) -> Result<KeyRange> {
        self.at_place(view, KeyRange::prefix)
    }

    /// What every head begins with.
    pub(super) fn place(&self, view: &View) -> Result<KeyBytes> {
        self.at_place(view, KeyBytes::from_slice)
    }

    /// Takes the keyspace out of its place.
    pub(super) fn leave(&self, writer: &mut Writer, place: &[u8]) {
        place::leave(writer, &self.name, place);
    }

    /// Moves the keyspace, which has left its place, to `place`.
    pub(super) fn move_to(&self, writer: &mut Writer, place: &[u8]) -> Result<()> {
        place::take(writer, &self.name, place, &self.own)
    }

    /// How every address begins.
    pub(super) fn own(&self) -> &[u8] {
        &self.own
    }

    fn at_place<R>(&self, view: &View, use_place: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.check_name()?;
        let epoch = view.epoch();
        if let Some(epoch) = epoch {
            if self.own_epoch.load(Ordering::Relaxed) == epoch {
                view.note(&self.entry);
                return Ok(use_place(&self.own));
            }
            if let Some((_, place)) = self.moved.lock().as_ref().filter(|(at, _)| *at == epoch) {
                view.note(&self.entry);
                return Ok(use_place(place));
            }
        }
        let moved = place::of(view, &self.name)?;
        if let Some(epoch) = epoch {
            match &moved {
                None => self.own_epoch.store(epoch, Ordering::Relaxed),
                Some(place) => *self.moved.lock() = Some((epoch, KeyBytes::from_slice(place))),
            }
        }
        Ok(use_place(moved.as_deref().unwrap_or(&self.own)))
    }

    /// The keyspace's name and the key that have this address.
    pub(super) fn name_and_key(address: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut reader = Reader::new(address);
        reader.u8()?;
        let name = reader.bytes()?;
        Ok((name, reader.rest().to_vec()))
    }

    fn check_name(&self) -> Result<()> {
        limits::check("keyspace name bytes", limits::NAME_BYTES_MAX, self.name.len())
    }
}

/// One behind the other.
#[inline]
pub(super) fn joined(place: &[u8], key: &[u8]) -> KeyBytes {
    // Nearly all fit in, and then two copies are all there is to do.
    let (mut bytes, length) = ([0; KEY_BYTES_INLINE], place.len() + key.len());
    if let Some((start, rest)) = bytes.get_mut(..length).and_then(|head| head.split_at_mut_checked(place.len())) {
        start.copy_from_slice(place);
        rest.copy_from_slice(key);
        return KeyBytes::from_buf_and_len(bytes, length);
    }
    let mut head = KeyBytes::with_capacity(place.len() + key.len());
    head.extend_from_slice(place);
    head.extend_from_slice(key);
    head
}

/// What the byte behind the owner is when a storage id follows instead of a name: none of UTF-8.
const NUMBERED: u8 = 0xff;

/// A place of a keyspace with a storage id.
pub(super) fn numbered_place(id: u64) -> KeyBytes {
    let mut place = KeyBytes::from_slice(&[owner::KEYS, NUMBERED]);
    put_short_u64(&mut place, id);
    place
}

/// Takes a head's key apart: the place of its keyspace, and the key.
fn split(head: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut reader = Reader::new(head);
    reader.u8()?;
    if reader.rest().first() == Some(&NUMBERED) {
        reader.u8()?;
        reader.short_u64()?;
    } else {
        reader.skip_bytes()?;
    }
    let key = reader.rest();
    let (place, _) = head.split_at(head.len() - key.len());
    Ok((place, key))
}

/// The engine's key of the head with this name. Heads are named by their keyspace's place and the whole key; the engine has
/// the key shortened when it is long.
#[inline]
pub(super) fn stored(head: &[u8]) -> Cow<'_, [u8]> {
    // Before anything is looked at: nearly none is so long.
    if long::is_long(head) { shortened(head) } else { Cow::Borrowed(head) }
}

#[cold]
fn shortened(head: &[u8]) -> Cow<'_, [u8]> {
    let Ok((place, key)) = split(head) else { return Cow::Borrowed(head) };
    let mut stored = place.to_vec();
    long::put_last(&mut stored, key);
    Cow::Owned(stored)
}

/// The key that is long, of the head with this name.
#[inline]
pub(super) fn long_key(head: &[u8]) -> Option<&[u8]> {
    if !long::is_long(head) {
        return None;
    }
    split(head).ok().map(|(_, key)| key).filter(|key| long::is_long(key))
}

/// The key that `head` is the head of.
pub(super) fn key_of(head: &[u8]) -> Result<&[u8]> {
    Ok(split(head)?.1)
}

/// The place of the keyspace that has the head at `head`.
pub(super) fn place_of(head: &[u8]) -> Result<&[u8]> {
    Ok(split(head)?.0)
}

/// A state of the catalogue in which every keyspace is where its name says. Numbers of states are those of one store only.
static PLAIN_EPOCH: AtomicU64 = AtomicU64::new(0);

/// The address of the key whose head is kept at `head`; `None` when its keyspace was emptied since it was put there.
pub(super) fn address_of(view: &View, head: &[u8]) -> Result<Option<KeyBytes>> {
    let epoch = view.epoch().filter(|_| !view.is_tracked());
    if let Some(epoch) = epoch {
        if PLAIN_EPOCH.load(Ordering::Relaxed) == epoch {
            return Ok(Some(KeyBytes::from_slice(head)));
        }
        if place::are_plain(view)? {
            PLAIN_EPOCH.store(epoch, Ordering::Relaxed);
            return Ok(Some(KeyBytes::from_slice(head)));
        }
    }
    let (place, key) = split(head)?;
    if let Some(name) = place::name_of(view, place)? {
        let mut address = KeyBytes::from_slice(&[owner::KEYS]);
        put_bytes(&mut address, &name);
        address.extend_from_slice(key);
        return Ok(Some(address));
    }
    if place.get(1) == Some(&NUMBERED) {
        return Ok(None);
    }
    let (name, _) = Keyspace::name_and_key(head)?;
    let name = String::from_utf8(name).map_err(|_| Error::corrupt("key", "the name of its keyspace is not UTF-8"))?;
    let is_there = place::of(view, &name)?.is_none();
    Ok(is_there.then(|| KeyBytes::from_slice(head)))
}

/// The elements of one collection.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    storage: u64,
    /// An owner and a short u64: ten bytes at most.
    prefix: SmallVec<[u8; 16]>,
}

impl Elements {
    /// What is stored under a storage id.
    pub(super) fn of(storage: u64) -> Self {
        let mut prefix = SmallVec::from_slice(&[owner::KEY_ELEMENTS]);
        put_short_u64(&mut prefix, storage);
        Self { storage, prefix }
    }

    pub(super) fn storage(&self) -> u64 {
        self.storage
    }

    /// What every entry of the collection but its head begins with.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Every entry of the collection but its head.
    pub(super) fn all(&self) -> KeyRange {
        KeyRange::prefix(&self.prefix)
    }

    /// Where `member` is kept.
    pub(super) fn member(&self, member: &[u8]) -> KeyBytes {
        if !long::is_long(member) {
            return self.element(MEMBER, member);
        }
        let mut key = self.kind(MEMBER, limits::KEY_COMPONENT_BYTES_MAX);
        long::put_last(&mut key, member);
        key
    }

    /// Where `member` stands in the order.
    pub(super) fn position(&self, score: f64, member: &[u8]) -> KeyBytes {
        let mut key = self.kind(POSITION, 8 + member.len().min(limits::KEY_COMPONENT_BYTES_MAX));
        put_f64(&mut key, score);
        long::put_last(&mut key, member);
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

    /// Score and member of a position that is kept at `key` with `value`.
    pub(super) fn read_position<'a>(&self, key: &'a [u8], value: &'a [u8]) -> Result<(f64, &'a [u8])> {
        let field = key.get(self.prefix.len() + 1..).unwrap_or_default();
        let mut reader = Reader::new(field);
        Ok((reader.f64()?, long::split(reader.rest(), value)?.0))
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

    /// The member or field whose entry is at `key` with `value`, and what is kept for it.
    pub(super) fn read_member<'a>(&self, key: &'a [u8], value: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
        long::split(key.get(self.prefix.len() + 1..).unwrap_or_default(), value)
    }

    /// The key in `to` of the element that is kept here at `key`.
    pub(super) fn moved(&self, key: &[u8], to: &Self) -> KeyBytes {
        let mut moved = KeyBytes::from_slice(&to.prefix);
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
        check_bound(bound)?;
        Ok(bound.map(|score| KeyRange::prefix(&self.position(canonical(score), &[]))))
    }

    /// The key of an element of `kind`, with room for `more` bytes.
    pub(super) fn kind(&self, kind: u8, more: usize) -> KeyBytes {
        let mut key = self.element(kind, &[]);
        key.reserve(more);
        key
    }

    /// The key of the element `rest` of `kind`.
    #[inline]
    fn element(&self, kind: u8, rest: &[u8]) -> KeyBytes {
        // As in `joined`: nearly all fit in.
        let (mut bytes, before) = ([0; KEY_BYTES_INLINE], self.prefix.len());
        let length = before + 1 + rest.len();
        if let Some((start, [at_kind, end @ ..])) =
            bytes.get_mut(..length).and_then(|key| key.split_at_mut_checked(before))
        {
            start.copy_from_slice(&self.prefix);
            *at_kind = kind;
            end.copy_from_slice(rest);
            return KeyBytes::from_buf_and_len(bytes, length);
        }
        let mut key = KeyBytes::with_capacity(length);
        key.extend_from_slice(&self.prefix);
        key.push(kind);
        key.extend_from_slice(rest);
        key
    }
}

/// Refuses bounds of a range of scores that are not valid.
pub(super) fn check_scores((start, end): (Bound<f64>, Bound<f64>)) -> Result<()> {
    check_bound(start)?;
    check_bound(end)
}

fn check_bound(bound: Bound<f64>) -> Result<()> {
    match bound {
        Bound::Included(score) | Bound::Excluded(score) if score.is_nan() => {
            Err(Error::invalid(InvalidKind::Value, "a bound of a range of scores is not a number (NaN)"))
        }
        _ => Ok(()),
    }
}

/// `score` as it is stored: the two zeros are one.
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

    #[test]
    fn the_layout_is_what_the_tables_say() {
        let head = Keyspace::new("0").address(b"z").unwrap();
        assert_eq!(hex(&head), "203000007a");
        assert_eq!(key_of(&head).unwrap(), b"z");
        let numbered = joined(&numbered_place(300), b"z");
        assert_eq!(hex(&numbered), "20ff02012c7a");
        assert_eq!(key_of(&numbered).unwrap(), b"z");
        assert_eq!(hex(&Keyspace::new("a\0b").address(b"\0").unwrap()), "206100ff62000000");
        let z = Elements::of(7);
        assert_eq!(hex(&z.member(b"ab")), "210107016162");
        assert_eq!(hex(&encode_score(1.5)), "bff8000000000000");
        assert_eq!(hex(&z.position(1.5, b"ab")), "21010702bff80000000000006162");
    }

    #[test]
    fn the_longest_names_fit_into_a_key() {
        let name = "\0".repeat(limits::NAME_BYTES_MAX);
        let longest = vec![0; 20_000];
        let address = Keyspace::new(&name).address(&longest).unwrap();
        assert!(stored(&address).len() <= limits::ENGINE_KEY_BYTES_MAX);
        assert_eq!(long_key(&address), Some(&longest[..]));
        let position = Elements::of(u64::MAX).position(1.0, &longest);
        assert!(position.len() <= limits::ENGINE_KEY_BYTES_MAX);
        assert!(Keyspace::new(&"a".repeat(limits::NAME_BYTES_MAX + 1)).address(b"k").is_err());
        assert!(Keyspace::new("a").address(&vec![0; limits::KEY_BYTES_MAX + 1]).is_err());
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
            let z = Elements::of(7);
            let (s, t) = (canonical(s), canonical(t));
            let (one, two) = (z.position(s, &m), z.position(t, &n));
            prop_assert_eq!(one.cmp(&two), s.partial_cmp(&t).unwrap().then(m.cmp(&n)));
            prop_assert_eq!(z.read_position(&one, &[]).unwrap(), (s, &m[..]));
        }

        // SEM: KV-Z-5
        #[test]
        fn a_range_of_scores_holds_what_is_between_its_bounds(start in bound(), end in bound(), s in score(), m in bytes()) {
            use std::ops::RangeBounds;
            let z = Elements::of(7);
            let range = z.positions_between((start, end)).unwrap();
            prop_assert_eq!(range.contains(&z.position(canonical(s), &m)), (start, end).contains(&s));
            prop_assert!(!range.contains(&z.member(&m)));
        }

        #[test]
        fn collections_do_not_share_elements(a in 0..600u64, b in 0..600u64, m in bytes()) {
            let (one, two) = (Elements::of(a), Elements::of(b));
            prop_assert_eq!(one.all().contains(&two.member(&m)), a == b);
        }
    }
}
