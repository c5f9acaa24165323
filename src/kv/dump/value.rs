//! A whole value, between the store and a dump.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::encoding::long;
use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::kv::collection::check_member;
use crate::kv::dump::bad;
use crate::kv::layout;
use crate::kv::record::{Head, Kind};
use crate::kv::stream::Image;
use crate::kv::{entry, list};
use crate::limits;
use crate::txn::{View, Writer};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    String(Vec<u8>),
    Hash(Vec<(Vec<u8>, Vec<u8>)>),
    List(Vec<Vec<u8>>),
    Set(Vec<Vec<u8>>),
    SortedSet(Vec<(Vec<u8>, f64)>),
    Stream(Image),
}

impl Value {
    /// The value with this head and payload.
    pub(super) fn read(view: &View, head: Head, payload: &[u8]) -> Result<Self> {
        let Some(elements) = head.elements() else { return Ok(Self::String(payload.to_vec())) };
        Ok(match head.kind {
            Kind::String => return Err(Error::corrupt("key record", "a string with elements")),
            Kind::Stream => Self::Stream(Image::read(view, &elements, payload)?),
            Kind::List => Self::List(collect(view, &elements.places(), |_, value| Ok(value.to_vec()))?),
            Kind::Set => {
                let read = |key: &[u8], value: &[u8]| Ok(elements.read_member(key, value)?.0.to_vec());
                Self::Set(collect(view, &elements.members(), read)?)
            }
            Kind::Hash => Self::Hash(collect(view, &elements.members(), |key, value| {
                let (field, value) = elements.read_member(key, value)?;
                Ok((field.to_vec(), value.to_vec()))
            })?),
            Kind::SortedSet => Self::SortedSet(collect(view, &elements.positions(), |key, value| {
                let (score, member) = elements.read_position(key, value)?;
                Ok((member.to_vec(), score))
            })?),
        })
    }

    /// Refuses a collection without elements, and one that has an element twice.
    pub(super) fn check(self) -> Result<Self> {
        let (len, distinct) = match &self {
            Self::String(_) | Self::Stream(_) => return Ok(self),
            Self::List(values) => (values.len(), values.len()),
            Self::Set(members) => (members.len(), distinct(members.iter())),
            Self::Hash(fields) => (fields.len(), distinct(fields.iter().map(|(field, _)| field))),
            Self::SortedSet(members) => (members.len(), distinct(members.iter().map(|(member, _)| member))),
        };
        if len == 0 || distinct < len { Err(bad()) } else { Ok(self) }
    }

    /// Makes the key whose head is kept at `key`, where there is nothing.
    pub(super) fn write(&self, writer: &mut Writer, key: &[u8], deadline: Option<Timestamp>) -> Result<()> {
        match self {
            Self::String(string) => {
                check_string(string)?;
                entry::create(writer, key, Head::string(deadline), string)
            }
            Self::Stream(image) => image.write(writer, key, deadline),
            Self::List(values) => list::create(writer, key, deadline, values),
            Self::Set(members) => {
                let elements = entry::create_collection(writer, key, Kind::Set, deadline)?;
                members.iter().try_for_each(|member| {
                    check_member("set member bytes", member)?;
                    writer.put(elements.member(member), long::value(member, &[]))
                })
            }
            Self::Hash(fields) => {
                let elements = entry::create_collection(writer, key, Kind::Hash, deadline)?;
                fields.iter().try_for_each(|(field, value)| {
                    check_member("hash field bytes", field)?;
                    check_string(value)?;
                    writer.put(elements.member(field), long::value(field, value))
                })
            }
            Self::SortedSet(members) => {
                let elements = entry::create_collection(writer, key, Kind::SortedSet, deadline)?;
                members.iter().try_for_each(|(member, score)| {
                    check_member("sorted set member bytes", member)?;
                    let score = layout::canonical(*score);
                    writer.put(elements.member(member), long::value(member, &layout::encode_score(score)))?;
                    writer.put(elements.position(score, member), long::value(member, &[]))
                })
            }
        }
    }
}

fn collect<R>(
    view: &View,
    range: &crate::engine::KeyRange,
    mut read: impl FnMut(&[u8], &[u8]) -> Result<R>,
) -> Result<Vec<R>> {
    let mut cursor = view.range(range, Direction::Forward)?;
    let mut all = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        all.push(read(key, value)?);
    }
    Ok(all)
}

fn distinct<'a>(elements: impl Iterator<Item = &'a Vec<u8>>) -> usize {
    elements.collect::<HashSet<_>>().len()
}

fn check_string(string: &[u8]) -> Result<()> {
    limits::check(limits::STRING_BYTES, limits::STRING_BYTES_MAX, string.len())
}
