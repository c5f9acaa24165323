//! The keys of a stream's elements; the table of them is in `kv/layout.rs`.

use std::ops::Bound;

use crate::encoding::ordered::{Reader, put_short_u64};
use crate::engine::{Key, KeyRange};
use crate::error::{Error, Result};
use crate::kv::layout::{CONSUMER, ENTRY, Elements, GROUP, KeyBytes, OWNED, PENDING};
use crate::kv::stream::id::{ID_BYTES, StreamId};

/// Two bounds of a range of ids.
pub(super) type Bounds = (Bound<StreamId>, Bound<StreamId>);

/// Where the entry `id` is kept.
pub(super) fn entry(stream: &Elements, id: StreamId) -> KeyBytes {
    with_id(stream.kind(ENTRY, ID_BYTES), id)
}

/// All entries, by id.
pub(super) fn entries(stream: &Elements) -> KeyRange {
    KeyRange::prefix(&stream.kind(ENTRY, 0))
}

/// The entries between two ids.
pub(super) fn entries_between(stream: &Elements, bounds: Bounds) -> KeyRange {
    between(&stream.kind(ENTRY, ID_BYTES), bounds)
}

/// Where the group `name` is kept.
pub(super) fn group(stream: &Elements, name: &[u8]) -> KeyBytes {
    with_name(stream.kind(GROUP, name.len()), name)
}

/// All groups, by name.
pub(super) fn groups(stream: &Elements) -> KeyRange {
    KeyRange::prefix(&stream.kind(GROUP, 0))
}

/// The name of the group that is kept at `key`.
pub(super) fn group_name<'a>(stream: &Elements, key: &'a [u8]) -> Result<&'a [u8]> {
    name_after(&stream.kind(GROUP, 0), key)
}

/// The elements of one group, other than its own.
#[derive(Debug)]
pub(super) struct GroupElements {
    consumer: KeyBytes,
    pending: KeyBytes,
    owned: KeyBytes,
}

impl GroupElements {
    /// Those of the group with this number.
    pub(super) fn of(stream: &Elements, number: u64) -> Self {
        let prefix = |kind| {
            let mut prefix = stream.kind(kind, 9);
            put_short_u64(&mut prefix, number);
            prefix
        };
        Self { consumer: prefix(CONSUMER), pending: prefix(PENDING), owned: prefix(OWNED) }
    }

    /// What everything that goes with the group begins with.
    pub(super) fn all(&self) -> [&[u8]; 3] {
        [&self.consumer, &self.pending, &self.owned]
    }

    /// Where the consumer `name` is kept.
    pub(super) fn consumer(&self, name: &[u8]) -> KeyBytes {
        with_name(self.consumer.clone(), name)
    }

    /// All consumers, by name.
    pub(super) fn consumers(&self) -> KeyRange {
        KeyRange::prefix(&self.consumer)
    }

    /// The name of the consumer that is kept at `key`.
    pub(super) fn consumer_name<'a>(&self, key: &'a [u8]) -> Result<&'a [u8]> {
        name_after(&self.consumer, key)
    }

    /// Where it is kept that the entry `id` was delivered and not acknowledged.
    pub(super) fn pending(&self, id: StreamId) -> KeyBytes {
        with_id(self.pending.clone(), id)
    }

    /// The pending entries between two ids.
    pub(super) fn pending_between(&self, bounds: Bounds) -> KeyRange {
        between(&self.pending, bounds)
    }

    /// Where it is kept that the pending entry `id` is the consumer's.
    pub(super) fn owned(&self, consumer: &[u8], id: StreamId) -> Result<KeyBytes> {
        Ok(with_id(self.owned_prefix(consumer)?, id))
    }

    /// The consumer's pending entries between two ids.
    pub(super) fn owned_between(&self, consumer: &[u8], bounds: Bounds) -> Result<KeyRange> {
        Ok(between(&self.owned_prefix(consumer)?, bounds))
    }

    /// The length goes before the name, so that no name begins with another.
    fn owned_prefix(&self, consumer: &[u8]) -> Result<KeyBytes> {
        let len = u16::try_from(consumer.len()).map_err(|_| Error::corrupt("consumer", "its name is too long"))?;
        let mut prefix = KeyBytes::with_capacity(self.owned.len() + 2 + consumer.len() + ID_BYTES);
        prefix.extend_from_slice(&self.owned);
        prefix.extend_from_slice(&len.to_be_bytes());
        prefix.extend_from_slice(consumer);
        Ok(prefix)
    }
}

fn with_name(mut key: KeyBytes, name: &[u8]) -> KeyBytes {
    key.extend_from_slice(name);
    key
}

fn with_id(mut key: KeyBytes, id: StreamId) -> KeyBytes {
    id.put(&mut key);
    key
}

fn name_after<'a>(prefix: &[u8], key: &'a [u8]) -> Result<&'a [u8]> {
    key.strip_prefix(prefix).ok_or_else(|| Error::corrupt("stream element", "it is of another stream"))
}

fn between(prefix: &[u8], (start, end): Bounds) -> KeyRange {
    let key = |id| Key::from(with_id(prefix.into(), id));
    KeyRange::prefix(prefix).clamp(start.map(key), end.map(key))
}

/// The id that an element's key ends in.
pub(super) fn id_of(key: &[u8]) -> Result<StreamId> {
    let (_, id) = key.split_at(key.len().saturating_sub(ID_BYTES));
    StreamId::take(&mut Reader::new(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn hex(bytes: &[u8]) -> String {
        format!("{:?}", Key::from(bytes))
    }

    #[test]
    fn the_layout_is_what_the_table_says() {
        let stream = Elements::of(7);
        let id = StreamId::new(1, 2);
        let id_hex = "00000000000000010000000000000002";
        assert_eq!(hex(&entry(&stream, id)), format!("21010710{id_hex}"));
        assert_eq!(hex(&group(&stream, b"g")), "2101071167");
        let group = GroupElements::of(&stream, 9);
        assert_eq!(hex(&group.consumer(b"c")), "21010712010963");
        assert_eq!(hex(&group.pending(id)), format!("210107130109{id_hex}"));
        assert_eq!(hex(&group.owned(b"c", id).unwrap()), format!("210107140109000163{id_hex}"));
        assert_eq!(id_of(&group.owned(b"c", id).unwrap()).unwrap(), id);
    }

    #[test]
    fn the_longest_names_fit_into_a_key() {
        let longest = vec![0; limits::GROUP_NAME_BYTES_MAX];
        let group = GroupElements::of(&Elements::of(u64::MAX), u64::MAX);
        assert!(super::group(&Elements::of(u64::MAX), &longest).len() <= limits::ENGINE_KEY_BYTES_MAX);
        assert!(group.owned(&longest, StreamId::MAX).unwrap().len() <= limits::ENGINE_KEY_BYTES_MAX);
        assert!(group.consumer(&longest).len() <= limits::ENGINE_KEY_BYTES_MAX);
    }

    #[test]
    fn groups_and_consumers_share_no_elements() {
        let stream = Elements::of(7);
        let names = [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"\0\x01a"];
        let numbers = [0, 1, 255, 256, 1 << 40, u64::MAX];
        let all = (Bound::Unbounded, Bound::Unbounded);
        for (one, two) in numbers.iter().flat_map(|one| numbers.iter().map(move |two| (*one, *two))) {
            let (first, second) = (GroupElements::of(&stream, one), GroupElements::of(&stream, two));
            assert_eq!(first.consumers().contains(&second.consumer(b"c")), one == two);
            assert_eq!(first.pending_between(all).contains(&second.pending(StreamId::MIN)), one == two);
        }
        let group = GroupElements::of(&stream, 9);
        for (one, two) in names.iter().flat_map(|one| names.iter().map(move |two| (*one, *two))) {
            let owned = group.owned(two, StreamId::MAX).unwrap();
            assert_eq!(group.owned_between(one, all).unwrap().contains(&owned), one == two);
        }
    }
}
