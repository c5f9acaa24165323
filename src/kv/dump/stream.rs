//! Streams: nodes of entries, and groups.
//!
//! After the type: the number of nodes; of each, its master id in 16 bytes as a string, and its listpack as a string. Then the
//! length of the stream and its last id; from the second form on, the first id, the greatest deleted id and the entries
//! added. Then the number of groups; of each, name, last delivered id, from the second form on the entries read; the
//! number of pending entries, of each the id in 16 bytes, the time of delivery and the deliveries; the number of consumers,
//! of each the name, the time last seen, in the third form the time last active, and the number and ids of what it has pending.
//! A time is milliseconds in 8 bytes, little-endian, and an id out of 16 bytes is two lengths.
//!
//! A node's listpack begins with the number of its entries, that of deleted ones, the number of names, the names, and 0. Of
//! each entry it has flags, milliseconds and number less those of the master id, then names and values, or only the values when
//! the names are those at the beginning, and how many those were. Flag 1 is deleted, flag 2 is names as at the beginning.

use std::collections::btree_map;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::kv::dump::bad;
use crate::kv::dump::budget::Budget;
use crate::kv::dump::listpack;
use crate::kv::dump::reader::Decoder;
use crate::kv::dump::writer::{put_len, put_length, put_string};
use crate::kv::number::parse_integer;
use crate::kv::stream::{Entry, Fields, GroupImage, Image, PendingImage, StreamId};

const DELETED: i64 = 1;
const SAME_NAMES: i64 = 2;

/// Entries of a node at most, and bytes from which on it takes no more: the defaults of a server.
const NODE_ENTRIES: usize = 100;
const NODE_BYTES: usize = 4_096;

/// What a server puts for a number that is not known.
const UNKNOWN: u64 = u64::MAX;

pub(super) fn encode(out: &mut Vec<u8>, image: &Image) {
    let nodes = nodes(&image.entries);
    put_len(out, nodes.len());
    for (master, listpack) in &nodes {
        put_string(out, &raw(*master));
        put_string(out, listpack);
    }
    put_len(out, image.entries.len());
    put_id(out, image.last);
    put_id(out, image.entries.first().map_or(StreamId::MIN, |entry| entry.id));
    put_id(out, image.max_deleted);
    put_length(out, image.added);
    put_len(out, image.groups.len());
    for group in &image.groups {
        put_string(out, &group.name);
        put_id(out, group.last);
        put_length(out, group.read.unwrap_or(UNKNOWN));
        put_len(out, group.pending.len());
        for (id, pending) in &group.pending {
            out.extend_from_slice(&raw(*id));
            out.extend_from_slice(&pending.delivered.as_millis().to_le_bytes());
            put_length(out, pending.deliveries);
        }
        put_len(out, group.consumers.len());
        for (name, (seen, _)) in &group.consumers {
            put_string(out, name);
            out.extend_from_slice(&seen.as_millis().to_le_bytes());
            let owned = || group.pending.iter().filter(|(_, pending)| pending.consumer == *name);
            put_len(out, owned().count());
            owned().for_each(|(id, _)| out.extend_from_slice(&raw(*id)));
        }
    }
}

/// The nodes that hold the entries, each with the id of its first as the master id.
fn nodes(entries: &[Entry]) -> Vec<(StreamId, Vec<u8>)> {
    let mut nodes = Vec::new();
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let fits = bytes < NODE_BYTES;
            bytes += entry.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + 8;
            fits
        };
        let count = rest.iter().take(NODE_ENTRIES).take_while(fits).count();
        let (node, after) = rest.split_at(count);
        rest = after;
        nodes.push((first.id, encode_node(first, node)));
    }
    nodes
}

fn encode_node(first: &Entry, entries: &[Entry]) -> Vec<u8> {
    let mut node = listpack::Writer::new();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    node.integer(number(entries.len()));
    node.integer(0);
    node.integer(number(first.fields.len()));
    first.fields.iter().for_each(|(name, _)| node.string(name));
    node.integer(0);
    for Entry { id, fields } in entries {
        let same = fields.iter().map(|(name, _)| name).eq(first.fields.iter().map(|(name, _)| name));
        node.integer(if same { SAME_NAMES } else { 0 });
        node.integer(id.ms.wrapping_sub(first.id.ms).cast_signed());
        node.integer(id.seq.wrapping_sub(first.id.seq).cast_signed());
        if !same {
            node.integer(number(fields.len()));
        }
        for (name, value) in fields {
            if !same {
                node.string(name);
            }
            node.string(value);
        }
        let count = if same { fields.len() + 3 } else { 2 * fields.len() + 4 };
        node.integer(number(count));
    }
    node.finish()
}

pub(super) fn decode(decoder: &mut Decoder<'_>, form: u8) -> Result<Image> {
    let mut image = Image::default();
    for _ in 0..decoder.length()? {
        let master = decoder.string()?;
        let master = id_of(master.as_slice().try_into().map_err(|_| bad())?);
        let listpack = decoder.listpack()?;
        decode_node(master, listpack, &mut decoder.budget, &mut image.entries)?;
    }
    let len = decoder.length()?;
    image.last = id(decoder)?;
    image.added = len;
    if form >= 2 {
        // The first id is that of the first entry.
        id(decoder)?;
        image.max_deleted = id(decoder)?;
        image.added = decoder.length()?;
    }
    let is_ascending = image.entries.is_sorted_by(|one, two| one.id < two.id);
    let top = image.entries.last().map_or(StreamId::MIN, |entry| entry.id).max(image.max_deleted);
    if !is_ascending || top > image.last || image.entries.len() as u64 != len {
        return Err(bad());
    }
    for _ in 0..decoder.length()? {
        let group = decode_group(decoder, form)?;
        if image.groups.iter().any(|other| other.name == group.name) {
            return Err(bad());
        }
        image.groups.push(group);
    }
    Ok(image)
}

/// Adds the entries of a node that are not deleted.
fn decode_node(master: StreamId, listpack: Vec<Vec<u8>>, budget: &mut Budget, entries: &mut Vec<Entry>) -> Result<()> {
    let mut rest = listpack.into_iter();
    let mut next = || rest.next().ok_or_else(bad);
    let number = |text: Vec<u8>| parse_integer(&text).map_err(|_| bad());
    let count = |text: Vec<u8>| usize::try_from(number(text)?).map_err(|_| bad());
    let (live, deleted) = (count(next()?)?, count(next()?)?);
    let mut names = Vec::new();
    for _ in 0..count(next()?)? {
        names.push(next()?);
    }
    if number(next()?)? != 0 {
        return Err(bad());
    }
    let (mut live_found, mut deleted_found) = (0, 0);
    for _ in 0..live.checked_add(deleted).ok_or_else(bad)? {
        let flags = number(next()?)?;
        if flags & !(DELETED | SAME_NAMES) != 0 {
            return Err(bad());
        }
        let id = StreamId {
            ms: master.ms.wrapping_add_signed(number(next()?)?),
            seq: master.seq.wrapping_add_signed(number(next()?)?),
        };
        let mut fields = Fields::new();
        let parts = if flags & SAME_NAMES == 0 {
            let fields_count = count(next()?)?;
            for _ in 0..fields_count {
                fields.push((next()?, next()?));
            }
            fields_count.checked_mul(2).and_then(|parts| parts.checked_add(4))
        } else {
            for name in &names {
                // Written once, and held once for each entry.
                fields.push((budget.bytes(name)?, next()?));
            }
            names.len().checked_add(3)
        };
        if Some(count(next()?)?) != parts || fields.is_empty() {
            return Err(bad());
        }
        if flags & DELETED == 0 {
            live_found += 1;
            entries.push(Entry { id, fields });
        } else {
            deleted_found += 1;
        }
    }
    if rest.next().is_some() || (live_found, deleted_found) != (live, deleted) { Err(bad()) } else { Ok(()) }
}

fn decode_group(decoder: &mut Decoder<'_>, form: u8) -> Result<GroupImage> {
    let mut group = GroupImage { name: decoder.string()?, last: id(decoder)?, ..GroupImage::default() };
    if form >= 2 {
        group.read = Some(decoder.length()?).filter(|read| *read != UNKNOWN);
    }
    for _ in 0..decoder.length()? {
        let id = id_of(decoder.array()?);
        let delivered = time(decoder)?;
        let pending = PendingImage { delivered, deliveries: decoder.length()?, consumer: Vec::new() };
        if group.pending.insert(id, pending).is_some() {
            return Err(bad());
        }
    }
    let mut owned = 0;
    for _ in 0..decoder.length()? {
        let name = decoder.string()?;
        let seen = time(decoder)?;
        let active = if form >= 3 { decode_active(decoder)? } else { Some(seen) };
        for _ in 0..decoder.length()? {
            let id = id_of(decoder.array()?);
            decoder.budget.bytes(&name)?.clone_into(&mut group.pending.get_mut(&id).ok_or_else(bad)?.consumer);
            owned += 1;
        }
        match group.consumers.entry(name) {
            btree_map::Entry::Vacant(vacant) => drop(vacant.insert((seen, active))),
            btree_map::Entry::Occupied(_) => return Err(bad()),
        }
    }
    // Each is owned once: as many were given away as there are, to consumers that there are.
    let is_owned = group.pending.values().all(|pending| group.consumers.contains_key(&pending.consumer));
    if is_owned && owned == group.pending.len() { Ok(group) } else { Err(bad()) }
}

fn time(decoder: &mut Decoder<'_>) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(i64::from_le_bytes(decoder.array()?)))
}

/// When a consumer was last active; -1 is never.
fn decode_active(decoder: &mut Decoder<'_>) -> Result<Option<Timestamp>> {
    Ok(Some(time(decoder)?).filter(|active| *active != Timestamp::from_millis(-1)))
}

fn id(decoder: &mut Decoder<'_>) -> Result<StreamId> {
    Ok(StreamId::new(decoder.length()?, decoder.length()?))
}

fn put_id(out: &mut Vec<u8>, id: StreamId) {
    put_length(out, id.ms);
    put_length(out, id.seq);
}

/// An id in 16 bytes, big-endian.
fn raw(id: StreamId) -> [u8; 16] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}

fn id_of(raw: [u8; 16]) -> StreamId {
    let [ms, seq] = [0, 8].map(|from| {
        let mut half = [0; 8];
        half.iter_mut().zip(raw.iter().skip(from)).for_each(|(to, byte)| *to = *byte);
        u64::from_be_bytes(half)
    });
    StreamId::new(ms, seq)
}
