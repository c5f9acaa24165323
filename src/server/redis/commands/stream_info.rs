//! What there is to know about a stream.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::kv::stream::{ConsumerDetails, Delivery, GroupDetails, GroupInfo, StreamInfo};
use crate::server::redis::commands::missing;
use crate::server::redis::commands::streams::{write_entries, write_entry};
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::run::command::{
    Call, Handler, Outcome, Refusal, command, container, help, integer, is, unknown_option,
};

pub(super) const COMMANDS: &[Handler] = &[container("xinfo", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] =
    &[command("consumers", consumers), command("groups", groups), command("help", help), command("stream", stream)];

/// Entries that `FULL` returns by default.
const FULL_COUNT: u64 = 10;

/// Entries in a node of Redis's radix tree.
const ENTRIES_PER_NODE: u64 = 100;

fn consumers(call: &mut Call<'_>) -> Outcome {
    let consumers =
        call.kv().stream(call.word(2)).group(call.word(3)).consumers().map_err(missing::about(call.word(2)))?;
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    call.reply.array(consumers.len());
    for consumer in consumers {
        call.reply.map(4);
        call.reply.bulk("name");
        call.reply.bulk(&consumer.name);
        call.reply.bulk("pending");
        call.reply.count(consumer.pending);
        call.reply.bulk("idle");
        call.reply.integer(millis(consumer.idle));
        call.reply.bulk("inactive");
        call.reply.integer(consumer.inactive.map_or(-1, millis));
    }
    Ok(())
}

fn groups(call: &mut Call<'_>) -> Outcome {
    let groups = call.kv().stream(call.word(2)).groups()?;
    call.reply.array(groups.len());
    for group in groups {
        call.reply.map(6);
        call.reply.bulk("name");
        call.reply.bulk(&group.name);
        call.reply.bulk("consumers");
        call.reply.count(group.consumers);
        call.reply.bulk("pending");
        call.reply.count(group.pending);
        write_progress(call.reply, &group);
    }
    Ok(())
}

/// How far a group has come.
fn write_progress(reply: &mut Reply, group: &GroupInfo) {
    reply.bulk("last-delivered-id");
    reply.bulk(group.last_delivered_id.to_string());
    let read = group.entries_read.map(|read| i64::try_from(read).unwrap_or(i64::MAX));
    for (name, number) in [("entries-read", read), ("lag", group.lag)] {
        reply.bulk(name);
        match number {
            Some(number) => reply.integer(number),
            None => reply.nil(),
        }
    }
}

fn stream(call: &mut Call<'_>) -> Outcome {
    let stream = call.kv().stream(call.word(2));
    let count = match call.rest(3) {
        [] => {
            let info = stream.info()?;
            call.reply.map(10);
            write_stream(call.reply, &info);
            call.reply.bulk("groups");
            call.reply.count(info.groups);
            for (name, entry) in [("first-entry", &info.first_entry), ("last-entry", &info.last_entry)] {
                call.reply.bulk(name);
                match entry {
                    Some(entry) => write_entry(call.reply, entry.id, Some(&entry.fields)),
                    None => call.reply.nil(),
                }
            }
            return Ok(());
        }
        [full] if is(full, "full") => FULL_COUNT,
        [full, word, count] if is(full, "full") && is(word, "count") => {
            let count = integer(count).ok_or_else(Refusal::not_an_integer)?;
            u64::try_from(count).unwrap_or(FULL_COUNT)
        }
        _ => return Err(unknown_option(call)),
    };
    // 0 is no limit.
    let details = stream.details(Some(count).filter(|count| *count > 0))?;
    call.reply.map(9);
    write_stream(call.reply, &details.info);
    call.reply.bulk("entries");
    write_entries(call.reply, &details.entries);
    call.reply.bulk("groups");
    call.reply.array(details.groups.len());
    details.groups.iter().for_each(|group| write_group(call.reply, group));
    Ok(())
}

/// The fields that the short and the full form have in common.
fn write_stream(reply: &mut Reply, info: &StreamInfo) {
    // There is no radix tree here: the numbers are those of one that was only appended to.
    let nodes = info.len.div_ceil(ENTRIES_PER_NODE);
    for (name, number) in [("length", info.len), ("radix-tree-keys", nodes), ("radix-tree-nodes", nodes + 1)] {
        reply.bulk(name);
        reply.count(number);
    }
    for (name, id) in [("last-generated-id", info.last_id), ("max-deleted-entry-id", info.max_deleted_id)] {
        reply.bulk(name);
        reply.bulk(id.to_string());
    }
    reply.bulk("entries-added");
    reply.count(info.entries_added);
    reply.bulk("recorded-first-entry-id");
    reply.bulk(info.first_id.to_string());
}

fn write_group(reply: &mut Reply, group: &GroupDetails) {
    reply.map(7);
    reply.bulk("name");
    reply.bulk(&group.info.name);
    write_progress(reply, &group.info);
    reply.bulk("pel-count");
    reply.count(group.info.pending);
    reply.bulk("pending");
    write_deliveries(reply, &group.pending, true);
    reply.bulk("consumers");
    reply.array(group.consumers.len());
    group.consumers.iter().for_each(|consumer| write_consumer(reply, consumer));
}

fn write_consumer(reply: &mut Reply, consumer: &ConsumerDetails) {
    reply.map(5);
    reply.bulk("name");
    reply.bulk(&consumer.name);
    reply.bulk("seen-time");
    reply.integer(consumer.seen.as_millis());
    reply.bulk("active-time");
    reply.integer(consumer.active.map_or(-1, Timestamp::as_millis));
    reply.bulk("pel-count");
    reply.count(consumer.count);
    reply.bulk("pending");
    write_deliveries(reply, &consumer.pending, false);
}

fn write_deliveries(reply: &mut Reply, deliveries: &[Delivery], with_consumer: bool) {
    reply.array(deliveries.len());
    for delivery in deliveries {
        reply.array(if with_consumer { 4 } else { 3 });
        reply.bulk(delivery.id.to_string());
        if with_consumer {
            reply.bulk(&delivery.consumer);
        }
        reply.integer(delivery.time.as_millis());
        reply.count(delivery.count);
    }
}
