//! A whole stream, as it is carried from one store to another.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::record::{Head, Kind};
use crate::kv::stream::backlog::{self, ALL};
use crate::kv::stream::layout::{self, GroupElements};
use crate::kv::stream::record::{self, Consumer, Entry, GroupState, Pending, State};
use crate::kv::stream::{StreamId, group, range};
use crate::kv::{entry, stream};
use crate::txn::{View, Writer};

/// Everything that belongs to a stream but its deadline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::kv) struct Image {
    pub(in crate::kv) last: StreamId,
    pub(in crate::kv) max_deleted: StreamId,
    pub(in crate::kv) added: u64,
    /// In the order of their ids.
    pub(in crate::kv) entries: Vec<Entry>,
    pub(in crate::kv) groups: Vec<GroupImage>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::kv) struct GroupImage {
    pub(in crate::kv) name: Vec<u8>,
    pub(in crate::kv) last: StreamId,
    pub(in crate::kv) read: Option<u64>,
    pub(in crate::kv) pending: BTreeMap<StreamId, PendingImage>,
    /// Of each name, when it was last seen and last active.
    pub(in crate::kv) consumers: BTreeMap<Vec<u8>, (Timestamp, Option<Timestamp>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kv) struct PendingImage {
    pub(in crate::kv) delivered: Timestamp,
    pub(in crate::kv) deliveries: u64,
    /// One of the group's.
    pub(in crate::kv) consumer: Vec<u8>,
}

impl Image {
    /// The stream whose elements and head's payload these are.
    pub(in crate::kv) fn read(view: &View, elements: &Elements, payload: &[u8]) -> Result<Self> {
        let State { last, max_deleted, added } = State::decode(payload)?;
        let entries = range::collect(view, &layout::entries(elements), Direction::Forward, None)?;
        let mut groups = Vec::new();
        let mut cursor = view.range(&layout::groups(elements), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            groups.push(GroupImage::read(view, elements, layout::group_name(elements, key)?, value)?);
        }
        Ok(Self { last, max_deleted, added, entries, groups })
    }

    /// Makes the stream at `key`, where there is nothing.
    pub(in crate::kv) fn write(&self, writer: &mut Writer, key: &[u8], deadline: Option<Timestamp>) -> Result<()> {
        let elements = entry::elements(writer, None)?;
        let state = State { last: self.last, max_deleted: self.max_deleted, added: self.added };
        entry::create(writer, key, Head::collection(Kind::Stream, deadline, &elements), &state.encode())?;
        for stream::Entry { id, fields } in &self.entries {
            let fields = fields.iter().map(|(name, value)| (name, value));
            writer.put(layout::entry(&elements, *id), record::encode_fields(fields)?)?;
        }
        self.groups.iter().try_for_each(|group| group.write(writer, &elements))
    }
}

impl GroupImage {
    fn read(view: &View, stream: &Elements, name: &[u8], value: &[u8]) -> Result<Self> {
        let GroupState { last, number, read } = GroupState::decode(value)?;
        let elements = GroupElements::of(stream, number);
        let mut image = Self { name: name.to_vec(), last, read, ..Self::default() };
        let mut cursor = view.range(&elements.consumers(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            let Consumer { seen, active } = Consumer::decode(value)?;
            image.consumers.insert(elements.consumer_name(key)?.to_vec(), (seen, active));
        }
        let mut cursor = view.range(&elements.pending_between(ALL), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            let Pending { delivered, deliveries, consumer } = Pending::decode(value)?;
            image.pending.insert(layout::id_of(key)?, PendingImage { delivered, deliveries, consumer });
        }
        Ok(image)
    }

    fn write(&self, writer: &mut Writer, stream: &Elements) -> Result<()> {
        group::check_name("group name bytes", &self.name)?;
        let number = writer.next_storage_id()?;
        let elements = GroupElements::of(stream, number);
        let state = GroupState { last: self.last, number, read: self.read };
        writer.put(layout::group(stream, &self.name), state.encode())?;
        for (name, (seen, active)) in &self.consumers {
            group::check_consumer(name)?;
            writer.put(elements.consumer(name), Consumer { seen: *seen, active: *active }.encode())?;
        }
        for (id, PendingImage { delivered, deliveries, consumer }) in &self.pending {
            let after = Pending { delivered: *delivered, deliveries: *deliveries, consumer: consumer.clone() };
            backlog::put(writer, &elements, *id, None, &after)?;
        }
        Ok(())
    }
}
