//! Reading streams.

use std::sync::Arc;

use crate::catalog::{self, Kind};
use crate::clock::Timestamp;
use crate::encoding::mix::mix;
use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::item::definition::{Definition, TableRecord};
use crate::item::details::Details;
use crate::item::place::{Place, check_table_name};
use crate::item::record::{self, RecordRef};
use crate::item::request::key_schema;
use crate::item::request::{
    DescribeStream, EventName, GetRecords, GetRecordsOutput, GetShardIterator, Identity, ListStreams,
    ListStreamsOutput, Record, ShardIteratorType, StreamDescription, StreamStatus, StreamSummary, StreamViewType,
};
use crate::item::state::Tables;
use crate::item::stream::iterator::ShardIterator;
use crate::item::stream::layout::{self, Stored};
use crate::item::stream::shard::{KEPT_MICROS, Lifetime, Part, parse, show};
use crate::item::target::Target;
use crate::item::{Constraint, Fault, RequestFault};
use crate::limits;
use crate::txn::View;

/// Separates the ARN of a table from the label of its stream.
const STREAM: &str = "/stream/";

/// The label of a stream that was switched on at `since`: the moment as text.
pub(in crate::item) fn label(since: i64) -> String {
    let moment = jiff::Timestamp::from_microsecond(since).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// A stream of a table.
struct Found {
    target: Arc<Target>,
    table: Definition,
    lifetime: Lifetime,
}

impl Found {
    /// The stream that `arn` names.
    fn new(view: &View, place: &Place, arn: &str) -> Result<Self> {
        let (table_arn, wanted) = arn.split_once(STREAM).ok_or_else(|| not_found(arn))?;
        let (place, name) = place.of_arn(table_arn).map_err(|_| not_found(arn))?;
        let target = view.state::<Tables>().target(&place, &name);
        let table = target.find(view)?.ok_or_else(|| not_found(arn))?;
        let streams = of_table(view, &table)?;
        let lifetime = streams.into_iter().find(|lifetime| label(lifetime.stream.since) == wanted);
        Ok(Self { target, table, lifetime: lifetime.ok_or_else(|| not_found(arn))? })
    }
}

/// The streams of a table that can be read: those that were switched off within the last day, then the one that is on.
fn of_table(view: &View, table: &Definition) -> Result<Vec<Lifetime>> {
    let horizon = view.now().as_micros().saturating_sub(KEPT_MICROS);
    let old = Details::get(view, table.storage)?.old_streams;
    let old = old.into_iter().filter(|old| old.until > horizon);
    let mut streams: Vec<_> = old.map(|old| Lifetime { stream: old.stream, until: Some(old.until) }).collect();
    streams.extend(table.record.stream.clone().map(|stream| Lifetime { stream, until: None }));
    Ok(streams)
}

/// Answers [`ListStreams`].
pub(in crate::item) fn list(view: &View, place: &Place, request: &ListStreams) -> Result<ListStreamsOutput> {
    let limit = bounded("limit", request.limit, limits::ITEM_STREAMS_LISTED_MAX)?;
    if let Some(name) = &request.table_name {
        check_table_name(name)?;
    }
    let tables = catalog::list::<TableRecord>(view, Kind::ItemTable, &place.namespace())?;
    let mut streams = Vec::new();
    for (name, _) in tables.into_iter().filter(|(name, _)| request.table_name.as_ref().is_none_or(|one| one == name)) {
        let target = view.state::<Tables>().target(place, &name);
        let Some(table) = target.find(view)? else { continue };
        for lifetime in of_table(view, &table)? {
            let stream_label = label(lifetime.stream.since);
            let stream_arn = format!("{}{STREAM}{stream_label}", target.arn());
            streams.push(StreamSummary { stream_arn, table_name: name.clone(), stream_label });
        }
    }
    streams.sort_by(|a, b| a.stream_arn.cmp(&b.stream_arn));
    if let Some(start) = &request.exclusive_start_stream_arn {
        streams.retain(|stream| stream.stream_arn > *start);
    }
    let has_more = streams.len() > limit;
    streams.truncate(limit);
    let last = streams.last().filter(|_| has_more).map(|stream| stream.stream_arn.clone());
    Ok(ListStreamsOutput { streams, last_evaluated_stream_arn: last })
}

/// Answers [`DescribeStream`].
pub(in crate::item) fn describe(view: &View, place: &Place, request: &DescribeStream) -> Result<StreamDescription> {
    let limit = bounded("limit", request.limit, limits::ITEM_STREAMS_LISTED_MAX)?;
    let Found { target, table, lifetime } = Found::new(view, place, &request.stream_arn)?;
    let mut parts = lifetime.parts(view.now());
    if let Some(start) = &request.exclusive_start_shard_id {
        let place = parts.iter().position(|part| part.id() == *start);
        parts = parts.split_off(place.map_or(parts.len(), |place| place + 1));
    }
    let has_more = parts.len() > limit;
    parts.truncate(limit);
    let last_evaluated_shard_id = parts.last().filter(|_| has_more).map(Part::id);
    let stream = &lifetime.stream;
    Ok(StreamDescription {
        stream_arn: request.stream_arn.clone(),
        stream_label: label(stream.since),
        stream_status: if lifetime.until.is_none() { StreamStatus::Enabled } else { StreamStatus::Disabled },
        stream_view_type: StreamViewType::of_number(stream.view),
        creation_request_date_time: Timestamp::from_micros(stream.since),
        table_name: target.name().to_string(),
        key_schema: key_schema(&table.record.keys),
        shards: parts.into_iter().map(|part| lifetime.describe(part)).collect(),
        last_evaluated_shard_id,
    })
}

/// Answers [`GetShardIterator`].
pub(in crate::item) fn get_shard_iterator(view: &View, place: &Place, request: &GetShardIterator) -> Result<String> {
    let needs_number = matches!(
        request.shard_iterator_type,
        ShardIteratorType::AtSequenceNumber | ShardIteratorType::AfterSequenceNumber
    );
    let number = match (&request.sequence_number, needs_number) {
        (Some(text), true) => Some(parse(text)?),
        (None, true) => {
            let text =
                format!("SequenceNumber must be specified when ShardIteratorType is {}", request.shard_iterator_type);
            return Err(RequestFault::other(text));
        }
        _ => None,
    };
    let found = Found::new(view, place, &request.stream_arn)?;
    let part = found.lifetime.part_named(&request.shard_id, view.now())?;
    let horizon = view.now().as_micros().saturating_sub(KEPT_MICROS);
    let next = match (request.shard_iterator_type, number) {
        (ShardIteratorType::Latest, _) => {
            let all = layout::range(found.table.storage, found.lifetime.stream.id, part.number, part.start, part.end);
            let last = view.first(&all, Direction::Backward)?;
            last.map(|(key, _)| layout::number(&key)).transpose()?.map_or(part.start, |last| last.saturating_add(1))
        }
        (_, Some(number)) => {
            if number < horizon {
                return Err(Fault::TrimmedDataAccess.into_error());
            }
            if !(part.start..part.end).contains(&number) {
                let (number, shard) = (show(number), &request.shard_id);
                let text = format!("Invalid SequenceNumber: {number} is not of shard {shard}");
                return Err(RequestFault::other(text));
            }
            let is_after = request.shard_iterator_type == ShardIteratorType::AfterSequenceNumber;
            number.saturating_add(i64::from(is_after))
        }
        _ => part.start,
    };
    let (stream_arn, shard_id) = (request.stream_arn.clone(), request.shard_id.clone());
    Ok(ShardIterator { stream_arn, shard_id, next }.show(view.now()))
}

/// Answers [`GetRecords`].
pub(in crate::item) fn get_records(view: &View, place: &Place, request: &GetRecords) -> Result<GetRecordsOutput> {
    let limit = bounded("limit", request.limit, limits::ITEM_STREAM_RECORDS_MAX)?;
    let iterator = ShardIterator::parse(&request.shard_iterator, view.now())?;
    let found = Found::new(view, place, &iterator.stream_arn)?;
    let Ok(part) = found.lifetime.part_named(&iterator.shard_id, view.now()) else {
        // Its last record has gone while somebody was reading it.
        return Err(Fault::TrimmedDataAccess.into_error());
    };
    let horizon = view.now().as_micros().saturating_sub(KEPT_MICROS);
    let (storage, stream) = (found.table.storage, &found.lifetime.stream);
    let start = iterator.next.max(part.start).max(horizon);
    let mut cursor =
        view.range(&layout::range(storage, stream.id, part.number, start, part.end), Direction::Forward)?;
    let (mut records, mut bytes, mut next, mut is_end) = (Vec::new(), 0, start, false);
    while records.len() < limit && bytes < limits::ITEM_PAGE_BYTES_MAX {
        let Some((key, value)) = cursor.next()? else {
            is_end = true;
            break;
        };
        let number = layout::number(key)?;
        bytes += key.len() + value.len();
        records.push(show_record(number, &Stored::decode(value)?, &found)?);
        next = number.saturating_add(1);
    }
    view.meter().returned(records.len() as u64);
    let is_done = is_end && !part.is_open;
    let next_shard_iterator = (!is_done).then(|| ShardIterator { next, ..iterator }.show(view.now()));
    Ok(GetRecordsOutput { records, next_shard_iterator })
}

fn show_record(number: i64, stored: &Stored<'_>, found: &Found) -> Result<Record> {
    let image = |record: Option<&[u8]>| record.map(record::decode).transpose();
    let event_name = match (stored.was, stored.is) {
        (false, _) => EventName::Insert,
        (true, true) => EventName::Modify,
        (true, false) => EventName::Remove,
    };
    let mut size = RecordRef::new(stored.keys)?.size_bytes()?;
    for record in [stored.old, stored.new].into_iter().flatten() {
        size += RecordRef::new(record)?.size_bytes()?;
    }
    let of_table = u64::from(found.table.storage) << 32 | u64::from(found.lifetime.stream.id);
    Ok(Record {
        event_id: format!("{:016x}{:016x}", mix(of_table), mix(number.cast_unsigned())),
        event_name,
        approximate_creation_date_time: Timestamp::from_micros(number),
        keys: record::decode(stored.keys)?,
        new_image: image(stored.new)?,
        old_image: image(stored.old)?,
        sequence_number: show(number),
        size_bytes: size as u64,
        stream_view_type: StreamViewType::of_number(found.lifetime.stream.view),
        user_identity: stored.has_expired.then(|| Identity {
            identity_type: "Service".to_owned(),
            principal_id: "dynamodb.amazonaws.com".to_owned(),
        }),
    })
}

/// A number of things to return, from 1 to `max`.
fn bounded(member: &str, asked: Option<i64>, max: usize) -> Result<usize> {
    let most = i64::try_from(max).unwrap_or(i64::MAX);
    let constraint = match asked {
        None => return Ok(max),
        Some(asked) if asked < 1 => Constraint::AtLeast(1),
        Some(asked) if asked > most => Constraint::AtMost(most),
        Some(asked) => return Ok(usize::try_from(asked).unwrap_or(max)),
    };
    let value = asked.map(|asked| asked.to_string());
    Err(RequestFault::Constraint { member: member.to_owned(), value, constraint }.into_error())
}

fn not_found(arn: &str) -> Error {
    Fault::ResourceNotFound { resource: Some(format!("Stream: {arn} not found")) }.into_error()
}
