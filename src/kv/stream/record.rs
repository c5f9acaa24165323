//! What the head and the elements of a stream hold. Integers are big-endian, times microseconds in ordered form.
//!
//! | of       | value                                                                                    |
//! |----------|------------------------------------------------------------------------------------------|
//! | head     | last id, greatest deleted id, entries added as a u64                                     |
//! | entry    | per field: length as a u32 and bytes of its name, length as a u32 and bytes of its value |
//! | group    | last delivered id; number as a u64; entries read as a u64, when known                     |
//! | consumer | time last seen; time last active, if ever                                                |
//! | pending  | time of delivery, deliveries as a u64, the consumer's name                               |
//! | owned    | nothing                                                                                  |

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_i64};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::stream::id::{ID_BYTES, StreamId};
use crate::limits;

/// The fields of an entry, names and values, in the order they were given. A name may be there more than once.
///
/// # Examples
/// ```
/// let fields: larder::kv::stream::Fields = vec![(b"temperature".to_vec(), b"21".to_vec())];
/// larder::Store::in_memory().kv().stream("sensor").add(larder::kv::stream::NewId::Auto, fields)?;
/// # Ok::<(), larder::Error>(())
/// ```
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// An entry of a stream.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::Entry};
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 1), [("a", "b")])?;
/// let entry = Entry { id: StreamId::new(1, 1), fields: vec![(b"a".to_vec(), b"b".to_vec())] };
/// assert_eq!(stream.range(.., None)?, [entry]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: StreamId,
    /// Its fields.
    pub fields: Fields,
}

/// What the head of a stream says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) last: StreamId,
    /// The greatest id that was deleted, by name; trimming does not count.
    pub(super) max_deleted: StreamId,
    /// How many entries were ever added.
    pub(super) added: u64,
}

impl State {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(2 * ID_BYTES + 8);
        self.last.put(&mut payload);
        self.max_deleted.put(&mut payload);
        payload.extend_from_slice(&self.added.to_be_bytes());
        payload
    }

    pub(super) fn decode(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let state = Self {
            last: StreamId::take(&mut reader)?,
            max_deleted: StreamId::take(&mut reader)?,
            added: reader.u64()?,
        };
        finished(&reader, "stream record").map(|()| state)
    }
}

/// What a group's element says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupState {
    /// The last id that was delivered.
    pub(super) last: StreamId,
    /// What its elements are stored under: a storage id, so that what a group of the same name had before is not its.
    pub(super) number: u64,
    /// How many of the entries ever added are up to the last id, when that is known.
    pub(super) read: Option<u64>,
}

impl GroupState {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(ID_BYTES + 16);
        self.last.put(&mut value);
        value.extend_from_slice(&self.number.to_be_bytes());
        if let Some(read) = self.read {
            value.extend_from_slice(&read.to_be_bytes());
        }
        value
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(value);
        let (last, number) = (StreamId::take(&mut reader)?, reader.u64()?);
        let read = if reader.rest().is_empty() { None } else { Some(reader.u64()?) };
        finished(&reader, "group").map(|()| Self { last, number, read })
    }
}

/// What a consumer's element says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Consumer {
    /// When it last asked for something.
    pub(super) seen: Timestamp,
    /// When it last got something.
    pub(super) active: Option<Timestamp>,
}

impl Consumer {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { seen: now, active: None }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(16);
        put_i64(&mut value, self.seen.as_micros());
        if let Some(active) = self.active {
            put_i64(&mut value, active.as_micros());
        }
        value
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(value);
        let seen = Timestamp::from_micros(reader.i64()?);
        let active = if reader.rest().is_empty() { None } else { Some(Timestamp::from_micros(reader.i64()?)) };
        finished(&reader, "consumer").map(|()| Self { seen, active })
    }
}

/// What the element of a pending entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) delivered: Timestamp,
    pub(super) deliveries: u64,
    pub(super) consumer: Vec<u8>,
}

impl Pending {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(16 + self.consumer.len());
        put_i64(&mut value, self.delivered.as_micros());
        value.extend_from_slice(&self.deliveries.to_be_bytes());
        value.extend_from_slice(&self.consumer);
        value
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(value);
        let delivered = Timestamp::from_micros(reader.i64()?);
        Ok(Self { delivered, deliveries: reader.u64()?, consumer: reader.rest().to_vec() })
    }
}

/// The value of an entry with these fields.
pub(super) fn encode_fields<F: AsRef<[u8]>, V: AsRef<[u8]>>(
    fields: impl IntoIterator<Item = (F, V)>,
) -> Result<Vec<u8>> {
    let mut value = Vec::new();
    for (name, field) in fields {
        put_sized(&mut value, name.as_ref())?;
        put_sized(&mut value, field.as_ref())?;
    }
    if value.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, "wrong number of arguments for 'xadd' command"));
    }
    Ok(value)
}

fn put_sized(value: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    let total = value.len().saturating_add(bytes.len()).saturating_add(4);
    limits::check("stream entry bytes", limits::ENGINE_VALUE_BYTES_MAX, total)?;
    let len = u32::try_from(bytes.len()).map_err(|_| Error::corrupt("stream entry", "a field is too long"))?;
    value.extend_from_slice(&len.to_be_bytes());
    value.extend_from_slice(bytes);
    Ok(())
}

/// Takes what [`encode_fields`] made.
pub(super) fn decode_fields(mut value: &[u8]) -> Result<Fields> {
    let mut fields = Vec::new();
    while !value.is_empty() {
        let name = take_sized(&mut value)?;
        fields.push((name, take_sized(&mut value)?));
    }
    Ok(fields)
}

fn take_sized(value: &mut &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader::new(value);
    let len = usize::try_from(reader.u32()?).ok();
    let Some((bytes, rest)) = len.and_then(|len| reader.rest().split_at_checked(len)) else {
        return Err(Error::corrupt("stream entry", "a field is cut off"));
    };
    *value = rest;
    Ok(bytes.to_vec())
}

fn finished(reader: &Reader<'_>, what: &'static str) -> Result<()> {
    if reader.rest().is_empty() { Ok(()) } else { Err(Error::corrupt(what, "bytes after its end")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id() -> impl Strategy<Value = StreamId> {
        any::<(u64, u64)>().prop_map(|(ms, seq)| StreamId::new(ms, seq))
    }

    proptest! {
        #[test]
        fn records_come_back(last in id(), max_deleted in id(), added: u64, read: Option<u64>, seen: i64,
                             active: Option<i64>, consumer: Vec<u8>) {
            let state = State { last, max_deleted, added };
            prop_assert_eq!(State::decode(&state.encode()).unwrap(), state);
            let group = GroupState { last, number: added, read };
            prop_assert_eq!(GroupState::decode(&group.encode()).unwrap(), group);
            let seen = Timestamp::from_micros(seen);
            let held = Consumer { seen, active: active.map(Timestamp::from_micros) };
            prop_assert_eq!(Consumer::decode(&held.encode()).unwrap(), held);
            let pending = Pending { delivered: seen, deliveries: added, consumer };
            prop_assert_eq!(Pending::decode(&pending.encode()).unwrap(), pending);
        }

        #[test]
        fn fields_come_back(fields in prop::collection::vec(any::<(Vec<u8>, Vec<u8>)>(), 1..5)) {
            let value = encode_fields(fields.clone()).unwrap();
            prop_assert_eq!(&decode_fields(&value).unwrap(), &fields);
            prop_assert!(decode_fields(value.split_last().unwrap().1).is_err());
        }

        #[test]
        fn any_bytes_are_refused_or_taken(bytes in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..48)) {
            let _ = (State::decode(&bytes), GroupState::decode(&bytes), Consumer::decode(&bytes));
            let _ = (Pending::decode(&bytes), decode_fields(&bytes));
        }
    }

    #[test]
    fn an_entry_has_a_field() {
        let none: [(&str, &str); 0] = [];
        assert!(matches!(encode_fields(none), Err(Error::Invalid { kind: InvalidKind::Value, .. })));
    }
}
