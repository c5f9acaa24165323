//! The record that a head entry holds: what a key is, until when, and, when it is a string, its bytes.
//!
//! | bytes | field    | encoding                                                                         |
//! |-------|----------|----------------------------------------------------------------------------------|
//! | 1     | type     | `01` string, `02` hash, `03` list, `04` set, `05` sorted set, `06` stream        |
//! | 1     | flags    | bit 0: a deadline follows; bit 1: a storage id follows; bit 2: a key follows;    |
//! |       |          | bit 3: the deadline is in milliseconds, for it is beyond what microseconds tell  |
//! | 0, 8  | deadline | microseconds (with bit 3: milliseconds) since the epoch, as an ordered i64       |
//! | 0..9  | storage  | id of where the elements are, a short u64; all but strings have one              |
//! | 0, 4.. | key     | length as a u32, and the key itself, which is shortened where the head is kept   |
//! | 0..   | payload  | string: its bytes; list: `kv/list/extent.rs`; stream: `kv/stream/record.rs`      |
//! |       |          | the others: nothing                                                              |
//!
//! The string `"7"` that expires a
//! second after the epoch: `01 01 80000000000f4240 37`. A set whose elements are under 7: `04 02 0107`.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_i64, put_short_u64};
use crate::error::{Error, Result};
use crate::kv::layout::{Elements, KeyBytes, joined, key_of, long_key, place_of};

/// What a key holds.
///
/// # Examples
/// ```
/// use larder::kv::Kind;
/// let kv = larder::Store::in_memory().kv();
/// kv.set("k", "v")?;
/// assert_eq!(kv.kind("k")?, Some(Kind::String));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Bytes, which may spell a number.
    String,
    /// Fields with values.
    Hash,
    /// Values in the order in which they were put in.
    List,
    /// Members.
    Set,
    /// Members with scores.
    SortedSet,
    /// Entries by id, with groups of consumers.
    Stream,
}

impl Kind {
    fn tag(self) -> u8 {
        match self {
            Self::String => STRING,
            Self::Hash => 0x02,
            Self::List => 0x03,
            Self::Set => 0x04,
            Self::SortedSet => 0x05,
            Self::Stream => 0x06,
        }
    }

    fn from_tag(tag: u8) -> Result<Self> {
        match tag {
            STRING => Ok(Self::String),
            0x02 => Ok(Self::Hash),
            0x03 => Ok(Self::List),
            0x04 => Ok(Self::Set),
            0x05 => Ok(Self::SortedSet),
            0x06 => Ok(Self::Stream),
            other => Err(Error::corrupt("key record", format!("type {other:02x}"))),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted set",
            Self::Stream => "stream",
        }
    }

    /// Whether there are entries besides the head.
    pub(super) fn has_elements(self) -> bool {
        match self {
            Self::String => false,
            Self::Hash | Self::List | Self::Set | Self::SortedSet | Self::Stream => true,
        }
    }
}

/// The tag of a string.
const STRING: u8 = 0x01;

/// Flag: the key has a deadline.
const HAS_DEADLINE: u8 = 0x01;

/// Flag: there are elements elsewhere.
const HAS_STORAGE: u8 = 0x02;

/// Flag: the key is long.
const HAS_KEY: u8 = 0x04;

/// Flag: the deadline is in milliseconds, beyond the last moment that microseconds can express.
const IS_FAR: u8 = 0x08;

/// What a record says besides its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// The last moment there is for one that is further off.
    pub(super) deadline: Option<Timestamp>,
    /// The milliseconds of a deadline that is further off than microseconds can express.
    far_millis: Option<i64>,
    /// What the elements are stored under; strings have none.
    storage: Option<u64>,
}

impl Head {
    /// The head of a string.
    pub(super) fn string(deadline: Option<Timestamp>) -> Self {
        Self { kind: Kind::String, deadline, far_millis: None, storage: None }
    }

    /// The head of a collection with these elements.
    pub(super) fn collection(kind: Kind, deadline: Option<Timestamp>, elements: &Elements) -> Self {
        Self { kind, deadline, far_millis: None, storage: Some(elements.storage()) }
    }

    /// The same with another deadline, or none.
    pub(super) fn with_deadline(self, deadline: Option<Timestamp>) -> Self {
        Self { deadline, far_millis: None, ..self }
    }

    /// The same with a deadline this many milliseconds after the epoch, if that is further off than microseconds can
    /// express.
    pub(super) fn with_far_deadline(self, millis: i64) -> Self {
        if millis.checked_mul(1_000).is_some() {
            return self;
        }
        Self { deadline: Some(Timestamp::from_millis(millis)), far_millis: Some(millis), ..self }
    }

    /// The milliseconds of a deadline that is further off than microseconds can express.
    pub(super) fn far_millis(self) -> Option<i64> {
        self.far_millis
    }

    /// The same with other elements; a string stays what it is.
    pub(super) fn with_elements(self, elements: &Elements) -> Self {
        Self { storage: self.storage.map(|_| elements.storage()), ..self }
    }

    /// Where the elements are; strings have none.
    pub(super) fn elements(self) -> Option<Elements> {
        self.storage.map(Elements::of)
    }

    /// Where the elements of a collection are, which the key is known to hold.
    pub(super) fn require_elements(self) -> Result<Elements> {
        self.elements().ok_or_else(|| Error::corrupt("key record", "a collection without a storage id"))
    }

    /// Whether the key is there at `now`. At its deadline it no longer is.
    pub(super) fn is_live(self, now: impl FnOnce() -> Timestamp) -> bool {
        self.deadline.is_none_or(|deadline| now() < deadline)
    }

    /// Refuses a key of another kind than `expected`; it is kept at `head`.
    pub(super) fn expect(self, expected: Kind, head: &[u8]) -> Result<()> {
        if self.kind == expected {
            return Ok(());
        }
        let key = String::from_utf8_lossy(key_of(head)?).into_owned();
        Err(Error::WrongType { key, expected: expected.name(), found: self.kind.name() })
    }

    /// The record with this head and `payload`, of a key that is given when it is long.
    pub(super) fn encode(self, long_key: Option<&[u8]>, payload: &[u8]) -> KeyBytes {
        // Most records are a few bytes of a string, and made with two copies.
        if let (Self { kind, deadline: None, storage: None, .. }, None) = (self, long_key) {
            return joined(&[kind.tag(), 0], payload);
        }
        let key_bytes = long_key.map_or(0, |key| 4 + key.len());
        let mut record = KeyBytes::with_capacity(19 + key_bytes + payload.len());
        record.push(self.kind.tag());
        let has_deadline = if self.deadline.is_some() { HAS_DEADLINE } else { 0 };
        let has_storage = if self.storage.is_some() { HAS_STORAGE } else { 0 };
        let has_key = if long_key.is_some() { HAS_KEY } else { 0 };
        let is_far = if self.far_millis.is_some() { IS_FAR } else { 0 };
        record.push(has_deadline | has_storage | has_key | is_far);
        if let Some(deadline) = self.deadline {
            put_i64(&mut record, self.far_millis.unwrap_or(deadline.as_micros()));
        }
        if let Some(storage) = self.storage {
            put_short_u64(&mut record, storage);
        }
        if let Some(key) = long_key {
            // What is longer is refused by its limit.
            record.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
            record.extend_from_slice(key);
        }
        record.extend_from_slice(payload);
        record
    }

    /// The long key that a record has.
    pub(super) fn long_key(record: &[u8]) -> Result<Option<&[u8]>> {
        Ok(Whole::decode(record)?.long_key)
    }

    /// Takes a record apart: head and payload.
    #[inline]
    pub(super) fn decode(record: &[u8]) -> Result<(Self, &[u8])> {
        // A string without a deadline, as most are, has nothing to be looked at.
        if let [STRING, 0, payload @ ..] = record {
            return Ok((Self::string(None), payload));
        }
        let Whole { head, payload, .. } = Whole::decode(record)?;
        Ok((head, payload))
    }
}

/// The name of the head that is kept at `stored` with this record.
pub(super) fn named<'a>(stored: &'a [u8], record: &[u8]) -> Result<Cow<'a, [u8]>> {
    if long_key(stored).is_none() {
        return Ok(Cow::Borrowed(stored));
    }
    let place = place_of(stored)?;
    let key = Head::long_key(record)?.ok_or_else(|| Error::corrupt("key record", "it does not have its long key"))?;
    Ok(Cow::Owned([place, key].concat()))
}

/// A record taken apart.
struct Whole<'a> {
    head: Head,
    long_key: Option<&'a [u8]>,
    payload: &'a [u8],
}

impl<'a> Whole<'a> {
    fn decode(record: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(record);
        let kind = Kind::from_tag(reader.u8()?)?;
        let flags = reader.u8()?;
        // Elements are what makes a key no string.
        let is_known = flags & !(HAS_DEADLINE | HAS_STORAGE | HAS_KEY | IS_FAR) == 0;
        let is_timed = flags & IS_FAR == 0 || flags & HAS_DEADLINE != 0;
        if !is_known || !is_timed || (flags & HAS_STORAGE != 0) != kind.has_elements() {
            return Err(Error::corrupt("key record", format!("flags {flags:02x} of a {}", kind.name())));
        }
        let (mut deadline, mut far_millis) = (None, None);
        if flags & IS_FAR != 0 {
            let millis = reader.i64()?;
            if millis <= i64::MAX / 1_000 {
                return Err(Error::corrupt("key record", format!("{millis} ms are no deadline beyond microseconds")));
            }
            (deadline, far_millis) = (Some(Timestamp::from_millis(millis)), Some(millis));
        } else if flags & HAS_DEADLINE != 0 {
            deadline = Some(Timestamp::from_micros(reader.i64()?));
        }
        let storage = if flags & HAS_STORAGE != 0 { Some(reader.short_u64()?) } else { None };
        let head = Head { kind, deadline, far_millis, storage };
        if flags & HAS_KEY == 0 {
            return Ok(Self { head, long_key: None, payload: reader.rest() });
        }
        let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        let split = reader.rest().split_at_checked(length);
        let (key, payload) = split.ok_or_else(|| Error::corrupt("key record", "its key is cut"))?;
        Ok(Self { head, long_key: Some(key), payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_what_the_table_says() {
        let head = Head::string(Some(Timestamp::from_seconds(1)));
        assert_eq!(*head.encode(None, b"7"), [1, 1, 0x80, 0, 0, 0, 0, 0x0f, 0x42, 0x40, b'7']);
        assert_eq!(*Head::collection(Kind::Set, None, &Elements::of(7)).encode(None, b""), [4, 2, 1, 7]);
        assert_eq!(*Head::string(None).encode(Some(b"k"), b"v"), [1, 4, 0, 0, 0, 1, b'k', b'v']);
        assert!(Head::decode(&[4, 0]).is_err() && Head::decode(&[1, 2, 1, 7]).is_err());
    }

    // SEM: KV-EXP-1
    #[test]
    fn a_deadline_beyond_microseconds_is_kept_in_milliseconds() {
        let last = i64::MAX / 1_000;
        let far = Head::string(None).with_far_deadline(last + 1);
        assert_eq!((far.deadline, far.far_millis()), (Some(Timestamp::from_micros(i64::MAX)), Some(last + 1)));
        let record = far.encode(None, b"v");
        assert_eq!(record[1], HAS_DEADLINE | IS_FAR);
        assert_eq!(Head::decode(&record).unwrap(), (far, &b"v"[..]));
        assert_eq!(Head::string(None).with_far_deadline(last), Head::string(None));
        assert_eq!(far.with_deadline(None), Head::string(None));
        let mut near = Head::string(Some(Timestamp::from_micros(last))).encode(None, b"v");
        near[1] |= IS_FAR;
        assert!(Head::decode(&near).is_err());
        assert!(Head::decode(&[1, IS_FAR, b'v']).is_err());
    }

    proptest! {
        #[test]
        fn a_record_has_one_encoding(bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..14)) {
            if let Ok(Whole { head, long_key, payload }) = Whole::decode(&bytes) {
                prop_assert_eq!(head.encode(long_key, payload).into_vec(), bytes);
            }
        }

        #[test]
        fn a_record_comes_back(deadline: Option<i64>, set: bool, payload: Vec<u8>) {
            let deadline = deadline.map(Timestamp::from_micros);
            let head = if set {
                Head::collection(Kind::SortedSet, deadline, &Elements::of(300))
            } else {
                Head::string(deadline)
            };
            let record = head.encode(None, &payload);
            prop_assert_eq!(Head::decode(&record).unwrap(), (head, &payload[..]));
        }
    }
}
