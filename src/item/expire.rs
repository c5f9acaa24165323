//! What happens at a deadline of an item table.

use crate::error::{Error, Result};
use crate::item::layout::{self, Part};
use crate::item::state::Tables;
use crate::item::written::Origin;
use crate::item::{deadline, lifecycle, stream, token, write};
use crate::txn::Writer;

/// Removes what `target` names, whose deadline has come: an item whose time is up, an hour of a stream, a
/// token; or ends what a table is going through.
pub(crate) fn expire(writer: &mut Writer, target: &[u8]) -> Result<()> {
    let (storage, part) = layout::part_of(target)?;
    match part {
        Part::Item if storage == layout::NO_TABLE => {
            token::forget(writer, target);
            Ok(())
        }
        Part::Item => expire_item(writer, storage, target),
        // What was dropped with its table has a job of its own.
        Part::Stream => stream::trim(writer, target),
        Part::Details => lifecycle::end(writer, storage),
        _ => Err(Error::corrupt("deadline", "its target is nothing of an item table that expires")),
    }
}

fn expire_item(writer: &mut Writer, storage: u32, key: &[u8]) -> Result<()> {
    let found = writer.state::<Tables>().of_storage(writer, storage)?;
    let Some((_, table)) = found else { return Ok(()) };
    let Some(ttl) = &table.record.ttl else { return Ok(()) };
    let Some(record) = writer.get(key)?.map(std::borrow::Cow::into_owned) else { return Ok(()) };
    // The item may be another than the deadline was made for, and the attribute may be another.
    let seconds = deadline::seconds_of(&record, &ttl.attribute)?;
    if seconds.is_some_and(|seconds| deadline::has_expired(seconds, writer.now())) {
        write::apply(writer, &table, key, Some(record), None, Origin::Expiry)?;
    }
    Ok(())
}
